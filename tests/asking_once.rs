//! `accept` asks once, whatever happens (5a.8). Only `ask_again` asks a second time.

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use lnurl_channel::{
    ChannelConcern, ChannelOutcome, ChannelRequest, ChannelRequestState, ChannelStep,
    ChannelVerdict, ChannelVisibility, LnurlChannelError,
};
use lnurl_channel_testbed::Habit;

use support::block_on;
use support::listener::Listener;
use support::plain::{Gate, PlainNode, PlainScene, PlainWallet, Stage};
use support::scene::{
    CallResult, Running, accept, ask_again, funded_channel, habits, hasty_config, start,
    start_accept, start_waiting_on, state, wait_for_state, wait_until,
};

use ChannelVisibility::{Announced, Unannounced};

fn wrong<T>(state: ChannelRequestState) -> Result<T, LnurlChannelError> {
    Err(LnurlChannelError::WrongState { state })
}

/// Pause until these calls, which may only be beginning, have ended.
fn pause_all(request: &ChannelRequest, calls: impl IntoIterator<Item = Running<CallResult>>) {
    for call in calls {
        wait_until("the call is paused", || {
            request.pause();
            !call.runs()
        });
    }
}

/// A request that may be asked for again, whose call only waits on.
fn assert_waits_on(scene: &PlainScene) {
    let call = start_waiting_on(&scene.request);
    scene.request.pause();
    assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    assert_eq!(scene.callbacks(), [scene.accept_target()]);
}

// ---- accept, twice ----

/// The service never opens, and each stage is reached and left by every way that does not end it.
#[test]
fn accept_twice_in_any_state_is_one_callback() {
    for stage in Stage::ALL {
        // While the first call runs.
        let (scene, call) = PlainScene::at(stage);
        let second = start_accept(&scene.request);
        scene.gate.open();
        scene.wallet.wait_for_callbacks(1);
        // Once it was paused, a second and a third time.
        pause_all(&scene.request, [call, second]);
        for _ in 0..2 {
            assert_waits_on(&scene);
        }
    }
}

#[test]
fn accept_after_the_time_is_over_is_one_callback() {
    for habit in [
        Habit::OkAndNeverOpens,
        Habit::SilentCallback,
        Habit::HtmlFromGateway,
    ] {
        let scene = PlainScene::with(PlainNode::default(), habits(&[habit]), hasty_config);
        for _ in 0..3 {
            let result = accept(&scene.request);
            let is_over = matches!(result, Err(LnurlChannelError::NoChannel { .. }));
            assert!(is_over, "{habit}: {result:?}");
        }
        assert_eq!(scene.callbacks().len(), 1, "{habit}");
    }
}

#[test]
fn accept_while_a_channel_opens_is_one_callback() {
    let (scene, call) = PlainScene::at(Stage::Awaiting);
    scene.wallet.propose("01");
    let second = start_accept(&scene.request);
    pause_all(&scene.request, [call, second]);
    assert_eq!(state(&scene.request), ChannelRequestState::Opening);
    assert_waits_on(&scene);
    let third = start_waiting_on(&scene.request);
    scene.wallet.fund("01");
    funded_channel(third.end());
    assert_eq!(scene.callbacks().len(), 1);
}

#[test]
fn accept_after_the_end_gives_the_same_end_at_once() {
    let wallet = PlainWallet::default();
    let (request, call) = wallet.running(Unannounced);
    wallet.fund("01");
    let outcome = call.end();
    assert!(outcome.is_ok());
    assert_eq!(accept(&request), outcome);
    wallet.ready("01");
    let Ok(ChannelOutcome::Funded { channel }) = accept(&request) else {
        panic!("not a channel");
    };
    assert_eq!(channel, request.snapshot().channel.unwrap());

    let refused = wallet.refused();
    let words = refused.snapshot().refusal;
    assert!(words.is_some());
    assert_eq!(accept(&refused), Err(LnurlChannelError::Refused { words }));
    let cancelled = wallet.cancelled();
    assert_eq!(accept(&cancelled), Err(LnurlChannelError::Cancelled));
    // One each, and the cancel.
    assert_eq!(wallet.callbacks().len(), 4);
}

