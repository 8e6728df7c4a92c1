//! A service without a network: it makes one offer, and says OK to all else. Others may go on before
//! and after each of its answers.

use std::cell::RefCell;
use std::future::ready;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lnurl_channel_core::{LnurlChannelError, NetworkProblem, Reply};
use tokio::task::yield_now;
use url::Url;

use super::lock;
use super::settings::Config;

pub type OnConnected = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

#[derive(Debug)]
pub struct HttpError {
    pub cause: HttpCause,
    pub was_sent: bool,
    pub may_retry: bool,
}

#[derive(Debug)]
pub enum HttpCause {
    Rule(LnurlChannelError),
    PrivateAddress,
    Network {
        problem: NetworkProblem,
        reason: String,
    },
    BadAnswer(&'static str),
    Setup(String),
}

/// A connection, which here is nothing.
pub struct Opened;

#[derive(Clone)]
pub struct Session;

impl Session {
    pub fn new() -> Self {
        Self
    }

    pub fn of_one_request() -> Self {
        Self
    }
}

/// What the service has seen.
#[derive(Clone, Debug, Default)]
pub struct Service {
    /// The query of each request that it got whole.
    pub queries: Vec<String>,
    pub fetches_at_once: usize,
    pub most_fetches_at_once: usize,
}

shuttle::thread_local! {
    static LAST: RefCell<Option<Http>> = const { RefCell::new(None) };
}

/// Of the client that this thread made last.
pub fn service() -> Http {
    LAST.with(|last| last.borrow().clone().expect("this thread made a client"))
}

#[derive(Clone)]
pub struct Http(Arc<Mutex<Service>>);

/// One request for the offer, until it is answered or dropped.
struct Fetching(Http);

impl Fetching {
    fn new(http: &Http) -> Self {
        let mut seen = lock(&http.0);
        seen.fetches_at_once += 1;
        seen.most_fetches_at_once = seen.most_fetches_at_once.max(seen.fetches_at_once);
        Self(http.clone())
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        lock(&self.0.0).fetches_at_once -= 1;
    }
}

impl Http {
    pub fn new(_: &Config) -> Result<Self, LnurlChannelError> {
        let http = Self(Arc::default());
        LAST.with(|last| last.replace(Some(http.clone())));
        Ok(http)
    }

    pub fn seen(&self) -> Service {
        lock(&self.0).clone()
    }

    pub async fn get_in_time(&self, url: &Url, session: &Session) -> Result<Reply, HttpError> {
        self.get(url, session, Duration::ZERO, Arc::default(), Arc::new(|| Box::pin(ready(true))))
            .await
    }

    pub async fn open(
        &self,
        _: &Url,
        _: &Session,
        _: Duration,
        opened: Arc<Mutex<Option<Opened>>>,
    ) {
        yield_now().await;
        *lock(&opened) = Some(Opened);
    }

    pub async fn get(
        &self,
        url: &Url,
        _: &Session,
        _: Duration,
        _: Arc<Mutex<Option<Opened>>>,
        on_connected: OnConnected,
    ) -> Result<Reply, HttpError> {
        let _fetching = (url.path() == "/offer").then(|| Fetching::new(self));
        yield_now().await;
        if !on_connected().await {
            let problem = NetworkProblem::NoConnection;
            let reason = "not wanted any more".into();
            return Err(HttpError {
                cause: HttpCause::Network { problem, reason },
                was_sent: false,
                may_retry: false,
            });
        }
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
}

const OFFER: &str = r#"{
    "tag": "channelRequest",
    "uri": "02864ef025fde8fb587d989186ce6a4a186895ee44a926bfc370e2c366597a3f8f@node.example.com:9735",
    "callback": "https://service.example.com/callback",
    "k1": "k1"
}"#;
