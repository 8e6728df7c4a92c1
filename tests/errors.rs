//! The texts of errors, for logs.

use lnurl_channel::{
    ChannelRequestState, LnurlChannelError, LnurlProblem, NetworkProblem, NodeProblem, UrlProblem,
};

#[test]
fn each_error_says_what_happened_in_a_sentence_of_its_own() {
    let reason = || "the reason".to_owned();
    let words = || Some("sold out".to_owned());
    let texts = [
        (
            LnurlChannelError::InvalidLnurl {
                problem: LnurlProblem::Damaged,
                reason: reason(),
            },
            "not a usable LNURL: the reason",
        ),
        (
            LnurlChannelError::UnsupportedTag {
                tag: "payRequest".into(),
            },
            "an LNURL for payRequest",
        ),
        (
            LnurlChannelError::UnsafeUrl {
                problem: UrlProblem::NotHttps,
                reason: reason(),
            },
            "unsafe address: the reason",
        ),
        (
            LnurlChannelError::TorRequired {
                host: "host.onion".into(),
            },
            "host.onion is reached over Tor only, and no proxy is configured",
        ),
        (
            LnurlChannelError::Unreachable {
                problem: NetworkProblem::TimedOut,
                reason: reason(),
            },
            "the service could not be reached: the reason",
        ),
        (
            LnurlChannelError::InvalidResponse { reason: reason() },
            "the answer breaks the protocol: the reason",
        ),
        (
            LnurlChannelError::OwnNode,
            "the offer is of the wallet's own node",
        ),
        (
            LnurlChannelError::Refused { words: words() },
            "refused: sold out",
        ),
        (
            LnurlChannelError::Refused { words: None },
            "refused: no reason given",
        ),
        (
            LnurlChannelError::NodeFailed {
                problem: NodeProblem::NotConnected,
                reason: reason(),
            },
            "the wallet's node failed: the reason",
        ),
        (
            LnurlChannelError::NoChannel {
                service_agreed: true,
                concerns: vec![],
                reason: reason(),
            },
            "no channel yet: the reason",
        ),
        (
            LnurlChannelError::Cancelled,
            "the call was paused, or the request cancelled",
        ),
        (
            LnurlChannelError::WrongState {
                state: ChannelRequestState::OutcomeUnknown,
            },
            "the call does not fit the state OutcomeUnknown",
        ),
        (
            LnurlChannelError::StorageFailed { reason: reason() },
            "storage failed: the reason",
        ),
        (
            LnurlChannelError::InvalidConfig { reason: reason() },
            "wrong configuration: the reason",
        ),
    ];
    for (error, text) in texts {
        assert_eq!(error.to_string(), text);
    }
}
