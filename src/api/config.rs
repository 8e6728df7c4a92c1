//! The configuration, as the wallet gives it.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use lnurl_channel_core::protocol::BitcoinNetwork;
use lnurl_channel_core::{LnurlChannelError, Proxy, Settings};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use url::Url;

use crate::io::Config;

/// Where requests are kept, and how the client reaches services.
///
/// Not `Debug`: a proxy's address that is refused may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientConfig {
    /// Folder of this client's own where requests are kept, so that they survive a restart.
    ///
    /// It holds secrets: keep it out of backups. Without one, requests live in memory only, and a
    /// service may be asked again after a restart: for tests.
    pub storage_dir: Option<String>,
    /// The chain that the wallet's node is on.
    pub network: BitcoinNetwork,
    /// Proxy for every HTTP request, such as `socks5h://127.0.0.1:9050` for Tor.
    ///
    /// No user name or password: with SOCKS, each request gets credentials of its own, so that Tor
    /// keeps their circuits apart.
    pub proxy: Option<String>,
    /// Extra trusted root certificates as PEM text, for a service of your own.
    pub extra_root_certificates: Option<String>,
    /// Allow services and nodes on local and private addresses. For development.
    pub allow_private_hosts: bool,
    /// Seconds allowed to fetch an offer, and to reach a service. Tripled for onion services.
    pub request_timeout_seconds: u32,
    /// Seconds allowed for `WalletNode.connect`. Tripled for onion nodes.
    pub connect_timeout_seconds: u32,
    /// Seconds that a call waits for the channel, and for the service's answer.
    pub channel_timeout_seconds: u32,
    /// Seconds between the checks, while waiting, that the peer is still connected.
    pub reconnect_seconds: u32,
}

/// For tests: nothing is kept.
impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            storage_dir: None,
            network: BitcoinNetwork::Bitcoin,
            proxy: None,
            extra_root_certificates: None,
            allow_private_hosts: false,
            request_timeout_seconds: 30,
            connect_timeout_seconds: 30,
            channel_timeout_seconds: 180,
            reconnect_seconds: 15,
        }
    }
}

impl ClientConfig {
    pub(super) fn check(self) -> Result<Config, LnurlChannelError> {
        let proxy = self.proxy.as_deref().map(proxy).transpose()?;
        let settings = Settings {
            network: self.network,
            allow_private_hosts: self.allow_private_hosts,
            proxy: match &proxy {
                None => Proxy::None,
                Some(url) if is_loopback(url) => Proxy::OnThisDevice,
                Some(_) => Proxy::Elsewhere,
            },
            request_timeout: seconds("request_timeout_seconds", self.request_timeout_seconds)?,
            connect_timeout: seconds("connect_timeout_seconds", self.connect_timeout_seconds)?,
            channel_timeout: seconds("channel_timeout_seconds", self.channel_timeout_seconds)?,
            reconnect: seconds("reconnect_seconds", self.reconnect_seconds)?,
        };
        Ok(Config {
            settings,
            storage_dir: self.storage_dir.map(folder).transpose()?,
            proxy,
            extra_roots: self
                .extra_root_certificates
                .as_deref()
                .map_or(Ok(vec![]), roots)?,
        })
    }
}

fn invalid(reason: impl Into<String>) -> LnurlChannelError {
    LnurlChannelError::InvalidConfig {
        reason: reason.into(),
    }
}

fn seconds(name: &str, value: u32) -> Result<Duration, LnurlChannelError> {
    if value == 0 {
        return Err(invalid(format!("{name} must be at least 1")));
    }
    Ok(Duration::from_secs(value.into()))
}

fn folder(path: String) -> Result<PathBuf, LnurlChannelError> {
    if path.trim().is_empty() || path.contains('\0') {
        return Err(invalid("storage_dir is not a path"));
    }
    Ok(path.into())
}

/// Names are resolved by the proxy, whatever the scheme: an onion name means nothing elsewhere.
fn proxy(text: &str) -> Result<Url, LnurlChannelError> {
    let unusable = || invalid("proxy is not an address like socks5h://127.0.0.1:9050");
    let text = match text.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("socks5") => {
            format!("socks5h://{rest}")
        }
        _ => text.to_owned(),
    };
    let url = Url::parse(&text).map_err(|_| unusable())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("proxy must have no user name and no password"));
    }
    let known = matches!(url.scheme(), "socks5h" | "http");
    let plain = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    let host = url.host_str().is_some_and(|host| !host.is_empty());
    if !known || !plain || !host || url.port() == Some(0) {
        return Err(unusable());
    }
    Ok(url)
}

/// Whether nobody can read along on the way to the proxy. The parser takes the host of a `socks5h`
/// URL for a name, whatever it is.
fn is_loopback(proxy: &Url) -> bool {
    let host = proxy.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    match literal.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

fn roots(pem: &str) -> Result<Vec<CertificateDer<'static>>, LnurlChannelError> {
    let certificates =
        CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
    let certificates =
        certificates.map_err(|_| invalid("extra_root_certificates is not PEM text"))?;
    if certificates.is_empty() {
        return Err(invalid("extra_root_certificates holds no certificate"));
    }
    Ok(certificates)
}
