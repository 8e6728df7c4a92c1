//! The target node as the host of LUD-07: answers `invoke_hosted_channel`.

use super::Core;
use super::habit::Habit;
use super::log::Invocation;
use super::offer::OfferOptions;
use crate::node::NodeEvent;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedReceiver;

const INVOKE_HOSTED_CHANNEL: u16 = 65535;
const INIT_HOSTED_CHANNEL: u16 = 65533;
const LAST_CROSS_SIGNED_STATE: u16 = 65531;
const ERROR: u16 = 63497;

const CHAIN_HASH_LENGTH: usize = 32;
const HTLC_MINIMUM_MSAT: u64 = 1_000;
const MAX_ACCEPTED_HTLCS: u16 = 30;
/// As long as a state without script, HTLCs and features. What its fields say is the wallet's affair.
const CROSS_SIGNED_STATE: [u8; 197] = [0x5a; 197];

pub(super) async fn listen(core: Arc<Core>, mut events: UnboundedReceiver<NodeEvent>) {
    while let Some(event) = events.recv().await {
        if let NodeEvent::PeerMessage {
            peer_id,
            message_type: INVOKE_HOSTED_CHANNEL,
            payload,
        } = event
        {
            answer(&core, peer_id, payload);
        }
    }
}

fn answer(core: &Core, peer_id: String, payload: Vec<u8>) {
    let secret = read_secret(&payload);
    let offer_id = secret.and_then(|secret| core.book.hosted_by_secret(secret));
    let reply = match (secret, offer_id) {
        (None, _) => Some(error("malformed invocation")),
        (_, None) => Some(error("unknown secret")),
        (Some(secret), Some(id)) => reply(core, id, &hex::encode(secret)),
    };
    core.log.invocation(Invocation {
        offer_id,
        peer_id: peer_id.clone(),
        payload,
    });
    if let Some((message_type, payload)) = reply {
        core.target.send_message(&peer_id, message_type, payload);
    }
}

/// `chain_hash ‖ u16 len ‖ refund_scriptpubkey ‖ u16 len ‖ secret`, and nothing after it.
fn read_secret(payload: &[u8]) -> Option<&[u8]> {
    let (_chain_hash, rest) = payload.split_at_checked(CHAIN_HASH_LENGTH)?;
    let (_script, rest) = read_sized(rest)?;
    let (secret, rest) = read_sized(rest)?;
    rest.is_empty().then_some(secret)
}

fn read_sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

fn reply(core: &Core, offer_id: u64, k1: &str) -> Option<(u16, Vec<u8>)> {
    let first_use = |offer: &mut super::offer::Offer| offer.claimed.insert(k1.to_owned());
    let is_first_use = core.book.with(offer_id, first_use)?;
    let options = core.book.options(offer_id)?;
    if options.has(Habit::SilentHost) {
        return None;
    }
    if options.has(Habit::OneTimeSecretBurnt) && !is_first_use {
        return Some(error("the secret was used"));
    }
    let (message_type, payload) = if options.has(Habit::HostedChannelExists) {
        (LAST_CROSS_SIGNED_STATE, CROSS_SIGNED_STATE.to_vec())
    } else {
        (INIT_HOSTED_CHANNEL, terms(&options))
    };
    if options.has(Habit::LegacyHostedLength) {
        return Some((message_type, sized(&payload)));
    }
    Some((message_type, payload))
}

fn terms(options: &OfferOptions) -> Vec<u8> {
    let capacity_msat = options.capacity_sat * 1_000;
    let no_features = sized(&[]);
    [
        &capacity_msat.to_be_bytes()[..],
        &HTLC_MINIMUM_MSAT.to_be_bytes(),
        &MAX_ACCEPTED_HTLCS.to_be_bytes(),
        &capacity_msat.to_be_bytes(),
        &options.push_msat.to_be_bytes(),
        &no_features,
    ]
    .concat()
}

/// As in BOLT-1: of no channel in particular.
fn error(text: &str) -> (u16, Vec<u8>) {
    let payload = [&[0; 32][..], &sized(text.as_bytes())].concat();
    (ERROR, payload)
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("what is sent here is short");
    [&length.to_be_bytes()[..], bytes].concat()
}
