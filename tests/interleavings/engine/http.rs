//! A service without a network: it makes one offer, and says OK to all else. Others may go on before
//! and after each of its answers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::yield_now;
use url::Url;

use super::lock;
use super::settings::Settings;
use crate::flow::LnurlChannelError;

pub type OnConnected = Arc<dyn Fn() + Send + Sync>;

pub struct Sessions;

impl Sessions {
    pub fn new() -> Self {
        Self
    }

    pub fn none() -> Self {
        Self
    }
}

pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
    pub url: Url,
}

#[derive(Clone, Debug)]
pub struct HttpFailure {
    pub error: LnurlChannelError,
    pub sent: bool,
    pub retry: bool,
}

/// What the service has seen.
#[derive(Clone, Debug, Default)]
pub struct Service {
    /// The query of each request that it got whole.
    pub queries: Vec<String>,
    pub fetches_at_once: usize,
    pub most_fetches_at_once: usize,
}

pub struct Http(Arc<Mutex<Service>>);

/// One request for the offer, until it is answered or dropped.
struct Fetching(Arc<Mutex<Service>>);

impl Fetching {
    fn new(service: &Arc<Mutex<Service>>) -> Self {
        let mut seen = lock(service);
        seen.fetches_at_once += 1;
        seen.most_fetches_at_once = seen.most_fetches_at_once.max(seen.fetches_at_once);
        Self(service.clone())
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        lock(&self.0).fetches_at_once -= 1;
    }
}

impl Http {
    pub fn new(_: &Settings) -> Result<Self, LnurlChannelError> {
        Ok(Self(Arc::default()))
    }

    pub fn service(&self) -> Service {
        lock(&self.0).clone()
    }

    pub fn time_limit(&self, _: &Url) -> Duration {
        Duration::from_secs(1)
    }

    pub async fn get_in_time(&self, url: &Url, sessions: &Sessions) -> Result<Reply, HttpFailure> {
        let on_connected: OnConnected = Arc::new(|| ());
        self.get(url, sessions, Duration::ZERO, on_connected).await
    }

    pub async fn get(
        &self,
        url: &Url,
        _: &Sessions,
        _: Duration,
        on_connected: OnConnected,
    ) -> Result<Reply, HttpFailure> {
        let _fetching = (url.path() == "/offer").then(|| Fetching::new(&self.0));
        yield_now().await;
        on_connected();
        let query = url.query().unwrap_or_default().to_owned();
        lock(&self.0).queries.push(query);
        yield_now().await;
        let body = match url.path() {
            "/offer" => OFFER,
            _ => r#"{"status": "OK"}"#,
        };
        Ok(Reply {
            status: 200,
            body: body.into(),
            url: url.clone(),
        })
    }

    pub fn check_text(&self, _: &str) -> Result<(), LnurlChannelError> {
        Ok(())
    }
}

const OFFER: &str = r#"{
    "tag": "channelRequest",
    "uri": "02864ef025fde8fb587d989186ce6a4a186895ee44a926bfc370e2c366597a3f8f@node.example.com:9735",
    "callback": "https://service.example.com/callback",
    "k1": "k1"
}"#;
