//! Decoding and encoding, which need no client.

use std::fmt;
use std::sync::Arc;

use lnurl_channel_core::{LnurlChannelError, protocol};

/// A decoded LNURL. Ask the user before fetching from its `authority`.
///
/// Printing it shows the authority only; `url` may hold a secret.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Lnurl(pub(super) protocol::Lnurl);

impl Lnurl {
    /// The URL that the offer is fetched from. It may hold a secret: do not log it.
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// The service's host name in lower-case ASCII (punycode where it is not ASCII).
    pub fn host(&self) -> String {
        self.0.host()
    }

    /// `host`, and the port where it is not the default one: what to show to the user.
    pub fn authority(&self) -> String {
        self.0.authority()
    }

    /// Whether the service is a Tor onion service, which needs a proxy.
    pub fn is_onion(&self) -> bool {
        self.0.is_onion()
    }
}

impl fmt::Debug for Lnurl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Lnurl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Decode a scanned or pasted LNURL. Works offline: nothing is sent.
///
/// Accepts bech32 `LNURL1...` with or without `lightning:`, an `lnurlc://` link (LUD-17), and a
/// link or a BIP-21 URI with a `lightning=` parameter, in upper or lower case. One of them may stand in
/// a longer text, as people share it.
///
/// # Errors
///
/// `InvalidLnurl`; `UnsupportedTag` for an LNURL that is known to be for something else; `UnsafeUrl`
/// where scheme or host break the safety rules.
pub fn decode_lnurl(text: String) -> Result<Arc<Lnurl>, LnurlChannelError> {
    Ok(Arc::new(Lnurl(protocol::decode(&text)?)))
}

/// Encode a service URL as a bech32 LNURL, in the upper case that QR codes store best.
///
/// # Errors
///
/// As `decode_lnurl`, which would refuse it for the same reason.
pub fn encode_lnurl(url: String) -> Result<String, LnurlChannelError> {
    Ok(protocol::encode(&url)?)
}
