//! One environment of the demo: a namespace of a cluster, and what is seen of it.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use futures::StreamExt as _;
use k8s_openapi::api::events::v1::Event;
use kinds::condition::{self, Condition, kind};
use kinds::{Shipment, ShipmentStatus};
use kube::api::Api;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::super::board::Board;
use super::super::file::BRANCH;
use super::access::marked;
use super::controller::HOOK_KEY;
use crate::error::CliError;

/// How much longer than any other step the first delivery may take: the image is pulled.
const FIRST: u32 = 3;

/// What is seen of an environment.
#[derive(Clone, Debug, Default)]
pub(in crate::demo) struct Seen {
    /// Shipments by name.
    pub(in crate::demo) shipments: BTreeMap<String, Shipment>,
    /// Events: what they are about, the reason and the note.
    pub(in crate::demo) events: Vec<(String, String, String)>,
}

/// One environment.
pub(in crate::demo) struct Env {
    pub(in crate::demo) index: usize,
    /// `qa`, `staging`, `production`.
    pub(in crate::demo) name: &'static str,
    pub(in crate::demo) context: String,
    pub(in crate::demo) namespace: String,
    pub(in crate::demo) client: Client,
    /// How long any one step may take.
    patience: Duration,
    seen: watch::Sender<Seen>,
    watching: Vec<JoinHandle<()>>,
}

impl Env {
    pub(super) fn new(
        index: usize,
        name: &'static str,
        (context, client): (&str, Client),
        patience: Duration,
    ) -> Self {
        Self {
            index,
            name,
            context: context.to_owned(),
            namespace: format!("shipway-demo-{name}"),
            client,
            patience,
            seen: watch::Sender::new(Seen::default()),
            watching: Vec::new(),
        }
    }

