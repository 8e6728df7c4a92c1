//! Which request an incoming channel, or a host's message, belongs to (5b, rows P1 to F8).
//!
//! The rows are tried in their order; the first that applies decides. "In order" means: a request
//! whose call runs, then the one that was asked last.

use crate::channel::{IncomingChannel, VerdictKind};
use crate::clock::Now;
use crate::ids::RequestId;
use crate::protocol::ChannelKind;
use crate::request::{Baseline, Contact, DAY, FundedWanted, Progress, Request};
use crate::verdicts::StoredVerdict;

/// What a proposal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProposalMatch {
    /// P1: it stands already.
    Standing(RequestId),
    /// P2, P3: it becomes the request's standing proposal.
    New(RequestId),
    /// P4.
    Mismatched(RequestId),
    /// P5, P6.
    TurnedDown(VerdictKind, RequestId),
    /// P7.
    Unrequested,
}

/// What a funded channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FundedMatch {
    /// F1: it is the channel of this request.
    Own(RequestId),
    /// F1: it was the channel of this request, and was closed before it was ready.
    Lost(RequestId),
    /// F1: its verdict is stored.
    Known(StoredVerdict),
    /// F2 to F5: it becomes the request's channel.
    Arrives(RequestId, VerdictKind),
    /// F2, F6, F7.
    TurnedDown(VerdictKind, RequestId),
    /// F8. It is stored, unless there is no room for it.
    Unrequested { is_stored: bool },
}

/// What is known of a peer's channels besides its requests.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Of the reported channel.
    pub verdict: Option<StoredVerdict>,
    pub is_full: bool,
}

/// What `channel` is, of all requests to its peer.
pub fn match_proposal(requests: &[&Request], channel: &IncomingChannel, now: Now) -> ProposalMatch {
    let candidates = Candidates::of(requests, channel, now);
    if let Some(request) = candidates.find(|r| r.request.run.proposals.is_standing(channel)) {
        return ProposalMatch::Standing(request);
    }
    let with_room = |c: &Candidate| c.request.run.proposals.has_room();
    candidates
        .find(|c| c.waits() && c.fits(channel) && with_room(c))
        .or_else(|| candidates.find(|c| candidates.is_late(c, channel) && with_room(c)))
        .map(ProposalMatch::New)
        .or_else(|| {
            let mismatched = candidates.find(|c| c.is_recent && c.waits() && !c.fits(channel));
            mismatched.map(ProposalMatch::Mismatched)
        })
        .or_else(|| turned_down(&candidates, |c| c.is_cancelled(), VerdictKind::Unwanted))
        .or_else(|| {
            let taken = |c: &Candidate| c.is_recent && (c.waits() || c.has_channel());
            turned_down(&candidates, taken, VerdictKind::Duplicate)
        })
        .unwrap_or(ProposalMatch::Unrequested)
}

fn turned_down(
    candidates: &Candidates,
    wanted: impl Fn(&Candidate) -> bool,
    kind: VerdictKind,
) -> Option<ProposalMatch> {
    let request = candidates.find(wanted)?;
    Some(ProposalMatch::TurnedDown(kind, request))
}

/// What `channel`, which is funded and has this id, is, of all requests to its peer.
pub fn match_funded(
    requests: &[&Request],
    memory: Memory,
    channel: &IncomingChannel,
    channel_id: &str,
    now: Now,
) -> FundedMatch {
    // F1
    if let Some(own) = requests
        .iter()
        .find(|request| request.is_channel(channel_id))
    {
        return FundedMatch::Own(own.id());
    }
    let mut lost = requests.iter();
    if let Some(lost) = lost.find(|request| request.lost_channel(channel_id).is_some()) {
        return FundedMatch::Lost(lost.id());
    }
    if let Some(verdict) = memory.verdict {
        return FundedMatch::Known(verdict);
    }
    let candidates = Candidates::of(requests, channel, now);
    if let Some(decided) = proposed_before(&candidates, channel) {
        return decided;
    }
    // Without a proposal, an old channel could be taken for the new one.
    if memory.is_full {
        return FundedMatch::Unrequested { is_stored: false };
    }
    let candidates = candidates.with_known_baseline();
    let waits_and_fits = |c: &Candidate| c.waits() && c.fits(channel);
    let has_proposal = |c: &Candidate| c.request.run.proposals.standing().is_some();
    let expected = candidates
        .find(|c| waits_and_fits(c) && has_proposal(c))
        .or_else(|| candidates.find(waits_and_fits))
        .or_else(|| candidates.find(|c| candidates.is_late(c, channel)));
    if let Some(request) = expected {
        return FundedMatch::Arrives(request, VerdictKind::Expected);
    }
    if let Some(request) = candidates.find(|c| c.is_recent && c.waits() && !c.fits(channel)) {
        return FundedMatch::Arrives(request, VerdictKind::WrongVisibility);
    }
    if let Some(request) = candidates.find(|c| c.is_cancelled()) {
        return FundedMatch::TurnedDown(VerdictKind::Unwanted, request);
    }
    if let Some(request) = candidates.find(|c| c.is_recent && c.has_channel()) {
        return FundedMatch::TurnedDown(VerdictKind::Duplicate, request);
    }
    FundedMatch::Unrequested { is_stored: true }
}

