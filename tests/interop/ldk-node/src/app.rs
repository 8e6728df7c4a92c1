//! The app around the node: it starts both, and handles the node's events.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ldk_node::bitcoin::Network;
use ldk_node::{Builder, Event, Node};
use lnurl_channel::{
    BitcoinNetwork, ChannelClient, ChannelRequest, ChannelVerdict, ClientConfig, decode_lnurl,
};
use lnurl_channel_interop::support::block_on;
use lnurl_channel_interop::support::listener::Listener;

use crate::wallet::{LdkNodeReports, LdkNodeWalletNode};

const LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(500);

/// An event, and the verdict where it was an incoming channel.
type Handled = (Event, Option<ChannelVerdict>);

pub struct App {
    log: PathBuf,
    pub node: Arc<Node>,
    pub client: Arc<ChannelClient>,
    handled: Arc<Mutex<Vec<Handled>>>,
}

impl App {
    /// With all that it keeps in `folder`, and the chain that `lnd-network` started.
    pub fn start(folder: &Path, rpc_port: u16, authority: String) -> Self {
        let mut builder = Builder::new();
        let storage = |name: &str| folder.join(name).to_string_lossy().into_owned();
        builder.set_network(Network::Regtest);
        builder.set_storage_dir_path(storage("node"));
        let login = "interop".to_owned();
        builder.set_chain_source_bitcoind_rpc("127.0.0.1".into(), rpc_port, login.clone(), login);
        let node = Arc::new(builder.build().expect("the node can be built"));
        let wallet_node = Arc::new(LdkNodeWalletNode(node.clone()));
        let config = ClientConfig {
            network: BitcoinNetwork::Regtest,
            storage_dir: Some(storage("requests")),
            extra_root_certificates: Some(authority),
            allow_private_hosts: true,
            channel_timeout_seconds: 60,
            ..ClientConfig::default()
        };
        let listener = Arc::new(Listener::default());
        let client = ChannelClient::new(Box::new(wallet_node), Box::new(listener), config);
        let client = Arc::new(client.expect("the configuration is good"));
        let reports = Arc::new(LdkNodeReports::new(node.clone(), client.clone()));
        node.start().expect("the node starts");

        let handled: Arc<Mutex<Vec<Handled>>> = Arc::default();
        let connections = reports.clone();
        std::thread::spawn(move || {
            loop {
                connections.report_connections();
                std::thread::sleep(POLL);
            }
        });
        let (events, seen) = (node.clone(), handled.clone());
        std::thread::spawn(move || {
            loop {
                let event = events.wait_next_event();
                let verdict = reports.report(&event);
                events.event_handled().expect("the event queue is stored");
                seen.lock().unwrap().push((event, verdict));
            }
        });
        Self {
            log: folder.join("node/ldk_node.log"),
            node,
            client,
            handled,
        }
    }

    pub fn fetch(&self, lnurl: &str) -> Arc<ChannelRequest> {
        let lnurl = decode_lnurl(lnurl.to_owned()).expect("an LNURL");
        block_on(self.client.fetch(lnurl)).expect("an offer")
    }

    /// What `wanted` finds among the events that were handled, once it is there.
    pub fn event<T>(&self, what: &str, wanted: impl Fn(&Event) -> Option<T>) -> T {
        let find = |handled: &Handled| wanted(&handled.0);
        wait_for(what, || self.handled.lock().unwrap().iter().find_map(find))
    }

    /// ldk-node tells only its log why it turned a channel down.
    pub fn has_logged(&self, words: &str) -> bool {
        let log = std::fs::read_to_string(&self.log).expect("ldk-node has a log");
        log.contains(words)
    }

    pub fn verdicts(&self) -> Vec<ChannelVerdict> {
        let handled = self.handled.lock().unwrap();
        handled
            .iter()
            .filter_map(|(_, made)| made.clone())
            .collect()
    }
}

/// Look again until something is there that nobody tells of.
pub fn wait_for<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < LIMIT, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
