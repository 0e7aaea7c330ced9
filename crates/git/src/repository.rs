//! One repository of one server, seen with one set of credentials.
//!
//! Must not know who asks, or how often: callers share a `Repository` per (URL, credentials).

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::http::Client;
use crate::remote::{Fetched, Session, Want};
use crate::store::{self, Generation, Store};
use crate::url::Place;
use crate::{
    CommitId, Content, Credentials, File, GitError, GitUrl, Limits, Reference, TreeId, credentials,
    tree,
};

/// How far back a branch is searched for a commit its server does not hand out by id.
const HISTORY: NonZeroU32 = NonZeroU32::new(200).expect("it is not zero");

/// A local copy of the few commits that were asked for.
///
/// # Guarantees
///
/// Usable from many threads. A look-up or fetch ends within `limits.timeout` once it is its turn
/// (fetches of one repository go one after another; look-ups and reads do not wait). Neither an
/// aborted fetch nor a killed process leaves a state that the next fetch does not mend.
///
/// # Assumptions
///
/// The folder belongs to this value alone.
pub struct Repository {
    url: GitUrl,
    limits: Limits,
    source: Source,
    fetching: Mutex<()>,
}

enum Source {
    Remote(Box<Remote>),
    Local(Box<gix::ThreadSafeRepository>),
}

struct Remote {
    client: Client,
    store: Store,
}

impl Repository {
    /// Makes or reuses a bare repository in `dir`; asks no server.
    ///
    /// # Errors
    ///
    /// [`GitError::Unauthorized`] if credentials would go over plain http, [`GitError::Tls`] for
    /// an unreadable bundle of authorities, [`GitError::Local`] for an unusable folder.
    pub fn open(
        dir: &Path,
        url: GitUrl,
        credentials: Credentials,
        limits: Limits,
    ) -> Result<Repository, GitError> {
        let source = match url.place() {
            Place::Local(path) => Source::Local(Box::new(open_local(path, limits)?)),
            Place::Http(home) => {
                // A folder that once served others must not answer for what only they may see.
                let identity = Sha256::digest(format!("{url}\n{}", credentials.fingerprint()));
                let client = Client::new(&url, home, credentials, limits)?;
                let store = Store::open(dir, &credentials::hex(&identity), limits)?;
                Source::Remote(Box::new(Remote { client, store }))
            }
        };
        Ok(Repository {
            url,
            limits,
            source,
            fetching: Mutex::new(()),
        })
    }

    /// The address.
    pub fn url(&self) -> &GitUrl {
        &self.url
    }

    /// Asks the server once where all of these stand. `None`: the server has no such reference.
    ///
    /// Annotated tags give the commit they name. A commit gives itself, without being asked for.
    pub fn look_up(
        &self,
        wanted: &[Reference],
    ) -> Result<BTreeMap<Reference, Option<CommitId>>, GitError> {
        let mut answers = BTreeMap::new();
        let mut names = BTreeMap::new();
        for reference in wanted {
            let known = match reference {
                Reference::Commit(commit) => Some(*commit),
                Reference::Branch(_) | Reference::Tag(_) => None,
            };
            answers.insert(reference.clone(), known);
            if let Some(name) = reference.full_name() {
                names.insert(name, reference.clone());
            }
        }
        if names.is_empty() {
            return Ok(answers);
        }
        match &self.source {
            Source::Local(repo) => {
                let repo = repo.to_thread_local();
                for (name, reference) in names {
                    answers.insert(reference, local_target(&repo, &name)?);
                }
            }
            Source::Remote(remote) => {
                let asked: Vec<String> = names.keys().cloned().collect();
                let generation = remote.store.current();
                let stop = AtomicBool::new(false);
                for found in
                    Session::start(&generation.repo(), &remote.client, &stop).look_up(&asked)?
                {
                    if let Some(reference) = names.get(&found.name) {
                        answers.insert(reference.clone(), CommitId::from_oid(found.object));
                    }
                }
            }
        }
        Ok(answers)
    }

