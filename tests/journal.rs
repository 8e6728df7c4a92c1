//! The folder on disk: who may read it, what stands in it, and what happens when it fails.

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lnurl_channel::{
    BitcoinNetwork, ChannelClient, ChannelRequestState, ChannelStage, ChannelVerdict,
    ChannelVisibility, ClientConfig, IncomingChannel, LnurlChannelError,
};
use lnurl_channel_testbed::{Habit, OfferOptions, Testbed};
use tempfile::TempDir;

use support::block_on;
use support::plain::{PlainNode, PlainScene};
use support::scene::{
    CallResult, fetch, habits, hasty_config, opening, patient_config, proposal, start_accept,
    unfinished, wait_for_state,
};

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

    fn open(&self, testbed: &Testbed) -> Result<ChannelClient, LnurlChannelError> {
        ChannelClient::new(Arc::new(PlainNode::default()), self.config(testbed))
    }

    fn files(&self, extension: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> = paths
            .filter(|path| path.extension().is_some_and(|e| e == extension))
            .collect();
        files.sort();
        files
    }

    fn record(&self, request_id: &str) -> PathBuf {
        self.path().join(format!("{request_id}.json"))
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

fn silent() -> OfferOptions {
    habits(&[Habit::OkAndNeverOpens])
}

fn scene(folder: &Folder, options: OfferOptions) -> PlainScene {
    PlainScene::with(PlainNode::default(), options, |testbed| {
        folder.config(testbed)
    })
}

fn accept(scene: &PlainScene) -> CallResult {
    block_on(scene.request.accept(ChannelVisibility::Unannounced))
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
    let _scene = awaiting(&folder);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.path()), 0o700);
    let files: Vec<PathBuf> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(files.len() > 1, "a record, and the lock");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn an_offer_is_not_stored_before_it_is_accepted() {
    let folder = Folder::new();
    let scene = scene(&folder, silent());
    assert!(folder.files("json").is_empty());
    scene.request.decline().unwrap();
    assert!(folder.files("json").is_empty());
}

#[test]
fn a_record_is_for_people_to_read() {
    let folder = Folder::new();
    let scene = awaiting(&folder);
    let record = fs::read_to_string(folder.record(&scene.request.request_id())).unwrap();
    let value: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert!(value["version"].is_u64());
    assert!(record.lines().count() > 10);
    assert!(record.contains("Awaiting"));
    assert_eq!(scene.request.request_id().len(), 32);
}

#[test]
fn secrets_go_once_the_end_was_returned() {
    let folder = Folder::new();
    let scene = awaiting(&folder);
    let path = folder.record(&scene.request.request_id());
    let callback = format!("/callback/{}", scene.offer.id);
    let (_, query) = scene.offer.url.split_once("?q=").unwrap();
    let holds = || {
        let record = fs::read_to_string(&path).unwrap();
        [&scene.offer.k1, &callback, query].map(|secret| record.contains(secret))
    };
    assert_eq!(holds(), [true; 3]);
    scene
        .client
        .report_incoming_channel(proposal(&scene.testbed, 1));
    assert_eq!(holds(), [true; 3], "no call has returned it");
    opening(block_on(scene.request.resume()));
    assert_eq!(holds(), [false; 3]);
}

#[test]
fn secrets_go_with_a_refusal_and_a_cancel() {
    for refused in [true, false] {
        let folder = Folder::new();
        let scene = if refused {
            let scene = scene(&folder, habits(&[Habit::ErrorAnswer]));
            accept(&scene).unwrap_err();
            scene
        } else {
            let scene = awaiting(&folder);
            block_on(scene.request.cancel()).unwrap();
            scene
        };
        let path = folder.record(&scene.request.request_id());
        let record = fs::read_to_string(path).unwrap();
        assert!(!record.contains(&scene.offer.k1));
        assert!(!record.contains("?q="));
        assert!(!record.contains("/callback/"));
    }
}

#[test]
fn an_ended_record_is_kept_for_a_day() {
    let folder = Folder::new();
    let scene = awaiting(&folder);
    block_on(scene.request.cancel()).unwrap();
    block_on(scene.client.shutdown());
    let path = folder.record(&scene.request.request_id());
    let mut record: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let ended_at = record["ended_at"].as_u64().unwrap();
    for (hours, verdict) in [
        (
            23,
            ChannelVerdict::Unwanted {
                request_id: scene.request.request_id(),
            },
        ),
        (25, ChannelVerdict::Unrequested),
    ] {
        record["ended_at"] = (ended_at - hours * 3600).into();
        fs::write(&path, record.to_string()).unwrap();
        let client = folder.open(&scene.testbed).unwrap();
        let channel = proposal(&scene.testbed, hours as u8);
        assert_eq!(client.report_incoming_channel(channel), verdict);
        assert_eq!(path.exists(), hours < 24);
    }
}

