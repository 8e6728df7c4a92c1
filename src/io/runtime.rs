//! The one runtime, started with the first async call.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::OnceLock;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::JoinHandle;

/// Threads at most, started on demand: for calls into wallets, which take 192 of them at most, for steps of
/// the core, one at a time of each client, and for name look-ups.
const BLOCKING_THREADS: usize = 256;

/// Calls into wallets at once, of all clients together: methods that never return must not take every
/// thread that a step of the core could have.
static CALLS: Semaphore = Semaphore::const_new(192);

const THREAD_NAME: &str = "lnurl-channel";

static RUNTIME: OnceLock<Option<Handle>> = OnceLock::new();

fn runtime() -> Option<&'static Handle> {
    RUNTIME.get_or_init(start).as_ref()
}

/// One thread of ours drives tokio's single-threaded scheduler: the one for several threads does no
/// more with one of them, and makes the library larger.
fn start() -> Option<Handle> {
    let runtime = Builder::new_current_thread()
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_name(THREAD_NAME)
        .enable_io()
        .enable_time()
        .build()
        .ok()?;
    let handle = runtime.handle().clone();
    let drive = move || runtime.block_on(pending::<()>());
    let thread = thread::Builder::new().name(THREAD_NAME.into());
    thread.spawn(drive).ok()?;
    Some(handle)
}

/// Held while a method of a wallet runs.
pub async fn room_for_a_call() -> Option<SemaphorePermit<'static>> {
    // Nothing closes it.
    CALLS.acquire().await.ok()
}

/// Run `work` on a thread that may wait, and not on the one that serves the sockets of all clients.
pub fn off_the_sockets_thread(work: Box<dyn FnOnce() + Send>) -> JoinHandle<()> {
    tokio::task::spawn_blocking(work)
}

/// Run `future` on the runtime; None where the system gives no threads.
pub fn spawn<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> Option<JoinHandle<T>> {
    // Boxed, since the library would hold the runtime's code once for each sort of future.
    let future: Pin<Box<dyn Future<Output = T> + Send>> = Box::pin(future);
    Some(runtime()?.spawn(future))
}
