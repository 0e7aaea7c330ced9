//! One round of one repository: one look-up for all that moves, then one fetch for each that moved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use git::{CommitId, GitError, Reference, Repository};

use super::repository::{Followed, Surroundings};
use super::{Trouble, broken, trouble};
use crate::metrics::Metrics;

pub(super) type Outcome = Vec<(Reference, Result<CommitId, Trouble>)>;

/// One look-up for all that moves, then one fetch for each that moved.
pub(super) async fn round(
    followed: &Arc<Followed>,
    around: &Surroundings,
    wanted: BTreeMap<Reference, Option<String>>,
    fetched: BTreeMap<Reference, CommitId>,
    stop: Arc<AtomicBool>,
) -> Outcome {
    // The server's first: who waits for a slow one holds none of the common permits.
    let permits = (
        around.server.acquire().await,
        around.permits.acquire().await,
    );
    let repository = followed.repository.clone();
    let metrics = around.metrics.clone();
    let references: BTreeSet<Reference> = wanted.keys().cloned().collect();
    let work = tokio::task::spawn_blocking(move || {
        let moving: Vec<Reference> = wanted
            .keys()
            .filter(|reference| !matches!(reference, Reference::Commit(_)))
            .cloned()
            .collect();
        let looked_up = if moving.is_empty() {
            Ok(BTreeMap::new())
        } else {
            metrics.looked_up();
            repository.look_up(&moving)
        };
        let looked_up = match looked_up {
            Ok(found) => found,
            Err(error) => {
                let why = trouble(&error);
                // Commits that are pinned need no look-up and are not held up by it.
                return wanted
                    .iter()
                    .map(|(reference, branch)| match reference {
                        Reference::Commit(commit) => (
                            reference.clone(),
                            pinned(&repository, &metrics, *commit, branch.as_deref(), &stop),
                        ),
                        _ => (reference.clone(), Err(why.clone())),
                    })
                    .collect();
            }
        };
        wanted
            .iter()
            .map(|(reference, branch)| {
                let result = match reference {
                    Reference::Commit(commit) => {
                        pinned(&repository, &metrics, *commit, branch.as_deref(), &stop)
                    }
                    _ => moved(
                        &repository,
                        &metrics,
                        reference,
                        looked_up.get(reference).copied().flatten(),
                        fetched.get(reference),
                        &stop,
                    ),
                };
                (reference.clone(), result)
            })
            .collect::<Outcome>()
    });
    let outcome = work.await;
    drop(permits);
    outcome.unwrap_or_else(|panic| {
        let why = broken(&panic);
        references
            .into_iter()
            .map(|reference| (reference, Err(why.clone())))
            .collect()
    })
}

fn pinned(
    repository: &Repository,
    metrics: &Metrics,
    commit: CommitId,
    branch: Option<&str>,
    stop: &AtomicBool,
) -> Result<CommitId, Trouble> {
    if !repository.has(commit) {
        metrics.fetched();
        repository
            .fetch_pinned(commit, branch, stop)
            .map_err(|error| trouble(&error))?;
    }
    Ok(commit)
}

fn moved(
    repository: &Repository,
    metrics: &Metrics,
    reference: &Reference,
    found: Option<CommitId>,
    fetched: Option<&CommitId>,
    stop: &AtomicBool,
) -> Result<CommitId, Trouble> {
    let Some(commit) = found else {
        let error = GitError::ReferenceMissing {
            reference: reference.clone(),
            url: repository.url().clone(),
        };
        return Err(trouble(&error));
    };
    if fetched != Some(&commit) && !repository.has(commit) {
        metrics.fetched();
        repository
            .fetch(reference, commit, stop)
            .map_err(|error| trouble(&error))?;
        repository.maintain().map_err(|error| trouble(&error))?;
    }
    Ok(commit)
}
