//! The way from blocking callers, on any thread, to the testbed's own runtime.

use std::sync::mpsc;
use tokio::runtime::Handle;

/// Runs `future` on the runtime and waits for it; none once the testbed has stopped.
///
/// Unlike `Handle::block_on`, it may be called from within another runtime.
pub(crate) fn run<T: Send + 'static>(
    runtime: &Handle,
    future: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    runtime.spawn(async move { sender.send(future.await) });
    receiver.recv().ok()
}
