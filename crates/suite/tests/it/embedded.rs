//! The clusters that the program carries along: the demo on them, `shipway up`, and kubectl.
#![expect(
    clippy::disallowed_methods,
    reason = "the program and kubectl are started as users start them"
)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use suite::program;
use tempfile::TempDir;
use testkit::World;

use crate::bad_stage::measured;

/// How long `up` may take until it says what to try.
const STARTING: Duration = Duration::from_mins(1);

/// A `shipway up` that runs. Dropping it kills it, by `kill -9`.
struct Up {
    child: Child,
    kubeconfig: PathBuf,
    kubectl: PathBuf,
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
            kubectl: World::shared().state().kubectl.clone(),
        }
    }

    fn try_kubectl(&self, line: &str) -> Output {
        Command::new(&self.kubectl)
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

#[test]
fn up_goes_on_where_it_was_killed() {
    let folder = folder();
    let running = Up::start(folder.path());
    running.kubectl("create configmap kept --from-literal=a=b --context run-staging");
    running.kubectl("create namespace shop --context run-qa");
    let (code, said) = ends(folder.path(), &["--port", "0"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("is in use by another server"), "{said}");
    drop(running);

    let again = Up::start(folder.path());
    let kept = again.kubectl("get configmap kept -o jsonpath={.data.a} --context run-staging");
    assert_eq!(kept, "b");
    again.kubectl("get namespace shop --context run-qa");
    let lost = again.refused("get namespace shop --context run-staging");
    assert!(lost.contains("namespaces \"shop\" not found"), "{lost}");
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
}

#[test]
fn kubectl_works_on_clusters_of_our_own() {
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
fn what_the_own_clusters_do_not_do_is_refused() {
    let folder = folder();
    let own = Up::start(folder.path());
    let quota = own.refused("create quota small --hard=pods=2");
    assert!(quota.contains("this server enforces no quotas"), "{quota}");
    let hook = folder.path().join("hook.yaml");
    let text = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: vet}\nwebhooks: []\n";
    std::fs::write(&hook, text).expect("it can be written");
    let refused = own.refused(&format!("apply --server-side -f {}", hook.display()));
    let says = "calls no webhooks and evaluates no policies";
    assert!(refused.contains(says), "{refused}");
    assert_eq!(own.kubectl("get validatingwebhookconfigurations"), "");
}

#[test]
fn up_adds_its_contexts_to_the_kubeconfig_of_the_user() {
    let folder = folder();
    let own = folder.path().join("own");
    let work = "clusters: [{name: work, cluster: {server: https://work.example.com}}]\ncurrent-context: work\n";
    std::fs::write(&own, work).expect("it can be written");
    let flags = ["--port", "0", "--clusters", "blue", "--merge-kubeconfig"];
    let mut up = Up::start_with(folder.path(), &flags);
    up.kubeconfig.clone_from(&own);
    let namespaces = up.kubectl("get namespaces --context blue -o name");
    assert!(namespaces.contains("namespace/default"), "{namespaces}");
    assert_eq!(up.kubectl("config current-context").trim(), "work");
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
}
