//! From the channel that arrived to the one that can be used; and what the node says beforehand.

use super::bench::Bench;
use super::play::Play;
use super::samples::*;
use crate::protocol::ChannelKind::{Funded, Hosted};
use crate::protocol::ChannelVisibility::{Announced, Unannounced};
use crate::*;
use ChannelConcern::{
    AnchorReserve, HostedUnsupported, OtherVisibilityProposed, VisibilityRefused, ZeroConfRefused,
};

fn arrived() -> (Bench, RequestId) {
    let play = Play::at(Funded, "arrived");
    (play.bench, play.request)
}

fn confirmed(confirmations: u32) -> IncomingChannel {
    IncomingChannel {
        confirmations: Some(confirmations),
        confirmations_required: Some(3),
        ..formerly("aa", funded("ff"))
    }
}

#[test]
fn all_who_await_it_get_the_channel_that_can_be_used() {
    let (mut bench, request) = arrived();
    let first = bench.await_ready(request);
    let second = bench.await_ready(request);
    // `accept` says what it said, beside them.
    let accept = bench.accept(request, Unannounced);
    assert!(matches!(bench.answer(accept), Ok(Answer::Outcome(_))));
    bench.connected(PEER);
    for confirmations in [1, 2] {
        bench.report(confirmed(confirmations));
        assert_eq!(bench.steps(), [ChannelStep::Progressed]);
        let channel = bench.snapshot(request).channel.clone().unwrap();
        assert_eq!(channel.confirmations, Some(confirmations));
    }
    // The same once more is no news.
    bench.report(confirmed(2));
    assert_eq!(bench.done, []);
    bench.report(formerly("aa", ready("ff")));
    let expected = IncomingChannel {
        stage: ChannelStage::Ready,
        ..confirmed(2)
    };
    for waiter in [first, second] {
        assert_eq!(*bench.answer(waiter), Ok(Answer::Ready(expected.clone())));
    }
    assert!(!bench.snapshot(request).is_running);
}

#[test]
fn the_peer_is_kept_connected_for_weeks() {
    let (mut bench, request) = arrived();
    let waiter = bench.await_ready(request);
    bench.connected(PEER);
    bench.feed(Input::PeerConnection {
        peer_id: PEER.into(),
        is_connected: false,
    });
    assert_eq!(
        bench.steps(),
        [ChannelStep::Changed, ChannelStep::Reconnecting]
    );
    bench.connected(PEER);
    for _ in 0..21 {
        bench.sleep(MINUTE * 60 * 24);
        bench.connected(PEER);
        assert!(bench.waits(waiter));
    }
    let snapshot = bench.snapshot(request);
    assert_eq!(snapshot.waits_until_seconds, None);
    assert!(snapshot.is_running && snapshot.is_peer_connected);
}

#[test]
fn it_goes_on_after_a_pause_and_after_a_restart() {
    let (mut bench, request) = arrived();
    let waiter = bench.await_ready(request);
    bench.feed(Input::Pause(request));
    assert_eq!(*bench.answer(waiter), Err(LnurlChannelError::Cancelled));
    bench.restart();
    let waiter = bench.await_ready(request);
    bench.connected(PEER);
    bench.report(ready("ff"));
    assert!(matches!(bench.answer(waiter), Ok(Answer::Ready(_))));
    let again = bench.await_ready(request);
    assert_eq!(bench.answer(again), bench.answer(waiter));
}

#[test]
fn a_channel_that_is_closed_first_is_no_channel() {
    let (mut bench, request) = arrived();
    let waiter = bench.await_ready(request);
    bench.sleep(MINUTE * 60 * 24 * 14);
    bench.feed(Input::ChannelClosed {
        peer_id: PEER.into(),
        channel_id: Some("ff".into()),
        reason: None,
    });
    let Err(LnurlChannelError::NoChannel {
        service_agreed,
        reason,
        ..
    }) = bench.answer(waiter)
    else {
        panic!("{:?}", bench.answer(waiter));
    };
    assert!(service_agreed);
    assert_eq!(reason, "the channel was closed before it could be used");
}

#[test]
fn before_an_arrival_there_is_nothing_to_await() {
    for place in ["offered", "awaiting", "opening", "refused", "cancelled"] {
        let mut play = Play::at(Funded, place);
        let waiter = play.bench.await_ready(play.request);
        let state = play.state();
        let wrong = LnurlChannelError::WrongState { state };
        assert_eq!(*play.bench.answer(waiter), Err(wrong), "{place}");
    }
}

