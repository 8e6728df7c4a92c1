//! The library's bech32 against the `bech32` crate's.
//!
//! What the crate's checked decoder accepts (its checksum type raised to 4296 characters), with
//! `lnurl` as its human-readable part, clean padding and text as its payload, must decode to the
//! same URL as that payload does by itself, or be refused just as that is. What the crate refuses
//! must be refused. The crate's encoder must write what the library's does.
//!
//! The first line says what is made of the rest: a text, or a payload that is encoded, and flawed.

use std::ops::RangeInclusive;

use bech32::primitives::checksum::Checksum;
use bech32::primitives::decode::CheckedHrpstring;
use bech32::primitives::iter::Fe32IterExt;
use bech32::{Bech32, Bech32m, ByteIterExt, Fe32, Hrp};
use lnurl_channel_core::protocol::{self, Error, Lnurl, LnurlProblem};

use crate::lines::Lines;

const MAX_CHARS: usize = 4296;

pub fn run(input: &[u8]) {
    let mut lines = Lines::new(input);
    let flaw = lines.switches();
    let text = match flaw {
        b't' => String::from_utf8_lossy(lines.rest()).into_owned(),
        _ => flawed(flaw, lines.rest()),
    };
    compare_decoders(&text);
    if let Ok(url) = std::str::from_utf8(&input[input.len().min(2)..]) {
        compare_encoders(url);
    }
}

fn compare_decoders(text: &str) {
    let is_bech32 = text
        .get(.."lnurl1".len())
        .is_some_and(|start| start.eq_ignore_ascii_case("lnurl1"));
    // Anything else may end the bech32 text, or part it from another.
    let is_within = |c: char| c.is_ascii_alphanumeric() || "$%+-/=@\\^_~".contains(c);
    if !is_bech32 || !text.chars().all(is_within) {
        return;
    }
    let ours = protocol::decode(text);
    match decoded_by_the_crate(text) {
        Some(payload) => assert_eq!(ours, by_itself(payload), "{text}"),
        None => assert!(matches!(ours, Err(Error::InvalidLnurl { .. })), "{text}"),
    }
}

/// What the payload means without bech32 around it. What is wrong with it is damage: the rest was
/// an LNURL.
fn by_itself(payload: Vec<u8>) -> Result<Lnurl, Error> {
    let damaged = |reason| Error::InvalidLnurl {
        problem: LnurlProblem::Damaged,
        reason,
    };
    let text = String::from_utf8(payload);
    let text = text.map_err(|_| damaged("it does not hold text".into()))?;
    Lnurl::from_url(&text).map_err(|error| match error {
        Error::InvalidLnurl { reason, .. } => damaged(reason),
        other => other,
    })
}

fn decoded_by_the_crate(text: &str) -> Option<Vec<u8>> {
    if text.len() > MAX_CHARS {
        return None;
    }
    let decoded = CheckedHrpstring::new::<Long>(text).ok()?;
    let is_lnurl = decoded.hrp() == Hrp::parse("lnurl").expect("it is one");
    let is_padded = decoded.validate_segwit_padding().is_ok();
    (is_lnurl && is_padded).then(|| decoded.byte_iter().collect())
}

fn compare_encoders(url: &str) {
    let (Ok(lnurl), Ok(ours)) = (Lnurl::from_url(url), protocol::encode(url)) else {
        return;
    };
    let hrp = Hrp::parse("lnurl").expect("it is one");
    let theirs = bech32::encode_upper::<Long>(hrp, lnurl.url().as_bytes());
    assert_eq!(Ok(ours), theirs.map_err(|_| ()));
}

/// `payload` as bech32, right or with one flaw.
fn flawed(flaw: u8, payload: &[u8]) -> String {
    let (hrp, groups) = match flaw & 7 {
        1 => ("lnurlx", payload.iter().copied().bytes_to_fes().collect()),
        // Five bits to a byte: any length, any padding.
        2 => ("lnurl", payload.iter().map(|byte| group(*byte)).collect()),
        3 => ("lnurl1", payload.iter().copied().bytes_to_fes().collect()),
        _ => (
            "lnurl",
            payload.iter().copied().bytes_to_fes().collect::<Vec<_>>(),
        ),
    };
    let hrp = Hrp::parse(hrp).expect("a human-readable part");
    let groups = groups.into_iter();
    let mut text: String = match flaw & 7 {
        4 => groups.with_checksum::<LongM>(&hrp).chars().collect(),
        _ => groups.with_checksum::<Long>(&hrp).chars().collect(),
    };
    if flaw & 8 != 0 {
        text = text.to_ascii_uppercase();
    }
    if flaw & 16 != 0 {
        let at = payload.iter().map(|b| usize::from(*b)).sum::<usize>() % text.len();
        let other = if text.as_bytes()[at] == b'q' {
            "p"
        } else {
            "q"
        };
        text.replace_range(at..=at, other);
    }
    text
}

fn group(byte: u8) -> Fe32 {
    Fe32::try_from(byte & 31).expect("five bits")
}

/// Bech32 up to the length that LNURLs have.
enum Long {}
/// The same with bech32m's constant.
enum LongM {}

macro_rules! as_bech32 {
    ($long:ty, $residue:ty) => {
        impl Checksum for $long {
            type MidstateRepr = <Bech32 as Checksum>::MidstateRepr;
            type CorrectionField = <Bech32 as Checksum>::CorrectionField;
            const ROOT_GENERATOR: Self::CorrectionField = Bech32::ROOT_GENERATOR;
            const ROOT_EXPONENTS: RangeInclusive<usize> = Bech32::ROOT_EXPONENTS;
            const CODE_LENGTH: usize = MAX_CHARS;
            const CHECKSUM_LENGTH: usize = Bech32::CHECKSUM_LENGTH;
            const GENERATOR_SH: [Self::MidstateRepr; 5] = Bech32::GENERATOR_SH;
            const TARGET_RESIDUE: Self::MidstateRepr = <$residue>::TARGET_RESIDUE;
        }
    };
}
as_bech32!(Long, Bech32);
as_bech32!(LongM, Bech32m);
