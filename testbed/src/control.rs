//! The control interface: the testbed for programs in any language, as JSON over plain HTTP.
//!
//! Bodies and answers are JSON objects. A failure is HTTP 400 (404 for an unknown route) with
//! `{"error": text}`. Fields in brackets may be left out. Bytes are hex, durations milliseconds.
//!
//! | route | body | answer |
//! |---|---|---|
//! | `GET /info` | | `ca_pem`, `service_url`, `onion_host`, `socks_proxy_url`, `http_proxy_url`, `control_url`, and `wallet`, `target`, `stranger`, each `{id, host, port, uri}` |
//! | `GET /habits` | | `habits`: every habit's name |
//! | `POST /offers` | [`kind`: `channel`, `hosted`], [`over`: `https`, `onion`], [`habits`: names], [`capacity_sat`], [`push_msat`], [`fault_step`: `callback`, `offer`], [`http_status`], [`negotiation_timeout_ms`] | `id`, `lnurl`, `url`, `k1` |
//! | `GET /requests` | | `requests`: each `{offer_id, kind: offer, callback or other, over, method, target, headers: [[name, value]], connection, at_ms}`; `connections`, `tls_handshakes`, `tls_resumptions` |
//! | `GET /requests?count=N&wait_ms=M` | | the same, once there are N requests or the time is over |
//! | `POST /requests/reset` | | `{}`; the requests so far are forgotten |
//! | `GET /proxy/asked` | | `asked`: each `{host, port, protocol: Socks5, HttpConnect or HttpForward, credentials: user:password or null}` |
//! | `POST /wallet/connect` | `node_id`, `host`, `port` | `connected` |
//! | `POST /wallet/disconnect` | `node_id` | `{}` |
//! | `GET /wallet/connected?node_id=…` | | `connected` |
//! | `GET /wallet/channels?node_id=…` | | `channel_ids`: of all channels with that node, pending ones too |
//! | `POST /wallet/send` | `peer_id`, `message_type`, `payload_hex` | `sent` |
//! | `GET /wallet/events?wait_ms=N` | | `events`: all that wait, removed; if there are none, the first one within that time |
//! | `POST /wallet/accept_channel` | `peer_id`, `channel_id` | `{}` |
//! | `POST /wallet/reject_channel` | `peer_id`, `channel_id` | `{}` |
//! | `POST /target/open` | `peer_id`, [`capacity_sat`], [`push_msat`], [`announced`], [`temporary_channel_id`] | `temporary_channel_id` |
//! | `GET /target/events?wait_ms=N` | | as for the wallet |
//! | `GET /target/invocations` | | `invocations`: each `{offer_id, peer_id, payload_hex}` |
//! | `POST /target/send` | `peer_id`, `message_type`, `payload_hex` | `sent` |
//! | `POST /target/disconnect` | `node_id` | `{}` |
//! | `POST /mine` | [`blocks`] | `{}`; six blocks, if not told otherwise, make channels ready |
//! | `POST /shutdown` | | `{}`; the program ends |
//!
//! The stranger has the target's routes `open`, `events`, `send` and `disconnect` too, and all
//! nodes have those of the wallet. An event is an object with `type`, which is the name of its
//! `NodeEvent`, and the fields of that, the payload as `payload_hex`.

mod json;

use crate::http::{Head, Response, query_pairs, read_body, read_head};
use crate::{Node, NodeEvent, OfferOptions, OpenChannel, Parts};
use json::{Fields, event_json, node_json, request_json};
use serde_json::{Value, json};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};

const DEFAULT_BLOCKS: u64 = 6;

type Answer = Result<Value, String>;

struct Control {
    parts: Arc<Parts>,
    address: SocketAddr,
}

pub(crate) async fn start(parts: Arc<Parts>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let control = Arc::new(Control { parts, address });
    tokio::spawn(listen(control, listener));
    Ok(address)
}

pub(crate) fn info(parts: &Parts, control_address: SocketAddr) -> Value {
    json!({
        "ca_pem": parts.service.ca_pem(),
        "service_url": parts.service.url(),
        "onion_host": parts.service.onion_host(),
        "socks_proxy_url": parts.proxy.socks_url(),
        "http_proxy_url": parts.proxy.http_url(),
        "control_url": format!("http://{control_address}"),
        "wallet": node_json(&parts.wallet),
        "target": node_json(&parts.target),
        "stranger": node_json(&parts.stranger),
    })
}

async fn listen(control: Arc<Control>, listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        // What becomes of one connection concerns nobody else.
        drop(tokio::spawn(serve(control.clone(), stream)));
    }
}

async fn serve(control: Arc<Control>, stream: TcpStream) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(head) = read_head(&mut stream).await? {
        let body = read_body(&head, &mut stream).await?;
        let response = match control.answer(&head, &body).await {
            Some(Ok(value)) => Response::json(200, &value),
            Some(Err(error)) => Response::json(400, &json!({ "error": error })),
            None => Response::json(404, &json!({ "error": "no such route" })),
        };
        response.write(&mut stream).await?;
        if (head.method.as_str(), head.path()) == ("POST", "/shutdown") {
            control.parts.stop.throw();
        }
    }
    Ok(())
}

