//! Which addresses are safe to use, and why others are refused.

use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sha3::{Digest, Sha3_256};
use url::{Host, SyntaxViolation, Url};

use super::{Error, UrlProblem};

/// The longest URL in the parser's spelling: room for the longest bech32 LNURL, percent-encoded.
const MAX_URL_BYTES: usize = 8192;

/// The longest callback.
pub const MAX_CALLBACK_BYTES: usize = 4096;

/// Why a text is not a URL that can be used. Reasons hold nothing of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadUrl {
    /// It is not a URL at all.
    Malformed(String),
    /// It is a URL, and breaks a safety rule.
    Unsafe(UrlProblem, String),
}

impl BadUrl {
    /// `malformed` makes the error for what is no URL: it differs between an LNURL and an answer.
    pub fn into_error(self, malformed: impl FnOnce(String) -> Error) -> Error {
        match self {
            Self::Malformed(reason) => malformed(reason),
            Self::Unsafe(problem, reason) => Error::UnsafeUrl { problem, reason },
        }
    }
}

/// Parses an absolute URL, and checks the rules that need no configuration. The fragment is dropped.
pub fn parse_url(text: &str) -> Result<Url, BadUrl> {
    parse(None, text)
}

/// The same as `parse_url` for a URL that may be relative to `base`: a callback or a redirect.
pub fn resolve(base: &Url, text: &str) -> Result<Url, BadUrl> {
    parse(Some(base), text)
}

/// Checks the URL of a hop by all rules.
pub fn check(url: &Url, allow_private_hosts: bool) -> Result<(), Error> {
    check_shape(url)
        .map_err(|bad| bad.into_error(|reason| unsafe_url(UrlProblem::Other, &reason)))?;
    match url.host_str() {
        Some(host) if !allow_private_hosts => check_public_host(host),
        _ => Ok(()),
    }
}

/// Checks that a redirect neither gives up encryption nor leaves Tor.
pub fn check_redirect(from: &Url, to: &Url) -> Result<(), Error> {
    if from.scheme() == "https" && to.scheme() == "http" {
        let reason = "a redirect from https to http";
        return Err(unsafe_url(UrlProblem::NotHttps, reason));
    }
    if is_onion(from) && !is_onion(to) {
        let reason = "a redirect from an onion service to the open internet";
        return Err(unsafe_url(UrlProblem::Other, reason));
    }
    Ok(())
}

/// The host as it is shown: lower-case ASCII, without the trailing dot.
pub fn host_of(url: &Url) -> String {
    without_dot(url.host_str().unwrap_or_default()).to_owned()
}

/// The host, and the port where it is not the default one of the scheme.
pub fn authority_of(url: &Url) -> String {
    let host = host_of(url);
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host,
    }
}

pub fn is_onion(url: &Url) -> bool {
    url.host_str().is_some_and(is_onion_host)
}

/// Whether a host is in the domain `onion`, whether or not it is a valid onion address.
pub fn is_onion_host(host: &str) -> bool {
    is_within(&without_dot(host).to_ascii_lowercase(), "onion")
}

/// Checks that an onion host is a valid v3 address, or a subdomain of one.
pub fn check_onion_host(host: &str) -> Result<(), String> {
    let host = without_dot(host).to_ascii_lowercase();
    let name = host.strip_suffix(".onion").unwrap_or_default();
    let address = name.rsplit('.').next().unwrap_or_default();
    match address.len() {
        56 if is_onion_v3(address) => Ok(()),
        16 => Err("a version 2 onion address; Tor no longer serves these".into()),
        _ => Err("not a valid version 3 onion address".into()),
    }
}

/// Refuses local names and addresses that are not public. Names are not resolved.
pub fn check_public_host(host: &str) -> Result<(), Error> {
    let host = without_dot(host);
    let literal = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let private = match literal.unwrap_or(host).parse::<IpAddr>() {
        Ok(ip) => !is_public(ip),
        Err(_) => is_local_name(&host.to_ascii_lowercase()),
    };
    if private {
        let reason = "a local or private host";
        return Err(unsafe_url(UrlProblem::PrivateAddress, reason));
    }
    Ok(())
}

