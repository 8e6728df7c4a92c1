//! A client to which acts happen, and an onlooker who remembers what channels were told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Duration;

use super::super::bench::Bench;
use super::super::play::host_offers;
use super::super::samples::*;
use super::LONGEST_CALL;
use super::acts::*;
use crate::protocol::ChannelVisibility::Unannounced;
use crate::*;
use ChannelVerdict::{Duplicate, Expected, Unrequested, Unwanted, WrongVisibility};

/// What an onlooker knows of a funded channel.
pub struct Known {
    verdict: ChannelVerdict,
    /// Then it may be lost, and what is told of it depends on its request.
    was_closed: bool,
}

/// One of what there is to scan, with the secrets of this number.
pub fn service(which: usize, number: u64) -> Service {
    let (kind, peer_id) = OFFERED[which];
    Service {
        number,
        kind,
        peer_id,
    }
}

pub struct World {
    pub bench: Bench,
    /// The number of the next new offer.
    next_offer: u64,
    /// Everyone who waits for an answer, or got one, and did not leave.
    pub waiters: Vec<Waiter>,
    /// Tasks that have run.
    past: Vec<(TaskId, Task)>,
    pub verdicts: BTreeMap<(&'static str, &'static str), Known>,
    /// The requests that the peer proposed a channel for since the app was started.
    pub proposed_for: BTreeSet<RequestId>,
    /// The disk was full: something may be known that is not written yet.
    is_unwritten: bool,
    pub is_shut_down: bool,
}

/// Three offers are on the screen.
pub static START: LazyLock<Bench> = LazyLock::new(|| {
    let mut bench = Bench::new();
    for (number, which) in [(100, 0), (101, 1), (102, 5)] {
        bench.take_answer(service(which, number)).unwrap();
    }
    bench
});

impl World {
    pub fn new(is_thorough: bool) -> Self {
        let mut bench = START.clone();
        bench.is_thorough = is_thorough;
        Self {
            bench,
            next_offer: 200,
            waiters: Vec::new(),
            past: Vec::new(),
            verdicts: BTreeMap::new(),
            proposed_for: BTreeSet::new(),
            is_unwritten: false,
            is_shut_down: false,
        }
    }

    pub fn after(acts: &[Act], is_thorough: bool) -> Self {
        let mut world = Self::new(is_thorough);
        for act in acts {
            world.act(*act);
        }
        world
    }

    pub fn act(&mut self, act: Act) {
        let running: Vec<(TaskId, Task)> = self.bench.tasks.clone().into_iter().collect();
        match act {
            Act::Scan(which) => self.scan(which),
            Act::TakeAnswer(which) => self.take_answer(which),
            Act::User(which, act) => self.user(which, act),
            Act::Leave(which) => self.leave(which),
            Act::Goes(which, how) => {
                if let Some((task, work)) = chosen(&running, which) {
                    self.go_on(task, &work, how);
                }
            }
            Act::GoesLate(which, how) => self.go_on_late(which, how),
            Act::Reports {
                peer,
                stage,
                id,
                former,
                announced,
            } => {
                let channel = IncomingChannel {
                    former_channel_id: TEMPORARY[former].map(Into::into),
                    is_announced: TOLD[announced],
                    ..from_peer(PEERS[peer], channel(stage, IDS[id]))
                };
                self.report(PEERS[peer], IDS[id], channel);
            }
            Act::Closed(peer, id) => self.close(PEERS[peer], IDS.get(id).copied()),
            Act::HostSays(peer, what) => self.host_says(PEERS[peer], what),
            Act::Connection(peer, is_connected) => self.bench.feed(Input::PeerConnection {
                peer_id: PEERS[peer].to_uppercase(),
                is_connected,
            }),
            Act::CheckPeers => self.bench.feed(Input::CheckPeers),
            Act::IsDue => drop(self.go_on_to_next(Duration::MAX)),
            Act::Passes(span, false) => self.bench.advance(Duration::from_secs(SPANS[span])),
            Act::Passes(span, true) => self.bench.sleep(Duration::from_secs(SPANS[span])),
            Act::SetClock(which) => self.bench.set_wall_clock(CLOCKS[which]),
            Act::DiskIsFull => {
                self.bench.journal().is_full = true;
                self.is_unwritten = true;
            }
            Act::DiskHasRoom => self.write_all(),
            Act::Killed => self.kill(),
            Act::Shutdown => {
                self.bench.feed(Input::Shutdown);
                self.is_shut_down = true;
            }
        }
        // With the app, its tasks are gone, and their numbers are used again.
        if !matches!(act, Act::Killed) {
            let has_ended = |(task, _): &(TaskId, Task)| !self.bench.tasks.contains_key(task);
            self.past.extend(running.into_iter().filter(has_ended));
        }
    }

