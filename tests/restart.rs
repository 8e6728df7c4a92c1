//! Killed with SIGKILL at each stage, and started again on the same folder.

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};

use lnurl_channel::{
    ChannelClient, ChannelEvent, ChannelOutcome, ChannelRequest, ChannelRequestState, ChannelStage,
    ChannelVerdict, ChannelVisibility, ClientConfig, IncomingChannel, LnurlChannelError,
};
use lnurl_channel_testbed::{Habit, OfferOptions, ServiceOffer, Testbed};
use tempfile::TempDir;

use support::block_on;
use support::plain::{Called, Gate, NODE_ID, PlainNode};
use support::scene::{
    callbacks, fetch, gets, habits, hasty_config, hosted, opening, patient_config, proposal,
    start_accept, start_resume, unfinished, wait_until,
};

/// What the child prints once it has come as far as it should.
const REACHED: &str = "reached the stage";

// ---- the process that is killed ----

/// How far the child goes.
const STAGE: &str = "LNURL_CHANNEL_TEST_STAGE";
const FOLDER: &str = "LNURL_CHANNEL_TEST_FOLDER";
const LNURL: &str = "LNURL_CHANNEL_TEST_LNURL";
const ROOTS: &str = "LNURL_CHANNEL_TEST_ROOTS";

/// Not a test of its own: the others run this binary again, with this name and a stage.
#[test]
fn child() {
    let Ok(stage) = std::env::var(STAGE) else {
        return;
    };
    let given = |name| std::env::var(name).unwrap();
    let config = ClientConfig {
        network: lnurl_channel::BitcoinNetwork::Regtest,
        storage_dir: Some(given(FOLDER)),
        extra_root_certificates: Some(given(ROOTS)),
        allow_private_hosts: true,
        ..ClientConfig::default()
    };
    let known = Arc::new(OnceLock::new());
    let node = child_node(&stage, known.clone());
    let client = Arc::new(ChannelClient::new(Arc::new(node), config).unwrap());
    let request = fetch(&client, &given(LNURL)).unwrap();
    known.set((client, request.offer().peer.node_id)).ok();
    let _ = block_on(request.accept(ChannelVisibility::Unannounced));
    Gate::default().pass();
}

/// Says so, and stays.
fn reached() {
    println!("\n{REACHED}");
    std::io::stdout().flush().unwrap();
    Gate::default().pass();
}

fn child_node(stage: &str, known: Arc<OnceLock<(Arc<ChannelClient>, String)>>) -> PlainNode {
    let mut node = PlainNode::default();
    match stage {
        "connecting" => {
            node.connect = Box::new(|_| {
                reached();
                Ok(true)
            });
        }
        // The service tells when it has the callback.
        "in flight" => {}
        "awaiting" => {
            node.on_event = Box::new(|event| {
                if let ChannelEvent::AwaitingChannel { .. } = event {
                    reached();
                }
                Ok(())
            });
        }
        "arrived" => {
            node.on_event = Box::new(move |event| {
                if let ChannelEvent::AwaitingChannel { .. } = event {
                    let (client, peer_id) = known.get().unwrap();
                    // No call is left that could return it.
                    client.unfinished_requests().remove(0).pause();
                    client.report_incoming_channel(channel(peer_id, 1));
                    reached();
                }
                Ok(())
            });
        }
        "returned" => {
            node.on_event = Box::new(move |event| {
                if let ChannelEvent::AwaitingChannel { .. } = event {
                    let (client, peer_id) = known.get().unwrap();
                    client.report_incoming_channel(channel(peer_id, 1));
                    let request = client.unfinished_requests().remove(0);
                    std::thread::spawn(move || {
                        let wait = || request.state() == ChannelRequestState::Arrived;
                        wait_until("it arrives", wait);
                        block_on(request.resume()).unwrap();
                        reached();
                    });
                }
                Ok(())
            });
        }
        other => panic!("no such stage: {other}"),
    }
    node
}

fn channel(peer_id: &str, number: u8) -> IncomingChannel {
    IncomingChannel {
        peer_id: peer_id.to_owned(),
        channel_id: hex::encode([number; 32]),
        stage: ChannelStage::Proposed,
        former_channel_id: None,
        capacity_sat: Some(100_000),
        push_msat: Some(0),
        is_announced: Some(false),
    }
}

// ---- the process that starts again ----

struct Restarted {
    request: Arc<ChannelRequest>,
    client: Arc<ChannelClient>,
    node: Arc<PlainNode>,
    offer: ServiceOffer,
    testbed: Testbed,
    folder: TempDir,
}

