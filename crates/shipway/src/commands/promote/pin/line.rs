//! Finds the place of the pin in the lines of one document, by indentation.

use std::ops::Range;

use super::{PIN, PinError, flow};

/// Where the commit is to be written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// In place of a part of a line.
    Within {
        line: usize,
        range: Range<usize>,
        /// Whether it stands in quotes already.
        quoted: bool,
        /// What is written around it.
        before: &'static str,
        after: &'static str,
    },
    /// On lines of its own below a line.
    Below {
        line: usize,
        indent: usize,
        /// Whether the key `ref` is to be written as well.
        with_ref: bool,
    },
}

/// A key that leads to the pin: its line, its indent and that of what stands below it.
#[derive(Clone, Copy)]
struct Way {
    line: usize,
    indent: usize,
    below: Option<usize>,
}

pub(super) fn locate(lines: &[&str]) -> Result<Spot, PinError> {
    let mut path: Vec<(usize, &str)> = Vec::new();
    let mut ways: [Option<Way>; 5] = [None; 5];
    for (number, line) in lines.iter().enumerate() {
        let text = line.trim_end();
        let rest = text.trim_start_matches(' ');
        if rest.is_empty() || rest.starts_with('#') {
            continue;
        }
        let indent = text.len() - rest.len();
        while path.last().is_some_and(|(above, _)| *above >= indent) {
            path.pop();
        }
        let Some((key, value)) = key(text, indent) else {
            continue;
        };
        path.push((indent, key));
        note_below(&path, indent, &mut ways);
        if !leads(&path) {
            continue;
        }
        ways[path.len() - 1] = Some(Way {
            line: number,
            indent,
            below: None,
        });
        if path.len() == PIN.len() {
            return block_scalar(text, value, number);
        }
        if text[value..].trim_start().starts_with('{') {
            let open = text.len() - text[value..].trim_start().len();
            return flow::locate(text, open, &PIN[path.len()..], number);
        }
    }
    let [.., git, reference, _] = ways;
    match (git, reference) {
        (_, Some(way)) => Ok(Spot::Below {
            line: way.line,
            indent: way.below.unwrap_or(way.indent + 2),
            with_ref: false,
        }),
        (
            Some(Way {
                line,
                below: Some(indent),
                ..
            }),
            None,
        ) => Ok(Spot::Below {
            line,
            indent,
            with_ref: true,
        }),
        _ => Err(PinError::Unusual("it was not found by its indentation")),
    }
}

/// Whether the pin stands below these keys, or is the last of them.
fn leads(path: &[(usize, &str)]) -> bool {
    path.len() <= PIN.len()
        && path
            .iter()
            .zip(PIN)
            .all(|((_, key), wanted)| *key == wanted)
}

/// Notes how deep the first key below one that leads to the pin stands.
fn note_below(path: &[(usize, &str)], indent: usize, ways: &mut [Option<Way>; 5]) {
    let above = &path[..path.len() - 1];
    if above.is_empty() || !leads(above) {
        return;
    }
    if let Some(way) = ways[above.len() - 1].as_mut() {
        way.below.get_or_insert(indent);
    }
}

/// The key of a line and where its value begins. A list's item is a key of its own kind.
fn key(text: &str, indent: usize) -> Option<(&str, usize)> {
    let rest = &text[indent..];
    for quote in ['"', '\''] {
        if let Some(inner) = rest.strip_prefix(quote) {
            let end = inner.find(quote)?;
            let after = &inner[end + 1..];
            return after
                .starts_with(':')
                .then(|| (&inner[..end], text.len() - after.len() + 1));
        }
    }
    let colon = match rest.find(": ") {
        Some(colon) => colon,
        None if rest.ends_with(':') => rest.len() - 1,
        None => return None,
    };
    Some((&rest[..colon], indent + colon + 1))
}

fn block_scalar(text: &str, value: usize, line: usize) -> Result<Spot, PinError> {
    let rest = text[value..].trim_start();
    let start = text.len() - rest.len();
    if rest.is_empty() || rest.starts_with('#') {
        let range = value..value;
        return Ok(Spot::Within {
            line,
            range,
            quoted: false,
            before: " ",
            after: "",
        });
    }
    let end = rest.find(" #").unwrap_or(rest.len());
    scalar(text, start..start + rest[..end].trim_end().len(), line)
}

/// The place of a scalar that fills a range.
pub(super) fn scalar(text: &str, range: Range<usize>, line: usize) -> Result<Spot, PinError> {
    let value = &text[range.clone()];
    match value.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let closes = value.len() > 1 && value[1..].find(quote) == Some(value.len() - 2);
            if !closes {
                return Err(PinError::Unusual(
                    "the commit's quotes do not end on its line",
                ));
            }
            let range = range.start + 1..range.end - 1;
            Ok(Spot::Within {
                line,
                range,
                quoted: true,
                before: "",
                after: "",
            })
        }
        Some('&' | '*' | '!' | '|' | '>' | '[' | '{') => Err(PinError::Unusual(
            "the commit is an anchor, an alias, a tag or more than one line",
        )),
        _ => Ok(Spot::Within {
            line,
            range,
            quoted: false,
            before: "",
            after: "",
        }),
    }
}
