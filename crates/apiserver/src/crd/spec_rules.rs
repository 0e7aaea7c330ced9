//! Which definitions are accepted (`pkg/apis/apiextensions/validation/validation.go` upstream).
//!
//! Upstream judges a form in which what all versions share belongs to the definition, so its
//! sentences place a schema at `spec.validation` unless versions differ.

mod claim;
mod part;

use serde_json::{Value, json};

use super::props::Props;
use super::spec::{Spec, VersionOf};
use super::{default_rules, lifecycle, schema_rules, structural};
use crate::status::FieldError;
use crate::validate::{self, NameRule, Path, Scope, dns1035_label, dns1123_subdomain};

const SCHEMA: usize = 0;
const SUBRESOURCES: usize = 1;
const COLUMNS: usize = 2;

/// What is wrong with a new definition.
pub(super) fn create(spec: &Spec<'_>, object: &Value) -> Vec<FieldError> {
    let metadata = object.get("metadata").unwrap_or(&Value::Null);
    let mut errors = validate::create(metadata, Scope::Cluster, NameRule::Subdomain);
    let name = validate::text(metadata.get("name"));
    let wanted = format!("{}.{}", spec.names.plural, spec.group);
    let why = "must be spec.names.plural+\".\"+spec.group";
    let after_name = errors
        .iter()
        .take_while(|error| {
            matches!(
                error.field.as_str(),
                "metadata.generateName" | "metadata.name"
            )
        })
        .count();
    if !name.is_empty() && name != wanted {
        let error = FieldError::invalid("metadata.name", json!(name), why);
        errors.insert(after_name, error);
    }
    errors.extend(self::spec(spec));
    claim::status(object, spec, &mut errors);
    preserve(spec, false, &mut errors);
    errors
}

/// What is wrong with a definition that is to replace another one.
pub(super) fn update(spec: &Spec<'_>, object: &Value, old: &Value) -> Vec<FieldError> {
    let metadata = |object| Value::get(object, "metadata").unwrap_or(&Value::Null);
    let mut errors = validate::update(metadata(object), metadata(old), Scope::Cluster);
    errors.extend(self::spec(spec));
    let (old_spec, _) = Spec::read(old);
    let mut immutable = |field: &str, new: &str, old: &str| {
        if new != old {
            errors.push(FieldError::invalid(field, json!(new), "field is immutable"));
        }
    };
    if lifecycle::is_established(old) {
        immutable("spec.scope", spec.scope, old_spec.scope);
        immutable("spec.names.kind", spec.names.kind, old_spec.names.kind);
    }
    immutable("spec.group", spec.group, old_spec.group);
    immutable(
        "spec.names.plural",
        spec.names.plural,
        old_spec.names.plural,
    );
    claim::status(object, spec, &mut errors);
    preserve(spec, old_spec.preserve, &mut errors);
    errors
}

fn preserve(spec: &Spec<'_>, before: bool, errors: &mut Vec<FieldError>) {
    if spec.preserve && !before {
        let why = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
        let error = FieldError::invalid("spec.preserveUnknownFields", json!(true), why);
        errors.push(error);
    }
}

/// What is wrong with a spec.
pub(super) fn spec(spec: &Spec<'_>) -> Vec<FieldError> {
    let mut rules = Rules { errors: Vec::new() };
    rules.spec(spec, &Path::at("spec"));
    if rules.errors.is_empty() {
        rules.scope_of_this_server(spec);
    }
    rules.errors
}

struct Rules {
    errors: Vec<FieldError>,
}

impl Rules {
    fn invalid(&mut self, at: &Path<'_>, value: impl Into<Value>, why: impl Into<String>) {
        let error = FieldError::invalid(at.text(), value.into(), why);
        self.errors.push(error);
    }

    fn required(&mut self, at: &Path<'_>, why: impl Into<String>) {
        self.errors.push(FieldError::required(at.text(), why));
    }

