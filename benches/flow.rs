//! The whole flow of LUD-02, from the LNURL to the funded channel, side by side with the same two GETs
//! and the same connection without this library.

#[allow(dead_code, reason = "each bench uses its part")]
#[path = "support/delay.rs"]
mod delay;
#[allow(dead_code, reason = "each bench uses its part")]
#[path = "support/report.rs"]
mod report;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use lnurl_channel::{
    BitcoinNetwork, ChannelClient, ChannelListener, ChannelOutcome, ChannelRequestSnapshot,
    ChannelStage, ChannelStep, ChannelVerdict, ChannelVisibility, ClientConfig, IncomingChannel,
    NodeReadiness, PeerAddress, WalletNode, WalletNodeError, decode_lnurl, encode_lnurl,
};
use lnurl_channel_testbed::{Habit, Node, NodeEvent, OfferOptions, Over, ServiceOffer, Testbed};
use report::{Report, goal, median, milliseconds};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use tokio::runtime::Runtime;

const FLOWS: usize = 101;
/// A flow through the world, and what the protocol needs of it up to `open_channel`, one after the other.
struct Far {
    title: &'static str,
    flows: usize,
    /// Each way: to the peer, and to the service or the proxy.
    delay: Duration,
    is_over_socks: bool,
    round_trips: [(&'static str, u32); 3],
}

const DIRECT: Far = Far {
    title: "The flow with 50 ms of latency each way",
    flows: 15,
    delay: Duration::from_millis(50),
    is_over_socks: false,
    round_trips: [
        ("the offer: TCP, TLS, GET", 3),
        (
            "the peer: TCP, two acts of the handshake, the third with both `init`",
            3,
        ),
        (
            "the callback: TCP, TLS, GET up to the service and `open_channel` back",
            3,
        ),
    ],
};

/// The onion service speaks plain HTTP, as onion services do.
const OVER_SOCKS: Far = Far {
    title: "The flow to an onion service, with 300 ms each way to the SOCKS proxy and to the peer",
    flows: 7,
    delay: Duration::from_millis(300),
    is_over_socks: true,
    round_trips: [
        (
            "the offer: TCP, SOCKS greeting, credentials, request; GET",
            5,
        ),
        (
            "the peer: TCP, two acts of the handshake, the third with both `init`",
            3,
        ),
        (
            "the callback: as the offer, up to the service and `open_channel` back",
            5,
        ),
    ],
};

/// Of the round trips one after the other.
const SHARE_OF_SERIAL: f64 = 0.82;

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

/// Where a flow goes, if not straight to the peer and the service.
#[derive(Default)]
struct Ways {
    peer_port: Option<u16>,
    proxy: Option<String>,
}

impl Ways {
    fn far(testbed: &Testbed, far: &Far) -> Self {
        let proxy = far.is_over_socks.then(|| {
            let port = delay::delayed(testbed.proxy().address(), far.delay);
            format!("socks5h://127.0.0.1:{port}")
        });
        let peer_port = Some(delay::delayed(testbed.target().address(), far.delay));
        Self { peer_port, proxy }
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
    proposed_at: Arc<Mutex<Option<Instant>>>,
    stop: Arc<AtomicBool>,
    pump: Option<JoinHandle<()>>,
}

/// How long a flow took.
struct Took {
    until_proposed: Duration,
    until_funded: Duration,
}

impl Wallet {
    fn new(ways: impl FnOnce(&Testbed) -> Ways) -> Self {
        let testbed = Testbed::start().expect("a testbed");
        let ways = ways(&testbed);
        let node = LentNode {
            node: testbed.wallet(),
            peer_port: ways.peer_port,
        };
        let config = ClientConfig {
            network: BitcoinNetwork::Regtest,
            extra_root_certificates: Some(testbed.service().ca_pem()),
            allow_private_hosts: true,
            proxy: ways.proxy,
            ..ClientConfig::default()
        };
        let client = ChannelClient::new(Box::new(node), Box::new(DeafListener), config);
        let client = Arc::new(client.expect("a client"));
        let stop = Arc::new(AtomicBool::new(false));
        let proposed_at = Arc::<Mutex<Option<Instant>>>::default();
        let (node, reports_to, stopped) = (testbed.wallet(), client.clone(), stop.clone());
        let noted_at = proposed_at.clone();
        let pump = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                if let Some(event) = node.next_event(Duration::from_millis(100)) {
                    if matches!(event, NodeEvent::OpenChannelRequest { .. }) {
                        *noted_at.lock().expect("nothing panics") = Some(Instant::now());
                    }
                    report_to(&reports_to, &node, event);
                }
            }
        });
        Self {
            testbed,
            client,
            runtime: runtime(),
            proposed_at,
            stop,
            pump: Some(pump),
        }
    }

