//! The testbed's types as JSON, and requests' fields out of it.

use crate::{
    Habit, Kind, Node, NodeEvent, OfferOptions, Over, Proxy, RequestKind, SeenRequest, Service,
    Step,
};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// What a request holds: the object in its body, and what its query adds, as text.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn parse(body: &[u8], query: &[(String, String)]) -> Result<Fields, String> {
        let mut fields = match body {
            [] => Map::new(),
            body => serde_json::from_slice(body).map_err(|error| error.to_string())?,
        };
        for (key, value) in query {
            fields.insert(key.clone(), Value::String(value.clone()));
        }
        Ok(Fields(fields))
    }

    pub(super) fn text(&self, name: &str) -> Result<&str, String> {
        self.0
            .get(name)
            .and_then(Value::as_str)
            .ok_or_else(|| format!("{name} is missing, or not text"))
    }

    pub(super) fn optional_text(&self, name: &str) -> Result<Option<&str>, String> {
        match self.0.contains_key(name) {
            true => self.text(name).map(Some),
            false => Ok(None),
        }
    }

    fn text_or<'a>(&'a self, name: &str, default: &'a str) -> Result<&'a str, String> {
        Ok(self.optional_text(name)?.unwrap_or(default))
    }

    pub(super) fn number(&self, name: &str, default: u64) -> Result<u64, String> {
        let number = match self.0.get(name) {
            None => Some(default),
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_u64(),
        };
        number.ok_or_else(|| format!("{name} is not a number"))
    }

    /// A number that has to be there, of 16 bits.
    pub(super) fn short(&self, name: &str) -> Result<u16, String> {
        let number = self.number(name, u64::MAX)?;
        u16::try_from(number).map_err(|_| format!("{name} is missing, or too large"))
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, String> {
        match self.0.get(name) {
            None => Ok(false),
            Some(value) => value
                .as_bool()
                .ok_or_else(|| format!("{name} is not a boolean")),
        }
    }

    fn habits(&self) -> Result<Vec<Habit>, String> {
        let names = match self.0.get("habits") {
            None => return Ok(Vec::new()),
            Some(value) => value.as_array().ok_or("habits is not a list")?,
        };
        names
            .iter()
            .map(|name| name.as_str().ok_or("a habit is not text")?.parse())
            .collect()
    }
}

pub(super) fn offer_options(fields: &Fields) -> Result<OfferOptions, String> {
    let default = OfferOptions::default();
    let timeout_ms = default.negotiation_timeout.as_millis() as u64;
    Ok(OfferOptions {
        kind: match fields.text_or("kind", "channel")? {
            "channel" => Kind::Channel,
            "hosted" => Kind::Hosted,
            other => return Err(format!("no such kind: {other}")),
        },
        over: match fields.text_or("over", "https")? {
            "https" => Over::Https,
            "onion" => Over::Onion,
            other => return Err(format!("no such way: {other}")),
        },
        fault_step: match fields.text_or("fault_step", "callback")? {
            "callback" => Step::Callback,
            "offer" => Step::Offer,
            other => return Err(format!("no such step: {other}")),
        },
        habits: fields.habits()?,
        capacity_sat: fields.number("capacity_sat", default.capacity_sat)?,
        push_msat: fields.number("push_msat", default.push_msat)?,
        http_status: match fields.number("http_status", default.http_status.into())? {
            status @ 100..=999 => status as u16,
            other => return Err(format!("no such HTTP status: {other}")),
        },
        body: fields.text_or("body", &default.body)?.to_owned(),
        negotiation_timeout: Duration::from_millis(
            fields.number("negotiation_timeout_ms", timeout_ms)?,
        ),
    })
}

pub(super) fn habit_names() -> Vec<String> {
    Habit::ALL.iter().map(Habit::to_string).collect()
}

pub(super) fn node_json(node: &Node) -> Value {
    let address = node.address();
    json!({
        "id": node.id(),
        "host": address.ip().to_string(),
        "port": address.port(),
        "uri": node.uri(),
    })
}

pub(super) fn request_json(request: &SeenRequest) -> Value {
    json!({
        "offer_id": request.offer_id,
        "kind": match request.kind {
            RequestKind::Offer => "offer",
            RequestKind::Callback => "callback",
            RequestKind::Other => "other",
        },
        "over": match request.over {
            Over::Https => "https",
            Over::Onion => "onion",
        },
        "method": request.method,
        "target": request.target,
        "headers": request.headers,
        "connection": request.connection,
        "at_ms": request.at.as_millis() as u64,
    })
}

pub(super) fn asked_json(proxy: &Proxy) -> Value {
    let asked = proxy.asked();
    let asked = asked.iter().map(|asked| {
        json!({
            "host": asked.host,
            "port": asked.port,
            "protocol": format!("{:?}", asked.protocol),
            "credentials": asked.credentials,
        })
    });
    json!({ "asked": asked.collect::<Vec<_>>() })
}

pub(super) fn invocations_json(service: &Service) -> Value {
    let invocations = service.invocations();
    let invocations = invocations.iter().map(|invocation| {
        json!({
            "offer_id": invocation.offer_id,
            "peer_id": invocation.peer_id,
            "payload_hex": hex::encode(&invocation.payload),
        })
    });
    json!({ "invocations": invocations.collect::<Vec<_>>() })
}

pub(super) fn event_json(event: &NodeEvent) -> Value {
    match event {
        NodeEvent::OpenChannelRequest {
            peer_id,
            channel_id,
            capacity_sat,
            push_msat,
            is_announced,
            is_zero_conf,
        } => json!({
            "type": "OpenChannelRequest",
            "peer_id": peer_id,
            "channel_id": channel_id,
            "capacity_sat": capacity_sat,
            "push_msat": push_msat,
            "is_announced": is_announced,
            "is_zero_conf": is_zero_conf,
        }),
        NodeEvent::ChannelPending {
            peer_id,
            channel_id,
            former_channel_id,
        } => json!({
            "type": "ChannelPending",
            "peer_id": peer_id,
            "channel_id": channel_id,
            "former_channel_id": former_channel_id,
        }),
        NodeEvent::ChannelReady {
            peer_id,
            channel_id,
        } => json!({
            "type": "ChannelReady",
            "peer_id": peer_id,
            "channel_id": channel_id,
        }),
        NodeEvent::ChannelClosed {
            peer_id,
            channel_id,
            reason,
        } => json!({
            "type": "ChannelClosed",
            "peer_id": peer_id,
            "channel_id": channel_id,
            "reason": reason,
        }),
        NodeEvent::PeerMessage {
            peer_id,
            message_type,
            payload,
        } => json!({
            "type": "PeerMessage",
            "peer_id": peer_id,
            "message_type": message_type,
            "payload_hex": hex::encode(payload),
        }),
        NodeEvent::PeerConnected { peer_id } => json!({
            "type": "PeerConnected",
            "peer_id": peer_id,
        }),
        NodeEvent::PeerDisconnected { peer_id } => json!({
            "type": "PeerDisconnected",
            "peer_id": peer_id,
        }),
    }
}
