//! What `shipway get`, `shipway version` and `kubectl describe` show.

use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Value, json};
use suite::Scene;
use testkit::{Need, World};

use super::{run, settings};

/// A Shipment `web` of one ConfigMap `settings`, which is delivered; the commit.
async fn delivered(scene: &Scene) -> String {
    scene.write("config/settings.yaml", &settings("settings", "blue"));
    let commit = scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_ready("web", Some(&commit)).await;
    commit
}

#[tokio::test(flavor = "multi_thread")]
async fn get_wide_shows_the_whole_revision_and_the_source() {
    let scene = Scene::new("wide").await;
    let commit = delivered(&scene).await;
    for (arguments, first) in [
        (&["get", "-o", "wide"][..], "NAME"),
        (&["get", "web", "-o", "wide"], "NAME"),
        (&["get", "-A", "-o", "wide"], "NAMESPACE"),
    ] {
        let shown = run(&scene, arguments);
        let mut lines = shown.lines();
        let header: Vec<_> = lines
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        assert_eq!(header.first(), Some(&first), "{shown}");
        assert_eq!(header.last(), Some(&"SOURCE"), "{shown}");
        let source = format!("   {}//config", scene.git.url("app.git"));
        let row = lines.find(|line| line.ends_with(&source));
        let row = row.unwrap_or_else(|| panic!("nothing ends with `{source}`:\n{shown}"));
        let revision = format!(" main@sha1:{commit} ");
        assert!(row.contains(&revision), "{row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn get_as_yaml_shows_what_json_does() {
    let scene = Scene::new("yaml").await;
    let commit = delivered(&scene).await;
    let printed = |arguments: &[&str]| {
        let yaml = run(&scene, &[arguments, &["-o", "yaml"]].concat());
        let json = run(&scene, &[arguments, &["-o", "json"]].concat());
        let json: Value = serde_json::from_str(&json).expect("it is JSON");
        assert_eq!(yaml, manifest::to_yaml(&json));
        (yaml, json)
    };
    let (one, shown) = printed(&["get", "web"]);
    assert!(
        one.starts_with("apiVersion: shipway.run/v1alpha1\nkind: Shipment\n"),
        "{one}"
    );
    assert!(
        one.contains(&format!("\n  revision: main@sha1:{commit}\n")),
        "{one}"
    );
    // It can be applied again.
    let again = manifest::parse_file("web.yaml", one.as_bytes()).expect("it is YAML");
    assert_eq!(again[0].value()["spec"], shown["spec"]);
    let (list, all) = printed(&["get"]);
    assert!(
        list.starts_with("apiVersion: v1\nkind: List\nitems:\n"),
        "{list}"
    );
    assert_eq!(all["items"], json!([shown]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_is_for_people_and_for_programs() {
    let scene = Scene::new("version").await;
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(run(&scene, &["version"]), format!("shipway {version}\n"));
    let json: Value =
        serde_json::from_str(&run(&scene, &["version", "-o", "json"])).expect("it is JSON");
    assert_eq!(json, json!({"version": version}));
    let yaml = run(&scene, &["version", "-o", "yaml"]);
    assert_eq!(yaml, format!("version: \"{version}\"\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn describe_tells_the_story_of_a_shipment_in_events() {
    if World::shared().lacks(Need::Kubectl) {
        return;
    }
    let scene = Scene::new("story").await;
    scene.write("config/more.yaml", &settings("more", "blue"));
    let first = delivered(&scene).await;
    scene.until_event("web", &["Applied", &first]).await;
    let edit = json!({"data": {"colour": "red"}});
    scene.patch::<ConfigMap>("settings", edit).await;
    scene.until_event("web", &["DriftRepaired"]).await;
    scene.remove("config/more.yaml");
    let second = scene.push().await;
    scene.until_ready("web", Some(&second)).await;
    scene.until_event("web", &["Pruned"]).await;
    scene.write("config/broken.yaml", "kind: [\n");
    scene.push().await;
    scene.until_event("web", &["ManifestInvalid"]).await;
    scene.remove("config/broken.yaml");
    let last = scene.push().await;
    scene.until_ready("web", Some(&last)).await;
    scene.until_event("web", &["Ready: "]).await;
    let shown = scene.kubectl(&["describe", "shipment", "web"]);
    let (_, events) = shown.split_once("\nEvents:\n").expect("there are events");
    let told = |words: &[&str]| {
        let line = events
            .lines()
            .find(|line| words.iter().all(|word| line.contains(word)));
        let line = line.unwrap_or_else(|| panic!("nothing has all of {words:?}:\n{events}"));
        assert!(line.contains(" shipway "), "{line}");
    };
    told(&["Normal", "Applied", &first, "2 created, 0 changed"]);
    told(&[
        "Normal",
        "DriftRepaired",
        "ConfigMap",
        "settings",
        "`kubectl-patch`",
        ".data.colour",
    ]);
    told(&["Normal", "Pruned", "ConfigMap", "more"]);
    told(&["Warning", "ManifestInvalid", "broken.yaml:"]);
    told(&["Normal", "Ready"]);
}
