//! A wallet's node of plain functions: it speaks no Lightning, and does as it is told.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use lnurl_channel::{
    ChannelClient, ChannelEvent, ChannelRequest, ChannelVisibility, ClientConfig, PeerAddress,
    WalletNode, WalletNodeError,
};
use lnurl_channel_testbed::{Habit, OfferOptions, RequestKind, ServiceOffer, Testbed};

use super::scene::{
    CallResult, Running, callbacks, fetch, habits, patient_config, start, start_accept,
};
use super::{LIMIT, Watched};

/// A key on the curve (its generator) that is nobody else's.
pub const NODE_ID: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

/// A method of the node.
pub type Method<A, T> = Box<dyn Fn(A) -> Result<T, WalletNodeError> + Send + Sync>;

/// A call that the node has received.
#[derive(Clone, Debug, PartialEq)]
pub enum Called {
    NodeId,
    Connect(PeerAddress),
    Send(String, u16, Vec<u8>),
    Script(String),
    Event(String, ChannelEvent),
}

pub struct PlainNode {
    pub node_id: Method<(), String>,
    pub connect: Method<PeerAddress, bool>,
    pub send: Method<Vec<u8>, bool>,
    pub script: Method<String, Vec<u8>>,
    pub on_event: Method<ChannelEvent, ()>,
    pub called: Watched<Called>,
}

impl Default for PlainNode {
    fn default() -> Self {
        Self {
            node_id: Box::new(|()| Ok(NODE_ID.to_owned())),
            connect: Box::new(|_| Ok(true)),
            send: Box::new(|_| Ok(true)),
            script: Box::new(|_| Ok(p2wpkh())),
            on_event: Box::new(|_| Ok(())),
            called: Watched::default(),
        }
    }
}

/// Version 0, then a push of 20 bytes.
pub fn p2wpkh() -> Vec<u8> {
    [&[0x00, 0x14][..], &[0x11; 20]].concat()
}

impl PlainNode {
    pub fn events(&self) -> Vec<ChannelEvent> {
        let calls = self.called.all().into_iter();
        let events = calls.filter_map(|call| match call {
            Called::Event(_, event) => Some(event),
            _ => None,
        });
        events.collect()
    }

    pub fn connects(&self) -> usize {
        let calls = self.called.all();
        let connects = calls.iter().filter(|c| matches!(c, Called::Connect(_)));
        connects.count()
    }

    pub fn wait_for_event(&self, wanted: impl Fn(&ChannelEvent) -> bool) {
        let is_wanted = |call: &Called| matches!(call, Called::Event(_, event) if wanted(event));
        assert!(self.called.wait_until(|calls| calls.iter().any(is_wanted)));
    }

    pub fn wait_for_connect(&self) {
        let is_connect = |call: &Called| matches!(call, Called::Connect(_));
        assert!(self.called.wait_until(|calls| calls.iter().any(is_connect)));
    }
}

impl WalletNode for PlainNode {
    fn node_id(&self) -> Result<String, WalletNodeError> {
        self.called.push(Called::NodeId);
        (self.node_id)(())
    }

    fn connect(&self, peer: PeerAddress) -> Result<bool, WalletNodeError> {
        self.called.push(Called::Connect(peer.clone()));
        (self.connect)(peer)
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

    fn on_channel_event(
        &self,
        request_id: String,
        event: ChannelEvent,
    ) -> Result<(), WalletNodeError> {
        self.called.push(Called::Event(request_id, event.clone()));
        (self.on_event)(event)
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

/// A plain node, the testbed's service, and an offer that was fetched.
pub struct PlainScene {
    pub request: Arc<ChannelRequest>,
    pub client: Arc<ChannelClient>,
    pub node: Arc<PlainNode>,
    pub offer: ServiceOffer,
    pub testbed: Testbed,
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
        let testbed = Testbed::start().unwrap();
        let node = Arc::new(node);
        let client = ChannelClient::new(node.clone(), config(&testbed)).unwrap();
        let offer = testbed.service().offer(options);
        let request = fetch(&client, &offer.lnurl).unwrap();
        Self {
            request,
            client: Arc::new(client),
            node,
            offer,
            testbed,
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
            Stage::Connecting => self.node.wait_for_connect(),
            Stage::InFlight => self.wait_for_callbacks(1),
            Stage::Awaiting => self
                .node
                .wait_for_event(|event| matches!(event, ChannelEvent::AwaitingChannel { .. })),
        }
    }

    pub fn wait_for_callbacks(&self, count: usize) {
        let waited = self.testbed.service().wait_for_requests(LIMIT, |requests| {
            let is_callback = |kind| kind == RequestKind::Callback;
            requests.iter().filter(|r| is_callback(r.kind)).count() >= count
        });
        assert!(waited.is_some(), "the service has no {count} callbacks");
    }

    pub fn callbacks(&self) -> Vec<String> {
        callbacks(&self.testbed)
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
