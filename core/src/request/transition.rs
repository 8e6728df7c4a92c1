//! What follows from an input. Its effects are had only by saving what they need saved.

use std::time::Duration;

use super::{DAY, Record, Request};
use crate::clock::Now;
use crate::error::LnurlChannelError;
use crate::ids::{TaskId, TaskIds, Waiter};
use crate::output::{Answer, Task};
use crate::protocol::Secret;
use crate::settings::Settings;
use crate::snapshot::ChannelStep;

/// What a step needs to know besides the request.
pub struct Context<'a> {
    pub now: Now,
    pub settings: &'a Settings,
    /// When the node told of the peer last.
    pub peer_heard_at: Option<Duration>,
    /// Larger than that of every ask and every cancel so far.
    pub order: u64,
    pub tasks: &'a mut TaskIds,
}

/// How a step is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// Nothing that a restart needs has changed.
    No,
    /// It is written with the next record: what the disk says meanwhile does no harm.
    Later,
    /// It has happened. If it cannot be written now, it is written with the next record.
    Fact,
    /// If it cannot be written, it does not happen.
    BeforeEffects,
    /// Nothing is kept of the request.
    Remove,
}

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Run(TaskId, Task),
    Stop(TaskId),
    /// Connect to the request's peer, or join the `connect` that is under way.
    Connect,
    Answer(Waiter, Result<Answer, LnurlChannelError>),
    /// Tell the service of the cancel, and then the waiter that it is done.
    SendCancel(Secret, Waiter),
}

impl Effect {
    /// What a waiter is told; the inner none: it gets what it waited for.
    fn error(&self) -> Option<Option<&LnurlChannelError>> {
        match self {
            Self::Answer(_, result) => Some(result.as_ref().err()),
            _ => None,
        }
    }
}

/// The request as it will be, and what follows once that is saved.
#[must_use]
pub struct Transition {
    pub(super) next: Request,
    pub(super) store: Store,
    pub(super) effects: Vec<Effect>,
    pub(super) step: ChannelStep,
}

/// A transition that was saved.
pub struct Committed {
    pub next: Request,
    pub effects: Vec<Effect>,
    /// None if nothing changed that is shown.
    pub shown: Option<ChannelStep>,
}

impl Transition {
    pub(super) fn of(next: Request) -> Self {
        Self {
            next,
            store: Store::No,
            effects: Vec::new(),
            step: ChannelStep::Changed,
        }
    }

    /// Nothing changes, and `waiter` gets its answer.
    pub fn answer(
        request: &Request,
        waiter: Waiter,
        result: Result<Answer, LnurlChannelError>,
    ) -> Self {
        let mut unchanged = Self::of(request.clone());
        unchanged.effects.push(Effect::Answer(waiter, result));
        unchanged
    }

    pub(super) fn stored(mut self, store: Store) -> Self {
        self.store = store;
        self
    }

    pub(super) fn with(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }

    pub(super) fn named(mut self, step: ChannelStep) -> Self {
        self.step = step;
        self
    }

    /// The call ends: each who waits for it gets `result`.
    pub(super) fn end_call(mut self, result: Result<Answer, LnurlChannelError>) -> Self {
        if let Some(call) = self.next.run.call.take() {
            let stage = &call.stage;
            let tasks = stage.node_task().into_iter().chain(stage.opens());
            self.effects.extend(tasks.map(Effect::Stop));
            let answers = call.waiters.iter();
            let answers = answers.map(|waiter| Effect::Answer(*waiter, result.clone()));
            self.effects.extend(answers);
        }
        self
    }

    /// Nobody needs the service's answer any more.
    pub(super) fn stop_asking(mut self) -> Self {
        if let Some(asking) = self.next.run.asking.take() {
            self.effects.push(Effect::Stop(asking.task));
        }
        self
    }

    /// The one way to the effects: `save` keeps the record as `Store` says.
    ///
    /// `before` is the request as it is now: what is shown of it may change, and then so does its
    /// revision.
    pub fn commit(
        mut self,
        before: &Request,
        now: Now,
        save: impl FnOnce(&Record, Store) -> Result<(), String>,
    ) -> Result<Committed, String> {
        let next = &mut self.next;
        if !next.record.progress.needs_credentials(now, DAY) {
            next.record.credentials = None;
        }
        let is_shown = self.step != ChannelStep::Changed || next.snapshot() != before.snapshot();
        if is_shown {
            next.run.revision += 1;
            next.record.updated_at_seconds = now.unix_millis / 1000;
        }
        let ended = match next.run.call {
            None if before.is_running() => Some(self.effects.iter().find_map(Effect::error)),
            _ => None,
        };
        let left = LnurlChannelError::Cancelled;
        let ended = ended.and_then(|error| error.unwrap_or(Some(&left)));
        next.note(before, now, self.step, ended);
        save(&next.record, self.store)?;
        Ok(Committed {
            next: self.next,
            effects: self.effects,
            shown: is_shown.then_some(self.step),
        })
    }
}

impl Request {
    pub fn unchanged(&self) -> Transition {
        Transition::of(self.clone())
    }
}
