//! From a scanned text to the URL of an offer (LUD-01, LUD-17), and back.

use std::fmt;
use std::sync::LazyLock;

use bech32::primitives::checksum::{Checksum, Engine, PackedFe32};
use bech32::primitives::iter::{ByteIterExt, Fe32IterExt};
use bech32::{Bech32, Fe32, Hrp};
use url::Url;

use super::text::{is_invisible, percent_decode, trimmed};
use super::url_policy::{BadUrl, authority_of, host_of, is_onion, is_onion_host, parse_url};
use super::{Error, LnurlProblem};

/// The longest text that is decoded.
const MAX_TEXT_BYTES: usize = 8192;

/// As many characters as the largest QR code holds.
const MAX_BECH32_CHARS: usize = 4296;

const HRP: &str = "lnurl";

/// The human-readable part with its separator.
const BECH32_PREFIX: &str = "lnurl1";

/// LUD-17's scheme for channels. The slashes after it may be missing.
const LUD17_SCHEME: &str = "lnurlc:";

const CHECKSUM_CHARS: usize = 6;

/// Schemes that wrap an LNURL. With slashes first, since the others would match them too.
const WRAPPERS: [&str; 6] = [
    "lightning://",
    "lightning:",
    "lnurl://",
    "lnurl:",
    "web+lightning://",
    "web+lightning:",
];

const MAX_WRAPPERS: usize = 4;

/// Schemes of links that may hold an LNURL.
const LINKS: [&str; 3] = ["http", "https", "bitcoin"];

/// Starts what follows a bech32 text, such as a label.
const BEHIND_BECH32: [char; 3] = ['?', '&', '#'];

/// What may stand around an LNURL within a text, besides white space.
const QUOTES_AND_BRACKETS: &str = "\"'`´«»‹›“”„‟‘’‚()[]{}<>「」『』（）【】《》〈〉";
const PUNCTUATION: &str = ".,:;!?…*|–—·•。，：；！？、";

/// The most parts of a text that are looked at.
const MAX_PARTS: usize = 64;

/// LUD-17's schemes for something else, and their tags.
const OTHER_SCHEMES: [(&str, &str); 3] = [
    ("lnurlp:", "payRequest"),
    ("lnurlw:", "withdrawRequest"),
    ("keyauth:", "login"),
];

/// LNURL's tags for something else.
pub const OTHER_TAGS: [&str; 3] = ["login", "payRequest", "withdrawRequest"];

/// A decoded LNURL. Ask the user before fetching from its `authority`.
///
/// Printing it shows the authority only; `url` may hold a secret.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Lnurl {
    url: Url,
}

impl Lnurl {
    /// The URL that the offer is fetched from. It may hold a secret: do not log it.
    pub fn url(&self) -> String {
        self.url.as_str().to_owned()
    }

    /// The service's host name in lower-case ASCII (punycode where it is not ASCII).
    pub fn host(&self) -> String {
        host_of(&self.url)
    }

    /// `host`, and the port where it is not the default one: what to show to the user.
    pub fn authority(&self) -> String {
        authority_of(&self.url)
    }

    /// Whether the service is a Tor onion service, which needs a proxy.
    pub fn is_onion(&self) -> bool {
        is_onion(&self.url)
    }

    /// From a URL as `url` gives it, by the same rules as a scanned one.
    pub fn from_url(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_TEXT_BYTES {
            return not_lnurl("it is too long");
        }
        Self::checked(parse_url(text), LnurlProblem::NotLnurl)
    }

    pub fn as_url(&self) -> &Url {
        &self.url
    }

    /// `malformed` is the problem of a text that is no URL.
    fn checked(parsed: Result<Url, BadUrl>, malformed: LnurlProblem) -> Result<Self, Error> {
        let invalid_lnurl = |reason| Error::InvalidLnurl {
            problem: malformed,
            reason,
        };
        let url = parsed.map_err(|bad| bad.into_error(invalid_lnurl))?;
        let tag = url.query_pairs().find(|(key, _)| key == "tag");
        if let Some((_, tag)) = tag
            && OTHER_TAGS.contains(&&*tag)
        {
            return Err(Error::UnsupportedTag(tag.into_owned()));
        }
        Ok(Self { url })
    }
}

impl fmt::Debug for Lnurl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lnurl({})", self.authority())
    }
}

impl fmt::Display for Lnurl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.authority())
    }
}

/// Decodes a scanned or pasted LNURL in any of its forms.
pub fn decode(text: &str) -> Result<Lnurl, Error> {
    if text.len() > MAX_TEXT_BYTES {
        return not_lnurl("it is too long");
    }
    decode_text(text, true)
}

