//! The keys that sign tokens, and those that verify them.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    self, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, SubjectPublicKeyInfoDer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::super::der::tagged;

/// Why a key is of no use.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The text is no PEM of a key.
    #[error("this is no key in PEM")]
    NotPem,
    /// The key is neither EC P-256 nor RSA of 2048 bits and more, or broken.
    #[error("the key is neither EC P-256 in PKCS#8 nor RSA")]
    NotSupported,
    /// There was no randomness.
    #[error("no key could be made")]
    NotMade,
}

/// A private key.
pub struct SigningKey {
    pair: Pair,
    public: VerifyingKey,
}

enum Pair {
    Ecdsa(Box<EcdsaKeyPair>),
    Rsa(Box<RsaKeyPair>),
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    id: String,
    key: Public,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Public {
    /// The point, uncompressed.
    Ecdsa(Vec<u8>),
    /// Big endian, without leading zeros.
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
}

/// What stands before the point of a P-256 key in a SubjectPublicKeyInfo (RFC 5480).
const P256_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// The length of a P-256 point, uncompressed.
const P256_POINT: usize = 65;

impl SigningKey {
    /// Reads a private key: EC P-256 in PKCS#8, RSA in PKCS#8 or PKCS#1.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let unsupported = |_| KeyError::NotSupported;
        match PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| KeyError::NotPem)? {
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                let random = SystemRandom::new();
                let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
                match EcdsaKeyPair::from_pkcs8(algorithm, der, &random) {
                    Ok(pair) => Self::ecdsa(pair),
                    Err(_) => Self::rsa(RsaKeyPair::from_pkcs8(der).map_err(unsupported)?),
                }
            }
            PrivateKeyDer::Pkcs1(der) => {
                Self::rsa(RsaKeyPair::from_der(der.secret_pkcs1_der()).map_err(unsupported)?)
            }
            _ => Err(KeyError::NotSupported),
        }
    }

    fn ecdsa(pair: EcdsaKeyPair) -> Result<Self, KeyError> {
        let point = pair.public_key().as_ref();
        let public = VerifyingKey::from_spki(&[&P256_PREFIX, point].concat())?;
        let pair = Pair::Ecdsa(Box::new(pair));
        Ok(Self { pair, public })
    }

    fn rsa(pair: RsaKeyPair) -> Result<Self, KeyError> {
        let public = VerifyingKey::from_spki(&rsa_spki(pair.public_key().as_ref()))?;
        let pair = Pair::Rsa(Box::new(pair));
        Ok(Self { pair, public })
    }

    /// The public half.
    pub fn public(&self) -> &VerifyingKey {
        &self.public
    }

    /// The signature of a message, as tokens hold it.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ecdsa(pair) => {
                let signature = pair.sign(&random, message).map_err(|_| KeyError::NotMade)?;
                Ok(signature.as_ref().to_vec())
            }
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(|_| KeyError::NotMade)?;
                Ok(signature)
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public.id)
    }
}

impl VerifyingKey {
    /// Reads a public key: EC P-256 or RSA.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes());
        Self::from_spki(&der.map_err(|_| KeyError::NotPem)?)
    }

    /// Reads a SubjectPublicKeyInfo in DER.
    fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        let (_, info) = SubjectPublicKeyInfo::from_der(der).map_err(|_| KeyError::NotSupported)?;
        let key = match info.parsed() {
            Ok(PublicKey::EC(_)) if der.starts_with(&P256_PREFIX) => {
                let point = &der[P256_PREFIX.len()..];
                if point.len() != P256_POINT {
                    return Err(KeyError::NotSupported);
                }
                Public::Ecdsa(point.to_vec())
            }
            Ok(PublicKey::RSA(key)) => Public::Rsa {
                modulus: stripped(key.modulus),
                exponent: stripped(key.exponent),
            },
            _ => return Err(KeyError::NotSupported),
        };
        // The id tells keys apart and does not tell the key, as upstream derives it.
        let id = URL_SAFE_NO_PAD.encode(Sha256::digest(der));
        Ok(Self { id, key })
    }

    /// What tokens name the key by (`kid`).
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name of the signatures (`alg`).
    pub fn algorithm(&self) -> &'static str {
        match self.key {
            Public::Ecdsa(_) => "ES256",
            Public::Rsa { .. } => "RS256",
        }
    }

    /// Whether a signature of a message is this key's.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.key {
            Public::Ecdsa(point) => {
                let key = signature::UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
                key.verify(message, signature).is_ok()
            }
            Public::Rsa { modulus, exponent } => {
                let key = signature::RsaPublicKeyComponents {
                    n: modulus,
                    e: exponent,
                };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                    .is_ok()
            }
        }
    }

    /// The key as a JSON Web Key (RFC 7517).
    pub(super) fn to_jwk(&self) -> Value {
        let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let (id, algorithm) = (&self.id, self.algorithm());
        match &self.key {
            Public::Ecdsa(point) => {
                let (x, y) = point[1..].split_at(P256_POINT / 2);
                json!({
                    "use": "sig", "kty": "EC", "kid": id, "crv": "P-256", "alg": algorithm,
                    "x": encoded(x), "y": encoded(y),
                })
            }
            Public::Rsa { modulus, exponent } => json!({
                "use": "sig", "kty": "RSA", "kid": id, "alg": algorithm,
                "n": encoded(modulus), "e": encoded(exponent),
            }),
        }
    }
}

/// A number without the zeros in front that DER puts there.
fn stripped(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    number[zeros..].to_vec()
}

/// Wraps a PKCS#1 public key as a SubjectPublicKeyInfo (RFC 3279).
fn rsa_spki(pkcs1: &[u8]) -> Vec<u8> {
    const ALGORITHM: [u8; 15] = [
        0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
    ];
    let bits = tagged(0x03, &[&[0], pkcs1].concat());
    tagged(0x30, &[&ALGORITHM, bits.as_slice()].concat())
}
