//! What the user stops (6).

use super::{Contact, Context, Effect, Progress, Request, Store, Transition};
use crate::clock::Stamp;
use crate::error::LnurlChannelError;
use crate::ids::Waiter;
use crate::output::Answer;
use crate::protocol::{self, Ask, Secret};

impl Request {
    /// Stop the running call. Nothing is sent, and nothing is written.
    pub fn pause(&self) -> Transition {
        let mut next = self.clone();
        let mut store = Store::No;
        if self.is_running()
            && let Some(asking) = &self.run.asking
            && asking.is_unsent()
        {
            next.undo_ask(asking.undo.clone());
            store = Store::Later;
        }
        let paused = Transition::of(next).stored(store);
        let paused = match self.is_running() {
            // A callback in flight is dropped: whether the service agreed stays unknown.
            true => paused.stop_asking(),
            false => paused,
        };
        paused.end_call(Err(LnurlChannelError::Cancelled))
    }

    /// As `pause`; the answer to a channel that has arrived is not awaited any more either.
    pub fn shut_down(&self) -> Transition {
        self.pause().stop_asking()
    }

    /// A waiter has left. The last one pauses the call.
    pub fn leave(&self, waiter: Waiter) -> Transition {
        let mut next = self.clone();
        let Some(call) = &mut next.run.call else {
            return Transition::of(next);
        };
        call.waiters.retain(|waiting| *waiting != waiter);
        match call.waiters.is_empty() {
            true => next.pause(),
            false => Transition::of(next),
        }
    }

    /// Turn the offer down, or cancel midway.
    pub fn cancel(&self, context: &mut Context, waiter: Waiter) -> Transition {
        let done = Ok(Answer::Done);
        match &self.record.progress {
            Progress::Declined { .. } | Progress::Cancelled { .. } => {
                Transition::answer(self, waiter, done)
            }
            Progress::Arrived { .. } => Transition::answer(self, waiter, Err(self.wrong_state())),
            Progress::Offered => self.decline(Store::No).with(Effect::Answer(waiter, done)),
            Progress::Accepted { .. } => self
                .decline(Store::Remove)
                .with(Effect::Answer(waiter, done)),
            Progress::Asked(_) if self.was_never_sent() => self
                .decline(Store::Remove)
                .with(Effect::Answer(waiter, done)),
            Progress::Asked(_) | Progress::Refused { .. } => {
                let Some(contact) = self.shown().contact() else {
                    return Transition::answer(self, waiter, Err(self.wrong_state()));
                };
                let told = match self.cancel_url(contact) {
                    Some(url) => Effect::SendCancel(url, waiter),
                    None => Effect::Answer(waiter, done),
                };
                let mut next = self.clone();
                next.record.progress = Progress::Cancelled {
                    contact: contact.clone(),
                    at: Stamp::at(context.now),
                    order: context.order,
                    is_dismissed: false,
                };
                next.run.proposals.end();
                next.run.release_at = None;
                Transition::of(next)
                    .stored(Store::BeforeEffects)
                    .stop_asking()
                    .end_call(Err(LnurlChannelError::Cancelled))
                    .with(told)
            }
        }
    }

    fn decline(&self, store: Store) -> Transition {
        let mut next = self.clone();
        next.record.progress = Progress::Declined {
            is_dismissed: false,
        };
        Transition::of(next)
            .stored(store)
            .stop_asking()
            .end_call(Err(LnurlChannelError::Cancelled))
    }

    /// The first callback is on its way, and certainly not written yet.
    fn was_never_sent(&self) -> bool {
        let asking = self.run.asking.as_ref();
        asking.is_some_and(|asking| asking.is_unsent() && !asking.is_again)
    }

    /// Where the service is told. After a refusal it need not be, and hosts are not told.
    fn cancel_url(&self, contact: &Contact) -> Option<Secret> {
        let credentials = self.record.credentials.as_ref()?;
        let Ask::Funded { callback, k1 } = &credentials.ask else {
            return None;
        };
        if !self.waits() {
            return None;
        }
        let url = protocol::cancel_url(callback.expose(), k1.expose(), &contact.node_id);
        Some(Secret::new(url))
    }

    /// The user has seen how the request ended, or that its channel arrived.
    pub fn dismiss(&self, waiter: Waiter) -> Transition {
        let mut next = self.clone();
        let store = match &mut next.record.progress {
            Progress::Declined { is_dismissed } => {
                *is_dismissed = true;
                Store::No
            }
            Progress::Arrived { is_dismissed, .. }
            | Progress::Refused { is_dismissed, .. }
            | Progress::Cancelled { is_dismissed, .. } => {
                *is_dismissed = true;
                Store::BeforeEffects
            }
            _ => return Transition::answer(self, waiter, Err(self.wrong_state())),
        };
        next.run.release_at = None;
        Transition::of(next)
            .stored(store)
            .with(Effect::Answer(waiter, Ok(Answer::Done)))
    }
}
