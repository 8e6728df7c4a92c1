//! What happens to a request, and what is to be done about it.

use super::error::LnurlChannelError;
use super::types::{ChannelEvent, ChannelOutcome, ChannelVerdict, IncomingChannel};
use crate::protocol::{self, ChannelVisibility, HostMessage, Secret};

/// What the wallet's node says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFacts {
    pub node_id: String,
    /// Asked only when hosted, and only once.
    pub refund_script: Option<Vec<u8>>,
}

/// What came of asking the service, or the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It said OK; or the hosted message is out.
    Agreed,
    /// It said no, in these words.
    Refused(String),
    /// It may have been asked; why its answer is unknown.
    Lost(String),
    /// It was certainly not asked.
    NotSent(LnurlChannelError),
}

/// What happens to a request. Not `Debug`: it may carry the words of strangers as they came, and
/// secrets in them.
#[derive(Clone, PartialEq, Eq)]
pub enum Input {
    Accept(ChannelVisibility),
    Resume,
    Pause,
    Decline,
    Cancel,
    /// The node answered `node_id` and, where asked, `refund_script_pubkey`.
    NodeAsked(Result<NodeFacts, String>),
    /// A `connect` ended.
    Connected(Result<(), String>),
    /// The callback is being written: from here on, time runs.
    Written,
    Asked(Asked),
    /// The host answered; the payload as it came.
    HostAnswered(Result<HostMessage, protocol::Error>, Vec<u8>),
    /// The matcher judged a channel, and named this request.
    Judged(IncomingChannel, ChannelVerdict),
    /// The wallet's node gave up a channel of this peer.
    ChannelFailed(String),
    /// Time to see whether the peer is still connected.
    CheckDue,
    /// Waited long enough.
    TimeOver,
    /// The step before the effect could not be stored.
    StoreFailed(String),
    /// A call has handed its result to the wallet, with what the request had come to
    /// (`Request::ends`): what came since, the wallet has not heard.
    Returned(u64),
    /// The wallet had left before it could take the result.
    NotReturned(u64),
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Emit(ChannelEvent),
    /// Something that takes time and comes back as an input, unless the call ends before.
    Run(Task),
    /// Tell the service of the cancel; nothing comes back.
    SendCancel(Secret),
    /// The running call ends.
    End(Result<ChannelOutcome, LnurlChannelError>),
}

/// What a running call does, and waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Comes back as `NodeAsked`.
    AskNode { refund_script: bool },
    /// Comes back as `Connected`.
    Connect,
    /// Comes back as `Written` and `Asked`.
    SendCallback(Secret),
    /// The payload of `invoke_hosted_channel`. Comes back as `Asked`.
    SendInvoke(Secret<Vec<u8>>),
    /// Wait for the channel this long and no longer. Comes back as `TimeOver`.
    Deadline,
    /// See to the connection later; the later, the more `connect`s failed in a row. Comes back as
    /// `CheckDue`.
    CheckLater { failed_connects: u32 },
}

/// How a step is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// Nothing that a restart needs has changed.
    No,
    /// It has happened; if it can't be written now, it is with the next.
    Fact,
    /// If it can't be written, it does not happen.
    BeforeEffect,
}

/// What follows from an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub store: Store,
    pub actions: Vec<Action>,
}

impl Step {
    pub(super) fn none() -> Self {
        Self::unstored(Vec::new())
    }

    pub(super) fn unstored(actions: Vec<Action>) -> Self {
        Self {
            store: Store::No,
            actions,
        }
    }

    pub(super) fn fact(actions: Vec<Action>) -> Self {
        Self {
            store: Store::Fact,
            actions,
        }
    }

    /// A fact, if it changes what a restart needs.
    pub(super) fn fact_if(changes: bool, actions: Vec<Action>) -> Self {
        match changes {
            true => Self::fact(actions),
            false => Self::unstored(actions),
        }
    }

    pub(super) fn before_effect(actions: Vec<Action>) -> Self {
        Self {
            store: Store::BeforeEffect,
            actions,
        }
    }
}
