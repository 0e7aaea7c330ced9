//! How Go writes values, where its way is part of an interface: messages (`%v`), compact JSON in a
//! text with several tags, and the numbers of a digest.

use std::fmt::Write;

use serde_json::{Number, Value};

/// A value as Go's `%v` prints it: `map[a:b c:d]`, `[1 2]`, `1.4e+06`, `<nil>`.
pub(crate) fn display(value: &Value) -> String {
    let mut text = String::new();
    write_display(&mut text, value);
    text
}

/// A map of strings as Go's `%v` prints it, with its keys sorted.
pub fn map<'a>(entries: impl IntoIterator<Item = (&'a String, &'a String)>) -> String {
    let mut entries: Vec<_> = entries.into_iter().collect();
    entries.sort();
    let entries: Vec<_> = entries
        .into_iter()
        .map(|(key, value)| format!("{key}:{value}"))
        .collect();
    format!("map[{}]", entries.join(" "))
}

fn write_display(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("<nil>"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => text.push_str(&general(float(number))),
        Value::String(value) => text.push_str(value),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(' ');
                }
                write_display(text, item);
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut keys: Vec<_> = members.iter().collect();
            keys.sort_by_key(|(key, _)| *key);
            text.push_str("map[");
            for (index, (key, value)) in keys.into_iter().enumerate() {
                if index > 0 {
                    text.push(' ');
                }
                text.push_str(key);
                text.push(':');
                write_display(text, value);
            }
            text.push(']');
        }
    }
}

/// A value as Go's `encoding/json` writes it: no spaces, keys sorted, `<`, `>` and `&` escaped.
/// Integers are written whole, however large.
pub(crate) fn compact_json(value: &Value) -> String {
    let mut text = String::new();
    write_json(&mut text, value);
    text
}

fn write_json(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => text.push_str(&json_number(number)),
        Value::String(value) => write_json_text(text, value),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_json(text, item);
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut keys: Vec<_> = members.iter().collect();
            keys.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (index, (key, value)) in keys.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_json_text(text, key);
                text.push(':');
                write_json(text, value);
            }
            text.push('}');
        }
    }
}

fn write_json_text(text: &mut String, value: &str) {
    text.push('"');
    for char in value.chars() {
        match char {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                // Writing into a String never fails.
                let _ = write!(text, "\\u{:04x}", u32::from(char));
            }
            _ => text.push(char),
        }
    }
    text.push('"');
}

fn json_number(number: &Number) -> String {
    if number.is_i64() || number.is_u64() {
        return number.to_string();
    }
    let value = float(number);
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = Digits::of(value).scientific();
        // Go cleans up e-09 to e-9 here, and only here.
        return match text.strip_suffix(|last: char| last.is_ascii_digit()) {
            Some(head) if head.ends_with("e-0") => {
                format!("{}{}", &head[..head.len() - 1], &text[head.len()..])
            }
            _ => text,
        };
    }
    Digits::of(value).plain()
}

/// A number as Go's `%g` writes it, in as few digits as tell it apart.
pub(crate) fn general(value: f64) -> String {
    let digits = Digits::of(value);
    if digits.exponent < -4 || digits.exponent >= 6 {
        digits.scientific()
    } else {
        digits.plain()
    }
}

/// The number as the float that Go makes of every number in JSON.
pub(crate) fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or_default()
}

/// The shortest decimal digits that give a float back, as `0.d1d2d3… × 10^(exponent + 1)`.
struct Digits {
    negative: bool,
    shortest: String,
    exponent: i32,
}

impl Digits {
    fn of(value: f64) -> Self {
        let text = format!("{:e}", value.abs());
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        Self {
            negative: value.is_sign_negative(),
            shortest: mantissa.replace('.', ""),
            exponent: exponent.parse().unwrap_or_default(),
        }
    }

    fn sign(&self) -> &'static str {
        if self.negative { "-" } else { "" }
    }

    fn scientific(&self) -> String {
        let (first, rest) = self.shortest.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let sign = if self.exponent < 0 { '-' } else { '+' };
        let exponent = self.exponent.abs();
        format!("{}{first}{point}{rest}e{sign}{exponent:02}", self.sign())
    }

    fn plain(&self) -> String {
        let sign = self.sign();
        let Ok(before) = usize::try_from(self.exponent + 1) else {
            let zeros = "0".repeat(self.exponent.unsigned_abs() as usize - 1);
            return format!("{sign}0.{zeros}{}", self.shortest);
        };
        if before == 0 {
            return format!("{sign}0.{}", self.shortest);
        }
        if before >= self.shortest.len() {
            let zeros = "0".repeat(before - self.shortest.len());
            return format!("{sign}{}{zeros}", self.shortest);
        }
        let (whole, rest) = self.shortest.split_at(before);
        format!("{sign}{whole}.{rest}")
    }
}
