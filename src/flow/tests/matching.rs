//! Which request a channel belongs to: the rules of 5.8, one by one.

use super::ChannelRequestState::{Arrived, Awaiting, Cancelled, OutcomeUnknown};
use super::*;

const UNANNOUNCED: &str = "accept";
const ANNOUNCED: &str = "accept announced";

/// Requests of one client, oldest first, named `0`, `1` and so on.
struct World {
    benches: Vec<Bench>,
    unrequested: Unrequested,
    now: u64,
}

impl World {
    fn new() -> Self {
        Self {
            benches: Vec::new(),
            unrequested: Unrequested::default(),
            now: NOW,
        }
    }

    fn with(mut self, kind: ChannelKind, inputs: &[&str]) -> Self {
        let id = self.benches.len().to_string();
        let mut bench = Bench::new(request(kind, &id, PEER));
        bench.feed(inputs).unwrap();
        self.benches.push(bench);
        self
    }

    /// A request that was asked and waits, with no call running.
    fn waiting(self, accept: &str) -> Self {
        let inputs = [accept, "node ok", "connected", "written", "agreed", "pause"];
        self.with(ChannelKind::Funded, &inputs)
    }

    fn then(mut self, at: usize, inputs: &[&str]) -> Self {
        self.benches[at].feed(inputs).unwrap();
        self
    }

    fn report(&mut self, channel: IncomingChannel) -> String {
        let verdict = report(&mut self.benches, &mut self.unrequested, self.now, channel);
        let id = verdict.request_id().unwrap_or_default();
        let name = match &verdict {
            ChannelVerdict::Expected { .. } => "Expected",
            ChannelVerdict::Duplicate { .. } => "Duplicate",
            ChannelVerdict::WrongVisibility { .. } => "WrongVisibility",
            ChannelVerdict::Unwanted { .. } => "Unwanted",
            ChannelVerdict::Unrequested => return "Unrequested".into(),
        };
        format!("{name} {id}")
    }

    fn fail(&mut self, channel_id: &str) {
        for bench in &mut self.benches {
            let failed = Input::ChannelFailed(channel_id.into());
            bench.input(failed).unwrap();
        }
    }

    fn pass(&mut self, seconds: u64) {
        self.now += seconds;
        for bench in &mut self.benches {
            bench.now = self.now;
        }
    }

    fn restart(&mut self) {
        for bench in &mut self.benches {
            bench.restart();
        }
    }

    fn state(&self, at: usize) -> ChannelRequestState {
        self.benches[at].state()
    }

    /// The id of the channel that request `at` has led to.
    fn arrived(&self, at: usize) -> Option<&str> {
        match &self.benches[at].request.progress.outcome {
            Some(ChannelOutcome::Opening { channel }) => Some(&channel.channel_id),
            _ => None,
        }
    }
}

fn announced(channel: IncomingChannel) -> IncomingChannel {
    IncomingChannel {
        is_announced: Some(true),
        ..channel
    }
}

fn unannounced(channel: IncomingChannel) -> IncomingChannel {
    IncomingChannel {
        is_announced: Some(false),
        ..channel
    }
}

fn formerly(former: &str, channel: IncomingChannel) -> IncomingChannel {
    IncomingChannel {
        former_channel_id: Some(former.into()),
        ..channel
    }
}

fn from(peer_id: &str, channel: IncomingChannel) -> IncomingChannel {
    IncomingChannel {
        peer_id: peer_id.into(),
        ..channel
    }
}

// ---- who waits ----

/// "A request that was, or may have been, asked matches whether or not a call is running."
#[test]
fn what_was_or_may_have_been_asked_matches() {
    for inputs in [
        &REQUESTING[..],
        &["accept", "node ok", "connected", "written"],
        &["accept", "node ok", "connected", "pause"],
        &AWAITING,
        &[&AWAITING[..], &["pause"]].concat(),
        &[&AWAITING[..], &["pause", "resume"]].concat(),
        &[&AWAITING[..], &["pause", "accept"]].concat(),
        &[&AWAITING[..], &["pause", "accept", "node failed"]].concat(),
        &UNKNOWN,
        &[&UNKNOWN[..], &["time over"]].concat(),
        &REFUSED,
    ] {
        for channel in [proposed("aa"), funded("aa")] {
            let mut world = World::new().with(ChannelKind::Funded, inputs);
            assert_eq!(world.report(channel), "Expected 0", "{inputs:?}");
            assert_eq!(world.state(0), Arrived, "{inputs:?}");
        }
    }
}

