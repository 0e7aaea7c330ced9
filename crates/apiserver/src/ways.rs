//! How kinds differ from each other where data does not tell: one table, and the functions that it
//! names. Nothing else knows a built-in kind by its name.
//!
//! All here is pure and takes objects as JSON of any shape: what is of another type than its schema
//! says counts as absent. Faults come in upstream's order, those of maps by key.

mod access;
mod claim;
mod config;
mod event;
mod fault;
mod job;
mod namespace;
mod part;
mod pod;
mod rule;
mod selector;
mod service;
mod workload;

use serde_json::Value;

pub(crate) use namespace::finalizer_faults;
pub(crate) use selector::text as selector_text;

use crate::catalogue::Resource;
use crate::registry::options::Propagation;
use crate::status::{FieldError, go_quote};
use crate::validate::{self, NameRule, Scope};

/// Reads a field of an object as text.
pub(crate) type ReadField = fn(&Value) -> String;

/// What the server itself does about the objects of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    /// Nothing.
    Nothing,
    /// They are places for others, which go before them: Namespaces.
    HoldsContents,
    /// They define other kinds: CustomResourceDefinitions.
    DefinesKinds,
    /// They have cluster IPs and node ports: Services.
    HasAddresses,
    /// They act as a ServiceAccount, whose token they find in a volume: Pods.
    ActsAsAccount,
}

/// How one kind differs from others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ways {
    /// Fills in what is absent, on every write, before anything is checked.
    pub(crate) default: fn(&mut Value),
    /// Settles what an object needs beyond its own place, and says what is wrong with that: nothing else is
    /// looked at then.
    pub(crate) begin: fn(&mut Value, Option<&Value>) -> Vec<FieldError>,
    /// Prepares a new object, which has its name and its uid.
    pub(crate) prepare_create: fn(&mut Value),
    /// Prepares a change of the object itself: what may not be changed this way is taken from the
    /// old one.
    pub(crate) prepare_update: fn(&mut Value, &Value),
    /// Prepares a change of the status.
    pub(crate) prepare_status_update: fn(&mut Value, &Value),
    /// Prepares what is written to let go of an object (`/finalize`).
    pub(crate) prepare_finalize: fn(&mut Value, &Value),
    /// What is wrong with an object, or with its change.
    pub(crate) validate: fn(&Value, Option<&Value>) -> Vec<FieldError>,
    /// What is wrong with a change of the status.
    pub(crate) validate_status: fn(&Value, &Value) -> Vec<FieldError>,
    /// Whether `metadata.generation` counts changes of it.
    pub(crate) generation: bool,
    /// Whether a change counts.
    pub(crate) counts: fn(&Value, &Value) -> bool,
    /// Whether a change without a resourceVersion is taken.
    pub(crate) unconditional_update: bool,
    /// Whether to replace a missing object creates it.
    pub(crate) create_on_update: bool,
    /// What its names look like.
    pub(crate) name: NameRule,
    /// How many seconds a deletion waits that does not say; none for kinds that go at once.
    pub(crate) grace: fn(&Value) -> Option<i64>,
    /// What becomes of what a deleted object owns, where the deletion does not say.
    pub(crate) default_propagation: Propagation,
    /// Takes out what is stored and not shown; none for kinds that are shown as they are stored.
    pub(crate) conceal: Option<fn(&mut Value)>,
    /// What else the server itself does about it.
    pub(crate) special: Special,
    /// What the author of an object should know.
    pub(crate) advice: fn(&Value) -> Vec<String>,
    /// The fields that field selectors may name beside `metadata.name` and `metadata.namespace`.
    pub(crate) selectable: &'static [(&'static str, ReadField)],
    /// The fields that writes to the object itself leave alone.
    pub(crate) resets: &'static [&'static str],
    /// The fields that writes to its status leave alone.
    pub(crate) status_resets: &'static [&'static str],
}

/// A kind without a status that has no other peculiarity.
pub(crate) const PLAIN: Ways = Ways {
    default: |_| {},
    begin: |_, _| Vec::new(),
    prepare_create: |_| {},
    prepare_update: |_, _| {},
    prepare_status_update: keep_spec,
    prepare_finalize: keep_status,
    validate: |_, _| Vec::new(),
    validate_status: |_, _| Vec::new(),
    generation: false,
    counts: is_spec_changed,
    unconditional_update: true,
    create_on_update: false,
    name: NameRule::Subdomain,
    grace: |_| None,
    default_propagation: Propagation::Background,
    conceal: None,
    special: Special::Nothing,
    advice: |_| Vec::new(),
    selectable: &[],
    resets: &[],
    status_resets: &["spec"],
};

/// A kind with a spec and a status that has no other peculiarity.
pub(crate) const STATUS: Ways = Ways {
    prepare_create: drop_status,
    prepare_update: keep_status,
    resets: &["status"],
    ..PLAIN
};

/// A custom resource with the subresource `status`.
pub(crate) static CUSTOM_WITH_STATUS: Ways = Ways {
    generation: true,
    status_resets: &["metadata", "spec"],
    unconditional_update: false,
    ..STATUS
};

