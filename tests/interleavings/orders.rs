//! What must hold in whatever order the engine's threads go on. Each scenario is run in many orders;
//! shuttle fails one in which no thread can go on, or some go on for ever.
//!
//! `ORDERS` sets how many of each scheduler; a failure prints what `shuttle::replay` takes.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lnurl_channel_interleavings::engine::{
    Engine, Settings, WalletNode, WalletNodeError, service, shared_fetches,
};
use lnurl_channel_interleavings::flow::{
    ChannelEvent, ChannelOutcome, ChannelRequestState, ChannelStage, ChannelVerdict,
    IncomingChannel, Input, LnurlChannelError,
};
use lnurl_channel_interleavings::protocol::{
    BitcoinNetwork, ChannelVisibility, Lnurl, PeerAddress, decode,
};
use shuttle::future::block_on;
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread::{JoinHandle, spawn, yield_now};
use tokio::sync::oneshot;

type CallResult = Result<ChannelOutcome, LnurlChannelError>;

/// Longer than shuttle ever sleeps.
const NEVER: Duration = Duration::from_secs(2 * 365 * 24 * 60 * 60);
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
    events: Vec<ChannelEvent>,
    /// Calls that are running, by what may run once only.
    running: HashSet<String>,
    /// No call may begin any more.
    closed: bool,
    /// What must not have happened. Told at the end, since the engine contains the wallet's panics.
    broken: Vec<String>,
}

#[derive(Default)]
struct Node {
    seen: Mutex<Seen>,
    /// Shut down from within the callback that tells of an event.
    shut_down_within: Mutex<Option<Arc<Engine>>>,
}

