//! The face that the UDL describes: it checks arguments and hands over. No rules of the protocol.

mod client;
mod config;
mod helpers;
mod request;

pub use client::ChannelClient;
pub use config::ClientConfig;
pub use helpers::{decode_lnurl, encode_lnurl};
pub use request::ChannelRequest;
