//! From a template and what goes into it to the object that is submitted.
//!
//! [`begin`] fills a `spec.template`. A `spec.ytt` is evaluated elsewhere, with the data that it says.
//! What either form gives goes through [`finish`]. Whoever stamps without a walk, as a test of a
//! template does, goes the same two steps.

use std::collections::BTreeMap;

use kinds::cartographer::blueprint::Resource;
use kinds::{Blueprint, Template};
use serde_json::{Map, Value, json};

use crate::context::{Context, Inputs, Outputs};
use crate::interpolate::{InterpolateError, interpolate};
use crate::labels::{Labels, Stamping};
use crate::notation::{compact_json, display};
use crate::owner::Owner;
use crate::params::Params;

/// Why a template gives no object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StampError {
    /// A tag of the template cannot be filled.
    #[error("failed to recursively evaluate template: {0}")]
    Template(#[from] InterpolateError),
    /// The template has neither of the two forms or both, or ytt refused it.
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

/// What the object of a template is made with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ingredients {
    /// The labels that the object gets.
    pub labels: Labels,
    /// What the template's parameters are worth.
    pub params: BTreeMap<String, Value>,
    /// What goes in.
    pub inputs: Inputs,
}

impl Ingredients {
    /// Those of a blueprint's resource, where others have given these outputs.
    pub fn of_resource<B: Blueprint>(
        owner: &Owner,
        blueprint: &B,
        resource: &Resource,
        template: &Template,
        outputs: &Outputs,
    ) -> Self {
        let stamping = Stamping {
            blueprint: blueprint.name(),
            resource: &resource.name,
            template_kind: resource.template_ref.kind,
            template_name: resource.template_ref.name.as_deref(),
            lifecycle: template.spec().lifecycle,
        };
        let params = Params {
            template: &template.spec().params,
            blueprint: &blueprint.blueprint().params,
            resource: &resource.params,
        };
        Self {
            labels: stamping.labels(owner),
            params: params.merge(owner.params()),
            inputs: Inputs::of(resource, outputs),
        }
    }

    /// What the template's expressions can name.
    fn context(&self, owner: &Owner) -> Context {
        Context::of_resource(owner, self.params.clone(), &self.inputs, &self.labels)
    }
}

/// How far a template is evaluated here.
#[derive(Clone, Debug, PartialEq)]
pub enum Begun {
    /// It is, or cannot be.
    Evaluated(Result<Value, StampError>),
    /// It is in ytt, which is evaluated elsewhere.
    Ytt {
        /// What the template is called in errors: `<Kind>/<name> spec.ytt`.
        name: String,
        /// The template.
        template: String,
        /// The data values.
        data: Map<String, Value>,
    },
}

/// Evaluates a template, where it is one with tags.
pub fn begin(template: &Template, owner: &Owner, ingredients: &Ingredients) -> Begun {
    let context = ingredients.context(owner);
    let spec = template.spec();
    let in_ytt = spec.ytt.as_ref().filter(|ytt| !ytt.is_empty());
    match (&spec.template, in_ytt) {
        (Some(in_tags), None) => Begun::Evaluated(evaluate(in_tags, &context)),
        // Cartographer takes the first one and says nothing, where no webhook has refused it.
        (Some(_), Some(_)) => {
            let text = "invalid template: must specify one of template or ytt, found both";
            Begun::Evaluated(Err(StampError::Engine(text.to_owned())))
        }
        (None, Some(in_ytt)) => Begun::Ytt {
            name: format!("{}/{} spec.ytt", template.kind().as_str(), template.name()),
            template: in_ytt.clone(),
            data: context.values(),
        },
        (None, None) => {
            let text = "unknown resource template type, expected either template or ytt";
            Begun::Evaluated(Err(StampError::Engine(text.to_owned())))
        }
    }
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
    // An owner that is in no cluster may have none.
    match owner.namespace() {
        "" => drop(metadata.remove("namespace")),
        namespace => drop(metadata.insert("namespace".to_owned(), namespace.into())),
    }
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

    #[track_caller]
    fn check_refused(spec: &Value, why: &str) {
        let template: kinds::ClusterTemplate =
            serde_json::from_value(json!({"metadata": {"name": "a"}, "spec": spec}))
                .expect("it is a template");
        let begun = begin(&template.into(), &owner(), &Ingredients::default());
        let refused = Begun::Evaluated(Err(StampError::Engine(why.to_owned())));
        assert_eq!(begun, refused);
    }

    #[test]
    fn a_template_has_one_form() {
        check_refused(
            &json!({}),
            "unknown resource template type, expected either template or ytt",
        );
        check_refused(
            &json!({"template": {"kind": "A"}, "ytt": "kind: A"}),
            "invalid template: must specify one of template or ytt, found both",
        );
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
    fn without_a_cluster_an_owner_may_have_no_namespace() {
        let nowhere = Owner::new(OwnerKind::Workload, json!({"metadata": {"name": "shop"}}));
        let object = json!({"kind": "A", "metadata": {"namespace": ""}});
        let object = finish(object, &nowhere, &Labels::new()).expect("it is an object");
        assert_eq!(object.pointer("/metadata/namespace"), None);
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
