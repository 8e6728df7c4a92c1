//! Which hops a request may take (section 2).

use std::time::Duration;

use url::Url;

use crate::error::LnurlChannelError;
use crate::protocol;

/// Longest body of an answer, in bytes, counted after decompression.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// A connection that was opened before the callback is not used any more at this age (5a.3).
pub const MAX_CONNECTION_AGE: Duration = Duration::from_secs(10);

/// Redirects followed at most.
const MAX_REDIRECTS: usize = 3;

/// Where the proxy stands, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    None,
    /// On this device: nobody reads along between the client and it.
    OnThisDevice,
    Elsewhere,
}

impl Proxy {
    /// The policy for the URL of one hop.
    pub fn check(self, url: &Url, allow_private_hosts: bool) -> Result<(), LnurlChannelError> {
        protocol::check(url, allow_private_hosts)?;
        let host = url.host_str().unwrap_or_default();
        if !protocol::is_onion_host(host) {
            return Ok(());
        }
        match self {
            Self::None => Err(LnurlChannelError::TorRequired {
                host: host.to_owned(),
            }),
            Self::Elsewhere if url.scheme() == "http" => Err(LnurlChannelError::InvalidConfig {
                reason: "an onion service over plain http needs a proxy on this device".into(),
            }),
            Self::OnThisDevice | Self::Elsewhere => Ok(()),
        }
    }
}

/// The URLs that one request has gone to, and may go to.
#[derive(Clone, Debug)]
pub struct Hops {
    first: Url,
    redirects: Vec<Url>,
}

impl Hops {
    pub fn starting_at(url: Url) -> Self {
        Self {
            first: url,
            redirects: Vec::new(),
        }
    }

    /// The URL to ask now.
    pub fn current(&self) -> &Url {
        self.redirects.last().unwrap_or(&self.first)
    }

    pub fn was_redirected(&self) -> bool {
        !self.redirects.is_empty()
    }

    /// Whether an answer of this status with a `Location` sends the request on.
    pub fn is_redirect(status: u16) -> bool {
        matches!(status, 301 | 302 | 303 | 307 | 308)
    }

    /// Go to `location`, which may be relative.
    pub fn follow(&mut self, location: &str) -> Result<(), LnurlChannelError> {
        let invalid = |reason: &str| LnurlChannelError::InvalidResponse {
            reason: reason.into(),
        };
        let next = protocol::resolve(self.current(), location)
            .map_err(|problem| problem.into_error(protocol::Error::InvalidResponse))?;
        if self.redirects.len() == MAX_REDIRECTS {
            return Err(invalid("it redirects more than three times"));
        }
        if next == self.first || self.redirects.contains(&next) {
            return Err(invalid("it redirects in a circle"));
        }
        protocol::check_redirect(self.current(), &next)?;
        self.redirects.push(next);
        Ok(())
    }
}
