//! Reads a path into steps.
//!
//! The grammar is that of the reference's hand-written parser, whose quirks are part of it:
//! a quoted key is read as a path of its own, so `['a.b']` are two steps; an array's text ends at
//! the first `]`, a filter's at the first `)` outside of its one quoted text.

use serde_json::Value;

/// One step from places to places.
#[derive(Debug)]
pub(super) enum Step {
    /// A text, whatever the places are.
    Text(String),
    /// A number or a boolean, for each place.
    Literal(Value),
    /// The field of this name.
    Field(String),
    /// Everything directly below.
    Wildcard,
    /// Everything below.
    Recursive,
    /// A part of a list.
    Slice(Slice),
    /// What several paths reach.
    Union(Vec<Vec<Step>>),
    /// The items of a list for which something holds.
    Filter(Filter),
    /// A word outside of the grammar, which is refused when the step is taken.
    Identifier(String),
}

/// Which items of a list.
#[derive(Debug)]
pub(super) struct Slice {
    pub(super) start: Option<i64>,
    pub(super) end: Bound,
    pub(super) step: Option<i64>,
}

/// Where a slice ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bound {
    /// At the end of the list.
    Last,
    /// After the one item that an index names.
    Derived(i64),
    /// Where the path says.
    Given(i64),
}

/// What must hold for an item.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) left: Vec<Step>,
    /// The operator and the right side; without them, the left side must exist.
    pub(super) comparison: Option<(String, Vec<Step>)>,
}

/// The blocks of a text: each `{…}` with its steps, and each text between as a block of one step.
pub(super) fn parse(text: &str) -> Result<Vec<Vec<Step>>, String> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let open = rest.find('{').unwrap_or(rest.len());
        if open > 0 {
            blocks.push(vec![Step::Text(rest[..open].to_owned())]);
        }
        let Some(inside) = rest[open..].strip_prefix('{') else {
            break;
        };
        let mut parser = Parser {
            rest: inside,
            steps: Vec::new(),
        };
        parser.block()?;
        rest = parser.rest;
        blocks.push(parser.steps);
    }
    Ok(blocks)
}

/// The steps of the first block of what stands between braces.
fn parse_inner(text: &str) -> Result<Vec<Step>, String> {
    let mut blocks = parse(&format!("{{{text}}}"))?;
    Ok(blocks.remove(0))
}

struct Parser<'t> {
    rest: &'t str,
    steps: Vec<Step>,
}

impl<'t> Parser<'t> {
    fn block(&mut self) -> Result<(), String> {
        loop {
            if let Some(rest) = self.rest.strip_prefix('}') {
                self.rest = rest;
                return Ok(());
            }
            if let Some(rest) = self.rest.strip_prefix("[?(") {
                self.rest = rest;
                self.filter()?;
                continue;
            }
            if let Some(rest) = self.rest.strip_prefix("..") {
                self.rest = rest;
                self.recursive()?;
                continue;
            }
            match self.rest.chars().next() {
                None | Some('\r' | '\n') => return Err("unclosed action".to_owned()),
                Some(' ' | '@' | '$') => self.rest = &self.rest[1..],
                Some('[') => self.array()?,
                Some(quote @ ('"' | '\'')) => self.quoted(quote)?,
                Some('.') => {
                    self.rest = &self.rest[1..];
                    self.field();
                }
                Some(char) if char == '+' || char == '-' || char.is_ascii_digit() => {
                    self.number()?;
                }
                Some(char) if is_word(char) => self.word(),
                Some(char) => return Err(unrecognized(char)),
            }
        }
    }

