//! From consent to the service's answer: what is stored, what goes out, how often (5a).

use std::time::Duration;

use super::bench::Bench;
use super::play::{FUNDED_PLACES, Play};
use super::samples::*;
use crate::protocol::ChannelKind::Funded;
use crate::protocol::ChannelVisibility::{Announced, Unannounced};
use crate::*;
use ChannelRequestState::{Awaiting, Offered, OutcomeUnknown, Requesting};

const CALLBACK: &str = "https://api.example/cb?token=unsaid-cb";

/// How often the service was asked.
fn asks(play: &Play) -> u32 {
    let asks = play.bench.asks.get(&play.request);
    asks.map_or(0, |asks| asks.asks)
}

/// Let time pass, and everything that the client asks the node for go well.
fn go_on(play: &mut Play, by: Duration) {
    let end = play.bench.now.since_start + by;
    while play.bench.now.since_start < end {
        for act in ["node tells", "connected", "written"] {
            play.try_act(act);
        }
        play.bench.advance(SECOND * 10);
    }
}

#[test]
fn the_callback_says_what_the_user_chose() {
    for (act, private) in [("accept", 1), ("accept announced", 0)] {
        let mut play = Play::at(Funded, "offered");
        play.acts(&[act, "node tells", "connected"]);
        let task = play.bench.asks_service(play.request).unwrap();
        let expected = format!("{CALLBACK}&k1=hush-1-&remoteid={OWN}&private={private}");
        assert_eq!(play.bench.url_of(task), expected);
    }
}

#[test]
fn the_node_id_is_checked_before_anything_is_sent() {
    let off_curve = format!("02{}", "ff".repeat(32));
    for (node_id, error) in [
        (OWN.to_uppercase(), None),
        ("".into(), Some("NodeFailed")),
        ("02ab".into(), Some("NodeFailed")),
        (off_curve, Some("NodeFailed")),
        (PEER.into(), Some("OwnNode")),
        (PEER.to_uppercase(), Some("OwnNode")),
    ] {
        let mut play = Play::at(Funded, "asking node");
        let task = play.bench.asks_node(play.request).unwrap();
        let facts = NodeFacts {
            node_id: node_id.clone(),
            ..play.bench.facts(task)
        };
        play.bench.feed(Input::NodeAsked(task, Ok(facts)));
        match error {
            None => {
                play.act("connected");
                let task = play.bench.asks_service(play.request).unwrap();
                assert!(play.bench.url_of(task).contains(OWN));
            }
            Some(error) => {
                assert!(
                    play.bench.shown().ends_with(&format!("={error}")),
                    "{node_id}"
                );
                assert_eq!(play.state(), Offered);
            }
        }
    }
}

/// "Called again it joins, waits on, or gives the same end": never a second callback.
#[test]
fn accept_called_again_and_again_asks_once() {
    for (place, ..) in FUNDED_PLACES {
        let mut play = Play::at(Funded, place);
        // Once by `accept`, and once more where the user has said `ask_again` before.
        let is_again = ["asking node again", "connecting again"].contains(&place);
        let most = asks(&play).max(1) + u32::from(is_again);
        for _ in 0..3 {
            play.acts(&["accept", "accept announced"]);
            go_on(&mut play, MINUTE * 4);
        }
        assert!(asks(&play) <= most, "{place}");
    }
}

#[test]
fn two_who_accept_share_one_call_and_its_result() {
    let mut play = Play::at(Funded, "offered");
    play.act("accept");
    for act in ["node tells", "connected", "written", "ok", "proposed"] {
        play.act("accept announced");
        assert_eq!(play.bench.shown(), "", "before {act}");
        play.act(act);
    }
    play.act("funded");
    let answers: Vec<_> = play
        .waiters
        .iter()
        .map(|waiter| play.bench.answer(*waiter))
        .collect();
    assert_eq!(answers.len(), 6);
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer, Ok(Answer::Outcome(_))))
    );
    // What the second asked for counts for nothing: nobody was asked for it.
    assert_eq!(play.snapshot().visibility, Some(Unannounced));
}

#[test]
fn a_call_goes_on_while_one_who_waits_is_left() {
    let mut play = Play::at(Funded, "awaiting");
    play.acts(&["accept", "accept"]);
    let waiters = play.waiters.clone();
    for waiter in &waiters[..2] {
        play.bench.feed(Input::Leave(*waiter));
        assert_eq!(play.bench.shown(), "");
    }
    play.bench.feed(Input::Leave(waiters[2]));
    assert_eq!(play.bench.shown(), "!Changed");
    assert!(!play.snapshot().is_running);
    play.acts(&["accept", "funded"]);
    play.bench.feed(Input::Leave(waiters[2]));
    assert_eq!(play.bench.shown(), "");
}

