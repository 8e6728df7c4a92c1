//! A wallet's client in a world where anything happens at any time: services, nodes and peers do as
//! they like, the disk fills up, the app is killed.
//!
//! The world knows no rule of the client. It carries out what the client says, as a driver has to,
//! and `watch` checks from outside what must hold whatever happens.

mod disk;
mod others;
mod watch;
mod what;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use lnurl_channel_core::internals::Rules;
use lnurl_channel_core::protocol::{BitcoinNetwork, ChannelKind, ChannelVisibility};
use lnurl_channel_core::{
    ChannelRequestSnapshot, ChannelRequestState, ChannelStage, ChannelVerdict, Client,
    IncomingChannel, Input, NetworkProblem, NodeProblem, Now, Output, Proxy, RequestId, Settings,
    Task, TaskId, Waiter,
};
use serde_json::Value;

pub use disk::Disk;
use others::{FIRST_IN_QUERY, IN_LNURL, SECRETS, channel, lnurl, offer_of, peer};
use watch::{Wait, Watch};
pub use what::What;

/// When the first run starts, in seconds since 1970.
pub const START: u64 = 1_800_000_000;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const RULES: Rules = Rules {
    network: BitcoinNetwork::Regtest,
    allow_private_hosts: false,
};

pub const SETTINGS: Settings = Settings {
    network: RULES.network,
    allow_private_hosts: RULES.allow_private_hosts,
    proxy: Proxy::None,
    request_timeout: Duration::from_secs(30),
    connect_timeout: Duration::from_secs(30),
    channel_timeout: Duration::from_secs(180),
    reconnect: Duration::from_secs(15),
};

pub struct World {
    client: Client<Disk>,
    now: Now,
    running: Vec<Running>,
    /// Every task of this run.
    tasks: BTreeSet<TaskId>,
    /// Connections on which nothing was written yet.
    opened: BTreeSet<TaskId>,
    watch: Watch,
    last_waiter: u64,
    last_id: u8,
    last_offer: u8,
    is_closed: bool,
    /// A preflight is under way: nothing but the node is asked, and nothing changes.
    is_preflight: bool,
}

/// A task that runs, or was stopped and may come to its end all the same.
struct Running {
    id: TaskId,
    task: Task,
    is_stopped: bool,
    is_of_preflight: bool,
    /// It left the device, or may have.
    is_sent: bool,
}

impl World {
    pub fn new() -> Self {
        let now = Now {
            since_start: Duration::ZERO,
            unix_millis: START * 1000,
        };
        Self {
            client: Client::new(SETTINGS, Disk::default(), now, Vec::new()),
            now,
            running: Vec::new(),
            tasks: BTreeSet::new(),
            opened: BTreeSet::new(),
            watch: Watch::new(),
            last_waiter: 0,
            last_id: 0,
            last_offer: 0,
            is_closed: false,
            is_preflight: false,
        }
    }

    pub fn happen(&mut self, what: What, how: u8) {
        match what {
            What::Fetch => self.fetch(how),
            What::TakeAnswer => self.take_answer(how),
            What::Accept | What::AskAgain | What::AwaitReady | What::Cancel | What::Dismiss => {
                self.call(what, how)
            }
            What::Preflight => self.preflight(how),
            What::Pause => self.feed(Input::Pause(self.request(how))),
            What::Leave => self.leave(how),
            What::LetGo => self.feed(Input::LetGo(vec![self.request(how)])),
            What::CheckPeers => self.feed(Input::CheckPeers),
            What::PeerConnection => self.feed(Input::PeerConnection {
                peer_id: peer(how).to_ascii_uppercase(),
                is_connected: how & 2 == 2,
            }),
            What::ChannelClosed => self.channel_closed(how),
            What::Proposed => self.report(channel(ChannelStage::Proposed, how)),
            What::Funded => self.report(channel(ChannelStage::Funded, how)),
            What::Ready => self.report(channel(ChannelStage::Ready, how)),
            What::HostMessage => self.host_message(how),
            What::Due => self.due(),
            What::TimePasses => self.time_passes(how),
            What::ClockIsSet => self.set_clock(how),
            What::DiskFills => self.disk().is_full = how & 1 == 1,
            What::Killed => self.restart(how),
            What::Shutdown => {
                self.shut_down();
                self.restart(how);
            }
            What::TaskEnds => self.end_task(how),
        }
        self.check();
    }

