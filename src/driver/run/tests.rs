//! The driver with a node that is not there and hosted offers that need no service: what is fed, in
//! which order its outputs reach the wallet, and what waits for what.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::{Duration, Instant};

use lnurl_channel_core::protocol::{self, BitcoinNetwork, ChannelVisibility, Lnurl, PeerAddress};
use lnurl_channel_core::{
    ChannelOutcome, ChannelRequestSnapshot, ChannelRequestState, ChannelStep, LnurlChannelError,
    NodeProblem, NodeReadiness, Proxy, RequestId, Settings,
};
use tokio::task::JoinHandle;

use super::Driver;
use crate::driver::Published;
use crate::io::{ChannelListener, Config, WalletNode, WalletNodeError, lock, runtime};

const PEER: &str = "02864ef025fde8fb587d989186ce6a4a186895ee44a926bfc370e2c366597a3f8f";
const NODE_ID: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
const INIT_HOSTED_CHANNEL: u16 = 65533;

/// For what comes; a test fails after it.
const LIMIT: Duration = Duration::from_secs(10);

type Outcome = Result<ChannelOutcome, LnurlChannelError>;

/// Closed, nobody passes.
#[derive(Default)]
struct Gate {
    is_closed: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn set_closed(&self, is_closed: bool) {
        *lock(&self.is_closed) = is_closed;
        self.opened.notify_all();
    }

    fn pass(&self) {
        let closed = lock(&self.is_closed);
        let waited = self
            .opened
            .wait_timeout_while(closed, LIMIT, |closed| *closed);
        assert!(!waited.unwrap().1.timed_out(), "the gate stayed closed");
    }
}

/// A list that grows, for the test to wait on.
struct Seen<T> {
    items: Mutex<Vec<T>>,
    changed: Condvar,
}

impl<T: Clone> Seen<T> {
    fn new() -> Self {
        Self {
            items: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    fn push(&self, item: T) {
        lock(&self.items).push(item);
        self.changed.notify_all();
    }

    fn all(&self) -> Vec<T> {
        lock(&self.items).clone()
    }

    fn wait_until(&self, wanted: impl Fn(&[T]) -> bool) {
        let items = lock(&self.items);
        let waited = self
            .changed
            .wait_timeout_while(items, LIMIT, |items| !wanted(items));
        assert!(!waited.unwrap().1.timed_out(), "it did not come");
    }
}

type Script<T> = Mutex<VecDeque<Result<T, WalletNodeError>>>;

/// The wallet: a node that does what it is told, and a listener.
struct Wallet {
    calls: Seen<&'static str>,
    changes: Seen<(ChannelStep, ChannelRequestSnapshot)>,
    connecting: Gate,
    listening: Gate,
    connects: Script<bool>,
    sends: Script<bool>,
    /// Run within the next call of the listener.
    within: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Wallet {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            calls: Seen::new(),
            changes: Seen::new(),
            connecting: Gate::default(),
            listening: Gate::default(),
            connects: Mutex::default(),
            sends: Mutex::default(),
            within: Mutex::default(),
        })
    }

    fn steps(&self) -> Vec<ChannelStep> {
        let changes = self.changes.all();
        changes.into_iter().map(|(step, _)| step).collect()
    }
}

impl WalletNode for Wallet {
    fn node_id(&self) -> Result<String, WalletNodeError> {
        self.calls.push("node_id");
        Ok(NODE_ID.into())
    }

    fn readiness(&self, peer: PeerAddress) -> Result<NodeReadiness, WalletNodeError> {
        self.calls.push("readiness");
        assert_eq!(peer.node_id, PEER);
        Ok(NodeReadiness::default())
    }

    fn connect(&self, _: PeerAddress) -> Result<bool, WalletNodeError> {
        self.calls.push("connect");
        self.connecting.pass();
        let scripted = lock(&self.connects).pop_front();
        scripted.unwrap_or(Ok(true))
    }

    fn release_peer(&self, _: PeerAddress) -> Result<(), WalletNodeError> {
        self.calls.push("release_peer");
        panic!("as a wallet may do");
    }

    fn send_peer_message(
        &self,
        peer_id: String,
        message_type: u16,
        _: Vec<u8>,
    ) -> Result<bool, WalletNodeError> {
        self.calls.push("send_peer_message");
        assert_eq!((peer_id.as_str(), message_type), (PEER, 65535));
        let scripted = lock(&self.sends).pop_front();
        scripted.unwrap_or(Ok(true))
    }

