//! The wallet's node, called off the async threads on bounded pools, with time limits; what it
//! throws, panics with or never returns from stays here.

use std::cell::Cell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use super::lock;
use super::runtime;
use super::settings::{ONION_FACTOR, Settings};
use crate::flow::{ChannelEvent, NodeFacts};
use crate::protocol::PeerAddress;

/// Calls of each sort at a time. `connect` may hang for long, so that it has a pool of its own:
/// messages and events never queue behind it.
const CALLS_AT_ONCE: usize = 16;

thread_local! {
    static IN_CALLBACK: Cell<bool> = const { Cell::new(false) };
}

/// How many calls into the wallet are under way on this very thread: none, or one.
pub fn callbacks_on_this_thread() -> usize {
    IN_CALLBACK.get().into()
}

/// Throw this from `WalletNode`. Any other exception is treated the same way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WalletNodeError {
    /// It did not work; `reason` reaches the user in `LnurlChannelError.NodeFailed`.
    #[error("{reason}")]
    Failed { reason: String },
    /// The node cannot do this at all, such as send custom messages.
    #[error("not supported: {reason}")]
    Unsupported { reason: String },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for WalletNodeError {
    /// Its reason holds a whole stack trace; the first line names the exception.
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        let first_line = error.reason.lines().next().unwrap_or_default();
        Self::Failed {
            reason: first_line.to_owned(),
        }
    }
}

/// Your Lightning node, as this library needs it. You implement this.
///
/// Called on background threads, never the main thread and never from within a call into the
/// client, so methods may block. Calls for different requests can overlap: make it thread-safe.
#[uniffi::trait_interface]
pub trait WalletNode: Send + Sync {
    /// Your node's public key, 66 hex digits.
    fn node_id(&self) -> Result<String, WalletNodeError>;

    /// Connect to `peer`; true once the `init` messages are exchanged (BOLT-1). Already connected
    /// counts.
    fn connect(&self, peer: PeerAddress) -> Result<bool, WalletNodeError>;

    /// Send a custom message to a connected peer; true once it is handed to the connection.
    ///
    /// Only hosted channels need it.
    fn send_peer_message(
        &self,
        peer_id: String,
        message_type: u16,
        payload: Vec<u8>,
    ) -> Result<bool, WalletNodeError>;

    /// The script that a hosted channel refunds to: P2WPKH or P2WSH. Asked once per request.
    ///
    /// Only hosted channels need it.
    fn refund_script_pubkey(&self, request_id: String) -> Result<Vec<u8>, WalletNodeError>;

    /// A request moved on. Events of one request arrive in order, one at a time.
    fn on_channel_event(
        &self,
        request_id: String,
        event: ChannelEvent,
    ) -> Result<(), WalletNodeError>;
}

/// Why a call into the wallet came to nothing.
#[derive(Debug)]
pub enum CallFailure {
    /// It was never made, or it ended badly.
    Failed(String),
    /// It is still running.
    TimedOut(String),
}

impl CallFailure {
    pub fn into_reason(self) -> String {
        match self {
            Self::Failed(reason) | Self::TimedOut(reason) => reason,
        }
    }
}

type Connection = watch::Receiver<Option<Result<(), String>>>;

pub struct Wallet {
    /// None after `close`.
    node: Mutex<Option<Arc<dyn WalletNode>>>,
    time_limit: Duration,
    connects: Arc<Semaphore>,
    calls: Arc<Semaphore>,
    events: Arc<Semaphore>,
    /// Connects under way: a hung one is joined, not multiplied. By the whole address, so that one
    /// that hangs on a wrong host is not in the way of the right one.
    connecting: Mutex<HashMap<PeerAddress, Connection>>,
    /// Calls under way.
    running: Arc<watch::Sender<usize>>,
}

impl Wallet {
    pub fn new(node: Arc<dyn WalletNode>, settings: &Settings) -> Self {
        let pool = || Arc::new(Semaphore::new(CALLS_AT_ONCE));
        Self {
            node: Mutex::new(Some(node)),
            time_limit: settings.connect_timeout,
            connects: pool(),
            calls: pool(),
            events: pool(),
            connecting: Mutex::default(),
            running: Arc::new(watch::channel(0).0),
        }
    }

    /// The node's key and, for a hosted channel that has none yet, the refund script.
    pub async fn ask(
        &self,
        request_id: &str,
        refund_script: bool,
    ) -> Result<NodeFacts, CallFailure> {
        let node_id = self
            .timed(&self.calls, "node_id", |node| node.node_id())
            .await?;
        let refund_script = if refund_script {
            let id = request_id.to_owned();
            let ask = move |node: &dyn WalletNode| node.refund_script_pubkey(id);
            Some(self.timed(&self.calls, "refund_script_pubkey", ask).await?)
        } else {
            None
        };
        Ok(NodeFacts {
            node_id,
            refund_script,
        })
    }

