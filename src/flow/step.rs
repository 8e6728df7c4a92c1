//! The step from one state of a request to the next. Sections 5 to 8 of the rules are the
//! specification; the README draws the states.

use super::error::LnurlChannelError;
use super::input::{Action, Asked, Input, NodeFacts, Step, Task};
use super::request::{KnownChannel, Progress, Request};
use super::types::{
    ChannelEvent, ChannelOutcome, ChannelRequestState, ChannelStage, ChannelVerdict,
    IncomingChannel,
};
use crate::protocol::{self, ChannelKind, ChannelVisibility, HostMessage, Secret};

/// Verdicts remembered per request: a peer can propose without end, a phone cannot.
const KNOWN_CHANNELS: usize = 64;

/// Longest text of the host or of the wallet's node in a reason, in characters.
const REASON_CHARS: usize = 500;

/// A running `accept` or `resume`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    stage: CallStage,
    visibility: ChannelVisibility,
    /// The wallet's key, until the service is told.
    node_id: Option<String>,
    /// What to go back to, as long as it may turn out that nothing was sent.
    before: Option<Box<Progress>>,
    deadline_runs: bool,
    /// A `connect` is under way.
    connecting: bool,
    /// Whether the last `connect` that ended did so well.
    peer_connected: bool,
    failed_connects: u32,
    /// `AwaitingChannel` was sent.
    wait_announced: bool,
    /// Why the service's answer is unknown.
    lost: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CallStage {
    /// The node is asked for its key, and connects. Nothing was sent.
    Preparing,
    /// The service, or the host, is being asked, or was.
    Waiting,
}

impl Request {
    /// What follows from `input`. An error leaves the request as it was.
    pub fn step(&mut self, now: u64, input: Input) -> Result<Step, LnurlChannelError> {
        Ok(match input {
            Input::Accept(visibility) => self.accept(visibility)?,
            Input::Resume => self.resume()?,
            Input::Pause => self.pause(),
            Input::Decline => self.decline(now)?,
            Input::Cancel => self.cancel(now)?,
            Input::NodeAsked(Ok(facts)) => self.node_asked(facts),
            Input::NodeAsked(Err(reason)) => self.node_failed(reason),
            Input::Connected(result) => self.connected(result),
            Input::Written => Step::unstored(self.start_deadline()),
            Input::Asked(asked) => self.asked(now, asked),
            Input::HostAnswered(answer, message) => self.host_answered(now, answer, message),
            Input::Judged(channel, verdict) => self.judged(now, channel, verdict),
            Input::ChannelFailed(channel_id) => self.channel_failed(&channel_id),
            Input::CheckDue => self.check_due(),
            Input::TimeOver => self.time_over(),
            Input::StoreFailed(reason) => self.fail(LnurlChannelError::StorageFailed { reason }),
            Input::Returned(end) => self.returned(end, true),
            Input::NotReturned(end) => self.returned(end, false),
        })
    }

    // ---- what the user does ----

    fn accept(&mut self, visibility: ChannelVisibility) -> Result<Step, LnurlChannelError> {
        use ChannelRequestState::{Arrived, Cancelled, Connecting, Declined};
        let ended = matches!(self.state(), Arrived | Declined | Cancelled);
        if self.is_running() || ended || self.credentials.is_none() {
            return Err(self.wrong_state());
        }
        let mut call = Call::new(CallStage::Preparing, visibility);
        call.before = Some(Box::new(self.progress.clone()));
        self.call = Some(call);
        self.accepted = true;
        // A request that was asked before keeps its state: `Connecting` would deny it.
        if !self.progress.asked {
            self.progress.state = Connecting;
        }
        let hosted = self.offer.kind == ChannelKind::Hosted;
        let refund_script = hosted && self.progress.refund_script.is_none();
        Ok(Step::before_effect(vec![Action::Run(Task::AskNode {
            refund_script,
        })]))
    }

