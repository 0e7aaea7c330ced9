//! What is wrong with the spec of a Pod.
//!
//! External rules: `ValidatePodSpec`, `ValidatePodTemplateSpec` and `ValidatePodCreate` of
//! k8s.io/kubernetes, pkg/apis/core/validation. Left out: the rules for Windows, for annotations of
//! seccomp and AppArmor, and for what the containers together ask of a Pod's own resources.

use std::collections::BTreeSet;

use serde_json::Value;

use super::resource::{self, Of};
use super::{affinity, container, security, volume};
use crate::status::FieldError;
use crate::validate::{Path, dns1123_subdomain};
use crate::ways::fault::Faults;
use crate::ways::part::Part as _;
use crate::ways::rule;

const RESTARTS: [&str; 3] = ["Always", "OnFailure", "Never"];
const RESOLVERS: [&str; 4] = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
const PREEMPTIONS: [&str; 2] = ["PreemptLowerPriority", "Never"];

/// Whose Pods a template is of.
#[derive(Default)]
pub(in crate::ways) struct Owner<'a> {
    /// Volumes that the owner adds: the names of claims.
    pub(in crate::ways) claims: &'a [Value],
    /// Whether the names of hosts are the owner's.
    pub(in crate::ways) names_hosts: bool,
}

/// What a spec stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// A Pod of this name.
    Pod(&'a str),
    /// A template.
    Template,
}

/// What is wrong with a new Pod.
pub(super) fn create(pod: &Value) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let at = Path::at("spec");
    self::pod(pod, &mut faults);
    let spec = pod.part("spec");
    if !spec.items("ephemeralContainers").is_empty() {
        faults.forbidden(&at.field("ephemeralContainers"), "cannot be set on create");
    }
    if !spec.text("nodeName").is_empty() && !spec.items("schedulingGates").is_empty() {
        let why = "cannot be set until all schedulingGates have been cleared";
        faults.forbidden(&at.field("nodeName"), why);
    }
    faults.into_errors()
}

/// What is wrong with any Pod.
pub(super) fn pod(pod: &Value, faults: &mut Faults) {
    let at = Path::at("spec");
    let value = pod.part("spec");
    let name = pod["metadata"].text("name");
    spec(value, &at, Place::Pod(name), &Owner::default(), faults);
    if value.text("serviceAccountName").is_empty() {
        let why = "must not be specified when serviceAccountName is not set";
        volume::tokens(value, &at.field("volumes"), |at| faults.forbidden(at, why));
    }
    for list in ["containers", "initContainers"] {
        let at = at.field(list);
        for (index, container) in value.items(list).iter().enumerate() {
            untrimmed(container, &at.index(index), faults);
        }
    }
}

/// An image's name with blanks around it.
pub(super) fn untrimmed(container: &Value, at: &Path<'_>, faults: &mut Faults) {
    let image = container.text("image");
    if image.trim() != image {
        let why = "must not have leading or trailing whitespace";
        faults.invalid(&at.field("image"), image, why);
    }
}

/// What is wrong with the template of Pods.
pub(in crate::ways) fn template(
    template: &Value,
    at: &Path<'_>,
    owner: &Owner<'_>,
) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let metadata = template.part("metadata");
    faults.labels(&at.field("labels"), metadata.part("labels"));
    annotations(metadata, &at.field("annotations"), &mut faults);
    let at = at.field("spec");
    let value = template.part("spec");
    spec(value, &at, Place::Template, owner, &mut faults);
    if !value.items("ephemeralContainers").is_empty() {
        let why = "ephemeral containers not allowed in pod template";
        faults.forbidden(&at.field("ephemeralContainers"), why);
    }
    faults.into_errors()
}

fn annotations(metadata: &Value, at: &Path<'_>, faults: &mut Faults) {
    for (key, _) in metadata.entries("annotations") {
        faults.each(
            at,
            key,
            crate::validate::qualified_name(&key.to_lowercase()),
        );
    }
}

fn spec(value: &Value, at: &Path<'_>, place: Place<'_>, owner: &Owner<'_>, faults: &mut Faults) {
    let volumes = volume::check(value, &at.field("volumes"), place, owner.claims, faults);
    container::check(value, at, &volumes, faults);
    if value.has("resources") {
        let at = at.field("resources");
        resource::requirements(value.part("resources"), &at, Of::Pod, faults);
    }
    host_ports(value, &at.field("containers"), place, faults);
    faults.one_of(
        &at.field("restartPolicy"),
        value.text("restartPolicy"),
        &RESTARTS,
    );
    faults.one_of(&at.field("dnsPolicy"), value.text("dnsPolicy"), &RESOLVERS);
    faults.labels(&at.field("nodeSelector"), value.part("nodeSelector"));
    security::of_pod(value, &at.field("securityContext"), faults);
    affinity::check(value.part("affinity"), &at.field("affinity"), faults);
    resolver(value, &at.field("dnsConfig"), faults);
    gates(value, at, faults);
    affinity::spread(value, &at.field("topologySpreadConstraints"), faults);
    for name in ["serviceAccountName", "nodeName"] {
        subdomain(value, name, at, faults);
    }
    if let Some(seconds) = value.some_number("activeDeadlineSeconds") {
        let fault = rule::range(seconds, 1, i64::from(i32::MAX));
        faults.each_number(&at.field("activeDeadlineSeconds"), seconds, fault);
    }
    for name in ["hostname", "subdomain"] {
        let host = value.text(name);
        if !host.is_empty() && !owner.names_hosts {
            faults.label(&at.field(name), host);
        }
    }
    affinity::tolerations(value, &at.field("tolerations"), faults);
    aliases(value, &at.field("hostAliases"), faults);
    classes(value, at, faults);
}

