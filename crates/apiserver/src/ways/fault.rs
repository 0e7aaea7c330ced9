//! What is wrong with an object, in the order in which upstream finds it.

use serde_json::Value;

use super::part::Part as _;
use super::rule;
use crate::status::{FieldError, FieldErrorKind};
use crate::validate::{Form, NameRule, Path, dns1123_subdomain, label_value, qualified_name};

/// A field that may not change.
pub(super) const IMMUTABLE: &str = "field is immutable";
/// So many faults are told of; nobody reads more.
const MOST: usize = 1000;
const NEGATIVE: &str = "must be greater than or equal to 0";

/// The faults found so far.
#[derive(Default)]
pub(super) struct Faults(Vec<FieldError>);

impl Faults {
    /// No more are to come.
    pub(super) fn into_errors(self) -> Vec<FieldError> {
        self.0
    }

    /// Whether there is none yet.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds those that another part of the server found.
    pub(super) fn extend(&mut self, errors: impl IntoIterator<Item = FieldError>) {
        errors.into_iter().for_each(|error| self.push(error));
    }

    fn push(&mut self, error: FieldError) {
        if self.0.len() < MOST {
            self.0.push(error);
        }
    }

    pub(super) fn invalid(
        &mut self,
        at: &Path<'_>,
        value: impl Into<Value>,
        why: impl Into<String>,
    ) {
        self.0
            .push(FieldError::invalid(at.text(), value.into(), why));
    }

    pub(super) fn required(&mut self, at: &Path<'_>, why: impl Into<String>) {
        self.push(FieldError::required(at.text(), why));
    }

    pub(super) fn forbidden(&mut self, at: &Path<'_>, why: impl Into<String>) {
        self.push(FieldError::forbidden(at.text(), why));
    }

    pub(super) fn duplicate(&mut self, at: &Path<'_>, value: impl Into<Value>) {
        self.push(FieldError::duplicate(at.text(), value.into()));
    }

    pub(super) fn unsupported(&mut self, at: &Path<'_>, value: impl Into<Value>, known: &[&str]) {
        self.0
            .push(FieldError::not_supported(at.text(), value.into(), known));
    }

    pub(super) fn too_long(&mut self, at: &Path<'_>, most: u64) {
        self.push(FieldError::too_long(at.text(), most));
    }

    pub(super) fn not_found(&mut self, at: &Path<'_>, value: impl Into<Value>) {
        self.push(FieldError {
            kind: FieldErrorKind::NotFound,
            field: at.text(),
            value: value.into(),
            detail: String::new(),
        });
    }

    /// One value with several faults.
    pub(super) fn each(&mut self, at: &Path<'_>, value: &str, faults: Vec<String>) {
        for fault in faults {
            self.invalid(at, value, fault);
        }
    }

    /// A number that may not be negative.
    pub(super) fn not_negative(&mut self, at: &Path<'_>, number: i64) {
        if number < 0 {
            self.invalid(at, number, NEGATIVE);
        }
    }

    /// Numbers of a struct that may not be negative.
    pub(super) fn none_negative(&mut self, at: &Path<'_>, part: &Value, names: &[&str]) {
        for name in names {
            self.not_negative(&at.field(name), part.number(name));
        }
    }

    /// A DNS label.
    pub(super) fn label(&mut self, at: &Path<'_>, value: &str) {
        self.each(at, value, NameRule::Label.faults(value, Form::Whole));
    }

    /// A DNS name.
    pub(super) fn subdomain(&mut self, at: &Path<'_>, value: &str) {
        self.each(at, value, dns1123_subdomain(value));
    }

    /// A part of a URL's path.
    pub(super) fn path_segment(&mut self, at: &Path<'_>, value: &str) {
        self.each(at, value, NameRule::PathSegment.faults(value, Form::Whole));
    }

    /// A label's key.
    pub(super) fn qualified(&mut self, at: &Path<'_>, value: &str) {
        self.each(at, value, qualified_name(value));
    }

    /// A map of labels.
    pub(super) fn labels(&mut self, at: &Path<'_>, labels: &Value) {
        for (key, value) in labels.as_object().into_iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            self.each(at, key, qualified_name(key));
            self.each(at, value, label_value(value));
        }
    }

    /// A port's number.
    pub(super) fn port(&mut self, at: &Path<'_>, number: i64) {
        self.each_number(at, number, rule::port(number));
    }

    /// A port's number or name.
    pub(super) fn port_or_name(&mut self, at: &Path<'_>, port: &Value) {
        match port {
            Value::String(name) => self.each(at, name, rule::port_name(name)),
            other => self.port(at, other.as_i64().unwrap_or_default()),
        }
    }

    /// A number with a fault, if it has one.
    pub(super) fn each_number(&mut self, at: &Path<'_>, number: i64, fault: Option<String>) {
        if let Some(fault) = fault {
            self.invalid(at, number, fault);
        }
    }

    /// One of known values, which has to be there.
    pub(super) fn one_of(&mut self, at: &Path<'_>, value: &str, known: &[&str]) {
        if value.is_empty() {
            self.required(at, "");
        } else if !known.contains(&value) {
            self.unsupported(at, value, known);
        }
    }

    /// One of known values, if there is any: a pointer in Go.
    pub(super) fn one_of_if(&mut self, at: &Path<'_>, value: &Value, known: &[&str]) {
        if let Some(text) = value.as_str()
            && !known.contains(&text)
        {
            self.unsupported(at, text, known);
        }
    }

    /// A field that may not change.
    pub(super) fn immutable(&mut self, at: &Path<'_>, new: &Value, old: &Value) {
        if new != old {
            self.invalid(at, new.clone(), IMMUTABLE);
        }
    }
}
