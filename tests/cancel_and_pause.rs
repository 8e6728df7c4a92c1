//! Who may stop a request when, and what the service hears of it.

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::future::Future as _;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use lnurl_channel::{
    ChannelRequest, ChannelRequestState, ChannelVerdict, ChannelVisibility, ClientConfig,
    LnurlChannelError,
};
use lnurl_channel_testbed::{Habit, OfferOptions};

use support::block_on;
use support::plain::{Gate, PlainNode, PlainScene, Stage};
use support::scene::{
    CallResult, fetch, habits, hasty_config, opening, patient_config, proposal, start,
    start_accept, start_resume, unfinished, wait_for_state, wait_until,
};

const STAGES: [Stage; 3] = [Stage::Connecting, Stage::InFlight, Stage::Awaiting];

fn wrong<T>(state: ChannelRequestState) -> Result<T, LnurlChannelError> {
    Err(LnurlChannelError::WrongState { state })
}

fn accept(request: &ChannelRequest) -> CallResult {
    block_on(request.accept(ChannelVisibility::Unannounced))
}

fn resume(request: &ChannelRequest) -> CallResult {
    block_on(request.resume())
}

fn cancel(request: &ChannelRequest) -> Result<(), LnurlChannelError> {
    block_on(request.cancel())
}

/// Where a request stands once a call at this stage is stopped.
fn state_after_pause(stage: Stage) -> ChannelRequestState {
    match stage {
        Stage::Connecting => ChannelRequestState::Connecting,
        Stage::InFlight => ChannelRequestState::OutcomeUnknown,
        Stage::Awaiting => ChannelRequestState::Awaiting,
    }
}

fn callbacks_at(stage: Stage) -> usize {
    match stage {
        Stage::Connecting => 0,
        Stage::InFlight | Stage::Awaiting => 1,
    }
}

/// That the call was stopped as by `pause`, and that the request goes on.
fn assert_paused(scene: &PlainScene, stage: Stage) {
    let request = &scene.request;
    assert!(!request.is_running());
    assert!(!request.pause());
    assert_eq!(request.state(), state_after_pause(stage), "{stage:?}");
    assert_eq!(unfinished(&scene.client), [request.request_id()]);

    scene.gate.open();
    let call = match stage {
        // Nobody was asked, so there is nothing to wait for.
        Stage::Connecting => start_accept(request),
        _ => start_resume(request),
    };
    match stage {
        Stage::Connecting => scene.wait_for_callbacks(1),
        _ => wait_until("it runs", || request.is_running()),
    }
    let verdict = scene
        .client
        .report_incoming_channel(proposal(&scene.testbed, 1));
    let request_id = request.request_id();
    assert_eq!(verdict, ChannelVerdict::Expected { request_id });
    opening(call.end());
    assert_eq!(scene.callbacks(), [scene.accept_target()], "{stage:?}");
    assert!(unfinished(&scene.client).is_empty());
}

// ---- pause ----

#[test]
fn pause_stops_a_call_at_each_stage() {
    for stage in STAGES {
        let (scene, call) = PlainScene::at(stage);
        assert!(scene.request.is_running());
        assert!(scene.request.pause());
        assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
        assert_eq!(scene.callbacks().len(), callbacks_at(stage));
        assert_paused(&scene, stage);
    }
}

#[test]
fn dropping_the_future_acts_as_a_pause() {
    for stage in STAGES {
        assert_paused(&PlainScene::at_dropped(stage), stage);
    }
}

#[test]
fn nothing_runs_so_nothing_is_paused() {
    let scene = PlainScene::new(PlainNode::default(), habits(&[Habit::OkAndNeverOpens]));
    assert!(!scene.request.pause());
    assert_eq!(scene.request.state(), ChannelRequestState::Offered);
    assert_eq!(resume(&scene.request), wrong(ChannelRequestState::Offered));
}

#[test]
fn a_resume_can_be_paused_too() {
    let (scene, call) = PlainScene::at(Stage::Awaiting);
    assert!(scene.request.pause());
    assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    for _ in 0..3 {
        let resumed = start_resume(&scene.request);
        wait_until("the resume runs", || scene.request.is_running());
        assert!(scene.request.pause());
        assert_eq!(resumed.end(), Err(LnurlChannelError::Cancelled));
    }
    assert_eq!(scene.callbacks().len(), 1);
}

