//! The answer to the first GET: what a service offers.

use url::Url;

use super::answer::{is_refusal, unreadable, words};
use super::json::Object;
use super::lnurl::{Lnurl, OTHER_TAGS, is_bech32};
use super::node_uri::{PeerAddress, check_peer_host, parse_node_uri};
use super::secrets::{Secret, Secrets, presentable};
use super::text::trimmed;
use super::url_policy::{BadUrl, MAX_CALLBACK_BYTES, check, host_of, parse_url, resolve};
use super::{Error, LnurlProblem, UrlProblem};

const FUNDED: &str = "channelRequest";
const HOSTED: &str = "hostedChannelRequest";

const MAX_K1_BYTES: usize = 1024;
const MAX_HOSTED_SECRET_BYTES: usize = 128;
const MAX_ALIAS: usize = 64;
const MAX_SHOWN_TAG: usize = 40;
/// The most addresses of a node that are looked at: each key takes time to check.
const MAX_URIS: usize = 16;
/// Enough for a host name of 255 characters and a port.
const MAX_AUTHORITY: usize = 261;

/// How the channel comes into being.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChannelKind {
    /// The peer funds a channel on chain and sends `open_channel` (LUD-02).
    Funded,
    /// The peer hosts the channel and the wallet trusts it (LUD-07, bLIP-17).
    Hosted,
}

/// What a service offers. Everything in it is safe to show and to log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ChannelOffer {
    /// `Funded`: a channel that a node opens (LUD-02). `Hosted`: one that a host keeps (LUD-07).
    pub kind: ChannelKind,
    /// The node that opens or hosts the channel.
    pub peer: PeerAddress,
    /// Authority of the LNURL: the one that the user agreed to contact.
    ///
    /// None where the LNURL itself holds the offer: then nobody was asked, and nobody vouches for it.
    pub service: Option<String>,
    /// Host that answered, where a redirect led away from `service`.
    pub answered_by: Option<String>,
    /// Host that the channel is requested from, which may differ from `service`; none when hosted.
    pub callback_host: Option<String>,
    /// The name that the host gives itself. Untrusted; cleaned of what cannot be seen.
    pub alias: Option<String>,
}

/// What is needed to ask for the channel. It is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The service is asked with a GET of `callback` (LUD-02).
    Funded { callback: Secret, k1: Secret },
    /// The host is asked with a message that holds `secret`; `k1` is its hex (LUD-07).
    Hosted { secret: Secret<Vec<u8>> },
}

impl Ask {
    pub fn kind(&self) -> ChannelKind {
        match self {
            Self::Funded { .. } => ChannelKind::Funded,
            Self::Hosted { .. } => ChannelKind::Hosted,
        }
    }

    /// The URL to ask at; none when hosted.
    pub fn callback(&self) -> Option<&Secret> {
        match self {
            Self::Funded { callback, .. } => Some(callback),
            Self::Hosted { .. } => None,
        }
    }

    /// `k1` as text. When hosted, it is hex in lower case.
    pub fn k1(&self) -> Secret {
        match self {
            Self::Funded { k1, .. } => k1.clone(),
            Self::Hosted { secret } => Secret::new(hex::encode(secret.expose())),
        }
    }

    /// The strings to redact from errors, events and logs. `lnurl` is the URL of the LNURL.
    pub fn secrets(&self, lnurl: &Secret) -> Secrets {
        self.own_secrets().and_query_of(lnurl.expose())
    }

    fn own_secrets(&self) -> Secrets {
        let secrets = Secrets::new(
            None,
            self.callback().map(|c| c.expose()),
            Some(self.k1().expose()),
        );
        match self {
            Self::Funded { .. } => secrets,
            Self::Hosted { secret } => secrets.and_text_of(secret.expose()),
        }
    }
}

/// An offer, and what is needed to ask for its channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub shown: ChannelOffer,
    pub ask: Ask,
}

/// The parts of an offer as texts, new from a service or stored. They hold secrets.
#[derive(Clone, Copy)]
pub struct OfferParts<'a> {
    pub kind: ChannelKind,
    pub service: Option<&'a str>,
    pub answered_by: Option<&'a str>,
    pub callback: Option<&'a str>,
    pub uri: &'a str,
    pub alias: Option<&'a str>,
    pub k1: &'a str,
}

impl Offer {
    /// Checks the parts of an offer. The rules are the same for a new offer and a stored one.
    pub fn from_parts(parts: OfferParts<'_>, allow_private_hosts: bool) -> Result<Self, Error> {
        check_hosts(&parts)?;
        let (callback_host, ask) = match (parts.kind, parts.callback) {
            (ChannelKind::Funded, None) => return missing("callback"),
            (ChannelKind::Funded, Some(callback)) => {
                let callback = check_callback(callback, allow_private_hosts)?;
                let ask = Ask::Funded {
                    callback: Secret::new(callback.as_str()),
                    k1: opaque_k1(parts.k1)?,
                };
                (Some(host_of(&callback)), ask)
            }
            (ChannelKind::Hosted, None) => {
                let secret = hosted_secret(parts.k1)?;
                (None, Ask::Hosted { secret })
            }
            (ChannelKind::Hosted, Some(_)) => return invalid("a hosted channel has no callback"),
        };
        let peer = parse_node_uri(parts.uri).map_err(Error::InvalidResponse)?;
        check_peer_host(&peer, allow_private_hosts)?;
        let alias = parts.alias;
        let shown = ChannelOffer {
            kind: parts.kind,
            peer,
            service: parts.service.map(str::to_owned),
            answered_by: parts.answered_by.map(str::to_owned),
            callback_host,
            alias: alias.and_then(|alias| shown_alias(alias, &ask.own_secrets())),
        };
        Ok(Self { shown, ask })
    }
}

