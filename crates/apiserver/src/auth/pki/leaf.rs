//! What an authority signs, and whether a certificate that is there is still what is wanted.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::IpAddr;

use jiff::Timestamp;
use rcgen::{
    CertificateParams, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, PublicKeyData, SanType,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};
use x509_parser::extensions::GeneralName;
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

/// A certificate that is wanted.
pub(super) struct Leaf<'a> {
    /// All but the subject.
    pub(super) params: CertificateParams,
    /// The subject's common name.
    pub(super) name: &'a str,
    /// The subject's organizations.
    pub(super) groups: &'a [&'a str],
}

/// A certificate for servers.
pub(super) fn serving(names: Vec<String>) -> Result<Leaf<'static>, rcgen::Error> {
    let params = CertificateParams::new(names)?;
    Ok(Leaf {
        params: signing(params, ExtendedKeyUsagePurpose::ServerAuth),
        name: "kube-apiserver",
        groups: &[],
    })
}

/// A certificate for clients.
pub(super) fn client(client: Client<'_>) -> Leaf<'_> {
    let params = CertificateParams::default();
    Leaf {
        params: signing(params, ExtendedKeyUsagePurpose::ClientAuth),
        name: client.user,
        groups: client.groups,
    }
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
    groups: Vec<String>,
    names: BTreeSet<String>,
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
        let groups = subject
            .iter_organization()
            .filter_map(|group| group.as_str().ok());
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.iter().flat_map(|names| &names.value.general_names);
        Some(Self {
            subject: name.to_owned(),
            issuer: issuer.as_str().ok()?.to_owned(),
            groups: groups.map(str::to_owned).collect(),
            names: names.filter_map(name_of).collect(),
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

    /// Whether the certificate is for whom one is wanted.
    pub(super) fn is_as(&self, wanted: &Leaf<'_>) -> bool {
        let names = &wanted.params.subject_alt_names;
        let names = names.iter().filter_map(|name| match name {
            SanType::DnsName(name) => Some(name.as_str().to_owned()),
            SanType::IpAddress(address) => Some(address.to_string()),
            _ => None,
        });
        wanted.name == self.subject
            && wanted.groups == self.groups
            && names.collect::<BTreeSet<_>>() == self.names
    }
}

fn name_of(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let any = four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
            any.ok().map(|address| address.to_string())
        }
        _ => None,
    }
}
