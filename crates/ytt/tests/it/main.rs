//! Templates by table: a template, its data, and the object or the error.

mod comment;
mod document;
mod function;
mod language;
mod limit;
mod module;
mod odd_input;
mod overlay;
mod refusal;
mod text;

use serde_json::{Map, Value};
use ytt::{Error, Limits, compile};

const NAME: &str = "ClusterTemplate/app spec.ytt";

/// Evaluates a template with data that are written as JSON.
fn evaluate(template: &str, data: &str) -> Result<Value, Error> {
    let limits = Limits::default();
    let data: Map<String, Value> = serde_json::from_str(data).expect("a test writes an object");
    compile(NAME, template, &limits)?.evaluate(&data, &limits, |_| false)
}

/// A template gives an object, which is written as JSON with its keys in order.
#[track_caller]
fn check(template: &str, data: &str, object: &str) {
    let value = evaluate(template, data).map(|value| value.to_string());
    assert_eq!(
        value.map_err(|error| error.to_string()),
        Ok(object.to_owned())
    );
}

/// As [`check`], with `kind: A` written before the template, and left out of the object.
#[track_caller]
fn check_field(template: &str, data: &str, fields: &str) {
    check_documents(&format!("kind: A\n{template}"), data, fields);
}

/// As [`check`], for an object whose `kind` is `A`, which is left out of it.
#[track_caller]
fn check_documents(template: &str, data: &str, fields: &str) {
    let mut value = evaluate(template, data).map_err(|error| error.to_string());
    if let Ok(Value::Object(object)) = &mut value {
        assert_eq!(object.remove("kind"), Some(Value::from("A")));
    }
    assert_eq!(value.map(|value| value.to_string()), Ok(fields.to_owned()));
}

/// A template fails with this text, behind its name.
#[track_caller]
fn check_error(template: &str, data: &str, text: &str) {
    let error = evaluate(template, data).map_err(|error| error.to_string().replace(NAME, ""));
    let error = error.map_err(|all| all.strip_prefix(':').unwrap_or(&all).to_owned());
    assert_eq!(error, Err(text.to_owned()));
}
