//! What a peer, or whoever prints a QR code, may try: each way of cheating that is known.

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use lnurl_channel::{
    ChannelRequestState, ChannelStage, ChannelVerdict, ChannelVisibility, ClientConfig,
    IncomingChannel,
};
use tempfile::TempDir;

use support::block_on;
use support::crowd::memory;
use support::listener::Listener;
use support::plain::{
    PlainNode, PlainWallet, duplicate, expected, shown, unwanted, wrong_visibility,
};
use support::scene::{funded_channel, patient_config, state};

use ChannelStage::{Funded, Proposed};
use ChannelVerdict::Unrequested;
use ChannelVisibility::{Announced, Unannounced};

fn on_disk(folder: &TempDir) -> PlainWallet {
    let (node, listener) = (PlainNode::default(), Listener::default());
    PlainWallet::with(node, listener, |testbed| ClientConfig {
        storage_dir: Some(folder.path().to_str().unwrap().to_owned()),
        ..patient_config(testbed)
    })
}

/// Each file with its content, and when it was last written.
fn files(folder: &Path) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let written = entry.metadata().unwrap().modified().unwrap();
        (name, (fs::read(entry.path()).unwrap(), written))
    });
    entries.collect()
}

// ---- a temporary id, used again ----

#[test]
fn a_temporary_id_used_again_after_a_cancel_is_unwanted() {
    let wallet = PlainWallet::default();
    let request = wallet.waiting(Unannounced);
    assert_eq!(wallet.propose("01"), expected(&request));
    block_on(request.cancel()).unwrap();
    assert_eq!(wallet.propose("01"), unwanted(&request));
    assert_eq!(wallet.fund("01"), unwanted(&request));
}

#[test]
fn a_temporary_id_used_again_with_the_other_visibility_is_turned_down() {
    let wallet = PlainWallet::default();
    let request = wallet.waiting(Unannounced);
    let proposal = |is_announced| IncomingChannel {
        is_announced: Some(is_announced),
        ..wallet.channel(Proposed, "01")
    };
    assert_eq!(wallet.report(proposal(false)), expected(&request));
    assert_eq!(wallet.report(proposal(true)), wrong_visibility(&request));
    assert_eq!(wallet.report(proposal(false)), expected(&request));
    assert_eq!(request.snapshot().channel, Some(proposal(false)));
}

#[test]
fn a_temporary_id_used_again_beside_a_funded_channel_is_a_duplicate() {
    let wallet = PlainWallet::default();
    let request = wallet.waiting(Unannounced);
    wallet.propose("01");
    let channel = |id| IncomingChannel {
        former_channel_id: Some("01".into()),
        ..wallet.channel(Funded, id)
    };
    assert_eq!(wallet.report(channel("f1")), expected(&request));
    assert_eq!(wallet.propose("01"), duplicate(&request));
    assert_eq!(wallet.report(channel("f2")), duplicate(&request));
    assert_eq!(shown(&request).as_deref(), Some("f1"));
}

// ---- many at once ----

#[test]
fn of_fifty_proposals_that_are_all_funded_one_is_expected() {
    let wallet = PlainWallet::default();
    let (request, call) = wallet.running(Unannounced);
    let ids: Vec<String> = (0..50).map(|n| format!("{n:02}")).collect();
    for (count, id) in ids.iter().enumerate() {
        let verdict = match count {
            0..4 => expected(&request),
            _ => duplicate(&request),
        };
        assert_eq!(wallet.propose(id), verdict, "{id}");
    }
    let fund = |id: &String| {
        wallet.report(IncomingChannel {
            former_channel_id: Some(id.clone()),
            ..wallet.channel(Funded, &format!("f{id}"))
        })
    };
    for _ in 0..2 {
        let verdicts: Vec<ChannelVerdict> = ids.iter().map(fund).collect();
        assert_eq!(verdicts[0], expected(&request));
        assert_eq!(verdicts[1..], vec![duplicate(&request); 49]);
    }
    assert_eq!(
        funded_channel(call.end()).channel_id.as_deref(),
        Some("f00")
    );
}

