//! The folder on disk: who may read it, what stands in it, and what happens when it fails.

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lnurl_channel::{
    BitcoinNetwork, ChannelClient, ChannelRequest, ChannelRequestState, ChannelStage,
    ChannelVerdict, ChannelVisibility, ClientConfig, LnurlChannelError,
};
use lnurl_channel_testbed::{Habit, OfferOptions, Testbed};
use serde_json::Value;
use tempfile::TempDir;

use support::block_on;
use support::listener::Listener;
use support::plain::{Gate, NODE_ID, PlainNode, PlainScene, PlainWallet, expected, shown};
use support::scene::{
    CallResult, accept, fetch, funded_channel, habits, hasty_config, hosted, kept, patient_config,
    start_accept, state, wait_for_state,
};
use support::wallet::channel;

/// A folder that a client uses, inside one that it does not know.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("requests")
    }

    fn config(&self, testbed: &Testbed) -> ClientConfig {
        ClientConfig {
            storage_dir: Some(self.path().to_str().unwrap().to_owned()),
            ..patient_config(testbed)
        }
    }

    fn open(&self, testbed: &Testbed) -> Result<Arc<ChannelClient>, LnurlChannelError> {
        open(self.config(testbed))
    }

    /// The names of all files, in order.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    fn file(&self, name: &str, extension: &str) -> PathBuf {
        self.path().join(format!("{name}.{extension}"))
    }

    fn record(&self, request_id: &str) -> PathBuf {
        self.file(request_id, "json")
    }

    /// A file stands where the folder was: nobody can write there, root neither.
    fn break_it(&self) {
        fs::rename(self.path(), self.0.path().join("elsewhere")).unwrap();
        fs::write(self.path(), "").unwrap();
    }

    fn mend_it(&self) {
        fs::remove_file(self.path()).unwrap();
        fs::rename(self.0.path().join("elsewhere"), self.path()).unwrap();
    }
}

fn open(config: ClientConfig) -> Result<Arc<ChannelClient>, LnurlChannelError> {
    let (node, listener) = (Arc::<PlainNode>::default(), Arc::<Listener>::default());
    ChannelClient::new(Box::new(node), Box::new(listener), config).map(Arc::new)
}

fn silent() -> OfferOptions {
    habits(&[Habit::OkAndNeverOpens])
}

fn scene(folder: &Folder, options: OfferOptions) -> PlainScene {
    PlainScene::with(PlainNode::default(), options, |testbed| {
        folder.config(testbed)
    })
}

fn wallet(folder: &Folder) -> PlainWallet {
    let (node, listener) = (PlainNode::default(), Listener::default());
    PlainWallet::with(node, listener, |testbed| folder.config(testbed))
}

fn waiting(wallet: &PlainWallet) -> Arc<ChannelRequest> {
    wallet.waiting(ChannelVisibility::Unannounced)
}

fn assert_storage_failed<T: std::fmt::Debug>(result: Result<T, LnurlChannelError>) {
    assert!(
        matches!(result, Err(LnurlChannelError::StorageFailed { .. })),
        "{result:?}"
    );
}

/// A request that awaits its channel while no call runs.
fn awaiting(folder: &Folder) -> PlainScene {
    let scene = scene(folder, silent());
    let call = start_accept(&scene.request);
    wait_for_state(&scene.request, ChannelRequestState::Awaiting);
    scene.request.pause();
    call.end().unwrap_err();
    scene
}

// ---- what is on the disk ----

#[cfg(unix)]
#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let scene = awaiting(&folder);
    scene
        .wallet
        .report(channel(NODE_ID, ChannelStage::Funded, "01"));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.path()), 0o700);
    let names = folder.names();
    assert_eq!(names.len(), 3, "the lock, a request, and a peer's verdicts");
    for name in names {
        assert_eq!(mode(&folder.path().join(&name)), 0o600, "{name}");
    }
}

