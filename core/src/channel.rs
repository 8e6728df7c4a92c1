//! Channels, as the wallet's node shows them and as the client judges them.

use crate::ids::RequestId;
use crate::protocol::HostedChannelTerms;

/// Longest id of a channel, in characters.
const MAX_ID: usize = 128;

/// How far an incoming channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChannelStage {
    /// The peer proposes it (`open_channel`); the node can still turn it down.
    Proposed,
    /// Both sides signed: its funding transaction is pending or confirmed (LDK's `ChannelPending`,
    /// LND's `PENDING_OPEN`).
    Funded,
    /// It can be used: both sides sent `channel_ready` (LDK's `ChannelReady`, LND's
    /// `ACTIVE_CHANNEL`).
    Ready,
}

/// A channel that a peer is opening to the wallet, as the wallet's node shows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IncomingChannel {
    /// Public key of the peer, 66 hex digits.
    pub peer_id: String,
    /// How far the channel is, as the node shows it.
    pub stage: ChannelStage,
    /// The channel id that the node shows; none only while `Proposed`. From `Funded` on, BOLT-2's
    /// `channel_id` or another of the node's that stays the same for the channel's life.
    pub channel_id: Option<String>,
    /// The temporary id that it had as `Proposed`, where the node tells.
    pub former_channel_id: Option<String>,
    /// What the channel holds, both sides together.
    pub capacity_sat: Option<u64>,
    /// What the peer gives the wallet. It is not received before the channel is confirmed.
    pub push_msat: Option<u64>,
    /// Tell it where the node does: it decides between requests, and guards the user's choice.
    pub is_announced: Option<bool>,
    /// Usable before its funding is confirmed, which takes trust in the peer.
    pub is_zero_conf: Option<bool>,
    /// Blocks that its funding transaction has, that of the transaction included.
    pub confirmations: Option<u32>,
    /// Blocks that it needs until it can be used.
    pub confirmations_required: Option<u32>,
}

/// What the client makes of an incoming channel.
///
/// Where the verdict says to turn a channel down, turn down what is `Proposed`. Never close what is
/// `Funded` by itself: ask the user. Follow a verdict only where the wallet knows of no other reason
/// for the channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ChannelVerdict {
    /// The user asked for it. This says nothing of its terms, and is no reason to trust zero-conf.
    Expected { request_id: String },
    /// Its request has its channel already, or too many proposals: turn it down.
    Duplicate { request_id: String },
    /// The user asked this peer for the other `ChannelVisibility`: turn it down. What is `Funded` is
    /// there, and counts as the request's channel.
    WrongVisibility { request_id: String },
    /// The user cancelled the request that it would answer: turn it down.
    Unwanted { request_id: String },
    /// No request waits for this peer; apply the wallet's own policy.
    Unrequested,
}

/// The channel that a request led to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ChannelOutcome {
    /// The peer funds a channel; the wallet's node goes on from here.
    Funded { channel: IncomingChannel },
    /// The host offered a new hosted channel; the hosted channel protocol goes on from `message`,
    /// the payload of `init_hosted_channel` in bLIP-17's form.
    HostedOffered {
        terms: HostedChannelTerms,
        message: Vec<u8>,
    },
    /// The host already holds a channel with this wallet; `message` is the payload of its
    /// `last_cross_signed_state`.
    HostedExists { message: Vec<u8> },
}

/// A verdict without the request that it speaks of, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VerdictKind {
    Expected,
    Duplicate,
    WrongVisibility,
    Unwanted,
}

impl VerdictKind {
    pub fn of(self, request: RequestId) -> ChannelVerdict {
        let request_id = request.to_string();
        match self {
            Self::Expected => ChannelVerdict::Expected { request_id },
            Self::Duplicate => ChannelVerdict::Duplicate { request_id },
            Self::WrongVisibility => ChannelVerdict::WrongVisibility { request_id },
            Self::Unwanted => ChannelVerdict::Unwanted { request_id },
        }
    }
}

/// A channel with its ids as they are compared; none if an id is not one that can be kept.
pub fn normalised(channel: IncomingChannel) -> Option<IncomingChannel> {
    Some(IncomingChannel {
        peer_id: channel.peer_id.to_ascii_lowercase(),
        channel_id: normalised_id(channel.channel_id)?,
        former_channel_id: normalised_id(channel.former_channel_id)?,
        ..channel
    })
}

/// Empty means none. The outer none: it cannot be kept.
pub fn normalised_id(id: Option<String>) -> Option<Option<String>> {
    let Some(id) = id.filter(|id| !id.is_empty()) else {
        return Some(None);
    };
    let fits = id.len() <= MAX_ID
        && id
            .bytes()
            .all(|byte| byte == b' ' || byte.is_ascii_graphic());
    fits.then(|| Some(id.to_ascii_lowercase()))
}
