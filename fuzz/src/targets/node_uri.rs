//! The node URI: what is accepted has one form, and a host that no resolver reads in another way.

use std::net::IpAddr;

use lnurl_channel_core::protocol::{PeerAddress, check_node_id, parse_node_uri};
use url::Host;

use crate::samples::PEER;

/// The input itself; and behind a right key, since no mutation finds a point on the curve.
pub fn run(input: &[u8]) {
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

fn check_refused(text: &str, reason: &str) {
    assert!(reason.len() < 100, "{reason}");
    assert!(
        text.len() < 12 || !reason.contains(text),
        "the reason holds the text: {reason}"
    );
}