#[test]
fn what_was_never_asked_does_not_match() {
    for inputs in [
        &[][..],
        &["accept"],
        &["accept", "node ok"],
        &["accept", "node ok", "pause"],
        &["accept", "node ok", "connect failed"],
        &["accept", "node ok", "connected", "not sent"],
        &["decline"],
        // Nobody was told of it, so that no channel answers it.
        &["accept", "node ok", "cancel"],
    ] {
        let mut world = World::new().with(ChannelKind::Funded, inputs);
        assert_eq!(world.report(proposed("aa")), "Unrequested", "{inputs:?}");
        assert_eq!(world.report(funded("bb")), "Unrequested", "{inputs:?}");
    }
}

/// "… after a restart too, before `resume`. What arrives is stored."
#[test]
fn matches_after_a_restart() {
    for inputs in [&REQUESTING[..], &AWAITING, &UNKNOWN, &REFUSED] {
        let mut world = World::new().with(ChannelKind::Funded, inputs);
        world.restart();
        assert_eq!(world.report(proposed("aa")), "Expected 0");
        world.restart();
        assert_eq!((world.state(0), world.arrived(0)), (Arrived, Some("aa")));
    }
}

#[test]
fn another_peer_is_not_who_was_asked() {
    let mut world = World::new().waiting(UNANNOUNCED);
    assert_eq!(
        world.report(from(OTHER_PEER, proposed("aa"))),
        "Unrequested"
    );
    assert_eq!(world.state(0), Awaiting);
}

#[test]
fn keys_and_ids_are_compared_in_lower_case() {
    let mut world = World::new().waiting(UNANNOUNCED);
    let shouted = from(&PEER.to_uppercase(), proposed("AA"));
    assert_eq!(world.report(shouted), "Expected 0");
    assert_eq!(world.report(formerly("Aa", funded("FF"))), "Expected 0");
    assert_eq!(world.arrived(0), Some("ff"));
    let wrong = announced(proposed("bb"));
    let mut world = World::new().waiting(UNANNOUNCED);
    assert_eq!(world.report(wrong), "WrongVisibility 0");
    let grown = formerly("BB", funded("f2"));
    assert_eq!(world.report(grown), "WrongVisibility 0");
}

#[test]
fn a_hosted_request_matches_no_channel() {
    let inputs = ["accept", "node ok", "connected", "agreed"];
    let mut world = World::new().with(ChannelKind::Hosted, &inputs);
    assert_eq!(world.report(proposed("aa")), "Unrequested");
    let mut world = world.waiting(UNANNOUNCED);
    assert_eq!(world.report(funded("bb")), "Expected 1");
}

#[test]
fn a_hosts_message_belongs_to_the_hosted_request_that_awaits_it() {
    let hosted = |inputs: &[&str]| Bench::at(ChannelKind::Hosted, inputs).request;
    let requesting = hosted(&REQUESTING);
    assert!(for_host_message(&[&requesting], PEER).is_some());
    assert!(for_host_message(&[&requesting], OTHER_PEER).is_none());
    for inputs in [
        &[][..],
        &["accept", "node ok"],
        &["accept", "node ok", "connected", "host offers"],
        &["accept", "node ok", "connected", "cancel"],
    ] {
        assert!(for_host_message(&[&hosted(inputs)], PEER).is_none());
    }
    let funded = Bench::at(ChannelKind::Funded, &AWAITING).request;
    assert!(for_host_message(&[&funded], PEER).is_none());
    let both = [&funded, &requesting];
    assert_eq!(for_host_message(&both, PEER), Some(&requesting));
}

