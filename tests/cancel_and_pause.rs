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
    LnurlChannelError, decode_lnurl,
};
use lnurl_channel_testbed::{Habit, OfferOptions, SeenRequest, Step, Testbed};

use support::plain::{Gate, PlainNode, PlainScene, PlainWallet, Stage};
use support::scene::{
    accept, ask_again, fetch, funded_channel, habits, hasty_config, kept, patient_config, start,
    start_accept, start_waiting_on, state, wait_for_state, wait_until,
};
use support::{LIMIT, block_on};

fn wrong<T>(state: ChannelRequestState) -> Result<T, LnurlChannelError> {
    Err(LnurlChannelError::WrongState { state })
}

fn cancel(request: &ChannelRequest) -> Result<(), LnurlChannelError> {
    block_on(request.cancel())
}

fn dismiss(request: &ChannelRequest) -> Result<(), LnurlChannelError> {
    block_on(request.dismiss())
}

/// Where a request stands once a call at this stage is stopped.
fn state_after_pause(stage: Stage) -> ChannelRequestState {
    match stage {
        Stage::Connecting => ChannelRequestState::Offered,
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

/// That the call was stopped as by `pause`, and that `accept` goes on.
fn assert_paused(scene: &PlainScene, stage: Stage) {
    let request = &scene.request;
    request.pause();
    let snapshot = request.snapshot();
    assert!(!snapshot.is_running);
    assert_eq!(snapshot.state, state_after_pause(stage), "{stage:?}");
    assert_eq!(kept(&scene.wallet.client), [request.request_id()]);

    scene.gate.open();
    let call = start_waiting_on(request);
    scene.wallet.wait_for_callbacks(1);
    scene.fund("01");
    funded_channel(call.end());
    assert_eq!(scene.callbacks(), [scene.accept_target()], "{stage:?}");
}

/// A silent service is told for a second, while the call itself has time.
fn hasty_patience(testbed: &Testbed) -> ClientConfig {
    ClientConfig {
        request_timeout_seconds: 1,
        ..patient_config(testbed)
    }
}

// ---- pause ----

#[test]
fn pause_stops_a_call_at_each_stage() {
    for stage in Stage::ALL {
        let (scene, call) = PlainScene::at(stage);
        assert!(scene.request.snapshot().is_running);
        scene.request.pause();
        assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
        assert_eq!(scene.callbacks().len(), callbacks_at(stage));
        assert_paused(&scene, stage);
    }
}

#[test]
fn dropping_the_future_acts_as_a_pause() {
    for stage in Stage::ALL {
        assert_paused(&PlainScene::at_dropped(stage), stage);
    }
}

#[test]
fn a_pause_without_a_call_does_nothing() {
    let scene = PlainScene::new(PlainNode::default(), habits(&[Habit::OkAndNeverOpens]));
    let before = scene.request.snapshot();
    scene.request.pause();
    assert_eq!(scene.request.snapshot(), before);
}

#[test]
fn a_call_that_only_waits_on_can_be_paused_too() {
    let (scene, call) = PlainScene::at(Stage::Awaiting);
    scene.request.pause();
    assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    for _ in 0..3 {
        let call = start_waiting_on(&scene.request);
        scene.request.pause();
        assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    }
    assert_eq!(scene.callbacks().len(), 1);
}

// ---- two calls at once ----

#[test]
fn two_accepts_share_one_call_and_its_result() {
    for stage in Stage::ALL {
        let (scene, call) = PlainScene::at(stage);
        let joined = [start_accept(&scene.request), start_accept(&scene.request)];
        assert_eq!(ask_again(&scene.request), wrong(stage.state()));
        scene.gate.open();
        scene.wallet.wait_for_callbacks(1);
        scene.fund("01");
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
    let joined = scene.request.accept(ChannelVisibility::Unannounced);
    let joined = async { tokio::time::timeout(Duration::from_millis(20), joined).await };
    assert!(block_on(joined).is_err());
    assert!(call.runs() && scene.request.snapshot().is_running);
    scene.fund("01");
    funded_channel(call.end());
}

/// Once the future is gone, nothing of the call goes on behind the wallet's back.
#[test]
fn a_future_that_is_dropped_at_once_leaves_nothing_to_begin() {
    let wallet = PlainWallet::default();
    let other = wallet.offered(OfferOptions::default());
    // What it waits for comes after all that was begun before.
    let settle = || assert_eq!(ask_again(&other), wrong(ChannelRequestState::Offered));
    for round in 0..200 {
        let request = wallet.offered(habits(&[Habit::OkAndNeverOpens]));
        let mut accept = Box::pin(request.accept(ChannelVisibility::Unannounced));
        let mut context = Context::from_waker(Waker::noop());
        assert!(accept.as_mut().poll(&mut context).is_pending());
        (0..round * 50).for_each(|_| std::hint::spin_loop());
        drop(accept);
        settle();
        let snapshot = request.snapshot();
        assert!(!snapshot.is_running);
        settle();
        // That the node has connected may still become known.
        assert_eq!(state(&request), snapshot.state);
        cancel(&request).unwrap();
    }
}

/// A waker may run the wallet's code at once, on the thread that ends the call.
#[test]
fn a_waker_may_call_the_client_at_once() {
    struct ReadsState(Arc<ChannelRequest>, Mutex<Sender<ChannelRequestState>>);
    impl Wake for ReadsState {
        fn wake(self: Arc<Self>) {
            let _ = self.1.lock().unwrap().send(state(&self.0));
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
    let state = states.recv_timeout(LIMIT);
    assert_eq!(state, Ok(ChannelRequestState::Awaiting));
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

/// The peer was quicker than the callback, and its channel failed.
#[test]
fn after_a_cancel_no_callback_follows() {
    let (holds, gate) = (Arc::new(AtomicBool::new(false)), Gate::default());
    let proxy = holding_proxy(&holds, &gate);
    let options = habits(&[Habit::OkAndNeverOpens]);
    let scene = PlainScene::with(PlainNode::default(), options, |testbed| ClientConfig {
        proxy: Some(proxy),
        ..patient_config(testbed)
    });
    holds.store(true, Ordering::SeqCst);
    let call = start_accept(&scene.request);
    wait_until("its connection is held", || !holds.load(Ordering::SeqCst));
    wait_for_state(&scene.request, ChannelRequestState::Requesting);
    scene.fund("01");
    funded_channel(call.end());
    scene.wallet.close("01");
    cancel(&scene.request).unwrap();
    gate.open();
    // One more exchange with the service: the held one would be there before.
    scene.wallet.offered(OfferOptions::default());
    assert_eq!(scene.callbacks(), [scene.cancel_target()]);
}

// ---- cancel ----

#[test]
fn cancel_of_an_offer_tells_nobody_and_keeps_nothing() {
    let scene = PlainScene::new(PlainNode::default(), OfferOptions::default());
    cancel(&scene.request).unwrap();
    let cancelled = ChannelRequestState::Cancelled;
    assert_eq!(state(&scene.request), cancelled);
    assert_eq!(accept(&scene.request), Err(LnurlChannelError::Cancelled));
    assert_eq!(ask_again(&scene.request), wrong(cancelled));
    cancel(&scene.request).unwrap();
    assert_eq!(scene.wallet.node.called.all(), []);
    assert_eq!(scene.wallet.testbed.service().requests().len(), 1);
    assert_eq!(kept(&scene.wallet.client), [""; 0]);
}

#[test]
fn cancel_while_connecting_is_local() {
    let (scene, call) = PlainScene::at(Stage::Connecting);
    cancel(&scene.request).unwrap();
    assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    assert_eq!(state(&scene.request), ChannelRequestState::Cancelled);
    scene.gate.open();
    block_on(scene.wallet.client.shutdown());
    assert_eq!(scene.callbacks(), [""; 0]);
}

#[test]
fn cancel_tells_a_service_that_was_asked() {
    for stage in [Stage::InFlight, Stage::Awaiting] {
        let (scene, call) = PlainScene::at_with(stage, hasty_patience);
        let start = Instant::now();
        cancel(&scene.request).unwrap();
        assert!(start.elapsed() < Duration::from_secs(4), "{stage:?}");
        assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
        assert_eq!(state(&scene.request), ChannelRequestState::Cancelled);
        let told = [scene.accept_target(), scene.cancel_target()];
        assert_eq!(scene.callbacks(), told, "{stage:?}");
        assert_eq!(kept(&scene.wallet.client), [scene.request.request_id()]);

        cancel(&scene.request).unwrap();
        assert_eq!(scene.callbacks().len(), 2, "a second cancel does nothing");
        assert_eq!(accept(&scene.request), Err(LnurlChannelError::Cancelled));
        let cancelled = ChannelRequestState::Cancelled;
        assert_eq!(ask_again(&scene.request), wrong(cancelled));
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
fn cancel_while_a_channel_opens_tells_the_service_and_drops_the_proposal() {
    let (scene, call) = PlainScene::at(Stage::Awaiting);
    scene.wallet.propose("01");
    assert_eq!(state(&scene.request), ChannelRequestState::Opening);
    cancel(&scene.request).unwrap();
    assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    let told = [scene.accept_target(), scene.cancel_target()];
    assert_eq!(scene.callbacks(), told);
    let request_id = scene.request.request_id();
    let unwanted = ChannelVerdict::Unwanted { request_id };
    assert_eq!(scene.wallet.fund("01"), unwanted);
    assert_eq!(scene.request.snapshot().channel, None);
}

#[test]
fn cancel_after_a_refusal_is_local_and_a_late_channel_is_unwanted() {
    let wallet = PlainWallet::default();
    let request = wallet.refused();
    cancel(&request).unwrap();
    assert_eq!(state(&request), ChannelRequestState::Cancelled);
    assert_eq!(
        wallet.callbacks().len(),
        1,
        "the service has ended it by itself"
    );
    let request_id = request.request_id();
    assert_eq!(
        wallet.propose("01"),
        ChannelVerdict::Unwanted { request_id }
    );
}

#[test]
fn cancel_works_when_the_service_is_gone() {
    let (scene, call) = PlainScene::at(Stage::Awaiting);
    let PlainScene {
        request, wallet, ..
    } = scene;
    drop(wallet.testbed);
    cancel(&request).unwrap();
    assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    assert_eq!(state(&request), ChannelRequestState::Cancelled);
}

#[test]
fn a_cancel_whose_future_is_dropped_still_cancels() {
    let (scene, call) = PlainScene::at_with(Stage::InFlight, hasty_patience);
    let request = scene.request.clone();
    let cancel = async { tokio::time::timeout(Duration::from_millis(200), request.cancel()).await };
    assert!(block_on(cancel).is_err(), "the service is silent");
    assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    assert_eq!(state(&scene.request), ChannelRequestState::Cancelled);
    scene.wallet.wait_for_callbacks(2);
    assert_eq!(scene.callbacks()[1], scene.cancel_target());
}

#[test]
fn what_has_arrived_cannot_be_cancelled() {
    let (scene, call) = PlainScene::at(Stage::Awaiting);
    scene.fund("01");
    let outcome = call.end();
    let arrived = ChannelRequestState::Arrived;
    assert_eq!(cancel(&scene.request), wrong(arrived));
    assert_eq!(ask_again(&scene.request), wrong(arrived));
    for _ in 0..2 {
        assert_eq!(accept(&scene.request), outcome);
    }
    scene.wallet.ready("01");
    let ready = ChannelRequestState::Ready;
    assert_eq!(state(&scene.request), ready);
    assert_eq!(cancel(&scene.request), wrong(ready));
    assert_eq!(ask_again(&scene.request), wrong(ready));
    funded_channel(accept(&scene.request));
    assert_eq!(scene.callbacks().len(), 1);
}

#[test]
fn after_a_cancel_the_lnurl_is_fetched_anew() {
    let (scene, call) = PlainScene::at(Stage::Awaiting);
    cancel(&scene.request).unwrap();
    call.end().unwrap_err();
    let again = fetch(&scene.wallet.client, &scene.offer.lnurl).unwrap();
    assert_ne!(again.request_id(), scene.request.request_id());
    assert_eq!(state(&again), ChannelRequestState::Offered);
}

// ---- dismiss ----

#[test]
fn nothing_that_goes_on_can_be_dismissed() {
    for stage in Stage::ALL {
        let (scene, call) = PlainScene::at(stage);
        assert_eq!(dismiss(&scene.request), wrong(stage.state()));
        scene.request.pause();
        call.end().unwrap_err();
        assert_eq!(dismiss(&scene.request), wrong(state_after_pause(stage)));
    }
    let (scene, _call) = PlainScene::at(Stage::Awaiting);
    scene.wallet.propose("01");
    let opening = ChannelRequestState::Opening;
    assert_eq!(dismiss(&scene.request), wrong(opening));
}

#[test]
fn an_end_is_dismissed_until_the_state_changes() {
    let wallet = PlainWallet::default();
    let (refused, cancelled) = (wallet.refused(), wallet.cancelled());
    for request in [refused, cancelled] {
        assert!(!request.snapshot().is_dismissed);
        dismiss(&request).unwrap();
        assert!(request.snapshot().is_dismissed);
        dismiss(&request).unwrap();
    }
    let (scene, call) = PlainScene::at(Stage::Awaiting);
    scene.fund("01");
    funded_channel(call.end());
    dismiss(&scene.request).unwrap();
    assert!(scene.request.snapshot().is_dismissed);
    scene.wallet.ready("01");
    let snapshot = scene.request.snapshot();
    assert_eq!(snapshot.state, ChannelRequestState::Ready);
    assert!(!snapshot.is_dismissed, "there is something new to see");
    dismiss(&scene.request).unwrap();
    assert!(scene.request.snapshot().is_dismissed);
}

// ---- shutdown ----

#[test]
fn shutdown_ends_calls_as_a_pause_does() {
    for stage in [Stage::InFlight, Stage::Awaiting] {
        let (scene, call) = PlainScene::at(stage);
        let joined = start_accept(&scene.request);
        block_on(scene.wallet.client.shutdown());
        assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
        assert_eq!(joined.end(), Err(LnurlChannelError::Cancelled));
        assert_eq!(state(&scene.request), state_after_pause(stage));
        assert_eq!(scene.callbacks().len(), 1);
    }
}

#[test]
fn after_shutdown_calls_are_cancelled() {
    let scene = PlainScene::new(PlainNode::default(), OfferOptions::default());
    let client = &scene.wallet.client;
    block_on(client.shutdown());
    block_on(client.shutdown());
    let cancelled = LnurlChannelError::Cancelled;
    assert_eq!(accept(&scene.request), Err(cancelled.clone()));
    assert_eq!(ask_again(&scene.request), Err(cancelled.clone()));
    assert_eq!(cancel(&scene.request), Err(cancelled.clone()));
    assert_eq!(dismiss(&scene.request), Err(cancelled.clone()));
    scene.request.pause();
    // Whether or not the offer is still at hand, and however its tasks are scheduled.
    for _ in 0..20 {
        let fetched = fetch(client, &scene.offer.lnurl);
        assert_eq!(fetched.err(), Some(cancelled.clone()));
    }
    let lnurl = decode_lnurl(scene.offer.lnurl.clone()).unwrap();
    let taken = client.take_answer(lnurl, "{}".into());
    assert_eq!(taken.err(), Some(cancelled));
    client.check_peers();
    assert_eq!(scene.wallet.node.called.all(), []);
}

#[test]
fn shutdown_lets_go_of_the_node_and_the_listener() {
    let (scene, call) = PlainScene::at(Stage::Awaiting);
    block_on(scene.wallet.client.shutdown());
    call.end().unwrap_err();
    assert_eq!(Arc::strong_count(&scene.wallet.node), 1);
    assert_eq!(Arc::strong_count(&scene.wallet.listener), 1);
}

#[test]
fn shutdown_waits_for_callbacks_that_run() {
    let (scene, call) = PlainScene::at(Stage::Connecting);
    let client = scene.wallet.client.clone();
    let shutdown = start(async move { client.shutdown().await });
    assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    assert!(shutdown.runs(), "connect still runs");
    assert!(Arc::strong_count(&scene.wallet.node) > 1);
    scene.gate.open();
    shutdown.end();
    assert_eq!(Arc::strong_count(&scene.wallet.node), 1);
    assert_eq!(scene.callbacks(), [""; 0]);
}

#[test]
fn shutdown_ends_a_fetch() {
    let options = OfferOptions {
        fault_step: Step::Offer,
        ..habits(&[Habit::SilentCallback])
    };
    let scene = PlainScene::with(PlainNode::default(), OfferOptions::default(), hasty_config);
    let service = scene.wallet.testbed.service();
    let silent = service.offer(options);
    let client = scene.wallet.client.clone();
    let fetched = start(async move {
        let lnurl = decode_lnurl(silent.lnurl).unwrap();
        client.fetch(lnurl).await.err()
    });
    let second_get = |requests: &[SeenRequest]| requests.len() == 2;
    assert!(service.wait_for_requests(LIMIT, second_get).is_some());
    block_on(scene.wallet.client.shutdown());
    assert_eq!(fetched.end(), Some(LnurlChannelError::Cancelled));
}
