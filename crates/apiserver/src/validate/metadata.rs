//! The fields of an object's metadata.

mod list;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{ANNOTATION_BYTES, Form, NameRule, Path, Scope, label_value, qualified_name};
use crate::status::{FieldError, go_quote};

const IMMUTABLE: &str = "field is immutable";

/// What is wrong with the metadata of an object that is to be created, once its name was generated.
///
/// `metadata` is the object's field of that name; anything but a map counts as empty.
pub(crate) fn create(metadata: &Value, scope: Scope, rule: NameRule) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let place = Path::at("metadata");
    let metadata = Fields::of(metadata);
    metadata.name(rule, &place, &mut errors);
    metadata.rest(scope, &place, &mut errors);
    errors
}

/// What is wrong with the metadata of an object that is to replace another one.
///
/// [`carry_over`] comes before: what a caller may leave out is taken from the old object there. Upstream
/// asks twice, once for all objects and once for those of the kind, and clients see both answers: the
/// faults of a change are here twice, too.
pub(crate) fn update(new: &Value, old: &Value, scope: Scope) -> Vec<FieldError> {
    let mut errors = create(new, scope, NameRule::PathSegment);
    let changes = change(new, old);
    errors.extend(changes.iter().cloned());
    errors.extend(changes);
    errors
}

fn change(new: &Value, old: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let place = Path::at("metadata");
    let (new, old) = (Fields::of(new), Fields::of(old));
    new.finalizers_of_deleted(&old, &place, &mut errors);
    if new.text("resourceVersion").is_empty() {
        let why = "must be specified for an update";
        let field = place.field("resourceVersion").text();
        errors.push(FieldError::invalid(field, json!(""), why));
    }
    if new.number("generation") < old.number("generation") {
        let value = json!(new.number("generation"));
        let field = place.field("generation").text();
        errors.push(FieldError::invalid(field, value, "must not be decremented"));
    }
    for name in ["name", "namespace", "uid"] {
        let (new, old) = (new.text(name), old.text(name));
        if new != old {
            let field = place.field(name).text();
            errors.push(FieldError::invalid(field, json!(new), IMMUTABLE));
        }
    }
    for name in [
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        let (new, old) = (new.value(name), old.value(name));
        if new != old {
            let field = place.field(name).text();
            errors.push(FieldError::invalid(field, new.clone(), IMMUTABLE));
        }
    }
    new.labels(&place, &mut errors);
    new.annotations(&place, &mut errors);
    new.owners(&place, &mut errors);
    new.managers(&place, &mut errors);
    errors
}

/// Gives an update what its caller may leave out or has no say in: uid, times and generation.
///
/// Neither may be anything but maps; others are left alone.
pub(crate) fn carry_over(new: &mut Value, old: &Value) {
    let (Some(new), Some(old)) = (new.as_object_mut(), old.as_object()) else {
        return;
    };
    let keep = |new: &mut Map<String, Value>, name: &str| {
        if let Some(value) = old.get(name).filter(|value| !value.is_null())
            && new.get(name) != Some(value)
        {
            new.insert(name.to_owned(), value.clone());
        }
    };
    match old.get("generation") {
        Some(_) => keep(new, "generation"),
        None => drop(new.remove("generation")),
    }
    if text(new.get("uid")).is_empty() {
        keep(new, "uid");
    }
    keep(new, "creationTimestamp");
    keep(new, "deletionTimestamp");
    if new
        .get("deletionGracePeriodSeconds")
        .is_none_or(Value::is_null)
    {
        keep(new, "deletionGracePeriodSeconds");
    }
}

/// What to tell whoever adds finalizers whose names may clash with those of others.
///
/// `old` is the metadata as it was; `null` for a new object.
pub(crate) fn finalizer_warnings(new: &Value, old: &Value) -> Vec<String> {
    let known: Vec<&str> = Fields::of(old).texts("finalizers").collect();
    let added: BTreeSet<&str> = Fields::of(new)
        .texts("finalizers")
        .filter(|name| !known.contains(name))
        .collect();
    let mut warnings = Vec::new();
    for name in added {
        let start = format!("metadata.finalizers: {}: ", go_quote(name));
        for fault in qualified_name(name) {
            warnings.push(format!("{start}{fault}"));
        }
        let standard = matches!(name, "orphan" | "foregroundDeletion" | "kubernetes");
        if !name.contains('/') && !standard {
            let path = if name.contains('.') {
                " including a path (/)"
            } else {
                ""
            };
            warnings.push(format!("{start}prefer a domain-qualified finalizer name{path} to avoid accidental conflicts with other finalizer writers"));
        }
    }
    warnings
}

/// A text; empty where there is none.
pub(crate) fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

struct Fields<'a>(Option<&'a Map<String, Value>>);

impl<'a> Fields<'a> {
    fn of(metadata: &'a Value) -> Self {
        Self(metadata.as_object())
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.0?.get(name)
    }

