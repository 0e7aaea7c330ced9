//! One followed repository: its followers, and the task that looks it up and fetches.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt as _;
use git::{CommitId, Reference, Repository};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::pace;
use super::round::{Outcome, round};
use super::{At, Follower, Known, Trouble, Wish, trouble};
use crate::metrics::Metrics;

/// Failures in a row after which a source that was good before is reported.
const PATIENCE: u32 = 2;
/// How long a repository is kept that nobody follows: a Shipment may only be suspended.
const KEPT: Duration = if cfg!(test) {
    Duration::from_millis(20)
} else {
    Duration::from_mins(5)
};

pub(super) struct Followed {
    pub(super) repository: Arc<Repository>,
    followers: Mutex<HashMap<Follower, Follow>>,
    wake: Notify,
}

struct Follow {
    reference: Reference,
    branch: Option<String>,
    path: String,
    interval: Duration,
    known: Known,
    /// Where the revision that is known is read from while this repository has not got it: as
    /// whom it was followed before.
    stand_in: Option<Arc<Repository>>,
    /// Whether it is not asked for: its credentials are gone from where they stood.
    paused: bool,
    asked: Asked,
}

/// What somebody leaves who follows the same repository with other credentials from now on.
pub(super) struct Left {
    follow: Follow,
    repository: Arc<Repository>,
}

impl Follow {
    fn is_of(&self, wish: &Wish) -> bool {
        self.reference == wish.reference && self.path == wish.path && self.branch == wish.branch
    }
}

/// Whether a follower has asked for a look and waits to be told of it, even if nothing moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Asked {
    #[default]
    No,
    /// The round that answers it has not begun.
    Yes,
    /// The round that answers it is under way.
    Looking,
}

pub(super) struct Surroundings {
    pub(super) changes: mpsc::UnboundedSender<Follower>,
    pub(super) stop: CancellationToken,
    pub(super) permits: Arc<Semaphore>,
    /// Those of the server.
    pub(super) server: Arc<Semaphore>,
    pub(super) metrics: Arc<Metrics>,
}

impl Followed {
    pub(super) fn new(repository: Repository) -> Self {
        Self {
            repository: Arc::new(repository),
            followers: Mutex::default(),
            wake: Notify::new(),
        }
    }

    /// `left` is what the follower has of the same URL, as somebody else.
    pub(super) fn follow(&self, follower: &Follower, wish: &Wish, left: Option<Left>) -> Known {
        let mut followers = self.followers();
        if let Some(follow) = followers.get_mut(follower)
            && follow.is_of(wish)
        {
            follow.interval = wish.interval;
            if std::mem::take(&mut follow.paused) {
                self.look_now();
            }
            return follow.known.clone();
        }
        let mut follow = Follow {
            reference: wish.reference.clone(),
            branch: wish.branch.clone(),
            path: wish.path.clone(),
            interval: wish.interval,
            known: Known::default(),
            stand_in: None,
            paused: false,
            asked: Asked::No,
        };
        if let Some(left) = left.filter(|left| left.follow.is_of(wish)) {
            if left.follow.known.at.is_some() {
                follow.stand_in = Some(left.follow.stand_in.unwrap_or(left.repository));
            }
            follow.known = left.follow.known;
            if left.follow.asked != Asked::No {
                follow.asked = Asked::Yes;
            }
        }
        let known = follow.known.clone();
        followers.insert(follower.clone(), follow);
        self.look_now();
        known
    }

    pub(super) fn unfollow(&self, follower: &Follower) -> Option<Left> {
        let follow = self.followers().remove(follower)?;
        Some(Left {
            follow,
            repository: self.repository.clone(),
        })
    }

    /// Whether nobody is left, nor anybody who reads it.
    pub(super) fn is_idle(&self) -> bool {
        self.followers().is_empty() && Arc::strong_count(&self.repository) == 1
    }

    /// Where the revision that a follower was told of is read from.
    pub(super) fn readable_by(&self, follower: &Follower) -> Arc<Repository> {
        let followers = self.followers();
        let stand_in = followers
            .get(follower)
            .and_then(|follow| follow.stand_in.clone());
        stand_in.unwrap_or_else(|| self.repository.clone())
    }

