//! The rules of the LNURL documents (LUD-01, 02, 07, 17), bLIP-17 and BOLT, as functions of values.
//! No I/O, no clock, no async.

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
pub use error::{Error, LnurlProblem, UrlProblem};
pub use hosted::{
    BitcoinNetwork, HostMessage, HostedChannelTerms, INIT_HOSTED_CHANNEL, INVOKE_HOSTED_CHANNEL,
    LAST_CROSS_SIGNED_STATE, RefundScript, invoke_payload, parse_refund_script, read_host_message,
};
pub use lnurl::{Lnurl, decode, encode};
pub use node_uri::{PeerAddress, check_node_id, parse_node_uri};
pub use offer::{Ask, ChannelKind, ChannelOffer, Offer, OfferParts, offer_in_query, parse_offer};
pub use text::{Secret, Secrets, presentable};
pub use url_policy::{BadUrl, check, check_redirect, is_onion_host, is_public, parse_url, resolve};
