//! One file for each target.

pub mod answer;
pub mod bech32;
pub mod callback_url;
pub mod client;
pub mod decode_lnurl;
pub mod hosted;
pub mod node_uri;
pub mod offer;
pub mod record;
pub mod text;
pub mod text_around;
pub mod url_policy;
pub mod words;
