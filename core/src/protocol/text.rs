//! Text from outside: it is cleaned before it is shown, and percent-encoded or not.

/// The most combining marks in a row that are shown: more of them cover the lines above and below.
const MAX_MARKS: usize = 3;

/// What cannot be seen, but for control characters and white space: format and bidirectional
/// characters, fillers, variation selectors, and what is for private use. In order.
const UNSEEN: [(char, char); 31] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{e000}', '\u{f8ff}'),
    ('\u{fdd0}', '\u{fdef}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{13442}'),
    ('\u{16fe4}', '\u{16fe4}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d159}', '\u{1d159}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
    ('\u{f0000}', '\u{10ffff}'),
];

/// Whether a character, other than a control character or white space, cannot be seen.
pub fn is_invisible(c: char) -> bool {
    if c.is_ascii() {
        return false;
    }
    // The last two of each plane are no characters.
    let is_none = u32::from(c) & 0xfffe == 0xfffe;
    is_none
        || UNSEEN
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&c))
}

/// Whether a character, other than one that cannot be seen, combines with the one before it.
///
/// `Debug` escapes those, and what is assigned no meaning yet: of that too, three in a row are enough.
fn is_mark(c: char) -> bool {
    !c.is_ascii() && c.escape_debug().len() > 1
}

/// `text` without white space and invisible characters at its ends.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

/// `text` on one line, without what cannot be seen, trimmed, `max_chars` at most.
pub fn clean(text: &str, max_chars: usize) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let (mut chars, mut marks) = (0, 0);
    for c in text.chars() {
        if chars == max_chars {
            break;
        }
        let c = if c.is_whitespace() { ' ' } else { c };
        let is_shown = match c {
            ' ' => !cleaned.is_empty() && !cleaned.ends_with(' '),
            c => !c.is_control() && !is_invisible(c),
        };
        if !is_shown {
            continue;
        }
        marks = if is_mark(c) { marks + 1 } else { 0 };
        if marks <= MAX_MARKS {
            cleaned.push(c);
            chars += 1;
        }
    }
    trimmed_end(cleaned)
}

/// `text` without white space at its end, which a cut may leave.
pub fn trimmed_end(mut text: String) -> String {
    text.truncate(text.trim_end().len());
    text
}

/// The query of a URL's text, without `?` and fragment.
pub fn query_of(url: &str) -> Option<&str> {
    let without_fragment = url.split('#').next()?;
    without_fragment.split_once('?').map(|(_, query)| query)
}

/// The byte that `%XX` at the start of `text` stands for.
pub fn escaped_byte(text: &[u8]) -> Option<u8> {
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
    use super::super::vectors;
    use super::*;

    #[test]
    fn clean_text_is_one_visible_line() {
        for (dirty, expected) in [
            ("  plain  ", "plain"),
            ("a\u{202e}b\u{200b}c\u{feff}\u{ad}d\u{61c}", "abcd"),
            ("a\u{2066}b\u{2069}\u{e0041}\u{e007f}", "ab"),
            ("a\0b\u{7f}c\u{9b}d\u{1b}[1m", "abcd[1m"),
            ("one\r\n\ttwo\u{2028}three\u{2029}", "one two three"),
            ("one \n two", "one two"),
            ("a \u{200b} \u{3164}\u{a0}b", "a b"),
            ("\u{200b} \n", ""),
            ("日本語", "日本語"),
        ] {
            assert_eq!(clean(dirty, 500), expected, "{dirty:?}");
        }
        assert_eq!(clean("日本語", 2), "日本");
        assert_eq!(clean("\n日 \u{200b} 本語", 3), "日 本");
        assert_eq!(clean("abc", 0), "");
        assert_eq!(clean("cut here", 4), "cut");
    }

    #[test]
    fn text_that_cannot_be_seen_is_removed() {
        for unseen in [
            0xad, 0x34f, 0x600, 0x605, 0x61c, 0x6dd, 0x70f, 0x891, 0x8e2, 0x115f, 0x1160, 0x17b4,
            0x180b, 0x180e, 0x180f, 0x200b, 0x200f, 0x202a, 0x202e, 0x2060, 0x2065, 0x206f, 0x2800,
            0x3164, 0xe000, 0xf8ff, 0xfdd0, 0xfdef, 0xfe00, 0xfe0f, 0xfeff, 0xffa0, 0xfff0, 0xfff9,
            0xfffe, 0xffff, 0x110bd, 0x110cd, 0x13430, 0x1343f, 0x1bca0, 0x1d173, 0x1fffe, 0xdffff,
            0xe0001, 0xe0020, 0xe0101, 0xe01ef, 0xe0fff, 0xf0000, 0xffffd, 0x100000, 0x10ffff,
        ] {
            let unseen = char::from_u32(unseen).unwrap();
            assert_eq!(clean(&format!("a{unseen}b"), 9), "ab", "{unseen:?}");
            assert_eq!(clean(&format!(" {unseen}{unseen} "), 9), "", "{unseen:?}");
            assert_eq!(
                trimmed(&format!(" {unseen} a{unseen}b \n{unseen}")),
                format!("a{unseen}b")
            );
        }
        // What stands just beside them, and letters of many scripts.
        let seen = "«®¯ΆАאبपกカ한가ꙁ\u{27ff}\u{2900}豈ﬀ\u{fffc}\u{fffd}𐤀𝄞🙂🏴€";
        assert_eq!(clean(seen, 99), seen);
    }

    #[test]
    fn three_combining_marks_in_a_row_are_shown() {
        for mark in [
            '\u{301}',
            '\u{489}',
            '\u{5b0}',
            '\u{64b}',
            '\u{94d}',
            '\u{e47}',
            '\u{fb2}',
            '\u{1dc4}',
            '\u{20dd}',
            '\u{3099}',
            '\u{a672}',
            '\u{fe20}',
            '\u{101fd}',
            '\u{1d165}',
            '\u{1e8d0}',
        ] {
            let marks = |count| String::from(mark).repeat(count);
            for count in 0..6 {
                let shown = format!("e{}x{}", marks(count.min(3)), marks(count.min(3)));
                let text = format!("e{}x{}", marks(count), marks(count));
                assert_eq!(clean(&text, 99), shown, "{mark:?}");
                // Nor does what is removed part them.
                let parted = format!(
                    "e{}x{}",
                    format!("{mark}\u{200d}\0").repeat(count),
                    marks(count)
                );
                assert_eq!(clean(&parted, 99), shown, "{mark:?}");
            }
        }
    }

    #[test]
    fn texts_are_cleaned_as_in_the_vectors() {
        for vector in vectors("cleaned_text") {
            let shown = clean(vector["text"].as_str().unwrap(), 500);
            assert_eq!(
                shown,
                vector["shown"].as_str().unwrap_or_default(),
                "{vector}"
            );
            assert_eq!(clean(&shown, 500), shown);
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
}
