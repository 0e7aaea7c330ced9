//! What is specific wins, which files of an overlay count, and what people see of it all.

use std::path::PathBuf;

use kinds::Reason;
use serde_json::{Value, json};
use suite::{Scene, kubeconfig};

use crate::bad_stage::{Server, config_map, until_value, value};
use crate::environment::{Env, overlay};

#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_the_shipments_own_overlay_folder_replaces_that_for_all() {
    let scene = Scene::new("specific").await;
    let server = Server::start(|_| {}).await;
    let own = format!("{}/web/added.yaml", scene.ns());
    server.write("all/added.yaml", config_map("added", "all"));
    server.write(&own, config_map("added", "own"));
    server.push();
    let env = Env::new(&scene, "qa", overlay(&server)).await;
    env.until("Ready", &[]).await;
    scene.write("web/a.yaml", &config_map("web", "plain"));
    scene.push().await;
    scene.apply(&scene.shipment("web", "web")).await;
    scene.until_ready("web", None).await;
    assert_eq!(value(&scene, "added").await.as_deref(), Some("own"));
    // It is the same object all the time: it is changed, not deleted and made again.
    server.work.remove(&own).expect("the file can be removed");
    server.push();
    until_value(&scene, "added", "all").await;
    scene.until_ready("web", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlays_ignore_file_decides_which_of_its_files_count() {
    let scene = Scene::new("ignored").await;
    let server = Server::start(|_| {}).await;
    server.write("place/.shipwayignore", "*.tmpl.yaml\n");
    server.write("place/all/broken.tmpl.yaml", "kind: [");
    server.write("place/all/added.yaml", config_map("added", "1"));
    server.push();
    let mut spec = overlay(&server);
    spec["overlay"]["path"] = json!("place");
    let env = Env::new(&scene, "qa", spec).await;
    env.until("Ready", &[]).await;
    scene.write("web/a.yaml", &config_map("web", "plain"));
    scene.push().await;
    scene.apply(&scene.shipment("web", "web")).await;
    scene.until_ready("web", None).await;
    assert_eq!(value(&scene, "added").await.as_deref(), Some("1"));
    let (code, out, err) = scene.shipway(&["diff", "web"]);
    assert_eq!(code, 0, "{err}{out}");
    // The patterns alone change.
    server.write("place/.shipwayignore", "*.tmpl.yaml\n/all/added.yaml\n");
    server.push();
    scene
        .until_object::<k8s_openapi::api::core::v1::ConfigMap>("added", "is pruned", |found| {
            found.is_none()
        })
        .await;
    scene.until_ready("web", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_word_of_a_status_is_a_reason_of_the_list() {
    let scene = Scene::new("words").await;
    let role = |namespace: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: {}-twice, namespace: {namespace}}}\n",
            scene.ns()
        )
    };
    for (file, text) in [
        ("broken", "kind: [".to_owned()),
        (
            "twice",
            format!("{}---\n{}", config_map("a", "1"), config_map("a", "2")),
        ),
        // Only the cluster tells that these are one object.
        ("scope", format!("{}---\n{}", role("one"), role("other"))),
        (
            "unknown",
            "apiVersion: x.example/v1\nkind: Nobody\nmetadata: {name: a}\n".to_owned(),
        ),
        (
            "version",
            "apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: a}\n".to_owned(),
        ),
        (
            "invalid",
            "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: -1}]}\n"
                .to_owned(),
        ),
        (
            "elsewhere",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: kube-system}\n"
                .to_owned(),
        ),
        (
            "nowhere",
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: {}-none}}\n",
                scene.ns()
            ),
        ),
    ] {
        scene.write(&format!("web/{file}.yaml"), &text);
    }
    scene.push().await;
    scene.apply(&scene.shipment("web", "web")).await;
    let status = scene
        .until("web", "lists all failures", |status| {
            status.failed == Some(10)
        })
        .await;
    let words = status.failures.iter().map(|failure| &failure.reason);
    let mut words: Vec<Reason> = words
        .chain(status.conditions.iter().map(|condition| &condition.reason))
        .map(|word| {
            word.parse()
                .unwrap_or_else(|_| panic!("`{word}` is no reason"))
        })
        .collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(
        words,
        [
            Reason::ManifestInvalid,
            Reason::NamespaceMissing,
            Reason::KindUnknown,
            Reason::VersionNotServed,
            Reason::Forbidden,
            Reason::Invalid,
        ],
        "{:#?}",
        status.failures
    );
}

