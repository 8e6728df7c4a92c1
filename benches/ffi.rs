//! What it costs to come from another language: loading the library, and the whole flow.
//!
//! `benches/run` builds the programs in those languages, and says in the environment how they start.

#[allow(dead_code, reason = "each bench uses its part")]
#[path = "support/report.rs"]
mod report;

use std::env;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Instant;

use lnurl_channel::{
    BitcoinNetwork, ChannelClient, ChannelListener, ChannelRequestSnapshot, ChannelStage,
    ChannelStep, ChannelVisibility, ClientConfig, IncomingChannel, NodeReadiness, PeerAddress,
    WalletNode, WalletNodeError, decode_lnurl,
};
use lnurl_channel_testbed::{Habit, OfferOptions, Testbed};
use report::{Report, goal, median};

/// How a program of `benches/kotlin` starts, without its class: `java -cp ...`.
const KOTLIN: &str = "BENCH_KOTLIN";
/// `benches/swift/time` and its programs: the library's, the empty one's, and the one with a client.
const SWIFT: &str = "BENCH_SWIFT";

const LOADS: usize = 21;
const FLOWS: usize = 201;
/// Of the JVM: it compiles what it runs often.
const WARM_UP_FLOWS: usize = 300;

const LOAD_GOAL: f64 = 1.5;
const NODE_ID: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

// ---- loading ----

fn from_environment(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run benches/run"))
}

/// In the repository's folder, as `benches/run` names its programs.
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]);
    shell.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    shell
}

