//! Damaged records without what reads as a secret.

use super::*;

pub fn assert_hides(content: &[u8]) {
    let shown = redacted(content);
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn a_redacted_record_shows_what_is_no_secret() {
    for text in all_texts() {
        assert_hides(text.as_bytes());
        let shown = redacted(text.as_bytes());
        assert_eq!(shown.lines().count(), text.lines().count());
        let json: Value = serde_json::from_str(&shown.replace('…', "\"…\"")).unwrap();
        let original: Value = serde_json::from_str(text).unwrap();
        for pointer in [
            "/version",
            "/request_id",
            "/network",
            "/state",
            "/progress",
            "/offer/peer",
            "/offer/service",
            "/offer/callback_host",
            "/contact/order",
            "/contact/answer",
            "/arrival/channel_id",
            "/outcome/channel/stage",
            "/known_channels/0/ids",
            "/channels/1/peer_id",
        ] {
            assert_eq!(
                json.pointer(pointer),
                original.pointer(pointer),
                "{pointer}"
            );
        }
        for pointer in [
            "/credentials/k1",
            "/credentials/lnurl",
            "/contact/node_id",
            "/node_id",
        ] {
            let shown = json.pointer(pointer);
            assert!(
                shown.is_none_or(|shown| shown.is_null() || shown == "…"),
                "{pointer}"
            );
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "too many records for an interpreter")]
fn a_record_damaged_at_any_byte_is_redacted_all_the_same() {
    let [_, (_, _, asked), ..] = one_of_each();
    let of_digits = of_0_1("awaiting").replace("hush-k1", "271828182");
    for text in [asked, &of_digits, of_0_1("hosted-awaiting")] {
        let text = text.as_bytes();
        for at in 0..text.len() {
            assert_hides(&text[..at]);
            assert_hides(&text[at..]);
            assert_hides(&[&text[..at], &text[at + 1..]].concat());
            for byte in *b"\"\\{,x" {
                let mut damaged = text.to_vec();
                damaged[at] = byte;
                assert_hides(&damaged);
            }
        }
    }
}

#[test]
fn what_is_no_record_is_redacted_too() {
    for (content, shown) in [
        ("", ""),
        ("hush", "…"),
        ("lnurl1dp68gurn8ghj7", "…"),
        ("\"", "…"),
        ("\"order\": 12", "\"order\": 12"),
        ("\"k1\": 12", "\"k1\": …"),
        ("\"hush\": 12", "…: …"),
        ("\"order\": hush, 12", "\"order\": …, …"),
        ("\"order\": [1, 2], 3", "\"order\": [1, 2], …"),
        // Cut before its colon, or with a key that lost it.
        ("\"order\": 12, \"hush\"", "\"order\": 12, …"),
        ("\"order\": 12 \"hush\"", "\"order\": 12 …"),
        ("\"asked\": true, \"k1\" \"hush\"", "\"asked\": true, … …"),
        (
            "\"ids\": [\"a\", \"b\", \"c\"], \"hush\"",
            "\"ids\": [\"a\", \"b\", \"c\"], …",
        ),
        // A list that lost its end.
        (
            "\"ids\": [\"a\", \"state\": \"b\", \"hush\"",
            "\"ids\": [\"a\", \"state\": \"b\", …",
        ),
        (
            "\"order\": 12\"state\": \"a\", \"hush\"",
            "\"order\": 12\"state\": \"a\", …",
        ),
        ("\"service\": \"a.example\"", "\"service\": \"a.example\""),
        ("\"service\": \"a.example/?hush\"", "\"service\": …"),
        ("\"service\": \"a\\\"b\" 7", "\"service\": … …"),
        ("\"service\": \"hush", "\"service\": …"),
        ("true, null, 7", "true, null, …"),
    ] {
        assert_eq!(redacted(content.as_bytes()), shown, "{content}");
    }
    assert_eq!(redacted(b"\"state\": \"A\xff\""), "\"state\": …");
}
