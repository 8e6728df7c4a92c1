//! Secrets, and texts without them.

use std::fmt;
use std::ops::Deref;

use super::search::Search;
use super::text::{clean, percent_decode, query_of, trimmed_end};

/// Replaces a secret.
const MASK: char = '…';

/// The search for secrets ends this many characters beyond what can be shown.
const SEARCHED_BEYOND: usize = 1000;

/// The most pairs of a query that are hidden one by one. The whole query is always hidden.
const MAX_PAIRS: usize = 64;

/// A shorter value is not hidden by itself: it may be a common word, which occurs anywhere.
const MIN_HIDDEN_VALUE: usize = 4;

/// How often a secret may be percent-encoded. The search itself decodes once more.
const MAX_ENCODINGS: usize = 3;

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

/// `text` as it may be shown: cleaned, without secrets, and at most `max_chars` long.
///
/// It is cleaned first, because the search would miss a secret with an invisible character inside. It
/// is cut last, because the search would miss a secret that is cut.
pub fn presentable(text: &str, secrets: &Secrets, max_chars: usize) -> String {
    let cleaned = clean(text, usize::MAX);
    if cleaned.is_empty() {
        return cleaned;
    }
    let searched = cleaned.char_indices().nth(max_chars + SEARCHED_BEYOND);
    trimmed_end(match searched {
        None => secrets.hide(&cleaned, max_chars, false),
        Some((end, _)) => secrets.hide(before_cut_escape(&cleaned[..end]), max_chars, true),
    })
}

/// `text` without an escape that was cut at its end: nobody knows what it stands for.
fn before_cut_escape(text: &str) -> &str {
    let tail = text.len().saturating_sub(2);
    let cut = text.as_bytes()[tail..].iter().position(|b| *b == b'%');
    cut.map_or(text, |cut| &text[..tail + cut])
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

    /// Overlapping secrets are hidden as one, so that no part of either is left. At the end of a text
    /// that was cut, what may be the start of a secret is hidden too.
    fn hide(&self, text: &str, max_chars: usize, was_cut: bool) -> String {
        let found = self.search().find(text.as_bytes(), was_cut);
        let mut shown = String::with_capacity(text.len().min(max_chars));
        let mut shown_chars = 0;
        let mut hidden_until = 0;
        for (at, c) in text.char_indices() {
            if shown_chars == max_chars {
                break;
            }
            for until in &found.until[at..at + c.len_utf8()] {
                hidden_until = hidden_until.max(*until as usize);
            }
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

    fn search(&self) -> Search {
        let mut search = Search::new();
        for text in &self.texts {
            add(&mut search, text);
        }
        for query in &self.queries {
            add_query(&mut search, query);
        }
        search
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}

fn add_query(search: &mut Search, query: &str) {
    add(search, query);
    for pair in query.split('&').take(MAX_PAIRS) {
        let value = pair.split_once('=').map_or(pair, |(_, value)| value);
        if pair.contains('=') {
            add(search, pair);
        }
        let decoded = percent_decode(value);
        if String::from_utf8_lossy(&decoded).chars().count() >= MIN_HIDDEN_VALUE {
            add(search, value);
        }
    }
}

/// Adds the spellings of a secret that the search does not find by itself.
fn add(search: &mut Search, secret: &str) {
    let mut text = secret.to_owned();
    for _ in 0..MAX_ENCODINGS {
        // As a form is decoded, and as JSON may escape slashes; or both.
        for text in [&text, &text.replace('+', " ")] {
            add_cleaned_too(search, text);
            if text.contains('/') {
                add_cleaned_too(search, &text.replace('/', "\\/"));
            }
        }
        if !text.contains('%') {
            break;
        }
        let decoded = percent_decode(&text);
        // What is no text may be replaced in what is shown.
        search.add(&decoded);
        text = String::from_utf8_lossy(&decoded).into_owned();
    }
}

fn add_cleaned_too(search: &mut Search, spelling: &str) {
    search.add(spelling.as_bytes());
    let cleaned = clean(spelling, usize::MAX);
    if cleaned != spelling {
        search.add(cleaned.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        // An escape that is cut may be a part of it as well.
        for (end, shown) in [
            ("s%", "…"),
            ("ab%", "…ab"),
            ("%7", "…"),
            ("%7x", "…%7x"),
            ("%%4", "…%"),
        ] {
            let max_chars = masked.len() + end.len() - SEARCHED_BEYOND;
            let text = format!("{masked}{end}and so on");
            assert_eq!(presentable(&text, &secrets, max_chars), shown, "{end}");
        }
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
