//! What objects become when fields are absent or empty: defaults that a schema names, and the form in
//! which Go writes built-in objects.

use serde_json::{Map, Value};

use super::{Empty, Field, Scalar, Schema, Shape, Struct, TypeId, quantity};

/// Deeper parts of objects stay as they are. Readers refuse texts that are nested deeper.
const MAX_DEPTH: usize = 128;

/// Sets the fields of a custom resource that are absent, or `null` though they may not be, to their
/// defaults, also within defaults.
///
/// External rule: `Default` of k8s.io/apiextensions-apiserver, pkg/apiserver/schema/defaulting.
pub(crate) fn apply(schema: &Schema, of: TypeId, value: &mut Value) {
    apply_within(schema, of, value, 0);
}

fn apply_within(schema: &Schema, of: TypeId, value: &mut Value, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    match (&schema.get(of).shape, value) {
        (Shape::Struct(Struct { fields, .. }), Value::Object(object)) => {
            for (name, field) in fields {
                if let Some(default) = &field.default {
                    let lacking = match object.get(&**name) {
                        None => true,
                        Some(Value::Null) => !schema.get(field.of).nullable,
                        Some(_) => false,
                    };
                    if lacking {
                        object.insert(name.to_string(), default.clone());
                    }
                }
                if let Some(value) = object.get_mut(&**name) {
                    apply_within(schema, field.of, value, depth + 1);
                }
            }
        }
        (Shape::Map { value: of, .. }, Value::Object(object)) => {
            for value in object.values_mut() {
                apply_within(schema, *of, value, depth + 1);
            }
        }
        (Shape::List { item, .. }, Value::Array(items)) => {
            for item_value in items {
                apply_within(schema, *item, item_value, depth + 1);
            }
        }
        _ => {}
    }
}

/// Brings an object of a built-in kind into the form in which the genuine server stores and writes it:
/// what Go's structs do not tell from an absent field is left out, what they always have is there,
/// and quantities are written in their canonical form.
///
/// Defaults that upstream generates from markers in the types (`protocol: TCP`) are set too; those that
/// upstream has as code are not known here. Doing it twice changes nothing.
pub(crate) fn settle(schema: &Schema, of: TypeId, value: &mut Value) {
    settle_within(schema, of, value, 0);
}

fn settle_within(schema: &Schema, of: TypeId, value: &mut Value, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    match (&schema.get(of).shape, value) {
        (Shape::Struct(Struct { fields, .. }), Value::Object(object)) => {
            for (name, field) in fields {
                settle_field(schema, name, field, object, depth);
            }
        }
        (Shape::Map { value: of, .. }, Value::Object(object)) => {
            for value in object.values_mut() {
                settle_item(schema, *of, value, depth);
            }
        }
        (Shape::List { item, .. }, Value::Array(items)) => {
            for value in items {
                settle_item(schema, *item, value, depth);
            }
        }
        (Shape::Scalar(kind), value) => settle_scalar(*kind, value),
        _ => {}
    }
}

fn settle_field(
    schema: &Schema,
    name: &str,
    field: &Field,
    object: &mut Map<String, Value>,
    depth: usize,
) {
    let is_absent = match object.get(name) {
        None => true,
        Some(value) => is_empty(schema, field, value),
    };
    if !is_absent {
        if let Some(value) = object.get_mut(name) {
            settle_within(schema, field.of, value, depth + 1);
        }
        return;
    }
    let absent = match (&field.empty, &field.default) {
        // A default that is no empty value; pointers tell an empty value from an absent one.
        (Empty::Kept, Some(default)) => Some(default),
        (Empty::Omitted, Some(default)) if !is_zero(default) => Some(default),
        (Empty::Written(written), _) => Some(written),
        _ => None,
    };
    match absent {
        Some(absent) => {
            let mut absent = absent.clone();
            settle_within(schema, field.of, &mut absent, depth + 1);
            object.insert(name.to_owned(), absent);
        }
        None => {
            object.remove(name);
        }
    }
}

/// Whether a value is, to Go, the same as an absent field.
fn is_empty(schema: &Schema, field: &Field, value: &Value) -> bool {
    if value.is_null() {
        return true;
    }
    if field.empty == Empty::Kept {
        return false;
    }
    match &schema.get(field.of).shape {
        // What is stored does not tell an empty list or map from none.
        Shape::List { .. } => value.as_array().is_some_and(Vec::is_empty),
        Shape::Map { .. } => value.as_object().is_some_and(Map::is_empty),
        // A pointer that is always written keeps its value.
        Shape::Scalar(Scalar::Bytes) => value == "",
        Shape::Scalar(_) => field.empty == Empty::Omitted && is_zero(value),
        Shape::Struct(_) | Shape::Any => false,
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(object) => object.is_empty(),
    }
}

/// In lists and maps, Go's zero value stands for `null`.
fn settle_item(schema: &Schema, of: TypeId, value: &mut Value, depth: usize) {
    if value.is_null() {
        *value = match &schema.get(of).shape {
            Shape::Struct(_) => Value::Object(Map::new()),
            Shape::Scalar(Scalar::String | Scalar::Formatted | Scalar::Bytes) => Value::from(""),
            Shape::Scalar(Scalar::Int32 | Scalar::Int64 | Scalar::Number) => Value::from(0),
            Shape::Scalar(Scalar::Boolean) => Value::from(false),
            Shape::Scalar(Scalar::Quantity) => Value::from("0"),
            _ => return,
        };
    }
    settle_within(schema, of, value, depth + 1);
}

fn settle_scalar(kind: Scalar, value: &mut Value) {
    match (kind, &*value) {
        (Scalar::Quantity, Value::String(text)) => {
            if let Some(canonical) = quantity::canonical(text) {
                *value = Value::String(canonical);
            }
        }
        (Scalar::Quantity, Value::Number(number)) => {
            let text = number.to_string();
            *value = Value::String(quantity::canonical(&text).unwrap_or(text));
        }
        #[expect(clippy::cast_possible_truncation, reason = "Go does the same")]
        (Scalar::Int32, Value::Number(number)) => {
            // What is applied is refused for no number that is whole.
            if let Some(number) = number.as_i64() {
                *value = Value::from(number as i32);
            }
        }
        (Scalar::Time, Value::String(text)) => {
            // Seconds are all that is kept. Points in time of other zones stay as they are.
            if let Some((seconds, _)) = text.strip_suffix('Z').and_then(|text| text.split_once('.'))
            {
                *value = Value::String(format!("{seconds}Z"));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
