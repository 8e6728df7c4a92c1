//! The wallet's own code: it calls back into the client, panics, throws, blocks, and returns what
//! cannot be used. And what the client asks of it.

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::{Duration, Instant};

use lnurl_channel::{
    ChannelClient, ChannelConcern, ChannelRequestState, ChannelStage, ChannelStep, ChannelVerdict,
    ChannelVisibility, ClientConfig, LnurlChannelError, NodeProblem, WalletNodeError,
};
use lnurl_channel_testbed::{Habit, OfferOptions};

use support::block_on;
use support::listener::Listener;
use support::plain::{Called, Gate, NODE_ID, PlainNode, PlainScene, PlainWallet, p2wpkh};
use support::scene::{
    CallResult, accept, ask_again, funded_channel, habits, hasty_config, hosted, kept,
    patient_config, start_accept, state, wait_for_state, wait_until,
};
use support::wallet::channel;

/// More than the time limits of these tests, less than a hang.
const FAST: Duration = Duration::from_secs(8);

fn silent() -> OfferOptions {
    habits(&[Habit::OkAndNeverOpens])
}

/// That the node failed before anybody was told, for a reason that names `named`; and that the
/// request is an offer as before.
fn assert_node_failed(scene: &PlainScene, result: CallResult, wanted: NodeProblem, named: &str) {
    let Err(LnurlChannelError::NodeFailed { problem, reason }) = result else {
        panic!("{result:?}");
    };
    assert_eq!(problem, wanted, "{reason}");
    assert!(reason.contains(named), "{reason}");
    let snapshot = scene.request.snapshot();
    assert_eq!(snapshot.state, ChannelRequestState::Offered);
    assert_eq!(snapshot.concerns, [ChannelConcern::NodeFailed { problem }]);
    assert_eq!(kept(&scene.wallet.client), [scene.request.request_id()]);
    assert_eq!(scene.callbacks(), [""; 0]);
}

fn assert_no_channel(result: CallResult) {
    let no_channel = matches!(result, Err(LnurlChannelError::NoChannel { .. }));
    assert!(no_channel, "{result:?}");
}

/// Unwinds as a panic does, without its message on the terminal.
fn panics() -> Result<(), WalletNodeError> {
    std::panic::resume_unwind(Box::new("a bug of the wallet"))
}

fn fails(reason: &str) -> Result<(), WalletNodeError> {
    Err(WalletNodeError::Failed {
        reason: reason.to_owned(),
    })
}

/// A method that goes wrong.
struct Faulty {
    node: PlainNode,
    /// The offer that leads to it.
    options: OfferOptions,
    name: &'static str,
    /// What it is when the method throws.
    problem: NodeProblem,
}

/// A node for each method that can go wrong before the service is asked.
fn nodes(
    fault: impl Fn() -> Result<(), WalletNodeError> + Clone + Send + Sync + 'static,
) -> Vec<Faulty> {
    let [node_id, readiness, connect, script, send] = std::array::from_fn(|_| fault.clone());
    let good = PlainNode::default;
    let funded = [
        (
            PlainNode {
                node_id: Box::new(move |()| node_id().map(|()| NODE_ID.to_owned())),
                ..good()
            },
            "node_id",
            NodeProblem::Failed,
        ),
        (
            PlainNode {
                readiness: Box::new(move |_| readiness().map(|()| Vec::new())),
                ..good()
            },
            "readiness",
            NodeProblem::Failed,
        ),
        (
            PlainNode {
                connect: Box::new(move |_| connect().map(|()| true)),
                ..good()
            },
            "connect",
            NodeProblem::NotConnected,
        ),
    ];
    let of_hosts = [
        (
            PlainNode {
                script: Box::new(move |_| script().map(|()| p2wpkh())),
                ..good()
            },
            "refund_script_pubkey",
            NodeProblem::Failed,
        ),
        (
            PlainNode {
                send: Box::new(move |_| send().map(|()| true)),
                ..good()
            },
            "send_peer_message",
            NodeProblem::Failed,
        ),
    ];
    let faulty = |options: fn() -> OfferOptions| {
        move |(node, name, problem)| Faulty {
            node,
            options: options(),
            name,
            problem,
        }
    };
    let funded = funded.into_iter().map(faulty(silent));
    funded
        .chain(of_hosts.into_iter().map(faulty(|| hosted(&[]))))
        .collect()
}

