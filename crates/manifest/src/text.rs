//! An object as YAML for a reader.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value;

/// What a reader looks for first, in this order; the rest follows by the alphabet.
const FIRST: [&str; 6] = [
    "apiVersion",
    "kind",
    "metadata",
    "name",
    "namespace",
    "type",
];

/// Writes a value as YAML: what identifies it first, strings on one line or as they are.
pub fn to_yaml(value: &Value) -> String {
    let options = serde_saphyr::ser_options! {
        // Folding would tear a long line apart, and a diff with it.
        folded_wrap_chars: usize::MAX,
        prefer_block_scalars: true,
    };
    match serde_saphyr::to_string_with_options(&Readable(value), options) {
        Ok(text) => text,
        // JSON is YAML too.
        Err(_) => format!("{value:#}\n"),
    }
}

struct Readable<'a>(&'a Value);

impl Serialize for Readable<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(object) => {
                let rank = |key: &str| {
                    FIRST
                        .iter()
                        .position(|first| *first == key)
                        .unwrap_or(FIRST.len())
                };
                let mut entries: Vec<_> = object.iter().collect();
                entries.sort_by_key(|(key, _)| (rank(key), key.as_str()));
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, &Readable(value))?;
                }
                map.end()
            }
            Value::Array(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(&Readable(item))?;
                }
                seq.end()
            }
            scalar => scalar.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(value: &Value, text: &str) {
        assert_eq!(to_yaml(value), text);
        let back: Value = serde_saphyr::from_str(text).expect("what we write can be read");
        assert_eq!(back, *value);
    }

    #[test]
    fn writes_what_identifies_an_object_first() {
        check(
            &json!({"data": {"b": "2", "a": "1"}, "kind": "ConfigMap", "apiVersion": "v1",
                "metadata": {"labels": {"x": "y"}, "name": "shop"}}),
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shop\n  labels:\n    x: \"y\"\ndata:\n  a: \"1\"\n  b: \"2\"\n",
        );
    }

    #[test]
    fn keeps_a_long_line_on_one_line_and_a_text_as_lines() {
        let long = "word ".repeat(60) + "end";
        check(&json!({"a": long}), &format!("a: {long}\n"));
        check(&json!({"a": "one\ntwo\n"}), "a: |\n  one\n  two\n");
    }

    #[test]
    fn quotes_what_yaml_would_misread() {
        check(
            &json!(["yes", "0644", "1.0", "null", ""]),
            "- \"yes\"\n- \"0644\"\n- \"1.0\"\n- \"null\"\n- \"\"\n",
        );
    }
}