/// Whether an address belongs to the public internet.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn parse(base: Option<&Url>, text: &str) -> Result<Url, BadUrl> {
    // Checked before parsing, because the parser drops or rewrites these characters.
    if text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return unsafe_because("a control character, white space or a backslash");
    }
    let has_user_info = Cell::new(false);
    let note = |violation| {
        if violation == SyntaxViolation::EmbeddedCredentials {
            has_user_info.set(true);
        }
    };
    let mut url = Url::options()
        .base_url(base)
        .syntax_violation_callback(Some(&note))
        .parse(text)
        .map_err(|problem| BadUrl::Malformed(format!("not a URL: {problem}")))?;
    if has_user_info.get() {
        return unsafe_because("user information in the URL");
    }
    url.set_fragment(None);
    if url.as_str().len() > MAX_URL_BYTES {
        return malformed("a URL longer than 8 KiB");
    }
    check_shape(&url)?;
    Ok(url)
}

fn check_shape(url: &Url) -> Result<(), BadUrl> {
    match url.scheme() {
        "https" => {}
        "http" if is_onion(url) => {}
        "http" => {
            let reason = "plain http, which only onion services may use";
            return Err(BadUrl::Unsafe(UrlProblem::NotHttps, reason.into()));
        }
        _ => return unsafe_because("a scheme other than https"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return unsafe_because("user information in the URL");
    }
    if url.port() == Some(0) {
        return unsafe_because("port 0");
    }
    match url.host() {
        Some(Host::Domain(name)) => check_name(name),
        Some(_) => Ok(()),
        None => malformed("a URL without a host"),
    }
}

fn check_name(name: &str) -> Result<(), BadUrl> {
    if without_dot(name).split('.').any(str::is_empty) {
        return malformed("a host name with an empty label");
    }
    if is_onion_host(name) {
        check_onion_host(name).map_err(|reason| BadUrl::Unsafe(UrlProblem::Other, reason))?;
    }
    Ok(())
}

fn malformed<T>(reason: &str) -> Result<T, BadUrl> {
    Err(BadUrl::Malformed(reason.into()))
}

fn unsafe_because<T>(reason: &str) -> Result<T, BadUrl> {
    Err(BadUrl::Unsafe(UrlProblem::Other, reason.into()))
}

fn unsafe_url(problem: UrlProblem, reason: &str) -> Error {
    Error::UnsafeUrl {
        problem,
        reason: reason.into(),
    }
}

fn without_dot(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

/// Whether `host` is `domain`, or a name under it.
fn is_within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn is_local_name(host: &str) -> bool {
    // A name of one label is looked up in the local network first.
    let domains = [
        "localhost",
        "local",
        "localdomain",
        "lan",
        "home",
        "home.arpa",
        "internal",
    ];
    !host.contains('.') || domains.iter().any(|domain| is_within(host, domain))
}

/// Whether an address is a key followed by its checksum and the version 3 (Tor's rend-spec-v3).
fn is_onion_v3(address: &str) -> bool {
    let Some(bytes) = base32(address) else {
        return false;
    };
    let Some((key, [check_1, check_2, 3])) = bytes.split_last_chunk() else {
        return false;
    };
    let digest = Sha3_256::new()
        .chain_update(b".onion checksum")
        .chain_update(key)
        .chain_update([3])
        .finalize();
    digest.starts_with(&[*check_1, *check_2])
}

fn base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut pending, mut bits) = (0_u16, 0);
    for c in text.bytes() {
        let value = match c {
            b'a'..=b'z' => c - b'a',
            b'2'..=b'7' => c - b'2' + 26,
            _ => return None,
        };
        pending = (pending << 5) | u16::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((pending >> bits) as u8);
        }
    }
    Some(bytes)
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    !matches!(
        ip.octets(),
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 168, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

/// What leads to IPv4 is judged as that.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let parts = ip.segments();
    let [.., high, low] = parts;
    match parts {
        // Mapped, compatible, and NAT64 with its well-known prefix.
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
            leads_to_public(high, low)
        }
        // NAT64 with a local prefix: of 48 bits, with a free byte in the middle of the address, or of 96.
        [0x64, 0xff9b, 1, first, middle, last, ..] => {
            let second = middle << 8 | last >> 8;
            let is_fine = |high, low| (high, low) == (0, 0) || leads_to_public(high, low);
            let has_any = (first, second) != (0, 0) || (high, low) != (0, 0);
            has_any && is_fine(first, second) && is_fine(high, low)
        }
        // 6to4.
        [0x2002, high, low, ..] if !leads_to_public(high, low) => false,
        // ISATAP, whatever its prefix.
        [_, _, _, _, 0 | 0x100 | 0x200 | 0x300, 0x5efe, ..] if !leads_to_public(high, low) => false,
        _ => is_global_unicast(parts),
    }
}

