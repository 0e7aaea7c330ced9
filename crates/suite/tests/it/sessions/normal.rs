//! What is different in every run, and hence in no session: ages, times, uids, revisions, addresses and the
//! namespace.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Stands for the namespace, as long as it is.
pub(super) const NAMESPACE: &str = "ns-00000";

/// A pattern, and what it is replaced by.
struct Rule {
    pattern: Regex,
    by: fn(&Captures<'_>) -> String,
}

fn rule(pattern: &str, by: fn(&Captures<'_>) -> String) -> Rule {
    Rule {
        pattern: Regex::new(pattern).expect("the pattern is one"),
        by,
    }
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    vec![
        // What kubectl's client logs of a watch that time has ended: it does, or not, as the machine is busy.
        rule(r"(?m)^[IWE]\d{4} .* reflector\.go:\d+\] .*\n?", |_| {
            String::new()
        }),
        rule(
            r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            |_| "00000000-0000-0000-0000-000000000000".to_owned(),
        ),
        rule(
            r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z",
            |found| match found.get(1) {
                Some(_) => "2026-01-01T00:00:00.000000Z".to_owned(),
                None => "2026-01-01T00:00:00Z".to_owned(),
            },
        ),
        rule(
            r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} 20\d\d \d\d:\d\d:\d\d \+0000",
            |_| "Thu, 01 Jan 2026 00:00:00 +0000".to_owned(),
        ),
        rule(r#"([rR]esource ?Version"?: *"?)\d+"#, |found| {
            format!("{}1", &found[1])
        }),
        rule(r"\b10\.\d{1,3}\.\d{1,3}\.\d{1,3}\b", |_| {
            "10.0.0.1".to_owned()
        }),
        // What follows in a table keeps its place.
        rule(r"(?m)(^|\s)(\d{1,2}s)( |$)", |found| {
            let width = if found[3].is_empty() {
                0
            } else {
                found[2].len()
            };
            format!("{}{:width$}{}", &found[1], "0s", &found[3])
        }),
    ]
});

/// A text without what is different in every run.
pub(super) fn normal(text: &str, namespace: &str) -> String {
    let mut text = aligned(&text.replace(namespace, NAMESPACE));
    for rule in RULES.iter() {
        text = rule.pattern.replace_all(&text, rule.by).into_owned();
    }
    text
}

/// Gives the column of addresses one width, whatever is in it.
fn aligned(text: &str) -> String {
    const COLUMN: &str = "CLUSTER-IP";
    let mut column = None;
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        if let Some(start) = line.find(COLUMN) {
            let rest = &line[start + COLUMN.len()..];
            let gap = rest.len() - rest.trim_start().len();
            column = Some(start..start + COLUMN.len() + gap);
        }
        let parts = column.clone().and_then(|column| {
            let cell = line.get(column.clone())?.trim_end();
            let cell = if cell.starts_with("10.") {
                "10.0.0.1"
            } else {
                cell
            };
            Some(format!(
                "{}{cell:13}{}",
                &line[..column.start],
                &line[column.end..]
            ))
        });
        lines.push(parts.unwrap_or_else(|| {
            column = None;
            line.to_owned()
        }));
    }
    lines.push(String::new());
    lines.join("\n")
}

#[test]
fn what_every_run_has_of_its_own_is_left_out() {
    for (printed, expected) in [
        ("a   12s   b\na   3s    b\n", "a   0s    b\na   0s    b\n"),
        (
            "I1127 08:08:28.422949   22991 reflector.go:664] \"Warning\" err=\"very short watch: closed\"\nerror: timed out\n",
            "error: timed out\n",
        ),
        ("a  3s\n3s  b\n", "a  0s\n0s  b\n"),
        ("resourceVersion: \"17\"\n", "resourceVersion: \"1\"\n"),
        (
            "at 2026-11-26T09:51:59Z in ns-abcde\n",
            "at 2026-01-01T00:00:00Z in ns-00000\n",
        ),
        (
            "NAME   CLUSTER-IP    PORT\na      10.0.217.26   80\n\nand  more",
            "NAME   CLUSTER-IP   PORT\na      10.0.0.1     80\n\nand  more\n",
        ),
    ] {
        assert_eq!(normal(printed, "ns-abcde"), expected);
    }
}
