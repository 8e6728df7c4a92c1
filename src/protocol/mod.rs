//! The rules of the LNURL documents (LUD-01, 02, 07, 17), bLIP-17 and BOLT, as values in and values
//! or errors out. No I/O, no clock, no async.

mod answer;
mod callback;
mod error;
mod hosted;
pub mod json;
pub mod lnurl;
mod node_uri;
mod offer;
mod text;
mod url_policy;

pub use callback::{Answer, ChannelVisibility, accept_url, cancel_url, parse_answer};
pub use error::Error;
pub use hosted::{
    BitcoinNetwork, HostMessage, HostedChannelTerms, INVOKE_HOSTED_CHANNEL, check_refund_script,
    invoke_payload, read_host_message,
};
pub use lnurl::{Lnurl, decode, encode};
pub use node_uri::{PeerAddress, check_node_id, parse_node_uri};
pub use offer::{ChannelKind, ChannelOffer, Offer, offer_in_query, parse_offer};
pub use text::{Secret, Secrets, presentable};
pub use url_policy::{check, check_redirect, is_onion_host, is_public, parse_url, resolve};
