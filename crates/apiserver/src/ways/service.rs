//! `Service`: what it is by default, and what becomes of its addresses when it changes. Who has which
//! address is decided elsewhere.
//!
//! External rules: `SetDefaults_Service` of k8s.io/kubernetes, pkg/apis/core/v1; the strategy and the
//! storage in pkg/registry/core/service. The cluster has IPv4 alone.

mod address;
mod check;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::part::{self, Part as _, drop_field, each, fill, fill_empty, made};
use super::{STATUS, Ways, keep_status};
use crate::validate::NameRule;

/// How long a client stays with one endpoint, in seconds.
const AFFINITY_SECONDS: i64 = 10_800;

pub(super) static SERVICE: Ways = Ways {
    default,
    begin: address::settle,
    prepare_update: |new, old| {
        keep_status(new, old);
        drop_of_other_type(new, old);
    },
    validate: check::service,
    validate_status: check::status,
    conceal: Some(|service| {
        if let Some(spec) = part::found(service, "spec").filter(|spec| !needs_ip(spec)) {
            drop_field(spec, "internalTrafficPolicy");
        }
    }),
    create_on_update: true,
    name: NameRule::Label,
    special: crate::ways::Special::HasAddresses,
    advice,
    selectable: &[
        ("spec.clusterIP", |service| {
            service["spec"].text("clusterIP").to_owned()
        }),
        ("spec.type", |service| {
            service["spec"].text("type").to_owned()
        }),
    ],
    ..STATUS
};

/// External rule: `GetWarningsForService` of k8s.io/kubernetes, pkg/api/service.
fn advice(service: &Value) -> Vec<String> {
    let spec = service.part("spec");
    let (is_named, is_headless) = (
        spec.text("type") == "ExternalName",
        spec.text("clusterIP") == "None",
    );
    let mut advice: Vec<&str> = Vec::new();
    if is_headless && !spec.text("loadBalancerIP").is_empty() {
        advice.push("spec.loadBalancerIP is ignored for headless services");
    }
    if !spec.items("externalIPs").is_empty() {
        advice.push(match (is_headless, is_named) {
            (true, _) => "spec.externalIPs is ignored for headless services",
            (_, true) => "spec.externalIPs is ignored when spec.type is \"ExternalName\"",
            _ => "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
        });
    }
    if is_headless && spec.text("sessionAffinity") != "None" {
        advice.push("spec.SessionAffinity is ignored for headless services");
    }
    if !is_named && !spec.text("externalName").is_empty() {
        advice.push("spec.externalName is ignored when spec.type is not \"ExternalName\"");
    }
    if spec.text("trafficDistribution") == "PreferClose" {
        advice.push(
            "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"",
        );
    }
    advice.into_iter().map(str::to_owned).collect()
}

fn default(service: &mut Value) {
    let Some(spec) = made(service, "spec") else {
        return;
    };
    fill_empty(spec, "sessionAffinity", "None");
    match spec.text("sessionAffinity") {
        "None" => drop_field(spec, "sessionAffinityConfig"),
        "ClientIP" if !spec["sessionAffinityConfig"]["clientIP"].has("timeoutSeconds") => {
            let config = json!({"clientIP": {"timeoutSeconds": AFFINITY_SECONDS}});
            part::put(spec, "sessionAffinityConfig", config);
        }
        _ => {}
    }
    fill_empty(spec, "type", "ClusterIP");
    for port in each(spec, "ports") {
        fill_empty(port, "protocol", "TCP");
        fill_empty(port, "targetPort", port["port"].clone());
    }
    if is_reached_from_outside(spec) {
        fill_empty(spec, "externalTrafficPolicy", "Cluster");
    }
    if matches!(spec.text("type"), "NodePort" | "LoadBalancer" | "ClusterIP") {
        fill(spec, "internalTrafficPolicy", "Cluster");
    }
    if spec.text("type") == "LoadBalancer" {
        fill(spec, "allocateLoadBalancerNodePorts", true);
        let balancer = service
            .get_mut("status")
            .and_then(|status| part::found(status, "loadBalancer"));
        if let Some(balancer) = balancer {
            for ingress in each(balancer, "ingress") {
                if !ingress.text("ip").is_empty() {
                    fill(ingress, "ipMode", "VIP");
                }
            }
        }
    }
}

fn is_reached_from_outside(spec: &Value) -> bool {
    match spec.text("type") {
        "LoadBalancer" | "NodePort" => true,
        "ClusterIP" => !spec.items("externalIPs").is_empty(),
        _ => false,
    }
}

fn needs_ip(spec: &Value) -> bool {
    spec.text("type") != "ExternalName"
}

fn needs_node_port(spec: &Value) -> bool {
    match spec.text("type") {
        "NodePort" => true,
        "LoadBalancer" => spec["allocateLoadBalancerNodePorts"] != json!(false),
        _ => false,
    }
}

fn node_ports(spec: &Value) -> impl Iterator<Item = i64> {
    let ports = spec.items("ports").iter();
    ports.map(|port| port.number("nodePort"))
}

fn needs_health_check(spec: &Value) -> bool {
    spec.text("type") == "LoadBalancer" && spec.text("externalTrafficPolicy") == "Local"
}

fn is_headless(spec: &Value) -> bool {
    matches!(spec.items("clusterIPs"), [only] if only == "None")
}

/// Drops what belongs to the type that a Service was of, unless its writer changed it.
fn drop_of_other_type(new: &mut Value, old: &Value) {
    let old = old.part("spec");
    let Some(spec) = made(new, "spec") else {
        return;
    };
    let is_same = |spec: &Value, name: &str| spec[name] == old[name];
    if needs_ip(old) && !needs_ip(spec) {
        if is_same(spec, "clusterIP") && is_same(spec, "clusterIPs") {
            drop_field(spec, "clusterIP");
            drop_field(spec, "clusterIPs");
        }
        for name in ["ipFamilies", "ipFamilyPolicy"] {
            if is_same(spec, name) {
                drop_field(spec, name);
            }
        }
    }
    let has_node_ports = |spec: &Value| matches!(spec.text("type"), "NodePort" | "LoadBalancer");
    if has_node_ports(old) && !has_node_ports(spec) {
        let known: BTreeSet<i64> = node_ports(old).collect();
        if node_ports(spec).all(|number| number == 0 || known.contains(&number)) {
            for port in each(spec, "ports") {
                drop_field(port, "nodePort");
            }
        }
    }
    if needs_health_check(old) && !needs_health_check(spec) && is_same(spec, "healthCheckNodePort")
    {
        drop_field(spec, "healthCheckNodePort");
    }
    let is_balancer = |spec: &Value| spec.text("type") == "LoadBalancer";
    if is_balancer(old) && !is_balancer(spec) {
        for name in ["allocateLoadBalancerNodePorts", "loadBalancerClass"] {
            if is_same(spec, name) {
                drop_field(spec, name);
            }
        }
    }
    if is_reached_from_outside(old)
        && !is_reached_from_outside(spec)
        && is_same(spec, "externalTrafficPolicy")
    {
        drop_field(spec, "externalTrafficPolicy");
    }
    if !is_balancer(spec)
        && let Some(status) = part::made(new, "status")
    {
        part::put(status, "loadBalancer", json!({}));
    }
}
