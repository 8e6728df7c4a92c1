//! What happened to a request, for a support team (8). It holds no secret: no `k1`, no URL of ours,
//! and no key of the wallet's node.

use serde::Serialize;

use super::form::{ChannelForm, EntryForm};
use super::write::{channel_form, entry_form};
use super::{KINDS, VISIBILITIES, name_of, pretty};
use crate::request::{History, concern_in_english};
use crate::snapshot::ChannelRequestSnapshot;

/// Grows when a field goes, or changes its meaning.
const RECEIPT_VERSION: u32 = 1;

/// In the place of the events that are left out.
const LEFT_OUT: &str = "LeftOut";

/// As `docs/receipt.schema.json` describes it.
#[derive(Serialize)]
struct Receipt<'a> {
    receipt_version: u32,
    library_version: &'static str,
    request_id: &'a str,
    kind: &'static str,
    service: Option<&'a str>,
    answered_by: Option<&'a str>,
    callback_host: Option<&'a str>,
    peer: String,
    visibility: Option<&'static str>,
    state: String,
    is_running: bool,
    is_peer_connected: bool,
    created_at_seconds: u64,
    updated_at_seconds: u64,
    channel: Option<ChannelForm>,
    concerns: Vec<String>,
    refusal: Option<&'a str>,
    events: Vec<EntryForm>,
}

/// The receipt of a request, as JSON.
pub fn receipt(snapshot: &ChannelRequestSnapshot, history: &History) -> String {
    let offer = &snapshot.offer;
    pretty(&Receipt {
        receipt_version: RECEIPT_VERSION,
        library_version: env!("CARGO_PKG_VERSION"),
        request_id: &snapshot.request_id,
        kind: name_of(&KINDS, offer.kind),
        service: offer.service.as_deref(),
        answered_by: offer.answered_by.as_deref(),
        callback_host: offer.callback_host.as_deref(),
        peer: offer.peer.to_uri(),
        visibility: snapshot
            .visibility
            .map(|visibility| name_of(&VISIBILITIES, visibility)),
        state: format!("{:?}", snapshot.state),
        is_running: snapshot.is_running,
        is_peer_connected: snapshot.is_peer_connected,
        created_at_seconds: snapshot.created_at_seconds,
        updated_at_seconds: snapshot.updated_at_seconds,
        channel: snapshot.channel.as_ref().map(|channel| {
            let mut entries = history.entries.iter().rev();
            channel_form(channel, entries.find_map(|entry| entry.verdict))
        }),
        concerns: snapshot.concerns.iter().map(concern_in_english).collect(),
        refusal: snapshot.refusal.as_deref(),
        events: events(history),
    })
}

fn events(history: &History) -> Vec<EntryForm> {
    let (first, rest) = history.first_and_rest();
    let mut events: Vec<EntryForm> = first.iter().map(entry_form).collect();
    if let Some(next) = rest.first() {
        events.push(EntryForm {
            at_seconds: next.at_seconds,
            event: LEFT_OUT,
            detail: Some(history.left_out.to_string()),
            verdict: None,
        });
    }
    events.extend(rest.iter().map(entry_form));
    events
}
