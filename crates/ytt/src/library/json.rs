//! `@ytt:json`, as Go's `encoding/json` writes and reads it.

use serde_json::Value as Json;
use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::Value;

use crate::library::text_of;
use crate::node::failure;
use crate::number;
use crate::plain::Plain;
use crate::run::{Budget, budget};
use crate::value;

#[starlark_module]
pub(super) fn functions(globals: &mut GlobalsBuilder) {
    /// The JSON of a value.
    fn encode<'v>(
        #[starlark(require = pos)] value: Value<'v>,
        #[starlark(require = named, default = 0)] indent: i32,
        #[starlark(require = named, default = true)] escape_html: bool,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<String> {
        let budget = budget(eval)?;
        let indent = usize::try_from(indent).ok().filter(|indent| *indent <= 8);
        let Some(indent) = indent else {
            return Err(failure(
                "json.encode: expected indent to be between 0 and 8",
            ));
        };
        let mut writer = Writer {
            out: String::new(),
            indent,
            escape_html,
        };
        let plain = value::to_plain(value, eval.heap(), budget)?;
        writer
            .write(&plain, 0)
            .map_err(|message| failure(format!("json.encode: {message}")))?;
        budget.text(writer.out.len())?;
        Ok(writer.out)
    }

    /// The value of JSON. All numbers are floats.
    fn decode<'v>(
        #[starlark(require = pos)] text: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let text = text_of("json.decode", text)?;
        let budget = budget(eval)?;
        budget.text(text.len())?;
        // The reader would quote the text.
        let json: Json = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            failure(format!(
                "json.decode: no JSON at line {line} column {column} of the text"
            ))
        })?;
        let plain = floats(json, budget, 0)?;
        value::from_plain(&plain, eval.heap())
    }
}

fn floats(json: Json, budget: &Budget<'_>, depth: usize) -> starlark::Result<Plain> {
    budget.nodes(1)?;
    budget.depth(depth)?;
    Ok(match json {
        Json::Null => Plain::Null,
        Json::Bool(value) => Plain::Bool(value),
        Json::Number(number) => Plain::Float(number.as_f64().unwrap_or_default()),
        Json::String(text) => Plain::Text(text),
        Json::Array(items) => {
            let items = items
                .into_iter()
                .map(|item| floats(item, budget, depth + 1));
            Plain::List(items.collect::<Result<_, _>>()?)
        }
        Json::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().collect();
            entries.sort_unstable_by(|left, right| left.0.cmp(&right.0));
            let mut items = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                items.push((Plain::Text(key), floats(value, budget, depth + 1)?));
            }
            Plain::Map(items)
        }
    })
}

struct Writer {
    out: String,
    indent: usize,
    escape_html: bool,
}

impl Writer {
    fn write(&mut self, value: &Plain, depth: usize) -> Result<(), String> {
        match value {
            Plain::Null => self.out.push_str("null"),
            Plain::Bool(value) => self.out.push_str(&value.to_string()),
            Plain::Int(value) => self.out.push_str(&value.to_string()),
            Plain::Float(value) if value.is_finite() => self.out.push_str(&number::json(*value)),
            Plain::Float(_) => return Err("a number is not finite".to_owned()),
            Plain::Text(text) => self.string(text),
            Plain::Documents(_) => return Err("a document set does not encode".to_owned()),
            Plain::List(items) => {
                self.out.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.next(index, depth + 1);
                    self.write(item, depth + 1)?;
                }
                self.end(items.is_empty(), depth);
                self.out.push(']');
            }
            Plain::Map(items) => {
                let mut entries = Vec::with_capacity(items.len());
                for (key, value) in items {
                    let Plain::Text(key) = key else {
                        return Err(format!("a key is {}, not a string", key.kind()));
                    };
                    entries.push((key, value));
                }
                entries.sort_by_key(|(key, _)| *key);
                self.out.push('{');
                for (index, (key, value)) in entries.into_iter().enumerate() {
                    self.next(index, depth + 1);
                    self.string(key);
                    self.out.push_str(if self.indent > 0 { ": " } else { ":" });
                    self.write(value, depth + 1)?;
                }
                self.end(items.is_empty(), depth);
                self.out.push('}');
            }
        }
        Ok(())
    }

    fn next(&mut self, index: usize, depth: usize) {
        if index > 0 {
            self.out.push(',');
        }
        self.line(depth);
    }

    fn end(&mut self, is_empty: bool, depth: usize) {
        if !is_empty {
            self.line(depth);
        }
    }

    fn line(&mut self, depth: usize) {
        if self.indent > 0 {
            self.out.push('\n');
            self.out.push_str(&" ".repeat(self.indent * depth));
        }
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        for char in text.chars() {
            match char {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '<' | '>' | '&' if self.escape_html => self.escape(char),
                '\0'..='\u{1f}' | '\u{2028}' | '\u{2029}' => self.escape(char),
                _ => self.out.push(char),
            }
        }
        self.out.push('"');
    }

    fn escape(&mut self, char: char) {
        let code = format!("\\u{:04x}", u32::from(char));
        self.out.push_str(&code);
    }
}
