//! YAML documents, read one by one so that each has its own line, budget and anchors.

use serde_json::{Number, Value};
use serde_saphyr::granit_parser::ErrorKind;
use serde_saphyr::localizer::ExternalMessageSource;
use serde_saphyr::{Error, budget::BudgetBreach};

use super::{Document, MAX_DEPTH, MAX_DOCUMENTS, narrow};
use crate::{Problem, ProblemReason};

/// How many mappings, lists and scalars one document may hold, aliases replayed.
const MAX_NODES: usize = 250_000;
/// How often one document may name an anchor. What an alias stands for is copied each time, so
/// together with the size of a file this bounds the memory.
const MAX_ALIASES: usize = 1_000;
/// How many bytes of scalars one document may hold, aliases replayed.
const MAX_SCALAR_BYTES: usize = 16 * 1024 * 1024;

/// The text of one document and where it begins.
struct Chunk<'a> {
    text: &'a str,
    /// The line of the file that the text starts at.
    first_line: usize,
    /// The line of the first key, none if there is no content.
    content_line: Option<usize>,
}

pub(super) fn read(text: &str) -> Result<Vec<Document>, Vec<Problem>> {
    let Some(chunks) = split(text) else {
        let message = format!("the file holds more than {MAX_DOCUMENTS} documents");
        return Err(vec![Problem::new(ProblemReason::TooLarge, message)]);
    };
    let mut documents = Vec::new();
    let mut problems = Vec::new();
    for chunk in chunks {
        let Some(content_line) = chunk.content_line else {
            continue;
        };
        match serde_saphyr::from_str_with_options::<Value>(chunk.text, options()) {
            Ok(mut value) => {
                settle_numbers(&mut value);
                let line = narrow(content_line);
                documents.push(Document { line, value });
            }
            Err(error) => {
                let mut problem = describe(&error);
                problem.line = Some(narrow(line_of(&error, &chunk, content_line)));
                problems.push(problem);
            }
        }
        if problems.len() >= super::MAX_PROBLEMS {
            break;
        }
    }
    if problems.is_empty() {
        Ok(documents)
    } else {
        Err(problems)
    }
}

/// Reads YAML as Kubernetes does, and never puts text of the file into an error.
fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        legacy_octal_numbers: true,
        with_snippet: false,
        // A licence above a key is longer than the default buffer for comments.
        emit_comments: false,
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_NODES },
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH + 1,
            max_documents: 2,
            max_nodes: MAX_NODES,
            max_aliases: MAX_ALIASES,
            max_total_scalar_bytes: MAX_SCALAR_BYTES,
            // Kubernetes takes one anchor for many labels; the limits above bound it.
            enforce_alias_anchor_ratio: false,
        },
    }
}

/// Cuts a file at its document markers; none if there are too many.
///
/// A marker in the first column ends a document wherever it stands, even in a block scalar, so no
/// parser is needed to find it. Directives and comments before a marker belong to what follows it.
fn split(text: &str) -> Option<Vec<Chunk<'_>>> {
    let mut chunks = Vec::new();
    let mut chunk = Chunk {
        text: "",
        first_line: 1,
        content_line: None,
    };
    let mut start = 0;
    let mut position = 0;
    let mut has_marker = false;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let begins = is_marker(line, "---") && (has_marker || chunk.content_line.is_some());
        if begins {
            chunk.text = &text[start..position];
            chunks.push(chunk);
            chunk = Chunk {
                text: "",
                first_line: index + 1,
                content_line: None,
            };
            start = position;
        }
        has_marker |= is_marker(line, "---");
        if chunk.content_line.is_none() && holds_content(line) {
            chunk.content_line = Some(index + 1);
        }
        position += line.len();
        if is_marker(line, "...") {
            chunk.text = &text[start..position];
            chunks.push(chunk);
            chunk = Chunk {
                text: "",
                first_line: index + 2,
                content_line: None,
            };
            start = position;
            has_marker = false;
        }
        if chunks.len() > MAX_DOCUMENTS {
            return None;
        }
    }
    chunk.text = &text[start..];
    chunks.push(chunk);
    (chunks.len() <= MAX_DOCUMENTS).then_some(chunks)
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']))
}

fn holds_content(line: &str) -> bool {
    if line.starts_with('%') || is_marker(line, "...") {
        return false;
    }
    let content = if is_marker(line, "---") {
        &line[3..]
    } else {
        line
    }
    .trim();
    !content.is_empty() && !content.starts_with('#')
}

