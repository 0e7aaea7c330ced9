//! Follows Git repositories on behalf of whoever needs them: one look-up and one fetch for each
//! (URL, credential), however many followers there are, and a message to exactly those whose
//! sub-tree changed.

mod pace;
mod repository;
mod round;
mod trouble;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use git::{
    CommitId, Content, Credentials, File, GitError, GitUrl, Limits, Reference, Repository, TreeId,
};
use kinds::Reason;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
use repository::Followed;
pub use trouble::Trouble;
use trouble::broken;
pub(crate) use trouble::trouble;

/// How many Git operations run at a time, over all repositories.
const AT_ONCE: usize = 192;
/// How many of them with one server: one that hangs holds up nobody else.
const AT_ONCE_WITH_ONE: usize = 32;

/// Who follows a source.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Follower {
    /// A Shipment, by namespace and name.
    Shipment(String, String),
    /// An Environment's overlay, by the Environment's name.
    Environment(String),
}

/// What a follower wants.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The repository.
    pub url: GitUrl,
    /// The revision.
    pub reference: Reference,
    /// The branch on which a pinned commit is looked for, where the server gives out no single commits.
    pub branch: Option<String>,
    /// The folder; empty for the whole repository.
    pub path: String,
    /// How to get in.
    pub credentials: Credentials,
    /// How often to look where no push event comes.
    pub interval: Duration,
}

/// A revision that was fetched, and the tree of the follower's folder in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// The commit.
    pub commit: CommitId,
    /// The tree of the folder.
    pub tree: TreeId,
}

/// What is known of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The last revision that was fetched.
    pub at: Option<At>,
    /// What went wrong since.
    pub trouble: Option<Trouble>,
}

/// All sources that are followed.
#[derive(Clone)]
pub struct Sources(Arc<Inner>);

struct Inner {
    cache: PathBuf,
    limits: Limits,
    changes: mpsc::UnboundedSender<Follower>,
    stop: CancellationToken,
    metrics: Arc<Metrics>,
    permits: Arc<Semaphore>,
    servers: Mutex<HashMap<String, Arc<Semaphore>>>,
    repositories: Mutex<HashMap<Place, Arc<Followed>>>,
    /// Held while a repository's folder is made or removed.
    opening: tokio::sync::Mutex<()>,
    places: Mutex<HashMap<Follower, Place>>,
}

/// A repository as somebody: nobody reads what they could not have fetched themselves.
type Place = (String, String);

impl Sources {
    /// No sources yet. What changes is told to `changes`; repositories are kept below `cache`.
    pub fn new(
        cache: PathBuf,
        limits: Limits,
        changes: mpsc::UnboundedSender<Follower>,
        metrics: Arc<Metrics>,
        stop: CancellationToken,
    ) -> Self {
        Self(Arc::new(Inner {
            cache,
            limits,
            changes,
            stop,
            metrics,
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            servers: Mutex::default(),
            repositories: Mutex::default(),
            opening: tokio::sync::Mutex::default(),
            places: Mutex::default(),
        }))
    }

    /// Follows a source from now on, instead of what this follower followed before, and tells
    /// what is known of it. A source that is followed already costs nothing; one whose credentials
    /// alone are new is known as before, until it answers.
    ///
    /// # Errors
    /// [`Trouble`] when the repository's folder cannot be opened; what was followed before still is.
    pub async fn follow(&self, follower: &Follower, wish: &Wish) -> Result<Known, Trouble> {
        let place: Place = (wish.url.to_string(), wish.credentials.fingerprint());
        loop {
            if let Some(known) = self.turn(follower, &place, wish) {
                return Ok(known);
            }
            self.open(&place, wish).await?;
        }
    }

    /// Makes a follower one of a place, if that is open. Under the lock, so that nobody closes it
    /// between finding and following it.
    fn turn(&self, follower: &Follower, place: &Place, wish: &Wish) -> Option<Known> {
        let repositories = self.repositories();
        let source = repositories.get(place)?;
        let before = self.places().insert(follower.clone(), place.clone());
        let left = before.filter(|before| before != place).and_then(|before| {
            let left = repositories.get(&before)?.unfollow(follower);
            left.filter(|_| before.0 == place.0)
        });
        Some(source.follow(follower, wish, left))
    }

