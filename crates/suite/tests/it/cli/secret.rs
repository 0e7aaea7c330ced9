//! No command shows what a Secret holds, however wrong it is written, nor a kubeconfig's token.

use serde_json::json;
use suite::Scene;

use super::settings;

const CANARY: &str = "canary7";

#[tokio::test(flavor = "multi_thread")]
async fn diff_shows_nothing_of_a_secret_that_is_written_wrong() {
    let scene = Scene::new("diffsecret").await;
    scene.write("config/settings.yaml", &settings("settings", "blue"));
    let first = scene.push().await;
    let mut shipment = scene.shipment("web", "config");
    shipment["spec"]["interval"] = json!("1h");
    scene.apply(&shipment).await;
    scene.until_ready("web", Some(&first)).await;
    for (name, rest) in [
        ("word", format!("stringData: {CANARY}")),
        ("list", format!("stringData: {{password: [{CANARY}, 5]}}")),
        ("all", format!("stringData: [{CANARY}]")),
        ("typo", format!("stringdata: {{password: {CANARY}}}")),
        ("bare", format!("password: {CANARY}")),
        ("base64", format!("data: {{password: '{CANARY}!'}}")),
        (
            "note",
            format!("stringData: {{password: ok}}\ntype: [{CANARY}]"),
        ),
    ] {
        let text = format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\n{rest}\n");
        scene.write(&format!("config/{name}.yaml"), &text);
    }
    scene.push().await;
    for more in [
        &[][..],
        &["-o", "json"],
        &["--from", &first],
        &["--from", "main", "--to", &first],
    ] {
        let (code, out, err) = scene.shipway(&[&["diff", "web"], more].concat());
        assert!(code > 0 && out.contains("typo"), "{code} {out}{err}");
        assert!(
            !format!("{out}{err}").contains(CANARY),
            "{more:?} {out}{err}"
        );
    }
}
