//! What the answers of a service have in common (LUD-01): refusals, words, and text that is not JSON.

use super::json::{Object, Value};
use super::secrets::{Secrets, presentable};

/// Characters shown of a service's own words, at most.
const MAX_WORDS: usize = 500;

/// Characters shown of a body that cannot be read, at most.
const MAX_EXCERPT: usize = 100;

/// Where services put their words, the likeliest first. The last two only within another one.
const KEYS: [&str; 8] = [
    "reason",
    "message",
    "detail",
    "error",
    "errors",
    "title",
    "msg",
    "description",
];
const KEYS_OF_AN_ANSWER: usize = 6;

/// How deep words may lie in objects and lists.
const MAX_LEVELS: usize = 3;

/// Whether `status` is `ERROR`, in any case.
pub fn is_refusal(answer: &Object) -> bool {
    let status = answer.trimmed("status");
    status.is_some_and(|status| status.eq_ignore_ascii_case("ERROR"))
}

/// What the service says, whatever its `status`.
pub fn words(answer: &Object, secrets: &Secrets) -> Option<String> {
    words_in(answer, &KEYS[..KEYS_OF_AN_ANSWER], 1, secrets)
}

fn words_in(object: &Object, keys: &[&str], level: usize, secrets: &Secrets) -> Option<String> {
    let mut keys = keys.iter();
    keys.find_map(|key| words_of(object.value(key), level, secrets))
}

fn words_of(value: Option<Value>, level: usize, secrets: &Secrets) -> Option<String> {
    if level > MAX_LEVELS {
        return None;
    }
    match value? {
        Value::Text(text) => shown(&text, secrets, MAX_WORDS),
        Value::Object(object) => words_in(&object, &KEYS, level + 1, secrets),
        Value::List(items) => {
            let mut items = items.iter();
            items.find_map(|item| words_of(Value::read(item.get()), level + 1, secrets))
        }
    }
}

/// The start of a body, where it has anything to show.
pub fn excerpt(body: &[u8], secrets: &Secrets) -> Option<String> {
    shown(&String::from_utf8_lossy(body), secrets, MAX_EXCERPT)
}

/// The reason why `body` cannot be read, with an excerpt of it.
pub fn unreadable(why: &str, body: &[u8], status: u16, secrets: &Secrets) -> String {
    match excerpt(body, secrets) {
        Some(excerpt) => format!("the answer (HTTP status {status}) is {why}: {excerpt}"),
        None => format!("the answer (HTTP status {status}) is empty"),
    }
}

fn shown(text: &str, secrets: &Secrets, max_chars: usize) -> Option<String> {
    let text = presentable(text, secrets, max_chars);
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::super::vectors;
    use super::*;

    fn object(text: &str) -> Object {
        Object::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_refusal_is_status_error_in_any_case() {
        for text in [
            r#"{"status":"ERROR"}"#,
            r#"{"status":"Error","reason":7}"#,
            r#"{"status":"error"}"#,
            r#"{"status":" ERROR\n\ufeff"}"#,
        ] {
            assert!(is_refusal(&object(text)), "{text}");
        }
        for text in [
            r#"{"status":"OK","reason":"x"}"#,
            r#"{"status":["ERROR"]}"#,
            r#"{"reason":"ERROR"}"#,
            "{}",
        ] {
            assert!(!is_refusal(&object(text)), "{text}");
        }
    }

    #[test]
    fn words_are_found_as_in_the_vectors() {
        for vector in vectors("words") {
            let answer = object(&vector["body"].to_string());
            let words = words(&answer, &Secrets::default());
            assert_eq!(words.as_deref(), vector["words"].as_str(), "{vector}");
        }
    }

    #[test]
    fn words_are_found_wherever_services_put_them() {
        let secrets = Secrets::new(None, None, Some("hush"));
        for text in [
            r#"{"reason":"no hush"}"#,
            r#"{"message":"no hush"}"#,
            r#"{"detail":"no hush"}"#,
            r#"{"error":"no hush"}"#,
            r#"{"errors":"no hush"}"#,
            r#"{"title":"no hush"}"#,
            r#"{"title":"no","errors":["no hush"],"reason":null}"#,
            r#"{"reason":7,"message":{},"detail":[],"error":"no hush"}"#,
            r#"{"reason":" \u200b","message":{"reason":"","msg":"no hush"}}"#,
            r#"{"detail":[1,{"loc":["k1"]},{"description":"no hush"},{"msg":"other"}]}"#,
            r#"{"error":{"errors":["no hush"]}}"#,
            r#"{"errors":[["no hush"]]}"#,
            r#"{"error":{"error":{"title":"no hush"}}}"#,
            r#"{"error":{"tag":1,"tag":1},"title":"no \ud800hush"}"#,
        ] {
            let words = words(&object(text), &secrets);
            let words = words.map(|words| words.replace('\u{fffd}', ""));
            assert_eq!(words.as_deref(), Some("no …"), "{text}");
        }
        for text in [
            "{}",
            r#"{"msg":"x","description":"x","Reason":"x","status":"x","code":"x"}"#,
            r#"{"reason":7,"message":true,"detail":[1,null],"error":{"code":"x"}}"#,
            r#"{"reason":" \u202e\u3164"}"#,
            r#"{"error":{"error":{"error":{"error":"x"}}}}"#,
            r#"{"detail":[[["x"]]]}"#,
            r#"{"detail":[{"error":{"msg":"x"}}]}"#,
        ] {
            assert_eq!(words(&object(text), &secrets), None, "{text}");
        }
    }

    #[test]
    fn words_are_cleaned_and_cut() {
        let secrets = Secrets::new(None, None, Some("hush"));
        let words = |text| words(&object(text), &secrets);
        let spoiled = words(r#"{"reason":"no\n\u202ehush"}"#);
        assert_eq!(spoiled.as_deref(), Some("no …"));
        let long = format!(r#"{{"reason":"{}"}}"#, "ü".repeat(600));
        assert_eq!(words(&long).map(|r| r.chars().count()), Some(500));
    }

    #[test]
    #[cfg_attr(miri, ignore = "too long a text for an interpreter")]
    fn an_unreadable_body_is_shown_in_part() {
        let secrets = Secrets::new(None, None, Some("hush"));
        let text = unreadable("not JSON", b"<b>hush\xff</b>", 502, &secrets);
        assert_eq!(
            text,
            "the answer (HTTP status 502) is not JSON: <b>…\u{fffd}</b>"
        );
        let long = unreadable("not JSON", "ü".repeat(9000).as_bytes(), 200, &secrets);
        assert_eq!(long.matches('ü').count(), 100);
        assert_eq!(
            unreadable("not JSON", b" \n", 204, &secrets),
            "the answer (HTTP status 204) is empty"
        );
    }
}
