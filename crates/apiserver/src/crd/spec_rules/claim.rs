//! What a definition claims besides its schemas: its names and stored versions.

use serde_json::{Value, json};

use crate::crd::spec::{NamesOf, Spec};
use crate::status::FieldError;
use crate::validate::{Path, dns1035_label};

/// What is wrong with names, of a spec or of a status.
pub(super) fn names_faults(names: &NamesOf<'_>, at: &Path<'_>, errors: &mut Vec<FieldError>) {
    let mut check = |at: Path<'_>, value: &str, prefix: &str, lower: bool| {
        let faults = if lower {
            dns1035_label(&value.to_lowercase())
        } else {
            dns1035_label(value)
        };
        if !faults.is_empty() {
            let why = format!("{prefix}{}", faults.join(","));
            errors.push(FieldError::invalid(at.text(), json!(value), why));
        }
    };
    for (name, value) in [("plural", names.plural), ("singular", names.singular)] {
        if !value.is_empty() {
            check(at.field(name), value, "", false);
        }
    }
    for (name, value) in [("kind", names.kind), ("listKind", names.list_kind)] {
        if !value.is_empty() {
            let prefix = "may have mixed case, but should otherwise match: ";
            check(at.field(name), value, prefix, true);
        }
    }
    let list = at.field("shortNames");
    for (index, name) in names.short_names.iter().enumerate() {
        check(list.index(index), name, "", false);
    }
    let list = at.field("categories");
    let mut categories = Vec::new();
    for (index, name) in names.categories.iter().enumerate() {
        let faults = dns1035_label(name);
        if !faults.is_empty() {
            let at = list.index(index).text();
            categories.push(FieldError::invalid(at, json!(name), faults.join(",")));
        }
    }
    if !names.kind.is_empty() && names.kind == names.list_kind {
        let why = "kind and listKind may not be the same";
        let at = at.field("listKind").text();
        errors.push(FieldError::invalid(at, json!(names.list_kind), why));
    }
    errors.append(&mut categories);
}

pub(super) fn status(object: &Value, spec: &Spec<'_>, errors: &mut Vec<FieldError>) {
    let accepted = object.pointer("/status/acceptedNames");
    if let Some(names) = accepted.and_then(Value::as_object) {
        let at = Path::at("status.acceptedNames");
        let mut reader = crate::crd::props::Reader::default();
        let names = NamesOf::read(names, &at, &mut reader);
        names_faults(&names, &at, errors);
    }
    let value = object.pointer("/status/storedVersions");
    let value = value.unwrap_or(&Value::Null);
    let stored = value.as_array().map_or(&[][..], Vec::as_slice);
    let at = Path::at("status.storedVersions");
    if stored.is_empty() {
        let why = "must have at least one stored version";
        errors.push(FieldError::invalid(at.text(), value.clone(), why));
        return;
    }
    for version in spec.versions.iter().filter(|version| version.storage) {
        if !stored.iter().any(|stored| stored == version.name) {
            let why = format!("must have the storage version {}", version.name);
            errors.push(FieldError::invalid(at.text(), value.clone(), why));
        }
    }
    for (index, stored) in stored.iter().enumerate() {
        let name = stored.as_str().unwrap_or_default();
        if !spec.versions.iter().any(|version| version.name == name) {
            let why = format!(
                "missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in {name} and removes {name} from status.storedVersions"
            );
            let at = at.index(index).text();
            errors.push(FieldError::invalid(at, stored.clone(), why));
        }
    }
}
