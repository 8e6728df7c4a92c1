//! JSON objects whose fields are read by their exact type: nothing is converted silently.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::text::trimmed;

const MAX_DEPTH: usize = 16;

/// Keys that must not be repeated: two readers of one answer could see two different offers.
const NEVER_TWICE: [&str; 5] = ["uri", "callback", "k1", "tag", "status"];

/// A JSON object whose values are parsed when they are read.
#[derive(Clone)]
pub struct Object {
    fields: Vec<(String, Box<RawValue>)>,
}

impl Object {
    /// Parses an object. The reason of a failure holds nothing of `body`.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(body).map_err(|_| "not UTF-8 text")?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if depth(text) > MAX_DEPTH {
            return Err("JSON nested too deep".into());
        }
        let text = without_half_surrogates(text);
        let mut json = serde_json::Deserializer::from_str(&text);
        let fields = json
            .deserialize_map(Fields)
            .map_err(|_| "not a JSON object")?;
        json.end().map_err(|_| "not a JSON object")?;
        for name in NEVER_TWICE {
            if fields.iter().filter(|(key, _)| key == name).count() > 1 {
                return Err(format!("`{name}` stands twice in the JSON object"));
            }
        }
        Ok(Self { fields })
    }

    /// A string.
    pub fn text(&self, key: &str) -> Option<String> {
        serde_json::from_str(self.raw(key)?).ok()
    }

    /// A string, without white space and invisible characters at its ends.
    pub fn trimmed(&self, key: &str) -> Option<String> {
        self.text(key).map(|text| trimmed(&text).to_owned())
    }

    /// A string, an object or a list; none if it is something else.
    pub fn value(&self, key: &str) -> Option<Value> {
        Value::read(self.raw(key)?)
    }

    /// A string, or a number as its text in the JSON.
    pub fn text_or_number(&self, key: &str) -> Option<String> {
        let raw = self.raw(key)?;
        if raw.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            return Some(raw.to_owned());
        }
        self.text(key)
    }

    /// A whole number, 0 or more.
    pub fn number(&self, key: &str) -> Option<u64> {
        self.raw(key)?.parse().ok()
    }

    pub fn flag(&self, key: &str) -> Option<bool> {
        self.raw(key)?.parse().ok()
    }

    pub fn object(&self, key: &str) -> Option<Object> {
        Self::parse(self.raw(key)?.as_bytes()).ok()
    }

    /// An array of objects.
    pub fn list(&self, key: &str) -> Option<Vec<Object>> {
        let items: Vec<Box<RawValue>> = serde_json::from_str(self.raw(key)?).ok()?;
        let objects = items.iter().map(|item| Self::parse(item.get().as_bytes()));
        objects.collect::<Result<_, _>>().ok()
    }

    /// An array of strings.
    pub fn texts(&self, key: &str) -> Option<Vec<String>> {
        serde_json::from_str(self.raw(key)?).ok()
    }

    /// The strings in a list, or the one string that stands in its place.
    pub fn texts_or_text(&self, key: &str) -> Vec<String> {
        let text = |value| match value {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        };
        match self.value(key) {
            Some(Value::List(items)) => {
                let items = items.iter().map(|item| Value::read(item.get()));
                items.filter_map(text).collect()
            }
            one => text(one).into_iter().collect(),
        }
    }

    /// Whether there is no such field, or it is `null`.
    pub fn is_absent(&self, key: &str) -> bool {
        self.raw(key).is_none_or(|raw| raw == "null")
    }

    /// The last value of a repeated field, which is the one that most readers take.
    fn raw(&self, key: &str) -> Option<&str> {
        let field = self.fields.iter().rfind(|(name, _)| name == key);
        field.map(|(_, value)| value.get())
    }
}

/// A value that may hold text.
pub enum Value {
    Text(String),
    Object(Object),
    List(Vec<Box<RawValue>>),
}

impl Value {
    pub fn read(raw: &str) -> Option<Self> {
        Some(match raw.as_bytes().first()? {
            b'"' => Self::Text(serde_json::from_str(raw).ok()?),
            b'{' => Self::Object(Object::parse(raw.as_bytes()).ok()?),
            b'[' => Self::List(serde_json::from_str(raw).ok()?),
            _ => return None,
        })
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Object(…)")
    }
}

/// `json` with U+FFFD for each half of a surrogate pair. It stands for no character, and the parser
/// would refuse the whole for it.
fn without_half_surrogates(json: &str) -> Cow<'_, str> {
    let mut mended = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = json[at..].find('\\') {
        at += found;
        let (length, is_half) = match (code_unit(json, at), code_unit(json, at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, false),
            (Some(0xd800..=0xdfff), _) => (6, true),
            _ => (
                1 + json[at + 1..].chars().next().map_or(0, char::len_utf8),
                false,
            ),
        };
        if is_half {
            mended.push_str(&json[copied..at]);
            mended.push('\u{fffd}');
            copied = at + length;
        }
        at += length;
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    mended.push_str(&json[copied..]);
    Cow::Owned(mended)
}

/// The number in `\uXXXX`, if that stands `at` in `json`.
fn code_unit(json: &str, at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
    u16::from_str_radix(digits, 16).ok()
}

