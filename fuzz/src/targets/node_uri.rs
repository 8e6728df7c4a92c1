//! The node URI: what is accepted has one form, and a host that no resolver reads in another way.

use std::net::{IpAddr, Ipv6Addr};

use k256::PublicKey;
use lnurl_channel_core::protocol::{PeerAddress, check_node_id, parse_node_uri};
use url::Host;

use crate::samples::PEER;

/// What no reason holds.
const MARK: &str = "fuzzmark";

/// The input itself; and behind a right key, since no mutation finds a point on the curve;
/// and its first bytes as a key.
pub fn run(input: &[u8]) {
    if let Some(x) = input.first_chunk() {
        check_key(x);
    }
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    check(text);
    check(&format!("{PEER}@{text}"));
}

fn check(text: &str) {
    match parse_node_uri(text) {
        Ok(peer) => check_accepted(text, &peer),
        Err(reason) => check_refused(text, &reason),
    }
}

fn check_accepted(text: &str, peer: &PeerAddress) {
    let (node_id, address) = text.split_once('@').expect("accepted without an `@`");
    assert_eq!(peer.node_id, node_id.to_ascii_lowercase());
    assert_eq!(peer.node_id.len(), 66);
    assert!(peer.node_id.starts_with("02") || peer.node_id.starts_with("03"));
    assert_eq!(
        check_node_id(&node_id.to_ascii_uppercase()),
        Ok(peer.node_id.clone())
    );
    check_port(address, peer.port);
    check_host(&peer.host);
    assert_eq!(
        parse_node_uri(&peer.to_uri()).as_ref(),
        Ok(peer),
        "not the same when it is read back"
    );
    check_without_brackets(peer);
}

/// A port behind a bare address is a port, from 1024 on. Without one, the end may be taken for it.
fn check_without_brackets(peer: &PeerAddress) {
    let PeerAddress {
        node_id,
        host,
        port,
    } = peer;
    if host.parse::<Ipv6Addr>().is_err() {
        return;
    }
    if *port >= 1024 {
        let bare = parse_node_uri(&format!("{node_id}@{host}:{port}"));
        assert_eq!(bare.as_ref(), Ok(peer));
    }
    let bare = parse_node_uri(&format!("{node_id}@{host}")).expect("an address");
    let with_port = format!("{}:{}", bare.host, bare.port).parse::<Ipv6Addr>();
    let is_split = bare.port >= 1024 && with_port.map(|ip| ip.to_string()).as_ref() == Ok(host);
    let is_whole = bare.host == *host && bare.port == 9735;
    assert!(is_split || is_whole, "{host} was read as {}", bare.to_uri());
}

fn check_port(address: &str, port: u16) {
    assert_ne!(port, 0);
    let told = address
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok());
    assert!(port == 9735 || told == Some(port), "{port} from {address}");
}

fn check_host(host: &str) {
    assert!((1..=253).contains(&host.len()), "{host}");
    if let Ok(ip) = host.parse::<IpAddr>() {
        assert_eq!(ip.to_string(), host, "another spelling of an address");
        return;
    }
    let fits = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
    assert!(host.bytes().all(fits), "{host}");
    // What a browser takes for an address, a resolver may.
    let as_browsers_read = Host::parse(host);
    assert!(
        !matches!(as_browsers_read, Ok(Host::Ipv4(_) | Host::Ipv6(_))),
        "an address in another spelling: {host}"
    );
    if let Some(name) = host.strip_suffix(".onion") {
        let label = name.rsplit('.').next().unwrap_or_default();
        assert_eq!(label.len(), 56, "{host}");
        // The version, 3, is in the last five bits.
        assert!(label.ends_with('d'), "{host}");
    }
}

/// Reasons are the library's own words.
fn check_refused(text: &str, reason: &str) {
    assert!(reason.len() < 100, "{reason}");
    for marked in [format!("{MARK}{text}"), format!("{text}{MARK}")] {
        if let Err(reason) = parse_node_uri(&marked) {
            assert!(!reason.contains(MARK), "{reason}");
        }
    }
}

/// Half of all numbers are keys.
fn check_key(x: &[u8; 32]) {
    for first in [2, 3] {
        let key = [&[first], &x[..]].concat();
        let is_on_curve = PublicKey::from_sec1_bytes(&key).is_ok();
        assert_eq!(
            check_node_id(&hex::encode(key)).is_ok(),
            is_on_curve,
            "{x:?}"
        );
    }
}