    /// Asks for nothing more on behalf of a follower, who keeps what is known of just this
    /// reference and folder, if that is what is followed.
    pub(super) fn pause(&self, follower: &Follower, wish: &Wish) -> Option<Known> {
        let mut followers = self.followers();
        let follow = followers
            .get_mut(follower)
            .filter(|follow| follow.is_of(wish))?;
        follow.paused = true;
        Some(follow.known.clone())
    }

    pub(super) fn known(&self, follower: &Follower) -> Known {
        self.followers()
            .get(follower)
            .map(|follow| follow.known.clone())
            .unwrap_or_default()
    }

    /// Looks now, and tells the follower when that is done.
    pub(super) fn look_for(&self, follower: &Follower) {
        let mut followers = self.followers();
        if let Some(follow) = followers.get_mut(follower) {
            follow.asked = Asked::Yes;
        }
        self.look_now();
    }

    /// Whether a follower still waits for the look that it asked for.
    pub(super) fn is_asked(&self, follower: &Follower) -> bool {
        self.followers()
            .get(follower)
            .is_some_and(|follow| follow.asked != Asked::No)
    }

    /// Any number of calls while a look-up runs cost one more look-up after it.
    pub(super) fn look_now(&self) {
        self.wake.notify_one();
    }

    pub(super) fn siblings(&self, follower: &Follower) -> Vec<(Follower, Known)> {
        let followers = self.followers();
        let Some(reference) = followers.get(follower).map(|follow| &follow.reference) else {
            return Vec::new();
        };
        followers
            .iter()
            .filter(|(other, follow)| *other != follower && follow.reference == *reference)
            .map(|(other, follow)| (other.clone(), follow.known.clone()))
            .collect()
    }

    fn followers(&self) -> std::sync::MutexGuard<'_, HashMap<Follower, Follow>> {
        self.followers
            .lock()
            .expect("nothing panics while holding it")
    }

    /// What is wanted, each with the branch to look on for a pinned commit.
    fn wanted(&self) -> (BTreeMap<Reference, Option<String>>, Duration) {
        let mut followers = self.followers();
        // What woke it up to here is answered by this look, and costs no second one.
        let _ = self.wake.notified().now_or_never();
        for follow in followers
            .values_mut()
            .filter(|follow| follow.asked == Asked::Yes && !follow.paused)
        {
            follow.asked = Asked::Looking;
        }
        let interval = followers
            .values()
            .filter(|follow| !follow.paused)
            .map(|follow| follow.interval)
            .min()
            .unwrap_or(Duration::from_secs(30));
        let wanted = followers
            .values()
            .filter(|follow| !follow.paused)
            .map(|follow| (follow.reference.clone(), follow.branch.clone()))
            .collect();
        (wanted, interval)
    }
}

/// Looks up and fetches until nobody has followed for a while. Tells whether all is to stop.
pub(super) async fn run(followed: &Arc<Followed>, around: &Surroundings) -> bool {
    let fetching = Arc::new(AtomicBool::new(false));
    let mut fetched: BTreeMap<Reference, CommitId> = BTreeMap::new();
    let mut failures = 0;
    loop {
        let (wanted, interval) = followed.wanted();
        if wanted.is_empty() {
            tokio::select! {
                () = tokio::time::sleep(KEPT) => return false,
                () = followed.wake.notified() => continue,
                () = around.stop.cancelled() => break,
            }
        }
        fetched.retain(|reference, _| wanted.contains_key(reference));
        let stop = fetching.clone();
        stop.store(false, Ordering::Relaxed);
        let round = round(followed, around, wanted, fetched.clone(), stop);
        let outcome = tokio::select! {
            outcome = round => outcome,
            () = around.stop.cancelled() => break,
        };
        let failed = outcome.iter().any(|(_, result)| result.is_err());
        failures = if failed { failures + 1 } else { 0 };
        for (reference, result) in &outcome {
            if let Ok(commit) = result {
                fetched.insert(reference.clone(), *commit);
            }
        }
        for follower in publish(followed, outcome, failures).await {
            // If nobody listens any more the controller is stopping.
            let _ = around.changes.send(follower);
        }
        let pause = if failed {
            pace::after_failures(failures, interval)
        } else {
            interval
        };
        tokio::select! {
            () = tokio::time::sleep(pace::jittered(pause)) => {}
            () = followed.wake.notified() => {}
            () = around.stop.cancelled() => break,
        }
    }
    fetching.store(true, Ordering::Relaxed);
    true
}

