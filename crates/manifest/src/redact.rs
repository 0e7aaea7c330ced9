//! An object without what must not be shown.

use serde_json::{Map, Value};

/// The annotation in which `kubectl apply` keeps a copy of the whole object, secrets included.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

const HIDDEN: &str = "***";
const BEFORE: &str = "*** (before)";
const AFTER: &str = "*** (after)";

/// Replaces what must not be shown by `***`: every value of a Secret's `data` and `stringData`,
/// and the last-applied annotation of any object. The keys stay.
pub fn redact(value: &Value) -> Value {
    let mut shown = value.clone();
    for path in hidden_maps(value) {
        hide(&mut shown, path, |_| HIDDEN);
    }
    shown
}

/// Redacts two states of one object so that a reader sees which hidden values differ.
///
/// A value that is the same in both is `***`, one that changed `*** (before)` and `*** (after)`.
/// That a value is the same is no secret: the API server tells who may see the diff as much.
pub fn redact_pair(old: &Value, new: &Value) -> (Value, Value) {
    let mut paths = hidden_maps(old);
    paths.extend(hidden_maps(new));
    let (mut shown_old, mut shown_new) = (old.clone(), new.clone());
    for path in paths {
        let same = |key: &str| {
            match (entry(old, path, key), entry(new, path, key)) {
                (Some(old), Some(new)) => old == new,
                // Added or removed as a whole, which the key alone shows.
                _ => true,
            }
        };
        hide(&mut shown_old, path, |key| {
            if same(key) { HIDDEN } else { BEFORE }
        });
        hide(
            &mut shown_new,
            path,
            |key| if same(key) { HIDDEN } else { AFTER },
        );
    }
    (shown_old, shown_new)
}

/// Where an object holds what must not be shown: a mapping, and one key of it or all.
type Hidden = (&'static [&'static str], Option<&'static str>);

fn hidden_maps(value: &Value) -> Vec<Hidden> {
    let mut hidden: Vec<Hidden> = vec![(&["metadata", "annotations"], Some(LAST_APPLIED))];
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    if text("kind") == "Secret" && text("apiVersion") == "v1" {
        hidden.push((&["data"], None));
        hidden.push((&["stringData"], None));
    }
    hidden
}

fn hide(value: &mut Value, (path, only): Hidden, mark: impl Fn(&str) -> &'static str) {
    let mut at = value;
    for key in path {
        let Some(next) = at.get_mut(*key) else { return };
        at = next;
    }
    let Value::Object(object) = at else {
        // Not what the API server takes, but who knows what it holds.
        if only.is_none() && !at.is_null() {
            *at = HIDDEN.into();
        }
        return;
    };
    hide_entries(object, only, mark);
}

fn hide_entries(
    object: &mut Map<String, Value>,
    only: Option<&str>,
    mark: impl Fn(&str) -> &'static str,
) {
    for (key, value) in object.iter_mut() {
        if only.is_none_or(|only| only == key) {
            *value = mark(key).into();
        }
    }
}

fn entry<'a>(value: &'a Value, (path, _): Hidden, key: &str) -> Option<&'a Value> {
    let mut at = value;
    for step in path {
        at = at.get(*step)?;
    }
    at.get(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn hides_the_values_of_a_secret_and_keeps_its_keys() {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"},
            "data": {"password": "aHVudGVyMg=="}, "stringData": {"user": "root"}, "type": "Opaque"});
        let shown = redact(&secret);
        assert_eq!(shown["data"], json!({"password": "***"}));
        assert_eq!(shown["stringData"], json!({"user": "***"}));
        assert_eq!(shown["type"], "Opaque");
    }

    #[test]
    fn hides_a_secret_that_is_not_even_a_mapping() {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "data": ["hunter2"]});
        assert_eq!(redact(&secret)["data"], "***");
    }

    #[test]
    fn hides_the_last_applied_annotation_of_any_object() {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"},
            "metadata": {"annotations": {LAST_APPLIED: "{hunter2}", "team": "shop"}}});
        let shown = redact(&map);
        assert_eq!(shown["data"], json!({"a": "b"}));
        assert_eq!(
            shown["metadata"]["annotations"],
            json!({LAST_APPLIED: "***", "team": "shop"})
        );
    }

    #[test]
    fn tells_which_hidden_values_changed() {
        let secret = |data: Value| json!({"apiVersion": "v1", "kind": "Secret", "data": data});
        let (old, new) = redact_pair(
            &secret(json!({"same": "MQ==", "other": "Mg==", "gone": "Mw=="})),
            &secret(json!({"same": "MQ==", "other": "NA==", "added": "NQ=="})),
        );
        assert_eq!(
            old["data"],
            json!({"same": "***", "other": "*** (before)", "gone": "***"})
        );
        assert_eq!(
            new["data"],
            json!({"same": "***", "other": "*** (after)", "added": "***"})
        );
    }

    #[test]
    fn hides_both_states_when_only_one_is_a_secret() {
        let (old, new) = redact_pair(
            &Value::Null,
            &json!({"apiVersion": "v1", "kind": "Secret",
            "data": {"password": "aHVudGVyMg=="}}),
        );
        assert_eq!(old, Value::Null);
        assert_eq!(new["data"], json!({"password": "***"}));
    }
}