/// Which of several addresses of a node can be used, and are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerPolicy {
    pub allow_private_hosts: bool,
    /// Onion services are as good as others.
    pub has_proxy: bool,
}

/// Reads the service's answer. HTTP status and headers mean nothing (LUD-01).
///
/// `fetched_from` is the URL after redirects; a relative callback is relative to it.
pub fn parse_offer(
    body: &[u8],
    status: u16,
    lnurl: &Lnurl,
    fetched_from: &Url,
    peers: PeerPolicy,
) -> Result<Offer, Error> {
    let secrets =
        Secrets::new(Some(lnurl.as_url().as_str()), None, None).and_query_of(fetched_from.as_str());
    let answer = Object::parse(body)
        .map_err(|why| Error::InvalidResponse(unreadable(&why, body, status, &secrets)))?;
    let secrets = and_secrets_of(&answer, secrets);
    if is_refusal(&answer) {
        return Err(Error::Refused(words(&answer, &secrets)));
    }
    let tag = answer.trimmed("tag").unwrap_or_default();
    match tag.as_str() {
        // Web frameworks answer with an error of their own form instead of LNURL's.
        "" => Err(match words(&answer, &secrets) {
            Some(words) => Error::Refused(Some(words)),
            None => Error::InvalidResponse(unreadable("without a `tag`", body, status, &secrets)),
        }),
        FUNDED => parse_funded(&answer, lnurl, fetched_from, peers),
        HOSTED => parse_hosted(&answer, lnurl, fetched_from, &secrets, peers),
        other if OTHER_TAGS.contains(&other) => Err(Error::UnsupportedTag(tag)),
        _ => {
            let tag = presentable(&tag, &secrets, MAX_SHOWN_TAG);
            invalid(&format!("the answer has an unknown `tag`: {tag}"))
        }
    }
}

/// The hosted channel that an LNURL offers in its own query, if it does.
///
/// Nothing is fetched for it. It has no `service`, because the host of the LNURL vouches for nothing.
pub fn offer_in_query(lnurl: &Lnurl, allow_private_hosts: bool) -> Option<Result<Offer, Error>> {
    let url = lnurl.as_url();
    if query_value(url, "tag")? != HOSTED {
        return None;
    }
    let (uri, k1) = (query_value(url, "uri")?, query_value(url, "k1")?);
    let alias = query_value(url, "alias");
    Some(hosted_in_query(url, &uri, &k1, alias.as_deref(), allow_private_hosts).map_err(as_lnurl))
}

fn hosted_in_query(
    url: &Url,
    uri: &str,
    k1: &str,
    alias: Option<&str>,
    allow_private_hosts: bool,
) -> Result<Offer, Error> {
    for name in ["tag", "uri", "k1"] {
        if url.query_pairs().filter(|(key, _)| key == name).count() > 1 {
            return invalid(&format!("`{name}` stands twice in the query"));
        }
    }
    let uris = [uri.to_owned()];
    let peers = PeerPolicy {
        allow_private_hosts,
        has_proxy: false,
    };
    let parts = OfferParts {
        kind: ChannelKind::Hosted,
        service: None,
        answered_by: None,
        callback: None,
        uri: usable_uri(&uris, peers)?,
        alias,
        k1: trimmed(k1),
    };
    Offer::from_parts(parts, allow_private_hosts)
}

/// The offer came from the LNURL and from no answer, so the LNURL is what is wrong.
fn as_lnurl(error: Error) -> Error {
    match error {
        Error::InvalidResponse(reason) => Error::InvalidLnurl {
            problem: LnurlProblem::Damaged,
            reason,
        },
        other => other,
    }
}

fn query_value(url: &Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    let (_, value) = pairs.find(|(key, _)| key == name)?;
    Some(value.into_owned())
}

fn parse_funded(
    answer: &Object,
    lnurl: &Lnurl,
    fetched_from: &Url,
    peers: PeerPolicy,
) -> Result<Offer, Error> {
    let uris = answer.texts_or_text("uri");
    let uri = usable_uri(&uris, peers)?;
    let callback = answer.trimmed("callback");
    let callback = required(callback.filter(|text| !text.is_empty()), "callback")?;
    let k1 = required(answer.text_or_number("k1"), "k1")?;
    check_length(&callback)?;
    check_is_no_host(&callback)?;
    let callback = resolve(fetched_from, &callback).map_err(callback_problem)?;
    let answered_by = other_host(lnurl, fetched_from);
    let parts = OfferParts {
        kind: ChannelKind::Funded,
        service: Some(&lnurl.authority()),
        answered_by: answered_by.as_deref(),
        callback: Some(callback.as_str()),
        uri,
        alias: None,
        k1: &k1,
    };
    Offer::from_parts(parts, peers.allow_private_hosts)
}