fn output_of(command: &str) -> String {
    let output = shell(command).output().expect("a shell");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

/// Milliseconds of one round, side by side.
struct Load {
    library: f64,
    empty: f64,
    /// The library's first call, and a client.
    client: f64,
}

fn kotlin_loads() -> Vec<Load> {
    let load = |which: &str| {
        let output = output_of(&format!(
            "{} bench.LoadKt {which}",
            from_environment(KOTLIN)
        ));
        milliseconds_of(output.trim())
    };
    (0..LOADS)
        .map(|_| Load {
            library: load("library"),
            empty: load("empty"),
            client: load("client"),
        })
        .collect()
}

fn swift_loads() -> Vec<Load> {
    let command = from_environment(SWIFT).replacen("ROUNDS", &LOADS.to_string(), 1);
    let output = output_of(&command);
    let rounds = output.lines().map(|line| {
        let figures: Vec<f64> = line.split(' ').map(milliseconds_of).collect();
        let [library, empty, client] = figures[..] else {
            panic!("three figures, not {line}");
        };
        Load {
            library,
            empty,
            client,
        }
    });
    rounds.collect()
}

fn milliseconds_of(microseconds: &str) -> f64 {
    microseconds.parse::<f64>().expect("microseconds") / 1000.0
}

fn loading(report: &mut Report) {
    let row = |what: &str, loads: Vec<Load>| {
        let ratio = median(loads.iter().map(|load| load.library / load.empty).collect());
        let of =
            |figure: fn(&Load) -> f64| format!("{:.1}", median(loads.iter().map(figure).collect()));
        [
            what.to_owned(),
            of(|load| load.library),
            of(|load| load.empty),
            format!("{ratio:.2}"),
            goal("within 1.5 times", ratio <= LOAD_GOAL),
            of(|load| load.client),
        ]
    };
    report.title("Loading the library, and its first call");
    report.table(
        [
            "from",
            "this library, ms",
            "an empty UniFFI library, ms",
            "ratio",
            "goal",
            "with a client in memory, ms",
        ],
        &[
            row("Kotlin, within a new JVM", kotlin_loads()),
            row("Swift, a whole process", swift_loads()),
        ],
    );
}

// ---- the flow ----

/// Speaks no Lightning: it reports a channel as soon as one is awaited. As in benches/kotlin.
#[derive(Default)]
struct ReportingNode {
    client: OnceLock<Weak<ChannelClient>>,
    channels: AtomicUsize,
}

impl WalletNode for ReportingNode {
    fn node_id(&self) -> Result<String, WalletNodeError> {
        Ok(NODE_ID.to_owned())
    }

    fn readiness(&self, _: PeerAddress) -> Result<NodeReadiness, WalletNodeError> {
        Ok(NodeReadiness::default())
    }

    fn connect(&self, _: PeerAddress) -> Result<bool, WalletNodeError> {
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

impl ChannelListener for ReportingNode {
    fn on_request_changed(
        &self,
        request: ChannelRequestSnapshot,
        step: ChannelStep,
    ) -> Result<(), WalletNodeError> {
        if step != ChannelStep::Agreed {
            return Ok(());
        }
        if let Some(client) = self.client.get().and_then(Weak::upgrade) {
            let number = 1 + self.channels.fetch_add(1, Ordering::Relaxed);
            client.report_incoming_channel(IncomingChannel {
                peer_id: request.offer.peer.node_id,
                stage: ChannelStage::Funded,
                channel_id: Some(format!("{number:064x}")),
                former_channel_id: None,
                capacity_sat: None,
                push_msat: None,
                is_announced: None,
                is_zero_conf: None,
                confirmations: None,
                confirmations_required: None,
            });
        }
        Ok(())
    }
}

struct FromRust {
    client: Arc<ChannelClient>,
    runtime: tokio::runtime::Runtime,
}

impl FromRust {
    fn new(testbed: &Testbed) -> Self {
        let node = Arc::new(ReportingNode::default());
        let config = ClientConfig {
            network: BitcoinNetwork::Regtest,
            extra_root_certificates: Some(testbed.service().ca_pem()),
            allow_private_hosts: true,
            ..ClientConfig::default()
        };
        let client = ChannelClient::new(Box::new(node.clone()), Box::new(node.clone()), config);
        let client = Arc::new(client.expect("a client"));
        assert!(node.client.set(Arc::downgrade(&client)).is_ok());
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        Self {
            client,
            runtime: runtime.expect("a runtime"),
        }
    }

    fn run(&self, lnurl: &str) -> f64 {
        let start = Instant::now();
        let outcome = self.runtime.block_on(async {
            let lnurl = decode_lnurl(lnurl.to_owned()).expect("an LNURL");
            let request = self.client.fetch(lnurl).await.expect("an offer");
            request.accept(ChannelVisibility::Unannounced).await
        });
        let took = start.elapsed();
        assert!(outcome.is_ok(), "{outcome:?}");
        report::milliseconds(took)
    }
}

/// The same in a JVM, which takes an LNURL per line.
struct FromKotlin {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl FromKotlin {
    fn new(testbed: &Testbed, ca_file: &std::path::Path) -> Self {
        std::fs::write(ca_file, testbed.service().ca_pem()).expect("a file");
        let mut command = from_environment(KOTLIN);
        write!(command, " bench.FlowKt {}", ca_file.display()).expect("text grows");
        let mut process = shell(&command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        Self {
            input: process.stdin.take().expect("it is piped"),
            output: BufReader::new(process.stdout.take().expect("it is piped")),
            process,
        }
    }

    fn run(&mut self, lnurl: &str) -> f64 {
        writeln!(self.input, "{lnurl}").expect("it listens");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it answers");
        line.trim().parse::<f64>().expect("nanoseconds") / 1e6
    }
}

impl Drop for FromKotlin {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn flow(report: &mut Report) {
    let testbed = Testbed::start().expect("a testbed");
    let folder = tempfile::tempdir().expect("a folder");
    let rust = FromRust::new(&testbed);
    let mut kotlin = FromKotlin::new(&testbed, &folder.path().join("ca.pem"));
    let offer = || {
        let habits = vec![Habit::OkAndNeverOpens];
        let options = OfferOptions {
            habits,
            ..OfferOptions::default()
        };
        testbed.service().offer(options).lnurl
    };
    for _ in 0..WARM_UP_FLOWS {
        rust.run(&offer());
        kotlin.run(&offer());
    }
    let pairs: Vec<(f64, f64)> = (0..FLOWS)
        .map(|_| (rust.run(&offer()), kotlin.run(&offer())))
        .collect();
    let of = |figure: fn(&(f64, f64)) -> f64| {
        format!("{:.2}", median(pairs.iter().map(figure).collect()))
    };
    report.title("A full flow from Kotlin and from Rust");
    report.table(
        ["from", "ms"],
        &[
            ["Rust".into(), of(|(rust, _)| *rust)],
            ["Kotlin on the JVM".into(), of(|(_, kotlin)| *kotlin)],
            [
                format!("the difference, median of {FLOWS} pairs"),
                of(|(rust, kotlin)| kotlin - rust),
            ],
        ],
    );
    report.paragraph(
        "Two GETs over TLS on loopback, four calls of the node, a call of the listener for each step, one \
         report from within one of them; the wallet's node speaks no Lightning, and the channel is \
         reported at once.",
    );
}

fn main() {
    let mut report = Report::new("ffi");
    loading(&mut report);
    flow(&mut report);
    report.write();
}
