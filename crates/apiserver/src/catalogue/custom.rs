//! The resources that a `CustomResourceDefinition` makes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Resource, Subresource, texts};

/// In the order in which the genuine server lists them.
const VERBS: [&str; 8] = [
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "create",
    "update",
    "watch",
];
const VERBS_TERMINATING: [&str; 5] = ["delete", "deletecollection", "get", "list", "watch"];
const VERBS_BELOW: [&str; 3] = ["get", "patch", "update"];

/// Group and plural name.
pub(super) fn name(definition: &Value) -> (&str, &str) {
    let group = definition["spec"]["group"].as_str().unwrap_or_default();
    (group, text(definition, "plural").unwrap_or_default())
}

/// One resource per version that is served; none while the definition is not established.
///
/// Names are the accepted ones, which differ from the wished ones after a conflict.
pub(super) fn resources(definition: &Value) -> Vec<Resource> {
    let versions = definition["spec"]["versions"].as_array();
    if !condition(definition, "Established") || versions.is_none() {
        return Vec::new();
    }
    let versions = versions.into_iter().flatten();
    let is_stored = |version: &&Value| version["storage"] == true;
    let stored = versions.clone().find(is_stored).and_then(version_name);
    let served = versions.filter(|version| version["served"] == true);
    served
        .filter_map(|version| resource(definition, version, stored))
        .collect()
}

fn resource(definition: &Value, version: &Value, stored: Option<&str>) -> Option<Resource> {
    let group = definition["spec"]["group"].as_str()?;
    let name = version_name(version)?;
    let kind = text(definition, "kind")?;
    let plural = text(definition, "plural")?;
    let verbs: &[&str] = if condition(definition, "Terminating") {
        &VERBS_TERMINATING
    } else {
        &VERBS
    };
    let mut subresources = Vec::new();
    let mut below = |subresource: &str, group: &str, version: &str, kind: &str| {
        subresources.push(Subresource {
            name: subresource.into(),
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
            verbs: VERBS_BELOW.map(Into::into).into(),
        });
    };
    if version["subresources"]["status"].is_object() {
        below("status", group, name, kind);
    }
    if version["subresources"]["scale"].is_object() {
        below("scale", "autoscaling", "v1", "Scale");
    }
    let names = names(definition);
    Some(Resource {
        group: group.into(),
        version: name.into(),
        plural: plural.into(),
        singular: text(definition, "singular").unwrap_or_default().into(),
        kind: kind.into(),
        list_kind: match text(definition, "listKind") {
            Some(list_kind) => list_kind.into(),
            None => format!("{kind}List").into(),
        },
        namespaced: definition["spec"]["scope"] == "Namespaced",
        verbs: verbs.iter().map(|verb| (*verb).into()).collect(),
        short_names: texts(&names["shortNames"]),
        categories: texts(&names["categories"]),
        subresources,
        storage_hash: stored.map(|stored| storage_hash(group, stored, kind)),
        custom: true,
    })
}

fn version_name(version: &Value) -> Option<&str> {
    version["name"].as_str()
}

fn names(definition: &Value) -> &Value {
    let accepted = &definition["status"]["acceptedNames"];
    if accepted["plural"].is_string() {
        accepted
    } else {
        &definition["spec"]["names"]
    }
}

fn text<'a>(definition: &'a Value, key: &str) -> Option<&'a str> {
    let text = names(definition)[key].as_str();
    text.filter(|text| !text.is_empty())
}

fn condition(definition: &Value, ty: &str) -> bool {
    let conditions = definition["status"]["conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == ty && condition["status"] == "True")
}

/// External rule: `StorageVersionHash` of k8s.io/apiserver, pkg/endpoints/discovery.
fn storage_hash(group: &str, version: &str, kind: &str) -> Box<str> {
    let hash = Sha256::digest(format!("{group}/{version}/{kind}"));
    STANDARD.encode(&hash[..8]).into()
}