#[test]
fn an_offer_is_not_stored_before_it_is_accepted() {
    let folder = Folder::new();
    let scene = scene(&folder, silent());
    assert_eq!(folder.names(), [".lock"]);
    block_on(scene.request.cancel()).unwrap();
    assert_eq!(folder.names(), [".lock"]);
}

#[test]
fn nothing_is_kept_of_a_request_that_was_cancelled_before_it_was_asked() {
    let folder = Folder::new();
    let gate = Gate::default();
    let hangs = gate.clone();
    let node = PlainNode {
        connect: Box::new(move |_| {
            hangs.pass();
            Ok(true)
        }),
        ..PlainNode::default()
    };
    let scene = PlainScene::with(node, silent(), |testbed| folder.config(testbed));
    let call = start_accept(&scene.request);
    scene.wallet.node.wait_for_connects(1);
    assert_eq!(folder.names().len(), 2);
    block_on(scene.request.cancel()).unwrap();
    call.end().unwrap_err();
    assert_eq!(folder.names(), [".lock"]);
    gate.open();
}

#[test]
fn a_record_is_for_people_to_read() {
    let folder = Folder::new();
    let scene = awaiting(&folder);
    assert_eq!(scene.request.request_id().len(), 32);
    let record = fs::read_to_string(folder.record(&scene.request.request_id())).unwrap();
    let value: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(value["version"], 2);
    assert_eq!(value["progress"], "Asked");
    assert!(record.lines().count() > 10);
}

/// Whether a record holds `k1`, the callback, and the LNURL's query.
fn secrets_in(folder: &Folder, scene: &PlainScene) -> [bool; 3] {
    let record = fs::read_to_string(folder.record(&scene.request.request_id())).unwrap();
    let callback = format!("/callback/{}", scene.offer.id);
    let (_, query) = scene.offer.url.split_once("?q=").unwrap();
    [&scene.offer.k1, callback.as_str(), query].map(|secret| record.contains(secret))
}

#[test]
fn secrets_stay_until_the_channel_is_ready_or_a_day_has_passed() {
    let folder = Folder::new();
    let scene = awaiting(&folder);
    assert_eq!(secrets_in(&folder, &scene), [true; 3]);
    scene.fund("01");
    assert_eq!(secrets_in(&folder, &scene), [true; 3], "it may still fail");
    scene.wallet.ready("01");
    assert_eq!(secrets_in(&folder, &scene), [false; 3]);

    for (hours, stay) in [(23, true), (25, false)] {
        let folder = Folder::new();
        let scene = awaiting(&folder);
        scene.fund("01");
        block_on(scene.wallet.client.shutdown());
        let record = folder.record(&scene.request.request_id());
        change(&record, |record| move_back(record, "at_seconds", hours));
        folder.open(&scene.wallet.testbed).unwrap();
        let secrets = secrets_in(&folder, &scene);
        assert_eq!(secrets, [stay; 3], "after {hours} hours");
    }
}

/// Change a record on disk.
fn change(record: &Path, change: impl FnOnce(&mut Value)) {
    let mut content: Value = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
    change(&mut content);
    fs::write(record, content.to_string()).unwrap();
}

fn move_back(value: &mut Value, key: &str, hours: u64) {
    let then = value[key].as_u64().unwrap() - hours * 3600;
    value[key] = then.into();
}

#[test]
fn secrets_go_with_a_refusal_and_a_cancel() {
    for refused in [true, false] {
        let folder = Folder::new();
        let scene = if refused {
            let scene = scene(&folder, habits(&[Habit::ErrorAnswer]));
            accept(&scene.request).unwrap_err();
            scene
        } else {
            let scene = awaiting(&folder);
            block_on(scene.request.cancel()).unwrap();
            scene
        };
        assert_eq!(secrets_in(&folder, &scene), [false; 3]);
    }
}

