//! Decoding LNURLs and reading offers, side by side with the bare decoder and with what others use.

#[path = "support/bare_decoder.rs"]
mod bare_decoder;
#[allow(dead_code, reason = "each bench uses its part")]
#[path = "support/report.rs"]
mod report;

use std::hint::black_box;
use std::process::Command;
use std::str::FromStr;
use std::time::Duration;

use criterion::Criterion;
use lnurl_channel_core::protocol::{self, PeerPolicy, Secrets};
use report::{Report, goal, median};
use serde_json::Value;
use tempfile::TempDir;
use url::Url;

/// Each is measured this often, in turn with the others, so that a busy moment strikes all.
const ROUNDS: usize = 9;
const SAMPLES: usize = 20;
const WARM_UP: Duration = Duration::from_millis(100);
const MEASUREMENT: Duration = Duration::from_millis(300);

const URL_OF_156: &str =
    "https://service.com/api?q=3fc3645b439ce8e7f2553a69e5267081d96dcd340693afabe04be7b0ccd178df";
/// The longest that `lnurl-rs` decodes has 1023 characters.
const BYTES_OF_972: usize = 600;

const OFFER: &str = r#"{"uri":"03864ef025fde8fb587d989186ce6a4a186895ee44a926bfc370e2c366597a3f8f@74.108.13.152:9735","callback":"https://service.com/channel/callback?session=5d41402abc4b2a76","k1":"8b1a9953c4611296a827abf8c47804d7e8f1b5a2c3d4e5f60718293a4b5c6d7e","tag":"channelRequest"}"#;

/// Criterion's medians, in nanoseconds.
struct Stopwatch {
    criterion: Criterion,
    folder: TempDir,
    measured: usize,
}

impl Stopwatch {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for criterion");
        let criterion = Criterion::default()
            .output_directory(folder.path())
            .sample_size(SAMPLES)
            .warm_up_time(WARM_UP)
            .measurement_time(MEASUREMENT)
            .without_plots();
        Self {
            criterion,
            folder,
            measured: 0,
        }
    }

    /// The figures of each, round by round.
    fn side_by_side(&mut self, each: &[&dyn Fn()]) -> Vec<Vec<f64>> {
        let mut figures = vec![Vec::new(); each.len()];
        for _ in 0..ROUNDS {
            for (figures, run) in figures.iter_mut().zip(each) {
                figures.push(self.measure(run));
            }
        }
        figures
    }

    fn measure(&mut self, run: &dyn Fn()) -> f64 {
        self.measured += 1;
        let name = self.measured.to_string();
        self.criterion
            .bench_function(&name, |bencher| bencher.iter(run));
        let path = self.folder.path().join(&name).join("new/estimates.json");
        let estimates = std::fs::read(path).expect("criterion leaves its estimates");
        let estimates: Value = serde_json::from_slice(&estimates).expect("they are JSON");
        estimates["median"]["point_estimate"]
            .as_f64()
            .expect("a median")
    }
}

/// How many times as long as `yardstick` it takes: the median over the rounds.
fn ratio(figures: &[f64], yardstick: &[f64]) -> f64 {
    let ratios = figures.iter().zip(yardstick).map(|(a, b)| a / b);
    median(ratios.collect())
}

/// An interpreter and the script beside this file that it runs.
struct Script {
    library: &'static str,
    interpreter: String,
    path: &'static str,
}

impl Script {
    fn js_lnurl() -> Self {
        Self {
            library: "js-lnurl",
            interpreter: std::env::var("BENCH_NODE").unwrap_or("node".into()),
            path: "js/decode.js",
        }
    }

    fn pypi_lnurl() -> Self {
        Self {
            library: "PyPI lnurl",
            interpreter: std::env::var("BENCH_PYTHON").unwrap_or("python3".into()),
            path: "python/decode.py",
        }
    }

