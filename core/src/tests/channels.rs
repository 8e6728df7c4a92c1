//! Channels once they arrived, and what is known of a peer's other channels: the notes below the rows
//! of 5b.

use super::bench::Bench;
use super::matching::World;
use super::play::Play;
use super::samples::*;
use crate::protocol::ChannelKind::Funded;
use crate::protocol::ChannelVisibility::Unannounced;
use crate::record;
use crate::verdicts::{KnownChannel, StoredVerdict};
use crate::*;
use ChannelRequestState::{Arrived, Awaiting, Opening, Ready, Refused};

fn waiting() -> World {
    World::new().waiting()
}

fn id_of(number: usize) -> String {
    format!("{number:064x}")
}

// ---- a request's own channel ----

#[test]
fn later_reports_tell_more_and_take_nothing_back() {
    let mut world = waiting().reported(IncomingChannel {
        push_msat: Some(7),
        ..proposed("a1")
    });
    world.report(formerly("a1", funded("f1")));
    let shown = |world: &World| {
        world
            .bench
            .snapshot(world.requests[0])
            .channel
            .clone()
            .unwrap()
    };
    let known = shown(&world);
    assert_eq!(
        (known.stage, known.push_msat),
        (ChannelStage::Funded, Some(7))
    );
    world.report(IncomingChannel {
        confirmations: Some(3),
        capacity_sat: None,
        ..ready("f1")
    });
    assert_eq!(world.bench.shown(), "!Ready");
    let told = shown(&world);
    let expected = IncomingChannel {
        stage: ChannelStage::Ready,
        confirmations: Some(3),
        ..known
    };
    assert_eq!(told, expected);
    let writes = world.bench.writes();
    for channel in [funded("f1"), ready("f1"), formerly("a1", funded("f1"))] {
        assert_eq!(world.report(channel), "Expected 0");
        assert_eq!(
            (world.bench.shown(), world.state(0)),
            (String::new(), Ready)
        );
    }
    assert_eq!(
        world.bench.writes(),
        writes,
        "what changes nothing writes nothing"
    );
}

#[test]
fn a_later_report_of_the_other_visibility_turns_the_verdict_once() {
    let mut world = waiting().reported(funded("f1"));
    assert_eq!(world.report(announced(funded("f1"))), "WrongVisibility 0");
    assert_eq!(world.bench.shown(), "!Mismatched");
    for channel in [
        funded("f1"),
        unannounced(funded("f1")),
        announced(ready("f1")),
    ] {
        assert_eq!(world.report(channel), "WrongVisibility 0");
        assert!(!world.bench.shown().contains("Mismatched"));
    }
    world.bench.restart();
    assert_eq!(world.report(unannounced(ready("f1"))), "WrongVisibility 0");
}

#[test]
fn a_channel_that_is_closed_before_it_is_ready_is_lost() {
    for (act, state) in [
        ("ok", Awaiting),
        ("lost", ChannelRequestState::OutcomeUnknown),
    ] {
        let mut play = Play::at(Funded, "written");
        play.acts(&[act, "funded", "closed"]);
        assert_eq!((play.state(), &play.snapshot().channel), (state, &None));
        play.act("restart");
        assert_eq!(play.state(), state);
    }
    let mut world = World::new().refused().reported(funded("f1"));
    world.close(Some("F1"));
    assert_eq!(world.state(0), Refused);
    // After `Ready`, or of another channel: nothing.
    let mut world = waiting().reported(ready("f1"));
    for id in ["f1", "f2"] {
        world.close(Some(id));
        assert_eq!(
            (world.bench.shown(), world.state(0)),
            (String::new(), Ready)
        );
    }
}

#[test]
fn a_lost_channel_comes_back_only_when_it_is_ready() {
    let lost = || {
        let mut world = waiting().reported(funded("f1"));
        world.close(Some("f1"));
        world
    };
    for restarts in [false, true] {
        let mut world = lost();
        if restarts {
            world.bench.restart();
        }
        assert_eq!(world.report(funded("f1")), "Expected 0");
        assert_eq!(
            (world.bench.shown(), world.state(0)),
            (String::new(), Awaiting)
        );
        assert_eq!(world.report(ready("f1")), "Expected 0");
        assert_eq!(
            (world.bench.shown(), world.state(0)),
            ("!Arrived !Ready".into(), Ready)
        );
    }
    let mut world = lost().cancel(0);
    assert_eq!(world.report(ready("f1")), "Unwanted 0");
    // It has another by now.
    let mut world = lost().reported(funded("f2"));
    assert_eq!(world.report(ready("f1")), "Duplicate 0");
    assert_eq!(world.channel(0), Some("f2"));
    // It is not taken for a new channel of another request either.
    let mut world = lost().waiting();
    assert_eq!(world.report(funded("f1")), "Expected 0");
    assert_eq!(world.state(1), Awaiting);
}

