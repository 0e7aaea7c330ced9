//! Rules 2 and 3 over time: writers beside us whose job is to write, and with whom there is no fight.

use std::time::Duration;

use k8s_openapi::api::admissionregistration::v1::{
    MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding,
};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt as _;
use kube::api::PostParams;
use serde_json::json;
use suite::Scene;
use testkit::{Need, World, eventually};

use crate::rules_drift::settings;
use crate::rules_stage::{
    assert_quiet, assert_quiet_for, deployment, image, replicas, until_values, values,
};

/// How long nothing may be written: two rounds of the slowest thing that is done again and again.
const PEACE: Duration = Duration::from_mins(1);

/// Who scales as an autoscaler does.
const AUTOSCALER: &str = "autoscaler";

/// What the policy below makes of [`settings`].
const MUTATED: &str = "colour=green injected=yes size=9";

/// A policy that overwrites one value of every ConfigMap of the scene and adds another.
struct Policy<'a>(&'a Scene, String);

impl<'a> Policy<'a> {
    async fn in_force(scene: &'a Scene) -> Self {
        let policy = Self(scene, format!("shipway-test-{}", scene.ns()));
        let name = &policy.1;
        let here = json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": scene.ns()}}});
        let mut constraints = here.clone();
        constraints["resourceRules"] = json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}]);
        let spec = json!({
            "matchConstraints": constraints, "reinvocationPolicy": "Never", "failurePolicy": "Fail",
            "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {
                "expression": r#"Object{data: {"colour": "green", "injected": "yes"}}"#,
            }}],
        });
        let binding = json!({"policyName": name, "matchResources": here});
        for (kind, spec) in [
            ("MutatingAdmissionPolicy", spec),
            ("MutatingAdmissionPolicyBinding", binding),
        ] {
            let object = json!({
                "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind,
                "metadata": {"name": name}, "spec": spec,
            });
            scene.apply(&object).await;
        }
        let dry = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        let probe = json!({"metadata": {"name": "probe"}, "data": {"a": "1"}});
        let probe: ConfigMap = serde_json::from_value(probe).expect("it is a ConfigMap");
        let maps = scene.all::<ConfigMap>();
        eventually(
            "the policy to be in force",
            Duration::from_secs(30),
            || async {
                let answer = maps.create(&dry, &probe).await;
                let answer = answer.map_err(|error| error.to_string())?;
                let values = values(Some(&answer));
                if values.contains("injected") {
                    Ok(())
                } else {
                    Err(values)
                }
            },
        )
        .await;
        policy
    }
}

impl Drop for Policy<'_> {
    fn drop(&mut self) {
        let Self(scene, name) = self;
        scene.clear_away::<MutatingAdmissionPolicyBinding>(name);
        scene.clear_away::<MutatingAdmissionPolicy>(name);
    }
}

async fn said_of_replicas(scene: &Scene) -> usize {
    let events = scene.events("web").await;
    let said = events
        .iter()
        .filter(|event| event.starts_with("FieldLeftOut"));
    said.count()
}

// Both in one scenario, since a minute of silence is long enough for all.
#[tokio::test(flavor = "multi_thread")]
async fn an_autoscaler_and_a_policy_are_not_fought_for_a_whole_minute() {
    if World::shared().lacks(Need::Admission) {
        return;
    }
    let scene = Scene::new("peace").await;
    let _settling = scene.settle().await;
    let _policy = Policy::in_force(&scene).await;
    scene.write("config/settings.yaml", &settings().to_string());
    scene.write("config/web.yaml", &deployment("web", "nginx:1", 2));
    scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_ready("web", None).await;
    let before = until_values(&scene, "settings", MUTATED).await;
    scene.scale(AUTOSCALER, "web", 4).await;
    let words = ["FieldLeftOut", "`.spec.replicas`", "`autoscaler`"];
    scene.until_event("web", &words).await;
    // It goes on scaling: that is nobody's business any more.
    let mut window = scene.world.audit().await;
    for wanted in [5, 1, 3] {
        scene.scale(AUTOSCALER, "web", wanted).await;
        let scaled = |web: Option<&Deployment>| is_scaled(web, wanted);
        scene
            .until_object::<Deployment>("web", "is scaled", scaled)
            .await;
    }
    scene.until_ready("web", None).await;
    assert_quiet_for(&scene, PEACE).await;
    let fought = window.requests().await.by("shipway").within(scene.ns());
    let fought = fought
        .writes()
        .only(|request| ["apps/deployments", "configmaps"].contains(&&*request.resource));
    assert_eq!(fought.count(), 0, "{fought}");

    // A new revision changes the rest and leaves the replicas alone.
    scene.write("config/web.yaml", &deployment("web", "nginx:2", 2));
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
    let web = scene.find::<Deployment>("web").await.expect("it is there");
    assert_eq!((image(&web).as_str(), replicas(&web)), ("nginx:2", Some(3)));
    assert_eq!(said_of_replicas(&scene).await, 1);
    // Somebody takes away what we own: that is put right, and the policy changes it again.
    let gone = json!({"data": {"size": null}});
    scene.patch::<ConfigMap>("settings", gone).await;
    let after = until_values(&scene, "settings", MUTATED).await;
    assert_eq!(after.uid(), before.uid());
    assert_quiet(&scene).await;
}

/// Whether all Pods that an autoscaler wants are there.
fn is_scaled(web: Option<&Deployment>, wanted: i32) -> bool {
    let status = web.and_then(|web| web.status.as_ref());
    status.is_some_and(|status| status.ready_replicas == Some(wanted))
}
