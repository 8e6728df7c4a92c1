//! What must hold in whatever order the driver's threads go on. Each scenario is run in many orders;
//! shuttle fails one in which no thread can go on, or some go on for ever.
//!
//! `ORDERS` sets how many of each scheduler; a failure prints what `shuttle::replay` takes.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lnurl_channel_core::protocol::{BitcoinNetwork, ChannelVisibility, Lnurl, PeerAddress, decode};
use lnurl_channel_core::{
    ChannelOutcome, ChannelRequestSnapshot, ChannelRequestState, ChannelStage, ChannelStep,
    ChannelVerdict, IncomingChannel, LnurlChannelError, NodeReadiness, Proxy, RequestId, Settings,
};
use lnurl_channel_interleavings::driver::{Driver, Published, let_time_pass};
use lnurl_channel_interleavings::io::{
    ChannelListener, Config, Http, WalletNode, WalletNodeError, service,
};
use shuttle::future::block_on;
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread::{JoinHandle, spawn, yield_now};
use tokio::sync::oneshot;

type CallResult = Result<ChannelOutcome, LnurlChannelError>;

const PEER: &str = "02864ef025fde8fb587d989186ce6a4a186895ee44a926bfc370e2c366597a3f8f";
const NODE_ID: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

/// Run `scenario` in random orders, and in orders with few changes between threads.
fn in_many_orders(scenario: impl Fn() + Copy + Send + Sync + 'static) {
    let orders = std::env::var("ORDERS").map_or(1000, |orders| orders.parse().unwrap());
    shuttle::check_random(scenario, orders);
    shuttle::check_pct(scenario, orders, 3);
}

/// Let others go on. Should it never become true, shuttle fails the order: it takes too many steps.
fn wait_until(condition: impl Fn() -> bool) {
    while !condition() {
        yield_now();
    }
}

/// Let others go on for a while.
fn some_steps() {
    for _ in 0..thread_rng().gen_range(0..100) {
        yield_now();
    }
}

/// Drops what it is given, some time later.
fn drop_later<T: Send + 'static>(value: T) {
    spawn(move || {
        some_steps();
        drop(value);
    });
}

// ---- the wallet ----

#[derive(Default)]
struct Seen {
    changes: Vec<(ChannelStep, ChannelRequestSnapshot)>,
    /// Calls that are running, by what may run once only.
    running: HashSet<String>,
    /// No call may begin any more.
    is_closed: bool,
    /// What must not have happened. Told at the end, since panics of the wallet are contained.
    broken: Vec<String>,
}

/// A node, and what hears of changes.
#[derive(Default)]
struct Wallet {
    seen: Mutex<Seen>,
    /// Shut down from within the next call that tells of a change.
    shut_down_within: Mutex<Option<Arc<Driver>>>,
}

impl Wallet {
    /// One call, during which others go on.
    fn during(&self, call: String, work: impl FnOnce()) {
        {
            let mut seen = self.seen.lock().unwrap();
            if seen.is_closed {
                seen.broken.push(format!("{call} after shutdown"));
            }
            if !seen.running.insert(call.clone()) {
                seen.broken.push(format!("{call} twice at once"));
            }
        }
        yield_now();
        work();
        yield_now();
        self.seen.lock().unwrap().running.remove(&call);
    }

    fn steps(&self) -> Vec<ChannelStep> {
        let seen = self.seen.lock().unwrap();
        seen.changes.iter().map(|(step, _)| *step).collect()
    }

    fn close(&self) {
        let mut seen = self.seen.lock().unwrap();
        assert!(seen.running.is_empty(), "{:?} still runs", seen.running);
        seen.is_closed = true;
    }

    fn check(&self) {
        assert_eq!(self.seen.lock().unwrap().broken, [""; 0]);
    }
}

impl WalletNode for Wallet {
    fn node_id(&self) -> Result<String, WalletNodeError> {
        yield_now();
        Ok(NODE_ID.to_owned())
    }

