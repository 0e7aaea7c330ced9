//! `Ingress`, `IngressClass` and `NetworkPolicy`.
//!
//! External rules: k8s.io/kubernetes, pkg/apis/networking.

use serde_json::{Value, json};

use super::fault::Faults;
use super::job::domain_path;
use super::part::{self, Part as _, annotation, each, fill, found, made, names};
use super::{PLAIN, STATUS, Ways, again, rule, selector};
use crate::status::FieldError;
use crate::validate::Path;

pub(super) static INGRESS: Ways = Ways {
    validate: check_ingress,
    validate_status: check_ingress_status,
    generation: true,
    ..STATUS
};

pub(super) static INGRESS_CLASS: Ways = Ways {
    default: |class| {
        let parameters = found(class, "spec").and_then(|spec| found(spec, "parameters"));
        if let Some(parameters) = parameters {
            fill(parameters, "scope", "Cluster");
        }
    },
    validate: check_class,
    generation: true,
    ..PLAIN
};

pub(super) static NETWORK_POLICY: Ways = Ways {
    default: default_policy,
    validate: check_policy,
    generation: true,
    ..PLAIN
};

const CLASS: &str = "kubernetes.io/ingress.class";
const KINDS: [&str; 3] = ["Exact", "ImplementationSpecific", "Prefix"];

fn check_ingress(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    if old.is_some() {
        faults.extend(again(new, &INGRESS));
    }
    let (spec, at) = (new.part("spec"), Path::at("spec"));
    let rules = spec.items("rules");
    if rules.is_empty() && !spec.has("defaultBackend") {
        let why = "either `defaultBackend` or `rules` must be specified";
        faults.invalid(&at, spec["rules"].clone(), why);
    }
    if spec.has("defaultBackend") {
        backend(
            spec.part("defaultBackend"),
            &at.field("defaultBackend"),
            &mut faults,
        );
    }
    let rules_at = at.field("rules");
    for (index, rule) in rules.iter().enumerate() {
        let at = rules_at.index(index);
        let host = rule.text("host");
        if !host.is_empty() {
            if rule::ip(host).is_some() {
                let why = "must be a DNS name, not an IP address";
                faults.invalid(&at.field("host"), host, why);
            }
            self::host(host, &at.field("host"), &mut faults);
        }
        if rule.has("http") {
            paths(rule.part("http"), &at.field("http"), &mut faults);
        }
    }
    let tls_at = at.field("tls");
    for (index, tls) in spec.items("tls").iter().enumerate() {
        let at = tls_at.index(index);
        let hosts = at.field("hosts");
        for (index, name) in tls.texts("hosts").enumerate() {
            host(name, &hosts.index(index), &mut faults);
        }
        let secret = tls.text("secretName");
        if !secret.is_empty() {
            faults.subdomain(&at.field("secretName"), secret);
        }
    }
    if let Some(class) = spec["ingressClassName"].as_str() {
        faults.subdomain(&at.field("ingressClassName"), class);
        let other = annotation(new, CLASS).filter(|other| *other != class);
        if let Some(other) = other.filter(|_| old.is_none()) {
            let why = "must match `ingressClassName` when both are specified";
            faults.invalid(&Path::at("annotations").field(CLASS), other, why);
        }
    }
    faults.into_errors()
}

fn host(name: &str, at: &Path<'_>, faults: &mut Faults) {
    if name.contains('*') {
        faults.each(at, name, rule::wildcard(name));
    } else {
        faults.subdomain(at, name);
    }
}

fn paths(http: &Value, at: &Path<'_>, faults: &mut Faults) {
    let at = at.field("paths");
    let all = http.items("paths");
    if all.is_empty() {
        faults.required(&at, "");
    }
    for (index, item) in all.iter().enumerate() {
        let at = at.index(index);
        let (path, path_at) = (item.text("path"), at.field("path"));
        match item["pathType"].as_str() {
            None => {
                faults.required(&at.field("pathType"), "pathType must be specified");
                continue;
            }
            Some("Exact" | "Prefix") => {
                if !path.starts_with('/') {
                    faults.invalid(&path_at, path, "must be an absolute path");
                }
                for part in ["//", "/./", "/../", "%2f", "%2F"] {
                    if path.contains(part) {
                        faults.invalid(&path_at, path, format!("must not contain '{part}'"));
                    }
                }
                for end in ["/..", "/."] {
                    if path.ends_with(end) {
                        faults.invalid(&path_at, path, format!("cannot end with '{end}'"));
                    }
                }
            }
            Some("ImplementationSpecific") => {
                if !path.is_empty() && !path.starts_with('/') {
                    faults.invalid(&path_at, path, "must be an absolute path");
                }
            }
            Some(other) => faults.unsupported(&at.field("pathType"), other, &KINDS),
        }
        backend(item.part("backend"), &at.field("backend"), faults);
    }
}

