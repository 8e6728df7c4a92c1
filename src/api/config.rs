//! The configuration, as the wallet gives it.

use std::path::PathBuf;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use url::Url;

use crate::engine::Settings;
use crate::flow::LnurlChannelError;
use crate::protocol::BitcoinNetwork;

/// How the client reaches services. Every field has a default.
///
/// Not `Debug`: a proxy's address may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientConfig {
    pub network: BitcoinNetwork,
    /// Folder of this client's own where unfinished requests are kept, so that they survive a
    /// restart.
    ///
    /// It holds secrets: keep it out of backups. In memory only if none is given.
    pub storage_dir: Option<String>,
    /// Proxy for every HTTP request, such as `socks5h://127.0.0.1:9050` for Tor.
    pub proxy: Option<String>,
    /// Extra trusted root certificates, as PEM text, for a service of your own.
    pub extra_root_certificates: Option<String>,
    /// Allow services and nodes on local and private addresses. For development.
    pub allow_private_hosts: bool,
    /// Seconds allowed to fetch an offer, and to reach a service. Tripled for onion services.
    pub request_timeout_seconds: u32,
    /// Seconds allowed for `WalletNode.connect`. Tripled for onion nodes.
    pub connect_timeout_seconds: u32,
    /// Seconds that `accept` and `resume` wait for the channel, and for the service's answer.
    pub channel_timeout_seconds: u32,
    /// Seconds between the checks, while waiting, that the peer is still connected.
    pub reconnect_seconds: u32,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            network: BitcoinNetwork::Bitcoin,
            storage_dir: None,
            proxy: None,
            extra_root_certificates: None,
            allow_private_hosts: false,
            request_timeout_seconds: 20,
            connect_timeout_seconds: 30,
            channel_timeout_seconds: 180,
            reconnect_seconds: 15,
        }
    }
}

impl ClientConfig {
    pub(super) fn into_settings(self) -> Result<Settings, LnurlChannelError> {
        Ok(Settings {
            network: self.network,
            storage_dir: self.storage_dir.map(folder).transpose()?,
            proxy: self.proxy.as_deref().map(proxy).transpose()?,
            extra_roots: self
                .extra_root_certificates
                .as_deref()
                .map_or(Ok(vec![]), roots)?,
            allow_private_hosts: self.allow_private_hosts,
            request_timeout: seconds("request_timeout_seconds", self.request_timeout_seconds)?,
            connect_timeout: seconds("connect_timeout_seconds", self.connect_timeout_seconds)?,
            channel_timeout: seconds("channel_timeout_seconds", self.channel_timeout_seconds)?,
            reconnect: seconds("reconnect_seconds", self.reconnect_seconds)?,
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
    let known = matches!(url.scheme(), "socks5h" | "http");
    let plain = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    let host = url.host_str().is_some_and(|host| !host.is_empty());
    if !known || !plain || !host || url.port() == Some(0) {
        return Err(unusable());
    }
    Ok(url)
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
