//! Tokens of ServiceAccounts: signed by this server, for its audience and a time.
//!
//! Tokens are JSON Web Tokens (RFC 7519) in the compact form, signed with ES256 (RFC 7518). They are
//! bound to their account alone, not to Pods or Secrets.

mod key;
mod request;
mod verify;

use std::sync::Arc;

use serde_json::Value;

pub(crate) use key::{KeyError, SigningKey};
pub(crate) use request::TokenRequest;
pub(crate) use verify::{TokenError, verify};

/// Who issues tokens, which is also the only audience that they are meant for.
#[derive(Debug)]
pub(crate) struct Issuer {
    /// The name in tokens, a URL.
    pub(crate) name: String,
    /// The key that signs them.
    pub(crate) key: SigningKey,
}

/// Finds a ServiceAccount as it is stored now, by namespace and name.
pub(crate) type Lookup<'a> = &'a dyn Fn(&str, &str) -> Option<Arc<Value>>;

#[cfg(test)]
mod tests;
