//! The texts that wallets show.

use lnurl_channel::{ChannelRequestState, LnurlChannelError, PeerAddress};

#[test]
fn each_error_describes_itself_in_a_sentence() {
    let reason = || "the reason".to_owned();
    let texts = [
        (
            LnurlChannelError::InvalidLnurl { reason: reason() },
            "This is not an LNURL: the reason.",
        ),
        (
            LnurlChannelError::UnsupportedTag {
                tag: "payRequest".into(),
            },
            "This LNURL is for something else than a channel: payRequest.",
        ),
        (
            LnurlChannelError::UnsafeUrl { reason: reason() },
            "The address is not safe to use: the reason.",
        ),
        (
            LnurlChannelError::TorRequired {
                host: "host.onion".into(),
            },
            "Reaching host.onion needs Tor: configure a proxy.",
        ),
        (
            LnurlChannelError::Unreachable { reason: reason() },
            "The service could not be reached, and was told nothing; try again: the reason.",
        ),
        (
            LnurlChannelError::InvalidResponse { reason: reason() },
            "The service's answer breaks the protocol: the reason.",
        ),
        (
            LnurlChannelError::Refused { reason: reason() },
            "The service said no: the reason",
        ),
        (
            LnurlChannelError::NodeFailed { reason: reason() },
            "The wallet's node could not do its part, and the service was told nothing: the reason.",
        ),
        (
            LnurlChannelError::OutcomeUnknown { reason: reason() },
            "The service was asked, its answer was lost, and no channel has arrived yet: the reason.",
        ),
        (
            LnurlChannelError::NoChannel {
                peer_connected: true,
                reason: reason(),
            },
            "The channel was asked for, and has not arrived yet: the reason.",
        ),
        (
            LnurlChannelError::Cancelled,
            "The call was paused, or the request was cancelled.",
        ),
        (
            LnurlChannelError::WrongState {
                state: ChannelRequestState::OutcomeUnknown,
            },
            "The call does not fit the request, which is in the state OutcomeUnknown.",
        ),
        (
            LnurlChannelError::StorageFailed { reason: reason() },
            "The request could not be stored, and nothing was sent: the reason.",
        ),
        (
            LnurlChannelError::InvalidConfig { reason: reason() },
            "The configuration is wrong: the reason.",
        ),
    ];
    for (error, text) in texts {
        assert_eq!(error.describe(), text);
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn a_socket_address_puts_ipv6_in_brackets() {
    let address = |host: &str, port| PeerAddress {
        node_id: "02".repeat(33),
        host: host.into(),
        port,
    };
    for (host, port, text) in [
        ("node.example", 9735, "node.example:9735"),
        ("192.0.2.7", 1, "192.0.2.7:1"),
        ("2001:db8::7", 65535, "[2001:db8::7]:65535"),
        ("host.onion", 9735, "host.onion:9735"),
    ] {
        assert_eq!(address(host, port).socket_address(), text);
    }
}
