//! What a plain reader of JSON sees of an answer.

use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::{Deserializer, Map, Value};

/// The fields of an object; none where a plain reader refuses it, as a number that is too large.
pub fn fields(body: &[u8]) -> Option<Map<String, Value>> {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Some(fields),
        _ => None,
    }
}

/// Whether a key stands twice in the object, or it is nested deeper than answers may be.
pub fn is_ambiguous_or_deep(body: &[u8]) -> bool {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let keys = Deserializer::from_slice(body).deserialize_map(Keys);
    let mut keys = keys.unwrap_or_default();
    let count = keys.len();
    keys.sort_unstable();
    keys.dedup();
    let value = serde_json::from_slice(body).unwrap_or_default();
    keys.len() < count || depth(&value) > 16
}

/// How deep lists and objects lie in each other.
pub fn depth(value: &Value) -> usize {
    let deepest =
        |values: &mut dyn Iterator<Item = &Value>| 1 + values.map(depth).max().unwrap_or(0);
    match value {
        Value::Array(values) => deepest(&mut values.iter()),
        Value::Object(fields) => deepest(&mut fields.values()),
        _ => 0,
    }
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
        let mut keys = Vec::new();
        while let Some((key, IgnoredAny)) = map.next_entry()? {
            keys.push(key);
        }
        Ok(keys)
    }
}
