//! A port that can be closed and opened again, with a thread for each connection.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

type Serve = dyn Fn(TcpStream) + Send + Sync;

/// Closed when dropped.
pub struct Listener {
    address: SocketAddr,
    serve: Arc<Serve>,
    open: Mutex<Option<Open>>,
}

struct Open {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Listener {
    pub fn start(listener: TcpListener, serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let serve: Arc<Serve> = Arc::new(serve);
        Self {
            address: listener.local_addr().unwrap(),
            open: Mutex::new(Some(Open::start(listener, serve.clone()))),
            serve,
        }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Open the port, or close it: then connections are refused.
    pub fn set_open(&self, wanted: bool) {
        let mut open = self.open.lock().unwrap();
        match (wanted, open.take()) {
            (false, Some(opened)) => opened.stop(self.address),
            (true, None) => {
                let listener = TcpListener::bind(self.address);
                let listener = listener.expect("nobody else took the port");
                *open = Some(Open::start(listener, self.serve.clone()));
            }
            (_, unchanged) => *open = unchanged,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.set_open(false);
    }
}

impl Open {
    fn start(listener: TcpListener, serve: Arc<Serve>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let serve = serve.clone();
                thread::spawn(move || serve(stream));
            }
        });
        Self { stop, thread }
    }

    fn stop(self, address: SocketAddr) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread.
        drop(TcpStream::connect(address));
        self.thread.join().unwrap();
    }
}

pub fn bind(ip: IpAddr, port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((ip, port))
}

/// Below the ports that the system gives out by itself, so that none is taken while it is free.
pub fn bind_somewhere(ip: IpAddr) -> TcpListener {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = (std::process::id() % 8000) as u16;
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 20_000 + (first + number % 8000) % 10_000;
        if let Ok(listener) = bind(ip, port) {
            return listener;
        }
    }
}
