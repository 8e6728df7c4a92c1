//! What a restart keeps of what was shown, and what lives in a run only.

use std::collections::BTreeMap;

use super::super::samples::*;
use super::world::World;
use crate::request::Progress;
use crate::*;

/// What lives in a run only.
pub struct InRun {
    snapshot: ChannelRequestSnapshot,
    /// Never accepted, or turned down before anybody was asked: nothing is kept of it.
    is_never_written: bool,
    /// Agreed a day ago, and nobody was asked; or the clock was set, and it may seem so.
    may_be_forgotten: bool,
    /// The answer is lost with the run.
    is_being_asked: bool,
    /// A proposal undid a dismissal, and a proposal writes nothing.
    had_proposal: bool,
}

impl World {
    pub fn in_run(&self) -> BTreeMap<RequestId, InRun> {
        let of = |request: &crate::request::Request| {
            let progress = &request.record.progress;
            let is_old = match progress {
                // To the second: the two clocks need not change it at once.
                Progress::Accepted { at } => at.age(self.bench.now) + SECOND >= DAY,
                _ => false,
            };
            let in_run = InRun {
                snapshot: self.bench.snapshot(request.id()).clone(),
                is_never_written: matches!(progress, Progress::Offered | Progress::Declined { .. }),
                may_be_forgotten: is_old || self.bench.clock_was_set,
                is_being_asked: request.run.asking.is_some(),
                had_proposal: self.proposed_for.contains(&request.id()),
            };
            (request.id(), in_run)
        };
        self.bench.client.all_requests().map(of).collect()
    }
}

impl InRun {
    pub fn check(&self, after: Option<&ChannelRequestSnapshot>) {
        use ChannelRequestState::{
            Awaiting, Connecting, Offered, Opening, OutcomeUnknown, Refused, Requesting,
        };
        let before = &self.snapshot;
        let Some(after) = after else {
            assert!(self.is_never_written || self.may_be_forgotten, "{before:?}");
            return;
        };
        assert!(!self.is_never_written, "{before:?}");
        let awaits = matches!(before.state, Awaiting | OutcomeUnknown);
        let states = match before.state {
            Connecting => vec![Offered],
            // Whoever is being asked may have heard it, and the answer is lost.
            Requesting => vec![OutcomeUnknown],
            _ if awaits && self.is_being_asked => vec![OutcomeUnknown],
            // The proposal is gone.
            Opening => vec![Awaiting, OutcomeUnknown, Refused],
            state => vec![state],
        };
        assert!(states.contains(&after.state), "{before:?}, then {after:?}");
        assert!(!after.is_running && !after.is_peer_connected);
        assert_eq!(after.waits_until_seconds, None);
        assert_eq!(
            (
                &after.offer,
                after.created_at_seconds,
                &after.hosted_terms,
                &after.refusal
            ),
            (
                &before.offer,
                before.created_at_seconds,
                &before.hosted_terms,
                &before.refusal
            )
        );
        let is_proposal = before.state == Opening;
        let channel = before.channel.as_ref().filter(|_| !is_proposal);
        assert_eq!(after.channel.as_ref(), channel);
        assert!(
            after.is_dismissed == before.is_dismissed || self.had_proposal,
            "{before:?}, then {after:?}"
        );
        let unclear = |snapshot: &ChannelRequestSnapshot| {
            let mut concerns = snapshot.concerns.clone();
            concerns.retain(|concern| matches!(concern, ChannelConcern::AnswerUnclear { .. }));
            concerns
        };
        assert_eq!(after.concerns, unclear(after), "the others are of a run");
        // `ask_again` shows what it asks for once that is written, and the record says so before.
        if !(awaits && self.is_being_asked) {
            assert_eq!(after.visibility, before.visibility);
        }
        match self.is_being_asked && after.state == OutcomeUnknown {
            true => assert_eq!(
                after.concerns,
                [ChannelConcern::AnswerUnclear { words: None }]
            ),
            false => assert_eq!(unclear(after), unclear(before)),
        }
    }
}
