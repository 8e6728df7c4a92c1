//! How steps and verdicts reach the journal.

use super::Client;
use crate::ids::RequestId;
use crate::input::Journal;
use crate::record;
use crate::request::{Record, Store};
use crate::verdicts::KnownChannel;

/// Keep a record as its step asks for; true if the disk took it. Only `BeforeEffects` fails.
pub fn save(
    journal: &mut impl Journal,
    unwritten: &mut Vec<RequestId>,
    record: &Record,
    store: Store,
) -> Result<bool, String> {
    let name = record.id.to_string();
    let written = match store {
        Store::No => return Ok(false),
        Store::Later => Err(String::new()),
        Store::Remove => {
            journal.remove(&name);
            Ok(())
        }
        Store::Fact | Store::BeforeEffects => match record::write(record) {
            Some(content) => journal.write(&name, &content),
            None => Ok(()),
        },
    };
    match (written, store) {
        (Err(reason), Store::BeforeEffects) => Err(reason),
        (Err(_), _) => {
            if !unwritten.contains(&record.id) {
                unwritten.push(record.id);
            }
            Ok(false)
        }
        (Ok(()), store) => {
            unwritten.retain(|id| *id != record.id);
            Ok(store != Store::Remove)
        }
    }
}

impl<J: Journal> Client<J> {
    /// The disk may take now what it did not take before.
    pub(super) fn write_unwritten(&mut self) {
        // What was a request's, as in records of the first edition, is safe here before it goes there.
        for peer_id in std::mem::take(&mut self.unwritten_peers) {
            self.write_verdicts(peer_id);
        }
        for id in std::mem::take(&mut self.unwritten) {
            if let Some(request) = self.requests.get(&id) {
                // A fact is never refused.
                let _ = save(
                    &mut self.journal,
                    &mut self.unwritten,
                    &request.record,
                    Store::Fact,
                );
            }
        }
    }

    pub(super) fn write_verdicts(&mut self, peer_id: String) {
        if self.foreign_peers.contains(&peer_id) {
            return;
        }
        let channels: Vec<KnownChannel> = self.verdicts.of_peer(&peer_id).cloned().collect();
        if channels.is_empty() {
            self.journal.remove(&peer_id);
            return;
        }
        let content = record::write_verdicts(&peer_id, &channels);
        let is_noted = self.unwritten_peers.contains(&peer_id);
        if self.journal.write(&peer_id, &content).is_err() && !is_noted {
            self.unwritten_peers.push(peer_id);
        }
    }
}
