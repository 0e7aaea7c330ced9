//! Writes that change nothing but the times at which owners last wrote are none.

use serde_json::Value;

use super::record::{managed_fields, set_managed_fields};

/// Gives the owners their former times back where nothing else has changed: a write that changes nothing is
/// none. To be called with what would be stored, after defaulting and admission.
pub(crate) fn keep_times(old: &Value, new: &mut Value) {
    let (Some(Value::Array(olds)), Some(Value::Array(news))) =
        (managed_fields(old), managed_fields(new))
    else {
        return;
    };
    let same = olds != news
        && olds.len() == news.len()
        && olds
            .iter()
            .zip(news)
            .all(|(old, new)| same_without("time", old, new))
        && same_besides_owners(old, new);
    if same {
        let olds = Value::Array(olds.clone());
        set_managed_fields(new, Some(olds));
    }
}

fn same_without(name: &str, old: &Value, new: &Value) -> bool {
    let rest = |(key, _): &(&String, &Value)| *key != name;
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            old.iter().filter(rest).eq(new.iter().filter(rest))
        }
        _ => old == new,
    }
}

fn same_besides_owners(old: &Value, new: &Value) -> bool {
    let metadata = |object: &'_ Value| object.get("metadata").cloned().unwrap_or_default();
    same_without("metadata", old, new)
        && same_without("managedFields", &metadata(old), &metadata(new))
}