fn parse_hosted(
    answer: &Object,
    lnurl: &Lnurl,
    fetched_from: &Url,
    secrets: &Secrets,
    peers: PeerPolicy,
) -> Result<Offer, Error> {
    let uris = answer.texts_or_text("uri");
    let uri = usable_uri(&uris, peers)?;
    let k1 = required(answer.trimmed("k1"), "k1")?;
    let alias = answer.text("alias");
    let alias = alias.and_then(|alias| shown_alias(&alias, secrets));
    let answered_by = other_host(lnurl, fetched_from);
    let parts = OfferParts {
        kind: ChannelKind::Hosted,
        service: Some(&lnurl.authority()),
        answered_by: answered_by.as_deref(),
        callback: None,
        uri,
        alias: alias.as_deref(),
        k1: &k1,
    };
    Offer::from_parts(parts, peers.allow_private_hosts)
}

/// The first node URI that can be used, of all that a service lists or joins in one text. If none can,
/// the first, whose problem is then found.
fn usable_uri(texts: &[String], peers: PeerPolicy) -> Result<&str, Error> {
    let joint = |c: char| c == ',' || c.is_whitespace();
    let uris = texts.iter().flat_map(|text| text.split(joint)).map(trimmed);
    let uris: Vec<&str> = uris.filter(|uri| !uri.is_empty()).take(MAX_URIS).collect();
    let [first, others @ ..] = &*uris else {
        return missing("uri");
    };
    let mut onion = None;
    for uri in if others.is_empty() { &[] } else { &*uris } {
        let Ok(peer) = parse_node_uri(uri) else {
            continue;
        };
        if check_peer_host(&peer, peers.allow_private_hosts).is_err() {
            continue;
        }
        if peers.has_proxy || !peer.is_onion() {
            return Ok(uri);
        }
        onion = onion.or(Some(uri));
    }
    Ok(onion.unwrap_or(first))
}

/// The host that answered, where it is not that of the LNURL.
fn other_host(lnurl: &Lnurl, fetched_from: &Url) -> Option<String> {
    let host = host_of(fetched_from);
    (host != lnurl.host()).then_some(host)
}

/// Adds the secrets that the answer itself holds: its other fields may repeat them.
fn and_secrets_of(answer: &Object, secrets: Secrets) -> Secrets {
    // Longer texts are refused later, so they become the secrets of no request.
    let callback = answer.trimmed("callback");
    let secrets = match callback.filter(|callback| callback.len() <= MAX_CALLBACK_BYTES) {
        Some(callback) => secrets.and_query_of(&callback),
        None => secrets,
    };
    let k1 = answer.text_or_number("k1");
    match k1.filter(|k1| k1.len() <= MAX_K1_BYTES) {
        Some(k1) => secrets.and(&k1),
        None => secrets,
    }
}

/// Refuses combinations of kind, service and answering host that no fetch can lead to.
fn check_hosts(parts: &OfferParts<'_>) -> Result<(), Error> {
    let hosts = [parts.service, parts.answered_by];
    if !hosts.into_iter().flatten().all(is_authority) {
        return invalid("the service is not a host");
    }
    match (parts.kind, parts.service, parts.answered_by) {
        (_, Some(_), None) | (ChannelKind::Funded, Some(_), Some(_)) => Ok(()),
        (ChannelKind::Hosted, None, None) => Ok(()),
        // By an open redirect on a trusted host, another host could use the trusted host's name.
        (ChannelKind::Hosted, Some(_), Some(_)) => invalid(
            "a hosted channel must be offered by the host of the LNURL, and another host answered",
        ),
        (ChannelKind::Funded, None, _) | (_, None, Some(_)) => invalid("the service is missing"),
    }
}

fn is_authority(text: &str) -> bool {
    let is_graphic = text.bytes().all(|b| b.is_ascii_graphic());
    (1..=MAX_AUTHORITY).contains(&text.len()) && is_graphic
}

fn check_length(callback: &str) -> Result<(), Error> {
    if callback.len() > MAX_CALLBACK_BYTES {
        return Err(Error::UnsafeUrl {
            problem: UrlProblem::Other,
            reason: "the callback is longer than 4 KiB".into(),
        });
    }
    Ok(())
}

/// Refuses what would be read as relative to the URL that was fetched, and is not meant so.
fn check_is_no_host(callback: &str) -> Result<(), Error> {
    let end = callback.find(['/', '?', '#']).unwrap_or(callback.len());
    let (segment, rest) = callback.split_at(end);
    let port = segment.split_once(':').map(|(_, port)| port);
    let has_port = port.is_some_and(|port| port.starts_with(|c: char| c.is_ascii_digit()));
    let is_host =
        segment.contains('.') && !segment.starts_with('.') && (has_port || rest.starts_with('/'));
    if is_host {
        return invalid("the callback: a host without its scheme");
    }
    if is_bech32(callback) {
        return invalid("the callback: an LNURL in its place");
    }
    Ok(())
}

fn check_callback(text: &str, allow_private_hosts: bool) -> Result<Url, Error> {
    check_length(text)?;
    let url = parse_url(text).map_err(callback_problem)?;
    check(&url, allow_private_hosts).map_err(in_callback)?;
    Ok(url)
}

fn callback_problem(bad: BadUrl) -> Error {
    in_callback(bad.into_error(Error::InvalidResponse))
}

