//! A thousand requests at once, each with a fault of its own: nothing is lost, and each ends as its
//! fault demands.

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use k256::PublicKey;
use lnurl_channel::{
    BitcoinNetwork, ChannelClient, ChannelConcern, ChannelOutcome, ChannelRequest,
    ChannelRequestState, ChannelStage, ChannelVisibility, ClientConfig, IncomingChannel,
    LnurlChannelError,
};
use support::crowd::{Random, all, memory};
use support::listener::Listener;
use support::plain::{PlainNode, expected};
use support::scene::{CallResult, state};
use support::{block_on, folder_in_memory, wallet};
use tempfile::TempDir;

const REQUESTS: usize = 1000;
const SEED: u64 = 0x1c4a_77e1;
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// All are waiting long before the first gives up.
const CHANNEL_TIMEOUT_SECONDS: u32 = 25;
const MAX_KIB_PER_REQUEST: u64 = 1024;

/// A published onion service's name, valid in every part. Nobody here connects to it.
const ONION: &str = "juhanurmihxlp77nkq76byazcldy2hlmovfu2epvl5ankdibsot4csyd.onion";

// ---- what goes wrong, and what is to become of it ----

/// What the service answers to the callback, and the peer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Fault {
    None,
    ChannelBeforeOk,
    ChannelAfterReset,
    OkWithoutChannel,
    Error,
    Silence,
    Reset,
    Html,
    CutShort,
}

use Fault::*;

const FAULTS: [Fault; 9] = [
    None,
    ChannelBeforeOk,
    ChannelAfterReset,
    OkWithoutChannel,
    Error,
    Silence,
    Reset,
    Html,
    CutShort,
];

impl Fault {
    /// What is written to the connection before it is closed.
    fn answer(self) -> &'static str {
        match self {
            None | ChannelBeforeOk | OkWithoutChannel => r#"{"status":"OK"}"#,
            Error => r#"{"status":"ERROR","reason":"no room"}"#,
            Html => "<html>Bad gateway</html>",
            CutShort => r#"{"status":"O"#,
            Silence | Reset | ChannelAfterReset => "",
        }
    }

    /// The state that the request ends in.
    fn end(self) -> ChannelRequestState {
        match self {
            None | ChannelBeforeOk | ChannelAfterReset => ChannelRequestState::Arrived,
            OkWithoutChannel => ChannelRequestState::Awaiting,
            Error => ChannelRequestState::Refused,
            Silence | Reset | Html | CutShort => ChannelRequestState::OutcomeUnknown,
        }
    }

    fn check_result(self, result: &CallResult, channel: &IncomingChannel) {
        use LnurlChannelError::{NoChannel, Refused};
        let is_unclear = |concerns: &[ChannelConcern]| {
            matches!(concerns, [ChannelConcern::AnswerUnclear { .. }])
        };
        let is_right = match (self.end(), result) {
            (ChannelRequestState::Arrived, Ok(ChannelOutcome::Funded { channel: arrived })) => {
                arrived == channel
            }
            (ChannelRequestState::Awaiting, Err(NoChannel { service_agreed, .. })) => {
                *service_agreed
            }
            (ChannelRequestState::OutcomeUnknown, Err(NoChannel { concerns, .. })) => {
                is_unclear(concerns)
            }
            (ChannelRequestState::Refused, Err(Refused { words })) => {
                words.as_deref() == Some("no room")
            }
            _ => false,
        };
        assert!(is_right, "{self:?} led to {result:?}");
    }
}

// ---- the service ----

/// An onion service, and the proxy that leads to it, on few threads: a plain proxy is sent whole
/// requests, so it can as well answer them. Each offer has a peer of its own, so that each channel
/// belongs to one request; the testbed's offers all name one node.
struct Service {
    address: SocketAddr,
    callbacks: mpsc::Receiver<Callback>,
}

/// The number of its offer, and its connection: nothing was read from it yet.
type Callback = (usize, TcpStream);

impl Service {
    fn start(peers: Arc<Vec<String>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, callbacks) = mpsc::channel();
        for _ in 0..4 {
            let (listener, peers) = (listener.try_clone().unwrap(), peers.clone());
            let sender = sender.clone();
            std::thread::spawn(move || {
                while let Ok((stream, _)) = listener.accept() {
                    // What becomes of one connection concerns no other.
                    let _ = serve(stream, &peers, &sender);
                }
            });
        }
        Self { address, callbacks }
    }
}

