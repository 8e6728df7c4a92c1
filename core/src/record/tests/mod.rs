mod first_edition;
mod mutated;
mod redacted;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::channel::IncomingChannel;
use crate::clock::Stamp;
use crate::protocol::{Ask, HostedChannelTerms, Offer, OfferParts, Secret, parse_refund_script};
use crate::request::{
    Arrival, AskAnswer, Baseline, Contact, Credentials, DAY, FundedWanted, History, Progress,
    Refusal, Wanted,
};

const ID: &str = "00112233445566778899aabbccddeeff";
const PEER: &str = "02864ef025fde8fb587d989186ce6a4a186895ee44a926bfc370e2c366597a3f8f";
const OWN: &str = "0331f80652fb840239df8dc99205792bba2e559a05469915804c08420230e23c7c";
const RULES: Rules = Rules {
    network: BitcoinNetwork::Regtest,
    allow_private_hosts: false,
};

/// What no text may hold. The fixtures use the same words.
const SECRETS: [&str; 6] = [
    "hush-k1",
    "271828182",
    "5ec7e75ec7e7",
    "5EC7E75ec7e7",
    "unsaid-1",
    "unsaid-2",
];

const NOW_SECONDS: u64 = 1_800_000_000;
const NOW: Now = Now {
    since_start: Duration::from_secs(5),
    unix_millis: NOW_SECONDS * 1000 + 999,
};

fn id() -> RequestId {
    RequestId::parse(ID).unwrap()
}

fn stamp(seconds_ago: u64) -> Stamp {
    Stamp::loaded(NOW_SECONDS - seconds_ago, NOW)
}

fn record(kind: ChannelKind, progress: Progress) -> Record {
    let (callback, k1, lnurl) = match kind {
        ChannelKind::Funded => (
            Some("https://api.service.example/cb?token=unsaid-2"),
            "hush-k1",
            "https://service.example:8443/c?q=unsaid-1",
        ),
        ChannelKind::Hosted => (None, "5ec7e75ec7e7", "https://service.example/h?q=unsaid-1"),
    };
    let is_hosted = kind == ChannelKind::Hosted;
    let service = if is_hosted {
        "service.example"
    } else {
        "service.example:8443"
    };
    let parts = OfferParts {
        kind,
        service: Some(service),
        answered_by: (!is_hosted).then_some("www.service.example"),
        callback,
        uri: &format!("{PEER}@node.service.example:9735"),
        alias: is_hosted.then_some("A host"),
        k1,
    };
    let offer = Offer::from_parts(parts, false).unwrap();
    let credentials = Credentials {
        lnurl: Secret::new(lnurl),
        ask: offer.ask,
    };
    let script = parse_refund_script([vec![0, 20], vec![7; 20]].concat()).unwrap();
    Record {
        id: id(),
        offer: Arc::new(offer.shown),
        network: RULES.network,
        created_at_millis: 1_799_990_000_123,
        updated_at_seconds: 1_799_999_000,
        credentials: progress
            .needs_credentials(NOW, DAY)
            .then(|| Box::new(credentials)),
        refund_script: is_hosted.then_some(script),
        progress,
        history: History::default(),
    }
}

fn contact(wanted: Wanted) -> Contact {
    Contact {
        node_id: OWN.into(),
        answer: AskAnswer::Agreed,
        asked_at: stamp(3_000),
        order: 7,
        wanted,
    }
}

fn funded() -> Contact {
    contact(Wanted::Funded(FundedWanted {
        visibility: ChannelVisibility::Unannounced,
        accepts_both: false,
        baseline: Baseline::Ids(vec!["b1".into(), "b2:0".into()]),
        lost: Vec::new(),
    }))
}

fn channel(id: &str, stage: ChannelStage) -> IncomingChannel {
    IncomingChannel {
        peer_id: PEER.into(),
        stage,
        channel_id: Some(id.into()),
        former_channel_id: Some("a1".into()),
        capacity_sat: Some(100_000),
        push_msat: Some(0),
        is_announced: Some(false),
        is_zero_conf: None,
        confirmations: Some(1),
        confirmations_required: Some(3),
    }
}

