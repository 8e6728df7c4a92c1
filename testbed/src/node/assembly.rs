//! LDK's parts, put together into a node.

use super::chain::Chain;
use super::event::EventHub;
use super::messages::Messages;
use super::stubs::Nothing;
use bitcoin::Network;
use bitcoin::secp256k1::PublicKey;
use lightning::chain::BestBlock;
use lightning::chain::chainmonitor::ChainMonitor;
use lightning::ln::channelmanager::{ChainParameters, ChannelManager};
use lightning::ln::peer_handler::{IgnoringMessageHandler, MessageHandler, PeerManager};
use lightning::sign::{InMemorySigner, KeysManager, NodeSigner, Recipient};
use lightning::util::config::UserConfig;
use lightning_net_tokio::SocketDescriptor;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub(super) type Monitor = ChainMonitor<
    InMemorySigner,
    Arc<Nothing>,
    Arc<Chain>,
    Arc<Nothing>,
    Arc<Nothing>,
    Arc<Nothing>,
    Arc<KeysManager>,
>;
pub(super) type Manager = ChannelManager<
    Arc<Monitor>,
    Arc<Chain>,
    Arc<KeysManager>,
    Arc<KeysManager>,
    Arc<KeysManager>,
    Arc<Nothing>,
    Arc<Nothing>,
    Arc<Nothing>,
    Arc<Nothing>,
>;
pub(super) type Peers = PeerManager<
    SocketDescriptor,
    Arc<Manager>,
    IgnoringMessageHandler,
    IgnoringMessageHandler,
    Arc<Nothing>,
    Arc<Messages>,
    Arc<KeysManager>,
    Arc<Monitor>,
>;

pub(super) struct Assembly {
    pub(super) id: PublicKey,
    pub(super) manager: Arc<Manager>,
    pub(super) monitor: Arc<Monitor>,
    pub(super) peers: Arc<Peers>,
    pub(super) messages: Arc<Messages>,
}

impl Assembly {
    /// A node with a key of its own. What it shows goes to `events`.
    pub(super) fn new(chain: Arc<Chain>, events: Arc<EventHub>) -> Assembly {
        let now = now();
        let keys = Arc::new(KeysManager::new(
            &crate::random(),
            now.as_secs(),
            now.subsec_nanos(),
            true,
        ));
        let monitor = assemble_monitor(&keys, chain.clone());
        let manager = assemble_manager(&keys, chain, monitor.clone());
        let messages = Arc::new(Messages::new(events));
        let handlers = MessageHandler {
            chan_handler: manager.clone(),
            // By value: behind an `Arc`, LDK's own implementation calls itself for ever.
            route_handler: IgnoringMessageHandler {},
            onion_message_handler: IgnoringMessageHandler {},
            custom_message_handler: messages.clone(),
            send_only_message_handler: monitor.clone(),
        };
        let peers = Arc::new(PeerManager::new(
            handlers,
            now.as_secs() as u32,
            &crate::random(),
            Arc::new(Nothing),
            keys.clone(),
        ));
        Assembly {
            id: keys
                .get_node_id(Recipient::Node)
                .expect("a node key is always there"),
            manager,
            monitor,
            peers,
            messages,
        }
    }
}

fn assemble_monitor(keys: &Arc<KeysManager>, chain: Arc<Chain>) -> Arc<Monitor> {
    let nothing = Arc::new(Nothing);
    Arc::new(ChainMonitor::new(
        None,
        chain,
        nothing.clone(),
        nothing.clone(),
        nothing,
        keys.clone(),
        keys.get_peer_storage_key(),
    ))
}

fn assemble_manager(
    keys: &Arc<KeysManager>,
    chain: Arc<Chain>,
    monitor: Arc<Monitor>,
) -> Arc<Manager> {
    let nothing = Arc::new(Nothing);
    let parameters = ChainParameters {
        network: Network::Regtest,
        best_block: BestBlock::from_network(Network::Regtest),
    };
    Arc::new(ChannelManager::new(
        nothing.clone(),
        monitor,
        chain,
        nothing.clone(),
        nothing.clone(),
        nothing,
        keys.clone(),
        keys.clone(),
        keys.clone(),
        config(),
        parameters,
        now().as_secs() as u32,
    ))
}

pub(super) fn config() -> UserConfig {
    let mut config = UserConfig {
        // Shows incoming channels as events instead of accepting them.
        manually_accept_inbound_channels: true,
        ..Default::default()
    };
    let handshake = &mut config.channel_handshake_config;
    handshake.max_inbound_htlc_value_in_flight_percent_of_channel = 100;
    handshake.negotiate_anchors_zero_fee_htlc_tx = true;
    // Announced or not, it is shown, and the wallet decides.
    config
        .channel_handshake_limits
        .force_announced_channel_preference = false;
    config
}

fn now() -> Duration {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("the clock is past 1970")
}