/// A kubeconfig of the scene whose user, and cluster, have this in addition.
fn kubeconfig(scene: &Scene, user: Value, cluster: Value) -> (tempfile::TempDir, PathBuf) {
    let mut config = kubeconfig::admin(&scene.world);
    for (place, more) in [("/users/0/user", user), ("/clusters/0/cluster", cluster)] {
        let place = config.pointer_mut(place).expect("it has both");
        for (key, value) in more.as_object().cloned().unwrap_or_default() {
            place[key] = value;
        }
    }
    kubeconfig::write(&config)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kubeconfig_that_acts_as_somebody_is_believed() {
    let scene = Scene::new("acting").await;
    scene.write("web/a.yaml", &config_map("web", "1"));
    scene.push().await;
    scene.apply(&scene.shipment("web", "web")).await;
    scene.until_ready("web", None).await;
    let (_folder, jane) = kubeconfig(&scene, json!({"as": "jane"}), json!({}));
    let (code, _, err) = scene.shipway_as(&jane, &["get"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("\"jane\" cannot list"), "{err}");
    let groups = json!({"as": "jane", "as-groups": ["desk", "system:masters"]});
    let (_folder, admin) = kubeconfig(&scene, groups, json!({}));
    let (code, out, err) = scene.shipway_as(&admin, &["get", "-o", "name"]);
    assert_eq!((code, out.lines().count()), (0, 1), "{err}");
    // What is asked as the account is asked as that alone.
    let (code, out, err) = scene.shipway_as(&admin, &["diff", "web"]);
    assert_eq!(code, 0, "{err}{out}");
    assert!(err.contains("/deployer`"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_that_a_kubeconfig_expects_of_its_server_is_checked() {
    let scene = Scene::new("server").await;
    let named = |name: &str| kubeconfig(&scene, json!({}), json!({"tls-server-name": name}));
    let (_folder, right) = named("kubernetes.default.svc");
    let (code, _, err) = scene.shipway_as(&right, &["get"]);
    assert_eq!(code, 0, "{err}");
    let (_folder, wrong) = named("elsewhere.example.com");
    let (code, _, err) = scene.shipway_as(&wrong, &["get"]);
    assert_eq!(code, 2, "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn confirm_shows_the_whole_of_a_long_list_or_says_how_much_it_does_not() {
    let scene = Scene::new("long").await;
    let ns = scene.ns();
    for number in 0..60 {
        let name = format!("map-{number:02}");
        scene.write(&format!("web/{name}.yaml"), &config_map(&name, "1"));
    }
    scene.push().await;
    scene.apply(&scene.shipment("web", "web")).await;
    scene.until_ready("web", None).await;
    for number in 0..55 {
        scene.remove(&format!("web/map-{number:02}.yaml"));
    }
    scene.push().await;
    let status = scene
        .until("web", "is held", |status| status.held.is_some())
        .await;
    let held = status.held.expect("it was just seen");
    assert_eq!((held.count, held.objects.len()), (55, 50));
    let all: Vec<String> = (0..55)
        .map(|n| format!("ConfigMap/{ns}/map-{n:02}"))
        .collect();
    let (code, out, err) = scene.shipway(&["confirm", "web"]);
    assert_eq!(code, 2, "without a terminal nothing is confirmed: {err}");
    assert_eq!(out.lines().collect::<Vec<_>>(), all, "{err}");
    // Who may not read the credentials of the source sees what the cluster keeps, and how much not.
    scene
        .apply(&json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "confirms", "namespace": ns},
            "rules": [{"apiGroups": ["shipway.run"], "resources": ["shipments"], "verbs": ["get", "patch"]}],
        }))
        .await;
    scene
        .apply(&json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "confirms", "namespace": ns},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "confirms"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "jane"}],
        }))
        .await;
    let (_folder, jane) = kubeconfig(&scene, json!({"as": "jane"}), json!({}));
    let (code, out, err) = scene.shipway_as(&jane, &["confirm", "web", "--yes"]);
    assert_eq!((code, out.lines().count()), (2, 50), "{err}");
    let hint = format!("confirm web --yes --digest {}", held.digest);
    assert!(
        err.contains("not all that would be deleted could be shown") && err.contains(&hint),
        "{err}"
    );
    let digest = ["confirm", "web", "--yes", "--digest", &held.digest];
    let (code, out, err) = scene.shipway_as(&jane, &digest);
    assert_eq!((code, out.lines().count()), (0, 50), "{err}");
    assert!(err.contains("Only 50 of 55 objects are shown"), "{err}");
    assert!(
        err.contains("the deletion of 55 objects is confirmed"),
        "{err}"
    );
    scene.until_ready("web", None).await;
    assert_eq!(value(&scene, "map-54").await, None);
    assert_eq!(value(&scene, "map-55").await.as_deref(), Some("1"));
}