/// Whether a follower has been told of a commit, with nothing wrong since.
fn is_known(known: &Known, commit: CommitId) -> bool {
    known.trouble.is_none() && known.at.is_some_and(|at| at.commit == commit)
}

/// Notes for each follower what is known now, and tells whose folder changed.
async fn publish(followed: &Arc<Followed>, outcome: Outcome, failures: u32) -> Vec<Follower> {
    let followed = followed.clone();
    // Finding a folder in a commit reads the object store, so it is not for the runtime's threads.
    let work = tokio::task::spawn_blocking(move || {
        let outcome: BTreeMap<Reference, Result<CommitId, Trouble>> = outcome.into_iter().collect();
        let asked: Vec<(Follower, Reference, String, Known)> = followed
            .followers()
            .iter()
            .map(|(follower, follow)| {
                (
                    follower.clone(),
                    follow.reference.clone(),
                    follow.path.clone(),
                    follow.known.clone(),
                )
            })
            .collect();
        let mut news = Vec::new();
        let mut trees = HashMap::new();
        for (follower, reference, path, before) in asked {
            let Some(result) = outcome.get(&reference) else {
                continue;
            };
            let now = match result {
                // A commit never changes: who has been told of it is told the same again.
                Ok(commit) if is_known(&before, *commit) => before.clone(),
                Ok(commit) => {
                    let tree = trees.entry((*commit, path.clone())).or_insert_with(|| {
                        followed
                            .repository
                            .tree_id(*commit, &path)
                            .map_err(|error| trouble(&error))
                    });
                    match tree {
                        Ok(tree) => Known {
                            at: Some(At {
                                commit: *commit,
                                tree: *tree,
                            }),
                            trouble: None,
                        },
                        Err(why) => Known {
                            at: before.at,
                            trouble: Some(why.clone()),
                        },
                    }
                }
                Err(why) if before.at.is_some() && why.transient && failures < PATIENCE => {
                    before.clone()
                }
                Err(why) => Known {
                    at: before.at,
                    trouble: Some(why.clone()),
                },
            };
            news.push((follower, reference, path, before, now));
        }
        // All at once: who is told of a revision must find its siblings told of it as well.
        let mut changed = Vec::new();
        let mut followers = followed.followers();
        for (follower, reference, path, before, now) in news {
            // What is refused again, or not trusted, may have been mended in its Secret, which
            // nobody else would notice.
            let refused = |why: &Trouble| why.reason.blames_secret();
            let same_content = now.trouble == before.trouble
                && now.at.map(|at| at.tree) == before.at.map(|at| at.tree)
                && !now.trouble.as_ref().is_some_and(refused);
            // The follower may have turned to something else meanwhile; then this is old news.
            if let Some(follow) = followers
                .get_mut(&follower)
                .filter(|f| f.reference == reference && f.path == path)
            {
                let answered = follow.asked == Asked::Looking;
                let patient =
                    outcome.get(&reference).is_some_and(Result::is_err) && now.trouble.is_none();
                if answered {
                    follow.asked = if patient { Asked::Yes } else { Asked::No };
                }
                let here = outcome
                    .get(&reference)
                    .and_then(|result| result.as_ref().ok());
                if here.is_some_and(|here| now.at.is_some_and(|at| at.commit == *here)) {
                    follow.stand_in = None;
                }
                follow.known = now;
                if !same_content || (answered && !patient) {
                    changed.push(follower);
                }
            }
        }
        changed
    });
    work.await.unwrap_or_default()
}
