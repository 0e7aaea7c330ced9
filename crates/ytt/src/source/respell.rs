//! Respells what ytt's Starlark allows and the crate's does not.

use crate::error::{Place, Problem};
use crate::library;
use crate::source::lex::{Kind, Token};

/// Before a name that only the crate reserves.
pub(crate) const FREED: &str = "__ytt_name_";
/// Makes a dict of whatever ytt takes as a mapping.
const PAIRS: &str = "__ytt_pairs(";
/// Before a module that `load` makes a variable.
pub(crate) const LIBRARY: &str = "__ytt_lib_";

/// A statement of the template, respelled; `closes` says that it is in a function that builds
/// nodes, which a `return` has to close.
pub(crate) fn statement(tokens: Vec<Token>, closes: bool) -> Result<Vec<Token>, Problem> {
    let mut all = Vec::new();
    for (index, part) in split(tokens).into_iter().enumerate() {
        if index > 0 {
            all.push(Token::ours("; ", Place::default()));
        }
        all.extend(simple(part, closes)?);
    }
    Ok(all)
}

/// An expression, or the head of a block.
pub(crate) fn expression(tokens: Vec<Token>) -> Vec<Token> {
    let defines = tokens.first().is_some_and(|token| token.is("def"));
    let marks = Marks::of(&tokens, defines);
    let mut all = Vec::with_capacity(tokens.len() + 2 * marks.before.len());
    for (index, mut token) in tokens.into_iter().enumerate() {
        let place = token.place;
        let closed = marks.after.iter().filter(|after| **after == index).count();
        for _ in 0..closed {
            all.push(Token::ours(")", place));
        }
        for (_, call) in marks.before.iter().filter(|(before, _)| *before == index) {
            let mut call = Token::ours(*call, place);
            call.spaced = std::mem::take(&mut token.spaced);
            all.push(call);
        }
        if token.kind == Kind::Name && is_reserved(&token.text) {
            token.text.insert_str(0, FREED);
        }
        all.push(token);
    }
    let end = marks.after.iter().filter(|after| **after == marks.length);
    for _ in end {
        all.push(Token::ours(")", Place::default()));
    }
    all
}

fn is_reserved(name: &str) -> bool {
    matches!(name, "assert" | "async" | "await")
}