/// Adds to the reason which URL it is about.
fn in_callback(error: Error) -> Error {
    match error {
        Error::UnsafeUrl { problem, reason } => Error::UnsafeUrl {
            problem,
            reason: format!("the callback: {reason}"),
        },
        Error::InvalidResponse(reason) => Error::InvalidResponse(format!("the callback: {reason}")),
        other => other,
    }
}

/// The `k1` of a funded offer. Its form means nothing: it goes back to the service as it came.
fn opaque_k1(k1: &str) -> Result<Secret, Error> {
    if k1.len() > MAX_K1_BYTES {
        return invalid("`k1` is longer than 1 KiB");
    }
    Ok(Secret::new(k1))
}

/// The bytes of a hosted offer's `k1`, which is hex.
fn hosted_secret(k1: &str) -> Result<Secret<Vec<u8>>, Error> {
    if k1.len() > 2 * MAX_HOSTED_SECRET_BYTES {
        return invalid("`k1` is longer than 128 bytes");
    }
    let secret = hex::decode(k1).or_else(|_| invalid("`k1` is not hex"))?;
    Ok(Secret::of_bytes(secret))
}

fn shown_alias(alias: &str, secrets: &Secrets) -> Option<String> {
    let alias = presentable(alias, secrets, MAX_ALIAS);
    (!alias.is_empty()).then_some(alias)
}

fn required(value: Option<String>, name: &str) -> Result<String, Error> {
    value.map_or_else(|| missing(name), Ok)
}

fn missing<T>(name: &str) -> Result<T, Error> {
    invalid(&format!("`{name}` is missing, empty, or not a string"))
}

