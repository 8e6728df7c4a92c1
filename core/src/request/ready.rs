//! From the channel that arrived to the one that can be used (8).

use super::call::{Call, Stage};
use super::link::connecting;
use super::{Context, Effect, Request, Transition, reasons};
use crate::channel::ChannelStage;
use crate::error::LnurlChannelError;
use crate::ids::Waiter;
use crate::output::Answer;
use crate::snapshot::ChannelStep;

impl Request {
    /// Keep the peer connected until the channel can be used.
    pub fn await_ready(&self, context: &mut Context, waiter: Waiter) -> Transition {
        let Some((channel, _)) = self.channel() else {
            return Transition::answer(self, waiter, Err(self.wrong_state()));
        };
        if channel.stage == ChannelStage::Ready {
            return Transition::answer(self, waiter, Ok(Answer::Ready(channel.clone())));
        }
        if self.is_running() {
            return self.join(waiter);
        }
        let mut next = self.clone();
        next.run.call = Some(Box::new(Call {
            waiters: vec![waiter],
            stage: Stage::AwaitingReady {
                link: connecting(context, self, 0),
            },
        }));
        next.run.holds_peer = true;
        Transition::of(next)
            .named(ChannelStep::Connecting)
            .with(Effect::Connect)
    }

    /// What `await_ready` ends with if the channel is closed first. `why` is the node's own reason.
    pub(super) fn never_ready(&self, why: Option<String>) -> LnurlChannelError {
        LnurlChannelError::NoChannel {
            service_agreed: self.service_agreed(),
            reason: reasons::never_ready(why.as_deref()),
            concerns: self.concerns(),
        }
    }
}
