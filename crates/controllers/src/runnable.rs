//! `Runnable`: an object that runs to an end, made anew for each of its versions.
//!
//! A pass fills the run template, makes the object unless it was made of the very same, and says in the status
//! what came of the runs. What is decided, is decided in the crate `choreography`; here is what touches the
//! cluster.

mod run;
mod select;
mod tell;

use std::sync::Arc;

use choreography::conditions::settle;
use choreography::owner::{Owner as Subject, OwnerKind};
use choreography::runnable::{RunError, conditions};
use cluster::Owner;
use k8s_openapi::jiff::Timestamp;
use kinds::{Runnable, RunnableStatus};
use kube::runtime::controller::Action;
use serde_json::Value;

use crate::board::Key;
use crate::context::Ctx;
use crate::owner::Memory;
use crate::stamping::{self, Ended, Stamper, StamperKind, Uses};
use run::Ran;

/// One pass over one Runnable.
pub(crate) async fn reconcile(runnable: Arc<Runnable>, ctx: Arc<Ctx>) -> Action {
    if runnable.metadata.deletion_timestamp.is_some() || ctx.left.is_so() {
        return Action::await_change(); // the garbage collector takes what was stamped
    }
    let meta = &runnable.metadata;
    let key = Key::new(
        meta.namespace.clone().unwrap_or_default(),
        meta.name.clone().unwrap_or_default(),
    );
    let stamper = Stamper {
        kind: StamperKind::Runnable,
        key,
    };
    if let Some(later) = stamping::outdated(&ctx, &stamper, meta) {
        return later;
    }
    let since = ctx.uses.now();
    let mut pass = Pass {
        ctx: &ctx,
        object: &runnable,
        subject: Subject::new(
            OwnerKind::Runnable,
            serde_json::to_value(&*runnable).expect("an object is plain data"),
        ),
        owner: Owner::new("runnable", &stamper.key.namespace, &stamper.key.name),
        memory: ctx.memories.take(&stamper),
        stamper,
        uses: Uses::default(),
        ended: Ended::default(),
    };
    pass.run().await;
    let Pass {
        stamper,
        memory,
        uses,
        ended,
        ..
    } = pass;
    stamping::conclude(&ctx, &stamper, (memory, ended), (uses, since))
}

/// One pass.
struct Pass<'a> {
    ctx: &'a Ctx,
    object: &'a Runnable,
    subject: Subject,
    owner: Owner,
    stamper: Stamper,
    memory: Memory,
    uses: Uses,
    /// What is known so far of its end.
    ended: Ended,
}

impl Pass<'_> {
    async fn run(&mut self) {
        let before = self.object.status.clone().unwrap_or_default();
        let Ran {
            object,
            outputs,
            error,
            story,
        } = self.carry_out(&before.outputs).await;
        let drafts = conditions(error.as_ref(), object.as_ref());
        let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let next = RunnableStatus {
            observed_generation: self.object.metadata.generation,
            conditions: settle(drafts, &before.conditions, &now),
            outputs,
        };
        self.ended.may_pass |= error.as_ref().is_some_and(RunError::retries);
        let value = |status: &RunnableStatus| -> Value {
            serde_json::to_value(status).expect("a status is plain data")
        };
        let statuses = (&value(&before), &value(&next));
        let mine = (&self.stamper, &mut self.memory);
        if stamping::write_status::<Runnable>(self.ctx, mine, statuses).await {
            self.narrate(&before.conditions, &next.conditions);
            self.tell(&story);
        } else {
            self.ended.status_failed = true;
        }
    }
}