    /// Its version, and its figure for each LNURL.
    fn run(&self, lnurls: &[&str]) -> (String, Vec<f64>) {
        let mut command = Command::new(&self.interpreter);
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        command.arg(self.path).args(lnurls).arg(SAMPLES.to_string());
        let output = command.output().expect("the interpreter starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {errors}", self.path);
        let text = String::from_utf8(output.stdout).expect("text");
        let mut lines = text.lines();
        let version = lines.next().expect("a version").to_owned();
        let figures = lines.map(|line| line.parse().expect("a figure"));
        (version, figures.collect())
    }
}

fn decoding(stopwatch: &mut Stopwatch, report: &mut Report) {
    let query = "0123456789abcdef".repeat(BYTES_OF_972);
    let long_url = &format!("https://service.com/api?q={query}")[..BYTES_OF_972];
    let [short, long] = [URL_OF_156, long_url].map(|url| protocol::encode(url).expect("a URL"));
    assert_eq!([short.len(), long.len()], [156, 972]);
    let lnurls = [short.as_str(), long.as_str()];

    let scripts = [Script::js_lnurl(), Script::pypi_lnurl()];
    let scripted: Vec<_> = scripts
        .iter()
        .map(|script| (script, script.run(&lnurls)))
        .collect();

    let mut rows = Vec::new();
    for (at, lnurl) in lnurls.into_iter().enumerate() {
        let ours = || drop(black_box(protocol::lnurl::decode_bech32(black_box(lnurl))));
        let with_url = || drop(black_box(protocol::decode(black_box(lnurl))));
        let bare = || drop(black_box(bare_decoder::decode(black_box(lnurl))));
        let lnurl_rs = || drop(black_box(lnurl::lnurl::LnUrl::from_str(black_box(lnurl))));
        let expected = [URL_OF_156, long_url][at];
        assert_eq!(
            protocol::lnurl::decode_bech32(lnurl).as_deref(),
            Ok(expected)
        );
        assert_eq!(bare_decoder::decode(lnurl).as_deref(), Some(expected));
        let theirs = lnurl::lnurl::LnUrl::from_str(lnurl).map(|lnurl| lnurl.url);
        assert_eq!(theirs.ok().as_deref(), Some(expected));

        let figures = stopwatch.side_by_side(&[&ours, &bare, &lnurl_rs, &with_url]);
        let [ours, bare, lnurl_rs, with_url] = &figures[..] else {
            unreachable!("as many as were measured");
        };
        let (to_bare, to_lnurl_rs) = (ratio(ours, bare), ratio(lnurl_rs, ours));
        let mut row = |what: String, nanoseconds: f64, ratio: f64, goal: String| {
            let length = lnurl.len().to_string();
            rows.push([
                length,
                what,
                figure(nanoseconds),
                format!("{ratio:.2}"),
                goal,
            ]);
        };
        let own = median(ours.clone());
        row("this library".into(), own, 1.0, String::new());
        let at_most = goal("at most 1.3 times the bare decoder", to_bare <= 1.3);
        row(
            "bare decoder".into(),
            median(bare.clone()),
            1.0 / to_bare,
            at_most,
        );
        let at_least = goal("at least 3 times as fast", to_lnurl_rs >= 3.0);
        row(
            "lnurl-rs 0.10.0".into(),
            median(lnurl_rs.clone()),
            to_lnurl_rs,
            at_least,
        );
        for (script, (version, figures)) in &scripted {
            let faster = figures[at] / own;
            let goal = goal("at least 3 times as fast", faster >= 3.0);
            row(
                format!("{} {version}", script.library),
                figures[at],
                faster,
                goal,
            );
        }
        let parsed = ratio(with_url, ours);
        row(
            "this library, URL parser and policy included".into(),
            median(with_url.clone()),
            parsed,
            String::new(),
        );
    }
    report.title("Decoding an LNURL");
    report.table(["characters", "by", "ns", "times ours", "goal"], &rows);
    report.paragraph(
        "All Rust is compiled for size, as the library ships, but crate by crate (profile `bench`). The \
         scripts run before the rest, each decode without a URL parser.",
    );
}

