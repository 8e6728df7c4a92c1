//! A request as the wallet sees it.

use super::{Arrival, AskAnswer, Contact, Progress, Request};
use crate::channel::{ChannelStage, IncomingChannel};
use crate::protocol::HostedChannelTerms;
use crate::snapshot::{ChannelConcern, ChannelRequestSnapshot, ChannelRequestState};

impl Request {
    /// What is shown: `ask_again` counts from the writing of its callback.
    pub fn shown(&self) -> &Progress {
        match &self.run.asking {
            Some(asking) if asking.is_again && asking.is_unsent() => &asking.undo,
            _ => &self.record.progress,
        }
    }

    pub fn state(&self) -> ChannelRequestState {
        let is_opening = self.run.proposals.standing().is_some();
        match self.shown() {
            Progress::Offered | Progress::Accepted { .. } if self.is_running() => {
                ChannelRequestState::Connecting
            }
            Progress::Offered | Progress::Accepted { .. } => ChannelRequestState::Offered,
            Progress::Declined { .. } | Progress::Cancelled { .. } => {
                ChannelRequestState::Cancelled
            }
            Progress::Asked(_) | Progress::Refused { .. } if is_opening => {
                ChannelRequestState::Opening
            }
            Progress::Asked(contact) => self.awaiting(contact),
            Progress::Refused { .. } => ChannelRequestState::Refused,
            Progress::Arrived {
                arrival: Arrival::Funded { channel, .. },
                ..
            } if channel.stage == ChannelStage::Ready => ChannelRequestState::Ready,
            Progress::Arrived { .. } => ChannelRequestState::Arrived,
        }
    }

    fn awaiting(&self, contact: &Contact) -> ChannelRequestState {
        match contact.answer {
            AskAnswer::Agreed => ChannelRequestState::Awaiting,
            AskAnswer::Pending if self.is_being_asked() => ChannelRequestState::Requesting,
            AskAnswer::Pending | AskAnswer::Unclear { .. } => ChannelRequestState::OutcomeUnknown,
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        use ChannelRequestState::{Cancelled, Refused};
        matches!(self.state(), Refused | Cancelled)
    }

    /// The service, or the host, may still answer to what is shown.
    fn is_being_asked(&self) -> bool {
        let asking = self.run.asking.as_ref();
        asking.is_some_and(|asking| !(asking.is_again && asking.is_unsent()))
    }

    pub fn concerns(&self) -> Vec<ChannelConcern> {
        // After an arrival or a cancel, neither the answer nor what the node said stands in the way. A
        // refusal may be due to it: the peer tells the service that the node turned its channel down.
        let (unclear, preflight) = match self.shown() {
            Progress::Asked(contact) => (self.unclear_answer(contact), &self.run.preflight[..]),
            Progress::Accepted { .. } | Progress::Refused { .. } => (None, &self.run.preflight[..]),
            _ => (None, &[][..]),
        };
        unclear
            .into_iter()
            .chain(preflight.iter().cloned())
            .chain(self.run.concerns.iter().cloned())
            .collect()
    }

    fn unclear_answer(&self, contact: &Contact) -> Option<ChannelConcern> {
        match &contact.answer {
            AskAnswer::Unclear { words } => Some(ChannelConcern::AnswerUnclear {
                words: words.clone(),
            }),
            AskAnswer::Pending if !self.is_being_asked() => {
                Some(ChannelConcern::AnswerUnclear { words: None })
            }
            AskAnswer::Pending | AskAnswer::Agreed => None,
        }
    }

    pub fn snapshot(&self) -> ChannelRequestSnapshot {
        let shown = self.shown();
        let wanted = shown.contact().and_then(Contact::funded);
        let deadline = self
            .run
            .call
            .as_ref()
            .and_then(|call| call.stage.deadline());
        ChannelRequestSnapshot {
            request_id: self.id().to_string(),
            revision: self.run.revision,
            offer: (*self.record.offer).clone(),
            state: self.state(),
            is_running: self.is_running(),
            is_peer_connected: self.run.is_peer_connected && !self.has_ended(),
            visibility: wanted.map(|wanted| wanted.visibility),
            created_at_seconds: self.record.created_at_millis / 1000,
            updated_at_seconds: self.record.updated_at_seconds,
            waits_until_seconds: deadline.map(|deadline| deadline.unix_seconds),
            channel: self.shown_channel().cloned(),
            hosted_terms: self.hosted_terms(),
            concerns: self.concerns(),
            refusal: match shown {
                Progress::Refused { refusal, .. } => refusal.words.clone(),
                _ => None,
            },
            is_dismissed: matches!(
                shown,
                Progress::Declined { is_dismissed: true }
                    | Progress::Arrived {
                        is_dismissed: true,
                        ..
                    }
                    | Progress::Refused {
                        is_dismissed: true,
                        ..
                    }
                    | Progress::Cancelled {
                        is_dismissed: true,
                        ..
                    }
            ),
        }
    }

    pub(super) fn shown_channel(&self) -> Option<&IncomingChannel> {
        let arrived = self.channel().map(|(channel, _)| channel);
        arrived.or(self.run.proposals.standing())
    }

    fn hosted_terms(&self) -> Option<HostedChannelTerms> {
        match &self.record.progress {
            Progress::Arrived {
                arrival: Arrival::HostedOffered { terms, .. },
                ..
            } => Some(*terms),
            _ => None,
        }
    }
}