/// Decodes the LNURL that a text is or, else, the only one within it (I7).
fn decode_text(text: &str, may_be_link: bool) -> Result<Lnurl, Error> {
    let mut why = match decode_token(unwrapped(text), may_be_link) {
        Err(why) => why,
        decoded => return decoded,
    };
    let is_one_of = |set: &str, c| set.chars().any(|one| one == c);
    let is_between = |c: char| c.is_whitespace() || is_one_of(QUOTES_AND_BRACKETS, c);
    let is_edge = |c: char| is_one_of(PUNCTUATION, c) || is_invisible(c);
    let parts = text
        .split(is_between)
        .map(|part| part.trim_matches(is_edge));
    let parts = parts.filter(|part| !part.is_empty()).take(MAX_PARTS);
    let mut is_of_part = false;
    let mut found: Option<Lnurl> = None;
    for part in parts {
        match (decode_token(unwrapped(part), may_be_link), &found) {
            (Ok(lnurl), Some(other)) if lnurl != *other => {
                let reason = "there are several, and they differ";
                return Err(invalid_lnurl(LnurlProblem::Several, reason));
            }
            (Ok(lnurl), _) => found = Some(lnurl),
            (Err(of_part), _) if !is_of_part && looks_like_one(&of_part) => {
                is_of_part = true;
                why = of_part;
            }
            _ => {}
        }
    }
    found.ok_or(why)
}

/// Encodes a service URL as a bech32 LNURL, in the upper case that QR codes store best.
pub fn encode(url: &str) -> Result<String, Error> {
    let lnurl = Lnurl::from_url(url)?;
    let payload = lnurl.url.as_str().bytes();
    let groups = (payload.len() * 8).div_ceil(5);
    if BECH32_PREFIX.len() + groups + CHECKSUM_CHARS > MAX_BECH32_CHARS {
        return not_lnurl("the URL is too long");
    }
    let hrp = hrp();
    let encoded = payload.bytes_to_fes().with_checksum::<LnurlChecksum>(&hrp);
    Ok(encoded.chars().map(|c| c.to_ascii_uppercase()).collect())
}

/// Decodes the bech32 text `lnurl1…` to the text of a URL, in one pass.
pub fn decode_bech32(text: &str) -> Result<String, Error> {
    let Some(data) = strip_prefix(text, BECH32_PREFIX) else {
        return not_lnurl("it does not start with lnurl1");
    };
    if text.len() > MAX_BECH32_CHARS {
        return damaged("it is too long");
    }
    if is_mixed_case(text) {
        return damaged("it mixes upper and lower case");
    }
    let Some(payload_chars) = data.len().checked_sub(CHECKSUM_CHARS) else {
        return damaged("it is too short");
    };
    let mut residue = *RESIDUE_OF_HRP;
    let mut bytes = Vec::with_capacity(payload_chars * 5 / 8);
    let (mut pending, mut bits) = (0_u32, 0);
    for (at, char) in data.bytes().enumerate() {
        let Ok(group) = Fe32::from_char(char.into()) else {
            return damaged("it holds a character that bech32 does not use");
        };
        residue = next_residue(residue, group);
        if at < payload_chars {
            pending = (pending << 5) | u32::from(group.to_u8());
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                bytes.push((pending >> bits) as u8);
            }
        }
    }
    if residue != LnurlChecksum::TARGET_RESIDUE {
        return damaged("its checksum is wrong; it may be incomplete or mistyped");
    }
    if bits >= 5 || pending & ((1 << bits) - 1) != 0 {
        return damaged("its padding is wrong");
    }
    String::from_utf8(bytes).or_else(|_| damaged("it does not hold text"))
}

/// Bech32 without the limit of 1023 characters, because QR codes hold more. Beyond that length the
/// checksum detects errors less well.
enum LnurlChecksum {}

impl Checksum for LnurlChecksum {
    type MidstateRepr = <Bech32 as Checksum>::MidstateRepr;
    type CorrectionField = <Bech32 as Checksum>::CorrectionField;
    const ROOT_GENERATOR: Self::CorrectionField = Bech32::ROOT_GENERATOR;
    const ROOT_EXPONENTS: std::ops::RangeInclusive<usize> = Bech32::ROOT_EXPONENTS;
    const CODE_LENGTH: usize = MAX_BECH32_CHARS;
    const CHECKSUM_LENGTH: usize = CHECKSUM_CHARS;
    const GENERATOR_SH: [Self::MidstateRepr; 5] = Bech32::GENERATOR_SH;
    const TARGET_RESIDUE: Self::MidstateRepr = Bech32::TARGET_RESIDUE;
}

fn hrp() -> Hrp {
    // Cannot fail: a constant of five lower-case letters.
    Hrp::parse(HRP).expect("a valid human-readable part")
}

/// The residue after the human-readable part, with which every checksum starts.
static RESIDUE_OF_HRP: LazyLock<u32> = LazyLock::new(|| {
    let mut engine = Engine::<LnurlChecksum>::new();
    engine.input_hrp(hrp());
    *engine.residue()
});

