//! How far a request has come: exactly what its record holds, so that to read one is to check it.

use std::sync::Arc;
use std::time::Duration;

use super::history::History;
use crate::channel::{ChannelOutcome, ChannelStage, IncomingChannel, VerdictKind, normalised_id};
use crate::clock::{Now, Stamp};
use crate::ids::RequestId;
use crate::protocol::{
    Ask, BitcoinNetwork, ChannelOffer, ChannelVisibility, HostedChannelTerms, RefundScript, Secret,
};

/// All of a request that survives a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub id: RequestId,
    /// Shared with snapshots and views.
    pub offer: Arc<ChannelOffer>,
    pub network: BitcoinNetwork,
    /// Later than that of every request before it.
    pub created_at_millis: u64,
    pub updated_at_seconds: u64,
    /// None once nobody will be asked any more.
    pub credentials: Option<Box<Credentials>>,
    /// The wallet's, for a hosted channel. Asked for once.
    pub refund_script: Option<RefundScript>,
    pub progress: Progress,
    pub history: History,
}

/// What asking takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub lnurl: Secret,
    pub ask: Ask,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Fetched, and not accepted. Never written.
    Offered,
    /// Turned down, or cancelled, before anybody was asked. Never written.
    Declined { is_dismissed: bool },
    /// The user agreed, and nobody was asked yet.
    Accepted { at: Stamp },
    /// The service, or the host, was or may have been asked.
    Asked(Contact),
    /// The channel is funded, or the host answered.
    Arrived {
        contact: Contact,
        arrival: Arrival,
        at: Stamp,
        /// The service said no before the channel came.
        refusal: Option<Refusal>,
        is_dismissed: bool,
    },
    /// The service, or the host, said no.
    Refused {
        contact: Contact,
        refusal: Refusal,
        is_dismissed: bool,
    },
    /// The user cancelled after the service was, or may have been, asked.
    Cancelled {
        contact: Contact,
        at: Stamp,
        /// As `Contact::order`: which cancels came after which asks.
        order: u64,
        is_dismissed: bool,
    },
}

/// What is known of having asked. Once there is one, it stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// The wallet's own key, as the service, or the host, knows it.
    pub node_id: String,
    pub answer: AskAnswer,
    /// When it was asked last.
    pub asked_at: Stamp,
    /// Grows with every ask and every cancel of the client, across restarts.
    pub order: u64,
    pub wanted: Wanted,
}

/// What the service, or the host, made of being asked last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskAnswer {
    /// It has not answered, or nobody took the answer.
    Pending,
    /// It said OK, or the host's connection took the message.
    Agreed,
    /// Its answer was lost, or could not be understood. The words are its own.
    Unclear { words: Option<String> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    Funded(FundedWanted),
    Hosted,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FundedWanted {
    /// What was asked for last.
    pub visibility: ChannelVisibility,
    /// An earlier ask was for the other one: either fits.
    pub accepts_both: bool,
    pub baseline: Baseline,
    /// Channels that were closed before they were ready, with their verdicts.
    pub lost: Vec<(IncomingChannel, VerdictKind)>,
}

/// Ids of the channels that the node had with the peer before the request was first asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// Of a record of the first edition: what the next `readiness` lists.
    Unknown,
    Ids(Vec<String>),
    /// More than are kept: only a channel that a proposal announced can be the request's.
    TooMany,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    Funded {
        /// With a `channel_id`, and not `Proposed`.
        channel: IncomingChannel,
        /// `Expected` or `WrongVisibility`.
        verdict: VerdictKind,
    },
    HostedOffered {
        terms: HostedChannelTerms,
        message: Vec<u8>,
    },
    HostedExists {
        message: Vec<u8>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub words: Option<String>,
    pub at: Stamp,
}

impl Progress {
    pub fn contact(&self) -> Option<&Contact> {
        match self {
            Self::Offered | Self::Declined { .. } | Self::Accepted { .. } => None,
            Self::Asked(contact)
            | Self::Arrived { contact, .. }
            | Self::Refused { contact, .. }
            | Self::Cancelled { contact, .. } => Some(contact),
        }
    }

    pub fn contact_mut(&mut self) -> Option<&mut Contact> {
        match self {
            Self::Offered | Self::Declined { .. } | Self::Accepted { .. } => None,
            Self::Asked(contact)
            | Self::Arrived { contact, .. }
            | Self::Refused { contact, .. }
            | Self::Cancelled { contact, .. } => Some(contact),
        }
    }

    /// Whether the record still has to hold what asking takes (section 8). A funded channel that is
    /// not ready may be lost, and then the user may ask again; not for longer than a day.
    pub fn needs_credentials(&self, now: Now, day: Duration) -> bool {
        match self {
            Self::Offered | Self::Accepted { .. } | Self::Asked(_) => true,
            Self::Arrived { arrival, at, .. } => match arrival {
                Arrival::Funded { channel, .. } => {
                    channel.stage != ChannelStage::Ready && at.age(now) < day
                }
                Arrival::HostedOffered { .. } | Arrival::HostedExists { .. } => false,
            },
            Self::Declined { .. } | Self::Refused { .. } | Self::Cancelled { .. } => false,
        }
    }
}

impl Contact {
    pub fn funded(&self) -> Option<&FundedWanted> {
        match &self.wanted {
            Wanted::Funded(wanted) => Some(wanted),
            Wanted::Hosted => None,
        }
    }

    pub fn funded_mut(&mut self) -> Option<&mut FundedWanted> {
        match &mut self.wanted {
            Wanted::Funded(wanted) => Some(wanted),
            Wanted::Hosted => None,
        }
    }
}

impl FundedWanted {
    /// A node that does not tell whether a channel is announced cannot be held to it.
    pub fn fits(&self, channel: &IncomingChannel) -> bool {
        let announced = self.visibility == ChannelVisibility::Announced;
        self.accepts_both || channel.is_announced.is_none_or(|is| is == announced)
    }
}

impl Baseline {
    /// Ids kept at most.
    const MAX_IDS: usize = 256;

    /// An id that no report can have is of no use, and is left out.
    pub fn of(ids: Vec<String>) -> Self {
        let ids = ids.into_iter().filter_map(|id| normalised_id(Some(id))?);
        let ids: Vec<String> = ids.collect();
        if ids.len() > Self::MAX_IDS {
            return Self::TooMany;
        }
        Self::Ids(ids)
    }

    pub fn holds(&self, id: &str) -> bool {
        matches!(self, Self::Ids(ids) if ids.iter().any(|known| known == id))
    }
}

impl Arrival {
    pub fn outcome(&self) -> ChannelOutcome {
        match self.clone() {
            Self::Funded { channel, .. } => ChannelOutcome::Funded { channel },
            Self::HostedOffered { terms, message } => {
                ChannelOutcome::HostedOffered { terms, message }
            }
            Self::HostedExists { message } => ChannelOutcome::HostedExists { message },
        }
    }
}
