//! GET requests, with the core's rules at every hop and for every address that a name resolves to
//! (section 2). The only file that names reqwest.

use std::error::Error as StdError;
use std::fmt;
use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lnurl_channel_core::protocol::{self, Secrets};
use lnurl_channel_core::{
    Hops, LnurlChannelError, MAX_BODY_BYTES, NetworkProblem, Proxy, Reply, Settings,
};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, LOCATION, TRANSFER_ENCODING,
    USER_AGENT,
};
use rustls::client::Resumption;
use rustls::{CertificateError, ClientConfig};
use url::Url;

use super::connection::{Connection, OnConnected, Opened};
use super::random;
use super::settings::Config;
use super::tls;

/// Those of as many hosts as there are hops; rustls keeps eight of each.
const TLS_SESSIONS: usize = 32;

/// Why there is no answer.
#[derive(Debug)]
pub struct HttpError {
    pub cause: HttpCause,
    /// The first request was, or may have been, written.
    pub was_sent: bool,
    /// Another try may go better.
    pub may_retry: bool,
}

#[derive(Debug)]
pub enum HttpCause {
    /// The core's rules refuse a hop.
    Rule(LnurlChannelError),
    /// All addresses of the host are private.
    PrivateAddress,
    Network {
        problem: NetworkProblem,
        reason: String,
    },
    /// What came is no HTTP, or too long.
    BadAnswer(&'static str),
    /// The HTTP client could not be made.
    Setup(String),
}

/// What the requests of one fetch share: its own GET, and the callback of its offer.
///
/// A resumed TLS session tells a service who comes back, and the callback names the wallet's node: no
/// later fetch may go on with what it, or the fetch before it, has left. So too with Tor's circuits,
/// which are kept apart by the credentials that the proxy is given.
#[derive(Clone)]
pub struct Session {
    tls: Resumption,
    proxy_user: Option<[u8; 16]>,
}

impl Session {
    /// For a fetch.
    pub fn new() -> Self {
        Self {
            tls: Resumption::in_memory_sessions(TLS_SESSIONS),
            ..Self::of_one_request()
        }
    }

    /// For a request that has nothing to do with any other.
    pub fn of_one_request() -> Self {
        Self {
            tls: Resumption::disabled(),
            proxy_user: random::bytes(),
        }
    }
}

pub struct Http {
    tls: ClientConfig,
    proxy: Option<Url>,
    settings: Settings,
}

impl Http {
    pub fn new(config: &Config) -> Result<Self, LnurlChannelError> {
        let tls = tls::client_config(&config.extra_roots).map_err(|error| {
            let reason = format!("extra_root_certificates: {error}");
            LnurlChannelError::InvalidConfig { reason }
        })?;
        Ok(Self {
            tls,
            proxy: config.proxy.clone(),
            settings: config.settings,
        })
    }

    /// GET with redirects, within the time limit of a request.
    pub async fn get_in_time(&self, url: &Url, session: &Session) -> Result<Reply, HttpError> {
        let limit = self.settings.request_limit(url);
        let get = self.get(
            url,
            session,
            limit,
            Arc::default(),
            Arc::new(|| Box::pin(ready(true))),
        );
        tokio::time::timeout(limit, get).await.unwrap_or_else(|_| {
            let reason = format!("no answer within {} seconds", limit.as_secs());
            let problem = NetworkProblem::TimedOut;
            Err(HttpError {
                cause: HttpCause::Network { problem, reason },
                was_sent: true,
                may_retry: true,
            })
        })
    }

    /// Open a connection to the host of `url`, and write nothing on it. It is left in `opened`, if it came
    /// about.
    pub async fn open(
        &self,
        url: &Url,
        session: &Session,
        connect_within: Duration,
        opened: Arc<Mutex<Option<Opened>>>,
    ) {
        let (proxy, allow_private_hosts) = (self.settings.proxy, self.settings.allow_private_hosts);
        if proxy.check(url, allow_private_hosts).is_err() {
            return;
        }
        let connection = Connection {
            opened,
            is_kept: true,
            ..Connection::default()
        };
        let client = self.client(session, connect_within, connection);
        // It fails in any case: nothing is written.
        let _ = self.send(client, url, &AtomicBool::new(false)).await;
    }