#[test]
fn the_secret_goes_once_a_host_has_answered() {
    let folder = Folder::new();
    let scene = scene(&folder, hosted(&[]));
    let call = start_accept(&scene.request);
    wait_for_state(&scene.request, ChannelRequestState::Awaiting);
    let record = || fs::read_to_string(folder.record(&scene.request.request_id())).unwrap();
    assert!(record().contains(&scene.offer.k1));
    let client = &scene.wallet.client;
    assert!(client.report_peer_message(scene.wallet.peer(), 65531, vec![0x5a; 197]));
    call.end().unwrap();
    assert!(!record().contains(&scene.offer.k1));
    assert!(!record().contains("?q="));
}

#[test]
fn a_channel_outlives_its_request() {
    let folder = Folder::new();
    let first = awaiting(&folder);
    first.fund("01");
    first.wallet.ready("01");
    let second = waiting(&first.wallet);
    block_on(first.wallet.client.shutdown());
    let record = folder.record(&first.request.request_id());
    change(&record, |record| move_back(record, "at_seconds", 31 * 24));

    // A node that lists its channels reports the old one again.
    for _ in 0..2 {
        let client = folder.open(&first.wallet.testbed).unwrap();
        assert!(!record.exists());
        let old = first.wallet.channel(ChannelStage::Ready, "01");
        let verdict = client.report_incoming_channel(old);
        assert_eq!(verdict, ChannelVerdict::Unrequested);
        assert_eq!(kept(&client), [second.request_id()]);
        let request = client.request(second.request_id()).unwrap();
        assert_eq!(state(&request), ChannelRequestState::Awaiting);
    }
}

#[test]
fn what_could_not_be_written_leaves_no_secret() {
    let folder = Folder::new();
    let scene = scene(&folder, silent());
    // A folder in the record's place.
    let record = folder.record(&scene.request.request_id());
    fs::create_dir_all(record.join("inner")).unwrap();
    assert_storage_failed(accept(&scene.request));
    let unfinished = folder.file(&scene.request.request_id(), "tmp");
    assert!(!unfinished.exists());
}

#[cfg(unix)]
#[test]
fn a_link_where_a_record_is_written_is_not_followed() {
    let folder = Folder::new();
    let scene = scene(&folder, silent());
    let elsewhere = folder.0.path().join("mine");
    fs::write(&elsewhere, "mine").unwrap();
    let unfinished = folder.file(&scene.request.request_id(), "tmp");
    std::os::unix::fs::symlink(&elsewhere, unfinished).unwrap();
    let call = start_accept(&scene.request);
    wait_for_state(&scene.request, ChannelRequestState::Awaiting);
    scene.request.pause();
    call.end().unwrap_err();
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "mine");
    let record = folder.record(&scene.request.request_id());
    assert!(fs::symlink_metadata(record).unwrap().is_file());
}

// ---- the lock ----

#[test]
fn one_client_at_a_time_uses_a_folder() {
    let folder = Folder::new();
    let scene = awaiting(&folder);
    let testbed = &scene.wallet.testbed;
    assert_storage_failed(folder.open(testbed).map(drop));
    block_on(scene.wallet.client.shutdown());
    let next = folder.open(testbed).unwrap();
    assert_eq!(kept(&next), [scene.request.request_id()]);
    assert_storage_failed(folder.open(testbed).map(drop));
    drop(next);
    folder.open(testbed).unwrap();
}

#[test]
fn shutdown_lets_go_of_the_folder_at_once_even_while_the_node_hangs() {
    let folder = Folder::new();
    let gate = Gate::default();
    let hangs = gate.clone();
    let node = PlainNode {
        connect: Box::new(move |_| {
            hangs.pass();
            Ok(true)
        }),
        ..PlainNode::default()
    };
    let scene = PlainScene::with(node, silent(), |testbed| folder.config(testbed));
    let call = start_accept(&scene.request);
    scene.wallet.node.wait_for_connects(1);
    let client = scene.wallet.client.clone();
    let shutdown = support::scene::start(async move { client.shutdown().await });
    call.end().unwrap_err();
    folder.open(&scene.wallet.testbed).unwrap();
    assert!(shutdown.runs());
    gate.open();
    shutdown.end();
}