fn arrived(contact: Contact, arrival: Arrival) -> Progress {
    Progress::Arrived {
        contact,
        arrival,
        at: stamp(1_000),
        refusal: None,
        is_dismissed: false,
    }
}

fn arrived_funded(stage: ChannelStage, verdict: VerdictKind) -> Progress {
    let channel = channel("f1", stage);
    arrived(funded(), Arrival::Funded { channel, verdict })
}

const TERMS: HostedChannelTerms = HostedChannelTerms {
    capacity_msat: 1_000_000,
    initial_client_balance_msat: 0,
    max_htlc_value_in_flight_msat: 900_000,
    htlc_minimum_msat: 1,
    max_accepted_htlcs: 30,
};

fn hosted_offered() -> Arrival {
    let message = [
        &900_000_u64.to_be_bytes()[..],
        &1_u64.to_be_bytes(),
        &30_u16.to_be_bytes(),
        &1_000_000_u64.to_be_bytes(),
        &0_u64.to_be_bytes(),
        &[0, 0],
    ];
    Arrival::HostedOffered {
        terms: TERMS,
        message: message.concat(),
    }
}

fn hosted_exists() -> Arrival {
    Arrival::HostedExists {
        message: vec![9; 200],
    }
}

fn refusal(words: Option<&str>) -> Refusal {
    Refusal {
        words: words.map(str::to_owned),
        at: stamp(2_000),
    }
}

fn refused() -> Progress {
    Progress::Refused {
        contact: funded(),
        refusal: refusal(Some("no room")),
        is_dismissed: true,
    }
}

fn cancelled(contact: Contact) -> Progress {
    Progress::Cancelled {
        contact,
        at: stamp(500),
        order: 8,
        is_dismissed: false,
    }
}

fn asked(answer: AskAnswer, wanted: FundedWanted) -> Record {
    let contact = Contact {
        answer,
        ..contact(Wanted::Funded(wanted))
    };
    record(ChannelKind::Funded, Progress::Asked(contact))
}

/// One of each progress, by the name of its text.
fn one_of_each() -> [(&'static str, Record, &'static str); 7] {
    use ChannelKind::{Funded, Hosted};
    let hosted = || contact(Wanted::Hosted);
    let lost = FundedWanted {
        visibility: ChannelVisibility::Announced,
        accepts_both: true,
        baseline: Baseline::TooMany,
        lost: vec![(channel("f0", ChannelStage::Funded), VerdictKind::Expected)],
    };
    let words = Some("we call you back".to_owned());
    let arrived_funded = arrived_funded(ChannelStage::Funded, VerdictKind::Expected);
    let offered = arrived(hosted(), hosted_offered());
    let exists = arrived(hosted(), hosted_exists());
    let accepted = Progress::Accepted { at: stamp(60) };
    macro_rules! golden {
        ($name:literal, $record:expr) => {
            (
                $name,
                $record,
                include_str!(concat!("fixtures/", $name, ".json")),
            )
        };
    }
    [
        golden!("accepted", record(Funded, accepted)),
        golden!("asked", asked(AskAnswer::Unclear { words }, lost)),
        golden!("arrived-funded", record(Funded, arrived_funded)),
        golden!("arrived-hosted-offered", record(Hosted, offered)),
        golden!("arrived-hosted-exists", record(Hosted, exists)),
        golden!("refused", record(Funded, refused())),
        golden!("cancelled", record(Hosted, cancelled(hosted()))),
    ]
}

