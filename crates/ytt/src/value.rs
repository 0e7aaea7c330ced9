//! Between Starlark's values, trees, plain values and JSON.

use serde_json::{Map, Value as Json};
use starlark::collections::SmallMap;
use starlark::values::dict::{AllocDict, DictRef};
use starlark::values::float::StarlarkFloat;
use starlark::values::list::{AllocList, ListRef};
use starlark::values::tuple::TupleRef;
use starlark::values::{Heap, UnpackValue as _, Value, ValueLike as _};

use crate::node::{Fragment, Item, Shape, failure};
use crate::number;
use crate::plain::Plain;
use crate::record::Record;
use crate::run::Budget;

/// What `data.values` is: maps become structs, lists stay ordinary, mutable lists.
///
/// The data reached genuine ytt as JSON that Go had read and written: every number was a float64.
pub(crate) fn from_data<'v>(data: &Json, heap: &'v Heap) -> Value<'v> {
    match data {
        Json::Null => Value::new_none(),
        Json::Bool(value) => Value::new_bool(*value),
        Json::Number(number) => {
            let float = number.as_f64().unwrap_or_default();
            let whole = number::whole(float).and_then(|whole| from_int(whole, heap).ok());
            whole.unwrap_or_else(|| heap.alloc(float))
        }
        Json::String(text) => heap.alloc(text.as_str()),
        Json::Array(items) => heap.alloc(AllocList(items.iter().map(|item| from_data(item, heap)))),
        Json::Object(map) => record(map, heap),
    }
}

/// A struct of a map's entries, in the order of their bytes.
pub(crate) fn record<'v>(map: &Map<String, Json>, heap: &'v Heap) -> Value<'v> {
    // A map of serde_json is sorted, unless somebody turns on `preserve_order`.
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| key.as_str());
    let fields: SmallMap<_, _> = entries
        .into_iter()
        .map(|(key, value)| (key.clone(), from_data(value, heap)))
        .collect();
    Record::alloc(heap, fields)
}

fn from_int(value: i128, heap: &Heap) -> Result<Value<'_>, starlark::Error> {
    if let Ok(value) = i64::try_from(value) {
        return Ok(heap.alloc(value));
    }
    match u64::try_from(value) {
        Ok(value) => Ok(heap.alloc(value)),
        Err(_) => Err(failure("an integer is too large")),
    }
}

/// Starlark's own values for plain ones: dicts and lists.
pub(crate) fn from_plain<'v>(plain: &Plain, heap: &'v Heap) -> starlark::Result<Value<'v>> {
    Ok(match plain {
        Plain::Null => Value::new_none(),
        Plain::Bool(value) => Value::new_bool(*value),
        Plain::Int(value) => from_int(*value, heap)?,
        Plain::Float(value) => heap.alloc(*value),
        Plain::Text(text) => heap.alloc(text.as_str()),
        Plain::List(items) | Plain::Documents(items) => {
            let items: Vec<_> = items
                .iter()
                .map(|item| from_plain(item, heap))
                .collect::<Result<_, _>>()?;
            heap.alloc(AllocList(items))
        }
        Plain::Map(items) => {
            let mut pairs = Vec::with_capacity(items.len());
            for (key, value) in items {
                pairs.push((from_plain(key, heap)?, from_plain(value, heap)?));
            }
            heap.alloc(AllocDict(pairs))
        }
    })
}

/// The entries of whatever ytt takes as a mapping: a dict, a struct, a fragment that is a map.
pub(crate) fn entries<'v>(value: Value<'v>, heap: &'v Heap) -> Option<Vec<(Value<'v>, Value<'v>)>> {
    if let Some(dict) = DictRef::from_value(value) {
        return Some(dict.iter().collect());
    }
    if let Some(record) = Record::of(value) {
        let entry = |(key, value): (&String, &Value<'v>)| (heap.alloc(key.as_str()), *value);
        return Some(record.fields.iter().map(entry).collect());
    }
    let fragment = Fragment::of(value)?;
    match fragment.shape {
        Shape::Map | Shape::Null => {
            let items = fragment.items();
            Some(items.iter().map(|item| (item.key, item.value)).collect())
        }
        Shape::Array | Shape::Documents => None,
    }
}

/// The items of a list, a tuple or a set.
pub(crate) fn sequence<'v>(
    value: Value<'v>,
    heap: &'v Heap,
) -> starlark::Result<Option<Vec<Value<'v>>>> {
    if let Some(list) = ListRef::from_value(value) {
        return Ok(Some(list.iter().collect()));
    }
    if let Some(tuple) = TupleRef::from_value(value) {
        return Ok(Some(tuple.iter().collect()));
    }
    if value.get_type() == "set" {
        return Ok(Some(value.iterate(heap)?.collect()));
    }
    Ok(None)
}

fn is_scalar(value: Value<'_>) -> bool {
    matches!(
        value.get_type(),
        "NoneType" | "bool" | "int" | "float" | "string"
    )
}

