//! The journal's records: any bytes may lie in the folder, and what is taken from them is kept.
//!
//! The input is a record, of a request or of a peer's verdicts, of this edition or the first.

use std::time::Duration;

use lnurl_channel_core::internals::{
    Loaded, Rules, Unreadable, read, read_unrequested_channels, read_verdicts, redacted, write,
    write_verdicts,
};
use lnurl_channel_core::protocol::{BitcoinNetwork, ChannelVisibility};
use lnurl_channel_core::{
    ChannelRequestSnapshot, ChannelRequestState, Client, History, Input, Now, Output, Settings,
    Stored, Waiter, receipt,
};
use serde_json::{Value, json};

use crate::samples::PEER;
use crate::world::{Disk, SETTINGS, START};

const NETWORKS: [(&str, BitcoinNetwork); 5] = [
    ("Bitcoin", BitcoinNetwork::Bitcoin),
    ("Testnet", BitcoinNetwork::Testnet),
    ("Testnet4", BitcoinNetwork::Testnet4),
    ("Signet", BitcoinNetwork::Signet),
    ("Regtest", BitcoinNetwork::Regtest),
];

/// Of this edition's `progress`, and the first one's `state`.
const NAMES: [&str; 11] = [
    "Accepted",
    "Asked",
    "Arrived",
    "Refused",
    "Cancelled",
    "Offered",
    "Connecting",
    "Requesting",
    "Awaiting",
    "OutcomeUnknown",
    "Declined",
];

/// What a redacted record must not show.
const MARK: &str = "fuzzmark-1";

const NOW: Now = Now {
    since_start: Duration::ZERO,
    unix_millis: START * 1000,
};

pub fn run(input: &[u8]) {
    check_verdicts(input);
    let record: Value = serde_json::from_slice(input).unwrap_or_default();
    check_redacted(input, &record);
    check_record(input, &record);
    if record.is_object() {
        check_other_names(record);
    }
}

/// Under the name and in the network that it says itself, lest nearly all be refused.
fn check_record(input: &[u8], record: &Value) {
    let name = record["request_id"].as_str().unwrap_or_default();
    let network = NETWORKS.iter().find(|(name, _)| record["network"] == *name);
    let network = network.map_or(BitcoinNetwork::Bitcoin, |(_, network)| *network);
    let rules = |allow_private_hosts| Rules {
        network,
        allow_private_hosts,
    };
    let strict = read(name, input, rules(false), NOW);
    let lax = read(name, input, rules(true), NOW);
    if strict != Err(Unreadable::NotNow) {
        assert_eq!(strict, lax);
    }
    let Ok(loaded) = lax else { return };
    assert_eq!(loaded.record.id.to_string(), name);
    check_claims(record, &loaded);
    check_written(name, &loaded, rules(true));
    check_not_ours(input, name, rules(true));
    check_loaded(name, input, &loaded, network);
}

/// A record says whether anybody was asked, in either edition, and is taken at its word.
fn check_claims(record: &Value, loaded: &Loaded) {
    // A plain reader refuses a number that is too large.
    if !record.is_object() {
        return;
    }
    let was_asked = match record["version"].as_u64() {
        Some(1) => record["asked"] == true,
        _ => !record["contact"].is_null(),
    };
    let contact = loaded.record.progress.contact();
    assert_eq!(contact.is_some(), was_asked, "{record}");
}

/// What was taken is written, and read back as it is.
fn check_written(name: &str, loaded: &Loaded, rules: Rules) {
    let written = write(&loaded.record).expect("nothing is kept of what was kept");
    let again = read(name, written.as_bytes(), rules, NOW).expect("our own record");
    assert_eq!(again.record, loaded.record);
    assert!(!again.needs_writing, "{written}");
    assert!(again.verdicts.is_empty(), "they have a record of their own");
}

