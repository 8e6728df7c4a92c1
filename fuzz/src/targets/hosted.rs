//! The messages between wallet and host, as bytes.
//!
//! The first byte chooses the type, the second the network; the rest is the payload, the terms of
//! an offer, and the refund script with the secret.

use lnurl_channel_core::protocol::{
    BitcoinNetwork, Error, HostMessage, HostedChannelTerms, INVOKE_HOSTED_CHANNEL, invoke_payload,
    parse_refund_script, read_host_message,
};

use crate::hidden::check_presentable;
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
        Some(Ok(HostMessage::LastCrossSignedState { message })) => {
            assert_eq!(message_type, LAST_CROSS_SIGNED_STATE);
            assert!(message.len() >= 197);
            check_form(payload, &message);
        }
        Some(Ok(HostMessage::Init { terms, message })) => {
            assert_eq!(message_type, INIT);
            assert!(is_fair(&terms));
            assert_eq!(
                terms_at(&message),
                Some(terms),
                "the message has other terms"
            );
            check_form(payload, &message);
        }
        Some(Ok(HostMessage::Error(words))) => {
            assert!(matches!(message_type, HOSTED_ERROR | BOLT1_ERROR));
            if let Some(words) = words {
                assert!(!words.is_empty());
                check_presentable(&words, payload.len());
            }
            if message_type == BOLT1_ERROR {
                check_channel_id(payload);
            }
        }
    }
}

/// The message is the payload, without the length that an older host puts in front.
fn check_form(payload: &[u8], message: &[u8]) {
    let is_legacy = payload.split_first_chunk().is_some_and(|(length, rest)| {
        usize::from(u16::from_be_bytes(*length)) == rest.len() && rest == message
    });
    assert!(is_legacy || payload == message);
}

/// BOLT-1's error counts for all channels, or for the one with this peer.
fn check_channel_id(payload: &[u8]) {
    let of_another = read_host_message(BOLT1_ERROR, payload, OWN, OTHER_PEER);
    assert_eq!(payload[..32] == [0; 32], of_another.is_some());
}

fn is_fair(terms: &HostedChannelTerms) -> bool {
    terms.capacity_msat > 0
        && terms.max_accepted_htlcs > 0
        && terms.initial_client_balance_msat <= terms.capacity_msat
}

/// The offsets of bLIP-17, one by one.
fn terms_at(payload: &[u8]) -> Option<HostedChannelTerms> {
    let u64_at = |at| {
        let bytes = payload.get(at..at + 8)?.try_into().ok()?;
        Some(u64::from_be_bytes(bytes))
    };
    Some(HostedChannelTerms {
        max_htlc_value_in_flight_msat: u64_at(0)?,
        htlc_minimum_msat: u64_at(8)?,
        max_accepted_htlcs: u16::from_be_bytes(payload.get(16..18)?.try_into().ok()?),
        capacity_msat: u64_at(18)?,
        initial_client_balance_msat: u64_at(26)?,
    })
}

/// What a host writes, in either form and whatever follows, is read as it was written.
fn check_terms(bytes: &[u8]) {
    let payload = &bytes[..bytes.len().min(100)];
    let Some(terms) = terms_at(payload) else {
        return;
    };
    let written = is_fair(&terms).then(|| (terms, payload.to_vec()));
    let length = u16::try_from(payload.len()).expect("100 at most");
    let legacy = [&length.to_be_bytes()[..], payload].concat();
    assert_eq!(read_terms(&legacy), written, "legacy");
    // Its first number may look like a legacy length.
    let first = u16::from_be_bytes([payload[0], payload[1]]);
    if usize::from(first) != payload.len() - 2 {
        assert_eq!(read_terms(payload), written);
    }
}

fn read_terms(payload: &[u8]) -> Option<(HostedChannelTerms, Vec<u8>)> {
    match read_host_message(INIT, payload, OWN, PEER) {
        Some(Ok(HostMessage::Init { terms, message })) => Some((terms, message)),
        Some(Err(_)) => None,
        other => panic!("{other:?}"),
    }
}

/// `chain_hash ‖ u16 len ‖ script ‖ u16 len ‖ secret`, and nothing else.
fn check_invoke((network, name): (BitcoinNetwork, &str), bytes: &[u8]) {
    assert_eq!(INVOKE_HOSTED_CHANNEL, 65535);
    let (start, secret) = bytes.split_at(bytes.len().min(34));
    let secret = &secret[..secret.len().min(128)];
    for script in [start, &start[..start.len().min(22)]] {
        let is_p2wpkh = script.len() == 22 && script.starts_with(&[0x00, 0x14]);
        let is_p2wsh = script.len() == 34 && script.starts_with(&[0x00, 0x20]);
        let parsed = parse_refund_script(script.to_vec());
        assert_eq!(parsed.is_ok(), is_p2wpkh || is_p2wsh);
        let Ok(parsed) = parsed else { continue };
        assert_eq!(parsed.as_bytes(), script);
        let expected = [
            &vectors_chain_hash(name)[..],
            &[0, script.len() as u8],
            script,
            &[0, secret.len() as u8],
            secret,
        ];
        assert_eq!(invoke_payload(network, &parsed, secret), expected.concat());
    }
}

fn vectors_chain_hash(name: &str) -> Vec<u8> {
    thread_local! {
        static VECTORS: serde_json::Value = vectors();
    }
    let digits = VECTORS.with(|all| all["chain_hash"][name].as_str().map(str::to_owned));
    hex::decode(digits.expect("a vector for each network")).expect("hex")
}
