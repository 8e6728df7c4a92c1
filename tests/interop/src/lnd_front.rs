//! The two routes of LND's REST interface that an LNURL service needs, in front of another node.

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use lnurl_channel_testbed::{Node, OpenChannel};
use serde_json::{Value, json};
use tiny_http::{Method, Request, Response, Server};

use crate::support::{LIMIT, Watched};

/// How the node takes a request to open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reaction {
    /// Opens, and answers once the channel is funded, as LND does.
    Open,
    /// Opens, and keeps the answer back until told otherwise.
    OpenAndHold,
    /// Does nothing until told otherwise.
    Hold,
    /// Answers as LND does where it can't open.
    Fail,
}

/// A channel that the service asked the node for.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub peer_id: String,
    pub capacity_sat: u64,
    pub push_sat: u64,
    pub private: bool,
}

/// A node that opens channels for the service.
pub trait Opener: Send + Sync {
    fn id(&self) -> String;

    /// `node_id@host:port`.
    fn uri(&self) -> String;

    /// Returns once the channel is funded, as LND does, with an id of it; or why it is not.
    fn open(&self, asked: &Asked) -> Result<String, String>;
}

/// A node of the testbed.
impl Opener for Node {
    fn id(&self) -> String {
        Node::id(self)
    }

    fn uri(&self) -> String {
        Node::uri(self)
    }

    fn open(&self, asked: &Asked) -> Result<String, String> {
        let opening = self.open_channel(OpenChannel {
            peer_id: asked.peer_id.clone(),
            capacity_sat: asked.capacity_sat,
            push_msat: asked.push_sat * 1000,
            announced: !asked.private,
        })?;
        opening.wait_until_funded(Duration::from_secs(20))
    }
}

struct Core {
    node: Box<dyn Opener>,
    reaction: Mutex<Reaction>,
    changed: Condvar,
    asked: Watched<Asked>,
    funded: Watched<String>,
    failed: Watched<String>,
}

pub struct LndFront {
    core: Arc<Core>,
    address: SocketAddr,
}

impl LndFront {
    pub fn start(node: impl Opener + 'static) -> Self {
        let server = Server::http("127.0.0.1:0").expect("loopback has a port");
        let address = server.server_addr().to_ip().expect("an address");
        let core = Arc::new(Core {
            node: Box::new(node),
            reaction: Mutex::new(Reaction::Open),
            changed: Condvar::new(),
            asked: Watched::default(),
            funded: Watched::default(),
            failed: Watched::default(),
        });
        let serving = core.clone();
        std::thread::spawn(move || {
            for request in server.incoming_requests() {
                let core = serving.clone();
                std::thread::spawn(move || core.serve(request));
            }
        });
        Self { core, address }
    }

    /// How the npm package's backend for LND reaches it.
    pub fn backend(&self) -> Value {
        json!({"baseUrl": format!("http://{}", self.address), "macaroon": {"data": "00"}})
    }

    pub fn react(&self, reaction: Reaction) {
        *self.core.reaction.lock().unwrap() = reaction;
        self.core.changed.notify_all();
    }

    /// All channels that the service asked for.
    pub fn asked(&self) -> Vec<Asked> {
        self.core.asked.all()
    }

    pub fn wait_for_asked(&self, count: usize) -> Asked {
        assert!(self.core.asked.wait_until(|asked| asked.len() >= count));
        self.asked().remove(count - 1)
    }

    /// The ids of all channels that were funded.
    pub fn funded(&self) -> Vec<String> {
        self.core.funded.all()
    }

    /// Why the node has opened no channel, once for each.
    pub fn failed(&self) -> Vec<String> {
        self.core.failed.all()
    }

    pub fn wait_for_funded(&self, count: usize) -> String {
        assert!(self.core.funded.wait_until(|funded| funded.len() >= count));
        self.funded().remove(count - 1)
    }
}

impl Core {
    fn serve(&self, mut request: Request) {
        let (status, answer) = match (request.method(), request.url()) {
            (Method::Get, "/v1/getinfo") => (200, self.info()),
            (Method::Post, "/v1/channels") => self.open(&read(&mut request)),
            _ => (404, error("Not Found")),
        };
        let json = "Content-Type: application/json".parse();
        let json: tiny_http::Header = json.expect("a header");
        let response = Response::from_string(answer.to_string())
            .with_status_code(status)
            .with_header(json);
        // The service may have gone.
        let _ = request.respond(response);
    }

    fn info(&self) -> Value {
        json!({"identity_pubkey": self.node.id(), "uris": [self.node.uri()]})
    }

    fn open(&self, body: &Value) -> (u16, Value) {
        let asked = Asked {
            peer_id: body["node_pubkey_string"].as_str().unwrap_or("").to_owned(),
            capacity_sat: body["local_funding_amount"].as_u64().unwrap_or(0),
            push_sat: body["push_sat"].as_u64().unwrap_or(0),
            private: body["private"].as_bool().unwrap_or(false),
        };
        self.asked.push(asked.clone());
        let opened = match self.reaction_after(Reaction::Hold) {
            Reaction::Fail => {
                Err("not enough witness outputs to create funding transaction".into())
            }
            _ => self.fund(&asked),
        };
        self.reaction_after(Reaction::OpenAndHold);
        match opened {
            Ok(channel_id) => (
                200,
                json!({"funding_txid_str": channel_id, "output_index": 0}),
            ),
            Err(reason) => {
                self.failed.push(reason.clone());
                (500, error(&reason))
            }
        }
    }

    /// The reaction, once it is not, or no longer, the given one.
    fn reaction_after(&self, held: Reaction) -> Reaction {
        let reaction = self.reaction.lock().unwrap();
        let waited = self
            .changed
            .wait_timeout_while(reaction, LIMIT * 3, |reaction| *reaction == held);
        *waited.unwrap().0
    }

    fn fund(&self, asked: &Asked) -> Result<String, String> {
        let channel_id = self.node.open(asked)?;
        self.funded.push(channel_id.clone());
        Ok(channel_id)
    }
}

fn read(request: &mut Request) -> Value {
    serde_json::from_reader(request.as_reader()).unwrap_or(Value::Null)
}

fn error(reason: &str) -> Value {
    json!({"code": 2, "message": reason, "details": []})
}
