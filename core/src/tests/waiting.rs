//! Waiting for the channel: the connection to the peer, the end of the wait, and what the user does
//! meanwhile (5a.9, 5a.10, 5c, 6).

use std::time::Duration;

use super::bench::Bench;
use super::play::Play;
use super::samples::*;
use crate::protocol::ChannelKind::{Funded, Hosted};
use crate::protocol::ChannelVisibility::Unannounced;
use crate::*;
use ChannelConcern::{
    AnswerUnclear, NodeFailed, OtherVisibilityProposed, PeerNotConnected, ProposalFailed,
    ServiceUnreachable,
};
use ChannelRequestState::{Arrived, Awaiting, Cancelled, Opening, Ready, Refused};

/// Seconds until something is due.
fn due_in(bench: &Bench) -> u64 {
    let at = bench.client.poll_timeout().unwrap();
    (at - bench.now.since_start).as_secs()
}

// ---- the connection ----

#[test]
fn failing_connects_come_further_and_further_apart() {
    let mut play = Play::at(Funded, "awaiting");
    for (act, after) in [
        ("connect fails", 15),
        ("connect fails", 30),
        ("connect fails", 60),
        ("connect fails", 120),
        ("connect fails", 120),
        ("connected", 15),
        ("connect fails", 15),
    ] {
        play.act("check peers");
        play.act(act);
        let due = due_in(&play.bench);
        // The deadline may be nearer.
        let left = play.snapshot().waits_until_seconds.unwrap() - play.bench.now.unix_millis / 1000;
        assert_eq!(due, after.min(left), "{act}");
    }
}

#[test]
fn a_failed_connect_is_tried_again_at_once_when_asked_to() {
    for act in ["check peers", "disconnected"] {
        let mut play = Play::at(Funded, "awaiting");
        play.acts(&["check peers", "connect fails", act]);
        assert!(
            play.bench.shown().ends_with("!Reconnecting Connect"),
            "{act}"
        );
    }
}

/// "One `connect` per peer at a time: a hung one is joined, not multiplied."
#[test]
fn a_hung_connect_is_joined() {
    let mut play = Play::at(Funded, "connecting");
    let first = play.bench.connects(PEER).unwrap();
    let other = play.bench.offer(Funded, 2);
    play.bench.accept(other, Unannounced);
    play.bench.node_tells(other);
    assert_eq!(play.bench.shown(), "OpenConnection");
    play.bench.advance(SECOND * 31);
    assert!(
        play.bench.shown().contains("=NodeFailed"),
        "{}",
        play.bench.shown()
    );
    play.acts(&["accept", "node tells"]);
    assert_eq!(play.bench.connects(PEER), Some(first));
    // It comes back after all, and both go on.
    play.bench.accept(other, Unannounced);
    play.bench.node_tells(other);
    play.act("connected");
    assert!(play.bench.asks_service(other).is_some());
    assert!(play.bench.asks_service(play.request).is_some());
}

#[test]
fn a_connect_that_nobody_waits_for_is_not_begun() {
    let mut play = Play::at(Funded, "connecting");
    let task = play.bench.connects(PEER).unwrap();
    assert!(play.bench.client.wants(task));
    play.act("pause");
    assert!(!play.bench.client.wants(task));
    let mut play = Play::at(Funded, "awaiting again");
    let task = play.bench.connects(PEER).unwrap();
    assert!(play.bench.client.wants(task));
    play.act("funded");
    assert!(!play.bench.client.wants(task));
    // A call that asks the node does not wait for it yet.
    let mut play = Play::at(Funded, "connecting");
    let task = play.bench.connects(PEER).unwrap();
    let other = play.bench.offer(Funded, 2);
    play.bench.accept(other, Unannounced);
    play.act("pause");
    assert!(!play.bench.client.wants(task));
}

