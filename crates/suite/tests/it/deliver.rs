//! A commit becomes running objects.

use k8s_openapi::api::core::v1::ConfigMap;
use suite::Scene;

const SETTINGS: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  colour: blue\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_becomes_objects_in_the_cluster() {
    let scene = Scene::new("deliver").await;
    scene.write("config/settings.yaml", SETTINGS);
    let commit = scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    let status = scene.until_ready("web", Some(&commit)).await;
    assert_eq!(status.objects, Some(1));
    let settings: ConfigMap = scene.find("settings").await.expect("the object is there");
    assert_eq!(settings.data.expect("it has data")["colour"], "blue");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_commit_changes_what_it_changes_and_prunes_what_it_drops() {
    let scene = Scene::new("change").await;
    scene.write("config/settings.yaml", SETTINGS);
    scene.write("config/more.yaml", &SETTINGS.replace("settings", "more"));
    scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_ready("web", None).await;
    scene.write("config/settings.yaml", &SETTINGS.replace("blue", "green"));
    scene.remove("config/more.yaml");
    let commit = scene.push().await;
    let status = scene.until_ready("web", Some(&commit)).await;
    assert_eq!(status.objects, Some(1));
    let settings: ConfigMap = scene.find("settings").await.expect("the object is there");
    assert_eq!(settings.data.expect("it has data")["colour"], "green");
    assert!(
        scene.find::<ConfigMap>("more").await.is_none(),
        "what left the source is still there"
    );
}
