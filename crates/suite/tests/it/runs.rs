//! Runnables, where a case in kuttl's format cannot say it: what is counted, what is deleted, what a restart does.

use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use k8s_openapi::serde::de::DeserializeOwned;
use kinds::{ClusterRunTemplate, Runnable};
use kube::Client;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};

use serde_json::{Value, json};
use suite::Controller;
use testkit::audit::{Requests, Window};
use testkit::{TempNamespace, World, eventually};
use tokio::sync::{Mutex, MutexGuard};

use crate::choreography::{PATIENCE, again, chains, let_accounts};

/// A namespace with an account `runner` that may do everything in it, and a run template of the namespace's name.
struct Stage {
    client: Client,
    namespace: TempNamespace,
    controller: Option<Controller>,
    world: World,
    _turn: MutexGuard<'static, ()>,
}

impl Stage {
    async fn new() -> Self {
        let (turn, world, controller) = chains().await;
        let client = world.client().await;
        let namespace = world.temp_namespace("runs").await;
        let_accounts(&client, namespace.name()).await;
        let stage = Self {
            client,
            namespace,
            controller: Some(controller),
            world,
            _turn: turn,
        };
        let account =
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "runner"}});
        put(&stage.all::<ServiceAccount>(), "runner", &account).await;
        stage.put_template().await;
        stage
    }

    /// Takes along what is cluster-wide.
    async fn end(self) {
        let gone = self
            .templates()
            .delete(self.ns(), &DeleteParams::default())
            .await;
        gone.expect("the template can be deleted");
    }

    fn ns(&self) -> &str {
        self.namespace.name()
    }

    fn all<K>(&self) -> Api<K>
    where
        K: kube::Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), self.ns())
    }

    fn templates(&self) -> Api<ClusterRunTemplate> {
        Api::all(self.client.clone())
    }

    async fn put_template(&self) {
        let template = json!({
            "apiVersion": "carto.run/v1alpha1", "kind": "ClusterRunTemplate", "metadata": {"name": self.ns()},
            "spec": {
                "outputs": {"code": "spec.code"},
                "template": {
                    "apiVersion": "cases.example/v1", "kind": "Run", "metadata": {"generateName": "run-"},
                    "spec": {"code": "$(runnable.spec.inputs.code)$", "selected": "$(selected)$"},
                },
            },
        });
        put(&self.templates(), self.ns(), &template).await;
    }

    /// A Runnable with an input, and what it has beside.
    async fn put_runnable(&self, name: &str, code: &str, more: Value) {
        let mut runnable = json!({
            "apiVersion": "carto.run/v1alpha1", "kind": "Runnable", "metadata": {"name": name},
            "spec": {
                "serviceAccountName": "runner", "runTemplateRef": {"name": self.ns()},
                "inputs": {"code": code},
            },
        });
        if more.is_object() {
            runnable["spec"]["selector"] = more;
        }
        put(&self.all::<Runnable>(), name, &runnable).await;
    }

    fn runs(&self) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("cases.example", "v1", "Run");
        let api = ApiResource::from_gvk(&kind);
        Api::namespaced_with(self.client.clone(), self.ns(), &api)
    }

    /// The codes of all runs, sorted, once there are so many.
    async fn until_runs(&self, codes: &str) {
        eventually("the runs", PATIENCE, || async {
            let listed = self.runs().list(&ListParams::default()).await;
            let listed = listed.map_err(|why| why.to_string())?;
            let mut found: Vec<_> = listed
                .iter()
                .filter_map(|run| run.data["spec"]["code"].as_str())
                .collect();
            found.sort_unstable();
            let found = found.join(" ");
            if found == codes { Ok(()) } else { Err(found) }
        })
        .await;
    }

    /// Lets the runs of a code succeed.
    async fn succeed(&self, code: &str) {
        let condition = json!({
            "type": "Succeeded", "status": "True", "reason": "Ended", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        });
        let patch = json!({"status": {"conditions": [condition]}});
        let listed = self.runs().list(&ListParams::default()).await;
        for run in listed.expect("the runs can be listed") {
            if run.data["spec"]["code"] == code {
                let name = run.metadata.name.unwrap_or_default();
                let params = PatchParams::default();
                let patched = self
                    .runs()
                    .patch(&name, &params, &Patch::Merge(&patch))
                    .await;
                patched.expect("the run can be patched");
            }
        }
    }

    /// Waits until a Runnable stands like this: its `Ready` and its output.
    async fn until(&self, name: &str, ready: &str, code: &str) {
        eventually("the Runnable to stand so", PATIENCE, || async {
            let found = self.all::<Runnable>().get(name).await;
            let status = found
                .map_err(|why| why.to_string())?
                .status
                .unwrap_or_default();
            let condition = kinds::condition::find(&status.conditions, "Ready");
            let is_ready = condition.is_some_and(|it| it.reason == ready);
            let is_output = status.outputs.get("code") == Some(&json!(code));
            let told = || format!("{:?} {:?}", status.outputs, status.conditions);
            (is_ready && is_output).then_some(()).ok_or_else(told)
        })
        .await;
    }

    /// The controller's requests in the namespace until there is one of a verb for a resource. The log tells of each a
    /// moment after what it did can be seen.
    async fn until_told(&self, window: &Mutex<Window>, verb: &str, resource: &str) -> Requests {
        let seen = Mutex::new(Requests::default());
        eventually("the pass", PATIENCE, || async {
            let new = window.lock().await.requests().await;
            let mut seen = seen.lock().await;
            seen.0.extend(new.by("shipway").within(self.ns()).0);
            let mut requests = seen.0.iter();
            let is_told = requests.any(|it| it.verb == verb && it.resource == resource);
            is_told.then_some(()).ok_or_else(|| seen.to_string())
        })
        .await;
        seen.into_inner()
    }
}

