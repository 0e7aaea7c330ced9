//! Bodies of requests: from bytes to an object, whatever it is written in.

use serde_json::{Value, json};

use super::kind::Kind;
use super::options::FieldValidation;
use super::origin::{self, Origin};
use crate::media::Encoding;
use crate::protobuf;
use crate::schema::builtin::Builtin;
use crate::schema::strict;
use crate::status::Status;

/// What upstream reads version and kind into.
const NAMED: &str = r#"struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#;

/// An object that somebody sent.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    /// The object.
    pub(crate) object: Value,
    /// What is wrong with it but does not hinder, as warnings say it.
    pub(crate) faults: Vec<String>,
    /// Whether fields that its type does not know are gone already.
    pub(crate) is_checked: bool,
}

impl From<Value> for Incoming {
    fn from(object: Value) -> Self {
        Self {
            object,
            faults: Vec::new(),
            is_checked: false,
        }
    }
}

/// Reads an object of a kind.
///
/// # Errors
/// 400 that says what cannot be read.
pub(crate) fn object(
    encoding: Encoding,
    body: &[u8],
    kind: &Kind,
    validation: FieldValidation,
) -> Result<Incoming, Status> {
    if encoding != Encoding::Json {
        let of = protobuf::Kind::new(&*kind.api_version, &*kind.resource.kind);
        let mut object = decode(encoding, body, &of)?;
        settle_root(kind, &mut object)?;
        return Ok(Incoming::from(object));
    }
    let of = (!kind.is_custom()).then_some(kind.of);
    let read = strict::decode(kind.schema(), of, body);
    // What cannot be read at all names no kind.
    let mut ends_early = false;
    let named: Value = match &read {
        Ok(read) if read.value.is_object() || read.value.is_null() => {
            json!({"apiVersion": read.value["apiVersion"], "kind": read.value["kind"]})
        }
        Ok(read) => read.value.clone(),
        Err(_) => serde_json::from_slice(body).unwrap_or_else(|error| {
            ends_early = error.is_eof();
            Value::Null
        }),
    };
    if ends_early {
        let why = unnamed("unexpected end of JSON input");
        return Err(origin::unrecognized(kind, &why, body));
    }
    if !named.is_object() && !named.is_null() {
        let found = strict::word(&named);
        let why = unnamed(&format!(
            "json: cannot unmarshal {found} into Go value of type {NAMED}"
        ));
        return Err(origin::unrecognized(kind, &why, body));
    }
    check_name(kind, &named, body, validation)?;
    let read = read.map_err(|why| Origin::Body.refuse(kind, &named, &why))?;
    let mut object = read.value;
    settle_root(kind, &mut object)?;
    Ok(Incoming {
        object,
        faults: read.faults.iter().map(ToString::to_string).collect(),
        is_checked: of.is_some(),
    })
}

/// What Go reads a body as: one of a built-in kind that is `null` as an object in which nothing is set.
fn settle_root(kind: &Kind, object: &mut Value) -> Result<(), Status> {
    if kind.is_custom() {
        return settle_numbers(object);
    }
    if object.is_null() {
        *object = json!({});
    }
    Ok(())
}

/// Refuses a body whose version or kind is no text, before anything else of it is looked at.
fn check_name(
    kind: &Kind,
    named: &Value,
    body: &[u8],
    validation: FieldValidation,
) -> Result<(), Status> {
    for field in ["apiVersion", "kind"] {
        let value = named.get(field).unwrap_or(&Value::Null);
        if !value.is_string() && !value.is_null() {
            let found = strict::word(value);
            let why = format!(
                "couldn't get version/kind; json parse error: json: cannot unmarshal {found} into Go struct field .{field} of type string"
            );
            return Err(origin::unrecognized(kind, &why, body));
        }
    }
    if let Some(version) = named["apiVersion"]
        .as_str()
        .filter(|text| text.matches('/').count() > 1)
    {
        let why = format!("unexpected GroupVersion string: {version}");
        return Err(origin::unrecognized(kind, &why, body));
    }
    let text = |field: &str| named[field].as_str().filter(|text| !text.is_empty());
    if !kind.is_custom() {
        let version = text("apiVersion").unwrap_or(&kind.api_version);
        let name = text("kind").unwrap_or(&kind.resource.kind);
        return match origin::unregistered(version, name) {
            Some(why) => Err(Origin::Body.refuse(kind, named, &why)),
            None => Ok(()),
        };
    }
    if named.is_object() && text("kind").is_none() {
        let shown = String::from_utf8_lossy(body);
        let why = format!("Object 'Kind' is missing in '{shown}'");
        // Upstream has two decoders, of which only the one for the careless knows which kind was asked for.
        return Err(match validation {
            FieldValidation::Ignore => Origin::Body.refuse(kind, named, &why),
            FieldValidation::Strict | FieldValidation::Warn => {
                origin::unrecognized(kind, &why, body)
            }
        });
    }
    Ok(())
}

