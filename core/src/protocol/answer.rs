//! What the answers of a service have in common (LUD-01): refusals, and text that is not JSON.

use super::json::Object;
use super::text::{Secrets, presentable};

/// Characters shown of a service's own words, at most.
const MAX_WORDS: usize = 500;

/// Characters shown of a body that cannot be read, at most.
const MAX_EXCERPT: usize = 100;

/// Whether `status` is `ERROR`, in any case.
pub fn is_refusal(answer: &Object) -> bool {
    let status = answer.text("status");
    status.is_some_and(|status| status.eq_ignore_ascii_case("ERROR"))
}

/// The reason of a refusal, where the service gave one.
pub fn refusal_words(answer: &Object, secrets: &Secrets) -> Option<String> {
    shown(&answer.text("reason")?, secrets, MAX_WORDS)
}

/// The words of an answer without LNURL's `status`, from the keys that web frameworks use.
pub fn other_words(answer: &Object, secrets: &Secrets) -> Option<String> {
    let texts = ["detail", "message", "error"].map(|key| answer.text(key));
    let mut texts = texts.into_iter().flatten();
    texts.find_map(|text| shown(&text, secrets, MAX_WORDS))
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
    fn the_words_of_a_refusal_are_cleaned_and_cut_and_hide_secrets() {
        let secrets = Secrets::new(None, None, Some("hush"));
        let words = |text| refusal_words(&object(text), &secrets);
        for text in [r#"{}"#, r#"{"reason":7}"#, r#"{"reason":" \u202e"}"#] {
            assert_eq!(words(text), None, "{text}");
        }
        let spoiled = words(r#"{"reason":"no\n\u202ehush"}"#);
        assert_eq!(spoiled.as_deref(), Some("no …"));
        let long = format!(r#"{{"reason":"{}"}}"#, "ü".repeat(600));
        assert_eq!(words(&long).map(|r| r.chars().count()), Some(500));
    }

    #[test]
    fn other_words_are_read_from_the_keys_of_web_frameworks() {
        let secrets = Secrets::new(None, None, Some("hush"));
        for key in ["detail", "message", "error"] {
            let answer = object(&format!(r#"{{"{key}":"hush not found"}}"#));
            let words = other_words(&answer, &secrets);
            assert_eq!(words.as_deref(), Some("… not found"));
        }
        let second = object(r#"{"error":"last","message":"shown","detail":""}"#);
        assert_eq!(other_words(&second, &secrets).as_deref(), Some("shown"));
        for text in [r#"{"detail":[1]}"#, r#"{"detail":""}"#, "{}"] {
            assert_eq!(other_words(&object(text), &secrets), None);
        }
    }

    #[test]
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