    fn readiness(&self, _: PeerAddress) -> Result<NodeReadiness, WalletNodeError> {
        yield_now();
        Ok(NodeReadiness::default())
    }

    fn connect(&self, peer: PeerAddress) -> Result<bool, WalletNodeError> {
        self.during(format!("connect to {}", peer.node_id), || ());
        Ok(true)
    }

    fn release_peer(&self, _: PeerAddress) -> Result<(), WalletNodeError> {
        yield_now();
        Ok(())
    }

    fn send_peer_message(&self, _: String, _: u16, _: Vec<u8>) -> Result<bool, WalletNodeError> {
        unreachable!("no offer is hosted")
    }

    fn refund_script_pubkey(&self, _: String) -> Result<Vec<u8>, WalletNodeError> {
        unreachable!("no offer is hosted")
    }
}

impl ChannelListener for Wallet {
    fn on_request_changed(
        &self,
        request: ChannelRequestSnapshot,
        step: ChannelStep,
    ) -> Result<(), WalletNodeError> {
        self.during(format!("telling of {}", request.request_id), || {
            {
                let mut seen = self.seen.lock().unwrap();
                let last = seen.changes.iter().rfind(|(_, before)| {
                    before.request_id == request.request_id && before.revision >= request.revision
                });
                if last.is_some() {
                    seen.broken.push(format!("{step:?} is told out of order"));
                }
                seen.changes.push((step, request));
            }
            let driver = self.shut_down_within.lock().unwrap().take();
            if let Some(driver) = driver {
                block_on(driver.shutdown());
            }
        });
        Ok(())
    }
}

// ---- a client of it ----

struct Scene {
    driver: Arc<Driver>,
    wallet: Arc<Wallet>,
    http: Http,
    request: Arc<Published>,
}

impl Scene {
    fn new() -> Self {
        Self::with_time(false)
    }

    /// `passes`: what is due comes at any time.
    fn with_time(passes: bool) -> Self {
        let_time_pass(passes);
        let wallet = Arc::new(Wallet::default());
        let seconds = Duration::from_secs;
        let config = Config {
            settings: Settings {
                network: BitcoinNetwork::Regtest,
                allow_private_hosts: false,
                proxy: Proxy::None,
                request_timeout: seconds(30),
                connect_timeout: seconds(30),
                channel_timeout: seconds(60),
                reconnect: seconds(20),
            },
            storage_dir: None,
            proxy: None,
            extra_roots: Vec::new(),
        };
        let driver = Driver::new(wallet.clone(), wallet.clone(), config).unwrap();
        let http = service();
        let request = block_on(driver.fetch(lnurl("n=1"))).unwrap_or_else(|error| {
            panic!("no offer: {error}");
        });
        Self {
            driver,
            wallet,
            http,
            request,
        }
    }

    fn id(&self) -> RequestId {
        self.request.id()
    }

    fn state(&self) -> ChannelRequestState {
        self.request.snapshot().state
    }

    /// The service was, or may have been, asked.
    fn is_asked(&self) -> bool {
        use ChannelRequestState::{Awaiting, OutcomeUnknown, Requesting};
        matches!(self.state(), Requesting | Awaiting | OutcomeUnknown)
    }

    fn is_running(&self) -> bool {
        self.request.snapshot().is_running
    }

    fn report(&self, stage: ChannelStage, id: &str) -> ChannelVerdict {
        self.driver.report_incoming_channel(IncomingChannel {
            peer_id: PEER.into(),
            stage,
            channel_id: Some(id.into()),
            former_channel_id: None,
            capacity_sat: None,
            push_msat: None,
            is_announced: None,
            is_zero_conf: None,
            confirmations: None,
            confirmations_required: None,
        })
    }

    fn fund(&self) -> ChannelVerdict {
        self.report(ChannelStage::Funded, "f1")
    }

    fn expected(&self) -> ChannelVerdict {
        let request_id = self.id().to_string();
        ChannelVerdict::Expected { request_id }
    }

