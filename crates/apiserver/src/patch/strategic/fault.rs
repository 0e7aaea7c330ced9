//! How strategic merges fail: upstream's messages, and the status that each is answered with.

use serde_json::{Map, Value};

use super::super::rejected;
use crate::status::{Status, go_plain};

/// Why a patch cannot be applied.
#[derive(Debug)]
pub(super) enum Fault {
    /// 400: a directive is malformed.
    BadRequest(&'static str),
    /// 422: there are lists of lists.
    ListOfLists,
    /// 500, as upstream answers whatever it has no class for.
    Other(String),
}

impl Fault {
    /// The answer to the client (`interpretStrategicMergePatchError`).
    pub(super) fn status(self) -> Status {
        match self {
            Self::BadRequest(why) => Status::bad_request(why),
            Self::ListOfLists => rejected(),
            Self::Other(why) => Status::internal(why),
        }
    }

    /// There is something else where a list has to be.
    pub(super) fn no_list(value: &Value) -> Self {
        Self::wrong_type("[]interface {}", value)
    }

    /// There is something else where a map has to be.
    pub(super) fn no_map(value: &Value) -> Self {
        Self::wrong_type("map[string]interface {}", value)
    }

    fn wrong_type(wanted: &str, value: &Value) -> Self {
        let found = go_type(value);
        Self::Other(format!("expected a {wanted}, but received a {found}"))
    }

    /// An item lacks the field that it is told apart by.
    pub(super) fn no_merge_key(item: &Map<String, Value>, key: &str) -> Self {
        let item = go_map(item);
        Self::Other(format!(
            "map: {item} does not contain declared merge key: {key}"
        ))
    }

    /// `$patch` says something unknown.
    pub(super) fn bad_patch_type(directive: &Value, patch: &Map<String, Value>) -> Self {
        let directive = match directive {
            Value::String(text) => text.clone(),
            Value::Null => "%!s(<nil>)".to_owned(),
            other => format!("%!s({}={})", go_type(other), go_plain(other)),
        };
        let patch = go_map(patch);
        Self::Other(format!("unknown patch type: {directive} in map: {patch}"))
    }
}

/// What Go calls the type of a value that was JSON.
pub(super) fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "%!s(<nil>)",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// A list as Go's `%v` writes it.
pub(super) fn go_list(list: &[Value]) -> String {
    go_plain(&Value::from(list.to_vec()))
}

fn go_map(map: &Map<String, Value>) -> String {
    go_plain(&Value::Object(map.clone()))
}