fn backend(backend: &Value, at: &Path<'_>, faults: &mut Faults) {
    match (backend.has("resource"), backend.has("service")) {
        (true, true) => {
            faults.invalid(at, "", "cannot set both resource and service backends");
        }
        (true, false) => reference(backend.part("resource"), &at.field("resource"), faults),
        (false, false) => faults.invalid(at, "", "resource or service backend is required"),
        (false, true) => {
            let (service, service_at) = (backend.part("service"), at.field("service"));
            match service.text("name") {
                "" => faults.required(&service_at.field("name"), ""),
                name => faults.label(&service_at.field("name"), name),
            }
            let port_at = service_at.field("port");
            let port = service.part("port");
            match (port.text("name"), port.number("number")) {
                ("", 0) => faults.required(at, "port name or number is required"),
                ("", number) => faults.port(&port_at.field("number"), number),
                (name, 0) => faults.each(&port_at.field("name"), name, rule::port_name(name)),
                _ => faults.invalid(at, "", "cannot set both port name & port number"),
            }
        }
    }
}

/// A reference to an object of any kind.
fn reference(reference: &Value, at: &Path<'_>, faults: &mut Faults) {
    if let Some(group) = reference["apiGroup"].as_str() {
        faults.subdomain(&at.field("apiGroup"), group);
    }
    for name in ["kind", "name"] {
        match reference.text(name) {
            "" => faults.required(&at.field(name), ""),
            text => faults.path_segment(&at.field(name), text),
        }
    }
}

fn check_ingress_status(new: &Value, old: &Value) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let known = names(old["status"]["loadBalancer"].items("ingress"), "ip");
    let at = Path::at("status.loadBalancer.ingress");
    let all = new["status"]["loadBalancer"].items("ingress");
    for (index, ingress) in all.iter().enumerate() {
        let at = at.index(index);
        let (ip, host) = (ingress.text("ip"), ingress.text("hostname"));
        if !ip.is_empty() && !known.contains(ip) {
            faults.each(&at.field("ip"), ip, rule::ip_faults(ip));
        }
        if !host.is_empty() {
            faults.subdomain(&at.field("hostname"), host);
            if rule::ip(host).is_some() {
                let why = "must be a DNS name, not an IP address";
                faults.invalid(&at.field("hostname"), host, why);
            }
        }
    }
    faults.into_errors()
}

fn check_class(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let (spec, at) = (new.part("spec"), Path::at("spec"));
    let (controller, controller_at) = (spec.part("controller"), at.field("controller"));
    if let Some(old) = old {
        faults.immutable(&controller_at, controller, old["spec"].part("controller"));
        faults.extend(again(new, &INGRESS_CLASS));
    }
    let name = controller.as_str().unwrap_or_default();
    if name.len() > 250 {
        faults.too_long(&controller_at, 250);
    }
    domain_path(name, &controller_at, &mut faults);
    if !spec.has("parameters") {
        return faults.into_errors();
    }
    let (parameters, at) = (spec.part("parameters"), at.field("parameters"));
    reference(parameters, &at, &mut faults);
    let scope = parameters.text("scope");
    let namespace_at = at.field("namespace");
    match (scope, parameters["namespace"].as_str()) {
        ("", _) => faults.required(&at.field("scope"), ""),
        ("Namespace", None) => {
            faults.required(&namespace_at, "`parameters.scope` is set to 'Namespace'");
        }
        ("Namespace", Some(name)) => faults.label(&namespace_at, name),
        ("Cluster", Some(_)) => {
            faults.forbidden(&namespace_at, "`parameters.scope` is set to 'Cluster'");
        }
        ("Cluster", None) => {}
        (other, _) => faults.unsupported(&at.field("scope"), other, &["Cluster", "Namespace"]),
    }
    faults.into_errors()
}

