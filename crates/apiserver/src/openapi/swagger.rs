//! The types as OpenAPI 2.0 writes them, in one document: what kubectl checks lists and unknown kinds
//! against, and what clients older than OpenAPI v3 read. The paths are left out, which no client reads.
//!
//! External rules: `ToStructuralOpenAPIV2` of apiextensions-apiserver says what of a custom schema is left.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha512};

use super::component::Components;
use super::{CustomSchema, gnostic, path};
use crate::catalogue::Catalogue;

/// The document in both of its forms.
#[derive(Clone, Debug)]
pub(crate) struct Swagger {
    /// As JSON.
    pub(crate) json: Vec<u8>,
    /// As gnostic's protobuf message.
    pub(crate) protobuf: Vec<u8>,
    /// What tells it from others.
    pub(crate) hash: String,
}

/// The types of all that is served.
pub(crate) fn swagger(catalogue: &Catalogue, custom: &CustomSchema<'_>) -> Swagger {
    let mut components = Components::default();
    for resource in catalogue.resources() {
        path::insert(resource, custom, &mut components, &mut Map::new());
    }
    let mut definitions = components.finish();
    for ty in definitions
        .as_object_mut()
        .into_iter()
        .flat_map(Map::values_mut)
    {
        older(ty);
    }
    let document = json!({
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": super::VERSION},
        "paths": {},
        "definitions": definitions,
    });
    let json = document.to_string().into_bytes();
    Swagger {
        hash: format!("{:X}", Sha512::digest(&json)),
        protobuf: gnostic::document(&document),
        json,
    }
}

/// Takes out of a type what OpenAPI 2.0 does not have.
fn older(ty: &mut Value) {
    let Some(ty) = ty.as_object_mut() else { return };
    if let Some(Value::Array(all)) = ty.get("allOf")
        && let [only] = all.as_slice()
        && let Some(reference) = only.get("$ref").cloned()
    {
        ty.remove("allOf");
        ty.insert("$ref".to_owned(), reference);
    }
    if let Some(Value::String(reference)) = ty.get_mut("$ref") {
        *reference = reference.replace("#/components/schemas/", "#/definitions/");
    }
    let is_set = |name: &str| ty.get(name) == Some(&json!(true));
    let is_nullable = is_set("nullable");
    let is_open = is_nullable || is_set("x-kubernetes-preserve-unknown-fields");
    let is_either = is_set("x-kubernetes-int-or-string");
    if ty.contains_key("oneOf") && !ty.contains_key("type") && !is_either {
        // Numbers that may be written as text.
        ty.insert("type".to_owned(), json!("string"));
    }
    for name in ["oneOf", "anyOf", "not", "nullable"] {
        ty.remove(name);
    }
    if is_open {
        for name in ["items", "properties", "additionalProperties"] {
            ty.remove(name);
        }
    }
    if is_nullable || is_either {
        ty.remove("type");
    }
    for name in ["items", "additionalProperties"] {
        if let Some(inner) = ty.get_mut(name) {
            older(inner);
        }
    }
    if let Some(Value::Object(properties)) = ty.get_mut("properties") {
        properties.values_mut().for_each(older);
    }
    if let Some(Value::Array(all)) = ty.get_mut("allOf") {
        all.iter_mut().for_each(older);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_lose_what_the_older_form_does_not_have() {
        let mut ty = json!({"type": "object", "properties": {
            "port": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}], "type": "string"},
            "size": {"oneOf": [{"type": "string"}, {"type": "number"}]},
            "meta": {"allOf": [{"$ref": "#/components/schemas/a.B"}], "description": "It."},
            "free": {"type": "object", "nullable": true, "properties": {"a": {}}},
        }});
        older(&mut ty);
        let wanted = json!({"type": "object", "properties": {
            "port": {"x-kubernetes-int-or-string": true},
            "size": {"type": "string"},
            "meta": {"$ref": "#/definitions/a.B", "description": "It."},
            "free": {},
        }});
        assert_eq!(ty, wanted);
    }

    #[test]
    fn every_kind_is_defined() {
        let swagger = swagger(&Catalogue::builtin(), &|_| None);
        let document: Value = serde_json::from_slice(&swagger.json).expect("it is JSON");
        let ty = &document["definitions"]["io.k8s.api.apps.v1.Deployment"];
        let gvk = json!([{"group": "apps", "kind": "Deployment", "version": "v1"}]);
        assert_eq!(ty["x-kubernetes-group-version-kind"], gvk);
        let spec = "#/definitions/io.k8s.api.apps.v1.DeploymentSpec";
        assert_eq!(ty["properties"]["spec"]["$ref"], spec);
    }
}
