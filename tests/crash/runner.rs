//! Kills one process at one place, and looks at what the next one finds.

use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lnurl_channel::{BitcoinNetwork, ChannelClient, ChannelRequestState, ClientConfig};
use lnurl_channel_testbed::{RequestKind, ServiceOffer, Testbed};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::flow::Flow;
use super::process::{
    ASKS_AGAIN, BYSTANDER, BYSTANDERS_PEER, FLOW, FORGOTTEN_CHANNEL, KNOWN_AS_UNREQUESTED, LNURL,
    PEER, PROXY, SAID, SENT_TO_HOST, STORAGE,
};
use super::support::c::compile;
use super::support::listener::Listener;
use super::support::plain::PlainNode;
use super::support::scene::{fetch, start_accept, wait_for_state};
use super::support::{block_on, folder_in_memory};

const SIGKILL: i32 = 9;
/// Names of records that are of no request of the test's.
const UNFINISHED: &str = "11111111111111111111111111111111.tmp";
const DAMAGED: &str = "22222222222222222222222222222222";
const FORGOTTEN: &str = "33333333333333333333333333333333";
/// How the shim marks the places where not all that was written is synced.
const UNSYNCED: &str = " *";

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// Not before its time.
    None,
    /// Killed at the place of this number.
    Kill(usize),
    /// The same, and all that was not synced is lost.
    PowerCut(usize),
}

impl Death {
    fn place(self) -> usize {
        match self {
            Death::None => 0,
            Death::Kill(place) | Death::PowerCut(place) => place,
        }
    }
}

/// What all runs share: one service, the shim, and the record that every folder holds already.
pub struct Setting {
    pub testbed: Testbed,
    root: TempDir,
    shim: PathBuf,
    bystander: String,
    record: String,
}

/// What came of one run.
pub struct Run {
    pub flow: Flow,
    pub offer: u64,
    /// The request, as the second process found it.
    pub found: Option<ChannelRequestState>,
    /// The places that the first process passed.
    pub trace: String,
    /// What both have said.
    pub said: String,
}

impl Setting {
    pub fn new() -> Setting {
        let testbed = Testbed::start().unwrap();
        let root = folder_in_memory();
        // Not in there, from where nothing may be run.
        let shim = Path::new(env!("CARGO_TARGET_TMPDIR")).join("crash-shim.so");
        compile("tests/crash/shim.c", &shim, &["-shared", "-fPIC"]);
        let (bystander, record) = bystander(&testbed, &root.path().join("template"));
        Setting {
            testbed,
            root,
            shim,
            bystander,
            record,
        }
    }

    /// Panics where something is not as it should be.
    pub fn run(&self, flow: Flow, death: Death) -> Run {
        // As the system names it, for the shim compares.
        let outer = fs::canonicalize(self.root.path()).unwrap();
        let outer = outer.join(format!("{flow:?}-{death:?}"));
        let (folder, trace) = (outer.join("requests"), outer.join("trace"));
        self.fill(&folder, flow);
        let offer = self.testbed.service().offer(flow.offer());

        let mut first = self.command(flow, &folder, &offer);
        first
            .env("LD_PRELOAD", &self.shim)
            .env("CRASH_FOLDER", &folder)
            .env("CRASH_TRACE", &trace)
            .env("CRASH_AT", death.place().to_string());
        if matches!(death, Death::PowerCut(_)) {
            first.env("CRASH_POWER", "1");
        }
        let (status, said) = self.end(flow, first, &offer);
        match death {
            Death::None => assert!(status.success(), "{flow:?}: {said}"),
            _ => assert_eq!(status.signal(), Some(SIGKILL), "{flow:?}: {said}"),
        }
        let trace = fs::read_to_string(trace).unwrap();
        let asked = self.callbacks(offer.id) > 0;

        let mut second = self.command(flow, &folder, &offer);
        second.env(SAID, &said);
        let (status, then) = self.end(flow, second, &offer);
        assert!(status.success(), "{flow:?} {death:?}: {said}\n{then}");
        let found = state_in(&then);
        check_claims(flow, found, &trace, &said, asked);
        self.check_files(&folder, flow);
        fs::remove_dir_all(outer).unwrap();
        Run {
            flow,
            offer: offer.id,
            found,
            trace,
            said: said + &then,
        }
    }

