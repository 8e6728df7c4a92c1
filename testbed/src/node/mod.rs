//! Real Lightning nodes.

mod assembly;
mod chain;
mod event;
mod ldk;
mod messages;
mod opening;
mod pump;
mod stubs;

pub use event::NodeEvent;
pub use opening::{OpenChannel, Opening};

pub(crate) use chain::Chain;
pub(crate) use ldk::{INIT_GRACE, Lightning};
pub(crate) use opening::Funding;

use crate::blocking;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A Lightning node of the testbed. Clones are the same node.
///
/// Methods may block, and may be called from any thread.
#[derive(Clone)]
pub struct Node(pub(crate) Arc<Lightning>);

impl Node {
    /// Public key, 66 lower-case hex digits.
    pub fn id(&self) -> String {
        self.0.id()
    }

    /// Where the node listens.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// `node_id@host:port`.
    pub fn uri(&self) -> String {
        self.0.uri()
    }

    /// Connects to a peer; true once `init` is exchanged. Already connected counts.
    ///
    /// False on failure, and after ten seconds.
    pub fn connect(&self, node_id: &str, host: &str, port: u16) -> bool {
        let (node, node_id, host) = (self.0.clone(), node_id.to_owned(), host.to_owned());
        blocking::run(self.0.runtime(), async move {
            node.connect(&node_id, &host, port).await
        })
        .unwrap_or(false)
    }

    /// Whether `init` was exchanged with this peer, and the connection stands.
    pub fn is_connected(&self, node_id: &str) -> bool {
        self.0.is_connected(node_id)
    }

    /// Ends the connection to a peer, if there is one.
    pub fn disconnect(&self, node_id: &str) {
        self.0.disconnect(node_id);
    }

    /// The ids of all channels with this peer, pending ones too. A channel that is not funded yet has
    /// a temporary id.
    pub fn channel_ids(&self, node_id: &str) -> Vec<String> {
        self.0.channel_ids(node_id)
    }

    /// How many channels of this peer wait for their first block, of the few that LDK lets wait.
    pub fn pending_channels(&self, node_id: &str) -> usize {
        self.0.pending_channels(node_id)
    }

    /// Sends a message of any type; true once it is handed to the connection.
    ///
    /// False if `init` has not been exchanged from where this node stands.
    pub fn send_message(&self, node_id: &str, message_type: u16, payload: Vec<u8>) -> bool {
        self.0.send_message(node_id, message_type, payload)
    }

    /// The oldest event that nobody has taken, or none when time is over.
    pub fn next_event(&self, timeout: Duration) -> Option<NodeEvent> {
        let node = self.0.clone();
        blocking::run(
            self.0.runtime(),
            async move { node.next_event(timeout).await },
        )
        .flatten()
    }

    /// Accepts a channel that a peer proposes.
    pub fn accept_channel(&self, peer_id: &str, temporary_channel_id: &str) -> Result<(), String> {
        self.0.accept_channel(peer_id, temporary_channel_id)
    }

    /// Accepts a channel that a trusted peer proposes: it is ready without a block. LDK holds no
    /// more than 50 peers with channels that wait for one.
    pub fn accept_zero_conf(
        &self,
        peer_id: &str,
        temporary_channel_id: &str,
    ) -> Result<(), String> {
        self.0.accept_zero_conf(peer_id, temporary_channel_id)
    }

    /// Turns down a channel that a peer proposes. No `ChannelClosed` follows.
    ///
    /// A peer on LDK, such as the target, takes a refusal for one of anchors: it proposes the
    /// channel once more without them, under the same id.
    pub fn reject_channel(&self, peer_id: &str, temporary_channel_id: &str) -> Result<(), String> {
        self.0.close_channel(peer_id, temporary_channel_id)
    }

    /// Proposes a channel to a connected peer, and funds it when the peer accepts.
    ///
    /// Waits a second for the connection, where only the peer has seen it stand yet.
    pub fn open_channel(&self, channel: OpenChannel) -> Result<Opening, String> {
        self.open(channel, None)
    }

    /// As `open_channel`, under a temporary id of the caller's choice, such as one that was used before.
    pub fn open_channel_as(
        &self,
        channel: OpenChannel,
        temporary_channel_id: &str,
    ) -> Result<Opening, String> {
        self.open(channel, Some(temporary_channel_id.to_owned()))
    }

    fn open(
        &self,
        channel: OpenChannel,
        temporary_channel_id: Option<String>,
    ) -> Result<Opening, String> {
        let node = self.0.clone();
        blocking::run(self.0.runtime(), async move {
            let id = temporary_channel_id.as_deref();
            node.open_when_connected(&channel, id).await
        })
        .unwrap_or_else(|| Err("the testbed has stopped".to_owned()))
    }
}
