//! Certificates, good and bad.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Private ones too: that they are not reached must not be TLS's merit.
const NAMES: [&str; 16] = [
    "localhost",
    "service.example",
    "router.local",
    "127.0.0.1",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "::1",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "fc00::1",
    "fe80::1",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    Expired,
    NotYetValid,
    SelfSigned,
    WrongName,
    UnknownAuthority,
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// An authority that the wallet trusts, and another that it does not.
#[derive(Clone)]
pub struct Authority(Arc<Servers>);

struct Servers {
    pem: String,
    good: Arc<ServerConfig>,
    bad: Vec<(Flaw, Arc<ServerConfig>)>,
}

impl Authority {
    pub fn new() -> Authority {
        let (trusted, unknown) = (issuer("trusted"), issuer("unknown"));
        let flaws = [
            Flaw::Expired,
            Flaw::NotYetValid,
            Flaw::SelfSigned,
            Flaw::WrongName,
            Flaw::UnknownAuthority,
        ];
        let bad = flaws.map(|flaw| {
            let issuer = match flaw {
                Flaw::SelfSigned => None,
                Flaw::UnknownAuthority => Some(&unknown),
                _ => Some(&trusted),
            };
            (flaw, server(issuer, Some(flaw)))
        });
        Authority(Arc::new(Servers {
            pem: trusted.pem(),
            good: server(Some(&trusted), None),
            bad: bad.into(),
        }))
    }

    pub fn pem(&self) -> String {
        self.0.pem.clone()
    }

    pub fn server(&self, flaw: Option<Flaw>) -> Arc<ServerConfig> {
        let mut bad = self.0.bad.iter();
        let found = bad.find(|(of, _)| Some(*of) == flaw);
        found.map_or(&self.0.good, |(_, config)| config).clone()
    }
}

fn issuer(name: &str) -> Issuer {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    let common_name = rcgen::DnType::CommonName;
    parameters.distinguished_name.push(common_name, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

fn server(issuer: Option<&Issuer>, flaw: Option<Flaw>) -> Arc<ServerConfig> {
    let names = match flaw {
        Some(Flaw::WrongName) => vec!["other.example".to_owned()],
        _ => NAMES.map(str::to_owned).to_vec(),
    };
    let mut parameters = CertificateParams::new(names).unwrap();
    match flaw {
        Some(Flaw::Expired) => parameters.not_after = date_time_ymd(2020, 1, 1),
        Some(Flaw::NotYetValid) => parameters.not_before = date_time_ymd(3000, 1, 1),
        _ => {}
    }
    let key = KeyPair::generate().unwrap();
    let certificate = match issuer {
        Some(issuer) => parameters.signed_by(&key, issuer),
        None => parameters.self_signed(&key),
    };
    let certificate: CertificateDer<'static> = certificate.unwrap().der().clone();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = builder.with_no_client_auth();
    Arc::new(builder.with_single_cert(vec![certificate], key).unwrap())
}
