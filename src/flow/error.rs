//! The one error that wallets see, and the one place where the rules' objections become it.

use super::types::ChannelRequestState;
use crate::protocol;

/// Why a call failed. Each kind asks something else of the wallet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LnurlChannelError {
    /// Not an LNURL. Ask the user to scan again.
    #[error("This is not an LNURL: {reason}.")]
    InvalidLnurl { reason: String },
    /// An LNURL for something else. Route it by `tag`, such as `payRequest`.
    #[error("This LNURL is for something else than a channel: {tag}.")]
    UnsupportedTag { tag: String },
    /// The address breaks the safety rules: plain http, a private host, a downgrade.
    #[error("The address is not safe to use: {reason}.")]
    UnsafeUrl { reason: String },
    /// An onion address, and no `ClientConfig.proxy` to reach it.
    #[error("Reaching {host} needs Tor: configure a proxy.")]
    TorRequired { host: String },
    /// The service could not be reached, and was told nothing. Trying again is safe.
    #[error("The service could not be reached, and was told nothing; try again: {reason}.")]
    Unreachable { reason: String },
    /// The service's answer breaks the protocol.
    #[error("The service's answer breaks the protocol: {reason}.")]
    InvalidResponse { reason: String },
    /// The service, or the host, said no. `reason` is its own words: show it as plain text.
    #[error("The service said no: {reason}")]
    Refused { reason: String },
    /// The wallet's node could not do its part. The service was told nothing.
    #[error("The wallet's node could not do its part, and the service was told nothing: {reason}.")]
    NodeFailed { reason: String },
    /// The service was asked, its answer was lost, and no channel arrived in time. `resume` waits on.
    #[error(
        "The service was asked, its answer was lost, and no channel has arrived yet: {reason}."
    )]
    OutcomeUnknown { reason: String },
    /// The service agreed and no channel arrived in time. It may still: `resume` waits on.
    #[error("The channel was asked for, and has not arrived yet: {reason}.")]
    NoChannel {
        peer_connected: bool,
        reason: String,
    },
    /// The call was paused, or the request cancelled; `ChannelRequest.state` tells which.
    #[error("The call was paused, or the request was cancelled.")]
    Cancelled,
    /// The call does not fit the request's state, named in `state`.
    #[error("The call does not fit the request, which is in the state {state:?}.")]
    WrongState { state: ChannelRequestState },
    /// The request could not be stored. Nothing was sent.
    #[error("The request could not be stored, and nothing was sent: {reason}.")]
    StorageFailed { reason: String },
    /// The configuration is wrong, such as a bad proxy address or a zero timeout.
    #[error("The configuration is wrong: {reason}.")]
    InvalidConfig { reason: String },
}

impl From<protocol::Error> for LnurlChannelError {
    fn from(error: protocol::Error) -> Self {
        use protocol::Error;
        match error {
            Error::InvalidLnurl(reason) => Self::InvalidLnurl { reason },
            Error::UnsupportedTag(tag) => Self::UnsupportedTag { tag },
            Error::UnsafeUrl(reason) => Self::UnsafeUrl { reason },
            Error::InvalidResponse(reason) => Self::InvalidResponse { reason },
            Error::Refused(reason) => Self::Refused { reason },
        }
    }
}
