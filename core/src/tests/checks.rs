//! What must hold after each input, whatever it is.

use super::bench::{Bench, name_of};
use crate::protocol::BitcoinNetwork;
use crate::record::{self, Rules};
use crate::request::{Progress, Request};
use crate::*;

/// All secrets of the tests hold one of these, and nothing else does.
const SECRET_WORDS: [&str; 3] = ["hush", "unsaid", "5ec7e7"];

const RULES: Rules = Rules {
    network: BitcoinNetwork::Regtest,
    allow_private_hosts: false,
};

/// What an onlooker knows of the asking for a request. A restart does not make him forget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    /// How often the user agreed that the service is asked.
    pub consents: u32,
    /// First tries of a callback, or messages to the host.
    pub asks: u32,
    /// Tries of the last callback.
    pub tries: u32,
    /// The service, or the host, was or may have been asked.
    pub was_sent: bool,
    /// The call that runs was begun by `ask_again`.
    pub is_again: bool,
    /// The user agreed to the call that runs, and it has not asked yet.
    pub may_ask: bool,
}

/// The inputs from which a service may come to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    Accept,
    AskAgain,
    Preflight,
    Connected,
    Time,
}

impl Cause {
    pub fn of(input: &Input) -> Option<Self> {
        match input {
            Input::Accept { .. } => Some(Self::Accept),
            Input::AskAgain { .. } => Some(Self::AskAgain),
            Input::Preflight { .. } => Some(Self::Preflight),
            Input::Connected(_, Ok(())) => Some(Self::Connected),
            Input::TimePassed => Some(Self::Time),
            _ => None,
        }
    }
}

/// Whether there is anything new to show.
fn differs(before: ChannelRequestSnapshot, after: &ChannelRequestSnapshot) -> bool {
    let unchanged = ChannelRequestSnapshot {
        revision: after.revision,
        updated_at_seconds: after.updated_at_seconds,
        ..before
    };
    unchanged != *after
}

impl Bench {
    /// What an onlooker learns from an input.
    pub(super) fn see(&mut self, input: &Input) {
        let state = |id| self.snapshots.get(id).map(|snapshot| snapshot.state);
        match input {
            Input::Fetch { waiter, .. }
            | Input::AwaitReady { waiter, .. }
            | Input::Preflight { waiter, .. }
            | Input::Cancel { waiter, .. }
            | Input::Dismiss { waiter, .. } => {
                self.waiting.insert(*waiter);
            }
            Input::Accept {
                waiter, request, ..
            } => {
                if state(request) == Some(ChannelRequestState::Offered) {
                    self.see_consent(*request);
                }
                self.waiting.insert(*waiter);
            }
            Input::AskAgain {
                waiter, request, ..
            } => {
                let is_running = self.snapshots.get(request).is_some_and(|s| s.is_running);
                if !is_running {
                    self.see_consent(*request);
                }
                self.waiting.insert(*waiter);
            }
            Input::Leave(waiter) => {
                self.waiting.remove(waiter);
                self.left.insert(*waiter);
            }
            Input::CallbackWritten(task) => self.was_sent(*task),
            Input::CallbackEnded(task, result) => {
                let was_sent = match result {
                    Ok(_) => true,
                    Err(failure) => failure.was_sent,
                };
                if was_sent {
                    self.was_sent(*task);
                }
                self.tasks.remove(task);
            }
            Input::Invoked(task, result) => {
                if result.is_ok() {
                    self.was_sent(*task);
                }
                self.tasks.remove(task);
            }
            Input::Got(task, _)
            | Input::NodeAsked(task, _)
            | Input::Connected(task, _)
            | Input::CancelSent(task) => {
                self.tasks.remove(task);
            }
            _ => {}
        }
    }

    fn see_consent(&mut self, request: RequestId) {
        let asks = self.asks.entry(request).or_default();
        asks.consents += 1;
        asks.may_ask = true;
    }

    fn was_sent(&mut self, task: TaskId) {
        let owner = self
            .offers
            .keys()
            .find(|id| self.asks_service(**id) == Some(task));
        if let Some(id) = owner.copied() {
            self.asks.entry(id).or_default().was_sent = true;
        }
    }

    pub(super) fn take_outputs(&mut self, cause: Option<Cause>) {
        while let Some(output) = self.client.poll_output() {
            if self.is_thorough {
                let text = format!("{output:?}");
                let said = SECRET_WORDS.iter().find(|word| text.contains(**word));
                assert_eq!(said, None, "a secret is in {text}");
            }
            self.take_output(&output, cause);
            self.done.push(output);
        }
        self.check();
    }

