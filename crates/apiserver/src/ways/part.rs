//! Parts of objects, read and filled in as Go's structs would be: what is absent, `null` or of
//! another type counts as empty, so that no object can make a rule fail otherwise than by its answer.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Reads parts of an object.
pub(super) trait Part {
    /// What is in a field; `null` where it is absent.
    fn part(&self, name: &str) -> &Value;

    /// A text; empty where there is none.
    fn text(&self, name: &str) -> &str;

    /// A whole number; 0 where there is none.
    fn number(&self, name: &str) -> i64;

    /// A whole number, where there is one: a pointer in Go.
    fn some_number(&self, name: &str) -> Option<i64>;

    /// Whether a field is `true`.
    fn is_true(&self, name: &str) -> bool;

    /// Whether there is anything but `null`.
    fn has(&self, name: &str) -> bool;

    /// The items of a list.
    fn items(&self, name: &str) -> &[Value];

    /// The texts in a list.
    fn texts(&self, name: &str) -> impl Iterator<Item = &str>;

    /// The entries of a map, by key.
    fn entries(&self, name: &str) -> impl Iterator<Item = (&str, &Value)>;
}

impl Part for Value {
    fn part(&self, name: &str) -> &Value {
        &self[name]
    }

    fn text(&self, name: &str) -> &str {
        self[name].as_str().unwrap_or_default()
    }

    fn number(&self, name: &str) -> i64 {
        self[name].as_i64().unwrap_or_default()
    }

    fn some_number(&self, name: &str) -> Option<i64> {
        self[name].as_i64()
    }

    fn is_true(&self, name: &str) -> bool {
        self[name] == Value::Bool(true)
    }

    fn has(&self, name: &str) -> bool {
        !self[name].is_null()
    }

    fn items(&self, name: &str) -> &[Value] {
        self[name].as_array().map_or(&[], Vec::as_slice)
    }

    fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.items(name)
            .iter()
            .map(|item| item.as_str().unwrap_or_default())
    }

    fn entries(&self, name: &str) -> impl Iterator<Item = (&str, &Value)> {
        let map = self[name].as_object().into_iter().flatten();
        map.map(|(key, value)| (key.as_str(), value))
    }
}

/// The annotation of an object or a template.
pub(super) fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object["metadata"]["annotations"]
        .get(key)
        .and_then(Value::as_str)
}

/// The texts that the items of a list have in a field, to be asked for many times.
pub(super) fn names<'a>(items: &'a [Value], field: &str) -> BTreeSet<&'a str> {
    items.iter().map(|item| item.text(field)).collect()
}

/// Whether two fields have the same value, absent and `null` being one.
pub(super) fn is_same(a: &Value, b: &Value, name: &str) -> bool {
    a[name] == b[name]
}

/// The struct in a field, made where there is none; nothing where something else stands there.
pub(super) fn made<'a>(object: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    let fields = object.as_object_mut()?;
    let part = fields.entry(name).or_insert(Value::Null);
    if part.is_null() {
        *part = Value::Object(Map::new());
    }
    part.is_object().then_some(part)
}

/// The struct in a field, where there is one.
pub(super) fn found<'a>(object: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    object.get_mut(name).filter(|part| part.is_object())
}

/// The items of a list that is to be changed.
pub(super) fn each<'a>(
    object: &'a mut Value,
    name: &str,
) -> impl Iterator<Item = &'a mut Value> + use<'a> {
    object
        .get_mut(name)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

/// Sets a field that is absent: a pointer in Go.
pub(super) fn fill(object: &mut Value, name: &str, value: impl Into<Value>) {
    if !object.has(name) {
        put(object, name, value);
    }
}

/// Sets a field that is absent or empty: no pointer in Go.
pub(super) fn fill_empty(object: &mut Value, name: &str, value: impl Into<Value>) {
    let is_empty = match &object[name] {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_i64() == Some(0),
        _ => false,
    };
    if is_empty {
        put(object, name, value);
    }
}

/// Sets a field.
pub(super) fn put(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value.into());
    }
}

/// Removes a field.
pub(super) fn drop_field(object: &mut Value, name: &str) {
    if let Some(fields) = object.as_object_mut() {
        fields.remove(name);
    }
}

/// A field stays as it is.
pub(super) fn keep(new: &mut Value, old: &Value, field: &str) {
    match old.get(field) {
        Some(value) => put(new, field, value.clone()),
        None => drop_field(new, field),
    }
}
