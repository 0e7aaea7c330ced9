//! Whether everything that was applied is still its applier's, by the field set that the API server records.
//!
//! It needs no schema: the set itself says which lists are keyed. So it can be told after a restart, from the
//! object alone, that somebody took a field over meanwhile.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::{Map, Value};

/// What every object has and no field set names.
const IDENTITY: [&str; 3] = ["name", "namespace", "generateName"];

/// Whether an entry has every field of what was applied. `status` does not count: it is another's to write.
pub fn covers(entry: &ManagedFieldsEntry, applied: &Value) -> bool {
    let (Some(fields), Some(applied)) = (&entry.fields_v1, applied.as_object()) else {
        return false;
    };
    let fields = &fields.0;
    let body = applied
        .iter()
        .filter(|(key, _)| !["apiVersion", "kind", "metadata", "status"].contains(&key.as_str()));
    let metadata = applied.get("metadata").and_then(Value::as_object);
    let labels_and_more = metadata.into_iter().flatten();
    let mut labels_and_more = labels_and_more.filter(|(key, _)| !IDENTITY.contains(&key.as_str()));
    let metadata = fields.get("f:metadata").unwrap_or(&Value::Null);
    has_all(fields, body) && labels_and_more.all(|(key, value)| has(metadata, key, value))
}

fn has_all<'a>(set: &Value, mut fields: impl Iterator<Item = (&'a String, &'a Value)>) -> bool {
    fields.all(|(key, value)| has(set, key, value))
}

fn has(set: &Value, key: &str, value: &Value) -> bool {
    // A null says that the field is not to be there.
    value.is_null()
        || set
            .get(format!("f:{key}"))
            .is_some_and(|set| is_in(set, value))
}

fn is_in(set: &Value, value: &Value) -> bool {
    let Some(set_map) = set.as_object().filter(|map| !map.is_empty()) else {
        return true; // a leaf: the value is owned as a whole
    };
    match value {
        Value::Object(map) => has_all(set, map.iter()),
        Value::Array(items) => items.iter().all(|item| has_item(set_map, item)),
        _ => true,
    }
}

/// Whether a list's set names an item: by its value, or by the fields that are its key. A key that was
/// filled in by the API server is not in what was applied.
fn has_item(set: &Map<String, Value>, item: &Value) -> bool {
    let mut keyed = set.iter().filter_map(|(name, below)| {
        let key = name.strip_prefix("k:")?;
        Some((serde_json::from_str::<Map<String, Value>>(key).ok()?, below))
    });
    if let Some(map) = item.as_object() {
        return keyed.any(|(key, below)| {
            let fits = |(field, value): (&String, &Value)| {
                map.get(field).is_none_or(|given| given == value)
            };
            key.iter().all(fits) && is_in(below, item)
        });
    }
    set.contains_key(&format!("v:{item}"))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::FieldsV1;

    use super::*;

    const APPLIED: &str = r#"{"apiVersion":"apps/v1","kind":"Deployment",
        "metadata":{"name":"web","namespace":"shop","labels":{"app":"web"}},
        "spec":{"replicas":2,"paused":null,"selector":{"matchLabels":{"app":"web"}},"template":{"spec":{"containers":[
            {"name":"a","image":"one","args":["x","y"],"ports":[{"containerPort":80}]}]}}},
        "status":{"replicas":1}}"#;

    const OWNED: &str = r#"{"f:metadata":{"f:labels":{"f:app":{}}},
        "f:spec":{"f:replicas":{},"f:selector":{},"f:template":{"f:spec":{"f:containers":{
            "k:{\"name\":\"a\"}":{".":{},"f:name":{},"f:image":{},"f:args":{},
                "f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}}}}}}}"#;

    #[track_caller]
    fn check(lost: &str, covered: bool) {
        let text: String = OWNED.split_whitespace().collect();
        assert!(text.contains(lost), "the test takes away what is there");
        let fields = text
            .replacen(lost, "", 1)
            .replace(",}", "}")
            .replace("{,", "{");
        let entry = ManagedFieldsEntry {
            fields_v1: Some(FieldsV1(serde_json::from_str(&fields).expect("it is JSON"))),
            ..ManagedFieldsEntry::default()
        };
        let applied = serde_json::from_str(APPLIED).expect("it is JSON");
        assert_eq!(covers(&entry, &applied), covered, "{fields}");
    }

    #[test]
    fn a_field_that_somebody_took_is_missed() {
        check("", true);
        check(r#""f:replicas":{},"#, false);
        check(r#""f:image":{},"#, false);
        check(r#""f:app":{}"#, true); // the map is owned as a whole then
        check(r#""f:labels":{"f:app":{}}"#, false);
        check(r#","f:containerPort":{}"#, false);
    }

    #[test]
    fn items_of_a_set_are_found_by_their_value() {
        let set = serde_json::json!({"v:\"a\"": {}, "v:1": {}});
        let is_in = |items: Value| is_in(&set, &items);
        assert!(is_in(serde_json::json!(["a", 1])));
        assert!(!is_in(serde_json::json!(["a", "b"])));
    }
}
