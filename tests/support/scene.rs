//! A testbed, a wallet on its node, and an offer that the wallet has fetched; and calls that run in
//! threads of their own.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use lnurl_channel::{
    ChannelClient, ChannelOutcome, ChannelRequest, ChannelRequestState, ChannelStage,
    ChannelVerdict, ChannelVisibility, ClientConfig, IncomingChannel, LnurlChannelError,
    decode_lnurl,
};
use lnurl_channel_testbed::{
    Habit, Kind, NodeEvent, OfferOptions, OpenChannel, Opening, RequestKind, ServiceOffer, Testbed,
};

use super::listener::Listener;
use super::wallet::{Wallet, channel};
use super::{LIMIT, block_on, config_for};

pub type CallResult = Result<ChannelOutcome, LnurlChannelError>;

/// Time limits long enough for a busy machine, short enough for a test that fails.
pub fn patient_config(testbed: &Testbed) -> ClientConfig {
    ClientConfig {
        request_timeout_seconds: 5,
        connect_timeout_seconds: 5,
        channel_timeout_seconds: 20,
        reconnect_seconds: 1,
        ..config_for(testbed)
    }
}

/// For calls whose time is to run out.
pub fn hasty_config(testbed: &Testbed) -> ClientConfig {
    ClientConfig {
        request_timeout_seconds: 1,
        connect_timeout_seconds: 1,
        channel_timeout_seconds: 1,
        ..patient_config(testbed)
    }
}

pub fn habits(habits: &[Habit]) -> OfferOptions {
    OfferOptions {
        habits: habits.to_vec(),
        ..OfferOptions::default()
    }
}

pub fn hosted(habits: &[Habit]) -> OfferOptions {
    OfferOptions {
        kind: Kind::Hosted,
        habits: habits.to_vec(),
        push_msat: 5_000,
        ..OfferOptions::default()
    }
}

/// Scan an LNURL and fetch its offer.
pub fn fetch(
    client: &ChannelClient,
    lnurl: &str,
) -> Result<Arc<ChannelRequest>, LnurlChannelError> {
    block_on(client.fetch(decode_lnurl(lnurl.to_owned())?))
}

/// The targets of all callbacks so far, byte for byte.
pub fn callbacks(testbed: &Testbed) -> Vec<String> {
    targets(testbed, RequestKind::Callback)
}

/// The targets of all first GETs so far.
pub fn gets(testbed: &Testbed) -> Vec<String> {
    targets(testbed, RequestKind::Offer)
}

fn targets(testbed: &Testbed, kind: RequestKind) -> Vec<String> {
    let requests = testbed.service().requests().into_iter();
    let of_kind = requests.filter(|request| request.kind == kind);
    of_kind.map(|request| request.target).collect()
}

/// A call that runs in a thread of its own.
pub struct Running<T>(mpsc::Receiver<T>);

pub fn start<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> Running<T> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(block_on(future)));
    Running(receiver)
}

impl<T> Running<T> {
    pub fn end(self) -> T {
        self.0.recv_timeout(LIMIT).expect("the call ends in time")
    }

    /// Whether it still runs.
    pub fn runs(&self) -> bool {
        matches!(self.0.try_recv(), Err(mpsc::TryRecvError::Empty))
    }
}

pub fn start_accept(request: &Arc<ChannelRequest>) -> Running<CallResult> {
    start_accept_as(request, ChannelVisibility::Unannounced)
}

pub fn start_accept_as(
    request: &Arc<ChannelRequest>,
    visibility: ChannelVisibility,
) -> Running<CallResult> {
    let request = request.clone();
    start(async move { request.accept(visibility).await })
}

/// `accept` once more, where it only waits on.
pub fn start_waiting_on(request: &Arc<ChannelRequest>) -> Running<CallResult> {
    let call = start_accept(request);
    wait_until("the call runs", || request.snapshot().is_running);
    call
}

pub fn accept(request: &ChannelRequest) -> CallResult {
    block_on(request.accept(ChannelVisibility::Unannounced))
}

pub fn ask_again(request: &ChannelRequest) -> CallResult {
    block_on(request.ask_again(ChannelVisibility::Unannounced))
}

/// Look again until something holds that nobody tells of.
pub fn wait_until(what: &str, holds: impl Fn() -> bool) {
    wait_within(LIMIT, what, holds);
}

