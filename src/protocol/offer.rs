//! The answer to the first GET: what a service offers.

use url::Url;

use super::Error;
use super::answer::{complaint, refusal, unreadable};
use super::json::Object;
use super::lnurl::{Lnurl, OTHER_TAGS};
use super::node_uri::{PeerAddress, check_peer_host, parse_node_uri};
use super::text::{Secret, Secrets, presentable};
use super::url_policy::{MAX_CALLBACK_BYTES, UrlProblem, check, host_of, parse_url, resolve};

const FUNDED: &str = "channelRequest";
const HOSTED: &str = "hostedChannelRequest";

const MAX_K1_BYTES: usize = 1024;
const MAX_HOSTED_SECRET_BYTES: usize = 128;
const MAX_ALIAS: usize = 64;
const MAX_SHOWN_TAG: usize = 40;
const MAX_HOST: usize = 255;

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
    pub kind: ChannelKind,
    /// Host name of the LNURL. Ask the user to agree to this one.
    ///
    /// Of an offer that stands in the LNURL itself, and was fetched from nobody, the peer's host.
    pub service: String,
    /// Host name that the request is sent to, which may differ from `service`; none when hosted.
    pub callback_host: Option<String>,
    /// The node that opens or hosts the channel.
    pub peer: PeerAddress,
    /// The name the host gives itself. Untrusted; control characters are removed.
    pub alias: Option<String>,
}

/// An offer with what it takes to answer it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub shown: ChannelOffer,
    pub k1: Secret,
    /// Where a funded channel is asked for; none when hosted.
    pub callback: Option<Secret>,
}

impl Offer {
    /// Puts an offer together from its parts, fresh or stored, under the same checks.
    pub fn from_parts(
        kind: ChannelKind,
        service: &str,
        callback: Option<&str>,
        uri: &str,
        alias: Option<&str>,
        k1: &str,
        allow_private_hosts: bool,
    ) -> Result<Self, Error> {
        check_service(service)?;
        let callback = match (kind, callback) {
            (ChannelKind::Funded, Some(text)) => Some(check_callback(text, allow_private_hosts)?),
            (ChannelKind::Funded, None) => return missing("callback"),
            (ChannelKind::Hosted, None) => None,
            (ChannelKind::Hosted, Some(_)) => return invalid("a hosted channel has no callback"),
        };
        let peer = parse_node_uri(uri).map_err(Error::InvalidResponse)?;
        check_peer_host(&peer, allow_private_hosts)?;
        check_k1(kind, k1)?;
        let mut secrets = Secrets::new(None, callback.as_ref().map(Url::as_str), Some(k1));
        if kind == ChannelKind::Hosted {
            secrets = secrets.and_spelled_by(k1);
        }
        let shown = ChannelOffer {
            kind,
            service: service.to_owned(),
            callback_host: callback.as_ref().map(host_of),
            peer,
            alias: alias.and_then(|alias| shown_alias(alias, &secrets)),
        };
        Ok(Self {
            shown,
            k1: Secret::new(k1),
            callback: callback.map(Secret::new),
        })
    }
}

/// Reads the service's answer. Neither HTTP status nor headers count (LUD-01).
///
/// `fetched_from` is the URL after redirects; a relative callback is relative to it.
pub fn parse_offer(
    body: &[u8],
    status: u16,
    lnurl: &Lnurl,
    fetched_from: &Url,
    allow_private_hosts: bool,
) -> Result<Offer, Error> {
    let secrets =
        Secrets::new(Some(lnurl.as_url().as_str()), None, None).and_query_of(fetched_from.as_str());
    let answer = Object::parse(body)
        .map_err(|why| Error::InvalidResponse(unreadable(&why, body, status, &secrets)))?;
    let secrets = and_secrets_of(&answer, secrets);
    if let Some(reason) = refusal(&answer, &secrets) {
        return Err(Error::Refused(reason));
    }
    let Some(tag) = answer.text("tag") else {
        return Err(without_tag(&answer, status, &secrets));
    };
    match tag.as_str() {
        FUNDED => parse_funded(&answer, lnurl, fetched_from, allow_private_hosts),
        HOSTED => parse_hosted(&answer, lnurl, &secrets, allow_private_hosts),
        other if OTHER_TAGS.contains(&other) => Err(Error::UnsupportedTag(tag)),
        _ => {
            let tag = presentable(&tag, &secrets, MAX_SHOWN_TAG);
            invalid(&format!("the answer has an unknown `tag`: {tag}"))
        }
    }
}

