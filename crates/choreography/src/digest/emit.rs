//! The block layout: indentation, keys, lists.
//!
//! Follows the state of go-yaml's emitter (`emitterc.go`) rather than a layout of our own, since
//! its blanks and breaks follow from that state in corners too.

use std::cmp::Ordering;

use serde_json::Value;

use super::scalar::{Analysis, Style, is_break, is_printable};
use crate::notation::{float, general};

/// The columns of a level.
const INDENT: usize = 4;
/// The longest key that stands on the line of its value, in bytes.
const LONGEST_SIMPLE_KEY: usize = 128;

pub(super) fn document(value: &Value) -> String {
    let mut emitter = Emitter {
        out: String::new(),
        column: 0,
        indent: None,
        whitespace: true,
        indention: true,
    };
    emitter.node(value, Place::Value);
    emitter.write_indent();
    emitter.out
}

/// Where a node stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Item,
    Value,
    SimpleKey,
}

struct Emitter {
    out: String,
    column: usize,
    indent: Option<usize>,
    whitespace: bool,
    indention: bool,
}

impl Emitter {
    fn node(&mut self, value: &Value, place: Place) {
        match value {
            Value::Null => self.plain("null"),
            Value::Bool(true) => self.plain("true"),
            Value::Bool(false) => self.plain("false"),
            Value::Number(number) => self.plain(&general(float(number))),
            Value::String(text) => self.text(text, place),
            Value::Array(items) if items.is_empty() => self.indicator("[]", true, false),
            Value::Object(members) if members.is_empty() => self.indicator("{}", true, false),
            Value::Array(items) => self.list(items, place),
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                members.sort_by(|(a, _), (b, _)| natural(a, b));
                self.map(&members, place);
            }
        }
    }

    fn list(&mut self, items: &[Value], place: Place) {
        let outer = self.increase_indent(place);
        for item in items {
            self.write_indent();
            self.indicator("-", true, true);
            self.node(item, Place::Item);
        }
        self.indent = outer;
    }

    fn map(&mut self, members: &[(&String, &Value)], place: Place) {
        let outer = self.increase_indent(place);
        for (key, value) in members {
            self.write_indent();
            if key.len() <= LONGEST_SIMPLE_KEY && !Analysis::of(key).multiline {
                self.text(key, Place::SimpleKey);
                self.indicator(":", false, false);
            } else {
                self.indicator("?", true, true);
                self.text(key, Place::Value);
                self.write_indent();
                self.indicator(":", true, true);
            }
            self.node(value, Place::Value);
        }
        self.indent = outer;
    }

    fn increase_indent(&mut self, place: Place) -> Option<usize> {
        let outer = self.indent;
        self.indent = Some(match (outer, place) {
            (None, _) => 0,
            // In a list, the first level of an item takes the place of the dash.
            (Some(indent), Place::Item) => indent + 2,
            (Some(indent), _) => INDENT * ((indent + INDENT) / INDENT),
        });
        outer
    }

    fn text(&mut self, text: &str, place: Place) {
        let outer = match self.indent {
            // A text alone is indented as if it stood in something.
            None => self.indent.replace(INDENT),
            Some(_) => self.increase_indent(place),
        };
        match Style::of(text, place == Place::SimpleKey) {
            Style::Plain => self.plain(text),
            Style::Single => self.single_quoted(text),
            Style::Double => self.double_quoted(text),
            Style::Literal => self.literal(text),
        }
        self.indent = outer;
    }

    fn put(&mut self, char: char) {
        self.out.push(char);
        self.column += 1;
    }

    fn put_break(&mut self, char: char) {
        self.out.push(char);
        self.column = 0;
        self.indention = true;
    }

    fn write_indent(&mut self) {
        let indent = self.indent.unwrap_or(0);
        let fits = self.column < indent || self.column == indent && self.whitespace;
        if !self.indention || !fits {
            self.put_break('\n');
        }
        while self.column < indent {
            self.put(' ');
        }
        self.whitespace = true;
    }

    fn indicator(&mut self, text: &str, needs_whitespace: bool, is_indention: bool) {
        if needs_whitespace && !self.whitespace {
            self.put(' ');
        }
        for char in text.chars() {
            self.put(char);
        }
        self.whitespace = false;
        self.indention = self.indention && is_indention;
    }

    fn plain(&mut self, text: &str) {
        if !text.is_empty() && !self.whitespace {
            self.put(' ');
        }
        for char in text.chars() {
            self.put(char);
            self.indention = false;
        }
        if !text.is_empty() {
            self.whitespace = false;
        }
        self.indention = false;
    }

    fn single_quoted(&mut self, text: &str) {
        self.indicator("'", true, false);
        let mut breaks = false;
        for char in text.chars() {
            if is_break(char) {
                if !breaks && char == '\n' {
                    self.put_break('\n');
                }
                self.put_break(char);
                breaks = true;
                continue;
            }
            if char != ' ' {
                if breaks {
                    self.write_indent();
                }
                self.indention = false;
                breaks = false;
            }
            if char == '\'' {
                self.put('\'');
            }
            self.put(char);
        }
        self.indicator("'", false, false);
    }

    fn double_quoted(&mut self, text: &str) {
        self.indicator("\"", true, false);
        // The reference asks whether the text begins with a byte order mark at each character.
        let escapes_all = text.starts_with('\u{feff}');
        for char in text.chars() {
            let is_special = matches!(char, '"' | '\\') || is_break(char) || !is_printable(char);
            if escapes_all || is_special {
                for char in escaped(char).chars() {
                    self.put(char);
                }
            } else {
                self.put(char);
            }
        }
        self.indicator("\"", false, false);
    }

    fn literal(&mut self, text: &str) {
        self.indicator("|", true, false);
        if text.starts_with(|first| first == ' ' || is_break(first)) {
            self.indicator("4", false, false);
        }
        let mut ends = text.chars().rev().map(is_break);
        match (ends.next(), ends.next()) {
            (Some(true), Some(false)) => {}
            (Some(true), _) => self.indicator("+", false, false),
            _ => self.indicator("-", false, false),
        }
        self.whitespace = true;
        let mut breaks = true;
        for char in text.chars() {
            if breaks && !is_break(char) {
                self.write_indent();
            }
            breaks = is_break(char);
            if breaks {
                self.put_break(char);
            } else {
                self.put(char);
                self.indention = false;
            }
        }
    }
}

