//! HTTP, the only file that names `reqwest::Client`. The policy holds on every hop and for every
//! address that a name resolves to (section 2 of the rules).

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, CONTENT_LENGTH, LOCATION, TRANSFER_ENCODING};
use rustls::client::Resumption;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tower::{Layer, Service};
use url::Url;

use super::crypto;
use super::settings::{ONION_FACTOR, Settings};
use crate::flow::LnurlChannelError;
use crate::protocol::{self, Secrets};

/// Redirects followed at most.
const MAX_REDIRECTS: usize = 3;
/// Those of as many hosts as there are hops; rustls keeps eight of each.
const SESSIONS: usize = 8 * (1 + MAX_REDIRECTS);
/// Longest body, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// Called once per exchange, when the first connection stands and the request is about to be
/// written.
pub type OnConnected = Arc<dyn Fn() + Send + Sync>;

/// What a service answered, whatever its status.
pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
    /// Where it came from, after redirects.
    pub url: Url,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub struct HttpFailure {
    pub error: LnurlChannelError,
    /// The first request was, or may have been, written.
    pub sent: bool,
    /// Another try may go better.
    pub retry: bool,
}

impl HttpFailure {
    fn final_(error: LnurlChannelError, sent: bool) -> Self {
        Self {
            error,
            sent,
            retry: false,
        }
    }
}

/// TLS sessions of one fetch, for the callback of its own offer and nothing else.
///
/// A resumed session tells a service who comes back. The callback names the wallet's node: no later
/// fetch may go on with what it, or the fetch before it, has left.
pub struct Sessions(Resumption);

impl Sessions {
    pub fn new() -> Self {
        Self(Resumption::in_memory_sessions(SESSIONS))
    }

    pub fn none() -> Self {
        Self(Resumption::disabled())
    }
}

pub struct Http {
    tls: ClientConfig,
    proxy: Option<Url>,
    allow_private_hosts: bool,
    timeout: Duration,
}

impl Http {
    pub fn new(settings: &Settings) -> Result<Self, LnurlChannelError> {
        Ok(Self {
            tls: tls_config(settings)?,
            proxy: settings.proxy.clone(),
            allow_private_hosts: settings.allow_private_hosts,
            timeout: settings.request_timeout,
        })
    }

    /// How long reaching this host may take.
    pub fn time_limit(&self, url: &Url) -> Duration {
        let onion = url.host_str().is_some_and(protocol::is_onion_host);
        if onion {
            self.timeout * ONION_FACTOR
        } else {
            self.timeout
        }
    }

    /// GET with redirects, within the time limit of a request.
    pub async fn get_in_time(&self, url: &Url, sessions: &Sessions) -> Result<Reply, HttpFailure> {
        let limit = self.time_limit(url);
        let get = self.get(url, sessions, limit, Arc::new(|| ()));
        tokio::time::timeout(limit, get).await.unwrap_or_else(|_| {
            let reason = format!("no answer within {} seconds", limit.as_secs());
            let error = LnurlChannelError::Unreachable { reason };
            Err(HttpFailure {
                error,
                sent: true,
                retry: true,
            })
        })
    }

    /// GET with redirects. Only connecting has a time limit, at each hop; how long the answer is
    /// worth waiting for, the caller knows.
    pub async fn get(
        &self,
        url: &Url,
        sessions: &Sessions,
        to_connect: Duration,
        on_connected: OnConnected,
    ) -> Result<Reply, HttpFailure> {
        let mut visited = vec![url.clone()];
        let mut on_connected = Some(on_connected);
        loop {
            let url = &visited[visited.len() - 1];
            let sent = visited.len() > 1;
            self.check(url)
                .map_err(|error| HttpFailure::final_(error, sent))?;
            let response = self
                .send(url, sessions, to_connect, on_connected.take(), sent)
                .await?;
            match redirect_target(url, &response) {
                None => return read(response, url.clone()).await,
                Some(target) => {
                    let next = target.and_then(|next| follow(&visited, next));
                    visited.push(next.map_err(|error| HttpFailure::final_(error, true))?);
                }
            }
        }
    }

    /// The policy for a URL that will be asked later.
    pub fn check_text(&self, url: &str) -> Result<(), LnurlChannelError> {
        let url = protocol::parse_url(url);
        self.check(&url.map_err(|problem| problem.into_error(protocol::Error::InvalidResponse))?)
    }

