//! Which request an incoming channel, or a host's message, belongs to.

use super::request::Request;
use super::types::{
    ChannelOutcome, ChannelRequestState, ChannelStage, ChannelVerdict, IncomingChannel,
};
use super::unrequested::Unrequested;
use crate::protocol::{ChannelKind, ChannelVisibility};

/// The verdict on a channel (its ids and keys in lower case), from requests in their order of age.
pub fn judge(
    requests: &[&Request],
    unrequested: &Unrequested,
    channel: &IncomingChannel,
    now: u64,
) -> ChannelVerdict {
    let of_peer: Vec<&Request> = requests
        .iter()
        .copied()
        .filter(|r| r.offer.kind == ChannelKind::Funded && r.peer().node_id == channel.peer_id)
        .collect();
    let known = |id: &str| known_verdict(&of_peer, unrequested, &channel.peer_id, id);
    // Today's id first: a former one that is told only later changes no verdict.
    if let Some(verdict) = channel.ids().find_map(known) {
        return verdict;
    }
    let asked = |r: &&Request| r.progress.asked && !r.is_forgotten(now);
    let asked: Vec<&Request> = of_peer.iter().copied().filter(asked).collect();
    match channel.stage {
        ChannelStage::Proposed => judge_proposed(&asked, channel),
        ChannelStage::Funded => judge_funded(&asked, channel),
    }
}

/// The request that awaits a message from this host: one that a call runs for, else the newest that
/// was asked since the start. A host answers on the connection that it was asked on (7.4): what it
/// says to a node that was started since is for the wallet's own hosted channels.
pub fn for_host_message<'a>(requests: &[&'a Request], peer_id: &str) -> Option<&'a Request> {
    let awaiting = |r: &&&Request| {
        let is_of_host = r.offer.kind == ChannelKind::Hosted && r.peer().node_id == peer_id;
        is_of_host && r.state().awaits() && (r.is_running() || r.asked_since_start)
    };
    let awaiting: Vec<&Request> = requests.iter().filter(awaiting).copied().collect();
    let running = awaiting.iter().copied().find(|r| r.is_running());
    running.or(awaiting.last().copied())
}

/// Nodes replay events: a channel that was judged keeps its verdict, whatever happened since.
fn known_verdict(
    requests: &[&Request],
    unrequested: &Unrequested,
    peer_id: &str,
    channel_id: &str,
) -> Option<ChannelVerdict> {
    let mut known = requests.iter().flat_map(|r| &r.progress.known_channels);
    match known.find(|known| known.ids.iter().any(|id| id == channel_id)) {
        Some(known) => Some(known.verdict.clone()),
        None if unrequested.contains(peer_id, channel_id) => Some(ChannelVerdict::Unrequested),
        None => None,
    }
}

/// It can still be turned down, so it has to be what was asked for.
fn judge_proposed(asked: &[&Request], channel: &IncomingChannel) -> ChannelVerdict {
    let fitting = |r: &Request| fits(r, channel);
    oldest(asked, |r| waits(r) && fitting(r))
        // It takes the place of the proposal that arrived.
        .or_else(|| oldest(asked, |r| has_proposal(r) && fitting(r)))
        .map(expected)
        .or_else(|| oldest(asked, |r| waits(r) || has_proposal(r)).map(wrong_visibility))
        .or_else(|| late(asked, channel))
        .unwrap_or(ChannelVerdict::Unrequested)
}

/// It is a fact, so the visibility only decides between several requests. A node that showed the
/// proposal first shows the same channel growing up.
fn judge_funded(asked: &[&Request], channel: &IncomingChannel) -> ChannelVerdict {
    let fitting = |r: &Request| fits(r, channel);
    oldest(asked, |r| has_proposal(r) && fitting(r))
        .or_else(|| oldest(asked, |r| waits(r) && fitting(r)))
        // The other visibility, but it is there.
        .or_else(|| oldest(asked, has_proposal))
        .or_else(|| oldest(asked, waits))
        .map(expected)
        .or_else(|| late(asked, channel))
        .unwrap_or(ChannelVerdict::Unrequested)
}

/// Nobody waits, but somebody did: after a refusal, a cancel, or an arrival.
fn late(asked: &[&Request], channel: &IncomingChannel) -> Option<ChannelVerdict> {
    use ChannelRequestState::{Arrived, Cancelled, Refused};
    let funded = channel.stage == ChannelStage::Funded;
    // What the user cancelled since then is not taken for what an older request asked for.
    let since_cancelled = asked.rsplit(|r| r.state() == Cancelled).next();
    oldest(since_cancelled.unwrap_or_default(), |r| {
        r.state() == Refused && (funded || fits(r, channel))
    })
    .map(expected)
    .or_else(|| oldest(asked, |r| r.state() == Cancelled).map(unwanted))
    .or_else(|| oldest(asked, |r| r.state() == Arrived).map(duplicate))
}

fn oldest<'a>(requests: &[&'a Request], wanted: impl Fn(&Request) -> bool) -> Option<&'a Request> {
    requests.iter().copied().find(|request| wanted(request))
}

fn waits(request: &Request) -> bool {
    request.state().awaits()
}

fn has_proposal(request: &Request) -> bool {
    let outcome = request.progress.outcome.as_ref();
    outcome.is_some_and(|outcome| {
        matches!(outcome, ChannelOutcome::Opening { channel } if channel.stage == ChannelStage::Proposed)
    })
}

/// A node that does not tell whether a channel is announced can't be held to it.
fn fits(request: &Request, channel: &IncomingChannel) -> bool {
    match (channel.is_announced, request.progress.visibility) {
        (Some(announced), Some(visibility)) => {
            announced == (visibility == ChannelVisibility::Announced)
        }
        _ => true,
    }
}

fn expected(request: &Request) -> ChannelVerdict {
    ChannelVerdict::Expected {
        request_id: request.id.clone(),
    }
}

fn duplicate(request: &Request) -> ChannelVerdict {
    ChannelVerdict::Duplicate {
        request_id: request.id.clone(),
    }
}

fn wrong_visibility(request: &Request) -> ChannelVerdict {
    ChannelVerdict::WrongVisibility {
        request_id: request.id.clone(),
    }
}

fn unwanted(request: &Request) -> ChannelVerdict {
    ChannelVerdict::Unwanted {
        request_id: request.id.clone(),
    }
}
