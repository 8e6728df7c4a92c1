//! Text of strangers: whatever it says, and however, no secret survives in what is shown of it.
//!
//! Lines: how many characters are shown, `k1`, the LNURL, the callback, then the text. In the text,
//! the bytes 1 to 20 stand for the secrets in several encodings, which no mutation would hit upon.

use lnurl_channel_core::protocol::{Secret, Secrets, presentable};

use crate::hidden::{Hidden, check_presentable, encodings_of};
use crate::lines::Lines;
use crate::unicode::{Look, look_of};

pub fn run(input: &[u8]) {
    let mut lines = Lines::new(input);
    let max_chars = 1 + usize::from(lines.switches());
    let (Some(k1), Some(lnurl), Some(callback)) = (lines.text(), lines.text(), lines.text()) else {
        return;
    };
    let text = with_secrets(lines.rest(), [k1, query_of(lnurl), query_of(callback)]);
    let secrets = Secrets::new(Some(lnurl), Some(callback), Some(k1));

    let shown = presentable(&text, &secrets, max_chars);
    check_presentable(&shown, max_chars);
    Hidden::new(&[lnurl, callback], &[k1]).check(&shown);
    check_nothing_else_is_hidden(&text, max_chars);
    check_cleaned(&text);
    check_debug(k1, &secrets);
}

/// Where there is no secret, the text is shown: one line, cut, and nothing else.
fn check_nothing_else_is_hidden(text: &str, max_chars: usize) {
    let whole = presentable(text, &Secrets::default(), text.len() + 1);
    let cut: String = whole.chars().take(max_chars).collect();
    let shown = presentable(text, &Secrets::default(), max_chars);
    assert_eq!(shown, cut.trim_end());
}

/// All that can be seen is shown, in its order, and blanks part it as before.
pub fn check_cleaned(text: &str) {
    let shown = presentable(text, &Secrets::default(), text.len() + 1);
    check_presentable(&shown, text.len());
    let seen = |text: &str| -> String {
        let seen = text.chars().filter(|c| look_of(*c) == Look::Seen);
        seen.collect()
    };
    assert_eq!(seen(&shown), seen(text));
    let parted = text.split(|c: char| look_of(c) == Look::Blank);
    let parted = parted.filter(|part| !seen(part).is_empty());
    let seen_of_shown: Vec<String> = shown.split(' ').map(seen).collect();
    let seen_of_shown = seen_of_shown.iter().filter(|part| !part.is_empty());
    assert!(parted.map(seen).eq(seen_of_shown.cloned()), "{shown:?}");
    // What shows nothing is no text.
    let shows = |c: char| matches!(look_of(c), Look::Seen | Look::Mark | Look::Unknown);
    assert_eq!(shown.is_empty(), !text.contains(shows));
}

fn check_debug(k1: &str, secrets: &Secrets) {
    assert_eq!(format!("{:?}", Secret::new(k1)), "Secret(…)");
    assert_eq!(format!("{secrets:?}"), "Secrets(…)");
}

fn query_of(url: &str) -> &str {
    let url = url.split('#').next().unwrap_or_default();
    url.split_once('?').map_or("", |(_, query)| query)
}

/// Bytes that are no text are left out, as from a lossy body.
fn with_secrets(text: &[u8], secrets: [&str; 3]) -> String {
    let encodings: Vec<String> = secrets.into_iter().flat_map(encodings_of).collect();
    let mut filled = String::new();
    for c in String::from_utf8_lossy(text).chars() {
        match encodings.get((c as usize).wrapping_sub(1)) {
            // A line break stays one.
            Some(encoding) if c != '\n' => filled.push_str(encoding),
            _ => filled.push(c),
        }
    }
    filled
}
