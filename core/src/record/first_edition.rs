//! Records of the first edition, 0.1, in today's form.

use serde_json::{Value, json};

use super::{
    KINDS, MAX_COUNTER, Unreadable, VERDICTS, VERSION, is_channel_id, is_node_id, name_of,
    value_named,
};
use crate::channel::VerdictKind;
use crate::ids::RequestId;
use crate::protocol::json::Object;
use crate::protocol::{
    self, ChannelKind, HostMessage, INIT_HOSTED_CHANNEL, LAST_CROSS_SIGNED_STATE, Lnurl,
};
use crate::verdicts::{KnownChannel, StoredVerdict};

/// A request's record as it is written today, and the verdicts on other channels of its peer. What is
/// wrong in it is left for today's checks to find.
pub fn migrate(id: RequestId, old: &Value) -> Result<(Value, Vec<KnownChannel>), Unreadable> {
    let asked = old["asked"].as_bool().ok_or(())?;
    if old["node_id"].is_null() == asked {
        return Err(Unreadable::Damaged);
    }
    let arrival = read_arrival(old).ok_or(())?;
    let progress = match (old["state"].as_str().ok_or(())?, asked) {
        ("Offered" | "Connecting", false) => "Accepted",
        ("Declined" | "Cancelled", false) => return Err(Unreadable::Obsolete),
        ("Requesting" | "Awaiting" | "OutcomeUnknown", true) => "Asked",
        // 0.1 counted a proposal as the arrival. It is gone since the restart.
        ("Arrived", true) if arrival.is_null() => "Asked",
        ("Arrived", true) => "Arrived",
        ("Refused", true) => "Refused",
        ("Declined" | "Cancelled", true) => "Cancelled",
        _ => return Err(Unreadable::Damaged),
    };
    let created_at_millis = old["created_at_millis"].as_u64().ok_or(())?;
    let created_at = created_at_millis / 1000;
    let ended_at = match progress {
        "Accepted" | "Asked" => None,
        _ => Some(old["ended_at"].as_u64().ok_or(())?),
    };
    // 0.1 did not count what it asked and cancelled. The times at hand give the same order.
    let order = created_at_millis.clamp(1, MAX_COUNTER - 1);
    let cancel_order = ended_at.map(|at| at.saturating_mul(1000).clamp(order + 1, MAX_COUNTER));
    let is = |name: &str| progress == name;
    let migrated = json!({
        "version": VERSION,
        "request_id": old["request_id"],
        "network": old["network"],
        "created_at_millis": created_at_millis,
        "updated_at_seconds": ended_at.unwrap_or(created_at),
        "offer": migrate_offer(old).ok_or(())?,
        "credentials": old["credentials"],
        "refund_script": old["refund_script"],
        "progress": progress,
        "at_seconds": match progress {
            "Accepted" => Some(created_at),
            "Refused" => None,
            _ => ended_at,
        },
        "contact": asked.then(|| migrate_contact(old, created_at, order)),
        "arrival": arrival,
        "refusal": is("Refused").then(|| json!({ "words": null, "at_seconds": ended_at })),
        "cancel_order": cancel_order.filter(|_| is("Cancelled")),
        "is_dismissed": ended_at.is_some() && old["returned"].as_bool().ok_or(())?,
    });
    Ok((migrated, read_known_channels(id, old).ok_or(())?))
}

/// 0.1's service is a host without its port. Of an offer in the LNURL itself, which nobody vouches for,
/// it is the peer's host.
fn migrate_offer(old: &Value) -> Option<Value> {
    let offer = &old["offer"];
    let peer = protocol::parse_node_uri(offer["peer"].as_str()?).ok()?;
    let service = offer["service"].as_str()?;
    let lnurl = old["credentials"]["lnurl"].as_str().map(Lnurl::from_url);
    let service = match lnurl {
        _ if is_hosted(old) && service == peer.host => None,
        Some(lnurl) => Some(lnurl.ok()?.authority()),
        None => Some(service.to_owned()),
    };
    Some(json!({
        "kind": offer["kind"],
        "peer": offer["peer"],
        "service": service,
        "callback_host": offer["callback_host"],
        "alias": offer["alias"],
    }))
}

