//! Which addresses are used: parsing, the policy, redirects, and what is public.
//!
//! Lines: a URL, and a reference that is resolved against it. The first bytes are an address too.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use lnurl_channel_core::protocol::{
    check, check_redirect, is_onion_host, is_public, parse_url, resolve,
};
use url::{Host, Url};

use crate::lines::Lines;
use crate::public;

pub fn run(input: &[u8]) {
    check_addresses(input);
    let blocks = public::NOT_PUBLIC_V4;
    check_edges(blocks[input.len() % blocks.len()]);
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
    check_policy(&resolved);
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
        Host::Ipv4(ip) => public::is_public(ip.into()),
        Host::Ipv6(ip) => public::is_public(ip.into()),
        Host::Domain(name) => !public::is_local_name(name),
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
        check_v4(Ipv4Addr::from(*octets));
    }
    if let Some(octets) = input.first_chunk::<16>() {
        check_address(Ipv6Addr::from(*octets).into());
    }
}

/// Where a block begins and ends, which no mutation would hit upon.
fn check_edges(block: &str) {
    let (start, end) = public::ends_of(block);
    for edge in [start.wrapping_sub(1), start, end, end.wrapping_add(1)] {
        check_v4(Ipv4Addr::from(edge));
    }
}

/// An address is as public as each IPv6 address that leads to it.
fn check_v4(ip: Ipv4Addr) {
    check_address(ip.into());
    for outer in public::around(ip) {
        assert_eq!(is_public(outer.into()), is_public(ip.into()), "{outer}");
    }
}

fn check_address(ip: IpAddr) {
    assert_eq!(is_public(ip), public::is_public(ip), "{ip}");
    let host = match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    let url = parse_url(&format!("https://{host}/")).expect("a literal is a host");
    assert_eq!(check(&url, false).is_ok(), is_public(ip), "{url}");
}