fn serve(
    mut stream: TcpStream,
    peers: &[String],
    callbacks: &mpsc::Sender<Callback>,
) -> io::Result<()> {
    stream.set_read_timeout(Some(TIME_LIMIT))?;
    let head = peek_head(&stream)?;
    let target = head.split(' ').nth(1).unwrap_or_default();
    let path = target.strip_prefix(&format!("http://{ONION}/"));
    let path = path.expect("a request for the service").to_owned();
    let number = |text: &str| text.split('?').next().and_then(|n| n.parse().ok()).unwrap();
    if let Some(rest) = path.strip_prefix("callback/") {
        // Once the test is over, nobody takes it.
        let _ = callbacks.send((number(rest), stream));
        return Ok(());
    }
    let number: usize = number(&path);
    stream.read_exact(&mut vec![0; head.len()])?;
    let offer = format!(
        r#"{{"tag":"channelRequest","uri":"{}@127.0.0.1:9735","callback":"/callback/{number}","k1":"{number}"}}"#,
        peers[number]
    );
    write_answer(&stream, offer.len(), &offer)
}

/// The head of a request, which stays unread.
fn peek_head(stream: &TcpStream) -> io::Result<String> {
    let mut bytes = [0; 4096];
    loop {
        let length = stream.peek(&mut bytes)?;
        let head = String::from_utf8_lossy(&bytes[..length]);
        if length == 0 || head.ends_with("\r\n\r\n") {
            return Ok(head.into_owned());
        }
        std::thread::yield_now();
    }
}

fn write_answer(mut stream: &TcpStream, length: usize, body: &str) -> io::Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes())
}

/// Answer a callback as `fault` demands. What is then closed with something unread is reset.
fn answer(stream: &TcpStream, fault: Fault) -> io::Result<()> {
    let body = fault.answer();
    if body.is_empty() {
        return Ok(());
    }
    let head = peek_head(stream)?;
    let mut reader = stream;
    reader.read_exact(&mut vec![0; head.len()])?;
    let missing = usize::from(fault == CutShort);
    write_answer(stream, body.len() + missing, body)
}

// ---- the crowd ----

/// As many keys on the curve.
fn keys(count: usize) -> Vec<String> {
    let candidates = (1_u64..).map(|n| [&[2; 1][..], &[0; 24], &n.to_be_bytes()].concat());
    let on_curve = candidates.filter(|key| PublicKey::from_sec1_bytes(key).is_ok());
    on_curve.take(count).map(hex::encode).collect()
}

fn channel(peer_id: &str) -> IncomingChannel {
    let id = format!("{}00", &peer_id[2..64]);
    wallet::channel(peer_id, ChannelStage::Funded, &id)
}

fn config(service: &Service, folder: &TempDir) -> ClientConfig {
    ClientConfig {
        network: BitcoinNetwork::Regtest,
        storage_dir: Some(folder.path().to_str().unwrap().to_owned()),
        proxy: Some(format!("http://{}", service.address)),
        allow_private_hosts: true,
        channel_timeout_seconds: CHANNEL_TIMEOUT_SECONDS,
        ..ClientConfig::default()
    }
}

fn fetch_all(client: &Arc<ChannelClient>) -> Vec<Arc<ChannelRequest>> {
    let fetches = (0..REQUESTS).map(|number| {
        let client = client.clone();
        let lnurl = lnurl_channel::decode_lnurl(format!("lnurlc://{ONION}/{number}")).unwrap();
        async move { client.fetch(lnurl).await.unwrap() }
    });
    block_on(all(fetches))
}

/// Report the channel of a request, which is expected.
fn report(client: &ChannelClient, request: &ChannelRequest) {
    let channel = channel(&request.snapshot().offer.peer.node_id);
    let verdict = client.report_incoming_channel(channel);
    assert_eq!(verdict, expected(request));
}

