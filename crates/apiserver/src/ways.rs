//! How kinds differ from each other where data does not tell: one table, and the functions that it
//! names. Nothing else knows a built-in kind by its name.
//!
//! All here is pure and takes objects as JSON of any shape: what is of another type than its schema
//! says counts as absent. Faults come in upstream's order, those of maps by key.

mod access;
mod admission;
mod autoscaler;
mod config;
mod endpoint;
mod fault;
mod job;
mod namespace;
mod network;
mod node;
mod part;
mod pod;
mod quota;
mod rule;
mod selector;
mod service;
mod storage;
mod workload;

use serde_json::Value;

pub use namespace::finalizer_faults;

use crate::registry::options::Propagation;
use crate::status::FieldError;
use crate::validate::{self, NameRule, Scope};

/// Reads a field of an object as text.
pub type ReadField = fn(&Value) -> String;

/// What the server itself does about the objects of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// Nothing.
    Nothing,
    /// They are places for others, which go before them: Namespaces.
    HoldsContents,
    /// They define other kinds: CustomResourceDefinitions.
    DefinesKinds,
    /// They have cluster IPs and node ports: Services.
    HasAddresses,
}

/// How one kind differs from others.
#[derive(Clone, Copy, Debug)]
pub struct Ways {
    /// Fills in what is absent, on every write, before anything is checked.
    pub default: fn(&mut Value),
    /// Prepares a new object, which has its name and its uid.
    pub prepare_create: fn(&mut Value),
    /// Prepares a change of the object itself: what may not be changed this way is taken from the
    /// old one.
    pub prepare_update: fn(&mut Value, &Value),
    /// Prepares a change of the status.
    pub prepare_status_update: fn(&mut Value, &Value),
    /// What is wrong with an object, or with its change.
    pub validate: fn(&Value, Option<&Value>) -> Vec<FieldError>,
    /// What is wrong with a change of the status.
    pub validate_status: fn(&Value, &Value) -> Vec<FieldError>,
    /// Whether `metadata.generation` counts changes of it.
    pub generation: bool,
    /// Whether a change counts.
    pub counts: fn(&Value, &Value) -> bool,
    /// Whether a change without a resourceVersion is taken.
    pub unconditional_update: bool,
    /// Whether to replace a missing object creates it.
    pub create_on_update: bool,
    /// What its names look like.
    pub name: NameRule,
    /// How many seconds a deletion waits that does not say; none for kinds that go at once.
    pub grace: fn(&Value) -> Option<i64>,
    /// What becomes of what a deleted object owns, where the deletion does not say.
    pub default_propagation: Propagation,
    /// What else the server itself does about it.
    pub special: Special,
    /// The fields that field selectors may name beside `metadata.name` and `metadata.namespace`.
    pub selectable: &'static [(&'static str, ReadField)],
    /// The fields that writes to the object itself leave alone.
    pub resets: &'static [&'static str],
    /// The fields that writes to its status leave alone.
    pub status_resets: &'static [&'static str],
}

/// A kind without a status that has no other peculiarity.
pub const PLAIN: Ways = Ways {
    default: |_| {},
    prepare_create: |_| {},
    prepare_update: |_, _| {},
    prepare_status_update: keep_spec,
    validate: |_, _| Vec::new(),
    validate_status: |_, _| Vec::new(),
    generation: false,
    counts: is_spec_changed,
    unconditional_update: true,
    create_on_update: false,
    name: NameRule::Subdomain,
    grace: |_| None,
    default_propagation: Propagation::Background,
    special: Special::Nothing,
    selectable: &[],
    resets: &[],
    status_resets: &["spec"],
};

/// A kind with a spec and a status that has no other peculiarity.
pub const STATUS: Ways = Ways {
    prepare_create: drop_status,
    prepare_update: keep_status,
    resets: &["status"],
    ..PLAIN
};

/// A custom resource with the subresource `status`.
pub static CUSTOM_WITH_STATUS: Ways = Ways {
    generation: true,
    unconditional_update: false,
    ..STATUS
};

/// A custom resource without it.
pub static CUSTOM: Ways = Ways {
    generation: true,
    unconditional_update: false,
    ..PLAIN
};

/// Drops the status of a new object: it is written apart.
pub fn drop_status(object: &mut Value) {
    part::drop_field(object, "status");
}

/// The status stays as it is.
pub fn keep_status(new: &mut Value, old: &Value) {
    part::keep(new, old, "status");
}

/// The spec stays as it is. Upstream lets most kinds' metadata be written with their status.
pub fn keep_spec(new: &mut Value, old: &Value) {
    part::keep(new, old, "spec");
}

/// The spec stays as it is, and of the metadata what its writer says.
fn keep_spec_and_metadata(new: &mut Value, old: &Value) {
    keep_spec(new, old);
    let old = &old["metadata"];
    if let Some(metadata) = part::made(new, "metadata") {
        for name in ["labels", "annotations", "finalizers", "ownerReferences"] {
            part::keep(metadata, old, name);
        }
    }
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
    validate::create(metadata, scope, rule)
}