#[test]
fn a_thousand_proposals_write_nothing_and_displace_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let wallet = on_disk(&folder);
    assert_eq!(wallet.fund("e0"), Unrequested);
    let arrived = wallet.arrived("e1");
    let (request, call) = wallet.running(Unannounced);
    let written = files(folder.path());
    let heard = wallet.listener.heard.all().len();
    let mut counts = BTreeMap::<_, usize>::new();
    for number in 0..1000 {
        let id = format!("{number:0128x}");
        let is_announced = Some(number % 2 == 1);
        let verdict = wallet.report(IncomingChannel {
            is_announced,
            ..wallet.channel(Proposed, &id)
        });
        *counts.entry(format!("{verdict:?}")).or_default() += 1;
    }
    let times = |verdict| counts.get(&format!("{verdict:?}")).copied().unwrap_or(0);
    assert_eq!(times(expected(&request)), 4);
    assert_eq!(times(wrong_visibility(&request)), 500);
    assert_eq!(times(duplicate(&request)), 496, "{counts:?}");
    assert_eq!(files(folder.path()), written);

    assert_eq!(wallet.fund("e0"), Unrequested);
    assert_eq!(wallet.fund("e1"), expected(&arrived));
    assert_eq!(wallet.fund("f1"), expected(&request));
    funded_channel(call.end());
    let heard = wallet.listener.heard.all().len() - heard;
    assert!(heard <= 20, "{heard} calls of the listener");
}

/// Not a test of its own: the next one runs this binary again, with this name, so that nothing else
/// takes memory meanwhile.
#[test]
fn child_that_is_flooded() {
    if std::env::var(FLOODED).is_err() {
        return;
    }
    let wallet = PlainWallet::default();
    let request = wallet.waiting(Unannounced);
    let flood = |from: u32| {
        for number in from..from + 20_000 {
            let id = format!("{number:0128x}");
            wallet.propose(&id);
            wallet.close(&id);
            // What the test itself keeps does not count.
            wallet.listener.heard.clear();
        }
    };
    flood(0);
    let before = memory("VmRSS").unwrap();
    flood(20_000);
    let grown = memory("VmRSS").unwrap().saturating_sub(before);
    // The ids alone would take more than 2,500 KiB.
    assert!(grown < 1024, "it grew by {grown} KiB");
    assert_eq!(wallet.fund("f1"), expected(&request));
}

const FLOODED: &str = "LNURL_CHANNEL_TEST_FLOODED";

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_proposals() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_is_flooded"])
        .env(FLOODED, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{child:?}");
    assert!(said.contains("1 passed"), "{said}");
}

#[test]
fn of_three_hundred_channels_of_a_peer_none_is_taken_for_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let wallet = on_disk(&folder);
    let ids: Vec<String> = (0..300).map(|n| format!("e{n:03}")).collect();
    let none_is_expected = |wallet: &PlainWallet| {
        for id in &ids {
            assert_eq!(wallet.fund(id), Unrequested, "{id}");
            assert_eq!(wallet.ready(id), Unrequested, "{id}");
        }
    };
    none_is_expected(&wallet);
    let request = wallet.waiting(Unannounced);
    none_is_expected(&wallet);
    let config = ClientConfig {
        storage_dir: Some(folder.path().to_str().unwrap().to_owned()),
        ..patient_config(&wallet.testbed)
    };
    let wallet = wallet.restart(config);
    none_is_expected(&wallet);

    let request = wallet.client.request(request.request_id()).unwrap();
    assert_eq!(state(&request), ChannelRequestState::Awaiting);
    assert_eq!(wallet.propose("01"), expected(&request));
    let channel = IncomingChannel {
        former_channel_id: Some("01".into()),
        ..wallet.channel(Funded, "f1")
    };
    assert_eq!(wallet.report(channel), expected(&request));
}

// ---- a QR code that names a popular node ----