// ---- the callback ----

#[test]
fn what_provably_was_not_sent_is_tried_twice_more() {
    let mut play = Play::at(Funded, "requesting");
    let mut began_at = play.bench.now.since_start;
    for (least, most) in [(150, 300), (300, 600)] {
        play.act("unsent");
        assert_eq!(play.bench.shown(), "");
        play.act("is due");
        assert_eq!(play.bench.shown(), "Callback");
        let after = play.bench.now.since_start - began_at;
        began_at = play.bench.now.since_start;
        assert!(after >= Duration::from_millis(least) && after <= Duration::from_millis(most));
        assert_eq!(play.state(), Requesting);
    }
    play.act("unsent");
    assert_eq!(play.bench.shown(), "!Changed =Unreachable ReleasePeer");
    assert_eq!(play.state(), Offered);
    assert_eq!(
        play.snapshot().concerns,
        [ChannelConcern::ServiceUnreachable {
            problem: NetworkProblem::NoConnection
        }]
    );
    // Safe to try again.
    play.acts(&["accept", "node tells", "connected"]);
    assert_eq!((play.state(), asks(&play)), (Requesting, 2));
    assert_eq!(play.snapshot().concerns, []);
}

/// It would come when reaching the service has taken as long as it may.
#[test]
fn no_retry_comes_once_the_time_for_it_is_over() {
    for (millis, is_retried) in [(29_699, true), (29_700, false)] {
        let mut bench = Bench::new();
        let offer = Service::new(Funded, 1);
        let waiter = bench.new_waiter();
        // The retries of no other come later.
        let new_id = RequestId::of_random([255; 16]);
        let lnurl = offer.lnurl();
        bench.feed(Input::Fetch {
            waiter,
            lnurl,
            new_id,
        });
        let task = bench.task(|task| matches!(task, Task::Get(_)));
        let reply = reply(&offer.body(), offer.lnurl().as_url());
        bench.feed(Input::Got(task, Ok(reply)));
        bench.offers.insert(new_id, offer);
        let waiter = bench.accept(new_id, Unannounced);
        bench.node_tells(new_id);
        bench.connected(PEER);
        bench.advance(Duration::from_millis(millis));
        bench.callback_fails(new_id, http_failure(false, true));
        assert_eq!(bench.waits(waiter), is_retried, "{millis}");
    }
}

#[test]
fn retries_of_different_requests_are_spread() {
    let mut bench = Bench::new();
    let mut instants = Vec::new();
    for number in 1..5 {
        let request = bench.offer(Funded, number);
        bench.accept(request, Unannounced);
        bench.node_tells(request);
        bench.connected(PEER);
        bench.callback_fails(request, http_failure(false, true));
        instants.push(bench.client.poll_timeout().unwrap());
        bench.feed(Input::Pause(request));
    }
    instants.dedup();
    assert_eq!(instants.len(), 4);
}

