//! Objects within objects (`x-kubernetes-embedded-resource`): their apiVersion, kind and metadata are
//! held to what holds for any object (`pkg/apiserver/schema/objectmeta` upstream).

use serde_json::{Map, Value, json};

use super::metadata;
use super::prune::Outermost;
use crate::schema::{Schema, Shape, TypeId};
use crate::status::FieldError;
use crate::validate::{self, Path, dns1035_label};

/// Brings apiVersion, kind and metadata of embedded objects into form.
///
/// # Errors
/// The first that has the wrong type.
pub(super) fn coerce(
    value: &mut Value,
    schema: &Schema,
    of: TypeId,
    outermost: Outermost,
    at: &Path<'_>,
    unknown: &mut Vec<String>,
) -> Result<(), FieldError> {
    let below = Outermost::Part;
    match (value, &schema.get(of).shape) {
        (Value::Object(map), Shape::Struct(structure)) => {
            if structure.embedded || outermost == Outermost::Object {
                coerce_object(map, at, unknown)?;
            }
            for (name, value) in map {
                if let Some(field) = structure.fields.get(name.as_str()) {
                    coerce(value, schema, field.of, below, &at.field(name), unknown)?;
                }
            }
        }
        (Value::Object(map), Shape::Map { value: of, .. }) => {
            for (key, value) in map {
                coerce(value, schema, *of, below, &at.key(key), unknown)?;
            }
        }
        (Value::Array(items), Shape::List { item, .. }) => {
            for (index, value) in items.iter_mut().enumerate() {
                coerce(value, schema, *item, below, &at.index(index), unknown)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn coerce_object(
    map: &mut Map<String, Value>,
    at: &Path<'_>,
    unknown: &mut Vec<String>,
) -> Result<(), FieldError> {
    for name in ["apiVersion", "kind"] {
        if let Some(value) = map.get(name).filter(|value| !value.is_string()) {
            let at = at.field(name).text();
            return Err(FieldError::invalid(at, value.clone(), "must be a string"));
        }
    }
    let Some(value) = map.get_mut("metadata") else {
        return Ok(());
    };
    let before = value.clone();
    let here = at.field("metadata");
    metadata::coerce(value, &here.to_string(), unknown)
        .map_err(|why| FieldError::invalid(here.text(), before, why))
}

/// What is wrong with embedded objects; `outermost` says whether the value is one itself.
pub(super) fn check(
    value: &Value,
    schema: &Schema,
    of: TypeId,
    outermost: Outermost,
    at: &Path<'_>,
    errors: &mut Vec<FieldError>,
) {
    match (value, &schema.get(of).shape) {
        (Value::Object(map), Shape::Struct(structure)) => {
            if structure.embedded || outermost == Outermost::Object {
                check_object(map, at, errors);
            }
            for (name, value) in map {
                if let Some(field) = structure.fields.get(name.as_str()) {
                    let at = at.field(name);
                    check(value, schema, field.of, Outermost::Part, &at, errors);
                }
            }
        }
        (Value::Object(map), Shape::Map { value: of, .. }) => {
            for (key, value) in map {
                let at = at.key(key);
                check(value, schema, *of, Outermost::Part, &at, errors);
            }
        }
        (Value::Array(items), Shape::List { item, .. }) => {
            for (index, value) in items.iter().enumerate() {
                let at = at.index(index);
                check(value, schema, *item, Outermost::Part, &at, errors);
            }
        }
        _ => {}
    }
}

fn check_object(map: &Map<String, Value>, at: &Path<'_>, errors: &mut Vec<FieldError>) {
    for name in ["apiVersion", "kind"] {
        if !map.contains_key(name) {
            errors.push(FieldError::required(at.field(name).text(), ""));
        }
    }
    for name in ["apiVersion", "kind"] {
        let Some(value) = map.get(name) else { continue };
        let why = match value.as_str() {
            None => "must be a string".to_owned(),
            Some("") => "must not be empty".to_owned(),
            Some(text) if name == "apiVersion" => {
                if text.matches('/').count() < 2 {
                    continue;
                }
                format!("unexpected GroupVersion string: {text}")
            }
            Some(text) => {
                let faults = dns1035_label(&text.to_lowercase());
                if faults.is_empty() {
                    continue;
                }
                let faults = faults.join(",");
                format!("may have mixed case, but should otherwise match: {faults}")
            }
        };
        let at = at.field(name).text();
        errors.push(FieldError::invalid(at, value.clone(), why));
    }
    if let Some(metadata) = map.get("metadata") {
        let here = at.field("metadata");
        let mut copy = metadata.clone();
        let read = metadata::coerce(&mut copy, "", &mut Vec::new());
        match read {
            Err(why) => errors.push(FieldError::invalid(here.text(), metadata.clone(), why)),
            Ok(()) => validate::embedded(&copy, &here, errors),
        }
    }
}

/// Whether there are embedded objects anywhere in a schema.
pub(super) fn any(schema: &Schema) -> bool {
    schema
        .types()
        .any(|(_, ty)| matches!(&ty.shape, Shape::Struct(structure) if structure.embedded))
}

/// An object around a part of it: what defaults of metadata are judged in.
pub(super) fn around(steps: &[&str], value: Value) -> Value {
    let mut value = steps.iter().rev().fold(value, |value, step| {
        if *step == "[]" {
            json!([value])
        } else {
            json!({ *step: value })
        }
    });
    if let Some(map) = value.as_object_mut() {
        map.entry("kind").or_insert_with(|| json!("Validation"));
        map.entry("apiVersion")
            .or_insert_with(|| json!("validation/v1"));
    }
    value
}
