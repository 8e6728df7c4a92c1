//! The whole flow of LUD-02, from the LNURL to the funded channel, side by side with the same two GETs
//! and the same connection without this library.

#[allow(dead_code, reason = "each bench uses its part")]
#[path = "support/delay.rs"]
mod delay;
#[allow(dead_code, reason = "each bench uses its part")]
#[path = "support/report.rs"]
mod report;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use lnurl_channel::{
    BitcoinNetwork, ChannelClient, ChannelListener, ChannelOutcome, ChannelRequestSnapshot,
    ChannelStage, ChannelStep, ChannelVerdict, ChannelVisibility, ClientConfig, IncomingChannel,
    NodeReadiness, PeerAddress, WalletNode, WalletNodeError, decode_lnurl, encode_lnurl,
};
use lnurl_channel_testbed::{Habit, Node, NodeEvent, OfferOptions, ServiceOffer, Testbed};
use report::{Report, goal, median, milliseconds};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use tokio::runtime::Runtime;

const FLOWS: usize = 101;
const DELAYED_FLOWS: usize = 15;
const DELAY: Duration = Duration::from_millis(50);

/// What the protocol needs, TCP, TLS 1.3 and BOLT-8 counted.
const ROUND_TRIPS: [(&str, u32); 4] = [
    ("the offer: TCP, TLS, GET", 3),
    (
        "the peer: TCP, two acts of the handshake, the third with both `init`",
        3,
    ),
    (
        "the callback: TCP, TLS, GET up to the service and `open_channel` back",
        3,
    ),
    (
        "the channel: `accept_channel`, and `funding_created` back",
        1,
    ),
];

const LIMIT: Duration = Duration::from_secs(10);
const OWN_SHARE: Duration = Duration::from_millis(5);

// ---- with this library ----

/// The testbed's node, as a wallet lends it.
struct LentNode {
    node: Node,
    /// Where the peer is reached instead.
    peer_port: Option<u16>,
}

impl WalletNode for LentNode {
    fn node_id(&self) -> Result<String, WalletNodeError> {
        Ok(self.node.id())
    }

    fn readiness(&self, peer: PeerAddress) -> Result<NodeReadiness, WalletNodeError> {
        Ok(NodeReadiness {
            channel_ids: self.node.channel_ids(&peer.node_id),
            ..NodeReadiness::default()
        })
    }

    fn connect(&self, peer: PeerAddress) -> Result<bool, WalletNodeError> {
        let port = self.peer_port.unwrap_or(peer.port);
        Ok(self.node.connect(&peer.node_id, &peer.host, port))
    }

    fn release_peer(&self, peer: PeerAddress) -> Result<(), WalletNodeError> {
        if self.node.channel_ids(&peer.node_id).is_empty() {
            self.node.disconnect(&peer.node_id);
        }
        Ok(())
    }

    fn send_peer_message(&self, _: String, _: u16, _: Vec<u8>) -> Result<bool, WalletNodeError> {
        Ok(false)
    }

    fn refund_script_pubkey(&self, _: String) -> Result<Vec<u8>, WalletNodeError> {
        Ok(Vec::new())
    }
}

struct DeafListener;

impl ChannelListener for DeafListener {
    fn on_request_changed(
        &self,
        _: ChannelRequestSnapshot,
        _: ChannelStep,
    ) -> Result<(), WalletNodeError> {
        Ok(())
    }
}

/// A wallet, and the thread that reports what its node shows.
struct Wallet {
    testbed: Testbed,
    client: Arc<ChannelClient>,
    runtime: Runtime,
    stop: Arc<AtomicBool>,
    pump: Option<JoinHandle<()>>,
}

