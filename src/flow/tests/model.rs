//! The flow, model-checked: every state that a request can reach by any order of events, with a disk
//! that fails at any write, and a kill after any step.
//!
//! States are visited breadth first, each once, so that the path to a broken rule, which is then
//! printed, is a shortest one.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt::{self, Write};
use std::hash::{DefaultHasher, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::ChannelRequestState::{Arrived, Connecting, Offered, Requesting};
use super::*;

/// Something that happens between two states.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Move {
    /// An input, by name.
    Input(&'static str),
    /// The wallet reports the channel at this place of `channels`.
    Channel(usize),
    ChannelFails(&'static str),
    /// The app is killed and started again.
    Restart,
    DayPasses,
}

/// A move, and whether the disk is full meanwhile.
type Happened = (Move, bool);

/// What the user does. All else comes from outside.
const USER: [&str; 6] = [
    "accept",
    "accept announced",
    "resume",
    "pause",
    "decline",
    "cancel",
];
const WORLD: [&str; 13] = [
    "node ok",
    "node failed",
    "connected",
    "connect failed",
    "written",
    "agreed",
    "refused",
    "lost",
    "not sent",
    "check",
    "time over",
    "returned",
    "not returned",
];
const HOST: [&str; 4] = ["host offers", "host exists", "host refuses", "host babbles"];
/// What brings any call to its end, sooner or later.
const FAILURES: [&str; 5] = [
    "node failed",
    "lost",
    "not sent",
    "time over",
    "connect failed",
];

/// More of them in a row only make the next one later.
const FAILED_CONNECTS: u32 = 2;
/// Ends on their way to the wallet: the last, and one before. Each further is one more of the same.
const ENDS_ON_THEIR_WAY: usize = 2;

/// Calls that have returned one end; each further is one more of the same.
const CALLS_TOLD: u32 = 2;

/// One that grows up, and one of the other visibility.
fn channels() -> [IncomingChannel; 3] {
    [
        proposed("aa"),
        IncomingChannel {
            former_channel_id: Some("aa".into()),
            ..funded("ff")
        },
        IncomingChannel {
            is_announced: Some(true),
            ..proposed("bb")
        },
    ]
}

/// With the first `channel_count` of the channels.
fn moves(kind: ChannelKind, channel_count: usize) -> Vec<Move> {
    let of_kind: Vec<Move> = match kind {
        ChannelKind::Funded => {
            let reports = (0..channel_count).map(Move::Channel);
            reports
                .chain(["aa", "bb"].map(Move::ChannelFails))
                .collect()
        }
        ChannelKind::Hosted => HOST.map(Move::Input).to_vec(),
    };
    let by_name = USER.into_iter().chain(WORLD);
    let mut moves: Vec<Move> = by_name.map(Move::Input).chain(of_kind).collect();
    // A host knows no visibility.
    moves.retain(|m| kind == ChannelKind::Funded || *m != Move::Input("accept announced"));
    moves.extend([Move::Restart, Move::DayPasses]);
    moves
}

/// What left the device, as an onlooker outside keeps it in mind. No kill makes them forget.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
struct Onlooker {
    consented: bool,
    /// Asked, or possibly so.
    asked: bool,
    /// The same, before the running call.
    asked_before_call: bool,
    asks_in_call: u8,
    told_of_cancel: bool,
    /// The user left for good, so that nothing more may be sent.
    left: bool,
}

struct State {
    bench: Bench,
    unrequested: Unrequested,
    onlooker: Onlooker,
}

impl State {
    fn first(kind: ChannelKind) -> Self {
        Self {
            bench: Bench::of(kind),
            unrequested: Unrequested::default(),
            onlooker: Onlooker::default(),
        }
    }

    fn fork(&self) -> Self {
        let bench = Bench {
            stored: self.bench.stored.clone(),
            call: self.bench.call.clone(),
            now: self.bench.now,
            answer_is_due: self.bench.answer_is_due,
            on_their_way: self.bench.on_their_way.clone(),
            ..Bench::new(self.bench.request.clone())
        };
        Self {
            bench,
            unrequested: self.unrequested.clone(),
            onlooker: self.onlooker.clone(),
        }
    }

    /// Equal for states from which the same can happen.
    fn fingerprint(&self) -> u64 {
        let Bench {
            request,
            now,
            stored,
            call,
            answer_is_due,
            on_their_way,
            ..
        } = &self.bench;
        let mut digest = Digest::default();
        digest.request(request);
        match stored {
            // Most records are what the request is.
            Some(stored) if stored.progress == request.progress => digest.add(&"same"),
            Some(stored) => digest.request(stored),
            None => digest.add(&"none"),
        }
        if let Some(call) = call {
            let place = |task: &Option<Task>| task.as_ref().map(std::mem::discriminant);
            let running = [&call.asking, &call.connecting, &call.deadline, &call.check];
            digest.add(&(running.map(place), call.written, &request.call));
        }
        // Which ends they are tells only apart the last from those before.
        let are_last: Vec<bool> = on_their_way
            .iter()
            .map(|end| *end == request.ends())
            .collect();
        digest.add(&(now, answer_is_due, are_last, &self.onlooker));
        digest.add(&self.unrequested);
        digest.0.finish()
    }

    fn can(&self, happens: Move) -> bool {
        let request = &self.bench.request;
        match happens {
            Move::Input("connect failed") if self.connects_failed() >= FAILED_CONNECTS => false,
            Move::Input(name) => self.bench.could_get(&named(name, &self.bench)),
            Move::Channel(_) => request.accepted,
            Move::ChannelFails(_) => request.progress.outcome.is_some(),
            Move::Restart => self.bench.stored.is_some(),
            Move::DayPasses => request.is_done() && self.bench.now == NOW,
        }
    }

    fn connects_failed(&self) -> u32 {
        let call = self.bench.call.as_ref();
        match call.and_then(|call| call.check.as_ref()) {
            Some(Task::CheckLater { failed_connects }) => *failed_connects,
            _ => 0,
        }
    }

    /// The state after `happens`, and whether anything was, or should have been, stored.
    fn after(&self, (happens, disk_full): Happened) -> (Self, bool) {
        let mut next = self.fork();
        next.bench.disk_full = disk_full;
        let was_refused = next.take(happens);
        let mut stores = was_refused;
        for taken in std::mem::take(&mut next.bench.log) {
            stores |= taken.step.store != Store::No;
            next.onlooker.see(&taken);
        }
        next.bench.disk_full = false;
        let on_their_way = &mut next.bench.on_their_way;
        on_their_way.drain(..on_their_way.len().saturating_sub(ENDS_ON_THEIR_WAY));
        next.check();
        (next, stores)
    }

    /// True if the disk had to take something, and did not.
    fn take(&mut self, happens: Move) -> bool {
        match happens {
            Move::Input(name) => {
                let input = named(name, &self.bench);
                let result = self.bench.input(input);
                return matches!(result, Err(LnurlChannelError::StorageFailed { .. }));
            }
            Move::Channel(place) => self.report(place),
            Move::ChannelFails(id) => {
                let failed = Input::ChannelFailed(id.into());
                self.bench.input(failed).expect("a fact was refused");
            }
            Move::Restart => {
                self.bench.restart();
                assert_ne!(self.bench.state(), Requesting, "nothing is in flight");
                // That nothing was sent may not have been stored: then it may have been.
                self.onlooker.asked |= self.bench.request.progress.asked;
            }
            Move::DayPasses => self.bench.now += DAY,
        }
        false
    }

    /// Reported again, a channel gets the same verdict, and nothing changes.
    fn report(&mut self, place: usize) {
        let channel = &channels()[place];
        let verdict = self.report_once(channel);
        let before = self.bench.request.clone();
        let steps = self.bench.log.len();
        assert_eq!(self.report_once(channel), verdict, "another verdict");
        assert_eq!(self.bench.request, before, "a replay changes something");
        self.bench.log.truncate(steps);
    }

    fn report_once(&mut self, channel: &IncomingChannel) -> ChannelVerdict {
        let now = self.bench.now;
        let bench = std::slice::from_mut(&mut self.bench);
        report(bench, &mut self.unrequested, now, channel.clone())
    }

    /// Let everything go wrong until no call runs.
    fn end(&mut self) {
        for _ in 0..FAILURES.len() {
            if self.bench.call.is_none() {
                return;
            }
            let mut names = FAILURES.into_iter();
            let name = names.find(|name| self.can(Move::Input(name)));
            let name = name.expect("a call that hangs");
            self.take(Move::Input(name));
        }
        assert!(self.bench.call.is_none(), "a call that does not end");
    }

    /// The rules that hold in every state.
    fn check(&self) {
        let request = &self.bench.request;
        let (state, progress) = (request.state(), &request.progress);
        assert_eq!(request.is_running(), self.bench.call.is_some());
        assert!(state != Requesting || request.is_running(), "who asks?");
        assert_eq!(progress.outcome.is_some(), state == Arrived);
        assert_eq!(progress.ended_at.is_some(), state.has_ended());
        assert!(
            self.onlooker.consented || !request.accepted,
            "accepted by nobody"
        );
        if let Some(call) = &self.bench.call {
            let connects_to_ask = call.connecting.is_some() && self.onlooker.asks_in_call == 0;
            assert!(
                call.asking.is_some() || call.deadline.is_some() || connects_to_ask,
                "nothing will end this call"
            );
        }
        if self.onlooker.asked {
            let stored = self.bench.stored.as_ref().expect("asked, and not stored");
            for request in [request, stored] {
                assert!(request.progress.asked, "it is forgotten that it was asked");
                let state = request.state();
                assert!(
                    !matches!(state, Offered | Connecting),
                    "{state:?} denies it"
                );
                assert!(request.state().has_ended() || request.is_unfinished());
            }
        }
    }
}

impl Onlooker {
    /// Judge what a step leads to.
    fn see(&mut self, taken: &Taken) {
        let begins = matches!(taken.input, Input::Accept(_) | Input::Resume);
        if begins {
            self.asked_before_call = self.asked;
            self.asks_in_call = 0;
        }
        match &taken.input {
            Input::Accept(_) => self.consented = true,
            // Provably unsent: what this call did counts for nothing.
            Input::Asked(Asked::NotSent(_)) => self.asked = self.asked_before_call,
            _ => {}
        }
        for action in &taken.step.actions {
            match action {
                Action::Run(Task::SendCallback(_) | Task::SendInvoke(_)) => self.see_ask(taken),
                Action::Run(Task::AskNode { .. } | Task::Connect) => self.see_node_at_work(),
                Action::SendCancel(url) => self.see_cancel(url.expose()),
                Action::Run(_) | Action::Emit(_) | Action::End(_) => {}
            }
        }
        let ends = |action: &&Action| matches!(action, Action::End(_));
        let ends = taken.step.actions.iter().filter(ends).count();
        let runs = taken.before.is_running() || begins;
        assert!(ends <= usize::from(runs), "a call ended twice");
        self.left |= matches!(taken.input, Input::Decline | Input::Cancel);
    }

    fn see_ask(&mut self, taken: &Taken) {
        self.see_node_at_work();
        assert!(taken.input == Input::Connected(Ok(())), "asked unconnected");
        assert_eq!(taken.step.store, Store::BeforeEffect, "asked, then stored");
        self.asks_in_call += 1;
        assert_eq!(self.asks_in_call, 1, "asked twice in a call");
        self.asked = true;
    }

    fn see_node_at_work(&self) {
        assert!(self.consented, "the node is used without consent");
        assert!(!self.left, "something happens after the user left");
    }

    fn see_cancel(&mut self, url: &str) {
        assert!(self.asked, "told of a cancel, without having been asked");
        assert!(!self.told_of_cancel, "told of a cancel twice");
        assert!(url.contains("cancel=1") && !url.contains("private="));
        self.told_of_cancel = true;
    }
}

/// A hash of what is printed, so that it takes in all that `Debug` shows.
#[derive(Default)]
struct Digest(DefaultHasher);

impl Digest {
    fn add(&mut self, value: &dyn fmt::Debug) {
        write!(self, "{value:?}/").expect("a hasher takes all");
    }

    fn request(&mut self, request: &Request) {
        let progress = &request.progress;
        self.add(&(request.accepted, request.credentials.is_some()));
        self.add(&(progress.state, progress.asked, progress.agreed));
        self.add(&(progress.visibility, progress.node_id.is_some()));
        self.add(&(progress.refund_script.is_some(), progress.ended_at));
        self.add(&(progress.returned, &progress.known_channels));
        self.add(&(request.asked_since_start, request.told.min(CALLS_TOLD)));
        if let Some(outcome) = &progress.outcome {
            self.add(outcome);
        }
    }
}

impl fmt::Write for Digest {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

/// A state's place in the order of discovery.
type Number = usize;

/// The states that were found, and how.
struct Model {
    kind: ChannelKind,
    known: HashMap<u64, Number>,
    /// The state before, and what happened then.
    origins: Vec<Option<(Number, Happened)>>,
    depths: Vec<usize>,
    /// No call runs there, or it was seen to end.
    can_end: Vec<bool>,
    /// To each state, those that lead to it without the user.
    led_by_the_world: Vec<Vec<Number>>,
    reached: HashSet<(ChannelRequestState, bool)>,
    transitions: usize,
    /// States at the bound, whose moves were not tried.
    untried: usize,
}

impl Model {
    fn explore(kind: ChannelKind, channel_count: usize, max_depth: usize) -> Self {
        let mut model = Self {
            kind,
            known: HashMap::new(),
            origins: Vec::new(),
            depths: Vec::new(),
            can_end: Vec::new(),
            led_by_the_world: Vec::new(),
            reached: HashSet::new(),
            transitions: 0,
            untried: 0,
        };
        let mut queue = VecDeque::new();
        let first = State::first(kind);
        model.number(&first, None);
        queue.push_back((0, first));
        let moves = moves(kind, channel_count);
        while let Some((number, state)) = queue.pop_front() {
            if model.depths[number] == max_depth {
                model.untried += 1;
                model.trace(number, "the end", || state.fork().end());
                model.can_end[number] = true;
                continue;
            }
            for happens in moves.iter().filter(|happens| state.can(**happens)) {
                model.take(number, &state, *happens, &mut queue);
            }
        }
        model
    }

    fn take(
        &mut self,
        from: Number,
        state: &State,
        happens: Move,
        queue: &mut VecDeque<(Number, State)>,
    ) {
        for disk_full in [false, true] {
            let happened = (happens, disk_full);
            let (next, stores) = self.trace(from, happened, || state.after(happened));
            self.transitions += 1;
            let (to, is_new) = self.number(&next, Some((from, happened)));
            let by_the_world = !matches!(happens, Move::Input(name) if USER.contains(&name))
                && happens != Move::Restart;
            if by_the_world {
                self.led_by_the_world[to].push(from);
            }
            if is_new {
                queue.push_back((to, next));
            }
            // Where nothing is stored, a full disk makes no difference.
            if !stores {
                return;
            }
        }
    }

    fn number(&mut self, state: &State, origin: Option<(Number, Happened)>) -> (Number, bool) {
        let next = self.origins.len();
        let number = *self.known.entry(state.fingerprint()).or_insert(next);
        let is_new = number == next;
        if is_new {
            let depth = origin.map_or(0, |(from, _)| self.depths[from] + 1);
            self.origins.push(origin);
            self.depths.push(depth);
            let running = state.bench.request.is_running();
            self.can_end.push(!running);
            self.led_by_the_world.push(Vec::new());
            self.reached.insert((state.bench.state(), running));
        }
        (number, is_new)
    }

    /// Prints the way to where a rule breaks.
    fn trace<T>(&self, from: Number, then: impl fmt::Debug, go_on: impl FnOnce() -> T) -> T {
        catch_unwind(AssertUnwindSafe(go_on)).unwrap_or_else(|panic| {
            println!(
                "{:?}, each with whether the disk was full: {:?}",
                self.kind,
                self.path_to(from)
            );
            println!("then {then:?}");
            resume_unwind(panic)
        })
    }

    fn path_to(&self, number: Number) -> Vec<Happened> {
        let mut path = Vec::new();
        let mut at = number;
        while let Some((from, happened)) = self.origins[at] {
            path.push(happened);
            at = from;
        }
        path.reverse();
        path
    }

    /// Every running call can end without the user: by what the world does, and time.
    fn check_that_all_can_end(&self) {
        let mut can_end = self.can_end.clone();
        let mut ends: Vec<Number> = (0..can_end.len()).filter(|n| can_end[*n]).collect();
        while let Some(number) = ends.pop() {
            for &from in &self.led_by_the_world[number] {
                if !std::mem::replace(&mut can_end[from], true) {
                    ends.push(from);
                }
            }
        }
        let hangs = can_end.iter().position(|can_end| !can_end);
        assert_eq!(
            hangs.map(|number| self.path_to(number)),
            None,
            "a call that cannot end"
        );
    }
}

fn explore(kind: ChannelKind, channel_count: usize, max_depth: usize) -> Model {
    let model = Model::explore(kind, channel_count, max_depth);
    println!(
        "{kind:?}, {channel_count} channels: {} states, {} transitions, depth {}; {} states at the \
         bound",
        model.origins.len(),
        model.transitions,
        model.depths.last().unwrap_or(&0),
        model.untried,
    );
    model.check_that_all_can_end();
    model
}

const NO_BOUND: usize = usize::MAX;

// What they reach is asserted, so that they cannot come to check less and less unseen.

#[test]
#[cfg_attr(miri, ignore = "too many states for an interpreter")]
fn every_state_of_a_funded_request_keeps_the_rules() {
    let model = explore(ChannelKind::Funded, 0, NO_BOUND);
    assert!(model.untried == 0 && model.origins.len() >= 29_900 && model.transitions >= 425_000);
}

/// With channels that arrive, grow up and fail, there are too many states to visit all.
#[test]
#[cfg_attr(miri, ignore = "too many states for an interpreter")]
fn every_state_with_channels_keeps_the_rules_up_to_a_depth() {
    let model = explore(ChannelKind::Funded, channels().len(), 9);
    assert!(model.origins.len() >= 48_000 && model.transitions >= 320_000);
    // As the properties reach: a call runs in five states, none in all but `Requesting`.
    assert_eq!(model.reached.len(), 13);
}

#[test]
#[cfg_attr(miri, ignore = "too many states for an interpreter")]
fn every_state_of_a_hosted_request_keeps_the_rules() {
    let model = explore(ChannelKind::Hosted, 0, NO_BOUND);
    assert!(model.untried == 0 && model.origins.len() >= 14_100 && model.transitions >= 193_000);
}
