//! Where a session runs: a namespace on one of the two servers, and a folder with one of the two kubectl.
#![expect(
    clippy::disallowed_methods,
    reason = "sessions are run by a shell, and only the environment says that they are to be recorded"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use suite::Embedded;
use tempfile::TempDir;
use testkit::{Settling, TempNamespace, World};

use super::normal::{NAMESPACE, normal};
use super::script::Script;

/// How long a command may take.
const LONGEST: Duration = Duration::from_mins(1);
/// The kubectl that most sessions tell of has no name; the older one has.
const OLDER: &str = "1.32";

/// Whether what the genuine server says is written down.
pub(super) fn records() -> bool {
    std::env::var_os("SHIPWAY_RECORD").is_some()
}

/// A kubectl.
pub(super) struct Kubectl {
    path: PathBuf,
    /// Its name where what it prints may differ.
    pub(super) variant: Option<&'static str>,
}

impl Kubectl {
    /// All that there are: the older one is built where Go is.
    pub(super) fn all() -> Vec<Self> {
        let world = World::shared();
        let known = world.kubectl();
        let newest = known.canonicalize().expect("kubectl is there");
        let older = known.with_file_name(format!("kubectl-{OLDER}"));
        let mut all = vec![Self {
            path: newest,
            variant: None,
        }];
        if let Ok(path) = older.canonicalize() {
            all.push(Self {
                path,
                variant: Some(OLDER),
            });
        }
        assert!(all.len() == 2 || !records(), "both are needed to record");
        all
    }

    pub(super) fn name(&self) -> &str {
        self.variant.unwrap_or("of the control plane")
    }
}

/// What the namespace lives on.
enum Ground {
    Genuine(TempNamespace, Settling),
    Embedded(Embedded),
}

/// A place for one session.
pub(super) struct Stage {
    folder: TempDir,
    namespace: String,
    ground: Ground,
}

impl Stage {
    pub(super) async fn genuine(kubectl: &Kubectl) -> Self {
        let world = World::shared();
        let namespace = world.temp_namespace("ns").await;
        let name = namespace.name().to_owned();
        assert_eq!(name.len(), NAMESPACE.len(), "tables keep their columns");
        let settling = world.settle(&name).await;
        let output = Command::new(world.kubectl())
            .arg("--kubeconfig")
            .arg(world.kubeconfig())
            .args(["--context", world.cluster()])
            .args("config view --raw --minify -o json".split(' '))
            .output()
            .expect("kubectl runs");
        let config = serde_json::from_slice(&output.stdout).expect("it prints JSON");
        let ground = Ground::Genuine(namespace, settling);
        Self::with(kubectl, config, name, ground).await
    }

    pub(super) async fn embedded(kubectl: &Kubectl) -> Self {
        let server = Embedded::start(Some(Duration::from_millis(100))).await;
        // What the older kubectl asks with --raw has no cluster in its path.
        let cluster = match kubectl.variant {
            None => Embedded::SECOND,
            Some(_) => Embedded::FIRST,
        };
        let config = server.kubeconfig(cluster);
        let ground = Ground::Embedded(server);
        let mut stage = Self::with(kubectl, config.clone(), String::new(), ground).await;
        // As a namespace of the genuine server is made.
        let line = r#"echo '{"apiVersion":"v1","kind":"Namespace","metadata":{"generateName":"ns-"}}' |
            kubectl create -f - -o name"#;
        let (code, said) = stage.shell(line).await;
        assert_eq!(code, Some(0), "{said}");
        let name = said.trim().trim_start_matches("namespace/");
        name.clone_into(&mut stage.namespace);
        stage.point_to(config);
        stage.furnished().await
    }

    async fn with(kubectl: &Kubectl, config: Value, namespace: String, ground: Ground) -> Self {
        let folder = tempfile::tempdir().expect("there is room");
        for name in ["bin", "home", "work"] {
            std::fs::create_dir(folder.path().join(name)).expect("there is room");
        }
        std::os::unix::fs::symlink(&kubectl.path, folder.path().join("bin/kubectl"))
            .expect("there is room");
        let stage = Self {
            folder,
            namespace,
            ground,
        };
        stage.point_to(config);
        match &stage.ground {
            Ground::Genuine(..) => stage.furnished().await,
            Ground::Embedded(_) => stage,
        }
    }

    /// Writes the kubeconfig of the session.
    fn point_to(&self, mut config: Value) {
        config["contexts"][0]["context"]["namespace"] = json!(self.namespace);
        std::fs::write(self.folder.path().join("kubeconfig"), config.to_string())
            .expect("there is room");
    }

    /// Waits for what comes into every namespace by itself.
    async fn furnished(self) -> Self {
        let line = "kubectl wait --for=create serviceaccount/default configmap/kube-root-ca.crt";
        let (code, said) = self.shell(line).await;
        assert_eq!(code, Some(0), "{said}");
        self
    }

    /// What each command of a session prints, without what is different in every run.
    pub(super) async fn run(&self, script: &Script) -> Vec<String> {
        let mut printed = Vec::new();
        for step in &script.steps {
            let (code, said) = self.shell(&step.command).await;
            let mut said = normal(said.trim_end(), &self.namespace);
            match code {
                Some(0) => {}
                Some(code) => {
                    let _ = writeln!(said, "[exit {code}]");
                }
                None => said.push_str("[took too long]\n"),
            }
            printed.push(said);
        }
        printed
    }

    /// Runs a command in a shell; tells how it ended and what it printed.
    async fn shell(&self, command: &str) -> (Option<i32>, String) {
        let at = |name: &str| self.folder.path().join(name);
        let (errors, output) = (at("printed"), at("printed"));
        let file = std::fs::File::create(&output).expect("there is room");
        let copy = file.try_clone().expect("it is open");
        let mut shell = Command::new("bash");
        shell
            .args(["-c", command])
            .current_dir(at("work"))
            .env("PATH", path(&at("bin")))
            .env("KUBECONFIG", at("kubeconfig"))
            .env("HOME", at("home"))
            .env("NS", &self.namespace)
            .env("TZ", "UTC")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(copy);
        let mut shell = tokio::process::Command::from(shell)
            .kill_on_drop(true)
            .spawn()
            .expect("a shell runs");
        let ended = tokio::time::timeout(LONGEST, shell.wait()).await;
        let code = ended.ok().and_then(|status| status.ok()?.code());
        let said = std::fs::read(errors).expect("it was made");
        (code, String::from_utf8_lossy(&said).into_owned())
    }

    /// Ends what was started for the session.
    pub(super) async fn end(self) {
        match self.ground {
            Ground::Embedded(server) => server.stop().await,
            Ground::Genuine(namespace, settling) => drop((settling, namespace)),
        }
    }
}

/// Where programs are looked for: ours first.
fn path(bin: &Path) -> std::ffi::OsString {
    let known = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(bin.to_owned()).chain(std::env::split_paths(&known));
    std::env::join_paths(folders).expect("no folder has a colon")
}
