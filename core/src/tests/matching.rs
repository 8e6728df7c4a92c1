//! Which request a channel belongs to: rows P1 to P7 and F1 to F8 (5b), one by one.

use super::bench::Bench;
use super::play::{FUNDED_PLACES, Play};
use super::samples::*;
use crate::protocol::ChannelKind::{Funded, Hosted};
use crate::protocol::ChannelVisibility::{self, Announced, Unannounced};
use crate::*;
use ChannelRequestState::{Arrived, Awaiting, Opening, Ready, Refused};

/// Requests of one client to one peer, in the order in which they were asked.
pub struct World {
    pub bench: Bench,
    pub requests: Vec<RequestId>,
}

impl World {
    pub fn new() -> Self {
        Self {
            bench: Bench::new(),
            requests: Vec::new(),
        }
    }

    fn asked(mut self, visibility: ChannelVisibility) -> Self {
        let number = self.requests.len() as u64 + 1;
        let request = self.bench.offer(Funded, number);
        self.bench.asked(request, visibility);
        self.requests.push(request);
        self
    }

    /// One whose call runs.
    pub fn running(self, visibility: ChannelVisibility) -> Self {
        let mut world = self.asked(visibility);
        world.bench.agree(*world.requests.last().unwrap());
        world
    }

    /// One that waits, and no call runs.
    pub fn waiting(self) -> Self {
        let mut world = self.running(Unannounced);
        let request = *world.requests.last().unwrap();
        world.bench.feed(Input::Pause(request));
        world
    }

    pub fn refused(self) -> Self {
        let mut world = self.asked(Unannounced);
        let refusal = r#"{"status":"ERROR","reason":"no"}"#;
        world
            .bench
            .answered(*world.requests.last().unwrap(), refusal);
        world
    }

    pub fn cancel(mut self, at: usize) -> Self {
        self.bench.cancel(self.requests[at]);
        self
    }

    pub fn reported(mut self, channel: IncomingChannel) -> Self {
        self.report(channel);
        self
    }

    pub fn report(&mut self, channel: IncomingChannel) -> String {
        let verdict = self.bench.report(channel);
        let (name, request_id) = match &verdict {
            ChannelVerdict::Expected { request_id } => ("Expected", request_id),
            ChannelVerdict::Duplicate { request_id } => ("Duplicate", request_id),
            ChannelVerdict::WrongVisibility { request_id } => ("WrongVisibility", request_id),
            ChannelVerdict::Unwanted { request_id } => ("Unwanted", request_id),
            ChannelVerdict::Unrequested => return "Unrequested".into(),
        };
        let request = RequestId::parse(request_id);
        let at = self.requests.iter().position(|id| Some(*id) == request);
        format!("{name} {}", at.expect("a verdict on no request"))
    }

    pub fn close(&mut self, channel_id: Option<&str>) {
        self.bench.feed(Input::ChannelClosed {
            peer_id: PEER.into(),
            channel_id: channel_id.map(Into::into),
            reason: None,
        });
    }

    pub fn state(&self, at: usize) -> ChannelRequestState {
        self.bench.state(self.requests[at])
    }

    /// The id of the channel that a request shows.
    pub fn channel(&self, at: usize) -> Option<&str> {
        let snapshot = self.bench.snapshot(self.requests[at]);
        snapshot.channel.as_ref()?.channel_id.as_deref()
    }
}

fn waiting() -> World {
    World::new().waiting()
}

// ---- who takes part ----

#[test]
fn whoever_was_or_may_have_been_asked_takes_part() {
    for (place, ..) in FUNDED_PLACES {
        let is_asked = !matches!(
            place,
            "asking node" | "connecting" | "offered again" | "declined"
        );
        for channel in [proposed("a9"), funded("f9")] {
            let mut play = Play::at(Funded, place);
            let verdict = play.bench.report(channel);
            assert_eq!(verdict != ChannelVerdict::Unrequested, is_asked, "{place}");
        }
    }
}