fn poor() -> NodeReadiness {
    NodeReadiness {
        onchain_sat: Some(4_000),
        anchor_reserve_sat: Some(10_000),
        accepts_announced: Some(false),
        accepts_zero_conf: Some(false),
        has_custom_messages: Some(false),
        ..NodeReadiness::default()
    }
}

const MISSING: ChannelConcern = AnchorReserve { missing_sat: 6_000 };

#[test]
fn a_preflight_asks_the_node_and_nobody_else() {
    let mut bench = Bench::new();
    bench.readiness = poor();
    let refused = VisibilityRefused {
        visibility: Announced,
    };
    for (kind, number, visibility, expected) in [
        (Funded, 1, Unannounced, vec![MISSING]),
        (Funded, 2, Announced, vec![MISSING, refused]),
        (Hosted, 3, Unannounced, vec![HostedUnsupported]),
    ] {
        let request = bench.offer(kind, number);
        let before = bench.snapshot(request).clone();
        let waiter = bench.preflight(request, visibility);
        bench.node_tells(request);
        assert_eq!(bench.shown(), "=Concerns");
        assert_eq!(*bench.answer(waiter), Ok(Answer::Concerns(expected)));
        assert_eq!(*bench.snapshot(request), before);
        assert!(bench.tasks.is_empty(), "{:?}", bench.tasks);
    }
}

#[test]
fn a_preflight_ends_as_its_node_does() {
    let mut play = Play::new(Funded);
    let request = play.request;
    let waiter = play.bench.preflight(request, Unannounced);
    play.act("node fails");
    let failed = play.bench.answer(waiter);
    assert!(
        matches!(failed, Err(LnurlChannelError::NodeFailed { reason, .. }) if !reason.contains("hush"))
    );

    let waiter = play.bench.preflight(request, Unannounced);
    let task = play.bench.asks_node(request).unwrap();
    let facts = NodeFacts {
        node_id: PEER.to_uppercase(),
        ..play.bench.facts(task)
    };
    play.bench.feed(Input::NodeAsked(task, Ok(facts)));
    assert_eq!(*play.bench.answer(waiter), Err(LnurlChannelError::OwnNode));

    let left = play.bench.preflight(request, Unannounced);
    play.bench.feed(Input::Leave(left));
    assert_eq!(play.bench.shown(), "Stop(AskNode+readiness)");
    let ended = play.bench.preflight(request, Unannounced);
    play.bench.feed(Input::Shutdown);
    assert_eq!(*play.bench.answer(ended), Err(LnurlChannelError::Cancelled));
    let late = play.bench.preflight(request, Unannounced);
    assert_eq!(*play.bench.answer(late), Err(LnurlChannelError::Cancelled));
}

#[test]
fn what_the_node_said_stands_in_the_snapshot_and_in_the_end() {
    let mut bench = Bench::new();
    bench.readiness = poor();
    let request = bench.offer(Funded, 1);
    let waiter = bench.accept(request, Unannounced);
    bench.node_tells(request);
    assert_eq!(
        bench.snapshot(request).concerns,
        [MISSING],
        "nobody was asked"
    );
    bench.connected(PEER);
    bench.written(request);
    bench.agree(request);
    assert_eq!(bench.snapshot(request).concerns, [MISSING]);
    let zero_conf = |id, is_zero_conf| IncomingChannel {
        is_zero_conf,
        ..proposed(id)
    };
    for (id, other) in [("a1", None), ("a2", Some(false))] {
        bench.report(zero_conf(id, other));
        assert_eq!(bench.snapshot(request).concerns, [MISSING], "{other:?}");
    }
    let mut willing = Play::at(Funded, "awaiting");
    willing.bench.report(zero_conf("aa", Some(true)));
    assert_eq!(willing.snapshot().concerns, []);
    bench.report(zero_conf("aa", Some(true)));
    assert_eq!(bench.snapshot(request).concerns, [MISSING, ZeroConfRefused]);
    bench.advance(MINUTE * 60);
    let Err(LnurlChannelError::NoChannel {
        concerns, reason, ..
    }) = bench.answer(waiter)
    else {
        panic!("{:?}", bench.answer(waiter));
    };
    assert_eq!(concerns[..2], [MISSING, ZeroConfRefused]);
    assert!(reason.contains("6000 sat too little"), "{reason}");
}

