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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::UrlProblem;

    const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_body_may_have_64_kib() {
        assert_eq!(MAX_BODY_BYTES, 65_536);
    }

    #[test]
    fn an_onion_service_takes_a_proxy_and_over_plain_http_one_on_this_device() {
        let shown = |proxy: Proxy, text: &str| match proxy.check(&url(text), false) {
            Ok(()) => "ok",
            Err(LnurlChannelError::TorRequired { host }) if host == ONION => "TorRequired",
            Err(LnurlChannelError::InvalidConfig { .. }) => "InvalidConfig",
            Err(LnurlChannelError::UnsafeUrl { .. }) => "UnsafeUrl",
            Err(other) => panic!("{other:?}"),
        };
        let (plain, tls) = (format!("http://{ONION}/a"), format!("https://{ONION}/a"));
        let rows = [
            (Proxy::None, "TorRequired", "TorRequired"),
            (Proxy::OnThisDevice, "ok", "ok"),
            (Proxy::Elsewhere, "InvalidConfig", "ok"),
        ];
        for (proxy, over_plain, over_tls) in rows {
            assert_eq!(shown(proxy, &plain), over_plain, "{proxy:?}");
            assert_eq!(shown(proxy, &tls), over_tls, "{proxy:?}");
            assert_eq!(shown(proxy, "https://a.example/a"), "ok");
            assert_eq!(shown(proxy, "http://a.example/a"), "UnsafeUrl");
        }
    }

    #[test]
    fn these_answers_send_the_request_on() {
        let redirects = (0..=999).filter(|status| Hops::is_redirect(*status));
        let redirects: Vec<u16> = redirects.collect();
        assert_eq!(redirects, [301, 302, 303, 307, 308]);
    }

    #[test]
    fn three_redirects_are_followed() {
        let mut hops = Hops::starting_at(url("https://a.example/0?q=1"));
        assert!(!hops.was_redirected());
        let steps = [
            ("1", "https://a.example/1"),
            ("https://b.example/2/", "https://b.example/2/"),
            ("../3?q=2", "https://b.example/3?q=2"),
        ];
        for (location, expected) in steps {
            hops.follow(location).unwrap();
            assert_eq!(hops.current().as_str(), expected);
            assert!(hops.was_redirected());
        }
        let reason = "it redirects more than three times".into();
        assert_eq!(
            hops.follow("4"),
            Err(LnurlChannelError::InvalidResponse { reason })
        );
        assert_eq!(hops.current().as_str(), "https://b.example/3?q=2");
    }

    #[test]
    fn no_redirect_leads_where_the_request_was_or_to_plain_http() {
        let mut hops = Hops::starting_at(url("https://a.example/0"));
        hops.follow("1").unwrap();
        hops.follow("2").unwrap();
        for earlier in ["0", "1", "2"] {
            let reason = "it redirects in a circle".into();
            assert_eq!(
                hops.follow(earlier),
                Err(LnurlChannelError::InvalidResponse { reason }),
                "{earlier}"
            );
        }
        assert!(matches!(
            hops.follow("http://a.example/3"),
            Err(LnurlChannelError::UnsafeUrl {
                problem: UrlProblem::NotHttps,
                ..
            })
        ));
        assert_eq!(hops.current().as_str(), "https://a.example/2");
    }
}
