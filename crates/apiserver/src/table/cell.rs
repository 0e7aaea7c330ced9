//! What cells are made of: fields of an object, durations, lists that are cut short.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::crd::human_duration;

/// An object that is shown, and the moment at which it is.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) object: &'a Value,
    pub(super) now: Timestamp,
}

impl<'a> Row<'a> {
    /// `metadata.name`.
    pub(super) fn name(self) -> Value {
        self.text("metadata.name").into()
    }

    /// How long ago the object was created.
    pub(super) fn age(self) -> Value {
        self.ago("metadata.creationTimestamp").into()
    }

    /// When the object was created; the zero of Go's times where it was not.
    pub(super) fn created_at(self) -> Value {
        match self.text("metadata.creationTimestamp") {
            "" => "0001-01-01T00:00:00Z".into(),
            time => time.into(),
        }
    }

    /// How long ago a time was.
    pub(super) fn ago(self, path: &str) -> String {
        ago(self.at(path), self.now)
    }

    pub(super) fn at(self, path: &str) -> &'a Value {
        at(self.object, path)
    }

    pub(super) fn text(self, path: &str) -> &'a str {
        text(self.object, path)
    }

    /// A text that is there, or else a word for its absence.
    pub(super) fn text_or(self, path: &str, absent: &'a str) -> &'a str {
        self.at(path).as_str().unwrap_or(absent)
    }

    /// A text that is not empty, or else a word for its absence.
    pub(super) fn text_unless_empty(self, path: &str, absent: &'a str) -> &'a str {
        match self.text(path) {
            "" => absent,
            text => text,
        }
    }

    pub(super) fn whole(self, path: &str) -> i64 {
        whole(self.object, path)
    }

    pub(super) fn items(self, path: &str) -> &'a [Value] {
        items(self.object, path)
    }

    /// How many entries a map has.
    pub(super) fn size(self, path: &str) -> usize {
        self.at(path).as_object().map_or(0, Map::len)
    }

    /// Whether the object is being deleted.
    pub(super) fn is_deleted(self) -> bool {
        !self.at("metadata.deletionTimestamp").is_null()
    }
}

/// A field by its path (`spec.replicas`); null where it is absent.
pub(super) fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    static ABSENT: Value = Value::Null;
    let mut found = value;
    for field in path.split('.') {
        match found.get(field) {
            Some(value) => found = value,
            None => return &ABSENT,
        }
    }
    found
}

/// A text; empty where it is absent.
pub(super) fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).as_str().unwrap_or_default()
}

/// A whole number; 0 where it is absent.
pub(super) fn whole(value: &Value, path: &str) -> i64 {
    at(value, path).as_i64().unwrap_or_default()
}

/// Whether something is true.
pub(super) fn flag(value: &Value, path: &str) -> bool {
    at(value, path).as_bool().unwrap_or_default()
}

/// The items of a list; empty where it is absent.
pub(super) fn items<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    at(value, path).as_array().map_or(&[], Vec::as_slice)
}

/// A quantity or an int-or-string as it is written; `0` where it is absent.
pub(super) fn amount(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => "0".to_owned(),
    }
}

/// The first condition of a type.
pub(super) fn condition<'a>(conditions: &'a [Value], kind: &str) -> Option<&'a Value> {
    conditions.iter().find(|one| text(one, "type") == kind)
}

/// A time; none where it is absent or no time.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// How long ago a time was.
pub(super) fn ago(value: &Value, now: Timestamp) -> String {
    time(value).map_or_else(|| "<unknown>".to_owned(), |time| between(time, now))
}

/// The span between two moments.
pub(super) fn between(from: Timestamp, to: Timestamp) -> String {
    // Whole seconds, cut towards zero as upstream does: what is a moment ahead is now.
    human_duration(to.duration_since(from).as_secs())
}

/// Texts with commas between them.
pub(super) fn joined<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut joined = String::new();
    for (index, text) in texts.into_iter().enumerate() {
        if index > 0 {
            joined.push(',');
        }
        joined.push_str(text);
    }
    joined
}

/// Labels as `key=value`.
pub(super) fn labels(value: &Value) -> String {
    let mut written = String::new();
    for (key, value) in value.as_object().into_iter().flatten() {
        if !written.is_empty() {
            written.push(',');
        }
        written.push_str(key);
        written.push('=');
        written.push_str(value.as_str().unwrap_or_default());
    }
    if written.is_empty() {
        "<none>".to_owned()
    } else {
        written
    }
}

/// A `LabelSelector` in the notation of queries; empty where it selects all or nothing, none where an
/// operator makes no sense.
pub(super) fn selector(value: &Value) -> Option<String> {
    let mut requirements: Vec<(&str, String)> = Vec::new();
    for (key, value) in at(value, "matchLabels").as_object().into_iter().flatten() {
        requirements.push((key, format!("{key}={}", value.as_str().unwrap_or_default())));
    }
    for expression in items(value, "matchExpressions") {
        let key = text(expression, "key");
        let mut values: Vec<&str> = items(expression, "values")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        values.sort_unstable();
        let values = values.join(",");
        let written = match text(expression, "operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            _ => return None,
        };
        requirements.push((key, written));
    }
    requirements.sort_by_key(|(key, _)| *key);
    Some(joined(requirements.iter().map(|(_, text)| text.as_str())))
}

/// A selector, or a word where it selects all, nothing, or makes no sense.
pub(super) fn selector_or_none(value: &Value) -> String {
    match selector(value) {
        None => "<error>".to_owned(),
        Some(text) if text.is_empty() => "<none>".to_owned(),
        Some(text) => text,
    }
}

/// The names of containers, and their images.
pub(super) fn containers(containers: &[Value]) -> [Value; 2] {
    ["name", "image"].map(|field| joined(containers.iter().map(|one| text(one, field))).into())
}
