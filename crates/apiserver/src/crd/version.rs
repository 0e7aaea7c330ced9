//! One version of a definition, and what becomes of its objects on their way in and out
//! (`pkg/registry/customresource/{strategy,status_strategy,validator}.go` upstream).
//!
//! The order on a write is: [`Version::decode`], what webhooks and admission do,
//! [`Version::prepare_create`] or its like, then the checks.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::model::Model;
use super::print::{Column, Printer};
use super::scale::Scale;
use crate::schema::{Schema, TypeId};
use crate::status::FieldError;
use crate::validate::{self, NameRule, Scope};

/// One version of a definition.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    /// Its name (`v1`).
    pub(crate) name: String,
    /// Whether it is served.
    pub(crate) served: bool,
    /// What to tell whoever uses it; none where it is not deprecated.
    pub(crate) deprecation: Option<String>,
    /// Whether there is a `/status`, which alone writes the status.
    pub(crate) has_status: bool,
    /// Where the numbers of `/scale` are; none where there is none.
    pub(crate) scale: Option<Scale>,
    /// The kind of the definition.
    pub(crate) kind: String,
    /// The scope of the definition.
    pub(crate) scope: Scope,
    /// The schema as its author wrote it (`openAPIV3Schema`): what documents are made of.
    pub(crate) source: Value,
    /// `group/version`.
    pub(super) written: String,
    pub(super) model: Model,
    pub(super) printer: Printer,
}

impl Version {
    /// The shapes of this version's objects.
    pub(crate) fn schema(&self) -> &Schema {
        &self.model.schema
    }

    /// The type of this version's objects in [`Version::schema`].
    pub(crate) fn root(&self) -> TypeId {
        self.model.root
    }

    /// Brings an object that a client sent into form: unknown fields and senseless nulls go, defaults
    /// are filled in.
    ///
    /// Returns a sentence for each unknown field (`unknown field "spec.x"`): warnings, or the reason
    /// to refuse the object where the client asked for strictness.
    ///
    /// # Errors
    /// Why not, where its metadata has the wrong type.
    pub(crate) fn decode(&self, object: &mut Value) -> Result<Vec<String>, String> {
        let mut unknown = Vec::new();
        self.form(object, &mut unknown)?;
        Ok(in_words(unknown))
    }

    /// Brings the metadata of an object into form, which may be of another kind or version.
    ///
    /// # Errors
    /// As [`Version::decode`], which says what is returned, too.
    pub(crate) fn decode_metadata(&self, object: &mut Value) -> Result<Vec<String>, String> {
        let mut unknown = Vec::new();
        self.form_metadata(object, &mut unknown)?;
        Ok(in_words(unknown))
    }

    fn form_metadata(&self, object: &mut Value, unknown: &mut Vec<String>) -> Result<(), String> {
        match object.get_mut("metadata") {
            Some(metadata) => self.model.coerce_metadata(metadata, unknown),
            None => Ok(()),
        }
    }

    fn form(&self, object: &mut Value, unknown: &mut Vec<String>) -> Result<(), String> {
        self.form_metadata(object, unknown)?;
        self.model.prune(object, unknown);
        self.model.prune_nulls(object);
        self.model.fill(object);
        Ok(())
    }

    /// Fills in defaults alone.
    pub(crate) fn fill(&self, object: &mut Value) {
        self.model.fill(object);
    }

    /// Sets what a new object begins with: generation 1, and no status where that has its own door.
    pub(crate) fn prepare_create(&self, object: &mut Value) {
        if self.has_status
            && let Some(map) = object.as_object_mut()
        {
            map.remove("status");
        }
        set_generation(object, 1);
    }

    /// Sets what an update has no say in, and counts the generation if anything but metadata changed.
    pub(crate) fn prepare_update(&self, new: &mut Value, old: &Value) {
        if self.has_status
            && let Some(map) = new.as_object_mut()
        {
            match old.get("status") {
                Some(status) if map.get("status") == Some(status) => {}
                Some(status) => drop(map.insert("status".to_owned(), status.clone())),
                None => drop(map.remove("status")),
            }
        }
        let generation = generation(old);
        let changed = differ(new, old);
        set_generation(new, if changed { generation + 1 } else { generation });
    }

