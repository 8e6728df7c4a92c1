//! All requests of a wallet, and what follows from what happens to them.

mod channels;
mod fetch;
mod load;
mod preflight;
mod store;

use std::collections::VecDeque;
use std::time::Duration;

use litemap::LiteMap;

use crate::clock::Now;
use crate::error::LnurlChannelError;
use crate::ids::{RequestId, TaskId, TaskIds, Waiter};
use crate::input::{Input, Journal, NodeFailure};
use crate::output::{Answer, Output, Task};
use crate::protocol::PeerAddress;

use crate::request::{Context, Effect, Progress, Request, Transition};
use crate::settings::Settings;
use crate::verdicts::Verdicts;
use fetch::Fetching;
use preflight::Preflight;

/// What follows for a request. Boxed, since the library would hold what calls it once for each step.
type Step<'a> = Box<dyn FnOnce(&Request, &mut Context) -> Transition + 'a>;

/// All requests, calls, deadlines and verdicts of a wallet.
#[derive(Clone)]
pub struct Client<J> {
    settings: Settings,
    journal: J,
    requests: LiteMap<RequestId, Box<Request>>,
    /// The peers that requests have, by their keys.
    peers: LiteMap<String, Peer>,
    verdicts: Verdicts,
    fetches: Vec<Fetching>,
    preflights: Vec<Preflight>,
    /// Cancels that services are being told of.
    cancels: Vec<(TaskId, Waiter)>,
    /// When something is due for a request.
    wakes: LiteMap<(Duration, RequestId), ()>,
    /// Records whose last writing failed; they are written with the next.
    unwritten: Vec<RequestId>,
    unwritten_peers: Vec<String>,
    /// Peers whose verdicts are of a later version: they are left as they are.
    foreign_peers: Vec<String>,
    tasks: TaskIds,
    last_order: u64,
    last_created_at_millis: u64,
    is_closed: bool,
    outputs: VecDeque<Output>,
}

/// A peer that requests have, and what the node has told of it.
#[derive(Clone, Debug, Default)]
struct Peer {
    requests: Vec<RequestId>,
    is_connected: bool,
    heard_at: Option<Duration>,
    /// One `connect` for each address at a time: a hung one is joined, not multiplied.
    connects: Vec<(TaskId, PeerAddress)>,
}

impl<J: Journal> Client<J> {
    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When `Input::TimePassed` is due, on the clock of `Now::since_start`.
    pub fn poll_timeout(&self) -> Option<Duration> {
        let next = self.wakes.first().filter(|_| !self.is_closed);
        next.map(|((at, _), ())| *at)
    }

    /// Whether a task is still wanted: one that waits to begin, or is about to send.
    pub fn wants(&self, task: TaskId) -> bool {
        let is_cancel = self.cancels.iter().any(|(cancel, _)| *cancel == task);
        if is_cancel || self.request_with(task).is_some() {
            return true;
        }
        if self.fetches.iter().any(|fetch| fetch.task == task)
            || self.preflights.iter().any(|asked| asked.task == task)
        {
            return true;
        }
        if self.opens_for_callback(task) {
            return true;
        }
        let address = self.address_of(task);
        address.is_some_and(|address| !self.waiting_for_connect(address).is_empty())
    }

    pub fn journal_mut(&mut self) -> &mut J {
        &mut self.journal
    }

    #[cfg(test)]
    pub fn all_requests(&self) -> impl Iterator<Item = &Request> {
        self.requests.values().map(|request| &**request)
    }

    #[cfg(test)]
    pub fn all_verdicts(&self) -> &Verdicts {
        &self.verdicts
    }

