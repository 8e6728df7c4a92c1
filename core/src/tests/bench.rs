//! A driver in virtual time. It feeds a client with what a test says, and keeps what the client wants done:
//! nothing is carried out by itself. After each input it checks what must always hold (`checks.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::checks::{Asks, Cause};
use super::samples::*;
use crate::protocol::{ChannelKind, ChannelVisibility};
use crate::*;

/// A journal in memory. A clone is a copy of the disk.
#[derive(Clone, Default)]
pub struct MemoryJournal {
    pub records: BTreeMap<String, String>,
    pub set_aside: Vec<(String, Option<String>)>,
    pub is_full: bool,
    pub writes: u32,
}

impl Journal for MemoryJournal {
    fn write(&mut self, name: &str, content: &str) -> Result<(), String> {
        if self.is_full {
            return Err("the disk is full".into());
        }
        self.writes += 1;
        self.records.insert(name.into(), content.into());
        Ok(())
    }

    fn remove(&mut self, name: &str) {
        self.records.remove(name);
    }

    fn set_aside(&mut self, name: &str, content: Option<&str>) {
        self.records.remove(name);
        self.set_aside.push((name.into(), content.map(Into::into)));
    }
}

#[derive(Clone)]
pub struct Bench {
    pub client: Client<MemoryJournal>,
    pub settings: Settings,
    pub now: Now,
    /// Ids of the channels that the node lists for any peer.
    pub listed: Vec<String>,
    /// What else it tells of itself.
    pub readiness: NodeReadiness,
    /// What the last input led to, in order.
    pub done: Vec<Output>,
    pub offers: BTreeMap<RequestId, Service>,
    /// What runs, and comes back.
    pub tasks: BTreeMap<TaskId, Task>,
    /// Connections that are opened for callbacks, and not taken yet.
    pub opened: BTreeSet<TaskId>,
    pub snapshots: BTreeMap<RequestId, ChannelRequestSnapshot>,
    pub answers: BTreeMap<Waiter, Result<Answer, LnurlChannelError>>,
    pub asks: BTreeMap<RequestId, Asks>,
    pub(super) waiting: BTreeSet<Waiter>,
    pub(super) left: BTreeSet<Waiter>,
    pub(super) last_task: Option<TaskId>,
    pub(super) names: BTreeMap<TaskId, &'static str>,
    next: u64,
    /// The wall clock was set: what is loaded may be taken as now.
    pub(super) clock_was_set: bool,
    /// Whether the dearer checks are made too.
    pub is_thorough: bool,
}

impl Bench {
    pub fn new() -> Self {
        Self::with_settings(SETTINGS)
    }

    pub fn with_settings(settings: Settings) -> Self {
        Self::starting(settings, MemoryJournal::default(), START_MILLIS)
    }

    pub fn starting(settings: Settings, journal: MemoryJournal, unix_millis: u64) -> Self {
        let now = Now {
            since_start: Duration::ZERO,
            unix_millis,
        };
        let mut bench = Self {
            client: client_of(settings, journal, now),
            settings,
            now,
            listed: Vec::new(),
            readiness: NodeReadiness::default(),
            done: Vec::new(),
            offers: BTreeMap::new(),
            tasks: BTreeMap::new(),
            opened: BTreeSet::new(),
            snapshots: BTreeMap::new(),
            answers: BTreeMap::new(),
            asks: BTreeMap::new(),
            waiting: BTreeSet::new(),
            left: BTreeSet::new(),
            last_task: None,
            names: BTreeMap::new(),
            next: 0,
            clock_was_set: false,
            is_thorough: true,
        };
        bench.take_outputs(None);
        bench
    }

    /// The app is killed, and started again with what the disk holds.
    pub fn restart(&mut self) {
        self.restart_at(self.now.unix_millis);
    }

    /// As `restart`, and the wall clock shows this then.
    pub fn restart_at(&mut self, unix_millis: u64) {
        self.clock_was_set |= unix_millis != self.now.unix_millis;
        self.now = Now {
            since_start: Duration::ZERO,
            unix_millis,
        };
        let journal = self.client.journal_mut().clone();
        self.client = client_of(self.settings, journal, self.now);
        self.done.clear();
        self.tasks.clear();
        self.opened.clear();
        self.snapshots.clear();
        self.waiting.clear();
        self.left.clear();
        self.last_task = None;
        self.take_outputs(None);
    }

    pub fn set_wall_clock(&mut self, unix_millis: u64) {
        self.clock_was_set = true;
        self.now.unix_millis = unix_millis;
    }

    pub fn journal(&mut self) -> &mut MemoryJournal {
        self.client.journal_mut()
    }

