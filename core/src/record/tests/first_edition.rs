//! Records of the first edition, 0.1.

use super::*;

/// When 0.1 fetched the offer. What it did next took a minute or two.
const OLD_CREATED_AT: u64 = 1_790_000_000;

fn migrated(text: &str) -> Loaded {
    let loaded = read(ID, text.as_bytes(), RULES, NOW).unwrap_or_else(|e| panic!("{e:?}: {text}"));
    assert!(loaded.needs_writing);
    let written = write(&loaded.record).unwrap();
    let again = read(ID, written.as_bytes(), RULES, NOW);
    assert_eq!(again, Ok(unchanged(loaded.record.clone())));
    loaded
}

/// What becomes of a 0.1 record, in short.
fn shown(progress: &Progress) -> String {
    let contact = progress.contact().map(|contact| {
        let wanted = contact.funded().map(|wanted| {
            assert_eq!(
                (&wanted.baseline, wanted.lost.len()),
                (&Baseline::Unknown, 0)
            );
            let both = if wanted.accepts_both { "both, " } else { "" };
            format!("{both}{:?}", wanted.visibility)
        });
        assert_eq!(contact.node_id, OWN);
        assert_eq!(contact.asked_at, Stamp::loaded(OLD_CREATED_AT, NOW));
        assert_eq!(contact.order, OLD_CREATED_AT * 1000 + 123);
        format!(
            "{:?}, {}",
            contact.answer,
            wanted.unwrap_or_else(|| "hosted".into())
        )
    });
    let contact = contact.unwrap_or_default();
    let check_end = |at: &Stamp| {
        assert!((OLD_CREATED_AT + 60..OLD_CREATED_AT + 90).contains(&at.unix_seconds));
    };
    match progress {
        Progress::Accepted { at } => {
            assert_eq!(*at, Stamp::loaded(OLD_CREATED_AT, NOW));
            "Accepted".into()
        }
        Progress::Asked(_) => format!("Asked: {contact}"),
        Progress::Arrived {
            arrival,
            at,
            refusal,
            is_dismissed,
            ..
        } => {
            check_end(at);
            assert_eq!(*refusal, None);
            let arrival = match arrival {
                Arrival::Funded { channel, verdict } => {
                    assert_eq!(channel.channel_id, Some("f1".repeat(32)));
                    format!("{verdict:?} {:?}", channel.stage)
                }
                Arrival::HostedOffered { terms, message } => {
                    assert_eq!(
                        (terms.capacity_msat, terms.max_accepted_htlcs),
                        (1_000_000, 30)
                    );
                    format!("HostedOffered {}", message.len())
                }
                Arrival::HostedExists { message } => format!("HostedExists {}", message.len()),
            };
            format!("Arrived {arrival}, {is_dismissed}: {contact}")
        }
        Progress::Refused {
            refusal,
            is_dismissed,
            ..
        } => {
            check_end(&refusal.at);
            assert_eq!(refusal.words, None);
            format!("Refused, {is_dismissed}: {contact}")
        }
        Progress::Cancelled {
            at,
            order,
            is_dismissed,
            ..
        } => {
            check_end(at);
            assert_eq!(*order, at.unix_seconds * 1000);
            format!("Cancelled, {is_dismissed}: {contact}")
        }
        Progress::Offered | Progress::Declined { .. } => "never written".into(),
    }
}

#[test]
fn a_record_of_each_state_of_0_1_is_taken() {
    for (name, expected) in [
        ("offered", "Accepted"),
        ("connecting", "Accepted"),
        ("requesting", "Asked: Pending, Unannounced"),
        ("awaiting", "Asked: Agreed, Unannounced"),
        ("awaiting-after-a-mismatch", "Asked: Agreed, Unannounced"),
        (
            "outcome-unknown",
            "Asked: Unclear { words: None }, Unannounced",
        ),
        (
            "outcome-unknown-asked-twice",
            "Asked: Unclear { words: None }, both, Unannounced",
        ),
        ("refused", "Refused, false: Pending, Unannounced"),
        (
            "refused-and-returned",
            "Refused, true: Pending, Unannounced",
        ),
        ("arrived-proposed", "Asked: Agreed, Unannounced"),
        ("arrived-proposed-unanswered", "Asked: Pending, Unannounced"),
        (
            "arrived-funded",
            "Arrived Expected Funded, false: Agreed, Unannounced",
        ),
        (
            "arrived-funded-announced",
            "Arrived WrongVisibility Funded, true: Agreed, Unannounced",
        ),
        (
            "declined-after-asking",
            "Cancelled, true: Agreed, Unannounced",
        ),
        ("cancelled", "Cancelled, true: Agreed, Unannounced"),
        ("hosted-connecting", "Accepted"),
        ("hosted-awaiting", "Asked: Agreed, hosted"),
        (
            "hosted-outcome-unknown",
            "Asked: Unclear { words: None }, hosted",
        ),
        (
            "hosted-arrived-offered",
            "Arrived HostedOffered 36, false: Agreed, hosted",
        ),
        (
            "hosted-arrived-exists",
            "Arrived HostedExists 200, true: Agreed, hosted",
        ),
        ("hosted-offered-in-the-lnurl", "Asked: Agreed, hosted"),
        ("hosted-cancelled", "Cancelled, true: Agreed, hosted"),
    ] {
        let loaded = migrated(of_0_1(name));
        assert_eq!(shown(&loaded.record.progress), expected, "{name}");
        // 0.1 dropped what asking takes once it had told of an arrival, be it a proposal.
        let needed = loaded.record.progress.needs_credentials(NOW, DAY);
        let has_them = loaded.record.credentials.is_some();
        assert_eq!(has_them, needed && name != "arrived-proposed", "{name}");
    }
}

