//! Text from outside: it is cleaned, and secrets in it are hidden, before it is shown.

use std::fmt;
use std::ops::Deref;

/// Replaces a secret.
const MASK: char = '…';

/// The search for secrets ends this many characters beyond what can be shown. A service chooses both
/// the text and the secrets, and the search takes time in proportion to the product of their lengths.
const SEARCHED_BEYOND: usize = 1000;

/// The most pairs of a query that are hidden one by one. The whole query is always hidden.
const MAX_PAIRS: usize = 64;

/// A shorter value is not hidden by itself: it may be a common word, which occurs anywhere.
const MIN_HIDDEN_VALUE: usize = 4;

/// A text, or bytes, that must not appear in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T = String>(T);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl Secret<Vec<u8>> {
    pub fn of_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl<T: Deref> Secret<T> {
    /// The secret itself, for the one place that sends or stores it.
    pub fn expose(&self) -> &T::Target {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Bidirectional, zero-width and other format characters, which change how a text looks without being
/// seen.
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

fn breaks_line(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// `text` on one line, without control and invisible characters, trimmed, `max_chars` at most.
pub fn clean(text: &str, max_chars: usize) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for c in text.chars() {
        if breaks_line(c) {
            if !cleaned.ends_with(' ') {
                cleaned.push(' ');
            }
        } else if !c.is_control() && !is_invisible(c) {
            cleaned.push(c);
        }
    }
    trimmed_end(cleaned.trim().chars().take(max_chars).collect())
}

/// `text` without white space at its end, which a cut may leave.
fn trimmed_end(mut text: String) -> String {
    text.truncate(text.trim_end().len());
    text
}

/// `text` as it may be shown: cleaned, without secrets, and at most `max_chars` long.
///
/// It is cleaned first, because the search would miss a secret with an invisible character inside. It
/// is cut last, because the search would miss a secret that is cut.
pub fn presentable(text: &str, secrets: &Secrets, max_chars: usize) -> String {
    let cleaned = clean(text, usize::MAX);
    let searched: String = cleaned.chars().take(max_chars + SEARCHED_BEYOND).collect();
    trimmed_end(secrets.hide(&searched, max_chars, searched.len() < cleaned.len()))
}

/// Strings to redact from errors, events and logs.
///
/// They are only collected here. The search is prepared when there is a text to show, since most
/// answers never lead to one.
#[derive(Clone, Default)]
pub struct Secrets {
    texts: Vec<String>,
    queries: Vec<String>,
}

impl Secrets {
    pub fn new(lnurl_url: Option<&str>, callback: Option<&str>, k1: Option<&str>) -> Self {
        let urls = [lnurl_url, callback].into_iter().flatten();
        let queries = urls.filter_map(query_of);
        Self {
            texts: k1.map(str::to_owned).into_iter().collect(),
            queries: queries.map(str::to_owned).collect(),
        }
    }

    /// Hides the query of one more URL, such as that of a redirect.
    pub fn and_query_of(mut self, url: &str) -> Self {
        self.queries.extend(query_of(url).map(str::to_owned));
        self
    }

    /// Hides one more string.
    pub fn and(mut self, secret: &str) -> Self {
        self.texts.push(secret.to_owned());
        self
    }

    /// Hides a hosted secret as text, where its bytes are text: the host may repeat it in that form.
    pub fn and_text_of(mut self, secret: &[u8]) -> Self {
        let text = std::str::from_utf8(secret).ok();
        let text = text.filter(|text| text.chars().count() >= MIN_HIDDEN_VALUE);
        self.texts.extend(text.map(str::to_owned));
        self
    }

    #[cfg(test)]
    fn redact(&self, text: &str) -> String {
        self.hide(text, usize::MAX, false)
    }

    fn spellings(&self) -> Spellings {
        let mut spellings = Spellings::default();
        for text in &self.texts {
            spellings.add(text);
        }
        for query in &self.queries {
            spellings.add_query(query);
        }
        spellings
    }

    /// Overlapping secrets are hidden as one, so that no part of either is left. At the end of a text
    /// that was cut, what may be the start of a secret is hidden too.
    fn hide(&self, text: &str, max_chars: usize, was_cut: bool) -> String {
        let spellings = self.spellings();
        let mut shown = String::with_capacity(text.len().min(max_chars));
        let mut shown_chars = 0;
        let mut hidden_until = 0;
        for (at, c) in text.char_indices() {
            if shown_chars == max_chars {
                break;
            }
            hidden_until =
                hidden_until.max(at + spellings.longest_at(&text.as_bytes()[at..], was_cut));
            if at >= hidden_until {
                shown.push(c);
                shown_chars += 1;
            } else if !shown.ends_with(MASK) {
                shown.push(MASK);
                shown_chars += 1;
            }
        }
        shown
    }
}

/// The spellings of the secrets that the search does not find by itself. It ignores the case of ASCII
/// letters, and decodes percent-encoding.
#[derive(Default)]
struct Spellings(Vec<String>);

impl Spellings {
    fn add_query(&mut self, query: &str) {
        self.add(query);
        for pair in query.split('&').take(MAX_PAIRS) {
            let value = pair.split_once('=').map_or(pair, |(_, value)| value);
            if pair.contains('=') {
                self.add(pair);
            }
            if percent_decode_lossy(value).chars().count() >= MIN_HIDDEN_VALUE {
                self.add(value);
            }
        }
    }

    fn add(&mut self, secret: &str) {
        let texts = [
            secret.to_owned(),
            percent_decode_lossy(secret),
            percent_decode_lossy(&secret.replace('+', " ")),
        ];
        for text in texts {
            // With slashes as JSON may escape them, with percent signs encoded, and as it is.
            for spelling in [text.replace('/', "\\/"), text.replace('%', "%25"), text] {
                self.insert(clean(&spelling, usize::MAX));
                self.insert(spelling);
            }
        }
    }

    fn insert(&mut self, spelling: String) {
        if !spelling.is_empty() && !self.0.contains(&spelling) {
            self.0.push(spelling);
        }
    }

    /// How many bytes at the start of `text` are a secret.
    fn longest_at(&self, text: &[u8], was_cut: bool) -> usize {
        let lengths = self.0.iter().map(|s| length_of(s, text, was_cut));
        lengths.max().unwrap_or(0)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// How many bytes at the start of `text` spell `secret`, with its ASCII letters in any case, and
/// percent-encoded or not; 0 if they do not.
fn length_of(secret: &str, text: &[u8], was_cut: bool) -> usize {
    let mut at = 0;
    for &wanted in secret.as_bytes() {
        let rest = text.get(at..).unwrap_or_default();
        at += match rest.first() {
            None if was_cut => return at,
            Some(byte) if byte.eq_ignore_ascii_case(&wanted) => 1,
            Some(b'+') if wanted == b' ' => 1,
            Some(b'%') if escaped_byte(rest).is_some_and(|b| b.eq_ignore_ascii_case(&wanted)) => 3,
            _ => return 0,
        };
    }
    at
}

/// The query of a URL's text, without `?` and fragment.
pub fn query_of(url: &str) -> Option<&str> {
    let without_fragment = url.split('#').next()?;
    without_fragment.split_once('?').map(|(_, query)| query)
}

/// The byte that `%XX` at the start of `text` stands for.
fn escaped_byte(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
}

/// Percent-decodes; a `%` that starts no escape stands for itself.
pub fn percent_decode(text: &str) -> Vec<u8> {
    let mut rest = text.as_bytes();
    let mut decoded = Vec::with_capacity(rest.len());
    while let Some(&byte) = rest.first() {
        let escaped = escaped_byte(rest);
        decoded.push(escaped.unwrap_or(byte));
        rest = rest
            .get(if escaped.is_some() { 3 } else { 1 }..)
            .unwrap_or_default();
    }
    decoded
}

fn percent_decode_lossy(text: &str) -> String {
    String::from_utf8_lossy(&percent_decode(text)).into_owned()
}

/// Percent-encodes all but RFC 3986's unreserved characters.
pub fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(byte.into());
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_text_is_one_visible_line() {
        for (dirty, expected) in [
            ("  plain  ", "plain"),
            ("a\u{202e}b\u{200b}c\u{feff}\u{ad}d\u{61c}", "abcd"),
            ("a\u{2066}b\u{2069}\u{e0041}\u{e007f}", "ab"),
            ("a\0b\u{7f}c\u{9b}d\u{1b}[1m", "abcd[1m"),
            ("one\r\n\ttwo\u{2028}three\u{2029}", "one two three"),
            ("one \n two", "one  two"),
            ("\u{200b} \n", ""),
            ("日本語", "日本語"),
        ] {
            assert_eq!(clean(dirty, 500), expected, "{dirty:?}");
        }
        assert_eq!(clean("日本語", 2), "日本");
        assert_eq!(clean("abc", 0), "");
        assert_eq!(clean("cut here", 4), "cut");
    }

    #[test]
    fn debug_shows_no_secret() {
        let secrets = Secrets::new(Some("https://a/?q=hush"), None, Some("quiet"));
        let printed = format!("{secrets:?} {:?}", Secret::new("quiet"));
        assert_eq!(printed, "Secrets(…) Secret(…)");
        assert_eq!(Secret::new("quiet").expose(), "quiet");
    }

    #[test]
    fn every_spelling_of_a_secret_is_hidden() {
        let secrets = Secrets::new(
            Some("https://service.com/c?q=DeadBeef&n=7&w=a%20b%2Bcd&p=x+yz#frag"),
            Some("https://api.service.com/cb?token=abc/def&flagged"),
            Some("k&1 ü/x"),
        );
        for (text, expected) in [
            ("no secret: DEADBEE", "no secret: DEADBEE"),
            ("invalid deadbeef!", "invalid …!"),
            ("q=DEADBEEF", "…"),
            ("q=DeadBeef&n=7&w=a%20b%2Bcd&p=x+yz", "…"),
            ("q=DeadBeef&amp;n=7 and 7", "…&amp;… and 7"),
            ("a b+cd", "…"),
            ("a%20b%2bcd", "…"),
            ("x yz x+yz x%20yz", "… … …"),
            (
                "token abc/def or abc%2Fdef or abc\\/def",
                "token … or … or …",
            ),
            ("double a%2520b%252Bcd", "double …"),
            ("flagged", "…"),
            ("[k&1 ü/x] [k%261%20%C3%BC%2Fx] [K%261+ü/X]", "[…] […] […]"),
            ("%44%65%61%64%42%65%65%66", "…"),
            ("frag", "frag"),
            ("k+1 ü/x", "k+1 ü/x"),
            ("k%251 ü/x", "k%251 ü/x"),
        ] {
            assert_eq!(secrets.redact(text), expected, "{text}");
        }
    }

    #[test]
    fn a_secret_with_percent_signs_is_hidden() {
        let secrets = Secrets::new(None, None, Some("a/b%20%"));
        for text in ["a/b%20%", "a/b%2520%25", "a%2Fb%2520%25", "A%2fB%2520%25"] {
            assert_eq!(secrets.redact(text), "…", "{text}");
        }
    }

    #[test]
    fn a_query_value_is_hidden_as_json_holds_it() {
        let secrets = Secrets::new(Some("https://a/?q=a%2Fb+c"), None, None);
        for text in ["a/b c", "a\\/b c", "q=a\\/b c", "a%2Fb+c"] {
            assert_eq!(secrets.redact(text), "…", "{text}");
        }
    }

    #[test]
    fn overlapping_secrets_are_hidden_as_one() {
        let secrets = Secrets::new(Some("https://a/?x=abcd1234&y=1234zzzz"), None, None);
        assert_eq!(secrets.redact("<abcd1234zzzz>"), "<…>");
        assert_eq!(secrets.redact("<abcd1234abcd1234>"), "<…>");
    }

    #[test]
    fn empty_secrets_hide_nothing() {
        let secrets = Secrets::new(Some("https://a/?"), Some("not a url"), Some(""));
        assert_eq!(secrets.redact("all of it, ü %"), "all of it, ü %");
        assert_eq!(Secrets::default().redact(""), "");
    }

    #[test]
    fn presentable_text_is_cleaned_then_searched_then_cut() {
        let secrets = Secrets::new(None, None, Some("s3cr\u{200b}et"));
        assert_eq!(
            presentable("it is s3\u{200d}cret", &secrets, 100),
            "it is …"
        );
        assert_eq!(presentable("it is s3cret", &secrets, 9), "it is …");
        assert_eq!(presentable("s3cret, s3cret, tail", &secrets, 5), "…, …,");
        assert_eq!(presentable("s3cret", &secrets, 0), "");
        assert_eq!(presentable("s3cret, s3cret, tail", &secrets, 3), "…,");
        let more = secrets.and_query_of("https://b/?moved=elsewhere");
        assert_eq!(presentable("s3cret elsewhere", &more, 100), "… …");
    }

    #[test]
    fn a_hosted_secret_is_hidden_as_text() {
        let secrets = Secrets::default().and_text_of(b"swordfish");
        assert_eq!(secrets.redact("no swordfish, no SWORDFISH"), "no …, no …");
        // No text, and a text that is too short to be hidden.
        for secret in [&b"abcd\xff"[..], b"abc"] {
            let secrets = Secrets::default().and_text_of(secret);
            assert_eq!(secrets.redact("abcd"), "abcd", "{secret:?}");
        }
    }

    #[test]
    fn the_start_of_a_secret_is_hidden_only_where_the_search_ends() {
        let secrets = Secrets::new(None, None, Some("s3cret"));
        assert_eq!(presentable("it is s3c", &secrets, 100), "it is s3c");
        // One mask hides all that follow each other; the search ends three characters behind them.
        let masked = "s3cret".repeat(167);
        for (word, shown) in [("s3cure", "…"), ("secure", "…sec")] {
            let max_chars = masked.len() + 3 - SEARCHED_BEYOND;
            let text = format!("{masked}{word}");
            assert_eq!(presentable(&text, &secrets, max_chars), shown);
        }
    }

    #[test]
    fn percent_signs_are_decoded_and_encoded() {
        assert_eq!(percent_decode("%6b1%zz%e"), b"k1%zz%e");
        assert_eq!(percent_decode("%"), b"%");
        assert_eq!(percent_decode("%é1"), "%é1".as_bytes());
        assert_eq!(percent_decode("%00%FF+"), b"\x00\xff+");
        assert_eq!(percent_encode("aZ9-._~"), "aZ9-._~");
        assert_eq!(percent_encode("x&c=1 ü%"), "x%26c%3D1%20%C3%BC%25");
        assert_eq!(query_of("https://a/?b?c#d?e"), Some("b?c"));
        assert_eq!(query_of("https://a/#b?c"), None);
    }

    #[test]
    #[cfg_attr(miri, ignore = "too long a text for an interpreter")]
    fn huge_text_is_searched_and_cut() {
        let secrets = Secrets::new(
            Some(&format!("https://a/?q={}", "a".repeat(4000))),
            None,
            None,
        );
        let shown = presentable(&"a".repeat(64 * 1024), &secrets, 500);
        assert!(shown.starts_with(MASK) && shown.chars().count() <= 500);
    }
}
