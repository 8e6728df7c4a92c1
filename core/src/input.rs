//! What a client is told.

use url::Url;

use crate::error::LnurlChannelError;
use crate::ids::{RequestId, TaskId, Waiter};
use crate::problem::NodeProblem;
use crate::protocol::{ChannelVisibility, Lnurl};
use crate::readiness::NodeReadiness;

/// What happens to a client. Not `Debug`: it may carry secrets, and strangers' words as they came.
#[derive(Clone)]
pub enum Input {
    // ---- what the wallet asks for; each `waiter` gets one `Output::Answer` ----
    /// Answered with the request behind the LNURL: a new one gets `new_id`.
    Fetch {
        waiter: Waiter,
        lnurl: Lnurl,
        new_id: RequestId,
    },
    /// Answered with the outcome.
    Accept {
        waiter: Waiter,
        request: RequestId,
        visibility: ChannelVisibility,
    },
    /// Answered with the outcome.
    AskAgain {
        waiter: Waiter,
        request: RequestId,
        visibility: ChannelVisibility,
    },
    /// Answered with the channel, once it can be used.
    AwaitReady {
        waiter: Waiter,
        request: RequestId,
    },
    /// Answered with what would stand in the way of accepting.
    Preflight {
        waiter: Waiter,
        request: RequestId,
        visibility: ChannelVisibility,
    },
    /// Answered once the service was told, or could not be.
    Cancel {
        waiter: Waiter,
        request: RequestId,
    },
    Dismiss {
        waiter: Waiter,
        request: RequestId,
    },
    Pause(RequestId),
    /// The wallet dropped the future: it takes no answer any more.
    Leave(Waiter),
    /// The wallet holds none of these requests any more.
    LetGo(Vec<RequestId>),
    CheckPeers,
    /// All calls end, and none begins any more.
    Shutdown,

    // ---- what the wallet's node reports ----
    PeerConnection {
        peer_id: String,
        is_connected: bool,
    },
    ChannelClosed {
        peer_id: String,
        channel_id: Option<String>,
        reason: Option<String>,
    },

    // ---- what came of a task; ignored if the client no longer waits for it ----
    /// The offer's GET ended.
    Got(TaskId, Result<Reply, HttpFailure>),
    NodeAsked(TaskId, Result<NodeFacts, NodeFailure>),
    Connected(TaskId, Result<(), NodeFailure>),
    /// The connection stands, and the callback is about to be written.
    CallbackWritten(TaskId),
    CallbackEnded(TaskId, Result<Reply, HttpFailure>),
    Invoked(TaskId, Result<(), NodeFailure>),
    CancelSent(TaskId),

    /// The instant of `poll_timeout` has come.
    TimePassed,
}

impl Input {
    /// The user decided it: it is done even if nobody waits for its answer any more. What else has a waiter
    /// does not begin then.
    pub fn is_decision(&self) -> bool {
        matches!(self, Self::Cancel { .. } | Self::Dismiss { .. })
    }
}

/// What a service answered, whatever its status.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
    /// Where it came from, after redirects.
    pub url: Url,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpFailure {
    pub error: LnurlChannelError,
    /// The request was, or may have been, written.
    pub was_sent: bool,
    /// Another try may go better.
    pub may_retry: bool,
}

/// What the wallet's node says of itself, and of one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFacts {
    pub node_id: String,
    /// None if it was not asked for.
    pub readiness: Option<NodeReadiness>,
    /// None if it was not asked for.
    pub refund_script: Option<Vec<u8>>,
}

/// Why the wallet's node did not do its part. `reason` is as the wallet gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFailure {
    pub problem: NodeProblem,
    pub reason: String,
}

/// Where records are kept. Each is replaced as a whole.
pub trait Journal {
    /// Returns once the record is safe. The reason of a failure is for logs.
    fn write(&mut self, name: &str, content: &str) -> Result<(), String>;
    /// What cannot be removed now is removed after the next start.
    fn remove(&mut self, name: &str);
    /// Keep a damaged record out of the way, with `content` in place of its own, or as it is where
    /// that could not be read.
    fn set_aside(&mut self, name: &str, content: Option<&str>);
}

/// A record as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub name: String,
    /// None where it is no record that can be: a link, a pipe, one that is too large.
    pub content: Option<Vec<u8>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancel_and_a_dismissal_are_decisions_and_a_wait_is_none() {
        let (waiter, request) = (Waiter(1), RequestId::of_random([1; 16]));
        for input in [
            Input::Cancel { waiter, request },
            Input::Dismiss { waiter, request },
        ] {
            assert!(input.is_decision());
        }
        assert!(!Input::AwaitReady { waiter, request }.is_decision());
    }
}