#[test]
fn a_future_that_is_dropped_and_accept_once_more_are_one_callback() {
    for stage in Stage::ALL {
        let scene = PlainScene::at_dropped(stage);
        scene.gate.open();
        let call = start_waiting_on(&scene.request);
        scene.wallet.wait_for_callbacks(1);
        scene.request.pause();
        call.end().unwrap_err();
        assert_eq!(scene.callbacks(), [scene.accept_target()], "{stage:?}");
    }
}

#[test]
fn visibility_counts_only_when_it_asks() {
    let (scene, call) = PlainScene::at(Stage::Awaiting);
    let request = scene.request.clone();
    let joined = start(async move { request.accept(Announced).await });
    pause_all(&scene.request, [call, joined]);
    let request = scene.request.clone();
    let later = start(async move { request.accept(Announced).await });
    wait_until("the call runs", || scene.request.snapshot().is_running);
    assert_eq!(scene.request.snapshot().visibility, Some(Unannounced));
    pause_all(&scene.request, [later]);
    assert_eq!(scene.callbacks(), [scene.accept_target()]);
}

// ---- a channel that fails before it is funded ----

#[test]
fn a_proposal_that_fails_does_not_end_accept_and_the_next_one_arrives() {
    let (scene, call) = PlainScene::at(Stage::Awaiting);
    let (wallet, request) = (&scene.wallet, &scene.request);
    wallet.propose("01");
    assert_eq!(state(request), ChannelRequestState::Opening);
    assert_eq!(
        request.snapshot().channel,
        Some(wallet.channel(lnurl_channel::ChannelStage::Proposed, "01"))
    );
    wallet.close("01");
    let snapshot = request.snapshot();
    assert_eq!(snapshot.state, ChannelRequestState::Awaiting);
    assert_eq!(snapshot.channel, None);
    let reason = Some("the node says so".to_owned());
    assert_eq!(
        snapshot.concerns,
        [ChannelConcern::ProposalFailed { reason }]
    );
    wallet.listener.wait_for(ChannelStep::OpeningFailed, 1);
    assert!(call.runs());

    let request_id = request.request_id();
    assert_eq!(
        wallet.propose("02"),
        ChannelVerdict::Expected { request_id }
    );
    wallet.fund("02");
    assert_eq!(funded_channel(call.end()).channel_id.as_deref(), Some("02"));
    wallet.listener.wait_for(ChannelStep::Arrived, 1);
    use ChannelStep::{Agreed, Arrived, Connecting, OpeningFailed, Proposed, Requesting};
    let expected = [
        Connecting,
        Requesting,
        Agreed,
        Proposed,
        OpeningFailed,
        Proposed,
        Arrived,
    ];
    assert_eq!(wallet.listener.steps(), expected);
    assert_eq!(scene.callbacks().len(), 1);
}

#[test]
fn a_lost_connection_ends_a_proposal() {
    let (scene, call) = PlainScene::at(Stage::Awaiting);
    scene.wallet.propose("01");
    scene.wallet.lose_peer();
    assert_eq!(state(&scene.request), ChannelRequestState::Awaiting);
    scene
        .wallet
        .listener
        .wait_for(ChannelStep::OpeningFailed, 1);
    scene.fund("02");
    funded_channel(call.end());
}

// ---- asking again ----

