//! Which channel belongs to which request: each row of the tables in 5b, as a wallet meets it.

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use lnurl_channel::{
    ChannelConcern, ChannelRequestState, ChannelStage, ChannelStep, ChannelVerdict,
    ChannelVisibility, ClientConfig, IncomingChannel,
};
use lnurl_channel_testbed::OfferOptions;

use support::block_on;
use support::listener::Listener;
use support::plain::{
    PlainNode, PlainScene, PlainWallet, Stage, duplicate, expected, shown, unwanted,
    wrong_visibility,
};
use support::scene::{
    accept, funded_channel, habits, hosted, kept, patient_config, start, state, wait_for_state,
};

use ChannelStage::{Funded, Proposed, Ready};
use ChannelVerdict::Unrequested;
use ChannelVisibility::{Announced, Unannounced};
use support::scene::start_accept;

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

/// A funded channel whose proposal had the id `former`.
fn funded_after(wallet: &PlainWallet, former: &str, id: &str) -> IncomingChannel {
    IncomingChannel {
        former_channel_id: Some(former.to_owned()),
        ..wallet.channel(Funded, id)
    }
}

// ---- proposed ----

#[test]
fn p1_the_standing_proposal_is_expected_again_and_nothing_changes() {
    let wallet = PlainWallet::default();
    let request = wallet.waiting(Unannounced);
    let proposal = IncomingChannel {
        capacity_sat: Some(100_000),
        ..unannounced(wallet.channel(Proposed, "ab01"))
    };
    assert_eq!(wallet.report(proposal.clone()), expected(&request));
    let before = request.snapshot();
    assert_eq!(before.state, ChannelRequestState::Opening);
    assert_eq!(before.channel.as_ref(), Some(&proposal));
    let same = [
        proposal.clone(),
        wallet.channel(Proposed, "ab01"),
        IncomingChannel {
            channel_id: Some("AB01".into()),
            ..proposal.clone()
        },
        IncomingChannel {
            peer_id: proposal.peer_id.to_uppercase(),
            ..proposal.clone()
        },
    ];
    // More often than there may be proposals.
    for report in same.iter().cycle().take(20) {
        assert_eq!(wallet.report(report.clone()), expected(&request));
        assert_eq!(request.snapshot(), before);
    }
}

#[test]
fn p1_without_an_id_no_proposal_is_the_same() {
    let wallet = PlainWallet::default();
    let request = wallet.waiting(Unannounced);
    let nameless = [None, Some(String::new())].map(|channel_id| IncomingChannel {
        channel_id,
        ..wallet.channel(Proposed, "")
    });
    let reports = nameless.into_iter().cycle();
    let verdicts: Vec<_> = reports
        .map(|report| wallet.report(report))
        .take(5)
        .collect();
    let expected = expected(&request);
    let four = [&expected; 4];
    assert_eq!(verdicts.iter().take(4).collect::<Vec<_>>(), four);
    assert_eq!(verdicts[4], duplicate(&request));
}

#[test]
fn p2_a_request_that_waits_takes_up_to_four_proposals() {
    let wallet = PlainWallet::default();
    let request = wallet.waiting(Unannounced);
    for id in ["01", "02", "03", "04"] {
        assert_eq!(wallet.propose(id), expected(&request), "{id}");
        assert_eq!(state(&request), ChannelRequestState::Opening);
        assert_eq!(shown(&request).as_deref(), Some(id));
    }
    assert_eq!(wallet.propose("05"), duplicate(&request));
    assert_eq!(shown(&request).as_deref(), Some("04"));
    // Its proposals are gone with the connection, so that there is room for one.
    wallet.lose_peer();
    assert_eq!(state(&request), ChannelRequestState::Awaiting);
    assert_eq!(wallet.propose("06"), expected(&request));
    assert_eq!(wallet.propose("07"), duplicate(&request));
}