    /// Every call comes to an end: by `shutdown`, or by itself, when all else fails.
    pub fn end(mut self, how: u8) {
        if how & 1 == 1 {
            self.disk().is_full = how & 2 == 2;
            self.run_out();
        }
        self.shut_down();
        self.check_closed();
    }

    /// The records that are on the disk now.
    pub fn records(&mut self) -> Vec<String> {
        self.disk().records.values().cloned().collect()
    }

    pub fn states(&self) -> &HashSet<ChannelRequestState> {
        &self.watch.states
    }

    fn disk(&mut self) -> &mut Disk {
        self.client.journal_mut()
    }

    /// What the disk holds is what the client left there.
    fn is_sure(&mut self) -> bool {
        !self.disk().is_behind
    }

    // ---- inputs ----

    fn feed(&mut self, input: Input) {
        self.with_client(|client, now| client.handle(now, input));
    }

    fn with_client<T>(&mut self, work: impl FnOnce(&mut Client<Disk>, Now) -> T) -> T {
        let now = self.now;
        self.disk().now = Some(now);
        let result = work(&mut self.client, now);
        self.carry_out();
        result
    }

    fn new_waiter(&mut self, wait: Wait) -> Waiter {
        self.last_waiter += 1;
        let waiter = Waiter(self.last_waiter);
        self.watch.waiters.insert(waiter, wait);
        waiter
    }

    fn new_id(&mut self) -> RequestId {
        self.last_id = self.last_id.wrapping_add(1);
        RequestId::of_random([self.last_id; 16])
    }

    /// An offer of its own, so that it is known for which one something is sent.
    fn new_offer(&mut self) -> u8 {
        self.last_offer = (self.last_offer + 1) % FIRST_IN_QUERY;
        self.watch.answering = self.last_offer;
        self.last_offer
    }

    /// One of those that were seen; or else one that nobody knows.
    fn request(&self, how: u8) -> RequestId {
        let requests = &self.watch.requests;
        let at = usize::from(how & 15) % requests.len().max(1);
        let known = requests.keys().nth(at).copied();
        known.unwrap_or(RequestId::of_random([0xee; 16]))
    }

    fn fetch(&mut self, how: u8) {
        let input = Input::Fetch {
            waiter: self.new_waiter(Wait::Fetch),
            lnurl: lnurl(how),
            new_id: self.new_id(),
        };
        self.watch.answering = others::offer_in_query(how);
        self.feed(input);
    }

    fn take_answer(&mut self, how: u8) {
        let (new_id, offer) = (self.new_id(), self.new_offer());
        let body = others::answer_with_offer(how, offer);
        let taken =
            self.with_client(|client, now| client.take_answer(now, &lnurl(how), &body, new_id));
        no_secret_in(&format!("{taken:?}"));
        if let Ok(id) = taken {
            assert!(self.watch.requests.contains_key(&id));
        }
    }

    /// Neither the question nor its answer sends or changes anything.
    fn preflight(&mut self, how: u8) {
        let request = self.request(how);
        let waiter = self.new_waiter(Wait::Preflight);
        self.is_preflight = true;
        self.feed(Input::Preflight {
            waiter,
            request,
            visibility: visibility(how),
        });
        self.is_preflight = false;
    }

    fn call(&mut self, what: What, how: u8) {
        let request = self.request(how);
        let visibility = visibility(how);
        let input = match what {
            What::Accept => Input::Accept {
                waiter: self.new_waiter(Wait::Call(request)),
                request,
                visibility,
            },
            What::AskAgain => {
                self.watch.asked_again(request);
                Input::AskAgain {
                    waiter: self.new_waiter(Wait::Call(request)),
                    request,
                    visibility,
                }
            }
            What::AwaitReady => Input::AwaitReady {
                waiter: self.new_waiter(Wait::Ready(request)),
                request,
            },
            What::Cancel => Input::Cancel {
                waiter: self.new_waiter(Wait::Cancel(request)),
                request,
            },
            _ => Input::Dismiss {
                waiter: self.new_waiter(Wait::Dismiss),
                request,
            },
        };
        self.feed(input);
    }

