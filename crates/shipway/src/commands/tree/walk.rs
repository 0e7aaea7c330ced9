//! What belongs to delivered objects: found by kind in their namespaces, by owner reference.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cluster::catalog::Catalog;
use delivery::health::{self, Health, Status};
use delivery::tree::Leaf;
use k8s_openapi::jiff::Timestamp;
use kinds::Reason;
use kinds::shipment::Failure;
use kube::api::{Api, DynamicObject, ListParams};
use manifest::{GroupKind, ObjectId};
use serde_json::Value;

use crate::commands::target::Target;
use crate::error::CliError;

/// How many objects one list request brings.
const PAGE: u32 = 500;
/// A group and a kind in it.
type Kind = (&'static str, &'static str);

/// Which kinds a controller makes of which. They end at the Pods.
const MAKES: [(Kind, Kind); 9] = [
    (("apps", "Deployment"), ("apps", "ReplicaSet")),
    (("apps", "ReplicaSet"), ("", "Pod")),
    (("apps", "StatefulSet"), ("", "Pod")),
    (("apps", "DaemonSet"), ("", "Pod")),
    (("", "ReplicationController"), ("", "Pod")),
    (("batch", "CronJob"), ("batch", "Job")),
    (("batch", "Job"), ("", "Pod")),
    (("carto.run", "Deliverable"), ("shipway.run", "Shipment")),
    (("argoproj.io", "Rollout"), ("apps", "ReplicaSet")),
];

/// An object and how it is.
pub(super) struct Found {
    pub(super) id: ObjectId,
    pub(super) health: Health,
    /// As it was read, if it could be.
    pub(super) object: Option<Value>,
}

impl Found {
    pub(super) fn live(id: ObjectId, object: Value) -> Self {
        let health = health::health(&object, age(&object));
        Self {
            id,
            health,
            object: Some(object),
        }
    }

    /// When it was created.
    pub(super) fn created(&self) -> Option<Timestamp> {
        created(self.object.as_ref()?)
    }
}

fn created(object: &Value) -> Option<Timestamp> {
    object
        .pointer("/metadata/creationTimestamp")?
        .as_str()?
        .parse()
        .ok()
}

fn age(object: &Value) -> Option<Duration> {
    Timestamp::now()
        .duration_since(created(object)?)
        .try_into()
        .ok()
}

/// Adds what belongs to the objects. Tells what could not be read.
pub(super) async fn children(
    target: &Target,
    catalog: &Catalog,
    found: &mut Vec<Found>,
) -> Result<Vec<String>, CliError> {
    let mut unread = Vec::new();
    let mut known: BTreeSet<String> = found.iter().filter_map(uid).collect();
    let listed: BTreeSet<ObjectId> = found.iter().map(|found| found.id.clone()).collect();
    for (namespace, kinds) in wanted(found) {
        for kind in kinds {
            let Some((api, _)) = catalog.preferred_api(&kind.group, &kind.kind) else {
                continue;
            };
            let api: Api<DynamicObject> =
                Api::namespaced_with(target.client.clone(), &namespace, &api);
            match list(&api).await {
                Ok(objects) => {
                    for object in objects {
                        let child = found_of(&kind, object);
                        let belongs = owners(&child).any(|owner| known.contains(&owner));
                        if belongs && !listed.contains(&child.id) && !is_retired(&child) {
                            known.extend(uid(&child));
                            found.push(child);
                        }
                    }
                }
                Err(kube::Error::Api(status)) if status.code == 403 => {
                    unread.push(format!("you may not list {} in `{namespace}`: what belongs to the objects is not all shown", kind.kind));
                }
                Err(error) => return Err(target.refused(&error)),
            }
        }
    }
    Ok(unread)
}

/// Says of each object that could not be applied why not. Tells the failures of what is not among
/// the objects: what was refused and never came to be, and files.
pub(super) fn blame(found: &mut [Found], failures: &[Failure]) -> Vec<Failure> {
    let mut by_name: BTreeMap<String, &mut Found> = found
        .iter_mut()
        .map(|found| (found.id.to_string(), found))
        .collect();
    let mut absent = Vec::new();
    for failure in failures {
        let object = failure.object.as_ref();
        match object.and_then(|object| by_name.get_mut(object)) {
            // It was read just now, and says more than what was said of it last.
            Some(found) if found.object.is_some() && is_of_health(failure) => {}
            Some(found) => {
                found.health = Health {
                    status: Status::Failed,
                    reason: failure.reason.clone(),
                    message: failure.message.clone(),
                };
            }
            None => absent.push(failure.clone()),
        }
    }
    absent
}

/// Whether a failure says how an object is, rather than what became of its apply.
fn is_of_health(failure: &Failure) -> bool {
    let words = [Reason::Unhealthy, Reason::HealthTimeout];
    words.iter().any(|word| word.as_str() == failure.reason)
}

/// The kinds to list, by namespace, those that make others first.
fn wanted(found: &[Found]) -> BTreeMap<String, Vec<GroupKind>> {
    let mut wanted: BTreeMap<String, Vec<GroupKind>> = BTreeMap::new();
    for found in found.iter().filter(|found| found.object.is_some()) {
        let Some(namespace) = &found.id.namespace else {
            continue;
        };
        let kinds = wanted.entry(namespace.clone()).or_default();
        let mut makers = vec![found.id.group_kind()];
        while let Some(maker) = makers.pop() {
            let made = MAKES.iter().filter(|((group, kind), _)| {
                (*group, *kind) == (maker.group.as_str(), maker.kind.as_str())
            });
            for (_, (group, kind)) in made {
                let kind = GroupKind::new(*group, *kind);
                makers.push(kind.clone());
                kinds.push(kind);
            }
        }
    }
    for kinds in wanted.values_mut() {
        // In the order of the table, which names every maker before what comes of what it makes.
        let order = ["Shipment", "ReplicaSet", "Job", "Pod"];
        kinds.sort_by_key(|kind| order.iter().position(|name| *name == kind.kind));
        kinds.dedup();
    }
    wanted
}

