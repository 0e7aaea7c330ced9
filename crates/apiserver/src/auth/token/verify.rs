//! Whom a token stands for, as long as what it is bound to is still there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::object;
use super::super::quote::QuotedList;
use super::super::user::{self, User};
use super::claims::{self, Bound, Claims, Named};
use super::key::VerifyingKey;
use super::{Lookup, Reference};

/// How far clocks may differ.
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);

/// How many verified signatures are remembered.
const MAX_REMEMBERED: usize = 4096;

/// Verifies tokens of ServiceAccounts.
///
/// Signatures that were right are remembered by the digest of their token, since a signature costs a
/// hundred times what everything else does. Time, audience and objects are looked at each time.
#[derive(Debug)]
pub struct Verifier {
    issuer: String,
    audiences: Vec<String>,
    keys: Vec<VerifyingKey>,
    remembered: Mutex<HashMap<[u8; 32], Arc<Claims>>>,
}

/// What a token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The user, without the group of all authenticated users.
    pub user: User,
    /// Those audiences of the token that were asked for.
    pub audiences: Vec<String>,
}

/// Why a token is not accepted. The texts are the genuine server's; clients see them in a `TokenReview`
/// alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Nobody issued it, as far as is known.
    #[error("invalid bearer token")]
    Unknown,
    /// It names a key that is not ours.
    #[error("invalid signature, no keys found")]
    UnknownKey,
    /// Its signature is wrong.
    #[error("go-jose/go-jose: error in cryptographic primitive")]
    Signature,
    /// It is meant for others.
    #[error("token audiences {own} is invalid for the target audiences {wanted}")]
    Audience {
        /// The token's audiences.
        own: String,
        /// Those asked for.
        wanted: String,
    },
    /// Its time is over.
    #[error("service account token has expired")]
    Expired,
    /// Its time has not come.
    #[error("service account token is not valid yet")]
    NotYet,
    /// It claims to come from the future.
    #[error("service account token is issued in the future")]
    FromTheFuture,
    /// What it is bound to is gone, or another by now, or a claim is missing.
    #[error("{0}")]
    Invalidated(String),
}

impl Verifier {
    /// Verifies what `issuer` signed with one of the keys. `audiences` stand for this server.
    pub fn new(issuer: &str, audiences: &[String], keys: Vec<VerifyingKey>) -> Self {
        Self {
            issuer: issuer.to_owned(),
            audiences: audiences.to_vec(),
            keys,
            remembered: Mutex::default(),
        }
    }

    /// The audiences that stand for this server.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// Whom a token stands for, if it is meant for one of the audiences.
    pub fn verify(
        &self,
        token: &str,
        audiences: &[String],
        lookup: Lookup<'_>,
        now: Timestamp,
    ) -> Result<Verified, TokenError> {
        let claims = self.claims(token)?;
        let own = match claims.audiences.as_slice() {
            // A token for nobody in particular is meant for the server that issued it.
            [] => self.audiences.as_slice(),
            own => own,
        };
        let common: Vec<String> = own
            .iter()
            .filter(|own| audiences.contains(own))
            .cloned()
            .collect();
        if common.is_empty() {
            return Err(TokenError::Audience {
                own: QuotedList(own).to_string(),
                wanted: QuotedList(audiences).to_string(),
            });
        }
        claims.check_time(now)?;
        let bound = claims.bound.clone().unwrap_or_default();
        let user = bound.user(&claims.id, lookup, now)?;
        Ok(Verified {
            user,
            audiences: common,
        })
    }