/// The offer of a hosted channel that an LNURL may hold in its own query.
///
/// Nobody is asked for it, and the LNURL's host vouches for nothing: the peer's is the service.
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
    let peer = parse_node_uri(uri).map_err(Error::InvalidResponse)?;
    let (kind, host) = (ChannelKind::Hosted, &peer.host);
    Offer::from_parts(kind, host, None, uri, alias, k1, allow_private_hosts)
}

/// Where nobody answered, it is the LNURL that is wrong.
fn as_lnurl(error: Error) -> Error {
    match error {
        Error::InvalidResponse(reason) => Error::InvalidLnurl(reason),
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
    allow_private_hosts: bool,
) -> Result<Offer, Error> {
    let uri = required(answer.text("uri"), "uri")?;
    let callback = required(answer.text("callback"), "callback")?;
    let k1 = required(answer.text_or_number("k1"), "k1")?;
    check_length(&callback)?;
    let callback = resolve(fetched_from, &callback).map_err(callback_problem)?;
    Offer::from_parts(
        ChannelKind::Funded,
        &lnurl.host(),
        Some(callback.as_str()),
        &uri,
        None,
        &k1,
        allow_private_hosts,
    )
}

fn parse_hosted(
    answer: &Object,
    lnurl: &Lnurl,
    secrets: &Secrets,
    allow_private_hosts: bool,
) -> Result<Offer, Error> {
    let uri = required(answer.text("uri"), "uri")?;
    let k1 = required(answer.text("k1"), "k1")?;
    let alias = answer.text("alias");
    let alias = alias.and_then(|alias| shown_alias(&alias, secrets));
    Offer::from_parts(
        ChannelKind::Hosted,
        &lnurl.host(),
        None,
        &uri,
        alias.as_deref(),
        &k1,
        allow_private_hosts,
    )
}

/// An answer's own secrets, which its other fields may echo.
fn and_secrets_of(answer: &Object, secrets: Secrets) -> Secrets {
    // What is longer is refused, and so no secret of any request.
    let callback = answer.text("callback");
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

/// What services built on web frameworks answer instead of LNURL's own error.
fn without_tag(answer: &Object, status: u16, secrets: &Secrets) -> Error {
    match complaint(answer, secrets) {
        Some(complaint) => Error::Refused(complaint),
        None => Error::InvalidResponse(format!("the answer (HTTP status {status}) has no `tag`")),
    }
}

fn check_service(service: &str) -> Result<(), Error> {
    let is_host = service.bytes().all(|b| b.is_ascii_graphic());
    if service.is_empty() || service.len() > MAX_HOST || !is_host {
        return invalid("the service is not a host");
    }
    Ok(())
}

fn check_length(callback: &str) -> Result<(), Error> {
    if callback.len() > MAX_CALLBACK_BYTES {
        return Err(Error::UnsafeUrl("the callback is longer than 4 KiB".into()));
    }
    Ok(())
}

fn check_callback(text: &str, allow_private_hosts: bool) -> Result<Url, Error> {
    check_length(text)?;
    let url = parse_url(text).map_err(callback_problem)?;
    check(&url, allow_private_hosts).map_err(in_callback)?;
    Ok(url)
}

fn callback_problem(problem: UrlProblem) -> Error {
    in_callback(problem.into_error(Error::InvalidResponse))
}

/// Says which of the URLs in play it is about.
fn in_callback(error: Error) -> Error {
    match error {
        Error::UnsafeUrl(reason) => Error::UnsafeUrl(format!("the callback: {reason}")),
        Error::InvalidResponse(reason) => Error::InvalidResponse(format!("the callback: {reason}")),
        other => other,
    }
}

/// Opaque to the wallet, except when hosted: then it is sent to the peer as bytes.
fn check_k1(kind: ChannelKind, k1: &str) -> Result<(), Error> {
    match kind {
        ChannelKind::Funded if k1.len() > MAX_K1_BYTES => invalid("`k1` is longer than 1 KiB"),
        ChannelKind::Funded => Ok(()),
        ChannelKind::Hosted if k1.len() > 2 * MAX_HOSTED_SECRET_BYTES => {
            invalid("`k1` is longer than 128 bytes")
        }
        ChannelKind::Hosted if hex::decode(k1).is_err() => invalid("`k1` is not hex"),
        ChannelKind::Hosted => Ok(()),
    }
}

fn shown_alias(alias: &str, secrets: &Secrets) -> Option<String> {
    let alias = presentable(alias, secrets, MAX_ALIAS);
    (!alias.is_empty()).then_some(alias)
}

fn required(value: Option<String>, name: &str) -> Result<String, Error> {
    value.map_or_else(|| missing(name), Ok)
}

fn missing<T>(name: &str) -> Result<T, Error> {
    invalid(&format!("`{name}` is missing, or not a string"))
}

fn invalid<T>(reason: &str) -> Result<T, Error> {
    Err(Error::InvalidResponse(reason.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::lnurl::decode;
    use super::*;

    const VECTORS: &str = include_str!("../../tests/vectors.json");
    const URI: &str =
        "0331f80652fb840239df8dc99205792bba2e559a05469915804c08420230e23c7c@74.108.13.152:9735";

    fn parse_bytes(body: &[u8], status: u16) -> Result<Offer, Error> {
        let lnurl = decode("lnurlc://service.com/c?q=topsecret").unwrap();
        let fetched_from = parse_url("https://www.service.com/x/c?moved=elsewhere").unwrap();
        parse_offer(body, status, &lnurl, &fetched_from, false)
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
        matches!(parse(body), Err(Error::UnsafeUrl(_)))
    }

    #[test]
    fn reads_the_vectors() {
        let all: Value = serde_json::from_str(VECTORS).unwrap();
        for vector in all["offers"].as_array().unwrap() {
            let body = &vector["body"];
            let offer = parse(body).unwrap();
            assert_eq!(offer.shown.peer.to_uri(), body["uri"].as_str().unwrap());
            assert_eq!(offer.shown.service, "service.com");
            assert_eq!(offer.shown.alias.as_deref(), body["alias"].as_str());
            assert_eq!(offer.k1.expose(), body["k1"].as_str().unwrap());
            let callback = offer.callback.as_ref().map(Secret::expose);
            assert_eq!(callback, body["callback"].as_str());
        }
    }

    #[test]
    fn status_and_unknown_fields_mean_nothing() {
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
    fn a_funded_offer_names_all_three() {
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
    fn k1_is_opaque() {
        for k1 in ["", "none", "x&cancel=1", "ü 1", &"k".repeat(1024)] {
            assert_eq!(parse(&with(funded(), "k1", k1)).unwrap().k1.expose(), k1);
        }
        assert!(is_invalid(&with(funded(), "k1", "k".repeat(1025))));
        let number = funded()
            .to_string()
            .replace("\"none\"", "12345678901234567890.50");
        let offer = parse_bytes(number.as_bytes(), 200).unwrap();
        assert_eq!(offer.k1.expose(), "12345678901234567890.50");
    }

    #[test]
    fn callbacks() {
        for (callback, url) in [
            ("cb?x=%7e", "https://www.service.com/x/cb?x=%7e"),
            ("/cb", "https://www.service.com/cb"),
            (
                "https://widget.other.com/cb?k1=2#f",
                "https://widget.other.com/cb?k1=2",
            ),
        ] {
            let offer = parse(&with(funded(), "callback", callback)).unwrap();
            assert_eq!(offer.callback.unwrap().expose(), url);
        }
        for callback in [
            "http://service.com/cb",
            "https://u@service.com/cb",
            "https://127.1/cb",
            "//localhost./cb",
            "https://a.com:0/",
            "https://a.com\\@evil.com",
            " https://a.com/",
            "http://expyuzz4wqqyqhjn.onion/",
            "ftp://a.com/",
        ] {
            assert!(
                is_unsafe(&with(funded(), "callback", callback)),
                "{callback}"
            );
        }
        for callback in ["https://", "https://a..b/", "https://a.com:x/"] {
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
    fn peers() {
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
    fn hosted_offers() {
        let offer = parse(&hosted()).unwrap();
        assert_eq!(offer.shown.kind, ChannelKind::Hosted);
        assert_eq!(
            (offer.callback.as_ref(), offer.shown.callback_host.as_ref()),
            (None, None)
        );
        assert_eq!(offer.k1.expose(), "abC123");
        for k1 in ["", &"0f".repeat(128)] {
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
    fn aliases_are_untrusted() {
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
    fn tags() {
        for tag in OTHER_TAGS {
            let answer = parse(&with(funded(), "tag", tag));
            assert_eq!(answer, Err(Error::UnsupportedTag(tag.into())));
        }
        for tag in [
            "ChannelRequest",
            "channelrequest",
            "channelRequest ",
            "",
            "Login",
            "new",
        ] {
            assert!(is_invalid(&with(funded(), "tag", tag)), "{tag}");
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
    fn refusals() {
        for (body, reason) in [
            (json!({"status": "ERROR", "reason": "no topsecret"}), "no …"),
            (
                json!({"detail": "no sesame", "callback": "https://a.com/?t=sesame"}),
                "no …",
            ),
            (
                with(funded(), "status", "error"),
                "the service gave no reason",
            ),
            (
                json!({"detail": "k1 4711 is gone", "k1": 4711}),
                "k1 … is gone",
            ),
            (json!({"message": "gone"}), "gone"),
            (json!({"error": "gone"}), "gone"),
        ] {
            assert_eq!(parse(&body), Err(Error::Refused(reason.into())), "{body}");
        }
        assert!(is_invalid(&json!({"reason": "gone"})));
        assert!(is_invalid(&json!({})));
    }

    #[test]
    fn what_is_no_object_is_shown_in_part() {
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
    fn stored_parts_pass_the_same_checks() {
        for body in [funded(), with(hosted(), "alias", "Node")] {
            let offer = parse(&body).unwrap();
            let shown = &offer.shown;
            let from = |service, callback, uri, k1| {
                let alias = shown.alias.as_deref();
                Offer::from_parts(shown.kind, service, callback, uri, alias, k1, false)
            };
            let (uri, k1) = (shown.peer.to_uri(), offer.k1.expose());
            let long_k1 = "k".repeat(1025);
            let (longest_name, long_name) = ("s".repeat(255), "s".repeat(256));
            let callback = offer.callback.as_ref().map(Secret::expose);
            assert_eq!(from("service.com", callback, &uri, k1).as_ref(), Ok(&offer));
            assert!(from("service.com\u{202e}", callback, &uri, k1).is_err());
            assert!(from("", callback, &uri, k1).is_err());
            assert!(from(&longest_name, callback, &uri, k1).is_ok());
            assert!(from(&long_name, callback, &uri, k1).is_err());
            assert!(from("service.com", callback, "node", k1).is_err());
            assert!(from("service.com", Some("http://a.com/"), &uri, k1).is_err());
            assert!(from("service.com", callback, &uri, &long_k1).is_err());
            let other = callback.is_none().then_some("https://a.com/");
            assert!(from("service.com", other, &uri, k1).is_err());
        }
    }

    /// Strangers choose the text and what is a secret in it; the search must not be their lever.
    #[test]
    #[cfg_attr(miri, ignore = "too long a text for an interpreter")]
    fn an_answer_made_to_be_slow_is_no_trouble() {
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
            false,
        );
        assert!(matches!(parsed, Err(Error::Refused(_))));
        assert!(start.elapsed().as_secs() < 3, "{:?}", start.elapsed());
    }

    #[test]
    fn debug_shows_no_secret() {
        let body = with(funded(), "callback", "https://a.com/?t=quiet");
        let printed = format!("{:?}", parse(&with(body, "k1", "hush")).unwrap());
        assert!(
            !printed.contains("hush") && !printed.contains("quiet"),
            "{printed}"
        );
    }

    #[test]
    fn offers_in_the_query() {
        let offer = |query: &str| {
            let lnurl = decode(&format!("lnurlc://service.com/?{query}")).unwrap();
            offer_in_query(&lnurl, false)
        };
        let id = URI.split('@').next().unwrap();
        let query = format!("tag={HOSTED}&uri={id}%40node.example:1&k1=00ff&alias=My+Node");
        let found = offer(&query).unwrap().unwrap();
        assert_eq!(found.shown.service, "node.example");
        assert_eq!(found.shown.alias.as_deref(), Some("My Node"));
        assert_eq!((found.shown.peer.port, found.k1.expose()), (1, "00ff"));
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
            assert!(
                matches!(offer(&query), Some(Err(Error::InvalidLnurl(_)))),
                "{query}"
            );
        }
        let private = format!("tag={HOSTED}&uri={id}@127.0.0.1&k1=00");
        assert!(matches!(offer(&private), Some(Err(Error::UnsafeUrl(_)))));
    }
}
