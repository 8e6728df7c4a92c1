//! What the wallet configured, as far as rules need it.

use std::time::Duration;

use url::Url;

use crate::http_rules::Proxy;
use crate::protocol::{self, BitcoinNetwork};

/// Onion services and nodes take longer: several relays on the way, and a circuit to build.
pub const ONION_FACTOR: u32 = 3;

/// What the wallet configured, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub network: BitcoinNetwork,
    pub allow_private_hosts: bool,
    pub proxy: Proxy,
    /// Tripled for onion services.
    pub request_timeout: Duration,
    /// Tripled for onion nodes.
    pub connect_timeout: Duration,
    pub channel_timeout: Duration,
    pub reconnect: Duration,
}

impl Settings {
    /// How long a request to this host may take: until its answer, or until the connection stands.
    pub fn request_limit(&self, url: &Url) -> Duration {
        let is_onion = url.host_str().is_some_and(protocol::is_onion_host);
        self.request_timeout * if is_onion { ONION_FACTOR } else { 1 }
    }
}
