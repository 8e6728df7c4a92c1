//! How long things count (5b, 8): by a clock that nobody sets within a run, and without harm by one
//! that anybody may set between runs.

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use lnurl_channel::{
    ChannelRequest, ChannelStage, ChannelVerdict, ChannelVisibility, ClientConfig, IncomingChannel,
};
use lnurl_channel_testbed::{OfferOptions, Testbed};
use serde_json::Value;
use tempfile::TempDir;

use support::block_on;
use support::listener::Listener;
use support::plain::{PlainNode, PlainWallet, duplicate, expected, unwanted, wrong_visibility};
use support::scene::{accept, kept, patient_config};

use ChannelStage::{Funded, Proposed};
use ChannelVisibility::Unannounced;

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;
/// The first second of 2100.
const IN_2100: u64 = 4_102_444_800;

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap().as_secs()
}

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The user agreed, and the node did not connect.
    Accepted,
    Asked,
    /// Its channel is ready.
    Arrived,
    Refused,
    Cancelled,
}

impl Kind {
    const ALL: [Kind; 5] = [
        Kind::Accepted,
        Kind::Asked,
        Kind::Arrived,
        Kind::Refused,
        Kind::Cancelled,
    ];

    fn request(self, wallet: &PlainWallet) -> Arc<ChannelRequest> {
        match self {
            Kind::Accepted => {
                let request = wallet.offered(OfferOptions::default());
                accept(&request).unwrap_err();
                request
            }
            Kind::Asked => wallet.waiting(Unannounced),
            Kind::Arrived => {
                let request = wallet.arrived("f1");
                wallet.ready("f1");
                request
            }
            Kind::Refused => wallet.refused(),
            Kind::Cancelled => wallet.cancelled(),
        }
    }

    /// Where its record holds the times that ages go by.
    fn times(self) -> &'static [&'static str] {
        match self {
            Kind::Accepted => &["/at_seconds"],
            Kind::Asked => &["/contact/asked_at_seconds"],
            Kind::Arrived | Kind::Cancelled => &["/at_seconds", "/contact/asked_at_seconds"],
            Kind::Refused => &["/refusal/at_seconds", "/contact/asked_at_seconds"],
        }
    }
}

/// A wallet whose process has ended, with one request of a kind.
struct Ended {
    kind: Kind,
    request: Arc<ChannelRequest>,
    wallet: PlainWallet,
    folder: TempDir,
}

impl Ended {
    fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let node = PlainNode {
            connect: Box::new(move |_| Ok(kind != Kind::Accepted)),
            ..PlainNode::default()
        };
        let config = |testbed: &Testbed| config(&folder, testbed);
        let wallet = PlainWallet::with(node, Listener::default(), config);
        let request = kind.request(&wallet);
        block_on(wallet.client.shutdown());
        Self {
            kind,
            request,
            wallet,
            folder,
        }
    }

    fn path(&self) -> PathBuf {
        let name = format!("{}.json", self.request.request_id());
        self.folder.path().join(name)
    }

    fn record(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path()).unwrap()).unwrap()
    }

    fn set_times(&self, to: impl Fn(u64) -> u64) {
        let mut record = self.record();
        for time in self.kind.times() {
            let time = record.pointer_mut(time).unwrap();
            *time = to(time.as_u64().unwrap()).into();
        }
        fs::write(self.path(), record.to_string()).unwrap();
    }

    fn restart(self) -> Self {
        let config = config(&self.folder, &self.wallet.testbed);
        let wallet = self.wallet.restart(config);
        Self { wallet, ..self }
    }
}

fn config(folder: &TempDir, testbed: &Testbed) -> ClientConfig {
    ClientConfig {
        storage_dir: Some(folder.path().to_str().unwrap().to_owned()),
        ..patient_config(testbed)
    }
}

fn of_the_other_visibility(channel: IncomingChannel) -> IncomingChannel {
    IncomingChannel {
        is_announced: Some(true),
        ..channel
    }
}

// ---- ages ----

#[test]
fn verdicts_that_count_for_a_day_end_after_a_day() {
    type VerdictOf = fn(&ChannelRequest) -> ChannelVerdict;
    type Change = fn(IncomingChannel) -> IncomingChannel;
    let same: Change = |channel| channel;
    let other: Change = of_the_other_visibility;
    let rows: [(&str, Kind, ChannelStage, Change, VerdictOf); 9] = [
        ("P3", Kind::Refused, Proposed, same, expected),
        ("P4", Kind::Asked, Proposed, other, wrong_visibility),
        ("P5", Kind::Cancelled, Proposed, same, unwanted),
        ("P6", Kind::Arrived, Proposed, same, duplicate),
        ("F4", Kind::Refused, Funded, same, expected),
        ("F5", Kind::Asked, Funded, other, wrong_visibility),
        ("F6", Kind::Cancelled, Funded, same, unwanted),
        ("F7", Kind::Arrived, Funded, same, duplicate),
        ("F7", Kind::Arrived, Funded, other, duplicate),
    ];
    for (row, kind, stage, change, verdict) in rows {
        for (hours, counts) in [(23, true), (25, false)] {
            let ended = Ended::new(kind);
            ended.set_times(|time| time - hours * HOUR);
            let Ended {
                wallet, request, ..
            } = &ended.restart();
            let reported = wallet.report(change(wallet.channel(stage, "99")));
            let wanted = match counts {
                true => verdict(request),
                false => ChannelVerdict::Unrequested,
            };
            assert_eq!(reported, wanted, "{row} after {hours} hours");
        }
    }
}