    fn start_accept(&self) -> JoinHandle<CallResult> {
        let (driver, id) = (self.driver.clone(), self.id());
        spawn(move || block_on(driver.accept(id, ChannelVisibility::Unannounced)))
    }

    /// An `accept` whose future is dropped at any time: none if it was.
    fn start_accept_to_drop(&self) -> JoinHandle<Option<CallResult>> {
        let (driver, id) = (self.driver.clone(), self.id());
        let (drop_it, dropped) = oneshot::channel::<()>();
        drop_later(drop_it);
        spawn(move || {
            block_on(async move {
                tokio::select! {
                    result = driver.accept(id, ChannelVisibility::Unannounced) => Some(result),
                    _ = dropped => None,
                }
            })
        })
    }

    fn accept(&self) -> CallResult {
        block_on(
            self.driver
                .accept(self.id(), ChannelVisibility::Unannounced),
        )
    }

    /// How often the service was asked for the channel, and told of a cancel.
    fn callbacks(&self) -> (usize, usize) {
        let queries = self.http.seen().queries;
        let count = |part: &str| queries.iter().filter(|query| query.contains(part)).count();
        (count("private="), count("cancel="))
    }

    fn shut_down(&self) {
        block_on(self.driver.shutdown());
        self.wallet.close();
        assert_eq!(
            Arc::strong_count(&self.wallet),
            1,
            "the wallet is still held"
        );
        // What comes too late comes now.
        some_steps();
        self.wallet.check();
    }
}

fn lnurl(query: &str) -> Lnurl {
    decode(&format!("lnurlc://service.example.com/offer?{query}")).unwrap()
}

// ---- what is tried ----

/// Something else that happens while an `accept` runs.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rival {
    Accept,
    Pause,
    Cancel,
    Dismiss,
    Proposal,
    Channel,
    LostConnection,
    CheckPeers,
    Shutdown,
}

const RIVALS: [Rival; 9] = [
    Rival::Accept,
    Rival::Pause,
    Rival::Cancel,
    Rival::Dismiss,
    Rival::Proposal,
    Rival::Channel,
    Rival::LostConnection,
    Rival::CheckPeers,
    Rival::Shutdown,
];

/// It may be refused, by the state that it comes in.
fn happen(rival: Rival, scene: &Scene) {
    let driver = &scene.driver;
    match rival {
        Rival::Accept => drop(scene.start_accept()),
        Rival::Pause => driver.pause(scene.id()),
        Rival::Cancel => drop(block_on(driver.cancel(scene.id()))),
        Rival::Dismiss => drop(block_on(driver.dismiss(scene.id()))),
        Rival::Proposal => drop(scene.report(ChannelStage::Proposed, "a1")),
        Rival::Channel => drop(scene.fund()),
        Rival::LostConnection => driver.report_peer_connection(PEER.into(), false),
        Rival::CheckPeers => driver.check_peers(),
        Rival::Shutdown => block_on(driver.shutdown()),
    }
}

/// A thread that reads the snapshot again and again: it never goes back.
fn watch(scene: &Arc<Scene>, is_over: &Arc<AtomicBool>) -> JoinHandle<()> {
    let (scene, is_over) = (scene.clone(), is_over.clone());
    spawn(move || {
        let mut revision = 0;
        while !is_over.load(Ordering::SeqCst) {
            let snapshot = scene.request.snapshot();
            assert!(snapshot.revision >= revision, "an older snapshot");
            revision = snapshot.revision;
            yield_now();
        }
    })
}

