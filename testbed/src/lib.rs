//! Real parts to test against: Lightning nodes that talk over TCP, an LNURL service over HTTPS and
//! as an onion service, and every bad habit that services in the field were seen to have.
//!
//! There is no chain: blocks are made up, and [`Testbed::mine`] feeds them to every node.
//! Everything else is real, listens on ports of the system's choice, and ends with the
//! [`Testbed`]. Programs in other languages drive the same parts through HTTP; the module
//! `control` lists the routes.

mod blocking;
mod control;
mod http;
mod node;
mod onion;
mod proxy;
mod service;
mod stop;

pub use node::{Node, NodeEvent, OpenChannel, Opening};
pub use proxy::{AskedHost, Proxy, ProxyProtocol};
pub use service::{
    ConnectionCounts, Habit, Invocation, Kind, OfferOptions, Over, RequestKind, SeenRequest,
    Service, ServiceOffer, Step,
};
pub use stop::Stop;

use node::{Chain, Lightning};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How long dropping a testbed waits for its threads. They only wait, so they end at once.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// All parts, running. Dropping it stops them and frees their ports.
pub struct Testbed {
    parts: Arc<Parts>,
    control_address: SocketAddr,
    /// Taken when the testbed is dropped.
    runtime: Option<Runtime>,
}

pub(crate) struct Parts {
    pub(crate) wallet: Node,
    pub(crate) target: Node,
    pub(crate) stranger: Node,
    pub(crate) service: Service,
    pub(crate) proxy: Proxy,
    pub(crate) stop: Stop,
    /// Further nodes, started on demand.
    more: Mutex<Vec<Node>>,
    chain: Arc<Chain>,
}

impl Testbed {
    /// Starts everything on loopback.
    pub fn start() -> io::Result<Testbed> {
        Testbed::start_on(Ipv4Addr::LOCALHOST.into())
    }

    /// Starts the nodes and the HTTPS service on an address of this machine, such as the one that
    /// a phone in the same network sees. The control interface and the proxy stay on loopback.
    pub fn start_on(ip: IpAddr) -> io::Result<Testbed> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("testbed")
            .enable_all()
            .build()?;
        let started = blocking::run(runtime.handle(), async move {
            let parts = Arc::new(Parts::start(ip).await?);
            let control_address = control::start(parts.clone()).await?;
            io::Result::Ok((parts, control_address))
        });
        let (parts, control_address) = started.ok_or(io::ErrorKind::Other)??;
        Ok(Testbed {
            parts,
            control_address,
            runtime: Some(runtime),
        })
    }

    /// The wallet's own node.
    pub fn wallet(&self) -> Node {
        self.parts.wallet.clone()
    }

    /// The node that offers name, which opens and hosts the channels.
    pub fn target(&self) -> Node {
        self.parts.target.clone()
    }

    /// A node that no offer names.
    pub fn stranger(&self) -> Node {
        self.parts.stranger.clone()
    }

    /// Starts one more node, for [`Service::offer_from`].
    pub fn start_node(&self) -> io::Result<Node> {
        let parts = self.parts.clone();
        let started = blocking::run(self.parts.target.0.runtime(), async move {
            let ip = parts.target.address().ip();
            let node = Node(Lightning::start(ip, parts.chain.clone()).await?);
            parts.more.lock().unwrap().push(node.clone());
            io::Result::Ok(node)
        });
        started.ok_or(io::ErrorKind::Other)?
    }

    pub fn service(&self) -> Service {
        self.parts.service.clone()
    }

    pub fn proxy(&self) -> Proxy {
        self.parts.proxy.clone()
    }

    /// Where the control interface is, such as `http://127.0.0.1:12345`.
    pub fn control_url(&self) -> String {
        format!("http://{}", self.control_address)
    }

    /// What `GET /info` of the control interface answers, as JSON text.
    pub fn info(&self) -> String {
        control::info(&self.parts, self.control_address).to_string()
    }

    /// Gives every node a block with what the nodes have broadcast, and empty blocks up to `blocks`.
    /// Six make channels ready.
    pub fn mine(&self, blocks: u32) {
        self.parts.mine(blocks);
    }

    /// The switch that ends the program; the testbed itself only ends when dropped.
    pub fn stop(&self) -> Stop {
        self.parts.stop.clone()
    }
}

impl Drop for Testbed {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else {
            return;
        };
        // In a thread of its own: a runtime must not be awaited from within another one.
        let stopping = std::thread::spawn(move || runtime.shutdown_timeout(SHUTDOWN_TIMEOUT));
        drop(stopping.join());
    }
}

impl Parts {
    async fn start(ip: IpAddr) -> io::Result<Parts> {
        let chain = Arc::new(Chain::default());
        let wallet = Lightning::start(ip, chain.clone()).await?;
        let target = Lightning::start(ip, chain.clone()).await?;
        let stranger = Lightning::start(ip, chain.clone()).await?;
        let service = Service::start(ip, wallet.clone(), target.clone(), stranger.clone()).await?;
        let proxy = Proxy::start(service.onion_host(), service.plain_address()).await?;
        Ok(Parts {
            wallet: Node(wallet),
            target: Node(target),
            stranger: Node(stranger),
            service,
            proxy,
            stop: Stop::default(),
            more: Mutex::default(),
            chain,
        })
    }

    pub(crate) fn mine(&self, blocks: u32) {
        let mut transactions = self.chain.take_broadcast();
        let more = self.more.lock().unwrap().clone();
        for _ in 0..blocks {
            for node in [&self.wallet, &self.target, &self.stranger]
                .into_iter()
                .chain(&more)
            {
                node.0.connect_block(transactions.clone());
            }
            transactions.clear();
        }
    }
}

/// Fresh random bytes from the system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes
}
