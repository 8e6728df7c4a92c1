//! A real LND, as `parts/lnd.sh` starts it.

use std::process::Command;

use serde_json::{Value, json};

#[derive(Clone)]
pub struct Lnd {
    name: String,
}

impl Lnd {
    /// The node that the row's script started under this name.
    pub fn named(name: &str) -> Self {
        let name = name.to_uppercase();
        Self { name }
    }

    pub(crate) fn variable(&self, what: &str) -> String {
        let variable = format!("LND_{}_{what}", self.name);
        std::env::var(&variable).unwrap_or_else(|_| panic!("{variable} is not set"))
    }

    /// `node_id@host:port`.
    pub fn address(&self) -> String {
        self.variable("ADDRESS")
    }

    pub fn id(&self) -> String {
        let address = self.address();
        let (id, _) = address.split_once('@').expect("a key and a host");
        id.to_owned()
    }

    /// How the npm package's backend for LND reaches it.
    pub fn backend(&self) -> Value {
        json!({
            "baseUrl": self.variable("REST"),
            "cert": self.variable("CERT"),
            "macaroon": self.variable("MACAROON"),
        })
    }

    /// Asks it with `lncli`: what it answers, or its words of why not.
    pub fn ask(&self, words: &[&str]) -> Result<Value, String> {
        let output = Command::new(self.variable("CLI"))
            .args(words)
            .output()
            .expect("lncli runs");
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        Ok(serde_json::from_slice(&output.stdout).expect("lncli prints JSON"))
    }
}
