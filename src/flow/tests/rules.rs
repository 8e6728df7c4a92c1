//! What is stored and when, what goes out, how a call waits and ends: rules of sections 5 to 8 that
//! are more than a transition.

use super::ChannelRequestState::{Awaiting, Connecting, Offered, Refused};
use super::transitions::{FUNDED_PLACES, inputs_to};
use super::*;

// ---- what is stored, and when ----

#[test]
fn nothing_happens_that_could_not_be_stored() {
    for (place, input) in [
        ("offered", "accept"),
        ("awaiting, paused", "accept"),
        ("paused early", "decline"),
        ("awaiting, paused", "decline"),
        ("asking the node", "cancel"),
        ("requesting", "cancel"),
        ("awaiting", "cancel"),
        ("awaiting, paused", "cancel"),
        ("refused", "cancel"),
    ] {
        let mut bench = Bench::at(ChannelKind::Funded, &inputs_to(place, &FUNDED_PLACES));
        let before = bench.request.clone();
        bench.disk_full = true;
        let error = bench.feed(&[input]).unwrap_err();
        assert!(
            matches!(error, LnurlChannelError::StorageFailed { .. }),
            "{place}, {input}: {error:?}"
        );
        assert!(bench.done.is_empty(), "{place}, {input}");
        assert_eq!(bench.request, before, "{place}, {input}");
    }
}

#[test]
fn a_call_that_cannot_store_its_asking_ends_unsent() {
    for (inputs, state) in [
        (&["accept", "node ok"][..], Offered),
        (
            &[&AWAITING[..], &["pause", "accept", "node ok"]].concat(),
            Awaiting,
        ),
        (&[&REFUSED[..], &["accept", "node ok"]].concat(), Refused),
    ] {
        for kind in [ChannelKind::Funded, ChannelKind::Hosted] {
            if kind == ChannelKind::Hosted && inputs.len() > 2 {
                continue;
            }
            let mut bench = Bench::at(kind, inputs);
            bench.disk_full = true;
            bench.feed(&["connected"]).unwrap();
            assert_eq!(shown(&bench.done), "End(StorageFailed)");
            assert_eq!(bench.state(), state);
        }
    }
}

#[test]
fn what_a_restart_needs_is_stored() {
    for (place, input) in [
        ("written", "agreed"),
        ("written", "lost"),
        ("written", "refused"),
        ("requesting", "not sent"),
        ("requesting", "pause"),
        ("written", "time over"),
        ("awaiting, paused", "proposed"),
        ("arrived, proposed", "failed"),
        ("refused", "returned"),
    ] {
        let mut bench = Bench::at(ChannelKind::Funded, &inputs_to(place, &FUNDED_PLACES));
        bench.feed(&[input]).unwrap();
        let stored = bench.stored.as_ref().expect(place);
        assert_eq!(stored.progress, bench.request.progress, "{place}, {input}");
    }
}

// ---- unfinished until a call has returned it ----

#[test]
fn what_arrives_is_unfinished_until_a_call_returns_it() {
    let mut bench = Bench::at(ChannelKind::Funded, &AWAITING);
    bench.feed(&["pause", "proposed"]).unwrap();
    assert!(bench.request.is_unfinished());
    bench.restart();
    assert!(bench.request.is_unfinished());
    for _ in 0..2 {
        bench.feed(&["resume"]).unwrap();
        assert!(matches!(
            bench.end(),
            Some(Ok(ChannelOutcome::Opening { .. }))
        ));
    }
    bench.feed(&["returned"]).unwrap();
    assert!(!bench.request.is_unfinished());
    bench.feed(&["not returned"]).unwrap();
    assert!(bench.request.is_unfinished());
}

#[test]
fn a_return_is_stored_once_and_only_of_an_end() {
    let arrived = [&AWAITING[..], &["proposed"]].concat();
    let mut bench = Bench::at(ChannelKind::Funded, &arrived);
    for store in [Store::Fact, Store::No] {
        bench.input(Input::Returned(bench.request.ends())).unwrap();
        assert_eq!(bench.log.last().unwrap().step.store, store);
    }
    let mut bench = Bench::at(ChannelKind::Funded, &arrived);
    bench.feed(&["failed"]).unwrap();
    let before = bench.request.clone();
    bench.feed(&["returned"]).unwrap();
    assert_eq!(bench.request, before);
}

