//! LUD-07 between real nodes: the message to the byte, and what hosts make of it.

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use lnurl_channel::{
    ChannelEvent, ChannelKind, ChannelOutcome, ChannelRequestState, ChannelVisibility,
    ClientConfig, HostedChannelTerms, LnurlChannelError, WalletNodeError, encode_lnurl,
};
use lnurl_channel_testbed::{Habit, OfferOptions, Over};

use support::plain::{Called, PlainNode, PlainScene, p2wpkh};
use support::scene::{
    Scene, fetch, gets, hasty_config, hosted, patient_config, prepare, start_accept, start_resume,
    unfinished, wait_until,
};
use support::{LIMIT, block_on};

const REGTEST: &str = "06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f";
const INIT_HOSTED_CHANNEL: u16 = 65533;
const ERROR: u16 = 63497;

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
        terms: HostedChannelTerms {
            capacity_msat: 100_000_000,
            initial_client_balance_msat: 5_000,
            max_htlc_value_in_flight_msat: 100_000_000,
            htlc_minimum_msat: 1_000,
            max_accepted_htlcs: 30,
        },
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

fn assert_silent(result: Result<ChannelOutcome, LnurlChannelError>) {
    let Err(LnurlChannelError::NoChannel {
        peer_connected: true,
        reason,
    }) = result
    else {
        panic!("{result:?}");
    };
    assert!(reason.contains("32973"), "{reason}");
}

fn host_sends(scene: &Scene, message_type: u16, payload: Vec<u8>) {
    let (target, wallet) = (scene.testbed.target(), scene.testbed.wallet().id());
    assert!(target.send_message(&wallet, message_type, payload));
}

#[test]
fn a_good_host_offers_its_terms() {
    let scene = Scene::new(hosted(&[]));
    let offer = scene.request.offer();
    assert_eq!(offer.kind, ChannelKind::Hosted);
    assert_eq!(offer.service, "localhost");
    assert_eq!(offer.callback_host, None);
    assert_eq!(offer.alias.as_deref(), Some("Testbed host"));

    assert_eq!(scene.accept(), Ok(offered()));
    assert_eq!(scene.request.state(), ChannelRequestState::Arrived);
    assert_eq!(scene.resume(), Ok(offered()));
    assert_eq!(scene.request.outcome(), Some(offered()));
    assert!(scene.unfinished().is_empty());

    wait_for_invocations(&scene, 1);
    let invoked = scene.testbed.service().invocations().remove(0);
    let script = format!("0014{}", "11".repeat(20));
    let spelled = format!("{REGTEST}0016{script}0020{}", scene.offer.k1);
    assert_eq!(hex::encode(&invoked.payload), spelled);
    assert_eq!(invoked.peer_id, scene.testbed.wallet().id());
    assert_eq!(invoked.offer_id, Some(scene.offer.id));
    assert!(
        scene.callbacks().is_empty(),
        "the service is not asked again"
    );
    assert_eq!(gets(&scene.testbed).len(), 1);

    let events = scene.wallet.node.events(&scene.request.request_id());
    assert!(matches!(events[0], ChannelEvent::Connecting { .. }));
    assert!(matches!(events[1], ChannelEvent::Requesting { .. }));
    let outcome = offered();
    assert_eq!(events.last(), Some(&ChannelEvent::Arrived { outcome }));
}

#[test]
fn a_silent_host_ends_with_the_time() {
    let scene = Scene::hasty(hosted(&[Habit::SilentHost]));
    assert_silent(scene.accept());
    assert_eq!(scene.request.state(), ChannelRequestState::Awaiting);
    assert_eq!(scene.unfinished(), [scene.request.request_id()]);
    assert_silent(scene.resume());
    assert_eq!(invocations(&scene), 1, "never invoked twice by itself");
    assert_silent(scene.accept());
    assert_eq!(invocations(&scene), 2, "but by the user");

    host_sends(&scene, INIT_HOSTED_CHANNEL, init());
    wait_until("late terms", || scene.request.outcome().is_some());
    assert_eq!(scene.unfinished(), [scene.request.request_id()]);
    assert_eq!(scene.resume(), Ok(offered()));
    assert!(scene.unfinished().is_empty());
}

