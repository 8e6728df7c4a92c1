//! Randomness, from where TLS has it.

use ring::rand::{SecureRandom, SystemRandom};

/// None where the system gives no random numbers.
pub fn bytes() -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes)
}
