//! A wallet on ldk-node, as an app would write it. `bindings/kotlin/samples/LdkNode*.kt` and their Swift
//! twins are the same in those languages, and tell what ldk-node can't do.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::{Duration, Instant};

use ldk_node::bitcoin::secp256k1::PublicKey;
use ldk_node::lightning::ln::types::ChannelId;
use ldk_node::logger::{LogLevel, LogRecord, LogWriter};
use ldk_node::{ChannelDetails, Event, Node};
use lnurl_channel::{
    ChannelClient, ChannelStage, ChannelVerdict, IncomingChannel, NodeReadiness, PeerAddress,
    WalletNode, WalletNodeError,
};

/// How many channels of one peer LDK lets wait for their first block.
const MAX_PENDING_CHANNELS: u32 = 4;
/// BOLT-7: a channel is announced after so many blocks. LDK's own figure may be smaller.
const ANNOUNCED_AFTER: u32 = 6;

/// How long a channel may have all its blocks before its peer is connected anew.
const STUCK_AFTER: Duration = Duration::from_secs(10);
const KEY_DIGITS: usize = 66;

pub struct LdkNodeWalletNode(pub Arc<Node>);

impl LdkNodeWalletNode {
    fn channels(&self, peer: PublicKey) -> Vec<ChannelDetails> {
        let channels = self.0.list_channels().into_iter();
        channels
            .filter(|channel| channel.counterparty_node_id == peer)
            .collect()
    }
}

impl WalletNode for LdkNodeWalletNode {
    fn node_id(&self) -> Result<String, WalletNodeError> {
        Ok(self.0.node_id().to_string())
    }

