//! LUD-07 between real nodes: the message to the byte, and what hosts make of it.

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use lnurl_channel::{
    ChannelConcern, ChannelKind, ChannelOutcome, ChannelRequestState, ChannelStep, ClientConfig,
    HostedChannelTerms, LnurlChannelError, NodeProblem, WalletNodeError, encode_lnurl,
};
use lnurl_channel_testbed::{Habit, OfferOptions, Over, ServiceOffer, Step};

use support::listener::Listener;
use support::plain::{Called, PlainNode, PlainScene, PlainWallet, p2wpkh};
use support::scene::{
    CallResult, Scene, accept, ask_again, fetch, gets, habits, hasty_config, hosted, kept,
    patient_config, prepare, start_accept, start_waiting_on, state, wait_until,
};
use support::{LIMIT, block_on};

const REGTEST: &str = "06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f";
const INIT_HOSTED_CHANNEL: u16 = 65533;
const ERROR: u16 = 63497;

fn terms() -> HostedChannelTerms {
    HostedChannelTerms {
        capacity_msat: 100_000_000,
        initial_client_balance_msat: 5_000,
        max_htlc_value_in_flight_msat: 100_000_000,
        htlc_minimum_msat: 1_000,
        max_accepted_htlcs: 30,
    }
}

/// What the host sends as `init_hosted_channel`.
fn init() -> Vec<u8> {
    let capacity = 100_000_000_u64.to_be_bytes();
    [
        &capacity[..],
        &1_000_u64.to_be_bytes(),
        &30_u16.to_be_bytes(),
        &capacity,
        &5_000_u64.to_be_bytes(),
        &0_u16.to_be_bytes(),
    ]
    .concat()
}

fn offered() -> ChannelOutcome {
    ChannelOutcome::HostedOffered {
        terms: terms(),
        message: init(),
    }
}

fn wait_for_invocations(scene: &Scene, count: usize) {
    let waited = scene.testbed.service().wait_for_invocations(LIMIT, count);
    assert!(waited.is_some(), "the host has no {count} invocations");
}

fn invocations(scene: &Scene) -> usize {
    scene.testbed.service().invocations().len()
}

/// That the time was over without an answer, with these concerns.
fn assert_silent(result: CallResult, expected: &[ChannelConcern]) {
    let Err(LnurlChannelError::NoChannel { concerns, .. }) = result else {
        panic!("{result:?}");
    };
    assert_eq!(concerns, expected);
}

fn host_sends(scene: &Scene, message_type: u16, payload: Vec<u8>) {
    let (target, wallet) = (scene.testbed.target(), scene.testbed.wallet().id());
    assert!(target.send_message(&wallet, message_type, payload));
}

#[test]
fn a_good_host_offers_its_terms() {
    let scene = Scene::new(hosted(&[]));
    let offer = scene.request.snapshot().offer;
    assert_eq!(offer.kind, ChannelKind::Hosted);
    assert!(offer.service.unwrap().starts_with("localhost:"));
    assert_eq!(offer.callback_host, None);
    assert_eq!(offer.alias.as_deref(), Some("Testbed host"));

    assert_eq!(scene.accept(), Ok(offered()));
    assert_eq!(scene.accept(), Ok(offered()), "the same end at once");
    let snapshot = scene.request.snapshot();
    assert_eq!(snapshot.state, ChannelRequestState::Arrived);
    assert_eq!(snapshot.hosted_terms, Some(terms()));
    assert_eq!(snapshot.visibility, None);

    wait_for_invocations(&scene, 1);
    let invoked = scene.testbed.service().invocations().remove(0);
    let script = format!("0014{}", "11".repeat(20));
    let spelled = format!("{REGTEST}0016{script}0020{}", scene.offer.k1);
    assert_eq!(hex::encode(&invoked.payload), spelled);
    assert_eq!(invoked.peer_id, scene.testbed.wallet().id());
    assert_eq!(invoked.offer_id, Some(scene.offer.id));
    assert_eq!(scene.callbacks(), [""; 0], "the service is not asked again");
    assert_eq!(gets(&scene.testbed).len(), 1);

    scene.listener.wait_for(ChannelStep::Arrived, 1);
    let steps = scene.listener.steps();
    assert_eq!(
        steps[..2],
        [ChannelStep::Connecting, ChannelStep::Requesting]
    );
    assert_eq!(steps.last(), Some(&ChannelStep::Arrived));
}

