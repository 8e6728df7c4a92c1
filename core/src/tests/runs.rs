//! Across runs and calls: the same LNURL, restarts, clocks, a disk that fails, and the end (8).

use super::bench::{Bench, MemoryJournal};
use super::play::{FUNDED_PLACES, HOSTED_PLACES, Place, Play};
use super::samples::*;
use crate::protocol::ChannelKind::{self, Funded, Hosted};
use crate::protocol::ChannelVisibility::Unannounced;
use crate::protocol::{LnurlProblem, UrlProblem};
use crate::*;
use ChannelRequestState::{Awaiting, Cancelled, Offered, OutcomeUnknown, Refused};

/// All places, with their kind.
fn places() -> impl Iterator<Item = (ChannelKind, &'static str)> {
    let of = |kind, places: &'static [Place]| places.iter().map(move |(name, ..)| (kind, *name));
    of(Funded, &FUNDED_PLACES).chain(of(Hosted, &HOSTED_PLACES))
}

// ---- the same LNURL ----

#[test]
fn the_same_lnurl_leads_to_the_request_that_is_under_way() {
    for (kind, place) in places() {
        use ChannelRequestState::{Connecting, Opening, Requesting};
        let play = Play::at(kind, place);
        // After a refusal what it takes to ask is forgotten, and so is the LNURL.
        let is_under_way = !place.starts_with("refused")
            && [Connecting, Requesting, Awaiting, OutcomeUnknown, Opening].contains(&play.state());
        for (wait, is_same_offer) in [(0, true), (59, true), (60, false)] {
            let mut play = play.clone();
            let is_offered = play.state() == Offered;
            if is_offered {
                play.bench.sleep(SECOND * wait);
            }
            let offer = play.bench.offers[&play.request];
            let waiter = play.bench.fetch(offer);
            let same = Some(Ok(Answer::Request(play.request)));
            let is_same = play.bench.answers.get(&waiter).cloned() == same;
            let expected = is_under_way || is_offered && is_same_offer;
            assert_eq!(is_same, expected, "{kind:?}, {place}, {wait} s");
            assert_eq!(play.bench.shown() == "Get", !is_same);
            let taken = play.bench.take_answer(offer).unwrap();
            assert_eq!(taken == play.request, is_same, "{place}");
        }
    }
}

#[test]
fn an_offer_of_an_earlier_run_is_fetched_anew() {
    let mut play = Play::at(Funded, "offered again");
    play.act("restart");
    let again = play.bench.offer(Funded, 1);
    assert_ne!(again, play.request);
    // The user agreed to that one, and can still accept it.
    assert_eq!(play.state(), Offered);
}

#[test]
fn two_fetches_at_once_share_one_get() {
    let mut bench = Bench::new();
    let offer = Service::new(Funded, 1);
    let waiters = [bench.fetch(offer), bench.fetch(offer), bench.fetch(offer)];
    assert_eq!(bench.shown(), "");
    bench.feed(Input::Leave(waiters[0]));
    assert_eq!(bench.shown(), "");
    let task = bench.task(|task| matches!(task, Task::Get(_)));
    let reply = reply(&offer.body(), offer.lnurl().as_url());
    bench.feed(Input::Got(task, Ok(reply)));
    assert_eq!(bench.shown(), "! =Request =Request");
    assert_eq!(bench.answer(waiters[1]), bench.answer(waiters[2]));
    // Nobody waits any more: it is stopped, and what it brings is nothing.
    let mut bench = Bench::new();
    let waiter = bench.fetch(offer);
    let task = bench.task(|task| matches!(task, Task::Get(_)));
    bench.feed(Input::Leave(waiter));
    assert_eq!(bench.shown(), "Stop(Get)");
    assert!(!bench.client.wants(task));
    bench.feed(Input::Got(task, Err(http_failure(true, false))));
    assert_eq!(bench.shown(), "");
}