/// A node that lists its channels reports an old one again, while a newer request waits.
#[test]
fn a_channel_outlives_its_request() {
    let folder = Folder::new();
    let first = awaiting(&folder);
    let channel = IncomingChannel {
        stage: ChannelStage::Funded,
        ..proposal(&first.testbed, 1)
    };
    first.client.report_incoming_channel(channel.clone());
    opening(block_on(first.request.resume()));
    let offer = first.testbed.service().offer(silent());
    let second = fetch(&first.client, &offer.lnurl).unwrap();
    let call = start_accept(&second);
    wait_for_state(&second, ChannelRequestState::Awaiting);
    second.pause();
    call.end().unwrap_err();
    block_on(first.client.shutdown());
    two_days_ago(&folder.record(&first.request.request_id()));

    for _ in 0..2 {
        let client = folder.open(&first.testbed).unwrap();
        assert!(!folder.record(&first.request.request_id()).exists());
        let verdict = client.report_incoming_channel(channel.clone());
        assert_eq!(verdict, ChannelVerdict::Unrequested);
        assert_eq!(unfinished(&client), [second.request_id()]);
        let request = client.request(second.request_id()).unwrap();
        assert_eq!(request.state(), ChannelRequestState::Awaiting);
    }
}

#[test]
fn no_record_goes_before_its_channels_are_kept() {
    let folder = Folder::new();
    let scene = awaiting(&folder);
    let channel = proposal(&scene.testbed, 1);
    scene.client.report_incoming_channel(channel.clone());
    opening(block_on(scene.request.resume()));
    block_on(scene.client.shutdown());
    let record = folder.record(&scene.request.request_id());
    two_days_ago(&record);
    // A folder in its place: no file can be written there.
    let unrequested = folder.record("unrequested-channels");
    fs::create_dir(&unrequested).unwrap();
    let report = || {
        let client = folder.open(&scene.testbed).unwrap();
        let verdict = client.report_incoming_channel(channel.clone());
        (verdict, record.exists())
    };
    assert_eq!(report(), (ChannelVerdict::Unrequested, true));
    fs::remove_dir_all(&unrequested).unwrap();
    for _ in 0..2 {
        assert_eq!(report(), (ChannelVerdict::Unrequested, false));
    }
}

fn two_days_ago(record: &Path) {
    let mut content: serde_json::Value =
        serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
    let ended_at = content["ended_at"].as_u64().unwrap();
    content["ended_at"] = (ended_at - 2 * 24 * 3600).into();
    fs::write(record, content.to_string()).unwrap();
}

/// A later version of the app wrote it, or the phone was not unlocked yet.
#[test]
fn channels_that_cannot_be_read_now_are_left_alone() {
    let folder = Folder::new();
    let scene = scene(&folder, silent());
    let funded = |number| IncomingChannel {
        stage: ChannelStage::Funded,
        ..proposal(&scene.testbed, number)
    };
    scene.client.report_incoming_channel(funded(1));
    block_on(scene.client.shutdown());
    let path = folder.record("unrequested-channels");
    let of_later_version = fs::read_to_string(&path)
        .unwrap()
        .replace("\"version\": 1", "\"version\": 2");
    fs::write(&path, &of_later_version).unwrap();
    let client = folder.open(&scene.testbed).unwrap();
    for _ in 0..2 {
        let verdict = client.report_incoming_channel(funded(2));
        assert_eq!(verdict, ChannelVerdict::Unrequested);
    }
    block_on(client.shutdown());
    assert_eq!(fs::read_to_string(&path).unwrap(), of_later_version);
}

#[test]
fn what_could_not_be_written_leaves_no_secret() {
    let folder = Folder::new();
    let scene = scene(&folder, silent());
    // A folder in the record's place.
    fs::create_dir(folder.record(&scene.request.request_id())).unwrap();
    assert_storage_failed(accept(&scene));
    assert_eq!(folder.files("tmp"), [] as [PathBuf; 0]);
}

// ---- the lock ----