/// A host answers on the connection that it was asked on, and none outlives the app.
#[test]
fn a_hosts_message_after_a_restart_is_for_whoever_waits() {
    let mut bench = Bench::at(
        ChannelKind::Hosted,
        &[&REQUESTING[..], &["agreed"]].concat(),
    );
    let awaits = |bench: &Bench| for_host_message(&[&bench.request], PEER).is_some();
    bench.feed(&["time over"]).unwrap();
    assert!(awaits(&bench), "the connection may still stand");
    bench.restart();
    assert!(!awaits(&bench), "the wallet's own hosted channels");
    bench.feed(&["resume"]).unwrap();
    assert!(awaits(&bench), "the user waits");
    let not_sent = ["pause", "accept", "node ok", "connected", "not sent"];
    bench.feed(&not_sent).unwrap();
    assert!(!awaits(&bench), "it was not asked again");
    let lost = ["accept", "node ok", "connected", "pause"];
    bench.feed(&lost).unwrap();
    assert!(awaits(&bench), "asked again");
}

// ---- replays ----

/// "The same peer and channel id (or `former_channel_id`): the same verdict, always."
#[test]
fn a_replay_keeps_its_verdict() {
    let mut world = World::new().waiting(UNANNOUNCED);
    let mut judged = vec![(announced(proposed("a0")), "WrongVisibility 0")];
    judged.push((proposed("a1"), "Expected 0"));
    judged.push((formerly("a1", funded("f1")), "Expected 0"));
    judged.push((proposed("a2"), "Duplicate 0"));
    for (channel, verdict) in &judged {
        assert_eq!(world.report(channel.clone()), *verdict, "{channel:?}");
    }
    let check = |world: &mut World| {
        for (channel, verdict) in &judged {
            assert_eq!(world.report(channel.clone()), *verdict, "{channel:?}");
            assert_eq!(world.arrived(0).unwrap_or("f1"), "f1");
        }
    };
    check(&mut world);
    world.restart();
    check(&mut world);
    // A newer request does not take over what was judged before.
    world = world.waiting(ANNOUNCED);
    check(&mut world);
    world.pass(10 * DAY);
    check(&mut world);
    assert_eq!(world.state(1), Awaiting);
}

#[test]
fn a_replay_after_failure_or_cancel_keeps_its_verdict() {
    let mut world = World::new().waiting(UNANNOUNCED);
    assert_eq!(world.report(proposed("a1")), "Expected 0");
    world.fail("a1");
    world = world.then(0, &["cancel"]);
    assert_eq!(world.report(proposed("a2")), "Unwanted 0");
    assert_eq!(world.report(proposed("a1")), "Expected 0");
    assert_eq!(world.state(0), Cancelled);
    world = world.waiting(UNANNOUNCED);
    assert_eq!(world.report(proposed("a2")), "Unwanted 0");
    assert_eq!(world.report(formerly("a2", funded("f2"))), "Unwanted 0");
    assert_eq!(world.report(funded("f2")), "Unwanted 0");
    assert_eq!(world.report(proposed("a1")), "Expected 0");
    assert_eq!(world.state(1), Awaiting);
}

/// Nodes replay much, and phones wear out.
#[test]
fn only_news_is_stored() {
    let mut world = World::new().waiting(UNANNOUNCED);
    for (channel, store) in [
        (proposed("a1"), Store::Fact),
        (proposed("a2"), Store::Fact),
        (proposed("a1"), Store::No),
        (formerly("a1", proposed("b1")), Store::Fact),
        (formerly("a1", proposed("b1")), Store::No),
    ] {
        world.report(channel.clone());
        let taken = world.benches[0].log.last().unwrap();
        assert_eq!(taken.step.store, store, "{channel:?}");
    }
}

/// What it is known under today weighs more than what it is said to have been.
#[test]
fn a_former_id_that_is_told_later_changes_no_verdict() {
    let mut world = World::new().waiting(UNANNOUNCED);
    assert_eq!(world.report(proposed("a1")), "Expected 0");
    world.fail("a1");
    world = world.then(0, &["cancel"]);
    assert_eq!(world.report(funded("f1")), "Unwanted 0");
    assert_eq!(world.report(formerly("a1", funded("f1"))), "Unwanted 0");
}

/// As before, for a channel that nobody asked for.
#[test]
fn a_former_id_that_is_told_later_makes_no_channel_expected() {
    let mut world = World::new().waiting(UNANNOUNCED);
    assert_eq!(world.report(proposed("a1")), "Expected 0");
    world.fail("a1");
    world = world.then(0, &["decline"]);
    assert_eq!(world.report(funded("f1")), "Unrequested");
    assert_eq!(world.report(formerly("a1", funded("f1"))), "Unrequested");
}

