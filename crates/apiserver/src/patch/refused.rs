//! Strategic merge patches whose outcome is no object of the kind: upstream goes from the patched map to
//! the object without JSON in between, and tells so in other words than of bodies.
//!
//! External rules: `applyPatchToObject` of k8s.io/apiserver, `pkg/endpoints/handlers/patch.go`;
//! `fromUnstructured` of k8s.io/apimachinery, `pkg/runtime/converter.go`.

use serde_json::{Value, json};

use crate::status::{About, FieldError, Status};

/// What a bad outcome of this patch is answered with, given what the same object is answered with as a
/// body. What is not about the form of the object stays as it is.
pub(crate) fn refused(patch: &Value, status: Status) -> Status {
    const ABOUT: &str = " cannot be handled as a ";
    let said = status.message.split_once(ABOUT);
    let Some((_, why)) = said.and_then(|(_, rest)| rest.split_once(": ")) else {
        return status;
    };
    let why = why
        .strip_prefix("json: cannot unmarshal ")
        .and_then(converted)
        .unwrap_or_else(|| why.to_owned());
    let about = About {
        group: "",
        resource: "",
        kind: "",
    };
    let error = FieldError::invalid("patch", json!(go(patch)), why);
    Status::invalid(about, "", &[error])
}

/// `number into Go struct field ConfigMap.data of type string`, as the converter says it.
fn converted(why: &str) -> Option<String> {
    let (found, rest) = why.split_once(" into Go ")?;
    let (_, wanted) = rest.rsplit_once(" of type ")?;
    let found = match found.split(' ').next()? {
        "number" => "int64",
        "object" => "map",
        "array" => "slice",
        other => other,
    };
    Some(match (found, wanted) {
        ("int64", "string") => "cannot convert int64 to string".to_owned(),
        (found, wanted) if wanted.starts_with("map[") => {
            format!("cannot restore map from {found}")
        }
        (found, wanted) if wanted.starts_with("[]") => {
            format!("cannot restore slice from {found}")
        }
        (found, wanted) if wanted.contains('.') => {
            format!("cannot restore struct from: {found}")
        }
        (_, wanted) => format!("unrecognized type: {wanted}"),
    })
}

/// A value as Go's `%+v` writes it.
fn go(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(go).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(map) => {
            let entries = map.iter();
            let entries: Vec<String> = entries
                .map(|(key, value)| format!("{key}:{}", go(value)))
                .collect();
            format!("map[{}]", entries.join(" "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_outcome_is_told_as_the_converter_tells_it() {
        let patch = json!({"data": {"size": 2, "no": null}});
        let body = |why: &str| {
            let text =
                format!("ConfigMap in version \"v1\" cannot be handled as a ConfigMap: {why}");
            refused(&patch, Status::bad_request(text)).message
        };
        for (why, expected) in [
            (
                "json: cannot unmarshal number into Go struct field ConfigMap.data of type string",
                "cannot convert int64 to string",
            ),
            (
                "json: cannot unmarshal string into Go struct field ConfigMap.data of type map[string]string",
                "cannot restore map from string",
            ),
            (
                "strict decoding error: unknown field \"bogus\"",
                "strict decoding error: unknown field \"bogus\"",
            ),
        ] {
            let expected = format!(
                " \"\" is invalid: patch: Invalid value: \"map[data:map[no:<nil> size:2]]\": {expected}"
            );
            assert_eq!(body(why), expected);
        }
        let other = Status::internal("else");
        assert_eq!(refused(&patch, other.clone()), other);
    }
}
