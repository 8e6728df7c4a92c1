//! The URLs that ask and cancel: the service's own URL, with our parameters, each once.
//!
//! Lines: switches, `k1`, the callback.

use lnurl_channel_core::protocol::{ChannelVisibility, accept_url, cancel_url, parse_url};
use url::Url;

use crate::lines::Lines;
use crate::samples::{OTHER_PEER, PEER};

const OURS: [&str; 4] = ["k1", "remoteid", "private", "cancel"];

pub fn run(input: &[u8]) {
    let mut lines = Lines::new(input);
    let switches = lines.switches();
    let node_id = if switches & 1 == 0 { PEER } else { OTHER_PEER };
    let (visibility, private) = match switches & 2 {
        0 => (ChannelVisibility::Unannounced, "1"),
        _ => (ChannelVisibility::Announced, "0"),
    };
    let (Some(k1), Ok(callback)) = (lines.text(), std::str::from_utf8(lines.rest())) else {
        return;
    };
    let in_upper_case = node_id.to_ascii_uppercase();
    let accept = |callback| accept_url(callback, k1, &in_upper_case, visibility);
    let cancel = |callback| cancel_url(callback, k1, &in_upper_case);

    // Any text: the service's part stays in front.
    check_text(callback, &accept(callback));
    check_text(callback, &cancel(callback));

    // A callback as an offer holds it.
    let Ok(url) = parse_url(callback) else {
        return;
    };
    let callback = url.as_str();
    let asked = [("k1", k1), ("remoteid", node_id), ("private", private)];
    check_url(&url, &accept(callback), asked);
    let asked = [("k1", k1), ("remoteid", node_id), ("cancel", "1")];
    check_url(&url, &cancel(callback), asked);
}

fn check_text(callback: &str, url: &str) {
    let path = callback.split(['?', '#']).next().unwrap_or_default();
    let rest = url.strip_prefix(path).expect("another path");
    assert!(rest.starts_with('?'), "{url}");
    let kept = services_own(&query_of(callback));
    let sent = query_of(url);
    assert_eq!(sent.len(), kept.len() + 3, "{url}");
    assert_eq!(sent[..kept.len()], kept, "the service's query was changed");
}

fn check_url(callback: &Url, text: &str, asked: [(&str, &str); 3]) {
    let url = Url::parse(text).expect("no URL any more");
    assert_eq!(url.as_str(), text, "sent in another spelling");
    assert_eq!(url.scheme(), callback.scheme());
    assert_eq!(url.host(), callback.host());
    assert_eq!(url.port(), callback.port());
    assert_eq!(url.path(), callback.path());
    assert_eq!(url.fragment(), None);
    assert!(url.username().is_empty() && url.password().is_none());

    let read = |ours: bool| {
        let pairs = url.query_pairs().into_owned();
        pairs.filter(move |(key, _)| OURS.contains(&key.as_str()) == ours)
    };
    let asked: Vec<(String, String)> = asked.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    assert_eq!(read(true).collect::<Vec<_>>(), asked, "{text}");
    let theirs = callback.query_pairs().into_owned();
    let theirs = theirs.filter(|(key, _)| !OURS.contains(&key.as_str()));
    assert!(
        read(false).eq(theirs),
        "the service reads another query: {text}"
    );
}

/// The pairs as they stand.
fn query_of(url: &str) -> Vec<&str> {
    let url = url.split('#').next().unwrap_or_default();
    let query = url.split_once('?').map(|(_, query)| query);
    query.map_or_else(Vec::new, |query| query.split('&').collect())
}

/// Without ours, in any spelling, and without the empty one that a `&` or `?` at the end leaves.
fn services_own<'a>(pairs: &[&'a str]) -> Vec<&'a str> {
    let mut kept = pairs.to_vec();
    kept.retain(|pair| {
        let key = pair.split('=').next().unwrap_or_default();
        let mut read = url::form_urlencoded::parse(key.as_bytes());
        !read
            .next()
            .is_some_and(|(key, _)| OURS.contains(&key.as_ref()))
    });
    if kept.last() == Some(&"") {
        kept.pop();
    }
    kept
}