    fn resume(&mut self) -> Result<Step, LnurlChannelError> {
        if let (ChannelRequestState::Arrived, Some(outcome)) =
            (self.state(), &self.progress.outcome)
        {
            return Ok(Step::unstored(vec![Action::End(Ok(outcome.clone()))]));
        }
        if self.is_running() || !self.state().awaits() {
            return Err(self.wrong_state());
        }
        let mut call = Call::new(CallStage::Waiting, ChannelVisibility::Unannounced);
        call.deadline_runs = true;
        call.connecting = true;
        self.call = Some(call);
        let connecting = ChannelEvent::Connecting {
            peer: self.peer().clone(),
        };
        Ok(Step::unstored(vec![
            Action::Run(Task::Deadline),
            Action::Emit(connecting),
            Action::Run(Task::Connect),
        ]))
    }

    fn pause(&mut self) -> Step {
        if self.call.take().is_none() {
            return Step::none();
        }
        let end = vec![Action::End(Err(LnurlChannelError::Cancelled))];
        Step::fact_if(self.lose_answer(), end)
    }

    fn decline(&mut self, now: u64) -> Result<Step, LnurlChannelError> {
        use ChannelRequestState::{Arrived, Cancelled, Declined};
        if self.is_running() || matches!(self.state(), Arrived | Cancelled | Declined) {
            return Err(self.wrong_state());
        }
        self.finish(now, Declined);
        self.progress.returned = true;
        Ok(Step::before_effect(Vec::new()))
    }

    fn cancel(&mut self, now: u64) -> Result<Step, LnurlChannelError> {
        use ChannelRequestState::{Arrived, Cancelled, Declined, Offered};
        match self.state() {
            Offered => return self.decline(now),
            Cancelled => return Ok(Step::none()),
            Arrived | Declined => return Err(self.wrong_state()),
            _ => {}
        }
        let mut actions = Vec::new();
        if self.call.take().is_some() {
            actions.push(Action::End(Err(LnurlChannelError::Cancelled)));
        }
        actions.extend(self.cancel_url().map(Action::SendCancel));
        self.finish(now, Cancelled);
        self.progress.returned = true;
        Ok(Step::before_effect(actions))
    }

    /// Where the service is told, if it was ever asked. Hosts are not told.
    fn cancel_url(&self) -> Option<Secret> {
        let credentials = self.credentials.as_ref()?;
        let callback = credentials.callback.as_ref()?;
        let node_id = self
            .progress
            .node_id
            .as_ref()
            .filter(|_| self.progress.asked)?;
        let url = protocol::cancel_url(callback.expose(), credentials.k1.expose(), node_id);
        Some(Secret::new(url))
    }

    // ---- what the wallet's node does ----

    fn node_asked(&mut self, facts: NodeFacts) -> Step {
        let node_id = match protocol::check_node_id(&facts.node_id) {
            Ok(node_id) => node_id,
            Err(reason) => return self.node_failed(format!("its node_id is not usable: {reason}")),
        };
        if node_id == self.peer().node_id {
            return self.fail(LnurlChannelError::InvalidResponse {
                reason: "the target node is the wallet's own node".into(),
            });
        }
        if let Some(script) = &facts.refund_script
            && let Err(reason) = protocol::check_refund_script(script)
        {
            return self.node_failed(format!("its refund_script_pubkey is not usable: {reason}"));
        }
        let Some(call) = &mut self.call else {
            return Step::none();
        };
        call.connecting = true;
        call.node_id = Some(node_id);
        let connecting = ChannelEvent::Connecting {
            peer: self.peer().clone(),
        };
        let actions = vec![Action::Emit(connecting), Action::Run(Task::Connect)];
        match facts.refund_script {
            Some(script) => {
                self.progress.refund_script = Some(script);
                Step::fact(actions)
            }
            None => Step::unstored(actions),
        }
    }

