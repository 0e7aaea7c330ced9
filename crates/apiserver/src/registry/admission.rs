//! What a write has to get past beside its own rules: who asks, and where it goes.

use serde_json::Value;

use super::write::Write;
use crate::auth::rbac::{self, RbacKind};
use crate::cluster::Cluster;
use crate::crd::Definition;
use crate::status::{About, Cause, Details, Status};
use crate::store::{Key, Resource};
use crate::validate::finalizer_warnings;
use crate::ways::Special;

/// What this server would store without doing what it says: an API group, a resource of it (all, where
/// empty), and what is not done.
const NOT_DONE: &[(&str, &str, &str)] = &[
    (
        "admissionregistration.k8s.io",
        "",
        "calls no webhooks and evaluates no policies",
    ),
    (
        "apiregistration.k8s.io",
        "",
        "serves no other server's APIs",
    ),
    ("", "resourcequotas", "enforces no quotas"),
    ("", "limitranges", "enforces no limits"),
];

impl Write<'_> {
    /// What the author of an object should know.
    pub(super) fn advice(&self, object: &Value, old: Option<&Value>) -> Vec<String> {
        let before = old.map_or(&Value::Null, |old| &old["metadata"]);
        let mut advice = finalizer_warnings(&object["metadata"], before);
        advice.extend((self.kind.ways.advice)(object));
        if self.kind.ways.special == Special::DefinesKinds {
            advice.extend(Definition::warnings(object, old));
        }
        advice
    }

    /// Refuses objects that would have no effect and whose author relies on it.
    pub(super) fn check_done(&self) -> Result<(), Status> {
        let resource = &self.kind.resource;
        let found = NOT_DONE.iter().find(|(group, plural, _)| {
            **group == *resource.group && (plural.is_empty() || **plural == *resource.plural)
        });
        found.map_or(Ok(()), |(_, _, what)| {
            let why = format!("this server {what}");
            Err(Status::forbidden(self.kind.about(), self.name, &why))
        })
    }

    /// Nobody hands out more rights than they have, whatever way a role or binding is written.
    pub(super) fn check_rights(
        &self,
        cluster: &Cluster,
        object: &Value,
        old: Option<&Value>,
    ) -> Result<(), Status> {
        let resource = &self.kind.resource;
        let (Some(user), true) = (self.user, &*resource.group == rbac::GROUP) else {
            return Ok(());
        };
        let Some(kind) = RbacKind::of_resource(&resource.plural) else {
            return Ok(());
        };
        let write = rbac::Write {
            kind,
            namespace: self.namespace,
            name: self.name,
            object,
            old,
        };
        cluster.with_rules(|rules| rules.check_write(user, &write))
    }

    /// Refuses what is created while its definition is on its way out, whatever way it is created.
    pub(super) fn check_defined(&self, name: &str) -> Result<(), Status> {
        if !self.kind.is_custom() || self.kind.resource.allows("create") {
            return Ok(());
        }
        let why = "create not allowed while custom resource definition is terminating";
        Err(Status::forbidden(self.kind.about(), name, why))
    }

    /// Refuses what is created in a namespace that is not there, or on its way out.
    pub(super) fn check_namespace(&self, cluster: &Cluster, name: &str) -> Result<(), Status> {
        if !self.kind.resource.namespaced || self.namespace.is_empty() {
            return Ok(());
        }
        let namespaces = Resource::new("", "namespaces");
        let key = Key::new(&namespaces, "", self.namespace)
            .map_err(|error| Status::bad_request(error.to_string()))?;
        let about = About {
            group: "",
            resource: "namespaces",
            kind: "Namespace",
        };
        let Some(namespace) = cluster.store.get(&key) else {
            return Err(Status::not_found(about, self.namespace));
        };
        if namespace.meta().deletion_timestamp.is_none() {
            return Ok(());
        }
        let why = format!(
            "unable to create new content in namespace {} because it is being terminated",
            self.namespace
        );
        let mut status = Status::forbidden(self.kind.about(), name, &why);
        let details = status.details.get_or_insert_with(Box::<Details>::default);
        details.causes.push(Cause {
            reason: "NamespaceTerminating".to_owned(),
            message: format!("namespace {} is being terminated", self.namespace),
            field: "metadata.namespace".to_owned(),
        });
        Err(status)
    }
}