impl Wallet {
    fn new(peer_port: impl FnOnce(&Testbed) -> Option<u16>) -> Self {
        let testbed = Testbed::start().expect("a testbed");
        let node = LentNode {
            node: testbed.wallet(),
            peer_port: peer_port(&testbed),
        };
        let config = ClientConfig {
            network: BitcoinNetwork::Regtest,
            extra_root_certificates: Some(testbed.service().ca_pem()),
            allow_private_hosts: true,
            ..ClientConfig::default()
        };
        let client = ChannelClient::new(Box::new(node), Box::new(DeafListener), config);
        let client = Arc::new(client.expect("a client"));
        let stop = Arc::new(AtomicBool::new(false));
        let (node, reports_to, stopped) = (testbed.wallet(), client.clone(), stop.clone());
        let pump = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                if let Some(event) = node.next_event(Duration::from_millis(100)) {
                    report_to(&reports_to, &node, event);
                }
            }
        });
        Self {
            testbed,
            client,
            runtime: runtime(),
            stop,
            pump: Some(pump),
        }
    }

    fn run(&self, lnurl: &str) -> Duration {
        let start = Instant::now();
        let outcome = self.runtime.block_on(async {
            let lnurl = decode_lnurl(lnurl.to_owned()).expect("an LNURL");
            let request = self.client.fetch(lnurl).await.expect("an offer");
            request.accept(ChannelVisibility::Unannounced).await
        });
        let took = start.elapsed();
        assert!(matches!(outcome, Ok(ChannelOutcome::Funded { .. })));
        took
    }
}

impl Drop for Wallet {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(pump) = self.pump.take() {
            let _ = pump.join();
        }
    }
}

/// Tell the client what the node shows, and follow its verdict.
fn report_to(client: &ChannelClient, node: &Node, event: NodeEvent) {
    match event {
        NodeEvent::OpenChannelRequest {
            peer_id,
            channel_id,
            capacity_sat,
            push_msat,
            is_announced,
            ..
        } => {
            let verdict = client.report_incoming_channel(IncomingChannel {
                capacity_sat: Some(capacity_sat),
                push_msat: Some(push_msat),
                is_announced: Some(is_announced),
                ..channel(&peer_id, ChannelStage::Proposed, &channel_id)
            });
            assert!(matches!(verdict, ChannelVerdict::Expected { .. }));
            node.accept_channel(&peer_id, &channel_id)
                .expect("it is proposed");
        }
        NodeEvent::ChannelPending {
            peer_id,
            channel_id,
            former_channel_id,
        } => {
            client.report_incoming_channel(IncomingChannel {
                former_channel_id,
                ..channel(&peer_id, ChannelStage::Funded, &channel_id)
            });
        }
        _ => {}
    }
}

