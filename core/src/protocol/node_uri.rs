//! The node URI, `node_id@host:port`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::url_policy::{check_onion_host, check_public_host, is_onion_host};
use super::{Error, UrlProblem, curve};

const DEFAULT_PORT: u16 = 9735;

/// The first port that needs no rights of its own to listen at.
const LEAST_LIKELY_PORT: u16 = 1024;

const NODE_ID_DIGITS: usize = 66;

/// The longest name and the longest label in DNS, in characters.
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// Where a Lightning node listens, read from `node_id@host:port`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PeerAddress {
    /// Compressed public key, 66 lower-case hex digits, checked to be on the curve.
    pub node_id: String,
    /// Host name, IPv4 address, IPv6 address without brackets, or onion address.
    pub host: String,
    /// 9735 where the service named none.
    pub port: u16,
}

impl PeerAddress {
    pub fn is_onion(&self) -> bool {
        is_onion_host(&self.host)
    }

    /// `node_id@host:port`, with brackets around an IPv6 address.
    pub fn to_uri(&self) -> String {
        let Self {
            node_id,
            host,
            port,
        } = self;
        if host.contains(':') {
            return format!("{node_id}@[{host}]:{port}");
        }
        format!("{node_id}@{host}:{port}")
    }
}

/// Parses a node URI. Reasons hold nothing of it.
pub fn parse_node_uri(text: &str) -> Result<PeerAddress, String> {
    let (node_id, address) = text
        .split_once('@')
        .ok_or("the node URI has no `@` after the node id")?;
    let node_id = check_node_id(node_id)?;
    let (host, port) = split_port(address)?;
    Ok(PeerAddress {
        node_id,
        host: check_host(host)?,
        port: port.map_or(Ok(DEFAULT_PORT), parse_port)?,
    })
}

/// Checks that a node id is a compressed public key on the curve, and lower-cases it.
pub fn check_node_id(text: &str) -> Result<String, String> {
    if text.len() != NODE_ID_DIGITS {
        return Err("the node id is not 66 hex digits".into());
    }
    let key = hex::decode(text).map_err(|_| "the node id is not 66 hex digits")?;
    let Some(([2 | 3], x)) = key.split_first_chunk::<1>() else {
        return Err("the node id is not a compressed public key".into());
    };
    match x.try_into().is_ok_and(curve::has_point) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err("the node id is not on the curve".into()),
    }
}

/// Refuses a peer on a local or private address.
pub fn check_peer_host(peer: &PeerAddress, allow_private_hosts: bool) -> Result<(), Error> {
    if allow_private_hosts {
        return Ok(());
    }
    check_public_host(&peer.host).map_err(|_| Error::UnsafeUrl {
        problem: UrlProblem::PrivateAddress,
        reason: "the node is on a local or private host".into(),
    })
}

fn split_port(address: &str) -> Result<(&str, Option<&str>), String> {
    if let Some(bracketed) = address.strip_prefix('[') {
        let (host, rest) = bracketed
            .split_once(']')
            .ok_or("the node URI has an unclosed bracket")?;
        host.parse::<Ipv6Addr>()
            .map_err(|_| "the node URI has no IPv6 address in its brackets")?;
        return match rest.strip_prefix(':') {
            None if !rest.is_empty() => Err("the node URI has text after the bracket".into()),
            port => Ok((host, port)),
        };
    }
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (address, None),
    };
    // An address as a whole, whose last group may be meant as a port: LUD-02 always has one.
    if is_ipv6(address) && !(is_ipv6(host) && port.is_some_and(reads_as_port)) {
        return Ok((address, None));
    }
    Ok((host, port))
}

fn is_ipv6(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok()
}

/// Whether a group of an address is likelier a port.
fn reads_as_port(group: &str) -> bool {
    parse_port(group).is_ok_and(|port| port >= LEAST_LIKELY_PORT)
}

fn parse_port(text: &str) -> Result<u16, String> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(port @ 1..) if is_number => Ok(port),
        _ => Err("the node URI's port is not 1 to 65535".into()),
    }
}

/// The host in its normal form, in which it is kept and compared.
fn check_host(host: &str) -> Result<String, String> {
    if let Ok(ip) = host.parse::<Ipv6Addr>() {
        return Ok(ip.to_string());
    }
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    if is_onion_host(&host) {
        check_onion_host(&host).map_err(|why| format!("the node's host is {why}"))?;
    }
    // Resolvers read other numbers as addresses too, such as 127.1 and 0x7f.1.
    let last_label = host.rsplit('.').next().unwrap_or_default();
    if is_numeric(last_label) {
        let ip = host.parse::<Ipv4Addr>();
        let ip = ip.map_err(|_| "the node's host is not an IPv4 address of four numbers")?;
        return Ok(IpAddr::V4(ip).to_string());
    }
    if host.len() > MAX_NAME || !host.split('.').all(is_label) {
        return Err("the node's host is not a host name".into());
    }
    Ok(host)
}