/// The variants that `one_of_each` leaves out.
fn others() -> Vec<Record> {
    use ChannelKind::{Funded, Hosted};
    let mut records = Vec::new();
    for answer in [
        AskAnswer::Pending,
        AskAnswer::Agreed,
        AskAnswer::Unclear { words: None },
    ] {
        for baseline in [
            Baseline::Unknown,
            Baseline::TooMany,
            Baseline::Ids(Vec::new()),
        ] {
            for visibility in [ChannelVisibility::Announced, ChannelVisibility::Unannounced] {
                let wanted = FundedWanted {
                    visibility,
                    accepts_both: false,
                    baseline: baseline.clone(),
                    lost: Vec::new(),
                };
                records.push(asked(answer.clone(), wanted));
            }
        }
    }
    for stage in [ChannelStage::Funded, ChannelStage::Ready] {
        for verdict in [VerdictKind::Expected, VerdictKind::WrongVisibility] {
            records.push(record(Funded, arrived_funded(stage, verdict)));
        }
    }
    let mut late = arrived_funded(ChannelStage::Funded, VerdictKind::Expected);
    if let Progress::Arrived {
        refusal: late_after,
        arrival,
        ..
    } = &mut late
    {
        *late_after = Some(refusal(None));
        *arrival = Arrival::Funded {
            channel: IncomingChannel {
                former_channel_id: None,
                capacity_sat: None,
                push_msat: None,
                is_announced: None,
                is_zero_conf: Some(true),
                confirmations: None,
                confirmations_required: None,
                ..channel("f1", ChannelStage::Funded)
            },
            verdict: VerdictKind::Expected,
        };
    }
    records.push(record(Funded, late));
    records.push(record(Funded, cancelled(funded())));
    records.push(record(Hosted, Progress::Asked(contact(Wanted::Hosted))));
    let accepted = Progress::Accepted { at: stamp(0) };
    records.push(record(Hosted, accepted.clone()));
    records.push(Record {
        refund_script: None,
        ..record(Hosted, accepted)
    });
    let hosted_refused = Progress::Refused {
        contact: contact(Wanted::Hosted),
        refusal: refusal(None),
        is_dismissed: false,
    };
    records.push(record(Hosted, hosted_refused));
    records
}

fn json_of(record: &Record) -> Value {
    serde_json::from_str(&write(record).unwrap()).unwrap()
}

fn read_json(json: &Value) -> Result<Loaded, Unreadable> {
    read(ID, json.to_string().as_bytes(), RULES, NOW)
}

/// What comes of `json` once the field at `pointer` is `to`.
fn read_with(json: &Value, pointer: &str, to: Value) -> Result<Loaded, Unreadable> {
    let mut json = json.clone();
    *json.pointer_mut(pointer).expect(pointer) = to;
    read_json(&json)
}

/// Whether it would be written anew when it is read again.
fn needs_writing(record: &Record) -> bool {
    let text = write(record).unwrap();
    read(ID, text.as_bytes(), RULES, NOW).unwrap().needs_writing
}

fn unchanged(record: Record) -> Loaded {
    Loaded {
        record,
        needs_writing: false,
        verdicts: Vec::new(),
    }
}

/// Updates of the app find what earlier ones wrote: the names stay.
#[test]
fn a_record_of_each_progress_is_written_as_its_fixture() {
    for (name, record, text) in one_of_each() {
        assert_eq!(write(&record).as_deref(), Some(text), "{name}");
        let read = read(ID, text.as_bytes(), RULES, NOW);
        assert_eq!(read, Ok(unchanged(record)), "{name}");
    }
}

#[test]
fn every_variant_is_read_as_it_was_written() {
    for record in others() {
        let text = write(&record).unwrap();
        assert!(text.lines().count() > 20, "for people to read");
        let read = read(ID, text.as_bytes(), RULES, NOW);
        assert_eq!(read, Ok(unchanged(record)), "{text}");
    }
}

#[test]
fn every_network_is_read_as_it_was_written() {
    for (network, name) in NETWORKS {
        let record = Record {
            network,
            ..record(ChannelKind::Funded, refused())
        };
        assert_eq!(json_of(&record)["network"], name);
        let rules = Rules { network, ..RULES };
        let text = write(&record).unwrap();
        assert_eq!(read(ID, text.as_bytes(), rules, NOW), Ok(unchanged(record)));
    }
}

