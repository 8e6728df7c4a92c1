//! Answers that arrive well, and are wrong in what they say.

use super::*;

pub fn offers() -> Vec<Cell> {
    use Kind::{InvalidResponse, TorRequired, UnsafeUrl, UnsupportedTag};
    let good = crate::service::offer(false).replace("{base}", "https://localhost");
    let uri = format!(r#""{}@peer.example:9735""#, PEER_ID);
    let of = |field: &str, from: &str, to: &str| {
        let (from, to) = (format!(r#""{field}":{from}"#), format!(r#""{field}":{to}"#));
        assert!(good.contains(&from), "{from}");
        good.replace(&from, &to)
    };
    let callback = r#""https://localhost/callback""#;
    let fields = [
        ("tag", r#""channelRequest""#),
        ("uri", uri.as_str()),
        ("callback", callback),
        ("k1", r#""k1""#),
    ];
    let mut offers = Vec::new();
    for (field, value) in fields {
        for (what, wrong) in [
            ("null", "null"),
            ("true", "true"),
            ("an array", r#"["x"]"#),
            ("an object", r#"{"x":1}"#),
            ("empty", r#""""#),
        ] {
            if (field, what) != ("k1", "empty") && (field, what) != ("callback", "empty") {
                offers.push((
                    format!("{field} is {what}"),
                    of(field, value, wrong),
                    InvalidResponse,
                ));
            }
        }
        let twice = good.replacen('{', &format!(r#"{{"{field}":{value},"#), 1);
        offers.push((format!("{field} stands twice"), twice, InvalidResponse));
        let without = good.replace(&format!(r#""{field}":{value}"#), r#""other":1"#);
        offers.push((format!("{field} is missing"), without, InvalidResponse));
        if field != "k1" {
            offers.push((
                format!("{field} is a number"),
                of(field, value, "7"),
                InvalidResponse,
            ));
        }
    }
    let key = PEER_ID;
    let off_curve = format!("02{}", "ff".repeat(32));
    for (name, wrong) in [
        ("uri without a host", key.to_owned()),
        (
            "uri with a key off the curve",
            format!("{off_curve}@peer.example:9735"),
        ),
        (
            "uri with a short key",
            format!("{}@peer.example:9735", &key[..64]),
        ),
        ("uri with port 0", format!("{key}@peer.example:0")),
        ("uri with port 65536", format!("{key}@peer.example:65536")),
        (
            "uri with an onion service of version 2",
            format!("{key}@expyuzz4wqqyqhjn.onion:9735"),
        ),
    ] {
        offers.push((
            name.to_owned(),
            of("uri", &uri, &format!(r#""{wrong}""#)),
            InvalidResponse,
        ));
    }
    for (name, wrong, kind) in [
        (
            "callback over plain http",
            "http://localhost/callback".to_owned(),
            UnsafeUrl,
        ),
        (
            "callback with user info",
            "https://a:b@localhost/callback".into(),
            UnsafeUrl,
        ),
        (
            "callback of another scheme",
            "file:///etc/passwd".into(),
            UnsafeUrl,
        ),
        (
            "callback of 5 KiB",
            format!("https://localhost/{}", "x".repeat(5000)),
            UnsafeUrl,
        ),
        (
            "callback at an onion service, without a proxy",
            "http://juhanurmihxlp77nkq76byazcldy2hlmovfu2epvl5ankdibsot4csyd.onion/x".into(),
            TorRequired,
        ),
    ] {
        offers.push((
            name.to_owned(),
            of("callback", callback, &format!(r#""{wrong}""#)),
            kind,
        ));
    }
    let long = format!(r#""{}""#, "x".repeat(1025));
    offers.push((
        "k1 of more than 1 KiB".into(),
        of("k1", r#""k1""#, &long),
        InvalidResponse,
    ));
    for (tag, kind) in [
        ("withdrawRequest", UnsupportedTag),
        ("payRequest", UnsupportedTag),
        ("login", UnsupportedTag),
        ("CHANNELREQUEST", InvalidResponse),
    ] {
        let offer = of("tag", r#""channelRequest""#, &format!(r#""{tag}""#));
        offers.push((format!("tag is {tag}"), offer, kind));
    }
    for (name, body) in [
        ("status ERROR", r#"{"status":"ERROR","reason":"sold out"}"#),
        (
            "status error, in lower case",
            r#"{"status":"error","reason":"sold out"}"#,
        ),
        ("ERROR without a reason", r#"{"status":"ERROR"}"#),
        (
            "ERROR whose reason is a number",
            r#"{"status":"ERROR","reason":5}"#,
        ),
        ("detail in place of a reason", r#"{"detail":"Not Found"}"#),
    ] {
        offers.push((name.into(), body.into(), Kind::Refused));
    }
    let cells = offers.into_iter().map(|(name, body, kind)| {
        let inject = Inject::Service(Fault::body(body));
        cell(Stage::Fetch, &name, inject, End::Fails(kind)).seen(1, 0, 0)
    });
    cells.collect()
}

pub fn refusals() -> Vec<Cell> {
    let answers = [
        ("ERROR", 200, r#"{"status":"ERROR","reason":"sold out"}"#),
        (
            "error, in lower case",
            200,
            r#"{"status":"error","reason":"sold out"}"#,
        ),
        ("ERROR without a reason", 200, r#"{"status":"ERROR"}"#),
        (
            "ERROR whose reason is an object",
            200,
            r#"{"status":"ERROR","reason":{}}"#,
        ),
        (
            "ERROR with HTTP status 500",
            500,
            r#"{"status":"ERROR","reason":"sold out"}"#,
        ),
    ];
    let cells = answers.map(|(name, status, body)| {
        let inject = Inject::Service(Fault::answer(status, "", body));
        let refused = End::Fails(Kind::Refused);
        let cell = cell(Stage::Callback, name, inject, refused);
        cell.keeps(Refused).seen(1, 1, 0)
    });
    cells.into()
}
