//! The wallet's node and its listener, called off the async threads on bounded pools; what they throw,
//! panic with or never return from stays here.

use std::cell::Cell;
use std::future::ready;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lnurl_channel_core::protocol::PeerAddress;
use lnurl_channel_core::{
    ChannelRequestSnapshot, ChannelStep, NodeFacts, NodeFailure, NodeProblem, RequestId,
};
use tokio::sync::{Notify, Semaphore};

use super::node::{ChannelListener, WalletNode, WalletNodeError};
use super::{lock, runtime};

/// Calls of each sort at a time. `connect` may hang for long, so that it has a pool of its own:
/// messages and changes never queue behind it.
const CALLS_AT_ONCE: usize = 16;

/// Onion nodes take longer, and so may the calls that are under way at a shutdown.
const LONGEST_CALL: u32 = 3;

thread_local! {
    static IN_CALLBACK: Cell<bool> = const { Cell::new(false) };
}

/// How many calls into the wallet are under way on this very thread: none, or one.
pub fn callbacks_on_this_thread() -> usize {
    IN_CALLBACK.get().into()
}

pub struct Wallet {
    /// None once it was let go of.
    node: Mutex<Option<Arc<dyn WalletNode>>>,
    listener: Mutex<Option<Arc<dyn ChannelListener>>>,
    time_limit: Duration,
    connects: Arc<Semaphore>,
    calls: Arc<Semaphore>,
    changes: Arc<Semaphore>,
    /// Calls of the node that run, and requests whose changes are being told.
    running: Arc<Count>,
}

impl Wallet {
    pub fn new(
        node: Arc<dyn WalletNode>,
        listener: Arc<dyn ChannelListener>,
        time_limit: Duration,
    ) -> Self {
        let pool = || Arc::new(Semaphore::new(CALLS_AT_ONCE));
        Self {
            node: Mutex::new(Some(node)),
            listener: Mutex::new(Some(listener)),
            time_limit,
            connects: pool(),
            calls: pool(),
            changes: pool(),
            running: Arc::default(),
        }
    }

    /// The node's key and, where asked for, its readiness for the peer and the refund script.
    pub async fn ask(
        self: &Arc<Self>,
        request: RequestId,
        readiness_for: Option<PeerAddress>,
        refund_script: bool,
    ) -> Result<NodeFacts, NodeFailure> {
        let (node_id, readiness, script) = (Slot::new(), Slot::new(), Slot::new());
        let ask = node_id.filled_by(|node| node.node_id());
        self.call_in_time("node_id", ask).await?;
        if let Some(peer) = readiness_for {
            let ask = readiness.filled_by(|node| node.readiness(peer));
            self.call_in_time("readiness", ask).await?;
        }
        if refund_script {
            let refund =
                move |node: &dyn WalletNode| node.refund_script_pubkey(request.to_string());
            let ask = script.filled_by(refund);
            self.call_in_time("refund_script_pubkey", ask).await?;
        }
        Ok(NodeFacts {
            node_id: node_id.take().unwrap_or_default(),
            readiness: readiness.take(),
            refund_script: script.take(),
        })
    }

    /// Connect, unless it is not wanted any more when its turn comes. It takes as long as it takes.
    pub async fn connect(
        self: &Arc<Self>,
        peer: PeerAddress,
        is_wanted: Pin<Box<dyn Future<Output = bool> + Send>>,
    ) -> Result<(), NodeFailure> {
        let is_connected = Slot::new();
        let connect = is_connected.filled_by(|node| node.connect(peer));
        let run = self.on_node(connect);
        let called = call(&self.connects, "connect", is_wanted, run).await;
        let failure = match called {
            Ok(()) if is_connected.take() == Some(true) => return Ok(()),
            Ok(()) => failed("connect returned false".into()),
            Err(failure) => failure,
        };
        Err(NodeFailure {
            problem: match failure.problem {
                NodeProblem::Failed => NodeProblem::NotConnected,
                problem => problem,
            },
            reason: failure.reason,
        })
    }

    /// Hand a custom message to the connection.
    pub async fn send_message(
        self: &Arc<Self>,
        peer_id: String,
        message_type: u16,
        payload: Vec<u8>,
    ) -> Result<(), NodeFailure> {
        let was_sent = Slot::new();
        let send =
            was_sent.filled_by(move |node| node.send_peer_message(peer_id, message_type, payload));
        self.call_in_time("send_peer_message", send).await?;
        match was_sent.take() {
            Some(true) => Ok(()),
            _ => Err(failed("send_peer_message returned false".into())),
        }
    }

    /// Tell the node that nobody needs the connection any more. Best effort.
    pub async fn release(self: &Arc<Self>, peer: PeerAddress) {
        let release = Box::new(move |node: &dyn WalletNode| node.release_peer(peer));
        let _ = self.call_in_time("release_peer", release).await;
    }

    /// Tell the listener of a change. What it throws is its own affair.
    pub async fn tell(self: &Arc<Self>, request: ChannelRequestSnapshot, step: ChannelStep) {
        let wallet = self.clone();
        let tell = Box::new(move || {
            let listener = lock(&wallet.listener).clone();
            listener.map_or(Ok(()), |listener| {
                listener.on_request_changed(request, step)
            })
        });
        let _ = call(
            &self.changes,
            "on_request_changed",
            Box::pin(ready(true)),
            tell,
        )
        .await;
    }

