//! An object without what must not be shown.

use serde_json::{Map, Value};

/// The annotation in which `kubectl apply` keeps a copy of the whole object, secrets included.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

const HIDDEN: &str = "***";
const BEFORE: &str = "*** (before)";
const AFTER: &str = "*** (after)";

/// What is shown of a Secret. Whatever else stands in it may be a value under a name that its author
/// mistyped.
const SHOWN: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata",
    "type",
    "immutable",
    "data",
    "stringData",
];
/// What is shown of a Secret's metadata: names, labels, and what the API server owns.
const SHOWN_METADATA: &[&str] = &[
    "name",
    "generateName",
    "namespace",
    "labels",
    "annotations",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "finalizers",
    "ownerReferences",
    "managedFields",
];

/// Replaces what must not be shown by `***`: all of a Secret but its names, labels and type, and the
/// last-applied annotation of any object. The keys stay.
pub fn redact(value: &Value) -> Value {
    let mut shown = value.clone();
    for hidden in hidden(value) {
        hide(&mut shown, hidden, |_| HIDDEN);
    }
    shown
}

/// Redacts two states of one object so that a reader sees which hidden values differ.
///
/// A value that is the same in both is `***`, one that changed `*** (before)` and `*** (after)`.
/// That a value is the same is no secret: the API server tells who may see the diff as much.
pub fn redact_pair(old: &Value, new: &Value) -> (Value, Value) {
    let mut all = hidden(old);
    for one in hidden(new) {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    let (mut shown_old, mut shown_new) = (old.clone(), new.clone());
    for hidden in all {
        let same = |key: &str| {
            match (entry(old, hidden, key), entry(new, hidden, key)) {
                (Some(old), Some(new)) => old == new,
                // Added or removed as a whole, which the key alone shows.
                _ => true,
            }
        };
        hide(&mut shown_old, hidden, |key| {
            if same(key) { HIDDEN } else { BEFORE }
        });
        hide(&mut shown_new, hidden, |key| {
            if same(key) { HIDDEN } else { AFTER }
        });
    }
    (shown_old, shown_new)
}

/// Where an object holds what must not be shown: a mapping, and which of its keys.
type Hidden = (&'static [&'static str], Which);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    /// Every one.
    All,
    /// This one.
    Only(&'static str),
    /// All but these.
    But(&'static [&'static str]),
    /// Those that hold more than a plain value, where nothing else belongs.
    Nested(&'static [&'static str]),
}

impl Which {
    fn hides(self, key: &str, value: &Value) -> bool {
        match self {
            Self::All => true,
            Self::Only(only) => key == only,
            Self::But(shown) => !shown.contains(&key),
            Self::Nested(plain) => {
                (plain.is_empty() || plain.contains(&key))
                    && (value.is_object() || value.is_array())
            }
        }
    }
}

/// Whether the API server, or its author, takes it for a Secret.
fn is_secret(value: &Value) -> bool {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    text("kind").eq_ignore_ascii_case("Secret") && !text("apiVersion").contains('/')
}

fn hidden(value: &Value) -> Vec<Hidden> {
    const METADATA: &[&str] = &["metadata"];
    if !is_secret(value) {
        return vec![(&["metadata", "annotations"], Which::Only(LAST_APPLIED))];
    }
    vec![
        (&[], Which::But(SHOWN)),
        (&[], Which::Nested(&["type", "immutable"])),
        (&["data"], Which::All),
        (&["stringData"], Which::All),
        (METADATA, Which::But(SHOWN_METADATA)),
        (
            METADATA,
            Which::Nested(&["name", "generateName", "namespace"]),
        ),
        (&["metadata", "annotations"], Which::All),
        (&["metadata", "labels"], Which::Nested(&[])),
    ]
}

fn hide(value: &mut Value, (path, which): Hidden, mark: impl Fn(&str) -> &'static str) {
    let mut at = value;
    for key in path {
        let Some(next) = at.get_mut(*key) else { return };
        at = next;
    }
    let Value::Object(object) = at else {
        // Not what the API server takes, but who knows what it holds.
        if !matches!(which, Which::Only(_)) && !at.is_null() {
            *at = HIDDEN.into();
        }
        return;
    };
    hide_entries(object, which, mark);
}

fn hide_entries(
    object: &mut Map<String, Value>,
    which: Which,
    mark: impl Fn(&str) -> &'static str,
) {
    for (key, value) in object.iter_mut() {
        if which.hides(key, value) {
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
    fn hides_all_of_a_secret_but_its_names_labels_and_type() {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque", "immutable": true,
            "metadata": {"name": "db", "labels": {"app": "shop"}, "annotations": {"note": "hunter2"}, "stringData": "hunter2"},
            "stringdata": {"password": "hunter2"}, "password": "hunter2",
        });
        assert_eq!(
            redact(&secret),
            json!({
                "apiVersion": "v1", "kind": "Secret", "type": "Opaque", "immutable": true,
                "metadata": {"name": "db", "labels": {"app": "shop"}, "annotations": {"note": "***"}, "stringData": "***"},
                "stringdata": "***", "password": "***",
            })
        );
    }

    #[test]
    fn hides_what_is_nested_where_only_plain_values_belong() {
        let secret = json!({
            "apiVersion": "v1", "kind": "secret", "type": {"password": "hunter2"},
            "metadata": {"name": ["hunter2"], "labels": {"password": ["hunter2"]}}, "stringData": "hunter2",
        });
        assert!(!redact(&secret).to_string().contains("hunter2"));
        let (old, new) = redact_pair(&secret, &json!(null));
        assert!(!old.to_string().contains("hunter2") && new.is_null());
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
