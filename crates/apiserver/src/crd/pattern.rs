//! Regular expressions as Go reads them (RE2), in terms of the crate `regex`.
//!
//! The two are nearly one language. Where they differ, a pattern is rewritten: Go's classes `\d`,
//! `\w`, `\s` and `\b` know ASCII alone, brackets and doubled signs within a class are themselves,
//! and a brace that begins no repetition is a brace.

use std::fmt::Write as _;

use regex::{Regex, RegexBuilder};

/// A compiled pattern may take this many bytes: definitions come from outside.
const BYTES: usize = 4 << 20;
/// Go refuses to repeat more often.
const REPEATS: u32 = 1000;

/// Compiles a pattern.
///
/// # Errors
/// Why it is none, as a sentence that begins like Go's.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    let failed = |why: &str| format!("error parsing regexp: {why}: `{pattern}`");
    let rewritten = Rewriter::new(pattern).run().map_err(failed)?;
    RegexBuilder::new(&rewritten)
        .size_limit(BYTES)
        .nest_limit(200)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => failed("expression too large"),
            _ => failed("invalid syntax"),
        })
}

struct Rewriter<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    out: String,
}

impl<'a> Rewriter<'a> {
    fn new(pattern: &'a str) -> Self {
        Self {
            rest: pattern.chars().peekable(),
            out: String::with_capacity(pattern.len() + 16),
        }
    }