#[test]
fn onion_nodes_and_services_get_three_times_the_time() {
    let onion = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
    let mut bench = Bench::with_settings(Settings {
        proxy: Proxy::OnThisDevice,
        ..SETTINGS
    });
    let body = format!(
        r#"{{"tag":"channelRequest","uri":"{PEER}@{onion}:9735","k1":"hush-1-","callback":"http://{onion}/cb"}}"#
    );
    let request = bench.offered_with(Service::new(Funded, 1), &body);
    bench.accept(request, Unannounced);
    bench.node_tells(request);
    assert_eq!(due_in(&bench), 90);
    bench.connected(PEER);
    let task = bench.asks_service(request).unwrap();
    let Task::Callback { connect_within, .. } = bench.tasks[&task] else {
        panic!("no callback");
    };
    assert_eq!(connect_within, SECOND * 90);
}

// ---- the end of the wait ----

/// What ends with `NoChannel`: whether the service agreed, and the concerns.
fn no_channel(play: &Play) -> (bool, &[ChannelConcern]) {
    match play.last_answer() {
        Err(LnurlChannelError::NoChannel {
            service_agreed,
            concerns,
            ..
        }) => (*service_agreed, concerns),
        other => panic!("{other:?}"),
    }
}

/// Let the wait run out, with connects that come back as `connects` says.
fn wait_out(play: &mut Play, connects: &str) {
    while play.snapshot().is_running {
        play.act("is due");
        play.try_act(connects);
    }
}

#[test]
fn the_wait_ends_with_what_is_known() {
    let failed = |reason: &str| ProposalFailed {
        reason: Some(reason.into()),
    };
    let words = || AnswerUnclear { words: None };
    type Row = (
        &'static str,
        &'static [&'static str],
        &'static str,
        bool,
        Vec<ChannelConcern>,
    );
    let rows: [Row; 8] = [
        ("awaiting", &[], "connected", true, vec![]),
        (
            "awaiting",
            &[],
            "connect fails",
            true,
            vec![PeerNotConnected],
        ),
        ("unknown", &[], "connected", false, vec![words()]),
        ("written", &[], "connected", false, vec![words()]),
        (
            "awaiting",
            &["proposed announced", "proposed announced"],
            "connected",
            true,
            vec![OtherVisibilityProposed],
        ),
        (
            "awaiting",
            &["proposed", "proposal fails", "closed unnamed"],
            "connected",
            true,
            vec![failed("no room for …")],
        ),
        (
            "awaiting",
            &["proposed", "disconnected"],
            "connected",
            true,
            vec![],
        ),
        // What the call before ended with is no concern of this one.
        (
            "asking node again",
            &["node fails", "accept"],
            "connected",
            true,
            vec![],
        ),
    ];
    for (place, acts, connects, agreed, concerns) in rows {
        let mut play = Play::at(Funded, place);
        play.acts(acts);
        wait_out(&mut play, connects);
        assert_eq!(
            no_channel(&play),
            (agreed, &concerns[..]),
            "{place}, {acts:?}"
        );
        assert_eq!(play.snapshot().concerns, concerns);
        let Err(LnurlChannelError::NoChannel { reason, .. }) = play.last_answer() else {
            panic!("{:?}", play.last_answer());
        };
        let begin = match agreed {
            true => "the service agreed, and no channel has arrived in time",
            false => "the service's answer is not known, and no channel has arrived in time",
        };
        assert!(reason.starts_with(begin), "{reason}");
        // It can go on, and nobody is asked.
        play.act("accept");
        assert_eq!(play.bench.shown(), "!Connecting Connect");
        assert!(!play.snapshot().concerns.contains(&PeerNotConnected));
        play.act("funded");
        assert_eq!(play.state(), Arrived);
    }
}

#[test]
fn concerns_of_a_call_that_failed_are_shown_until_the_next() {
    let problem = NodeProblem::NotConnected;
    let mut play = Play::at(Funded, "offered again");
    assert_eq!(play.snapshot().concerns, [NodeFailed { problem }]);
    play.act("accept");
    assert_eq!(play.snapshot().concerns, []);
    let mut play = Play::at(Funded, "requesting again");
    play.act("unsent for good");
    let problem = NetworkProblem::NoConnection;
    assert_eq!(play.snapshot().concerns, [ServiceUnreachable { problem }]);
    play.act("accept");
    assert_eq!(play.snapshot().concerns, []);
}