    fn take_output(&mut self, output: &Output, cause: Option<Cause>) {
        match output {
            Output::Changed {
                request,
                snapshot,
                step,
                ..
            } => {
                let before = self.snapshots.insert(*request, (**snapshot).clone());
                if let Some(before) = before {
                    assert!(snapshot.revision > before.revision, "{snapshot:?}");
                    let is_named = step.is_some_and(|step| step != ChannelStep::Changed);
                    assert!(is_named || differs(before, snapshot), "nothing changed");
                }
            }
            Output::Forgotten(request) => {
                let known = self.snapshots.remove(request);
                assert!(known.is_some(), "{request} was not known");
            }
            Output::Answer { waiter, result, .. } => {
                // A cancel goes on though nobody waits for it, and the driver drops its answer.
                let has_left = *result == Ok(Answer::Done) && self.left.remove(waiter);
                assert!(
                    has_left || self.waiting.remove(waiter),
                    "{waiter:?} waits for no answer"
                );
                self.answers.insert(*waiter, result.clone());
            }
            Output::Run(id, task) => self.take_task(*id, task, cause),
            Output::Stop(id) => {
                self.tasks.remove(id);
                self.opened.remove(id);
            }
        }
    }

    fn take_task(&mut self, id: TaskId, task: &Task, cause: Option<Cause>) {
        assert!(self.last_task < Some(id), "{id:?} was used before");
        self.last_task = Some(id);
        self.names.insert(id, name_of(task));
        match task {
            Task::AskNode { .. } if cause == Some(Cause::Preflight) => {}
            Task::AskNode { request, .. } => {
                let is_again = cause == Some(Cause::AskAgain);
                assert!(is_again || cause == Some(Cause::Accept), "nobody agreed");
                self.asks.entry(*request).or_default().is_again = is_again;
            }
            Task::Connect(peer) => {
                assert!(self.connects(&peer.node_id).is_none(), "it connects twice")
            }
            Task::ReleasePeer(_) => return,
            Task::OpenConnection { .. } => {
                self.opened.insert(id);
                return;
            }
            Task::Callback {
                opened_by: Some(opened_by),
                ..
            } => assert!(self.opened.remove(opened_by), "nothing was opened"),
            _ => {}
        }
        self.tasks.insert(id, task.clone());
        if matches!(task, Task::Callback { .. } | Task::Invoke { .. }) {
            let owner = self
                .offers
                .keys()
                .find(|of| self.asks_service(**of) == Some(id));
            self.see_ask(*owner.expect("a callback of no request"), cause);
        }
    }

    /// A service, or a host, is asked: with consent, connected, stored, and once.
    fn see_ask(&mut self, request: RequestId, cause: Option<Cause>) {
        let asks = self.asks.entry(request).or_default();
        match cause {
            Some(Cause::Connected) => {
                asks.asks += 1;
                asks.tries = 1;
                assert!(asks.asks <= asks.consents, "asked more often than agreed");
                assert!(asks.may_ask, "asked twice by one call, or by none");
                asks.may_ask = false;
                assert!(asks.is_again || !asks.was_sent, "asked again by itself");
            }
            // Provably unsent: it is tried again.
            Some(Cause::Time) => {
                asks.tries += 1;
                assert!(asks.tries <= 3, "tried too often");
            }
            _ => panic!("asked without a connection"),
        }
        let now = self.now;
        let record = self
            .journal()
            .records
            .get(&request.to_string())
            .expect("asked, and not stored");
        let read = record::read(&request.to_string(), record.as_bytes(), RULES, now).unwrap();
        assert!(
            matches!(read.record.progress, Progress::Asked(_)),
            "asked, then stored"
        );
    }

    fn check(&mut self) {
        let next = self.client.poll_timeout();
        let mut running = 0;
        for request in self.client.all_requests() {
            let id = request.id();
            let shown = &self.snapshots[&id];
            running += usize::from(shown.is_running);
            if !shown.is_running
                && let Some(asks) = self.asks.get_mut(&id)
            {
                asks.may_ask = false;
            }
            if self.is_thorough {
                assert_eq!(*shown, request.snapshot(), "a change was not shown");
                self.check_record(request);
            }
            if self.asks.get(&id).is_some_and(|asks| asks.was_sent) {
                let denies = matches!(
                    shown.state,
                    ChannelRequestState::Offered | ChannelRequestState::Connecting
                );
                assert!(!denies, "{:?} denies that it was asked", shown.state);
            }
        }
        assert!(
            running == 0 || next.is_some() || !self.tasks.is_empty(),
            "a call hangs"
        );
        for id in &self.opened {
            assert!(
                self.client.wants(*id),
                "a connection stays open for nothing"
            );
        }
        for (id, task) in &self.tasks {
            let is_wanted = self.client.wants(*id) || matches!(task, Task::Connect(_));
            assert!(is_wanted, "{task:?} runs, and nobody wants it");
        }
    }

    /// What is written is read as it was.
    fn check_record(&self, request: &Request) {
        let record = &request.record;
        let Some(content) = record::write(record) else {
            return;
        };
        let name = record.id.to_string();
        let read = record::read(&name, content.as_bytes(), RULES, self.now);
        let read = read.unwrap_or_else(|why| panic!("{why:?}: {record:?}"));
        if !self.clock_was_set {
            assert_eq!(read.record, *record);
            assert!(!read.needs_writing, "{content}");
        }
        if record.credentials.is_none() {
            let said = SECRET_WORDS.iter().find(|word| content.contains(**word));
            assert_eq!(said, None, "a secret is in {content}");
        }
    }
}
