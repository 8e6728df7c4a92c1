//! Running calls: who waits for them, and how their results reach the wallet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;
use tokio::task::{self, JoinHandle};

use super::driver::Engine;
use super::lock;
use super::runtime::{self, Job};
use super::table::Table;
use super::tasks::CallContext;
use crate::flow::{ChannelOutcome, Input, LnurlChannelError};

pub type CallResult = Result<ChannelOutcome, LnurlChannelError>;

/// A call's result, and which of the request's ends it tells.
type Ended = (CallResult, u64);

/// An `accept` or a `resume` that runs, with its tasks: they end with it.
pub struct RunningCall {
    pub context: Arc<CallContext>,
    /// Futures of the wallet that wait for it. When the last is dropped, the call is paused.
    waiters: Vec<oneshot::Sender<Ended>>,
    pub asking: Option<Job>,
    pub connecting: Option<Job>,
    pub deadline: Option<Job>,
    pub check: Option<Job>,
}

impl RunningCall {
    fn new(context: CallContext) -> Self {
        Self {
            context: Arc::new(context),
            waiters: Vec::new(),
            asking: None,
            connecting: None,
            deadline: None,
            check: None,
        }
    }

    pub fn forget(&mut self, task: task::Id) {
        let (asking, connecting) = (&mut self.asking, &mut self.connecting);
        for place in [asking, connecting, &mut self.deadline, &mut self.check] {
            place.take_if(|job| job.is(task));
        }
    }
}

/// A future of the wallet that waits for a call.
pub struct Waiter<'a> {
    engine: &'a Arc<Engine>,
    id: &'a str,
    result: oneshot::Receiver<Ended>,
    stage: WaiterStage,
}

enum WaiterStage {
    Waiting,
    /// The result is being handed over, and the journal told so.
    Returning {
        end: u64,
        /// The wallet was told, or has left: what comes first sets it, under the table's lock.
        settled: Arc<AtomicBool>,
    },
    Done,
}

impl Engine {
    /// Begin `Input::Accept`, or `Input::Resume`. The result comes from the waiter, and not from
    /// here: a future keeps room for what it was given, as large as an input is, to its end.
    pub async fn call<'a>(
        self: &'a Arc<Self>,
        id: &'a str,
        input: Input,
    ) -> Result<Waiter<'a>, LnurlChannelError> {
        let (sender, result) = oneshot::channel();
        let mut waiter = Waiter {
            engine: self,
            id,
            result,
            stage: WaiterStage::Waiting,
        };
        let (engine, id) = (self.clone(), id.to_owned());
        // The step writes to the disk: not on the wallet's thread.
        let begin = async move { engine.begin(&id, input, sender) };
        let begun = joined(runtime::spawn(begin)).await.flatten();
        if begun.is_err() {
            waiter.stage = WaiterStage::Done;
        }
        begun.map(|()| waiter)
    }

    fn begin(
        self: &Arc<Self>,
        id: &str,
        input: Input,
        waiter: oneshot::Sender<Ended>,
    ) -> Result<(), LnurlChannelError> {
        let mut table = lock(&self.table);
        // The wallet may have left before anything began.
        if table.closed || waiter.is_closed() {
            return Err(LnurlChannelError::Cancelled);
        }
        let Some(entry) = table.entries.get_mut(id) else {
            return Err(LnurlChannelError::Cancelled);
        };
        if input == Input::Resume
            && let Some(call) = &mut entry.call
        {
            call.waiters.push(waiter);
            return Ok(());
        }
        if entry.call.is_some() {
            return Err(LnurlChannelError::WrongState {
                state: entry.request.state(),
            });
        }
        let mut call = RunningCall::new(CallContext {
            engine: self.clone(),
            id: id.to_owned(),
            number: self.next_call_number(),
        });
        call.waiters.push(waiter);
        entry.call = Some(call);
        let begun = self.apply(&mut table, id, input);
        if begun.is_err()
            && let Some(entry) = table.entries.get_mut(id)
        {
            entry.call = None;
        }
        begun
    }

    /// Stop the running call; false if none runs.
    pub fn pause(self: &Arc<Self>, id: &str) -> bool {
        let mut table = lock(&self.table);
        let runs = table
            .entries
            .get(id)
            .is_some_and(|entry| entry.call.is_some());
        // A pause is never refused.
        runs && self.apply(&mut table, id, Input::Pause).is_ok()
    }

    /// Hand over the result of a call that has ended, and end its tasks.
    pub(super) fn end_call(self: &Arc<Self>, table: &mut Table, id: &str, result: CallResult) {
        let Some(entry) = table.entries.get_mut(id) else {
            return;
        };
        let Some(call) = entry.call.take() else {
            return;
        };
        if result.is_ok() {
            // The channel is there; what the service still has to say runs out by itself.
            entry.asking = call.asking;
        }
        let ended = (result, entry.request.ends());
        let (engine, id, waiters) = (self.clone(), id.to_owned(), call.waiters);
        runtime::spawn(async move {
            if ended.0 != Err(LnurlChannelError::Cancelled) {
                engine.flush_events(&id).await;
            }
            // Never under the table's lock: who is woken may call the client at once.
            hand_over(waiters, &ended);
        });
    }

    fn set_returned(self: &Arc<Self>, table: &mut Table, id: &str, input: Input) {
        // Whether the wallet has heard is a fact: the step is never refused.
        let _ = self.apply(table, id, input);
    }
}

