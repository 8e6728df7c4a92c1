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

/// The same for every spelling of a host; which hosts are private is told by the core's own tables.
fn check_policy(url: &Url) {
    assert_eq!(check(url, true), Ok(()), "parsed, and then refused");
    let is_allowed = check(url, false).is_ok();
    match url.host().expect("no host") {
        Host::Ipv4(ip) => assert_eq!(is_allowed, is_public(ip.into()), "{url}"),
        Host::Ipv6(ip) => assert_eq!(is_allowed, is_public(ip.into()), "{url}"),
        Host::Domain(name) => check_name(name, is_allowed),
    }
}

/// A dot at its end changes nothing, and what is below a private name is private.
fn check_name(name: &str, is_allowed: bool) {
    let is_allowed_too = |name: &str| {
        let url = parse_url(&format!("https://{name}/"));
        url.map(|url| check(&url, false).is_ok())
    };
    let bare = name.strip_suffix('.').unwrap_or(name);
    for spelling in [
        bare.to_owned(),
        bare.to_ascii_uppercase(),
        format!("{bare}."),
    ] {
        if let Ok(is_allowed_too) = is_allowed_too(&spelling) {
            assert_eq!(is_allowed_too, is_allowed, "{spelling} and {name}");
        }
    }
    if bare.contains('.') && !is_allowed {
        assert_ne!(is_allowed_too(&format!("a.{bare}")), Ok(true), "{name}");
    }
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

/// An IPv4 address is as public as the IPv6 addresses that are its spellings.
fn check_v4(ip: Ipv4Addr) {
    check_address(ip.into());
    for spelling in [ip.to_ipv6_mapped(), ip.to_ipv6_compatible()] {
        check_address(spelling.into());
        assert_eq!(is_public(spelling.into()), is_public(ip.into()), "{ip}");
    }
}

/// What the standard library knows as private is not public, and a URL's host is judged the same.
fn check_address(ip: IpAddr) {
    let is_private = match ip {
        IpAddr::V4(ip) => {
            ip.is_private() || ip.is_link_local() || ip.is_broadcast() || ip.is_documentation()
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    };
    let is_nobodys = ip.is_loopback() || ip.is_unspecified() || ip.is_multicast();
    assert!(!is_public(ip) || !is_private && !is_nobodys, "{ip}");
    let host = match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    let url = parse_url(&format!("https://{host}/")).expect("a literal is a host");
    assert_eq!(check(&url, false).is_ok(), is_public(ip), "{url}");
}
