//! The files that the rules look at: all that is tracked or could be added.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::run::Outcome;

/// Folders that a walk leaves out when git cannot be asked.
const SKIPPED: [&str; 2] = ["target", ".git"];

/// Text files by their path from the root.
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    pub(crate) fn read(root: &Path) -> Outcome<Self> {
        let mut files = BTreeMap::new();
        for path in list(root)? {
            match fs::read(root.join(&path)) {
                // What is no text breaks no rule.
                Ok(bytes) => drop(String::from_utf8(bytes).map(|text| files.insert(path, text))),
                // Tracked and deleted, but not yet committed.
                Err(err) if err.kind() == std::io::ErrorKind::NotFound => {}
                Err(err) => return Err(format!("could not read `{path}`: {err}")),
            }
        }
        Ok(Self { files })
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(|(path, _)| {
            Path::new(path)
                .extension()
                .is_some_and(|extension| extension == "rs")
        })
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        Self {
            files: files.collect(),
        }
    }
}

fn list(root: &Path) -> Outcome<Vec<String>> {
    let asked = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .stderr(Stdio::null())
        .output();
    if let Ok(output) = asked
        && output.status.success()
    {
        let text = String::from_utf8(output.stdout).map_err(|_| "a file's name is no text")?;
        return Ok(text
            .split('\0')
            .filter(|path| !path.is_empty())
            .map(str::to_owned)
            .collect());
    }
    // An unpacked archive has no repository, and a bare machine no git.
    let mut found = Vec::new();
    walk(root, root, &mut found).map_err(|err| format!("could not list the files: {err}"))?;
    Ok(found)
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_dir() && !SKIPPED.iter().any(|skipped| entry.file_name() == *skipped) {
            walk(root, &path, found)?;
        } else if kind.is_file() {
            let inside = path
                .strip_prefix(root)
                .expect("the walk stays below the root");
            found.push(inside.to_string_lossy().into_owned());
        }
    }
    Ok(())
}
