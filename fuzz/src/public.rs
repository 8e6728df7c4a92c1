//! What is public, as the core has it: this file holds no list of its own.

use std::net::Ipv6Addr;

use lnurl_channel_core::protocol::{check, parse_url};

/// Whether a host, as a node URI holds it, may be dialled where private hosts are not allowed.
pub fn is_public_host(host: &str) -> bool {
    let host = match host.parse::<Ipv6Addr>() {
        Ok(ip) => format!("[{ip}]"),
        Err(_) => host.to_owned(),
    };
    let url = parse_url(&format!("https://{host}/"));
    url.is_ok_and(|url| check(&url, false).is_ok())
}