/// The ways of a built-in kind.
pub fn of(group: &str, resource: &str) -> &'static Ways {
    match group {
        "" => core(resource),
        "apps" => match resource {
            "deployments" => &workload::DEPLOYMENT,
            "replicasets" => &workload::REPLICA_SET,
            "statefulsets" => &workload::STATEFUL_SET,
            "daemonsets" => &workload::DAEMON_SET,
            "controllerrevisions" => &workload::CONTROLLER_REVISION,
            _ => &OTHER,
        },
        "batch" => match resource {
            "jobs" => &job::JOB,
            "cronjobs" => &job::CRON_JOB,
            _ => &OTHER,
        },
        "rbac.authorization.k8s.io" => match resource {
            "roles" => &access::ROLE,
            "clusterroles" => &access::CLUSTER_ROLE,
            "rolebindings" => &access::ROLE_BINDING,
            "clusterrolebindings" => &access::CLUSTER_ROLE_BINDING,
            _ => &OTHER,
        },
        "networking.k8s.io" => match resource {
            "ingresses" => &network::INGRESS,
            "ingressclasses" => &network::INGRESS_CLASS,
            "networkpolicies" => &network::NETWORK_POLICY,
            "servicecidrs" => &APART,
            _ => &OTHER,
        },
        "storage.k8s.io" => match resource {
            "storageclasses" => &storage::STORAGE_CLASS,
            "csidrivers" => &storage::DRIVER,
            "volumeattachments" => &storage::ATTACHMENT,
            "csinodes" | "csistoragecapacities" => &CONDITIONAL,
            _ => &OTHER,
        },
        "admissionregistration.k8s.io" => match resource {
            "validatingwebhookconfigurations" => &admission::VALIDATING_WEBHOOKS,
            "mutatingwebhookconfigurations" => &admission::MUTATING_WEBHOOKS,
            "validatingadmissionpolicies" | "mutatingadmissionpolicies" => &admission::POLICY,
            "validatingadmissionpolicybindings" | "mutatingadmissionpolicybindings" => {
                &admission::POLICY_BINDING
            }
            _ => &OTHER,
        },
        "flowcontrol.apiserver.k8s.io" => match resource {
            "flowschemas" => &admission::FLOW_SCHEMA,
            "prioritylevelconfigurations" => &admission::PRIORITY_LEVEL,
            _ => &OTHER,
        },
        _ => match (group, resource) {
            ("apiextensions.k8s.io", "customresourcedefinitions") => &DEFINITION,
            ("autoscaling", "horizontalpodautoscalers") => &autoscaler::AUTOSCALER,
            ("policy", "poddisruptionbudgets") => &autoscaler::BUDGET,
            ("discovery.k8s.io", "endpointslices") => &endpoint::ENDPOINT_SLICE,
            ("coordination.k8s.io", "leases") => &node::LEASE,
            ("events.k8s.io", "events") => &node::EVENT,
            ("scheduling.k8s.io", "priorityclasses") => &quota::PRIORITY_CLASS,
            ("certificates.k8s.io", "certificatesigningrequests") => &admission::SIGNING_REQUEST,
            ("node.k8s.io", "runtimeclasses") => &RUNTIME_CLASS,
            ("apiregistration.k8s.io", "apiservices") => &CONDITIONAL,
            _ => &OTHER,
        },
    }
}

fn core(resource: &str) -> &'static Ways {
    match resource {
        "configmaps" => &config::CONFIG_MAP,
        "secrets" => &config::SECRET,
        "namespaces" => &namespace::NAMESPACE,
        "serviceaccounts" => &namespace::SERVICE_ACCOUNT,
        "services" => &service::SERVICE,
        "pods" => &pod::POD,
        "podtemplates" => &pod::POD_TEMPLATE,
        "replicationcontrollers" => &workload::REPLICATION_CONTROLLER,
        "endpoints" => &endpoint::ENDPOINTS,
        "events" => &node::CORE_EVENT,
        "nodes" => &node::NODE,
        "limitranges" => &quota::LIMIT_RANGE,
        "resourcequotas" => &quota::QUOTA,
        "persistentvolumeclaims" => &storage::CLAIM,
        "persistentvolumes" => &storage::VOLUME,
        _ => &OTHER,
    }
}

/// A kind of which nothing else is known.
static OTHER: Ways = STATUS;

/// A kind whose status is written without its metadata.
static APART: Ways = Ways {
    prepare_status_update: keep_spec_and_metadata,
    status_resets: &["metadata", "spec"],
    ..STATUS
};

/// A kind that is changed by those alone who know it.
static CONDITIONAL: Ways = Ways {
    unconditional_update: false,
    ..STATUS
};

static RUNTIME_CLASS: Ways = Ways {
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