    /// GET with redirects, at first on the connection that was `opened`, if that can be used. Only
    /// connecting has a time limit, at each hop; how long the answer is worth waiting for, the caller
    /// knows.
    pub async fn get(
        &self,
        url: &Url,
        session: &Session,
        connect_within: Duration,
        opened: Arc<Mutex<Option<Opened>>>,
        on_connected: OnConnected,
    ) -> Result<Reply, HttpError> {
        let mut hops = Hops::starting_at(url.clone());
        let mut first = Some((opened, on_connected));
        loop {
            let rule = |error| HttpError {
                cause: HttpCause::Rule(error),
                was_sent: hops.was_redirected(),
                may_retry: false,
            };
            let url = hops.current();
            let (proxy, allow_private_hosts) =
                (self.settings.proxy, self.settings.allow_private_hosts);
            proxy.check(url, allow_private_hosts).map_err(rule)?;
            let (opened, on_connected) = first.take().unzip();
            let is_connected = Arc::default();
            let connection = Connection {
                opened: opened.unwrap_or_default(),
                is_kept: false,
                on_connected,
                is_connected: Arc::clone(&is_connected),
            };
            let client = self.client(session, connect_within, connection);
            let response = self.send(client, url, &is_connected).await;
            let response = response.map_err(|error| HttpError {
                was_sent: error.was_sent || hops.was_redirected(),
                ..error
            })?;
            let status = response.status().as_u16();
            let location = response.headers().get(LOCATION);
            let Some(location) = location.filter(|_| Hops::is_redirect(status)) else {
                return read(response, url.clone()).await;
            };
            let location = String::from_utf8_lossy(location.as_bytes());
            hops.follow(&location).map_err(|error| HttpError {
                cause: HttpCause::Rule(error),
                was_sent: true,
                may_retry: false,
            })?;
        }
    }

    async fn send(
        &self,
        client: reqwest::Result<reqwest::Client>,
        url: &Url,
        is_connected: &AtomicBool,
    ) -> Result<reqwest::Response, HttpError> {
        let client = client.map_err(|error| HttpError {
            cause: HttpCause::Setup(without_url(error)),
            was_sent: false,
            may_retry: false,
        })?;
        let request = client
            .get(url.clone())
            .header(ACCEPT, "application/json")
            .header(ACCEPT_ENCODING, "identity")
            // The same for all wallets and versions. Without one, firewalls of services refuse it.
            .header(USER_AGENT, "lnurl-channel");
        request.send().await.map_err(|error| {
            // On a connection of its own, what was not connected was not written.
            let was_connected = is_connected.load(Ordering::SeqCst);
            failure(error, was_connected, self.settings.proxy)
        })
    }