    pub fn writes(&mut self) -> u32 {
        self.journal().writes
    }

    // ---- feeding ----

    /// Feed an input, keep what follows, and check what must hold.
    pub fn feed(&mut self, input: Input) {
        self.see(&input);
        self.done.clear();
        let cause = Cause::of(&input);
        self.client.handle(self.now, input);
        self.take_outputs(cause);
        if cause == Some(Cause::Time) {
            let next = self.client.poll_timeout();
            assert!(
                next.is_none_or(|at| at > self.now.since_start),
                "it is due again at once"
            );
        }
    }

    pub fn report(&mut self, channel: IncomingChannel) -> ChannelVerdict {
        self.done.clear();
        let verdict = self.client.report_incoming_channel(self.now, channel);
        self.take_outputs(None);
        verdict
    }

    pub fn host_says(&mut self, peer_id: &str, message_type: u16, payload: &[u8]) -> bool {
        self.done.clear();
        let is_taken = self
            .client
            .report_peer_message(self.now, peer_id, message_type, payload);
        self.take_outputs(None);
        is_taken
    }

    pub fn take_answer(&mut self, offer: Service) -> Result<RequestId, LnurlChannelError> {
        self.done.clear();
        let new_id = self.new_id();
        let body = offer.body();
        let now = self.now;
        let taken = self
            .client
            .take_answer(now, &offer.lnurl(), body.as_bytes(), new_id);
        if let Ok(id) = taken {
            self.offers.insert(id, offer);
        }
        self.take_outputs(None);
        taken
    }

    /// Let time pass, with every instant that the client names.
    pub fn advance(&mut self, by: Duration) {
        let end = self.now.since_start + by;
        let mut all = Vec::new();
        while let Some(at) = self.client.poll_timeout().filter(|at| *at <= end) {
            self.move_to(at.max(self.now.since_start));
            self.feed(Input::TimePassed);
            all.append(&mut self.done);
        }
        self.move_to(end);
        self.done = all;
    }

    /// Let time pass until the client is due.
    pub fn advance_to_timeout(&mut self) {
        let at = self.client.poll_timeout().expect("nothing is due");
        self.move_to(at);
        self.feed(Input::TimePassed);
    }

    /// The phone sleeps: the clocks go on, and the client is told afterwards only.
    pub fn sleep(&mut self, by: Duration) {
        self.move_to(self.now.since_start + by);
        self.feed(Input::TimePassed);
    }

    fn move_to(&mut self, since_start: Duration) {
        let millis = |at: Duration| u64::try_from(at.as_millis()).unwrap();
        self.now.unix_millis += millis(since_start) - millis(self.now.since_start);
        self.now.since_start = since_start;
    }

    pub fn new_waiter(&mut self) -> Waiter {
        self.next += 1;
        Waiter(self.next)
    }

    pub fn new_id(&mut self) -> RequestId {
        self.next += 1;
        let bytes = u128::from(self.next).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        RequestId::of_random(bytes.to_be_bytes())
    }

    pub fn waits(&self, waiter: Waiter) -> bool {
        self.waiting.contains(&waiter)
    }

    // ---- what the wallet asks for ----

    pub fn fetch(&mut self, offer: Service) -> Waiter {
        let waiter = self.new_waiter();
        let new_id = self.new_id();
        self.feed(Input::Fetch {
            waiter,
            lnurl: offer.lnurl(),
            new_id,
        });
        waiter
    }

    /// Fetch an offer; the service answers.
    pub fn offered(&mut self, offer: Service) -> RequestId {
        self.offered_with(offer, &offer.body())
    }

    pub fn offered_with(&mut self, offer: Service, body: &str) -> RequestId {
        let waiter = self.fetch(offer);
        if self.waits(waiter) {
            let task = self.task(|task| matches!(task, Task::Get(_)));
            let reply = reply(body, offer.lnurl().as_url());
            self.feed(Input::Got(task, Ok(reply)));
        }
        let Some(Ok(Answer::Request(id))) = self.answers.get(&waiter).cloned() else {
            panic!("no request: {:?}", self.answers.get(&waiter));
        };
        self.offers.insert(id, offer);
        id
    }

    /// Fetch the offer of this number from `PEER`.
    pub fn offer(&mut self, kind: ChannelKind, number: u64) -> RequestId {
        self.offered(Service::new(kind, number))
    }

    pub fn accept(&mut self, request: RequestId, visibility: ChannelVisibility) -> Waiter {
        let waiter = self.new_waiter();
        self.feed(Input::Accept {
            waiter,
            request,
            visibility,
        });
        waiter
    }

