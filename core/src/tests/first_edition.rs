//! Requests of the first edition, 0.1, whose records do not tell what channels the node had before. The
//! next `readiness` does, before the wait goes on.

use super::bench::{Bench, MemoryJournal};
use super::samples::*;
use crate::protocol::ChannelKind::{self, Funded, Hosted};
use crate::protocol::ChannelVisibility::Unannounced;
use crate::request::{Baseline, Contact};
use crate::*;
use ChannelRequestState::{Arrived, Awaiting, OutcomeUnknown};

const ID: &str = "00112233445566778899aabbccddeeff";
/// A channel of before: the node lists it.
const OLD: &str = "01d0";

/// 0.1's records of requests whose channel is still to come, and how they stand.
const WAITING: [(&str, &str, ChannelRequestState); 6] = [
    (
        "requesting",
        include_str!("../record/tests/fixtures/0.1/requesting.json"),
        OutcomeUnknown,
    ),
    (
        "awaiting",
        include_str!("../record/tests/fixtures/0.1/awaiting.json"),
        Awaiting,
    ),
    (
        "outcome-unknown",
        include_str!("../record/tests/fixtures/0.1/outcome-unknown.json"),
        OutcomeUnknown,
    ),
    (
        "outcome-unknown-asked-twice",
        include_str!("../record/tests/fixtures/0.1/outcome-unknown-asked-twice.json"),
        OutcomeUnknown,
    ),
    (
        "arrived-proposed",
        include_str!("../record/tests/fixtures/0.1/arrived-proposed.json"),
        Awaiting,
    ),
    (
        "arrived-proposed-unanswered",
        include_str!("../record/tests/fixtures/0.1/arrived-proposed-unanswered.json"),
        OutcomeUnknown,
    ),
];

struct Loaded {
    bench: Bench,
    request: RequestId,
}

impl Loaded {
    /// A client on the folder of 0.1, whose node has an old channel with the peer.
    fn from(text: &str, kind: ChannelKind) -> Self {
        let service = Service::new(kind, 1);
        let mut journal = MemoryJournal::default();
        let text = text.replace("hush-k1", &service.k1());
        journal.records.insert(ID.into(), text);
        let mut bench = Bench::starting(SETTINGS, journal, START_MILLIS);
        bench.listed = vec![OLD.to_uppercase()];
        let request = RequestId::parse(ID).unwrap();
        bench.offers.insert(request, service);
        Self { bench, request }
    }

    fn awaiting() -> Self {
        let (_, text, _) = WAITING[1];
        Self::from(text, Funded)
    }

    fn baseline(&self) -> Baseline {
        let mut requests = self.bench.client.all_requests();
        let request = requests.find(|r| r.id() == self.request).unwrap();
        let contact = request.record.progress.contact();
        let wanted = contact.and_then(Contact::funded).unwrap();
        wanted.baseline.clone()
    }

    fn expected(&self) -> ChannelVerdict {
        let request_id = ID.to_owned();
        ChannelVerdict::Expected { request_id }
    }

    /// The old channel is reported, and then the one that was asked for.
    fn assert_tells_the_new_channel_from_the_old_one(&mut self) {
        let old = self.bench.report(ready(OLD));
        assert_eq!(old, ChannelVerdict::Unrequested);
        let formerly_old = formerly(OLD, funded("fe"));
        let old = self.bench.report(formerly_old);
        assert_eq!(old, ChannelVerdict::Unrequested);
        assert_eq!(self.bench.report(funded("ff")), self.expected());
        assert_eq!(self.bench.state(self.request), Arrived);
    }
}

#[test]
fn accept_reads_the_nodes_channels_before_it_waits_on() {
    for (name, text, state) in WAITING {
        let mut loaded = Loaded::from(text, Funded);
        let (bench, request) = (&mut loaded.bench, loaded.request);
        assert_eq!(bench.state(request), state, "{name}");
        let waiter = bench.accept(request, Unannounced);
        assert_eq!(bench.shown(), "!Connecting AskNode+readiness", "{name}");
        bench.node_tells(request);
        assert_eq!(bench.shown(), "!Changed Connect", "{name}");
        let ids = Baseline::Ids(vec![OLD.into()]);
        assert_eq!(loaded.baseline(), ids, "{name}");
        loaded.bench.connected(PEER);
        assert_eq!(loaded.bench.state(request), state, "{name}");

        loaded.assert_tells_the_new_channel_from_the_old_one();
        let outcome = loaded.bench.answer(waiter);
        let Ok(Answer::Outcome(ChannelOutcome::Funded { channel })) = outcome else {
            panic!("{name}: {outcome:?}");
        };
        assert_eq!(channel.channel_id.as_deref(), Some("ff"), "{name}");
        let asked = loaded.bench.asks.values().any(|asks| asks.asks > 0);
        assert!(!asked, "{name}: the service is not asked again");
    }
}

#[test]
fn what_readiness_listed_is_read_once_and_stored() {
    let mut loaded = Loaded::awaiting();
    let (bench, request) = (&mut loaded.bench, loaded.request);
    bench.accept(request, Unannounced);
    bench.node_tells(request);
    bench.feed(Input::Pause(request));
    // What the node lists later is no channel of before.
    bench.listed.push("ff".into());
    bench.accept(request, Unannounced);
    assert_eq!(bench.shown(), "!Connecting", "the `connect` is joined");
    bench.restart();
    bench.accept(request, Unannounced);
    assert_eq!(bench.shown(), "!Connecting Connect");
    assert_eq!(loaded.baseline(), Baseline::Ids(vec![OLD.into()]));
    loaded.assert_tells_the_new_channel_from_the_old_one();
}

