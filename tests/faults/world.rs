//! All that a cell plays in: a service, perhaps a proxy, a wallet's node, a folder, a client.

use std::net::Ipv4Addr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::{Duration, Instant};

use lnurl_channel::{
    BitcoinNetwork, ChannelClient, ChannelListener, ChannelOutcome, ChannelRequest,
    ChannelRequestSnapshot, ChannelRequestState, ChannelStage, ChannelStep, ClientConfig,
    IncomingChannel, LnurlChannelError, NodeReadiness, PeerAddress, WalletNode, WalletNodeError,
    decode_lnurl, encode_lnurl,
};

use super::certificates::Authority;
use super::disk::Disk;
use super::names::{NameFault, Names, PUBLIC};
use super::proxy::Proxy;
use super::service::{PEER_ID, Seen, Service};
use super::support::block_on;
use super::support::plain::{Gate, NODE_ID, expected, p2wpkh};
use super::support::scene::{
    CallResult, accept, start_accept, start_waiting_on, state, wait_for_state,
};
use super::support::wallet::channel;

/// Three times the generator of the curve: a node that no offer names.
pub const STRANGER_ID: &str = "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9";
/// The time limits of all clients, in seconds.
const SECONDS: u32 = 2;
const ONION: &str = "http://juhanurmihxlp77nkq76byazcldy2hlmovfu2epvl5ankdibsot4csyd.onion/";
const INIT_HOSTED_CHANNEL: u16 = 65533;

/// Where the service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On this machine, which the client allows.
    Local,
    /// At a public name, behind a SOCKS proxy; private addresses are refused.
    Public,
    /// The same, behind an HTTP proxy.
    HttpProxy,
    /// In Tor.
    Onion,
    /// At a public name without a proxy, in a network of our own.
    Named,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    NodeId,
    Readiness,
    Connect,
    Release,
    Send,
    Script,
    /// Of the listener.
    Change,
}

/// What the wallet's code does wrong.
#[derive(Clone, Debug)]
pub enum How {
    Fails,
    Unsupported,
    Panics,
    /// It returns once the fault has gone.
    Blocks,
    /// It returns, and well, but after its time limit.
    Late,
    False,
    Text(&'static str),
    Bytes(Vec<u8>),
    /// It calls the client from within.
    Calls(fn(&ChannelClient, &Arc<ChannelRequest>)),
}

type Hook = Box<dyn FnOnce() + Send>;

#[derive(Default)]
pub struct Node {
    fault: Mutex<Option<(Method, How)>>,
    struck: AtomicBool,
    /// A call from within was not answered as it should be. The library keeps the panic to itself.
    disappointed: AtomicBool,
    gate: Mutex<Gate>,
    calls: Mutex<Vec<Method>>,
    /// How often `connect` has returned true.
    connects: Arc<AtomicUsize>,
    before: Mutex<Option<(Method, Hook)>>,
    client: Mutex<Weak<ChannelClient>>,
    request: Mutex<Weak<ChannelRequest>>,
}

impl Node {
    pub fn set(&self, method: Method, how: How) {
        *self.fault.lock().unwrap() = Some((method, how));
    }

    fn heal(&self) {
        *self.fault.lock().unwrap() = None;
        let gate = std::mem::take(&mut *self.gate.lock().unwrap());
        gate.open();
    }

    /// Whether the fault that is set, if one is, has met the client.
    fn has_struck(&self) -> bool {
        self.fault.lock().unwrap().is_none() || self.struck.load(Ordering::SeqCst)
    }

    /// Done within the next call of `method`.
    pub fn within(&self, method: Method, hook: Hook) {
        *self.before.lock().unwrap() = Some((method, hook));
    }

    pub fn count(&self, method: Method) -> usize {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|call| **call == method).count()
    }

