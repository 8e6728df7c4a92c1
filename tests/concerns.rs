//! What stands in the way of a channel, as far as is known (5c).

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::sync::atomic::{AtomicBool, Ordering};

use lnurl_channel::{
    ChannelConcern, ChannelRequestState, ChannelVisibility, ClientConfig, IncomingChannel,
    LnurlChannelError, NodeProblem,
};
use lnurl_channel_testbed::{Habit, Testbed};

use support::listener::Listener;
use support::plain::{PlainNode, PlainScene, PlainWallet};
use support::scene::{
    accept, habits, hasty_config, patient_config, start, start_waiting_on, state, wait_for_state,
    wait_until,
};

use ChannelVisibility::Unannounced;

fn failed(reason: impl Into<String>) -> ChannelConcern {
    ChannelConcern::ProposalFailed {
        reason: Some(reason.into()),
    }
}

#[test]
fn the_nodes_failure_is_a_concern_until_the_next_call_begins() {
    let fails = AtomicBool::new(true);
    let node = PlainNode {
        connect: Box::new(move |_| Ok(!fails.swap(false, Ordering::SeqCst))),
        ..PlainNode::default()
    };
    let scene = PlainScene::new(node, habits(&[Habit::OkAndNeverOpens]));
    accept(&scene.request).unwrap_err();
    let problem = NodeProblem::NotConnected;
    let concern = ChannelConcern::NodeFailed { problem };
    assert_eq!(scene.request.snapshot().concerns, [concern]);
    let call = start_waiting_on(&scene.request);
    assert_eq!(scene.request.snapshot().concerns, []);
    scene.request.pause();
    call.end().unwrap_err();
}

#[test]
fn what_is_known_when_the_time_is_over_comes_with_the_error_and_in_a_sentence() {
    let (node, listener) = (PlainNode::default(), Listener::default());
    let wallet = PlainWallet::with(node, listener, |testbed| ClientConfig {
        channel_timeout_seconds: 2,
        ..hasty_config(testbed)
    });
    let request = wallet.waiting(Unannounced);
    let call = start_waiting_on(&request);
    wallet.report(IncomingChannel {
        is_announced: Some(true),
        ..wallet.channel(lnurl_channel::ChannelStage::Proposed, "01")
    });
    wallet.propose("02");
    let reason = Some("the peer wants too large a reserve".to_owned());
    wallet
        .client
        .report_channel_closed(wallet.peer(), Some("02".into()), reason);
    let Err(LnurlChannelError::NoChannel {
        service_agreed: true,
        concerns,
        reason,
    }) = call.end()
    else {
        panic!("another end");
    };
    let expected = [
        ChannelConcern::OtherVisibilityProposed,
        failed("the peer wants too large a reserve"),
    ];
    assert_eq!(concerns, expected);
    assert_eq!(request.snapshot().concerns, expected);
    assert!(reason.contains("too large a reserve"), "{reason}");
}

#[test]
fn concerns_are_those_since_the_service_was_asked_last() {
    let wallet = PlainWallet::default();
    let request = wallet.waiting(Unannounced);
    wallet.propose("01");
    wallet.close("01");
    assert_eq!(request.snapshot().concerns.len(), 1);
    let asked = request.clone();
    let call = start(async move { asked.ask_again(Unannounced).await });
    wallet.wait_for_callbacks(2);
    wait_until("it is asked again", || {
        request.snapshot().concerns.is_empty() && state(&request) == ChannelRequestState::Awaiting
    });
    request.pause();
    call.end().unwrap_err();
}

#[test]
fn there_are_at_most_sixteen_concerns_and_none_twice() {
    let wallet = PlainWallet::default();
    let request = wallet.waiting(Unannounced);
    for number in 0..100 {
        for _ in 0..2 {
            let reason = Some(format!("for the {number}th reason"));
            wallet
                .client
                .report_channel_closed(wallet.peer(), None, reason);
        }
        let concerns = request.snapshot().concerns;
        assert!(concerns.len() <= 16, "{concerns:?}");
        let distinct: std::collections::HashSet<_> = concerns.iter().collect();
        assert_eq!(distinct.len(), concerns.len());
    }
}

/// It may quote the peer.
#[test]
fn a_nodes_reason_is_cleaned_and_tells_no_secret() {
    let scene = PlainScene::new(PlainNode::default(), habits(&[Habit::OkAndNeverOpens]));
    let call = start_waiting_on(&scene.request);
    wait_for_state(&scene.request, ChannelRequestState::Awaiting);
    let reason = format!("the peer\u{202e} says\u{7} {}", scene.offer.k1);
    let wallet = &scene.wallet;
    wallet
        .client
        .report_channel_closed(wallet.peer(), None, Some(reason));
    let concerns = scene.request.snapshot().concerns;
    assert_eq!(concerns, [failed("the peer says …")]);
    let long = Some("x".repeat(100 * 1024));
    wallet
        .client
        .report_channel_closed(wallet.peer(), None, long);
    let shown = format!("{:?}", scene.request.snapshot());
    assert!(shown.len() < 4096, "{} characters", shown.len());
    scene.request.pause();
    call.end().unwrap_err();
}

#[test]
fn an_unclear_answer_is_remembered_across_a_restart_and_other_concerns_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let config = |testbed: &Testbed| ClientConfig {
        storage_dir: Some(folder.path().to_str().unwrap().to_owned()),
        ..patient_config(testbed)
    };
    let wallet = PlainWallet::with(PlainNode::default(), Listener::default(), config);
    let request = wallet.offered(habits(&[Habit::ErrorAsDetail]));
    let call = start_waiting_on(&request);
    wait_for_state(&request, ChannelRequestState::OutcomeUnknown);
    wallet.propose("01");
    wallet.close("01");
    let words = Some("the offer has expired".to_owned());
    let unclear = ChannelConcern::AnswerUnclear { words };
    let both = [unclear.clone(), failed("the node says so")];
    assert_eq!(request.snapshot().concerns, both);
    request.pause();
    call.end().unwrap_err();

    let restarted = config(&wallet.testbed);
    let wallet = wallet.restart(restarted);
    let [kept] = wallet.client.requests().try_into().unwrap();
    let kept: lnurl_channel::ChannelRequestSnapshot = kept;
    assert_eq!(kept.state, ChannelRequestState::OutcomeUnknown);
    assert_eq!(kept.concerns, [unclear]);
}
