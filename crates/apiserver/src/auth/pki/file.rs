//! Files that belong to their owner alone, written as a whole or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::PkiError;

/// The largest file that is read, in bytes.
const MAX: u64 = 64 * 1024;

fn failed(path: &Path) -> impl Fn(io::Error) -> PkiError {
    let path = path.to_owned();
    move |source| PkiError::File {
        path: path.clone(),
        source,
    }
}

/// Makes a folder, or takes the rights of others away from one that is there.
pub(super) fn make_folder(path: &Path) -> Result<(), PkiError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
        .create(path)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o700)))
        .map_err(failed(path))
}

/// The text of a file; nothing if there is none.
pub(super) fn read(path: &Path) -> Result<Option<String>, PkiError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path)(error)),
    };
    let mut text = String::new();
    match file.take(MAX).read_to_string(&mut text) {
        Ok(_) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(Some(String::new())),
        Err(error) => Err(failed(path)(error)),
    }
}

/// Writes a file beside and moves it into place.
pub(super) fn write(path: &Path, text: &str) -> Result<(), PkiError> {
    let beside = path.with_added_extension("new");
    let write = || {
        // What a write that was cut off left behind may have other rights.
        if let Err(error) = fs::remove_file(&beside)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(failed(path))
}
