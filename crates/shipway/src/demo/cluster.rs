//! The clusters of the demo: what is put there, the controllers that work on them, and how all
//! of it is taken away again.
#![expect(
    clippy::disallowed_methods,
    reason = "the demo starts its controllers as programs"
)]

mod access;
mod controller;
mod env;

use std::path::PathBuf;
use std::time::Duration;

use kube::Client;
use kube::api::Api;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::board::Board;
use super::repository::Repositories;
use crate::commands::crds;
use crate::config::ClusterArgs;
use crate::error::CliError;
use crate::output::print_text;
use access::{apply, delete, exists};
use controller::Controller;
pub(super) use env::Env;

/// The environments, in the order of promotion.
const ENVIRONMENTS: [&str; 3] = ["qa", "staging", "production"];
/// How long clearing one thing up may take.
const CLEARING: Duration = Duration::from_mins(1);

/// Everything that the demo works on.
pub(super) struct Stage {
    pub(super) environments: Vec<Env>,
    /// The contexts, each once.
    contexts: Vec<(String, Client)>,
    kubeconfig: Option<PathBuf>,
    controllers: Vec<Controller>,
    kubelets: Vec<kubelet::Kubelet>,
    /// What the demo itself installed: the context and the object.
    installed: Vec<(Client, Value)>,
    pub(super) folder: TempDir,
}

impl Stage {
    /// Connects to one context or three.
    pub(super) async fn connect(cluster: &ClusterArgs) -> Result<Self, CliError> {
        let names = cluster.context.clone().unwrap_or_default();
        let names: Vec<&str> = names
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        if names.len() != 1 && names.len() != ENVIRONMENTS.len() {
            return Err(CliError::usage(
                "--context takes one context, or three for QA, staging and production",
            )
            .hint("`kubectl config get-contexts` lists what there is"));
        }
        let mut contexts: Vec<(String, Client)> = Vec::new();
        for name in &names {
            if contexts.iter().all(|(known, _)| known != name) {
                let one = ClusterArgs {
                    context: Some((*name).to_owned()),
                    namespace: None,
                    ..cluster.clone()
                };
                contexts.push(((*name).to_owned(), one.connect().await?));
            }
        }
        let mut environments = Vec::new();
        for (index, environment) in ENVIRONMENTS.iter().enumerate() {
            let name = names[index.min(names.len() - 1)];
            let (context, client) = contexts
                .iter()
                .find(|(known, _)| known == name)
                .expect("each name was connected");
            environments.push(Env::new(index, environment, context, client.clone()));
        }
        Ok(Self {
            environments,
            contexts,
            kubeconfig: cluster.kubeconfig.clone(),
            controllers: Vec::new(),
            kubelets: Vec::new(),
            installed: Vec::new(),
            folder: tempfile::tempdir()
                .map_err(|error| CliError::failed(format!("no temporary folder: {error}")))?,
        })
    }

    /// Makes sure that nothing of the user's is in the way.
    pub(super) async fn check_free(&self) -> Result<(), CliError> {
        for environment in &self.environments {
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": environment.namespace}});
            if exists(&environment.client, &namespace).await? {
                let why = format!(
                    "the namespace `{}` exists in the context `{}`",
                    environment.namespace, environment.context
                );
                return Err(CliError::failed(why)
                    .hint("an earlier demo may still be clearing up; else delete it yourself"));
            }
        }
        for (context, client) in &self.contexts {
            if let Some(holder) = access::lease_holder(client).await? {
                return Err(CliError::failed(format!(
                    "a controller (`{holder}`) is at work in the context `{context}`"
                ))
                .hint(
                    "the demo brings its own controllers; stop that one, or try another cluster",
                ));
            }
        }
        Ok(())
    }