    fn refund_script_pubkey(&self, _: String) -> Result<Vec<u8>, WalletNodeError> {
        self.calls.push("refund_script_pubkey");
        let mut script = vec![0, 20];
        script.extend([7; 20]);
        Ok(script)
    }
}

impl ChannelListener for Wallet {
    fn on_request_changed(
        &self,
        request: ChannelRequestSnapshot,
        step: ChannelStep,
    ) -> Result<(), WalletNodeError> {
        self.changes.push((step, request));
        let within = lock(&self.within).take();
        if let Some(within) = within {
            within();
        }
        self.listening.pass();
        Err(WalletNodeError::Failed {
            reason: "ignored".into(),
        })
    }
}

fn config(storage_dir: Option<PathBuf>) -> Config {
    let seconds = Duration::from_secs;
    Config {
        settings: Settings {
            network: BitcoinNetwork::Regtest,
            allow_private_hosts: true,
            proxy: Proxy::None,
            request_timeout: seconds(5),
            connect_timeout: seconds(5),
            channel_timeout: seconds(60),
            reconnect: seconds(60),
        },
        storage_dir,
        proxy: None,
        extra_roots: Vec::new(),
    }
}

fn driver(wallet: &Arc<Wallet>) -> Arc<Driver> {
    Driver::new(wallet.clone(), wallet.clone(), config(None)).unwrap()
}

/// An LNURL that holds the offer itself.
fn lnurl(number: u32) -> Lnurl {
    let text = format!(
        "https://service.example/?tag=hostedChannelRequest&uri={PEER}@127.0.0.1:9735&k1={number:08x}"
    );
    protocol::decode(&protocol::encode(&text).unwrap()).unwrap()
}

fn on_the_runtime<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    wait_for(runtime::spawn(future).unwrap())
}

fn wait_for<T: Send + 'static>(task: JoinHandle<T>) -> T {
    let (sender, result) = mpsc::channel();
    runtime::spawn(async move { sender.send(task.await) }).unwrap();
    result.recv_timeout(LIMIT).unwrap().unwrap()
}

fn fetch(driver: &Arc<Driver>, number: u32) -> Arc<Published> {
    let driver = driver.clone();
    on_the_runtime(async move { driver.fetch(lnurl(number)).await }).unwrap()
}

fn accept(driver: &Arc<Driver>, id: RequestId) -> JoinHandle<Outcome> {
    let driver = driver.clone();
    let accept = async move { driver.accept(id, ChannelVisibility::Unannounced).await };
    runtime::spawn(accept).unwrap()
}

fn shut_down(driver: &Arc<Driver>) -> JoinHandle<()> {
    let driver = driver.clone();
    runtime::spawn(async move { driver.shutdown().await }).unwrap()
}

fn terms() -> Vec<u8> {
    let mut message = Vec::new();
    message.extend(1_000_u64.to_be_bytes());
    message.extend(1_u64.to_be_bytes());
    message.extend(30_u16.to_be_bytes());
    message.extend(100_000_u64.to_be_bytes());
    message.extend(0_u64.to_be_bytes());
    message
}

fn until_awaiting(driver: &Arc<Driver>, wallet: &Wallet) -> (Arc<Published>, JoinHandle<Outcome>) {
    let request = fetch(driver, 1);
    let call = accept(driver, request.id());
    wallet
        .changes
        .wait_until(|changes| changes.iter().any(|(step, _)| *step == ChannelStep::Agreed));
    (request, call)
}

#[test]
fn the_listener_hears_of_all_steps_before_the_call_ends() {
    let wallet = Wallet::new();
    let driver = driver(&wallet);
    let (request, call) = until_awaiting(&driver, &wallet);
    assert!(driver.report_peer_message(PEER, INIT_HOSTED_CHANNEL, &terms()));
    let outcome = wait_for(call).unwrap();
    assert!(matches!(outcome, ChannelOutcome::HostedOffered { .. }));
    let (last, shown) = wallet.changes.all().pop().unwrap();
    assert_eq!(last, ChannelStep::Arrived);
    assert_eq!(shown, *request.snapshot());
    assert_eq!(driver.requests(), [shown]);
    let steps = wallet.steps();
    let named = steps.iter().filter(|step| **step != ChannelStep::Changed);
    use ChannelStep::{Agreed, Arrived, Connecting, Requesting};
    assert!(
        named.eq(&[Connecting, Requesting, Agreed, Arrived]),
        "{steps:?}"
    );
    let revisions: Vec<u64> = wallet
        .changes
        .all()
        .iter()
        .map(|(_, s)| s.revision)
        .collect();
    assert!(revisions.is_sorted(), "{revisions:?}");
}

