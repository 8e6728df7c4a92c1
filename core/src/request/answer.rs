//! What the service, or the host, says (5a.5 to 5a.7, 7.3).

use super::callback::deadline;
use super::{
    Arrival, AskAnswer, Contact, Context, Effect, MAX_WORDS, Progress, Refusal, Request, Store,
    Transition,
};
use crate::clock::Stamp;
use crate::error::LnurlChannelError;
use crate::input::{HttpFailure, NodeFailure, Reply};
use crate::problem::NodeProblem;
use crate::protocol::{self, HostMessage};
use crate::snapshot::ChannelStep;

impl Request {
    /// The callback ended.
    pub fn callback_ended(
        &self,
        context: &mut Context,
        result: Result<Reply, HttpFailure>,
    ) -> Transition {
        match result {
            Ok(reply) => match protocol::parse_answer(&reply.body, &self.secrets()) {
                protocol::Answer::Ok => self.agreed(context),
                protocol::Answer::Refused(words) => self.refused(context, words),
                protocol::Answer::Unclear(words) => self.unclear(context, words),
            },
            Err(failure) if failure.was_sent || !self.is_unsent() => self.unclear(context, None),
            Err(HttpFailure {
                error, may_retry, ..
            }) => self.callback_not_sent(context, error, may_retry),
        }
    }

    fn is_unsent(&self) -> bool {
        let asking = self.run.asking.as_ref();
        asking.is_some_and(|asking| asking.is_unsent())
    }

    /// The node took the message to the host, or did not.
    pub fn invoked(&self, context: &mut Context, result: Result<(), NodeFailure>) -> Transition {
        match result {
            Ok(()) => self.agreed(context),
            // It was sent, whatever the node says, if the host has answered.
            Err(NodeFailure { problem, .. })
                if problem == NodeProblem::TimedOut || !self.waits() =>
            {
                self.unclear(context, None)
            }
            Err(NodeFailure { problem, reason }) => {
                let reason = protocol::presentable(&reason, &self.secrets(), MAX_WORDS);
                self.fail(LnurlChannelError::NodeFailed { problem, reason })
            }
        }
    }

    fn agreed(&self, context: &mut Context) -> Transition {
        self.answered(context, AskAnswer::Agreed, ChannelStep::Agreed)
    }

    fn unclear(&self, context: &mut Context, words: Option<String>) -> Transition {
        let answer = AskAnswer::Unclear { words };
        self.answered(context, answer, ChannelStep::AnswerUnclear)
    }

    fn answered(&self, context: &mut Context, answer: AskAnswer, step: ChannelStep) -> Transition {
        let mut next = self.clone();
        next.run.asking = None;
        next.start_deadline(deadline(context));
        match &mut next.record.progress {
            Progress::Asked(contact) => {
                contact.answer = answer;
                Transition::of(next).named(step).stored(Store::Fact)
            }
            // Should the channel be lost, this tells how the request awaits the next.
            Progress::Arrived { contact, .. } if answer == AskAnswer::Agreed => {
                contact.answer = answer;
                Transition::of(next).stored(Store::Fact)
            }
            _ => Transition::of(next),
        }
    }

    fn refused(&self, context: &mut Context, words: Option<String>) -> Transition {
        let mut next = self.clone();
        next.run.asking = None;
        let Progress::Asked(contact) = &self.record.progress else {
            // The channel is there, whatever the service says.
            return Transition::of(next);
        };
        let call = self.run.call.as_ref();
        let wait = call.and_then(|call| call.stage.deadline());
        next.run.release_at = Some(wait.unwrap_or(deadline(context)).at);
        next.run.proposals.end();
        next.record.progress = Progress::Refused {
            contact: contact.clone(),
            refusal: Refusal {
                words: words.clone(),
                at: Stamp::at(context.now),
            },
            is_dismissed: false,
        };
        Transition::of(next)
            .stored(Store::Fact)
            .end_call(Err(LnurlChannelError::Refused { words }))
    }

    /// The host answered.
    pub fn host_answered(
        &self,
        context: &mut Context,
        message: Result<HostMessage, protocol::Error>,
    ) -> Transition {
        if !self.waits() {
            return Transition::of(self.clone());
        }
        match message {
            Ok(HostMessage::Init { terms, message }) => {
                self.arrive(context, Arrival::HostedOffered { terms, message })
            }
            Ok(HostMessage::LastCrossSignedState { message }) => {
                self.arrive(context, Arrival::HostedExists { message })
            }
            Ok(HostMessage::Error(words)) => {
                let words =
                    words.map(|words| protocol::presentable(&words, &self.secrets(), MAX_WORDS));
                let stop = self.run.asking.as_ref().map(|asking| asking.task);
                let refused = self.refused(context, words.filter(|words| !words.is_empty()));
                stop.into_iter()
                    .fold(refused, |t, task| t.with(Effect::Stop(task)))
            }
            Err(error) => {
                let mut next = self.clone();
                let contact = next.record.progress.contact_mut();
                let is_new = contact.is_some_and(Contact::lose_answer);
                let store = if is_new { Store::Fact } else { Store::No };
                Transition::of(next)
                    .stored(store)
                    .stop_asking()
                    .end_call(Err(error.into()))
            }
        }
    }
}

impl Contact {
    /// What came cannot be understood; false if that is known already. A host can send any number of
    /// such messages.
    pub(super) fn lose_answer(&mut self) -> bool {
        let is_new = !matches!(self.answer, AskAnswer::Unclear { .. });
        if is_new {
            self.answer = AskAnswer::Unclear { words: None };
        }
        is_new
    }
}
