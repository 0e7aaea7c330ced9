//! What somebody may do.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::quote::aggregate;
use super::super::rbac::{Decision, Rules};
use super::super::{Attributes, ResourceAttributes, User, object};
use super::{AUTHORIZATION, answered};
use crate::status::{About, FieldError, Status};

/// Answers a `SelfSubjectAccessReview`: whether the one who asks may do something.
///
/// # Errors
///
/// 422 if it does not say what.
pub fn self_subject_access_review(
    body: &Value,
    user: &User,
    rules: &Rules,
) -> Result<Value, Status> {
    let mut errors = faults_of_attributes(body);
    errors.extend(faults_of_selectors(body));
    errors.extend(faults_of_metadata(body, None));
    refuse(&errors)?;
    let status = decided(body, user, rules);
    Ok(answered(
        AUTHORIZATION,
        "SelfSubjectAccessReview",
        body,
        status,
    ))
}

/// Answers a `SubjectAccessReview`: whether somebody may do something.
///
/// # Errors
///
/// 422 if it does not say who or what.
pub fn subject_access_review(body: &Value, rules: &Rules) -> Result<Value, Status> {
    let mut errors = faults_of_spec(body);
    errors.extend(faults_of_metadata(body, None));
    refuse(&errors)?;
    let status = decided(body, &subject(body), rules);
    Ok(answered(AUTHORIZATION, "SubjectAccessReview", body, status))
}

/// Answers a `LocalSubjectAccessReview`: whether somebody may do something in a namespace.
///
/// # Errors
///
/// 400 if the body names another namespace than the path, 422 if it does not say who or what there.
pub fn local_subject_access_review(
    body: &Value,
    namespace: &str,
    rules: &Rules,
) -> Result<Value, Status> {
    if !["", namespace].contains(&object::text(body, &["metadata", "namespace"])) {
        let why =
            "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Status::bad_request(why));
    }
    let mut errors = faults_of_spec(body);
    errors.extend(faults_of_metadata(body, Some(namespace)));
    let spec = &body["spec"];
    let own = object::text(spec, &["resourceAttributes", "namespace"]);
    if !spec["resourceAttributes"].is_null() && own != namespace {
        let field = "spec.resourceAttributes.namespace";
        errors.push(FieldError::invalid(
            field,
            json!(own),
            "must match metadata.namespace",
        ));
    }
    if !spec["nonResourceAttributes"].is_null() {
        let why = "disallowed on this kind of request";
        errors.push(FieldError::invalid(
            "spec.nonResourceAttributes",
            shown_path(spec),
            why,
        ));
    }
    refuse(&errors)?;
    let status = decided(body, &subject(body), rules);
    let mut answer = answered(AUTHORIZATION, "LocalSubjectAccessReview", body, status);
    answer["metadata"]["namespace"] = json!(namespace);
    Ok(answer)
}

/// Answers a `SelfSubjectRulesReview`: all that the one who asks may do in a namespace.
///
/// # Errors
///
/// 400 if it names no namespace.
pub fn self_subject_rules_review(
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
    let mut status = Map::new();
    status.insert("resourceRules".to_owned(), Value::Array(resources));
    status.insert("nonResourceRules".to_owned(), Value::Array(paths));
    status.insert("incomplete".to_owned(), json!(false));
    let broken = rules.broken_bindings(user, namespace);
    if !broken.is_empty() {
        status.insert("evaluationError".to_owned(), json!(aggregate(broken)));
    }
    // The genuine server answers an object of its own, without what was asked.
    let status = Value::Object(status);
    Ok(answered(
        AUTHORIZATION,
        "SelfSubjectRulesReview",
        &Value::Null,
        status,
    ))
}

/// The status of a review.
fn decided(body: &Value, user: &User, rules: &Rules) -> Value {
    let spec = &body["spec"];
    let resource = &spec["resourceAttributes"];
    let asked = if resource.is_null() {
        let text = |field: &str| object::text(spec, &["nonResourceAttributes", field]);
        Attributes::path(text("verb"), text("path"))
    } else {
        let text = |field: &str| object::text(resource, &[field]);
        Attributes::resource(
            text("verb"),
            ResourceAttributes {
                group: text("group"),
                resource: text("resource"),
                subresource: text("subresource"),
                name: text("name"),
                namespace: text("namespace"),
            },
        )
    };
    let mut status = Map::new();
    let mut errors = Vec::new();
    let (allowed, reason) = match rules.decide(user, &asked) {
        Decision::Allow(grant) => (true, grant.to_string()),
        Decision::Deny(reason) => (false, reason),
    };
    status.insert("allowed".to_owned(), json!(allowed));
    if !reason.is_empty() {
        status.insert("reason".to_owned(), json!(reason));
    }
    for selector in ["fieldSelector", "labelSelector"] {
        errors.extend(ignored(selector, &resource[selector]));
    }
    if !errors.is_empty() {
        status.insert("evaluationError".to_owned(), json!(errors.join("; ")));
    }
    Value::Object(status)
}

