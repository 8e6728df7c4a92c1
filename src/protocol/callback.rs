//! The one request that asks a service for the channel, or cancels it (LUD-02), and its answer.

use super::answer::{complaint, refusal, unreadable};
use super::json::Object;
use super::text::{Secrets, percent_decode, percent_encode};

/// The parameters that are ours to set.
const OUR_KEYS: [&[u8]; 4] = [b"k1", b"remoteid", b"private", b"cancel"];

/// Whether a funded channel is announced to the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChannelVisibility {
    /// Known to its two ends only (`private=1`). Right for a phone.
    Unannounced,
    /// Announced in gossip (`private=0`).
    Announced,
}

/// What the service made of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It agreed. That is not a promise.
    Ok,
    /// It said no, in these words.
    Refused(String),
    /// It cannot be told; the reason says what came instead.
    Unknown(String),
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
    with_parameters(callback, k1, node_id, &format!("private={private}"))
}

/// The URL that cancels. Without `private`: services read that as an accept.
pub fn cancel_url(callback: &str, k1: &str, node_id: &str) -> String {
    with_parameters(callback, k1, node_id, "cancel=1")
}

/// Reads the answer to either. The HTTP status means nothing, and serves the reason.
pub fn parse_answer(body: &[u8], status: u16, secrets: &Secrets) -> Answer {
    let answer = match Object::parse(body) {
        Ok(answer) => answer,
        Err(why) => return Answer::Unknown(unreadable(&why, body, status, secrets)),
    };
    if let Some(reason) = refusal(&answer, secrets) {
        return Answer::Refused(reason);
    }
    match answer.text("status") {
        Some(text) if text.eq_ignore_ascii_case("OK") => Answer::Ok,
        _ => Answer::Unknown(without_status(&answer, status, secrets)),
    }
}

fn without_status(answer: &Object, status: u16, secrets: &Secrets) -> String {
    let reason = format!("the answer (HTTP status {status}) is neither OK nor ERROR");
    match complaint(answer, secrets) {
        Some(complaint) => format!("{reason}: {complaint}"),
        None => reason,
    }
}

fn with_parameters(callback: &str, k1: &str, node_id: &str, last: &str) -> String {
    let base = without_our_keys(callback);
    let separator = match base.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        // A `?` at the end of a query is part of its last value.
        Some(_) => "&",
    };
    let k1 = percent_encode(k1);
    let node_id = node_id.to_ascii_lowercase();
    format!("{base}{separator}k1={k1}&remoteid={node_id}&{last}")
}

/// The callback without its fragment and our own keys, all else byte for byte: it may be signed.
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
    use super::*;

    const VECTORS: &str = include_str!("../../tests/vectors.json");
    const ID: &str = "02ab";

    #[test]
    fn appends_to_what_is_there() {
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
    fn encodes_and_lower_cases() {
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
    fn reads_the_vectors() {
        let all: serde_json::Value = serde_json::from_str(VECTORS).unwrap();
        for vector in all["callback_answers"].as_array().unwrap() {
            let body = vector["body"].as_str().unwrap();
            let is = match parse_answer(body.as_bytes(), 200, &Secrets::default()) {
                Answer::Ok => "ok",
                Answer::Refused(_) => "refused",
                Answer::Unknown(_) => "unknown",
            };
            assert_eq!(is, vector["is"].as_str().unwrap(), "{body}");
        }
    }

    #[test]
    fn reasons() {
        let secrets = Secrets::new(None, None, Some("hush"));
        let answer = |body: &str| parse_answer(body.as_bytes(), 500, &secrets);
        assert_eq!(
            answer(r#"{"status":"Error","reason":"bad k1 HUSH"}"#),
            Answer::Refused("bad k1 …".into())
        );
        assert_eq!(
            answer(r#"{"status":"ERROR","reason":null}"#),
            Answer::Refused("the service gave no reason".into())
        );
        assert_eq!(
            answer(r#"{"detail":"no hush here"}"#),
            Answer::Unknown(
                "the answer (HTTP status 500) is neither OK nor ERROR: no … here".into()
            )
        );
        assert_eq!(
            answer("<p>hush"),
            Answer::Unknown("the answer (HTTP status 500) is not a JSON object: <p>…".into())
        );
        for body in [
            r#"{"status":true}"#,
            r#"{"status":"OKAY"}"#,
            r#"{"Status":"OK"}"#,
        ] {
            assert!(matches!(answer(body), Answer::Unknown(_)), "{body}");
        }
        assert_eq!(
            answer(r#"{"status":"OK","tag":"channelRequest"}"#),
            Answer::Ok
        );
    }
}
