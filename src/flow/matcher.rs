//! Which request an incoming channel, or a host's message, belongs to.

use std::collections::VecDeque;

use super::request::Request;
use super::types::{
    ChannelOutcome, ChannelRequestState, ChannelStage, ChannelVerdict, IncomingChannel,
};
use crate::protocol::{ChannelKind, ChannelVisibility};

/// Channels remembered that nobody asked for.
const UNREQUESTED: usize = 512;

/// Channels that were reported while no request waited for them. One that is reported again is
/// still not what a later request asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unrequested {
    channels: VecDeque<(String, Vec<String>)>,
}

impl Unrequested {
    pub fn channels(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.channels
            .iter()
            .map(|(peer_id, ids)| (peer_id.as_str(), ids.as_slice()))
    }

    pub fn add(&mut self, peer_id: String, ids: Vec<String>) {
        if self.channels.len() == UNREQUESTED {
            self.channels.pop_front();
        }
        self.channels.push_back((peer_id, ids));
    }

    /// Remember `channel`; false if there was nothing new in it.
    pub fn remember(&mut self, channel: &IncomingChannel) -> bool {
        let ids: Vec<String> = channel.ids().map(str::to_owned).collect();
        let known = self.channels.iter_mut().find(|(peer_id, known)| {
            *peer_id == channel.peer_id && known.iter().any(|id| ids.contains(id))
        });
        let Some((_, known)) = known else {
            self.add(channel.peer_id.clone(), ids);
            return true;
        };
        let before = known.len();
        for id in ids {
            if !known.contains(&id) {
                known.push(id);
            }
        }
        known.len() > before
    }

    fn contains(&self, channel: &IncomingChannel) -> bool {
        self.channels.iter().any(|(peer_id, known)| {
            *peer_id == channel.peer_id && channel.ids().any(|id| known.iter().any(|k| k == id))
        })
    }
}

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
    if let Some(verdict) = known_verdict(&of_peer, channel) {
        return verdict;
    }
    if unrequested.contains(channel) {
        return ChannelVerdict::Unrequested;
    }
    let asked: Vec<&Request> = of_peer
        .into_iter()
        .filter(|r| r.progress.asked && r.is_recent(now))
        .collect();
    match channel.stage {
        ChannelStage::Proposed => judge_proposed(&asked, channel),
        ChannelStage::Funded => judge_funded(&asked, channel),
    }
}

/// The request that awaits a message from this host.
pub fn for_host_message<'a>(requests: &[&'a Request], peer_id: &str) -> Option<&'a Request> {
    requests.iter().copied().find(|r| {
        r.offer.kind == ChannelKind::Hosted && r.peer().node_id == peer_id && r.state().awaits()
    })
}

/// Nodes replay events: a channel that was judged keeps its verdict, whatever happened since.
fn known_verdict(requests: &[&Request], channel: &IncomingChannel) -> Option<ChannelVerdict> {
    let known = requests.iter().flat_map(|r| &r.progress.known_channels);
    known
        .filter(|known| known.is_of(channel))
        .map(|known| known.verdict.clone())
        .next()
}

/// It can still be turned down, so it has to be what was asked for.
fn judge_proposed(asked: &[&Request], channel: &IncomingChannel) -> ChannelVerdict {
    let fitting = |r: &Request| fits(r, channel);
    oldest(asked, |r| waits(r) && fitting(r))
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
        .or_else(|| oldest(asked, has_proposal))
        .or_else(|| oldest(asked, waits))
        .map(expected)
        .or_else(|| late(asked, channel))
        .unwrap_or(ChannelVerdict::Unrequested)
}

/// Nobody waits, but somebody did: after a refusal, a cancel, or an arrival.
fn late(asked: &[&Request], channel: &IncomingChannel) -> Option<ChannelVerdict> {
    use ChannelRequestState::{Arrived, Cancelled, Refused};
    oldest(asked, |r| r.state() == Refused && fits(r, channel))
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
