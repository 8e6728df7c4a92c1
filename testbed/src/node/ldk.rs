//! A running Lightning node: its connections, its messages and its channels.

use super::assembly::{Assembly, Peers, config};
use super::chain::{Chain, block_after};
use super::event::{EventHub, NodeEvent};
use super::messages::CustomMessage;
use super::opening::{ACCEPTED_CHANNELS, Funding, OpenChannel, Opening, Openings};
use super::pump;
use bitcoin::Transaction;
use bitcoin::secp256k1::PublicKey;
use lightning::chain::Listen;
use lightning::ln::channel_state::ChannelDetails;
use lightning::ln::types::ChannelId;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::sync::mpsc::UnboundedReceiver;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A peer that has not noticed yet that the last connection ended turns the next one down.
const CONNECT_ATTEMPTS: usize = 5;
const CONNECT_PAUSE: Duration = Duration::from_millis(40);
/// Of two peers, one has seen the other's `init` an instant before the other.
pub(crate) const INIT_GRACE: Duration = Duration::from_secs(1);
/// BOLT-8 frames hold 65535 bytes, of which the type takes two.
const MAX_PAYLOAD: usize = 65533;

pub(crate) struct Lightning {
    pub(super) parts: Assembly,
    pub(super) openings: Openings,
    pub(super) events: Arc<EventHub>,
    address: SocketAddr,
    runtime: Handle,
    queue: Mutex<UnboundedReceiver<NodeEvent>>,
}

impl Lightning {
    /// Starts a node that listens on `ip`, at a port of the system's choice.
    pub(crate) async fn start(ip: IpAddr, chain: Arc<Chain>) -> io::Result<Arc<Lightning>> {
        let listener = TcpListener::bind((ip, 0)).await?;
        let events = Arc::new(EventHub::default());
        let node = Arc::new(Lightning {
            parts: Assembly::new(chain, events.clone()),
            openings: Openings::default(),
            queue: Mutex::new(events.subscribe()),
            events,
            address: listener.local_addr()?,
            runtime: Handle::current(),
        });
        tokio::spawn(listen(listener, node.parts.peers.clone()));
        tokio::spawn(pump::run(node.clone()));
        Ok(node)
    }

