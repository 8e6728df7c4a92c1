//! What `accept` and `ask_again` begin (5a.8).

use super::call::{Call, Plan, Stage};
use super::callback::deadline;
use super::link::connecting;
use super::{Baseline, Contact, Context, Effect, Progress, Request, Store, Transition};
use crate::clock::Stamp;
use crate::error::LnurlChannelError;
use crate::ids::Waiter;
use crate::output::{Answer, Task};
use crate::protocol::{ChannelKind, ChannelVisibility};
use crate::snapshot::{ChannelConcern, ChannelRequestState, ChannelStep};

impl Request {
    /// Ask, in `Offered`, or else wait on (5a.8).
    pub fn accept(
        &self,
        context: &mut Context,
        waiter: Waiter,
        visibility: ChannelVisibility,
    ) -> Transition {
        match &self.record.progress {
            Progress::Arrived { arrival, .. } => {
                Transition::answer(self, waiter, Ok(Answer::Outcome(arrival.outcome())))
            }
            Progress::Declined { .. } | Progress::Cancelled { .. } => {
                Transition::answer(self, waiter, Err(LnurlChannelError::Cancelled))
            }
            _ if self.is_running() => self.join(waiter),
            Progress::Refused { refusal, .. } if self.run.proposals.standing().is_none() => {
                let words = refusal.words.clone();
                Transition::answer(self, waiter, Err(LnurlChannelError::Refused { words }))
            }
            Progress::Refused { .. } | Progress::Asked(_) => self.begin_waiting(context, waiter),
            Progress::Offered | Progress::Accepted { .. } => {
                let mut next = self.clone();
                next.run.was_accepted = true;
                if next.record.progress == Progress::Offered {
                    let at = Stamp::at(context.now);
                    next.record.progress = Progress::Accepted { at };
                }
                let plan = Plan {
                    visibility,
                    is_again: false,
                };
                next.begin_preparing(context, waiter, plan)
                    .stored(Store::BeforeEffects)
            }
        }
    }

    /// Ask once more, though the channel may still come.
    pub fn ask_again(
        &self,
        context: &mut Context,
        waiter: Waiter,
        visibility: ChannelVisibility,
    ) -> Transition {
        use ChannelRequestState::{Awaiting, OutcomeUnknown};
        let may_ask = matches!(self.state(), Awaiting | OutcomeUnknown)
            && !self.is_running()
            && self.record.credentials.is_some();
        if !may_ask {
            return Transition::answer(self, waiter, Err(self.wrong_state()));
        }
        let plan = Plan {
            visibility,
            is_again: true,
        };
        self.clone().begin_preparing(context, waiter, plan)
    }

    pub(super) fn join(&self, waiter: Waiter) -> Transition {
        let mut next = self.clone();
        if let Some(call) = &mut next.run.call {
            call.waiters.push(waiter);
        }
        Transition::of(next)
    }

    fn begin_preparing(mut self, context: &mut Context, waiter: Waiter, plan: Plan) -> Transition {
        self.forget_last_call();
        let task = context.tasks.next(Some(self.id()));
        self.run.call = Some(Box::new(Call {
            waiters: vec![waiter],
            stage: Stage::AskingNode { task, plan },
        }));
        let hosted = self.kind() == ChannelKind::Hosted;
        let ask = Task::AskNode {
            request: self.id(),
            readiness_for: Some(self.record.offer.peer.clone()),
            refund_script: hosted && self.record.refund_script.is_none(),
        };
        Transition::of(self)
            .named(ChannelStep::Connecting)
            .with(Effect::Run(task, ask))
    }

    fn begin_waiting(&self, context: &mut Context, waiter: Waiter) -> Transition {
        let mut next = self.clone();
        next.forget_last_call();
        let contact = self.record.progress.contact();
        let wanted = contact.and_then(Contact::funded);
        if wanted.is_some_and(|wanted| wanted.baseline == Baseline::Unknown) {
            let task = context.tasks.next(Some(self.id()));
            next.run.call = Some(Box::new(Call {
                waiters: vec![waiter],
                stage: Stage::ReadingBaseline { task },
            }));
            let ask = Task::AskNode {
                request: self.id(),
                readiness_for: Some(self.record.offer.peer.clone()),
                refund_script: false,
            };
            return Transition::of(next)
                .named(ChannelStep::Connecting)
                .with(Effect::Run(task, ask));
        }
        next.run.call = Some(Box::new(Call {
            waiters: vec![waiter],
            stage: Stage::Waiting {
                link: connecting(context, &next, 0),
                deadline: deadline(context),
            },
        }));
        next.run.holds_peer = true;
        Transition::of(next)
            .named(ChannelStep::Connecting)
            .with(Effect::Connect)
    }

    /// What the last call ended with is no concern of the next.
    fn forget_last_call(&mut self) {
        self.run.preflight.clear();
        self.run.concerns.retain(|concern| {
            !matches!(
                concern,
                ChannelConcern::NodeFailed { .. }
                    | ChannelConcern::ServiceUnreachable { .. }
                    | ChannelConcern::PeerNotConnected
                    | ChannelConcern::ConnectionLost
            )
        });
    }

    pub(super) fn wrong_state(&self) -> LnurlChannelError {
        let state = self.state();
        LnurlChannelError::WrongState { state }
    }
}
