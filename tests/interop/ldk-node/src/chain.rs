//! The chain that the row's script has started.

use std::process::Command;

/// The port of its RPC interface.
pub fn rpc_port() -> u16 {
    let port = std::env::var("BITCOIND_RPC_PORT").expect("BITCOIND_RPC_PORT is set");
    port.parse().expect("a port")
}

/// A block's whole reward to `address`, buried so deep that it can be spent.
pub fn pay(address: &str) {
    ask(&["generatetoaddress", "1", address]);
    mine(100);
}

/// Blocks whose reward anybody may spend.
pub fn mine(blocks: u32) {
    ask(&["generatetodescriptor", &blocks.to_string(), "raw(51)"]);
}

fn ask(words: &[&str]) {
    let cli = std::env::var("BITCOIN_CLI").expect("BITCOIN_CLI is set");
    let output = Command::new(cli).args(words).output();
    let output = output.expect("bitcoin-cli runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {error}");
}