// ---- panics, exceptions, and nonsense ----

#[test]
fn a_panic_fails_the_node_and_no_more() {
    for faulty in nodes(panics) {
        let scene = PlainScene::new(faulty.node, faulty.options);
        for _ in 0..2 {
            let result = accept(&scene.request);
            assert_node_failed(&scene, result, faulty.problem, faulty.name);
        }
    }
}

#[test]
fn an_exception_fails_the_node_with_its_reason() {
    for faulty in nodes(|| fails("the node is asleep")) {
        let scene = PlainScene::new(faulty.node, faulty.options);
        let result = accept(&scene.request);
        assert_node_failed(&scene, result, faulty.problem, "the node is asleep");
    }
    let unsupported = || {
        Err(WalletNodeError::Unsupported {
            reason: "no such thing".into(),
        })
    };
    for faulty in nodes(unsupported) {
        let scene = PlainScene::new(faulty.node, faulty.options);
        let result = accept(&scene.request);
        assert_node_failed(&scene, result, NodeProblem::Unsupported, "no such thing");
    }
}

#[test]
fn a_reason_of_the_wallet_tells_no_secret() {
    let reason = Arc::new(OnceLock::new());
    let told: Arc<OnceLock<String>> = reason.clone();
    let node = PlainNode {
        connect: Box::new(move |_| {
            let reason = told.get().cloned().unwrap_or_default();
            Err(WalletNodeError::Failed { reason })
        }),
        ..PlainNode::default()
    };
    let scene = PlainScene::new(node, silent());
    let k1 = scene.offer.k1.clone();
    reason.set(format!("could not do {k1} at all")).unwrap();
    let result = accept(&scene.request);
    assert!(!format!("{result:?}").contains(&k1));
    let problem = NodeProblem::NotConnected;
    assert_node_failed(&scene, result, problem, "could not do … at all");
}

#[test]
fn a_false_connect_fails_the_node() {
    let node = PlainNode {
        connect: Box::new(|_| Ok(false)),
        ..PlainNode::default()
    };
    let scene = PlainScene::new(node, silent());
    let result = accept(&scene.request);
    assert_node_failed(&scene, result, NodeProblem::NotConnected, "connect");
}

#[test]
fn node_ids_are_checked() {
    let off_the_curve = format!("02{}", "ff".repeat(32));
    let uncompressed = format!("04{}", "11".repeat(64));
    for node_id in ["", "abc", &NODE_ID[..64], &off_the_curve, &uncompressed] {
        let node_id = node_id.to_owned();
        let node = PlainNode {
            node_id: Box::new(move |()| Ok(node_id.clone())),
            ..PlainNode::default()
        };
        let scene = PlainScene::new(node, silent());
        let result = accept(&scene.request);
        assert_node_failed(&scene, result, NodeProblem::Failed, "node_id");
        assert_eq!(scene.wallet.node.connects(), 0);
    }
}

#[test]
fn an_offer_of_the_wallets_own_node_is_turned_down() {
    let own_id = Arc::new(OnceLock::new());
    let told: Arc<OnceLock<String>> = own_id.clone();
    let node = PlainNode {
        node_id: Box::new(move |()| Ok(told.get().cloned().unwrap_or_default())),
        ..PlainNode::default()
    };
    let scene = PlainScene::new(node, silent());
    own_id.set(scene.wallet.peer().to_uppercase()).unwrap();
    assert_eq!(accept(&scene.request), Err(LnurlChannelError::OwnNode));
    assert_eq!(state(&scene.request), ChannelRequestState::Offered);
    assert_eq!(scene.wallet.node.connects(), 0);
    assert_eq!(scene.callbacks(), [""; 0]);
}

