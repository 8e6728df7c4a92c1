//! Changes on their way to the listener: of one request in order, one at a time. What adds no step to
//! the one before becomes one call with it, and so does all that comes while the listener is slow.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use lnurl_channel_core::{ChannelRequestSnapshot, ChannelStep, RequestId};
use tokio::sync::oneshot;

use crate::io::{Running, Wallet, lock, runtime};

pub struct Events {
    wallet: Arc<Wallet>,
    /// Requests whose changes are being told. Most of the time there is none.
    lines: Mutex<Vec<Line>>,
}

/// As many calls wait at most for one request. More changes become one with the last.
const MAX_WAITING: usize = 8;

struct Line {
    request: RequestId,
    /// What the listener hears next, in order.
    waiting: VecDeque<Change>,
    /// How many changes there were, those that became one with another included.
    count: u64,
    /// Who waits until the listener has heard of that many.
    marks: Vec<(u64, oneshot::Sender<()>)>,
}

struct Change {
    snapshot: Arc<ChannelRequestSnapshot>,
    step: ChannelStep,
    /// How many there were with this one.
    count: u64,
}

impl Line {
    fn of(request: RequestId) -> Self {
        Self {
            request,
            waiting: VecDeque::new(),
            count: 0,
            marks: Vec::new(),
        }
    }

    fn push(&mut self, snapshot: Arc<ChannelRequestSnapshot>, step: ChannelStep) {
        self.count += 1;
        let is_full = self.waiting.len() == MAX_WAITING;
        if let Some(last) = self.waiting.back_mut() {
            let adds_no_step = step == ChannelStep::Changed || step == last.step;
            if adds_no_step || last.step == ChannelStep::Changed || is_full {
                last.snapshot = snapshot;
                last.count = self.count;
                if !adds_no_step {
                    last.step = step;
                }
                return;
            }
        }
        self.waiting.push_back(Change {
            snapshot,
            step,
            count: self.count,
        });
    }
}

impl Events {
    pub fn new(wallet: Arc<Wallet>) -> Arc<Self> {
        Arc::new(Self {
            wallet,
            lines: Mutex::default(),
        })
    }

    pub fn push(
        self: &Arc<Self>,
        id: RequestId,
        snapshot: Arc<ChannelRequestSnapshot>,
        step: ChannelStep,
    ) {
        let mut lines = lock(&self.lines);
        if let Some(line) = line_of(&mut lines, id) {
            return line.push(snapshot, step);
        }
        let telling = self.wallet.telling();
        if runtime::spawn(self.clone().tell(id, telling)).is_some() {
            let mut line = Line::of(id);
            line.push(snapshot, step);
            lines.push(line);
        }
    }

    /// Ends when the listener has heard of all changes of the request so far; none if it has.
    pub fn heard(&self, id: RequestId) -> Option<oneshot::Receiver<()>> {
        let mut lines = lock(&self.lines);
        let line = line_of(&mut lines, id)?;
        let (mark, heard) = oneshot::channel();
        line.marks.push((line.count, mark));
        Some(heard)
    }

    async fn tell(self: Arc<Self>, id: RequestId, _telling: Running) {
        let mut heard = 0;
        while let Some(change) = self.next(id, heard) {
            let snapshot = change.snapshot.as_ref().clone();
            self.wallet.tell(snapshot, change.step).await;
            heard = change.count;
        }
    }

    fn next(&self, id: RequestId, heard: u64) -> Option<Change> {
        let mut lines = lock(&self.lines);
        let line = line_of(&mut lines, id)?;
        for (_, mark) in line.marks.extract_if(.., |(count, _)| *count <= heard) {
            // The receiver may have been dropped.
            let _ = mark.send(());
        }
        let next = line.waiting.pop_front();
        if next.is_none() {
            lines.retain(|line| line.request != id);
        }
        next
    }
}

fn line_of(lines: &mut [Line], id: RequestId) -> Option<&mut Line> {
    lines.iter_mut().find(|line| line.request == id)
}

#[cfg(test)]
mod tests {
    use ChannelStep::{
        Agreed, Changed, Connecting, Mismatched, OpeningFailed, Proposed, Reconnecting,
    };
    use lnurl_channel_core::ChannelRequestState;
    use lnurl_channel_core::protocol::{ChannelKind, ChannelOffer, PeerAddress};

    use super::*;

    fn snapshot(revision: u64) -> Arc<ChannelRequestSnapshot> {
        Arc::new(ChannelRequestSnapshot {
            request_id: String::new(),
            revision,
            offer: ChannelOffer {
                kind: ChannelKind::Funded,
                peer: PeerAddress {
                    node_id: String::new(),
                    host: String::new(),
                    port: 9735,
                },
                service: None,
                answered_by: None,
                callback_host: None,
                alias: None,
            },
            state: ChannelRequestState::Awaiting,
            is_running: true,
            is_peer_connected: false,
            visibility: None,
            created_at_seconds: 0,
            updated_at_seconds: 0,
            waits_until_seconds: None,
            channel: None,
            hosted_terms: None,
            concerns: Vec::new(),
            refusal: None,
            is_dismissed: false,
        })
    }

    /// What is told of these steps, whose snapshots are numbered from 1.
    fn told(steps: impl IntoIterator<Item = ChannelStep>) -> Vec<(ChannelStep, u64)> {
        let mut line = Line::of(RequestId::of_random([0; 16]));
        for (revision, step) in (1..).zip(steps) {
            line.push(snapshot(revision), step);
        }
        let told = line.waiting.iter();
        let told: Vec<_> = told
            .map(|change| (change.step, change.snapshot.revision))
            .collect();
        assert_eq!(line.waiting.back().map(|last| last.count), Some(line.count));
        told
    }

    #[test]
    fn each_step_is_told_and_a_change_without_one_goes_with_its_neighbour() {
        for (steps, expected) in [
            (&[Changed, Changed][..], &[(Changed, 2)][..]),
            (&[Changed, Connecting], &[(Connecting, 2)]),
            (&[Proposed, Changed], &[(Proposed, 2)]),
            (&[Reconnecting, Changed, Reconnecting], &[(Reconnecting, 3)]),
            (
                &[Proposed, OpeningFailed, Reconnecting, Changed, Proposed],
                &[
                    (Proposed, 1),
                    (OpeningFailed, 2),
                    (Reconnecting, 4),
                    (Proposed, 5),
                ],
            ),
        ] {
            assert_eq!(told(steps.iter().copied()), expected, "{steps:?}");
        }
    }

    #[test]
    fn a_listener_that_is_slow_gets_the_last_of_too_many() {
        let steps = [Proposed, Mismatched].into_iter().cycle().take(1000);
        let told = told(steps.chain([OpeningFailed, Agreed, Changed]));
        assert_eq!(told.len(), MAX_WAITING);
        assert_eq!(told[0], (Proposed, 1));
        assert_eq!(told[MAX_WAITING - 1], (Agreed, 1003));
    }
}
