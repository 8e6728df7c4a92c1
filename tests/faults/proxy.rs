//! A proxy, SOCKS5 and HTTP on one port, which leads every name to the service.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::listener::{Listener, bind_somewhere};
use super::service::{drain, read_head, reset};

/// What the proxy does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyFault {
    None,
    /// Nobody listens.
    Down,
    ResetOnConnect,
    Silence,
    /// It knows no way to let us in: no acceptable method, or 407.
    Unauthorised,
    /// It cannot reach the service, or does not want to.
    Refuses,
    /// It says nothing once it was told where to.
    HangsOnConnect,
    Garbage,
    /// Its answer ends in the middle.
    Truncated,
    Drip,
}

struct Shared {
    target: u16,
    fault: Mutex<ProxyFault>,
    struck: AtomicBool,
}

pub struct Proxy {
    shared: Arc<Shared>,
    listener: Listener,
}

impl Proxy {
    pub fn start(target: u16) -> Proxy {
        let shared = Arc::new(Shared {
            target,
            fault: Mutex::new(ProxyFault::None),
            struck: AtomicBool::new(false),
        });
        let serving = shared.clone();
        let listener = bind_somewhere(Ipv4Addr::LOCALHOST.into());
        let listener = Listener::start(listener, move |stream| {
            // A connection that breaks is the other side's affair.
            let _ = serving.serve(stream);
        });
        Proxy { shared, listener }
    }

    pub fn port(&self) -> u16 {
        self.listener.port()
    }

    /// Whether the fault that is set, if one is, has met somebody.
    pub fn has_struck(&self) -> bool {
        let fault = *self.shared.fault.lock().unwrap();
        let untold = matches!(fault, ProxyFault::None | ProxyFault::Down);
        untold || self.shared.struck.load(Ordering::SeqCst)
    }

    pub fn set(&self, fault: ProxyFault) {
        *self.shared.fault.lock().unwrap() = fault;
        self.listener.set_open(fault != ProxyFault::Down);
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(6)))?;
        let fault = *self.fault.lock().unwrap();
        if fault != ProxyFault::None {
            self.struck.store(true, Ordering::SeqCst);
        }
        match fault {
            ProxyFault::ResetOnConnect => {
                reset(&stream);
                return Ok(());
            }
            ProxyFault::Silence => {
                drain(&mut stream);
                return Ok(());
            }
            ProxyFault::Garbage => {
                stream.write_all(b"\x00\xff\x00\xffwhat is a proxy?\r\n\r\n")?;
                stream.shutdown(Shutdown::Write)?;
                drain(&mut stream);
                return Ok(());
            }
            _ => {}
        }
        let mut first = [0];
        stream.peek(&mut first)?;
        match first {
            [5] => self.socks(stream, fault),
            [b'C'] => self.connect(stream, fault),
            _ => self.join(stream),
        }
    }

    fn socks(&self, mut stream: TcpStream, fault: ProxyFault) -> io::Result<()> {
        let mut greeting = [0; 2];
        stream.read_exact(&mut greeting)?;
        let mut methods = vec![0; greeting[1].into()];
        stream.read_exact(&mut methods)?;
        if fault == ProxyFault::Unauthorised {
            return self.last_words(stream, &[5, 0xff]);
        }
        assert!(
            methods.contains(&2),
            "each request has credentials of its own"
        );
        stream.write_all(&[5, 2])?;
        read_credentials(&mut stream)?;
        let mut asked = [0; 4];
        stream.read_exact(&mut asked)?;
        let length = match asked[3] {
            1 => 4,
            4 => 16,
            _ => {
                let mut length = [0];
                stream.read_exact(&mut length)?;
                length[0].into()
            }
        };
        stream.read_exact(&mut vec![0; length + 2])?;
        let refused = [5, 5, 0, 1, 0, 0, 0, 0, 0, 0];
        let granted = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        self.answer(stream, fault, &refused, &granted)
    }

    fn connect(&self, mut stream: TcpStream, fault: ProxyFault) -> io::Result<()> {
        read_head(&mut stream)?;
        if fault == ProxyFault::Unauthorised {
            return self.last_words(stream, b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n");
        }
        let refused = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";
        self.answer(stream, fault, refused, b"HTTP/1.1 200 OK\r\n\r\n")
    }

    fn answer(
        &self,
        mut stream: TcpStream,
        fault: ProxyFault,
        refused: &[u8],
        granted: &[u8],
    ) -> io::Result<()> {
        match fault {
            ProxyFault::Refuses => self.last_words(stream, refused),
            ProxyFault::Truncated => self.last_words(stream, &granted[..5]),
            ProxyFault::HangsOnConnect => {
                drain(&mut stream);
                Ok(())
            }
            ProxyFault::Drip => {
                for byte in granted {
                    stream.write_all(&[*byte])?;
                    thread::sleep(Duration::from_millis(250));
                }
                drain(&mut stream);
                Ok(())
            }
            _ => {
                stream.write_all(granted)?;
                self.join(stream)
            }
        }
    }

    fn last_words(&self, mut stream: TcpStream, words: &[u8]) -> io::Result<()> {
        stream.write_all(words)?;
        stream.shutdown(Shutdown::Write)?;
        drain(&mut stream);
        Ok(())
    }

    fn join(&self, stream: TcpStream) -> io::Result<()> {
        let service = TcpStream::connect(("127.0.0.1", self.target))?;
        let (from, to) = (stream.try_clone()?, service.try_clone()?);
        let there = thread::spawn(move || pass(from, to));
        pass(service, stream);
        there.join().unwrap();
        Ok(())
    }
}

/// A user name and a password, whatever they are.
fn read_credentials(stream: &mut TcpStream) -> io::Result<()> {
    stream.read_exact(&mut [0])?;
    for _ in 0..2 {
        let mut length = [0];
        stream.read_exact(&mut length)?;
        stream.read_exact(&mut vec![0; length[0].into()])?;
    }
    stream.write_all(&[1, 0])
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
