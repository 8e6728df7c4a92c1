//! A request as a record: JSON that a person can read, and that is checked like an answer from the
//! network when it is read back.

use serde_json::{Value, json};

use crate::flow::{
    ChannelOutcome, ChannelRequestState, ChannelStage, ChannelVerdict, Credentials,
    IncomingChannel, KnownChannel, Progress, Request, Unrequested,
};
use crate::protocol::json::Object;
use crate::protocol::{
    BitcoinNetwork, ChannelKind, ChannelOffer, ChannelVisibility, HostedChannelTerms, Lnurl, Offer,
    Secret, check_node_id, check_refund_script, parse_node_uri,
};

const VERSION: u64 = 1;

/// What is needed to judge a record.
#[derive(Clone, Copy)]
pub struct Rules {
    pub network: BitcoinNetwork,
    pub allow_private_hosts: bool,
}

/// Why a record is not taken.
#[derive(Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Not with this version, or this configuration, but maybe with the next.
    NotNow,
    Damaged,
}

impl From<()> for Unreadable {
    fn from((): ()) -> Self {
        Self::Damaged
    }
}

// ---- writing ----

pub fn write(request: &Request) -> String {
    let progress = &request.progress;
    let offer = &request.offer;
    let credentials = request.credentials.as_ref().filter(|_| !request.is_done());
    let record = json!({
        "version": VERSION,
        "request_id": request.id,
        "created_at_millis": request.created_at_millis,
        "network": name_of(&NETWORKS, request.network),
        "state": name_of(&STATES, progress.state),
        "asked": progress.asked,
        "agreed": progress.agreed,
        "returned": progress.returned,
        "ended_at": progress.ended_at,
        "visibility": progress.visibility.map(|visibility| name_of(&VISIBILITIES, visibility)),
        "node_id": progress.node_id,
        "refund_script": progress.refund_script.as_ref().map(hex::encode),
        "offer": {
            "kind": name_of(&KINDS, offer.kind),
            "service": offer.service,
            "callback_host": offer.callback_host,
            "peer": offer.peer.to_uri(),
            "alias": offer.alias,
        },
        "credentials": credentials.map(|credentials| json!({
            "lnurl": credentials.lnurl.expose(),
            "k1": credentials.k1.expose(),
            "callback": credentials.callback.as_ref().map(|callback| callback.expose()),
        })),
        "outcome": progress.outcome.as_ref().map(write_outcome),
        "known_channels": progress.known_channels.iter().map(write_known).collect::<Vec<_>>(),
    });
    format!("{record:#}\n")
}

fn write_outcome(outcome: &ChannelOutcome) -> Value {
    match outcome {
        ChannelOutcome::Opening { channel } => json!({ "channel": {
            "channel_id": channel.channel_id,
            "former_channel_id": channel.former_channel_id,
            "stage": name_of(&STAGES, channel.stage),
            "capacity_sat": channel.capacity_sat,
            "push_msat": channel.push_msat,
            "is_announced": channel.is_announced,
        }}),
        ChannelOutcome::HostedOffered { terms, message } => json!({
            "message": hex::encode(message),
            "terms": {
                "capacity_msat": terms.capacity_msat,
                "initial_client_balance_msat": terms.initial_client_balance_msat,
                "max_htlc_value_in_flight_msat": terms.max_htlc_value_in_flight_msat,
                "htlc_minimum_msat": terms.htlc_minimum_msat,
                "max_accepted_htlcs": terms.max_accepted_htlcs,
            },
        }),
        ChannelOutcome::HostedExists { message } => json!({ "message": hex::encode(message) }),
    }
}

fn write_known(known: &KnownChannel) -> Value {
    json!({ "ids": known.ids, "verdict": verdict_name(&known.verdict) })
}

// ---- reading ----

pub fn read(name: &str, content: &[u8], rules: Rules) -> Result<Request, Unreadable> {
    let record = Object::parse(content).map_err(|_| Unreadable::Damaged)?;
    if record.number("version").ok_or(())? > VERSION {
        return Err(Unreadable::NotNow);
    }
    let id = record
        .text("request_id")
        .filter(|id| id == name)
        .ok_or(())?;
    let stored_offer = record.object("offer").ok_or(())?;
    let (offer, credentials) = match record.object("credentials") {
        Some(stored) => read_offer(&stored_offer, &stored, rules)?,
        None if record.is_absent("credentials") => (read_shown(&stored_offer)?, None),
        None => return Err(Unreadable::Damaged),
    };
    let progress = read_progress(&record, &id, &offer.peer.node_id)?;
    let created_at_millis = record.number("created_at_millis").ok_or(())?;
    let network = read_name(&NETWORKS, &record, "network")?;
    if network != rules.network {
        return Err(Unreadable::NotNow);
    }
    Ok(Request::restored(
        id,
        offer,
        network,
        created_at_millis,
        credentials,
        progress,
    ))
}