    /// Take an input. What follows from it waits in `poll_output`.
    pub fn handle(&mut self, now: Now, input: Input) {
        match input {
            Input::Fetch {
                waiter,
                lnurl,
                new_id,
            } => self.fetch(now, waiter, lnurl, new_id),
            Input::Accept {
                waiter,
                request,
                visibility,
            } => self.call(now, request, waiter, |request, context| {
                request.accept(context, waiter, visibility)
            }),
            Input::AskAgain {
                waiter,
                request,
                visibility,
            } => self.call(now, request, waiter, |request, context| {
                request.ask_again(context, waiter, visibility)
            }),
            Input::AwaitReady { waiter, request } => {
                self.call(now, request, waiter, |request, context| {
                    request.await_ready(context, waiter)
                });
            }
            Input::Preflight {
                waiter,
                request,
                visibility,
            } => self.preflight(waiter, request, visibility),
            Input::Cancel { waiter, request } => {
                self.call(now, request, waiter, |request, context| {
                    request.cancel(context, waiter)
                })
            }
            Input::Dismiss { waiter, request } => {
                self.call(now, request, waiter, |request, _| request.dismiss(waiter));
            }
            Input::Pause(request) => self.apply(now, request, |request, _| request.pause()),
            Input::Leave(waiter) => self.leave(now, waiter),
            Input::LetGo(requests) => self.let_go(now, &requests),
            Input::CheckPeers => self.check_peers(now),
            Input::Shutdown => self.shut_down(now),
            Input::PeerConnection {
                peer_id,
                is_connected,
            } => self.report_peer_connection(now, &peer_id, is_connected),
            Input::ChannelClosed {
                peer_id,
                channel_id,
                reason,
            } => self.report_channel_closed(now, &peer_id, channel_id, reason),
            Input::Got(task, result) => self.got(now, task, result),
            Input::NodeAsked(task, result) => {
                if self.preflight_ended(task, &result) {
                    return;
                }
                self.on_task(now, task, |request, context| {
                    request.node_asked(context, result)
                });
            }
            Input::Connected(task, result) => self.connected(now, task, result),
            Input::CallbackWritten(task) => {
                self.on_task(now, task, |request, context| {
                    request.callback_written(context)
                });
            }
            Input::CallbackEnded(task, result) => {
                self.on_task(now, task, |request, context| {
                    request.callback_ended(context, result)
                });
            }
            Input::Invoked(task, result) => {
                self.on_task(now, task, |request, context| {
                    request.invoked(context, result)
                });
            }
            Input::CancelSent(task) => self.cancel_sent(task),
            Input::TimePassed => self.time_passed(now),
        }
    }

    // ---- what the wallet asks for ----

