//! Files that are no manifests: each is named with its line, the others are applied, nothing is
//! pruned, and a repaired file is enough.

use std::fmt::Write as _;

use suite::Scene;

use crate::bad_stage::{
    Neighbour, config_map, deliver, until_fails, until_says, until_value, value,
};

/// Breaks one file of three while they run and changes another in the same push.
async fn check(name: &str, file: &str, text: &[u8], words: &[&str]) {
    let scene = Scene::new(name).await;
    let neighbour = Neighbour::moves_in(&scene).await;
    scene.write("c/fine.yaml", &config_map("fine", "1"));
    scene.write("c/broken.yaml", &config_map("broken", "1"));
    scene.write("c/leaving.yaml", &config_map("leaving", "1"));
    deliver(&scene, "c").await;
    scene.until_ready("web", None).await;

    scene.remove("c/broken.yaml");
    scene.remove("c/leaving.yaml");
    scene.write("c/fine.yaml", &config_map("fine", "2"));
    scene
        .work
        .write(&format!("c/{file}"), text)
        .expect("writes");
    let commit = scene.push().await;
    let status = until_fails(&scene, "web", "ManifestInvalid", words).await;
    until_says(&scene, "web", "ManifestInvalid", words).await;
    let revision = status.revision.unwrap_or_default();
    assert!(revision.ends_with(&commit), "{revision}");
    until_value(&scene, "fine", "2").await;
    // Nobody can tell what the broken file would have been.
    assert_eq!(value(&scene, "broken").await.as_deref(), Some("1"));
    assert_eq!(value(&scene, "leaving").await.as_deref(), Some("1"));
    assert_eq!(value(&scene, "other").await, None, "its file is broken");
    neighbour.goes_on(&scene).await;

    scene.remove(&format!("c/{file}"));
    scene.write("c/broken.yaml", &config_map("broken", "2"));
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
    assert_eq!(value(&scene, "broken").await.as_deref(), Some("2"));
    assert_eq!(value(&scene, "leaving").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binary_file_is_named() {
    let text = [b"apiVersion: v1\n".as_slice(), &[0xC3, 0x28, 0, 1, 2]].concat();
    check(
        "binary",
        "broken.yaml",
        &text,
        &["broken.yaml:2", "not UTF-8"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_no_object_can_have_is_named() {
    for (scene, name) in [("percent", "half-100%"), ("slash", "web/status")] {
        let text = config_map(name, "2");
        check(
            scene,
            "named.yaml",
            text.as_bytes(),
            &["named.yaml:1", "`metadata.name`"],
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_huge_file_is_named() {
    let mut text = config_map("broken", "2");
    while text.len() < 5 << 20 {
        text.push_str("# nothing but comments, line after line after line after line after line\n");
    }
    check(
        "huge",
        "broken.yaml",
        text.as_bytes(),
        &["broken.yaml", "larger than 4 MiB"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_huge_file_that_is_no_manifest_matters_to_nobody() {
    let scene = Scene::new("picture").await;
    scene.write("c/a.yaml", &config_map("a", "1"));
    scene.write("c/film.mp4", &"x".repeat(6 << 20));
    scene.write("c/left.yaml", &"# x\n".repeat(2 << 20));
    scene.write("c/.shipwayignore", "left.yaml\n");
    deliver(&scene, "c").await;
    scene.until_ready("web", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deeply_nested_file_is_named() {
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\ndata: {}{}\n",
        "[".repeat(3000),
        "]".repeat(3000)
    );
    check(
        "nested",
        "broken.yaml",
        text.as_bytes(),
        &["broken.yaml:3", "nested deeper than"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deeply_nested_json_file_is_named() {
    let text = format!(
        "{{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\",\n\"data\": {}{}}}",
        "{\"a\":".repeat(500),
        "}".repeat(500)
    );
    check(
        "nested-json",
        "broken.json",
        text.as_bytes(),
        &["broken.json:2"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yaml_bomb_is_named() {
    let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..12 {
        let alias = format!("*a{}", level - 1);
        let row = [alias.as_str(); 9].join(", ");
        let _ = writeln!(text, "a{level}: &a{level} [{row}]");
    }
    check(
        "bomb",
        "broken.yaml",
        text.as_bytes(),
        &["broken.yaml:", "aliases"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_written_twice_is_named() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: broken\ndata:\n  port: one\n  port: two\n";
    check(
        "twice",
        "broken.yaml",
        text.as_bytes(),
        &["broken.yaml:7", "`port` is written twice"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tab_is_named() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: broken\n";
    check(
        "tab",
        "broken.yaml",
        text.as_bytes(),
        &["broken.yaml:4", "tab"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_broken_document_costs_its_file_alone() {
    let text = format!(
        "{}---\n{}---\nkind: [\n",
        config_map("broken", "3"),
        config_map("other", "3")
    );
    let begins = text.lines().position(|line| line == "kind: [");
    let line = begins.expect("it is there") + 1;
    let place = format!("broken.yaml:{line}");
    check("documents", "broken.yaml", text.as_bytes(), &[&place]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_without_kind_or_version_is_named() {
    let scene = Scene::new("nokind").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    scene.write("c/fine.yaml", &config_map("fine", "1"));
    scene.write("c/values.yaml", "replicas: 3\n");
    scene.write("c/half.yaml", "apiVersion: v1\nmetadata: {name: half}\n");
    deliver(&scene, "c").await;
    until_fails(
        &scene,
        "web",
        "ManifestInvalid",
        &["values.yaml:1", "`apiVersion`"],
    )
    .await;
    until_fails(&scene, "web", "ManifestInvalid", &["half.yaml:1", "`kind`"]).await;
    until_value(&scene, "fine", "1").await;
    neighbour.goes_on(&scene).await;
    scene.write("c/.shipwayignore", "values.yaml\nhalf.yaml\n");
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_in_two_files_costs_both_copies() {
    let scene = Scene::new("copies").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    scene.write("c/fine.yaml", &config_map("fine", "1"));
    scene.write("c/one.yaml", &config_map("both", "1"));
    deliver(&scene, "c").await;
    scene.until_ready("web", None).await;
    scene.write("c/two.yaml", &config_map("both", "2"));
    scene.write("c/fine.yaml", &config_map("fine", "2"));
    scene.push().await;
    until_fails(
        &scene,
        "web",
        "ManifestInvalid",
        &["one.yaml:1", "both", "two.yaml:1"],
    )
    .await;
    until_fails(
        &scene,
        "web",
        "ManifestInvalid",
        &["two.yaml:1", "both", "one.yaml:1"],
    )
    .await;
    until_value(&scene, "fine", "2").await;
    assert_eq!(value(&scene, "both").await.as_deref(), Some("1"));
    neighbour.goes_on(&scene).await;
    scene.remove("c/one.yaml");
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
    assert_eq!(value(&scene, "both").await.as_deref(), Some("2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_its_items() {
    let scene = Scene::new("list").await;
    let item = |name: &str| {
        format!(
            "- apiVersion: v1\n  kind: ConfigMap\n  metadata: {{name: {name}}}\n  data: {{value: '1'}}\n"
        )
    };
    scene.write(
        "c/list.yaml",
        &format!(
            "apiVersion: v1\nkind: List\nitems:\n{}{}",
            item("one"),
            item("two")
        ),
    );
    deliver(&scene, "c").await;
    let status = scene.until_ready("web", None).await;
    assert_eq!(status.objects, Some(2));
    scene.write(
        "c/list.yaml",
        &format!("apiVersion: v1\nkind: List\nitems:\n{}", item("two")),
    );
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
    assert_eq!(value(&scene, "one").await, None);
    assert_eq!(value(&scene, "two").await.as_deref(), Some("1"));
}

/// Puts something into the path that refuses the whole tree, and takes it out again.
async fn check_refused(name: &str, put: impl FnOnce(&Scene) -> String, words: &[&str]) {
    let scene = Scene::new(name).await;
    let neighbour = Neighbour::moves_in(&scene).await;
    scene.write("c/fine.yaml", &config_map("fine", "1"));
    deliver(&scene, "c").await;
    scene.until_ready("web", None).await;
    scene.write("c/fine.yaml", &config_map("fine", "2"));
    let put = put(&scene);
    scene.push().await;
    until_says(&scene, "web", "TreeRefused", words).await;
    assert_eq!(value(&scene, "fine").await.as_deref(), Some("1"));
    neighbour.goes_on(&scene).await;
    scene.remove(&put);
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
    assert_eq!(value(&scene, "fine").await.as_deref(), Some("2"));
}

fn link(scene: &Scene, path: &str, target: &str) -> String {
    std::os::unix::fs::symlink(target, scene.work.dir().join(path)).expect("a link can be made");
    path.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_out_of_the_tree_is_refused() {
    let put = |scene: &Scene| link(scene, "c/passwd.yaml", "/etc/passwd");
    check_refused("link", put, &["`passwd.yaml`", "leads out"]).await;
    let put = |scene: &Scene| link(scene, "c/up.yaml", "../../x.yaml");
    check_refused("link-up", put, &["`up.yaml`", "leads out"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_inside_the_tree_is_named_and_not_followed() {
    let scene = Scene::new("inside").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    scene.write("c/fine.yaml", &config_map("fine", "1"));
    link(&scene, "c/again.yaml", "fine.yaml");
    deliver(&scene, "c").await;
    until_fails(
        &scene,
        "web",
        "ManifestInvalid",
        &["again.yaml", "links are not followed"],
    )
    .await;
    until_value(&scene, "fine", "1").await;
    neighbour.goes_on(&scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_and_a_kustomization_are_refused_with_advice() {
    let write = |path: &'static str| {
        move |scene: &Scene| {
            scene.write(path, "name: x\n");
            path.to_owned()
        }
    };
    let words = ["`Chart.yaml`", "`helm template`", "`.shipwayignore`"];
    check_refused("chart", write("c/Chart.yaml"), &words).await;
    let words = [
        "`base/kustomization.yaml`",
        "`kustomize build`",
        "`.shipwayignore`",
    ];
    check_refused("kustomization", write("c/base/kustomization.yaml"), &words).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn very_many_failures_are_counted_and_fifty_are_listed() {
    let scene = Scene::new("many").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    scene.write("c/fine.yaml", &config_map("fine", "1"));
    let deep = ["a-folder-with-a-very-long-name-indeed"; 12].join("/");
    for number in 0..400 {
        let name = format!("{}-{number}", "n".repeat(240));
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: {{b: c}}}}\n"
        );
        scene.write(&format!("c/{deep}/{number}.yaml"), &text);
    }
    deliver(&scene, "c").await;
    let status = scene
        .until("web", "counts 400 failures", |status| {
            status.failed == Some(400)
        })
        .await;
    assert_eq!(status.failures.len(), 50);
    let size = serde_json::to_vec(&status).expect("plain data").len();
    assert!(size < 100_000, "the status has {size} bytes");
    until_value(&scene, "fine", "1").await;
    neighbour.goes_on(&scene).await;
}