/// Global unicast is `2000::/3`, without the ranges for protocols (such as Teredo) and documentation.
fn is_global_unicast(parts: [u16; 8]) -> bool {
    match parts {
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first >> 13 == 1,
    }
}

/// Whether the IPv4 address that these two halves make up is public.
fn leads_to_public(high: u16, low: u16) -> bool {
    is_public_v4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONION: &str = "juhanurmihxlp77nkq76byazcldy2hlmovfu2epvl5ankdibsot4csyd.onion";

    /// The rule that a URL breaks.
    fn broken_rule(text: &str) -> Option<UrlProblem> {
        match parse_url(text) {
            Err(BadUrl::Unsafe(problem, _)) => Some(problem),
            _ => None,
        }
    }

    fn unsafe_problem(result: Result<(), Error>) -> Option<UrlProblem> {
        match result {
            Err(Error::UnsafeUrl { problem, .. }) => Some(problem),
            _ => None,
        }
    }

    fn is_malformed(text: &str) -> bool {
        matches!(parse_url(text), Err(BadUrl::Malformed(_)))
    }

    #[test]
    fn safe_urls_are_accepted_and_normalised() {
        for (text, url) in [
            ("https://a.com", "https://a.com/"),
            ("HTTPS://A.Com/Path?Q=X%2f#f", "https://a.com/Path?Q=X%2f"),
            ("https://a.com:8443/", "https://a.com:8443/"),
            (
                "https://bücher.example/ü",
                "https://xn--bcher-kva.example/%C3%BC",
            ),
            (
                "https://xn--bcher-kva.example/",
                "https://xn--bcher-kva.example/",
            ),
            ("https://a。com/", "https://a.com/"),
            ("https://a.com/a@b?c@d", "https://a.com/a@b?c@d"),
            (
                "https://evil.example/.onion/x",
                "https://evil.example/.onion/x",
            ),
            ("https://a.com./", "https://a.com./"),
            ("https://127.1/", "https://127.0.0.1/"),
        ] {
            assert_eq!(parse_url(text).unwrap().as_str(), url, "{text}");
        }
        for scheme in ["http", "https"] {
            assert!(parse_url(&format!("{scheme}://{ONION}/x")).is_ok());
            assert!(parse_url(&format!("{scheme}://www.{}.:81/", ONION.to_uppercase())).is_ok());
        }
    }

    #[test]
    fn unsafe_urls_are_refused() {
        for text in [
            "http://a.com/",
            "http://localhost/",
            "http://evil.example/.onion/",
            "http://onion.example/",
            "http://a.onion.evil.example/",
        ] {
            assert_eq!(broken_rule(text), Some(UrlProblem::NotHttps), "{text}");
        }
        for text in [
            "ftp://a.com/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "wss://a.com/",
            "https://user@a.com/",
            "https://user:pass@a.com/",
            "https://:@a.com/",
            "https://@a.com/",
            r"https://a.com\@evil.com",
            r"https:\\a.com/",
            "https://a.com:0/",
            "https://a.com/a b",
            " https://a.com/",
            "https://a.com/\n",
            "https://a\t.com/",
            "https://a.com/\0",
            "https://a.com/\u{3000}",
            "https://a.com/\u{9b}",
            "https://onion/",
        ] {
            assert_eq!(broken_rule(text), Some(UrlProblem::Other), "{text:?}");
        }
        let reason = "plain http, which only onion services may use".to_owned();
        assert_eq!(
            parse_url("http://a.com/"),
            Err(BadUrl::Unsafe(UrlProblem::NotHttps, reason))
        );
    }

    #[test]
    fn what_is_no_url_is_malformed() {
        for text in [
            "",
            "a.com",
            "/path",
            "//a.com/",
            "https://",
            "https://a..com/",
            "https://a.com../",
            "https://.a.com/",
            "https://a.com:99999/",
            "https://[::1/",
            "https://1.2.3.4.5/",
            "https://a%00.com/",
            "https://a＼evil.com/",
        ] {
            assert!(is_malformed(text), "{text:?} {:?}", parse_url(text));
        }
        assert!(is_malformed(&format!("https://{ONION}../")));
    }

    #[test]
    fn only_valid_version_3_onion_addresses_are_accepted() {
        assert_eq!(check_onion_host(ONION), Ok(()));
        assert_eq!(
            check_onion_host(&format!("www.{}.", ONION.to_uppercase())),
            Ok(())
        );
        let wrong_checksum = ONION.replacen('j', "k", 1);
        // The last characters hold the version.
        let wrong_version = ONION.replace("yd.onion", "yc.onion");
        let short = &ONION[1..];
        let not_base32 = ONION.replacen('j', "1", 1);
        for host in [
            &wrong_checksum,
            &wrong_version,
            short,
            &not_base32,
            ".onion",
            "onion",
            "",
        ] {
            assert!(check_onion_host(host).is_err(), "{host}");
        }
        let v2 = check_onion_host("expyuzz4wqqyqhjn.onion").unwrap_err();
        assert!(v2.contains("version 2"), "{v2}");
        for text in [
            "http://expyuzz4wqqyqhjn.onion/".into(),
            format!("https://{wrong_checksum}/"),
        ] {
            assert_eq!(broken_rule(&text), Some(UrlProblem::Other), "{text}");
        }
        for host in ["a.onion", "A.ONION.", "onion"] {
            assert!(is_onion_host(host), "{host}");
        }
        for host in ["a.onion.com", "aonion", "a.onion..", ""] {
            assert!(!is_onion_host(host), "{host}");
        }
    }

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        for ip in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.0",
            "172.32.0.1",
            "172.15.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "::1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2002:101:101::1",
            "2001:200::1",
            "3fff:1000::1",
            "64:ff9b:1::1.1.1.1",
            "64:ff9b:1:101:1:100::",
            "64:ff9b:1:abcd::1.1.1.1",
            "2606:4700::5efe:1.1.1.1",
            "2606:4700::200:5efe:1.1.1.1",
            "2606:4700::400:5efe:10.0.0.1",
            "2606:4700::5eff:10.0.0.1",
        ] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::10.0.0.1",
            "64:ff9b::192.168.0.1",
            "64:ff9b::",
            "64:ff9b::1:1.1.1.1",
            "64:ff9b:1::",
            "64:ff9b:1::10.0.0.1",
            "64:ff9b:1::127.0.0.1",
            "64:ff9b:1:abcd::192.168.0.1",
            "64:ff9b:1:a00:0:100::",
            "64:ff9b:1:c0a8:0:100::",
            "64:ff9b:1:a00:0:100:101:101",
            "64:ff9b:1:101:1:100:a00:1",
            // 198.51.100.1, and 0.0.0.1.
            "64:ff9b:1:c633:64:100::",
            "64:ff9b:1:0:0:100:101:101",
            "64:ff9b:2::1.1.1.1",
            "2606:4700::5efe:10.0.0.1",
            "2606:4700::200:5efe:192.168.0.1",
            "2606:4700::300:5efe:127.0.0.1",
            "fe80::5efe:1.1.1.1",
            "fd00::200:5efe:1.1.1.1",
            "2002:101:101::5efe:10.0.0.1",
            "2002:a00:1::5efe:1.1.1.1",
            "2002:7f00:1::1",
            "2002:c0a8:101::",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:2::1",
            "2001:20::1",
            "2001:db8::1",
            "3fff::1",
            "100::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
            "::ffff:0:1.1.1.1",
        ] {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn private_hosts_are_refused_in_every_spelling() {
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "foo.localhost",
            "printer.local",
            "foo.local.",
            "db.internal",
            "router",
            "Router.",
            "lan",
            "nas.lan",
            "nas.home",
            "nas.HOME.arpa.",
            "home.arpa",
            "nas.localdomain",
            "[2606:4700::5efe:10.0.0.1]",
            "[64:ff9b:1::10.0.0.1]",
            "127.0.0.1",
            "127.0.0.1.",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "0x7f000001",
            "0177.0.0.1",
            "１２７.0.0.1",
            "127。0。0。1",
            "192.168.0.1",
            "%31%30.0.0.1",
            "[::1]",
            "[::ffff:10.0.0.1]",
            "[::ffff:7f00:1]",
            "[0:0:0:0:0:0:0:1]",
            "[64:ff9b::a00:1]",
            "[fe80::1]",
        ] {
            let url = parse_url(&format!("https://{host}/")).unwrap();
            assert_eq!(
                unsafe_problem(check(&url, false)),
                Some(UrlProblem::PrivateAddress),
                "{host}"
            );
            assert_eq!(check(&url, true), Ok(()), "{host}");
        }
        for host in [
            "a.com",
            "notlocalhost.com",
            "local.example",
            "lan.example",
            "mylan.example",
            "a.wlan",
            "in-addr.arpa",
            "a.myhome.arpa",
            "1.1.1.1",
            "[64:ff9b::1.1.1.1]",
            "[64:ff9b:1::1.1.1.1]",
            "[2606:4700::1111]",
        ] {
            let url = parse_url(&format!("https://{host}/")).unwrap();
            assert_eq!(check(&url, false), Ok(()), "{host}");
        }
    }

    #[test]
    fn check_repeats_the_rules_of_parsing() {
        for (text, problem) in [
            ("http://a.com/", UrlProblem::NotHttps),
            ("https://u@a.com/", UrlProblem::Other),
            ("https://a.com:0/", UrlProblem::Other),
            ("https://a..com/", UrlProblem::Other),
            ("data:,x", UrlProblem::Other),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!(unsafe_problem(check(&url, true)), Some(problem), "{text}");
        }
    }

    #[test]
    fn resolves_relative_urls_under_the_same_rules() {
        let base = parse_url("https://a.com/b/c?d").unwrap();
        for (text, url) in [
            ("e?f=1#g", "https://a.com/b/e?f=1"),
            ("/e", "https://a.com/e"),
            ("?e", "https://a.com/b/c?e"),
            ("//x.com/e", "https://x.com/e"),
            ("https://x.com/e", "https://x.com/e"),
        ] {
            assert_eq!(resolve(&base, text).unwrap().as_str(), url, "{text}");
        }
        for (text, expected) in [
            ("http://x.com/", UrlProblem::NotHttps),
            ("//u@x.com/", UrlProblem::Other),
            (r"\\x.com", UrlProblem::Other),
            ("a b", UrlProblem::Other),
            ("ftp:x", UrlProblem::Other),
        ] {
            let Err(BadUrl::Unsafe(problem, _)) = resolve(&base, text) else {
                panic!("{text}");
            };
            assert_eq!(problem, expected, "{text}");
        }
    }

    #[test]
    fn redirects_keep_encryption_and_tor() {
        let clear = parse_url("https://a.com/").unwrap();
        let onion = parse_url(&format!("http://{ONION}/")).unwrap();
        let onion_tls = parse_url(&format!("https://{ONION}/")).unwrap();
        for (from, to, problem) in [
            (&clear, &onion, UrlProblem::NotHttps),
            (&onion_tls, &onion, UrlProblem::NotHttps),
            (&onion, &clear, UrlProblem::Other),
            (&onion_tls, &clear, UrlProblem::Other),
        ] {
            assert_eq!(
                unsafe_problem(check_redirect(from, to)),
                Some(problem),
                "{from} {to}"
            );
        }
        assert_eq!(check_redirect(&onion, &onion_tls), Ok(()));
        assert_eq!(check_redirect(&clear, &onion_tls), Ok(()));
        assert_eq!(check_redirect(&clear, &clear), Ok(()));
    }

    #[test]
    fn hosts_and_authorities_are_shown_in_their_shortest_form() {
        for (text, host, authority) in [
            ("https://A.com./", "a.com", "a.com"),
            ("https://a.com:443/", "a.com", "a.com"),
            ("https://a.com.:80/", "a.com", "a.com:80"),
            ("https://[::1]:1/", "[::1]", "[::1]:1"),
            ("https://127.1/", "127.0.0.1", "127.0.0.1"),
        ] {
            let url = parse_url(text).unwrap();
            assert_eq!(host_of(&url), host, "{text}");
            assert_eq!(authority_of(&url), authority, "{text}");
        }
        let onion = parse_url(&format!("http://{ONION}:443/")).unwrap();
        assert_eq!(authority_of(&onion), format!("{ONION}:443"));
    }

    #[test]
    #[cfg_attr(miri, ignore = "too long a text for an interpreter")]
    fn huge_texts_are_refused() {
        for text in [
            format!("https://a.com/{}", "ü".repeat(100_000)),
            // Three times as long once it is percent-encoded.
            format!("https://a.com/?{}", "\"".repeat(3000)),
            format!("https://{}com/", "a.".repeat(9000)),
        ] {
            assert!(matches!(parse_url(&text), Err(BadUrl::Malformed(_))));
        }
        let longest = format!("https://a.com/{}", "x".repeat(8192 - 14));
        assert!(parse_url(&longest).is_ok() && parse_url(&format!("{longest}x")).is_err());
        assert!(check_onion_host(&format!("{}.onion", "é".repeat(28))).is_err());
    }
}
