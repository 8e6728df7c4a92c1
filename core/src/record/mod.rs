//! Records: JSON that a person can read. To read one is to check it, as an answer from the network is
//! checked: what no run can produce is damaged, and texts are cleaned again.
//!
//! Version 1 is 0.1's: `first_edition` brings it into today's form, which is then checked as any other.

mod first_edition;
mod form;
mod read;
mod receipt;
mod redacted;
#[cfg(test)]
mod tests;
mod write;

use serde::Serialize;

pub use first_edition::read_unrequested_channels;
use form::{KnownForm, VerdictsForm};
pub use receipt::receipt;
pub use redacted::redacted;

use crate::channel::{ChannelStage, VerdictKind, normalised_id};
use crate::clock::Now;
use crate::ids::RequestId;
use crate::protocol::json::Object;
use crate::protocol::{self, BitcoinNetwork, ChannelKind, ChannelVisibility};
use crate::request::{Event, Record};
use crate::snapshot::ChannelStep;
use crate::verdicts::{KnownChannel, StoredVerdict};

const VERSION: u64 = 2;

/// The largest number that every reader of JSON holds exactly. A counter never comes near it.
const MAX_COUNTER: u64 = (1 << 53) - 1;

/// What a record is judged by besides itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    pub network: BitcoinNetwork,
    pub allow_private_hosts: bool,
}

/// Why a record is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Not with this version or configuration, but maybe with the next: leave it as it is.
    NotNow,
    Damaged,
    /// 0.1 kept a request that ended before anybody was asked. Nothing is kept of one: remove it.
    Obsolete,
}

impl From<()> for Unreadable {
    fn from((): ()) -> Self {
        Self::Damaged
    }
}

/// What a record holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    pub record: Record,
    /// It would be written differently now: it is of an earlier version, a time was corrected, a text
    /// was cleaned, or what asking takes is no longer needed.
    pub needs_writing: bool,
    /// Verdicts on other channels of the peer, which 0.1 kept with the request. Write them to the
    /// peer's verdicts before the record is written anew.
    pub verdicts: Vec<KnownChannel>,
}

/// A request's record; none of a request of which nothing is kept.
pub fn write(record: &Record) -> Option<String> {
    Some(pretty(&write::form_of(record)?))
}

/// A peer's verdicts. The record's name is the peer's key.
pub fn write_verdicts(peer_id: &str, channels: &[KnownChannel]) -> String {
    let channels = channels.iter().map(|known| {
        let (verdict, request) = match known.verdict {
            StoredVerdict::Of(kind, request) => (name_of(&VERDICTS, kind), Some(request)),
            StoredVerdict::Unrequested => (UNREQUESTED, None),
        };
        KnownForm {
            channel_id: known.channel_id.clone(),
            verdict,
            request_id: request.map(|request| request.to_string()),
        }
    });
    pretty(&VerdictsForm {
        version: VERSION,
        peer_id: peer_id.to_owned(),
        channels: channels.collect(),
    })
}

fn pretty(form: &impl Serialize) -> String {
    // Strings, numbers and lists of them: nothing that JSON cannot hold.
    let json = serde_json::to_string_pretty(form).unwrap_or_default();
    format!("{json}\n")
}

/// Read a request's record. Its name is the request's id.
pub fn read(name: &str, content: &[u8], rules: Rules, now: Now) -> Result<Loaded, Unreadable> {
    let id = RequestId::parse(name).filter(|id| id.to_string() == name);
    let id = id.ok_or(())?;
    let stored = Object::parse(content).map_err(|_| Unreadable::Damaged)?;
    let is_named = stored.text("request_id").is_some_and(|text| text == name);
    let (record, verdicts) = match stored.number("version") {
        Some(later) if later > VERSION => return Err(Unreadable::NotNow),
        Some(VERSION) if is_named => (read::record(id, &stored, rules, now)?, Vec::new()),
        Some(1) if is_named => {
            let (migrated, verdicts) = first_edition::migrate(id, &stored)?;
            let migrated = Object::parse(pretty(&migrated).as_bytes());
            let migrated = migrated.map_err(|_| Unreadable::Damaged)?;
            (read::record(id, &migrated, rules, now)?, verdicts)
        }
        _ => return Err(Unreadable::Damaged),
    };
    Ok(Loaded {
        needs_writing: write(&record).is_none_or(|text| text.as_bytes() != content),
        record,
        verdicts,
    })
}

/// Read a peer's verdicts. The record's name is the peer's key.
pub fn read_verdicts(name: &str, content: &[u8]) -> Result<Vec<KnownChannel>, Unreadable> {
    let stored = Object::parse(content).map_err(|_| Unreadable::Damaged)?;
    if stored.number("version").ok_or(())? > VERSION {
        return Err(Unreadable::NotNow);
    }
    let channels = stored.list("channels").ok_or(())?;
    let channels = channels.iter().map(read_known);
    let channels = channels.collect::<Option<Vec<_>>>().ok_or(())?;
    let is_peers = stored.number("version") == Some(VERSION)
        && stored
            .text("peer_id")
            .is_some_and(|peer_id| peer_id == name)
        && is_node_id(name);
    is_peers.then_some(channels).ok_or(Unreadable::Damaged)
}

