//! How kubectl shows objects of a definition: the columns and the cells of its tables
//! (`pkg/registry/customresource/tableconvertor`).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::jsonpath::JsonPath;
use crate::status::go_float;

const NAME: &str = "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";
const AGE: &str = "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

/// A column of a table, as `TableColumnDefinition` of meta.k8s.io has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// The heading.
    pub(crate) name: String,
    /// `string`, `integer`, `number`, `boolean` or `date`.
    pub(crate) kind: String,
    /// A hint of OpenAPI, such as `int32`.
    pub(crate) format: String,
    /// For people.
    pub(crate) description: String,
    /// Columns above 0 are left out unless a wide table is asked for.
    pub(crate) priority: i64,
}

impl Column {
    /// The column as a client reads it.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "type": self.kind,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        })
    }
}

/// The columns of a version and where their cells come from.
#[derive(Clone, Debug)]
pub(super) struct Printer {
    pub(super) columns: Vec<Column>,
    /// One for each column but the first, the name.
    paths: Vec<JsonPath>,
}

impl Printer {
    /// Columns with their paths. Those from the first path on that cannot be read are left out, as
    /// upstream leaves them out; where there are none at all, there is the age.
    pub(super) fn new(columns: Vec<(Column, &str)>) -> Self {
        let own = !columns.is_empty();
        let age = Column {
            name: "Age".to_owned(),
            kind: "date".to_owned(),
            format: String::new(),
            description: AGE.to_owned(),
            priority: 0,
        };
        let columns = if own {
            columns
        } else {
            vec![(age, ".metadata.creationTimestamp")]
        };
        let mut printer = Self {
            columns: vec![Column {
                name: "Name".to_owned(),
                kind: "string".to_owned(),
                format: "name".to_owned(),
                description: NAME.to_owned(),
                priority: 0,
            }],
            paths: Vec::new(),
        };
        for (mut column, text) in columns {
            let Some(path) = JsonPath::parse(text) else {
                break;
            };
            if column.description.is_empty() {
                column.description =
                    format!("Custom resource definition column (in JSONPath format): {text}");
            }
            printer.columns.push(column);
            printer.paths.push(path);
        }
        printer
    }

    /// The cells of an object, one for each column.
    pub(super) fn cells(&self, object: &Value, now: Timestamp) -> Vec<Value> {
        let name = object.pointer("/metadata/name").cloned();
        let columns = self.columns.iter().skip(1);
        std::iter::once(name.unwrap_or_else(|| json!("")))
            .chain(columns.zip(&self.paths).map(|(column, path)| {
                let value = path.first(object);
                value.map_or(Value::Null, |value| cell(&column.kind, value, now))
            }))
            .collect()
    }
}

fn cell(kind: &str, value: &Value, now: Timestamp) -> Value {
    match (kind, value) {
        ("string", value) => json!(text(value)),
        ("integer", Value::Number(number)) => number
            .as_i64()
            .map_or_else(|| json!(whole(value)), Value::from),
        ("number", Value::Number(_)) => json!(value.as_f64()),
        ("boolean", Value::Bool(_)) => value.clone(),
        ("date", Value::String(text)) => json!(age_since(text, now)),
        _ => Value::Null,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "as upstream's int64(value)"
)]
fn whole(value: &Value) -> i64 {
    value.as_f64().unwrap_or_default() as i64
}

/// A value as text: what has parts is written as JSON.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => "<no value>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => go_float(number.as_f64().unwrap_or_default()),
        Value::Bool(flag) => flag.to_string(),
        // Go writes JSON that may stand in HTML; these stand in texts alone.
        parts => ['<', '>', '&'].iter().fold(parts.to_string(), |text, c| {
            text.replace(*c, &format!("\\u{:04x}", u32::from(*c)))
        }),
    }
}

/// How long ago a time of RFC 3339 was, as tables show it.
pub(crate) fn age_since(text: &str, now: Timestamp) -> String {
    if text.is_empty() || text == "null" {
        return "<unknown>".to_owned();
    }
    match text.parse::<Timestamp>() {
        Ok(time) => human_duration(now.as_second() - time.as_second()),
        Err(_) => "<invalid>".to_owned(),
    }
}

/// A span of seconds in two or three digits (`HumanDuration` of apimachinery's `util/duration`).
pub(crate) fn human_duration(seconds: i64) -> String {
    let two = |large: i64, unit: &str, small: i64, small_unit: &str| {
        if small == 0 {
            format!("{large}{unit}")
        } else {
            format!("{large}{unit}{small}{small_unit}")
        }
    };
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let (days, years) = (hours / 24, hours / 24 / 365);
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        _ if minutes < 10 => two(minutes, "m", seconds % 60, "s"),
        _ if minutes < 180 => format!("{minutes}m"),
        _ if hours < 8 => two(hours, "h", minutes % 60, "m"),
        _ if hours < 48 => format!("{hours}h"),
        _ if hours < 192 => two(days, "d", hours % 24, "h"),
        _ if hours < 24 * 365 * 2 => format!("{days}d"),
        _ if hours < 24 * 365 * 8 => two(years, "y", days % 365, "d"),
        _ => format!("{years}y"),
    }
}

#[cfg(test)]
mod tests;
