//! Turn a scanned LNURL into an incoming Lightning channel.
//!
//! Decode what the user scanned with [`decode_lnurl`], [`ChannelClient::fetch`] the offer, show it,
//! then [`ChannelRequest::accept`] or [`ChannelRequest::decline`] it. Your wallet lends its node to
//! the client by implementing [`WalletNode`].
//!
//! The whole public API stands in `lnurl_channel.udl`. Below it, each layer knows only those below:
//! `api` (the face), `engine` (I/O), `flow` (the state machine), `protocol` (the rules).

mod api;
mod engine;
mod flow;
mod protocol;

pub use api::{ChannelClient, ChannelRequest, ClientConfig, decode_lnurl, encode_lnurl};
pub use engine::{WalletNode, WalletNodeError};
pub use flow::{
    ChannelEvent, ChannelOutcome, ChannelRequestState, ChannelStage, ChannelVerdict,
    IncomingChannel, LnurlChannelError,
};
pub use protocol::{
    BitcoinNetwork, ChannelKind, ChannelOffer, ChannelVisibility, HostedChannelTerms, Lnurl,
    PeerAddress,
};

uniffi::include_scaffolding!("lnurl_channel");
