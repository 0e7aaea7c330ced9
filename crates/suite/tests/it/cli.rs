//! The commands of the program, as a person runs them.

mod cases;
mod diff;
mod get;
mod promote;
mod proxy;
mod secret;
mod suspend;
mod sync;
mod tree;
mod workload;

use std::path::PathBuf;
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::Api;
use serde_json::json;
use suite::{Scene, kubeconfig};
use testkit::{Need, World};
use tokio::time::Instant;

/// A ConfigMap with one value.
fn settings(name: &str, colour: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  colour: {colour}\n"
    )
}

/// Replaces what is different in every run by words.
fn fixed(text: &str, words: &[(&str, &str)]) -> String {
    words
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Runs a command that must succeed; tells what it printed.
#[track_caller]
fn run(scene: &Scene, arguments: &[&str]) -> String {
    let (code, out, err) = scene.shipway(arguments);
    assert_eq!(code, 0, "shipway {arguments:?}: {err}{out}");
    out
}

/// Runs a command that must fail; tells what it said.
#[track_caller]
fn fails(scene: &Scene, arguments: &[&str]) -> String {
    let (code, out, err) = scene.shipway(arguments);
    assert!(
        code >= 2,
        "shipway {arguments:?} ended with {code}: {err}{out}"
    );
    err
}

/// A kubeconfig of a ServiceAccount `reader` that has these rules in the namespace alone.
async fn reader(scene: &Scene, rules: serde_json::Value) -> (tempfile::TempDir, PathBuf) {
    let ns = scene.ns();
    scene.apply(&json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reader", "namespace": ns}})).await;
    scene.apply(&json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "reader", "namespace": ns}, "rules": rules})).await;
    scene
        .apply(&json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "reader", "namespace": ns},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
            "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": ns}],
        }))
        .await;
    kubeconfig::write(&kubeconfig::account(&scene.world, ns, "reader").await)
}

#[tokio::test(flavor = "multi_thread")]
async fn get_shows_shipments_as_kubectl_does() {
    let scene = Scene::new("get").await;
    assert_eq!(
        scene.shipway(&["get"]),
        (
            0,
            String::new(),
            format!("No Shipments in namespace `{}`\n", scene.ns())
        )
    );
    scene.write("config/settings.yaml", &settings("settings", "blue"));
    let commit = scene.push().await;
    let mut shipment = scene.shipment("web", "config");
    shipment["metadata"]["labels"] = json!({"team": "shop"});
    scene.apply(&shipment).await;
    scene.until_ready("web", Some(&commit)).await;
    let shown = run(&scene, &["get"]);
    let lines: Vec<Vec<&str>> = shown
        .lines()
        .map(|line| {
            line.split("   ")
                .map(str::trim)
                .filter(|cell| !cell.is_empty())
                .collect()
        })
        .collect();
    assert_eq!(
        lines[0],
        [
            "NAME", "READY", "REVISION", "OBJECTS", "FAILED", "AGE", "MESSAGE"
        ]
    );
    let revision = format!("main@sha1:{}", &commit[..8]);
    assert_eq!(lines[1][..3], ["web", "True", revision.as_str()]);
    assert_eq!(lines[1].last(), Some(&"1 object is applied and healthy"));
    assert_eq!(
        run(&scene, &["get", "-l", "team=shop", "-o", "name"]),
        "shipment.shipway.run/web\n"
    );
    assert_eq!(run(&scene, &["get", "-l", "team=other", "-o", "name"]), "");
    let everywhere = run(&scene, &["get", "-A"]);
    assert!(
        everywhere.starts_with("NAMESPACE ") && everywhere.contains(scene.ns()),
        "{everywhere}"
    );
    let whole: serde_json::Value =
        serde_json::from_str(&run(&scene, &["get", "web", "-o", "json"])).expect("it is JSON");
    assert_eq!(
        whole["status"]["revision"],
        json!(format!("main@sha1:{commit}"))
    );
    let missing = fails(&scene, &["get", "shop"]);
    assert!(
        missing
            .starts_with("error: shipments.shipway.run \"shop\" not found\nhint: `shipway get -n "),
        "{missing}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_looks_at_once_and_waits_for_what_that_look_finds() {
    let scene = Scene::new("sync").await;
    scene.write("config/settings.yaml", &settings("settings", "blue"));
    let first = scene.push().await;
    let mut shipment = scene.shipment("web", "config");
    shipment["spec"]["interval"] = json!("1h");
    scene.apply(&shipment).await;
    scene.until_ready("web", Some(&first)).await;
    scene.write("config/settings.yaml", &settings("settings", "green"));
    let second = scene.push().await;
    let begun = Instant::now();
    let said = run(&scene, &["sync", "web", "--wait"]);
    assert_eq!(
        said,
        format!(
            "shipment.shipway.run/web is ready at main@sha1:{}\n",
            &second[..8]
        )
    );
    // Nothing is new, and that look is answered as well.
    let again = run(&scene, &["sync", "--all", "--wait", "--timeout", "20s"]);
    assert_eq!(again, said);
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "it took {:?}",
        begun.elapsed()
    );
    assert_eq!(
        run(&scene, &["sync", "web"]),
        "shipment.shipway.run/web asked to look\n"
    );
    // What cannot go on is said at once.
    scene.remove("config/settings.yaml");
    scene.write("config/Chart.yaml", "apiVersion: v2\nname: chart\n");
    scene.push().await;
    let stuck = fails(&scene, &["sync", "web", "--wait"]);
    assert!(
        stuck.contains("needs somebody: `Chart.yaml` is a Helm chart"),
        "{stuck}"
    );
    run(&scene, &["suspend", "web"]);
    let suspended = fails(&scene, &["sync", "web"]);
    assert!(
        suspended.contains("is suspended") && suspended.contains("hint: `shipway resume web -n "),
        "{suspended}"
    );
}

