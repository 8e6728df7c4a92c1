//! Why the pure rules refuse a text, an address or an answer.

/// Why a text, an address or an answer is refused. Reasons are English and hold no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is not an LNURL that can be used.
    #[error("not a usable LNURL: {reason}")]
    InvalidLnurl {
        problem: LnurlProblem,
        reason: String,
    },
    /// An LNURL for something else; the tag names it.
    #[error("an LNURL for {0}")]
    UnsupportedTag(String),
    /// An address breaks the safety rules.
    #[error("unsafe address: {reason}")]
    UnsafeUrl { problem: UrlProblem, reason: String },
    /// The answer breaks the protocol.
    #[error("invalid answer: {0}")]
    InvalidResponse(String),
    /// The service, or the host, said no. The text is its own, where it gave one.
    #[error("refused: {}", .0.as_deref().unwrap_or("no reason given"))]
    Refused(Option<String>),
}

/// What is wrong with a scanned text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LnurlProblem {
    /// It is no LNURL: perhaps an invoice or an address, for another part of the wallet.
    NotLnurl,
    /// It looks like an LNURL, and is incomplete or mistyped: scan again.
    Damaged,
    /// It holds several different ones.
    Several,
}

/// Which safety rule an address breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UrlProblem {
    /// Plain http, or a redirect to it.
    NotHttps,
    /// An address of the local network. Where a public name leads there, the phone may be behind the
    /// login page of a network.
    PrivateAddress,
    /// Another form of address that is refused, such as one with a user name.
    Other,
}
