//! The only layer that does I/O: HTTP, the journal on disk, the wallet's node, and the driver that
//! runs the flow between them.

mod calls;
mod crypto;
mod driver;
mod events;
mod fetch;
mod http;
mod journal;
mod random;
mod record;
pub mod runtime;
mod settings;
mod table;
mod tasks;
mod wallet;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use driver::Engine;
pub use settings::Settings;
pub use wallet::{WalletNode, WalletNodeError};

/// The lock, poisoned or not: no code that runs under our locks leaves a value half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
