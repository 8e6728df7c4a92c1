//! What a wallet sees of a request.

use crate::channel::IncomingChannel;
use crate::problem::{NetworkProblem, NodeProblem};
use crate::protocol::{ChannelOffer, ChannelVisibility, HostedChannelTerms};

/// Where a request stands, whether or not a call is running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChannelRequestState {
    /// The service has not been asked.
    Offered,
    /// A call connects the node. If it ends before the service is asked, the request is `Offered`.
    Connecting,
    /// The service is being asked, and has not answered.
    Requesting,
    /// The service agreed, or the host was asked; the channel is awaited.
    Awaiting,
    /// The service was asked and its answer was lost or unclear. The channel may still arrive.
    OutcomeUnknown,
    /// The peer proposed the channel. After a restart the request is `Awaiting` or
    /// `OutcomeUnknown`.
    Opening,
    /// The channel is funded, or the host answered.
    Arrived,
    /// The channel can be used.
    Ready,
    /// The service, or the host, said no.
    Refused,
    /// The user turned the offer down, or cancelled.
    Cancelled,
}

/// What has just happened to a request. The snapshot that comes with it has the details.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChannelStep {
    /// The wallet's node is being asked to connect.
    Connecting,
    /// The node is connected, and the service, or the host, is being asked for the channel.
    Requesting,
    /// The service agreed, or the host's connection took the message.
    Agreed,
    /// The service's answer was lost, or could not be understood; the channel may come all the same.
    AnswerUnclear,
    /// The connection was lost, or the last `connect` failed; it is being tried again.
    Reconnecting,
    /// The peer sent `open_channel`, as expected.
    Proposed,
    /// The peer proposed what was not asked for; the verdict told the wallet to turn it down.
    Mismatched,
    /// The channel failed before it was ready; the request awaits another.
    OpeningFailed,
    /// The channel is funded, or the host answered.
    Arrived,
    /// More is known of the channel that arrived, such as its confirmations.
    Progressed,
    /// The channel can be used.
    Ready,
    /// Anything else: a call began or ended, the peer's connection, the end of the request.
    Changed,
}

/// Why a channel may be turned down, or does not come.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ChannelConcern {
    /// The node keeps more on chain for a channel with anchors than it has.
    AnchorReserve { missing_sat: u64 },
    /// The node takes no channel of the chosen visibility.
    VisibilityRefused { visibility: ChannelVisibility },
    /// The peer proposed a zero-conf channel, and the node takes none from it.
    ZeroConfRefused,
    /// The node takes no more pending channels of this peer for now.
    TooManyPending { pending: u32 },
    /// The peer has an onion address, and the node reaches none.
    OnionUnreachable,
    /// The node has no custom messages.
    HostedUnsupported,
    /// The peer was not connected when the wait ended.
    PeerNotConnected,
    /// The connection that the host was asked on is gone, and it answers on no other: ask again.
    ConnectionLost,
    /// The peer proposed a channel of the other visibility, which was turned down.
    OtherVisibilityProposed,
    /// The peer proposed a channel that failed before it was funded. `reason` is the node's own.
    ProposalFailed { reason: Option<String> },
    /// The service's answer was lost, or could not be understood. `words` is what it said, if
    /// anything: plain text, untrusted.
    AnswerUnclear { words: Option<String> },
    /// The last call ended because of the wallet's node.
    NodeFailed { problem: NodeProblem },
    /// The last call ended because the service could not be reached.
    ServiceUnreachable { problem: NetworkProblem },
}

/// A request at one moment: what a screen shows. Safe to log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelRequestSnapshot {
    /// Stable across restarts.
    pub request_id: String,
    /// Grows with every change of the request within a run: of two snapshots, the later one has the
    /// larger.
    pub revision: u64,
    /// What the service or the host offers.
    pub offer: ChannelOffer,
    /// Where the request stands.
    pub state: ChannelRequestState,
    /// Whether a call is running.
    pub is_running: bool,
    /// Whether the peer is connected, as far as the wallet's node has told.
    pub is_peer_connected: bool,
    /// What was asked for; none before, and when hosted.
    pub visibility: Option<ChannelVisibility>,
    /// When the offer was fetched, in seconds since 1970.
    pub created_at_seconds: u64,
    /// When the request last changed, in seconds since 1970.
    pub updated_at_seconds: u64,
    /// When the running call stops waiting, in seconds since 1970.
    pub waits_until_seconds: Option<u64>,
    /// The channel that is being opened, or arrived.
    pub channel: Option<IncomingChannel>,
    /// What the host offered, of a new hosted channel.
    pub hosted_terms: Option<HostedChannelTerms>,
    /// What stands in the way, as far as is known; after a refusal, what may be why. A restart forgets most.
    pub concerns: Vec<ChannelConcern>,
    /// What the service, or the host, said when it refused, if it gave a reason: plain text,
    /// untrusted.
    pub refusal: Option<String>,
    /// Whether the user has seen how it ended (`ChannelRequest.dismiss`).
    pub is_dismissed: bool,
}