    /// While this lives, the listener is being told of a request's changes.
    pub fn telling(&self) -> Running {
        Running::new(&self.running)
    }

    /// Let go of the node: no call of it begins after this.
    pub fn let_go_of_node(&self) {
        let node = lock(&self.node).take();
        // Dropped outside the lock: a foreign node runs code of its own then.
        drop(node);
    }

    /// Wait until no more than `rest` calls run, but no longer than the longest call may take. Then let
    /// go of the listener.
    pub async fn finish(&self, rest: usize) {
        let idle = self.running.falls_to(rest);
        let _ = tokio::time::timeout(self.time_limit * LONGEST_CALL, idle).await;
        let listener = lock(&self.listener).take();
        drop(listener);
    }

    /// A call of the node with a time limit. What takes longer goes on in its thread, unheard.
    async fn call_in_time(
        self: &Arc<Self>,
        method: &'static str,
        f: NodeMethod,
    ) -> Result<(), NodeFailure> {
        let run = self.on_node(f);
        let call = call(&self.calls, method, Box::pin(ready(true)), run);
        let limited = tokio::time::timeout(self.time_limit, call).await;
        limited.unwrap_or_else(|_| {
            let seconds = self.time_limit.as_secs();
            Err(NodeFailure {
                problem: NodeProblem::TimedOut,
                reason: format!("{method} took longer than {seconds} seconds"),
            })
        })
    }

    fn on_node(self: &Arc<Self>, f: NodeMethod) -> Method {
        let (wallet, running) = (self.clone(), Running::new(&self.running));
        Box::new(move || {
            let _running = running;
            let node = lock(&wallet.node).clone();
            let node = node.ok_or_else(|| WalletNodeError::Failed {
                reason: "the client was shut down".into(),
            })?;
            f(&*node)
        })
    }
}

// Not generic over what a method returns: each would be in the library once more for each type.

type Method = Box<dyn FnOnce() -> Result<(), WalletNodeError> + Send>;
type NodeMethod = Box<dyn FnOnce(&dyn WalletNode) -> Result<(), WalletNodeError> + Send>;

/// Where a method leaves what it returns.
struct Slot<T>(Arc<Mutex<Option<T>>>);

impl<T: Send + 'static> Slot<T> {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(None)))
    }

    fn filled_by(
        &self,
        f: impl FnOnce(&dyn WalletNode) -> Result<T, WalletNodeError> + Send + 'static,
    ) -> NodeMethod {
        let slot = self.0.clone();
        Box::new(move |node| {
            let value = f(node)?;
            *lock(&slot) = Some(value);
            Ok(())
        })
    }

    fn take(&self) -> Option<T> {
        lock(&self.0).take()
    }
}

/// Call a method of the wallet when it is its turn, if it is wanted then.
async fn call(
    pool: &Arc<Semaphore>,
    method: &'static str,
    is_wanted: Pin<Box<dyn Future<Output = bool> + Send>>,
    run: Method,
) -> Result<(), NodeFailure> {
    // Nothing closes a pool.
    let permits = (
        pool.clone().acquire_owned().await.ok(),
        runtime::room_for_a_call().await,
    );
    if !is_wanted.await {
        return Err(failed(format!("{method} is not needed any more")));
    }
    let returned = Slot::new();
    let result = returned.0.clone();
    let work = Box::new(move || {
        // It ends with the call, and not with whoever waits for it.
        let _permits = permits;
        IN_CALLBACK.set(true);
        let returned = catch_unwind(AssertUnwindSafe(run)).ok();
        IN_CALLBACK.set(false);
        *lock(&result) = returned;
    });
    // A panic is none of ours: those of the method are caught.
    let _ = runtime::off_the_sockets_thread(work).await;
    match returned.take() {
        Some(result) => result.map_err(|error| NodeFailure {
            problem: match error {
                WalletNodeError::Failed { .. } => NodeProblem::Failed,
                WalletNodeError::Unsupported { .. } => NodeProblem::Unsupported,
            },
            reason: format!("{method} failed: {}", first_line(&error.to_string())),
        }),
        None => Err(failed(format!("{method} panicked"))),
    }
}

fn failed(reason: String) -> NodeFailure {
    NodeFailure {
        problem: NodeProblem::Failed,
        reason,
    }
}

/// A foreign exception may come with its whole stack trace; the first line names it.
fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// How much runs in the wallet.
#[derive(Default)]
struct Count {
    running: AtomicUsize,
    fell: Notify,
}

impl Count {
    async fn falls_to(&self, rest: usize) {
        loop {
            // It hears of what happens from here on.
            let fell = self.fell.notified();
            if self.running.load(Ordering::SeqCst) <= rest {
                return;
            }
            fell.await;
        }
    }
}

/// Something that runs in the wallet, counted while this lives.
pub struct Running(Arc<Count>);

impl Running {
    fn new(count: &Arc<Count>) -> Self {
        count.running.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
        self.0.fell.notify_waiters();
    }
}