fn escaped(char: char) -> String {
    let short = match char {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' | '\\' => char,
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            return match u32::from(char) {
                code @ ..=0xff => format!("\\x{code:02X}"),
                code @ ..=0xffff => format!("\\u{code:04X}"),
                code => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}

/// The order of keys: letters after all else, numbers in texts by value.
fn natural(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut digits = false;
    for at in 0..a.len().min(b.len()) {
        let (left, right) = (a[at], b[at]);
        if left == right {
            digits = is_digit(left);
            continue;
        }
        let (left_letter, right_letter) = (left.is_alphabetic(), right.is_alphabetic());
        if left_letter && right_letter {
            return left.cmp(&right);
        }
        if left_letter || right_letter {
            // After digits, a letter comes first: a2b before a21.
            let left_first = if digits { left_letter } else { right_letter };
            return if left_first {
                Ordering::Less
            } else {
                Ordering::Greater
            };
        }
        let mut leading = 0;
        if left == '0' || right == '0' {
            let run = a[..at].iter().rev().take_while(|char| is_digit(**char));
            if run.into_iter().any(|char| *char != '0') {
                leading = 1;
            }
        }
        let (left_number, left_end) = number(&a, at, leading);
        let (right_number, right_end) = number(&b, at, leading);
        return left_number
            .cmp(&right_number)
            .then(left_end.cmp(&right_end))
            .then(left.cmp(&right));
    }
    a.len().cmp(&b.len())
}

/// The number that begins at a place, with a digit before it, and where it ends.
fn number(text: &[char], at: usize, leading: i64) -> (i64, usize) {
    let digits = text[at..].iter().take_while(|char| is_digit(**char));
    let length = digits.clone().count();
    let number = digits.fold(leading, |number, digit| {
        let value = i64::from(u32::from(*digit)) - i64::from(u32::from('0'));
        number.wrapping_mul(10).wrapping_add(value)
    });
    (number, at + length)
}

/// A decimal digit. Beyond ASCII these are Arabic-Indic, Devanagari and full-width ones; Go knows
/// those of all scripts.
fn is_digit(char: char) -> bool {
    matches!(char, '0'..='9' | '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}' | '\u{966}'..='\u{96f}' | '\u{ff10}'..='\u{ff19}')
}
