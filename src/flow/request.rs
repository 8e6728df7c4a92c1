//! One request: what it is, and how far it has come.

use std::sync::Arc;

use super::step::Call;
use super::types::{ChannelOutcome, ChannelRequestState, ChannelVerdict, IncomingChannel};
use crate::protocol::{
    self, BitcoinNetwork, ChannelKind, ChannelOffer, ChannelVisibility, PeerAddress, Secret,
    Secrets,
};

/// How long an ended request is remembered, for the verdicts that late or replayed channels get.
const DAY_SECONDS: u64 = 24 * 60 * 60;

/// What asking again needs. Dropped from the journal once the request has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub lnurl: Secret,
    pub k1: Secret,
    /// None when hosted.
    pub callback: Option<Secret>,
}

/// An incoming channel that was judged, under every id that it was seen with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownChannel {
    pub ids: Vec<String>,
    pub verdict: ChannelVerdict,
}

/// What a request has come to. All of it survives a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    pub state: ChannelRequestState,
    /// The service was, or may have been, asked at some time. Never forgotten.
    pub asked: bool,
    /// The last time it was asked, the service said OK, or the host's connection took the message.
    pub agreed: bool,
    /// What was asked for; none when both were, one after the other, or nothing yet.
    pub visibility: Option<ChannelVisibility>,
    /// The wallet's own key as the service, or the host, knows it.
    pub node_id: Option<String>,
    pub refund_script: Option<Vec<u8>>,
    pub outcome: Option<ChannelOutcome>,
    pub known_channels: Vec<KnownChannel>,
    /// Seconds since 1970.
    pub ended_at: Option<u64>,
    /// A call has returned the end to the wallet.
    pub returned: bool,
}

impl Progress {
    /// As before a call that provably sent nothing; what it learnt besides is kept.
    pub(super) fn go_back_to(&mut self, before: Progress) {
        let state = match before.asked {
            true => before.state,
            false => ChannelRequestState::Offered,
        };
        *self = Self {
            state,
            refund_script: self.refund_script.take(),
            known_channels: std::mem::take(&mut self.known_channels),
            ..before
        };
    }

    fn offered() -> Self {
        Self {
            state: ChannelRequestState::Offered,
            asked: false,
            agreed: false,
            visibility: None,
            node_id: None,
            refund_script: None,
            outcome: None,
            known_channels: Vec::new(),
            ended_at: None,
            returned: false,
        }
    }
}

/// One offer, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub id: String,
    /// Shared with what the wallet holds of it.
    pub offer: Arc<ChannelOffer>,
    pub network: BitcoinNetwork,
    /// Milliseconds since 1970, later than that of every request before it.
    pub created_at_millis: u64,
    /// None once the request has ended and was read back from the journal.
    pub credentials: Option<Credentials>,
    /// The user has accepted it, so that the journal keeps it.
    pub accepted: bool,
    pub progress: Progress,
    /// Asked since the start: a host answers on the connection that it was asked on (7.4).
    pub(super) asked_since_start: bool,
    /// How often it has ended since the start: a channel can come after a refusal, or fail.
    pub(super) ends: u64,
    /// How many calls have returned its end: several can wait for one.
    pub(super) told: u32,
    /// Lives only while an `accept` or a `resume` runs.
    pub(super) call: Option<Call>,
}

impl Request {
    /// A request that was just fetched.
    pub fn new(
        id: String,
        lnurl: Secret,
        offer: protocol::Offer,
        network: BitcoinNetwork,
        created_at_millis: u64,
    ) -> Self {
        let credentials = Credentials {
            lnurl,
            k1: offer.k1,
            callback: offer.callback,
        };
        Self {
            id,
            offer: Arc::new(offer.shown),
            network,
            created_at_millis,
            credentials: Some(credentials),
            accepted: false,
            progress: Progress::offered(),
            asked_since_start: false,
            ends: 0,
            told: 0,
            call: None,
        }
    }

    /// A request as the journal kept it. No call runs, so none is in flight either.
    pub fn restored(
        id: String,
        offer: Arc<ChannelOffer>,
        network: BitcoinNetwork,
        created_at_millis: u64,
        credentials: Option<Credentials>,
        mut progress: Progress,
    ) -> Self {
        if progress.state == ChannelRequestState::Requesting {
            progress.state = ChannelRequestState::OutcomeUnknown;
        }
        let told = u32::from(progress.returned);
        Self {
            id,
            offer,
            network,
            created_at_millis,
            credentials,
            accepted: true,
            progress,
            asked_since_start: false,
            ends: 0,
            told,
            call: None,
        }
    }

    pub fn state(&self) -> ChannelRequestState {
        self.progress.state
    }

    pub fn peer(&self) -> &PeerAddress {
        &self.offer.peer
    }

    /// Which of its ends the last one is.
    pub fn ends(&self) -> u64 {
        self.ends
    }

    pub fn is_running(&self) -> bool {
        self.call.is_some()
    }

    /// Accepted, and its end was not yet handed to the wallet.
    pub fn is_unfinished(&self) -> bool {
        self.accepted && !self.is_done()
    }

    /// Ended, and the wallet knows.
    pub fn is_done(&self) -> bool {
        self.state().has_ended() && self.progress.returned
    }

    /// Ended, so that the wallet knows, and so long ago that no channel belongs to it any more.
    pub fn is_forgotten(&self, now: u64) -> bool {
        let ended = self.progress.ended_at;
        let age = ended.map_or(0, |ended| now.saturating_sub(ended));
        self.is_done() && age >= DAY_SECONDS
    }

    /// What may stand in no text that leaves the library.
    pub fn secrets(&self) -> Secrets {
        let Some(credentials) = &self.credentials else {
            return Secrets::default();
        };
        let callback = credentials.callback.as_ref();
        let (lnurl, k1) = (credentials.lnurl.expose(), credentials.k1.expose());
        let secrets = Secrets::new(Some(lnurl), callback.map(|c| c.expose()), Some(k1));
        match self.offer.kind {
            ChannelKind::Funded => secrets,
            ChannelKind::Hosted => secrets.and_spelled_by(k1),
        }
    }
}

impl KnownChannel {
    /// Whether it is `channel`, under one of its ids.
    pub fn is_of(&self, channel: &IncomingChannel) -> bool {
        channel
            .ids()
            .any(|id| self.ids.iter().any(|known| known == id))
    }
}
