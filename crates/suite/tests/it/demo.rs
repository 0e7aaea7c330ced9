//! `shipway demo --context NAME`: the whole story on a cluster that somebody has, and nothing of it
//! left.
#![expect(
    clippy::disallowed_methods,
    reason = "the demo is a program, and is started on a terminal"
)]

use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kinds::{Deliverable, Environment, Inventory, Shipment};
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::ApiResource;
use kube::{Client, ResourceExt as _};
use serde_json::json;
use suite::install;
use testkit::{Need, World, eventually, poll};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{self, MutexGuard};

use crate::bad_stage::measured;

/// How long the whole demo may take.
const DEMO: Duration = Duration::from_mins(4);
/// How long any one thing before and after it may.
const PATIENCE: Duration = Duration::from_secs(90);

/// A cluster that nobody else uses meanwhile, and where nobody has anything to deliver.
struct Ground {
    world: World,
    client: Client,
    _turn: MutexGuard<'static, ()>,
}

impl Ground {
    async fn take() -> Self {
        static TURN: sync::Mutex<()> = sync::Mutex::const_new(());
        let turn = TURN.lock().await;
        // A second provider cannot be installed; the first one is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let world = World::shared().on("demo");
        let client = world.client().await;
        // Once it is there the controller-manager works, after an outage too.
        drop(world.temp_namespace("demo").await);
        let ground = Self {
            world,
            client,
            _turn: turn,
        };
        // What scenarios before left is going, and held by finalizers that no controller takes off.
        for api in [
            ApiResource::erase::<Deliverable>(&()),
            ApiResource::erase::<Shipment>(&()),
            ApiResource::erase::<Inventory>(&()),
            ApiResource::erase::<Environment>(&()),
        ] {
            ground.empty(&api).await;
        }
        // Of a controller that was killed.
        let leases: Api<Lease> = Api::namespaced(ground.client.clone(), "shipway-system");
        let _ = leases
            .delete("shipway-controller", &DeleteParams::default())
            .await;
        ground
    }

    /// All objects of a kind; none where it is not served.
    async fn list(&self, api: &ApiResource) -> Vec<DynamicObject> {
        let all: Api<DynamicObject> = Api::all_with(self.client.clone(), api);
        let listed = poll(PATIENCE, || async {
            match all.list(&ListParams::default()).await {
                Ok(found) => Ok(found.items),
                Err(kube::Error::Api(status)) if status.code == 404 => Ok(Vec::new()),
                // So says an API server for a moment after a definition was installed.
                Err(error) => Err(error),
            }
        });
        listed.await.expect("the cluster answers")
    }

    async fn empty(&self, api: &ApiResource) {
        let free = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        eventually("the cluster has nothing to deliver", PATIENCE, || async {
            let found = self.list(api).await;
            for object in &found {
                let one: Api<DynamicObject> = match object.namespace() {
                    Some(namespace) => Api::namespaced_with(self.client.clone(), &namespace, api),
                    None => Api::all_with(self.client.clone(), api),
                };
                // Either may come too late, which shows in the next look.
                let name = object.name_any();
                let _ = one.delete(&name, &DeleteParams::default()).await;
                let _ = one.patch(&name, &PatchParams::default(), &free).await;
            }
            if found.is_empty() {
                Ok(())
            } else {
                Err(format!("{} {}", found.len(), api.plural))
            }
        })
        .await;
    }

    /// Takes Shipway's definitions and roles away.
    async fn uninstall(&self) {
        let mut goes: Vec<(ApiResource, String)> = kinds::crd::all()
            .iter()
            .map(|crd| {
                (
                    ApiResource::erase::<CustomResourceDefinition>(&()),
                    crd.name_any(),
                )
            })
            .collect();
        for name in ["shipway-controller", "shipway-controller-aggregated"] {
            goes.push((ApiResource::erase::<ClusterRole>(&()), name.to_owned()));
            goes.push((
                ApiResource::erase::<ClusterRoleBinding>(&()),
                name.to_owned(),
            ));
        }
        let system = "shipway-system".to_owned();
        goes.push((ApiResource::erase::<Namespace>(&()), system));
        for (api, name) in &goes {
            let all: Api<DynamicObject> = Api::all_with(self.client.clone(), api);
            let _ = all.delete(name, &DeleteParams::default()).await;
        }
        for (api, name) in &goes {
            let all: Api<DynamicObject> = Api::all_with(self.client.clone(), api);
            eventually("Shipway is uninstalled", PATIENCE, || async {
                match all.get_opt(name).await {
                    Ok(None) => Ok(()),
                    found => Err(format!("{name}: {found:?}")),
                }
            })
            .await;
        }
    }

