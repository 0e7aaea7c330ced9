//! What is wrong with a Service.
//!
//! External rules: `ValidateServiceCreate` and `ValidateServiceUpdate` of k8s.io/kubernetes,
//! pkg/apis/core/validation.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{is_headless, is_reached_from_outside, needs_health_check, needs_ip};
use crate::status::FieldError;
use crate::validate::Path;
use crate::ways::fault::Faults;
use crate::ways::part::Part as _;
use crate::ways::rule;

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const POLICIES: [&str; 2] = ["Cluster", "Local"];
const DISTRIBUTIONS: [&str; 3] = ["PreferClose", "PreferSameZone", "PreferSameNode"];
const BALANCER_ONLY: &str = "may only be used when `type` is 'LoadBalancer'";
const AFFINITY_MOST: i64 = 86_400;

/// What is wrong with a Service, or with its change.
pub(super) fn service(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let spec = new.part("spec");
    let at = Path::at("spec");
    if let Some(old) = old {
        change(spec, old.part("spec"), &at, &mut faults);
    }
    let old = old.map_or(&Value::Null, |old| old.part("spec"));
    if spec.items("ports").is_empty() && !is_headless(spec) && needs_ip(spec) {
        faults.required(&at.field("ports"), "");
    }
    by_type(spec, &at, &mut faults);
    ports(spec, &at.field("ports"), &mut faults);
    faults.labels(&at.field("selector"), spec.part("selector"));
    affinity(spec, &at, &mut faults);
    let external = at.field("externalIPs");
    let known: BTreeSet<&str> = old.texts("externalIPs").collect();
    for (index, ip) in spec.texts("externalIPs").enumerate() {
        if !known.contains(ip) {
            faults.each(&external.index(index), ip, rule::ip_faults(ip));
        }
    }
    faults.one_of(&at.field("type"), spec.text("type"), &TYPES);
    repeated_ports(spec, &at.field("ports"), &mut faults);
    balancer(spec, &at, &mut faults);
    traffic(spec, &at, &mut faults);
    faults.into_errors()
}

/// What is wrong with the status of a Service.
pub(super) fn status(new: &Value, _: &Value) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let ingress = new["status"]["loadBalancer"].items("ingress");
    if new["spec"].text("type") != "LoadBalancer" && !ingress.is_empty() {
        let why = "may only be used when `spec.type` is 'LoadBalancer'";
        faults.forbidden(&Path::at("status.loadBalancer.ingress"), why);
    }
    faults.into_errors()
}

fn by_type(spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    match spec.text("type") {
        kind @ ("LoadBalancer" | "NodePort") if is_headless(spec) => {
            let why = format!("may not be set to 'None' for {kind} services");
            faults.invalid(&at.field("clusterIPs").index(0), "None", why);
        }
        "ExternalName" => {
            for name in ["clusterIPs", "ipFamilies"] {
                if !spec.items(name).is_empty() {
                    faults.forbidden(&at.field(name), "may not be set for ExternalName services");
                }
            }
            if spec.has("ipFamilyPolicy") {
                let why = "may not be set for ExternalName services";
                faults.forbidden(&at.field("ipFamilyPolicy"), why);
            }
            let name = spec.text("externalName");
            let name = name.strip_suffix('.').unwrap_or(name);
            if name.is_empty() {
                faults.required(&at.field("externalName"), "");
            } else {
                faults.subdomain(&at.field("externalName"), name);
            }
        }
        _ => {}
    }
}

fn ports(spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    let all = spec.items("ports");
    let mut names = BTreeSet::new();
    for (index, port) in all.iter().enumerate() {
        let at = at.index(index);
        let name = port.text("name");
        if !name.is_empty() {
            faults.label(&at.field("name"), name);
            if !names.insert(name) {
                faults.duplicate(&at.field("name"), name);
            }
        } else if all.len() > 1 {
            faults.required(&at.field("name"), "");
        }
        faults.port(&at.field("port"), port.number("port"));
        faults.one_of(&at.field("protocol"), port.text("protocol"), &PROTOCOLS);
        faults.port_or_name(&at.field("targetPort"), port.part("targetPort"));
        if let Some(protocol) = port["appProtocol"].as_str() {
            faults.qualified(&at.field("appProtocol"), protocol);
        }
    }
}

