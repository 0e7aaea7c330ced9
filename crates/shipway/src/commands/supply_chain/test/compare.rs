//! What is expected, compared with what is stamped.

use delivery::diff::{Line, diff};
use serde_json::Value;

use super::keys::Keys;
use super::wrong::Wrong;

/// The one function that `cartotest` knows by name.
const FLOATS: &str = "ConvertNumbersToFloatsDuringComparison";

/// What does not count in a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the file has as many switches"
)]
pub(super) struct Compare {
    ignore_metadata: bool,
    ignore_owner_refs: bool,
    ignore_labels: bool,
    ignore_fields: Vec<String>,
    has_floats: bool,
}

impl Compare {
    /// Takes what a folder says.
    pub(super) fn read(&mut self, mut keys: Keys<'_>) -> Result<(), Wrong> {
        let switches = [
            ("ignoreMetadata", &mut self.ignore_metadata),
            ("ignoreOwnerRefs", &mut self.ignore_owner_refs),
            ("ignoreLabels", &mut self.ignore_labels),
        ];
        for (key, switch) in switches {
            *switch = keys.flag(key)?.unwrap_or(*switch);
        }
        if let Some(fields) = keys.texts("ignoreMetadataFields")? {
            self.ignore_fields = fields;
        }
        let functions = "namedCMPOptionFuncs";
        let place = keys.name(functions);
        for function in keys.texts(functions)?.unwrap_or_default() {
            if function != FLOATS {
                let why = format!("{place}: there is no function `{function}`");
                return Err(Wrong::new(why).hint(format!("the only one is {FLOATS}")));
            }
            self.has_floats = true;
        }
        keys.end()
    }

    /// How what is stamped differs from what is expected; none where it does not.
    pub(super) fn differences(&self, expected: Value, stamped: Value) -> Option<Vec<Line>> {
        let (expected, mut stamped) = (self.counting(expected), self.counting(stamped));
        if self.has_floats {
            align(&expected, &mut stamped);
        }
        (expected != stamped).then(|| diff(&expected, &stamped))
    }

    /// What of an object counts. A template has no say in the status, nor in who manages a field.
    fn counting(&self, mut object: Value) -> Value {
        let Some(members) = object.as_object_mut() else {
            return object;
        };
        members.remove("status");
        if self.ignore_metadata {
            members.remove("metadata");
        }
        if let Some(Value::Object(metadata)) = members.get_mut("metadata") {
            metadata.remove("managedFields");
            if self.ignore_owner_refs {
                metadata.remove("ownerReferences");
            }
            if self.ignore_labels {
                metadata.remove("labels");
            }
            for field in &self.ignore_fields {
                metadata.remove(field);
            }
        }
        object
    }
}

/// Writes numbers that are equal as `f64` alike.
fn align(expected: &Value, stamped: &mut Value) {
    match (expected, stamped) {
        (Value::Object(expected), Value::Object(stamped)) => {
            for (key, expected) in expected {
                if let Some(stamped) = stamped.get_mut(key) {
                    align(expected, stamped);
                }
            }
        }
        (Value::Array(expected), Value::Array(stamped)) => {
            for (expected, stamped) in expected.iter().zip(stamped) {
                align(expected, stamped);
            }
        }
        (Value::Number(expected), Value::Number(stamped))
            if expected.as_f64() == stamped.as_f64() =>
        {
            *stamped = expected.clone();
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(metadata: &Value, number: impl Into<Value>) -> Value {
        let number: Value = number.into();
        json!({"kind": "A", "metadata": metadata, "spec": {"list": [number]}})
    }

    /// Compares two objects by the options of an `info.yaml`.
    #[track_caller]
    fn check(options: Value, expected: Value, stamped: Value, shown: Option<&str>) {
        let mut compare = Compare::default();
        let keys = Keys::of("info.yaml", options).expect("a mapping");
        compare.read(keys).expect("they are options");
        let lines = compare.differences(expected, stamped);
        let lines = lines.map(|lines| {
            let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
            lines.join("\n")
        });
        assert_eq!(lines.as_deref(), shown);
    }

    #[test]
    fn what_is_expected_goes_and_what_is_stamped_comes() {
        let metadata = json!({"name": "a"});
        check(
            json!({}),
            object(&metadata, 1),
            object(&metadata, 2),
            Some("  ...\n    name: a\n  spec:\n    list:\n-   - 1\n+   - 2"),
        );
    }

    #[test]
    fn what_is_ignored_does_not_count() {
        let stamped = || {
            object(
                &json!({"name": "a", "labels": {"a": "b"}, "ownerReferences": [1]}),
                1,
            )
        };
        let expected = |metadata: &Value| object(metadata, 1);
        check(
            json!({"ignoreMetadata": true}),
            json!({"kind": "A", "spec": {"list": [1]}}),
            stamped(),
            None,
        );
        check(
            json!({"ignoreLabels": true, "ignoreOwnerRefs": true}),
            expected(&json!({"name": "a"})),
            stamped(),
            None,
        );
        check(
            json!({"ignoreMetadataFields": ["labels", "ownerReferences", "name"]}),
            expected(&json!({})),
            stamped(),
            None,
        );
        check(
            json!({"ignoreLabels": true}),
            expected(&json!({"name": "a"})),
            stamped(),
            Some(
                "  kind: A\n  metadata:\n    name: a\n+   ownerReferences:\n+   - 1\n  spec:\n    list:\n    - 1",
            ),
        );
        let mut stands = stamped();
        stands["status"] = json!({"ready": true});
        check(json!({}), stands, stamped(), None);
    }

    #[test]
    fn numbers_may_be_compared_however_they_are_written() {
        let metadata = json!({"name": "a"});
        let floats = json!({"namedCMPOptionFuncs": [FLOATS]});
        check(
            floats.clone(),
            object(&metadata, 1),
            object(&metadata, 1.0),
            None,
        );
        let differ = Some("  ...\n    name: a\n  spec:\n    list:\n-   - 1\n+   - 1.0");
        check(
            json!({}),
            object(&metadata, 1),
            object(&metadata, 1.0),
            differ,
        );
        let differ = Some("  ...\n    name: a\n  spec:\n    list:\n-   - 1\n+   - 1.5");
        check(floats, object(&metadata, 1), object(&metadata, 1.5), differ);
    }

    #[test]
    fn a_function_that_nobody_knows_is_refused() {
        let keys = Keys::of("info.yaml", json!({"namedCMPOptionFuncs": ["Other"]}));
        let read = Compare::default().read(keys.expect("a mapping"));
        let wrong = read.expect_err("it is refused");
        assert_eq!(
            wrong.why,
            "`info.yaml`, `namedCMPOptionFuncs`: there is no function `Other`"
        );
    }
}