#[test]
fn the_same_id_from_another_peer_is_another_channel() {
    let mut world = World::new().waiting(UNANNOUNCED);
    assert_eq!(
        world.report(from(OTHER_PEER, proposed("aa"))),
        "Unrequested"
    );
    assert_eq!(world.report(proposed("aa")), "Expected 0");
    assert_eq!(
        world.report(from(OTHER_PEER, proposed("aa"))),
        "Unrequested"
    );
}

#[test]
fn what_nobody_asked_for_stays_so() {
    let mut world = World::new();
    assert_eq!(world.report(proposed("a1")), "Unrequested");
    world = world.waiting(UNANNOUNCED);
    assert_eq!(world.report(proposed("a1")), "Unrequested");
    assert_eq!(world.report(formerly("a1", funded("f1"))), "Unrequested");
    assert_eq!(world.report(funded("f1")), "Unrequested");
    assert_eq!(world.state(0), Awaiting);
    assert_eq!(world.report(proposed("a2")), "Expected 0");
}

#[test]
fn what_nobody_asked_for_is_kept_once_it_is_funded() {
    let mut unrequested = Unrequested::default();
    assert!(!unrequested.remember(&proposed("a1")));
    assert_eq!(unrequested.funded().count(), 0);
    assert!(unrequested.contains(PEER, "a1"));
    // A node may show one id at both stages.
    assert!(unrequested.remember(&funded("a1")));
    let told_more = formerly("a1", funded("f1"));
    assert!(unrequested.remember(&told_more) && !unrequested.remember(&told_more));
    assert!(!unrequested.remember(&funded("f1")));
    let all: Vec<_> = unrequested.funded().collect();
    assert_eq!(all, [(PEER, &["a1".to_owned(), "f1".to_owned()][..])]);
}

#[test]
fn a_proposal_that_nobody_asked_for_and_its_channel_are_one() {
    let mut unrequested = Unrequested::default();
    unrequested.remember(&formerly("a0", proposed("a1")));
    assert!(unrequested.remember(&formerly("a1", funded("f1"))));
    for id in ["a0", "a1", "f1"] {
        assert!(unrequested.contains(PEER, id), "{id}");
    }
    let ids: Vec<&[String]> = unrequested.funded().map(|(_, ids)| ids).collect();
    assert_eq!(ids, [["f1", "a1", "a0"]]);
}

#[test]
fn what_nobody_asked_for_is_bounded_and_none_crowds_out_another() {
    let mut unrequested = Unrequested::default();
    unrequested.remember(&from(OTHER_PEER, funded("0")));
    unrequested.remember(&funded("first"));
    for n in 0..1_000 {
        let of_anybody = from(&format!("peer {n}"), proposed("0"));
        unrequested.remember(&of_anybody);
        unrequested.remember(&proposed(&n.to_string()));
    }
    assert!(
        unrequested.contains(PEER, "first"),
        "proposals push out no channel"
    );
    let known = |n: usize| unrequested.contains(PEER, &n.to_string());
    assert!((984..1_000).all(known) && !known(983));
    let known = |n: usize| unrequested.contains(&format!("peer {n}"), "0");
    assert!(known(999) && !known(700));
    for n in 0..100 {
        unrequested.remember(&funded(&format!("f{n}")));
    }
    let known = |n: usize| unrequested.contains(PEER, &format!("f{n}"));
    assert!((36..100).all(known) && !known(35));
    assert!(
        unrequested.contains(OTHER_PEER, "0"),
        "nor does another peer"
    );
    for n in 0..447 {
        unrequested.remember(&from(&format!("peer {n}"), funded("f")));
    }
    assert_eq!(unrequested.funded().count(), 512);
    assert!(unrequested.contains(OTHER_PEER, "0"));
    unrequested.remember(&from("one more", funded("f")));
    assert_eq!(unrequested.funded().count(), 512);
    assert!(!unrequested.contains(OTHER_PEER, "0"), "the oldest of all");
}

