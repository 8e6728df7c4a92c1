//! What somebody outside sees of the client, and keeps in mind: no kill makes them forget.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use lnurl_channel_core::protocol::ChannelKind;
use lnurl_channel_core::{
    Answer, ChannelRequestSnapshot, ChannelRequestState, ChannelStage, History, IncomingChannel,
    LnurlChannelError, RequestId, Waiter, receipt,
};
use serde_json::Value;

use super::{no_secret_in, others};
use crate::hidden::Hidden;
use crate::samples::OWN;

pub struct Watch {
    pub waiters: BTreeMap<Waiter, Wait>,
    /// All requests that were seen, in every run.
    pub requests: BTreeMap<RequestId, Seen>,
    /// What left the device, by the number of the offer that it was sent for.
    sent: BTreeMap<u8, Sent>,
    /// Of the offer that is being answered with.
    pub answering: u8,
    /// Peers to which the node connected in this run.
    pub connected: BTreeSet<String>,
    /// Every state that a request was in.
    pub states: HashSet<ChannelRequestState>,
    /// What no receipt may show.
    hidden: Hidden,
    /// The lines of receipts that were checked.
    checked: HashSet<String>,
}

/// What somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    Fetch,
    Call(RequestId),
    Ready(RequestId),
    Cancel(RequestId),
    Dismiss,
    Preflight,
    /// Nothing any more.
    Left,
}

pub struct Seen {
    /// None before it is loaded again.
    pub snapshot: Option<ChannelRequestSnapshot>,
    pub offer: u8,
    was_accepted: bool,
    /// Funded channels that were `Expected`, and are not known to be closed.
    expected: BTreeSet<String>,
    closed: BTreeSet<String>,
}

#[derive(Default)]
struct Sent {
    requests: usize,
    asked_again: usize,
    asks: usize,
    cancels: usize,
    /// A record was lost: what it said was sent may be sent again.
    is_forgotten: bool,
}

impl Watch {
    pub fn new() -> Self {
        Self {
            waiters: BTreeMap::new(),
            requests: BTreeMap::new(),
            sent: BTreeMap::new(),
            answering: 0,
            connected: BTreeSet::new(),
            states: HashSet::new(),
            hidden: others::hidden(),
            checked: HashSet::new(),
        }
    }

    pub fn snapshots(&self) -> impl Iterator<Item = &ChannelRequestSnapshot> {
        self.requests
            .values()
            .filter_map(|seen| seen.snapshot.as_ref())
    }

    pub fn state(&self, id: RequestId) -> Option<ChannelRequestState> {
        let snapshot = self.requests.get(&id)?.snapshot.as_ref()?;
        Some(snapshot.state)
    }

    // ---- snapshots ----

    pub fn changed(&mut self, id: RequestId, snapshot: ChannelRequestSnapshot, was_accepted: bool) {
        assert_eq!(snapshot.request_id, id.to_string());
        self.states.insert(snapshot.state);
        let Some(seen) = self.requests.get_mut(&id) else {
            self.sent.entry(self.answering).or_default().requests += 1;
            let seen = Seen {
                snapshot: Some(snapshot),
                offer: self.answering,
                was_accepted,
                expected: BTreeSet::new(),
                closed: BTreeSet::new(),
            };
            self.requests.insert(id, seen);
            return;
        };
        if let Some(before) = &seen.snapshot {
            assert!(before.revision < snapshot.revision, "an old revision");
            check_follows(before, &snapshot);
        }
        assert!(was_accepted || !seen.was_accepted, "accepted no more");
        seen.was_accepted = was_accepted;
        seen.snapshot = Some(snapshot);
    }

    pub fn forgotten(&mut self, id: RequestId) {
        let seen = self.requests.remove(&id).expect("one that is known");
        assert!(!seen.was_accepted, "accepted, and forgotten");
    }

