//! Paths of printer columns: the part of kubectl's JSONPath that leads to one value
//! (`client-go/util/jsonpath`).
//!
//! Not read: ranges. A filter of a kind that is not known here leads nowhere.

use std::cmp::Ordering;

use serde_json::Value;

/// A path.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct JsonPath(Vec<Step>);

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    /// Some items, by where they begin, where they end and how far they are apart; from the end where negative.
    Items {
        start: Option<i64>,
        end: Option<i64>,
        step: Option<i64>,
    },
    /// One item, counted from the end where it is negative.
    Item(i64),
    All,
    /// The value and all that is in it.
    Deep,
    /// What one path leads to, then what the next does.
    Union(Vec<JsonPath>),
    /// Items that pass a test.
    Filter(Test),
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    /// The path leads to something.
    Exists(JsonPath),
    /// Both sides compare like this.
    Compare(Operand, Comparison, Operand),
    /// Nobody passes.
    Unknown,
}

#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Path(JsonPath),
    Constant(Value),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// The longer ones first: `<` begins `<=`.
const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::Unequal),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

impl JsonPath {
    /// Reads a path; none if it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        let mut rest = text.trim_start_matches(['@', '$']);
        while !rest.is_empty() {
            if let Some(filter) = rest.strip_prefix("[?(") {
                let (inside, after) = filter.split_once(")]")?;
                steps.push(Step::Filter(test(inside)));
                rest = after;
            } else if let Some(after) = rest.strip_prefix('[') {
                let (inside, after) = after.split_once(']')?;
                steps.extend(bracket(inside)?);
                rest = after;
            } else if let Some(after) = rest.strip_prefix("..") {
                steps.push(Step::Deep);
                rest = if after.starts_with('[') {
                    after
                } else {
                    field(after, &mut steps)
                };
            } else if let Some(after) = rest.strip_prefix('.') {
                rest = field(after, &mut steps);
            } else if let Some(after) = rest.strip_prefix(' ') {
                rest = after;
            } else {
                // A word of its own, which stands for nothing here.
                let after = rest.trim_start_matches(|c: char| c == '_' || c.is_alphanumeric());
                if after.len() == rest.len() {
                    return None;
                }
                steps.push(Step::Union(Vec::new()));
                rest = after;
            }
        }
        Some(Self(steps))
    }

    /// The first value that it leads to.
    pub(super) fn first<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        first(&self.0, value)
    }
}

/// What stands in brackets.
fn bracket(inside: &str) -> Option<Vec<Step>> {
    if inside.contains(',') {
        let parts = inside.split(',');
        let union = parts.map(|part| bracket(part.trim_matches(' ')).map(JsonPath));
        return Some(vec![Step::Union(union.collect::<Option<_>>()?)]);
    }
    let quoted = inside
        .strip_prefix('\'')
        .and_then(|inside| inside.strip_suffix('\''));
    if let Some(name) = quoted {
        // Upstream reads a quoted name as what follows a dot, further dots included.
        return Some(JsonPath::parse(&format!(".{name}"))?.0);
    }
    if inside == "*" {
        return Some(vec![Step::All]);
    }
    let mut parts = inside.split(':');
    let mut number = || match parts.next() {
        None | Some("") => Some(None),
        Some(text) => text.parse().ok().map(Some),
    };
    let (start, end, step) = (number()?, number()?, number()?);
    if parts.next().is_some() {
        return None;
    }
    Some(vec![if inside.contains(':') {
        Step::Items { start, end, step }
    } else {
        Step::Item(start.unwrap_or(0))
    }])
}

