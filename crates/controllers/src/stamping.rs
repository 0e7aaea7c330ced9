//! What Workloads, Deliverables and Runnables share: they stamp objects, carry them to the API server as
//! their account, and hear when one of them changes.

mod marks;
pub(crate) mod news;
mod pace;
mod seen;
mod selections;
mod submit;
mod uses;

pub(crate) use pace::Ended;
pub(crate) use seen::{Seen, Stamper, StamperKind};
pub(crate) use selections::Selections;
pub(crate) use submit::{Change, Refused, Run, Stamped, Submission, list, resource_of};
pub(crate) use uses::{Index, Uses};

use std::sync::Arc;
use std::time::Duration;

use cluster::apply::version;
use cluster::watch::Filter;
use cluster::{ApiError, status};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kinds::condition::{self, Condition};
use kube::Resource;
use kube::core::ApiResource;
use kube::runtime::controller::Action;
use manifest::GroupKind;
use serde_json::Value;
use tokio::time::Instant;

use crate::board::Key;
use crate::context::Ctx;
use crate::event;
use crate::owner::Memory;

/// Has what happens to the stamped objects of a kind reported, for as long as there are any that are followed.
/// Tells whether that is not allowed. To be called also after an object is followed: a watch may have ended before.
pub(crate) fn watch(ctx: &Ctx, api: &ApiResource) -> bool {
    ctx.watches.ensure(api, Filter::Used);
    let kind = GroupKind::new(&api.group, &api.kind);
    ctx.tracker.is_unwatchable(&kind)
}

/// How long a kind is watched of which nothing is followed any more.
const LINGER: Duration = Duration::from_mins(1);

/// Ends the watches of kinds that nothing is stamped of any more.
pub(crate) async fn end_watches(ctx: Arc<Ctx>) {
    loop {
        ctx.unfollowed.notified().await;
        tokio::time::sleep(LINGER).await;
        ctx.watches.end_unused(|kind| ctx.seen.has(kind));
    }
}

/// Shipway's own word: Cartographer only logs it.
const NOT_REMOVED: &str = "StampedObjectNotRemoved";

/// Tells that an object stays which its stamper does not want any more, and why.
pub(crate) fn tell_kept<K: Resource<DynamicType = ()>>(
    ctx: &Ctx,
    about: &K,
    stamper: &Stamper,
    (object, error): (&str, &ApiError),
) {
    let key = &stamper.key;
    tracing::warn!(owner.key = %key, error = %error, "could not delete `{object}`, which `{key}` needs no more");
    let note = format!("Could not delete object [{object}]: {error}");
    event::warn_word(&ctx.events, about, NOT_REMOVED, "Stamp", &note);
}

/// Tells of the first condition of some types that is False, once for each change of it: Cartographer leaves that to
/// whoever reads statuses.
pub(crate) fn narrate<K: Resource<DynamicType = ()>>(
    ctx: &Ctx,
    (about, key): (&K, &Key),
    kinds: [&str; 2],
    (before, now): (&[Condition], &[Condition]),
    hint: &str,
) {
    let refusal = |conditions: &[Condition]| {
        let mut found = kinds
            .into_iter()
            .filter_map(|kind| condition::find(conditions, kind).cloned());
        // A blueprint that nobody has looked at yet says nothing, and will.
        found.find(|condition| condition.status == "False" && !condition.message.is_empty())
    };
    let Some(refused) = refusal(now) else { return };
    let Condition {
        reason, message, ..
    } = &refused;
    if refusal(before).is_some_and(|it| (&it.reason, &it.message) == (reason, message)) {
        return;
    }
    let kind = K::kind(&());
    tracing::warn!(owner.key = %key, owner.reason = %reason, "{kind} `{key}`: {message}{hint}");
    let note = format!("{message}{hint}");
    event::warn_word(&ctx.events, about, reason, "Stamp", &note);
}

/// When to come back to an object that was read before the status that was written last: its watch is about to bring it
/// anew, and a pass with it. One now would not know of that status, and write it again.
pub(crate) fn outdated(ctx: &Ctx, stamper: &Stamper, meta: &ObjectMeta) -> Option<Action> {
    let is_ahead = ctx.memories.is_ahead_of(stamper, version(meta));
    is_ahead.then(|| Action::requeue(Duration::from_secs(1)))
}

/// Writes the status of one that stamps, if it says something new. Tells whether that went well; why not is in the log.
pub(crate) async fn write_status<K: Resource<DynamicType = ()>>(
    ctx: &Ctx,
    (stamper, memory): (&Stamper, &mut Memory),
    (known, next): (&Value, &Value),
) -> bool {
    let api = ApiResource::erase::<K>(&());
    let Key { namespace, name } = &stamper.key;
    match status::write_at(&ctx.caller, &api, Some(namespace), name, known, next).await {
        Ok(written) => {
            let written = written.map(|version| (version, Instant::now()));
            memory.written = written.or(memory.written);
            true
        }
        Err(error) => {
            let kind = K::kind(&());
            tracing::warn!(error = %error, "could not write the status of {kind} `{}`", stamper.key);
            false
        }
    }
}

/// Ends a pass: keeps what it knows, and says when the next one is due. `since` is what it began with
/// ([`Index::now`]).
pub(crate) fn conclude(
    ctx: &Ctx,
    stamper: &Stamper,
    (mut memory, ended): (Memory, Ended),
    (uses, since): (Uses, usize),
) -> Action {
    let next = ended.next(&mut memory.failures, ctx.look);
    ctx.memories.put(stamper, memory);
    if uses.refused {
        news::watch_rights(ctx);
    }
    // What it stands on may have changed before anybody could know that it does.
    if ctx.uses.put(stamper, uses, since) {
        return Action::requeue(Duration::ZERO);
    }
    next
}
