//! The clusters of the demo: what is put there, the controllers that work on them, and how all
//! of it is taken away again.
#![expect(
    clippy::disallowed_methods,
    reason = "the demo starts its controllers as programs"
)]

mod access;
mod check;
mod clear;
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
use crate::commands::controller::Profile;
use crate::commands::crds;
use crate::config::ClusterArgs;
use crate::error::CliError;
use crate::output::{ask, note, word};
pub(crate) use access::apply_as;
use access::{apply, find, marked};
use controller::Controller;
pub(super) use controller::Ends;
pub(super) use env::Env;

/// The environments, in the order of promotion.
const ENVIRONMENTS: [&str; 3] = ["qa", "staging", "production"];
/// The definition that the application brings.
const CATALOG: &str = "catalogs.demo.shipway.run";
/// The controller's Lease: namespace and name.
const LEASE: (&str, &str) = ("shipway-system", "shipway-controller");

/// One context of the user's kubeconfig.
struct Context {
    name: String,
    client: Client,
    /// Whether a controller's Lease was there before.
    leased: bool,
}

/// Everything that the demo works on.
pub(super) struct Stage {
    pub(super) environments: Vec<Env>,
    /// The contexts, each once.
    contexts: Vec<Context>,
    kubeconfig: Option<PathBuf>,
    /// The flags that the demo was given.
    flags: ClusterArgs,
    controllers: Vec<Controller>,
    kubelets: Vec<kubelet::Kubelet>,
    /// Whether an earlier demo left something.
    leftovers: bool,
    pub(super) folder: TempDir,
}

impl Stage {
    /// Connects to one context or three; `patience` is how long any one step may take.
    pub(super) async fn connect(
        cluster: &ClusterArgs,
        patience: Duration,
    ) -> Result<Self, CliError> {
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
        let mut contexts: Vec<Context> = Vec::new();
        for name in &names {
            if contexts.iter().all(|known| known.name != *name) {
                contexts.push(Context {
                    name: (*name).to_owned(),
                    client: cluster.in_context(name).connect().await?,
                    leased: false,
                });
            }
        }
        let mut environments = Vec::new();
        for (index, environment) in ENVIRONMENTS.iter().enumerate() {
            let name = names[index.min(names.len() - 1)];
            let context = contexts
                .iter()
                .find(|known| known.name == name)
                .expect("each name was connected");
            let client = context.client.clone();
            environments.push(Env::new(index, environment, (name, client), patience));
        }
        Ok(Self {
            environments,
            contexts,
            kubeconfig: cluster.kubeconfig.clone(),
            flags: cluster.clone(),
            controllers: Vec::new(),
            kubelets: Vec::new(),
            leftovers: false,
            folder: tempfile::tempdir()
                .map_err(|error| CliError::failed(format!("no temporary folder: {error}")))?,
        })
    }

