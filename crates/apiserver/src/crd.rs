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

pub use lifecycle::{
    CLEANUP_FINALIZER, Ended, end, is_established, prepare_create, prepare_status_update,
    prepare_update, settle, start_deletion,
};
pub use print::{Column, age_since, human_duration};
pub use scale::Scale;
pub use version::Version;

use serde_json::Value;

use crate::status::FieldError;
use crate::validate::Scope;
use spec::Spec;

/// A definition that can be served.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The API group.
    pub group: String,
    /// What its kind is called. What is served are the names the status accepted.
    pub names: Names,
    /// Whether its objects live in namespaces.
    pub scope: Scope,
    /// Its versions, of which one is served.
    pub versions: Vec<Version>,
}

/// What a kind is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The resource in URLs (`widgets`).
    pub plural: String,
    /// One of them (`widget`).
    pub singular: String,
    /// The kind in objects (`Widget`).
    pub kind: String,
    /// The kind of lists (`WidgetList`).
    pub list_kind: String,
    /// For those who type.
    pub short_names: Vec<String>,
    /// Groups of resources it belongs to (`all`).
    pub categories: Vec<String>,
}

impl Definition {
    /// Checks a new definition, after [`prepare_create`].
    ///
    /// # Errors
    /// What is wrong with it, in upstream's order and words: metadata, spec, status, approval.
    pub fn parse(object: &Value) -> Result<Self, Vec<FieldError>> {
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
    pub fn parse_update(object: &Value, old: &Value) -> Result<Self, Vec<FieldError>> {
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
    pub fn load(object: &Value) -> Result<Self, Vec<FieldError>> {
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

    /// The version that is served; none when all of them are switched off.
    pub fn served(&self) -> Option<&Version> {
        self.versions.iter().find(|version| version.served)
    }

    /// What to tell the author of a definition: formats that are not checked, one sentence each.
    /// `old` is the definition it replaces; what that had already is not told again.
    pub fn warnings(object: &Value, old: Option<&Value>) -> Vec<String> {
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
