//! Does what a walk asks for: everything that can be done at once, at once.

use std::collections::BTreeMap;

use choreography::walk::{Answer, Ask, Fetched, Report, Walk};
use cluster::Caller;
use futures::FutureExt as _;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use kinds::cartographer::owner::ResourceStatus;

use super::memory::Known;
use super::step::{Done, Step};
use super::{Kind, Pass};
use crate::stamping::Change;

/// What is said of a ytt template.
const NO_YTT: &str = "ytt templates are not supported yet";

/// What came of a walk.
pub(super) struct Walked {
    pub(super) report: Report,
    /// What was done to which objects.
    pub(super) changes: Vec<(Change, String)>,
    /// Objects that were deleted, since nothing stamps them any more.
    pub(super) removed: Vec<String>,
    /// Entries of before whose objects should be gone and are not yet.
    pub(super) orphans: Vec<ResourceStatus>,
    /// Whether a stamped kind may not be watched.
    pub(super) is_unwatched: bool,
}

impl<K: Kind> Pass<'_, K> {
    pub(super) async fn walk(&mut self, blueprint: &K::Blueprint, caller: &Caller) -> Walked {
        let before = self.object.standing().resources;
        let known = std::mem::take(&mut self.memory.resources);
        let mut news: BTreeMap<String, Known> = BTreeMap::new();
        let (mut changes, mut is_unwatched) = (Vec::new(), false);
        let mut parts = Vec::new();
        let (mut refused, mut kind_missing) = (false, false);
        let step = Step {
            ctx: self.ctx,
            caller,
            owner: &self.owner,
            stamper: &self.stamper,
            before: &before,
        };
        let mut walk = Walk::new(&self.subject, blueprint);
        let mut running: FuturesUnordered<BoxFuture<'_, Done>> = FuturesUnordered::new();
        loop {
            let asks = walk.next();
            let has_asks = !asks.is_empty();
            for ask in asks {
                match ask {
                    Ask::Template { kind, name } => {
                        parts.push((kind.as_str(), name.clone()));
                        let found = self.ctx.library.template(kind, &name);
                        let fetched =
                            found.map_or(Fetched::Missing, |it| Fetched::Found(it.into()));
                        walk.answer(Answer::Template {
                            kind,
                            name,
                            fetched,
                        });
                    }
                    Ask::Ytt { resource, .. } => {
                        let outcome = Err(NO_YTT.to_owned());
                        walk.answer(Answer::Ytt { resource, outcome });
                    }
                    Ask::Submit(submission) => {
                        let known = known.get(&submission.resource);
                        running.push(step.submit(*submission, known).boxed());
                    }
                    Ask::Delete { object, .. } => running.push(step.delete(object).boxed()),
                }
            }
            if has_asks {
                continue;
            }
            let Some(done) = running.next().await else {
                break;
            };
            changes.extend(done.change);
            is_unwatched |= done.is_unwatched;
            refused |= done.refused;
            kind_missing |= done.kind_missing;
            news.extend(done.known);
            if let Some(answer) = done.answer {
                walk.answer(answer);
            }
        }
        drop(running);
        let report = walk.finish(&before, &self.now);
        self.memory.resources = news;
        self.uses.parts.extend(parts);
        self.uses.refused |= refused;
        self.uses.kind_missing |= kind_missing;
        let mut walked = Walked {
            report,
            changes,
            removed: Vec::new(),
            orphans: Vec::new(),
            is_unwatched,
        };
        self.clean_up(caller, &before, &mut walked).await;
        walked
    }
}
