//! LUD-02 between real nodes: a service that behaves, and each habit of those that do not.

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lnurl_channel::{
    ChannelClient, ChannelConcern, ChannelKind, ChannelOutcome, ChannelRequestSnapshot,
    ChannelRequestState, ChannelStage, ChannelStep, ChannelVerdict, ChannelVisibility,
    ClientConfig, IncomingChannel, LnurlChannelError, NetworkProblem, UrlProblem, decode_lnurl,
};
use lnurl_channel_testbed::{
    Habit, NodeEvent, OfferOptions, Over, ProxyProtocol, RequestKind, SeenRequest, Step, Testbed,
};

use support::LIMIT;
use support::block_on;
use support::listener::Listener;
use support::plain::{NODE_ID, PlainNode, PlainScene};
use support::scene::{
    CallResult, Scene, accept, fetch, funded_channel, gets, habits, hasty_config, kept,
    patient_config, prepare, start, start_accept, start_waiting_on, state, wait_for_state,
    wait_until,
};

/// What a test runs into rather than wait for a habit's own time limit.
const FAST: Duration = Duration::from_secs(8);

fn at_offer(habit: Habit) -> OfferOptions {
    OfferOptions {
        fault_step: Step::Offer,
        ..habits(&[habit])
    }
}

fn over_onion() -> OfferOptions {
    OfferOptions {
        over: Over::Onion,
        ..OfferOptions::default()
    }
}

/// The error that fetching such an offer ends with.
fn fetch_error(options: OfferOptions) -> LnurlChannelError {
    let (_testbed, wallet, offer) = prepare(options, hasty_config);
    fetch(&wallet.client, &offer.lnurl).unwrap_err()
}

fn assert_arrives_after_one_callback(scene: &Scene) {
    let channel = funded_channel(scene.accept());
    assert_eq!(channel.peer_id, scene.testbed.target().id());
    assert_eq!(scene.state(), ChannelRequestState::Arrived);
    assert_eq!(scene.callbacks().len(), 1);
}

/// That the time was over without a channel, with nothing in the way that is known.
fn assert_no_channel(result: CallResult) {
    let Err(LnurlChannelError::NoChannel {
        service_agreed: true,
        concerns,
        ..
    }) = result
    else {
        panic!("{result:?}");
    };
    assert_eq!(concerns, []);
}

/// That the time was over without a channel, after an answer that was lost or unclear: its words.
fn assert_unclear(result: CallResult) -> Option<String> {
    let Err(LnurlChannelError::NoChannel {
        service_agreed: false,
        concerns,
        ..
    }) = result
    else {
        panic!("{result:?}");
    };
    match concerns.as_slice() {
        [ChannelConcern::AnswerUnclear { words }] => words.clone(),
        other => panic!("{other:?}"),
    }
}

fn is_funded(channel: &IncomingChannel, _: &ChannelVerdict) -> bool {
    channel.stage == ChannelStage::Funded
}

// ---- services that behave ----

