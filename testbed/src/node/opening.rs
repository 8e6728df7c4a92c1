//! Channels that a node opens, from the proposal to the funding.

use crate::blocking;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::watch;

/// A channel to open to a connected peer.
#[derive(Debug, Clone)]
pub struct OpenChannel {
    pub peer_id: String,
    pub capacity_sat: u64,
    pub push_msat: u64,
    pub announced: bool,
}

/// What the opener does when its peer has accepted the channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Funding {
    Send,
    /// Ends the connection instead, so that both nodes forget the channel.
    Disconnect,
    /// Never funds it, and tells nobody.
    Never,
}

#[derive(Debug, Clone)]
pub(super) enum OpeningState {
    Proposed,
    Accepted,
    Funded(String),
    Failed(String),
}

struct Entry {
    funding: Funding,
    state: OpeningState,
}

type Entries = HashMap<u128, Entry>;

/// The user channel id of every channel that the node did not open, but accepted.
pub(super) const ACCEPTED_CHANNELS: u128 = 0;

/// All channels that one node ever opened, by LDK's user channel id.
#[derive(Default)]
pub(super) struct Openings {
    next: AtomicU64,
    entries: watch::Sender<Entries>,
}

impl Openings {
    pub(super) fn begin(&self, funding: Funding) -> u128 {
        let key = ACCEPTED_CHANNELS + 1 + u128::from(self.next.fetch_add(1, Ordering::Relaxed));
        let state = OpeningState::Proposed;
        self.entries.send_modify(|entries| {
            entries.insert(key, Entry { funding, state });
        });
        key
    }

    pub(super) fn funding(&self, key: u128) -> Option<Funding> {
        self.entries.borrow().get(&key).map(|entry| entry.funding)
    }

    /// Moves an opening on. What is funded or has failed stays so.
    pub(super) fn advance(&self, key: u128, state: OpeningState) {
        self.entries.send_modify(|entries| {
            if let Some(entry) = entries.get_mut(&key)
                && matches!(entry.state, OpeningState::Proposed | OpeningState::Accepted)
            {
                entry.state = state;
            }
        });
    }

    pub(super) fn opening(
        &self,
        key: u128,
        peer_id: &str,
        temporary_channel_id: String,
        runtime: Handle,
    ) -> Opening {
        Opening {
            key,
            peer_id: peer_id.to_owned(),
            temporary_channel_id,
            entries: self.entries.subscribe(),
            runtime,
        }
    }
}

/// A channel that is being opened.
#[derive(Clone)]
pub struct Opening {
    key: u128,
    peer_id: String,
    temporary_channel_id: String,
    entries: watch::Receiver<Entries>,
    runtime: Handle,
}

impl Opening {
    pub fn peer_id(&self) -> &str {
        &self.peer_id
    }

    /// The id that the peer sees until the channel is funded.
    pub fn temporary_channel_id(&self) -> &str {
        &self.temporary_channel_id
    }

    /// Waits until both nodes have the channel pending, and returns its final id; or why not.
    pub fn wait_until_funded(&self, timeout: Duration) -> Result<String, String> {
        let opening = self.clone();
        blocking::run(&self.runtime, async move { opening.funded(timeout).await })
            .unwrap_or_else(|| Err("the testbed has stopped".to_owned()))
    }

    pub(crate) async fn funded(&self, timeout: Duration) -> Result<String, String> {
        let settled = |state: &OpeningState| {
            matches!(state, OpeningState::Funded(_) | OpeningState::Failed(_))
        };
        match self.reached(settled, timeout).await {
            OpeningState::Funded(channel_id) => Ok(channel_id),
            OpeningState::Failed(reason) => Err(reason),
            _ => Err("the wallet did not accept the channel in time".to_owned()),
        }
    }

    /// Waits until the peer has reacted to the proposal in any way.
    pub(crate) async fn answered(&self, timeout: Duration) {
        let answered = |state: &OpeningState| !matches!(state, OpeningState::Proposed);
        self.reached(answered, timeout).await;
    }

    /// The first state that satisfies `wanted`, or the state when time is over.
    async fn reached(
        &self,
        wanted: impl Fn(&OpeningState) -> bool,
        timeout: Duration,
    ) -> OpeningState {
        let mut entries = self.entries.clone();
        let change = entries.wait_for(|entries| wanted(&entries[&self.key].state));
        // Both ways to fail, the time limit and a node that is gone, leave the last state.
        drop(tokio::time::timeout(timeout, change).await);
        self.entries.borrow()[&self.key].state.clone()
    }
}
