//! Paths of printer columns: the part of kubectl's JSONPath that leads to one value
//! (`client-go/util/jsonpath`).
//!
//! Not read: ranges, slices, unions, `..`, and comparisons that are not for equality with a constant.

use serde_json::Value;

/// A path.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct JsonPath(Vec<Step>);

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    /// Counted from the end where it is negative.
    Item(i64),
    All,
    /// Items of which a path leads to something, or to this if `true`, or not to this.
    Filter(JsonPath, Option<(bool, Value)>),
}

impl JsonPath {
    /// Reads a path; none if it is none, or more than is read here.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        let mut rest = text.trim_start_matches(['@', '$']);
        while !rest.is_empty() {
            if let Some(filter) = rest.strip_prefix("[?(") {
                let (inside, after) = filter.split_once(")]")?;
                steps.push(filter_step(inside)?);
                rest = after;
            } else if let Some(after) = rest.strip_prefix('[') {
                let (inside, after) = after.split_once(']')?;
                let quoted = inside
                    .strip_prefix('\'')
                    .and_then(|it| it.strip_suffix('\''));
                match (quoted, inside) {
                    // Upstream reads a quoted name as what follows a dot, further dots included.
                    (Some(name), _) => steps.extend(Self::parse(&format!(".{name}"))?.0),
                    (None, "*") => steps.push(Step::All),
                    (None, number) => steps.push(Step::Item(number.parse().ok()?)),
                }
                rest = after;
            } else {
                rest = field(rest.strip_prefix('.')?, &mut steps)?;
            }
        }
        Some(Self(steps))
    }

    /// The first value that it leads to.
    pub(super) fn first<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        first(&self.0, value)
    }
}

fn first<'a>(steps: &[Step], value: &'a Value) -> Option<&'a Value> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(value);
    };
    match step {
        Step::Field(name) => first(rest, value.as_object()?.get(name)?),
        Step::Item(index) => {
            let items = value.as_array()?;
            let counted = match usize::try_from(*index) {
                Ok(index) => index,
                Err(_) => items
                    .len()
                    .checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
            };
            first(rest, items.get(counted)?)
        }
        Step::All => {
            let mut items = value.as_array()?.iter();
            items.find_map(|item| first(rest, item))
        }
        Step::Filter(path, test) => {
            let fits = |item: &&Value| match (path.first(item), test) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(found), Some((equal, wanted))) => (found == wanted) == *equal,
            };
            let mut found = value.as_array()?.iter().filter(fits);
            found.find_map(|item| first(rest, item))
        }
    }
}

/// Reads a field's name; what follows it. None where it is empty.
fn field<'a>(text: &'a str, steps: &mut Vec<Step>) -> Option<&'a str> {
    let mut name = String::new();
    let mut chars = text.char_indices();
    let mut end = text.len();
    while let Some((index, c)) = chars.next() {
        match c {
            '\\' => name.extend(chars.next().map(|(_, c)| c)),
            '.' | '[' | ']' | ' ' | ',' | '$' | '@' | '{' | '}' => {
                end = index;
                break;
            }
            c => name.push(c),
        }
    }
    if name.is_empty() {
        return None;
    }
    steps.push(Step::Field(name));
    Some(&text[end..])
}

fn filter_step(text: &str) -> Option<Step> {
    let (path, equal, constant) = match (text.split_once("=="), text.split_once("!=")) {
        (Some((path, constant)), _) => (path, true, constant),
        (_, Some((path, constant))) => (path, false, constant),
        _ if text.contains(['<', '>', '=']) => return None,
        _ => return Some(Step::Filter(JsonPath::parse(text.trim())?, None)),
    };
    let constant = constant.trim();
    let quoted = |quote: char| {
        let inside = constant.strip_prefix(quote)?.strip_suffix(quote)?;
        Some(Value::from(inside))
    };
    let value = quoted('"').or_else(|| quoted('\''));
    let value = value.or_else(|| serde_json::from_str(constant).ok())?;
    let path = JsonPath::parse(path.trim())?;
    Some(Step::Filter(path, Some((equal, value))))
}

#[cfg(test)]
mod tests;