/// "The same verdict, always", however much the peer proposes.
#[test]
fn what_arrived_is_not_forgotten_under_many_proposals() {
    let mut world = World::new().waiting(UNANNOUNCED);
    assert_eq!(world.report(funded("f1")), "Expected 0");
    for n in 0..100 {
        assert_eq!(world.report(proposed(&n.to_string())), "Duplicate 0");
    }
    assert_eq!(world.report(funded("f1")), "Expected 0");
    world.fail("f1");
    assert_eq!(world.state(0), Awaiting);
}

/// 64 are remembered of a request.
#[test]
fn the_oldest_that_was_turned_down_is_forgotten_first() {
    let mut world = World::new().waiting(UNANNOUNCED);
    let wrong = announced(proposed("a1"));
    assert_eq!(world.report(wrong.clone()), "WrongVisibility 0");
    assert_eq!(world.report(funded("f1")), "Expected 0");
    for n in 2..65 {
        assert_eq!(world.report(proposed(&n.to_string())), "Duplicate 0");
    }
    assert_eq!(world.report(funded("f1")), "Expected 0");
    assert_eq!(world.report(wrong), "Duplicate 0");
}

#[test]
fn of_proposals_that_were_all_expected_the_oldest_is_forgotten_first() {
    let mut world = World::new().waiting(UNANNOUNCED);
    for n in 0..65 {
        assert_eq!(world.report(proposed(&n.to_string())), "Expected 0");
    }
    assert_eq!(world.report(proposed("63")), "Expected 0");
    assert_eq!(world.arrived(0), Some("64"));
    // Forgotten, it is like a new one.
    assert_eq!(world.report(proposed("0")), "Expected 0");
    assert_eq!(world.arrived(0), Some("0"));
}

// ---- several requests for one peer ----

#[test]
fn the_oldest_that_fits_gets_it() {
    let two = || World::new().waiting(UNANNOUNCED).waiting(ANNOUNCED);
    for channel in [proposed("aa"), funded("aa")] {
        assert_eq!(two().report(channel.clone()), "Expected 0");
        assert_eq!(two().report(unannounced(channel.clone())), "Expected 0");
        assert_eq!(two().report(announced(channel)), "Expected 1");
    }
    let mut world = two();
    assert_eq!(world.report(proposed("a1")), "Expected 0");
    assert_eq!(world.report(proposed("a2")), "Expected 1");
    assert_eq!(
        (world.arrived(0), world.arrived(1)),
        (Some("a1"), Some("a2"))
    );
    assert_eq!(world.report(formerly("a2", funded("f2"))), "Expected 1");
    assert_eq!(world.report(formerly("a1", funded("f1"))), "Expected 0");
    assert_eq!(world.report(funded("f3")), "Duplicate 0");
}

#[test]
fn waiting_beats_cancelled() {
    let mut world = World::new()
        .waiting(UNANNOUNCED)
        .waiting(UNANNOUNCED)
        .then(0, &["cancel"]);
    assert_eq!(world.report(proposed("aa")), "Expected 1");
    let mut world = World::new()
        .waiting(UNANNOUNCED)
        .waiting(UNANNOUNCED)
        .then(1, &["cancel"]);
    assert_eq!(world.report(proposed("aa")), "Expected 0");
}

#[test]
fn waiting_beats_arrived() {
    let mut world = World::new().waiting(UNANNOUNCED);
    assert_eq!(world.report(funded("f0")), "Expected 0");
    world = world.waiting(UNANNOUNCED);
    assert_eq!(world.report(proposed("a1")), "Expected 1");
    assert_eq!(world.report(proposed("a2")), "Expected 1");
    assert_eq!(world.arrived(0), Some("f0"));
}

// ---- visibility ----

#[test]
fn the_other_visibility_is_turned_down_while_it_can_be() {
    for (accept, other) in [
        (UNANNOUNCED, announced as fn(_) -> _),
        (ANNOUNCED, unannounced),
    ] {
        let mut world = World::new().waiting(accept);
        assert_eq!(world.report(other(proposed("a1"))), "WrongVisibility 0");
        assert_eq!(world.state(0), Awaiting);
        // "`Funded`: it is a fact, so it is `Expected` and arrives."
        assert_eq!(world.report(other(funded("f1"))), "Expected 0");
        assert_eq!((world.state(0), world.arrived(0)), (Arrived, Some("f1")));
    }
}

