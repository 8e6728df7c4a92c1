//! A wallet on an LND, as an app would write it. `bindings/kotlin/samples/Lnd*.kt` and their Swift twins
//! are the same in those languages, but for the acceptor.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use data_encoding::BASE64;
use lnurl_channel::{
    BitcoinNetwork, ChannelClient, ChannelStage, ChannelVerdict, ClientConfig, IncomingChannel,
    NodeReadiness, PeerAddress, WalletNode, WalletNodeError,
};
use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

use crate::Lnd;
use crate::support::block_on;
use crate::support::listener::Listener;

const POLL: Duration = Duration::from_millis(200);
const CONNECT_SECONDS: &str = "20s";
const INIT_POLLS: usize = 50;
/// The bit of `open_channel`'s flags that announces the channel.
const ANNOUNCE: u64 = 1;

pub struct LndWallet {
    pub client: Arc<ChannelClient>,
    pub listener: Arc<Listener>,
    pub lnd: Lnd,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl LndWallet {
    /// With what the client keeps in `folder`. It takes zero-conf channels of the peers that it trusts.
    pub fn start(name: &str, folder: &Path, trusted: Vec<String>, authority: String) -> Self {
        let lnd = Lnd::named(name);
        let config = ClientConfig {
            network: BitcoinNetwork::Regtest,
            storage_dir: Some(folder.to_string_lossy().into_owned()),
            extra_root_certificates: Some(authority),
            allow_private_hosts: true,
            channel_timeout_seconds: 60,
            reconnect_seconds: 2,
            ..ClientConfig::default()
        };
        let listener = Arc::new(Listener::default());
        let node = Arc::new(LndWalletNode {
            lnd: lnd.clone(),
            trusted: trusted.clone(),
        });
        let client = ChannelClient::new(Box::new(node), Box::new(listener.clone()), config);
        let client = Arc::new(client.expect("the configuration is good"));
        let stop = Arc::new(AtomicBool::new(false));
        let reports = LndReports {
            lnd: lnd.clone(),
            client: client.clone(),
        };
        let acceptor = Acceptor {
            socket: lnd.acceptor(),
            client: client.clone(),
            trusted,
        };
        let threads = vec![
            std::thread::spawn({
                let stop = stop.clone();
                move || {
                    while !stop.load(Ordering::Relaxed) {
                        reports.report_channels();
                        std::thread::sleep(POLL);
                    }
                }
            }),
            std::thread::spawn({
                let stop = stop.clone();
                move || acceptor.run(&stop)
            }),
        ];
        Self {
            client,
            listener,
            lnd,
            stop,
            threads,
        }
    }

    /// As an app that ends: the storage folder can be used again afterwards.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("the app's threads end");
        }
        block_on(self.client.shutdown());
    }
}

struct LndWalletNode {
    lnd: Lnd,
    trusted: Vec<String>,
}

impl LndWalletNode {
    fn peer(&self, id: &str) -> Result<Option<Value>, WalletNodeError> {
        let peers = self.lnd.ask(&["listpeers"]).map_err(failed)?;
        let mut peers = list(&peers["peers"]);
        Ok(peers.find(|peer| peer["pub_key"] == id).cloned())
    }

    fn has_features(&self, id: &str) -> Result<bool, WalletNodeError> {
        let peer = self.peer(id)?.unwrap_or_default();
        let features = peer["features"].as_object();
        Ok(features.is_some_and(|features| !features.is_empty()))
    }
}

impl WalletNode for LndWalletNode {
    fn node_id(&self) -> Result<String, WalletNodeError> {
        Ok(self.lnd.id())
    }

