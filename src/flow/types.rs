//! The values that a wallet sees a request move through.

use crate::protocol::{HostedChannelTerms, PeerAddress};

/// How far an incoming channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChannelStage {
    /// The peer proposes it (`open_channel`, BOLT-2); the node can still turn it down.
    Proposed,
    /// The node agreed: it is pending, confirmed or ready.
    Funded,
}

/// A channel that a peer is opening to the wallet, as the wallet's node shows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IncomingChannel {
    /// Public key of the peer, 66 hex digits.
    pub peer_id: String,
    /// The channel id that the node shows at this stage, in hex.
    pub channel_id: String,
    pub stage: ChannelStage,
    /// The temporary id that it had as `Proposed`, where the node tells.
    pub former_channel_id: Option<String>,
    pub capacity_sat: Option<u64>,
    /// What the peer gives the wallet. It is not received before the channel is confirmed.
    pub push_msat: Option<u64>,
    pub is_announced: Option<bool>,
}

impl IncomingChannel {
    /// The same channel with its keys and ids in lower case, as they are compared.
    pub(crate) fn normalised(self) -> Self {
        Self {
            peer_id: self.peer_id.to_ascii_lowercase(),
            channel_id: self.channel_id.to_ascii_lowercase(),
            former_channel_id: self.former_channel_id.map(|id| id.to_ascii_lowercase()),
            ..self
        }
    }

    /// The ids that name this channel: today's and, where known, the temporary one.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.channel_id.as_str()).chain(self.former_channel_id.as_deref())
    }
}

/// What the client makes of an incoming channel. The same channel always gets the same verdict.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ChannelVerdict {
    /// The user asked for it. This says nothing of its terms, and is no reason to trust zero-conf.
    Expected { request_id: String },
    /// Its request has a funded channel already.
    Duplicate { request_id: String },
    /// The user asked this peer for the other `ChannelVisibility`; turn it down.
    WrongVisibility { request_id: String },
    /// The user cancelled the request that it would answer; turn it down.
    Unwanted { request_id: String },
    /// No request waits for this peer; apply the wallet's own policy.
    Unrequested,
}

impl ChannelVerdict {
    /// The request that the verdict speaks of.
    pub(crate) fn request_id(&self) -> Option<&str> {
        match self {
            Self::Expected { request_id }
            | Self::Duplicate { request_id }
            | Self::WrongVisibility { request_id }
            | Self::Unwanted { request_id } => Some(request_id),
            Self::Unrequested => None,
        }
    }
}

/// The channel that a request led to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ChannelOutcome {
    /// The peer sent `open_channel`; the wallet's node goes on from here.
    Opening { channel: IncomingChannel },
    /// The host offered a new hosted channel; the hosted channel protocol goes on from `message`,
    /// the payload of `init_hosted_channel`.
    HostedOffered {
        terms: HostedChannelTerms,
        message: Vec<u8>,
    },
    /// The host already holds a channel with this wallet; `message` is the payload of its
    /// `last_cross_signed_state`.
    HostedExists { message: Vec<u8> },
}

/// A step of a request. Safe to log: no event carries a secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ChannelEvent {
    /// The wallet's node is being asked to connect.
    Connecting { peer: PeerAddress },
    /// The node is connected, and the service, or the host, is being asked for the channel.
    Requesting { peer: PeerAddress },
    /// The request is out. The channel may arrive at any moment.
    AwaitingChannel { peer: PeerAddress },
    /// The last `connect` failed while the channel is awaited, and is being tried again.
    Reconnecting { peer: PeerAddress, attempt: u32 },
    /// The channel arrived.
    Arrived { outcome: ChannelOutcome },
}

/// Where a request stands, whether or not a call is running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChannelRequestState {
    /// The service has not been asked.
    Offered,
    /// `accept` is connecting; the service has not been asked.
    Connecting,
    /// The service is being asked, and has not answered.
    Requesting,
    /// The service agreed, or the host was asked; the channel is awaited.
    Awaiting,
    /// The service was asked and its answer was lost. The channel may still arrive.
    OutcomeUnknown,
    /// The service said no.
    Refused,
    /// The channel arrived.
    Arrived,
    /// The user turned the offer down, and nobody was told.
    Declined,
    /// The user cancelled after accepting.
    Cancelled,
}

impl ChannelRequestState {
    /// Nothing goes on from here by itself.
    pub(crate) fn has_ended(self) -> bool {
        matches!(
            self,
            Self::Refused | Self::Arrived | Self::Declined | Self::Cancelled
        )
    }

    /// The service, or the host, was or may have been asked, and a channel may come of it.
    pub(crate) fn awaits(self) -> bool {
        matches!(
            self,
            Self::Requesting | Self::Awaiting | Self::OutcomeUnknown
        )
    }
}