    fn value(&self, name: &str) -> &'a Value {
        self.get(name).unwrap_or(&Value::Null)
    }

    fn text(&self, name: &str) -> &'a str {
        text(self.get(name))
    }

    fn number(&self, name: &str) -> i64 {
        self.get(name).and_then(Value::as_i64).unwrap_or_default()
    }

    fn items(&self, name: &str) -> &'a [Value] {
        let items = self.get(name).and_then(Value::as_array);
        items.map_or(&[], Vec::as_slice)
    }

    fn texts(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.items(name).iter().filter_map(Value::as_str)
    }

    fn entries(&self, name: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let map = self.get(name).and_then(Value::as_object);
        map.into_iter()
            .flatten()
            .map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default()))
    }

    fn name(&self, rule: NameRule, place: &Path<'_>, errors: &mut Vec<FieldError>) {
        self.generate_name(rule, place, errors);
        if self.text("name").is_empty() {
            let why = "name or generateName is required";
            errors.push(FieldError::required(place.field("name").text(), why));
        } else {
            self.whole_name(rule, place, errors);
        }
    }

    fn generate_name(&self, rule: NameRule, place: &Path<'_>, errors: &mut Vec<FieldError>) {
        let prefix = self.text("generateName");
        if !prefix.is_empty() {
            let faults = rule.faults(prefix, Form::Prefix);
            invalid(&place.field("generateName"), prefix, faults, errors);
        }
    }

    fn whole_name(&self, rule: NameRule, place: &Path<'_>, errors: &mut Vec<FieldError>) {
        let name = self.text("name");
        let faults = rule.faults(name, Form::Whole);
        invalid(&place.field("name"), name, faults, errors);
    }

    fn rest(&self, scope: Scope, place: &Path<'_>, errors: &mut Vec<FieldError>) {
        let namespace = self.text("namespace");
        let here = place.field("namespace");
        match scope {
            Scope::Namespaced if namespace.is_empty() => {
                errors.push(FieldError::required(here.text(), ""));
            }
            Scope::Namespaced => {
                let faults = NameRule::Label.faults(namespace, Form::Whole);
                invalid(&here, namespace, faults, errors);
            }
            Scope::Cluster if namespace.is_empty() => {}
            Scope::Cluster => {
                errors.push(FieldError::forbidden(
                    here.text(),
                    "not allowed on this type",
                ));
            }
        }
        let generation = self.number("generation");
        if generation < 0 {
            let why = "must be greater than or equal to 0";
            let field = place.field("generation").text();
            errors.push(FieldError::invalid(field, json!(generation), why));
        }
        self.labels(place, errors);
        self.annotations(place, errors);
        self.owners(place, errors);
        self.finalizers(place, errors);
        self.managers(place, errors);
    }

    fn labels(&self, place: &Path<'_>, errors: &mut Vec<FieldError>) {
        let here = place.field("labels");
        for (key, value) in self.entries("labels") {
            invalid(&here, key, qualified_name(key), errors);
            invalid(&here, value, label_value(value), errors);
        }
    }

    fn annotations(&self, place: &Path<'_>, errors: &mut Vec<FieldError>) {
        let here = place.field("annotations");
        let mut bytes = 0;
        for (key, value) in self.entries("annotations") {
            bytes += key.len() + value.len();
            let faults = if key.bytes().any(|byte| byte.is_ascii_uppercase()) {
                qualified_name(&key.to_lowercase())
            } else {
                qualified_name(key)
            };
            invalid(&here, key, faults, errors);
        }
        if bytes > ANNOTATION_BYTES {
            errors.push(FieldError::too_long(here.text(), ANNOTATION_BYTES as u64));
        }
    }

    fn finalizers(&self, place: &Path<'_>, errors: &mut Vec<FieldError>) {
        let here = place.field("finalizers");
        for name in self.texts("finalizers") {
            invalid(&here, name, qualified_name(name), errors);
        }
        let has = |wanted| self.texts("finalizers").any(|name| name == wanted);
        if has("orphan") && has("foregroundDeletion") {
            let why = "finalizer orphan and foregroundDeletion cannot be both set";
            let value = self.value("finalizers").clone();
            errors.push(FieldError::invalid(here.text(), value, why));
        }
    }

    fn finalizers_of_deleted(
        &self,
        old: &Fields<'_>,
        place: &Path<'_>,
        errors: &mut Vec<FieldError>,
    ) {
        if old.value("deletionTimestamp").is_null() {
            return;
        }
        let known: Vec<&str> = old.texts("finalizers").collect();
        let added: BTreeSet<String> = self
            .texts("finalizers")
            .filter(|name| !known.contains(name))
            .map(go_quote)
            .collect();
        if !added.is_empty() {
            let added: Vec<String> = added.into_iter().collect();
            let why = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                added.join(", ")
            );
            errors.push(FieldError::forbidden(place.field("finalizers").text(), why));
        }
    }
}

fn invalid(place: &Path<'_>, value: &str, faults: Vec<String>, errors: &mut Vec<FieldError>) {
    for fault in faults {
        errors.push(FieldError::invalid(place.text(), json!(value), fault));
    }
}
