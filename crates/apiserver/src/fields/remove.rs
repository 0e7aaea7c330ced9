//! A value without some of its fields.

use serde_json::{Map, Value};

use super::atom::{self, Atom, Fields, Ty};
use super::element::Element;
use super::set::Set;
use crate::schema::{ListKind, Schema};

/// A value without the fields and items of a set. What is left empty by that becomes null, and so do atomic
/// parts that lose something.
pub(super) fn remove(schema: &Schema, ty: Ty, value: &Value, set: &Set) -> Value {
    match (atom::resolve(schema, ty, Some(value)), value) {
        (Atom::Scalar(_), _) => value.clone(),
        (Atom::List(list), Value::Array(items)) if *list.kind != ListKind::Atomic => {
            let kept = items.iter().filter_map(|item| {
                let Ok(element) = atom::identify(schema, list, item) else {
                    return Some(item.clone());
                };
                keep(schema, list.item, item, &element, set)
            });
            let kept: Vec<Value> = kept.collect();
            if kept.is_empty() {
                Value::Null
            } else {
                Value::Array(kept)
            }
        }
        (Atom::Map(fields), Value::Object(map)) if !fields.atomic => {
            let kept = map.iter().filter_map(|(key, value)| {
                let ty = field_type(fields, key);
                Some((
                    key.clone(),
                    keep(schema, ty, value, &Element::field(key), set)?,
                ))
            });
            let kept: Map<String, Value> = kept.collect();
            if kept.is_empty() {
                Value::Null
            } else {
                Value::Object(kept)
            }
        }
        _ => Value::Null,
    }
}

fn keep(schema: &Schema, ty: Ty, value: &Value, element: &Element, set: &Set) -> Option<Value> {
    if set.has_member(element) {
        return None;
    }
    Some(match set.child(element) {
        Some(below) => remove(schema, ty, value, below),
        None => value.clone(),
    })
}

pub(super) fn field_type(fields: Fields<'_>, key: &str) -> Ty {
    fields.field(key).map_or(Ty::Deduced, |(ty, _)| ty)
}