    // ---- the user and the app ----

    pub fn new_service(&mut self, which: usize) -> Service {
        self.next_offer += 1;
        service(which, self.next_offer)
    }

    pub fn scan(&mut self, which: usize) {
        let waiter = self.bench.fetch(service(which, which as u64));
        self.waiters.push(waiter);
    }

    pub fn take_answer(&mut self, which: usize) {
        let service = self.new_service(which);
        let taken = self.bench.take_answer(service);
        assert_eq!(taken.is_err(), self.is_shut_down);
    }

    pub fn user(&mut self, which: usize, act: UserAct) {
        let bench = &mut self.bench;
        let ids: Vec<RequestId> = bench.offers.keys().copied().collect();
        let id = ids[which % ids.len()];
        let waiter = match act {
            UserAct::Accept(visibility) => bench.accept(id, visibility),
            UserAct::AskAgain(visibility) => bench.ask_again(id, visibility),
            UserAct::Cancel => bench.cancel(id),
            UserAct::Dismiss => bench.dismiss(id),
            UserAct::Pause => return bench.feed(Input::Pause(id)),
            UserAct::LetGo => return bench.feed(Input::LetGo(vec![id])),
        };
        self.waiters.push(waiter);
    }

    pub fn leave(&mut self, which: usize) {
        let waiting: Vec<Waiter> = self.bench.waiting.iter().copied().collect();
        if let Some(waiter) = chosen(&waiting, which) {
            self.waiters.retain(|other| *other != waiter);
            self.bench.feed(Input::Leave(waiter));
        }
    }

    /// Killed, and started again. Who waited waits no more.
    pub fn kill(&mut self) {
        let bench = &self.bench;
        self.waiters.retain(|waiter| !bench.waits(*waiter));
        self.past.clear();
        self.proposed_for.clear();
        if self.is_unwritten {
            self.verdicts.clear();
        }
        self.bench.restart();
        self.is_unwritten = self.bench.journal().is_full;
        self.is_shut_down = false;
    }

    /// The disk takes writes again: what it did not take is written with the next record.
    pub fn write_all(&mut self) {
        self.bench.journal().is_full = false;
        if self.is_shut_down {
            return;
        }
        let service = self.new_service(0);
        let request = self.bench.take_answer(service).unwrap();
        let waiter = self.bench.accept(request, Unannounced);
        self.waiters.push(waiter);
        self.bench.feed(Input::Pause(request));
        self.is_unwritten = false;
    }

    // ---- what runs ----

    pub fn go_on(&mut self, task: TaskId, work: &Task, how: usize) {
        let service = match work {
            Task::Get(_) => Some(self.service_behind(work)),
            _ => None,
        };
        let input = self.going_on(task, work, how, service);
        self.bench.feed(input);
        let known: Vec<RequestId> = self.bench.snapshots.keys().copied().collect();
        for id in known {
            let offers = self.bench.offers.entry(id);
            offers.or_insert_with(|| service.expect("a request of no fetch"));
        }
    }

    /// What comes late changes nothing.
    pub fn go_on_late(&mut self, which: usize, how: usize) {
        let Some((task, work)) = chosen(&self.past, which) else {
            return;
        };
        if self.bench.client.wants(task) {
            // A callback that was not sent, and will be tried again.
            return;
        }
        let service = match work {
            Task::Get(_) => Some(self.service_behind(&work)),
            _ => None,
        };
        let input = self.going_on(task, &work, how, service);
        self.bench.feed(input);
        assert_eq!(self.bench.done, [], "{work:?} is over");
    }

    /// The service of an LNURL, with a new `k1`.
    pub fn service_behind(&mut self, get: &Task) -> Service {
        let is_behind = |which: &usize| {
            let lnurl_of_it = service(*which, *which as u64).lnurl();
            matches!(get, Task::Get(lnurl) if *lnurl == lnurl_of_it)
        };
        let which = (0..OFFERED.len()).find(is_behind);
        self.new_service(which.expect("it was scanned"))
    }

