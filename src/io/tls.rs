//! TLS: whom it trusts, and its cryptography, which is what services use of all that ring offers. The
//! rest would only make the library larger. Nothing else may name ring's own provider, which has all of
//! it.

use std::sync::Arc;

use ring::rand::{SecureRandom as _, SystemRandom};
use rustls::crypto::ring::{cipher_suite, kx_group};
use rustls::crypto::{
    CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, SupportedKxGroup,
    WebPkiSupportedAlgorithms,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;
use rustls::{ClientConfig, Error, RootCertStore, SignatureScheme, SupportedCipherSuite};
use webpki::ring::{
    ECDSA_P256_SHA256, ECDSA_P256_SHA384, ECDSA_P384_SHA256, ECDSA_P384_SHA384,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
    RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
    RSA_PSS_2048_8192_SHA256_LEGACY_KEY, RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
};

/// AES-GCM, which every server of TLS 1.3 must know (RFC 8446, 9.1) and those of TLS 1.2 should
/// (RFC 9325, 4.2); ring's takes the same time for any key, on any processor. No ChaCha20-Poly1305.
static CIPHER_SUITES: &[SupportedCipherSuite] = &[
    cipher_suite::TLS13_AES_256_GCM_SHA384,
    cipher_suite::TLS13_AES_128_GCM_SHA256,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
];

static KX_GROUPS: &[&dyn SupportedKxGroup] =
    &[kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];

/// ECDSA and RSA. No public authority may put Ed25519 into a certificate (CA/Browser Forum, Baseline
/// Requirements, 7.1.3.1).
static SIGNATURES: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[
        ECDSA_P256_SHA256,
        ECDSA_P256_SHA384,
        ECDSA_P384_SHA256,
        ECDSA_P384_SHA384,
        RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
        RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
        RSA_PKCS1_2048_8192_SHA256,
        RSA_PKCS1_2048_8192_SHA384,
        RSA_PKCS1_2048_8192_SHA512,
        RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
        RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
        RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
    ],
    // TLS 1.2 leaves the curve open; TLS 1.3 takes the first of each.
    mapping: &[
        (
            SignatureScheme::ECDSA_NISTP384_SHA384,
            &[ECDSA_P384_SHA384, ECDSA_P256_SHA384],
        ),
        (
            SignatureScheme::ECDSA_NISTP256_SHA256,
            &[ECDSA_P256_SHA256, ECDSA_P384_SHA256],
        ),
        (
            SignatureScheme::RSA_PSS_SHA512,
            &[RSA_PSS_2048_8192_SHA512_LEGACY_KEY],
        ),
        (
            SignatureScheme::RSA_PSS_SHA384,
            &[RSA_PSS_2048_8192_SHA384_LEGACY_KEY],
        ),
        (
            SignatureScheme::RSA_PSS_SHA256,
            &[RSA_PSS_2048_8192_SHA256_LEGACY_KEY],
        ),
        (
            SignatureScheme::RSA_PKCS1_SHA512,
            &[RSA_PKCS1_2048_8192_SHA512],
        ),
        (
            SignatureScheme::RSA_PKCS1_SHA384,
            &[RSA_PKCS1_2048_8192_SHA384],
        ),
        (
            SignatureScheme::RSA_PKCS1_SHA256,
            &[RSA_PKCS1_2048_8192_SHA256],
        ),
    ],
};

/// Trusts Mozilla's roots, and those of the wallet.
pub fn client_config(extra_roots: &[CertificateDer<'static>]) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    for root in extra_roots {
        roots.add(root.clone())?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(provider()));
    let builder = builder.with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: CIPHER_SUITES.to_vec(),
        kx_groups: KX_GROUPS.to_vec(),
        signature_verification_algorithms: SIGNATURES,
        secure_random: &Random,
        key_provider: &NoPrivateKeys,
    }
}

#[derive(Debug)]
struct Random;

impl SecureRandom for Random {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        SystemRandom::new().fill(bytes).map_err(|_| GetRandomFailed)
    }
}

/// The client never shows a certificate of its own.
#[derive(Debug)]
struct NoPrivateKeys;

