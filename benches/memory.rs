//! What requests cost that are parked in the wait, all on one peer: memory, threads, processor time.
//!
//! Each figure comes from a process of its own, which this one starts: the same program, with a role.
//! The service is a third process, so that its memory is not counted.

#[path = "support/counting.rs"]
mod counting;
#[allow(dead_code, reason = "each bench uses its part")]
#[path = "support/report.rs"]
mod report;

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use lnurl_channel::{
    ChannelClient, ChannelListener, ChannelRequest, ChannelRequestSnapshot, ChannelRequestState,
    ChannelStep, ChannelVisibility, ClientConfig, NodeReadiness, PeerAddress, WalletNode,
    WalletNodeError, decode_lnurl,
};
use report::{Report, goal};
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

const COUNTS: [usize; 5] = [1, 10, 100, 1_000, 10_000];
const BYTES_PER_REQUEST: f64 = 4096.0;
/// Longer than any run: nobody gives up meanwhile.
const HOUR_SECONDS: u32 = 3600;
/// Requests under way at once, until they are parked.
const AT_ONCE: usize = 16;
const SAMPLES: usize = 200;
const SAMPLE_EVERY: Duration = Duration::from_millis(10);
const POLL: Duration = Duration::from_micros(200);
const LIMIT: Duration = Duration::from_secs(600);

const ROLE: &str = "MEMORY_BENCH_ROLE";
const PROXY: &str = "MEMORY_BENCH_PROXY";
const COUNT: &str = "MEMORY_BENCH_COUNT";

/// A published onion service's name, valid in every part. Nobody here connects to it.
const ONION: &str = "juhanurmihxlp77nkq76byazcldy2hlmovfu2epvl5ankdibsot4csyd.onion";
const NODE_ID: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
const PEER_ID: &str = "03864ef025fde8fb587d989186ce6a4a186895ee44a926bfc370e2c366597a3f8f";

// ---- the service ----

/// An onion service, and the proxy that leads to it: a plain proxy is sent whole requests, so it can
/// as well answer them. It agrees to all, and opens nothing. Ends with its standard input.
fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    for _ in 0..4 {
        let listener = listener.try_clone().expect("a listener");
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // What becomes of one connection concerns no other.
                let _ = answer(stream);
            }
        });
    }
    let _ = std::io::stdin().read(&mut [0]);
}

