//! Regular expressions as Go reads them (RE2), in terms of the crate `regex`.
//!
//! The two are nearly one language. Where patterns of definitions differ, they are rewritten: Go's
//! classes `\d`, `\w`, `\s` and `\b` know ASCII alone, brackets and doubled signs within a class are
//! themselves, and a brace that begins no repetition is a brace. Octal codes, `\Q` and repetitions of
//! repetitions are left to the crate.

use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

/// A compiled pattern may take this many bytes: definitions come from outside.
const BYTES: usize = 4 << 20;

/// Compiles a pattern.
///
/// # Errors
/// Why it is none, as a sentence that begins like Go's.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(&rewritten(pattern))
        .size_limit(BYTES)
        .nest_limit(200)
        .build()
        .map_err(|_| format!("error parsing regexp: invalid syntax: `{pattern}`"))
}

fn rewritten(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(c) = rest.next() {
        match c {
            '\\' => escape(&mut rest, in_class, &mut out),
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                out.extend(rest.next_if_eq(&'^'));
                if rest.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            '[' if rest.peek() == Some(&':') => {
                // A named class; the crate reads `[:alpha:]` as Go does.
                out.push('[');
                while let Some(c) = rest.next_if(|c| *c != ']') {
                    out.push(c);
                }
                out.extend(rest.next());
            }
            '[' | '&' | '~' if in_class => out.extend(['\\', c]),
            ']' => {
                in_class = false;
                out.push(']');
            }
            '{' if !in_class && !rest.peek().is_some_and(char::is_ascii_digit) => {
                out.push_str("\\{");
            }
            c => out.push(c),
        }
    }
    out
}

fn escape(rest: &mut Peekable<Chars<'_>>, in_class: bool, out: &mut String) {
    match rest.next() {
        Some('d') => out.push_str("[0-9]"),
        Some('D') => out.push_str("[^0-9]"),
        Some('w') => out.push_str("[0-9A-Za-z_]"),
        Some('W') => out.push_str("[^0-9A-Za-z_]"),
        Some('s') => out.push_str("[\\t\\n\\x0C\\r ]"),
        Some('S') => out.push_str("[^\\t\\n\\x0C\\r ]"),
        Some('b') if !in_class => out.push_str("(?-u:\\b)"),
        Some('B') if !in_class => out.push_str("(?-u:\\B)"),
        Some(c @ ('p' | 'P' | 'x')) => {
            out.extend(['\\', c]);
            if let Some(brace) = rest.next_if_eq(&'{') {
                out.push(brace);
                while let Some(c) = rest.next_if(|c| *c != '}') {
                    out.push(c);
                }
                out.extend(rest.next());
            }
        }
        // Go knows no marks at the ends of words.
        Some(c @ ('<' | '>')) => out.push(c),
        other => {
            out.push('\\');
            out.extend(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn patterns_match_what_they_match_in_go() {
        let data: Value =
            serde_json::from_str(include_str!("pattern/patterns.json")).unwrap_or_default();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let texts = list(&data["texts"]);
        let mut different = Vec::new();
        for case in list(&data["patterns"]) {
            let pattern = case["pattern"].as_str().unwrap_or_default();
            let found = compile(pattern).map(|regex| {
                let matching = |text: &&Value| regex.is_match(text.as_str().unwrap_or_default());
                texts.iter().filter(matching).cloned().collect::<Vec<_>>()
            });
            match (found, case.get("matches")) {
                (Ok(found), Some(wanted)) if found == list(wanted) => {}
                (Err(_), None) => {}
                (found, wanted) => different.push(format!("{pattern}: {found:?}, not {wanted:?}")),
            }
        }
        assert!(different.is_empty(), "{}", different.join("\n"));
    }
}
