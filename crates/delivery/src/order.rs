//! In which order objects are applied and deleted.
//!
//! Three edges wait for state ([`waits`]); the stages only say what is applied before what. To wait
//! for readiness between stages would deadlock: a Deployment may need a later object to get ready.
//! Kinds are matched by group and kind, never by version.

use std::collections::{BTreeMap, BTreeSet};

use manifest::ObjectId;
use serde_json::{Map, Value};

use crate::Object;

/// What has to be there, and ready, before an object is applied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The definition of this name is established.
    Crd(String),
    /// The namespace of this name is active.
    Namespace(String),
    /// This workload answers the webhook.
    Backend(ObjectId),
}

/// The stages of an apply, first to last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// Namespaces and definitions, which others cannot be written without.
    Ground,
    /// StorageClasses and the like, which others name.
    Kinds,
    /// What Pods mount, run as or are limited by, and roles.
    Settings,
    /// Bindings, which name roles.
    Bindings,
    /// Everything that has no reason to be elsewhere.
    Rest,
    /// What changes how the API server answers: up before its backend, it would reject every
    /// object after it, the backend included.
    Gates,
}

fn class(group: &str, kind: &str) -> Class {
    match (group, kind) {
        ("", "Namespace") | ("apiextensions.k8s.io", "CustomResourceDefinition") => Class::Ground,
        ("storage.k8s.io", "StorageClass" | "VolumeAttributesClass")
        | ("scheduling.k8s.io", "PriorityClass")
        | ("node.k8s.io", "RuntimeClass")
        | ("networking.k8s.io", "IngressClass")
        | ("gateway.networking.k8s.io", "GatewayClass")
        | ("snapshot.storage.k8s.io", "VolumeSnapshotClass")
        | ("resource.k8s.io", "DeviceClass")
        | ("cluster.x-k8s.io", "ClusterClass") => Class::Kinds,
        (
            "",
            "ServiceAccount"
            | "ConfigMap"
            | "Secret"
            | "ResourceQuota"
            | "LimitRange"
            | "PersistentVolume"
            | "PersistentVolumeClaim",
        )
        | ("rbac.authorization.k8s.io", "Role" | "ClusterRole")
        | ("networking.k8s.io", "NetworkPolicy")
        | ("policy", "PodDisruptionBudget") => Class::Settings,
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => Class::Bindings,
        (
            "admissionregistration.k8s.io",
            "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration",
        )
        | ("apiregistration.k8s.io", "APIService") => Class::Gates,
        _ => Class::Rest,
    }
}

/// Sorts objects into stages, as indices: each stage is applied after the one before it, none is
/// empty, and within one the order of the objects is kept.
pub fn stages(objects: &[Object]) -> Vec<Vec<usize>> {
    let mut stages: BTreeMap<Class, Vec<usize>> = BTreeMap::new();
    for (index, object) in objects.iter().enumerate() {
        stages
            .entry(class(&object.id.group, &object.id.kind))
            .or_default()
            .push(index);
    }
    stages.into_values().collect()
}

/// What the object at an index waits for, among the objects of the same set.
///
/// To ask for many, [`waits`] reads the set only once.
pub fn waits_for(objects: &[Object], index: usize) -> Vec<Need> {
    objects
        .get(index)
        .map(|object| Set::of(objects).needs(object))
        .unwrap_or_default()
}

/// What each object waits for, among the objects of the same set.
///
/// Guarantees: no circle. A definition and a namespace wait for nothing, a workload only for
/// those, a webhook configuration only for workloads.
pub fn waits(objects: &[Object]) -> Vec<Vec<Need>> {
    let set = Set::of(objects);
    objects.iter().map(|object| set.needs(object)).collect()
}

/// A workload and the labels of its Pods.
type Workload<'a> = (&'a ObjectId, &'a Map<String, Value>);

/// The objects of a set that others wait for.
struct Set<'a> {
    /// Group and kind of each definition, and its name.
    definitions: BTreeMap<(&'a str, &'a str), &'a str>,
    namespaces: BTreeSet<&'a str>,
    /// The selector of each Service, by namespace and name.
    services: BTreeMap<(&'a str, &'a str), &'a Map<String, Value>>,
    /// The workloads of each namespace with the labels of their Pods.
    workloads: BTreeMap<&'a str, Vec<Workload<'a>>>,
}

impl<'a> Set<'a> {
    fn of(objects: &'a [Object]) -> Self {
        let mut set = Self {
            definitions: BTreeMap::new(),
            namespaces: BTreeSet::new(),
            services: BTreeMap::new(),
            workloads: BTreeMap::new(),
        };
        for object in objects {
            set.add(object);
        }
        set
    }

