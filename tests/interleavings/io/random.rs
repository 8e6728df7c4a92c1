//! Randomness that is part of the order that is tried, so that a failure can be had again.

use shuttle::rand::{Rng, thread_rng};

pub fn bytes() -> Option<[u8; 16]> {
    Some(thread_rng().r#gen())
}