    fn fill(&self, folder: &Path, flow: Flow) {
        fs::create_dir_all(folder).unwrap();
        let put = |name: String, content: &str| fs::write(folder.join(name), content).unwrap();
        put(format!("{}.json", self.bystander), &self.record);
        if flow == Flow::Opening {
            put(UNFINISHED.into(), &self.record[..self.record.len() / 2]);
            put(format!("{DAMAGED}.json"), &self.record[..9]);
            put(format!("{FORGOTTEN}.json"), &forgotten(&self.record));
        }
    }

    fn command(&self, flow: Flow, folder: &Path, offer: &ServiceOffer) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["process", "--exact", "--nocapture"])
            .env("RUST_BACKTRACE", "0")
            .env(FLOW, format!("{flow:?}"))
            .env(STORAGE, folder)
            .env(LNURL, &offer.lnurl)
            .env(PROXY, self.testbed.proxy().http_url())
            .env(PEER, self.testbed.target().id())
            .env(BYSTANDER, &self.bystander)
            .env(BYSTANDERS_PEER, self.testbed.stranger().id())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// How it ended, and what it has said. Where the service stays silent, it is told when that has
    /// its callback.
    fn end(&self, flow: Flow, mut command: Command, offer: &ServiceOffer) -> (ExitStatus, String) {
        let before = self.callbacks(offer.id);
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().filter(|_| flow == Flow::Paused);
        while stdin.is_some() && child.try_wait().unwrap().is_none() {
            if self.callbacks(offer.id) > before {
                // It may be dead by now.
                let _ = stdin.take().unwrap().write_all(b"\n");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let output = child.wait_with_output().unwrap();
        (output.status, String::from_utf8(output.stderr).unwrap())
    }

    /// The callbacks of an offer so far that are no cancels.
    pub fn callbacks(&self, offer: u64) -> usize {
        let mut count = 0;
        let counted = self
            .testbed
            .service()
            .wait_for_requests(Duration::ZERO, |requests| {
                let asks = requests.iter().filter(|request| {
                    let is_callback = request.kind == RequestKind::Callback;
                    let of_offer = request.offer_id == Some(offer);
                    is_callback && of_offer && !request.target.contains("cancel=1")
                });
                count = asks.count();
                false
            });
        assert!(counted.is_none());
        count
    }

    /// Nothing is left half done, and what was there before is there to the letter.
    fn check_files(&self, folder: &Path, flow: Flow) {
        let bystander = fs::read_to_string(folder.join(format!("{}.json", self.bystander)));
        assert_eq!(bystander.unwrap(), self.record);
        let names = fs::read_dir(folder).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut odd: Vec<String> = names.filter(|name| !name.ends_with(".json")).collect();
        odd.sort();
        let mut expected = vec![".lock".to_owned()];
        if flow == Flow::Opening {
            expected.push(format!("{DAMAGED}.damaged"));
            assert!(!folder.join(format!("{FORGOTTEN}.json")).exists());
        }
        assert_eq!(odd, expected);
    }
}

/// A request to another node that awaits its channel: its id and its record.
fn bystander(testbed: &Testbed, folder: &Path) -> (String, String) {
    let config = ClientConfig {
        network: BitcoinNetwork::Regtest,
        storage_dir: Some(folder.to_str().unwrap().to_owned()),
        proxy: Some(testbed.proxy().http_url()),
        allow_private_hosts: true,
        ..ClientConfig::default()
    };
    let (node, listener) = (Arc::<PlainNode>::default(), Arc::<Listener>::default());
    let client = ChannelClient::new(Box::new(node), Box::new(listener), config).unwrap();
    let offer = testbed.service().offer(Flow::Arrives.offer());
    let request = fetch(&client, &offer.lnurl).unwrap();
    let call = start_accept(&request);
    wait_for_state(&request, ChannelRequestState::Awaiting);
    request.pause();
    call.end().unwrap_err();
    block_on(client.shutdown());
    let id = request.request_id();
    let record = fs::read_to_string(folder.join(format!("{id}.json"))).unwrap();
    let (target, other) = (testbed.target().id(), testbed.stranger().id());
    // The one that is to be forgotten was asked before it.
    let (first, second) = ("\"order\": 1,", "\"order\": 2,");
    assert!(record.contains(&target) && record.contains(first));
    let record = record.replace(&target, &other);
    (id, record.replace(first, second))
}

/// The record of a request whose channel was ready 31 days ago.
fn forgotten(bystander: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let then = now.as_secs() - 31 * 24 * 60 * 60;
    let mut record: Value = serde_json::from_str(bystander).unwrap();
    record["request_id"] = FORGOTTEN.into();
    record["credentials"] = Value::Null;
    record["progress"] = "Arrived".into();
    record["at_seconds"] = then.into();
    record["contact"]["asked_at_seconds"] = then.into();
    record["contact"]["order"] = 1.into();
    record["arrival"] = json!({
        "channel_id": FORGOTTEN_CHANNEL,
        "stage": "Ready",
        "verdict": "Expected",
    });
    record["is_dismissed"] = true.into();
    record.to_string()
}

fn state_in(said: &str) -> Option<ChannelRequestState> {
    let state = said.lines().find_map(|line| line.strip_prefix("state "));
    let state = state.expect("the second process says what it found");
    let known = Flow::ALL.iter().flat_map(|flow| flow.path());
    let mut found = known.filter(|known| format!("{known:?}") == state);
    *found
        .next()
        .unwrap_or_else(|| panic!("no flow leads to {state}"))
}

/// The record claims no less than was sent and than the wallet was told, and no more than happened.
fn check_claims(
    flow: Flow,
    found: Option<ChannelRequestState>,
    trace: &str,
    said: &str,
    service_was_asked: bool,
) {
    use ChannelRequestState::{Awaiting, Cancelled, Offered, Refused};
    let what = || format!("{flow:?} found {found:?} after {said}{trace}");
    let host_was_asked = said.lines().any(|line| line == SENT_TO_HOST);
    let asked = service_was_asked || host_was_asked;
    if asked || trace.contains("send callback") {
        assert!(!matches!(found, None | Some(Offered)), "{}", what());
    }
    if trace.contains("send cancel") {
        assert_eq!(found, Some(Cancelled), "{}", what());
    }
    if matches!(found, Some(Awaiting | Refused)) {
        assert!(asked, "{}", what());
    }
    let path = flow.path();
    let mut at = 0;
    for state in said.lines().filter_map(|line| line.strip_prefix("told ")) {
        let further = path[at..].iter().position(|on| format!("{on:?}") == state);
        at += further.unwrap_or_else(|| panic!("{state} is not on the way: {}", what()));
    }
    assert!(path[at..].contains(&found), "{}", what());
    if flow != Flow::Unrequested {
        assert!(!said.contains(KNOWN_AS_UNREQUESTED));
    }
}

impl Run {
    /// How often the user asked, on top of once.
    pub fn asked_again(&self) -> usize {
        self.said.lines().filter(|line| *line == ASKS_AGAIN).count()
    }

    pub fn sent_to_host(&self) -> usize {
        let sent = self.said.lines().filter(|line| *line == SENT_TO_HOST);
        sent.count()
    }

    /// The numbers of the places, and whether what was written there is not all synced.
    pub fn places(&self) -> impl Iterator<Item = (usize, bool)> {
        let lines = self.trace.lines().enumerate();
        lines.map(|(index, line)| (index + 1, line.ends_with(UNSYNCED)))
    }

    /// The records that were written, each in whole and in the right order.
    pub fn journal_writes(&self) -> usize {
        let of_folder = |line: &&str| !line.contains(" connect ") && !line.contains(" send ");
        let lines: Vec<&str> = self.trace.lines().filter(of_folder).collect();
        let mut writes = 0;
        for (start, line) in lines.iter().enumerate() {
            let opened = line.strip_prefix("before open ");
            let Some(name) = opened.and_then(|file| file.strip_suffix(".tmp")) else {
                continue;
            };
            let is_damaged = |line: &&str| line.ends_with(&format!("{name}.damaged"));
            let extension = match lines.iter().any(is_damaged) {
                true => "damaged",
                false => "json",
            };
            let whole = whole_write(name, extension);
            assert_eq!(lines[start..start + whole.len()], whole);
            writes += 1;
        }
        writes
    }
}

fn whole_write(name: &str, extension: &str) -> [String; 10] {
    [
        format!("before open {name}.tmp"),
        format!("before write {name}.tmp"),
        format!("within write {name}.tmp *"),
        format!("within write {name}.tmp *"),
        format!("within write {name}.tmp *"),
        format!("before fsync {name}.tmp *"),
        format!("before rename {name}.{extension}"),
        "before open . *".to_owned(),
        "before fsync . *".to_owned(),
        "after fsync .".to_owned(),
    ]
}
