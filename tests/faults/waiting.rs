//! What comes, or does not come, while the channel is awaited.

use super::*;

pub fn waiting() -> Vec<Cell> {
    let none = End::Fails(Kind::NoChannel);
    let over = End::Fails(Kind::Cancelled);
    let meanwhile: [(&str, Meanwhile, End, ChannelRequestState); 18] = [
        ("nothing comes", |_, _| {}, none, Awaiting),
        (
            "a stranger's channel comes",
            |world, _| {
                let verdict = world
                    .client()
                    .report_incoming_channel(proposal(STRANGER_ID));
                assert_eq!(verdict, ChannelVerdict::Unrequested);
            },
            none,
            Awaiting,
        ),
        (
            "a channel of the other visibility comes",
            |world, request| {
                let channel = IncomingChannel {
                    is_announced: Some(true),
                    ..proposal(PEER_ID)
                };
                let verdict = world.client().report_incoming_channel(channel);
                assert_eq!(verdict, wrong_visibility(request));
            },
            none,
            Awaiting,
        ),
        (
            "a channel of no valid key comes",
            |world, _| {
                let channel = IncomingChannel {
                    peer_id: "zz".into(),
                    ..proposal(PEER_ID)
                };
                let verdict = world.client().report_incoming_channel(channel);
                assert_eq!(verdict, ChannelVerdict::Unrequested);
            },
            none,
            Awaiting,
        ),
        (
            "a channel that nobody knows is closed",
            |world, _| {
                let client = world.client();
                client.report_channel_closed(PEER_ID.into(), Some("ee".into()), None);
            },
            none,
            Awaiting,
        ),
        (
            "a proposal fails that was never shown",
            |world, _| {
                let client = world.client();
                client.report_channel_closed(PEER_ID.into(), None, Some("no anchors".into()));
            },
            none,
            Awaiting,
        ),
        (
            "a proposal comes, and fails",
            |world, request| {
                let client = world.client();
                let verdict = client.report_incoming_channel(proposal(PEER_ID));
                assert_eq!(verdict, expected(request));
                client.report_channel_closed(PEER_ID.into(), Some("ab".into()), None);
            },
            none,
            Awaiting,
        ),
        (
            "a proposal comes, and is never funded",
            |world, request| {
                let verdict = world.client().report_incoming_channel(proposal(PEER_ID));
                assert_eq!(verdict, expected(request));
            },
            none,
            Opening,
        ),
        (
            "a host's message, though funded",
            |world, _| {
                let message = init_hosted_channel();
                assert!(
                    !world
                        .client()
                        .report_peer_message(PEER_ID.into(), 65533, message)
                );
            },
            none,
            Awaiting,
        ),
        (
            "connect throws",
            |world, _| world.node.set(Method::Connect, How::Fails),
            none,
            Awaiting,
        ),
        (
            "connect is false",
            |world, _| world.node.set(Method::Connect, How::False),
            none,
            Awaiting,
        ),
        (
            "connect panics",
            |world, _| world.node.set(Method::Connect, How::Panics),
            none,
            Awaiting,
        ),
        (
            "connect blocks",
            |world, _| world.node.set(Method::Connect, How::Blocks),
            none,
            Awaiting,
        ),
        (
            "connect answers late",
            |world, _| world.node.set(Method::Connect, How::Late),
            none,
            Awaiting,
        ),
        (
            "the service goes away",
            |world, _| world.service.set(Fault::Refused),
            none,
            Awaiting,
        ),
        ("paused", |_, request| request.pause(), over, Awaiting),
        (
            "shut down",
            |world, _| block_on(world.client().shutdown()),
            over,
            Awaiting,
        ),
        (
            "cancelled",
            |_, request| block_on(request.cancel()).unwrap(),
            over,
            Cancelled,
        ),
    ];
    let mut cells: Vec<Cell> = meanwhile
        .into_iter()
        .map(|(name, act, end, state)| {
            let mut cell = cell(Stage::Wait, name, Inject::Meanwhile(act), end);
            cell.reopen = name == "shut down";
            let cancels = usize::from(state == Cancelled);
            cell.keeps(state).seen(1, 1, cancels)
        })
        .collect();
    let failed: Meanwhile = |world, request| {
        world.deliver(request);
        let client = world.client();
        client.report_channel_closed(PEER_ID.into(), Some("ab".into()), None);
    };
    for (name, act, state) in [
        ("the channel comes, and is closed", failed, Awaiting),
        (
            "the channel comes, and is reported again",
            |world, request| {
                world.deliver(request);
                let again = channel(PEER_ID, ChannelStage::Funded, "ab");
                let verdict = world.client().report_incoming_channel(again);
                assert_eq!(verdict, expected(request));
            },
            Arrived,
        ),
    ] as [(&str, Meanwhile, ChannelRequestState); 2]
    {
        let arrives = cell(Stage::Wait, name, Inject::Meanwhile(act), End::Works);
        cells.push(arrives.keeps(state).seen(1, 1, 0));
    }
    cells
}