    fn connected(&mut self, result: Result<(), String>) -> Step {
        let Some(call) = &mut self.call else {
            return Step::none();
        };
        call.connecting = false;
        call.peer_connected = result.is_ok();
        match (call.stage, result) {
            (CallStage::Preparing, Ok(())) => self.ask(),
            (CallStage::Preparing, Err(reason)) => self.node_failed(reason),
            (CallStage::Waiting, Ok(())) => {
                call.failed_connects = 0;
                let mut actions = self.announce_wait();
                actions.push(Action::Run(Task::CheckLater { failed_connects: 0 }));
                Step::unstored(actions)
            }
            (CallStage::Waiting, Err(_)) => {
                call.failed_connects = call.failed_connects.saturating_add(1);
                let failed_connects = call.failed_connects;
                Step::unstored(vec![Action::Run(Task::CheckLater { failed_connects })])
            }
        }
    }

    /// Asking is stored before it is done: a service that may have been asked counts as asked.
    fn ask(&mut self) -> Step {
        let (Some(call), Some(credentials)) = (&mut self.call, &self.credentials) else {
            return Step::none();
        };
        let Some(node_id) = call.node_id.as_ref() else {
            return Step::none();
        };
        let ask = match &credentials.callback {
            Some(callback) => Task::SendCallback(Secret::new(protocol::accept_url(
                callback.expose(),
                credentials.k1.expose(),
                node_id,
                call.visibility,
            ))),
            None => {
                let script = self.progress.refund_script.as_deref().unwrap_or_default();
                // `parse_offer` let only hex through.
                let secret = hex::decode(credentials.k1.expose()).unwrap_or_default();
                let payload = protocol::invoke_payload(self.network, script, &secret);
                Task::SendInvoke(Secret::of_bytes(payload))
            }
        };
        call.stage = CallStage::Waiting;
        let progress = &mut self.progress;
        progress.node_id = call.node_id.take();
        let other = progress.asked && progress.visibility != Some(call.visibility);
        progress.visibility = (!other).then_some(call.visibility);
        progress.state = ChannelRequestState::Requesting;
        progress.asked = true;
        progress.agreed = false;
        progress.ended_at = None;
        progress.returned = false;
        let requesting = ChannelEvent::Requesting {
            peer: self.peer().clone(),
        };
        Step::before_effect(vec![
            Action::Emit(requesting),
            Action::Run(ask),
            Action::Run(Task::CheckLater { failed_connects: 0 }),
        ])
    }

    fn check_due(&mut self) -> Step {
        let peer = self.offer.peer.clone();
        let Some(call) = &mut self.call else {
            return Step::none();
        };
        if call.stage == CallStage::Preparing || call.connecting {
            return Step::none();
        }
        call.connecting = true;
        let mut actions = Vec::new();
        if call.failed_connects > 0 {
            let attempt = call.failed_connects;
            actions.push(Action::Emit(ChannelEvent::Reconnecting { peer, attempt }));
        }
        actions.push(Action::Run(Task::Connect));
        Step::unstored(actions)
    }

    // ---- what the service and the host do ----

    fn asked(&mut self, now: u64, asked: Asked) -> Step {
        if self.state() != ChannelRequestState::Requesting {
            return self.asked_late(&asked);
        }
        match asked {
            Asked::Agreed => {
                self.progress.state = ChannelRequestState::Awaiting;
                self.progress.agreed = true;
                self.asked_since_start = true;
                Step::fact(self.go_on_waiting())
            }
            Asked::Lost(reason) => {
                self.lose_answer();
                if let Some(call) = &mut self.call {
                    call.lost = Some(reason);
                }
                Step::fact(self.go_on_waiting())
            }
            Asked::Refused(reason) => self.refused(now, reason),
            Asked::NotSent(LnurlChannelError::NodeFailed { reason }) => self.node_failed(reason),
            Asked::NotSent(error) => self.fail(error),
        }
    }

