//! Proposals and channels of one request, once the matcher has said that they are its own (5b).

use super::call::{AskStage, Link, Stage};
use super::callback::deadline;
use super::{Arrival, Contact, Context, Effect, MAX_WORDS, Progress, Request, Store, Transition};
use crate::channel::{ChannelStage, IncomingChannel, VerdictKind};
use crate::clock::Stamp;
use crate::output::Answer;
use crate::protocol;
use crate::snapshot::{ChannelConcern, ChannelStep};

/// Lost channels kept with their request: a peer can let any number fail, and pays for none.
const MAX_LOST: usize = 16;

impl Request {
    /// The channel that arrived, with its verdict.
    pub fn channel(&self) -> Option<(&IncomingChannel, VerdictKind)> {
        match &self.record.progress {
            Progress::Arrived {
                arrival: Arrival::Funded { channel, verdict },
                ..
            } => Some((channel, *verdict)),
            _ => None,
        }
    }

    /// Whether `id` is that of the channel that arrived.
    pub fn is_channel(&self, id: &str) -> bool {
        let channel = self.channel();
        channel.is_some_and(|(channel, _)| channel.channel_id.as_deref() == Some(id))
    }

    /// A channel of this request that was closed before it was ready, by its id.
    pub fn lost_channel(&self, id: &str) -> Option<(&IncomingChannel, VerdictKind)> {
        let contact = self.record.progress.contact()?;
        let mut lost = contact.funded()?.lost.iter();
        let lost = lost.find(|(channel, _)| channel.channel_id.as_deref() == Some(id))?;
        Some((&lost.0, lost.1))
    }

    /// The lost channel that makes room for the next one.
    pub fn oldest_lost(&self) -> Option<&IncomingChannel> {
        let lost = &self.record.progress.contact()?.funded()?.lost;
        let oldest = lost.first().filter(|_| lost.len() >= MAX_LOST)?;
        Some(&oldest.0)
    }

    /// The peer sent `open_channel` (P2, P3). Nothing is written.
    pub fn proposed(&self, context: &mut Context, channel: IncomingChannel) -> Transition {
        let mut next = self.clone();
        if self.run.refuses_zero_conf && channel.is_zero_conf == Some(true) {
            next.add_concern(ChannelConcern::ZeroConfRefused);
        }
        next.run.proposals.stand(channel, context.now.since_start);
        if let Progress::Refused { is_dismissed, .. } = &mut next.record.progress {
            // A state that changes undoes a dismissal. It is not written, as all of a proposal.
            *is_dismissed = false;
        }
        let (stop, store) = next.wait_instead_of_asking(context);
        let transition = Transition::of(next)
            .named(ChannelStep::Proposed)
            .stored(store);
        stop.into_iter().fold(transition, Transition::with)
    }

    /// A channel comes while `ask_again` connects: nothing is sent, and the call waits for it.
    fn wait_instead_of_asking(&mut self, context: &Context) -> (Option<Effect>, Store) {
        let nothing = (None, Store::No);
        let Some(call) = self.run.call.as_mut() else {
            return nothing;
        };
        let (link, stop) = match &call.stage {
            Stage::AskingNode { plan, task } if plan.is_again => {
                let check_at = context.now.since_start;
                let failures = 0;
                (
                    Link::Resting { check_at, failures },
                    Some(Effect::Stop(*task)),
                )
            }
            Stage::Connecting {
                plan,
                give_up_at,
                opens,
                ..
            } if plan.is_again => {
                let link = Link::Connecting {
                    give_up_at: *give_up_at,
                    failures: 0,
                    is_last: false,
                };
                (link, opens.map(Effect::Stop))
            }
            Stage::Asking { .. } => {
                let asking = self.run.asking.take_if(|a| a.is_again && a.is_unsent());
                let Some(asking) = asking else {
                    return nothing;
                };
                self.start_deadline(deadline(context));
                self.undo_ask(asking.undo);
                return (Some(Effect::Stop(asking.task)), Store::Later);
            }
            _ => return nothing,
        };
        let deadline = deadline(context);
        call.stage = Stage::Waiting { link, deadline };
        (stop, Store::No)
    }