    /// Leaves of an update of the status nothing but the status and who wrote it.
    pub(crate) fn prepare_status_update(new: &mut Value, old: &Value) {
        let mut object = old.clone();
        let managers = new
            .get_mut("metadata")
            .and_then(Value::as_object_mut)
            .and_then(|metadata| metadata.remove("managedFields"));
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            match managers {
                Some(managers) => drop(metadata.insert("managedFields".to_owned(), managers)),
                None => drop(metadata.remove("managedFields")),
            }
        }
        let status = new.as_object_mut().and_then(|map| map.remove("status"));
        if let Some(map) = object.as_object_mut() {
            match status {
                Some(status) => drop(map.insert("status".to_owned(), status)),
                None => drop(map.remove("status")),
            }
        }
        *new = object;
    }

    /// What is wrong with a new object.
    pub(crate) fn check_create(&self, object: &Value) -> Vec<FieldError> {
        let mut errors = self.check_kind(object);
        if errors.is_empty() {
            errors = validate::create(metadata(object), self.scope, NameRule::Subdomain);
            self.model.check(object, "", &mut errors);
            self.check_scale(object, &mut errors);
        }
        self.model.duplicates(object, &mut errors);
        errors
    }

    /// What is wrong with an object that is to replace another one. Items that are there twice are
    /// forgiven if they were before. Upstream forgives all faults of what did not change.
    pub(crate) fn check_update(&self, new: &Value, old: &Value) -> Vec<FieldError> {
        let mut errors = self.check_kind(new);
        if errors.is_empty() {
            errors = validate::update(metadata(new), metadata(old), self.scope);
            self.model.check(new, "", &mut errors);
            self.check_scale(new, &mut errors);
        }
        self.new_duplicates(new, old, &mut errors);
        errors
    }

    /// What is wrong with a new status.
    pub(crate) fn check_status_update(&self, new: &Value, old: &Value) -> Vec<FieldError> {
        let mut errors = self.check_kind(new);
        if errors.is_empty() {
            errors = validate::update(metadata(new), metadata(old), self.scope);
            self.model.check_field("status", new, &mut errors);
            if let Some(scale) = &self.scale {
                scale.check_status(new, &mut errors);
            }
        }
        self.new_duplicates(new, old, &mut errors);
        errors
    }

    fn new_duplicates(&self, new: &Value, old: &Value, errors: &mut Vec<FieldError>) {
        let mut found = Vec::new();
        self.model.duplicates(new, &mut found);
        if found.is_empty() {
            return;
        }
        let mut before = Vec::new();
        self.model.duplicates(old, &mut before);
        if before.is_empty() {
            errors.append(&mut found);
        }
    }

    fn check_kind(&self, object: &Value) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut text = |name: &str, wanted: &str| {
            let found = validate::text(object.get(name));
            if found != wanted {
                let why = format!("must be {wanted}");
                errors.push(FieldError::invalid(name, json!(found), why));
            }
        };
        text("kind", &self.kind);
        text("apiVersion", &self.written);
        errors
    }

    fn check_scale(&self, object: &Value, errors: &mut Vec<FieldError>) {
        if let Some(scale) = &self.scale {
            scale.check_spec(object, errors);
            scale.check_status(object, errors);
        }
    }

    /// The columns of this version's tables, the name first.
    pub(crate) fn columns(&self) -> &[Column] {
        &self.printer.columns
    }

    /// The cells of an object, one for each column.
    pub(crate) fn cells(&self, object: &Value, now: Timestamp) -> Vec<Value> {
        self.printer.cells(object, now)
    }
}

fn in_words(unknown: Vec<String>) -> Vec<String> {
    let unknown = unknown.into_iter();
    unknown
        .map(|path| format!("unknown field \"{path}\""))
        .collect()
}

fn metadata(object: &Value) -> &Value {
    object.get("metadata").unwrap_or(&Value::Null)
}

fn generation(object: &Value) -> i64 {
    object
        .pointer("/metadata/generation")
        .and_then(Value::as_i64)
        .unwrap_or_default()
}

fn set_generation(object: &mut Value, generation: i64) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("generation".to_owned(), json!(generation));
    }
}

/// Whether anything but metadata differs.
fn differ(new: &Value, old: &Value) -> bool {
    let (Some(new), Some(old)) = (new.as_object(), old.as_object()) else {
        return new != old;
    };
    let others = |name: &&String| *name != "metadata";
    new.keys().filter(others).count() != old.keys().filter(others).count()
        || new
            .iter()
            .any(|(name, value)| name != "metadata" && old.get(name) != Some(value))
}
