//! A port on loopback that can be closed and opened again, with a thread for each connection.

use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

type Serve = dyn Fn(TcpStream) + Send + Sync;

/// Closed when dropped.
pub struct Listener {
    port: u16,
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
            port: listener.local_addr().unwrap().port(),
            open: Mutex::new(Some(Open::start(listener, serve.clone()))),
            serve,
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Open the port, or close it: then connections are refused.
    pub fn set_open(&self, wanted: bool) {
        let mut open = self.open.lock().unwrap();
        match (wanted, open.take()) {
            (false, Some(opened)) => opened.stop(self.port),
            (true, None) => {
                let listener = TcpListener::bind(("127.0.0.1", self.port));
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

    fn stop(self, port: u16) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread.
        drop(TcpStream::connect(("127.0.0.1", port)));
        self.thread.join().unwrap();
    }
}

/// Below the ports that the system gives out by itself, so that none is taken while it is free.
pub fn bind_somewhere() -> TcpListener {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = (std::process::id() % 8000) as u16;
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 20_000 + (first + number % 8000) % 10_000;
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return listener;
        }
    }
}
