//! The records that version 0.1 left, put where a client of today finds them.

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use lnurl_channel::{
    BitcoinNetwork, ChannelClient, ChannelKind, ChannelRequestSnapshot, ChannelRequestState,
    ChannelStage, ChannelVerdict, ChannelVisibility, ClientConfig,
};
use serde_json::Value;
use tempfile::TempDir;

use ChannelRequestState::{Arrived, Awaiting, Cancelled, Offered, OutcomeUnknown, Refused};
use support::block_on;
use support::listener::Listener;
use support::plain::PlainNode;
use support::wallet::channel;

const ID: &str = "00112233445566778899aabbccddeeff";
const PEER: &str = "02864ef025fde8fb587d989186ce6a4a186895ee44a926bfc370e2c366597a3f8f";
const UNREQUESTED: &str = "unrequested-channels";

/// What 0.1's records of funded offers become: a state, and whether the user has seen it. None is kept
/// where nobody was asked and the user said no.
const FUNDED: [(&str, Option<(ChannelRequestState, bool)>); 17] = [
    ("offered", Some((Offered, false))),
    ("connecting", Some((Offered, false))),
    ("requesting", Some((OutcomeUnknown, false))),
    ("awaiting", Some((Awaiting, false))),
    ("awaiting-after-a-mismatch", Some((Awaiting, false))),
    ("outcome-unknown", Some((OutcomeUnknown, false))),
    ("outcome-unknown-asked-twice", Some((OutcomeUnknown, false))),
    ("refused", Some((Refused, false))),
    ("refused-and-returned", Some((Refused, true))),
    ("arrived-proposed", Some((Awaiting, false))),
    ("arrived-proposed-unanswered", Some((OutcomeUnknown, false))),
    ("arrived-funded", Some((Arrived, false))),
    ("arrived-funded-announced", Some((Arrived, true))),
    ("declined", None),
    ("declined-after-asking", Some((Cancelled, true))),
    ("cancelled-while-connecting", None),
    ("cancelled", Some((Cancelled, true))),
];

const HOSTED: [(&str, Option<(ChannelRequestState, bool)>); 7] = [
    ("hosted-connecting", Some((Offered, false))),
    ("hosted-awaiting", Some((Awaiting, false))),
    ("hosted-outcome-unknown", Some((OutcomeUnknown, false))),
    ("hosted-arrived-offered", Some((Arrived, false))),
    ("hosted-arrived-exists", Some((Arrived, true))),
    ("hosted-offered-in-the-lnurl", Some((Awaiting, false))),
    ("hosted-cancelled", Some((Cancelled, true))),
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("core/src/record/tests/fixtures/0.1")
}

fn now_seconds() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since_1970.as_secs()
}

/// The offer was fetched an hour ago, and what became of it came a minute later: what is a day old, or
/// thirty, is not kept.
fn lately(text: &str) -> String {
    let mut record: Value = serde_json::from_str(text).unwrap();
    let created_at = now_seconds() - 60 * 60;
    record["created_at_millis"] = (created_at * 1000).into();
    if record["ended_at"].is_u64() {
        record["ended_at"] = (created_at + 60).into();
    }
    record.to_string()
}

/// A wallet with a record of 0.1. All that its client would send goes to a proxy that must hear nothing.
struct Wallet {
    folder: TempDir,
    proxy: TcpListener,
}

impl Wallet {
    fn with(fixture: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = fs::read_to_string(fixtures().join(format!("{fixture}.json"))).unwrap();
        let (name, text) = match fixture {
            UNREQUESTED => (UNREQUESTED, text),
            _ => (ID, lately(&text)),
        };
        fs::write(folder.path().join(format!("{name}.json")), text).unwrap();
        let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
        proxy.set_nonblocking(true).unwrap();
        Self { folder, proxy }
    }

    /// Open a client, look at it, and let it go. It asked nobody for anything.
    fn open<T>(&self, look: impl FnOnce(&ChannelClient) -> T) -> T {
        let proxy = self.proxy.local_addr().unwrap();
        let config = ClientConfig {
            network: BitcoinNetwork::Regtest,
            storage_dir: Some(self.folder.path().to_str().unwrap().to_owned()),
            proxy: Some(format!("socks5h://{proxy}")),
            ..ClientConfig::default()
        };
        let (node, listener) = (Arc::new(PlainNode::default()), Arc::<Listener>::default());
        let client =
            ChannelClient::new(Box::new(node.clone()), Box::new(listener.clone()), config).unwrap();
        let seen = look(&client);
        // Nothing can follow this.
        block_on(client.shutdown());
        let sent = self.proxy.accept().map_err(|error| error.kind());
        assert_eq!(sent.unwrap_err(), ErrorKind::WouldBlock);
        assert_eq!(node.called.all(), [], "the node was called");
        assert_eq!(listener.heard.all(), [], "nothing has happened");
        seen
    }

    fn files(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.contains("lock")).collect()
    }

    fn version(&self, name: &str) -> Value {
        let text = fs::read_to_string(self.folder.path().join(format!("{name}.json"))).unwrap();
        let record: Value = serde_json::from_str(&text).unwrap();
        record["version"].clone()
    }
}

