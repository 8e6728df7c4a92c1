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
        text.push_str(&concern_in_english(concern));
    }
    text
}

pub fn concern_in_english(concern: &ChannelConcern) -> String {
    let quoted = |what: &str, words: &Option<String>| match words {
        Some(words) => format!("{what}: {words}"),
        None => what.to_owned(),
    };
    match concern {
        ChannelConcern::AnchorReserve { missing_sat } => format!(
            "the node has {missing_sat} sat too little on chain to keep for a channel with anchors"
        ),
        ChannelConcern::VisibilityRefused { visibility } => {
            format!("the node takes no channel that is {visibility:?}")
        }
        ChannelConcern::ZeroConfRefused => {
            "the peer proposed a zero-conf channel, and the node takes none from it".into()
        }
        ChannelConcern::TooManyPending { pending } => {
            format!("{pending} channels of the peer are pending, and the node takes no more")
        }
        ChannelConcern::OnionUnreachable => {
            "the peer has an onion address, and the node reaches none".into()
        }
        ChannelConcern::HostedUnsupported => "the node has no custom messages".into(),
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

/// Why the channel that arrived cannot be used. `why` is the node's own reason.
pub fn never_ready(why: Option<&str>) -> String {
    let closed = "the channel was closed before it could be used";
    match why {
        Some(why) => format!("{closed}: {why}"),
        None => closed.to_owned(),
    }
}
