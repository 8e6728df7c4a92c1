//! One request on the bench, led through its states by short names of what happens.

use super::bench::Bench;
use super::samples::*;
use crate::protocol::ChannelKind;
use crate::protocol::ChannelVisibility::{Announced, Unannounced};
use crate::*;

/// A situation: its name, the one that it comes from, and what happens then.
pub type Place = (&'static str, &'static str, &'static str);

pub const FUNDED_PLACES: [Place; 28] = [
    ("asking node", "offered", "accept"),
    ("connecting", "asking node", "node tells"),
    ("offered again", "connecting", "connect fails"),
    ("requesting", "connecting", "connected"),
    ("retrying", "requesting", "unsent"),
    ("written", "requesting", "written"),
    ("awaiting", "written", "ok"),
    ("unknown", "written", "lost"),
    ("refused", "written", "error"),
    ("written, paused", "written", "pause"),
    ("awaiting, paused", "awaiting", "pause"),
    ("awaiting again", "awaiting, paused", "accept"),
    ("opening", "awaiting", "proposed"),
    ("opening, paused", "opening", "pause"),
    ("opening early", "written", "proposed"),
    (
        "asking node again",
        "awaiting, paused",
        "ask again announced",
    ),
    ("connecting again", "asking node again", "node tells"),
    ("requesting again", "connecting again", "connected"),
    ("written again", "requesting again", "written"),
    ("refused, opening", "refused", "proposed"),
    ("refused, waiting", "refused, opening", "accept"),
    ("arrived", "awaiting", "funded"),
    ("arrived early", "written", "funded"),
    ("ready", "arrived", "ready"),
    ("awaiting ready", "arrived", "await ready"),
    ("channel lost", "arrived", "closed"),
    ("declined", "offered", "cancel"),
    ("cancelled", "awaiting", "cancel"),
];

pub const HOSTED_PLACES: [Place; 13] = [
    ("asking node", "offered", "accept"),
    ("connecting", "asking node", "node tells"),
    ("invoking", "connecting", "connected"),
    ("awaiting", "invoking", "invoked"),
    ("unknown", "invoking", "invoke times out"),
    ("invoking, paused", "invoking", "pause"),
    ("awaiting, paused", "awaiting", "pause"),
    ("connection lost", "awaiting, paused", "disconnected"),
    ("connecting again", "awaiting, paused", "ask again, told"),
    ("invoking again", "connecting again", "connected"),
    ("arrived", "awaiting", "host offers"),
    ("refused", "awaiting", "host refuses"),
    ("cancelled", "awaiting", "cancel"),
];

/// `init_hosted_channel`, with bytes behind the terms that are the wallet's to read.
pub fn host_offers() -> Vec<u8> {
    let mut payload = Vec::new();
    for number in [1_000_000_u64, 1] {
        payload.extend(number.to_be_bytes());
    }
    payload.extend(30_u16.to_be_bytes());
    for number in [1_000_000_u64, 0] {
        payload.extend(number.to_be_bytes());
    }
    payload.extend([7, 7, 7]);
    payload
}

/// `error`, in which the host repeats the secret.
pub fn host_refuses() -> Vec<u8> {
    let words = b"no room for 5ec7e70001";
    let mut payload = vec![0; 32];
    payload.extend(u16::try_from(words.len()).unwrap().to_be_bytes());
    payload.extend(words);
    payload
}

#[derive(Clone)]
pub struct Play {
    pub bench: Bench,
    pub request: RequestId,
    /// Who asked for calls, in order.
    pub waiters: Vec<Waiter>,
}

impl Play {
    pub fn new(kind: ChannelKind) -> Self {
        let mut bench = Bench::new();
        let request = bench.offer(kind, 1);
        Self {
            bench,
            request,
            waiters: Vec::new(),
        }
    }

    /// At a place, by the way that leads there.
    pub fn at(kind: ChannelKind, place: &str) -> Self {
        let places = match kind {
            ChannelKind::Funded => &FUNDED_PLACES[..],
            ChannelKind::Hosted => &HOSTED_PLACES[..],
        };
        if place == "offered" {
            return Self::new(kind);
        }
        let found = places.iter().find(|(name, ..)| *name == place);
        let (_, before, act) = found.unwrap_or_else(|| panic!("no place is named {place}"));
        let mut play = Self::at(kind, before);
        play.act(act);
        play
    }

    fn secret(&self) -> String {
        self.bench.offers[&self.request].k1()
    }

    pub fn state(&self) -> ChannelRequestState {
        self.bench.state(self.request)
    }

    pub fn snapshot(&self) -> &ChannelRequestSnapshot {
        self.bench.snapshot(self.request)
    }

    /// What the last to ask for a call was told.
    pub fn last_answer(&self) -> &Result<Answer, LnurlChannelError> {
        self.bench.answer(*self.waiters.last().unwrap())
    }

    /// Let the acts happen, each of which must be possible.
    pub fn acts(&mut self, acts: &[&str]) {
        for act in acts {
            self.act(act);
        }
    }

    pub fn act(&mut self, act: &str) {
        assert!(self.try_act(act), "{act:?} is not possible now");
    }

    /// False if nothing can bring it now.
    pub fn try_act(&mut self, act: &str) -> bool {
        self.try_user(act) || self.try_node(act) || self.try_answer(act) || self.try_report(act)
    }

    fn try_user(&mut self, act: &str) -> bool {
        let id = self.request;
        let bench = &mut self.bench;
        let waiter = match act {
            "accept" => bench.accept(id, Unannounced),
            "accept announced" => bench.accept(id, Announced),
            "ask again" => bench.ask_again(id, Unannounced),
            "ask again announced" => bench.ask_again(id, Announced),
            "ask again, told" => {
                let waiter = bench.ask_again(id, Unannounced);
                bench.node_tells(id);
                waiter
            }
            "await ready" => bench.await_ready(id),
            "preflight" => bench.preflight(id, Unannounced),
            "cancel" => bench.cancel(id),
            "dismiss" => bench.dismiss(id),
            _ => return self.try_stop(act),
        };
        self.waiters.push(waiter);
        true
    }

    fn try_stop(&mut self, act: &str) -> bool {
        let id = self.request;
        match act {
            "pause" => self.bench.feed(Input::Pause(id)),
            "leave" => {
                let waiter = self.waiters.last().copied();
                let Some(waiter) = waiter.filter(|waiter| self.bench.waits(*waiter)) else {
                    return false;
                };
                self.bench.feed(Input::Leave(waiter));
            }
            "check peers" => self.bench.feed(Input::CheckPeers),
            "shutdown" => self.bench.feed(Input::Shutdown),
            "restart" => self.bench.restart(),
            "is due" => {
                if self.bench.client.poll_timeout().is_none() {
                    return false;
                }
                self.bench.advance_to_timeout();
            }
            _ => return false,
        }
        true
    }

    fn try_node(&mut self, act: &str) -> bool {
        let failure = node_failure(&self.secret());
        let bench = &mut self.bench;
        let connects = bench.connects(PEER);
        match act {
            "node tells" | "node fails" => {
                let Some(task) = bench.asks_node(self.request) else {
                    return false;
                };
                let result = match act {
                    "node tells" => Ok(bench.facts(task)),
                    _ => Err(failure),
                };
                bench.feed(Input::NodeAsked(task, result));
            }
            "connected" if connects.is_some() => bench.connected(PEER),
            "connect fails" if connects.is_some() => {
                bench.feed(Input::Connected(connects.unwrap(), Err(failure)));
            }
            "reported connected" | "disconnected" => bench.feed(Input::PeerConnection {
                peer_id: PEER.to_uppercase(),
                is_connected: act == "reported connected",
            }),
            _ => return false,
        }
        true
    }

    fn try_answer(&mut self, act: &str) -> bool {
        let failure = node_failure(&self.secret());
        let (bench, id) = (&mut self.bench, self.request);
        if act == "cancel sent" {
            let Some(task) = bench.sends_cancel(id) else {
                return false;
            };
            bench.feed(Input::CancelSent(task));
            return true;
        }
        if bench.asks_service(id).is_none() {
            return false;
        }
        let is_hosted = bench.offers[&id].kind == ChannelKind::Hosted;
        match act {
            "invoked" if is_hosted => bench.invoked(id, Ok(())),
            "invoke fails" if is_hosted => bench.invoked(id, Err(failure)),
            "invoke times out" if is_hosted => {
                let failure = NodeFailure {
                    problem: NodeProblem::TimedOut,
                    reason: "it takes too long".into(),
                };
                bench.invoked(id, Err(failure));
            }
            _ if is_hosted => return false,
            "written" => bench.written(id),
            "ok" => bench.answered(id, OK),
            "error" => bench.answered(id, REFUSAL),
            "unclear" => bench.answered(id, UNCLEAR),
            "lost" => bench.callback_fails(id, http_failure(true, false)),
            "unsent" => bench.callback_fails(id, http_failure(false, true)),
            "unsent for good" => bench.callback_fails(id, http_failure(false, false)),
            _ => return false,
        }
        true
    }

    fn try_report(&mut self, act: &str) -> bool {
        let reason = format!("no room for {}", self.secret());
        let closed = |channel_id: Option<&str>| Input::ChannelClosed {
            peer_id: PEER.to_uppercase(),
            channel_id: channel_id.map(Into::into),
            reason: Some(reason),
        };
        let bench = &mut self.bench;
        let channel = match act {
            "proposed" => proposed("aa"),
            "proposed anew" => proposed("a2"),
            "proposed announced" => announced(proposed("ab")),
            "funded" => formerly("aa", funded("ff")),
            "funded announced" => announced(funded("fb")),
            "ready" => formerly("aa", ready("ff")),
            "proposal fails" => {
                bench.feed(closed(Some("aa")));
                return true;
            }
            "closed" => {
                bench.feed(closed(Some("ff")));
                return true;
            }
            "closed unnamed" => {
                bench.feed(closed(None));
                return true;
            }
            "host offers" => return bench.host_says(PEER, 65533, &host_offers()),
            "host exists" => return bench.host_says(PEER, 65531, &[1; 197]),
            "host refuses" => return bench.host_says(PEER, 63497, &host_refuses()),
            "host babbles" => return bench.host_says(PEER, 65533, &[1, 2, 3]),
            _ => return false,
        };
        bench.report(channel);
        true
    }
}
