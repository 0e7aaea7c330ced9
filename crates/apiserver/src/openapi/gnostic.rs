//! OpenAPI 2.0 as the protobuf message that clients in Go ask for.
//!
//! External rules: `openapiv2/OpenAPIv2.proto` of google/gnostic-models. What is of any form there is text in
//! YAML, of which JSON is a part.

use serde_json::{Map, Value};

/// A message as it is written.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut number: u64) {
        while number > 0x7f {
            self.0.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn message(&mut self, field: u64, message: &Self) {
        self.bytes(field, &message.0);
    }

    fn number(&mut self, field: u64, number: u64) {
        self.varint(field << 3);
        self.varint(number);
    }

    fn double(&mut self, field: u64, number: f64) {
        self.varint(field << 3 | 1);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn any(&mut self, field: u64, value: &Value) {
        let mut any = Self::default();
        any.bytes(2, value.to_string().as_bytes());
        self.message(field, &any);
    }

    fn named(&mut self, field: u64, name: &str, write: impl FnOnce(&mut Self)) {
        let mut named = Self::default();
        named.bytes(1, name.as_bytes());
        write(&mut named);
        self.message(field, &named);
    }
}

/// A document with definitions and nothing else.
pub(super) fn document(document: &Value) -> Vec<u8> {
    let mut message = Message::default();
    message.bytes(1, b"2.0");
    let mut info = Message::default();
    for (field, name) in [(1, "title"), (2, "version")] {
        let text = document["info"][name].as_str().unwrap_or_default();
        info.bytes(field, text.as_bytes());
    }
    message.message(2, &info);
    message.message(8, &Message::default());
    message.message(9, &schemas(document["definitions"].as_object()));
    message.0
}

/// Schemas by name.
fn schemas(all: Option<&Map<String, Value>>) -> Message {
    let mut message = Message::default();
    for (name, ty) in all.into_iter().flatten() {
        message.named(1, name, |named| named.message(2, &schema(ty)));
    }
    message
}

fn schema(ty: &Value) -> Message {
    let mut message = Message::default();
    for (name, value) in ty.as_object().into_iter().flatten() {
        let field = FIELDS.iter().find(|(known, ..)| known == name);
        match (field, value) {
            (Some((_, field, Form::Text)), Value::String(text)) => {
                message.bytes(*field, text.as_bytes());
            }
            (Some((_, field, Form::Texts)), Value::Array(texts)) => {
                for text in texts.iter().filter_map(Value::as_str) {
                    message.bytes(*field, text.as_bytes());
                }
            }
            (Some((_, field, Form::Any)), value) => message.any(*field, value),
            (Some((_, field, Form::Anys)), Value::Array(values)) => {
                for value in values {
                    message.any(*field, value);
                }
            }
            (Some((_, field, Form::Double)), value) => {
                message.double(*field, value.as_f64().unwrap_or_default());
            }
            (Some((_, field, Form::Integer)), value) => {
                message.number(*field, value.as_u64().unwrap_or_default());
            }
            (Some((_, field, Form::Flag)), value) => {
                message.number(*field, u64::from(*value == true));
            }
            (None, value) => held(name, value, &mut message),
            _ => {}
        }
    }
    message
}

/// What holds other schemas, and what is no part of the standard.
fn held(name: &str, value: &Value, message: &mut Message) {
    let mut inner = Message::default();
    match (name, value) {
        ("type", Value::String(text)) => {
            inner.bytes(1, text.as_bytes());
            message.message(22, &inner);
        }
        ("additionalProperties", Value::Bool(is_open)) => {
            inner.number(2, u64::from(*is_open));
            message.message(21, &inner);
        }
        ("additionalProperties", value) => {
            inner.message(1, &schema(value));
            message.message(21, &inner);
        }
        ("items", value) => {
            inner.message(1, &schema(value));
            message.message(23, &inner);
        }
        ("allOf", Value::Array(all)) => {
            for one in all {
                message.message(24, &schema(one));
            }
        }
        ("properties", value) => message.message(25, &schemas(value.as_object())),
        (name, value) if name.starts_with("x-") => {
            message.named(31, name, |named| named.any(2, value));
        }
        _ => {}
    }
}

/// How a field of a schema is written.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Texts,
    Any,
    Anys,
    Double,
    Integer,
    Flag,
}

const FIELDS: &[(&str, u64, Form)] = &[
    ("$ref", 1, Form::Text),
    ("format", 2, Form::Text),
    ("title", 3, Form::Text),
    ("description", 4, Form::Text),
    ("default", 5, Form::Any),
    ("multipleOf", 6, Form::Double),
    ("maximum", 7, Form::Double),
    ("exclusiveMaximum", 8, Form::Flag),
    ("minimum", 9, Form::Double),
    ("exclusiveMinimum", 10, Form::Flag),
    ("maxLength", 11, Form::Integer),
    ("minLength", 12, Form::Integer),
    ("pattern", 13, Form::Text),
    ("maxItems", 14, Form::Integer),
    ("minItems", 15, Form::Integer),
    ("uniqueItems", 16, Form::Flag),
    ("maxProperties", 17, Form::Integer),
    ("minProperties", 18, Form::Integer),
    ("required", 19, Form::Texts),
    ("enum", 20, Form::Anys),
    ("example", 30, Form::Any),
];

#[test]
fn a_schema_is_a_message() {
    let ty = serde_json::json!({"type": "string", "maxLength": 300, "x-a": [1]});
    let wanted = [
        &[0x58, 0xac, 0x02][..],
        &[0xb2, 0x01, 8, 0x0a, 6][..],
        b"string",
        &[0xfa, 0x01, 12, 0x0a, 3][..],
        b"x-a",
        &[0x12, 5, 0x12, 3][..],
        b"[1]",
    ];
    assert_eq!(schema(&ty).0, wanted.concat());
}
