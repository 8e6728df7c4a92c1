//! Randomness, from where TLS has it.

use ring::rand::{SecureRandom, SystemRandom};

use crate::flow::LnurlChannelError;

fn bytes<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes)
}

/// 128 random bits in hex, derived from nothing.
pub fn request_id() -> Result<String, LnurlChannelError> {
    let reason = || "the system gives no random numbers".to_owned();
    let bytes: [u8; 16] =
        bytes().ok_or_else(|| LnurlChannelError::StorageFailed { reason: reason() })?;
    Ok(hex::encode(bytes))
}

/// A share between 0 and 1, to spread retries over time.
pub fn share() -> f64 {
    let byte = bytes::<1>().map_or(u8::MAX / 2, |[byte]| byte);
    f64::from(byte) / f64::from(u8::MAX)
}