fn invalid<T>(reason: &str) -> Result<T, Error> {
    Err(Error::InvalidResponse(reason.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::lnurl::decode;
    use super::super::vectors;
    use super::*;

    const URI: &str =
        "0331f80652fb840239df8dc99205792bba2e559a05469915804c08420230e23c7c@74.108.13.152:9735";

    const DIRECT: PeerPolicy = PeerPolicy {
        allow_private_hosts: false,
        has_proxy: false,
    };

    fn parse_bytes(body: &[u8], status: u16) -> Result<Offer, Error> {
        let lnurl = decode("lnurlc://service.com/c?q=topsecret").unwrap();
        let fetched_from = parse_url("https://service.com:8443/x/c?moved=elsewhere").unwrap();
        parse_offer(body, status, &lnurl, &fetched_from, DIRECT)
    }

    fn parse(body: &Value) -> Result<Offer, Error> {
        parse_bytes(body.to_string().as_bytes(), 200)
    }

    fn funded() -> Value {
        json!({"tag": FUNDED, "uri": URI, "callback": "https://api.service.com/cb", "k1": "none"})
    }

    fn hosted() -> Value {
        json!({"tag": HOSTED, "uri": URI, "k1": "abC123"})
    }

    fn with(mut body: Value, key: &str, value: impl Into<Value>) -> Value {
        body[key] = value.into();
        body
    }

    fn without(mut body: Value, key: &str) -> Value {
        body.as_object_mut().unwrap().remove(key);
        body
    }

    fn is_invalid(body: &Value) -> bool {
        matches!(parse(body), Err(Error::InvalidResponse(_)))
    }

    fn is_unsafe(body: &Value) -> bool {
        matches!(parse(body), Err(Error::UnsafeUrl { .. }))
    }

    #[test]
    fn offers_are_read_as_in_the_vectors() {
        for vector in vectors("offers") {
            let body = &vector["body"];
            let offer = parse(body).unwrap();
            assert_eq!(offer.shown.peer.to_uri(), body["uri"].as_str().unwrap());
            assert_eq!(offer.shown.service.as_deref(), Some("service.com"));
            assert_eq!(offer.shown.answered_by, None);
            assert_eq!(offer.shown.alias.as_deref(), body["alias"].as_str());
            assert_eq!(offer.ask.k1().expose(), body["k1"].as_str().unwrap());
            let callback = offer.ask.callback().map(Secret::expose);
            assert_eq!(callback, body["callback"].as_str());
            assert_eq!(offer.ask.kind(), offer.shown.kind);
        }
    }

    #[test]
    fn http_status_and_unknown_fields_mean_nothing() {
        let body = with(with(funded(), "status", "OK"), "more", json!([{}]));
        let mut bytes = "\u{feff}".as_bytes().to_vec();
        bytes.extend(body.to_string().into_bytes());
        let offer = parse_bytes(&bytes, 503).unwrap();
        assert_eq!(offer.shown.kind, ChannelKind::Funded);
        assert_eq!(
            offer.shown.callback_host.as_deref(),
            Some("api.service.com")
        );
    }

    #[test]
    fn a_funded_offer_has_uri_callback_and_k1() {
        for key in ["uri", "callback", "k1"] {
            for body in [without(funded(), key), with(funded(), key, Value::Null)] {
                let Err(Error::InvalidResponse(reason)) = parse(&body) else {
                    panic!("{body}");
                };
                assert!(reason.contains(key), "{reason}");
            }
            assert!(is_invalid(&with(funded(), key, json!(["x"]))));
        }
        assert!(is_invalid(&with(funded(), "uri", 5)));
        assert!(is_invalid(&with(funded(), "callback", 5)));
    }

    #[test]
    fn the_k1_of_a_funded_offer_is_opaque() {
        for k1 in ["", "none", "x&cancel=1", "ü 1", &"k".repeat(1024)] {
            let offer = parse(&with(funded(), "k1", k1)).unwrap();
            assert_eq!(offer.ask.k1().expose(), k1);
        }
        assert!(is_invalid(&with(funded(), "k1", "k".repeat(1025))));
        let number = funded()
            .to_string()
            .replace("\"none\"", "12345678901234567890.50");
        let offer = parse_bytes(number.as_bytes(), 200).unwrap();
        assert_eq!(offer.ask.k1().expose(), "12345678901234567890.50");
    }

    #[test]
    fn callbacks_are_resolved_and_checked() {
        for (callback, url) in [
            ("cb?x=%7e", "https://service.com:8443/x/cb?x=%7e"),
            ("/cb", "https://service.com:8443/cb"),
            (" \u{feff}/cb\n", "https://service.com:8443/cb"),
            ("?cb=1.2/x", "https://service.com:8443/x/c?cb=1.2/x"),
            ("./a.b/cb", "https://service.com:8443/x/a.b/cb"),
            ("../cb", "https://service.com:8443/cb"),
            (
                "cb.php?next=/x",
                "https://service.com:8443/x/cb.php?next=/x",
            ),
            ("cb/1.2/x", "https://service.com:8443/x/cb/1.2/x"),
            (
                "cb?to=a.b:80/x",
                "https://service.com:8443/x/cb?to=a.b:80/x",
            ),
            ("lnurl1/cb", "https://service.com:8443/x/lnurl1/cb"),
            ("lnurl/cb", "https://service.com:8443/x/lnurl/cb"),
            ("//api.service.com/cb", "https://api.service.com/cb"),
            ("\thttps://a.com/cb \n", "https://a.com/cb"),
            (
                "https://widget.other.com/cb?k1=2#f",
                "https://widget.other.com/cb?k1=2",
            ),
        ] {
            let offer = parse(&with(funded(), "callback", callback)).unwrap();
            assert_eq!(offer.ask.callback().unwrap().expose(), url);
        }
        for callback in [
            "http://service.com/cb",
            "https://u@service.com/cb",
            "https://127.1/cb",
            "//localhost./cb",
            "https://a.com:0/",
            "https://a.com\\@evil.com",
            "https://a.com/ cb",
            "lnurlc://a.com/cb",
            "http://expyuzz4wqqyqhjn.onion/",
            "ftp://a.com/",
        ] {
            assert!(
                is_unsafe(&with(funded(), "callback", callback)),
                "{callback}"
            );
        }
        for callback in [
            "https://",
            "https://a..b/",
            "https://a.com:x/",
            "",
            " \u{200b}\n",
            "svc.example/cb",
            " svc.example/",
            "svc.example:8443/cb",
            "svc.example:8443",
            "1.1.1.1/cb",
            "1.1.1.1:8443/cb",
            "lnurl1dp68gurn8ghj7cfwv4uxzmtsd3jj77q8dk0dd",
            " LNURL1DP68GURN8GHJ7CFWV4UXZMTSD3JJ77Q8DK0DD\n",
            "lightning:LNURL1DP68GURN8GHJ7CFWV4UXZMTSD3JJ77Q8DK0DD",
            "lnurl1dp68gurn8ghj7cfwv4uxzmtsd3jj77q8dk0dd?x=1",
        ] {
            assert!(
                is_invalid(&with(funded(), "callback", callback)),
                "{callback}"
            );
        }
        let longest = format!("https://a.com/{}", "x".repeat(4096 - 14));
        assert!(parse(&with(funded(), "callback", longest.as_str())).is_ok());
        assert!(is_unsafe(&with(
            funded(),
            "callback",
            format!("{longest}x")
        )));
        let grows = format!("https://a.com/{}", "ü".repeat(1000));
        assert!(is_unsafe(&with(funded(), "callback", grows)));
    }

    #[test]
    fn callbacks_are_read_as_in_the_vectors() {
        for vector in vectors("callbacks") {
            let fetched_from = vector["fetched_from"].as_str().unwrap();
            let lnurl = Lnurl::from_url(fetched_from).unwrap();
            let body = with(funded(), "callback", vector["callback"].clone()).to_string();
            let offer = parse_offer(body.as_bytes(), 200, &lnurl, lnurl.as_url(), DIRECT);
            match vector["error"].as_str() {
                Some("InvalidResponse") => {
                    assert!(matches!(offer, Err(Error::InvalidResponse(_))), "{vector}");
                }
                None => {
                    let ask = offer.unwrap().ask;
                    assert_eq!(ask.callback().map(Secret::expose), vector["url"].as_str());
                }
                Some(other) => panic!("{other}"),
            }
        }
    }

    #[test]
    fn node_uris_are_read_as_in_the_vectors() {
        for vector in vectors("node_uris") {
            let body = with(funded(), "uri", vector["uri"].clone()).to_string();
            let lnurl = decode("lnurlc://service.com/c").unwrap();
            let allow_private_hosts = vector["allow_private"].as_bool().unwrap_or(false);
            let offer = parse_offer(
                body.as_bytes(),
                200,
                &lnurl,
                lnurl.as_url(),
                PeerPolicy {
                    allow_private_hosts,
                    ..DIRECT
                },
            );
            match (vector["error"].as_str(), vector["problem"].as_str()) {
                (Some("UnsafeUrl"), Some("PrivateAddress")) => {
                    let Err(Error::UnsafeUrl { problem, .. }) = offer else {
                        panic!("{vector}");
                    };
                    assert_eq!(problem, UrlProblem::PrivateAddress);
                }
                (None, None) => {
                    let peer = offer.unwrap().shown.peer;
                    assert_eq!(peer.host, vector["host"].as_str().unwrap());
                    assert_eq!(Some(u64::from(peer.port)), vector["port"].as_u64());
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn of_several_uris_the_first_that_can_be_used_is_taken() {
        const ONION: &str = "juhanurmihxlp77nkq76byazcldy2hlmovfu2epvl5ankdibsot4csyd.onion";
        let id = URI.split('@').next().unwrap();
        let uri = |host: &str| format!("{id}@{host}");
        let (onion, local) = (uri(ONION), uri("10.0.0.1"));
        let (clear, other) = (uri("a.com"), uri("b.com:1"));
        let host = |uris: &Value, has_proxy| {
            let body = with(hosted(), "uri", uris.clone()).to_string();
            let lnurl = decode("lnurlc://service.com/c").unwrap();
            let peers = PeerPolicy {
                allow_private_hosts: false,
                has_proxy,
            };
            parse_offer(body.as_bytes(), 200, &lnurl, lnurl.as_url(), peers)
                .map(|offer| offer.shown.peer.host)
        };
        for (uris, without_proxy, with_proxy) in [
            (json!([onion, clear]), "a.com", ONION),
            (json!([clear, onion]), "a.com", "a.com"),
            (json!([onion]), ONION, ONION),
            (json!([local, "node", 7, {}, onion]), ONION, ONION),
            (json!(format!("{onion},{clear}")), "a.com", ONION),
            (
                json!(format!(" {onion} , {clear}\n{other}")),
                "a.com",
                ONION,
            ),
            (
                json!(format!("{local};\t\u{feff}{other}\u{200b},")),
                "b.com",
                "b.com",
            ),
            (json!([format!("{local},{other}"), clear]), "b.com", "b.com"),
        ] {
            assert_eq!(host(&uris, false).as_deref(), Ok(without_proxy), "{uris}");
            assert_eq!(host(&uris, true).as_deref(), Ok(with_proxy), "{uris}");
        }
        for (uris, is_unsafe) in [
            (json!([local, "node"]), true),
            (json!(format!("node,{local}")), false),
            (json!([]), false),
            (json!([7]), false),
            (json!(" ,\n"), false),
            (json!([[clear]]), false),
            (json!({"uri": clear}), false),
        ] {
            let found = host(&uris, false);
            match found {
                Err(Error::UnsafeUrl { .. }) => assert!(is_unsafe, "{uris}"),
                Err(Error::InvalidResponse(_)) => assert!(!is_unsafe, "{uris}"),
                other => panic!("{uris} {other:?}"),
            }
        }
    }

    #[test]
    fn peers_are_checked() {
        for body in [funded(), hosted()] {
            assert!(is_invalid(&with(body.clone(), "uri", "node")));
            assert!(is_invalid(&with(
                body.clone(),
                "uri",
                URI.replacen("03", "04", 1)
            )));
            assert!(is_unsafe(&with(
                body,
                "uri",
                URI.replace("74.108.13.152", "10.0.0.1")
            )));
        }
    }

    #[test]
    fn the_k1_of_a_hosted_offer_is_hex() {
        let offer = parse(&hosted()).unwrap();
        assert_eq!(offer.shown.kind, ChannelKind::Hosted);
        assert_eq!(
            (offer.ask.callback(), offer.shown.callback_host.as_ref()),
            (None, None)
        );
        let secret = Secret::of_bytes(vec![0xab, 0xc1, 0x23]);
        assert_eq!(offer.ask, Ask::Hosted { secret });
        assert_eq!(offer.ask.k1().expose(), "abc123");
        for k1 in ["", " abC123\n\u{feff}", &"0f".repeat(128)] {
            assert!(parse(&with(hosted(), "k1", k1)).is_ok(), "{k1}");
        }
        for k1 in ["abc", "none", "0x00", "é", &"0f".repeat(129)] {
            assert!(is_invalid(&with(hosted(), "k1", k1)), "{k1}");
        }
        assert!(is_invalid(&without(hosted(), "k1")));
        assert!(is_invalid(&with(hosted(), "k1", 1234)));
        assert!(is_invalid(&without(hosted(), "uri")));
    }

    #[test]
    fn aliases_are_cleaned_and_hide_secrets() {
        for (alias, shown) in [
            (json!("Te\u{202e}st\nNode\0"), Some("Test Node")),
            (
                json!("host of topsecret, elsewhere, ABC123"),
                Some("host of …, …, …"),
            ),
            (json!(" \u{200b} "), None),
            (json!(""), None),
            (json!(7), None),
            (Value::Null, None),
        ] {
            let offer = parse(&with(hosted(), "alias", alias)).unwrap();
            assert_eq!(offer.shown.alias.as_deref(), shown);
        }
        let long = parse(&with(hosted(), "alias", "ü".repeat(65))).unwrap();
        assert_eq!(long.shown.alias.unwrap().chars().count(), 64);
    }

    #[test]
    fn tags_are_matched_exactly() {
        for tag in OTHER_TAGS {
            let answer = parse(&with(funded(), "tag", tag));
            assert_eq!(answer, Err(Error::UnsupportedTag(tag.into())));
        }
        for tag in [
            "ChannelRequest",
            "channelrequest",
            "channel Request",
            "",
            "Login",
            "new",
        ] {
            assert!(is_invalid(&with(funded(), "tag", tag)), "{tag}");
        }
        for tag in [" channelRequest\n", "\u{feff}channelRequest\u{200b}"] {
            assert!(parse(&with(funded(), "tag", tag)).is_ok(), "{tag}");
        }
        assert!(is_invalid(&with(funded(), "tag", 1)));
        assert!(is_invalid(&without(funded(), "tag")));
        let Err(Error::InvalidResponse(reason)) = parse(&json!({"tag": "topsecret\u{202e}"}))
        else {
            panic!();
        };
        assert!(reason.ends_with(": …"), "{reason}");
    }

    #[test]
    fn refusals_carry_the_words_of_the_service() {
        for (body, words) in [
            (
                json!({"status": "ERROR", "reason": "no topsecret"}),
                Some("no …"),
            ),
            (
                json!({"detail": "no sesame", "callback": "https://a.com/?t=sesame"}),
                Some("no …"),
            ),
            (with(funded(), "status", "error"), None),
            (
                json!({"detail": "k1 4711 is gone", "k1": 4711}),
                Some("k1 … is gone"),
            ),
            (json!({"message": "gone"}), Some("gone")),
            (json!({"error": "gone"}), Some("gone")),
            (json!({"reason": "gone"}), Some("gone")),
            (
                json!({"tag": " ", "errors": [{"msg": "gone"}]}),
                Some("gone"),
            ),
            (
                json!({"status": 404, "error": {"message": "gone"}}),
                Some("gone"),
            ),
            (with(funded(), "status", " Error\n"), None),
        ] {
            let words = words.map(str::to_owned);
            assert_eq!(parse(&body), Err(Error::Refused(words)), "{body}");
        }
        let Err(Error::InvalidResponse(reason)) = parse(&json!({"more": "topsecret"})) else {
            panic!();
        };
        let expected = "the answer (HTTP status 200) is without a `tag`: {\"more\":\"…\"}";
        assert_eq!(reason, expected);
    }

    #[test]
    fn an_answer_that_is_no_json_object_is_shown_in_part() {
        let answer = parse_bytes(b"<html>\n<b>topsecret elsewhere</b>", 502);
        let reason = "the answer (HTTP status 502) is not a JSON object: <html> <b>… …</b>";
        assert_eq!(answer, Err(Error::InvalidResponse(reason.into())));
        let twice = funded().to_string().replacen('{', r#"{"k1":"a","#, 1);
        assert!(matches!(
            parse_bytes(twice.as_bytes(), 200),
            Err(Error::InvalidResponse(_))
        ));
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(20), "]".repeat(20));
        assert!(matches!(
            parse_bytes(deep.as_bytes(), 200),
            Err(Error::InvalidResponse(_))
        ));
    }

    #[test]
    fn the_host_that_answered_is_shown_where_it_differs() {
        let answered_by = |lnurl: &str, fetched_from: &str, body: &Value| {
            let fetched_from = parse_url(fetched_from).unwrap();
            let body = body.to_string();
            let lnurl = decode(lnurl).unwrap();
            parse_offer(body.as_bytes(), 200, &lnurl, &fetched_from, DIRECT)
                .map(|offer| (offer.shown.service.unwrap(), offer.shown.answered_by))
        };
        for (lnurl, fetched_from, service, other) in [
            ("lnurlc://a.com/c", "https://a.com/c", "a.com", None),
            ("lnurlc://A.com:81/c", "https://a.com/c", "a.com:81", None),
            ("lnurlc://a.com./c", "https://a.com:82/c", "a.com", None),
            (
                "lnurlc://a.com:81/c",
                "https://B.com.:82/c",
                "a.com:81",
                Some("b.com"),
            ),
        ] {
            let expected = Ok((service.to_owned(), other.map(str::to_owned)));
            assert_eq!(answered_by(lnurl, fetched_from, &funded()), expected);
            let hosted = answered_by(lnurl, fetched_from, &hosted());
            match other {
                None => assert_eq!(hosted, expected, "{lnurl} {fetched_from}"),
                Some(_) => {
                    let reason = "a hosted channel must be offered by the host of the LNURL, \
                                  and another host answered";
                    assert_eq!(hosted, Err(Error::InvalidResponse(reason.into())));
                }
            }
        }
    }

    #[test]
    fn stored_parts_pass_the_same_checks() {
        let (longest_service, long_service) = ("s".repeat(261), "s".repeat(262));
        let long_k1 = "k".repeat(1025);
        for body in [funded(), with(hosted(), "alias", "Node")] {
            let offer = parse(&body).unwrap();
            let (uri, k1) = (offer.shown.peer.to_uri(), offer.ask.k1());
            let parts = OfferParts {
                kind: offer.ask.kind(),
                service: Some("service.com"),
                answered_by: None,
                callback: offer.ask.callback().map(Secret::expose),
                uri: &uri,
                alias: offer.shown.alias.as_deref(),
                k1: k1.expose(),
            };
            let is_fine = |parts| Offer::from_parts(parts, false).is_ok();
            let from = |service| OfferParts {
                service: Some(service),
                ..parts
            };
            assert_eq!(Offer::from_parts(parts, false).as_ref(), Ok(&offer));
            assert!(is_fine(from(&longest_service)));
            for service in [&long_service, "", "service.com\u{202e}"] {
                assert!(!is_fine(from(service)), "{service}");
            }
            let is_funded = parts.kind == ChannelKind::Funded;
            let redirected = OfferParts {
                answered_by: Some("other.com"),
                ..parts
            };
            assert_eq!(is_fine(redirected), is_funded);
            let without_service = OfferParts {
                service: None,
                ..parts
            };
            assert_eq!(is_fine(without_service), !is_funded);
            for wrong in [
                OfferParts {
                    answered_by: Some(""),
                    ..parts
                },
                OfferParts {
                    service: None,
                    ..redirected
                },
                OfferParts {
                    uri: "node",
                    ..parts
                },
                OfferParts {
                    callback: Some("http://a.com/"),
                    ..parts
                },
                OfferParts {
                    callback: (!is_funded).then_some("https://a.com/"),
                    ..parts
                },
                OfferParts {
                    k1: &long_k1,
                    ..parts
                },
            ] {
                assert!(!is_fine(wrong));
            }
        }
    }

    #[test]
    fn the_secrets_of_an_ask_are_those_of_lnurl_callback_and_k1() {
        let lnurl = Secret::new("https://service.com/c?q=topsecret");
        let callback = "https://a.com/?t=quiet";
        let k1 = hex::encode("swordfish");
        for (body, text, shown) in [
            (
                with(with(funded(), "callback", callback), "k1", "hush"),
                "topsecret, quiet, hush",
                "…, …, …",
            ),
            (
                with(hosted(), "k1", k1.to_uppercase()),
                &*format!("topsecret, {k1}, {}, swordfish", k1.to_uppercase()),
                "…, …, …, …",
            ),
        ] {
            let secrets = parse(&body).unwrap().ask.secrets(&lnurl);
            assert_eq!(presentable(text, &secrets, 100), shown);
        }
    }

    /// A service chooses both the text and its secrets, and must not be able to keep the wallet busy.
    #[test]
    #[cfg_attr(miri, ignore = "too long a text for an interpreter")]
    fn the_slowest_answer_is_searched_in_little_time() {
        let query = vec!["aaaa=aaaaaaab"; 500].join("&");
        let body = json!({
            "status": "ERROR",
            "callback": format!("https://a.com/?{}", &query[..4000]),
            "k1": "a".repeat(1000),
            "reason": "a".repeat(50_000),
        });
        let fetched_from = parse_url(&format!("https://a.com/?{query}")).unwrap();
        let lnurl = decode("lnurlc://service.com/c").unwrap();
        let start = std::time::Instant::now();
        let parsed = parse_offer(
            body.to_string().as_bytes(),
            200,
            &lnurl,
            &fetched_from,
            DIRECT,
        );
        assert!(matches!(parsed, Err(Error::Refused(Some(_)))));
        assert!(start.elapsed().as_secs() < 3, "{:?}", start.elapsed());
    }

    #[test]
    fn debug_shows_no_secret() {
        let body = with(funded(), "callback", "https://a.com/?t=quiet");
        let funded = format!("{:?}", parse(&with(body, "k1", "hush")).unwrap());
        assert!(
            !funded.contains("hush") && !funded.contains("quiet"),
            "{funded}"
        );
        let hosted = format!("{:?}", parse(&hosted()).unwrap());
        assert!(
            hosted.ends_with("ask: Hosted { secret: Secret(…) } }"),
            "{hosted}"
        );
    }

    #[test]
    fn an_lnurl_may_hold_a_hosted_offer_in_its_query() {
        let offer = |query: &str| {
            let lnurl = decode(&format!("lnurlc://service.com/?{query}")).unwrap();
            offer_in_query(&lnurl, false)
        };
        let id = URI.split('@').next().unwrap();
        let query = format!("tag={HOSTED}&uri={id}%40node.example:1&k1=00ff&alias=My+Node");
        let found = offer(&query).unwrap().unwrap();
        let shown = &found.shown;
        assert_eq!((&shown.service, &shown.answered_by), (&None, &None));
        assert_eq!(found.shown.alias.as_deref(), Some("My Node"));
        assert_eq!(
            (found.shown.peer.port, found.ask.k1().expose()),
            (1, "00ff")
        );
        for query in [
            format!("tag={HOSTED}&uri={URI}"),
            format!("tag={HOSTED}&k1=00"),
            format!("tag={FUNDED}&uri={URI}&k1=00"),
            format!("uri={URI}&k1=00"),
        ] {
            assert!(offer(&query).is_none(), "{query}");
        }
        for query in [
            format!("tag={HOSTED}&uri={URI}&k1=none"),
            format!("tag={HOSTED}&uri=node&k1=00"),
            format!("{query}&k1=01"),
        ] {
            let Some(Err(Error::InvalidLnurl { problem, .. })) = offer(&query) else {
                panic!("{query}");
            };
            assert_eq!(problem, LnurlProblem::Damaged, "{query}");
        }
        let private = format!("tag={HOSTED}&uri={id}@127.0.0.1&k1=00");
        let Some(Err(Error::UnsafeUrl { problem, .. })) = offer(&private) else {
            panic!();
        };
        assert_eq!(problem, UrlProblem::PrivateAddress);
    }
}
