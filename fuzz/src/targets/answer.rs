//! The service's answer to the callback.
//!
//! Lines: the HTTP status as a switch, `k1`, the callback, then the body.

use serde_json::Value;

use crate::hidden::{Hidden, behind, check_presentable};
use crate::lines::Lines;
use crate::protocol::{Answer, Secrets, parse_answer};

/// The library's own words in front of those of others.
const OWN_WORDS: [&str; 8] = [
    "is not UTF-8 text: ",
    "is JSON nested too deep: ",
    "is not a JSON object: ",
    "is neither OK nor ERROR: ",
    "is `uri` stands twice in the JSON object: ",
    "is `callback` stands twice in the JSON object: ",
    "is `k1` stands twice in the JSON object: ",
    "is `tag` stands twice in the JSON object: ",
];

pub fn run(input: &[u8]) {
    let mut lines = Lines::new(input);
    let status = 200 + u16::from(lines.switches());
    let (Some(k1), Some(callback)) = (lines.text(), lines.text()) else {
        return;
    };
    let body = lines.rest();
    let secrets = Secrets::new(None, Some(callback), Some(k1));
    let answer = parse_answer(body, status, &secrets);

    check_against_a_plain_reader(body, &answer);
    let hidden = Hidden::new(&[callback], &[k1]);
    match &answer {
        Answer::Ok => {}
        Answer::Refused(reason) => {
            assert!(!reason.is_empty());
            check_presentable(reason, 500);
            hidden.check(behind(reason, &["the service gave no reason"]));
        }
        Answer::Unknown(reason) => {
            check_presentable(reason, 700);
            let start = format!("the answer (HTTP status {status}) ");
            let rest = reason.strip_prefix(&start).expect("other words");
            if !["is empty", "is neither OK nor ERROR"].contains(&rest) {
                hidden.check(behind(rest, &OWN_WORDS));
            }
        }
    }
    // The HTTP status means nothing.
    let other = parse_answer(body, 404, &secrets);
    assert_eq!(
        std::mem::discriminant(&other),
        std::mem::discriminant(&answer)
    );
}

/// serde_json's own values say the same, wherever it reads the body at all.
fn check_against_a_plain_reader(body: &[u8], answer: &Answer) {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
        return;
    };
    let status = fields.get("status").and_then(Value::as_str);
    let status = status.map(str::to_ascii_uppercase);
    match (status.as_deref(), answer) {
        (Some("OK"), Answer::Ok) | (Some("ERROR"), Answer::Refused(_)) => {}
        (Some("OK" | "ERROR"), Answer::Unknown(why)) => {
            assert!(why.contains("twice") || why.contains("too deep"), "{why}");
        }
        (_, Answer::Unknown(_)) => {}
        (status, answer) => panic!("{status:?} was read as {answer:?}"),
    }
}