/// Reads a body that is no object of the kind that is asked for. `kind` is what a protobuf body stands
/// for that does not name its kind.
///
/// # Errors
/// 400 that says what cannot be read.
pub(crate) fn decode(
    encoding: Encoding,
    body: &[u8],
    kind: &protobuf::Kind,
) -> Result<Value, Status> {
    match encoding {
        Encoding::Json => {
            serde_json::from_slice(body).map_err(|error| unreadable(&error.to_string()))
        }
        Encoding::Yaml => yaml(body),
        Encoding::Protobuf => {
            protobuf::decode_as(body, kind).map_err(|error| error.status(&kind.kind, body))
        }
    }
}

/// Reads the options of a deletion.
///
/// # Errors
/// 400 for what is something else, or has values of other types: what is meant for another request deletes
/// nothing.
pub(crate) fn delete_options(encoding: Encoding, body: &[u8]) -> Result<Value, Status> {
    const KIND: &str = "DeleteOptions";
    let options = match encoding {
        Encoding::Json => serde_json::from_slice(body).map_err(|error| {
            let why = if error.is_eof() {
                "unexpected end of JSON input".to_owned()
            } else {
                error.to_string()
            };
            Status::bad_request(unnamed(&why))
        })?,
        Encoding::Yaml | Encoding::Protobuf => {
            decode(encoding, body, &protobuf::Kind::new("v1", KIND))?
        }
    };
    if !options.is_object() && !options.is_null() {
        let found = strict::word(&options);
        return Err(Status::bad_request(unnamed(&format!(
            "json: cannot unmarshal {found} into Go value of type {NAMED}"
        ))));
    }
    let kind = options["kind"].as_str().filter(|kind| !kind.is_empty());
    if let Some(kind) = kind.filter(|kind| *kind != KIND) {
        let version = options["apiVersion"].as_str().unwrap_or("v1");
        return Err(Status::bad_request(origin::no_kind(version, kind)));
    }
    if options.is_null() {
        return Ok(options);
    }
    let types = Builtin::load();
    let of = types.by_gvk("", "v1", KIND);
    let read = match encoding {
        Encoding::Json => strict::decode(&types.schema, of, body),
        Encoding::Yaml | Encoding::Protobuf => strict::decode_value(&types.schema, of, options),
    };
    Ok(read.map_err(Status::bad_request)?.value)
}

fn unnamed(why: &str) -> String {
    format!("couldn't get version/kind; json parse error: {why}")
}

/// Reads a patch that is no apply.
///
/// # Errors
/// 400 that says what cannot be read.
pub(crate) fn patch(body: &[u8]) -> Result<Value, Status> {
    serde_json::from_slice(body).map_err(|error| {
        if error.is_eof() {
            // Go's words, which kubectl shows to whoever forgot a brace.
            return Status::bad_request("unexpected end of JSON input");
        }
        unreadable(&error.to_string())
    })
}

/// Reads YAML, of which JSON is a part.
///
/// # Errors
/// 400 that says what cannot be read.
pub(crate) fn yaml(body: &[u8]) -> Result<Value, Status> {
    let text = std::str::from_utf8(body).map_err(|error| unreadable(&error.to_string()))?;
    // Most of what is applied is JSON, which is read many times faster.
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    serde_saphyr::from_str(text).map_err(|error| unreadable(&error.to_string()))
}

