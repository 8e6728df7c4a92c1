//! The journal's records: any bytes may lie in the folder, and what is taken from them is kept.
//!
//! The input is a record.

use serde_json::Value;

use crate::flow::{ChannelRequestState, Input, Request};
use crate::protocol::{BitcoinNetwork, ChannelVisibility};
use crate::record::{Rules, Unreadable, read, read_unrequested, write, write_unrequested};

const NETWORKS: [(&str, BitcoinNetwork); 5] = [
    ("Bitcoin", BitcoinNetwork::Bitcoin),
    ("Testnet", BitcoinNetwork::Testnet),
    ("Testnet4", BitcoinNetwork::Testnet4),
    ("Signet", BitcoinNetwork::Signet),
    ("Regtest", BitcoinNetwork::Regtest),
];

const STATES: [&str; 9] = [
    "Offered",
    "Connecting",
    "Requesting",
    "Awaiting",
    "OutcomeUnknown",
    "Refused",
    "Arrived",
    "Declined",
    "Cancelled",
];

pub fn run(input: &[u8]) {
    check_unrequested(input);
    // Under the name and in the network that it says itself, lest nearly all be refused.
    let record: Value = serde_json::from_slice(input).unwrap_or_default();
    let name = record["request_id"].as_str().unwrap_or("r");
    let network = NETWORKS.iter().find(|(name, _)| record["network"] == *name);
    let network = network.map_or(BitcoinNetwork::Bitcoin, |(_, network)| *network);
    let rules = |allow_private_hosts| Rules {
        network,
        allow_private_hosts,
    };
    let strict = read(name, input, rules(false));
    let lax = read(name, input, rules(true));
    if strict != Err(Unreadable::NotNow) {
        assert_eq!(strict, lax);
    }
    let Ok(request) = lax else { return };
    assert_eq!(request.id, name);
    check_request(&record, &request, rules(true));
    check_not_ours(input, name, rules(true));
    check_other_claims(record.clone(), name, rules(true));
}

fn check_request(record: &Value, request: &Request, rules: Rules) {
    check_claims(record, request);
    check_written(request, rules);
    check_accept(request);
}

/// The same record with any other state: no mutation would hit upon a name.
fn check_other_claims(mut record: Value, name: &str, rules: Rules) {
    if !record.is_object() {
        return;
    }
    for (state, asked) in STATES.iter().flat_map(|s| [(s, false), (s, true)]) {
        record["state"] = (*state).into();
        record["asked"] = asked.into();
        if let Ok(request) = read(name, record.to_string().as_bytes(), rules) {
            check_request(&record, &request, rules);
        }
    }
}

/// A record never claims less than was sent.
fn check_claims(record: &Value, request: &Request) {
    use ChannelRequestState::{Cancelled, Connecting, Declined, Offered, Requesting};
    let progress = &request.progress;
    assert_ne!(progress.state, Requesting, "nothing is in flight");
    match progress.state {
        Offered | Connecting => assert!(!progress.asked, "a state that denies it was asked"),
        Declined | Cancelled => {}
        state => assert!(progress.asked, "{state:?}, and not asked"),
    }
    // A plain reader refuses a number that is too large.
    if record.is_object() {
        assert_eq!(record["asked"], progress.asked);
        assert_eq!(record["agreed"], progress.agreed);
        assert_eq!(record["returned"], progress.returned);
    }
    assert!(request.accepted && !request.is_running());
}

/// What was accepted is written back equal.
fn check_written(request: &Request, rules: Rules) {
    let written = write(request);
    let again = read(&request.id, written.as_bytes(), rules).expect("our own record");
    let mut kept = request.clone();
    if request.is_done() {
        kept.credentials = None;
    }
    assert_eq!(again, kept);
    assert_eq!(write(&again), written);
}

fn check_not_ours(input: &[u8], name: &str, rules: Rules) {
    let renamed = read(&format!("{name}x"), input, rules);
    assert_eq!(renamed, Err(Unreadable::Damaged));
    for (_, network) in NETWORKS {
        if network != rules.network {
            let rules = Rules { network, ..rules };
            assert_eq!(read(name, input, rules), Err(Unreadable::NotNow));
        }
    }
}

/// To ask again denies nothing.
fn check_accept(request: &Request) {
    let mut accepted = request.clone();
    let accept = Input::Accept(ChannelVisibility::Unannounced);
    if accepted.step(0, accept).is_err() {
        assert_eq!(accepted, *request, "an error changed the request");
        return;
    }
    assert_eq!(accepted.progress.asked, request.progress.asked);
    let denies = accepted.state() == ChannelRequestState::Connecting;
    assert_eq!(denies, !request.progress.asked);
}

fn check_unrequested(input: &[u8]) {
    if let Ok(channels) = read_unrequested(input) {
        let written = write_unrequested(&channels);
        assert_eq!(read_unrequested(written.as_bytes()), Ok(channels));
    }
}
