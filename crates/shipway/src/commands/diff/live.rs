//! Git against the cluster, by the API server's own word: a dry run of each apply.

mod pruned;

use std::collections::BTreeSet;

use cluster::apply::{self, ApplyError, Intent};
use cluster::caller::Want;
use cluster::catalog::Catalog;
use cluster::{ApiError, Caller, Owner, Resource};
use controllers::shipment::{ignored, told};
use delivery::prune;
use delivery::{Object, Refused, RefusedReason, Rendering};
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Namespace;
use kinds::Environment;
use kube::core::ApiResource;
use manifest::{Manifest, ObjectId};
use serde_json::Value;

use super::identity::Identity;
use super::show::{Change, Difference, Word};
use super::want::Case;
use crate::commands::target::{AT_ONCE, unable};
use crate::commands::tree::inventory;
use crate::error::CliError;

/// What a comparison found.
pub(super) struct Compared {
    pub(super) differences: Vec<Difference>,
    pub(super) same: usize,
    /// What is to be known beside it.
    pub(super) notes: Vec<String>,
}

struct Stage<'a> {
    case: &'a Case,
    owner: Owner,
    identity: Identity,
    catalog: Catalog,
    /// Namespaces that are not there.
    missing: BTreeSet<String>,
}

pub(super) async fn compare(
    case: &Case,
    rendering: Rendering,
    environment: Option<&Environment>,
) -> Result<Compared, CliError> {
    let catalog = Catalog::new(case.target.client.clone());
    catalog
        .refresh(std::time::Duration::ZERO)
        .await
        .map_err(|error| unable(&error))?;
    let served = |group: &str, version: &str, kind: &str| catalog.served(group, version, kind);
    let complete = rendering.complete();
    let mut settled = delivery::settle(&case.subject(), rendering.manifests.clone(), &served);
    let owner = Owner::shipment(&case.key.namespace, &case.key.name);
    settled
        .objects
        .iter_mut()
        .for_each(|object| owner.mark(&mut object.manifest));
    let missing = missing_namespaces(case, &settled.objects).await?;
    let identity = Identity::find(case).await?;
    let stage = Stage {
        case,
        owner,
        identity,
        catalog,
        missing,
    };
    case.progress.say(format!(
        "asking the API server about {} objects",
        settled.objects.len()
    ));
    let mut notes = vec![stage.identity.note()];
    let (mut differences, same) = stage.compare_all(&settled.objects).await?;
    differences.extend(
        settled
            .problems
            .iter()
            .map(|refused| unplaced(refused, &rendering.manifests, &case.key.namespace)),
    );
    let complete = complete && settled.problems.is_empty();
    let wanted = wanted(&settled.objects, &settled.problems, &case.key.namespace);
    let (pruned, more) = stage.pruned(&wanted, complete, environment).await?;
    differences.extend(pruned);
    notes.extend(more);
    differences.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Compared {
        differences,
        same,
        notes,
    })
}

/// The whole list of a held prune, worked out anew from Git and the inventory. Nothing where that
/// is not the list of this digest: something has moved since, or goes to another Shipment.
pub(super) async fn held(
    case: &Case,
    rendering: Rendering,
    environment: Option<&Environment>,
    digest: &str,
) -> Result<Option<Vec<ObjectId>>, CliError> {
    let catalog = Catalog::new(case.target.client.clone());
    catalog
        .refresh(std::time::Duration::ZERO)
        .await
        .map_err(|error| unable(&error))?;
    let served = |group: &str, version: &str, kind: &str| catalog.served(group, version, kind);
    let settled = delivery::settle(&case.subject(), rendering.manifests, &served);
    let wanted = wanted(&settled.objects, &settled.problems, &case.key.namespace);
    let entries = inventory(&case.target, &case.key.namespace, &case.key.name).await?;
    let protection = pruned::protection(case, environment)?;
    let situation = prune::Situation {
        inventory: &pruned::listed(&entries),
        wanted: &wanted,
        complete: true,
        protection: &protection,
        confirmed: None,
    };
    Ok(prune::list_of(digest, &situation))
}