    /// Whatever a demo could leave, by kind and name.
    async fn everything(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for api in [
            ApiResource::erase::<Namespace>(&()),
            ApiResource::erase::<CustomResourceDefinition>(&()),
            ApiResource::erase::<ClusterRole>(&()),
            ApiResource::erase::<ClusterRoleBinding>(&()),
            ApiResource::erase::<Environment>(&()),
            ApiResource::erase::<Lease>(&()),
        ] {
            let found = self.list(&api).await;
            names.extend(
                found
                    .iter()
                    .map(|one| format!("{} {}", api.kind, one.name_any())),
            );
        }
        names
    }

    /// Checks that all is as it was. Namespaces of scenarios before may go meanwhile.
    async fn assert_is_as(&self, before: &BTreeSet<String>) {
        let after = self.everything().await;
        let left: Vec<_> = after.difference(before).collect();
        assert!(left.is_empty(), "the demo left {left:?}");
        let stays = |name: &&String| !name.starts_with("Namespace ") || name.contains("shipway");
        let lost: Vec<_> = before.difference(&after).filter(stays).collect();
        assert!(lost.is_empty(), "the demo took {lost:?} away");
    }

    fn command(&self, more: &[&str]) -> Vec<String> {
        let ours = std::env::current_exe().expect("a process knows its program");
        let program = ours
            .parent()
            .and_then(std::path::Path::parent)
            .expect("tests lie in target/<profile>/deps")
            .join("shipway");
        let kubeconfig = self.world.kubeconfig().display().to_string();
        let words = ["demo", "--context", "demo", "--kubeconfig", &kubeconfig];
        std::iter::once(program.display().to_string())
            .chain(words.iter().chain(more).map(|word| (*word).to_owned()))
            .collect()
    }

    /// Runs the demo without a terminal: exit code, output, errors.
    async fn demo(&self, more: &[&str]) -> (i32, String, String) {
        let words = self.command(more);
        let running = Command::new(&words[0])
            .args(&words[1..])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(DEMO, running)
            .await
            .expect("the demo ends")
            .expect("the program runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.code().unwrap_or(-1),
            text(&output.stdout),
            text(&output.stderr),
        )
    }
}

/// The demo on a terminal, which `script` provides.
struct Terminal {
    child: Child,
    keys: ChildStdin,
    shown: Arc<Mutex<Vec<u8>>>,
}

/// What the shell of a terminal writes before the demo's exit code.
const ENDED: &str = "the demo ended with ";

impl Terminal {
    fn start(words: &[String]) -> Self {
        let mut script = Command::new("script");
        script.arg("-q");
        let words: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        // The shell tells how the demo ended: what `script` ends with depends on who ends first,
        // the demo or its terminal. Ctrl-C reaches the shell as well, which is not to end of it.
        let line = format!("trap : INT; {}; echo \"{ENDED}$?.\"", words.join(" "));
        if cfg!(target_os = "macos") {
            script.args(["/dev/null", "sh", "-c", &line]);
        } else {
            script.args(["-c", &line, "/dev/null"]);
        }
        let mut child = script
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("`script` is there");
        let keys = child.stdin.take().expect("it was piped");
        let shown = Arc::new(Mutex::new(Vec::new()));
        let output = child.stdout.take().expect("it was piped");
        tokio::spawn(collect(output, shown.clone()));
        Self { child, keys, shown }
    }

    fn shown(&self) -> String {
        text_of(&self.shown)
    }

    async fn until(&mut self, text: &str) {
        let shown = self.shown.clone();
        let seen = poll(DEMO, || async {
            if text_of(&shown).contains(text) {
                Ok(())
            } else {
                Err("not yet")
            }
        });
        let is_shown = tokio::select! {
            seen = seen => seen.is_ok(),
            _ = self.child.wait() => false,
        };
        assert!(is_shown, "`{text}` is never shown:\n{}", self.shown());
    }

    async fn press(&mut self, keys: &str) {
        self.keys
            .write_all(keys.as_bytes())
            .await
            .expect("the terminal is there");
        self.keys.flush().await.expect("the terminal is there");
    }