#[test]
fn a_fetch_that_fails_tells_why() {
    let peer = format!("{PEER}@node.example");
    let offer_of = |callback: &str| {
        format!(
            r#"{{"tag":"channelRequest","uri":"{peer}","k1":"hush-1-","callback":"{callback}"}}"#
        )
    };
    let onion = "http://2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion/cb";
    for (body, expected) in [
        (
            r#"{"status":"ERROR","reason":"no unsaid-1"}"#.into(),
            "Refused",
        ),
        ("<html>".into(), "InvalidResponse"),
        (r#"{"tag":"payRequest"}"#.into(), "UnsupportedTag"),
        (offer_of("http://api.example/cb"), "UnsafeUrl"),
        (offer_of("https://192.168.1.1/cb"), "UnsafeUrl"),
        (offer_of(onion), "TorRequired"),
    ] {
        let mut bench = Bench::new();
        let offer = Service::new(Funded, 1);
        bench.fetch(offer);
        let task = bench.task(|task| matches!(task, Task::Get(_)));
        let reply = reply(&body, offer.lnurl().as_url());
        bench.feed(Input::Got(task, Ok(reply)));
        assert_eq!(bench.shown(), format!("Stop(Get) ={expected}"), "{body}");
    }
    let problem = UrlProblem::PrivateAddress;
    let error = protocol::Error::UnsafeUrl {
        problem,
        reason: "x".into(),
    };
    assert!(matches!(
        error.into(),
        LnurlChannelError::UnsafeUrl {
            problem: UrlProblem::PrivateAddress,
            ..
        }
    ));
    let problem = LnurlProblem::NotLnurl;
    let error = protocol::Error::InvalidLnurl {
        problem,
        reason: "x".into(),
    };
    assert!(matches!(
        error.into(),
        LnurlChannelError::InvalidLnurl {
            problem: LnurlProblem::NotLnurl,
            ..
        }
    ));
}

#[test]
fn an_lnurl_that_holds_the_offer_is_not_fetched() {
    let text = format!(
        "https://service.example/h?tag=hostedChannelRequest&uri={PEER}@node.example&k1=5ec7e70001"
    );
    let mut bench = Bench::new();
    let (waiter, new_id) = (bench.new_waiter(), bench.new_id());
    let lnurl = protocol::Lnurl::from_url(&text).unwrap();
    bench.feed(Input::Fetch {
        waiter,
        lnurl,
        new_id,
    });
    assert_eq!(bench.shown(), "! =Request");
    assert_eq!(bench.snapshot(new_id).offer.service, None);
}

#[test]
fn what_the_wallet_let_go_and_never_accepted_is_forgotten() {
    for (kind, place) in places() {
        let mut play = Play::at(kind, place);
        play.bench.sleep(MINUTE);
        let request = play.request;
        play.bench.feed(Input::LetGo(vec![request]));
        assert_eq!(
            play.bench.shown().contains("Forgotten"),
            place == "declined",
            "{place}"
        );
    }
    let mut play = Play::at(Funded, "offered");
    let request = play.request;
    play.bench.feed(Input::LetGo(vec![request]));
    assert_eq!(
        play.bench.shown(),
        "",
        "the same LNURL may still lead to it"
    );
    play.bench.sleep(MINUTE);
    play.bench.feed(Input::LetGo(vec![request]));
    assert_eq!(play.bench.shown(), "Stop(Get) Forgotten");
    play.waiters.push(play.bench.new_waiter());
    let waiter = play.waiters[0];
    play.bench.feed(Input::Accept {
        waiter,
        request,
        visibility: Unannounced,
    });
    assert_eq!(play.bench.shown(), "=Cancelled");
}

/// What is forgotten takes nothing from the others of its peer; and of a peer without requests nothing is
/// kept.
#[test]
fn a_request_that_is_forgotten_leaves_the_others_of_its_peer_alone() {
    let mut bench = Bench::new();
    let kept = bench.offer(Funded, 1);
    let forgotten = bench.offer(Funded, 2);
    bench.agreed(kept, Unannounced);
    bench.sleep(MINUTE);
    bench.feed(Input::LetGo(vec![forgotten]));
    assert_eq!(bench.shown(), "Stop(Get) Forgotten");
    let request_id = kept.to_string();
    assert_eq!(
        bench.report(proposed("aa")),
        ChannelVerdict::Expected { request_id }
    );

    let mut bench = Bench::new();
    let forgotten = bench.offer(Funded, 1);
    bench.feed(Input::PeerConnection {
        peer_id: PEER.into(),
        is_connected: true,
    });
    assert!(bench.snapshot(forgotten).is_peer_connected);
    bench.sleep(MINUTE);
    bench.feed(Input::LetGo(vec![forgotten]));
    // The connection may have been lost meanwhile.
    let later = bench.offer(Funded, 2);
    assert!(!bench.snapshot(later).is_peer_connected);
}

#[test]
fn when_a_request_was_fetched_and_when_it_changed_last_is_shown_in_seconds() {
    let mut bench = Bench::new();
    bench.advance(SECOND * 7);
    let request = bench.offer(Funded, 1);
    let times = |bench: &Bench| {
        let snapshot = bench.snapshot(request);
        (snapshot.created_at_seconds, snapshot.updated_at_seconds)
    };
    assert_eq!(times(&bench), (1_800_000_007, 1_800_000_007));
    bench.advance(SECOND * 2);
    assert_eq!(times(&bench), (1_800_000_007, 1_800_000_007));
    bench.accept(request, Unannounced);
    assert_eq!(times(&bench), (1_800_000_007, 1_800_000_009));
}

/// Of several addresses of the peer.
#[test]
fn the_peers_onion_address_is_taken_where_no_other_is_reached() {
    let onion = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
    let uris = format!(r#"["{PEER}@{onion}:9735","{PEER}@node.example:9735"]"#);
    for (proxy, host) in [
        (Proxy::None, "node.example"),
        (Proxy::OnThisDevice, onion),
        (Proxy::Elsewhere, onion),
    ] {
        let mut bench = Bench::with_settings(Settings { proxy, ..SETTINGS });
        let body = format!(
            r#"{{"tag":"channelRequest","uri":{uris},"k1":"hush-1-","callback":"https://api.example/cb"}}"#
        );
        let request = bench.offered_with(Service::new(Funded, 1), &body);
        assert_eq!(bench.snapshot(request).offer.peer.host, host, "{proxy:?}");
    }
}

// ---- restarts and clocks ----

#[test]
fn a_restart_keeps_all_that_is_shown_and_survives() {
    for (kind, place) in places() {
        let mut play = Play::at(kind, place);
        let before = play.snapshot().clone();
        play.act("restart");
        let Some(after) = play.bench.snapshots.get(&play.request) else {
            assert_eq!(place, "declined");
            continue;
        };
        let unchanged = (
            &before.offer,
            before.created_at_seconds,
            &before.hosted_terms,
            &before.refusal,
        );
        let is = (
            &after.offer,
            after.created_at_seconds,
            &after.hosted_terms,
            &after.refusal,
        );
        assert_eq!(is, unchanged, "{place}");
        assert!(!after.is_running && !after.is_peer_connected);
        let is_proposal = before.state == ChannelRequestState::Opening;
        let channel = before.channel.filter(|_| !is_proposal);
        assert_eq!(after.channel, channel, "{place}");
    }
}

#[test]
fn a_client_writes_nothing_when_nothing_changed() {
    for (kind, place) in places() {
        let mut play = Play::at(kind, place);
        play.act("restart");
        let before = play.bench.journal().records.clone();
        play.act("restart");
        assert_eq!(
            (play.bench.writes(), &play.bench.journal().records),
            (0, &before),
            "{place}"
        );
    }
}

/// For how long requests are kept, in days, looked at when a client is created.
#[test]
fn requests_are_kept_for_as_long_as_they_matter() {
    for (kind, place, days) in [
        (Funded, "offered again", Some(1)),
        (Funded, "written, paused", None),
        (Funded, "awaiting, paused", None),
        (Funded, "arrived", None),
        (Funded, "ready", Some(30)),
        (Funded, "refused", Some(30)),
        (Funded, "cancelled", Some(30)),
        (Hosted, "awaiting, paused", None),
        (Hosted, "arrived", Some(30)),
    ] {
        let mut play = Play::at(kind, place);
        let started_at = play.bench.now.unix_millis;
        let is_known = |play: &Play| play.bench.snapshots.contains_key(&play.request);
        let at = |days: u64, seconds: u64| started_at + (days * 24 * 60 * 60 + seconds) * 1000;
        match days {
            Some(days) => {
                play.bench.restart_at(at(days, 0) - 1000);
                assert!(is_known(&play), "{place}");
                play.bench.restart_at(at(days, 0));
                assert!(!is_known(&play), "{place}");
                let name = play.request.to_string();
                assert!(!play.bench.journal().records.contains_key(&name));
            }
            None => {
                play.bench.restart_at(at(1000, 0));
                assert!(is_known(&play), "{place}");
            }
        }
    }
}

/// The channels of a request that is forgotten are taken for no new one.
#[test]
fn the_channels_of_a_forgotten_request_are_still_known() {
    for place in ["ready", "cancelled"] {
        let mut play = Play::at(Funded, "awaiting");
        play.acts(&["funded", "closed"]);
        play.bench.report(funded("f2"));
        match place {
            "ready" => drop(play.bench.report(ready("f2"))),
            _ => {
                play.bench.feed(Input::ChannelClosed {
                    peer_id: PEER.into(),
                    channel_id: Some("f2".into()),
                    reason: None,
                });
                play.act("cancel");
            }
        }
        let later = play.bench.now.unix_millis + 31 * 24 * 60 * 60 * 1000;
        play.bench.restart_at(later);
        assert!(!play.bench.snapshots.contains_key(&play.request), "{place}");
        let other = play.bench.offer(Funded, 2);
        play.bench.agreed(other, Unannounced);
        for id in ["ff", "f2"] {
            assert_eq!(
                play.bench.report(ready(id)),
                ChannelVerdict::Unrequested,
                "{place}, {id}"
            );
        }
    }
}

/// "Within a run by the monotonic clock; at load, an end that lies in the future, or before 2026, is
/// taken as now, and stored."
#[test]
fn no_clock_makes_an_end_older_or_younger_than_it_is() {
    const IN_1970: u64 = 1000;
    const IN_2100: u64 = 4_102_444_800_000;
    let verdict = |play: &mut Play| play.bench.report(proposed("a9"));
    let is_unwanted = |verdict: ChannelVerdict| matches!(verdict, ChannelVerdict::Unwanted { .. });
    for clock in [IN_1970, IN_2100] {
        // Set while it runs.
        let mut play = Play::at(Funded, "cancelled");
        play.bench.set_wall_clock(clock);
        play.bench.advance(DAY - SECOND);
        assert!(is_unwanted(verdict(&mut play)), "{clock}");
        play.bench.advance(SECOND);
        assert!(!is_unwanted(verdict(&mut play)), "{clock}");
        // Cancelled under the wrong clock, and loaded under the right one.
        let mut play = Play::at(Funded, "awaiting");
        let right = play.bench.now.unix_millis;
        play.bench.set_wall_clock(clock);
        play.act("cancel");
        play.bench.restart_at(right);
        assert_eq!(play.bench.writes(), 1, "{clock}");
        assert!(is_unwanted(verdict(&mut play)), "{clock}");
        play.bench.advance(DAY);
        assert!(!is_unwanted(verdict(&mut play)), "{clock}");
    }
    // Loaded under a clock of 1970: taken as now.
    let mut play = Play::at(Funded, "cancelled");
    play.bench.restart_at(IN_1970);
    assert!(is_unwanted(verdict(&mut play)));
    play.bench.advance(DAY);
    assert!(!is_unwanted(verdict(&mut play)));
}

#[test]
fn requests_are_created_one_after_the_other_whatever_the_clock_says() {
    let mut bench = Bench::new();
    let mut created = Vec::new();
    for number in 1..6 {
        let request = bench.offer(Funded, number);
        created.push(
            bench
                .client
                .all_requests()
                .find(|r| r.id() == request)
                .unwrap()
                .record
                .created_at_millis,
        );
        bench.set_wall_clock(1_800_000_000_000 - number * 1_000_000);
        bench.accept(request, Unannounced);
        if number == 3 {
            let now = bench.now.unix_millis;
            bench.restart_at(now);
        }
    }
    assert!(created.windows(2).all(|two| two[0] < two[1]), "{created:?}");
}

/// The oldest first, whatever the order of their names on the disk.
#[test]
fn requests_are_announced_in_the_order_in_which_they_were_fetched() {
    let mut bench = Bench::new();
    let requests: Vec<RequestId> = (1..8).map(|number| bench.offer(Funded, number)).collect();
    assert!(!requests.is_sorted());
    for request in &requests {
        bench.accept(*request, Unannounced);
    }
    bench.restart();
    let announced = bench.done.iter().map(|output| match output {
        Output::Changed { request, .. } => *request,
        other => panic!("{other:?}"),
    });
    assert_eq!(announced.collect::<Vec<_>>(), requests);
}

// ---- a disk that fails ----

#[test]
fn what_has_to_be_stored_first_does_not_happen_if_it_cannot_be() {
    for (place, act) in [
        ("offered", "accept"),
        ("written", "cancel"),
        ("awaiting", "cancel"),
        ("awaiting, paused", "cancel"),
        ("refused", "cancel"),
        ("refused", "dismiss"),
        ("arrived", "dismiss"),
        ("cancelled", "dismiss"),
    ] {
        let mut play = Play::at(Funded, place);
        let before = play.snapshot().clone();
        play.bench.journal().is_full = true;
        play.act(act);
        assert_eq!(play.bench.shown(), "=StorageFailed", "{place}, {act}");
        assert_eq!(*play.snapshot(), before);
        play.bench.journal().is_full = false;
        play.act(act);
        assert!(
            !play.bench.shown().contains("StorageFailed"),
            "{place}, {act}"
        );
    }
}

#[test]
fn nobody_is_asked_if_that_cannot_be_stored() {
    for (kind, place, state) in [
        (Funded, "connecting", Offered),
        (Funded, "connecting again", Awaiting),
        (Hosted, "connecting", Offered),
        (Hosted, "connecting again", Awaiting),
    ] {
        let mut play = Play::at(kind, place);
        play.bench.journal().is_full = true;
        play.act("connected");
        assert_eq!(play.bench.asks_service(play.request), None);
        assert!(
            matches!(
                play.last_answer(),
                Err(LnurlChannelError::StorageFailed { .. })
            ),
            "{place}"
        );
        assert_eq!(play.state(), state);
    }
}

/// "A report that cannot be stored keeps its verdict and is written with the next."
#[test]
fn facts_that_could_not_be_stored_are_written_with_the_next() {
    for (place, act) in [
        ("written", "ok"),
        ("written", "lost"),
        ("written", "error"),
        ("awaiting", "funded"),
        ("arrived", "ready"),
        ("arrived", "closed"),
        ("requesting", "unsent for good"),
        ("requesting", "pause"),
    ] {
        let mut play = Play::at(Funded, place);
        play.bench.journal().is_full = true;
        play.act(act);
        let state = play.state();
        play.bench.journal().is_full = false;
        let other = play.bench.offer(Funded, 2);
        play.bench.accept(other, Unannounced);
        play.act("restart");
        assert_eq!(play.state(), state, "{place}, {act}");
    }
    let mut play = Play::at(Funded, "cancelled");
    play.bench.journal().is_full = true;
    let verdict = play.bench.report(funded("f1"));
    play.bench.journal().is_full = false;
    play.act("dismiss");
    play.act("restart");
    play.bench.advance(DAY);
    assert_eq!(play.bench.report(funded("f1")), verdict);
}

// ---- damaged records ----

#[test]
fn a_damaged_record_is_set_aside_without_its_secrets_and_the_others_load() {
    let mut play = Play::at(Funded, "awaiting");
    let other = play.bench.offer(Hosted, 2);
    play.bench.agreed(other, Unannounced);
    let name = play.request.to_string();
    let whole = play.bench.journal().records[&name].clone();
    for content in [
        whole.replace("\"Asked\"", "\"Ready\""),
        whole.replace("\"order\": 1", "\"order\": 0"),
        whole[..whole.len() / 2].to_owned(),
        String::new(),
    ] {
        let mut play = play.clone();
        assert_ne!(content, whole);
        play.bench.journal().records.insert(name.clone(), content);
        play.act("restart");
        assert!(!play.bench.snapshots.contains_key(&play.request));
        assert!(play.bench.snapshots.contains_key(&other));
        let [(set_aside, Some(content))] = &play.bench.journal().set_aside[..] else {
            panic!("it was not set aside");
        };
        assert_eq!(*set_aside, name);
        assert!(
            !content.contains("hush") && !content.contains("unsaid"),
            "{content}"
        );
    }
    let later = whole.replace("\"version\": 2", "\"version\": 3");
    play.bench
        .journal()
        .records
        .insert(name.clone(), later.clone());
    play.act("restart");
    assert_eq!(play.bench.journal().records[&name], later);
}

/// A later version can read them: it has to find them as they were.
#[test]
fn verdicts_of_a_later_version_are_left_as_they_are() {
    for (version, is_kept) in [(3, true), (2, false)] {
        let content = format!(r#"{{"version":{version},"peer_id":"{PEER}","channels":[]}}"#);
        let mut journal = MemoryJournal::default();
        journal.records.insert(PEER.into(), content.clone());
        let mut bench = Bench::starting(SETTINGS, journal, START_MILLIS);
        let offer = bench.offer(Funded, 1);
        assert_eq!(bench.report(funded("f1")), ChannelVerdict::Unrequested);
        assert_eq!(
            bench.journal().records[PEER] == content,
            is_kept,
            "{version}"
        );
        // Those of this run count all the same.
        bench.agreed(offer, Unannounced);
        assert_eq!(bench.report(funded("f1")), ChannelVerdict::Unrequested);
    }
}

#[test]
fn a_record_of_another_name_is_left_alone() {
    let mut journal = MemoryJournal::default();
    journal.records.insert("notes".into(), "{}".into());
    let before = journal.records.clone();
    let mut bench = Bench::starting(SETTINGS, journal, START_MILLIS);
    let journal = bench.journal();
    assert_eq!(
        (&journal.records, &journal.set_aside[..]),
        (&before, &[][..])
    );
}

// ---- the end ----

#[test]
fn after_a_shutdown_nothing_is_done_or_written() {
    for (kind, place) in places() {
        let mut play = Play::at(kind, place);
        let tasks: Vec<TaskId> = play.bench.tasks.keys().copied().collect();
        play.act("shutdown");
        assert!(
            play.waiters.iter().all(|waiter| !play.bench.waits(*waiter)),
            "{place}"
        );
        assert_eq!(play.bench.client.poll_timeout(), None);
        let (writes, state) = (play.bench.writes(), play.state());
        let url = Service::new(kind, 1).lnurl();
        for act in ["accept", "ask again", "cancel", "dismiss"] {
            play.act(act);
            assert_eq!(play.bench.shown(), "=Cancelled", "{place}, {act}");
        }
        for channel in [proposed("a9"), funded("f9"), ready("ff")] {
            assert_eq!(play.bench.report(channel), ChannelVerdict::Unrequested);
        }
        assert!(!play.try_act("host offers"));
        for act in [
            "disconnected",
            "reported connected",
            "closed",
            "closed unnamed",
            "check peers",
        ] {
            play.act(act);
            assert_eq!(play.bench.shown(), "", "{place}, {act}");
        }
        for task in tasks {
            for late in [
                Input::CallbackWritten(task),
                Input::CallbackEnded(task, Ok(reply(OK, url.as_url()))),
                Input::Invoked(task, Ok(())),
                Input::CancelSent(task),
                Input::Connected(task, Ok(())),
            ] {
                play.bench.feed(late);
                assert_eq!(play.bench.shown(), "", "{place}");
            }
        }
        play.bench.sleep(MINUTE * 20);
        assert_eq!(
            (play.bench.writes(), play.state()),
            (writes, state),
            "{place}"
        );
        let waiter = play.bench.fetch(Service::new(Funded, 9));
        assert_eq!(
            *play.bench.answer(waiter),
            Err(LnurlChannelError::Cancelled)
        );
        assert!(play.bench.take_answer(Service::new(Funded, 9)).is_err());
    }
}

#[test]
fn a_shutdown_ends_fetches_and_cancels_that_are_under_way() {
    let mut play = Play::at(Funded, "cancelled");
    let waiter = play.bench.fetch(Service::new(Funded, 2));
    play.act("shutdown");
    assert_eq!(
        play.bench.shown(),
        "Stop(Get) =Cancelled Stop(CancelNotice) =Done"
    );
    assert_eq!(
        *play.bench.answer(waiter),
        Err(LnurlChannelError::Cancelled)
    );
    assert_eq!(play.state(), Cancelled);
}

// ---- secrets ----

#[test]
fn the_journal_forgets_the_secrets_once_nobody_will_be_asked() {
    for (kind, place, has_secrets) in [
        (Funded, "awaiting", true),
        (Funded, "arrived", true),
        (Funded, "ready", false),
        (Funded, "refused", false),
        (Funded, "cancelled", false),
        (Hosted, "awaiting", true),
        (Hosted, "arrived", false),
        (Hosted, "refused", false),
        (Hosted, "cancelled", false),
    ] {
        let mut play = Play::at(kind, place);
        let holds = |play: &mut Play| {
            let records = format!("{:?}", play.bench.journal().records);
            ["hush", "unsaid", "5ec7e7"]
                .iter()
                .any(|word| records.contains(word))
        };
        assert_eq!(holds(&mut play), has_secrets, "{place}");
        if place == "arrived" {
            play.bench.advance(DAY);
            assert!(!holds(&mut play));
        }
    }
    let mut play = Play::at(Funded, "refused");
    play.act("restart");
    assert_eq!(play.state(), Refused);
}
