//! The kinds that ask about users and rights instead of being stored: each is a function from the body
//! of the request to the object of the answer.
//!
//! Left out: reviews about others and of tokens, and `metadata.managedFields`, which whoever answers
//! adds as to any created object.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::rbac::{Decision, Rules, joined};
use super::{Attributes, ResourceAttributes, User, object};
use crate::status::{About, FieldError, Status};
use crate::time::rfc3339;

/// The API group of reviews of rights.
const AUTHORIZATION: &str = "authorization.k8s.io";

/// An answer: what was asked, with a status.
fn answered(kind: &str, body: &Value, status: &Value) -> Value {
    let part = |field: &str| match &body[field] {
        Value::Null => json!({}),
        value => value.clone(),
    };
    json!({
        "kind": kind,
        "apiVersion": format!("{AUTHORIZATION}/v1"),
        "metadata": part("metadata"),
        "spec": part("spec"),
        "status": status,
    })
}

/// Answers a `SelfSubjectReview`: who asks.
pub(crate) fn self_subject_review(user: &User, now: Timestamp) -> Value {
    json!({
        "kind": "SelfSubjectReview",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"creationTimestamp": rfc3339(now)},
        "status": {"userInfo": user.to_json()},
    })
}

/// Answers a `SelfSubjectAccessReview`: whether the one who asks may do something.
///
/// # Errors
///
/// 422 if it does not say what.
pub(crate) fn self_subject_access_review(
    body: &Value,
    user: &User,
    rules: &Rules,
) -> Result<Value, Status> {
    let (resource, path) = (
        &body["spec"]["resourceAttributes"],
        &body["spec"]["nonResourceAttributes"],
    );
    let text = |part, field| object::text(part, &[field]);
    let asked = match (resource.is_null(), path.is_null()) {
        (false, true) => Attributes::resource(
            text(resource, "verb"),
            ResourceAttributes {
                group: text(resource, "group"),
                resource: text(resource, "resource"),
                subresource: text(resource, "subresource"),
                name: text(resource, "name"),
                namespace: text(resource, "namespace"),
            },
        ),
        (true, false) => Attributes::path(text(path, "verb"), text(path, "path")),
        _ => return Err(unclear()),
    };
    let status = match rules.decide(user, &asked) {
        Decision::Allow(grant) => (true, grant.to_string()),
        Decision::Deny(reason) => (false, reason),
    };
    let status = match status {
        (allowed, reason) if reason.is_empty() => json!({"allowed": allowed}),
        (allowed, reason) => json!({"allowed": allowed, "reason": reason}),
    };
    Ok(answered("SelfSubjectAccessReview", body, &status))
}

fn unclear() -> Status {
    let why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    let fault = FieldError::invalid("spec.resourceAttributes", Value::Null, why);
    // The genuine server leaves the kind empty here.
    let about = About {
        group: AUTHORIZATION,
        resource: "",
        kind: "",
    };
    Status::invalid(about, "", &[fault])
}

/// Answers a `SelfSubjectRulesReview`: all that the one who asks may do in a namespace.
///
/// # Errors
///
/// 400 if it names no namespace.
pub(crate) fn self_subject_rules_review(
    body: &Value,
    user: &User,
    rules: &Rules,
) -> Result<Value, Status> {
    let namespace = object::text(body, &["spec", "namespace"]);
    if namespace.is_empty() {
        return Err(Status::bad_request("no namespace on request"));
    }
    let (mut resources, mut paths) = (Vec::new(), Vec::new());
    for rule in rules.rules_for(user, namespace) {
        if !rule.resources.is_empty() {
            let mut rule = rule.to_json();
            if let Some(fields) = rule.as_object_mut() {
                fields.remove("nonResourceURLs");
            }
            resources.push(rule);
        }
        if !rule.non_resource_urls.is_empty() {
            paths.push(json!({"verbs": rule.verbs, "nonResourceURLs": rule.non_resource_urls}));
        }
    }
    let mut status = json!({
        "resourceRules": resources,
        "nonResourceRules": paths,
        "incomplete": false,
    });
    let broken = rules.broken_bindings(user, namespace);
    if !broken.is_empty() {
        status["evaluationError"] = json!(joined(broken));
    }
    // The genuine server answers an object of its own, without what was asked.
    Ok(answered("SelfSubjectRulesReview", &Value::Null, &status))
}
