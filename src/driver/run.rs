//! The driver: the core under its lock, and the way of each input in and of each output out.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use lnurl_channel_core::protocol::{ChannelVisibility, Lnurl};
use lnurl_channel_core::{
    Answer, ChannelConcern, ChannelOutcome, ChannelRequestSnapshot, ChannelVerdict, Client,
    IncomingChannel, Input, LnurlChannelError, Now, Output, RequestId, TaskId, Waiter,
};
use tokio::sync::{Semaphore, oneshot};

use super::clock::Clock;
use super::events::Events;
use super::tasks::Tasks;
use super::view::{Published, View};
use super::waiters::Waiters;
use super::{Feed, Step};
use crate::errors;
use crate::io::{
    self, ChannelListener, Config, Http, Records, Wallet, WalletNode, lock, random, runtime,
};

/// How long the answer of a call waits for the listener to hear of what led to it.
const HEARD_WITHIN: Duration = Duration::from_millis(500);

type Result<T> = std::result::Result<T, LnurlChannelError>;

/// What all of a client's objects share.
pub struct Driver {
    /// The one lock. Records are written under it, so nothing that only reads takes it.
    client: Mutex<Client<Records>>,
    /// Whose step has a thread, which may wait for the lock. Threads of the wallet take no turn.
    turn: Arc<Semaphore>,
    clock: Clock,
    view: View,
    waiters: Waiters<Result<Answered>>,
    events: Arc<Events>,
    tasks: Arc<Tasks>,
    wallet: Arc<Wallet>,
}

/// An answer, as a future of the wallet gets it.
enum Answered {
    /// Held from here on, so that nobody else lets go of it.
    Request(Arc<Published>),
    Outcome(ChannelOutcome),
    Ready(IncomingChannel),
    Concerns(Vec<ChannelConcern>),
    Done,
}

impl Driver {
    pub fn new(
        node: Arc<dyn WalletNode>,
        listener: Arc<dyn ChannelListener>,
        config: Config,
    ) -> Result<Arc<Self>> {
        let http = Http::new(&config)?;
        let (journal, records) = Records::open(config.storage_dir.as_deref())?;
        let clock = Clock::start();
        let wallet = Wallet::new(node, listener, config.settings.connect_timeout);
        let wallet = Arc::new(wallet);
        let client = Client::new(config.settings, journal, clock.now(), records);
        let driver = Arc::new(Self {
            client: Mutex::new(client),
            turn: Arc::new(Semaphore::new(1)),
            clock,
            view: View::default(),
            waiters: Waiters::new(),
            events: Events::new(wallet.clone()),
            tasks: Tasks::new(http, wallet.clone()),
            wallet,
        });
        driver.carry_out_all(&mut lock(&driver.client));
        Ok(driver)
    }

    // ---- what a wallet reads ----

    pub fn requests(&self) -> Vec<ChannelRequestSnapshot> {
        self.view.accepted()
    }

    pub fn request(&self, id: &str) -> Option<Arc<Published>> {
        self.view.get(RequestId::parse(id)?)
    }

    // ---- what a wallet does ----

    pub async fn fetch(self: &Arc<Self>, lnurl: Lnurl) -> Result<Arc<Published>> {
        let waiter = self.waiters.next();
        let new_id = new_request_id()?;
        let fetch = Input::Fetch {
            waiter,
            lnurl,
            new_id,
        };
        match self.wait(waiter, fetch).await? {
            Answered::Request(published) => Ok(published),
            _ => Err(LnurlChannelError::Cancelled),
        }
    }

    pub fn take_answer(self: &Arc<Self>, lnurl: &Lnurl, answer: &str) -> Result<Arc<Published>> {
        let new_id = new_request_id()?;
        let id = self.with_client(|client, now| {
            self.let_go(client, now);
            client.take_answer(now, lnurl, answer.as_bytes(), new_id)
        })?;
        self.view.get(id).ok_or(LnurlChannelError::Cancelled)
    }

    pub async fn accept(
        self: &Arc<Self>,
        request: RequestId,
        visibility: ChannelVisibility,
    ) -> Result<ChannelOutcome> {
        let waiter = self.waiters.next();
        let accept = Input::Accept {
            waiter,
            request,
            visibility,
        };
        outcome(self.wait(waiter, accept).await?)
    }

    pub async fn ask_again(
        self: &Arc<Self>,
        request: RequestId,
        visibility: ChannelVisibility,
    ) -> Result<ChannelOutcome> {
        let waiter = self.waiters.next();
        let ask = Input::AskAgain {
            waiter,
            request,
            visibility,
        };
        outcome(self.wait(waiter, ask).await?)
    }

    pub async fn preflight(
        self: &Arc<Self>,
        request: RequestId,
        visibility: ChannelVisibility,
    ) -> Result<Vec<ChannelConcern>> {
        let waiter = self.waiters.next();
        let preflight = Input::Preflight {
            waiter,
            request,
            visibility,
        };
        match self.wait(waiter, preflight).await? {
            Answered::Concerns(concerns) => Ok(concerns),
            _ => Err(LnurlChannelError::Cancelled),
        }
    }