/// What a group adds to the residue when it is shifted out at the top.
const REDUCTIONS: [u32; 32] = {
    let mut table = [0; 32];
    let mut at = 0;
    while at < 32 * 5 {
        if ((at / 5) >> (at % 5)) & 1 == 1 {
            table[at / 5] ^= LnurlChecksum::GENERATOR_SH[at % 5];
        }
        at += 1;
    }
    table
};

/// The same as the crate's `Engine::input_fe`, but with a table: decoding spends most of its time
/// here.
fn next_residue(residue: u32, group: Fe32) -> u32 {
    let mut next = residue;
    let top = next.mul_by_x_then_add(CHECKSUM_CHARS, group.to_u8());
    next ^ REDUCTIONS[usize::from(top & 31)]
}

/// The text without white space and invisible characters at its ends, and without wrapping schemes.
fn unwrapped(text: &str) -> &str {
    let mut token = trimmed(text);
    for _ in 0..MAX_WRAPPERS {
        let Some(inner) = without_wrapper(token) else {
            break;
        };
        token = trimmed(inner);
    }
    token
}

fn without_wrapper(token: &str) -> Option<&str> {
    if let Some(inner) = WRAPPERS.iter().find_map(|w| strip_prefix(token, w)) {
        return Some(inner);
    }
    let inner = strip_prefix(token, "web+")?;
    let mut schemes = OTHER_SCHEMES.iter().map(|(scheme, _)| *scheme);
    let is_lud17 = starts_with(inner, LUD17_SCHEME) || schemes.any(|s| starts_with(inner, s));
    is_lud17.then_some(inner)
}

/// The problem of a text that cannot be decoded: it depends on whether it looks like an LNURL.
fn problem_of(token: &str) -> LnurlProblem {
    if starts_with(token, BECH32_PREFIX) || starts_with(token, LUD17_SCHEME) {
        LnurlProblem::Damaged
    } else {
        LnurlProblem::NotLnurl
    }
}

/// Whether what cannot be decoded is an LNURL all the same.
fn looks_like_one(error: &Error) -> bool {
    let problem = LnurlProblem::NotLnurl;
    !matches!(error, Error::InvalidLnurl { problem: p, .. } if *p == problem)
}

/// The start of `text`, up to the first of `ends`.
fn up_to<'a>(text: &'a str, ends: &[char]) -> &'a str {
    text.split(ends).next().unwrap_or_default()
}