async fn list(api: &Api<DynamicObject>) -> Result<Vec<DynamicObject>, kube::Error> {
    let mut params = ListParams::default().limit(PAGE);
    let mut objects = Vec::new();
    loop {
        let page = api.list(&params).await?;
        let next = page
            .metadata
            .continue_
            .clone()
            .filter(|token| !token.is_empty());
        objects.extend(page.items);
        match next {
            Some(token) => params.continue_token = Some(token),
            None => return Ok(objects),
        }
    }
}

fn found_of(kind: &GroupKind, object: DynamicObject) -> Found {
    let id = ObjectId {
        group: kind.group.clone(),
        kind: kind.kind.clone(),
        namespace: object.metadata.namespace.clone(),
        name: object.metadata.name.clone().unwrap_or_default(),
    };
    let mut value = serde_json::to_value(object).unwrap_or_default();
    // The items of a list do not say their kind, and the rules for health go by it.
    value["kind"] = Value::from(kind.kind.as_str());
    value["apiVersion"] = Value::from(if kind.group.is_empty() {
        "v1".to_owned()
    } else {
        format!("{}/v1", kind.group)
    });
    Found::live(id, value)
}

fn uid(found: &Found) -> Option<String> {
    Some(
        found
            .object
            .as_ref()?
            .pointer("/metadata/uid")?
            .as_str()?
            .to_owned(),
    )
}

fn owners(found: &Found) -> impl Iterator<Item = String> {
    let references = found
        .object
        .as_ref()
        .and_then(|object| object.pointer("/metadata/ownerReferences"));
    let references = references.and_then(Value::as_array).into_iter().flatten();
    references.filter_map(|reference| Some(reference.get("uid")?.as_str()?.to_owned()))
}

/// Whether it is the ReplicaSet of an earlier roll-out, which is kept for a way back only.
fn is_retired(found: &Found) -> bool {
    let count = |pointer| {
        found
            .object
            .as_ref()
            .and_then(|object| object.pointer(pointer)?.as_i64())
    };
    found.id.kind == "ReplicaSet"
        && count("/spec/replicas") == Some(0)
        && count("/status/replicas").unwrap_or(0) == 0
}

/// The objects with the owner that each hangs below.
pub(super) fn leaves(found: &[Found]) -> Vec<Leaf> {
    let by_uid: BTreeMap<String, &ObjectId> = found
        .iter()
        .filter_map(|found| Some((uid(found)?, &found.id)))
        .collect();
    let owner =
        |found: &Found| owners(found).find_map(|uid| by_uid.get(&uid).map(|id| (*id).clone()));
    found.iter().map(|found| found.leaf(owner(found))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(kind: &str, name: &str, uid: &str, owner: &str) -> Found {
        let id = ObjectId {
            group: if kind == "Pod" {
                String::new()
            } else {
                "apps".to_owned()
            },
            kind: kind.to_owned(),
            namespace: Some("shop".to_owned()),
            name: name.to_owned(),
        };
        Found::live(
            id,
            json!({"kind": kind, "metadata": {"uid": uid, "ownerReferences": [{"uid": owner}]}}),
        )
    }

    #[test]
    fn what_could_not_be_applied_is_blamed_and_what_never_was_is_kept_apart() {
        let failure = |object: Option<&str>, message: &str| {
            let mut failure = Failure::new(Reason::Forbidden, message.to_owned());
            failure.object = object.map(str::to_owned);
            failure
        };
        let mut found = [
            found("Deployment", "web", "1", ""),
            found("Pod", "web", "2", "1"),
        ];
        let all = [
            failure(Some("Deployment/shop/web"), "too large"),
            failure(Some("Role/shop/reader"), "not yours"),
            failure(None, "no YAML"),
        ];
        let absent = blame(&mut found, &all);
        assert_eq!(absent, all[1..]);
        let shown =
            found.map(|found| format!("{:?} {}", found.health.status, found.health.message));
        assert_eq!(shown[0], "Failed too large");
        assert!(!shown[1].starts_with("Failed"), "{}", shown[1]);
    }

    #[test]
    fn what_a_deployment_makes_is_looked_for_down_to_the_pods() {
        let kinds = &wanted(&[found("Deployment", "web", "1", "")])["shop"];
        let kinds: Vec<_> = kinds.iter().map(ToString::to_string).collect();
        assert_eq!(kinds, ["ReplicaSet.apps", "Pod"]);
    }

    #[test]
    fn an_object_hangs_below_its_owner_by_uid() {
        let found = [
            found("Deployment", "web", "1", ""),
            found("ReplicaSet", "web", "2", "1"),
            found("Pod", "web", "3", "2"),
        ];
        let owners: Vec<_> = leaves(&found)
            .into_iter()
            .map(|leaf| leaf.owner.map(|id| id.kind))
            .collect();
        assert_eq!(
            owners,
            [
                None,
                Some("Deployment".to_owned()),
                Some("ReplicaSet".to_owned())
            ]
        );
    }
}
