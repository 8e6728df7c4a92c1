//! The messages between wallet and host (LUD-07, bLIP-17).

use sha2::{Digest, Sha256};

use super::Error;
use super::text::clean;

pub const INVOKE_HOSTED_CHANNEL: u16 = 65535;
pub const INIT_HOSTED_CHANNEL: u16 = 65533;
pub const LAST_CROSS_SIGNED_STATE: u16 = 65531;
pub const HOSTED_ERROR: u16 = 63497;
/// BOLT-1's `error`, which some hosts send instead of their own.
pub const BOLT1_ERROR: u16 = 17;

/// The chain that the wallet's node runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BitcoinNetwork {
    Bitcoin,
    Testnet,
    Testnet4,
    Signet,
    Regtest,
}

/// What a host offers in `init_hosted_channel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HostedChannelTerms {
    /// What the channel holds, both sides together.
    pub capacity_msat: u64,
    /// What of it is the wallet's at first.
    pub initial_client_balance_msat: u64,
    /// The most that may be in pending payments to one side.
    pub max_htlc_value_in_flight_msat: u64,
    /// The smallest payment that the host takes.
    pub htlc_minimum_msat: u64,
    /// The most pending payments that the host takes.
    pub max_accepted_htlcs: u16,
}

/// What a host answers. `message` is the payload in bLIP-17's form, without the length that older
/// hosts put in front of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostMessage {
    /// It offers a new channel.
    Init {
        terms: HostedChannelTerms,
        message: Vec<u8>,
    },
    /// It already holds a channel with this wallet.
    LastCrossSignedState { message: Vec<u8> },
    /// It says no; the text is its reason, where it gave one.
    ///
    /// The text is cleaned, and not yet cut: secrets in it are still to be hidden, and half a secret
    /// would not be found.
    Error(Option<String>),
}

/// A script that a host can refund to: P2WPKH or P2WSH, which deployed hosts insist on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RefundScript(Vec<u8>);

impl RefundScript {
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Bytes of `last_cross_signed_state` with an empty script, and without features and HTLCs.
const MIN_STATE_BYTES: usize = 197;

const INCOMPLETE: &str = "it is incomplete";

/// The hash of the chain's first block, in internal byte order, as messages carry it.
pub fn chain_hash(network: BitcoinNetwork) -> [u8; 32] {
    match network {
        BitcoinNetwork::Bitcoin => {
            const { from_hex(b"6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000") }
        }
        BitcoinNetwork::Testnet => {
            const { from_hex(b"43497fd7f826957108f4a30fd9cec3aeba79972084e90ead01ea330900000000") }
        }
        BitcoinNetwork::Testnet4 => {
            const { from_hex(b"43f08bdab050e35b567c864b91f47f50ae725ae2de53bcfbbaf284da00000000") }
        }
        BitcoinNetwork::Signet => {
            const { from_hex(b"f61eee3b63a380a477a063af32b2bbc97c9ff9f01f2c4225e973988108000000") }
        }
        BitcoinNetwork::Regtest => {
            const { from_hex(b"06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f") }
        }
    }
}

/// Checks that a script is P2WPKH or P2WSH.
pub fn parse_refund_script(script: Vec<u8>) -> Result<RefundScript, String> {
    match (script.as_slice(), script.len()) {
        ([0, 20, ..], 22) | ([0, 32, ..], 34) => Ok(RefundScript(script)),
        _ => Err("the refund script is neither P2WPKH nor P2WSH".into()),
    }
}

/// The payload of `invoke_hosted_channel`, without the type.
pub fn invoke_payload(
    network: BitcoinNetwork,
    refund_script: &RefundScript,
    secret: &[u8],
) -> Vec<u8> {
    let mut payload = chain_hash(network).to_vec();
    push_with_length(&mut payload, refund_script.as_bytes());
    push_with_length(&mut payload, secret);
    payload
}

/// Reads a message from the host; none if it is not about the hosted channel.
pub fn read_host_message(
    message_type: u16,
    payload: &[u8],
    own_node_id: &str,
    host_node_id: &str,
) -> Option<Result<HostMessage, Error>> {
    let message = match message_type {
        INIT_HOSTED_CHANNEL => in_either_form(payload, read_terms).and_then(offered),
        LAST_CROSS_SIGNED_STATE => in_either_form(payload, read_state),
        HOSTED_ERROR => in_either_form(payload, read_error),
        BOLT1_ERROR if is_about_hosted_channel(payload, own_node_id, host_node_id) => {
            read_error(payload).ok_or(INCOMPLETE)
        }
        _ => return None,
    };
    Some(message.map_err(|why| Error::InvalidResponse(format!("the host's message: {why}"))))
}

/// The id of the only hosted channel between two nodes: SHA-256 of their keys in ascending order.
pub fn hosted_channel_id(node_id: &str, other_node_id: &str) -> Option<[u8; 32]> {
    let (one, other) = (hex::decode(node_id).ok()?, hex::decode(other_node_id).ok()?);
    let ascending = if one <= other {
        [one, other]
    } else {
        [other, one]
    };
    Some(Sha256::digest(ascending.concat()).into())
}

/// Reads a payload with or without its length in front of it, which older hosts send.
fn in_either_form<'a, T>(
    payload: &'a [u8],
    read: fn(&'a [u8]) -> Option<T>,
) -> Result<T, &'static str> {
    let legacy = payload
        .split_first_chunk()
        .filter(|(length, rest)| usize::from(u16::from_be_bytes(**length)) == rest.len())
        .and_then(|(_, rest)| read(rest));
    legacy.or_else(|| read(payload)).ok_or(INCOMPLETE)
}