    fn take(&mut self, length: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn recursive(&mut self) -> Result<(), String> {
        if matches!(self.steps.last(), Some(Step::Recursive)) {
            return Err("invalid multiple recursive descent".to_owned());
        }
        self.steps.push(Step::Recursive);
        if self.rest.starts_with(is_word) {
            self.field();
        }
        Ok(())
    }

    fn field(&mut self) {
        let mut escaped = false;
        let end = self
            .rest
            .find(|char| {
                let ends = !escaped && is_terminator(char);
                escaped = !escaped && char == '\\';
                ends
            })
            .unwrap_or(self.rest.len());
        let step = match self.take(end) {
            "*" => Step::Wildcard,
            name => Step::Field(name.replace('\\', "")),
        };
        self.steps.push(step);
    }

    fn word(&mut self) {
        let end = self.rest.find(is_terminator).unwrap_or(self.rest.len());
        let step = match self.take(end) {
            "true" => Step::Literal(true.into()),
            "false" => Step::Literal(false.into()),
            word => Step::Identifier(word.to_owned()),
        };
        self.steps.push(step);
    }

    fn number(&mut self) -> Result<(), String> {
        let sign = usize::from(self.rest.starts_with(['+', '-']));
        let end = self.rest[sign..]
            .find(|char: char| char != '.' && !char.is_ascii_digit())
            .map_or(self.rest.len(), |end| end + sign);
        let text = self.take(end);
        let value = match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(value), _) => Value::from(value),
            (_, Ok(value)) if value.is_finite() => Value::from(value),
            _ => return Err(format!("cannot parse number {text}")),
        };
        self.steps.push(Step::Literal(value));
        Ok(())
    }

    fn quoted(&mut self, quote: char) -> Result<(), String> {
        let text = self.rest;
        let mut before = quote;
        for (at, char) in text.char_indices().skip(1) {
            if char == '\n' {
                break;
            }
            if char == quote && before != '\\' {
                let inner = &text[1..at];
                self.rest = &text[at + 1..];
                let value = unquote(inner, quote).ok_or_else(|| {
                    format!("unquote string {quote}{inner}{quote} error invalid syntax")
                })?;
                self.steps.push(Step::Text(value));
                return Ok(());
            }
            before = char;
        }
        Err("unterminated quoted string".to_owned())
    }

    fn array(&mut self) -> Result<(), String> {
        let end = match self.rest.find([']', '\n']) {
            Some(end) if self.rest[end..].starts_with(']') => end,
            _ => return Err("unterminated array".to_owned()),
        };
        let text = &self.take(end + 1)[1..end];
        if text.contains(',') {
            let branches: Result<_, _> = text
                .split(',')
                .map(|branch| parse_inner(&format!("[{}]", branch.trim_matches(' '))))
                .collect();
            self.steps.push(Step::Union(branches?));
            return Ok(());
        }
        if let Some(key) = quoted_key(text) {
            self.steps.extend(parse_inner(&format!(".{key}"))?);
            return Ok(());
        }
        self.steps.push(Step::Slice(slice(text)?));
        Ok(())
    }

    fn filter(&mut self) -> Result<(), String> {
        let text = self.rest;
        let mut quote = None;
        let mut closed = false;
        let mut before = ' ';
        let mut end = None;
        for (at, char) in text.char_indices() {
            match char {
                '\n' => break,
                '"' | '\'' if quote.is_none() => quote = Some(char),
                '"' | '\'' if quote == Some(char) && before != '\\' => closed = true,
                ')' if quote.is_some() == closed => {
                    end = Some(at);
                    break;
                }
                _ => {}
            }
            before = char;
        }
        let end = end.ok_or("unterminated filter")?;
        self.rest = text[end + 1..]
            .strip_prefix(']')
            .ok_or("unclosed array expect ]")?;
        let text = &text[..end];
        let filter = match comparison(text) {
            Some((left, operator, right)) => Filter {
                left: parse_inner(left)?,
                comparison: Some((operator.to_owned(), parse_inner(right)?)),
            },
            None => Filter {
                left: parse_inner(text)?,
                comparison: None,
            },
        };
        self.steps.push(Step::Filter(filter));
        Ok(())
    }
}

fn unrecognized(char: char) -> String {
    let code = u32::from(char);
    let shown = if char.is_control() {
        String::new()
    } else {
        format!(" '{char}'")
    };
    format!("unrecognized character in action: U+{code:04X}{shown}")
}

/// Splits a filter into left side, operator and right side, none of them empty.
fn comparison(text: &str) -> Option<(&str, &str, &str)> {
    let is_operator = |char| matches!(char, '!' | '<' | '>' | '=');
    let start = text.find(is_operator).filter(|start| *start > 0)?;
    let (left, rest) = text.split_at(start);
    let end = rest.find(|char| !is_operator(char)).unwrap_or(rest.len());
    // An operator at the very end gives its last character to the right side.
    let end = if end == rest.len() { end - 1 } else { end };
    let (operator, right) = rest.split_at(end);
    (!operator.is_empty()).then_some((left, operator, right))
}

/// The key between single quotes, if that is all there is.
fn quoted_key(text: &str) -> Option<&str> {
    let key = text.strip_prefix('\'')?.strip_suffix('\'')?;
    (!key.contains('\'')).then_some(key)
}

fn slice(text: &str) -> Result<Slice, String> {
    let invalid = || format!("invalid array index {text}");
    let text = if text == "*" { ":" } else { text };
    let parts: Vec<_> = text.split(':').collect();
    if parts.len() > 3 || parts.iter().any(|part| !is_integer_like(part)) {
        return Err(invalid());
    }
    let number = |part: &str| match part {
        "" => Ok(None),
        part => part
            .parse::<i64>()
            .map(Some)
            .map_err(|_| format!("array index {part} is not a number")),
    };
    let start = number(parts[0])?;
    let end = match parts.get(1) {
        None => Bound::Derived(start.unwrap_or(0).saturating_add(1)),
        Some(part) => number(part)?.map_or(Bound::Last, Bound::Given),
    };
    let step = number(parts.get(2).unwrap_or(&""))?;
    Ok(Slice { start, end, step })
}

fn is_integer_like(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A quoted text without its quotes and with its escapes resolved, as Go's `strconv` does it.
fn unquote(inner: &str, quote: char) -> Option<String> {
    let mut text = String::new();
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        if char == quote {
            return None;
        }
        if char != '\\' {
            text.push(char);
            continue;
        }
        let value = match chars.next()? {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '\\' => '\\',
            'x' => code(&mut chars, 2, 16)?,
            'u' => code(&mut chars, 4, 16)?,
            'U' => code(&mut chars, 8, 16)?,
            escaped if escaped == quote => escaped,
            first @ '0'..='7' => {
                let digits: String = std::iter::once(first)
                    .chain(chars.by_ref().take(2))
                    .collect();
                let value = (digits.len() == 3).then(|| u32::from_str_radix(&digits, 8).ok())??;
                char::from(u8::try_from(value).ok()?)
            }
            _ => return None,
        };
        text.push(value);
    }
    Some(text)
}

fn code(chars: &mut std::str::Chars<'_>, length: usize, radix: u32) -> Option<char> {
    let digits: String = chars.by_ref().take(length).collect();
    if digits.len() != length || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    char::from_u32(u32::from_str_radix(&digits, radix).ok()?)
}

fn is_word(char: char) -> bool {
    char == '_' || char.is_alphabetic() || char.is_numeric()
}

fn is_terminator(char: char) -> bool {
    matches!(
        char,
        ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}'
    )
}
