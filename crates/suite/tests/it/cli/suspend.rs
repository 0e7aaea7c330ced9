//! `shipway suspend` and `shipway resume`, where a Deliverable sets the field.

use serde_json::{Value, json};
use suite::{Scene, SceneOptions};

use super::{fails, settings};

/// A Deliverable `web` that sets `suspend` of its Shipment.
fn deliverable(ns: &str, url: &str, suspend: bool) -> Value {
    json!({
        "apiVersion": "carto.run/v1alpha1", "kind": "Deliverable",
        "metadata": {"name": "web", "namespace": ns, "labels": {"app.tanzu.vmware.com/deliverable-type": "web"}},
        "spec": {
            "serviceAccountName": "deployer",
            "params": [
                {"name": "source_credentials_secret", "value": "git"},
                {"name": "delivery", "value": {"interval": "1s", "suspend": suspend}},
            ],
            "source": {"git": {"url": url, "ref": {"branch": "main"}}, "subPath": "config"},
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn suspend_and_resume_refuse_what_a_deliverable_would_undo() {
    let scene = Scene::new("resume").await;
    scene.write("config/settings.yaml", &settings("settings", "blue"));
    scene.push().await;
    let (ns, url) = (scene.ns(), scene.git.url("app.git"));
    let refusal = format!(
        "error: `spec.suspend` of Shipment `web` is set by Deliverable `{ns}/web`, which would set it again\n\
         hint: change `suspend` in the value of the param `delivery` of the Deliverable, in Git\n\
         hint: that Deliverable comes from `deliverable-web.yaml:1` of `{url}`, folder `root`, by Shipment `{ns}/root`\n"
    );
    scene.apply(&scene.shipment("root", "root")).await;
    for (command, suspend) in [("resume", true), ("suspend", false)] {
        let deliverable = deliverable(ns, &url, suspend);
        // As a file of a root folder, so that the error can say where to edit it.
        scene.write("root/deliverable-web.yaml", &deliverable.to_string());
        scene.push().await;
        let says_so = |found: Option<&kinds::Shipment>| {
            found.is_some_and(|found| found.spec.suspend == Some(suspend))
        };
        scene.until_object("web", "is stamped", says_so).await;
        assert_eq!(fails(&scene, &[command, "web"]), refusal);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_deliverables_of_one_name_the_file_of_the_right_one_is_named() {
    let options = SceneOptions {
        everywhere: true,
        ..SceneOptions::default()
    };
    let (one, other) = (Scene::with("twin", options).await, Scene::new("twin").await);
    let url = one.git.url("app.git");
    let places = [(&other, "root/a.yaml"), (&one, "root/b.yaml")];
    for (scene, path) in places {
        one.write(path, &deliverable(scene.ns(), &url, true).to_string());
    }
    one.push().await;
    one.apply(&one.shipment("root", "root")).await;
    for (scene, path) in places {
        let is_suspended = |found: Option<&kinds::Shipment>| {
            found.is_some_and(|found| found.spec.suspend == Some(true))
        };
        scene.until_object("web", "is stamped", is_suspended).await;
        let said = fails(scene, &["resume", "web"]);
        let file = path.trim_start_matches("root/");
        let from = format!(
            "hint: that Deliverable comes from `{file}:1` of `{url}`, folder `root`, by Shipment `{}/root`\n",
            one.ns()
        );
        assert!(said.ends_with(&from), "{said}");
    }
}
