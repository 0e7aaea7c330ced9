//! `Workload` and `Deliverable`: one algorithm with other nouns.
//!
//! A pass selects the blueprint, walks its resources, and says in the status how they stand. What is decided,
//! is decided in the crate `choreography`; here is what touches the cluster.

mod kind;
mod memory;
mod orphan;
mod step;
mod tell;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use choreography::conditions::{Draft, settle};
use choreography::owner::Owner as Subject;
use choreography::selection;
use choreography::serving::{self, Account, AccountProblem};
use cluster::{ApiError, Owner, status};
use k8s_openapi::jiff::Timestamp;
use kinds::cartographer::blueprint::Blueprint;
use kinds::cartographer::owner::ObjectReference;
use kube::core::ApiResource;
use kube::runtime::controller::Action;
use serde_json::Value;

use crate::board::Key;
use crate::context::Ctx;
use crate::stamping::{Stamper, Uses};
pub(crate) use kind::Kind;
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
    if meta.deletion_timestamp.is_some() || ctx.left.is_so() {
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
        now: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    };
    let since = ctx.uses.now();
    let ended = pass.run().await;
    let Pass {
        mut memory,
        stamper,
        uses,
        ..
    } = pass;
    let rest = rest(&mut memory, ended);
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

fn rest(memory: &mut Memory, ended: Ended) -> Option<Duration> {
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
    /// In whole seconds.
    now: String,
}

impl<K: Kind> Pass<'_, K> {
    async fn run(&mut self) -> Ended {
        let before = self.object.standing();
        let mut next = before.clone();
        next.observed_generation = self.object.meta().generation;
        next.blueprint = None;
        let blueprints = K::blueprints(self.ctx).all();
        let all = blueprints.iter().map(|blueprint| &**blueprint);
        let kind = K::NOUNS.kind;
        let mut ended = Ended::default();
        let mut walked = None;
        let drafts = match selection::blueprint(all, self.subject.selected()) {
            Err(why) => vec![serving::not_served(kind, &why)],
            Ok(blueprint) => {
                let (blueprint_kind, name) = (K::Blueprint::KIND, blueprint.name());
                self.uses.parts.insert((blueprint_kind, name.to_owned()));
                next.blueprint = Some(ObjectReference {
                    kind: Some(blueprint_kind.to_owned()),
                    name: Some(name.to_owned()),
                    ..ObjectReference::default()
                });
                if let Some(not_ready) = serving::not_ready(kind, blueprint.standing()) {
                    vec![not_ready]
                } else {
                    let (drafts, came) = self.submit(blueprint).await;
                    walked = came;
                    drafts
                }
            }
        };
        if let Some(walked) = &walked {
            let resources = walked.report.resources.clone();
            next.resources = choreography::orphans::remember(resources, walked.orphans.clone());
            ended.may_pass = walked.report.retries;
            ended.is_unwatched = walked.is_unwatched;
        }
        next.conditions = settle(drafts, &before.conditions, &self.now);
        let (known, next) = (before.status(&K::NOUNS), next.status(&K::NOUNS));
        match self.write(&known, &next).await {
            Ok(()) => {
                if let Some(walked) = &walked {
                    self.tell(walked);
                }
            }
            Err(error) => {
                let kind = K::kind(&());
                tracing::warn!(error = %error, "could not write the status of {kind} `{}`", self.stamper.key);
                ended.status_failed = true;
            }
        }
        ended
    }

    /// Walks the resources as the account that the owner, or its blueprint, names.
    async fn submit(&mut self, blueprint: &K::Blueprint) -> (Vec<Draft>, Option<Walked>) {
        let kind = K::NOUNS.kind;
        let Account { namespace, name } =
            serving::account(&self.subject, Some(blueprint.blueprint()));
        self.uses.account = Some((namespace.clone(), name.clone()));
        let mut drafts = vec![serving::ready(kind)];
        if !self.ctx.presence.is_account(&namespace, &name) {
            let why = format!(
                "failed to get service account object from api server [{namespace}/{name}]: failed to get object \
                 [{namespace}/{name}] from api server: ServiceAccount \"{name}\" not found"
            );
            drafts.push(serving::no_account(AccountProblem::Account, why));
            return (drafts, None);
        }
        let caller = match self.ctx.caller.acting_as(&namespace, &name) {
            Ok(caller) => caller,
            Err(error) => {
                let why = error.to_string();
                drafts.push(serving::no_account(AccountProblem::Client, why));
                return (drafts, None);
            }
        };
        let walked = self.walk(blueprint, &caller).await;
        drafts.extend([
            walked.report.submitted.clone(),
            walked.report.healthy.clone(),
        ]);
        (drafts, Some(walked))
    }

    async fn write(&self, known: &Value, next: &Value) -> Result<(), ApiError> {
        let api = ApiResource::erase::<K>(&());
        let Key { namespace, name } = &self.stamper.key;
        let written =
            status::write(&self.ctx.caller, &api, Some(namespace), name, known, next).await;
        written.map(drop)
    }
}
