//! LUD-02 between real nodes: a service that behaves, and each habit of those that do not.

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use lnurl_channel::{
    ChannelClient, ChannelEvent, ChannelKind, ChannelOutcome, ChannelRequest, ChannelRequestState,
    ChannelStage, ChannelVerdict, ChannelVisibility, ClientConfig, LnurlChannelError,
};
use lnurl_channel_testbed::{
    AskedHost, Habit, OfferOptions, Over, ProxyProtocol, RequestKind, SeenRequest, Step, Testbed,
};

use support::plain::{PlainNode, PlainScene};
use support::scene::{
    Scene, fetch, gets, habits, hasty_config, opening, patient_config, prepare, start,
    start_accept, start_resume, wait_for_state, wait_until,
};
use support::{LIMIT, block_on};

/// What a test runs into rather than wait for a habit's own time limit.
const FAST: Duration = Duration::from_secs(8);

fn at_offer(habit: Habit) -> OfferOptions {
    OfferOptions {
        fault_step: Step::Offer,
        ..habits(&[habit])
    }
}

/// The error that fetching such an offer ends with.
fn fetch_error(options: OfferOptions) -> LnurlChannelError {
    let (_testbed, wallet, offer) = prepare(options, hasty_config);
    fetch(&wallet.client, &offer.lnurl).unwrap_err()
}

fn assert_arrives_after_one_callback(scene: &Scene) {
    let channel = opening(scene.accept());
    assert_eq!(channel.peer_id, scene.testbed.target().id());
    assert_eq!(scene.request.state(), ChannelRequestState::Arrived);
    assert_eq!(scene.callbacks().len(), 1);
    assert!(scene.unfinished().is_empty());
}

fn assert_no_channel(result: Result<ChannelOutcome, LnurlChannelError>) {
    let Err(LnurlChannelError::NoChannel {
        peer_connected: true,
        reason,
    }) = result
    else {
        panic!("{result:?}");
    };
    assert!(reason.contains("anchor reserve"), "{reason}");
}