    /// LND keeps a reserve only for announced channels that it funds itself.
    fn readiness(&self, peer: PeerAddress) -> Result<NodeReadiness, WalletNodeError> {
        let channels = channels(&self.lnd).map_err(failed)?;
        let balance = self.lnd.ask(&["walletbalance"]).map_err(failed)?;
        let spendable = number(&balance["confirmed_balance"])
            .zip(number(&balance["reserved_balance_anchor_chan"]));
        let config = self.lnd.config().map_err(failed)?;
        let with_peer = || {
            let channels = channels.iter();
            channels.filter(|listed| listed.channel.peer_id == peer.node_id)
        };
        let pending = with_peer().filter(|listed| listed.is_pending).count();
        Ok(NodeReadiness {
            channel_ids: with_peer()
                .filter_map(|listed| listed.channel.channel_id.clone())
                .collect(),
            onchain_sat: spendable.map(|(has, keeps)| has.saturating_sub(keeps)),
            anchor_reserve_sat: Some(0),
            accepts_announced: Some(true),
            accepts_unannounced: Some(true),
            accepts_zero_conf: Some(self.trusted.contains(&peer.node_id)),
            pending_channels: u32::try_from(pending).ok(),
            max_pending_channels: config["maxpendingchannels"]
                .as_str()
                .and_then(|number| number.parse().ok()),
            reaches_onion: config["tor.active"].as_str().map(|it| it == "true"),
            has_custom_messages: Some(true),
        })
    }

    fn connect(&self, peer: PeerAddress) -> Result<bool, WalletNodeError> {
        if self.peer(&peer.node_id)?.is_none() {
            let words = ["connect", "--timeout", CONNECT_SECONDS, &peer.to_uri()];
            self.lnd.ask(&words).map_err(failed)?;
        }
        // LND answers before `init`, with which the peer's features come.
        for _ in 0..INIT_POLLS {
            if self.has_features(&peer.node_id)? {
                return Ok(true);
            }
            std::thread::sleep(POLL);
        }
        Ok(false)
    }

    fn release_peer(&self, peer: PeerAddress) -> Result<(), WalletNodeError> {
        let channels = channels(&self.lnd).map_err(failed)?;
        let mut channels = channels.iter();
        if channels.all(|listed| listed.channel.peer_id != peer.node_id) {
            self.lnd
                .ask(&["disconnect", &peer.node_id])
                .map_err(failed)?;
        }
        Ok(())
    }

    fn send_peer_message(
        &self,
        peer_id: String,
        message_type: u16,
        payload: Vec<u8>,
    ) -> Result<bool, WalletNodeError> {
        let (message_type, data) = (message_type.to_string(), hex::encode(payload));
        let mut words = vec!["sendcustom", "--peer", &peer_id];
        words.extend(["--type", &message_type, "--data", &data]);
        self.lnd.ask(&words).map(|_| true).map_err(failed)
    }

    fn refund_script_pubkey(&self, _request_id: String) -> Result<Vec<u8>, WalletNodeError> {
        Err(WalletNodeError::Unsupported {
            reason: "this wallet takes no hosted channels".into(),
        })
    }
}

struct LndReports {
    lnd: Lnd,
    client: Arc<ChannelClient>,
}

impl LndReports {
    /// Every now and then: what was reported before changes nothing.
    fn report_channels(&self) {
        // An LND that is busy answers the next time.
        for listed in channels(&self.lnd).unwrap_or_default() {
            if listed.is_incoming {
                self.client.report_incoming_channel(listed.channel);
            }
        }
        for (peer, channel, reason) in closings(&self.lnd).unwrap_or_default() {
            self.client
                .report_channel_closed(peer, Some(channel), Some(reason));
        }
    }
}

/// Decides about proposals, as LND lets a program do.
struct Acceptor {
    socket: WebSocket<MaybeTlsStream<std::net::TcpStream>>,
    client: Arc<ChannelClient>,
    trusted: Vec<String>,
}

