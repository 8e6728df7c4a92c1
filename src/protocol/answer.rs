//! What every answer of a service has in common (LUD-01): a refusal, or something unreadable.

use super::json::Object;
use super::text::{Secrets, presentable};

/// The most that is shown of a service's own words.
pub const MAX_REASON: usize = 500;

/// The most that is shown of a body that is not what it should be.
const MAX_EXCERPT: usize = 100;

/// The reason, where `status` is `ERROR` in any case.
pub fn refusal(answer: &Object, secrets: &Secrets) -> Option<String> {
    if !answer.text("status")?.eq_ignore_ascii_case("ERROR") {
        return None;
    }
    let reason = shown(answer, "reason", secrets);
    Some(reason.unwrap_or_else(|| "the service gave no reason".into()))
}

/// What a service says went wrong in other words than LNURL's, as web frameworks do.
pub fn complaint(answer: &Object, secrets: &Secrets) -> Option<String> {
    let keys = ["detail", "message", "error"];
    keys.iter().find_map(|key| shown(answer, key, secrets))
}

/// Why `body` is not readable, with an excerpt.
pub fn unreadable(why: &str, body: &[u8], status: u16, secrets: &Secrets) -> String {
    let excerpt = presentable(&String::from_utf8_lossy(body), secrets, MAX_EXCERPT);
    if excerpt.is_empty() {
        return format!("the answer (HTTP status {status}) is empty");
    }
    format!("the answer (HTTP status {status}) is {why}: {excerpt}")
}

fn shown(answer: &Object, key: &str, secrets: &Secrets) -> Option<String> {
    let text = presentable(&answer.text(key)?, secrets, MAX_REASON);
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Object {
        Object::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn refusals() {
        let secrets = Secrets::new(None, None, Some("hush"));
        let reason = |text| refusal(&object(text), &secrets);
        let default = Some("the service gave no reason".to_owned());
        assert_eq!(reason(r#"{"status":"ERROR"}"#), default);
        assert_eq!(reason(r#"{"status":"Error","reason":7}"#), default);
        assert_eq!(reason(r#"{"status":"ERROR","reason":" \u202e"}"#), default);
        assert_eq!(
            reason(r#"{"status":"error","reason":"no\n\u202ehush"}"#).as_deref(),
            Some("no …")
        );
        assert_eq!(reason(r#"{"status":"OK","reason":"x"}"#), None);
        assert_eq!(reason(r#"{"reason":"x"}"#), None);
        let long = format!(r#"{{"status":"ERROR","reason":"{}"}}"#, "ü".repeat(600));
        assert_eq!(reason(&long).map(|r| r.chars().count()), Some(500));
    }

    #[test]
    fn complaints() {
        let secrets = Secrets::default();
        for key in ["detail", "message", "error"] {
            let answer = object(&format!(r#"{{"{key}":"not found"}}"#));
            assert_eq!(complaint(&answer, &secrets).as_deref(), Some("not found"));
        }
        for text in [r#"{"detail":[1]}"#, r#"{"detail":""}"#, "{}"] {
            assert_eq!(complaint(&object(text), &secrets), None);
        }
    }

    #[test]
    fn excerpts() {
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
