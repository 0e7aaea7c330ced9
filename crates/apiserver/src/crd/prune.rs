//! Removes from objects what their schema does not know, and what is null where nothing may be
//! (`pkg/apiserver/schema/{pruning,defaulting}` upstream).

use serde_json::{Map, Value};

use crate::schema::{Schema, Shape, Struct, TypeId};
use crate::validate::Path;

/// What every object has, whatever its schema says.
pub(super) const META: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// What a walk is about: the outermost value is an object of its own, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outermost {
    /// It has apiVersion, kind and metadata, which are looked after elsewhere.
    Object,
    /// It is a part of something.
    Part,
}

/// Removes unknown fields. Their paths are added to `unknown`, sorted as upstream sorts them.
pub(super) fn prune(
    value: &mut Value,
    schema: &Schema,
    of: TypeId,
    outermost: Outermost,
    unknown: &mut Vec<String>,
) {
    let before = unknown.len();
    let mut walk = Prune { schema, unknown };
    match (&mut *value, &schema.get(of).shape) {
        (Value::Object(map), Shape::Struct(structure)) if outermost == Outermost::Object => {
            walk.fields(map, structure, true, &Path::TOP);
        }
        _ => walk.value(value, Some(of), &Path::TOP),
    }
    unknown[before..].sort_unstable();
}

struct Prune<'a> {
    schema: &'a Schema,
    unknown: &'a mut Vec<String>,
}

impl Prune<'_> {
    fn value(&mut self, value: &mut Value, of: Option<TypeId>, at: &Path<'_>) {
        let shape = of.map(|of| &self.schema.get(of).shape);
        match (value, shape) {
            (_, Some(Shape::Any)) => {}
            (Value::Object(map), Some(Shape::Struct(structure))) => {
                self.fields(map, structure, false, at);
            }
            (Value::Object(map), Some(Shape::Map { value: of, .. })) => {
                for (key, value) in map {
                    self.value(value, Some(*of), &at.field(key));
                }
            }
            (Value::Object(map), _) => {
                for key in map.keys() {
                    self.unknown.push(at.field(key).to_string());
                }
                map.clear();
            }
            (Value::Array(items), shape) => {
                let of = match shape {
                    Some(Shape::List { item, .. }) => Some(*item),
                    _ => None,
                };
                for (index, item) in items.iter_mut().enumerate() {
                    self.value(item, of, &at.index(index));
                }
            }
            _ => {}
        }
    }

    fn fields(
        &mut self,
        map: &mut Map<String, Value>,
        structure: &Struct,
        is_object: bool,
        at: &Path<'_>,
    ) {
        map.retain(|key, value| {
            if is_object && META.contains(&key.as_str()) {
                return true;
            }
            if let Some(field) = structure.fields.get(key.as_str()) {
                self.value(value, Some(field.of), &at.field(key));
                return true;
            }
            if !structure.open {
                self.unknown.push(at.field(key).to_string());
            }
            structure.open
        });
    }
}

/// Removes fields that are null although neither null nor a default stands for them.
pub(super) fn prune_nulls(value: &mut Value, schema: &Schema, of: TypeId, outermost: Outermost) {
    match (value, &schema.get(of).shape) {
        (Value::Object(map), Shape::Struct(structure)) => {
            let is_object = outermost == Outermost::Object;
            map.retain(|key, value| {
                if is_object && META.contains(&key.as_str()) {
                    return true;
                }
                let Some(field) = structure.fields.get(key.as_str()) else {
                    return true;
                };
                if value.is_null() {
                    return field.default.is_some() || schema.get(field.of).nullable;
                }
                prune_nulls(value, schema, field.of, Outermost::Part);
                true
            });
        }
        (Value::Object(map), Shape::Map { value: of, .. }) => {
            map.retain(|_, value| {
                if value.is_null() {
                    return schema.get(*of).nullable;
                }
                prune_nulls(value, schema, *of, Outermost::Part);
                true
            });
        }
        (Value::Array(items), Shape::List { item, .. }) => {
            for value in items {
                prune_nulls(value, schema, *item, Outermost::Part);
            }
        }
        _ => {}
    }
}
