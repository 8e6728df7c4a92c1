//! What is due, and what follows when its time has come (5b, 5c).

use std::time::Duration;

use super::call::{AskStage, Link, Stage};
use super::link::connecting;
use super::{Arrival, Context, DAY, Effect, Progress, Request, Store, Transition, reasons};
use crate::error::LnurlChannelError;
use crate::protocol::ChannelKind;
use crate::snapshot::{ChannelConcern, ChannelStep};

impl Request {
    /// When something is due; none if nothing is.
    pub fn wakes_at(&self) -> Option<Duration> {
        self.due()
            .into_iter()
            .min_by_key(|(at, _)| *at)
            .map(|(at, _)| at)
    }

    /// The first thing that is due by now; none if nothing is.
    pub fn time_passed(&self, context: &mut Context) -> Option<Transition> {
        let now = context.now.since_start;
        let due = self.due().into_iter().filter(|(at, _)| *at <= now);
        let (_, due) = due.min_by_key(|(at, _)| *at)?;
        Some(match due {
            Due::ConnectGivenUp => self.connect_timed_out(context),
            Due::Check => self.reconnect(context),
            Due::Retry => self.retry_callback(context),
            Due::CallbackNotReached => self.callback_timed_out(context),
            Due::AnswerGivenUp => Transition::of(self.clone()).stop_asking(),
            Due::Deadline => self.deadline_reached(context),
            Due::ProposalExpired => self.proposal_ended(None),
            Due::Release => {
                let mut next = self.clone();
                next.run.release_at = None;
                Transition::of(next)
            }
            Due::CredentialsExpired => Transition::of(self.clone()).stored(Store::Fact),
        })
    }

    fn due(&self) -> Vec<(Duration, Due)> {
        let mut due = Vec::new();
        if let Some(call) = &self.run.call {
            match &call.stage {
                Stage::Connecting { give_up_at, .. } => {
                    due.push((*give_up_at, Due::ConnectGivenUp))
                }
                Stage::Waiting { deadline, link } => {
                    let waits = !matches!(link, Link::Connecting { is_last: true, .. });
                    due.extend(waits.then_some((deadline.at, Due::Deadline)));
                }
                _ => {}
            }
            match call.stage.link() {
                Some(Link::Resting { check_at, .. }) => due.push((check_at, Due::Check)),
                Some(Link::Connecting { give_up_at, .. }) => {
                    due.push((give_up_at, Due::ConnectGivenUp));
                }
                None => {}
            }
        }
        match self.run.asking.as_ref().map(|asking| &asking.stage) {
            Some(AskStage::Connecting {
                retry_at,
                give_up_at,
                ..
            }) => {
                due.extend(retry_at.map(|at| (at, Due::Retry)));
                due.push((*give_up_at, Due::CallbackNotReached));
            }
            // While a call waits for the channel, its deadline counts.
            Some(AskStage::Written { give_up_at }) if !self.waits_in_a_call() => {
                due.push((*give_up_at, Due::AnswerGivenUp));
            }
            _ => {}
        }
        due.extend(
            self.run
                .proposals
                .ends_at()
                .map(|at| (at, Due::ProposalExpired)),
        );
        due.extend(self.run.release_at.map(|at| (at, Due::Release)));
        if let Progress::Arrived {
            at,
            arrival: Arrival::Funded { .. },
            ..
        } = &self.record.progress
            && self.record.credentials.is_some()
        {
            due.push((at.plus(DAY), Due::CredentialsExpired));
        }
        due
    }

    fn waits_in_a_call(&self) -> bool {
        let stage = self.run.call.as_ref().map(|call| &call.stage);
        stage.is_some_and(|stage| !matches!(stage, Stage::AwaitingReady { .. }))
    }

    /// The time is over. If the phone slept, the connection is tried first (5c).
    fn deadline_reached(&self, context: &mut Context) -> Transition {
        let silence = context.settings.reconnect * 2;
        let heard_at = context.peer_heard_at;
        let is_stale = heard_at.is_none_or(|at| at + silence < context.now.since_start);
        let link = self.run.call.as_ref().and_then(|call| call.stage.link());
        match link {
            Some(Link::Resting { failures, .. }) if is_stale => {
                let mut next = self.clone();
                if let Some(call) = &mut next.run.call
                    && let Some(link) = call.stage.link_mut()
                {
                    *link = last(connecting(context, self, failures));
                }
                Transition::of(next).with(Effect::Connect)
            }
            Some(connecting @ Link::Connecting { .. }) if is_stale => {
                let mut next = self.clone();
                if let Some(call) = &mut next.run.call
                    && let Some(link) = call.stage.link_mut()
                {
                    *link = last(connecting);
                }
                Transition::of(next)
            }
            _ => self.time_over(),
        }
    }

    /// No channel in time: the call ends, and the request does not.
    pub(super) fn time_over(&self) -> Transition {
        let mut next = self.clone();
        let mut store = Store::No;
        if self.run.asking.is_some()
            && let Progress::Asked(contact) = &mut next.record.progress
            && contact.lose_answer()
        {
            store = Store::Fact;
        }
        match self.kind() {
            ChannelKind::Funded if !self.run.is_peer_connected => {
                next.add_concern(ChannelConcern::PeerNotConnected);
            }
            ChannelKind::Hosted if !self.run.host_can_answer => {
                next.add_concern(ChannelConcern::ConnectionLost);
            }
            _ => {}
        }
        let service_agreed = next.service_agreed();
        let concerns = next.concerns();
        let is_hosted = self.kind() == ChannelKind::Hosted;
        let reason = reasons::no_channel(service_agreed, is_hosted, &concerns);
        Transition::of(next)
            .named(ChannelStep::Changed)
            .stored(store)
            .stop_asking()
            .end_call(Err(LnurlChannelError::NoChannel {
                service_agreed,
                concerns,
                reason,
            }))
    }
}

enum Due {
    ConnectGivenUp,
    Check,
    Retry,
    CallbackNotReached,
    AnswerGivenUp,
    Deadline,
    ProposalExpired,
    Release,
    CredentialsExpired,
}

fn last(link: Link) -> Link {
    match link {
        Link::Connecting {
            give_up_at,
            failures,
            ..
        } => Link::Connecting {
            give_up_at,
            failures,
            is_last: true,
        },
        resting @ Link::Resting { .. } => resting,
    }
}
