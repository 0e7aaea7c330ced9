//! The expected documents are what kube-apiserver v1.36.3 answers.

use super::*;

fn catalogue() -> Catalogue {
    Catalogue::builtin().with(&json!({
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}, "scale": {}}}],
        },
        "status": {
            "acceptedNames": {"plural": "widgets", "singular": "widget", "kind": "Widget",
                "listKind": "WidgetList", "shortNames": ["wd"], "categories": ["all", "toys"]},
            "conditions": [{"type": "Established", "status": "True"}],
        },
    }))
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("the test's text is JSON")
}

#[test]
fn a_custom_group_is_told_as_the_genuine_server_tells_it() {
    let catalogue = catalogue();
    let wanted = r#"{"kind":"APIGroup","apiVersion":"v1","name":"example.com","versions":[{"groupVersion":"example.com/v1","version":"v1"}],"preferredVersion":{"groupVersion":"example.com/v1","version":"v1"}}"#;
    assert_eq!(group(&catalogue, "example.com"), Some(parse(wanted)));

    let wanted = r#"{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"example.com/v1","resources":[{"name":"widgets","singularName":"widget","namespaced":true,"kind":"Widget","verbs":["delete","deletecollection","get","list","patch","create","update","watch"],"shortNames":["wd"],"categories":["all","toys"],"storageVersionHash":"gIwvi5rymmg="},{"name":"widgets/status","singularName":"","namespaced":true,"kind":"Widget","verbs":["get","patch","update"]},{"name":"widgets/scale","singularName":"","namespaced":true,"group":"autoscaling","version":"v1","kind":"Scale","verbs":["get","patch","update"]}]}"#;
    assert_eq!(
        resources(&catalogue, "example.com", "v1"),
        Some(parse(wanted))
    );

    let wanted = r#"{"metadata": {"name": "example.com"}, "versions": [{"version": "v1", "resources": [{"resource": "widgets", "responseKind": {"group": "example.com", "version": "v1", "kind": "Widget"}, "scope": "Namespaced", "singularResource": "widget", "verbs": ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"], "shortNames": ["wd"], "categories": ["all", "toys"], "subresources": [{"subresource": "status", "responseKind": {"group": "example.com", "version": "v1", "kind": "Widget"}, "verbs": ["get", "patch", "update"]}, {"subresource": "scale", "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"}, "verbs": ["get", "patch", "update"]}]}], "freshness": "Current"}]}"#;
    let all = aggregated_groups(&catalogue);
    let last = all["items"].as_array().and_then(|items| items.last());
    assert_eq!(last, Some(&parse(wanted)));
}

#[test]
fn a_built_in_group_is_told_as_the_genuine_server_tells_it() {
    let catalogue = catalogue();
    let wanted = r#"{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"batch/v1","resources":[{"name":"cronjobs","singularName":"cronjob","namespaced":true,"kind":"CronJob","verbs":["create","delete","deletecollection","get","list","patch","update","watch"],"shortNames":["cj"],"categories":["all"],"storageVersionHash":"sd5LIXh4Fjs="},{"name":"cronjobs/status","singularName":"","namespaced":true,"kind":"CronJob","verbs":["get","patch","update"]},{"name":"jobs","singularName":"job","namespaced":true,"kind":"Job","verbs":["create","delete","deletecollection","get","list","patch","update","watch"],"categories":["all"],"storageVersionHash":"mudhfqk/qZY="},{"name":"jobs/status","singularName":"","namespaced":true,"kind":"Job","verbs":["get","patch","update"]}]}"#;
    assert_eq!(resources(&catalogue, "batch", "v1"), Some(parse(wanted)));

    let core = aggregated_core(&catalogue);
    let resources = &core["items"][0]["versions"][0]["resources"];
    let accounts = resources.as_array().into_iter().flatten();
    let accounts = accounts.filter(|resource| resource["resource"] == "serviceaccounts");
    let wanted = r#"{"resource": "serviceaccounts", "responseKind": {"group": "", "version": "", "kind": "ServiceAccount"}, "scope": "Namespaced", "singularResource": "serviceaccount", "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"], "shortNames": ["sa"], "subresources": [{"subresource": "token", "responseKind": {"group": "authentication.k8s.io", "version": "v1", "kind": "TokenRequest"}, "verbs": ["create"]}]}"#;
    assert_eq!(accounts.collect::<Vec<_>>(), [&parse(wanted)]);
    assert_eq!(core["items"][0]["metadata"], json!({}));
}

#[test]
fn what_is_not_served_has_no_document() {
    let catalogue = catalogue();
    assert_eq!(group(&catalogue, ""), None);
    assert_eq!(group(&catalogue, "nowhere.example.com"), None);
    assert_eq!(resources(&catalogue, "apps", "v1beta1"), None);
}

#[test]
fn an_etag_is_quoted_and_changes_with_the_content() {
    let tags = [etag(b"a"), etag(b"b")];
    assert_ne!(tags[0], tags[1]);
    assert!(tags[0].starts_with('"') && tags[0].ends_with('"') && tags[0].len() == 130);
}
