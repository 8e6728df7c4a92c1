//! What reached the service, for tests to wait for and to judge.

use super::offer::Over;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    /// The first GET.
    Offer,
    Callback,
    /// Nothing that the service knows.
    Other,
}

/// An HTTP request that the service has read.
#[derive(Debug, Clone)]
pub struct SeenRequest {
    pub offer_id: Option<u64>,
    pub kind: RequestKind,
    pub over: Over,
    pub method: String,
    /// The request target, byte for byte.
    pub target: String,
    /// All headers, in their order, names as they were written.
    pub headers: Vec<(String, String)>,
    /// The connection that it came on, counted from 1.
    pub connection: u64,
    /// Since the testbed started.
    pub at: Duration,
}

/// A message 65535 that the host has received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The offer that its secret belongs to.
    pub offer_id: Option<u64>,
    pub peer_id: String,
    /// Byte for byte, without the message type.
    pub payload: Vec<u8>,
}

/// What happened below HTTP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConnectionCounts {
    /// TCP connections, over either way.
    pub connections: u64,
    /// TLS handshakes that were completed.
    pub tls_handshakes: u64,
    /// Those of them that resumed an earlier session.
    pub tls_resumptions: u64,
}

#[derive(Default)]
struct Seen {
    requests: Vec<SeenRequest>,
    invocations: Vec<Invocation>,
    counts: ConnectionCounts,
}

pub(super) struct Log {
    started: Instant,
    seen: Mutex<Seen>,
    changed: Condvar,
}

impl Log {
    pub(super) fn new() -> Log {
        Log {
            started: Instant::now(),
            seen: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Counts a connection, and returns its number.
    pub(super) fn connection(&self) -> u64 {
        let mut seen = self.seen.lock().unwrap();
        seen.counts.connections += 1;
        seen.counts.connections
    }

    pub(super) fn handshake(&self, resumed: bool) {
        let counts = &mut self.seen.lock().unwrap().counts;
        counts.tls_handshakes += 1;
        counts.tls_resumptions += u64::from(resumed);
    }

    pub(super) fn request(&self, request: SeenRequest) {
        self.seen.lock().unwrap().requests.push(request);
        self.changed.notify_all();
    }

    pub(super) fn invocation(&self, invocation: Invocation) {
        self.seen.lock().unwrap().invocations.push(invocation);
        self.changed.notify_all();
    }

    pub(super) fn forget_requests(&self) {
        self.seen.lock().unwrap().requests.clear();
    }

    pub(super) fn counts(&self) -> ConnectionCounts {
        self.seen.lock().unwrap().counts
    }

    pub(super) fn requests(&self) -> Vec<SeenRequest> {
        self.seen.lock().unwrap().requests.clone()
    }

    pub(super) fn invocations(&self) -> Vec<Invocation> {
        self.seen.lock().unwrap().invocations.clone()
    }

    pub(super) fn wait_for_requests(
        &self,
        timeout: Duration,
        mut enough: impl FnMut(&[SeenRequest]) -> bool,
    ) -> Option<Vec<SeenRequest>> {
        let seen = self.wait(timeout, |seen| enough(&seen.requests))?;
        Some(seen.requests.clone())
    }

    pub(super) fn wait_for_invocations(
        &self,
        timeout: Duration,
        count: usize,
    ) -> Option<Vec<Invocation>> {
        let seen = self.wait(timeout, |seen| seen.invocations.len() >= count)?;
        Some(seen.invocations.clone())
    }

    fn wait(
        &self,
        timeout: Duration,
        mut enough: impl FnMut(&Seen) -> bool,
    ) -> Option<std::sync::MutexGuard<'_, Seen>> {
        let seen = self.seen.lock().unwrap();
        let (seen, waited) = self
            .changed
            .wait_timeout_while(seen, timeout, |seen| !enough(seen))
            .unwrap();
        (!waited.timed_out()).then_some(seen)
    }
}