#[test]
fn what_a_listener_throws_changes_nothing() {
    for result in [panics, || fails("not now")] {
        let listener = Listener::that(move |_, _| result());
        let node = PlainNode::default();
        let scene = PlainScene::heard_by(listener, node, silent(), patient_config);
        let call = start_accept(&scene.request);
        scene.wallet.wait_for_callbacks(1);
        scene.fund("01");
        funded_channel(call.end());
        scene.wallet.listener.wait_for(ChannelStep::Arrived, 1);
    }
}

// ---- code that blocks ----

#[test]
fn a_method_that_blocks_ends_with_its_time_limit() {
    let gate = Gate::default();
    let blocked = gate.clone();
    let blocks = move || {
        blocked.pass();
        Ok(())
    };
    for faulty in nodes(blocks) {
        let (node, options, name) = (faulty.node, faulty.options, faulty.name);
        let scene = PlainScene::with(node, options, hasty_config);
        let start = Instant::now();
        let result = accept(&scene.request);
        assert!(start.elapsed() < FAST, "{name}: {:?}", start.elapsed());
        if name == "send_peer_message" {
            // It may have been sent.
            assert_no_channel(result);
            let unknown = ChannelRequestState::OutcomeUnknown;
            assert_eq!(state(&scene.request), unknown);
        } else {
            assert_node_failed(&scene, result, NodeProblem::TimedOut, name);
        }
    }
    gate.open();
}

#[test]
fn a_hung_connect_is_joined() {
    let gate = Gate::default();
    let blocked = gate.clone();
    let node = PlainNode {
        connect: Box::new(move |_| {
            blocked.pass();
            Ok(true)
        }),
        ..PlainNode::default()
    };
    let scene = PlainScene::with(node, silent(), hasty_config);
    for _ in 0..2 {
        let result = accept(&scene.request);
        assert_node_failed(&scene, result, NodeProblem::TimedOut, "connect");
    }
    assert_eq!(scene.wallet.node.connects(), 1);
    let call = start_accept(&scene.request);
    gate.open();
    scene.wallet.wait_for_callbacks(1);
    assert_no_channel(call.end());
}

#[test]
fn a_listener_that_blocks_stops_nothing_and_hears_the_last_snapshot() {
    let gate = Gate::default();
    let blocked = gate.clone();
    let listener = Listener::that(move |_, _| {
        blocked.pass();
        Ok(())
    });
    let node = PlainNode::default();
    let scene = PlainScene::heard_by(listener, node, silent(), patient_config);
    let start = Instant::now();
    let call = start_accept(&scene.request);
    scene.wallet.wait_for_callbacks(1);
    scene.fund("01");
    funded_channel(call.end());
    assert!(start.elapsed() < FAST);
    let heard = scene.wallet.listener.heard.all();
    assert_eq!(heard.len(), 1, "one call at a time");
    gate.open();
    let last = scene.request.snapshot();
    let listener = &scene.wallet.listener;
    listener.wait_until("the last snapshot", |heard| *heard == last);
}

// ---- calls into the client from within its callbacks ----

/// A client that its own node, or listener, knows.
#[derive(Clone, Default)]
struct Known(Arc<Mutex<Weak<ChannelClient>>>);

impl Known {
    fn client(&self) -> Arc<ChannelClient> {
        self.0.lock().unwrap().upgrade().expect("it is known")
    }

    fn set(&self, scene: &PlainScene) {
        *self.0.lock().unwrap() = Arc::downgrade(&scene.wallet.client);
    }
}

#[test]
fn every_callback_may_call_the_client() {
    let known = Known::default();
    let read = {
        let known = known.clone();
        move || {
            let client = known.client();
            for request in client.requests() {
                let held = client.request(request.request_id.clone()).unwrap();
                assert!(held.snapshot().revision >= request.revision);
            }
            client.check_peers();
            let stranger = channel(NODE_ID, ChannelStage::Proposed, "07");
            let verdict = client.report_incoming_channel(stranger);
            assert_eq!(verdict, ChannelVerdict::Unrequested);
            assert!(!client.report_peer_message(NODE_ID.into(), 65533, vec![]));
            client.report_channel_closed(NODE_ID.into(), Some("07".into()), None);
            client.report_peer_connection(NODE_ID.into(), true);
            Ok(())
        }
    };
    for faulty in nodes(read.clone()) {
        let on_change = read.clone();
        let listener = Listener::that(move |_, _| on_change());
        let (node, options) = (faulty.node, faulty.options);
        let scene = PlainScene::heard_by(listener, node, options, hasty_config);
        known.set(&scene);
        assert_no_channel(accept(&scene.request));
    }
}

