//! A file to its objects: all documents of the file, or none and what is wrong.

mod json;
mod yaml;

use std::sync::Arc;

use serde_json::Value;

use crate::{Manifest, Problem, ProblemReason};

/// The largest file that is read.
pub const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;
/// The most documents that one file may hold.
pub const MAX_DOCUMENTS: usize = 10_000;
/// How deep mappings and lists may be nested. The deepest definitions of well-known projects reach
/// about 30; reading recurses, and a debug build takes 25 KiB of stack a level.
pub const MAX_DEPTH: usize = 48;
/// How many problems of one file are told.
const MAX_PROBLEMS: usize = 50;

/// One document of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The line of its first key.
    pub line: u32,
    /// What it says.
    pub value: Value,
}

/// Reads every object of a file: of YAML documents, or of JSON texts if the path ends in `.json`.
///
/// Guarantees: the objects stand in the order of the file and know their line. A document without
/// content yields nothing, a List its items. Nothing of the file but names of keys is quoted in a
/// problem, and the time is bounded whatever the file holds.
///
/// # Errors
///
/// All that is wrong with the file. There is nothing between: a file with one broken document is
/// not read at all, because nobody can tell what the broken one would have been.
pub fn parse_file(path: &str, bytes: &[u8]) -> Result<Vec<Manifest>, Vec<Problem>> {
    let documents = parse_documents(path, bytes)?;
    let file: Arc<str> = Arc::from(path);
    let (mut manifests, mut problems) = (Vec::new(), Vec::new());
    for document in documents {
        let line = document.line;
        match objects_of(document.value) {
            Ok(objects) => {
                manifests.extend(objects.into_iter().map(|object| object.at(&file, line)));
            }
            Err(problem) => problems.push(problem.at(path, line)),
        }
    }
    if problems.is_empty() {
        return Ok(manifests);
    }
    Err(in_file(path, problems))
}

/// Reads every document of a file as it stands: for files that hold something else than objects to
/// deliver. Otherwise as [`parse_file`].
///
/// # Errors
///
/// All that is wrong with the file.
pub fn parse_documents(path: &str, bytes: &[u8]) -> Result<Vec<Document>, Vec<Problem>> {
    let text = decode(bytes).map_err(|problem| vec![problem.in_file(path)])?;
    let is_json = path
        .rsplit('.')
        .next()
        .is_some_and(|end| end.eq_ignore_ascii_case("json"));
    let documents = if is_json {
        json::read(text)
    } else {
        yaml::read(text)
    };
    documents.map_err(|problems| in_file(path, problems))
}

fn in_file(path: &str, mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.truncate(MAX_PROBLEMS);
    for problem in &mut problems {
        path.clone_into(&mut problem.file);
    }
    problems
}

fn decode(bytes: &[u8]) -> Result<&str, Problem> {
    if bytes.len() > MAX_FILE_BYTES {
        let limit = MAX_FILE_BYTES / 1024 / 1024;
        return Err(Problem::new(
            ProblemReason::TooLarge,
            format!("the file is larger than {limit} MiB"),
        ));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Problem::new(
            ProblemReason::Binary,
            "the file is UTF-16, which Kubernetes does not read; save it as UTF-8",
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
        let mut problem = Problem::new(ProblemReason::Binary, "the file is not UTF-8 text");
        problem.line = Some(narrow(1 + valid.matches('\n').count()));
        problem
    })?;
    // Editors on Windows write this mark, and go-yaml skips it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(position) = text.find('\0') {
        let line = 1 + text[..position].matches('\n').count();
        let mut problem = Problem::new(ProblemReason::Binary, "the file is not text");
        problem.line = Some(narrow(line));
        return Err(problem);
    }
    Ok(text)
}

/// The objects of one document: itself, or the items of a List.
fn objects_of(value: Value) -> Result<Vec<Manifest>, Problem> {
    if value.is_null() {
        return Ok(Vec::new());
    }
    if !is_list(&value) {
        return Manifest::from_value(value).map(|object| vec![object]);
    }
    let Value::Object(mut list) = value else {
        return Ok(Vec::new());
    };
    let Some(Value::Array(items)) = list.remove("items") else {
        return Ok(Vec::new());
    };
    let mut objects = Vec::with_capacity(items.len());
    for (position, item) in items.into_iter().enumerate() {
        let in_item = |mut problem: Problem| {
            problem.message = format!("item {} of the list: {}", position + 1, problem.message);
            problem
        };
        if is_list(&item) {
            return Err(in_item(Problem::new(
                ProblemReason::NestedList,
                "a List in a List is refused",
            )));
        }
        objects.push(Manifest::from_value(item).map_err(in_item)?);
    }
    Ok(objects)
}

/// Whether a document is a List. Any kind may end so; `items` beside it makes the difference,
/// except for the List of the core group, which is never anything else.
fn is_list(value: &Value) -> bool {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let kind = text("kind");
    let holds_items = value
        .get("items")
        .is_some_and(|items| items.is_array() || items.is_null());
    (kind == "List" && text("apiVersion") == "v1") || (kind.ends_with("List") && holds_items)
}

/// A line number; a file has no more bytes than fit.
fn narrow(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