#[test]
fn at_most_sixteen_concerns_are_kept_and_none_twice() {
    let mut play = Play::at(Funded, "awaiting");
    let fail = |play: &mut Play, reason: String| {
        play.bench.feed(Input::ChannelClosed {
            peer_id: PEER.into(),
            channel_id: None,
            reason: Some(reason),
        });
    };
    for number in 0..100 {
        for _ in 0..2 {
            fail(&mut play, format!("reason {number}"));
        }
    }
    assert_eq!(play.snapshot().concerns.len(), 16);
    let long = "x".repeat(100_000);
    let mut play = Play::at(Funded, "awaiting");
    fail(&mut play, long);
    let [
        ProposalFailed {
            reason: Some(reason),
        },
    ] = &play.snapshot().concerns[..]
    else {
        panic!("{:?}", play.snapshot().concerns);
    };
    assert_eq!(reason.len(), 500);
    // They are those since the request was asked last.
    play.acts(&["pause", "ask again", "node tells", "connected", "written"]);
    assert_eq!(play.snapshot().concerns, []);
}

/// The phone slept: the peer is connected first, since its channel may come then.
#[test]
fn after_a_sleep_one_connect_is_tried_before_the_wait_ends() {
    for (act, concerns) in [
        ("connected", vec![]),
        ("connect fails", vec![PeerNotConnected]),
    ] {
        let mut play = Play::at(Funded, "awaiting");
        play.bench.sleep(MINUTE * 10);
        assert_eq!(play.bench.shown(), "Connect");
        assert!(play.snapshot().is_running);
        play.act(act);
        assert_eq!(no_channel(&play), (true, &concerns[..]));
    }
    // It hangs; or a channel comes.
    let mut play = Play::at(Funded, "awaiting");
    play.bench.sleep(MINUTE * 10);
    assert_eq!(due_in(&play.bench), 30);
    play.act("is due");
    assert!(no_channel(&play).0);
    let mut play = Play::at(Funded, "awaiting");
    play.bench.sleep(MINUTE * 10);
    play.acts(&["reported connected", "funded"]);
    assert!(play.last_answer().is_ok());
    // The peer was heard of: nothing has to be tried.
    let mut play = Play::at(Funded, "awaiting");
    play.bench.advance(SECOND * 170);
    play.acts(&["connected", "is due"]);
    assert_eq!(no_channel(&play), (true, &[][..]));
}

/// It is tried while the peer has not been heard of for twice the time between two checks.
#[test]
fn whether_one_more_connect_is_tried_depends_on_when_the_peer_was_heard_of() {
    for (heard_after, from, ends) in [
        (149, PEER, false),
        (150, PEER, true),
        (150, OTHER_PEER, false),
    ] {
        let mut play = Play::at(Funded, "awaiting");
        play.bench.advance(SECOND * heard_after);
        // What it proposes is a sign of life, whatever comes of it.
        let channel = announced(proposed("ab"));
        play.bench.report(from_peer(from, channel));
        play.bench.advance(SECOND * (180 - heard_after));
        let is_running = play.snapshot().is_running;
        assert_eq!(is_running, !ends, "{heard_after}, {from}");
        if is_running {
            assert_eq!(due_in(&play.bench), 30);
            play.act("is due");
            assert!(no_channel(&play).0);
        }
    }
    // While a `connect` is under way too.
    let mut play = Play::at(Funded, "awaiting");
    play.bench.advance(SECOND * 160);
    play.acts(&["check peers", "reported connected"]);
    play.bench.advance(SECOND * 20);
    assert!(no_channel(&play).0);
}

