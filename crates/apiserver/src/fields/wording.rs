//! How values look in messages: as Go's `fmt` prints them, since clients compare messages.

use std::fmt::{self, Write};

use serde_json::{Number, Value};

pub(super) use crate::status::go_quote as quoted;
use crate::status::{go_float, go_quote};

/// Writes text as Go's `%q` does.
pub(super) fn quote(out: &mut impl Write, text: &str) -> fmt::Result {
    out.write_str(&go_quote(text))
}

/// Writes a number as Go's `%v` prints a float64: what comes out of JSON are floats to it.
pub(super) fn float(out: &mut impl Write, number: &Number) -> fmt::Result {
    match number.as_f64() {
        Some(float) => out.write_str(&go_float(float)),
        None => write!(out, "{number}"),
    }
}

/// Writes a value as path texts show it.
pub(super) fn plain(out: &mut impl Write, value: &Value) -> fmt::Result {
    match value {
        Value::Null => out.write_str("null"),
        Value::Bool(value) => write!(out, "{value}"),
        Value::Number(number) => float(out, number),
        Value::String(text) => quote(out, text),
        Value::Array(items) => {
            out.write_char('[')?;
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.write_char(',')?;
                }
                plain(out, item)?;
            }
            out.write_char(']')
        }
        Value::Object(map) => {
            for (key, value) in map {
                write!(out, "{key}=")?;
                plain(out, value)?;
            }
            Ok(())
        }
    }
}

/// A value as Go's `%v` prints the wrapper that upstream has around it (`&{map[a:1]}`).
pub(super) fn shown(value: &Value) -> String {
    let mut out = "&{".to_owned();
    let _ = bare(&mut out, value);
    out.push('}');
    out
}

fn bare(out: &mut String, value: &Value) -> fmt::Result {
    match value {
        Value::Null => out.write_str("<nil>"),
        Value::Bool(value) => write!(out, "{value}"),
        Value::Number(number) => float(out, number),
        Value::String(text) => out.write_str(text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(' ');
                }
                bare(out, item)?;
            }
            out.write_char(']')
        }
        Value::Object(map) => {
            out.push_str("map[");
            for (index, (key, value)) in map.iter().enumerate() {
                if index > 0 {
                    out.push(' ');
                }
                write!(out, "{key}:")?;
                bare(out, value)?;
            }
            out.write_char(']')
        }
    }
}

/// A value as Go's `%#v` prints the wrapper that upstream has around it.
pub(super) fn syntax(value: &Value) -> String {
    let mut out = "&value.valueUnstructured{Value:".to_owned();
    let _ = literal(&mut out, value);
    out.push('}');
    out
}

fn literal(out: &mut String, value: &Value) -> fmt::Result {
    match value {
        Value::Null => out.write_str("interface {}(nil)"),
        Value::Bool(value) => write!(out, "{value}"),
        Value::Number(number) => float(out, number),
        Value::String(text) => quote(out, text),
        Value::Array(items) => {
            out.push_str("[]interface {}{");
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                literal(out, item)?;
            }
            out.write_char('}')
        }
        Value::Object(map) => {
            out.push_str("map[string]interface {}{");
            for (index, (key, value)) in map.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                quote(out, key)?;
                out.push(':');
                literal(out, value)?;
            }
            out.write_char('}')
        }
    }
}

/// The Go type of a value as Go's `%T` prints it.
pub(super) fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_look_as_go_prints_them() {
        for (value, expected) in [
            (json!(80), "80"),
            (json!(100_000), "100000"),
            (json!(1_000_000), "1e+06"),
            (json!(123_456_789.0), "1.23456789e+08"),
            (json!(0.0001), "0.0001"),
            (json!(0.00001), "1e-05"),
            (json!(-1.5), "-1.5"),
            (json!("a\u{a0}\u{1}\u{200b}é"), r#""a\u00a0\x01\u200bé""#),
            (json!("😀\u{7f}\"\\\n"), r#""😀\x7f\"\\\n""#),
            (json!(null), "null"),
            (json!([1, "x", true]), r#"[1,"x",true]"#),
        ] {
            let mut out = String::new();
            plain(&mut out, &value).unwrap_or_default();
            assert_eq!(out, expected);
        }
        let value = json!({"a": 1, "b": ["x", null, true]});
        assert_eq!(shown(&value), "&{map[a:1 b:[x <nil> true]]}");
        assert_eq!(
            syntax(&value),
            r#"&value.valueUnstructured{Value:map[string]interface {}{"a":1, "b":[]interface {}{"x", interface {}(nil), true}}}"#
        );
    }
}
