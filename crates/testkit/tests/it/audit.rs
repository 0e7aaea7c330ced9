//! The audit log says who asked for what.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use serde_json::json;
use testkit::World;

#[tokio::test]
async fn counts_the_requests_of_a_window() {
    let world = World::shared();
    let (client, namespace) = (world.client().await, world.temp_namespace("audit").await);
    let name = namespace.name();
    let maps = Api::<ConfigMap>::namespaced(client, name);
    let map = ConfigMap {
        metadata: ObjectMeta {
            name: Some("colours".to_owned()),
            ..Default::default()
        },
        ..Default::default()
    };

    let mut window = world.audit().await;
    maps.create(&PostParams::default(), &map)
        .await
        .expect("a config map can be created");
    maps.get("colours").await.expect("it is there");
    let dry_run = PatchParams {
        dry_run: true,
        ..Default::default()
    };
    let patch = Patch::Merge(json!({ "data": { "sky": "blue" } }));
    maps.patch("colours", &dry_run, &patch)
        .await
        .expect("a dry run may patch");

    let ours = window
        .requests()
        .await
        .within(name)
        .only(|request| request.user == "kubernetes-admin");
    let shown = ours.to_string().replace(name, "NAMESPACE");
    let lines: Vec<_> = shown
        .lines()
        .map(|line| line.split(" by ").next().unwrap_or_default())
        .collect();
    assert_eq!(
        lines,
        [
            "1 create configmaps in NAMESPACE",
            "1 get configmaps in NAMESPACE",
            "1 patch configmaps in NAMESPACE"
        ]
    );
    assert_eq!(ours.writes().count(), 1, "a dry run writes nothing");

    let quiet = window
        .requests()
        .await
        .within(name)
        .only(|request| request.user == "kubernetes-admin");
    assert_eq!(
        quiet.count(),
        0,
        "each request is in one window only:\n{quiet}"
    );
}
