//! Services and what is around them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::cell::{
    Row, at, at_most, items, joined, labels, or_default, selector_or_none, text, whole,
};

/// How many addresses, ports or hosts are shown.
const SHOWN: usize = 3;

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

pub(super) fn endpoints(row: Row<'_>) -> Vec<Value> {
    let subsets = row.items("subsets");
    let text = if subsets.is_empty() {
        "<none>".to_owned()
    } else {
        let count = subsets
            .iter()
            .map(|subset| items(subset, "addresses").len() * items(subset, "ports").len().max(1));
        at_most(SHOWN, count.sum(), subsets.iter().flat_map(reached))
    };
    vec![row.name(), text.into(), row.age()]
}

/// The addresses of a subset, once for each port.
fn reached(subset: &Value) -> impl Iterator<Item = String> {
    let addresses = items(subset, "addresses");
    let ports = items(subset, "ports");
    let bare = addresses
        .iter()
        .take(if ports.is_empty() { SHOWN } else { 0 });
    let with_ports = ports.iter().flat_map(move |port| {
        let port = whole(port, "port");
        addresses
            .iter()
            .map(move |address| match text(address, "ip") {
                ip if ip.contains(':') => format!("[{ip}]:{port}"),
                ip => format!("{ip}:{port}"),
            })
    });
    bare.map(|address| text(address, "ip").to_owned())
        .chain(with_ports)
}

pub(super) fn endpoint_slice(row: Row<'_>) -> Vec<Value> {
    let unset = |text: String| {
        if text.is_empty() {
            "<unset>".to_owned()
        } else {
            text
        }
    };
    let ports = row.items("ports");
    let port = |port| match at(port, "port").as_i64() {
        Some(number) => number.to_string(),
        None => at(port, "name").as_str().unwrap_or("*").to_owned(),
    };
    let addresses = || {
        let endpoints = row.items("endpoints").iter();
        endpoints.flat_map(|endpoint| items(endpoint, "addresses"))
    };
    let address = |address: &Value| address.as_str().unwrap_or_default().to_owned();
    vec![
        row.name(),
        row.text("addressType").into(),
        unset(at_most(SHOWN, ports.len(), ports.iter().map(port))).into(),
        unset(at_most(
            SHOWN,
            addresses().count(),
            addresses().map(address),
        ))
        .into(),
        row.age(),
    ]
}

pub(super) fn ingress(row: Row<'_>) -> Vec<Value> {
    let ports = if row.items("spec.tls").is_empty() {
        "80"
    } else {
        "80, 443"
    };
    vec![
        row.name(),
        row.text_or("spec.ingressClassName", "<none>").into(),
        hosts(row.items("spec.rules")).into(),
        joined(balancers(row)).into(),
        ports.into(),
        row.age(),
    ]
}

/// The hosts of rules. Once as many as are shown have been seen, every rule counts as another one, be it
/// without a host, as upstream has it.
fn hosts(rules: &[Value]) -> String {
    let mut shown = Vec::with_capacity(SHOWN);
    let mut more = String::new();
    for rule in rules {
        if shown.len() == SHOWN {
            more = format!(" + {} more...", rules.len() - SHOWN);
            break;
        }
        let host = text(rule, "host");
        if !host.is_empty() {
            shown.push(host);
        }
    }
    if shown.is_empty() {
        return "*".to_owned();
    }
    shown.join(",") + &more
}

pub(super) fn ingress_class(row: Row<'_>) -> Vec<Value> {
    let parameters = row.at("spec.parameters");
    let parameters = if parameters.is_null() {
        "<none>".to_owned()
    } else {
        let (kind, name) = (text(parameters, "kind"), text(parameters, "name"));
        match at(parameters, "apiGroup").as_str() {
            Some(group) => format!("{kind}.{group}/{name}"),
            None => format!("{kind}/{name}"),
        }
    };
    let name = or_default(row, &["ingressclass.kubernetes.io/is-default-class"]);
    vec![
        name,
        row.text("spec.controller").into(),
        parameters.into(),
        row.age(),
    ]
}

pub(super) fn policy(row: Row<'_>) -> Vec<Value> {
    let pods = selector_or_none(row.at("spec.podSelector"));
    vec![row.name(), pods.into(), row.age()]
}

pub(super) fn address(row: Row<'_>) -> Vec<Value> {
    let parent = row.at("spec.parentRef");
    let parent = if parent.is_null() {
        "<none>".to_owned()
    } else {
        let mut path = match text(parent, "group") {
            "" => text(parent, "resource").to_lowercase(),
            group => format!("{}.{group}", text(parent, "resource")).to_lowercase(),
        };
        for part in [text(parent, "namespace"), text(parent, "name")] {
            if !part.is_empty() {
                path.push('/');
                path.push_str(part);
            }
        }
        path
    };
    // Upstream has no column for the age.
    vec![row.name(), parent.into(), row.age()]
}

pub(super) fn range(row: Row<'_>) -> Vec<Value> {
    let ranges = row.items("spec.cidrs").iter().filter_map(Value::as_str);
    vec![row.name(), joined(ranges).into(), row.age()]
}