    fn add(&mut self, object: &'a Object) {
        let (id, value) = (&object.id, object.manifest.value());
        let namespace = id.namespace.as_deref().unwrap_or_default();
        let text = |pointer: &str| {
            value
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let map = |pointer: &str| value.pointer(pointer).and_then(Value::as_object);
        match (id.group.as_str(), id.kind.as_str()) {
            ("apiextensions.k8s.io", "CustomResourceDefinition") => {
                let defined = match value.pointer("/spec") {
                    Some(_) => (text("/spec/group"), text("/spec/names/kind")),
                    None => return,
                };
                self.definitions.insert(defined, &id.name);
            }
            ("", "Namespace") => {
                self.namespaces.insert(&id.name);
            }
            ("", "Service") => {
                if let Some(selector) =
                    map("/spec/selector").filter(|selector| !selector.is_empty())
                {
                    self.services.insert((namespace, &id.name), selector);
                }
            }
            ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") => {
                if let Some(labels) = map("/spec/template/metadata/labels") {
                    self.workloads
                        .entry(namespace)
                        .or_default()
                        .push((id, labels));
                }
            }
            ("", "Pod") => {
                if let Some(labels) = map("/metadata/labels") {
                    self.workloads
                        .entry(namespace)
                        .or_default()
                        .push((id, labels));
                }
            }
            _ => {}
        }
    }

    fn needs(&self, object: &Object) -> Vec<Need> {
        let id = &object.id;
        let mut needs = Vec::new();
        if let Some(name) = self.definitions.get(&(id.group.as_str(), id.kind.as_str())) {
            needs.push(Need::Crd((*name).to_owned()));
        }
        if let Some(namespace) = id
            .namespace
            .as_deref()
            .filter(|namespace| self.namespaces.contains(namespace))
        {
            needs.push(Need::Namespace(namespace.to_owned()));
        }
        if id.group == "admissionregistration.k8s.io" && id.kind.ends_with("WebhookConfiguration") {
            needs.extend(
                self.backends(object.manifest.value())
                    .into_iter()
                    .map(Need::Backend),
            );
        }
        needs
    }

    /// The workloads of the set behind the Services that a webhook configuration calls.
    fn backends(&self, configuration: &Value) -> BTreeSet<ObjectId> {
        let webhooks = configuration.get("webhooks").and_then(Value::as_array);
        let mut backends = BTreeSet::new();
        for webhook in webhooks.into_iter().flatten() {
            let service = |field: &str| {
                let service = webhook.pointer("/clientConfig/service")?;
                service.get(field)?.as_str()
            };
            let (Some(namespace), Some(name)) = (service("namespace"), service("name")) else {
                continue;
            };
            let Some(selector) = self.services.get(&(namespace, name)) else {
                continue;
            };
            let workloads = self.workloads.get(namespace).into_iter().flatten();
            let selected = workloads.filter(|(_, labels)| {
                selector
                    .iter()
                    .all(|(key, value)| labels.get(key) == Some(value))
            });
            backends.extend(selected.map(|(id, _)| (*id).clone()));
        }
        backends
    }
}

/// The stages of a deletion, first to last.
///
/// The reverse of an apply, with two differences. Custom resources go before the workloads too: the
/// operator among them has to run until their finalizers are done. Definitions go right after
/// their resources, while a conversion webhook still answers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Departure {
    Webhooks,
    CustomResources,
    Definitions,
    Rest,
    Bindings,
    Settings,
    Kinds,
    Namespaces,
}

fn departure(id: &ObjectId) -> Departure {
    match class(&id.group, &id.kind) {
        Class::Ground if id.kind == "Namespace" => Departure::Namespaces,
        Class::Ground => Departure::Definitions,
        Class::Kinds => Departure::Kinds,
        Class::Settings => Departure::Settings,
        Class::Bindings => Departure::Bindings,
        // An aggregated API is served by a workload, but its objects have to go before it does.
        Class::Gates if id.kind == "APIService" => Departure::Definitions,
        Class::Gates => Departure::Webhooks,
        Class::Rest if id.group.contains('.') && !id.group.ends_with(".k8s.io") => {
            Departure::CustomResources
        }
        Class::Rest => Departure::Rest,
    }
}

/// Sorts objects into stages of deletion: each stage is gone before the next one begins, none is
/// empty, and within one the objects are sorted.
pub fn prune_stages(ids: &[ObjectId]) -> Vec<Vec<ObjectId>> {
    let mut stages: BTreeMap<Departure, BTreeSet<ObjectId>> = BTreeMap::new();
    // A definition in the list tells of its resources whatever their group looks like.
    let is_definition = |id: &&ObjectId| departure(id) == Departure::Definitions;
    let groups: BTreeSet<&str> = ids
        .iter()
        .filter(is_definition)
        .filter_map(|id| id.name.split_once('.').map(|(_, group)| group))
        .collect();
    for id in ids {
        let departure = match departure(id) {
            Departure::Rest if groups.contains(id.group.as_str()) => Departure::CustomResources,
            departure => departure,
        };
        stages.entry(departure).or_default().insert(id.clone());
    }
    stages
        .into_values()
        .map(|stage| stage.into_iter().collect())
        .collect()
}

#[cfg(test)]
mod tests;