/// An offer that can still be accepted, under the same checks as one from the network.
fn read_offer(
    stored: &Object,
    credentials: &Object,
    rules: Rules,
) -> Result<(ChannelOffer, Option<Credentials>), Unreadable> {
    let lnurl = credentials.text("lnurl").ok_or(())?;
    let lnurl = Lnurl::from_url(&lnurl).map_err(|_| Unreadable::Damaged)?;
    let kind = read_name(&KINDS, stored, "kind")?;
    let (service, alias) = (stored.text("service").ok_or(())?, stored.text("alias"));
    let peer = stored.text("peer").ok_or(())?;
    let (k1, callback) = (
        credentials.text("k1").ok_or(())?,
        credentials.text("callback"),
    );
    let offer = |allow_private_hosts| {
        let (callback, alias) = (callback.as_deref(), alias.as_deref());
        Offer::from_parts(
            kind,
            &service,
            callback,
            &peer,
            alias,
            &k1,
            allow_private_hosts,
        )
    };
    let offer = match offer(rules.allow_private_hosts) {
        Ok(offer) => offer,
        // Only what the configuration forbids.
        Err(_) if offer(true).is_ok() => return Err(Unreadable::NotNow),
        Err(_) => return Err(Unreadable::Damaged),
    };
    let lnurl = Secret::new(lnurl.url());
    let credentials = Credentials {
        lnurl,
        k1: offer.k1,
        callback: offer.callback,
    };
    Ok((offer.shown, Some(credentials)))
}

/// An offer that is only shown any more.
fn read_shown(stored: &Object) -> Result<ChannelOffer, Unreadable> {
    let peer = stored.text("peer").ok_or(())?;
    Ok(ChannelOffer {
        kind: read_name(&KINDS, stored, "kind")?,
        service: stored.text("service").ok_or(())?,
        callback_host: stored.text("callback_host"),
        peer: parse_node_uri(&peer).map_err(|_| Unreadable::Damaged)?,
        alias: stored.text("alias"),
    })
}

fn read_progress(record: &Object, id: &str, peer_id: &str) -> Result<Progress, Unreadable> {
    let outcome = match record.object("outcome") {
        Some(outcome) => Some(read_outcome(&outcome, peer_id)?),
        None if record.is_absent("outcome") => None,
        None => return Err(Unreadable::Damaged),
    };
    let known = record.list("known_channels").ok_or(())?;
    let visibility = match record.is_absent("visibility") {
        true => None,
        false => Some(read_name(&VISIBILITIES, record, "visibility")?),
    };
    let state = read_name(&STATES, record, "state")?;
    if (state == ChannelRequestState::Arrived) != outcome.is_some() {
        return Err(Unreadable::Damaged);
    }
    Ok(Progress {
        state,
        asked: record.flag("asked").ok_or(())?,
        agreed: record.flag("agreed").ok_or(())?,
        visibility,
        node_id: read_checked(record, "node_id", |text| check_node_id(text).ok())?,
        refund_script: read_checked(record, "refund_script", read_script)?,
        outcome,
        known_channels: known
            .iter()
            .map(|known| read_known(known, id))
            .collect::<Result<_, _>>()?,
        ended_at: record.number("ended_at"),
        returned: record.flag("returned").ok_or(())?,
    })
}

fn read_script(text: &str) -> Option<Vec<u8>> {
    let script = hex::decode(text).ok()?;
    check_refund_script(&script).ok()?;
    Some(script)
}

fn read_outcome(stored: &Object, peer_id: &str) -> Result<ChannelOutcome, Unreadable> {
    if let Some(channel) = stored.object("channel") {
        return Ok(ChannelOutcome::Opening {
            channel: IncomingChannel {
                peer_id: peer_id.to_owned(),
                channel_id: channel.text("channel_id").ok_or(())?,
                stage: read_name(&STAGES, &channel, "stage")?,
                former_channel_id: channel.text("former_channel_id"),
                capacity_sat: channel.number("capacity_sat"),
                push_msat: channel.number("push_msat"),
                is_announced: channel.flag("is_announced"),
            },
        });
    }
    let message = stored
        .text("message")
        .and_then(|text| hex::decode(text).ok())
        .ok_or(())?;
    let Some(terms) = stored.object("terms") else {
        return Ok(ChannelOutcome::HostedExists { message });
    };
    let number = |key| terms.number(key).ok_or(Unreadable::Damaged);
    let htlcs = u16::try_from(number("max_accepted_htlcs")?);
    let terms = HostedChannelTerms {
        capacity_msat: number("capacity_msat")?,
        initial_client_balance_msat: number("initial_client_balance_msat")?,
        max_htlc_value_in_flight_msat: number("max_htlc_value_in_flight_msat")?,
        htlc_minimum_msat: number("htlc_minimum_msat")?,
        max_accepted_htlcs: htlcs.map_err(|_| Unreadable::Damaged)?,
    };
    Ok(ChannelOutcome::HostedOffered { terms, message })
}