    /// What a token says, if its signature is right.
    fn claims(&self, token: &str) -> Result<Arc<Claims>, TokenError> {
        if token.len() > claims::MAX_TOKEN {
            return Err(TokenError::Unknown);
        }
        let digest: [u8; 32] = Sha256::digest(token).into();
        if let Some(claims) = self.remembered().get(&digest) {
            return Ok(Arc::clone(claims));
        }
        let parts = claims::parts(token).ok_or(TokenError::Unknown)?;
        if object::text(&parts.payload, &["iss"]) != self.issuer {
            return Err(TokenError::Unknown);
        }
        let mut candidates = self
            .keys
            .iter()
            .filter(|key| parts.key_id.is_empty() || parts.key_id == key.id())
            .peekable();
        if candidates.peek().is_none() {
            return Err(TokenError::UnknownKey);
        }
        let message = parts.message.as_bytes();
        let right = |key: &VerifyingKey| {
            key.algorithm() == parts.algorithm && key.verifies(message, &parts.signature)
        };
        if !candidates.any(right) {
            return Err(TokenError::Signature);
        }
        let claims = Claims::from_json(&parts.payload).ok_or(TokenError::Signature)?;
        let claims = Arc::new(claims);
        let mut remembered = self.remembered();
        if remembered.len() >= MAX_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(digest, Arc::clone(&claims));
        Ok(claims)
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], Arc<Claims>>> {
        // Whoever panicked while holding it left a map of true signatures.
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claims {
    fn check_time(&self, now: Timestamp) -> Result<(), TokenError> {
        let now = now.as_duration();
        let later = |time: Option<i64>| {
            time.is_some_and(|time| now + LEEWAY < SignedDuration::from_secs(time))
        };
        if later(self.not_before) {
            return Err(TokenError::NotYet);
        }
        let over = |time: i64| now - LEEWAY > SignedDuration::from_secs(time);
        if self.expires.is_some_and(over) {
            return Err(TokenError::Expired);
        }
        if later(self.issued) {
            return Err(TokenError::FromTheFuture);
        }
        Ok(())
    }
}

impl Bound {
    fn user(self, id: &str, lookup: Lookup<'_>, now: Timestamp) -> Result<User, TokenError> {
        let Self {
            namespace,
            account,
            pod,
            secret,
            node,
        } = self;
        let name = &account.name;
        let gone = || format!("serviceaccounts \"{name}\" not found");
        let found = lookup(Reference::ServiceAccount(&namespace, name))
            .ok_or_else(|| TokenError::Invalidated(gone()))?;
        let uid = object::text(&found, &["metadata", "uid"]);
        if uid != account.uid {
            let claim = &account.uid;
            let why = format!("service account UID ({uid}) does not match claim ({claim})");
            return Err(TokenError::Invalidated(why));
        }
        if is_deleted(&found, now) {
            let why = format!("service account {namespace}/{name} has been deleted");
            return Err(TokenError::Invalidated(why));
        }
        if let Some(secret) = &secret {
            check(
                secret,
                "secret",
                lookup(Reference::Secret(&namespace, &secret.name)),
                now,
            )?;
        }
        if let Some(pod) = &pod {
            check(
                pod,
                "pod",
                lookup(Reference::Pod(&namespace, &pod.name)),
                now,
            )?;
        } else if let Some(node) = &node {
            check(node, "node", lookup(Reference::Node(&node.name)), now)?;
        }
        let mut user = User::service_account(&namespace, name, &account.uid);
        let mut add = |key: &str, value: String| {
            if !value.is_empty() {
                user.extra.insert(key.to_owned(), vec![value]);
            }
        };
        if let Some(pod) = pod.filter(|pod| !pod.name.is_empty() && !pod.uid.is_empty()) {
            add("authentication.kubernetes.io/pod-name", pod.name);
            add("authentication.kubernetes.io/pod-uid", pod.uid);
        }
        if !id.is_empty() {
            add(user::CREDENTIAL_ID, format!("JTI={id}"));
        }
        if let Some(node) = node.filter(|node| !node.name.is_empty()) {
            add(user::NODE_NAME, node.name);
            add("authentication.kubernetes.io/node-uid", node.uid);
        }
        Ok(user)
    }
}

/// Refuses a token that is bound to an object which is gone, or another by now.
fn check(
    named: &Named,
    kind: &str,
    found: Option<Arc<Value>>,
    now: Timestamp,
) -> Result<(), TokenError> {
    let invalidated =
        || TokenError::Invalidated("service account token has been invalidated".to_owned());
    let found = found.ok_or_else(invalidated)?;
    let uid = object::text(&found, &["metadata", "uid"]);
    if uid != named.uid {
        let claim = &named.uid;
        let why =
            format!("{kind} UID ({uid}) does not match service account {kind} ref claim ({claim})");
        return Err(TokenError::Invalidated(why));
    }
    if is_deleted(&found, now) {
        return Err(invalidated());
    }
    Ok(())
}

/// Whether an object is being deleted, and has been for longer than clocks may differ.
fn is_deleted(found: &Value, now: Timestamp) -> bool {
    let at = object::text(found, &["metadata", "deletionTimestamp"]);
    !at.is_empty()
        && at
            .parse::<Timestamp>()
            .is_ok_and(|at| now.as_duration() - LEEWAY > at.as_duration())
}
