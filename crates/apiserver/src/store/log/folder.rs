//! The folder of a log: who may use it, and what is in its one file.
//!
//! `lock` is locked by who uses the folder, `log` has the state of some revision and the changes after
//! it. `log.draft` was never finished.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::Segment;
use super::line::{self, Line};
use crate::store::History;
use crate::store::map::Map;
use crate::store::state::{Bells, Event, State};

/// Who may read the files: their owner alone, since objects hold secrets.
const PRIVATE: u32 = 0o600;

/// How many bytes are written at a time.
const CHUNK: usize = 256 << 10;

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The system refuses.
    #[error("cannot use `{path}`: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It has a user.
    #[error("`{0}` is in use by another server")]
    InUse(PathBuf),
    /// It was written by a later version of this server.
    #[error("`{0}` was made by a newer version of Shipway")]
    Newer(PathBuf),
    /// It holds something else, or what an earlier version wrote.
    #[error("`{0}` is not a folder of this server")]
    Foreign(PathBuf),
    /// What it holds is not what was written.
    #[error("`{file}` is damaged at byte {offset}: {what}")]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where the first damage is.
        offset: u64,
        /// What is wrong there.
        what: &'static str,
    },
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| OpenError::Io { path, source }
}

/// That nobody else uses a folder, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes a folder, which is made where there is none.
    ///
    /// # Errors
    /// [`OpenError::InUse`] where somebody else has it.
    pub(crate) fn take(folder: &Path) -> Result<Self, OpenError> {
        let mut builder = DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(folder);
        made.map_err(at(folder))?;
        let name = folder.join("lock");
        let mut options = OpenOptions::new();
        let options = options
            .create(true)
            .truncate(false)
            .write(true)
            .mode(PRIVATE);
        let file = options.open(&name).map_err(at(&name))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse(folder.to_owned())),
            Err(TryLockError::Error(error)) => Err(at(&name)(error)),
        }
    }
}

/// A folder that nobody else uses meanwhile.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// The folder itself, whose names are on disk once this is synced.
    names: File,
    /// How that is done: tests put in its place what fails.
    sync: fn(&File) -> io::Result<()>,
    _lock: Lock,
}

/// A folder that was opened.
pub(super) struct Opened {
    pub(super) folder: Folder,
    pub(super) segment: Segment,
    pub(super) state: State,
}

/// Opens a folder, which is made where there is none, and reads what is in it.
pub(super) fn open(path: &Path, history: History) -> Result<Opened, OpenError> {
    let folder = Folder::lock(path)?;
    // What versions before this one wrote.
    if path.join("format").exists() {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    let file = folder.log();
    if !file.exists() {
        let segment = folder.begin(0, &[]).map_err(at(&file))?;
        return Ok(Opened {
            folder,
            segment,
            state: State::at(0),
        });
    }
    let bytes = fs::read(&file).map_err(at(&file))?;
    if bytes.is_empty() {
        // A log has its first line before it has its name: something else has emptied it, and the objects are gone.
        return Err(OpenError::Damaged {
            file,
            offset: 0,
            what: "it is empty",
        });
    }
    let reader = Reader {
        file: &file,
        bytes: &bytes,
    };
    let (state, length) = reader.read(history)?;
    let segment = append_to(&file).map_err(at(&file))?;
    if length < bytes.len() {
        tracing::warn!(
            "`{}` has a torn end of {} bytes, which were never acknowledged: it is cut off",
            file.display(),
            bytes.len() - length
        );
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        segment.set_len(length).map_err(at(&file))?;
        segment.sync_all().map_err(at(&file))?;
    }
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    Ok(Opened {
        folder,
        segment: Segment::new(Box::new(segment), length),
        state,
    })
}

fn append_to(file: &Path) -> io::Result<File> {
    let log = OpenOptions::new().append(true).open(file)?;
    // As above.
    log.set_permissions(fs::Permissions::from_mode(PRIVATE))?;
    Ok(log)
}

impl Folder {
    fn lock(path: &Path) -> Result<Self, OpenError> {
        let lock = Lock::take(path)?;
        // A version before this one let everybody look into it.
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(at(path))?;
        Ok(Self {
            path: path.to_owned(),
            names: File::open(path).map_err(at(path))?,
            sync: File::sync_all,
            _lock: lock,
        })
    }

    #[cfg(test)]
    pub(super) fn synced_by(self, sync: fn(&File) -> io::Result<()>) -> Self {
        Self { sync, ..self }
    }

    fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    /// Begins the log anew, with the objects of a revision. The old one stays until the new one is whole.
    ///
    /// After an error the old one is still the log. From the moment that the new one has its name, the old
    /// one's file has none and nothing that is written there is found again: so all that may fail comes
    /// before, and where the name may not outlive the machine, nothing more is written to either.
    pub(super) fn begin(&self, revision: u64, maps: &[Map]) -> io::Result<Segment> {
        let draft = self.path.join("log.draft");
        let mut options = OpenOptions::new();
        let options = options.create(true).append(true).mode(PRIVATE);
        let mut file = options.open(&draft)?;
        file.set_permissions(fs::Permissions::from_mode(PRIVATE))?; // of one that was never finished
        file.set_len(0)?; // of one that was never finished
        let count = maps.iter().map(Map::len).sum::<usize>();
        let mut out = Vec::with_capacity(CHUNK * 2);
        line::head(&mut out, revision, u64::try_from(count).unwrap_or_default());
        for record in maps.iter().flat_map(|map| map.from("")) {
            line::put(&mut out, record);
            if out.len() > CHUNK {
                file.write_all(&out)?;
                out.clear();
            }
        }
        file.write_all(&out)?;
        file.sync_all()?;
        let length = file.metadata()?.len();
        let mut segment = Segment::new(Box::new(file), length);
        fs::rename(draft, self.log())?;
        if let Err(error) = (self.sync)(&self.names) {
            segment.give_up(&error);
        }
        Ok(segment)
    }
}

/// Reads a log.
struct Reader<'a> {
    file: &'a Path,
    bytes: &'a [u8],
}