    /// The channel came first, and may have failed since: whether the service agreed tells how
    /// the request awaits the next.
    fn asked_late(&mut self, asked: &Asked) -> Step {
        use ChannelRequestState::{Arrived, Awaiting, OutcomeUnknown};
        let late = !self.is_running() && matches!(self.state(), Arrived | OutcomeUnknown);
        if !late || *asked != Asked::Agreed {
            return Step::none();
        }
        self.progress.agreed = true;
        if self.state() == OutcomeUnknown {
            self.progress.state = Awaiting;
        }
        Step::fact(Vec::new())
    }

    fn go_on_waiting(&mut self) -> Vec<Action> {
        if let Some(call) = &mut self.call {
            call.before = None;
        }
        let mut actions = self.start_deadline();
        actions.extend(self.announce_wait());
        actions
    }

    fn host_answered(
        &mut self,
        now: u64,
        answer: Result<HostMessage, protocol::Error>,
        message: Vec<u8>,
    ) -> Step {
        if !self.state().awaits() {
            return Step::none();
        }
        match answer {
            Ok(HostMessage::Init(terms)) => {
                self.arrive(now, ChannelOutcome::HostedOffered { terms, message })
            }
            Ok(HostMessage::LastCrossSignedState) => {
                self.arrive(now, ChannelOutcome::HostedExists { message })
            }
            Ok(HostMessage::Error(text)) => {
                let reason = protocol::presentable(&text, &self.secrets(), REASON_CHARS);
                self.refused(now, reason)
            }
            Err(error) => {
                let progress = &mut self.progress;
                let before = (progress.state, progress.agreed);
                (progress.state, progress.agreed) = (ChannelRequestState::OutcomeUnknown, false);
                let is_news = before != (progress.state, progress.agreed);
                let end = self.end(Err(error.into()));
                // A host can send any number of them.
                Step::fact_if(is_news, end)
            }
        }
    }

    fn refused(&mut self, now: u64, reason: String) -> Step {
        self.finish(now, ChannelRequestState::Refused);
        Step::fact(self.end(Err(LnurlChannelError::Refused { reason })))
    }

    // ---- what the peer does ----

    fn judged(&mut self, now: u64, channel: IncomingChannel, verdict: ChannelVerdict) -> Step {
        let expected = matches!(verdict, ChannelVerdict::Expected { .. });
        let is_fact = channel.stage == ChannelStage::Funded;
        let is_kept = is_fact || self.progress.known_channels.len() < KNOWN_CHANNELS;
        let is_news = self.remember(&channel, &verdict);
        let replaces = match &self.progress.outcome {
            None if expected && self.may_arrive() => {
                return self.arrive(now, ChannelOutcome::Opening { channel });
            }
            Some(ChannelOutcome::Opening { channel: arrived }) if expected => {
                *arrived != channel && takes_place(arrived, &channel, &self.progress.known_channels)
            }
            _ => false,
        };
        if replaces {
            self.progress.outcome = Some(ChannelOutcome::Opening { channel });
        }
        // Nodes replay much, and a peer can propose without end.
        Step::fact_if(is_news && is_kept || replaces, Vec::new())
    }

    /// Late is not too late: what was asked for and comes after a refusal is what was asked for.
    fn may_arrive(&self) -> bool {
        self.progress.asked
            && (self.state().awaits() || self.state() == ChannelRequestState::Refused)
    }

    /// Remember a verdict; false if there was nothing new in it.
    fn remember(&mut self, channel: &IncomingChannel, verdict: &ChannelVerdict) -> bool {
        let known = &mut self.progress.known_channels;
        if let Some(entry) = known.iter_mut().find(|known| known.is_of(channel)) {
            let before = entry.ids.len();
            for id in channel.ids() {
                if !entry.ids.iter().any(|known| known == id) {
                    entry.ids.push(id.to_owned());
                }
            }
            return entry.ids.len() > before;
        }
        if known.len() == KNOWN_CHANNELS {
            known.remove(least_needed(known, self.progress.outcome.as_ref()));
        }
        known.push(KnownChannel {
            ids: channel.ids().map(str::to_owned).collect(),
            verdict: verdict.clone(),
        });
        true
    }