/// F2: the proposal of this channel was a request's. A standing one counts before a former one.
fn proposed_before(candidates: &Candidates, channel: &IncomingChannel) -> Option<FundedMatch> {
    let ids = || {
        [&channel.channel_id, &channel.former_channel_id]
            .into_iter()
            .flatten()
    };
    let stands = |c: &Candidate| ids().any(|id| c.request.run.proposals.is_standing_id(id));
    let stood = |c: &Candidate| ids().any(|id| c.request.run.proposals.is_former_id(id));
    let found = candidates
        .first(stands)
        .or_else(|| candidates.first(stood))?;
    let request = found.request.id();
    match &found.request.record.progress {
        Progress::Cancelled { .. } => Some(FundedMatch::TurnedDown(VerdictKind::Unwanted, request)),
        Progress::Asked(_) | Progress::Refused { .. } => {
            let verdict = match found.fits(channel) {
                true => VerdictKind::Expected,
                false => VerdictKind::WrongVisibility,
            };
            Some(FundedMatch::Arrives(request, verdict))
        }
        _ => None,
    }
}

/// The request that a proposal would go to that the node turned down before it showed it.
pub fn for_unseen_proposal(requests: &[&Request], now: Now) -> Option<RequestId> {
    let candidates = Candidates::in_order(requests, now);
    candidates.find(|c| c.waits() && c.request.run.proposals.has_room())
}

/// The request that awaits a message from this host: one whose call runs, else the one that was asked
/// last, if it was asked in this run. A host answers on the connection that it was asked on (7.4).
pub fn for_host_message<'a>(requests: &[&'a Request]) -> Option<&'a Request> {
    let awaits = |request: &&&Request| {
        request.kind() == ChannelKind::Hosted
            && request.waits()
            && (request.is_running() || request.run.host_can_answer)
    };
    requests
        .iter()
        .filter(awaits)
        .max_by_key(|request| {
            let order = request
                .record
                .progress
                .contact()
                .map(|contact| contact.order);
            (request.is_running(), order)
        })
        .copied()
}

/// A request that takes part in the matching: funded, and asked.
struct Candidate<'a> {
    request: &'a Request,
    contact: &'a Contact,
    wanted: &'a FundedWanted,
    /// Asked in the last 24 hours, or a call runs.
    is_recent: bool,
    /// Refused or cancelled less than 24 hours ago.
    ended_lately: bool,
}

impl Candidate<'_> {
    fn waits(&self) -> bool {
        self.request.waits()
    }

    fn fits(&self, channel: &IncomingChannel) -> bool {
        self.wanted.fits(channel)
    }

    fn has_channel(&self) -> bool {
        matches!(self.request.record.progress, Progress::Arrived { .. })
    }

    fn is_cancelled(&self) -> bool {
        self.ended_lately && matches!(self.request.record.progress, Progress::Cancelled { .. })
    }
}

struct Candidates<'a> {
    in_order: Vec<Candidate<'a>>,
    /// The order of the last cancel of a request to this peer.
    last_cancel: u64,
}

impl<'a> Candidates<'a> {
    /// Without the requests whose baseline holds the channel.
    fn of(requests: &[&'a Request], channel: &IncomingChannel, now: Now) -> Self {
        let mut candidates = Self::in_order(requests, now);
        let ids = [&channel.channel_id, &channel.former_channel_id];
        candidates.in_order.retain(|candidate| {
            let mut ids = ids.into_iter().flatten();
            !ids.any(|id| candidate.wanted.baseline.holds(id))
        });
        candidates
    }

    fn in_order(requests: &[&'a Request], now: Now) -> Self {
        let candidate = |request: &&'a Request| {
            // What `ask_again` asks for counts from the writing of its callback.
            let contact = request.shown().contact()?;
            let ended_at = match &request.record.progress {
                Progress::Refused { refusal, .. } => Some(refusal.at),
                Progress::Cancelled { at, .. } => Some(*at),
                _ => None,
            };
            Some(Candidate {
                request,
                contact,
                wanted: contact.funded()?,
                is_recent: request.is_running() || contact.asked_at.age(now) < DAY,
                ended_lately: ended_at.is_some_and(|at| at.age(now) < DAY),
            })
        };
        let mut candidates: Vec<Candidate> = Vec::new();
        let rank = |c: &Candidate| (c.request.is_running(), c.contact.order);
        for candidate in requests.iter().rev().filter_map(candidate) {
            // The last asked come first, mostly as they are: no sort for the phone to carry.
            let at = candidates.partition_point(|before| rank(before) >= rank(&candidate));
            candidates.insert(at, candidate);
        }
        let cancels = candidates.iter().map(|c| match c.request.record.progress {
            Progress::Cancelled { order, .. } => order,
            _ => 0,
        });
        Self {
            last_cancel: cancels.max().unwrap_or(0),
            in_order: candidates,
        }
    }

    /// Without those that know too many channels of before to tell a new one.
    fn with_known_baseline(mut self) -> Self {
        self.in_order
            .retain(|candidate| candidate.wanted.baseline != Baseline::TooMany);
        self
    }

    fn first(&self, wanted: impl Fn(&Candidate) -> bool) -> Option<&Candidate<'a>> {
        self.in_order.iter().find(|candidate| wanted(candidate))
    }

    fn find(&self, wanted: impl Fn(&Candidate) -> bool) -> Option<RequestId> {
        self.first(wanted).map(|candidate| candidate.request.id())
    }

    /// P3, F4: it was refused lately, and no request to this peer was cancelled after it was asked. A
    /// channel may still arrive after a refusal.
    fn is_late(&self, candidate: &Candidate, channel: &IncomingChannel) -> bool {
        let is_refused = matches!(candidate.request.record.progress, Progress::Refused { .. });
        is_refused
            && candidate.ended_lately
            && candidate.fits(channel)
            && self.last_cancel < candidate.contact.order
    }
}
