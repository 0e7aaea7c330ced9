//! Whom the credentials of a request belong to.

use std::fmt::Write;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::token::{Issuer, Lookup, TokenError, verify};
use super::user::{CREDENTIAL_ID, User};

/// What a request shows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Credentials<'a> {
    /// The user of the connection's client certificate, see [`user_of_certificate`].
    pub(crate) certificate: Option<&'a User>,
    /// The header `Authorization`.
    pub(crate) authorization: Option<&'a str>,
}

/// Who asks: the user of the certificate, else of the token, else the anonymous one.
///
/// # Errors
///
/// A token that is not accepted; the request is answered with
/// [`Status::unauthorized`](crate::status::Status::unauthorized), which does not say why.
pub(crate) fn authenticate(
    issuer: &Issuer,
    shown: Credentials<'_>,
    lookup: Lookup<'_>,
    now: Timestamp,
) -> Result<User, TokenError> {
    if let Some(user) = shown.certificate {
        return Ok(user.clone().authenticated());
    }
    match shown.authorization.and_then(bearer_token) {
        None => Ok(User::anonymous()),
        Some(token) => verify(issuer, token, lookup, now).map(User::authenticated),
    }
}

/// The token in a header `Authorization`; nothing if it holds another kind of credentials. As on the
/// genuine server, a second space before the token makes it none.
fn bearer_token(authorization: &str) -> Option<&str> {
    let mut parts = authorization.trim().splitn(3, ' ');
    let scheme = parts.next()?;
    let token = parts.next()?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The user that a client certificate in DER names: the common name is the user, the organizations are
/// the groups. Nothing if it names none.
///
/// The certificate must have been verified. Meant to be called once for a connection.
pub(crate) fn user_of_certificate(der: &[u8]) -> Option<User> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let subject = certificate.subject();
    let name = subject.iter_common_name().last()?.as_str().ok()?;
    if name.is_empty() {
        return None;
    }
    let mut id = "X509SHA256=".to_owned();
    for byte in Sha256::digest(der) {
        write!(id, "{byte:02x}").ok()?;
    }
    Some(User {
        name: name.to_owned(),
        uid: String::new(),
        groups: subject
            .iter_organization()
            .filter_map(|group| group.as_str().ok())
            .map(str::to_owned)
            .collect(),
        extra: [(CREDENTIAL_ID.to_owned(), vec![id])].into(),
    })
}
