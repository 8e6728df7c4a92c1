//! Random traces of honest nodes, beside a request that somebody's QR code makes wait for ever at the same
//! peer (5b). What the service opened should end as the channel of the request that asked for it. Where it
//! does not, the older request takes it, and a rule says so (`Rule`).

use std::collections::{BTreeMap, BTreeSet};

use super::bench::Bench;
use super::samples::*;
use crate::protocol::ChannelKind::Funded;
use crate::protocol::ChannelVisibility::Unannounced;
use crate::*;

const TRACES: u64 = 70_000;

/// How nodes show a channel that comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shows {
    /// LDK: asks before it accepts, and tells the temporary id later too.
    Ldk,
    /// LND with its channel acceptor: asks, and never names the temporary id again.
    LndAcceptor,
    /// LND by its lists of pending and active channels, polled: all of them each time.
    LndLists,
    /// ldk-node: shows what is funded, with the temporary id.
    LdkNode,
    /// Core Lightning's `openchannel` hook: asks, without an id.
    CoreLightning,
}

const NODES: [Shows; 5] = [
    Shows::Ldk,
    Shows::LndAcceptor,
    Shows::LndLists,
    Shows::LdkNode,
    Shows::CoreLightning,
];

impl Shows {
    fn asks(self) -> bool {
        matches!(self, Self::Ldk | Self::LndAcceptor | Self::CoreLightning)
    }

    fn names_former(self) -> bool {
        matches!(self, Self::Ldk | Self::LdkNode)
    }
}

/// Numbers that look random, the same in every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }

    fn below(&mut self, n: u64) -> usize {
        usize::try_from(self.next() % n).unwrap()
    }
}

/// What makes a trace harder than the plain case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    None,
    /// The first proposal fails, and the peer proposes another.
    FirstFails,
    /// The connection is lost before the funding, and the peer proposes anew.
    ConnectionLost,
    /// The service says ERROR, and its node opens all the same.
    SaysError,
    /// The app is killed once the service was asked.
    Killed,
    /// The user has asked this peer for a channel before, and cancelled that.
    CancelledBefore,
    /// A channel of before is reported again meanwhile.
    OldOneAgain,
    /// All calls are paused, as with an app in the background, and the user comes back, at any moment.
    Paused,
    /// This call is paused, and the older request's is not, when the channel comes.
    PausedBesideOneThatRuns,
    /// The app is killed at any moment, before the service was asked or after the channel came.
    KilledAnywhere,
    /// The phone sleeps for up to an hour, at any moment. Calls come to their ends meanwhile, and the user
    /// need not come back to this one where another runs.
    Sleeps,
    /// The service answers once the channel is proposed, or funded; or its answer is lost then.
    AnswersLate,
    /// Several of the four above, one after the other.
    Several,
    /// Three requests are under way at once, and the service opens them all, in any order.
    ThreeAtOnce,
}

const TROUBLES: [Trouble; 14] = [
    Trouble::None,
    Trouble::FirstFails,
    Trouble::ConnectionLost,
    Trouble::SaysError,
    Trouble::Killed,
    Trouble::CancelledBefore,
    Trouble::OldOneAgain,
    Trouble::Paused,
    Trouble::PausedBesideOneThatRuns,
    Trouble::KilledAnywhere,
    Trouble::Sleeps,
    Trouble::AnswersLate,
    Trouble::Several,
    Trouble::ThreeAtOnce,
];

/// The verdict that is not as one would wish.
type Otherwise = ChannelVerdict;

/// Why the older request takes the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rule {
    /// A request that waits comes before one that was refused (P2 before P3, F3 before F4).
    WaitingFirst,
    /// A request whose call runs comes before the one that was asked last (5b, *in order*).
    RunningFirst,
    /// A node that tells of no disconnections showed four proposals that died with them: the last one
    /// stands, and the fifth is not its request's (P2).
    FourProposals,
}

/// These do end otherwise, and no others.
const END_OTHERWISE: [(Trouble, Rule); 5] = [
    (Trouble::SaysError, Rule::WaitingFirst),
    (Trouble::PausedBesideOneThatRuns, Rule::RunningFirst),
    (Trouble::Sleeps, Rule::RunningFirst),
    (Trouble::Sleeps, Rule::FourProposals),
    (Trouble::Several, Rule::RunningFirst),
];

