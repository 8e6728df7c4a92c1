//! All sequences of acts of a hostile peer, through an honest node, with a user who asks, cancels and
//! starts the app anew in between (5b). Whatever the order:
//!
//! - no channel of a cancelled request is `Expected`, and no request that is cancelled expects any;
//! - no channel that the node had when a request was first asked is taken for that request's;
//! - no request has two expected channels at a time, and no ask leads to two;
//! - a channel belongs to the request that its proposal was expected for;
//! - a verdict on a channel stays.
//!
//! Sequences that lead to the same state are followed once.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::bench::Bench;
use super::samples::*;
use crate::protocol::ChannelKind::Funded;
use crate::protocol::ChannelVisibility::{Announced, Unannounced};
use crate::*;
use ChannelVerdict::{Expected, Unrequested, Unwanted, WrongVisibility};

/// A channel of before: the node lists it whenever it is asked.
const OLD: &str = "01d0";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// `open_channel` with this temporary id, and whether it says that the channel is announced.
    Propose(&'static str, Option<bool>),
    /// A channel of this id is funded, which had this temporary id, as far as the node tells.
    Fund(&'static str, Option<&'static str>, Option<bool>),
    Ready(&'static str),
    Close(&'static str),
    /// The node turned down a proposal that it did not show.
    CloseUnnamed,
    Disconnect,
    OldOneAgain,
    AskAnother,
    AskAnotherAndBeRefused,
    AskLastAgain,
    CancelFirst,
    CancelLast,
    Restart,
    TenMinutesPass,
}

use Act::*;

/// Followed to the length of six.
const ACTS: [Act; 12] = [
    Propose("aa", Some(false)),
    // A temporary id used again, for the other visibility; and one that is a channel's.
    Propose("aa", Some(true)),
    Propose("c1", None),
    Fund("c1", Some("aa"), None),
    Fund("c2", None, None),
    Fund("c3", None, Some(true)),
    Close("c1"),
    Disconnect,
    CancelLast,
    AskAnother,
    AskLastAgain,
    Restart,
];

/// These too, to the length of four.
const MORE_ACTS: [Act; 9] = [
    Propose("ab", None),
    Fund("c4", Some("ab"), Some(false)),
    Ready("c1"),
    Ready("c2"),
    CloseUnnamed,
    OldOneAgain,
    AskAnotherAndBeRefused,
    CancelFirst,
    TenMinutesPass,
];

/// What an onlooker knows of a funded channel.
#[derive(Clone, Debug, Hash)]
struct Known {
    verdict: ChannelVerdict,
    channel: IncomingChannel,
    /// How many requests had been asked when it came.
    born: usize,
    is_closed: bool,
}

#[derive(Clone)]
struct World {
    bench: Bench,
    /// In the order in which they were first asked.
    requests: Vec<RequestId>,
    cancelled: BTreeSet<RequestId>,
    channels: BTreeMap<&'static str, Known>,
    /// The requests that proposals were expected for, by the temporary id, while the app runs.
    proposals: BTreeMap<&'static str, BTreeSet<RequestId>>,
    acts: Vec<Act>,
}

impl World {
    fn new() -> Self {
        let mut bench = Bench::new();
        bench.is_thorough = false;
        let mut world = Self {
            bench,
            requests: Vec::new(),
            cancelled: BTreeSet::new(),
            channels: BTreeMap::new(),
            proposals: BTreeMap::new(),
            acts: Vec::new(),
        };
        world.ask_another(OK);
        world
    }

    /// Whether a peer, a user or a node could do so now.
    fn can(&self, act: Act) -> bool {
        let is_there = |id| {
            self.channels
                .get(id)
                .is_some_and(|known: &Known| !known.is_closed)
        };
        match act {
            // A channel is funded once; its id is never used again.
            Fund(id, ..) => !self.channels.contains_key(id),
            Ready(id) | Close(id) => is_there(id),
            AskAnother | AskAnotherAndBeRefused => self.requests.len() < 3,
            CancelFirst | CancelLast => {
                let request = self.to_cancel(act);
                request.is_some_and(|request| !self.cancelled.contains(&request))
            }
            _ => true,
        }
    }

    fn to_cancel(&self, act: Act) -> Option<RequestId> {
        let request = match act {
            CancelFirst => self.requests.first(),
            _ => self.requests.last(),
        };
        let request = request.copied()?;
        (!self.has_channel(request)).then_some(request)
    }

    fn act(&mut self, act: Act) {
        self.acts.push(act);
        match act {
            Propose(id, is_announced) => self.propose(id, is_announced),
            Fund(id, former, is_announced) => self.fund(id, former, is_announced),
            Ready(id) => {
                if let Some(known) = self.channels.get_mut(id) {
                    known.channel.stage = ChannelStage::Ready;
                }
            }
            Close(id) => {
                if let Some(known) = self.channels.get_mut(id) {
                    known.is_closed = true;
                }
                self.close(Some(id));
            }
            CloseUnnamed => self.close(None),
            Disconnect => self.bench.feed(Input::PeerConnection {
                peer_id: PEER.into(),
                is_connected: false,
            }),
            OldOneAgain => assert_eq!(self.bench.report(ready(OLD)), Unrequested),
            AskAnother => self.ask_another(OK),
            AskAnotherAndBeRefused => self.ask_another(r#"{"status":"ERROR"}"#),
            AskLastAgain => self.ask_last_again(),
            CancelFirst | CancelLast => {
                let request = self.to_cancel(act).unwrap();
                self.cancelled.insert(request);
                self.bench.cancel(request);
            }
            Restart => {
                self.bench.restart();
                self.proposals.clear();
            }
            TenMinutesPass => self.bench.sleep(MINUTE * 10),
        }
        self.report_all();
    }

    fn close(&mut self, channel_id: Option<&str>) {
        self.bench.feed(Input::ChannelClosed {
            peer_id: PEER.into(),
            channel_id: channel_id.map(Into::into),
            reason: None,
        });
    }

    fn ask_another(&mut self, answer: &str) {
        let there = self.channels.iter().filter(|(_, known)| !known.is_closed);
        let there = there.map(|(id, _)| (*id).to_owned());
        self.bench.listed = there.chain([OLD.to_owned()]).collect();
        let number = self.requests.len() as u64 + 1;
        let request = self.bench.offer(Funded, number);
        self.bench.accept(request, Unannounced);
        self.go_on_to_ask(request);
        self.bench.answered(request, answer);
        self.requests.push(request);
    }

    fn go_on_to_ask(&mut self, request: RequestId) {
        self.bench.node_tells(request);
        self.bench.connected(PEER);
        self.bench.written(request);
    }

    fn ask_last_again(&mut self) {
        let request = *self.requests.last().unwrap();
        self.bench.feed(Input::Pause(request));
        let waiter = self.bench.ask_again(request, Announced);
        if self.bench.waits(waiter) {
            self.go_on_to_ask(request);
            self.bench.answered(request, OK);
        }
    }

    fn propose(&mut self, id: &'static str, is_announced: Option<bool>) {
        let channel = IncomingChannel {
            is_announced,
            ..proposed(id)
        };
        let verdict = self.bench.report(channel);
        if let Some(request) = expected(&verdict) {
            self.check_expected(request);
            self.proposals.entry(id).or_default().insert(request);
        }
    }

    fn fund(&mut self, id: &'static str, former: Option<&'static str>, is_announced: Option<bool>) {
        let channel = IncomingChannel {
            former_channel_id: former.map(Into::into),
            is_announced,
            ..funded(id)
        };
        let ids = [Some(id), former].into_iter().flatten();
        let owners = ids.filter_map(|id| self.proposals.get(id)).flatten();
        let owners: Vec<RequestId> = owners.copied().collect();
        let have_channels = owners.iter().any(|owner| self.has_channel(*owner));
        let verdict = self.bench.report(channel.clone());
        let is_its = |owner: &RequestId| {
            let request_id = owner.to_string();
            match &verdict {
                Unwanted { request_id: of } => *of == request_id && self.cancelled.contains(owner),
                Expected { request_id: of } | WrongVisibility { request_id: of } => {
                    *of == request_id
                }
                _ => false,
            }
        };
        // Of a request that has a channel already, other rows decide.
        let is_theirs = owners.is_empty() || have_channels || owners.iter().any(is_its);
        assert!(
            is_theirs,
            "{verdict:?} though it was proposed to {owners:?}: {:?}",
            self.acts
        );
        let known = Known {
            verdict,
            channel,
            born: self.requests.len(),
            is_closed: false,
        };
        self.channels.insert(id, known);
    }

    fn has_channel(&self, request: RequestId) -> bool {
        use ChannelRequestState::{Arrived, Ready};
        matches!(self.bench.state(request), Arrived | Ready)
    }

    fn check_expected(&self, request: RequestId) {
        let is_cancelled = self.cancelled.contains(&request);
        assert!(
            !is_cancelled,
            "a cancelled request expects a channel: {:?}",
            self.acts
        );
    }

    /// The node shows all its channels again, as after a restart.
    fn report_all(&mut self) {
        assert_eq!(
            self.bench.report(ready(OLD)),
            Unrequested,
            "{:?}",
            self.acts
        );
        let mut owners = BTreeSet::new();
        for (id, known) in self.channels.iter().filter(|(_, known)| !known.is_closed) {
            let verdict = self.bench.report(known.channel.clone());
            assert_eq!(
                verdict, known.verdict,
                "another verdict on {id}: {:?}",
                self.acts
            );
            let Some(request) = expected(&verdict) else {
                continue;
            };
            self.check_expected(request);
            let place = self.requests.iter().position(|id| *id == request);
            let is_old = place >= Some(known.born);
            assert!(!is_old, "{id} is older than its request: {:?}", self.acts);
            let is_first = owners.insert(request);
            assert!(is_first, "two channels are expected: {:?}", self.acts);
        }
    }

    /// All that decides on what can follow.
    fn fingerprint(&mut self) -> u64 {
        let mut text = String::new();
        for request in self.bench.client.all_requests() {
            let run = &request.run;
            let decides = (
                &request.record.progress,
                &run.proposals,
                &run.asking,
                &run.call,
            );
            write!(text, "{decides:?}").unwrap();
        }
        write!(
            text,
            "{:?}{:?}",
            self.bench.client.all_verdicts(),
            self.bench.connects(PEER)
        )
        .unwrap();
        let mut hasher = DefaultHasher::new();
        (text, &self.cancelled, &self.channels, &self.proposals).hash(&mut hasher);
        hasher.finish()
    }
}

fn expected(verdict: &ChannelVerdict) -> Option<RequestId> {
    match verdict {
        Expected { request_id } => RequestId::parse(request_id),
        _ => None,
    }
}

/// Returns how many transitions were made.
fn explore(acts: &[Act], length: usize) -> usize {
    let mut frontier = vec![World::new()];
    let mut seen = HashSet::new();
    let mut transitions = 0;
    for step in 1..=length {
        let mut next = Vec::new();
        for world in &frontier {
            for act in acts.iter().filter(|act| world.can(**act)) {
                let mut world = world.clone();
                world.act(*act);
                transitions += 1;
                if step < length && seen.insert(world.fingerprint()) {
                    next.push(world);
                }
            }
        }
        println!(
            "{step}: {transitions} transitions, {} states to go on from",
            next.len()
        );
        frontier = next;
    }
    transitions
}

#[test]
fn no_sequence_of_six_hostile_acts_cheats_the_wallet() {
    let transitions = explore(&ACTS, 6);
    assert!(
        transitions > 80_000,
        "{transitions}: the acts are no longer possible"
    );
}

#[test]
fn no_shorter_sequence_of_more_acts_does() {
    let transitions = explore(&[&ACTS[..], &MORE_ACTS[..]].concat(), 4);
    assert!(
        transitions > 10_000,
        "{transitions}: the acts are no longer possible"
    );
}
