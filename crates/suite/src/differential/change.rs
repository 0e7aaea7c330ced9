//! Changes made of whole objects: parts of them, and patches.

use serde_json::{Map, Value, json};

use crate::chance::Chance;

/// What items of lists are told apart by: a part of an item keeps it.
const KEYS: &[&str] = &[
    "name",
    "key",
    "port",
    "protocol",
    "containerPort",
    "mountPath",
    "type",
    "topologyKey",
    "uid",
];

/// Some of the fields of a value.
pub(super) fn part(chance: &mut Chance, of: &Value) -> Value {
    match of {
        Value::Object(map) => {
            let mut some = Map::new();
            for (key, value) in map {
                if chance.percent(65) {
                    some.insert(key.clone(), part(chance, value));
                }
            }
            Value::Object(some)
        }
        Value::Array(items) => {
            let some = items.iter().filter_map(|item| {
                let mut piece = part(chance, item);
                if let (Value::Object(piece), Value::Object(item)) = (&mut piece, item) {
                    for key in KEYS {
                        if let Some(value) = item.get(*key) {
                            piece.insert((*key).to_owned(), value.clone());
                        }
                    }
                }
                chance.percent(85).then_some(piece)
            });
            Value::Array(some.collect())
        }
        other => other.clone(),
    }
}

/// A merge patch that also takes fields away.
pub(super) fn with_nulls(chance: &mut Chance, mut patch: Value) -> Value {
    if let Value::Object(map) = &mut patch {
        for (key, value) in map.iter_mut() {
            if !["apiVersion", "kind", "metadata", "name"].contains(&key.as_str())
                && chance.percent(6)
            {
                *value = Value::Null;
            } else {
                *value = with_nulls(chance, value.take());
            }
        }
    }
    patch
}

/// A strategic merge patch with what only it has.
pub(super) fn with_directives(chance: &mut Chance, patch: Value) -> Value {
    match patch {
        Value::Object(map) => {
            let mut changed = Map::new();
            for (key, value) in map {
                if !["apiVersion", "kind", "metadata", "name"].contains(&key.as_str())
                    && chance.percent(5)
                {
                    changed.insert(key, Value::Null);
                    continue;
                }
                let mut has_list = true;
                if value.is_array() && chance.percent(8) {
                    let directive =
                        *chance.pick(&["$setElementOrder/", "$deleteFromPrimitiveList/"]);
                    changed.insert(format!("{directive}{key}"), value.clone());
                    // The genuine server takes a list and what goes out of it in the order of chance.
                    has_list = directive == "$setElementOrder/";
                }
                let value = with_directives(chance, value);
                if has_list {
                    changed.insert(key, value);
                }
            }
            if chance.percent(3) {
                let how = *chance.pick(&["replace", "delete", "merge"]);
                changed.insert("$patch".to_owned(), json!(how));
            }
            if chance.percent(2) {
                let keys: Vec<String> = changed
                    .keys()
                    .filter(|key| !key.starts_with('$'))
                    .cloned()
                    .collect();
                changed.insert("$retainKeys".to_owned(), json!(keys));
            }
            Value::Object(changed)
        }
        Value::Array(items) => {
            let items = items.into_iter();
            Value::Array(items.map(|item| with_directives(chance, item)).collect())
        }
        other => other,
    }
}

/// A JSON patch: operations on places of one object, with values out of another.
pub(super) fn json_patch(chance: &mut Chance, from: &Value, to: &Value) -> Value {
    let mut places = Vec::new();
    collect(from, String::new(), &mut places);
    collect(to, String::new(), &mut places);
    places
        .retain(|(path, _)| !path.is_empty() && !["/apiVersion", "/kind"].contains(&path.as_str()));
    let count = 1 + chance.below(3);
    let mut operations = Vec::with_capacity(count);
    for _ in 0..count {
        let (path, value) = chance.pick(&places).clone();
        let other = chance.pick(&places).0.clone();
        operations.push(match chance.below(12) {
            0..=4 => json!({"op": "add", "path": path, "value": value}),
            5..=7 => json!({"op": "replace", "path": path, "value": value}),
            8 | 9 => json!({"op": "remove", "path": path}),
            10 => json!({"op": "test", "path": path, "value": value}),
            _ => {
                let op = *chance.pick(&["copy", "move"]);
                // The genuine server finds the first fault in the order of Go's structure.
                let is_bytes = path == "/metadata" && other == "/binaryData";
                let to = if is_bytes { "/data" } else { &other };
                json!({"op": op, "from": path, "path": to})
            }
        });
    }
    Value::Array(operations)
}

/// All places of a value, with what is there.
pub(super) fn collect(value: &Value, path: String, places: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                collect(value, format!("{path}/{key}"), places);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                collect(value, format!("{path}/{index}"), places);
            }
        }
        _ => {}
    }
    places.push((path, value.clone()));
}
