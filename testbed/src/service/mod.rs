//! The LNURL service: its offers, its habits, and what it has seen.

mod callback;
mod habit;
mod host;
mod log;
mod offer;
mod routes;
mod server;
mod tls;

pub use habit::Habit;
pub use log::{ConnectionCounts, Invocation, RequestKind, SeenRequest};
pub use offer::{Kind, OfferOptions, Over, ServiceOffer, Step};

use crate::node::{Lightning, Node};
use crate::onion;
use bech32::{Bech32, Hrp};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

struct Core {
    target: Arc<Lightning>,
    stranger: Arc<Lightning>,
    wallet: Arc<Lightning>,
    identity: tls::Identity,
    https_origin: String,
    other_https_origin: String,
    onion_origin: String,
    onion_host: String,
    /// The plain HTTP server without its onion name.
    plain_origin: String,
    plain_address: SocketAddr,
    book: offer::OfferBook,
    log: log::Log,
}

impl Core {
    fn origin(&self, over: Over) -> &str {
        match over {
            Over::Https => &self.https_origin,
            Over::Onion => &self.onion_origin,
        }
    }

    /// Connects the stranger with the wallet, where that is the testbed's own.
    async fn connect_stranger(&self, wallet_id: &str) {
        if wallet_id == self.wallet.id() {
            let address = self.wallet.address();
            self.stranger
                .connect(wallet_id, &address.ip().to_string(), address.port())
                .await;
        }
    }
}

/// The LNURL service. Clones are the same service.
#[derive(Clone)]
pub struct Service(Arc<Core>);

impl Service {
    pub(crate) async fn start(
        ip: IpAddr,
        wallet: Arc<Lightning>,
        target: Arc<Lightning>,
        stranger: Arc<Lightning>,
    ) -> io::Result<Service> {
        let https = TcpListener::bind((ip, 0)).await?;
        let plain = TcpListener::bind("127.0.0.1:0").await?;
        let https_address = https.local_addr()?;
        let plain_address = plain.local_addr()?;
        let other_https_origin = format!("https://{https_address}");
        let onion_host = onion::generate()?;
        let core = Arc::new(Core {
            https_origin: if ip.is_loopback() {
                format!("https://localhost:{}", https_address.port())
            } else {
                other_https_origin.clone()
            },
            other_https_origin,
            onion_origin: format!("http://{onion_host}"),
            onion_host,
            plain_origin: format!("http://{plain_address}"),
            plain_address,
            identity: tls::Identity::generate(ip)?,
            book: offer::OfferBook::default(),
            log: log::Log::new(),
            target,
            stranger,
            wallet,
        });
        tokio::spawn(host::listen(core.clone(), core.target.subscribe()));
        tokio::spawn(server::listen(core.clone(), https, Over::Https));
        tokio::spawn(server::listen(core.clone(), plain, Over::Onion));
        Ok(Service(core))
    }

    /// The certificate of the authority behind the service's own, as PEM text.
    pub fn ca_pem(&self) -> String {
        self.0.identity.ca_pem.clone()
    }

    /// Where the service is over HTTPS, such as `https://localhost:12345`.
    pub fn url(&self) -> String {
        self.0.https_origin.clone()
    }

    /// The onion name that the proxy knows.
    pub fn onion_host(&self) -> String {
        self.0.onion_host.clone()
    }

    pub(crate) fn plain_address(&self) -> SocketAddr {
        self.0.plain_address
    }

    /// Makes an offer with an LNURL and a `k1` of its own.
    pub fn offer(&self, options: OfferOptions) -> ServiceOffer {
        self.offer_of(self.0.target.clone(), options)
    }

    /// Makes an offer that names this node, which opens the channel. It hosts none.
    pub fn offer_from(&self, node: &Node, options: OfferOptions) -> ServiceOffer {
        self.offer_of(node.0.clone(), options)
    }

    fn offer_of(&self, node: Arc<Lightning>, options: OfferOptions) -> ServiceOffer {
        let origin = self.0.origin(options.over);
        let (id, k1) = self.0.book.add(options, node);
        let secret = hex::encode(crate::random::<16>());
        let url = format!("{origin}/offer/{id}?q={secret}");
        ServiceOffer {
            id,
            lnurl: encode_lnurl(&url),
            url,
            k1,
        }
    }

    /// Every HTTP request so far, in the order of their arrival.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.0.log.requests()
    }

    /// Forgets the requests so far.
    pub fn reset_requests(&self) {
        self.0.log.forget_requests();
    }

    /// Waits until there are requests enough, and returns all; none when time is over.
    pub fn wait_for_requests(
        &self,
        timeout: Duration,
        enough: impl FnMut(&[SeenRequest]) -> bool,
    ) -> Option<Vec<SeenRequest>> {
        self.0.log.wait_for_requests(timeout, enough)
    }

    /// Connections and TLS handshakes so far.
    pub fn connection_counts(&self) -> ConnectionCounts {
        self.0.log.counts()
    }

    /// Every message 65535 that the target has received.
    pub fn invocations(&self) -> Vec<Invocation> {
        self.0.log.invocations()
    }

    /// Waits for so many invocations, and returns all; none when time is over.
    pub fn wait_for_invocations(&self, timeout: Duration, count: usize) -> Option<Vec<Invocation>> {
        self.0.log.wait_for_invocations(timeout, count)
    }
}

fn encode_lnurl(url: &str) -> String {
    let human_readable_part = Hrp::parse("lnurl").expect("five letters");
    bech32::encode_upper::<Bech32>(human_readable_part, url.as_bytes())
        .expect("the service's own URLs are short")
}