    /// Connect, or join the connect to this peer that is under way.
    pub async fn connect(self: &Arc<Self>, peer: PeerAddress) -> Result<(), String> {
        let limit = self.time_limit * if peer.is_onion() { ONION_FACTOR } else { 1 };
        let mut connection = self.join_connect(peer);
        let ended = connection.wait_for(Option::is_some);
        match tokio::time::timeout(limit, ended).await {
            Ok(Ok(result)) => result.clone().unwrap_or(Ok(())),
            Ok(Err(_)) => Err("connect was given up".into()),
            Err(_) => Err(too_long("connect", limit)),
        }
    }

    fn join_connect(self: &Arc<Self>, peer: PeerAddress) -> Connection {
        let mut connecting = lock(&self.connecting);
        if let Some(connection) = connecting.get(&peer) {
            return connection.clone();
        }
        let (done, connection) = watch::channel(None);
        connecting.insert(peer.clone(), connection.clone());
        let wallet = self.clone();
        // Not bound to the caller: a connect that hangs goes on, and the next caller joins it.
        runtime::spawn(async move {
            let address = peer.clone();
            let call = |node: &dyn WalletNode| node.connect(address);
            let result = match wallet.call(&wallet.connects, "connect", call).await {
                Ok(true) => Ok(()),
                Ok(false) => Err("it did not connect to the peer".into()),
                Err(reason) => Err(reason),
            };
            lock(&wallet.connecting).remove(&peer);
            // Nobody may be waiting any more.
            done.send_replace(Some(result));
        });
        connection
    }

    /// Hand a custom message to the connection.
    pub async fn send_message(
        &self,
        peer_id: String,
        message_type: u16,
        payload: Vec<u8>,
    ) -> Result<(), CallFailure> {
        let send =
            move |node: &dyn WalletNode| node.send_peer_message(peer_id, message_type, payload);
        match self.timed(&self.calls, "send_peer_message", send).await? {
            true => Ok(()),
            false => Err(CallFailure::Failed("it did not send the message".into())),
        }
    }

    /// Tell the wallet of an event. Its exceptions are its own affair.
    pub async fn tell(&self, request_id: String, event: ChannelEvent) {
        let tell = move |node: &dyn WalletNode| node.on_channel_event(request_id, event);
        let _ = self.call(&self.events, "on_channel_event", tell).await;
    }

    /// Let go of the node: no call begins after this.
    pub fn close(&self) {
        let node = lock(&self.node).take();
        // Dropped outside the lock: a foreign node runs code of its own when it goes.
        drop(node);
    }

    /// Wait until no more than `rest` calls run, but no longer than the longest call may take.
    pub async fn idle(&self, rest: usize) {
        let mut running = self.running.subscribe();
        let idle = running.wait_for(|running| *running <= rest);
        let _ = tokio::time::timeout(self.time_limit * ONION_FACTOR, idle).await;
    }

    async fn timed<T: Send + 'static>(
        &self,
        pool: &Arc<Semaphore>,
        name: &'static str,
        f: impl FnOnce(&dyn WalletNode) -> Result<T, WalletNodeError> + Send + 'static,
    ) -> Result<T, CallFailure> {
        let call = self.call(pool, name, f);
        match tokio::time::timeout(self.time_limit, call).await {
            Ok(result) => result.map_err(CallFailure::Failed),
            Err(_) => Err(CallFailure::TimedOut(too_long(name, self.time_limit))),
        }
    }

    async fn call<T: Send + 'static>(
        &self,
        pool: &Arc<Semaphore>,
        name: &'static str,
        f: impl FnOnce(&dyn WalletNode) -> Result<T, WalletNodeError> + Send + 'static,
    ) -> Result<T, String> {
        let shut_down = || "the client was shut down".to_owned();
        let permit = pool
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| shut_down())?;
        let counted = Counted::new(&self.running);
        let node = lock(&self.node).clone().ok_or_else(shut_down)?;
        let work = tokio::task::spawn_blocking(move || {
            // Both end with the call, and not with whoever waits for it.
            let _held = (permit, counted);
            IN_CALLBACK.set(true);
            let result = catch_unwind(AssertUnwindSafe(|| f(&*node)));
            IN_CALLBACK.set(false);
            drop(node);
            result
        });
        match work.await {
            Ok(Ok(Ok(value))) => Ok(value),
            Ok(Ok(Err(error))) => Err(format!("{name} failed: {error}")),
            Ok(Err(_)) | Err(_) => Err(format!("{name} panicked")),
        }
    }
}

fn too_long(name: &str, limit: Duration) -> String {
    format!("{name} took longer than {} seconds", limit.as_secs())
}

/// One running call, counted while this lives.
struct Counted(Arc<watch::Sender<usize>>);

impl Counted {
    fn new(running: &Arc<watch::Sender<usize>>) -> Self {
        running.send_modify(|running| *running += 1);
        Self(running.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|running| *running -= 1);
    }
}