    fn leave(&mut self, how: u8) {
        let waiters = &mut self.watch.waiters;
        let at = usize::from(how) % waiters.len().max(1);
        let Some((waiter, wait)) = waiters.iter_mut().nth(at) else {
            return;
        };
        let waiter = *waiter;
        // A cancel goes on without those who wait for it.
        match wait {
            Wait::Cancel(_) | Wait::Left => *wait = Wait::Left,
            _ => {
                waiters.remove(&waiter);
            }
        }
        self.feed(Input::Leave(waiter));
    }

    fn channel_closed(&mut self, how: u8) {
        let stage = match how & 64 {
            0 => ChannelStage::Proposed,
            _ => ChannelStage::Funded,
        };
        let closed = channel(stage, how & 31);
        let is_named = how & 128 == 0;
        if is_named {
            self.watch.closed(&closed);
        }
        let reason = Some(self.echo_of_node(&closed.peer_id));
        self.feed(Input::ChannelClosed {
            peer_id: closed.peer_id,
            channel_id: closed.channel_id.filter(|_| is_named),
            reason,
        });
    }

    /// What a record no longer holds cannot be hidden: the node says nothing then.
    fn echo_of_node(&mut self, peer_id: &str) -> String {
        let peer_id = peer_id.to_ascii_lowercase();
        let of_peer = self
            .watch
            .snapshots()
            .filter(|s| s.offer.peer.node_id == peer_id);
        let ids: Vec<String> = of_peer.map(|s| s.request_id.clone()).collect();
        let records = &self.disk().records;
        let mut records = ids.iter().filter_map(|id| records.get(id));
        match records.all(|record| record.contains(IN_LNURL)) && self.is_sure() {
            true => others::echo_of_lnurl(),
            false => String::new(),
        }
    }

    fn report(&mut self, channel: IncomingChannel) {
        let is_proposal = channel.stage == ChannelStage::Proposed;
        let writes = self.disk().writes;
        let verdict = self.report_once(&channel);
        let is_sure = self.is_sure();
        if is_proposal {
            let is_same = self.disk().writes == writes;
            return assert!(!is_sure || is_same, "a proposal was written");
        }
        let writes = self.disk().writes;
        assert_eq!(self.report_once(&channel), verdict, "another verdict");
        let is_same = self.disk().writes == writes;
        assert!(!is_sure || is_same, "written twice");
    }

    fn report_once(&mut self, channel: &IncomingChannel) -> ChannelVerdict {
        let verdict =
            self.with_client(|client, now| client.report_incoming_channel(now, channel.clone()));
        if let ChannelVerdict::Expected { request_id } = &verdict {
            let is_sure = self.is_sure();
            self.watch.expected(channel, request_id, is_sure);
        }
        verdict
    }

    fn host_message(&mut self, how: u8) {
        let hosted = |s: &&ChannelRequestSnapshot| {
            s.offer.kind == ChannelKind::Hosted && s.offer.peer.node_id == peer(how)
        };
        // The host says its secret aloud, where it is known whose it is.
        let echo = match self.watch.snapshots().filter(hosted).count() {
            1 => {
                let snapshots = &mut self.watch.requests.values();
                let seen =
                    snapshots.find(|seen| seen.snapshot.as_ref().is_some_and(|s| hosted(&s)));
                seen.map(|seen| others::echo(ChannelKind::Hosted, seen.offer))
            }
            _ => Some(others::echo_of_lnurl()),
        };
        let (message_type, payload) = others::host_message(how, &echo.unwrap_or_default());
        let peer_id = peer(how).to_ascii_uppercase();
        let is_taken = self.with_client(|client, now| {
            client.report_peer_message(now, &peer_id, message_type, &payload)
        });
        assert!(!is_taken || !self.is_closed);
    }

    // ---- time ----

    fn due(&mut self) {
        if let Some(at) = self.client.poll_timeout() {
            self.advance(at);
        }
    }