#[test]
fn a_client_whose_lock_was_taken_away_stores_nothing_any_more() {
    let folder = Folder::new();
    let scene = scene(&folder, silent());
    fs::remove_file(folder.path().join(".lock")).unwrap();
    let other = folder.open(&scene.wallet.testbed).unwrap();
    assert_storage_failed(accept(&scene.request));
    assert_eq!(scene.callbacks(), [""; 0]);
    assert_eq!(kept(&other), [""; 0]);
    assert_eq!(folder.names(), [".lock"]);
}

// ---- a folder that fails ----

#[test]
fn a_file_is_no_folder() {
    let testbed = Testbed::start().unwrap();
    let folder = Folder::new();
    fs::write(folder.path(), "").unwrap();
    assert_storage_failed(folder.open(&testbed).map(drop));
    assert!(folder.path().is_file(), "and stays what it is");
}

#[test]
fn what_cannot_be_stored_is_not_begun() {
    let folder = Folder::new();
    let scene = scene(&folder, silent());
    folder.break_it();
    assert_storage_failed(accept(&scene.request));
    assert_eq!(state(&scene.request), ChannelRequestState::Offered);
    assert_eq!(scene.wallet.node.called.all(), []);
    assert_eq!(scene.callbacks(), [""; 0]);

    folder.mend_it();
    let call = start_accept(&scene.request);
    wait_for_state(&scene.request, ChannelRequestState::Awaiting);
    scene.fund("01");
    funded_channel(call.end());
    assert_eq!(scene.callbacks().len(), 1);
}

#[test]
fn asking_is_stored_before_it_is_done() {
    let folder = Arc::new(Folder::new());
    let breaking = folder.clone();
    let node = PlainNode {
        connect: Box::new(move |_| {
            breaking.break_it();
            Ok(true)
        }),
        ..PlainNode::default()
    };
    let scene = PlainScene::with(node, silent(), |testbed| folder.config(testbed));
    assert_storage_failed(accept(&scene.request));
    assert_eq!(state(&scene.request), ChannelRequestState::Offered);
    assert_eq!(scene.callbacks(), [""; 0]);
}

#[test]
fn a_cancel_is_stored_before_it_is_told() {
    let folder = Folder::new();
    let scene = awaiting(&folder);
    folder.break_it();
    assert_storage_failed(block_on(scene.request.cancel()));
    assert_eq!(state(&scene.request), ChannelRequestState::Awaiting);
    assert_eq!(scene.callbacks().len(), 1);

    folder.mend_it();
    block_on(scene.request.cancel()).unwrap();
    assert_eq!(
        scene.callbacks(),
        [scene.accept_target(), scene.cancel_target()]
    );
}

#[test]
fn a_dismissal_that_cannot_be_stored_is_none() {
    let folder = Folder::new();
    let wallet = wallet(&folder);
    let request = wallet.refused();
    folder.break_it();
    assert_storage_failed(block_on(request.dismiss()));
    assert!(!request.snapshot().is_dismissed);
    folder.mend_it();
    block_on(request.dismiss()).unwrap();
    assert!(request.snapshot().is_dismissed);
}

#[test]
fn a_report_that_cannot_be_stored_keeps_its_verdict_and_is_written_with_the_next() {
    let folder = Folder::new();
    let scene = awaiting(&folder);
    let request_id = scene.request.request_id();
    folder.break_it();
    scene.fund("01");
    assert_eq!(
        scene
            .wallet
            .report(channel(NODE_ID, ChannelStage::Funded, "02")),
        ChannelVerdict::Unrequested
    );
    assert_eq!(state(&scene.request), ChannelRequestState::Arrived);
    folder.mend_it();

    let record = || fs::read_to_string(folder.record(&request_id)).unwrap();
    assert!(record().contains("\"Asked\""));
    assert!(!folder.record(NODE_ID).exists());
    let other = waiting(&scene.wallet);
    assert!(record().contains("\"Arrived\""));
    assert!(folder.record(NODE_ID).exists());

    block_on(scene.wallet.client.shutdown());
    let next = folder.open(&scene.wallet.testbed).unwrap();
    let again = scene.wallet.channel(ChannelStage::Funded, "01");
    let verdict = next.report_incoming_channel(again);
    assert_eq!(verdict, expected(&scene.request));
    assert_eq!(
        kept(&next),
        [other.request_id(), request_id],
        "newest first"
    );
}