#[test]
fn a_wrong_proposal_takes_no_ones_place() {
    let mut world = World::new().waiting(UNANNOUNCED);
    assert_eq!(world.report(unannounced(proposed("a1"))), "Expected 0");
    assert_eq!(world.report(announced(proposed("a2"))), "WrongVisibility 0");
    assert_eq!(world.arrived(0), Some("a1"));
    assert_eq!(world.report(announced(funded("f1"))), "Expected 0");
    assert_eq!(world.arrived(0), Some("f1"));
}

#[test]
fn a_call_that_turns_down_goes_on() {
    let mut world = World::new().with(ChannelKind::Funded, &AWAITING);
    assert_eq!(world.report(announced(proposed("a1"))), "WrongVisibility 0");
    assert!(world.benches[0].request.is_running());
    assert!(world.benches[0].done.is_empty());
}

#[test]
fn asked_for_either_visibility_both_fit() {
    let mut world = World::new().waiting(UNANNOUNCED);
    world = world.then(0, &[ANNOUNCED, "node ok", "connected", "written", "agreed"]);
    assert_eq!(world.report(unannounced(proposed("a1"))), "Expected 0");
    assert_eq!(world.report(announced(proposed("a2"))), "Expected 0");
}

// ---- what arrived ----

/// "Another id from that peer is `Expected` and takes its place."
#[test]
fn a_proposal_gives_way_to_a_later_one() {
    let mut world = World::new().waiting(UNANNOUNCED);
    assert_eq!(world.report(proposed("a1")), "Expected 0");
    assert_eq!(world.report(proposed("a2")), "Expected 0");
    assert_eq!(world.arrived(0), Some("a2"));
    assert_eq!(world.report(proposed("a1")), "Expected 0");
    assert_eq!(world.arrived(0), Some("a2"));
    world.restart();
    assert_eq!(world.report(proposed("a3")), "Expected 0");
    assert_eq!((world.state(0), world.arrived(0)), (Arrived, Some("a3")));
}

/// "A `Funded` report from that peer is the same channel growing up."
#[test]
fn a_proposal_grows_up() {
    for grown in [funded("f1"), formerly("a1", funded("f1")), funded("a1")] {
        let mut world = World::new().waiting(UNANNOUNCED);
        assert_eq!(world.report(proposed("a1")), "Expected 0");
        assert_eq!(world.report(grown.clone()), "Expected 0");
        assert_eq!(world.arrived(0), Some(grown.channel_id.as_str()));
        // From now on it is funded.
        assert_eq!(world.report(proposed("a2")), "Duplicate 0");
        assert_eq!(world.report(funded("f2")), "Duplicate 0");
        assert_eq!(world.report(proposed("a1")), "Expected 0");
        assert_eq!(world.arrived(0), Some(grown.channel_id.as_str()));
    }
}

#[test]
fn an_earlier_proposal_that_is_funded_after_all_takes_its_place_back() {
    let mut world = World::new().waiting(UNANNOUNCED);
    assert_eq!(world.report(proposed("a1")), "Expected 0");
    assert_eq!(world.report(proposed("a2")), "Expected 0");
    assert_eq!(world.report(formerly("a1", funded("f1"))), "Expected 0");
    assert_eq!(world.arrived(0), Some("f1"));
}

#[test]
fn what_is_funded_keeps_its_place() {
    let mut world = World::new().waiting(UNANNOUNCED);
    assert_eq!(world.report(proposed("a1")), "Expected 0");
    assert_eq!(world.report(proposed("a2")), "Expected 0");
    assert_eq!(world.report(formerly("a2", funded("f2"))), "Expected 0");
    // It keeps its verdict, and that is all.
    assert_eq!(world.report(formerly("a1", funded("f1"))), "Expected 0");
    assert_eq!(world.arrived(0), Some("f2"));
}