fn read_known(stored: &Object) -> Option<KnownChannel> {
    let request = optional(stored, "request_id", |stored, key| {
        RequestId::parse(&stored.text(key)?)
    })?;
    let verdict = match request {
        Some(request) => StoredVerdict::Of(read_name(&VERDICTS, stored, "verdict")?, request),
        None => {
            let name = stored.text("verdict").filter(|name| name == UNREQUESTED);
            name.map(|_| StoredVerdict::Unrequested)?
        }
    };
    Some(KnownChannel {
        channel_id: read_channel_id(stored, "channel_id")?,
        verdict,
    })
}

fn read_channel_id(stored: &Object, key: &str) -> Option<String> {
    stored.text(key).filter(|id| is_channel_id(id))
}

/// A field that may be missing, but not wrong.
fn optional<T>(
    stored: &Object,
    key: &str,
    read: impl FnOnce(&Object, &str) -> Option<T>,
) -> Option<Option<T>> {
    match stored.is_absent(key) {
        true => Some(None),
        false => read(stored, key).map(Some),
    }
}

/// A channel's id as it is compared (5b).
fn is_channel_id(id: &str) -> bool {
    let normalised = normalised_id(Some(id.to_owned()));
    normalised
        .flatten()
        .is_some_and(|normalised| normalised == id)
}

/// A key as it is compared.
fn is_node_id(text: &str) -> bool {
    protocol::check_node_id(text).is_ok_and(|checked| checked == text)
}

// ---- names ----

/// A name stays what it is: later versions read what this one wrote.
type Names<T, const N: usize> = [(T, &'static str); N];

const NETWORKS: Names<BitcoinNetwork, 5> = [
    (BitcoinNetwork::Bitcoin, "Bitcoin"),
    (BitcoinNetwork::Testnet, "Testnet"),
    (BitcoinNetwork::Testnet4, "Testnet4"),
    (BitcoinNetwork::Signet, "Signet"),
    (BitcoinNetwork::Regtest, "Regtest"),
];

const KINDS: Names<ChannelKind, 2> = [
    (ChannelKind::Funded, "Funded"),
    (ChannelKind::Hosted, "Hosted"),
];

const STAGES: Names<ChannelStage, 3> = [
    (ChannelStage::Proposed, "Proposed"),
    (ChannelStage::Funded, "Funded"),
    (ChannelStage::Ready, "Ready"),
];

const VISIBILITIES: Names<ChannelVisibility, 2> = [
    (ChannelVisibility::Unannounced, "Unannounced"),
    (ChannelVisibility::Announced, "Announced"),
];

const VERDICTS: Names<VerdictKind, 4> = [
    (VerdictKind::Expected, "Expected"),
    (VerdictKind::Duplicate, "Duplicate"),
    (VerdictKind::WrongVisibility, "WrongVisibility"),
    (VerdictKind::Unwanted, "Unwanted"),
];

const EVENTS: Names<Event, 17> = [
    (Event::Accepted, "Accepted"),
    (Event::Step(ChannelStep::Connecting), "Connecting"),
    (Event::Step(ChannelStep::Requesting), "Requesting"),
    (Event::Step(ChannelStep::Agreed), "Agreed"),
    (Event::Step(ChannelStep::AnswerUnclear), "AnswerUnclear"),
    (Event::Step(ChannelStep::Reconnecting), "Reconnecting"),
    (Event::Step(ChannelStep::Proposed), "Proposed"),
    (Event::Step(ChannelStep::Mismatched), "Mismatched"),
    (Event::Step(ChannelStep::OpeningFailed), "OpeningFailed"),
    (Event::Step(ChannelStep::Arrived), "Arrived"),
    (Event::Step(ChannelStep::Progressed), "Progressed"),
    (Event::Step(ChannelStep::Ready), "Ready"),
    (Event::PeerConnected, "PeerConnected"),
    (Event::PeerDisconnected, "PeerDisconnected"),
    (Event::Refused, "Refused"),
    (Event::Cancelled, "Cancelled"),
    (Event::CallEnded, "CallEnded"),
];

const UNREQUESTED: &str = "Unrequested";

fn name_of<T: PartialEq>(names: &[(T, &'static str)], value: T) -> &'static str {
    let entry = names.iter().find(|(named, _)| *named == value);
    entry.map_or("", |(_, name)| name)
}

fn read_name<T: Copy>(names: &[(T, &str)], stored: &Object, key: &str) -> Option<T> {
    let text = stored.text(key)?;
    let entry = names.iter().find(|(_, name)| *name == text)?;
    Some(entry.0)
}
