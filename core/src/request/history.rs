//! What happened to a request, with times: what its receipt tells (8).

use std::sync::Arc;

use super::{Contact, Progress, Request};
use crate::channel::VerdictKind;
use crate::clock::Now;
use crate::error::LnurlChannelError;
use crate::protocol::ChannelVisibility;
use crate::snapshot::ChannelStep;

/// Entries kept from the beginning, and in all. A wait of weeks makes many that are alike: those in the
/// middle are counted.
const KEPT_FIRST: usize = 16;
const KEPT: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Accepted,
    Step(ChannelStep),
    PeerConnected,
    PeerDisconnected,
    Refused,
    Cancelled,
    /// `accept`, `ask_again` or `await_ready` ended without what it waited for.
    CallEnded,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub at_seconds: u64,
    pub event: Event,
    /// Of a channel: its id. Of a call that ended: the error's name. Of an ask: the visibility.
    pub detail: Option<Box<str>>,
    pub verdict: Option<VerdictKind>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Oldest first. Shared with what is published.
    pub entries: Arc<Vec<Entry>>,
    /// How many are left out behind the first ones.
    pub left_out: u32,
}

impl History {
    /// None if there are more than are kept.
    pub fn of(entries: Vec<Entry>, left_out: u32) -> Option<Self> {
        (entries.len() <= KEPT).then(|| Self {
            entries: Arc::new(entries),
            left_out,
        })
    }

    fn push(&mut self, entry: Entry) {
        let entries = Arc::make_mut(&mut self.entries);
        let progressed = Event::Step(ChannelStep::Progressed);
        entries.pop_if(|last| last.event == progressed && entry.event == progressed);
        entries.push(entry);
        if entries.len() > KEPT {
            entries.remove(KEPT_FIRST);
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// The entries, and where some are left out, how many.
    pub fn first_and_rest(&self) -> (&[Entry], &[Entry]) {
        let first = match self.left_out {
            0 => self.entries.len(),
            _ => KEPT_FIRST.min(self.entries.len()),
        };
        self.entries.split_at(first)
    }
}

impl Request {
    /// Note what led from `before` to here. Of an offer that nobody accepted, nothing is noted.
    pub(super) fn note(
        &mut self,
        before: &Self,
        now: Now,
        step: ChannelStep,
        ended: Option<&LnurlChannelError>,
    ) {
        if !self.run.was_accepted {
            return;
        }
        let events = [
            (!before.run.was_accepted).then_some((Event::Accepted, None)),
            self.progress_event(before),
            (step != ChannelStep::Changed)
                .then(|| (Event::Step(step), self.step_detail(before, step))),
            self.connection_event(before),
            ended.map(|error| (Event::CallEnded, Some(error.name()))),
        ];
        let entries = events.into_iter().flatten().map(|(event, detail)| {
            let arrived = matches!(
                event,
                Event::Step(ChannelStep::Arrived | ChannelStep::Ready)
            );
            let channel = self.channel().filter(|_| arrived);
            Entry {
                at_seconds: now.unix_millis / 1000,
                event,
                detail: detail.map(Into::into),
                verdict: channel.map(|(_, verdict)| verdict),
            }
        });
        for entry in entries.collect::<Vec<_>>() {
            self.record.history.push(entry);
        }
    }

    fn progress_event(&self, before: &Self) -> Option<(Event, Option<&str>)> {
        let (now, was) = (&self.record.progress, &before.record.progress);
        let event = match (now, was) {
            (Progress::Refused { .. }, Progress::Refused { .. } | Progress::Arrived { .. })
            | (Progress::Cancelled { .. }, Progress::Cancelled { .. })
            | (Progress::Declined { .. }, Progress::Declined { .. }) => return None,
            (Progress::Refused { .. }, _) => Event::Refused,
            (Progress::Cancelled { .. } | Progress::Declined { .. }, _) => Event::Cancelled,
            _ => return None,
        };
        Some((event, None))
    }

    fn connection_event(&self, before: &Self) -> Option<(Event, Option<&str>)> {
        if self.has_ended() {
            // Of a request that has ended, it is not shown either.
            return None;
        }
        // Connected already when the user agreed, it is so from then on.
        let was = before.run.is_peer_connected && before.run.was_accepted;
        let event = match (was, self.run.is_peer_connected) {
            (false, true) => Event::PeerConnected,
            (true, false) => Event::PeerDisconnected,
            _ => return None,
        };
        Some((event, None))
    }

    fn step_detail<'a>(&'a self, before: &'a Self, step: ChannelStep) -> Option<&'a str> {
        match step {
            ChannelStep::Requesting => {
                let contact = self.record.progress.contact();
                let wanted = contact.and_then(Contact::funded)?;
                Some(match wanted.visibility {
                    ChannelVisibility::Announced => "Announced",
                    ChannelVisibility::Unannounced => "Unannounced",
                })
            }
            ChannelStep::Proposed
            | ChannelStep::Arrived
            | ChannelStep::Progressed
            | ChannelStep::Ready => self.shown_channel()?.channel_id.as_deref(),
            ChannelStep::OpeningFailed => before.shown_channel()?.channel_id.as_deref(),
            _ => None,
        }
    }
}
