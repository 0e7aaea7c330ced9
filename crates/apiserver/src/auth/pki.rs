//! The server's own authority and what it signs, kept in a folder so that clients still trust the server
//! after a restart.
//!
//! The folder belongs to its owner alone (0700), keys too (0600). What is there is used again until it
//! nears its end; what cannot be read is an error for the authority and the token key, which others
//! trust, and made anew for the rest.

mod file;
mod leaf;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value, json};

use super::token::{KeyError, SigningKey};

/// How long the authority lives, in days.
const CA_DAYS: i64 = 10 * 365;
/// How long what it signs lives, in days.
const LEAF_DAYS: i64 = 365;
/// How many days before its end a certificate is made anew. An authority has to outlive what it signs.
const RENEW_LEAF_DAYS: i64 = 90;
const RENEW_CA_DAYS: i64 = LEAF_DAYS + RENEW_LEAF_DAYS;

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A file of the folder cannot be read or written.
    #[error("cannot access `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("`{}` does not hold what it should; remove it to have it made anew", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
    },
    /// A certificate cannot be made.
    #[error("no certificate could be made")]
    Certificate(#[from] rcgen::Error),
    /// The token key is of no use.
    #[error("no key for tokens")]
    Key(#[from] KeyError),
    /// TLS cannot be set up with the certificates.
    #[error("no TLS with these certificates")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A certificate and its private key, both in PEM.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    /// The certificate.
    pub(crate) certificate: String,
    /// The key.
    pub(crate) key: String,
}

/// Who a client certificate is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client<'a> {
    /// The common name: the user.
    pub(crate) user: &'a str,
    /// The organization: the group.
    pub(crate) group: &'a str,
}

/// The authority of one server, and its folder.
pub(crate) struct Pki {
    folder: PathBuf,
    ca_pem: String,
    ca: Issuer<'static, KeyPair>,
    /// The authority's name, which no other authority has.
    ca_name: String,
    now: Timestamp,
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pair(***)")
    }
}

impl std::fmt::Debug for Pki {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pki({})", self.folder.display())
    }
}

impl Pki {
    /// Opens the folder, which is made if it is missing, and the authority in it.
    pub(crate) fn open(folder: &Path, now: Timestamp) -> Result<Self, PkiError> {
        file::make_folder(folder)?;
        let (certificate, key) = (folder.join("ca.crt"), folder.join("ca.key"));
        if let (Some(ca_pem), Some(key_pem)) = (file::read(&certificate)?, file::read(&key)?) {
            let broken = |path: &Path| PkiError::Broken {
                path: path.to_owned(),
            };
            let details = leaf::Details::of_pem(&ca_pem).ok_or_else(|| broken(&certificate))?;
            let pair = KeyPair::from_pem(&key_pem).map_err(|_| broken(&key))?;
            if !details.is_of(&pair) {
                return Err(broken(&key));
            }
            if details.lasts(now, RENEW_CA_DAYS) {
                let ca =
                    Issuer::from_ca_cert_pem(&ca_pem, pair).map_err(|_| broken(&certificate))?;
                return Ok(Self {
                    folder: folder.to_owned(),
                    ca_pem,
                    ca,
                    ca_name: details.subject,
                    now,
                });
            }
        }
        let pair = KeyPair::generate()?;
        let ca_name = leaf::authority_name(&pair);
        let params = authority(&ca_name, now);
        let ca_pem = params.self_signed(&pair)?.pem();
        file::write(&key, &pair.serialize_pem())?;
        file::write(&certificate, &ca_pem)?;
        Ok(Self {
            folder: folder.to_owned(),
            ca_pem,
            ca: Issuer::new(params, pair),
            ca_name,
            now,
        })
    }

    /// The authority's certificate in PEM: what clients trust, and `ca.crt` in pods.
    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The certificate that the server shows.
    pub(crate) fn serving(&self) -> Result<Pair, PkiError> {
        self.kept("serving", leaf::serving()?)
    }

    /// A certificate that makes a client a user. `file` names its files.
    pub(crate) fn client(&self, file: &str, client: Client<'_>) -> Result<Pair, PkiError> {
        self.kept(file, leaf::client(client))
    }

