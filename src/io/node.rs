//! What the wallet implements: its node, and what hears of changes.

use std::sync::Arc;

use lnurl_channel_core::protocol::PeerAddress;
use lnurl_channel_core::{ChannelRequestSnapshot, ChannelStep, NodeReadiness};

/// Throw this from `WalletNode`. Any other exception is treated as `Failed`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WalletNodeError {
    /// It did not work; `reason` reaches the wallet's log in `LnurlChannelError.NodeFailed`.
    #[error("{reason}")]
    Failed { reason: String },
    /// The node cannot do this at all, such as send custom messages.
    #[error("not supported: {reason}")]
    Unsupported { reason: String },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for WalletNodeError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed {
            reason: error.reason,
        }
    }
}

/// Your Lightning node, as this library needs it. You implement this.
///
/// Called on background threads, never the main thread and never from within a call into the
/// client, so methods may block. Calls for different requests can overlap: make it thread-safe.
pub trait WalletNode: Send + Sync {
    /// Your node's public key, 66 hex digits.
    fn node_id(&self) -> Result<String, WalletNodeError>;

    /// What the node could do for a channel from `peer`, and which it has with it.
    fn readiness(&self, peer: PeerAddress) -> Result<NodeReadiness, WalletNodeError>;

    /// Connect to `peer`; true once the `init` messages are exchanged. Already connected counts.
    ///
    /// Do not make the node remember the peer: do so when the channel arrives.
    fn connect(&self, peer: PeerAddress) -> Result<bool, WalletNodeError>;

    /// No request needs the connection to `peer` any more. Disconnect, unless the node has a channel
    /// with it, or needs it otherwise.
    fn release_peer(&self, peer: PeerAddress) -> Result<(), WalletNodeError>;

    /// Send a custom message to a connected peer; true once it is handed to the connection.
    ///
    /// Only hosted channels need it.
    fn send_peer_message(
        &self,
        peer_id: String,
        message_type: u16,
        payload: Vec<u8>,
    ) -> Result<bool, WalletNodeError>;

    /// The script that a hosted channel refunds to: P2WPKH or P2WSH. Asked once per request.
    ///
    /// Only hosted channels need it.
    fn refund_script_pubkey(&self, request_id: String) -> Result<Vec<u8>, WalletNodeError>;
}

/// Hears how requests move on. You implement this, next to your screens.
pub trait ChannelListener: Send + Sync {
    /// A request that was accepted changed; `request` is how it stands now, as `requests` shows it by
    /// then. Called on background threads; the calls for one request come in order, one at a time.
    /// Several changes may come as one call, with the last snapshot, if the listener is slow. What it
    /// throws is ignored.
    fn on_request_changed(
        &self,
        request: ChannelRequestSnapshot,
        step: ChannelStep,
    ) -> Result<(), WalletNodeError>;
}

// For a wallet in Rust that keeps a hold of what it lends.

impl<T: WalletNode + ?Sized> WalletNode for Arc<T> {
    fn node_id(&self) -> Result<String, WalletNodeError> {
        (**self).node_id()
    }

    fn readiness(&self, peer: PeerAddress) -> Result<NodeReadiness, WalletNodeError> {
        (**self).readiness(peer)
    }

    fn connect(&self, peer: PeerAddress) -> Result<bool, WalletNodeError> {
        (**self).connect(peer)
    }

    fn release_peer(&self, peer: PeerAddress) -> Result<(), WalletNodeError> {
        (**self).release_peer(peer)
    }

    fn send_peer_message(
        &self,
        peer_id: String,
        message_type: u16,
        payload: Vec<u8>,
    ) -> Result<bool, WalletNodeError> {
        (**self).send_peer_message(peer_id, message_type, payload)
    }

    fn refund_script_pubkey(&self, request_id: String) -> Result<Vec<u8>, WalletNodeError> {
        (**self).refund_script_pubkey(request_id)
    }
}

impl<T: ChannelListener + ?Sized> ChannelListener for Arc<T> {
    fn on_request_changed(
        &self,
        request: ChannelRequestSnapshot,
        step: ChannelStep,
    ) -> Result<(), WalletNodeError> {
        (**self).on_request_changed(request, step)
    }
}