    fn call<'a>(
        &mut self,
        now: Now,
        id: RequestId,
        waiter: Waiter,
        step: impl FnOnce(&Request, &mut Context) -> Transition + 'a,
    ) {
        self.call_boxed(now, id, waiter, Box::new(step));
    }

    fn call_boxed(&mut self, now: Now, id: RequestId, waiter: Waiter, step: Step<'_>) {
        let request = self.current(id).filter(|_| !self.is_closed);
        let Some(request) = request else {
            return self.answer(waiter, Some(id), Err(LnurlChannelError::Cancelled));
        };
        let transition = self.transition(now, &request, step);
        if let Err(reason) = self.commit(now, &request, transition) {
            self.answer(
                waiter,
                Some(id),
                Err(LnurlChannelError::StorageFailed { reason }),
            );
        }
    }

    fn leave(&mut self, now: Now, waiter: Waiter) {
        if self.leave_fetch(waiter) || self.leave_preflight(waiter) {
            return;
        }
        let waits = |request: &Request| {
            let call = request.run.call.as_ref();
            call.is_some_and(|call| call.waiters.contains(&waiter))
        };
        let request = self.requests.values().find(|request| waits(request));
        if let Some(id) = request.map(|request| request.id()) {
            self.apply(now, id, |request, _| request.leave(waiter));
        }
    }

    fn check_peers(&mut self, now: Now) {
        let running = self
            .requests
            .values()
            .filter(|request| request.is_running());
        let running: Vec<RequestId> = running.map(|request| request.id()).collect();
        for id in running {
            self.apply(now, id, |request, context| request.reconnect(context));
        }
    }

    fn shut_down(&mut self, now: Now) {
        self.is_closed = true;
        self.end_fetches();
        self.end_preflights();
        let ids: Vec<RequestId> = self.requests.keys().copied().collect();
        for id in ids {
            self.apply(now, id, |request, _| request.shut_down());
        }
        // Cancelled even if the service cannot be told.
        for (task, waiter) in std::mem::take(&mut self.cancels) {
            self.outputs.push_back(Output::Stop(task));
            self.answer(waiter, None, Ok(Answer::Done));
        }
        self.write_unwritten();
    }

    fn cancel_sent(&mut self, task: TaskId) {
        let place = self.cancels.iter().position(|(cancel, _)| *cancel == task);
        if let Some(place) = place {
            let (_, waiter) = self.cancels.swap_remove(place);
            self.answer(waiter, None, Ok(Answer::Done));
        }
    }

    // ---- steps of one request ----

    /// A step that nothing refuses. If it has to be stored first and cannot be, the call ends.
    fn apply<'a>(
        &mut self,
        now: Now,
        id: RequestId,
        step: impl FnOnce(&Request, &mut Context) -> Transition + 'a,
    ) {
        self.apply_boxed(now, id, Box::new(step));
    }

    fn apply_boxed(&mut self, now: Now, id: RequestId, step: Step<'_>) {
        let Some(request) = self.current(id) else {
            return;
        };
        let transition = self.transition(now, &request, step);
        if let Err(reason) = self.commit(now, &request, transition) {
            let ended = request.store_failed(reason);
            // It writes nothing first, so it does not fail.
            let _ = self.commit(now, &request, ended);
        }
    }

    /// The request as it is before a step.
    fn current(&self, id: RequestId) -> Option<Request> {
        self.requests
            .get(&id)
            .map(|request| Request::clone(request))
    }

    fn transition(&mut self, now: Now, request: &Request, step: Step<'_>) -> Transition {
        let peer = self.peers.get(request.peer_id());
        let mut context = Context {
            now,
            settings: &self.settings,
            peer_heard_at: peer.and_then(|peer| peer.heard_at),
            order: self.last_order + 1,
            tasks: &mut self.tasks,
        };
        step(request, &mut context)
    }

    /// The one place where a request changes: saved first, then shown, then acted upon.
    fn commit(&mut self, now: Now, before: &Request, transition: Transition) -> Result<(), String> {
        let id = before.id();
        let mut was_written = false;
        let committed = transition.commit(before, now, |record, store| {
            was_written = store::save(&mut self.journal, &mut self.unwritten, record, store)?;
            Ok(())
        })?;
        self.reschedule(id, before.wakes_at(), committed.next.wakes_at());
        self.last_order = self.last_order.max(order(&committed.next.record.progress));
        let may_release = committed.next.run.holds_peer && !committed.next.needs_peer();
        if let Some(step) = committed.shown {
            let was_accepted = committed.next.run.was_accepted;
            self.outputs.push_back(Output::Changed {
                request: id,
                snapshot: Box::new(committed.next.snapshot()),
                was_accepted,
                step: was_accepted.then_some(step),
                history: committed.next.record.history.clone(),
            });
        }
        let peer = committed.next.record.offer.peer.clone();
        self.requests.insert(id, Box::new(committed.next));
        for effect in committed.effects {
            self.perform(id, &peer, effect);
        }
        if may_release {
            self.release_peer(&peer);
        }
        if was_written {
            self.write_unwritten();
        }
        Ok(())
    }

    fn reschedule(&mut self, id: RequestId, before: Option<Duration>, after: Option<Duration>) {
        if before != after {
            before.map(|at| self.wakes.remove(&(at, id)));
            after.map(|at| self.wakes.insert((at, id), ()));
        }
    }

    fn perform(&mut self, id: RequestId, peer: &PeerAddress, effect: Effect) {
        match effect {
            Effect::Run(task, work) => self.outputs.push_back(Output::Run(task, work)),
            Effect::Stop(task) => self.outputs.push_back(Output::Stop(task)),
            Effect::Connect => self.connect(peer),
            Effect::Answer(waiter, result) => self.answer(waiter, Some(id), result),
            Effect::SendCancel(url, waiter) => {
                let task = self.tasks.next(None);
                self.cancels.push((task, waiter));
                self.outputs
                    .push_back(Output::Run(task, Task::CancelNotice(url)));
            }
        }
    }

    fn answer(
        &mut self,
        waiter: Waiter,
        request: Option<RequestId>,
        result: Result<Answer, LnurlChannelError>,
    ) {
        self.outputs.push_back(Output::Answer {
            waiter,
            request,
            result,
        });
    }

    // ---- what came of tasks ----

    /// The request that waits for this task.
    fn request_with(&self, task: TaskId) -> Option<RequestId> {
        let request = self.requests.get(&task.request?)?;
        let call = request.run.call.as_ref();
        let asking = request.run.asking.as_ref();
        let waits = call.and_then(|call| call.stage.node_task()) == Some(task)
            || asking.is_some_and(|asking| asking.task == task);
        waits.then(|| request.id())
    }

    fn opens_for_callback(&self, task: TaskId) -> bool {
        let request = task.request.and_then(|id| self.requests.get(&id));
        let call = request.and_then(|request| request.run.call.as_ref());
        call.and_then(|call| call.stage.opens()) == Some(task)
    }

    /// What came of a task; ignored if the request no longer waits for it.
    fn on_task(
        &mut self,
        now: Now,
        task: TaskId,
        step: impl FnOnce(&Request, &mut Context) -> Transition,
    ) {
        if let Some(id) = self.request_with(task) {
            self.apply(now, id, step);
        }
    }

    fn time_passed(&mut self, now: Now) {
        if self.is_closed {
            return;
        }
        while let Some((at, id)) = self.wakes.first().map(|(wake, ())| *wake)
            && at <= now.since_start
        {
            if !self.requests.contains_key(&id) {
                self.wakes.remove(&(at, id));
                continue;
            }
            let mut is_due = true;
            self.apply(now, id, |request, context| {
                request.time_passed(context).unwrap_or_else(|| {
                    is_due = false;
                    request.unchanged()
                })
            });
            debug_assert!(is_due, "{id} wakes for nothing");
            if !is_due {
                self.wakes.remove(&(at, id));
            }
        }
    }

    // ---- connections ----

    fn connect(&mut self, address: &PeerAddress) {
        let Some(peer) = self.peers.get_mut(&address.node_id) else {
            return;
        };
        if peer.connects.iter().any(|(_, other)| other == address) {
            return;
        }
        let task = self.tasks.next(None);
        peer.connects.push((task, address.clone()));
        self.outputs
            .push_back(Output::Run(task, Task::Connect(address.clone())));
    }

    /// The address that a task connects to.
    fn address_of(&self, task: TaskId) -> Option<&PeerAddress> {
        let mut connects = self.peers.values().flat_map(|peer| &peer.connects);
        let (_, address) = connects.find(|(connect, _)| *connect == task)?;
        Some(address)
    }

    /// The requests that wait for a `connect` to this address.
    fn waiting_for_connect(&self, address: &PeerAddress) -> Vec<RequestId> {
        let waits = |request: &&Request| {
            let call = request.run.call.as_ref();
            request.record.offer.peer == *address && call.is_some_and(|c| c.stage.connects())
        };
        let requests = self.of_peer(&address.node_id).into_iter();
        requests.filter(waits).map(Request::id).collect()
    }

    fn connected(&mut self, now: Now, task: TaskId, result: Result<(), NodeFailure>) {
        let address = self.address_of(task).filter(|_| !self.is_closed);
        let Some(address) = address.cloned() else {
            return;
        };
        if let Some(peer) = self.peers.get_mut(&address.node_id) {
            peer.connects.retain(|(connect, _)| *connect != task);
        }
        self.forget_peer(&address.node_id);
        let waiting = self.waiting_for_connect(&address);
        // One that was not begun, since nobody waits for it, says nothing of the peer.
        if result.is_ok() || !waiting.is_empty() {
            self.set_peer_connected(now, &address.node_id, result.is_ok());
        }
        let is_of_use = self
            .of_peer(&address.node_id)
            .iter()
            .any(|r| r.needs_peer());
        if result.is_ok() && !is_of_use {
            self.outputs_release(&address);
        }
        for id in waiting {
            let result = result.clone();
            self.apply(now, id, |request, context| {
                request.connected(context, result)
            });
        }
    }

    fn set_peer_connected(&mut self, now: Now, peer_id: &str, is_connected: bool) {
        if let Some(peer) = self.peers.get_mut(peer_id) {
            peer.is_connected = is_connected;
            peer.heard_at = Some(now.since_start);
        }
        for id in self.ids_of_peer(peer_id) {
            // At most checks, nothing is new.
            let request = self.requests.get(&id);
            if is_connected && request.is_some_and(|request| request.run.is_peer_connected) {
                continue;
            }
            self.apply(now, id, |request, _| request.peer_connection(is_connected));
        }
    }

    /// The peer showed a sign of life.
    fn heard_of_peer(&mut self, now: Now, peer_id: &str) {
        if let Some(peer) = self.peers.get_mut(peer_id) {
            peer.heard_at = Some(now.since_start);
        }
    }

    fn report_peer_connection(&mut self, now: Now, peer_id: &str, is_connected: bool) {
        let peer_id = peer_id.to_ascii_lowercase();
        if self.is_closed || !self.peers.contains_key(&peer_id) {
            return;
        }
        self.set_peer_connected(now, &peer_id, is_connected);
        if is_connected {
            return;
        }
        for id in self.ids_of_peer(&peer_id) {
            // Its proposals are gone with the connection.
            self.apply(now, id, |request, _| request.proposal_ended(None));
            self.apply(now, id, |request, context| request.reconnect(context));
        }
    }

    /// No request needs the peer any more: the node is told so once (5a.10).
    fn release_peer(&mut self, peer: &PeerAddress) {
        let of_peer = self.ids_of_peer(&peer.node_id);
        let requests = || of_peer.iter().filter_map(|id| self.requests.get(id));
        if requests().any(|request| request.needs_peer()) {
            return;
        }
        for id in &of_peer {
            if let Some(request) = self.requests.get_mut(id) {
                request.run.holds_peer = false;
            }
        }
        self.outputs_release(peer);
    }

    fn outputs_release(&mut self, peer: &PeerAddress) {
        let task = self.tasks.next(None);
        self.outputs
            .push_back(Output::Run(task, Task::ReleasePeer(peer.clone())));
    }

    // ---- requests ----

    fn ids_of_peer(&self, peer_id: &str) -> Vec<RequestId> {
        let peer = self.peers.get(peer_id);
        peer.map(|peer| peer.requests.clone()).unwrap_or_default()
    }

    fn of_peer(&self, peer_id: &str) -> Vec<&Request> {
        let ids = self
            .peers
            .get(peer_id)
            .into_iter()
            .flat_map(|peer| &peer.requests);
        let requests = ids.filter_map(|id| self.requests.get(id));
        requests.map(|request| &**request).collect()
    }

    fn insert(&mut self, request: Request) {
        let id = request.id();
        let peer_id = request.peer_id().to_owned();
        self.reschedule(id, None, request.wakes_at());
        self.outputs.push_back(Output::Changed {
            request: id,
            snapshot: Box::new(request.snapshot()),
            was_accepted: request.run.was_accepted,
            step: None,
            history: request.record.history.clone(),
        });
        self.peers.entry(peer_id).or_default().requests.push(id);
        self.requests.insert(id, Box::new(request));
    }

    fn forget(&mut self, id: RequestId) {
        let Some(request) = self.requests.remove(&id) else {
            return;
        };
        self.reschedule(id, request.wakes_at(), None);
        let peer_id = request.peer_id();
        if let Some(peer) = self.peers.get_mut(peer_id) {
            peer.requests.retain(|other| *other != id);
        }
        self.forget_peer(peer_id);
        if let Some(task) = request.run.fetched.and_then(|fetched| fetched.by) {
            self.outputs.push_back(Output::Stop(task));
        }
        self.outputs.push_back(Output::Forgotten(id));
    }

    /// Nothing is kept of a peer that no request has.
    fn forget_peer(&mut self, peer_id: &str) {
        let peer = self.peers.get(peer_id);
        if peer.is_some_and(|peer| peer.requests.is_empty() && peer.connects.is_empty()) {
            self.peers.remove(peer_id);
        }
    }
}

/// The order of the request's last ask or cancel.
fn order(progress: &Progress) -> u64 {
    match progress {
        Progress::Cancelled { order, .. } => *order,
        other => other.contact().map_or(0, |contact| contact.order),
    }
}