fn an_accept_against_rivals(time_passes: bool) {
    let scene = Arc::new(Scene::with_time(time_passes));
    let is_over = Arc::new(AtomicBool::new(false));
    let watching = watch(&scene, &is_over);
    let accept = scene.start_accept();
    let rivals = [(); 2].map(|()| RIVALS[thread_rng().gen_range(0..RIVALS.len())]);
    let threads = rivals.map(|rival| {
        let scene = scene.clone();
        spawn(move || {
            some_steps();
            happen(rival, &scene);
        })
    });
    for thread in threads {
        thread.join().unwrap();
    }
    // Where neither has ended it.
    scene.driver.pause(scene.id());
    scene.shut_down();
    let result = accept.join().unwrap();
    is_over.store(true, Ordering::SeqCst);
    watching.join().unwrap();

    let (asks, cancels) = scene.callbacks();
    assert!(asks <= 1, "{rivals:?}");
    let is_cancelled = scene.state() == ChannelRequestState::Cancelled;
    assert!(cancels <= usize::from(is_cancelled), "{rivals:?}");
    assert!(!scene.is_running(), "{rivals:?}");
    if result.is_ok() {
        assert_eq!(scene.state(), ChannelRequestState::Arrived, "{rivals:?}");
    }
}

#[test]
fn an_accept_ends_whatever_else_happens() {
    in_many_orders(|| an_accept_against_rivals(false));
}

#[test]
fn an_accept_ends_whatever_else_happens_and_whatever_is_due() {
    in_many_orders(|| an_accept_against_rivals(true));
}

#[test]
fn the_listener_has_heard_of_the_channel_when_the_call_returns_it() {
    in_many_orders(|| {
        let scene = Arc::new(Scene::new());
        let waiting = scene.clone();
        let call = spawn(move || {
            let result = waiting.accept();
            (result, waiting.wallet.steps())
        });
        wait_until(|| scene.is_asked());
        assert_eq!(scene.fund(), scene.expected());
        let (result, steps) = call.join().unwrap();
        assert!(matches!(result, Ok(ChannelOutcome::Funded { .. })));
        assert_eq!(steps.last(), Some(&ChannelStep::Arrived));
        scene.shut_down();
    });
}

#[test]
fn of_channels_reported_at_once_one_is_expected() {
    in_many_orders(|| {
        let scene = Arc::new(Scene::new());
        let call = scene.start_accept();
        wait_until(|| scene.is_asked());
        let reports = ["f1", "f2", "f3"].map(|id| {
            let scene = scene.clone();
            spawn(move || scene.report(ChannelStage::Funded, id))
        });
        let verdicts = reports.map(|report| report.join().unwrap());
        let expected = scene.expected();
        let count = verdicts
            .iter()
            .filter(|verdict| **verdict == expected)
            .count();
        assert_eq!(count, 1, "{verdicts:?}");
        call.join().unwrap().unwrap();
        let arrivals = scene.wallet.steps();
        let arrivals = arrivals
            .iter()
            .filter(|step| **step == ChannelStep::Arrived);
        assert_eq!(arrivals.count(), 1);
        scene.shut_down();
    });
}

#[test]
fn a_call_that_is_dropped_stops_and_the_next_returns_its_channel() {
    in_many_orders(|| {
        let scene = Arc::new(Scene::new());
        let is_over = Arc::new(AtomicBool::new(false));
        let reporting = {
            let (scene, is_over) = (scene.clone(), is_over.clone());
            spawn(move || {
                wait_until(|| scene.is_asked() || is_over.load(Ordering::SeqCst));
                scene.fund()
            })
        };
        let result = scene.start_accept_to_drop().join().unwrap();
        is_over.store(true, Ordering::SeqCst);
        reporting.join().unwrap();
        match result {
            Some(result) => drop(result.unwrap()),
            None if scene.state() == ChannelRequestState::Arrived => {
                scene.accept().unwrap();
            }
            None => assert!(!scene.is_running(), "nobody waits for it"),
        }
        assert!(scene.callbacks().0 <= 1);
        scene.shut_down();
    });
}

