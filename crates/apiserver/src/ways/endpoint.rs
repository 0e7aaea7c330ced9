//! `Endpoints` and `EndpointSlice`.
//!
//! External rules: `ValidateEndpoints` of k8s.io/kubernetes, pkg/apis/core/validation, and
//! pkg/apis/discovery.

use serde_json::Value;

use super::fault::Faults;
use super::part::{Part as _, drop_field, each, fill, fill_empty, is_same};
use super::{PLAIN, Ways, again, rule};
use crate::status::FieldError;
use crate::validate::{Path, dns1123_subdomain, label_value};

pub(super) static ENDPOINTS: Ways = Ways {
    default: |endpoints| {
        for subset in each(endpoints, "subsets") {
            for port in each(subset, "ports") {
                fill_empty(port, "protocol", "TCP");
            }
        }
    },
    validate: check_endpoints,
    create_on_update: true,
    ..PLAIN
};

pub(super) static ENDPOINT_SLICE: Ways = Ways {
    default: |slice| {
        for port in each(slice, "ports") {
            fill(port, "name", "");
            fill(port, "protocol", "TCP");
        }
    },
    prepare_create: drop_topology,
    prepare_update: |new, _| drop_topology(new),
    validate: check_slice,
    generation: true,
    counts: |new, old| {
        let names = ["addressType", "endpoints", "ports"];
        !names.iter().all(|name| is_same(new, old, name))
            || !is_same(new.part("metadata"), old.part("metadata"), "labels")
    },
    ..PLAIN
};

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
const KINDS: [&str; 3] = ["FQDN", "IPv4", "IPv6"];

/// What only older versions of slices can hold.
fn drop_topology(slice: &mut Value) {
    for endpoint in each(slice, "endpoints") {
        drop_field(endpoint, "deprecatedTopology");
    }
}

fn check_endpoints(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    if old.is_some() {
        faults.extend(again(new, &ENDPOINTS));
    }
    if old.is_some_and(|old| is_same(new, old, "subsets")) {
        return faults.into_errors();
    }
    let subsets = Path::at("subsets");
    for (index, subset) in new.items("subsets").iter().enumerate() {
        let at = subsets.index(index);
        let lists = ["addresses", "notReadyAddresses"];
        if lists.iter().all(|name| subset.items(name).is_empty()) {
            faults.required(&at, "must specify `addresses` or `notReadyAddresses`");
        }
        for name in lists {
            let at = at.field(name);
            for (index, address) in subset.items(name).iter().enumerate() {
                self::address(address, &at.index(index), &mut faults);
            }
        }
        let ports = subset.items("ports");
        let at = at.field("ports");
        for (index, port) in ports.iter().enumerate() {
            let at = at.index(index);
            match port.text("name") {
                "" if ports.len() > 1 => faults.required(&at.field("name"), ""),
                "" => {}
                name => faults.label(&at.field("name"), name),
            }
            faults.port(&at.field("port"), port.number("port"));
            faults.one_of(&at.field("protocol"), port.text("protocol"), &PROTOCOLS);
            if let Some(protocol) = port["appProtocol"].as_str() {
                faults.qualified(&at.field("appProtocol"), protocol);
            }
        }
    }
    faults.into_errors()
}

fn address(address: &Value, at: &Path<'_>, faults: &mut Faults) {
    let ip = address.text("ip");
    faults.each(&at.field("ip"), ip, rule::ip_faults(ip));
    let host = address.text("hostname");
    if !host.is_empty() {
        faults.label(&at.field("hostname"), host);
    }
    if let Some(node) = address["nodeName"].as_str() {
        faults.subdomain(&at.field("nodeName"), node);
    }
    faults.each(&at.field("ip"), ip, rule::endpoint_faults(ip));
}

