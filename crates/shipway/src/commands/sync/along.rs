//! What a Shipment delivers that delivers in its turn: Shipments, and those that Deliverables stamp.
//!
//! A root is ready as soon as its Deliverables are applied, when nothing of them has begun. Whoever
//! waits for it means what they bring as well.

use std::collections::BTreeSet;
use std::fmt::Debug;

use controllers::cartographer;
use kinds::{Deliverable, DeliverableStatus, Shipment};
use kube::Resource;
use kube::api::Api;
use kube::core::NamespaceResourceScope;
use kube::runtime::wait::await_condition;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::{Stands, stands};
use crate::commands::get::short;
use crate::commands::target::{Target, named};
use crate::commands::tree::inventory;
use crate::error::CliError;
use crate::output::{note, print_text};
use crate::progress::Progress;

/// Why a Deliverable has not become a Shipment that may pass without an edit of it.
const PASSING: [&str; 2] = ["ServiceAccountError", "TemplateRejectedByAPIServer"];

/// Waits for everything that a Shipment brings, down to the last. Tells what did not get there.
pub(super) async fn wait(
    target: &Target,
    root: (&str, &str),
    deadline: Instant,
    progress: &Progress,
) -> Vec<CliError> {
    let mut failed = Vec::new();
    let root = (root.0.to_owned(), root.1.to_owned());
    let mut known = BTreeSet::from([root.clone()]);
    let mut due = vec![root];
    while let Some((namespace, name)) = due.pop() {
        let brought = match brought(target, &namespace, &name).await {
            Ok(brought) => {
                let (left, brought) = part(target, brought).await;
                failed.extend(cartographers(target, (&namespace, &name), &left));
                brought
            }
            Err(error) => {
                note(format!(
                    "what Shipment `{namespace}/{name}` delivers is not waited for: {error}"
                ));
                continue;
            }
        };
        for one in brought {
            if !known.insert(one.place.clone()) {
                continue;
            }
            match until_ready(target, &one, deadline, progress).await {
                Ok(revision) => {
                    let (namespace, name) = &one.place;
                    print_text(&format!(
                        "{} in {namespace} is ready at {}\n",
                        named(name),
                        short(&revision)
                    ));
                    due.push(one.place);
                }
                Err(error) => failed.push(error),
            }
        }
    }
    failed
}

/// A Shipment that another one brings.
struct Brought {
    /// Its namespace and name.
    place: (String, String),
    /// Whether a Deliverable of its name and namespace stamps it.
    stamped: bool,
}

async fn brought(target: &Target, namespace: &str, name: &str) -> Result<Vec<Brought>, CliError> {
    let entries = inventory(target, namespace, name).await?;
    let mut brought: Vec<Brought> = entries
        .into_iter()
        .filter_map(|entry| {
            let stamped = match (entry.group.as_str(), entry.kind.as_str()) {
                ("shipway.run", "Shipment") => false,
                ("carto.run", "Deliverable") => true,
                _ => return None,
            };
            let place = (entry.namespace?, entry.name);
            Some(Brought { place, stamped })
        })
        .collect();
    // One that is delivered and stamped is stamped: that waits for both.
    brought.sort_by_key(|one| !one.stamped);
    Ok(brought)
}

/// Parts what nobody will stamp here, since Cartographer's own controller is at work, from all else.
///
/// Who may not read whether it is at work gets to know it when the time is over.
async fn part(target: &Target, brought: Vec<Brought>) -> (Vec<Brought>, Vec<Brought>) {
    let asked = brought.iter().any(|one| one.stamped);
    if !asked
        || !cartographer::is_at_work(&target.caller)
            .await
            .unwrap_or(false)
    {
        return (Vec::new(), brought);
    }
    let (mut left, mut ours) = (Vec::new(), Vec::new());
    for one in brought {
        if one.stamped && !is_stamped(target, &one).await {
            left.push(one);
        } else {
            ours.push(one);
        }
    }
    (left, ours)
}

/// Whether a Deliverable became a Shipment as it is now: before Cartographer came.
async fn is_stamped(target: &Target, one: &Brought) -> bool {
    let (namespace, name) = &one.place;
    let api: Api<Deliverable> = Api::namespaced(target.client.clone(), namespace);
    let found = api.get_opt(name).await.ok().flatten();
    found.is_some_and(|found| cartographer::is_stamped_by_us(&found))
}

