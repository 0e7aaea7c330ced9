//! What a value is by its type, as far as ownership is concerned: a scalar, a list or a map.
//!
//! Where nothing is known of a type, the value decides ("deduced"), as in upstream's
//! `__untyped_deduced_`: scalars of any kind, atomic lists, granular maps.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::element::Element;
use crate::schema::{ListKind, Scalar, Schema, Shape, Struct, TypeId};

/// A type: one of the schema, or one that the value decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ty {
    /// A type of the schema.
    Of(TypeId),
    /// Anything, with granular maps.
    Deduced,
    /// Anything below an atomic list, where nothing is told apart.
    Untyped,
}

/// A value's kind with what its type says of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Atom<'s> {
    Scalar(Class),
    List(List<'s>),
    Map(Fields<'s>),
}

/// The kinds of scalars that are told apart in validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Text,
    Number,
    Boolean,
    Any,
}

/// A list's type.
#[derive(Clone, Copy, Debug)]
pub(super) struct List<'s> {
    pub(super) item: Ty,
    pub(super) kind: &'s ListKind,
}

/// A map's type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'s> {
    known: Option<&'s Struct>,
    /// The type of the values of other keys; none where there may be no others.
    other: Option<Ty>,
    pub(super) atomic: bool,
}

impl<'s> Fields<'s> {
    /// The type of a key's value, and whether the type names the key.
    pub(super) fn field(&self, key: &str) -> Option<(Ty, bool)> {
        let Some(known) = self.known else {
            return self.other.map(|ty| (ty, false));
        };
        if let Some(field) = known.fields.get(key) {
            return Some((Ty::Of(field.of), true));
        }
        self.other.map(|ty| (ty, false))
    }

    /// Whether it is a map of which nothing at all is known.
    pub(super) fn is_deduced(&self) -> bool {
        self.other == Some(Ty::Deduced) && self.known.is_none_or(|known| known.fields.is_empty())
    }

    fn default_of(&self, key: &str) -> Option<&'s Value> {
        self.known?.fields.get(key)?.default.as_ref()
    }
}

/// Which kinds of values a type has: one of them, or all, where the value decides.
fn declared(schema: &Schema, ty: Ty) -> Option<Atom<'_>> {
    let Ty::Of(id) = ty else {
        return None;
    };
    Some(match &schema.get(id).shape {
        Shape::Any => return None,
        Shape::Scalar(scalar) => Atom::Scalar(match scalar {
            Scalar::String | Scalar::Bytes => Class::Text,
            Scalar::Int32 | Scalar::Int64 | Scalar::Number => Class::Number,
            Scalar::Boolean => Class::Boolean,
            Scalar::Formatted
            | Scalar::IntOrString
            | Scalar::Quantity
            | Scalar::Time
            | Scalar::MicroTime => Class::Any,
        }),
        Shape::List { item, kind } => Atom::List(List {
            item: typed(schema, *item),
            kind,
        }),
        Shape::Map { value, atomic } => Atom::Map(Fields {
            known: None,
            other: Some(typed(schema, *value)),
            atomic: *atomic,
        }),
        Shape::Struct(known) => Atom::Map(Fields {
            known: Some(known),
            other: (known.open || known.lenient).then_some(Ty::Deduced),
            atomic: known.atomic,
        }),
    })
}

fn typed(schema: &Schema, id: TypeId) -> Ty {
    match schema.get(id).shape {
        Shape::Any => Ty::Deduced,
        _ => Ty::Of(id),
    }
}

/// What a value is by its type. Where the value decides and is null or absent, it counts as a map.
pub(super) fn resolve<'s>(schema: &'s Schema, ty: Ty, value: Option<&Value>) -> Atom<'s> {
    if let Some(atom) = declared(schema, ty) {
        return atom;
    }
    match value {
        Some(Value::Array(_)) => Atom::List(List {
            item: Ty::Untyped,
            kind: &ListKind::Atomic,
        }),
        None | Some(Value::Object(_) | Value::Null) => Atom::Map(Fields {
            known: None,
            other: Some(match ty {
                Ty::Untyped => Ty::Untyped,
                _ => Ty::Deduced,
            }),
            atomic: ty == Ty::Untyped,
        }),
        Some(_) => Atom::Scalar(Class::Any),
    }
}

/// Whether the value decides, and decides differently for two values.
pub(super) fn differ(schema: &Schema, ty: Ty, left: &Value, right: &Value) -> bool {
    declared(schema, ty).is_none() && kind(left) != kind(right)
}

fn kind(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
        Value::Array(_) => 2,
        Value::Object(_) => 3,
    }
}

/// The entries of a map; none for null and for what is no map.
pub(super) fn map_of(value: Option<&Value>) -> Option<&Map<String, Value>> {
    value.and_then(Value::as_object)
}

/// The items of a list; none for null and for what is no list.
pub(super) fn list_of(value: Option<&Value>) -> Option<&[Value]> {
    value.and_then(Value::as_array).map(Vec::as_slice)
}

/// What an item of an associative list is told apart by.
///
/// # Errors
/// Why it cannot be, in upstream's words.
pub(super) fn identify(schema: &Schema, list: List<'_>, item: &Value) -> Result<Element, String> {
    match list.kind {
        ListKind::Atomic => Err("invalid indexing of non-associative list".to_owned()),
        ListKind::Set => match item {
            Value::Object(_) => {
                Err("associative list without keys has an element that's a map type".to_owned())
            }
            Value::Array(_) => {
                Err("not supported: associative list with lists as elements".to_owned())
            }
            Value::Null => Err(
                "associative list without keys has an element that's an explicit null".to_owned(),
            ),
            scalar => Ok(Element::Value(Arc::new(scalar.clone()))),
        },
        ListKind::Map(keys) => identify_by(schema, list, keys, item),
    }
}

fn identify_by(
    schema: &Schema,
    list: List<'_>,
    keys: &[Box<str>],
    item: &Value,
) -> Result<Element, String> {
    let map = match item {
        Value::Object(map) => map,
        Value::Null => {
            return Err("associative list with keys may not have a null element".to_owned());
        }
        _ => return Err("associative list with keys may not have non-map elements".to_owned()),
    };
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        let value = match map.get(&**key) {
            Some(value) => Some(value),
            None => match resolve(schema, list.item, None) {
                Atom::Map(fields) => fields.default_of(key).filter(|value| !value.is_null()),
                _ => {
                    return Err(format!(
                        "couldn't find default value for {key}: associative list may not have non-map types"
                    ));
                }
            },
        };
        if let Some(value) = value {
            found.push((Arc::from(&**key), value.clone()));
        }
    }
    if found.is_empty() && !keys.is_empty() {
        let keys: Vec<String> = keys.iter().map(|key| super::wording::quoted(key)).collect();
        return Err(format!(
            "associative list with keys has an element that omits all key fields [{}] (and doesn't have default values for any key fields)",
            keys.join(" ")
        ));
    }
    Ok(Element::key(found))
}
