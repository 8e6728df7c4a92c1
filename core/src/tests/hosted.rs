//! Hosted channels (7).

use super::bench::Bench;
use super::play::{Play, host_offers, host_refuses};
use super::samples::*;
use crate::protocol::ChannelKind::{Funded, Hosted};
use crate::protocol::ChannelVisibility::Unannounced;
use crate::*;
use ChannelConcern::{AnswerUnclear, ConnectionLost};
use ChannelRequestState::{Arrived, Awaiting, Offered, OutcomeUnknown, Refused};

const INIT: u16 = 65533;
const LAST_STATE: u16 = 65531;
const ERROR: u16 = 63497;
const BOLT1_ERROR: u16 = 17;

/// The message to the host that is on its way, as hex.
fn invoke(play: &Play) -> (u16, String) {
    let task = play.bench.asks_service(play.request).unwrap();
    match &play.bench.tasks[&task] {
        Task::Invoke {
            peer_id,
            message_type,
            payload,
        } => {
            assert_eq!(peer_id, PEER);
            (*message_type, hex::encode(payload.expose()))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_message_to_the_host_is_that_of_blip_17() {
    let play = Play::at(Hosted, "invoking");
    let regtest = "06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f";
    let script = format!("0014{}", "07".repeat(20));
    let expected = format!("{regtest}0016{script}00055ec7e70001");
    assert_eq!(invoke(&play), (65535, expected));
}

#[test]
fn the_refund_script_is_asked_for_once_and_kept() {
    let mut play = Play::at(Hosted, "connecting");
    play.acts(&["connect fails", "accept"]);
    assert!(play.bench.shown().ends_with("AskNode+readiness"));
    play.acts(&["pause", "restart", "accept"]);
    assert!(play.bench.shown().ends_with("AskNode+readiness"));
    play.acts(&["node tells", "connected"]);
    assert!(invoke(&play).1.contains(&"07".repeat(20)));
}

#[test]
fn a_refund_script_that_hosts_refuse_ends_the_call_before_anything_is_sent() {
    let p2tr = [vec![0x51, 32], vec![7; 32]].concat();
    let p2pkh = [vec![0x76, 0xa9, 20], vec![7; 20], vec![0x88, 0xac]].concat();
    let p2wsh = [vec![0, 32], vec![7; 32]].concat();
    for (script, shown) in [
        (Some(p2wsh), "Connect"),
        (Some(p2tr), "=NodeFailed"),
        (Some(p2pkh), "=NodeFailed"),
        (Some(Vec::new()), "=NodeFailed"),
        (None, "=NodeFailed"),
    ] {
        let mut play = Play::at(Hosted, "asking node");
        let task = play.bench.asks_node(play.request).unwrap();
        let facts = NodeFacts {
            refund_script: script,
            ..play.bench.facts(task)
        };
        play.bench.feed(Input::NodeAsked(task, Ok(facts)));
        assert!(
            play.bench.shown().ends_with(shown),
            "{}",
            play.bench.shown()
        );
        assert!(shown == "Connect" || play.state() == Offered);
    }
}

#[test]
fn what_the_host_offered_is_told_whole_and_kept() {
    let mut play = Play::at(Hosted, "arrived");
    for act in ["accept", "restart", "accept"] {
        play.act(act);
    }
    let Ok(Answer::Outcome(ChannelOutcome::HostedOffered { terms, message })) = play.last_answer()
    else {
        panic!("{:?}", play.last_answer());
    };
    assert_eq!(*message, host_offers());
    assert_eq!(
        (terms.capacity_msat, terms.max_accepted_htlcs),
        (1_000_000, 30)
    );
    assert_eq!(play.snapshot().hosted_terms, Some(*terms));
    assert_eq!(play.snapshot().visibility, None);
    // An older host puts a length in front, which is left out.
    let mut older = Play::at(Hosted, "awaiting");
    let length = u16::try_from(host_offers().len()).unwrap().to_be_bytes();
    assert!(
        older
            .bench
            .host_says(PEER, INIT, &[&length[..], &host_offers()].concat())
    );
    assert_eq!(older.last_answer(), play.last_answer());
}

#[test]
fn what_the_host_says_when_it_refuses_is_shown_without_the_secret() {
    let mut play = Play::at(Hosted, "refused");
    let words = Some("no room for …".to_owned());
    assert_eq!(play.snapshot().refusal, words);
    for act in ["accept", "restart", "accept"] {
        play.act(act);
    }
    assert_eq!(
        *play.last_answer(),
        Err(LnurlChannelError::Refused { words })
    );
    // BOLT-1's error: about all channels, or the hosted one, or another.
    for (channel_id, is_taken) in [([0; 32], true), ([9; 32], false)] {
        let mut play = Play::at(Hosted, "awaiting");
        let payload = [&channel_id[..], &host_refuses()[32..]].concat();
        assert_eq!(play.bench.host_says(PEER, BOLT1_ERROR, &payload), is_taken);
        let state = if is_taken { Refused } else { Awaiting };
        assert_eq!(play.state(), state);
    }
}

#[test]
fn messages_of_others_are_not_ours() {
    let offers = host_offers();
    for (place, peer_id, message_type) in [
        ("awaiting", OTHER_PEER, INIT),
        ("awaiting", PEER, 1),
        ("awaiting", PEER, 65535),
        ("awaiting", "", INIT),
        ("offered", PEER, INIT),
        ("connecting", PEER, INIT),
        ("arrived", PEER, INIT),
        ("arrived", PEER, LAST_STATE),
        ("refused", PEER, INIT),
        ("cancelled", PEER, ERROR),
        // It answers on the connection that it was asked on.
        ("connection lost", PEER, INIT),
    ] {
        let mut play = Play::at(Hosted, place);
        assert!(
            !play.bench.host_says(peer_id, message_type, &offers),
            "{place}, {message_type}"
        );
        assert_eq!(play.bench.shown(), "");
    }
    let mut play = Play::at(Hosted, "awaiting");
    play.act("restart");
    assert!(!play.bench.host_says(PEER, INIT, &offers));
    let mut play = Play::at(Funded, "awaiting");
    assert!(!play.bench.host_says(PEER, INIT, &offers));
    let mut play = Play::at(Hosted, "awaiting");
    assert!(play.bench.host_says(&PEER.to_uppercase(), INIT, &offers));
}

#[test]
fn what_cannot_be_understood_ends_the_call_and_not_the_request() {
    let zero_capacity = [&host_offers()[..18], &[0; 16]].concat();
    let no_htlcs = [&host_offers()[..16], &[0; 2], &host_offers()[18..]].concat();
    for (message_type, payload) in [
        (INIT, &[][..]),
        (INIT, &host_offers()[..33]),
        (INIT, &zero_capacity),
        (INIT, &no_htlcs),
        (LAST_STATE, &[1; 196]),
        (ERROR, &[0; 31]),
    ] {
        let mut play = Play::at(Hosted, "awaiting");
        assert!(play.bench.host_says(PEER, message_type, payload));
        assert!(matches!(
            play.last_answer(),
            Err(LnurlChannelError::InvalidResponse { .. })
        ));
        assert_eq!(play.snapshot().concerns, [AnswerUnclear { words: None }]);
        let writes = play.bench.writes();
        for _ in 0..1000 {
            assert!(play.bench.host_says(PEER, message_type, payload));
        }
        assert_eq!(play.bench.writes(), writes, "a host can send any number");
        play.acts(&["accept", "host offers"]);
        assert_eq!(play.state(), Arrived);
    }
}

#[test]
fn the_wait_ends_with_what_became_of_the_connection() {
    let rows: [(&str, &[&str], Vec<ChannelConcern>); 7] = [
        ("awaiting", &[], vec![]),
        ("awaiting", &["reported connected"], vec![]),
        // Before the message was handed over.
        (
            "offered",
            &[
                "accept",
                "disconnected",
                "node tells",
                "connected",
                "invoked",
            ],
            vec![],
        ),
        (
            "awaiting",
            &["disconnected", "connected"],
            vec![ConnectionLost],
        ),
        (
            "awaiting",
            &["restart", "accept", "connected"],
            vec![ConnectionLost],
        ),
        ("unknown", &[], vec![AnswerUnclear { words: None }]),
        (
            "connection lost",
            &["ask again, told", "connected", "invoked"],
            vec![],
        ),
    ];
    for (place, acts, concerns) in rows {
        let mut play = Play::at(Hosted, place);
        play.acts(acts);
        while play.snapshot().is_running {
            play.act("is due");
            play.try_act("connected");
        }
        assert_eq!(play.snapshot().concerns, concerns, "{place}, {acts:?}");
        let Err(LnurlChannelError::NoChannel {
            service_agreed,
            reason,
            ..
        }) = play.last_answer()
        else {
            panic!("{:?}", play.last_answer());
        };
        assert_eq!(*service_agreed, place != "unknown");
        let begin = match service_agreed {
            true => "the host was asked, and has not answered in time",
            false => "it is not known whether the host was asked",
        };
        assert!(reason.starts_with(begin), "{reason}");
    }
}

/// A second message that could not be handed over makes no new connection of the old one.
#[test]
fn an_invoke_that_fails_leaves_the_lost_connection_lost() {
    let mut play = Play::at(Hosted, "connection lost");
    play.acts(&["ask again, told", "connected", "invoke fails"]);
    assert_eq!(play.state(), Awaiting);
    assert!(!play.try_act("host offers"));
    // The first was handed over, and its connection stands.
    let mut play = Play::at(Hosted, "awaiting, paused");
    play.acts(&[
        "ask again, told",
        "connected",
        "invoke fails",
        "host offers",
    ]);
    assert_eq!(play.state(), Arrived);
}

#[test]
fn a_host_is_never_asked_twice_by_itself() {
    for place in ["awaiting", "unknown", "invoking, paused", "connection lost"] {
        let mut play = Play::at(Hosted, place);
        play.act("restart");
        for _ in 0..3 {
            play.act("accept");
            while play.snapshot().is_running {
                play.act("is due");
                play.try_act("connected");
            }
        }
        assert_eq!(play.bench.asks[&play.request].asks, 1, "{place}");
    }
}

/// Of two requests to one host, the one whose call runs gets the answer, then the one asked last.
#[test]
fn an_answer_goes_to_whoever_was_asked_last() {
    let two = || {
        let mut bench = Bench::new();
        let first = bench.offer(Hosted, 1);
        bench.agreed(first, Unannounced);
        let second = bench.offer(Hosted, 2);
        bench.agreed(second, Unannounced);
        (bench, first, second)
    };
    let (mut bench, first, second) = two();
    assert!(bench.host_says(PEER, INIT, &host_offers()));
    assert_eq!(
        (bench.state(first), bench.state(second)),
        (Awaiting, Arrived)
    );
    assert!(bench.host_says(PEER, LAST_STATE, &[1; 197]));
    assert_eq!(bench.state(first), Arrived);
    let (mut bench, first, second) = two();
    bench.feed(Input::Pause(second));
    assert!(bench.host_says(PEER, INIT, &host_offers()));
    assert_eq!(
        (bench.state(first), bench.state(second)),
        (Arrived, Awaiting)
    );
}

#[test]
fn a_peer_that_is_not_connected_is_told_of_in_the_end() {
    let mut play = Play::at(Hosted, "awaiting");
    while play.snapshot().is_running {
        play.act("is due");
        play.try_act("connect fails");
    }
    // The connection that it was asked on is gone with it.
    assert_eq!(play.snapshot().concerns, [ConnectionLost]);
    assert_ne!(play.state(), OutcomeUnknown);
}
