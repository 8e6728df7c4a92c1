//! What the fuzzer starts from: the repository's vectors, in the form that each target reads, and a
//! few inputs for what no vector is about.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::samples::{OWN, PEER, vectors};
use crate::world::{What, World};

const K1: &str = "e2af6254a8df433264fa23f67eb8188635d15ce883e8fc020989d5f82ae6f11e";
const LNURL: &str = "https://example.com/c?q=3fc3645b439ce8e7";
const CALLBACK: &str = "https://api.example.com/cb?token=un%2Fsaid+it&b=2";

/// The seeds of the target of this name.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "answer" => answers(),
        "bech32" => bech32(),
        "callback_url" => callback_urls(),
        "client" => CLIENTS.iter().map(|client| happenings(client)).collect(),
        "decode_lnurl" => lnurls(),
        "hosted" => hosted(),
        "node_uri" => node_uris(),
        "offer" => offers(),
        "record" => records(),
        "text" => texts(),
        "text_around" => texts_around(),
        "url_policy" => urls(),
        "words" => words(),
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
    let lines = |body: String| format!("{K1}\n{CALLBACK}\n{body}").into_bytes();
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
    let in_text = list(&vectors, "lnurl_in_text").map(|vector| text(vector, "text").to_owned());
    let texts = texts.chain(urls).chain(in_text).chain(more);
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
    let single = list(&vectors, "node_uris").filter_map(|vector| vector["uri"].as_str());
    let single = single.map(str::to_owned);
    let uris = uris.chain(single);
    let addresses = [
        "2001:db8::1:9735".to_owned(),
        "2001:db8:1:2:3:4:5:6:9735".to_owned(),
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
    let callbacks = list(&vectors, "callbacks").map(|vector| {
        let callback = text(vector, "callback");
        json!({ "tag": "channelRequest", "uri": format!("{PEER}@8.8.4.4"), "callback": callback, "k1": K1 })
            .to_string()
    });
    let bodies = bodies.chain(callbacks);
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
        format!(
            r#"{{"tag":" channelRequest\n","uri":["x","{PEER}@10.0.0.1,{uri}"],"callback":" /cb\u200b","k1":" "}}"#
        ),
        format!(
            r#"{{"tag":"channelRequest","uri":"{PEER}@{} {uri}","callback":"cb","k1":"none"}}"#,
            text(&vectors, "onion_v3_valid")
        ),
        r#"{"status":"OK","callback":"/?x=unsaid","k1":"hush"}"#.to_owned(),
        "\u{feff}{}".to_owned(),
        "<html>3fc3645b439ce8e7".to_owned(),
    ];
    let lines =
        |body| format!("1\n{LNURL}\nhttps://www.example.com/a/b?r=redirected%2Ftwice\n{body}");
    let answers = bodies.chain(more).map(lines);
    let in_query = format!(
        "1\nhttps://example.com/?tag=hostedChannelRequest&uri={uri}&k1=5ec7e7&alias=Host%20one\n\n"
    );
    let onion = text(&vectors, "onion_v3_valid");
    let nodes = format!("{PEER}@10.0.0.1 {PEER}@{onion},{uri}");
    let choices = ["0", "1", "2", "3"].map(|switches| {
        let body = format!(
            r#"{{"tag":" channelRequest\n","uri":["{nodes}"],"callback":" /cb\u200b","k1":" "}}"#
        );
        format!("{switches}\n{LNURL}\n\n{body}")
    });
    let all = answers.chain([in_query]).chain(choices);
    all.map(String::into_bytes).collect()
}

/// What the journal holds after each of the happenings, and 0.1's record of each state.
fn records() -> Vec<Vec<u8>> {
    let mut records: Vec<String> = FIRST_EDITION.map(str::to_owned).into();
    for client in CLIENTS {
        let mut world = World::new();
        for (what, how) in client {
            world.happen(*what, *how);
            for record in world.records() {
                if !records.contains(&record) {
                    records.push(record);
                }
            }
        }
    }
    records.into_iter().map(String::into_bytes).collect()
}