#[test]
fn reading_waits_for_nobody_who_holds_the_lock() {
    let wallet = Wallet::new();
    let driver = driver(&wallet);
    let (request, _call) = until_awaiting(&driver, &wallet);
    // As during a write to a slow disk.
    let _held = lock(&driver.client);
    let reader = driver.clone();
    let (sender, read) = mpsc::channel();
    std::thread::spawn(move || {
        let id = request.id().to_string();
        let found = reader.request(&id).map(|request| request.snapshot());
        sender.send((found, reader.requests().len())).unwrap();
    });
    let (found, accepted) = read.recv_timeout(LIMIT).unwrap();
    assert_eq!(found.unwrap().state, ChannelRequestState::Awaiting);
    assert_eq!(accepted, 1);
}

/// One thread serves the sockets of all clients.
#[test]
fn no_other_client_waits_while_one_reads_or_writes() {
    let (wallet, other) = (Wallet::new(), Wallet::new());
    let (slow, quick) = (driver(&wallet), driver(&other));
    let held = lock(&slow.client);
    let fetching = slow.clone();
    let fetched = runtime::spawn(async move { fetching.fetch(lnurl(1)).await }).unwrap();
    let (_request, call) = until_awaiting(&quick, &other);
    assert!(quick.report_peer_message(PEER, INIT_HOSTED_CHANNEL, &terms()));
    wait_for(call).unwrap();
    assert!(!fetched.is_finished());
    drop(held);
    wait_for(fetched).unwrap();
}

#[test]
fn many_changes_become_few_calls_of_a_slow_listener() {
    let wallet = Wallet::new();
    let driver = driver(&wallet);
    let (request, _call) = until_awaiting(&driver, &wallet);
    wallet.listening.set_closed(true);
    driver.report_peer_connection(PEER.into(), false);
    let before = wallet.changes.all().len();
    for number in 0..1000 {
        driver.report_peer_connection(PEER.into(), number % 2 == 0);
    }
    assert!(driver.report_peer_message(PEER, INIT_HOSTED_CHANNEL, &terms()));
    driver.report_peer_connection(PEER.into(), false);
    driver.report_peer_connection(PEER.into(), true);
    wallet.listening.set_closed(false);
    wallet.changes.wait_until(|changes| {
        let shown = changes.last().map(|(_, shown)| shown);
        shown == Some(&*request.snapshot())
    });
    let heard = wallet.changes.all().split_off(before);
    assert!(heard.len() < 10, "{} calls", heard.len());
    // What came of the call is not lost beside changes without a name.
    assert_eq!(heard.last().unwrap().0, ChannelStep::Arrived);
}

#[test]
fn a_call_whose_future_is_dropped_is_paused() {
    let wallet = Wallet::new();
    let driver = driver(&wallet);
    let (request, call) = until_awaiting(&driver, &wallet);
    call.abort();
    wallet.changes.wait_until(|changes| {
        let last = changes.last();
        last.is_some_and(|(_, shown)| !shown.is_running)
    });
    assert_eq!(request.snapshot().state, ChannelRequestState::Awaiting);
}

#[test]
fn a_call_whose_future_is_gone_before_it_began_does_not_begin() {
    let wallet = Wallet::new();
    let driver = driver(&wallet);
    let request = fetch(&driver, 1);
    let (id, dropping) = (request.id(), driver.clone());
    // The runtime's only thread is busy with this, so that nothing begins meanwhile.
    on_the_runtime(async move {
        let accept = dropping.accept(id, ChannelVisibility::Unannounced);
        let mut accept = Box::pin(accept);
        let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
        assert!(accept.as_mut().poll(context).is_pending());
    });
    // What has its turn before this has run.
    fetch(&driver, 2);
    assert_eq!(request.snapshot().state, ChannelRequestState::Offered);
    assert_eq!(driver.requests(), []);
    assert_eq!(wallet.calls.all(), [""; 0]);
}

/// As when the user taps "cancel" and leaves the screen.
#[test]
fn a_decision_is_done_even_if_nobody_waits_for_it() {
    let wallet = Wallet::new();
    let driver = driver(&wallet);
    let (request, call) = until_awaiting(&driver, &wallet);
    let (id, deciding) = (request.id(), driver.clone());
    on_the_runtime(async move {
        let mut cancel = Box::pin(deciding.cancel(id));
        let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
        assert!(cancel.as_mut().poll(context).is_pending());
    });
    assert_eq!(wait_for(call), Err(LnurlChannelError::Cancelled));
    assert_eq!(request.snapshot().state, ChannelRequestState::Cancelled);
}

