//! The one runtime, started with the first async call.

use std::future::Future;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};
use tokio::task::{AbortHandle, JoinHandle};

/// Threads at most, started on demand, for calls into wallets (which each client bounds by itself)
/// and for name look-ups.
const BLOCKING_THREADS: usize = 256;

static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();

fn runtime() -> Option<&'static Runtime> {
    let start = || {
        Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name("lnurl-channel")
            .enable_io()
            .enable_time()
            .build()
            .ok()
    };
    RUNTIME.get_or_init(start).as_ref()
}

/// Run `future` on the runtime; None where the system gives no threads.
pub fn spawn<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> Option<JoinHandle<T>> {
    Some(runtime()?.spawn(future))
}

/// A task that ends when this is dropped.
pub struct Job(Option<AbortHandle>);

impl Job {
    pub fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Option<Self> {
        Some(Self::of(spawn(future)?.abort_handle()))
    }

    /// Ends the task with this.
    pub fn of(task: AbortHandle) -> Self {
        Self(Some(task))
    }

    /// Let the task run out by itself.
    pub fn detach(mut self) {
        self.0 = None;
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}
