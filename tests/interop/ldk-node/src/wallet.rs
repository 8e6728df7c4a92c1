//! A wallet on ldk-node, as an app would write it. `bindings/kotlin/samples/LdkNode*.kt` and their Swift
//! twins are the same in those languages, and tell what ldk-node can't do.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use ldk_node::bitcoin::secp256k1::PublicKey;
use ldk_node::lightning::ln::types::ChannelId;
use ldk_node::{Event, Node};
use lnurl_channel::{
    ChannelClient, ChannelStage, ChannelVerdict, IncomingChannel, NodeReadiness, PeerAddress,
    WalletNode, WalletNodeError,
};

pub struct LdkNodeWalletNode(pub Arc<Node>);

impl LdkNodeWalletNode {
    fn has_channels(&self, peer: PublicKey) -> bool {
        let mut channels = self.0.list_channels().into_iter();
        channels.any(|channel| channel.counterparty_node_id == peer)
    }
}

impl WalletNode for LdkNodeWalletNode {
    fn node_id(&self) -> Result<String, WalletNodeError> {
        Ok(self.0.node_id().to_string())
    }

    fn readiness(&self, peer: PeerAddress) -> Result<NodeReadiness, WalletNodeError> {
        let channels = self.0.list_channels().into_iter();
        let with_peer = channels.filter(|c| c.counterparty_node_id.to_string() == peer.node_id);
        Ok(NodeReadiness {
            channel_ids: with_peer.map(|c| c.channel_id.to_string()).collect(),
            ..NodeReadiness::default()
        })
    }

    /// `LdkNodeReports` makes the node remember the peer once its channel is there.
    fn connect(&self, peer: PeerAddress) -> Result<bool, WalletNodeError> {
        let id = peer.node_id.parse().map_err(failed)?;
        let address = socket_address(&peer).parse().map_err(failed)?;
        let node = self.0.clone();
        // A thread of its own: from within a tokio runtime, which this library calls from, ldk-node
        // would run the connection on that one and not on its own.
        let connecting = std::thread::spawn(move || node.connect(id, address, false));
        match connecting.join() {
            Ok(result) => result.map(|()| true).map_err(failed),
            Err(_) => Err(failed("it panicked")),
        }
    }

    /// Not a peer that the node is to remember: `disconnect` would make it forget that one.
    fn release_peer(&self, peer: PeerAddress) -> Result<(), WalletNodeError> {
        let id = peer.node_id.parse().map_err(failed)?;
        let mut peers = self.0.list_peers().into_iter();
        let is_remembered = peers.any(|known| known.node_id == id && known.is_persisted);
        if is_remembered || self.has_channels(id) {
            return Ok(());
        }
        self.0.disconnect(id).map_err(failed)
    }

    fn send_peer_message(
        &self,
        _peer_id: String,
        _message_type: u16,
        _payload: Vec<u8>,
    ) -> Result<bool, WalletNodeError> {
        Err(unsupported())
    }

    fn refund_script_pubkey(&self, _request_id: String) -> Result<Vec<u8>, WalletNodeError> {
        Err(unsupported())
    }
}

/// Reports what an ldk-node shows to the client.
pub struct LdkNodeReports {
    node: Arc<Node>,
    client: Arc<ChannelClient>,
    connected: Mutex<HashSet<PublicKey>>,
}

impl LdkNodeReports {
    pub fn new(node: Arc<Node>, client: Arc<ChannelClient>) -> Self {
        Self {
            node,
            client,
            connected: Mutex::default(),
        }
    }

    /// For each event, before `event_handled`: one that is shown again does no harm.
    pub fn report(&self, event: &Event) -> Option<ChannelVerdict> {
        match event {
            Event::ChannelPending {
                channel_id,
                former_temporary_channel_id,
                ..
            } => {
                let former_id = Some(*former_temporary_channel_id);
                self.report_channel(*channel_id, ChannelStage::Funded, former_id)
            }
            Event::ChannelReady { channel_id, .. } => {
                self.report_channel(*channel_id, ChannelStage::Ready, None)
            }
            Event::ChannelClosed {
                channel_id,
                counterparty_node_id: Some(peer),
                reason,
                ..
            } => {
                self.client.report_channel_closed(
                    peer.to_string(),
                    Some(channel_id.to_string()),
                    reason.as_ref().map(ToString::to_string),
                );
                None
            }
            _ => None,
        }
    }

    /// Every few seconds, as ldk-node has no event for it.
    pub fn report_connections(&self) {
        let peers = self.node.list_peers().into_iter();
        let now: HashSet<_> = peers
            .filter(|p| p.is_connected)
            .map(|p| p.node_id)
            .collect();
        let mut connected = self.connected.lock().unwrap();
        for peer in now.symmetric_difference(&connected) {
            let is_connected = now.contains(peer);
            self.client
                .report_peer_connection(peer.to_string(), is_connected);
        }
        *connected = now;
    }

    /// The event does not tell the amount, nor who opens.
    fn report_channel(
        &self,
        channel_id: ChannelId,
        stage: ChannelStage,
        former_id: Option<ChannelId>,
    ) -> Option<ChannelVerdict> {
        let mut channels = self.node.list_channels().into_iter();
        let channel = channels.find(|c| c.channel_id == channel_id && !c.is_outbound)?;
        let verdict = self.client.report_incoming_channel(IncomingChannel {
            peer_id: channel.counterparty_node_id.to_string(),
            stage,
            channel_id: Some(channel_id.to_string()),
            former_channel_id: former_id.map(|id| id.to_string()),
            capacity_sat: Some(channel.channel_value_sats),
            push_msat: None,
            is_announced: Some(channel.is_announced),
            is_zero_conf: None,
            confirmations: channel.confirmations,
            confirmations_required: channel.confirmations_required,
        });
        if matches!(verdict, ChannelVerdict::Expected { .. }) {
            self.remember(channel.counterparty_node_id);
        }
        Some(verdict)
    }

    /// So that the node connects to it after a restart, as the channel needs.
    fn remember(&self, peer: PublicKey) {
        let mut peers = self.node.list_peers().into_iter();
        let Some(peer) = peers.find(|known| known.node_id == peer && !known.is_persisted) else {
            return;
        };
        // It may have just gone; the channel's next stage tries again.
        let _ = self.node.connect(peer.node_id, peer.address, true);
    }
}

fn socket_address(peer: &PeerAddress) -> String {
    let PeerAddress { host, port, .. } = peer;
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

fn failed(error: impl ToString) -> WalletNodeError {
    WalletNodeError::Failed {
        reason: error.to_string(),
    }
}

fn unsupported() -> WalletNodeError {
    WalletNodeError::Unsupported {
        reason: "ldk-node has no hosted channels".into(),
    }
}
