//! What leaves the device before the user agrees, past the proxy, and in words: nothing that must
//! not. A process of its own shows all that it can, while services and nodes echo every secret.

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

// The shim is for the loader of Linux.
#[cfg(target_os = "linux")]
#[path = "secrecy/network.rs"]
mod network;

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use lnurl_channel::{
    BitcoinNetwork, ChannelClient, ChannelRequest, ChannelRequestState, ChannelStage, ClientConfig,
    IncomingChannel, LnurlChannelError, WalletNodeError,
};
use serde_json::json;
use support::block_on;
use support::listener::Listener;
use support::plain::PlainNode;
use support::scene::{accept, fetch, wait_for_state};
use support::wallet;
use tempfile::TempDir;

/// A published onion service's name, valid in every part. Nobody here connects to it.
const ONION: &str = "juhanurmihxlp77nkq76byazcldy2hlmovfu2epvl5ankdibsot4csyd.onion";
const PEER: &str = "02864ef025fde8fb587d989186ce6a4a186895ee44a926bfc370e2c366597a3f8f";

const TLS_HANDSHAKE: u8 = 22;

const K1: &str = "Whisper/k1+ü&x=1";
const HOSTED_K1: &str = "5EC7e75ec7e70a0B";
const LNURL_QUERY: &str = "q=Hush%2Fquery%20one&t=LnurlTokenZwei";
const CALLBACK_QUERY: &str = "token=Quiet%2Fcall%20back&u=CallbackDrei";

// ---- a proxy that records, and is the service behind itself ----

#[derive(Clone, Debug, Default)]
struct Record {
    /// `host:port`, as each connection asked for it.
    asked: Vec<String>,
    /// The bytes of each HTTP request to the service, from its first to the end of its head.
    requests: Vec<String>,
    connections: usize,
}

#[derive(Clone)]
struct Recorder {
    address: SocketAddr,
    record: Arc<Mutex<Record>>,
}

impl Recorder {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let recorder = Self {
            address: listener.local_addr().unwrap(),
            record: Arc::default(),
        };
        let started = recorder.clone();
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let recorder = started.clone();
                recorder.record.lock().unwrap().connections += 1;
                // What becomes of one connection concerns no other.
                std::thread::spawn(move || recorder.serve(stream));
            }
        });
        recorder
    }

    fn record(&self) -> Record {
        self.record.lock().unwrap().clone()
    }

    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut first = [0];
        stream.peek(&mut first)?;
        if first == [TLS_HANDSHAKE] {
            return Ok(());
        }
        if first == [5] && !self.serve_socks(&mut stream)? {
            return Ok(());
        }
        let head = read_head(&mut stream)?;
        let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
        if head.starts_with("CONNECT ") {
            self.record.lock().unwrap().asked.push(target);
            return stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        }
        let path = match target.strip_prefix("http://") {
            Some(rest) => {
                let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
                let asked = format!("{host}:80");
                self.record.lock().unwrap().asked.push(asked);
                format!("/{path}")
            }
            None => target,
        };
        self.record.lock().unwrap().requests.push(head);
        stream.write_all(answer(&path).as_bytes())
    }

    /// True if the service is whom it is for.
    fn serve_socks(&self, stream: &mut TcpStream) -> io::Result<bool> {
        let greeting = read(stream, 2)?;
        let methods = read(stream, greeting[1].into())?;
        assert!(
            methods.contains(&2),
            "each request has credentials of its own"
        );
        stream.write_all(&[5, 2])?;
        read(stream, 1)?;
        for _user_and_password in 0..2 {
            let length = read(stream, 1)?[0];
            read(stream, length.into())?;
        }
        stream.write_all(&[1, 0])?;
        let kind = read(stream, 4)?[3];
        let host = match kind {
            4 => {
                let address: [u8; 16] = read(stream, 16)?.try_into().unwrap();
                format!("[{}]", Ipv6Addr::from(address))
            }
            _ => {
                assert_eq!(
                    kind, 3,
                    "an address was resolved here, and not by the proxy"
                );
                let length = read(stream, 1)?[0];
                String::from_utf8(read(stream, length.into())?).unwrap()
            }
        };
        let is_address = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        assert_eq!(is_address, kind == 4, "an address is no name to look up");
        let port = read(stream, 2)?;
        let port = u16::from_be_bytes([port[0], port[1]]);
        self.record
            .lock()
            .unwrap()
            .asked
            .push(format!("{host}:{port}"));
        let is_known = host == ONION;
        let code = if is_known { 0 } else { 4 };
        stream.write_all(&[5, code, 0, 1, 0, 0, 0, 0, 0, 0])?;
        Ok(is_known)
    }
}

