//! Whether an object has become what its spec wants, by kstatus's rules.
//!
//! The rules are those of kubernetes-sigs/cli-utils, `pkg/kstatus`, down to what surprises: a Job
//! that runs and a Pod that failed are current, a load balancer need not have its address, and a
//! custom resource is current until its controller says otherwise.

mod rule;

use std::time::Duration;

use serde_json::Value;

/// How far an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, strum::IntoStaticStr)]
pub enum Status {
    /// It is what its spec wants.
    Current,
    /// It is on its way.
    InProgress,
    /// It will not get there by itself.
    Failed,
    /// It is being deleted.
    Terminating,
    /// It is not there.
    NotFound,
    /// Nobody can tell.
    Unknown,
}

impl Status {
    /// The name of the variant, as kstatus prints it.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// How far an object is, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// How far it is.
    pub status: Status,
    /// One word for why; empty for a current object. It is the object's own where a condition
    /// decided.
    pub reason: String,
    /// Why, for a reader. It may be text that a controller wrote into a condition.
    pub message: String,
}

impl Health {
    fn new(status: Status, reason: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            reason: reason.to_owned(),
            message: message.into(),
        }
    }

    fn current(message: impl Into<String>) -> Self {
        Self::new(Status::Current, "", message)
    }

    fn in_progress(reason: &str, message: impl Into<String>) -> Self {
        Self::new(Status::InProgress, reason, message)
    }

    fn failed(reason: &str, message: impl Into<String>) -> Self {
        Self::new(Status::Failed, reason, message)
    }

    /// An object that is not there.
    pub fn not_found() -> Self {
        Self::new(Status::NotFound, "NotFound", "the object does not exist")
    }
}

/// Judges a live object; `null` is one that does not exist.
///
/// `age` is the time since the object was created. Only a Pod that cannot be scheduled needs it:
/// without it, such a Pod is in progress however long it has waited.
pub fn health(object: &Value, age: Option<Duration>) -> Health {
    if object.is_null() {
        return Health::not_found();
    }
    generic(object)
        .or_else(|| rule::by_kind(object, age))
        .or_else(|| ready(object))
        .unwrap_or_else(|| Health::current("the object is current"))
}

/// Whether the health of a kind depends on its status: if not, the object is current as soon as it
/// exists, and need not be read.
pub fn needs_status(group: &str, kind: &str) -> bool {
    let settled = match group {
        "" => matches!(
            kind,
            "ConfigMap"
                | "Secret"
                | "ServiceAccount"
                | "LimitRange"
                | "ResourceQuota"
                | "Endpoints"
                | "PodTemplate"
        ),
        "apps" => kind == "ControllerRevision",
        "batch" => kind == "CronJob",
        "rbac.authorization.k8s.io" => {
            matches!(
                kind,
                "Role" | "RoleBinding" | "ClusterRole" | "ClusterRoleBinding"
            )
        }
        "networking.k8s.io" => matches!(kind, "NetworkPolicy" | "Ingress" | "IngressClass"),
        "storage.k8s.io" => matches!(kind, "StorageClass" | "CSIDriver"),
        "scheduling.k8s.io" => kind == "PriorityClass",
        "node.k8s.io" => kind == "RuntimeClass",
        "coordination.k8s.io" => kind == "Lease",
        "discovery.k8s.io" => kind == "EndpointSlice",
        "admissionregistration.k8s.io" => {
            matches!(
                kind,
                "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration"
            )
        }
        _ => false,
    };
    !settled
}

/// The health of an object that is on its way out.
pub fn deleting() -> Health {
    Health::new(
        Status::Terminating,
        "Deleted",
        "the object is being deleted",
    )
}

/// What holds for every kind and is looked at first.
fn generic(object: &Value) -> Option<Health> {
    if !text(object, "/metadata/deletionTimestamp").is_empty() {
        return Some(deleting());
    }
    let generation = integer(object, "/metadata/generation");
    let observed = integer(object, "/status/observedGeneration");
    if let (Some(generation), Some(observed)) = (generation, observed)
        && generation != observed
    {
        let message = format!("the controller has seen generation {observed} of {generation}");
        return Some(Health::in_progress("LatestGenerationNotObserved", message));
    }
    for condition in conditions(object) {
        match (condition.kind, condition.status) {
            ("Reconciling", "True") => {
                return Some(Health::in_progress(condition.reason, condition.message));
            }
            ("Stalled", "True") => {
                return Some(Health::failed(condition.reason, condition.message));
            }
            _ => {}
        }
    }
    None
}

/// What holds for kinds that have no rule of their own.
fn ready(object: &Value) -> Option<Health> {
    let ready = conditions(object).find(|condition| {
        condition.kind == "Ready" && matches!(condition.status, "True" | "False" | "Unknown")
    })?;
    Some(match ready.status {
        "True" => Health::current("the object is ready"),
        _ => Health::in_progress(ready.reason, ready.message),
    })
}

struct Condition<'a> {
    kind: &'a str,
    status: &'a str,
    reason: &'a str,
    message: &'a str,
}

fn conditions(object: &Value) -> impl Iterator<Item = Condition<'_>> {
    let conditions = object
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    conditions.into_iter().flatten().map(|condition| Condition {
        kind: text(condition, "/type"),
        status: text(condition, "/status"),
        reason: text(condition, "/reason"),
        message: text(condition, "/message"),
    })
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn integer(value: &Value, pointer: &str) -> Option<i64> {
    value.pointer(pointer).and_then(Value::as_i64)
}

#[cfg(test)]
mod tests;
