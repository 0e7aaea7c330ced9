//! What all scenarios stand on: the control plane, a Git server over TLS, the hook's key.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use gitserver::{Auth, GitServer, ServerOptions, WorkTree};
use http::{HeaderValue, header};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::DeleteParams;
use kube::{Api, Client, Config};
use serde_json::{Value, json};
use suite::Controller;
use testkit::real::Servers;
use testkit::{World, poll};
use tokio::time::sleep;

use crate::Outcome;
use crate::connection::{AGENT, Connection, Protocol};

/// The Secret with the hook's key, as namespace and name.
const HOOK: (&str, &str) = ("bench-hook", "hook");
const HOOK_KEY: &str = "the-key-of-the-bench";
/// A log that grows by less than this in a second is of a cluster that rests.
const RESTING: u64 = 16 * 1024;

/// The stage.
pub(crate) struct Stage {
    /// The control plane.
    pub(crate) world: World,
    /// How an administrator connects, under our name.
    pub(crate) config: Config,
    /// An administrator's client, for watches and reads.
    pub(crate) client: Client,
    /// An administrator's connection, for writes.
    pub(crate) admin: Connection,
    /// The Git server.
    pub(crate) git: GitServer,
    /// The controller's kubeconfig, with the account and the roles that it has in production.
    identity: PathBuf,
    folder: tempfile::TempDir,
}

/// A repository on the stage's server, and a clone of it.
pub(crate) struct Repository {
    url: String,
    work: WorkTree,
}

impl Stage {
    /// Connects to the control plane that was started for us, and starts the Git server.
    pub(crate) async fn open() -> Outcome<Self> {
        // A second provider cannot be installed; the first one is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let world = World::shared();
        let config = world.state().config(world.cluster()).await;
        let mut config = config.map_err(|error| error.to_string())?;
        let agent = HeaderValue::from_static(AGENT);
        config.headers.push((header::USER_AGENT, agent));
        config.default_retry = false;
        let client = Client::try_from(config.clone()).map_err(|error| error.to_string())?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let served = ServerOptions {
            tls: true,
            ..ServerOptions::new(folder.path().join("served"))
        };
        let git = GitServer::start(served).await;
        suite::install(&world).await;
        let stage = Self {
            admin: Connection::open(&config, Protocol::One)?,
            git: git.map_err(|error| error.to_string())?,
            identity: suite::identity(&world).await,
            world,
            config,
            client,
            folder,
        };
        stage.prepare_hook().await?;
        Ok(stage)
    }

    /// Whether this is the server that Shipway carries along.
    pub(crate) fn is_embedded(&self) -> bool {
        matches!(self.world.state().servers, Servers::Embedded { .. })
    }

    async fn prepare_hook(&self) -> Outcome {
        let (namespace, name) = HOOK;
        self.apply("/api/v1/namespaces", &object("v1", "Namespace", namespace))
            .await?;
        let mut secret = object("v1", "Secret", name);
        secret["stringData"] = json!({"key": HOOK_KEY});
        self.apply(&format!("/api/v1/namespaces/{namespace}/secrets"), &secret)
            .await
    }

    /// Applies an object of a collection as the admin.
    pub(crate) async fn apply(&self, collection: &str, manifest: &Value) -> Outcome {
        let name = manifest["metadata"]["name"].as_str().unwrap_or_default();
        self.admin
            .apply(&format!("{collection}/{name}"), "bench", manifest)
            .await
    }

    /// A namespace with an account `deployer` that may do everything in it, and the Git server's
    /// authority.
    pub(crate) async fn namespace(&self, name: &str) -> Outcome {
        self.apply("/api/v1/namespaces", &object("v1", "Namespace", name))
            .await?;
        let core = format!("/api/v1/namespaces/{name}");
        self.apply(
            &format!("{core}/serviceaccounts"),
            &object("v1", "ServiceAccount", "deployer"),
        )
        .await?;
        let group = "rbac.authorization.k8s.io";
        let mut binding = object(&format!("{group}/v1"), "RoleBinding", "deployer");
        binding["roleRef"] =
            json!({"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"});
        binding["subjects"] =
            json!([{"kind": "ServiceAccount", "name": "deployer", "namespace": name}]);
        self.apply(
            &format!("/apis/{group}/v1/namespaces/{name}/rolebindings"),
            &binding,
        )
        .await?;
        let ca = self.git.ca_pem().unwrap_or_default().as_bytes();
        let ca = base64::engine::general_purpose::STANDARD.encode(ca);
        let mut secret = object("v1", "Secret", "git");
        secret["data"] = json!({"caFile": ca});
        self.apply(&format!("{core}/secrets"), &secret).await
    }