fn channel(peer_id: &str, stage: ChannelStage, channel_id: &str) -> IncomingChannel {
    IncomingChannel {
        peer_id: peer_id.to_owned(),
        stage,
        channel_id: Some(channel_id.to_owned()),
        former_channel_id: None,
        capacity_sat: None,
        push_msat: None,
        is_announced: None,
        is_zero_conf: None,
        confirmations: None,
        confirmations_required: None,
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

// ---- without it ----

struct Bare {
    testbed: Testbed,
    http: reqwest::Client,
    runtime: Runtime,
}

impl Bare {
    fn new() -> Self {
        let testbed = Testbed::start().expect("a testbed");
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(&testbed))
            .http1_only()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .build()
            .expect("a client");
        Self {
            testbed,
            http,
            runtime: runtime(),
        }
    }

    fn run(&self, url: &str) -> Duration {
        let node = self.testbed.wallet();
        let start = Instant::now();
        self.runtime.block_on(async {
            let offer = self.get(url).await;
            let text = |key: &str| offer[key].as_str().expect("a text").to_owned();
            let (node_id, address) = self.peer(&text("uri"));
            let (host, port) = address;
            assert!(node.connect(&node_id, &host, port));
            let (callback, k1, own) = (text("callback"), text("k1"), node.id());
            self.get(&format!("{callback}?k1={k1}&remoteid={own}&private=1"))
                .await;
        });
        loop {
            match node.next_event(LIMIT).expect("a channel") {
                NodeEvent::OpenChannelRequest {
                    peer_id,
                    channel_id,
                    ..
                } => node
                    .accept_channel(&peer_id, &channel_id)
                    .expect("it is proposed"),
                NodeEvent::ChannelPending { .. } => return start.elapsed(),
                _ => {}
            }
        }
    }

    fn peer(&self, uri: &str) -> (String, (String, u16)) {
        let (node_id, address) = uri.split_once('@').expect("a node URI");
        let (host, port) = address.rsplit_once(':').expect("a port");
        let port = port.parse().expect("a port");
        (node_id.to_owned(), (host.to_owned(), port))
    }

    async fn get(&self, url: &str) -> Value {
        let response = self.http.get(url).send().await.expect("an answer");
        let body = response.bytes().await.expect("a body");
        serde_json::from_slice(&body).expect("JSON")
    }
}

fn tls(testbed: &Testbed) -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    let ca = testbed.service().ca_pem();
    let ca = CertificateDer::from_pem_slice(ca.as_bytes()).expect("PEM");
    roots.add(ca).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

// ---- side by side ----

fn offer(testbed: &Testbed, habits: &[Habit]) -> ServiceOffer {
    testbed.service().offer(OfferOptions {
        habits: habits.to_vec(),
        ..OfferOptions::default()
    })
}

/// Each flow has nodes and a client of its own: LDK offers an unfunded channel again after each
/// reconnect, and takes no more than a few.
fn on_loopback(report: &mut Report) {
    let mut counts = None;
    let (mut ours, mut theirs, mut shares) = (Vec::new(), Vec::new(), Vec::new());
    for flow in 0..=FLOWS {
        let wallet = Wallet::new(|_| None);
        let our_time = milliseconds(wallet.run(&offer(&wallet.testbed, &[]).lnurl));
        counts = Some(wallet.testbed.service().connection_counts());
        let bare = Bare::new();
        let their_time = milliseconds(bare.run(&offer(&bare.testbed, &[]).url));
        // The first one starts the library's thread.
        if flow > 0 {
            ours.push(our_time);
            theirs.push(their_time);
            shares.push(our_time - their_time);
        }
    }
    let share = median(shares);
    let limit = milliseconds(OWN_SHARE);
    report.title("The whole flow on loopback, until the channel is funded");
    report.table(
        ["flow", "ms", "goal"],
        &[
            [
                "bare reqwest and LDK".into(),
                format!("{:.2}", median(theirs)),
                String::new(),
            ],
            [
                "this library".into(),
                format!("{:.2}", median(ours)),
                String::new(),
            ],
            [
                format!("own share, median of {FLOWS} pairs"),
                format!("{share:.2}"),
                goal("under 5 ms", share < limit),
            ],
        ],
    );
    let counts = counts.expect("there were flows");
    let is_met = counts.tls_handshakes <= 2 && counts.tls_resumptions == 1;
    report.table(
        ["connections", "TLS handshakes", "of them resumed", "goal"],
        &[[
            counts.connections.to_string(),
            counts.tls_handshakes.to_string(),
            counts.tls_resumptions.to_string(),
            goal("at most two handshakes, the second resumed", is_met),
        ]],
    );
}

fn with_latency(report: &mut Report) {
    let flows = (0..DELAYED_FLOWS).map(|_| {
        let far = |testbed: &Testbed| Some(delay::delayed(testbed.target().address(), DELAY));
        let wallet = Wallet::new(far);
        let url = wallet.testbed.service().url();
        let near_port = url.rsplit(':').next().expect("a port");
        let address = format!("127.0.0.1:{near_port}")
            .parse()
            .expect("an address");
        let far_port = delay::delayed(address, DELAY).to_string();
        // A relative callback stays behind the delay.
        let offer = offer(&wallet.testbed, &[Habit::RelativeCallback]);
        let url = offer.url.replacen(near_port, &far_port, 1);
        milliseconds(wallet.run(&encode_lnurl(url).expect("a URL")))
    });
    let took = median(flows.collect());
    let round_trips: u32 = ROUND_TRIPS.iter().map(|(_, count)| count).sum();
    let needed = milliseconds(2 * DELAY * round_trips);
    let excess = (took / needed - 1.0) * 100.0;
    report.title("The flow with 50 ms of latency each way");
    let mut rows: Vec<_> = ROUND_TRIPS
        .iter()
        .map(|(what, count)| [(*what).to_owned(), count.to_string(), String::new()])
        .collect();
    rows.push([
        "their sum, ms".into(),
        format!("{needed:.0}"),
        String::new(),
    ]);
    rows.push([
        format!("the flow, ms, median of {DELAYED_FLOWS}"),
        format!("{took:.0}"),
        goal("within 5 %", excess.abs() <= 5.0) + &format!(" ({excess:+.1} %)"),
    ]);
    report.table(["what the protocol needs", "round trips", "goal"], &rows);
    report.paragraph(
        "The delay is a TCP proxy's. Loopback connects at once, so the proxy also holds back what is \
         sent before a TCP handshake would be over.",
    );
}

fn main() {
    let mut report = Report::new("flow");
    on_loopback(&mut report);
    with_latency(&mut report);
    report.write();
}