/// A value as a part of a tree.
///
/// # Errors
///
/// It is, or holds, what YAML has no form for, or several documents.
pub(crate) fn to_node<'v>(
    value: Value<'v>,
    heap: &'v Heap,
    budget: &Budget<'_>,
) -> starlark::Result<Value<'v>> {
    node_at(value, heap, budget, 0)
}

fn node_at<'v>(
    value: Value<'v>,
    heap: &'v Heap,
    budget: &Budget<'_>,
    depth: usize,
) -> starlark::Result<Value<'v>> {
    budget.nodes(1)?;
    budget.depth(depth)?;
    if is_scalar(value) {
        return Ok(value);
    }
    if let Some(fragment) = Fragment::of(value) {
        return match fragment.shape {
            Shape::Null => Ok(Value::new_none()),
            Shape::Documents => Err(failure(
                "this is a document set: a value cannot be several documents; \
                 see template.replace",
            )),
            Shape::Map | Shape::Array => Ok(value),
        };
    }
    if let Some(entries) = entries(value, heap) {
        let mut items = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            if !is_scalar(key) {
                return Err(failure(format!(
                    "a map cannot have a key that is {}",
                    key.get_type()
                )));
            }
            items.push(Item::new(key, node_at(value, heap, budget, depth + 1)?));
        }
        return Ok(Fragment::alloc(heap, Shape::Map, items));
    }
    if let Some(values) = sequence(value, heap)? {
        let mut items = Vec::with_capacity(values.len());
        for value in values {
            let value = node_at(value, heap, budget, depth + 1)?;
            items.push(Item::new(Value::new_none(), value));
        }
        return Ok(Fragment::alloc(heap, Shape::Array, items));
    }
    Err(unencodable(value))
}

fn unencodable(value: Value<'_>) -> starlark::Error {
    let kind = value.get_type();
    let hint = match kind {
        "function" => "; was it meant to be called?",
        _ => "",
    };
    failure(format!("a {kind} does not encode{hint}"))
}

/// A value without behaviour.
///
/// # Errors
///
/// It is, or holds, what YAML has no form for.
pub(crate) fn to_plain<'v>(
    value: Value<'v>,
    heap: &'v Heap,
    budget: &Budget<'_>,
) -> starlark::Result<Plain> {
    plain_at(value, heap, budget, 0)
}

fn plain_at<'v>(
    value: Value<'v>,
    heap: &'v Heap,
    budget: &Budget<'_>,
    depth: usize,
) -> starlark::Result<Plain> {
    budget.nodes(1)?;
    budget.depth(depth)?;
    if let Some(scalar) = scalar(value)? {
        if let Plain::Text(text) = &scalar {
            budget.text(text.len())?;
        }
        return Ok(scalar);
    }
    if let Some(entries) = entries(value, heap) {
        if Fragment::of(value).is_some_and(|fragment| fragment.shape == Shape::Null) {
            return Ok(Plain::Null);
        }
        let mut items = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let Some(key) = scalar(key)? else {
                return Err(failure(format!(
                    "a map cannot have a key that is {}",
                    key.get_type()
                )));
            };
            items.push((key, plain_at(value, heap, budget, depth + 1)?));
        }
        return Ok(Plain::Map(items));
    }
    let fragment = Fragment::of(value);
    let values = match fragment {
        Some(fragment) => fragment.items().iter().map(|item| item.value).collect(),
        None => sequence(value, heap)?.ok_or_else(|| unencodable(value))?,
    };
    let mut items = Vec::with_capacity(values.len());
    for value in values {
        items.push(plain_at(value, heap, budget, depth + 1)?);
    }
    Ok(match fragment.map(|fragment| fragment.shape) {
        Some(Shape::Documents) => Plain::Documents(items),
        _ => Plain::List(items),
    })
}

fn scalar(value: Value<'_>) -> starlark::Result<Option<Plain>> {
    if value.is_none() {
        return Ok(Some(Plain::Null));
    }
    if let Some(value) = value.unpack_bool() {
        return Ok(Some(Plain::Bool(value)));
    }
    if let Some(text) = value.unpack_str() {
        return Ok(Some(Plain::Text(text.to_owned())));
    }
    if let Some(float) = value.downcast_ref::<StarlarkFloat>() {
        return Ok(Some(Plain::Float(float.0)));
    }
    if value.get_type() != "int" {
        return Ok(None);
    }
    if let Ok(Some(value)) = i64::unpack_value(value) {
        return Ok(Some(Plain::Int(value.into())));
    }
    match u64::unpack_value(value) {
        Ok(Some(value)) => Ok(Some(Plain::Int(value.into()))),
        _ => Err(failure("an integer is too large")),
    }
}

/// A key as it stands in messages.
pub(crate) fn key_text(key: Value<'_>) -> String {
    match key.unpack_str() {
        Some(text) => format!("'{text}'"),
        None => key.to_repr(),
    }
}
