//! The catalogue as data and under definitions that come and go.

use serde_json::json;

use super::*;

fn definition(status: &str) -> Value {
    json!({
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Wished"},
            "versions": [
                {"name": "v1beta1", "served": true, "storage": false, "subresources": {"status": {}}},
                {"name": "v1", "served": true, "storage": true, "subresources": {"status": {}, "scale": {}}},
                {"name": "v1alpha1", "served": false, "storage": false},
            ],
        },
        "status": {
            "acceptedNames": {"plural": "widgets", "singular": "widget", "kind": "Widget",
                "listKind": "WidgetList", "shortNames": ["wd"], "categories": ["all"]},
            "conditions": [{"type": "Established", "status": status}],
        },
    })
}

#[test]
fn built_in_resources_are_found_by_name() {
    let catalogue = Catalogue::builtin();
    for (group, version, plural, kind, namespaced) in [
        ("", "v1", "pods", "Pod", true),
        ("", "v1", "namespaces", "Namespace", false),
        ("apps", "v1", "deployments", "Deployment", true),
        (
            "autoscaling",
            "v1",
            "horizontalpodautoscalers",
            "HorizontalPodAutoscaler",
            true,
        ),
        (
            "rbac.authorization.k8s.io",
            "v1",
            "clusterroles",
            "ClusterRole",
            false,
        ),
    ] {
        let resource = catalogue
            .resource(group, version, plural)
            .expect("it is served");
        assert_eq!((&*resource.kind, resource.namespaced), (kind, namespaced));
    }
    assert_eq!(catalogue.resource("", "v1", "pods/status"), None);
    assert_eq!(catalogue.resource("apps", "v1beta1", "deployments"), None);
}

#[test]
fn subresources_name_the_kind_they_speak() {
    let catalogue = Catalogue::builtin();
    for (group, plural, below, wanted) in [
        ("", "pods", "status", "/v1 Pod: get patch update"),
        (
            "",
            "serviceaccounts",
            "token",
            "authentication.k8s.io/v1 TokenRequest: create",
        ),
        (
            "apps",
            "deployments",
            "scale",
            "autoscaling/v1 Scale: get patch update",
        ),
    ] {
        let resource = catalogue
            .resource(group, "v1", plural)
            .expect("it is served");
        let Subresource {
            group,
            version,
            kind,
            verbs,
            ..
        } = resource.subresource(below).expect("it is served");
        assert_eq!(
            format!("{group}/{version} {kind}: {}", verbs.join(" ")),
            wanted
        );
    }
}

#[test]
fn groups_are_in_the_order_of_the_genuine_server() {
    let catalogue = Catalogue::builtin().with(&definition("True"));
    let names: Vec<&str> = catalogue
        .groups()
        .iter()
        .map(|group| &*group.name)
        .collect();
    assert_eq!(
        names[..4],
        ["", "apiregistration.k8s.io", "apps", "events.k8s.io"]
    );
    assert_eq!(names.last(), Some(&"example.com"));
    let versions = |group: &str| -> Vec<String> {
        let group = catalogue.group(group).expect("it is served");
        group
            .versions
            .iter()
            .map(|version| version.name.to_string())
            .collect()
    };
    assert_eq!(versions("autoscaling"), ["v2", "v1"]);
    assert_eq!(versions("example.com"), ["v1", "v1beta1"]);
}

#[test]
fn a_definition_is_served_while_it_is_established() {
    let before = Catalogue::builtin();
    assert_eq!(
        before
            .with(&definition("False"))
            .group("example.com")
            .map(|_| ()),
        None
    );

    let with = before.with(&definition("True"));
    let widget = with
        .resource("example.com", "v1", "widgets")
        .expect("it is served");
    assert_eq!(widget.storage_hash.as_deref(), Some("gIwvi5rymmg="));
    assert!(widget.allows("create") && widget.custom && widget.subresource("scale").is_some());
    let older = with
        .resource("example.com", "v1beta1", "widgets")
        .expect("it is served");
    assert!(older.subresource("scale").is_none());
    assert_eq!(with.version("example.com", "v1alpha1").map(|_| ()), None);
    assert_eq!(
        before.group("example.com").map(|_| ()),
        None,
        "a snapshot stays"
    );

    let again = with.with(&definition("True"));
    assert_eq!(again.resources().count(), with.resources().count());
    let without = again.without(&definition("True"));
    assert_eq!(without.resources().count(), before.resources().count());
    assert_eq!(without.group("example.com").map(|_| ()), None);
}

#[test]
fn a_definition_that_terminates_takes_no_more_objects() {
    let mut definition = definition("True");
    definition["status"]["conditions"] = json!([
        {"type": "Established", "status": "True"},
        {"type": "Terminating", "status": "True"},
    ]);
    let catalogue = Catalogue::builtin().with(&definition);
    let widget = catalogue
        .resource("example.com", "v1", "widgets")
        .expect("it is served");
    assert!(!widget.allows("create") && widget.allows("delete"));
}

#[test]
fn a_definition_cannot_hide_a_built_in_resource() {
    let mut definition = definition("True");
    definition["spec"]["group"] = json!("apps");
    definition["status"]["acceptedNames"]["plural"] = json!("deployments");
    let catalogue = Catalogue::builtin().with(&definition);
    let resource = catalogue
        .resource("apps", "v1", "deployments")
        .expect("it is served");
    assert!(!resource.custom);
    let without = catalogue.without(&definition);
    assert!(without.resource("apps", "v1", "deployments").is_some());
}

#[test]
fn hostile_definitions_do_no_harm() {
    for definition in [
        json!(null),
        json!({"spec": {"versions": 3, "group": []}, "status": {"conditions": [{"type": "Established", "status": "True"}]}}),
        json!({"spec": {"versions": [null, {"served": true}]}, "status": {"conditions": [{"type": "Established", "status": "True"}]}}),
    ] {
        let catalogue = Catalogue::builtin().with(&definition);
        assert_eq!(
            catalogue.resources().count(),
            Catalogue::builtin().resources().count()
        );
    }
}
