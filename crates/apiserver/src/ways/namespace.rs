//! `Namespace` and `ServiceAccount`.

use serde_json::{Value, json};

use super::fault::Faults;
use super::part::{self, Part as _, fill_empty, keep, made};
use super::{PLAIN, STATUS, Ways, again};
use crate::status::FieldError;
use crate::validate::{NameRule, Path, qualified_name};

const KUBERNETES: &str = "kubernetes";

pub(super) static NAMESPACE: Ways = Ways {
    default: default_namespace,
    prepare_create: |namespace| {
        part::put(namespace, "status", json!({"phase": "Active"}));
        let Some(spec) = made(namespace, "spec") else {
            return;
        };
        part::fill(spec, "finalizers", json!([]));
        if let Some(finalizers) = spec["finalizers"].as_array_mut()
            && !finalizers.iter().any(|finalizer| finalizer == KUBERNETES)
        {
            finalizers.push(json!(KUBERNETES));
        }
        name_label(namespace);
    },
    prepare_update: |new, old| {
        keep(new, old, "status");
        if let Some(spec) = made(new, "spec") {
            keep(spec, old.part("spec"), "finalizers");
        }
        name_label(new);
    },
    prepare_finalize: |new, old| {
        keep(new, old, "status");
        name_label(new);
    },
    validate: check_namespace,
    validate_status: check_phase,
    name: NameRule::Label,
    special: crate::ways::Special::HoldsContents,
    selectable: &[("status.phase", |namespace| {
        namespace["status"].text("phase").to_owned()
    })],
    ..STATUS
};

pub(super) static SERVICE_ACCOUNT: Ways = Ways {
    prepare_create: only_names,
    prepare_update: |new, _| only_names(new),
    validate: |new, old| match old {
        Some(_) => again(new, &SERVICE_ACCOUNT),
        None => Vec::new(),
    },
    ..PLAIN
};

fn default_namespace(namespace: &mut Value) {
    name_label(namespace);
    if let Some(status) = made(namespace, "status") {
        fill_empty(status, "phase", "Active");
    }
}

/// Every namespace can be selected by its name.
fn name_label(namespace: &mut Value) {
    let name = namespace["metadata"].text("name").to_owned();
    if name.is_empty() {
        return;
    }
    let labels = made(namespace, "metadata").and_then(|metadata| made(metadata, "labels"));
    if let Some(labels) = labels {
        part::put(labels, "kubernetes.io/metadata.name", name);
    }
}

fn check_namespace(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    if old.is_some() {
        faults.extend(again(new, &NAMESPACE));
    }
    let at = Path::at("spec.finalizers");
    for (index, name) in new["spec"].texts("finalizers").enumerate() {
        // Upstream names the place of those that are to stay, and not of those of a new namespace.
        match old {
            Some(_) => finalizer(name, &at.index(index), &mut faults),
            None => finalizer(name, &at, &mut faults),
        }
    }
    faults.into_errors()
}

/// A namespace says that it ends from when on it does.
fn check_phase(new: &Value, _: &Value) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let (wanted, when) = if new["metadata"].has("deletionTimestamp") {
        ("Terminating", "is not empty")
    } else {
        ("Active", "is empty")
    };
    let phase = new["status"].text("phase");
    if phase != wanted {
        let why = format!("may only be '{wanted}' if `deletionTimestamp` {when}");
        faults.invalid(&Path::at("status.Phase"), phase, why);
    }
    faults.into_errors()
}

fn finalizer(name: &str, at: &Path<'_>, faults: &mut Faults) {
    faults.each(at, name, qualified_name(name));
    standard(name, at, faults);
}

/// A name without a domain has to be one that the server itself knows.
fn standard(name: &str, at: &Path<'_>, faults: &mut Faults) {
    if !name.contains('/') && !matches!(name, KUBERNETES | "orphan" | "foregroundDeletion") {
        let why = "name is neither a standard finalizer name nor is it fully qualified";
        faults.invalid(at, name, why);
    }
}

/// What is wrong with the finalizers of an object of a built-in kind, beyond their characters.
///
/// External rule: `ValidateObjectMeta` of k8s.io/kubernetes, pkg/apis/core/validation.
pub(crate) fn finalizer_faults(object: &Value) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let at = Path::at("metadata.finalizers");
    for (index, name) in object["metadata"].texts("finalizers").enumerate() {
        standard(name, &at.index(index), &mut faults);
    }
    faults.into_errors()
}

/// Of the Secrets that an account names, the names alone are kept.
fn only_names(account: &mut Value) {
    for secret in part::each(account, "secrets") {
        let name = secret.text("name");
        *secret = if name.is_empty() {
            json!({})
        } else {
            json!({"name": name})
        };
    }
}