/// The fixed fields of `init_hosted_channel`, with the payload that holds them. What follows them is
/// read by the wallet's own code for hosted channels.
fn read_terms(payload: &[u8]) -> Option<(HostedChannelTerms, &[u8])> {
    let mut reader = Reader(payload);
    // In the order of the message, which differs from the order in the struct.
    let terms = HostedChannelTerms {
        max_htlc_value_in_flight_msat: reader.u64()?,
        htlc_minimum_msat: reader.u64()?,
        max_accepted_htlcs: reader.u16()?,
        capacity_msat: reader.u64()?,
        initial_client_balance_msat: reader.u64()?,
    };
    Some((terms, payload))
}

fn offered((terms, payload): (HostedChannelTerms, &[u8])) -> Result<HostMessage, &'static str> {
    if terms.capacity_msat == 0 {
        return Err("the capacity is zero");
    }
    if terms.max_accepted_htlcs == 0 {
        return Err("it accepts no HTLCs");
    }
    if terms.initial_client_balance_msat > terms.capacity_msat {
        return Err("the balance is above the capacity");
    }
    let message = payload.to_vec();
    Ok(HostMessage::Init { terms, message })
}

fn read_state(payload: &[u8]) -> Option<HostMessage> {
    let is_complete = payload.len() >= MIN_STATE_BYTES;
    is_complete.then(|| HostMessage::LastCrossSignedState {
        message: payload.to_vec(),
    })
}

fn read_error(payload: &[u8]) -> Option<HostMessage> {
    let mut reader = Reader(payload);
    reader.take::<32>()?;
    let text = String::from_utf8_lossy(reader.bytes_with_length()?);
    let reason = clean(&text, usize::MAX);
    Some(HostMessage::Error((!reason.is_empty()).then_some(reason)))
}

/// BOLT-1: channel id zero means all channels with the peer.
fn is_about_hosted_channel(payload: &[u8], node_id: &str, other_node_id: &str) -> bool {
    let channel_id = payload.first_chunk::<32>();
    channel_id
        .is_some_and(|id| *id == [0; 32] || Some(*id) == hosted_channel_id(node_id, other_node_id))
}

/// A script has at most 34 bytes, and a secret at most 128. What a `u16` cannot count is cut off.
fn push_with_length(payload: &mut Vec<u8>, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    payload.extend(length.to_be_bytes());
    payload.extend(bytes.iter().take(length.into()));
}

/// Reads a message from its start; none where bytes are missing.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }

    fn bytes_with_length(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        let (taken, rest) = self.0.split_at_checked(length.into())?;
        self.0 = rest;
        Some(taken)
    }
}

