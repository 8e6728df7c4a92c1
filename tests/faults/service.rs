//! An LNURL service on raw sockets, whose next fault is a value.

use std::io::{self, Read, Write};
use std::net::{IpAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::certificates::{Authority, Flaw};
use super::listener::{Listener, bind_somewhere};

/// The target node of all offers: twice the generator of the curve.
pub const PEER_ID: &str = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5";

/// Longest that a connection is kept, whatever happens on it.
const PATIENCE: Duration = Duration::from_secs(6);
const DRIP_PAUSE: Duration = Duration::from_millis(60);

/// What the service does wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    None,
    /// Nobody listens.
    Refused,
    /// Gone as soon as connected.
    ResetOnConnect,
    /// Gone once the handshake has begun.
    ResetInHandshake,
    ClosedInHandshake,
    /// It accepts, and says nothing, not even TLS.
    SilentBeforeTls,
    /// These bytes where TLS belongs.
    InPlaceOfTls(&'static [u8]),
    Certificate(Flaw),
    /// TLS ends if no request comes with the handshake.
    ClosesIdle,
    /// Gone after the handshake, without a look at the request.
    ResetUnread,
    ResetAfterRequest,
    /// TLS ends in good order, without an answer.
    ClosedAfterRequest,
    Silence,
    /// These bytes, and the end.
    Raw(Vec<u8>),
    /// These bytes, and then silence.
    RawAndSilence(Vec<u8>),
    /// These bytes, one at a time.
    Drip(Vec<u8>),
    /// A redirect; `{port}`, `{next}` and `{other}` stand for this port, the next hop, and the
    /// other one of two.
    Redirect(u16, &'static str),
}

impl Fault {
    /// A whole answer, with whatever body.
    pub fn body(body: impl AsRef<[u8]>) -> Fault {
        Fault::answer(200, "", body)
    }

    pub fn answer(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Fault {
        Fault::Raw(answer(status, headers, body.as_ref()))
    }
}

pub fn answer(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

/// How many requests came in whole, by their sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub offers: usize,
    pub callbacks: usize,
    pub cancels: usize,
    pub hops: usize,
    /// Those of the hosted protocol, at the wallet's node.
    pub messages: usize,
}

type Hook = Box<dyn FnOnce() + Send>;

/// How long a connection stands idle with `ClosesIdle`: what a busy machine needs to write a request.
const IDLE: Duration = Duration::from_millis(500);

struct Shared {
    port: u16,
    /// Where it is reached, as its offers name it.
    base: String,
    tls: Option<Authority>,
    hosted: bool,
    fault: Mutex<Fault>,
    seen: Mutex<Seen>,
    /// How often the wallet's node has connected.
    connects: Arc<AtomicUsize>,
    /// Callbacks for which the node had not connected.
    early: AtomicUsize,
    on_callback: Mutex<Option<Hook>>,
    struck: AtomicBool,
}

pub struct Service {
    shared: Arc<Shared>,
    listener: Listener,
}

impl Service {
    /// `base` is its URL up to the port, which follows unless it ends in a slash.
    pub fn start(
        ip: IpAddr,
        base: &str,
        tls: Option<Authority>,
        hosted: bool,
        connects: Arc<AtomicUsize>,
    ) -> Service {
        let listener = bind_somewhere(ip);
        let port = listener.local_addr().unwrap().port();
        let base = match base.strip_suffix('/') {
            Some(base) => base.to_owned(),
            None => format!("{base}:{port}"),
        };
        let shared = Arc::new(Shared {
            port,
            base,
            tls,
            hosted,
            fault: Mutex::new(Fault::None),
            seen: Mutex::default(),
            connects,
            early: AtomicUsize::new(0),
            on_callback: Mutex::default(),
            struck: AtomicBool::new(false),
        });
        let serving = shared.clone();
        let listener = Listener::start(listener, move |stream| serving.serve(stream));
        Service { shared, listener }
    }

    pub fn port(&self) -> u16 {
        self.shared.port
    }

    pub fn url(&self) -> String {
        format!("{}/offer?q=hush", self.shared.base)
    }

    pub fn seen(&self) -> Seen {
        *self.shared.seen.lock().unwrap()
    }

    /// How many callbacks came before their `connect` had returned true.
    pub fn early_callbacks(&self) -> usize {
        self.shared.early.load(Ordering::SeqCst)
    }

    /// Whether the fault that is set, if one is, has met somebody.
    pub fn has_struck(&self) -> bool {
        let fault = self.shared.fault.lock().unwrap();
        // Where nobody listens, nobody can tell.
        let untold = matches!(*fault, Fault::None | Fault::Refused);
        untold || self.shared.struck.load(Ordering::SeqCst)
    }

    /// Called when the next callback has come in, before it is answered.
    pub fn on_callback(&self, hook: Hook) {
        *self.shared.on_callback.lock().unwrap() = Some(hook);
    }

    pub fn set(&self, fault: Fault) {
        let refuses = matches!(fault, Fault::Refused);
        *self.shared.fault.lock().unwrap() = fault;
        self.listener.set_open(!refuses);
    }
}

/// End a connection with a reset.
pub fn reset(stream: &TcpStream) {
    let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

/// Read until the other side goes.
pub fn drain(stream: &mut impl Read) {
    let mut buffer = [0; 1024];
    while matches!(stream.read(&mut buffer), Ok(1..)) {}
}

trait Duplex: Read + Write {}
impl<T: Read + Write> Duplex for T {}

impl Shared {
    fn serve(&self, stream: TcpStream) {
        let _ = stream.set_read_timeout(Some(PATIENCE));
        let _ = stream.set_nodelay(true);
        let fault = self.fault.lock().unwrap().clone();
        if !matches!(fault, Fault::None | Fault::ClosesIdle) {
            self.struck.store(true, Ordering::SeqCst);
        }
        // What becomes of a connection shows at the other end.
        let _ = self.exchange(stream, fault);
    }

    fn exchange(&self, mut stream: TcpStream, fault: Fault) -> io::Result<()> {
        let socket = stream.try_clone()?;
        match fault {
            Fault::ResetOnConnect => reset(&stream),
            Fault::ResetInHandshake => {
                stream.peek(&mut [0])?;
                reset(&stream);
            }
            Fault::ClosedInHandshake => {
                let mut hello = [0; 4096];
                let _ = stream.read(&mut hello)?;
            }
            Fault::SilentBeforeTls => drain(&mut stream),
            Fault::InPlaceOfTls(bytes) => {
                stream.write_all(bytes)?;
                stream.shutdown(std::net::Shutdown::Write)?;
                drain(&mut stream);
            }
            _ => match &self.tls {
                None => self.speak(&mut stream, &socket, fault)?,
                Some(authority) => {
                    let flaw = match &fault {
                        Fault::Certificate(flaw) => Some(*flaw),
                        _ => None,
                    };
                    let mut tls = accept_tls(stream, authority.server(flaw))?;
                    self.speak(&mut tls, &socket, fault)?;
                }
            },
        }
        Ok(())
    }

    fn speak(&self, stream: &mut dyn Duplex, socket: &TcpStream, fault: Fault) -> io::Result<()> {
        if matches!(fault, Fault::ResetUnread) {
            reset(socket);
            return socket.shutdown(std::net::Shutdown::Both);
        }
        let closes_idle = matches!(fault, Fault::ClosesIdle);
        if closes_idle {
            socket.set_read_timeout(Some(IDLE))?;
        }
        let target = match read_target(stream) {
            Err(_) if closes_idle => {
                self.struck.store(true, Ordering::SeqCst);
                return socket.shutdown(std::net::Shutdown::Write);
            }
            target => target?,
        };
        socket.set_read_timeout(Some(PATIENCE))?;
        self.note(&target);
        match fault {
            Fault::ResetAfterRequest => {
                reset(socket);
                // The library that speaks TLS must not say goodbye.
                return socket.shutdown(std::net::Shutdown::Both);
            }
            Fault::ClosedAfterRequest => {}
            Fault::Silence => drain(&mut ReadOf(stream)),
            Fault::Raw(bytes) => send(stream, &bytes)?,
            Fault::RawAndSilence(bytes) => {
                send(stream, &bytes)?;
                drain(&mut ReadOf(stream));
            }
            Fault::Drip(bytes) => {
                for byte in bytes {
                    send(stream, &[byte])?;
                    thread::sleep(DRIP_PAUSE);
                }
            }
            Fault::Redirect(status, location) => {
                let location = self.fill_in(location, &target);
                let header = format!("Location: {location}\r\n");
                send(stream, &answer(status, &header, b""))?;
            }
            _ => {
                let body = self.healthy(&target);
                send(stream, &answer(200, "", body.as_bytes()))?;
            }
        }
        socket.shutdown(std::net::Shutdown::Write)?;
        // So that what was sent is not lost in a reset.
        drain(&mut ReadOf(stream));
        Ok(())
    }

    fn note(&self, target: &str) {
        let mut seen = self.seen.lock().unwrap();
        if target.starts_with("/offer") {
            seen.offers += 1;
        } else if target.starts_with("/hop") {
            seen.hops += 1;
        } else if target.contains("&cancel=1") {
            seen.cancels += 1;
        } else {
            seen.callbacks += 1;
            let is_early = self.connects.load(Ordering::SeqCst) < seen.callbacks;
            self.early.fetch_add(is_early.into(), Ordering::SeqCst);
            drop(seen);
            let hook = self.on_callback.lock().unwrap().take();
            if let Some(hook) = hook {
                hook();
            }
        }
    }

    fn healthy(&self, target: &str) -> String {
        if !target.starts_with("/offer") {
            return r#"{"status":"OK"}"#.to_owned();
        }
        offer(self.hosted).replace("{base}", &self.base)
    }

    fn fill_in(&self, location: &str, target: &str) -> String {
        let hop = target.strip_prefix("/hop/").and_then(|n| n.parse().ok());
        let next = hop.map_or(0, |hop: usize| hop + 1);
        location
            .replace("{base}", &self.base)
            .replace("{port}", &self.port.to_string())
            .replace("{next}", &next.to_string())
            .replace("{other}", &(next % 2).to_string())
            .replace("{self}", target)
    }
}

/// The offer that is made, with `{base}` for the service's own address.
pub fn offer(hosted: bool) -> String {
    let uri = format!("{PEER_ID}@peer.example:9735");
    match hosted {
        true => format!(r#"{{"tag":"hostedChannelRequest","uri":"{uri}","k1":"00ff"}}"#),
        false => format!(
            r#"{{"tag":"channelRequest","uri":"{uri}","callback":"{{base}}/callback","k1":"k1"}}"#
        ),
    }
}

struct ReadOf<'a>(&'a mut dyn Duplex);

impl Read for ReadOf<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

fn send(stream: &mut dyn Duplex, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes)?;
    stream.flush()
}

fn accept_tls(
    stream: TcpStream,
    config: Arc<ServerConfig>,
) -> io::Result<StreamOwned<ServerConnection, TcpStream>> {
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut tls = StreamOwned::new(connection, stream);
    while tls.conn.is_handshaking() {
        tls.conn.complete_io(&mut tls.sock)?;
    }
    Ok(tls)
}

/// The target of a request that came in whole.
fn read_target(stream: &mut dyn Duplex) -> io::Result<String> {
    let head = read_head(stream)?;
    Ok(head.split(' ').nth(1).unwrap_or_default().to_owned())
}

pub fn read_head(stream: &mut (impl Read + ?Sized)) -> io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