    pub fn ask_again(&mut self, request: RequestId, visibility: ChannelVisibility) -> Waiter {
        let waiter = self.new_waiter();
        self.feed(Input::AskAgain {
            waiter,
            request,
            visibility,
        });
        waiter
    }

    pub fn await_ready(&mut self, request: RequestId) -> Waiter {
        let waiter = self.new_waiter();
        self.feed(Input::AwaitReady { waiter, request });
        waiter
    }

    pub fn preflight(&mut self, request: RequestId, visibility: ChannelVisibility) -> Waiter {
        let waiter = self.new_waiter();
        self.feed(Input::Preflight {
            waiter,
            request,
            visibility,
        });
        waiter
    }

    pub fn cancel(&mut self, request: RequestId) -> Waiter {
        let waiter = self.new_waiter();
        self.feed(Input::Cancel { waiter, request });
        waiter
    }

    pub fn dismiss(&mut self, request: RequestId) -> Waiter {
        let waiter = self.new_waiter();
        self.feed(Input::Dismiss { waiter, request });
        waiter
    }

    // ---- what came of tasks ----

    pub fn tasks_where(&self, wanted: impl Fn(&Task) -> bool) -> Vec<TaskId> {
        let found = self.tasks.iter().filter(|(_, task)| wanted(task));
        found.map(|(id, _)| *id).collect()
    }

    /// The only task of this sort that runs.
    pub fn task(&self, wanted: impl Fn(&Task) -> bool) -> TaskId {
        let found = self.tasks_where(wanted);
        assert_eq!(found.len(), 1, "{:?}", self.tasks);
        found[0]
    }

    pub fn asks_node(&self, request: RequestId) -> Option<TaskId> {
        let is_own =
            |task: &Task| matches!(task, Task::AskNode { request: of, .. } if *of == request);
        self.tasks_where(is_own).first().copied()
    }

    pub fn connects(&self, peer_id: &str) -> Option<TaskId> {
        let is_own = |task: &Task| matches!(task, Task::Connect(peer) if peer.node_id == peer_id);
        self.tasks_where(is_own).first().copied()
    }

    /// The callback of this request, or its message to the host.
    pub fn asks_service(&self, request: RequestId) -> Option<TaskId> {
        let offer = self.offers[&request];
        let found = self.tasks.iter().find(|(_, task)| match task {
            Task::Callback { url, .. } => url.expose().contains(&offer.k1()),
            Task::Invoke { payload, .. } => hex::encode(payload.expose()).ends_with(&offer.k1()),
            _ => false,
        });
        found.map(|(id, _)| *id)
    }

    pub fn sends_cancel(&self, request: RequestId) -> Option<TaskId> {
        let k1 = self.offers[&request].k1();
        let is_own =
            |task: &Task| matches!(task, Task::CancelNotice(url) if url.expose().contains(&k1));
        self.tasks_where(is_own).first().copied()
    }

    /// The URL that asks, or cancels, while its task runs.
    pub fn url_of(&self, task: TaskId) -> &str {
        match &self.tasks[&task] {
            Task::Callback { url, .. } | Task::CancelNotice(url) => url.expose(),
            other => panic!("{other:?} has no URL"),
        }
    }

    pub fn node_tells(&mut self, request: RequestId) {
        let task = self.asks_node(request).expect("the node is not asked");
        let facts = self.facts(task);
        self.feed(Input::NodeAsked(task, Ok(facts)));
    }

    /// What the node says when this asks.
    pub fn facts(&self, task: TaskId) -> NodeFacts {
        let Task::AskNode {
            readiness_for,
            refund_script,
            ..
        } = &self.tasks[&task]
        else {
            panic!("the node is not asked");
        };
        NodeFacts {
            node_id: OWN.into(),
            readiness: readiness_for.as_ref().map(|_| NodeReadiness {
                channel_ids: self.listed.clone(),
                ..self.readiness.clone()
            }),
            refund_script: refund_script.then(|| [vec![0, 20], vec![7; 20]].concat()),
        }
    }

    pub fn connected(&mut self, peer_id: &str) {
        let task = self.connects(peer_id).expect("nothing connects");
        self.feed(Input::Connected(task, Ok(())));
    }

    pub fn written(&mut self, request: RequestId) {
        let task = self.asks_service(request).expect("nothing is asked");
        self.feed(Input::CallbackWritten(task));
    }

    /// The service answers the callback, or the connection took the message to the host.
    pub fn answered(&mut self, request: RequestId, body: &str) {
        let task = self.asks_service(request).expect("nothing is asked");
        let url = self.offers[&request].lnurl();
        self.feed(Input::CallbackEnded(task, Ok(reply(body, url.as_url()))));
    }

