//! What the fuzzer starts from: the repository's vectors, in the form that each target reads, and a
//! few inputs for what no vector is about.

use serde_json::Value;

use crate::samples::{OWN, PEER, vectors};
use crate::world::{Kinds, World};

const K1: &str = "e2af6254a8df433264fa23f67eb8188635d15ce883e8fc020989d5f82ae6f11e";
const LNURL: &str = "https://example.com/c?q=3fc3645b439ce8e7";
const CALLBACK: &str = "https://api.example.com/cb?token=un%2Fsaid+it&b=2";

/// The seeds of the target of this name.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "answer" => answers(),
        "bech32" => bech32(),
        "callback_url" => callback_urls(),
        "decode_lnurl" => lnurls(),
        "flow" => FLOWS.iter().map(happenings).collect(),
        "hosted" => hosted(),
        "node_uri" => node_uris(),
        "offer" => offers(),
        "record" => records(),
        "text" => texts(),
        "url_policy" => urls(),
        _ => panic!("no target is named {target}"),
    }
}

fn answers() -> Vec<Vec<u8>> {
    let vectors = vectors();
    let bodies = list(&vectors, "callback_answers").map(|vector| text(vector, "body").to_owned());
    let echoes = format!(r#"{{"status":"error","reason":"no {K1} for\n{CALLBACK}\u202e"}}"#);
    let more = [
        echoes,
        r#"{"detail":"not found"}"#.into(),
        "<html>502</html>".into(),
    ];
    let lines = |body: String| format!("0\n{K1}\n{CALLBACK}\n{body}").into_bytes();
    bodies.chain(more).map(lines).collect()
}

fn bech32() -> Vec<Vec<u8>> {
    let vectors = vectors();
    let decoded = list(&vectors, "lnurl_decode");
    let all = decoded.chain(list(&vectors, "lnurl_refused"));
    let texts = all.map(|vector| format!("t\n{}", text(vector, "text")).into_bytes());
    let flaws = (0..8_u8).chain([8, 16, 24]);
    let flawed = flaws.map(|flaw| [&[flaw, b'\n'], LNURL.as_bytes()].concat());
    let long = format!("\0\nhttps://example.com/?{}", "q".repeat(2600)).into_bytes();
    texts.chain(flawed).chain([long]).collect()
}

fn callback_urls() -> Vec<Vec<u8>> {
    let vectors = vectors();
    let offered = list(&vectors, "offers")
        .filter_map(|vector| vector["body"]["callback"].as_str())
        .map(str::to_owned);
    let more = [
        "https://a.com/cb",
        "https://a.com/cb?",
        "https://a.com/cb?x=1&#f",
        "https://a.com/cb?x=1?",
        "https://a.com/cb?k1=old&remoteid=1&a=%7e+%2F&&private=0&%63ancel=1",
        "https://a.com/cb?K1=a&k1x=b&x=k1=c&=&d?e",
        "http://juhanurmihxlp77nkq76byazcldy2hlmovfu2epvl5ankdibsot4csyd.onion/cb",
    ];
    let callbacks: Vec<String> = offered.chain(more.map(str::to_owned)).collect();
    let all = ["0", "3"].iter().zip([K1, "x&cancel=1 ü~"]);
    all.flat_map(|(switches, k1)| {
        let lines = callbacks
            .iter()
            .map(move |url| format!("{switches}\n{k1}\n{url}"));
        lines.map(String::into_bytes)
    })
    .collect()
}

fn lnurls() -> Vec<Vec<u8>> {
    let vectors = vectors();
    let decoded = list(&vectors, "lnurl_decode");
    let all: Vec<&Value> = decoded.chain(list(&vectors, "lnurl_refused")).collect();
    let texts = all.iter().map(|vector| text(vector, "text").to_owned());
    let urls = all.iter().filter_map(|vector| vector["url"].as_str());
    let urls = urls.map(str::to_owned);
    let onion = text(&vectors, "onion_v3_valid");
    let bech32 = text(all[2], "text");
    let more = [
        format!("lnurlc:{onion}:8080/x?q=1"),
        format!("http://{onion}/x"),
        format!("https://example.com/?LIGHTNING={bech32}"),
        format!("bitcoin:bc1q?amount=1&lightning={bech32}"),
        format!(" \u{feff}web+lightning://{bech32}\n"),
        "lnurlp://example.com/pay".into(),
        "keyauth:example.com".into(),
        "https://example.com/?tag=login".into(),
        "lnurlc://bücher.example/%7e?q=ü#f".into(),
    ];
    let texts = texts.chain(urls).chain(more);
    texts.map(String::into_bytes).collect()
}

fn hosted() -> Vec<Vec<u8>> {
    let vectors = vectors();
    let invokes = list(&vectors, "invoke_hosted_channel").map(|vector| {
        let script = hex_of(text(vector, "refund_script_pubkey"));
        [vec![4, 0], script, hex_of(text(vector, "secret"))].concat()
    });
    let mut terms = vec![];
    for number in [1_000_000_u64, 1] {
        terms.extend(number.to_be_bytes());
    }
    terms.extend(30_u16.to_be_bytes());
    for number in [1_000_000_u64, 500] {
        terms.extend(number.to_be_bytes());
    }
    terms.extend([0, 0]);
    let legacy = [&[0, 36], &terms[..]].concat();
    let error = [&[0; 32][..], &[0, 7], b"no\nroom"].concat();
    let legacy_error = [&[0, 41], &error[..]].concat();
    // SHA-256 of the two keys, the lesser first.
    let keys = [hex_of(PEER), hex_of(OWN)].concat();
    let id = <sha2::Sha256 as sha2::Digest>::digest(keys);
    let about_us = [&id[..], &[0, 2], b"no"].concat();
    let messages = [
        (0, &terms),
        (0, &legacy),
        (1, &error),
        (2, &error),
        (2, &legacy_error),
        (3, &error),
        (3, &about_us),
        (7, &terms),
    ];
    let messages = messages.map(|(kind, payload)| [&[kind, 0], &payload[..]].concat());
    invokes.chain(messages).collect()
}

fn node_uris() -> Vec<Vec<u8>> {
    let vectors = vectors();
    let uris = list(&vectors, "offers").map(|vector| text(&vector["body"], "uri").to_owned());
    let onion = text(&vectors, "onion_v3_valid");
    let addresses = [
        "node.example.com".to_owned(),
        "node.example.com.:9736".to_owned(),
        "203.0.113.7:1".to_owned(),
        "127.1:65535".to_owned(),
        "0x7f.1".to_owned(),
        "[2001:DB8::1]:9735".to_owned(),
        "::ffff:1.2.3.4".to_owned(),
        format!("{onion}:9735"),
        "xn--bcher-kva.example".to_owned(),
    ];
    uris.chain(addresses).map(String::into_bytes).collect()
}

fn offers() -> Vec<Vec<u8>> {
    let vectors = vectors();
    let bodies = list(&vectors, "offers").map(|vector| vector["body"].to_string());
    let uri = format!("{PEER}@node.example.com:9735");
    let more = [
        format!(r#"{{"tag":"channelRequest","uri":"{uri}","callback":"../cb?s=1","k1":17}}"#),
        format!(
            r#"{{"tag":"hostedChannelRequest","uri":"{PEER}@[::1]:1","k1":"5ec7E7","alias":"a 5ec7e7\u202eb"}}"#
        ),
        format!(r#"{{"status":"ERROR","reason":"unknown {K1}"}}"#),
        r#"{"status":"ERROR","reason":"unknown unsaid and hush","k1":"hush","callback":"/?x=unsaid"}"#
            .to_owned(),
        r#"<a href="\/?r=redirected\/twice"#.to_owned(),
        r#"{"tag":"payRequest"}"#.to_owned(),
        r#"{"tag":"channelrequest"}"#.to_owned(),
        r#"{"detail":"not found"}"#.to_owned(),
        "\u{feff}{}".to_owned(),
        "<html>3fc3645b439ce8e7".to_owned(),
    ];
    let lines =
        |body| format!("1\n{LNURL}\nhttps://www.example.com/a/b?r=redirected%2Ftwice\n{body}");
    let answers = bodies.chain(more).map(lines);
    let in_query = format!(
        "1\nhttps://example.com/?tag=hostedChannelRequest&uri={uri}&k1=5ec7e7&alias=Host%20one\n\n"
    );
    answers.chain([in_query]).map(String::into_bytes).collect()
}

/// What the journal holds after each of the flows, and with amounts where those know none.
fn records() -> Vec<Vec<u8>> {
    let mut records: Vec<Vec<u8>> = Vec::new();
    for flow in FLOWS {
        let mut world = World::new(Kinds::from_bits(flow.0), false);
        for (what, how) in flow.1 {
            world.happen(*what, *how);
            for record in world.records() {
                let pushed = record.replace(r#""push_msat": null"#, r#""push_msat": 5000"#);
                for record in [record.as_bytes(), pushed.as_bytes()] {
                    if !records.iter().any(|known| known == record) {
                        records.push(record.to_vec());
                    }
                }
            }
        }
    }
    records
}

/// The kinds of the requests, and what happens; as `World::happen` reads it.
type Flow = (u8, &'static [(u8, u8)]);

const ASKS: [(u8, u8); 3] = [(0, 0), (6, 0), (7, 0)];

const FLOWS: [Flow; 9] = [
    // Asked, agreed, proposed, funded, known.
    (
        0,
        &[
            ASKS[0],
            ASKS[1],
            ASKS[2],
            (8, 0),
            (15, 0),
            (16, 0),
            (13, 0),
            (16, 6),
        ],
    ),
    // The channel comes first; the answer later.
    (
        0,
        &[
            ASKS[0],
            ASKS[1],
            ASKS[2],
            (8, 0),
            (16, 12),
            (15, 0),
            (10, 0),
            (2, 0),
        ],
    ),
    // Refused, accepted again, lost, time over, resumed, cancelled.
    (
        0,
        &[
            ASKS[0],
            ASKS[1],
            ASKS[2],
            (8, 0),
            (15, 3),
            (13, 0),
            (1, 1),
            (6, 0),
            (7, 0),
            (15, 5),
            (12, 0),
            (2, 0),
            (7, 3),
            (11, 0),
            (5, 0),
        ],
    ),
    // Not sent; a node that fails; the user leaves.
    (
        0,
        &[
            ASKS[0],
            ASKS[1],
            ASKS[2],
            (15, 7),
            (13, 0),
            (0, 0),
            (6, 12),
            (13, 0),
            (4, 0),
        ],
    ),
    // Killed in flight, then resumed; channels of the other visibility, and of nobody.
    (
        0,
        &[
            (16, 5),
            ASKS[0],
            ASKS[1],
            ASKS[2],
            (8, 0),
            (19, 0),
            (2, 0),
            (7, 0),
            (16, 25),
            (16, 1),
            (19, 0),
            (16, 1),
        ],
    ),
    // The disk is full, and is not.
    (
        0,
        &[
            (17, 1),
            ASKS[0],
            (17, 0),
            ASKS[0],
            ASKS[1],
            (17, 1),
            ASKS[2],
            (17, 0),
            (18, 9),
        ],
    ),
    // Hosted: offered; exists; refused; babble.
    (3, &[ASKS[0], ASKS[1], ASKS[2], (15, 0), (9, 0), (13, 0)]),
    (3, &[ASKS[0], ASKS[1], ASKS[2], (9, 1), (14, 0), (2, 0)]),
    (
        3,
        &[
            ASKS[0],
            ASKS[1],
            ASKS[2],
            (15, 0),
            (9, 98),
            (13, 0),
            (0, 128),
            (6, 128),
            (7, 128),
            (15, 128),
            (9, 3),
            (3, 128),
            (5, 128),
        ],
    ),
];

fn happenings((kinds, happenings): &Flow) -> Vec<u8> {
    let bytes = happenings.iter().flat_map(|(what, how)| [*what, *how]);
    [*kinds].into_iter().chain(bytes).collect()
}

fn texts() -> Vec<Vec<u8>> {
    let echoes = "no \u{1} for \u{6}\u{202e}and \u{b}: \u{2}\u{3}\u{4}\u{c}\u{12}";
    let texts = [
        (b'z', K1, CALLBACK, echoes),
        (b'!', "a", "https://a/?x=%E2%80%8B+y", "\u{1}\u{c}a b"),
        (0xff, "hush/hush%20", "https://a/?k&=&v=abcd", echoes),
        (0xff, "x y", "https://a/?v=one%20two", "x+y one+two"),
        (0xff, "x", "https://a/?v=a%2Fb+c", "a\\/b c, a/b+c"),
    ];
    let lines = |(max, k1, callback, text): (u8, &str, &str, &str)| {
        let rest = format!("\n{k1}\n{LNURL}\n{callback}\n{text}");
        [&[max], rest.as_bytes()].concat()
    };
    texts.map(lines).to_vec()
}

fn urls() -> Vec<Vec<u8>> {
    let vectors = vectors();
    let decoded = list(&vectors, "lnurl_decode").map(|vector| text(vector, "url").to_owned());
    let onion = text(&vectors, "onion_v3_valid");
    let references = ["/b", "//other.example/?q#f", "http://plain.example/"];
    let decoded = decoded
        .zip(references.iter().cycle())
        .map(|(url, reference)| format!("{url}\n{reference}"));
    let more = [
        format!("http://{onion}/a\nhttps://sub.{onion}/"),
        format!("http://{onion}./a\nhttps://example.com/"),
        "https://user@example.com/".to_owned(),
        "https://0x7f.1/\nhttps://2130706433/".to_owned(),
        "https://[::ffff:10.0.0.1]/\nhttps://[64:ff9b::a00:1]/".to_owned(),
        "https://[2002:a00:1::]/\nhttps://[2606:4700::1]:8443/".to_owned(),
        "https://printer.local/\nhttps://localhost./".to_owned(),
        "https://a..b/\nhttps://a:0/".to_owned(),
        "https:/\\example.com\\x".to_owned(),
    ];
    decoded.chain(more).map(String::into_bytes).collect()
}

fn list<'a>(vectors: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    vectors[name].as_array().expect("a list").iter()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().expect("a text")
}

fn hex_of(digits: &str) -> Vec<u8> {
    hex::decode(digits).expect("hex digits")
}