#[test]
fn nothing_is_written_of_an_offer_that_was_not_accepted_or_was_declined() {
    for progress in [
        Progress::Offered,
        Progress::Declined {
            is_dismissed: false,
        },
    ] {
        assert_eq!(write(&record(ChannelKind::Funded, progress)), None);
    }
}

#[test]
#[cfg_attr(miri, ignore = "too many records for an interpreter")]
fn what_no_run_can_produce_is_damaged() {
    let [
        accepted,
        asked,
        arrived,
        offered,
        exists,
        refused,
        cancelled,
    ] = one_of_each().map(|(_, record, _)| json_of(&record));
    let key_off_the_curve = format!("02{}", "ff".repeat(32));
    let shout = OWN.to_uppercase();
    let long_id = "f".repeat(129);
    let ids = |count: usize| json!(vec!["b1"; count]);
    let credentials = json!({ "lnurl": "https://service.example/", "k1": "00", "callback": null });
    let contact = &asked["contact"];
    let (lost, wanted) = ("/contact/wanted/lost", "/contact/wanted");
    for (json, pointer, wrong) in [
        // Of any record.
        (&asked, "/version", json!("2")),
        (&asked, "/version", json!(0)),
        (&asked, "/version", json!(1)),
        (&asked, "/request_id", json!("another")),
        (&asked, "/network", json!("regtest")),
        (&asked, "/created_at_millis", json!(-1)),
        (&asked, "/created_at_millis", json!(MAX_COUNTER + 1)),
        (&asked, "/updated_at_seconds", json!(1.5)),
        (&asked, "/is_dismissed", json!(null)),
        (&asked, "/progress", json!("asked")),
        (&asked, "/progress", json!("Offered")),
        // The offer, and what asking takes.
        (&asked, "/offer", json!(null)),
        (&asked, "/offer/kind", json!("Hosted")),
        (&asked, "/offer/peer", json!("node.service.example")),
        (
            &asked,
            "/offer/peer",
            json!(format!("{OWN}@node.service.example:9735")),
        ),
        (&asked, "/offer/service", json!(null)),
        (&asked, "/offer/service", json!("other.example")),
        (&asked, "/offer/service", json!("not\u{202e}a host")),
        (&asked, "/offer/answered_by", json!(7)),
        (&asked, "/offer/answered_by", json!("")),
        (&asked, "/offer/callback_host", json!("other.example")),
        (&asked, "/offer/callback_host", json!(null)),
        (&asked, "/offer/alias", json!(7)),
        (
            &refused,
            "/offer/callback_host",
            json!("API.service.example"),
        ),
        (&refused, "/offer/callback_host", json!("a.example/path")),
        (&refused, "/offer/callback_host", json!(null)),
        (
            &refused,
            "/offer/peer",
            json!(format!("{key_off_the_curve}@a.example")),
        ),
        (
            &cancelled,
            "/offer/answered_by",
            json!("www.service.example"),
        ),
        (&asked, "/credentials", credentials),
        (&asked, "/credentials", json!(7)),
        (
            &asked,
            "/credentials/lnurl",
            json!("http://service.example:8443/"),
        ),
        (&asked, "/credentials/k1", json!(7)),
        (&asked, "/credentials/callback", json!(null)),
        (
            &asked,
            "/credentials/callback",
            json!("http://api.service.example/cb"),
        ),
        (&accepted, "/credentials", json!(null)),
        (&asked, "/refund_script", json!("0014")),
        (&asked, "/refund_script", offered["refund_script"].clone()),
        (&offered, "/refund_script", json!("script")),
        // Which parts a progress has.
        (&accepted, "/at_seconds", json!(null)),
        (&accepted, "/at_seconds", json!("now")),
        (&accepted, "/contact", contact.clone()),
        (&accepted, "/is_dismissed", json!(true)),
        (&asked, "/contact", json!(null)),
        (&asked, "/at_seconds", json!(NOW_SECONDS)),
        (&asked, "/is_dismissed", json!(true)),
        (&asked, "/arrival", arrived["arrival"].clone()),
        (&asked, "/refusal", refused["refusal"].clone()),
        (&asked, "/cancel_order", json!(8)),
        (&arrived, "/arrival", json!(null)),
        (&arrived, "/at_seconds", json!(null)),
        (&arrived, "/contact", json!(null)),
        (&arrived, "/cancel_order", json!(8)),
        (&refused, "/refusal", json!(null)),
        (&refused, "/at_seconds", json!(NOW_SECONDS)),
        (&refused, "/contact", json!(null)),
        (&refused, "/refusal/at_seconds", json!(null)),
        (&refused, "/refusal/words", json!(7)),
        (&cancelled, "/contact", json!(null)),
        (&cancelled, "/at_seconds", json!(null)),
        (&cancelled, "/cancel_order", json!(null)),
        (&cancelled, "/cancel_order", json!(7)),
        (&cancelled, "/cancel_order", json!(MAX_COUNTER + 1)),
        // What is known of having asked.
        (&asked, "/contact/node_id", json!(null)),
        (&asked, "/contact/node_id", json!(key_off_the_curve)),
        (&asked, "/contact/node_id", json!(shout)),
        (&asked, "/contact/node_id", json!(PEER)),
        (&asked, "/contact/answer", json!("Agreed")),
        (&asked, "/contact/answer", json!("Refused")),
        (&asked, "/contact/words", json!(7)),
        (&asked, "/contact/asked_at_seconds", json!(null)),
        (&asked, "/contact/order", json!(0)),
        (&asked, "/contact/order", json!(MAX_COUNTER + 1)),
        (&asked, wanted, json!(null)),
        (&cancelled, wanted, asked.pointer(wanted).unwrap().clone()),
        (&asked, "/contact/wanted/visibility", json!(null)),
        (&asked, "/contact/wanted/accepts_both", json!(null)),
        (&asked, "/contact/wanted/baseline", json!(null)),
        (&asked, "/contact/wanted/baseline", json!("Nothing")),
        (&asked, "/contact/wanted/baseline", json!([7])),
        (&asked, "/contact/wanted/baseline", json!([""])),
        (&asked, "/contact/wanted/baseline", ids(257)),
        (&asked, lost, json!(null)),
        (&asked, lost, json!([7])),
        (&asked, "/contact/wanted/lost/0/stage", json!("Proposed")),
        (&asked, "/contact/wanted/lost/0/stage", json!("Ready")),
        (&asked, "/contact/wanted/lost/0/verdict", json!("Unwanted")),
        (&asked, "/contact/wanted/lost/0/channel_id", json!("")),
        // A channel.
        (&arrived, "/arrival", offered["arrival"].clone()),
        (&arrived, "/arrival/channel_id", json!(null)),
        (&arrived, "/arrival/channel_id", json!("")),
        (&arrived, "/arrival/channel_id", json!("F1")),
        (&arrived, "/arrival/channel_id", json!("ü")),
        (&arrived, "/arrival/channel_id", json!("a\nb")),
        (&arrived, "/arrival/channel_id", json!(long_id)),
        (&arrived, "/arrival/former_channel_id", json!("A1")),
        (&arrived, "/arrival/stage", json!("Proposed")),
        (&arrived, "/arrival/stage", json!("Pending")),
        (&arrived, "/arrival/verdict", json!("Unwanted")),
        (&arrived, "/arrival/verdict", json!("Duplicate")),
        (&arrived, "/arrival/verdict", json!("Unrequested")),
        (&arrived, "/arrival/capacity_sat", json!(-1)),
        (&arrived, "/arrival/push_msat", json!("0")),
        (&arrived, "/arrival/is_announced", json!(0)),
        (&arrived, "/arrival/is_zero_conf", json!("no")),
        (&arrived, "/arrival/confirmations", json!(1_u64 << 32)),
        (
            &arrived,
            "/arrival/confirmations_required",
            json!(1_u64 << 32),
        ),
        // A host's answer.
        (&offered, "/arrival", arrived["arrival"].clone()),
        (&offered, "/arrival/terms", json!(null)),
        (&offered, "/arrival/terms/capacity_msat", json!(1_000_001)),
        (
            &offered,
            "/arrival/terms/max_accepted_htlcs",
            json!(1_u64 << 16),
        ),
        (&offered, "/arrival/message", json!("00")),
        (&offered, "/arrival/message", json!(null)),
        (&offered, "/refusal", refused["refusal"].clone()),
        (
            &exists,
            "/arrival/terms",
            offered.pointer("/arrival/terms").unwrap().clone(),
        ),
        (&exists, "/arrival/message", json!("09".repeat(196))),
        (&exists, "/arrival/message", json!("09".repeat(1 << 16))),
        (&exists, "/arrival/message", json!("zz")),
    ] {
        let read = read_with(json, pointer, wrong.clone());
        assert_eq!(read, Err(Unreadable::Damaged), "{pointer}: {wrong}");
    }
    let name = ID.to_uppercase();
    let mut json = asked.clone();
    json["request_id"] = json!(name);
    let read = read(&name, json.to_string().as_bytes(), RULES, NOW);
    assert_eq!(read, Err(Unreadable::Damaged));
    for content in [&b""[..], b"{}", b"[]", b"\xff", b"{\"version\":2}"] {
        assert_eq!(
            super::read(ID, content, RULES, NOW),
            Err(Unreadable::Damaged)
        );
    }
}