    /// A client for one request. No connection is used twice: a pooled one may have been closed, and
    /// then nobody could tell whether the service got the request.
    fn client(
        &self,
        session: &Session,
        connect_within: Duration,
        connection: Connection,
    ) -> reqwest::Result<reqwest::Client> {
        let proxy_host = self.proxy.as_ref().and_then(Url::host_str);
        let resolver = PolicyResolver {
            allow_private_hosts: self.settings.allow_private_hosts,
            proxy_host: proxy_host.map(str::to_owned),
        };
        let mut tls = self.tls.clone();
        tls.resumption = session.tls.clone();
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .pool_max_idle_per_host(0)
            .connect_timeout(connect_within)
            .dns_resolver(resolver)
            .connector_layer(connection);
        match &self.proxy {
            Some(proxy) => builder.proxy(proxy_for(proxy, session)?),
            None => builder.no_proxy(),
        }
        .build()
    }
}

fn proxy_for(proxy: &Url, session: &Session) -> reqwest::Result<reqwest::Proxy> {
    let mut proxy = proxy.clone();
    if let Some(user) = session.proxy_user
        && proxy.scheme() == "socks5h"
    {
        let user = format!("{:032x}", u128::from_be_bytes(user));
        // A URL of this scheme takes them.
        let _ = proxy.set_username(&user);
        let _ = proxy.set_password(Some(&user));
    }
    reqwest::Proxy::all(proxy)
}

async fn read(mut response: reqwest::Response, url: Url) -> Result<Reply, HttpError> {
    let status = response.status().as_u16();
    let headers = response.headers();
    let until_eof =
        !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING);
    let is_encoded = headers.contains_key(CONTENT_ENCODING);
    let mut body = Vec::new();
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            // Some servers end TLS without a word, and the answer with it. Where no length was
            // promised, a whole object cannot have been cut.
            Err(error) if until_eof && is_cut(&error) && is_whole(&body) => break,
            Err(error) => return Err(failure(error, true, Proxy::None)),
        };
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(bad_answer("its answer is longer than 64 KiB"));
        }
        body.extend_from_slice(&chunk);
    }
    if is_encoded && !is_whole(&body) {
        return Err(bad_answer(
            "its answer is compressed, which was not asked for",
        ));
    }
    Ok(Reply { status, body, url })
}

// ---- what went wrong ----

fn bad_answer(reason: &'static str) -> HttpError {
    HttpError {
        cause: HttpCause::BadAnswer(reason),
        was_sent: true,
        may_retry: false,
    }
}

fn failure(error: reqwest::Error, was_connected: bool, proxy: Proxy) -> HttpError {
    if find::<RefusedAddresses>(&error).is_some() {
        return HttpError {
            cause: HttpCause::PrivateAddress,
            was_sent: was_connected,
            may_retry: false,
        };
    }
    if find::<hyper::Error>(&error).is_some_and(hyper::Error::is_parse) {
        return bad_answer("its answer is not HTTP");
    }
    let tls = find::<rustls::Error>(&error);
    let certificate = match tls {
        Some(rustls::Error::InvalidCertificate(problem)) => Some(problem),
        _ => None,
    };
    let problem = match certificate {
        Some(problem) if is_of_the_clock(problem) => NetworkProblem::CertificateDate,
        Some(_) => NetworkProblem::CertificateUntrusted,
        None if error.is_timeout() => NetworkProblem::TimedOut,
        None if was_connected => NetworkProblem::ConnectionLost,
        None if tls.is_some() => NetworkProblem::CertificateUntrusted,
        None if proxy != Proxy::None => NetworkProblem::Proxy,
        None => NetworkProblem::NoConnection,
    };
    let may_retry = certificate.is_none();
    let reason = match certificate {
        Some(problem) => certificate_reason(problem),
        None if was_connected && is_cut(&error) => {
            "the connection ended in the middle of its answer".into()
        }
        None => without_url(error),
    };
    HttpError {
        cause: HttpCause::Network { problem, reason },
        was_sent: was_connected,
        may_retry,
    }
}

fn is_whole(body: &[u8]) -> bool {
    protocol::json::Object::parse(body).is_ok()
}

/// The connection ended before its time.
fn is_cut(error: &reqwest::Error) -> bool {
    find::<io::Error>(error).is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof)
}

fn is_of_the_clock(problem: &CertificateError) -> bool {
    use CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
    matches!(
        problem,
        Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. }
    )
}