#[test]
fn p2_a_proposal_that_differs_under_the_same_id_is_another_one() {
    let wallet = PlainWallet::default();
    let request = wallet.waiting(Unannounced);
    let of_capacity = |capacity| IncomingChannel {
        capacity_sat: Some(capacity),
        ..wallet.channel(Proposed, "01")
    };
    for capacity in 1..=4 {
        assert_eq!(wallet.report(of_capacity(capacity)), expected(&request));
        let channel = request.snapshot().channel.unwrap();
        assert_eq!(channel.capacity_sat, Some(capacity));
    }
    assert_eq!(wallet.report(of_capacity(5)), duplicate(&request));
}

#[test]
fn p2_the_request_that_was_asked_last_comes_first() {
    let wallet = PlainWallet::default();
    let (first, last) = (wallet.waiting(Unannounced), wallet.waiting(Unannounced));
    assert_eq!(wallet.propose("01"), expected(&last));
    assert_eq!(state(&first), ChannelRequestState::Awaiting);
    wallet.lose_peer();

    let asked = first.clone();
    let call = start(async move { asked.ask_again(Unannounced).await });
    wallet.wait_for_callbacks(3);
    wait_for_state(&first, ChannelRequestState::Awaiting);
    first.pause();
    call.end().unwrap_err();
    assert_eq!(wallet.propose("02"), expected(&first), "asked again");
}

#[test]
fn p2_a_request_whose_call_runs_comes_before_one_that_was_asked_later() {
    let wallet = PlainWallet::default();
    let (running, call) = wallet.running(Unannounced);
    let later = wallet.waiting(Unannounced);
    assert_eq!(wallet.propose("01"), expected(&running));
    assert_eq!(state(&later), ChannelRequestState::Awaiting);
    wallet.fund("01");
    funded_channel(call.end());
}

#[test]
fn p2_a_request_takes_only_what_fits() {
    let wallet = PlainWallet::default();
    let hidden = wallet.waiting(Unannounced);
    let open = wallet.waiting(Announced);
    for (report, request) in [
        (unannounced(wallet.channel(Proposed, "01")), &hidden),
        (announced(wallet.channel(Proposed, "02")), &open),
    ] {
        assert_eq!(wallet.report(report), expected(request));
    }
    wallet.lose_peer();
    // Where the report does not say, the order decides.
    assert_eq!(wallet.propose("03"), expected(&open));
}

#[test]
fn p2_both_visibilities_fit_once_both_were_asked_for() {
    let wallet = PlainWallet::default();
    let request = wallet.waiting(Unannounced);
    let asked = request.clone();
    let call = start(async move { asked.ask_again(Announced).await });
    wallet.wait_for_callbacks(2);
    wait_for_state(&request, ChannelRequestState::Awaiting);
    let hidden = unannounced(wallet.channel(Proposed, "01"));
    let open = announced(wallet.channel(Proposed, "02"));
    assert_eq!(wallet.report(hidden), expected(&request));
    assert_eq!(wallet.report(open), expected(&request));
    request.pause();
    call.end().unwrap_err();
}

#[test]
fn p3_a_refusal_does_not_turn_away_a_proposal_that_comes_all_the_same() {
    let wallet = PlainWallet::default();
    let request = wallet.refused();
    for id in ["01", "02", "03", "04"] {
        assert_eq!(wallet.propose(id), expected(&request), "{id}");
    }
    assert_eq!(state(&request), ChannelRequestState::Opening);
    assert_eq!(wallet.propose("05"), Unrequested);
    wallet.lose_peer();
    assert_eq!(state(&request), ChannelRequestState::Refused, "as before");
    assert_eq!(wallet.propose("06"), expected(&request));
}