// ---- two calls at once ----

#[test]
fn a_second_accept_is_the_wrong_state() {
    for (stage, state) in [
        (Stage::Connecting, ChannelRequestState::Connecting),
        (Stage::InFlight, ChannelRequestState::Requesting),
        (Stage::Awaiting, ChannelRequestState::Awaiting),
    ] {
        let (scene, call) = PlainScene::at(stage);
        assert_eq!(accept(&scene.request), wrong(state));
        assert_eq!(scene.request.decline(), wrong(state));
        assert!(call.runs());
        scene.request.pause();
        assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    }
}

#[test]
fn resume_joins_a_call_that_runs() {
    for stage in STAGES {
        let (scene, call) = PlainScene::at(stage);
        let joined = [start_resume(&scene.request), start_resume(&scene.request)];
        scene.gate.open();
        scene.wait_for_callbacks(1);
        scene
            .client
            .report_incoming_channel(proposal(&scene.testbed, 1));
        let outcome = call.end();
        assert!(outcome.is_ok());
        for joined in joined {
            assert_eq!(joined.end(), outcome, "{stage:?}");
        }
        assert_eq!(scene.callbacks().len(), 1);
    }
}

#[test]
fn one_of_two_who_wait_may_leave() {
    let (scene, call) = PlainScene::at(Stage::Awaiting);
    // It joins, and its future is dropped.
    let joined =
        async { tokio::time::timeout(Duration::from_millis(20), scene.request.resume()).await };
    assert!(block_on(joined).is_err());
    assert!(call.runs() && scene.request.is_running());
    scene
        .client
        .report_incoming_channel(proposal(&scene.testbed, 1));
    opening(call.end());
}

/// Once the future is gone, nothing of the call goes on behind the wallet's back.
#[test]
fn a_future_that_is_dropped_at_once_leaves_nothing_to_begin() {
    let scene = PlainScene::new(PlainNode::default(), habits(&[Habit::OkAndNeverOpens]));
    // What it waits for comes after all that was begun before.
    let settle = || assert_eq!(resume(&scene.request), wrong(ChannelRequestState::Offered));
    for round in 0..200 {
        let request = fetch(
            &scene.client,
            &scene.testbed.service().offer(habits(&[])).lnurl,
        );
        let request = request.unwrap();
        let mut accept = Box::pin(request.accept(ChannelVisibility::Unannounced));
        let mut context = Context::from_waker(Waker::noop());
        assert!(accept.as_mut().poll(&mut context).is_pending());
        (0..round * 50).for_each(|_| std::hint::spin_loop());
        drop(accept);
        let state = request.state();
        assert!(!request.is_running());
        settle();
        assert_eq!(request.state(), state);
        request.decline().unwrap();
    }
    assert!(unfinished(&scene.client).is_empty());
}

