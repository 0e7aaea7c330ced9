//! The resources that are served, from the discovery dump.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::read_json;

/// What is served, by group and version: the stable versions only. Subresources come along, but for
/// those of [`UNSERVED`].
const SERVED: [(&str, &str, &str); 21] = [
    (
        "",
        "v1",
        "configmaps endpoints events limitranges namespaces nodes \
         persistentvolumeclaims persistentvolumes pods podtemplates replicationcontrollers \
         resourcequotas secrets serviceaccounts services",
    ),
    (
        "admissionregistration.k8s.io",
        "v1",
        "mutatingadmissionpolicies mutatingadmissionpolicybindings mutatingwebhookconfigurations \
         validatingadmissionpolicies validatingadmissionpolicybindings validatingwebhookconfigurations",
    ),
    ("apiextensions.k8s.io", "v1", "customresourcedefinitions"),
    ("apiregistration.k8s.io", "v1", "apiservices"),
    (
        "apps",
        "v1",
        "controllerrevisions daemonsets deployments replicasets statefulsets",
    ),
    ("authentication.k8s.io", "v1", "selfsubjectreviews"),
    (
        "authorization.k8s.io",
        "v1",
        "selfsubjectaccessreviews selfsubjectrulesreviews",
    ),
    ("autoscaling", "v1", "horizontalpodautoscalers"),
    ("autoscaling", "v2", "horizontalpodautoscalers"),
    ("batch", "v1", "cronjobs jobs"),
    ("certificates.k8s.io", "v1", "certificatesigningrequests"),
    ("coordination.k8s.io", "v1", "leases"),
    ("discovery.k8s.io", "v1", "endpointslices"),
    ("events.k8s.io", "v1", "events"),
    (
        "flowcontrol.apiserver.k8s.io",
        "v1",
        "flowschemas prioritylevelconfigurations",
    ),
    (
        "networking.k8s.io",
        "v1",
        "ingressclasses ingresses ipaddresses networkpolicies servicecidrs",
    ),
    ("node.k8s.io", "v1", "runtimeclasses"),
    ("policy", "v1", "poddisruptionbudgets"),
    (
        "rbac.authorization.k8s.io",
        "v1",
        "clusterrolebindings clusterroles rolebindings roles",
    ),
    ("scheduling.k8s.io", "v1", "priorityclasses"),
    (
        "storage.k8s.io",
        "v1",
        "csidrivers csinodes csistoragecapacities storageclasses volumeattachments",
    ),
];

/// What is below objects and needs code of its own that `apiserver` does not have: nothing there forwards
/// to nodes, no Pod makes room for another one, and Pods and requests for certificates are written as a
/// whole or not at all.
const UNSERVED: [&str; 6] = [
    "approval",
    "binding",
    "ephemeralcontainers",
    "eviction",
    "proxy",
    "resize",
];

/// The lines of all resources, in the order in which groups and versions are preferred.
pub(super) fn read(discovery: &Path) -> Result<Vec<Value>, String> {
    let mut lines = Vec::new();
    group(discovery, "", "v1", &mut lines)?;
    let groups = read_json(&discovery.join("apis.json"))?;
    for listed in groups["groups"].as_array().into_iter().flatten() {
        let name = listed["name"].as_str().unwrap_or_default();
        for version in listed["versions"].as_array().into_iter().flatten() {
            let version = version["version"].as_str().unwrap_or_default();
            group(discovery, name, version, &mut lines)?;
        }
    }
    Ok(lines)
}

/// The group, version and kinds that lines name, with their lists.
pub(super) fn roots(lines: &[Value]) -> BTreeSet<[String; 3]> {
    let mut roots: BTreeSet<[String; 3]> = BTreeSet::new();
    for kind in ["DeleteOptions", "Status"] {
        roots.insert(["", "v1", kind].map(str::to_owned));
    }
    for line in lines {
        let text = |of: &Value, key: &str| of[key].as_str().unwrap_or_default().to_owned();
        let (group, version) = (text(line, "g"), text(line, "v"));
        let kind = text(line, "k");
        let listed = line["verbs"]
            .as_array()
            .is_some_and(|verbs| verbs.contains(&json!("list")));
        if listed {
            roots.insert([group.clone(), version.clone(), format!("{kind}List")]);
        }
        roots.insert([group.clone(), version.clone(), kind]);
        for (name, subresource) in line["sub"].as_object().into_iter().flatten() {
            let gvk = &subresource["k"];
            match gvk {
                // The query of these is written as an object of options, which is nothing to store.
                _ if matches!(name.as_str(), "attach" | "exec" | "portforward" | "log") => {}
                Value::String(kind) => {
                    roots.insert([group.clone(), version.clone(), kind.clone()]);
                }
                elsewhere => {
                    roots.insert(
                        [0, 1, 2].map(|at| elsewhere[at].as_str().unwrap_or_default().to_owned()),
                    );
                }
            }
        }
    }
    roots
}

/// An array with one resource per line.
pub(super) fn text(lines: &[Value]) -> String {
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

fn group(
    discovery: &Path,
    group: &str,
    version: &str,
    lines: &mut Vec<Value>,
) -> Result<(), String> {
    let served = SERVED
        .iter()
        .find(|served| (served.0, served.1) == (group, version));
    let Some((_, _, names)) = served else {
        return Ok(());
    };
    let file = if group.is_empty() {
        format!("api__{version}.json")
    } else {
        format!("apis__{group}__{version}.json")
    };
    let document = read_json(&discovery.join(file))?;
    let listed = document["resources"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    for name in names.split_whitespace() {
        let resource = listed.iter().find(|resource| resource["name"] == name);
        let resource = resource.ok_or_else(|| format!("{group}/{version} has no {name}"))?;
        let mut line = Map::new();
        line.insert("g".to_owned(), json!(group));
        line.insert("v".to_owned(), json!(version));
        copy(resource, &mut line);
        let mut subresources = Map::new();
        for other in listed {
            let path = other["name"].as_str().unwrap_or_default();
            match path.split_once('/') {
                Some((of, subresource)) if of == name && !UNSERVED.contains(&subresource) => {
                    subresources.insert(subresource.to_owned(), sub(other, group, version));
                }
                _ => {}
            }
        }
        if !subresources.is_empty() {
            line.insert("sub".to_owned(), Value::Object(subresources));
        }
        lines.push(Value::Object(line));
    }
    Ok(())
}

fn copy(resource: &Value, line: &mut Map<String, Value>) {
    for (short, long) in [
        ("n", "name"),
        ("s", "singularName"),
        ("k", "kind"),
        ("h", "storageVersionHash"),
        ("verbs", "verbs"),
        ("short", "shortNames"),
        ("cat", "categories"),
    ] {
        if let Some(value) = resource.get(long) {
            line.insert(short.to_owned(), value.clone());
        }
    }
    if resource["namespaced"] == true {
        line.insert("ns".to_owned(), json!(1));
    }
}

/// A subresource: its kind, with group and version where they are others.
fn sub(resource: &Value, group: &str, version: &str) -> Value {
    let kind = &resource["kind"];
    let elsewhere = resource
        .get("group")
        .or_else(|| resource.get("version"))
        .is_some();
    let of = |key: &str, otherwise: &str| {
        resource
            .get(key)
            .cloned()
            .unwrap_or_else(|| json!(otherwise))
    };
    let kind = if elsewhere {
        json!([of("group", group), of("version", version), kind])
    } else {
        kind.clone()
    };
    json!({"k": kind, "verbs": resource["verbs"]})
}