    fn arrive(&mut self, now: u64, outcome: ChannelOutcome) -> Step {
        self.finish(now, ChannelRequestState::Arrived);
        self.progress.outcome = Some(outcome.clone());
        let mut actions = vec![Action::Emit(ChannelEvent::Arrived {
            outcome: outcome.clone(),
        })];
        actions.extend(self.end(Ok(outcome)));
        Step::fact(actions)
    }

    fn channel_failed(&mut self, channel_id: &str) -> Step {
        let Some(ChannelOutcome::Opening { channel }) = &self.progress.outcome else {
            return Step::none();
        };
        let known = &self.progress.known_channels;
        let named = known
            .iter()
            .any(|k| k.is_of(channel) && k.ids.iter().any(|id| id == channel_id));
        if !named {
            return Step::none();
        }
        let progress = &mut self.progress;
        progress.outcome = None;
        progress.ended_at = None;
        progress.returned = false;
        progress.state = if progress.agreed {
            ChannelRequestState::Awaiting
        } else {
            ChannelRequestState::OutcomeUnknown
        };
        Step::fact(Vec::new())
    }

    // ---- how a call ends ----

    fn time_over(&mut self) -> Step {
        if self.call.is_none() {
            return Step::none();
        }
        let error = self.nothing_arrived();
        let lost = self.lose_answer();
        let end = self.end(Err(error));
        Step::fact_if(lost, end)
    }

    fn nothing_arrived(&self) -> LnurlChannelError {
        let call = self.call.as_ref();
        let peer_connected = call.is_some_and(|call| call.peer_connected);
        let causes = self.likely_causes(peer_connected);
        if self.progress.agreed {
            return LnurlChannelError::NoChannel {
                peer_connected,
                reason: causes,
            };
        }
        let lost = call.and_then(|call| call.lost.as_deref());
        let lost = lost.unwrap_or("the service has not answered");
        LnurlChannelError::OutcomeUnknown {
            reason: format!("{lost}; {causes}"),
        }
    }

    fn likely_causes(&self, peer_connected: bool) -> String {
        if !peer_connected {
            return "the wallet's node is not connected to the peer".into();
        }
        if self.offer.kind == ChannelKind::Hosted {
            return "the host stayed silent: it may not know the secret, may ignore peers without \
                    its feature bit (257 or 32973), or answered on an earlier connection"
                .into();
        }
        let announced = match self.progress.visibility {
            Some(ChannelVisibility::Unannounced) => "",
            _ => ", the node refuses announced channels",
        };
        format!(
            "likely causes in the wallet: its on-chain funds are below the anchor reserve{announced}, \
             or it refuses zero-conf; or the service has not opened yet"
        )
    }

    fn node_failed(&mut self, reason: String) -> Step {
        let reason = protocol::presentable(&reason, &self.secrets(), REASON_CHARS);
        self.fail(LnurlChannelError::NodeFailed { reason })
    }

    /// Ends a call that provably sent nothing: the request is what it was before the call.
    fn fail(&mut self, error: LnurlChannelError) -> Step {
        let Some(call) = &mut self.call else {
            return Step::none();
        };
        let stored_as_asked = call.stage == CallStage::Waiting;
        if let Some(before) = call.before.take() {
            self.progress.go_back_to(*before);
        }
        let end = self.end(Err(error));
        Step::fact_if(stored_as_asked, end)
    }

    fn end(&mut self, result: Result<ChannelOutcome, LnurlChannelError>) -> Vec<Action> {
        match self.call.take() {
            Some(_) => vec![Action::End(result)],
            None => Vec::new(),
        }
    }