    fn readiness(&self, peer: PeerAddress) -> Result<NodeReadiness, WalletNodeError> {
        let id = peer.node_id.parse().map_err(failed)?;
        let channels = self.channels(id);
        let config = self.0.config();
        let anchors = config.anchor_channels_config.as_ref();
        let is_trusted = anchors.is_none_or(|it| it.trusted_peers_no_reserve.contains(&id));
        let addresses = config.listening_addresses.as_deref().unwrap_or_default();
        let announces = config.node_alias.is_some() && !addresses.is_empty();
        let pending = channels
            .iter()
            .filter(|channel| is_pending(channel))
            .count();
        Ok(NodeReadiness {
            channel_ids: channels.iter().map(|c| c.channel_id.to_string()).collect(),
            onchain_sat: Some(self.0.list_balances().spendable_onchain_balance_sats),
            anchor_reserve_sat: match anchors {
                Some(anchors) if !is_trusted => Some(anchors.per_channel_reserve_sats),
                _ => Some(0),
            },
            accepts_announced: Some(announces),
            accepts_unannounced: Some(true),
            accepts_zero_conf: Some(config.trusted_peers_0conf.contains(&id)),
            pending_channels: u32::try_from(pending).ok(),
            max_pending_channels: Some(MAX_PENDING_CHANNELS),
            reaches_onion: Some(false),
            has_custom_messages: Some(false),
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
        if is_remembered || !self.channels(id).is_empty() {
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
    /// The channels that the node has shown, of earlier runs too.
    shown: Mutex<HashSet<ChannelId>>,
    /// Since when channels have all their blocks.
    confirmed: Mutex<HashMap<ChannelId, Instant>>,
}

impl LdkNodeReports {
    pub fn new(node: Arc<Node>, client: Arc<ChannelClient>) -> Self {
        let channels = node.list_channels().into_iter();
        let shown = Mutex::new(channels.map(|channel| channel.channel_id).collect());
        Self {
            node,
            client,
            connected: Mutex::default(),
            shown,
            confirmed: Mutex::default(),
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
                // One that failed before it was pending is known to nobody by its id.
                let was_shown = self.shown.lock().unwrap().contains(channel_id);
                self.client.report_channel_closed(
                    peer.to_string(),
                    was_shown.then(|| channel_id.to_string()),
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

    /// Every few seconds: how far the channels are that cannot be used yet.
    pub fn report_confirmations(&self) {
        let channels = self.node.list_channels().into_iter();
        for channel in channels.filter(|c| !c.is_outbound && !c.is_channel_ready) {
            // The event comes first: it alone tells the former id.
            if self.shown.lock().unwrap().contains(&channel.channel_id) {
                self.report_details(&channel, ChannelStage::Funded, None);
                self.mend(&channel);
            }
        }
    }

    /// An LND that was connected anew before its channel was confirmed sends `channel_ready` alone, and
    /// LDK waits for `channel_reestablish` first (lightningnetwork/lnd#4006). A new connection, which
    /// `await_ready` makes, has both.
    fn mend(&self, channel: &ChannelDetails) {
        let required = channel.confirmations_required;
        if required.is_none() || channel.confirmations < required {
            return;
        }
        let mut confirmed = self.confirmed.lock().unwrap();
        let since = confirmed
            .entry(channel.channel_id)
            .or_insert_with(Instant::now);
        if since.elapsed() >= STUCK_AFTER {
            *since = Instant::now();
            // It forgets the peer, which is remembered again with the channel's next stage.
            let _ = self.node.disconnect(channel.counterparty_node_id);
        }
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
        Some(self.report_details(&channel, stage, former_id))
    }

    fn report_details(
        &self,
        channel: &ChannelDetails,
        stage: ChannelStage,
        former_id: Option<ChannelId>,
    ) -> ChannelVerdict {
        self.shown.lock().unwrap().insert(channel.channel_id);
        let verdict = self.client.report_incoming_channel(IncomingChannel {
            peer_id: channel.counterparty_node_id.to_string(),
            stage,
            channel_id: Some(channel.channel_id.to_string()),
            former_channel_id: former_id.map(|id| id.to_string()),
            capacity_sat: Some(channel.channel_value_sats),
            push_msat: None,
            is_announced: Some(channel.is_announced),
            is_zero_conf: is_zero_conf(channel, stage),
            confirmations: channel.confirmations,
            confirmations_required: confirmations_required(channel),
        });
        if matches!(verdict, ChannelVerdict::Expected { .. }) {
            self.remember(channel.counterparty_node_id);
        }
        verdict
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

/// Reports why ldk-node turned a channel down, which it tells its log only: a logger for the node, and
/// what it hears goes on to the app's own.
pub struct LdkNodeLog {
    client: OnceLock<Weak<ChannelClient>>,
    next: Arc<dyn LogWriter>,
}

impl LdkNodeLog {
    pub fn new(next: Arc<dyn LogWriter>) -> Self {
        Self {
            client: OnceLock::new(),
            next,
        }
    }

    /// The logger is there before the node, and the client after it.
    pub fn report_to(&self, client: &Arc<ChannelClient>) {
        let _ = self.client.set(Arc::downgrade(client));
    }
}

impl LogWriter for LdkNodeLog {
    fn log(&self, record: LogRecord) {
        if record.level == LogLevel::Error
            && let Some(client) = self.client.get().and_then(Weak::upgrade)
            && let Some((peer, reason)) = turned_down(&record.args.to_string())
        {
            client.report_channel_closed(peer, None, reason);
        }
        self.next.log(record);
    }
}

/// The peer whose channel ldk-node turned down, and why. Its wording may change with any version: a
/// sentence of another form tells no reason, and one that names no peer nothing at all.
fn turned_down(line: &str) -> Option<(String, Option<String>)> {
    let of_channel = line.contains("inbound") && line.contains("channel");
    let (peer, after) = find_key(line).filter(|_| of_channel)?;
    let known = [" due to ", ": "].into_iter();
    let reasons = known.filter_map(|begin| after.split_once(begin));
    let reason = reasons.min_by_key(|(before, _)| before.len());
    Some((peer.to_owned(), reason.map(|(_, reason)| reason.to_owned())))
}

/// The first key in a text, and what follows it. ldk-node 0.7.1 writes one onto the word before.
fn find_key(line: &str) -> Option<(&str, &str)> {
    let mut starts = line.match_indices("0").map(|(start, _)| start);
    starts.find_map(|start| {
        let key = line.get(start..start + KEY_DIGITS)?;
        key.parse::<PublicKey>().ok()?;
        Some((key, &line[start + KEY_DIGITS..]))
    })
}

/// As LDK counts them: it waits for no block, or for the first of them.
fn is_pending(channel: &ChannelDetails) -> bool {
    !channel.is_outbound
        && channel.confirmations_required != Some(0)
        && channel.confirmations.unwrap_or(0) == 0
}

/// Where the node wants no block, the peer may want one all the same.
fn is_zero_conf(channel: &ChannelDetails, stage: ChannelStage) -> Option<bool> {
    let is_ready = stage == ChannelStage::Ready && channel.confirmations.unwrap_or(0) == 0;
    match channel.confirmations_required? {
        0 => is_ready.then_some(true),
        _ => Some(false),
    }
}

fn confirmations_required(channel: &ChannelDetails) -> Option<u32> {
    let told = channel.confirmations_required?;
    // A zero-conf channel can be used before it is announced.
    let least = if channel.is_announced && told > 0 {
        ANNOUNCED_AFTER
    } else {
        0
    };
    Some(told.max(least))
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

#[cfg(test)]
mod tests {
    use super::turned_down;

    const PEER: &str = "02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619";

    #[test]
    fn ldk_nodes_reason_is_what_follows_the_peer() {
        let told = |line: &str| turned_down(&line.replace("PEER", PEER));
        let turned_down = |reason: &str| Some((PEER.to_owned(), Some(reason.to_owned())));
        assert_eq!(
            told("Rejecting inbound Anchor channel from peer PEER due to this. Available: 0/9sats"),
            turned_down("this. Available: 0/9sats")
        );
        assert_eq!(
            told("Error while accepting inbound Anchor channel fromPEER peer : why: so"),
            turned_down("why: so")
        );
        assert_eq!(
            told("No inbound channel for PEER today"),
            Some((PEER.to_owned(), None))
        );
        assert_eq!(told("Failed to send to PEER: it is gone"), None);
        assert_eq!(told("Rejecting inbound channel due to nothing"), None);
    }
}