/// A peer can let any number fail, and pays for none.
#[test]
fn lost_channels_do_not_grow_the_record_without_end() {
    let mut world = waiting();
    world.bench.is_thorough = false;
    for number in 0..1000 {
        let id = id_of(number);
        let temporary = format!("a{number}");
        world.report(proposed(&temporary));
        assert_eq!(
            world.report(formerly(&temporary, funded(&id))),
            "Expected 0"
        );
        world.close(Some(&id));
    }
    let record = world.bench.journal().records[&world.requests[0].to_string()].len();
    assert!(record < 64 * 1024, "{record} bytes");
    // The newest are known as its own, and an old one is taken for no new one.
    assert_eq!(world.report(funded(&id_of(999))), "Expected 0");
    for number in [0, 500] {
        assert_eq!(world.report(ready(&id_of(number))), "Unrequested");
    }
    assert_eq!(world.state(0), Awaiting);
}

#[test]
fn a_closing_without_an_id_is_of_the_one_proposal_or_a_concern() {
    let concern = ChannelConcern::ProposalFailed { reason: None };
    let mut world = waiting().reported(proposed("a1")).waiting();
    world.close(None);
    assert_eq!(
        (world.state(0), world.bench.shown()),
        (Awaiting, "!OpeningFailed".into())
    );
    // None stands, or more than one: it is a concern of whoever a proposal would go to.
    world.close(None);
    assert_eq!(
        world.bench.snapshot(world.requests[1]).concerns,
        std::slice::from_ref(&concern)
    );
    let mut world = waiting().reported(proposed("a1")).waiting();
    world.bench.accept(world.requests[1], Unannounced);
    let mut world = world.reported(proposed("a2"));
    world.close(None);
    assert_eq!(world.bench.snapshot(world.requests[1]).concerns, [concern]);
    assert_eq!((world.state(0), world.state(1)), (Opening, Opening));
    // Nobody waits.
    let mut world = waiting().cancel(0);
    world.close(None);
    assert_eq!(world.bench.shown(), "");
}

// ---- what the node had before ----

#[test]
fn a_channel_of_before_is_not_taken_for_the_new_one() {
    let mut world = World::new();
    world.bench.listed = vec!["0LD1".into(), "01d2".into()];
    let mut world = world.waiting();
    for channel in [
        funded("01D2"),
        ready("0ld1"),
        proposed("0ld1"),
        formerly("0ld1", funded("f1")),
    ] {
        assert_eq!(world.report(channel), "Unrequested");
    }
    world.bench.restart();
    assert_eq!(world.report(ready("01d2")), "Unrequested");
    assert_eq!(world.report(funded("f2")), "Expected 0");
    // A request that was asked before it came takes it.
    let mut world = waiting();
    world.bench.listed = vec!["f1".into()];
    let mut world = world.waiting();
    assert_eq!(world.report(funded("f1")), "Expected 0");
}

#[test]
fn what_the_node_has_is_asked_until_the_service_is() {
    let mut play = Play::at(Funded, "offered");
    play.bench.listed = vec!["01d1".into()];
    play.acts(&["accept", "node tells", "connect fails"]);
    play.bench.listed = vec!["01d1".into(), "01d2".into()];
    play.acts(&["accept", "node tells", "connected", "written", "ok"]);
    // `ask_again` does not: what came since the first ask may answer it.
    play.bench.listed = vec!["01d1".into(), "01d2".into(), "f1".into()];
    play.acts(&[
        "pause",
        "ask again",
        "node tells",
        "connected",
        "written",
        "ok",
    ]);
    assert_eq!(
        play.bench.report(ready("01d2")),
        ChannelVerdict::Unrequested
    );
    assert!(matches!(
        play.bench.report(funded("f1")),
        ChannelVerdict::Expected { .. }
    ));
}

