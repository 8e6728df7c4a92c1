//! What is public: by IANA's registries, as they are printed, and by the rules' list of local names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IANA's special-purpose registry, with multicast and what is reserved.
pub const NOT_PUBLIC_V4: [&str; 16] = [
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

/// IPv6 that is a spelling of IPv4: the last four bytes.
const SPELLS_V4: [&str; 3] = ["::/96", "::ffff:0:0/96", "64:ff9b::/96"];

/// NAT64 of a network's own: its prefix has 48 bits, or 96 within these.
const LOCAL_NAT64: &str = "64:ff9b:1::/48";

const SIX_TO_FOUR: &str = "2002::/16";

const LOCAL_DOMAINS: [&str; 7] = [
    "localhost",
    "local",
    "localdomain",
    "lan",
    "home",
    "home.arpa",
    "internal",
];

pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(u32::from(ip)),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: u32) -> bool {
    !NOT_PUBLIC_V4.iter().any(|block| is_in(ip.into(), block))
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let bits = u128::from(ip);
    let v4_at = |shift: u32| low(bits >> shift);
    if SPELLS_V4.iter().any(|block| is_in(bits, block)) {
        return is_public_v4(v4_at(0));
    }
    if is_in(bits, LOCAL_NAT64) {
        // Nobody knows which prefix it is, but zeros are no address.
        let behind_48 = low(bits >> 64 << 16) | low(bits >> 40 & 0xffff);
        let mut inside = [behind_48, v4_at(0)].into_iter().filter(|ip| *ip != 0);
        return inside.clone().count() > 0 && inside.all(is_public_v4);
    }
    let of_6to4 = is_in(bits, SIX_TO_FOUR).then(|| v4_at(80));
    let of_isatap = is_isatap(ip).then(|| v4_at(0));
    let mut inside = of_6to4.into_iter().chain(of_isatap);
    inside.all(is_public_v4)
        && is_in(bits, "2000::/3")
        && !NOT_PUBLIC_V6.iter().any(|block| is_in(bits, block))
}

/// RFC 5214: `5efe` before an IPv4 address, and two bits before it that may be set.
fn is_isatap(ip: Ipv6Addr) -> bool {
    let parts = ip.segments();
    parts[4] & 0xfcff == 0 && parts[5] == 0x5efe
}

fn low(bits: u128) -> u32 {
    u32::try_from(bits & u128::from(u32::MAX)).expect("32 bits")
}

/// Whether a name, in lower case, is the network's own.
pub fn is_local_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let below = |domain: &str| name.ends_with(&format!(".{domain}"));
    !name.contains('.') || LOCAL_DOMAINS.iter().any(|d| name == *d || below(d))
}

/// Whether a host as a node URI holds it is for everybody.
pub fn is_public_host(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(ip) => is_public(ip),
        Err(_) => !is_local_name(host),
    }
}

/// The first and the last address of a block of IPv4.
pub fn ends_of(block: &str) -> (u32, u32) {
    let (start, length) = parts_of(block);
    let start = low(start);
    (start, start | u32::MAX.checked_shr(length).unwrap_or(0))
}

/// `ip` inside each IPv6 address that leads to it.
pub fn around(ip: Ipv4Addr) -> [Ipv6Addr; 8] {
    let ip = u128::from(u32::from(ip));
    let (first, last) = (ip >> 16, ip & 0xffff);
    let local_nat64 = 0x0064_ff9b_0001_u128 << 80;
    let isatap = 0x2606_4700_u128 << 96 | 0x5efe << 32 | ip;
    [
        ip,
        0xffff << 32 | ip,
        0x0064_ff9b_u128 << 96 | ip,
        local_nat64 | ip,
        local_nat64 | first << 64 | last << 40,
        0x2002_u128 << 112 | ip << 80 | 1,
        isatap,
        isatap | 0x0300 << 48,
    ]
    .map(Ipv6Addr::from)
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
