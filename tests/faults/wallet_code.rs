//! Methods of the wallet that throw, panic, block, are late, or call the client from within.

use super::*;

fn wallet(stage: Stage, method: Method, what: &str, how: How, end: End) -> Cell {
    let name = format!("{} {what}", method_name(method));
    cell(stage, &name, Inject::Wallet(method, how), end)
}

fn method_name(method: Method) -> &'static str {
    match method {
        Method::NodeId => "node_id",
        Method::Readiness => "readiness",
        Method::Connect => "connect",
        Method::Release => "release_peer",
        Method::Send => "send_peer_message",
        Method::Script => "refund_script_pubkey",
        Method::Change => "on_request_changed",
    }
}

/// What any method of the wallet can do.
fn bad_ways() -> Vec<(&'static str, How)> {
    vec![
        ("throws", How::Fails),
        ("is not supported", How::Unsupported),
        ("panics", How::Panics),
        ("blocks", How::Blocks),
        ("answers late", How::Late),
    ]
}

fn node_fails(stage: Stage, method: Method, what: &str, how: How) -> Cell {
    let failed = End::Fails(Kind::NodeFailed);
    wallet(stage, method, what, how, failed)
        .keeps(Offered)
        .seen(1, 0, 0)
}

pub fn connecting() -> Vec<Cell> {
    let stage = Stage::Connect;
    let mut cells = Vec::new();
    for method in [Method::NodeId, Method::Readiness, Method::Connect] {
        for (what, how) in bad_ways() {
            cells.push(node_fails(stage, method, what, how));
        }
    }
    cells.push(node_fails(stage, Method::Connect, "is false", How::False));
    for (what, text) in [
        ("is empty", ""),
        ("is no hex", "zz"),
        ("is too short", &PEER_ID[..64]),
        (
            "is not on the curve",
            "02ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        ),
        (
            "has a wrong prefix",
            "05c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5",
        ),
    ] {
        cells.push(node_fails(stage, Method::NodeId, what, How::Text(text)));
    }
    let own = End::Fails(Kind::OwnNode);
    let own = wallet(
        stage,
        Method::NodeId,
        "is the target's",
        How::Text(PEER_ID),
        own,
    );
    cells.push(own.keeps(Offered).seen(1, 0, 0));
    for (what, how) in bad_ways() {
        // What a listener does with a change is its own affair.
        let name = format!("on_request_changed {what}; the channel comes");
        let inject = Inject::WalletAndChannel(Method::Change, how);
        let arrives = cell(stage, &name, inject, End::Works);
        cells.push(arrives.keeps(Arrived).seen(1, 1, 0));
    }
    let methods = [
        Method::NodeId,
        Method::Readiness,
        Method::Connect,
        Method::Change,
    ];
    for method in methods {
        cells.extend(calls_from_within(stage, method));
    }
    cells
}

/// The wallet's code calls the client, from within its own methods.
fn calls_from_within(stage: Stage, method: Method) -> Vec<Cell> {
    let hosted = stage == Stage::HostedSend;
    let asked = if hosted { 0 } else { 1 };
    let harmless: [(&str, Call); 4] = [
        ("reads all there is", |client, request| {
            // The listener may hear of an arrival when the call has ended.
            let snapshot = request.snapshot();
            assert!(snapshot.is_running || snapshot.state == Arrived);
            let [shown] = client.requests().try_into().unwrap();
            let shown: ChannelRequestSnapshot = shown;
            assert_eq!(shown.request_id, request.request_id());
            client.check_peers();
        }),
        ("asks again", |_, request| {
            let result = ask_again(request);
            assert!(matches!(result, Err(LnurlChannelError::WrongState { .. })));
        }),
        ("reports a stranger's channel", |client, _| {
            let verdict = client.report_incoming_channel(proposal(STRANGER_ID));
            assert_eq!(verdict, ChannelVerdict::Unrequested);
        }),
        ("reports a stranger's message", |client, _| {
            assert!(!client.report_peer_message(STRANGER_ID.into(), 65533, vec![0; 40]));
        }),
    ];
    let mut cells = Vec::new();
    for (what, call) in harmless {
        let name = format!("{} {what}; the channel comes", method_name(method));
        let inject = Inject::WalletAndChannel(method, How::Calls(call));
        let mut arrives = cell(stage, &name, inject, End::Works)
            .keeps(Arrived)
            .seen(1, asked, 0);
        arrives.seen.messages = 1 - asked;
        cells.push(arrives);
    }
    if matches!(method, Method::Change | Method::Send) {
        return cells;
    }
    let ending: [(&str, Call, ChannelRequestState, bool); 3] = [
        ("pauses", |_, request| request.pause(), Offered, false),
        (
            "cancels",
            |_, request| block_on(request.cancel()).unwrap(),
            Cancelled,
            false,
        ),
        (
            "shuts down",
            |client, _| block_on(client.shutdown()),
            Offered,
            true,
        ),
    ];
    for (what, call, state, reopen) in ending {
        let ended = End::Fails(Kind::Cancelled);
        let ended = wallet(stage, method, what, How::Calls(call), ended);
        let mut ended = ended.keeps(state).seen(1, 0, 0);
        ended.reopen = reopen;
        cells.push(ended);
    }
    cells
}

pub fn hosted_sending() -> Vec<Cell> {
    let stage = Stage::HostedSend;
    let mut cells = Vec::new();
    let methods = [
        Method::NodeId,
        Method::Readiness,
        Method::Script,
        Method::Connect,
    ];
    for method in methods {
        for (what, how) in bad_ways() {
            cells.push(node_fails(stage, method, what, how));
        }
    }
    cells.push(node_fails(stage, Method::Connect, "is false", How::False));
    let p2pkh = [&b"\x76\xa9\x14"[..], &[1; 20], b"\x88\xac"].concat();
    let p2sh = [&b"\xa9\x14"[..], &[1; 20], b"\x87"].concat();
    let p2tr = [&b"\x51\x20"[..], &[1; 32]].concat();
    for (what, script) in [
        ("is empty", vec![]),
        ("is P2PKH", p2pkh),
        ("is P2SH", p2sh),
        ("is P2TR", p2tr),
        ("is a byte short", [&b"\x00\x14"[..], &[1; 19]].concat()),
        ("is 100 KiB", vec![0; 100 * 1024]),
    ] {
        cells.push(node_fails(stage, Method::Script, what, How::Bytes(script)));
    }
    for (what, how, kind, state) in [
        ("throws", How::Fails, Kind::NodeFailed, Offered),
        (
            "is not supported",
            How::Unsupported,
            Kind::NodeFailed,
            Offered,
        ),
        ("panics", How::Panics, Kind::NodeFailed, Offered),
        ("is false", How::False, Kind::NodeFailed, Offered),
        ("blocks", How::Blocks, Kind::NoChannel, OutcomeUnknown),
        ("answers late", How::Late, Kind::NoChannel, OutcomeUnknown),
    ] {
        let sent = wallet(stage, Method::Send, what, how, End::Fails(kind));
        let mut sent = sent.keeps(state).seen(1, 0, 0);
        sent.seen.messages = 1;
        cells.push(sent);
    }
    for method in [Method::Script, Method::Send] {
        cells.extend(calls_from_within(stage, method));
    }
    cells
}