    /// What the fault, if it is of this method, makes of the call.
    fn called(&self, method: Method) -> Result<Option<How>, WalletNodeError> {
        self.calls.lock().unwrap().push(method);
        let hook = self.before.lock().unwrap().take_if(|(of, _)| *of == method);
        if let Some((_, hook)) = hook {
            hook();
        }
        let fault = self.fault.lock().unwrap().clone();
        let Some((_, how)) = fault.filter(|(of, _)| *of == method) else {
            return Ok(None);
        };
        self.struck.store(true, Ordering::SeqCst);
        let reason = || "injected".to_owned();
        match &how {
            How::Fails => return Err(WalletNodeError::Failed { reason: reason() }),
            How::Unsupported => return Err(WalletNodeError::Unsupported { reason: reason() }),
            How::Panics => panic!("injected"),
            How::Blocks => {
                let gate = self.gate.lock().unwrap().clone();
                gate.pass();
            }
            How::Late => {
                let limit = Duration::from_secs(SECONDS.into());
                thread::sleep(limit + Duration::from_secs(1));
            }
            How::Calls(call) => {
                let client = self.client.lock().unwrap().upgrade();
                let request = self.request.lock().unwrap().upgrade();
                let (client, request) = (client.unwrap(), request.unwrap());
                let called = catch_unwind(AssertUnwindSafe(|| call(&client, &request)));
                self.disappointed
                    .fetch_or(called.is_err(), Ordering::SeqCst);
            }
            How::False | How::Text(_) | How::Bytes(_) => {}
        }
        Ok(Some(how))
    }
}

impl WalletNode for Node {
    fn node_id(&self) -> Result<String, WalletNodeError> {
        Ok(match self.called(Method::NodeId)? {
            Some(How::Text(text)) => text.to_owned(),
            _ => NODE_ID.to_owned(),
        })
    }

    fn readiness(&self, _peer: PeerAddress) -> Result<NodeReadiness, WalletNodeError> {
        self.called(Method::Readiness)?;
        Ok(NodeReadiness::default())
    }

    fn release_peer(&self, _peer: PeerAddress) -> Result<(), WalletNodeError> {
        self.called(Method::Release).map(drop)
    }

    fn connect(&self, _peer: PeerAddress) -> Result<bool, WalletNodeError> {
        let how = self.called(Method::Connect)?;
        let is_connected = !matches!(how, Some(How::False));
        self.connects
            .fetch_add(is_connected.into(), Ordering::SeqCst);
        Ok(is_connected)
    }

    fn send_peer_message(
        &self,
        _peer_id: String,
        _message_type: u16,
        _payload: Vec<u8>,
    ) -> Result<bool, WalletNodeError> {
        let how = self.called(Method::Send)?;
        Ok(!matches!(how, Some(How::False)))
    }

    fn refund_script_pubkey(&self, _request_id: String) -> Result<Vec<u8>, WalletNodeError> {
        Ok(match self.called(Method::Script)? {
            Some(How::Bytes(bytes)) => bytes,
            _ => p2wpkh(),
        })
    }
}

impl ChannelListener for Node {
    fn on_request_changed(
        &self,
        _request: ChannelRequestSnapshot,
        _step: ChannelStep,
    ) -> Result<(), WalletNodeError> {
        self.called(Method::Change).map(drop)
    }
}

pub struct World {
    client: Mutex<Arc<ChannelClient>>,
    pub node: Arc<Node>,
    pub service: Arc<Service>,
    pub proxy: Option<Proxy>,
    pub names: Option<Names>,
    pub disk: Arc<Disk>,
    config: ClientConfig,
    pub hosted: bool,
}

