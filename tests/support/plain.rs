//! A wallet without Lightning: its node does as the test says, and the test reports the channels.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use lnurl_channel::{
    ChannelClient, ChannelRequest, ChannelRequestState, ChannelStage, ChannelVerdict,
    ChannelVisibility, ClientConfig, IncomingChannel, NodeReadiness, PeerAddress, WalletNode,
    WalletNodeError,
};
use lnurl_channel_testbed::{Habit, OfferOptions, RequestKind, ServiceOffer, Testbed};

use super::listener::Listener;
use super::scene::{
    CallResult, Running, callbacks, fetch, habits, patient_config, start, start_accept,
    start_accept_as, wait_for_state,
};
use super::wallet::channel;
use super::{LIMIT, Watched};

/// A key on the curve (its generator) that is nobody else's.
pub const NODE_ID: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

/// A method of the node.
pub type Method<A, T> = Box<dyn Fn(A) -> Result<T, WalletNodeError> + Send + Sync>;

/// A call that the node has received.
#[derive(Clone, Debug, PartialEq)]
pub enum Called {
    NodeId,
    Readiness(PeerAddress),
    Connect(PeerAddress),
    Release(PeerAddress),
    Send(String, u16, Vec<u8>),
    Script(String),
}

pub struct PlainNode {
    pub node_id: Method<(), String>,
    /// The ids of the channels with the peer.
    pub readiness: Method<PeerAddress, Vec<String>>,
    pub connect: Method<PeerAddress, bool>,
    pub release: Method<PeerAddress, ()>,
    pub send: Method<Vec<u8>, bool>,
    pub script: Method<String, Vec<u8>>,
    pub called: Watched<Called>,
}

impl Default for PlainNode {
    fn default() -> Self {
        Self {
            node_id: Box::new(|()| Ok(NODE_ID.to_owned())),
            readiness: Box::new(|_| Ok(Vec::new())),
            connect: Box::new(|_| Ok(true)),
            release: Box::new(|_| Ok(())),
            send: Box::new(|_| Ok(true)),
            script: Box::new(|_| Ok(p2wpkh())),
            called: Watched::default(),
        }
    }
}

/// Version 0, then a push of 20 bytes.
pub fn p2wpkh() -> Vec<u8> {
    [&[0x00, 0x14][..], &[0x11; 20]].concat()
}

impl PlainNode {
    pub fn count(&self, wanted: impl Fn(&Called) -> bool) -> usize {
        self.called.all().iter().filter(|call| wanted(call)).count()
    }

    pub fn connects(&self) -> usize {
        self.count(|call| matches!(call, Called::Connect(_)))
    }

    pub fn releases(&self) -> usize {
        self.count(|call| matches!(call, Called::Release(_)))
    }

    /// Wait for so many calls like this.
    pub fn wait_for(&self, times: usize, wanted: impl Fn(&Called) -> bool) {
        let enough = |calls: &[Called]| calls.iter().filter(|call| wanted(call)).count() >= times;
        let came = self.called.wait_until(enough);
        assert!(came, "called otherwise: {:?}", self.called.all());
    }

    pub fn wait_for_connects(&self, times: usize) {
        self.wait_for(times, |call| matches!(call, Called::Connect(_)));
    }
}

impl WalletNode for PlainNode {
    fn node_id(&self) -> Result<String, WalletNodeError> {
        self.called.push(Called::NodeId);
        (self.node_id)(())
    }

    fn readiness(&self, peer: PeerAddress) -> Result<NodeReadiness, WalletNodeError> {
        self.called.push(Called::Readiness(peer.clone()));
        let channel_ids = (self.readiness)(peer)?;
        Ok(NodeReadiness {
            channel_ids,
            ..NodeReadiness::default()
        })
    }

    fn connect(&self, peer: PeerAddress) -> Result<bool, WalletNodeError> {
        self.called.push(Called::Connect(peer.clone()));
        (self.connect)(peer)
    }

    fn release_peer(&self, peer: PeerAddress) -> Result<(), WalletNodeError> {
        self.called.push(Called::Release(peer.clone()));
        (self.release)(peer)
    }

    fn send_peer_message(
        &self,
        peer_id: String,
        message_type: u16,
        payload: Vec<u8>,
    ) -> Result<bool, WalletNodeError> {
        let call = Called::Send(peer_id, message_type, payload.clone());
        self.called.push(call);
        (self.send)(payload)
    }

    fn refund_script_pubkey(&self, request_id: String) -> Result<Vec<u8>, WalletNodeError> {
        self.called.push(Called::Script(request_id.clone()));
        (self.script)(request_id)
    }
}

/// Holds threads up until it is opened.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    /// Ends in any case, so that a test that fails ends too.
    pub fn pass(&self) {
        self.pass_within(LIMIT * 2);
    }

    pub fn pass_within(&self, limit: Duration) {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_timeout_while(open, limit, |open| !*open));
    }
}

/// A client with a plain node, and the testbed's service.
pub struct PlainWallet {
    pub client: Arc<ChannelClient>,
    pub node: Arc<PlainNode>,
    pub listener: Arc<Listener>,
    pub testbed: Testbed,
}

