//! How cases went, for people and for programs.

use delivery::diff::Line;
use serde_json::{Value, json};

use super::wrong::Wrong;
use crate::error::CliError;
use crate::output::{Format, diff_line, lines, print_text, print_whole};

/// A case that was run.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) path: String,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) outcome: Outcome,
}

/// How it went.
#[derive(Debug)]
pub(super) enum Outcome {
    Pass,
    /// What is stamped is not what is expected.
    Differs(Vec<Line>),
    /// Nothing could be stamped, or is expected.
    Wrong(Wrong),
}

impl Outcome {
    pub(super) fn is_pass(&self) -> bool {
        matches!(self, Self::Pass)
    }
}

/// Prints the results.
pub(super) fn print(format: Format, told: &[Told]) -> Result<(), CliError> {
    match format {
        Format::Json | Format::Yaml => {
            print_whole(format, &told.iter().map(value).collect::<Vec<_>>())?;
        }
        Format::Name => print_text(&lines(told.iter().map(|told| &told.path))),
        Format::Table | Format::Wide => print_text(&told.iter().map(text).collect::<String>()),
    }
    Ok(())
}

/// How many there were of each, in one line.
pub(super) fn summary(told: &[Told]) -> String {
    let passed = told.iter().filter(|told| told.outcome.is_pass()).count();
    match told.len() - passed {
        0 => format!("{passed} passed"),
        failed => format!("{passed} passed, {failed} failed"),
    }
}

fn text(told: &Told) -> String {
    let name = told.name.as_ref().map(|name| format!(" ({name})"));
    let called = format!("{}{}", told.path, name.unwrap_or_default());
    // One line is one case.
    let called = called.replace(char::is_control, "?");
    let why = match &told.outcome {
        Outcome::Pass => return format!("\x1b[32mPASS\x1b[0m {called}\n"),
        Outcome::Differs(_) => "what is stamped (+) is not what is expected (-)",
        Outcome::Wrong(wrong) => &wrong.why,
    };
    let mut text = format!("\x1b[31mFAIL\x1b[0m {called}: {why}\n");
    let mut add = |line: &str| text.extend(["  ", line, "\n"]);
    for line in told.description.iter().flat_map(|text| text.lines()) {
        add(line);
    }
    match &told.outcome {
        Outcome::Pass => {}
        Outcome::Differs(lines) => lines.iter().for_each(|line| add(&diff_line(line))),
        Outcome::Wrong(wrong) => {
            if let Some(hint) = &wrong.hint {
                add(&format!("hint: {hint}"));
            }
        }
    }
    text
}

fn value(told: &Told) -> Value {
    let mut value = json!({"case": told.path});
    value["name"] = json!(told.name);
    value["description"] = json!(told.description);
    value["passed"] = json!(told.outcome.is_pass());
    match &told.outcome {
        Outcome::Pass => {}
        Outcome::Differs(lines) => {
            value["diff"] = json!(lines.iter().map(ToString::to_string).collect::<Vec<_>>());
        }
        Outcome::Wrong(wrong) => {
            value["error"] = json!(wrong.why);
            value["hint"] = json!(wrong.hint);
        }
    }
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    value
}

#[cfg(test)]
mod tests {
    use delivery::diff::Mark;

    use super::*;

    fn told(outcome: Outcome) -> Told {
        Told {
            path: "tests/image".to_owned(),
            name: Some("an image".to_owned()),
            description: Some("is built".to_owned()),
            outcome,
        }
    }

    fn all() -> [Told; 3] {
        let line = |mark, text: &str| Line {
            mark,
            text: text.to_owned(),
        };
        let lines = vec![line(Mark::Removed, "a: 1"), line(Mark::Added, "a: 2")];
        let wrong = Wrong::new("there is no template").hint("write one");
        [
            told(Outcome::Pass),
            told(Outcome::Differs(lines)),
            told(Outcome::Wrong(wrong)),
        ]
    }

    #[test]
    fn the_words_say_what_the_colours_say() {
        let shown: String = all().iter().map(text).collect();
        assert_eq!(
            shown,
            "\x1b[32mPASS\x1b[0m tests/image (an image)\n\
             \x1b[31mFAIL\x1b[0m tests/image (an image): what is stamped (+) is not what is expected (-)\n  \
               is built\n  \
               \x1b[31m- a: 1\x1b[0m\n  \
               \x1b[32m+ a: 2\x1b[0m\n\
             \x1b[31mFAIL\x1b[0m tests/image (an image): there is no template\n  \
               is built\n  \
               hint: write one\n"
        );
        assert_eq!(summary(&all()), "1 passed, 2 failed");
        assert_eq!(summary(&[]), "0 passed");
    }

    #[test]
    fn a_program_gets_what_people_get() {
        let values: Vec<Value> = all().iter().map(value).collect();
        let head = |passed: bool| json!({"case": "tests/image", "name": "an image", "description": "is built", "passed": passed});
        let (mut differs, mut wrong) = (head(false), head(false));
        differs["diff"] = json!(["- a: 1", "+ a: 2"]);
        wrong["error"] = json!("there is no template");
        wrong["hint"] = json!("write one");
        assert_eq!(values, [head(true), differs, wrong]);
    }
}