#[test]
fn a_request_that_waits_does_so_for_ever() {
    let ended = Ended::new(Kind::Asked);
    ended.set_times(|time| time - 90 * DAY);
    let Ended {
        wallet, request, ..
    } = &ended.restart();
    assert_eq!(kept(&wallet.client), [request.request_id()]);
    assert_eq!(wallet.propose("01"), expected(request));
    assert_eq!(wallet.fund("01"), expected(request));
}

#[test]
fn an_end_is_kept_for_30_days_and_an_offer_that_was_accepted_for_one() {
    for (kind, days) in [
        (Kind::Accepted, 1),
        (Kind::Arrived, 30),
        (Kind::Refused, 30),
        (Kind::Cancelled, 30),
    ] {
        for (hours, is_kept) in [(days * 24 - 1, true), (days * 24 + 1, false)] {
            let ended = Ended::new(kind);
            ended.set_times(|time| time - hours * HOUR);
            let ended = ended.restart();
            let ids = kept(&ended.wallet.client);
            let what = format!("{kind:?} after {hours} hours");
            let id = ended.request.request_id();
            assert_eq!(ids.contains(&id), is_kept, "{what}");
            assert_eq!(ended.path().exists(), is_kept, "{what}");
        }
    }
}

// ---- clocks that are wrong ----

/// Where the shim finds what the clock shows.
const CLOCK_FILE: &str = "CLOCK_FILE";

/// Not a test of its own: the next one runs this binary again, with this name, behind a shim.
#[test]
fn child_whose_clock_is_set() {
    let Ok(clock) = std::env::var(CLOCK_FILE) else {
        return;
    };
    for wrong in [DAY, IN_2100] {
        let _ = fs::remove_file(&clock);
        let folder = tempfile::tempdir().unwrap();
        let config = |testbed: &Testbed| config(&folder, testbed);
        let wallet = PlainWallet::with(PlainNode::default(), Listener::default(), config);
        let request = wallet.waiting(Unannounced);
        let restarted = config(&wallet.testbed);
        fs::write(&clock, wrong.to_string()).unwrap();
        assert_eq!(now(), wrong, "the shim is in place");
        let other = |id| of_the_other_visibility(wallet.channel(Proposed, id));
        assert_eq!(wallet.report(other("01")), wrong_visibility(&request));
        block_on(request.cancel()).unwrap();
        assert_eq!(wallet.propose("02"), unwanted(&request), "while it runs");
        let wallet = wallet.restart(restarted.clone());
        assert_eq!(wallet.propose("03"), unwanted(&request), "at load");
        fs::remove_file(&clock).unwrap();
        assert_eq!(wallet.propose("04"), unwanted(&request), "set right");
        let wallet = wallet.restart(restarted);
        assert_eq!(wallet.propose("05"), unwanted(&request), "right at load");
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn a_clock_that_is_set_to_1970_or_2100_ends_nothing() {
    let shim = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clock-shim.so");
    support::c::compile("tests/shims/clock.c", &shim, &["-shared", "-fPIC"]);
    let folder = tempfile::tempdir().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_whose_clock_is_set"])
        .env("LD_PRELOAD", &shim)
        .env(CLOCK_FILE, folder.path().join("clock"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{child:?}");
    assert!(said.contains("1 passed"), "{said}");
}

#[test]
fn a_time_in_1970_or_in_2100_is_taken_as_now_and_stored() {
    for kind in Kind::ALL {
        for wrong in [0, 1, IN_2100, (1 << 53) - 1] {
            let start = now();
            let ended = Ended::new(kind);
            ended.set_times(|_| wrong);
            let ended = ended.restart();
            let Ended {
                wallet, request, ..
            } = &ended;
            let what = format!("{kind:?} at {wrong}");
            assert_eq!(kept(&wallet.client), [request.request_id()], "{what}");
            let record = ended.record();
            for time in kind.times() {
                let stored = record.pointer(time).unwrap().as_u64().unwrap();
                assert!(
                    (start..=now()).contains(&stored),
                    "{what}: {time} is {stored}"
                );
            }
            // It counts as if it had just happened.
            let verdict = wallet.propose("99");
            let wanted = match kind {
                Kind::Accepted => ChannelVerdict::Unrequested,
                Kind::Asked | Kind::Refused => expected(request),
                Kind::Arrived => duplicate(request),
                Kind::Cancelled => unwanted(request),
            };
            assert_eq!(verdict, wanted, "{what}");
        }
    }
}
