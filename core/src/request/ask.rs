//! From what the node tells of itself to the request that asks (5a, 7): each step stores before it sends.

use super::call::{AskStage, Asking, Link, Plan, Stage};
use super::callback::{deadline, request_limit};
use super::link::{connect_limit, connecting};
use super::{
    AskAnswer, Baseline, Contact, Context, Effect, FundedWanted, Progress, Request, Store,
    Transition, Wanted,
};
use crate::clock::Stamp;
use crate::error::LnurlChannelError;
use crate::ids::TaskId;
use crate::input::{NodeFacts, NodeFailure};
use crate::output::Task;
use crate::problem::NodeProblem;
use crate::protocol::{self, Ask, ChannelKind, INVOKE_HOSTED_CHANNEL, Secret};
use crate::snapshot::{ChannelConcern, ChannelStep};

impl Request {
    /// The node told of itself.
    pub fn node_asked(
        &self,
        context: &mut Context,
        result: Result<NodeFacts, NodeFailure>,
    ) -> Transition {
        let facts = match self.usable(result) {
            Ok(facts) => facts,
            Err(error) => return self.fail(error),
        };
        let node_id = facts.node_id;
        let script = facts.refund_script.map(protocol::parse_refund_script);
        let script = match script.transpose() {
            Ok(script) => script,
            Err(reason) => return self.node_failed(unusable("refund_script_pubkey", &reason)),
        };
        let mut next = self.clone();
        let script_is_new = script.is_some();
        if script_is_new {
            next.record.refund_script = script;
        }
        if self.kind() == ChannelKind::Hosted && next.record.refund_script.is_none() {
            return self.node_failed(unusable("refund_script_pubkey", "it is missing"));
        }
        let readiness = facts.readiness.unwrap_or_default();
        let channel_ids = readiness.channel_ids.clone();
        let link = connecting(context, self, 0);
        let give_up_at = context.now.since_start + connect_limit(context.settings, self);
        let deadline = deadline(context);
        let mut opening = None;
        let Some(call) = &mut next.run.call else {
            return Transition::of(self.clone());
        };
        let mut store = Store::No;
        // Of a record of the first edition, which did not tell.
        let contact = next.record.progress.contact_mut();
        let wanted = contact.and_then(Contact::funded_mut);
        if let Some(wanted) = wanted.filter(|wanted| wanted.baseline == Baseline::Unknown) {
            wanted.baseline = Baseline::of(channel_ids.clone());
            store = Store::Fact;
        }
        call.stage = match &call.stage {
            Stage::AskingNode { plan, .. } => {
                next.run.preflight = readiness.concerns(&self.record.offer, plan.visibility);
                next.run.refuses_zero_conf = readiness.accepts_zero_conf == Some(false);
                opening = self.open_connection(context);
                Stage::Connecting {
                    plan: *plan,
                    node_id,
                    channel_ids,
                    give_up_at,
                    opens: opening.as_ref().map(|(task, _)| *task),
                }
            }
            Stage::ReadingBaseline { .. } => Stage::Waiting { link, deadline },
            other => other.clone(),
        };
        if script_is_new {
            store = Store::Fact;
        }
        next.run.holds_peer = true;
        let mut transition = Transition::of(next).stored(store);
        if let Some((task, work)) = opening {
            transition = transition.with(Effect::Run(task, work));
        }
        transition.with(Effect::Connect)
    }

    /// What opens the connection to the callback's host while the node connects (5a.3).
    fn open_connection(&self, context: &mut Context) -> Option<(TaskId, Task)> {
        let credentials = self.record.credentials.as_ref()?;
        let callback = credentials.ask.callback()?;
        let work = Task::OpenConnection {
            url: callback.clone(),
            connect_within: request_limit(context.settings, callback.expose()),
            fetched_by: self.run.fetched.and_then(|fetched| fetched.by),
        };
        Some((context.tasks.next(Some(self.id())), work))
    }

    /// Persist before sending, so that a crash in between counts as sent.
    pub(super) fn ask(&self, context: &mut Context) -> Transition {
        let Some((plan, node_id, channel_ids, opened_by)) = self.prepared() else {
            return Transition::of(self.clone());
        };
        let Some(credentials) = &self.record.credentials else {
            return self.fail(self.wrong_state());
        };
        let mut next = self.clone();
        let task = context.tasks.next(Some(self.id()));
        let (work, stage) = match &credentials.ask {
            Ask::Funded { callback, k1 } => {
                let (callback, k1) = (callback.expose(), k1.expose());
                let url = protocol::accept_url(callback, k1, &node_id, plan.visibility);
                let url = Secret::new(url);
                let limit = request_limit(context.settings, callback);
                let stage = AskStage::Connecting {
                    url: url.clone(),
                    retries: 0,
                    retry_at: None,
                    give_up_at: context.now.since_start + limit,
                };
                let work = Task::Callback {
                    url,
                    connect_within: limit,
                    opened_by,
                };
                (work, stage)
            }
            Ask::Hosted { secret } => {
                let Some(script) = &self.record.refund_script else {
                    return self.node_failed(unusable("refund_script_pubkey", "it is missing"));
                };
                let network = self.record.network;
                let payload = protocol::invoke_payload(network, script, secret.expose());
                let work = Task::Invoke {
                    peer_id: self.peer_id().to_owned(),
                    message_type: INVOKE_HOSTED_CHANNEL,
                    payload: Secret::of_bytes(payload),
                };
                next.run.host_can_answer = true;
                (work, AskStage::Invoking)
            }
        };
        let contact = self.contact_asked(context, plan, node_id, channel_ids);
        next.run.asking = Some(Box::new(Asking {
            task,
            stage,
            undo: self.record.progress.clone(),
            undo_host_can_answer: self.run.host_can_answer,
            is_again: plan.is_again,
        }));
        next.record.progress = Progress::Asked(contact);
        next.run.proposals.asked();
        next.run.concerns.clear();
        let link = Link::Resting {
            check_at: context.now.since_start + context.settings.reconnect,
            failures: 0,
        };
        if let Some(call) = &mut next.run.call {
            call.stage = Stage::Asking { link };
        }
        let step = if plan.is_again && self.kind() == ChannelKind::Funded {
            // It is told once the callback is written.
            ChannelStep::Changed
        } else {
            ChannelStep::Requesting
        };
        Transition::of(next)
            .named(step)
            .stored(Store::BeforeEffects)
            .with(Effect::Run(task, work))
    }

