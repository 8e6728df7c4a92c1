//! HTTPS, the onion name behind its proxy, and faults on the way.

use crate::client::{Client, LONG, Scene, connect, exchange, read_answer, split_url};
use lnurl_channel_testbed::{
    Habit, NodeEvent, OfferOptions, Over, ProxyProtocol, RequestKind, Step, Testbed,
};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

#[test]
fn starts_fast_and_frees_its_ports() {
    let started = Instant::now();
    let testbed = Testbed::start().unwrap();
    println!("started in {:?}", started.elapsed());
    let proxy = testbed.proxy().address();
    let node = testbed.wallet().address();
    drop(testbed);
    assert!(TcpListener::bind(proxy).is_ok());
    assert!(TcpListener::bind(node).is_ok());
}

#[test]
fn every_habit_has_a_name() {
    for habit in Habit::ALL {
        assert_eq!(habit.to_string().parse(), Ok(*habit));
    }
    assert!("NoSuchHabit".parse::<Habit>().is_err());
}

#[test]
fn every_request_is_seen_as_it_came() {
    let scene = Scene::new(OfferOptions::default());
    scene.fetch();
    let callback = scene.callback_url("private=1&odd=%7e%7E+x");
    scene.client.get(&callback).unwrap();
    let service = scene.testbed.service();
    let requests = service.wait_for_requests(LONG, |requests| requests.len() == 3);
    let requests = requests.unwrap();
    assert_eq!(requests[0].target, split_url(&scene.offer.url).1);
    assert_eq!(requests[2].target, split_url(&callback).1);
    assert_eq!(requests[2].kind, RequestKind::Callback);
    assert_eq!(requests[2].offer_id, Some(scene.offer.id));
    assert_eq!(requests[2].headers[0].0, "Host");
    assert!(requests[1].connection < requests[2].connection);
    let counts = service.connection_counts();
    assert_eq!((counts.connections, counts.tls_handshakes), (3, 3));
    assert_eq!(counts.tls_resumptions, 2);
    service.reset_requests();
    let none = service.wait_for_requests(Duration::ZERO, |requests| !requests.is_empty());
    assert!(none.is_none());
}

#[test]
fn the_certificate_is_trusted_through_its_authority_only() {
    let (testbed, other) = (Testbed::start().unwrap(), Testbed::start().unwrap());
    let offer = testbed.service().offer(OfferOptions::default());
    let stranger = Client::new(&other.service());
    assert!(stranger.get(&offer.url).is_err());
    let by_address = offer.url.replace("localhost", "127.0.0.1");
    let answer = Client::new(&testbed.service()).get(&by_address).unwrap();
    assert_eq!(answer.status, 200);
}

fn onion() -> (Testbed, String) {
    let testbed = Testbed::start().unwrap();
    let offer = testbed.service().offer(OfferOptions {
        over: Over::Onion,
        ..Default::default()
    });
    (testbed, offer.url)
}

fn assert_asked(testbed: &Testbed, host: &str, protocol: ProxyProtocol) {
    let asked = testbed.proxy().asked();
    let last = asked.last().unwrap();
    assert_eq!((last.host.as_str(), last.protocol), (host, protocol));
}

#[test]
fn the_onion_name_is_reached_by_socks() {
    let (testbed, url) = onion();
    let (host, target) = split_url(&url);
    let stream = socks(&testbed, host, 80).unwrap();
    assert_eq!(exchange(stream, target, host).unwrap().status, 200);
    assert_asked(&testbed, host, ProxyProtocol::Socks5);
    assert!(socks(&testbed, "example.com", 80).is_none());
    assert_asked(&testbed, "example.com", ProxyProtocol::Socks5);
    assert!(socks(&testbed, host, 443).is_none());
}

fn socks(testbed: &Testbed, host: &str, port: u16) -> Option<impl Read + Write + use<>> {
    let mut stream = connect(&testbed.proxy().address().to_string()).unwrap();
    stream.write_all(&[5, 1, 0]).unwrap();
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).unwrap();
    assert_eq!(chosen, [5, 0]);
    let name = [&[host.len() as u8], host.as_bytes()].concat();
    let request = [&[5, 1, 0, 3][..], &name, &port.to_be_bytes()].concat();
    stream.write_all(&request).unwrap();
    let mut reply = [0; 10];
    stream.read_exact(&mut reply).unwrap();
    (reply[1] == 0).then_some(stream)
}