impl World {
    pub fn new(place: Place, hosted: bool, disk: Disk, authority: &Authority) -> World {
        let (base, tls) = match place {
            Place::Local => ("https://localhost", Some(authority.clone())),
            Place::Onion => (ONION, None),
            _ => ("https://service.example", Some(authority.clone())),
        };
        let ip = match place {
            Place::Named => PUBLIC,
            _ => Ipv4Addr::LOCALHOST,
        };
        let node = Arc::new(Node::default());
        let service = Service::start(ip.into(), base, tls, hosted, node.connects.clone());
        let direct = matches!(place, Place::Local | Place::Named);
        let proxy = (!direct).then(|| Proxy::start(service.port()));
        let names = (place == Place::Named).then(|| Names::start(service.port()));
        let scheme = match place {
            Place::HttpProxy => "http",
            _ => "socks5h",
        };
        let config = ClientConfig {
            network: BitcoinNetwork::Regtest,
            storage_dir: Some(disk.path().to_str().unwrap().to_owned()),
            proxy: proxy
                .as_ref()
                .map(|proxy| format!("{scheme}://127.0.0.1:{}", proxy.port())),
            extra_root_certificates: Some(authority.pem()),
            allow_private_hosts: place == Place::Local,
            request_timeout_seconds: SECONDS,
            connect_timeout_seconds: SECONDS,
            channel_timeout_seconds: SECONDS,
            reconnect_seconds: 1,
        };
        let client = Arc::new(
            ChannelClient::new(
                Box::new(node.clone()),
                Box::new(node.clone()),
                config.clone(),
            )
            .unwrap(),
        );
        *node.client.lock().unwrap() = Arc::downgrade(&client);
        World {
            client: Mutex::new(client),
            node,
            service: Arc::new(service),
            proxy,
            names,
            disk: Arc::new(disk),
            config,
            hosted,
        }
    }

    pub fn client(&self) -> Arc<ChannelClient> {
        self.client.lock().unwrap().clone()
    }

    /// Another client on the same folder, once the first has let it go.
    pub fn reopen(&self) -> Result<(), LnurlChannelError> {
        block_on(self.client().shutdown());
        let client = once_free(|| self.open());
        let client = Arc::new(client?);
        *self.node.client.lock().unwrap() = Arc::downgrade(&client);
        *self.client.lock().unwrap() = client;
        Ok(())
    }

    pub fn open(&self) -> Result<ChannelClient, LnurlChannelError> {
        ChannelClient::new(
            Box::new(self.node.clone()),
            Box::new(self.node.clone()),
            self.config.clone(),
        )
    }

    pub fn heal(&self) {
        self.service.set(super::service::Fault::None);
        if let Some(proxy) = &self.proxy {
            proxy.set(super::proxy::ProxyFault::None);
        }
        if let Some(names) = &self.names {
            names.set(NameFault::None);
        }
        self.disk.mend();
        self.node.heal();
    }

    /// A cell whose fault met nobody shows nothing.
    pub fn assert_struck(&self) {
        let proxy = self.proxy.as_ref().is_none_or(Proxy::has_struck);
        let names = self.names.as_ref().is_none_or(Names::has_struck);
        let struck = proxy && names && self.service.has_struck() && self.node.has_struck();
        assert!(struck, "the fault was not met");
        let disappointed = self.node.disappointed.load(Ordering::SeqCst);
        assert!(!disappointed, "a call from within failed, see above");
    }

    /// How many connections came to private addresses.
    pub fn trapped(&self) -> usize {
        self.names.as_ref().map_or(0, Names::trapped)
    }

    pub fn fetch(&self) -> Result<Arc<ChannelRequest>, LnurlChannelError> {
        self.fetch_from(&self.service.url())
    }

    pub fn fetch_from(&self, url: &str) -> Result<Arc<ChannelRequest>, LnurlChannelError> {
        let lnurl = decode_lnurl(encode_lnurl(url.to_owned())?)?;
        let request = block_on(self.client().fetch(lnurl))?;
        *self.node.request.lock().unwrap() = Arc::downgrade(&request);
        Ok(request)
    }

    pub fn seen(&self) -> Seen {
        Seen {
            messages: self.node.count(Method::Send),
            ..self.service.seen()
        }
    }

    /// The channel comes.
    pub fn deliver(&self, request: &ChannelRequest) {
        self.deliver_as(request, "ab");
    }

    fn deliver_as(&self, request: &ChannelRequest, id: &str) {
        let client = self.client();
        if self.hosted {
            let message = init_hosted_channel();
            let ours = client.report_peer_message(PEER_ID.into(), INIT_HOSTED_CHANNEL, message);
            assert!(ours, "the host's message is the request's");
        } else {
            for stage in [ChannelStage::Proposed, ChannelStage::Funded] {
                let verdict = client.report_incoming_channel(channel(PEER_ID, stage, id));
                assert_eq!(verdict, expected(request), "{stage:?}");
            }
        }
    }