#[test]
fn p3_a_refused_request_takes_only_what_fits_and_nothing_after_a_cancel() {
    let wallet = PlainWallet::default();
    let refused = wallet.refused();
    let open = announced(wallet.channel(Proposed, "01"));
    assert_eq!(wallet.report(open), Unrequested);
    let cancelled = wallet.cancelled();
    assert_eq!(wallet.propose("02"), unwanted(&cancelled));
    let refused_later = wallet.refused();
    assert_eq!(wallet.propose("03"), expected(&refused_later));
    assert_eq!(state(&refused), ChannelRequestState::Refused);
}

#[test]
fn p3_a_refused_request_that_fits_comes_before_one_that_waits_and_does_not() {
    let wallet = PlainWallet::default();
    let waiting = wallet.waiting(Announced);
    let refused = wallet.refused();
    let hidden = |id| unannounced(wallet.channel(Proposed, id));
    assert_eq!(wallet.report(hidden("01")), expected(&refused));
    assert_eq!(state(&waiting), ChannelRequestState::Awaiting);
}

#[test]
fn p4_the_other_visibility_is_turned_down_and_the_wait_goes_on() {
    let wallet = PlainWallet::default();
    // The cancel comes below it.
    let cancelled = wallet.cancelled();
    let request = wallet.waiting(Unannounced);
    for id in ["01", "02"] {
        let open = announced(wallet.channel(Proposed, id));
        assert_eq!(wallet.report(open), wrong_visibility(&request));
    }
    let snapshot = request.snapshot();
    assert_eq!(snapshot.state, ChannelRequestState::Awaiting);
    assert_eq!(snapshot.channel, None);
    let concern = ChannelConcern::OtherVisibilityProposed;
    assert_eq!(snapshot.concerns, [concern], "none twice");
    wallet.listener.wait_for(ChannelStep::Mismatched, 1);
    assert_eq!(state(&cancelled), ChannelRequestState::Cancelled);
}

#[test]
fn p5_after_a_cancel_a_proposal_is_unwanted() {
    let wallet = PlainWallet::default();
    let with_channel = wallet.arrived("01");
    let cancelled = wallet.cancelled();
    for report in [
        wallet.channel(Proposed, "02"),
        announced(wallet.channel(Proposed, "03")),
        // A channel's id: proposals are judged by themselves.
        wallet.channel(Proposed, "01"),
    ] {
        assert_eq!(wallet.report(report), unwanted(&cancelled));
    }
    assert_eq!(shown(&with_channel).as_deref(), Some("01"));
}

#[test]
fn p6_a_request_that_has_its_channel_needs_no_second_one() {
    let wallet = PlainWallet::default();
    let request = wallet.arrived("01");
    for report in [
        wallet.channel(Proposed, "02"),
        announced(wallet.channel(Proposed, "03")),
        wallet.channel(Proposed, "01"),
    ] {
        assert_eq!(wallet.report(report), duplicate(&request));
    }
    wallet.ready("01");
    assert_eq!(wallet.propose("04"), duplicate(&request));
    assert_eq!(state(&request), ChannelRequestState::Ready);
}

#[test]
fn p7_a_proposal_that_no_request_waits_for_is_unrequested() {
    let wallet = PlainWallet::default();
    assert_eq!(wallet.propose("01"), Unrequested, "no request at all");
    let offered = wallet.offered(OfferOptions::default());
    assert_eq!(wallet.propose("02"), Unrequested, "never asked");
    let never_asked = wallet.offered(OfferOptions::default());
    block_on(never_asked.cancel()).unwrap();
    assert_eq!(
        wallet.propose("03"),
        Unrequested,
        "cancelled, and never asked"
    );
    let of_host = wallet.offered(hosted(&[]));
    let call = start_accept(&of_host);
    wait_for_state(&of_host, ChannelRequestState::Awaiting);
    assert_eq!(wallet.propose("04"), Unrequested, "a host funds no channel");
    of_host.pause();
    call.end().unwrap_err();
    let waiting = wallet.waiting(Unannounced);
    let stranger = IncomingChannel {
        peer_id: wallet.testbed.stranger().id(),
        ..wallet.channel(Proposed, "05")
    };
    assert_eq!(wallet.report(stranger), Unrequested, "of another peer");
    assert_eq!(state(&offered), ChannelRequestState::Offered);
    assert_eq!(state(&waiting), ChannelRequestState::Awaiting);
}

