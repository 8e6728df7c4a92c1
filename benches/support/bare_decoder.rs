//! The yardstick for decoding speed: one pass over a bech32 LNURL, a table for the alphabet, and no
//! URL parsing. It checks one case, the human-readable part, the alphabet, the checksum and the
//! padding, and it shares no code with the library, so that it does not move with what it measures.

const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR: [u32; 5] = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

const TABLE: [u8; 256] = {
    let mut table = [255u8; 256];
    let mut i = 0;
    while i < 32 {
        table[ALPHABET[i] as usize] = i as u8;
        table[ALPHABET[i].to_ascii_uppercase() as usize] = i as u8;
        i += 1;
    }
    table
};

#[inline(always)]
fn step(checksum: u32, value: u32) -> u32 {
    let top = checksum >> 25;
    let mut next = ((checksum & 0x1ff_ffff) << 5) ^ value;
    let mut i = 0;
    while i < 5 {
        next ^= 0u32.wrapping_sub((top >> i) & 1) & GENERATOR[i];
        i += 1;
    }
    next
}

/// Decode `text`, `lnurl1...` in one case, to the URL's text.
pub fn decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    if bytes.len() < 12 || !bytes[..6].eq_ignore_ascii_case(b"lnurl1") {
        return None;
    }
    let (mut lower, mut upper) = (false, false);
    for byte in bytes {
        lower |= byte.is_ascii_lowercase();
        upper |= byte.is_ascii_uppercase();
    }
    if lower && upper {
        return None;
    }
    let mut checksum = 1u32;
    for byte in b"lnurl" {
        checksum = step(checksum, u32::from(byte >> 5));
    }
    checksum = step(checksum, 0);
    for byte in b"lnurl" {
        checksum = step(checksum, u32::from(byte & 31));
    }
    let data = &bytes[6..];
    let payload = data.len() - 6;
    let mut out = Vec::with_capacity(payload * 5 / 8);
    let (mut pending, mut bits) = (0u32, 0u32);
    for (i, &byte) in data.iter().enumerate() {
        let value = TABLE[byte as usize];
        if value == 255 {
            return None;
        }
        checksum = step(checksum, u32::from(value));
        if i < payload {
            pending = (pending << 5) | u32::from(value);
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                out.push((pending >> bits) as u8);
            }
        }
    }
    if checksum != 1 || bits >= 5 || pending & ((1 << bits) - 1) != 0 {
        return None;
    }
    String::from_utf8(out).ok()
}
