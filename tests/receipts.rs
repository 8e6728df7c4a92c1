//! Receipts of real flows: what `docs/receipt.schema.json` describes, and what the examples in
//! `docs/receipts` tell. `RECEIPTS=write cargo test --test receipts` writes the examples anew.

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use boon::{Compiler, Schemas};
use lnurl_channel::{ChannelConcern, ChannelRequestState, ChannelStage, LnurlChannelError};
use lnurl_channel_testbed::{Habit, OfferOptions};
use serde_json::Value;

use support::block_on;
use support::scene::{Scene, funded_channel, habits, hosted, start, wait_until};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

fn assert_is_a_receipt(receipt: &Value) {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    let path = docs().join("receipt.schema.json");
    let schema = compiler.compile(path.to_str().unwrap(), &mut schemas);
    let checked = schemas.validate(receipt, schema.expect("the schema is one"));
    checked.unwrap_or_else(|why| panic!("{why}: {receipt:#}"));
}

/// In no order: whether the service answers or the peer proposes first is theirs to say.
fn events(receipt: &Value) -> Vec<&str> {
    let events = receipt["events"].as_array().unwrap().iter();
    let names = events.map(|event| event["event"].as_str().unwrap());
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names
}

/// The receipt of the scene's request is as it should be, and tells what the example of this name does.
fn assert_tells(name: &str, scene: &Scene) {
    let text = scene.request.receipt();
    for secret in [
        &scene.offer.k1,
        &scene.testbed.wallet().id(),
        &scene.offer.lnurl,
    ] {
        assert!(!text.contains(secret.as_str()), "{secret} is in {text}");
    }
    assert!(!text.contains("://"), "a URL is in {text}");
    let receipt: Value = serde_json::from_str(&text).unwrap();
    assert_is_a_receipt(&receipt);
    let path = docs().join("receipts").join(name).with_extension("json");
    if std::env::var("RECEIPTS").is_ok_and(|what| what == "write") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &text).unwrap();
    }
    let example: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert_is_a_receipt(&example);
    assert_eq!(events(&receipt), events(&example));
    for field in ["kind", "visibility", "state", "concerns", "refusal"] {
        assert_eq!(receipt[field], example[field], "{field}");
    }
}

#[test]
fn of_a_channel_that_can_be_used() {
    let scene = Scene::new(OfferOptions::default());
    funded_channel(scene.accept());
    let request = scene.request.clone();
    let ready = start(async move { request.await_ready().await });
    wait_until("the call runs", || scene.request.snapshot().is_running);
    scene.confirm_channel();
    let channel = ready.end().unwrap();
    assert_eq!(channel.stage, ChannelStage::Ready);
    assert_eq!(scene.state(), ChannelRequestState::Ready);
    // Once it is, at once.
    assert_eq!(block_on(scene.request.await_ready()), Ok(channel));
    assert_tells("funded", &scene);
}

#[test]
fn of_a_channel_that_did_not_come() {
    let scene = Scene::hasty(habits(&[Habit::OkAndNeverOpens]));
    let result = scene.accept();
    assert!(
        matches!(result, Err(LnurlChannelError::NoChannel { .. })),
        "{result:?}"
    );
    assert_tells("no-channel", &scene);
}

#[test]
fn of_a_service_that_said_no() {
    let scene = Scene::new(habits(&[Habit::ErrorAnswer]));
    let result = scene.accept();
    assert!(
        matches!(result, Err(LnurlChannelError::Refused { .. })),
        "{result:?}"
    );
    assert_tells("refused", &scene);
}

#[test]
fn of_a_hosted_channel() {
    let scene = Scene::new(hosted(&[]));
    scene.accept().unwrap();
    assert_tells("hosted", &scene);
    let waiting = block_on(scene.request.await_ready());
    assert!(matches!(waiting, Err(LnurlChannelError::WrongState { .. })));
}

#[test]
fn a_preflight_asks_the_node_alone() {
    let scene = Scene::new(OfferOptions::default());
    let preflight = |visibility| block_on(scene.request.preflight(visibility));
    let nothing: Vec<ChannelConcern> = Vec::new();
    assert_eq!(
        preflight(lnurl_channel::ChannelVisibility::Unannounced),
        Ok(nothing)
    );
    assert_eq!(scene.state(), ChannelRequestState::Offered);
    assert_eq!(scene.callbacks(), [""; 0]);
    assert!(!scene.request.snapshot().is_peer_connected);
}