/// Writes whole numbers without a fraction, as Kubernetes' own YAML reader does: `1.0` and `08` are
/// 1 and 8 there, and the API server refuses 8.0 where it wants an integer.
fn settle_numbers(value: &mut Value) {
    // The largest range in which a double is exactly one integer.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Object(object) => object.values_mut().for_each(settle_numbers),
        Value::Array(items) => items.iter_mut().for_each(settle_numbers),
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().unwrap_or_default();
            if float.fract() == 0.0 && float.abs() < EXACT {
                #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
                let whole = float as i64;
                *number = Number::from(whole);
            }
        }
        _ => {}
    }
}

fn line_of(error: &Error, chunk: &Chunk<'_>, content_line: usize) -> usize {
    let line = error
        .location()
        .and_then(|location| usize::try_from(location.line()).ok());
    match line {
        Some(line) if line > 0 => chunk.first_line + line - 1,
        _ => content_line,
    }
}

/// Says what is wrong without quoting the file. The library's own messages are used only where
/// they are fixed text.
fn describe(error: &Error) -> Problem {
    match error {
        Error::WithSnippet { error, .. } | Error::AliasError { error, .. } => describe(error),
        Error::DuplicateMappingKey { key, .. } => {
            let name = key
                .as_deref()
                .map(|key| format!(" `{}`", shorten(key)))
                .unwrap_or_default();
            Problem::new(
                ProblemReason::DuplicateKey,
                format!("the key{name} is written twice"),
            )
        }
        Error::Budget {
            breach: BudgetBreach::Depth { .. },
            ..
        } => too_deep(),
        Error::Budget { breach, .. } => too_large(breach),
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => Problem::new(
            ProblemReason::TooLarge,
            "the aliases of the document expand to too much",
        ),
        Error::ExternalMessage { source, .. } => match source.as_ref() {
            ExternalMessageSource::Parser(error) => describe_syntax(error.kind()),
            _ => unparseable("not valid YAML"),
        },
        Error::UnknownAnchor { .. } => unparseable("an alias names no anchor of the document"),
        Error::MergeValueNotMapOrSeqOfMaps { .. } => {
            unparseable("the value of a merge key `<<` is no mapping")
        }
        Error::InvalidBinaryBase64 { .. } => unparseable("a `!!binary` value is not base64"),
        Error::BinaryNotUtf8 { .. } => unparseable("a `!!binary` value is not text"),
        Error::NullIntoString { .. }
        | Error::Unexpected {
            expected: "string scalar",
            ..
        } => unparseable("a key of a mapping is not text"),
        Error::InvalidScalar { .. } => unparseable("a value is not what its tag says"),
        Error::NonFiniteFloat { .. } => unparseable("a number is not finite"),
        Error::Eof { .. } => unparseable("the document ends too early"),
        Error::MultipleDocuments { .. } => {
            unparseable("more text follows the end of the document without `---`")
        }
        _ => unparseable("not valid YAML"),
    }
}

fn describe_syntax(kind: &ErrorKind) -> Problem {
    match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar => Problem::new(
            ProblemReason::Tab,
            "a tab is used to indent; YAML allows spaces only",
        ),
        ErrorKind::RecursionLimitExceeded => too_deep(),
        ErrorKind::UnknownAnchor => unparseable("an alias names no anchor of the document"),
        // These carry text of the file.
        ErrorKind::UnexpectedCharacter { .. }
        | ErrorKind::Custom(_)
        | ErrorKind::InputIo { .. }
        | ErrorKind::InputDecoding { .. } => unparseable("not valid YAML"),
        fixed => unparseable(&format!("not valid YAML: {fixed}")),
    }
}

fn too_large(breach: &BudgetBreach) -> Problem {
    let message = match breach {
        BudgetBreach::Aliases { .. }
        | BudgetBreach::Anchors { .. }
        | BudgetBreach::AliasAnchorRatio { .. }
        | BudgetBreach::RecordedAnchorEvents { .. }
        | BudgetBreach::RecordedAnchorBytes { .. }
        | BudgetBreach::MergeKeys { .. } => {
            "the document has too many anchors, aliases or merge keys"
        }
        BudgetBreach::Documents { .. } => "the document is more than one",
        _ => "the document holds too many values",
    };
    Problem::new(ProblemReason::TooLarge, message)
}

fn too_deep() -> Problem {
    let message = format!("mappings and lists are nested deeper than {MAX_DEPTH}");
    Problem::new(ProblemReason::TooDeep, message)
}

fn unparseable(message: &str) -> Problem {
    Problem::new(ProblemReason::Unparseable, message)
}

/// A key that is long is no key but a value in the wrong place.
fn shorten(key: &str) -> String {
    const LONGEST: usize = 63;
    if key.chars().count() <= LONGEST && !key.contains('\n') {
        return key.to_owned();
    }
    "...".to_owned()
}
