//! A wallet on a real LDK node, as an app would write it.
//!
//! It lends its node to the library ([`LdkNode`]), and a thread of its own tells the library what the
//! node shows ([`Pump`]).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use lnurl_channel::{
    ChannelClient, ChannelListener, ChannelStage, ChannelVerdict, ClientConfig, IncomingChannel,
    LnurlChannelError, NodeReadiness, PeerAddress, WalletNode, WalletNodeError,
};
use lnurl_channel_testbed::{Node, NodeEvent};

use super::Watched;

/// How many channels of one peer LDK lets wait for their first block.
const MAX_PENDING_CHANNELS: u32 = 4;

/// A client, and the thread that reports to it.
pub struct Wallet {
    pub client: Arc<ChannelClient>,
    /// What the client made of each channel that the node showed, in order.
    pub verdicts: Arc<Watched<(IncomingChannel, ChannelVerdict)>>,
    stop: Arc<AtomicBool>,
    pump: Option<JoinHandle<()>>,
}

impl Wallet {
    pub fn new(
        node: Node,
        listener: Arc<dyn ChannelListener>,
        config: ClientConfig,
    ) -> Result<Self, LnurlChannelError> {
        Self::trusting(Vec::new(), node, listener, config)
    }

    /// Which takes channels of these peers without a block.
    pub fn trusting(
        trusted: Vec<String>,
        node: Node,
        listener: Arc<dyn ChannelListener>,
        config: ClientConfig,
    ) -> Result<Self, LnurlChannelError> {
        let lent = Arc::new(LdkNode {
            node: node.clone(),
            trusted: trusted.clone(),
        });
        let client = Arc::new(ChannelClient::new(
            Box::new(lent),
            Box::new(listener),
            config,
        )?);
        let verdicts = Arc::default();
        let stop = Arc::new(AtomicBool::new(false));
        let pump = Pump {
            node,
            trusted,
            client: Arc::downgrade(&client),
            verdicts: Arc::clone(&verdicts),
            stop: stop.clone(),
        };
        Ok(Self {
            client,
            verdicts,
            stop,
            pump: Some(std::thread::spawn(move || pump.run())),
        })
    }
}

impl Drop for Wallet {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(pump) = self.pump.take() {
            let _ = pump.join();
        }
    }
}

/// The wallet's node, as the library needs it.
struct LdkNode {
    node: Node,
    trusted: Vec<String>,
}

impl WalletNode for LdkNode {
    fn node_id(&self) -> Result<String, WalletNodeError> {
        Ok(self.node.id())
    }

    fn readiness(&self, peer: PeerAddress) -> Result<NodeReadiness, WalletNodeError> {
        let pending = self.node.pending_channels(&peer.node_id);
        Ok(NodeReadiness {
            channel_ids: self.node.channel_ids(&peer.node_id),
            // The testbed's node has no wallet on chain, and keeps nothing for a channel.
            onchain_sat: None,
            anchor_reserve_sat: Some(0),
            accepts_announced: Some(true),
            accepts_unannounced: Some(true),
            accepts_zero_conf: Some(self.trusted.contains(&peer.node_id)),
            pending_channels: u32::try_from(pending).ok(),
            max_pending_channels: Some(MAX_PENDING_CHANNELS),
            reaches_onion: Some(false),
            has_custom_messages: Some(true),
        })
    }

    fn connect(&self, peer: PeerAddress) -> Result<bool, WalletNodeError> {
        Ok(self.node.connect(&peer.node_id, &peer.host, peer.port))
    }

    fn release_peer(&self, peer: PeerAddress) -> Result<(), WalletNodeError> {
        if self.node.channel_ids(&peer.node_id).is_empty() {
            self.node.disconnect(&peer.node_id);
        }
        Ok(())
    }

    fn send_peer_message(
        &self,
        peer_id: String,
        message_type: u16,
        payload: Vec<u8>,
    ) -> Result<bool, WalletNodeError> {
        Ok(self.node.send_message(&peer_id, message_type, payload))
    }

