//! Killed with SIGKILL at each stage, and started again on the same folder.

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};

use lnurl_channel::{
    BitcoinNetwork, ChannelClient, ChannelConcern, ChannelOutcome, ChannelRequest,
    ChannelRequestState, ChannelStage, ChannelStep, ChannelVerdict, ChannelVisibility,
    ClientConfig, LnurlChannelError,
};
use lnurl_channel_testbed::{Habit, OfferOptions, SeenRequest, ServiceOffer, Testbed};
use tempfile::TempDir;

use support::listener::Listener;
use support::plain::{Called, Gate, NODE_ID, PlainNode, PlainWallet, expected, shown, unwanted};
use support::scene::{
    accept, fetch, funded_channel, gets, habits, hasty_config, hosted, kept, patient_config, start,
    start_accept, start_waiting_on, state,
};
use support::wallet::channel;
use support::{LIMIT, block_on};

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
        network: BitcoinNetwork::Regtest,
        storage_dir: Some(given(FOLDER)),
        extra_root_certificates: Some(given(ROOTS)),
        allow_private_hosts: true,
        ..ClientConfig::default()
    };
    let client = Arc::new(OnceLock::new());
    let (node, listener) = (child_node(&stage), child_listener(&stage, client.clone()));
    let created = ChannelClient::new(Box::new(node), Box::new(listener), config).unwrap();
    let created = client.get_or_init(|| Arc::new(created));
    let request = fetch(created, &given(LNURL)).unwrap();
    let _ = accept(&request);
    Gate::default().pass();
}

/// Says so, and stays.
fn reached() {
    println!("\n{REACHED}");
    std::io::stdout().flush().unwrap();
    Gate::default().pass();
}

fn child_node(stage: &str) -> PlainNode {
    let mut node = PlainNode::default();
    if stage == "connecting" {
        node.connect = Box::new(|_| {
            reached();
            Ok(true)
        });
    }
    node
}

fn child_listener(stage: &str, client: Arc<OnceLock<Arc<ChannelClient>>>) -> Listener {
    let stages: &'static [ChannelStage] = match stage {
        // The node, or the service, tells when it has come as far.
        "connecting" | "in flight" => return Listener::default(),
        "awaiting" => &[],
        "opening" => &[ChannelStage::Proposed],
        "arrived" => &[ChannelStage::Proposed, ChannelStage::Funded],
        other => panic!("no such stage: {other}"),
    };
    Listener::that(move |request, step| {
        if step == ChannelStep::Agreed {
            let client = client.get().unwrap();
            for stage in stages {
                let channel = channel(&request.offer.peer.node_id, *stage, "01");
                let verdict = client.report_incoming_channel(channel);
                assert!(matches!(verdict, ChannelVerdict::Expected { .. }));
            }
            reached();
        }
        Ok(())
    })
}

// ---- the process that starts again ----

struct Restarted {
    request: Arc<ChannelRequest>,
    wallet: PlainWallet,
    offer: ServiceOffer,
    folder: TempDir,
}

/// Kills a child at `stage`, and opens a client on its folder.
fn killed_at(stage: &str, options: OfferOptions) -> Restarted {
    killed_at_with(stage, options, patient_config)
}

fn killed_at_with(
    stage: &str,
    options: OfferOptions,
    config: impl FnOnce(&Testbed) -> ClientConfig,
) -> Restarted {
    let testbed = Testbed::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let offer = testbed.service().offer(options);
    let mut child = spawn(stage, &testbed, folder.path(), &offer);
    if stage == "in flight" {
        let called_back = |requests: &[SeenRequest]| requests.len() == 2;
        let waited = testbed.service().wait_for_requests(LIMIT, called_back);
        assert!(waited.is_some(), "the service has no callback");
    } else {
        wait_for_child(&mut child);
    }
    // SIGKILL, on Unix.
    child.kill().unwrap();
    child.wait().unwrap();
    let config = in_folder(&folder, config(&testbed));
    let wallet = PlainWallet::on(testbed, PlainNode::default(), Listener::default(), config);
    let ids = kept(&wallet.client);
    assert_eq!(ids.len(), 1, "the request is kept");
    Restarted {
        request: wallet.client.request(ids[0].clone()).unwrap(),
        wallet,
        offer,
        folder,
    }
}