    /// Says what will be done, and asks.
    pub(super) fn agreed(&self) -> Result<bool, CliError> {
        use std::io::{BufRead as _, IsTerminal as _};
        print_text("This creates and takes away again:\n");
        for environment in &self.environments {
            let (context, namespace) = (&environment.context, &environment.namespace);
            print_text(&format!(
                "  in the context `{context}`: the namespace `{namespace}` and what is delivered to it\n"
            ));
        }
        for (context, _) in &self.contexts {
            print_text(&format!(
                "  in the context `{context}`: Shipway's definitions, its roles and the definition \
                 `catalogs.demo.shipway.run`\n"
            ));
        }
        if !std::io::stdin().is_terminal() {
            return Err(
                CliError::failed("there is nobody to ask").hint("pass --yes to agree beforehand")
            );
        }
        print_text("Go on? [y/N] ");
        let mut answer = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut answer)
            .map_err(CliError::failed)?;
        Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
    }

    /// Installs what controllers need, and the environments' own ground.
    pub(super) async fn install(&mut self, board: &Board) -> Result<(), CliError> {
        board.chapter("The ground");
        let contexts = self.contexts.clone();
        for (context, client) in &contexts {
            for object in crds::objects()? {
                self.put(client, object).await?;
            }
            access::established(client).await?;
            board.seen(&format!("`{context}`: definitions and roles are installed (`shipway crds | kubectl apply --server-side -f -`)"));
        }
        for index in 0..self.environments.len() {
            let client = self.environments[index].client.clone();
            for object in self.environments[index].ground() {
                self.put(&client, object).await?;
            }
        }
        Ok(())
    }

    async fn put(&mut self, client: &Client, object: Value) -> Result<(), CliError> {
        if !exists(client, &object).await? {
            self.installed.push((client.clone(), object.clone()));
        }
        apply(client, &object).await
    }

    /// Starts one controller for each context and waits until they work.
    pub(super) async fn start_controllers(&mut self, board: &Board) -> Result<(), CliError> {
        for (context, _) in &self.contexts {
            let secret = self
                .environments
                .iter()
                .find(|e| e.context == *context)
                .map(Env::hook_secret)
                .unwrap_or_default();
            let controller = Controller::start(
                context,
                self.kubeconfig.as_deref(),
                &secret,
                self.folder.path(),
            )
            .await?;
            board.seen(&format!(
                "`{context}`: `shipway controller --profile run` works (process {})",
                controller.pid
            ));
            self.controllers.push(controller);
        }
        for environment in &mut self.environments {
            environment.watch(board);
        }
        Ok(())
    }

    /// Writes the status of Pods where there are no nodes.
    pub(super) fn simulate_kubelets(&mut self) {
        self.kubelets = self
            .environments
            .iter()
            .map(|e| kubelet::play(&e.client, &e.namespace))
            .collect();
    }

    /// The user's kubeconfig, where one was named.
    pub(super) fn kubeconfig(&self) -> Option<&std::path::Path> {
        self.kubeconfig.as_deref()
    }

    /// Tells all controllers of a push, as a Git server's hook would.
    pub(super) async fn pushed(&self, url: &str) -> Result<(), CliError> {
        for controller in &self.controllers {
            controller.pushed(url).await?;
        }
        Ok(())
    }

    /// The namespace whose Deliverable brings the definition to an environment's cluster.
    pub(super) fn catalog_namespace(&self, environment: &Env) -> String {
        let first = self
            .environments
            .iter()
            .find(|other| other.context == environment.context);
        first.map_or_else(
            || environment.namespace.clone(),
            |first| first.namespace.clone(),
        )
    }

    /// Says what to try next.
    pub(super) fn farewell(&self, repositories: &Repositories, board: &Board) {
        board.chapter("All of it came true. What to try next, while it runs (`--keep`)");
        if let Some(kubeconfig) = &self.kubeconfig {
            board.line(&format!("  export KUBECONFIG={}", kubeconfig.display()));
        }
        let qa = &self.environments[0];
        board.line(&format!("  shipway get -A --context {}", qa.context));
        board.line(&format!(
            "  shipway tree shop -n {} --context {}",
            qa.namespace, qa.context
        ));
        board.line(&format!(
            "  kubectl describe shipment shop -n {} --context {}",
            qa.namespace, qa.context
        ));
        board.line(&format!(
            "  the application's repository:  git clone {}",
            repositories.app_url()
        ));
        board.line(&format!(
            "  the deliverables repository:   git clone {}",
            repositories.deliverables_url()
        ));
    }

    /// Takes everything away again, as far as it goes within bounded time.
    pub(super) async fn clear(&mut self) {
        for environment in &mut self.environments {
            environment.stop_watching();
        }
        let roots: Vec<(Client, Value)> = self
            .environments
            .iter()
            .map(|e| (e.client.clone(), e.environment()))
            .collect();
        for (client, object) in roots {
            let _ = delete(&client, &object, Duration::ZERO).await;
        }
        // Namespaces first, while the controllers still let go of what is inside.
        let installed = std::mem::take(&mut self.installed);
        let is_namespace = |object: &Value| {
            object["kind"] == "Namespace" && object["metadata"]["name"] != "shipway-system"
        };
        for (client, object) in installed.iter().filter(|(_, object)| is_namespace(object)) {
            let _ = delete(client, object, Duration::ZERO).await;
        }
        for (client, object) in installed.iter().filter(|(_, object)| is_namespace(object)) {
            let _ = delete(client, object, CLEARING).await;
        }
        for (_, client) in &self.contexts {
            let definition = json!({
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": {"name": "catalogs.demo.shipway.run"}
            });
            let _ = delete(client, &definition, Duration::ZERO).await;
        }
        self.kubelets.clear();
        for controller in self.controllers.drain(..) {
            controller.stop().await;
        }
        for (client, object) in installed
            .iter()
            .rev()
            .filter(|(_, object)| !is_namespace(object))
        {
            let _ = delete(client, object, Duration::ZERO).await;
        }
    }
}

/// A typed interface to an environment's namespace.
pub(super) fn api<K>(environment: &Env) -> Api<K>
where
    K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>,
{
    Api::namespaced(environment.client.clone(), &environment.namespace)
}