#[test]
fn a_hosted_request_takes_no_part() {
    for place in ["invoking", "awaiting", "refused", "cancelled", "arrived"] {
        for channel in [proposed("a1"), funded("f1")] {
            let mut play = Play::at(Hosted, place);
            assert_eq!(
                play.bench.report(channel),
                ChannelVerdict::Unrequested,
                "{place}"
            );
        }
    }
}

#[test]
fn another_peer_was_not_asked() {
    let mut world = waiting();
    for channel in [proposed("a1"), funded("f1")] {
        assert_eq!(world.report(from_peer(OTHER_PEER, channel)), "Unrequested");
    }
    assert_eq!(world.state(0), Awaiting);
}

#[test]
fn keys_and_ids_are_compared_in_lower_case() {
    let mut world = waiting();
    let upper = PEER.to_uppercase();
    assert_eq!(
        world.report(from_peer(&upper, proposed("A1"))),
        "Expected 0"
    );
    assert_eq!(world.report(proposed("a1")), "Expected 0");
    assert_eq!(world.bench.shown(), "");
    let mut world = world.waiting();
    assert_eq!(world.report(formerly("A1", funded("F1"))), "Expected 0");
    assert_eq!(
        (world.report(ready("f1")), world.channel(0)),
        ("Expected 0".into(), Some("f1"))
    );
}

/// A call that runs comes first, and then the one that was asked last.
#[test]
fn requests_are_tried_in_order() {
    for (world, expected) in [
        (waiting().waiting(), "Expected 1"),
        (World::new().running(Unannounced).waiting(), "Expected 0"),
        (
            World::new().running(Unannounced).running(Unannounced),
            "Expected 1",
        ),
    ] {
        for channel in [proposed("a1"), funded("f1")] {
            let mut world = World {
                bench: world.bench.clone(),
                requests: world.requests.clone(),
            };
            assert_eq!(world.report(channel), expected);
        }
    }
    // Asking again counts, and so does a restart not.
    let mut world = waiting().waiting();
    let first = world.requests[0];
    world.bench.ask_again(first, Unannounced);
    world.bench.go_on_to_ask(first);
    world.bench.agree(first);
    world.bench.restart();
    assert_eq!(world.report(proposed("a1")), "Expected 0");
}

// ---- proposals ----

#[test]
fn p1_a_standing_proposal_reported_again_changes_nothing() {
    let mut world = waiting().reported(proposed("a1"));
    let same = [
        proposed("a1"),
        unannounced(proposed("a1")),
        IncomingChannel {
            capacity_sat: None,
            push_msat: Some(5),
            ..proposed("a1")
        },
    ];
    for channel in same {
        assert_eq!(world.report(channel), "Expected 0");
        assert_eq!(world.bench.shown(), "");
    }
    // Another field, or none for an id, is another proposal.
    let without_id = IncomingChannel {
        channel_id: None,
        ..proposed("")
    };
    for channel in [
        IncomingChannel {
            capacity_sat: Some(1),
            ..proposed("a1")
        },
        without_id.clone(),
        without_id,
    ] {
        assert_eq!(world.report(channel), "Expected 0");
        assert_eq!(world.bench.shown(), "!Proposed");
    }
    assert_eq!(world.report(proposed("a9")), "Duplicate 0");
}

#[test]
fn p2_four_proposals_may_follow_each_other() {
    let mut world = waiting();
    let writes = world.bench.writes();
    for id in ["a1", "a2", "a3", "a4"] {
        assert_eq!(world.report(proposed(id)), "Expected 0");
        assert_eq!(
            (world.bench.shown(), world.channel(0)),
            ("!Proposed".into(), Some(id))
        );
    }
    for _ in 0..2 {
        assert_eq!(world.report(proposed("a5")), "Duplicate 0");
    }
    assert_eq!(world.channel(0), Some("a4"));
    // Once none stands, the next one may.
    world.close(Some("a4"));
    assert_eq!(world.report(proposed("a5")), "Expected 0");
    assert_eq!(world.report(proposed("a6")), "Duplicate 0");
    assert_eq!(world.bench.writes(), writes, "a proposal writes nothing");
    // Asked anew, it counts anew.
    world.close(Some("a5"));
    let request = world.requests[0];
    world.bench.ask_again(request, Unannounced);
    world.bench.go_on_to_ask(request);
    for id in ["a6", "a7", "a8", "a9"] {
        assert_eq!(world.report(proposed(id)), "Expected 0");
    }
    assert_eq!(world.report(proposed("aa")), "Duplicate 0");
}

