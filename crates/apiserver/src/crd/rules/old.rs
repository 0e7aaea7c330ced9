//! The value as it was before an update, and what of it belongs to what of the new one
//! (`pkg/cel/common` of upstream's apiserver).

use serde_json::Value;

use super::{Schema, TypeId};
use crate::schema::{ListKind, Shape};

/// An old value and its type.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Old<'a> {
    pub(in super::super) value: &'a Value,
    pub(in super::super) of: TypeId,
}

impl Old<'_> {
    /// What a field was, if the schema knows it.
    pub(in super::super) fn field(self, name: &str, schema: &Schema) -> Option<Self> {
        let value = self.value.as_object()?.get(name)?;
        let of = match &schema.get(self.of).shape {
            Shape::Struct(structure) => structure.fields.get(name)?.of,
            Shape::Map { value, .. } => *value,
            _ => return None,
        };
        Some(Self { value, of })
    }

    /// What an item was; known only in lists whose items have keys.
    pub(super) fn item(self, item: &Value, schema: &Schema) -> Option<Self> {
        let Shape::List {
            item: of,
            kind: ListKind::Map(keys),
        } = &schema.get(self.of).shape
        else {
            return None;
        };
        let item = item.as_object()?;
        let value = self.value.as_array()?.iter().find(|old| {
            old.as_object().is_some_and(|old| {
                keys.iter().all(|key| {
                    let key = item.get(&**key).map(|new| (new, old.get(&**key)));
                    key.is_some_and(|(new, old)| old == Some(new))
                })
            })
        })?;
        Some(Self { value, of: *of })
    }

    /// Whether nothing changed: the order of items with keys does not count, and what the schema does
    /// not know counts as changed.
    pub(super) fn equals(self, new: &Value, schema: &Schema) -> bool {
        match (new, self.value) {
            (Value::Object(new), Value::Object(old)) => {
                new.len() == old.len()
                    && new.iter().all(|(name, new)| {
                        let old = self.field(name, schema);
                        old.is_some_and(|old| old.equals(new, schema))
                    })
            }
            (Value::Array(new), Value::Array(old)) => {
                let keyed = matches!(
                    &schema.get(self.of).shape,
                    Shape::List {
                        kind: ListKind::Map(_),
                        ..
                    }
                );
                new.len() == old.len()
                    && if keyed {
                        new.iter().all(|new| {
                            let old = self.item(new, schema);
                            old.is_some_and(|old| old.equals(new, schema))
                        })
                    } else {
                        new == old
                    }
            }
            (new, old) => new == old,
        }
    }
}
