//! Credentials as values, and the shapes of Secret they are written in.
//!
//! Must not know where a Secret is kept, and never shows what it holds.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How a request proves who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Auth {
    /// Not at all: a public repository.
    #[default]
    None,
    /// HTTP basic authentication.
    Basic {
        /// The user.
        username: String,
        /// The password, or a token in its place.
        password: Secret,
    },
    /// A bearer token.
    Bearer(Secret),
}

/// All that opens one server's door.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Who asks.
    pub auth: Auth,
    /// The only authorities whose server certificates are accepted; without it, the platform's.
    pub ca_pem: Option<Vec<u8>>,
}

/// Why a Secret holds no usable credentials. Names keys, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// The Secret is of an ssh type or holds an ssh key.
    #[error("ssh is not supported yet: the Secret holds `{key}`")]
    Ssh {
        /// The key that says so.
        key: String,
    },
    /// Nothing usable is in it, or half of a pair is missing.
    #[error("the Secret needs {expected}; it has {}", listed(.found))]
    Keys {
        /// What would be accepted.
        expected: &'static str,
        /// The keys that are there.
        found: Vec<String>,
    },
    /// Both a bearer token and a password are in it.
    #[error("the Secret holds both `bearerToken` and `password`: keep one of them")]
    Ambiguous,
    /// A value is empty, no text, or has control characters inside.
    #[error("`{key}` in the Secret is empty or not a line of text")]
    Value {
        /// The key of that value.
        key: &'static str,
    },
    /// The certificate bundle is not PEM.
    #[error("`{key}` in the Secret is not a PEM certificate bundle")]
    Certificates {
        /// The key of the bundle.
        key: &'static str,
    },
}

fn listed(keys: &[String]) -> String {
    if keys.is_empty() {
        return "no keys".to_owned();
    }
    keys.iter()
        .map(|key| format!("`{key}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

const BASIC: &str = "`username` and `password`";
const ANY: &str = "`username` and `password`, or `bearerToken`, or only `ca.crt` or `caFile`";

impl Credentials {
    /// Reads a Kubernetes Secret: `kubernetes.io/basic-auth` with an optional `caFile`, or an
    /// opaque one as Flux writes it (`username`/`password`, `bearerToken`, `ca.crt`/`caFile`).
    pub fn from_secret(
        type_: Option<&str>,
        data: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Credentials, CredentialsError> {
        let basic_only = match type_ {
            Some("kubernetes.io/ssh-auth") => {
                return Err(CredentialsError::Ssh {
                    key: "ssh-privatekey".to_owned(),
                });
            }
            Some("kubernetes.io/basic-auth") => true,
            _ => false,
        };
        let has = |key: &str| data.contains_key(key);
        let keys = |expected| CredentialsError::Keys {
            expected,
            found: data.keys().take(20).cloned().collect(),
        };
        let ca_pem = certificates(data)?;
        let auth = match (has("username"), has("password"), has("bearerToken")) {
            (_, true, true) if !basic_only => return Err(CredentialsError::Ambiguous),
            (true, true, _) => Auth::Basic {
                username: line(data, "username")?,
                password: Secret(line(data, "password")?),
            },
            _ if basic_only => return Err(keys(BASIC)),
            (false, false, true) => Auth::Bearer(Secret(line(data, "bearerToken")?)),
            (false, false, false) if ca_pem.is_some() && !has_ssh(data) => Auth::None,
            _ => match ssh_key(data) {
                Some(key) => {
                    return Err(CredentialsError::Ssh {
                        key: key.to_owned(),
                    });
                }
                None => return Err(keys(ANY)),
            },
        };
        Ok(Credentials { auth, ca_pem })
    }

    /// A SHA-256 in hex that tells two credentials apart, to key caches by.
    ///
    /// Keep it out of logs all the same: a guessed password can be checked against it.
    pub fn fingerprint(&self) -> String {
        let mut digest = Sha256::new();
        let mut add = |part: &[u8]| {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        };
        match &self.auth {
            Auth::None => add(b"none"),
            Auth::Basic { username, password } => {
                add(b"basic");
                add(username.as_bytes());
                add(password.expose().as_bytes());
            }
            Auth::Bearer(token) => {
                add(b"bearer");
                add(token.expose().as_bytes());
            }
        }
        add(if self.ca_pem.is_some() { b"ca" } else { b"" });
        add(self.ca_pem.as_deref().unwrap_or_default());
        hex(&digest.finalize())
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes everything");
    }
    text
}

fn ssh_key(data: &BTreeMap<String, Vec<u8>>) -> Option<&'static str> {
    ["ssh-privatekey", "identity"]
        .into_iter()
        .find(|key| data.contains_key(*key))
}

fn has_ssh(data: &BTreeMap<String, Vec<u8>>) -> bool {
    ssh_key(data).is_some()
}

fn certificates(data: &BTreeMap<String, Vec<u8>>) -> Result<Option<Vec<u8>>, CredentialsError> {
    for key in ["ca.crt", "caFile"] {
        let Some(pem) = data.get(key) else { continue };
        let found = reqwest::Certificate::from_pem_bundle(pem).is_ok_and(|all| !all.is_empty());
        if !found {
            return Err(CredentialsError::Certificates { key });
        }
        return Ok(Some(pem.clone()));
    }
    Ok(None)
}

/// One line of text; the newline that `echo secret | base64` leaves at the end is dropped.
fn line(data: &BTreeMap<String, Vec<u8>>, key: &'static str) -> Result<String, CredentialsError> {
    let bytes = data.get(key).map(Vec::as_slice).unwrap_or_default();
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(CredentialsError::Value { key });
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
