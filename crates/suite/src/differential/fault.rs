//! Faults: one place of what is sent becomes something else.

use serde_json::{Value, json};

use super::change;
use crate::chance::Chance;

/// What is sent, with a fault, or two. Patches leave alone what kind an object is of: the genuine server
/// looks at that late, and finds faults of other fields first.
pub(super) fn spoil(chance: &mut Chance, mut body: Value, what: What) -> Value {
    spoil_once(chance, &mut body, what);
    if what != What::Merge && chance.percent(20) {
        spoil_once(chance, &mut body, what);
    }
    body
}

/// What is spoiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Object,
    Patch,
    /// A strategic merge patch, of whose faults the genuine server tells the first one in the order of its
    /// source.
    Merge,
}

fn spoil_once(chance: &mut Chance, body: &mut Value, what: What) {
    let mut places = Vec::new();
    change::collect(body, String::new(), &mut places);
    places.retain(|(path, _)| {
        let names_kind = ["/apiVersion", "/kind"].contains(&path.as_str());
        !path.is_empty() && (what == What::Object || !names_kind)
    });
    if places.is_empty() {
        return;
    }
    let (path, value) = chance.pick(&places).clone();
    match chance.below(6) {
        0 => remove(body, &path),
        1 => add(chance, body, &path),
        2 | 3 => set(body, &path, strange(chance, &value)),
        _ => set(body, &path, other_type(chance, &value)),
    }
}

fn set(body: &mut Value, path: &str, value: Value) {
    if let Some(place) = body.pointer_mut(path) {
        *place = value;
    }
}

fn remove(body: &mut Value, path: &str) {
    let Some((parent, key)) = path.rsplit_once('/') else {
        return;
    };
    match body.pointer_mut(parent) {
        Some(Value::Object(map)) => drop(map.remove(&key.replace("~1", "/").replace("~0", "~"))),
        Some(Value::Array(items)) => {
            if let Ok(index) = key.parse::<usize>() {
                items.remove(index);
            }
        }
        _ => {}
    }
}

/// A field that nobody knows.
fn add(chance: &mut Chance, body: &mut Value, path: &str) {
    let name = *chance.pick(&["unknown", "Name", "spec2"]);
    match body.pointer_mut(path) {
        Some(Value::Object(map)) => drop(map.insert(name.to_owned(), json!("x"))),
        Some(Value::Array(items)) => {
            let again = items.first().cloned().unwrap_or_else(|| json!("x"));
            items.push(again);
        }
        _ => {
            if let Some((parent, _)) = path.rsplit_once('/') {
                add(chance, body, parent);
            }
        }
    }
}

/// Something of the same type that is not allowed everywhere.
fn strange(chance: &mut Chance, value: &Value) -> Value {
    match value {
        Value::String(_) => {
            let texts = ["", "Not A Name", "UPPER", "a/b/c", "-a", "5", "ä", "true"];
            let long = "a".repeat(70);
            match chance.below(texts.len() + 1) {
                at if at < texts.len() => json!(texts[at]),
                _ => json!(long),
            }
        }
        Value::Number(_) => chance
            .pick(&[
                json!(-1),
                json!(0),
                json!(70_000),
                json!(3_000_000_000_i64),
                json!(1.5),
            ])
            .clone(),
        Value::Bool(value) => json!(!value),
        Value::Array(_) => json!([]),
        Value::Object(_) => json!({}),
        Value::Null => json!("x"),
    }
}

fn other_type(chance: &mut Chance, value: &Value) -> Value {
    let others = [
        json!("text"),
        json!(7),
        json!(true),
        json!(["text"]),
        json!({"a": "b"}),
        json!(null),
    ];
    let others: Vec<&Value> = others
        .iter()
        .filter(|other| std::mem::discriminant(*other) != std::mem::discriminant(value))
        .collect();
    (*chance.pick(&others)).clone()
}
