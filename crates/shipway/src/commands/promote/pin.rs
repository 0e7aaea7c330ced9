//! Sets the commit that a Deliverable pins, in the text of its file: one line moves, and every
//! other byte stays, comments, quotes and order included.
//!
//! The line is found by indentation, without a YAML editor; then both texts are parsed, and unless
//! exactly the pin differs the edit is refused. Must not know: files, Git.

mod flow;
mod line;

use manifest::Manifest;
use serde_json::Value;

use line::{Spot, locate};

/// Where the pin stands.
const PIN: [&str; 5] = ["spec", "source", "git", "ref", "commit"];

/// Why a pin cannot be set.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PinError {
    /// The file is not YAML of objects.
    #[error("{0}")]
    Unreadable(String),
    /// No document is the Deliverable.
    #[error("it holds no Deliverable `{0}`")]
    NoDeliverable(String),
    /// Several documents are.
    #[error("it holds several Deliverables `{0}`")]
    Several(String),
    /// The Deliverable delivers another repository than the one that the commit was seen in.
    #[error("the Deliverable is delivered from `{found}`, but the commit was seen in `{expected}`")]
    OtherRepository {
        /// The URL in the file.
        found: String,
        /// The URL where the commit runs.
        expected: String,
    },
    /// The pin is written in a way that is not edited line by line.
    #[error("`spec.source.git.ref` is written in a way that is not edited here: {0}")]
    Unusual(&'static str),
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Pinned {
    /// The pin is there already.
    Already,
    /// The text with the pin.
    Changed(Edit),
}

/// One changed place of a text.
#[derive(Debug)]
pub(super) struct Edit {
    /// The new text.
    pub(super) text: String,
    /// What was followed before, where nothing was pinned.
    pub(super) followed: Option<String>,
    old: Vec<String>,
    /// The line that changed or that the new ones stand before, counted from 0.
    at: usize,
    /// How many old lines went: one or none.
    removed: usize,
    added: Vec<String>,
}

/// Pins the Deliverable `name` of a file to a commit of the repository `url`, if that is known.
///
/// # Errors
/// [`PinError`]; the text is then left as it is.
pub(super) fn pin(
    text: &str,
    name: &str,
    commit: &str,
    url: Option<&str>,
) -> Result<Pinned, PinError> {
    let before = read(text)?;
    let index = find(&before, name)?;
    let deliverable = &before[index];
    let at = |pointer: &str| deliverable.value().pointer(pointer).and_then(Value::as_str);
    if let (Some(expected), Some(found)) = (url, at("/spec/source/git/url"))
        && normal(expected) != normal(found)
    {
        return Err(PinError::OtherRepository {
            found: found.to_owned(),
            expected: expected.to_owned(),
        });
    }
    if at("/spec/source/git/ref/commit") == Some(commit) {
        return Ok(Pinned::Already);
    }
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let start = (deliverable.line as usize)
        .saturating_sub(1)
        .min(lines.len());
    let end = lines
        .iter()
        .enumerate()
        .skip(start + 1)
        .find(|(_, line)| line.starts_with("---") || line.starts_with("..."));
    let end = end.map_or(lines.len(), |(index, _)| index);
    let mut edit = apply(&lines, locate(&lines[start..end])?, start, commit)?;
    edit.followed = followed(deliverable.value());
    let mut expected: Vec<Value> = before
        .iter()
        .map(|manifest| manifest.value().clone())
        .collect();
    set(&mut expected[index], commit);
    let after: Vec<Value> = read(&edit.text)?
        .into_iter()
        .map(Manifest::into_value)
        .collect();
    if after == expected {
        Ok(Pinned::Changed(edit))
    } else {
        Err(PinError::Unusual(
            "an edit of one line would change more than the commit",
        ))
    }
}

/// What a Deliverable without a pin follows: a tag wins over a branch, as the controller reads it.
fn followed(deliverable: &Value) -> Option<String> {
    let value = |key: &str| deliverable.pointer(&format!("/spec/source/git/ref/{key}"));
    let at = |key: &str| value(key)?.as_str().filter(|text| !text.is_empty());
    // One of digits alone is a number to YAML where it has no quotes.
    if at("commit").is_some() || value("commit").is_some_and(Value::is_number) {
        return None;
    }
    Some(match (at("tag"), at("branch")) {
        (Some(tag), _) => format!("the tag `{tag}`"),
        (None, Some(branch)) => format!("the branch `{branch}`"),
        (None, None) => "the branch `main`".to_owned(),
    })
}

fn read(text: &str) -> Result<Vec<Manifest>, PinError> {
    manifest::parse_file("it", text.as_bytes()).map_err(|problems| {
        let first = problems
            .first()
            .map(ToString::to_string)
            .unwrap_or_default();
        PinError::Unreadable(first.replacen("it:", "line ", 1))
    })
}

fn find(manifests: &[Manifest], name: &str) -> Result<usize, PinError> {
    let is_it = |manifest: &Manifest| {
        manifest.group() == "carto.run"
            && manifest.kind() == "Deliverable"
            && manifest.name() == name
    };
    let found: Vec<_> = manifests
        .iter()
        .enumerate()
        .filter(|(_, manifest)| is_it(manifest))
        .collect();
    match found.as_slice() {
        [(index, _)] => Ok(*index),
        [] => Err(PinError::NoDeliverable(name.to_owned())),
        _ => Err(PinError::Several(name.to_owned())),
    }
}

/// A URL as two files may write it differently.
fn normal(url: &str) -> &str {
    url.trim_end_matches('/').trim_end_matches(".git")
}

fn set(deliverable: &mut Value, commit: &str) {
    let mut at = deliverable;
    for key in PIN {
        if !at.is_object() {
            *at = Value::Object(serde_json::Map::new());
        }
        at = &mut at[key];
    }
    *at = Value::from(commit);
}

fn apply(lines: &[&str], spot: Spot, start: usize, commit: &str) -> Result<Edit, PinError> {
    let end_of_line = if lines.iter().any(|line| line.ends_with("\r\n")) {
        "\r\n"
    } else {
        "\n"
    };
    let (at, removed, added) = match spot {
        Spot::Within {
            line,
            range,
            quoted,
            before,
            after,
        } => {
            let line = start + line;
            let (old, value) = (
                lines[line],
                if quoted {
                    commit.to_owned()
                } else {
                    plain(commit)
                },
            );
            let new = format!(
                "{}{before}{value}{after}{}",
                &old[..range.start],
                &old[range.end..]
            );
            (line, 1, vec![new])
        }
        Spot::Below {
            line,
            indent,
            with_ref,
        } => {
            let mut added = Vec::new();
            let mut indent = " ".repeat(indent);
            if with_ref {
                added.push(format!("{indent}ref:{end_of_line}"));
                indent.push_str("  ");
            }
            added.push(format!("{indent}commit: {}{end_of_line}", plain(commit)));
            (start + line + 1, 0, added)
        }
    };
    if removed == 0 && at > 0 && !lines[at - 1].ends_with('\n') {
        return Err(PinError::Unusual("the file does not end with a line break"));
    }
    let old: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    let mut new = old.clone();
    new.splice(at..at + removed, added.iter().cloned());
    Ok(Edit {
        text: new.concat(),
        followed: None,
        old,
        at,
        removed,
        added,
    })
}

/// A commit as a plain scalar, or in quotes where YAML would take it for a number.
fn plain(commit: &str) -> String {
    let number = commit
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'e');
    if number {
        format!("\"{commit}\"")
    } else {
        commit.to_owned()
    }
}