/// What is wrong with Deliverables that are left to Cartographer, if there are any.
fn cartographers(
    target: &Target,
    (namespace, name): (&str, &str),
    left: &[Brought],
) -> Option<CliError> {
    if left.is_empty() {
        return None;
    }
    let (deployment, home) = (cartographer::NAME, cartographer::NAMESPACE);
    let names: Vec<String> = left
        .iter()
        .map(|one| format!("`{}/{}`", one.place.0, one.place.1))
        .collect();
    let error = CliError::failed(format!(
        "Deliverables of Shipment `{namespace}/{name}` become no Shipments, since Cartographer is at work here \
         (Deployment `{deployment}` in `{home}`) and they are left to it: {}",
        names.join(", ")
    ));
    let scale = format!("kubectl scale deployment {deployment} -n {home} --replicas=0");
    Some(error.hint(format!(
        "to have Shipway deliver them, `{scale}{}`: half a minute later it takes them over",
        target.flags()
    )))
}

async fn until_ready(
    target: &Target,
    one: &Brought,
    deadline: Instant,
    progress: &Progress,
) -> Result<String, CliError> {
    let (namespace, name) = (one.place.0.as_str(), one.place.1.as_str());
    if one.stamped {
        let describe = format!("kubectl describe deliverable {name} -n {namespace}");
        let deliverable: Place<'_, Deliverable> = Place {
            api: Api::namespaced(target.client.clone(), namespace),
            name,
            what: format!("Deliverable `{namespace}/{name}`"),
            hint: format!("`{describe}{}` shows how it stands", target.flags()),
        };
        deliverable.until(stamping, deadline, progress).await?;
    }
    let get = target.command_in(&format!("get {name}"), namespace);
    let shipment: Place<'_, Shipment> = Place {
        api: Api::namespaced(target.client.clone(), namespace),
        name,
        what: format!("Shipment `{namespace}/{name}`"),
        hint: format!("{get} shows how it stands"),
    };
    shipment.until(stands, deadline, progress).await
}

/// How far a Deliverable is with its Shipment.
fn stamping(deliverable: &Deliverable) -> Stands {
    let status = deliverable.status.clone().unwrap_or_default();
    if status.observed_generation != deliverable.metadata.generation {
        return Stands::Under("waiting for the controller to see it".to_owned());
    }
    match DeliverableStatus::refusal(&status) {
        // An account or a right may be on its way, and comes with the same commit.
        Some(condition) if PASSING.contains(&condition.reason.as_str()) => {
            Stands::Under(condition.message.clone())
        }
        Some(condition) => Stands::Stuck(condition.message.clone()),
        None => Stands::Ready(String::new()),
    }
}

/// An object that is waited for.
struct Place<'a, K> {
    api: Api<K>,
    name: &'a str,
    what: String,
    hint: String,
}

impl<K> Place<'_, K>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + 'static,
{
    /// Waits until it stands, or can get no further; tells at which revision.
    async fn until(
        self,
        stands: impl Fn(&K) -> Stands,
        deadline: Instant,
        progress: &Progress,
    ) -> Result<String, CliError> {
        let what = &self.what;
        let over = |object: Option<&K>| match object.map(&stands) {
            Some(Stands::Under(message)) => {
                progress.say(format!("{what}: {message}"));
                false
            }
            // It may not be stamped yet.
            None => false,
            Some(_) => true,
        };
        let waiting = await_condition(self.api.clone(), self.name, over);
        let failed = |why: String| Err(CliError::failed(why).hint(self.hint.clone()));
        match tokio::time::timeout_at(deadline, waiting).await {
            Ok(Ok(object)) => match object.as_ref().map(&stands) {
                Some(Stands::Ready(revision)) => Ok(revision),
                Some(Stands::Stuck(message) | Stands::Under(message)) => {
                    failed(format!("{what} needs somebody: {message}"))
                }
                None => failed(format!("{what} is gone")),
            },
            Ok(Err(error)) => failed(format!("could not watch {what}: {error}")),
            Err(_) => {
                let message = match self.api.get_opt(self.name).await {
                    Ok(Some(object)) => match stands(&object) {
                        Stands::Under(message) => message,
                        _ => "it is ready by now".to_owned(),
                    },
                    _ => "it is not there".to_owned(),
                };
                failed(format!("{what} is not ready in time: {message}"))
            }
        }
    }
}
