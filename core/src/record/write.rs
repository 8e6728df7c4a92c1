//! A request's record as JSON.

use serde_json::{Value, json};

use super::{KINDS, NETWORKS, STAGES, VERDICTS, VERSION, VISIBILITIES, name_of};
use crate::channel::{IncomingChannel, VerdictKind};
use crate::request::{Arrival, AskAnswer, Baseline, Contact, Progress, Record};

/// None of a request of which nothing is kept.
pub fn record_as_json(record: &Record) -> Option<Value> {
    let (name, at, arrival, refusal, cancel_order, is_dismissed) = match &record.progress {
        Progress::Offered | Progress::Declined { .. } => return None,
        Progress::Accepted { at } => ("Accepted", Some(at), None, None, None, false),
        Progress::Asked(_) => ("Asked", None, None, None, None, false),
        Progress::Arrived {
            arrival,
            at,
            refusal,
            is_dismissed,
            ..
        } => (
            "Arrived",
            Some(at),
            Some(arrival_as_json(arrival)),
            refusal.as_ref(),
            None,
            *is_dismissed,
        ),
        Progress::Refused {
            refusal,
            is_dismissed,
            ..
        } => ("Refused", None, None, Some(refusal), None, *is_dismissed),
        Progress::Cancelled {
            at,
            order,
            is_dismissed,
            ..
        } => (
            "Cancelled",
            Some(at),
            None,
            None,
            Some(order),
            *is_dismissed,
        ),
    };
    let offer = &record.offer;
    Some(json!({
        "version": VERSION,
        "request_id": record.id.to_string(),
        "network": name_of(&NETWORKS, record.network),
        "created_at_millis": record.created_at_millis,
        "updated_at_seconds": record.updated_at_seconds,
        "offer": {
            "kind": name_of(&KINDS, offer.kind),
            "peer": offer.peer.to_uri(),
            "service": offer.service,
            "answered_by": offer.answered_by,
            "callback_host": offer.callback_host,
            "alias": offer.alias,
        },
        "credentials": record.credentials.as_ref().map(|credentials| json!({
            "lnurl": credentials.lnurl.expose(),
            "k1": credentials.ask.k1().expose(),
            "callback": credentials.ask.callback().map(|callback| callback.expose()),
        })),
        "refund_script": record.refund_script.as_ref().map(|s| hex::encode(s.as_bytes())),
        "progress": name,
        "at_seconds": at.map(|at| at.unix_seconds),
        "contact": record.progress.contact().map(contact_as_json),
        "arrival": arrival,
        "refusal": refusal.map(|refusal| json!({
            "words": refusal.words,
            "at_seconds": refusal.at.unix_seconds,
        })),
        "cancel_order": cancel_order,
        "is_dismissed": is_dismissed,
    }))
}

fn contact_as_json(contact: &Contact) -> Value {
    let (answer, words) = match &contact.answer {
        AskAnswer::Pending => ("Pending", None),
        AskAnswer::Agreed => ("Agreed", None),
        AskAnswer::Unclear { words } => ("Unclear", words.as_ref()),
    };
    json!({
        "node_id": contact.node_id,
        "answer": answer,
        "words": words,
        "asked_at_seconds": contact.asked_at.unix_seconds,
        "order": contact.order,
        "wanted": contact.funded().map(|wanted| json!({
            "visibility": name_of(&VISIBILITIES, wanted.visibility),
            "accepts_both": wanted.accepts_both,
            "baseline": match &wanted.baseline {
                Baseline::Unknown => json!("Unknown"),
                Baseline::TooMany => json!("TooMany"),
                Baseline::Ids(ids) => json!(ids),
            },
            "lost": wanted.lost.iter().map(channel_as_json).collect::<Vec<_>>(),
        })),
    })
}

fn arrival_as_json(arrival: &Arrival) -> Value {
    match arrival {
        Arrival::Funded { channel, verdict } => channel_as_json(&(channel.clone(), *verdict)),
        Arrival::HostedOffered { terms, message } => json!({
            "message": hex::encode(message),
            "terms": {
                "capacity_msat": terms.capacity_msat,
                "initial_client_balance_msat": terms.initial_client_balance_msat,
                "max_htlc_value_in_flight_msat": terms.max_htlc_value_in_flight_msat,
                "htlc_minimum_msat": terms.htlc_minimum_msat,
                "max_accepted_htlcs": terms.max_accepted_htlcs,
            },
        }),
        Arrival::HostedExists { message } => {
            json!({ "message": hex::encode(message), "terms": null })
        }
    }
}

/// Without the peer, which is the offer's.
fn channel_as_json((channel, verdict): &(IncomingChannel, VerdictKind)) -> Value {
    json!({
        "channel_id": channel.channel_id,
        "former_channel_id": channel.former_channel_id,
        "stage": name_of(&STAGES, channel.stage),
        "capacity_sat": channel.capacity_sat,
        "push_msat": channel.push_msat,
        "is_announced": channel.is_announced,
        "is_zero_conf": channel.is_zero_conf,
        "confirmations": channel.confirmations,
        "confirmations_required": channel.confirmations_required,
        "verdict": name_of(&VERDICTS, *verdict),
    })
}