#[test]
fn a_good_service_opens_an_unannounced_channel() {
    let scene = Scene::new(OfferOptions {
        capacity_sat: 250_000,
        push_msat: 7_000,
        ..OfferOptions::default()
    });
    let offer = scene.request.snapshot().offer;
    let (_, authority) = scene.offer.url.split_once("https://").unwrap();
    let authority = authority.split('/').next();
    assert_eq!(offer.kind, ChannelKind::Funded);
    assert_eq!(offer.service.as_deref(), authority);
    assert_eq!(offer.answered_by, None);
    assert_eq!(offer.callback_host.as_deref(), Some("localhost"));
    assert_eq!(offer.peer.node_id, scene.testbed.target().id());
    let address = scene.testbed.target().address();
    assert_eq!(offer.peer.host, address.ip().to_string());
    assert_eq!(offer.peer.port, address.port());
    assert_eq!(scene.state(), ChannelRequestState::Offered);
    assert_eq!(kept(&scene.wallet.client), [""; 0], "nobody has agreed yet");

    let channel = funded_channel(scene.accept());
    assert_eq!(channel.peer_id, offer.peer.node_id);
    assert_eq!(channel.stage, ChannelStage::Funded);
    assert_eq!(
        channel.capacity_sat,
        Some(250_000),
        "known from the proposal"
    );
    assert_eq!(channel.push_msat, Some(7_000));
    assert_eq!(channel.is_announced, Some(false));
    let (proposal, verdict) = scene.wait_for_verdict(|_, _| true);
    assert_eq!(verdict, scene.expected());
    assert_eq!(proposal.stage, ChannelStage::Proposed);
    assert_eq!(channel.former_channel_id, proposal.channel_id);

    assert_eq!(scene.callbacks(), [scene.accept_target()]);
    let snapshot = scene.request.snapshot();
    assert_eq!(snapshot.state, ChannelRequestState::Arrived);
    assert!(!snapshot.is_running);
    assert_eq!(snapshot.visibility, Some(ChannelVisibility::Unannounced));
    assert_eq!(snapshot.channel, Some(channel.clone()));
    assert_eq!(kept(&scene.wallet.client), [scene.request.request_id()]);

    scene.confirm_channel();
    wait_for_state(&scene.request, ChannelRequestState::Ready);
    scene.listener.wait_for(ChannelStep::Ready, 1);
    let steps = scene.listener.steps();
    let place = |step| steps.iter().position(|s| *s == step);
    assert_eq!(
        steps[..2],
        [ChannelStep::Connecting, ChannelStep::Requesting]
    );
    assert!(place(ChannelStep::Proposed) < place(ChannelStep::Arrived));
    assert!(place(ChannelStep::Arrived) < place(ChannelStep::Ready));
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
        assert_eq!(named("accept-encoding"), Some("identity"));
        assert_eq!(named("user-agent"), Some("lnurl-channel"));
        for absent in ["cookie", "referer"] {
            assert_eq!(named(absent), None, "{absent}");
        }
    }
}

#[test]
fn an_announced_channel_comes_where_one_was_asked_for() {
    let scene = Scene::new(OfferOptions::default());
    let channel = funded_channel(scene.accept_as(ChannelVisibility::Announced));
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
        let scene = Scene::with(over_onion(), |testbed| ClientConfig {
            proxy: Some(format!("{protocol}://{}", testbed.proxy().address())),
            ..patient_config(testbed)
        });
        let onion = scene.testbed.service().onion_host();
        assert_eq!(scene.request.snapshot().offer.service, Some(onion.clone()));
        assert_arrives_after_one_callback(&scene);
        let asked = scene.testbed.proxy().asked();
        assert_eq!(asked.len(), 2, "the offer, and the callback");
        for asked in asked {
            assert_eq!((asked.host, asked.port), (onion.clone(), 80));
            assert_eq!(asked.protocol, kind);
        }
    }
}

/// Tor keeps the circuits of different credentials apart.
#[test]
fn each_request_has_credentials_of_its_own_at_a_socks_proxy() {
    let options = OfferOptions {
        over: Over::Onion,
        ..habits(&[Habit::OkAndNeverOpens])
    };
    let scene = PlainScene::with(PlainNode::default(), options.clone(), |testbed| {
        ClientConfig {
            proxy: Some(testbed.proxy().socks_url()),
            ..patient_config(testbed)
        }
    });
    let call = start_accept(&scene.request);
    wait_for_state(&scene.request, ChannelRequestState::Awaiting);
    block_on(scene.request.cancel()).unwrap();
    call.end().unwrap_err();
    scene.wallet.offered(options);
    let asked = scene.wallet.testbed.proxy().asked().into_iter();
    let credentials: Vec<_> = asked.map(|asked| asked.credentials.unwrap()).collect();
    let [first, callback, cancel, second] = credentials.as_slice() else {
        panic!("{credentials:?}");
    };
    assert_eq!(first, callback, "a fetch and its callback");
    let different = HashSet::from([first, cancel, second]);
    assert_eq!(different.len(), 3, "{credentials:?}");
}

#[test]
fn an_onion_service_without_a_proxy_needs_tor() {
    let (testbed, wallet, offer) = prepare(over_onion(), patient_config);
    let error = fetch(&wallet.client, &offer.lnurl).unwrap_err();
    let host = testbed.service().onion_host();
    assert_eq!(error, LnurlChannelError::TorRequired { host });
}

#[test]
fn plain_http_to_an_onion_needs_a_proxy_on_this_device() {
    let (_testbed, wallet, offer) = prepare(over_onion(), |testbed| ClientConfig {
        proxy: Some("socks5h://192.0.2.1:9050".into()),
        ..patient_config(testbed)
    });
    let error = fetch(&wallet.client, &offer.lnurl).unwrap_err();
    assert!(matches!(error, LnurlChannelError::InvalidConfig { .. }));
}

