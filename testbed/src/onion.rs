//! Onion names, version 3.

use rcgen::{KeyPair, PKCS_ED25519};
use sha3::{Digest, Sha3_256};
use std::io;

const VERSION: u8 = 3;
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The name of a fresh key: valid in every part, and known to nobody but the proxy.
pub(crate) fn generate() -> io::Result<String> {
    let key = KeyPair::generate_for(&PKCS_ED25519).map_err(io::Error::other)?;
    Ok(name(key.public_key_raw()))
}

fn name(key: &[u8]) -> String {
    let checksum = Sha3_256::new()
        .chain_update(b".onion checksum")
        .chain_update(key)
        .chain_update([VERSION])
        .finalize();
    let address = [key, &checksum[..2], &[VERSION]].concat();
    format!("{}.onion", base32(&address))
}

/// Of 35 bytes, which are 56 characters without padding.
fn base32(bytes: &[u8]) -> String {
    let five_bytes = |chunk: &[u8]| {
        chunk
            .iter()
            .fold(0, |bits, &byte| bits << 8 | u64::from(byte))
    };
    bytes
        .chunks(5)
        .map(five_bytes)
        .flat_map(|bits| (0..8).rev().map(move |place| bits >> (5 * place) & 31))
        .map(|index| char::from(BASE32[index as usize]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn names_a_published_key() {
        let known = "juhanurmihxlp77nkq76byazcldy2hlmovfu2epvl5ankdibsot4csyd";
        let key = decode(known)[..32].to_vec();
        assert_eq!(name(&key), format!("{known}.onion"));
    }

    fn decode(text: &str) -> Vec<u8> {
        let digit = |c| super::BASE32.iter().position(|&b| b == c).unwrap() as u64;
        let chunk_bytes = |chunk: &[u8]| {
            let bits = chunk.iter().fold(0, |bits, &c| bits << 5 | digit(c));
            bits.to_be_bytes()[3..].to_vec()
        };
        text.as_bytes().chunks(8).flat_map(chunk_bytes).collect()
    }
}
