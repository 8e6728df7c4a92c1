//! What the rows share: parts in processes of their own, and a wallet on a real LDK node.

mod lnd;
mod lnd_front;
mod lnd_opener;
mod lnd_wallet;
mod npm_lnurl;
mod part;
mod proofs;
mod pyln_host;
#[path = "../../support/mod.rs"]
pub mod support;

pub use lnd::Lnd;
pub use lnd_front::{Asked, LndFront, Opener, Reaction};
pub use lnd_opener::{LndOpener, Terms};
pub use lnd_wallet::{LndWallet, channel_id_of};
pub use npm_lnurl::{NpmLnurl, Offer};
pub use part::Part;
pub use proofs::{Proofs, refusal};
pub use pyln_host::{Invocation, PylnHost};