/// How many of the ten states the seeds of `client` lead to.
pub fn states_of_client() -> usize {
    let mut states = HashSet::new();
    for client in CLIENTS {
        let mut world = World::new();
        for (what, how) in client {
            world.happen(*what, *how);
        }
        states.extend(world.states().iter().copied());
    }
    states.len()
}

macro_rules! first_edition {
    ($($name:literal),* $(,)?) => {
        [$(include_str!(concat!("../../core/src/record/tests/fixtures/0.1/", $name, ".json"))),*]
    };
}

const FIRST_EDITION: [&str; 25] = first_edition![
    "arrived-funded",
    "arrived-funded-announced",
    "arrived-proposed",
    "arrived-proposed-unanswered",
    "awaiting",
    "awaiting-after-a-mismatch",
    "cancelled",
    "cancelled-while-connecting",
    "connecting",
    "declined",
    "declined-after-asking",
    "hosted-arrived-exists",
    "hosted-arrived-offered",
    "hosted-awaiting",
    "hosted-cancelled",
    "hosted-connecting",
    "hosted-offered-in-the-lnurl",
    "hosted-outcome-unknown",
    "offered",
    "outcome-unknown",
    "outcome-unknown-asked-twice",
    "refused",
    "refused-and-returned",
    "requesting",
    "unrequested-channels",
];

/// The node tells of itself, and connects; the callback is written.
const NODE: (What, u8) = (What::TaskEnds, 0);
const FETCH: [(What, u8); 2] = [(What::Fetch, 0), (What::TaskEnds, 0)];
const FETCH_HOSTED: (What, u8) = (What::Fetch, 32);
const ACCEPT: (What, u8) = (What::Accept, 0);
const AGREED: (What, u8) = (What::TaskEnds, 0);
const REFUSED: (What, u8) = (What::TaskEnds, 3 << 3);
const UNCLEAR: (What, u8) = (What::TaskEnds, 4 << 3);

