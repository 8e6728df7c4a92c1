//! The service's answer to the first GET, and the offer that stands in an LNURL itself.
//!
//! Lines: switches, the LNURL's URL, the URL that was fetched in the end, then the body.

use lnurl_channel_core::protocol::{
    Ask, ChannelKind, Error, Lnurl, Offer, PeerAddress, PeerPolicy, check, decode, offer_in_query,
    parse_node_uri, parse_offer, parse_url,
};
use serde_json::{Map, Value};
use url::Url;

use crate::hidden::{Hidden, behind, check_presentable};
use crate::json;
use crate::lines::Lines;
use crate::public;
use crate::unicode::trimmed;

/// The library's own words in front of those of others.
const OWN_WORDS: [&str; 10] = [
    "is not UTF-8 text: ",
    "is JSON nested too deep: ",
    "is not a JSON object: ",
    "has an unknown `tag`: ",
    "is without a `tag`: ",
    "is `uri` stands twice in the JSON object: ",
    "is `callback` stands twice in the JSON object: ",
    "is `k1` stands twice in the JSON object: ",
    "is `tag` stands twice in the JSON object: ",
    "is `status` stands twice in the JSON object: ",
];

pub fn run(input: &[u8]) {
    let mut lines = Lines::new(input);
    let switches = lines.switches();
    let (Some(lnurl), Some(fetched)) = (lines.text(), lines.text()) else {
        return;
    };
    let Ok(lnurl) = Lnurl::from_url(lnurl) else {
        return;
    };
    let fetched_from = parse_url(fetched).unwrap_or_else(|_| lnurl.as_url().clone());
    let body = lines.rest();
    let peers = PeerPolicy {
        allow_private_hosts: switches & 1 == 0,
        has_proxy: switches & 2 == 2,
    };
    let parse = |status, peers| parse_offer(body, status, &lnurl, &fetched_from, peers);
    let parsed = parse(200, peers);
    // The HTTP status means nothing, but that a reason may name it.
    assert_eq!(parse(404, peers).is_ok(), parsed.is_ok());
    let with = |allow_private_hosts| {
        let peers = PeerPolicy {
            allow_private_hosts,
            ..peers
        };
        parse(200, peers)
    };
    check_more_is_allowed(&with(false), &with(true));
    // Of several nodes, another may be taken, and nothing else.
    let other_way = PeerPolicy {
        has_proxy: !peers.has_proxy,
        ..peers
    };
    check_same_but_the_peer(&parse(200, other_way), &parsed);
    let answer = Answer {
        body,
        lnurl: &lnurl,
        fetched_from: &fetched_from,
        peers,
    };
    match parsed {
        Ok(offer) => answer.check_offer(&offer),
        Err(error) => answer.check_error(&error),
    }
    check_query(&lnurl);
}

/// Private hosts are all that the switch is about.
fn check_more_is_allowed(strict: &Result<Offer, Error>, lax: &Result<Offer, Error>) {
    let is_private = |offer: &Offer| !public::is_public_host(&offer.shown.peer.host);
    match (strict, lax) {
        (Err(Error::UnsafeUrl { .. }), _) => {}
        // Of several nodes, the first that may be used.
        (_, Ok(offer)) if is_private(offer) => {
            if strict.is_ok() {
                check_same_but_the_peer(strict, lax);
            }
        }
        _ => assert_eq!(strict, lax),
    }
}

fn check_same_but_the_peer(one: &Result<Offer, Error>, other: &Result<Offer, Error>) {
    let (Ok(one), Ok(other)) = (one, other) else {
        return assert_eq!(one, other);
    };
    let mut one = one.clone();
    one.shown.peer = other.shown.peer.clone();
    assert_eq!(one, *other);
}

/// Whether `peer` is one of the nodes that `texts` name.
fn is_named<'a>(peer: &PeerAddress, texts: impl Iterator<Item = &'a str>) -> bool {
    let is_between = |c: char| c == ',' || c.is_whitespace();
    let mut uris = texts.flat_map(|text| text.split(is_between)).map(trimmed);
    uris.any(|uri| parse_node_uri(uri).as_ref() == Ok(peer))
}

struct Answer<'a> {
    body: &'a [u8],
    lnurl: &'a Lnurl,
    fetched_from: &'a Url,
    peers: PeerPolicy,
}

