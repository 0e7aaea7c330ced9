//! What is wrong with an object: the rules of its kind, behind those of all.

use serde_json::{Value, json};

use super::draft::metadata_of;
use super::kind::Kind;
use crate::status::FieldError;
use crate::validate::{self, Scope};
use crate::ways;

impl Kind {
    /// What is wrong with an object that says that it is of another kind.
    fn other_kind(&self, object: &Value) -> Option<Vec<FieldError>> {
        let kind = &*self.resource.kind;
        let named = object["kind"].as_str().filter(|named| *named != kind)?;
        let why = format!("must be {kind}");
        Some(vec![FieldError::invalid("kind", json!(named), why)])
    }

    /// What is wrong with a new object.
    pub(super) fn faults(&self, object: &Value) -> Vec<FieldError> {
        if let Some(version) = &self.custom {
            return self
                .other_kind(object)
                .unwrap_or_else(|| version.check_create(object));
        }
        let mut errors = validate::create(metadata_of(object), self.scope(), self.ways.name);
        errors.extend(ways::finalizer_faults(object));
        errors.extend((self.ways.validate)(object, None));
        errors
    }

    /// What is wrong with a changed object.
    pub(super) fn faults_of_change(
        &self,
        object: &Value,
        live: &Value,
        subresource: &str,
    ) -> Vec<FieldError> {
        match (&self.custom, subresource) {
            (Some(version), subresource) => self.other_kind(object).unwrap_or_else(|| {
                if subresource == "status" {
                    version.check_status_update(object, live)
                } else {
                    version.check_update(object, live)
                }
            }),
            (None, subresource) => {
                let (new, old) = (metadata_of(object), metadata_of(live));
                let mut errors = validate::update(new, old, self.scope());
                errors.extend(ways::finalizer_faults(object));
                errors.extend(if subresource == "status" {
                    (self.ways.validate_status)(object, live)
                } else {
                    (self.ways.validate)(object, Some(live))
                });
                errors
            }
        }
    }

    fn scope(&self) -> Scope {
        if self.resource.namespaced {
            Scope::Namespaced
        } else {
            Scope::Cluster
        }
    }
}