#[test]
fn a_silent_host_ends_with_the_time() {
    let scene = Scene::hasty(hosted(&[Habit::SilentHost]));
    assert_silent(scene.accept(), &[]);
    assert_eq!(scene.state(), ChannelRequestState::Awaiting);
    assert_eq!(kept(&scene.wallet.client), [scene.request.request_id()]);
    assert_silent(scene.accept(), &[]);
    assert_eq!(invocations(&scene), 1, "never invoked twice by itself");
    assert_silent(scene.ask_again(), &[]);
    wait_for_invocations(&scene, 2);
    assert_eq!(invocations(&scene), 2, "but by the user");

    host_sends(&scene, INIT_HOSTED_CHANNEL, init());
    scene.listener.wait_for(ChannelStep::Arrived, 1);
    assert_eq!(scene.accept(), Ok(offered()));
}

#[test]
fn a_burnt_secret_is_refused() {
    let scene = Scene::new(hosted(&[Habit::OneTimeSecretBurnt]));
    assert_eq!(scene.accept(), Ok(offered()));
    let again = fetch(&scene.wallet.client, &scene.offer.lnurl).unwrap();
    assert_ne!(again.request_id(), scene.request.request_id());
    let words = Some("the secret was used".to_owned());
    let refused = LnurlChannelError::Refused { words };
    assert_eq!(accept(&again), Err(refused.clone()));
    assert_eq!(state(&again), ChannelRequestState::Refused);
    assert_eq!(accept(&again), Err(refused));
    assert_eq!(invocations(&scene), 2);
    assert_eq!(scene.accept(), Ok(offered()), "the first is untouched");
}

#[test]
fn the_length_that_older_hosts_send_first_is_not_part_of_the_message() {
    let scene = Scene::new(hosted(&[Habit::LegacyHostedLength]));
    assert_eq!(scene.accept(), Ok(offered()));
}

#[test]
fn a_channel_that_exists_is_handed_over() {
    let scene = Scene::new(hosted(&[Habit::HostedChannelExists]));
    let message = vec![0x5a; 197];
    assert_eq!(scene.accept(), Ok(ChannelOutcome::HostedExists { message }));
    assert_eq!(scene.request.snapshot().hosted_terms, None);
}

#[test]
fn an_offer_in_the_lnurl_needs_no_service() {
    let (testbed, wallet, _) = prepare(hosted(&[]), patient_config);
    let (uri, service) = (testbed.target().uri(), testbed.service().url());
    let url = format!("{service}/x?tag=hostedChannelRequest&uri={uri}&k1=ABCD");
    let request = fetch(&wallet.client, &encode_lnurl(url).unwrap()).unwrap();
    let offer = request.snapshot().offer;
    assert_eq!(offer.service, None, "nobody vouches for it");
    assert!(testbed.service().requests().is_empty());

    let words = Some("unknown secret".to_owned());
    assert_eq!(accept(&request), Err(LnurlChannelError::Refused { words }));
    let invoked = testbed.service().invocations().remove(0);
    assert!(hex::encode(invoked.payload).ends_with("0002abcd"));
}

#[test]
fn an_offer_behind_a_redirect_is_of_the_host_that_the_user_agreed_to() {
    let scene = Scene::new(OfferOptions {
        fault_step: Step::Offer,
        ..hosted(&[Habit::Redirects])
    });
    assert_eq!(gets(&scene.testbed).len(), 2);
    let offer = scene.request.snapshot().offer;
    assert!(offer.service.unwrap().starts_with("localhost:"));
    assert_eq!(offer.answered_by, None, "the same host");
    assert_eq!(offer.peer.node_id, scene.testbed.target().id());

    let (wallet, target) = (scene.testbed.wallet(), scene.testbed.target().id());
    assert!(!wallet.is_connected(&target), "the user has not agreed");
    assert_eq!(invocations(&scene), 0, "the user has not agreed");
    assert_eq!(kept(&scene.wallet.client), [""; 0]);
    assert_eq!(scene.accept(), Ok(offered()));
    // The invocation came to the node that the offer names.
    let invoked = scene.testbed.service().invocations();
    assert_eq!(invoked.len(), 1);
    assert_eq!(invoked[0].offer_id, Some(scene.offer.id));
    assert!(wallet.is_connected(&target));
    assert_eq!(
        gets(&scene.testbed).len(),
        2,
        "the service is not asked again"
    );
}

/// Otherwise an open redirect on a host that is trusted would lend that host's name.
#[test]
fn a_redirect_to_another_host_offers_no_hosted_channel() {
    let at_offer = |kind: OfferOptions| OfferOptions {
        fault_step: Step::Offer,
        ..kind
    };
    // The service's name is `localhost`, and its redirects lead there.
    let through_another = |offer: &ServiceOffer| {
        let url = offer
            .url
            .replace("https://localhost:", "https://127.0.0.1:");
        assert_ne!(url, offer.url);
        encode_lnurl(url).unwrap()
    };
    let (node, options) = (PlainNode::default(), at_offer(hosted(&[Habit::Redirects])));
    let wallet = PlainWallet::with(node, Listener::default(), patient_config);
    let offer = wallet.testbed.service().offer(options);
    let refused = fetch(&wallet.client, &through_another(&offer)).unwrap_err();
    let LnurlChannelError::InvalidResponse { reason } = refused else {
        panic!("{refused:?}");
    };
    assert!(reason.contains("another host answered"), "{reason}");
    assert_eq!(gets(&wallet.testbed).len(), 2);
    assert_eq!(kept(&wallet.client), [""; 0]);
    assert_eq!(wallet.node.called.all(), []);

    // With a funded one, the user sees both hosts.
    let options = at_offer(habits(&[Habit::Redirects]));
    let offer = wallet.testbed.service().offer(options);
    let request = fetch(&wallet.client, &through_another(&offer)).unwrap();
    let shown = request.snapshot().offer;
    assert!(shown.service.unwrap().starts_with("127.0.0.1:"));
    assert_eq!(shown.answered_by.as_deref(), Some("localhost"));
}

