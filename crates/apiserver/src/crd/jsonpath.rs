//! Paths of printer columns and selectable fields: the part of kubectl's JSONPath that leads to
//! values (`client-go/util/jsonpath`).
//!
//! Not read: ranges, text between paths, and comparisons of anything but with a constant.

use serde_json::Value;

/// So many values may a path lead to.
const RESULTS: usize = 10_000;

/// A path.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct JsonPath(Vec<Step>);

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    Wildcard,
    Recursive,
    /// From, to, and by how much; upstream tells an index from a slice by a flag.
    Slice {
        from: Option<i64>,
        to: Option<i64>,
        by: usize,
        single: bool,
    },
    Union(Vec<JsonPath>),
    Filter {
        left: JsonPath,
        test: Option<(Test, Value)>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl JsonPath {
    /// Reads a path; none when it cannot be read.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        let mut rest = text;
        loop {
            rest = rest.trim_start_matches([' ', '@', '$']);
            if rest.is_empty() {
                return Some(Self(steps));
            }
            if let Some(filter) = rest.strip_prefix("[?(") {
                let end = filter.find(")]")?;
                steps.push(filter_step(&filter[..end])?);
                rest = &filter[end + 2..];
            } else if let Some(after) = rest.strip_prefix("..") {
                if steps.last() == Some(&Step::Recursive) {
                    return None;
                }
                steps.push(Step::Recursive);
                rest = after;
                if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
                    rest = field(rest, &mut steps);
                }
            } else if let Some(after) = rest.strip_prefix('.') {
                rest = field(after, &mut steps);
            } else if let Some(after) = rest.strip_prefix('[') {
                let end = after.find(']')?;
                brackets(&after[..end], &mut steps)?;
                rest = &after[end + 1..];
            } else {
                return None;
            }
        }
    }

    /// The first value the path leads to; none, too, where a value on the way has the wrong type.
    pub(super) fn first<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        // Almost all paths are fields alone, and need no lists.
        let mut here = value;
        for step in &self.0 {
            match step {
                Step::Field(name) => here = here.as_object()?.get(name)?,
                _ => return self.all(value).ok()?.first().copied(),
            }
        }
        Some(here)
    }

    /// All values the path leads to.
    fn all<'a>(&self, value: &'a Value) -> Result<Vec<&'a Value>, Broken> {
        let mut here = vec![value];
        for step in &self.0 {
            let mut next = Vec::new();
            for value in here {
                step.follow(value, &mut next)?;
                if next.len() > RESULTS {
                    return Err(Broken);
                }
            }
            here = next;
        }
        Ok(here)
    }
}

/// A path leads nowhere.
#[derive(Debug)]
struct Broken;

fn field<'a>(text: &'a str, steps: &mut Vec<Step>) -> &'a str {
    let mut name = String::new();
    let mut chars = text.char_indices();
    let mut end = text.len();
    while let Some((index, c)) = chars.next() {
        match c {
            '\\' => name.extend(chars.next().map(|(_, c)| c)),
            ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}' => {
                end = index;
                break;
            }
            c => name.push(c),
        }
    }
    steps.push(match name.as_str() {
        "*" => Step::Wildcard,
        _ => Step::Field(name),
    });
    &text[end..]
}

fn brackets(text: &str, steps: &mut Vec<Step>) -> Option<()> {
    let quoted = text.strip_prefix('\'').and_then(|it| it.strip_suffix('\''));
    if text.contains(',') {
        let parts = text.split(',');
        let parts = parts.map(|part| JsonPath::parse(&format!("[{}]", part.trim_matches(' '))));
        steps.push(Step::Union(parts.collect::<Option<_>>()?));
    } else if let Some(name) = quoted {
        // Upstream reads a quoted name as what follows a dot, further dots included.
        steps.extend(JsonPath::parse(&format!(".{name}"))?.0);
    } else {
        let text = if text == "*" { ":" } else { text };
        let mut parts = text.split(':');
        let mut number = || match parts.next() {
            None | Some("") => Some(None),
            Some(text) => text.parse::<i64>().ok().map(Some),
        };
        let (from, to, by) = (number()?, number()?, number()?);
        if parts.next().is_some() || by.is_some_and(|by| by <= 0) {
            return None;
        }
        steps.push(Step::Slice {
            from,
            to,
            by: by.map_or(1, |by| usize::try_from(by).unwrap_or(1)),
            single: !text.contains(':'),
        });
    }
    Some(())
}

