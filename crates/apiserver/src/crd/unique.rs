//! Items of sets and of lists with keys are there once (`pkg/apiserver/schema/listtype` upstream).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

use serde_json::{Map, Value};

use super::prune::{META, Outermost};
use crate::schema::{ListKind, Schema, Shape, TypeId};
use crate::status::FieldError;
use crate::validate::Path;

/// Finds items that are there twice. Each is named once, where it comes again first.
pub(super) fn duplicates(
    value: &Value,
    schema: &Schema,
    of: TypeId,
    outermost: Outermost,
    at: &Path<'_>,
    errors: &mut Vec<FieldError>,
) {
    match (value, &schema.get(of).shape) {
        (Value::Object(map), Shape::Struct(structure)) => {
            let is_object = outermost == Outermost::Object;
            for (name, value) in map {
                if let Some(field) = structure.fields.get(name.as_str())
                    && (value.is_array() || value.is_object())
                    && !(is_object && META.contains(&name.as_str()))
                {
                    let at = at.field(name);
                    duplicates(value, schema, field.of, Outermost::Part, &at, errors);
                }
            }
        }
        (Value::Object(map), Shape::Map { value: of, .. }) => {
            for (key, value) in map {
                let at = at.key(key);
                duplicates(value, schema, *of, Outermost::Part, &at, errors);
            }
        }
        (Value::Array(items), Shape::List { item, kind }) => {
            match kind {
                ListKind::Atomic => {}
                ListKind::Set => {
                    for index in repeated(items.iter()) {
                        let at = at.index(index).text();
                        errors.push(FieldError::duplicate(at, items[index].clone()));
                    }
                }
                ListKind::Map(keys) => keyed(items, keys, at, errors),
            }
            for (index, value) in items.iter().enumerate() {
                let at = at.index(index);
                duplicates(value, schema, *item, Outermost::Part, &at, errors);
            }
        }
        _ => {}
    }
}

fn keyed(items: &[Value], keys: &[Box<str>], at: &Path<'_>, errors: &mut Vec<FieldError>) {
    let odd = |item: &Value| !item.is_null() && !item.is_object();
    if let Some(index) = items.iter().position(odd) {
        let why = "must be an object for an array of list-type map";
        let at = at.index(index).text();
        errors.push(FieldError::invalid(at, items[index].clone(), why));
        return;
    }
    let repeated = match keys {
        [key] => repeated(items.iter().map(|item| item.get(&**key))),
        keys => repeated(items.iter().map(|item| {
            let values = keys.iter().map(|key| item.get(&**key));
            values.collect::<Vec<_>>()
        })),
    };
    for index in repeated {
        let mut shown = Map::new();
        for key in keys {
            if let Some(value) = items[index].get(&**key) {
                shown.insert(key.to_string(), value.clone());
            }
        }
        let at = at.index(index).text();
        errors.push(FieldError::duplicate(at, Value::Object(shown)));
    }
}

fn repeated<K: Hash + Eq>(keys: impl ExactSizeIterator<Item = K>) -> Vec<usize> {
    let mut found = Vec::new();
    if keys.len() < 2 {
        return found;
    }
    let mut seen = HashMap::with_capacity(keys.len());
    for (index, key) in keys.enumerate() {
        match seen.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(false);
            }
            Entry::Occupied(mut entry) => {
                if !entry.insert(true) {
                    found.push(index);
                }
            }
        }
    }
    found
}
