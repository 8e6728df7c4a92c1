//! A wallet for the tests and the demo: a real LDK node, lent to the library as an app would.
//! Below it, `scene` sets up what most tests start from, `plain` is a node without Lightning,
//! `crowd` is for many requests at once, and `c` compiles what is not Rust.

pub mod c;
pub mod crowd;
pub mod plain;
pub mod scene;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use lnurl_channel::{
    ChannelClient, ChannelEvent, ChannelStage, ChannelVerdict, ClientConfig, IncomingChannel,
    LnurlChannelError, PeerAddress, WalletNode, WalletNodeError,
};
use lnurl_channel_testbed::{Node, NodeEvent, Testbed};
use tempfile::TempDir;

/// Longest wait for anything that the testbed does.
pub const LIMIT: Duration = Duration::from_secs(10);

/// A client, the node behind it, and the thread that reports what the node shows.
pub struct Wallet {
    pub client: Arc<ChannelClient>,
    pub node: Arc<LdkNode>,
    stop: Arc<AtomicBool>,
    pump: Option<JoinHandle<()>>,
}

impl Wallet {
    pub fn new(testbed: &Testbed, config: ClientConfig) -> Result<Self, LnurlChannelError> {
        let node = Arc::new(LdkNode {
            node: testbed.wallet(),
            seen: Watched::default(),
        });
        let client = Arc::new(ChannelClient::new(node.clone(), config)?);
        let stop = Arc::new(AtomicBool::new(false));
        let pump = Pump {
            node: testbed.wallet(),
            client: Arc::downgrade(&client),
            seen: node.clone(),
            stop: stop.clone(),
        };
        let pump = Some(std::thread::spawn(move || pump.run()));
        Ok(Self {
            client,
            node,
            stop,
            pump,
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

/// A configuration for the testbed's service.
pub fn config_for(testbed: &Testbed) -> ClientConfig {
    ClientConfig {
        network: lnurl_channel::BitcoinNetwork::Regtest,
        extra_root_certificates: Some(testbed.service().ca_pem()),
        allow_private_hosts: true,
        ..ClientConfig::default()
    }
}

/// What the wallet has seen so far, in order.
#[derive(Clone, Debug)]
pub enum Sight {
    Event(ChannelEvent),
    Judged(IncomingChannel, ChannelVerdict),
}

/// A list that grows, for others to wait on.
pub struct Watched<T> {
    items: Mutex<Vec<T>>,
    changed: Condvar,
}

impl<T> Default for Watched<T> {
    fn default() -> Self {
        Self {
            items: Mutex::default(),
            changed: Condvar::new(),
        }
    }
}

impl<T: Clone> Watched<T> {
    pub fn push(&self, item: T) {
        self.items.lock().unwrap().push(item);
        self.changed.notify_all();
    }

    pub fn all(&self) -> Vec<T> {
        self.items.lock().unwrap().clone()
    }

    /// Wait until `wanted` holds of the list; false after the limit.
    pub fn wait_until(&self, wanted: impl Fn(&[T]) -> bool) -> bool {
        let items = self.items.lock().unwrap();
        let waited = self
            .changed
            .wait_timeout_while(items, LIMIT, |items| !wanted(items));
        !waited.unwrap().1.timed_out()
    }
}

/// The wallet's node, as the library sees it.
pub struct LdkNode {
    node: Node,
    seen: Watched<(Instant, String, Sight)>,
}

impl LdkNode {
    fn saw(&self, request_id: String, sight: Sight) {
        self.seen.push((Instant::now(), request_id, sight));
    }

    /// All sights, with their times and requests.
    pub fn sights(&self) -> Vec<(Instant, String, Sight)> {
        self.seen.all()
    }

    pub fn events(&self, request_id: &str) -> Vec<ChannelEvent> {
        let sights = self
            .sights()
            .into_iter()
            .filter(|(_, id, _)| id == request_id);
        let events = sights.filter_map(|(_, _, sight)| match sight {
            Sight::Event(event) => Some(event),
            Sight::Judged(..) => None,
        });
        events.collect()
    }

    /// Wait until `wanted` holds of what was seen; false after the limit.
    pub fn wait_until(&self, wanted: impl Fn(&[(Instant, String, Sight)]) -> bool) -> bool {
        self.seen.wait_until(wanted)
    }
}

impl WalletNode for LdkNode {
    fn node_id(&self) -> Result<String, WalletNodeError> {
        Ok(self.node.id())
    }

    fn connect(&self, peer: PeerAddress) -> Result<bool, WalletNodeError> {
        Ok(self.node.connect(&peer.node_id, &peer.host, peer.port))
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

    fn on_channel_event(
        &self,
        request_id: String,
        event: ChannelEvent,
    ) -> Result<(), WalletNodeError> {
        self.saw(request_id, Sight::Event(event));
        Ok(())
    }
}

/// What an app does with its node's events: report, and follow the verdict.
struct Pump {
    node: Node,
    client: Weak<ChannelClient>,
    seen: Arc<LdkNode>,
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
            } => {
                let verdict = self.judge(
                    client,
                    IncomingChannel {
                        peer_id: peer_id.clone(),
                        channel_id: channel_id.clone(),
                        stage: ChannelStage::Proposed,
                        former_channel_id: None,
                        capacity_sat: Some(capacity_sat),
                        push_msat: Some(push_msat),
                        is_announced: Some(is_announced),
                    },
                );
                // The peer may have gone meanwhile; then there is nothing to answer.
                let _ = match verdict {
                    ChannelVerdict::Expected { .. } => {
                        self.node.accept_channel(&peer_id, &channel_id)
                    }
                    _ => self.node.reject_channel(&peer_id, &channel_id),
                };
            }
            NodeEvent::ChannelPending {
                peer_id,
                channel_id,
                former_channel_id,
            } => {
                self.judge(
                    client,
                    IncomingChannel {
                        peer_id,
                        channel_id,
                        stage: ChannelStage::Funded,
                        former_channel_id,
                        capacity_sat: None,
                        push_msat: None,
                        is_announced: None,
                    },
                );
            }
            NodeEvent::ChannelClosed {
                peer_id,
                channel_id,
                ..
            } => {
                client.report_channel_failed(peer_id, channel_id);
            }
            NodeEvent::PeerMessage {
                peer_id,
                message_type,
                payload,
            } => {
                client.report_peer_message(peer_id, message_type, payload);
            }
            NodeEvent::ChannelReady { .. } | NodeEvent::PeerDisconnected { .. } => {}
        }
    }

    fn judge(&self, client: &ChannelClient, channel: IncomingChannel) -> ChannelVerdict {
        let verdict = client.report_incoming_channel(channel.clone());
        let request_id = match &verdict {
            ChannelVerdict::Expected { request_id }
            | ChannelVerdict::Duplicate { request_id }
            | ChannelVerdict::WrongVisibility { request_id }
            | ChannelVerdict::Unwanted { request_id } => request_id.clone(),
            ChannelVerdict::Unrequested => String::new(),
        };
        self.seen
            .saw(request_id, Sight::Judged(channel, verdict.clone()));
        verdict
    }
}

/// A folder in memory, where the system has a place for it: for tests that write much, and lose
/// nothing but processes. A disk would be waited for at each fsync, and other tests with it.
pub fn folder_in_memory() -> TempDir {
    let in_memory = tempfile::tempdir_in("/dev/shm");
    in_memory.or_else(|_| tempfile::tempdir()).unwrap()
}

/// Run a future of the library to its end, as a wallet's own executor would.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime of the test's own")
        .block_on(future)
}