#[test]
fn an_honest_request_gets_its_channel_beside_an_older_one_that_waits_for_ever() {
    // Neither call runs, both run, and after a while only the honest one does.
    for (older_runs, honest_runs) in [(false, false), (true, true), (false, true)] {
        let wallet = PlainWallet::default();
        let (older, older_call) = wallet.running(Unannounced);
        if !older_runs {
            older.pause();
        }
        let (honest, call) = wallet.running(Unannounced);
        if !honest_runs {
            honest.pause();
        }
        assert_eq!(wallet.propose("01"), expected(&honest));
        let channel = IncomingChannel {
            former_channel_id: Some("01".into()),
            ..wallet.channel(Funded, "f1")
        };
        assert_eq!(wallet.report(channel), expected(&honest));
        if honest_runs {
            funded_channel(call.end());
        }
        assert_eq!(state(&honest), ChannelRequestState::Arrived);
        assert_eq!(state(&older), ChannelRequestState::Awaiting);
        assert_eq!(older_call.runs(), older_runs);
        older.pause();
    }
}

// ---- ids and keys that are none ----

#[test]
fn a_channel_without_a_usable_id_is_unrequested_and_nothing_is_kept_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let wallet = on_disk(&folder);
    let request = wallet.waiting(Unannounced);
    let written = files(folder.path());
    let before = request.snapshot();
    let unusable = [
        None,
        Some(String::new()),
        Some("a".repeat(100 * 1024)),
        Some("a".repeat(129)),
        Some("änöther".into()),
        Some("with\na line".into()),
        Some("with\0a zero".into()),
        Some("\u{202e}01".into()),
    ];
    for (number, id) in unusable.into_iter().enumerate() {
        for stage in [Funded, ChannelStage::Ready] {
            let channel = IncomingChannel {
                channel_id: id.clone(),
                ..wallet.channel(stage, "")
            };
            assert_eq!(wallet.report(channel), Unrequested, "{number}");
        }
        let proposal = IncomingChannel {
            channel_id: id.clone().filter(|id| !id.is_empty()),
            ..wallet.channel(Proposed, "")
        };
        if proposal.channel_id.is_some() {
            assert_eq!(wallet.report(proposal), Unrequested, "{number}");
        }
        let former = IncomingChannel {
            former_channel_id: id.filter(|id| !id.is_empty()),
            ..wallet.channel(Funded, "f1")
        };
        if former.former_channel_id.is_some() {
            assert_eq!(wallet.report(former), Unrequested, "{number}");
        }
    }
    assert_eq!(request.snapshot(), before);
    assert_eq!(files(folder.path()), written);
    assert_eq!(wallet.fund(&"a".repeat(128)), expected(&request));
}

#[test]
fn a_peer_that_is_no_key_is_unrequested() {
    let wallet = PlainWallet::default();
    let request = wallet.waiting(Unannounced);
    let before = request.snapshot();
    let peer = wallet.peer();
    let off_the_curve = format!("02{}", "ff".repeat(32));
    let uncompressed = format!("04{}", "11".repeat(64));
    let huge = "02".repeat(100 * 1024);
    for peer_id in [
        "",
        " ",
        &peer[..65],
        &format!(" {peer}"),
        &format!("{peer}00"),
        &off_the_curve,
        &uncompressed,
        &huge,
        "ключ",
    ] {
        for stage in [Proposed, Funded, ChannelStage::Ready] {
            let channel = IncomingChannel {
                peer_id: peer_id.to_owned(),
                ..wallet.channel(stage, "01")
            };
            assert_eq!(wallet.report(channel), Unrequested);
        }
        let client = &wallet.client;
        client.report_peer_connection(peer_id.to_owned(), false);
        client.report_channel_closed(peer_id.to_owned(), None, None);
        assert!(!client.report_peer_message(peer_id.to_owned(), 65533, vec![]));
    }
    assert_eq!(request.snapshot(), before);
    assert_eq!(wallet.fund("01"), expected(&request));
}

/// An announced channel is out of the user's control for good: it never counts as what was asked for.
#[test]
fn a_funded_channel_of_the_other_visibility_is_never_expected() {
    for (asked, is_announced) in [(Unannounced, true), (Announced, false)] {
        let wallet = PlainWallet::default();
        let request = wallet.waiting(asked);
        let channel = IncomingChannel {
            is_announced: Some(is_announced),
            ..wallet.channel(Funded, "f1")
        };
        for _ in 0..2 {
            let verdict = wallet.report(channel.clone());
            assert_eq!(verdict, wrong_visibility(&request));
        }
    }
}
