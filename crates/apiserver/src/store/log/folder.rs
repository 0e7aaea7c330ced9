//! The folder of a log: which files are in it, and who may use it.
//!
//! `format` names the version of all this, `lock` is locked by who uses the folder,
//! `snapshot-<revision>` has all objects of a revision, `log-<revision>` the changes from that one
//! on. A `.draft` was never finished.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::Segment;
use super::frame;
use super::replay;
use crate::store::History;
use crate::store::state::State;

/// The version of the format that is written here.
const FORMAT: u32 = 1;

/// Why a folder cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The system refuses.
    #[error("cannot use `{path}`: {source}")]
    Io {
        /// What it refuses.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another store, of this or of another process, has it open.
    #[error("`{0}` is in use by another server")]
    InUse(PathBuf),
    /// A later version wrote it.
    #[error("`{path}` has format {found}, and this version reads formats up to {FORMAT}")]
    Newer {
        /// The folder.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// Its `format` is no version.
    #[error("`{0}` is not a folder of this server")]
    Foreign(PathBuf),
    /// A file is damaged. Nothing behind the damage is used, since changes would be missing.
    #[error("`{file}` is damaged at byte {offset}: {what}")]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        what: String,
    },
}

/// Turns an error of the system into one that names the path.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| OpenError::Io { path, source }
}

/// A folder that is ours as long as this lives.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Locked.
    _lock: File,
}

/// A folder with what was in it.
pub(super) struct Opened {
    pub(super) folder: Arc<Folder>,
    pub(super) segment: Segment,
    pub(super) state: State,
}

/// The files of a folder, by their revisions.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) snapshots: Vec<(u64, PathBuf)>,
    pub(super) logs: Vec<(u64, PathBuf)>,
}

/// Opens a folder and reads what is in it.
pub(super) fn open(path: &Path, history: History) -> Result<Opened, OpenError> {
    fs::create_dir_all(path).map_err(at(path))?;
    let folder = Folder::lock(path)?;
    folder.check_format()?;
    let files = folder.files()?;
    let state = replay::replay(&files, history)?;
    let segment = match files.logs.last() {
        Some((_, file)) => {
            let opened = OpenOptions::new()
                .append(true)
                .open(file)
                .map_err(at(file))?;
            let length = opened.metadata().map_err(at(file))?.len();
            Segment::new(Box::new(opened), length)
        }
        None => folder.segment(state.revision + 1).map_err(at(path))?,
    };
    Ok(Opened {
        folder: Arc::new(folder),
        segment,
        state,
    })
}

impl Folder {
    fn lock(path: &Path) -> Result<Self, OpenError> {
        let name = path.join("lock");
        let mut options = OpenOptions::new();
        let options = options.create(true).truncate(false).write(true);
        let lock = options.open(&name).map_err(at(&name))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(at(&name)(error)),
        }
    }

    fn check_format(&self) -> Result<(), OpenError> {
        let name = self.path.join("format");
        match fs::read_to_string(&name) {
            Ok(text) => match text.trim().parse::<u32>() {
                Ok(found) if found > FORMAT => Err(OpenError::Newer {
                    path: self.path.clone(),
                    found,
                }),
                Ok(FORMAT) => Ok(()),
                _ => Err(OpenError::Foreign(self.path.clone())),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.write_format(&name).map_err(at(&name))
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(OpenError::Foreign(self.path.clone()))
            }
            Err(error) => Err(at(&name)(error)),
        }
    }

    fn write_format(&self, name: &Path) -> io::Result<()> {
        let (draft, mut file) = self.draft("format.draft")?;
        file.write_all(format!("{FORMAT}\n").as_bytes())?;
        self.finish(&draft, name, &file)
    }

    /// What is in the folder.
    fn files(&self) -> Result<Files, OpenError> {
        let mut files = Files::default();
        for entry in fs::read_dir(&self.path).map_err(at(&self.path))? {
            let path = entry.map_err(at(&self.path))?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.unwrap_or_default();
            let number = |prefix: &str| name.strip_prefix(prefix)?.parse::<u64>().ok();
            if let Some(revision) = number("snapshot-") {
                files.snapshots.push((revision, path));
            } else if let Some(revision) = number("log-") {
                files.logs.push((revision, path));
            }
        }
        files.snapshots.sort();
        files.logs.sort();
        Ok(files)
    }

    /// A file that does not count yet. One that was never finished is written over by the next.
    pub(super) fn draft(&self, name: &str) -> io::Result<(PathBuf, File)> {
        let path = self.path.join(name);
        let mut options = OpenOptions::new();
        let options = options.create(true).write(true).truncate(true);
        let file = options.open(&path)?;
        Ok((path, file))
    }

    /// Makes a draft count. It is whole from then on, whatever happens.
    fn finish(&self, draft: &Path, name: &Path, file: &File) -> io::Result<()> {
        file.sync_all()?;
        fs::rename(draft, name)?;
        File::open(&self.path)?.sync_all()
    }

    /// Starts a log at a revision.
    pub(super) fn segment(&self, first: u64) -> io::Result<Segment> {
        let (draft, mut file) = self.draft("log.draft")?;
        let mut bytes = Vec::new();
        frame::frame(&mut bytes, |out| frame::head(out, first));
        file.write_all(&bytes)?;
        let name = self.path.join(format!("log-{first:020}"));
        self.finish(&draft, &name, &file)?;
        let file = OpenOptions::new().append(true).open(&name)?;
        let length = file.metadata()?.len();
        Ok(Segment::new(Box::new(file), length))
    }

    /// Makes a snapshot count.
    pub(super) fn finish_snapshot(&self, draft: &Path, revision: u64) -> io::Result<()> {
        let name = self.path.join(format!("snapshot-{revision:020}"));
        self.finish(draft, &name, &File::open(draft)?)
    }

    /// Deletes what a snapshot has made superfluous. What stays by accident goes next time.
    pub(super) fn prune(&self, revision: u64) {
        let Ok(files) = self.files() else {
            return;
        };
        let snapshots = files.snapshots.iter().filter(|(at, _)| *at < revision);
        let logs = files.logs.iter().filter(|(first, _)| *first <= revision);
        for (_, path) in snapshots.chain(logs) {
            if let Err(error) = fs::remove_file(path) {
                tracing::warn!("cannot delete `{}`: {error}", path.display());
            }
        }
    }
}
