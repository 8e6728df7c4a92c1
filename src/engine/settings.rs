//! The configuration, checked.

use std::path::PathBuf;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use url::Url;

use crate::protocol::BitcoinNetwork;

/// Onion services and nodes take longer: several relays on the way, and a circuit to build.
pub const ONION_FACTOR: u32 = 3;

#[derive(Clone)]
pub struct Settings {
    pub network: BitcoinNetwork,
    pub storage_dir: Option<PathBuf>,
    /// `socks5h://` or `http://`.
    pub proxy: Option<Url>,
    pub extra_roots: Vec<CertificateDer<'static>>,
    pub allow_private_hosts: bool,
    pub request_timeout: Duration,
    pub connect_timeout: Duration,
    pub channel_timeout: Duration,
    pub reconnect: Duration,
}
