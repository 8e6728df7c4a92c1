//! The engine, but for four files that are ours: this one, `http`, `random` and `runtime`.

#[path = "../../../src/engine/calls.rs"]
mod calls;
#[path = "../../../src/engine/driver.rs"]
mod driver;
#[path = "../../../src/engine/events.rs"]
mod events;
#[path = "../../../src/engine/fetch.rs"]
mod fetch;
mod http;
#[path = "../../../src/engine/journal.rs"]
mod journal;
mod random;
#[path = "../../../src/engine/record.rs"]
mod record;
mod runtime;
#[path = "../../../src/engine/settings.rs"]
mod settings;
#[path = "../../../src/engine/table.rs"]
mod table;
#[path = "../../../src/engine/tasks.rs"]
mod tasks;
#[path = "../../../src/engine/wallet.rs"]
mod wallet;

use std::sync::{Mutex, MutexGuard, TryLockError};

pub use driver::Engine;
pub use http::Service;
pub use settings::Settings;
pub use wallet::{WalletNode, WalletNodeError};

/// Before each lock, and for as long as it is taken, other threads may go on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    loop {
        shuttle::thread::yield_now();
        match mutex.try_lock() {
            Ok(guard) => return guard,
            Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {}
        }
    }
}

/// What the service of this engine has seen.
pub fn service(engine: &Engine) -> Service {
    engine.http.service()
}

/// Fetches that the engine keeps for those who wait.
pub fn shared_fetches(engine: &Engine) -> usize {
    lock(&engine.fetches).len()
}
