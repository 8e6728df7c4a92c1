//! What the rows with ldk-node share: a wallet on it, a peer on it, and the chain.

pub mod app;
pub mod chain;
pub mod grid;
pub mod peer;
pub mod wallet;
pub mod wallets;
