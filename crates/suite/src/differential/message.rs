//! Messages that show values. What they say has to be the same; how a value is written need not be.
//!
//! The genuine server writes whole values of built-in types as its own structures in Go, with the names of
//! their fields there (`{"Volumes":null}`), and the fields of others in the order of its source. The embedded
//! one has neither. A strategic merge patch it writes as far as it has used it up.

use serde_json::Value;

use super::plain::Names;

/// A piece of a message.
#[derive(Debug, PartialEq)]
enum Piece {
    Text(String),
    Shown(Value),
}

/// Whether two messages say the same.
pub(super) fn same(genuine: &str, embedded: &str, names: [&Names; 2]) -> bool {
    if genuine == embedded {
        return true;
    }
    // Maps that are empty are stored as none.
    let genuine = &genuine.replace("Invalid value: {}:", "Invalid value: null:");
    let listed = [" is invalid: [", ": errors:\n"];
    if listed.iter().any(|mark| genuine.contains(mark)) && parts(genuine) == parts(embedded) {
        return true;
    }
    if genuine.contains(UNDECLARED) && tells_some_of(genuine, embedded) {
        return true;
    }
    let (genuine, embedded) = (without_patch(genuine), without_patch(embedded));
    let (genuine, embedded) = (pieces(&genuine, names[0]), pieces(&embedded, names[1]));
    genuine.len() == embedded.len()
        && genuine.iter().zip(&embedded).all(|pair| match pair {
            (Piece::Shown(one), Piece::Shown(_)) if is_of_go(one) => true,
            (one, other) => one == other,
        })
}

/// What is said of a field that no schema declares.
const UNDECLARED: &str = ": field not declared in schema";

/// Whether a message tells only faults that another one tells, too: at a field that is not declared, the
/// genuine server goes no further through its map, which has no order.
fn tells_some_of(message: &str, of: &str) -> bool {
    let faults = |message: &'_ str| -> Option<(String, Vec<String>)> {
        let (subject, faults) = message.split_once("): ")?;
        let faults = faults.trim_start_matches("errors:").lines();
        let faults = faults.map(|line| line.trim().to_owned());
        Some((
            subject.to_owned(),
            faults.filter(|line| !line.is_empty()).collect(),
        ))
    };
    let (Some((subject, some)), Some((other, all))) = (faults(message), faults(of)) else {
        return false;
    };
    subject == other && some.iter().all(|fault| all.contains(fault))
}

/// A message without the strategic merge patch that it shows.
fn without_patch(message: &str) -> String {
    let shown = message.split_once("Invalid value: \"map[");
    match shown.and_then(|(before, rest)| Some((before, rest.rsplit_once("]\": ")?.1))) {
        Some((before, after)) => format!("{before}Invalid value: a patch: {after}"),
        None => message.to_owned(),
    }
}

/// The faults of a list, sorted: those of custom resources, and of what is applied, stand in the order of
/// chance.
fn parts(message: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = message
        .split(['[', ']', '\n'])
        .flat_map(|text| text.split(", "))
        .collect();
    parts.sort_unstable();
    parts
}

/// Whether a value is one of Go's own structures: fields in JSON begin with small letters.
fn is_of_go(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(key, value)| {
            key.starts_with(|c: char| c.is_ascii_uppercase()) || is_of_go(value)
        }),
        Value::Array(items) => items.iter().any(is_of_go),
        _ => false,
    }
}

/// Text, and between it objects, written as they are or within quotes.
fn pieces(message: &str, names: &Names) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = message;
    while let Some(start) = rest.find('{') {
        let start = if rest[..start].ends_with('"') {
            start - 1
        } else {
            start
        };
        let (before, from) = rest.split_at(start);
        let Some((mut shown, length)) = object(from) else {
            let (text, after) = rest.split_at(rest.find('{').map_or(rest.len(), |at| at + 1));
            pieces.push(Piece::Text(text.to_owned()));
            rest = after;
            continue;
        };
        names.settle(&mut shown);
        pieces.push(Piece::Text(before.to_owned()));
        pieces.push(Piece::Shown(shown));
        rest = &from[length..];
    }
    pieces.push(Piece::Text(rest.to_owned()));
    pieces
}

/// The object that a text begins with, and how long it is.
fn object(text: &str) -> Option<(Value, usize)> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let value = stream.next()?.ok()?;
    let length = stream.byte_offset();
    match value {
        Value::Object(_) => Some((value, length)),
        Value::String(quoted) => {
            let inner: Value = serde_json::from_str(&quoted).ok()?;
            inner.is_object().then_some((inner, length))
        }
        _ => None,
    }
}
