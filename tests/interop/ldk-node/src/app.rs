//! The app around the node: it starts both, and handles the node's events.

use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ldk_node::bitcoin::Network;
use ldk_node::bitcoin::secp256k1::PublicKey;
use ldk_node::config::{AnchorChannelsConfig, Config};
use ldk_node::lightning::ln::msgs::SocketAddress;
use ldk_node::logger::{LogLevel, LogRecord, LogWriter};
use ldk_node::{Builder, Event, Node};
use lnurl_channel::{
    BitcoinNetwork, ChannelClient, ChannelRequest, ChannelVerdict, ClientConfig, decode_lnurl,
};
use lnurl_channel_interop::support::block_on;
use lnurl_channel_interop::support::listener::Listener;

use crate::chain;
use crate::wallet::{LdkNodeLog, LdkNodeReports, LdkNodeWalletNode};

const LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);
const REPORT: Duration = Duration::from_millis(500);

/// What an app decides of its node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// An alias and an address that it listens on, which ldk-node wants for announced channels.
    pub announces: bool,
    /// Peers that it takes zero-conf channels from, and keeps no reserve for.
    pub trusted: Vec<PublicKey>,
}

/// What the app has written down of ldk-node's log.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl LogWriter for Notes {
    fn log(&self, record: LogRecord) {
        if record.level >= LogLevel::Info {
            self.0.lock().unwrap().push(record.args.to_string());
        }
    }
}

/// An event, and the verdict where it was an incoming channel.
type Handled = (Event, Option<ChannelVerdict>);

pub struct App {
    pub node: Arc<Node>,
    pub client: Arc<ChannelClient>,
    pub listener: Arc<Listener>,
    notes: Arc<Notes>,
    handled: Arc<Mutex<Vec<Handled>>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl App {
    /// With all that it keeps in `folder`, and the chain that the row's script started.
    pub fn start(folder: &Path, settings: Settings, authority: String) -> Self {
        let storage = |name: &str| folder.join(name).to_string_lossy().into_owned();
        let notes = Arc::new(Notes::default());
        let log = Arc::new(LdkNodeLog::new(notes.clone()));
        let mut builder = Builder::from_config(Config {
            network: Network::Regtest,
            storage_dir_path: storage("node"),
            trusted_peers_0conf: settings.trusted.clone(),
            anchor_channels_config: Some(AnchorChannelsConfig {
                trusted_peers_no_reserve: settings.trusted,
                ..AnchorChannelsConfig::default()
            }),
            ..Config::default()
        });
        builder.set_custom_logger(log.clone());
        use_chain(&mut builder);
        if settings.announces {
            announce(&mut builder, "wallet", free_address());
        }
        let node = Arc::new(builder.build().expect("the node can be built"));
        let config = ClientConfig {
            network: BitcoinNetwork::Regtest,
            storage_dir: Some(storage("requests")),
            extra_root_certificates: Some(authority),
            allow_private_hosts: true,
            channel_timeout_seconds: 60,
            reconnect_seconds: 2,
            ..ClientConfig::default()
        };
        let listener = Arc::new(Listener::default());
        let wallet_node = Arc::new(LdkNodeWalletNode(node.clone()));
        let client = ChannelClient::new(Box::new(wallet_node), Box::new(listener.clone()), config);
        let client = Arc::new(client.expect("the configuration is good"));
        log.report_to(&client);
        let reports = Arc::new(LdkNodeReports::new(node.clone(), client.clone()));
        node.start().expect("the node starts");

        let handled: Arc<Mutex<Vec<Handled>>> = Arc::default();
        let stop = Arc::new(AtomicBool::new(false));
        let threads = vec![
            every(REPORT, &stop, {
                let reports = reports.clone();
                move || {
                    reports.report_connections();
                    reports.report_confirmations();
                }
            }),
            every(POLL, &stop, {
                let (node, handled) = (node.clone(), handled.clone());
                move || {
                    while let Some(event) = node.next_event() {
                        let verdict = reports.report(&event);
                        node.event_handled().expect("the event queue is stored");
                        handled.lock().unwrap().push((event, verdict));
                    }
                }
            }),
        ];
        Self {
            node,
            client,
            listener,
            notes,
            handled,
            stop,
            threads,
        }
    }

    /// As an app that ends: the storage folder can be used again afterwards.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("the app's threads end");
        }
        block_on(self.client.shutdown());
        self.node.stop().expect("the node stops");
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

    /// What ldk-node has logged so far.
    pub fn log(&self) -> Vec<String> {
        self.notes.0.lock().unwrap().clone()
    }

    pub fn has_logged(&self, words: &str) -> bool {
        self.log().iter().any(|line| line.contains(words))
    }

    /// The events that were handled.
    pub fn events(&self) -> Vec<Event> {
        let handled = self.handled.lock().unwrap();
        handled.iter().map(|(event, _)| event.clone()).collect()
    }

    pub fn verdicts(&self) -> Vec<ChannelVerdict> {
        let handled = self.handled.lock().unwrap();
        handled
            .iter()
            .filter_map(|(_, made)| made.clone())
            .collect()
    }
}

pub fn use_chain(builder: &mut Builder) {
    let login = "interop".to_owned();
    builder.set_chain_source_bitcoind_rpc(
        "127.0.0.1".into(),
        chain::rpc_port(),
        login.clone(),
        login,
    );
}

pub fn announce(builder: &mut Builder, alias: &str, address: SocketAddress) {
    assert!(builder.set_node_alias(alias.to_owned()).is_ok());
    assert!(builder.set_listening_addresses(vec![address]).is_ok());
}

/// An address of this machine that nobody listens on.
pub fn free_address() -> SocketAddress {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a port");
    listener.local_addr().expect("it is bound").into()
}

/// Do something again and again until told to stop.
pub fn every(
    pause: Duration,
    stop: &Arc<AtomicBool>,
    act: impl Fn() + Send + 'static,
) -> JoinHandle<()> {
    let stop = stop.clone();
    std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            act();
            std::thread::sleep(pause);
        }
    })
}

/// Look again until something is there that nobody tells of.
pub fn wait_for<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < LIMIT, "not in time: {what}");
        std::thread::sleep(POLL);
    }
}
