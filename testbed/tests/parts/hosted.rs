//! Hosted channels (LUD-07).

use crate::client::{LONG, Scene, next_event};
use lnurl_channel_testbed::{Habit, Kind, NodeEvent, OfferOptions};
use std::time::Duration;

const INVOKE_HOSTED_CHANNEL: u16 = 65535;
const REGTEST: &str = "06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f";

fn scene(habits: &[Habit]) -> Scene {
    Scene::new(OfferOptions {
        kind: Kind::Hosted,
        habits: habits.to_vec(),
        push_msat: 5_000,
        ..Default::default()
    })
}

/// Invokes with a P2WPKH script, and returns what was sent.
fn invoke(scene: &Scene, secret_hex: &str) -> Vec<u8> {
    let length = secret_hex.len() / 2;
    let script = format!("0014{}", "11".repeat(20));
    let payload = format!("{REGTEST}0016{script}{length:04x}{secret_hex}");
    let payload = hex::decode(payload).unwrap();
    let target = scene.testbed.target().id();
    let wallet = scene.testbed.wallet();
    assert!(wallet.send_message(&target, INVOKE_HOSTED_CHANNEL, payload.clone()));
    payload
}

fn answer(scene: &Scene) -> (u16, Vec<u8>) {
    match scene.wallet_event() {
        NodeEvent::PeerMessage {
            message_type,
            payload,
            ..
        } => (message_type, payload),
        other => panic!("{other:?}"),
    }
}

#[test]
fn offers_a_channel_to_who_knows_the_secret() {
    let scene = scene(&[]);
    let offer = scene.fetch().json();
    assert_eq!(offer["tag"], "hostedChannelRequest");
    let payload = invoke(&scene, offer["k1"].as_str().unwrap());
    let (message_type, terms) = answer(&scene);
    let expected = [
        &100_000_000u64.to_be_bytes()[..],
        &1_000u64.to_be_bytes(),
        &30u16.to_be_bytes(),
        &100_000_000u64.to_be_bytes(),
        &5_000u64.to_be_bytes(),
        &0u16.to_be_bytes(),
    ];
    assert_eq!((message_type, terms), (65533, expected.concat()));

    let service = scene.testbed.service();
    let invocations = service.wait_for_invocations(LONG, 1).unwrap();
    assert_eq!(invocations[0].payload, payload);
    assert_eq!(invocations[0].offer_id, Some(scene.offer.id));
    assert_eq!(invocations[0].peer_id, scene.testbed.wallet().id());
}

#[test]
fn refuses_an_unknown_secret() {
    let scene = scene(&[]);
    invoke(&scene, "abcd");
    let (message_type, payload) = answer(&scene);
    assert_eq!(message_type, 63497);
    assert!(payload.ends_with(b"unknown secret"));
}

#[test]
fn a_burnt_secret_works_once() {
    let scene = scene(&[Habit::OneTimeSecretBurnt]);
    invoke(&scene, &scene.offer.k1);
    assert_eq!(answer(&scene).0, 65533);
    invoke(&scene, &scene.offer.k1);
    assert_eq!(answer(&scene).0, 63497);
}

#[test]
fn a_silent_host_hears_and_says_nothing() {
    let scene = scene(&[Habit::SilentHost]);
    invoke(&scene, &scene.offer.k1);
    let service = scene.testbed.service();
    assert!(service.wait_for_invocations(LONG, 1).is_some());
    // The answer to a later message proves that the first had none.
    invoke(&scene, "abcd");
    assert_eq!(answer(&scene).0, 63497);
    assert_eq!(next_event(&scene.testbed.wallet(), Duration::ZERO), None);
}

#[test]
fn an_older_host_adds_a_length() {
    let scene = scene(&[Habit::LegacyHostedLength]);
    invoke(&scene, &scene.offer.k1);
    let (message_type, payload) = answer(&scene);
    assert_eq!((message_type, payload.len()), (65533, 2 + 36));
    assert_eq!(payload[..2], 36u16.to_be_bytes());
}

#[test]
fn an_existing_channel_is_shown() {
    let scene = scene(&[Habit::HostedChannelExists]);
    invoke(&scene, &scene.offer.k1);
    assert_eq!(answer(&scene).0, 65531);
}