#[test]
fn a_wrong_configuration_is_refused() {
    let wrong: [fn(&mut ClientConfig); 10] = [
        |config| config.request_timeout_seconds = 0,
        |config| config.connect_timeout_seconds = 0,
        |config| config.channel_timeout_seconds = 0,
        |config| config.reconnect_seconds = 0,
        |config| config.proxy = Some("127.0.0.1:9050".into()),
        |config| config.proxy = Some("ftp://127.0.0.1:9050".into()),
        |config| config.proxy = Some("socks5h://user:password@127.0.0.1:9050".into()),
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
        let (node, listener) = (Arc::<PlainNode>::default(), Arc::<Listener>::default());
        let error = ChannelClient::new(Box::new(node), Box::new(listener), config).err();
        let refused = matches!(error, Some(LnurlChannelError::InvalidConfig { .. }));
        assert!(refused, "{number}: {error:?}");
    }
}

// ---- the order of OK and open_channel ----

#[test]
fn a_wait_that_ends_without_a_channel_can_go_on_later() {
    let scene = Scene::hasty(habits(&[Habit::OkAndNeverOpens]));
    assert_no_channel(scene.accept());
    assert_eq!(scene.state(), ChannelRequestState::Awaiting);
    assert_eq!(kept(&scene.wallet.client), [scene.request.request_id()]);

    let opened = scene.open(false);
    assert_eq!(scene.wait_for_verdict(is_funded).1, scene.expected());
    assert_eq!(scene.state(), ChannelRequestState::Arrived);
    let channel = funded_channel(scene.accept());
    let temporary_id = opened.temporary_channel_id().to_owned();
    assert_eq!(channel.former_channel_id, Some(temporary_id));
    assert_eq!(scene.callbacks().len(), 1);
}

#[test]
fn a_late_channel_ends_a_second_wait() {
    let scene = Scene::with(habits(&[Habit::OkAndNeverOpens]), |testbed| ClientConfig {
        channel_timeout_seconds: 2,
        ..patient_config(testbed)
    });
    assert_no_channel(scene.accept());
    let second = start_waiting_on(&scene.request);
    scene.open(false);
    funded_channel(second.end());
    assert_eq!(scene.callbacks().len(), 1);
}

#[test]
fn ok_after_a_failed_open_is_no_promise() {
    let scene = Scene::hasty(habits(&[Habit::OkAfterFailedOpen]));
    assert_no_channel(scene.accept());
    assert_eq!(scene.state(), ChannelRequestState::Awaiting);
    assert_no_channel(scene.accept());
    assert_eq!(scene.callbacks().len(), 1, "it only waits on");
    assert_no_channel(scene.ask_again());
    assert_eq!(scene.callbacks().len(), 2, "only the user asks again");
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
    let offer = scene.request.snapshot().offer;
    assert_eq!(offer.callback_host.as_deref(), Some("localhost"));
    assert_arrives_after_one_callback(&scene);
    assert_eq!(scene.callbacks(), [scene.accept_target()]);
}

/// A session that is resumed tells the service who comes back, and the callback names the node.
#[test]
fn a_tls_session_goes_from_a_fetch_to_its_own_callback_and_no_further() {
    let silent = || habits(&[Habit::OkAndNeverOpens]);
    let scene = PlainScene::new(PlainNode::default(), silent());
    let service = scene.wallet.testbed.service();
    let resumed = || service.connection_counts().tls_resumptions;
    let ask = |request: &Arc<lnurl_channel::ChannelRequest>| {
        let call = start_accept(request);
        wait_for_state(request, ChannelRequestState::Awaiting);
        request.pause();
        call.end().unwrap_err();
    };
    let second = scene.wallet.offered(silent());
    assert_eq!(resumed(), 0, "two fetches");
    ask(&scene.request);
    assert_eq!(resumed(), 1, "the callback");
    scene.wallet.offered(OfferOptions::default());
    block_on(scene.request.cancel()).unwrap();
    assert_eq!(resumed(), 1, "a fetch, and a cancel");
    ask(&second);
    assert_eq!(resumed(), 2, "the second's own");
}

