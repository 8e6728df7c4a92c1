//! The chain that the row's script has started.

use std::process::Command;

use crate::app::wait_for;

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

pub fn height() -> u32 {
    ask(&["getblockcount"]).trim().parse().expect("a number")
}

/// A block with this transaction, once it is broadcast.
pub fn confirm(transaction: &str) {
    wait_for("the transaction", || {
        ask(&["getrawmempool"]).contains(transaction).then_some(())
    });
    mine(1);
}

/// A block with what is broadcast, once there is something.
pub fn confirm_next() {
    wait_for("a transaction", || {
        (ask(&["getrawmempool"]).trim() != "[\n]").then_some(())
    });
    mine(1);
}

/// The chain's own wallet, with some rewards to spend.
pub struct Purse;

impl Purse {
    pub fn fill() -> Self {
        ask(&["createwallet", "purse"]);
        let address = ask(&["getnewaddress"]);
        ask(&["generatetoaddress", "10", address.trim()]);
        mine(100);
        Self
    }

    /// This very amount, in a block.
    pub fn pay(&self, address: &str, amount_sat: u64) {
        let address = format!("address={address}");
        let amount = format!(
            "amount={}.{:08}",
            amount_sat / 100_000_000,
            amount_sat % 100_000_000
        );
        ask(&["-named", "sendtoaddress", &address, &amount, "fee_rate=2"]);
        mine(1);
    }
}

fn ask(words: &[&str]) -> String {
    let cli = std::env::var("BITCOIN_CLI").expect("BITCOIN_CLI is set");
    let output = Command::new(cli).args(words).output();
    let output = output.expect("bitcoin-cli runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {error}");
    String::from_utf8(output.stdout).expect("text")
}
