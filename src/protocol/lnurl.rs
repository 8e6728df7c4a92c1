//! From a scanned text to the URL of an offer (LUD-01, LUD-17), and back.

use std::fmt;
use std::sync::LazyLock;

use bech32::primitives::checksum::{Checksum, Engine, PackedFe32};
use bech32::primitives::iter::{ByteIterExt, Fe32IterExt};
use bech32::{Bech32, Fe32, Hrp};
use url::Url;

use super::Error;
use super::text::{is_invisible, percent_decode, query_of};
use super::url_policy::{UrlProblem, host_of, is_onion, is_onion_host, parse_url};

/// The longest text that is looked at.
const MAX_TEXT_BYTES: usize = 8192;

/// What the largest QR code holds.
const MAX_BECH32_CHARS: usize = 4296;

const HRP: &str = "lnurl";

/// The human-readable part with its separator.
const BECH32_PREFIX: &str = "lnurl1";

const CHECKSUM_CHARS: usize = 6;

/// Schemes that wrap an LNURL, the longer of two that start alike first.
const WRAPPERS: [&str; 6] = [
    "lightning://",
    "lightning:",
    "lnurl://",
    "lnurl:",
    "web+lightning://",
    "web+lightning:",
];

const MAX_WRAPPERS: usize = 4;

/// LUD-17's schemes for something else, and their tags.
const OTHER_SCHEMES: [(&str, &str); 3] = [
    ("lnurlp:", "payRequest"),
    ("lnurlw:", "withdrawRequest"),
    ("keyauth:", "login"),
];

/// LNURL's tags for something else.
pub const OTHER_TAGS: [&str; 3] = ["login", "payRequest", "withdrawRequest"];

/// A decoded LNURL. Show `host` to the user before fetching anything from it.
///
/// Printing it shows the host alone; `url` may hold a secret.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Lnurl {
    url: Url,
}

impl Lnurl {
    /// Where the offer is fetched from. It may hold a secret: do not log it.
    pub fn url(&self) -> String {
        self.url.as_str().to_owned()
    }

    /// The service's host name, in lower-case ASCII (punycode where it is not).
    pub fn host(&self) -> String {
        host_of(&self.url)
    }

    /// Whether the service is a Tor onion service, which needs `ClientConfig.proxy`.
    pub fn is_onion(&self) -> bool {
        is_onion(&self.url)
    }

    /// From a URL as `url` gives it, under the same checks as a scanned one.
    pub fn from_url(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_TEXT_BYTES {
            return invalid("it is too long");
        }
        Self::checked(parse_url(text))
    }

    pub fn as_url(&self) -> &Url {
        &self.url
    }

    fn checked(parsed: Result<Url, UrlProblem>) -> Result<Self, Error> {
        let url = parsed.map_err(|problem| problem.into_error(Error::InvalidLnurl))?;
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
        write!(f, "Lnurl({})", self.host())
    }
}

impl fmt::Display for Lnurl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host())
    }
}

/// Decodes a scanned or pasted LNURL in any of its forms.
pub fn decode(text: &str) -> Result<Lnurl, Error> {
    if text.len() > MAX_TEXT_BYTES {
        return invalid("it is too long");
    }
    let token = unwrapped(text)?;
    if is_link(token) {
        // Once only: a link within a link's parameter is not followed.
        let parameter = lightning_parameter(token)?;
        return decode_token(unwrapped(&parameter)?);
    }
    decode_token(token)
}

/// Encodes a service URL as bech32, in the upper case that QR codes pack best.
pub fn encode(url: &str) -> Result<String, Error> {
    let lnurl = Lnurl::from_url(url)?;
    let payload = lnurl.url.as_str().bytes();
    let groups = (payload.len() * 8).div_ceil(5);
    if BECH32_PREFIX.len() + groups + CHECKSUM_CHARS > MAX_BECH32_CHARS {
        return invalid("the URL is too long");
    }
    let hrp = hrp();
    let encoded = payload.bytes_to_fes().with_checksum::<LnurlChecksum>(&hrp);
    Ok(encoded.chars().map(|c| c.to_ascii_uppercase()).collect())
}

