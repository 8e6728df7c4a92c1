//! The wallet's own code: it calls back into the client, panics, throws, blocks, and talks nonsense.

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::{Duration, Instant};

use lnurl_channel::{
    ChannelClient, ChannelEvent, ChannelOutcome, ChannelRequestState, ChannelVerdict,
    ChannelVisibility, IncomingChannel, LnurlChannelError, WalletNodeError,
};
use lnurl_channel_testbed::{Habit, OfferOptions};

use support::block_on;
use support::plain::{Called, Gate, NODE_ID, PlainNode, PlainScene};
use support::scene::{
    CallResult, habits, hasty_config, hosted, opening, proposal, start_accept, unfinished,
    wait_for_state,
};

/// More than the time limits of these tests, less than a hang.
const FAST: Duration = Duration::from_secs(8);

fn accept(scene: &PlainScene) -> CallResult {
    block_on(scene.request.accept(ChannelVisibility::Unannounced))
}

fn silent() -> OfferOptions {
    habits(&[Habit::OkAndNeverOpens])
}

/// That the node failed before anybody was told, for a reason that names `named`; and that the
/// request is an offer as before.
fn assert_node_failed(scene: &PlainScene, result: CallResult, named: &str) {
    let Err(LnurlChannelError::NodeFailed { reason }) = result else {
        panic!("{result:?}");
    };
    assert!(reason.contains(named), "{reason}");
    assert_eq!(scene.request.state(), ChannelRequestState::Offered);
    assert!(unfinished(&scene.client).is_empty());
    assert!(scene.callbacks().is_empty());
}

fn assert_no_channel(result: CallResult) {
    let no_channel = matches!(result, Err(LnurlChannelError::NoChannel { .. }));
    assert!(no_channel, "{result:?}");
}

/// Unwinds as a panic does, without its message on the terminal.
fn panics() -> Result<(), WalletNodeError> {
    std::panic::resume_unwind(Box::new("a bug of the wallet"))
}

/// A node for each way that its methods can go wrong, with the offer that leads there, and the
/// method's name.
fn nodes(
    fails: impl Fn() -> Result<(), WalletNodeError> + Clone + Send + Sync + 'static,
) -> Vec<(PlainNode, OfferOptions, &'static str)> {
    let (node_id, connect, send, script) = (fails.clone(), fails.clone(), fails.clone(), fails);
    vec![
        (
            PlainNode {
                node_id: Box::new(move |()| node_id().map(|()| NODE_ID.to_owned())),
                ..PlainNode::default()
            },
            silent(),
            "node_id",
        ),
        (
            PlainNode {
                connect: Box::new(move |_| connect().map(|()| true)),
                ..PlainNode::default()
            },
            silent(),
            "connect",
        ),
        (
            PlainNode {
                script: Box::new(move |_| script().map(|()| support::plain::p2wpkh())),
                ..PlainNode::default()
            },
            hosted(&[]),
            "refund_script_pubkey",
        ),
        (
            PlainNode {
                send: Box::new(move |_| send().map(|()| true)),
                ..PlainNode::default()
            },
            hosted(&[]),
            "send_peer_message",
        ),
    ]
}

// ---- panics, exceptions, and nonsense ----

#[test]
fn a_panic_fails_the_node_and_no_more() {
    for (node, options, method) in nodes(panics) {
        let scene = PlainScene::new(node, options);
        for _ in 0..2 {
            let result = accept(&scene);
            assert_node_failed(&scene, result, method);
        }
    }
}