/// The service may still say how it stands, as long as the call lasts.
#[test]
fn an_answer_is_taken_while_the_last_connect_is_tried() {
    let mut play = Play::at(Funded, "written");
    play.bench.sleep(MINUTE * 10);
    assert_eq!(play.bench.shown(), "Connect");
    play.act("ok");
    assert_eq!(play.state(), Awaiting);
    play.act("connected");
    assert_eq!(no_channel(&play), (true, &[][..]));
}

#[test]
fn a_connect_that_follows_a_failed_one_is_shown_even_if_the_peer_is_connected_again() {
    let mut play = Play::at(Funded, "awaiting");
    play.acts(&["check peers", "connect fails", "reported connected"]);
    play.act("is due");
    assert_eq!(play.bench.shown(), "!Reconnecting Connect");
    play.acts(&["connected", "is due"]);
    assert_eq!(play.bench.shown(), "Connect");
}

// ---- proposals that fail ----

#[test]
fn accept_goes_on_when_a_proposal_fails_and_the_next_one_arrives() {
    for act in ["proposal fails", "closed unnamed", "disconnected"] {
        let mut play = Play::at(Funded, "opening");
        play.act(act);
        assert!(play.bench.steps().contains(&ChannelStep::OpeningFailed));
        assert!(play.snapshot().is_running);
        play.act("proposed anew");
        assert_eq!(play.bench.shown(), "!Proposed");
        play.bench.report(formerly("a2", funded("f2")));
        assert_eq!(play.bench.shown(), "!Arrived =Funded");
    }
}

#[test]
fn a_proposal_ends_ten_minutes_after_it_came() {
    let mut play = Play::at(Funded, "opening, paused");
    play.bench.advance(MINUTE * 10 - SECOND);
    // Reported again, it is not a new one.
    play.act("proposed");
    assert_eq!((play.bench.shown(), play.state()), (String::new(), Opening));
    play.bench.advance(SECOND);
    assert_eq!(
        (play.bench.shown(), play.state()),
        ("!OpeningFailed".into(), Awaiting)
    );
}

/// After a refusal a channel may come all the same; `accept` then waits for it, and for no other.
#[test]
fn a_late_proposal_after_a_refusal_is_waited_for() {
    let mut play = Play::at(Funded, "refused, waiting");
    play.act("funded");
    assert!(play.last_answer().is_ok());
    for act in ["proposal fails", "disconnected", "closed unnamed"] {
        let mut play = Play::at(Funded, "refused, waiting");
        play.act(act);
        assert!(matches!(
            play.last_answer(),
            Err(LnurlChannelError::Refused { .. })
        ));
        assert_eq!(play.state(), Refused);
    }
}

// ---- cancel, dismiss, release ----

#[test]
fn the_service_is_told_of_a_cancel_once_and_without_private() {
    for place in [
        "written",
        "awaiting",
        "unknown",
        "opening",
        "channel lost",
        "written, paused",
    ] {
        let mut play = Play::at(Funded, place);
        play.act("cancel");
        let task = play.bench.sends_cancel(play.request).unwrap();
        let expected =
            format!("https://api.example/cb?token=unsaid-cb&k1=hush-1-&remoteid={OWN}&cancel=1");
        assert_eq!(play.bench.url_of(task), expected);
        let first = *play.waiters.last().unwrap();
        play.act("cancel");
        assert_eq!(play.bench.shown(), "=Done");
        assert!(play.bench.waits(first));
        play.act("cancel sent");
        assert_eq!(*play.bench.answer(first), Ok(Answer::Done));
        play.acts(&["restart", "cancel"]);
        assert_eq!(play.bench.shown(), "=Done", "{place}");
    }
}

#[test]
fn what_was_asked_in_an_earlier_run_is_cancelled_with_the_service() {
    let mut play = Play::at(Funded, "written");
    play.acts(&["restart", "cancel"]);
    assert!(play.bench.sends_cancel(play.request).is_some());
    // The node may still keep the peer.
    assert_eq!(play.bench.releases(), 1);
}