#[test]
fn a_callback_may_have_another_host() {
    let scene = Scene::new(habits(&[Habit::CallbackOnAnotherHost]));
    let offer = scene.request.snapshot().offer;
    assert!(offer.service.unwrap().starts_with("localhost:"));
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
    funded_channel(scene.accept());
    let moved = scene.accept_target().replace('?', "/moved?");
    assert_eq!(scene.callbacks(), [scene.accept_target(), moved]);
}

// ---- scanned again ----

#[test]
fn an_offer_that_was_turned_down_is_fetched_anew() {
    let scene = Scene::new(habits(&[Habit::NewK1PerGet]));
    block_on(scene.request.cancel()).unwrap();
    let again = fetch(&scene.wallet.client, &scene.offer.lnurl).unwrap();
    assert_ne!(again.request_id(), scene.request.request_id());
    funded_channel(accept(&again));
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
    funded_channel(scene.accept());
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
        wait_until("the call ends", || !scene.request.snapshot().is_running);
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
                let lnurl = decode_lnurl(lnurl).unwrap();
                client.fetch(lnurl).await.unwrap().request_id()
            })
        })
        .collect();
    let mut ids: Vec<String> = fetches.into_iter().map(|fetch| fetch.end()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(gets(&testbed).len(), 1);
}

// ---- an answer that the wallet fetched by itself ----

#[test]
fn an_answer_that_the_wallet_fetched_is_taken_as_one_of_our_own() {
    let (testbed, wallet, offer) = prepare(OfferOptions::default(), patient_config);
    let lnurl = decode_lnurl(offer.lnurl).unwrap();
    let (id, k1, uri) = (offer.id, offer.k1, testbed.target().uri());
    let answer = format!(
        r#"{{"tag":"channelRequest","uri":"{uri}","callback":"/callback/{id}","k1":"{k1}"}}"#
    );
    let take = || wallet.client.take_answer(lnurl.clone(), answer.clone());
    let request = take().unwrap();
    assert!(testbed.service().requests().is_empty());
    let offer = request.snapshot().offer;
    assert_eq!(offer.service, Some(lnurl.authority()));
    assert_eq!(take().unwrap().request_id(), request.request_id());
    let fetched = block_on(wallet.client.fetch(lnurl.clone())).unwrap();
    assert_eq!(fetched.request_id(), request.request_id());

    funded_channel(accept(&request));
    assert_eq!(gets(&testbed), [""; 0]);
    assert_ne!(take().unwrap().request_id(), request.request_id());
}

