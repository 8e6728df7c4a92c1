//! Funded channels (LUD-02), from the first GET to the channel, habit by habit.

use crate::client::{LONG, Scene, connect_nodes, next_event};
use lnurl_channel_testbed::{Habit, NodeEvent, OfferOptions, OpenChannel};
use std::thread;
use std::time::Duration;

#[test]
fn opens_an_unannounced_channel_that_becomes_ready() {
    let scene = Scene::new(OfferOptions {
        capacity_sat: 250_000,
        push_msat: 7_000,
        ..Default::default()
    });
    let offer = scene.fetch().json();
    assert_eq!(offer["tag"], "channelRequest");
    assert_eq!(offer["uri"], scene.testbed.target().uri());
    assert_eq!(offer["k1"], scene.offer.k1);

    assert!(scene.call_back("private=1").unwrap().is_ok());
    let proposal = scene.wallet_event();
    let NodeEvent::OpenChannelRequest {
        peer_id,
        channel_id,
        capacity_sat: 250_000,
        push_msat: 7_000,
        is_announced: false,
        is_zero_conf: false,
    } = proposal
    else {
        panic!("{proposal:?}");
    };
    assert_eq!(peer_id, scene.testbed.target().id());
    let accepted = scene.testbed.wallet().accept_channel(&peer_id, &channel_id);
    accepted.unwrap();
    scene.expect_pending(channel_id);
    let pending = next_event(&scene.testbed.target(), LONG);
    assert!(matches!(pending, Some(NodeEvent::ChannelPending { .. })));

    scene.testbed.mine(6);
    assert!(matches!(
        scene.wallet_event(),
        NodeEvent::ChannelReady { .. }
    ));
}

#[test]
fn announces_what_is_not_private() {
    let scene = Scene::new(OfferOptions::default());
    assert!(scene.call_back("private=0").unwrap().is_ok());
    assert!(scene.proposal().2);
}

#[test]
fn refuses_what_lud_02_does_not_allow() {
    let scene = Scene::new(OfferOptions::default());
    for (parameters, reason) in [
        ("", "private is missing"),
        ("private=2", "private is neither 0 nor 1"),
        ("private=1&k1=x", "k1 comes twice"),
    ] {
        let answer = scene.call_back(parameters).unwrap();
        assert_eq!((answer.status, answer.reason().as_str()), (400, reason));
    }
    let upper_case = scene.testbed.wallet().id().to_uppercase();
    let url = scene.callback_url("private=1");
    let url = url.replace(&scene.testbed.wallet().id(), &upper_case);
    assert_eq!(scene.client.get(&url).unwrap().status, 400);
    let url = scene.callback_url("private=1");
    let url = url.replace(&scene.offer.k1, "another");
    assert_eq!(scene.client.get(&url).unwrap().reason(), "unknown k1");
    scene.expect_no_proposal();
}

#[test]
fn refuses_a_wallet_that_is_not_connected() {
    let scene = Scene::new(OfferOptions::default());
    let (wallet, target) = (scene.testbed.wallet(), scene.testbed.target());
    wallet.disconnect(&target.id());
    let gone = next_event(&target, LONG);
    assert!(matches!(gone, Some(NodeEvent::PeerDisconnected { .. })));
    assert_eq!(scene.call_back("private=1").unwrap().status, 400);
}

#[test]
fn takes_k1_once_unless_the_channel_fails() {
    let scene = Scene::with(Habit::AnswersAfterNegotiation);
    let first = scene.callback_url("private=1");
    thread::scope(|scope| {
        let answer = scope.spawn(|| scene.client.get(&first).unwrap());
        let with_anchors = scene.reject_proposal();
        let without = scene.reject_proposal();
        assert_eq!(with_anchors, without);
        assert_eq!(answer.join().unwrap().status, 500);
    });
    thread::scope(|scope| {
        let answer = scope.spawn(|| scene.client.get(&first).unwrap());
        let channel_id = scene.accept_proposal();
        scene.expect_pending(channel_id);
        assert!(answer.join().unwrap().is_ok());
    });
    assert_eq!(scene.client.get(&first).unwrap().reason(), "k1 was used");
}