fn in_folder(folder: &TempDir, config: ClientConfig) -> ClientConfig {
    ClientConfig {
        storage_dir: Some(folder.path().to_str().unwrap().to_owned()),
        ..config
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

impl Restarted {
    fn assert_stands(&self, wanted: ChannelRequestState) {
        let snapshot = self.request.snapshot();
        assert_eq!(snapshot.state, wanted);
        assert!(!snapshot.is_running);
        assert_eq!(snapshot.offer.peer.node_id, self.wallet.peer());
        assert!(snapshot.offer.service.unwrap().starts_with("localhost:"));
        assert_eq!(self.wallet.node.called.all(), [], "nothing by itself");
    }

    /// Scanned again, it is the same request, without another GET.
    fn assert_under_way(&self) {
        let again = fetch(&self.wallet.client, &self.offer.lnurl).unwrap();
        assert_eq!(again.request_id(), self.request.request_id());
        assert_eq!(gets(&self.wallet.testbed).len(), 1);
    }

    fn accept_target(&self) -> String {
        let (id, k1) = (self.offer.id, &self.offer.k1);
        format!("/callback/{id}?k1={k1}&remoteid={NODE_ID}&private=1")
    }

    fn restart(self) -> Self {
        let id = self.request.request_id();
        let config = in_folder(&self.folder, patient_config(&self.wallet.testbed));
        let wallet = self.wallet.restart(config);
        Self {
            request: wallet.client.request(id).expect("the request is kept"),
            wallet,
            ..self
        }
    }
}

#[test]
fn killed_while_it_connects_nobody_was_asked_and_nobody_is_until_the_user_agrees_anew() {
    let restarted = killed_at("connecting", habits(&[Habit::OkAndNeverOpens]));
    restarted.assert_stands(ChannelRequestState::Offered);
    let wallet = &restarted.wallet;
    wallet.client.check_peers();
    wallet.client.report_peer_connection(wallet.peer(), true);
    assert_eq!(wallet.propose("09"), ChannelVerdict::Unrequested);
    assert_eq!(wallet.callbacks(), [""; 0]);
    assert_eq!(wallet.node.called.all(), []);

    let call = start_accept(&restarted.request);
    wallet.wait_for_callbacks(1);
    assert_eq!(wallet.fund("01"), expected(&restarted.request));
    funded_channel(call.end());
    assert_eq!(wallet.callbacks(), [restarted.accept_target()]);
}

#[test]
fn killed_with_the_callback_in_flight_it_only_waits() {
    let restarted = killed_at("in flight", habits(&[Habit::SilentCallback]));
    restarted.assert_stands(ChannelRequestState::OutcomeUnknown);
    restarted.assert_under_way();

    let call = start_accept(&restarted.request);
    restarted.wallet.node.wait_for_connects(1);
    assert_eq!(restarted.wallet.fund("01"), expected(&restarted.request));
    funded_channel(call.end());
    assert_eq!(restarted.wallet.callbacks(), [restarted.accept_target()]);
}

#[test]
fn killed_while_it_awaits_it_only_waits() {
    let restarted = killed_at("awaiting", habits(&[Habit::OkAndNeverOpens]));
    restarted.assert_stands(ChannelRequestState::Awaiting);
    restarted.assert_under_way();

    let call = start_accept(&restarted.request);
    restarted.wallet.node.wait_for_connects(1);
    assert_eq!(restarted.wallet.fund("01"), expected(&restarted.request));
    funded_channel(call.end());
    assert_eq!(restarted.wallet.callbacks(), [restarted.accept_target()]);
}

#[test]
fn killed_while_a_channel_opens_the_proposal_is_gone_and_the_wait_goes_on() {
    let restarted = killed_at("opening", habits(&[Habit::OkAndNeverOpens]));
    restarted.assert_stands(ChannelRequestState::Awaiting);
    assert_eq!(shown(&restarted.request), None);
    restarted.assert_under_way();
    // The node had it funded meanwhile.
    let wallet = &restarted.wallet;
    assert_eq!(wallet.fund("01"), expected(&restarted.request));
    assert_eq!(state(&restarted.request), ChannelRequestState::Arrived);
}

#[test]
fn a_channel_that_comes_while_no_call_runs_is_kept_until_it_is_dismissed() {
    let restarted = killed_at("awaiting", habits(&[Habit::OkAndNeverOpens]));
    assert_eq!(restarted.wallet.fund("01"), expected(&restarted.request));
    restarted.assert_arrived();
    let restarted = restarted.restart();
    restarted.assert_arrived();
    assert!(!restarted.request.snapshot().is_dismissed);
    block_on(restarted.request.dismiss()).unwrap();
    let restarted = restarted.restart();
    restarted.assert_arrived();
    assert!(restarted.request.snapshot().is_dismissed);
    assert_eq!(restarted.wallet.ready("01"), expected(&restarted.request));
    let restarted = restarted.restart();
    let snapshot = restarted.request.snapshot();
    assert_eq!(snapshot.state, ChannelRequestState::Ready);
    assert!(!snapshot.is_dismissed);
    assert_eq!(restarted.wallet.node.called.all(), []);
    assert_eq!(restarted.wallet.callbacks().len(), 1);
}

#[test]
fn killed_after_the_arrival_accept_gives_the_channel_at_once() {
    let restarted = killed_at("arrived", habits(&[Habit::OkAndNeverOpens]));
    restarted.assert_arrived();
    for _ in 0..2 {
        let channel = funded_channel(accept(&restarted.request));
        assert_eq!(Some(channel), restarted.request.snapshot().channel);
    }
    assert_eq!(restarted.wallet.fund("01"), expected(&restarted.request));

    let restarted = restarted.restart();
    restarted.assert_arrived();
    let replayed = restarted.wallet.fund("01");
    assert_eq!(replayed, expected(&restarted.request));
    assert_eq!(restarted.wallet.callbacks().len(), 1);
}

impl Restarted {
    fn assert_arrived(&self) {
        assert_eq!(state(&self.request), ChannelRequestState::Arrived);
        assert_eq!(shown(&self.request).as_deref(), Some("01"));
        assert_eq!(kept(&self.wallet.client), [self.request.request_id()]);
        assert_eq!(self.wallet.node.called.all(), []);
    }
}

#[test]
fn a_host_is_never_invoked_again_by_itself() {
    let restarted = killed_at("awaiting", hosted(&[]));
    restarted.assert_stands(ChannelRequestState::Awaiting);
    restarted.assert_under_way();
    let wallet = &restarted.wallet;
    let call = start_waiting_on(&restarted.request);
    wallet.node.wait_for_connects(1);
    let message = vec![0x5a; 197];
    let report = wallet
        .client
        .report_peer_message(wallet.peer(), 65531, message.clone());
    assert!(report);
    assert_eq!(call.end(), Ok(ChannelOutcome::HostedExists { message }));
    let is_send = |call: &Called| matches!(call, Called::Send(..));
    assert_eq!(wallet.node.count(is_send), 0);
}

/// A host answers on the connection that it was asked on, and that one went with the process.
#[test]
fn after_a_restart_a_host_has_to_be_asked_again() {
    let restarted = killed_at_with("awaiting", hosted(&[]), hasty_config);
    let result = accept(&restarted.request);
    let Err(LnurlChannelError::NoChannel { concerns, .. }) = result else {
        panic!("{result:?}");
    };
    assert_eq!(concerns, [ChannelConcern::ConnectionLost]);
    let wallet = &restarted.wallet;
    let request = restarted.request.clone();
    let call = start(async move { request.ask_again(ChannelVisibility::Unannounced).await });
    wallet
        .node
        .wait_for(1, |call| matches!(call, Called::Send(..)));
    let is_script = |call: &Called| matches!(call, Called::Script(_));
    assert_eq!(wallet.node.count(is_script), 0, "it is stored");
    restarted.request.pause();
    call.end().unwrap_err();
}

#[test]
fn the_user_may_ask_again_after_a_restart() {
    let restarted = killed_at("awaiting", habits(&[Habit::OkAndNeverOpens]));
    let request = restarted.request.clone();
    let call = start(async move { request.ask_again(ChannelVisibility::Unannounced).await });
    restarted.wallet.wait_for_callbacks(2);
    restarted.request.pause();
    assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
    let target = restarted.accept_target();
    assert_eq!(restarted.wallet.callbacks(), [target.clone(), target]);
}

#[test]
fn a_cancel_after_a_restart_is_told_and_remembered() {
    let restarted = killed_at("awaiting", habits(&[Habit::OkAndNeverOpens]));
    block_on(restarted.request.cancel()).unwrap();
    let accepted = restarted.accept_target();
    let cancelled = accepted.replace("private=1", "cancel=1");
    assert_eq!(restarted.wallet.callbacks(), [accepted, cancelled]);

    let restarted = restarted.restart();
    let cancelled = ChannelRequestState::Cancelled;
    assert_eq!(state(&restarted.request), cancelled);
    assert_eq!(
        accept(&restarted.request),
        Err(LnurlChannelError::Cancelled)
    );
    for _ in 0..2 {
        let verdict = restarted.wallet.fund("01");
        assert_eq!(verdict, unwanted(&restarted.request));
    }
}

#[test]
fn a_refusal_is_remembered_with_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let config = |testbed: &Testbed| in_folder(&folder, patient_config(testbed));
    let wallet = PlainWallet::with(PlainNode::default(), Listener::default(), config);
    let request = wallet.refused();
    let words = request.snapshot().refusal;
    let restarted = config(&wallet.testbed);
    let wallet = wallet.restart(restarted);
    let request = wallet.client.request(request.request_id()).unwrap();
    assert_eq!(request.snapshot().refusal, words);
    assert_eq!(accept(&request), Err(LnurlChannelError::Refused { words }));
    assert_eq!(wallet.callbacks().len(), 1);
}

#[test]
fn a_folder_is_locked_across_processes() {
    let testbed = Testbed::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let offer = testbed.service().offer(habits(&[Habit::OkAndNeverOpens]));
    let mut child = spawn("awaiting", &testbed, folder.path(), &offer);
    wait_for_child(&mut child);
    let open = || {
        let (node, listener) = (Arc::<PlainNode>::default(), Arc::<Listener>::default());
        let config = in_folder(&folder, hasty_config(&testbed));
        ChannelClient::new(Box::new(node), Box::new(listener), config).map(drop)
    };
    let second = open();
    assert!(
        matches!(second, Err(LnurlChannelError::StorageFailed { .. })),
        "{second:?}"
    );
    child.kill().unwrap();
    child.wait().unwrap();
    open().unwrap();
}