#[test]
fn a_peer_that_proposes_announced_channels_ends_in_that_and_nothing_else() {
    let mut bench = Bench::new();
    let request = bench.offer(Funded, 1);
    let waiter = bench.agreed(request, Unannounced);
    for id in ["aa", "ab"] {
        let verdict = bench.report(announced(proposed(id)));
        assert!(matches!(verdict, ChannelVerdict::WrongVisibility { .. }));
    }
    bench.feed(Input::PeerConnection {
        peer_id: PEER.into(),
        is_connected: true,
    });
    bench.advance(MINUTE * 60);
    let Err(LnurlChannelError::NoChannel { concerns, .. }) = bench.answer(waiter) else {
        panic!("{:?}", bench.answer(waiter));
    };
    assert_eq!(*concerns, [OtherVisibilityProposed]);
}

#[test]
fn what_the_node_said_is_no_concern_once_a_call_waits_on_or_the_channel_came() {
    let mut bench = Bench::new();
    bench.readiness = poor();
    let request = bench.offer(Funded, 1);
    bench.agreed(request, Unannounced);
    bench.feed(Input::Pause(request));
    assert_eq!(bench.snapshot(request).concerns, [MISSING]);
    bench.accept(request, Unannounced);
    assert_eq!(bench.snapshot(request).concerns, []);

    let other = bench.offer(Funded, 2);
    bench.accept(other, Unannounced);
    bench.go_on_to_ask(other);
    assert_eq!(bench.snapshot(other).concerns, [MISSING]);
    bench.report(funded("ff"));
    assert_eq!(bench.snapshot(other).concerns, []);
}

#[test]
fn what_the_node_said_stands_beside_a_refusal_and_not_beside_a_cancel() {
    let mut bench = Bench::new();
    bench.readiness = poor();
    let request = bench.offer(Funded, 1);
    bench.accept(request, Unannounced);
    bench.go_on_to_ask(request);
    bench.answered(request, REFUSAL);
    assert_eq!(bench.state(request), ChannelRequestState::Refused);
    assert_eq!(bench.snapshot(request).concerns, [MISSING]);

    let other = bench.offer(Funded, 2);
    bench.agreed(other, Unannounced);
    bench.cancel(other);
    assert_eq!(bench.state(other), ChannelRequestState::Cancelled);
    assert_eq!(bench.snapshot(other).concerns, []);
}

#[test]
fn confirmations_of_a_channel_that_can_be_used_are_no_news() {
    let mut play = Play::at(Funded, "ready");
    let writes = play.bench.writes();
    for confirmations in 1..100 {
        let channel = IncomingChannel {
            confirmations: Some(confirmations),
            ..ready("ff")
        };
        play.bench.report(channel);
        assert_eq!(play.bench.done, []);
    }
    assert_eq!(play.bench.writes(), writes);
}

#[test]
fn an_answer_that_never_comes_is_not_awaited_beside_a_channel_that_is() {
    let mut play = Play::at(Funded, "arrived early");
    play.bench.await_ready(play.request);
    play.bench.connected(PEER);
    assert!(play.bench.asks_service(play.request).is_some());
    play.bench.advance(MINUTE * 3);
    assert!(play.bench.asks_service(play.request).is_none());
    assert!(play.snapshot().is_running);
}

#[test]
fn a_channel_that_is_closed_first_says_why() {
    let (mut bench, request) = arrived();
    let waiter = bench.await_ready(request);
    let k1 = bench.offers[&request].k1();
    bench.feed(Input::ChannelClosed {
        peer_id: PEER.into(),
        channel_id: Some("ff".into()),
        reason: Some(format!("funding timed out for {k1}")),
    });
    let Err(LnurlChannelError::NoChannel { reason, .. }) = bench.answer(waiter) else {
        panic!("{:?}", bench.answer(waiter));
    };
    let expected = "the channel was closed before it could be used: funding timed out for …";
    assert_eq!(reason, expected);
}

#[test]
fn a_node_that_fails_after_the_secrets_are_forgotten_is_not_quoted() {
    let mut play = Play::at(Funded, "awaiting");
    let waiter = play.bench.preflight(play.request, Unannounced);
    play.act("cancel");
    play.act("node fails");
    let failed = play.bench.answer(waiter);
    assert!(
        matches!(failed, Err(LnurlChannelError::NodeFailed { reason, .. }) if !reason.contains("hush")),
        "{failed:?}"
    );
}