fn check_slice(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    if old.is_some() {
        faults.extend(again(new, &ENDPOINT_SLICE));
    }
    let kind = new.text("addressType");
    faults.one_of(&Path::at("addressType"), kind, &KINDS);
    slice_ports(new, &Path::at("ports"), &mut faults);
    if !old.is_some_and(|old| is_same(new, old, "endpoints")) {
        let at = Path::at("endpoints");
        let all = new.items("endpoints");
        if all.len() > 1000 {
            faults.too_many(&at, all.len(), 1000);
        } else {
            for (index, endpoint) in all.iter().enumerate() {
                self::endpoint(endpoint, kind, &at.index(index), &mut faults);
            }
        }
    }
    if let Some(old) = old {
        let at = Path::at("addressType");
        faults.immutable(&at, new.part("addressType"), old.part("addressType"));
    }
    faults.into_errors()
}

fn slice_ports(slice: &Value, at: &Path<'_>, faults: &mut Faults) {
    let all = slice.items("ports");
    if all.len() > 20_000 {
        faults.too_many(at, all.len(), 20_000);
        return;
    }
    let mut names = std::collections::BTreeSet::new();
    for (index, port) in all.iter().enumerate() {
        let at = at.index(index);
        let name = port.text("name");
        if !name.is_empty() {
            faults.label(&at.field("name"), name);
        }
        if !names.insert(name) {
            faults.duplicate(&at.field("name"), name);
        }
        faults.one_of(&at.field("protocol"), port.text("protocol"), &PROTOCOLS);
        if let Some(protocol) = port["appProtocol"].as_str() {
            faults.qualified(&at.field("appProtocol"), protocol);
        }
    }
}

fn endpoint(endpoint: &Value, kind: &str, at: &Path<'_>, faults: &mut Faults) {
    let addresses = endpoint.items("addresses");
    let addresses_at = at.field("addresses");
    if addresses.is_empty() {
        faults.required(&addresses_at, "must contain at least 1 address");
    } else if addresses.len() > 100 {
        faults.too_many(&addresses_at, addresses.len(), 100);
    }
    for (index, text) in endpoint.texts("addresses").enumerate() {
        let at = addresses_at.index(index);
        match kind {
            "IPv4" | "IPv6" => ip(text, kind, &addresses_at, &at, faults),
            "FQDN" => host(text, &at, faults),
            _ => {}
        }
    }
    if let Some(node) = endpoint["nodeName"].as_str() {
        faults.subdomain(&at.field("nodeName"), node);
    }
    if let Some(host) = endpoint["hostname"].as_str() {
        faults.label(&at.field("hostname"), host);
    }
    let zones_at = at.field("hints");
    let zones_at = zones_at.field("forZones");
    for (index, zone) in endpoint["hints"].items("forZones").iter().enumerate() {
        let name = zone.text("name");
        faults.each(
            &zones_at.index(index).field("name"),
            name,
            label_value(name),
        );
    }
}

fn ip(text: &str, kind: &str, list: &Path<'_>, at: &Path<'_>, faults: &mut Faults) {
    let found = rule::ip_faults(text);
    if !found.is_empty() {
        faults.each(at, text, found);
        return;
    }
    let Some(address) = rule::ip(text) else {
        return;
    };
    if kind == "IPv6" && address.is_ipv6() && address.to_string() != text {
        let why = format!("must be in canonical form (\"{address}\")");
        faults.invalid(at, text, why);
        return;
    }
    if address.is_ipv4() != (kind == "IPv4") {
        faults.invalid(list, text, format!("must be an {kind} address"));
    }
    faults.each(at, text, rule::endpoint_faults(text));
}

fn host(text: &str, at: &Path<'_>, faults: &mut Faults) {
    if text.is_empty() {
        faults.required(at, "");
        return;
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let found = dns1123_subdomain(name);
    if !found.is_empty() {
        faults.invalid(at, name, found.join(","));
    } else if !name.contains('.') {
        let why = "should be a domain with at least two segments separated by dots";
        faults.invalid(at, name, why);
    }
}