fn assert_unknown(result: Result<ChannelOutcome, LnurlChannelError>) -> String {
    match result {
        Err(LnurlChannelError::OutcomeUnknown { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

// ---- services that behave ----

#[test]
fn a_good_service_opens_an_unannounced_channel() {
    let scene = Scene::new(OfferOptions {
        capacity_sat: 250_000,
        push_msat: 7_000,
        ..OfferOptions::default()
    });
    let offer = scene.request.offer();
    assert_eq!(offer.kind, ChannelKind::Funded);
    assert_eq!(offer.service, "localhost");
    assert_eq!(offer.callback_host.as_deref(), Some("localhost"));
    assert_eq!(offer.peer.node_id, scene.testbed.target().id());
    assert_eq!(
        offer.peer.socket_address(),
        scene.testbed.target().address().to_string()
    );
    assert_eq!(scene.request.state(), ChannelRequestState::Offered);
    assert!(scene.unfinished().is_empty());

    let outcome = scene.accept().unwrap();
    let channel = opening(Ok(outcome.clone()));
    assert_eq!(channel.peer_id, offer.peer.node_id);
    assert_eq!(channel.stage, ChannelStage::Proposed);
    assert_eq!(channel.capacity_sat, Some(250_000));
    assert_eq!(channel.push_msat, Some(7_000));
    assert_eq!(channel.is_announced, Some(false));

    assert_eq!(scene.callbacks(), [scene.accept_target()]);
    assert_eq!(scene.request.state(), ChannelRequestState::Arrived);
    assert!(!scene.request.is_running());
    assert!(scene.unfinished().is_empty());

    let events = scene.wallet.node.events(&scene.request.request_id());
    assert!(matches!(events[0], ChannelEvent::Connecting { .. }));
    assert!(matches!(events[1], ChannelEvent::Requesting { .. }));
    assert_eq!(events.last(), Some(&ChannelEvent::Arrived { outcome }));

    let funded = |channel: &lnurl_channel::IncomingChannel, _: &ChannelVerdict| {
        channel.stage == ChannelStage::Funded
    };
    let (funded, verdict) = scene.wait_for_verdict(funded);
    assert_eq!(verdict, scene.expected());
    assert_eq!(opening(scene.resume()).channel_id, funded.channel_id);
}

#[test]
fn nothing_about_the_wallet_leaves_before_accept() {
    let scene = Scene::new(OfferOptions::default());
    scene.accept().unwrap();
    let requests = scene.testbed.service().requests();
    let (get, callback) = (&requests[0], &requests[1]);
    assert_eq!(
        (get.kind, callback.kind),
        (RequestKind::Offer, RequestKind::Callback)
    );
    assert!(!format!("{get:?}").contains(&scene.testbed.wallet().id()));
    assert_ne!(get.connection, callback.connection, "a fresh connection");
    for request in [get, callback] {
        assert_eq!(request.method, "GET");
        let named = |name: &str| {
            let headers = request.headers.iter();
            let mut named = headers.filter(move |(key, _)| key.eq_ignore_ascii_case(name));
            named.next().map(|(_, value)| value.as_str())
        };
        assert_eq!(named("accept"), Some("application/json"));
        for absent in ["cookie", "referer", "user-agent"] {
            assert_eq!(named(absent), None, "{absent}");
        }
    }
}

#[test]
fn announced_when_asked_for() {
    let scene = Scene::new(OfferOptions::default());
    let channel = opening(scene.accept_as(ChannelVisibility::Announced));
    assert_eq!(channel.is_announced, Some(true));
    let target = scene.accept_target().replace("private=1", "private=0");
    assert_eq!(scene.callbacks(), [target]);
}

#[test]
fn onion_services_are_reached_through_either_proxy() {
    for (protocol, kind) in [
        ("socks5h", ProxyProtocol::Socks5),
        ("socks5", ProxyProtocol::Socks5),
        ("http", ProxyProtocol::HttpForward),
    ] {
        let options = OfferOptions {
            over: Over::Onion,
            ..OfferOptions::default()
        };
        let scene = Scene::with(options, |testbed| ClientConfig {
            proxy: Some(format!("{protocol}://{}", testbed.proxy().address())),
            ..patient_config(testbed)
        });
        assert_eq!(
            scene.request.offer().service,
            scene.testbed.service().onion_host()
        );
        assert_arrives_after_one_callback(&scene);
        let asked = AskedHost {
            host: scene.testbed.service().onion_host(),
            port: 80,
            protocol: kind,
        };
        let all_asked = scene.testbed.proxy().asked();
        assert!(!all_asked.is_empty());
        assert!(all_asked.iter().all(|host| *host == asked), "{all_asked:?}");
    }
}

#[test]
fn an_onion_service_without_a_proxy_needs_tor() {
    let options = OfferOptions {
        over: Over::Onion,
        ..OfferOptions::default()
    };
    let (testbed, wallet, offer) = prepare(options, patient_config);
    let error = fetch(&wallet.client, &offer.lnurl).unwrap_err();
    let host = testbed.service().onion_host();
    assert_eq!(error, LnurlChannelError::TorRequired { host });
}

#[test]
fn plain_http_to_an_onion_needs_a_proxy_on_this_device() {
    let options = OfferOptions {
        over: Over::Onion,
        ..OfferOptions::default()
    };
    let (_testbed, wallet, offer) = prepare(options, |testbed| ClientConfig {
        proxy: Some("socks5h://192.0.2.1:9050".into()),
        ..patient_config(testbed)
    });
    let error = fetch(&wallet.client, &offer.lnurl).unwrap_err();
    assert!(matches!(error, LnurlChannelError::InvalidConfig { .. }));
}

#[test]
fn a_wrong_configuration_is_refused() {
    let wrong: [fn(&mut ClientConfig); 9] = [
        |config| config.request_timeout_seconds = 0,
        |config| config.connect_timeout_seconds = 0,
        |config| config.channel_timeout_seconds = 0,
        |config| config.reconnect_seconds = 0,
        |config| config.proxy = Some("127.0.0.1:9050".into()),
        |config| config.proxy = Some("ftp://127.0.0.1:9050".into()),
        |config| config.storage_dir = Some(String::new()),
        |config| config.extra_root_certificates = Some("no PEM".into()),
        |config| {
            let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
            config.extra_root_certificates = Some(garbage.into());
        },
    ];
    for (number, change) in wrong.into_iter().enumerate() {
        let mut config = ClientConfig::default();
        change(&mut config);
        let error = ChannelClient::new(Arc::new(PlainNode::default()), config).err();
        let refused = matches!(error, Some(LnurlChannelError::InvalidConfig { .. }));
        assert!(refused, "{number}: {error:?}");
    }
}

// ---- the order of OK and open_channel ----

#[test]
fn ok_and_no_channel_can_be_resumed() {
    let scene = Scene::hasty(habits(&[Habit::OkAndNeverOpens]));
    assert_no_channel(scene.accept());
    assert_eq!(scene.request.state(), ChannelRequestState::Awaiting);
    assert_eq!(scene.unfinished(), [scene.request.request_id()]);

    let opened = scene.open(false);
    let (_, verdict) = scene.wait_for_verdict(|_, _| true);
    assert_eq!(verdict, scene.expected());
    assert_eq!(scene.request.state(), ChannelRequestState::Arrived);
    assert_eq!(scene.unfinished(), [scene.request.request_id()]);
    let channel = opening(scene.resume());
    // By now the same channel may have been seen as funded, under its final id.
    let ids = [Some(channel.channel_id), channel.former_channel_id];
    assert!(ids.contains(&Some(opened.temporary_channel_id().to_owned())));
    assert!(scene.unfinished().is_empty());
    assert_eq!(scene.callbacks().len(), 1);
}

#[test]
fn a_late_channel_ends_a_resume() {
    let scene = Scene::with(habits(&[Habit::OkAndNeverOpens]), |testbed| ClientConfig {
        channel_timeout_seconds: 2,
        ..patient_config(testbed)
    });
    assert_no_channel(scene.accept());
    let resumed = start_resume(&scene.request);
    wait_until("the resume runs", || scene.request.is_running());
    scene.open(false);
    opening(resumed.end());
    assert_eq!(scene.callbacks().len(), 1);
}

#[test]
fn ok_after_a_failed_open_is_no_promise() {
    let scene = Scene::hasty(habits(&[Habit::OkAfterFailedOpen]));
    assert_no_channel(scene.accept());
    assert_eq!(scene.request.state(), ChannelRequestState::Awaiting);
    // The user's own decision: it asks again.
    assert_no_channel(scene.accept());
    assert_eq!(scene.callbacks().len(), 2);
}

#[test]
fn the_channel_may_come_before_the_answer() {
    assert_arrives_after_one_callback(&Scene::new(habits(&[Habit::OpensBeforeAnswer])));
}

#[test]
fn a_service_that_answers_after_negotiation_is_no_deadlock() {
    let start = Instant::now();
    assert_arrives_after_one_callback(&Scene::new(habits(&[Habit::AnswersAfterNegotiation])));
    assert!(start.elapsed() < FAST, "{:?}", start.elapsed());
}

// ---- the callback, byte for byte ----

#[test]
fn a_k1_in_the_callbacks_query_is_not_doubled() {
    let scene = Scene::new(habits(&[Habit::K1InCallbackQuery]));
    assert_arrives_after_one_callback(&scene);
    assert_eq!(scene.callbacks(), [scene.accept_target()]);
}

#[test]
fn a_signed_query_keeps_its_bytes() {
    let scene = Scene::new(habits(&[Habit::SignedCallback]));
    assert_arrives_after_one_callback(&scene);
    let signed = "?sig=a%2Fb+c~d%7e&list=1,2&list=3&flag&empty=&k1=";
    let target = scene.accept_target().replace("?k1=", signed);
    assert_eq!(scene.callbacks(), [target]);
}

#[test]
fn a_relative_callback_is_of_the_same_service() {
    let scene = Scene::new(habits(&[Habit::RelativeCallback]));
    let offer = scene.request.offer();
    assert_eq!(offer.callback_host.as_deref(), Some("localhost"));
    assert_arrives_after_one_callback(&scene);
    assert_eq!(scene.callbacks(), [scene.accept_target()]);
}

/// A session that is resumed tells the service who comes back, and the callback names the node.
#[test]
fn a_tls_session_goes_from_a_fetch_to_its_own_callback_and_no_further() {
    let scene = PlainScene::new(PlainNode::default(), habits(&[Habit::OkAndNeverOpens]));
    let resumed = || scene.testbed.service().connection_counts().tls_resumptions;
    let accept = |request: &Arc<ChannelRequest>| {
        let call = start_accept(request);
        wait_for_state(request, ChannelRequestState::Awaiting);
        request.pause();
        call.end().unwrap_err();
    };
    let offer = scene
        .testbed
        .service()
        .offer(habits(&[Habit::OkAndNeverOpens]));
    let second = fetch(&scene.client, &offer.lnurl).unwrap();
    assert_eq!(resumed(), 0, "two fetches");
    accept(&scene.request);
    assert_eq!(resumed(), 1, "the callback");
    let third = scene.testbed.service().offer(OfferOptions::default());
    fetch(&scene.client, &third.lnurl).unwrap();
    block_on(scene.request.cancel()).unwrap();
    assert_eq!(resumed(), 1, "a fetch, and a cancel");
    accept(&second);
    assert_eq!(resumed(), 2, "the second's own");
}

#[test]
fn a_callback_may_have_another_host() {
    let scene = Scene::new(habits(&[Habit::CallbackOnAnotherHost]));
    let offer = scene.request.offer();
    assert_eq!(offer.service, "localhost");
    assert_eq!(offer.callback_host.as_deref(), Some("127.0.0.1"));
    assert_arrives_after_one_callback(&scene);
}

#[test]
fn k1_may_be_the_word_none() {
    let scene = Scene::new(habits(&[Habit::K1None]));
    assert_arrives_after_one_callback(&scene);
    assert!(scene.callbacks()[0].contains("?k1=none&remoteid="));
}

#[test]
fn a_redirected_callback_keeps_its_parameters_once() {
    let scene = Scene::new(habits(&[Habit::Redirects]));
    opening(scene.accept());
    let moved = scene.accept_target().replace('?', "/moved?");
    assert_eq!(scene.callbacks(), [scene.accept_target(), moved]);
}

// ---- scanned again ----

#[test]
fn a_new_k1_per_get_makes_a_new_request() {
    let scene = Scene::new(habits(&[Habit::NewK1PerGet]));
    scene.request.decline().unwrap();
    let again = fetch(&scene.wallet.client, &scene.offer.lnurl).unwrap();
    assert_ne!(again.request_id(), scene.request.request_id());
    opening(block_on(again.accept(ChannelVisibility::Unannounced)));
    let callbacks = scene.callbacks();
    assert_eq!(callbacks.len(), 1);
    assert!(!callbacks[0].contains(&scene.offer.k1), "of the second GET");
}

#[test]
fn an_offer_on_the_screen_is_not_fetched_again() {
    let scene = Scene::new(habits(&[Habit::NewK1PerGet]));
    let again = fetch(&scene.wallet.client, &scene.offer.lnurl).unwrap();
    assert_eq!(again.request_id(), scene.request.request_id());
    assert_eq!(gets(&scene.testbed).len(), 1);
    opening(scene.accept());
    assert_eq!(scene.callbacks(), [scene.accept_target()]);
}

#[test]
fn what_is_under_way_is_not_fetched_again() {
    let scene = Scene::hasty(habits(&[Habit::OkAndNeverOpens]));
    let call = start_accept(&scene.request);
    wait_for_state(&scene.request, ChannelRequestState::Awaiting);
    for _ in 0..2 {
        let again = fetch(&scene.wallet.client, &scene.offer.lnurl).unwrap();
        assert_eq!(again.request_id(), scene.request.request_id());
        wait_until("the call ends", || !scene.request.is_running());
    }
    assert_no_channel(call.end());
    assert_eq!(gets(&scene.testbed).len(), 1);
}

#[test]
fn two_fetches_at_once_share_one_get() {
    let (testbed, wallet, offer) = prepare(OfferOptions::default(), patient_config);
    let fetches: Vec<_> = (0..4)
        .map(|_| {
            let (client, lnurl) = (wallet.client.clone(), offer.lnurl.clone());
            start(async move {
                let lnurl = lnurl_channel::decode_lnurl(lnurl).unwrap();
                client.fetch(lnurl).await.unwrap().request_id()
            })
        })
        .collect();
    let mut ids: Vec<String> = fetches.into_iter().map(|fetch| fetch.end()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(gets(&testbed).len(), 1);
}

// ---- cancel ----

#[test]
fn a_late_channel_after_a_cancel_is_unwanted() {
    let scene = Scene::new(habits(&[Habit::OkAndNeverOpens, Habit::IgnoresCancel]));
    let call = start_accept(&scene.request);
    wait_for_state(&scene.request, ChannelRequestState::Awaiting);
    block_on(scene.request.cancel()).unwrap();
    assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    assert_eq!(scene.request.state(), ChannelRequestState::Cancelled);
    assert_eq!(
        scene.callbacks(),
        [scene.accept_target(), scene.cancel_target()]
    );

    scene.open(false);
    let (_, verdict) = scene.wait_for_verdict(|_, _| true);
    let request_id = scene.request.request_id();
    assert_eq!(verdict, ChannelVerdict::Unwanted { request_id });
    assert_eq!(scene.request.state(), ChannelRequestState::Cancelled);
}

#[test]
fn a_cancel_is_never_read_as_an_accept() {
    // The wallet turns the announced channel down, so that `k1` is free again for the service.
    let misread = [Habit::ReadsPrivateCancelAsAccept, Habit::OpensAnnounced];
    let scene = Scene::new(habits(&misread));
    let call = start_accept(&scene.request);
    let request_id = scene.request.request_id();
    let wrong = ChannelVerdict::WrongVisibility { request_id };
    // Once with anchors and once without.
    wait_until("it is turned down twice", || scene.verdicts().len() == 2);
    assert!(scene.verdicts().iter().all(|(_, v)| *v == wrong));
    block_on(scene.request.cancel()).unwrap();
    assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    assert_eq!(
        scene.callbacks(),
        [scene.accept_target(), scene.cancel_target()]
    );

    let marker = scene.open(false);
    wait_until("the next channel", || scene.verdicts().len() > 2);
    let (next, _) = &scene.verdicts()[2];
    assert_eq!(next.channel_id, marker.temporary_channel_id());
}

// ---- services that say no ----

#[test]
fn an_error_with_an_http_status_is_a_refusal() {
    for http_status in [400, 500] {
        let options = OfferOptions {
            http_status,
            ..habits(&[Habit::ErrorWithHttpStatus])
        };
        let refused = LnurlChannelError::Refused {
            reason: "the service is out of order".into(),
        };
        let scene = Scene::new(options.clone());
        assert_eq!(scene.accept(), Err(refused.clone()));
        assert_eq!(scene.request.state(), ChannelRequestState::Refused);
        assert!(scene.unfinished().is_empty());
        assert_eq!(scene.accept(), Err(refused.clone()));
        assert_eq!(scene.callbacks().len(), 2, "accept asks again");

        let options = OfferOptions {
            fault_step: Step::Offer,
            ..options
        };
        assert_eq!(fetch_error(options), refused);
    }
}

#[test]
fn an_error_with_http_200_is_a_refusal_too() {
    let scene = Scene::new(habits(&[Habit::ErrorAnswer]));
    let reason = "the service has no channels left".to_owned();
    assert_eq!(scene.accept(), Err(LnurlChannelError::Refused { reason }));
    let state = ChannelRequestState::Refused;
    assert_eq!(scene.resume(), Err(LnurlChannelError::WrongState { state }));
}

#[test]
fn a_detail_is_the_reason_of_an_offer_that_is_none() {
    let reason = "the offer has expired".to_owned();
    assert_eq!(
        fetch_error(at_offer(Habit::ErrorAsDetail)),
        LnurlChannelError::Refused { reason }
    );
}

// ---- answers that are lost ----

#[test]
fn an_answer_without_status_is_unknown() {
    for habit in [Habit::ErrorAsDetail, Habit::HtmlFromGateway] {
        let scene = Scene::hasty(habits(&[habit]));
        assert_unknown(scene.accept());
        assert_eq!(scene.request.state(), ChannelRequestState::OutcomeUnknown);
        assert_eq!(scene.unfinished(), [scene.request.request_id()]);
        assert_eq!(scene.callbacks().len(), 1, "{habit}: never sent again");

        scene.open(false);
        opening(scene.resume());
        assert_eq!(scene.callbacks().len(), 1);
    }
}

#[test]
fn html_instead_of_an_offer_is_invalid() {
    let error = fetch_error(at_offer(Habit::HtmlFromGateway));
    let LnurlChannelError::InvalidResponse { reason } = error else {
        panic!("{error:?}");
    };
    assert!(reason.contains("502"), "{reason}");
    assert!(reason.contains("Bad Gateway"), "{reason}");
}

#[test]
fn a_silent_callback_is_awaited_as_long_as_the_channel() {
    let scene = Scene::hasty(habits(&[Habit::SilentCallback]));
    let start = Instant::now();
    assert_unknown(scene.accept());
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(scene.request.state(), ChannelRequestState::OutcomeUnknown);
    assert_eq!(scene.callbacks().len(), 1);
}

#[test]
fn the_channel_arrives_while_the_callback_is_silent() {
    let scene = Scene::new(habits(&[Habit::SilentCallback]));
    let call = start_accept(&scene.request);
    let asked = |requests: &[SeenRequest]| requests.len() == 2;
    let service = scene.testbed.service();
    assert!(service.wait_for_requests(LIMIT, asked).is_some());
    scene.open(false);
    opening(call.end());
    assert_eq!(scene.callbacks().len(), 1);
}

#[test]
fn a_silent_offer_is_unreachable_in_time() {
    let start = Instant::now();
    let error = fetch_error(at_offer(Habit::SilentCallback));
    assert!(matches!(error, LnurlChannelError::Unreachable { .. }));
    assert!(start.elapsed() < FAST);
}

#[test]
fn a_reset_after_the_callback_is_unknown() {
    let scene = Scene::hasty(habits(&[Habit::ResetAfterRequest]));
    assert_unknown(scene.accept());
    assert_eq!(scene.callbacks().len(), 1, "never sent again");
    assert_unknown(scene.resume());
    assert_eq!(scene.callbacks().len(), 1);
    assert_unknown(scene.accept());
    assert_eq!(scene.callbacks().len(), 2, "but by the user");
}

#[test]
fn a_reset_offer_is_unreachable() {
    let error = fetch_error(at_offer(Habit::ResetAfterRequest));
    assert!(matches!(error, LnurlChannelError::Unreachable { .. }));
}

#[test]
fn a_redirect_to_plain_http_is_refused() {
    let error = fetch_error(at_offer(Habit::RedirectsToPlainHttp));
    assert!(matches!(error, LnurlChannelError::UnsafeUrl { .. }));

    let scene = Scene::hasty(habits(&[Habit::RedirectsToPlainHttp]));
    assert_unknown(scene.accept());
    assert_eq!(scene.callbacks(), [scene.accept_target()]);
}

#[test]
fn a_redirected_offer_keeps_the_first_host() {
    let scene = Scene::new(at_offer(Habit::Redirects));
    assert_eq!(scene.request.offer().service, "localhost");
    assert_eq!(gets(&scene.testbed).len(), 2);
    assert_arrives_after_one_callback(&scene);
}

// ---- services that cannot be reached ----

#[test]
fn a_service_that_is_gone_was_told_nothing() {
    let scene = PlainScene::new(PlainNode::default(), OfferOptions::default());
    let PlainScene {
        request,
        client,
        testbed,
        ..
    } = scene;
    drop(testbed);
    let result = block_on(request.accept(ChannelVisibility::Unannounced));
    assert!(matches!(result, Err(LnurlChannelError::Unreachable { .. })));
    assert_eq!(request.state(), ChannelRequestState::Offered);
    assert!(client.unfinished_requests().is_empty());
}

#[test]
fn a_certificate_of_nobody_is_not_trusted() {
    let config = |testbed: &Testbed| ClientConfig {
        extra_root_certificates: None,
        ..patient_config(testbed)
    };
    let (testbed, wallet, offer) = prepare(OfferOptions::default(), config);
    let error = fetch(&wallet.client, &offer.lnurl).unwrap_err();
    assert!(matches!(error, LnurlChannelError::Unreachable { .. }));
    assert!(testbed.service().requests().is_empty());
}

#[test]
fn private_hosts_are_refused_unless_allowed() {
    let config = |testbed: &Testbed| ClientConfig {
        allow_private_hosts: false,
        ..patient_config(testbed)
    };
    let (testbed, wallet, offer) = prepare(OfferOptions::default(), config);
    let error = fetch(&wallet.client, &offer.lnurl).unwrap_err();
    assert!(matches!(error, LnurlChannelError::UnsafeUrl { .. }));
    assert_eq!(testbed.service().connection_counts().connections, 0);
}

// ---- peers ----

#[test]
fn a_channel_of_another_peer_was_not_requested() {
    let scene = Scene::hasty(habits(&[Habit::AnotherPeerOpens]));
    assert_no_channel(scene.accept());
    let (channel, verdict) = scene.wait_for_verdict(|_, _| true);
    assert_eq!(channel.peer_id, scene.testbed.stranger().id());
    assert_eq!(verdict, ChannelVerdict::Unrequested);
    assert_eq!(scene.request.state(), ChannelRequestState::Awaiting);

    scene.open(false);
    opening(scene.resume());
}

#[test]
fn a_second_channel_is_a_duplicate() {
    let scene = Scene::new(habits(&[Habit::OpensTwice]));
    let first = opening(scene.accept());
    let request_id = scene.request.request_id();
    let duplicate = ChannelVerdict::Duplicate { request_id };
    let (second, _) = scene.wait_for_verdict(|_, verdict| *verdict == duplicate);
    assert_eq!(second.stage, ChannelStage::Proposed);
    let arrived = opening(scene.resume());
    assert_eq!(arrived.former_channel_id, Some(first.channel_id));
    assert_eq!(scene.callbacks().len(), 1);
}

#[test]
fn the_wrong_visibility_does_not_end_the_wait() {
    let scene = Scene::new(habits(&[Habit::OpensAnnounced]));
    let call = start_accept(&scene.request);
    let request_id = scene.request.request_id();
    let wrong = ChannelVerdict::WrongVisibility { request_id };
    let (channel, _) = scene.wait_for_verdict(|_, verdict| *verdict == wrong);
    assert_eq!(channel.is_announced, Some(true));
    assert!(call.runs());
    scene.open(false);
    assert_eq!(opening(call.end()).is_announced, Some(false));
    assert_eq!(scene.callbacks().len(), 1);
}

#[test]
fn a_peer_that_drops_the_connection_opens_anew() {
    let scene = Scene::new(habits(&[Habit::DropsConnectionBeforeFunding]));
    let first = opening(scene.accept());
    // The node reports that the first has failed. The channel may have come before the OK.
    let awaits = [
        ChannelRequestState::Awaiting,
        ChannelRequestState::OutcomeUnknown,
    ];
    wait_until("it awaits again", || {
        awaits.contains(&scene.request.state())
    });
    assert_eq!(scene.unfinished(), [scene.request.request_id()]);
    let second = opening(scene.resume());
    assert_ne!(first.channel_id, second.channel_id);
    assert_eq!(scene.callbacks().len(), 1);
    let funded = |channel: &lnurl_channel::IncomingChannel, _: &ChannelVerdict| {
        channel.stage == ChannelStage::Funded
    };
    assert_eq!(scene.wait_for_verdict(funded).1, scene.expected());
}

#[test]
fn a_lost_peer_is_connected_again() {
    let scene = Scene::new(habits(&[Habit::OkAndNeverOpens]));
    let call = start_accept(&scene.request);
    wait_for_state(&scene.request, ChannelRequestState::Awaiting);
    let (wallet, target) = (scene.testbed.wallet(), scene.testbed.target().id());
    wallet.disconnect(&target);
    wait_until("the connection is gone", || !wallet.is_connected(&target));
    scene.wallet.client.check_peers();
    wait_until("it stands again", || wallet.is_connected(&target));
    scene.open(false);
    opening(call.end());
}

#[test]
fn a_wallet_that_is_not_connected_is_told_so() {
    let node = PlainNode {
        node_id: Box::new(|()| Ok(support::plain::NODE_ID.to_uppercase())),
        ..PlainNode::default()
    };
    let scene = PlainScene::new(node, OfferOptions::default());
    let result = block_on(scene.request.accept(ChannelVisibility::Unannounced));
    let reason = "the wallet is not connected with the node".to_owned();
    assert_eq!(result, Err(LnurlChannelError::Refused { reason }));
    // Keys are lower-cased: services refuse others.
    assert_eq!(scene.callbacks(), [scene.accept_target()]);
}

#[test]
fn an_answer_that_comes_after_the_channel_changes_nothing() {
    let scene = Scene::new(OfferOptions {
        negotiation_timeout: Duration::from_millis(1),
        ..habits(&[Habit::AnswersAfterNegotiation])
    });
    // The service gives up at once, and may have proposed a channel first: HTTP 500 with an
    // error, or a channel. Either is an end, and neither is asked for twice.
    let result = scene.accept();
    assert!(
        matches!(
            result,
            Ok(ChannelOutcome::Opening { .. }) | Err(LnurlChannelError::Refused { .. })
        ),
        "{result:?}"
    );
    assert_eq!(scene.callbacks().len(), 1);
}

#[test]
fn debug_shows_no_secret() {
    let scene = Scene::new(OfferOptions::default());
    let text = format!("{:?}", scene.request);
    assert!(text.contains("localhost"));
    assert!(!text.contains(&scene.offer.k1));
    let secret = scene.offer.url.split_once("?q=").unwrap().1;
    assert!(!text.contains(secret));
}
