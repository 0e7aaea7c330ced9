//! The file of a Deliverable in a clone of the deliverables repository.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::error::CliError;
use crate::output::word;

/// How deep below an environment's folder a file is looked for.
const DEPTH: usize = 8;
/// How many candidates an error names.
const SHOWN: usize = 20;

/// A file that was found.
pub(super) struct Found {
    place: PathBuf,
    /// Its path in the clone, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

/// Finds `<to>/deliverable-<name>.yaml`, there or in one folder below.
pub(super) fn find(repo: &Path, to: &str, name: &str) -> Result<Found, CliError> {
    let inside = |text: &str| {
        Path::new(text)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
    };
    if to.is_empty() || !inside(to) || !inside(name) {
        return Err(CliError::usage(format!(
            "`{to}` is no folder of the deliverables repository"
        )));
    }
    let mut all = Vec::new();
    collect(repo, to, 0, &mut all);
    all.sort();
    let names = [
        format!("deliverable-{name}.yaml"),
        format!("deliverable-{name}.yml"),
    ];
    let is_it = |path: &String| {
        path.rsplit('/')
            .next()
            .is_some_and(|file| names.iter().any(|name| name == file))
    };
    let at_once = all
        .iter()
        .find(|path| is_it(path) && path.matches('/').count() == to.matches('/').count() + 1);
    let found: Vec<&String> = match at_once {
        Some(path) => vec![path],
        None => all.iter().filter(|path| is_it(path)).collect(),
    };
    match found.as_slice() {
        [path] => read(repo, path),
        [] => Err(missing(repo, to, &names[0], &all)),
        several => Err(CliError::failed(format!(
            "there are several: {}",
            quoted(several.iter().copied())
        ))
        .hint("name the folder that it is in with --to")),
    }
}

fn missing(repo: &Path, to: &str, file: &str, all: &[String]) -> CliError {
    let error = CliError::failed(format!("there is no `{to}/{file}` in `{}`", repo.display()));
    if !repo.join(to).is_dir() {
        return error
            .hint("run it in a clone of the deliverables repository, or name one with --repo");
    }
    let others: Vec<_> = all
        .iter()
        .filter(|path| path.contains("deliverable-"))
        .collect();
    if others.is_empty() {
        return error.hint(format!("`{to}` holds no `deliverable-*.yaml` at all"));
    }
    error.hint(format!("there are {}", quoted(others.into_iter())))
}

fn quoted<'a>(paths: impl Iterator<Item = &'a String>) -> String {
    paths
        .take(SHOWN)
        .map(|path| format!("`{path}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The files below a folder. Links are not followed: they may lead out of the clone.
fn collect(repo: &Path, folder: &str, depth: usize, files: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(repo.join(folder)) else {
        return;
    };
    for entry in entries.flatten() {
        let (Ok(kind), Ok(name)) = (entry.file_type(), entry.file_name().into_string()) else {
            continue;
        };
        let path = format!("{folder}/{name}");
        if kind.is_dir() && depth < DEPTH && name != ".git" {
            collect(repo, &path, depth + 1, files);
        } else if kind.is_file() {
            files.push(path);
        }
    }
}

fn read(repo: &Path, path: &str) -> Result<Found, CliError> {
    let place = repo.join(path);
    let failed = |why: &dyn std::fmt::Display| {
        CliError::failed(format!("could not read `{}`: {why}", place.display()))
    };
    let size = fs::metadata(&place).map_err(|error| failed(&error))?.len();
    if size > manifest::MAX_FILE_BYTES as u64 {
        return Err(failed(&"it is too large"));
    }
    let text = fs::read_to_string(&place).map_err(|error| failed(&error))?;
    Ok(Found {
        place,
        path: path.to_owned(),
        text,
    })
}

pub(super) fn write(found: &Found, text: &str) -> Result<(), CliError> {
    fs::write(&found.place, text).map_err(|error| {
        CliError::failed(format!(
            "could not write `{}`: {error}",
            found.place.display()
        ))
    })
}

/// The commands that carry the edit to the environment.
pub(super) fn next_steps(repo: &Path, path: &str, message: &str) -> String {
    let git = if repo == Path::new(".") {
        "git".to_owned()
    } else {
        format!("git -C {}", word(&repo.display().to_string()))
    };
    format!(
        "next:\n  {git} add {}\n  {git} commit -m {}\n  {git} pull --rebase\n  {git} push",
        word(path),
        word(message)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(files: &[&str], found: &str) {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for file in files {
            let place = folder.path().join(file);
            fs::create_dir_all(place.parent().expect("it has a folder")).expect("it can be made");
            fs::write(place, "").expect("it can be written");
        }
        let text = match find(folder.path(), "staging", "shop") {
            Ok(found) => found.path,
            Err(error) => error.to_string(),
        };
        assert!(
            text.replace(&folder.path().display().to_string(), "R")
                .contains(found),
            "{text} instead of {found}"
        );
    }

    #[test]
    fn the_file_is_found_in_the_folder_of_the_environment_or_below() {
        check(
            &[
                "staging/deliverable-shop.yaml",
                "staging/x/deliverable-shop.yaml",
            ],
            "staging/deliverable-shop.yaml",
        );
        check(
            &[
                "staging/team/deliverable-shop.yml",
                "qa/deliverable-shop.yaml",
            ],
            "staging/team/deliverable-shop.yml",
        );
    }

    #[test]
    fn what_is_there_instead_is_named() {
        check(
            &[
                "staging/a/deliverable-shop.yaml",
                "staging/b/deliverable-shop.yaml",
            ],
            "there are several: `staging/a/deliverable-shop.yaml`, `staging/b",
        );
        check(
            &["staging/deliverable-web.yaml"],
            "there is no `staging/deliverable-shop.yaml` in `R`",
        );
    }
}