impl Acceptor {
    fn run(mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    let proposal: Value = serde_json::from_str(&text).expect("LND speaks JSON");
                    let answer = self.decide(&proposal["result"]);
                    let sent = self.socket.send(Message::text(answer.to_string()));
                    sent.expect("LND listens");
                }
                Ok(_) => {}
                Err(tungstenite::Error::Io(error)) if is_timeout(&error) => {}
                Err(error) => panic!("the acceptor's stream has ended: {error}"),
            }
        }
    }

    /// LND itself turns a zero-conf channel down that the answer does not allow.
    fn decide(&self, proposal: &Value) -> Value {
        let peer_id = hex_of(&proposal["node_pubkey"]);
        let flags = proposal["channel_flags"].as_u64().unwrap_or(0);
        let verdict = self.client.report_incoming_channel(IncomingChannel {
            peer_id: peer_id.clone(),
            stage: ChannelStage::Proposed,
            channel_id: Some(hex_of(&proposal["pending_chan_id"])),
            former_channel_id: None,
            capacity_sat: number(&proposal["funding_amt"]),
            // LND tells it in satoshis here, and the list in satoshis too.
            push_msat: number(&proposal["push_amt"]).map(|sat| sat * 1000),
            is_announced: Some(flags & ANNOUNCE != 0),
            is_zero_conf: proposal["wants_zero_conf"].as_bool(),
            confirmations: None,
            confirmations_required: None,
        });
        let accept = matches!(verdict, ChannelVerdict::Expected { .. });
        let trusted = self.trusted.contains(&peer_id);
        json!({
            "accept": accept,
            "pending_chan_id": proposal["pending_chan_id"],
            "zero_conf": accept && trusted,
        })
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{TimedOut, WouldBlock};
    matches!(error.kind(), TimedOut | WouldBlock)
}

/// A channel as LND lists it.
struct Listed {
    is_incoming: bool,
    is_pending: bool,
    channel: IncomingChannel,
}

/// All of one height: its lists and its height are three answers, between which a block may come.
fn channels(lnd: &Lnd) -> Result<Vec<Listed>, String> {
    loop {
        let height = lnd.height()?;
        let channels = channels_at(lnd, height)?;
        if lnd.height()? == height {
            return Ok(channels);
        }
    }
}

fn channels_at(lnd: &Lnd, height: Option<u64>) -> Result<Vec<Listed>, String> {
    let pending = lnd.ask(&["pendingchannels"])?;
    let pending = list(&pending["pending_open_channels"]).map(|listed| {
        let channel = &listed["channel"];
        Listed {
            is_incoming: channel["initiator"] == "INITIATOR_REMOTE",
            is_pending: true,
            channel: with_confirmations(
                incoming(channel, ChannelStage::Funded, &channel["remote_node_pub"]),
                height,
                listed,
            ),
        }
    });
    let open = lnd.ask(&["listchannels"])?;
    let open = list(&open["channels"]).map(|channel| {
        // `active` once both have sent `channel_ready`, while the peer is connected.
        let stage = match channel["active"] == true {
            true => ChannelStage::Ready,
            false => ChannelStage::Funded,
        };
        let incoming = incoming(channel, stage, &channel["remote_pubkey"]);
        Listed {
            is_incoming: channel["initiator"] == false,
            is_pending: false,
            channel: IncomingChannel {
                push_msat: number(&channel["push_amount_sat"]).map(|sat| sat * 1000),
                is_zero_conf: channel["zero_conf"].as_bool(),
                confirmations: confirmations_of_open(channel, height),
                ..incoming
            },
        }
    });
    Ok(pending.chain(open).collect())
}

fn incoming(channel: &Value, stage: ChannelStage, peer: &Value) -> IncomingChannel {
    IncomingChannel {
        peer_id: peer.as_str().unwrap_or_default().to_owned(),
        stage,
        channel_id: channel["channel_point"].as_str().map(channel_id_of),
        former_channel_id: None,
        capacity_sat: number(&channel["capacity"]),
        push_msat: None,
        is_announced: channel["private"].as_bool().map(|private| !private),
        is_zero_conf: None,
        confirmations: None,
        confirmations_required: None,
    }
}