    /// The peer proposed what was not asked for (P4).
    pub fn mismatched(&self) -> Transition {
        let mut next = self.clone();
        let step = match next.add_concern(ChannelConcern::OtherVisibilityProposed) {
            true => ChannelStep::Mismatched,
            false => ChannelStep::Changed,
        };
        Transition::of(next).named(step)
    }

    /// What is funded is of the other visibility, and will be the request's channel all the same (F5).
    pub fn mismatched_but_funded(&self) -> Transition {
        Transition::of(self.clone()).named(ChannelStep::Mismatched)
    }

    /// The standing proposal ended before it was funded.
    pub fn proposal_ended(&self, failed: Option<Option<String>>) -> Transition {
        let mut next = self.clone();
        if !next.run.proposals.end() {
            return Transition::of(next);
        }
        if let Some(reason) = failed {
            let reason = self.words(reason);
            next.add_concern(ChannelConcern::ProposalFailed { reason });
        }
        let transition = Transition::of(next).named(ChannelStep::OpeningFailed);
        // A refused request does not wait for another.
        match &self.record.progress {
            Progress::Refused { refusal, .. } => {
                let words = refusal.words.clone();
                transition.end_call(Err(crate::error::LnurlChannelError::Refused { words }))
            }
            _ => transition,
        }
    }

    /// The node turned a proposal down before it showed it.
    pub fn unseen_proposal_failed(&self, reason: Option<String>) -> Transition {
        let mut next = self.clone();
        let reason = self.words(reason);
        next.add_concern(ChannelConcern::ProposalFailed { reason });
        Transition::of(next)
    }

    pub(super) fn words(&self, reason: Option<String>) -> Option<String> {
        // Once the secrets are forgotten, they cannot be found in it.
        self.record.credentials.as_ref()?;
        let reason = protocol::presentable(&reason?, &self.secrets(), MAX_WORDS);
        (!reason.is_empty()).then_some(reason)
    }

    /// It is the request's channel: `Funded` first, whatever its stage.
    pub fn arrive_funded(
        &self,
        context: &mut Context,
        mut channel: IncomingChannel,
        verdict: VerdictKind,
    ) -> Transition {
        channel.stage = ChannelStage::Funded;
        // What the proposal told of it is still so.
        let known = self.run.proposals.standing();
        let is_known = known.filter(|known| known.channel_id == channel.former_channel_id);
        if let Some(known) = is_known.filter(|known| known.channel_id.is_some()) {
            merge(&mut channel, known);
        }
        self.arrive(context, Arrival::Funded { channel, verdict })
    }

    pub(super) fn arrive(&self, context: &mut Context, arrival: Arrival) -> Transition {
        let mut next = self.clone();
        let (contact, refusal) = match self.shown() {
            Progress::Asked(contact) => (contact.clone(), None),
            Progress::Refused {
                contact, refusal, ..
            } => (contact.clone(), Some(refusal.clone())),
            _ => return Transition::of(next),
        };
        let outcome = arrival.outcome();
        next.record.progress = Progress::Arrived {
            contact: without_lost(contact, &arrival),
            arrival,
            at: Stamp::at(context.now),
            refusal,
            is_dismissed: false,
        };
        next.run.proposals.end();
        next.run.release_at = None;
        let transition = Transition::of(next)
            .named(ChannelStep::Arrived)
            .stored(Store::Fact)
            .end_call(Ok(Answer::Outcome(outcome)));
        // What the service still has to say runs out by itself; what was not sent is not sent.
        match self.run.asking.as_ref().map(|asking| &asking.stage) {
            Some(AskStage::Connecting { .. }) => transition.stop_asking(),
            _ => transition,
        }
    }

