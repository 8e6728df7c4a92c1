//! A wallet on ldk-node, as an app would write it. `bindings/kotlin/samples/LdkNodeWalletNode.kt` and
//! its Swift twin are the same in those languages, and tell what ldk-node can't do.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use ldk_node::lightning::ln::types::ChannelId;
use ldk_node::{Event, Node};
use lnurl_channel::{
    ChannelClient, ChannelEvent, ChannelStage, ChannelVerdict, IncomingChannel, PeerAddress,
    WalletNode, WalletNodeError,
};

pub struct LdkNodeWalletNode {
    node: Arc<Node>,
    /// Channels whose closing is no failed opening.
    ready: Mutex<HashSet<ChannelId>>,
}

impl LdkNodeWalletNode {
    pub fn new(node: Arc<Node>) -> Self {
        let channels = node.list_channels().into_iter();
        let ready = channels.filter(|channel| channel.is_channel_ready);
        let ready = Mutex::new(ready.map(|channel| channel.channel_id).collect());
        Self { node, ready }
    }

    /// For each event, before `event_handled`: one that is shown again does no harm.
    pub fn report(&self, client: &ChannelClient, event: &Event) -> Option<ChannelVerdict> {
        match event {
            Event::ChannelPending {
                channel_id,
                former_temporary_channel_id,
                ..
            } => self.pending(client, *channel_id, *former_temporary_channel_id),
            Event::ChannelReady { channel_id, .. } => {
                self.ready.lock().unwrap().insert(*channel_id);
                None
            }
            Event::ChannelClosed {
                channel_id,
                counterparty_node_id: Some(peer),
                ..
            } => {
                if !self.ready.lock().unwrap().remove(channel_id) {
                    client.report_channel_failed(peer.to_string(), channel_id.to_string());
                }
                None
            }
            _ => None,
        }
    }

    /// The event does not tell the amount, nor who opens.
    fn pending(
        &self,
        client: &ChannelClient,
        channel_id: ChannelId,
        former_id: ChannelId,
    ) -> Option<ChannelVerdict> {
        let mut channels = self.node.list_channels().into_iter();
        let channel = channels.find(|channel| channel.channel_id == channel_id)?;
        if channel.is_outbound {
            return None;
        }
        Some(client.report_incoming_channel(IncomingChannel {
            peer_id: channel.counterparty_node_id.to_string(),
            channel_id: channel_id.to_string(),
            stage: ChannelStage::Funded,
            former_channel_id: Some(former_id.to_string()),
            capacity_sat: Some(channel.channel_value_sats),
            push_msat: None,
            is_announced: Some(channel.is_announced),
        }))
    }
}

impl WalletNode for LdkNodeWalletNode {
    fn node_id(&self) -> Result<String, WalletNodeError> {
        Ok(self.node.node_id().to_string())
    }

    fn connect(&self, peer: PeerAddress) -> Result<bool, WalletNodeError> {
        let id = peer.node_id.parse().map_err(failed)?;
        let address = peer.socket_address().parse().map_err(failed)?;
        let node = self.node.clone();
        // A thread of its own: from within a tokio runtime, which this library calls from, ldk-node
        // would run the connection on that one and not on its own.
        let connecting = std::thread::spawn(move || node.connect(id, address, true));
        match connecting.join() {
            Ok(result) => result.map(|()| true).map_err(failed),
            Err(_) => Err(failed("it panicked")),
        }
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

    fn on_channel_event(
        &self,
        _request_id: String,
        _event: ChannelEvent,
    ) -> Result<(), WalletNodeError> {
        Ok(())
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