/// Six clients could take all threads with calls of nodes that never return.
#[test]
fn hung_nodes_of_other_clients_stop_no_step() {
    let started = Instant::now();
    let hung = Wallet::new();
    hung.connecting.set_closed(true);
    let mut held = Vec::new();
    for _ in 0..17 {
        let driver = driver(&hung);
        for number in 0..16 {
            let text = format!(
                "https://service.example/?tag=hostedChannelRequest&k1=aa&uri={PEER}@127.0.0.1:{}",
                10_000 + number
            );
            let lnurl = protocol::decode(&protocol::encode(&text).unwrap()).unwrap();
            let fetching = driver.clone();
            let request = on_the_runtime(async move { fetching.fetch(lnurl).await }).unwrap();
            held.push((request.clone(), accept(&driver, request.id())));
        }
    }
    hung.calls.wait_until(|calls| {
        let connects = calls.iter().filter(|call| **call == "connect");
        connects.count() >= 192
    });
    let quick = driver(&Wallet::new());
    let request = fetch(&quick, 1);
    let (cancelling, id) = (quick.clone(), request.id());
    on_the_runtime(async move { cancelling.cancel(id).await }).unwrap();
    assert_eq!(request.snapshot().state, ChannelRequestState::Cancelled);
    assert!(started.elapsed() < LIMIT / 2, "{:?}", started.elapsed());
    hung.connecting.set_closed(false);
}

#[test]
fn a_queued_connect_that_nobody_waits_for_is_not_begun() {
    let wallet = Wallet::new();
    let driver = driver(&wallet);
    wallet.connecting.set_closed(true);
    // Connects to different addresses are not joined. The pool takes 16.
    let requests: Vec<_> = (0..17)
        .map(|number| {
            let text = format!(
                "https://service.example/?tag=hostedChannelRequest&k1=aa&uri={PEER}@127.0.0.1:{}",
                10_000 + number
            );
            let lnurl = protocol::decode(&protocol::encode(&text).unwrap()).unwrap();
            let fetching = driver.clone();
            on_the_runtime(async move { fetching.fetch(lnurl).await }).unwrap()
        })
        .collect();
    let connects = |calls: &[&str]| calls.iter().filter(|call| **call == "connect").count();
    let mut calls = Vec::new();
    for (number, request) in requests.iter().enumerate() {
        calls.push(accept(&driver, request.id()));
        let scripts = |calls: &[&str]| {
            let asked = calls.iter().filter(|call| **call == "refund_script_pubkey");
            asked.count()
        };
        // The last one finds the pool full, whichever thread is the faster.
        wallet.calls.wait_until(|calls| {
            scripts(calls) == number + 1 && connects(calls) == (number + 1).min(16)
        });
    }
    let last = calls.pop().unwrap();
    driver.pause(requests[16].id());
    assert_eq!(wait_for(last), Err(LnurlChannelError::Cancelled));
    wallet.connecting.set_closed(false);
    wallet.calls.wait_until(|calls| {
        let sent = calls.iter().filter(|call| **call == "send_peer_message");
        sent.count() == 16
    });
    assert_eq!(connects(&wallet.calls.all()), 16);
}

#[test]
fn what_a_method_throws_is_named_by_its_first_line() {
    let failed = |reason: &str| WalletNodeError::Failed {
        reason: reason.into(),
    };
    let unsupported = WalletNodeError::Unsupported {
        reason: "no messages".into(),
    };
    for (connect, send, problem, reason) in [
        (
            Err(failed("java.net.X: no route\n\tat a.b(C.kt:1)")),
            Ok(true),
            NodeProblem::NotConnected,
            "connect failed: java.net.X: no route",
        ),
        (
            Ok(false),
            Ok(true),
            NodeProblem::NotConnected,
            "connect returned false",
        ),
        (
            Ok(true),
            Err(failed("busy")),
            NodeProblem::Failed,
            "send_peer_message failed: busy",
        ),
        (
            Ok(true),
            Ok(false),
            NodeProblem::Failed,
            "send_peer_message returned false",
        ),
        (
            Ok(true),
            Err(unsupported),
            NodeProblem::Unsupported,
            "send_peer_message failed: not supported: no messages",
        ),
    ] {
        let wallet = Wallet::new();
        let driver = driver(&wallet);
        lock(&wallet.connects).push_back(connect);
        lock(&wallet.sends).push_back(send);
        let request = fetch(&driver, 1);
        let ended = wait_for(accept(&driver, request.id()));
        let reason = reason.to_owned();
        assert_eq!(
            ended,
            Err(LnurlChannelError::NodeFailed { problem, reason })
        );
        // It panics, which harms nobody.
        wallet
            .calls
            .wait_until(|calls| calls.contains(&"release_peer"));
    }
}