#[test]
fn a_counter_is_at_most_what_every_reader_of_json_holds_exactly() {
    let record = json_of(&record(ChannelKind::Funded, refused()));
    let read = |most: u64| read_with(&record, "/created_at_millis", json!(most));
    let loaded = read(9_007_199_254_740_991).unwrap();
    assert_eq!(loaded.record.created_at_millis, 9_007_199_254_740_991);
    assert_eq!(read(9_007_199_254_740_992), Err(Unreadable::Damaged));
}

#[test]
fn a_host_that_was_asked_was_told_where_to_refund() {
    let asked = record(
        ChannelKind::Hosted,
        Progress::Asked(contact(Wanted::Hosted)),
    );
    let read = read_with(&json_of(&asked), "/refund_script", json!(null));
    assert_eq!(read, Err(Unreadable::Damaged));
}

/// They are dropped a day after an arrival, and that channel may be lost still later.
#[test]
fn a_request_may_wait_without_what_asking_takes() {
    let [_, (_, record, _), ..] = one_of_each();
    let without = Record {
        credentials: None,
        ..record
    };
    let text = write(&without).unwrap();
    let read = read(ID, text.as_bytes(), RULES, NOW);
    assert_eq!(read, Ok(unchanged(without)));
}

#[test]
fn what_asking_takes_is_dropped_where_it_is_no_longer_needed() {
    let credentials = asked_credentials();
    let ready = arrived_funded(ChannelStage::Ready, VerdictKind::Expected);
    let mut old = arrived_funded(ChannelStage::Funded, VerdictKind::Expected);
    if let Progress::Arrived { at, .. } = &mut old {
        *at = stamp(24 * 60 * 60);
    }
    for progress in [refused(), cancelled(funded()), ready, old] {
        let record = record(ChannelKind::Funded, progress);
        assert_eq!(record.credentials, None);
        let mut json = json_of(&record);
        json["credentials"] = credentials.clone();
        let loaded = Loaded {
            needs_writing: true,
            ..unchanged(record)
        };
        assert_eq!(read_json(&json), Ok(loaded));
    }
}

