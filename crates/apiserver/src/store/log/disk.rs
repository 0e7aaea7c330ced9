//! The end of a log's file, as far as writing needs it: tests put one in its place that fails.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};

/// A file that grows.
pub(super) trait Disk: Send {
    /// Writes at the end.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Waits until all is on disk.
    fn sync(&mut self) -> io::Result<()>;
    /// Drops what is behind a length.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

/// Files are opened for appending, so that after a cut the next write stands where it was.
impl Disk for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

/// A log's file that is written to.
pub(super) struct Segment {
    disk: Box<dyn Disk>,
    length: u64,
    /// Why nothing can be written any more.
    broken: Option<String>,
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segment")
            .field("length", &self.length)
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}

impl Segment {
    pub(super) fn new(disk: Box<dyn Disk>, length: u64) -> Self {
        Self {
            disk,
            length,
            broken: None,
        }
    }

    /// How many bytes are in it.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Writes a frame, and waits for the disk if asked to. After an error the frame is not there,
    /// or else nothing is written any more: a frame that was refused must not come back before
    /// one that was acknowledged.
    pub(super) fn write(&mut self, frame: &[u8], sync: bool) -> Result<(), String> {
        if let Some(why) = &self.broken {
            return Err(why.clone());
        }
        let written = self.disk.append(frame);
        // What a sync that failed leaves on disk is unknown, also to the system: the pages count as
        // written from then on. Nothing may be built upon it.
        let lost = written.is_ok() && sync;
        let outcome = match written {
            Ok(()) if sync => self.disk.sync(),
            other => other,
        };
        let Err(error) = outcome else {
            self.length += u64::try_from(frame.len()).unwrap_or_default();
            return Ok(());
        };
        let cut = self.disk.cut(self.length);
        if lost || cut.is_err() {
            self.give_up(&error);
        }
        Err(error.to_string())
    }

    /// Writes nothing more, for this reason.
    pub(super) fn give_up(&mut self, error: &io::Error) {
        let why = format!("{error}; changes are refused until the store is opened anew");
        tracing::error!("the log of the store cannot be written: {why}");
        self.broken = Some(why);
    }
}
