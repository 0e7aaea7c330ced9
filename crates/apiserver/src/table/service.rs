//! Services.

use std::collections::BTreeSet;

use serde_json::Value;

use super::cell::{Row, joined, labels, text, whole};

pub(super) fn service(row: Row<'_>) -> Vec<Value> {
    let address = row.items("spec.clusterIPs").first().and_then(Value::as_str);
    vec![
        row.name(),
        row.text("spec.type").into(),
        address.unwrap_or("<none>").into(),
        external(row).into(),
        ports(row.items("spec.ports")).into(),
        row.age(),
        labels(row.at("spec.selector")).into(),
    ]
}

/// Where a service can be reached from outside.
fn external(row: Row<'_>) -> String {
    let own = || {
        row.items("spec.externalIPs")
            .iter()
            .filter_map(Value::as_str)
    };
    let none = |absent: &str, addresses: String| {
        if addresses.is_empty() {
            absent.to_owned()
        } else {
            addresses
        }
    };
    match row.text("spec.type") {
        "ClusterIP" | "NodePort" => none("<none>", joined(own())),
        "LoadBalancer" => none("<pending>", joined(balancers(row).into_iter().chain(own()))),
        "ExternalName" => row.text("spec.externalName").to_owned(),
        _ => "<unknown>".to_owned(),
    }
}

/// The addresses of load balancers, sorted, each once.
fn balancers(row: Row<'_>) -> BTreeSet<&str> {
    let address = |one| match text(one, "ip") {
        "" => text(one, "hostname"),
        ip => ip,
    };
    let all = row.items("status.loadBalancer.ingress").iter().map(address);
    all.filter(|address| !address.is_empty()).collect()
}

fn ports(ports: &[Value]) -> String {
    if ports.is_empty() {
        return "<none>".to_owned();
    }
    let port = |port| {
        let (number, protocol) = (whole(port, "port"), text(port, "protocol"));
        match whole(port, "nodePort") {
            node @ 1.. => format!("{number}:{node}/{protocol}"),
            _ => format!("{number}/{protocol}"),
        }
    };
    ports.iter().map(port).collect::<Vec<_>>().join(",")
}