fn asked_credentials() -> Value {
    let [_, (_, asked, _), ..] = one_of_each();
    json_of(&asked)["credentials"].clone()
}

#[test]
fn a_time_that_cannot_be_is_taken_as_now_and_written_anew() {
    let [accepted, asked, arrived, _, _, refused, cancelled] =
        one_of_each().map(|(_, record, _)| json_of(&record));
    for (json, pointer) in [
        (&accepted, "/at_seconds"),
        (&asked, "/contact/asked_at_seconds"),
        (&arrived, "/at_seconds"),
        (&refused, "/refusal/at_seconds"),
        (&cancelled, "/at_seconds"),
    ] {
        for wrong in [0, 1_700_000_000, NOW_SECONDS + 1, 4_100_000_000, u64::MAX] {
            let loaded = read_with(json, pointer, wrong.into()).unwrap();
            assert!(loaded.needs_writing, "{pointer}: {wrong}");
            let written = json_of(&loaded.record);
            assert_eq!(written.pointer(pointer), Some(&json!(NOW_SECONDS)));
        }
        let written = read_with(json, pointer, NOW_SECONDS.into()).unwrap().record;
        assert_eq!(
            json_of(&written).pointer(pointer),
            Some(&json!(NOW_SECONDS))
        );
        assert!(!needs_writing(&written), "{pointer}");
    }
}