    /// The phone is awake, and all that is due happens in time; or it sleeps.
    fn time_passes(&mut self, how: u8) {
        let steps = u32::from(how & 15) + 1;
        let step = match how >> 5 & 3 {
            0 => Duration::from_secs(1),
            1 => Duration::from_secs(20),
            2 => Duration::from_secs(600),
            _ => DAY / 10,
        };
        let end = self.now.since_start + step * steps;
        let is_awake = how & 16 == 0;
        while let Some(at) = self
            .client
            .poll_timeout()
            .filter(|at| is_awake && *at < end)
        {
            self.advance(at);
        }
        self.advance(end);
    }

    fn advance(&mut self, to: Duration) {
        let before = self.now.since_start;
        let to = to.max(before);
        self.now.since_start = to;
        let millis = to.as_millis() - before.as_millis();
        self.now.unix_millis += u64::try_from(millis).expect("some days");
        self.feed(Input::TimePassed);
        let next = self.client.poll_timeout();
        assert!(
            next.is_none_or(|next| next > to),
            "{next:?} is over at {to:?}"
        );
    }

    /// By the user, or by a network.
    fn set_clock(&mut self, how: u8) {
        let day = u64::try_from(DAY.as_millis()).expect("a day");
        let shown = self.now.unix_millis;
        self.now.unix_millis = match how & 3 {
            0 => 0,
            1 => 4_102_444_800_000,
            2 => shown.saturating_sub(day),
            _ => shown + day,
        };
        self.disk().clock_was_set = true;
    }

    // ---- the app ends, and starts again ----

    fn shut_down(&mut self) {
        self.is_closed = true;
        self.feed(Input::Shutdown);
        let waiters = &self.watch.waiters;
        assert!(waiters.is_empty(), "{waiters:?} wait for ever");
    }

    fn restart(&mut self, how: u8) {
        let disk = std::mem::take(self.disk());
        let mut stored = disk.stored();
        let kept: BTreeSet<String> = disk.records.keys().cloned().collect();
        let mut damaged = None;
        if how & 15 == 15 && !stored.is_empty() {
            let at = usize::from(how >> 4) % stored.len();
            let record = &mut stored[at];
            record.content = disk::damaged(&disk.records[&record.name], how);
            damaged = Some(record.name.clone());
        }
        // Whole seconds, which is what records hold.
        self.now.unix_millis = self.now.unix_millis.div_ceil(1000) * 1000;
        self.now.since_start = Duration::ZERO;
        self.running.clear();
        self.tasks.clear();
        self.opened.clear();
        self.watch.waiters.clear();
        self.watch.connected.clear();
        self.is_closed = false;
        if let Some(name) = &damaged {
            self.watch.forget(RequestId::parse(name));
        }
        let seen = self.watch.requests.iter_mut();
        let before = seen.filter_map(|(id, seen)| Some((*id, seen.snapshot.take()?)));
        let before: BTreeMap<RequestId, ChannelRequestSnapshot> = before.collect();
        let is_sure = !disk.is_behind && !disk.clock_was_set && damaged.is_none();
        let disk = Disk {
            now: Some(self.now),
            is_behind: disk.is_behind || damaged.is_some(),
            ..disk
        };
        self.client = Client::new(SETTINGS, disk, self.now, stored);
        self.carry_out();
        if is_sure {
            self.watch.check_restarted(&kept, &before);
        }
        self.watch
            .requests
            .retain(|_, seen| seen.snapshot.is_some());
    }

    // ---- tasks ----

    fn end_task(&mut self, how: u8) {
        let count = self.running.len();
        if count > 0 {
            self.end_at(usize::from(how & 7) % count, how >> 3);
        }
    }