pub fn wait_within(limit: Duration, what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < limit, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub fn state(request: &ChannelRequest) -> ChannelRequestState {
    request.snapshot().state
}

pub fn wait_for_state(request: &ChannelRequest, wanted: ChannelRequestState) {
    wait_until(&format!("{wanted:?}"), || state(request) == wanted);
}

/// The ids of all requests that were accepted, newest first.
pub fn kept(client: &ChannelClient) -> Vec<String> {
    let requests = client.requests().into_iter();
    requests.map(|request| request.request_id).collect()
}

/// Everything real: the wallet's node talks to the target, and follows the verdicts.
pub struct Scene {
    pub request: Arc<ChannelRequest>,
    pub offer: ServiceOffer,
    pub listener: Arc<Listener>,
    pub wallet: Wallet,
    pub testbed: Testbed,
}

impl Scene {
    pub fn new(options: OfferOptions) -> Self {
        Self::with(options, patient_config)
    }

    /// Whose calls run out of time after a second.
    pub fn hasty(options: OfferOptions) -> Self {
        Self::with(options, hasty_config)
    }

    pub fn with(options: OfferOptions, config: impl FnOnce(&Testbed) -> ClientConfig) -> Self {
        let (testbed, wallet, listener) = real_wallet(config);
        let offer = testbed.service().offer(options);
        let request = fetch(&wallet.client, &offer.lnurl).unwrap();
        Self {
            request,
            offer,
            listener,
            wallet,
            testbed,
        }
    }

    pub fn accept(&self) -> CallResult {
        accept(&self.request)
    }

    pub fn accept_as(&self, visibility: ChannelVisibility) -> CallResult {
        block_on(self.request.accept(visibility))
    }

    pub fn ask_again(&self) -> CallResult {
        ask_again(&self.request)
    }

    pub fn state(&self) -> ChannelRequestState {
        state(&self.request)
    }

    pub fn callbacks(&self) -> Vec<String> {
        callbacks(&self.testbed)
    }

    /// What the target line of an accept is, where the callback has no query of its own.
    pub fn accept_target(&self) -> String {
        let (id, k1) = (self.offer.id, &self.offer.k1);
        let node_id = self.testbed.wallet().id();
        format!("/callback/{id}?k1={k1}&remoteid={node_id}&private=1")
    }

    pub fn cancel_target(&self) -> String {
        self.accept_target().replace("private=1", "cancel=1")
    }

    /// The target opens a channel that no callback asked for just now.
    pub fn open(&self, announced: bool) -> Opening {
        let channel = self.channel_to_open(announced);
        self.testbed.target().open_channel(channel).unwrap()
    }

    /// Mine the blocks that make the target's channel ready, once the target has broadcast it.
    pub fn confirm_channel(&self) {
        let target = self.testbed.target();
        let next = || {
            target
                .next_event(LIMIT)
                .expect("the target's channel is pending")
        };
        while !matches!(next(), NodeEvent::ChannelPending { .. }) {}
        self.testbed.mine(6);
    }

    pub fn channel_to_open(&self, announced: bool) -> OpenChannel {
        OpenChannel {
            peer_id: self.testbed.wallet().id(),
            capacity_sat: 70_000,
            push_msat: 0,
            announced,
        }
    }

    /// The first channel that was, or will be, judged so.
    pub fn wait_for_verdict(
        &self,
        wanted: impl Fn(&IncomingChannel, &ChannelVerdict) -> bool,
    ) -> (IncomingChannel, ChannelVerdict) {
        let is_wanted =
            |(channel, verdict): &(IncomingChannel, ChannelVerdict)| wanted(channel, verdict);
        let verdicts = &self.wallet.verdicts;
        assert!(
            verdicts.wait_until(|verdicts| verdicts.iter().any(is_wanted)),
            "judged otherwise: {:?}",
            verdicts.all()
        );
        verdicts.all().into_iter().find(is_wanted).unwrap()
    }

    pub fn expected(&self) -> ChannelVerdict {
        let request_id = self.request.request_id();
        ChannelVerdict::Expected { request_id }
    }
}

/// A wallet on the testbed's node, and the listener that it tells.
pub fn real_wallet(
    config: impl FnOnce(&Testbed) -> ClientConfig,
) -> (Testbed, Wallet, Arc<Listener>) {
    let testbed = Testbed::start().unwrap();
    let listener = Arc::new(Listener::default());
    let wallet = Wallet::new(testbed.wallet(), listener.clone(), config(&testbed)).unwrap();
    (testbed, wallet, listener)
}

/// A service whose offer is still to be fetched.
pub fn prepare(
    options: OfferOptions,
    config: impl FnOnce(&Testbed) -> ClientConfig,
) -> (Testbed, Wallet, ServiceOffer) {
    let (testbed, wallet, _) = real_wallet(config);
    let offer = testbed.service().offer(options);
    (testbed, wallet, offer)
}

/// A channel that the target is said to propose, for wallets without a real node.
pub fn proposal(testbed: &Testbed, number: u8) -> IncomingChannel {
    IncomingChannel {
        capacity_sat: Some(100_000),
        push_msat: Some(0),
        is_announced: Some(false),
        ..channel(
            &testbed.target().id(),
            ChannelStage::Proposed,
            &hex::encode([number; 32]),
        )
    }
}

/// The same channel once it is funded. Its id stays, as with nodes that have no temporary ones.
pub fn funded(testbed: &Testbed, number: u8) -> IncomingChannel {
    IncomingChannel {
        stage: ChannelStage::Funded,
        ..proposal(testbed, number)
    }
}

/// The channel of an outcome that is one.
pub fn funded_channel(outcome: CallResult) -> IncomingChannel {
    match outcome {
        Ok(ChannelOutcome::Funded { channel }) => channel,
        other => panic!("not a funded channel: {other:?}"),
    }
}
