//! The LNURL service of the npm package `lnurl`, in a process of its own.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::part::Part;

/// An offer that the service has made.
pub struct Offer {
    pub lnurl: String,
    /// Where it is fetched from.
    pub url: String,
    pub k1: String,
}

pub struct NpmLnurl {
    part: Part,
    ready: Value,
    /// Also keeps two offers from being made at once: the service answers in no order.
    offers: Mutex<usize>,
}

impl NpmLnurl {
    /// Starts the service on a node. `lnd` is what its backend for LND takes.
    pub fn start(lnd: &Value, cert: &Path, key: &Path) -> Self {
        let options = json!({"lnd": lnd, "cert": cert, "key": key}).to_string();
        let part = Part::start("node", "parts/npm-lnurl/service.js", &[&options]);
        let ready = part.wait_for("ready", 1);
        Self {
            part,
            ready,
            offers: Mutex::new(0),
        }
    }

    /// Of the package.
    pub fn version(&self) -> &str {
        self.ready["version"].as_str().expect("a version")
    }

    pub fn offer(&self, capacity_sat: u64, push_sat: u64) -> Offer {
        let mut offers = self.offers.lock().unwrap();
        *offers += 1;
        self.part
            .tell(&json!({"localAmt": capacity_sat, "pushAmt": push_sat}));
        let offer = self.part.wait_for("offer", *offers);
        let text = |key: &str| offer[key].as_str().expect("a text").to_owned();
        Offer {
            lnurl: text("lnurl"),
            url: text("url"),
            k1: text("k1"),
        }
    }

    /// The queries of all callbacks that have reached the service.
    pub fn callbacks(&self) -> Vec<Value> {
        let received = self.part.said("received").into_iter();
        received
            .filter(|request| request["method"] == "action")
            .map(|mut request| request["query"].take())
            .collect()
    }

    /// Why callbacks have failed, in the package's words.
    pub fn failures(&self) -> Vec<String> {
        let failed = self.part.said("failed").into_iter();
        failed
            .filter(|request| request["method"] == "action")
            .map(|request| request["reason"].as_str().expect("a text").to_owned())
            .collect()
    }

    /// How many callbacks have done what was asked.
    pub fn successes(&self) -> usize {
        let processed = self.part.said("processed").into_iter();
        processed
            .filter(|request| request["method"] == "action")
            .count()
    }

    /// A callback that the library would not send: the status and the answer.
    pub fn call_by_hand(&self, query: &str) -> (u16, Value) {
        let origin = self.ready["plain_url"].as_str().expect("a URL");
        let address = origin.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).expect("the service listens");
        write!(stream, "GET /lnurl?{query} HTTP/1.0\r\n\r\n").expect("the service reads");
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .expect("the service answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
        let status = head.split(' ').nth(1).expect("a status");
        (
            status.parse().expect("a number"),
            serde_json::from_str(body).expect("JSON"),
        )
    }
}