#[test]
fn negotiation_that_takes_too_long_is_http_500() {
    let scene = Scene::new(OfferOptions {
        habits: vec![Habit::AnswersAfterNegotiation],
        negotiation_timeout: Duration::from_millis(50),
        ..Default::default()
    });
    assert_eq!(scene.call_back("private=1").unwrap().status, 500);
}

#[test]
fn cancel_withdraws_the_proposal() {
    let scene = Scene::new(OfferOptions::default());
    assert!(scene.call_back("private=1").unwrap().is_ok());
    scene.proposal();
    assert!(scene.call_back("cancel=1").unwrap().is_ok());
    let target = next_event(&scene.testbed.target(), LONG);
    assert!(matches!(target, Some(NodeEvent::ChannelClosed { .. })));
    let answer = scene.call_back("private=1").unwrap();
    assert_eq!(answer.reason(), "the offer was cancelled");
}

#[test]
fn ignored_cancel_leaves_the_proposal() {
    let scene = Scene::with(Habit::IgnoresCancel);
    assert!(scene.call_back("private=1").unwrap().is_ok());
    assert!(scene.call_back("cancel=1").unwrap().is_ok());
    let channel_id = scene.accept_proposal();
    scene.expect_pending(channel_id);
}

#[test]
fn reads_private_cancel_as_accept() {
    let scene = Scene::with(Habit::ReadsPrivateCancelAsAccept);
    assert_eq!(scene.call_back("cancel=1").unwrap().status, 400);
    assert!(scene.call_back("private=0&cancel=1").unwrap().is_ok());
    assert!(scene.proposal().2);
}

#[test]
fn ok_is_no_promise() {
    for habit in [Habit::OkAndNeverOpens, Habit::OkAfterFailedOpen] {
        let scene = Scene::with(habit);
        assert!(scene.call_back("private=1").unwrap().is_ok());
        assert!(scene.call_back("private=1").unwrap().is_ok(), "{habit}");
        scene.expect_no_proposal();
    }
}

#[test]
fn opens_before_it_answers() {
    let scene = Scene::with(Habit::OpensBeforeAnswer);
    let url = scene.callback_url("private=1");
    thread::scope(|scope| {
        let answer = scope.spawn(|| scene.client.get(&url).unwrap());
        let channel_id = scene.accept_proposal();
        assert!(answer.join().unwrap().is_ok());
        scene.expect_pending(channel_id);
    });
}

#[test]
fn callbacks_come_in_every_shape() {
    let callback = |habit| {
        let scene = Scene::with(habit);
        let offer = scene.fetch().json();
        (scene, offer["callback"].as_str().unwrap().to_owned())
    };
    let (_scene, relative) = callback(Habit::RelativeCallback);
    assert!(relative.starts_with("/callback/"));
    let (scene, with_k1) = callback(Habit::K1InCallbackQuery);
    assert!(with_k1.ends_with(&format!("?k1={}", scene.offer.k1)));
    let twice = scene.call_back("private=1").unwrap();
    assert_eq!(twice.reason(), "k1 comes twice");
    let (scene, elsewhere) = callback(Habit::CallbackOnAnotherHost);
    assert!(elsewhere.starts_with("https://127.0.0.1:"));
    assert!(scene.call_back("private=1").unwrap().is_ok());
}

#[test]
fn a_signed_callback_stays_as_it_is() {
    let scene = Scene::with(Habit::SignedCallback);
    let url = scene.callback_url("private=1");
    let touched = url.replace("%2F", "/");
    assert_eq!(scene.client.get(&touched).unwrap().status, 400);
    assert!(scene.client.get(&url).unwrap().is_ok());
}

#[test]
fn k1_may_be_no_secret_or_new_each_time() {
    let scene = Scene::with(Habit::K1None);
    assert_eq!(scene.fetch().json()["k1"], "none");
    assert!(scene.call_back("private=1").unwrap().is_ok());

    let scene = Scene::with(Habit::NewK1PerGet);
    let first = scene.callback_url("private=1");
    assert_ne!(scene.fetch().json()["k1"], scene.offer.k1);
    assert!(scene.client.get(&first).unwrap().is_ok());
}

