//! A TCP proxy that makes the way to a port on this machine as long as one through the world.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

type Chunk = (Instant, Vec<u8>);

/// A port from which every byte arrives at `target`, and every answer at its caller, `delay` later.
///
/// Loopback connects at once. What is sent before the round trip of a TCP handshake would be over
/// waits until then.
pub fn delayed(target: SocketAddr, delay: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for near in listener.incoming() {
            // A connection that is gone already concerns nobody.
            let _ = near.and_then(|near| join(near, target, delay));
        }
    });
    port
}

fn join(near: TcpStream, target: SocketAddr, delay: Duration) -> io::Result<()> {
    let connected_at = Instant::now() + 2 * delay;
    let far = TcpStream::connect(target)?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    carry(near.try_clone()?, far.try_clone()?, connected_at, delay);
    carry(far, near, connected_at, delay);
    Ok(())
}

fn carry(from: TcpStream, to: TcpStream, not_before: Instant, delay: Duration) {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || take_in(from, &sender, not_before, delay));
    thread::spawn(move || hand_on(to, &receiver));
}

fn take_in(mut from: TcpStream, sender: &Sender<Chunk>, not_before: Instant, delay: Duration) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        let due = Instant::now().max(not_before) + delay;
        if sender.send((due, bytes[..length].to_vec())).is_err() {
            return;
        }
    }
}

fn hand_on(mut to: TcpStream, receiver: &Receiver<Chunk>) {
    for (due, bytes) in receiver {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            return;
        }
    }
    // The other end is told, unless it has gone.
    let _ = to.shutdown(Shutdown::Write);
}