fn filter_step(text: &str) -> Option<Step> {
    let Some(start) = text.find(['!', '<', '>', '=']) else {
        return Some(Step::Filter {
            left: JsonPath::parse(text)?,
            test: None,
        });
    };
    let after = &text[start..];
    let length = after
        .find(|c| !matches!(c, '!' | '<' | '>' | '='))
        .unwrap_or(after.len());
    let how = match &after[..length] {
        "==" => Test::Equal,
        "!=" => Test::NotEqual,
        "<" => Test::Less,
        "<=" => Test::LessOrEqual,
        ">" => Test::Greater,
        ">=" => Test::GreaterOrEqual,
        _ => return None,
    };
    let right = after[length..].trim();
    let is_text = right.len() > 1
        && (right.starts_with('"') && right.ends_with('"')
            || right.starts_with('\'') && right.ends_with('\''));
    let right = if is_text {
        Value::from(&right[1..right.len() - 1])
    } else {
        match right {
            "true" | "false" => Value::Bool(right == "true"),
            right => serde_json::from_str(right).ok()?,
        }
    };
    Some(Step::Filter {
        left: JsonPath::parse(text[..start].trim())?,
        test: Some((how, right)),
    })
}

impl Step {
    fn follow<'a>(&self, value: &'a Value, out: &mut Vec<&'a Value>) -> Result<(), Broken> {
        if value.is_null() {
            return Ok(());
        }
        match (self, value) {
            (Self::Field(name), Value::Object(map)) => out.extend(map.get(name)),
            (Self::Wildcard, Value::Object(map)) => out.extend(map.values()),
            (Self::Wildcard, Value::Array(items)) => out.extend(items),
            (Self::Field(_) | Self::Wildcard, _) => {}
            (Self::Recursive, value) => recursive(value, out),
            (
                Self::Slice {
                    from,
                    to,
                    by,
                    single,
                },
                Value::Array(items),
            ) => {
                let range = range(items.len(), *from, *to, *single).ok_or(Broken)?;
                out.extend(items[range].iter().step_by(*by));
            }
            (Self::Union(paths), value) => {
                for path in paths {
                    out.extend(path.all(value)?);
                }
            }
            (Self::Filter { left, test }, Value::Array(items)) => {
                for item in items {
                    if passes(left, test.as_ref(), item)? {
                        out.push(item);
                    }
                }
            }
            (Self::Slice { .. } | Self::Filter { .. }, _) => return Err(Broken),
        }
        Ok(())
    }
}

fn recursive<'a>(value: &'a Value, out: &mut Vec<&'a Value>) {
    let below: Vec<&Value> = match value {
        Value::Object(map) => map.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => return,
    };
    if below.is_empty() || out.len() > RESULTS {
        return;
    }
    out.push(value);
    for value in below {
        recursive(value, out);
    }
}

fn range(
    length: usize,
    from: Option<i64>,
    to: Option<i64>,
    single: bool,
) -> Option<std::ops::Range<usize>> {
    let length = i64::try_from(length).ok()?;
    let from = from.unwrap_or(0);
    let start = if from < 0 { from + length } else { from };
    let to = if single { Some(from + 1) } else { to };
    let end = match to {
        None => length,
        Some(0) if single => length,
        Some(to) if to < 0 => to + length,
        Some(to) => to,
    };
    if start == end {
        return Some(0..0);
    }
    let within = (0..length).contains(&start) && (0..=length).contains(&end) && start < end;
    let start = usize::try_from(start).ok()?;
    within.then_some(start..usize::try_from(end).ok()?)
}

fn passes(left: &JsonPath, test: Option<&(Test, Value)>, item: &Value) -> Result<bool, Broken> {
    let found = left.all(item);
    let Some((how, right)) = test else {
        return Ok(found.is_ok_and(|found| !found.is_empty()));
    };
    let found = match found?.as_slice() {
        [] => return Ok(false),
        [only] => *only,
        _ => return Err(Broken),
    };
    let order = match (found, right) {
        (Value::Number(found), Value::Number(right)) => found.as_f64().partial_cmp(&right.as_f64()),
        (Value::String(found), Value::String(right)) => Some(found.cmp(right)),
        (Value::Bool(found), Value::Bool(right)) => Some(found.cmp(right)),
        _ => return Err(Broken),
    };
    let order = order.ok_or(Broken)?;
    Ok(match how {
        Test::Equal => order.is_eq(),
        Test::NotEqual => order.is_ne(),
        Test::Less => order.is_lt(),
        Test::LessOrEqual => order.is_le(),
        Test::Greater => order.is_gt(),
        Test::GreaterOrEqual => order.is_ge(),
    })
}

#[cfg(test)]
mod tests;