/// Splits at `;` outside of brackets.
fn split(tokens: Vec<Token>) -> Vec<Vec<Token>> {
    let mut parts = vec![Vec::new()];
    let mut depth = 0_usize;
    for token in tokens {
        if token.opens() {
            depth += 1;
        } else if token.closes() {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 && token.is(";") {
            parts.push(Vec::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(token);
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn simple(tokens: Vec<Token>, closes: bool) -> Result<Vec<Token>, Problem> {
    let Some(first) = tokens.first() else {
        return Ok(tokens);
    };
    let place = first.place;
    if first.is("load") && tokens.get(1).is_some_and(|token| token.is("(")) {
        return load(&tokens, place);
    }
    if first.is("return") && closes {
        let rest: Vec<_> = tokens.into_iter().skip(1).collect();
        if rest.is_empty() {
            return Ok(vec![Token::ours("return __ytt_close()", place)]);
        }
        let mut all = vec![Token::ours("return __ytt_close((", place)];
        all.extend(expression(rest));
        all.push(Token::ours("))", place));
        return Ok(all);
    }
    Ok(expression(tokens))
}

/// Where calls of ours begin, each before a token, and end.
struct Marks {
    before: Vec<(usize, &'static str)>,
    after: Vec<usize>,
    length: usize,
}

impl Marks {
    /// The arguments of `.update(…)`, and `E` of `**E` in calls, become dicts. The body of a lambda
    /// is watched: natives call it where nothing else looks at the time. What a comprehension goes
    /// through is counted, for nothing of ours can stand in its turns.
    fn of(tokens: &[Token], defines: bool) -> Self {
        let mut marks = Self {
            before: Vec::new(),
            after: Vec::new(),
            length: tokens.len(),
        };
        // The parameters of a function, and those of lambdas, hold a `**name` that is no argument.
        let mut parameters = defines.then(|| matching(tokens, 2)).flatten();
        for (index, token) in tokens.iter().enumerate() {
            if token.is("lambda") {
                let colon = colon(tokens, index);
                parameters = colon.max(parameters);
                if let Some(colon) = colon.filter(|colon| colon + 1 < tokens.len()) {
                    marks.before.push((colon + 1, "__ytt_watch("));
                    marks.after.push(end_of_argument(tokens, colon + 1));
                }
            }
            // The one at the very beginning is a statement, whose body has its own count.
            if token.is("for")
                && index > 0
                && let Some(start) = each(tokens, index)
            {
                marks.before.push((start, "__ytt_each("));
                marks.after.push(end_of_each(tokens, start));
            }
            let is_update = token.is("update")
                && index
                    .checked_sub(1)
                    .is_some_and(|before| tokens[before].is("."))
                && tokens.get(index + 1).is_some_and(|next| next.is("("));
            if is_update && let Some(close) = matching(tokens, index + 1) {
                marks.before.push((index + 2, PAIRS));
                marks.after.push(close);
            }
            let is_parameter = parameters.is_some_and(|end| index < end);
            if token.is("**") && !is_parameter && index + 1 < tokens.len() {
                marks.before.push((index + 1, PAIRS));
                marks.after.push(end_of_argument(tokens, index + 1));
            }
        }
        marks
    }
}

/// The bracket that closes the one at the index.
fn matching(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        if token.opens() {
            depth += 1;
        } else if token.closes() {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(index);
            }
        }
    }
    None
}

/// The colon of the lambda at the index.
fn colon(tokens: &[Token], lambda: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(lambda + 1) {
        if token.opens() {
            depth += 1;
        } else if token.closes() {
            depth = depth.checked_sub(1)?;
        } else if depth == 0 && token.is(":") {
            return Some(index);
        }
    }
    None
}

/// What the `for` of a comprehension goes through: behind its `in`.
fn each(tokens: &[Token], head: usize) -> Option<usize> {
    let inside = tokens[head..].iter().position(|token| token.is("in"))?;
    let start = head + inside + 1;
    (start < tokens.len()).then_some(start)
}

fn end_of_each(tokens: &[Token], start: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(start) {
        if token.opens() {
            depth += 1;
        } else if depth == 0 && (token.closes() || token.is("for") || token.is("if")) {
            return index;
        } else if token.closes() {
            depth -= 1;
        }
    }
    tokens.len()
}

fn end_of_argument(tokens: &[Token], start: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(start) {
        let ends = [",", ":", "for", "="].iter().any(|end| token.is(end));
        // The colon of a lambda within ends nothing.
        let lambda = tokens[start..index].iter().any(|token| token.is("lambda"));
        if depth == 0 && (token.closes() || ends && !(lambda && token.is(":"))) {
            return index;
        }
        if token.opens() {
            depth += 1;
        } else if token.closes() {
            depth -= 1;
        }
    }
    tokens.len()
}

/// `load("@ytt:data", "data", d="data")` as assignments, so that nothing is frozen and a name may
/// be loaded twice.
fn load(tokens: &[Token], place: Place) -> Result<Vec<Token>, Problem> {
    let malformed = || Problem::syntax(place, "`load` takes a module and the names to load");
    let end = matching(tokens, 1).ok_or_else(malformed)?;
    if end + 1 != tokens.len() {
        return Err(malformed());
    }
    let mut arguments = tokens[2..end].split(|token| token.is(","));
    let module = match arguments.next() {
        Some([module]) => literal(module).ok_or_else(malformed)?,
        _ => return Err(malformed()),
    };
    let name = library::name(&module).map_err(|message| Problem::unsupported(place, message))?;
    let mut all = Vec::new();
    for argument in arguments.filter(|argument| !argument.is_empty()) {
        let (local, symbol) = match argument {
            [symbol] => (literal(symbol), literal(symbol)),
            [local, equals, symbol] if equals.is("=") && local.kind == Kind::Name => {
                (Some(local.text.clone()), literal(symbol))
            }
            _ => return Err(malformed()),
        };
        let (Some(mut local), Some(symbol)) = (local, symbol) else {
            return Err(malformed());
        };
        if symbol != name {
            let message = format!("module `{module}` has no `{symbol}`");
            return Err(Problem::unsupported(place, message));
        }
        if is_reserved(&local) {
            local.insert_str(0, FREED);
        }
        let separator = if all.is_empty() { "" } else { "; " };
        let text = format!("{separator}{local} = {LIBRARY}{name}");
        all.push(Token::ours(text, place));
    }
    if all.is_empty() {
        return Err(malformed());
    }
    Ok(all)
}

/// The text of a string literal without escapes.
fn literal(token: &Token) -> Option<String> {
    if token.kind != Kind::Text {
        return None;
    }
    let quote = token
        .text
        .chars()
        .next()
        .filter(|char| matches!(char, '"' | '\''))?;
    let inner = token.text.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains(['\\', quote, '\n'])).then(|| inner.to_owned())
}
