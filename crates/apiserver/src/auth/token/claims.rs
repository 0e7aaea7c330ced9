//! What a token says, and its compact form.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::object;
use super::key::{KeyError, SigningKey};

/// The longest token that is looked at. A header line may be 1 MiB; genuine tokens have 1 KiB.
pub(super) const MAX_TOKEN: usize = 64 * 1024;

/// What an object is named by in a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) uid: String,
}

/// What a token says. Times are seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Claims {
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) audiences: Vec<String>,
    pub(super) id: String,
    pub(super) not_before: Option<i64>,
    pub(super) expires: Option<i64>,
    pub(super) issued: Option<i64>,
    pub(super) bound: Option<Bound>,
}

/// What a token of today is bound to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) namespace: String,
    pub(super) account: Named,
    pub(super) pod: Option<Named>,
    pub(super) secret: Option<Named>,
    pub(super) node: Option<Named>,
}

impl Claims {
    /// Reads a payload; nothing if a claim is of another type than the standard says.
    pub(super) fn from_json(payload: &Value) -> Option<Self> {
        let payload_text = |key: &str| match payload.get(key) {
            None | Some(Value::Null) => Some(String::new()),
            Some(value) => value.as_str().map(str::to_owned),
        };
        let time = |key: &str| match payload.get(key) {
            None | Some(Value::Null) => Some(None),
            Some(value) => seconds(value).map(Some),
        };
        let audiences = match payload.get("aud") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(several)) => several
                .iter()
                .map(|one| one.as_str().map(str::to_owned))
                .collect::<Option<_>>()?,
            Some(_) => return None,
        };
        Some(Self {
            issuer: payload_text("iss")?,
            subject: payload_text("sub")?,
            audiences,
            id: payload_text("jti")?,
            not_before: time("nbf")?,
            expires: time("exp")?,
            issued: time("iat")?,
            bound: payload.get("kubernetes.io").map(Bound::from_json),
        })
    }
}

/// A time of RFC 7519 in whole seconds.
fn seconds(time: &Value) -> Option<i64> {
    let rounded = || {
        Some(
            SignedDuration::try_from_secs_f64(time.as_f64()?)
                .ok()?
                .as_secs(),
        )
    };
    time.as_i64().or_else(rounded)
}

impl Bound {
    fn from_json(claim: &Value) -> Self {
        let named = |key: &str| Named {
            name: object::text(claim, &[key, "name"]).to_owned(),
            uid: object::text(claim, &[key, "uid"]).to_owned(),
        };
        let maybe = |key: &str| {
            claim
                .get(key)
                .filter(|own| !own.is_null())
                .map(|_| named(key))
        };
        Self {
            namespace: object::text(claim, &["namespace"]).to_owned(),
            account: named("serviceaccount"),
            pod: maybe("pod"),
            secret: maybe("secret"),
            node: maybe("node"),
        }
    }
}

/// Signs a payload: the compact form.
pub(super) fn signed(key: &SigningKey, payload: &Value) -> Result<String, KeyError> {
    let public = key.public();
    let header = json!({"alg": public.algorithm(), "kid": public.id()});
    let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(payload.to_string(), &mut token);
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}

/// A token taken apart.
pub(super) struct Parts<'a> {
    /// What is signed.
    pub(super) message: &'a str,
    pub(super) signature: Vec<u8>,
    /// The algorithm that the header names.
    pub(super) algorithm: String,
    /// The key that the header names; empty if it names none.
    pub(super) key_id: String,
    pub(super) payload: Value,
}

/// Takes a token apart; nothing if it is none.
pub(super) fn parts(token: &str) -> Option<Parts<'_>> {
    if token.len() > MAX_TOKEN {
        return None;
    }
    let (message, signature) = token.rsplit_once('.')?;
    let (header, payload) = message.split_once('.')?;
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    let header: Value = serde_json::from_slice(&decoded(header)?).ok()?;
    // Extensions that have to be understood are not.
    if header.get("crit").is_some() {
        return None;
    }
    Some(Parts {
        message,
        signature: decoded(signature)?,
        algorithm: object::text(&header, &["alg"]).to_owned(),
        key_id: object::text(&header, &["kid"]).to_owned(),
        payload: serde_json::from_slice(&decoded(payload)?).ok()?,
    })
}