// ---- damage ----

/// Two requests that await, and nothing that runs: the folder, and the ids of both.
struct TwoRecords {
    folder: Folder,
    testbed: Testbed,
    damaged: String,
    other: String,
    /// Of the first: what must not be left when it is set aside.
    secrets: [String; 2],
}

impl TwoRecords {
    fn new() -> Self {
        let folder = Folder::new();
        let scene = awaiting(&folder);
        let other = waiting(&scene.wallet).request_id();
        block_on(scene.wallet.client.shutdown());
        let (_, query) = scene.offer.url.split_once("?q=").unwrap();
        Self {
            damaged: scene.request.request_id(),
            other,
            secrets: [scene.offer.k1.clone(), query.to_owned()],
            testbed: scene.wallet.testbed,
            folder,
        }
    }

    fn record(&self) -> PathBuf {
        self.folder.record(&self.damaged)
    }

    fn aside(&self) -> PathBuf {
        self.folder.file(&self.damaged, "damaged")
    }

    fn open(&self) -> Arc<ChannelClient> {
        self.folder.open(&self.testbed).unwrap()
    }

    /// Opens a client on the folder. The other request is always there; the damaged one is set aside.
    fn assert_set_aside(&self, what: &str) {
        let client = self.open();
        assert_eq!(kept(&client), std::slice::from_ref(&self.other), "{what}");
        assert!(client.request(self.damaged.clone()).is_none(), "{what}");
        assert!(fs::symlink_metadata(self.record()).is_err(), "{what}");
        assert!(fs::symlink_metadata(self.aside()).is_ok(), "{what}");
    }

    /// The same with this content. No secret is left.
    fn assert_content_set_aside(&self, what: &str, content: &[u8]) {
        fs::write(self.record(), content).unwrap();
        self.assert_set_aside(what);
        let aside = fs::read(self.aside()).unwrap();
        let aside = String::from_utf8_lossy(&aside);
        for secret in &self.secrets {
            assert!(!aside.contains(secret), "{what}: {aside}");
        }
        fs::remove_file(self.aside()).unwrap();
    }

    /// Opens a client on a damaged folder: the other request is there, whatever became of this one.
    fn assert_other_survives(&self, content: &[u8]) {
        fs::write(self.record(), content).unwrap();
        let ids = kept(&self.open());
        assert!(ids.contains(&self.other), "{ids:?}");
        if ids.len() == 1 {
            let exists = [self.record(), self.aside()].map(|path| path.exists());
            assert!(exists.contains(&true), "nothing is lost");
        }
        let _ = fs::remove_file(self.aside());
    }
}

#[test]
fn what_is_no_record_is_set_aside() {
    let records = TwoRecords::new();
    let whole = fs::read_to_string(records.record()).unwrap();
    // It is not even read, and so not looked through for secrets.
    let huge = "x".repeat(256 * 1024 + 1);
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    for (what, content) in [
        ("no JSON", b"not a record".to_vec()),
        ("nothing", vec![]),
        ("huge", huge.into_bytes()),
        ("deep", deep),
        ("zeros", vec![0; whole.len()]),
        ("an array", format!("[{whole}]").into_bytes()),
        ("twice", whole.repeat(2).into_bytes()),
        (
            "cut in the middle",
            whole.as_bytes()[..whole.len() / 2].to_vec(),
        ),
    ] {
        records.assert_content_set_aside(what, &content);
    }
}

