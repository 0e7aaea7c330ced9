//! What an authority signs, and whether a certificate that is there is still what is wanted.

use std::fmt::Write;

use jiff::Timestamp;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, PublicKeyData,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::Client;

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// A name for an authority that no other has.
pub(super) fn authority_name(key: &KeyPair) -> String {
    let mut name = "shipway ".to_owned();
    for byte in Sha256::digest(key.subject_public_key_info()).iter().take(8) {
        // Writing to a text does not fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// A certificate for the server: for this machine, and the names that a cluster's own clients use.
pub(super) fn serving() -> Result<CertificateParams, rcgen::Error> {
    let names = [
        "localhost",
        "127.0.0.1",
        "::1",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    ];
    let mut params = CertificateParams::new(names.map(str::to_owned))?;
    params.distinguished_name = DistinguishedName::new();
    let name = "kube-apiserver";
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(signing(params, ExtendedKeyUsagePurpose::ServerAuth))
}

/// A certificate for clients.
pub(super) fn client(client: Client<'_>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    let name = &mut params.distinguished_name;
    name.push(DnType::OrganizationName, client.group);
    name.push(DnType::CommonName, client.user);
    signing(params, ExtendedKeyUsagePurpose::ClientAuth)
}

fn signing(mut params: CertificateParams, purpose: ExtendedKeyUsagePurpose) -> CertificateParams {
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    params.use_authority_key_identifier_extension = true;
    params
}

/// What matters of a certificate.
pub(super) struct Details {
    /// The subject's common name.
    pub(super) subject: String,
    /// The issuer's common name.
    pub(super) issuer: String,
    key: Vec<u8>,
    /// In seconds since 1970.
    ends: i64,
}

impl Details {
    /// Reads a certificate in PEM.
    pub(super) fn of_pem(pem: &str) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
        let (_, certificate) = X509Certificate::from_der(&der).ok()?;
        let subject = certificate.subject();
        let name = subject.iter_common_name().last()?.as_str().ok()?;
        let issuer = certificate.issuer().iter_common_name().last()?;
        Some(Self {
            subject: name.to_owned(),
            issuer: issuer.as_str().ok()?.to_owned(),
            key: certificate.public_key().raw.to_vec(),
            ends: certificate.validity().not_after.timestamp(),
        })
    }

    /// Whether the certificate is that of a key.
    pub(super) fn is_of(&self, key: &KeyPair) -> bool {
        key.subject_public_key_info() == self.key
    }

    /// Whether the certificate lasts for more than so many days.
    pub(super) fn lasts(&self, now: Timestamp, days: i64) -> bool {
        self.ends.saturating_sub(now.as_second()) > days * DAY_SECONDS
    }
}
