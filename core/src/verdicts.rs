//! Verdicts on funded channels that are no request's own, by peer. They are stored, and stay.

use crate::channel::{ChannelVerdict, VerdictKind};
use crate::ids::RequestId;

/// Verdicts kept of one peer, and in all.
const OF_A_PEER: usize = 256;
const IN_ALL: usize = 4096;

/// A channel that is no request's own, by the id that its node shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownChannel {
    pub channel_id: String,
    pub verdict: StoredVerdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredVerdict {
    Of(VerdictKind, RequestId),
    Unrequested,
}

impl StoredVerdict {
    pub fn shown(self) -> ChannelVerdict {
        match self {
            Self::Of(kind, request) => kind.of(request),
            Self::Unrequested => ChannelVerdict::Unrequested,
        }
    }
}

/// A peer's key, and a channel of it. Oldest first: a few thousand are soon looked through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdicts(Vec<(String, KnownChannel)>);

impl Verdicts {
    pub fn of(&self, peer_id: &str, channel_id: &str) -> Option<StoredVerdict> {
        let mut known = self.of_peer(peer_id);
        let known = known.find(|known| known.channel_id == channel_id)?;
        Some(known.verdict)
    }

    pub fn is_full(&self, peer_id: &str) -> bool {
        self.of_peer(peer_id).count() >= OF_A_PEER
    }

    /// The verdicts on a peer's channels, oldest first.
    pub fn of_peer(&self, peer_id: &str) -> impl Iterator<Item = &KnownChannel> {
        let of_peer = self.0.iter().filter(move |(peer, _)| peer == peer_id);
        of_peer.map(|(_, known)| known)
    }

    /// Remember a verdict. Returns the peers whose verdicts changed: this one and, where room had to
    /// be made, another.
    ///
    /// The oldest verdicts on channels of peers that were never asked go first.
    pub fn add(
        &mut self,
        peer_id: &str,
        known: KnownChannel,
        was_asked: impl Fn(&str) -> bool,
    ) -> Vec<String> {
        if self.is_full(peer_id) || self.of(peer_id, &known.channel_id).is_some() {
            return Vec::new();
        }
        let mut changed = Vec::new();
        if self.0.len() >= IN_ALL {
            let of_stranger = self.0.iter().position(|(peer, _)| !was_asked(peer));
            let (peer, _) = self.0.remove(of_stranger.unwrap_or(0));
            changed.push(peer);
        }
        self.0.push((peer_id.to_owned(), known));
        if !changed.iter().any(|peer| peer == peer_id) {
            changed.push(peer_id.to_owned());
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_verdict_is_replaced_and_no_peer_has_more_than_256() {
        let mut verdicts = Verdicts::default();
        let mut add = |number: usize, verdict| {
            let known = KnownChannel {
                channel_id: format!("{number:04x}"),
                verdict,
            };
            verdicts.add("peer", known, |_| false)
        };
        for number in 0..256 {
            assert_eq!(add(number, StoredVerdict::Unrequested), ["peer"]);
        }
        let other = StoredVerdict::Of(VerdictKind::Unwanted, RequestId::of_random([1; 16]));
        for number in [0, 255, 256, 257] {
            assert_eq!(add(number, other), [""; 0], "{number}");
        }
        assert_eq!(verdicts.of_peer("peer").count(), 256);
        assert_eq!(
            verdicts.of("peer", "0000"),
            Some(StoredVerdict::Unrequested)
        );

        // With room left too.
        let mut verdicts = Verdicts::default();
        for verdict in [StoredVerdict::Unrequested, other] {
            let channel_id = "aa".into();
            let known = KnownChannel {
                channel_id,
                verdict,
            };
            verdicts.add("peer", known, |_| false);
        }
        assert_eq!(verdicts.of_peer("peer").count(), 1);
    }
}