/// The callbacks of all requests, unanswered.
fn wait_for_callbacks(service: &Service, start: Instant) -> Vec<Callback> {
    let mut callbacks = Vec::new();
    while callbacks.len() < REQUESTS {
        let left = TIME_LIMIT.saturating_sub(start.elapsed());
        let callback = service.callbacks.recv_timeout(left);
        callbacks.push(callback.expect("all are asked in time"));
    }
    callbacks
}

/// Answer every callback; the connections that nothing is said on are given back.
fn answer_all(
    callbacks: Vec<Callback>,
    faults: &[Fault],
    report: impl Fn(usize),
) -> Vec<TcpStream> {
    let mut silent = Vec::new();
    for (number, stream) in callbacks {
        let fault = faults[number];
        if fault == ChannelBeforeOk {
            report(number);
        }
        // One whose call the channel has ended may be gone.
        let _ = answer(&stream, fault);
        if fault == Silence {
            silent.push(stream);
            continue;
        }
        drop(stream);
        if matches!(fault, None | ChannelAfterReset) {
            report(number);
        }
    }
    silent
}

#[test]
fn a_thousand_requests_at_once_end_as_their_faults_demand() {
    let start = Instant::now();
    let mut random = Random(SEED);
    let faults: Vec<Fault> = (0..REQUESTS)
        .map(|_| FAULTS[random.below(FAULTS.len())])
        .collect();
    let service = Service::start(Arc::new(keys(REQUESTS)));
    let folder = folder_in_memory();
    let open = || {
        let (node, listener) = (Arc::<PlainNode>::default(), Arc::<Listener>::default());
        let client = ChannelClient::new(
            Box::new(node),
            Box::new(listener),
            config(&service, &folder),
        );
        Arc::new(client.unwrap())
    };
    let client = open();
    let requests = fetch_all(&client);
    let fetched = start.elapsed();

    let before = memory("VmRSS");
    let calls: Vec<_> = requests.clone();
    let calls = calls.into_iter().map(accept);
    let calls = std::thread::spawn(move || block_on(all(calls)));
    let mut callbacks = wait_for_callbacks(&service, start);
    assert!(requests.iter().all(|r| r.snapshot().is_running));
    let asked = start.elapsed();
    let waiting = memory("VmRSS");

    random.shuffle(&mut callbacks);
    let silent = answer_all(callbacks, &faults, |n| report(&client, &requests[n]));
    let results = calls.join().unwrap();
    let ended = start.elapsed();
    drop(silent);

    for ((request, result), fault) in requests.iter().zip(&results).zip(&faults) {
        let peer_id = &request.snapshot().offer.peer.node_id;
        fault.check_result(result, &channel(peer_id));
        assert_eq!(state(request), fault.end(), "{fault:?}");
    }
    assert!(service.callbacks.try_recv().is_err(), "asked twice");

    block_on(client.shutdown());
    let reopened = open();
    let kept: BTreeMap<String, ChannelRequestState> = reopened
        .requests()
        .into_iter()
        .map(|request| (request.request_id, request.state))
        .collect();
    let ends: BTreeMap<String, ChannelRequestState> = requests
        .iter()
        .zip(&faults)
        .map(|(request, fault)| (request.request_id(), fault.end()))
        .collect();
    assert_eq!(kept, ends, "what the folder keeps");

    for fault in FAULTS {
        let count = faults.iter().filter(|f| **f == fault).count();
        println!("{count:4} {fault:?} ended as {:?}", fault.end());
    }
    println!(
        "seed {SEED:#x}; all fetched after {fetched:.1?}, asked after {asked:.1?}, ended after {ended:.1?}"
    );
    assert!(ended < TIME_LIMIT, "it took {ended:?}");
    if let (Some(before), Some(waiting), Some(peak)) = (before, waiting, memory("VmHWM")) {
        let each = waiting.saturating_sub(before) / REQUESTS as u64;
        println!(
            "memory, with the service's: {waiting} KiB while all wait, {each} KiB for each; peak \
             {peak} KiB, {} KiB for each",
            peak / REQUESTS as u64
        );
        assert!(peak / REQUESTS as u64 <= MAX_KIB_PER_REQUEST);
    }
}

async fn accept(request: Arc<ChannelRequest>) -> CallResult {
    request.accept(ChannelVisibility::Unannounced).await
}