/// A custom resource without it.
pub(crate) static CUSTOM: Ways = Ways {
    generation: true,
    unconditional_update: false,
    ..PLAIN
};

/// Drops the status of a new object: it is written apart.
pub(crate) fn drop_status(object: &mut Value) {
    part::drop_field(object, "status");
}

/// The status stays as it is.
pub(crate) fn keep_status(new: &mut Value, old: &Value) {
    part::keep(new, old, "status");
}

/// The spec stays as it is. Upstream lets most kinds' metadata be written with their status.
pub(crate) fn keep_spec(new: &mut Value, old: &Value) {
    part::keep(new, old, "spec");
}

/// Whether anything but metadata and status has changed.
fn is_spec_changed(new: &Value, old: &Value) -> bool {
    let (Some(new), Some(old)) = (new.as_object(), old.as_object()) else {
        return false;
    };
    let counts = |(key, _): &(&String, &Value)| *key != "metadata" && *key != "status";
    !new.iter().filter(counts).eq(old.iter().filter(counts))
}

/// The faults that metadata would have as that of a new object. Upstream looks at the metadata of many
/// kinds so once more when they are changed.
fn again(object: &Value, ways: &Ways) -> Vec<FieldError> {
    again_as(object, ways.name)
}

fn again_as(object: &Value, rule: NameRule) -> Vec<FieldError> {
    let metadata = &object["metadata"];
    let scope = if metadata["namespace"].is_string() {
        Scope::Namespaced
    } else {
        Scope::Cluster
    };
    let mut errors = validate::create(metadata, scope, rule);
    errors.extend(finalizer_faults(object));
    errors
}

/// The ways of a built-in kind.
pub(crate) fn of(group: &str, resource: &str) -> &'static Ways {
    match (group, resource) {
        ("", "configmaps") => &config::CONFIG_MAP,
        ("", "secrets") => &config::SECRET,
        ("", "namespaces") => &namespace::NAMESPACE,
        ("", "serviceaccounts") => &namespace::SERVICE_ACCOUNT,
        ("", "services") => &service::SERVICE,
        ("", "pods") => &pod::POD,
        ("", "persistentvolumeclaims") => &claim::CLAIM,
        ("", "events") => &event::CORE_EVENT,
        ("events.k8s.io", "events") => &event::EVENT,
        ("apps", "deployments") => &workload::DEPLOYMENT,
        ("apps", "replicasets") => &workload::REPLICA_SET,
        ("apps", "statefulsets") => &workload::STATEFUL_SET,
        ("apps", "daemonsets") => &workload::DAEMON_SET,
        ("batch", "jobs") => &job::JOB,
        ("rbac.authorization.k8s.io", "roles") => &access::ROLE,
        ("rbac.authorization.k8s.io", "clusterroles") => &access::CLUSTER_ROLE,
        ("rbac.authorization.k8s.io", "rolebindings") => &access::ROLE_BINDING,
        ("rbac.authorization.k8s.io", "clusterrolebindings") => &access::CLUSTER_ROLE_BINDING,
        ("coordination.k8s.io", "leases") => &LEASE,
        ("apiextensions.k8s.io", "customresourcedefinitions") => &DEFINITION,
        ("batch", "cronjobs")
        | ("networking.k8s.io", "ingresses" | "networkpolicies")
        | ("policy", "poddisruptionbudgets") => &COUNTED,
        _ => &OTHER,
    }
}

/// Why nothing can be selected by a field, in the words that upstream has for the kind.
pub(crate) fn unselectable(resource: &Resource, field: &str) -> String {
    let (group, plural) = (&*resource.group, &*resource.plural);
    let has_own = !of(group, plural).selectable.is_empty();
    match (group, plural) {
        ("batch", "jobs") => format!("field label {} not supported for Job", go_quote(field)),
        ("", "nodes" | "replicationcontrollers") | ("certificates.k8s.io", _) => {
            format!("field label not supported: {field}")
        }
        _ if has_own || resource.custom => format!("field label not supported: {field}"),
        _ => format!(
            "{} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
            go_quote(field)
        ),
    }
}

/// A kind of which nothing else is known.
static OTHER: Ways = STATUS;

/// A kind whose changes are counted, and of which nothing else is known.
static COUNTED: Ways = Ways {
    generation: true,
    ..STATUS
};

static LEASE: Ways = Ways {
    unconditional_update: false,
    create_on_update: true,
    ..PLAIN
};

static DEFINITION: Ways = Ways {
    generation: true,
    unconditional_update: false,
    prepare_create: crate::crd::prepare_create,
    prepare_update: crate::crd::prepare_update,
    prepare_status_update: crate::crd::prepare_status_update,
    validate: |new, old| {
        let parsed = match old {
            None => crate::crd::Definition::parse(new),
            Some(old) => crate::crd::Definition::parse_update(new, old),
        };
        parsed.err().unwrap_or_default()
    },
    special: Special::DefinesKinds,
    resets: &["status"],
    ..PLAIN
};

#[cfg(test)]
mod tests;
