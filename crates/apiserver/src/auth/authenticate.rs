//! Whom the credentials of a request belong to.

use std::collections::HashMap;
use std::fmt::Write;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use x509_parser::oid_registry::{Oid, asn1_rs::oid};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::token::{Lookup, TokenError, Verified, Verifier};
use super::user::{CREDENTIAL_ID, User};

/// The attribute of a certificate's subject that holds the user's uid (Kubernetes' own).
const UID: Oid<'static> = oid!(1.3.6.1.4.1.57683.2);

/// Knows all users: by certificate, by fixed token, by token of a ServiceAccount.
#[derive(Debug)]
pub struct Authenticator {
    /// Verifies tokens of ServiceAccounts.
    pub verifier: Verifier,
    /// Fixed tokens and whom they belong to, without the group of all authenticated users.
    pub tokens: HashMap<String, User>,
}

/// What a request shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Credentials<'a> {
    /// The user of the connection's client certificate, see [`user_of_certificate`].
    pub certificate: Option<&'a User>,
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
}

impl Authenticator {
    /// Who asks: the user of the certificate, else of the token, else the anonymous one.
    ///
    /// # Errors
    ///
    /// A token that is not accepted; the request is answered with
    /// [`Status::unauthorized`](crate::status::Status::unauthorized), which does not say why.
    pub fn authenticate(
        &self,
        shown: Credentials<'_>,
        lookup: Lookup<'_>,
        now: Timestamp,
    ) -> Result<User, TokenError> {
        if let Some(user) = shown.certificate {
            return Ok(user.clone().authenticated());
        }
        let Some(token) = shown.authorization.and_then(bearer_token) else {
            return Ok(User::anonymous());
        };
        let verified = self.verify(token, self.verifier.audiences(), lookup, now)?;
        Ok(verified.user)
    }

    /// Whom a token stands for, if it is meant for one of the audiences. Fixed tokens are meant for this
    /// server.
    pub fn verify(
        &self,
        token: &str,
        audiences: &[String],
        lookup: Lookup<'_>,
        now: Timestamp,
    ) -> Result<Verified, TokenError> {
        let verified = match self.tokens.get(token) {
            Some(user) => {
                let ours = self.verifier.audiences().iter();
                let common: Vec<String> = ours
                    .filter(|own| audiences.contains(own))
                    .cloned()
                    .collect();
                if common.is_empty() {
                    return Err(TokenError::Unknown);
                }
                Verified {
                    user: user.clone(),
                    audiences: common,
                }
            }
            None => self.verifier.verify(token, audiences, lookup, now)?,
        };
        Ok(Verified {
            user: verified.user.authenticated(),
            ..verified
        })
    }
}

/// The token in a header `Authorization`; nothing if it holds another kind of credentials. As on the
/// genuine server, a second space before the token makes it none.
pub fn bearer_token(authorization: &str) -> Option<&str> {
    let mut parts = authorization.trim().splitn(3, ' ');
    let scheme = parts.next()?;
    let token = parts.next()?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The user that a client certificate in DER names: the common name is the user, the organizations are
/// the groups. Nothing if it names none.
///
/// The certificate must have been verified. Meant to be called once for a connection.
pub fn user_of_certificate(der: &[u8]) -> Option<User> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let subject = certificate.subject();
    let name = subject.iter_common_name().last()?.as_str().ok()?;
    let mut uids = subject
        .iter_attributes()
        .filter(|attribute| *attribute.attr_type() == UID);
    let uid = match (uids.next(), uids.next()) {
        (None, _) => "",
        (Some(uid), None) => uid.as_str().ok().filter(|uid| !uid.is_empty())?,
        (Some(_), Some(_)) => return None,
    };
    if name.is_empty() {
        return None;
    }
    let mut id = "X509SHA256=".to_owned();
    for byte in Sha256::digest(der) {
        write!(id, "{byte:02x}").ok()?;
    }
    Some(User {
        name: name.to_owned(),
        uid: uid.to_owned(),
        groups: subject
            .iter_organization()
            .filter_map(|group| group.as_str().ok())
            .map(str::to_owned)
            .collect(),
        extra: [(CREDENTIAL_ID.to_owned(), vec![id])].into(),
    })
}
