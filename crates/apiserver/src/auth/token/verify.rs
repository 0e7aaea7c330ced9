//! Whom a token stands for, as long as its account is still there.

use jiff::{SignedDuration, Timestamp};

use super::super::object;
use super::super::user::{CREDENTIAL_ID, User};
use super::{Issuer, Lookup};

/// By how much the clocks of two machines may differ.
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);

/// Why a token is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    /// This server did not issue it for itself.
    #[error("invalid bearer token")]
    Unknown,
    /// Its time is over, or has not come.
    #[error("service account token has expired")]
    Expired,
    /// Its account is not there any more, or is another one of its name.
    #[error("service account token has been invalidated")]
    Invalidated,
}

/// The user that a token stands for, without the group of all authenticated users.
///
/// # Errors
///
/// [`TokenError`]; the caller is not told which.
pub(crate) fn verify(
    issuer: &Issuer,
    token: &str,
    lookup: Lookup<'_>,
    now: Timestamp,
) -> Result<User, TokenError> {
    let claims = issuer.key.read(token).ok_or(TokenError::Unknown)?;
    let is_ours = object::text(&claims, &["iss"]) == issuer.name
        && object::texts(&claims, &["aud"]).any(|audience| audience == issuer.name);
    if !is_ours {
        return Err(TokenError::Unknown);
    }
    let at = |claim: &str| {
        let seconds = claims[claim].as_i64().unwrap_or_default();
        SignedDuration::from_secs(seconds)
    };
    let now = now.as_duration();
    if now + LEEWAY < at("nbf") || now - LEEWAY > at("exp") {
        return Err(TokenError::Expired);
    }
    let bound = |path: &[&str]| object::text(&claims["kubernetes.io"], path);
    let (namespace, name) = (bound(&["namespace"]), bound(&["serviceaccount", "name"]));
    let uid = bound(&["serviceaccount", "uid"]);
    let found = lookup(namespace, name).ok_or(TokenError::Invalidated)?;
    if object::text(&found, &["metadata", "uid"]) != uid {
        return Err(TokenError::Invalidated);
    }
    let mut user = User::service_account(namespace, name, uid);
    let id = format!("JTI={}", object::text(&claims, &["jti"]));
    user.extra.insert(CREDENTIAL_ID.to_owned(), vec![id]);
    Ok(user)
}