#[test]
fn an_answer_that_is_no_offer_is_refused_as_after_a_fetch() {
    let (_testbed, wallet, offer) = prepare(OfferOptions::default(), patient_config);
    let lnurl = decode_lnurl(offer.lnurl).unwrap();
    let take = |answer: &str| {
        let taken = wallet.client.take_answer(lnurl.clone(), answer.to_owned());
        taken.unwrap_err()
    };
    let words = Some("sold out".to_owned());
    assert_eq!(
        take(r#"{"status":"ERROR","reason":"sold out"}"#),
        LnurlChannelError::Refused { words }
    );
    let tag = "payRequest".to_owned();
    assert_eq!(
        take(r#"{"tag":"payRequest"}"#),
        LnurlChannelError::UnsupportedTag { tag }
    );
    for wrong in ["", "<html>", "[]", "{}"] {
        let error = take(wrong);
        let invalid = matches!(error, LnurlChannelError::InvalidResponse { .. });
        assert!(invalid, "{wrong}: {error:?}");
    }
}

// ---- cancel ----

#[test]
fn a_late_channel_after_a_cancel_is_unwanted() {
    let scene = Scene::new(habits(&[Habit::OkAndNeverOpens, Habit::IgnoresCancel]));
    let call = start_accept(&scene.request);
    wait_for_state(&scene.request, ChannelRequestState::Awaiting);
    block_on(scene.request.cancel()).unwrap();
    assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    assert_eq!(scene.state(), ChannelRequestState::Cancelled);
    assert_eq!(
        scene.callbacks(),
        [scene.accept_target(), scene.cancel_target()]
    );

    // The wallet lets the peer go; the peer comes back.
    let (wallet, target) = (scene.testbed.wallet(), scene.testbed.target());
    wait_until("the peer is let go", || !wallet.is_connected(&target.id()));
    let address = wallet.address();
    assert!(target.connect(&wallet.id(), &address.ip().to_string(), address.port()));
    scene.open(false);
    let (_, verdict) = scene.wait_for_verdict(|_, _| true);
    let request_id = scene.request.request_id();
    assert_eq!(verdict, ChannelVerdict::Unwanted { request_id });
    assert_eq!(scene.state(), ChannelRequestState::Cancelled);
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
    let verdicts = &scene.wallet.verdicts;
    assert!(verdicts.wait_until(|verdicts| verdicts.len() == 2));
    assert!(verdicts.all().iter().all(|(_, v)| *v == wrong));
    block_on(scene.request.cancel()).unwrap();
    assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    assert_eq!(
        scene.callbacks(),
        [scene.accept_target(), scene.cancel_target()]
    );
}

// ---- services that say no ----

#[test]
fn an_error_with_an_http_status_is_a_refusal() {
    for http_status in [400, 500] {
        let options = OfferOptions {
            http_status,
            ..habits(&[Habit::ErrorWithHttpStatus])
        };
        let words = Some("the service is out of order".to_owned());
        let refused = LnurlChannelError::Refused {
            words: words.clone(),
        };
        let scene = Scene::new(options.clone());
        assert_eq!(scene.accept(), Err(refused.clone()));
        assert_eq!(scene.state(), ChannelRequestState::Refused);
        assert_eq!(scene.request.snapshot().refusal, words);
        assert_eq!(scene.accept(), Err(refused.clone()), "the same end at once");
        let state = ChannelRequestState::Refused;
        let wrong = LnurlChannelError::WrongState { state };
        assert_eq!(scene.ask_again(), Err(wrong));
        assert_eq!(scene.callbacks().len(), 1);

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
    let words = Some("the service has no channels left".to_owned());
    assert_eq!(scene.accept(), Err(LnurlChannelError::Refused { words }));
    // The user scans once more, and the service is asked once more.
    let again = fetch(&scene.wallet.client, &scene.offer.lnurl).unwrap();
    assert_ne!(again.request_id(), scene.request.request_id());
    accept(&again).unwrap_err();
    assert_eq!(scene.callbacks().len(), 2);
}

#[test]
fn a_detail_is_the_reason_of_an_offer_that_is_none() {
    let words = Some("the offer has expired".to_owned());
    assert_eq!(
        fetch_error(at_offer(Habit::ErrorAsDetail)),
        LnurlChannelError::Refused { words }
    );
}

// ---- answers that are lost ----

#[test]
fn an_answer_without_status_is_unclear_and_its_words_are_kept() {
    for (habit, part) in [
        (Habit::ErrorAsDetail, "the offer has expired"),
        (Habit::HtmlFromGateway, "Bad Gateway"),
    ] {
        let scene = Scene::hasty(habits(&[habit]));
        let words = assert_unclear(scene.accept()).unwrap();
        assert!(words.contains(part), "{words}");
        assert_eq!(scene.state(), ChannelRequestState::OutcomeUnknown);
        assert_eq!(kept(&scene.wallet.client), [scene.request.request_id()]);
        assert_eq!(scene.callbacks().len(), 1, "{habit}: never sent again");

        scene.open(false);
        scene.wait_for_verdict(is_funded);
        funded_channel(scene.accept());
        assert_eq!(scene.callbacks().len(), 1);
    }
}

#[test]
fn an_unclear_answer_is_told_at_once() {
    let scene = Scene::new(habits(&[Habit::ErrorAsDetail]));
    let call = start_accept(&scene.request);
    scene.listener.wait_for(ChannelStep::AnswerUnclear, 1);
    let snapshot = scene.request.snapshot();
    assert_eq!(snapshot.state, ChannelRequestState::OutcomeUnknown);
    let words = Some("the offer has expired".to_owned());
    assert_eq!(snapshot.concerns, [ChannelConcern::AnswerUnclear { words }]);
    assert!(call.runs());
    scene.open(false);
    funded_channel(call.end());
}

/// A plain 400, as a web framework answers by itself, is no refusal in LNURL's terms; nor does the
/// wallet wait in silence.
#[test]
fn a_plain_400_is_heard_of_within_a_second_of_the_answer() {
    let options = OfferOptions {
        http_status: 400,
        body: "Bad Request: the order has expired\n".into(),
        ..habits(&[Habit::AnswersWithBody])
    };
    let scene = Scene::new(options);
    let call = start_accept(&scene.request);
    assert_heard_within_a_second(&scene, ChannelRequestState::OutcomeUnknown);
    scene.listener.wait_for(ChannelStep::AnswerUnclear, 1);
    let snapshot = scene.request.snapshot();
    assert_eq!(snapshot.state, ChannelRequestState::OutcomeUnknown);
    let words = Some("Bad Request: the order has expired".to_owned());
    assert_eq!(snapshot.concerns, [ChannelConcern::AnswerUnclear { words }]);
    assert!(call.runs(), "the channel may come all the same");
    scene.request.pause();
    call.end().unwrap_err();
}

#[test]
fn a_refusal_with_a_400_is_heard_of_within_a_second_of_the_answer() {
    let scene = Scene::new(habits(&[Habit::ErrorWithHttpStatus]));
    let call = start_accept(&scene.request);
    assert_heard_within_a_second(&scene, ChannelRequestState::Refused);
    let words = Some("the service is out of order".to_owned());
    assert_eq!(call.end(), Err(LnurlChannelError::Refused { words }));
}

/// Measured from when the service had read the callback, which is before its answer.
fn assert_heard_within_a_second(scene: &Scene, wanted: ChannelRequestState) {
    let has_callback = |requests: &[SeenRequest]| {
        let mut requests = requests.iter();
        requests.any(|request| request.kind == RequestKind::Callback)
    };
    let seen = scene
        .testbed
        .service()
        .wait_for_requests(LIMIT, has_callback);
    assert!(seen.is_some(), "the service was not asked");
    let asked = Instant::now();
    let is_wanted = |snapshot: &ChannelRequestSnapshot| snapshot.state == wanted;
    scene.listener.wait_until(&format!("{wanted:?}"), is_wanted);
    let heard = asked.elapsed();
    println!("heard {heard:?} after the callback was read");
    assert!(heard < Duration::from_secs(1), "{heard:?}");
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
    assert_eq!(assert_unclear(scene.accept()), None);
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(scene.state(), ChannelRequestState::OutcomeUnknown);
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
    funded_channel(call.end());
    assert_eq!(scene.callbacks().len(), 1);
}

#[test]
fn a_silent_offer_is_unreachable_in_time() {
    let start = Instant::now();
    let error = fetch_error(at_offer(Habit::SilentCallback));
    let problem = NetworkProblem::TimedOut;
    assert_unreachable(&error, problem);
    assert!(start.elapsed() < FAST);
}

fn assert_unreachable(error: &LnurlChannelError, wanted: NetworkProblem) {
    let LnurlChannelError::Unreachable { problem, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(*problem, wanted, "{error:?}");
}

#[test]
fn a_callback_whose_answer_is_lost_is_never_sent_again_by_itself() {
    let scene = Scene::hasty(habits(&[Habit::ResetAfterRequest]));
    assert_eq!(assert_unclear(scene.accept()), None);
    assert_eq!(assert_unclear(scene.accept()), None);
    assert_eq!(scene.callbacks().len(), 1);
    assert_eq!(assert_unclear(scene.ask_again()), None);
    assert_eq!(scene.callbacks().len(), 2, "but by the user");
}

#[test]
fn a_reset_offer_is_unreachable() {
    let error = fetch_error(at_offer(Habit::ResetAfterRequest));
    assert_unreachable(&error, NetworkProblem::ConnectionLost);
}

#[test]
fn a_redirect_to_plain_http_is_refused() {
    let error = fetch_error(at_offer(Habit::RedirectsToPlainHttp));
    let LnurlChannelError::UnsafeUrl { problem, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(problem, UrlProblem::NotHttps);

    let scene = Scene::hasty(habits(&[Habit::RedirectsToPlainHttp]));
    assert_unclear(scene.accept());
    assert_eq!(scene.callbacks(), [scene.accept_target()]);
}

#[test]
fn a_redirected_offer_keeps_the_first_host() {
    let scene = Scene::new(at_offer(Habit::Redirects));
    let offer = scene.request.snapshot().offer;
    assert!(offer.service.unwrap().starts_with("localhost:"));
    assert_eq!(offer.answered_by, None, "the same host");
    assert_eq!(gets(&scene.testbed).len(), 2);
    assert_arrives_after_one_callback(&scene);
}

// ---- services that cannot be reached ----

#[test]
fn a_service_that_is_gone_was_told_nothing() {
    let scene = PlainScene::new(PlainNode::default(), OfferOptions::default());
    let PlainScene {
        request, wallet, ..
    } = scene;
    let client = wallet.client;
    drop(wallet.testbed);
    let error = accept(&request).unwrap_err();
    assert_unreachable(&error, NetworkProblem::NoConnection);
    let snapshot = request.snapshot();
    assert_eq!(snapshot.state, ChannelRequestState::Offered);
    let problem = NetworkProblem::NoConnection;
    let concern = ChannelConcern::ServiceUnreachable { problem };
    assert_eq!(snapshot.concerns, [concern]);
    assert_eq!(kept(&client), [request.request_id()], "to try again");
}

#[test]
fn a_certificate_of_an_unknown_authority_is_not_trusted() {
    let config = |testbed: &Testbed| ClientConfig {
        extra_root_certificates: None,
        ..patient_config(testbed)
    };
    let (testbed, wallet, offer) = prepare(OfferOptions::default(), config);
    let error = fetch(&wallet.client, &offer.lnurl).unwrap_err();
    assert_unreachable(&error, NetworkProblem::CertificateUntrusted);
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
    let LnurlChannelError::UnsafeUrl { problem, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(problem, UrlProblem::PrivateAddress);
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
    assert_eq!(scene.state(), ChannelRequestState::Awaiting);

    scene.open(false);
    scene.wait_for_verdict(is_funded);
    funded_channel(scene.accept());
}

#[test]
fn a_second_channel_is_a_duplicate_even_under_the_first_ones_temporary_id() {
    for options in [
        habits(&[Habit::OpensTwice]),
        habits(&[Habit::OpensTwice, Habit::ReusesTemporaryId]),
    ] {
        let scene = Scene::new(options);
        let first = funded_channel(scene.accept());
        let request_id = scene.request.request_id();
        let duplicate = ChannelVerdict::Duplicate { request_id };
        let (second, _) = scene.wait_for_verdict(|_, verdict| *verdict == duplicate);
        assert_eq!(second.stage, ChannelStage::Proposed);
        assert_eq!(funded_channel(scene.accept()), first);
        assert_eq!(scene.callbacks().len(), 1);
    }
}

#[test]
fn the_wrong_visibility_does_not_end_the_wait() {
    let scene = Scene::new(habits(&[Habit::OpensAnnounced]));
    let call = start_accept(&scene.request);
    let request_id = scene.request.request_id();
    let wrong = ChannelVerdict::WrongVisibility { request_id };
    let (channel, _) = scene.wait_for_verdict(|_, verdict| *verdict == wrong);
    assert_eq!(channel.is_announced, Some(true));
    scene.listener.wait_for(ChannelStep::Mismatched, 1);
    assert_eq!(
        scene.request.snapshot().concerns,
        [ChannelConcern::OtherVisibilityProposed]
    );
    assert!(call.runs());
    scene.open(false);
    assert_eq!(funded_channel(call.end()).is_announced, Some(false));
    assert_eq!(scene.callbacks().len(), 1);
}

#[test]
fn a_peer_that_drops_the_connection_opens_anew_and_accept_waits_for_it() {
    let scene = Scene::new(habits(&[Habit::DropsConnectionBeforeFunding]));
    let channel = funded_channel(scene.accept());
    let (first, _) = scene.wait_for_verdict(|_, _| true);
    assert_ne!(channel.former_channel_id, first.channel_id);
    assert_eq!(scene.wait_for_verdict(is_funded).1, scene.expected());
    assert_eq!(scene.callbacks().len(), 1);
    scene.listener.wait_for(ChannelStep::Arrived, 1);
    let steps = scene.listener.steps();
    let count = |step| steps.iter().filter(|s| **s == step).count();
    assert_eq!(count(ChannelStep::OpeningFailed), 1, "{steps:?}");
    assert_eq!(count(ChannelStep::Proposed), 2, "{steps:?}");
}

#[test]
fn a_channel_that_is_closed_before_it_is_ready_leaves_room_for_the_next() {
    let scene = Scene::new(habits(&[Habit::ClosesBeforeReady]));
    let first = funded_channel(scene.accept());
    let is_next = |channel: &IncomingChannel, _: &ChannelVerdict| {
        channel.stage == ChannelStage::Funded && channel.channel_id != first.channel_id
    };
    let (second, verdict) = scene.wait_for_verdict(is_next);
    assert_eq!(verdict, scene.expected());
    assert_eq!(funded_channel(scene.accept()).channel_id, second.channel_id);
    scene.listener.wait_for(ChannelStep::OpeningFailed, 1);
    assert_eq!(scene.callbacks().len(), 1);
}

#[test]
fn proposals_that_die_silently_do_not_end_the_wait() {
    let scene = Scene::new(habits(&[Habit::ProposalsDieSilently]));
    let call = start_accept(&scene.request);
    // The fifth is turned down by the node itself, which holds four that are not funded.
    let verdicts = &scene.wallet.verdicts;
    assert!(verdicts.wait_until(|verdicts| verdicts.len() == 4));
    let all_expected = verdicts.all().iter().all(|(_, v)| *v == scene.expected());
    assert!(all_expected, "{:?}", verdicts.all());
    assert_eq!(scene.state(), ChannelRequestState::Opening);
    assert!(call.runs());

    // Once the connection is lost, they are all gone, and there is room again.
    let (wallet, target) = (scene.testbed.wallet(), scene.testbed.target());
    let next = || target.next_event(LIMIT).expect("the fifth is turned down");
    while !matches!(next(), NodeEvent::ChannelClosed { .. }) {}
    wallet.disconnect(&target.id());
    scene.listener.wait_for(ChannelStep::OpeningFailed, 1);
    wait_until("it stands again", || wallet.is_connected(&target.id()));
    scene.open(false);
    funded_channel(call.end());
    assert_eq!(scene.callbacks().len(), 1);
}

#[test]
fn a_lost_peer_is_connected_again_at_once() {
    let scene = Scene::with(habits(&[Habit::OkAndNeverOpens]), |testbed| ClientConfig {
        // Only the report of the lost connection leads to the next.
        reconnect_seconds: 60,
        ..patient_config(testbed)
    });
    let call = start_accept(&scene.request);
    wait_for_state(&scene.request, ChannelRequestState::Awaiting);
    let (wallet, target) = (scene.testbed.wallet(), scene.testbed.target().id());
    wallet.disconnect(&target);
    scene.listener.wait_for(ChannelStep::Reconnecting, 1);
    wait_until("it stands again", || wallet.is_connected(&target));
    scene.listener.wait_until("the peer is back", |request| {
        request.is_peer_connected && request.state == ChannelRequestState::Awaiting
    });
    scene.open(false);
    funded_channel(call.end());
}

#[test]
fn a_stranger_is_let_go_once_the_request_has_ended() {
    let scene = Scene::new(habits(&[Habit::OkAndNeverOpens]));
    let call = start_accept(&scene.request);
    wait_for_state(&scene.request, ChannelRequestState::Awaiting);
    let (wallet, target) = (scene.testbed.wallet(), scene.testbed.target().id());
    assert!(wallet.is_connected(&target));
    block_on(scene.request.cancel()).unwrap();
    call.end().unwrap_err();
    wait_until("the peer is let go", || !wallet.is_connected(&target));
}

#[test]
fn a_wallet_that_is_not_connected_is_told_so() {
    let node = PlainNode {
        node_id: Box::new(|()| Ok(NODE_ID.to_uppercase())),
        ..PlainNode::default()
    };
    let scene = PlainScene::new(node, OfferOptions::default());
    let words = Some("the wallet is not connected with the node".to_owned());
    let refused = LnurlChannelError::Refused { words };
    assert_eq!(accept(&scene.request), Err(refused));
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
            Ok(ChannelOutcome::Funded { .. }) | Err(LnurlChannelError::Refused { .. })
        ),
        "{result:?}"
    );
    assert_eq!(scene.callbacks().len(), 1);
}

#[test]
fn debug_shows_no_secret() {
    let scene = Scene::new(OfferOptions::default());
    let text = format!("{:?} {:?}", scene.request, scene.request.snapshot());
    assert!(text.contains("localhost"));
    assert!(!text.contains(&scene.offer.k1));
    let secret = scene.offer.url.split_once("?q=").unwrap().1;
    assert!(!text.contains(secret));
    assert_eq!(state(&scene.request), ChannelRequestState::Offered);
}
