//! A testbed, a wallet, and an offer that the wallet has fetched.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use lnurl_channel::{
    ChannelClient, ChannelOutcome, ChannelRequest, ChannelRequestState, ChannelStage,
    ChannelVerdict, ChannelVisibility, ClientConfig, IncomingChannel, LnurlChannelError,
    decode_lnurl,
};
use lnurl_channel_testbed::{
    Habit, Kind, OfferOptions, OpenChannel, Opening, RequestKind, ServiceOffer, Testbed,
};

use super::{LIMIT, Sight, Wallet, block_on, config_for};

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

/// A channel that the target is said to propose, for wallets without a real node.
pub fn proposal(testbed: &Testbed, number: u8) -> IncomingChannel {
    IncomingChannel {
        peer_id: testbed.target().id(),
        channel_id: hex::encode([number; 32]),
        stage: ChannelStage::Proposed,
        former_channel_id: None,
        capacity_sat: Some(100_000),
        push_msat: Some(0),
        is_announced: Some(false),
    }
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
    let request = request.clone();
    start(async move { request.accept(ChannelVisibility::Unannounced).await })
}

pub fn start_resume(request: &Arc<ChannelRequest>) -> Running<CallResult> {
    let request = request.clone();
    start(async move { request.resume().await })
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

pub fn wait_for_state(request: &ChannelRequest, state: ChannelRequestState) {
    wait_until(&format!("{state:?}"), || request.state() == state);
}

/// The ids of the unfinished requests.
pub fn unfinished(client: &ChannelClient) -> Vec<String> {
    let requests = client.unfinished_requests().into_iter();
    requests.map(|request| request.request_id()).collect()
}

/// Everything real: the wallet's node talks to the target, and follows the verdicts.
pub struct Scene {
    pub request: Arc<ChannelRequest>,
    pub offer: ServiceOffer,
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
        let (testbed, wallet, offer) = prepare(options, config);
        let request = fetch(&wallet.client, &offer.lnurl).unwrap();
        Self {
            request,
            offer,
            wallet,
            testbed,
        }
    }

    pub fn accept(&self) -> CallResult {
        self.accept_as(ChannelVisibility::Unannounced)
    }

    pub fn accept_as(&self, visibility: ChannelVisibility) -> CallResult {
        block_on(self.request.accept(visibility))
    }

    pub fn resume(&self) -> CallResult {
        block_on(self.request.resume())
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

    pub fn unfinished(&self) -> Vec<String> {
        unfinished(&self.wallet.client)
    }

    /// The target opens a channel that no callback asked for just now.
    pub fn open(&self, announced: bool) -> Opening {
        let channel = OpenChannel {
            peer_id: self.testbed.wallet().id(),
            capacity_sat: 70_000,
            push_msat: 0,
            announced,
        };
        self.testbed.target().open_channel(channel).unwrap()
    }

    /// Channels and their verdicts so far, in order.
    pub fn verdicts(&self) -> Vec<(IncomingChannel, ChannelVerdict)> {
        let sights = self.wallet.node.sights().into_iter();
        let judged = sights.filter_map(|(_, _, sight)| match sight {
            Sight::Judged(channel, verdict) => Some((channel, verdict)),
            Sight::Event(_) => None,
        });
        judged.collect()
    }

    /// The first channel that was, or will be, judged so.
    pub fn wait_for_verdict(
        &self,
        wanted: impl Fn(&IncomingChannel, &ChannelVerdict) -> bool,
    ) -> (IncomingChannel, ChannelVerdict) {
        let found = || {
            let mut verdicts = self.verdicts().into_iter();
            verdicts.find(|(channel, verdict)| wanted(channel, verdict))
        };
        wait_until("the verdict", || found().is_some());
        found().unwrap()
    }

    pub fn expected(&self) -> ChannelVerdict {
        let request_id = self.request.request_id();
        ChannelVerdict::Expected { request_id }
    }
}

/// A service whose offer is still to be fetched.
pub fn prepare(
    options: OfferOptions,
    config: impl FnOnce(&Testbed) -> ClientConfig,
) -> (Testbed, Wallet, ServiceOffer) {
    let testbed = Testbed::start().unwrap();
    let wallet = Wallet::new(&testbed, config(&testbed)).unwrap();
    let offer = testbed.service().offer(options);
    (testbed, wallet, offer)
}

/// The channel of an outcome that is one.
pub fn opening(outcome: CallResult) -> IncomingChannel {
    match outcome {
        Ok(ChannelOutcome::Opening { channel }) => channel,
        other => panic!("not a funded channel: {other:?}"),
    }
}
