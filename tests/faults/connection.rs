//! Faults of the connection, and of the proxy that it goes through.

use super::*;

/// Before a request can have been written.
fn before_the_request() -> Vec<(&'static str, Fault)> {
    vec![
        ("connection refused", Fault::Refused),
        ("reset on connect", Fault::ResetOnConnect),
        ("reset within the TLS handshake", Fault::ResetInHandshake),
        ("closed within the TLS handshake", Fault::ClosedInHandshake),
        ("silence in place of TLS", Fault::SilentBeforeTls),
        (
            "HTTP in the clear in place of TLS",
            Fault::InPlaceOfTls(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ),
        (
            "bytes of chance in place of TLS",
            Fault::InPlaceOfTls(b"\x00\xff\x13\x37\x00\x00\xfe\x01\x80"),
        ),
        (
            "TLS alert in place of a handshake",
            Fault::InPlaceOfTls(b"\x15\x03\x03\x00\x02\x02\x28"),
        ),
        ("certificate expired", Fault::Certificate(Flaw::Expired)),
        (
            "certificate not valid yet",
            Fault::Certificate(Flaw::NotYetValid),
        ),
        (
            "certificate self-signed",
            Fault::Certificate(Flaw::SelfSigned),
        ),
        (
            "certificate of another name",
            Fault::Certificate(Flaw::WrongName),
        ),
        (
            "certificate of an unknown authority",
            Fault::Certificate(Flaw::UnknownAuthority),
        ),
    ]
}

/// Once it was, or may have been; with the error that a fetch ends with.
fn after_the_request() -> Vec<(&'static str, Fault, Kind)> {
    use Kind::{InvalidResponse, Unreachable};
    let ok = br#"{"status":"OK"}"#;
    let head = "HTTP/1.1 200 OK\r\n";
    let raw = |text: &str| Fault::Raw(format!("{head}{text}").into_bytes());
    let many = "X: y\r\n".repeat(500);
    let long = format!("X: {}\r\n", "y".repeat(1024 * 1024));
    let huge = "x".repeat(65 * 1024);
    vec![
        (
            "reset with the request unread",
            Fault::ResetUnread,
            Unreachable,
        ),
        (
            "reset after the request",
            Fault::ResetAfterRequest,
            Unreachable,
        ),
        (
            "closed after the request",
            Fault::ClosedAfterRequest,
            Unreachable,
        ),
        ("silence after the request", Fault::Silence, Unreachable),
        (
            "answer drips, one byte at a time",
            Fault::Drip(answer(200, "", ok)),
            Unreachable,
        ),
        (
            "silence after the headers",
            Fault::RawAndSilence(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n".into()),
            Unreachable,
        ),
        (
            "silence within the body",
            Fault::RawAndSilence(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"stat".into()),
            Unreachable,
        ),
        ("headers cut", raw("Content-Le"), Unreachable),
        (
            "body cut",
            raw("Content-Length: 150\r\n\r\n{\"status\":\"OK\"}"),
            Unreachable,
        ),
        (
            "chunked body cut",
            raw("Transfer-Encoding: chunked\r\n\r\nf\r\n{\"status\":"),
            Unreachable,
        ),
        (
            "chunked body without its end",
            raw("Transfer-Encoding: chunked\r\n\r\nf\r\n{\"status\":\"OK\"}\r\n"),
            Unreachable,
        ),
        (
            "chunk size is no number",
            raw("Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
            Unreachable,
        ),
        (
            "two lengths that differ",
            raw("Content-Length: 15\r\nContent-Length: 2\r\n\r\n{\"status\":\"OK\"}"),
            InvalidResponse,
        ),
        (
            "a length that is no number",
            raw("Content-Length: -1\r\n\r\n{\"status\":\"OK\"}"),
            InvalidResponse,
        ),
        (
            "garbage in place of HTTP",
            Fault::Raw(b"\x00\x01\x02 what is HTTP?\r\n\r\n".into()),
            InvalidResponse,
        ),
        ("HTTP/0.9", Fault::Raw(ok.into()), InvalidResponse),
        (
            "a megabyte of one header",
            raw(&format!("{long}\r\n")),
            InvalidResponse,
        ),
        ("500 headers", raw(&format!("{many}\r\n")), InvalidResponse),
        ("body of 65 KiB", Fault::body(&huge), InvalidResponse),
        (
            "body of 65 KiB, without a length",
            raw(&format!("\r\n{huge}")),
            InvalidResponse,
        ),
        (
            "gigabytes are promised, silence follows",
            Fault::RawAndSilence(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n{".into()),
            Unreachable,
        ),
        (
            "gzip, although not asked for",
            Fault::answer(200, "Content-Encoding: gzip\r\n", gzip(ok)),
            InvalidResponse,
        ),
        (
            "compressed bomb, 6 MiB from 40 KiB",
            Fault::answer(200, "Content-Encoding: gzip\r\n", bomb()),
            InvalidResponse,
        ),
        ("empty body", Fault::body(""), InvalidResponse),
        (
            "status 204",
            Fault::Raw(b"HTTP/1.1 204 No Content\r\n\r\n".into()),
            InvalidResponse,
        ),
        (
            "web page",
            Fault::answer(
                502,
                "Content-Type: text/html\r\n",
                "<html>Bad gateway</html>",
            ),
            InvalidResponse,
        ),
        (
            "not UTF-8",
            Fault::body(b"{\"status\":\"\xff\xfe\"}"),
            InvalidResponse,
        ),
        (
            "UTF-16",
            Fault::body(utf16(r#"{"status":"OK"}"#)),
            InvalidResponse,
        ),
        (
            "JSON cut",
            Fault::body(r#"{"status":"OK""#),
            InvalidResponse,
        ),
        (
            "something after the JSON",
            Fault::body(r#"{"status":"OK"} {}"#),
            InvalidResponse,
        ),
        (
            "JSON array",
            Fault::body(r#"[{"status":"OK"}]"#),
            InvalidResponse,
        ),
        ("JSON string", Fault::body(r#""OK""#), InvalidResponse),
        ("JSON null", Fault::body("null"), InvalidResponse),
        ("nested 17 deep", Fault::body(nested(16)), InvalidResponse),
        (
            "nested 30,000 deep",
            Fault::body(nested(30_000)),
            InvalidResponse,
        ),
        ("empty object", Fault::body("{}"), InvalidResponse),
        (
            "status is a number",
            Fault::body(r#"{"status":200}"#),
            InvalidResponse,
        ),
        (
            "status is null",
            Fault::body(r#"{"status":null}"#),
            InvalidResponse,
        ),
        (
            "status is an array",
            Fault::body(r#"{"status":["OK"]}"#),
            InvalidResponse,
        ),
        (
            "status is an object",
            Fault::body(r#"{"status":{"OK":true}}"#),
            InvalidResponse,
        ),
        (
            "status is true",
            Fault::body(r#"{"status":true}"#),
            InvalidResponse,
        ),
        (
            "redirect without a location",
            Fault::answer(302, "", ""),
            InvalidResponse,
        ),
    ]
}

/// The callback's connection is opened while the node connects. What becomes of it then is no answer.
fn before_the_node_is_connected() -> Vec<Cell> {
    let name = |name: &str| format!("{name}, while the node connects");
    let mut faults = before_the_request();
    faults.push(("idle connections closed", Fault::ClosesIdle));
    let mut cells = Vec::new();
    for (fault_name, fault) in faults {
        // It would be waited for as long as for a connection that is made later.
        if matches!(fault, Fault::SilentBeforeTls) {
            continue;
        }
        let name = format!("{}; the channel comes", name(fault_name));
        let arrives = cell(
            Stage::Callback,
            &name,
            Inject::UntilConnected(fault),
            End::Works,
        );
        cells.push(arrives.keeps(Arrived).seen(1, 1, 0));
    }
    let closes = Inject::FromConnect(Fault::ClosesIdle);
    let closes = cell(
        Stage::Callback,
        "idle connections closed, always",
        closes,
        End::Fails(Kind::NoChannel),
    );
    cells.push(closes.keeps(Awaiting).seen(1, 1, 0));
    let silent = Inject::FromConnect(Fault::SilentBeforeTls);
    let silent = cell(
        Stage::Callback,
        "silence in place of TLS, from before the node is connected",
        silent,
        End::Fails(Kind::Unreachable),
    );
    cells.push(silent.keeps(Offered).seen(1, 0, 0));
    cells
}

pub fn network() -> Vec<Cell> {
    use Stage::{Callback, Cancel, Fetch, Wait};
    let mut cells = before_the_node_is_connected();
    for (name, fault) in before_the_request() {
        let inject = || Inject::Service(fault.clone());
        let unreachable = End::Fails(Kind::Unreachable);
        cells.push(cell(Fetch, name, inject(), unreachable));
        let asked = cell(Callback, name, inject(), unreachable);
        cells.push(asked.keeps(Offered).seen(1, 0, 0));
        let cancelled = cell(Cancel, name, inject(), End::Works);
        let cancelled = cancelled.keeps(Cancelled);
        cells.push(cancelled.seen(1, 1, 0));
    }
    for (name, fault, kind) in after_the_request() {
        let read = usize::from(!matches!(fault, Fault::ResetUnread));
        let inject = || Inject::Service(fault.clone());
        cells.push(cell(Fetch, name, inject(), End::Fails(kind)).seen(read, 0, 0));
        let lost = cell(Callback, name, inject(), End::Fails(Kind::NoChannel));
        cells.push(lost.keeps(OutcomeUnknown).seen(1, read, 0));
        if kind == Kind::InvalidResponse {
            // What is not read makes no difference.
            continue;
        }
        let and_channel = Inject::ServiceAndChannel(fault.clone());
        let arrives = cell(
            Wait,
            &format!("{name}; the channel comes"),
            and_channel,
            End::Works,
        );
        let arrives = arrives.keeps(Arrived);
        cells.push(arrives.seen(1, read, 0));
        let cancelled = cell(Cancel, name, inject(), End::Works);
        let cancelled = cancelled.keeps(Cancelled);
        cells.push(cancelled.seen(1, 1, read));
    }
    cells
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn nested(depth: usize) -> String {
    let (open, close) = ("[".repeat(depth), "]".repeat(depth));
    format!(r#"{{"status":"OK","x":{open}{close}}}"#)
}

/// One stored block.
fn gzip(content: &[u8]) -> Vec<u8> {
    let length = content.len() as u16;
    let mut bytes = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x01".to_vec();
    bytes.extend(length.to_le_bytes());
    bytes.extend((!length).to_le_bytes());
    bytes.extend(content);
    bytes.extend(crc32(content).to_le_bytes());
    bytes.extend(u32::from(length).to_le_bytes());
    bytes
}

fn crc32(content: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in content {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

/// A space, and then without end "the same again, 258 times", 13 bits each.
fn bomb() -> Vec<u8> {
    let mut bits: Vec<u8> = vec![1, 1, 0];
    let mut code = |code: u32, length: u32| {
        bits.extend((0..length).rev().map(|bit| (code >> bit & 1) as u8));
    };
    code(0x30 + u32::from(b' '), 8);
    for _ in 0..25_000 {
        code(0b1100_0101, 8);
        code(0, 5);
    }
    let mut bytes = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff".to_vec();
    bytes.extend(bits.chunks(8).map(|byte| {
        let bits = byte.iter().enumerate();
        bits.fold(0, |byte, (place, bit)| byte | bit << place)
    }));
    bytes
}

pub fn proxies() -> Vec<Cell> {
    use Stage::{Callback, Cancel, Fetch};
    let faults = [
        ("is down", ProxyFault::Down),
        ("resets", ProxyFault::ResetOnConnect),
        ("is silent", ProxyFault::Silence),
        ("does not let us in", ProxyFault::Unauthorised),
        ("refuses to connect", ProxyFault::Refuses),
        ("hangs while it connects", ProxyFault::HangsOnConnect),
        ("speaks garbage", ProxyFault::Garbage),
        ("ends in the middle of its answer", ProxyFault::Truncated),
        ("drips", ProxyFault::Drip),
    ];
    let mut cells = Vec::new();
    for (place, kind) in [(Place::Public, "SOCKS"), (Place::HttpProxy, "HTTP")] {
        for (name, fault) in faults {
            let name = format!("{kind} proxy {name}");
            let unreachable = End::Fails(Kind::Unreachable);
            let inject = || Inject::Proxy(fault);
            cells.push(cell(Fetch, &name, inject(), unreachable).at(place));
            let asked = cell(Callback, &name, inject(), unreachable).at(place);
            cells.push(asked.keeps(Offered).seen(1, 0, 0));
            let cancelled = cell(Cancel, &name, inject(), End::Works).at(place);
            let cancelled = cancelled.keeps(Cancelled);
            cells.push(cancelled.seen(1, 1, 0));
        }
    }
    cells
}
