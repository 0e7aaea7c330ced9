//! Text as Go's `%q` and `%#v` write it, since the genuine server's messages are made by them.

use std::fmt::{self, Write};

/// A text in quotes.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\u{7}' => f.write_str("\\a")?,
                '\u{8}' => f.write_str("\\b")?,
                '\u{c}' => f.write_str("\\f")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                '\u{b}' => f.write_str("\\v")?,
                '\0'..='\u{1f}' | '\u{7f}' => write!(f, "\\x{:02x}", u32::from(character))?,
                ' '..='~' => f.write_char(character)?,
                // What Rust would escape as a code point is what Go calls not printable.
                other if other.escape_debug().len() > 1 || other.is_whitespace() => {
                    match u32::from(other) {
                        code @ ..=0xffff => write!(f, "\\u{code:04x}")?,
                        code => write!(f, "\\U{code:08x}")?,
                    }
                }
                other => f.write_char(other)?,
            }
        }
        f.write_char('"')
    }
}

/// A list of texts: `["a" "b"]`.
pub(super) struct QuotedList<'a, T>(pub(super) &'a [T]);

impl<T: AsRef<str>> fmt::Display for QuotedList<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('[')?;
        for (index, text) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_char(' ')?;
            }
            Quoted(text.as_ref()).fmt(f)?;
        }
        f.write_char(']')
    }
}

/// A list of texts in Go's syntax: `[]string{"a", "b"}`, or `[]string(nil)` if there are none.
pub(super) struct GoList<'a, T>(pub(super) &'a [T]);

impl<T: AsRef<str>> fmt::Display for GoList<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("[]string(nil)");
        }
        f.write_str("[]string{")?;
        for (index, text) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            Quoted(text.as_ref()).fmt(f)?;
        }
        f.write_char('}')
    }
}

/// Several errors as Go's `Aggregate` writes them: each text once, in brackets if they are several.
pub(super) fn aggregate(mut texts: Vec<String>) -> String {
    let mut unique: Vec<String> = Vec::new();
    for text in texts.drain(..) {
        if !unique.contains(&text) {
            unique.push(text);
        }
    }
    match unique.as_slice() {
        [only] => only.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_as_go_does() {
        for (text, quoted) in [
            ("plain", "\"plain\""),
            ("a\"b\\c", "\"a\\\"b\\\\c\""),
            ("it's", "\"it's\""),
            ("tab\there", "\"tab\\there\""),
            ("\0\u{7f}", "\"\\x00\\x7f\""),
            ("zoë", "\"zoë\""),
            ("\u{a0}\u{200b}", "\"\\u00a0\\u200b\""),
        ] {
            assert_eq!(Quoted(text).to_string(), quoted);
        }
        assert_eq!(QuotedList(&["a", "b"]).to_string(), "[\"a\" \"b\"]");
        assert_eq!(GoList(&["a", "b"]).to_string(), "[]string{\"a\", \"b\"}");
        assert_eq!(GoList::<&str>(&[]).to_string(), "[]string(nil)");
    }

    #[test]
    fn errors_are_joined_once_each() {
        let texts = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        assert_eq!(aggregate(texts(&["a", "a"])), "a");
        assert_eq!(aggregate(texts(&["a", "b", "a"])), "[a, b]");
    }
}