#[cfg(unix)]
#[test]
fn a_record_is_never_read_through_a_link() {
    let records = TwoRecords::new();
    let elsewhere = records.folder.0.path().join("a-good-record");
    fs::rename(records.record(), &elsewhere).unwrap();
    let good = fs::read(&elsewhere).unwrap();
    for (what, target) in [
        ("to a good record", elsewhere.clone()),
        ("to a device that never ends", "/dev/zero".into()),
        ("to itself", records.record()),
        ("to nothing", records.folder.0.path().join("nowhere")),
    ] {
        std::os::unix::fs::symlink(&target, records.record()).unwrap();
        records.assert_set_aside(what);
        fs::remove_file(records.aside()).unwrap();
    }
    assert_eq!(
        fs::read(&elsewhere).unwrap(),
        good,
        "and nothing is written"
    );
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_folder_in_place_of_a_record_stops_nothing() {
    let records = TwoRecords::new();
    fs::remove_file(records.record()).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(records.record())
        .status();
    assert!(made.unwrap().success());
    records.assert_set_aside("a pipe");
    fs::remove_file(records.aside()).unwrap();

    fs::create_dir_all(records.record().join("inner")).unwrap();
    records.assert_set_aside("a folder");
}

#[test]
fn a_record_cut_short_anywhere_takes_no_other_with_it() {
    let records = TwoRecords::new();
    let whole = fs::read(records.record()).unwrap();
    for length in 0..whole.len() {
        records.assert_other_survives(&whole[..length]);
    }
}

#[test]
fn a_wrong_byte_anywhere_takes_no_other_with_it() {
    let records = TwoRecords::new();
    let whole = fs::read(records.record()).unwrap();
    for (place, wrong) in (0..whole.len()).zip([0, b'"', b'}', 0xff, b'9'].into_iter().cycle()) {
        let mut content = whole.clone();
        content[place] = wrong;
        records.assert_other_survives(&content);
    }
}

#[test]
fn a_record_that_no_run_can_write_is_damaged() {
    let records = TwoRecords::new();
    let whole = fs::read(records.record()).unwrap();
    let whole: Value = serde_json::from_slice(&whole).unwrap();
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 15] = [
        ("another request's id", |r| {
            r["request_id"] = "00".repeat(16).into()
        }),
        ("an unknown progress", |r| r["progress"] = "Waiting".into()),
        ("arrived without a channel", |r| {
            r["progress"] = "Arrived".into()
        }),
        ("accepted, and asked", |r| r["progress"] = "Accepted".into()),
        ("asked, and nobody was", |r| r["contact"] = Value::Null),
        ("cancelled without an order", |r| {
            r["progress"] = "Cancelled".into()
        }),
        ("refused without a refusal", |r| {
            r["progress"] = "Refused".into()
        }),
        ("dismissed while it goes on", |r| {
            r["is_dismissed"] = true.into()
        }),
        ("a funded channel with a refund script", |r| {
            r["refund_script"] = format!("0014{}", "11".repeat(20)).into();
        }),
        ("a key off the curve", |r| {
            r["contact"]["node_id"] = format!("02{}", "ff".repeat(32)).into()
        }),
        ("a callback over plain http", |r| {
            r["credentials"]["callback"] = "http://localhost/callback".into();
        }),
        ("another service than the LNURL's", |r| {
            r["offer"]["service"] = "other.example".into()
        }),
        ("a state of the wrong type", |r| r["progress"] = 7.into()),
        ("an order that is none", |r| {
            r["contact"]["order"] = 0.into()
        }),
        ("without a version", |r| {
            drop(r.as_object_mut().unwrap().remove("version"))
        }),
    ];
    for (what, change) in changes {
        let mut changed = whole.clone();
        change(&mut changed);
        assert_ne!(changed, whole, "{what}");
        records.assert_content_set_aside(what, changed.to_string().as_bytes());
    }
}

#[test]
fn a_record_of_a_later_version_is_left_alone() {
    let records = TwoRecords::new();
    change(&records.record(), |record| record["version"] = 99.into());
    let later = fs::read(records.record()).unwrap();
    assert_eq!(kept(&records.open()), std::slice::from_ref(&records.other));
    assert_eq!(fs::read(records.record()).unwrap(), later);
}