    fn run(&self, lnurl: &str) -> Took {
        let start = Instant::now();
        let outcome = self.runtime.block_on(async {
            let lnurl = decode_lnurl(lnurl.to_owned()).expect("an LNURL");
            let request = self.client.fetch(lnurl).await.expect("an offer");
            request.accept(ChannelVisibility::Unannounced).await
        });
        let until_funded = start.elapsed();
        assert!(matches!(outcome, Ok(ChannelOutcome::Funded { .. })));
        let proposed_at = self.proposed_at.lock().expect("nothing panics");
        Took {
            until_proposed: proposed_at.expect("it was proposed") - start,
            until_funded,
        }
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
    peer_port: Option<u16>,
    http: reqwest::Client,
    runtime: Runtime,
}

impl Bare {
    fn new(ways: impl FnOnce(&Testbed) -> Ways) -> Self {
        let testbed = Testbed::start().expect("a testbed");
        let ways = ways(&testbed);
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(&testbed))
            .http1_only()
            .pool_max_idle_per_host(0);
        let builder = match ways.proxy {
            // With credentials, as this library does.
            Some(proxy) => {
                let proxy = proxy.replacen("://", "://user:password@", 1);
                builder.proxy(reqwest::Proxy::all(proxy).expect("a proxy"))
            }
            None => builder.no_proxy(),
        };
        Self {
            testbed,
            peer_port: ways.peer_port,
            http: builder.build().expect("a client"),
            runtime: runtime(),
        }
    }