#[test]
fn what_0_1_kept_though_nobody_was_asked_is_removed() {
    for text in [of_0_1("declined"), of_0_1("cancelled-while-connecting")] {
        assert_eq!(
            read(ID, text.as_bytes(), RULES, NOW),
            Err(Unreadable::Obsolete)
        );
    }
}

#[test]
fn an_offer_of_0_1_is_shown_as_it_would_be_today() {
    let service = |text| migrated(text).record.offer.service.clone();
    let funded = migrated(of_0_1("awaiting")).record;
    assert_eq!(
        funded.offer.service.as_deref(),
        Some("service.example:8443")
    );
    assert_eq!(funded.offer.answered_by, None);
    assert_eq!(
        service(of_0_1("declined-after-asking")).as_deref(),
        Some("service.example")
    );
    assert_eq!(
        service(of_0_1("hosted-awaiting")).as_deref(),
        Some("service.example")
    );
    assert_eq!(service(of_0_1("hosted-offered-in-the-lnurl")), None);
    let hosted = migrated(of_0_1("hosted-awaiting")).record;
    let ask = &hosted.credentials.unwrap().ask;
    assert_eq!(
        *ask,
        Ask::Hosted {
            secret: Secret::of_bytes(hex::decode("5ec7e75ec7e7").unwrap())
        }
    );
}

#[test]
fn what_0_1_turned_down_goes_to_the_verdicts_of_the_peer() {
    let duplicate = StoredVerdict::Of(VerdictKind::Duplicate, id());
    for (text, expected) in [
        (of_0_1("awaiting"), vec![]),
        (of_0_1("arrived-proposed"), vec![]),
        (
            of_0_1("awaiting-after-a-mismatch"),
            vec![known(
                &"a2".repeat(32),
                StoredVerdict::Of(VerdictKind::WrongVisibility, id()),
            )],
        ),
        (
            of_0_1("cancelled"),
            vec![known(
                &"a1".repeat(32),
                StoredVerdict::Of(VerdictKind::Unwanted, id()),
            )],
        ),
        (
            of_0_1("arrived-funded"),
            vec![
                known(&"a2".repeat(32), duplicate),
                known(&"f2".repeat(32), duplicate),
            ],
        ),
    ] {
        assert_eq!(migrated(text).verdicts, expected, "{text}");
    }
}

#[test]
fn ids_that_0_1_took_and_today_are_none_are_left_out() {
    let with = |text: &str, pointer: &str, to: Value| {
        let mut json: Value = serde_json::from_str(text).unwrap();
        *json.pointer_mut(pointer).expect(pointer) = to;
        migrated(&json.to_string())
    };
    let arrived = of_0_1("arrived-funded");
    let nameless = with(arrived, "/outcome/channel/channel_id", json!(""));
    assert_eq!(
        shown(&nameless.record.progress),
        "Asked: Agreed, Unannounced"
    );
    let formerly = with(arrived, "/outcome/channel/former_channel_id", json!("ü"));
    let Progress::Arrived {
        arrival: Arrival::Funded { channel, .. },
        ..
    } = formerly.record.progress
    else {
        panic!("it arrived")
    };
    assert_eq!(channel.former_channel_id, None);
    let known = with(
        arrived,
        "/known_channels/2/ids",
        json!(["", "a2", "f".repeat(129)]),
    );
    assert_eq!(known.verdicts[0].channel_id, "a2");
    assert_eq!(known.verdicts.len(), 2);
}

