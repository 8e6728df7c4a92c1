//! Shuttle's scheduler as the runtime.

use std::future::Future;

use tokio::task::JoinHandle;

/// There are few clients, and no method hangs.
pub async fn room_for_a_call() {}

pub fn off_the_sockets_thread(work: Box<dyn FnOnce() + Send>) -> JoinHandle<()> {
    tokio::task::spawn_blocking(work)
}

pub fn spawn<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> Option<JoinHandle<T>> {
    Some(tokio::spawn(future))
}