fn offers(stopwatch: &mut Stopwatch, report: &mut Report) {
    let url = Url::parse(URL_OF_156).expect("a URL");
    let lnurl = protocol::Lnurl::from_url(URL_OF_156).expect("an LNURL");
    let peers = PeerPolicy {
        allow_private_hosts: false,
        has_proxy: false,
    };
    let parse = || protocol::parse_offer(black_box(OFFER).as_bytes(), 200, &lnurl, &url, peers);
    let theirs = || lnurl::api::decode_ln_url_response(black_box(OFFER));
    let node_id = &OFFER[8..74];
    let on_curve = || protocol::check_node_id(black_box(node_id));
    assert!(parse().is_ok() && theirs().is_ok() && on_curve().is_ok());

    let figures = stopwatch.side_by_side(&[
        &|| drop(black_box(parse())),
        &|| drop(black_box(theirs())),
        &|| drop(black_box(on_curve())),
    ]);
    let [ours, lnurl_rs, curve] = &figures[..] else {
        unreachable!("as many as were measured");
    };
    let to_lnurl_rs = ratio(ours, lnurl_rs);
    let rest: Vec<f64> = ours
        .iter()
        .zip(curve)
        .map(|(all, curve)| all - curve)
        .collect();
    let row = |what: &str, figures: &[f64], goal: String| {
        let to_theirs = format!("{:.2}", ratio(figures, lnurl_rs));
        [
            what.to_owned(),
            figure(median(figures.to_vec())),
            to_theirs,
            goal,
        ]
    };
    report.title("Reading an offer");
    report.table(
        ["by", "ns", "times lnurl-rs", "goal"],
        &[
            row(
                "lnurl-rs 0.10.0: the JSON, four strings",
                lnurl_rs,
                String::new(),
            ),
            row("this library", ours, goal("not slower", to_lnurl_rs <= 1.0)),
            row(
                "of it: is the peer's key on the curve?",
                curve,
                String::new(),
            ),
            row("of it: all the rest", &rest, String::new()),
        ],
    );
    report.paragraph(
        "The gap is what `lnurl-rs` does not do: it takes the four strings as they are. Here the key is \
         checked to be on the curve, which takes arithmetic with numbers of 256 bits; the callback is resolved and parsed, and \
         held against the policy, as the peer's host is; keys that stand twice are refused.",
    );
}

/// A service chooses both the text and its secrets, and must not keep the wallet busy.
fn hostile_words(stopwatch: &mut Stopwatch, report: &mut Report) {
    let long = "a".repeat(1000);
    let similar = (0..64).map(|number| format!("{}{number}b{long}", "a".repeat(number)));
    let secrets = similar.fold(Secrets::new(None, None, None), |all, one| all.and(&one));
    let text = "a".repeat(64 << 10);
    let show = || protocol::presentable(black_box(&text), &secrets, 500);
    assert!(show().chars().count() <= 500);
    let figures = stopwatch.side_by_side(&[&|| drop(black_box(show()))]);
    let took = median(figures[0].clone()) / 1e6;
    report.title("Cleaning and searching what a hostile service says");
    report.table(
        ["text", "secrets", "ms", "goal"],
        &[[
            "64 KiB of one letter".into(),
            "64 of 1,000 characters that begin with it".into(),
            format!("{took:.2}"),
            goal("under 20 ms", took < 20.0),
        ]],
    );
}

fn figure(nanoseconds: f64) -> String {
    format!("{nanoseconds:.0}")
}

fn main() {
    let mut stopwatch = Stopwatch::new();
    let mut report = Report::new("decode");
    decoding(&mut stopwatch, &mut report);
    offers(&mut stopwatch, &mut report);
    hostile_words(&mut stopwatch, &mut report);
    report.write();
}