#[test]
fn texts_in_a_record_are_cleaned_as_those_of_the_network_are() {
    let folder = Folder::new();
    let wallet = wallet(&folder);
    let request = wallet.refused();
    block_on(wallet.client.shutdown());
    let record = folder.record(&request.request_id());
    change(&record, |record| {
        record["refusal"]["words"] = "no\u{202e} more\nroom\u{7}".into();
    });
    let client = folder.open(&wallet.testbed).unwrap();
    let request = client.request(request.request_id()).unwrap();
    let words = request.snapshot().refusal;
    assert_eq!(words.as_deref(), Some("no more room"));
}

/// A later version of the app wrote it.
#[test]
fn verdicts_of_a_later_version_are_left_alone() {
    let folder = Folder::new();
    let wallet = wallet(&folder);
    wallet.fund("01");
    block_on(wallet.client.shutdown());
    let path = folder.record(&wallet.peer());
    change(&path, |verdicts| verdicts["version"] = 99.into());
    let later = fs::read(&path).unwrap();
    let client = folder.open(&wallet.testbed).unwrap();
    for _ in 0..2 {
        let channel = wallet.channel(ChannelStage::Funded, "02");
        let verdict = client.report_incoming_channel(channel);
        assert_eq!(verdict, ChannelVerdict::Unrequested);
    }
    block_on(client.shutdown());
    assert_eq!(fs::read(&path).unwrap(), later);
}

#[test]
fn damaged_verdicts_are_set_aside() {
    let folder = Folder::new();
    let wallet = wallet(&folder);
    let request = waiting(&wallet);
    wallet.fund("01");
    wallet.fund("02");
    block_on(wallet.client.shutdown());
    fs::write(folder.record(&wallet.peer()), "not a record").unwrap();
    let client = folder.open(&wallet.testbed).unwrap();
    assert_eq!(kept(&client), [request.request_id()]);
    assert!(folder.file(&wallet.peer(), "damaged").exists());
    let request = client.request(request.request_id()).unwrap();
    assert_eq!(
        shown(&request).as_deref(),
        Some("01"),
        "kept with its request"
    );
}

#[test]
fn strange_files_are_left_alone() {
    let records = TwoRecords::new();
    let folder = &records.folder;
    let names = ["notes.txt", "settings.json", "download.tmp"];
    for name in names {
        fs::write(folder.path().join(name), "mine").unwrap();
    }
    fs::create_dir(folder.path().join("deeper")).unwrap();
    assert_eq!(kept(&records.open()).len(), 2);
    for name in names {
        let content = fs::read(folder.path().join(name)).unwrap();
        assert_eq!(content, b"mine", "{name}");
    }
}

/// What one configuration does not allow, the next may: nothing is set aside for it.
#[test]
fn another_configuration_loses_nothing() {
    let records = TwoRecords::new();
    let folder = &records.folder;
    let public_only = ClientConfig {
        allow_private_hosts: false,
        ..folder.config(&records.testbed)
    };
    let other_chain = ClientConfig {
        network: BitcoinNetwork::Signet,
        ..folder.config(&records.testbed)
    };
    for config in [public_only, other_chain] {
        assert_eq!(kept(&open(config).unwrap()), [""; 0]);
    }
    let ids = [records.other.clone(), records.damaged.clone()];
    assert_eq!(kept(&records.open()), ids);
}

#[test]
fn in_memory_nothing_is_kept() {
    let scene = PlainScene::with(PlainNode::default(), silent(), hasty_config);
    let result: CallResult = accept(&scene.request);
    result.unwrap_err();
    assert_eq!(kept(&scene.wallet.client).len(), 1);
    let next = open(hasty_config(&scene.wallet.testbed)).unwrap();
    assert_eq!(kept(&next), [""; 0]);
    let fetched = fetch(&next, &scene.offer.lnurl).unwrap();
    assert_ne!(fetched.request_id(), scene.request.request_id());
}
