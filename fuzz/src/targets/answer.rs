//! The service's answer to the callback.
//!
//! Lines: `k1`, the callback, then the body.

use lnurl_channel_core::protocol::{Answer, Secrets, parse_answer};
use serde_json::Value;

use crate::hidden::{Hidden, check_presentable};
use crate::json;
use crate::lines::Lines;
use crate::unicode::trimmed;

pub fn run(input: &[u8]) {
    let mut lines = Lines::new(input);
    let (Some(k1), Some(callback)) = (lines.text(), lines.text()) else {
        return;
    };
    let body = lines.rest();
    let secrets = Secrets::new(None, Some(callback), Some(k1));
    let answer = parse_answer(body, &secrets);
    check_against_a_plain_reader(body, &answer);
    if let Answer::Refused(Some(words)) | Answer::Unclear(Some(words)) = &answer {
        assert!(!words.is_empty());
        check_presentable(words, 500);
        Hidden::new(&[callback], &[k1]).check(words);
    }
}

/// serde_json's own values say the same, wherever it reads the body at all.
fn check_against_a_plain_reader(body: &[u8], answer: &Answer) {
    let Some(fields) = json::fields(body) else {
        return;
    };
    let status = fields.get("status").and_then(Value::as_str);
    let status = status.map(|status| trimmed(status).to_ascii_uppercase());
    match (status.as_deref(), answer) {
        (Some("OK"), Answer::Ok) | (Some("ERROR"), Answer::Refused(_)) => {}
        (Some("OK" | "ERROR"), Answer::Unclear(_)) => assert!(json::is_ambiguous_or_deep(body)),
        (_, Answer::Unclear(_)) => {}
        (status, answer) => panic!("{status:?} was read as {answer:?}"),
    }
}