/// Writes numbers as the genuine server stores those that no type of its own says anything about: what is whole
/// is a whole number however it was written (`1.0`, `1e2`, `-0`), and what 64 bits with a sign do not hold is one
/// of floating point.
///
/// # Errors
/// 400 for a number that is too large even for floating point.
pub(crate) fn settle_numbers(value: &mut Value) -> Result<(), Status> {
    match value {
        Value::Array(items) => items.iter_mut().try_for_each(settle_numbers),
        Value::Object(map) => map.values_mut().try_for_each(settle_numbers),
        Value::Number(number) => {
            let settled = match number.as_i64() {
                Some(whole) => Some(json!(whole)),
                None => number.as_f64().and_then(settled),
            };
            *value = settled.ok_or_else(|| {
                let why = "into Go value of type float64";
                Status::bad_request(format!("json: cannot unmarshal number {number} {why}"))
            })?;
            Ok(())
        }
        _ => Ok(()),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "it is whole, and within the bounds"
)]
fn settled(number: f64) -> Option<Value> {
    // The first number that 64 bits with a sign do not hold, which floating point does exactly.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if number.fract() == 0.0 && (-BEYOND..BEYOND).contains(&number) {
        return Some(json!(number as i64));
    }
    serde_json::Number::from_f64(number).map(Value::Number)
}

fn unreadable(why: &str) -> Status {
    Status::bad_request(format!("error decoding the request body: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, wanted: Result<Value, &str>) {
        let read = delete_options(Encoding::Json, body.as_bytes());
        let read = read.map_err(|status| {
            assert_eq!(status.code, 400, "{body}");
            status.message
        });
        assert_eq!(read, wanted.map_err(str::to_owned), "{body}");
    }

    #[test]
    fn what_is_no_option_of_a_deletion_is_refused() {
        check("{}", Ok(json!({})));
        check("null", Ok(Value::Null));
        check(
            r#"{"kind":"DeleteOptions","apiVersion":"apps/v1","foo":1}"#,
            Ok(json!({
                "kind": "DeleteOptions", "apiVersion": "apps/v1",
            })),
        );
        check(
            r#"{"kind":"Pod","apiVersion":"v1"}"#,
            Err(
                r#"no kind "Pod" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111""#,
            ),
        );
        let go = "json: cannot unmarshal";
        for (field, value, what, of) in [
            ("gracePeriodSeconds", "\"abc\"", "string", "int64"),
            ("gracePeriodSeconds", "1.5", "number 1.5", "int64"),
            ("preconditions", "[]", "array", "v1.Preconditions"),
            ("orphanDependents", "\"x\"", "string", "bool"),
            ("dryRun", "\"All\"", "string", "[]string"),
            ("propagationPolicy", "5", "number", "v1.DeletionPropagation"),
        ] {
            check(
                &format!("{{\"{field}\":{value}}}"),
                Err(&format!(
                    "{go} {what} into Go struct field DeleteOptions.{field} of type {of}"
                )),
            );
        }
        check(
            "{",
            Err("couldn't get version/kind; json parse error: unexpected end of JSON input"),
        );
        let list = delete_options(Encoding::Json, b"[]").expect_err("it is a list");
        assert!(list.message.starts_with("couldn't get version/kind; "));
    }

    #[test]
    fn whole_numbers_are_whole_however_they_are_written() {
        for (written, wanted) in [
            ("1.0", "1"),
            ("1e2", "100"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("-1.0", "-1"),
            ("1.5", "1.5"),
            ("1e15", "1000000000000000"),
            ("9223372036854775807", "9223372036854775807"),
            ("9223372036854775808", "9.223372036854776e18"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("1e21", "1e21"),
            ("1e-7", "1e-7"),
        ] {
            let mut value: Value =
                serde_json::from_str(&format!("[{{\"a\":{written}}}]")).expect("it is JSON");
            settle_numbers(&mut value).expect("they are numbers");
            assert_eq!(
                value.to_string().replace("e+", "e"),
                format!("[{{\"a\":{wanted}}}]"),
                "{written}"
            );
        }
    }
}