    /// The exit code, and all that was shown.
    async fn end(mut self) -> (i32, String) {
        let ended = tokio::time::timeout(DEMO, self.child.wait()).await;
        let _ = ended.expect("the demo ends").expect("it can be waited for");
        // `script` shows everything before it ends; it may not have been collected yet.
        eventually("how the demo ended", PATIENCE, || async {
            let shown = self.shown();
            let code = shown
                .split_once(ENDED)
                .and_then(|(_, rest)| rest.split_once('.')?.0.parse().ok());
            code.map(|code| (code, shown.clone())).ok_or(shown)
        })
        .await
    }
}

fn text_of(shown: &Mutex<Vec<u8>>) -> String {
    let shown = shown.lock().expect("nothing panics while holding it");
    String::from_utf8_lossy(&shown).into_owned()
}

async fn collect(mut output: ChildStdout, shown: Arc<Mutex<Vec<u8>>>) {
    let mut part = [0; 4096];
    while let Ok(length @ 1..) = output.read(&mut part).await {
        let mut shown = shown.lock().expect("nothing panics while holding it");
        shown.extend_from_slice(&part[..length]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_tells_its_story_on_one_context_and_leaves_what_it_found() {
    let ground = Ground::take().await;
    install(&ground.world).await;
    let before = ground.everything().await;
    let (code, out, err) = ground.demo(&["--yes", "--simulate-kubelet"]).await;
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    for step in [
        "no kubelet runs here: the demo writes the status of Pods, so their health is simulated",
        "`demo`: definitions, roles and the delivery are there already, and stay as they are",
        "qa: the application is applied and healthy",
        "staging: the application is applied and healthy",
        "production: the application is applied and healthy",
        "production: has its own ConfigMap `environment` and 3 replicas, from its overlay",
        "production: still at ",
        "production: runs ",
        "production: `kubectl edit` set 7 replicas, they are 3 again",
        "`kubectl-edit` had set .spec.replicas",
        "qa: ConfigMap `page` is pruned",
        "(more.yaml:5)",
        "qa: the good files of that commit are applied",
        "qa: ConfigMap `feature-1` left Git with it, and is kept",
        "qa: refuses to delete 9 objects at once (DeletionBudget)",
        "qa: deletes exactly the list that was confirmed",
        "qa: waits for an image that nobody can pull",
        "qa: the fix lands at once",
        "All of it came true, in ",
        "nothing is left",
        "What to try next:",
    ] {
        assert!(out.contains(step), "`{step}` is missing:\n{out}");
    }
    assert!(!out.contains('\u{1b}'), "no terminal, no colours:\n{out}");
    let ends = out
        .lines()
        .filter(|line| line.contains("came true") || line.contains("is left"));
    measured(&ends.collect::<Vec<_>>().join("; "));
    ground.assert_is_as(&before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn colours_are_for_terminals_that_want_them() {
    let program = suite::program().display().to_string();
    let words = [&program, "get", "--kubeconfig", "/nowhere"].map(str::to_owned);
    for (no_color, says) in [
        ("", "\u{1b}[1;31merror:\u{1b}[0m"),
        ("NO_COLOR=1", "error:"),
    ] {
        let setting = ["env", no_color].map(str::to_owned);
        let setting = if no_color.is_empty() {
            &[][..]
        } else {
            &setting
        };
        let (code, shown) = Terminal::start(&[setting, &words].concat()).end().await;
        assert_eq!(code, 2, "{shown}");
        assert!(shown.contains(says), "{shown:?}");
        let has_colours = shown.contains('\u{1b}');
        assert_eq!(has_colours, no_color.is_empty(), "{shown:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_does_not_come_true_in_time_ends_the_demo_and_is_named() {
    let ground = Ground::take().await;
    ground.uninstall().await;
    let before = ground.everything().await;
    let (code, out, err) = ground
        .demo(&["--yes", "--simulate-kubelet", "--patience", "1ms"])
        .await;
    assert_eq!(code, 2, "{out}{err}");
    let told = "this step did not come true within ";
    assert_eq!(err.matches(told).count(), 1, "{err}");
    assert!(!out.contains(told), "said once: {out}");
    assert!(err.contains(": qa: it has its Deliverables"), "{err}");
    assert!(out.contains("nothing is left"), "{out}");
    assert!(!out.contains("What to try next"), "{out}");
    ground.assert_is_as(&before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_in_the_middle_of_the_demo_takes_everything_away() {
    let ground = Ground::take().await;
    ground.uninstall().await;
    let before = ground.everything().await;
    let mut terminal = Terminal::start(&ground.command(&[]));
    terminal.until("Go on? [y/N]").await;
    terminal.press("y\n").await;
    // No kubelet is played, so it waits for the application; what was delivered is there.
    terminal.until("qa: its Deliverables are there").await;
    terminal.press("\u{3}").await;
    let (code, shown) = terminal.end().await;
    assert_eq!(code, 130, "{shown}");
    assert!(shown.contains("interrupted"), "{shown}");
    assert!(shown.contains("nothing is left"), "{shown}");
    ground.assert_is_as(&before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_ctrl_c_says_what_the_demo_leaves_and_the_next_one_clears_it_up() {
    let ground = Ground::take().await;
    ground.uninstall().await;
    let before = ground.everything().await;
    let mut terminal = Terminal::start(&ground.command(&["--simulate-kubelet"]));
    terminal.until("Go on? [y/N]").await;
    terminal.press("y\n").await;
    terminal.until("qa: its Deliverables are there").await;
    terminal.press("\u{3}").await;
    terminal.until("Taking everything away").await;
    terminal.press("\u{3}").await;
    let (code, shown) = terminal.end().await;
    assert_eq!(code, 130, "{shown}");
    for words in [
        "in the context `demo`: the namespaces `shipway-demo-qa`",
        "clears up before it begins",
    ] {
        assert!(shown.contains(words), "`{words}` is missing:\n{shown}");
    }
    let end_of_term = Duration::from_secs(90); // that of a controller that was killed, and the demo
    let (code, out, err) = eventually("the demo to begin", end_of_term, || async {
        let ended = ground.demo(&["--yes", "--simulate-kubelet"]).await;
        if ended.2.contains("is at work in the context") {
            return Err(ended.2);
        }
        Ok(ended)
    })
    .await;
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("An earlier demo was not cleared up"), "{out}");
    ground.assert_is_as(&before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_that_must_fail_without_nodes_does_not_begin() {
    let ground = Ground::take().await;
    if ground.world.lacks(Need::Pods) {
        return;
    }
    let (code, out, err) = ground.demo(&["--yes"]).await;
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert_eq!(
        err,
        "error: the context `demo` has no nodes: no Pod gets healthy there\n\
         hint: pass --simulate-kubelet to play the kubelet there\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_writes_nothing_where_it_may_not_or_is_in_the_way() {
    let ground = Ground::take().await;
    install(&ground.world).await;
    let mut window = ground.world.audit().await;
    let mut terminal = Terminal::start(&ground.command(&[]));
    terminal.until("Go on? [y/N]").await;
    terminal.press("n\n").await;
    let (code, shown) = terminal.end().await;
    assert_eq!(code, 2, "{shown}");
    assert!(shown.contains("nothing was done"), "{shown}");
    let (code, _, err) = ground.demo(&[]).await;
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains("there is no terminal to ask on, and nothing was done"),
        "{err}"
    );

    let scene = ground.world.temp_namespace("theirs").await;
    let shipments = ApiResource::erase::<Shipment>(&());
    let theirs: Api<DynamicObject> =
        Api::namespaced_with(ground.client.clone(), scene.name(), &shipments);
    let wanted: DynamicObject = serde_json::from_value(json!({
        "apiVersion": "shipway.run/v1alpha1", "kind": "Shipment", "metadata": {"name": "web"},
        "spec": {"source": {"git": {"url": "https://git.example.com/web.git"}}, "path": "web", "serviceAccountName": "web"},
    }))
    .expect("it has a kind");
    theirs
        .create(&kube::api::PostParams::default(), &wanted)
        .await
        .expect("it can be created");
    let (code, _, err) = ground.demo(&["--yes"]).await;
    assert_eq!(code, 2, "{err}");
    let says = format!(
        "in the context `demo` there is Shipment `{}/web`",
        scene.name()
    );
    assert!(err.contains(&says), "{err}");
    ground.empty(&shipments).await;

    let written = window.requests().await.by("shipway").writes();
    assert_eq!(written.count(), 0, "{written}");
}