/// Kills a child at `stage`, and opens a client on its folder.
fn killed_at(stage: &str, options: OfferOptions) -> Restarted {
    let testbed = Testbed::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let offer = testbed.service().offer(options);
    let mut child = spawn(stage, &testbed, folder.path(), &offer);
    if stage == "in flight" {
        let called_back = |requests: &[lnurl_channel_testbed::SeenRequest]| requests.len() == 2;
        let waited = testbed
            .service()
            .wait_for_requests(support::LIMIT, called_back);
        assert!(waited.is_some(), "the service has no callback");
    } else {
        wait_for_child(&mut child);
    }
    // SIGKILL, on Unix.
    child.kill().unwrap();
    child.wait().unwrap();
    let (client, node) = open(&testbed, folder.path());
    let request = client.unfinished_requests().into_iter().next();
    let request = request.or_else(|| client.request(record_names(folder.path()).pop()?));
    Restarted {
        request: request.expect("the request is kept"),
        client,
        node,
        offer,
        testbed,
        folder,
    }
}

fn spawn(stage: &str, testbed: &Testbed, folder: &Path, offer: &ServiceOffer) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--nocapture"])
        .env(STAGE, stage)
        .env(FOLDER, folder)
        .env(LNURL, &offer.lnurl)
        .env(ROOTS, testbed.service().ca_pem())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn wait_for_child(child: &mut Child) {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    assert!(lines.any(|line| line == REACHED), "the child ended early");
}

fn open(testbed: &Testbed, folder: &Path) -> (Arc<ChannelClient>, Arc<PlainNode>) {
    let node = Arc::new(PlainNode::default());
    let config = ClientConfig {
        storage_dir: Some(folder.to_str().unwrap().to_owned()),
        ..patient_config(testbed)
    };
    let client = ChannelClient::new(node.clone(), config).unwrap();
    (Arc::new(client), node)
}

fn record_names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let records = paths.filter(|path| path.extension().is_some_and(|e| e == "json"));
    let names = records.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    names.filter(|name| name.len() == 32).collect()
}

impl Restarted {
    fn assert_stands(&self, state: ChannelRequestState) {
        assert_eq!(self.request.state(), state);
        assert!(!self.request.is_running());
        let unfinished = unfinished(&self.client);
        assert_eq!(unfinished, [self.request.request_id()]);
        assert_eq!(self.request.offer().service, "localhost");
        assert_eq!(
            self.request.offer().peer.node_id,
            self.testbed.target().id()
        );
        assert!(self.node.called.all().is_empty(), "nothing by itself");

        // Scanned again, it is the same request, without another GET.
        let again = fetch(&self.client, &self.offer.lnurl).unwrap();
        assert_eq!(again.request_id(), self.request.request_id());
        assert_eq!(gets(&self.testbed).len(), 1);
    }

    fn report(&self, number: u8) -> ChannelVerdict {
        let channel = proposal(&self.testbed, number);
        self.client.report_incoming_channel(channel)
    }

    fn expected(&self) -> ChannelVerdict {
        let request_id = self.request.request_id();
        ChannelVerdict::Expected { request_id }
    }

    fn accept_target(&self) -> String {
        let (id, k1) = (self.offer.id, &self.offer.k1);
        format!("/callback/{id}?k1={k1}&remoteid={NODE_ID}&private=1")
    }

    fn restart(self) -> Self {
        let id = self.request.request_id();
        block_on(self.client.shutdown());
        let (client, node) = open(&self.testbed, self.folder.path());
        Self {
            request: client.request(id).expect("the request is kept"),
            client,
            node,
            ..self
        }
    }
}

#[test]
fn while_connecting() {
    let restarted = killed_at("connecting", habits(&[Habit::OkAndNeverOpens]));
    restarted.assert_stands(ChannelRequestState::Connecting);
    assert!(callbacks(&restarted.testbed).is_empty());
    assert_eq!(restarted.report(9), ChannelVerdict::Unrequested);

    let call = start_accept(&restarted.request);
    wait_until("it is asked", || callbacks(&restarted.testbed).len() == 1);
    assert_eq!(restarted.report(1), restarted.expected());
    opening(call.end());
    assert_eq!(callbacks(&restarted.testbed), [restarted.accept_target()]);
}

#[test]
fn with_the_callback_in_flight() {
    let restarted = killed_at("in flight", habits(&[Habit::SilentCallback]));
    restarted.assert_stands(ChannelRequestState::OutcomeUnknown);

    let call = start_resume(&restarted.request);
    restarted.node.wait_for_connect();
    assert_eq!(restarted.report(1), restarted.expected());
    opening(call.end());
    assert_eq!(callbacks(&restarted.testbed), [restarted.accept_target()]);
    assert!(unfinished(&restarted.client).is_empty());
}

#[test]
fn while_awaiting() {
    let restarted = killed_at("awaiting", habits(&[Habit::OkAndNeverOpens]));
    restarted.assert_stands(ChannelRequestState::Awaiting);

    let call = start_resume(&restarted.request);
    restarted.node.wait_for_connect();
    assert_eq!(restarted.report(1), restarted.expected());
    opening(call.end());
    assert_eq!(callbacks(&restarted.testbed), [restarted.accept_target()]);
}