#[test]
fn texts_are_cleaned_again() {
    let [_, asked, _, offered, _, refused, _] =
        one_of_each().map(|(_, record, _)| json_of(&record));
    let long = "ü".repeat(501);
    for (json, pointer, dirty, clean) in [
        (
            &asked,
            "/contact/words",
            "it\n\u{202e}says hush-k1",
            json!("it says …"),
        ),
        (&asked, "/contact/words", &long, json!("ü".repeat(500))),
        (&asked, "/contact/words", "\u{200b}", json!(null)),
        (&refused, "/refusal/words", "no\r\nroom", json!("no room")),
        (&refused, "/refusal/words", "", json!(null)),
        (&offered, "/offer/alias", " a\thost", json!("a host")),
        (&offered, "/offer/alias", &long, json!("ü".repeat(64))),
    ] {
        let loaded = read_with(json, pointer, dirty.into()).unwrap();
        let written = json_of(&loaded.record);
        assert_eq!(written.pointer(pointer), Some(&clean), "{pointer}: {dirty}");
        assert!(loaded.needs_writing);
        assert!(!needs_writing(&loaded.record));
    }
}

#[test]
fn a_history_that_cannot_be_read_takes_nothing_else_with_it() {
    let [_, (_, asked, _), ..] = one_of_each();
    let json = json_of(&asked);
    for wrong in [
        json!(7),
        json!([{ "at_seconds": 1, "event": "Unknown", "detail": null, "verdict": null }]),
        json!([{ "at_seconds": 1, "event": "Ready", "detail": "\n", "verdict": null }]),
        json!(vec![json!({ "at_seconds": 1, "event": "Ready" }); 65]),
    ] {
        let loaded = read_with(&json, "/history", wrong).unwrap();
        assert_eq!(loaded.record, asked);
        assert!(loaded.needs_writing);
    }
}

#[test]
fn a_later_version_is_left_for_a_later_app() {
    let later = json!({ "version": 3 }).to_string();
    let later = later.as_bytes();
    assert_eq!(read(ID, later, RULES, NOW), Err(Unreadable::NotNow));
    assert_eq!(read_verdicts(PEER, later), Err(Unreadable::NotNow));
    assert_eq!(read_unrequested_channels(later), Err(Unreadable::NotNow));
}

#[test]
fn what_this_configuration_forbids_is_left_for_another() {
    let lax = Rules {
        allow_private_hosts: true,
        ..RULES
    };
    let signet = Rules {
        network: BitcoinNetwork::Signet,
        ..RULES
    };
    for (_, record, text) in one_of_each() {
        let read_as = |json: &Value, rules| read(ID, json.to_string().as_bytes(), rules, NOW);
        let json = json_of(&record);
        assert_eq!(read_as(&json, signet), Err(Unreadable::NotNow), "{text}");
        let mut private = json.clone();
        private["offer"]["peer"] = json!(format!("{PEER}@127.0.0.1:9735"));
        assert_eq!(read_as(&private, RULES), Err(Unreadable::NotNow), "{text}");
        let loaded = read_as(&private, lax).unwrap();
        assert_eq!(loaded.record.offer.peer.host, "127.0.0.1");
        assert_eq!(json_of(&loaded.record), private);
    }
}

