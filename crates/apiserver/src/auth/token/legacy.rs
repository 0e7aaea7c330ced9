//! Tokens that never end, in Secrets of the type `kubernetes.io/service-account-token`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::super::object;
use super::super::user::service_account_username;
use super::claims::{self, Legacy, Named};
use super::{Issuer, KeyError};

/// The issuer in such tokens, whatever the server's own name is.
pub(super) const LEGACY_ISSUER: &str = "kubernetes/serviceaccount";

/// What a Secret that asks for a token lacks: its `data` and `metadata.annotations` with the token, the
/// certificate of the authority and the namespace filled in, as a merge patch. Nothing if it lacks
/// nothing, is of another type, or names another account than the one given.
///
/// # Errors
///
/// [`KeyError::NotMade`] if the key does not sign.
pub fn legacy_secret(
    issuer: &Issuer,
    secret: &Value,
    account: &Value,
    ca_pem: &str,
) -> Result<Option<Value>, KeyError> {
    const NAME: &str = "kubernetes.io/service-account.name";
    const UID: &str = "kubernetes.io/service-account.uid";
    let of_account = |field: &str| object::text(account, &["metadata", field]);
    let annotation = |key: &str| object::text(secret, &["metadata", "annotations", key]);
    let asks = object::text(secret, &["type"]) == "kubernetes.io/service-account-token"
        && annotation(NAME) == of_account("name")
        && ["", of_account("uid")].contains(&annotation(UID));
    if !asks {
        return Ok(None);
    }
    let namespace = object::text(secret, &["metadata", "namespace"]);
    let own = |key: &str| object::text(secret, &["data", key]);
    let mut data = Map::new();
    for (key, wanted) in [("ca.crt", ca_pem), ("namespace", namespace)] {
        let wanted = STANDARD.encode(wanted);
        // The namespace is only looked for, as upstream does.
        let lacks = own(key).is_empty() || (key == "ca.crt" && own(key) != wanted);
        if lacks {
            data.insert(key.to_owned(), json!(wanted));
        }
    }
    if own("token").is_empty() {
        let legacy = Legacy {
            namespace: namespace.to_owned(),
            account: Named {
                name: of_account("name").to_owned(),
                uid: of_account("uid").to_owned(),
            },
            secret: object::text(secret, &["metadata", "name"]).to_owned(),
        };
        let mut payload = Map::new();
        payload.insert("iss".to_owned(), json!(LEGACY_ISSUER));
        let subject = service_account_username(namespace, of_account("name"));
        payload.insert("sub".to_owned(), json!(subject));
        legacy.write(&mut payload);
        let token = claims::signed(&issuer.key, &Value::Object(payload))?;
        data.insert("token".to_owned(), json!(STANDARD.encode(token)));
    }
    if data.is_empty() {
        return Ok(None);
    }
    let annotations = json!({NAME: of_account("name"), UID: of_account("uid")});
    Ok(Some(
        json!({"data": data, "metadata": {"annotations": annotations}}),
    ))
}