#[test]
fn drops_the_connection_and_opens_anew() {
    let scene = Scene::with(Habit::DropsConnectionBeforeFunding);
    assert!(scene.call_back("private=1").unwrap().is_ok());
    let first = scene.accept_proposal();
    let (wallet, target) = (scene.testbed.wallet(), scene.testbed.target());
    let mut events = [scene.wallet_event(), scene.wallet_event()];
    events.sort_by_key(|event| matches!(event, NodeEvent::PeerDisconnected { .. }));
    assert!(
        matches!(&events[0], NodeEvent::ChannelClosed { .. }),
        "{events:?}"
    );
    assert!(
        matches!(&events[1], NodeEvent::PeerDisconnected { .. }),
        "{events:?}"
    );
    assert!(connect_nodes(&wallet, &target));
    let second = scene.accept_proposal();
    assert_ne!(first, second);
    scene.expect_pending(second);
}

#[test]
fn proposes_five_channels_and_funds_none() {
    let scene = Scene::with(Habit::ProposalsDieSilently);
    assert!(scene.call_back("private=1").unwrap().is_ok());
    // LDK itself turns the fifth down: it holds four that are not funded.
    let mut ids: Vec<String> = (0..4).map(|_| scene.accept_proposal()).collect();
    let target = scene.testbed.target();
    let closed = next_event(&target, LONG);
    assert!(
        matches!(closed, Some(NodeEvent::ChannelClosed { .. })),
        "{closed:?}"
    );
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
    scene.expect_no_proposal();
}

#[test]
fn uses_one_temporary_id_for_two_channels() {
    let scene = Scene::new(OfferOptions {
        habits: vec![Habit::ReusesTemporaryId, Habit::OpensTwice],
        ..Default::default()
    });
    assert!(scene.call_back("private=1").unwrap().is_ok());
    let first = scene.accept_proposal();
    scene.expect_pending(first.clone());
    assert_eq!(scene.accept_proposal(), first);
    scene.expect_pending(first);
}

#[test]
fn closes_a_channel_that_is_not_ready_and_opens_another() {
    let scene = Scene::with(Habit::ClosesBeforeReady);
    assert!(scene.call_back("private=1").unwrap().is_ok());
    let first = scene.accept_proposal();
    scene.expect_pending(first);
    let closed = scene.wallet_event();
    assert!(
        matches!(closed, NodeEvent::ChannelClosed { .. }),
        "{closed:?}"
    );
    let second = scene.accept_proposal();
    scene.expect_pending(second);
}

#[test]
fn opens_twice() {
    let scene = Scene::with(Habit::OpensTwice);
    assert!(scene.call_back("private=1").unwrap().is_ok());
    for _ in 0..2 {
        let channel_id = scene.accept_proposal();
        scene.expect_pending(channel_id);
    }
}

#[test]
fn another_peer_opens() {
    let scene = Scene::with(Habit::AnotherPeerOpens);
    assert!(scene.call_back("private=1").unwrap().is_ok());
    assert_eq!(scene.proposal().0, scene.testbed.stranger().id());
}

#[test]
fn opens_announced() {
    let scene = Scene::with(Habit::OpensAnnounced);
    assert!(scene.call_back("private=1").unwrap().is_ok());
    assert!(scene.proposal().2);
}

#[test]
fn nodes_open_channels_without_a_service() {
    let scene = Scene::new(OfferOptions::default());
    let opening = scene.testbed.target().open_channel(OpenChannel {
        peer_id: scene.testbed.wallet().id(),
        capacity_sat: 50_000,
        push_msat: 0,
        announced: false,
    });
    let opening = opening.unwrap();
    let channel_id = scene.accept_proposal();
    assert_eq!(channel_id, opening.temporary_channel_id());
    let funded = opening.wait_until_funded(LONG).unwrap();
    assert_ne!(funded, channel_id);
    scene.expect_pending(channel_id);
}
