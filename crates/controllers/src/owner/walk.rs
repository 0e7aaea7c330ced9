//! Does what a walk asks for: everything that can be done at once, at once.

use std::collections::{BTreeMap, HashMap, HashSet};

use choreography::walk::{Answer, Ask, Fetched, Refused, Report, Submission, Walk};
use cluster::Caller;
use futures::FutureExt as _;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use kinds::cartographer::owner::ResourceStatus;
use kinds::cartographer::template::Lifecycle;
use serde_json::Value;

use super::memory::Known;
use super::step::{Done, Step, Waits};
use super::{Kind, Pass};
use crate::stamping::Change;

/// What came of a walk.
pub(super) struct Walked {
    pub(super) report: Report,
    /// What was done to which objects.
    pub(super) changes: Vec<(Change, String)>,
    /// Objects that were there before, and were nobody's of ours.
    pub(super) adopted: Vec<String>,
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
        let (mut changes, mut removed, mut is_unwatched) = (Vec::new(), Vec::new(), false);
        let mut adopted = Vec::new();
        let mut wanted = HashSet::new();
        let mut parts = Vec::new();
        let mut waits = Vec::new();
        // Of two resources that stamp the same object, the second one would undo what the first one did.
        let mut claims: HashMap<[String; 4], String> = HashMap::new();
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
                    Ask::Ytt {
                        resource,
                        name,
                        template,
                        data,
                    } => running.push(step.evaluate(resource, name, template, data).boxed()),
                    Ask::Submit(submission) => {
                        let object = named(&submission, &self.stamper.key.namespace);
                        if let Some(first) = object.as_ref().and_then(|it| claims.get(it)) {
                            walk.answer(Answer::Submitted {
                                outcome: Err(Refused::Rejected {
                                    is_forbidden: false,
                                    why: format!("create: resource [{first}] stamps it already"),
                                }),
                                resource: submission.resource,
                            });
                            continue;
                        }
                        claims.extend(object.map(|it| (it, submission.resource.clone())));
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
            removed.extend(done.removed);
            adopted.extend(done.adopted);
            if let Some((object, error)) = &done.kept {
                self.tell_kept(object, error);
            }
            wanted.extend(done.objects);
            is_unwatched |= done.is_unwatched;
            waits.extend(done.waits);
            news.extend(done.known);
            if let Some(answer) = done.answer {
                walk.answer(answer);
            }
        }
        drop(running);
        let mut report = walk.finish(&before, &self.now);
        report.retries |= waits.contains(&Waits::Time);
        self.memory.resources = news;
        self.uses.parts.extend(parts);
        self.uses.refused |= waits.contains(&Waits::Grant);
        self.uses.kind_missing |= waits.contains(&Waits::Definition);
        let mut walked = Walked {
            report,
            changes,
            removed,
            adopted,
            orphans: Vec::new(),
            is_unwatched,
        };
        self.clean_up(caller, &before, &mut walked).await;
        self.clear_up(caller, &before, wanted, &mut walked).await;
        walked
    }
}

/// What tells an object that is stamped in place: group, kind, namespace and name.
fn named(submission: &Submission, namespace: &str) -> Option<[String; 4]> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let object = &submission.object;
    let (version, name) = (
        text(&object["apiVersion"]),
        text(&object["metadata"]["name"]),
    );
    if submission.lifecycle != Lifecycle::Mutable || name.is_empty() {
        return None;
    }
    let (group, _) = version.split_once('/').unwrap_or(("", &version));
    let own = object["metadata"]["namespace"]
        .as_str()
        .unwrap_or(namespace);
    Some([
        group.to_owned(),
        text(&object["kind"]),
        own.to_owned(),
        name,
    ])
}