    fn returned(&mut self, end: u64, returned: bool) -> Step {
        if end != self.ends {
            return Step::none();
        }
        if returned && self.state() == ChannelRequestState::Offered {
            // The wallet knows that nothing came of it: it is an offer as before.
            self.accepted = false;
            return Step::fact(Vec::new());
        }
        if !self.state().has_ended() {
            return Step::none();
        }
        self.told = match returned {
            true => self.told.saturating_add(1),
            false => self.told.saturating_sub(1),
        };
        let was_returned = std::mem::replace(&mut self.progress.returned, self.told > 0);
        Step::fact_if(was_returned != self.progress.returned, Vec::new())
    }

    // ---- small parts ----

    fn finish(&mut self, now: u64, state: ChannelRequestState) {
        self.ends += 1;
        self.told = 0;
        self.progress.state = state;
        self.progress.ended_at = Some(now);
        self.progress.returned = false;
    }

    /// A request that goes unanswered, from here on, has an unknown outcome.
    fn lose_answer(&mut self) -> bool {
        let lost = self.state() == ChannelRequestState::Requesting;
        if lost {
            self.progress.state = ChannelRequestState::OutcomeUnknown;
            self.asked_since_start = true;
        }
        lost
    }

    fn start_deadline(&mut self) -> Vec<Action> {
        match &mut self.call {
            Some(call) if !call.deadline_runs => {
                call.deadline_runs = true;
                vec![Action::Run(Task::Deadline)]
            }
            _ => Vec::new(),
        }
    }

    fn announce_wait(&mut self) -> Vec<Action> {
        let unanswered = self.state() == ChannelRequestState::Requesting;
        match &mut self.call {
            Some(call) if !unanswered && !call.wait_announced => {
                call.wait_announced = true;
                let peer = self.offer.peer.clone();
                vec![Action::Emit(ChannelEvent::AwaitingChannel { peer })]
            }
            _ => Vec::new(),
        }
    }

    fn wrong_state(&self) -> LnurlChannelError {
        LnurlChannelError::WrongState {
            state: self.state(),
        }
    }
}

impl Call {
    fn new(stage: CallStage, visibility: ChannelVisibility) -> Self {
        Self {
            stage,
            visibility,
            node_id: None,
            before: None,
            deadline_runs: false,
            connecting: false,
            peer_connected: false,
            failed_connects: 0,
            wait_announced: false,
            lost: None,
        }
    }
}

/// Which known channel to forget: the oldest that was turned down, and never the one that arrived.
fn least_needed(known: &[KnownChannel], outcome: Option<&ChannelOutcome>) -> usize {
    let arrived = |known: &KnownChannel| matches!(outcome, Some(ChannelOutcome::Opening { channel }) if known.is_of(channel));
    let turned_down =
        |known: &KnownChannel| !matches!(known.verdict, ChannelVerdict::Expected { .. });
    let oldest = known.iter().position(turned_down);
    let oldest = oldest.or_else(|| known.iter().position(|known| !arrived(known)));
    oldest.unwrap_or(0)
}

/// Whether `channel` is what the request leads to from now on, instead of `arrived`.
///
/// A proposal gives way to a later one, and to any funded channel; a funded channel stays, and
/// learns what later reports of itself tell. An old proposal that is replayed changes nothing.
fn takes_place(
    arrived: &IncomingChannel,
    channel: &IncomingChannel,
    known: &[KnownChannel],
) -> bool {
    let place = |channel: &IncomingChannel| known.iter().position(|known| known.is_of(channel));
    match (arrived.stage, channel.stage) {
        (ChannelStage::Funded, ChannelStage::Funded) => place(arrived) == place(channel),
        (ChannelStage::Funded, ChannelStage::Proposed) => false,
        (ChannelStage::Proposed, ChannelStage::Funded) => true,
        (ChannelStage::Proposed, ChannelStage::Proposed) => place(arrived) <= place(channel),
    }
}
