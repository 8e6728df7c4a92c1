//! What a client wants done.

use std::time::Duration;

use crate::channel::{ChannelOutcome, IncomingChannel};
use crate::error::LnurlChannelError;
use crate::ids::{RequestId, TaskId, Waiter};
use crate::protocol::{Lnurl, PeerAddress, Secret};
use crate::request::History;
use crate::snapshot::{ChannelConcern, ChannelRequestSnapshot, ChannelStep};

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// A request changed, or was loaded: publish the snapshot and, if there is a step, tell the
    /// listener.
    Changed {
        request: RequestId,
        snapshot: Box<ChannelRequestSnapshot>,
        /// Once accepted, it is among `requests`.
        was_accepted: bool,
        step: Option<ChannelStep>,
        /// For the receipt.
        history: History,
    },
    /// The client no longer knows the request.
    Forgotten(RequestId),
    /// What the waiter waited for. Of a call, the wallet should have heard of `request`'s changes
    /// before it gets the answer.
    Answer {
        waiter: Waiter,
        request: Option<RequestId>,
        result: Result<Answer, LnurlChannelError>,
    },
    Run(TaskId, Task),
    /// Nobody needs the task any more, nor what it left.
    Stop(TaskId),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Request(RequestId),
    Outcome(ChannelOutcome),
    Ready(IncomingChannel),
    Concerns(Vec<ChannelConcern>),
    Done,
}

/// Something that takes time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// GET the offer, within the time limit of a request. Comes back as `Got`.
    Get(Lnurl),
    /// Ask the node for its id, for its readiness if there is a peer, and for the refund script if
    /// wanted. Comes back as `NodeAsked`.
    AskNode {
        request: RequestId,
        readiness_for: Option<PeerAddress>,
        refund_script: bool,
    },
    /// Comes back as `Connected`, with a failure if `Client::wants` says no before it has begun.
    Connect(PeerAddress),
    /// Open a connection to the callback's host, write nothing on it, and keep it for the `Callback`
    /// that takes it (5a.3). Nothing comes back: without it, that one makes its own.
    OpenConnection {
        /// The callback as the service named it.
        url: Secret,
        connect_within: Duration,
        /// The task that fetched the offer: TLS resumes what that one left, and nothing else.
        fetched_by: Option<TaskId>,
    },
    /// GET the callback, once. Comes back as `CallbackWritten` and `CallbackEnded`.
    Callback {
        url: Secret,
        /// How long connecting may take, at each hop. The answer has no limit.
        connect_within: Duration,
        /// The task that opened a connection for it: used if it still stands, and is no older than
        /// `MAX_CONNECTION_AGE`.
        opened_by: Option<TaskId>,
    },
    /// Hand a message to the connection. Comes back as `Invoked`.
    Invoke {
        peer_id: String,
        message_type: u16,
        payload: Secret<Vec<u8>>,
    },
    /// GET once, within the time limit of a request. Comes back as `CancelSent`.
    CancelNotice(Secret),
    /// Nothing comes back.
    ReleasePeer(PeerAddress),
}
