//! The world: HTTP, the journal's files, the wallet's node, threads and randomness. No rule of the
//! protocol stands here.

mod connection;
mod http;
mod journal;
mod node;
pub mod random;
pub mod runtime;
mod settings;
mod tls;
mod wallet;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use connection::{OnConnected, Opened};
pub use http::{Http, HttpCause, HttpError, Session};
pub use journal::{JournalError, Records};
pub use node::{ChannelListener, WalletNode, WalletNodeError};
pub use settings::Config;
pub use wallet::{Running, Wallet, callbacks_on_this_thread};

/// The lock, poisoned or not: no code that runs under our locks leaves a value half changed.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
