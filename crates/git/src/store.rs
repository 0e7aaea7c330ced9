//! The folder on disk: one bare repository at a time, replaced when it has gathered too much.
//!
//! Shallow fetches leave a pack each, and nothing here can repack. So a folder holds a
//! *generation* `g<number>`; when that has many packs, the next fetch fills a new one. Readers
//! of the old one keep it until they are done.
//!
//! # Assumptions
//!
//! One process owns the folder: locks and temporary files found at the start are left-overs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::{GitError, Limits};

/// From how many packs on the next fetch starts afresh.
const PACKS: usize = 50;

/// One bare repository; its folder goes with the last reader once it is retired.
pub(crate) struct Generation {
    number: u64,
    path: PathBuf,
    retired: AtomicBool,
    suspect: AtomicBool,
    repo: gix::ThreadSafeRepository,
}

impl Generation {
    /// A handle for the calling thread.
    pub(crate) fn repo(&self) -> gix::Repository {
        self.repo.to_thread_local()
    }

    /// How many packs it has gathered.
    pub(crate) fn packs(&self) -> usize {
        let Ok(entries) = fs::read_dir(self.path.join("objects/pack")) else {
            return 0;
        };
        entries
            .flatten()
            .filter(|entry| entry.path().extension().is_some_and(|ext| ext == "pack"))
            .count()
    }

    /// Whether the next fetch is to start afresh.
    pub(crate) fn is_worn(&self) -> bool {
        self.is_suspect() || self.packs() >= PACKS
    }

    /// Remembers that something in it could not be read.
    pub(crate) fn suspect(&self) {
        self.suspect.store(true, Ordering::Relaxed);
    }

    /// Whether something in it could not be read.
    pub(crate) fn is_suspect(&self) -> bool {
        self.suspect.load(Ordering::Relaxed)
    }

    fn new(number: u64, path: PathBuf, repo: gix::ThreadSafeRepository) -> Generation {
        Generation {
            number,
            path,
            retired: AtomicBool::new(false),
            suspect: AtomicBool::new(false),
            repo,
        }
    }

    /// Removes what aborted fetches left; nothing may be fetching.
    pub(crate) fn sweep(&self) -> Result<(), GitError> {
        sweep(&self.path).map_err(GitError::local)
    }

    /// Marks it for removal.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        if self.retired.load(Ordering::Relaxed)
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            tracing::warn!(error = %error, "could not remove the old copy `{}`", self.path.display());
        }
    }
}

pub(crate) struct Store {
    dir: PathBuf,
    limits: Limits,
    current: RwLock<Arc<Generation>>,
}

impl Store {
    /// Opens the folder or makes it; what belongs to another `identity` is removed first.
    pub(crate) fn open(dir: &Path, identity: &str, limits: Limits) -> Result<Store, GitError> {
        fs::create_dir_all(dir).map_err(GitError::local)?;
        let marker = dir.join("identity");
        let same =
            bounded(&marker, identity.len()).is_some_and(|found| found == identity.as_bytes());
        let mut numbers = generations(dir)?;
        let mut current = None;
        while same && current.is_none() {
            let Some(number) = numbers.pop() else { break };
            let path = dir.join(name(number));
            match sweep(&path)
                .map_err(GitError::local)
                .and_then(|()| open(&path, limits))
            {
                Ok(repo) => current = Some(Generation::new(number, path, repo)),
                Err(error) => {
                    tracing::warn!(error = %error, "starting afresh instead of with `{}`", path.display());
                    fs::remove_dir_all(&path).map_err(GitError::local)?;
                }
            }
        }
        for number in numbers {
            fs::remove_dir_all(dir.join(name(number))).map_err(GitError::local)?;
        }
        let current = match current {
            Some(current) => current,
            None => create(dir, 1, limits)?,
        };
        if !same {
            fs::write(&marker, identity).map_err(GitError::local)?;
        }
        Ok(Store {
            dir: dir.to_owned(),
            limits,
            current: RwLock::new(Arc::new(current)),
        })
    }

    /// The repository in use.
    pub(crate) fn current(&self) -> Arc<Generation> {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// An empty repository that is to follow the current one.
    pub(crate) fn fresh(&self) -> Result<Generation, GitError> {
        create(&self.dir, self.current().number + 1, self.limits)
    }

    /// Puts a fresh repository in the place of the current one.
    pub(crate) fn replace(&self, fresh: Generation) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        current.retire();
        *current = Arc::new(fresh);
    }
}

fn name(number: u64) -> String {
    format!("g{number}")
}

/// The numbers of all generations, rising.
fn generations(dir: &Path) -> Result<Vec<u64>, GitError> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir).map_err(GitError::local)? {
        let entry = entry.map_err(GitError::local)?;
        let number: Option<u64> = entry
            .file_name()
            .to_str()
            .and_then(|name| name.strip_prefix('g')?.parse().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn create(dir: &Path, number: u64, limits: Limits) -> Result<Generation, GitError> {
    let path = dir.join(name(number));
    if path.exists() {
        fs::remove_dir_all(&path).map_err(GitError::local)?;
    }
    // Not `gix::init_bare`, which asks an installed `git` for its configuration.
    let bare = gix::create::Kind::Bare;
    gix::ThreadSafeRepository::init_opts(
        &path,
        bare,
        gix::create::Options::default(),
        gix::open::Options::isolated(),
    )
    .map_err(GitError::local)?;
    let repo = open(&path, limits)?;
    Ok(Generation::new(number, path, repo))
}

/// Opens a bare repository without any configuration but ours.
pub(crate) fn open(path: &Path, limits: Limits) -> Result<gix::ThreadSafeRepository, GitError> {
    gix::open::Options::isolated()
        .open_path_as_is(true)
        .config_overrides([
            // No object is unpacked into more memory than a whole fetch may bring.
            format!("gitoxide.objects.allocLimit={}", limits.pack_bytes),
            "core.logAllRefUpdates=false".to_owned(),
            "user.name=shipway".to_owned(),
            "user.email=shipway@localhost".to_owned(),
        ])
        // The default makes room for a few more packs than are there now and fails beyond.
        .object_store_slots(gix::odb::store::init::Slots::Given(512))
        .open(path)
        .map_err(GitError::local)
}

fn bounded(path: &Path, limit: usize) -> Option<Vec<u8>> {
    let small = fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() <= limit as u64);
    if small { fs::read(path).ok() } else { None }
}

/// Removes what a fetch that was killed or aborted left behind.
fn sweep(path: &Path) -> std::io::Result<()> {
    for folder in ["", "objects/pack", "refs/shipway"] {
        let Ok(entries) = fs::read_dir(path.join(folder)) else {
            continue;
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let left_over =
                name.ends_with(".lock") || name.ends_with(".keep") || name.starts_with(".tmp");
            if left_over && entry.file_type()?.is_file() {
                fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}