fn read_known(stored: &Object, request_id: &str) -> Result<KnownChannel, Unreadable> {
    let ids = stored.texts("ids").ok_or(())?;
    let verdict = stored.text("verdict").ok_or(())?;
    let verdict = verdict_named(&verdict, request_id).ok_or(())?;
    Ok(KnownChannel { ids, verdict })
}

/// A text that may be missing, but not wrong.
fn read_checked<T>(
    record: &Object,
    key: &str,
    check: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Unreadable> {
    if record.is_absent(key) {
        return Ok(None);
    }
    let value = record.text(key).and_then(|text| check(&text)).ok_or(())?;
    Ok(Some(value))
}

// ---- channels that nobody asked for ----

pub fn write_unrequested(unrequested: &Unrequested) -> String {
    let channels: Vec<Value> = unrequested
        .channels()
        .map(|(peer_id, ids)| json!({ "peer_id": peer_id, "ids": ids }))
        .collect();
    format!(
        "{:#}\n",
        json!({ "version": VERSION, "channels": channels })
    )
}

pub fn read_unrequested(content: &[u8]) -> Result<Unrequested, Unreadable> {
    let record = Object::parse(content).map_err(|_| Unreadable::Damaged)?;
    if record.number("version").ok_or(())? > VERSION {
        return Err(Unreadable::NotNow);
    }
    let mut unrequested = Unrequested::default();
    for channel in record.list("channels").ok_or(())? {
        let peer_id = channel.text("peer_id").ok_or(())?;
        unrequested.add(peer_id, channel.texts("ids").ok_or(())?);
    }
    Ok(unrequested)
}

// ---- names ----

const STATES: [(ChannelRequestState, &str); 9] = [
    (ChannelRequestState::Offered, "Offered"),
    (ChannelRequestState::Connecting, "Connecting"),
    (ChannelRequestState::Requesting, "Requesting"),
    (ChannelRequestState::Awaiting, "Awaiting"),
    (ChannelRequestState::OutcomeUnknown, "OutcomeUnknown"),
    (ChannelRequestState::Refused, "Refused"),
    (ChannelRequestState::Arrived, "Arrived"),
    (ChannelRequestState::Declined, "Declined"),
    (ChannelRequestState::Cancelled, "Cancelled"),
];

const NETWORKS: [(BitcoinNetwork, &str); 5] = [
    (BitcoinNetwork::Bitcoin, "Bitcoin"),
    (BitcoinNetwork::Testnet, "Testnet"),
    (BitcoinNetwork::Testnet4, "Testnet4"),
    (BitcoinNetwork::Signet, "Signet"),
    (BitcoinNetwork::Regtest, "Regtest"),
];

const KINDS: [(ChannelKind, &str); 2] = [
    (ChannelKind::Funded, "Funded"),
    (ChannelKind::Hosted, "Hosted"),
];

const STAGES: [(ChannelStage, &str); 2] = [
    (ChannelStage::Proposed, "Proposed"),
    (ChannelStage::Funded, "Funded"),
];

const VISIBILITIES: [(ChannelVisibility, &str); 2] = [
    (ChannelVisibility::Unannounced, "Unannounced"),
    (ChannelVisibility::Announced, "Announced"),
];

fn name_of<T: PartialEq>(names: &'static [(T, &'static str)], value: T) -> &'static str {
    let entry = names.iter().find(|(named, _)| *named == value);
    entry.map_or("", |(_, name)| name)
}

fn read_name<T: Copy>(
    names: &'static [(T, &'static str)],
    record: &Object,
    key: &str,
) -> Result<T, Unreadable> {
    let text = record.text(key).ok_or(())?;
    let entry = names.iter().find(|(_, name)| *name == text);
    Ok(entry.ok_or(())?.0)
}

fn verdict_name(verdict: &ChannelVerdict) -> &'static str {
    match verdict {
        ChannelVerdict::Expected { .. } => "Expected",
        ChannelVerdict::Duplicate { .. } => "Duplicate",
        ChannelVerdict::WrongVisibility { .. } => "WrongVisibility",
        ChannelVerdict::Unwanted { .. } => "Unwanted",
        ChannelVerdict::Unrequested => "Unrequested",
    }
}

fn verdict_named(name: &str, request_id: &str) -> Option<ChannelVerdict> {
    let request_id = request_id.to_owned();
    match name {
        "Expected" => Some(ChannelVerdict::Expected { request_id }),
        "Duplicate" => Some(ChannelVerdict::Duplicate { request_id }),
        "WrongVisibility" => Some(ChannelVerdict::WrongVisibility { request_id }),
        "Unwanted" => Some(ChannelVerdict::Unwanted { request_id }),
        _ => None,
    }
}
