//! Strategic merge patches: maps are merged, lists as the schema says, and directives say the rest.
//!
//! Only what a server needs: patches are applied, never computed or merged with each other.
//!
//! - `$patch: replace|delete` in a map: it is replaced by the rest of the patch, or emptied.
//! - `$retainKeys: […]`: fields that are not named go away.
//! - `$deleteFromPrimitiveList/f: […]`: these values go away from the list `f`.
//! - `$setElementOrder/f: […]`: the items of `f` get this order.

mod fault;
mod list;
mod places;

use serde_json::{Map, Value};

use super::no_map;
use crate::schema::{Field, Scalar, Schema, Shape, TypeId};
use crate::status::Status;
use fault::{Fault, go_type};

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList";
const SET_ORDER: &str = "$setElementOrder";

/// A type, to look up how its fields are merged.
#[derive(Clone, Copy)]
struct Meta<'a> {
    schema: &'a Schema,
    ty: TypeId,
}

impl<'a> Meta<'a> {
    fn at(self, ty: TypeId) -> Self {
        Self { ty, ..self }
    }

    fn shape(self) -> &'a Shape {
        &self.schema.get(self.ty).shape
    }

    /// What Go's `reflect` calls the kind of the type.
    fn kind(self) -> &'static str {
        match self.shape() {
            Shape::Any | Shape::Struct(_) => "struct",
            Shape::Map { .. } => "map",
            Shape::List { .. } => "slice",
            Shape::Scalar(scalar) => match scalar {
                Scalar::String | Scalar::Formatted => "string",
                Scalar::Int32 => "int32",
                Scalar::Int64 => "int64",
                Scalar::Number => "float64",
                Scalar::Boolean => "bool",
                Scalar::Bytes => "slice",
                _ => "struct",
            },
        }
    }

    /// The field of that name. Upstream is content with another case.
    fn field(self, name: &str) -> Result<&'a Field, Fault> {
        let kind = self.kind();
        if kind != "struct" {
            return Err(Fault::Other(format!(
                "merging an object in json but data type is not struct, instead is: {kind}"
            )));
        }
        let Shape::Struct(of) = self.shape() else {
            return Err(self.unknown(name));
        };
        let field = of.fields.get(name).or_else(|| {
            let mut fields = of.fields.iter();
            fields.find_map(|(key, field)| key.eq_ignore_ascii_case(name).then_some(field))
        });
        field.ok_or_else(|| self.unknown(name))
    }

    fn unknown(self, name: &str) -> Fault {
        let ty = self.schema.get(self.ty).name.as_deref().unwrap_or_default();
        let ty = ty.rsplit('.').next().unwrap_or_default();
        Fault::Other(format!(
            "unable to find api field in struct {ty} for the json field {name:?}"
        ))
    }

    /// The field of that name, which holds a list, with the type of its items.
    fn list(self, name: &str) -> Result<(&'a Field, Meta<'a>), Fault> {
        let field = self.field(name)?;
        let of = self.at(field.of);
        let item = match of.shape() {
            Shape::List { item, .. } => of.at(*item),
            _ => of,
        };
        Ok((field, item))
    }
}

/// Applies a patch.
pub(super) fn apply(
    doc: &Value,
    patch: &Value,
    schema: &Schema,
    ty: TypeId,
) -> Result<Value, Status> {
    let patch = match patch {
        Value::Object(patch) => patch.clone(),
        Value::Null => return Ok(doc.clone()),
        other => return Err(Status::bad_request(no_map(other))),
    };
    let Value::Object(doc) = doc else {
        return Err(Status::bad_request("invalid JSON document"));
    };
    let mut doc = doc.clone();
    merge_map(&mut doc, patch, Meta { schema, ty }).map_err(Fault::status)?;
    Ok(Value::Object(doc))
}

/// Merges a patch into a map.
fn merge_map(
    original: &mut Map<String, Value>,
    mut patch: Map<String, Value>,
    meta: Meta<'_>,
) -> Result<(), Fault> {
    if let Some(directive) = patch.get(DIRECTIVE) {
        match directive.as_str() {
            Some("replace") => {
                patch.remove(DIRECTIVE);
                *original = patch;
            }
            Some("delete") => original.clear(),
            _ => return Err(Fault::bad_patch_type(directive, &patch)),
        }
        return Ok(());
    }
    retain_keys(original, &mut patch)?;
    set_orders(original, &mut patch, meta)?;
    for (key, value) in patch {
        if key.starts_with(DELETE_FROM) {
            delete_from(original, &key, value, meta)?;
        } else if value.is_null() {
            original.remove(&key);
        } else {
            merge_field(original, key, value, meta)?;
        }
    }
    Ok(())
}

