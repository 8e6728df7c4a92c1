//! What the fuzzer does to the library: one function of bytes for each target, with what has to
//! hold for any bytes.

mod hidden;
mod json;
mod lines;
mod public;
mod samples;
pub mod seeds;
pub mod targets;
mod unicode;
mod world;

/// A target's name, and what is run on its inputs.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: [Target; 13] = [
    ("answer", targets::answer::run),
    ("bech32", targets::bech32::run),
    ("callback_url", targets::callback_url::run),
    ("client", targets::client::run),
    ("decode_lnurl", targets::decode_lnurl::run),
    ("hosted", targets::hosted::run),
    ("node_uri", targets::node_uri::run),
    ("offer", targets::offer::run),
    ("record", targets::record::run),
    ("text", targets::text::run),
    ("text_around", targets::text_around::run),
    ("url_policy", targets::url_policy::run),
    ("words", targets::words::run),
];