    /// One thing after the other.
    fn run(&self, url: &str) -> Took {
        let node = self.testbed.wallet();
        let start = Instant::now();
        self.runtime.block_on(async {
            let offer = self.get(url).await;
            let text = |key: &str| offer[key].as_str().expect("a text").to_owned();
            let (node_id, address) = self.peer(&text("uri"));
            let (host, port) = address;
            assert!(node.connect(&node_id, &host, self.peer_port.unwrap_or(port)));
            let (callback, k1, own) = (text("callback"), text("k1"), node.id());
            let url = url::Url::parse(url).expect("a URL");
            let callback = url.join(&callback).expect("a callback");
            let callback = format!("{callback}?k1={k1}&remoteid={own}&private=1");
            // The channel is what is awaited: the service may answer before it or after.
            let asked = tokio::spawn(self.http.get(callback).send());
            let arrived = tokio::task::spawn_blocking(move || arrival(&node, start));
            let took = arrived.await.expect("nothing panics");
            asked.abort();
            took
        })
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

/// When the channel is proposed, and when it is funded.
fn arrival(node: &Node, start: Instant) -> Took {
    let mut until_proposed = None;
    loop {
        match node.next_event(LIMIT).expect("a channel") {
            NodeEvent::OpenChannelRequest {
                peer_id,
                channel_id,
                ..
            } => {
                until_proposed = Some(start.elapsed());
                node.accept_channel(&peer_id, &channel_id)
                    .expect("it is proposed");
            }
            NodeEvent::ChannelPending { .. } => {
                return Took {
                    until_proposed: until_proposed.expect("it was proposed"),
                    until_funded: start.elapsed(),
                };
            }
            _ => {}
        }
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
        let straight = |_: &Testbed| Ways::default();
        let wallet = Wallet::new(straight);
        let our_time = wallet.run(&offer(&wallet.testbed, &[]).lnurl).until_funded;
        counts = Some(wallet.testbed.service().connection_counts());
        let bare = Bare::new(straight);
        let their_time = bare.run(&offer(&bare.testbed, &[]).url).until_funded;
        let (our_time, their_time) = (milliseconds(our_time), milliseconds(their_time));
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

/// The URL of an offer, behind the delay.
fn far_url(testbed: &Testbed, far: &Far) -> String {
    if far.is_over_socks {
        let over = Over::Onion;
        return testbed
            .service()
            .offer(OfferOptions {
                over,
                ..OfferOptions::default()
            })
            .url;
    }
    let url = testbed.service().url();
    let near_port = url.rsplit(':').next().expect("a port");
    let address = format!("127.0.0.1:{near_port}")
        .parse()
        .expect("an address");
    let far_port = delay::delayed(address, far.delay).to_string();
    // A relative callback stays behind the delay.
    let offer = offer(testbed, &[Habit::RelativeCallback]);
    offer.url.replacen(near_port, &far_port, 1)
}

fn with_latency(report: &mut Report, far: &Far) {
    let (mut ours, mut serial): (Vec<Took>, Vec<Took>) = (Vec::new(), Vec::new());
    for _ in 0..far.flows {
        let wallet = Wallet::new(|testbed| Ways::far(testbed, far));
        let url = far_url(&wallet.testbed, far);
        ours.push(wallet.run(&encode_lnurl(url).expect("a URL")));
        let bare = Bare::new(|testbed| Ways::far(testbed, far));
        serial.push(bare.run(&far_url(&bare.testbed, far)));
    }
    let mid = |flows: &[Took], until: fn(&Took) -> Duration| {
        median(flows.iter().map(until).map(milliseconds).collect())
    };
    let round_trips: u32 = far.round_trips.iter().map(|(_, count)| count).sum();
    let sum = milliseconds(2 * far.delay * round_trips);
    report.title(far.title);
    let mut rows: Vec<_> = far
        .round_trips
        .iter()
        .map(|(what, count)| [(*what).to_owned(), count.to_string()])
        .collect();
    rows.push([
        "all, one after the other: ms".into(),
        format!("{round_trips}: {sum:.0}"),
    ]);
    report.table(["what the protocol needs", "round trips"], &rows);
    let row = |what: &str, flows: &[Took], goal: String| {
        let proposed = mid(flows, |took| took.until_proposed);
        let funded = mid(flows, |took| took.until_funded);
        let share = proposed / sum;
        [
            what.to_owned(),
            format!("{proposed:.0}"),
            format!("{share:.3}"),
            format!("{funded:.0}"),
            goal,
        ]
    };
    let is_met = mid(&ours, |took| took.until_proposed) <= SHARE_OF_SERIAL * sum;
    let goal = goal(&format!("at most {SHARE_OF_SERIAL} of the sum"), is_met);
    report.table(
        [
            "flow, medians",
            "until `open_channel`, ms",
            "of the sum",
            "until funded, ms",
            "goal",
        ],
        &[
            row(
                "bare reqwest and LDK, one after the other",
                &serial,
                String::new(),
            ),
            row("this library", &ours, goal),
        ],
    );
    let flows = far.flows;
    report.paragraph(&format!(
        "{flows} flows of each, in turns. The delay is a TCP proxy's. Loopback connects at once, so the \
         proxy also holds back what is sent before a TCP handshake would be over."
    ));
}

fn main() {
    let mut report = Report::new("flow");
    on_loopback(&mut report);
    with_latency(&mut report, &DIRECT);
    with_latency(&mut report, &OVER_SOCKS);
    report.write();
}
