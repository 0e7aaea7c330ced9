//! The single steps of a walk: an object is submitted or deleted.

use choreography::walk::{Answer, Refused, Submission, Submitted};
use cluster::watch::Filter;
use cluster::{Caller, Owner};
use kinds::cartographer::owner::{CoreReference, ResourceStatus};
use kinds::cartographer::template::Lifecycle;
use kube::core::ApiResource;
use manifest::{GroupKind, ObjectId, fingerprint};
use serde_json::Value;

use super::memory::Known;
use crate::context::Ctx;
use crate::stamping::{self, Change, Run, Stamped, Stamper};

/// How many digits tell two inputs apart.
const DIGITS: usize = 32;
/// Objects beyond this many bytes are read again rather than kept.
const LARGEST_KEPT: usize = 64 * 1024;

/// What all steps of a pass have at hand.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    pub(super) ctx: &'a Ctx,
    /// Acts as the account.
    pub(super) caller: &'a Caller,
    pub(super) owner: &'a Owner,
    pub(super) stamper: &'a Stamper,
    /// How the resources stood.
    pub(super) before: &'a [ResourceStatus],
}

/// What came of a step.
#[derive(Default)]
pub(super) struct Done {
    pub(super) answer: Option<Answer>,
    /// What to remember of a resource.
    pub(super) known: Option<(String, Known)>,
    /// What was done, and to which object.
    pub(super) change: Option<(Change, String)>,
    /// Whether the account was not allowed to do it.
    pub(super) refused: bool,
    /// Whether the kind is not served.
    pub(super) kind_missing: bool,
    /// Whether the kind may not be watched.
    pub(super) is_unwatched: bool,
}

impl<'a> Step<'a> {
    /// Submits an object, unless it was submitted and has not changed since.
    pub(super) async fn submit(self, submission: Submission, known: Option<&'a Known>) -> Done {
        let mark = fingerprint(&submission.object.to_string(), DIGITS);
        let resource = submission.resource.clone();
        if let Some(kept) = known.filter(|kept| kept.mark == mark && self.is_fresh(kept)) {
            return Done {
                answer: Some(Answer::Submitted {
                    resource: resource.clone(),
                    outcome: Ok(kept.submitted.clone()),
                }),
                known: Some((resource, kept.clone())),
                ..Done::default()
            };
        }
        let mut done = Done::default();
        let outcome = self.carry_out(submission, &mut done).await;
        let kept = outcome.as_ref().ok().and_then(|(submitted, objects)| {
            let size = |object: &Value| object.to_string().len();
            let total: usize =
                size(&submitted.object) + submitted.earlier.iter().map(size).sum::<usize>();
            (total <= LARGEST_KEPT).then(|| Known {
                mark,
                objects: objects.clone(),
                submitted: submitted.clone(),
            })
        });
        done.known = kept.map(|kept| (resource.clone(), kept));
        done.refused = matches!(
            &outcome,
            Err(Refused::Rejected {
                is_forbidden: true,
                ..
            })
        );
        let outcome = outcome.map(|(submitted, _)| submitted);
        done.answer = Some(Answer::Submitted { resource, outcome });
        done
    }

    /// Deletes an object of before that is beyond what is kept.
    pub(super) async fn delete(self, object: Value) -> Done {
        let mut object = object;
        if let Ok((api, _)) = self.submission().place(&mut object)
            && let Err(error) = self.submission().unmake(&api, &object).await
        {
            // Whatever stays is found again by the next pass.
            let key = &self.stamper.key;
            tracing::warn!(error = %error, "could not delete an old object of `{key}`");
        }
        Done::default()
    }

    fn is_fresh(self, kept: &Known) -> bool {
        kept.objects.iter().all(|id| {
            let kind = GroupKind::new(&id.group, &id.kind);
            self.ctx.seen.is_fresh(id) && !self.ctx.tracker.is_unwatchable(&kind)
        })
    }

    fn submission(self) -> stamping::Submission<'a> {
        stamping::Submission {
            ctx: self.ctx,
            caller: self.caller,
            owner: self.owner,
            stamper: self.stamper,
        }
    }

    async fn carry_out(
        self,
        submission: Submission,
        done: &mut Done,
    ) -> Result<(Submitted, Vec<ObjectId>), Refused> {
        let Submission {
            resource,
            mut object,
            labels,
            lifecycle,
        } = submission;
        let place = self.submission().place(&mut object);
        let (api, id) = place.map_err(|why| {
            done.kind_missing = true;
            rejected("create", &why, false)
        })?;
        self.ctx.watches.ensure(&api, Filter::Owned);
        let kind = GroupKind::new(&api.group, &api.kind);
        done.is_unwatched = self.ctx.tracker.is_unwatchable(&kind);
        let refused = |refused: stamping::Refused| match refused.doing {
            "list" => Refused::List(refused.why),
            doing => rejected(doing, &refused.why, refused.forbidden),
        };
        let (current, all) = if lifecycle == Lifecycle::Mutable {
            if id.name.is_empty() {
                return Err(rejected("get", "resource name may not be empty", false));
            }
            let before = self.before.iter().find(|entry| entry.name == resource);
            let was_there = before
                .and_then(|entry| entry.stamped_ref.as_ref())
                .is_some_and(|stamped| stamped.name.as_deref() == Some(&id.name));
            let stamped = self
                .submission()
                .replace((api, id), object, was_there)
                .await;
            (stamped.map_err(refused)?, Vec::new())
        } else {
            let labels: Vec<_> = labels.into_iter().collect();
            let Run { current, all } = self
                .submission()
                .make((api, id), object, &labels)
                .await
                .map_err(refused)?;
            (current, all)
        };
        let Stamped {
            id,
            api,
            live,
            change,
        } = current;
        done.change = change.map(|change| (change, format!("{}/{}", resource_of(&api), id.name)));
        let name = |object: &Value| {
            object["metadata"]["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let mut objects = vec![id.clone()];
        let earlier: Vec<Value> = all
            .into_iter()
            .filter(|object| name(object) != id.name)
            .collect();
        objects.extend(earlier.iter().map(|object| ObjectId {
            name: name(object),
            ..id.clone()
        }));
        let submitted = Submitted {
            object: without_managers(live),
            earlier: earlier.into_iter().map(without_managers).collect(),
            reference: CoreReference {
                api_version: Some(api.api_version.clone()),
                kind: Some(api.kind.clone()),
                name: Some(id.name),
                namespace: id.namespace,
                resource: Some(resource_of(&api)),
            },
        };
        Ok((submitted, objects))
    }
}

fn rejected(doing: &str, why: &str, is_forbidden: bool) -> Refused {
    Refused::Rejected {
        is_forbidden,
        why: format!("{doing}: {why}"),
    }
}

fn without_managers(mut object: Value) -> Value {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    object
}

/// A resource as statuses and events name it.
fn resource_of(api: &ApiResource) -> String {
    if api.group.is_empty() {
        api.plural.clone()
    } else {
        format!("{}.{}", api.plural, api.group)
    }
}
