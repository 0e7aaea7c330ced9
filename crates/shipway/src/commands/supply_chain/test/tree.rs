//! Which folders are cases, and what those above them give to them.

use std::io;
use std::path::{Path, PathBuf};

use super::case::Case;
use super::wrong::Wrong;
use crate::error::CliError;

/// A case, or why it is none.
#[derive(Debug)]
pub(super) struct Found {
    /// Its folder.
    pub(super) path: String,
    pub(super) case: Result<Case, Wrong>,
}

/// The cases of a folder, in the order of their paths. One that cannot be read spoils no other.
pub(super) fn find(folder: &Path) -> Result<Vec<Found>, CliError> {
    let path = folder.display();
    if !folder.is_dir() {
        return Err(CliError::failed(format!("`{path}` is no folder"))
            .hint("name the folder of a case, or one above it"));
    }
    let mut found = Vec::new();
    descend(folder, &Ok(Case::default()), &mut found);
    if found.is_empty() {
        return Err(CliError::failed(format!("`{path}` has no cases")).hint(
            "a case is a folder with template.yaml, workload.yaml and expected.yaml, or with an info.yaml that names them",
        ));
    }
    Ok(found)
}

fn descend(folder: &Path, above: &Result<Case, Wrong>, found: &mut Vec<Found>) {
    let case = above.as_ref().map_err(Wrong::clone);
    let case = case.and_then(|above| above.within(folder));
    let path = folder.display().to_string();
    let below = match folders(folder) {
        Ok(below) => below,
        Err(why) => {
            let case = Err(Wrong::new(format!("could not read `{path}`: {why}")));
            found.push(Found { path, case });
            return;
        }
    };
    for folder in &below {
        descend(folder, &case, found);
    }
    // Where nothing of a case was seen on the way, it is a folder for something else.
    let is_case = case.as_ref().map_or(true, |case| case.has_begun);
    if below.is_empty() && is_case {
        found.push(Found { path, case });
    }
}

/// The folders in a folder; not hidden ones, and no links.
fn folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if entry.file_type()?.is_dir() && !is_hidden {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders)
}
