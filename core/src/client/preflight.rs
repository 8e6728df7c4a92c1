//! What would stand in the way of accepting: the node is asked, and nobody else.

use super::Client;
use crate::error::LnurlChannelError;
use crate::ids::{RequestId, TaskId, Waiter};
use crate::input::{Journal, NodeFacts, NodeFailure};
use crate::output::{Answer, Output, Task};
use crate::protocol::ChannelVisibility;
use crate::snapshot::ChannelConcern;

/// The node is being asked for somebody who waits for the answer.
#[derive(Clone)]
pub struct Preflight {
    pub task: TaskId,
    waiter: Waiter,
    request: RequestId,
    visibility: ChannelVisibility,
}

impl<J: Journal> Client<J> {
    pub(super) fn preflight(
        &mut self,
        waiter: Waiter,
        request: RequestId,
        visibility: ChannelVisibility,
    ) {
        let found = self.requests.get(&request).filter(|_| !self.is_closed);
        let Some(peer) = found.map(|request| request.record.offer.peer.clone()) else {
            return self.answer(waiter, None, Err(LnurlChannelError::Cancelled));
        };
        let task = self.tasks.next(None);
        self.preflights.push(Preflight {
            task,
            waiter,
            request,
            visibility,
        });
        let ask = Task::AskNode {
            request,
            readiness_for: Some(peer),
            refund_script: false,
        };
        self.outputs.push_back(Output::Run(task, ask));
    }

    /// Whether the node was asked for a preflight.
    pub(super) fn preflight_ended(
        &mut self,
        task: TaskId,
        result: &Result<NodeFacts, NodeFailure>,
    ) -> bool {
        let mut running = self.preflights.iter();
        let Some(at) = running.position(|preflight| preflight.task == task) else {
            return false;
        };
        let preflight = self.preflights.swap_remove(at);
        let concerns = self.concerns(&preflight, result).map(Answer::Concerns);
        self.answer(preflight.waiter, None, concerns);
        true
    }

    fn concerns(
        &self,
        preflight: &Preflight,
        result: &Result<NodeFacts, NodeFailure>,
    ) -> Result<Vec<ChannelConcern>, LnurlChannelError> {
        let request = self.requests.get(&preflight.request);
        let request = request.ok_or(LnurlChannelError::Cancelled)?;
        let facts = request.usable(result.clone())?;
        let readiness = facts.readiness.unwrap_or_default();
        Ok(readiness.concerns(&request.record.offer, preflight.visibility))
    }

    /// False if `waiter` waits for no preflight.
    pub(super) fn leave_preflight(&mut self, waiter: Waiter) -> bool {
        let mut running = self.preflights.iter();
        let Some(at) = running.position(|preflight| preflight.waiter == waiter) else {
            return false;
        };
        let preflight = self.preflights.swap_remove(at);
        self.outputs.push_back(Output::Stop(preflight.task));
        true
    }

    pub(super) fn end_preflights(&mut self) {
        for preflight in std::mem::take(&mut self.preflights) {
            self.outputs.push_back(Output::Stop(preflight.task));
            self.answer(preflight.waiter, None, Err(LnurlChannelError::Cancelled));
        }
    }
}
