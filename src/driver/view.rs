//! What the wallet reads of its requests. Reading waits neither for the core nor for the disk: the
//! locks here are held for as long as it takes to copy a pointer.

use std::sync::{Arc, Mutex};

use litemap::LiteMap;
use lnurl_channel_core::{ChannelRequestSnapshot, History, RequestId};

use crate::io::lock;

/// A request, as it was published last. The wallet's `ChannelRequest` holds it.
pub struct Published {
    id: RequestId,
    shown: Mutex<(Arc<ChannelRequestSnapshot>, History)>,
}

impl Published {
    pub fn id(&self) -> RequestId {
        self.id
    }

    pub fn snapshot(&self) -> Arc<ChannelRequestSnapshot> {
        lock(&self.shown).0.clone()
    }

    pub fn receipt(&self) -> String {
        let (snapshot, history) = lock(&self.shown).clone();
        lnurl_channel_core::receipt(&snapshot, &history)
    }
}

#[derive(Default)]
pub struct View {
    requests: Mutex<Requests>,
}

#[derive(Default)]
struct Requests {
    by_id: LiteMap<RequestId, Entry>,
    /// How many there ever were.
    count: u64,
}

struct Entry {
    published: Arc<Published>,
    was_accepted: bool,
    /// In the order in which they came.
    number: u64,
}

impl View {
    pub fn publish(
        &self,
        id: RequestId,
        snapshot: Arc<ChannelRequestSnapshot>,
        history: History,
        was_accepted: bool,
    ) {
        let mut requests = lock(&self.requests);
        if let Some(entry) = requests.by_id.get_mut(&id) {
            *lock(&entry.published.shown) = (snapshot, history);
            entry.was_accepted = was_accepted;
            return;
        }
        requests.count += 1;
        let entry = Entry {
            published: Arc::new(Published {
                id,
                shown: Mutex::new((snapshot, history)),
            }),
            was_accepted,
            number: requests.count,
        };
        requests.by_id.insert(id, entry);
    }

    pub fn remove(&self, id: RequestId) {
        lock(&self.requests).by_id.remove(&id);
    }

    pub fn get(&self, id: RequestId) -> Option<Arc<Published>> {
        let requests = lock(&self.requests);
        requests.by_id.get(&id).map(|entry| entry.published.clone())
    }

    /// All that were accepted, newest first.
    pub fn accepted(&self) -> Vec<ChannelRequestSnapshot> {
        let requests = lock(&self.requests);
        let accepted = requests.by_id.values().filter(|entry| entry.was_accepted);
        let accepted: Vec<_> = accepted
            .map(|entry| (entry.number, entry.published.snapshot()))
            .collect();
        drop(requests);
        let mut newest_first: Vec<(u64, Arc<ChannelRequestSnapshot>)> = Vec::new();
        for (number, snapshot) in accepted {
            // Each at its place: no sort for the phone to carry.
            let at = newest_first.partition_point(|(before, _)| *before > number);
            newest_first.insert(at, (number, snapshot));
        }
        let snapshots = newest_first.iter();
        snapshots
            .map(|(_, snapshot)| snapshot.as_ref().clone())
            .collect()
    }

    /// Offers that nobody holds any more.
    pub fn let_go(&self) -> Vec<RequestId> {
        let requests = lock(&self.requests);
        let let_go = requests
            .by_id
            .values()
            .filter(|entry| !entry.was_accepted && Arc::strong_count(&entry.published) == 1);
        let_go.map(|entry| entry.published.id).collect()
    }
}
