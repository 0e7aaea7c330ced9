//! What the scenarios about bad input share: the good neighbour that must not notice, and the
//! words that a bad Shipment's status must have.

use gitserver::{Auth, GitServer, ServerOptions, WorkTree};
use k8s_openapi::api::core::v1::ConfigMap;
use kinds::ShipmentStatus;
use kinds::condition::{self, Condition, kind};
use serde_json::{Value, json};
use suite::Scene;
use tokio::sync::{Mutex, MutexGuard};

/// Scenarios that stop the API server or start a controller have the cluster `lonely` in turn.
pub(crate) async fn alone() -> MutexGuard<'static, ()> {
    static LONELY: Mutex<()> = Mutex::const_new(());
    LONELY.lock().await
}

/// A ConfigMap of one value, as YAML.
pub(crate) fn config_map(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  value: \"{value}\"\n"
    )
}

/// A Git server of a scenario's own, with one repository `app` and a clone of it.
pub(crate) struct Server {
    pub(crate) git: GitServer,
    pub(crate) work: WorkTree,
    pub(crate) folder: tempfile::TempDir,
}

impl Server {
    pub(crate) async fn start(change: impl FnOnce(&mut ServerOptions)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut options = ServerOptions::new(folder.path().join("served"));
        change(&mut options);
        let auth = options.auth.clone();
        let git = GitServer::start(options)
            .await
            .expect("the Git server starts");
        let work = clone(&git, "app", &auth, &folder.path().join("work"));
        Self { git, work, folder }
    }

    /// Over TLS, for the user `ada` with this password alone.
    pub(crate) async fn locked(password: &str) -> Self {
        Self::start(|options| {
            options.tls = true;
            options.auth = Auth::Basic {
                username: "ada".to_owned(),
                password: password.to_owned(),
            };
        })
        .await
    }

    /// The authority of one that speaks TLS.
    pub(crate) fn ca(&self) -> String {
        self.git.ca_pem().expect("it speaks TLS").to_owned()
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        self.work
            .write(path, text)
            .expect("the file can be written");
    }

    pub(crate) fn push(&self) -> String {
        tokio::task::block_in_place(|| self.work.push()).expect("the push goes through")
    }

    pub(crate) fn url(&self) -> String {
        self.git.url("app")
    }
}

fn clone(git: &GitServer, name: &str, auth: &Auth, dir: &std::path::Path) -> WorkTree {
    tokio::task::block_in_place(|| {
        git.create_repository(&format!("{name}.git"))
            .expect("the repository can be made");
        WorkTree::clone(&git.url(name), git.ca_pem(), auth, dir)
    })
    .expect("the repository can be cloned")
}

/// A Shipment of a repository that needs no credentials.
pub(crate) fn shipment(scene: &Scene, name: &str, url: &str, path: &str) -> Value {
    json!({
        "apiVersion": "shipway.run/v1alpha1", "kind": "Shipment",
        "metadata": {"name": name, "namespace": scene.ns()},
        "spec": {
            "source": {"git": {"url": url}}, "path": path,
            "serviceAccountName": "deployer", "interval": "1s",
        },
    })
}

/// The same Shipment at another revision.
pub(crate) fn with_ref(mut shipment: Value, reference: Value) -> Value {
    shipment["spec"]["source"]["git"]["ref"] = reference;
    shipment
}

/// The same Shipment with the credentials of a Secret.
pub(crate) fn with_secret(mut shipment: Value, name: &str) -> Value {
    shipment["spec"]["source"]["git"]["secretRef"] = json!({"name": name});
    shipment
}

/// Pushes what was written, and delivers a folder of it as the Shipment `web`; tells the commit.
pub(crate) async fn deliver(scene: &Scene, path: &str) -> String {
    let commit = scene.push().await;
    scene.apply(&scene.shipment("web", path)).await;
    commit
}

/// A Secret with the password of the user `ada`, and the authority of the server.
pub(crate) fn login(scene: &Scene, name: &str, ca: &str, password: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/basic-auth",
        "metadata": {"name": name, "namespace": scene.ns()},
        "stringData": {"username": "ada", "password": password, "caFile": ca},
    })
}

/// A second, good Shipment in the same namespace, from another Git server.
pub(crate) struct Neighbour {
    server: Server,
}

impl Neighbour {
    pub(crate) async fn moves_in(scene: &Scene) -> Self {
        let server = Server::start(|_| {}).await;
        server.write("good.yaml", config_map("neighbour", "0"));
        server.push();
        scene
            .apply(&shipment(scene, "good", &server.url(), ""))
            .await;
        scene.until_ready("good", None).await;
        Self { server }
    }

    /// It is delivered what is pushed now, whatever happens to the other one.
    pub(crate) async fn goes_on(&self, scene: &Scene) {
        let commit = self.server.push();
        self.server
            .write("good.yaml", config_map("neighbour", &commit));
        let commit_now = self.server.push();
        scene.until_ready("good", Some(&commit_now)).await;
        until_value(scene, "neighbour", &commit).await;
    }
}

/// Waits until a ConfigMap has a value.
pub(crate) async fn until_value(scene: &Scene, name: &str, value: &str) {
    let what = format!("`{name}` with `{value}`");
    scene
        .until_object::<ConfigMap>(name, &what, |found| value_of(found) == Some(value))
        .await;
}

pub(crate) fn value_of(found: Option<&ConfigMap>) -> Option<&str> {
    Some(found?.data.as_ref()?.get("value")?.as_str())
}

/// What a ConfigMap holds now.
pub(crate) async fn value(scene: &Scene, name: &str) -> Option<String> {
    let found = scene.find::<ConfigMap>(name).await;
    value_of(found.as_ref()).map(str::to_owned)
}

/// Waits until a Shipment is not ready, for this reason and in these words.
pub(crate) async fn until_says(
    scene: &Scene,
    name: &str,
    reason: &str,
    words: &[&str],
) -> ShipmentStatus {
    let what = format!("says {reason} with {words:?}");
    let status = scene
        .until(name, &what, |status| {
            condition::find(&status.conditions, kind::READY).is_some_and(|ready| {
                ready.reason == reason && words.iter().all(|word| ready.message.contains(word))
            })
        })
        .await;
    let ready = condition::find(&status.conditions, kind::READY);
    assert!(!ready.is_some_and(Condition::is_true), "{status:?}");
    status
}

/// Waits until a Shipment lists a failure of this reason whose object, place and message together
/// have these words.
pub(crate) async fn until_fails(
    scene: &Scene,
    name: &str,
    reason: &str,
    words: &[&str],
) -> ShipmentStatus {
    let what = format!("lists {reason} with {words:?}");
    scene
        .until(name, &what, |status| {
            status.failures.iter().any(|failure| {
                let text = format!(
                    "{} {} {}",
                    failure.object.as_deref().unwrap_or_default(),
                    failure.at.as_deref().unwrap_or_default(),
                    failure.message
                );
                failure.reason == reason && words.iter().all(|word| text.contains(word))
            })
        })
        .await
}

/// Says what was measured, for whoever runs the scenarios with `--show-output`.
#[expect(
    clippy::print_stdout,
    reason = "a scenario has no other place to say it"
)]
pub(crate) fn measured(text: &str) {
    println!("measured: {text}");
}