#[test]
fn p2_the_next_request_in_order_takes_what_the_first_has_no_room_for() {
    let mut world = waiting().waiting();
    for (id, verdict) in [
        ("a1", "Expected 1"),
        ("a2", "Expected 1"),
        ("a3", "Expected 1"),
        ("a4", "Expected 1"),
        ("a5", "Expected 0"),
    ] {
        assert_eq!(world.report(proposed(id)), verdict, "{id}");
    }
    let mut world = World::new().running(Announced).running(Unannounced);
    assert_eq!(world.report(announced(proposed("a1"))), "Expected 0");
    assert_eq!(world.report(unannounced(proposed("a2"))), "Expected 1");
}

#[test]
fn p3_a_refused_request_takes_a_late_proposal_for_a_day() {
    let mut world = World::new().refused();
    assert_eq!(world.report(announced(proposed("a1"))), "Unrequested");
    assert_eq!(world.report(unannounced(proposed("a1"))), "Expected 0");
    assert_eq!(world.state(0), Opening);
    for id in ["a2", "a3", "a4"] {
        assert_eq!(world.report(proposed(id)), "Expected 0");
    }
    assert_eq!(world.report(proposed("a5")), "Unrequested");
    world.close(Some("a4"));
    assert_eq!(world.state(0), Refused);
    world.bench.advance(DAY - SECOND);
    assert_eq!(world.report(proposed("a6")), "Expected 0");
    world.close(Some("a6"));
    world.bench.advance(SECOND);
    assert_eq!(world.report(proposed("a7")), "Unrequested");
    // One that waits comes first.
    let mut world = waiting().refused();
    assert_eq!(world.report(proposed("a1")), "Expected 0");
}

#[test]
fn p3_not_if_a_request_to_the_peer_was_cancelled_after_it() {
    let mut world = waiting().refused().cancel(0);
    assert_eq!(world.report(proposed("a1")), "Unwanted 0");
    assert_eq!(world.report(funded("f1")), "Unwanted 0");
    let mut world = waiting().cancel(0).refused();
    assert_eq!(world.report(proposed("a1")), "Expected 1");
    assert_eq!(world.report(funded("f1")), "Expected 1");
}

#[test]
fn p4_the_other_visibility_is_turned_down() {
    let mut world = waiting();
    for _ in 0..2 {
        assert_eq!(world.report(announced(proposed("a1"))), "WrongVisibility 0");
    }
    assert_eq!(world.state(0), Awaiting);
    let mut other = World::new().running(Announced);
    assert_eq!(
        other.report(unannounced(proposed("a1"))),
        "WrongVisibility 0"
    );
    // Next month's channel does not belong to it, unless a call runs.
    world.bench.advance(DAY);
    assert_eq!(world.report(announced(proposed("a1"))), "Unrequested");
    assert_eq!(world.report(proposed("a2")), "Expected 0");
    world.close(Some("a2"));
    world.bench.accept(world.requests[0], Unannounced);
    assert_eq!(world.report(announced(proposed("a1"))), "WrongVisibility 0");
}

#[test]
fn p5_what_answers_a_cancelled_request_is_unwanted_for_a_day() {
    for world in [waiting().cancel(0), World::new().refused().cancel(0)] {
        let mut world = world;
        world.bench.advance(DAY - SECOND);
        assert_eq!(world.report(proposed("a1")), "Unwanted 0");
        world.bench.advance(SECOND);
        assert_eq!(world.report(proposed("a1")), "Unrequested");
    }
    let mut world = waiting().cancel(0).waiting();
    assert_eq!(world.report(proposed("a1")), "Expected 1");
}

