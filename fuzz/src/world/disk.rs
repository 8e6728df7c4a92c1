//! The journal in memory. What is written is read back.

use std::collections::BTreeMap;

use lnurl_channel_core::internals::{read, read_verdicts, write, write_verdicts};
use lnurl_channel_core::{Journal, Now, Stored};
use serde_json::Value;

use super::{RULES, no_secret_in};
use crate::samples::PEER;

#[derive(Default)]
pub struct Disk {
    pub records: BTreeMap<String, String>,
    pub set_aside: BTreeMap<String, Option<String>>,
    pub is_full: bool,
    /// Something is stored otherwise than the client left it.
    pub is_behind: bool,
    pub writes: usize,
    /// When the next record is written.
    pub now: Option<Now>,
    /// The wall clock was set: what is stored may be of the future.
    pub clock_was_set: bool,
}

impl Disk {
    pub fn stored(&self) -> Vec<Stored> {
        let records = self.records.iter().map(|(name, content)| Stored {
            name: name.clone(),
            content: Some(content.clone().into_bytes()),
        });
        records.collect()
    }
}

impl Journal for Disk {
    fn write(&mut self, name: &str, content: &str) -> Result<(), String> {
        if self.is_full {
            self.is_behind = true;
            return Err("the disk is full".into());
        }
        if let Some(now) = self.now {
            check_written(name, content, now, self.clock_was_set);
        }
        self.writes += 1;
        self.records.insert(name.to_owned(), content.to_owned());
        Ok(())
    }

    fn remove(&mut self, name: &str) {
        self.records.remove(name);
    }

    fn set_aside(&mut self, name: &str, content: Option<&str>) {
        no_secret_in(content.unwrap_or_default());
        self.records.remove(name);
        let content = content.map(str::to_owned);
        self.set_aside.insert(name.to_owned(), content);
    }
}

/// A record is read back as it was written, and holds no secret once it needs none.
fn check_written(name: &str, content: &str, now: Now, clock_was_set: bool) {
    if name.len() == PEER.len() {
        let channels = read_verdicts(name, content.as_bytes()).expect("our own verdicts");
        assert_eq!(write_verdicts(name, &channels), content);
        return;
    }
    let loaded = read(name, content.as_bytes(), RULES, now).expect("our own record");
    assert!(
        clock_was_set || !loaded.needs_writing,
        "read otherwise: {content}"
    );
    assert!(write(&loaded.record).is_some() && loaded.verdicts.is_empty());
    let record: Value = serde_json::from_str(content).expect("JSON");
    let is_over = ["Refused", "Cancelled"]
        .iter()
        .any(|name| record["progress"] == *name)
        || record["arrival"]["stage"] == "Ready"
        || !record["arrival"]["message"].is_null();
    if is_over {
        no_secret_in(content);
    }
}

/// Cut, or with another byte in it; or no file that may be read.
pub fn damaged(content: &str, how: u8) -> Option<Vec<u8>> {
    let at = content.len() * usize::from(how >> 5) / 8;
    let mut bytes = content.as_bytes().to_vec();
    match how >> 4 & 1 {
        0 => bytes.truncate(at),
        _ => bytes[at] ^= 1,
    }
    (!bytes.is_empty()).then_some(bytes)
}
