//! Running calls: who waits for them, and how their results reach the wallet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;
use tokio::task::{self, JoinHandle};

use super::driver::Engine;
use super::lock;
use super::runtime::{self, Job};
use super::table::Table;
use crate::flow::{ChannelOutcome, Input, LnurlChannelError};

pub type CallResult = Result<ChannelOutcome, LnurlChannelError>;

/// A call's result, and which of the request's ends it tells.
type Ended = (CallResult, u64);

/// An `accept` or a `resume` that runs, with its tasks: they end with it.
pub struct RunningCall {
    /// Tells the results of this call's tasks from those of an earlier call.
    pub number: u64,
    pub result: watch::Sender<Option<Ended>>,
    /// Futures of the wallet that wait for it. When the last is dropped, the call is paused.
    pub waiters: usize,
    pub asking: Option<Job>,
    pub connecting: Option<Job>,
    pub deadline: Option<Job>,
    pub check: Option<Job>,
}

impl RunningCall {
    fn new(number: u64) -> Self {
        Self {
            number,
            result: watch::channel(None).0,
            waiters: 0,
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
struct Waiter {
    engine: Arc<Engine>,
    id: String,
    number: u64,
    result: watch::Receiver<Option<Ended>>,
    stage: WaiterStage,
    /// The wallet has dropped the future. Written under the table's lock.
    left: Arc<AtomicBool>,
}

#[derive(PartialEq)]
enum WaiterStage {
    Waiting,
    /// The result, of this end of the request, is being handed over, and the journal told so.
    Returning(u64),
    Done,
}

impl Engine {
    /// Run `Input::Accept`, or `Input::Resume`, to its end.
    pub async fn call(self: &Arc<Self>, id: &str, input: Input) -> CallResult {
        let (engine, id) = (self.clone(), id.to_owned());
        // The step writes to the disk: not on the wallet's thread.
        let waiter = joined(runtime::spawn(async move { engine.begin(&id, input) })).await??;
        waiter.wait().await
    }

    fn begin(self: &Arc<Self>, id: &str, input: Input) -> Result<Waiter, LnurlChannelError> {
        let mut table = lock(&self.table);
        if table.closed {
            return Err(LnurlChannelError::Cancelled);
        }
        let Some(entry) = table.entries.get_mut(id) else {
            return Err(LnurlChannelError::Cancelled);
        };
        if input == Input::Resume
            && let Some(call) = &mut entry.call
        {
            return Ok(self.waiter(id, call));
        }
        if entry.call.is_some() {
            return Err(LnurlChannelError::WrongState {
                state: entry.request.state(),
            });
        }
        let mut call = RunningCall::new(self.next_call_number());
        let waiter = self.waiter(id, &mut call);
        entry.call = Some(call);
        match self.apply(&mut table, id, input) {
            Ok(()) => Ok(waiter),
            Err(error) => {
                waiter.abandon(&mut table);
                Err(error)
            }
        }
    }

    fn waiter(self: &Arc<Self>, id: &str, call: &mut RunningCall) -> Waiter {
        call.waiters += 1;
        Waiter {
            engine: self.clone(),
            id: id.to_owned(),
            number: call.number,
            result: call.result.subscribe(),
            stage: WaiterStage::Waiting,
            left: Arc::default(),
        }
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
        let ended = (result, entry.request.ends());
        let (result, _) = &ended;
        if result.is_ok()
            && let Some(asking) = call.asking
        {
            // The channel is there; what the service still has to say runs out by itself.
            asking.detach();
        }
        if *result == Err(LnurlChannelError::Cancelled) {
            call.result.send_replace(Some(ended));
            return;
        }
        let (engine, id, sender) = (self.clone(), id.to_owned(), call.result);
        runtime::spawn(async move {
            engine.flush_events(&id).await;
            sender.send_replace(Some(ended));
        });
    }

    fn set_returned(self: &Arc<Self>, table: &mut Table, id: &str, input: Input) {
        // Whether the wallet has heard is a fact: the step is never refused.
        let _ = self.apply(table, id, input);
    }
}

impl Waiter {
    async fn wait(mut self) -> CallResult {
        let ended = match self.result.wait_for(Option::is_some).await {
            Ok(ended) => ended.clone(),
            Err(_) => None,
        };
        let (result, end) = ended.unwrap_or((Err(LnurlChannelError::Cancelled), 0));
        if tells_the_end(&result) {
            self.stage = WaiterStage::Returning(end);
            let (engine, id, left) = (self.engine.clone(), self.id.clone(), self.left.clone());
            let returned = runtime::spawn(async move {
                let mut table = lock(&engine.table);
                if !left.load(Ordering::Relaxed) {
                    engine.set_returned(&mut table, &id, Input::Returned(end));
                }
            });
            joined(returned).await?;
        }
        self.stage = WaiterStage::Done;
        result
    }

    /// The call never began.
    fn abandon(mut self, table: &mut Table) {
        self.stage = WaiterStage::Done;
        if let Some(entry) = table.entries.get_mut(&self.id) {
            entry.call = None;
        }
    }
}

impl Drop for Waiter {
    /// The wallet dropped the future, as a cancelled coroutine does.
    fn drop(&mut self) {
        match self.stage {
            WaiterStage::Waiting => self.engine.leave(&self.id, self.number),
            WaiterStage::Returning(end) => {
                let mut table = lock(&self.engine.table);
                self.left.store(true, Ordering::Relaxed);
                self.engine
                    .set_returned(&mut table, &self.id, Input::NotReturned(end));
            }
            WaiterStage::Done => {}
        }
    }
}

impl Engine {
    fn leave(self: &Arc<Self>, id: &str, number: u64) {
        let mut table = lock(&self.table);
        let call = table
            .entries
            .get_mut(id)
            .and_then(|entry| entry.call.as_mut());
        let Some(call) = call.filter(|call| call.number == number) else {
            return;
        };
        call.waiters -= 1;
        if call.waiters == 0 {
            // A pause is never refused.
            let _ = self.apply(&mut table, id, Input::Pause);
        }
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