fn first<'a>(steps: &[Step], value: &'a Value) -> Option<&'a Value> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(value);
    };
    match step {
        Step::Field(name) if name == "*" => inside(value).find_map(|part| first(rest, part)),
        Step::Field(name) => first(rest, value.as_object()?.get(name)?),
        Step::Item(index) => {
            let items = value.as_array()?;
            first(rest, items.get(counted(*index, items.len())?)?)
        }
        Step::Items { start, end, step } => {
            let items = value.as_array()?;
            let start = counted(start.unwrap_or(0), items.len())?;
            let end = end.map_or(Some(items.len()), |end| counted(end, items.len()))?;
            let step = usize::try_from(step.unwrap_or(1))
                .ok()
                .filter(|step| *step > 0)?;
            let mut items = items.get(start..end)?.iter().step_by(step);
            items.find_map(|item| first(rest, item))
        }
        Step::All => {
            let mut items = value.as_array()?.iter();
            items.find_map(|item| first(rest, item))
        }
        Step::Deep => {
            let found = first(rest, value);
            found.or_else(|| inside(value).find_map(|part| first(steps, part)))
        }
        Step::Union(paths) => paths.iter().find_map(|path| {
            // Each of them, with what follows.
            let whole: Vec<Step> = path.0.iter().chain(rest).cloned().collect();
            first(&whole, value)
        }),
        Step::Filter(test) => {
            let mut found = value.as_array()?.iter().filter(|item| test.passes(item));
            found.find_map(|item| first(rest, item))
        }
    }
}

/// What a list or an object has in it.
fn inside(value: &Value) -> impl Iterator<Item = &Value> {
    let items = value.as_array().into_iter().flatten();
    let fields = value.as_object().into_iter().flat_map(|map| map.values());
    items.chain(fields)
}

/// Where an item is, counted from the end where negative.
fn counted(index: i64, length: usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}

impl Operand {
    fn of<'a>(&'a self, item: &'a Value) -> Option<&'a Value> {
        match self {
            Self::Path(path) => path.first(item),
            Self::Constant(value) => Some(value),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.starts_with(['@', '$', '.']) {
            return JsonPath::parse(text).map(Self::Path);
        }
        let quoted = |quote: char| {
            let inside = text.strip_prefix(quote)?.strip_suffix(quote)?;
            Some(Value::from(inside))
        };
        let value = quoted('"').or_else(|| quoted('\''));
        let value = value.or_else(|| serde_json::from_str(text).ok())?;
        Some(Self::Constant(value))
    }
}

impl Test {
    fn passes(&self, item: &Value) -> bool {
        match self {
            Self::Exists(path) => path.first(item).is_some(),
            Self::Compare(left, how, right) => match (left.of(item), right.of(item)) {
                (Some(left), Some(right)) => how.holds(left, right),
                _ => false,
            },
            Self::Unknown => false,
        }
    }
}

impl Comparison {
    fn holds(self, left: &Value, right: &Value) -> bool {
        let order = match (left, right) {
            (Value::Number(left), Value::Number(right)) => {
                left.as_f64().partial_cmp(&right.as_f64())
            }
            (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
            _ => None,
        };
        match self {
            Self::Equal => left == right || order.is_some_and(Ordering::is_eq),
            Self::Unequal => left != right && !order.is_some_and(Ordering::is_eq),
            Self::Less => order.is_some_and(Ordering::is_lt),
            Self::AtMost => order.is_some_and(Ordering::is_le),
            Self::Greater => order.is_some_and(Ordering::is_gt),
            Self::AtLeast => order.is_some_and(Ordering::is_ge),
        }
    }
}

/// Reads a field's name; what follows it.
fn field<'a>(text: &'a str, steps: &mut Vec<Step>) -> &'a str {
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
    steps.push(Step::Field(name));
    &text[end..]
}

fn test(text: &str) -> Test {
    let found = COMPARISONS.iter().find_map(|(sign, how)| {
        let (left, right) = text.split_once(sign)?;
        Some((left, *how, right))
    });
    let read = match found {
        Some((left, how, right)) => Operand::parse(left)
            .zip(Operand::parse(right))
            .map(|(left, right)| Test::Compare(left, how, right)),
        None => match text.trim() {
            path if path.starts_with('@') => JsonPath::parse(path).map(Test::Exists),
            _ => None,
        },
    };
    read.unwrap_or(Test::Unknown)
}

#[cfg(test)]
mod tests;
