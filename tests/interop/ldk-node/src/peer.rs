//! An ldk-node that opens channels for a service.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use ldk_node::bitcoin::Network;
use ldk_node::config::{AnchorChannelsConfig, Config};
use ldk_node::lightning::ln::msgs::SocketAddress;
use ldk_node::{Builder, Event, Node};
use lnurl_channel_interop::{Asked, Opener};

use crate::app::{announce, every, free_address, use_chain, wait_for};
use crate::chain;

const POLL: Duration = Duration::from_millis(20);

/// An LDK node of the service, with an alias and an address, so that it opens announced channels too.
pub struct Peer {
    pub node: Arc<Node>,
    pub id: String,
    pub anchors: bool,
    address: SocketAddress,
    events: Arc<Mutex<Vec<Event>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Peer {
    pub fn start(folder: &Path, anchors: bool) -> Arc<Self> {
        let mut builder = Builder::from_config(Config {
            network: Network::Regtest,
            storage_dir_path: folder.to_string_lossy().into_owned(),
            anchor_channels_config: anchors.then(AnchorChannelsConfig::default),
            ..Config::default()
        });
        let address = free_address();
        announce(&mut builder, "peer", address.clone());
        use_chain(&mut builder);
        let node = Arc::new(builder.build().expect("the peer can be built"));
        node.start().expect("the peer starts");
        let events: Arc<Mutex<Vec<Event>>> = Arc::default();
        let stop = Arc::new(AtomicBool::new(false));
        let thread = every(POLL, &stop, {
            let (node, events) = (node.clone(), events.clone());
            move || {
                while let Some(event) = node.next_event() {
                    node.event_handled().expect("the event queue is stored");
                    events.lock().unwrap().push(event);
                }
            }
        });
        Arc::new(Self {
            id: node.node_id().to_string(),
            anchors,
            node,
            address,
            events,
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        // A row that fails has more to say than this.
        let _ = self.node.stop();
    }
}

/// The peer, lent to a service.
pub struct PeerOpener(pub Arc<Peer>);

impl Opener for PeerOpener {
    fn id(&self) -> String {
        self.0.id.clone()
    }

    fn uri(&self) -> String {
        format!("{}@{}", self.0.id, self.0.address)
    }

    fn open(&self, asked: &Asked) -> Result<String, String> {
        let node = &self.0.node;
        let peer = asked.peer_id.parse().map_err(|_| "no node id")?;
        // It learns what it has spent from the chain.
        wait_for("the peer at the chain's height", || {
            let height = node.status().current_best_block.height;
            (height == chain::height()).then_some(())
        });
        // The wallet is connected, so that nobody dials it.
        let nowhere = self.0.address.clone();
        let push_msat = Some(asked.push_sat * 1000);
        let opened = match asked.private {
            true => node.open_channel(peer, nowhere, asked.capacity_sat, push_msat, None),
            false => {
                node.open_announced_channel(peer, nowhere, asked.capacity_sat, push_msat, None)
            }
        };
        let opened = opened.map_err(|error| error.to_string())?;
        wait_for("the end of the opening", || {
            let events = self.0.events.lock().unwrap();
            events.iter().find_map(|event| match event {
                Event::ChannelPending {
                    user_channel_id,
                    channel_id,
                    ..
                } if *user_channel_id == opened => Some(Ok(channel_id.to_string())),
                Event::ChannelClosed {
                    user_channel_id,
                    reason,
                    ..
                } if *user_channel_id == opened => {
                    let reason = reason.as_ref().map(ToString::to_string);
                    Some(Err(reason.unwrap_or_default()))
                }
                _ => None,
            })
        })
    }
}