impl Control {
    /// None if there is no such route.
    async fn answer(&self, head: &Head, body: &[u8]) -> Option<Answer> {
        let fields = match Fields::parse(body, &query_pairs(head.query())) {
            Ok(fields) => fields,
            Err(error) => return Some(Err(error)),
        };
        let path: Vec<&str> = head.path().split('/').skip(1).collect();
        let parts = &self.parts;
        match (head.method.as_str(), path.as_slice()) {
            ("GET", ["info"]) => Some(Ok(info(parts, self.address))),
            ("GET", ["habits"]) => Some(Ok(json!({ "habits": json::habit_names() }))),
            ("POST", ["offers"]) => Some(self.offer(&fields)),
            ("GET", ["requests"]) => Some(self.requests(&fields).await),
            ("POST", ["requests", "reset"]) => {
                parts.service.reset_requests();
                Some(Ok(json!({})))
            }
            ("GET", ["proxy", "asked"]) => Some(Ok(json::asked_json(&parts.proxy))),
            ("GET", ["target", "invocations"]) => Some(Ok(json::invocations_json(&parts.service))),
            ("POST", ["mine"]) => Some(self.mine(&fields)),
            ("POST", ["shutdown"]) => Some(Ok(json!({}))),
            (method, ["wallet", route]) => at_node(&parts.wallet, method, route, &fields).await,
            (method, ["target", route]) => at_node(&parts.target, method, route, &fields).await,
            (method, ["stranger", route]) => at_node(&parts.stranger, method, route, &fields).await,
            _ => None,
        }
    }

    fn offer(&self, fields: &Fields) -> Answer {
        let offer = self.parts.service.offer(json::offer_options(fields)?);
        Ok(json!({ "id": offer.id, "lnurl": offer.lnurl, "url": offer.url, "k1": offer.k1 }))
    }

    async fn requests(&self, fields: &Fields) -> Answer {
        let count = fields.number("count", 0)? as usize;
        let wait = Duration::from_millis(fields.number("wait_ms", 0)?);
        let service = self.parts.service.clone();
        // Its waiting blocks.
        let waiting = tokio::task::spawn_blocking(move || {
            service.wait_for_requests(wait, |requests| requests.len() >= count);
        });
        waiting.await.map_err(|error| error.to_string())?;
        let requests = self.parts.service.requests();
        let counts = self.parts.service.connection_counts();
        Ok(json!({
            "requests": requests.iter().map(request_json).collect::<Vec<_>>(),
            "connections": counts.connections,
            "tls_handshakes": counts.tls_handshakes,
            "tls_resumptions": counts.tls_resumptions,
        }))
    }

    fn mine(&self, fields: &Fields) -> Answer {
        let blocks = fields.number("blocks", DEFAULT_BLOCKS)?;
        let blocks = u32::try_from(blocks).map_err(|_| "too many blocks".to_owned())?;
        self.parts.mine(blocks);
        Ok(json!({}))
    }
}

async fn at_node(node: &Node, method: &str, route: &str, fields: &Fields) -> Option<Answer> {
    Some(match (method, route) {
        ("POST", "connect") => connect(node, fields).await,
        ("POST", "disconnect") => disconnect(node, fields),
        ("GET", "connected") => connected(node, fields),
        ("GET", "channels") => channels(node, fields),
        ("POST", "send") => send(node, fields),
        ("GET", "events") => events(node, fields).await,
        ("POST", "accept_channel") => decide(fields, |peer, id| node.accept_channel(peer, id)),
        ("POST", "reject_channel") => decide(fields, |peer, id| node.reject_channel(peer, id)),
        ("POST", "open") => open(node, fields).await,
        _ => return None,
    })
}

async fn connect(node: &Node, fields: &Fields) -> Answer {
    let (node_id, host) = (fields.text("node_id")?, fields.text("host")?);
    let port = fields.short("port")?;
    let connected = node.0.connect(node_id, host, port).await;
    Ok(json!({ "connected": connected }))
}

fn disconnect(node: &Node, fields: &Fields) -> Answer {
    node.disconnect(fields.text("node_id")?);
    Ok(json!({}))
}

fn connected(node: &Node, fields: &Fields) -> Answer {
    Ok(json!({ "connected": node.is_connected(fields.text("node_id")?) }))
}

fn channels(node: &Node, fields: &Fields) -> Answer {
    Ok(json!({ "channel_ids": node.channel_ids(fields.text("node_id")?) }))
}

fn send(node: &Node, fields: &Fields) -> Answer {
    let payload = hex::decode(fields.text("payload_hex")?).map_err(|error| error.to_string())?;
    let message_type = fields.short("message_type")?;
    let sent = node.send_message(fields.text("peer_id")?, message_type, payload);
    Ok(json!({ "sent": sent }))
}

async fn events(node: &Node, fields: &Fields) -> Answer {
    let wait = Duration::from_millis(fields.number("wait_ms", 0)?);
    let mut events: Vec<NodeEvent> = node.0.next_event(wait).await.into_iter().collect();
    while let Some(event) = node.0.next_event(Duration::ZERO).await {
        events.push(event);
    }
    Ok(json!({ "events": events.iter().map(event_json).collect::<Vec<_>>() }))
}

fn decide(fields: &Fields, decision: impl Fn(&str, &str) -> Result<(), String>) -> Answer {
    decision(fields.text("peer_id")?, fields.text("channel_id")?)?;
    Ok(json!({}))
}

async fn open(node: &Node, fields: &Fields) -> Answer {
    let channel = OpenChannel {
        peer_id: fields.text("peer_id")?.to_owned(),
        capacity_sat: fields.number("capacity_sat", OfferOptions::default().capacity_sat)?,
        push_msat: fields.number("push_msat", 0)?,
        announced: fields.flag("announced")?,
    };
    let temporary_channel_id = fields.optional_text("temporary_channel_id")?;
    let opening = node
        .0
        .open_when_connected(&channel, temporary_channel_id)
        .await?;
    Ok(json!({ "temporary_channel_id": opening.temporary_channel_id() }))
}