/// While one end is handed over, the request can come to another.
#[test]
fn an_end_that_the_wallet_was_not_told_stays_unfinished() {
    let again = [&AWAITING[..], &["pause", "accept"]].concat();
    for inputs in [
        [&REFUSED[..], &["funded", "returned"]].concat(),
        [&again[..], &["node failed", "funded", "returned"]].concat(),
        [
            &AWAITING[..],
            &["proposed", "failed", "proposed", "returned"],
        ]
        .concat(),
    ] {
        let mut bench = Bench::at(ChannelKind::Funded, &inputs);
        assert_eq!(bench.state(), ChannelRequestState::Arrived);
        assert!(bench.request.is_unfinished(), "{inputs:?}");
        bench.feed(&["resume", "returned"]).unwrap();
        assert!(!bench.request.is_unfinished(), "{inputs:?}");
        // The wallet had left before it was told of the end before: that one is no matter now.
        let mut bench = Bench::at(ChannelKind::Funded, &inputs[..inputs.len() - 1]);
        bench.feed(&["resume"]).unwrap();
        let first = bench.next_end();
        bench.input(Input::Returned(bench.request.ends())).unwrap();
        bench.input(Input::NotReturned(first)).unwrap();
        assert!(!bench.request.is_unfinished(), "{inputs:?}");
    }
}

/// Whoever leaves takes back only what was told to them.
#[test]
fn an_end_that_one_of_two_was_told_is_finished() {
    let arrived = [&AWAITING[..], &["proposed"]].concat();
    let mut bench = Bench::at(ChannelKind::Funded, &arrived);
    bench
        .feed(&["resume", "returned", "resume", "returned"])
        .unwrap();
    for (input, is_unfinished) in [("not returned", false), ("not returned", true)] {
        bench.feed(&["resume", input]).unwrap();
        assert_eq!(bench.request.is_unfinished(), is_unfinished);
    }
    bench.feed(&["resume", "returned"]).unwrap();
    bench.restart();
    bench.feed(&["resume", "not returned"]).unwrap();
    assert!(
        bench.request.is_unfinished(),
        "nobody was told but in the run before"
    );
}

/// A peer, or a host, can send any number: what each of them costs is no write.
#[test]
fn floods_are_not_stored() {
    let mut bench = Bench::at(ChannelKind::Funded, &[&AWAITING[..], &["funded"]].concat());
    let stores = |bench: &mut Bench, number: usize| {
        let before = bench.log.len();
        bench.report(proposed(&format!("b{number}")));
        bench.log[before..]
            .iter()
            .any(|taken| taken.step.store != Store::No)
    };
    assert!(stores(&mut bench, 0));
    let written = (1..1_000).filter(|number| stores(&mut bench, *number));
    assert!(written.count() < 64);
    let hosted = [&REQUESTING[..], &["agreed", "time over"]].concat();
    let mut bench = Bench::at(ChannelKind::Hosted, &hosted);
    for store in [Store::Fact, Store::No, Store::No] {
        bench.feed(&["host babbles"]).unwrap();
        assert_eq!(bench.log.last().unwrap().step.store, store);
    }
}

#[test]
fn no_channel_is_not_the_end() {
    for inputs in [&AWAITING, &UNKNOWN] {
        let mut bench = Bench::at(ChannelKind::Funded, inputs);
        bench.feed(&["time over"]).unwrap();
        assert!(bench.request.is_unfinished());
        bench.feed(&["resume"]).unwrap();
        assert!(bench.request.is_running());
    }
}

#[test]
fn an_end_by_the_user_is_finished() {
    for inputs in [&["accept", "cancel"][..], &["accept", "pause", "decline"]] {
        assert!(
            !Bench::at(ChannelKind::Funded, inputs)
                .request
                .is_unfinished()
        );
    }
    let cancelled = Bench::at(ChannelKind::Funded, &[&AWAITING[..], &["cancel"]].concat());
    assert!(!cancelled.request.is_unfinished());
}

#[test]
fn an_accept_that_came_to_nothing_leaves_an_offer() {
    let mut bench = Bench::at(ChannelKind::Funded, &["accept", "node failed"]);
    bench.feed(&["returned"]).unwrap();
    assert!(!bench.request.is_unfinished());
    assert!(bench.stored.is_none());
    bench.feed(&REQUESTING).unwrap();
    assert!(bench.stored.is_some());
}