fn answer(stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    let path = line.split(' ').nth(1).unwrap_or_default();
    let path = path.trim_start_matches(&format!("http://{ONION}"));
    let body = match path.strip_prefix("/offer/") {
        Some(number) => json!({
            "tag": "channelRequest",
            "uri": format!("{PEER_ID}@74.108.13.152:9735"),
            "callback": format!("http://{ONION}/callback/{number}"),
            "k1": format!("{number:0>64}"),
        }),
        None => json!({"status": "OK"}),
    };
    let body = body.to_string();
    let length = body.len();
    write!(
        reader.get_mut(),
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

// ---- the parked requests ----

/// A node that is always connected, and counts.
#[derive(Default)]
struct TrivialNode {
    waiting: AtomicUsize,
    connects: AtomicUsize,
}

impl WalletNode for TrivialNode {
    fn node_id(&self) -> Result<String, WalletNodeError> {
        Ok(NODE_ID.to_owned())
    }

    fn readiness(&self, _: PeerAddress) -> Result<NodeReadiness, WalletNodeError> {
        Ok(NodeReadiness::default())
    }

    fn connect(&self, _: PeerAddress) -> Result<bool, WalletNodeError> {
        self.connects.fetch_add(1, Ordering::Relaxed);
        Ok(true)
    }

    fn release_peer(&self, _: PeerAddress) -> Result<(), WalletNodeError> {
        Ok(())
    }

    fn send_peer_message(&self, _: String, _: u16, _: Vec<u8>) -> Result<bool, WalletNodeError> {
        Ok(false)
    }

    fn refund_script_pubkey(&self, _: String) -> Result<Vec<u8>, WalletNodeError> {
        Ok(Vec::new())
    }
}

impl ChannelListener for TrivialNode {
    fn on_request_changed(
        &self,
        _: ChannelRequestSnapshot,
        step: ChannelStep,
    ) -> Result<(), WalletNodeError> {
        if step == ChannelStep::Agreed {
            self.waiting.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// A future that the wallet waits with. What its executor adds to it is the wallet's own affair.
type Call = Pin<Box<dyn Future<Output = ()>>>;

struct Wallet {
    node: Arc<TrivialNode>,
    client: Arc<ChannelClient>,
    requests: Vec<Arc<ChannelRequest>>,
    calls: Vec<Call>,
}

impl Wallet {
    fn new() -> Self {
        let node = Arc::new(TrivialNode::default());
        let config = ClientConfig {
            proxy: Some(format!("http://{}", env::var(PROXY).expect("an address"))),
            channel_timeout_seconds: HOUR_SECONDS,
            ..ClientConfig::default()
        };
        let client = ChannelClient::new(Box::new(node.clone()), Box::new(node.clone()), config)
            .expect("a client");
        Self {
            node,
            client: Arc::new(client),
            requests: Vec::new(),
            calls: Vec::new(),
        }
    }

    /// Park so many more.
    fn park(&mut self, count: usize) {
        let all = self.requests.len() + count;
        while self.requests.len() < all {
            let batch = AT_ONCE.min(all - self.requests.len());
            self.park_batch(batch);
        }
        let still = |request: &Arc<ChannelRequest>| {
            let snapshot = request.snapshot();
            snapshot.is_running && snapshot.state == ChannelRequestState::Awaiting
        };
        assert!(self.requests.iter().all(still), "all are parked");
    }

    fn park_batch(&mut self, count: usize) {
        let known = self.requests.len();
        let fetched = Arc::new(Mutex::new(Vec::new()));
        let fetches = (known..known + count).map(|number| {
            let (client, fetched) = (self.client.clone(), fetched.clone());
            let lnurl = decode_lnurl(format!("lnurlc://{ONION}/offer/{number}"));
            let lnurl = lnurl.expect("an LNURL");
            let fetch = async move {
                let request = client.fetch(lnurl).await.expect("an offer");
                fetched.lock().expect("no panic").push(request);
            };
            Box::pin(fetch) as Call
        });
        poll_until(&mut fetches.collect::<Vec<_>>(), || {
            fetched.lock().expect("no panic").len() == count
        });
        let fetched = std::mem::take(&mut *fetched.lock().expect("no panic"));
        let accepts = fetched.iter().map(|request| {
            let request = request.clone();
            let accept = async move {
                let outcome = request.accept(ChannelVisibility::Unannounced).await;
                assert!(outcome.is_err(), "nothing was to arrive: {outcome:?}");
            };
            Box::pin(accept) as Call
        });
        self.calls.extend(accepts);
        self.requests.extend(fetched);
        let all = self.requests.len();
        poll_until(&mut self.calls[known..], || {
            self.node.waiting.load(Ordering::Relaxed) == all
        });
    }
}

/// Poll again and again, which needs no executor: what is measured comes later.
fn poll_until(calls: &mut [Call], done: impl Fn() -> bool) {
    let start = Instant::now();
    let mut context = Context::from_waker(Waker::noop());
    let mut open: Vec<&mut Call> = calls.iter_mut().collect();
    while !done() {
        assert!(start.elapsed() < LIMIT, "they do not come so far");
        open.retain_mut(|call| call.as_mut().poll(&mut context).is_pending());
        std::thread::sleep(POLL);
    }
}

/// What stays allocated: the least within a while, since the upkeep of many never rests.
fn settled_heap() -> usize {
    let samples = (0..SAMPLES).map(|_| {
        std::thread::sleep(SAMPLE_EVERY);
        counting::live()
    });
    samples.min().expect("there are samples")
}

fn measure() {
    let count: usize = env::var(COUNT).expect("a count").parse().expect("a number");
    let mut wallet = Wallet::new();
    let threads_before = status("Threads");
    let idle = counting::live();
    // The first pays for what all share.
    wallet.park(1);
    let (heap, resident) = (settled_heap(), status("VmRSS"));
    wallet.park(count);
    // Before the figures are put together, which takes room too.
    let added = settled_heap() - heap;
    let figures = json!({
        "threads_before": threads_before,
        "idle": idle,
        "first": heap - idle,
        "heap": added,
        "resident": status("VmRSS").saturating_sub(resident) * 1024,
        "upkeep": upkeep(&wallet),
        "threads": status("Threads"),
    });
    println!("{figures}");
    // Dropping each of its futures would pause each request.
    std::process::exit(0);
}

/// What the wait itself costs over two of its intervals: `connect`s, and seconds of the processor.
fn upkeep(wallet: &Wallet) -> Value {
    let interval = Duration::from_secs(ClientConfig::default().reconnect_seconds.into());
    let connects = || wallet.node.connects.load(Ordering::Relaxed);
    let (connects_before, time_before) = (connects(), processor_time());
    std::thread::sleep(2 * interval);
    json!({
        "connects": connects() - connects_before,
        "seconds": (processor_time() - time_before).as_secs_f64(),
        "of_seconds": (2 * interval).as_secs(),
    })
}

/// A figure that Linux keeps of this process.
fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let value = line.and_then(|line| line.trim_start_matches(':').split_whitespace().next());
    value.and_then(|value| value.parse().ok()).expect(name)
}

/// Of all threads, those that have ended too, in Linux's ticks of 10 ms.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit(')').next().expect("a name in brackets");
    // The 14th and the 15th field, in user and in kernel mode; the name is the second.
    let fields = after_name.split_whitespace().skip(11).take(2);
    let ticks: u64 = fields
        .map(|field| field.parse::<u64>().expect("ticks"))
        .sum();
    Duration::from_millis(10 * ticks)
}

// ---- the figures ----

fn start(role: &str, variables: &[(&str, String)]) -> Child {
    let own = env::current_exe().expect("this program");
    let mut command = Command::new(own);
    command
        .env(ROLE, role)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command.envs(variables.iter().map(|(name, value)| (*name, value)));
    command.spawn().expect("a process of its own")
}

fn figures(count: usize, proxy: &str) -> Value {
    let variables = [(PROXY, proxy.to_owned()), (COUNT, count.to_string())];
    let output = start("measure", &variables).wait_with_output();
    let output = output.expect("its output");
    assert!(output.status.success(), "with {count}");
    serde_json::from_slice(&output.stdout).expect("figures")
}

fn compare() {
    let mut service = start("serve", &[]);
    let mut proxy = String::new();
    let stdout = service.stdout.take().expect("it is piped");
    BufReader::new(stdout)
        .read_line(&mut proxy)
        .expect("an address");
    let all = COUNTS.map(|count| (count, figures(count, proxy.trim())));
    service.kill().expect("the service is there");
    service.wait().expect("it ends");

    let number = |figures: &Value, name: &str| figures[name].as_f64().expect("a number");
    let rows = all.each_ref().map(|(count, figures)| {
        let requests = f64::from(u32::try_from(*count).expect("few"));
        let each = number(figures, "heap") / requests;
        let upkeep = &figures["upkeep"];
        [
            count.to_string(),
            format!("{each:.0}"),
            format!("{:.0}", number(figures, "resident") / requests),
            figures["threads"].to_string(),
            format!(
                "{} connects, {:.2} s of {} s",
                upkeep["connects"],
                number(upkeep, "seconds"),
                upkeep["of_seconds"]
            ),
            goal("under 4 KB of heap each", each < BYTES_PER_REQUEST),
        ]
    });
    let (_, figures) = &all[0];
    let mut report = Report::new("memory");
    report.title("Memory and threads");
    let alone = figures["threads_before"] == json!(1);
    report.table(
        ["before the first async call", "", "goal"],
        &[
            [
                "threads of the process".into(),
                figures["threads_before"].to_string(),
                goal("only the caller's own", alone),
            ],
            [
                "heap of the process with an idle client, bytes".into(),
                figures["idle"].to_string(),
                String::new(),
            ],
            [
                "heap that the first parked request adds, with all that is shared, bytes".into(),
                figures["first"].to_string(),
                String::new(),
            ],
        ],
    );
    report.table(
        [
            "requests parked besides the first",
            "heap each, bytes",
            "resident each, bytes",
            "threads of the process",
            "upkeep",
            "goal",
        ],
        &rows,
    );
    report.paragraph(
        "A single one finds room in the tables, and threads, that the first has made. Of several, each \
         adds a hundred bytes or more: for tables that grow, the library's and this bench's, and for \
         threads that have not ended yet.",
    );
    report.write();
}

fn main() {
    match env::var(ROLE).as_deref() {
        Ok("serve") => serve(),
        Ok("measure") => measure(),
        _ => compare(),
    }
}