    pub fn going_on(
        &self,
        task: TaskId,
        work: &Task,
        how: usize,
        service: Option<Service>,
    ) -> Input {
        match work {
            Task::Get(lnurl) => {
                let body = match how {
                    0..9 => service.expect("it is fetched").body(),
                    _ => "<html>no offer</html>".to_owned(),
                };
                let result = match how {
                    11 => Err(http_failure(false, true)),
                    _ => Ok(reply(&body, lnurl.as_url())),
                };
                Input::Got(task, result)
            }
            Task::AskNode {
                request,
                readiness_for,
                refund_script,
            } => {
                let secret = self.bench.offers[request].k1();
                let node_id = match how {
                    9 => "no key".to_owned(),
                    10 => self.bench.offers[request].peer_id.to_owned(),
                    _ => OWN.to_owned(),
                };
                let facts = NodeFacts {
                    node_id,
                    readiness: readiness_for.as_ref().map(|_| NodeReadiness {
                        channel_ids: self.bench.listed.clone(),
                        ..NodeReadiness::default()
                    }),
                    refund_script: refund_script.then(|| [vec![0, 20], vec![7; 20]].concat()),
                };
                let result = match how {
                    11 => Err(node_failure(&secret)),
                    _ => Ok(facts),
                };
                Input::NodeAsked(task, result)
            }
            Task::Connect(_) => Input::Connected(
                task,
                match how {
                    0..9 => Ok(()),
                    _ => Err(node_failure("nowhere")),
                },
            ),
            Task::Callback { url, .. } => {
                let said = |words: &str| {
                    let words = words.replace("hush-1-", &self.secret_in(url.expose()));
                    let from = url::Url::parse(url.expose()).unwrap();
                    Input::CallbackEnded(task, Ok(reply(&words, &from)))
                };
                let failed = |was_sent, may_retry| {
                    Input::CallbackEnded(task, Err(http_failure(was_sent, may_retry)))
                };
                match how {
                    0..4 => Input::CallbackWritten(task),
                    4..6 => said(OK),
                    6 => said(REFUSAL),
                    7 => said(UNCLEAR),
                    8 => failed(true, false),
                    9..11 => failed(false, true),
                    _ => failed(false, false),
                }
            }
            Task::Invoke { .. } => Input::Invoked(
                task,
                match how {
                    0..8 => Ok(()),
                    8..10 => Err(node_failure("nowhere")),
                    _ => Err(too_long()),
                },
            ),
            Task::CancelNotice(_) => Input::CancelSent(task),
            Task::OpenConnection { .. } | Task::ReleasePeer(_) => {
                unreachable!("nothing comes back")
            }
        }
    }

    /// The `k1` of the request that this callback is of: a service repeats no other.
    pub fn secret_in(&self, callback: &str) -> String {
        let secrets = self.bench.offers.values().map(Service::k1);
        let mut own = secrets.filter(|k1| callback.contains(k1));
        own.next().expect("a callback of no request")
    }

    // ---- the node, peers and hosts ----

    pub fn report(&mut self, peer: &'static str, id: &'static str, channel: IncomingChannel) {
        let (stage, tells) = (channel.stage, channel.is_announced.is_some());
        let verdict = self.bench.report(channel);
        if stage == ChannelStage::Proposed {
            if let Expected { request_id } = verdict {
                let request = RequestId::parse(&request_id).unwrap();
                self.proposed_for.insert(request);
            }
            return;
        }
        // A node lists the channels that it has.
        if !self.bench.listed.iter().any(|listed| listed == id) {
            self.bench.listed.push(id.into());
        }
        if self.is_shut_down {
            assert_eq!(verdict, Unrequested);
            return;
        }
        let is_set = self.bench.clock_was_set;
        let known = self.verdicts.entry((peer, id)).or_insert_with(|| Known {
            verdict: verdict.clone(),
            was_closed: false,
        });
        known.check(&verdict, tells, is_set);
    }

    pub fn close(&mut self, peer: &'static str, id: Option<&'static str>) {
        if let Some(known) = id.and_then(|id| self.verdicts.get_mut(&(peer, id))) {
            known.was_closed = true;
        }
        self.bench.feed(Input::ChannelClosed {
            peer_id: peer.to_uppercase(),
            channel_id: id.map(Into::into),
            reason: Some("no room".into()),
        });
    }

