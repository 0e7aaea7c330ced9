//! Templates by table: a template, its data, and the object or the error.

mod language;

use serde_json::{Map, Value};
use ytt::{Error, Limits, compile};

const NAME: &str = "ClusterTemplate/app spec.ytt";

/// Evaluates a template with data that are written as JSON.
fn evaluate(template: &str, data: &str) -> Result<Value, Error> {
    let limits = Limits::default();
    let data: Map<String, Value> = serde_json::from_str(data).expect("a test writes an object");
    compile(NAME, template, &limits)?.evaluate(&data, &limits, || false)
}

/// A template gives an object, which is written as JSON with its keys in order.
#[track_caller]
fn check(template: &str, data: &str, object: &str) {
    match evaluate(template, data) {
        Ok(value) => assert_eq!(value.to_string(), object),
        Err(error) => panic!("{error}"),
    }
}

/// As [`check`], with `kind: A` written before the template, and left out of the object.
#[track_caller]
fn check_field(template: &str, data: &str, fields: &str) {
    check_documents(&format!("kind: A\n{template}"), data, fields);
}

#[track_caller]
fn check_documents(template: &str, data: &str, fields: &str) {
    match evaluate(template, data) {
        Ok(Value::Object(mut object)) => {
            assert_eq!(object.remove("kind"), Some(Value::from("A")));
            assert_eq!(Value::Object(object).to_string(), fields);
        }
        Ok(other) => panic!("{other}"),
        Err(error) => panic!("{error}"),
    }
}

/// A template fails with this text, behind its name.
#[track_caller]
fn check_error(template: &str, data: &str, text: &str) {
    match evaluate(template, data) {
        Ok(value) => panic!("{value}"),
        Err(error) => {
            let all = error.to_string().replace(NAME, "");
            assert_eq!(all.strip_prefix(':').unwrap_or(&all), text);
        }
    }
}