/// 0.1 did not store when it asked: not before the offer was fetched.
fn migrate_contact(old: &Value, created_at: u64, order: u64) -> Value {
    let answer = match (old["state"].as_str(), old["agreed"].as_bool()) {
        (Some("OutcomeUnknown"), _) => "Unclear",
        (_, Some(true)) => "Agreed",
        _ => "Pending",
    };
    // None where both were asked for, one after the other.
    let visibility = Some(&old["visibility"]).filter(|visibility| !visibility.is_null());
    let wanted = json!({
        "visibility": visibility.cloned().unwrap_or_else(|| "Unannounced".into()),
        "accepts_both": visibility.is_none(),
        "baseline": "Unknown",
        "lost": [],
    });
    json!({
        "node_id": old["node_id"],
        "answer": answer,
        "asked_at_seconds": created_at,
        "order": order,
        "wanted": (!is_hosted(old)).then_some(wanted),
    })
}

/// Null where nothing arrived that counts as an arrival today.
fn read_arrival(old: &Value) -> Option<Value> {
    let (outcome, channel) = (&old["outcome"], &old["outcome"]["channel"]);
    match (old["state"] == "Arrived", outcome.is_object()) {
        (true, true) if channel.is_object() => Some(migrate_channel(old, channel)),
        (true, true) => migrate_host_answer(outcome),
        (false, _) if outcome.is_null() => Some(Value::Null),
        _ => None,
    }
}

fn migrate_channel(old: &Value, channel: &Value) -> Value {
    let id = |key: &str| channel[key].as_str().filter(|id| is_channel_id(id));
    let Some(channel_id) = id("channel_id").filter(|_| channel["stage"] != "Proposed") else {
        return Value::Null;
    };
    let (wanted, announced) = (
        old["visibility"].as_str(),
        channel["is_announced"].as_bool(),
    );
    // 0.1 expected what was funded, whatever its visibility.
    let fits = match (wanted, announced) {
        (Some(wanted), Some(announced)) => announced == (wanted == "Announced"),
        _ => true,
    };
    let verdict = match fits {
        true => VerdictKind::Expected,
        false => VerdictKind::WrongVisibility,
    };
    json!({
        "channel_id": channel_id,
        "former_channel_id": id("former_channel_id"),
        "stage": channel["stage"],
        "capacity_sat": channel["capacity_sat"],
        "push_msat": channel["push_msat"],
        "is_announced": channel["is_announced"],
        "verdict": name_of(&VERDICTS, verdict),
    })
}

/// 0.1 kept the message as it came, with an older host's length in front.
fn migrate_host_answer(outcome: &Value) -> Option<Value> {
    let message = hex::decode(outcome["message"].as_str()?).ok()?;
    let message_type = match outcome["terms"].is_null() {
        true => LAST_CROSS_SIGNED_STATE,
        false => INIT_HOSTED_CHANNEL,
    };
    match protocol::read_host_message(message_type, &message, "", "")?.ok()? {
        HostMessage::Init { message, .. } | HostMessage::LastCrossSignedState { message } => {
            Some(json!({ "message": hex::encode(message), "terms": outcome["terms"] }))
        }
        HostMessage::Error(_) => None,
    }
}

/// What 0.1 expected is left out: but for the arrival, those were proposals, and what of them was funded
/// since is judged anew. What it turned down stays so, under each id that it had.
fn read_known_channels(request: RequestId, old: &Value) -> Option<Vec<KnownChannel>> {
    let mut verdicts = Vec::new();
    for known in old["known_channels"].as_array()? {
        let kind = value_named(&VERDICTS, known["verdict"].as_str()?)?;
        let ids = known["ids"].as_array()?.iter().filter_map(Value::as_str);
        let ids = ids.filter(|id| kind != VerdictKind::Expected && is_channel_id(id));
        verdicts.extend(ids.map(|id| KnownChannel {
            channel_id: id.to_owned(),
            verdict: StoredVerdict::Of(kind, request),
        }));
    }
    Some(verdicts)
}

fn is_hosted(old: &Value) -> bool {
    old["offer"]["kind"] == name_of(&KINDS, ChannelKind::Hosted)
}

/// Read 0.1's record of the channels that nobody asked for: peers, and ids of their channels.
pub fn read_unrequested_channels(content: &[u8]) -> Result<Vec<(String, String)>, Unreadable> {
    let stored = Object::parse(content).map_err(|_| Unreadable::Damaged)?;
    if stored.number("version").ok_or(())? > 1 {
        return Err(Unreadable::NotNow);
    }
    let mut channels = Vec::new();
    for channel in stored.list("channels").ok_or(())? {
        let peer_id = channel.text("peer_id").ok_or(())?;
        let ids = channel.texts("ids").ok_or(())?.into_iter();
        // 0.1 took whatever the wallet reported.
        let ids = ids.filter(|id| is_node_id(&peer_id) && is_channel_id(id));
        channels.extend(ids.map(|id| (peer_id.clone(), id)));
    }
    Ok(channels)
}
