//! What a receipt tells (8).

use serde_json::{Value, json};

use super::bench::Bench;
use super::play::Play;
use super::samples::*;
use crate::protocol::ChannelKind::Funded;
use crate::protocol::ChannelVisibility::Unannounced;
use crate::*;

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The events in short: the name, and what stands beside it.
fn events(receipt: &Value) -> Vec<String> {
    let events = receipt["events"].as_array().unwrap().iter();
    let word = |event: &Value, key: &str| event[key].as_str().map(|word| format!(" {word}"));
    let shown = events.map(|event| {
        let name = event["event"].as_str().unwrap();
        let detail = word(event, "detail").unwrap_or_default();
        let verdict = word(event, "verdict").unwrap_or_default();
        format!("{name}{detail}{verdict}")
    });
    shown.collect()
}

#[test]
fn it_tells_each_step_to_the_channel_that_can_be_used() {
    let mut bench = Bench::new();
    let request = bench.offer(Funded, 1);
    bench.agreed(request, Unannounced);
    bench.report(proposed("aa"));
    bench.advance(MINUTE / 6);
    bench.report(formerly("aa", ready("ff")));
    let receipt = read(&bench.receipt(request));
    assert_eq!(
        events(&receipt),
        [
            "Accepted",
            "Connecting",
            "PeerConnected",
            "Requesting Unannounced",
            "Agreed",
            "Proposed aa",
            "Arrived ff Expected",
            "Ready ff Expected",
        ]
    );
    assert_eq!(receipt["state"], "Ready");
    assert_eq!(receipt["channel"]["channel_id"], "ff");
    assert_eq!(receipt["events"][0]["at_seconds"], START_MILLIS / 1000);
    assert_eq!(receipt["events"][7]["at_seconds"], START_MILLIS / 1000 + 10);
    // A restart does not forget it.
    bench.restart();
    assert_eq!(read(&bench.receipt(request))["events"], receipt["events"]);
}

#[test]
fn it_tells_what_went_wrong() {
    for (acts, expected) in [
        (
            &["accept", "node fails"][..],
            &["Accepted", "Connecting", "CallEnded NodeFailed"][..],
        ),
        (
            &["accept", "node tells", "connected", "written", "error"],
            &[
                "Accepted",
                "Connecting",
                "PeerConnected",
                "Requesting Unannounced",
                "Refused",
                "CallEnded Refused",
            ],
        ),
        (
            &[
                "accept",
                "node tells",
                "connected",
                "written",
                "lost",
                "pause",
            ],
            &[
                "Accepted",
                "Connecting",
                "PeerConnected",
                "Requesting Unannounced",
                "AnswerUnclear",
                "CallEnded Cancelled",
            ],
        ),
        (
            &[
                "accept",
                "node tells",
                "connected",
                "written",
                "ok",
                "funded",
                "closed",
                "cancel",
            ],
            &[
                "Accepted",
                "Connecting",
                "PeerConnected",
                "Requesting Unannounced",
                "Agreed",
                "Arrived ff Expected",
                "OpeningFailed ff",
                "Cancelled",
            ],
        ),
        // An end is told once, whatever changes of the request after it.
        (
            &[
                "accept",
                "node tells",
                "connected",
                "written",
                "error",
                "dismiss",
                "proposed",
                "proposal fails",
                "cancel",
                "dismiss",
            ],
            &[
                "Accepted",
                "Connecting",
                "PeerConnected",
                "Requesting Unannounced",
                "Refused",
                "CallEnded Refused",
                "Proposed aa",
                "OpeningFailed aa",
                "Cancelled",
            ],
        ),
    ] {
        let mut play = Play::new(Funded);
        play.acts(acts);
        let receipt = read(&play.bench.receipt(play.request));
        assert_eq!(events(&receipt), expected, "{acts:?}");
    }
}