#[test]
fn a_burnt_secret_is_refused() {
    let scene = Scene::new(hosted(&[Habit::OneTimeSecretBurnt]));
    assert_eq!(scene.accept(), Ok(offered()));
    let again = fetch(&scene.wallet.client, &scene.offer.lnurl).unwrap();
    assert_ne!(again.request_id(), scene.request.request_id());
    let refused = LnurlChannelError::Refused {
        reason: "the secret was used".into(),
    };
    let accept = || block_on(again.accept(ChannelVisibility::Unannounced));
    assert_eq!(accept(), Err(refused.clone()));
    assert_eq!(again.state(), ChannelRequestState::Refused);
    assert_eq!(accept(), Err(refused));
    assert_eq!(invocations(&scene), 3);
    assert_eq!(scene.resume(), Ok(offered()), "the first is untouched");
}

#[test]
fn older_hosts_send_a_length_first() {
    let scene = Scene::new(hosted(&[Habit::LegacyHostedLength]));
    match scene.accept() {
        Ok(ChannelOutcome::HostedOffered { terms, message }) => {
            let ChannelOutcome::HostedOffered { terms: wanted, .. } = offered() else {
                unreachable!()
            };
            assert_eq!(terms, wanted);
            // Raw, as it came.
            assert_eq!(message, [&36_u16.to_be_bytes()[..], &init()].concat());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_channel_that_exists_is_handed_over() {
    let scene = Scene::new(hosted(&[Habit::HostedChannelExists]));
    let message = vec![0x5a; 96];
    assert_eq!(scene.accept(), Ok(ChannelOutcome::HostedExists { message }));
}

#[test]
fn an_offer_in_the_lnurl_needs_no_service() {
    let (testbed, wallet, _) = prepare(hosted(&[]), patient_config);
    let (uri, service) = (testbed.target().uri(), testbed.service().url());
    let url = format!("{service}/x?tag=hostedChannelRequest&uri={uri}&k1=ABCD");
    let request = fetch(&wallet.client, &encode_lnurl(url).unwrap()).unwrap();
    assert_eq!(request.offer().service, "127.0.0.1", "the peer's host");
    assert!(testbed.service().requests().is_empty());

    let reason = "unknown secret".to_owned();
    let refused = Err(LnurlChannelError::Refused { reason });
    assert_eq!(
        block_on(request.accept(ChannelVisibility::Unannounced)),
        refused
    );
    let invoked = testbed.service().invocations().remove(0);
    assert!(hex::encode(invoked.payload).ends_with("0002abcd"));
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
    let reason = "no more room".to_owned();
    assert_eq!(call.end(), Err(LnurlChannelError::Refused { reason }));
    assert_eq!(scene.request.state(), ChannelRequestState::Refused);
    assert!(scene.unfinished().is_empty());
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
        assert_eq!(scene.request.state(), ChannelRequestState::OutcomeUnknown);
        assert_silent_or_unknown(scene.resume());
        assert_eq!(invocations(&scene), 1);
    }
}

fn assert_silent_or_unknown(result: Result<ChannelOutcome, LnurlChannelError>) {
    assert!(
        matches!(result, Err(LnurlChannelError::OutcomeUnknown { .. })),
        "{result:?}"
    );
}

#[test]
fn over_onion() {
    let options = OfferOptions {
        over: Over::Onion,
        ..hosted(&[])
    };
    let scene = Scene::with(options, |testbed| ClientConfig {
        proxy: Some(testbed.proxy().http_url()),
        ..patient_config(testbed)
    });
    let onion_host = scene.testbed.service().onion_host();
    assert_eq!(scene.request.offer().service, onion_host);
    assert_eq!(scene.accept(), Ok(offered()));
}

#[test]
fn after_a_lost_connection_only_the_user_asks_again() {
    let scene = Scene::hasty(hosted(&[Habit::SilentHost]));
    let call = start_accept(&scene.request);
    wait_for_invocations(&scene, 1);
    let (wallet, target) = (scene.testbed.wallet(), scene.testbed.target().id());
    wallet.disconnect(&target);
    wait_until("the connection is gone", || !wallet.is_connected(&target));
    scene.wallet.client.check_peers();
    wait_until("it stands again", || wallet.is_connected(&target));
    assert_silent(call.end());
    assert_silent(scene.resume());
    assert_eq!(invocations(&scene), 1);
    assert_silent(scene.accept());
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
fn pause_and_cancel_are_local() {
    let scene = Scene::new(hosted(&[Habit::SilentHost]));
    let call = start_accept(&scene.request);
    wait_for_invocations(&scene, 1);
    assert!(scene.request.pause());
    assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    let resumed = start_resume(&scene.request);
    wait_until("the resume runs", || scene.request.is_running());
    block_on(scene.request.cancel()).unwrap();
    assert_eq!(resumed.end(), Err(LnurlChannelError::Cancelled));
    assert_eq!(scene.request.state(), ChannelRequestState::Cancelled);
    assert!(scene.callbacks().is_empty());
    assert_eq!(invocations(&scene), 1);
}

// ---- what the wallet gives for it ----

fn plain(node: PlainNode) -> PlainScene {
    PlainScene::with(node, hosted(&[]), hasty_config)
}

fn accept(scene: &PlainScene) -> Result<ChannelOutcome, LnurlChannelError> {
    block_on(scene.request.accept(ChannelVisibility::Unannounced))
}

fn count(scene: &PlainScene, wanted: impl Fn(&Called) -> bool) -> usize {
    let calls = scene.node.called.all();
    calls.iter().filter(|call| wanted(call)).count()
}

#[test]
fn the_script_is_asked_once_per_request() {
    let scene = plain(PlainNode::default());
    for _ in 0..2 {
        assert!(matches!(
            accept(&scene),
            Err(LnurlChannelError::NoChannel { .. })
        ));
    }
    let script = Called::Script(scene.request.request_id());
    assert_eq!(count(&scene, |call| *call == script), 1);
    assert_eq!(count(&scene, |call| matches!(call, Called::Send(..))), 2);
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
        let result = accept(&scene);
        assert!(
            matches!(result, Err(LnurlChannelError::NodeFailed { .. })),
            "{result:?}"
        );
        assert_eq!(scene.request.state(), ChannelRequestState::Offered);
        assert!(unfinished(&scene.client).is_empty());
        assert_eq!(count(&scene, |call| matches!(call, Called::Send(..))), 0);
    }
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
    assert!(matches!(
        accept(&scene),
        Err(LnurlChannelError::NoChannel { .. })
    ));
    let sent = [
        &hex::decode(REGTEST).unwrap()[..],
        &[0x00, 0x22],
        &p2wsh,
        &[0x00, 0x20],
        &hex::decode(&scene.offer.k1).unwrap(),
    ]
    .concat();
    let call = Called::Send(scene.testbed.target().id(), 65535, sent);
    assert_eq!(count(&scene, |c| *c == call), 1);
}

#[test]
fn a_message_that_was_not_sent_fails_the_node() {
    let no = || {
        Err(WalletNodeError::Unsupported {
            reason: "no custom messages".into(),
        })
    };
    for answer in [Ok(false), no()] {
        let node = PlainNode {
            send: Box::new(move |_| answer.clone()),
            ..PlainNode::default()
        };
        let scene = plain(node);
        let result = accept(&scene);
        assert!(
            matches!(result, Err(LnurlChannelError::NodeFailed { .. })),
            "{result:?}"
        );
        assert_eq!(scene.request.state(), ChannelRequestState::Offered);
        assert!(unfinished(&scene.client).is_empty());
    }
}
