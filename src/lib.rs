//! Turn a scanned LNURL into an incoming Lightning channel.
//!
//! Decode what the user scanned with [`decode_lnurl`], [`ChannelClient::fetch`] the offer, show it,
//! then [`ChannelRequest::accept`] or [`ChannelRequest::cancel`] it. Your wallet lends its node to
//! the client by implementing [`WalletNode`], hears of changes as a [`ChannelListener`], and reports
//! the channels that its node sees.
//!
//! The whole public API stands in `lnurl_channel.udl`. Each layer knows only those below it: `api`
//! (checks arguments, hands over), `driver` (feeds the core and carries out what it says), `io`
//! (HTTP, files, the wallet's node), and the crate `lnurl-channel-core` (the rules).

mod api;
mod driver;
mod errors;
mod io;

pub use api::{ChannelClient, ChannelRequest, ClientConfig, Lnurl, decode_lnurl, encode_lnurl};
pub use io::{ChannelListener, WalletNode, WalletNodeError};
pub use lnurl_channel_core::protocol::{
    BitcoinNetwork, ChannelKind, ChannelOffer, ChannelVisibility, HostedChannelTerms, LnurlProblem,
    PeerAddress, UrlProblem,
};
pub use lnurl_channel_core::{
    ChannelConcern, ChannelOutcome, ChannelRequestSnapshot, ChannelRequestState, ChannelStage,
    ChannelStep, ChannelVerdict, IncomingChannel, LnurlChannelError, NetworkProblem, NodeProblem,
    NodeReadiness,
};

// What UniFFI makes of the UDL: see bindings/generate.sh.
include!("lnurl_channel.uniffi.rs");