impl Default for PlainWallet {
    fn default() -> Self {
        Self::with(PlainNode::default(), Listener::default(), patient_config)
    }
}

impl PlainWallet {
    pub fn with(
        node: PlainNode,
        listener: Listener,
        config: impl FnOnce(&Testbed) -> ClientConfig,
    ) -> Self {
        let testbed = Testbed::start().unwrap();
        let config = config(&testbed);
        Self::on(testbed, node, listener, config)
    }

    /// On a testbed that runs already.
    pub fn on(testbed: Testbed, node: PlainNode, listener: Listener, config: ClientConfig) -> Self {
        let (node, listener) = (Arc::new(node), Arc::new(listener));
        let client =
            ChannelClient::new(Box::new(node.clone()), Box::new(listener.clone()), config).unwrap();
        Self {
            client: Arc::new(client),
            node,
            listener,
            testbed,
        }
    }

    /// The same wallet after a restart, with a node and a listener that have heard nothing yet.
    pub fn restart(self, config: ClientConfig) -> Self {
        super::block_on(self.client.shutdown());
        drop(self.client);
        let (node, listener) = (PlainNode::default(), Listener::default());
        Self::on(self.testbed, node, listener, config)
    }

    /// The key of the node that all offers name.
    pub fn peer(&self) -> String {
        self.testbed.target().id()
    }

    /// A request that nobody was asked for.
    pub fn offered(&self, options: OfferOptions) -> Arc<ChannelRequest> {
        let offer = self.testbed.service().offer(options);
        fetch(&self.client, &offer.lnurl).unwrap()
    }

    /// A request whose service agreed, with the call that waits for the channel.
    pub fn running(
        &self,
        visibility: ChannelVisibility,
    ) -> (Arc<ChannelRequest>, Running<CallResult>) {
        let request = self.offered(habits(&[Habit::OkAndNeverOpens]));
        let call = start_accept_as(&request, visibility);
        wait_for_state(&request, ChannelRequestState::Awaiting);
        (request, call)
    }

    /// A request that waits for its channel while no call runs.
    pub fn waiting(&self, visibility: ChannelVisibility) -> Arc<ChannelRequest> {
        let (request, call) = self.running(visibility);
        request.pause();
        call.end().unwrap_err();
        request
    }

    /// A request that waited for a channel, and was cancelled.
    pub fn cancelled(&self) -> Arc<ChannelRequest> {
        let request = self.waiting(ChannelVisibility::Unannounced);
        super::block_on(request.cancel()).unwrap();
        request
    }

    /// A request that the service refused.
    pub fn refused(&self) -> Arc<ChannelRequest> {
        let request = self.offered(habits(&[Habit::ErrorAnswer]));
        start_accept(&request).end().unwrap_err();
        assert_eq!(request.snapshot().state, ChannelRequestState::Refused);
        request
    }

    /// A request whose channel is funded, and not ready yet.
    pub fn arrived(&self, id: &str) -> Arc<ChannelRequest> {
        let request = self.waiting(ChannelVisibility::Unannounced);
        assert_eq!(self.fund(id), expected(&request));
        request
    }

    /// The peer's channel with this id: what a test then changes, and reports.
    pub fn channel(&self, stage: ChannelStage, id: &str) -> IncomingChannel {
        channel(&self.peer(), stage, id)
    }

    pub fn report(&self, channel: IncomingChannel) -> ChannelVerdict {
        self.client.report_incoming_channel(channel)
    }

    pub fn propose(&self, id: &str) -> ChannelVerdict {
        self.report(self.channel(ChannelStage::Proposed, id))
    }

    pub fn fund(&self, id: &str) -> ChannelVerdict {
        self.report(self.channel(ChannelStage::Funded, id))
    }

    pub fn ready(&self, id: &str) -> ChannelVerdict {
        self.report(self.channel(ChannelStage::Ready, id))
    }

    pub fn close(&self, id: &str) {
        let reason = Some("the node says so".to_owned());
        self.client
            .report_channel_closed(self.peer(), Some(id.to_owned()), reason);
    }

    pub fn lose_peer(&self) {
        self.client.report_peer_connection(self.peer(), false);
    }

    pub fn callbacks(&self) -> Vec<String> {
        callbacks(&self.testbed)
    }

    pub fn wait_for_callbacks(&self, count: usize) {
        let waited = self.testbed.service().wait_for_requests(LIMIT, |requests| {
            let is_callback = |kind| kind == RequestKind::Callback;
            requests.iter().filter(|r| is_callback(r.kind)).count() >= count
        });
        assert!(waited.is_some(), "the service has no {count} callbacks");
    }
}

pub fn expected(request: &ChannelRequest) -> ChannelVerdict {
    let request_id = request.request_id();
    ChannelVerdict::Expected { request_id }
}

pub fn duplicate(request: &ChannelRequest) -> ChannelVerdict {
    let request_id = request.request_id();
    ChannelVerdict::Duplicate { request_id }
}

