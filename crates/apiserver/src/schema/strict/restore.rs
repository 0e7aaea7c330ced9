//! Why an object that a strategic merge patch made is none of its type: upstream restores it from maps
//! (apimachinery, `pkg/runtime/converter.go`) rather than from text, and has other words.

use serde_json::Value;

use super::{names, scalar};
use crate::schema::{Scalar, Schema, Shape, TypeId};

/// The first value that is of another type.
pub(crate) fn refusal(schema: &Schema, of: TypeId, value: &Value) -> Option<String> {
    if value.is_null() {
        return None;
    }
    let cannot = |what: &str| Some(format!("cannot restore {what} from {}", kind(value)));
    match (&schema.get(of).shape, value) {
        (Shape::Any, _) => None,
        (Shape::Scalar(wanted), _) => scalar_refusal(*wanted, value),
        (Shape::List { item, .. }, Value::Array(items)) => {
            items.iter().find_map(|value| refusal(schema, *item, value))
        }
        (Shape::List { .. }, _) => cannot("slice"),
        (Shape::Map { value: of, .. }, Value::Object(map)) => {
            map.values().find_map(|value| refusal(schema, *of, value))
        }
        (Shape::Map { .. }, _) => cannot("map"),
        (Shape::Struct(shape), Value::Object(map)) => {
            let structure = scalar::go_name(schema, of);
            map.iter().find_map(|(name, value)| {
                let field = shape.fields.get(name.as_str())?;
                let why = refusal(schema, field.of, value)?;
                Some(match names::text(structure, name) {
                    Some(own) => why.replace("int64 to string", &format!("int64 to {own}")),
                    None => why,
                })
            })
        }
        (Shape::Struct(_), _) => Some(format!("cannot restore struct from: {}", kind(value))),
    }
}

fn scalar_refusal(wanted: Scalar, value: &Value) -> Option<String> {
    let wanted = match wanted {
        Scalar::String | Scalar::Formatted => "string",
        Scalar::Int32 => "int32",
        Scalar::Int64 => "int64",
        Scalar::Number => "float64",
        Scalar::Boolean => "bool",
        // These have readers of their own, which read text.
        other => return own_reader(other, value),
    };
    match (wanted, value) {
        ("string", Value::String(_)) | ("bool", Value::Bool(_)) | ("float64", Value::Number(_)) => {
            None
        }
        ("int32" | "int64", Value::Number(number)) => {
            let whole = number.as_f64().is_some_and(|number| number.fract() == 0.0);
            (!whole).then(|| format!("cannot convert float64 to {wanted}"))
        }
        ("string", Value::Number(number)) if number.is_i64() => {
            Some("cannot convert int64 to string".to_owned())
        }
        _ => Some(format!("unrecognized type: {wanted}")),
    }
}

fn own_reader(wanted: Scalar, value: &Value) -> Option<String> {
    match scalar::check(wanted, value.clone()) {
        scalar::Checked::Fits(_) => None,
        _ if wanted == Scalar::Bytes && !value.is_string() => {
            Some(format!("cannot restore slice from {}", kind(value)))
        }
        scalar::Checked::Mistyped(found) => Some(format!(
            "json: cannot unmarshal {found} into Go value of type string"
        )),
        scalar::Checked::RefusedAs(found, wanted) => Some(format!(
            "json: cannot unmarshal {found} into Go value of type {wanted}"
        )),
        scalar::Checked::Wrong(why) | scalar::Checked::Refused(why) => Some(match wanted {
            Scalar::Bytes => format!("error decoding from json: {why}"),
            _ => why,
        }),
    }
}

/// What Go's reflection calls a value out of JSON.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "invalid",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_i64() => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "slice",
        Value::Object(_) => "map",
    }
}