    pub async fn await_ready(self: &Arc<Self>, request: RequestId) -> Result<IncomingChannel> {
        let waiter = self.waiters.next();
        let await_ready = Input::AwaitReady { waiter, request };
        match self.wait(waiter, await_ready).await? {
            Answered::Ready(channel) => Ok(channel),
            _ => Err(LnurlChannelError::Cancelled),
        }
    }

    pub fn pause(self: &Arc<Self>, request: RequestId) {
        self.handle(Input::Pause(request));
    }

    pub async fn cancel(self: &Arc<Self>, request: RequestId) -> Result<()> {
        let waiter = self.waiters.next();
        let cancel = Input::Cancel { waiter, request };
        self.wait(waiter, cancel).await.map(|_| ())
    }

    pub async fn dismiss(self: &Arc<Self>, request: RequestId) -> Result<()> {
        let waiter = self.waiters.next();
        let dismiss = Input::Dismiss { waiter, request };
        self.wait(waiter, dismiss).await.map(|_| ())
    }

    // ---- what a wallet reports ----

    pub fn report_incoming_channel(self: &Arc<Self>, channel: IncomingChannel) -> ChannelVerdict {
        self.with_client(|client, now| client.report_incoming_channel(now, channel))
    }

    pub fn report_channel_closed(
        self: &Arc<Self>,
        peer_id: String,
        channel_id: Option<String>,
        reason: Option<String>,
    ) {
        self.handle(Input::ChannelClosed {
            peer_id,
            channel_id,
            reason,
        });
    }

    pub fn report_peer_connection(self: &Arc<Self>, peer_id: String, is_connected: bool) {
        self.handle(Input::PeerConnection {
            peer_id,
            is_connected,
        });
    }

    pub fn report_peer_message(
        self: &Arc<Self>,
        peer_id: &str,
        message_type: u16,
        payload: &[u8],
    ) -> bool {
        self.with_client(|client, now| {
            client.report_peer_message(now, peer_id, message_type, payload)
        })
    }

    pub fn check_peers(self: &Arc<Self>) {
        self.handle(Input::CheckPeers);
    }

    /// End all calls, let go of the folder at once, and of the node and the listener when none of their
    /// methods runs any more.
    pub async fn shutdown(self: &Arc<Self>) {
        // Called from within a callback, it cannot wait for that one.
        let own_callbacks = io::callbacks_on_this_thread();
        let driver = self.clone();
        let ended = runtime::spawn(async move {
            let closing = driver.clone();
            // It waits for the lock, and not for its turn: a phone may stop an app that holds a lock.
            let _ = runtime::off_the_sockets_thread(Box::new(move || closing.close())).await;
            driver.wallet.finish(own_callbacks).await;
        });
        match ended {
            // It ends in any case; a panic in there is not this caller's.
            Some(ended) => drop(ended.await),
            // Without a runtime nothing ever ran.
            None => self.close(),
        }
    }

    fn close(self: &Arc<Self>) {
        self.handle(Input::Shutdown);
        self.tasks.stop_all();
        lock(&self.client).journal_mut().close();
        self.wallet.let_go_of_node();
    }

    // ---- in ----

    /// Feed `input`, and wait for the answer to `waiter`. A call that waits does not begin if the wallet drops
    /// the future before; what the user decided is done in any case.
    fn wait(self: &Arc<Self>, waiter: Waiter, input: Input) -> Waiting {
        let (sender, answer) = oneshot::channel();
        let driver = self.clone();
        let begin = move || {
            driver.with_client(|client, now| {
                // Under the lock, as `leave`: one of the two sees the other.
                if sender.is_closed() && !input.is_decision() {
                    return;
                }
                driver.waiters.add(waiter, sender);
                if matches!(input, Input::Fetch { .. }) {
                    driver.let_go(client, now);
                }
                client.handle(now, input);
            });
        };
        runtime::spawn(self.step(Box::new(begin)));
        Waiting {
            driver: self.clone(),
            waiter,
            answer: Some(answer),
        }
    }

    /// The wallet dropped the future. Nothing of the call goes on after this; it writes nothing.
    fn leave(self: &Arc<Self>, waiter: Waiter) {
        self.with_client(|client, now| {
            if self.waiters.take(waiter).is_some() {
                client.handle(now, Input::Leave(waiter));
            }
        });
    }

    fn let_go(&self, client: &mut Client<Records>, now: Now) {
        let ids = self.view.let_go();
        if !ids.is_empty() {
            client.handle(now, Input::LetGo(ids));
        }
    }

    fn handle(self: &Arc<Self>, input: Input) {
        self.with_client(|client, now| client.handle(now, input));
    }

