//! What the pure rules can object to.

/// Why a text, an address or an answer was refused. Reasons are English and hold no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is not an LNURL.
    #[error("not an LNURL: {0}")]
    InvalidLnurl(String),
    /// An LNURL for something else; the tag says for what.
    #[error("an LNURL for {0}")]
    UnsupportedTag(String),
    /// The address breaks the safety rules.
    #[error("unsafe address: {0}")]
    UnsafeUrl(String),
    /// The answer breaks the protocol.
    #[error("invalid answer: {0}")]
    InvalidResponse(String),
    /// The service, or the host, said no, in its own words.
    #[error("refused: {0}")]
    Refused(String),
}
