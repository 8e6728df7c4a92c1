//! The service's certificate, and the authority behind it.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

pub(super) struct Identity {
    pub(super) ca_pem: String,
    pub(super) acceptor: TlsAcceptor,
}

impl Identity {
    /// A fresh authority, and a certificate of it for this machine's own names and for `ip`.
    pub(super) fn generate(ip: IpAddr) -> io::Result<Identity> {
        build(ip).map_err(|error| io::Error::other(error.to_string()))
    }
}

fn build(ip: IpAddr) -> Result<Identity, Box<dyn Error>> {
    let authority = CertifiedIssuer::self_signed(authority_parameters()?, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = server_parameters(ip)?.signed_by(&key, &authority)?;
    let key = PrivateKeyDer::try_from(key.serialize_der())?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    Ok(Identity {
        ca_pem: authority.pem(),
        acceptor: TlsAcceptor::from(Arc::new(config)),
    })
}

fn authority_parameters() -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new(Vec::new())?;
    let name = "LNURL channel testbed";
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    Ok(parameters)
}

fn server_parameters(ip: IpAddr) -> Result<CertificateParams, rcgen::Error> {
    let mut names = ["localhost", "127.0.0.1", "::1"]
        .map(str::to_owned)
        .to_vec();
    if !ip.is_loopback() {
        names.push(ip.to_string());
    }
    let mut parameters = CertificateParams::new(names)?;
    parameters.use_authority_key_identifier_extension = true;
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(parameters)
}