    /// Deletes a namespace and waits until it and what is in it are gone.
    pub(crate) async fn remove_namespace(&self, name: &str) -> Outcome {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        namespaces
            .delete(name, &DeleteParams::background())
            .await
            .map_err(|error| format!("could not delete the namespace `{name}`: {error}"))?;
        poll(Duration::from_mins(10), || async {
            match namespaces.get_opt(name).await {
                Ok(None) => Ok(()),
                Ok(Some(namespace)) => Err(format!("it is there: {:?}", namespace.status)),
                Err(error) => Err(error.to_string()),
            }
        })
        .await
        .map_err(|last| format!("the namespace `{name}` does not go: {last}"))
    }

    /// A new repository, with a clone of it.
    pub(crate) fn repository(&self, name: &str) -> Outcome<Repository> {
        let (url, dir) = (self.git.url(name), self.folder.path().join(name));
        // The server answers on the runtime that we are on.
        let work = tokio::task::block_in_place(|| {
            self.git.create_repository(name)?;
            WorkTree::clone(&url, self.git.ca_pem(), &Auth::None, &dir)
        });
        Ok(Repository {
            url,
            work: work.map_err(|error| error.to_string())?,
        })
    }

    /// Starts a controller with its usual flags, and waits until it works.
    pub(crate) async fn controller(&self) -> Controller {
        let secret = format!("{}/{}", HOOK.0, HOOK.1);
        let more = ["--hook-secret", &secret];
        Controller::start(&self.identity, self.world.cluster(), &more).await
    }

    /// Starts a controller that runs supply chains, and waits until it works.
    pub(crate) async fn full_controller(&self) -> Controller {
        Controller::start_as("full", &self.identity, self.world.cluster()).await
    }

    /// Starts a controller and waits only until it serves HTTP.
    pub(crate) async fn launch(&self) -> Controller {
        let secret = format!("{}/{}", HOOK.0, HOOK.1);
        let more = ["--hook-secret", &secret];
        Controller::launch(&self.identity, self.world.cluster(), &more).await
    }

    /// Tells the controller that a repository was pushed to.
    pub(crate) async fn hook(&self, controller: &Controller, repository: &Repository) -> Outcome {
        let body = json!({"url": repository.url, "ref": "refs/heads/main"}).to_string();
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, HOOK_KEY.as_bytes());
        let tag = ring::hmac::sign(&key, body.as_bytes());
        let hex = tag.as_ref().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}"); // writing to a String cannot fail
            hex
        });
        let signature = format!("sha256={hex}");
        let headers = [("X-Signature", signature.as_str())];
        let (code, text) = controller
            .request("POST", "/hooks/git", &headers, &body)
            .await?;
        if code == 202 {
            Ok(())
        } else {
            Err(format!("the hook answered {code}: {text}"))
        }
    }

    /// Waits until the cluster has nothing to do: what was deleted or created keeps its own
    /// controllers busy for a while, and the next measurement would pay for it.
    pub(crate) async fn rest(&self) -> Outcome {
        let log = self.world.state().clusters[0].audit_log.clone();
        let log = log.ok_or("the control plane was started without --audit")?;
        let size = || std::fs::metadata(&log).map(|file| file.len());
        let mut quiet = 0;
        let mut before = size().map_err(|error| error.to_string())?;
        for _ in 0..180 {
            sleep(Duration::from_secs(1)).await;
            let now = size().map_err(|error| error.to_string())?;
            quiet = if now - before < RESTING { quiet + 1 } else { 0 };
            if quiet == 3 {
                return Ok(());
            }
            before = now;
        }
        Err("the cluster does not come to rest within 3 minutes".to_owned())
    }
}

impl Repository {
    /// A Shipment of a folder.
    pub(crate) fn shipment(&self, namespace: &str, name: &str, path: &str) -> Value {
        let source = json!({"git": {"url": self.url, "secretRef": {"name": "git"}}});
        json!({
            "apiVersion": "shipway.run/v1alpha1", "kind": "Shipment",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"source": source, "path": path, "serviceAccountName": "deployer"},
        })
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &str, text: &str) -> Outcome {
        self.work
            .write(path, text)
            .map_err(|error| error.to_string())
    }

    /// Commits what was written. Blocks its thread, not the runtime.
    pub(crate) fn commit(&self) -> Outcome {
        self.git(|work| work.commit("work").map(drop))
    }

    /// Pushes what was committed, and nothing more.
    pub(crate) fn push(&self) -> Outcome {
        self.git(|work| work.git(&["push", "--quiet", "origin", "main"]).map(drop))
    }

    fn git(&self, work: impl FnOnce(&WorkTree) -> Result<(), gitserver::GitFailed>) -> Outcome {
        tokio::task::block_in_place(|| work(&self.work)).map_err(|error| error.to_string())
    }
}

fn object(version: &str, kind: &str, name: &str) -> Value {
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}})
}
