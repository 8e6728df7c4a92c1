//! The control interface, as a harness in another language uses it.

use crate::client::{Answer, Client, connect, exchange, read_answer, split_url};
use lnurl_channel_testbed::Testbed;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::io::Write;

struct Harness {
    testbed: Testbed,
    /// Events that were fetched and not looked at yet, by their node.
    waiting: RefCell<HashMap<&'static str, VecDeque<Value>>>,
}

impl Harness {
    fn get(&self, target: &str) -> Value {
        let url = self.testbed.control_url() + target;
        let (authority, target) = split_url(&url);
        let stream = connect(authority).unwrap();
        good(exchange(stream, target, authority).unwrap())
    }

    fn post(&self, target: &str, body: Value) -> Value {
        good(self.try_post(target, body))
    }

    fn try_post(&self, target: &str, body: Value) -> Answer {
        let url = self.testbed.control_url() + target;
        let (authority, target) = split_url(&url);
        let mut stream = connect(authority).unwrap();
        let (body, host) = (body.to_string(), format!("Host: {authority}"));
        let length = format!("Content-Length: {}", body.len());
        let head = format!("POST {target} HTTP/1.1\r\n{host}\r\n{length}\r\n\r\n");
        stream.write_all((head + &body).as_bytes()).unwrap();
        read_answer(&mut stream).unwrap()
    }

    fn wallet_event(&self) -> Value {
        self.event("wallet")
    }

    /// The next event of a node, after the connections that came about.
    fn event(&self, node: &'static str) -> Value {
        let mut waiting = self.waiting.borrow_mut();
        let waiting = waiting.entry(node).or_default();
        loop {
            if let Some(event) = waiting.pop_front() {
                if event["type"] != "PeerConnected" {
                    return event;
                }
                continue;
            }
            let fetched = self.get(&format!("/{node}/events?wait_ms=10000"));
            let fetched = fetched["events"].as_array().unwrap();
            assert!(!fetched.is_empty(), "{node} shows nothing");
            waiting.extend(fetched.iter().cloned());
        }
    }
}

fn good(answer: Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

fn harness() -> Harness {
    Harness {
        testbed: Testbed::start().unwrap(),
        waiting: RefCell::default(),
    }
}

fn connect_wallet(harness: &Harness) -> Value {
    let info = harness.get("/info");
    let target = &info["target"];
    let peer = json!({
        "node_id": target["id"], "host": target["host"], "port": target["port"],
    });
    let connected = harness.post("/wallet/connect", peer);
    assert_eq!(connected, json!({ "connected": true }));
    info
}

#[test]
fn drives_a_channel_from_offer_to_ready() {
    let harness = harness();
    let info = connect_wallet(&harness);
    let offer = harness.post("/offers", json!({ "habits": ["OpensAnnounced"] }));
    let client = Client::new(&harness.testbed.service());
    let parameters = client.get(offer["url"].as_str().unwrap()).unwrap().json();
    let url = format!(
        "{}?k1={}&remoteid={}&private=1",
        parameters["callback"].as_str().unwrap(),
        offer["k1"].as_str().unwrap(),
        info["wallet"]["id"].as_str().unwrap(),
    );
    assert!(client.get(&url).unwrap().is_ok());

    let proposal = harness.wallet_event();
    assert_eq!(proposal["type"], "OpenChannelRequest");
    assert_eq!(proposal["is_announced"], true);
    let decision = json!({ "peer_id": proposal["peer_id"], "channel_id": proposal["channel_id"] });
    harness.post("/wallet/accept_channel", decision);
    let pending = harness.wallet_event();
    assert_eq!(pending["type"], "ChannelPending");
    assert_eq!(pending["former_channel_id"], proposal["channel_id"]);
    // The target is a message behind: it broadcasts when its own channel is pending.
    harness.event("target");
    harness.post("/mine", json!({}));
    let ready = harness.wallet_event();
    assert_eq!(ready["type"], "ChannelReady");
    let channels = format!(
        "/wallet/channels?node_id={}",
        ready["peer_id"].as_str().unwrap()
    );
    let channel_ids = json!([ready["channel_id"]]);
    assert_eq!(harness.get(&channels)["channel_ids"], channel_ids);

    let seen = harness.get("/requests?count=2&wait_ms=10000");
    assert_eq!(seen["requests"][1]["kind"], "callback");
    assert_eq!(seen["requests"][1]["offer_id"], offer["id"]);
    harness.post("/requests/reset", json!({}));
    assert_eq!(harness.get("/requests")["requests"], json!([]));
}

#[test]
fn drives_a_hosted_channel() {
    let harness = harness();
    let info = connect_wallet(&harness);
    let offer = harness.post("/offers", json!({ "kind": "hosted", "over": "onion" }));
    let payload = format!(
        "{}00000020{}",
        "00".repeat(32),
        offer["k1"].as_str().unwrap()
    );
    let message = json!({
        "peer_id": info["target"]["id"], "message_type": 65535, "payload_hex": payload,
    });
    assert_eq!(harness.post("/wallet/send", message)["sent"], true);
    let answer = harness.wallet_event();
    assert_eq!(answer["type"], "PeerMessage");
    assert_eq!(answer["message_type"], 65533);
    let invocations = harness.get("/target/invocations");
    assert_eq!(invocations["invocations"][0]["payload_hex"], payload);
    assert_eq!(invocations["invocations"][0]["offer_id"], offer["id"]);
}

#[test]
fn drives_the_nodes() {
    let harness = harness();
    let info = connect_wallet(&harness);
    let wallet_id = &info["wallet"]["id"];
    let opened = harness.post("/target/open", json!({ "peer_id": wallet_id }));
    let proposal = harness.wallet_event();
    assert_eq!(proposal["channel_id"], opened["temporary_channel_id"]);
    let decision = json!({ "peer_id": proposal["peer_id"], "channel_id": proposal["channel_id"] });
    harness.post("/wallet/reject_channel", decision.clone());
    let without_anchors = harness.wallet_event();
    assert_eq!(without_anchors["channel_id"], proposal["channel_id"]);
    harness.post("/wallet/reject_channel", decision);
    assert_eq!(harness.event("target")["type"], "ChannelClosed");

    let connected = format!("/target/connected?node_id={}", wallet_id.as_str().unwrap());
    assert_eq!(harness.get(&connected)["connected"], true);
    harness.post("/target/disconnect", json!({ "node_id": wallet_id }));
    assert_eq!(harness.get(&connected)["connected"], false);
    assert_eq!(harness.wallet_event()["type"], "PeerDisconnected");
}

#[test]
fn tells_what_is_wrong() {
    let harness = harness();
    let wrong = harness.try_post("/offers", json!({ "habits": ["NoSuchHabit"] }));
    assert_eq!(wrong.status, 400);
    assert_eq!(wrong.json()["error"], "no such habit: NoSuchHabit");
    assert_eq!(harness.try_post("/nowhere", json!({})).status, 404);
    assert_eq!(harness.try_post("/wallet/connect", json!([])).status, 400);
}

#[test]
fn reaches_every_habit_by_name() {
    let harness = harness();
    let habits = harness.get("/habits")["habits"].as_array().unwrap().clone();
    for habit in &habits {
        let offer = harness.post("/offers", json!({ "habits": [habit] }));
        assert!(offer["lnurl"].as_str().unwrap().starts_with("LNURL1"));
    }
}

#[test]
fn shuts_down_on_request() {
    let harness = harness();
    let stop = harness.testbed.stop();
    harness.post("/shutdown", json!({}));
    stop.wait();
}
