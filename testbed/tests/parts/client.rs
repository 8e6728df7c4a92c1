//! A hand-made wallet: one GET per connection, and the few steps of LUD-02.

use lnurl_channel_testbed::{
    Habit, Node, NodeEvent, OfferOptions, Service, ServiceOffer, Step, Testbed,
};
use serde_json::Value;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// More than anything here takes: it only bounds a failure.
pub const LONG: Duration = Duration::from_secs(10);

pub struct Client {
    tls: Arc<ClientConfig>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn is_ok(&self) -> bool {
        self.json()["status"] == "OK"
    }

    pub fn reason(&self) -> String {
        self.json()["reason"].as_str().unwrap().to_owned()
    }

    pub fn location(&self) -> Option<&str> {
        self.head
            .lines()
            .find_map(|line| line.strip_prefix("Location: "))
    }
}

impl Client {
    pub fn new(service: &Service) -> Client {
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_slice(service.ca_pem().as_bytes()).unwrap();
        roots.add(ca).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Client {
            tls: Arc::new(config),
        }
    }

    /// GETs an `https` URL.
    pub fn get(&self, url: &str) -> io::Result<Answer> {
        let (authority, target) = split_url(url);
        let (host, _port) = authority.rsplit_once(':').unwrap();
        let name = host.to_owned().try_into().unwrap();
        let tls = ClientConnection::new(self.tls.clone(), name).unwrap();
        let stream = StreamOwned::new(tls, connect(authority)?);
        exchange(stream, target, authority)
    }
}

pub fn connect(authority: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(authority)?;
    stream.set_read_timeout(Some(LONG))?;
    Ok(stream)
}

/// `authority` and the rest of a URL.
pub fn split_url(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").unwrap().1;
    rest.split_at(rest.find('/').unwrap())
}

/// Sends one GET, and reads the answer up to the length that it tells.
pub fn exchange(
    mut stream: impl Read + Write,
    target: &str,
    authority: &str,
) -> io::Result<Answer> {
    write!(
        stream,
        "GET {target} HTTP/1.1\r\nHost: {authority}\r\nAccept: application/json\r\n\r\n"
    )?;
    stream.flush()?;
    read_answer(&mut stream)
}

pub fn read_answer(stream: &mut impl Read) -> io::Result<Answer> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body)?;
    Ok(Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        body: String::from_utf8(body).unwrap(),
        head,
    })
}

/// A testbed with one offer, its wallet connected with the target.
pub struct Scene {
    pub testbed: Testbed,
    pub client: Client,
    pub offer: ServiceOffer,
}

impl Scene {
    pub fn new(options: OfferOptions) -> Scene {
        let testbed = Testbed::start().unwrap();
        let client = Client::new(&testbed.service());
        let offer = testbed.service().offer(options);
        assert!(connect_nodes(&testbed.wallet(), &testbed.target()));
        Scene {
            testbed,
            client,
            offer,
        }
    }

    pub fn with(habit: Habit) -> Scene {
        Scene::new(OfferOptions {
            habits: vec![habit],
            ..Default::default()
        })
    }

    pub fn with_at_offer(habit: Habit) -> Scene {
        Scene::new(OfferOptions {
            habits: vec![habit],
            fault_step: Step::Offer,
            ..Default::default()
        })
    }

    pub fn fetch(&self) -> Answer {
        self.client.get(&self.offer.url).unwrap()
    }

    /// The callback with `parameters` behind `k1` and `remoteid`.
    pub fn callback_url(&self, parameters: &str) -> String {
        let offer = self.fetch().json();
        let callback = offer["callback"].as_str().unwrap();
        let separator = if callback.contains('?') { '&' } else { '?' };
        let k1 = offer["k1"].as_str().unwrap();
        let remote_id = self.testbed.wallet().id();
        format!("{callback}{separator}k1={k1}&remoteid={remote_id}&{parameters}")
    }

    pub fn call_back(&self, parameters: &str) -> io::Result<Answer> {
        self.client.get(&self.callback_url(parameters))
    }

    pub fn wallet_event(&self) -> NodeEvent {
        next_event(&self.testbed.wallet(), LONG).unwrap()
    }

    /// Takes the next event, which is a proposal, and returns who made it, its id, and whether it
    /// is announced.
    pub fn proposal(&self) -> (String, String, bool) {
        match self.wallet_event() {
            NodeEvent::OpenChannelRequest {
                peer_id,
                channel_id,
                is_announced,
                ..
            } => (peer_id, channel_id, is_announced),
            other => panic!("not a proposal: {other:?}"),
        }
    }

    pub fn accept_proposal(&self) -> String {
        let (peer_id, channel_id, _) = self.proposal();
        let accepted = self.testbed.wallet().accept_channel(&peer_id, &channel_id);
        accepted.unwrap();
        channel_id
    }

    pub fn reject_proposal(&self) -> String {
        let (peer_id, channel_id, _) = self.proposal();
        let rejected = self.testbed.wallet().reject_channel(&peer_id, &channel_id);
        rejected.unwrap();
        channel_id
    }

    pub fn expect_pending(&self, temporary_channel_id: String) {
        match self.wallet_event() {
            NodeEvent::ChannelPending {
                former_channel_id, ..
            } => assert_eq!(former_channel_id, Some(temporary_channel_id)),
            other => panic!("not pending: {other:?}"),
        }
    }

    pub fn expect_no_proposal(&self) {
        assert_eq!(next_event(&self.testbed.wallet(), Duration::ZERO), None);
    }
}

/// The next event after the connections that came about.
pub fn next_event(node: &Node, timeout: Duration) -> Option<NodeEvent> {
    loop {
        let event = node.next_event(timeout)?;
        if !matches!(event, NodeEvent::PeerConnected { .. }) {
            return Some(event);
        }
    }
}

pub fn connect_nodes(from: &Node, to: &Node) -> bool {
    let address = to.address();
    from.connect(&to.id(), &address.ip().to_string(), address.port())
}