    /// Fetches `commit`, where `wanted` stood at the last look-up, without its history.
    ///
    /// A commit that is already there costs no request. If `wanted` has moved on, the commit is
    /// asked for by its id. Raising `stop` soon ends the call with [`GitError::Stopped`].
    pub fn fetch(
        &self,
        wanted: &Reference,
        commit: CommitId,
        stop: &AtomicBool,
    ) -> Result<(), GitError> {
        match wanted {
            Reference::Commit(_) => self.fetch_pinned(commit, None, stop),
            Reference::Branch(name) => {
                self.fetch_named(wanted, &format!("heads/{name}"), commit, stop)
            }
            Reference::Tag(name) => self.fetch_named(wanted, &format!("tags/{name}"), commit, stop),
        }
    }

    /// Fetches a pinned commit by its id, without a look-up.
    ///
    /// Some servers (those without protocol 2) hand out only what a reference names. There the
    /// last 200 commits of `branch`, or of the default branch, are searched.
    pub fn fetch_pinned(
        &self,
        commit: CommitId,
        branch: Option<&str>,
        stop: &AtomicBool,
    ) -> Result<(), GitError> {
        self.fetch_with(commit, stop, |session| {
            if by_id(session, commit)? == Fetched::Done {
                return Ok(());
            }
            let branch = branch.map(|name| Reference::Branch(name.to_owned()));
            let head = "HEAD".to_owned();
            let source = match &branch {
                Some(branch) => branch
                    .full_name()
                    .ok_or_else(|| self.reference_missing(branch))?,
                None => head,
            };
            let found = session.look_up(std::slice::from_ref(&source))?;
            let tip = found.into_iter().find(|found| found.name == source);
            let Some(tip) = tip.and_then(|found| CommitId::from_oid(found.object)) else {
                return Err(branch.map_or(GitError::CommitMissing { commit }, |branch| {
                    self.reference_missing(&branch)
                }));
            };
            let want = Want {
                source: &source,
                commit: tip,
                kept_as: "searched",
                depth: HISTORY,
            };
            session.fetch(&want)?;
            if session.repo.has_object(commit.oid()) {
                Ok(())
            } else {
                Err(GitError::CommitMissing { commit })
            }
        })
    }

    fn fetch_named(
        &self,
        wanted: &Reference,
        kept_as: &str,
        commit: CommitId,
        stop: &AtomicBool,
    ) -> Result<(), GitError> {
        let missing = || self.reference_missing(wanted);
        self.fetch_with(commit, stop, |session| {
            let source = wanted.full_name().ok_or_else(missing)?;
            let want = Want {
                source: &source,
                commit,
                kept_as,
                depth: NonZeroU32::MIN,
            };
            match session.fetch(&want)? {
                Fetched::Done => Ok(()),
                Fetched::NoReference => Err(missing()),
                Fetched::Moved | Fetched::NotServed => match by_id(session, commit)? {
                    Fetched::Done => Ok(()),
                    _ => Err(GitError::CommitMissing { commit }),
                },
            }
        })
    }