/// A waker may run the wallet's code at once, on the thread that ends the call.
#[test]
fn whoever_is_woken_may_call_the_client_at_once() {
    struct ReadsState(Arc<ChannelRequest>, Mutex<Sender<ChannelRequestState>>);
    impl Wake for ReadsState {
        fn wake(self: Arc<Self>) {
            let _ = self.1.lock().unwrap().send(self.0.state());
        }
    }
    let scene = PlainScene::new(PlainNode::default(), habits(&[Habit::OkAndNeverOpens]));
    let request = scene.request.clone();
    let accepting = request.clone();
    let mut accept =
        Box::pin(async move { accepting.accept(ChannelVisibility::Unannounced).await });
    let mut context = Context::from_waker(Waker::noop());
    assert!(accept.as_mut().poll(&mut context).is_pending());
    wait_for_state(&request, ChannelRequestState::Awaiting);
    let (sender, states) = channel();
    let waker = Waker::from(Arc::new(ReadsState(request.clone(), Mutex::new(sender))));
    assert!(
        accept
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    std::thread::spawn(move || request.pause());
    let state = states.recv_timeout(Duration::from_secs(10));
    assert_eq!(state, Ok(ChannelRequestState::Awaiting));
}

/// Two wait for one end: what one was told, the other does not take back.
#[test]
fn whoever_leaves_takes_back_only_their_own() {
    let (scene, call) = PlainScene::at(Stage::Awaiting);
    let offer = scene.testbed.service().offer(OfferOptions::default());
    let other = fetch(&scene.client, &offer.lnurl).unwrap();
    // What it waits for comes after all that was begun before.
    let settle = || assert_eq!(resume(&other), wrong(ChannelRequestState::Offered));
    let mut context = Context::from_waker(Waker::noop());
    let mut joined = Box::pin(scene.request.resume());
    assert!(joined.as_mut().poll(&mut context).is_pending());
    settle();
    assert!(joined.as_mut().poll(&mut context).is_pending());
    scene
        .client
        .report_incoming_channel(proposal(&scene.testbed, 1));
    opening(call.end());
    // It takes the result, and is dropped before it hands it over, if it has not done so.
    let _ = joined.as_mut().poll(&mut context);
    drop(joined);
    settle();
    assert!(unfinished(&scene.client).is_empty());
}

/// Between the wallet and the service: holds up the next connection until it may pass.
fn holding_proxy(holds: &Arc<AtomicBool>, gate: &Gate) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (holds, gate) = (holds.clone(), gate.clone());
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (is_held, gate) = (holds.swap(false, Ordering::SeqCst), gate.clone());
            std::thread::spawn(move || {
                if is_held {
                    gate.pass();
                }
                // Ends with whichever side ends first.
                let _ = tunnel(client);
            });
        }
    });
    format!("http://{address}")
}

fn tunnel(mut client: TcpStream) -> io::Result<()> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let head = String::from_utf8_lossy(&head);
    let mut service = TcpStream::connect(head.split(' ').nth(1).unwrap_or_default())?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut from_client, mut to_service) = (client.try_clone()?, service.try_clone()?);
    std::thread::spawn(move || io::copy(&mut from_client, &mut to_service));
    io::copy(&mut service, &mut client).map(drop)
}

/// The peer was quicker than the callback, and failed.
#[test]
fn after_a_cancel_or_a_decline_no_callback_follows() {
    for cancels in [true, false] {
        let (holds, gate) = (Arc::new(AtomicBool::new(false)), Gate::default());
        let proxy = holding_proxy(&holds, &gate);
        let options = habits(&[Habit::OkAndNeverOpens]);
        let scene = PlainScene::with(PlainNode::default(), options, |testbed| ClientConfig {
            proxy: Some(proxy),
            ..patient_config(testbed)
        });
        holds.store(true, Ordering::SeqCst);
        let call = start_accept(&scene.request);
        wait_until("the callback is held", || !holds.load(Ordering::SeqCst));
        let channel = proposal(&scene.testbed, 1);
        scene.client.report_incoming_channel(channel.clone());
        opening(call.end());
        scene
            .client
            .report_channel_failed(channel.peer_id, channel.channel_id);
        match cancels {
            true => cancel(&scene.request).unwrap(),
            false => scene.request.decline().unwrap(),
        }
        gate.open();
        // One more exchange with the service: the held one would be there before.
        let offer = scene.testbed.service().offer(OfferOptions::default());
        fetch(&scene.client, &offer.lnurl).unwrap();
        let cancelled = cancels.then(|| scene.cancel_target());
        assert_eq!(scene.callbacks(), Vec::from_iter(cancelled));
    }
}

// ---- decline ----

#[test]
fn decline_tells_nobody() {
    let scene = PlainScene::new(PlainNode::default(), OfferOptions::default());
    scene.request.decline().unwrap();
    assert_eq!(scene.request.state(), ChannelRequestState::Declined);
    let declined = ChannelRequestState::Declined;
    assert_eq!(accept(&scene.request), wrong(declined));
    assert_eq!(resume(&scene.request), wrong(declined));
    assert_eq!(scene.request.decline(), wrong(declined));
    assert_eq!(cancel(&scene.request), wrong(declined));
    assert!(scene.node.called.all().is_empty());
    assert_eq!(scene.testbed.service().requests().len(), 1);
    let id = scene.request.request_id();
    assert!(scene.client.request(id).is_some(), "ended ones included");
}