/// Decodes the bech32 text `lnurl1…` itself, in one pass, to the text of a URL.
pub fn decode_bech32(text: &str) -> Result<String, Error> {
    if text.len() > MAX_BECH32_CHARS {
        return invalid("it is too long");
    }
    let Some(data) = strip_prefix(text, BECH32_PREFIX) else {
        return invalid("it does not start with lnurl1");
    };
    if is_mixed_case(text) {
        return invalid("it mixes upper and lower case");
    }
    let Some(payload_chars) = data.len().checked_sub(CHECKSUM_CHARS) else {
        return invalid("it is too short");
    };
    let mut residue = *RESIDUE_OF_HRP;
    let mut bytes = Vec::with_capacity(payload_chars * 5 / 8);
    let (mut pending, mut bits) = (0_u32, 0);
    for (at, char) in data.bytes().enumerate() {
        let Ok(group) = Fe32::from_char(char.into()) else {
            return invalid("it holds a character that bech32 does not use");
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
        return invalid("its checksum is wrong; it may be incomplete or mistyped");
    }
    if bits >= 5 || pending & ((1 << bits) - 1) != 0 {
        return invalid("its padding is wrong");
    }
    String::from_utf8(bytes).or_else(|_| invalid("it does not hold text"))
}

/// Bech32 without its limit of 1023 characters: error detection is weaker beyond, and QR codes are
/// larger.
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

/// Where every checksum starts.
static RESIDUE_OF_HRP: LazyLock<u32> = LazyLock::new(|| {
    let mut engine = Engine::<LnurlChecksum>::new();
    engine.input_hrp(hrp());
    *engine.residue()
});

/// What each group that leaves the residue at the top adds to it.
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

/// As the crate's `Engine::input_fe`, by a table: that is what decoding spends its time on.
fn next_residue(residue: u32, group: Fe32) -> u32 {
    let mut next = residue;
    let top = next.mul_by_x_then_add(CHECKSUM_CHARS, group.to_u8());
    next ^ REDUCTIONS[usize::from(top & 31)]
}

/// Without what surrounds the LNURL: white space, invisible characters, wrapping schemes.
fn unwrapped(text: &str) -> Result<&str, Error> {
    let mut token = text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
    if token.contains(char::is_whitespace) {
        return invalid("there is white space within it");
    }
    for _ in 0..MAX_WRAPPERS {
        let Some(inner) = without_wrapper(token) else {
            break;
        };
        token = inner;
    }
    Ok(token)
}

fn without_wrapper(token: &str) -> Option<&str> {
    if let Some(inner) = WRAPPERS.iter().find_map(|w| strip_prefix(token, w)) {
        return Some(inner);
    }
    let inner = strip_prefix(token, "web+")?;
    let mut schemes = OTHER_SCHEMES.iter().map(|(scheme, _)| *scheme);
    let is_lud17 = starts_with(inner, "lnurlc:") || schemes.any(|s| starts_with(inner, s));
    is_lud17.then_some(inner)
}

fn is_link(token: &str) -> bool {
    let schemes = ["http:", "https:", "bitcoin:"];
    schemes.iter().any(|scheme| starts_with(token, scheme))
}

/// The value of `lightning=` in a link, its key in any case.
fn lightning_parameter(link: &str) -> Result<String, Error> {
    let pairs = query_of(link).unwrap_or_default().split('&');
    let value = pairs
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| percent_decode(key).eq_ignore_ascii_case(b"lightning"))
        .map(|(_, value)| percent_decode(value));
    let Some(value) = value else {
        return invalid("a link without an LNURL in it");
    };
    String::from_utf8(value).or_else(|_| invalid("the link's LNURL is not text"))
}