fn repeated_ports(spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    let all = spec.items("ports");
    if spec.text("type") == "ClusterIP" {
        for (index, port) in all.iter().enumerate() {
            if port.number("nodePort") != 0 {
                let why = "may not be used when `type` is 'ClusterIP'";
                faults.forbidden(&at.index(index).field("nodePort"), why);
            }
        }
    }
    let mut seen = BTreeSet::new();
    for (index, port) in all.iter().enumerate() {
        let number = port.number("nodePort");
        if number != 0 && !seen.insert((port.text("protocol"), number)) {
            faults.duplicate(&at.index(index).field("nodePort"), number);
        }
    }
    seen.clear();
    for (index, port) in all.iter().enumerate() {
        if !seen.insert((port.text("protocol"), port.number("port"))) {
            // Upstream shows the key that it looked for, as a port in which nothing else is set.
            let key = json!({
                "Name": "", "Protocol": port["protocol"], "AppProtocol": null,
                "Port": port["port"], "TargetPort": 0, "NodePort": 0,
            });
            faults.duplicate(&at.index(index), key);
        }
    }
}

fn affinity(spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    let kind = spec.text("sessionAffinity");
    faults.one_of(&at.field("sessionAffinity"), kind, &["ClientIP", "None"]);
    if kind != "ClientIP" {
        return;
    }
    let seconds = spec["sessionAffinityConfig"]["clientIP"].number("timeoutSeconds");
    if !(1..=AFFINITY_MOST).contains(&seconds) {
        let at = at.field("sessionAffinityConfig");
        let why = format!("must be greater than 0 and less than {AFFINITY_MOST}");
        faults.invalid(&at.field("clientIP").field("timeoutSeconds"), seconds, why);
    }
}

fn balancer(spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    let is_balancer = spec.text("type") == "LoadBalancer";
    if is_balancer {
        if let Some(class) = spec["loadBalancerClass"].as_str() {
            faults.qualified(&at.field("loadBalancerClass"), class);
        }
        return;
    }
    for name in ["allocateLoadBalancerNodePorts", "loadBalancerClass"] {
        if spec.has(name) {
            faults.forbidden(&at.field(name), BALANCER_ONLY);
        }
    }
}

fn traffic(spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    let external = spec.text("externalTrafficPolicy");
    let external_at = at.field("externalTrafficPolicy");
    if is_reached_from_outside(spec) {
        faults.one_of(&external_at, external, &POLICIES);
    } else if !external.is_empty() {
        let why = "may only be set for externally-accessible services";
        faults.invalid(&external_at, external, why);
    }
    let port = spec.number("healthCheckNodePort");
    let port_at = at.field("healthCheckNodePort");
    if !needs_health_check(spec) {
        if port != 0 {
            let why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
            faults.invalid(&port_at, port, why);
        }
    } else if port != 0 {
        faults.port(&port_at, port);
    }
    let internal = spec.part("internalTrafficPolicy");
    faults.one_of_if(&at.field("internalTrafficPolicy"), internal, &POLICIES);
    let distribution = spec.part("trafficDistribution");
    faults.one_of_if(
        &at.field("trafficDistribution"),
        distribution,
        &DISTRIBUTIONS,
    );
}

fn change(new: &Value, old: &Value, at: &Path<'_>, faults: &mut Faults) {
    let both_balance = [new, old]
        .iter()
        .all(|spec| spec.text("type") == "LoadBalancer");
    let both_have_ips = needs_ip(new) && needs_ip(old);
    if both_have_ips && !(is_headless(new) && is_headless(old)) {
        let at = at.field("clusterIPs");
        let (ips, before) = (new.items("clusterIPs"), old.items("clusterIPs"));
        let shown = || new["clusterIPs"].clone();
        if ips.is_empty() && !before.is_empty() {
            faults.invalid(&at.index(0), shown(), "primary clusterIP can not be unset");
        } else if ips.len() == before.len() {
            for (index, (ip, before)) in ips.iter().zip(before).enumerate() {
                if ip != before {
                    faults.invalid(&at.index(index), shown(), "may not change once set");
                }
            }
        } else if !before.is_empty() && ips.first() != before.first() {
            faults.invalid(&at.index(0), shown(), "may not change once set");
        }
    }
    if both_have_ips && !is_headless(new) && !is_headless(old) {
        let (first, before) = (&new["ipFamilies"][0], &old["ipFamilies"][0]);
        if first != before && !before.is_null() {
            let at = at.field("ipFamilies");
            faults.invalid(
                &at.index(0),
                new["ipFamilies"].clone(),
                "may not change once set",
            );
        }
    }
    if both_balance && new["loadBalancerClass"] != old["loadBalancerClass"] {
        let class = new["loadBalancerClass"].clone();
        faults.invalid(
            &at.field("loadBalancerClass"),
            class,
            "may not change once set",
        );
    }
    let port = "healthCheckNodePort";
    if needs_health_check(new) && needs_health_check(old) && new[port] != old[port] {
        faults.forbidden(&at.field(port), "field is immutable");
    }
}