#[test]
fn decline_forgets_what_is_unfinished() {
    for stage in STAGES {
        let (scene, call) = PlainScene::at(stage);
        scene.request.pause();
        call.end().unwrap_err();
        scene.request.decline().unwrap();
        assert_eq!(scene.request.state(), ChannelRequestState::Declined);
        assert!(unfinished(&scene.client).is_empty());
        assert_eq!(scene.callbacks().len(), callbacks_at(stage));
    }
}

// ---- cancel ----

#[test]
fn cancel_of_an_offer_is_a_decline() {
    let scene = PlainScene::new(PlainNode::default(), OfferOptions::default());
    cancel(&scene.request).unwrap();
    assert_eq!(scene.request.state(), ChannelRequestState::Declined);
    assert!(scene.callbacks().is_empty());
}

#[test]
fn cancel_while_connecting_is_local() {
    let (scene, call) = PlainScene::at(Stage::Connecting);
    cancel(&scene.request).unwrap();
    assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    assert_eq!(scene.request.state(), ChannelRequestState::Cancelled);
    assert!(unfinished(&scene.client).is_empty());
    scene.gate.open();
    block_on(scene.client.shutdown());
    assert!(scene.callbacks().is_empty());
}

#[test]
fn cancel_tells_a_service_that_was_asked() {
    for stage in [Stage::InFlight, Stage::Awaiting] {
        let (scene, call) = PlainScene::at_with(stage, hasty_patience);
        let start = Instant::now();
        cancel(&scene.request).unwrap();
        assert!(start.elapsed() < Duration::from_secs(4), "{stage:?}");
        assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
        assert_eq!(scene.request.state(), ChannelRequestState::Cancelled);
        let told = [scene.accept_target(), scene.cancel_target()];
        assert_eq!(scene.callbacks(), told, "{stage:?}");
        assert!(unfinished(&scene.client).is_empty());

        cancel(&scene.request).unwrap();
        assert_eq!(scene.callbacks().len(), 2, "a second cancel does nothing");
        let cancelled = ChannelRequestState::Cancelled;
        assert_eq!(accept(&scene.request), wrong(cancelled));
        assert_eq!(resume(&scene.request), wrong(cancelled));
        assert_eq!(scene.request.decline(), wrong(cancelled));
    }
}

/// A silent service is told for a second, while the call itself has time.
fn hasty_patience(testbed: &lnurl_channel_testbed::Testbed) -> lnurl_channel::ClientConfig {
    lnurl_channel::ClientConfig {
        request_timeout_seconds: 1,
        ..patient_config(testbed)
    }
}

#[test]
fn cancel_after_a_pause_tells_too() {
    for stage in [Stage::InFlight, Stage::Awaiting] {
        let (scene, call) = PlainScene::at_with(stage, hasty_patience);
        scene.request.pause();
        call.end().unwrap_err();
        cancel(&scene.request).unwrap();
        let told = [scene.accept_target(), scene.cancel_target()];
        assert_eq!(scene.callbacks(), told);
    }
}

#[test]
fn cancel_after_a_refusal_tells_too() {
    let scene = PlainScene::new(PlainNode::default(), habits(&[Habit::ErrorAnswer]));
    accept(&scene.request).unwrap_err();
    assert_eq!(scene.request.state(), ChannelRequestState::Refused);
    cancel(&scene.request).unwrap();
    assert_eq!(scene.request.state(), ChannelRequestState::Cancelled);
    let told = [scene.accept_target(), scene.cancel_target()];
    assert_eq!(scene.callbacks(), told);
}

#[test]
fn cancel_works_when_the_service_is_gone() {
    let (scene, call) = PlainScene::at(Stage::Awaiting);
    let (request, client) = (scene.request.clone(), scene.client.clone());
    drop(scene);
    cancel(&request).unwrap();
    assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    assert_eq!(request.state(), ChannelRequestState::Cancelled);
    assert!(client.unfinished_requests().is_empty());
}