#[test]
fn until_the_channels_are_read_no_call_waits() {
    let mut loaded = Loaded::awaiting();
    let (bench, request) = (&mut loaded.bench, loaded.request);
    let waiter = bench.accept(request, Unannounced);
    let task = bench.asks_node(request).unwrap();
    bench.feed(Input::NodeAsked(task, Err(node_failure("nobody"))));
    let failed = bench.answer(waiter);
    let is_nodes = matches!(failed, Err(LnurlChannelError::NodeFailed { .. }));
    assert!(is_nodes, "{failed:?}");
    assert_eq!(bench.connects(PEER), None);
    assert_eq!(bench.state(request), Awaiting);
    let waiter = bench.accept(request, Unannounced);
    assert_eq!(bench.shown(), "!Connecting AskNode+readiness", "again");
    bench.feed(Input::Pause(request));
    assert_eq!(bench.shown(), "!Changed Stop(AskNode+readiness) =Cancelled");
    assert!(!bench.waits(waiter));
    assert_eq!(loaded.baseline(), Baseline::Unknown);
    loaded.bench.accept(request, Unannounced);
    loaded.bench.node_tells(request);
    loaded.assert_tells_the_new_channel_from_the_old_one();
}

#[test]
fn a_channel_that_a_proposal_announced_needs_no_baseline() {
    let mut loaded = Loaded::awaiting();
    let waiter = loaded.bench.accept(loaded.request, Unannounced);
    let expected = loaded.expected();
    let bench = &mut loaded.bench;
    assert_eq!(bench.report(proposed("aa")), expected);
    assert_eq!(bench.report(formerly("aa", funded("ff"))), expected);
    let answer = bench.answer(waiter);
    assert!(matches!(answer, Ok(Answer::Outcome(_))), "{answer:?}");
    assert_eq!(bench.asks_node(loaded.request), None, "it was stopped");
}

/// More than are kept.
#[test]
fn a_node_with_too_many_channels_needs_a_proposal() {
    let mut loaded = Loaded::awaiting();
    loaded.bench.listed = (0..257).map(|number| format!("{number:04x}")).collect();
    loaded.bench.accept(loaded.request, Unannounced);
    loaded.bench.node_tells(loaded.request);
    assert_eq!(loaded.baseline(), Baseline::TooMany);
    let alone = loaded.bench.report(funded("fa"));
    assert_eq!(alone, ChannelVerdict::Unrequested);
    let expected = loaded.expected();
    assert_eq!(loaded.bench.report(proposed("aa")), expected);
    let funded = loaded.bench.report(formerly("aa", funded("ff")));
    assert_eq!(funded, expected);
}

#[test]
fn a_hosted_request_has_no_baseline_to_read() {
    let text = include_str!("../record/tests/fixtures/0.1/hosted-awaiting.json");
    let mut loaded = Loaded::from(text, Hosted);
    loaded.bench.accept(loaded.request, Unannounced);
    assert_eq!(loaded.bench.shown(), "!Connecting Connect");
}

#[test]
fn ask_again_tells_the_new_channel_from_the_old_one_too() {
    let mut loaded = Loaded::awaiting();
    let (bench, request) = (&mut loaded.bench, loaded.request);
    bench.ask_again(request, Unannounced);
    bench.node_tells(request);
    bench.connected(PEER);
    loaded.assert_tells_the_new_channel_from_the_old_one();
}

#[test]
fn what_nobody_asked_for_in_0_1_is_kept_with_the_verdicts_of_its_peer() {
    const NAME: &str = "unrequested-channels";
    let text = include_str!("../record/tests/fixtures/0.1/unrequested-channels.json");
    let mut journal = MemoryJournal::default();
    journal.records.insert(NAME.into(), text.into());

    // While the disk is full, it stays.
    let full = MemoryJournal {
        is_full: true,
        ..journal.clone()
    };
    let mut bench = Bench::starting(SETTINGS, full, START_MILLIS);
    let names: Vec<&String> = bench.journal().records.keys().collect();
    assert_eq!(names, [NAME]);

    let mut bench = Bench::starting(SETTINGS, journal, START_MILLIS);
    let names: Vec<&String> = bench.journal().records.keys().collect();
    assert_eq!(names, [PEER, OWN]);
    let request = bench.offer(Funded, 1);
    bench.agreed(request, Unannounced);
    for _ in 0..2 {
        let old = bench.report(funded(&"a1".repeat(32)));
        assert_eq!(old, ChannelVerdict::Unrequested);
        bench.restart();
    }
    let request_id = request.to_string();
    let new = bench.report(funded("ff"));
    assert_eq!(new, ChannelVerdict::Expected { request_id });
}

#[test]
fn a_damaged_list_of_what_nobody_asked_for_is_set_aside() {
    let mut journal = MemoryJournal::default();
    let name = "unrequested-channels";
    journal.records.insert(name.into(), "{}".into());
    let mut bench = Bench::starting(SETTINGS, journal, START_MILLIS);
    let journal = bench.journal();
    assert!(journal.records.is_empty());
    let [(set_aside, Some(_))] = &journal.set_aside[..] else {
        panic!("{:?}", journal.set_aside);
    };
    assert_eq!(set_aside, name);
}
