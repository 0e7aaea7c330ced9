//! Tokens of ServiceAccounts: signed by this server, bound to objects, for an audience and a time.
//!
//! Tokens are JSON Web Tokens (RFC 7519) in the compact form, signed with ES256 or RS256 (RFC 7518).

mod claims;
mod discovery;
mod key;
mod request;
mod verify;

use std::sync::Arc;

use serde_json::Value;

pub use discovery::{openid_configuration, openid_keys};
pub use key::{KeyError, SigningKey, VerifyingKey};
pub use request::{Issued, TokenRequest};
pub use verify::{TokenError, Verified, Verifier};

/// What signs tokens, and says who signed.
#[derive(Debug)]
pub struct Issuer {
    /// The name in the tokens' `iss`: a URL.
    pub name: String,
    /// The audiences that stand for this server; by default the issuer's name alone.
    pub audiences: Vec<String>,
    /// The key.
    pub key: SigningKey,
}

/// An object that a token names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference<'a> {
    /// A ServiceAccount by namespace and name.
    ServiceAccount(&'a str, &'a str),
    /// A Secret by namespace and name.
    Secret(&'a str, &'a str),
    /// A Pod by namespace and name.
    Pod(&'a str, &'a str),
    /// A Node by name.
    Node(&'a str),
}

/// Finds objects as they are stored now.
pub type Lookup<'a> = &'a dyn Fn(Reference<'_>) -> Option<Arc<Value>>;

#[cfg(test)]
mod tests;
