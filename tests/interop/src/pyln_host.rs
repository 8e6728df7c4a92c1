//! A host of hosted channels on Core Lightning's `pyln-proto`, in a process of its own.

use std::path::Path;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::part::Part;

/// A message 65535 as the host has received and decoded it; all in hex.
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    pub peer_id: String,
    /// Whole, with the type.
    pub message: String,
    pub chain_is_regtest: bool,
    pub refund_script_pubkey: String,
    pub secret: String,
    /// The message, put together anew from its fields.
    pub again: String,
}

pub struct PylnHost {
    part: Part,
    ready: Value,
    offers: Mutex<usize>,
}

impl PylnHost {
    pub fn start(cert: &Path, key: &Path) -> Self {
        let options = json!({"cert": cert, "key": key}).to_string();
        let part = Part::start("python3", "parts/pyln-proto/host.py", &[&options]);
        let ready = part.wait_for("ready", 1);
        Self {
            part,
            ready,
            offers: Mutex::new(0),
        }
    }

    /// Of `pyln-proto`.
    pub fn version(&self) -> &str {
        text(&self.ready["version"])
    }

    pub fn node_id(&self) -> &str {
        text(&self.ready["node_id"])
    }

    /// An LNURL whose offer is fetched; `host.py` lists the answers.
    pub fn offer(&self, k1: &str, answer: &str) -> String {
        self.make(&json!({"k1": k1, "answer": answer}))
    }

    /// An LNURL that holds the offer itself.
    pub fn inline_offer(&self, k1: &str, answer: &str) -> String {
        self.make(&json!({"k1": k1, "answer": answer, "inline": true}))
    }

    fn make(&self, wish: &Value) -> String {
        let mut offers = self.offers.lock().unwrap();
        *offers += 1;
        self.part.tell(wish);
        text(&self.part.wait_for("offer", *offers)["lnurl"]).to_owned()
    }

    /// How many connections have exchanged `init`.
    pub fn connections(&self) -> usize {
        self.part.said("connected").len()
    }

    /// The feature bits in the `init` of such a connection, once there are so many.
    pub fn wait_for_connection(&self, count: usize) -> Vec<u64> {
        let connected = self.part.wait_for("connected", count);
        let features = connected["features"].as_array().expect("a list");
        features.iter().filter_map(Value::as_u64).collect()
    }

    pub fn invocations(&self) -> usize {
        self.part.said("invoked").len()
    }

    pub fn wait_for_invocation(&self, count: usize) -> Invocation {
        let invoked = self.part.wait_for("invoked", count);
        Invocation {
            peer_id: text(&invoked["peer"]).to_owned(),
            message: text(&invoked["message"]).to_owned(),
            chain_is_regtest: invoked["chain_is_regtest"] == true,
            refund_script_pubkey: text(&invoked["refund_scriptpubkey"]).to_owned(),
            secret: text(&invoked["secret"]).to_owned(),
            again: text(&invoked["again"]).to_owned(),
        }
    }

    pub fn answers(&self) -> usize {
        self.part.said("answered").len()
    }

    /// The name and the payload of what the host has sent.
    pub fn wait_for_answer(&self, count: usize) -> (String, Vec<u8>) {
        let answered = self.part.wait_for("answered", count);
        let message = hex::decode(text(&answered["message"])).expect("hex");
        (text(&answered["name"]).to_owned(), message[2..].to_vec())
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