fn is_numeric(label: &str) -> bool {
    let digits_only = !label.is_empty() && label.bytes().all(|b| b.is_ascii_digit());
    let hex = label.strip_prefix("0x");
    digits_only || hex.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_label(label: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (1..=MAX_LABEL).contains(&label.len()) && label.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0331f80652fb840239df8dc99205792bba2e559a05469915804c08420230e23c7c";
    const ONION: &str = "juhanurmihxlp77nkq76byazcldy2hlmovfu2epvl5ankdibsot4csyd.onion";

    fn parse(address: &str) -> Result<PeerAddress, String> {
        parse_node_uri(&format!("{KEY}@{address}"))
    }

    #[test]
    fn addresses_are_read_in_their_normal_form() {
        let longest = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(61));
        assert_eq!(longest.len(), MAX_NAME);
        for (address, host, port) in [
            ("74.108.13.152:9735", "74.108.13.152", 9735),
            ("74.108.13.152", "74.108.13.152", 9735),
            ("74.108.13.152.:1", "74.108.13.152", 1),
            ("Node.Example.COM.:65535", "node.example.com", 65535),
            ("my_node-1.example", "my_node-1.example", 9735),
            ("4.example", "4.example", 9735),
            ("[2001:DB8:0:0::1]:1234", "2001:db8::1", 1234),
            ("[2001:db8::1]", "2001:db8::1", 9735),
            ("2001:db8::1", "2001:db8::1", 9735),
            ("2001:db8::1:9735", "2001:db8::1", 9735),
            ("2001:db8::1:1024", "2001:db8::1", 1024),
            ("2001:db8::1:1023", "2001:db8::1:1023", 9735),
            ("2001:db8::1:0999", "2001:db8::1:999", 9735),
            ("2001:db8::1:a735", "2001:db8::1:a735", 9735),
            ("2001:db8::9735", "2001:db8::9735", 9735),
            ("1:2:3:4:5:6:7:9735", "1:2:3:4:5:6:7:9735", 9735),
            ("::9735", "::9735", 9735),
            ("::1:9736", "::1", 9736),
            ("[2001:db8::1:9735]", "2001:db8::1:9735", 9735),
            ("[2001:db8::1:9735]:9736", "2001:db8::1:9735", 9736),
            ("::ffff:1.2.3.4:9736", "::ffff:1.2.3.4", 9736),
            ("::1:12345", "::1", 12345),
            ("1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8", 9),
            ("::ffff:1.2.3.4", "::ffff:1.2.3.4", 9735),
            (&longest, &longest, 9735),
        ] {
            let peer = parse(address).unwrap_or_else(|e| panic!("{address}: {e}"));
            assert_eq!((peer.host.as_str(), peer.port), (host, port), "{address}");
            assert_eq!(parse_node_uri(&peer.to_uri()), Ok(peer));
        }
        for address in [ONION.to_owned(), format!("{}.:9735", ONION.to_uppercase())] {
            let peer = parse(&address).unwrap();
            assert!(peer.host == ONION && peer.is_onion());
        }
        assert!(!parse("onion.example").unwrap().is_onion());
    }

    #[test]
    fn malformed_addresses_are_refused() {
        let too_long = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(62));
        for address in [
            "",
            ":9735",
            "a.com:",
            "a.com:0",
            "a.com:65536",
            "a.com:+1",
            "a.com:-1",
            "a.com: 1",
            "a.com:1:2",
            "a.com:9735/",
            "a.com/x",
            " a.com",
            "a.com ",
            "a b.com",
            "a@b.com",
            "a..com",
            ".a.com",
            "a.com..",
            ".",
            "bücher.example",
            "a。com",
            "a.com\0",
            "a%2ecom",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.0x1",
            "0x",
            "0177.0.0.1",
            "1.2.3.4.5",
            "1.2.3.256",
            "a.1",
            "１２７.0.0.1",
            "[1.2.3.4]",
            "[a.com]:1",
            "[::1",
            "[::1]1",
            "[::1]:",
            "[]",
            "::1]",
            "fe80::1%eth0",
            "[fe80::1%1]:9735",
            "::g",
            "expyuzz4wqqyqhjn.onion",
            "kuhanurmihxlp77nkq76byazcldy2hlmovfu2epvl5ankdibsot4csyd.onion",
            "onion",
            &too_long,
            &"a".repeat(64),
            &"é".repeat(100_000),
        ] {
            assert!(parse(address).is_err(), "{address:?} {:?}", parse(address));
        }
    }

    #[test]
    fn a_node_id_is_a_compressed_key_on_the_curve() {
        assert_eq!(check_node_id(&KEY.to_uppercase()).as_deref(), Ok(KEY));
        let with_tag = |tag: &str| format!("{tag}{}", &KEY[2..]);
        for id in [
            String::new(),
            KEY[1..].into(),
            format!("{KEY}00"),
            with_tag("04"),
            with_tag("05"),
            with_tag("00"),
            with_tag("0g"),
            format!("02{}", "f".repeat(64)),
            // x = 5 has no point on the curve.
            format!("02{:064x}", 5),
            "é".repeat(33),
        ] {
            assert!(check_node_id(&id).is_err(), "{id}");
        }
        let peer = parse_node_uri(&format!("{}@a.com", KEY.to_uppercase())).unwrap();
        assert_eq!(peer.node_id, KEY);
        for text in ["", "@", KEY, "a.com:9735", "@a.com"] {
            assert!(parse_node_uri(text).is_err(), "{text}");
        }
    }

    #[test]
    fn peers_on_private_hosts_are_refused_unless_allowed() {
        for host in [
            "127.0.0.1",
            "router",
            "nas.lan:1",
            "nas.home.arpa",
            "2606:4700::5efe:a00:1",
            "10.1.2.3:1",
            "localhost",
            "Node.Local.",
            "[::1]:9735",
            "::ffff:192.168.0.1",
            "64:ff9b::a00:1",
        ] {
            let peer = parse(host).unwrap();
            let Err(Error::UnsafeUrl { problem, .. }) = check_peer_host(&peer, false) else {
                panic!("{host}");
            };
            assert_eq!(problem, UrlProblem::PrivateAddress, "{host}");
            assert_eq!(check_peer_host(&peer, true), Ok(()), "{host}");
        }
        for host in ["3.33.236.230", "a.com", "2606:4700::1111", ONION] {
            assert_eq!(
                check_peer_host(&parse(host).unwrap(), false),
                Ok(()),
                "{host}"
            );
        }
    }
}
