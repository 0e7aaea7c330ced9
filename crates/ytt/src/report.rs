//! From the crate's errors to ours: where in the template, and in ytt's words.

use starlark::ErrorKind;
use starlark::codemap::FileSpan;

use crate::compile::FILE;
use crate::error::{Place, Problem, Reason};
use crate::run::Exceeded;
use crate::source::Program;
use crate::source::respell::{FREED, LIBRARY};

/// How many calls an error tells of.
const MAX_CALLS: usize = 12;

/// What an error of the crate says about a template.
pub(crate) fn problem(error: &starlark::Error, program: &Program) -> Problem {
    let message = error.without_diagnostic().to_string();
    let frames = &error.call_stack().frames;
    let inside = |span: &FileSpan| place(span, program);
    let place = error
        .span()
        .and_then(inside)
        .or_else(|| {
            frames
                .iter()
                .rev()
                .filter_map(|frame| frame.location.as_ref())
                .find_map(inside)
        })
        .unwrap_or_default();
    let (reason, message) = reword(error, &message);
    let mut problem = Problem::new(reason, place, message);
    for frame in frames.iter().rev() {
        let Some(called) = frame.location.as_ref().and_then(inside) else {
            continue;
        };
        // A native has no lines of its own: that it was called is where the error is.
        let native = problem.calls.is_empty() && called == problem.place;
        if native || frame.name.starts_with("__ytt_") || problem.calls.len() == MAX_CALLS {
            continue;
        }
        let call = (frame.name.clone(), called);
        // A function that calls itself is told once.
        if problem.calls.last() != Some(&call) {
            problem.calls.push(call);
        }
    }
    problem
}

/// What an error says, without its place.
pub(crate) fn message(error: &starlark::Error) -> String {
    reword(error, &error.without_diagnostic().to_string()).1
}

/// Whether an error is none of the template's code, which could catch it, but of its limits.
pub(crate) fn is_limit(error: &starlark::Error) -> bool {
    reword(error, &error.without_diagnostic().to_string()).0 == Reason::Limit
}

fn place(span: &FileSpan, program: &Program) -> Option<Place> {
    if span.file.filename() != FILE {
        return None;
    }
    let begin = span.resolve_span().begin;
    let place = program.place(begin.line, begin.column);
    (place.line > 0).then_some(place)
}

fn reword(error: &starlark::Error, message: &str) -> (Reason, String) {
    let message = message.replace(FREED, "").replace(LIBRARY, "");
    let limit = |message: &str| (Reason::Limit, message.to_owned());
    match error.kind() {
        ErrorKind::StackOverflow(_) => return limit("the template calls functions too deep"),
        ErrorKind::Fail(text) => return (Reason::Failed, format!("fail:{text}")),
        ErrorKind::Scope(_) => return (Reason::Failed, undefined(&message)),
        ErrorKind::Parser(_) => {
            // Every operator there is could have stood there.
            let said = message.split_once(" here, expected one of ");
            let said = said.map_or(message.as_str(), |(said, _)| said);
            return (Reason::Syntax, said.to_owned());
        }
        ErrorKind::Other(error) | ErrorKind::Native(error)
            if error.downcast_ref::<Exceeded>().is_some() =>
        {
            return (Reason::Limit, message);
        }
        _ => {}
    }
    let kind = match error.kind() {
        ErrorKind::Internal(_) => Reason::Crashed,
        _ => Reason::Failed,
    };
    (kind, attribute(&message).unwrap_or(message))
}

/// `Variable x not found` in ytt's words, with a hint for those who come from YAML or Go.
fn undefined(message: &str) -> String {
    let Some((name, rest)) = quoted(message, "Variable `") else {
        return message.to_owned();
    };
    let hint = match name {
        "true" => " (use `True`)",
        "false" => " (use `False`)",
        "null" | "nil" | "none" => " (use `None`)",
        _ => "",
    };
    let similar = quoted(rest, " not found, did you mean `")
        .map(|(other, _)| format!(" (did you mean {other}?)"))
        .filter(|_| hint.is_empty())
        .unwrap_or_default();
    format!("undefined: {name}{hint}{similar}")
}

/// `Object of type … has no attribute …` in ytt's words.
fn attribute(message: &str) -> Option<String> {
    let (kind, rest) = quoted(message, "Object of type `")?;
    let (name, rest) = quoted(rest, " has no attribute `")?;
    let similar = quoted(rest, ", did you mean `")
        .map(|(other, _)| format!(" (did you mean .{other}?)"))
        .unwrap_or_default();
    Some(format!("{kind} has no .{name} field or method{similar}"))
}

/// What stands between a start and the next backtick, and what comes behind.
fn quoted<'a>(text: &'a str, start: &str) -> Option<(&'a str, &'a str)> {
    text.strip_prefix(start)?.split_once('`')
}