fn default_policy(policy: &mut Value) {
    let Some(spec) = made(policy, "spec") else {
        return;
    };
    for (list, _) in [("ingress", "from"), ("egress", "to")] {
        for rule in each(spec, list) {
            for port in each(rule, "ports") {
                fill(port, "protocol", "TCP");
            }
        }
    }
    if spec.items("policyTypes").is_empty() {
        let types = if spec.items("egress").is_empty() {
            json!(["Ingress"])
        } else {
            json!(["Ingress", "Egress"])
        };
        part::put(spec, "policyTypes", types);
    }
}

fn check_policy(new: &Value, _: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let (spec, at) = (new.part("spec"), Path::at("spec"));
    selector::check(
        spec.part("podSelector"),
        &at.field("podSelector"),
        &mut faults,
    );
    for (list, peers) in [("ingress", "from"), ("egress", "to")] {
        let rules = at.field(list);
        for (index, rule) in spec.items(list).iter().enumerate() {
            let at = rules.index(index);
            let ports = at.field("ports");
            for (index, port) in rule.items("ports").iter().enumerate() {
                policy_port(port, &ports.index(index), &mut faults);
            }
            let peers_at = at.field(peers);
            for (index, peer) in rule.items(peers).iter().enumerate() {
                self::peer(peer, &peers_at.index(index), &mut faults);
            }
        }
    }
    let types = at.field("policyTypes");
    let all = spec.items("policyTypes");
    if all.len() > 2 {
        let why = "may not specify more than two policyTypes";
        faults.invalid(&types, all.to_vec(), why);
        return faults.into_errors();
    }
    for (index, kind) in spec.texts("policyTypes").enumerate() {
        if !["Ingress", "Egress"].contains(&kind) {
            faults.unsupported(&types.index(index), kind, &["Ingress", "Egress"]);
        }
    }
    faults.into_errors()
}

fn policy_port(port: &Value, at: &Path<'_>, faults: &mut Faults) {
    let known = ["TCP", "UDP", "SCTP"];
    faults.one_of_if(&at.field("protocol"), port.part("protocol"), &known);
    let (first, first_at) = (port.part("port"), at.field("port"));
    let (last, last_at) = (port.some_number("endPort"), at.field("endPort"));
    let why = match (first, last) {
        (Value::Null, Some(_)) => "may not be specified when `port` is not specified",
        (Value::String(_), Some(_)) => "may not be specified when `port` is non-numeric",
        _ => "",
    };
    if let Some(last) = last.filter(|_| !why.is_empty()) {
        faults.invalid(&last_at, last, why);
    }
    if first.is_null() {
        return;
    }
    faults.port_or_name(&first_at, first);
    if let (Some(first), Some(last)) = (first.as_i64(), last) {
        if last < first {
            faults.invalid(&last_at, first, "must be greater than or equal to `port`");
        }
        faults.port(&last_at, last);
    }
}

fn peer(peer: &Value, at: &Path<'_>, faults: &mut Faults) {
    let mut given = 0;
    for name in ["podSelector", "namespaceSelector"] {
        if peer.has(name) {
            given += 1;
            selector::check(peer.part(name), &at.field(name), faults);
        }
    }
    if peer.has("ipBlock") {
        block(peer.part("ipBlock"), &at.field("ipBlock"), faults);
        if given > 0 {
            faults.forbidden(at, "may not specify both ipBlock and another peer");
        }
    } else if given == 0 {
        faults.required(at, "must specify a peer");
    }
}

fn block(block: &Value, at: &Path<'_>, faults: &mut Faults) {
    let range = block.text("cidr");
    if range.is_empty() {
        faults.required(&at.field("cidr"), "");
        return;
    }
    faults.each(&at.field("cidr"), range, rule::network_faults(range));
    let Some(network) = rule::Network::read(range) else {
        return;
    };
    let at = at.field("except");
    for (index, except) in block.texts("except").enumerate() {
        let at = at.index(index);
        faults.each(&at, except, rule::network_faults(except));
        if rule::Network::read(except).is_some_and(|except| !network.is_around(except)) {
            faults.invalid(&at, except, "must be a strict subset of `cidr`");
        }
    }
}
