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

use choreography::conditions::{Draft, settle};
use choreography::owner::Owner as Subject;
use choreography::selection;
use choreography::serving::{self, Account, AccountProblem};
use cluster::Owner;
use k8s_openapi::jiff::Timestamp;
use kinds::cartographer::blueprint::Blueprint;
use kinds::cartographer::owner::{CoreReference, ObjectReference, ResourceStatus};
use kinds::condition::{Condition, find, kind::READY};
use kube::runtime::controller::Action;
use tokio::time::Instant;

use crate::board::Key;
use crate::context::Ctx;
use crate::stamping::{self, Ended, Stamper, Uses};
pub(crate) use kind::Kind;
pub use memory::Memories;
pub(crate) use memory::Memory;
use walk::Walked;

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
    if let Some(later) = stamping::outdated(&ctx, &stamper, meta) {
        return later;
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
        memory,
        stamper,
        uses,
        ..
    } = pass;
    stamping::conclude(&ctx, &stamper, (memory, ended), (uses, since))
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
        self.await_readiness(before.observed_generation);
        let mut next = before.clone();
        next.observed_generation = self.object.meta().generation;
        next.blueprint = None;
        let blueprints = K::blueprints(self.ctx).all();
        let all = blueprints.iter().map(|blueprint| &**blueprint);
        let kind = K::NOUNS.kind;
        let mut ended = Ended::default();
        let mut walked = None;
        let drafts = match selection::blueprint(all, self.subject.selected()) {
            Err(why) => {
                let named = why.blueprints().into_iter();
                let parts = named.map(|name| (K::Blueprint::KIND, name.to_owned()));
                self.uses.parts.extend(parts);
                // What was stamped stays, and nobody looks at it.
                self.ctx.seen.forget_all(&self.stamper);
                self.ctx.unfollowed.notify_one();
                vec![serving::not_served(kind, &why)]
            }
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
            let is_behind = walked.report.is_behind;
            let held_back = self.memory.hold_back(is_behind, Instant::now());
            // What was stamped is written down at once: nothing else tells of it once nobody wants it any more.
            let is_news = stamped(&next.resources) != stamped(&before.resources);
            ended.held_back = held_back.filter(|_| !is_news);
            self.tell_doings(walked);
        }
        if ended.held_back.is_some() {
            return ended;
        }
        next.conditions = settle(drafts, &before.conditions, &self.now);
        let (known, wanted) = (before.status(&K::NOUNS), next.status(&K::NOUNS));
        let mine = (&self.stamper, &mut self.memory);
        if !stamping::write_status::<K>(self.ctx, mine, (&known, &wanted)).await {
            ended.status_failed = true;
            return ended;
        }
        self.tell_readiness(&next.conditions);
        let report = walked.as_ref().map(|walked| &walked.report);
        let hint = report.and_then(|report| report.hint.as_ref());
        self.narrate(&before.conditions, &next.conditions, hint);
        if let Some(report) = report {
            self.tell_findings(&report.resources);
        }
        ended
    }

    /// Walks the resources as the account that the owner, or its blueprint, names.
    async fn submit(&mut self, blueprint: &K::Blueprint) -> (Vec<Draft>, Option<Walked>) {
        let kind = K::NOUNS.kind;
        let account = serving::account(&self.subject, Some(blueprint.blueprint()));
        let Account { namespace, name } = account.clone();
        self.uses.account = Some((namespace.clone(), name.clone()));
        let mut drafts = vec![serving::ready(kind)];
        if !self.ctx.presence.is_account(&namespace, &name) {
            let why = account.missing();
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

    /// Notes since when a change is to get ready. After a restart that is not known of what was dealt with.
    fn await_readiness(&mut self, observed: Option<i64>) {
        let generation = self.object.meta().generation;
        if self.memory.generation != generation {
            self.memory.generation = generation;
            self.memory.awaited = (observed != generation).then(Instant::now);
        }
    }

    fn tell_readiness(&mut self, conditions: &[Condition]) {
        let is_ready = find(conditions, READY).is_some_and(Condition::is_true);
        if is_ready && let Some(since) = self.memory.awaited.take() {
            let kind = K::kind(&());
            self.ctx.metrics.got_ready(&kind, since.elapsed());
        }
    }
}

/// What a status says of stamped objects.
fn stamped(resources: &[ResourceStatus]) -> Vec<Option<&CoreReference>> {
    let all = resources.iter();
    all.map(|entry| entry.stamped_ref.as_ref()).collect()
}