async fn put<K>(api: &Api<K>, name: &str, object: &Value)
where
    K: Clone + std::fmt::Debug + DeserializeOwned,
{
    let params = PatchParams::apply("suite").force();
    let put = api.patch(name, &params, &Patch::Apply(object)).await;
    put.expect("the object can be applied");
}

fn writes_of_runs(requests: &Requests) -> Requests {
    let writes = requests.clone().writes();
    writes.only(|request| request.resource == "cases.example/runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_makes_no_run_twice() {
    let mut stage = Stage::new().await;
    stage.put_runnable("tests", "one", Value::Null).await;
    stage.until_runs("one").await;
    stage.succeed("one").await;
    stage.until("tests", "Ready", "one").await;
    stage.controller = None;
    let window = Mutex::new(stage.world.audit().await);
    stage.controller = Some(again(&stage.world).await);
    let mut seen = stage
        .until_told(&window, "list", "cases.example/runs")
        .await;
    // One Runnable has one pass at a time: what this one asks for has a pass after that of the restart.
    stage.put_runnable("tests", "two", Value::Null).await;
    stage.until_runs("one two").await;
    stage.until("tests", "Unknown", "one").await;
    let new = window.lock().await.requests().await;
    seen.0.extend(new.by("shipway").within(stage.ns()).0);
    assert_eq!(
        writes_of_runs(&seen).count(),
        1,
        "only what was asked for is made:\n{seen}"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_template_that_goes_and_comes_back_makes_no_second_run() {
    let stage = Stage::new().await;
    stage.put_runnable("tests", "one", Value::Null).await;
    stage.until_runs("one").await;
    stage.succeed("one").await;
    stage.until("tests", "Ready", "one").await;
    let params = DeleteParams::default();
    let gone = stage.templates().delete(stage.ns(), &params).await;
    gone.expect("the template can be deleted");
    stage.until("tests", "RunTemplateNotFound", "one").await;
    stage.put_template().await;
    stage.until("tests", "Ready", "one").await;
    stage.until_runs("one").await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runnables_that_share_a_run_template_make_a_run_each() {
    let stage = Stage::new().await;
    stage.put_runnable("first", "same", Value::Null).await;
    stage.put_runnable("second", "same", Value::Null).await;
    stage.until_runs("same same").await;
    stage.succeed("same").await;
    stage.until("first", "Ready", "same").await;
    stage.until("second", "Ready", "same").await;
    // A change of one has its run, and the other one none.
    stage.put_runnable("first", "other", Value::Null).await;
    stage.until_runs("other same same").await;
    stage.until("second", "Ready", "same").await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_deleted_is_made_again() {
    let stage = Stage::new().await;
    stage.put_runnable("tests", "one", Value::Null).await;
    stage.until_runs("one").await;
    let before = stage.runs().list(&ListParams::default()).await;
    let before = before.expect("the runs can be listed").items.remove(0);
    let name = before.metadata.name.clone().unwrap_or_default();
    let gone = stage.runs().delete(&name, &DeleteParams::default()).await;
    gone.expect("the run can be deleted");
    eventually("another run", PATIENCE, || async {
        let listed = stage.runs().list(&ListParams::default()).await;
        let listed = listed.map_err(|why| why.to_string())?;
        let is_other = listed
            .iter()
            .any(|run| run.metadata.uid != before.metadata.uid);
        is_other
            .then_some(())
            .ok_or_else(|| "there is none".to_owned())
    })
    .await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_without_a_change_writes_nothing() {
    let stage = Stage::new().await;
    let chosen = |note: &str, stage: &str| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "chosen", "labels": {"for": "tests"}, "annotations": {"note": note}},
            "data": {"stage": stage},
        })
    };
    let maps: Api<ConfigMap> = stage.all();
    put(&maps, "chosen", &chosen("1", "dev")).await;
    let template = json!({"spec": {"template": {"spec": {"selected": "$(selected.data.stage)$"}}}});
    let params = PatchParams::default();
    let patch = Patch::Merge(&template);
    let patched = stage.templates().patch(stage.ns(), &params, &patch).await;
    patched.expect("the template can be patched");
    let selector = json!({
        "resource": {"apiVersion": "v1", "kind": "ConfigMap"}, "matchingLabels": {"for": "tests"},
    });
    stage.put_runnable("tests", "one", selector).await;
    stage.until_runs("one").await;
    stage.succeed("one").await;
    stage.until("tests", "Ready", "one").await;
    let window = Mutex::new(stage.world.audit().await);
    // What is selected changes, and nothing that the template reads.
    put(&maps, "chosen", &chosen("2", "dev")).await;
    let mut seen = stage.until_told(&window, "list", "configmaps").await;
    put(&maps, "chosen", &chosen("2", "prod")).await;
    stage.until_runs("one one").await;
    stage.until("tests", "Unknown", "one").await;
    let status = "carto.run/runnables/status";
    let new = stage.until_told(&window, "patch", status).await;
    seen.0.extend(new.0);
    let written = seen
        .clone()
        .writes()
        .only(|request| !request.resource.contains("events"));
    assert_eq!(written.count(), 2, "one run and one status:\n{seen}");
    stage.end().await;
}
