//! What the UDL describes: it checks arguments and hands over. No rules of the protocol.

mod client;
mod config;
mod lnurl;
mod request;

pub use client::ChannelClient;
pub use config::ClientConfig;
pub use lnurl::{Lnurl, decode_lnurl, encode_lnurl};
pub use request::ChannelRequest;