/// Says that requirements of a selector are of no known operator. RBAC looks at none of them.
fn ignored(field: &str, selector: &Value) -> Option<String> {
    let known: &[&str] = if field == "labelSelector" {
        &["In", "NotIn", "Exists", "DoesNotExist"]
    } else {
        &["In", "NotIn"]
    };
    let requirements = object::list(selector, &["requirements"]);
    let understood = |requirement: &&Value| {
        let one = object::list(requirement, &["values"]).len() == 1;
        known.contains(&object::text(requirement, &["operator"]))
            && (one || field == "labelSelector")
    };
    let count = requirements.iter().filter(understood).count();
    if count == requirements.len() {
        return None;
    }
    let partially = if count > 0 { "partially " } else { "" };
    Some(format!(
        "spec.resourceAttributes.{field} {partially}ignored due to parse error"
    ))
}

/// The user that a review is about.
fn subject(body: &Value) -> User {
    let spec = &body["spec"];
    let texts = |value: &Value| object::texts(value, &[]).map(str::to_owned).collect();
    let extra: BTreeMap<String, Vec<String>> = spec["extra"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, values)| (key.clone(), texts(values)))
        .collect();
    User {
        name: object::text(spec, &["user"]).to_owned(),
        uid: object::text(spec, &["uid"]).to_owned(),
        groups: texts(&spec["groups"]),
        extra,
    }
}

fn refuse(errors: &[FieldError]) -> Result<(), Status> {
    if errors.is_empty() {
        return Ok(());
    }
    // The genuine server leaves the kind empty here.
    let about = About {
        group: AUTHORIZATION,
        resource: "",
        kind: "",
    };
    Err(Status::invalid(about, "", errors))
}

fn faults_of_spec(body: &Value) -> Vec<FieldError> {
    let mut errors = faults_of_attributes(body);
    let spec = &body["spec"];
    let nobody =
        object::text(spec, &["user"]).is_empty() && object::list(spec, &["groups"]).is_empty();
    if nobody {
        let why = "at least one of user or group must be specified";
        errors.push(FieldError::invalid("spec.user", json!(""), why));
    }
    errors.extend(faults_of_selectors(body));
    errors
}

fn faults_of_attributes(body: &Value) -> Vec<FieldError> {
    let spec = &body["spec"];
    let has = |field: &str| !spec[field].is_null();
    match (has("resourceAttributes"), has("nonResourceAttributes")) {
        (true, true) => {
            let why = "cannot be specified in combination with resourceAttributes";
            let field = "spec.nonResourceAttributes";
            vec![FieldError::invalid(field, shown_path(spec), why)]
        }
        (false, false) => {
            let why =
                "exactly one of nonResourceAttributes or resourceAttributes must be specified";
            vec![FieldError::invalid(
                "spec.resourceAttributes",
                Value::Null,
                why,
            )]
        }
        _ => Vec::new(),
    }
}

/// Attributes of a path as messages show them: by the names of Go's fields.
fn shown_path(spec: &Value) -> Value {
    let text = |field: &str| object::text(spec, &["nonResourceAttributes", field]);
    json!({"Path": text("path"), "Verb": text("verb")})
}

fn faults_of_selectors(body: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for selector in ["fieldSelector", "labelSelector"] {
        let value = object::at(body, &["spec", "resourceAttributes", selector]);
        if value.is_null() {
            continue;
        }
        let path = format!("spec.resourceAttributes.{selector}");
        let raw = object::text(value, &["rawSelector"]);
        let requirements = object::list(value, &["requirements"]);
        match (raw.is_empty(), requirements.is_empty()) {
            (false, false) => {
                let why = "may not specified at the same time as requirements";
                errors.push(FieldError::invalid(
                    format!("{path}.rawSelector"),
                    json!(raw),
                    why,
                ));
            }
            (true, true) => {
                let why =
                    format!("when {path} is specified, requirements or rawSelector is required");
                errors.push(FieldError::required(format!("{path}.requirements"), why));
            }
            _ => {}
        }
        for (index, requirement) in requirements.iter().enumerate() {
            errors.extend(fault_of_requirement(
                &format!("{path}.requirements[{index}]"),
                requirement,
            ));
        }
    }
    errors
}

fn fault_of_requirement(path: &str, requirement: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if object::text(requirement, &["key"]).is_empty() {
        errors.push(FieldError::required(
            format!("{path}.key"),
            "must be specified",
        ));
    }
    let none = object::list(requirement, &["values"]).is_empty();
    let field = format!("{path}.values");
    match object::text(requirement, &["operator"]) {
        "In" | "NotIn" if none => {
            let why = "must be specified when `operator` is 'In' or 'NotIn'";
            errors.push(FieldError::required(field, why));
        }
        "Exists" | "DoesNotExist" if !none => {
            let why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            errors.push(FieldError::forbidden(field, why));
        }
        _ => {}
    }
    errors
}

/// A review has no metadata but, if it is local, its namespace.
fn faults_of_metadata(body: &Value, namespace: Option<&str>) -> Option<FieldError> {
    let metadata = body["metadata"].as_object()?;
    let allowed = |key: &str| key == "managedFields" || (key == "namespace" && namespace.is_some());
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    metadata
        .iter()
        .find(|(key, value)| !allowed(key) && !is_empty(value))?;
    let mut shown = metadata.clone();
    shown.remove("managedFields");
    let why = match namespace {
        Some(namespace) => {
            shown.insert("namespace".to_owned(), json!(namespace));
            "must be empty except for namespace"
        }
        None => "must be empty",
    };
    Some(FieldError::invalid("metadata", Value::Object(shown), why))
}
