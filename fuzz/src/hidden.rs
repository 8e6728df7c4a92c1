//! What no text may show, judged without the library's own search.

use lnurl_channel_core::protocol::{Secrets, presentable};
use memchr::memmem;

use crate::unicode::{Look, look_of};

/// Stands where a secret was.
const MASK: char = '…';

/// As the library: shorter values of a query are common words.
const MIN_VALUE_CHARS: usize = 4;
const MAX_PAIRS: usize = 64;

/// The forms in which the secrets of a request are recognised.
pub struct Hidden {
    forms: Vec<Form>,
}

struct Form {
    /// In lower case.
    wanted: String,
    encodings: [String; 5],
}

impl Hidden {
    pub fn new(urls: &[&str], words: &[&str]) -> Self {
        let mut hidden = Self { forms: Vec::new() };
        for word in words {
            hidden.add(word);
        }
        for url in urls {
            hidden.add_query_of(url);
        }
        hidden
    }

    fn add_query_of(&mut self, url: &str) {
        let url = url.split('#').next().unwrap_or_default();
        let Some((_, query)) = url.split_once('?') else {
            return;
        };
        self.add(query);
        for pair in query.split('&').take(MAX_PAIRS) {
            let value = match pair.split_once('=') {
                Some((_, value)) => {
                    self.add(pair);
                    value
                }
                None => pair,
            };
            let decoded = String::from_utf8_lossy(&decoded(value.as_bytes())).into_owned();
            if decoded.chars().count() >= MIN_VALUE_CHARS {
                self.add(value);
            }
        }
    }

    /// What `secret` says, and what it says decoded.
    fn add(&mut self, secret: &str) {
        self.add_form(secret);
        for bytes in [
            decoded(secret.as_bytes()),
            decoded(secret.replace('+', " ").as_bytes()),
        ] {
            if let Ok(text) = String::from_utf8(bytes) {
                self.add_form(&text);
            }
        }
    }

    /// As it would stand in a shown text. Where it holds the mask itself, nothing can be told.
    fn add_form(&mut self, form: &str) {
        let form = presentable(form, &Secrets::default(), 1 << 16);
        if !form.is_empty() && !form.contains(MASK) {
            let wanted = form.to_ascii_lowercase();
            let encodings = encodings_of(&wanted);
            self.forms.push(Form { wanted, encodings });
        }
    }

    /// Checks that `shown`, of a stranger's words, holds no secret, however encoded.
    pub fn check(&self, shown: &str) {
        let views = views_of(shown);
        for Form { wanted, encodings } in &self.forms {
            for encoded in encodings {
                let literal = &views[0];
                assert!(!contains(literal, encoded), "{wanted:?} is in {shown:?}");
            }
            // A percent sign of a secret's own cannot be told from an encoder's.
            if !wanted.contains('%') {
                for view in &views {
                    assert!(
                        !contains(view, wanted),
                        "{wanted:?}, encoded, is in {shown:?}"
                    );
                }
            }
        }
    }
}

/// What stands behind the library's own words, which may be what a secret is as well.
pub fn behind<'a>(reason: &'a str, own: &[&str]) -> &'a str {
    let found = own.iter().find_map(|own| reason.strip_prefix(own));
    found.unwrap_or(reason)
}

/// Checks that `shown` is one line, trimmed, of at most `max_chars`, without what is invisible.
pub fn check_presentable(shown: &str, max_chars: usize) {
    assert!(shown.chars().count() <= max_chars, "too long: {shown:?}");
    assert_eq!(shown, shown.trim(), "not trimmed");
    let again = presentable(shown, &Secrets::default(), max_chars);
    assert_eq!(again, shown, "not as it would be shown itself");
    let unseen = shown.chars().find(|c| look_of(*c) == Look::Unseen);
    assert_eq!(unseen, None, "in {shown:?}");
    let is_blank = |c: &char| look_of(*c) == Look::Blank;
    assert!(shown.chars().filter(is_blank).all(|c| c == ' '));
    assert!(!shown.contains("  "), "{shown:?}");
    let mut marks = 0;
    for c in shown.chars() {
        marks = if look_of(c) == Look::Mark {
            marks + 1
        } else {
            0
        };
        assert!(marks <= 3, "a pile of marks in {shown:?}");
    }
}

/// How encoders write a text: each encodes what its set does not hold.
pub fn encodings_of(text: &str) -> [String; 5] {
    let with = |is_kept: fn(u8) -> bool| encoded(text, is_kept);
    [
        text.to_owned(),
        with(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b)),
        with(|b| b.is_ascii_alphanumeric() || b"-._~!#$&'()*+,/:;=?@".contains(&b)),
        with(|_| false),
        text.replace('/', "\\/"),
    ]
}

fn encoded(text: &str, is_kept: fn(u8) -> bool) -> String {
    let encoded = text.bytes().map(|byte| match is_kept(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02x}"),
    });
    encoded.collect()
}

/// `shown` in lower case: as it is, decoded, and decoded as a form.
fn views_of(shown: &str) -> [Vec<u8>; 3] {
    let views = [
        shown.as_bytes().to_vec(),
        decoded(shown.as_bytes()),
        decoded(shown.replace('+', " ").as_bytes()),
    ];
    views.map(|view| view.to_ascii_lowercase())
}

fn contains(text: &[u8], wanted: &str) -> bool {
    memmem::find(text, wanted.as_bytes()).is_some()
}

/// Percent-decodes what can be.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let digits = text.get(at + 1..at + 3).unwrap_or_default();
        let is_escape = text[at] == b'%' && digits.len() == 2;
        let byte = std::str::from_utf8(digits)
            .ok()
            .filter(|digits| is_escape && digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(byte.unwrap_or(text[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    decoded
}
