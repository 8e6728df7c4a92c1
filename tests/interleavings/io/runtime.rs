//! Shuttle's scheduler as the runtime.

use std::future::Future;

use tokio::task::JoinHandle;

pub async fn off_the_sockets_thread(work: Box<dyn FnOnce() + Send>) -> bool {
    tokio::task::spawn_blocking(work).await.is_ok()
}

pub fn spawn<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> Option<JoinHandle<T>> {
    Some(tokio::spawn(future))
}