#[test]
fn only_the_first_try_takes_the_connection_that_was_opened_for_it() {
    let mut play = Play::at(Funded, "requesting");
    let told = |play: &Play| {
        let task = play.bench.asks_service(play.request).unwrap();
        match &play.bench.tasks[&task] {
            Task::Callback {
                opened_by,
                connect_within,
                ..
            } => (opened_by.is_some(), *connect_within),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(told(&play), (true, SETTINGS.request_timeout));
    play.acts(&["unsent", "is due"]);
    let (was_opened, within) = told(&play);
    assert!(!was_opened && within < SETTINGS.request_timeout);
}

#[test]
fn reaching_the_callbacks_host_has_a_time_limit() {
    let mut play = Play::at(Funded, "requesting");
    play.bench.advance(SECOND * 29);
    play.act("unsent");
    play.acts(&["is due"]);
    assert_eq!(play.bench.shown(), "Callback");
    play.bench.advance(SECOND);
    assert!(
        play.bench.shown().contains("=Unreachable"),
        "{}",
        play.bench.shown()
    );
    assert!(play.bench.shown().contains("Stop(Callback)"));
    assert_eq!(play.state(), Offered);
}

#[test]
fn the_deadline_counts_from_the_writing() {
    let mut play = Play::at(Funded, "requesting");
    assert_eq!(play.snapshot().waits_until_seconds, None);
    play.bench.advance(SECOND * 20);
    let writes = play.bench.writes();
    play.act("written");
    let until = play.bench.now.unix_millis / 1000 + 180;
    assert_eq!(play.snapshot().waits_until_seconds, Some(until));
    go_on(&mut play, SECOND * 170);
    assert_eq!(play.state(), Requesting);
    go_on(&mut play, SECOND * 20);
    // Silence is unclear, and stored.
    assert_eq!(play.state(), OutcomeUnknown);
    assert_eq!(play.bench.writes(), writes + 1);
    let Err(LnurlChannelError::NoChannel {
        service_agreed,
        concerns,
        ..
    }) = play.last_answer()
    else {
        panic!("{:?}", play.last_answer());
    };
    assert!(!service_agreed);
    assert_eq!(*concerns, [ChannelConcern::AnswerUnclear { words: None }]);
}

/// An answer without words, one with words, and one that was lost: told at once, and stored.
#[test]
fn an_unclear_answer_is_told_at_once_with_the_services_words() {
    for (act, words) in [("unclear", Some("<html>… …</html>")), ("lost", None)] {
        let mut play = Play::at(Funded, "written");
        play.act(act);
        let words = words.map(str::to_owned);
        let concern = [ChannelConcern::AnswerUnclear { words }];
        assert_eq!(play.snapshot().concerns, concern);
        play.act("restart");
        assert_eq!(play.snapshot().concerns, concern);
    }
}

#[test]
fn a_refusal_is_shown_with_the_services_words() {
    let mut play = Play::at(Funded, "refused");
    let words = Some("no room for …".to_owned());
    assert_eq!(play.snapshot().refusal, words);
    assert_eq!(play.snapshot().concerns, []);
    for act in ["accept", "restart", "accept"] {
        play.act(act);
    }
    assert_eq!(
        *play.last_answer(),
        Err(LnurlChannelError::Refused { words })
    );
}

/// "Should the channel be lost, the answer tells how the request waits."
#[test]
fn an_answer_that_comes_after_the_channel_counts_if_the_channel_is_lost() {
    for (act, state) in [
        ("ok", Awaiting),
        ("error", OutcomeUnknown),
        ("lost", OutcomeUnknown),
    ] {
        let mut play = Play::at(Funded, "arrived early");
        play.acts(&[act, "restart", "closed"]);
        assert_eq!(play.state(), state, "{act}");
    }
}

// ---- asking again ----

#[test]
fn asking_again_counts_from_the_writing() {
    let mut play = Play::at(Funded, "requesting again");
    let task = play.bench.asks_service(play.request).unwrap();
    assert!(play.bench.url_of(task).ends_with("&private=0"));
    assert_eq!(
        (play.state(), play.snapshot().visibility),
        (Awaiting, Some(Unannounced))
    );
    play.act("written");
    assert_eq!(
        (play.state(), play.snapshot().visibility),
        (Requesting, Some(Announced))
    );
    play.acts(&["ok", "pause", "restart"]);
    assert_eq!(
        (play.state(), play.snapshot().visibility),
        (Awaiting, Some(Announced))
    );
    // Both were asked for.
    for channel in [announced(proposed("a1")), unannounced(proposed("a2"))] {
        let verdict = play.bench.report(channel);
        assert!(matches!(verdict, ChannelVerdict::Expected { .. }));
    }
}

#[test]
fn asking_again_in_vain_changes_nothing() {
    let in_vain: [&[&str]; 6] = [
        &["node fails"],
        &["node tells", "connect fails"],
        &["node tells", "connected", "unsent for good"],
        &["node tells", "connected", "pause"],
        &["node tells", "connected", "leave"],
        &["node tells", "pause"],
    ];
    for acts in in_vain {
        let mut play = Play::at(Funded, "asking node again");
        play.acts(acts);
        assert_eq!(
            (play.state(), play.snapshot().visibility),
            (Awaiting, Some(Unannounced))
        );
        let verdict = play.bench.report(announced(proposed("a1")));
        assert!(
            matches!(verdict, ChannelVerdict::WrongVisibility { .. }),
            "{acts:?}"
        );
    }
}

/// "If a proposal or a channel comes while it connects, nothing is sent."
#[test]
fn nothing_is_sent_if_a_channel_comes_while_asking_again_connects() {
    for place in ["asking node again", "connecting again", "requesting again"] {
        for act in ["proposed", "funded"] {
            let mut play = Play::at(Funded, place);
            let before = asks(&play);
            play.act(act);
            assert_eq!(
                play.bench.asks_service(play.request),
                None,
                "{place}, {act}"
            );
            assert_eq!(
                play.snapshot().visibility,
                Some(Unannounced),
                "{place}, {act}"
            );
            for act in ["node tells", "connected"] {
                play.try_act(act);
            }
            play.bench.advance(MINUTE);
            assert_eq!(asks(&play), before, "{place}, {act}");
            // The call waits for the channel.
            let is_running = act == "proposed";
            assert_eq!(play.snapshot().is_running, is_running, "{place}, {act}");
        }
    }
}

#[test]
fn a_late_result_of_a_task_that_was_stopped_is_ignored() {
    let stops = [
        ("asking node", "pause"),
        ("requesting", "pause"),
        ("written", "pause"),
        ("written", "cancel"),
        ("requesting", "funded"),
        ("asking node again", "proposed"),
        ("requesting again", "proposed"),
    ];
    for (place, act) in stops {
        let mut play = Play::at(Funded, place);
        let tasks = play.bench.tasks.clone();
        play.act(act);
        let stopped: Vec<TaskId> = tasks.keys().copied().collect();
        let stopped = stopped
            .iter()
            .filter(|task| !play.bench.tasks.contains_key(task));
        let stopped: Vec<TaskId> = stopped.copied().collect();
        assert!(!stopped.is_empty(), "{place}, {act}");
        let (snapshot, writes) = (play.snapshot().clone(), play.bench.writes());
        let url = play.bench.offers[&play.request].lnurl();
        for task in stopped {
            assert!(!play.bench.client.wants(task));
            let facts = NodeFacts {
                node_id: OWN.into(),
                readiness: None,
                refund_script: None,
            };
            for late in [
                Input::NodeAsked(task, Ok(facts)),
                Input::CallbackWritten(task),
                Input::CallbackEnded(task, Err(http_failure(false, true))),
                Input::CallbackEnded(task, Ok(reply(REFUSAL, url.as_url()))),
            ] {
                play.bench.feed(late);
                assert_eq!(play.bench.shown(), "", "{place}, {act}");
            }
        }
        assert_eq!(*play.snapshot(), snapshot);
        assert_eq!(play.bench.writes(), writes);
    }
}

// ---- the connection to the callback's host, opened early (5a.3) ----

#[test]
fn the_callbacks_connection_is_opened_while_the_node_connects() {
    let mut play = Play::at(Funded, "asking node");
    play.act("node tells");
    assert_eq!(play.bench.shown(), "OpenConnection Connect");
    let opened = play.bench.done.iter().find_map(|output| match output {
        Output::Run(
            _,
            Task::OpenConnection {
                url,
                connect_within,
                fetched_by,
            },
        ) => Some((url.expose(), *connect_within, fetched_by.is_some())),
        _ => None,
    });
    // Nothing of the wallet is in it.
    assert_eq!(opened, Some((CALLBACK, SETTINGS.request_timeout, true)));
    let id = *play.bench.opened.first().unwrap();
    play.act("connected");
    let task = play.bench.asks_service(play.request).unwrap();
    let Task::Callback { opened_by, .. } = play.bench.tasks[&task] else {
        panic!("no callback");
    };
    assert_eq!(opened_by, Some(id));
    assert!(!play.bench.client.wants(id));
}

#[test]
fn a_connection_that_was_opened_for_nothing_is_closed() {
    for act in ["pause", "cancel", "connect fails", "is due", "shutdown"] {
        let mut play = Play::at(Funded, "connecting");
        assert_eq!(play.bench.opened.len(), 1);
        play.act(act);
        let shown = play.bench.shown();
        assert!(shown.contains("Stop(OpenConnection)"), "{act}: {shown}");
        assert!(play.bench.opened.is_empty());
    }
    // The record cannot be written: nothing is asked.
    let mut play = Play::at(Funded, "connecting");
    play.bench.journal().is_full = true;
    play.act("connected");
    let shown = play.bench.shown();
    assert!(
        shown.contains("Stop(OpenConnection) =StorageFailed"),
        "{shown}"
    );
}

#[test]
fn whatever_comes_of_opening_it_is_no_answer_of_the_service() {
    let mut play = Play::at(Funded, "connecting");
    let task = *play.bench.opened.first().unwrap();
    let url = play.bench.offers[&play.request].lnurl();
    for input in [
        Input::CallbackWritten(task),
        Input::CallbackEnded(task, Ok(reply(REFUSAL, url.as_url()))),
        Input::CallbackEnded(task, Err(http_failure(true, false))),
    ] {
        play.bench.feed(input);
        assert_eq!(play.bench.shown(), "");
    }
}
