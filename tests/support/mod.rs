//! What the tests and the demo share. `wallet` is a wallet on a real LDK node, written as an app
//! would be; `plain` is one without Lightning, whose answers the test sets; `listener` keeps what it
//! hears. `scene` sets up what most tests start from, `crowd` is for many requests at once, and `c`
//! compiles what is not Rust.

pub mod c;
pub mod crowd;
pub mod listener;
pub mod plain;
pub mod scene;
pub mod wallet;
mod watched;

use std::time::Duration;

use lnurl_channel::{BitcoinNetwork, ClientConfig};
use lnurl_channel_testbed::Testbed;
use tempfile::TempDir;

pub use watched::Watched;

/// Longest wait for anything that the testbed does.
pub const LIMIT: Duration = Duration::from_secs(10);

/// A configuration for the testbed's service.
pub fn config_for(testbed: &Testbed) -> ClientConfig {
    ClientConfig {
        network: BitcoinNetwork::Regtest,
        extra_root_certificates: Some(testbed.service().ca_pem()),
        allow_private_hosts: true,
        ..ClientConfig::default()
    }
}

/// A folder in memory, where the system has a place for it: for tests that write much, and lose
/// nothing but processes. A disk would be waited for at each fsync, and other tests with it.
pub fn folder_in_memory() -> TempDir {
    let in_memory = tempfile::tempdir_in("/dev/shm");
    in_memory.or_else(|_| tempfile::tempdir()).unwrap()
}

/// Run a future of the library to its end, as a wallet's own executor would.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime of the test's own")
        .block_on(future)
}
