//! The difference between two states of an object, for a reader.

use std::fmt;

use serde_json::Value;

/// How many equal lines are shown around a change.
const CONTEXT: usize = 3;
/// How large the table of a comparison may get; beyond it a block counts as replaced whole.
const MAX_CELLS: usize = 4_000_000;

/// What a line of a diff is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// In both states.
    Same,
    /// Only in the new state.
    Added,
    /// Only in the old state.
    Removed,
    /// In place of equal lines that are left out.
    Gap,
}

/// One line of a diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What the line is.
    pub mark: Mark,
    /// The line without its mark.
    pub text: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mark {
            Mark::Same => write!(f, "  {}", self.text),
            Mark::Added => write!(f, "+ {}", self.text),
            Mark::Removed => write!(f, "- {}", self.text),
            Mark::Gap => f.write_str("  ..."),
        }
    }
}

/// Compares two states of one object, as YAML; `null` is a state in which it does not exist.
///
/// Guarantees: no line for equal states; the values of a Secret show that they differ and nothing
/// else; `metadata.managedFields` is left out.
pub fn diff(old: &Value, new: &Value) -> Vec<Line> {
    let (old, new) = manifest::redact_pair(old, new);
    let (old, new) = (text(old), text(new));
    if old == new {
        return Vec::new();
    }
    let lines = compare(
        &old.lines().collect::<Vec<_>>(),
        &new.lines().collect::<Vec<_>>(),
    );
    with_gaps(lines)
}

fn text(mut value: Value) -> String {
    if value.is_null() {
        return String::new();
    }
    if let Some(Value::Object(metadata)) = value.get_mut("metadata") {
        metadata.remove("managedFields");
    }
    manifest::to_yaml(&value)
}

/// Compares all lines: what both begin and end with is the same, between is looked for.
fn compare(old: &[&str], new: &[&str]) -> Vec<(Mark, String)> {
    let shorter = old.len().min(new.len());
    let head = old
        .iter()
        .zip(new)
        .take_while(|(old, new)| old == new)
        .count();
    let tail = old.iter().rev().zip(new.iter().rev()).take(shorter - head);
    let tail = tail.take_while(|(old, new)| old == new).count();
    let mut lines = Vec::with_capacity(old.len() + new.len());
    let same = |line: &&str| (Mark::Same, (*line).to_owned());
    lines.extend(old[..head].iter().map(same));
    compare_middle(
        &old[head..old.len() - tail],
        &new[head..new.len() - tail],
        &mut lines,
    );
    lines.extend(old[old.len() - tail..].iter().map(same));
    lines
}

/// Keeps the longest common subsequence.
fn compare_middle(old: &[&str], new: &[&str], lines: &mut Vec<(Mark, String)>) {
    let mut push = |mark: Mark, line: &str| lines.push((mark, line.to_owned()));
    let width = new.len() + 1;
    let cells = (old.len() + 1).saturating_mul(width);
    let (mut at_old, mut at_new) = (0, 0);
    if cells <= MAX_CELLS {
        // `longest[i * width + j]`: how much `old[i..]` and `new[j..]` have in common.
        let mut longest = vec![0_u32; cells];
        for i in (0..old.len()).rev() {
            for j in (0..new.len()).rev() {
                longest[i * width + j] = if old[i] == new[j] {
                    longest[(i + 1) * width + j + 1] + 1
                } else {
                    longest[(i + 1) * width + j].max(longest[i * width + j + 1])
                };
            }
        }
        while at_old < old.len() && at_new < new.len() {
            if old[at_old] == new[at_new] {
                push(Mark::Same, old[at_old]);
                at_old += 1;
                at_new += 1;
            } else if longest[(at_old + 1) * width + at_new] >= longest[at_old * width + at_new + 1]
            {
                push(Mark::Removed, old[at_old]);
                at_old += 1;
            } else {
                push(Mark::Added, new[at_new]);
                at_new += 1;
            }
        }
    }
    for line in &old[at_old..] {
        push(Mark::Removed, line);
    }
    for line in &new[at_new..] {
        push(Mark::Added, line);
    }
}

/// Leaves out equal lines that are far from every change.
fn with_gaps(lines: Vec<(Mark, String)>) -> Vec<Line> {
    let mut near = vec![false; lines.len()];
    for (index, _) in lines
        .iter()
        .enumerate()
        .filter(|(_, (mark, _))| *mark != Mark::Same)
    {
        let end = (index + CONTEXT + 1).min(near.len());
        near[index.saturating_sub(CONTEXT)..end].fill(true);
    }
    let mut shown: Vec<Line> = Vec::new();
    for ((mark, text), near) in lines.into_iter().zip(near) {
        if near {
            shown.push(Line { mark, text });
        } else if shown.last().is_none_or(|line| line.mark != Mark::Gap) {
            shown.push(Line {
                mark: Mark::Gap,
                text: String::new(),
            });
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(old: &Value, new: &Value, seen: &str) {
        let lines: Vec<String> = diff(old, new).iter().map(ToString::to_string).collect();
        assert_eq!(lines.join("\n"), seen);
    }

    #[test]
    fn shows_changed_lines_with_their_surroundings() {
        let object = |replicas: u32| {
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"a": 1, "b": 2, "c": 3, "replicas": replicas, "u": 1, "v": 2, "w": 3, "x": 4}})
        };
        check(
            &object(1),
            &object(2),
            "  ...\n    a: 1\n    b: 2\n    c: 3\n-   replicas: 1\n+   replicas: 2\n    u: 1\n    v: 2\n    w: 3\n  ...",
        );
    }

    #[test]
    fn shows_added_and_removed_lines_where_they_are() {
        check(
            &json!({"a": 1, "c": 3, "e": 5}),
            &json!({"b": 2, "c": 3, "d": 4}),
            "- a: 1\n+ b: 2\n  c: 3\n- e: 5\n+ d: 4",
        );
    }

    #[test]
    fn shows_nothing_for_equal_states() {
        check(&json!({"a": 1}), &json!({"a": 1}), "");
        let managed =
            json!({"a": 1, "metadata": {"name": "x", "managedFields": [{"manager": "m"}]}});
        check(&managed, &json!({"a": 1, "metadata": {"name": "x"}}), "");
    }

    #[test]
    fn shows_a_whole_object_that_comes_or_goes() {
        check(&Value::Null, &json!({"a": 1}), "+ a: 1");
        check(&json!({"a": 1}), &Value::Null, "- a: 1");
    }

    #[test]
    fn shows_that_a_secret_changed_and_nothing_else() {
        let secret = |password: &str| {
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"},
            "data": {"password": password, "user": "cm9vdA=="}})
        };
        check(
            &secret("aHVudGVyMQ=="),
            &secret("aHVudGVyMg=="),
            "  ...\n  metadata:\n    name: db\n  data:\n-   password: \"*** (before)\"\n+   password: \"*** (after)\"\n    user: \"***\"",
        );
    }

    #[test]
    fn ends_for_a_large_object() {
        let large = |from: u32| json!({"data": (from..from + 20_000).map(|n| (n.to_string(), json!(n))).collect::<serde_json::Map<_, _>>()});
        assert!(!diff(&large(0), &large(100_000)).is_empty());
    }
}
