//! JSON texts, one after another, with the keys checked that serde_json would let through.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::{Document, MAX_DEPTH, MAX_DOCUMENTS, narrow};
use crate::{Problem, ProblemReason};

const TWICE: &str = "a key is written twice";

pub(super) fn read(text: &str) -> Result<Vec<Document>, Vec<Problem>> {
    let mut documents = Vec::new();
    let mut texts = serde_json::Deserializer::from_str(text).into_iter::<Strict>();
    let mut lines = LineCount {
        text,
        position: 0,
        line: 1,
    };
    loop {
        let line = lines.of_content_after(texts.byte_offset());
        let Some(value) = texts.next() else {
            return Ok(documents);
        };
        if documents.len() == MAX_DOCUMENTS {
            let message = format!("the file holds more than {MAX_DOCUMENTS} documents");
            return Err(vec![Problem::new(ProblemReason::TooLarge, message)]);
        }
        match value {
            Ok(Strict(value)) if is_deeper(&value, MAX_DEPTH) => {
                drop(value);
                let mut problem = too_deep();
                problem.line = Some(narrow(line));
                return Err(vec![problem]);
            }
            Ok(Strict(value)) => documents.push(Document {
                line: narrow(line),
                value,
            }),
            Err(error) => return Err(vec![describe(&error)]),
        }
    }
}

/// Counts lines forward, so that many texts in one file take no more than one pass.
struct LineCount<'a> {
    text: &'a str,
    position: usize,
    line: usize,
}

impl LineCount<'_> {
    fn of_content_after(&mut self, offset: usize) -> usize {
        let rest = &self.text[offset..];
        let start = offset + (rest.len() - rest.trim_start().len());
        self.line += self.text[self.position..start].matches('\n').count();
        self.position = start;
        self.line
    }
}

fn describe(error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    let mut problem = if text.starts_with(TWICE) {
        Problem::new(ProblemReason::DuplicateKey, TWICE)
    } else if text.starts_with("recursion limit") {
        too_deep()
    } else if error.is_eof() {
        Problem::new(
            ProblemReason::Unparseable,
            "not valid JSON: the text ends too early",
        )
    } else {
        // The messages of serde_json's syntax errors are fixed text, followed by the place.
        let message = text.split(" at line ").next().unwrap_or_default();
        Problem::new(
            ProblemReason::Unparseable,
            format!("not valid JSON: {message}"),
        )
    };
    problem.line = Some(narrow(error.line()));
    problem
}

fn too_deep() -> Problem {
    let message = format!("objects and arrays are nested deeper than {MAX_DEPTH}");
    Problem::new(ProblemReason::TooDeep, message)
}

fn is_deeper(value: &Value, limit: usize) -> bool {
    match value {
        Value::Object(object) => {
            limit == 0 || object.values().any(|value| is_deeper(value, limit - 1))
        }
        Value::Array(items) => limit == 0 || items.iter().any(|item| is_deeper(item, limit - 1)),
        _ => false,
    }
}

/// A JSON value in which no object names a key twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((key, Strict(value))) = map.next_entry::<String, Strict>()? {
            if object.insert(key, value).is_some() {
                return Err(A::Error::custom(TWICE));
            }
        }
        Ok(object.into())
    }
}
