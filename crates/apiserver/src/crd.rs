//! CustomResourceDefinitions (`apiextensions.k8s.io/v1`): which are accepted, what they say about
//! their objects, and how their status comes to be.
//!
//! A definition here serves one version, without conversion, without CEL rules and
//! without objects within others. What asks for more is refused with a sentence that says so. All here is pure: definitions and objects are JSON, times
//! are arguments.

mod compile;
mod default_rules;
mod format;
mod jsonpath;
mod lifecycle;
mod model;
mod pattern;
mod print;
mod props;
mod prune;
mod rules;
mod scale;
mod schema_rules;
mod spec;
mod spec_rules;
mod structural;
mod unique;
mod version;

pub(crate) use lifecycle::{
    CLEANUP_FINALIZER, Ended, end, is_established, prepare_create, prepare_status_update,
    prepare_update, settle, start_deletion,
};
pub(crate) use print::{Column, human_duration};
pub(crate) use version::Version;

use serde_json::Value;

use crate::status::FieldError;
use spec::Spec;

/// A definition that can be served.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    /// The API group.
    pub(crate) group: String,
    /// The resource in URLs (`widgets`).
    pub(crate) plural: String,
    /// Its versions, of which one is served.
    pub(crate) versions: Vec<Version>,
}

impl Definition {
    /// Checks a new definition, after [`prepare_create`].
    ///
    /// # Errors
    /// What is wrong with it, in upstream's order and words: metadata, spec, status, approval.
    pub(crate) fn parse(object: &Value) -> Result<Self, Vec<FieldError>> {
        let (spec, mut errors) = Spec::read(object);
        if errors.is_empty() {
            errors = spec_rules::create(&spec, object);
        }
        Self::built(&spec, errors)
    }

    /// Checks a definition that is to replace another one, after [`prepare_update`].
    ///
    /// # Errors
    /// What is wrong with it; besides what a new one is held to, what may not change.
    pub(crate) fn parse_update(object: &Value, old: &Value) -> Result<Self, Vec<FieldError>> {
        let (spec, mut errors) = Spec::read(object);
        if errors.is_empty() {
            errors = spec_rules::update(&spec, object, old);
        }
        Self::built(&spec, errors)
    }

    /// Reads a definition from the store.
    ///
    /// # Errors
    /// What keeps it from being served: it was stored by a server that does more than this one.
    pub(crate) fn load(object: &Value) -> Result<Self, Vec<FieldError>> {
        let (spec, mut errors) = Spec::read(object);
        if errors.is_empty() {
            errors = spec_rules::spec(&spec);
        }
        Self::built(&spec, errors)
    }

    fn built(spec: &Spec<'_>, errors: Vec<FieldError>) -> Result<Self, Vec<FieldError>> {
        if errors.is_empty() {
            Ok(spec.build())
        } else {
            Err(errors)
        }
    }

    /// What to tell the author of a definition: formats that are not checked, one sentence each.
    /// `old` is the definition it replaces; what that had already is not told again.
    pub(crate) fn warnings(object: &Value, old: Option<&Value>) -> Vec<String> {
        let mut known = old.map(|old| Spec::read(old).0.unknown_formats());
        let known = known.get_or_insert_default();
        let (spec, _) = Spec::read(object);
        let mut warnings = Vec::new();
        for format in spec.unknown_formats() {
            if !known.contains(&format) {
                known.push(format);
                warnings.push(format!("unrecognized format {format:?}"));
            }
        }
        warnings
    }
}

#[cfg(test)]
mod tests;