    /// Asks a source for nothing until it is followed again, and tells what is known of it;
    /// nothing where something else was followed or no revision of it was fetched.
    pub fn pause(&self, follower: &Follower, wish: &Wish) -> Option<Known> {
        let (url, _) = self.places().get(follower).cloned()?;
        let source = self.of(follower).filter(|_| url == wish.url.to_string())?;
        let known = source.pause(follower, wish)?;
        known.at.is_some().then_some(known)
    }

    /// Ends the following of overlays of all Environments but these.
    pub fn keep_environments(&self, names: &HashSet<&str>) {
        let is_gone = |follower: &&Follower| match follower {
            Follower::Environment(name) => !names.contains(name.as_str()),
            Follower::Shipment(..) => false,
        };
        let gone: Vec<_> = self.places().keys().filter(is_gone).cloned().collect();
        for follower in gone {
            self.unfollow(&follower);
        }
    }

    /// Follows nothing any more.
    pub fn unfollow(&self, follower: &Follower) {
        let place = self.places().remove(follower);
        if let Some(followed) = place.and_then(|place| self.repositories().get(&place).cloned()) {
            followed.unfollow(follower);
        }
    }

    /// What is known of what a follower follows; nothing when it follows nothing.
    pub fn known(&self, follower: &Follower) -> Known {
        self.of(follower)
            .map(|followed| followed.known(follower))
            .unwrap_or_default()
    }

    /// Whether a follower follows anything.
    pub fn follows(&self, follower: &Follower) -> bool {
        self.places().contains_key(follower)
    }

    /// Looks a follower's source up at once, and tells it of that even if nothing moved.
    pub fn look_now(&self, follower: &Follower) {
        if let Some(followed) = self.of(follower) {
            followed.look_for(follower);
        }
    }

    /// Whether a follower still waits for the look that it asked for.
    pub fn is_looking(&self, follower: &Follower) -> bool {
        self.of(follower)
            .is_some_and(|followed| followed.is_asked(follower))
    }

    /// A push event: looks all sources of the URL up at once. Tells how many there are.
    pub fn pushed(&self, url: &str) -> usize {
        let url = GitUrl::parse(url).map_or_else(|_| url.to_owned(), |url| url.to_string());
        let wanted = normal(&url);
        let repositories = self.repositories();
        let hit: Vec<_> = repositories
            .iter()
            .filter(|((url, _), _)| normal(url) == wanted)
            .collect();
        for (_, followed) in &hit {
            followed.look_now();
        }
        hit.len()
    }

    /// The files of a tree that a follower was told about, loaded where they are `wanted`.
    ///
    /// # Errors
    /// [`Trouble`] when the tree is gone from the local store or breaks a bound.
    pub async fn read(
        &self,
        follower: &Follower,
        tree: TreeId,
        wanted: fn(&str) -> bool,
    ) -> Result<Vec<File>, Trouble> {
        self.on_repository(follower, move |repository| repository.read(tree, &wanted))
            .await
    }

    /// The tree of a folder in a commit that a follower was told about; nothing where the commit
    /// has no such folder.
    ///
    /// # Errors
    /// [`Trouble`] when the commit is gone from the local store.
    pub async fn tree(
        &self,
        follower: &Follower,
        commit: CommitId,
        path: String,
    ) -> Result<Option<TreeId>, Trouble> {
        let found = self.on_repository(follower, move |repository| {
            match repository.tree_id(commit, &path) {
                Err(GitError::PathMissing { .. }) => Ok(None),
                found => found.map(Some),
            }
        });
        found.await
    }

    /// What stands at one path of a commit that a follower was told about; nothing where that is
    /// no file.
    ///
    /// # Errors
    /// [`Trouble`] when the commit is gone from the local store, or the file breaks a bound.
    pub async fn file(
        &self,
        follower: &Follower,
        commit: CommitId,
        path: String,
    ) -> Result<Option<Content>, Trouble> {
        self.on_repository(follower, move |repository| repository.file(commit, &path))
            .await
    }

