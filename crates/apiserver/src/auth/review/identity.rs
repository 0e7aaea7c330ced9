//! Who somebody is.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::super::authenticate::Authenticator;
use super::super::object;
use super::super::quote::aggregate;
use super::super::token::Lookup;
use super::super::user::User;
use super::{AUTHENTICATION, answered};
use crate::status::Status;
use crate::time::rfc3339;

/// Answers a `TokenReview`: whom a token stands for.
///
/// # Errors
///
/// 400 if there is no token. A token that is not accepted is no error: the answer says why.
pub fn token_review(
    body: &Value,
    authenticator: &Authenticator,
    lookup: Lookup<'_>,
    now: Timestamp,
) -> Result<Value, Status> {
    let token = object::text(body, &["spec", "token"]);
    if token.is_empty() {
        let why = "token is required for TokenReview in authentication";
        return Err(Status::bad_request(why));
    }
    let wanted: Vec<String> = object::texts(body, &["spec", "audiences"])
        .map(str::to_owned)
        .collect();
    let ours = authenticator.verifier.audiences();
    let audiences = if wanted.is_empty() { ours } else { &wanted };
    let status = match authenticator.verify(token, audiences, lookup, now) {
        Ok(verified) => json!({
            "authenticated": true,
            "user": verified.user.to_json(),
            "audiences": verified.audiences,
        }),
        // The genuine server asks two authenticators in turn, of which the first knows one token.
        Err(error) => {
            let texts = vec!["invalid bearer token".to_owned(), error.to_string()];
            json!({"user": {}, "error": aggregate(texts)})
        }
    };
    Ok(answered(AUTHENTICATION, "TokenReview", body, status))
}

/// Answers a `SelfSubjectReview`: who asks.
pub fn self_subject_review(user: &User, now: Timestamp) -> Value {
    let mut answer = Map::new();
    answer.insert("kind".to_owned(), json!("SelfSubjectReview"));
    answer.insert("apiVersion".to_owned(), json!("authentication.k8s.io/v1"));
    let metadata = json!({"creationTimestamp": rfc3339(now)});
    answer.insert("metadata".to_owned(), metadata);
    answer.insert("status".to_owned(), json!({"userInfo": user.to_json()}));
    Value::Object(answer)
}