#[test]
fn an_offer_is_kept_while_somebody_holds_it() {
    let wallet = Wallet::new();
    let driver = driver(&wallet);
    let (held, dropped) = (fetch(&driver, 1), fetch(&driver, 2));
    assert_eq!(driver.view.let_go(), []);
    let id = dropped.id();
    drop(dropped);
    assert_eq!(driver.view.let_go(), [id]);
    let (_, call) = until_awaiting(&driver, &wallet);
    drop((held, call));
    assert_eq!(driver.view.let_go(), [id], "what was accepted is kept");
}

#[test]
fn requests_are_shown_newest_first() {
    let wallet = Wallet::new();
    let driver = driver(&wallet);
    let ids: Vec<String> = (0..5)
        .map(|number| {
            let request = fetch(&driver, number);
            accept(&driver, request.id());
            request.id().to_string()
        })
        .collect();
    wallet.calls.wait_until(|calls| {
        let sent = calls.iter().filter(|call| **call == "send_peer_message");
        sent.count() == 5
    });
    let shown = driver.requests().into_iter().map(|shown| shown.request_id);
    assert!(shown.eq(ids.into_iter().rev()));
}

#[test]
fn shutdown_ends_calls_at_once_and_waits_for_callbacks() {
    let folder = tempfile::tempdir().unwrap();
    let wallet = Wallet::new();
    let open = || {
        let config = config(Some(folder.path().to_owned()));
        Driver::new(wallet.clone(), wallet.clone(), config)
    };
    let driver = open().unwrap();
    let (request, call) = until_awaiting(&driver, &wallet);
    assert!(open().is_err(), "the folder is in use");
    wallet.listening.set_closed(true);
    driver.report_peer_connection(PEER.into(), true);
    driver.report_peer_connection(PEER.into(), false);
    let shutdown = shut_down(&driver);
    assert_eq!(wait_for(call), Err(LnurlChannelError::Cancelled));
    // The folder is free while the listener is still busy.
    let started = Instant::now();
    let next = loop {
        match open() {
            Ok(next) => break next,
            Err(_) => assert!(started.elapsed() < LIMIT, "the folder is not let go"),
        }
        std::thread::yield_now();
    };
    assert!(!shutdown.is_finished());
    wallet.listening.set_closed(false);
    wait_for(shutdown);
    let last = wallet.changes.all().pop().unwrap().1;
    assert_eq!(
        last,
        *request.snapshot(),
        "it hears how its requests were left"
    );
    assert!(!last.is_running);
    let late = wait_for(accept(&driver, request.id()));
    assert_eq!(late, Err(LnurlChannelError::Cancelled));
    assert!(!driver.report_peer_message(PEER, INIT_HOSTED_CHANNEL, &terms()));
    let id = request.id().to_string();
    assert_eq!(next.requests()[0].request_id, id);
    drop((driver, next));
    // The test, and no client, holds the wallet, once the last step has ended.
    let started = Instant::now();
    while Arc::strong_count(&wallet) > 1 {
        assert!(started.elapsed() < LIMIT, "somebody holds the wallet");
        std::thread::yield_now();
    }
}

#[test]
fn shutdown_from_within_a_callback_does_not_wait_for_that_one() {
    let wallet = Wallet::new();
    let driver = driver(&wallet);
    let (_request, _call) = until_awaiting(&driver, &wallet);
    let (sender, ended) = mpsc::channel();
    let shutting = driver.clone();
    *lock(&wallet.within) = Some(Box::new(move || {
        // The first poll is on this thread, as a coroutine's or a task's is that blocks here.
        let mut shutdown = Box::pin(async move { shutting.shutdown().await });
        let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
        while shutdown.as_mut().poll(context).is_pending() {
            std::thread::yield_now();
        }
        sender.send(()).unwrap();
    }));
    driver.report_peer_connection(PEER.into(), true);
    driver.report_peer_connection(PEER.into(), false);
    ended.recv_timeout(LIMIT).unwrap();
}
