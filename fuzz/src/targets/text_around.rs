//! LNURLs within a text, as people share them: what stands around them changes nothing.
//!
//! The first line says in which form the first LNURL stands, and what parts it from the text; then
//! the text. In it, the byte 1 stands for an LNURL, and the byte 2 for another one.

use lnurl_channel_core::protocol::{Error, LnurlProblem, decode, encode};

use crate::lines::Lines;

const ONION: &str = "juhanurmihxlp77nkq76byazcldy2hlmovfu2epvl5ankdibsot4csyd.onion";

const MAX_TEXT_BYTES: usize = 8192;
/// As many parts of a text are looked at.
const MAX_PARTS: usize = 64;

/// What may stand right before an LNURL, and right behind it.
const AROUND: [(&str, &str); 16] = [
    (" ", " "),
    ("\n", "\n"),
    ("(", ")"),
    ("[", "]"),
    ("{", "}"),
    ("<", ">"),
    ("\"", "\""),
    ("'", "'"),
    ("`", "`"),
    ("“", "”"),
    ("«", "»"),
    ("「", "」"),
    (" ", ".\n"),
    ("\u{a0}", "!\u{2003}"),
    (" …", "。 "),
    (" (\u{200b}", ")?, "),
];

pub fn run(input: &[u8]) {
    let mut lines = Lines::new(input);
    let how = usize::from(lines.switches());
    let text = String::from_utf8_lossy(lines.rest());
    // It holds no LNURL by itself, nor the start of one.
    let words = text.to_ascii_lowercase();
    if words.contains("lnurl") || words.contains("lightning") || words.contains('%') {
        return;
    }
    let counts = [1, 2].map(|mark| text.matches(char::from(mark)).count());
    let filled = with_lnurls(&text, how);
    let separators = filled.chars().filter(|c| !c.is_ascii_alphanumeric());
    if filled.len() > MAX_TEXT_BYTES || separators.count() >= MAX_PARTS {
        return;
    }
    let found = decode(&filled).map(|lnurl| lnurl.url());
    match counts {
        [0, 0] => assert!(found.is_err(), "{filled:?}"),
        [_, 0] => assert_eq!(found, Ok(url_of(1, how)), "{filled:?}"),
        [0, _] => assert_eq!(found, Ok(url_of(2, how)), "{filled:?}"),
        _ => {
            let problem = LnurlProblem::Several;
            let is_refused =
                matches!(&found, Err(Error::InvalidLnurl { problem: p, .. }) if *p == problem);
            assert!(is_refused, "{found:?} in {filled:?}");
        }
    }
}

/// The second one differs in its path, in its query, or in its host.
fn url_of(mark: u8, how: usize) -> String {
    let urls = [
        "https://a.example/x".to_owned(),
        ["https://a.example/X", "https://a.example/x?q=1"][how >> 4 & 1].to_owned(),
        format!("http://{ONION}/x"),
    ];
    let at = usize::from(mark - 1);
    urls[if how & 32 == 32 && at == 1 { 2 } else { at }].clone()
}

/// Each time in another form.
fn with_lnurls(text: &str, how: usize) -> String {
    // A text that is one URL as a whole keeps the punctuation at its end.
    let mut filled = String::from("a ");
    let mut count = how;
    for c in text.chars() {
        match c {
            '\u{1}' | '\u{2}' => {
                let lnurl = form_of(&url_of(c as u8, how), count);
                let (before, behind) = AROUND[count % AROUND.len()];
                // A URL goes on up to the next white space.
                filled += &format!(" {before}{lnurl}{behind} ");
                count += 1;
            }
            c => filled.push(c),
        }
    }
    filled
}

fn form_of(url: &str, how: usize) -> String {
    let encoded = encode(url).expect("an LNURL");
    let lower = encoded.to_ascii_lowercase();
    let (_, rest) = url.split_once("://").expect("a URL");
    match how / AROUND.len() % 8 {
        0 => encoded,
        1 => lower,
        2 => format!("lightning:{encoded}"),
        3 => format!("LNURLC://{rest}"),
        4 => format!("web+lnurlc:{rest}"),
        5 => format!("https://wallet.example/open?a=b&lightning={lower}"),
        6 => format!("{encoded}?label=x"),
        _ => format!("bitcoin:bc1q?amount=1&LIGHTNING={encoded}"),
    }
}