    /// The node tells more of the channel that arrived. A stage never goes back, and what is left out
    /// keeps what was known.
    pub fn channel_reported(&self, told: &IncomingChannel) -> Transition {
        let mut next = self.clone();
        let fits = self.funded_fits(told);
        let Progress::Arrived {
            arrival: Arrival::Funded { channel, verdict },
            is_dismissed,
            ..
        } = &mut next.record.progress
        else {
            return Transition::of(next);
        };
        let mut updated = told.clone();
        updated.stage = channel.stage.max(told.stage);
        merge(&mut updated, channel);
        if channel.stage == ChannelStage::Ready {
            // Each block brings one more, and none matters any more.
            updated.confirmations = channel.confirmations;
        }
        let became_ready = channel.stage < updated.stage;
        let is_new = *channel != updated;
        *channel = updated;
        let mut step = match is_new {
            true => ChannelStep::Progressed,
            false => ChannelStep::Changed,
        };
        let mut turned = false;
        if *verdict == VerdictKind::Expected && !fits {
            *verdict = VerdictKind::WrongVisibility;
            step = ChannelStep::Mismatched;
            turned = true;
        }
        if became_ready {
            *is_dismissed = false;
            step = ChannelStep::Ready;
        }
        let store = if is_new || turned {
            Store::Fact
        } else {
            Store::No
        };
        let ready = became_ready.then(|| channel.clone());
        let transition = Transition::of(next).named(step).stored(store);
        match ready {
            Some(channel) => transition.end_call(Ok(Answer::Ready(channel))),
            None => transition,
        }
    }

    /// Whether a report of visibility is what was asked for.
    pub fn funded_fits(&self, channel: &IncomingChannel) -> bool {
        let contact = self.record.progress.contact();
        let wanted = contact.and_then(Contact::funded);
        wanted.is_none_or(|wanted| wanted.fits(channel))
    }

    /// The channel that arrived was closed before it was ready: it is lost.
    pub fn channel_lost(&self, reason: Option<String>) -> Transition {
        let Progress::Arrived {
            contact,
            arrival: Arrival::Funded { channel, verdict },
            refusal,
            ..
        } = &self.record.progress
        else {
            return Transition::of(self.clone());
        };
        if channel.stage == ChannelStage::Ready {
            return Transition::of(self.clone());
        }
        let mut next = self.clone();
        let mut contact = contact.clone();
        if let Some(wanted) = contact.funded_mut() {
            if wanted.lost.len() >= MAX_LOST {
                wanted.lost.remove(0);
            }
            wanted.lost.push((channel.clone(), *verdict));
        }
        next.record.progress = match refusal.clone() {
            None => Progress::Asked(contact),
            Some(refusal) => Progress::Refused {
                contact,
                refusal,
                is_dismissed: false,
            },
        };
        Transition::of(next)
            .named(ChannelStep::OpeningFailed)
            .stored(Store::Fact)
            .end_call(Err(self.never_ready(self.words(reason))))
    }
}

/// A lost channel that came back is the request's again.
fn without_lost(mut contact: Contact, arrival: &Arrival) -> Contact {
    if let (Arrival::Funded { channel, .. }, Some(wanted)) = (arrival, contact.funded_mut()) {
        let id = &channel.channel_id;
        wanted.lost.retain(|(lost, _)| lost.channel_id != *id);
    }
    contact
}

/// What `told` leaves out is what was known.
fn merge(told: &mut IncomingChannel, known: &IncomingChannel) {
    fn keep<T: Clone>(told: &mut Option<T>, known: &Option<T>) {
        if told.is_none() {
            told.clone_from(known);
        }
    }
    keep(&mut told.former_channel_id, &known.former_channel_id);
    keep(&mut told.capacity_sat, &known.capacity_sat);
    keep(&mut told.push_msat, &known.push_msat);
    keep(&mut told.is_announced, &known.is_announced);
    keep(&mut told.is_zero_conf, &known.is_zero_conf);
    keep(&mut told.confirmations, &known.confirmations);
    keep(
        &mut told.confirmations_required,
        &known.confirmations_required,
    );
}