    /// The policy for one hop, proxy included.
    fn check(&self, url: &Url) -> Result<(), LnurlChannelError> {
        protocol::check(url, self.allow_private_hosts)?;
        let host = url.host_str().unwrap_or_default();
        if !protocol::is_onion_host(host) {
            return Ok(());
        }
        match &self.proxy {
            None => Err(LnurlChannelError::TorRequired {
                host: host.to_owned(),
            }),
            Some(proxy) if url.scheme() == "http" && !is_loopback(proxy) => {
                Err(LnurlChannelError::InvalidConfig {
                    reason: "an onion service over plain http needs a proxy on this device".into(),
                })
            }
            Some(_) => Ok(()),
        }
    }

    async fn send(
        &self,
        url: &Url,
        sessions: &Sessions,
        to_connect: Duration,
        on_connected: Option<OnConnected>,
        earlier_hop: bool,
    ) -> Result<reqwest::Response, HttpFailure> {
        let connected = Arc::new(AtomicBool::new(false));
        let seen = connected.clone();
        let watch = WatchConnection(Arc::new(move || {
            seen.store(true, Ordering::SeqCst);
            if let Some(on_connected) = &on_connected {
                on_connected();
            }
        }));
        let client = self.client(sessions, to_connect, watch).map_err(|error| {
            let reason = without_url(error);
            HttpFailure::final_(LnurlChannelError::InvalidConfig { reason }, earlier_hop)
        })?;
        let request = client.get(url.clone()).header(ACCEPT, "application/json");
        request.send().await.map_err(|error| {
            // On a fresh connection, what was not connected was not written.
            let sent = earlier_hop || connected.load(Ordering::SeqCst);
            failure(error, sent)
        })
    }

    /// A client for one request: nothing is pooled, since a pooled connection may have died, and
    /// the outcome would be unknown for nothing.
    fn client(
        &self,
        sessions: &Sessions,
        to_connect: Duration,
        watch: WatchConnection,
    ) -> reqwest::Result<reqwest::Client> {
        let resolver = PolicyResolver {
            allow_private_hosts: self.allow_private_hosts,
            proxy_host: self
                .proxy
                .as_ref()
                .and_then(Url::host_str)
                .map(str::to_owned),
        };
        let mut tls = self.tls.clone();
        tls.resumption = sessions.0.clone();
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .pool_max_idle_per_host(0)
            .connect_timeout(to_connect)
            .dns_resolver(resolver)
            .connector_layer(watch);
        match &self.proxy {
            Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy.clone())?),
            None => builder.no_proxy(),
        }
        .build()
    }
}

fn tls_config(settings: &Settings) -> Result<ClientConfig, LnurlChannelError> {
    let invalid = |error: rustls::Error| LnurlChannelError::InvalidConfig {
        reason: format!("extra_root_certificates: {error}"),
    };
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    for root in &settings.extra_roots {
        roots.add(root.clone()).map_err(invalid)?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto::provider()));
    let builder = builder
        .with_safe_default_protocol_versions()
        .map_err(invalid)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Where the answer sends us, if it does.
fn redirect_target(
    url: &Url,
    response: &reqwest::Response,
) -> Option<Result<Url, LnurlChannelError>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(LOCATION)?;
    let text = String::from_utf8_lossy(location.as_bytes());
    let target = protocol::resolve(url, &text);
    Some(target.map_err(|problem| problem.into_error(protocol::Error::InvalidResponse).into()))
}

fn follow(visited: &[Url], next: Url) -> Result<Url, LnurlChannelError> {
    let invalid = |reason: &str| LnurlChannelError::InvalidResponse {
        reason: reason.into(),
    };
    if visited.len() > MAX_REDIRECTS {
        return Err(invalid("it redirects more than three times"));
    }
    if visited.contains(&next) {
        return Err(invalid("it redirects in a circle"));
    }
    protocol::check_redirect(&visited[visited.len() - 1], &next)?;
    Ok(next)
}

async fn read(mut response: reqwest::Response, url: Url) -> Result<Reply, HttpFailure> {
    let status = response.status().as_u16();
    let headers = response.headers();
    let until_eof =
        !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING);
    let mut body = Vec::new();
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            // Some servers end TLS without a word, and the answer with it. Where no length was
            // promised, a whole object cannot have been cut.
            Err(error) if until_eof && is_cut(&error) && is_whole(&body) => break,
            Err(error) => return Err(failure(error, true)),
        };
        if body.len() + chunk.len() > MAX_BODY {
            let reason = "its answer is longer than 64 KiB".to_owned();
            let error = LnurlChannelError::InvalidResponse { reason };
            return Err(HttpFailure::final_(error, true));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, body, url })
}