fn certificate_reason(problem: &CertificateError) -> String {
    use CertificateError::{Expired, ExpiredContext};
    match problem {
        Expired | ExpiredContext { .. } => {
            "its certificate has expired, or the clock of this device is wrong".into()
        }
        problem if is_of_the_clock(problem) => {
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
            .downcast_ref::<io::Error>()
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
        f.write_str("its name leads to local or private addresses only")
    }
}

impl StdError for RefusedAddresses {}

impl Resolve for PolicyResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let proxy_host = self.proxy_host.as_deref();
        let is_proxy = proxy_host.is_some_and(|host| host.eq_ignore_ascii_case(name.as_str()));
        let goes_around = self.proxy_host.is_some() && !is_proxy;
        let any = self.allow_private_hosts || is_proxy;
        Box::pin(async move {
            if goes_around {
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

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::sync::mpsc;
    use std::thread;

    use lnurl_channel_core::protocol::BitcoinNetwork;

    use super::*;
    use crate::io::{lock, runtime};

    /// Plain http is allowed to it, so that the proxy of these tests can be the service as well.
    const SERVICE: &str =
        "http://juhanurmihxlp77nkq76byazcldy2hlmovfu2epvl5ankdibsot4csyd.onion/offer";

    /// For what comes; a test fails after it.
    const LIMIT: Duration = Duration::from_secs(10);

    fn http(proxy: Option<&str>, request_timeout: Duration) -> Http {
        let seconds = Duration::from_secs(1);
        let settings = Settings {
            network: BitcoinNetwork::Regtest,
            allow_private_hosts: true,
            proxy: proxy.map_or(Proxy::None, |_| Proxy::OnThisDevice),
            request_timeout,
            connect_timeout: seconds,
            channel_timeout: seconds,
            reconnect: seconds,
        };
        Http::new(&Config {
            settings,
            storage_dir: None,
            proxy: proxy.map(|proxy| proxy.parse().unwrap()),
            extra_roots: Vec::new(),
        })
        .unwrap()
    }

    fn run<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
        let (sender, result) = mpsc::channel();
        runtime::spawn(async move { sender.send(future.await) }).unwrap();
        result.recv_timeout(LIMIT).unwrap()
    }

    fn get(http: Http, url: &str) -> Result<Reply, HttpError> {
        let url = url.parse().unwrap();
        run(async move { http.get_in_time(&url, &Session::new()).await })
    }

    /// A server that treats each connection, one after the other, as `serve` says, and what it reads
    /// of each before.
    fn server(
        serve: impl Fn(&mut TcpStream, &[u8]) + Send + 'static,
    ) -> (String, mpsc::Receiver<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, received) = mpsc::channel();
        thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let mut buffer = [0; 4096];
                let length = stream.read(&mut buffer).unwrap();
                serve(&mut stream, &buffer[..length]);
                if sender.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        (address, received)
    }

    /// What comes of a GET that is answered with `answer`.
    fn get_answered(answer: &'static [u8]) -> Result<Reply, HttpError> {
        let (address, _received) = server(move |stream, _| stream.write_all(answer).unwrap());
        get(http(Some(&format!("http://{address}")), LIMIT), SERVICE)
    }

    fn problem(result: Result<Reply, HttpError>) -> (NetworkProblem, bool, bool) {
        match result {
            Err(HttpError {
                cause: HttpCause::Network { problem, .. },
                was_sent,
                may_retry,
            }) => (problem, was_sent, may_retry),
            Err(error) => panic!("{error:?}"),
            Ok(_) => panic!("an answer"),
        }
    }

    #[test]
    fn a_problem_of_the_network_is_named() {
        use NetworkProblem::{CertificateUntrusted, ConnectionLost, NoConnection, Proxy, TimedOut};
        let second = Duration::from_secs(1);
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let silent = silent.local_addr().unwrap();
        let nobody = {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap()
        };
        let found = get(http(None, LIMIT), &format!("https://{nobody}/"));
        assert_eq!(problem(found), (NoConnection, false, true));
        let found = get(http(Some(&format!("socks5h://{nobody}")), LIMIT), SERVICE);
        assert_eq!(problem(found), (Proxy, false, true));
        let found = get(http(Some(&format!("http://{nobody}")), LIMIT), SERVICE);
        assert_eq!(problem(found), (Proxy, false, true));

        let (plain, _received) =
            server(|stream, _| stream.write_all(b"HTTP/1.1 400\r\n\r\n").unwrap());
        let found = get(http(None, LIMIT), &format!("https://{plain}/"));
        assert_eq!(problem(found), (CertificateUntrusted, false, true));
        let (closing, _received) = server(|_, _| {});
        let found = get(http(None, LIMIT), &format!("https://{closing}/"));
        assert_eq!(problem(found), (NoConnection, false, true));
        let found = get(http(None, second), &format!("https://{silent}/"));
        assert_eq!(problem(found).0, TimedOut);

        assert_eq!(problem(get_answered(b"")), (ConnectionLost, true, true));
        let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}";
        assert_eq!(problem(get_answered(cut)), (ConnectionLost, true, true));
    }

    #[test]
    fn an_answer_that_is_compressed_or_no_http_or_too_long_is_refused() {
        for answer in [
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n\x1f\x8b\x08".as_slice(),
            b"SSH-2.0-OpenSSH_9.2\r\n\r\n".as_slice(),
            [
                b"HTTP/1.1 200 OK\r\n\r\n".as_slice(),
                &[b' '; 64 * 1024 + 1],
            ]
            .concat()
            .leak(),
        ] {
            let error = get_answered(answer).err().unwrap();
            assert!(matches!(error.cause, HttpCause::BadAnswer(_)), "{error:?}");
            assert!(error.was_sent && !error.may_retry);
        }
        let whole = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &[b' '; 64 * 1024]];
        let reply = get_answered(whole.concat().leak()).unwrap();
        assert_eq!(reply.body.len(), 64 * 1024);
    }

    #[test]
    fn an_answer_that_only_claims_to_be_compressed_is_read() {
        let reply = get_answered(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n{}").unwrap();
        assert_eq!(reply.body, b"{}");
    }

    #[test]
    fn redirects_are_followed_by_the_rules() {
        let (address, received) = server(|stream, request| {
            let next = match request {
                request if request.starts_with(b"GET /") => unreachable!("a proxy gets the URL"),
                request if request.windows(6).any(|part| part == b"/offer") => "/circle",
                _ => "/offer",
            };
            let answer =
                format!("HTTP/1.1 302 Found\r\nlocation: {next}\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let error = get(http(Some(&format!("http://{address}")), LIMIT), SERVICE);
        let error = error.err().unwrap();
        assert!(matches!(error.cause, HttpCause::Rule(_)), "{error:?}");
        assert!(error.was_sent && !error.may_retry);
        for _ in 0..2 {
            received.recv_timeout(LIMIT).unwrap();
        }
        assert!(received.try_recv().is_err());
    }

    #[test]
    fn nothing_is_written_if_it_is_not_wanted_any_more() {
        let (sender, written) = mpsc::channel();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let (mut stream, _) = listener.accept().unwrap();
            let read = stream.read_to_end(&mut bytes);
            sender.send((read.is_ok(), bytes)).unwrap();
        });
        let http = http(Some(&proxy), LIMIT);
        let error = run(async move {
            let url = SERVICE.parse().unwrap();
            let session = Session::new();
            let got = http.get(
                &url,
                &session,
                LIMIT,
                Arc::default(),
                Arc::new(|| Box::pin(ready(false))),
            );
            got.await.err().unwrap()
        });
        assert!(!error.was_sent);
        assert_eq!(written.recv_timeout(LIMIT).unwrap(), (true, Vec::new()));
    }

    /// What comes of a GET after its connection was opened, on a service that does `first` with the first
    /// connection, and answers on each that says something; and how many connections there were.
    fn get_opened(first: fn(&mut TcpStream)) -> (Vec<u8>, usize) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = format!("http://{}", listener.local_addr().unwrap());
        let (accepted, connections) = mpsc::channel();
        let (sender, is_done) = mpsc::channel();
        thread::spawn(move || {
            let mut first = Some(first);
            while let Ok((mut stream, _)) = listener.accept() {
                if accepted.send(()).is_err() {
                    return;
                }
                if let Some(first) = first.take() {
                    first(&mut stream);
                    sender.send(()).unwrap();
                }
                let serve = move || -> io::Result<()> {
                    let mut buffer = [0; 4096];
                    if stream.read(&mut buffer)? > 0 {
                        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")?;
                    }
                    Ok(())
                };
                // One that the client or `first` has closed answers nothing.
                thread::spawn(serve);
            }
        });
        let http = http(Some(&proxy), LIMIT);
        let reply = run(async move {
            let url = SERVICE.parse().unwrap();
            let session = Session::new();
            let opened = Arc::default();
            http.open(&url, &session, LIMIT, Arc::clone(&opened)).await;
            assert!(lock(&opened).is_some());
            is_done.recv().unwrap();
            let got = http.get(
                &url,
                &session,
                LIMIT,
                opened,
                Arc::new(|| Box::pin(ready(true))),
            );
            got.await.unwrap()
        });
        (reply.body, connections.try_iter().count())
    }

    #[test]
    fn a_connection_that_was_opened_is_used_unless_it_has_ended() {
        let shut = |stream: &mut TcpStream| stream.shutdown(std::net::Shutdown::Both).unwrap();
        let speak = |stream: &mut TcpStream| stream.write_all(b"HTTP/1.1 408 X\r\n\r\n").unwrap();
        assert_eq!(get_opened(|_| {}), (b"{}".to_vec(), 1));
        assert_eq!(get_opened(shut), (b"{}".to_vec(), 2));
        assert_eq!(get_opened(speak), (b"{}".to_vec(), 2));
    }

    #[test]
    fn nothing_is_written_on_a_connection_that_is_opened() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = format!("http://{}", listener.local_addr().unwrap());
        let http = http(Some(&proxy), LIMIT);
        let opened = run(async move {
            let url = SERVICE.parse().unwrap();
            let opened = Arc::default();
            http.open(&url, &Session::new(), LIMIT, Arc::clone(&opened))
                .await;
            opened
        });
        let (mut stream, _) = listener.accept().unwrap();
        drop(opened);
        let mut bytes = Vec::new();
        assert_eq!(stream.read_to_end(&mut bytes).unwrap(), 0);
    }

    #[test]
    fn nothing_is_opened_where_nothing_may_be_sent() {
        let opened = run(async {
            let http = http(None, LIMIT);
            let url = SERVICE.parse().unwrap();
            let opened = Arc::default();
            http.open(&url, &Session::new(), LIMIT, Arc::clone(&opened))
                .await;
            lock(&opened).is_some()
        });
        assert!(!opened, "Tor without a proxy");
    }

    #[test]
    fn a_socks_proxy_gets_credentials_of_each_session() {
        let (sender, credentials) = mpsc::channel();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = format!("socks5h://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let mut greeting = [0; 3];
                stream.read_exact(&mut greeting).unwrap();
                assert_eq!(
                    greeting,
                    [5, 1, 2],
                    "user name and password, and nothing else"
                );
                stream.write_all(&[5, 2]).unwrap();
                let mut login = [0; 67];
                stream.read_exact(&mut login).unwrap();
                // Refused: that is enough to see.
                stream.write_all(&[1, 1]).unwrap();
                if sender.send(login).is_err() {
                    return;
                }
            }
        });
        let http = http(Some(&proxy), LIMIT);
        let sessions = [Session::new(), Session::new(), Session::of_one_request()];
        run(async move {
            let url = SERVICE.parse().unwrap();
            for session in [0, 0, 1, 2].map(|session: usize| &sessions[session]) {
                let got = http.get_in_time(&url, session).await;
                assert_eq!(problem(got), (NetworkProblem::Proxy, false, true));
            }
        });
        let seen = [(); 4].map(|()| credentials.recv_timeout(LIMIT).unwrap());
        assert_eq!(seen[0], seen[1]);
        assert!(seen[1] != seen[2] && seen[2] != seen[3] && seen[1] != seen[3]);
    }
}