#[test]
fn an_exception_fails_the_node_with_its_reason() {
    let failed = || WalletNodeError::Failed {
        reason: "the node is asleep".into(),
    };
    for (node, options, _) in nodes(move || Err(failed())) {
        let scene = PlainScene::new(node, options);
        let result = accept(&scene);
        assert_node_failed(&scene, result, "the node is asleep");
    }
    let unsupported = || WalletNodeError::Unsupported {
        reason: "no such thing".into(),
    };
    for (node, options, _) in nodes(move || Err(unsupported())) {
        let scene = PlainScene::new(node, options);
        let result = accept(&scene);
        assert_node_failed(&scene, result, "not supported: no such thing");
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
    let result = accept(&scene);
    assert!(!format!("{result:?}").contains(&k1));
    assert_node_failed(&scene, result, "could not do … at all");
}

#[test]
fn a_false_connect_fails_the_node() {
    let node = PlainNode {
        connect: Box::new(|_| Ok(false)),
        ..PlainNode::default()
    };
    let scene = PlainScene::new(node, silent());
    let result = accept(&scene);
    assert_node_failed(&scene, result, "connect");
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
        let result = accept(&scene);
        assert_node_failed(&scene, result, "node_id");
        assert_eq!(scene.node.connects(), 0);
    }
}

#[test]
fn the_wallets_own_key_is_no_target() {
    let own_id = Arc::new(OnceLock::new());
    let told: Arc<OnceLock<String>> = own_id.clone();
    let node = PlainNode {
        node_id: Box::new(move |()| Ok(told.get().cloned().unwrap_or_default())),
        ..PlainNode::default()
    };
    let scene = PlainScene::new(node, silent());
    own_id
        .set(scene.testbed.target().id().to_uppercase())
        .unwrap();
    accept(&scene).unwrap_err();
    assert_eq!(scene.request.state(), ChannelRequestState::Offered);
    assert_eq!(scene.node.connects(), 0);
    assert!(scene.callbacks().is_empty());
}

#[test]
fn events_that_are_thrown_back_change_nothing() {
    let results: [fn() -> Result<(), WalletNodeError>; 2] = [panics, || {
        Err(WalletNodeError::Failed {
            reason: "not now".into(),
        })
    }];
    for result in results {
        let node = PlainNode {
            on_event: Box::new(move |_| result()),
            ..PlainNode::default()
        };
        let scene = PlainScene::new(node, silent());
        let call = start_accept(&scene.request);
        scene.wait_for_callbacks(1);
        scene
            .client
            .report_incoming_channel(proposal(&scene.testbed, 1));
        opening(call.end());
        let events = scene.node.events();
        assert!(matches!(events[0], ChannelEvent::Connecting { .. }));
        assert!(matches!(events[1], ChannelEvent::Requesting { .. }));
        assert!(matches!(events.last(), Some(ChannelEvent::Arrived { .. })));
    }
}

// ---- code that blocks ----