impl KeyProvider for NoPrivateKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        Err(Error::General("this client has no private keys".into()))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, SignatureAlgorithm};
    use rustls::crypto::ring;
    use rustls::pki_types::{AlgorithmIdentifier, SignatureVerificationAlgorithm};
    use rustls::version::{TLS12, TLS13};
    use rustls::{ClientConnection, ServerConfig, ServerConnection, SupportedProtocolVersion};

    use super::*;

    /// A kind of key, and of what it signs.
    type Id = (AlgorithmIdentifier, AlgorithmIdentifier);

    fn id(algorithm: &&dyn SignatureVerificationAlgorithm) -> Id {
        (algorithm.public_key_alg_id(), algorithm.signature_alg_id())
    }

    fn ids(algorithms: &WebPkiSupportedAlgorithms) -> Vec<Id> {
        algorithms.all.iter().map(id).collect()
    }

    fn schemes(algorithms: &WebPkiSupportedAlgorithms) -> Vec<(SignatureScheme, Vec<Id>)> {
        let mapping = algorithms.mapping.iter();
        mapping
            .map(|(scheme, algorithms)| (*scheme, algorithms.iter().map(id).collect()))
            .collect()
    }

    fn is_chacha(suite: &SupportedCipherSuite) -> bool {
        format!("{:?}", suite.suite()).contains("CHACHA20")
    }

    #[test]
    fn is_all_that_ring_offers_but_two() {
        let (ours, rings) = (provider(), ring::default_provider());
        let mut suites = rings.cipher_suites;
        suites.retain(|suite| !is_chacha(suite));
        assert_eq!(ours.cipher_suites, suites);
        let name = |group: &&dyn SupportedKxGroup| group.name();
        let groups = ours.kx_groups.iter().map(name);
        assert!(groups.eq(rings.kx_groups.iter().map(name)));

        let ours = ours.signature_verification_algorithms;
        let rings = rings.signature_verification_algorithms;
        let mut expected = ids(&rings);
        expected.retain(|one| *one != id(&webpki::ring::ED25519));
        assert_eq!(ids(&ours), expected);
        let mut expected = schemes(&rings);
        expected.retain(|(scheme, _)| *scheme != SignatureScheme::ED25519);
        assert_eq!(schemes(&ours), expected);
    }

    /// A service, and a client that trusts it alone.
    fn pair(
        key: &'static SignatureAlgorithm,
        version: &'static SupportedProtocolVersion,
        suites: fn(&SupportedCipherSuite) -> bool,
    ) -> (ServerConnection, ClientConnection) {
        let key = KeyPair::generate_for(key).unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["service.example".into()]).unwrap();
        let certificate = certificate.self_signed(&key).unwrap().der().clone();
        let mut provider = ring::default_provider();
        provider.cipher_suites.retain(suites);
        let server = ServerConfig::builder_with_provider(provider.into())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key.into())
            .unwrap();

        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let client = ClientConfig::builder_with_provider(super::provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = "service.example".try_into().unwrap();
        (
            ServerConnection::new(server.into()).unwrap(),
            ClientConnection::new(client.into(), name).unwrap(),
        )
    }

    fn shake_hands(mut server: ServerConnection, mut client: ClientConnection) -> io::Result<()> {
        while client.is_handshaking() || server.is_handshaking() {
            let mut bytes = Vec::new();
            client.write_tls(&mut bytes)?;
            server.read_tls(&mut bytes.as_slice())?;
            server.process_new_packets().map_err(io::Error::other)?;
            bytes.clear();
            server.write_tls(&mut bytes)?;
            client.read_tls(&mut bytes.as_slice())?;
            client.process_new_packets().map_err(io::Error::other)?;
        }
        Ok(())
    }

    #[test]
    fn services_of_either_version_and_curve_are_understood() {
        for version in [&TLS12, &TLS13] {
            for key in [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384] {
                let (server, client) = pair(key, version, |_| true);
                shake_hands(server, client).unwrap();
                let (server, client) = pair(key, version, is_chacha);
                shake_hands(server, client).unwrap_err();
            }
        }
    }
}