    fn prepared(&self) -> Option<(Plan, String, Vec<String>, Option<TaskId>)> {
        match &self.run.call.as_ref()?.stage {
            Stage::Connecting {
                plan,
                node_id,
                channel_ids,
                opens,
                ..
            } => Some((*plan, node_id.clone(), channel_ids.clone(), *opens)),
            _ => None,
        }
    }

    fn contact_asked(
        &self,
        context: &Context,
        plan: Plan,
        node_id: String,
        channel_ids: Vec<String>,
    ) -> Contact {
        let before = self.record.progress.contact();
        let wanted = match (self.kind(), before.and_then(Contact::funded)) {
            (ChannelKind::Hosted, _) => Wanted::Hosted,
            (ChannelKind::Funded, None) => Wanted::Funded(FundedWanted {
                visibility: plan.visibility,
                accepts_both: false,
                baseline: Baseline::of(channel_ids),
                lost: Vec::new(),
            }),
            (ChannelKind::Funded, Some(before)) => Wanted::Funded(FundedWanted {
                visibility: plan.visibility,
                accepts_both: before.accepts_both || before.visibility != plan.visibility,
                ..before.clone()
            }),
        };
        Contact {
            node_id,
            answer: AskAnswer::Pending,
            asked_at: Stamp::at(context.now),
            order: context.order,
            wanted,
        }
    }

    /// What the node told, with its key as it is compared: one that can take this offer.
    pub fn usable(
        &self,
        result: Result<NodeFacts, NodeFailure>,
    ) -> Result<NodeFacts, LnurlChannelError> {
        let mut facts = result.map_err(|failure| self.node_error(failure))?;
        let node_id = protocol::check_node_id(&facts.node_id);
        facts.node_id = node_id.map_err(|why| self.node_error(unusable("node_id", &why)))?;
        if facts.node_id == self.peer_id() {
            return Err(LnurlChannelError::OwnNode);
        }
        Ok(facts)
    }

    pub(super) fn node_failed(&self, failure: NodeFailure) -> Transition {
        self.fail(self.node_error(failure))
    }

    fn node_error(&self, failure: NodeFailure) -> LnurlChannelError {
        let NodeFailure { problem, reason } = failure;
        let reason = self.words(Some(reason));
        let reason = reason.unwrap_or_else(|| "it gave no reason that can be shown".into());
        LnurlChannelError::NodeFailed { problem, reason }
    }

    /// The record could not be written before an effect, which therefore does not happen.
    pub fn store_failed(&self, reason: String) -> Transition {
        self.fail(LnurlChannelError::StorageFailed { reason })
    }

    /// The call ends, and the request is what it was before the call.
    pub(super) fn fail(&self, error: LnurlChannelError) -> Transition {
        let mut next = self.clone();
        let mut store = Store::No;
        if let Some(asking) = next.run.asking.take() {
            next.run.host_can_answer &= asking.undo_host_can_answer;
            next.undo_ask(asking.undo);
            store = Store::Fact;
        }
        match &error {
            LnurlChannelError::NodeFailed { problem, .. } => {
                let problem = *problem;
                next.add_concern(ChannelConcern::NodeFailed { problem });
            }
            LnurlChannelError::Unreachable { problem, .. } => {
                let problem = *problem;
                next.add_concern(ChannelConcern::ServiceUnreachable { problem });
            }
            _ => {}
        }
        Transition::of(next).stored(store).end_call(Err(error))
    }

    /// Nothing was sent: the request is what it was before it was asked.
    pub(super) fn undo_ask(&mut self, before: Progress) {
        if before.contact().is_none() {
            // What the peer proposed meanwhile answers no request.
            self.run.proposals.end();
        }
        self.record.progress = before;
    }
}

fn unusable(method: &str, why: &str) -> NodeFailure {
    NodeFailure {
        problem: NodeProblem::Failed,
        reason: format!("{method} returned what cannot be used: {why}"),
    }
}