/// The short id of a channel begins with its block; that of one without a block stands elsewhere.
fn confirmations_of_open(channel: &Value, height: Option<u64>) -> Option<u32> {
    let is_zero_conf = channel["zero_conf"] == true;
    let short_id = match is_zero_conf {
        true => &channel["zero_conf_confirmed_scid"],
        // LND's own `chan_id`, which `lncli` prints under this name.
        false => &channel["scid"],
    };
    match number(short_id)? >> 40 {
        0 => Some(0),
        funded => u32::try_from((height? + 1).saturating_sub(funded)).ok(),
    }
}

/// What is missing LND tells, and what there is follows from the block of the funding.
fn with_confirmations(
    channel: IncomingChannel,
    height: Option<u64>,
    listed: &Value,
) -> IncomingChannel {
    let blocks = |count: u64| u32::try_from(count).ok();
    let missing = number(&listed["confirmations_until_active"]);
    let confirmations = match number(&listed["confirmation_height"]) {
        None | Some(0) => Some(0),
        Some(funded) => height.map(|height| (height + 1).saturating_sub(funded)),
    };
    let required = missing
        .zip(confirmations)
        .map(|(missing, has)| missing + has);
    IncomingChannel {
        confirmations: confirmations.and_then(blocks),
        confirmations_required: required.and_then(blocks),
        ..channel
    }
}

/// The peer, the channel and why, of all that are closed or about to be.
fn closings(lnd: &Lnd) -> Result<Vec<(String, String, String)>, String> {
    let closing = |channel: &Value, peer: &str, reason: &str| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let id = channel_id_of(&text(&channel["channel_point"]));
        (text(&channel[peer]), id, reason.to_owned())
    };
    let closed = lnd.ask(&["closedchannels"])?;
    let closed = list(&closed["channels"]).map(|channel| {
        let reason = channel["close_type"].as_str().unwrap_or_default();
        closing(channel, "remote_pubkey", reason)
    });
    let pending = lnd.ask(&["pendingchannels"])?;
    let states = ["waiting_close_channels", "pending_force_closing_channels"];
    let pending = states.into_iter().flat_map(|state| {
        list(&pending[state])
            .map(move |listed| closing(&listed["channel"], "remote_node_pub", state))
    });
    Ok(closed.chain(pending).collect())
}

/// BOLT-2: the funding transaction's hash, XORed with the number of its output.
pub fn channel_id_of(channel_point: &str) -> String {
    let (hash, output) = channel_point.split_once(':').expect("a hash and a number");
    let mut id = hex::decode(hash).expect("hex");
    id.reverse();
    let output: u16 = output.parse().expect("a number");
    for (byte, bits) in id[30..].iter_mut().zip(output.to_be_bytes()) {
        *byte ^= bits;
    }
    hex::encode(id)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// LND's numbers are texts where they may be large.
fn number(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

/// What JSON has in base64.
fn hex_of(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    hex::encode(BASE64.decode(text.as_bytes()).expect("base64"))
}

fn failed(reason: String) -> WalletNodeError {
    WalletNodeError::Failed { reason }
}

impl Lnd {
    fn height(&self) -> Result<Option<u64>, String> {
        Ok(number(&self.ask(&["getinfo"])?["block_height"]))
    }

    /// Its configuration, by the names of its options.
    fn config(&self) -> Result<Value, String> {
        Ok(self.ask(&["getdebuginfo"])?["config"].take())
    }

    /// A stream of proposals that wait to be decided.
    fn acceptor(&self) -> WebSocket<MaybeTlsStream<std::net::TcpStream>> {
        let url = self.variable("REST").replacen("http", "ws", 1);
        let url = format!("{url}/v1/channels/acceptor?method=POST");
        let mut request = url.into_client_request().expect("a URL");
        let macaroon = std::fs::read(self.variable("MACAROON")).expect("LND's macaroon");
        let macaroon = hex::encode(macaroon).parse().expect("a header");
        request
            .headers_mut()
            .insert("Grpc-Metadata-macaroon", macaroon);
        let (socket, _) = tungstenite::connect(request).expect("LND streams");
        if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
            stream.set_read_timeout(Some(POLL)).expect("it can be set");
        }
        socket
    }
}
