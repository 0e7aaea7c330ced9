//! `ConfigMap` and `Secret`.
//!
//! External rules: `ValidateConfigMap`, `ValidateSecret` of k8s.io/kubernetes, pkg/apis/core/validation.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::fault::Faults;
use super::part::{self, Part as _, annotation, fill_empty, keep, made};
use super::{PLAIN, Ways, again, rule};
use crate::status::FieldError;
use crate::validate::Path;

/// All values of an object together may have this many bytes.
const MOST: usize = 1 << 20;

pub(super) static CONFIG_MAP: Ways = Ways {
    validate: check_config_map,
    ..PLAIN
};

pub(super) static SECRET: Ways = Ways {
    default: default_secret,
    prepare_update: keep_type,
    validate: check_secret,
    selectable: &[("type", |secret| secret.text("type").to_owned())],
    ..PLAIN
};

fn check_config_map(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    if let Some(old) = old {
        // It always has data, if only none.
        let data_of = |config: &Value| match config.part("data") {
            Value::Null => Value::Object(serde_json::Map::new()),
            data => data.clone(),
        };
        let is_same = data_of(new) == data_of(old);
        let names = if is_same {
            &["binaryData"][..]
        } else {
            &["data", "binaryData"]
        };
        frozen(new, old, names, &mut faults);
        faults.extend(again(new, &CONFIG_MAP));
    }
    let mut bytes = 0;
    for (key, value) in new.entries("data") {
        let data = Path::at("data");
        faults.each(&data.key(key), key, rule::config_key(key));
        if new["binaryData"].get(key).is_some() {
            let why = "duplicate of key present in binaryData";
            faults.invalid(&data.key(key), key, why);
        }
        bytes += value.as_str().unwrap_or_default().len();
    }
    for (key, value) in new.entries("binaryData") {
        faults.each(&Path::at("binaryData").key(key), key, rule::config_key(key));
        bytes += decoded_len(value);
    }
    if bytes > MOST {
        // Upstream names no field here.
        faults.extend([FieldError::too_long("[]", MOST as u64)]);
    }
    faults.into_errors()
}

/// What may not change once `immutable` is set, which stays.
fn frozen(new: &Value, old: &Value, names: &[&str], faults: &mut Faults) {
    if !old.is_true("immutable") {
        return;
    }
    let why = "field is immutable when `immutable` is set";
    if !new.is_true("immutable") {
        faults.forbidden(&Path::at("immutable"), why);
    }
    for name in names {
        if new[*name] != old[*name] {
            faults.forbidden(&Path::at(name), why);
        }
    }
}

fn default_secret(secret: &mut Value) {
    fill_empty(secret, "type", "Opaque");
    let Some(Value::Object(texts)) = secret
        .as_object_mut()
        .and_then(|fields| fields.remove("stringData"))
    else {
        return;
    };
    if texts.is_empty() {
        return;
    }
    if let Some(data) = made(secret, "data") {
        for (key, text) in texts {
            let text = STANDARD.encode(text.as_str().unwrap_or_default());
            part::put(data, &key, text);
        }
    }
}

fn keep_type(new: &mut Value, old: &Value) {
    if new.text("type").is_empty() {
        keep(new, old, "type");
    }
}

fn check_secret(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    if let Some(old) = old {
        faults.immutable(&Path::at("type"), new.part("type"), old.part("type"));
        frozen(new, old, &["data"], &mut faults);
        faults.extend(again(new, &SECRET));
    }
    let at = Path::at("data");
    let mut bytes = 0;
    for (key, value) in new.entries("data") {
        faults.each(&at.key(key), key, rule::config_key(key));
        bytes += decoded_len(value);
    }
    if bytes > MOST {
        faults.too_long(&at, MOST as u64);
    }
    required_keys(new, &at, &mut faults);
    faults.into_errors()
}

fn required_keys(secret: &Value, at: &Path<'_>, faults: &mut Faults) {
    let data = secret.part("data");
    let mut need = |keys: &[&str]| {
        for key in keys {
            if data.get(*key).is_none() {
                faults.required(&at.key(key), "");
            }
        }
    };
    match secret.text("type") {
        "kubernetes.io/service-account-token" => {
            const NAME: &str = "kubernetes.io/service-account.name";
            if annotation(secret, NAME).unwrap_or_default().is_empty() {
                faults.required(&Path::at("metadata.annotations").key(NAME), "");
            }
        }
        "kubernetes.io/dockercfg" => json_key(data, ".dockercfg", at, faults),
        "kubernetes.io/dockerconfigjson" => json_key(data, ".dockerconfigjson", at, faults),
        "kubernetes.io/basic-auth"
            if data.get("username").is_none() && data.get("password").is_none() =>
        {
            need(&["username", "password"]);
        }
        "kubernetes.io/ssh-auth" if data.text("ssh-privatekey").is_empty() => {
            faults.required(&at.key("ssh-privatekey"), "");
        }
        "kubernetes.io/tls" => need(&["tls.crt", "tls.key"]),
        _ => {}
    }
}

/// A key whose value has to be a JSON object.
fn json_key(data: &Value, key: &str, at: &Path<'_>, faults: &mut Faults) {
    let at = at.key(key);
    let Some(text) = data.get(key).and_then(Value::as_str) else {
        faults.required(&at, "");
        return;
    };
    let bytes = STANDARD.decode(text).unwrap_or_default();
    if let Some(why) = not_an_object(&bytes) {
        faults.invalid(&at, "<secret contents redacted>", why);
    }
}

/// Why bytes are no JSON object, in Go's words as far as they do not quote what they read.
fn not_an_object(bytes: &[u8]) -> Option<String> {
    let kind = match serde_json::from_slice::<Value>(bytes) {
        Ok(Value::Object(_) | Value::Null) => return None,
        Ok(Value::Array(_)) => "array",
        Ok(Value::String(_)) => "string",
        Ok(Value::Number(_)) => "number",
        Ok(Value::Bool(_)) => "bool",
        Err(error) if error.is_eof() => return Some("unexpected end of JSON input".to_owned()),
        Err(_) => {
            let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
            let first = char::from(first.copied().unwrap_or(b' '));
            return Some(format!(
                "invalid character '{first}' looking for beginning of value"
            ));
        }
    };
    Some(format!(
        "json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
    ))
}

/// How many bytes a text in base64 stands for.
fn decoded_len(value: &Value) -> usize {
    let text = value.as_str().unwrap_or_default();
    text.trim_end_matches('=').len() * 3 / 4
}
