//! Which addresses are used: parsing, the policy, redirects, and what is public.
//!
//! Lines: a URL, and a reference that is resolved against it. The first bytes are an address too.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use lnurl_channel_core::protocol::{
    check, check_redirect, is_onion_host, is_public, parse_url, resolve,
};
use url::{Host, Url};

use crate::lines::Lines;

pub fn run(input: &[u8]) {
    check_addresses(input);
    check_edges(NOT_PUBLIC_V4[input.len() % NOT_PUBLIC_V4.len()]);
    let mut lines = Lines::new(input);
    let Some(text) = lines.text() else { return };
    let Ok(url) = parse_url(text) else {
        return;
    };
    check_text(text);
    check_parsed(&url);
    assert_eq!(Url::parse(text).map(without_fragment), Ok(url.clone()));
    check_policy(&url);

    let Some(reference) = lines.text() else {
        return;
    };
    let Ok(resolved) = resolve(&url, reference) else {
        return;
    };
    check_text(reference);
    check_parsed(&resolved);
    assert_eq!(
        url.join(reference).map(without_fragment),
        Ok(resolved.clone())
    );
    for (from, to) in [(&url, &resolved), (&resolved, &url)] {
        let loses_encryption = from.scheme() == "https" && to.scheme() != "https";
        let leaves_tor = is_onion(from) && !is_onion(to);
        assert_eq!(
            check_redirect(from, to).is_ok(),
            !loses_encryption && !leaves_tor,
            "from {from} to {to}"
        );
    }
}

/// Parsers drop or rewrite these, each in its own way.
fn check_text(text: &str) {
    let rewritten = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
    assert!(!text.contains(rewritten), "{text:?}");
}

/// What holds of every URL in use.
fn check_parsed(url: &Url) {
    assert!(url.as_str().len() <= 8192);
    assert!(url.as_str().is_ascii());
    assert!(url.scheme() == "https" || url.scheme() == "http" && is_onion(url));
    assert!(url.username().is_empty() && url.password().is_none());
    assert_eq!(url.fragment(), None);
    assert_ne!(url.port(), Some(0));
    let host = url.host_str().expect("no host");
    assert!(!host.is_empty() && !host.starts_with('.') && !host.contains(".."));
    assert_eq!(is_onion_host(host), is_onion(url));
    if is_onion(url) {
        let name = host.trim_end_matches('.').trim_end_matches(".onion");
        let address = name.rsplit('.').next().unwrap_or_default();
        assert_eq!(address.len(), 56, "{host}");
        // The version, 3, is in the last five bits.
        assert!(address.ends_with('d'), "{host}");
    }
    assert_eq!(parse_url(url.as_str()).as_ref(), Ok(url), "read back");
}

fn check_policy(url: &Url) {
    assert_eq!(check(url, true), Ok(()), "parsed, and then refused");
    let is_allowed = match url.host().expect("no host") {
        Host::Ipv4(ip) => is_public_by_the_registry(ip.into()),
        Host::Ipv6(ip) => is_public_by_the_registry(ip.into()),
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            let domain = name.rsplit('.').next().unwrap_or_default();
            !["localhost", "local", "internal"].contains(&domain)
        }
    };
    assert_eq!(check(url, false).is_ok(), is_allowed, "{url}");
}

fn is_onion(url: &Url) -> bool {
    let name = url.domain().unwrap_or_default();
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "onion" || name.ends_with(".onion")
}

fn without_fragment(mut url: Url) -> Url {
    url.set_fragment(None);
    url
}

fn check_addresses(input: &[u8]) {
    if let Some(octets) = input.first_chunk::<4>() {
        let ip = Ipv4Addr::from(*octets);
        check_address(ip.into());
        // The same address inside each IPv6 address that leads to it.
        let low = u128::from(u32::from(ip));
        let nat64 = 0x0064_ff9b_u128 << 96 | low;
        let six_to_four = 0x2002_u128 << 112 | low << 80 | 1;
        for outer in [low, 0xffff << 32 | low, nat64, six_to_four] {
            let outer = Ipv6Addr::from(outer);
            assert_eq!(is_public(outer.into()), is_public(ip.into()), "{outer}");
        }
    }
    if let Some(octets) = input.first_chunk::<16>() {
        check_address(Ipv6Addr::from(*octets).into());
    }
}

/// Where a block begins and ends, which no mutation would hit upon.
fn check_edges(block: &str) {
    let (start, length) = parts_of(block);
    let start = u32::try_from(start).expect("an IPv4 address");
    let end = start | u32::MAX.checked_shr(length).unwrap_or(0);
    for edge in [start.wrapping_sub(1), start, end, end.wrapping_add(1)] {
        check_address(Ipv4Addr::from(edge).into());
    }
}

fn check_address(ip: IpAddr) {
    assert_eq!(is_public(ip), is_public_by_the_registry(ip), "{ip}");
    let host = match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    let url = parse_url(&format!("https://{host}/")).expect("a literal is a host");
    assert_eq!(check(&url, false).is_ok(), is_public(ip), "{url}");
}

/// IANA's special-purpose registries, as they are printed, with multicast and what is reserved.
const NOT_PUBLIC_V4: [&str; 16] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
];

const NOT_PUBLIC_V6: [&str; 3] = ["2001::/23", "2001:db8::/32", "3fff::/20"];

/// IPv6 that stands for IPv4, and where in it.
const WITH_V4_INSIDE: [(&str, u32); 4] = [
    ("::/96", 0),
    ("::ffff:0:0/96", 0),
    ("64:ff9b::/96", 0),
    ("2002::/16", 80),
];

fn is_public_by_the_registry(ip: IpAddr) -> bool {
    let bits = match ip {
        IpAddr::V4(ip) => {
            let bits = u128::from(u32::from(ip));
            return !NOT_PUBLIC_V4.iter().any(|block| is_in(bits, block));
        }
        IpAddr::V6(ip) => u128::from(ip),
    };
    let inside = WITH_V4_INSIDE.iter().find(|(block, _)| is_in(bits, block));
    if let Some((_, at)) = inside {
        let low = u32::try_from(bits >> at & u128::from(u32::MAX)).expect("32 bits");
        return is_public_by_the_registry(Ipv4Addr::from(low).into());
    }
    is_in(bits, "2000::/3") && !NOT_PUBLIC_V6.iter().any(|block| is_in(bits, block))
}

fn is_in(bits: u128, block: &str) -> bool {
    let (start, length) = parts_of(block);
    let width = if block.contains(':') { 128 } else { 32 };
    bits >> (width - length) == start >> (width - length)
}

/// Where a block starts, and how many bits its addresses share.
fn parts_of(block: &str) -> (u128, u32) {
    let (start, length) = block.split_once('/').expect("a block");
    let start = match start.parse().expect("an address") {
        IpAddr::V4(ip) => u128::from(u32::from(ip)),
        IpAddr::V6(ip) => u128::from(ip),
    };
    (start, length.parse().expect("a length"))
}