#[test]
fn one_client_at_a_time() {
    let folder = Folder::new();
    let scene = awaiting(&folder);
    assert_storage_failed(folder.open(&scene.testbed).map(drop));
    block_on(scene.client.shutdown());
    let next = folder.open(&scene.testbed).unwrap();
    assert_eq!(unfinished(&next), [scene.request.request_id()]);
    assert_storage_failed(folder.open(&scene.testbed).map(drop));
    drop(next);
    folder.open(&scene.testbed).unwrap();
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
    assert_storage_failed(accept(&scene));
    assert_eq!(scene.request.state(), ChannelRequestState::Offered);
    assert!(unfinished(&scene.client).is_empty());
    assert!(scene.node.called.all().is_empty());
    assert!(scene.callbacks().is_empty());

    folder.mend_it();
    let call = start_accept(&scene.request);
    wait_for_state(&scene.request, ChannelRequestState::Awaiting);
    scene
        .client
        .report_incoming_channel(proposal(&scene.testbed, 1));
    opening(call.end());
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
    assert_storage_failed(accept(&scene));
    assert_eq!(scene.request.state(), ChannelRequestState::Offered);
    assert!(scene.callbacks().is_empty());
}

#[test]
fn a_cancel_is_stored_before_it_is_told() {
    let folder = Folder::new();
    let scene = awaiting(&folder);
    folder.break_it();
    assert_storage_failed(block_on(scene.request.cancel()));
    assert_eq!(scene.request.state(), ChannelRequestState::Awaiting);
    assert_eq!(scene.callbacks().len(), 1);
    assert_storage_failed(scene.request.decline());
    assert_eq!(scene.request.state(), ChannelRequestState::Awaiting);

    folder.mend_it();
    block_on(scene.request.cancel()).unwrap();
    assert_eq!(
        scene.callbacks(),
        [scene.accept_target(), scene.cancel_target()]
    );
}

#[test]
fn a_report_that_cannot_be_stored_keeps_its_verdict() {
    let folder = Folder::new();
    let scene = awaiting(&folder);
    let request_id = scene.request.request_id();
    let expected = ChannelVerdict::Expected {
        request_id: request_id.clone(),
    };
    folder.break_it();
    let report = |client: &ChannelClient| {
        let channel = proposal(&scene.testbed, 1);
        client.report_incoming_channel(channel)
    };
    assert_eq!(report(&scene.client), expected);
    assert_eq!(scene.request.state(), ChannelRequestState::Arrived);
    folder.mend_it();

    // Written with the next that is.
    let record = || fs::read_to_string(folder.record(&request_id)).unwrap();
    assert!(record().contains("Awaiting"));
    let offer = scene.testbed.service().offer(silent());
    let other = fetch(&scene.client, &offer.lnurl).unwrap();
    let call = start_accept(&other);
    wait_for_state(&other, ChannelRequestState::Awaiting);
    assert!(record().contains("Arrived"));
    other.pause();
    call.end().unwrap_err();

    block_on(scene.client.shutdown());
    let next = folder.open(&scene.testbed).unwrap();
    assert_eq!(report(&next), expected);
    let ids = unfinished(&next);
    assert_eq!(ids, [request_id, other.request_id()], "oldest first");
}

// ---- damage ----

/// Two requests that await, and nothing that runs: the folder, and the ids of both.
fn two_records() -> (Folder, Testbed, String, String) {
    let folder = Folder::new();
    let scene = awaiting(&folder);
    let offer = scene.testbed.service().offer(silent());
    let other = fetch(&scene.client, &offer.lnurl).unwrap();
    let call = start_accept(&other);
    wait_for_state(&other, ChannelRequestState::Awaiting);
    other.pause();
    call.end().unwrap_err();
    block_on(scene.client.shutdown());
    let ids = (scene.request.request_id(), other.request_id());
    (folder, scene.testbed, ids.0, ids.1)
}

/// Opens a client on a folder whose record was `damaged`. The other request is always there.
fn assert_other_survives(
    folder: &Folder,
    testbed: &Testbed,
    (damaged, other): (&str, &str),
    content: &[u8],
) {
    fs::write(folder.record(damaged), content).unwrap();
    let ids = unfinished(&folder.open(testbed).unwrap());
    assert!(ids.iter().any(|id| id == other), "{ids:?}");
    if ids.len() == 1 {
        let kept = folder.files("json").into_iter().chain(aside(folder));
        let mut kept = kept.filter(|path| path.to_str().unwrap().contains(damaged));
        assert!(kept.any(|path| fs::read(path).unwrap() == content));
    }
    for path in aside(folder) {
        fs::remove_file(path).unwrap();
    }
}

/// Files that are neither records nor the lock.
fn aside(folder: &Folder) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let is_aside = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        !name.ends_with(".json") && !name.starts_with('.')
    };
    paths.filter(is_aside).collect()
}