#[test]
fn p6_a_request_with_a_channel_wants_no_other() {
    for channel in [funded("f1"), ready("f1")] {
        let mut world = waiting().reported(channel);
        // A temporary id may be that of a channel: it is another channel all the same.
        for id in ["a1", "f1"] {
            assert_eq!(world.report(proposed(id)), "Duplicate 0");
            assert_eq!(world.report(announced(proposed(id))), "Duplicate 0");
        }
        world.bench.advance(DAY);
        assert_eq!(world.report(proposed("a1")), "Unrequested");
    }
    // Cancelled comes first.
    let mut world = waiting().waiting().cancel(1).reported(funded("f1"));
    assert_eq!(world.state(0), Arrived);
    assert_eq!(world.report(proposed("a1")), "Unwanted 1");
}

#[test]
fn p7_what_nobody_asked_for_is_not_kept() {
    let mut world = World::new();
    for id in ["a1", "a2"] {
        assert_eq!(world.report(proposed(id)), "Unrequested");
    }
    assert!(world.bench.journal().records.is_empty());
}

// ---- funded channels ----

#[test]
fn f1_a_verdict_stays_whatever_comes_later() {
    for (world, channel, verdict) in [
        (waiting(), funded("f1"), "Expected 0"),
        (waiting(), announced(funded("f1")), "WrongVisibility 0"),
        (waiting().cancel(0), funded("f1"), "Unwanted 0"),
        (
            waiting().reported(funded("f0")),
            funded("f1"),
            "Duplicate 0",
        ),
        (
            World::new().refused(),
            announced(funded("f1")),
            "Unrequested",
        ),
    ] {
        let mut world = world;
        let former = formerly("a1", channel.clone());
        for again in [
            channel.clone(),
            former,
            IncomingChannel {
                is_announced: None,
                ..channel
            },
        ] {
            assert_eq!(world.report(again), verdict);
        }
        let writes = world.bench.writes();
        let mut world = world.waiting();
        let now = ready("f1");
        assert_eq!(world.report(now.clone()), verdict);
        world.bench.restart();
        assert_eq!(world.report(now.clone()), verdict);
        world.bench.advance(DAY * 7);
        assert_eq!(world.report(now), verdict);
        assert!(writes > 0);
    }
}

#[test]
fn f2_a_channel_is_its_proposals() {
    let mut world = waiting().reported(proposed("a1")).waiting();
    assert_eq!(world.report(formerly("a1", funded("f1"))), "Expected 0");
    // By the same id; a former one; one that was replaced.
    let mut world = waiting().reported(proposed("a1")).waiting();
    assert_eq!(world.report(funded("a1")), "Expected 0");
    let mut world = waiting().reported(proposed("a1"));
    world.close(Some("a1"));
    let mut world = world.waiting();
    assert_eq!(world.report(formerly("a1", funded("f1"))), "Expected 0");
    let mut world = waiting()
        .reported(proposed("a1"))
        .reported(proposed("a2"))
        .waiting();
    assert_eq!(world.report(formerly("a1", funded("f1"))), "Expected 0");
    // A standing one counts before a former one, whichever request was asked last.
    let mut world = waiting()
        .reported(proposed("a1"))
        .waiting()
        .reported(proposed("a1"));
    world.close(Some("a1"));
    let mut world = world.reported(proposed("b1"));
    assert_eq!(world.channel(1), Some("b1"));
    assert_eq!(world.report(formerly("b1", funded("f1"))), "Expected 1");
}

#[test]
fn f2_of_a_cancelled_request_it_is_unwanted() {
    let mut world = waiting().reported(proposed("a1")).cancel(0).waiting();
    assert_eq!(world.report(formerly("a1", funded("f1"))), "Unwanted 0");
    assert_eq!(world.state(1), Awaiting);
    let mut world = waiting().reported(proposed("a1")).cancel(0);
    world.bench.advance(DAY * 2);
    assert_eq!(world.report(formerly("a1", funded("f1"))), "Unwanted 0");
}

#[test]
fn f2_of_a_refused_one_it_is_its_channel() {
    let mut world = World::new().refused().reported(proposed("a1")).waiting();
    assert_eq!(world.report(formerly("a1", funded("f1"))), "Expected 0");
    // As `Proposed` it did not say that it would be announced.
    let mut world = World::new().refused().reported(proposed("a1"));
    let channel = announced(formerly("a1", funded("f1")));
    assert_eq!(world.report(channel), "WrongVisibility 0");
    assert_eq!(world.state(0), Arrived);
}