fn read(stream: &mut TcpStream, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.extend(read(stream, 1)?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

// ---- a service that says its secrets aloud ----

/// What a request for a funded, or a hosted, channel may show nowhere.
const FUNDED: &[&str] = &[K1, LNURL_QUERY, CALLBACK_QUERY];
const HOSTED: &[&str] = &[HOSTED_K1, LNURL_QUERY];

/// These secrets in every spelling and case.
fn echo(secrets: &[&str]) -> String {
    let spellings = spellings(secrets).into_iter();
    let spellings: Vec<String> = spellings
        .flat_map(|s| [s.to_ascii_uppercase(), s.to_ascii_lowercase(), s])
        .collect();
    spellings.join(" | ")
}

/// As they are, percent-encoded, percent-decoded, and in parts.
fn spellings(secrets: &[&str]) -> Vec<String> {
    let mut spellings = Vec::new();
    for &secret in secrets {
        let pairs = secret.split('&').filter(|_| secret != K1);
        let values = pairs.filter_map(|pair| pair.split_once('='));
        for part in values.map(|(_, value)| value).chain([secret]) {
            let decoded = percent_decoded(part);
            spellings.extend([part.to_owned(), percent_encoded(&decoded), decoded]);
        }
    }
    spellings
}

fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

fn percent_decoded(text: &str) -> String {
    // A `+` would be decoded too.
    let text = text
        .replace('+', "%2B")
        .replace('&', "%26")
        .replace('=', "%3D");
    let decoded = url::form_urlencoded::parse(text.as_bytes());
    decoded.map(|(key, _)| key).collect()
}

/// The answer to a request, by the name in its path.
fn answer(path: &str) -> String {
    let (name, is_callback) = match path.strip_prefix("/callback/") {
        Some(name) => (name, true),
        None => (path.trim_start_matches('/'), false),
    };
    let name = name.split('?').next().unwrap_or_default();
    let (status, location, body) = match (is_callback, name) {
        (false, "fetch-page") => (502, "", format!("<html>{}</html>", echo(&[LNURL_QUERY]))),
        (false, "fetch-redirect") => (302, LNURL_QUERY, String::new()),
        (false, name) => (200, "", offer(name).to_string()),
        (true, "callback-error") => {
            let refusal = json!({"status": "ERROR", "reason": echo(FUNDED)});
            (400, "", refusal.to_string())
        }
        (true, "callback-status") => (200, "", json!({"status": echo(FUNDED)}).to_string()),
        (true, "callback-detail") => (404, "", json!({"detail": echo(FUNDED)}).to_string()),
        (true, "callback-page") => (502, "", format!("<html>{}</html>", echo(FUNDED))),
        (true, "callback-redirect") => (302, CALLBACK_QUERY, String::new()),
        (true, _) => (
            200,
            "",
            json!({"status": "OK", "note": echo(FUNDED)}).to_string(),
        ),
    };
    let location = match location {
        "" => String::new(),
        query => format!("Location: http://clear.example/{query}?{query}\r\n"),
    };
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{location}\r\n{body}")
}

fn offer(name: &str) -> serde_json::Value {
    let mut offer = json!({
        "tag": "channelRequest",
        "uri": format!("{PEER}@node.example.com:9735"),
        "callback": format!("/callback/{name}?{CALLBACK_QUERY}"),
        "k1": K1,
    });
    let changed: &[(&str, String)] = match name {
        "fetch-error" => &[("status", "ERROR".into()), ("reason", echo(FUNDED))],
        "fetch-tag" => &[("tag", echo(FUNDED))],
        "fetch-uri" => &[("uri", format!("{PEER}@{}", echo(FUNDED)))],
        "fetch-key" => &[("uri", format!("{}@node.example.com", echo(FUNDED)))],
        "fetch-callback" => &[(
            "callback",
            format!("http://clear.example/?{CALLBACK_QUERY}"),
        )],
        name if name.starts_with("hosted") => &[
            ("tag", "hostedChannelRequest".into()),
            ("k1", HOSTED_K1.into()),
            ("alias", echo(HOSTED)),
        ],
        _ => &[],
    };
    for (field, text) in changed {
        offer[field] = text.as_str().into();
    }
    if name == "fetch-detail" {
        offer["detail"] = echo(FUNDED).into();
        offer.as_object_mut().unwrap().remove("tag");
    }
    offer
}

// ---- a client that can reach it ----

fn config(proxy: &str) -> ClientConfig {
    ClientConfig {
        network: BitcoinNetwork::Regtest,
        proxy: Some(proxy.to_owned()),
        allow_private_hosts: true,
        channel_timeout_seconds: 1,
        ..ClientConfig::default()
    }
}

fn lnurl(name: &str) -> String {
    format!("lnurlc://{ONION}/{name}?{LNURL_QUERY}")
}

fn client(
    node: PlainNode,
    config: ClientConfig,
) -> (Arc<ChannelClient>, Arc<PlainNode>, Arc<Listener>) {
    let (node, listener) = (Arc::new(node), Arc::<Listener>::default());
    let client =
        ChannelClient::new(Box::new(node.clone()), Box::new(listener.clone()), config).unwrap();
    (Arc::new(client), node, listener)
}

// ---- before the user agrees ----

#[test]
fn one_get_without_a_trace_of_the_node_is_all_that_leaves_before_accept() {
    let recorder = Recorder::start();
    let config = config(&format!("http://{}", recorder.address));
    let (client, node, listener) = client(PlainNode::default(), config);
    let request = fetch(&client, &lnurl("good")).unwrap();
    let again = fetch(&client, &lnurl("good")).unwrap();
    assert_eq!(again.request_id(), request.request_id());
    drop((request.snapshot(), format!("{request:?}")));
    client.check_peers();
    client.report_peer_connection(PEER.into(), true);
    client.report_incoming_channel(channel(ChannelStage::Proposed));
    client.report_channel_closed(PEER.into(), None, None);
    request.pause();
    assert_eq!(client.requests(), []);
    block_on(request.cancel()).unwrap();
    // Nothing can follow this.
    block_on(client.shutdown());

    let record = recorder.record();
    assert_eq!(record.connections, 1);
    let [head] = record.requests.as_slice() else {
        panic!("{record:?}");
    };
    let (first, headers) = head.trim_end().split_once("\r\n").unwrap();
    assert_eq!(
        first,
        format!("GET http://{ONION}/good?{LNURL_QUERY} HTTP/1.1")
    );
    let mut headers: Vec<String> = headers.split("\r\n").map(str::to_lowercase).collect();
    headers.sort();
    let host = format!("host: {ONION}");
    let expected = [
        "accept-encoding: identity",
        "accept: application/json",
        &host,
        "user-agent: lnurl-channel",
    ];
    assert_eq!(headers, expected);
    assert_eq!(node.called.all(), [], "the node was called");
    assert_eq!(listener.heard.all(), [], "nobody has agreed");
}

// ---- past the proxy ----

/// Listens where nothing may come.
struct Trap(TcpListener);

impl Trap {
    fn set() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    fn assert_untouched(&self) {
        let caught = self.0.accept().map_err(|error| error.kind());
        assert_eq!(caught.unwrap_err(), io::ErrorKind::WouldBlock);
    }
}

const SCHEMES: [&str; 3] = ["socks5h", "socks5", "http"];

/// All that makes a client with this proxy connect: two services behind it that it does not reach,
/// of which `near` would be found without it, and one that it does reach.
fn try_all(proxy: &str, near: &str) {
    let (client, ..) = client(PlainNode::default(), config(proxy));
    // The other is found by no resolver at all.
    for host in [near, "service.invalid:443"] {
        let error = fetch(&client, &format!("lnurlc://{host}/good")).unwrap_err();
        let is_proxys = matches!(error, LnurlChannelError::Unreachable { .. });
        assert!(is_proxys, "{proxy}: {error:?}");
    }
    let request = fetch(&client, &lnurl("good")).unwrap();
    let ended = accept(&request);
    assert!(
        matches!(ended, Err(LnurlChannelError::NoChannel { .. })),
        "{ended:?}"
    );
    block_on(request.cancel()).unwrap();
    block_on(client.shutdown());
}

#[test]
fn with_a_proxy_nothing_goes_around_it() {
    for scheme in SCHEMES {
        let (recorder, trap) = (Recorder::start(), Trap::set());
        let near = format!("localhost:{}", trap.port());
        try_all(&format!("{scheme}://{}", recorder.address), &near);

        trap.assert_untouched();
        let Record {
            asked,
            requests,
            connections,
        } = recorder.record();
        let onion = format!("{ONION}:80");
        let expected = [&near, "service.invalid:443", &onion, &onion, &onion];
        assert_eq!(asked, expected, "{scheme}");
        assert_eq!((requests.len(), connections), (3, 5), "{scheme}");
        assert!(requests[2].contains("cancel=1"), "{scheme}");
    }
}

/// As a name, `[2001:…]` would be looked up, and not be found.
#[test]
fn an_ipv6_address_is_one_to_the_proxy() {
    for scheme in SCHEMES {
        let recorder = Recorder::start();
        let proxy = format!("{scheme}://{}", recorder.address);
        let (client, ..) = client(PlainNode::default(), config(&proxy));
        for port in ["", ":8443"] {
            let lnurl = format!("lnurlc://[2001:4860:4860:0::8888]{port}/good");
            let error = fetch(&client, &lnurl).unwrap_err();
            let is_proxys = matches!(error, LnurlChannelError::Unreachable { .. });
            assert!(is_proxys, "{scheme}: {error:?}");
        }
        block_on(client.shutdown());
        let record = recorder.record();
        let expected = ["[2001:4860:4860::8888]:443", "[2001:4860:4860::8888]:8443"];
        assert_eq!(record.asked, expected, "{scheme}");
        assert_eq!(
            (record.requests.len(), record.connections),
            (0, 2),
            "{scheme}"
        );
    }
}

const CHILD_SERVICE: &str = "LNURL_CHANNEL_TEST_SERVICE";

/// Not a test of its own: `the_proxy_of_the_environment_is_not_used` runs this binary again, with
/// this name.
#[test]
fn child_without_proxy() {
    let Ok(service) = std::env::var(CHILD_SERVICE) else {
        return;
    };
    let config = ClientConfig {
        proxy: None,
        ..config("")
    };
    let (client, ..) = client(PlainNode::default(), config);
    let error = fetch(&client, &format!("lnurlc://{service}/good")).unwrap_err();
    let is_cut = matches!(error, LnurlChannelError::Unreachable { .. });
    assert!(is_cut, "{error:?}");
    let error = fetch(&client, &lnurl("good")).unwrap_err();
    let host = ONION.to_owned();
    assert_eq!(error, LnurlChannelError::TorRequired { host });
}

#[test]
fn the_proxy_of_the_environment_is_not_used() {
    let (service, trap) = (Recorder::start(), Trap::set());
    let proxy = format!("http://127.0.0.1:{}", trap.port());
    let names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];
    let names = names.map(|name| [name.to_owned(), name.to_lowercase()]);
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_without_proxy"])
        .env(CHILD_SERVICE, service.address.to_string())
        .envs(names.concat().into_iter().map(|name| (name, &proxy)))
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
    assert!(service.record().connections > 0);
    trap.assert_untouched();
}

// ---- in words ----

const CHILD_PROXY: &str = "LNURL_CHANNEL_TEST_PROXY";
const FLOWS: [(&str, &str); 22] = [
    ("fetch-error", "Refused"),
    ("fetch-tag", "InvalidResponse"),
    ("fetch-detail", "Refused"),
    ("fetch-page", "InvalidResponse"),
    ("fetch-uri", "InvalidResponse"),
    ("fetch-key", "InvalidResponse"),
    ("fetch-callback", "UnsafeUrl"),
    ("fetch-redirect", "UnsafeUrl"),
    ("callback-error", "Refused"),
    ("callback-status", "AnswerUnclear"),
    ("callback-detail", "AnswerUnclear"),
    ("callback-page", "AnswerUnclear"),
    ("callback-redirect", "AnswerUnclear"),
    ("no-channel", "NoChannel"),
    ("channel", "Funded"),
    ("channel-closed", "ProposalFailed"),
    ("node-fails", "NodeFailed"),
    ("node-throws", "NodeFailed"),
    ("node-has-no-list", "NodeFailed"),
    ("hosted-send-fails", "NodeFailed"),
    ("hosted-refuses", "Refused"),
    ("hosted-silent", "NoChannel"),
];

/// Not a test of its own: `nothing_shown_holds_a_secret` runs this binary again, with this name.
#[test]
fn child() {
    let Ok(proxy) = std::env::var(CHILD_PROXY) else {
        return;
    };
    std::thread::scope(|scope| {
        for (name, _) in FLOWS {
            scope.spawn(|| show(name, config(&proxy)));
        }
    });
}

/// Run a flow and print whatever of it can be shown.
fn show(name: &str, config: ClientConfig) {
    let folder = TempDir::new().unwrap();
    let config = ClientConfig {
        storage_dir: Some(folder.path().to_str().unwrap().to_owned()),
        ..config
    };
    let (client, _node, listener) = client(node(name), config);
    let request = match fetch(&client, &lnurl(name)) {
        Ok(request) => request,
        Err(error) => {
            println!("\nflow {name}: {error:?}; {error}");
            return;
        }
    };
    let reporting = report_when_awaited(name, &request, &client);
    let result = accept(&request);
    reporting.join().unwrap();
    println!("\nflow {name}: {result:?}");
    if let Err(error) = result {
        println!("{error}");
    }
    println!(
        "{request:?} {:?} {:?}",
        request.snapshot(),
        client.requests()
    );
    println!("{:?}", listener.heard.all());
    println!("{:?} {:?}", accept(&request), block_on(request.dismiss()));
    let again = fetch(&client, &lnurl(name));
    println!("{again:?} {:?}", block_on(request.cancel()));
    eprintln!("{:?} {:?}", request.snapshot(), client.requests());
}

fn node(name: &str) -> PlainNode {
    let failed = || WalletNodeError::Failed {
        reason: echo(FUNDED),
    };
    let mut node = PlainNode::default();
    match name {
        "node-fails" => node.connect = Box::new(move |_| Err(failed())),
        "node-throws" => {
            node.node_id = Box::new(|()| {
                Err(WalletNodeError::Unsupported {
                    reason: echo(FUNDED),
                })
            });
        }
        "node-has-no-list" => node.readiness = Box::new(move |_| Err(failed())),
        "hosted-send-fails" => {
            node.send = Box::new(|payload| {
                let reason = format!("{HOSTED_K1} in {}", hex::encode(payload));
                Err(WalletNodeError::Failed { reason })
            });
        }
        _ => {}
    }
    node
}

/// What the peer does once it is asked.
fn report_when_awaited(
    name: &str,
    request: &Arc<ChannelRequest>,
    client: &Arc<ChannelClient>,
) -> std::thread::JoinHandle<()> {
    let (name, request, client) = (name.to_owned(), request.clone(), client.clone());
    std::thread::spawn(move || {
        let wait = || wait_for_state(&request, ChannelRequestState::Awaiting);
        let report = |stage| println!("{:?}", client.report_incoming_channel(channel(stage)));
        match name.as_str() {
            "channel" => {
                wait();
                report(ChannelStage::Proposed);
                report(ChannelStage::Funded);
                report(ChannelStage::Ready);
            }
            "channel-closed" => {
                wait();
                report(ChannelStage::Proposed);
                let id = channel(ChannelStage::Proposed).channel_id;
                client.report_channel_closed(PEER.into(), id, Some(echo(FUNDED)));
            }
            "hosted-refuses" => {
                wait();
                let text = echo(HOSTED);
                let length = u16::try_from(text.len()).unwrap().to_be_bytes();
                let payload = [&[0; 32][..], &length, text.as_bytes()].concat();
                assert!(client.report_peer_message(PEER.into(), 63497, payload));
            }
            _ => {}
        }
    })
}

fn channel(stage: ChannelStage) -> IncomingChannel {
    wallet::channel(PEER, stage, &"ab".repeat(32))
}

#[test]
fn nothing_shown_holds_a_secret() {
    let recorder = Recorder::start();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(CHILD_PROXY, format!("http://{}", recorder.address))
        .env("RUST_LOG", "trace")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let shown = [child.stdout, child.stderr].concat();
    let shown = String::from_utf8_lossy(&shown);
    assert!(child.status.success(), "{shown}");
    for (name, end) in FLOWS {
        let line = shown
            .lines()
            .find(|line| line.starts_with(&format!("flow {name}: ")));
        let line = line.unwrap_or_else(|| panic!("{name} was not shown: {shown}"));
        assert!(line.contains(end), "{line}");
    }
    let lower = shown.to_lowercase();
    for secret in spellings(&[FUNDED, HOSTED].concat()) {
        let found = lower.find(&secret.to_lowercase());
        let around = found.map(|at| {
            let start = lower.floor_char_boundary(at.saturating_sub(200));
            &lower[start..lower.ceil_char_boundary(at + 200)]
        });
        assert_eq!(around, None, "{secret} is shown");
    }
    let masks = shown.matches('…').count();
    println!(
        "{} flows, {} characters, {masks} masks",
        FLOWS.len(),
        shown.len()
    );
    assert!(masks >= 500, "the secrets were not even echoed");
}