    pub fn callback_fails(&mut self, request: RequestId, failure: HttpFailure) {
        let task = self.asks_service(request).expect("nothing is asked");
        self.feed(Input::CallbackEnded(task, Err(failure)));
    }

    pub fn invoked(&mut self, request: RequestId, result: Result<(), NodeFailure>) {
        let task = self.asks_service(request).expect("nothing is asked");
        self.feed(Input::Invoked(task, result));
    }

    // ---- whole stretches ----

    /// From `accept` to where the service is being asked.
    pub fn asked(&mut self, request: RequestId, visibility: ChannelVisibility) -> Waiter {
        let waiter = self.accept(request, visibility);
        self.go_on_to_ask(request);
        waiter
    }

    pub fn go_on_to_ask(&mut self, request: RequestId) {
        self.node_tells(request);
        let peer_id = self.offers[&request].peer_id;
        self.connected(peer_id);
        if self.offers[&request].kind == ChannelKind::Funded {
            self.written(request);
        }
    }

    /// From `accept` to where the channel is awaited.
    pub fn agreed(&mut self, request: RequestId, visibility: ChannelVisibility) -> Waiter {
        let waiter = self.asked(request, visibility);
        self.agree(request);
        waiter
    }

    pub fn agree(&mut self, request: RequestId) {
        match self.offers[&request].kind {
            ChannelKind::Funded => self.answered(request, OK),
            ChannelKind::Hosted => self.invoked(request, Ok(())),
        }
    }

    // ---- looking ----

    pub fn snapshot(&self, request: RequestId) -> &ChannelRequestSnapshot {
        &self.snapshots[&request]
    }

    pub fn state(&self, request: RequestId) -> ChannelRequestState {
        self.snapshots[&request].state
    }

    pub fn answer(&self, waiter: Waiter) -> &Result<Answer, LnurlChannelError> {
        let answer = self.answers.get(&waiter);
        answer.expect("the waiter has no answer")
    }

    /// What the last input led to, in short: `!` before a step, `=` before an answer.
    pub fn shown(&self) -> String {
        let shown = self.done.iter().map(|output| match output {
            Output::Changed { step, .. } => match step {
                Some(step) => format!("!{step:?}"),
                None => "!".into(),
            },
            Output::Forgotten(_) => "Forgotten".into(),
            Output::Answer { result, .. } => format!("={}", shown_answer(result)),
            Output::Run(task, _) => self.names[task].into(),
            Output::Stop(task) => format!("Stop({})", self.names[task]),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    /// The last receipt of a request.
    pub fn receipt(&self, request: RequestId) -> String {
        let published = self.done.iter().rev().find_map(|output| match output {
            Output::Changed {
                request: of,
                snapshot,
                history,
                ..
            } if *of == request => Some(receipt(snapshot, history)),
            _ => None,
        });
        published.expect("it has not changed")
    }

    pub fn steps(&self) -> Vec<ChannelStep> {
        let steps = self.done.iter().filter_map(|output| match output {
            Output::Changed { step, .. } => *step,
            _ => None,
        });
        steps.collect()
    }

    pub fn releases(&self) -> usize {
        let release = |output: &&Output| matches!(output, Output::Run(_, Task::ReleasePeer(_)));
        self.done.iter().filter(release).count()
    }
}

fn client_of(settings: Settings, mut journal: MemoryJournal, now: Now) -> Client<MemoryJournal> {
    journal.writes = 0;
    let records = journal.records.iter().map(|(name, content)| Stored {
        name: name.clone(),
        content: Some(content.clone().into_bytes()),
    });
    let records = records.collect();
    Client::new(settings, journal, now, records)
}

pub fn name_of(task: &Task) -> &'static str {
    match task {
        Task::Get(_) => "Get",
        Task::AskNode {
            readiness_for,
            refund_script,
            ..
        } => match (readiness_for, refund_script) {
            (None, false) => "AskNode",
            (Some(_), false) => "AskNode+readiness",
            (None, true) => "AskNode+script",
            (Some(_), true) => "AskNode+readiness+script",
        },
        Task::Connect(_) => "Connect",
        Task::OpenConnection { .. } => "OpenConnection",
        Task::Callback { .. } => "Callback",
        Task::Invoke { .. } => "Invoke",
        Task::CancelNotice(_) => "CancelNotice",
        Task::ReleasePeer(_) => "ReleasePeer",
    }
}

fn shown_answer(result: &Result<Answer, LnurlChannelError>) -> String {
    match result {
        Ok(Answer::Outcome(outcome)) => first_word(&format!("{outcome:?}")),
        Ok(other) => first_word(&format!("{other:?}")),
        Err(error) => first_word(&format!("{error:?}")),
    }
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric()).collect()
}