async fn missing_namespaces(case: &Case, objects: &[Object]) -> Result<BTreeSet<String>, CliError> {
    let named: BTreeSet<String> = objects
        .iter()
        .filter_map(|object| object.id.namespace.clone())
        .collect();
    let api = ApiResource::erase::<Namespace>(&());
    let mut missing = BTreeSet::new();
    for namespace in named {
        match case
            .target
            .caller
            .get(&Resource::object(&api, None, &namespace), Want::Metadata)
            .await
        {
            Err(error) if error.is_not_found() => {
                missing.insert(namespace);
            }
            // Who may not see namespaces learns of a missing one from the dry run.
            Err(error) if !error.is_forbidden() => return Err(unable(&error)),
            _ => {}
        }
    }
    Ok(missing)
}

/// Everything that Git names, as the controller counts it: a kind that is not known may have
/// namespaces or not.
fn wanted(objects: &[Object], refused: &[Refused], namespace: &str) -> BTreeSet<ObjectId> {
    let mut wanted: BTreeSet<ObjectId> = objects.iter().map(|object| object.id.clone()).collect();
    for refused in refused {
        wanted.insert(refused.id.clone());
        if refused.id.namespace.is_none() {
            wanted.insert(ObjectId {
                namespace: Some(namespace.to_owned()),
                ..refused.id.clone()
            });
        }
    }
    wanted
}

fn unplaced(refused: &Refused, manifests: &[Manifest], namespace: &str) -> Difference {
    let is_it = |manifest: &&Manifest| {
        manifest.line == refused.line
            && *manifest.file == *refused.file
            && manifest.name() == refused.id.name
    };
    let value = manifests
        .iter()
        .find(is_it)
        .map(|manifest| manifest.value().clone())
        .unwrap_or_default();
    let id = ObjectId {
        namespace: refused
            .id
            .namespace
            .clone()
            .or_else(|| Some(namespace.to_owned())),
        ..refused.id.clone()
    };
    let word = match refused.reason {
        RefusedReason::KindUnknown => Word::Unchecked(refused.message.clone()),
        _ => Word::Refused(refused.message.clone()),
    };
    Difference::unchecked(id, &value, word)
}

/// An object without what the API server owns in it, and without its status.
fn plain(value: Value) -> Value {
    match Manifest::from_value(value.clone()) {
        Ok(manifest) => manifest.into_value(),
        Err(_) => value,
    }
}

/// What a manifest names of a live object.
fn as_far_as(manifest: &Value, live: &Value) -> Value {
    match (manifest, live) {
        (Value::Object(manifest), Value::Object(live)) => {
            let named = manifest.iter();
            let both = named.filter_map(|(key, value)| Some((key, value, live.get(key)?)));
            let both = both.map(|(key, value, live)| (key.clone(), as_far_as(value, live)));
            Value::Object(both.collect())
        }
        (Value::Array(manifest), Value::Array(live)) if manifest.len() == live.len() => {
            let both = manifest.iter().zip(live);
            Value::Array(both.map(|(one, live)| as_far_as(one, live)).collect())
        }
        _ => live.clone(),
    }
}