#[test]
fn a_method_that_blocks_ends_with_its_time_limit() {
    let gate = Gate::default();
    let blocked = gate.clone();
    for (node, options, method) in nodes(move || {
        blocked.pass();
        Ok(())
    }) {
        let scene = PlainScene::with(node, options, hasty_config);
        let start = Instant::now();
        let result = accept(&scene);
        assert!(start.elapsed() < FAST, "{method}: {:?}", start.elapsed());
        if method == "send_peer_message" {
            // It may have been sent.
            let unknown = matches!(result, Err(LnurlChannelError::OutcomeUnknown { .. }));
            assert!(unknown, "{result:?}");
            assert_eq!(scene.request.state(), ChannelRequestState::OutcomeUnknown);
            assert_eq!(unfinished(&scene.client), [scene.request.request_id()]);
        } else {
            assert_node_failed(&scene, result, method);
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
        let result = accept(&scene);
        assert_node_failed(&scene, result, "connect");
    }
    assert_eq!(scene.node.connects(), 1);
    let call = start_accept(&scene.request);
    gate.open();
    scene.wait_for_callbacks(1);
    assert_no_channel(call.end());
}

#[test]
fn an_event_that_blocks_stops_nothing() {
    let gate = Gate::default();
    let blocked = gate.clone();
    let node = PlainNode {
        on_event: Box::new(move |_| {
            blocked.pass();
            Ok(())
        }),
        ..PlainNode::default()
    };
    let scene = PlainScene::new(node, silent());
    let start = Instant::now();
    let call = start_accept(&scene.request);
    scene.wait_for_callbacks(1);
    scene
        .client
        .report_incoming_channel(proposal(&scene.testbed, 1));
    opening(call.end());
    assert!(start.elapsed() < FAST);
    assert_eq!(scene.node.events().len(), 1, "one at a time");
    gate.open();
    scene
        .node
        .wait_for_event(|event| matches!(event, ChannelEvent::Arrived { .. }));
}

// ---- calls into the client from within its callbacks ----

/// A client that its own node knows.
#[derive(Clone, Default)]
struct Known(Arc<Mutex<Weak<ChannelClient>>>);

impl Known {
    fn client(&self) -> Arc<ChannelClient> {
        self.0.lock().unwrap().upgrade().expect("it is known")
    }

    fn is_of(&self, scene: &PlainScene) {
        *self.0.lock().unwrap() = Arc::downgrade(&scene.client);
    }
}

#[test]
fn every_callback_may_call_the_client() {
    let known = Known::default();
    let peek = {
        let known = known.clone();
        move || {
            let client = known.client();
            for request in client.unfinished_requests() {
                let _ = (request.state(), request.outcome(), request.is_running());
                assert!(client.request(request.request_id()).is_some());
            }
            client.check_peers();
            let stranger = IncomingChannel {
                peer_id: NODE_ID.into(),
                channel_id: "07".repeat(32),
                stage: lnurl_channel::ChannelStage::Proposed,
                former_channel_id: None,
                capacity_sat: None,
                push_msat: None,
                is_announced: None,
            };
            let verdict = client.report_incoming_channel(stranger);
            assert_eq!(verdict, ChannelVerdict::Unrequested);
            assert!(!client.report_peer_message(NODE_ID.into(), 65533, vec![]));
            client.report_channel_failed(NODE_ID.into(), "07".repeat(32));
            Ok(())
        }
    };
    for (mut node, options, _) in nodes(peek.clone()) {
        let on_event = peek.clone();
        node.on_event = Box::new(move |_| on_event());
        let scene = PlainScene::with(node, options, hasty_config);
        known.is_of(&scene);
        assert_no_channel(accept(&scene));
    }
}

#[test]
fn a_report_from_within_an_event_ends_the_call() {
    let known = Known::default();
    let (in_event, channel) = (known.clone(), Arc::new(OnceLock::<IncomingChannel>::new()));
    let reported = channel.clone();
    let node = PlainNode {
        on_event: Box::new(move |event| {
            if matches!(event, ChannelEvent::AwaitingChannel { .. }) {
                let channel = reported.get().cloned().unwrap();
                in_event.client().report_incoming_channel(channel);
            }
            Ok(())
        }),
        ..PlainNode::default()
    };
    let scene = PlainScene::new(node, silent());
    known.is_of(&scene);
    channel.set(proposal(&scene.testbed, 1)).unwrap();
    let channel = channel.get().cloned().unwrap();
    assert_eq!(accept(&scene), Ok(ChannelOutcome::Opening { channel }));
}

/// A result is handed over after the events. What arrives meanwhile is not what the call tells.
#[test]
fn an_arrival_while_a_refusal_is_handed_over_is_not_lost() {
    let gate = Gate::default();
    let held_up = gate.clone();
    let node = PlainNode {
        on_event: Box::new(move |_| {
            held_up.pass();
            Ok(())
        }),
        ..PlainNode::default()
    };
    let scene = PlainScene::new(node, habits(&[Habit::ErrorAnswer]));
    let call = start_accept(&scene.request);
    wait_for_state(&scene.request, ChannelRequestState::Refused);
    let channel = proposal(&scene.testbed, 1);
    scene.client.report_incoming_channel(channel.clone());
    gate.open();
    let result = call.end();
    assert!(
        matches!(result, Err(LnurlChannelError::Refused { .. })),
        "{result:?}"
    );
    assert_eq!(unfinished(&scene.client), [scene.request.request_id()]);
    assert_eq!(opening(block_on(scene.request.resume())), channel);
    assert!(unfinished(&scene.client).is_empty());
}

#[test]
fn an_event_may_pause_and_cancel() {
    for cancels in [false, true] {
        let known = Known::default();
        let in_event = known.clone();
        let node = PlainNode {
            on_event: Box::new(move |event| {
                if let ChannelEvent::AwaitingChannel { .. } = event {
                    let client = in_event.client();
                    let request = client.unfinished_requests().remove(0);
                    if cancels {
                        block_on(request.cancel()).unwrap();
                    } else {
                        assert!(request.pause());
                    }
                }
                Ok(())
            }),
            ..PlainNode::default()
        };
        let scene = PlainScene::new(node, silent());
        known.is_of(&scene);
        assert_eq!(accept(&scene), Err(LnurlChannelError::Cancelled));
        let state = if cancels {
            ChannelRequestState::Cancelled
        } else {
            ChannelRequestState::Awaiting
        };
        assert_eq!(scene.request.state(), state);
        // The call ends before the service is told.
        scene.wait_for_callbacks(1 + usize::from(cancels));
    }
}

#[test]
fn an_event_may_shut_the_client_down() {
    let known = Known::default();
    let in_event = known.clone();
    let node = PlainNode {
        on_event: Box::new(move |event| {
            if let ChannelEvent::AwaitingChannel { .. } = event {
                block_on(in_event.client().shutdown());
            }
            Ok(())
        }),
        ..PlainNode::default()
    };
    let scene = PlainScene::with(node, silent(), hasty_config);
    known.is_of(&scene);
    let start = Instant::now();
    assert_eq!(accept(&scene), Err(LnurlChannelError::Cancelled));
    assert_eq!(scene.request.state(), ChannelRequestState::Awaiting);
    block_on(scene.client.shutdown());
    assert!(start.elapsed() < FAST);
}

// ---- events ----

fn connects_once() -> PlainNode {
    let connected = AtomicBool::new(false);
    PlainNode {
        connect: Box::new(move |_| Ok(!connected.swap(true, Ordering::Relaxed))),
        ..PlainNode::default()
    }
}

#[test]
fn a_lost_peer_is_reported_and_tried_again() {
    let node = connects_once();
    let scene = PlainScene::new(node, silent());
    let call = start_accept(&scene.request);
    scene.wait_for_callbacks(1);
    for attempt in [1, 2] {
        scene.client.check_peers();
        scene.node.wait_for_event(
            |event| matches!(event, ChannelEvent::Reconnecting { attempt: n, .. } if *n >= attempt),
        );
    }
    scene
        .client
        .report_incoming_channel(proposal(&scene.testbed, 1));
    opening(call.end());
    assert_eq!(scene.callbacks().len(), 1);
}

#[test]
fn no_peer_is_named_as_the_cause() {
    let node = connects_once();
    let scene = PlainScene::with(node, silent(), |testbed| lnurl_channel::ClientConfig {
        channel_timeout_seconds: 2,
        ..hasty_config(testbed)
    });
    let result = accept(&scene);
    let Err(LnurlChannelError::NoChannel {
        peer_connected: false,
        reason,
    }) = result
    else {
        panic!("{result:?}");
    };
    assert!(reason.contains("not connected"), "{reason}");
}

#[test]
fn events_tell_no_secret() {
    let scene = PlainScene::with(PlainNode::default(), silent(), hasty_config);
    assert_no_channel(accept(&scene));
    let text = format!("{:?}", scene.node.events());
    assert!(!text.contains(&scene.offer.k1));
    assert!(!text.contains("?q="));
    let calls = scene.node.called.all();
    let unfit = calls
        .iter()
        .any(|call| matches!(call, Called::Send(..) | Called::Script(_)));
    assert!(!unfit, "funded channels need neither");
}
