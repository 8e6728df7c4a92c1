//! What a row says that it has proved, one line each, as it proves it.

use std::time::Instant;

use lnurl_channel::{ChannelOutcome, LnurlChannelError};

pub struct Proofs(Instant);

impl Default for Proofs {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Proofs {
    pub fn say(&self, text: &str) {
        println!("{:7.2} s  {text}", self.0.elapsed().as_secs_f64());
    }
}

/// The service's own words in a refusal.
pub fn refusal(result: Result<ChannelOutcome, LnurlChannelError>) -> String {
    match result {
        Err(LnurlChannelError::Refused { words: Some(words) }) => words,
        other => panic!("not refused: {other:?}"),
    }
}