#[test]
fn a_damaged_record_of_0_1_is_damaged() {
    let (awaiting, arrived, hosted, refused, offered) = (
        of_0_1("awaiting"),
        of_0_1("arrived-funded"),
        of_0_1("hosted-arrived-offered"),
        of_0_1("refused"),
        of_0_1("offered"),
    );
    for (text, pointer, wrong) in [
        (awaiting, "/request_id", json!("another")),
        (awaiting, "/created_at_millis", json!(-1)),
        (awaiting, "/created_at_millis", json!(MAX_COUNTER + 1)),
        (awaiting, "/network", json!("regtest")),
        (awaiting, "/state", json!("Arrived")),
        (awaiting, "/state", json!("Arriving")),
        (awaiting, "/state", json!("Offered")),
        (awaiting, "/state", json!("Refused")),
        (awaiting, "/asked", json!(false)),
        (awaiting, "/asked", json!(1)),
        (awaiting, "/visibility", json!("Private")),
        (awaiting, "/node_id", json!(null)),
        (awaiting, "/node_id", json!(7)),
        (awaiting, "/refund_script", json!("0014")),
        (awaiting, "/offer", json!(null)),
        (awaiting, "/offer/peer", json!("node.example")),
        (awaiting, "/offer/service", json!(null)),
        (
            awaiting,
            "/credentials/lnurl",
            json!("http://service.example/"),
        ),
        (awaiting, "/credentials/callback", json!(null)),
        (awaiting, "/outcome", json!(7)),
        (awaiting, "/known_channels", json!(null)),
        (awaiting, "/known_channels", json!([7])),
        (awaiting, "/outcome", json!({ "message": "00" })),
        (offered, "/asked", json!(true)),
        (offered, "/node_id", json!(OWN)),
        (offered, "/credentials", json!(null)),
        (refused, "/ended_at", json!(null)),
        (refused, "/returned", json!(null)),
        (arrived, "/outcome", json!(null)),
        (arrived, "/outcome", json!({})),
        (arrived, "/outcome/channel/stage", json!("Pending")),
        (arrived, "/outcome/channel/capacity_sat", json!("1")),
        (arrived, "/known_channels/0/verdict", json!("expected")),
        (hosted, "/credentials/k1", json!("not hex")),
        (hosted, "/outcome/message", json!("00")),
        (hosted, "/outcome/terms/capacity_msat", json!(7)),
        (hosted, "/refund_script", json!("script")),
    ] {
        let mut json: Value = serde_json::from_str(text).unwrap();
        *json.pointer_mut(pointer).expect(pointer) = wrong.clone();
        assert_eq!(
            read_json(&json),
            Err(Unreadable::Damaged),
            "{pointer}: {wrong}"
        );
    }
}

#[test]
fn the_orders_of_0_1_are_those_of_its_times() {
    let order = |text: &str, pointer: &str, at: u64| {
        let mut json: Value = serde_json::from_str(text).unwrap();
        *json.pointer_mut(pointer).unwrap() = at.into();
        let progress = migrated(&json.to_string()).record.progress;
        let cancel = match &progress {
            Progress::Cancelled { order, .. } => Some(*order),
            _ => None,
        };
        (progress.contact().unwrap().order, cancel)
    };
    let (awaiting, cancelled) = (of_0_1("awaiting"), of_0_1("cancelled"));
    assert_eq!(order(awaiting, "/created_at_millis", 0), (1, None));
    assert_eq!(order(awaiting, "/created_at_millis", 9), (9, None));
    let most = MAX_COUNTER;
    assert_eq!(
        order(awaiting, "/created_at_millis", most),
        (most - 1, None)
    );
    assert_eq!(
        order(cancelled, "/created_at_millis", most),
        (most - 1, Some(most))
    );
    let asked = OLD_CREATED_AT * 1000 + 123;
    assert_eq!(order(cancelled, "/ended_at", 0), (asked, Some(asked + 1)));
    assert_eq!(order(cancelled, "/ended_at", most), (asked, Some(most)));
}

#[test]
fn channels_that_nobody_asked_for_in_0_1_are_taken() {
    let text = of_0_1("unrequested-channels");
    let pair = |peer: &str, id: &str| (peer.to_owned(), id.repeat(32));
    let expected = vec![pair(PEER, "a1"), pair(PEER, "f1"), pair(OWN, "f2")];
    assert_eq!(read_unrequested_channels(text.as_bytes()), Ok(expected));
    let of = |peer: &str, ids: Value| {
        let record = json!({ "version": 1, "channels": [{ "peer_id": peer, "ids": ids }] });
        read_unrequested_channels(record.to_string().as_bytes())
    };
    assert_eq!(of("no key", json!(["f1"])), Ok(vec![]));
    assert_eq!(
        of(PEER, json!(["", "f1"])),
        Ok(vec![(PEER.into(), "f1".into())])
    );
    assert_eq!(of(PEER, json!([7])), Err(Unreadable::Damaged));
    assert_eq!(read_unrequested_channels(b"{}"), Err(Unreadable::Damaged));
}