#[test]
fn p7_while_the_node_connects_nobody_was_asked() {
    let (scene, _call) = PlainScene::at(Stage::Connecting);
    assert_eq!(scene.wallet.propose("01"), Unrequested);
    assert_eq!(scene.wallet.fund("02"), Unrequested);
    assert_eq!(state(&scene.request), ChannelRequestState::Connecting);
    scene.gate.open();
}

// ---- funded ----

#[test]
fn f1_a_known_channel_keeps_its_verdict() {
    let wallet = PlainWallet::default();
    assert_eq!(wallet.fund("01"), Unrequested);
    let cancelled = wallet.cancelled();
    assert_eq!(wallet.fund("02"), unwanted(&cancelled));
    let request = wallet.waiting(Unannounced);
    assert_eq!(wallet.fund("03"), expected(&request));
    assert_eq!(wallet.fund("04"), unwanted(&cancelled));

    let next = wallet.waiting(Unannounced);
    let before = [&request, &next].map(|request| request.snapshot());
    for id in ["01", "02", "03", "04"] {
        let verdict = match id {
            "01" => Unrequested,
            "03" => expected(&request),
            _ => unwanted(&cancelled),
        };
        for _ in 0..2 {
            assert_eq!(wallet.fund(id), verdict, "{id}");
        }
    }
    let after = [&request, &next].map(|request| request.snapshot());
    assert_eq!(after, before);
}

#[test]
fn f1_verdicts_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = |testbed: &_| ClientConfig {
        storage_dir: Some(folder.path().to_str().unwrap().to_owned()),
        ..patient_config(testbed)
    };
    let wallet = PlainWallet::with(PlainNode::default(), Listener::default(), config);
    assert_eq!(wallet.fund("01"), Unrequested);
    let request = wallet.waiting(Unannounced);
    let open = announced(wallet.channel(Funded, "02"));
    assert_eq!(wallet.report(open), wrong_visibility(&request));
    assert_eq!(wallet.fund("03"), duplicate(&request));
    let next = wallet.waiting(Unannounced);

    let restarted = config(&wallet.testbed);
    let wallet = wallet.restart(restarted);
    assert_eq!(
        kept(&wallet.client),
        [next.request_id(), request.request_id()]
    );
    for _ in 0..2 {
        assert_eq!(wallet.fund("01"), Unrequested);
        assert_eq!(wallet.fund("02"), wrong_visibility(&request));
        assert_eq!(wallet.fund("03"), duplicate(&request));
    }
    let next = wallet.client.request(next.request_id()).unwrap();
    assert_eq!(state(&next), ChannelRequestState::Awaiting);
    assert_eq!(wallet.fund("04"), expected(&next));
}

#[test]
fn f2_a_funded_channel_belongs_to_the_request_that_had_its_proposal() {
    for ended in [false, true] {
        let wallet = PlainWallet::default();
        let request = wallet.waiting(Unannounced);
        assert_eq!(wallet.propose("01"), expected(&request));
        if ended {
            wallet.close("01");
        }
        // Without the proposal, it would be the newer one's.
        let newer = wallet.waiting(Unannounced);
        let channel = funded_after(&wallet, "01", "f1");
        assert_eq!(wallet.report(channel), expected(&request));
        assert_eq!(shown(&request).as_deref(), Some("f1"));
        assert_eq!(state(&newer), ChannelRequestState::Awaiting);
    }
}

#[test]
fn f2_nodes_whose_channels_keep_one_id_are_understood() {
    let wallet = PlainWallet::default();
    let request = wallet.waiting(Unannounced);
    assert_eq!(wallet.propose("01"), expected(&request));
    let newer = wallet.waiting(Unannounced);
    assert_eq!(wallet.fund("01"), expected(&request));
    assert_eq!(state(&newer), ChannelRequestState::Awaiting);
}