    /// What an operator prepares before anything is delivered: the namespace, the account of the
    /// root, and the key of the push events.
    pub(super) fn ground(&self) -> Vec<Value> {
        let ns = &self.namespace;
        let key = base64::engine::general_purpose::STANDARD.encode(HOOK_KEY);
        vec![
            marked(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ns}})),
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "root", "namespace": ns}}),
            marked(json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
                "metadata": {"name": format!("{ns}-root")},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
                "subjects": [{"kind": "ServiceAccount", "name": "root", "namespace": ns}],
            })),
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hook", "namespace": ns}, "data": {"key": key}}),
        ]
    }

    /// The Secret that push events are signed with, as `--hook-secret` takes it.
    pub(super) fn hook_secret(&self) -> String {
        format!("{}/hook", self.namespace)
    }

    /// Everything cluster-wide that comes to be with this environment, by its identity.
    pub(super) fn own(&self) -> Vec<Value> {
        let ns = &self.namespace;
        let binding = |what: &str| json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": format!("{ns}-{what}")}});
        vec![
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ns}}),
            self.environment(),
            binding("root"),
            binding("catalog"),
        ]
    }

    fn environment(&self) -> Value {
        marked(
            json!({"apiVersion": "shipway.run/v1alpha1", "kind": "Environment", "metadata": {"name": self.namespace}}),
        )
    }

    /// The Environment and the root Deliverable: all that anybody applies by hand.
    pub(in crate::demo) fn root(&self, url: &str) -> Vec<Value> {
        let mut environment = self.environment();
        environment["spec"] = json!({
            "namespaces": [self.namespace],
            "selector": {"app.kubernetes.io/part-of": "shop"},
            "overlay": {"git": {"url": url, "ref": {"branch": BRANCH}}, "path": format!("overlays/{}", self.name)},
        });
        let deliverable = json!({
            "apiVersion": "carto.run/v1alpha1", "kind": "Deliverable",
            "metadata": {
                "name": "root", "namespace": self.namespace,
                "labels": {"app.tanzu.vmware.com/deliverable-type": "web"},
            },
            "spec": {
                "serviceAccountName": "root",
                "source": {"git": {"url": url, "ref": {"branch": BRANCH}}, "subPath": self.name},
            },
        });
        vec![environment, deliverable]
    }

    /// Applies an object as the user.
    pub(in crate::demo) async fn apply(&self, object: &Value) -> Result<(), CliError> {
        super::access::apply(&self.client, object).await
    }

    /// Begins to watch Shipments and events.
    pub(super) fn watch(&mut self, board: &Board) {
        let shipments: Api<Shipment> = super::api(self);
        let (seen, board, place) = (self.seen.clone(), board.clone(), (self.index, self.name));
        self.watching.push(tokio::spawn(async move {
            let mut stream = watcher(shipments, watcher::Config::default())
                .default_backoff()
                .applied_objects()
                .boxed();
            while let Some(shipment) = stream.next().await {
                let Ok(shipment) = shipment else { continue };
                board.show(place, &shipment);
                seen.send_modify(|seen| {
                    seen.shipments.insert(shipment.name_any(), shipment);
                });
            }
        }));
        let events: Api<Event> = super::api(self);
        let seen = self.seen.clone();
        self.watching.push(tokio::spawn(async move {
            let mut stream = watcher(events, watcher::Config::default())
                .default_backoff()
                .applied_objects()
                .boxed();
            while let Some(event) = stream.next().await {
                let Ok(event) = event else { continue };
                let about = event
                    .regarding
                    .and_then(|regarding| regarding.name)
                    .unwrap_or_default();
                seen.send_modify(|seen| {
                    seen.events.push((
                        about,
                        event.reason.unwrap_or_default(),
                        event.note.unwrap_or_default(),
                    ));
                });
            }
        }));
    }

    pub(super) fn stop_watching(&mut self) {
        for task in self.watching.drain(..) {
            task.abort();
        }
    }

    /// How a Shipment stands now.
    pub(in crate::demo) fn status(&self, name: &str) -> ShipmentStatus {
        self.seen
            .borrow()
            .shipments
            .get(name)
            .and_then(|shipment| shipment.status.clone())
            .unwrap_or_default()
    }

    /// Waits until what is seen is as wanted. Tells what was found and how long it took since `since`.
    pub(in crate::demo) async fn until<T>(
        &self,
        step: &str,
        since: Instant,
        wanted: impl Fn(&Seen) -> Option<T>,
    ) -> Result<(T, Duration), CliError> {
        self.within(self.patience, step, since, wanted).await
    }

    async fn within<T>(
        &self,
        patience: Duration,
        step: &str,
        since: Instant,
        wanted: impl Fn(&Seen) -> Option<T>,
    ) -> Result<(T, Duration), CliError> {
        let mut changes = self.seen.subscribe();
        let found = async {
            loop {
                if let Some(found) = wanted(&changes.borrow_and_update()) {
                    return Some(found);
                }
                if changes.changed().await.is_err() {
                    return None;
                }
            }
        };
        if let Ok(Some(found)) = tokio::time::timeout(patience, found).await {
            Ok((found, since.elapsed()))
        } else {
            let shop = self.status("shop");
            let ready = condition::find(&shop.conditions, kind::READY);
            let says = ready.map(|ready| format!("\n  Shipment `shop` says: {}", ready.message));
            Err(CliError::failed(format!(
                "this step did not come true within {patience:?}: {}: {step}{}",
                self.name,
                says.unwrap_or_default()
            )))
        }
    }

    /// Waits until a Shipment is ready for the first time.
    pub(in crate::demo) async fn until_first(
        &self,
        step: &str,
        name: &str,
        since: Instant,
    ) -> Result<Duration, CliError> {
        let ready = |seen: &Seen| is_ready(seen.shipments.get(name)?, None).then_some(());
        let found = self.within(self.patience * FIRST, step, since, ready).await;
        found.map(|((), took)| took)
    }

    /// Waits until a Shipment is ready at a commit.
    pub(in crate::demo) async fn until_ready(
        &self,
        step: &str,
        name: &str,
        commit: &str,
        since: Instant,
    ) -> Result<Duration, CliError> {
        let ready = |seen: &Seen| is_ready(seen.shipments.get(name)?, Some(commit)).then_some(());
        self.until(step, since, ready).await.map(|((), took)| took)
    }
}

fn is_ready(shipment: &Shipment, commit: Option<&str>) -> bool {
    let Some(status) = &shipment.status else {
        return false;
    };
    status.observed_generation == shipment.metadata.generation
        && condition::find(&status.conditions, kind::READY).is_some_and(Condition::is_true)
        && commit.is_none_or(|commit| {
            status
                .revision
                .as_deref()
                .unwrap_or_default()
                .ends_with(commit)
        })
}