fn check_not_ours(input: &[u8], name: &str, rules: Rules) {
    let other = format!("{:0>32}", "7");
    for renamed in [&format!("{name}x"), &other, &name.to_ascii_uppercase()] {
        if renamed != name {
            let renamed = read(renamed, input, rules, NOW);
            assert_eq!(renamed, Err(Unreadable::Damaged));
        }
    }
    for (_, network) in NETWORKS {
        if network != rules.network {
            let rules = Rules { network, ..rules };
            assert_eq!(read(name, input, rules, NOW), Err(Unreadable::NotNow));
        }
    }
}

/// A client takes it, or has forgotten it by now; and what was asked is not asked again.
fn check_loaded(name: &str, input: &[u8], loaded: &Loaded, network: BitcoinNetwork) {
    let stored = Stored {
        name: name.to_owned(),
        content: Some(input.to_vec()),
    };
    let settings = Settings {
        network,
        allow_private_hosts: true,
        ..SETTINGS
    };
    let mut client = Client::new(settings, Disk::default(), NOW, vec![stored]);
    assert!(client.journal_mut().set_aside.is_empty());
    let Some(Output::Changed {
        snapshot, history, ..
    }) = client.poll_output()
    else {
        return;
    };
    check_receipt(&snapshot, &history);
    let was_asked = loaded.record.progress.contact().is_some();
    let denies = snapshot.state == ChannelRequestState::Offered;
    assert_eq!(denies, !was_asked, "{snapshot:?}");
    let accept = Input::Accept {
        waiter: Waiter(0),
        request: loaded.record.id,
        visibility: ChannelVisibility::Unannounced,
    };
    client.handle(NOW, accept);
    while let Some(output) = client.poll_output() {
        if let Output::Changed { snapshot, .. } = output {
            let asks = snapshot.state == ChannelRequestState::Connecting;
            assert_eq!(asks, !was_asked, "{snapshot:?}");
        }
    }
}

/// Whatever the journal says, a receipt can be sent.
fn check_receipt(snapshot: &ChannelRequestSnapshot, history: &History) {
    let receipt = receipt(snapshot, history);
    assert!(receipt.len() < 64 * 1024, "{} bytes", receipt.len());
    let read: Value = serde_json::from_str(&receipt).expect("a receipt is JSON");
    assert_eq!(read["request_id"], *snapshot.request_id);
    for key in ["k1", "callback", "lnurl", "credentials", "refund_script"] {
        assert_eq!(read.get(key), None);
    }
}

/// The same record under any other name of its progress: no mutation would hit upon one.
fn check_other_names(mut record: Value) {
    for name in NAMES {
        record["progress"] = name.into();
        record["state"] = name.into();
        check_record(record.to_string().as_bytes(), &record);
    }
}

fn check_verdicts(input: &[u8]) {
    if let Ok(channels) = read_verdicts(PEER, input) {
        let written = write_verdicts(PEER, &channels);
        assert_eq!(read_verdicts(PEER, written.as_bytes()), Ok(channels));
    }
    if let Ok(channels) = read_unrequested_channels(input) {
        assert!(
            channels
                .iter()
                .all(|(peer, id)| peer.len() == 66 && !id.is_empty())
        );
    }
}

/// A damaged record is kept without what may be a secret, whatever else it says.
fn check_redacted(input: &[u8], record: &Value) {
    let shown = redacted(input);
    assert!(shown.len() <= 3 * input.len() + 3, "it has grown");
    if !record.is_object() || contains(input, "fuzzm") {
        return;
    }
    let mut marked = record.clone();
    marked["credentials"] =
        json!({ "k1": MARK, "lnurl": MARK, "callback": [MARK, { MARK: MARK }] });
    marked["refund_script"] = MARK.into();
    marked[MARK] = json!({ "state": MARK.replace('-', "/"), "x": MARK });
    for text in [marked.to_string(), format!("{marked:#}")] {
        // Cut anywhere, as a full disk cuts it.
        let end = text.len() - input.len() % text.len();
        let cut = text.as_bytes().get(..end).unwrap_or_default();
        for bytes in [text.as_bytes(), cut] {
            let shown = redacted(bytes);
            assert!(!shown.contains("fuzzm"), "{shown}");
        }
    }
}

fn contains(bytes: &[u8], wanted: &str) -> bool {
    let wanted = wanted.as_bytes();
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