/// Of more than 256, the ids are not kept: only a proposal can tell a new channel.
#[test]
fn of_too_many_channels_of_before_only_a_proposed_one_can_be_new() {
    let mut world = World::new();
    world.bench.listed = (0..257).map(id_of).collect();
    let mut world = world.waiting();
    for number in [0, 256, 1000] {
        assert_eq!(world.report(funded(&id_of(number))), "Unrequested");
    }
    assert_eq!(world.report(proposed("a1")), "Expected 0");
    assert_eq!(world.report(formerly("a1", funded("f1"))), "Expected 0");
    let mut world = World::new();
    world.bench.listed = (0..256).map(id_of).collect();
    let mut world = world.waiting();
    assert_eq!(world.report(funded(&id_of(255))), "Unrequested");
    assert_eq!(world.report(funded("f1")), "Expected 0");
}

// ---- memory ----

#[test]
fn of_three_hundred_channels_no_old_one_is_taken_for_a_new_one() {
    let mut world = World::new();
    world.bench.is_thorough = false;
    for number in 0..300 {
        assert_eq!(world.report(funded(&id_of(number))), "Unrequested");
    }
    let mut world = world.waiting();
    for number in 0..300 {
        assert_eq!(world.report(ready(&id_of(number))), "Unrequested");
    }
    world.bench.restart();
    for number in 0..301 {
        assert_eq!(world.report(ready(&id_of(number))), "Unrequested");
    }
    assert_eq!(world.state(0), Awaiting);
    // What a proposal announced is new.
    assert_eq!(world.report(proposed("a1")), "Expected 0");
    assert_eq!(world.report(formerly("a1", funded("f1"))), "Expected 0");
    // Another peer has room of its own.
    let stranger = from_peer(OTHER_PEER, funded("f1"));
    let writes = world.bench.writes();
    world.report(stranger);
    assert_eq!(world.bench.writes(), writes + 1);
}

#[test]
fn the_oldest_verdicts_of_peers_that_were_never_asked_go_first() {
    let mut world = waiting().reported(funded("f1"));
    assert_eq!(world.report(funded("f2")), "Duplicate 0");
    // All but one of 4,096 places are taken when the client is created.
    let strangers = node_ids(17);
    for (stranger, peer_id) in strangers[..16].iter().enumerate() {
        let ids = (0..256 - stranger / 15).map(|number| id_of(256 * stranger + number));
        let channels = ids.map(|channel_id| KnownChannel {
            channel_id,
            verdict: StoredVerdict::Unrequested,
        });
        let record = record::write_verdicts(peer_id, &channels.collect::<Vec<_>>());
        world
            .bench
            .journal()
            .records
            .insert(peer_id.clone(), record);
    }
    let oldest = from_peer(&strangers[0], funded(&id_of(0)));
    let newest = |number: usize| from_peer(&strangers[16], funded(&id_of(5000 + number)));
    world.bench.restart();
    let known = |world: &mut World, peer_id: &str| {
        let records = &world.bench.journal().records;
        records[peer_id].matches("channel_id").count()
    };
    for (number, left) in [(0, 255), (1, 254), (2, 253)] {
        world.report(newest(number));
        assert_eq!(known(&mut world, &strangers[0]), left);
        assert_eq!(known(&mut world, &strangers[16]), number + 1);
    }
    assert_eq!(known(&mut world, PEER), 1);
    // It is not known any more, and what is known of the peer that was asked stays.
    let writes = world.bench.writes();
    world.report(oldest);
    assert_eq!(world.bench.writes(), writes + 1);
    world.bench.restart();
    assert_eq!(world.report(funded("f2")), "Duplicate 0");
    assert_eq!(world.report(funded("f1")), "Expected 0");
}

/// Keys on the curve: those of the first numbers.
fn node_ids(count: u64) -> Vec<String> {
    let is_on_curve = |id: &String| crate::protocol::check_node_id(id).is_ok();
    (1..)
        .map(|x: u64| format!("02{x:064x}"))
        .filter(is_on_curve)
        .take(count as usize)
        .collect()
}

// ---- the ways in which the first edition was cheated ----

#[test]
fn a_temporary_id_used_again_is_judged_anew() {
    // After a cancel.
    let mut world = waiting().reported(proposed("a1")).cancel(0);
    assert_eq!(world.report(proposed("a1")), "Unwanted 0");
    // For the other visibility.
    let mut world = waiting().reported(unannounced(proposed("a1")));
    assert_eq!(world.report(announced(proposed("a1"))), "WrongVisibility 0");
    // Beside a channel.
    let mut world = waiting()
        .reported(proposed("a1"))
        .reported(formerly("a1", funded("f1")));
    assert_eq!(world.report(proposed("a1")), "Duplicate 0");
}