#[test]
fn a_channel_comes_before_resume() {
    let restarted = killed_at("awaiting", habits(&[Habit::OkAndNeverOpens]));
    assert_eq!(restarted.report(1), restarted.expected());
    restarted.assert_arrived();
    // And across one more restart.
    let restarted = restarted.restart();
    assert_eq!(restarted.report(1), restarted.expected());
    restarted.assert_arrived();
    opening(block_on(restarted.request.resume()));
    assert!(unfinished(&restarted.client).is_empty());
    assert!(restarted.node.called.all().is_empty());
    assert_eq!(callbacks(&restarted.testbed).len(), 1);
}

#[test]
fn arrived_and_not_returned() {
    let restarted = killed_at("arrived", habits(&[Habit::OkAndNeverOpens]));
    restarted.assert_arrived();
    let channel = proposal(&restarted.testbed, 1);
    let outcome = ChannelOutcome::Opening { channel };
    assert_eq!(restarted.request.outcome(), Some(outcome.clone()));
    for _ in 0..2 {
        let resumed = block_on(restarted.request.resume());
        assert_eq!(resumed, Ok(outcome.clone()));
    }
    assert!(unfinished(&restarted.client).is_empty());
    assert_eq!(restarted.report(1), restarted.expected());

    let restarted = restarted.restart();
    assert!(unfinished(&restarted.client).is_empty());
    assert_eq!(restarted.report(1), restarted.expected(), "nodes replay");
    assert_eq!(callbacks(&restarted.testbed).len(), 1);
}

#[test]
fn arrived_and_returned() {
    let restarted = killed_at("returned", habits(&[Habit::OkAndNeverOpens]));
    assert_eq!(restarted.request.state(), ChannelRequestState::Arrived);
    assert!(unfinished(&restarted.client).is_empty());
    assert_eq!(restarted.report(1), restarted.expected());
    opening(block_on(restarted.request.resume()));
}

#[test]
fn a_hosted_request_that_awaits() {
    let restarted = killed_at("awaiting", hosted(&[]));
    restarted.assert_stands(ChannelRequestState::Awaiting);
    let call = start_resume(&restarted.request);
    restarted.node.wait_for_connect();
    let message = vec![0x5a; 96];
    let target = restarted.testbed.target().id();
    assert!(
        restarted
            .client
            .report_peer_message(target, 65531, message.clone())
    );
    assert_eq!(call.end(), Ok(ChannelOutcome::HostedExists { message }));
    let calls = restarted.node.called.all();
    let invoked = calls.iter().any(|call| matches!(call, Called::Send(..)));
    assert!(!invoked, "never invoked by itself");
}

#[test]
fn the_user_may_ask_again_or_forget() {
    let restarted = killed_at("in flight", habits(&[Habit::SilentCallback]));
    restarted.request.decline().unwrap();
    assert!(unfinished(&restarted.client).is_empty());
    assert_eq!(callbacks(&restarted.testbed).len(), 1, "nobody is told");

    let restarted = killed_at("awaiting", habits(&[Habit::OkAndNeverOpens]));
    let call = start_accept(&restarted.request);
    wait_until("asked again", || callbacks(&restarted.testbed).len() == 2);
    restarted.request.pause();
    assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    let target = restarted.accept_target();
    assert_eq!(callbacks(&restarted.testbed), [target.clone(), target]);
}

#[test]
fn a_cancel_is_told_and_remembered() {
    let restarted = killed_at("awaiting", habits(&[Habit::OkAndNeverOpens]));
    block_on(restarted.request.cancel()).unwrap();
    let accepted = restarted.accept_target();
    let cancelled = accepted.replace("private=1", "cancel=1");
    assert_eq!(callbacks(&restarted.testbed), [accepted, cancelled]);

    let restarted = restarted.restart();
    assert!(unfinished(&restarted.client).is_empty());
    let request_id = restarted.request.request_id();
    let unwanted = ChannelVerdict::Unwanted { request_id };
    assert_eq!(restarted.report(1), unwanted);
    assert_eq!(restarted.report(1), unwanted);
}

#[test]
fn a_folder_is_locked_across_processes() {
    let testbed = Testbed::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let offer = testbed.service().offer(habits(&[Habit::OkAndNeverOpens]));
    let mut child = spawn("awaiting", &testbed, folder.path(), &offer);
    wait_for_child(&mut child);
    let config = ClientConfig {
        storage_dir: Some(folder.path().to_str().unwrap().to_owned()),
        ..hasty_config(&testbed)
    };
    let second = ChannelClient::new(Arc::new(PlainNode::default()), config).err();
    assert!(
        matches!(second, Some(LnurlChannelError::StorageFailed { .. })),
        "{second:?}"
    );
    child.kill().unwrap();
    child.wait().unwrap();
    open(&testbed, folder.path());
}

impl Restarted {
    fn assert_arrived(&self) {
        assert_eq!(self.request.state(), ChannelRequestState::Arrived);
        assert_eq!(unfinished(&self.client), [self.request.request_id()]);
        assert!(self.request.outcome().is_some());
    }
}