    fn end_at(&mut self, at: usize, way: u8) {
        if let Task::Callback { .. } = self.running[at].task {
            return self.callback_goes_on(at, way);
        }
        let Running {
            id,
            task,
            is_sent,
            is_of_preflight,
            ..
        } = self.running.remove(at);
        let offer = offer_of(&task).unwrap_or_default();
        let input = match task {
            Task::Get(_) => {
                let offer = self.new_offer();
                Input::Got(id, others::answer_to_get(way, offer))
            }
            Task::AskNode {
                request,
                readiness_for,
                refund_script,
            } => {
                let echo = self.echo_of_request(request);
                let asks_readiness = readiness_for.is_some();
                let facts = others::node_facts(way, asks_readiness, refund_script, echo);
                Input::NodeAsked(id, facts)
            }
            Task::Connect(peer) => {
                let result = others::connected(way, self.echo_of_node(&peer.node_id));
                if result.is_ok() {
                    self.watch.connected.insert(peer.node_id);
                }
                Input::Connected(id, result)
            }
            Task::Invoke { .. } => {
                let result = others::invoked(way, offer);
                let failed = result.as_ref().err();
                let is_unsent = failed.is_some_and(|f| f.problem != NodeProblem::TimedOut);
                if !is_unsent && !is_sent {
                    self.watch.asked(offer);
                }
                Input::Invoked(id, result)
            }
            Task::CancelNotice(_) => Input::CancelSent(id),
            Task::OpenConnection { .. } | Task::Callback { .. } | Task::ReleasePeer(_) => return,
        };
        self.is_preflight = is_of_preflight;
        self.feed(input);
        self.is_preflight = false;
    }

    /// The node may repeat the secrets, also of a request that has forgotten them.
    fn echo_of_request(&self, request: RequestId) -> String {
        let seen = self.watch.requests.get(&request);
        let snapshot = seen.and_then(|seen| Some((seen.snapshot.as_ref()?, seen.offer)));
        snapshot.map_or_else(String::new, |(snapshot, offer)| {
            others::echo(snapshot.offer.kind, offer)
        })
    }

    /// It is written, if it is still wanted by then; and it ends, sent or not.
    fn callback_goes_on(&mut self, at: usize, way: u8) {
        let Running { id, is_sent, .. } = self.running[at];
        let offer = offer_of(&self.running[at].task).unwrap_or_default();
        let may_send = !is_sent && self.client.wants(id);
        if may_send && way & 7 < 5 {
            self.running[at].is_sent = true;
            self.send(offer);
            return self.feed(Input::CallbackWritten(id));
        }
        self.running.remove(at);
        let result = match (is_sent, may_send) {
            (true, _) => others::answer_to_callback(way, offer),
            // It failed in between: it may have been sent.
            (false, true) if way & 8 == 8 => {
                self.send(offer);
                Err(others::unreachable(
                    NetworkProblem::ConnectionLost,
                    true,
                    false,
                ))
            }
            (false, _) => {
                let may_retry = way & 1 == 0;
                Err(others::unreachable(
                    NetworkProblem::TimedOut,
                    false,
                    may_retry,
                ))
            }
        };
        self.feed(Input::CallbackEnded(id, result));
    }

    fn send(&mut self, offer: u8) {
        self.check_stored_as("Asked", offer);
        self.watch.asked(offer);
    }

    /// Nothing comes of anything any more, and time passes until nobody waits.
    fn run_out(&mut self) {
        for _ in 0..2000 {
            let runs = |running: &Running| !running.is_stopped;
            let waiters = &self.watch.waiters;
            match self.running.iter().position(runs) {
                Some(at) => self.end_at(at, 7),
                // They wait for a channel that arrived, without a time limit.
                None if waiters.values().all(|wait| matches!(wait, Wait::Ready(_))) => return,
                None => self.due(),
            }
            self.check();
        }
        panic!("{:?} wait for ever", self.watch.waiters);
    }

    // ---- outputs ----

    fn carry_out(&mut self) {
        while let Some(output) = self.client.poll_output() {
            no_secret_in(&format!("{output:?}"));
            match output {
                Output::Changed {
                    request,
                    snapshot,
                    was_accepted,
                    step,
                    history,
                } => {
                    assert!(!self.is_preflight, "a preflight changed something");
                    self.watch.check_receipt(&snapshot, &history);
                    assert!(was_accepted || step.is_none(), "not accepted, and told of");
                    self.watch.changed(request, *snapshot, was_accepted);
                }
                Output::Forgotten(id) => self.watch.forgotten(id),
                Output::Answer { waiter, result, .. } => self.watch.answered(waiter, &result),
                Output::Run(id, task) => self.run(id, task),
                Output::Stop(id) => self.stop(id),
            }
        }
    }