#[test]
fn a_report_from_within_a_listener_ends_the_call() {
    let known = Known::default();
    let in_listener = known.clone();
    let listener = Listener::that(move |request, step| {
        if step == ChannelStep::Agreed {
            let peer_id = &request.offer.peer.node_id;
            let funded = channel(peer_id, ChannelStage::Funded, "01");
            in_listener.client().report_incoming_channel(funded);
        }
        Ok(())
    });
    let node = PlainNode::default();
    let scene = PlainScene::heard_by(listener, node, silent(), patient_config);
    known.set(&scene);
    let arrived = funded_channel(accept(&scene.request));
    assert_eq!(arrived.channel_id.as_deref(), Some("01"));
}

/// A result is handed over after the listener has heard. What arrives meanwhile is not lost.
#[test]
fn an_arrival_while_a_refusal_is_handed_over_is_not_lost() {
    let gate = Gate::default();
    let held_up = gate.clone();
    let listener = Listener::that(move |_, _| {
        held_up.pass();
        Ok(())
    });
    let (node, options) = (PlainNode::default(), habits(&[Habit::ErrorAnswer]));
    let scene = PlainScene::heard_by(listener, node, options, patient_config);
    let call = start_accept(&scene.request);
    wait_for_state(&scene.request, ChannelRequestState::Refused);
    scene.fund("01");
    gate.open();
    let result = call.end();
    assert!(
        matches!(result, Err(LnurlChannelError::Refused { .. })),
        "{result:?}"
    );
    let arrived = funded_channel(accept(&scene.request));
    assert_eq!(arrived.channel_id.as_deref(), Some("01"));
}

#[test]
fn a_listener_may_pause_and_cancel() {
    for cancels in [false, true] {
        let known = Known::default();
        let in_listener = known.clone();
        let listener = Listener::that(move |request, step| {
            if step == ChannelStep::Agreed {
                let client = in_listener.client();
                let request = client.request(request.request_id.clone()).unwrap();
                match cancels {
                    true => block_on(request.cancel()).unwrap(),
                    false => request.pause(),
                }
            }
            Ok(())
        });
        let node = PlainNode::default();
        let scene = PlainScene::heard_by(listener, node, silent(), patient_config);
        known.set(&scene);
        assert_eq!(accept(&scene.request), Err(LnurlChannelError::Cancelled));
        let wanted = match cancels {
            true => ChannelRequestState::Cancelled,
            false => ChannelRequestState::Awaiting,
        };
        assert_eq!(state(&scene.request), wanted);
        // The call ends before the service is told.
        scene.wallet.wait_for_callbacks(1 + usize::from(cancels));
    }
}

#[test]
fn a_listener_may_shut_the_client_down() {
    let known = Known::default();
    let in_listener = known.clone();
    let listener = Listener::that(move |_, step| {
        if step == ChannelStep::Agreed {
            block_on(in_listener.client().shutdown());
        }
        Ok(())
    });
    let node = PlainNode::default();
    let scene = PlainScene::heard_by(listener, node, silent(), hasty_config);
    known.set(&scene);
    let start = Instant::now();
    assert_eq!(accept(&scene.request), Err(LnurlChannelError::Cancelled));
    assert_eq!(state(&scene.request), ChannelRequestState::Awaiting);
    block_on(scene.wallet.client.shutdown());
    assert!(start.elapsed() < FAST);
}

// ---- the peer ----

fn connects_once() -> PlainNode {
    let connected = AtomicBool::new(false);
    PlainNode {
        connect: Box::new(move |_| Ok(!connected.swap(true, Ordering::Relaxed))),
        ..PlainNode::default()
    }
}

