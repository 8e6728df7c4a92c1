//! What runs for a request.

use std::time::Duration;

use super::Progress;
use crate::ids::{TaskId, Waiter};
use crate::protocol::{ChannelVisibility, Secret};

/// A running `accept`, `ask_again` or `await_ready`, for all who wait for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub waiters: Vec<Waiter>,
    pub stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The node tells of itself. Nothing was sent.
    AskingNode {
        task: TaskId,
        plan: Plan,
    },
    /// The node connects. Nothing was sent.
    Connecting {
        plan: Plan,
        node_id: String,
        channel_ids: Vec<String>,
        give_up_at: Duration,
        /// Opens the connection to the callback's host meanwhile; none for a host.
        opens: Option<TaskId>,
    },
    /// The service, or the host, is being asked. Time runs once the callback is written.
    Asking {
        link: Link,
    },
    /// A record of the first edition: the node's channels are read before the wait begins.
    ReadingBaseline {
        task: TaskId,
    },
    Waiting {
        link: Link,
        deadline: Deadline,
    },
    /// The channel arrived, and cannot be used yet.
    AwaitingReady {
        link: Link,
    },
}

/// What a call is going to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub visibility: ChannelVisibility,
    pub is_again: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    pub at: Duration,
    /// The same, for what is shown.
    pub unix_seconds: u64,
}

/// The connection to the peer, while a channel is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Resting {
        check_at: Duration,
        /// `connect`s that failed in a row.
        failures: u32,
    },
    Connecting {
        give_up_at: Duration,
        failures: u32,
        /// The time is over, and this is tried before the call ends.
        is_last: bool,
    },
}

impl Stage {
    /// The task that asks the node, if one runs.
    pub fn node_task(&self) -> Option<TaskId> {
        match self {
            Self::AskingNode { task, .. } | Self::ReadingBaseline { task } => Some(*task),
            Self::Connecting { .. }
            | Self::Asking { .. }
            | Self::Waiting { .. }
            | Self::AwaitingReady { .. } => None,
        }
    }

    /// The task that opens the connection to the callback's host, if one runs.
    pub fn opens(&self) -> Option<TaskId> {
        match self {
            Self::Connecting { opens, .. } => *opens,
            _ => None,
        }
    }

    pub fn link(&self) -> Option<Link> {
        match self {
            Self::Asking { link } | Self::Waiting { link, .. } | Self::AwaitingReady { link } => {
                Some(*link)
            }
            Self::AskingNode { .. } | Self::Connecting { .. } | Self::ReadingBaseline { .. } => {
                None
            }
        }
    }

    pub fn link_mut(&mut self) -> Option<&mut Link> {
        match self {
            Self::Asking { link } | Self::Waiting { link, .. } | Self::AwaitingReady { link } => {
                Some(link)
            }
            Self::AskingNode { .. } | Self::Connecting { .. } | Self::ReadingBaseline { .. } => {
                None
            }
        }
    }

    pub fn deadline(&self) -> Option<Deadline> {
        match self {
            Self::Waiting { deadline, .. } => Some(*deadline),
            _ => None,
        }
    }

    /// Whether it waits for a `connect`.
    pub fn connects(&self) -> bool {
        matches!(self, Self::Connecting { .. })
            || matches!(self.link(), Some(Link::Connecting { .. }))
    }
}

/// A callback, or an `invoke_hosted_channel`, on its way. It outlives the call if the channel comes
/// first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    /// The task of the last try.
    pub task: TaskId,
    pub stage: AskStage,
    /// What to go back to if it turns out that nothing was sent.
    pub undo: Progress,
    /// The same, of a host.
    pub undo_host_can_answer: bool,
    pub is_again: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskStage {
    /// The connection to the callback's host is being made. Nothing was sent.
    Connecting {
        url: Secret,
        retries: u32,
        /// Waiting for the next try.
        retry_at: Option<Duration>,
        give_up_at: Duration,
    },
    /// The callback was, or may have been, written.
    Written { give_up_at: Duration },
    /// The node is handing the message to the connection.
    Invoking,
}

impl Asking {
    /// Certainly nothing was sent so far.
    pub fn is_unsent(&self) -> bool {
        matches!(self.stage, AskStage::Connecting { .. })
    }
}