#[test]
fn of_fifty_proposals_that_are_all_funded_one_channel_is_expected() {
    let mut world = waiting();
    for number in 0..50 {
        world.report(proposed(&format!("a{number}")));
    }
    for round in 0..2 {
        let verdicts = (0..50).map(|number| {
            let channel = funded(&format!("f{number}"));
            world.report(formerly(&format!("a{number}"), channel))
        });
        let expected = verdicts.filter(|verdict| verdict == "Expected 0").count();
        assert_eq!(expected, 1, "round {round}");
    }
}

#[test]
fn a_thousand_proposals_write_nothing_and_displace_nothing() {
    let mut world = World::new().reported(funded("01d1")).waiting();
    let writes = world.bench.writes();
    let mut calls = 0;
    for number in 0..1000 {
        world.report(proposed(&format!("a{number}")));
        world.report(announced(proposed(&format!("b{number}"))));
        calls += world.bench.steps().len();
    }
    assert_eq!(world.bench.writes(), writes);
    assert!(calls < 10, "{calls} calls of the listener");
    assert_eq!(world.report(ready("01d1")), "Unrequested");
}

#[test]
fn an_honest_request_gets_its_channel_beside_an_older_one_that_waits_for_ever() {
    for is_running in [false, true] {
        let mut world = waiting();
        let old = world.requests[0];
        if is_running {
            world.bench.accept(old, Unannounced);
        }
        world.bench.advance(DAY);
        let mut world = world.running(Unannounced);
        assert_eq!(world.report(proposed("a1")), "Expected 1");
        assert_eq!(world.report(formerly("a1", funded("f1"))), "Expected 1");
        assert_eq!((world.state(0), world.state(1)), (Awaiting, Arrived));
    }
}

#[test]
fn ids_that_are_none_match_nothing_and_are_not_kept() {
    let huge = "a".repeat(100_000);
    let long = "a".repeat(129);
    for id in ["a\t", "a\u{e9}", "a\n", "\u{7f}", &long, &huge] {
        for stage in [
            ChannelStage::Proposed,
            ChannelStage::Funded,
            ChannelStage::Ready,
        ] {
            let mut world = waiting();
            let (writes, size) = (world.bench.writes(), size(&mut world.bench));
            for channel in [channel(stage, id), formerly(id, channel(stage, "f1"))] {
                assert_eq!(world.report(channel), "Unrequested");
                assert_eq!(world.bench.shown(), "");
            }
            world.close(Some(id));
            assert_eq!(world.bench.shown(), "");
            assert_eq!(
                (world.bench.writes(), self::size(&mut world.bench)),
                (writes, size)
            );
        }
    }
    // Empty means none, which a funded channel cannot have, and which equals no other.
    let mut world = waiting().reported(proposed("")).waiting();
    for stage in [ChannelStage::Funded, ChannelStage::Ready] {
        assert_eq!(world.report(channel(stage, "")), "Unrequested");
    }
    assert_eq!(world.report(formerly("", funded("f1"))), "Expected 0");
    assert_eq!(world.report(proposed("")), "Expected 1");
}

#[test]
fn a_peer_that_is_no_key_is_nobody() {
    let off_curve = format!("02{}", "ff".repeat(32));
    for peer_id in ["", "02ab", &off_curve, &"a".repeat(100_000)] {
        let mut world = waiting();
        for channel in [proposed("a1"), funded("f1")] {
            assert_eq!(world.report(from_peer(peer_id, channel)), "Unrequested");
        }
        world.bench.feed(Input::PeerConnection {
            peer_id: peer_id.into(),
            is_connected: false,
        });
        assert_eq!(world.bench.shown(), "");
        assert_eq!(world.bench.journal().records.len(), 1);
    }
}

/// A funded announced channel is not what the user asked for, though it is there.
#[test]
fn a_funded_announced_channel_is_not_expected_where_an_unannounced_one_was_asked_for() {
    assert_eq!(
        waiting().report(announced(funded("f1"))),
        "WrongVisibility 0"
    );
}

fn size(bench: &mut Bench) -> usize {
    bench.journal().records.values().map(String::len).sum()
}