#[test]
fn a_lost_peer_is_connected_again_until_it_is_there() {
    let scene = PlainScene::new(connects_once(), silent());
    let call = start_accept(&scene.request);
    wait_for_state(&scene.request, ChannelRequestState::Awaiting);
    assert!(scene.request.snapshot().is_peer_connected);
    for connects in [2, 3] {
        scene.wallet.client.check_peers();
        scene.wallet.node.wait_for_connects(connects);
    }
    scene.wallet.listener.wait_for(ChannelStep::Reconnecting, 1);
    assert!(!scene.request.snapshot().is_peer_connected);
    scene.fund("01");
    funded_channel(call.end());
    assert_eq!(scene.callbacks().len(), 1);
}

#[test]
fn a_reported_loss_of_the_peer_leads_to_a_connect_at_once() {
    let scene = PlainScene::with(PlainNode::default(), silent(), |testbed| ClientConfig {
        reconnect_seconds: 60,
        ..patient_config(testbed)
    });
    let wallet = &scene.wallet;
    let call = start_accept(&scene.request);
    wait_for_state(&scene.request, ChannelRequestState::Awaiting);
    assert_eq!(wallet.node.connects(), 1);
    wallet.lose_peer();
    wallet.node.wait_for_connects(2);
    wait_until("the peer is back", || {
        scene.request.snapshot().is_peer_connected
    });
    scene.request.pause();
    call.end().unwrap_err();

    wallet.lose_peer();
    assert!(!scene.request.snapshot().is_peer_connected);
    wallet.client.report_peer_connection(wallet.peer(), true);
    assert!(scene.request.snapshot().is_peer_connected);
    assert_eq!(wallet.node.connects(), 2, "no call waits for the peer");
}

#[test]
fn a_peer_that_is_not_connected_is_named_as_a_concern() {
    let scene = PlainScene::with(connects_once(), silent(), |testbed| ClientConfig {
        channel_timeout_seconds: 2,
        ..hasty_config(testbed)
    });
    let result = accept(&scene.request);
    let Err(LnurlChannelError::NoChannel { concerns, .. }) = result else {
        panic!("{result:?}");
    };
    assert_eq!(concerns, [ChannelConcern::PeerNotConnected]);
}

#[test]
fn a_peer_is_released_once_when_no_request_needs_it_any_more() {
    let wallet = PlainWallet::default();
    let first = wallet.waiting(ChannelVisibility::Unannounced);
    let second = wallet.waiting(ChannelVisibility::Unannounced);
    block_on(first.cancel()).unwrap();
    assert_eq!(wallet.node.releases(), 0, "the second needs it");
    block_on(second.cancel()).unwrap();
    let release =
        |call: &Called| matches!(call, Called::Release(peer) if peer.node_id == wallet.peer());
    wallet.node.wait_for(1, release);
    block_on(second.cancel()).unwrap();
    block_on(wallet.client.shutdown());
    assert_eq!(wallet.node.releases(), 1);
}

#[test]
fn a_peer_is_released_when_the_service_cannot_be_asked() {
    let options = OfferOptions::default();
    let scene = PlainScene::new(PlainNode::default(), options);
    let PlainScene {
        request, wallet, ..
    } = scene;
    drop(wallet.testbed);
    let error = accept(&request).unwrap_err();
    let unreachable = matches!(error, LnurlChannelError::Unreachable { .. });
    assert!(unreachable, "{error:?}");
    let is_release = |call: &Called| matches!(call, Called::Release(_));
    wallet.node.wait_for(1, is_release);
}

#[test]
fn a_peer_that_refused_is_released_when_the_refusal_is_dismissed() {
    let wallet = PlainWallet::default();
    let request = wallet.refused();
    assert_eq!(wallet.node.releases(), 0, "a channel may still come");
    block_on(request.dismiss()).unwrap();
    wallet
        .node
        .wait_for(1, |call| matches!(call, Called::Release(_)));
}

#[test]
fn a_peer_whose_channel_arrived_is_not_released() {
    let scene = PlainScene::new(PlainNode::default(), silent());
    let call = start_accept(&scene.request);
    wait_for_state(&scene.request, ChannelRequestState::Awaiting);
    scene.fund("01");
    funded_channel(call.end());
    scene.wallet.ready("01");
    block_on(scene.request.dismiss()).unwrap();
    block_on(scene.wallet.client.shutdown());
    assert_eq!(scene.wallet.node.releases(), 0);
}