#[test]
fn a_cancel_whose_future_is_dropped_is_one() {
    let (scene, call) = PlainScene::at_with(Stage::InFlight, hasty_patience);
    let request = scene.request.clone();
    let cancel = async { tokio::time::timeout(Duration::from_millis(200), request.cancel()).await };
    assert!(block_on(cancel).is_err(), "the service is silent");
    assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    assert_eq!(scene.request.state(), ChannelRequestState::Cancelled);
    scene.wait_for_callbacks(2);
    assert_eq!(scene.callbacks()[1], scene.cancel_target());
}

#[test]
fn what_has_arrived_cannot_be_cancelled() {
    let (scene, call) = PlainScene::at(Stage::Awaiting);
    let channel = proposal(&scene.testbed, 1);
    scene.client.report_incoming_channel(channel.clone());
    let outcome = call.end();
    let arrived = ChannelRequestState::Arrived;
    assert_eq!(cancel(&scene.request), wrong(arrived));
    assert_eq!(accept(&scene.request), wrong(arrived));
    assert_eq!(scene.request.decline(), wrong(arrived));
    for _ in 0..2 {
        assert_eq!(resume(&scene.request), outcome);
    }
    let request_id = scene.request.request_id();
    let expected = ChannelVerdict::Expected { request_id };
    let mut replayed = channel.clone();
    replayed.peer_id.make_ascii_uppercase();
    for channel in [channel, replayed] {
        assert_eq!(scene.client.report_incoming_channel(channel), expected);
    }
    assert_eq!(scene.callbacks().len(), 1);
}

#[test]
fn late_channels_after_a_cancel_are_unwanted() {
    let (scene, call) = PlainScene::at(Stage::Awaiting);
    cancel(&scene.request).unwrap();
    call.end().unwrap_err();
    let request_id = scene.request.request_id();
    let unwanted = ChannelVerdict::Unwanted { request_id };
    let report = |number| {
        scene
            .client
            .report_incoming_channel(proposal(&scene.testbed, number))
    };
    assert_eq!(report(1), unwanted);

    // A newer request to that peer waits, and gets what comes next; the old one keeps its verdict.
    let offer = scene
        .testbed
        .service()
        .offer(habits(&[Habit::OkAndNeverOpens]));
    let newer = fetch(&scene.client, &offer.lnurl).unwrap();
    let call = start_accept(&newer);
    scene.wait_for_callbacks(3);
    assert_eq!(report(1), unwanted);
    let request_id = newer.request_id();
    assert_eq!(report(2), ChannelVerdict::Expected { request_id });
    opening(call.end());
}

#[test]
fn after_a_cancel_the_lnurl_is_fetched_anew() {
    let (scene, call) = PlainScene::at(Stage::Awaiting);
    cancel(&scene.request).unwrap();
    call.end().unwrap_err();
    let again = fetch(&scene.client, &scene.offer.lnurl).unwrap();
    assert_ne!(again.request_id(), scene.request.request_id());
    assert_eq!(again.state(), ChannelRequestState::Offered);
}

// ---- several requests to one peer ----

#[test]
fn the_oldest_whose_visibility_fits_gets_the_channel() {
    let (scene, first) = PlainScene::at(Stage::Awaiting);
    let offer = scene
        .testbed
        .service()
        .offer(habits(&[Habit::OkAndNeverOpens]));
    let second = fetch(&scene.client, &offer.lnurl).unwrap();
    let announced = second.clone();
    let second_call = start(async move { announced.accept(ChannelVisibility::Announced).await });
    scene.wait_for_callbacks(2);

    let mut channel = proposal(&scene.testbed, 1);
    channel.is_announced = Some(true);
    let request_id = second.request_id();
    let verdict = scene.client.report_incoming_channel(channel);
    assert_eq!(verdict, ChannelVerdict::Expected { request_id });
    opening(second_call.end());
    assert!(first.runs());

    let mut channel = proposal(&scene.testbed, 2);
    channel.is_announced = None;
    let request_id = scene.request.request_id();
    let verdict = scene.client.report_incoming_channel(channel);
    assert_eq!(verdict, ChannelVerdict::Expected { request_id });
    opening(first.end());
}

