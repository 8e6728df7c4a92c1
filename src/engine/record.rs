//! A request as a record: JSON that a person can read, and that is checked like an answer from the
//! network when it is read back.

use std::sync::Arc;

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
        Arc::new(offer),
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
    let asked = record.flag("asked").ok_or(())?;
    if (state == ChannelRequestState::Arrived) != outcome.is_some() || !fits(state, asked) {
        return Err(Unreadable::Damaged);
    }
    Ok(Progress {
        state,
        asked,
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

/// No state denies that the service was, or may have been, asked, nor claims it.
fn fits(state: ChannelRequestState, asked: bool) -> bool {
    use ChannelRequestState::{Cancelled, Connecting, Declined, Offered};
    match state {
        Offered | Connecting => !asked,
        Declined | Cancelled => true,
        _ => asked,
    }
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
        .funded()
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
        unrequested.add(&peer_id, channel.texts("ids").ok_or(())?);
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

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "00112233445566778899aabbccddeeff";
    const PEER: &str = "02864ef025fde8fb587d989186ce6a4a186895ee44a926bfc370e2c366597a3f8f";
    const OWN: &str = "0331f80652fb840239df8dc99205792bba2e559a05469915804c08420230e23c7c";
    const RULES: Rules = Rules {
        network: BitcoinNetwork::Regtest,
        allow_private_hosts: false,
    };

    fn request(kind: ChannelKind, host: &str) -> Request {
        let (callback, k1) = match kind {
            ChannelKind::Funded => (Some("https://api.example.com/cb?t=2"), "k&1"),
            ChannelKind::Hosted => (None, "00ff"),
        };
        let (uri, alias) = (format!("{PEER}@{host}:9735"), Some("A node"));
        let offer = Offer::from_parts(kind, "example.com", callback, &uri, alias, k1, true);
        let lnurl = Secret::new("https://example.com/c?q=1");
        let mut request = Request::new(ID.into(), lnurl, offer.unwrap(), RULES.network, 1_700);
        request.accepted = true;
        request
    }

    fn funded() -> Request {
        request(ChannelKind::Funded, "node.example.com")
    }

    fn hosted() -> Request {
        request(ChannelKind::Hosted, "node.example.com")
    }

    fn opening(stage: ChannelStage) -> ChannelOutcome {
        ChannelOutcome::Opening {
            channel: IncomingChannel {
                peer_id: PEER.into(),
                channel_id: "f1".into(),
                stage,
                former_channel_id: Some("a1".into()),
                capacity_sat: Some(100_000),
                push_msat: Some(0),
                is_announced: Some(false),
            },
        }
    }

    fn arrived(mut request: Request, outcome: ChannelOutcome) -> Request {
        request.progress.state = ChannelRequestState::Arrived;
        request.progress.asked = true;
        request.progress.outcome = Some(outcome);
        request
    }

    fn value(request: &Request) -> Value {
        serde_json::from_str(&write(request)).unwrap()
    }

    fn read_value(record: &Value) -> Result<Request, Unreadable> {
        read(ID, record.to_string().as_bytes(), RULES)
    }

    /// What comes of a record once the field at `pointer` is `to`.
    fn read_with(request: &Request, pointer: &str, to: Value) -> Result<Request, Unreadable> {
        let mut record = value(request);
        *record.pointer_mut(pointer).expect(pointer) = to;
        read_value(&record)
    }

    fn assert_read_back(request: &Request) {
        assert_eq!(read_value(&value(request)).as_ref(), Ok(request));
    }

    /// Updates of the app find what former ones wrote: these names stay.
    #[test]
    fn a_record_stays_what_it_is() {
        let mut request = arrived(funded(), opening(ChannelStage::Funded));
        request.progress.agreed = true;
        request.progress.visibility = Some(ChannelVisibility::Announced);
        request.progress.node_id = Some(OWN.into());
        request.progress.ended_at = Some(1_800);
        request.progress.known_channels = vec![KnownChannel {
            ids: vec!["a1".into(), "f1".into()],
            verdict: ChannelVerdict::Expected {
                request_id: ID.into(),
            },
        }];
        let record = json!({
            "version": 1,
            "request_id": ID,
            "created_at_millis": 1_700,
            "network": "Regtest",
            "state": "Arrived",
            "asked": true,
            "agreed": true,
            "returned": false,
            "ended_at": 1_800,
            "visibility": "Announced",
            "node_id": OWN,
            "refund_script": null,
            "offer": {
                "kind": "Funded",
                "service": "example.com",
                "callback_host": "api.example.com",
                "peer": format!("{PEER}@node.example.com:9735"),
                "alias": "A node",
            },
            "credentials": {
                "lnurl": "https://example.com/c?q=1",
                "k1": "k&1",
                "callback": "https://api.example.com/cb?t=2",
            },
            "outcome": {
                "channel": {
                    "channel_id": "f1",
                    "former_channel_id": "a1",
                    "stage": "Funded",
                    "capacity_sat": 100_000,
                    "push_msat": 0,
                    "is_announced": false,
                },
            },
            "known_channels": [{ "ids": ["a1", "f1"], "verdict": "Expected" }],
        });
        assert_eq!(value(&request), record);
        assert_eq!(read_value(&record), Ok(request));
    }

    #[test]
    fn what_a_host_offered_is_read_back() {
        let terms = HostedChannelTerms {
            capacity_msat: 5,
            initial_client_balance_msat: 4,
            max_htlc_value_in_flight_msat: 3,
            htlc_minimum_msat: 2,
            max_accepted_htlcs: 1,
        };
        let message = vec![0, 255];
        for outcome in [
            ChannelOutcome::HostedExists {
                message: message.clone(),
            },
            ChannelOutcome::HostedOffered { terms, message },
        ] {
            let mut request = arrived(hosted(), outcome);
            request.progress.refund_script = Some([vec![0, 20], vec![7; 20]].concat());
            assert_read_back(&request);
        }
    }

    #[test]
    fn every_name_is_read_back() {
        for (state, name) in STATES {
            let mut request = funded();
            if state == ChannelRequestState::Arrived {
                request = arrived(request, opening(ChannelStage::Proposed));
            }
            request.progress.state = state;
            request.progress.asked = !fits(state, false);
            assert_eq!(value(&request)["state"], name);
            // Nothing is in flight after a start.
            if state == ChannelRequestState::Requesting {
                request.progress.state = ChannelRequestState::OutcomeUnknown;
            }
            assert_read_back(&request);
        }
        for visibility in [ChannelVisibility::Announced, ChannelVisibility::Unannounced] {
            let mut request = funded();
            request.progress.visibility = Some(visibility);
            assert_read_back(&request);
        }
        for (network, name) in NETWORKS {
            let mut request = hosted();
            request.network = network;
            assert_eq!(value(&request)["network"], name);
            let rules = Rules { network, ..RULES };
            assert_eq!(read(ID, write(&request).as_bytes(), rules), Ok(request));
        }
    }

    #[test]
    fn a_state_that_denies_what_was_asked_is_damaged() {
        use ChannelRequestState::{
            Awaiting, Cancelled, Connecting, Declined, Offered, OutcomeUnknown, Refused, Requesting,
        };
        for (states, denied) in [
            (&[Offered, Connecting][..], Some(true)),
            (
                &[Requesting, Awaiting, OutcomeUnknown, Refused],
                Some(false),
            ),
            (&[Declined, Cancelled], None),
        ] {
            for (state, asked) in states.iter().flat_map(|s| [(s, false), (s, true)]) {
                let mut request = funded();
                request.progress.state = *state;
                request.progress.asked = asked;
                let read = read_value(&value(&request));
                assert_eq!(read.is_err(), denied == Some(asked), "{state:?} {asked}");
            }
        }
    }

    #[test]
    fn every_verdict_on_a_request_is_read_back() {
        let request_id = ID.to_owned();
        let mut request = funded();
        let verdicts = [
            ChannelVerdict::Expected {
                request_id: request_id.clone(),
            },
            ChannelVerdict::Duplicate {
                request_id: request_id.clone(),
            },
            ChannelVerdict::WrongVisibility {
                request_id: request_id.clone(),
            },
            ChannelVerdict::Unwanted { request_id },
        ];
        request.progress.known_channels = verdicts
            .map(|verdict| KnownChannel {
                ids: vec![format!("{verdict:?}")],
                verdict,
            })
            .to_vec();
        assert_read_back(&request);
        let verdict = "/known_channels/0/verdict";
        for name in ["Unrequested", "expected", ""] {
            let record = read_with(&request, verdict, name.into());
            assert_eq!(record, Err(Unreadable::Damaged), "{name}");
        }
    }

    #[test]
    fn a_request_that_is_done_keeps_no_secret() {
        let mut request = arrived(funded(), opening(ChannelStage::Funded));
        assert!(value(&request)["credentials"].is_object());
        request.progress.returned = true;
        assert!(value(&request)["credentials"].is_null());
        let read = read_value(&value(&request)).unwrap();
        assert_eq!((read.credentials, read.progress), (None, request.progress));
    }

    #[test]
    fn a_later_version_is_left_for_a_later_app() {
        let request = funded();
        let version = |number: u64| read_with(&request, "/version", number.into());
        assert_eq!(version(2), Err(Unreadable::NotNow));
        assert_eq!(version(0).as_ref(), Ok(&request));
    }

    #[test]
    fn what_this_configuration_forbids_is_left_for_another() {
        let signet = Rules {
            network: BitcoinNetwork::Signet,
            ..RULES
        };
        let record = write(&funded());
        let read = |rules| read(ID, record.as_bytes(), rules);
        assert_eq!(read(signet), Err(Unreadable::NotNow));

        let private = request(ChannelKind::Funded, "127.0.0.1");
        let record = write(&private);
        let read = |allow_private_hosts| {
            let rules = Rules {
                allow_private_hosts,
                ..RULES
            };
            super::read(ID, record.as_bytes(), rules)
        };
        assert_eq!(read(false), Err(Unreadable::NotNow));
        assert_eq!(read(true), Ok(private));
    }

    #[test]
    fn what_is_wrong_is_damaged() {
        let request = arrived(hosted(), opening(ChannelStage::Funded));
        for (pointer, wrong) in [
            ("/version", json!("1")),
            ("/request_id", json!("another")),
            ("/created_at_millis", json!(-1)),
            ("/network", json!("regtest")),
            ("/state", json!("Awaiting")),
            ("/state", json!("Arriving")),
            ("/asked", json!(1)),
            ("/visibility", json!("Private")),
            ("/node_id", json!(format!("02{}", "ff".repeat(32)))),
            ("/node_id", json!(7)),
            ("/refund_script", json!("0014")),
            ("/refund_script", json!("script")),
            ("/offer", json!(null)),
            ("/offer/peer", json!("node.example.com")),
            ("/credentials", json!(7)),
            ("/credentials/lnurl", json!("http://example.com/")),
            ("/credentials/k1", json!("not hex")),
            ("/credentials/callback", json!("https://example.com/")),
            ("/outcome", json!(7)),
            ("/outcome", json!(null)),
            ("/outcome", json!({})),
            ("/outcome/channel/stage", json!("Pending")),
            ("/known_channels", json!([7])),
        ] {
            let record = read_with(&request, pointer, wrong.clone());
            assert_eq!(record, Err(Unreadable::Damaged), "{pointer}: {wrong}");
        }
        let waiting = read_with(&funded(), "/outcome", json!(7));
        assert_eq!(waiting, Err(Unreadable::Damaged));
    }

    #[test]
    fn channels_that_nobody_asked_for_are_read_back() {
        let mut unrequested = Unrequested::default();
        unrequested.add(PEER, vec!["a1".into(), "f1".into()]);
        unrequested.add(OWN, vec!["a1".into()]);
        let record = write_unrequested(&unrequested);
        let value: Value = serde_json::from_str(&record).unwrap();
        let channels = json!([
            { "peer_id": PEER, "ids": ["a1", "f1"] },
            { "peer_id": OWN, "ids": ["a1"] },
        ]);
        assert_eq!(value, json!({ "version": 1, "channels": channels }));
        assert_eq!(read_unrequested(record.as_bytes()), Ok(unrequested));
        let version = |version: u64| {
            let record = json!({ "version": version, "channels": [] });
            read_unrequested(record.to_string().as_bytes())
        };
        assert_eq!(version(0), Ok(Unrequested::default()));
        assert_eq!(version(2), Err(Unreadable::NotNow));
        assert_eq!(read_unrequested(b"{}"), Err(Unreadable::Damaged));
    }
}
