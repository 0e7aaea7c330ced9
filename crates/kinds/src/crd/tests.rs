//! Cartographer's definitions against what Cartographer says, and what each profile installs.

use serde_json::{Map, Value, json};

use super::*;

/// The structure of Cartographer's definitions, one line for each property: its path (`!` where it
/// is required, `[]` for the items of a list, `{}` for the values of a map), its type, and whatever
/// else its schema says but its description.
const CARTOGRAPHER: &str = include_str!("cartographer-v0.8.11.txt");

/// A definition as [`CARTOGRAPHER`] writes it.
fn structure(crd: &CustomResourceDefinition) -> String {
    let crd = serde_json::to_value(crd).expect("it is plain data");
    let names = &crd["spec"]["names"];
    let version = &crd["spec"]["versions"][0];
    let status = match version["subresources"].get("status") {
        Some(_) => "yes",
        None => "no",
    };
    let head = [
        text(&names["kind"]),
        text(&names["plural"]),
        text(&crd["spec"]["scope"]),
        words(&names["shortNames"]),
        format!("categories={}", words(&names["categories"])),
        format!("status={status}"),
    ];
    let mut lines = vec![format!("# {}", head.join(" "))];
    for column in version["additionalPrinterColumns"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let parts = ["name", "type", "jsonPath"].map(|part| text(&column[part]));
        lines.push(format!("| {}", parts.join(" ")));
    }
    let root = &version["schema"]["openAPIV3Schema"];
    assert_eq!(root["required"], json!(["metadata", "spec"]));
    let mut properties = Vec::new();
    for (name, property) in members(&root["properties"]) {
        let mark = if name == "spec" { "!" } else { "" };
        walk(property, &format!(".{name}"), mark, &mut properties);
    }
    properties.sort();
    lines.extend(properties);
    lines.join("\n")
}

fn walk(schema: &Value, path: &str, mark: &str, lines: &mut Vec<String>) {
    let kind = schema["type"].as_str().unwrap_or("any");
    let mut line = format!("{path}{mark} {kind}");
    for (keyword, said) in members(schema) {
        let said = match keyword.as_str() {
            "type"
            | "description"
            | "properties"
            | "required"
            | "items"
            | "additionalProperties" => continue,
            "enum" => sorted(said),
            "minimum" => json!(said.as_f64()).to_string().replace(".0", ""),
            _ => said.to_string(),
        };
        line = format!("{line} {keyword}={said}");
    }
    lines.push(line);
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, property) in members(&schema["properties"]) {
        let is_required = required.iter().any(|wanted| wanted == name);
        let mark = if is_required { "!" } else { "" };
        walk(property, &format!("{path}.{name}"), mark, lines);
    }
    if let Some(items) = schema.get("items") {
        walk(items, &format!("{path}[]"), "", lines);
    }
    if let Some(values) = schema.get("additionalProperties") {
        walk(values, &format!("{path}{{}}"), "", lines);
    }
}

fn members(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flat_map(Map::iter)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn words(list: &Value) -> String {
    let words = list.as_array().into_iter().flatten().map(text);
    words.collect::<Vec<_>>().join(",")
}

fn sorted(list: &Value) -> String {
    let mut list = list.as_array().cloned().unwrap_or_default();
    list.sort_by_key(Value::to_string);
    Value::Array(list).to_string()
}

#[test]
fn cartographers_kinds_have_exactly_its_structure() {
    let ours = of(Profile::Full);
    let ours = ours
        .iter()
        .filter(|crd| crd.spec.group == cartographer::GROUP);
    let ours: Vec<String> = ours.map(structure).collect();
    let ours = ours.join("\n");
    let theirs = CARTOGRAPHER.trim_end();
    for (mine, wanted) in ours.lines().zip(theirs.lines()) {
        assert_eq!(mine, wanted);
    }
    assert_eq!(ours, theirs);
}

#[test]
fn the_run_profile_installs_what_it_serves() {
    let names = of(Profile::Run)
        .into_iter()
        .filter_map(|crd| crd.metadata.name);
    assert_eq!(
        names.collect::<Vec<_>>(),
        [
            "clusterconfigtemplates.carto.run",
            "clusterdeliveries.carto.run",
            "clusterdeploymenttemplates.carto.run",
            "clustersourcetemplates.carto.run",
            "clustertemplates.carto.run",
            "deliverables.carto.run",
            "environments.shipway.run",
            "inventories.shipway.run",
            "shipments.shipway.run",
        ]
    );
}

#[test]
fn a_quantity_may_be_a_number() {
    let spec = json!({"resources": {"limits": {"cpu": 1, "memory": "1Gi"}}});
    let spec: crate::WorkloadSpec = serde_json::from_value(spec).expect("it is a Workload's");
    assert_eq!(
        spec.resources.expect("they are there").limits["cpu"],
        json!(1)
    );
}

#[test]
fn both_blueprints_are_read_into_one_shape() {
    let spec = json!({"selector": {"a": "b"}, "resources": [
        {"name": "r", "templateRef": {"kind": "ClusterTemplate", "name": "t"}}
    ]});
    let chain: crate::ClusterSupplyChainSpec =
        serde_json::from_value(spec.clone()).expect("it is a supply chain's");
    let delivery: crate::ClusterDeliverySpec =
        serde_json::from_value(spec.clone()).expect("it is a delivery's");
    assert_eq!(chain.blueprint, delivery.blueprint);
    assert_eq!(json!(chain), spec);
}
