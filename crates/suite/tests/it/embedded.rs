//! The clusters that the program carries along: the demo on them, `shipway up`, and kubectl.
#![expect(
    clippy::disallowed_methods,
    reason = "the program and kubectl are started as users start them"
)]

use std::fs::Permissions;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, ResourceQuota};
use k8s_openapi::serde::de::DeserializeOwned;
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use suite::program;
use tempfile::TempDir;
use testkit::{Need, World};

use crate::bad_stage::measured;

/// How long `up` may take until it says what to try.
const STARTING: Duration = Duration::from_mins(1);

/// The log of a version that is none yet.
const NEWER: &str = "96b3d979 [\"shipway 999\",7,0]\n";

/// A `shipway up` that runs. Dropping it kills it, by `kill -9`.
struct Up {
    child: Child,
    kubeconfig: PathBuf,
}

impl Up {
    fn start(folder: &Path) -> Self {
        Self::start_with(folder, &["--port", "0"])
    }

    fn start_with(folder: &Path, flags: &[&str]) -> Self {
        let mut child = up(folder, flags);
        let errors = child.stderr.take().expect("it was piped");
        let (said, says) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                let _ = said.send(line);
            }
        });
        loop {
            let line = says.recv_timeout(STARTING).expect("it starts in time");
            if line.contains("Ctrl-C ends it") {
                break;
            }
        }
        Self {
            child,
            kubeconfig: folder.join("kubeconfig"),
        }
    }

    /// A client of the cluster that a context names, in its namespace.
    async fn client(&self, context: &str) -> Client {
        client(&self.kubeconfig, context).await
    }

    /// Where it listens.
    fn port(&self) -> String {
        let text = std::fs::read_to_string(&self.kubeconfig).expect("it is there");
        let (_, rest) = text.split_once("https://127.0.0.1:").expect("it has one");
        rest.split('/').next().unwrap_or_default().to_owned()
    }

    fn try_kubectl(&self, line: &str) -> Output {
        Command::new(World::shared().kubectl())
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .args(["--cache-dir"])
            .arg(self.kubeconfig.with_file_name("kubectl-cache"))
            .args(line.split_whitespace())
            .output()
            .expect("kubectl runs")
    }

    /// What a kubectl command prints.
    #[track_caller]
    fn kubectl(&self, line: &str) -> String {
        let output = self.try_kubectl(line);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {line}: {errors}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What a kubectl command says that fails.
    #[track_caller]
    fn refused(&self, line: &str) -> String {
        let output = self.try_kubectl(line);
        assert!(!output.status.success(), "kubectl {line} goes through");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn client(kubeconfig: &Path, context: &str) -> Client {
    // A second provider cannot be installed; the first one is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let kubeconfig = Kubeconfig::read_from(kubeconfig).expect("it was written");
    let options = KubeConfigOptions {
        context: Some(context.to_owned()),
        ..KubeConfigOptions::default()
    };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    Client::try_from(config.expect("it has the context")).expect("it makes a client")
}

fn up(folder: &Path, flags: &[&str]) -> Child {
    Command::new(program())
        .args(["up", "--data-dir"])
        .arg(folder)
        .args(flags)
        .env("KUBECONFIG", folder.join("own"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs")
}

/// What `up` says that ends by itself.
fn ends(folder: &Path, flags: &[&str]) -> (Option<i32>, String) {
    let output = up(folder, flags).wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), text)
}

fn object<K: DeserializeOwned>(value: Value) -> K {
    serde_json::from_value(value).expect("it is of the kind")
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("there is room")
}

#[test]
fn the_demo_tells_its_story_on_clusters_of_its_own() {
    let output = Command::new(program())
        .arg("demo")
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    let (out, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(output.status.code(), Some(0), "{out}{errors}");
    for step in [
        "the status of workloads is simulated",
        "production: the application is applied and healthy",
        "production: `kubectl edit` set 7 replicas, they are 3 again",
        "qa: refuses to delete 9 objects at once (DeletionBudget)",
        "qa: the fix lands at once",
        "All of it came true, in ",
    ] {
        assert!(out.contains(step), "`{step}` is missing:\n{out}");
    }
    let last = out.lines().find(|line| line.contains("came true"));
    measured(last.unwrap_or_default());
}

#[tokio::test(flavor = "multi_thread")]
async fn up_goes_on_where_it_was_killed() {
    let folder = folder();
    let running = Up::start(folder.path());
    let maps: Api<ConfigMap> = Api::default_namespaced(running.client("run-staging").await);
    let kept = object(json!({"metadata": {"name": "kept"}, "data": {"a": "b"}}));
    let created = maps.create(&PostParams::default(), &kept).await;
    created.expect("it can be created");
    let namespaces: Api<Namespace> = Api::all(running.client("run-qa").await);
    let shop = object(json!({"metadata": {"name": "shop"}}));
    let created = namespaces.create(&PostParams::default(), &shop).await;
    created.expect("it can be created");
    let port = running.port();
    for port in ["0", &port] {
        let (code, said) = ends(folder.path(), &["--port", port]);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("is in use by another server"), "{said}");
        assert!(said.contains("--data-dir"), "{said}");
    }
    drop(running);

    let again = Up::start(folder.path());
    let staging = again.client("run-staging").await;
    let maps: Api<ConfigMap> = Api::default_namespaced(staging.clone());
    let found = maps.get("kept").await.expect("it was kept");
    assert_eq!(found.data, kept.data);
    let namespaces: Api<Namespace> = Api::all(again.client("run-qa").await);
    namespaces.get("shop").await.expect("it was kept");
    let namespaces: Api<Namespace> = Api::all(staging);
    let elsewhere = namespaces.get_opt("shop").await.expect("it answers");
    assert_eq!(elsewhere, None);
}

#[test]
fn up_names_what_is_in_its_way() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    let (code, said) = ends(folder().path(), &["--port", &port]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains(&format!("port {port}")), "{said}");
    let (code, said) = ends(folder().path(), &["--clusters", "A/B"]);
    assert_eq!(code, Some(64), "{said}");
    assert!(said.contains("`A/B` is no name for a cluster"), "{said}");
    let (code, said) = ends(folder().path(), &["--clusters", "blue,blue"]);
    assert_eq!(code, Some(64), "{said}");
    assert!(said.contains("names the cluster `blue` twice"), "{said}");

    let newer = folder();
    let blue = newer.path().join("clusters").join("blue");
    std::fs::create_dir_all(&blue).expect("it can be made");
    // The first line of a log, behind its checksum, with a version that is none yet.
    std::fs::write(blue.join("log"), NEWER).expect("it can be written");
    let (code, said) = ends(newer.path(), &["--port", "0", "--clusters", "blue"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("was made by a newer version of Shipway"),
        "{said}"
    );
}

#[test]
fn kubectl_works_on_clusters_of_our_own() {
    if World::shared().lacks(Need::Kubectl) {
        return;
    }
    let folder = folder();
    let own = Up::start(folder.path());
    own.kubectl("create deployment web --image=nginx --replicas=2");
    own.kubectl("rollout status deployment/web --timeout=20s");
    own.kubectl("scale deployment/web --replicas=3");
    own.kubectl("wait deployment/web --for=jsonpath={.status.readyReplicas}=3 --timeout=20s");
    let table = own.kubectl("get deployments");
    assert!(table.contains("READY") && table.contains("3/3"), "{table}");
    own.kubectl("label deployment/web tier=front");
    let named = own.kubectl("get deployments -l tier=front -o name");
    assert_eq!(named.trim(), "deployment.apps/web");
    own.kubectl("create serviceaccount ada");
    let token = own.kubectl("create token ada");
    assert_eq!(token.split('.').count(), 3, "it is a JSON Web Token");
    assert_eq!(
        own.refused("auth can-i get pods --as=system:serviceaccount:default:ada"),
        ""
    );
    own.kubectl("create role reader --verb=get --resource=pods");
    own.kubectl("create rolebinding reader --role=reader --serviceaccount=default:ada");
    let may = own.kubectl("auth can-i get pods --as=system:serviceaccount:default:ada");
    assert_eq!(may.trim(), "yes");
    let refused = own.refused("get secrets --as=system:serviceaccount:default:ada");
    let says = "User \"system:serviceaccount:default:ada\" cannot list resource \"secrets\" in API group \"\" in the namespace \"default\"";
    assert!(refused.contains(says), "{refused}");
    // Whoever may write roles gives nobody what they do not have themselves, whatever way they write.
    own.kubectl("create role keeper --verb=get,patch,update --resource=roles");
    own.kubectl("create rolebinding keeper --role=keeper --serviceaccount=default:ada");
    let more = r#"[{"op":"add","path":"/rules/0/verbs/-","value":"delete"}]"#;
    let patch = format!(
        "patch role reader --type=json --patch={more} --as=system:serviceaccount:default:ada"
    );
    let refused = own.refused(&patch);
    assert!(
        refused.contains("attempting to grant RBAC permissions not currently held"),
        "{refused}"
    );
    own.kubectl("delete deployment web");
    let gone = own.refused("get deployment web");
    assert!(
        gone.contains("deployments.apps \"web\" not found"),
        "{gone}"
    );
    own.kubectl("create namespace short");
    own.kubectl("create configmap inside -n short");
    own.kubectl("delete namespace short --timeout=20s");
}

#[test]
fn what_the_readme_installs_can_be_installed_again_on_clusters_of_our_own() {
    if World::shared().lacks(Need::Kubectl) {
        return;
    }
    let folder = folder();
    let own = Up::start(folder.path());
    let printed = Command::new(program()).arg("crds").output();
    let file = folder.path().join("crds.yaml");
    let printed = printed.expect("the program runs").stdout;
    std::fs::write(&file, printed).expect("it can be written");
    let file = file.display();
    // `up` installs the same as another manager, and the rules of one role are written by the server.
    own.kubectl(&format!("apply --server-side -f {file}"));
    own.kubectl("create clusterrole lamps --verb=get --resource=pods");
    own.kubectl("label clusterrole lamps shipway.run/aggregate-to-controller=true");
    let rules = "jsonpath={.rules[0].resources[0]}=pods";
    own.kubectl(&format!(
        "wait clusterrole/shipway-controller-aggregated --for={rules} --timeout=20s"
    ));
    own.kubectl(&format!("apply --server-side -f {file}"));
    // Who installs with a plain create is served, too.
    let role = "clusterrole/shipway-controller-aggregated";
    own.kubectl(&format!("delete {role}"));
    own.refused(&format!("create -f {file}")); // the others are there
    own.kubectl(&format!("get {role}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_own_clusters_do_not_do_is_refused() {
    let folder = folder();
    let own = Up::start(folder.path());
    let client = own.client("run-qa").await;
    let quotas: Api<ResourceQuota> = Api::default_namespaced(client.clone());
    let small = object(json!({"metadata": {"name": "small"}, "spec": {"hard": {"pods": "2"}}}));
    let refused = quotas.create(&PostParams::default(), &small).await;
    let refused = refused.expect_err("it is refused").to_string();
    let says = "this server enforces no quotas";
    assert!(refused.contains(says), "{refused}");
    let hooks: Api<ValidatingWebhookConfiguration> = Api::all(client);
    let hook = Patch::Apply(json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "vet"}, "webhooks": [],
    }));
    let params = PatchParams::apply("scenario");
    let refused = hooks.patch("vet", &params, &hook).await;
    let refused = refused.expect_err("it is refused").to_string();
    let says = "calls no webhooks and evaluates no policies";
    assert!(refused.contains(says), "{refused}");
    let left = hooks.list(&ListParams::default()).await;
    assert_eq!(left.expect("it answers").items, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn up_adds_its_contexts_to_the_kubeconfig_of_the_user() {
    let folder = folder();
    let own = folder.path().join("own");
    let work = "clusters: [{name: work, cluster: {server: https://work.example.com}}]\ncurrent-context: work\n";
    std::fs::write(&own, work).expect("it can be written");
    let flags = ["--port", "0", "--clusters", "blue", "--merge-kubeconfig"];
    let up = Up::start_with(folder.path(), &flags);
    let namespaces: Api<Namespace> = Api::all(client(&own, "blue").await);
    namespaces.get("default").await.expect("it is there");
    let merged = Kubeconfig::read_from(&own).expect("it can be read");
    assert_eq!(merged.current_context.as_deref(), Some("work"));
    drop(up);

    let taken = work.replace("work", "blue");
    std::fs::write(&own, &taken).expect("it can be written");
    let (code, said) = ends(folder.path(), &flags);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("its cluster \"blue\" is of something else"),
        "{said}"
    );
    assert!(said.contains("--clusters"), "{said}");
    let left = std::fs::read_to_string(&own).expect("it is there");
    assert_eq!(left, taken);
    // A folder that was refused does not remember clusters that nobody has.
    let fresh = folder.path().join("fresh");
    std::fs::create_dir(&fresh).expect("there is room");
    std::fs::write(fresh.join("own"), &taken).expect("it can be written");
    let more = [
        "--port",
        "0",
        "--clusters",
        "mine,blue",
        "--merge-kubeconfig",
    ];
    let (code, said) = ends(&fresh, &more);
    assert_eq!(code, Some(2), "{said}");
    let names = std::fs::read_dir(&fresh).expect("it can be read");
    let names: Vec<_> = names
        .map(|entry| entry.expect("it can be read").file_name())
        .collect();
    assert_eq!(names, ["own"]);
}

#[test]
fn what_up_keeps_is_for_its_owner_alone() {
    let folder = folder();
    let data = folder.path().join("data");
    drop(Up::start_with(
        &data,
        &["--port", "0", "--clusters", "blue"],
    ));
    // As a version before this one left it.
    let parts = [
        "",
        "clusters",
        "clusters/blue",
        "git",
        "clusters/blue/log",
        "log",
    ];
    for part in parts {
        let path = data.join(part);
        let rights = if path.is_dir() { 0o755 } else { 0o644 };
        std::fs::set_permissions(&path, Permissions::from_mode(rights)).expect("it is ours");
    }
    drop(Up::start_with(&data, &["--port", "0"]));
    for part in parts {
        let path = data.join(part);
        let found = std::fs::metadata(&path).expect("it is there").permissions();
        assert_eq!(found.mode() & 0o077, 0, "{part}");
    }
    // What else is in a folder may be for others.
    std::fs::write(data.join("shared"), "").expect("there is room");
    std::fs::set_permissions(&data, Permissions::from_mode(0o755)).expect("it is ours");
    drop(Up::start_with(&data, &["--port", "0"]));
    let found = std::fs::metadata(&data).expect("it is there").permissions();
    assert_eq!(found.mode() & 0o777, 0o755);
}
