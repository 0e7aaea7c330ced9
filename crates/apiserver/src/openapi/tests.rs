//! The documents, as kubectl looks at them.

use super::*;

fn custom() -> (Catalogue, Value) {
    let schema = json!({
        "type": "object",
        "description": "a widget",
        "properties": {"spec": {"type": "object", "properties": {
            "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        }}},
    });
    let definition = json!({
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}, "scale": {}}}],
        },
        "status": {"conditions": [{"type": "Established", "status": "True"}]},
    });
    (Catalogue::builtin().with(&definition), schema)
}

fn read(group: &str, version: &str) -> Value {
    let (catalogue, schema) = custom();
    let document = document(&catalogue, &|_| Some(&schema), group, version);
    serde_json::from_slice(&document.expect("it is served").body).expect("it is JSON")
}

/// What kubectl looks for before it applies, replaces or compares.
#[test]
fn every_kind_that_can_be_patched_says_how() {
    let (catalogue, _) = custom();
    for group in catalogue.groups() {
        for version in &group.versions {
            let document = read(&group.name, &version.name);
            let paths = document["paths"].as_object().expect("paths");
            for resource in version
                .resources()
                .filter(|resource| resource.allows("patch"))
            {
                let kind = gvk(&group.name, &version.name, &resource.kind);
                let mut of_kind = paths
                    .values()
                    .map(|path| &path["patch"])
                    .filter(|patch| patch["x-kubernetes-group-version-kind"] == kind);
                let patch = of_kind.next().expect("it can be patched");
                let queries = patch["parameters"].as_array().expect("parameters");
                for wanted in ["dryRun", "fieldValidation"] {
                    let known = |query: &Value| query["name"] == wanted && query["in"] == "query";
                    assert!(queries.iter().any(known), "{kind} {wanted}");
                }
                let media = &patch["requestBody"]["content"];
                let strategic = media.get("application/strategic-merge-patch+json");
                assert_eq!(strategic.is_some(), !resource.custom, "{kind}");
                let types = document["components"]["schemas"]
                    .as_object()
                    .expect("types");
                let gvks = types
                    .values()
                    .map(|ty| &ty["x-kubernetes-group-version-kind"]);
                let found = gvks
                    .filter_map(Value::as_array)
                    .flatten()
                    .filter(|gvk| **gvk == kind);
                assert_eq!(found.count(), 1, "{kind} has one type");
            }
        }
    }
}

#[test]
fn references_lead_somewhere_and_ids_are_unique() {
    fn walk(value: &Value, references: &mut Vec<String>, ids: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                let text = |key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
                references.extend(text("$ref"));
                ids.extend(text("operationId"));
                map.values().for_each(|value| walk(value, references, ids));
            }
            Value::Array(list) => list.iter().for_each(|value| walk(value, references, ids)),
            _ => {}
        }
    }
    let (catalogue, _) = custom();
    for group in catalogue.groups() {
        for version in &group.versions {
            let document = read(&group.name, &version.name);
            let (mut references, mut ids) = (Vec::new(), Vec::new());
            walk(&document, &mut references, &mut ids);
            for reference in references {
                let found = document.pointer(reference.trim_start_matches('#'));
                assert!(found.is_some_and(Value::is_object), "{reference}");
            }
            let count = ids.len();
            ids.sort();
            ids.dedup();
            // Lists in a namespace and lists everywhere share theirs.
            let shared = version
                .resources()
                .filter(|it| it.namespaced && it.allows("list"));
            assert_eq!(ids.len() + shared.count(), count, "{}", group.name);
        }
    }
}

#[test]
fn types_say_what_patches_and_apply_have_to_know() {
    let core = read("", "v1");
    let property = |ty: &str, name: &str| {
        core["components"]["schemas"][format!("io.k8s.api.core.v1.{ty}")]["properties"][name]
            .clone()
    };
    for (ty, name, wanted) in [
        (
            "PodSpec",
            "volumes",
            json!({
                "type": "array",
                "items": {"allOf": [{"$ref": "#/components/schemas/io.k8s.api.core.v1.Volume"}]},
                "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "x-kubernetes-patch-strategy": "merge,retainKeys", "x-kubernetes-patch-merge-key": "name",
            }),
        ),
        (
            "ContainerPort",
            "protocol",
            json!({"type": "string", "default": "TCP", "enum": ["SCTP", "TCP", "UDP"]}),
        ),
        (
            "PersistentVolumeSpec",
            "claimRef",
            json!({
                "allOf": [{"$ref": "#/components/schemas/io.k8s.api.core.v1.ObjectReference"}],
                "x-kubernetes-map-type": "granular",
            }),
        ),
        (
            "ServiceSpec",
            "selector",
            json!({
                "type": "object", "additionalProperties": {"type": "string"}, "x-kubernetes-map-type": "atomic",
            }),
        ),
        (
            "ServicePort",
            "targetPort",
            json!({
                "allOf": [{"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.util.intstr.IntOrString"}],
            }),
        ),
    ] {
        let mut found = property(ty, name);
        let described = found
            .as_object_mut()
            .and_then(|ty| ty.remove("description"));
        assert!(described.is_some(), "{ty}.{name}");
        assert_eq!(found, wanted, "{ty}.{name}");
    }
}

#[test]
fn a_custom_kind_keeps_its_schema_and_gets_the_fields_of_all_objects() {
    let document = read("example.com", "v1");
    let widget = &document["components"]["schemas"]["com.example.v1.Widget"];
    assert_eq!(widget["description"], "a widget");
    let tags = &widget["properties"]["spec"]["properties"]["tags"];
    assert_eq!(tags["x-kubernetes-list-type"], "set");
    assert_eq!(widget["properties"]["kind"]["type"], "string");
    let kind = json!([gvk("example.com", "v1", "Widget")]);
    assert_eq!(widget["x-kubernetes-group-version-kind"], kind);
    let scale = "/apis/example.com/v1/namespaces/{namespace}/widgets/{name}/scale";
    let patch = &document["paths"][scale]["patch"];
    assert_eq!(
        patch["operationId"],
        "patchExampleComV1NamespacedWidgetScale"
    );
    let kind = gvk("autoscaling", "v1", "Scale");
    assert_eq!(patch["x-kubernetes-group-version-kind"], kind);
}

#[test]
fn the_index_names_the_content() {
    let hashes = BTreeMap::from([
        (location("", "v1"), "A".to_owned()),
        (location("apps", "v1"), "B".to_owned()),
    ]);
    let wanted = json!({"paths": {
        "api/v1": {"serverRelativeURL": "/openapi/v3/api/v1?hash=A"},
        "apis/apps/v1": {"serverRelativeURL": "/openapi/v3/apis/apps/v1?hash=B"},
    }});
    assert_eq!(index("", &hashes), wanted);
    let url = &index("/clusters/qa", &hashes)["paths"]["api/v1"]["serverRelativeURL"];
    assert_eq!(url, "/clusters/qa/openapi/v3/api/v1?hash=A");
}