/// Merges one field that is no directive.
fn merge_field(
    original: &mut Map<String, Value>,
    key: String,
    value: Value,
    meta: Meta<'_>,
) -> Result<(), Fault> {
    match (original.get_mut(&key), value) {
        (Some(Value::Object(current)), Value::Object(value)) => {
            let field = meta.field(&key)?;
            if field.patch.replace {
                *current = value;
                return Ok(());
            }
            merge_map(current, value, meta.at(field.of))
        }
        (Some(Value::Array(current)), Value::Array(value)) => {
            let (field, item) = meta.list(&key)?;
            let old = std::mem::take(current);
            *current = list::merge(old, value, field, item, false)?;
            Ok(())
        }
        (_, mut value) => {
            discard_nulls(&mut value);
            if remove_directives(&mut value) {
                original.insert(key, value);
            } else {
                original.remove(&key);
            }
            Ok(())
        }
    }
}

/// Takes values out of a list (`$deleteFromPrimitiveList/f`).
fn delete_from(
    original: &mut Map<String, Value>,
    directive: &str,
    values: Value,
    meta: Meta<'_>,
) -> Result<(), Fault> {
    let key = directive
        .strip_prefix(DELETE_FROM)
        .and_then(|rest| rest.strip_prefix('/'))
        .ok_or(Fault::BadRequest("invalid patch format of primitive list"))?;
    // Upstream takes the name off first, so that `null` takes the list itself away.
    if values.is_null() {
        original.remove(key);
        return Ok(());
    }
    match (original.get_mut(key), values) {
        (Some(Value::Array(current)), Value::Array(values)) => {
            let (field, item) = meta.list(key)?;
            let old = std::mem::take(current);
            *current = list::merge(old, values, field, item, true)?;
            Ok(())
        }
        (Some(Value::Object(current)), Value::Object(values)) => {
            let field = meta.field(key)?;
            merge_map(current, values, meta.at(field.of))
        }
        (Some(current), values) => {
            // Two single values of one type are replaced, whatever the name says.
            if go_type(current) == go_type(&values) {
                *current = values;
            }
            Ok(())
        }
        (None, _) => Ok(()),
    }
}

/// Takes away the fields that `$retainKeys` does not name.
fn retain_keys(
    original: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
) -> Result<(), Fault> {
    const BAD: Fault = Fault::BadRequest("invalid patch format of retainKeys");
    let Some(keys) = patch.remove(RETAIN_KEYS) else {
        return Ok(());
    };
    let Value::Array(keys) = keys else {
        return Err(BAD);
    };
    let keys: std::collections::HashSet<&str> = keys.iter().filter_map(Value::as_str).collect();
    for (key, value) in &*patch {
        let directive = key.starts_with(DELETE_FROM) || key.starts_with(SET_ORDER);
        if !value.is_null() && !directive && !keys.contains(key.as_str()) {
            return Err(BAD);
        }
    }
    original.retain(|key, _| keys.contains(key.as_str()));
    Ok(())
}

/// Merges the lists for which the patch has an order, and takes them and their order out of it.
fn set_orders(
    original: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    meta: Meta<'_>,
) -> Result<(), Fault> {
    let keys = patch.keys().filter(|key| key.starts_with(SET_ORDER));
    let directives: Vec<String> = keys.cloned().collect();
    for directive in directives {
        let order = match patch.remove(&directive) {
            Some(Value::Array(order)) => order,
            other => return Err(Fault::no_list(&other.unwrap_or_default())),
        };
        let key = directive
            .strip_prefix(SET_ORDER)
            .and_then(|rest| rest.strip_prefix('/'))
            .ok_or(list::BAD_ORDER)?;
        let current = match original.get_mut(key) {
            None => None,
            Some(Value::Array(current)) => Some(current),
            Some(other) => return Err(Fault::no_list(other)),
        };
        let changes = match patch.remove(key) {
            None => None,
            Some(Value::Array(changes)) => Some(changes),
            Some(other) => return Err(Fault::no_list(&other)),
        };
        let (field, item) = meta.list(key)?;
        let old = current.map(std::mem::take);
        if let Some(list) = list::merge_ordered(old, changes, &order, field, item)? {
            original.insert(key.to_owned(), Value::Array(list));
        }
    }
    Ok(())
}

/// Removes fields that are `null`, also inside of lists, whose own `null`s stay.
fn discard_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => map.retain(|_, value| {
            discard_nulls(value);
            !value.is_null()
        }),
        Value::Array(list) => list.iter_mut().for_each(discard_nulls),
        _ => {}
    }
}

/// Removes maps that hold a `$patch`; false where the value itself is one.
fn remove_directives(value: &mut Value) -> bool {
    match value {
        Value::Object(map) => {
            if map.contains_key(DIRECTIVE) {
                return false;
            }
            map.retain(|_, value| remove_directives(value));
        }
        Value::Array(list) => list.retain_mut(remove_directives),
        _ => {}
    }
    true
}
