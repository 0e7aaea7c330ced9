//! Rule 3: where another writer undoes every repair, the repairs wait longer and longer, and say so.

use std::time::Duration;

use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::api::Api;
use serde_json::{Value, json};
use suite::{Scene, SceneOptions};
use testkit::audit::Requests;
use testkit::poll;

use crate::rules_stage::{config_map, patch_spec};

/// A ClusterRole whose `rules` the API server's own controller fills, although Git says that there are none.
fn roles(ns: &str) -> [(&'static str, Value); 2] {
    let api = "rbac.authorization.k8s.io/v1";
    let whole = json!({
        "apiVersion": api, "kind": "ClusterRole", "metadata": {"name": format!("whole-{ns}")},
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"part-of": ns}}]},
        "rules": [],
    });
    let part = json!({
        "apiVersion": api, "kind": "ClusterRole",
        "metadata": {"name": format!("part-{ns}"), "labels": {"part-of": ns}},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
    });
    [("config/whole.yaml", whole), ("config/part.yaml", part)]
}

async fn patches_in(scene: &Scene, seconds: u64) -> Requests {
    let mut window = scene.world.audit().await;
    let _ = poll(Duration::from_secs(seconds), || {
        std::future::ready(Err::<(), _>("time has to pass"))
    })
    .await;
    let requests = window.requests().await.by("shipway");
    requests.only(|request| request.verb == "patch")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repair_that_is_undone_again_and_again_waits_and_says_who_undoes_it() {
    let options = SceneOptions {
        everywhere: true,
        ..SceneOptions::default()
    };
    let scene = Scene::with("fight", options).await;
    for (file, role) in roles(scene.ns()) {
        scene.write(file, &role.to_string());
    }
    scene.write("config/a.yaml", &config_map("a", &[("a", "1")]));
    scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    let message = scene.until_reason("web", "RepairUndone").await;
    for word in [
        &format!("ClusterRole/whole-{}", scene.ns()),
        "`clusterrole-aggregation-controller`",
        ".rules",
        "`ignore`",
    ] {
        assert!(message.contains(word), "{word} is missing in: {message}");
    }
    scene
        .until_event(
            "web",
            &[
                "RepairUndone",
                "`clusterrole-aggregation-controller`",
                ".rules",
            ],
        )
        .await;

    // Nothing but the pauses decides when it is repaired again, and what is refused has its own.
    scene.write(
        "config/bad.yaml",
        &config_map("bad", &[("not a key!", "1")]),
    );
    scene.push().await;
    scene.until_reason("web", "Invalid").await;
    let whole = format!("whole-{}", scene.ns());
    let patches = patches_in(&scene, 20).await;
    let of_role = patches.clone().only(|request| request.name == whole);
    let repairs = of_role.only(|request| request.code == 200);
    // Ten at once, since there is a new revision, and those of the first pauses.
    assert!(repairs.count() <= 16, "repaired all the time:\n{patches}");
    let refused = patches.only(|request| request.name == "bad");
    assert!(refused.count() <= 6, "retried all the time:\n{refused}");
    scene.remove("config/bad.yaml");
    scene.push().await;

    // As the message says.
    patch_spec(
        &scene,
        "web",
        json!({"ignore": [{"kind": "ClusterRole", "name": whole, "paths": ["/rules"]}]}),
    )
    .await;
    scene.until_ready("web", None).await;
    let part = format!("part-{}", scene.ns());
    scene.remove("config/whole.yaml");
    scene.remove("config/part.yaml");
    scene.push().await;
    scene
        .until("web", "has pruned the roles", |status| {
            status.objects == Some(1)
        })
        .await;
    let roles: Api<ClusterRole> = Api::all(scene.client.clone());
    for role in [whole, part] {
        let left = roles.get_opt(&role).await.expect("it answers");
        assert_eq!(left, None);
    }
}