impl Waiter<'_> {
    /// Wait for the end of the call.
    pub async fn wait(&mut self) -> CallResult {
        let ended = (&mut self.result).await;
        let (result, end) = ended.unwrap_or((Err(LnurlChannelError::Cancelled), 0));
        if tells_the_end(&result) {
            let (engine, id) = (self.engine.clone(), self.id.to_owned());
            let settled = Arc::<AtomicBool>::default();
            self.stage = WaiterStage::Returning {
                end,
                settled: settled.clone(),
            };
            let returned = runtime::spawn(async move {
                let mut table = lock(&engine.table);
                if !settled.swap(true, Ordering::Relaxed) {
                    engine.set_returned(&mut table, &id, Input::Returned(end));
                }
            });
            joined(returned).await?;
        }
        self.stage = WaiterStage::Done;
        result
    }
}

impl Drop for Waiter<'_> {
    /// The wallet dropped the future, as a cancelled coroutine does.
    fn drop(&mut self) {
        let (engine, id) = (self.engine, self.id);
        match &self.stage {
            WaiterStage::Waiting => {
                self.result.close();
                engine.leave(id);
            }
            WaiterStage::Returning { end, settled } => {
                let mut table = lock(&engine.table);
                if settled.swap(true, Ordering::Relaxed) {
                    engine.set_returned(&mut table, id, Input::NotReturned(*end));
                }
            }
            WaiterStage::Done => {}
        }
    }
}

impl Engine {
    /// Pause the call for which nobody waits any more.
    fn leave(self: &Arc<Self>, id: &str) {
        let mut table = lock(&self.table);
        let entry = table.entries.get_mut(id);
        let Some(call) = entry.and_then(|entry| entry.call.as_mut()) else {
            return;
        };
        call.waiters.retain(|waiter| !waiter.is_closed());
        if call.waiters.is_empty() {
            // A pause is never refused.
            let _ = self.apply(&mut table, id, Input::Pause);
        }
    }
}

fn hand_over(waiters: Vec<oneshot::Sender<Ended>>, ended: &Ended) {
    for waiter in waiters {
        // Whoever waited may have left.
        let _ = waiter.send(ended.clone());
    }
}

/// Whether the wallet learns from this result what became of the request, so that it need not
/// hear of it again. After the others the request goes on.
fn tells_the_end(result: &CallResult) -> bool {
    use LnurlChannelError::{Cancelled, NoChannel, OutcomeUnknown};
    !matches!(
        result,
        Err(Cancelled | NoChannel { .. } | OutcomeUnknown { .. })
    )
}

/// The result of a task. Without a runtime, or with a task that panicked, the call is over.
pub async fn joined<T>(task: Option<JoinHandle<T>>) -> Result<T, LnurlChannelError> {
    match task {
        Some(task) => task.await.map_err(|_| LnurlChannelError::Cancelled),
        None => Err(LnurlChannelError::Cancelled),
    }
}