    pub(crate) fn id(&self) -> String {
        self.parts.id.to_string()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    pub(crate) fn uri(&self) -> String {
        format!("{}@{}", self.parts.id, self.address)
    }

    /// Every event from now on, beside the queue that `next_event` empties.
    pub(crate) fn subscribe(&self) -> UnboundedReceiver<NodeEvent> {
        self.events.subscribe()
    }

    pub(crate) async fn next_event(&self, timeout: Duration) -> Option<NodeEvent> {
        let next = async { self.queue.lock().await.recv().await };
        tokio::time::timeout(timeout, next).await.ok().flatten()
    }

    pub(crate) async fn connect(&self, node_id: &str, host: &str, port: u16) -> bool {
        let Ok(peer) = node_id.parse() else {
            return false;
        };
        let attempts = self.try_to_connect(peer, host, port);
        tokio::time::timeout(CONNECT_TIMEOUT, attempts)
            .await
            .unwrap_or(false)
    }

    async fn try_to_connect(&self, peer: PublicKey, host: &str, port: u16) -> bool {
        for _ in 0..CONNECT_ATTEMPTS {
            if self.is_connected_to(&peer) {
                return true;
            }
            let Some(address) = resolve(host, port).await else {
                return false;
            };
            let connection =
                lightning_net_tokio::connect_outbound(self.parts.peers.clone(), peer, address);
            // Done as soon as TCP stands: the handshake and `init` are still to come.
            let Some(connection) = connection.await else {
                return false;
            };
            tokio::select! {
                _ = self.connected_to(peer) => return true,
                _ = tokio::spawn(connection) => tokio::time::sleep(CONNECT_PAUSE).await,
            }
        }
        self.is_connected_to(&peer)
    }

    async fn connected_to(&self, peer: PublicKey) {
        let mut connected = self.parts.messages.connected();
        connected
            .wait_for(|peers| peers.contains(&peer))
            .await
            .expect("this node holds the sender");
    }

    /// Waits for the peer to be connected; false when time is over.
    pub(crate) async fn wait_for_peer(&self, node_id: &str, timeout: Duration) -> bool {
        let Ok(peer) = node_id.parse() else {
            return false;
        };
        tokio::time::timeout(timeout, self.connected_to(peer))
            .await
            .is_ok()
    }

    pub(crate) fn is_connected(&self, node_id: &str) -> bool {
        node_id
            .parse()
            .is_ok_and(|peer| self.is_connected_to(&peer))
    }

    fn is_connected_to(&self, peer: &PublicKey) -> bool {
        self.parts.messages.connected().borrow().contains(peer)
    }

    pub(crate) fn disconnect(&self, node_id: &str) {
        if let Ok(peer) = node_id.parse() {
            self.parts.peers.disconnect_by_node_id(peer);
        }
    }

    pub(crate) fn channel_ids(&self, node_id: &str) -> Vec<String> {
        let Ok(peer) = node_id.parse() else {
            return Vec::new();
        };
        let channels = self.parts.manager.list_channels_with_counterparty(&peer);
        let ids = channels
            .iter()
            .map(|channel| channel.channel_id.to_string());
        ids.collect()
    }

    /// Zero-conf channels wait for none.
    pub(crate) fn pending_channels(&self, node_id: &str) -> usize {
        let Ok(peer) = node_id.parse() else {
            return 0;
        };
        let channels = self.parts.manager.list_channels_with_counterparty(&peer);
        let is_pending = |channel: &ChannelDetails| {
            !channel.is_outbound
                && channel.confirmations_required != Some(0)
                && channel.confirmations.unwrap_or(0) == 0
        };
        channels
            .iter()
            .filter(|channel| is_pending(channel))
            .count()
    }

    pub(crate) fn send_message(&self, node_id: &str, message_type: u16, payload: Vec<u8>) -> bool {
        let Ok(peer) = node_id.parse() else {
            return false;
        };
        if payload.len() > MAX_PAYLOAD || !self.is_connected_to(&peer) {
            return false;
        }
        let message = CustomMessage {
            message_type,
            payload,
        };
        self.parts.messages.queue(peer, message);
        self.parts.peers.process_events();
        true
    }

    pub(crate) fn accept_channel(&self, peer_id: &str, channel_id: &str) -> Result<(), String> {
        let (peer, channel) = (parse_key(peer_id)?, parse_channel_id(channel_id)?);
        self.parts
            .manager
            .accept_inbound_channel(&channel, &peer, ACCEPTED_CHANNELS, None)
            .map_err(|error| format!("{error:?}"))
    }

    /// Accepts a channel that can be used as soon as it is funded.
    pub(crate) fn accept_zero_conf(&self, peer_id: &str, channel_id: &str) -> Result<(), String> {
        let (peer, channel) = (parse_key(peer_id)?, parse_channel_id(channel_id)?);
        self.parts
            .manager
            .accept_inbound_channel_from_trusted_peer_0conf(
                &channel,
                &peer,
                ACCEPTED_CHANNELS,
                None,
            )
            .map_err(|error| format!("{error:?}"))
    }

    /// Ends a channel of either direction, which LDK also means by turning a proposal down.
    pub(crate) fn close_channel(&self, peer_id: &str, channel_id: &str) -> Result<(), String> {
        let (peer, channel) = (parse_key(peer_id)?, parse_channel_id(channel_id)?);
        self.parts
            .manager
            .force_close_broadcasting_latest_txn(&channel, &peer, "not wanted".to_owned())
            .map_err(|error| format!("{error:?}"))
    }

    /// Opens a channel as soon as the peer is connected, which the peer may know a little earlier.
    pub(crate) async fn open_when_connected(
        &self,
        request: &OpenChannel,
        temporary_channel_id: Option<&str>,
    ) -> Result<Opening, String> {
        self.wait_for_peer(&request.peer_id, INIT_GRACE).await;
        self.open(request, temporary_channel_id, Funding::Send)
    }

    /// LDK chooses the temporary id where none is given.
    pub(crate) fn open(
        &self,
        request: &OpenChannel,
        temporary_channel_id: Option<&str>,
        funding: Funding,
    ) -> Result<Opening, String> {
        let temporary_channel_id = temporary_channel_id.map(parse_channel_id).transpose()?;
        let peer = parse_key(&request.peer_id)?;
        let mut config = config();
        config.channel_handshake_config.announce_for_forwarding = request.announced;
        let key = self.openings.begin(funding);
        let channel_id = self
            .parts
            .manager
            .create_channel(
                peer,
                request.capacity_sat,
                request.push_msat,
                key,
                temporary_channel_id,
                Some(config),
            )
            .map_err(|error| format!("{error:?}"))?;
        Ok(self.openings.opening(
            key,
            &request.peer_id,
            channel_id.to_string(),
            self.runtime.clone(),
        ))
    }

    pub(crate) fn connect_block(&self, transactions: Vec<Transaction>) {
        let tip = self.parts.manager.current_best_block();
        let block = block_after(&tip, transactions);
        Listen::block_connected(&*self.parts.manager, &block, tip.height + 1);
        Listen::block_connected(&*self.parts.monitor, &block, tip.height + 1);
    }
}

async fn listen(listener: TcpListener, peers: Arc<Peers>) {
    while let Ok((stream, _)) = listener.accept().await {
        if let Ok(stream) = stream.into_std() {
            tokio::spawn(lightning_net_tokio::setup_inbound(peers.clone(), stream));
        }
    }
}

async fn resolve(host: &str, port: u16) -> Option<SocketAddr> {
    tokio::net::lookup_host((host, port)).await.ok()?.next()
}

fn parse_key(node_id: &str) -> Result<PublicKey, String> {
    node_id
        .parse()
        .map_err(|_| format!("not a node id: {node_id}"))
}

fn parse_channel_id(channel_id: &str) -> Result<ChannelId, String> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(channel_id, &mut bytes)
        .map_err(|_| format!("not a channel id: {channel_id}"))?;
    Ok(ChannelId(bytes))
}