/// How many lines of context a diff shows.
const CONTEXT: usize = 3;

impl Edit {
    /// The edit as a unified diff.
    pub(super) fn unified(&self, path: &str) -> String {
        let first = self.at.saturating_sub(CONTEXT);
        let end = self.at + self.removed;
        let last = (end + CONTEXT).min(self.old.len());
        let (before, after) = (last - first, last - first - self.removed + self.added.len());
        let mut text = format!(
            "\x1b[1m--- a/{path}\n+++ b/{path}\x1b[0m\n\x1b[36m@@ -{},{before} +{},{after} @@\x1b[0m\n",
            first + 1,
            first + 1
        );
        let mut add = |mark: char, colour: &str, line: &str| {
            let reset = if colour.is_empty() { "" } else { "\x1b[0m" };
            text.push_str(colour);
            text.push(mark);
            text.extend([line.trim_end_matches(['\r', '\n']), reset, "\n"]);
            if !line.ends_with('\n') {
                text.push_str("\\ No newline at end of file\n");
            }
        };
        self.old[first..self.at]
            .iter()
            .for_each(|line| add(' ', "", line));
        self.old[self.at..end]
            .iter()
            .for_each(|line| add('-', "\x1b[31m", line));
        self.added
            .iter()
            .for_each(|line| add('+', "\x1b[32m", line));
        self.old[end..last]
            .iter()
            .for_each(|line| add(' ', "", line));
        text
    }
}

#[cfg(test)]
mod tests;
