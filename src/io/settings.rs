//! The configuration, checked.

use std::path::PathBuf;

use lnurl_channel_core::Settings;
use rustls::pki_types::CertificateDer;
use url::Url;

pub struct Config {
    /// What the core goes by.
    pub settings: Settings,
    pub storage_dir: Option<PathBuf>,
    /// `socks5h://` or `http://`, without credentials.
    pub proxy: Option<Url>,
    pub extra_roots: Vec<CertificateDer<'static>>,
}