pub fn hosted_waiting() -> Vec<Cell> {
    let none = (End::Fails(Kind::NoChannel), Awaiting);
    let broken = (End::Fails(Kind::InvalidResponse), OutcomeUnknown);
    let refused = (End::Fails(Kind::Refused), Refused);
    let arrives = (End::Works, Arrived);
    let over = End::Fails(Kind::Cancelled);
    let meanwhile: Vec<(&str, Meanwhile, (End, ChannelRequestState))> = vec![
        ("the host is silent", |_, _| {}, none),
        (
            "an empty offer",
            |world, _| host_says(world, 65533, vec![]),
            broken,
        ),
        (
            "terms cut by a byte",
            |world, _| host_says(world, 65533, init_hosted_channel()[..33].to_vec()),
            broken,
        ),
        (
            "an offer cut after its first field",
            |world, _| {
                host_says(world, 65533, init_hosted_channel()[..8].to_vec());
            },
            broken,
        ),
        (
            "an offer of no capacity",
            |world, _| host_says(world, 65533, init_with(30, 0, 0)),
            broken,
        ),
        (
            "an offer of no HTLCs",
            |world, _| host_says(world, 65533, init_with(0, 1000, 0)),
            broken,
        ),
        (
            "an offer of more than there is",
            |world, _| host_says(world, 65533, init_with(30, 1000, 1001)),
            broken,
        ),
        (
            "an offer whose features are cut, which is the wallet's to see",
            |world, _| {
                let message = [&init_hosted_channel()[..34], &[0, 9, 1]].concat();
                host_says(world, 65533, message);
            },
            arrives,
        ),
        (
            "an empty state",
            |world, _| host_says(world, 65531, vec![]),
            broken,
        ),
        (
            "a state cut by a byte",
            |world, _| host_says(world, 65531, vec![0x5a; 196]),
            broken,
        ),
        (
            "a refusal",
            |world, _| host_says(world, 63497, error([7; 32], b"unknown secret")),
            refused,
        ),
        (
            "a refusal that is not UTF-8",
            |world, _| host_says(world, 63497, error([7; 32], b"\xff\xfe")),
            refused,
        ),
        (
            "a refusal without words",
            |world, _| host_says(world, 63497, error([7; 32], b"")),
            refused,
        ),
        (
            "a refusal of 60 KiB",
            |world, _| host_says(world, 63497, error([7; 32], &[b'x'; 60_000])),
            refused,
        ),
        (
            "a refusal that is cut",
            |world, _| host_says(world, 63497, vec![7; 33]),
            broken,
        ),
        (
            "BOLT-1's error for all channels",
            |world, _| host_says(world, 17, error([0; 32], b"no")),
            refused,
        ),
        (
            "BOLT-1's error for another channel",
            |world, _| {
                let client = world.client();
                assert!(!client.report_peer_message(PEER_ID.into(), 17, error([7; 32], b"no")));
            },
            none,
        ),
        (
            "a message of another type",
            |world, _| {
                let client = world.client();
                assert!(!client.report_peer_message(PEER_ID.into(), 65529, init_hosted_channel()));
            },
            none,
        ),
        (
            "a stranger's offer",
            |world, _| {
                let client = world.client();
                assert!(!client.report_peer_message(
                    STRANGER_ID.into(),
                    65533,
                    init_hosted_channel()
                ));
            },
            none,
        ),
        (
            "a funded channel of a stranger",
            |world, _| {
                let verdict = world
                    .client()
                    .report_incoming_channel(proposal(STRANGER_ID));
                assert_eq!(verdict, ChannelVerdict::Unrequested);
            },
            none,
        ),
        (
            "connect throws",
            |world, _| world.node.set(Method::Connect, How::Fails),
            none,
        ),
        (
            "connect blocks",
            |world, _| world.node.set(Method::Connect, How::Blocks),
            none,
        ),
        ("paused", |_, request| request.pause(), (over, Awaiting)),
        (
            "cancelled",
            |_, request| block_on(request.cancel()).unwrap(),
            (over, Cancelled),
        ),
        (
            "shut down",
            |world, _| block_on(world.client().shutdown()),
            (over, Awaiting),
        ),
        (
            "an offer in the form of older hosts",
            |world, _| {
                let message = init_hosted_channel();
                let length = message.len() as u16;
                host_says(world, 65533, [&length.to_be_bytes()[..], &message].concat());
            },
            arrives,
        ),
        (
            "the offer comes twice",
            |world, request| {
                world.deliver(request);
                world
                    .client()
                    .report_peer_message(PEER_ID.into(), 65533, init_hosted_channel());
            },
            arrives,
        ),
    ];
    let cells = meanwhile.into_iter().map(|(name, act, (end, state))| {
        let mut cell = cell(Stage::HostedWait, name, Inject::Meanwhile(act), end);
        cell.reopen = name == "shut down";
        cell.seen.messages = 1;
        cell.keeps(state).seen(1, 0, 0)
    });
    cells.collect()
}

fn host_says(world: &World, message_type: u16, payload: Vec<u8>) {
    let client = world.client();
    assert!(client.report_peer_message(PEER_ID.into(), message_type, payload));
}

fn error(channel_id: [u8; 32], text: &[u8]) -> Vec<u8> {
    let length = text.len() as u16;
    [&channel_id[..], &length.to_be_bytes(), text].concat()
}
