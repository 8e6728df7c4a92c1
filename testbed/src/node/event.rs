//! What a node shows of itself.

use std::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Something that happened at a node. Keys and ids are lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeEvent {
    /// A peer proposes a channel, and waits for `accept_channel` or `reject_channel`.
    OpenChannelRequest {
        peer_id: String,
        /// Temporary: the channel is not funded.
        channel_id: String,
        capacity_sat: u64,
        push_msat: u64,
        is_announced: bool,
        /// Its type says that it is to be used before a block: LDK takes it by `accept_zero_conf` only.
        is_zero_conf: bool,
    },
    /// The channel is negotiated and funded; it awaits confirmation.
    ChannelPending {
        peer_id: String,
        channel_id: String,
        former_channel_id: Option<String>,
    },
    /// The channel can be used.
    ChannelReady { peer_id: String, channel_id: String },
    /// The channel ended, funded or not. A proposal that was not accepted ends without it.
    ChannelClosed {
        peer_id: String,
        channel_id: String,
        reason: String,
    },
    /// A custom message, type 32768 or above, as it came.
    PeerMessage {
        peer_id: String,
        message_type: u16,
        payload: Vec<u8>,
    },
    /// `init` was exchanged with a peer, whichever side connected.
    PeerConnected { peer_id: String },
    /// The connection to a peer ended.
    PeerDisconnected { peer_id: String },
}

/// Hands every event to each of its subscribers.
#[derive(Default)]
pub(super) struct EventHub {
    subscribers: Mutex<Vec<UnboundedSender<NodeEvent>>>,
}

impl EventHub {
    pub(super) fn subscribe(&self) -> UnboundedReceiver<NodeEvent> {
        let (sender, receiver) = unbounded_channel();
        self.subscribers.lock().unwrap().push(sender);
        receiver
    }

    pub(super) fn emit(&self, event: NodeEvent) {
        let mut subscribers = self.subscribers.lock().unwrap();
        subscribers.retain(|subscriber| subscriber.send(event.clone()).is_ok());
    }
}