#[test]
fn a_dismissal_is_kept_and_a_change_undoes_it() {
    for place in ["arrived", "ready", "refused", "cancelled"] {
        let mut play = Play::at(Funded, place);
        assert!(!play.snapshot().is_dismissed);
        play.act("dismiss");
        assert!(play.snapshot().is_dismissed, "{place}");
        play.act("restart");
        assert!(play.snapshot().is_dismissed, "{place}");
    }
    for (place, act) in [
        ("arrived", "ready"),
        ("arrived", "closed"),
        ("refused", "proposed"),
        ("refused", "funded"),
        ("refused", "cancel"),
    ] {
        let mut play = Play::at(Funded, place);
        play.acts(&["dismiss", act]);
        assert!(!play.snapshot().is_dismissed, "{place}, {act}");
    }
}

#[test]
fn the_peer_is_released_once_no_request_needs_it() {
    let mut bench = Bench::new();
    let first = bench.offer(Funded, 1);
    let second = bench.offer(Funded, 2);
    bench.agreed(first, Unannounced);
    bench.agreed(second, Unannounced);
    bench.cancel(first);
    assert_eq!(bench.releases(), 0);
    bench.cancel(second);
    assert_eq!(bench.releases(), 1);
    bench.advance(DAY);
    assert_eq!(bench.releases(), 0);
    // A channel that arrived needs it for good.
    let third = bench.offer(Funded, 3);
    let fourth = bench.offer(Funded, 4);
    bench.agreed(third, Unannounced);
    bench.agreed(fourth, Unannounced);
    bench.report(ready("c1"));
    assert_eq!(bench.state(fourth), Ready);
    bench.cancel(third);
    assert_eq!(bench.releases(), 0);
}

#[test]
fn after_a_refusal_the_peer_is_kept_until_the_wait_would_have_ended() {
    let mut play = Play::at(Funded, "written");
    play.bench.advance(SECOND * 100);
    play.act("error");
    assert_eq!((play.bench.releases(), due_in(&play.bench)), (0, 80));
    // A channel under way needs it.
    play.act("proposed");
    play.bench.advance(SECOND * 80);
    assert_eq!(play.bench.releases(), 0);
    play.act("proposal fails");
    assert_eq!(play.bench.releases(), 1);
}

/// It hung when the user left, and came about after that.
#[test]
fn a_connection_that_nobody_needs_any_more_is_released() {
    let mut play = Play::at(Funded, "connecting");
    play.acts(&["pause", "connected"]);
    assert_eq!(play.bench.releases(), 1);
    let mut play = Play::at(Hosted, "connecting");
    play.acts(&["cancel", "connected"]);
    assert_eq!((play.bench.releases(), play.state()), (1, Cancelled));
    // Nothing was connected: nothing is released.
    let mut play = Play::at(Funded, "asking node");
    play.act("pause");
    assert_eq!(play.bench.releases(), 0);
}

#[test]
fn whether_the_peer_is_connected_is_shown_as_far_as_the_node_told() {
    let mut play = Play::at(Funded, "awaiting");
    let is_connected = |play: &Play| play.snapshot().is_peer_connected;
    assert!(is_connected(&play));
    play.act("disconnected");
    assert!(!is_connected(&play));
    play.act("connected");
    assert!(is_connected(&play));
    play.act("restart");
    assert!(!is_connected(&play));
    play.act("reported connected");
    assert!(is_connected(&play));
    // A request that comes later knows it too; one that has ended shows no connection.
    let other = play.bench.offer(Funded, 2);
    assert!(play.bench.snapshot(other).is_peer_connected);
    play.act("cancel");
    assert!(!is_connected(&play));
}

#[test]
fn the_wait_is_a_new_one_at_each_accept() {
    let mut play = Play::at(Funded, "awaiting, paused");
    play.bench.advance(Duration::from_secs(10_000));
    play.act("accept");
    let until = play.bench.now.unix_millis / 1000 + 180;
    assert_eq!(play.snapshot().waits_until_seconds, Some(until));
}
