//! A callback on its way to the service (5a.4, 5a.7).

use std::time::Duration;

use super::call::{AskStage, Deadline, Stage};
use super::{Context, Effect, Request, Transition};
use crate::error::LnurlChannelError;
use crate::output::Task;
use crate::problem::NetworkProblem;
use crate::protocol::{self};
use crate::settings::Settings;
use crate::snapshot::ChannelStep;

/// Tries of a callback that provably was not sent, after the first.
const RETRIES: u32 = 2;
/// The first retry comes after half of this to all of it, the second after twice that.
const RETRY_AFTER: Duration = Duration::from_millis(300);

impl Request {
    /// The callback is about to be written: from here on it may have been sent, and time runs.
    pub fn callback_written(&self, context: &mut Context) -> Transition {
        let mut next = self.clone();
        let Some(asking) = &mut next.run.asking else {
            return Transition::of(next);
        };
        if !asking.is_unsent() {
            return Transition::of(next);
        }
        let deadline = deadline(context);
        asking.stage = AskStage::Written {
            give_up_at: deadline.at,
        };
        let step = if asking.is_again {
            ChannelStep::Requesting
        } else {
            ChannelStep::Changed
        };
        next.start_deadline(deadline);
        Transition::of(next).named(step)
    }

    pub(super) fn start_deadline(&mut self, deadline: Deadline) {
        if let Some(call) = &mut self.run.call
            && let Stage::Asking { link } = call.stage
        {
            call.stage = Stage::Waiting { link, deadline };
        }
    }

    /// No connection to the callback's host came about.
    pub(super) fn callback_not_sent(
        &self,
        context: &mut Context,
        error: LnurlChannelError,
        may_retry: bool,
    ) -> Transition {
        let mut next = self.clone();
        let now = context.now.since_start;
        if let Some(asking) = &mut next.run.asking
            && let AskStage::Connecting {
                retries,
                retry_at,
                give_up_at,
                ..
            } = &mut asking.stage
        {
            let index = usize::try_from(*retries).unwrap_or(usize::MAX);
            let share = 0.5 + self.id().share(index) / 2.0;
            let at = now + (RETRY_AFTER * 2_u32.pow(*retries)).mul_f64(share);
            if may_retry && *retries < RETRIES && at < *give_up_at {
                *retries += 1;
                *retry_at = Some(at);
                return Transition::of(next);
            }
        }
        self.fail(error)
    }

    /// The next try of a callback that was not sent.
    pub(super) fn retry_callback(&self, context: &mut Context) -> Transition {
        let mut next = self.clone();
        let task = context.tasks.next(Some(self.id()));
        let Some(asking) = &mut next.run.asking else {
            return Transition::of(next);
        };
        let AskStage::Connecting {
            url,
            retry_at,
            give_up_at,
            ..
        } = &mut asking.stage
        else {
            return Transition::of(next);
        };
        // The phone slept meanwhile.
        if *give_up_at <= context.now.since_start {
            return self.callback_timed_out(context);
        }
        *retry_at = None;
        asking.task = task;
        let work = Task::Callback {
            url: url.clone(),
            connect_within: give_up_at.saturating_sub(context.now.since_start),
            // The first try took it.
            opened_by: None,
        };
        Transition::of(next).with(Effect::Run(task, work))
    }

    /// Reaching the callback's host took as long as it may.
    pub(super) fn callback_timed_out(&self, context: &mut Context) -> Transition {
        let stop = self.run.asking.as_ref().map(|asking| asking.task);
        let reason = "no connection in time".to_owned();
        let problem = NetworkProblem::TimedOut;
        let error = LnurlChannelError::Unreachable { problem, reason };
        let transition = self.callback_not_sent(context, error, false);
        match stop {
            Some(task) => transition.with(Effect::Stop(task)),
            None => transition,
        }
    }
}

/// When a call that starts to wait now stops.
pub(super) fn deadline(context: &Context) -> Deadline {
    let timeout = context.settings.channel_timeout;
    Deadline {
        at: context.now.since_start + timeout,
        unix_seconds: context.now.unix_millis / 1000 + timeout.as_secs(),
    }
}

/// How long reaching the callback's host may take.
pub(super) fn request_limit(settings: &Settings, callback: &str) -> Duration {
    let url = protocol::parse_url(callback);
    url.map_or(settings.request_timeout, |url| settings.request_limit(&url))
}
