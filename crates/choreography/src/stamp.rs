//! From a template and its context to the object that is submitted.
//!
//! A `spec.template` is filled here ([`evaluate`]). A `spec.ytt` is evaluated elsewhere, with
//! [`crate::context::Context::values`]; both forms go through [`finish`].

use serde_json::{Map, Value, json};

use crate::context::Context;
use crate::interpolate::{InterpolateError, interpolate};
use crate::labels::Labels;
use crate::notation::{compact_json, display};
use crate::owner::Owner;

/// Why a template gives no object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StampError {
    /// A tag of the template cannot be filled.
    #[error("failed to recursively evaluate template: {0}")]
    Template(#[from] InterpolateError),
    /// The template has neither of the two forms, or ytt refused it.
    #[error("{0}")]
    Engine(String),
    /// It gives something else than an object.
    #[error("stamped resource is not a map[string]interface{{}}, stamped resource: {0}")]
    NotAnObject(String),
    /// The object has no kind.
    #[error("Object 'Kind' is missing in '{0}'")]
    KindMissing(String),
    /// The object's metadata is none.
    #[error("metadata of the stamped resource is not an object: {0}")]
    OddMetadata(String),
    /// The object names another namespace than the owner's.
    #[error("cannot set namespace in resource template")]
    Namespace,
}

/// A `spec.template` with its tags filled.
pub fn evaluate(template: &Value, context: &Context) -> Result<Value, StampError> {
    Ok(interpolate(template, context.typed())?)
}

/// The object to submit: the evaluated one in the owner's namespace, owned by it, with labels.
pub fn finish(evaluated: Value, owner: &Owner, labels: &Labels) -> Result<Value, StampError> {
    let Value::Object(mut object) = evaluated else {
        return Err(StampError::NotAnObject(display(&evaluated)));
    };
    if !object.get("kind").is_some_and(is_text) {
        return Err(StampError::KindMissing(compact_json(&Value::Object(
            object,
        ))));
    }
    let metadata = object.entry("metadata").or_insert(Value::Null);
    if metadata.is_null() {
        *metadata = Value::Object(Map::new());
    }
    let Value::Object(metadata) = metadata else {
        return Err(StampError::OddMetadata(display(metadata)));
    };
    match metadata.get("namespace") {
        None | Some(Value::Null) => {}
        Some(Value::String(named)) if named.is_empty() || named == owner.namespace() => {}
        Some(_) => return Err(StampError::Namespace),
    }
    metadata.insert("namespace".to_owned(), owner.namespace().into());
    metadata.insert("ownerReferences".to_owned(), json!([owner.reference()]));
    let mut all = template_labels(metadata);
    for (key, value) in labels {
        all.insert(key.clone(), value.as_str().into());
    }
    metadata.insert("labels".to_owned(), Value::Object(all));
    Ok(Value::Object(object))
}

/// The labels that the template has; none of them where one is no text.
fn template_labels(metadata: &Map<String, Value>) -> Map<String, Value> {
    match metadata.get("labels") {
        Some(Value::Object(labels)) if labels.values().all(Value::is_string) => labels.clone(),
        _ => Map::new(),
    }
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::owner::OwnerKind;

    fn owner() -> Owner {
        let metadata = json!({"name": "shop", "namespace": "dev", "uid": "u1"});
        Owner::new(OwnerKind::Workload, json!({"metadata": metadata}))
    }

    fn stamped(evaluated: Value) -> Result<Value, StampError> {
        let labels = Labels::from([("carto.run/resource-name".to_owned(), "r".to_owned())]);
        finish(evaluated, &owner(), &labels)
    }

    #[test]
    fn an_object_belongs_to_its_owner() {
        let object = json!({
            "kind": "ConfigMap",
            "metadata": {
                "name": "a",
                "labels": {"mine": "1", "carto.run/resource-name": "stolen"},
                "ownerReferences": [{"name": "somebody"}],
            },
        });
        let expected = json!({
            "kind": "ConfigMap",
            "metadata": {
                "name": "a",
                "namespace": "dev",
                "labels": {"mine": "1", "carto.run/resource-name": "r"},
                "ownerReferences": [{
                    "apiVersion": "carto.run/v1alpha1", "kind": "Workload", "name": "shop", "uid": "u1",
                    "controller": true, "blockOwnerDeletion": true,
                }],
            },
        });
        assert_eq!(stamped(object), Ok(expected));
    }

    #[test]
    fn only_the_owners_namespace_may_be_named() {
        let object = |namespace: &str| json!({"kind": "A", "metadata": {"namespace": namespace}});
        assert!(stamped(object("dev")).is_ok());
        assert!(stamped(object("")).is_ok());
        assert_eq!(stamped(object("prod")), Err(StampError::Namespace));
    }

    #[test]
    fn labels_with_a_value_that_is_no_text_are_lost() {
        let object = json!({"kind": "A", "metadata": {"labels": {"a": "1", "b": 2}}});
        let stamped = stamped(object).expect("it is an object");
        let labels = &stamped["metadata"]["labels"];
        assert_eq!(labels, &json!({"carto.run/resource-name": "r"}));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        let texts: Vec<_> = [
            json!("x"),
            json!([1]),
            json!({"a": 1}),
            json!({"kind": "A", "metadata": "m"}),
        ]
        .into_iter()
        .map(|odd| stamped(odd).expect_err("it is none").to_string())
        .collect();
        assert_eq!(
            texts.join("\n"),
            "stamped resource is not a map[string]interface{}, stamped resource: x\n\
             stamped resource is not a map[string]interface{}, stamped resource: [1]\n\
             Object 'Kind' is missing in '{\"a\":1}'\n\
             metadata of the stamped resource is not an object: m"
        );
    }
}