    pub fn answered(&mut self, waiter: Waiter, result: &Result<Answer, LnurlChannelError>) {
        let wait = self.waiters.remove(&waiter);
        let wait = wait.expect("one that was answered before");
        if let Err(error) = result {
            no_secret_in(&error.to_string());
            return;
        }
        match (wait, result) {
            (Wait::Fetch, Ok(Answer::Request(id))) => assert!(self.requests.contains_key(id)),
            (Wait::Call(id), Ok(Answer::Outcome(_))) => {
                use ChannelRequestState::{Arrived, Ready};
                let state = self.state(id);
                assert!(matches!(state, Some(Arrived | Ready)), "nobody heard of it");
            }
            (Wait::Ready(id), Ok(Answer::Ready(channel))) => {
                let seen = self.requests.get(&id);
                let snapshot = seen.and_then(|seen| seen.snapshot.as_ref());
                let snapshot = snapshot.expect("a request that is known");
                assert_eq!(snapshot.state, ChannelRequestState::Ready);
                assert_eq!(channel.stage, ChannelStage::Ready);
                assert_eq!(snapshot.channel.as_ref(), Some(channel));
            }
            (Wait::Preflight, Ok(Answer::Concerns(_))) => {}
            (Wait::Cancel(id), Ok(Answer::Done)) => {
                assert_eq!(self.state(id), Some(ChannelRequestState::Cancelled));
            }
            (Wait::Dismiss | Wait::Left, Ok(Answer::Done)) => {}
            other => panic!("answered with something else: {other:?}"),
        }
    }

    /// A receipt can be sent to anybody, at any time.
    pub fn check_receipt(&mut self, snapshot: &ChannelRequestSnapshot, history: &History) {
        let receipt = receipt(snapshot, history);
        assert!(receipt.len() < 64 * 1024, "{} bytes", receipt.len());
        let read = serde_json::from_str::<Value>(&receipt).expect("a receipt is JSON");
        assert_eq!(read["request_id"], *snapshot.request_id);
        no_secret_in(&receipt);
        // A text stands on one line, and most lines stood in the receipt before.
        for line in receipt.lines().map(str::trim) {
            if self.checked.insert(line.to_owned()) {
                self.hidden.check(line);
            }
        }
        assert!(!receipt.contains(OWN), "the wallet's node is in {receipt}");
    }

    // ---- channels ----

    /// `is_sure`: nothing was forgotten with a record.
    pub fn expected(&mut self, channel: &IncomingChannel, request_id: &str, is_sure: bool) {
        let id = RequestId::parse(request_id).expect("a request's id");
        let seen = self.requests.get_mut(&id).expect("a request that is known");
        let snapshot = seen.snapshot.as_ref().expect("a request that is known");
        assert_ne!(
            snapshot.state,
            ChannelRequestState::Cancelled,
            "{channel:?}"
        );
        assert_eq!(snapshot.offer.kind, ChannelKind::Funded);
        let peer_id = channel.peer_id.to_ascii_lowercase();
        assert_eq!(snapshot.offer.peer.node_id, peer_id);
        let (Some(channel_id), Some(stage)) = (lower(channel), funded_stage(channel)) else {
            return;
        };
        // One that was closed comes back when it is ready.
        if stage == ChannelStage::Ready || !seen.closed.contains(&channel_id) {
            seen.expected.insert(channel_id);
            assert!(!is_sure || seen.expected.len() == 1, "{:?}", seen.expected);
        }
    }

    pub fn closed(&mut self, channel: &IncomingChannel) {
        let Some(channel_id) = lower(channel) else {
            return;
        };
        for seen in self.requests.values_mut() {
            seen.expected.remove(&channel_id);
            seen.closed.insert(channel_id.clone());
        }
    }

    // ---- what leaves the device ----

    pub fn asked_again(&mut self, request: RequestId) {
        if let Some(seen) = self.requests.get(&request) {
            self.sent.entry(seen.offer).or_default().asked_again += 1;
        }
    }

    pub fn asked(&mut self, offer: u8) {
        let of_offer = self.requests.values().filter(|seen| seen.offer == offer);
        let mut peers = of_offer.filter_map(|seen| Some(&seen.snapshot.as_ref()?.offer.peer));
        let is_connected = peers.any(|peer| self.connected.contains(&peer.node_id));
        assert!(is_connected, "asked, and not connected");
        let sent = self.sent.entry(offer).or_default();
        sent.asks += 1;
        assert!(
            sent.is_forgotten || sent.asks <= sent.requests + sent.asked_again,
            "asked {} times, and {} times again",
            sent.asks,
            sent.asked_again
        );
    }