#[test]
fn a_done_request_is_forgotten_after_a_day() {
    let bench = Bench::at(ChannelKind::Funded, &[&REFUSED[..], &["returned"]].concat());
    assert!(!bench.request.is_forgotten(NOW + DAY - 1));
    assert!(bench.request.is_forgotten(NOW + DAY));
    // The clock was set back.
    assert!(!bench.request.is_forgotten(0));
    let unreturned = Bench::at(ChannelKind::Funded, &REFUSED);
    assert!(!unreturned.request.is_forgotten(NOW + 10 * DAY));
}

// ---- what goes out ----

#[test]
fn the_callback_says_what_was_chosen() {
    for (accept, private) in [("accept", 1), ("accept announced", 0)] {
        let bench = Bench::at(ChannelKind::Funded, &[accept, "node ok", "connected"]);
        let expected = format!("{CALLBACK}&k1={K1}&remoteid={OWN}&private={private}");
        assert_eq!(bench.sent_callback(), Some(expected.as_str()));
    }
}

#[test]
fn the_cancel_says_nothing_of_private() {
    for inputs in [&REQUESTING[..], &AWAITING, &UNKNOWN, &REFUSED] {
        let bench = Bench::at(ChannelKind::Funded, &[inputs, &["cancel"]].concat());
        let expected = format!("{CALLBACK}&k1={K1}&remoteid={OWN}&cancel=1");
        assert_eq!(bench.sent_cancel(), Some(expected.as_str()));
    }
}

#[test]
fn what_was_once_asked_is_cancelled_with_the_service() {
    let again = [&AWAITING[..], &["pause", "accept", "node failed", "cancel"]].concat();
    let failed = [&AWAITING[..], &["proposed", "failed", "cancel"]].concat();
    for inputs in [again, failed] {
        assert!(
            Bench::at(ChannelKind::Funded, &inputs)
                .sent_cancel()
                .is_some()
        );
    }
    let mut restarted = Bench::at(ChannelKind::Funded, &AWAITING);
    restarted.restart();
    restarted.feed(&["cancel"]).unwrap();
    assert!(restarted.sent_cancel().is_some());
}

#[test]
fn the_invoke_is_that_of_blip_17() {
    let bench = Bench::at(ChannelKind::Hosted, &REQUESTING);
    let payload = bench.done.iter().find_map(|action| match action {
        Action::Run(Task::SendInvoke(payload)) => Some(hex::encode(payload.expose())),
        _ => None,
    });
    let regtest = "06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f";
    let script = hex::encode(refund_script());
    let expected = format!("{regtest}0016{script}0006{HOSTED_K1}");
    assert_eq!(payload, Some(expected));
}

#[test]
fn the_refund_script_is_asked_once_and_kept() {
    let mut bench = Bench::at(
        ChannelKind::Hosted,
        &["accept", "node ok", "connect failed"],
    );
    bench.feed(&["accept"]).unwrap();
    assert_eq!(shown(&bench.done), "AskNode");
    bench.feed(&["node ok", "pause"]).unwrap();
    bench.restart();
    bench.feed(&["accept"]).unwrap();
    assert_eq!(shown(&bench.done), "AskNode");
}

#[test]
fn a_node_with_unusable_facts_is_told_nothing_of() {
    let answers = |node_id: &str, script: &[u8]| {
        Input::NodeAsked(Ok(NodeFacts {
            node_id: node_id.into(),
            refund_script: Some(script.to_vec()),
        }))
    };
    let p2wsh = [vec![0, 32], vec![7; 32]].concat();
    let p2tr = [vec![0x51, 32], vec![7; 32]].concat();
    let p2pkh = [vec![0x76, 0xa9, 20], vec![7; 20], vec![0x88, 0xac]].concat();
    let off_curve = format!("02{}", "ff".repeat(32));
    for (node_id, script, follows) in [
        (OWN, &*p2wsh, "!Connecting Connect"),
        (&OWN.to_uppercase(), &p2wsh, "!Connecting Connect"),
        (OWN, &p2tr, "End(NodeFailed)"),
        (OWN, &p2pkh, "End(NodeFailed)"),
        (OWN, &[], "End(NodeFailed)"),
        ("", &p2wsh, "End(NodeFailed)"),
        (&off_curve, &p2wsh, "End(NodeFailed)"),
        // The wallet's own key as target.
        (PEER, &p2wsh, "End(InvalidResponse)"),
        (&PEER.to_uppercase(), &p2wsh, "End(InvalidResponse)"),
    ] {
        let mut bench = Bench::at(ChannelKind::Hosted, &["accept"]);
        bench.input(answers(node_id, script)).unwrap();
        assert_eq!(shown(&bench.done), follows, "{node_id}, {script:?}");
        let ended = follows.starts_with("End");
        assert_eq!(bench.state(), if ended { Offered } else { Connecting });
    }
    let mut bench = Bench::at(ChannelKind::Funded, &["accept"]);
    let upper = NodeFacts {
        node_id: OWN.to_uppercase(),
        refund_script: None,
    };
    bench.input(Input::NodeAsked(Ok(upper))).unwrap();
    bench.feed(&["connected"]).unwrap();
    assert!(bench.sent_callback().unwrap().contains(OWN));
}