#[test]
fn a_release_that_goes_wrong_changes_nothing() {
    let gate = Gate::default();
    let blocked = gate.clone();
    let ways: [Box<dyn Fn() -> Result<(), WalletNodeError> + Send + Sync>; 3] = [
        Box::new(panics),
        Box::new(|| fails("not now")),
        Box::new(move || {
            blocked.pass();
            Ok(())
        }),
    ];
    for way in ways {
        let node = PlainNode {
            release: Box::new(move |_| way()),
            ..PlainNode::default()
        };
        let wallet = PlainWallet::with(node, Listener::default(), patient_config);
        let request = wallet.cancelled();
        assert_eq!(state(&request), ChannelRequestState::Cancelled);
        wallet
            .node
            .wait_for(1, |call| matches!(call, Called::Release(_)));
        let (next, call) = wallet.running(ChannelVisibility::Unannounced);
        wallet.fund("02");
        funded_channel(call.end());
        assert_eq!(state(&next), ChannelRequestState::Arrived);
    }
    gate.open();
}

// ---- what the listener hears ----

#[test]
fn snapshots_come_in_order_and_tell_no_secret() {
    let scene = PlainScene::with(PlainNode::default(), silent(), hasty_config);
    assert_no_channel(accept(&scene.request));
    let again = start_accept(&scene.request);
    scene.fund("01");
    funded_channel(again.end());
    let last = scene.request.snapshot();
    let listener = &scene.wallet.listener;
    listener.wait_until("the last snapshot", |heard| *heard == last);
    let heard = listener.heard.all();
    let revisions: Vec<u64> = heard.iter().map(|(request, _)| request.revision).collect();
    assert!(
        revisions.is_sorted_by(|one, next| one < next),
        "{revisions:?}"
    );
    let text = format!("{heard:?}");
    assert!(!text.contains(&scene.offer.k1));
    assert!(!text.contains("?q="));
    let is_hosted = |call: &Called| matches!(call, Called::Send(..) | Called::Script(_));
    assert_eq!(scene.wallet.node.count(is_hosted), 0);
    let wrong = LnurlChannelError::WrongState { state: last.state };
    assert_eq!(ask_again(&scene.request), Err(wrong));
}

#[test]
fn a_listener_hears_of_each_end() {
    let wallet = PlainWallet::default();
    let (refused, cancelled) = (wallet.refused(), wallet.cancelled());
    for request in [refused, cancelled] {
        let last = request.snapshot();
        wallet
            .listener
            .wait_until("the end", |heard| *heard == last);
    }
    let request = wallet.waiting(ChannelVisibility::Unannounced);
    let paused = request.snapshot();
    assert!(!paused.is_running);
    let listener = &wallet.listener;
    listener.wait_until("the pause", |heard| *heard == paused);
}

/// Each call of the listener comes after the change is among `requests`.
#[test]
fn a_listener_sees_in_requests_what_it_is_told() {
    let known = Known::default();
    let in_listener = known.clone();
    let behind = Arc::new(AtomicBool::new(false));
    let fell_behind = behind.clone();
    let listener = Listener::that(move |request, _| {
        let shown = in_listener.client().requests();
        let shown = shown
            .iter()
            .find(|shown| shown.request_id == request.request_id);
        let is_behind = shown.is_none_or(|shown| shown.revision < request.revision);
        fell_behind.fetch_or(is_behind, Ordering::SeqCst);
        Ok(())
    });
    let node = PlainNode::default();
    let scene = PlainScene::heard_by(listener, node, silent(), patient_config);
    known.set(&scene);
    let call = start_accept(&scene.request);
    wait_for_state(&scene.request, ChannelRequestState::Awaiting);
    scene.fund("01");
    funded_channel(call.end());
    scene.wallet.listener.wait_for(ChannelStep::Arrived, 1);
    assert!(!behind.load(Ordering::SeqCst));
}