    fn run(&mut self, id: TaskId, task: Task) {
        assert!(self.tasks.insert(id), "{id:?} runs twice");
        if let Task::ReleasePeer(peer) = &task {
            let mut snapshots = self.watch.snapshots();
            let needs = |s: &ChannelRequestSnapshot| s.is_running && s.offer.peer == *peer;
            return assert!(!snapshots.any(needs), "a call needs the peer");
        }
        assert!(!self.is_closed, "{task:?} after the end");
        let asks_node = matches!(task, Task::AskNode { .. });
        assert!(asks_node || !self.is_preflight, "a preflight does {task:?}");
        match &task {
            Task::Connect(peer) => {
                let connect = Task::Connect(peer.clone());
                let runs = self.running.iter().any(|running| running.task == connect);
                assert!(!runs, "two connects at once");
            }
            Task::OpenConnection { .. } => {
                self.opened.insert(id);
                return;
            }
            Task::Callback {
                opened_by: Some(opened_by),
                ..
            } => assert!(self.opened.remove(opened_by), "nothing was opened"),
            // What is no longer wanted is not begun.
            Task::Invoke { .. } if self.client.wants(id) => {
                self.check_stored_as("Asked", offer_of(&task).unwrap_or_default());
            }
            Task::CancelNotice(_) => {
                let offer = offer_of(&task).unwrap_or_default();
                self.check_stored_as("Cancelled", offer);
                self.watch.told_of_cancel(offer);
            }
            _ => {}
        }
        self.running.push(Running {
            id,
            task,
            is_stopped: false,
            is_of_preflight: self.is_preflight,
            is_sent: false,
        });
    }

    fn stop(&mut self, id: TaskId) {
        assert!(self.tasks.contains(&id), "{id:?} never ran");
        self.opened.remove(&id);
        let Some(running) = self.running.iter_mut().find(|running| running.id == id) else {
            return;
        };
        running.is_stopped = true;
        // The node may have handed the message over by now.
        if let Task::Invoke { .. } = running.task
            && !running.is_sent
        {
            running.is_sent = true;
            self.watch
                .asked(offer_of(&running.task).unwrap_or_default());
        }
    }

    /// Stored first, and then done. Several requests may come of one offer that stands in an LNURL.
    fn check_stored_as(&mut self, progress: &str, offer: u8) {
        let of_offer = self
            .watch
            .requests
            .iter()
            .filter(|(_, seen)| seen.offer == offer);
        let ids: Vec<String> = of_offer.map(|(id, _)| id.to_string()).collect();
        let records = &self.disk().records;
        let records = ids.iter().filter_map(|id| records.get(id));
        let mut records = records.filter_map(|record| serde_json::from_str::<Value>(record).ok());
        let is_stored = records.any(|record| record["progress"] == progress);
        assert!(is_stored, "something is sent, and nothing says {progress}");
    }

    // ---- what must hold at any time ----

    fn check(&mut self) {
        let is_sure = self.is_sure();
        let something_comes = self.client.poll_timeout().is_some()
            || self.running.iter().any(|running| !running.is_stopped);
        self.watch.check(something_comes, is_sure);
        for id in &self.opened {
            assert!(
                self.client.wants(*id),
                "a connection stays open for nothing"
            );
        }
    }

    /// After the end nothing is kept, and nothing begins.
    fn check_closed(&mut self) {
        self.happen(What::Fetch, 0);
        self.happen(What::Accept, 0);
        self.happen(What::Cancel, 0);
        self.happen(What::AwaitReady, 0);
        self.happen(What::Preflight, 0);
        let waiters = &self.watch.waiters;
        assert!(waiters.is_empty(), "nobody tells {waiters:?} of the end");
        let verdict = self.report_once(&channel(ChannelStage::Funded, 0));
        assert_eq!(verdict, ChannelVerdict::Unrequested);
        for at in (0..self.running.len()).rev() {
            self.end_at(at, 0);
        }
    }
}

fn visibility(how: u8) -> ChannelVisibility {
    match how & 16 {
        0 => ChannelVisibility::Unannounced,
        _ => ChannelVisibility::Announced,
    }
}

fn no_secret_in(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}