// ---- waiting ----

#[test]
fn the_peer_is_kept_connected_with_backoff() {
    let mut bench = Bench::at(ChannelKind::Funded, &AWAITING);
    let check_after = |bench: &Bench| {
        bench.done.iter().find_map(|action| match action {
            Action::Run(Task::CheckLater { failed_connects }) => Some(*failed_connects),
            _ => None,
        })
    };
    bench.feed(&["check"]).unwrap();
    assert_eq!(shown(&bench.done), "Connect");
    // One at a time: a hung one is not multiplied.
    bench.feed(&["check"]).unwrap();
    assert!(bench.done.is_empty());
    for failed in 1..4 {
        bench.feed(&["connect failed"]).unwrap();
        assert_eq!(check_after(&bench), Some(failed));
        bench.feed(&["check"]).unwrap();
        let peer = bench.request.peer().clone();
        let reconnecting = ChannelEvent::Reconnecting {
            peer,
            attempt: failed,
        };
        assert_eq!(
            bench.done,
            [Action::Emit(reconnecting), Action::Run(Task::Connect)]
        );
    }
    bench.feed(&["connected"]).unwrap();
    assert_eq!(check_after(&bench), Some(0));
    bench.feed(&["check"]).unwrap();
    assert_eq!(shown(&bench.done), "Connect");
}

#[test]
fn a_call_announces_its_wait_once() {
    let mut bench = Bench::at(ChannelKind::Funded, &AWAITING);
    bench
        .feed(&["check", "connected", "check", "connected"])
        .unwrap();
    assert_eq!(shown(&bench.done), "CheckLater");
}

#[test]
fn time_over_says_why() {
    let reason_of = |inputs: &[&str]| {
        let mut bench = Bench::at(ChannelKind::Funded, inputs);
        bench.feed(&["time over"]).unwrap();
        let Some(Err(error)) = bench.end().cloned() else {
            panic!("no error");
        };
        error
    };
    let LnurlChannelError::NoChannel {
        peer_connected: true,
        reason,
    } = reason_of(&[
        "accept announced",
        "node ok",
        "connected",
        "written",
        "agreed",
    ])
    else {
        panic!();
    };
    for cause in ["anchor reserve", "announced", "zero-conf"] {
        assert!(reason.contains(cause), "{reason}");
    }
    let LnurlChannelError::NoChannel { reason, .. } = reason_of(&AWAITING) else {
        panic!();
    };
    assert!(!reason.contains("announced"), "{reason}");
    let LnurlChannelError::NoChannel {
        peer_connected: false,
        reason,
    } = reason_of(&[&AWAITING[..], &["check", "connect failed"]].concat())
    else {
        panic!();
    };
    assert!(reason.contains("not connected"), "{reason}");
    let LnurlChannelError::OutcomeUnknown { reason } = reason_of(&UNKNOWN) else {
        panic!();
    };
    assert!(reason.contains("the connection was reset"), "{reason}");
}

/// 5.9, after a second `accept`: what counts is the last answer.
#[test]
fn the_last_answer_counts() {
    let again = ["pause", "accept", "node ok", "connected", "written"];
    for (first, second, ends) in [
        (&AWAITING, "lost", "End(OutcomeUnknown)"),
        (&UNKNOWN, "agreed", "End(NoChannel)"),
    ] {
        let mut bench = Bench::at(ChannelKind::Funded, first);
        bench.feed(&again).unwrap();
        bench.feed(&[second, "time over"]).unwrap();
        assert_eq!(shown(&bench.done), ends);
    }
}

