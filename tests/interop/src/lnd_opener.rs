//! An LND that opens channels on the terms of whoever runs the service.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::Lnd;
use crate::lnd_front::{Asked, Opener};
use crate::support::scene::wait_within;

const LIMIT: Duration = Duration::from_secs(60);

/// What the service's node proposes, beside what the callback says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    pub anchors: bool,
    pub zero_conf: bool,
}

pub struct LndOpener {
    pub lnd: Lnd,
    pub terms: Arc<Mutex<Terms>>,
}

impl LndOpener {
    /// It opens nothing while it is behind the chain, and spends nothing that is not confirmed.
    fn wait_until_able(&self) {
        wait_within(LIMIT, "an LND that can open", || {
            let is_synced = |info: serde_json::Value| info["synced_to_chain"] == true;
            let has_funds = |balance: serde_json::Value| balance["confirmed_balance"] != "0";
            self.lnd.ask(&["getinfo"]).is_ok_and(is_synced)
                && self.lnd.ask(&["walletbalance"]).is_ok_and(has_funds)
        });
    }
}

impl Opener for LndOpener {
    fn id(&self) -> String {
        self.lnd.id()
    }

    fn uri(&self) -> String {
        self.lnd.address()
    }

    fn open(&self, asked: &Asked) -> Result<String, String> {
        self.wait_until_able();
        let terms = *self.terms.lock().unwrap();
        let (capacity, push) = (asked.capacity_sat.to_string(), asked.push_sat.to_string());
        let mut words = vec!["openchannel", "--node_key", &asked.peer_id];
        words.extend(["--local_amt", &capacity, "--push_amt", &push]);
        let anchors = if terms.anchors {
            "anchors"
        } else {
            "tweakless"
        };
        words.extend(["--channel_type", anchors]);
        words.extend(asked.private.then_some("--private"));
        words.extend(terms.zero_conf.then_some("--zero_conf"));
        let opened = self.lnd.ask(&words)?;
        let transaction = opened["funding_txid"].as_str();
        Ok(transaction
            .expect("LND tells the funding transaction")
            .to_owned())
    }
}
