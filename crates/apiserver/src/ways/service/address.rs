//! The addresses that a Service asks for, and of which kinds they are. Upstream settles them, and finds
//! faults in them, before it looks at anything else.
//!
//! External rules: `patchAllocatedValues`, `normalizeClusterIPs` and `initIPFamilyFields` of
//! k8s.io/kubernetes, pkg/registry/core/service/storage, and `ValidateServiceClusterIPsRelatedFields`,
//! pkg/apis/core/validation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{needs_health_check, needs_ip, needs_node_port, node_ports};
use crate::status::FieldError;
use crate::validate::Path;
use crate::ways::fault::Faults;
use crate::ways::part::{self, Part as _, drop_field, each, keep, made};
use crate::ways::rule;

const FAMILIES: [&str; 2] = ["IPv4", "IPv6"];
const POLICIES: [&str; 3] = ["PreferDualStack", "RequireDualStack", "SingleStack"];

/// Brings both ways to write addresses together, takes from the old Service what the new one leaves out,
/// and says what is wrong.
pub(super) fn settle(service: &mut Value, old: Option<&Value>) -> Vec<FieldError> {
    let old = old.map_or(&Value::Null, |old| old.part("spec"));
    let Some(spec) = made(service, "spec") else {
        return Vec::new();
    };
    if !old.is_null() {
        take_over(spec, old);
    }
    let (ip, before) = (spec.text("clusterIP"), old.text("clusterIP"));
    let is_same = ip == before && spec["clusterIPs"] == old["clusterIPs"];
    if old.is_null() || (ip == before && !is_same && spec.items("clusterIPs").is_empty()) {
        if !ip.is_empty() && spec.items("clusterIPs").is_empty() {
            let ips = json!([ip]);
            part::put(spec, "clusterIPs", ips);
        }
    } else if ip != before && spec["clusterIPs"] == old["clusterIPs"] {
        if ip.is_empty() {
            drop_field(spec, "clusterIPs");
        } else {
            let ips = json!([ip]);
            part::put(spec, "clusterIPs", ips);
        }
    }
    if !needs_ip(spec) {
        return Vec::new();
    }
    families(spec, old)
}

fn take_over(spec: &mut Value, old: &Value) {
    if needs_ip(old) && needs_ip(spec) {
        if spec.text("clusterIP").is_empty() {
            keep(spec, old, "clusterIP");
        }
        if spec.items("clusterIPs").is_empty() {
            keep(spec, old, "clusterIPs");
        }
    }
    if needs_node_port(old) && needs_node_port(spec) {
        let taken: BTreeSet<i64> = node_ports(spec).collect();
        let before: BTreeMap<&str, i64> = old
            .items("ports")
            .iter()
            .map(|port| (port.text("name"), port.number("nodePort")))
            .collect();
        for port in each(spec, "ports") {
            if port.number("nodePort") != 0 {
                continue;
            }
            let number = before.get(port.text("name")).copied().unwrap_or(0);
            if number != 0 && !taken.contains(&number) {
                part::put(port, "nodePort", number);
            }
        }
    }
    if needs_health_check(old)
        && needs_health_check(spec)
        && spec.number("healthCheckNodePort") == 0
    {
        keep(spec, old, "healthCheckNodePort");
    }
}

/// Which kinds of addresses a Service has. The cluster has IPv4 alone.
fn families(spec: &mut Value, old: &Value) -> Vec<FieldError> {
    // Who prefers both kinds and says nothing new is not given another one.
    let prefers = |spec: &Value| spec.text("ipFamilyPolicy") == "PreferDualStack";
    let same = |spec: &Value, name: &str| part::is_same(spec, old, name);
    if (prefers(spec) && prefers(old))
        && ["type", "clusterIPs", "ipFamilies"]
            .iter()
            .all(|name| same(spec, name))
    {
        return Vec::new();
    }
    let selects = spec["selector"]
        .as_object()
        .is_some_and(|map| !map.is_empty());
    // Nothing is allocated for these, so that both kinds are at hand.
    let is_loose = spec.text("clusterIP") == "None" && !selects;
    if !spec.has("ipFamilyPolicy") {
        if old.has("ipFamilyPolicy") {
            keep(spec, old, "ipFamilyPolicy");
        } else if is_loose {
            part::put(spec, "ipFamilyPolicy", "RequireDualStack");
        } else {
            part::put(spec, "ipFamilyPolicy", "SingleStack");
        }
    }
    let related = related(spec, old);
    if !related.is_empty() {
        return related;
    }
    let is_single = spec.text("ipFamilyPolicy") == "SingleStack";
    if is_single
        && same(spec, "ipFamilies")
        && let Some(families) = spec.get_mut("ipFamilies").and_then(Value::as_array_mut)
    {
        families.truncate(1);
    }
    let faults = stacks(spec, old);
    if !faults.is_empty() {
        return faults;
    }
    if spec.items("ipFamilies").is_empty() {
        part::put(spec, "ipFamilies", json!(["IPv4"]));
    }
    if !is_loose {
        return missing(spec);
    }
    if !is_single
        && let Some(families) = spec["ipFamilies"].as_array_mut()
        && let [only] = families.as_slice()
    {
        let other = if only == "IPv4" { "IPv6" } else { "IPv4" };
        families.push(json!(other));
    }
    Vec::new()
}

