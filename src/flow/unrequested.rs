//! Channels that nobody asked for, and those of requests that are forgotten. One that is reported again
//! is still not what a later request asked for.

use std::collections::VecDeque;

use super::request::Request;
use super::types::{ChannelStage, ChannelVerdict, IncomingChannel};

/// A peer makes proposals for nothing, so they are apart, where they push out no funded channel.
const PROPOSED: Limits = Limits {
    of_peer: 16,
    of_all: 256,
};

/// As many of a peer as a request knows.
const FUNDED: Limits = Limits {
    of_peer: 64,
    of_all: 512,
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unrequested {
    /// Not kept across restarts: they do not outlive the connection.
    proposed: Channels,
    funded: Channels,
}

impl Unrequested {
    /// Those that are kept: peers, and ids.
    pub fn funded(&self) -> impl Iterator<Item = (&str, &[String])> {
        let funded = self.funded.0.iter();
        funded.map(|(peer_id, ids)| (peer_id.as_str(), ids.as_slice()))
    }

    /// Remember a funded channel; false if there was nothing new in it.
    pub fn add(&mut self, peer_id: &str, ids: Vec<String>) -> bool {
        self.funded.learn(peer_id, ids, FUNDED)
    }

    /// Remember `channel`; true if that has to be kept.
    pub fn remember(&mut self, channel: &IncomingChannel) -> bool {
        let peer_id = &channel.peer_id;
        let mut ids: Vec<String> = channel.ids().map(str::to_owned).collect();
        if channel.stage == ChannelStage::Proposed {
            self.proposed.learn(peer_id, ids, PROPOSED);
            return false;
        }
        let grown_up = self.proposed.take(peer_id, &ids);
        ids.extend(grown_up.into_iter().flatten());
        self.add(peer_id, ids)
    }

    /// Remember what a request knows that is forgotten, the channels that it led to longest; false
    /// if it knows none.
    pub fn outlive(&mut self, request: &Request) -> bool {
        let known = &request.progress.known_channels;
        for expected in [false, true] {
            for known in known {
                if matches!(known.verdict, ChannelVerdict::Expected { .. }) == expected {
                    self.add(&request.peer().node_id, known.ids.clone());
                }
            }
        }
        !known.is_empty()
    }

    pub fn contains(&self, peer_id: &str, channel_id: &str) -> bool {
        self.funded.contains(peer_id, channel_id) || self.proposed.contains(peer_id, channel_id)
    }
}

/// How many are remembered: of one peer, so that none crowds out what is known of another, and of all.
#[derive(Clone, Copy)]
struct Limits {
    of_peer: usize,
    of_all: usize,
}

/// By peer and ids, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Channels(VecDeque<(String, Vec<String>)>);

impl Channels {
    /// False if there was nothing new.
    fn learn(&mut self, peer_id: &str, ids: Vec<String>, limits: Limits) -> bool {
        let place = self.place(peer_id, &ids).unwrap_or_else(|| {
            self.make_room(peer_id, limits);
            self.0.push_back((peer_id.to_owned(), Vec::new()));
            self.0.len() - 1
        });
        let (_, known) = &mut self.0[place];
        let before = known.len();
        for id in ids {
            if !known.contains(&id) {
                known.push(id);
            }
        }
        known.len() > before
    }

    fn make_room(&mut self, peer_id: &str, limits: Limits) {
        let is_of_peer = |(peer, _): &(String, Vec<String>)| peer == peer_id;
        if self.0.iter().filter(|channel| is_of_peer(channel)).count() == limits.of_peer {
            let oldest = self.0.iter().position(is_of_peer);
            oldest.map(|oldest| self.0.remove(oldest));
        } else if self.0.len() == limits.of_all {
            self.0.pop_front();
        }
    }

    /// The other ids of a channel, which is forgotten here.
    fn take(&mut self, peer_id: &str, ids: &[String]) -> Option<Vec<String>> {
        let place = self.place(peer_id, ids)?;
        self.0.remove(place).map(|(_, ids)| ids)
    }

    fn place(&self, peer_id: &str, ids: &[String]) -> Option<usize> {
        self.0
            .iter()
            .position(|(peer, known)| peer == peer_id && known.iter().any(|id| ids.contains(id)))
    }

    fn contains(&self, peer_id: &str, channel_id: &str) -> bool {
        let of_peer = self.0.iter().filter(|(peer, _)| peer == peer_id);
        of_peer.flat_map(|(_, ids)| ids).any(|id| id == channel_id)
    }
}