#[test]
fn f2_what_was_proposed_before_a_cancel_is_unwanted() {
    let wallet = PlainWallet::default();
    let request = wallet.waiting(Unannounced);
    wallet.propose("01");
    block_on(request.cancel()).unwrap();
    let newer = wallet.waiting(Unannounced);
    let channel = funded_after(&wallet, "01", "f1");
    assert_eq!(wallet.report(channel), unwanted(&request));
    assert_eq!(state(&newer), ChannelRequestState::Awaiting);
}

#[test]
fn f2_what_was_proposed_after_a_refusal_is_expected() {
    let wallet = PlainWallet::default();
    let request = wallet.refused();
    wallet.propose("01");
    let newer = wallet.waiting(Unannounced);
    let channel = funded_after(&wallet, "01", "f1");
    assert_eq!(wallet.report(channel), expected(&request));
    assert_eq!(state(&request), ChannelRequestState::Arrived);
    assert_eq!(state(&newer), ChannelRequestState::Awaiting);
}

#[test]
fn f2_a_proposal_that_hid_its_visibility_is_the_channel_all_the_same() {
    let wallet = PlainWallet::default();
    let request = wallet.waiting(Unannounced);
    assert_eq!(wallet.propose("01"), expected(&request));
    let channel = announced(funded_after(&wallet, "01", "f1"));
    assert_eq!(wallet.report(channel), wrong_visibility(&request));
    assert_eq!(state(&request), ChannelRequestState::Arrived);
    assert_eq!(shown(&request).as_deref(), Some("f1"));
}

#[test]
fn f2_of_a_request_that_has_a_channel_the_next_one_is_a_duplicate() {
    let wallet = PlainWallet::default();
    let request = wallet.waiting(Unannounced);
    wallet.propose("01");
    wallet.propose("02");
    let first = funded_after(&wallet, "01", "f1");
    assert_eq!(wallet.report(first), expected(&request));
    let second = funded_after(&wallet, "02", "f2");
    assert_eq!(wallet.report(second), duplicate(&request));
    assert_eq!(shown(&request).as_deref(), Some("f1"));
}

#[test]
fn f3_a_request_with_a_proposal_comes_before_one_that_was_asked_later() {
    let wallet = PlainWallet::default();
    let with_proposal = wallet.waiting(Unannounced);
    wallet.propose("01");
    let later = wallet.waiting(Unannounced);
    assert_eq!(wallet.fund("f1"), expected(&with_proposal));
    assert_eq!(wallet.fund("f2"), expected(&later));
}

#[test]
fn f3_otherwise_the_order_decides() {
    let wallet = PlainWallet::default();
    let (running, call) = wallet.running(Unannounced);
    let (earlier, later) = (wallet.waiting(Unannounced), wallet.waiting(Unannounced));
    let open = wallet.waiting(Announced);
    let hidden = |id| unannounced(wallet.channel(Funded, id));
    assert_eq!(wallet.report(hidden("f1")), expected(&running));
    funded_channel(call.end());
    assert_eq!(wallet.report(hidden("f2")), expected(&later));
    assert_eq!(wallet.report(hidden("f3")), expected(&earlier));
    assert_eq!(
        state(&open),
        ChannelRequestState::Awaiting,
        "it does not fit"
    );
}

#[test]
fn f4_a_refusal_does_not_turn_away_a_channel_however_many_proposals_there_were() {
    let wallet = PlainWallet::default();
    let request = wallet.refused();
    for id in ["01", "02", "03", "04", "05"] {
        wallet.propose(id);
    }
    assert_eq!(wallet.fund("f1"), expected(&request));
    assert_eq!(state(&request), ChannelRequestState::Arrived);
    assert_eq!(
        funded_channel(accept(&request)).channel_id.as_deref(),
        Some("f1")
    );

    let refused = wallet.refused();
    let cancelled = wallet.cancelled();
    assert_eq!(wallet.fund("f2"), unwanted(&cancelled));
    assert_eq!(state(&refused), ChannelRequestState::Refused);
}