#[test]
fn only_ask_again_asks_again_and_only_while_the_request_waits() {
    let wallet = PlainWallet::default();
    let asks = |request: &std::sync::Arc<ChannelRequest>, visibility| {
        let asked = request.clone();
        let call = start(async move { asked.ask_again(visibility).await });
        let before = wallet.callbacks().len();
        wallet.wait_for_callbacks(before + 1);
        request.pause();
        call.end().unwrap_err();
    };
    let waiting = wallet.waiting(Unannounced);
    asks(&waiting, Unannounced);
    asks(&waiting, Announced);
    let callbacks = wallet.callbacks();
    assert_eq!(callbacks.len(), 3);
    assert_eq!(callbacks[0], callbacks[1]);
    assert_eq!(callbacks[2], callbacks[0].replace("private=1", "private=0"));
    assert_eq!(waiting.snapshot().visibility, Some(Announced));

    let offered = wallet.offered(habits(&[]));
    assert_eq!(ask_again(&offered), wrong(ChannelRequestState::Offered));
    let (running, call) = wallet.running(Unannounced);
    assert_eq!(ask_again(&running), wrong(ChannelRequestState::Awaiting));
    wallet.propose("01");
    running.pause();
    call.end().unwrap_err();
    assert_eq!(ask_again(&running), wrong(ChannelRequestState::Opening));
    wallet.fund("01");
    assert_eq!(ask_again(&running), wrong(ChannelRequestState::Arrived));
    wallet.ready("01");
    assert_eq!(ask_again(&running), wrong(ChannelRequestState::Ready));
    let refused = wallet.refused();
    assert_eq!(ask_again(&refused), wrong(ChannelRequestState::Refused));
    let cancelled = wallet.cancelled();
    assert_eq!(ask_again(&cancelled), wrong(ChannelRequestState::Cancelled));
}

#[test]
fn ask_again_asks_nobody_if_a_channel_comes_while_it_connects() {
    for funds in [false, true] {
        let gate = Gate::default();
        let held_up = gate.clone();
        let connects = std::sync::atomic::AtomicUsize::new(0);
        let node = PlainNode {
            connect: Box::new(move |_| {
                if connects.fetch_add(1, std::sync::atomic::Ordering::SeqCst) > 0 {
                    held_up.pass();
                }
                Ok(true)
            }),
            ..PlainNode::default()
        };
        let wallet = PlainWallet::with(node, Listener::default(), support::scene::patient_config);
        let request = wallet.waiting(Unannounced);
        let asked = request.clone();
        let call = start(async move { asked.ask_again(Announced).await });
        wallet.node.wait_for_connects(2);
        match funds {
            true => wallet.fund("01"),
            false => wallet.propose("01"),
        };
        gate.open();
        if !funds {
            wallet.fund("01");
        }
        funded_channel(call.end());
        let snapshot = request.snapshot();
        assert_eq!(snapshot.state, ChannelRequestState::Arrived);
        assert_eq!(snapshot.visibility, Some(Unannounced), "never written");
        // Nothing can follow this.
        block_on(wallet.client.shutdown());
        assert_eq!(wallet.callbacks().len(), 1);
    }
}

#[test]
fn ask_again_that_cannot_connect_leaves_the_request_as_it_was() {
    let connects = std::sync::atomic::AtomicUsize::new(0);
    let node = PlainNode {
        connect: Box::new(move |_| {
            Ok(connects.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0)
        }),
        ..PlainNode::default()
    };
    let wallet = PlainWallet::with(node, Listener::default(), support::scene::patient_config);
    let request = wallet.waiting(Unannounced);
    let error = block_on(request.ask_again(Announced)).unwrap_err();
    let failed = matches!(error, LnurlChannelError::NodeFailed { .. });
    assert!(failed, "{error:?}");
    let snapshot = request.snapshot();
    assert_eq!(
        snapshot.state,
        ChannelRequestState::Awaiting,
        "asked is never forgotten"
    );
    assert_eq!(snapshot.visibility, Some(Unannounced));
    wait_for_state(&request, ChannelRequestState::Awaiting);
    assert_eq!(wallet.callbacks().len(), 1);
}
