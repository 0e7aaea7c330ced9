//! Other Shipments that may take over what one drops: nothing is pruned before they are known to
//! have looked at the same revision.

use std::collections::BTreeSet;

use git::TreeId;
use kinds::Shipment;
use kube::ResourceExt as _;
use manifest::ObjectId;

use super::check::Checked;
use super::gather;
use super::spec::{self, Spec};
use crate::board::Key;
use crate::context::Ctx;

/// What leaves a Shipment without being deleted.
#[derive(Default)]
pub(super) struct Moving {
    /// Who has to look at the revision first.
    pub(super) behind: Option<Key>,
    /// What another Shipment's render names.
    pub(super) elsewhere: BTreeSet<ObjectId>,
}

pub(super) fn moving<'a>(
    ctx: &Ctx,
    checked: &Checked,
    leaving: impl Iterator<Item = &'a ObjectId>,
) -> Moving {
    let leaving: Vec<&ObjectId> = leaving.collect();
    if leaving.is_empty() {
        return Moving::default();
    }
    let named = leaving
        .into_iter()
        .filter(|id| ctx.board.other_who_names(&checked.key, id).is_some());
    Moving {
        elsewhere: named.cloned().collect(),
        behind: sibling_behind(ctx, checked),
    }
}

/// What a status says while they are waited for.
pub(super) fn pending(count: usize, other: &Key) -> String {
    let (objects, them) = match count {
        1 => ("1 object".to_owned(), "it"),
        count => (format!("{count} objects"), "them"),
    };
    format!(
        "{objects} left the source; Shipment `{other}` may take {them} over, which has not got to this revision yet"
    )
}

/// Another Shipment of the same revision that still has to look at it. Shipments that read the
/// same repository with credentials of their own may learn of a revision at different times.
pub(super) fn sibling_behind(ctx: &Ctx, checked: &Checked) -> Option<Key> {
    let siblings = ctx.shipments.all().into_iter().filter(|other| {
        let namespace = other.metadata.namespace.as_deref().unwrap_or_default();
        let idle = other.spec.suspend == Some(true)
            || other.metadata.deletion_timestamp.is_some()
            || ctx.presence.is_namespace_going(namespace);
        !idle && reads_the_same(other, &checked.spec)
    });
    siblings
        .map(|other| Key::new(other.namespace().unwrap_or_default(), other.name_any()))
        .filter(|other| *other != checked.key)
        .find(|other| is_behind(ctx, checked, other))
}

fn reads_the_same(other: &Shipment, spec: &Spec) -> bool {
    let Some(git) = &other.spec.source.git else {
        return false;
    };
    spec::url(&git.url).is_ok_and(|url| url == spec.url)
        && spec::reference(git.reference.as_ref())
            .is_ok_and(|(reference, _)| reference == spec.reference)
}

fn is_behind(ctx: &Ctx, checked: &Checked, other: &Key) -> bool {
    let known = ctx.sources.known(&gather::follower(other));
    match (known.at, known.trouble) {
        (Some(at), None) => at.commit != checked.at.commit || behind(ctx, other).is_some(),
        (Some(_), Some(_)) => behind(ctx, other).is_some(),
        // What cannot be read at all is not waited for, what was never tried is.
        (None, Some(_)) => false,
        (None, None) => {
            !ctx.board.has_passed(other) || ctx.sources.follows(&gather::follower(other))
        }
    }
}

/// The tree that a Shipment has been told of but has not dealt with yet.
pub(super) fn behind(ctx: &Ctx, other: &Key) -> Option<TreeId> {
    let at = ctx.sources.known(&gather::follower(other)).at?;
    (ctx.board.attempted(other) != Some(at.tree)).then_some(at.tree)
}
