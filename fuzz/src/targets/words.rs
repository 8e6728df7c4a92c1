//! A service's words: the same in both answers, wherever they stand.
//!
//! Lines: `k1`, the LNURL, the callback, then a body. In it, `@0` to `@9` stand for the secrets
//! in several encodings, which no mutation would hit upon.

use lnurl_channel_core::protocol::{
    Answer, Error, Lnurl, PeerPolicy, Secrets, parse_answer, parse_offer, presentable,
};
use serde_json::{Map, Value};

use crate::hidden::{Hidden, check_presentable, encodings_of};
use crate::json;
use crate::lines::Lines;
use crate::unicode::trimmed;

pub fn run(input: &[u8]) {
    let mut lines = Lines::new(input);
    let (Some(k1), Some(lnurl), Some(callback)) = (lines.text(), lines.text(), lines.text()) else {
        return;
    };
    let Ok(lnurl) = Lnurl::from_url(lnurl) else {
        return;
    };
    let Some(mut fields) = json::fields(lines.rest()) else {
        return;
    };
    // As the first answer has it.
    let callback = trimmed(callback);
    // What says how the answer is read, and what the first one knows of by itself.
    for name in ["status", "tag", "k1", "callback", "uri"] {
        fields.remove(name);
    }
    let secrets = Known {
        k1,
        callback,
        lnurl: &lnurl,
    };
    secrets.fill_in(&mut fields);
    let words = secrets.words_of(&fields);
    secrets.check(&words);
    secrets.check_is_said(&fields, &words);
    secrets.check_first_answer(&fields, &words);
    for text in texts_of(&fields) {
        secrets.check_half_surrogate(text);
    }
}

struct Known<'a> {
    k1: &'a str,
    callback: &'a str,
    lnurl: &'a Lnurl,
}

impl Known<'_> {
    fn secrets(&self) -> Secrets {
        let lnurl = self.lnurl.url();
        Secrets::new(Some(&lnurl), Some(self.callback), Some(self.k1))
    }

    /// Of an answer to the callback that is a refusal.
    fn words_of(&self, fields: &Map<String, Value>) -> Option<String> {
        let mut fields = fields.clone();
        fields.insert("status".into(), "ERROR".into());
        self.refusal(&Value::Object(fields).to_string())
    }

    fn refusal(&self, body: &str) -> Option<String> {
        match parse_answer(body.as_bytes(), &self.secrets()) {
            Answer::Refused(words) => words,
            // Nested too deep: nobody reads it.
            _ => None,
        }
    }

    fn check(&self, words: &Option<String>) {
        let Some(words) = words else { return };
        assert!(!words.is_empty());
        check_presentable(words, 500);
        Hidden::new(&[&self.lnurl.url(), self.callback], &[self.k1]).check(words);
    }

    /// The words are one of the texts that the service wrote, as it may be shown.
    fn check_is_said(&self, fields: &Map<String, Value>, words: &Option<String>) {
        let Some(words) = words else { return };
        let secrets = self.secrets();
        let is_said = |text: &str| presentable(text, &secrets, 500) == *words;
        let mut values: Vec<&Value> = fields.values().collect();
        while let Some(value) = values.pop() {
            match value {
                Value::String(text) if is_said(text) => return,
                Value::Array(items) => values.extend(items),
                Value::Object(inner) => values.extend(inner.values()),
                _ => {}
            }
        }
        panic!("{words:?} stands nowhere in the answer");
    }

    /// The first answer says the same, as a refusal, and where it has no `tag`.
    fn check_first_answer(&self, fields: &Map<String, Value>, words: &Option<String>) {
        let mut fields = fields.clone();
        fields.insert("k1".into(), self.k1.into());
        // As it stands: only its query is secret.
        fields.insert("callback".into(), self.callback.into());
        let parse = |fields: &Map<String, Value>| {
            let body = Value::Object(fields.clone()).to_string();
            let peers = PeerPolicy {
                allow_private_hosts: false,
                has_proxy: false,
            };
            parse_offer(body.as_bytes(), 200, self.lnurl, self.lnurl.as_url(), peers)
        };
        let is_known = self.k1.len() <= 1024 && self.callback.len() <= 4096;
        if json::depth(&Value::Object(fields.clone())) > 16 || !is_known {
            return;
        }
        let untagged = parse(&fields);
        fields.insert("status".into(), " eRRoR\n".into());
        assert_eq!(parse(&fields), Err(Error::Refused(words.clone())));
        match untagged {
            Err(Error::Refused(Some(told))) => assert_eq!(Some(told), *words),
            Err(Error::InvalidResponse(_)) => assert_eq!(*words, None),
            other => panic!("{other:?}"),
        }
    }

    /// It stands for no character, and the rest of the text is read.
    fn check_half_surrogate(&self, text: &str) {
        let escaped = Value::from(text).to_string();
        let inner = &escaped[1..escaped.len() - 1];
        for half in ["\\ud800", "\\uDfff"] {
            let body = format!(r#"{{"status":"ERROR","reason":"{inner} {half} {inner}"}}"#);
            let whole = format!("{text} \u{fffd} {text}");
            let shown = presentable(&whole, &self.secrets(), 500);
            assert_eq!(self.refusal(&body).as_deref(), Some(&*shown));
        }
    }

    fn fill_in(&self, fields: &mut Map<String, Value>) {
        let query = self.callback.split('#').next().unwrap_or_default();
        let query = query.split_once('?').map_or("", |(_, query)| query);
        let secrets = [self.k1, query].map(encodings_of).concat();
        for value in fields.values_mut() {
            fill_in(value, &secrets, 0);
        }
    }
}

fn fill_in(value: &mut Value, secrets: &[String], level: usize) {
    match value {
        Value::String(text) if text.contains('@') => {
            for (at, secret) in secrets.iter().enumerate() {
                *text = text.replace(&format!("@{at}"), secret);
            }
        }
        Value::Array(items) if level < 4 => {
            for item in items {
                fill_in(item, secrets, level + 1);
            }
        }
        Value::Object(fields) if level < 4 => {
            for item in fields.values_mut() {
                fill_in(item, secrets, level + 1);
            }
        }
        _ => {}
    }
}

/// Those of the outermost level.
fn texts_of(fields: &Map<String, Value>) -> impl Iterator<Item = &str> {
    fields.values().filter_map(Value::as_str).take(4)
}
