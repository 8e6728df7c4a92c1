//! Functions and small helpers that need no client.

use std::sync::Arc;

use crate::flow::LnurlChannelError;
use crate::protocol::{self, Lnurl, PeerAddress};

/// Decode a scanned or pasted LNURL (LUD-01, LUD-17). Offline: nothing is sent anywhere.
///
/// Takes bech32 `LNURL1...`, with or without `lightning:`, an `lnurlc://` link, or a link with a
/// `lightning=` parameter, in either case.
pub fn decode_lnurl(text: String) -> Result<Arc<Lnurl>, LnurlChannelError> {
    Ok(Arc::new(protocol::decode(&text)?))
}

/// Encode a service URL as a bech32 LNURL, in the upper case that QR codes pack best (LUD-01).
pub fn encode_lnurl(url: String) -> Result<String, LnurlChannelError> {
    Ok(protocol::encode(&url)?)
}

#[uniffi::export]
impl PeerAddress {
    /// `host:port`, with an IPv6 host in brackets.
    pub fn socket_address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

#[uniffi::export]
impl LnurlChannelError {
    /// One English sentence, safe to show and to log.
    pub fn describe(&self) -> String {
        self.to_string()
    }
}