#[test]
fn a_channel_that_failed_is_awaited_again() {
    let (scene, call) = PlainScene::at(Stage::Awaiting);
    let channel = proposal(&scene.testbed, 1);
    scene.client.report_incoming_channel(channel.clone());
    opening(call.end());
    assert!(unfinished(&scene.client).is_empty());
    scene
        .client
        .report_channel_failed(channel.peer_id.to_uppercase(), channel.channel_id);
    assert_eq!(scene.request.state(), ChannelRequestState::Awaiting);
    assert_eq!(scene.request.outcome(), None);
    assert_eq!(unfinished(&scene.client), [scene.request.request_id()]);
    let resumed = start_resume(&scene.request);
    wait_until("it runs", || scene.request.is_running());
    scene
        .client
        .report_incoming_channel(proposal(&scene.testbed, 2));
    assert_eq!(
        opening(resumed.end()).channel_id,
        proposal(&scene.testbed, 2).channel_id
    );
    assert_eq!(scene.callbacks().len(), 1);
}

// ---- shutdown ----

#[test]
fn shutdown_ends_calls_as_a_pause_does() {
    for stage in [Stage::InFlight, Stage::Awaiting] {
        let (scene, call) = PlainScene::at(stage);
        let joined = start_resume(&scene.request);
        block_on(scene.client.shutdown());
        assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
        assert_eq!(joined.end(), Err(LnurlChannelError::Cancelled));
        assert_eq!(scene.request.state(), state_after_pause(stage));
        assert_eq!(scene.callbacks().len(), 1);
    }
}

#[test]
fn after_shutdown_calls_are_cancelled() {
    let scene = PlainScene::new(PlainNode::default(), OfferOptions::default());
    block_on(scene.client.shutdown());
    block_on(scene.client.shutdown());
    let cancelled = LnurlChannelError::Cancelled;
    assert_eq!(accept(&scene.request), Err(cancelled.clone()));
    assert_eq!(resume(&scene.request), Err(cancelled.clone()));
    assert_eq!(cancel(&scene.request), Err(cancelled.clone()));
    assert_eq!(scene.request.decline(), Err(cancelled.clone()));
    assert!(!scene.request.pause());
    // Whether or not the offer is still at hand, and however its tasks are scheduled.
    for _ in 0..20 {
        let fetched = fetch(&scene.client, &scene.offer.lnurl);
        assert_eq!(fetched.err(), Some(cancelled.clone()));
    }
    scene.client.check_peers();
    assert!(scene.node.called.all().is_empty());
}

#[test]
fn shutdown_lets_go_of_the_node() {
    let (scene, call) = PlainScene::at(Stage::Awaiting);
    block_on(scene.client.shutdown());
    call.end().unwrap_err();
    assert_eq!(Arc::strong_count(&scene.node), 1);
}

#[test]
fn shutdown_waits_for_callbacks_that_run() {
    let (scene, call) = PlainScene::at(Stage::Connecting);
    let client = scene.client.clone();
    let shutdown = start(async move { client.shutdown().await });
    assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    assert!(shutdown.runs(), "connect still runs");
    assert!(Arc::strong_count(&scene.node) > 1);
    scene.gate.open();
    shutdown.end();
    assert_eq!(Arc::strong_count(&scene.node), 1);
    assert!(scene.callbacks().is_empty());
}

#[test]
fn shutdown_ends_a_fetch() {
    let mut options = habits(&[Habit::SilentCallback]);
    options.fault_step = lnurl_channel_testbed::Step::Offer;
    let scene = PlainScene::with(PlainNode::default(), OfferOptions::default(), hasty_config);
    let silent = scene.testbed.service().offer(options);
    let client = scene.client.clone();
    let fetched = start(async move {
        let lnurl = lnurl_channel::decode_lnurl(silent.lnurl).unwrap();
        client.fetch(lnurl).await.err()
    });
    let second_get = |requests: &[lnurl_channel_testbed::SeenRequest]| requests.len() == 2;
    let service = scene.testbed.service();
    assert!(
        service
            .wait_for_requests(support::LIMIT, second_get)
            .is_some()
    );
    block_on(scene.client.shutdown());
    assert_eq!(fetched.end(), Some(LnurlChannelError::Cancelled));
}