#[test]
fn an_error_of_the_host_is_a_refusal() {
    let scene = Scene::new(hosted(&[Habit::SilentHost]));
    let call = start_accept(&scene.request);
    wait_for_invocations(&scene, 1);
    let text = "no\u{202e} more room\u{7}";
    let length = u16::try_from(text.len()).unwrap().to_be_bytes();
    let payload = [&[0; 32][..], &length, text.as_bytes()].concat();
    host_sends(&scene, ERROR, payload);
    let words = Some("no more room".to_owned());
    assert_eq!(call.end(), Err(LnurlChannelError::Refused { words }));
    let snapshot = scene.request.snapshot();
    assert_eq!(snapshot.state, ChannelRequestState::Refused);
    assert_eq!(snapshot.refusal.as_deref(), Some("no more room"));
}

#[test]
fn terms_that_make_no_sense_are_invalid() {
    let no_capacity = {
        let mut message = init();
        message[18..26].fill(0);
        message
    };
    for message in [no_capacity, init()[..30].to_vec(), vec![]] {
        let scene = Scene::hasty(hosted(&[Habit::SilentHost]));
        let call = start_accept(&scene.request);
        wait_for_invocations(&scene, 1);
        host_sends(&scene, INIT_HOSTED_CHANNEL, message);
        let result = call.end();
        assert!(
            matches!(result, Err(LnurlChannelError::InvalidResponse { .. })),
            "{result:?}"
        );
        assert_eq!(scene.state(), ChannelRequestState::OutcomeUnknown);
        let result = scene.accept();
        let waited = matches!(result, Err(LnurlChannelError::NoChannel { .. }));
        assert!(waited, "{result:?}");
        assert_eq!(invocations(&scene), 1);
    }
}

#[test]
fn what_follows_the_terms_is_left_to_the_wallet() {
    for tail in [&[][..], &[0, 9, 1], b"whatever a host puts there"] {
        let scene = Scene::new(hosted(&[Habit::SilentHost]));
        let call = start_accept(&scene.request);
        wait_for_invocations(&scene, 1);
        let message = [&init()[..34], tail].concat();
        host_sends(&scene, INIT_HOSTED_CHANNEL, message.clone());
        let terms = terms();
        assert_eq!(
            call.end(),
            Ok(ChannelOutcome::HostedOffered { terms, message })
        );
    }
}

#[test]
fn an_onion_service_may_offer_a_hosted_channel() {
    let options = OfferOptions {
        over: Over::Onion,
        ..hosted(&[])
    };
    let scene = Scene::with(options, |testbed| ClientConfig {
        proxy: Some(testbed.proxy().http_url()),
        ..patient_config(testbed)
    });
    let onion_host = scene.testbed.service().onion_host();
    let offer = scene.request.snapshot().offer;
    assert_eq!(offer.service, Some(onion_host));
    assert_eq!(scene.accept(), Ok(offered()));
}

#[test]
fn after_a_lost_connection_only_the_user_asks_again() {
    let scene = Scene::hasty(hosted(&[Habit::SilentHost]));
    let call = start_accept(&scene.request);
    wait_for_invocations(&scene, 1);
    let (wallet, target) = (scene.testbed.wallet(), scene.testbed.target().id());
    wallet.disconnect(&target);
    scene.listener.wait_for(ChannelStep::Reconnecting, 1);
    wait_until("it stands again", || wallet.is_connected(&target));
    let lost = [ChannelConcern::ConnectionLost];
    assert_silent(call.end(), &lost);
    assert_silent(scene.accept(), &lost);
    assert_eq!(invocations(&scene), 1);
    assert_silent(scene.ask_again(), &[]);
    wait_for_invocations(&scene, 2);
    assert_eq!(invocations(&scene), 2);
}

