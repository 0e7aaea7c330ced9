//! Finds the place of the pin in a mapping that is written on one line, as `{branch: main}`.

use super::PinError;
use super::line::{Spot, scalar};

const MORE_LINES: PinError = PinError::Unusual("a mapping in braces goes over several lines");

/// Looks for the keys `rest`, one in the other, in the mapping whose brace opens at `open`.
pub(super) fn locate(
    text: &str,
    open: usize,
    rest: &[&str],
    line: usize,
) -> Result<Spot, PinError> {
    let entries = entries(text, open)?;
    let [first, deeper @ ..] = rest else {
        return Err(PinError::Unusual("the commit is a mapping"));
    };
    let found = entries.iter().find(|entry| entry.key == *first);
    match (found, deeper) {
        (Some(entry), []) if entry.start == entry.end => {
            Err(PinError::Unusual("the commit is empty"))
        }
        (Some(entry), []) => scalar(text, entry.start..entry.end, line),
        (Some(entry), _) if text[entry.start..].starts_with('{') => {
            locate(text, entry.start, deeper, line)
        }
        (None, []) => {
            let after = if entries.is_empty() { "" } else { ", " };
            Ok(Spot::Within {
                line,
                range: open + 1..open + 1,
                quoted: false,
                before: "commit: ",
                after,
            })
        }
        _ => Err(PinError::Unusual(
            "it has no `ref`, and its mapping is in braces",
        )),
    }
}

struct Entry<'a> {
    key: &'a str,
    /// Where the value begins and ends.
    start: usize,
    end: usize,
}

/// The entries of a mapping in braces.
fn entries(text: &str, open: usize) -> Result<Vec<Entry<'_>>, PinError> {
    let mut entries = Vec::new();
    let (mut depth, mut quote, mut begin) = (0_usize, None, open + 1);
    for (at, letter) in text.char_indices().skip_while(|(at, _)| *at < open) {
        match (quote, letter) {
            (Some(open), letter) => quote = (letter != open).then_some(open),
            (None, '"' | '\'') => quote = Some(letter),
            (None, '{' | '[') => depth += 1,
            (None, ',') if depth == 1 => {
                entries.extend(entry(text, begin, at));
                begin = at + 1;
            }
            (None, '}' | ']') => {
                depth -= 1;
                if depth == 0 {
                    entries.extend(entry(text, begin, at));
                    return Ok(entries);
                }
            }
            _ => {}
        }
    }
    Err(MORE_LINES)
}

fn entry(text: &str, begin: usize, end: usize) -> Option<Entry<'_>> {
    let part = &text[begin..end];
    let colon = part
        .find(": ")
        .or_else(|| part.find("\":").map(|quote| quote + 1))?;
    let key = part[..colon].trim().trim_matches(['"', '\'']);
    let value = part[colon + 1..].trim();
    let start = end - part[colon + 1..].trim_start().len();
    Some(Entry {
        key,
        start,
        end: start + value.len(),
    })
}