#[test]
fn a_funded_channel_learns_what_later_reports_tell() {
    let mut world = World::new().waiting(UNANNOUNCED);
    assert_eq!(world.report(funded("f1")), "Expected 0");
    let told = IncomingChannel {
        push_msat: Some(5),
        ..funded("f1")
    };
    assert_eq!(world.report(told.clone()), "Expected 0");
    let outcome = world.benches[0].request.progress.outcome.clone();
    assert_eq!(outcome, Some(ChannelOutcome::Opening { channel: told }));
}

/// 5.8 sets a limit of 24 hours to `Unwanted` alone, and nothing that arrived has been returned.
#[test]
fn what_arrived_and_was_not_returned_waits_longer_than_a_day() {
    for (channel, arrived) in [(proposed("a2"), "a2"), (funded("f1"), "f1")] {
        let mut world = World::new().waiting(UNANNOUNCED);
        assert_eq!(world.report(proposed("a1")), "Expected 0");
        world.pass(2 * DAY);
        assert_eq!(world.report(channel), "Expected 0");
        assert_eq!(world.arrived(0), Some(arrived));
    }
}

#[test]
fn asked_again_after_a_refusal_it_waits_on() {
    let again = [
        "accept",
        "node ok",
        "connected",
        "written",
        "agreed",
        "pause",
    ];
    let mut world = World::new()
        .with(ChannelKind::Funded, &REFUSED)
        .then(0, &again);
    world.pass(2 * DAY);
    assert_eq!(world.report(proposed("a1")), "Expected 0");
}

#[test]
fn the_channels_of_a_request_outlive_it() {
    let mut world = World::new().waiting(UNANNOUNCED);
    assert_eq!(world.report(funded("f0")), "Expected 0");
    for number in 1..100 {
        let verdict = world.report(funded(&format!("f{number}")));
        assert_eq!(verdict, "Duplicate 0");
    }
    let forgotten = world.benches.pop().unwrap().request;
    assert!(world.unrequested.outlive(&forgotten));
    let mut after_others = world.unrequested.clone();
    for number in 0..63 {
        after_others.remember(&funded(&format!("g{number}")));
    }
    assert!(after_others.contains(PEER, "f0"), "what it led to, longest");
    assert!(!after_others.contains(PEER, "f99"));
    let mut world = world.waiting(UNANNOUNCED);
    for old in ["f0", "f99", "f37"] {
        assert_eq!(world.report(funded(old)), "Unrequested", "{old}");
    }
    assert_eq!(world.state(0), Awaiting);
    assert_eq!(world.report(funded("g0")), "Expected 0");
}

// ---- what failed ----

/// "`report_channel_failed` on what arrived: the request awaits again."
#[test]
fn a_failed_channel_is_awaited_again() {
    for (channel, names) in [
        (proposed("a1"), &["a1"][..]),
        (funded("f1"), &["f1"]),
        (formerly("a1", funded("f1")), &["f1", "a1"]),
    ] {
        for name in names {
            let mut world = World::new().waiting(UNANNOUNCED);
            assert_eq!(world.report(channel.clone()), "Expected 0");
            world.fail(name);
            assert_eq!((world.state(0), world.arrived(0)), (Awaiting, None));
            assert!(world.benches[0].request.is_unfinished());
            world.restart();
            assert_eq!(world.state(0), Awaiting);
            assert_eq!(world.report(proposed("b1")), "Expected 0");
            assert_eq!(world.arrived(0), Some("b1"));
        }
    }
}

/// What the node told last counts: an opener sends its proposal anew under the same id.
#[test]
fn a_channel_that_failed_may_come_again() {
    let grown = formerly("a1", funded("f1"));
    for first in [proposed("a1"), grown.clone()] {
        for again in [&first, &grown] {
            let mut world = World::new().waiting(UNANNOUNCED);
            world.report(first.clone());
            world.fail("a1");
            assert_eq!(world.state(0), Awaiting);
            assert_eq!(world.report(again.clone()), "Expected 0");
            assert_eq!(world.arrived(0), Some(&*again.channel_id));
        }
    }
}

#[test]
fn a_failure_after_the_end_was_returned_makes_it_unfinished_again() {
    let mut world = World::new().with(ChannelKind::Funded, &AWAITING);
    world.report(proposed("a1"));
    world = world.then(0, &["returned"]);
    assert!(!world.benches[0].request.is_unfinished());
    world.fail("a1");
    assert!(world.benches[0].request.is_unfinished());
    world = world.then(0, &["resume"]);
    assert!(world.benches[0].request.is_running());
}

