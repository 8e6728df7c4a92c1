//! One request: what it is, how far it has come, and what follows from what happens to it.

mod accept;
mod answer;
mod ask;
mod call;
mod callback;
mod channels;
mod history;
mod link;
mod progress;
mod proposals;
mod ready;
mod reasons;
mod stop;
mod time;
mod transition;
mod view;

use std::time::Duration;

pub use call::{Asking, Call};
pub use history::{Entry, Event, History};
pub use progress::{
    Arrival, AskAnswer, Baseline, Contact, Credentials, FundedWanted, Progress, Record, Refusal,
    Wanted,
};
pub use proposals::Proposals;
pub use reasons::concern_in_english;
pub use transition::{Context, Effect, Store, Transition};

use crate::ids::{RequestId, TaskId};
use crate::protocol::{ChannelKind, Secrets};
use crate::snapshot::ChannelConcern;

/// How long a refused or cancelled request still decides on channels, and how long what it takes to
/// ask is kept after an arrival.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Concerns kept of a request.
const MAX_CONCERNS: usize = 16;

/// Longest text of the host, or of the wallet's node, in characters.
pub const MAX_WORDS: usize = 500;

/// One offer, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub record: Record,
    pub run: Run,
}

/// What is known of a request in this run only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The user accepted it, in this run or an earlier one.
    pub was_accepted: bool,
    pub fetched: Option<Fetched>,
    pub call: Option<Box<Call>>,
    /// The service, or the host, is being asked.
    pub asking: Option<Box<Asking>>,
    pub proposals: Proposals,
    /// What the node, when a call asked it last, said would stand in the way.
    pub preflight: Vec<ChannelConcern>,
    /// The node takes no zero-conf channel from the peer, it said then.
    pub refuses_zero_conf: bool,
    /// Since the request was asked last.
    pub concerns: Vec<ChannelConcern>,
    /// A host answers on the connection that it was asked on, in this run (7.4).
    pub host_can_answer: bool,
    /// As far as the node has told.
    pub is_peer_connected: bool,
    /// The node was asked to connect for this request, and not to release the peer since.
    pub holds_peer: bool,
    /// Of a refused request: until then its channel may still come.
    pub release_at: Option<Duration>,
    pub revision: u64,
}

/// When an offer was fetched, and by which task, if one did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetched {
    pub at: Duration,
    pub by: Option<TaskId>,
}

impl Request {
    pub fn id(&self) -> RequestId {
        self.record.id
    }

    pub fn peer_id(&self) -> &str {
        &self.record.offer.peer.node_id
    }

    pub fn kind(&self) -> ChannelKind {
        self.record.offer.kind
    }

    pub fn is_running(&self) -> bool {
        self.run.call.is_some()
    }

    /// The service was asked, and neither a channel nor an end has come.
    pub fn waits(&self) -> bool {
        matches!(self.record.progress, Progress::Asked(_))
    }

    /// The service said OK, or the host's connection took the message.
    fn service_agreed(&self) -> bool {
        let contact = self.record.progress.contact();
        contact.is_some_and(|contact| contact.answer == AskAnswer::Agreed)
    }

    /// Strings to redact from errors, events and logs: the wallet's own key too, which services echo.
    pub fn secrets(&self) -> Secrets {
        let credentials = self.record.credentials.as_ref();
        let secrets = credentials.map_or_else(Secrets::default, |credentials| {
            credentials.ask.secrets(&credentials.lnurl)
        });
        match self.record.progress.contact() {
            Some(contact) => secrets.and(&contact.node_id),
            None => secrets,
        }
    }

    /// Whether the connection to the peer is of use to this request.
    pub fn needs_peer(&self) -> bool {
        if self.is_running() || self.run.proposals.standing().is_some() {
            return true;
        }
        match &self.record.progress {
            Progress::Asked(_) | Progress::Arrived { .. } => true,
            Progress::Refused { .. } => self.run.release_at.is_some(),
            Progress::Offered
            | Progress::Accepted { .. }
            | Progress::Declined { .. }
            | Progress::Cancelled { .. } => false,
        }
    }

    fn add_concern(&mut self, concern: ChannelConcern) -> bool {
        let concerns = &mut self.run.concerns;
        let is_new = concerns.len() < MAX_CONCERNS && !concerns.contains(&concern);
        if is_new {
            concerns.push(concern);
        }
        is_new
    }
}
