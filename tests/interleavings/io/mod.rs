//! `io`, but for four files that are ours: this one, `http`, `random` and `runtime`.

mod http;
#[path = "../../../src/io/journal.rs"]
mod journal;
#[path = "../../../src/io/node.rs"]
mod node;
pub mod random;
pub mod runtime;
#[path = "../../../src/io/settings.rs"]
mod settings;
#[path = "../../../src/io/wallet.rs"]
mod wallet;

use std::sync::{Mutex, MutexGuard, TryLockError};

pub use http::{Http, HttpCause, HttpError, OnConnected, Opened, Service, Session, service};
pub use journal::{JournalError, Records};
pub use node::{ChannelListener, WalletNode, WalletNodeError};
pub use settings::Config;
pub use wallet::{Running, Wallet, callbacks_on_this_thread};

/// Before each lock, and for as long as it is taken, other threads may go on.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    loop {
        shuttle::thread::yield_now();
        match mutex.try_lock() {
            Ok(guard) => return guard,
            Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {}
        }
    }
}
