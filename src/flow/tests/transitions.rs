//! Every state, and every input that can come in it: what follows, and where it leads.

use super::ChannelRequestState as State;
use super::ChannelRequestState::{
    Arrived, Awaiting, Cancelled, Connecting, Declined, Offered, OutcomeUnknown, Refused,
    Requesting,
};
use super::*;

/// A situation: its name, the one that it comes from, and by which input.
pub type Place = (&'static str, &'static str, &'static str);
/// In a situation, an input, what follows (`!` before an event), and the state then.
type Row = (&'static str, &'static str, &'static str, State);

const FUNDED_INPUTS: [&str; 20] = [
    "accept",
    "accept announced",
    "resume",
    "pause",
    "decline",
    "cancel",
    "node ok",
    "node failed",
    "connected",
    "connect failed",
    "written",
    "agreed",
    "refused",
    "lost",
    "not sent",
    "proposed",
    "funded",
    "failed",
    "check",
    "time over",
];

pub const FUNDED_PLACES: [Place; 19] = [
    ("asking the node", "offered", "accept"),
    ("connecting", "asking the node", "node ok"),
    ("paused early", "connecting", "pause"),
    ("requesting", "connecting", "connected"),
    ("written", "requesting", "written"),
    ("awaiting", "written", "agreed"),
    ("awaiting, paused", "awaiting", "pause"),
    ("awaiting, resumed", "awaiting, paused", "resume"),
    ("unknown", "written", "lost"),
    ("unknown, paused", "unknown", "pause"),
    ("refused", "written", "refused"),
    ("accepted again", "awaiting, paused", "accept"),
    ("connecting again", "accepted again", "node ok"),
    ("arrived, proposed", "awaiting", "proposed"),
    ("arrived, funded", "awaiting", "funded"),
    ("arrived early", "written", "proposed"),
    ("failed early", "arrived early", "failed"),
    ("declined", "offered", "decline"),
    ("cancelled", "awaiting", "cancel"),
];

/// Whatever is not in here changes nothing, and nothing follows.
const FUNDED_ROWS: &[Row] = &[
    ("offered", "accept", "AskNode", Connecting),
    ("offered", "accept announced", "AskNode", Connecting),
    ("offered", "resume", "WrongState", Offered),
    ("offered", "decline", "", Declined),
    // `cancel` on `Offered` is `decline`.
    ("offered", "cancel", "", Declined),
    // 5.2: the key, then the connection, and nothing before it.
    ("asking the node", "accept", "WrongState", Connecting),
    (
        "asking the node",
        "accept announced",
        "WrongState",
        Connecting,
    ),
    ("asking the node", "pause", "End(Cancelled)", Connecting),
    ("asking the node", "decline", "WrongState", Connecting),
    ("asking the node", "cancel", "End(Cancelled)", Cancelled),
    (
        "asking the node",
        "node ok",
        "!Connecting Connect",
        Connecting,
    ),
    ("asking the node", "node failed", "End(NodeFailed)", Offered),
    ("connecting", "accept", "WrongState", Connecting),
    ("connecting", "accept announced", "WrongState", Connecting),
    ("connecting", "pause", "End(Cancelled)", Connecting),
    ("connecting", "decline", "WrongState", Connecting),
    ("connecting", "cancel", "End(Cancelled)", Cancelled),
    (
        "connecting",
        "connected",
        "!Requesting SendCallback CheckLater",
        Requesting,
    ),
    ("connecting", "connect failed", "End(NodeFailed)", Offered),
    ("paused early", "accept", "AskNode", Connecting),
    ("paused early", "accept announced", "AskNode", Connecting),
    // Section 8 does not list it; there is nothing to wait on.
    ("paused early", "resume", "WrongState", Connecting),
    ("paused early", "decline", "", Declined),
    ("paused early", "cancel", "", Cancelled),
    // 5.3 to 5.6: asked once; from here on, a cancel tells the service.
    ("requesting", "accept", "WrongState", Requesting),
    ("requesting", "accept announced", "WrongState", Requesting),
    ("requesting", "pause", "End(Cancelled)", OutcomeUnknown),
    ("requesting", "decline", "WrongState", Requesting),
    (
        "requesting",
        "cancel",
        "End(Cancelled) SendCancel",
        Cancelled,
    ),
    ("requesting", "written", "Deadline", Requesting),
    (
        "requesting",
        "lost",
        "Deadline !AwaitingChannel",
        OutcomeUnknown,
    ),
    ("requesting", "not sent", "End(Unreachable)", Offered),
    ("requesting", "proposed", "!Arrived End(channel)", Arrived),
    ("requesting", "funded", "!Arrived End(channel)", Arrived),
    ("requesting", "check", "Connect", Requesting),
    ("written", "accept", "WrongState", Requesting),
    ("written", "accept announced", "WrongState", Requesting),
    ("written", "pause", "End(Cancelled)", OutcomeUnknown),
    ("written", "decline", "WrongState", Requesting),
    ("written", "cancel", "End(Cancelled) SendCancel", Cancelled),
    ("written", "agreed", "!AwaitingChannel", Awaiting),
    ("written", "refused", "End(Refused)", Refused),
    ("written", "lost", "!AwaitingChannel", OutcomeUnknown),
    ("written", "proposed", "!Arrived End(channel)", Arrived),
    ("written", "funded", "!Arrived End(channel)", Arrived),
    ("written", "check", "Connect", Requesting),
    (
        "written",
        "time over",
        "End(OutcomeUnknown)",
        OutcomeUnknown,
    ),
    // 5.7 to 5.9: waiting.
    ("awaiting", "accept", "WrongState", Awaiting),
    ("awaiting", "accept announced", "WrongState", Awaiting),
    ("awaiting", "pause", "End(Cancelled)", Awaiting),
    ("awaiting", "decline", "WrongState", Awaiting),
    ("awaiting", "cancel", "End(Cancelled) SendCancel", Cancelled),
    ("awaiting", "proposed", "!Arrived End(channel)", Arrived),
    ("awaiting", "funded", "!Arrived End(channel)", Arrived),
    ("awaiting", "check", "Connect", Awaiting),
    ("awaiting", "time over", "End(NoChannel)", Awaiting),
    ("awaiting, paused", "accept", "AskNode", Awaiting),
    ("awaiting, paused", "accept announced", "AskNode", Awaiting),
    (
        "awaiting, paused",
        "resume",
        "Deadline !Connecting Connect",
        Awaiting,
    ),
    ("awaiting, paused", "decline", "", Declined),
    ("awaiting, paused", "cancel", "SendCancel", Cancelled),
    ("awaiting, paused", "proposed", "!Arrived", Arrived),
    ("awaiting, paused", "funded", "!Arrived", Arrived),
    ("awaiting, resumed", "accept", "WrongState", Awaiting),
    (
        "awaiting, resumed",
        "accept announced",
        "WrongState",
        Awaiting,
    ),
    ("awaiting, resumed", "pause", "End(Cancelled)", Awaiting),
    ("awaiting, resumed", "decline", "WrongState", Awaiting),
    (
        "awaiting, resumed",
        "cancel",
        "End(Cancelled) SendCancel",
        Cancelled,
    ),
    (
        "awaiting, resumed",
        "connected",
        "!AwaitingChannel CheckLater",
        Awaiting,
    ),
    (
        "awaiting, resumed",
        "connect failed",
        "CheckLater",
        Awaiting,
    ),
    (
        "awaiting, resumed",
        "proposed",
        "!Arrived End(channel)",
        Arrived,
    ),
    (
        "awaiting, resumed",
        "funded",
        "!Arrived End(channel)",
        Arrived,
    ),
    ("awaiting, resumed", "time over", "End(NoChannel)", Awaiting),
    ("unknown", "accept", "WrongState", OutcomeUnknown),
    ("unknown", "accept announced", "WrongState", OutcomeUnknown),
    ("unknown", "pause", "End(Cancelled)", OutcomeUnknown),
    ("unknown", "decline", "WrongState", OutcomeUnknown),
    ("unknown", "cancel", "End(Cancelled) SendCancel", Cancelled),
    ("unknown", "proposed", "!Arrived End(channel)", Arrived),
    ("unknown", "funded", "!Arrived End(channel)", Arrived),
    ("unknown", "check", "Connect", OutcomeUnknown),
    (
        "unknown",
        "time over",
        "End(OutcomeUnknown)",
        OutcomeUnknown,
    ),
    ("unknown, paused", "accept", "AskNode", OutcomeUnknown),
    (
        "unknown, paused",
        "accept announced",
        "AskNode",
        OutcomeUnknown,
    ),
    (
        "unknown, paused",
        "resume",
        "Deadline !Connecting Connect",
        OutcomeUnknown,
    ),
    ("unknown, paused", "decline", "", Declined),
    ("unknown, paused", "cancel", "SendCancel", Cancelled),
    ("unknown, paused", "proposed", "!Arrived", Arrived),
    ("unknown, paused", "funded", "!Arrived", Arrived),
    // `accept` after `Refused` asks again; it was asked, so that a cancel tells the service.
    ("refused", "accept", "AskNode", Refused),
    ("refused", "accept announced", "AskNode", Refused),
    ("refused", "resume", "WrongState", Refused),
    ("refused", "decline", "", Declined),
    ("refused", "cancel", "SendCancel", Cancelled),
    ("refused", "proposed", "!Arrived", Arrived),
    ("refused", "funded", "!Arrived", Arrived),
    // Asked is never forgotten: not by the next `accept`, nor by its failure.
    ("accepted again", "accept", "WrongState", Awaiting),
    ("accepted again", "accept announced", "WrongState", Awaiting),
    ("accepted again", "pause", "End(Cancelled)", Awaiting),
    ("accepted again", "decline", "WrongState", Awaiting),
    (
        "accepted again",
        "cancel",
        "End(Cancelled) SendCancel",
        Cancelled,
    ),
    ("accepted again", "node ok", "!Connecting Connect", Awaiting),
    ("accepted again", "node failed", "End(NodeFailed)", Awaiting),
    (
        "accepted again",
        "proposed",
        "!Arrived End(channel)",
        Arrived,
    ),
    ("accepted again", "funded", "!Arrived End(channel)", Arrived),
    ("connecting again", "accept", "WrongState", Awaiting),
    (
        "connecting again",
        "accept announced",
        "WrongState",
        Awaiting,
    ),
    ("connecting again", "pause", "End(Cancelled)", Awaiting),
    ("connecting again", "decline", "WrongState", Awaiting),
    (
        "connecting again",
        "cancel",
        "End(Cancelled) SendCancel",
        Cancelled,
    ),
    (
        "connecting again",
        "connected",
        "!Requesting SendCallback CheckLater",
        Requesting,
    ),
    (
        "connecting again",
        "connect failed",
        "End(NodeFailed)",
        Awaiting,
    ),
    (
        "connecting again",
        "proposed",
        "!Arrived End(channel)",
        Arrived,
    ),
    (
        "connecting again",
        "funded",
        "!Arrived End(channel)",
        Arrived,
    ),
    // `resume` on `Arrived`: the outcome, at once, each time.
    ("arrived, proposed", "accept", "WrongState", Arrived),
    (
        "arrived, proposed",
        "accept announced",
        "WrongState",
        Arrived,
    ),
    ("arrived, proposed", "resume", "End(channel)", Arrived),
    ("arrived, proposed", "decline", "WrongState", Arrived),
    ("arrived, proposed", "cancel", "WrongState", Arrived),
    ("arrived, proposed", "failed", "", Awaiting),
    ("arrived, funded", "accept", "WrongState", Arrived),
    ("arrived, funded", "accept announced", "WrongState", Arrived),
    ("arrived, funded", "resume", "End(channel)", Arrived),
    ("arrived, funded", "decline", "WrongState", Arrived),
    ("arrived, funded", "cancel", "WrongState", Arrived),
    ("arrived, funded", "failed", "", Awaiting),
    // 5.4: the service's answer may come after the channel.
    ("arrived early", "accept", "WrongState", Arrived),
    ("arrived early", "accept announced", "WrongState", Arrived),
    ("arrived early", "resume", "End(channel)", Arrived),
    ("arrived early", "decline", "WrongState", Arrived),
    ("arrived early", "cancel", "WrongState", Arrived),
    ("arrived early", "failed", "", OutcomeUnknown),
    ("failed early", "accept", "AskNode", OutcomeUnknown),
    (
        "failed early",
        "accept announced",
        "AskNode",
        OutcomeUnknown,
    ),
    (
        "failed early",
        "resume",
        "Deadline !Connecting Connect",
        OutcomeUnknown,
    ),
    ("failed early", "decline", "", Declined),
    ("failed early", "cancel", "SendCancel", Cancelled),
    ("failed early", "agreed", "", Awaiting),
    ("failed early", "proposed", "!Arrived", Arrived),
    ("failed early", "funded", "!Arrived", Arrived),
    ("declined", "accept", "WrongState", Declined),
    ("declined", "accept announced", "WrongState", Declined),
    ("declined", "resume", "WrongState", Declined),
    ("declined", "decline", "WrongState", Declined),
    ("declined", "cancel", "WrongState", Declined),
    // A second `cancel` does nothing.
    ("cancelled", "accept", "WrongState", Cancelled),
    ("cancelled", "accept announced", "WrongState", Cancelled),
    ("cancelled", "resume", "WrongState", Cancelled),
    ("cancelled", "decline", "WrongState", Cancelled),
];

const HOSTED_INPUTS: [&str; 21] = [
    "accept",
    "resume",
    "pause",
    "decline",
    "cancel",
    "node ok",
    "node failed",
    "connected",
    "connect failed",
    "agreed",
    "lost",
    "not sent",
    "host offers",
    "host exists",
    "host refuses",
    "host babbles",
    "proposed",
    "funded",
    "failed",
    "check",
    "time over",
];

const HOSTED_PLACES: [Place; 9] = [
    ("asking the node", "offered", "accept"),
    ("connecting", "asking the node", "node ok"),
    ("requesting", "connecting", "connected"),
    ("awaiting", "requesting", "agreed"),
    ("awaiting, paused", "awaiting", "pause"),
    ("unknown", "requesting", "lost"),
    ("refused", "awaiting", "host refuses"),
    ("arrived", "awaiting", "host offers"),
    ("cancelled", "awaiting", "cancel"),
];

const HOSTED_ROWS: &[Row] = &[
    ("offered", "accept", "AskNode+script", Connecting),
    ("offered", "resume", "WrongState", Offered),
    ("offered", "decline", "", Declined),
    ("offered", "cancel", "", Declined),
    ("asking the node", "accept", "WrongState", Connecting),
    ("asking the node", "pause", "End(Cancelled)", Connecting),
    ("asking the node", "decline", "WrongState", Connecting),
    ("asking the node", "cancel", "End(Cancelled)", Cancelled),
    (
        "asking the node",
        "node ok",
        "!Connecting Connect",
        Connecting,
    ),
    ("asking the node", "node failed", "End(NodeFailed)", Offered),
    ("connecting", "accept", "WrongState", Connecting),
    ("connecting", "pause", "End(Cancelled)", Connecting),
    ("connecting", "decline", "WrongState", Connecting),
    ("connecting", "cancel", "End(Cancelled)", Cancelled),
    (
        "connecting",
        "connected",
        "!Requesting SendInvoke CheckLater",
        Requesting,
    ),
    ("connecting", "connect failed", "End(NodeFailed)", Offered),
    // Cancelling a hosted channel is local: nobody is told.
    ("requesting", "accept", "WrongState", Requesting),
    ("requesting", "pause", "End(Cancelled)", OutcomeUnknown),
    ("requesting", "decline", "WrongState", Requesting),
    ("requesting", "cancel", "End(Cancelled)", Cancelled),
    (
        "requesting",
        "agreed",
        "Deadline !AwaitingChannel",
        Awaiting,
    ),
    (
        "requesting",
        "lost",
        "Deadline !AwaitingChannel",
        OutcomeUnknown,
    ),
    ("requesting", "not sent", "End(NodeFailed)", Offered),
    (
        "requesting",
        "host offers",
        "!Arrived End(channel)",
        Arrived,
    ),
    (
        "requesting",
        "host exists",
        "!Arrived End(channel)",
        Arrived,
    ),
    ("requesting", "host refuses", "End(Refused)", Refused),
    (
        "requesting",
        "host babbles",
        "End(InvalidResponse)",
        OutcomeUnknown,
    ),
    ("requesting", "check", "Connect", Requesting),
    ("awaiting", "accept", "WrongState", Awaiting),
    ("awaiting", "pause", "End(Cancelled)", Awaiting),
    ("awaiting", "decline", "WrongState", Awaiting),
    ("awaiting", "cancel", "End(Cancelled)", Cancelled),
    ("awaiting", "host offers", "!Arrived End(channel)", Arrived),
    ("awaiting", "host exists", "!Arrived End(channel)", Arrived),
    ("awaiting", "host refuses", "End(Refused)", Refused),
    (
        "awaiting",
        "host babbles",
        "End(InvalidResponse)",
        OutcomeUnknown,
    ),
    ("awaiting", "check", "Connect", Awaiting),
    ("awaiting", "time over", "End(NoChannel)", Awaiting),
    // The refund script comes from the wallet once.
    ("awaiting, paused", "accept", "AskNode", Awaiting),
    (
        "awaiting, paused",
        "resume",
        "Deadline !Connecting Connect",
        Awaiting,
    ),
    ("awaiting, paused", "decline", "", Declined),
    ("awaiting, paused", "cancel", "", Cancelled),
    ("awaiting, paused", "host offers", "!Arrived", Arrived),
    ("awaiting, paused", "host exists", "!Arrived", Arrived),
    ("awaiting, paused", "host refuses", "", Refused),
    ("awaiting, paused", "host babbles", "", OutcomeUnknown),
    ("unknown", "accept", "WrongState", OutcomeUnknown),
    ("unknown", "pause", "End(Cancelled)", OutcomeUnknown),
    ("unknown", "decline", "WrongState", OutcomeUnknown),
    ("unknown", "cancel", "End(Cancelled)", Cancelled),
    ("unknown", "host offers", "!Arrived End(channel)", Arrived),
    ("unknown", "host exists", "!Arrived End(channel)", Arrived),
    ("unknown", "host refuses", "End(Refused)", Refused),
    (
        "unknown",
        "host babbles",
        "End(InvalidResponse)",
        OutcomeUnknown,
    ),
    ("unknown", "check", "Connect", OutcomeUnknown),
    (
        "unknown",
        "time over",
        "End(OutcomeUnknown)",
        OutcomeUnknown,
    ),
    ("refused", "accept", "AskNode", Refused),
    ("refused", "resume", "WrongState", Refused),
    ("refused", "decline", "", Declined),
    ("refused", "cancel", "", Cancelled),
    ("arrived", "accept", "WrongState", Arrived),
    ("arrived", "resume", "End(channel)", Arrived),
    ("arrived", "decline", "WrongState", Arrived),
    ("arrived", "cancel", "WrongState", Arrived),
    ("cancelled", "accept", "WrongState", Cancelled),
    ("cancelled", "resume", "WrongState", Cancelled),
    ("cancelled", "decline", "WrongState", Cancelled),
];

pub fn inputs_to(place: &str, places: &[Place]) -> Vec<&'static str> {
    let Some((_, from, by)) = places.iter().find(|(name, ..)| *name == place) else {
        assert_eq!(place, "offered", "no such place");
        return Vec::new();
    };
    let mut inputs = inputs_to(from, places);
    inputs.push(by);
    inputs
}

/// What came of `input`, in the words of the tables; none if nothing brings it here.
fn outcome(bench: &mut Bench, input: &str) -> Option<(String, State)> {
    let is_report = matches!(input, "proposed" | "funded");
    if !is_report && !bench.could_get(&named(input, bench)) {
        return None;
    }
    let follows = match bench.feed(&[input]) {
        Ok(()) => shown(&bench.done),
        Err(LnurlChannelError::WrongState { state }) => {
            assert_eq!(state, bench.state());
            "WrongState".into()
        }
        Err(error) => panic!("{input}: {error:?}"),
    };
    Some((follows, bench.state()))
}

fn check_table(kind: ChannelKind, places: &[Place], inputs: &[&str], rows: &[Row]) {
    let mut wrong = Vec::new();
    let mut used = 0;
    let named_places = places.iter().map(|(name, ..)| *name);
    for place in std::iter::once("offered").chain(named_places) {
        for input in inputs {
            let mut bench = Bench::at(kind, &inputs_to(place, places));
            let state = bench.state();
            let Some(got) = outcome(&mut bench, input) else {
                continue;
            };
            let row = rows.iter().find(|row| (row.0, row.1) == (place, *input));
            used += usize::from(row.is_some());
            let expected = row.map_or((String::new(), state), |row| (row.2.to_owned(), row.3));
            if got != expected {
                wrong.push(format!("{place}, {input}: {got:?}, expected {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(used, rows.len(), "a row that nothing can bring, or twice");
}

#[test]
fn every_transition_of_a_funded_request() {
    check_table(
        ChannelKind::Funded,
        &FUNDED_PLACES,
        &FUNDED_INPUTS,
        FUNDED_ROWS,
    );
}

#[test]
fn every_transition_of_a_hosted_request() {
    check_table(
        ChannelKind::Hosted,
        &HOSTED_PLACES,
        &HOSTED_INPUTS,
        HOSTED_ROWS,
    );
}

// ---- across restarts ----

#[test]
fn what_holds_after_a_restart() {
    for (place, state) in [
        ("asking the node", Connecting),
        ("connecting", Connecting),
        ("paused early", Connecting),
        ("requesting", OutcomeUnknown),
        ("written", OutcomeUnknown),
        ("awaiting", Awaiting),
        ("awaiting, paused", Awaiting),
        ("awaiting, resumed", Awaiting),
        ("unknown", OutcomeUnknown),
        ("unknown, paused", OutcomeUnknown),
        ("refused", Refused),
        ("accepted again", Awaiting),
        ("connecting again", Awaiting),
        ("arrived, proposed", Arrived),
        ("arrived, funded", Arrived),
        ("cancelled", Cancelled),
    ] {
        let mut bench = Bench::at(ChannelKind::Funded, &inputs_to(place, &FUNDED_PLACES));
        bench.restart();
        assert_eq!(bench.state(), state, "{place}");
        assert!(!bench.request.is_running(), "{place}");
    }
}

#[test]
fn killed_while_connecting_it_may_be_accepted_again() {
    let mut bench = Bench::at(ChannelKind::Funded, &["accept", "node ok"]);
    bench.restart();
    bench.feed(&["accept", "node ok", "connected"]).unwrap();
    assert!(bench.sent_callback().is_some());
}

#[test]
fn killed_in_flight_it_is_never_sent_again_by_itself() {
    let mut bench = Bench::at(ChannelKind::Funded, &REQUESTING);
    bench.restart();
    bench.feed(&["resume"]).unwrap();
    assert_eq!(shown(&bench.done), "Deadline !Connecting Connect");
    bench.feed(&["connected"]).unwrap();
    assert_eq!(shown(&bench.done), "!AwaitingChannel CheckLater");
    bench.feed(&["time over"]).unwrap();
    assert_eq!(shown(&bench.done), "End(OutcomeUnknown)");
}

#[test]
fn an_offer_that_nobody_accepted_is_not_stored() {
    for inputs in [&[][..], &["decline"], &["cancel"]] {
        assert!(Bench::at(ChannelKind::Funded, inputs).stored.is_none());
    }
}