/// The parser takes the host of a `socks5h` URL for a name, whatever it is.
fn is_loopback(proxy: &Url) -> bool {
    let host = proxy.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    match literal.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

// ---- what went wrong ----

fn failure(error: reqwest::Error, sent: bool) -> HttpFailure {
    if find::<RefusedAddresses>(&error).is_some() {
        let reason = RefusedAddresses.to_string();
        return HttpFailure::final_(LnurlChannelError::UnsafeUrl { reason }, sent);
    }
    if let Some(rustls::Error::InvalidCertificate(problem)) = find::<rustls::Error>(&error) {
        let reason = certificate_reason(problem);
        return HttpFailure::final_(LnurlChannelError::Unreachable { reason }, sent);
    }
    if find::<hyper::Error>(&error).is_some_and(hyper::Error::is_parse) {
        let reason = "its answer is not HTTP".to_owned();
        return HttpFailure::final_(LnurlChannelError::InvalidResponse { reason }, sent);
    }
    let reason = match is_cut(&error) {
        true => "the connection ended in the middle of its answer".to_owned(),
        false => without_url(error),
    };
    let error = LnurlChannelError::Unreachable { reason };
    HttpFailure {
        error,
        sent,
        retry: true,
    }
}

fn is_whole(body: &[u8]) -> bool {
    protocol::json::Object::parse(body).is_ok()
}

/// The connection ended before its time.
fn is_cut(error: &reqwest::Error) -> bool {
    find::<io::Error>(error).is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof)
}

fn certificate_reason(problem: &CertificateError) -> String {
    use CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
    match problem {
        Expired | ExpiredContext { .. } => {
            "its certificate has expired, or the clock of this device is wrong".into()
        }
        NotValidYet | NotValidYetContext { .. } => {
            "its certificate is not valid yet, or the clock of this device is wrong".into()
        }
        other => {
            // It may name names, which are the server's own words.
            let why = protocol::presentable(&other.to_string(), &Secrets::default(), 200);
            format!("its certificate is not trusted: {why}")
        }
    }
}

/// The whole chain of causes, without the URL: it may hold secrets.
fn without_url(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let part = error.to_string();
        if !text.contains(&part) {
            text = format!("{text}: {part}");
        }
        cause = error.source();
    }
    text
}

/// An error of type `T` among the causes. An `io::Error` hides what it wraps from `source`.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        let wrapped = error
            .downcast_ref::<std::io::Error>()
            .and_then(|error| error.get_ref());
        cause = match wrapped {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

// ---- names ----

/// Looks names up with the system's resolver, and drops the addresses that the policy refuses.
struct PolicyResolver {
    allow_private_hosts: bool,
    /// With a proxy, only its own name is looked up here; it may be anywhere.
    proxy_host: Option<String>,
}

#[derive(Debug)]
struct RefusedAddresses;

impl fmt::Display for RefusedAddresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("its name leads to a local or private address")
    }
}

impl StdError for RefusedAddresses {}

impl Resolve for PolicyResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let proxy_host = self.proxy_host.as_deref();
        let is_proxy = proxy_host.is_some_and(|host| host.eq_ignore_ascii_case(name.as_str()));
        let astray = self.proxy_host.is_some() && !is_proxy;
        let any = self.allow_private_hosts || is_proxy;
        Box::pin(async move {
            if astray {
                return Err("a name was about to be looked up around the proxy".into());
            }
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found
                .filter(|address| any || protocol::is_public(address.ip()))
                .collect();
            if allowed.is_empty() {
                return Err(RefusedAddresses.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

// ---- the moment of connection ----

/// Wraps the connector to learn when a connection stands, TLS included.
#[derive(Clone)]
struct WatchConnection(OnConnected);

#[derive(Clone)]
struct Watched<S> {
    connector: S,
    on_connected: OnConnected,
}

impl<S> Layer<S> for WatchConnection {
    type Service = Watched<S>;

    fn layer(&self, connector: S) -> Watched<S> {
        Watched {
            connector,
            on_connected: self.0.clone(),
        }
    }
}

impl<S, R> Service<R> for Watched<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future =
        std::pin::Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send + 'static>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, target: R) -> Self::Future {
        let connecting = self.connector.call(target);
        let on_connected = self.on_connected.clone();
        Box::pin(async move {
            let connection = connecting.await?;
            on_connected();
            Ok(connection)
        })
    }
}