impl Answer<'_> {
    fn check_offer(&self, offer: &Offer) {
        assert_eq!(offer.shown.service, Some(self.lnurl.authority()));
        let host = self.fetched_from.host_str().unwrap_or_default();
        let host = host.strip_suffix('.').unwrap_or(host);
        let is_other = host != self.lnurl.host();
        assert_eq!(offer.shown.answered_by.as_deref(), is_other.then_some(host));
        assert!(!is_other || offer.shown.kind == ChannelKind::Funded);
        check_shown(offer, self.peers.allow_private_hosts);
        if let Some(alias) = &offer.shown.alias {
            let urls = [self.lnurl.as_url().as_str(), self.fetched_from.as_str()];
            hidden_of(&urls, &offer.ask).check(alias);
        }
        if let Some(fields) = json::fields(self.body) {
            self.check_against_a_plain_reader(offer, &fields);
        }
    }

    fn check_against_a_plain_reader(&self, offer: &Offer, fields: &Map<String, Value>) {
        let as_it_stands = |key: &str| fields.get(key).and_then(Value::as_str);
        let text = |key: &str| as_it_stands(key).map(trimmed);
        let tag = match offer.shown.kind {
            ChannelKind::Funded => "channelRequest",
            ChannelKind::Hosted => "hostedChannelRequest",
        };
        assert_eq!(text("tag"), Some(tag));
        assert_ne!(
            text("status").map(str::to_ascii_uppercase).as_deref(),
            Some("ERROR")
        );
        let uris = match &fields["uri"] {
            Value::Array(uris) => uris.iter().filter_map(Value::as_str).collect(),
            uri => Vec::from_iter(uri.as_str()),
        };
        assert!(is_named(&offer.shown.peer, uris.into_iter()));
        match &offer.ask {
            Ask::Hosted { secret } => {
                let k1 = text("k1").expect("a secret");
                assert_eq!(hex::decode(k1).as_deref(), Ok(secret.expose()));
            }
            Ask::Funded { callback, k1 } => {
                match as_it_stands("k1") {
                    Some(told) => assert_eq!(k1.expose(), told),
                    None => assert!(fields["k1"].is_number()),
                }
                let told = text("callback").expect("an offer without a callback");
                let mut resolved = self.fetched_from.join(told).expect("resolved before");
                resolved.set_fragment(None);
                assert_eq!(callback.expose(), resolved.as_str());
                check_is_meant_as_relative(told);
            }
        }
    }

    /// What is said to be wrong is so.
    fn check_blame(&self, reason: &str) {
        let Some(fields) = json::fields(self.body) else {
            return;
        };
        let text = |key: &str| fields.get(key).and_then(Value::as_str).map(trimmed);
        if reason.starts_with("the answer has an unknown `tag`") {
            let is_known = |tag| ["channelRequest", "hostedChannelRequest"].contains(&tag);
            assert!(!text("tag").is_some_and(is_known), "{reason}");
        }
        if reason.starts_with("`callback` is missing") {
            assert_eq!(text("callback").unwrap_or_default(), "");
        }
    }

    fn check_error(&self, error: &Error) {
        if let Error::InvalidResponse(reason) | Error::UnsafeUrl { reason, .. } = error {
            self.check_blame(reason);
        }
        match error {
            Error::Refused(None) => {}
            Error::Refused(Some(words)) => {
                assert!(!words.is_empty());
                check_presentable(words, 500);
                self.hidden(words).check(words);
            }
            // All other reasons are the library's own.
            Error::InvalidResponse(reason) if !reason.starts_with("the answer ") => {
                assert!(reason.len() < 120, "{reason}");
            }
            Error::InvalidResponse(reason) => {
                check_presentable(reason, 700);
                let rest = behind(reason, &["the answer (HTTP status 200) ", "the answer "]);
                if rest != "is empty" {
                    self.hidden(reason).check(behind(rest, &OWN_WORDS));
                }
            }
            Error::UnsafeUrl { reason, .. } => assert!(reason.len() < 120, "{reason}"),
            Error::UnsupportedTag(tag) => {
                assert!(["login", "payRequest", "withdrawRequest"].contains(&tag.as_str()));
            }
            Error::InvalidLnurl { .. } => panic!("an answer is no LNURL: {error:?}"),
        }
    }

    /// Of an answer that could not be read, what would be its secrets is not known.
    fn hidden(&self, reason: &str) -> Hidden {
        let urls = [self.lnurl.as_url().as_str(), self.fetched_from.as_str()];
        let unreadable = reason.strip_prefix("the answer (HTTP status 200) is ");
        if unreadable.is_some_and(|why| !why.starts_with("without a `tag`: ")) {
            return Hidden::new(&urls, &[]);
        }
        let fields = json::fields(self.body).unwrap_or_default();
        let text = |key: &str, limit| {
            let text = fields.get(key).and_then(Value::as_str).unwrap_or_default();
            let text = if key == "k1" { text } else { trimmed(text) };
            // What is longer is in no request.
            if text.len() <= limit { text } else { "" }
        };
        Hidden::new(
            &[urls[0], urls[1], text("callback", 4096)],
            &[text("k1", 1024)],
        )
    }
}

