//! One object as its author wrote it, with the place it was written at.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{ObjectId, Problem, ProblemReason, is_path_segment};

/// What the API server owns in an object. An exported object carries it, and to send it back means
/// a conflict (`resourceVersion`), another object (`uid`) or nothing at all.
const SERVER_OWNED: [&str; 6] = [
    "managedFields",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "selfLink",
];

/// An object of a specification.
///
/// Guarantees: the value is a mapping with a non-empty `apiVersion`, `kind` and `metadata.name`.
/// `status` and the parts of `metadata` that the API server owns (`managedFields`, `uid`,
/// `resourceVersion`, `creationTimestamp`, `generation`, `selfLink`) were dropped without a word,
/// as other engines do, so that an exported object can be committed as it is.
///
/// Assumptions: who changes the value through [`Manifest::value_mut`] keeps these four.
#[derive(Clone)]
pub struct Manifest {
    value: Value,
    /// The file the object was read from; empty for none.
    pub file: Arc<str>,
    /// The line its document starts at; 0 for none.
    pub line: u32,
}

impl Manifest {
    /// Takes a value as an object.
    ///
    /// # Errors
    ///
    /// A [`Problem`] without a place, if the value does not identify an object.
    pub fn from_value(mut value: Value) -> Result<Self, Problem> {
        check_identity(&value)?;
        if let Some(object) = value.as_object_mut() {
            object.remove("status");
            if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
                for field in SERVER_OWNED {
                    metadata.remove(field);
                }
            }
        }
        Ok(Self {
            value,
            file: Arc::from(""),
            line: 0,
        })
    }

    /// Says where the object was read.
    #[must_use]
    pub fn at(mut self, file: &Arc<str>, line: u32) -> Self {
        self.file = Arc::clone(file);
        self.line = line;
        self
    }

    /// The `apiVersion`, as in `apps/v1`.
    pub fn api_version(&self) -> &str {
        self.text("/apiVersion")
    }

    /// The group part of the `apiVersion`, empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version()
            .split_once('/')
            .map_or("", |(group, _)| group)
    }

    /// The version part of the `apiVersion`.
    pub fn version(&self) -> &str {
        let api_version = self.api_version();
        api_version
            .split_once('/')
            .map_or(api_version, |(_, version)| version)
    }

    /// The `kind`.
    pub fn kind(&self) -> &str {
        self.text("/kind")
    }

    /// The `metadata.name`.
    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// The `metadata.namespace`, if one is written.
    pub fn namespace(&self) -> Option<&str> {
        Some(self.text("/metadata/namespace")).filter(|namespace| !namespace.is_empty())
    }

    /// Writes or removes the `metadata.namespace`.
    pub fn set_namespace(&mut self, namespace: Option<&str>) {
        let metadata = mapping(&mut self.value, "metadata");
        match namespace {
            Some(namespace) => metadata.insert("namespace".to_owned(), namespace.into()),
            None => metadata.remove("namespace"),
        };
    }

    /// The whole object.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The whole object, to change it.
    pub fn value_mut(&mut self) -> &mut Value {
        &mut self.value
    }

    /// The whole object, without its place.
    pub fn into_value(self) -> Value {
        self.value
    }

    /// The identity, in `default_namespace` if the object names none.
    pub fn id(&self, default_namespace: Option<&str>) -> ObjectId {
        ObjectId {
            group: self.group().to_owned(),
            kind: self.kind().to_owned(),
            namespace: self.namespace().or(default_namespace).map(str::to_owned),
            name: self.name().to_owned(),
        }
    }

    /// Writes a label.
    pub fn set_label(&mut self, key: &str, value: &str) {
        let metadata = mapping(&mut self.value, "metadata");
        mapping_in(metadata, "labels").insert(key.to_owned(), value.into());
    }

    /// Writes an annotation.
    pub fn set_annotation(&mut self, key: &str, value: &str) {
        let metadata = mapping(&mut self.value, "metadata");
        mapping_in(metadata, "annotations").insert(key.to_owned(), value.into());
    }

    /// The SHA-256, in hexadecimal, of the object as JSON with sorted keys and no spaces.
    pub fn digest(&self) -> String {
        let mut canonical = String::new();
        write_canonical(&self.value, &mut canonical);
        format!("{:x}", Sha256::digest(canonical.as_bytes()))
    }

    fn text(&self, pointer: &str) -> &str {
        self.value
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// Shows the place and the identity only: a manifest in a log must not show a Secret.
impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Manifest({} at {}:{})",
            self.id(None),
            self.file,
            self.line
        )
    }
}