#[test]
fn after_a_second_accept_that_was_not_sent_the_first_still_holds() {
    let mut bench = Bench::at(ChannelKind::Funded, &AWAITING);
    bench
        .feed(&[
            "pause",
            "accept announced",
            "node ok",
            "connected",
            "not sent",
        ])
        .unwrap();
    assert_eq!(shown(&bench.done), "End(Unreachable)");
    assert_eq!(bench.state(), Awaiting);
    let announced = IncomingChannel {
        is_announced: Some(true),
        ..proposed("aa")
    };
    assert!(matches!(
        bench.report(announced),
        ChannelVerdict::WrongVisibility { .. }
    ));
    bench.feed(&["resume", "time over"]).unwrap();
    assert_eq!(shown(&bench.done), "End(NoChannel)");
}

#[test]
fn after_an_accept_in_vain_the_end_is_what_it_was() {
    let mut bench = Bench::at(ChannelKind::Funded, &[&REFUSED[..], &["returned"]].concat());
    let before = bench.request.clone();
    bench.now += HOUR;
    bench
        .feed(&["accept", "node ok", "connected", "not sent"])
        .unwrap();
    assert_eq!(bench.request, before);
    assert_eq!(bench.stored.as_ref().unwrap().progress, before.progress);
}

#[test]
fn what_was_never_asked_goes_back_to_an_offer() {
    let inputs = ["accept", "pause", "accept", "node failed"];
    let bench = Bench::at(ChannelKind::Funded, &inputs);
    assert_eq!(bench.state(), Offered);
}

#[test]
fn an_accept_in_vain_forgets_no_verdict() {
    let mut bench = Bench::at(ChannelKind::Funded, &AWAITING);
    bench.feed(&["pause", "accept"]).unwrap();
    let announced = IncomingChannel {
        is_announced: Some(true),
        ..proposed("aa")
    };
    let verdict = bench.report(announced.clone());
    assert!(matches!(verdict, ChannelVerdict::WrongVisibility { .. }));
    bench.feed(&["node failed", "accept announced"]).unwrap();
    bench.feed(&["node ok", "connected"]).unwrap();
    assert_eq!(bench.report(announced), verdict);
}

#[test]
fn a_yes_that_comes_after_the_channel_is_kept() {
    let mut bench = Bench::at(ChannelKind::Funded, &REQUESTING);
    bench
        .feed(&["written", "proposed", "agreed", "failed"])
        .unwrap();
    assert_eq!(bench.state(), Awaiting);
    bench.feed(&["resume", "time over"]).unwrap();
    assert_eq!(shown(&bench.done), "End(NoChannel)");
}

#[test]
fn a_yes_that_comes_after_the_user_left_changes_nothing() {
    for leave in ["decline", "cancel"] {
        let mut bench = Bench::at(ChannelKind::Funded, &REQUESTING);
        bench
            .feed(&["written", "proposed", "failed", leave])
            .unwrap();
        let before = bench.request.clone();
        bench.feed(&["agreed"]).unwrap();
        assert_eq!(bench.request, before, "{leave}");
    }
}

#[test]
fn what_arrived_is_told_whole() {
    let bench = Bench::at(
        ChannelKind::Hosted,
        &[&REQUESTING[..], &["host offers"]].concat(),
    );
    let offered = ChannelOutcome::HostedOffered {
        terms: TERMS,
        message: vec![1, 2, 3],
    };
    assert_eq!(bench.end(), Some(&Ok(offered.clone())));
    assert_eq!(bench.request.progress.outcome, Some(offered));
    let bench = Bench::at(
        ChannelKind::Hosted,
        &[&REQUESTING[..], &["host exists"]].concat(),
    );
    let exists = ChannelOutcome::HostedExists {
        message: vec![1, 2, 3],
    };
    assert_eq!(bench.end(), Some(&Ok(exists)));
}

// ---- secrets ----

#[test]
fn reasons_hide_the_secrets_that_others_say() {
    for (kind, inputs) in [
        (ChannelKind::Funded, &["accept", "node failed"][..]),
        (
            ChannelKind::Funded,
            &["accept", "node ok", "connect failed"],
        ),
        (
            ChannelKind::Hosted,
            &["accept", "node ok", "connected", "not sent"],
        ),
        (
            ChannelKind::Hosted,
            &["accept", "node ok", "connected", "host refuses"],
        ),
    ] {
        let bench = Bench::at(kind, inputs);
        let own = if kind == ChannelKind::Hosted {
            HOSTED_K1
        } else {
            K1
        };
        let shown = format!("{:?}", bench.end());
        assert!(
            shown.contains("it broke on") && !shown.contains(own),
            "{shown}"
        );
    }
}