    /// The key that signs tokens of ServiceAccounts. It has no end.
    pub(crate) fn token_key(&self) -> Result<SigningKey, PkiError> {
        let path = self.folder.join("tokens.key");
        if let Some(pem) = file::read(&path)? {
            return SigningKey::from_pem(&pem).map_err(|_| PkiError::Broken { path });
        }
        let pem = KeyPair::generate()?.serialize_pem();
        file::write(&path, &pem)?;
        Ok(SigningKey::from_pem(&pem)?)
    }

    /// TLS with HTTP/2 and HTTP/1.1 for a certificate of this authority. Clients may show a certificate;
    /// one that this authority did not sign ends the handshake.
    pub(crate) fn server_config(&self, serving: &Pair) -> Result<ServerConfig, PkiError> {
        let certificate = CertificateDer::from_pem_slice(serving.certificate.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(serving.key.as_bytes());
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|e| tls(e.into()))?
            .with_client_cert_verifier(self.clients()?)
            .with_single_cert(
                vec![certificate.map_err(|e| tls(e.into()))?],
                key.map_err(|e| tls(e.into()))?,
            )
            .map_err(|e| tls(e.into()))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    /// Accepts clients without a certificate, and those with one of this authority.
    fn clients(&self) -> Result<Arc<dyn ClientCertVerifier>, PkiError> {
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_slice(self.ca_pem.as_bytes());
        roots
            .add(ca.map_err(|e| tls(e.into()))?)
            .map_err(|e| tls(e.into()))?;
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
            .allow_unauthenticated()
            .build()
            .map_err(|e| tls(e.into()))
    }

    /// A kubeconfig that reaches the server as a client, in JSON, which is YAML too.
    pub(crate) fn kubeconfig(&self, name: &str, server: &str, client: &Pair) -> Value {
        use base64::Engine;
        let encoded = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": {
                "server": server,
                "certificate-authority-data": encoded(&self.ca_pem),
            }}],
            "users": [{"name": name, "user": {
                "client-certificate-data": encoded(&client.certificate),
                "client-key-data": encoded(&client.key),
            }}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        })
    }

    /// The pair in the files of a name, if it is of this authority and not near its end; a new one
    /// otherwise.
    fn kept(&self, name: &str, mut params: CertificateParams) -> Result<Pair, PkiError> {
        let certificate = self.folder.join(format!("{name}.crt"));
        let key = self.folder.join(format!("{name}.key"));
        if let (Some(pem), Some(key_pem)) = (file::read(&certificate)?, file::read(&key)?)
            && let (Some(details), Ok(pair)) =
                (leaf::Details::of_pem(&pem), KeyPair::from_pem(&key_pem))
            && details.is_of(&pair)
            && details.issuer == self.ca_name
            && details.lasts(self.now, RENEW_LEAF_DAYS)
        {
            return Ok(Pair {
                certificate: pem,
                key: key_pem,
            });
        }
        let pair = KeyPair::generate()?;
        live(&mut params, self.now, LEAF_DAYS);
        let made = Pair {
            certificate: params.signed_by(&pair, &self.ca)?.pem(),
            key: pair.serialize_pem(),
        };
        file::write(&key, &made.key)?;
        file::write(&certificate, &made.certificate)?;
        Ok(made)
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn tls(error: Box<dyn std::error::Error + Send + Sync>) -> PkiError {
    PkiError::Tls(error)
}

fn authority(name: &str, now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::CrlSign,
    ];
    live(&mut params, now, CA_DAYS);
    params
}

/// Lets a certificate live from yesterday on, since clocks differ, for so many days.
fn live(params: &mut CertificateParams, now: Timestamp, days: i64) {
    let day = |offset: i64| {
        let at = now.saturating_add(SignedDuration::from_hours(24 * offset));
        let date = at.unwrap_or(now).to_zoned(TimeZone::UTC).date();
        let part = |number: i8| u8::try_from(number).unwrap_or(1);
        rcgen::date_time_ymd(date.year().into(), part(date.month()), part(date.day()))
    };
    params.not_before = day(-1);
    params.not_after = day(days);
}

#[cfg(test)]
mod tests;