    fn refund_script_pubkey(&self, _request_id: String) -> Result<Vec<u8>, WalletNodeError> {
        // P2WPKH: version 0, then a push of 20 bytes.
        Ok([&[0x00, 0x14][..], &[0x11; 20]].concat())
    }
}

/// Tells the client what the node shows, and follows its verdicts.
struct Pump {
    node: Node,
    trusted: Vec<String>,
    client: Weak<ChannelClient>,
    verdicts: Arc<Watched<(IncomingChannel, ChannelVerdict)>>,
    stop: Arc<AtomicBool>,
}

impl Pump {
    fn run(self) {
        while !self.stop.load(Ordering::Relaxed) {
            let Some(event) = self.node.next_event(Duration::from_millis(20)) else {
                continue;
            };
            let Some(client) = self.client.upgrade() else {
                return;
            };
            self.report(&client, event);
        }
    }

    fn report(&self, client: &ChannelClient, event: NodeEvent) {
        match event {
            NodeEvent::OpenChannelRequest {
                peer_id,
                channel_id,
                capacity_sat,
                push_msat,
                is_announced,
                is_zero_conf,
            } => {
                let proposal = IncomingChannel {
                    capacity_sat: Some(capacity_sat),
                    push_msat: Some(push_msat),
                    is_announced: Some(is_announced),
                    // Where the type leaves it open, the two nodes decide later.
                    is_zero_conf: is_zero_conf.then_some(true),
                    ..channel(&peer_id, ChannelStage::Proposed, &channel_id)
                };
                let verdict = self.report_channel(client, proposal);
                let answered = match verdict {
                    ChannelVerdict::Expected { .. } if self.trusted.contains(&peer_id) => {
                        self.node.accept_zero_conf(&peer_id, &channel_id)
                    }
                    ChannelVerdict::Expected { .. } => {
                        self.node.accept_channel(&peer_id, &channel_id)
                    }
                    // The peer may have gone meanwhile; then there is nothing to answer.
                    _ => return drop(self.node.reject_channel(&peer_id, &channel_id)),
                };
                if let Err(reason) = answered {
                    client.report_channel_closed(peer_id, Some(channel_id), Some(reason));
                }
            }
            NodeEvent::ChannelPending {
                peer_id,
                channel_id,
                former_channel_id,
            } => {
                let funded = IncomingChannel {
                    former_channel_id,
                    ..channel(&peer_id, ChannelStage::Funded, &channel_id)
                };
                self.report_channel(client, funded);
            }
            NodeEvent::ChannelReady {
                peer_id,
                channel_id,
            } => {
                self.report_channel(client, channel(&peer_id, ChannelStage::Ready, &channel_id));
            }
            NodeEvent::ChannelClosed {
                peer_id,
                channel_id,
                reason,
            } => client.report_channel_closed(peer_id, Some(channel_id), Some(reason)),
            NodeEvent::PeerMessage {
                peer_id,
                message_type,
                payload,
            } => {
                client.report_peer_message(peer_id, message_type, payload);
            }
            NodeEvent::PeerConnected { peer_id } => client.report_peer_connection(peer_id, true),
            NodeEvent::PeerDisconnected { peer_id } => {
                client.report_peer_connection(peer_id, false);
            }
        }
    }

    fn report_channel(&self, client: &ChannelClient, channel: IncomingChannel) -> ChannelVerdict {
        let verdict = client.report_incoming_channel(channel.clone());
        self.verdicts.push((channel, verdict.clone()));
        verdict
    }
}

/// A channel of which only this is known.
pub fn channel(peer_id: &str, stage: ChannelStage, channel_id: &str) -> IncomingChannel {
    IncomingChannel {
        peer_id: peer_id.to_owned(),
        stage,
        channel_id: Some(channel_id.to_owned()),
        former_channel_id: None,
        capacity_sat: None,
        push_msat: None,
        is_announced: None,
        is_zero_conf: None,
        confirmations: None,
        confirmations_required: None,
    }
}
