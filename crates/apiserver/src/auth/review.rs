//! The kinds that ask about users and rights instead of being stored: each is a function from the body
//! of the request to the object of the answer.
//!
//! What is left out: `metadata.managedFields`, which whoever answers adds as to any created object.

mod access;
mod identity;

pub use access::{
    local_subject_access_review, self_subject_access_review, self_subject_rules_review,
    subject_access_review,
};
pub use identity::{self_subject_review, token_review};

use serde_json::{Map, Value};

/// The API group of reviews of rights.
const AUTHORIZATION: &str = "authorization.k8s.io";
/// The API group of reviews of users.
const AUTHENTICATION: &str = "authentication.k8s.io";

/// An answer: the body with a status.
fn answered(group: &str, kind: &str, body: &Value, status: Value) -> Value {
    let mut answer = Map::new();
    answer.insert("kind".to_owned(), Value::from(kind));
    answer.insert("apiVersion".to_owned(), Value::from(format!("{group}/v1")));
    for field in ["metadata", "spec"] {
        let value = match &body[field] {
            Value::Null => Value::Object(Map::new()),
            value => value.clone(),
        };
        answer.insert(field.to_owned(), value);
    }
    answer.insert("status".to_owned(), status);
    Value::Object(answer)
}
