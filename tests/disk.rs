//! A disk that is slow, and a record that cannot be read: a shim before the C library plays both.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::{Duration, Instant};

use lnurl_channel::{
    ChannelClient, ChannelRequest, ChannelStage, ChannelVerdict, ChannelVisibility, ClientConfig,
    LnurlChannelError,
};
use lnurl_channel_testbed::Testbed;
use tempfile::TempDir;

use support::block_on;
use support::c::compile;
use support::listener::Listener;
use support::plain::{PlainNode, PlainWallet};
use support::scene::{kept, patient_config};
use support::wallet::channel;

const FOLDER: &str = "DISK_FOLDER";
const FSYNC_MS: &str = "DISK_FSYNC_MS";
const UNREADABLE: &str = "DISK_UNREADABLE";

/// Run this binary again, with one test only, behind the shim.
fn behind_shim(test: &str, folder: &Path, name: &str, value: &str) -> Output {
    static SHIM: OnceLock<PathBuf> = OnceLock::new();
    let shim = SHIM.get_or_init(|| {
        let shim = Path::new(env!("CARGO_TARGET_TMPDIR")).join("disk-shim.so");
        compile("tests/shims/disk.c", &shim, &["-shared", "-fPIC"]);
        shim
    });
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env("LD_PRELOAD", shim)
        .env(FOLDER, folder)
        .env(name, value)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{child:?}");
    assert!(said.contains("1 passed"), "{test} is no test: {said}");
    child
}

/// As the system names it, for the shim compares.
fn folder_of(temporary: &TempDir) -> PathBuf {
    std::fs::canonicalize(temporary.path()).unwrap()
}

fn wallet_in(folder: &Path, listener: Listener) -> PlainWallet {
    PlainWallet::with(PlainNode::default(), listener, |testbed| {
        config(folder, testbed)
    })
}

fn config(folder: &Path, testbed: &Testbed) -> ClientConfig {
    ClientConfig {
        storage_dir: Some(folder.to_str().unwrap().to_owned()),
        ..patient_config(testbed)
    }
}

// ---- a slow disk ----

const WRITES: usize = 4;
const CALLS: usize = 1000;

/// What a screen reads, on which the main thread must not wait.
struct Screen {
    client: Weak<ChannelClient>,
    request: Arc<ChannelRequest>,
}

impl Screen {
    /// How long each of so many reads took.
    fn read(&self, times: usize) -> Vec<Duration> {
        let client = self.client.upgrade().unwrap();
        let reads = (0..times).map(|_| {
            let start = Instant::now();
            let shown = (self.request.snapshot(), client.requests());
            let took = start.elapsed();
            assert_eq!(shown.1.len(), 1);
            took
        });
        reads.collect()
    }
}

fn assert_no_wait(from: &str, mut reads: Vec<Duration>) {
    reads.sort();
    let (count, longest) = (reads.len(), reads[reads.len() - 1]);
    let at_99_percent = reads[count * 99 / 100];
    println!("{count} reads from {from}: 99 % within {at_99_percent:?}, all within {longest:?}");
    assert!(count >= CALLS, "{count}");
    assert!(
        at_99_percent < Duration::from_millis(1),
        "{at_99_percent:?}"
    );
}

/// Not a test of its own: the next one runs this binary again, with this name.
#[test]
fn child_with_a_slow_disk() {
    if std::env::var(FSYNC_MS).is_err() {
        return;
    }
    let folder = PathBuf::from(std::env::var(FOLDER).unwrap());
    let screen = Arc::new(OnceLock::<Screen>::new());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listener = {
        let (screen, heard) = (screen.clone(), heard.clone());
        Listener::that(move |_, _| {
            if let Some(screen) = screen.get() {
                let reads = screen.read(CALLS / WRITES);
                heard.lock().unwrap().extend(reads);
            }
            Ok(())
        })
    };
    let wallet = wallet_in(&folder, listener);
    let request = wallet.waiting(ChannelVisibility::Unannounced);
    let shown = Screen {
        client: Arc::downgrade(&wallet.client),
        request,
    };
    let screen = screen.get_or_init(|| shown);

    let start = Instant::now();
    let mut read = Vec::new();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 0..WRITES {
                let stranger = wallet.testbed.stranger().id();
                let funded = channel(&stranger, ChannelStage::Funded, &number.to_string());
                let verdict = wallet.report(funded);
                assert_eq!(verdict, ChannelVerdict::Unrequested);
                // The listener hears of this while the next one is written.
                let is_connected = number % 2 == 1;
                wallet
                    .client
                    .report_peer_connection(wallet.peer(), is_connected);
            }
        });
        while !writer.is_finished() {
            read.extend(screen.read(CALLS));
        }
    });
    let slow = Duration::from_millis(500) * WRITES as u32;
    assert!(start.elapsed() >= slow, "the disk is not slow");
    assert_no_wait("another thread", read);
    let heard = heard.lock().unwrap().clone();
    assert_no_wait("within the listener", heard);
}

#[test]
fn what_a_screen_reads_does_not_wait_for_a_disk_whose_fsync_takes_500_ms() {
    let folder = tempfile::tempdir().unwrap();
    let child = behind_shim(
        "child_with_a_slow_disk",
        &folder_of(&folder),
        FSYNC_MS,
        "500",
    );
    let said = String::from_utf8_lossy(&child.stdout).into_owned();
    for line in said.lines().filter(|line| line.contains(" reads from ")) {
        println!("{line}");
    }
}

// ---- a record that cannot be read ----

/// Not a test of its own: the next one runs this binary again, with this name.
#[test]
fn child_with_an_unreadable_record() {
    if std::env::var(UNREADABLE).is_err() {
        return;
    }
    let folder = PathBuf::from(std::env::var(FOLDER).unwrap());
    let testbed = Testbed::start().unwrap();
    let (node, listener) = (Arc::<PlainNode>::default(), Arc::<Listener>::default());
    let error = ChannelClient::new(
        Box::new(node),
        Box::new(listener),
        config(&folder, &testbed),
    )
    .err();
    let failed = matches!(error, Some(LnurlChannelError::StorageFailed { .. }));
    assert!(failed, "{error:?}");
}

/// A client that does not know what was asked would ask again.
#[test]
fn a_record_that_cannot_be_read_fails_the_client_and_is_left_alone() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = folder_of(&temporary);
    let wallet = wallet_in(&folder, Listener::default());
    let request = wallet.waiting(ChannelVisibility::Unannounced);
    // Of the peer's second channel, a verdict of its own is kept.
    wallet.fund("01");
    wallet.fund("02");
    block_on(wallet.client.shutdown());
    let names = [request.request_id(), wallet.peer()].map(|name| format!("{name}.json"));
    assert!(names.iter().all(|name| folder.join(name).exists()));
    for name in names {
        behind_shim(
            "child_with_an_unreadable_record",
            &folder,
            UNREADABLE,
            &name,
        );
    }
    let config = config(&folder, &wallet.testbed);
    let wallet = wallet.restart(config);
    assert_eq!(kept(&wallet.client), [request.request_id()]);
}