struct Trace {
    bench: Bench,
    dice: Dice,
    trouble: Trouble,
    node: Shows,
    reports_connections: bool,
    tells_visibility: bool,
    /// A channel of before, if there is one.
    old: Option<IncomingChannel>,
    /// Somebody's QR code named this node, and no channel comes of it.
    hostile: RequestId,
    /// The one that counts.
    own: RequestId,
    /// When the last channel was reported, the call of the older request ran, and this one's did not.
    only_older_ran: bool,
    channels: u64,
    /// Proposals that were expected for it since it was asked, in this run.
    proposals: u32,
}

/// A channel of the peer, as the node shows it.
#[derive(Clone, Copy)]
struct Opened(u64);

impl Opened {
    fn temporary(self) -> String {
        format!("{:04x}", self.0)
    }

    fn id(self) -> String {
        format!("c{:04x}", self.0)
    }
}

impl Trace {
    fn shown(&mut self, channel: IncomingChannel) -> ChannelVerdict {
        let runs = |request| self.bench.snapshot(request).is_running;
        self.only_older_ran = runs(self.hostile) && !runs(self.own);
        let channel = if self.tells_visibility {
            unannounced(channel)
        } else {
            channel
        };
        self.bench.report(channel)
    }

    fn new_channel(&mut self) -> Opened {
        self.channels += 1;
        Opened(self.channels)
    }

    /// The peer sent `open_channel`; none if the node shows no proposals.
    fn propose(&mut self, opened: Opened) -> Option<ChannelVerdict> {
        if !self.node.asks() {
            return None;
        }
        let mut proposal = proposed(&opened.temporary());
        if self.node == Shows::CoreLightning {
            proposal.channel_id = None;
        }
        Some(self.shown(proposal))
    }

    fn fund(&mut self, opened: Opened) -> ChannelVerdict {
        self.show_old();
        let channel = self.funded(opened);
        self.shown(channel)
    }

    fn funded(&self, opened: Opened) -> IncomingChannel {
        let channel = funded(&opened.id());
        match self.node.names_former() {
            true => formerly(&opened.temporary(), channel),
            false => channel,
        }
    }

    fn make_ready(&mut self, opened: Opened) -> ChannelVerdict {
        let mut channel = self.funded(opened);
        channel.stage = ChannelStage::Ready;
        self.shown(channel)
    }

    /// Lists are shown as a whole.
    fn show_old(&mut self) {
        if self.node == Shows::LndLists
            && let Some(old) = self.old.clone()
        {
            assert_eq!(self.shown(old), ChannelVerdict::Unrequested);
        }
    }

    /// The peer opens a channel, which should be the request's from its proposal on.
    fn open(&mut self, request: RequestId) -> Result<(), Otherwise> {
        let mut opened = self.new_channel();
        self.propose_for(opened, request)?;
        while self.moment(request) {
            opened = self.new_channel();
            self.propose_for(opened, request)?;
        }
        let verdict = self.fund(opened);
        if !is_expected(&verdict, request) {
            return Err(verdict);
        }
        self.moment(request);
        let later = self.make_ready(opened);
        match later == verdict {
            true => Ok(()),
            false => Err(later),
        }
    }