/// Whether a text has the form of a bech32 LNURL, whatever wraps it or follows it.
pub fn is_bech32(text: &str) -> bool {
    let data = strip_prefix(up_to(unwrapped(text), &BEHIND_BECH32), BECH32_PREFIX);
    data.is_some_and(|data| !data.is_empty() && data.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Whether a text is a link that may hold an LNURL: of the web, BIP-21, or without a scheme.
fn is_link(token: &str) -> bool {
    let is_one_of = |scheme: &str| LINKS.iter().any(|link| scheme.eq_ignore_ascii_case(link));
    match up_to(token, &['/', '?', '#']).split_once(':') {
        Some((scheme, _)) if is_one_of(scheme) => true,
        Some((_, port)) if !port.bytes().all(|b| b.is_ascii_digit()) => false,
        _ => token.contains('?'),
    }
}

/// The first LNURL in a `lightning=` of a link, whose key may be in any case.
fn decode_link(link: &str) -> Result<Lnurl, Error> {
    let (base, fragment) = link.split_once('#').unwrap_or((link, ""));
    let queries = [base, fragment].map(|part| part.split_once('?').map_or("", |(_, query)| query));
    let pairs = queries.iter().flat_map(|query| query.split('&'));
    let mut why = invalid_lnurl(LnurlProblem::NotLnurl, "a link without an LNURL in it");
    for (mut key, value) in pairs.filter_map(|pair| pair.split_once('=')) {
        // A link in a page may have its `&` written as `&amp;`.
        while let Some(rest) = strip_prefix(key, "amp;") {
            key = rest;
        }
        if !percent_decode(key).eq_ignore_ascii_case(b"lightning") {
            continue;
        }
        match decode_value(percent_decode(value)) {
            Err(error) if !looks_like_one(&why) => why = error,
            Err(_) => {}
            decoded => return decoded,
        }
    }
    Err(why)
}

/// Once only: a link within a link's value is not followed.
fn decode_value(value: Vec<u8>) -> Result<Lnurl, Error> {
    match String::from_utf8(value) {
        Ok(text) => decode_text(&text, false),
        Err(error) => {
            let text = String::from_utf8_lossy(error.as_bytes());
            let problem = problem_of(unwrapped(&text));
            Err(invalid_lnurl(problem, "the link's LNURL is not text"))
        }
    }
}

fn decode_token(token: &str, may_be_link: bool) -> Result<Lnurl, Error> {
    let problem = problem_of(token);
    if problem == LnurlProblem::Damaged && token.contains(char::is_whitespace) {
        return damaged("there is white space within it");
    }
    if starts_with(token, BECH32_PREFIX) {
        let url = parse_url(&decode_bech32(up_to(token, &BEHIND_BECH32))?);
        return Lnurl::checked(url, problem);
    }
    if let Some(rest) = strip_prefix(token, LUD17_SCHEME) {
        return decode_lud17(rest.strip_prefix("//").unwrap_or(rest));
    }
    if token.contains(char::is_whitespace) {
        return not_lnurl("it has none of the forms of an LNURL");
    }
    for (scheme, tag) in OTHER_SCHEMES {
        if starts_with(token, scheme) {
            return Err(Error::UnsupportedTag(tag.into()));
        }
    }
    match is_link(token) {
        true if may_be_link => decode_link(token),
        true => not_lnurl("a link within a link"),
        false => not_lnurl("it has none of the forms of an LNURL"),
    }
}

/// The host decides the scheme (LUD-17): `http` for onion services, `https` for all others.
///
/// The text is parsed twice: first for the host, then with the right scheme, so that a port that is
/// the default one of the other scheme is kept.
fn decode_lud17(rest: &str) -> Result<Lnurl, Error> {
    let authority = up_to(rest, &['/', '?', '#']);
    if authority.is_empty() {
        return damaged("it has no host");
    }
    // A label, and no port behind it.
    if let Some((name, port)) = authority.split_once(':')
        && !name.contains('.')
        && !authority.contains(['@', '['])
        && !port.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
    {
        return damaged("there is a scheme where the host should be");
    }
    if starts_with(authority, BECH32_PREFIX) && !authority.contains('.') {
        return damaged("there is a bech32 text where the host should be");
    }
    let https = format!("https://{rest}");
    let host = Url::parse(&https).ok();
    let host = host.as_ref().and_then(Url::host_str);
    if host.is_some_and(is_onion_host) {
        let url = parse_url(&format!("http://{rest}"));
        return Lnurl::checked(url, LnurlProblem::Damaged);
    }
    Lnurl::checked(parse_url(&https), LnurlProblem::Damaged)
}

fn is_mixed_case(text: &str) -> bool {
    let case = |(lower, upper), byte: u8| {
        (
            lower | byte.is_ascii_lowercase(),
            upper | byte.is_ascii_uppercase(),
        )
    };
    text.bytes().fold((false, false), case) == (true, true)
}

/// Strips an ASCII prefix in any case.
fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn starts_with(text: &str, prefix: &str) -> bool {
    strip_prefix(text, prefix).is_some()
}

fn not_lnurl<T>(reason: &str) -> Result<T, Error> {
    Err(invalid_lnurl(LnurlProblem::NotLnurl, reason))
}

fn damaged<T>(reason: &str) -> Result<T, Error> {
    Err(invalid_lnurl(LnurlProblem::Damaged, reason))
}

fn invalid_lnurl(problem: LnurlProblem, reason: &str) -> Error {
    Error::InvalidLnurl {
        problem,
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::vectors;
    use super::*;

    const SAMPLE: &str = "lnurl1dp68gurn8ghj7etcv9khqmr99e3k7mf0w4exctmrdpskumn9dsup0gp4";
    const SAMPLE_URL: &str = "https://example.com/url/channel";
    const ONION: &str = "juhanurmihxlp77nkq76byazcldy2hlmovfu2epvl5ankdibsot4csyd.onion";

    fn url(text: &str) -> String {
        decode(text).unwrap_or_else(|e| panic!("{text}: {e}")).url()
    }

    fn problem(text: &str) -> Option<LnurlProblem> {
        match decode(text) {
            Err(Error::InvalidLnurl { problem, .. }) => Some(problem),
            _ => None,
        }
    }

    fn is_not_lnurl(text: &str) -> bool {
        problem(text) == Some(LnurlProblem::NotLnurl)
    }

    fn is_damaged(text: &str) -> bool {
        problem(text) == Some(LnurlProblem::Damaged)
    }

    fn is_unsafe(text: &str) -> bool {
        matches!(decode(text), Err(Error::UnsafeUrl { .. }))
    }

    /// Bech32 of any bytes, whether or not they are a URL.
    fn bech32_of(bytes: &[u8]) -> String {
        let hrp = hrp();
        let groups = bytes.iter().copied().bytes_to_fes();
        groups
            .with_checksum::<LnurlChecksum>(&hrp)
            .chars()
            .collect()
    }

    #[test]
    fn the_checksum_is_well_defined() {
        LnurlChecksum::sanity_check();
    }

    #[test]
    fn the_vectors_decode() {
        for vector in vectors("lnurl_decode") {
            let text = vector["text"].as_str().unwrap();
            assert_eq!(url(text), vector["url"].as_str().unwrap(), "{text}");
        }
    }

    #[test]
    fn the_refused_vectors_do_not_decode() {
        for vector in vectors("lnurl_refused") {
            let text = vector["text"].as_str().unwrap();
            match vector["why"].as_str().unwrap() {
                "http on clearnet" | "file scheme" | "user info" | "NUL" => {
                    assert!(is_unsafe(text), "{vector}");
                }
                "another human-readable part" => assert!(is_not_lnurl(text), "{vector}"),
                _ => assert!(is_damaged(text), "{vector}"),
            }
        }
    }

    #[test]
    fn an_encoded_url_decodes_to_itself() {
        for vector in vectors("lnurl_decode") {
            let (text, url) = (
                vector["text"].as_str().unwrap(),
                vector["url"].as_str().unwrap(),
            );
            let encoded = encode(url).unwrap();
            assert_eq!(decode(&encoded).unwrap().url(), url);
            if starts_with(text, BECH32_PREFIX) {
                assert_eq!(encoded, text.to_ascii_uppercase());
            }
        }
    }

    #[test]
    fn white_space_and_wrapping_schemes_are_stripped() {
        let upper = SAMPLE.to_uppercase();
        for text in [
            format!(" \n\u{feff}\u{200b}{SAMPLE}\u{200d}\u{2060}\t "),
            format!("lightning:{upper}"),
            format!("LIGHTNING:{upper}"),
            format!("Lightning://{SAMPLE}"),
            format!("lnurl:{SAMPLE}"),
            format!("LNURL://{upper}"),
            format!("web+lightning:{SAMPLE}"),
            format!("lightning:lnurl:web+lightning://lightning:{SAMPLE}"),
            "lightning:lnurlc://example.com/url/channel".into(),
            "web+lnurlc://example.com/url/channel".into(),
            "WEB+LNURLC:example.com/url/channel".into(),
        ] {
            assert_eq!(url(&text), SAMPLE_URL, "{text}");
        }
        for text in [
            format!("{} {}", &SAMPLE[..20], &SAMPLE[20..]),
            format!("{}\n{}", &SAMPLE[..20], &SAMPLE[20..]),
            format!("{}\u{200b}{}", &SAMPLE[..20], &SAMPLE[20..]),
            format!("{SAMPLE}\0"),
        ] {
            assert!(is_damaged(&text), "{text:?}");
        }
        for text in [
            format!("lightning:lightning:lightning:lightning:lightning:{SAMPLE}"),
            format!("web+{SAMPLE}"),
        ] {
            assert!(is_not_lnurl(&text), "{text:?}");
        }
    }

    #[test]
    fn a_link_may_hold_an_lnurl() {
        for text in [
            format!("https://service.com/?lightning={SAMPLE}"),
            format!(
                "HTTP://service.com/x?a=b&LIGHTNING={}#f",
                SAMPLE.to_uppercase()
            ),
            format!("bitcoin:bc1qxyz?amount=1&Lightning={SAMPLE}"),
            format!("BITCOIN:?LIGHTNING={}", SAMPLE.to_uppercase()),
            format!("https://service.com?%6cightning=lightning%3A{SAMPLE}"),
            format!("lightning:https://service.com/?lightning={SAMPLE}"),
            "https://a.com/?lightning=lnurlc%3A%2F%2Fexample.com%2Furl%2Fchannel".into(),
            format!("https://a.com/#?lightning={SAMPLE}"),
            format!("https://a.com/?a=b#/open?x=y&Lightning={SAMPLE}"),
            format!("https://a.com/?lightning={SAMPLE}#/open?lightning=no"),
            format!("https://a.com/?x=1&amp;amp;lightning={SAMPLE}&amp;y=2"),
            format!("https://wallet.example/?id=1&amp;lightning={SAMPLE}").to_uppercase(),
            format!(
                "https://a.com/?lightning=no&lightning=lnurl1x&lightning={SAMPLE}&lightning=lnurlc://b.com"
            ),
            format!("https://a.com/?lightning={SAMPLE}%3Flabel=x"),
            format!("https://a.com/?lightning={SAMPLE}?label=x"),
            format!("https://a.com/?lightning=Pay%20{SAMPLE}%0A"),
            format!("a.com?lightning={SAMPLE}"),
            format!("a.com:8443/c?lightning={SAMPLE}"),
            format!("a.com/#/c?lightning={SAMPLE}"),
            format!("?lightning={SAMPLE}"),
            format!("lightning:a.com/?lightning={SAMPLE}"),
        ] {
            assert_eq!(url(&text), SAMPLE_URL, "{text}");
        }
        let nested = format!("https%3A%2F%2Fa.com%2F%3Flightning%3D{SAMPLE}");
        for text in [
            SAMPLE_URL.into(),
            format!("https://a.com/{SAMPLE}"),
            format!("https://a.com/#lightning={SAMPLE}"),
            format!("https://a.com/lightning={SAMPLE}"),
            format!("https://a.com/?lnurl={SAMPLE}"),
            format!("nostr:a?lightning={SAMPLE}"),
            format!("a.com/{SAMPLE}"),
            format!("https://a.com/?lightning={nested}"),
            "https://a.com/?lightning=".into(),
            "https://a.com/?lightning".into(),
            "https://a.com/?lightning=lnbc1abc".into(),
            "https://a.com/?lightning=%ff%fe".into(),
            "https://a.com/?lightning=x y".into(),
            "bitcoin:bc1qxyz".into(),
        ] {
            assert!(is_not_lnurl(&text), "{text}");
        }
        let cut = &SAMPLE[..SAMPLE.len() - 1];
        for text in [
            format!("https://a.com/?lightning={cut}"),
            format!("https://a.com/?lightning=lightning:{cut}"),
            format!("https://a.com/?lightning={SAMPLE}%ff"),
            format!("https://a.com/?lightning=no&lightning={cut}&lightning=no"),
            "https://a.com/?lightning=lnurlc:".into(),
            "https://a.com/?lightning=lnurlc:%ff".into(),
        ] {
            assert!(is_damaged(&text), "{text}");
        }
    }

    #[test]
    fn an_lnurl_is_found_in_text_as_in_the_vectors() {
        for vector in vectors("lnurl_in_text") {
            let text = vector["text"].as_str().unwrap();
            let expected = match vector["problem"].as_str() {
                None => Ok(vector["url"].as_str().unwrap().to_owned()),
                Some("Damaged") => Err(LnurlProblem::Damaged),
                Some("Several") => Err(LnurlProblem::Several),
                Some(other) => panic!("{other}"),
            };
            let decoded = decode(text).map(|lnurl| lnurl.url());
            assert_eq!(
                decoded.map_err(|_| problem(text).unwrap()),
                expected,
                "{vector}"
            );
        }
    }

    #[test]
    fn an_lnurl_is_found_in_text_around_it() {
        let upper = SAMPLE.to_uppercase();
        for text in [
            format!("lightning: {SAMPLE}"),
            format!("my channel: {SAMPLE}, see you!"),
            format!("Hi,\n\n{upper}.\n\n-- \nme <me@a.com>, https://a.com/?x=1"),
            format!("**{SAMPLE}**"),
            format!("[open](https://a.com/?lightning={SAMPLE})"),
            format!("<a href=\"lightning:{upper}?label=x\">"),
            format!("„{SAMPLE}“ — «lightning://{upper}»"),
            format!("\u{3010}{SAMPLE}\u{3011}\u{3002}"),
            format!("{{'lnurl': '{SAMPLE}'}}"),
            format!("scan\u{a0}\u{200b}{SAMPLE}\u{200b}\u{a0}now"),
            format!(
                "{SAMPLE} {upper} https://a.com/?lightning={SAMPLE} lnurlc://example.com/url/channel"
            ),
            format!("{SAMPLE} lnurl1damaged lnurlp://a.com lnbc1abc"),
            format!("{SAMPLE}?x={SAMPLE}"),
            format!("{SAMPLE}&x"),
            format!("{SAMPLE}#x"),
            format!("a.com/ x?lightning={SAMPLE}"),
            format!("{} {SAMPLE}", "x ".repeat(63)),
            "Open lnurlc://example.com/url/channel!".into(),
            "(web+lnurlc:example.com/url/channel)".into(),
        ] {
            assert_eq!(url(&text), SAMPLE_URL, "{text}");
        }
        for text in [
            format!("{SAMPLE} lnurlc://example.com/other"),
            format!("<{SAMPLE}><lnurlc://example.com>"),
            format!("https://a.com/?lightning={SAMPLE} https://a.com/?lightning=lnurlc://b.com"),
        ] {
            assert_eq!(problem(&text), Some(LnurlProblem::Several), "{text}");
        }
        for text in [
            format!("{} {SAMPLE}", "x ".repeat(64)),
            format!("https://a.com/{SAMPLE} x"),
            "see https://a.com/?x=1 and me@a.com".into(),
            "()".into(),
        ] {
            assert!(is_not_lnurl(&text), "{text}");
        }
        let broken = format!("{}\n{}", &SAMPLE[..30], &SAMPLE[30..]);
        for text in [
            &broken,
            &format!("see {broken}"),
            &format!("see <{}>.", &SAMPLE[..30]),
        ] {
            assert!(is_damaged(text), "{text}");
        }
    }

    #[test]
    fn the_reason_names_what_is_wrong_with_the_part_that_looks_like_an_lnurl() {
        for (text, reason) in [
            ("pay lnurlp://a.com/x today", "an LNURL for payRequest"),
            (
                "see http://a.com/x or lnurlc://u@a.com",
                "user information in the URL",
            ),
            (
                "see lnurlc://https://a.com now",
                "a scheme where the host should be",
            ),
            (
                "take lnurl1dp68gurn8!",
                "its checksum is wrong; it may be incomplete or mistyped",
            ),
            ("take LNURL1dp68gABCDEF.", "it mixes upper and lower case"),
            (
                "https://a.com/?lightning=lnurlw%3A%2F%2Fa.com&lightning=no",
                "an LNURL for withdrawRequest",
            ),
            (
                "https://a.com/?lightning=https%3A%2F%2Fa.com",
                "a link within a link",
            ),
            ("https://a.com/?x=1", "a link without an LNURL in it"),
            ("hello world", "it has none of the forms of an LNURL"),
        ] {
            let why = decode(text).unwrap_err().to_string();
            assert!(why.ends_with(reason), "{text}: {why}");
        }
    }

    #[test]
    fn lud17_keeps_what_follows_the_host() {
        let onion_upper = ONION.to_uppercase();
        for (text, expected) in [
            (
                "LNURLC://Example.COM/Url?K=aB%2f#f".into(),
                "https://example.com/Url?K=aB%2f".into(),
            ),
            (
                "lnurlc:example.com/x".into(),
                "https://example.com/x".into(),
            ),
            (
                "lnurlc://example.com:8443".into(),
                "https://example.com:8443/".into(),
            ),
            (
                format!("lnurlc://{onion_upper}/X"),
                format!("http://{ONION}/X"),
            ),
            (format!("lnurlc:{ONION}./x"), format!("http://{ONION}./x")),
            (
                format!("lnurlc://{ONION}:443/x"),
                format!("http://{ONION}:443/x"),
            ),
            (
                "lnurlc://evil.example/.onion/x".into(),
                "https://evil.example/.onion/x".into(),
            ),
            (
                "lnurlc://evil.example?.onion".into(),
                "https://evil.example/?.onion".into(),
            ),
        ] as [(String, String); 8]
        {
            assert_eq!(url(&text), expected, "{text}");
        }
        for text in [
            "lnurlc:",
            "lnurlc://",
            "lnurlc:///a.com/",
            "lnurlc:?x",
            "lnurlc://a..com/",
            "lnurlc://a.com:x/",
        ] {
            assert!(is_damaged(text), "{text}");
        }
        for (text, reason) in [
            ("lnurlc://https://a.com/x", "a scheme"),
            ("LNURLC:HTTPS://a.com/x", "a scheme"),
            ("lnurlc://http:a.com", "a scheme"),
            ("lnurlc:https:/a.com", "a scheme"),
            ("lnurlc://lnurlc://a.com", "a scheme"),
            ("lightning:lnurlc:lightning:lnurl1dp68g", "a scheme"),
            (
                "lnurlc://lnurl1dp68gurn8ghj7cfwv4uxzmtsd3jj77q8dk0dd",
                "a bech32 text",
            ),
            (
                "lnurlc:LNURL1DP68GURN8GHJ7CFWV4UXZMTSD3JJ77Q8DK0DD?x=1",
                "a bech32 text",
            ),
        ] {
            let why = decode(text).unwrap_err().to_string();
            let is_named = why.ends_with(&format!("there is {reason} where the host should be"));
            assert!(is_damaged(text) && is_named, "{text}: {why}");
        }
        for (text, host) in [
            ("lnurlc://lnurl1.example.com/x", "lnurl1.example.com"),
            ("lnurlc://[2606:4700::1111]:8443/x", "[2606:4700::1111]"),
            ("lnurlc://intranet:8443/x", "intranet"),
            ("lnurlc://a.com/https://b.com", "a.com"),
        ] {
            assert_eq!(decode(text).unwrap().host(), host, "{text}");
        }
        assert!(is_not_lnurl("lnurlcx:a.com"));
        for text in [
            "lnurlc://user@a.com/",
            "lnurlc://a.com:0/",
            r"lnurlc://a.com\@evil.com",
            "lnurlc://expyuzz4wqqyqhjn.onion/",
            "lnurlc://a.com/\0",
        ] {
            assert!(is_unsafe(text), "{text:?}");
        }
    }

    #[test]
    fn an_lnurl_for_something_else_is_refused_with_its_tag() {
        for (text, tag) in [
            ("lnurlp://a.com/x", "payRequest"),
            ("LNURLW:a.com/x", "withdrawRequest"),
            ("web+keyauth://a.com/x", "login"),
            ("lightning:lnurlp:a.com", "payRequest"),
            ("lnurlc://a.com/?tag=login&k1=00", "login"),
            ("lnurlc://a.com/?x=y&%74ag=pay%52equest", "payRequest"),
            (
                "https://a.com/?lightning=lnurlp%3A%2F%2Fa.com",
                "payRequest",
            ),
        ] {
            assert_eq!(
                decode(text),
                Err(Error::UnsupportedTag(tag.into())),
                "{text}"
            );
        }
        let login = bech32_of(b"https://a.com/?tag=withdrawRequest");
        assert_eq!(
            decode(&login),
            Err(Error::UnsupportedTag("withdrawRequest".into()))
        );
        for text in [
            "lnurlc://a.com/?tag=channelRequest",
            "lnurlc://a.com/?tag=hostedChannelRequest",
            "lnurlc://a.com/?tag=Login",
            "lnurlc://a.com/?Tag=login",
            "lnurlc://a.com/?tag=unknown",
        ] {
            assert!(decode(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn bech32_is_strict() {
        // One, two and three letters in the other case.
        let mixed = [1, 2, 3].map(|count| SAMPLE.replacen('d', "D", count));
        let changed = SAMPLE.replacen("dp68", "dp69", 1);
        for text in [
            &mixed[0],
            &mixed[1],
            &mixed[2],
            &changed,
            &SAMPLE.replacen("lnurl1", "LNURL1", 1),
            &SAMPLE.replacen("lnurl1", "lnurl11", 1),
            &SAMPLE.replacen("dp68", "db68", 1),
            &SAMPLE.replacen("dp68", "dü68", 1),
            &SAMPLE[..SAMPLE.len() - 1],
            "lnurl1",
            "lnurl1dp68g",
            &bech32_of(b"not-a-url"),
            &bech32_of(b"https://a..com/"),
            &bech32_of(b"https://a.com/\xff"),
        ] {
            assert!(is_damaged(text), "{text}");
        }
        for text in [
            "lnurl",
            "",
            "ü",
            "lnuré",
            "lnbc1abc",
            &SAMPLE.replacen("lnurl1", "lnurlx1", 1),
        ] {
            assert!(is_not_lnurl(text), "{text}");
        }
        for bytes in [
            "https://a.com/\0",
            "https://a.com/ ",
            "\u{feff}https://a.com/\u{85}",
        ] {
            assert!(is_unsafe(&bech32_of(bytes.as_bytes())), "{bytes:?}");
        }
        for text in [
            "http://a.com/",
            "ftp://a.com/",
            r"https://a.com\@evil.com",
            "https://u@a.com",
        ] {
            assert!(is_unsafe(&bech32_of(text.as_bytes())), "{text}");
        }
    }

    #[test]
    fn the_longest_texts_decode_and_longer_ones_are_refused() {
        // The 4284 characters besides prefix and checksum hold 2677 whole bytes.
        let longest = format!("https://a.com/{}", "x".repeat(2677 - 14));
        let encoded = encode(&longest).unwrap();
        assert_eq!(encoded.len(), MAX_BECH32_CHARS);
        assert_eq!(url(&encoded), longest);
        assert_eq!(url(&format!("lightning:{encoded}")), longest);
        let too_long = format!("{longest}x");
        assert!(matches!(encode(&too_long), Err(Error::InvalidLnurl { .. })));
        assert!(is_damaged(&bech32_of(too_long.as_bytes())));
        let padded = format!("{SAMPLE}{}", " ".repeat(8192 - SAMPLE.len()));
        assert_eq!(url(&padded), SAMPLE_URL);
        assert!(is_not_lnurl(&format!("{padded} ")));
        assert!(is_not_lnurl(&"é".repeat(4096)));
        let of_length = |length| Lnurl::from_url(&format!("https://a.com/#{}", "x".repeat(length)));
        assert!(of_length(8192 - 15).is_ok() && of_length(8193 - 15).is_err());
        assert!(encode(&"x".repeat(1 << 20)).is_err());
        assert!(encode(&format!("https://a.com/{}", "é".repeat(1000))).is_err());
    }

    #[test]
    fn encoding_refuses_what_decoding_refuses() {
        for text in [
            "http://a.com/",
            "https://u@a.com/",
            " https://a.com/",
            "https://a.com/\0",
        ] {
            assert!(
                matches!(encode(text), Err(Error::UnsafeUrl { .. })),
                "{text:?}"
            );
        }
        for text in ["", "a.com", "lnurl1", SAMPLE] {
            let Err(Error::InvalidLnurl { problem, .. }) = encode(text) else {
                panic!("{text}");
            };
            assert_eq!(problem, LnurlProblem::NotLnurl, "{text}");
        }
        assert_eq!(
            encode("https://a.com/?tag=login"),
            Err(Error::UnsupportedTag("login".into()))
        );
    }

    #[test]
    fn printing_shows_the_authority_only() {
        let lnurl = decode("lnurlc://Bücher.example.:8443/c?k1=hush").unwrap();
        assert_eq!(lnurl.host(), "xn--bcher-kva.example");
        assert_eq!(lnurl.authority(), "xn--bcher-kva.example:8443");
        assert_eq!(
            format!("{lnurl:?} {lnurl}"),
            "Lnurl(xn--bcher-kva.example:8443) xn--bcher-kva.example:8443"
        );
        assert!(!lnurl.is_onion());
        assert!(decode(&format!("lnurlc://{ONION}/")).unwrap().is_onion());
        assert_eq!(Lnurl::from_url(&lnurl.url()), Ok(lnurl));
    }

    #[test]
    fn reasons_hold_nothing_of_the_text() {
        for text in [
            "hush",
            "https://a.com/?hush",
            "lnurlc://hush@a.com/",
            "lnurlc://a..com/?hush",
            "lnurl1hush",
        ] {
            assert!(
                !decode(text).unwrap_err().to_string().contains("hush"),
                "{text}"
            );
        }
    }
}
