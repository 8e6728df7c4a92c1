//! A thousand requests at once against the testbed: its service, and a Lightning node for each of
//! them, since a channel belongs to a request by its peer alone. Each offer has a habit of its own;
//! where the habit is to open, the channel is opened and funded.

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use lnurl_channel::{
    ChannelClient, ChannelConcern, ChannelOutcome, ChannelRequest, ChannelRequestState,
    ChannelStage, ChannelVerdict, ChannelVisibility, ClientConfig, IncomingChannel,
    LnurlChannelError, NodeReadiness, PeerAddress, WalletNode, WalletNodeError, decode_lnurl,
};
use lnurl_channel_testbed::{
    Habit, Node, NodeEvent, OfferOptions, RequestKind, ServiceOffer, Testbed,
};
use support::crowd::{Random, all, memory};
use support::listener::Listener;
use support::plain::{Gate, expected};
use support::scene::{CallResult, state, wait_within};
use support::wallet::channel;
use support::{block_on, config_for, folder_in_memory};
use tempfile::TempDir;

const REQUESTS: usize = 1000;
const SEED: u64 = 0x1c4a_77e1;
/// Most of it is a thousand handshakes, and 25 seconds of silence; the rest is for busy machines.
const TIME_LIMIT: Duration = Duration::from_secs(240);
/// All are connected and asked long before the first gives up.
const CHANNEL_TIMEOUT_SECONDS: u32 = 25;
/// With the requests' nodes, and the service.
const MAX_KIB_PER_REQUEST: u64 = 1024;

// ---- what goes wrong, and what is to become of it ----

const HABITS: [Option<Habit>; 13] = [
    None,
    Some(Habit::OpensBeforeAnswer),
    Some(Habit::AnswersAfterNegotiation),
    Some(Habit::Redirects),
    Some(Habit::OkAndNeverOpens),
    Some(Habit::OkAfterFailedOpen),
    Some(Habit::OpensAnnounced),
    Some(Habit::ErrorAnswer),
    Some(Habit::ErrorWithHttpStatus),
    Some(Habit::ErrorAsDetail),
    Some(Habit::HtmlFromGateway),
    Some(Habit::SilentCallback),
    Some(Habit::ResetAfterRequest),
];

/// The state that a request ends in.
fn end(habit: Option<Habit>) -> ChannelRequestState {
    use ChannelRequestState::{Arrived, Awaiting, OutcomeUnknown, Refused};
    match habit {
        None | Some(Habit::OpensBeforeAnswer) => Arrived,
        Some(Habit::AnswersAfterNegotiation | Habit::Redirects) => Arrived,
        // The last one's channel is not what was asked for, and turned down.
        Some(Habit::OkAndNeverOpens | Habit::OkAfterFailedOpen | Habit::OpensAnnounced) => Awaiting,
        Some(Habit::ErrorAnswer | Habit::ErrorWithHttpStatus) => Refused,
        // Answers that are neither yes nor no, and none at all.
        _ => OutcomeUnknown,
    }
}

fn check_result(habit: Option<Habit>, request: &ChannelRequest, result: &CallResult) {
    use LnurlChannelError::{NoChannel, Refused};
    let is_right = match (end(habit), result) {
        (ChannelRequestState::Arrived, Ok(ChannelOutcome::Funded { channel })) => {
            channel.peer_id == request.snapshot().offer.peer.node_id
        }
        (ChannelRequestState::Awaiting, Err(NoChannel { concerns, .. })) => {
            !concerns.contains(&ChannelConcern::PeerNotConnected)
        }
        (ChannelRequestState::OutcomeUnknown, Err(NoChannel { concerns, .. })) => {
            matches!(concerns.as_slice(), [ChannelConcern::AnswerUnclear { .. }])
        }
        (ChannelRequestState::Refused, Err(Refused { words })) => {
            let expected = [
                "the service has no channels left",
                "the service is out of order",
            ];
            words
                .as_deref()
                .is_some_and(|words| expected.contains(&words))
        }
        _ => false,
    };
    assert!(is_right, "{habit:?} led to {result:?}");
    assert_eq!(state(request), end(habit), "{habit:?}");
}

// ---- the wallet ----

/// The testbed's wallet node, which lets nobody on until all are there.
struct Wallet {
    node: Node,
    gate: Gate,
}

impl WalletNode for Wallet {
    fn node_id(&self) -> Result<String, WalletNodeError> {
        self.gate.pass_within(TIME_LIMIT);
        Ok(self.node.id())
    }

    fn readiness(&self, peer: PeerAddress) -> Result<NodeReadiness, WalletNodeError> {
        let channel_ids = self.node.channel_ids(&peer.node_id);
        Ok(NodeReadiness {
            channel_ids,
            ..NodeReadiness::default()
        })
    }

