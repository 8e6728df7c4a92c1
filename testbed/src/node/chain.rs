//! The chain that stands in for Bitcoin: blocks are made up, and every node is fed the same ones.

use bitcoin::block::{Block, Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{
    Amount, CompactTarget, OutPoint, ScriptBuf, Transaction, TxIn, TxMerkleNode, TxOut, Witness,
    absolute, transaction,
};
use lightning::chain::BestBlock;
use lightning::chain::chaininterface::BroadcasterInterface;
use std::sync::Mutex;

/// What the nodes broadcast, until it is mined.
#[derive(Default)]
pub(crate) struct Chain {
    broadcast: Mutex<Vec<Transaction>>,
}

impl Chain {
    pub(crate) fn take_broadcast(&self) -> Vec<Transaction> {
        std::mem::take(&mut *self.broadcast.lock().unwrap())
    }
}

impl BroadcasterInterface for Chain {
    fn broadcast_transactions(&self, transactions: &[&Transaction]) {
        let transactions = transactions.iter().map(|&transaction| transaction.clone());
        self.broadcast.lock().unwrap().extend(transactions);
    }
}

/// The block after `tip`. Nodes at the same height get the same block hash, whatever is in it.
pub(super) fn block_after(tip: &BestBlock, transactions: Vec<Transaction>) -> Block {
    let header = Header {
        version: Version::TWO,
        prev_blockhash: tip.block_hash,
        merkle_root: TxMerkleNode::all_zeros(),
        time: 1_700_000_000 + tip.height,
        bits: CompactTarget::from_consensus(0x207f_ffff),
        nonce: tip.height,
    };
    Block {
        header,
        txdata: transactions,
    }
}

/// A transaction that pays the channel from nowhere. LDK wants a witness, and looks no further.
pub(super) fn funding_transaction(value: Amount, script_pubkey: ScriptBuf) -> Transaction {
    let input = TxIn {
        previous_output: OutPoint {
            txid: bitcoin::Txid::from_byte_array([0x11; 32]),
            vout: 0,
        },
        witness: Witness::from_slice(&[[1u8; 64]]),
        ..Default::default()
    };
    Transaction {
        version: transaction::Version::TWO,
        lock_time: absolute::LockTime::ZERO,
        input: vec![input],
        output: vec![TxOut {
            value,
            script_pubkey,
        }],
    }
}