/// A Shipment `web` that was delivered and is suspended.
async fn suspended(name: &str) -> Scene {
    let scene = Scene::new(name).await;
    scene.write("config/settings.yaml", &settings("settings", "blue"));
    scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_ready("web", None).await;
    assert_eq!(
        run(&scene, &["suspend", "web"]),
        "shipment.shipway.run/web suspended\n"
    );
    scene
        .until("web", "is suspended", |status| {
            status
                .conditions
                .iter()
                .any(|condition| condition.kind == "Suspended")
        })
        .await;
    scene
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_shows_what_is_suspended() {
    if World::shared().lacks(Need::Kubectl) {
        return;
    }
    let scene = suspended("columns").await;
    let shown = scene.kubectl(&["get", "shipments", "web", "--no-headers"]);
    assert!(shown.contains(" True "), "{shown}");
    assert!(
        shown
            .trim_end()
            .ends_with("   suspended; 1 object is applied and healthy"),
        "{shown}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn suspend_stops_and_resume_goes_on() {
    let scene = suspended("suspend").await;
    assert_eq!(
        run(&scene, &["suspend", "web"]),
        "shipment.shipway.run/web is suspended already\n"
    );
    let shown = run(&scene, &["get", "web"]);
    assert_eq!(shown.matches("suspended").count(), 1, "{shown}");
    // A witness of the same repository tells when the controller has seen the new commit.
    scene.write("witness/map.yaml", &settings("witness", "green"));
    scene.write("config/settings.yaml", &settings("settings", "green"));
    let commit = scene.push().await;
    scene.apply(&scene.shipment("witness", "witness")).await;
    scene.until_ready("witness", Some(&commit)).await;
    let maps: Api<ConfigMap> = Api::namespaced(scene.client.clone(), scene.ns());
    let data = maps
        .get("settings")
        .await
        .expect("it is there")
        .data
        .expect("it has data");
    assert_eq!(data["colour"], "blue", "it went on while it was suspended");
    assert_eq!(
        run(&scene, &["resume", "web"]),
        "shipment.shipway.run/web resumed\n"
    );
    scene.until_ready("web", Some(&commit)).await;
    assert_eq!(
        scene.get_shipment("web").await.spec.suspend,
        None,
        "the field is not removed"
    );
    assert_eq!(
        run(&scene, &["resume", "web"]),
        "shipment.shipway.run/web is not suspended\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn confirm_lets_exactly_the_list_go_that_was_shown() {
    let scene = Scene::new("confirm").await;
    for number in 0..9 {
        scene.write(
            &format!("config/m{number}.yaml"),
            &settings(&format!("m{number}"), "blue"),
        );
    }
    scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_ready("web", None).await;
    assert_eq!(
        scene.shipway(&["confirm", "web"]),
        (
            0,
            String::new(),
            "no deletion of Shipment `web` is held\n".to_owned()
        )
    );
    for number in 2..9 {
        scene.remove(&format!("config/m{number}.yaml"));
    }
    let commit = scene.push().await;
    let status = scene
        .until("web", "is held", |status| status.held.is_some())
        .await;
    let held = status.held.expect("it was just seen");
    let (code, out, err) = scene.shipway(&["confirm", "web"]);
    let list: Vec<String> = (2..9)
        .map(|number| format!("ConfigMap/{}/m{number}", scene.ns()))
        .collect();
    let list = list.join("\n") + "\n";
    assert_eq!((code, out), (2, list.clone()));
    let again = format!(
        "`shipway confirm web --yes --digest {} -n {} --context {} --kubeconfig {}`",
        held.digest,
        scene.ns(),
        scene.world.cluster(),
        scene.world.kubeconfig().display()
    );
    assert_eq!(
        err,
        format!(
            "error: there is no terminal to ask on, and the deletion is not confirmed\nhint: {again} agrees to exactly this list\n"
        )
    );
    let other = fails(
        &scene,
        &["confirm", "web", "--yes", "--digest", "0123456789abcdef"],
    );
    assert!(
        other.contains(&format!(
            "the list has the digest `{}`, not `0123456789abcdef`",
            held.digest
        )),
        "{other}"
    );
    let (code, out, err) = scene.shipway(&["confirm", "web", "--yes", "--digest", &held.digest]);
    assert_eq!(
        (code, out, err),
        (
            0,
            list,
            "shipment.shipway.run/web: the deletion of 7 objects is confirmed\n".to_owned()
        )
    );
    let status = scene.until_ready("web", Some(&commit)).await;
    assert_eq!(status.objects, Some(2));
    assert!(
        scene.find::<ConfigMap>("m2").await.is_none(),
        "what was confirmed is still there"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shell_gets_its_completions() {
    let scene = Scene::new("shell").await;
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(&scene, &["completion", shell]);
        assert!(
            script.contains("promote"),
            "{shell} does not know `promote`"
        );
    }
}