impl Node {
    /// One call, during which others go on.
    fn during(&self, call: String, work: impl FnOnce()) {
        {
            let mut seen = self.seen.lock().unwrap();
            if seen.closed {
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

    fn events(&self) -> Vec<ChannelEvent> {
        self.seen.lock().unwrap().events.clone()
    }

    fn close(&self) {
        let mut seen = self.seen.lock().unwrap();
        assert!(seen.running.is_empty(), "{:?} still runs", seen.running);
        seen.closed = true;
    }

    fn check(&self) {
        assert_eq!(self.seen.lock().unwrap().broken, [""; 0]);
    }
}

impl WalletNode for Node {
    fn node_id(&self) -> Result<String, WalletNodeError> {
        yield_now();
        Ok(NODE_ID.to_owned())
    }

    fn connect(&self, peer: PeerAddress) -> Result<bool, WalletNodeError> {
        self.during(format!("connect to {}", peer.node_id), || ());
        Ok(true)
    }

    fn send_peer_message(&self, _: String, _: u16, _: Vec<u8>) -> Result<bool, WalletNodeError> {
        unreachable!("no offer is hosted")
    }

    fn refund_script_pubkey(&self, _: String) -> Result<Vec<u8>, WalletNodeError> {
        unreachable!("no offer is hosted")
    }

    fn on_channel_event(&self, id: String, event: ChannelEvent) -> Result<(), WalletNodeError> {
        self.during(format!("event of {id}"), || {
            self.seen.lock().unwrap().events.push(event);
            let engine = self.shut_down_within.lock().unwrap().take();
            if let Some(engine) = engine {
                block_on(engine.shutdown());
            }
        });
        Ok(())
    }
}

// ---- a client of it ----

struct Scene {
    engine: Arc<Engine>,
    node: Arc<Node>,
    id: String,
}

impl Scene {
    fn new() -> Self {
        let node = Arc::new(Node::default());
        let settings = Settings {
            network: BitcoinNetwork::Regtest,
            storage_dir: None,
            proxy: None,
            extra_roots: Vec::new(),
            allow_private_hosts: false,
            request_timeout: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(1),
            channel_timeout: NEVER,
            reconnect: NEVER,
        };
        let engine = Engine::new(node.clone(), settings).unwrap();
        let id = block_on(engine.fetch(lnurl("n=1"))).unwrap();
        Self { engine, node, id }
    }

    fn state(&self) -> ChannelRequestState {
        self.engine
            .read(&self.id, |entry| entry.request.state())
            .unwrap()
    }

    /// The service was, or may have been, asked.
    fn is_asked(&self) -> bool {
        use ChannelRequestState::{Awaiting, OutcomeUnknown, Requesting};
        matches!(self.state(), Requesting | Awaiting | OutcomeUnknown)
    }

    fn is_running(&self) -> bool {
        let running = self
            .engine
            .read(&self.id, |entry| entry.request.is_running());
        running.unwrap()
    }

    fn unfinished(&self) -> bool {
        self.engine.unfinished().contains(&self.id)
    }

    fn report(&self) -> ChannelVerdict {
        self.engine.report_incoming_channel(IncomingChannel {
            peer_id: PEER.into(),
            channel_id: "ab".repeat(32),
            stage: ChannelStage::Proposed,
            former_channel_id: None,
            capacity_sat: None,
            push_msat: None,
            is_announced: None,
        })
    }

    fn start(&self, input: Input) -> JoinHandle<CallResult> {
        let (engine, id) = (self.engine.clone(), self.id.clone());
        spawn(move || block_on(call(&engine, &id, input)))
    }

    /// A call whose future is dropped at any time: none if it was.
    fn start_to_drop(&self, input: Input) -> JoinHandle<Option<CallResult>> {
        let (engine, id) = (self.engine.clone(), self.id.clone());
        let (drop_it, dropped) = oneshot::channel::<()>();
        drop_later(drop_it);
        spawn(move || {
            block_on(async move {
                tokio::select! {
                    result = call(&engine, &id, input) => Some(result),
                    _ = dropped => None,
                }
            })
        })
    }

    fn shut_down(&self) {
        block_on(self.engine.shutdown());
        self.node.close();
        assert_eq!(Arc::strong_count(&self.node), 1, "the node is still held");
        // What comes too late comes now.
        some_steps();
        self.node.check();
    }
}

fn lnurl(query: &str) -> Lnurl {
    decode(&format!("lnurlc://service.example.com/offer?{query}")).unwrap()
}

/// An `accept` or a `resume`, to its end.
async fn call(engine: &Arc<Engine>, id: &str, input: Input) -> CallResult {
    engine.call(id, input).await?.wait().await
}

fn accept() -> Input {
    Input::Accept(ChannelVisibility::Unannounced)
}

// ---- what is tried ----

/// Something else that happens while an `accept` runs.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rival {
    Pause,
    Cancel,
    Decline,
    Channel,
    CheckPeers,
    Shutdown,
}

const RIVALS: [Rival; 6] = [
    Rival::Pause,
    Rival::Cancel,
    Rival::Decline,
    Rival::Channel,
    Rival::CheckPeers,
    Rival::Shutdown,
];

/// It may be refused, by the state that it comes in.
fn happen(rival: Rival, scene: &Scene) {
    let Scene { engine, id, .. } = scene;
    match rival {
        Rival::Pause => drop(engine.pause(id)),
        Rival::Cancel => drop(block_on(engine.cancel(id))),
        Rival::Decline => drop(engine.decline(id)),
        Rival::Channel => drop(scene.report()),
        Rival::CheckPeers => engine.check_peers(),
        Rival::Shutdown => block_on(engine.shutdown()),
    }
}

fn rank(event: &ChannelEvent) -> usize {
    match event {
        ChannelEvent::Connecting { .. } => 0,
        ChannelEvent::Requesting { .. } => 1,
        ChannelEvent::AwaitingChannel { .. } => 2,
        ChannelEvent::Arrived { .. } => 3,
        ChannelEvent::Reconnecting { .. } => panic!("no connect fails"),
    }
}

#[test]
fn an_accept_ends_whatever_else_happens() {
    in_many_orders(|| {
        let scene = Arc::new(Scene::new());
        let accept = scene.start(accept());
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
        scene.engine.pause(&scene.id);
        scene.shut_down();
        let result = accept.join().unwrap();

        let ranks: Vec<usize> = scene.node.events().iter().map(rank).collect();
        assert!(ranks.is_sorted_by(|a, b| a < b), "{rivals:?}: {ranks:?}");
        let queries = service(&scene.engine).queries;
        let asked = queries.iter().filter(|q| q.contains("private=")).count();
        let cancels = queries.iter().filter(|q| q.contains("cancel=")).count();
        assert!(asked <= 1, "{rivals:?}: {queries:?}");
        let cancelled = scene.state() == ChannelRequestState::Cancelled;
        assert!(cancels <= usize::from(cancelled), "{rivals:?}: {queries:?}");
        if result.is_ok() {
            assert_eq!(scene.state(), ChannelRequestState::Arrived);
        }
    });
}

#[test]
fn the_wallet_has_heard_of_the_channel_when_the_call_returns_it() {
    in_many_orders(|| {
        let scene = Arc::new(Scene::new());
        let waiting = scene.clone();
        let call = spawn(move || {
            let result = block_on(call(&waiting.engine, &waiting.id, accept()));
            (result, waiting.node.events())
        });
        wait_until(|| scene.is_asked());
        let request_id = scene.id.clone();
        assert_eq!(scene.report(), ChannelVerdict::Expected { request_id });
        let (result, events) = call.join().unwrap();
        let outcome = result.unwrap();
        assert_eq!(events.last(), Some(&ChannelEvent::Arrived { outcome }));
        scene.shut_down();
    });
}

#[test]
fn an_end_is_either_returned_or_kept() {
    in_many_orders(|| {
        let scene = Arc::new(Scene::new());
        let over = Arc::new(AtomicBool::new(false));
        let reporting = {
            let (scene, over) = (scene.clone(), over.clone());
            spawn(move || {
                wait_until(|| scene.is_asked() || over.load(Ordering::SeqCst));
                scene.report()
            })
        };
        let result = scene.start_to_drop(accept()).join().unwrap();
        over.store(true, Ordering::SeqCst);
        reporting.join().unwrap();
        match result {
            Some(result) => {
                result.unwrap();
                assert!(!scene.unfinished(), "it was returned");
            }
            None if scene.state() == ChannelRequestState::Arrived => {
                // What the dropped call has left behind may still run.
                some_steps();
                assert!(scene.unfinished(), "nobody was told");
                block_on(call(&scene.engine, &scene.id, Input::Resume)).unwrap();
                assert!(!scene.unfinished(), "it was returned");
            }
            None => wait_until(|| !scene.is_running()),
        }
        scene.shut_down();
    });
}

#[test]
fn who_joins_a_call_gets_its_result_and_it_stops_with_the_last_who_leaves() {
    in_many_orders(|| {
        let scene = Arc::new(Scene::new());
        let left = Arc::new(AtomicUsize::new(3));
        let reporting = {
            let (scene, left) = (scene.clone(), left.clone());
            spawn(move || {
                wait_until(|| scene.is_asked() || left.load(Ordering::SeqCst) == 0);
                scene.report()
            })
        };
        let calls = [accept(), Input::Resume, Input::Resume].map(|input| {
            let (call, left) = (scene.start_to_drop(input), left.clone());
            spawn(move || {
                let result = call.join().unwrap();
                left.fetch_sub(1, Ordering::SeqCst);
                result
            })
        });
        let results = calls.map(|call| call.join().unwrap());
        reporting.join().unwrap();
        for result in results.into_iter().flatten() {
            // A `resume` may come before the `accept`, or after all had left.
            let early = matches!(result, Err(LnurlChannelError::WrongState { .. }));
            assert!(result.is_ok() || early, "{result:?}");
        }
        // Nobody waits any more.
        wait_until(|| !scene.is_running());
        scene.shut_down();
    });
}

#[test]
fn requests_to_one_peer_share_its_connects() {
    in_many_orders(|| {
        let scene = Arc::new(Scene::new());
        let other = block_on(scene.engine.fetch(lnurl("n=2"))).unwrap();
        assert_ne!(scene.id, other);
        let calls = [scene.id.clone(), other].map(|id| {
            let engine = scene.engine.clone();
            spawn(move || block_on(call(&engine, &id, accept())))
        });
        some_steps();
        scene.engine.check_peers();
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
            let engine = scene.engine.clone();
            let (drop_it, dropped) = oneshot::channel::<()>();
            drop_later(drop_it);
            spawn(move || {
                block_on(async move {
                    tokio::select! {
                        id = engine.fetch(lnurl("n=2")) => Some(id.unwrap()),
                        _ = dropped => None,
                    }
                })
            })
        });
        let ids: HashSet<String> = fetches
            .into_iter()
            .filter_map(|fetch| fetch.join().unwrap())
            .collect();
        assert!(ids.len() <= 1, "{ids:?}");
        assert_eq!(service(&scene.engine).most_fetches_at_once, 1);
        wait_until(|| shared_fetches(&scene.engine) == 0);
        scene.shut_down();
    });
}

#[test]
fn a_shutdown_from_within_a_callback_does_not_wait_for_itself() {
    in_many_orders(|| {
        let scene = Scene::new();
        *scene.node.shut_down_within.lock().unwrap() = Some(scene.engine.clone());
        let call = scene.start(accept());
        let engine = scene.engine.clone();
        let outside = spawn(move || {
            some_steps();
            block_on(engine.shutdown());
        });
        assert_eq!(call.join().unwrap(), Err(LnurlChannelError::Cancelled));
        outside.join().unwrap();
        scene.shut_down();
    });
}