#[test]
fn a_failure_without_an_answer_leaves_the_outcome_unknown() {
    let mut world = World::new().with(ChannelKind::Funded, &UNKNOWN);
    world.report(proposed("a1"));
    world.fail("a1");
    assert_eq!(world.state(0), OutcomeUnknown);
}

#[test]
fn a_failure_of_another_channel_changes_nothing() {
    let mut world = World::new().waiting(UNANNOUNCED);
    world.fail("a1");
    world.report(proposed("a1"));
    world.report(proposed("a2"));
    world.fail("a1");
    world.fail("zz");
    assert_eq!(world.arrived(0), Some("a2"));
    world.report(funded("f2"));
    world.report(proposed("a3"));
    world.fail("a3");
    assert_eq!((world.state(0), world.arrived(0)), (Arrived, Some("f2")));
}

// ---- what was refused ----

#[test]
fn after_a_refusal_a_proposal_has_to_fit_and_a_fact_does_not() {
    let mut world = World::new().with(ChannelKind::Funded, &REFUSED);
    assert_eq!(world.report(announced(proposed("a1"))), "Unrequested");
    assert_eq!(world.report(announced(funded("f1"))), "Expected 0");
    assert_eq!(world.arrived(0), Some("f1"));
}

// ---- what was cancelled ----

/// "`Unwanted`, for 24 hours, across restarts, unless a newer request to that peer waits."
#[test]
fn a_cancelled_request_refuses_a_late_channel_for_a_day() {
    for inputs in [&REQUESTING[..], &AWAITING, &UNKNOWN, &REFUSED] {
        let inputs = [inputs, &["cancel"]].concat();
        let mut world = World::new().with(ChannelKind::Funded, &inputs);
        assert_eq!(world.report(proposed("a1")), "Unwanted 0");
        assert_eq!(world.report(announced(funded("f1"))), "Unwanted 0");
        world.restart();
        world.pass(DAY - 1);
        assert_eq!(world.report(proposed("a2")), "Unwanted 0");
        world.pass(1);
        assert_eq!(world.report(proposed("a3")), "Unrequested");
        assert_eq!(world.report(proposed("a1")), "Unwanted 0");
        assert_eq!(world.state(0), Cancelled);
    }
}

#[test]
fn a_newer_request_gets_what_comes_after_a_cancel() {
    let cancelled = [&AWAITING[..], &["cancel"]].concat();
    let mut world = World::new()
        .with(ChannelKind::Funded, &cancelled)
        .waiting(UNANNOUNCED);
    assert_eq!(world.report(proposed("a1")), "Expected 1");
    assert_eq!(world.report(formerly("a1", funded("f1"))), "Expected 1");
}

#[test]
fn what_was_cancelled_last_is_not_taken_for_an_older_refusal() {
    let cancelled = [&AWAITING[..], &["cancel"]].concat();
    let refused_first = World::new()
        .with(ChannelKind::Funded, &REFUSED)
        .with(ChannelKind::Funded, &cancelled);
    let cancelled_first = World::new()
        .with(ChannelKind::Funded, &cancelled)
        .with(ChannelKind::Funded, &REFUSED);
    for (mut world, verdict) in [
        (refused_first, "Unwanted 1"),
        (cancelled_first, "Expected 1"),
    ] {
        assert_eq!(world.report(proposed("a1")), verdict);
    }
}

#[test]
fn a_newer_request_that_does_not_wait_yet_gets_nothing() {
    let cancelled = [&AWAITING[..], &["cancel"]].concat();
    let mut world = World::new()
        .with(ChannelKind::Funded, &cancelled)
        .with(ChannelKind::Funded, &["accept", "node ok"]);
    assert_eq!(world.report(proposed("a1")), "Unwanted 0");
}

#[test]
fn a_declined_request_is_forgotten() {
    let declined = [&AWAITING[..], &["pause", "decline"]].concat();
    let mut world = World::new().with(ChannelKind::Funded, &declined);
    assert_eq!(world.report(proposed("a1")), "Unrequested");
}