/// What happens, and how.
const CLIENTS: [&[(What, u8)]; 16] = [
    // Asked, agreed, proposed, funded, ready, dismissed; the app is killed.
    &[
        FETCH[0],
        FETCH[1],
        ACCEPT,
        NODE,
        NODE,
        NODE,
        AGREED,
        (What::Proposed, 8),
        (What::Funded, 8),
        (What::Ready, 8),
        (What::Dismiss, 0),
        (What::Killed, 0),
    ],
    // The channel comes before the answer, and is closed; the next one arrives.
    &[
        FETCH[0],
        FETCH[1],
        ACCEPT,
        NODE,
        NODE,
        NODE,
        (What::Proposed, 8),
        (What::Funded, 8),
        AGREED,
        (What::ChannelClosed, 64),
        ACCEPT,
        (What::Funded, 2),
        (What::Killed, 0),
        (What::Ready, 2),
    ],
    // Refused; its channel comes all the same.
    &[
        FETCH[0],
        FETCH[1],
        ACCEPT,
        NODE,
        NODE,
        NODE,
        REFUSED,
        (What::Killed, 0),
        (What::Proposed, 8),
        (What::Funded, 8),
        (What::Dismiss, 0),
    ],
    // Unclear; time over; asked again for the other visibility; cancelled; a late channel.
    &[
        FETCH[0],
        FETCH[1],
        ACCEPT,
        NODE,
        NODE,
        NODE,
        UNCLEAR,
        (What::TimePasses, 0x4f),
        NODE,
        NODE,
        (What::AskAgain, 16),
        NODE,
        NODE,
        NODE,
        AGREED,
        (What::Cancel, 0),
        NODE,
        (What::Proposed, 16),
        (What::Funded, 16),
        (What::Killed, 0),
    ],
    // Not sent, and tried again; a node that fails; the user leaves.
    &[
        FETCH[0],
        FETCH[1],
        ACCEPT,
        NODE,
        NODE,
        (What::TaskEnds, 6 << 3),
        (What::Due, 0),
        (What::TaskEnds, 5 << 3),
        ACCEPT,
        (What::TaskEnds, 14 << 3),
        ACCEPT,
        NODE,
        (What::TaskEnds, 3 << 3),
        ACCEPT,
        (What::Leave, 0),
    ],
    // Killed with the callback on its way; waits on; channels of the other visibility, and of nobody.
    &[
        (What::Funded, 1),
        FETCH[0],
        FETCH[1],
        ACCEPT,
        NODE,
        NODE,
        NODE,
        (What::Killed, 0),
        ACCEPT,
        NODE,
        (What::Proposed, 16),
        (What::Funded, 16),
        (What::Funded, 4),
        (What::Killed, 0),
    ],
    // The disk is full, and is not.
    &[
        (What::DiskFills, 1),
        FETCH[0],
        FETCH[1],
        ACCEPT,
        (What::DiskFills, 0),
        ACCEPT,
        NODE,
        (What::DiskFills, 1),
        NODE,
        (What::DiskFills, 0),
        ACCEPT,
        NODE,
        NODE,
        NODE,
        (What::DiskFills, 1),
        (What::Funded, 0),
        (What::Shutdown, 0),
    ],
    // The connection is lost, and made anew; the proposal is gone with it.
    &[
        FETCH[0],
        FETCH[1],
        ACCEPT,
        NODE,
        NODE,
        NODE,
        AGREED,
        (What::Proposed, 8),
        (What::PeerConnection, 0),
        NODE,
        (What::CheckPeers, 0),
        (What::Due, 0),
        NODE,
        (What::TimePasses, 0x3f),
        (What::Pause, 0),
    ],
    // Old channels, more than can be told from a new one.
    &[
        FETCH[0],
        FETCH[1],
        ACCEPT,
        (What::TaskEnds, 10 << 3),
        NODE,
        NODE,
        AGREED,
        (What::Funded, 0),
        (What::Proposed, 2),
        (What::Funded, 2),
    ],
    // Two requests to one peer.
    &[
        FETCH[0],
        FETCH[1],
        (What::Fetch, 64),
        (What::TaskEnds, 0),
        ACCEPT,
        NODE,
        NODE,
        NODE,
        (What::Accept, 1),
        NODE,
        NODE,
        NODE,
        (What::Proposed, 0),
        (What::Proposed, 2),
        (What::Funded, 0),
        (What::Funded, 2),
        (What::Funded, 4),
        (What::Cancel, 0),
        (What::Cancel, 1),
    ],
    // Hosted: offered; there already; refused; not understood.
    &[
        FETCH_HOSTED,
        ACCEPT,
        NODE,
        NODE,
        NODE,
        (What::HostMessage, 0),
        (What::Killed, 0),
        ACCEPT,
    ],
    &[
        FETCH_HOSTED,
        ACCEPT,
        NODE,
        NODE,
        NODE,
        (What::HostMessage, 2),
        (What::Dismiss, 0),
    ],
    &[
        FETCH_HOSTED,
        ACCEPT,
        NODE,
        NODE,
        NODE,
        (What::HostMessage, 4),
        (What::AskAgain, 0),
        NODE,
        NODE,
        NODE,
        (What::PeerConnection, 0),
        (What::HostMessage, 10),
        (What::Killed, 0),
        (What::ClockIsSet, 1),
        (What::Shutdown, 0),
        ACCEPT,
    ],
    // A node that can do nothing is asked first; one that fails; one that is not waited for.
    &[
        FETCH[0],
        FETCH[1],
        (What::Preflight, 0),
        (What::TaskEnds, 16 << 3),
        (What::Preflight, 16),
        (What::TaskEnds, 14 << 3),
        (What::Preflight, 0),
        (What::Leave, 0),
        ACCEPT,
        (What::TaskEnds, 16 << 3),
        (What::Preflight, 0),
        NODE,
        NODE,
        AGREED,
        (What::TimePasses, 0x4f),
    ],
    // The channel that arrived is waited for, and can be used.
    &[
        FETCH[0],
        FETCH[1],
        (What::AwaitReady, 0),
        ACCEPT,
        NODE,
        NODE,
        NODE,
        (What::Funded, 8),
        (What::AwaitReady, 0),
        NODE,
        (What::PeerConnection, 0),
        (What::TimePasses, 0x4f),
        (What::Killed, 0),
        (What::AwaitReady, 0),
        NODE,
        ACCEPT,
        (What::Ready, 8),
        (What::AwaitReady, 0),
    ],
    // It is closed before.
    &[
        FETCH[0],
        FETCH[1],
        ACCEPT,
        NODE,
        NODE,
        NODE,
        AGREED,
        (What::Funded, 8),
        (What::AwaitReady, 0),
        NODE,
        (What::AwaitReady, 0),
        (What::ChannelClosed, 72),
        ACCEPT,
        (What::Funded, 10),
        (What::AwaitReady, 0),
    ],
];

