//! `Workload` and `Deliverable`: one algorithm with other nouns.
//!
//! A pass selects the blueprint, walks its resources, and says in the status how they stand. What is decided,
//! is decided in the crate `choreography`; here is what touches the cluster.

mod kind;
mod memory;
mod orphan;
mod resource;
mod tell;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use choreography::condition::{Conditions, FALSE, TRUE, condition};
use choreography::owner::Owner as Subject;
use choreography::{graph, selection, standing};
use cluster::{Owner, status};
use k8s_openapi::jiff::Timestamp;
use kinds::cartographer::blueprint::Blueprint;
use kinds::cartographer::condition_type::RESOURCES_SUBMITTED;
use kinds::cartographer::owner::ObjectReference;
use kinds::cartographer::reason::Reason;
use kinds::condition::{find, kind::READY};
use kinds::{BlueprintSpec, Condition};
use kube::core::ApiResource;
use kube::runtime::controller::Action;
use serde_json::Value;

use crate::board::Key;
use crate::context::Ctx;
use crate::stamping::{Stamper, Uses};
pub(crate) use kind::{Kind, Nouns};
pub use memory::Memories;
use memory::Memory;
use walk::Walked;

/// How long an owner rests whose status could not be written.
const AFTER_FAILURE: Duration = Duration::from_secs(2);
/// The longest rest after failures that may pass.
const LONGEST_REST: Duration = Duration::from_mins(1);

/// One pass over one owner.
pub(crate) async fn reconcile<K: Kind>(object: Arc<K>, ctx: Arc<Ctx>) -> Action {
    let meta = object.meta();
    let key = Key::new(
        meta.namespace.clone().unwrap_or_default(),
        meta.name.clone().unwrap_or_default(),
    );
    let stamper = Stamper {
        kind: K::STAMPER,
        key,
    };
    if meta.deletion_timestamp.is_some() {
        return Action::await_change(); // the garbage collector takes what was stamped
    }
    let mut pass = Pass {
        ctx: &ctx,
        object: &*object,
        subject: Subject::new(
            K::NOUNS.kind,
            serde_json::to_value(&*object).expect("an object is plain data"),
        ),
        owner: Owner::new(K::NOUNS.manager, &stamper.key.namespace, &stamper.key.name),
        memory: ctx.memories.take(&stamper),
        stamper,
        uses: Uses::default(),
        now: Timestamp::now(),
    };
    let since = ctx.uses.now();
    let ended = pass.run().await;
    let Pass { mut memory, stamper, uses, .. } = pass;
    let rest = rest(&mut memory, &ended);
    ctx.memories.put(&stamper, memory);
    // What it stands on may have changed before anybody could know that it does.
    if ctx.uses.put(&stamper, uses, since) {
        return Action::requeue(Duration::ZERO);
    }
    let look = ended.is_unwatched.then_some(ctx.look);
    match rest.into_iter().chain(look).min() {
        Some(rest) => Action::requeue(rest),
        None => Action::await_change(),
    }
}

/// Drops what is kept for one that is gone.
pub(crate) fn forget(ctx: &Ctx, stamper: &Stamper) {
    ctx.memories.forget(stamper);
    ctx.uses.forget(stamper);
    ctx.seen.forget_all(stamper);
}

fn rest(memory: &mut Memory, ended: &Ended) -> Option<Duration> {
    if ended.status_failed {
        return Some(AFTER_FAILURE);
    }
    if !ended.may_pass {
        memory.failures = 0;
        return None;
    }
    memory.failures = memory.failures.saturating_add(1);
    let rest = Duration::from_secs(1 << memory.failures.min(6));
    Some(rest.min(LONGEST_REST))
}

/// How a pass ended.
#[derive(Clone, Copy, Debug, Default)]
struct Ended {
    /// Whether something failed that may succeed without anybody doing anything.
    may_pass: bool,
    /// Whether the status could not be written.
    status_failed: bool,
    /// Whether a stamped kind may not be watched, and has to be looked at.
    is_unwatched: bool,
}

/// One pass.
struct Pass<'a, K: Kind> {
    ctx: &'a Ctx,
    object: &'a K,
    subject: Subject,
    owner: Owner,
    stamper: Stamper,
    memory: Memory,
    uses: Uses,
    now: Timestamp,
}

