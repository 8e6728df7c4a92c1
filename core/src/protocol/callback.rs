//! The one request that asks a service for the channel, or cancels it (LUD-02), and its answer.

use super::answer::{excerpt, is_refusal, words};
use super::json::Object;
use super::secrets::Secrets;
use super::text::{percent_decode, percent_encode};

/// The parameters that the wallet sets.
const OUR_KEYS: [&[u8]; 4] = [b"k1", b"remoteid", b"private", b"cancel"];

/// Whether a funded channel is announced to the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChannelVisibility {
    /// Known to its two ends only (`private=1`). Right for a phone.
    Unannounced,
    /// Announced in gossip (`private=0`).
    Announced,
}

/// What the service answers. Texts are cleaned, and secrets in them are hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It agreed. That is not a promise.
    Ok,
    /// It said no. The text is its reason, where it gave one.
    Refused(Option<String>),
    /// Neither. The text is what the service said, or else the start of its answer; none where
    /// there is nothing to show.
    Unclear(Option<String>),
}

/// The URL that asks for the channel.
pub fn accept_url(
    callback: &str,
    k1: &str,
    node_id: &str,
    visibility: ChannelVisibility,
) -> String {
    let private = match visibility {
        ChannelVisibility::Unannounced => 1,
        ChannelVisibility::Announced => 0,
    };
    with_parameters(
        callback,
        &format!("{}&private={private}", k1_and_remoteid(k1, node_id)),
    )
}

/// The URL that cancels. It has no `private`: services read `private=0&cancel=1` as an accept.
pub fn cancel_url(callback: &str, k1: &str, node_id: &str) -> String {
    with_parameters(
        callback,
        &format!("{}&cancel=1", k1_and_remoteid(k1, node_id)),
    )
}

/// Reads the answer to either URL. The HTTP status means nothing (LUD-01).
pub fn parse_answer(body: &[u8], secrets: &Secrets) -> Answer {
    let Ok(answer) = Object::parse(body) else {
        return Answer::Unclear(excerpt(body, secrets));
    };
    if is_refusal(&answer) {
        return Answer::Refused(words(&answer, secrets));
    }
    match answer.trimmed("status") {
        Some(status) if status.eq_ignore_ascii_case("OK") => Answer::Ok,
        _ => Answer::Unclear(words(&answer, secrets).or_else(|| excerpt(body, secrets))),
    }
}

/// The parameters that name the offer and the wallet's node.
fn k1_and_remoteid(k1: &str, node_id: &str) -> String {
    // Some services refuse a node id in upper case.
    let node_id = node_id.to_ascii_lowercase();
    format!("k1={}&remoteid={node_id}", percent_encode(k1))
}

fn with_parameters(callback: &str, parameters: &str) -> String {
    let base = without_our_keys(callback);
    let separator = match base.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        // A `?` at the end of a query is part of its last value.
        Some(_) => "&",
    };
    format!("{base}{separator}{parameters}")
}

/// The callback without its fragment and our keys. The rest is kept byte for byte, because the
/// service may have signed it.
fn without_our_keys(callback: &str) -> String {
    let url = callback.split('#').next().unwrap_or_default();
    let Some((path, query)) = url.split_once('?') else {
        return url.to_owned();
    };
    let kept: Vec<&str> = query.split('&').filter(|pair| !is_ours(pair)).collect();
    format!("{path}?{}", kept.join("&"))
}

fn is_ours(pair: &str) -> bool {
    let key = pair.split('=').next().unwrap_or_default();
    OUR_KEYS.contains(&&*percent_decode(key))
}

#[cfg(test)]
mod tests {
    use super::super::vectors;
    use super::*;

    const ID: &str = "02ab";

    #[test]
    fn our_parameters_are_appended_and_the_rest_is_kept() {
        for (callback, start) in [
            ("https://a.com/cb", "https://a.com/cb?"),
            ("https://a.com/cb&", "https://a.com/cb&?"),
            ("https://a.com/cb?", "https://a.com/cb?"),
            ("https://a.com/cb?x=1", "https://a.com/cb?x=1&"),
            ("https://a.com/cb?x=1&", "https://a.com/cb?x=1&"),
            ("https://a.com/cb?x=1?", "https://a.com/cb?x=1?&"),
            ("https://a.com/cb??", "https://a.com/cb??&"),
            ("https://a.com/cb?x=1#f?k1=2", "https://a.com/cb?x=1&"),
            ("https://a.com/cb#f", "https://a.com/cb?"),
            (
                "https://a.com/cb?b=%7e+%2F&&a=&=c&d?e",
                "https://a.com/cb?b=%7e+%2F&&a=&=c&d?e&",
            ),
            ("https://a.com/cb?k1=old", "https://a.com/cb?"),
            ("https://a.com/cb?k1", "https://a.com/cb?"),
            ("https://a.com/cb?k1=a&k1=b", "https://a.com/cb?"),
            ("https://a.com/cb?k1=a&", "https://a.com/cb?"),
            ("https://a.com/cb?a=1&k1=x&b=2", "https://a.com/cb?a=1&b=2&"),
            ("https://a.com/cb?a=1&%6b1=x", "https://a.com/cb?a=1&"),
            ("https://a.com/cb?a=1&k1=x&", "https://a.com/cb?a=1&"),
            (
                "https://a.com/cb?remoteid=1&a=1&private=0&%63ancel=1",
                "https://a.com/cb?a=1&",
            ),
            (
                "https://a.com/cb?K1=a&k1x=b&x=k1=c",
                "https://a.com/cb?K1=a&k1x=b&x=k1=c&",
            ),
            ("https://a.com/cb?%zz=ü", "https://a.com/cb?%zz=ü&"),
            ("", "?"),
        ] {
            assert_eq!(
                accept_url(callback, "n", ID, ChannelVisibility::Unannounced),
                format!("{start}k1=n&remoteid=02ab&private=1"),
                "{callback}"
            );
            assert_eq!(
                cancel_url(callback, "n", ID),
                format!("{start}k1=n&remoteid=02ab&cancel=1"),
                "{callback}"
            );
        }
    }