/// The deepest nesting of objects and arrays in `json`, whether or not it is well formed.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Collects all fields in order. A map type would drop all but one of a repeated field.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Vec<(String, Box<RawValue>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Object {
        Object::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn fields_are_read_by_their_type() {
        let o = object(
            "\u{feff} {\"t\":\"a\\u0062\", \"n\": 12.50, \"i\":-3, \"u\":18446744073709551615,
              \"b\":true, \"z\":null, \"o\":{\"x\":1}, \"l\":[{\"x\":1},{}], \"m\":[1],
              \"s\":[\"x\",\"y\"]} \n",
        );
        assert_eq!(o.text("t").as_deref(), Some("ab"));
        assert_eq!(o.text("n"), None);
        assert_eq!(o.text_or_number("t").as_deref(), Some("ab"));
        assert_eq!(o.text_or_number("n").as_deref(), Some("12.50"));
        assert_eq!(o.text_or_number("i").as_deref(), Some("-3"));
        for other in ["b", "z", "o", "l", "missing"] {
            assert_eq!(o.text_or_number(other), None, "{other}");
        }
        assert_eq!(o.number("u"), Some(u64::MAX));
        assert_eq!(
            (o.number("i"), o.number("n"), o.number("t")),
            (None, None, None)
        );
        assert_eq!((o.flag("b"), o.flag("z")), (Some(true), None));
        assert_eq!(o.object("o").and_then(|o| o.number("x")), Some(1));
        assert!(o.object("t").is_none());
        assert_eq!(o.list("l").map(|l| l.len()), Some(2));
        assert!(o.list("m").is_none() && o.list("o").is_none());
        assert_eq!(o.texts("s"), Some(vec!["x".into(), "y".into()]));
        assert!(o.texts("m").is_none() && o.texts("t").is_none());
        assert!(o.is_absent("z") && o.is_absent("missing") && !o.is_absent("b"));
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        let bodies: [&[u8]; 12] = [
            b"",
            b"[]",
            b"null",
            b"\"{}\"",
            b"{",
            b"{}{}",
            b"{} x",
            b"{\"a\":}",
            b"{\"a\":1,}",
            b"{\"a\":\"\xff\"}",
            b"<html>502</html>",
            b"\xff\xfe{\0}\0",
        ];
        for body in bodies {
            assert!(Object::parse(body).is_err(), "{body:?}");
        }
    }

    #[test]
    fn the_keys_of_an_offer_must_not_be_repeated() {
        for name in NEVER_TWICE {
            assert!(Object::parse(format!(r#"{{"{name}":1,"{name}":1}}"#).as_bytes()).is_err());
        }
        assert!(Object::parse(br#"{"k1":"a","\u006b1":"b"}"#).is_err());
        let inner = object(r#"{"k1":"a","more":{"k1":"b"},"K1":"c"}"#);
        assert_eq!(inner.text("k1").as_deref(), Some("a"));
        let last = object(r#"{"reason":"first","reason":"last"}"#);
        assert_eq!(last.text("reason").as_deref(), Some("last"));
    }

    #[test]
    fn deep_nesting_is_refused() {
        let nested = |levels: usize| {
            let (open, close) = ("[".repeat(levels - 1), "]".repeat(levels - 1));
            Object::parse(format!("{{\"a\":{open}{close}}}").as_bytes())
        };
        assert!(nested(16).is_ok());
        assert!(nested(17).is_err());
        assert!(nested(30_000).is_err());
        let braces = object(r#"{"a":"\"{{{{{{{{{{{{{{{{{{{{\\"}"#);
        assert_eq!(
            braces.text("a").as_deref(),
            Some("\"{{{{{{{{{{{{{{{{{{{{\\")
        );
    }

    #[test]
    fn depth_counts_the_brackets_outside_strings() {
        for (json, expected) in [
            ("1", 0),
            ("[]", 1),
            ("[{},{},[{}],{}]", 3),
            (r#"["[[","]]",[[]]]"#, 3),
            (r#"["\"[[[",[]]"#, 2),
            (r#"["\\",[]]"#, 2),
            // Not well formed.
            (r#"\"[[["#, 0),
            (r"\[[[", 3),
            ("]}[[", 2),
        ] {
            assert_eq!(depth(json), expected, "{json}");
        }
    }

    #[test]
    fn reasons_and_debug_hold_nothing_of_the_body() {
        for body in ["hush", r#"{"hush":hush}"#, r#"{"hush":1} hush"#] {
            assert!(!Object::parse(body.as_bytes()).unwrap_err().contains("hush"));
        }
        assert_eq!(format!("{:?}", object(r#"{"hush":1}"#)), "Object(…)");
    }

    #[test]
    fn half_of_a_surrogate_pair_is_replaced_and_the_rest_stands() {
        for (json, text) in [
            (r"\ud800", "\u{fffd}"),
            (r"a\uDFFFb", "a\u{fffd}b"),
            (
                r"\ud83d\ude42 \ud83d\ud83d\ude42\ude42",
                "🙂 \u{fffd}🙂\u{fffd}",
            ),
            (r"\\ud800 \\\ud800\n", "\\ud800 \\\u{fffd}\n"),
            (r"\ud83d\n\u0041\ud83dü", "\u{fffd}\nA\u{fffd}ü"),
            (r"ü\ud800ü", "ü\u{fffd}ü"),
        ] {
            let key_too = object(&format!(r#"{{"\udead":"\ud801","a":"{json}"}}"#));
            assert_eq!(key_too.text("a").as_deref(), Some(text), "{json}");
        }
        for json in [r"\ud80", r"\u+800", r"\ü", r"\", r"\ud800\", r"\ud800\uü"] {
            assert!(
                Object::parse(format!(r#"{{"a":"{json}"}}"#).as_bytes()).is_err(),
                "{json}"
            );
            assert!(Object::parse(json.as_bytes()).is_err(), "{json}");
        }
    }

    #[test]
    fn white_space_and_invisible_characters_around_a_field_are_dropped() {
        let padded = object("{\"a\":\" \u{feff}\\n x\u{200b}y \\ufeff\u{200d}\\t\",\"n\":1}");
        assert_eq!(padded.trimmed("a").as_deref(), Some("x\u{200b}y"));
        assert_eq!(padded.trimmed("n"), None);
    }
}