    fn connect(&self, peer: PeerAddress) -> Result<bool, WalletNodeError> {
        Ok(self.node.connect(&peer.node_id, &peer.host, peer.port))
    }

    /// None is lost here, so that a lost one is a fault.
    fn release_peer(&self, _: PeerAddress) -> Result<(), WalletNodeError> {
        Ok(())
    }

    fn send_peer_message(&self, _: String, _: u16, _: Vec<u8>) -> Result<bool, WalletNodeError> {
        unreachable!("nothing is hosted here")
    }

    fn refund_script_pubkey(&self, _: String) -> Result<Vec<u8>, WalletNodeError> {
        unreachable!("nothing is hosted here")
    }
}

/// What the node shows, reported, and the verdicts followed. A thread of its own, as in an app.
struct Pump {
    funded: Arc<Mutex<HashMap<String, ChannelVerdict>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Pump {
    fn start(node: Node, client: Arc<ChannelClient>) -> Pump {
        let funded: Arc<Mutex<HashMap<_, _>>> = Arc::default();
        let stop = Arc::new(AtomicBool::new(false));
        let (into, stopped) = (funded.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                if let Some(event) = node.next_event(Duration::from_millis(20)) {
                    follow(&node, &client, &into, event);
                }
            }
        });
        Pump {
            funded,
            stop,
            thread: Some(thread),
        }
    }

    /// Ends the thread; what was funded, by peer, and with what verdict.
    fn stop(&mut self) -> HashMap<String, ChannelVerdict> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
        std::mem::take(&mut self.funded.lock().unwrap())
    }
}

fn follow(
    node: &Node,
    client: &ChannelClient,
    funded: &Mutex<HashMap<String, ChannelVerdict>>,
    event: NodeEvent,
) {
    match event {
        NodeEvent::OpenChannelRequest {
            peer_id,
            channel_id,
            capacity_sat,
            push_msat,
            is_announced,
            ..
        } => {
            let verdict = client.report_incoming_channel(IncomingChannel {
                capacity_sat: Some(capacity_sat),
                push_msat: Some(push_msat),
                is_announced: Some(is_announced),
                ..channel(&peer_id, ChannelStage::Proposed, &channel_id)
            });
            let answered = match verdict {
                // Otherwise LDK would let no more than 50 peers wait for a block at once.
                ChannelVerdict::Expected { .. } => node.accept_zero_conf(&peer_id, &channel_id),
                ChannelVerdict::WrongVisibility { .. } => {
                    node.reject_channel(&peer_id, &channel_id)
                }
                other => panic!("nobody opens what leads to {other:?}"),
            };
            answered.unwrap();
        }
        NodeEvent::ChannelPending {
            peer_id,
            channel_id,
            former_channel_id,
        } => {
            let verdict = client.report_incoming_channel(IncomingChannel {
                former_channel_id,
                ..channel(&peer_id, ChannelStage::Funded, &channel_id)
            });
            let before = funded.lock().unwrap().insert(peer_id, verdict);
            assert_eq!(before, None, "one channel of each peer");
        }
        NodeEvent::ChannelClosed { reason, .. } => panic!("a channel was lost: {reason}"),
        NodeEvent::PeerDisconnected { peer_id } => panic!("{peer_id} was lost"),
        NodeEvent::PeerConnected { peer_id } => client.report_peer_connection(peer_id, true),
        NodeEvent::ChannelReady { .. } | NodeEvent::PeerMessage { .. } => {}
    }
}

// ---- the crowd ----

struct Crowd {
    testbed: Testbed,
    folder: TempDir,
    habits: Vec<Option<Habit>>,
    offers: Vec<ServiceOffer>,
}

impl Crowd {
    fn new() -> Crowd {
        let testbed = Testbed::start().unwrap();
        let mut random = Random(SEED);
        let mut habits = Vec::new();
        let mut offers = Vec::new();
        for _ in 0..REQUESTS {
            let habit = HABITS[random.below(HABITS.len())];
            let options = OfferOptions {
                habits: habit.into_iter().collect(),
                negotiation_timeout: TIME_LIMIT,
                ..OfferOptions::default()
            };
            let node = testbed.start_node().unwrap();
            offers.push(testbed.service().offer_from(&node, options));
            habits.push(habit);
        }
        Crowd {
            testbed,
            folder: folder_in_memory(),
            habits,
            offers,
        }
    }

    fn client(&self, wallet: Arc<Wallet>) -> Arc<ChannelClient> {
        let config = ClientConfig {
            storage_dir: Some(self.folder.path().to_str().unwrap().to_owned()),
            request_timeout_seconds: 60,
            connect_timeout_seconds: TIME_LIMIT.as_secs() as u32,
            channel_timeout_seconds: CHANNEL_TIMEOUT_SECONDS,
            ..config_for(&self.testbed)
        };
        let listener = Arc::<Listener>::default();
        Arc::new(ChannelClient::new(Box::new(wallet), Box::new(listener), config).unwrap())
    }