// ---- fixtures ----

macro_rules! fixtures_of_0_1 {
    ($($name:literal,)*) => {
        [$(($name, include_str!(concat!("fixtures/0.1/", $name, ".json")))),*]
    };
}

/// Written by 0.1's own code, as its inputs led to each state.
const OF_0_1: [(&str, &str); 25] = fixtures_of_0_1![
    "offered",
    "connecting",
    "requesting",
    "awaiting",
    "awaiting-after-a-mismatch",
    "outcome-unknown",
    "outcome-unknown-asked-twice",
    "refused",
    "refused-and-returned",
    "arrived-proposed",
    "arrived-proposed-unanswered",
    "arrived-funded",
    "arrived-funded-announced",
    "declined",
    "declined-after-asking",
    "cancelled",
    "cancelled-while-connecting",
    "hosted-connecting",
    "hosted-awaiting",
    "hosted-outcome-unknown",
    "hosted-arrived-offered",
    "hosted-arrived-exists",
    "hosted-offered-in-the-lnurl",
    "hosted-cancelled",
    "unrequested-channels",
];

fn of_0_1(name: &str) -> &'static str {
    let fixture = OF_0_1.iter().find(|(named, _)| *named == name);
    fixture.expect("a fixture of this name").1
}

fn all_texts() -> impl Iterator<Item = &'static str> {
    let today = one_of_each().map(|(_, _, text)| text).into_iter();
    today.chain(OF_0_1.iter().map(|(_, text)| *text))
}

// ---- verdicts ----

fn known(channel_id: &str, verdict: StoredVerdict) -> KnownChannel {
    KnownChannel {
        channel_id: channel_id.into(),
        verdict,
    }
}

#[test]
fn verdicts_are_read_as_they_were_written() {
    let of = |(kind, name): (VerdictKind, &str)| {
        known(&name.to_lowercase(), StoredVerdict::Of(kind, id()))
    };
    let mut channels = VERDICTS.map(of).to_vec();
    channels.push(known("f1", StoredVerdict::Unrequested));
    let text = write_verdicts(PEER, &channels);
    assert_eq!(read_verdicts(PEER, text.as_bytes()), Ok(channels));
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["version"], 2);
    assert_eq!(json["peer_id"], PEER);
    assert_eq!(
        json["channels"][1],
        json!({ "channel_id": "duplicate", "verdict": "Duplicate", "request_id": ID })
    );
    assert_eq!(
        json["channels"][4],
        json!({ "channel_id": "f1", "verdict": "Unrequested", "request_id": null })
    );
    for (pointer, wrong) in [
        ("/version", json!(1)),
        ("/version", json!(null)),
        ("/peer_id", json!(OWN)),
        ("/peer_id", json!(null)),
        ("/channels", json!(null)),
        ("/channels", json!([7])),
        ("/channels/0/channel_id", json!("F1")),
        ("/channels/0/verdict", json!("expected")),
        ("/channels/0/verdict", json!("Unrequested")),
        ("/channels/0/request_id", json!("r")),
        ("/channels/0/request_id", json!(null)),
        ("/channels/4/verdict", json!("Expected")),
        ("/channels/4/request_id", json!(ID)),
    ] {
        let mut json = json.clone();
        *json.pointer_mut(pointer).unwrap() = wrong.clone();
        let read = read_verdicts(PEER, json.to_string().as_bytes());
        assert_eq!(read, Err(Unreadable::Damaged), "{pointer}: {wrong}");
    }
    let no_key = write_verdicts("peer", &[]);
    assert_eq!(
        read_verdicts("peer", no_key.as_bytes()),
        Err(Unreadable::Damaged)
    );
}