    fn spec(&mut self, spec: &Spec<'_>, at: &Path<'_>) {
        let group = at.field("group");
        if spec.group.is_empty() {
            self.required(&group, "");
        } else {
            let faults = dns1123_subdomain(spec.group);
            if !faults.is_empty() {
                self.invalid(&group, spec.group, faults.join(","));
            } else if !spec.group.contains('.') {
                let why = "should be a domain with at least one dot";
                self.invalid(&group, spec.group, why);
            }
        }
        self.one_of(&at.field("scope"), spec.scope, &["Cluster", "Namespaced"]);
        let versions = at.field("versions");
        for (index, version) in spec.versions.iter().enumerate() {
            if version.schema.is_none() {
                let at = versions.index(index);
                let at = at.field("schema");
                self.required(&at.field("openAPIV3Schema"), "");
            }
        }
        for (index, version) in spec.versions.iter().enumerate() {
            let at = versions.index(index);
            self.label(&at.field("name"), version.name);
            self.version(spec, version, &at);
        }
        self.versions(spec, &versions);
        if let Some(first) = spec.versions.first() {
            self.label(&at.field("version"), first.name);
        }
        self.names(spec, &at.field("names"));
        self.shared(spec, at);
        self.conversion(spec, &at.field("conversion"));
    }

    fn label(&mut self, at: &Path<'_>, name: &str) {
        let faults = dns1035_label(name);
        if !faults.is_empty() && (!name.is_empty() || !at.text().ends_with(".version")) {
            self.invalid(at, name, faults.join(","));
        }
    }

    fn one_of(&mut self, at: &Path<'_>, given: &str, known: &[&str]) {
        if given.is_empty() {
            self.required(at, "");
        } else if !known.contains(&given) {
            let error = FieldError::not_supported(at.text(), json!(given), known);
            self.errors.push(error);
        }
    }

    fn versions(&mut self, spec: &Spec<'_>, at: &Path<'_>) {
        let shown = || {
            let versions = spec.versions.iter();
            let versions: Vec<Value> = versions.map(VersionOf::as_upstream_shows_it).collect();
            json!(versions)
        };
        let unique = spec.versions.iter().enumerate().all(|(index, version)| {
            let before = &spec.versions[..index];
            before.iter().all(|other| other.name != version.name)
        });
        if !unique {
            self.invalid(at, shown(), "must contain unique version names");
        }
        let stored = spec.versions.iter().filter(|version| version.storage);
        if stored.count() != 1 {
            let why = "must have exactly one version marked as storage version";
            self.invalid(at, shown(), why);
        }
    }

    fn names(&mut self, spec: &Spec<'_>, at: &Path<'_>) {
        let names = &spec.names;
        for (name, value) in [
            ("plural", names.plural),
            ("singular", names.singular),
            ("kind", names.kind),
            ("listKind", names.list_kind),
        ] {
            if value.is_empty() {
                self.required(&at.field(name), "");
            }
        }
        claim::names_faults(names, at, &mut self.errors);
    }

    /// What belongs to one version alone.
    fn version(&mut self, spec: &Spec<'_>, version: &VersionOf<'_>, at: &Path<'_>) {
        if let Some(warning) = version.warning {
            for why in warning_faults(version.deprecated, warning) {
                self.invalid(&at.field("deprecationWarning"), warning, why);
            }
        }
        if !spec.shares(SCHEMA) {
            let here = at.field("schema");
            self.schema(version.schema.as_ref(), version.has_status, &here);
        }
        if !spec.shares(SUBRESOURCES)
            && let Some(scale) = &version.scale
        {
            self.scale(scale, &at.field("subresources"));
        }
        if !spec.shares(COLUMNS) {
            self.columns(&version.columns, &at.field("additionalPrinterColumns"));
        }
    }