    fn run(mut self) -> Result<String, &'static str> {
        let mut after_repeat = false;
        while let Some(c) = self.rest.next() {
            let mut repeats = false;
            match c {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '{' => repeats = self.brace()?,
                '}' => self.out.push_str("\\}"),
                '*' | '+' | '?' => {
                    self.out.push(c);
                    repeats = true;
                }
                '(' => self.group()?,
                _ => self.out.push(c),
            }
            if repeats && after_repeat {
                return Err("invalid nested repetition operator");
            }
            // What follows says only whether as little as possible is repeated.
            if repeats && let Some(lazy) = self.rest.next_if_eq(&'?') {
                self.out.push(lazy);
            }
            after_repeat = repeats;
        }
        Ok(self.out)
    }

    /// A group with flags has only those that Go knows.
    fn group(&mut self) -> Result<(), &'static str> {
        self.out.push('(');
        let Some(mark) = self.rest.next_if_eq(&'?') else {
            return Ok(());
        };
        self.out.push(mark);
        while let Some(flag) = self.rest.next_if(|c| c.is_ascii_alphabetic() || *c == '-') {
            match flag {
                'i' | 'm' | 's' | 'U' | '-' | 'P' => self.out.push(flag),
                _ => return Err("invalid or unsupported Perl syntax"),
            }
        }
        if self.rest.next_if_eq(&'<').is_some() {
            self.out.push('<');
            while let Some(c) = self
                .rest
                .next_if(|c| c.is_ascii_alphanumeric() || *c == '_')
            {
                self.out.push(c);
            }
        }
        Ok(())
    }

    fn escape(&mut self, in_class: bool) -> Result<(), &'static str> {
        let Some(c) = self.rest.next() else {
            return Err("trailing backslash at end of expression");
        };
        match c {
            'd' => self.out.push_str("[0-9]"),
            'D' => self.out.push_str("[^0-9]"),
            'w' => self.out.push_str("[0-9A-Za-z_]"),
            'W' => self.out.push_str("[^0-9A-Za-z_]"),
            's' => self.out.push_str("[\\t\\n\\x0C\\r ]"),
            'S' => self.out.push_str("[^\\t\\n\\x0C\\r ]"),
            'b' if !in_class => self.out.push_str("(?-u:\\b)"),
            'B' if !in_class => self.out.push_str("(?-u:\\B)"),
            'Q' if !in_class => self.quoted(),
            '0'..='7' => self.octal(c)?,
            'A' | 'z' | 'p' | 'P' | 'x' | 'a' | 'f' | 't' | 'n' | 'r' | 'v' => {
                self.out.extend(['\\', c]);
                if matches!(c, 'p' | 'P' | 'x') && self.rest.peek() == Some(&'{') {
                    while let Some(c) = self.rest.next_if(|c| *c != '}') {
                        self.out.push(c);
                    }
                    self.out.extend(self.rest.next());
                }
            }
            _ if c.is_ascii_alphanumeric() => return Err("invalid escape sequence"),
            _ => self.literal(c),
        }
        Ok(())
    }

    fn literal(&mut self, c: char) {
        if c.is_ascii_punctuation() && !matches!(c, '<' | '>') {
            self.out.push('\\');
        }
        self.out.push(c);
    }

    /// `\Q...\E`: what is in between means itself.
    fn quoted(&mut self) {
        while let Some(c) = self.rest.next() {
            if c == '\\' && self.rest.peek() == Some(&'E') {
                self.rest.next();
                return;
            }
            self.literal(c);
        }
    }

    /// `\0`, `\012`, `\123`; a single digit but zero would refer back, which RE2 cannot.
    fn octal(&mut self, first: char) -> Result<(), &'static str> {
        let mut code = first.to_digit(8).unwrap_or_default();
        let mut digits = 1;
        while digits < 3
            && let Some(digit) = self.rest.peek().and_then(|c| c.to_digit(8))
        {
            self.rest.next();
            code = code * 8 + digit;
            digits += 1;
        }
        if first != '0' && digits == 1 {
            return Err("invalid escape sequence");
        }
        let _ = write!(self.out, "\\x{{{code:X}}}");
        Ok(())
    }

    fn class(&mut self) -> Result<(), &'static str> {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut first = true;
        // Whether a dash would be one of a range, since a character stands before it.
        let mut begun = false;
        loop {
            let Some(c) = self.rest.next() else {
                return Err("missing closing ]");
            };
            match c {
                ']' if !first => {
                    self.out.push(']');
                    return Ok(());
                }
                '[' if self.rest.peek() == Some(&':') => {
                    // A named class; the crate reads `[:alpha:]` as Go does.
                    self.out.push('[');
                    while let Some(c) = self.rest.next_if(|c| *c != ']') {
                        self.out.push(c);
                    }
                    self.rest.next();
                    self.out.push(']');
                    begun = false;
                }
                '-' if begun && self.rest.peek().is_some_and(|c| *c != ']') => {
                    self.out.push('-');
                    let Some(end) = self.rest.next() else {
                        return Err("missing closing ]");
                    };
                    self.item(end)?;
                    begun = false;
                }
                c => {
                    self.item(c)?;
                    begun = true;
                }
            }
            first = false;
        }
    }

    /// One character of a class, or a class of one letter.
    fn item(&mut self, c: char) -> Result<(), &'static str> {
        match c {
            '\\' => self.escape(true),
            '[' | ']' | '&' | '~' | '^' | '-' => {
                self.out.extend(['\\', c]);
                Ok(())
            }
            c => {
                self.out.push(c);
                Ok(())
            }
        }
    }

    /// `{2}`, `{2,}` and `{2,3}` repeat; any other brace is itself. Whether it repeats.
    fn brace(&mut self) -> Result<bool, &'static str> {
        let mut ahead = self.rest.clone();
        let mut inside = String::new();
        while let Some(c) = ahead.next_if(|c| c.is_ascii_digit() || *c == ',') {
            inside.push(c);
        }
        let (low, high) = inside.split_once(',').unwrap_or((&inside, ""));
        let closed = ahead.next() == Some('}');
        if !closed || low.is_empty() || high.contains(',') {
            self.out.push_str("\\{");
            return Ok(false);
        }
        for number in [low, high] {
            if !number.is_empty() && !number.parse().is_ok_and(|times: u32| times <= REPEATS) {
                return Err("invalid repeat count");
            }
        }
        self.rest = ahead;
        let _ = write!(self.out, "{{{inside}}}");
        Ok(true)
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
