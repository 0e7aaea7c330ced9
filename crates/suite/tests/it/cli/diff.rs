//! `shipway diff`.

use k8s_openapi::api::core::v1::ConfigMap;
use kinds::Environment;
use kube::api::{Api, DeleteParams};
use serde_json::{Value, json};
use suite::Scene;

use super::{fails, fixed, reader, settings};
use crate::rules_crash::{alone, stage};
use crate::rules_stage::patch_spec;

/// Runs `shipway diff web`; the exit code, and what it printed with the namespace as `ns`.
fn diff(scene: &Scene, more: &[&str]) -> (i32, String, String) {
    let (code, out, err) = scene.shipway(&[&["diff", "web"], more].concat());
    let words = [(scene.ns(), "ns")];
    (code, fixed(&out, &words), fixed(&err, &words))
}

async fn delivered(name: &str, files: &[(&str, &str)]) -> Scene {
    let scene = Scene::new(name).await;
    for (path, text) in files {
        scene.write(path, text);
    }
    let commit = scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_ready("web", Some(&commit)).await;
    scene
}

/// So that the controller does not act on what is to be compared.
async fn suspend(scene: &Scene) {
    super::run(scene, &["suspend", "web"]);
    scene
        .until("web", "is suspended", |status| {
            status
                .conditions
                .iter()
                .any(|condition| condition.kind == "Suspended")
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn diff_shows_what_git_would_change_create_and_delete() {
    let secret =
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: hunter1\n";
    let files = [
        ("config/settings.yaml", settings("settings", "blue")),
        ("config/old.yaml", settings("old", "blue")),
        ("config/same.yaml", settings("same", "blue")),
        ("config/db.yaml", secret.to_owned()),
    ];
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .collect();
    let scene = delivered("diff", &files).await;
    let (code, out, err) = diff(&scene, &[]);
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    suspend(&scene).await;
    scene.write("config/settings.yaml", &settings("settings", "green"));
    scene.write("config/new.yaml", &settings("new", "red"));
    scene.write("config/db.yaml", &secret.replace("hunter1", "hunter2"));
    scene.remove("config/old.yaml");
    let commit = scene.push().await;
    let (code, out, err) = diff(&scene, &[]);
    let owner = "shipway.run/owner";
    let label = cluster::Owner::shipment(scene.ns(), "web").label();
    let shown = fixed(&out, &[(&label, "<label>")]);
    assert_eq!(code, 1, "{err}");
    let expected = format!(
        "+ ConfigMap/ns/new
  + apiVersion: v1
  + kind: ConfigMap
  + metadata:
  +   name: new
  +   namespace: ns
  +   annotations:
  +     {owner}: ns/web
  +   labels:
  +     {owner}: <label>
  + data:
  +   colour: red
- ConfigMap/ns/old
  - apiVersion: v1
  - kind: ConfigMap
  - metadata:
  -   name: old
  -   namespace: ns
  -   annotations:
  -     {owner}: ns/web
  -   labels:
  -     {owner}: <label>
  - data:
  -   colour: blue
~ ConfigMap/ns/settings
    ...
      labels:
        {owner}: <label>
    data:
  -   colour: blue
  +   colour: green
~ Secret/ns/db
"
    );
    assert!(shown.starts_with(&expected), "{shown}");
    assert!(
        shown.contains("-   password: \"*** (before)\"\n  +   password: \"*** (after)\""),
        "{shown}"
    );
    assert!(
        !out.contains("aHVudGVy") && !out.contains("hunter"),
        "a secret is shown: {out}"
    );
    assert_eq!(
        err,
        format!(
            "from the cluster to main@sha1:{}: 1 to create, 2 to change, 1 to delete, 1 the same\n\
             checked by a dry run as ServiceAccount `ns/deployer`\n",
            &commit[..8]
        )
    );
    let (_, names, _) = diff(&scene, &["-o", "name"]);
    assert_eq!(
        names,
        "ConfigMap/ns/new\nConfigMap/ns/old\nConfigMap/ns/settings\nSecret/ns/db\n"
    );
    let (_, whole, _) = diff(&scene, &["-o", "json"]);
    let whole: Value = serde_json::from_str(&whole).expect("it is JSON");
    assert_eq!(whole["objects"][1]["change"], "delete");
    // Nothing was written.
    assert!(
        scene
            .find::<k8s_openapi::api::core::v1::ConfigMap>("new")
            .await
            .is_none(),
        "the dry run created it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn diff_compares_any_revision_and_two_of_them() {
    let scene = delivered(
        "diffrev",
        &[("config/settings.yaml", &settings("settings", "blue"))],
    )
    .await;
    let first = scene.work.head().expect("there is a commit");
    suspend(&scene).await;
    tokio::task::block_in_place(|| scene.work.branch("next")).expect("a branch can be made");
    scene.write("config/settings.yaml", &settings("settings", "green"));
    let second = scene.push().await;
    let (code, _, err) = diff(&scene, &[]);
    assert_eq!(code, 0, "main did not move: {err}");
    for revision in ["next", second.as_str()] {
        let (code, out, err) = diff(&scene, &["--revision", revision]);
        assert_eq!(code, 1, "{err}");
        assert!(
            out.ends_with("  -   colour: blue\n  +   colour: green\n"),
            "{out}"
        );
    }
    let (code, out, err) = diff(&scene, &["--from", &first[..8], "--to", "next"]);
    assert_eq!(code, 1, "{err}");
    assert_eq!(
        out,
        "~ ConfigMap/ns/settings\n    ...\n    metadata:\n      name: settings\n    data:\n  -   colour: blue\n  +   colour: green\n"
    );
    assert_eq!(
        err,
        format!(
            "from sha1:{} to next@sha1:{}: 1 to change, 0 the same\n",
            &first[..8],
            &second[..8]
        )
    );
    let (code, _, err) = diff(&scene, &["--from", &first]);
    assert_eq!(code, 0, "{err}");
    // What is of the cluster has no namespace.
    scene.write("config/role.yaml", "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: web}\nrules: []\n");
    let third = scene.push().await;
    let (_, out, err) = diff(&scene, &["--from", &second, "--to", &third, "-o", "name"]);
    assert_eq!(out, "ClusterRole/web\n", "{err}");
    let missing = fails(&scene, &["diff", "web", "--revision", "nowhere"]);
    assert!(
        missing.contains("has no tag and no branch `nowhere`"),
        "{missing}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn diff_marks_what_the_api_server_could_not_be_asked_about() {
    let scene = delivered(
        "diffun",
        &[("config/settings.yaml", &settings("settings", "blue"))],
    )
    .await;
    suspend(&scene).await;
    let elsewhere =
        settings("there", "blue").replace("  name", "  namespace: no-such-namespace\n  name");
    scene.write("config/there.yaml", &elsewhere);
    scene.write(
        "config/widget.yaml",
        "apiVersion: diff.example/v1\nkind: Gizmo\nmetadata:\n  name: web\n",
    );
    scene.push().await;
    let (code, out, err) = diff(&scene, &[]);
    assert_eq!(code, 1, "{err}");
    assert!(out.contains("+ ConfigMap/no-such-namespace/there (unchecked: the namespace `no-such-namespace` does not exist)\n  + apiVersion: v1\n"), "{out}");
    assert!(
        out.contains("+ Gizmo.diff.example/ns/web (unchecked: the cluster does not know `Gizmo`"),
        "{out}"
    );
    // What the API server refuses is a failure, and so is what cannot be read.
    scene.write(
        "config/service.yaml",
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  ports: [{port: 99999}]\n",
    );
    scene.push().await;
    let (code, out, err) = diff(&scene, &[]);
    assert_eq!(code, 2, "{err}");
    assert!(
        out.contains("+ Service/ns/web (refused: Service \"web\" is invalid: "),
        "{out}"
    );
    assert!(
        err.ends_with("error: the API server would refuse 1 of the objects\n"),
        "{err}"
    );
    scene.remove("config/service.yaml");
    scene.write("config/broken.yaml", "apiVersion: v1\nkind: [\n");
    scene.push().await;
    let (code, _, err) = diff(&scene, &[]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("unread: broken.yaml:"), "{err}");
    // Nothing can be asked as an account that does not exist.
    scene.remove("config/broken.yaml");
    scene.push().await;
    patch_spec(&scene, "web", json!({"serviceAccountName": "ghost"})).await;
    let (code, out, err) = diff(&scene, &[]);
    assert_eq!(code, 1, "{err}");
    assert!(
        out.contains(
            "ConfigMap/ns/settings (unchecked: the ServiceAccount `ns/ghost` does not exist)"
        ),
        "{out}"
    );
    assert!(
        err.contains("nothing was checked: the ServiceAccount `ns/ghost` does not exist"),
        "{err}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn diff_leaves_to_others_what_the_controller_leaves_to_them() {
    let scene = Scene::new("diffleft").await;
    scene.write("config/settings.yaml", &settings("settings", "blue"));
    scene.push().await;
    let mut shipment = scene.shipment("web", "config");
    shipment["spec"]["ignore"] = json!([{"kind": "ConfigMap", "paths": ["/data/colour"]}]);
    scene.apply(&shipment).await;
    scene.until_ready("web", None).await;
    suspend(&scene).await;
    let red = json!({"data": {"colour": "red"}});
    scene.patch::<ConfigMap>("settings", red).await;
    let (code, out, err) = diff(&scene, &[]);
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    // What another Shipment has is not taken, and that is said.
    scene.write("other/settings.yaml", &settings("mine", "blue"));
    scene.push().await;
    scene.apply(&scene.shipment("other", "other")).await;
    scene.until_ready("other", None).await;
    scene.write("config/mine.yaml", &settings("mine", "green"));
    scene.push().await;
    let (code, out, err) = diff(&scene, &[]);
    assert_eq!(code, 2, "{err}");
    assert!(
        out.contains("~ ConfigMap/ns/mine (refused: owned by `ns/other`)"),
        "{out}"
    );
}

/// An Environment that covers a namespace, with an overlay from the scene's repository.
fn environment(scene: &Scene, name: &str, namespace: &str, path: &str) -> Value {
    json!({
        "apiVersion": "shipway.run/v1alpha1", "kind": "Environment", "metadata": {"name": name},
        "spec": {
            "namespaces": [namespace],
            "overlay": {"git": {"url": scene.git.url("app.git"), "secretRef": {"name": "git", "namespace": scene.ns()}}, "path": path, "interval": "1s"},
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn diff_takes_the_environment_in_and_compares_two_of_them() {
    let scene = Scene::new("diffenv").await;
    scene.write("config/settings.yaml", &settings("settings", "blue"));
    scene.write(
        "env/qa/all/patches/settings.yaml",
        &settings("settings", "green"),
    );
    scene.write(
        &format!("env/prod/{}/web/more.yaml", scene.ns()),
        &settings("more", "red"),
    );
    scene.push().await;
    let (qa, prod) = (format!("{}-qa", scene.ns()), format!("{}-prod", scene.ns()));
    scene
        .apply(&environment(&scene, &qa, scene.ns(), "env/qa"))
        .await;
    scene
        .apply(&environment(&scene, &prod, "nowhere", "env/prod"))
        .await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_ready("web", None).await;
    let (code, out, err) = diff(&scene, &[]);
    assert_eq!(
        (code, out.as_str()),
        (0, ""),
        "the overlay is not taken in: {err}"
    );
    let (code, out, _) = diff(&scene, &["--no-overlay"]);
    assert_eq!(code, 1);
    assert!(
        out.ends_with("  -   colour: green\n  +   colour: blue\n"),
        "{out}"
    );
    let (code, out, err) = diff(&scene, &["--between", &format!("{qa},{prod}")]);
    assert_eq!(code, 1, "{err}");
    assert!(
        out.contains("+ ConfigMap/ns/more\n")
            && out.ends_with("  -   colour: green\n  +   colour: blue\n"),
        "{out}"
    );
    let usage = fails(&scene, &["diff", "web", "--between", "one"]);
    assert!(
        usage.contains("--between takes two Environments"),
        "{usage}"
    );
    let environments: Api<Environment> = Api::all(scene.client.clone());
    for name in [&qa, &prod] {
        environments
            .delete(name, &DeleteParams::default())
            .await
            .expect("it can be deleted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn diff_compares_environments_that_are_in_two_clusters() {
    let _turn = alone().await; // the other cluster's controllers notice each Environment
    let (scene, far) = (Scene::new("diffnear").await, stage("difffar").await);
    scene.write("config/settings.yaml", &settings("settings", "blue"));
    scene.push().await;
    let patch = "env/all/patches/settings.yaml";
    far.write(patch, &settings("settings", "red"));
    far.push().await;
    let (near, distant) = (format!("{}-near", scene.ns()), format!("{}-far", far.ns()));
    let mut bare = environment(&scene, &near, scene.ns(), "env");
    bare["spec"]
        .as_object_mut()
        .expect("a spec is a map")
        .remove("overlay");
    scene.apply(&bare).await;
    far.apply(&environment(&far, &distant, "nowhere", "env"))
        .await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_ready("web", None).await;
    let both = format!("{near},{distant}");
    let (code, _, err) = diff(&scene, &["--between", &both]);
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains(&format!("there is no Environment `{distant}` here"))
            && err.contains("hint: --contexts names"),
        "{err}"
    );
    let contexts = format!("{},{}", scene.world.cluster(), far.world.cluster());
    let (code, out, err) = diff(&scene, &["--between", &both, "--contexts", &contexts]);
    assert_eq!(code, 1, "{err}");
    assert!(
        out.ends_with("  -   colour: blue\n  +   colour: red\n"),
        "{out}"
    );
    for (client, name) in [(&scene.client, &near), (&far.client, &distant)] {
        let all: Api<Environment> = Api::all(client.clone());
        let gone = all.delete(name, &DeleteParams::default()).await;
        gone.expect("it can be deleted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn diff_goes_by_the_callers_own_rights_and_says_so() {
    let scene = delivered(
        "diffrights",
        &[("config/settings.yaml", &settings("settings", "blue"))],
    )
    .await;
    suspend(&scene).await;
    scene.write("config/settings.yaml", &settings("settings", "green"));
    scene.push().await;
    let may_look = json!({"apiGroups": ["shipway.run"], "resources": ["shipments", "inventories"], "verbs": ["get", "list"]});
    let (_folder, kubeconfig) = reader(&scene, json!([may_look])).await;
    let run = |more: &[&str]| scene.shipway_as(&kubeconfig, &[&["diff", "web"], more].concat());
    let (code, _, err) = run(&[]);
    assert_eq!(code, 2);
    assert!(
        err.contains("you may not read the Secret")
            && err.contains("hint: the repository is read from this machine"),
        "{err}"
    );
    let may_read =
        json!({"apiGroups": [""], "resources": ["secrets", "configmaps"], "verbs": ["get"]});
    let (_folder, kubeconfig) = reader(&scene, json!([may_look, may_read])).await;
    let run = |more: &[&str]| scene.shipway_as(&kubeconfig, &[&["diff", "web"], more].concat());
    let (code, _, err) = run(&[]);
    assert_eq!(code, 2);
    assert!(
        err.contains("environments") && err.contains("hint: --no-overlay"),
        "{err}"
    );
    let (code, out, err) = run(&["--no-overlay"]);
    assert_eq!(code, 1, "{err}");
    assert!(
        out.contains("settings (unchecked: ")
            && err.contains("checked by a dry run as yourself, since you may not impersonate")
            && err.contains(": 1 unchecked, 0 the same\n"),
        "{out}{err}"
    );
    // Nothing but what Git names differs.
    let lines = out
        .lines()
        .filter(|line| line.starts_with("  -") || line.starts_with("  +"));
    assert_eq!(
        lines.collect::<Vec<_>>(),
        ["  -   colour: blue", "  +   colour: green"]
    );
}