/// What has no scheme is a path, and not a host or an LNURL.
fn check_is_meant_as_relative(callback: &str) {
    if Url::parse(callback).is_ok() {
        return;
    }
    let end = callback.find(['/', '?', '#']).unwrap_or(callback.len());
    let (segment, rest) = callback.split_at(end);
    let has_dot = segment.contains('.') && !segment.starts_with('.');
    assert!(!has_dot || !rest.starts_with('/'), "{callback}");
    let is_bech32 = callback.to_ascii_lowercase().starts_with("lnurl1");
    assert!(!is_bech32 || decode(callback).is_err(), "{callback}");
}

/// A host may repeat its secret as hex, and as the text that it is.
fn hidden_of(urls: &[&str], ask: &Ask) -> Hidden {
    let k1 = ask.k1();
    let as_text = match ask {
        Ask::Hosted { secret } => std::str::from_utf8(secret.expose()).ok(),
        Ask::Funded { .. } => None,
    };
    let as_text = as_text.filter(|text| text.chars().count() >= 4);
    Hidden::new(urls, &[k1.expose(), as_text.unwrap_or_default()])
}

/// What holds of every offer, wherever it stood.
fn check_shown(offer: &Offer, allow_private_hosts: bool) {
    let shown = &offer.shown;
    assert_eq!(shown.kind, offer.ask.kind());
    match &offer.ask {
        Ask::Funded { callback, k1 } => {
            assert!(callback.expose().len() <= 4096 * 3);
            let url = parse_url(callback.expose()).expect("a callback that is no URL");
            assert_eq!(url.as_str(), callback.expose());
            assert_eq!(check(&url, allow_private_hosts), Ok(()));
            let host = url.host_str().expect("a callback without a host");
            let host = host.strip_suffix('.').unwrap_or(host);
            assert_eq!(shown.callback_host.as_deref(), Some(host));
            assert!(k1.expose().len() <= 1024);
        }
        Ask::Hosted { secret } => {
            assert_eq!(shown.callback_host, None);
            assert!(secret.expose().len() <= 128);
        }
    }
    assert_eq!(
        parse_node_uri(&shown.peer.to_uri()).as_ref(),
        Ok(&shown.peer)
    );
    if !allow_private_hosts {
        let host = &shown.peer.host;
        assert!(public::is_public_host(host), "{host}");
    }
    if let Some(alias) = &shown.alias {
        assert!(!alias.is_empty());
        check_presentable(alias, 64);
    }
    // `Debug` is safe to log: what `k1` and callback say stands nowhere else in it.
    let debug = format!("{:?}", offer.ask);
    assert!(
        [
            "Funded { callback: Secret(…), k1: Secret(…) }",
            "Hosted { secret: Secret(…) }"
        ]
        .contains(&debug.as_str())
    );
}

/// An offer in the LNURL's own query, of which its host knows nothing.
fn check_query(lnurl: &Lnurl) {
    let value = |name: &str| {
        let mut pairs = lnurl.as_url().query_pairs();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let (Some("hostedChannelRequest"), Some(uri), Some(k1)) =
        (value("tag").as_deref(), value("uri"), value("k1"))
    else {
        assert!(offer_in_query(lnurl, true).is_none());
        return;
    };
    let parse = |allow_private_hosts| {
        offer_in_query(lnurl, allow_private_hosts).expect("the offer was not seen")
    };
    check_more_is_allowed(&parse(false), &parse(true));
    match parse(true) {
        Ok(offer) => {
            assert_eq!(offer.shown.kind, ChannelKind::Hosted);
            assert_eq!(offer.shown.service, None, "nobody vouches for it");
            assert_eq!(offer.shown.answered_by, None);
            assert!(is_named(&offer.shown.peer, [&*uri].into_iter()));
            let k1 = trimmed(&k1).to_ascii_lowercase();
            assert_eq!(offer.ask.k1().expose(), k1);
            check_shown(&offer, true);
            if let Some(alias) = &offer.shown.alias {
                hidden_of(&[], &offer.ask).check(alias);
            }
        }
        Err(Error::InvalidLnurl { reason, .. } | Error::UnsafeUrl { reason, .. }) => {
            assert!(reason.len() < 120, "{reason}");
        }
        Err(other) => panic!("nobody answered: {other:?}"),
    }
}