fn decode_token(token: &str) -> Result<Lnurl, Error> {
    if starts_with(token, BECH32_PREFIX) {
        return Lnurl::checked(parse_url(&decode_bech32(token)?));
    }
    if let Some(rest) = strip_prefix(token, "lnurlc:") {
        return decode_lud17(rest.strip_prefix("//").unwrap_or(rest));
    }
    for (scheme, tag) in OTHER_SCHEMES {
        if starts_with(token, scheme) {
            return Err(Error::UnsupportedTag(tag.into()));
        }
    }
    invalid("it is none of its known forms")
}

/// LUD-17 leaves the scheme to the host: `http` for onion services, `https` for all others.
///
/// The host is asked of the parser, and the text parsed anew, so that a port is kept which is the
/// default of the other scheme.
fn decode_lud17(rest: &str) -> Result<Lnurl, Error> {
    if rest.starts_with('/') {
        return invalid("it has no host");
    }
    let https = format!("https://{rest}");
    let host = Url::parse(&https).ok();
    let host = host.as_ref().and_then(Url::host_str);
    if host.is_some_and(is_onion_host) {
        return Lnurl::checked(parse_url(&format!("http://{rest}")));
    }
    Lnurl::checked(parse_url(&https))
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

fn invalid<T>(reason: &str) -> Result<T, Error> {
    Err(Error::InvalidLnurl(reason.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTORS: &str = include_str!("../../tests/vectors.json");
    const SAMPLE: &str = "lnurl1dp68gurn8ghj7etcv9khqmr99e3k7mf0w4exctmrdpskumn9dsup0gp4";
    const SAMPLE_URL: &str = "https://example.com/url/channel";
    const ONION: &str = "juhanurmihxlp77nkq76byazcldy2hlmovfu2epvl5ankdibsot4csyd.onion";

    fn vectors(name: &str) -> Vec<serde_json::Value> {
        let all: serde_json::Value = serde_json::from_str(VECTORS).unwrap();
        all[name].as_array().unwrap().clone()
    }

    fn url(text: &str) -> String {
        decode(text).unwrap_or_else(|e| panic!("{text}: {e}")).url()
    }

    fn is_invalid(text: &str) -> bool {
        matches!(decode(text), Err(Error::InvalidLnurl(_)))
    }

    fn is_unsafe(text: &str) -> bool {
        matches!(decode(text), Err(Error::UnsafeUrl(_)))
    }

    /// Bech32 of any bytes, whether they are a fit URL or not.
    fn bech32_of(bytes: &[u8]) -> String {
        let hrp = hrp();
        let groups = bytes.iter().copied().bytes_to_fes();
        groups
            .with_checksum::<LnurlChecksum>(&hrp)
            .chars()
            .collect()
    }

    #[test]
    fn checksum_is_sane() {
        LnurlChecksum::sanity_check();
    }

    #[test]
    fn decodes_the_vectors() {
        for vector in vectors("lnurl_decode") {
            let text = vector["text"].as_str().unwrap();
            assert_eq!(url(text), vector["url"].as_str().unwrap(), "{text}");
        }
    }

    #[test]
    fn refuses_the_vectors() {
        for vector in vectors("lnurl_refused") {
            assert!(
                decode(vector["text"].as_str().unwrap()).is_err(),
                "{vector}"
            );
        }
    }

    #[test]
    fn encodes_what_it_decodes() {
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
    fn strips_what_surrounds_it() {
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
            format!("lightning:lightning:lightning:lightning:lightning:{SAMPLE}"),
            format!("lightning: {SAMPLE}"),
            format!("web+{SAMPLE}"),
            format!("{} {}", &SAMPLE[..20], &SAMPLE[20..]),
            format!("{}\u{200b}{}", &SAMPLE[..20], &SAMPLE[20..]),
            format!("{SAMPLE}\0"),
            format!("{SAMPLE}."),
        ] {
            assert!(is_invalid(&text), "{text:?}");
        }
    }

    #[test]
    fn finds_it_in_a_link() {
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
        ] {
            assert_eq!(url(&text), SAMPLE_URL, "{text}");
        }
        let nested = format!("https%3A%2F%2Fa.com%2F%3Flightning%3D{SAMPLE}");
        for text in [
            SAMPLE_URL.into(),
            format!("https://a.com/{SAMPLE}"),
            format!("https://a.com/#?lightning={SAMPLE}"),
            format!("https://a.com/?lnurl={SAMPLE}"),
            format!("https://a.com/?lightning={nested}"),
            "https://a.com/?lightning=".into(),
            "https://a.com/?lightning".into(),
            "https://a.com/?lightning=lnbc1abc".into(),
            "https://a.com/?lightning=%ff%fe".into(),
            "bitcoin:bc1qxyz".into(),
        ] {
            assert!(is_invalid(&text), "{text}");
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
            "lnurlc://a..com/",
            "lnurlcx:a.com",
        ] {
            assert!(is_invalid(text), "{text}");
        }
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
    fn names_what_it_is_for_instead() {
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
        // Even numbers are no less mixed than odd ones.
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
            "lnurl",
            "",
            "ü",
            "lnuré",
        ] {
            assert!(is_invalid(text), "{text}");
        }
        assert!(is_invalid(&bech32_of(b"not-a-url")));
        assert!(is_invalid(&bech32_of(b"https://a.com/\xff")));
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
    fn lengths() {
        // The 4284 characters besides prefix and checksum hold 2677 whole bytes.
        let longest = format!("https://a.com/{}", "x".repeat(2677 - 14));
        let encoded = encode(&longest).unwrap();
        assert_eq!(encoded.len(), MAX_BECH32_CHARS);
        assert_eq!(url(&encoded), longest);
        assert_eq!(url(&format!("lightning:{encoded}")), longest);
        let too_long = format!("{longest}x");
        assert!(matches!(encode(&too_long), Err(Error::InvalidLnurl(_))));
        assert!(is_invalid(&bech32_of(too_long.as_bytes())));
        let padded = format!("{SAMPLE}{}", " ".repeat(8192 - SAMPLE.len()));
        assert_eq!(url(&padded), SAMPLE_URL);
        assert!(is_invalid(&format!("{padded} ")));
        assert!(is_invalid(&"é".repeat(4096)));
        let of_length = |length| Lnurl::from_url(&format!("https://a.com/#{}", "x".repeat(length)));
        assert!(of_length(8192 - 15).is_ok() && of_length(8193 - 15).is_err());
        assert!(encode(&"x".repeat(1 << 20)).is_err());
        assert!(encode(&format!("https://a.com/{}", "é".repeat(1000))).is_err());
    }

    #[test]
    fn encoding_refuses_what_decoding_would() {
        for text in [
            "http://a.com/",
            "https://u@a.com/",
            " https://a.com/",
            "https://a.com/\0",
        ] {
            assert!(matches!(encode(text), Err(Error::UnsafeUrl(_))), "{text:?}");
        }
        for text in ["", "a.com", "lnurl1", SAMPLE] {
            assert!(
                matches!(encode(text), Err(Error::InvalidLnurl(_))),
                "{text}"
            );
        }
        assert_eq!(
            encode("https://a.com/?tag=login"),
            Err(Error::UnsupportedTag("login".into()))
        );
    }

    #[test]
    fn shows_its_host_alone() {
        let lnurl = decode("lnurlc://Bücher.example./c?k1=hush").unwrap();
        assert_eq!(lnurl.host(), "xn--bcher-kva.example");
        assert_eq!(
            format!("{lnurl:?} {lnurl}"),
            "Lnurl(xn--bcher-kva.example) xn--bcher-kva.example"
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