#[test]
fn the_onion_name_is_reached_by_http_connect() {
    let (testbed, url) = onion();
    let (host, target) = split_url(&url);
    for (name, status) in [(host, 200), ("example.com", 403)] {
        let mut stream = connect(&testbed.proxy().address().to_string()).unwrap();
        write!(stream, "CONNECT {name}:80 HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!(read_answer(&mut stream).unwrap().status, status);
        assert_asked(&testbed, name, ProxyProtocol::HttpConnect);
        if status == 200 {
            assert_eq!(exchange(stream, target, host).unwrap().status, 200);
        }
    }
}

#[test]
fn the_onion_name_is_reached_by_a_forwarded_request() {
    let (testbed, url) = onion();
    let (host, target) = split_url(&url);
    let mut stream = connect(&testbed.proxy().address().to_string()).unwrap();
    for _ in 0..2 {
        assert_eq!(exchange(&mut stream, &url, host).unwrap().status, 200);
    }
    assert_asked(&testbed, host, ProxyProtocol::HttpForward);
    let requests = testbed.service().requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].target, target);
    assert_eq!(requests[1].over, Over::Onion);
    let stream = connect(&testbed.proxy().address().to_string()).unwrap();
    let refused = exchange(stream, "http://example.com/", "example.com");
    assert_eq!(refused.unwrap().status, 403);
}

#[test]
fn errors_come_in_every_shape() {
    for (habit, status) in [
        (Habit::ErrorWithHttpStatus, 400),
        (Habit::ErrorAnswer, 200),
        (Habit::ErrorAsDetail, 404),
        (Habit::HtmlFromGateway, 502),
    ] {
        let scene = Scene::with(habit);
        assert_eq!(scene.call_back("private=1").unwrap().status, status);
        let scene = Scene::with_at_offer(habit);
        assert_eq!(scene.fetch().status, status);
        scene.expect_no_proposal();
    }
}

#[test]
fn a_body_is_answered_as_it_is() {
    for fault_step in [Step::Offer, Step::Callback] {
        let scene = Scene::new(OfferOptions {
            habits: vec![Habit::AnswersWithBody],
            http_status: 418,
            body: "no coffee, \u{e9}\n".into(),
            fault_step,
            ..OfferOptions::default()
        });
        let answer = match fault_step {
            Step::Offer => scene.fetch(),
            Step::Callback => scene.call_back("private=1").unwrap(),
        };
        assert_eq!((answer.status, &*answer.body), (418, "no coffee, \u{e9}\n"));
    }
}

#[test]
fn a_reset_follows_the_request() {
    let scene = Scene::with(Habit::ResetAfterRequest);
    let error = scene.call_back("private=1").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(scene.testbed.service().requests().len(), 2);
}

#[test]
fn silence_lasts_until_the_client_goes() {
    let (testbed, _) = onion();
    let offer = testbed.service().offer(OfferOptions {
        over: Over::Onion,
        habits: vec![Habit::SilentCallback],
        ..Default::default()
    });
    let (host, _) = split_url(&offer.url);
    let mut stream = socks(&testbed, host, 80).unwrap();
    let target = format!("/callback/{}", offer.id);
    write!(stream, "GET {target} HTTP/1.1\r\n\r\n").unwrap();
    let seen = testbed
        .service()
        .wait_for_requests(LONG, |requests| requests.len() == 1);
    assert_eq!(seen.unwrap()[0].target, target);
}

#[test]
fn redirects_lead_to_the_same_answer() {
    let scene = Scene::with(Habit::Redirects);
    let answer = scene.call_back("private=1").unwrap();
    assert_eq!(answer.status, 302);
    let location = answer.location().unwrap();
    assert!(scene.client.get(location).unwrap().is_ok());
    assert!(matches!(
        scene.wallet_event(),
        NodeEvent::OpenChannelRequest { .. }
    ));

    let scene = Scene::with_at_offer(Habit::RedirectsToPlainHttp);
    assert!(scene.fetch().location().unwrap().starts_with("http://"));
}