pub fn wrong_visibility(request: &ChannelRequest) -> ChannelVerdict {
    let request_id = request.request_id();
    ChannelVerdict::WrongVisibility { request_id }
}

pub fn unwanted(request: &ChannelRequest) -> ChannelVerdict {
    let request_id = request.request_id();
    ChannelVerdict::Unwanted { request_id }
}

/// The id of the channel that a request shows.
pub fn shown(request: &ChannelRequest) -> Option<String> {
    request.snapshot().channel?.channel_id
}

/// Where an `accept` has come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stage {
    /// The node has not connected yet.
    Connecting,
    /// The service has the callback, and has not answered.
    InFlight,
    /// The service said OK.
    Awaiting,
}

impl Stage {
    pub const ALL: [Stage; 3] = [Stage::Connecting, Stage::InFlight, Stage::Awaiting];

    pub fn state(self) -> ChannelRequestState {
        match self {
            Stage::Connecting => ChannelRequestState::Connecting,
            Stage::InFlight => ChannelRequestState::Requesting,
            Stage::Awaiting => ChannelRequestState::Awaiting,
        }
    }
}

/// A plain wallet with an offer that it has fetched.
pub struct PlainScene {
    pub request: Arc<ChannelRequest>,
    pub offer: ServiceOffer,
    pub wallet: PlainWallet,
    /// Where `connect` waits at `Stage::Connecting`.
    pub gate: Gate,
}

impl PlainScene {
    pub fn new(node: PlainNode, options: OfferOptions) -> Self {
        Self::with(node, options, patient_config)
    }

    pub fn with(
        node: PlainNode,
        options: OfferOptions,
        config: impl FnOnce(&Testbed) -> ClientConfig,
    ) -> Self {
        Self::heard_by(Listener::default(), node, options, config)
    }

    pub fn heard_by(
        listener: Listener,
        node: PlainNode,
        options: OfferOptions,
        config: impl FnOnce(&Testbed) -> ClientConfig,
    ) -> Self {
        let wallet = PlainWallet::with(node, listener, config);
        let offer = wallet.testbed.service().offer(options);
        let request = fetch(&wallet.client, &offer.lnurl).unwrap();
        Self {
            request,
            offer,
            wallet,
            gate: Gate::default(),
        }
    }

    /// With an `accept` that has come to `stage`, and stays there.
    pub fn at(stage: Stage) -> (Self, Running<CallResult>) {
        Self::at_with(stage, patient_config)
    }

    pub fn at_with(
        stage: Stage,
        config: impl FnOnce(&Testbed) -> ClientConfig,
    ) -> (Self, Running<CallResult>) {
        let scene = Self::before(stage, config);
        let call = start_accept(&scene.request);
        scene.wait_for(stage);
        (scene, call)
    }

    /// With an `accept` that had come to `stage` when its future was dropped.
    pub fn at_dropped(stage: Stage) -> Self {
        let scene = Self::before(stage, patient_config);
        let (dropped, drop_it) = tokio::sync::oneshot::channel::<()>();
        let request = scene.request.clone();
        let call = start(async move {
            tokio::select! {
                _ = request.accept(ChannelVisibility::Unannounced) => false,
                _ = drop_it => true,
            }
        });
        scene.wait_for(stage);
        drop(dropped);
        assert!(call.end(), "the future was dropped");
        scene
    }

    /// Where an `accept` will come to `stage`, and no further.
    fn before(stage: Stage, config: impl FnOnce(&Testbed) -> ClientConfig) -> Self {
        let habit = match stage {
            Stage::InFlight => Habit::SilentCallback,
            Stage::Connecting | Stage::Awaiting => Habit::OkAndNeverOpens,
        };
        let gate = Gate::default();
        let mut node = PlainNode::default();
        if stage == Stage::Connecting {
            let gate = gate.clone();
            node.connect = Box::new(move |_| {
                gate.pass();
                Ok(true)
            });
        }
        Self {
            gate,
            ..Self::with(node, habits(&[habit]), config)
        }
    }

    pub fn wait_for(&self, stage: Stage) {
        match stage {
            Stage::Connecting => self.wallet.node.wait_for_connects(1),
            Stage::InFlight => self.wallet.wait_for_callbacks(1),
            Stage::Awaiting => wait_for_state(&self.request, ChannelRequestState::Awaiting),
        }
    }

    pub fn callbacks(&self) -> Vec<String> {
        self.wallet.callbacks()
    }

    /// The peer opens the channel, which is the request's.
    pub fn fund(&self, id: &str) {
        let expected = expected(&self.request);
        assert_eq!(self.wallet.propose(id), expected);
        assert_eq!(self.wallet.fund(id), expected);
    }

    /// What the target line of an accept is.
    pub fn accept_target(&self) -> String {
        let (id, k1) = (self.offer.id, &self.offer.k1);
        format!("/callback/{id}?k1={k1}&remoteid={NODE_ID}&private=1")
    }

    pub fn cancel_target(&self) -> String {
        self.accept_target().replace("private=1", "cancel=1")
    }
}
