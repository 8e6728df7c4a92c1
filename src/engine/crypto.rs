//! The cryptography of TLS, and randomness from it.

use std::sync::Arc;

use rustls::Error;
use rustls::crypto::{CryptoProvider, KeyProvider, ring};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;

/// ring's, for a client that never shows a certificate of its own: what signs with one is left out
/// of the library, as long as nothing else names ring's provider.
pub fn provider() -> CryptoProvider {
    CryptoProvider {
        key_provider: &NoPrivateKeys,
        ..ring::default_provider()
    }
}

#[derive(Debug)]
struct NoPrivateKeys;

impl KeyProvider for NoPrivateKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        Err(Error::General("this client has no private keys".into()))
    }
}