    fn propose_for(&mut self, opened: Opened, request: RequestId) -> Result<(), Otherwise> {
        match self.propose(opened) {
            Some(verdict) if !is_expected(&verdict, request) => Err(verdict),
            Some(_) => {
                self.proposals += 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn fail(&mut self, opened: Opened) {
        let named = self.node != Shows::CoreLightning;
        self.bench.feed(Input::ChannelClosed {
            peer_id: PEER.into(),
            channel_id: named.then(|| opened.temporary()),
            reason: None,
        });
    }

    fn disconnect(&mut self) {
        if self.reports_connections {
            for is_connected in [false, true] {
                self.bench.feed(Input::PeerConnection {
                    peer_id: PEER.into(),
                    is_connected,
                });
            }
        }
        self.connect();
    }

    fn connect(&mut self) {
        if self.bench.connects(PEER).is_some() {
            self.bench.connected(PEER);
        }
    }

    /// The user agrees, and the service is asked in the end.
    fn ask(&mut self, request: RequestId) {
        self.bench.accept(request, Unannounced);
        self.bench.node_tells(request);
        self.moment(request);
        match self.bench.state(request) {
            ChannelRequestState::Offered => drop(self.bench.asked(request, Unannounced)),
            ChannelRequestState::Connecting => {
                self.connect();
                self.bench.written(request);
            }
            _ => self.bench.written(request),
        }
    }

    fn answer(&mut self, request: RequestId, body: &str) {
        // A callback is dropped with its call, and nobody takes the answer.
        if self.bench.asks_service(request).is_some() {
            self.bench.answered(request, body);
        }
    }

    // ---- troubles that may come at any moment ----

    /// True if the peer has dropped what it proposed.
    fn moment(&mut self, request: RequestId) -> bool {
        const AT_ANY: [Trouble; 4] = [
            Trouble::Paused,
            Trouble::KilledAnywhere,
            Trouble::Sleeps,
            Trouble::AnswersLate,
        ];
        let trouble = match self.trouble {
            Trouble::Several => AT_ANY[self.dice.below(4)],
            one => one,
        };
        if !AT_ANY.contains(&trouble) || self.dice.one_in(2) {
            return false;
        }
        match trouble {
            Trouble::Paused => {
                for id in [self.hostile, request] {
                    self.bench.feed(Input::Pause(id));
                }
            }
            Trouble::KilledAnywhere => {
                self.bench.restart();
                self.proposals = 0;
            }
            Trouble::Sleeps => {
                let seconds = self.dice.next() % 3_600;
                self.bench.sleep(SECOND * u32::try_from(seconds).unwrap());
            }
            _ => {
                self.answer_late(request);
                return false;
            }
        }
        // The node goes on while calls are paused. Otherwise the connection may be lost, and with it
        // what was not funded.
        let is_dropped = trouble != Trouble::Paused && self.dice.one_in(2);
        if is_dropped {
            self.disconnect();
        }
        self.come_back(request);
        is_dropped
    }

    fn answer_late(&mut self, request: RequestId) {
        match self.dice.below(3) {
            0 => self.answer(request, OK),
            1 => self.answer(request, UNCLEAR),
            _ if self.bench.asks_service(request).is_some() => {
                let lost = http_failure(true, false);
                self.bench.callback_fails(request, lost);
            }
            _ => {}
        }
    }

    /// The user mostly comes back to what is under way: to this request, or to all.
    fn come_back(&mut self, request: RequestId) {
        use ChannelRequestState::{Connecting, Offered};
        let was_asked = !matches!(self.bench.state(request), Offered | Connecting);
        if !was_asked || self.dice.one_in(4) {
            return;
        }
        let mut ids = vec![request];
        if self.dice.one_in(2) {
            ids.insert(self.dice.below(2), self.hostile);
        }
        for id in ids {
            self.bench.accept(id, Unannounced);
        }
        if self.dice.one_in(2) {
            self.connect();
        }
    }
}

fn is_expected(verdict: &ChannelVerdict, request: RequestId) -> bool {
    let request_id = request.to_string();
    *verdict == ChannelVerdict::Expected { request_id }
}

/// Five offers of one peer were fetched: somebody's, one to cancel, the one that counts, and two more.
struct Start {
    bench: Bench,
    offers: [RequestId; 5],
}

impl Start {
    fn new() -> Self {
        let mut bench = Bench::new();
        bench.is_thorough = false;
        Self {
            offers: [1, 2, 3, 4, 5].map(|number| bench.offer(Funded, number)),
            bench,
        }
    }

    /// The hostile request has been asked for by now.
    fn trace(&self, seed: u64, trouble: Trouble) -> Trace {
        let mut dice = Dice(seed);
        let node = NODES[dice.below(5)];
        let reports_connections = dice.one_in(2);
        let tells_visibility = dice.one_in(2);
        let has_old = trouble == Trouble::OldOneAgain || dice.one_in(2);
        let mut trace = Trace {
            bench: self.bench.clone(),
            dice,
            trouble,
            node,
            reports_connections,
            tells_visibility,
            old: has_old.then(|| ready("01d0")),
            hostile: self.offers[0],
            own: self.offers[2],
            only_older_ran: false,
            channels: 0,
            proposals: 0,
        };
        if has_old {
            trace.bench.listed = vec!["01d0".into()];
        }
        trace.bench.agreed(trace.hostile, Unannounced);
        trace
    }
}

/// One request of an honest service.
fn one_channel(start: &Start, trace: &mut Trace) -> Result<(), Otherwise> {
    let [_, before, request, ..] = start.offers;
    let trouble = trace.trouble;
    if trouble == Trouble::CancelledBefore {
        trace.bench.agreed(before, Unannounced);
        trace.bench.cancel(before);
    }
    trace.ask(request);
    trace.moment(request);
    let answers_late = trouble == Trouble::AnswersLate || trace.dice.one_in(2);
    if !answers_late && trouble != Trouble::SaysError {
        trace.answer(request, OK);
    }
    trace.moment(request);
    match trouble {
        Trouble::FirstFails if trace.node.asks() => {
            let first = trace.new_channel();
            trace.propose_for(first, request)?;
            trace.fail(first);
        }
        Trouble::ConnectionLost => {
            let first = trace.new_channel();
            trace.propose_for(first, request)?;
            trace.disconnect();
        }
        Trouble::SaysError => trace.bench.answered(request, REFUSAL),
        Trouble::Killed => trace.bench.restart(),
        Trouble::PausedBesideOneThatRuns => trace.bench.feed(Input::Pause(request)),
        Trouble::OldOneAgain => {
            let old = trace.old.clone().unwrap();
            let verdict = trace.shown(old);
            if verdict != ChannelVerdict::Unrequested {
                return Err(verdict);
            }
        }
        _ => {}
    }
    trace.show_old();
    trace.open(request)?;
    assert_eq!(trace.bench.state(request), ChannelRequestState::Ready);
    Ok(())
}

/// Three, and which gets which is not for the peer's key to tell: each gets one.
fn three_channels(start: &Start, trace: &mut Trace) -> Result<(), Otherwise> {
    let [_, _, requests @ ..] = start.offers;
    for request in requests {
        trace.ask(request);
        if trace.dice.one_in(2) {
            trace.answer(request, OK);
        }
    }
    // Of each channel first the proposal, then the funding, then that it is ready.
    let opened = [(); 3].map(|()| trace.new_channel());
    let mut done = [0; 3];
    let mut got = BTreeSet::new();
    let of_three = |verdict: &ChannelVerdict| {
        let mut requests = requests.iter();
        requests
            .find(|request| is_expected(verdict, **request))
            .copied()
    };
    while done != [3; 3] {
        let which = trace.dice.below(3);
        let verdict = match done[which] {
            0 => trace.propose(opened[which]),
            1 => Some(trace.fund(opened[which])),
            2 => Some(trace.make_ready(opened[which])),
            _ => continue,
        };
        if let Some(verdict) = verdict {
            let Some(request) = of_three(&verdict) else {
                return Err(verdict);
            };
            if done[which] == 1 {
                assert!(got.insert(request), "{request} has two channels");
            }
        }
        done[which] += 1;
    }
    for request in requests {
        assert_eq!(trace.bench.state(request), ChannelRequestState::Ready);
    }
    Ok(())
}

impl Trace {
    /// The rule by which the older request took the channel, if it did.
    fn rule(&self, verdict: &Otherwise) -> Option<Rule> {
        if !is_expected(verdict, self.hostile) {
            return None;
        }
        match self.bench.state(self.own) {
            ChannelRequestState::Refused => Some(Rule::WaitingFirst),
            ChannelRequestState::Opening if self.proposals >= 4 && !self.reports_connections => {
                Some(Rule::FourProposals)
            }
            _ => self.only_older_ran.then_some(Rule::RunningFirst),
        }
    }
}

#[test]
fn honest_channels_end_with_the_request_that_asked_for_them() {
    let mut otherwise: BTreeMap<(Trouble, Option<Rule>, Shows), u64> = BTreeMap::new();
    let start = Start::new();
    for seed in 0..TRACES {
        let trouble = TROUBLES[usize::try_from(seed % 14).unwrap()];
        let mut trace = start.trace(seed, trouble);
        let end = match trouble {
            Trouble::ThreeAtOnce => three_channels(&start, &mut trace),
            _ => one_channel(&start, &mut trace),
        };
        if let Err(verdict) = end {
            let rule = trace.rule(&verdict);
            *otherwise.entry((trouble, rule, trace.node)).or_default() += 1;
        }
    }
    println!("{TRACES} traces; otherwise than one would wish: {otherwise:?}");
    let classes = otherwise.keys().map(|(trouble, rule, _)| (*trouble, *rule));
    let named = END_OTHERWISE.map(|(trouble, rule)| (trouble, Some(rule)));
    assert_eq!(classes.collect::<BTreeSet<_>>(), BTreeSet::from(named));
}