#[test]
fn f5_a_funded_channel_of_the_other_visibility_is_there_and_is_the_requests() {
    let wallet = PlainWallet::default();
    let (request, call) = wallet.running(Unannounced);
    let open = announced(wallet.channel(Funded, "f1"));
    assert_eq!(wallet.report(open.clone()), wrong_visibility(&request));
    assert_eq!(funded_channel(call.end()), open);
    assert_eq!(state(&request), ChannelRequestState::Arrived);
    wallet.listener.wait_for(ChannelStep::Arrived, 1);
    let steps = wallet.listener.steps();
    let last = &steps[steps.len() - 2..];
    assert_eq!(last, [ChannelStep::Mismatched, ChannelStep::Arrived]);
}

#[test]
fn f6_after_a_cancel_a_funded_channel_is_unwanted() {
    let wallet = PlainWallet::default();
    let with_channel = wallet.arrived("f1");
    let cancelled = wallet.cancelled();
    assert_eq!(wallet.fund("f2"), unwanted(&cancelled));
    let open = announced(wallet.channel(Funded, "f3"));
    assert_eq!(wallet.report(open), unwanted(&cancelled));
    assert_eq!(shown(&with_channel).as_deref(), Some("f1"));
    assert_eq!(cancelled.snapshot().channel, None);
}

#[test]
fn f7_a_second_funded_channel_is_a_duplicate() {
    let wallet = PlainWallet::default();
    let request = wallet.arrived("f1");
    assert_eq!(wallet.fund("f2"), duplicate(&request));
    let open = announced(wallet.channel(Funded, "f3"));
    assert_eq!(wallet.report(open), duplicate(&request));
    assert_eq!(shown(&request).as_deref(), Some("f1"));
}

#[test]
fn f8_a_funded_channel_that_no_request_waits_for_is_unrequested() {
    let wallet = PlainWallet::default();
    assert_eq!(wallet.fund("f1"), Unrequested);
    wallet.offered(habits(&[]));
    assert_eq!(wallet.fund("f2"), Unrequested);
    let waiting = wallet.waiting(Unannounced);
    let stranger = IncomingChannel {
        peer_id: wallet.testbed.stranger().id(),
        ..wallet.channel(Funded, "f3")
    };
    assert_eq!(wallet.report(stranger), Unrequested);
    assert_eq!(state(&waiting), ChannelRequestState::Awaiting);
}

// ---- what the node had before ----

fn node_with_channels(ids: Vec<String>) -> PlainNode {
    PlainNode {
        readiness: Box::new(move |_| Ok(ids.clone())),
        ..PlainNode::default()
    }
}

#[test]
fn channels_that_the_node_had_before_are_not_taken_for_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let config = |testbed: &_| ClientConfig {
        storage_dir: Some(folder.path().to_str().unwrap().to_owned()),
        ..patient_config(testbed)
    };
    let node = node_with_channels(vec!["AB01".into(), "ab02".into()]);
    let wallet = PlainWallet::with(node, Listener::default(), config);
    let request = wallet.waiting(Unannounced);
    let old = ["ab01", "AB02"];
    for id in old {
        assert_eq!(wallet.fund(id), Unrequested, "{id}");
        assert_eq!(wallet.ready(id), Unrequested, "{id}");
    }
    let restarted = config(&wallet.testbed);
    let wallet = wallet.restart(restarted);
    let request = wallet.client.request(request.request_id()).unwrap();
    for id in old {
        assert_eq!(wallet.ready(id), Unrequested, "{id}");
    }
    assert_eq!(state(&request), ChannelRequestState::Awaiting);
    assert_eq!(wallet.fund("ab03"), expected(&request));
}

