//! YAML out, byte for byte as go-yaml v2 prints it.

use crate::number;
use crate::plain::Plain;
use crate::yaml::resolve;

/// The text of a value: documents with `---` between them, each with a line break at its end.
pub(crate) fn emit(value: &Plain) -> String {
    let mut out = String::new();
    match value {
        Plain::Documents(documents) => {
            for (index, document) in documents.iter().enumerate() {
                if index > 0 {
                    out.push_str("---\n");
                }
                document_of(document, &mut out);
            }
        }
        other => document_of(other, &mut out),
    }
    out
}

fn document_of(value: &Plain, out: &mut String) {
    match value {
        Plain::Null => {}
        Plain::Map(items) if !items.is_empty() => map(items, 0, out),
        Plain::List(items) if !items.is_empty() => list(items, 0, out),
        Plain::Text(text) if needs_block(text) => block(text, 2, out),
        other => {
            out.push_str(&inline(other));
            out.push('\n');
        }
    }
}

/// The items of a map, where the first stands already at its column.
fn map(items: &[(Plain, Plain)], indent: usize, out: &mut String) {
    for (index, (key, value)) in items.iter().enumerate() {
        if index > 0 {
            pad(indent, out);
        }
        let explicit = match key {
            Plain::Text(text) => text.contains('\n') || text.len() > 128,
            _ => false,
        };
        if explicit {
            out.push_str("? ");
            match key {
                Plain::Text(text) if needs_block(text) => block(text, indent + 2, out),
                other => {
                    out.push_str(&inline(other));
                    out.push('\n');
                }
            }
            pad(indent, out);
        } else {
            out.push_str(&inline(key));
        }
        out.push(':');
        child(value, indent, explicit, out);
    }
}

/// What stands behind the colon of a key.
fn child(value: &Plain, indent: usize, explicit: bool, out: &mut String) {
    match value {
        Plain::Map(items) if !items.is_empty() && explicit => {
            out.push(' ');
            map(items, indent + 2, out);
        }
        Plain::Map(items) if !items.is_empty() => {
            out.push('\n');
            pad(indent + 2, out);
            map(items, indent + 2, out);
        }
        Plain::List(items) if !items.is_empty() => {
            out.push('\n');
            pad(indent, out);
            list(items, indent, out);
        }
        other => leaf(other, indent, out),
    }
}

/// The items of a list, where the first stands already at its column.
fn list(items: &[Plain], indent: usize, out: &mut String) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            pad(indent, out);
        }
        out.push('-');
        match item {
            Plain::Map(items) if !items.is_empty() => {
                out.push(' ');
                map(items, indent + 2, out);
            }
            Plain::List(items) if !items.is_empty() => {
                out.push(' ');
                list(items, indent + 2, out);
            }
            other => leaf(other, indent, out),
        }
    }
}

fn leaf(value: &Plain, indent: usize, out: &mut String) {
    out.push(' ');
    match value {
        Plain::Text(text) if needs_block(text) => block(text, indent + 2, out),
        other => {
            out.push_str(&inline(other));
            out.push('\n');
        }
    }
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}

fn inline(value: &Plain) -> String {
    match value {
        Plain::Null | Plain::Documents(_) => "null".to_owned(),
        Plain::Bool(value) => value.to_string(),
        Plain::Int(value) => value.to_string(),
        Plain::Float(value) => number::shortest(*value),
        Plain::Text(text) => scalar(text),
        Plain::List(_) => "[]".to_owned(),
        Plain::Map(_) => "{}".to_owned(),
    }
}

fn scalar(text: &str) -> String {
    let shape = Shape::of(text);
    let is_text = matches!(resolve::plain(text), Plain::Text(_))
        && !resolve::is_base_sixty(text)
        && !resolve::is_timestamp(text);
    if is_text && !text.contains('\n') {
        if shape.plain {
            return text.to_owned();
        }
        if shape.single {
            return format!("'{}'", text.replace('\'', "''"));
        }
    }
    quoted(text)
}

fn needs_block(text: &str) -> bool {
    text.contains('\n') && Shape::of(text).block
}

/// Which styles a text allows; libyaml's `analyze_scalar`.
struct Shape {
    plain: bool,
    single: bool,
    block: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let (Some(first), Some(last)) = (chars.first(), chars.last()) else {
            return Self {
                plain: true,
                single: true,
                block: false,
            };
        };
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let (mut breaks, mut special, mut space_break, mut break_space) =
            (false, false, false, false);
        for (index, char) in chars.iter().enumerate() {
            let next = chars.get(index + 1).copied();
            let ends = next.is_none_or(|next| is_blank(next) || is_break(next));
            let previous = index.checked_sub(1).map(|index| chars[index]);
            let begins = previous.is_none_or(|before| is_blank(before) || is_break(before));
            indicators |= match char {
                '#' => begins,
                ':' => ends,
                '-' | '?' if index == 0 => ends,
                ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
                | '@' | '`' => index == 0,
                _ => false,
            };
            special |= !is_printable(*char);
            if *char == ' ' {
                break_space |= previous.is_some_and(is_break);
            } else if is_break(*char) {
                breaks = true;
                space_break |= previous == Some(' ');
            }
        }
        let edges = [*first, *last]
            .iter()
            .any(|char| *char == ' ' || is_break(*char));
        let bad = space_break || special;
        Self {
            plain: !edges && !break_space && !bad && !breaks && !indicators,
            single: !break_space && !bad,
            block: *last != ' ' && !bad,
        }
    }
}

fn is_blank(char: char) -> bool {
    matches!(char, ' ' | '\t')
}

fn is_break(char: char) -> bool {
    matches!(char, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_printable(char: char) -> bool {
    matches!(char, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && char != '\u{feff}'
}

/// A literal block, with its lines at the column.
fn block(text: &str, indent: usize, out: &mut String) {
    out.push('|');
    if text.starts_with(' ') || text.starts_with(is_break) {
        out.push('2');
    }
    match text.strip_suffix('\n') {
        None => out.push('-'),
        Some(rest) if rest.is_empty() || rest.ends_with('\n') => out.push('+'),
        Some(_) => {}
    }
    out.push('\n');
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        if !line.is_empty() {
            pad(indent, out);
            out.push_str(line);
        }
        out.push('\n');
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for char in text.chars() {
        let short = match char {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\0' => "\\0",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\u{b}' => "\\v",
            '\u{c}' => "\\f",
            '\r' => "\\r",
            '\u{1b}' => "\\e",
            '\u{85}' => "\\N",
            '\u{2028}' => "\\L",
            '\u{2029}' => "\\P",
            _ if is_printable(char) => {
                out.push(char);
                continue;
            }
            _ => {
                let code = u32::from(char);
                let escape = match code {
                    0..=0xff => format!("\\x{code:02X}"),
                    0x100..=0xffff => format!("\\u{code:04X}"),
                    _ => format!("\\U{code:08X}"),
                };
                out.push_str(&escape);
                continue;
            }
        };
        out.push_str(short);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