#[test]
fn a_damaged_record_is_set_aside() {
    let (folder, testbed, damaged, other) = two_records();
    fs::write(folder.record(&damaged), "not a record").unwrap();
    let client = folder.open(&testbed).unwrap();
    assert_eq!(unfinished(&client), [other]);
    assert!(client.request(damaged.clone()).is_none());
    assert!(!folder.record(&damaged).exists());
    let aside = aside(&folder);
    assert_eq!(aside.len(), 1);
    assert_eq!(fs::read_to_string(&aside[0]).unwrap(), "not a record");
}

#[test]
fn a_record_cut_short_anywhere_takes_no_other_with_it() {
    let (folder, testbed, damaged, other) = two_records();
    let whole = fs::read(folder.record(&damaged)).unwrap();
    for length in 0..whole.len() {
        assert_other_survives(&folder, &testbed, (&damaged, &other), &whole[..length]);
    }
}

#[test]
fn a_wrong_byte_anywhere_takes_no_other_with_it() {
    let (folder, testbed, damaged, other) = two_records();
    let whole = fs::read(folder.record(&damaged)).unwrap();
    for (place, wrong) in (0..whole.len()).zip([0, b'"', b'}', 0xff, b'9'].into_iter().cycle()) {
        let mut content = whole.clone();
        content[place] = wrong;
        assert_other_survives(&folder, &testbed, (&damaged, &other), &content);
    }
}

#[test]
fn what_loads_is_checked_like_an_answer() {
    let (folder, testbed, damaged, other) = two_records();
    let whole = fs::read_to_string(folder.record(&damaged)).unwrap();
    let peer = testbed.target().id();
    let off_the_curve = format!("02{}", "ff".repeat(32));
    for (from, to) in [
        (peer.as_str(), off_the_curve.as_str()),
        ("https://localhost", "http://localhost"),
        (damaged.as_str(), other.as_str()),
        ("\"Awaiting\"", "\"Waiting\""),
        ("\"Awaiting\"", "\"Arrived\""),
        ("\"Awaiting\"", "\"Offered\""),
        ("\"asked\": true", "\"asked\": false"),
    ] {
        assert!(whole.contains(from), "{from}");
        fs::write(folder.record(&damaged), whole.replace(from, to)).unwrap();
        let client = folder.open(&testbed).unwrap();
        assert_eq!(
            unfinished(&client),
            std::slice::from_ref(&other),
            "{from} → {to}"
        );
        drop(client);
        assert_eq!(aside(&folder).len(), 1, "{from} → {to}");
        fs::remove_file(&aside(&folder)[0]).unwrap();
    }
}

#[test]
fn strange_files_are_left_alone() {
    let (folder, testbed, first, second) = two_records();
    let names = ["notes.txt", "settings.json", "download.tmp"];
    for name in names {
        fs::write(folder.path().join(name), "mine").unwrap();
    }
    fs::create_dir(folder.path().join("deeper")).unwrap();
    let client = folder.open(&testbed).unwrap();
    assert_eq!(unfinished(&client), [first, second]);
    for name in names {
        assert_eq!(
            fs::read(folder.path().join(name)).unwrap(),
            b"mine",
            "{name}"
        );
    }
}

/// What one configuration does not allow, the next may: nothing is set aside for it.
#[test]
fn another_configuration_loses_nothing() {
    let (folder, testbed, first, second) = two_records();
    let public_only = ClientConfig {
        allow_private_hosts: false,
        ..folder.config(&testbed)
    };
    let other_chain = ClientConfig {
        network: BitcoinNetwork::Signet,
        ..folder.config(&testbed)
    };
    for config in [public_only, other_chain] {
        let client = ChannelClient::new(Arc::new(PlainNode::default()), config).unwrap();
        assert_eq!(unfinished(&client), [""; 0]);
    }
    let client = folder.open(&testbed).unwrap();
    assert_eq!(unfinished(&client), [first, second]);
}

#[test]
fn a_folder_named_like_a_record_stops_nothing() {
    let (folder, testbed, first, second) = two_records();
    for name in ["x.json", "y.tmp"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        let opened = folder.open(&testbed);
        let client = opened.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(unfinished(&client), [first.clone(), second.clone()]);
    }
}

#[test]
fn in_memory_nothing_is_kept() {
    let scene = PlainScene::with(PlainNode::default(), silent(), hasty_config);
    accept(&scene).unwrap_err();
    assert_eq!(unfinished(&scene.client).len(), 1);
    let next = ChannelClient::new(scene.node.clone(), hasty_config(&scene.testbed)).unwrap();
    assert!(next.unfinished_requests().is_empty());
}
