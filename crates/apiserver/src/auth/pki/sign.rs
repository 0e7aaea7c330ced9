//! Signs certificates whose subject has several organizations. rcgen keeps one of each kind, so that it
//! writes the certificate under a stand-in, whose place the subject takes before the whole is signed anew.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DistinguishedName, DnType, Issuer, KeyPair, SigningKey};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::super::der::tagged;
use super::leaf::Leaf;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const BITS: u8 = 0x03;
const UTF8: u8 = 0x0c;
/// The attributes `O` and `CN` (RFC 5280).
const ORGANIZATION: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x0a];
const COMMON_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];

/// The certificate of a key, in PEM. `params` are those of the leaf with its time.
pub(super) fn signed(
    leaf: &Leaf<'_>,
    mut params: CertificateParams,
    key: &KeyPair,
    ca: &Issuer<'static, KeyPair>,
) -> Result<String, rcgen::Error> {
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "stand-in");
    let stand_in = params.signed_by(key, ca)?;
    let (body, algorithm) = with_subject(stand_in.der(), &subject(leaf))
        .ok_or(rcgen::Error::CouldNotParseCertificate)?;
    let signature = ca.key().sign(&body)?;
    let signature = tagged(BITS, &[&[0], signature.as_slice()].concat());
    Ok(pem(&tagged(
        SEQUENCE,
        &[body, algorithm, signature].concat(),
    )))
}

/// What is to be signed, under another subject, and the name of the signature's algorithm.
fn with_subject(der: &[u8], subject: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let body = certificate.tbs_certificate.as_ref();
    let old = certificate.subject().as_raw();
    let start = old.as_ptr().addr().checked_sub(body.as_ptr().addr())?;
    let header = match *body.get(1)? {
        ..=0x7f => 2,
        long => 2 + usize::from(long & 0x7f),
    };
    let (before, after) = (body.get(header..start)?, body.get(start + old.len()..)?);
    // Behind the body stands the algorithm, whose length takes one byte.
    let behind = body.as_ptr().addr().checked_sub(der.as_ptr().addr())? + body.len();
    let algorithm = der.get(behind..)?;
    let algorithm = algorithm.get(..2 + usize::from(*algorithm.get(1)?))?;
    let body = tagged(SEQUENCE, &[before, subject, after].concat());
    Some((body, algorithm.to_vec()))
}

fn subject(leaf: &Leaf<'_>) -> Vec<u8> {
    let groups = leaf
        .groups
        .iter()
        .map(|group| attribute(&ORGANIZATION, group));
    let name = attribute(&COMMON_NAME, leaf.name);
    let parts: Vec<Vec<u8>> = groups.chain([name]).collect();
    tagged(SEQUENCE, &parts.concat())
}

fn attribute(kind: &[u8], text: &str) -> Vec<u8> {
    let value = tagged(UTF8, text.as_bytes());
    tagged(SET, &tagged(SEQUENCE, &[kind, value.as_slice()].concat()))
}

/// A certificate in PEM (RFC 7468).
fn pem(der: &[u8]) -> String {
    let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
    // 48 bytes are a line of 64 characters.
    for line in der.chunks(48) {
        STANDARD.encode_string(line, &mut pem);
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}