fn subdomain(spec: &Value, name: &str, at: &Path<'_>, faults: &mut Faults) {
    let value = spec.text(name);
    if !value.is_empty() {
        faults.subdomain(&at.field(name), value);
    }
}

fn classes(spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    subdomain(spec, "priorityClassName", at, faults);
    if let Some(class) = spec["runtimeClassName"].as_str() {
        faults.subdomain(&at.field("runtimeClassName"), class);
    }
    let policy = spec.part("preemptionPolicy");
    faults.one_of_if(&at.field("preemptionPolicy"), policy, &PREEMPTIONS);
    let overhead = at.field("overhead");
    for (name, amount) in spec.entries("overhead") {
        let at = overhead.key(name);
        resource::container_name(name, &at, faults);
        resource::quantity(name, amount, &at, faults);
    }
    if spec.has("os") {
        let (at, os) = (at.field("os"), spec["os"].text("name"));
        faults.one_of(&at.field("name"), os, &["linux", "windows"]);
    }
}

fn host_ports(spec: &Value, at: &Path<'_>, place: Place<'_>, faults: &mut Faults) {
    if !spec.is_true("hostNetwork") {
        return;
    }
    for (index, container) in spec.items("containers").iter().enumerate() {
        let at = at.index(index);
        let at = at.field("ports");
        for (index, port) in container.items("ports").iter().enumerate() {
            let (host, own) = (port.number("hostPort"), port.number("containerPort"));
            if host != own && (host != 0 || place != Place::Template) {
                let why = "must match `containerPort` when `hostNetwork` is true";
                faults.invalid(&at.index(index).field("hostPort"), host, why);
            }
        }
    }
}

fn resolver(spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    let config = spec.part("dnsConfig");
    let servers = config.items("nameservers");
    if spec.text("dnsPolicy") == "None" {
        if config.is_null() {
            faults.required(at, "must provide `dnsConfig` when `dnsPolicy` is None");
            return;
        }
        if servers.is_empty() {
            let why = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            faults.required(&at.field("nameservers"), why);
            return;
        }
    }
    if servers.len() > 3 {
        let why = "must not have more than 3 nameservers";
        faults.invalid(&at.field("nameservers"), servers.to_vec(), why);
    }
    let servers_at = at.field("nameservers");
    for (index, server) in config.texts("nameservers").enumerate() {
        faults.each(&servers_at.index(index), server, rule::ip_faults(server));
    }
    let searches = config.items("searches");
    let searches_at = at.field("searches");
    if searches.len() > 32 {
        let why = "must not have more than 32 search paths";
        faults.invalid(&searches_at, searches.to_vec(), why);
    }
    for (index, search) in config.texts("searches").enumerate() {
        let name = search.strip_suffix('.').unwrap_or(search);
        if search == "." || dns1123_subdomain(&name.replace('_', "a")).is_empty() {
            continue;
        }
        let why = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')";
        faults.invalid(&searches_at.index(index), name, why);
    }
    let options_at = at.field("options");
    for (index, option) in config.items("options").iter().enumerate() {
        if option.text("name").is_empty() {
            faults.required(&options_at.index(index), "must not be empty");
        }
    }
}

fn gates(spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    let readiness = at.field("readinessGates");
    for (index, gate) in spec.items("readinessGates").iter().enumerate() {
        let at = readiness.index(index);
        faults.qualified(&at.field("conditionType"), gate.text("conditionType"));
    }
    let scheduling = at.field("schedulingGates");
    let gates = spec.items("schedulingGates");
    let mut seen = BTreeSet::new();
    for (index, gate) in gates.iter().enumerate() {
        let (at, name) = (scheduling.index(index), gate.text("name"));
        faults.qualified(&at, name);
        if !seen.insert(name) {
            faults.duplicate(&at, name);
        }
    }
}

fn aliases(spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    for (index, alias) in spec.items("hostAliases").iter().enumerate() {
        let at = at.index(index);
        let ip = alias.text("ip");
        faults.each(&at.field("ip"), ip, rule::ip_faults(ip));
        let hosts = at.field("hostnames");
        for (index, host) in alias.texts("hostnames").enumerate() {
            faults.subdomain(&hosts.index(index), host);
        }
    }
}