    /// Runs `bring` on the repository that is to receive `commit`, unless it is there.
    fn fetch_with(
        &self,
        commit: CommitId,
        stop: &AtomicBool,
        bring: impl Fn(&Session<'_>) -> Result<(), GitError>,
    ) -> Result<(), GitError> {
        let (client, store) = match &self.source {
            Source::Remote(remote) => (&remote.client, &remote.store),
            Source::Local(_) if self.has(commit) => return Ok(()),
            Source::Local(_) => return Err(GitError::CommitMissing { commit }),
        };
        let _turn = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        if self.has(commit) {
            return Ok(());
        }
        if stop.load(Ordering::Relaxed) {
            return Err(GitError::Stopped);
        }
        let current = store.current();
        if !current.is_worn() {
            match bring(&Session::start(&current.repo(), client, stop)) {
                Err(GitError::Local { why }) => {
                    tracing::warn!(
                        error = why,
                        "the copy of `{}` is unusable, fetching into a new one",
                        self.url
                    );
                }
                other => return other,
            }
        }
        // Readers have the old one until the new one is complete.
        let fresh = Retiring(Some(store.fresh()?));
        if let Some(generation) = &fresh.0 {
            bring(&Session::start(&generation.repo(), client, stop))?;
        }
        fresh.install(store);
        Ok(())
    }

    /// Whether the commit can be read without asking the server.
    pub fn has(&self, commit: CommitId) -> bool {
        match &self.source {
            Source::Local(repo) => repo.to_thread_local().has_object(commit.oid()),
            Source::Remote(remote) => {
                let generation = remote.store.current();
                !generation.is_suspect() && generation.repo().has_object(commit.oid())
            }
        }
    }

    /// The id of the folder `path` (`.` or empty: the root) of a fetched commit.
    ///
    /// Equal ids mean equal files: this is what a cache of rendered content is keyed by.
    pub fn tree_id(&self, commit: CommitId, path: &str) -> Result<TreeId, GitError> {
        self.with_repo(|repo| tree::tree_id(repo, commit, path))
    }

    /// What stands at one path of a fetched commit, within the limits; nothing where that is no
    /// file and no link.
    pub fn file(&self, commit: CommitId, path: &str) -> Result<Option<Content>, GitError> {
        self.with_repo(|repo| tree::file(repo, commit, path, &self.limits))
    }

    /// All files below a folder, sorted by path.
    ///
    /// Links come as links; nothing is followed. A submodule, a name that is not UTF-8 or that
    /// could leave its folder, and everything beyond the limits is an error, but for a single
    /// file that is too large: it is named and not loaded, and neither is a file that is not
    /// `wanted`. Sizes are checked before content is loaded.
    pub fn read(&self, tree: TreeId, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<File>, GitError> {
        self.with_repo(|repo| tree::read(repo, tree, &self.limits, wanted))
    }

    /// How many packs the local copy has gathered.
    pub fn packs(&self) -> usize {
        match &self.source {
            Source::Remote(remote) => remote.store.current().packs(),
            Source::Local(_) => 0,
        }
    }

    /// Removes what aborted fetches left and tells whether the next fetch will fill a new copy,
    /// as it does by itself from 50 packs on. All that was fetched stays readable until then.
    pub fn maintain(&self) -> Result<bool, GitError> {
        let Source::Remote(remote) = &self.source else {
            return Ok(false);
        };
        let _turn = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        let current = remote.store.current();
        current.sweep()?;
        Ok(current.is_worn())
    }

    /// Starts an empty copy at once, for whoever knows that space is short.
    ///
    /// Commits that were fetched are gone afterwards and come back when they are fetched again.
    pub fn empty(&self) -> Result<(), GitError> {
        if let Source::Remote(remote) = &self.source {
            let _turn = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh = remote.store.fresh()?;
            remote.store.replace(fresh);
        }
        Ok(())
    }

    fn with_repo<T>(
        &self,
        read: impl FnOnce(&gix::Repository) -> Result<T, GitError>,
    ) -> Result<T, GitError> {
        match &self.source {
            Source::Local(repo) => read(&repo.to_thread_local()),
            Source::Remote(remote) => {
                // Keeps the folder while it is read.
                let generation = remote.store.current();
                let result = read(&generation.repo());
                if let Err(GitError::Local { .. }) = &result {
                    // An object that is there and cannot be read would never be fetched again.
                    generation.suspect();
                }
                result
            }
        }
    }

    fn reference_missing(&self, reference: &Reference) -> GitError {
        GitError::ReferenceMissing {
            url: self.url.clone(),
            reference: reference.clone(),
        }
    }
}

/// A new copy that goes away again unless it is installed.
struct Retiring(Option<Generation>);

impl Retiring {
    fn install(mut self, store: &Store) {
        if let Some(generation) = self.0.take() {
            store.replace(generation);
        }
    }
}

impl Drop for Retiring {
    fn drop(&mut self) {
        if let Some(generation) = &self.0 {
            generation.retire();
        }
    }
}

fn by_id(session: &Session<'_>, commit: CommitId) -> Result<Fetched, GitError> {
    let id = commit.to_string();
    session.fetch(&Want {
        source: &id,
        commit,
        kept_as: "pinned",
        depth: NonZeroU32::MIN,
    })
}

fn open_local(path: &Path, limits: Limits) -> Result<gix::ThreadSafeRepository, GitError> {
    let inside = path.join(".git");
    store::open(if inside.exists() { &inside } else { path }, limits)
}

fn local_target(repo: &gix::Repository, name: &str) -> Result<Option<CommitId>, GitError> {
    let Some(mut reference) = repo.try_find_reference(name).map_err(GitError::local)? else {
        return Ok(None);
    };
    let id = reference.peel_to_id().map_err(GitError::local)?;
    Ok(CommitId::from_oid(id.detach()))
}
