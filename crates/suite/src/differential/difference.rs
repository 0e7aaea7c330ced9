//! Two answers side by side, as lines for people.

use serde_json::Value;

use super::message;
use super::plain::Names;
use super::side::Reply;

/// How the answers differ; no line where they do not.
pub(super) fn lines(genuine: &Reply, embedded: &Reply, names: [&Names; 2]) -> Vec<String> {
    let mut lines = Vec::new();
    if genuine.code != embedded.code {
        lines.push(line("code", &genuine.code, &embedded.code));
    }
    if genuine.warnings != embedded.warnings {
        let (genuine, embedded) = (&genuine.warnings, &embedded.warnings);
        lines.push(line("warnings", &genuine.join("; "), &embedded.join("; ")));
    }
    if (genuine.code < 400) != (embedded.code < 400) {
        // One failed and one went through: what the object looks like says nothing.
        let (genuine, embedded) = (said(&genuine.body), said(&embedded.body));
        lines.push(line("answer", &genuine, &embedded));
        return lines;
    }
    let mut comparison = Comparison { names, lines };
    comparison.values("", Some(&genuine.body), Some(&embedded.body));
    comparison.lines
}

fn said(answer: &Value) -> String {
    let message = answer["message"].as_str();
    let text = message.map_or_else(|| answer.to_string(), str::to_owned);
    text.chars().take(600).collect()
}

fn line(path: &str, genuine: &impl ToString, embedded: &impl ToString) -> String {
    let (genuine, embedded) = (genuine.to_string(), embedded.to_string());
    format!("{path}\n    genuine:  {genuine}\n    embedded: {embedded}")
}

struct Comparison<'a> {
    names: [&'a Names; 2],
    lines: Vec<String>,
}

impl Comparison<'_> {
    fn values(&mut self, path: &str, genuine: Option<&Value>, embedded: Option<&Value>) {
        if genuine == embedded {
            return;
        }
        match (genuine, embedded) {
            (Some(Value::String(one)), Some(Value::String(other)))
                if path.ends_with("message") && message::same(one, other, self.names) => {}
            (Some(Value::Object(one)), Some(Value::Object(other))) => {
                let mut keys: Vec<&String> = one.keys().chain(other.keys()).collect();
                keys.sort();
                keys.dedup();
                for key in keys {
                    let path = format!("{path}.{key}");
                    self.values(&path, one.get(key), other.get(key));
                }
            }
            (Some(Value::Array(one)), Some(Value::Array(other))) if one.len() == other.len() => {
                for (index, (one, other)) in one.iter().zip(other).enumerate() {
                    self.values(&format!("{path}[{index}]"), Some(one), Some(other));
                }
            }
            _ => {
                let text =
                    |value: Option<&Value>| value.map_or_else(|| "-".to_owned(), Value::to_string);
                self.lines.push(line(path, &text(genuine), &text(embedded)));
            }
        }
    }
}
