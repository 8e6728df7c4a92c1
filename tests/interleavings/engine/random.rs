//! Randomness that is part of the order that is tried, so that a failure can be had again.

use shuttle::rand::{Rng, thread_rng};

use crate::flow::LnurlChannelError;

pub fn request_id() -> Result<String, LnurlChannelError> {
    Ok(hex::encode(thread_rng().r#gen::<[u8; 16]>()))
}

pub fn share() -> f64 {
    0.5
}