#[test]
fn a_call_stops_with_the_last_who_leaves_and_the_others_get_its_result() {
    in_many_orders(|| {
        let scene = Arc::new(Scene::new());
        let left = Arc::new(AtomicUsize::new(3));
        let reporting = {
            let (scene, left) = (scene.clone(), left.clone());
            spawn(move || {
                wait_until(|| scene.is_asked() || left.load(Ordering::SeqCst) == 0);
                scene.fund()
            })
        };
        let calls = [(); 3].map(|()| {
            let (call, left) = (scene.start_accept_to_drop(), left.clone());
            spawn(move || {
                let result = call.join().unwrap();
                left.fetch_sub(1, Ordering::SeqCst);
                result
            })
        });
        let results = calls.map(|call| call.join().unwrap());
        reporting.join().unwrap();
        for result in results.into_iter().flatten() {
            assert!(result.is_ok(), "{result:?}");
        }
        assert!(!scene.is_running(), "nobody waits any more");
        assert!(scene.callbacks().0 <= 1);
        scene.shut_down();
    });
}

#[test]
fn a_service_is_asked_once_however_often_the_time_is_over() {
    in_many_orders(|| {
        let scene = Scene::with_time(true);
        let mut was_asked = false;
        for _ in 0..3 {
            let result = scene.accept();
            match result {
                Err(LnurlChannelError::NoChannel { .. }) => was_asked = true,
                // The time was over before anybody was asked.
                Err(
                    LnurlChannelError::NodeFailed { .. } | LnurlChannelError::Unreachable { .. },
                ) => {
                    assert!(!was_asked, "{result:?}");
                }
                other => panic!("{other:?}"),
            }
        }
        let (asks, cancels) = scene.callbacks();
        assert_eq!((asks, cancels), (usize::from(was_asked), 0));
        scene.shut_down();
    });
}

#[test]
fn requests_to_one_peer_share_its_connects() {
    in_many_orders(|| {
        let scene = Scene::new();
        let other = block_on(scene.driver.fetch(lnurl("n=2")));
        let Ok(other) = other else {
            panic!("no second offer")
        };
        assert_ne!(scene.id(), other.id());
        let calls = [scene.id(), other.id()].map(|id| {
            let driver = scene.driver.clone();
            spawn(move || block_on(driver.accept(id, ChannelVisibility::Unannounced)))
        });
        some_steps();
        scene.driver.check_peers();
        some_steps();
        // The node sees that it never connects twice at once.
        scene.shut_down();
        for call in calls {
            let result = call.join().unwrap();
            assert_eq!(result, Err(LnurlChannelError::Cancelled));
        }
    });
}

#[test]
fn fetches_of_one_lnurl_share_one_get_at_a_time() {
    in_many_orders(|| {
        let scene = Scene::new();
        let fetches = [(); 3].map(|()| {
            let driver = scene.driver.clone();
            let (drop_it, dropped) = oneshot::channel::<()>();
            drop_later(drop_it);
            spawn(move || {
                block_on(async move {
                    tokio::select! {
                        fetched = driver.fetch(lnurl("n=2")) => Some(fetched.ok().unwrap().id()),
                        _ = dropped => None,
                    }
                })
            })
        });
        let fetched = fetches.map(|fetch| fetch.join().unwrap());
        let dropped = fetched.iter().filter(|id| id.is_none()).count();
        let ids: HashSet<RequestId> = fetched.into_iter().flatten().collect();
        assert!(ids.len() <= 1, "{ids:?}");
        // One that was stopped may be there until the scheduler looks at it.
        assert!(scene.http.seen().most_fetches_at_once <= 1 + dropped);
        wait_until(|| scene.http.seen().fetches_at_once == 0);
        scene.shut_down();
    });
}

#[test]
fn a_shutdown_from_within_a_callback_does_not_wait_for_itself() {
    in_many_orders(|| {
        let scene = Scene::new();
        *scene.wallet.shut_down_within.lock().unwrap() = Some(scene.driver.clone());
        let call = scene.start_accept();
        let driver = scene.driver.clone();
        let outside = spawn(move || {
            some_steps();
            block_on(driver.shutdown());
        });
        assert_eq!(call.join().unwrap(), Err(LnurlChannelError::Cancelled));
        outside.join().unwrap();
        scene.shut_down();
    });
}
