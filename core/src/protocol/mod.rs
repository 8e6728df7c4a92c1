//! The rules of the LNURL documents (LUD-01, 02, 07, 17), bLIP-17 and BOLT, as functions of values.
//! No I/O, no clock, no async.

mod answer;
mod callback;
mod curve;
mod error;
mod hosted;
pub mod json;
pub mod lnurl;
mod node_uri;
mod offer;
mod search;
mod secrets;
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
pub use offer::{
    Ask, ChannelKind, ChannelOffer, Offer, OfferParts, PeerPolicy, offer_in_query, parse_offer,
};
pub use secrets::{Secret, Secrets, presentable};
pub use url_policy::{BadUrl, check, check_redirect, is_onion_host, is_public, parse_url, resolve};

/// The vectors of one kind.
#[cfg(test)]
fn vectors(kind: &str) -> Vec<serde_json::Value> {
    let all = include_str!("../../../tests/vectors.json");
    let all: serde_json::Value = serde_json::from_str(all).unwrap();
    all[kind].as_array().unwrap().clone()
}
