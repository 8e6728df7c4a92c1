//! Futures of the wallet that wait for an answer.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use litemap::LiteMap;
use lnurl_channel_core::Waiter;
use tokio::sync::oneshot;

use crate::io::lock;

pub struct Waiters<T> {
    next: AtomicU64,
    waiting: Mutex<LiteMap<Waiter, oneshot::Sender<T>>>,
}

impl<T> Waiters<T> {
    pub fn new() -> Self {
        Self {
            next: AtomicU64::new(0),
            waiting: Mutex::default(),
        }
    }

    /// A number that no other waiter has.
    pub fn next(&self) -> Waiter {
        Waiter(self.next.fetch_add(1, Ordering::Relaxed))
    }

    pub fn add(&self, waiter: Waiter, answer: oneshot::Sender<T>) {
        lock(&self.waiting).insert(waiter, answer);
    }

    /// Its way to be answered; none if it has left, or was answered.
    pub fn take(&self, waiter: Waiter) -> Option<oneshot::Sender<T>> {
        lock(&self.waiting).remove(&waiter)
    }
}
