//! The single steps of a walk: a ytt template is evaluated, an object is submitted or deleted.

use std::collections::BTreeMap;

use choreography::walk::{Answer, Refused, Submission, Submitted};
use cluster::watch::Filter;
use cluster::{ApiError, Caller, Owner};
use kinds::cartographer::owner::{CoreReference, ResourceStatus};
use kinds::cartographer::template::Lifecycle;
use manifest::{GroupKind, ObjectId, fingerprint};
use serde_json::{Map, Value, json};

use super::memory::Known;
use crate::context::Ctx;
use crate::stamping::{self, Change, Run, Stamped, Stamper};
use crate::ytt::Request;

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
    /// The objects that are wanted.
    pub(super) objects: Vec<ObjectId>,
    /// What to remember of a resource.
    pub(super) known: Option<(String, Known)>,
    /// What was done, and to which object.
    pub(super) change: Option<(Change, String)>,
    /// An object that was there before and is this owner's now.
    pub(super) adopted: Option<String>,
    /// An object that was deleted.
    pub(super) removed: Option<String>,
    /// An object that should have been deleted, and why it was not.
    pub(super) kept: Option<(String, ApiError)>,
    /// What the end of it depends on, where nothing of the owner's has to change.
    pub(super) waits: Option<Waits>,
    /// Whether the kind may not be watched.
    pub(super) is_unwatched: bool,
}

/// What a failed step waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// The account was not allowed to do it.
    Grant,
    /// The kind is not served.
    Definition,
    /// Nothing tells when it may succeed.
    Time,
}

impl<'a> Step<'a> {
    /// Evaluates a ytt template.
    pub(super) async fn evaluate(
        self,
        resource: String,
        name: String,
        template: String,
        data: Map<String, Value>,
    ) -> Done {
        let request = Request {
            name: &name,
            template: &template,
            data: &data,
        };
        let outcome = self.ctx.ytt.evaluate(request).await;
        let may_pass = outcome.as_ref().is_err_and(|refusal| refusal.may_pass);
        let outcome =
            outcome.map_err(|refusal| format!("unable to apply ytt template: {}", refusal.why));
        Done {
            answer: Some(Answer::Ytt { resource, outcome }),
            waits: may_pass.then_some(Waits::Time),
            ..Done::default()
        }
    }

    /// Submits an object, unless it was submitted and has not changed since.
    pub(super) async fn submit(self, submission: Submission, known: Option<&'a Known>) -> Done {
        let inputs = noted(&submission.inputs);
        let mark = fingerprint(&format!("{}{inputs}", submission.object), DIGITS);
        let resource = submission.resource.clone();
        if let Some(kept) = known.filter(|kept| kept.mark == mark && self.is_fresh(kept)) {
            return Done {
                answer: Some(Answer::Submitted {
                    resource: resource.clone(),
                    outcome: Ok(kept.submitted.clone()),
                }),
                objects: kept.objects.clone(),
                known: Some((resource, kept.clone())),
                ..Done::default()
            };
        }
        let mut done = Done::default();
        let outcome = self.carry_out(submission, &mut done).await;
        if let Ok((_, objects)) = &outcome {
            done.objects.clone_from(objects);
        }
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
        if matches!(
            &outcome,
            Err(Refused::Rejected {
                is_forbidden: true,
                ..
            } | Refused::List {
                is_forbidden: true,
                ..
            })
        ) {
            done.waits = Some(Waits::Grant);
        }
        let outcome = outcome.map(|(submitted, _)| submitted);
        done.answer = Some(Answer::Submitted { resource, outcome });
        done
    }

    /// Deletes an object of before that is beyond what is kept.
    pub(super) async fn delete(self, object: Value) -> Done {
        let (mut object, mut done) = (object, Done::default());
        let Ok((api, id)) = self.submission().place(&mut object) else {
            return done; // the kind is gone, and so are its objects
        };
        let named = format!("{}/{}", stamping::resource_of(&api), id.name);
        match self.submission().unmake(&api, &object).await {
            Ok(true) => done.removed = Some(named),
            Ok(false) => {}
            // It stays until a pass may delete it.
            Err(error) => {
                done.waits = Some(if error.is_forbidden() {
                    Waits::Grant
                } else {
                    Waits::Time
                });
                done.kept = Some((named, error));
            }
        }
        done
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
            resource: _,
            mut object,
            labels,
            lifecycle,
            inputs,
        } = submission;
        let inputs = noted(&inputs);
        let place = self.submission().place(&mut object);
        let (api, id) = place.map_err(|why| {
            done.waits = Some(Waits::Definition);
            rejected("create", &why, false)
        })?;
        self.ctx.watches.ensure(&api, Filter::Used);
        let refused = |refused: stamping::Refused| match refused.doing {
            "list" => Refused::List {
                is_forbidden: refused.forbidden,
                why: refused.why,
            },
            doing => rejected(doing, &refused.why, refused.forbidden),
        };
        let (current, all) = if lifecycle == Lifecycle::Mutable {
            if id.name.is_empty() {
                return Err(rejected("get", "resource name may not be empty", false));
            }
            // Also where another resource stamped it, or that of another chain.
            let before = self
                .before
                .iter()
                .filter_map(|entry| entry.stamped_ref.as_ref());
            let mut named = before.filter(|it| it.name.as_deref() == Some(&id.name));
            let was_there = named.any(|it| it.kind.as_deref() == Some(&id.kind));
            let stamped = self
                .submission()
                .replace((api, id), object, &inputs, was_there)
                .await;
            (stamped.map_err(refused)?, Vec::new())
        } else {
            let labels: Vec<_> = labels.into_iter().collect();
            let Run { current, all } = self
                .submission()
                .make((api, id), object, &inputs, &labels)
                .await
                .map_err(refused)?;
            (current, all)
        };
        let Stamped {
            id,
            api,
            live,
            change,
            adopted,
        } = current;
        let named = format!("{}/{}", stamping::resource_of(&api), id.name);
        done.adopted = adopted.then(|| named.clone());
        done.change = change.map(|change| (change, named));
        let name = |object: &Value| {
            object["metadata"]["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        done.is_unwatched = stamping::watch(self.ctx, &api);
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
                resource: Some(stamping::resource_of(&api)),
            },
        };
        Ok((submitted, objects))
    }
}

/// What went into an object, as its annotation says it; empty where nothing did.
fn noted(inputs: &BTreeMap<String, String>) -> String {
    if inputs.is_empty() {
        return String::new();
    }
    json!(inputs).to_string()
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
