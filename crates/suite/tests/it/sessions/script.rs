//! The text of a session: commands, and what each printed.

use std::fmt::Write as _;
use std::path::Path;

use super::stage::Kubectl;

/// A line that tells of the session itself begins with this.
const REMARK: &str = "## ";
/// A command begins with this; one that holds `<<EOF` ends with the line `EOF`.
const COMMAND: &str = "$ ";

/// A session.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) steps: Vec<Step>,
    /// What stands behind the last command.
    end: String,
}

/// A command.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    /// Remarks in front of it.
    remarks: String,
    pub(super) command: String,
    /// What it prints.
    printed: String,
    /// What it prints where an older kubectl runs it, if that is something else, by the name of that kubectl.
    variants: Vec<(String, String)>,
}

impl Step {
    fn expected(&self, variant: Option<&str>) -> &str {
        let other = self.variants.iter().find(|(of, _)| Some(&**of) == variant);
        other.map_or(&self.printed, |(_, printed)| printed)
    }
}

impl Script {
    pub(super) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path);
        Self::parse(&text.expect("the session can be read"))
    }

    fn parse(text: &str) -> Self {
        let mut steps: Vec<Step> = Vec::new();
        let mut remarks = String::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(command) = line.strip_prefix(COMMAND) {
                let mut command = command.to_owned();
                let mut is_open = command.contains("<<EOF");
                while is_open {
                    let Some(more) = lines.next() else { break };
                    let _ = write!(command, "\n{more}");
                    is_open = more != "EOF";
                }
                let remarks = std::mem::take(&mut remarks);
                steps.push(Step {
                    remarks,
                    command,
                    ..Step::default()
                });
            } else if line.starts_with(REMARK) {
                let _ = writeln!(remarks, "{line}");
            } else if let Some(step) = steps.last_mut() {
                if let Some(name) = variant_of(line) {
                    step.variants.push((name.to_owned(), String::new()));
                } else {
                    let last = step.variants.last_mut().map(|(_, printed)| printed);
                    let _ = writeln!(last.unwrap_or(&mut step.printed), "{line}");
                }
            }
        }
        for step in &mut steps {
            trim(&mut step.printed);
            for (_, printed) in &mut step.variants {
                trim(printed);
            }
        }
        Self {
            steps,
            end: remarks,
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for step in &self.steps {
            let _ = write!(text, "{}$ {}\n{}", step.remarks, step.command, step.printed);
            for (name, printed) in &step.variants {
                let _ = write!(text, "[kubectl {name}]\n{printed}");
            }
            text.push('\n');
        }
        text + &self.end
    }

    /// Takes what the commands printed as what is right: of the newest kubectl for all, of another one where it
    /// differs.
    pub(super) fn record(&mut self, variant: Option<&str>, printed: &[String]) {
        for (step, printed) in self.steps.iter_mut().zip(printed) {
            let Some(variant) = variant else {
                step.printed.clone_from(printed);
                continue;
            };
            step.variants.retain(|(of, _)| of != variant);
            if step.printed != *printed {
                step.variants.push((variant.to_owned(), printed.clone()));
            }
        }
    }

    pub(super) fn write(&self, path: &Path) {
        std::fs::write(path, self.text().trim_end().to_owned() + "\n")
            .expect("the session can be written");
    }

    /// Where what was printed is not what is right.
    pub(super) fn faults(&self, kubectl: &Kubectl, printed: &[String]) -> Vec<String> {
        let mut faults = Vec::new();
        for (step, printed) in self.steps.iter().zip(printed) {
            let expected = step.expected(kubectl.variant);
            if expected != printed {
                faults.push(format!(
                    "kubectl {}: $ {}\n{}",
                    kubectl.name(),
                    step.command,
                    differences(expected, printed)
                ));
            }
        }
        faults
    }
}

/// The kubectl of the line `[kubectl 1.32]`.
fn variant_of(line: &str) -> Option<&str> {
    line.strip_prefix("[kubectl ")?.strip_suffix(']')
}

/// Leaves one line break at the end, and none where nothing is.
fn trim(text: &mut String) {
    text.truncate(text.trim_end().len());
    if !text.is_empty() {
        text.push('\n');
    }
}

/// Both texts line by line, what they share at their ends left out.
fn differences(expected: &str, printed: &str) -> String {
    let (mut old, mut new): (Vec<_>, Vec<_>) =
        (expected.lines().collect(), printed.lines().collect());
    while old.last().is_some_and(|last| new.last() == Some(last)) {
        old.pop();
        new.pop();
    }
    let pairs = old.iter().zip(&new);
    let same = pairs.take_while(|(old, new)| old == new).count();
    let mut text = String::new();
    for line in &old[..same] {
        let _ = writeln!(text, "   {line}");
    }
    for (sign, lines) in [('-', &old[same..]), ('+', &new[same..])] {
        for line in lines {
            let _ = writeln!(text, " {sign} {line}");
        }
    }
    text
}

#[test]
fn a_session_is_written_as_it_is_read() {
    let text = "## Why.\n$ a <<EOF\n$ no command\nEOF\none\n\ntwo\n\n$ b\n[kubectl 1.32]\nother\n[exit 1]\n\n";
    let mut script = Script::parse(text);
    assert_eq!(script.text(), text);
    assert_eq!(script.steps[0].command, "a <<EOF\n$ no command\nEOF");
    assert_eq!(script.steps[1].expected(None), "");
    assert_eq!(script.steps[1].expected(Some("1.32")), "other\n[exit 1]\n");
    let printed = ["one\n".to_owned(), String::new()];
    script.record(None, &printed);
    script.record(Some("1.32"), &printed);
    assert_eq!(
        script.text(),
        "## Why.\n$ a <<EOF\n$ no command\nEOF\none\n\n$ b\n\n"
    );
}