#[test]
fn messages_of_others_are_not_ours() {
    let scene = Scene::new(hosted(&[Habit::SilentHost]));
    let client = &scene.wallet.client;
    let (target, stranger) = (scene.testbed.target().id(), scene.testbed.stranger().id());
    assert!(!client.report_peer_message(target.clone(), INIT_HOSTED_CHANNEL, init()));
    let call = start_accept(&scene.request);
    wait_for_invocations(&scene, 1);
    assert!(!client.report_peer_message(stranger, INIT_HOSTED_CHANNEL, init()));
    for message_type in [0, 65535, 65534, 40_000] {
        assert!(!client.report_peer_message(target.clone(), message_type, init()));
    }
    // Of some other channel with this peer.
    let of_another = [&[7; 32][..], &[0, 0]].concat();
    assert!(!client.report_peer_message(target.clone(), 17, of_another));
    assert!(call.runs());
    assert!(client.report_peer_message(target.to_uppercase(), INIT_HOSTED_CHANNEL, init()));
    assert_eq!(call.end(), Ok(offered()));
}

#[test]
fn pause_and_cancel_tell_the_host_nothing() {
    let scene = Scene::new(hosted(&[Habit::SilentHost]));
    let call = start_accept(&scene.request);
    wait_for_invocations(&scene, 1);
    scene.request.pause();
    assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    let call = start_waiting_on(&scene.request);
    block_on(scene.request.cancel()).unwrap();
    assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    assert_eq!(scene.state(), ChannelRequestState::Cancelled);
    assert_eq!(scene.callbacks(), [""; 0]);
    assert_eq!(invocations(&scene), 1);
}

// ---- what the wallet gives for it ----

fn plain(node: PlainNode) -> PlainScene {
    PlainScene::with(node, hosted(&[]), hasty_config)
}

fn sends(scene: &PlainScene) -> usize {
    let is_send = |call: &Called| matches!(call, Called::Send(..));
    scene.wallet.node.count(is_send)
}

#[test]
fn the_script_is_asked_once_per_request() {
    let scene = plain(PlainNode::default());
    assert_silent(accept(&scene.request), &[]);
    assert_silent(ask_again(&scene.request), &[]);
    let script = Called::Script(scene.request.request_id());
    assert_eq!(scene.wallet.node.count(|call| *call == script), 1);
    assert_eq!(sends(&scene), 2);
}

#[test]
fn scripts_that_hosts_refuse_are_not_sent() {
    let p2pkh = [&[0x76, 0xa9, 0x14][..], &[0x11; 20], &[0x88, 0xac]].concat();
    let p2tr = [&[0x51, 0x20][..], &[0x11; 32]].concat();
    let cut_short = p2wpkh()[..21].to_vec();
    for script in [p2pkh, p2tr, cut_short, vec![]] {
        let node = PlainNode {
            script: Box::new(move |_| Ok(script.clone())),
            ..PlainNode::default()
        };
        let scene = plain(node);
        assert_node_failed(&scene, NodeProblem::Failed);
        assert_eq!(sends(&scene), 0);
    }
}

fn assert_node_failed(scene: &PlainScene, wanted: NodeProblem) {
    let result = accept(&scene.request);
    let Err(LnurlChannelError::NodeFailed { problem, .. }) = result else {
        panic!("{result:?}");
    };
    assert_eq!(problem, wanted, "{result:?}");
    let snapshot = scene.request.snapshot();
    assert_eq!(snapshot.state, ChannelRequestState::Offered);
    assert_eq!(snapshot.concerns, [ChannelConcern::NodeFailed { problem }]);
}

#[test]
fn p2wsh_is_a_refund_script_too() {
    let p2wsh = [&[0x00, 0x20][..], &[0x22; 32]].concat();
    let script = p2wsh.clone();
    let node = PlainNode {
        script: Box::new(move |_| Ok(script.clone())),
        ..PlainNode::default()
    };
    let scene = plain(node);
    assert_silent(accept(&scene.request), &[]);
    let sent = [
        &hex::decode(REGTEST).unwrap()[..],
        &[0x00, 0x22],
        &p2wsh,
        &[0x00, 0x20],
        &hex::decode(&scene.offer.k1).unwrap(),
    ]
    .concat();
    let call = Called::Send(scene.wallet.peer(), 65535, sent);
    assert_eq!(scene.wallet.node.count(|c| *c == call), 1);
}

#[test]
fn a_message_that_was_not_sent_fails_the_node() {
    let failed = || {
        Err(WalletNodeError::Failed {
            reason: "no room for it".into(),
        })
    };
    let unsupported = || {
        Err(WalletNodeError::Unsupported {
            reason: "no custom messages".into(),
        })
    };
    for (answer, problem) in [
        (Ok(false), NodeProblem::Failed),
        (failed(), NodeProblem::Failed),
        (unsupported(), NodeProblem::Unsupported),
    ] {
        let node = PlainNode {
            send: Box::new(move |_| answer.clone()),
            ..PlainNode::default()
        };
        assert_node_failed(&plain(node), problem);
    }
}
