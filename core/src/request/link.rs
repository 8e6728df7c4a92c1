//! The connection to the peer, before asking and while waiting (5a.9).

use std::time::Duration;

use super::call::{Link, Stage};
use super::{Context, Effect, Request, Transition};
use crate::input::NodeFailure;
use crate::problem::NodeProblem;
use crate::settings::{ONION_FACTOR, Settings};
use crate::snapshot::ChannelStep;

/// Connects that fail in a row come further and further apart, up to this many doublings.
const MAX_DOUBLINGS: u32 = 3;

impl Request {
    /// A `connect` to the peer ended.
    pub fn connected(&self, context: &mut Context, result: Result<(), NodeFailure>) -> Transition {
        let Some(call) = &self.run.call else {
            return Transition::of(self.clone());
        };
        match (&call.stage, result) {
            (Stage::Connecting { .. }, Ok(())) => self.ask(context),
            (Stage::Connecting { .. }, Err(failure)) => self.node_failed(failure),
            (stage, result) => match stage.link() {
                Some(Link::Connecting {
                    failures, is_last, ..
                }) => self.link_ended(context, failures, is_last, result.is_ok()),
                _ => Transition::of(self.clone()),
            },
        }
    }

    fn link_ended(
        &self,
        context: &mut Context,
        failures: u32,
        is_last: bool,
        is_connected: bool,
    ) -> Transition {
        if is_last {
            return self.time_over();
        }
        let mut next = self.clone();
        let reconnect = context.settings.reconnect;
        let (after, failures) = if is_connected {
            (reconnect, 0)
        } else {
            (
                reconnect * 2_u32.pow(failures.min(MAX_DOUBLINGS)),
                failures.saturating_add(1),
            )
        };
        next.set_link(Link::Resting {
            check_at: context.now.since_start + after,
            failures,
        });
        // What it means to the user is in the snapshot: the peer is connected, or not any more.
        Transition::of(next)
    }

    fn set_link(&mut self, link: Link) {
        let stage = self.run.call.as_mut().map(|call| &mut call.stage);
        if let Some(place) = stage.and_then(Stage::link_mut) {
            *place = link;
        }
    }

    /// See to the connection: the time has come, or the node reports that it was lost.
    pub fn reconnect(&self, context: &mut Context) -> Transition {
        let link = self.run.call.as_ref().and_then(|call| call.stage.link());
        let Some(Link::Resting { failures, .. }) = link else {
            return Transition::of(self.clone());
        };
        let mut next = self.clone();
        let link = connecting(context, self, failures);
        next.set_link(link);
        let step = if failures > 0 || !self.run.is_peer_connected {
            ChannelStep::Reconnecting
        } else {
            ChannelStep::Changed
        };
        Transition::of(next).named(step).with(Effect::Connect)
    }

    /// The node did not connect in time. The `connect` itself goes on.
    pub(super) fn connect_timed_out(&self, context: &mut Context) -> Transition {
        let limit = connect_limit(context.settings, self).as_secs();
        self.connected(
            context,
            Err(NodeFailure {
                problem: NodeProblem::TimedOut,
                reason: format!("connect took longer than {limit} seconds"),
            }),
        )
    }

    /// The node told whether the peer is connected.
    pub fn peer_connection(&self, is_connected: bool) -> Transition {
        let mut next = self.clone();
        next.run.is_peer_connected = is_connected;
        next.run.host_can_answer &= is_connected;
        Transition::of(next)
    }
}

pub(super) fn connecting(context: &Context, request: &Request, failures: u32) -> Link {
    Link::Connecting {
        give_up_at: context.now.since_start + connect_limit(context.settings, request),
        failures,
        is_last: false,
    }
}

pub(super) fn connect_limit(settings: &Settings, request: &Request) -> Duration {
    let is_onion = request.record.offer.peer.is_onion();
    settings.connect_timeout * if is_onion { ONION_FACTOR } else { 1 }
}