#[test]
fn with_more_channels_than_are_kept_only_an_announced_one_is_the_new_one() {
    let ids: Vec<String> = (0..300).map(|n| format!("{n:04}")).collect();
    let node = node_with_channels(ids.clone());
    let wallet = PlainWallet::with(node, Listener::default(), patient_config);
    let request = wallet.waiting(Unannounced);
    for id in &ids {
        assert_eq!(wallet.fund(id), Unrequested, "{id}");
    }
    assert_eq!(wallet.fund("f1"), Unrequested, "it may be an old one");
    assert_eq!(wallet.propose("02"), expected(&request));
    let channel = funded_after(&wallet, "02", "f2");
    assert_eq!(wallet.report(channel), expected(&request));
}

// ---- closed ----

#[test]
fn a_channel_that_is_closed_before_it_is_ready_is_awaited_again() {
    let wallet = PlainWallet::default();
    let (request, call) = wallet.running(Unannounced);
    wallet.fund("f1");
    funded_channel(call.end());
    let peer = wallet.peer().to_uppercase();
    wallet
        .client
        .report_channel_closed(peer, Some("F1".into()), None);
    let snapshot = request.snapshot();
    assert_eq!(snapshot.state, ChannelRequestState::Awaiting);
    assert_eq!(snapshot.channel, None);
    wallet.listener.wait_for(ChannelStep::OpeningFailed, 1);

    let call = support::scene::start_waiting_on(&request);
    assert_eq!(wallet.fund("f2"), expected(&request));
    assert_eq!(funded_channel(call.end()).channel_id.as_deref(), Some("f2"));
    assert_eq!(wallet.callbacks().len(), 1);
}

#[test]
fn a_refused_request_stays_refused_when_its_channel_is_closed() {
    let wallet = PlainWallet::default();
    let request = wallet.refused();
    wallet.fund("f1");
    assert_eq!(state(&request), ChannelRequestState::Arrived);
    wallet.close("f1");
    assert_eq!(state(&request), ChannelRequestState::Refused);
}

#[test]
fn a_lost_channel_that_is_shown_again_counts_only_once_it_is_ready() {
    let wallet = PlainWallet::default();
    let request = wallet.arrived("f1");
    wallet.close("f1");
    let lost = request.snapshot();
    assert_eq!(wallet.fund("f1"), expected(&request));
    assert_eq!(request.snapshot(), lost, "nothing changes");
    assert_eq!(wallet.ready("f1"), expected(&request));
    assert_eq!(state(&request), ChannelRequestState::Ready);
    assert_eq!(shown(&request).as_deref(), Some("f1"));
}

#[test]
fn a_lost_channel_is_a_duplicate_beside_another_and_unwanted_after_a_cancel() {
    let wallet = PlainWallet::default();
    let with_another = wallet.arrived("f1");
    wallet.close("f1");
    wallet.fund("f2");
    for report in [Funded, Ready] {
        let lost = wallet.channel(report, "f1");
        assert_eq!(wallet.report(lost), duplicate(&with_another));
    }
    assert_eq!(shown(&with_another).as_deref(), Some("f2"));

    let cancelled = wallet.arrived("f3");
    wallet.close("f3");
    block_on(cancelled.cancel()).unwrap();
    for report in [Funded, Ready] {
        let lost = wallet.channel(report, "f3");
        assert_eq!(wallet.report(lost), unwanted(&cancelled));
    }
}

