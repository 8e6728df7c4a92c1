//! Records as no version wrote them.

use proptest::prelude::*;

use super::redacted::assert_hides;
use super::*;

/// All values of `json`, itself among them.
fn values_of(json: &Value) -> Vec<&Value> {
    let within: Vec<&Value> = match json {
        Value::Object(fields) => fields.values().flat_map(values_of).collect(),
        Value::Array(items) => items.iter().flat_map(values_of).collect(),
        _ => Vec::new(),
    };
    [vec![json], within].concat()
}

/// Put `to` in the place of one of the values of `json`.
fn replace(json: &mut Value, place: &mut usize, to: &Value) {
    let is_here = *place == 0;
    *place = place.wrapping_sub(1);
    match json {
        _ if is_here => *json = to.clone(),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|value| replace(value, place, to)),
        Value::Array(items) => items.iter_mut().for_each(|value| replace(value, place, to)),
        _ => {}
    }
}

fn any_text() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(all_texts().collect::<Vec<_>>())
}

/// What is read is written so that it is read as the same.
fn check(content: &[u8]) {
    let Ok(loaded) = read(ID, content, RULES, NOW) else {
        return;
    };
    let written = write(&loaded.record).expect("what is read is written");
    let again = read(ID, written.as_bytes(), RULES, NOW);
    assert_eq!(again, Ok(unchanged(loaded.record)), "{written}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 4 } else { 2_000 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_record_with_values_of_another_is_taken_or_not(
        text in any_text(),
        swaps in proptest::collection::vec((any_text(), any::<usize>(), any::<usize>()), 1..4),
    ) {
        let mut json: Value = serde_json::from_str(text).unwrap();
        for (other, from, to) in swaps {
            let other: Value = serde_json::from_str(other).unwrap();
            let values = values_of(&other);
            let mut place = to % values_of(&json).len();
            replace(&mut json, &mut place, values[from % values.len()]);
        }
        check(json.to_string().as_bytes());
    }

    #[test]
    fn a_record_with_other_bytes_is_taken_or_not(
        text in any_text(),
        at in any::<proptest::sample::Index>(),
        bytes in proptest::collection::vec(any::<u8>(), 0..8),
        dropped in 0_usize..8,
    ) {
        let mut content = text.as_bytes().to_vec();
        let at = at.index(content.len());
        let end = content.len().min(at + dropped);
        content.splice(at..end, bytes);
        check(&content);
        assert_hides(&content);
        let _ = read_verdicts(PEER, &content);
        let _ = read_unrequested_channels(&content);
    }
}