fn check_identity(value: &Value) -> Result<(), Problem> {
    let Some(object) = value.as_object() else {
        return Err(Problem::new(
            ProblemReason::NotAMapping,
            "the document is not a mapping",
        ));
    };
    let metadata = object.get("metadata");
    let name = metadata.and_then(|metadata| metadata.get("name"));
    check_text(
        "apiVersion",
        object.get("apiVersion"),
        ProblemReason::NoApiVersion,
    )?;
    check_text("kind", object.get("kind"), ProblemReason::NoKind)?;
    let generates = metadata.is_some_and(|metadata| metadata.get("generateName").is_some());
    if generates && name.is_none() {
        let message = "`metadata.generateName` is refused: every apply would create another object";
        return Err(Problem::new(ProblemReason::GenerateName, message));
    }
    check_text("metadata.name", name, ProblemReason::NoName)?;
    check_segment("metadata.name", name)?;
    let namespace = metadata.and_then(|metadata| metadata.get("namespace"));
    match namespace {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(text)) if text.is_empty() => Ok(()),
        _ => {
            check_text("metadata.namespace", namespace, ProblemReason::NoNamespace)?;
            check_segment("metadata.namespace", namespace)
        }
    }
}

/// Refuses what no object can be called: it would stand for another path of the API, and could
/// be neither looked up nor deleted.
fn check_segment(field: &str, value: Option<&Value>) -> Result<(), Problem> {
    if value.and_then(Value::as_str).is_some_and(is_path_segment) {
        return Ok(());
    }
    let message = format!("`{field}` is `.` or `..`, or has a `/` or `%` in it, as no name may");
    Err(Problem::new(ProblemReason::NameInvalid, message))
}

fn check_text(field: &str, value: Option<&Value>, reason: ProblemReason) -> Result<(), Problem> {
    let message = match value {
        Some(Value::String(text)) if !text.is_empty() => return Ok(()),
        None | Some(Value::Null | Value::String(_)) => format!("the document has no `{field}`"),
        // A name such as `no` or `5`: YAML takes it for a boolean or a number.
        Some(_) => format!("`{field}` is not text; put it in quotes"),
    };
    Err(Problem::new(reason, message))
}

fn mapping<'a>(value: &'a mut Value, key: &str) -> &'a mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    mapping_in(
        value.as_object_mut().expect("made a mapping just above"),
        key,
    )
}

fn mapping_in<'a>(object: &'a mut Map<String, Value>, key: &str) -> &'a mut Map<String, Value> {
    let value = object.entry(key).or_insert(Value::Null);
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("made a mapping just above")
}

// serde_json sorts keys only as long as no crate of the build turns `preserve_order` on; a digest
// that is stored must not depend on that.
fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            out.push('{');
            for (position, (key, value)) in entries.into_iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn web() -> Manifest {
        Manifest::from_value(json!({"kind": "Deployment", "apiVersion": "apps/v1",
            "metadata": {"name": "web", "labels": null}, "spec": {"b": 1, "a": [true, "x\n"]}}))
        .expect("an object")
    }

    #[test]
    fn names_its_parts() {
        let web = web();
        assert_eq!(
            (web.group(), web.version(), web.kind()),
            ("apps", "v1", "Deployment")
        );
        assert_eq!((web.name(), web.namespace()), ("web", None));
        assert_eq!(web.id(Some("shop")).to_string(), "Deployment/shop/web");
        let core = Manifest::from_value(
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "n"}}),
        );
        let core = core.expect("an object");
        assert_eq!((core.group(), core.version()), ("", "v1"));
        assert_eq!(core.id(Some("shop")).to_string(), "Pod/n/p");
    }

    #[test]
    fn writes_its_metadata() {
        let mut web = web();
        web.set_namespace(Some("shop"));
        web.set_label("team", "a");
        web.set_annotation("note", "b");
        assert_eq!(
            web.value()["metadata"],
            json!({"name": "web", "namespace": "shop", "labels": {"team": "a"}, "annotations": {"note": "b"}})
        );
        web.set_namespace(None);
        assert_eq!(web.namespace(), None);
    }

    #[test]
    fn its_digest_depends_on_the_value_alone() {
        let mut other = web();
        other.line = 7;
        assert_eq!(web().digest(), other.digest());
        let mut canonical = String::new();
        write_canonical(web().value(), &mut canonical);
        assert_eq!(
            canonical,
            r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"labels":null,"name":"web"},"spec":{"a":[true,"x\n"],"b":1}}"#
        );
        assert_eq!(web().digest().len(), 64);
        other.set_label("team", "a");
        assert_ne!(web().digest(), other.digest());
    }

    #[test]
    fn its_debug_form_shows_no_content() {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "data": {"p": "hunter2"}});
        let secret = Manifest::from_value(secret).expect("an object");
        assert_eq!(format!("{secret:?}"), "Manifest(Secret/db at :0)");
    }
}