    fn fetch_all(&self, client: &Arc<ChannelClient>) -> Vec<Arc<ChannelRequest>> {
        let fetches = self.offers.iter().map(|offer| {
            let (client, lnurl) = (client.clone(), decode_lnurl(offer.lnurl.clone()).unwrap());
            async move { client.fetch(lnurl).await.unwrap() }
        });
        block_on(all(fetches))
    }

    fn opening(&self) -> usize {
        let arrived = |habit: &&Option<Habit>| end(**habit) == ChannelRequestState::Arrived;
        self.habits.iter().filter(arrived).count()
    }

    /// Each was asked once. A redirect is followed, which is another request.
    fn check_callbacks(&self) {
        let mut counts: HashMap<u64, usize> = HashMap::new();
        for request in self.testbed.service().requests() {
            if request.kind == RequestKind::Callback {
                *counts.entry(request.offer_id.unwrap()).or_default() += 1;
            }
        }
        for (offer, habit) in self.offers.iter().zip(&self.habits) {
            let expected = 1 + usize::from(*habit == Some(Habit::Redirects));
            assert_eq!(counts.get(&offer.id), Some(&expected), "{habit:?}");
        }
    }
}

async fn accept(request: Arc<ChannelRequest>) -> CallResult {
    request.accept(ChannelVisibility::Unannounced).await
}

#[test]
fn a_thousand_requests_at_once_on_real_nodes_end_as_their_habits_demand() {
    let start = Instant::now();
    let crowd = Crowd::new();
    let (nodes, with_nodes) = (start.elapsed(), memory("VmRSS"));
    let wallet = Arc::new(Wallet {
        node: crowd.testbed.wallet(),
        gate: Gate::default(),
    });
    let client = crowd.client(wallet.clone());
    let requests = crowd.fetch_all(&client);
    let fetched = start.elapsed();

    let mut pump = Pump::start(wallet.node.clone(), client.clone());
    let calls: Vec<_> = requests.clone();
    let calls = std::thread::spawn(move || block_on(all(calls.into_iter().map(accept))));
    wait_within(TIME_LIMIT, "all run at once", || {
        requests.iter().all(|r| r.snapshot().is_running)
    });
    wallet.gate.open();
    let running = start.elapsed();
    let results = calls.join().unwrap();
    let ended = start.elapsed();
    for ((request, result), habit) in requests.iter().zip(&results).zip(&crowd.habits) {
        check_result(*habit, request, result);
    }

    let opening = crowd.opening();
    wait_within(TIME_LIMIT, "all channels are funded", || {
        pump.funded.lock().unwrap().len() == opening
    });
    let funded = pump.stop();
    for (request, habit) in requests.iter().zip(&crowd.habits) {
        let opens = end(*habit) == ChannelRequestState::Arrived;
        let verdict = funded.get(&request.snapshot().offer.peer.node_id);
        let wanted = opens.then(|| expected(request));
        assert_eq!(verdict, wanted.as_ref(), "{habit:?}");
    }
    crowd.check_callbacks();

    let peak = memory("VmHWM");
    block_on(client.shutdown());
    let reopened = crowd.client(wallet);
    let kept: BTreeMap<String, ChannelRequestState> = reopened
        .requests()
        .into_iter()
        .map(|request| (request.request_id, request.state))
        .collect();
    let ends: BTreeMap<String, ChannelRequestState> = requests
        .iter()
        .zip(&crowd.habits)
        .map(|(request, habit)| (request.request_id(), end(*habit)))
        .collect();
    assert_eq!(kept, ends, "what the folder keeps");

    for habit in HABITS {
        let count = crowd.habits.iter().filter(|h| **h == habit).count();
        let name = habit.map_or("no bad habit".to_owned(), |habit| habit.to_string());
        println!("{count:4} {name} ended as {:?}", end(habit));
    }
    println!(
        "seed {SEED:#x}; {REQUESTS} nodes after {nodes:.1?}, all fetched after {fetched:.1?}, all \
         run after {running:.1?}, all ended after {ended:.1?}, with {opening} channels opened and funded"
    );
    if let (Some(with_nodes), Some(peak)) = (with_nodes, peak) {
        let each = peak / REQUESTS as u64;
        println!("memory: {with_nodes} KiB with the nodes alone; peak {peak} KiB, {each} for each");
        assert!(each <= MAX_KIB_PER_REQUEST);
    }
    assert!(ended < TIME_LIMIT, "it took {ended:?}");
}
