//! English sentences for logs. What an app shows its users it builds from the variants.

use crate::snapshot::ChannelConcern;

/// Why no channel has come, from what is known and nothing else.
pub fn no_channel(service_agreed: bool, is_hosted: bool, concerns: &[ChannelConcern]) -> String {
    let begin = match (service_agreed, is_hosted) {
        (true, false) => "the service agreed, and no channel has arrived in time",
        (true, true) => "the host was asked, and has not answered in time",
        (false, false) => "the service's answer is not known, and no channel has arrived in time",
        (false, true) => {
            "it is not known whether the host was asked, and it has not answered in time"
        }
    };
    let mut text = begin.to_owned();
    for concern in concerns {
        text.push_str("; ");
        text.push_str(&sentence(concern));
    }
    text
}

fn sentence(concern: &ChannelConcern) -> String {
    let quoted = |what: &str, words: &Option<String>| match words {
        Some(words) => format!("{what}: {words}"),
        None => what.to_owned(),
    };
    match concern {
        ChannelConcern::PeerNotConnected => "the peer is not connected".into(),
        ChannelConcern::ConnectionLost => {
            "the connection that the host was asked on is gone, and it answers on no other".into()
        }
        ChannelConcern::OtherVisibilityProposed => {
            "the peer proposed a channel of the other visibility, which was turned down".into()
        }
        ChannelConcern::ProposalFailed { reason } => quoted("a proposed channel failed", reason),
        ChannelConcern::AnswerUnclear { words } => {
            quoted("the service's answer was lost or not understood", words)
        }
        ChannelConcern::NodeFailed { problem } => {
            format!("the wallet's node failed ({problem:?})")
        }
        ChannelConcern::ServiceUnreachable { problem } => {
            format!("the service was not reached ({problem:?})")
        }
    }
}
