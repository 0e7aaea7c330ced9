//! Whether an object has everything that is expected of it.

use std::fmt::Write as _;

use serde_json::Value;

/// The first place where `found` lacks what is expected, with both values; nothing where it has everything.
///
/// Maps may have more keys; lists must be as long, element by element; numbers are compared by value.
pub(super) fn mismatch(expected: &Value, found: &Value) -> Option<String> {
    below(expected, found, &mut String::new())
}

fn below(expected: &Value, found: &Value, path: &mut String) -> Option<String> {
    let length = path.len();
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            for (key, expected) in expected {
                path.push('.');
                path.push_str(key);
                let Some(found) = found.get(key) else {
                    return Some(format!("{path} is missing"));
                };
                if let Some(why) = below(expected, found, path) {
                    return Some(why);
                }
                path.truncate(length);
            }
            None
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
                let _ = write!(path, "[{index}]"); // a String takes everything
                if let Some(why) = below(expected, found, path) {
                    return Some(why);
                }
                path.truncate(length);
            }
            None
        }
        (Value::Number(expected), Value::Number(found)) if expected.as_f64() == found.as_f64() => {
            None
        }
        (expected, found) if expected == found => None,
        (expected, found) => Some(format!("{path} is {found}, expected {expected}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: &str, found: &str, difference: &str) {
        let parse = |text| serde_json::from_str::<Value>(text).expect("the test's JSON is right");
        let why = mismatch(&parse(expected), &parse(found));
        assert_eq!(why.as_deref().unwrap_or("-"), difference);
    }

    #[test]
    fn maps_may_have_more_and_lists_may_not() {
        check(r#"{"a":1}"#, r#"{"a":1,"b":2}"#, "-");
        check(r#"{"a":1}"#, r#"{"a":1.0}"#, "-");
        check(r#"{"a":1}"#, r#"{"b":2}"#, ".a is missing");
        check(
            r#"{"a":[1]}"#,
            r#"{"a":[1,2]}"#,
            ".a is [1,2], expected [1]",
        );
        check(
            r#"{"a":[{"b":"x"}]}"#,
            r#"{"a":[{"b":"y","c":1}]}"#,
            r#".a[0].b is "y", expected "x""#,
        );
        check(r#"{"a":""}"#, "{}", ".a is missing");
        check(r#"{"a":"1"}"#, r#"{"a":1}"#, r#".a is 1, expected "1""#);
    }
}