impl<K: Kind> Pass<'_, K> {
    async fn run(&mut self) -> Ended {
        let before = self.object.standing();
        let mut next = before.clone();
        next.observed_generation = self.object.meta().generation;
        next.blueprint = None;
        let mut conditions = Conditions::default();
        let blueprints = K::blueprints(self.ctx).all();
        let chosen = selection::blueprint(blueprints.iter().map(|one| &**one), &self.subject);
        let mut ended = Ended::default();
        let mut walked = None;
        match chosen {
            Err(why) => {
                let reason = why.reason().as_str();
                conditions.add(condition(K::NOUNS.ready, FALSE, reason, why.to_string()));
            }
            Ok(blueprint) => {
                let kind = K::Blueprint::KIND;
                self.uses.parts.insert((kind, blueprint.name().to_owned()));
                next.blueprint = Some(ObjectReference {
                    kind: Some(kind.to_owned()),
                    name: Some(blueprint.name().to_owned()),
                    ..ObjectReference::default()
                });
                let Some(ready) = standing_of(blueprint) else {
                    return ended; // nobody has looked at it yet; then we hear of it
                };
                conditions.add(Condition {
                    kind: K::NOUNS.ready.to_owned(),
                    ..ready.clone()
                });
                if ready.is_true() {
                    walked = self.submit(blueprint, &mut conditions).await;
                }
            }
        }
        if let Some(walked) = &walked {
            conditions.add(standing::resources_submitted(&walked.standings));
            let resources = walked.standings.iter().map(|standing| &standing.status);
            conditions.add(standing::resources_healthy(resources));
            next.resources = walked
                .standings
                .iter()
                .map(|standing| standing.status.clone())
                .collect();
            next.resources.extend(walked.orphans.iter().cloned());
            ended.may_pass = walked.may_pass;
            ended.is_unwatched = walked.is_unwatched;
        }
        next.conditions = conditions.finish(READY, &before.conditions, self.now);
        let (known, next) = (before.status(&K::NOUNS), next.status(&K::NOUNS));
        match self.write(&known, &next).await {
            Ok(()) => self.tell(walked.as_ref()),
            Err(error) => {
                let kind = K::kind(&());
                tracing::warn!(error = %error, "could not write the status of {kind} `{}`", self.stamper.key);
                ended.status_failed = true;
            }
        }
        ended
    }

    /// Walks the resources as the account that the owner, or its blueprint, names.
    async fn submit(
        &mut self,
        blueprint: &K::Blueprint,
        conditions: &mut Conditions,
    ) -> Option<Walked> {
        let (namespace, account) = self.account(blueprint.blueprint());
        self.uses.account = Some((namespace.clone(), account.clone()));
        let refuse = |why: String| {
            let reason = Reason::ServiceAccountError.as_str();
            condition(RESOURCES_SUBMITTED, FALSE, reason, why)
        };
        if !self.ctx.presence.is_account(&namespace, &account) {
            conditions.add(refuse(format!(
                "failed to get service account object from api server [{namespace}/{account}]: failed to get object \
                 [{namespace}/{account}] from api server: ServiceAccount \"{account}\" not found"
            )));
            return None;
        }
        let caller = match self.ctx.caller.acting_as(&namespace, &account) {
            Ok(caller) => caller,
            Err(error) => {
                conditions.add(refuse(error.to_string()));
                return None;
            }
        };
        if let Err(cycle) = graph::order(&blueprint.blueprint().resources) {
            let reason = Reason::UnknownError.as_str();
            conditions.add(condition(RESOURCES_SUBMITTED, FALSE, reason, cycle.to_string()));
            return None;
        }
        Some(self.walk(blueprint, &caller).await)
    }

    /// The account, by namespace and name.
    fn account(&self, blueprint: &BlueprintSpec) -> (String, String) {
        let here = &self.stamper.key.namespace;
        if let Some(name) = self.object.account().filter(|name| !name.is_empty()) {
            return (here.clone(), name.to_owned());
        }
        match &blueprint.service_account_ref {
            Some(named) if !named.name.is_empty() => {
                let namespace = named.namespace.clone().filter(|name| !name.is_empty());
                (namespace.unwrap_or_else(|| here.clone()), named.name.clone())
            }
            _ => (here.clone(), "default".to_owned()),
        }
    }

    async fn write(&self, known: &Value, next: &Value) -> Result<(), cluster::ApiError> {
        let api = ApiResource::erase::<K>(&());
        let Key { namespace, name } = &self.stamper.key;
        let written =
            status::write(&self.ctx.caller, &api, Some(namespace), name, known, next).await;
        written.map(drop)
    }
}

/// Whether a blueprint is ready, and why not; nothing before anybody looked.
fn standing_of<B: Blueprint>(blueprint: &B) -> Option<Condition> {
    let conditions = &blueprint.standing()?.conditions;
    let ready = find(conditions, READY)?;
    Some(if ready.is_true() {
        condition(READY, TRUE, Reason::Ready.as_str(), "")
    } else {
        condition(READY, FALSE, ready.reason.clone(), ready.message.clone())
    })
}