    /// Do `f` when it is its turn. To read an answer and to write to the disk take time: not on the
    /// wallet's thread, nor on the one that serves the sockets of all clients.
    fn step(self: &Arc<Self>, f: Box<dyn FnOnce() + Send>) -> Step<()> {
        let driver = self.clone();
        Box::pin(async move {
            // Nothing closes it.
            let turn = driver.turn.clone().acquire_owned().await.ok();
            let work = Box::new(move || {
                // It ends with the step, and not with whoever waits for it.
                let _turn = turn;
                f();
            });
            // A panic in there is contained.
            let _ = runtime::off_the_sockets_thread(work).await;
        })
    }

    /// Everything that the core hears comes this way.
    fn with_client<T>(self: &Arc<Self>, f: impl FnOnce(&mut Client<Records>, Now) -> T) -> T {
        let mut client = lock(&self.client);
        let result = f(&mut client, self.clock.now());
        self.carry_out_all(&mut client);
        result
    }

    // ---- out ----

    fn carry_out_all(self: &Arc<Self>, client: &mut Client<Records>) {
        while let Some(output) = client.poll_output() {
            self.carry_out(output);
        }
        self.clock.wake_at(client.poll_timeout(), self);
    }

    /// Under the lock: nothing here waits, calls the wallet, or wakes a future of its.
    fn carry_out(self: &Arc<Self>, output: Output) {
        match output {
            Output::Changed {
                request,
                snapshot,
                was_accepted,
                step,
                history,
            } => {
                let snapshot = Arc::new(*snapshot);
                let shown = snapshot.clone();
                self.view.publish(request, shown, history, was_accepted);
                if let Some(step) = step {
                    self.events.push(request, snapshot, step);
                }
            }
            Output::Forgotten(request) => self.view.remove(request),
            Output::Answer {
                waiter,
                request,
                result,
            } => self.answer(waiter, request, result),
            Output::Run(id, task) => self.tasks.start(id, task, self.clone()),
            Output::Stop(id) => self.tasks.stop(id),
        }
    }

    fn answer(&self, waiter: Waiter, request: Option<RequestId>, result: Result<Answer>) {
        let Some(waiting) = self.waiters.take(waiter) else {
            return;
        };
        let is_cancelled = matches!(result, Err(LnurlChannelError::Cancelled));
        let request = request.filter(|_| !is_cancelled);
        let heard = request.and_then(|request| self.events.heard(request));
        let result = result.and_then(|answer| self.answered(answer));
        runtime::spawn(async move {
            if let Some(heard) = heard {
                // Not for ever, since the listener may block.
                let _ = tokio::time::timeout(HEARD_WITHIN, heard).await;
            }
            // The receiver may have been dropped.
            let _ = waiting.send(result);
        });
    }

    fn answered(&self, answer: Answer) -> Result<Answered> {
        Ok(match answer {
            Answer::Request(id) => {
                let published = self.view.get(id);
                Answered::Request(published.ok_or(LnurlChannelError::Cancelled)?)
            }
            Answer::Outcome(outcome) => Answered::Outcome(outcome),
            Answer::Ready(channel) => Answered::Ready(channel),
            Answer::Concerns(concerns) => Answered::Concerns(concerns),
            Answer::Done => Answered::Done,
        })
    }
}

impl Feed for Driver {
    fn feed(self: Arc<Self>, input: Option<Input>, task: Option<TaskId>) -> Step<bool> {
        let wants = Arc::new(AtomicBool::new(false));
        let (driver, found) = (self.clone(), wants.clone());
        let step = self.step(Box::new(move || {
            let wants = driver.with_client(|client, now| {
                if let Some(input) = input {
                    client.handle(now, input);
                }
                task.is_some_and(|task| client.wants(task))
            });
            found.store(wants, Ordering::SeqCst);
        }));
        Box::pin(async move {
            step.await;
            wants.load(Ordering::SeqCst)
        })
    }
}

fn new_request_id() -> Result<RequestId> {
    let bytes = random::bytes().ok_or_else(errors::no_random_numbers)?;
    Ok(RequestId::of_random(bytes))
}

fn outcome(answered: Answered) -> Result<ChannelOutcome> {
    match answered {
        Answered::Outcome(outcome) => Ok(outcome),
        _ => Err(LnurlChannelError::Cancelled),
    }
}

/// A future of the wallet that waits for an answer.
struct Waiting {
    driver: Arc<Driver>,
    waiter: Waiter,
    /// None once it was answered.
    answer: Option<oneshot::Receiver<Result<Answered>>>,
}

impl Future for Waiting {
    type Output = Result<Answered>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(answer) = &mut self.answer else {
            return Poll::Ready(Err(LnurlChannelError::Cancelled));
        };
        let polled = Pin::new(answer).poll(context);
        polled.map(|answered| {
            self.answer = None;
            // Without a runtime, nobody answers.
            answered.unwrap_or(Err(LnurlChannelError::Cancelled))
        })
    }
}

impl Drop for Waiting {
    /// As a cancelled coroutine does.
    fn drop(&mut self) {
        if let Some(mut answer) = self.answer.take() {
            answer.close();
            self.driver.leave(self.waiter);
        }
    }
}

#[cfg(test)]
mod tests;
