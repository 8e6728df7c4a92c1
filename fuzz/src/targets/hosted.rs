//! The messages between wallet and host, as bytes.
//!
//! The first byte chooses the type, the second the network; the rest is the payload, the terms of
//! an offer, and the refund script with the secret.

use crate::hidden::check_presentable;
use crate::protocol::{
    BitcoinNetwork, Error, HostMessage, HostedChannelTerms, INVOKE_HOSTED_CHANNEL,
    check_refund_script, invoke_payload, read_host_message,
};
use crate::samples::{OTHER_PEER, OWN, PEER, vectors};

const INIT: u16 = 65533;
const LAST_CROSS_SIGNED_STATE: u16 = 65531;
const HOSTED_ERROR: u16 = 63497;
const BOLT1_ERROR: u16 = 17;
const TYPES: [u16; 4] = [INIT, LAST_CROSS_SIGNED_STATE, HOSTED_ERROR, BOLT1_ERROR];

const NETWORKS: [(BitcoinNetwork, &str); 5] = [
    (BitcoinNetwork::Bitcoin, "Bitcoin"),
    (BitcoinNetwork::Testnet, "Testnet"),
    (BitcoinNetwork::Testnet4, "Testnet4"),
    (BitcoinNetwork::Signet, "Signet"),
    (BitcoinNetwork::Regtest, "Regtest"),
];

pub fn run(input: &[u8]) {
    let [kind, network, rest @ ..] = input else {
        return;
    };
    let message_type = match TYPES.get(usize::from(*kind & 7)) {
        Some(known) => *known,
        None => u16::from_be_bytes([*kind, *network]),
    };
    check_message(message_type, rest);
    check_terms(rest);
    check_invoke(NETWORKS[usize::from(*network) % NETWORKS.len()], rest);
}

fn check_message(message_type: u16, payload: &[u8]) {
    let message = read_host_message(message_type, payload, OWN, PEER);
    // The channel between two is the same from either end.
    let turned = read_host_message(message_type, payload, PEER, OWN);
    assert_eq!(message, turned);
    let is_ours = TYPES.contains(&message_type);
    match message {
        None => assert!(!is_ours || message_type == BOLT1_ERROR, "not ours?"),
        Some(Err(Error::InvalidResponse(_))) => assert!(is_ours),
        Some(Err(other)) => panic!("{other:?}"),
        Some(Ok(HostMessage::LastCrossSignedState)) => {
            assert!(message_type == LAST_CROSS_SIGNED_STATE && !payload.is_empty());
        }
        Some(Ok(HostMessage::Init(terms))) => {
            assert_eq!(message_type, INIT);
            check_fair(&terms);
            let forms = [payload.get(2..).unwrap_or_default(), payload];
            let told = forms.iter().filter_map(|form| terms_at(form));
            assert!(told.into_iter().any(|told| told == terms), "{terms:?}");
        }
        Some(Ok(HostMessage::Error(reason))) => {
            assert!(matches!(message_type, HOSTED_ERROR | BOLT1_ERROR));
            assert!(!reason.is_empty());
            check_presentable(&reason, payload.len());
            if message_type == BOLT1_ERROR {
                check_channel_id(payload);
            }
        }
    }
}

/// BOLT-1's error counts for all channels, or for the one with this peer.
fn check_channel_id(payload: &[u8]) {
    let of_another = read_host_message(BOLT1_ERROR, payload, OWN, OTHER_PEER);
    assert_eq!(payload[..32] == [0; 32], of_another.is_some());
}

fn check_fair(terms: &HostedChannelTerms) {
    assert!(terms.capacity_msat > 0);
    assert!(terms.max_accepted_htlcs > 0);
    assert!(terms.initial_client_balance_msat <= terms.capacity_msat);
}

/// The offsets of bLIP-17, one by one.
fn terms_at(payload: &[u8]) -> Option<HostedChannelTerms> {
    let u64_at = |at| {
        Some(u64::from_be_bytes(
            payload.get(at..at + 8)?.try_into().ok()?,
        ))
    };
    let u16_at = |at| {
        Some(u16::from_be_bytes(
            payload.get(at..at + 2)?.try_into().ok()?,
        ))
    };
    let features = usize::from(u16_at(34)?);
    payload.get(36..36 + features)?;
    Some(HostedChannelTerms {
        max_htlc_value_in_flight_msat: u64_at(0)?,
        htlc_minimum_msat: u64_at(8)?,
        max_accepted_htlcs: u16_at(16)?,
        capacity_msat: u64_at(18)?,
        initial_client_balance_msat: u64_at(26)?,
    })
}

/// What a host writes, in either form and with more behind it, is read as it was written.
fn check_terms(bytes: &[u8]) {
    let Some((numbers, features)) = bytes.split_first_chunk::<34>() else {
        return;
    };
    let features = &features[..features.len().min(64)];
    let length = u16::try_from(features.len()).expect("64 at most");
    let payload = [&numbers[..], &length.to_be_bytes(), features].concat();
    let terms = terms_at(&payload).expect("it was just written");
    let is_fair = terms.capacity_msat > 0
        && terms.max_accepted_htlcs > 0
        && terms.initial_client_balance_msat <= terms.capacity_msat;

    let legacy_length = u16::try_from(payload.len()).expect("100 at most");
    let legacy = [&legacy_length.to_be_bytes()[..], &payload].concat();
    assert_eq!(read_terms(&legacy), is_fair.then_some(terms), "legacy");
    // Its first number may look like a legacy length.
    let is_ambiguous = |payload: &[u8]| {
        let length = u16::from_be_bytes([payload[0], payload[1]]);
        usize::from(length) == payload.len() - 2
    };
    for payload in [payload.clone(), [&payload[..], b"more"].concat()] {
        if !is_ambiguous(&payload) {
            assert_eq!(read_terms(&payload), is_fair.then_some(terms));
        }
    }
}

fn read_terms(payload: &[u8]) -> Option<HostedChannelTerms> {
    match read_host_message(INIT, payload, OWN, PEER) {
        Some(Ok(HostMessage::Init(terms))) => Some(terms),
        Some(Err(_)) => None,
        other => panic!("{other:?}"),
    }
}

/// `chain_hash ‖ u16 len ‖ script ‖ u16 len ‖ secret`, and nothing else.
fn check_invoke((network, name): (BitcoinNetwork, &str), bytes: &[u8]) {
    assert_eq!(INVOKE_HOSTED_CHANNEL, 65535);
    let (script, secret) = bytes.split_at(bytes.len().min(34));
    check_script(script);
    check_script(&script[..script.len().min(22)]);
    let secret = &secret[..secret.len().min(128)];
    let payload = invoke_payload(network, script, secret);
    let chain = vectors_chain_hash(name);
    let expected = [
        &chain[..],
        &[0, script.len() as u8],
        script,
        &[0, secret.len() as u8],
        secret,
    ];
    assert_eq!(payload, expected.concat());
}

fn check_script(script: &[u8]) {
    let is_p2wpkh = script.len() == 22 && script.starts_with(&[0x00, 0x14]);
    let is_p2wsh = script.len() == 34 && script.starts_with(&[0x00, 0x20]);
    assert_eq!(check_refund_script(script).is_ok(), is_p2wpkh || is_p2wsh);
}

fn vectors_chain_hash(name: &str) -> Vec<u8> {
    thread_local! {
        static VECTORS: serde_json::Value = vectors();
    }
    let digits = VECTORS.with(|all| all["chain_hash"][name].as_str().map(str::to_owned));
    hex::decode(digits.expect("a vector for each network")).expect("hex")
}