    pub fn told_of_cancel(&mut self, offer: u8) {
        let sent = self.sent.entry(offer).or_default();
        sent.cancels += 1;
        assert!(sent.cancels <= sent.requests, "told of a cancel twice");
    }

    /// A record was damaged.
    pub fn forget(&mut self, request: Option<RequestId>) {
        let Some(seen) = request.and_then(|id| self.requests.get(&id)) else {
            // Verdicts on a peer's channels.
            for seen in self.requests.values_mut() {
                seen.expected.clear();
            }
            return;
        };
        self.sent.entry(seen.offer).or_default().is_forgotten = true;
    }

    // ---- what must hold at any time ----

    pub fn check(&self, something_comes: bool, is_sure: bool) {
        for (id, seen) in &self.requests {
            let Some(snapshot) = &seen.snapshot else {
                continue;
            };
            let waits = |wait: Wait| self.waiters.values().any(|one| *one == wait);
            let awaits_ready = waits(Wait::Ready(*id));
            let is_awaited = waits(Wait::Call(*id)) || awaits_ready;
            assert_eq!(snapshot.is_running, is_awaited, "{:?}", snapshot.state);
            // For the channel that can be used there is no time limit.
            let is_without_end = awaits_ready && snapshot.state == ChannelRequestState::Arrived;
            assert!(
                !snapshot.is_running || is_without_end || something_comes,
                "nothing ends it"
            );
            let sent = self.sent.get(&seen.offer);
            let was_asked = sent.is_some_and(|s| s.asks > 0 && s.requests == 1 && !s.is_forgotten);
            use ChannelRequestState::{Connecting, Offered};
            let denies = matches!(snapshot.state, Offered | Connecting);
            assert!(
                !is_sure || !was_asked || !denies,
                "{:?} denies it",
                snapshot.state
            );
        }
    }

    /// A restart changes nothing but what lives in memory only. `kept` are names of records.
    pub fn check_restarted(
        &self,
        kept: &BTreeSet<String>,
        before: &BTreeMap<RequestId, ChannelRequestSnapshot>,
    ) {
        use ChannelRequestState::{Arrived, Cancelled, Ready, Refused};
        for (id, before) in before {
            let seen = self.requests.get(id);
            let after = seen.and_then(|seen| seen.snapshot.as_ref());
            if !kept.contains(&id.to_string()) {
                assert_eq!(after, None, "nothing is kept of it");
            }
            let Some(after) = after else { continue };
            assert!(!after.is_running);
            assert_eq!(after.offer, before.offer);
            assert_eq!(after.created_at_seconds, before.created_at_seconds);
            if [Arrived, Ready, Refused, Cancelled].contains(&before.state) {
                assert_eq!(after.state, before.state);
                assert_eq!(after.visibility, before.visibility);
                assert_eq!(after.channel, before.channel);
                assert_eq!(after.hosted_terms, before.hosted_terms);
                assert_eq!(after.refusal, before.refusal);
                assert!(after.is_dismissed || !before.is_dismissed);
            }
        }
    }
}

/// An end stays, and so does a channel that can be used, and what a host answered.
fn check_follows(before: &ChannelRequestSnapshot, after: &ChannelRequestSnapshot) {
    use ChannelRequestState::{Arrived, Cancelled, Ready};
    let stays = match before.state {
        Ready | Cancelled => true,
        Arrived => before.offer.kind == ChannelKind::Hosted,
        _ => false,
    };
    assert!(!stays || after.state == before.state, "{after:?}");
}

fn lower(channel: &IncomingChannel) -> Option<String> {
    let id = channel.channel_id.as_ref()?;
    Some(id.to_ascii_lowercase())
}

fn funded_stage(channel: &IncomingChannel) -> Option<ChannelStage> {
    Some(channel.stage).filter(|stage| *stage != ChannelStage::Proposed)
}
