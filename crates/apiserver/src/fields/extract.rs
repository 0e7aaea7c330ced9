//! A value with nothing but some of its fields: what a manager has applied.

use serde_json::{Map, Value};

use super::atom::{self, Atom, Fields, List, Ty};
use super::element::Element;
use super::managed::{Managed, Operation};
use super::record::managed_fields;
use super::remove::field_type;
use super::set::Set;
use super::tracker::Target;
use crate::schema::{ListKind, Schema};

/// What a manager has applied to an object through the target's subresource, as far as it still owns it.
/// None where it owns nothing, or where the owners cannot be read.
pub fn extract(target: &Target<'_>, object: &Value, manager: &str) -> Option<Value> {
    let owners = Managed::decode(managed_fields(object)).ok()?;
    let entry = owners.entries.iter().find(|entry| {
        entry.operation == Operation::Apply
            && entry.manager == manager
            && entry.subresource == target.subresource
    })?;
    let leaves = entry.fields.leaves();
    Some(extract_fields(
        target.schema,
        Ty::Of(target.root),
        object,
        &leaves,
    ))
}

/// A value with nothing but the fields and items of a set, which has [leaves](Set::leaves) only.
pub(super) fn extract_fields(schema: &Schema, ty: Ty, value: &Value, set: &Set) -> Value {
    match (atom::resolve(schema, ty, Some(value)), value) {
        (Atom::Scalar(_), _) => value.clone(),
        (Atom::List(list), Value::Array(items)) => {
            if items.is_empty() || *list.kind == ListKind::Atomic {
                return value.clone();
            }
            extract_items(schema, list, items, set)
        }
        (Atom::Map(fields), Value::Object(map)) => {
            if map.is_empty() || fields.atomic {
                return value.clone();
            }
            extract_entries(schema, fields, map, set)
        }
        _ => Value::Null,
    }
}

fn extract_items(schema: &Schema, list: List<'_>, items: &[Value], set: &Set) -> Value {
    let mut found = Vec::new();
    for item in items {
        let Ok(element) = atom::identify(schema, list, item) else {
            continue;
        };
        match set.child(&element) {
            Some(below) => found.push(extract_fields(schema, list.item, item, below)),
            None if set.has_member(&element) => found.push(item.clone()),
            None => {}
        }
    }
    if found.is_empty() {
        Value::Null
    } else {
        Value::Array(found)
    }
}

fn extract_entries(
    schema: &Schema,
    fields: Fields<'_>,
    map: &Map<String, Value>,
    set: &Set,
) -> Value {
    let mut found = Map::new();
    for (key, value) in map {
        let element = Element::field(key);
        let ty = field_type(fields, key);
        // A map that is a leaf of the set is searched with the set of its own level, as upstream does:
        // of what was not empty when it was applied, nothing comes of it.
        let below = if set.has_member(&element) {
            Some(set)
        } else {
            set.child(&element)
        };
        if let Some(below) = below {
            found.insert(key.clone(), extract_fields(schema, ty, value, below));
        }
    }
    if found.is_empty() {
        Value::Null
    } else {
        Value::Object(found)
    }
}