/// What `requests` and `request` tell of the only request, which agree.
fn shown(client: &ChannelClient) -> Option<ChannelRequestSnapshot> {
    let all = client.requests();
    let found = client.request(ID.to_owned());
    let found = found.map(|request| request.snapshot());
    assert_eq!(all, Vec::from_iter(found.clone()));
    found
}

#[test]
fn each_record_of_0_1_shows_its_state_and_sends_nothing() {
    let of_kind = |cases: &'static [(&str, _)], kind| cases.iter().map(move |case| (case, kind));
    let funded = of_kind(&FUNDED, ChannelKind::Funded);
    let hosted = of_kind(&HOSTED, ChannelKind::Hosted);
    for ((name, expected), kind) in funded.chain(hosted) {
        let wallet = Wallet::with(name);
        let first = wallet.open(shown);
        let Some((state, is_dismissed)) = *expected else {
            assert_eq!(first, None, "{name}");
            assert_eq!(wallet.files(), BTreeSet::new(), "{name}");
            continue;
        };
        let first = first.unwrap_or_else(|| panic!("{name} is not shown"));
        assert_eq!(
            (first.state, first.is_dismissed, first.offer.kind),
            (state, is_dismissed, kind),
            "{name}"
        );
        assert!(!first.is_running && !first.is_peer_connected, "{name}");
        assert_eq!(first.offer.peer.node_id, PEER, "{name}");
        let was_asked = state != Offered && kind == ChannelKind::Funded;
        let visibility = was_asked.then_some(ChannelVisibility::Unannounced);
        assert_eq!(first.visibility, visibility, "{name}");
        assert!(
            first.created_at_seconds <= now_seconds() - 60 * 60,
            "{name}"
        );
        let channel = first.channel.as_ref();
        let channel_id = channel.and_then(|channel| channel.channel_id.clone());
        let has_channel = name.starts_with("arrived-funded");
        assert_eq!(channel_id, has_channel.then(|| "f1".repeat(32)), "{name}");
        let terms = first.hosted_terms.as_ref();
        let capacity = (*name == "hosted-arrived-offered").then_some(1_000_000);
        assert_eq!(terms.map(|terms| terms.capacity_msat), capacity, "{name}");

        // It was stored anew meanwhile, and shows the same.
        assert_eq!(wallet.version(ID), 2, "{name}");
        assert_eq!(wallet.open(shown), Some(first), "{name}");
    }
}

#[test]
fn the_host_that_a_user_of_0_1_agreed_to_is_shown() {
    for (name, service) in [
        ("awaiting", Some("service.example:8443")),
        ("cancelled", Some("service.example")),
        ("hosted-awaiting", Some("service.example")),
        ("hosted-offered-in-the-lnurl", None),
    ] {
        let offer = Wallet::with(name).open(shown).unwrap().offer;
        assert_eq!(offer.service.as_deref(), service, "{name}");
        assert_eq!(offer.answered_by, None, "{name}");
    }
}

#[test]
fn what_0_1_knew_of_channels_is_still_known() {
    let verdict = |client: &ChannelClient, peer: &str, id: &str| {
        let id = id.repeat(32);
        client.report_incoming_channel(channel(peer, ChannelStage::Funded, &id))
    };
    let request_id = ID.to_owned();
    let duplicate = ChannelVerdict::Duplicate { request_id };
    let request_id = ID.to_owned();
    let expected = ChannelVerdict::Expected { request_id };
    let request_id = ID.to_owned();
    let unwanted = ChannelVerdict::Unwanted { request_id };
    for (name, id, verdict_before) in [
        ("arrived-funded", "f1", &expected),
        ("arrived-funded", "f2", &duplicate),
        ("cancelled", "a1", &unwanted),
        (UNREQUESTED, "f1", &ChannelVerdict::Unrequested),
    ] {
        let wallet = Wallet::with(name);
        for _start in 0..2 {
            let told = wallet.open(|client| verdict(client, PEER, id));
            assert_eq!(told, *verdict_before, "{name}, {id}");
        }
    }
    // The channels that nobody asked for are now kept by peer.
    let wallet = Wallet::with(UNREQUESTED);
    assert_eq!(wallet.open(shown), None);
    let own = "0331f80652fb840239df8dc99205792bba2e559a05469915804c08420230e23c7c";
    let of_peers = [PEER, own].map(|peer| format!("{peer}.json"));
    assert_eq!(wallet.files(), BTreeSet::from(of_peers));
}

#[test]
fn no_fixture_is_left_out() {
    let listed = FUNDED.iter().chain(&HOSTED).map(|(name, _)| *name);
    let listed: BTreeSet<String> = listed.chain([UNREQUESTED]).map(str::to_owned).collect();
    let entries = fs::read_dir(fixtures()).unwrap();
    let there = entries.map(|entry| entry.unwrap().path());
    let there = there.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    assert_eq!(there.collect::<BTreeSet<_>>(), listed);
}
