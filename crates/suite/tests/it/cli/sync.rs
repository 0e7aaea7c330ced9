//! `shipway sync` after something was refused.

use serde_json::json;
use suite::{Scene, SceneOptions};

use super::{fails, run, settings};
use crate::rules_crash::{alone, free_lease, stage};

#[tokio::test(flavor = "multi_thread")]
async fn commands_say_where_no_controller_is_at_work() {
    let _turn = alone().await;
    let scene = stage("idle").await;
    free_lease(&scene).await;
    scene.write("config/settings.yaml", &settings("settings", "blue"));
    scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    let says =
        "no controller is at work here: the Lease `shipway-system/shipway-controller` is not there";
    for words in [&["get"][..], &["tree", "web"], &["sync", "web"]] {
        let (code, _, err) = scene.shipway(words);
        assert_eq!(code, 0, "{err}");
        assert!(err.contains(says), "{words:?}: {err}");
    }
    let late = fails(&scene, &["sync", "web", "--wait", "--timeout", "1s"]);
    assert!(
        late.contains(
            "is not ready in time: waiting for the look at the source; nothing is known of it yet"
        ) && late.contains(&format!("hint: {says}")),
        "{late}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_tries_again_what_was_refused_and_judges_that_alone() {
    let options = SceneOptions {
        role: "edit",
        ..SceneOptions::default()
    };
    let scene = Scene::with("regrant", options).await;
    scene.write("config/settings.yaml", &settings("settings", "blue"));
    scene.write(
        "config/role.yaml",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: reader}\nrules:\n- {apiGroups: [''], resources: [pods], verbs: [get]}\n",
    );
    let commit = scene.push().await;
    let mut shipment = scene.shipment("web", "config");
    shipment["spec"]["interval"] = json!("1h");
    scene.apply(&shipment).await;
    // Each attempt makes the next pause longer, so that it soon is too long to be waited for.
    for _ in 0..6 {
        let refused = fails(&scene, &["sync", "web", "--wait", "--timeout", "20s"]);
        assert!(refused.contains("needs somebody: `Role/"), "{refused}");
    }
    scene
        .apply(&json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "more", "namespace": scene.ns()},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"},
            "subjects": [{"kind": "ServiceAccount", "name": "deployer", "namespace": scene.ns()}],
        }))
        .await;
    assert_eq!(
        run(&scene, &["sync", "web", "--wait", "--timeout", "20s"]),
        format!(
            "shipment.shipway.run/web is ready at main@sha1:{}\n",
            &commit[..8]
        )
    );
}