    /// What the demo would make there under names of its own: none of it may be somebody else's.
    fn own(&self, context: &Context) -> Vec<Value> {
        let mut objects = vec![json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": CATALOG},
        })];
        for environment in self.environments_of(context) {
            objects.extend(environment.own());
        }
        objects
    }

    fn environments_of(&self, context: &Context) -> impl Iterator<Item = &Env> {
        self.environments
            .iter()
            .filter(|environment| environment.context == context.name)
    }

    fn namespaces(&self, context: &Context) -> impl Iterator<Item = &str> {
        self.environments_of(context)
            .map(|environment| environment.namespace.as_str())
    }

    /// Whether an earlier demo left something.
    pub(super) fn has_leftovers(&self) -> bool {
        self.leftovers
    }

    /// Says what will be done, and asks.
    pub(super) fn agreed(&self) -> Result<bool, CliError> {
        use std::io::IsTerminal as _;
        if self.leftovers {
            note("An earlier demo was not cleared up here; that is done first.");
        }
        note("The demo creates, and takes away again however it ends:");
        for context in &self.contexts {
            let namespaces: Vec<String> = self
                .namespaces(context)
                .map(|namespace| format!("`{namespace}`"))
                .collect();
            note(format!(
                "  in the context `{}`\n    {} {}, and what is delivered there\n    \
                 Shipway's definitions, roles and delivery, as far as they are missing, and the definition `{CATALOG}`\n    \
                 ClusterRoleBindings whose names begin as those of the namespaces",
                context.name,
                if namespaces.len() == 1 {
                    "the namespace"
                } else {
                    "the namespaces"
                },
                namespaces.join(", "),
            ));
        }
        note("Its Git server and its controllers run on this machine, and only as long.");
        if !std::io::stdin().is_terminal() {
            return Err(
                CliError::failed("there is no terminal to ask on, and nothing was done")
                    .hint("pass --yes to agree beforehand"),
            );
        }
        ask("Go on? [y/N] ")
    }

    /// Installs what controllers need, and the environments' own ground.
    pub(super) async fn install(&mut self, board: &Board) -> Result<(), CliError> {
        board.chapter("The ground");
        for context in &self.contexts {
            let mut there = 0;
            let objects = crds::objects(Profile::Run)?;
            let all = objects.len();
            for object in objects {
                // What the user has is used as it is.
                if find(&context.client, &object).await?.is_some() {
                    there += 1;
                } else {
                    apply(&context.client, &marked(object)).await?;
                }
            }
            access::established(&context.client).await?;
            let delivery = crds::delivery();
            let all = all + delivery.len();
            for object in delivery {
                if find(&context.client, &object).await?.is_some() {
                    there += 1;
                } else {
                    apply(&context.client, &marked(object)).await?;
                }
            }
            let name = &context.name;
            board.seen(&if there == all {
                format!("`{name}`: definitions, roles and the delivery are there already, and stay as they are")
            } else {
                format!("`{name}`: definitions, roles and the delivery are installed (`shipway crds`, `shipway crds --delivery`)")
            });
        }
        for environment in &self.environments {
            for object in environment.ground() {
                apply(&environment.client, &object).await?;
            }
        }
        Ok(())
    }

    /// Starts one controller for each context and waits until they work. One that ends later tells
    /// `ends` its last words.
    pub(super) async fn start_controllers(
        &mut self,
        ends: &Ends,
        board: &Board,
    ) -> Result<(), CliError> {
        for (index, context) in self.contexts.iter().enumerate() {
            let secret = self
                .environments_of(context)
                .next()
                .map(Env::hook_secret)
                .unwrap_or_default();
            // By number: the name of a context may hold whatever a file's name may not.
            let log = self
                .folder
                .path()
                .join(format!("controller-{}.log", index + 1));
            let name = &context.name;
            let controller =
                Controller::start(name, self.kubeconfig.as_deref(), &secret, log, ends.clone())
                    .await?;
            board.seen(&format!(
                "`{name}`: `shipway controller --profile run` works (process {})",
                controller.pid
            ));
            self.controllers.push(controller);
        }
        for environment in &mut self.environments {
            environment.watch(board);
        }
        Ok(())
    }

    /// The contexts where no Pod will ever run.
    pub(super) async fn barren(&self) -> Vec<String> {
        let mut barren = Vec::new();
        for context in &self.contexts {
            if !check::runs_pods(&context.client).await {
                barren.push(context.name.clone());
            }
        }
        barren
    }

    /// What the demo makes, a line for each context.
    pub(super) fn traces(&self) -> Vec<String> {
        let contexts = self.contexts.iter();
        let all = contexts.map(|context| {
            let namespaces = self.namespaces(context).map(|name| format!("`{name}`"));
            let namespaces: Vec<String> = namespaces.collect();
            format!(
                "in the context `{}`: the namespaces {}, definitions, roles and the delivery",
                context.name,
                namespaces.join(", ")
            )
        });
        all.collect()
    }

    /// Writes the status of Pods where there are no nodes.
    pub(super) fn simulate_kubelets(&mut self) {
        self.kubelets = self
            .environments
            .iter()
            .map(|e| kubelet::play(&e.client, &e.namespace))
            .collect();
    }

    /// The flags for a command that works on an environment, as they can be pasted.
    pub(super) fn flags_for(&self, environment: &Env) -> String {
        let flags = ClusterArgs {
            namespace: Some(environment.namespace.clone()),
            ..self.flags.in_context(&environment.context)
        };
        flags.flags()
    }

    /// The flags with which kubectl finds a context's cluster.
    fn place(&self, context: &Context) -> String {
        self.flags.in_context(&context.name).place()
    }

    /// The command that shows the same demo again.
    pub(super) fn again(&self) -> String {
        format!("`shipway demo{}`", self.flags.place())
    }

    /// Says what to try after a demo that has taken everything away.
    pub(super) fn what_next(own: bool, board: &Board) {
        board.chapter("What to try next:");
        board.line(
            "  the same with --keep: everything stays until Ctrl-C, and you are told where it is",
        );
        if own {
            board.line("  shipway up: clusters like these for you, until Ctrl-C");
        }
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

    /// Says what to try while it runs.
    pub(super) fn farewell(&self, repositories: Option<&Repositories>, board: &Board) {
        board.chapter("Everything is left running. What to try:");
        if let Some(kubeconfig) = &self.kubeconfig {
            let kubeconfig = word(&kubeconfig.display().to_string());
            board.line(&format!("  export KUBECONFIG={kubeconfig}"));
        }
        let qa = &self.environments[0];
        let context = word(&qa.context);
        let place = format!("-n {} --context {context}", qa.namespace);
        board.line(&format!("  shipway get -A --context {context}"));
        board.line(&format!("  shipway tree shop {place}"));
        board.line(&format!("  kubectl describe shipment shop {place}"));
        if let Some(repositories) = repositories {
            board.line(&format!("  git clone {}", repositories.app_url()));
            board.line(&format!("  git clone {}", repositories.deliverables_url()));
        }
        let logs = self.folder.path().join("controller-1.log");
        board.line(&format!("  tail -f {}", logs.display()));
        board.line("Ctrl-C ends it and takes everything away.");
    }
}

/// An object as messages name it.
fn named(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let (kind, name) = (text("/kind"), text("/metadata/name"));
    let name = name.unwrap_or_default();
    match text("/metadata/namespace") {
        Some(namespace) => format!("{} `{namespace}/{name}`", kind.unwrap_or_default()),
        None => format!("{} `{name}`", kind.unwrap_or_default()),
    }
}

/// A typed interface to an environment's namespace.
pub(super) fn api<K>(environment: &Env) -> Api<K>
where
    K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>,
{
    Api::namespaced(environment.client.clone(), &environment.namespace)
}