    pub fn host_says(&mut self, peer: &str, what: usize) {
        let words = b"no room";
        let mut error = vec![0; 32];
        error.extend(7_u16.to_be_bytes());
        error.extend(words);
        let (message_type, payload) = match what {
            0 => (65533, host_offers()),
            1 => (65533, vec![1, 2, 3]),
            _ => (63497, error),
        };
        self.bench.host_says(peer, message_type, &payload);
    }

    // ---- time ----

    /// To the next instant that the client names, if it comes by `end`; false if none does.
    pub fn go_on_to_next(&mut self, end: Duration) -> bool {
        let next = self.bench.client.poll_timeout().filter(|at| *at <= end);
        if let Some(at) = next {
            self.bench
                .sleep(at.saturating_sub(self.bench.now.since_start));
        }
        next.is_some()
    }

    pub fn running(&self) -> Vec<&ChannelRequestSnapshot> {
        let shown = self.bench.snapshots.values();
        shown.filter(|snapshot| snapshot.is_running).collect()
    }

    /// As much time passes as a call may take. What hangs, hangs; what has its limit in the driver
    /// comes to it.
    pub fn let_run_out(&mut self, goes_on: GoesOn) {
        let end = self.bench.now.since_start + LONGEST_CALL;
        loop {
            let mut running = self.bench.tasks.clone().into_iter();
            let next = running.find_map(|(task, work)| self.running_out(task, &work, goes_on));
            if let Some(input) = next {
                self.bench.feed(input);
            } else if !self.go_on_to_next(end) {
                return;
            }
        }
    }

    pub fn running_out(&self, task: TaskId, work: &Task, goes_on: GoesOn) -> Option<Input> {
        match work {
            Task::Get(_) => Some(Input::Got(task, Err(http_failure(false, true)))),
            Task::AskNode { .. } => Some(self.going_on(task, work, 0, None)),
            Task::Invoke { .. } => Some(Input::Invoked(task, Err(too_long()))),
            Task::CancelNotice(_) => Some(Input::CancelSent(task)),
            Task::Connect(_) => {
                (goes_on != GoesOn::Nothing).then_some(Input::Connected(task, Ok(())))
            }
            Task::Callback { url, .. } => {
                let secret = self.secret_in(url.expose());
                let mut offers = self.bench.offers.iter();
                let (owner, _) = offers.find(|(_, offer)| offer.k1() == secret)?;
                let is_written = self.bench.asks[owner].was_sent;
                (goes_on == GoesOn::UntilWritten && !is_written)
                    .then_some(Input::CallbackWritten(task))
            }
            Task::OpenConnection { .. } | Task::ReleasePeer(_) => None,
        }
    }
}

/// What goes on before all hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoesOn {
    Nothing,
    UntilConnected,
    UntilWritten,
}

pub fn too_long() -> NodeFailure {
    NodeFailure {
        problem: NodeProblem::TimedOut,
        reason: "it takes too long".into(),
    }
}

pub fn chosen<T: Clone>(among: &[T], which: usize) -> Option<T> {
    let at = which.checked_rem(among.len())?;
    Some(among[at].clone())
}

impl Known {
    /// A verdict stays (F1). What may follow on it, and why:
    pub fn check(&mut self, verdict: &ChannelVerdict, tells_visibility: bool, clock_was_set: bool) {
        let before = &self.verdict;
        let request = request_of(before);
        let is_same_request = request.is_some() && request == request_of(verdict);
        // A later report first tells of the other visibility.
        let turns = matches!((before, verdict), (Expected { .. }, WrongVisibility { .. }))
            && is_same_request
            && tells_visibility;
        // A lost channel whose request was cancelled, or has another.
        let is_lost = self.was_closed
            && is_same_request
            && matches!(verdict, Unwanted { .. } | Duplicate { .. });
        // Under a clock that was set, its request may have been forgotten: it ended thirty days ago.
        let is_forgotten = clock_was_set && *verdict == Unrequested;
        assert!(
            verdict == before || turns || is_lost || is_forgotten,
            "{before:?}, then {verdict:?}"
        );
        if turns || is_forgotten {
            self.verdict = verdict.clone();
        }
    }
}

pub fn request_of(verdict: &ChannelVerdict) -> Option<&str> {
    match verdict {
        Expected { request_id }
        | Duplicate { request_id }
        | WrongVisibility { request_id }
        | Unwanted { request_id } => Some(request_id),
        Unrequested => None,
    }
}