#[test]
fn f2_of_one_that_has_a_channel_the_rows_below_decide() {
    let two = || waiting().reported(proposed("a1")).reported(funded("f1"));
    assert_eq!(two().report(formerly("a1", funded("f2"))), "Duplicate 0");
    assert_eq!(
        two().waiting().report(formerly("a1", funded("f2"))),
        "Expected 1"
    );
}

#[test]
fn f2_the_newest_sixteen_former_ids_are_known() {
    for (age, verdict) in [(16, "Expected 0"), (17, "Expected 1")] {
        let mut world = waiting();
        for number in 0..age {
            world.report(proposed(&format!("a{number}")));
            world.close(Some(&format!("a{number}")));
        }
        let mut world = world.waiting();
        assert_eq!(world.report(formerly("a0", funded("f1"))), verdict);
    }
}

#[test]
fn f3_one_with_a_proposal_comes_first() {
    let mut world = waiting().reported(proposed("a1")).waiting();
    assert_eq!(world.report(funded("f1")), "Expected 0");
    let mut world = waiting().waiting();
    assert_eq!(world.report(funded("f1")), "Expected 1");
    assert_eq!(world.report(funded("f2")), "Expected 0");
    assert_eq!(world.report(funded("f3")), "Duplicate 1");
    let mut world = World::new().running(Announced).waiting();
    assert_eq!(world.report(announced(funded("f1"))), "Expected 0");
}

#[test]
fn f4_a_refused_request_takes_a_late_channel_for_a_day() {
    let mut world = World::new().refused();
    for id in ["a1", "a2", "a3", "a4", "a5"] {
        world.report(proposed(id));
    }
    world.bench.advance(DAY - SECOND);
    assert_eq!(world.report(announced(funded("f0"))), "Unrequested");
    assert_eq!(world.report(funded("f1")), "Expected 0");
    assert_eq!(world.bench.snapshot(world.requests[0]).refusal, None);
    let mut world = World::new().refused();
    world.bench.advance(DAY);
    assert_eq!(world.report(funded("f1")), "Unrequested");
}

#[test]
fn f5_what_does_not_fit_and_is_there_counts_all_the_same() {
    let mut world = World::new().running(Unannounced);
    assert_eq!(world.report(announced(funded("f1"))), "WrongVisibility 0");
    assert_eq!(world.bench.shown(), "!Mismatched !Arrived =Funded");
    assert_eq!(world.state(0), Arrived);
    // After a day only while a call runs.
    let mut world = waiting();
    world.bench.advance(DAY);
    assert_eq!(world.report(announced(funded("f1"))), "Unrequested");
    world.bench.accept(world.requests[0], Unannounced);
    assert_eq!(world.report(announced(funded("f2"))), "WrongVisibility 0");
}

#[test]
fn f6_what_answers_a_cancelled_request_is_unwanted_for_a_day() {
    let mut world = waiting().cancel(0);
    world.bench.advance(DAY - SECOND);
    assert_eq!(world.report(funded("f1")), "Unwanted 0");
    world.bench.advance(SECOND);
    assert_eq!(world.report(funded("f2")), "Unrequested");
}

#[test]
fn f7_a_request_has_one_channel() {
    let mut world = waiting().reported(funded("f1"));
    assert_eq!(world.report(funded("f2")), "Duplicate 0");
    world.bench.advance(DAY);
    assert_eq!(world.report(funded("f3")), "Unrequested");
    assert_eq!(
        (world.report(ready("f1")), world.state(0)),
        ("Expected 0".into(), Ready)
    );
}

#[test]
fn f8_what_nobody_asked_for_stays_so() {
    let mut world = World::new();
    assert_eq!(world.report(funded("f1")), "Unrequested");
    let mut world = world.waiting();
    for channel in [funded("f1"), ready("f1"), formerly("a1", ready("f1"))] {
        assert_eq!(world.report(channel), "Unrequested");
    }
    world.bench.restart();
    assert_eq!(
        (world.report(ready("f1")), world.state(0)),
        ("Unrequested".into(), Awaiting)
    );
}