impl Reader<'_> {
    /// The state at its end, and how many bytes belong to it.
    fn read(&self, history: History) -> Result<(State, usize), OpenError> {
        let mut state = State::at(0);
        let (mut rest, mut loaded) = (self.bytes, None);
        while let Some((line, behind)) = split(rest) {
            let offset = self.bytes.len() - rest.len();
            let Some(payload) = line::payload(line) else {
                break;
            };
            let read = line::read(payload)
                .ok_or_else(|| self.damaged(offset, "an entry makes no sense"))?;
            match (read, &mut loaded) {
                (Line::Newer, None) => {
                    let folder = self.file.parent().unwrap_or(self.file);
                    return Err(OpenError::Newer(folder.to_owned()));
                }
                (Line::Head(revision, count), None) => {
                    state = State::at(revision);
                    loaded = Some(count);
                }
                (Line::Put(record), Some(left @ 1..)) => {
                    *left -= 1;
                    state.load(Arc::new(record));
                }
                (Line::Put(record), Some(0)) => {
                    let revision = record.modified();
                    let previous = state.get(record.key()).cloned();
                    let event = Event::put(record, previous);
                    self.apply(event, revision, offset, &mut state, history)?;
                }
                (Line::Delete(key, revision), Some(0)) => {
                    let gone = state.get(&key).cloned();
                    let gone = gone.ok_or_else(|| self.damaged(offset, "it was gone before"))?;
                    let event = Event::delete(gone, revision);
                    self.apply(event, revision, offset, &mut state, history)?;
                }
                _ => return Err(self.damaged(offset, "an entry makes no sense")),
            }
            rest = behind;
        }
        let offset = self.bytes.len() - rest.len();
        // The state that a log begins with is whole before the log has its name. What was acknowledged
        // ends its line: a line that was on its way when the process ended has none.
        if loaded != Some(0) || rest.contains(&b'\n') {
            return Err(self.damaged(offset, "a checksum is wrong"));
        }
        Ok((state, offset))
    }

    fn apply(
        &self,
        event: Event,
        revision: u64,
        offset: usize,
        state: &mut State,
        history: History,
    ) -> Result<(), OpenError> {
        if revision != state.revision + 1 {
            return Err(self.damaged(offset, "a revision is missing"));
        }
        state.apply(event, &mut Bells::default(), history);
        Ok(())
    }

    fn damaged(&self, offset: usize, what: &'static str) -> OpenError {
        OpenError::Damaged {
            file: self.file.to_owned(),
            offset: u64::try_from(offset).unwrap_or(u64::MAX),
            what,
        }
    }
}

/// The first line, and what is behind it; none where no line ends.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, behind) = bytes.split_at_checked(end)?;
    Some((line, behind.get(1..)?))
}
