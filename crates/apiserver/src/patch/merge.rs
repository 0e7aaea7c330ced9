//! Merge patches, as `evanphx/json-patch` merges.

use serde_json::{Map, Value};

/// Merges a patch into a document.
pub(super) fn merge(doc: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (key, value) in patch {
        if value.is_null() {
            doc.remove(key);
            continue;
        }
        match (doc.get_mut(key), value) {
            (Some(Value::Object(current)), Value::Object(value)) => merge(current, value),
            // What replaces a map is taken as it is, `null`s inside of lists of maps included.
            (Some(current @ Value::Object(_)), value) => *current = value.clone(),
            (Some(current), value) => *current = pruned(value),
            (None, value) => {
                doc.insert(key.clone(), pruned(value));
            }
        }
    }
}

fn pruned(value: &Value) -> Value {
    let mut value = value.clone();
    prune(&mut value);
    value
}

/// Removes fields that are `null`, also inside of lists, whose own `null`s stay.
fn prune(value: &mut Value) {
    match value {
        Value::Object(map) => map.retain(|_, value| {
            prune(value);
            !value.is_null()
        }),
        Value::Array(list) => list.iter_mut().for_each(prune),
        _ => {}
    }
}