#[test]
fn a_wait_of_weeks_is_told_by_its_beginning_and_its_end() {
    let mut play = Play::at(Funded, "awaiting");
    for _ in 0..100 {
        play.acts(&["disconnected", "connected"]);
    }
    let receipt = play.bench.receipt(play.request);
    assert!(receipt.len() < 64 * 1024, "{}", receipt.len());
    let told = events(&read(&receipt));
    assert_eq!(told.len(), 65);
    assert_eq!(told[..2], ["Accepted", "Connecting"]);
    assert_eq!(told[16], "LeftOut 241");
    assert_eq!(told[64], "PeerConnected");
    play.bench.restart();
    let after = play.bench.receipt(play.request);
    assert!(events(&read(&after)).len() <= 65);
}

/// Up to 64 events.
#[test]
fn a_wait_of_minutes_is_told_whole() {
    let mut play = Play::at(Funded, "awaiting");
    for _ in 0..19 {
        play.acts(&["disconnected", "connected"]);
    }
    let told = events(&read(&play.bench.receipt(play.request)));
    assert_eq!(told.len(), 62);
    assert_eq!(told[..2], ["Accepted", "Connecting"]);
    let rounds = told[5..].chunks(3);
    let round = ["PeerDisconnected", "Reconnecting", "PeerConnected"];
    assert!(rounds.into_iter().all(|told| told == round), "{told:?}");
}

#[test]
fn confirmations_that_follow_each_other_are_one_event() {
    let mut play = Play::at(Funded, "arrived");
    let confirmed = |confirmations| IncomingChannel {
        confirmations: Some(confirmations),
        ..formerly("aa", funded("ff"))
    };
    for confirmations in 1..4 {
        play.bench.report(confirmed(confirmations));
    }
    play.acts(&["disconnected", "reported connected"]);
    play.bench.report(confirmed(4));
    play.act("ready");
    let told = events(&read(&play.bench.receipt(play.request)));
    assert_eq!(
        told[5..],
        [
            "Arrived ff Expected",
            "Progressed ff",
            "PeerDisconnected",
            "PeerConnected",
            "Progressed ff",
            "Ready ff Expected",
        ]
    );
}

#[test]
fn an_offer_that_nobody_accepted_has_no_history() {
    let mut play = Play::new(Funded);
    play.acts(&["reported connected"]);
    let receipt = read(&play.bench.receipt(play.request));
    assert_eq!(receipt["events"], json!([]));
    assert_eq!(receipt["state"], "Offered");
}

#[test]
fn a_receipt_holds_no_secret_and_no_key_of_the_wallet() {
    for place in super::play::FUNDED_PLACES {
        let play = Play::at(Funded, place.0);
        let snapshot = play.snapshot();
        let history = &play
            .bench
            .client
            .all_requests()
            .next()
            .unwrap()
            .record
            .history;
        let text = receipt(snapshot, history);
        for secret in ["hush", "unsaid", "5ec7e7", OWN, "https://"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
}

#[test]
fn a_service_that_repeats_the_wallets_key_puts_it_nowhere() {
    for answer in [
        format!(r#"{{"status":"ERROR","reason":"node {OWN} is not connected"}}"#),
        format!("<html>Cannot GET /cb?remoteid={OWN}</html>"),
    ] {
        let mut bench = Bench::new();
        let request = bench.offer(Funded, 1);
        bench.asked(request, Unannounced);
        bench.answered(request, &answer);
        let shown = format!("{:?}{}", bench.snapshot(request), bench.receipt(request));
        assert!(!shown.contains(OWN), "{shown}");
        bench.restart();
        let shown = format!("{:?}{}", bench.snapshot(request), bench.receipt(request));
        assert!(!shown.contains(OWN), "{shown}");
    }
}

#[test]
fn a_peer_that_was_connected_before_is_told_from_the_beginning() {
    let mut play = Play::new(Funded);
    play.acts(&[
        "reported connected",
        "accept",
        "node tells",
        "connected",
        "written",
        "ok",
    ]);
    let receipt = read(&play.bench.receipt(play.request));
    assert_eq!(
        events(&receipt)[..3],
        ["Accepted", "Connecting", "PeerConnected"]
    );
}