    /// What all versions share.
    fn shared(&mut self, spec: &Spec<'_>, at: &Path<'_>) {
        let Some(first) = spec.versions.first() else {
            return;
        };
        if spec.shares(SCHEMA) {
            let any_status = spec.versions.iter().any(|version| version.has_status);
            let here = at.field("validation");
            self.schema(first.schema.as_ref(), any_status, &here);
        }
        if spec.shares(SUBRESOURCES)
            && let Some(scale) = &first.scale
        {
            self.scale(scale, &at.field("subresources"));
        }
        if spec.shares(COLUMNS) {
            self.columns(&first.columns, &at.field("additionalPrinterColumns"));
        }
    }

    fn schema(&mut self, schema: Option<&Props<'_>>, has_status: bool, at: &Path<'_>) {
        let Some(schema) = schema else { return };
        let at = at.field("openAPIV3Schema");
        let before = self.errors.len();
        if has_status {
            self.root_beside_status(schema, &at);
        }
        if schema.nullable {
            let error = FieldError::forbidden(
                at.field("nullable").text(),
                "nullable cannot be true at the root",
            );
            self.errors.push(error);
        }
        let unsupported = structural::unsupported(schema);
        if unsupported.is_none() {
            let mut faults = structural::violations(schema, &at);
            if faults.is_empty() {
                faults = default_rules::faults(schema, &at);
            }
            self.errors.append(&mut faults);
        }
        self.errors.append(&mut schema_rules::faults(schema, &at));
        if let Some(why) = unsupported
            && self.errors.len() == before
        {
            self.invalid(&at, "", why);
        }
    }

    fn conversion(&mut self, spec: &Spec<'_>, at: &Path<'_>) {
        let known = ["None", "Webhook"];
        self.one_of(&at.field("strategy"), spec.strategy, &known);
    }

    /// Refuses what is right, but more than this server does: it must not be promised silently.
    fn scope_of_this_server(&mut self, spec: &Spec<'_>) {
        let served = spec.versions.iter().filter(|version| version.served);
        if served.count() > 1 {
            let why = "this server serves one version of a definition and converts nothing; set served to false on all others, or use a genuine kube-apiserver";
            self.errors
                .push(FieldError::forbidden("spec.versions", why));
        }
        for (index, version) in spec.versions.iter().enumerate() {
            if version.is_selectable {
                let why = "this server selects custom resources by name and namespace alone; remove it, or use a genuine kube-apiserver";
                let at = format!("spec.versions[{index}].selectableFields");
                self.errors.push(FieldError::forbidden(at, why));
            }
        }
        if spec.strategy == "Webhook" {
            let why = "this server does not convert between versions; use strategy None, or a genuine kube-apiserver";
            let error = FieldError::forbidden("spec.conversion.strategy", why);
            self.errors.push(error);
        }
    }
}

/// What is wrong with what is told to whoever uses a version.
///
/// External rule: `validateDeprecationWarning` of k8s.io/apiextensions-apiserver. Which characters can be
/// printed is Go's to say: here those that control something cannot.
fn warning_faults(deprecated: bool, warning: &str) -> Vec<String> {
    if !deprecated {
        return vec!["can only be set for deprecated versions".to_owned()];
    }
    let mut faults = Vec::new();
    if warning.len() > 256 {
        faults.push("must be <= 256 characters long".to_owned());
    }
    if warning.is_empty() {
        faults.push("must not be an empty string".to_owned());
    }
    if let Some((at, _)) = warning.char_indices().find(|(_, c)| c.is_control()) {
        let why =
            "must only contain printable UTF-8 characters; non-printable character found at index";
        faults.push(format!("{why} {at}"));
    }
    faults
}

impl VersionOf<'_> {
    /// A version in the form upstream's sentences show, without what its versions share.
    fn as_upstream_shows_it(&self) -> Value {
        json!({
            "Name": self.name,
            "Served": self.served,
            "Storage": self.storage,
            "Deprecated": self.deprecated,
            "DeprecationWarning": self.warning,
            "Schema": null,
            "Subresources": null,
            "AdditionalPrinterColumns": null,
            "SelectableFields": null,
        })
    }
}