impl Stage<'_> {
    /// The objects that differ, and how many do not.
    async fn compare_all(&self, objects: &[Object]) -> Result<(Vec<Difference>, usize), CliError> {
        let asked = futures::stream::iter(objects).map(|object| self.compare(object));
        let asked: Vec<_> = asked.buffered(AT_ONCE).collect().await;
        let (mut differences, mut same) = (Vec::new(), 0);
        for result in asked {
            match result? {
                Some(difference) => differences.push(difference),
                None => same += 1,
            }
        }
        Ok((differences, same))
    }

    async fn compare(&self, object: &Object) -> Result<Option<Difference>, CliError> {
        let id = &object.id;
        let manifest = object.manifest.value();
        let unchecked = |why| Difference::unchecked(id.clone(), manifest, Word::Unchecked(why));
        let api = match self.ground(object) {
            Ok(api) => api,
            Err(why) => return Ok(Some(unchecked(why))),
        };
        let live = match self.live(&api, id).await? {
            Ok(live) => live,
            Err(why) => return Ok(Some(unchecked(why))),
        };
        let intent = Intent {
            object: manifest,
            api: &api,
            ignore: &ignored(&self.case.spec.ignore, object),
            known: true,
            want: Want::Whole,
            release_from: None,
        };
        let word = match apply::dry_run(self.identity.caller(), &self.owner, intent).await {
            Ok(foreseen) => {
                return Ok(Difference::between(
                    id.clone(),
                    &live,
                    &plain(foreseen.object),
                ));
            }
            Err(ApplyError::OwnedBy { owner, .. }) => Word::Refused(format!("owned by `{owner}`")),
            Err(ApplyError::Api(error) | ApplyError::Half(error)) => self.word(id, &error)?,
        };
        // What is there is compared with the manifest alone: of nothing else is known what becomes of it.
        let lines = delivery::diff::diff(&as_far_as(manifest, &live), manifest);
        let change = if live.is_null() {
            Change::Create
        } else {
            Change::Update
        };
        Ok(Some(Difference {
            id: id.clone(),
            change,
            lines,
            word,
        }))
    }

    /// Where an object is served; or what is missing for it to be asked about.
    fn ground(&self, object: &Object) -> Result<ApiResource, String> {
        if let Some(why) = self.identity.missing() {
            return Err(why);
        }
        let namespace = object.id.namespace.as_ref();
        if let Some(namespace) = namespace.filter(|namespace| self.missing.contains(*namespace)) {
            return Err(format!("the namespace `{namespace}` does not exist"));
        }
        let (id, version) = (&object.id, object.manifest.version());
        self.catalog
            .api(&id.group, version, &id.kind)
            .ok_or_else(|| "its definition is not in the cluster yet".to_owned())
    }

    /// What an error of the API server means for one object; an error where it means all of them.
    fn word(&self, id: &ObjectId, error: &ApiError) -> Result<Word, CliError> {
        let message = told(id, error); // which quotes nothing of a Secret
        if error.to_string().contains("does not support dry run") || error.is_not_found() {
            return Ok(Word::Unchecked(message));
        }
        if error.is_forbidden() && !self.identity.is_account() {
            return Ok(Word::Unchecked(message));
        }
        let about_it = error.is_forbidden()
            || error.is_invalid()
            || error.is_admission()
            || error.is_conflict();
        if about_it {
            Ok(Word::Refused(message))
        } else {
            Err(unable(error))
        }
    }

    /// The live object, `null` where there is none; or why it cannot be read.
    async fn live(
        &self,
        api: &ApiResource,
        id: &ObjectId,
    ) -> Result<Result<Value, String>, CliError> {
        match self.read(&self.case.target.caller, api, id).await {
            Err(error) if error.is_forbidden() && self.identity.is_account() => {
                match self.read(self.identity.caller(), api, id).await {
                    Err(error) if error.is_forbidden() => {
                        Ok(Err("neither you nor the account may read it".to_owned()))
                    }
                    read => read
                        .map(|live| Ok(plain(live)))
                        .map_err(|error| unable(&error)),
                }
            }
            Err(error) if error.is_forbidden() => Ok(Err("you may not read it".to_owned())),
            read => read
                .map(|live| Ok(plain(live)))
                .map_err(|error| unable(&error)),
        }
    }

    async fn read(
        &self,
        caller: &Caller,
        api: &ApiResource,
        id: &ObjectId,
    ) -> Result<Value, ApiError> {
        match caller
            .get(
                &Resource::object(api, id.namespace.as_deref(), &id.name),
                Want::Whole,
            )
            .await
        {
            Err(error) if error.is_not_found() => Ok(Value::Null),
            answer => answer?.decode(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_manifest_does_not_name_is_left_out() {
        let manifest = json!({"a": 1, "new": 1, "list": [{"name": "x"}], "longer": [1, 2]});
        let live =
            json!({"a": 2, "status": 3, "list": [{"name": "y", "default": 1}], "longer": [1]});
        assert_eq!(
            as_far_as(&manifest, &live),
            json!({"a": 2, "list": [{"name": "y"}], "longer": [1]})
        );
        assert_eq!(as_far_as(&manifest, &Value::Null), Value::Null);
    }
}