#[test]
fn a_channel_that_was_ready_and_a_stranger_close_without_effect() {
    let wallet = PlainWallet::default();
    let ready = wallet.arrived("f1");
    wallet.ready("f1");
    let waiting = wallet.waiting(Unannounced);
    wallet.propose("02");
    let before = [&ready, &waiting].map(|request| request.snapshot());
    wallet.close("f1");
    wallet.close("99");
    let stranger = wallet.testbed.stranger().id();
    let client = &wallet.client;
    client.report_channel_closed(stranger.clone(), Some("02".into()), None);
    client.report_channel_closed(stranger, None, None);
    client.report_channel_closed("no key".into(), Some("02".into()), None);
    let after = [&ready, &waiting].map(|request| request.snapshot());
    assert_eq!(after, before);
}

#[test]
fn a_close_without_an_id_is_of_the_one_proposal_or_of_one_that_was_never_shown() {
    let wallet = PlainWallet::default();
    let request = wallet.waiting(Unannounced);
    wallet.propose("01");
    let close = |reason: &str| {
        let reason = Some(reason.to_owned());
        wallet
            .client
            .report_channel_closed(wallet.peer(), None, reason);
    };
    let failed = |reason: &str| ChannelConcern::ProposalFailed {
        reason: Some(reason.to_owned()),
    };
    close("no anchors");
    let snapshot = request.snapshot();
    assert_eq!(snapshot.state, ChannelRequestState::Awaiting);
    assert_eq!(snapshot.concerns, [failed("no anchors")]);
    for _ in 0..2 {
        close("too small");
    }
    let snapshot = request.snapshot();
    assert_eq!(snapshot.state, ChannelRequestState::Awaiting);
    let concerns = [failed("no anchors"), failed("too small")];
    assert_eq!(snapshot.concerns, concerns, "none twice");
    assert_eq!(wallet.propose("02"), expected(&request));
}

// ---- what a channel tells of itself ----

#[test]
fn what_a_report_leaves_out_keeps_what_was_known_and_no_stage_goes_back() {
    let wallet = PlainWallet::default();
    let request = wallet.waiting(Unannounced);
    wallet.report(IncomingChannel {
        capacity_sat: Some(100_000),
        push_msat: Some(7),
        ..unannounced(wallet.channel(Proposed, "01"))
    });
    wallet.report(funded_after(&wallet, "01", "f1"));
    wallet.report(IncomingChannel {
        confirmations: Some(2),
        ..wallet.channel(Ready, "f1")
    });
    wallet.fund("f1");
    let whole = IncomingChannel {
        former_channel_id: Some("01".into()),
        capacity_sat: Some(100_000),
        push_msat: Some(7),
        confirmations: Some(2),
        ..unannounced(wallet.channel(Ready, "f1"))
    };
    let snapshot = request.snapshot();
    assert_eq!(snapshot.channel, Some(whole.clone()));
    assert_eq!(snapshot.state, ChannelRequestState::Ready);
    assert_eq!(funded_channel(accept(&request)), whole);
}

#[test]
fn a_channel_that_is_ready_at_once_arrives_first() {
    let wallet = PlainWallet::default();
    let (request, call) = wallet.running(Unannounced);
    assert_eq!(wallet.ready("f1"), expected(&request));
    assert_eq!(funded_channel(call.end()).channel_id.as_deref(), Some("f1"));
    assert_eq!(state(&request), ChannelRequestState::Ready);
    wallet.listener.wait_for(ChannelStep::Ready, 1);
    let steps = wallet.listener.steps();
    let last = &steps[steps.len() - 2..];
    assert_eq!(last, [ChannelStep::Arrived, ChannelStep::Ready]);
}

#[test]
fn a_later_report_of_the_other_visibility_changes_the_verdict_once() {
    let wallet = PlainWallet::default();
    let request = wallet.arrived("f1");
    let open = announced(wallet.channel(Ready, "f1"));
    assert_eq!(wallet.report(open), wrong_visibility(&request));
    let hidden = unannounced(wallet.channel(Ready, "f1"));
    assert_eq!(wallet.report(hidden), wrong_visibility(&request));
    assert_eq!(wallet.ready("f1"), wrong_visibility(&request));
    assert_eq!(state(&request), ChannelRequestState::Ready);
}
