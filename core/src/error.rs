//! The one error that wallets see, and how the objections of the protocol's rules become it.

use crate::problem::{NetworkProblem, NodeProblem};
use crate::protocol::{self, LnurlProblem, UrlProblem};
use crate::snapshot::{ChannelConcern, ChannelRequestState};

/// Why a call failed. Each kind asks something else of the wallet.
///
/// `reason` is an English sentence for logs and bug reports, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LnurlChannelError {
    /// The text is not an LNURL that can be used.
    #[error("not a usable LNURL: {reason}")]
    InvalidLnurl {
        problem: LnurlProblem,
        reason: String,
    },
    /// An LNURL for something else. Route it by `tag`, such as `payRequest`.
    #[error("an LNURL for {tag}")]
    UnsupportedTag { tag: String },
    /// An address breaks the safety rules.
    #[error("unsafe address: {reason}")]
    UnsafeUrl { problem: UrlProblem, reason: String },
    /// An onion address, and no proxy to reach it.
    #[error("{host} is reached over Tor only, and no proxy is configured")]
    TorRequired { host: String },
    /// The service could not be reached, or gave no answer; it was asked for no channel. Trying again
    /// is safe.
    #[error("the service could not be reached: {reason}")]
    Unreachable {
        problem: NetworkProblem,
        reason: String,
    },
    /// The service's answer breaks the protocol.
    #[error("the answer breaks the protocol: {reason}")]
    InvalidResponse { reason: String },
    /// The offer is of the wallet's own node.
    #[error("the offer is of the wallet's own node")]
    OwnNode,
    /// The service, or the host, said no. `words` is what it said: show it as plain text.
    #[error("refused: {}", words.as_deref().unwrap_or("no reason given"))]
    Refused { words: Option<String> },
    /// The wallet's node could not do its part. The service was told nothing.
    #[error("the wallet's node failed: {reason}")]
    NodeFailed {
        problem: NodeProblem,
        reason: String,
    },
    /// No channel arrived in time. It may still: `accept` waits on, and asks nobody again.
    #[error("no channel yet: {reason}")]
    NoChannel {
        service_agreed: bool,
        concerns: Vec<ChannelConcern>,
        reason: String,
    },
    /// The call was paused, or the request cancelled; its state tells which.
    #[error("the call was paused, or the request cancelled")]
    Cancelled,
    /// The call does not fit the request's state.
    #[error("the call does not fit the state {state:?}")]
    WrongState { state: ChannelRequestState },
    /// The request could not be stored, and nothing was sent; or the folder cannot be read or used.
    #[error("storage failed: {reason}")]
    StorageFailed { reason: String },
    /// The configuration is wrong, such as a bad proxy address or a zero timeout.
    #[error("wrong configuration: {reason}")]
    InvalidConfig { reason: String },
}

impl LnurlChannelError {
    /// The variant's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::InvalidLnurl { .. } => "InvalidLnurl",
            Self::UnsupportedTag { .. } => "UnsupportedTag",
            Self::UnsafeUrl { .. } => "UnsafeUrl",
            Self::TorRequired { .. } => "TorRequired",
            Self::Unreachable { .. } => "Unreachable",
            Self::InvalidResponse { .. } => "InvalidResponse",
            Self::OwnNode => "OwnNode",
            Self::Refused { .. } => "Refused",
            Self::NodeFailed { .. } => "NodeFailed",
            Self::NoChannel { .. } => "NoChannel",
            Self::Cancelled => "Cancelled",
            Self::WrongState { .. } => "WrongState",
            Self::StorageFailed { .. } => "StorageFailed",
            Self::InvalidConfig { .. } => "InvalidConfig",
        }
    }
}

impl From<protocol::Error> for LnurlChannelError {
    fn from(error: protocol::Error) -> Self {
        use protocol::Error;
        match error {
            Error::InvalidLnurl { problem, reason } => Self::InvalidLnurl { problem, reason },
            Error::UnsupportedTag(tag) => Self::UnsupportedTag { tag },
            Error::UnsafeUrl { problem, reason } => Self::UnsafeUrl { problem, reason },
            Error::InvalidResponse(reason) => Self::InvalidResponse { reason },
            Error::Refused(words) => Self::Refused { words },
        }
    }
}
