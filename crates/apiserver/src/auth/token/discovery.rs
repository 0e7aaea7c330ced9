//! The documents by which others find the keys that verify tokens (OpenID Connect Discovery 1.0).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::key::VerifyingKey;

/// What `/.well-known/openid-configuration` answers. `keys_url` is where `/openid/v1/jwks` is reached:
/// `https://<external address>/openid/v1/jwks`.
pub fn openid_configuration(issuer: &str, keys_url: &str, keys: &[VerifyingKey]) -> Value {
    let algorithms: BTreeSet<&str> = keys.iter().map(VerifyingKey::algorithm).collect();
    json!({
        "issuer": issuer,
        "jwks_uri": keys_url,
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algorithms,
    })
}

/// What `/openid/v1/jwks` answers, with the media type `application/jwk-set+json`.
pub fn openid_keys(keys: &[VerifyingKey]) -> Value {
    let keys: Vec<Value> = keys.iter().map(VerifyingKey::to_jwk).collect();
    json!({ "keys": keys })
}
