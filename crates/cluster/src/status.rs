//! The one place that writes statuses, finalizers and annotations of our own kinds.

use bytes::Bytes;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::ApiResource;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::apply::version;
use crate::caller::{Caller, Payload, Want};
use crate::error::ApiError;
use crate::resource::Resource;
use kinds::names;

#[derive(Deserialize)]
struct Written {
    metadata: ObjectMeta,
}

/// Writes a status if it differs from the one that is known: one request a change, none without.
/// Tells whether it was written.
///
/// # Errors
/// [`ApiError`]; a 404 means that the object is gone and is no error.
pub async fn write(
    caller: &Caller,
    api: &ApiResource,
    namespace: Option<&str>,
    name: &str,
    known: &Value,
    next: &Value,
) -> Result<bool, ApiError> {
    let written = write_at(caller, api, namespace, name, known, next).await;
    written.map(|version| version.is_some())
}

/// As [`write`], but tells the resourceVersion of what was written: whatever is read with an
/// older one does not know of it yet.
///
/// # Errors
/// As [`write`].
pub async fn write_at(
    caller: &Caller,
    api: &ApiResource,
    namespace: Option<&str>,
    name: &str,
    known: &Value,
    next: &Value,
) -> Result<Option<u64>, ApiError> {
    let Some(change) = difference(known, next) else {
        return Ok(None);
    };
    let place = Resource::object(api, namespace, name).subresource("status");
    let body = Payload::Merge(Bytes::from(json!({"status": change}).to_string()));
    let query = format!("fieldManager={}", names::CONTROLLER_MANAGER);
    match caller.patch(&place, &query, Want::Metadata, &body).await {
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
        Ok(answer) => {
            let written: Written = answer.decode()?;
            Ok(Some(version(&written.metadata)))
        }
    }
}

/// The merge patch (RFC 7386) from one object to another; nothing when they are equal.
fn difference(known: &Value, next: &Value) -> Option<Value> {
    if known == next {
        return None;
    }
    let (Value::Object(old), Value::Object(new)) = (known, next) else {
        return Some(next.clone());
    };
    let mut patch = Map::new();
    for (key, value) in new {
        match old.get(key) {
            Some(before) => {
                if let Some(change) = difference(before, value) {
                    patch.insert(key.clone(), change);
                }
            }
            None => {
                patch.insert(key.clone(), value.clone());
            }
        }
    }
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    Some(Value::Object(patch))
}

/// Puts our finalizer on an object, beside the ones that are there.
///
/// # Errors
/// [`ApiError`]; a conflict means that somebody wrote the object meanwhile.
pub async fn add_finalizer(
    caller: &Caller,
    api: &ApiResource,
    namespace: Option<&str>,
    name: &str,
    present: &[String],
    version: Option<&str>,
) -> Result<(), ApiError> {
    let mut finalizers = present.to_vec();
    finalizers.push(names::FINALIZER.to_owned());
    set_finalizers(caller, api, namespace, name, &finalizers, version).await
}

/// Takes our finalizer off an object.
///
/// # Errors
/// [`ApiError`]; a conflict means that somebody wrote the object meanwhile.
pub async fn remove_finalizer(
    caller: &Caller,
    api: &ApiResource,
    namespace: Option<&str>,
    name: &str,
    present: &[String],
    version: Option<&str>,
) -> Result<(), ApiError> {
    let finalizers: Vec<String> = present
        .iter()
        .filter(|finalizer| *finalizer != names::FINALIZER)
        .cloned()
        .collect();
    match set_finalizers(caller, api, namespace, name, &finalizers, version).await {
        Err(error) if error.is_not_found() => Ok(()),
        result => result,
    }
}

async fn set_finalizers(
    caller: &Caller,
    api: &ApiResource,
    namespace: Option<&str>,
    name: &str,
    finalizers: &[String],
    version: Option<&str>,
) -> Result<(), ApiError> {
    // With the resourceVersion, so that nobody else's finalizer is lost.
    let body = json!({"metadata": {"finalizers": finalizers, "resourceVersion": version}});
    let query = format!("fieldManager={}", names::CONTROLLER_MANAGER);
    let place = Resource::object(api, namespace, name);
    caller
        .patch(
            &place,
            &query,
            Want::Metadata,
            &Payload::Merge(Bytes::from(body.to_string())),
        )
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(known: &str, next: &str, patch: &str) {
        let parse = |text| serde_json::from_str::<Value>(text).expect("the test's JSON is right");
        let change = difference(&parse(known), &parse(next))
            .map_or_else(|| "-".to_owned(), |p| p.to_string());
        assert_eq!(change, patch);
    }

    #[test]
    fn a_patch_names_what_changed_and_what_went_away() {
        check(r#"{"a":1}"#, r#"{"a":1}"#, "-");
        check(r#"{"a":1,"b":2}"#, r#"{"a":1}"#, r#"{"b":null}"#);
        check(
            r#"{"a":{"x":1,"y":2}}"#,
            r#"{"a":{"x":1,"y":3}}"#,
            r#"{"a":{"y":3}}"#,
        );
        check(r#"{"a":[1]}"#, r#"{"a":[1,2]}"#, r#"{"a":[1,2]}"#);
    }
}