    #[test]
    fn k1_is_encoded_and_the_node_id_is_lower_cased() {
        let url = accept_url(
            "https://a/",
            "x&cancel=1 ü~",
            "02AB",
            ChannelVisibility::Announced,
        );
        assert_eq!(
            url,
            "https://a/?k1=x%26cancel%3D1%20%C3%BC~&remoteid=02ab&private=0"
        );
        let empty = cancel_url("https://a/", "", ID);
        assert_eq!(empty, "https://a/?k1=&remoteid=02ab&cancel=1");
    }

    #[test]
    fn answers_are_read_as_the_vectors_say() {
        for vector in vectors("callback_answers") {
            let body = vector["body"].as_str().unwrap();
            let is = match parse_answer(body.as_bytes(), &Secrets::default()) {
                Answer::Ok => "ok",
                Answer::Refused(_) => "refused",
                Answer::Unclear(_) => "unclear",
            };
            assert_eq!(is, vector["is"].as_str().unwrap(), "{body}");
        }
    }

    #[test]
    fn an_answer_carries_the_words_of_the_service() {
        let secrets = Secrets::new(None, None, Some("hush"));
        let answer = |body: &str| parse_answer(body.as_bytes(), &secrets);
        let refused = |words: Option<&str>| Answer::Refused(words.map(str::to_owned));
        let unclear = |words: Option<&str>| Answer::Unclear(words.map(str::to_owned));
        for (body, expected) in [
            (
                r#"{"status":"Error","reason":"bad k1 HUSH"}"#,
                refused(Some("bad k1 …")),
            ),
            (r#"{"status":"ERROR","reason":null}"#, refused(None)),
            (r#"{"detail":"no hush here"}"#, unclear(Some("no … here"))),
            (
                r#"{"status":"ERROR","error":{"message":"gone"}}"#,
                refused(Some("gone")),
            ),
            (
                r#"{"status":"PENDING","reason":"wait"}"#,
                unclear(Some("wait")),
            ),
            (r#"{"status":" OK\n","reason":"wait"}"#, Answer::Ok),
            (r#"{"status":"OK","reason":"half \ud800"}"#, Answer::Ok),
            (
                r#"{"status":"ERROR","reason":"half \udfff hush"}"#,
                refused(Some("half \u{fffd} …")),
            ),
            ("\u{feff}{\"status\":\"OK\"}", Answer::Ok),
            // Without words, the start of the answer is shown.
            (r#"{"status":true}"#, unclear(Some(r#"{"status":true}"#))),
            (
                r#"{"status":"OKAY"}"#,
                unclear(Some(r#"{"status":"OKAY"}"#)),
            ),
            (r#"{"Status":"OK"}"#, unclear(Some(r#"{"Status":"OK"}"#))),
            ("<p>\nhush", unclear(Some("<p> …"))),
            ("", unclear(None)),
            (" \u{200b}\n", unclear(None)),
            (r#"{"status":"OK","tag":"channelRequest"}"#, Answer::Ok),
        ] {
            assert_eq!(answer(body), expected, "{body}");
        }
    }

    #[test]
    fn a_body_in_another_encoding_is_shown_as_far_as_it_can_be_read() {
        let utf_16 = |marks: &[u8]| {
            let units = "{\"status\":\"OK\"}".encode_utf16();
            let bytes = units.flat_map(u16::to_le_bytes);
            marks.iter().copied().chain(bytes).collect::<Vec<u8>>()
        };
        for (body, shown) in [
            (
                b"{\"status\":\"ERROR\",\"reason\":\"caf\xe9\"}".to_vec(),
                "{\"status\":\"ERROR\",\"reason\":\"caf\u{fffd}\"}",
            ),
            (utf_16(b""), "{\"status\":\"OK\"}"),
            (utf_16(b"\xff\xfe"), "\u{fffd}\u{fffd}{\"status\":\"OK\"}"),
        ] {
            let answer = parse_answer(&body, &Secrets::default());
            assert_eq!(answer, Answer::Unclear(Some(shown.into())));
        }
    }
}
