//! What clients are told about the resources that are served: the old documents, one per version, and
//! the aggregated ones of `apidiscovery.k8s.io/v2`, which hold everything at once.
//!
//! All is written from a [`Catalogue`]. External rules: k8s.io/apiserver, pkg/endpoints/discovery.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha512};

use crate::catalogue::{Catalogue, Group, Resource, Subresource, Version};

/// The media type of [`aggregated_core`] and [`aggregated_groups`].
pub(crate) const AGGREGATED: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// The document at `/api`. The address is where clients reach the server (`192.0.2.1:6443`).
pub(crate) fn core_versions(address: &str) -> Value {
    json!({
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    })
}

/// The document at `/apis`.
pub(crate) fn groups(catalogue: &Catalogue) -> Value {
    let groups: Vec<Value> = named_groups(catalogue).map(group_entry).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// The document at `/apis/<group>`; none where the group is not served or is the core group.
pub(crate) fn group(catalogue: &Catalogue, group: &str) -> Option<Value> {
    let group = catalogue
        .group(group)
        .filter(|group| !group.name.is_empty())?;
    let mut document = group_entry(group);
    document["kind"] = json!("APIGroup");
    document["apiVersion"] = json!("v1");
    Some(document)
}

/// The document at `/api/v1` and `/apis/<group>/<version>`; none where that is not served.
pub(crate) fn resources(catalogue: &Catalogue, group: &str, version: &str) -> Option<Value> {
    let served = catalogue.version(group, version)?;
    let mut resources = Vec::new();
    for resource in served.resources() {
        resources.push(resource_entry(resource));
        for subresource in &resource.subresources {
            resources.push(subresource_entry(resource, subresource));
        }
    }
    let mut document = json!({
        "kind": "APIResourceList",
        "groupVersion": group_version(group, version),
        "resources": resources,
    });
    // The core group's document is older than this field.
    if !group.is_empty() {
        document["apiVersion"] = json!("v1");
    }
    Some(document)
}

/// The aggregated document at `/api`.
pub(crate) fn aggregated_core(catalogue: &Catalogue) -> Value {
    aggregated(catalogue.group("").into_iter())
}

/// The aggregated document at `/apis`.
pub(crate) fn aggregated_groups(catalogue: &Catalogue) -> Value {
    aggregated(named_groups(catalogue))
}

/// The ETag of a document, with its quotes: it is the same as long as the content is.
pub(crate) fn etag(body: &[u8]) -> String {
    format!("\"{:X}\"", Sha512::digest(body))
}

fn named_groups(catalogue: &Catalogue) -> impl Iterator<Item = &Group> {
    let groups = catalogue.groups().into_iter();
    groups.filter(|group| !group.name.is_empty())
}

fn group_version(group: &str, version: &str) -> String {
    if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    }
}

fn group_entry(group: &Group) -> Value {
    let entry = |version: &Version| {
        json!({
            "groupVersion": group_version(&group.name, &version.name),
            "version": &*version.name,
        })
    };
    let versions: Vec<Value> = group.versions.iter().map(entry).collect();
    let preferred = versions.first().cloned();
    json!({"name": &*group.name, "versions": versions, "preferredVersion": preferred})
}

fn resource_entry(resource: &Resource) -> Value {
    let mut entry = Map::new();
    entry.insert("name".to_owned(), json!(&*resource.plural));
    entry.insert("singularName".to_owned(), json!(&*resource.singular));
    entry.insert("namespaced".to_owned(), json!(resource.namespaced));
    entry.insert("kind".to_owned(), json!(&*resource.kind));
    entry.insert("verbs".to_owned(), texts(&resource.verbs));
    names(resource, &mut entry);
    if let Some(hash) = &resource.storage_hash {
        entry.insert("storageVersionHash".to_owned(), json!(&**hash));
    }
    Value::Object(entry)
}

fn subresource_entry(resource: &Resource, subresource: &Subresource) -> Value {
    let mut entry = json!({
        "name": format!("{}/{}", resource.plural, subresource.name),
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": &*subresource.kind,
        "verbs": texts(&subresource.verbs),
    });
    if is_elsewhere(resource, subresource) {
        entry["group"] = json!(&*subresource.group);
        entry["version"] = json!(&*subresource.version);
    }
    entry
}

/// Whether a subresource speaks a kind of another group or version.
fn is_elsewhere(resource: &Resource, subresource: &Subresource) -> bool {
    (&subresource.group, &subresource.version) != (&resource.group, &resource.version)
}

fn names(resource: &Resource, entry: &mut Map<String, Value>) {
    for (key, list) in [
        ("shortNames", &resource.short_names),
        ("categories", &resource.categories),
    ] {
        if !list.is_empty() {
            entry.insert(key.to_owned(), texts(list));
        }
    }
}

fn texts(list: &[Box<str>]) -> Value {
    list.iter().map(|text| Value::from(&**text)).collect()
}

fn aggregated<'a>(groups: impl Iterator<Item = &'a Group>) -> Value {
    let items: Vec<Value> = groups.map(aggregated_group).collect();
    json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    })
}

fn aggregated_group(group: &Group) -> Value {
    let metadata = if group.name.is_empty() {
        json!({})
    } else {
        json!({"name": &*group.name})
    };
    let version = |version: &Version| {
        let resources: Vec<Value> = version
            .resources()
            .map(|resource| aggregated_resource(resource))
            .collect();
        json!({"version": &*version.name, "resources": resources, "freshness": "Current"})
    };
    let versions: Vec<Value> = group.versions.iter().map(version).collect();
    json!({"metadata": metadata, "versions": versions})
}

fn aggregated_resource(resource: &Resource) -> Value {
    let mut entry = Map::new();
    entry.insert("resource".to_owned(), json!(&*resource.plural));
    // Of built-in kinds the genuine server names group and version only where they are others.
    let kind = if resource.custom {
        response_kind(&resource.group, &resource.version, &resource.kind)
    } else {
        response_kind("", "", &resource.kind)
    };
    entry.insert("responseKind".to_owned(), kind);
    let scope = if resource.namespaced {
        "Namespaced"
    } else {
        "Cluster"
    };
    entry.insert("scope".to_owned(), json!(scope));
    entry.insert("singularResource".to_owned(), json!(&*resource.singular));
    entry.insert("verbs".to_owned(), texts(&resource.verbs));
    names(resource, &mut entry);
    if !resource.subresources.is_empty() {
        let below = |subresource: &Subresource| {
            let Subresource {
                group,
                version,
                kind,
                ..
            } = subresource;
            let kind = if resource.custom || is_elsewhere(resource, subresource) {
                response_kind(group, version, kind)
            } else {
                response_kind("", "", kind)
            };
            json!({
                "subresource": &*subresource.name,
                "responseKind": kind,
                "verbs": texts(&subresource.verbs),
            })
        };
        let below = resource.subresources.iter().map(below).collect();
        entry.insert("subresources".to_owned(), below);
    }
    Value::Object(entry)
}

fn response_kind(group: &str, version: &str, kind: &str) -> Value {
    json!({"group": group, "version": version, "kind": kind})
}

#[cfg(test)]
mod tests;