/// Runs at compile time only, where a wrong digit is a compile error.
const fn from_hex(digits: &[u8; 64]) -> [u8; 32] {
    const fn value(digit: u8) -> u8 {
        match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => panic!("not a hex digit"),
        }
    }
    let mut bytes = [0; 32];
    let mut at = 0;
    while at < 32 {
        bytes[at] = value(digits[2 * at]) << 4 | value(digits[2 * at + 1]);
        at += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTORS: &str = include_str!("../../../tests/vectors.json");
    const OWN: &str = "0331f80652fb840239df8dc99205792bba2e559a05469915804c08420230e23c7c";
    const HOST: &str = "02864ef025fde8fb587d989186ce6a4a186895ee44a926bfc370e2c366597a3f8f";
    const NETWORKS: [BitcoinNetwork; 5] = [
        BitcoinNetwork::Bitcoin,
        BitcoinNetwork::Testnet,
        BitcoinNetwork::Testnet4,
        BitcoinNetwork::Signet,
        BitcoinNetwork::Regtest,
    ];
    const TERMS: HostedChannelTerms = HostedChannelTerms {
        capacity_msat: 1_000_000,
        initial_client_balance_msat: 1_000_000,
        max_htlc_value_in_flight_msat: 500_000,
        htlc_minimum_msat: 1,
        max_accepted_htlcs: 30,
    };

    fn vectors() -> serde_json::Value {
        serde_json::from_str(VECTORS).unwrap()
    }

    fn init(terms: &HostedChannelTerms, features: &[u8]) -> Vec<u8> {
        let mut payload = terms.max_htlc_value_in_flight_msat.to_be_bytes().to_vec();
        payload.extend(terms.htlc_minimum_msat.to_be_bytes());
        payload.extend(terms.max_accepted_htlcs.to_be_bytes());
        payload.extend(terms.capacity_msat.to_be_bytes());
        payload.extend(terms.initial_client_balance_msat.to_be_bytes());
        push_with_length(&mut payload, features);
        payload
    }

    fn error(channel_id: &[u8; 32], text: &[u8]) -> Vec<u8> {
        let mut payload = channel_id.to_vec();
        push_with_length(&mut payload, text);
        payload
    }

    fn legacy(payload: &[u8]) -> Vec<u8> {
        let mut framed = Vec::new();
        push_with_length(&mut framed, payload);
        framed
    }

    fn read(message_type: u16, payload: &[u8]) -> Option<Result<HostMessage, Error>> {
        read_host_message(message_type, payload, OWN, HOST)
    }

    fn is_malformed(message_type: u16, payload: &[u8]) -> bool {
        matches!(
            read(message_type, payload),
            Some(Err(Error::InvalidResponse(_)))
        )
    }

    fn said(text: &str) -> Option<Result<HostMessage, Error>> {
        Some(Ok(HostMessage::Error(Some(text.into()))))
    }

    #[test]
    fn chain_hashes_are_those_of_the_vectors() {
        for network in NETWORKS {
            let expected = &vectors()["chain_hash"][format!("{network:?}")];
            assert_eq!(hex::encode(chain_hash(network)), expected.as_str().unwrap());
        }
    }

    #[test]
    fn invoke_messages_are_those_of_the_vectors() {
        for vector in vectors()["invoke_hosted_channel"].as_array().unwrap() {
            let bytes = |name: &str| hex::decode(vector[name].as_str().unwrap()).unwrap();
            assert_eq!(vector["network"], "Bitcoin");
            let script = parse_refund_script(bytes("refund_script_pubkey")).unwrap();
            let secret = bytes("secret");
            let mut message = INVOKE_HOSTED_CHANNEL.to_be_bytes().to_vec();
            message.extend(invoke_payload(BitcoinNetwork::Bitcoin, &script, &secret));
            assert_eq!(message, bytes("message"));
        }
    }

    #[test]
    fn a_secret_too_long_for_its_length_field_is_cut() {
        let script = parse_refund_script([&[0, 20][..], &[7; 20]].concat()).unwrap();
        let payload = invoke_payload(BitcoinNetwork::Regtest, &script, &[7; 70_000]);
        assert_eq!(payload.len(), 32 + 2 + 22 + 2 + 65_535);
    }

    #[test]
    fn a_refund_script_is_p2wpkh_or_p2wsh() {
        let is_fine = |version: u8, push: u8, length: usize| {
            let mut script = vec![version, push];
            script.resize(length, 7);
            let parsed = parse_refund_script(script.clone());
            parsed.is_ok_and(|parsed| parsed.as_bytes() == script)
        };
        assert!(is_fine(0, 20, 22) && is_fine(0, 32, 34));
        for (version, push, length) in [
            (0, 20, 21),
            (0, 20, 34),
            (0, 32, 22),
            (0, 32, 35),
            (0x51, 32, 34),
            (0x76, 0xa9, 25),
            (0, 20, 2),
        ] {
            assert!(!is_fine(version, push, length), "{version} {push} {length}");
        }
        for script in [vec![], vec![0]] {
            assert!(parse_refund_script(script).is_err());
        }
    }

    #[test]
    fn init_is_read_in_both_forms_without_its_tail() {
        let fixed = &init(&TERMS, &[])[..34];
        for tail in [&b""[..], &[0, 0], &[0, 3, 1, 2, 3], &[0, 9, 1], &[0xff; 40]] {
            let payload = [fixed, tail].concat();
            let message = Some(Ok(HostMessage::Init {
                terms: TERMS,
                message: payload.clone(),
            }));
            assert_eq!(read(INIT_HOSTED_CHANNEL, &payload), message, "{tail:?}");
            assert_eq!(
                read(INIT_HOSTED_CHANNEL, &legacy(&payload)),
                message,
                "{tail:?}"
            );
        }
        for length in 0..fixed.len() {
            let cut = &fixed[..length];
            assert!(is_malformed(INIT_HOSTED_CHANNEL, cut), "{length}");
        }
    }

    #[test]
    fn a_first_field_that_resembles_a_length_is_part_of_the_terms() {
        let terms = HostedChannelTerms {
            max_htlc_value_in_flight_msat: 32 << 48,
            ..TERMS
        };
        let payload = &init(&terms, &[])[..34];
        assert_eq!(payload[..2], [0, 32]);
        let message = payload.to_vec();
        assert_eq!(
            read(INIT_HOSTED_CHANNEL, payload),
            Some(Ok(HostMessage::Init { terms, message }))
        );
    }

    #[test]
    fn impossible_terms_are_refused() {
        let nothing = HostedChannelTerms {
            capacity_msat: 0,
            initial_client_balance_msat: 0,
            ..TERMS
        };
        let no_htlcs = HostedChannelTerms {
            max_accepted_htlcs: 0,
            ..TERMS
        };
        let too_much = HostedChannelTerms {
            initial_client_balance_msat: 1_000_001,
            ..TERMS
        };
        for terms in [nothing, no_htlcs, too_much] {
            assert!(is_malformed(INIT_HOSTED_CHANNEL, &init(&terms, &[])));
            assert!(is_malformed(
                INIT_HOSTED_CHANNEL,
                &legacy(&init(&terms, &[]))
            ));
        }
    }

    #[test]
    fn last_cross_signed_state_is_read_in_both_forms() {
        for length in [197, 198, 4000] {
            let payload = vec![1; length];
            let message = Some(Ok(HostMessage::LastCrossSignedState {
                message: payload.clone(),
            }));
            assert_eq!(read(LAST_CROSS_SIGNED_STATE, &payload), message);
            assert_eq!(read(LAST_CROSS_SIGNED_STATE, &legacy(&payload)), message);
        }
        for length in [0, 1, 196] {
            let cut = vec![1; length];
            assert!(is_malformed(LAST_CROSS_SIGNED_STATE, &cut), "{length}");
        }
        // What is left behind a length must be long enough.
        let resembles_legacy = legacy(&[1; 196]);
        assert_eq!(
            read(LAST_CROSS_SIGNED_STATE, &resembles_legacy),
            Some(Ok(HostMessage::LastCrossSignedState {
                message: resembles_legacy.clone()
            }))
        );
    }

    #[test]
    fn errors_are_read_in_both_forms() {
        let payload = error(&[9; 32], b"no\nroom");
        assert_eq!(read(HOSTED_ERROR, &payload), said("no room"));
        assert_eq!(read(HOSTED_ERROR, &legacy(&payload)), said("no room"));
        assert_eq!(
            read(HOSTED_ERROR, &error(&[0; 32], b"\xffx")),
            said("\u{fffd}x")
        );
        for nothing in [&b""[..], b"\0\n"] {
            let message = read(HOSTED_ERROR, &error(&[0; 32], nothing));
            assert_eq!(message, Some(Ok(HostMessage::Error(None))));
        }
        let long = "ü".repeat(600);
        let uncut = error(&[0; 32], long.as_bytes());
        assert_eq!(read(HOSTED_ERROR, &uncut), said(&long));
        for length in 0..payload.len() {
            assert!(is_malformed(HOSTED_ERROR, &payload[..length]), "{length}");
        }
    }

    #[test]
    fn a_bolt1_error_counts_by_its_channel_id() {
        let id = hosted_channel_id(OWN, HOST).unwrap();
        assert_eq!(hosted_channel_id(HOST, &OWN.to_uppercase()), Some(id));
        let in_order = hex::decode(format!("{HOST}{OWN}")).unwrap();
        assert_eq!(id, <[u8; 32]>::from(Sha256::digest(in_order)));
        assert_eq!(read(BOLT1_ERROR, &error(&id, b"no")), said("no"));
        assert_eq!(read(BOLT1_ERROR, &error(&[0; 32], b"no")), said("no"));
        assert_eq!(read(BOLT1_ERROR, &error(&[9; 32], b"no")), None);
        assert_eq!(read(BOLT1_ERROR, &[0; 31]), None);
        assert!(is_malformed(BOLT1_ERROR, &[0; 33]));
        let unknown = read_host_message(BOLT1_ERROR, &error(&id, b"no"), "not hex", HOST);
        assert_eq!(unknown, None);
    }

    #[test]
    fn other_message_types_are_not_ours() {
        for message_type in [0, 16, 18, 63495, 65529, INVOKE_HOSTED_CHANNEL] {
            assert_eq!(read(message_type, &init(&TERMS, &[])), None);
        }
    }
}