    /// The other followers of the same revision of the same repository, and what they are told.
    pub fn siblings(&self, follower: &Follower) -> Vec<(Follower, Known)> {
        self.of(follower)
            .map(|followed| followed.siblings(follower))
            .unwrap_or_default()
    }

    async fn on_repository<T: Send + 'static>(
        &self,
        follower: &Follower,
        work: impl FnOnce(&Repository) -> Result<T, GitError> + Send + 'static,
    ) -> Result<T, Trouble> {
        let source = self.of(follower).ok_or_else(|| Trouble {
            reason: Reason::SourcePending,
            message: "the source is not followed".to_owned(),
            transient: true,
        })?;
        let repository = source.readable_by(follower);
        let done = tokio::task::spawn_blocking(move || work(&repository)).await;
        done.map_err(|panic| broken(&panic))?
            .map_err(|error| trouble(&error))
    }

    async fn open(&self, place: &Place, wish: &Wish) -> Result<(), Trouble> {
        let _turn = self.0.opening.lock().await;
        if self.repositories().contains_key(place) {
            return Ok(()); // by somebody else meanwhile
        }
        let dir = self.folder(place);
        let (url, credentials, limits) =
            (wish.url.clone(), wish.credentials.clone(), self.0.limits);
        let opened =
            tokio::task::spawn_blocking(move || Repository::open(&dir, url, credentials, limits))
                .await;
        let repository = opened
            .map_err(|panic| broken(&panic))?
            .map_err(|error| trouble(&error))?;
        let followed = Arc::new(Followed::new(repository));
        self.repositories().insert(place.clone(), followed.clone());
        let around = repository::Surroundings {
            changes: self.0.changes.clone(),
            stop: self.0.stop.clone(),
            permits: self.0.permits.clone(),
            server: self.server(&wish.url.server()),
            metrics: self.0.metrics.clone(),
        };
        let (sources, place) = (self.clone(), place.clone());
        tokio::spawn(async move {
            while !repository::run(&followed, &around).await {
                if sources.close(&place, &followed).await {
                    break;
                }
            }
        });
        Ok(())
    }

    /// Closes a repository that nobody follows any more, and removes its folder: credentials
    /// that are renewed every hour would fill the disk otherwise.
    async fn close(&self, place: &Place, followed: &Followed) -> bool {
        let _turn = self.0.opening.lock().await;
        {
            let mut repositories = self.repositories();
            if !followed.is_idle() {
                return false;
            }
            repositories.remove(place);
        }
        let dir = self.folder(place);
        match tokio::fs::remove_dir_all(&dir).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(error = %error, "could not remove `{}`", dir.display());
            }
            _ => {}
        }
        true
    }

    fn folder(&self, place: &Place) -> PathBuf {
        self.0.cache.join(folder_name(place))
    }

    fn server(&self, name: &str) -> Arc<Semaphore> {
        let mut servers = self
            .0
            .servers
            .lock()
            .expect("nothing panics while holding it");
        let permits = || Arc::new(Semaphore::new(AT_ONCE_WITH_ONE));
        servers
            .entry(name.to_owned())
            .or_insert_with(permits)
            .clone()
    }

    fn of(&self, follower: &Follower) -> Option<Arc<Followed>> {
        let place = self.places().get(follower).cloned()?;
        self.repositories().get(&place).cloned()
    }

    fn repositories(&self) -> std::sync::MutexGuard<'_, HashMap<Place, Arc<Followed>>> {
        self.0
            .repositories
            .lock()
            .expect("nothing panics while holding it")
    }

    fn places(&self) -> std::sync::MutexGuard<'_, HashMap<Follower, Place>> {
        self.0
            .places
            .lock()
            .expect("nothing panics while holding it")
    }
}

/// A URL as push events and specs may write it differently.
fn normal(url: &str) -> &str {
    url.trim_end_matches('/').trim_end_matches(".git")
}

fn folder_name(place: &Place) -> String {
    manifest::fingerprint(&format!("{}\n{}", place.0, place.1), 24)
}

#[cfg(test)]
mod tests;