    /// A request that awaits its channel while no call runs.
    pub fn awaiting(&self) -> Arc<ChannelRequest> {
        self.awaiting_from(&self.service.url())
    }

    pub fn refused(&self) -> Arc<ChannelRequest> {
        let request = self.fetch().expect("a healthy service");
        let refusal = super::service::Fault::body(r#"{"status":"ERROR","reason":"sold out"}"#);
        self.service.set(refusal);
        accept(&request).unwrap_err();
        self.service.set(super::service::Fault::None);
        request
    }

    pub fn awaiting_another(&self) -> Arc<ChannelRequest> {
        self.awaiting_from(&format!("{}-2", self.service.url()))
    }

    fn awaiting_from(&self, url: &str) -> Arc<ChannelRequest> {
        let request = self.fetch_from(url).expect("a healthy service");
        let call = start_accept(&request);
        wait_for_state(&request, ChannelRequestState::Awaiting);
        request.pause();
        call.end().unwrap_err();
        request
    }

    /// The next try: all is well, and the channel comes. Nothing is asked but what the state asks.
    pub fn complete(&self, request: &Arc<ChannelRequest>) {
        use ChannelRequestState::{
            Arrived, Awaiting, Cancelled, Connecting, Offered, Opening, OutcomeUnknown, Ready,
            Refused, Requesting,
        };
        let before = self.seen();
        let (call, asks, request) = match state(request) {
            Offered => (start_accept(request), 1, request.clone()),
            Awaiting | OutcomeUnknown | Opening => (start_waiting_on(request), 0, request.clone()),
            Arrived | Ready => {
                self.arrived(accept(request));
                assert_eq!(self.seen(), before, "nothing was asked again");
                return;
            }
            Refused | Cancelled => {
                let next = self.fetch().expect("a healthy service");
                assert_ne!(next.request_id(), request.request_id());
                (start_accept(&next), 1, next)
            }
            Connecting | Requesting => panic!("a call runs: {request:?}"),
        };
        if asks == 1 {
            wait_for_state(&request, Awaiting);
        }
        // The first, if there was one, may have been closed.
        self.deliver_as(&request, "cd");
        self.arrived(call.end());
        assert_eq!(state(&request), Arrived);
        let asked = |seen: Seen| seen.callbacks + seen.messages;
        assert_eq!(
            asked(self.seen()),
            asked(before) + asks,
            "asked in the next try"
        );
    }

    fn arrived(&self, result: CallResult) {
        let outcome = result.expect("the next try works");
        let hosted = matches!(outcome, ChannelOutcome::HostedOffered { .. });
        assert_eq!(hosted, self.hosted, "{outcome:?}");
    }
}

/// A process that another cell starts holds all locks for an instant, until it is its own.
pub fn once_free(
    open: impl Fn() -> Result<ChannelClient, LnurlChannelError>,
) -> Result<ChannelClient, LnurlChannelError> {
    let start = Instant::now();
    let mut client = open();
    while client.is_err() && start.elapsed() < Duration::from_secs(1) {
        thread::sleep(Duration::from_millis(5));
        client = open();
    }
    client
}

pub fn proposal(peer_id: &str) -> IncomingChannel {
    channel(peer_id, ChannelStage::Proposed, "ab")
}

/// What a host offers (bLIP-17): capacity 1,000,000 msat, none of it the wallet's.
pub fn init_hosted_channel() -> Vec<u8> {
    init_with(30, 1_000_000, 0)
}

pub fn init_with(max_htlcs: u16, capacity: u64, balance: u64) -> Vec<u8> {
    let mut message = Vec::new();
    message.extend(1_000_000_u64.to_be_bytes());
    message.extend(1_u64.to_be_bytes());
    message.extend(max_htlcs.to_be_bytes());
    message.extend(capacity.to_be_bytes());
    message.extend(balance.to_be_bytes());
    message.extend(0_u16.to_be_bytes());
    message
}