fn happenings(client: &[(What, u8)]) -> Vec<u8> {
    let bytes = client.iter().flat_map(|(what, how)| [what.as_byte(), *how]);
    [1].into_iter().chain(bytes).collect()
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
    let vectors = vectors();
    let cleaned = list(&vectors, "cleaned_text").map(|vector| text(vector, "text"));
    let cleaned = cleaned.map(|text| (0xff, "hush", "https://a/?v=abcd", text));
    texts.into_iter().chain(cleaned).map(lines).collect()
}

fn texts_around() -> Vec<Vec<u8>> {
    let vectors = vectors();
    let found = list(&vectors, "lnurl_in_text").map(|vector| text(vector, "text"));
    let parted = found.flat_map(|found| found.split(char::is_whitespace).map(str::to_owned));
    let plain = parted.filter(|part| !part.to_ascii_lowercase().contains("lnurl"));
    let more = [
        "\u{1}",
        "Scan \u{1}, or paste it: \u{1}",
        "one \u{1}\ntwo \u{2}",
        "\u{2} keyauth://a.example/x and https://b.example/?a=b (\u{2})",
        "one two three four five six seven eight nine ten \u{1} eleven twelve",
        "nothing here: bc1q, lnbc1, LNbits",
    ];
    let texts: Vec<String> = plain.chain(more.map(str::to_owned)).collect();
    let hows = (0..=255_u8).step_by(17).filter(|how| *how != b'\n');
    let lines = |(how, text): (u8, &String)| [&[how, b'\n'], text.as_bytes()].concat();
    hows.zip(texts.iter().cycle()).map(lines).collect()
}

fn words() -> Vec<Vec<u8>> {
    let vectors = vectors();
    let bodies = list(&vectors, "words").map(|vector| vector["body"].to_string());
    let more = [
        r#"{"reason":7,"message":{},"detail":[],"error":"no @0 and @6"}"#,
        r#"{"message":"second","reason":"first","error":{"title":"b","msg":"a"}}"#,
        r#"{"errors":[{"description":"a","msg":"b"}]}"#,
        r#"{"detail":[1,{"loc":["k1"]},{"description":"no @1"},{"msg":"other"}]}"#,
        r#"{"error":{"error":{"title":"no @2@7"}},"errors":[["@3"]]}"#,
        r#"{"error":{"error":{"error":{"error":"x"}}},"title":"\ue000 \u3164"}"#,
        r#"{"reason":" \u200b","message":{"reason":"","msg":"e\u0301\u0301\u0301\u0301"}}"#,
    ];
    let bodies = bodies.chain(more.map(str::to_owned));
    let lines = |body| format!("{K1}\n{LNURL}\n{CALLBACK}\n{body}").into_bytes();
    bodies.map(lines).collect()
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
        "https://router/\nhttps://nas.home.arpa./".to_owned(),
        "https://[64:ff9b:1::a00:1]/\nhttps://[64:ff9b:1:a00:1:100::]/".to_owned(),
        "https://[2606:4700::5efe:a00:1]/\nhttps://box.lan/".to_owned(),
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
