//! Events on their way to the wallet: of one request in order, one at a time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::driver::Engine;
use super::lock;
use super::runtime;
use super::table::Table;
use crate::flow::ChannelEvent;

/// How long the end of a call waits for the wallet to hear of what led to it.
const FLUSH: Duration = Duration::from_millis(500);

#[derive(Default)]
pub struct EventQueue {
    waiting: VecDeque<Item>,
    /// A task is handing them over.
    delivering: bool,
}

enum Item {
    Event(ChannelEvent),
    /// Everything before this was handed over.
    Mark(oneshot::Sender<()>),
}

impl Engine {
    pub(super) fn emit(self: &Arc<Self>, table: &mut Table, id: &str, event: ChannelEvent) {
        self.enqueue(table, id, Item::Event(event));
    }

    /// Wait until the wallet has heard of all events so far; not for ever, since it may block.
    pub(super) async fn flush_events(self: &Arc<Self>, id: &str) {
        let (mark, heard) = oneshot::channel();
        self.enqueue(&mut lock(&self.table), id, Item::Mark(mark));
        let _ = tokio::time::timeout(FLUSH, heard).await;
    }

    fn enqueue(self: &Arc<Self>, table: &mut Table, id: &str, item: Item) {
        let Some(entry) = table.entries.get_mut(id) else {
            return;
        };
        let events = &mut entry.events;
        events.waiting.push_back(item);
        if !events.delivering {
            let deliver = self.clone().deliver(id.to_owned());
            events.delivering = runtime::spawn(deliver).is_some();
        }
    }

    async fn deliver(self: Arc<Self>, id: String) {
        while let Some(item) = self.next_event(&id) {
            match item {
                Item::Event(event) => self.wallet.tell(id.clone(), event).await,
                // Whoever asked may have gone.
                Item::Mark(mark) => drop(mark.send(())),
            }
        }
    }

    fn next_event(&self, id: &str) -> Option<Item> {
        let mut table = lock(&self.table);
        let events = &mut table.entries.get_mut(id)?.events;
        let item = events.waiting.pop_front();
        events.delivering = item.is_some();
        if !events.delivering {
            // Most of a request's time nothing happens: no room for it meanwhile.
            events.waiting = VecDeque::new();
        }
        item
    }
}
