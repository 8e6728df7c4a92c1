//! A scanned text: what is accepted has one URL, in every form that it can be written in.
//!
//! The input is the text.

use lnurl_channel_core::protocol::{Error, Lnurl, LnurlProblem, check, decode, encode};
use url::Url;

const MAX_TEXT_BYTES: usize = 8192;

pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let decoded = decode(text);
    match &decoded {
        Ok(lnurl) => check_accepted(text, lnurl),
        Err(error) => check_refused(error),
    }
    check_surroundings(text, &decoded);
    check_encoding(text);
}

fn check_accepted(text: &str, lnurl: &Lnurl) {
    assert!(text.len() <= MAX_TEXT_BYTES);
    let url = lnurl.as_url();
    assert!(url.scheme() == "https" || url.scheme() == "http" && lnurl.is_onion());
    assert_eq!(check(url, true), Ok(()));
    assert_eq!(url.fragment(), None);
    assert_eq!(Lnurl::from_url(&lnurl.url()).as_ref(), Ok(lnurl));
    let host = lnurl.host();
    assert!(!host.is_empty() && !host.ends_with('.'));
    assert_eq!(host, host.to_ascii_lowercase());
    assert_eq!(lnurl.is_onion(), host.ends_with(".onion"));
    let authority = lnurl.authority();
    match url.port() {
        Some(port) => assert_eq!(authority, format!("{host}:{port}")),
        None => assert_eq!(authority, host),
    }
    // Neither shows a query.
    assert_eq!(lnurl.to_string(), authority);
    assert_eq!(format!("{lnurl:?}"), format!("Lnurl({authority})"));
    check_tag(url);
    check_lud17(text, url);
    check_forms(lnurl);
}

fn check_tag(url: &Url) {
    let tag = url.query_pairs().find(|(key, _)| key == "tag");
    let of_others = ["login", "payRequest", "withdrawRequest"];
    assert!(!tag.is_some_and(|(_, tag)| of_others.contains(&&*tag)));
}

/// `lnurlc:` is `https:`, to the letter; of an onion service, `http:`.
fn check_lud17(text: &str, url: &Url) {
    let Some(rest) = text.strip_prefix("lnurlc:") else {
        return;
    };
    // Of anything else, it may be a part that was accepted.
    if !is_plain(rest) {
        return;
    }
    assert_eq!(url.scheme() == "http", is_onion(url));
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let Ok(mut read) = Url::parse(&format!("https://{rest}")) else {
        panic!("{text:?} was accepted as {url}");
    };
    read.set_fragment(None);
    assert_eq!(url.host(), read.host());
    assert_eq!(url.path(), read.path());
    assert_eq!(url.query(), read.query());
}

/// Nothing in it parts it, and nothing at its end is taken off.
fn is_plain(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#@&=+%".contains(c);
    text.chars().all(fits) && text.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
}

fn is_onion(url: &Url) -> bool {
    let host = url.domain().unwrap_or_default();
    host.trim_end_matches('.').ends_with(".onion")
}

/// Every way of writing an LNURL leads to it.
fn check_forms(lnurl: &Lnurl) {
    let Ok(encoded) = encode(&lnurl.url()) else {
        let chars = "lnurl1".len() + (lnurl.url().len() * 8).div_ceil(5) + 6;
        assert!(chars > 4296, "{} is not encoded", lnurl.url());
        return;
    };
    assert!(encoded.starts_with("LNURL1") && encoded.len() <= 4296);
    let lower = encoded.to_ascii_lowercase();
    let url = lnurl.url();
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let mut forms = vec![
        format!("lightning:{lower}"),
        format!("LIGHTNING://{encoded}"),
        format!("web+lightning:lnurl:{lower}"),
        format!("https://example.com/?x=1&LIGHTNING={encoded}&lightning=no"),
        format!("bitcoin:bc1q?lightning={lower}"),
        format!("{lower}?label=a#b"),
        format!("bitcoin:bc1q?lightning=lnbc1&amp;Lightning={encoded}"),
        format!("https://example.com/#/open?lightning={encoded}"),
        lower.clone(),
        encoded.clone(),
    ];
    if (scheme == "http") == lnurl.is_onion() && lnurl.as_url().port().is_none() {
        forms.extend(["lnurlc://", "LNURLC:", "web+lnurlc://"].map(|s| format!("{s}{rest}")));
    }
    for form in forms {
        if form.len() <= MAX_TEXT_BYTES {
            assert_eq!(decode(&form).as_ref(), Ok(lnurl), "{form}");
        }
    }
    if is_plain(&url) {
        check_is_no_host(&[format!("lnurlc://{url}"), format!("LNURLC:{url}")]);
    }
    check_is_no_host(&[
        format!("lnurlc://{encoded}"),
        format!("web+lnurlc:{lower}?x=1"),
    ]);
}

/// Behind LUD-17's scheme follows a host, and nothing else.
fn check_is_no_host(forms: &[String]) {
    for form in forms.iter().filter(|form| form.len() <= MAX_TEXT_BYTES) {
        let decoded = decode(form);
        let problem = LnurlProblem::Damaged;
        assert!(
            matches!(&decoded, Err(Error::InvalidLnurl { problem: p, .. }) if *p == problem),
            "{form} was decoded to {decoded:?}"
        );
    }
}

/// Reasons are the library's own words.
fn check_refused(error: &Error) {
    match error {
        Error::InvalidLnurl { reason, .. } | Error::UnsafeUrl { reason, .. } => {
            assert!((1..100).contains(&reason.len()), "{reason}");
            // What URLs are made of.
            assert!(
                !reason.contains(['/', '?', '&', '=', '%', '@', '#']),
                "{reason}"
            );
        }
        Error::UnsupportedTag(tag) => {
            assert!(["login", "payRequest", "withdrawRequest"].contains(&tag.as_str()));
        }
        Error::InvalidResponse(_) | Error::Refused(_) => panic!("nobody answered: {error:?}"),
    }
}

fn check_surroundings(text: &str, decoded: &Result<Lnurl, Error>) {
    let surrounded = format!("\u{feff} \n{text}\u{200b}\t");
    if surrounded.len() <= MAX_TEXT_BYTES {
        assert_eq!(&decode(&surrounded), decoded);
    }
}

/// Encoding refuses what decoding would.
fn check_encoding(text: &str) {
    match (encode(text), Lnurl::from_url(text)) {
        (Ok(encoded), lnurl) => assert_eq!(decode(&encoded), lnurl),
        (Err(error), Err(why)) => assert_eq!(error, why),
        (Err(error), Ok(_)) => {
            let too_long = Error::InvalidLnurl {
                problem: LnurlProblem::NotLnurl,
                reason: "the URL is too long".into(),
            };
            assert_eq!(error, too_long);
        }
    }
}
