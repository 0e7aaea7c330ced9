//! `shipway tree`.

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use serde_json::{Value, json};
use suite::{Scene, SceneOptions};

use super::{fixed, reader, run, settings};
use testkit::{Need, World};

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: web}]
";

/// The first two columns, with the made-up parts of names replaced.
fn shape(shown: &str, ns: &str, names: &[(&str, &str)]) -> String {
    let width = shown.find("STATUS").expect("the table has a header");
    let lines = shown.lines().skip(1).map(|line| {
        let object: String = line.chars().take(width).collect();
        let status: String = line
            .chars()
            .skip(width)
            .take_while(|letter| *letter != ' ')
            .collect();
        format!(
            "{} {status}\n",
            fixed(object.trim_end(), names).replace(ns, "ns")
        )
    });
    lines.collect()
}

/// A Deployment's ReplicaSet and Pod, by name.
async fn made(scene: &Scene) -> (String, String) {
    (
        scene.names::<ReplicaSet>().await.remove(0),
        scene.names::<Pod>().await.remove(0),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn tree_shows_objects_down_to_the_pods_and_what_is_missing() {
    if World::shared().lacks(Need::Pods) {
        return;
    }
    let scene = Scene::new("tree").await;
    let _settling = scene.settle().await;
    scene.write("config/web.yaml", DEPLOYMENT);
    scene.write("config/settings.yaml", &settings("settings", "blue"));
    scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_ready("web", None).await;
    let (set, pod) = made(&scene).await;
    let names = [(pod.as_str(), "web-1-a"), (set.as_str(), "web-1")];
    assert_eq!(
        shape(&run(&scene, &["tree", "web"]), scene.ns(), &names),
        "Shipment/ns/web Ready\n\
         ├─ConfigMap/ns/settings Current\n\
         └─Deployment/ns/web Current\n\
         \x20 └─ReplicaSet/ns/web-1 Current\n\
         \x20   └─Pod/ns/web-1-a Current\n"
    );
    run(&scene, &["suspend", "web"]);
    scene
        .until("web", "is suspended", |status| {
            status
                .conditions
                .iter()
                .any(|condition| condition.kind == "Suspended")
        })
        .await;
    scene.delete::<ConfigMap>("settings").await;
    let shown = run(&scene, &["tree", "web"]);
    assert!(
        shown.contains("NotFound: the object does not exist"),
        "{shown}"
    );
    let whole: Value =
        serde_json::from_str(&run(&scene, &["tree", "web", "-o", "json"])).expect("it is JSON");
    assert_eq!(whole["objects"][0]["status"], "NotFound");
    assert_eq!(
        whole["objects"][1]["children"][0]["children"][0]["kind"],
        "Pod"
    );
    assert_eq!(
        fixed(&run(&scene, &["tree", "web", "-o", "name"]), &names),
        "configmap/settings\ndeployment.apps/web\nreplicaset.apps/web-1\npod/web-1-a\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tree_says_what_the_caller_may_not_read() {
    if World::shared().lacks(Need::Pods) {
        return;
    }
    let scene = Scene::new("treerights").await;
    scene.write("config/web.yaml", DEPLOYMENT);
    scene.write("config/settings.yaml", &settings("settings", "blue"));
    scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene
        .until("web", "has applied all", |status| status.objects == Some(2))
        .await;
    let rules = json!([
        {"apiGroups": ["shipway.run"], "resources": ["shipments", "inventories"], "verbs": ["get", "list"]},
        {"apiGroups": ["apps"], "resources": ["deployments", "replicasets"], "verbs": ["get", "list"]},
    ]);
    let (_folder, kubeconfig) = reader(&scene, rules).await;
    let (code, shown, notes) = scene.shipway_as(&kubeconfig, &["tree", "web"]);
    assert_eq!(code, 0, "{notes}");
    let config = shown
        .lines()
        .find(|line| line.contains("ConfigMap"))
        .expect("it is listed");
    assert!(
        config.ends_with("Forbidden: you may not read it"),
        "{config}"
    );
    assert!(shown.contains("ReplicaSet/"), "{shown}");
    assert!(notes.contains("you may not list Pod in"), "{notes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn get_and_tree_name_every_object_and_file_that_failed() {
    let options = SceneOptions {
        role: "edit",
        ..SceneOptions::default()
    };
    let scene = Scene::with("treefail", options).await;
    scene.write("config/settings.yaml", &settings("settings", "blue"));
    scene.write("config/broken.yaml", "kind: [\n");
    scene.write(
        "config/role.yaml",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: never}\nrules: []\n",
    );
    scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene
        .until("web", "has failed twice", |status| status.failed == Some(2))
        .await;
    let role = format!("Role/{}/never", scene.ns());
    let shown = run(&scene, &["tree", "web"]);
    let line = |of: &str, text: &str| {
        let found = text.lines().find(|line| line.contains(of));
        found
            .unwrap_or_else(|| panic!("no line of `{of}`:\n{text}"))
            .to_owned()
    };
    assert!(line(&role, &shown).contains(" Failed "), "{shown}");
    assert!(
        line(&role, &shown).contains("Forbidden: the ServiceAccount"),
        "{shown}"
    );
    assert!(
        line("─broken.yaml:", &shown).contains("ManifestInvalid: "),
        "{shown}"
    );
    assert!(line("ConfigMap/", &shown).contains(" Current"), "{shown}");
    let shown = run(&scene, &["get", "web"]);
    let file = line("ManifestInvalid ", &shown);
    assert!(
        file.contains("   broken.yaml:1   not valid YAML"),
        "{shown}"
    );
    let object = line("Forbidden ", &shown);
    assert!(
        object.contains(&role) && object.contains("   role.yaml:1     the ServiceAccount"),
        "{shown}"
    );
    for command in ["get", "tree"] {
        let whole = run(&scene, &[command, "web", "-o", "json"]);
        let whole: Value = serde_json::from_str(&whole).expect("it is JSON");
        let failures = whole
            .pointer("/status/failures")
            .unwrap_or_else(|| &whole["failures"]);
        let reasons = failures.as_array().expect("a list").iter();
        let reasons: Vec<_> = reasons.map(|failure| failure["reason"].as_str()).collect();
        assert_eq!(
            reasons,
            [Some("ManifestInvalid"), Some("Forbidden")],
            "{command}"
        );
    }
}