/// What does not fit together.
fn related(spec: &Value, old: &Value) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let at = Path::at("spec");
    let (ips_at, families_at) = (at.field("clusterIPs"), at.field("ipFamilies"));
    let (ip, ips) = (spec.text("clusterIP"), spec.items("clusterIPs"));
    let shown = || spec["clusterIPs"].clone();
    if ip.is_empty() && !ips.is_empty() {
        let why = "must be empty when `clusterIP` is not specified";
        faults.invalid(&ips_at, shown(), why);
    } else if !ip.is_empty() && ips.first().is_some_and(|first| first != ip) {
        faults.invalid(&ips_at, shown(), "first value must match `clusterIP`");
    }
    let mut seen = BTreeSet::new();
    for (index, family) in spec.items("ipFamilies").iter().enumerate() {
        let at = families_at.index(index);
        faults.one_of_if(&at, family, &FAMILIES);
        if !seen.insert(family.as_str()) {
            faults.duplicate(&at, family.clone());
        }
    }
    let policy = spec.part("ipFamilyPolicy");
    faults.one_of_if(&at.field("ipFamilyPolicy"), policy, &POLICIES);
    let before = faults.len();
    for (index, ip) in spec.texts("clusterIPs").enumerate() {
        if index == 0 && ip == "None" {
            if ips.len() > 1 {
                faults.invalid(&ips_at, shown(), "'None' must be the first and only value");
            }
        } else if !old.texts("clusterIPs").any(|known| known == ip) {
            faults.each(&ips_at.index(index), ip, rule::ip_faults(ip));
        }
    }
    if faults.len() == before && ips.len() > 2 {
        faults.invalid(&ips_at, shown(), "may only hold up to 2 values");
    }
    faults.into_errors()
}

/// What is wrong with how many kinds of addresses there are.
fn stacks(spec: &Value, old: &Value) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let at = Path::at("spec.ipFamilyPolicy");
    let policy = spec.text("ipFamilyPolicy");
    for (name, of_one, of_many) in [
        ("clusterIPs", "cluster IP", "cluster IPs"),
        ("ipFamilies", "IP family", "IP families"),
    ] {
        let (count, before) = (spec.items(name).len(), old.items(name).len());
        if policy == "SingleStack" {
            if count == 2 {
                let why = format!(
                    "must be 'RequireDualStack' or 'PreferDualStack' when multiple {of_many} are specified"
                );
                faults.invalid(&at, policy, why);
            }
        } else if count > 0 && count < before {
            let why = format!("must be 'SingleStack' to release the secondary {of_one}");
            faults.invalid(&at, policy, why);
        }
    }
    faults.into_errors()
}

/// What the cluster has not.
fn missing(spec: &Value) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let at = Path::at("spec");
    if spec.text("ipFamilyPolicy") == "RequireDualStack" {
        let why = "this cluster is not configured for dual-stack services";
        faults.invalid(&at.field("ipFamilyPolicy"), "RequireDualStack", why);
    }
    let at = at.field("ipFamilies");
    for (index, family) in spec.items("ipFamilies").iter().enumerate() {
        if family == "IPv6" {
            faults.invalid(
                &at.index(index),
                family.clone(),
                "not configured on this cluster",
            );
        }
    }
    faults.into_errors()
}
