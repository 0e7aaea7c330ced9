//! Splits Starlark into tokens and logical lines, as ytt's scanner does: indentation means nothing.
//!
//! Must not know what a token means, but for how long a logical line goes on.

use crate::error::{Place, Problem};

/// How deep brackets may nest; the parser behind us is recursive.
const MAX_BRACKETS: usize = 100;
/// How long a logical line may be, for the same reason.
const MAX_TOKENS: usize = 8_000;

/// What a token is, as far as anybody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword.
    Name,
    /// A number.
    Number,
    /// A whole string literal.
    Text,
    /// An operator or a bracket.
    Sign,
    /// Written by us.
    Ours,
}

/// A piece of code and where it stands in the template.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) text: String,
    pub(crate) place: Place,
    /// Whether white space stands before it.
    pub(crate) spaced: bool,
}

impl Token {
    pub(crate) fn ours(text: impl Into<String>, place: Place) -> Self {
        Self {
            kind: Kind::Ours,
            text: text.into(),
            place,
            spaced: false,
        }
    }

    pub(crate) fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Name | Kind::Sign) && self.text == text
    }

    pub(crate) fn opens(&self) -> bool {
        self.kind == Kind::Sign && matches!(self.text.as_str(), "(" | "[" | "{")
    }

    pub(crate) fn closes(&self) -> bool {
        self.kind == Kind::Sign && matches!(self.text.as_str(), ")" | "]" | "}")
    }
}

/// One line of code in a comment, or in a text template, with the place where it begins.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) place: Place,
}

/// A statement, or the head of a block.
#[derive(Clone, Debug, Default)]
pub(crate) struct Logical {
    pub(crate) tokens: Vec<Token>,
    /// Where a comment stands in it: allowed in code, not in values.
    pub(crate) comment: Option<Place>,
}

/// Splits consecutive lines of code into logical ones.
pub(crate) fn lex(pieces: &[Piece]) -> Result<Vec<Logical>, Problem> {
    let mut lexer = Lexer {
        chars: Vec::new(),
        at: 0,
        lines: Vec::new(),
        current: Logical::default(),
        open: Vec::new(),
        done: Vec::new(),
        spaced: false,
    };
    for piece in pieces {
        if !lexer.chars.is_empty() {
            lexer.chars.push('\n');
        }
        let mut place = piece.place;
        lexer.lines.push((lexer.chars.len(), place));
        for char in piece.text.chars() {
            lexer.chars.push(char);
            // Code of a text template has line breaks of its own.
            if char == '\n' {
                place = Place::line(place.line.saturating_add(1));
                lexer.lines.push((lexer.chars.len(), place));
            }
        }
    }
    lexer.run()?;
    Ok(lexer.done)
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    /// Where each line of the pieces begins.
    lines: Vec<(usize, Place)>,
    current: Logical,
    open: Vec<(char, Place)>,
    done: Vec<Logical>,
    spaced: bool,
}

impl Lexer {
    fn place(&self, at: usize) -> Place {
        let index = self.lines.partition_point(|(start, _)| *start <= at);
        let Some((start, place)) = index.checked_sub(1).and_then(|index| self.lines.get(index))
        else {
            return Place::default();
        };
        let mut place = *place;
        if place.column > 0 {
            place.column = place.column.saturating_add(clamp(at - start));
        }
        place
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn run(&mut self) -> Result<(), Problem> {
        while let Some(char) = self.peek(0) {
            match char {
                '\n' => {
                    self.at += 1;
                    if self.open.is_empty() {
                        self.end_line();
                    }
                    self.spaced = true;
                }
                '\\' if matches!(self.peek(1), Some('\n')) => {
                    self.at += 2;
                    self.spaced = true;
                }
                char if char.is_whitespace() => {
                    self.at += 1;
                    self.spaced = true;
                }
                '#' => self.comment(),
                '"' | '\'' => self.string(self.at)?,
                char if char == '_' || char.is_alphabetic() => self.name()?,
                char if char.is_ascii_digit() => self.number()?,
                '.' if self.peek(1).is_some_and(|next| next.is_ascii_digit()) => self.number()?,
                _ => self.sign()?,
            }
        }
        if let Some((bracket, place)) = self.open.last() {
            let message = format!("`{bracket}` is not closed");
            return Err(Problem::syntax(*place, message));
        }
        self.end_line();
        Ok(())
    }

    fn comment(&mut self) {
        let place = self.place(self.at);
        self.current.comment.get_or_insert(place);
        while self.peek(0).is_some_and(|char| char != '\n') {
            self.at += 1;
        }
    }

    fn name(&mut self) -> Result<(), Problem> {
        let start = self.at;
        while self
            .peek(0)
            .is_some_and(|char| char == '_' || char.is_alphanumeric())
        {
            self.at += 1;
        }
        let raw = self.at == start + 1 && matches!(self.chars[start], 'r' | 'b');
        if raw && matches!(self.peek(0), Some('"' | '\'')) {
            return self.string(start);
        }
        self.push(Kind::Name, start)
    }

    fn number(&mut self) -> Result<(), Problem> {
        let start = self.at;
        while let Some(char) = self.peek(0) {
            let exponent = matches!(self.chars.get(self.at.wrapping_sub(1)), Some('e' | 'E'));
            let hex = self.chars.get(start + 1).is_some_and(|char| *char == 'x');
            let signed = matches!(char, '+' | '-') && exponent && !hex && self.at > start;
            if !(char.is_alphanumeric() || char == '.' || signed) {
                break;
            }
            self.at += 1;
        }
        self.push(Kind::Number, start)
    }

    fn string(&mut self, start: usize) -> Result<(), Problem> {
        let raw = self.chars[start] == 'r';
        let quote = self.chars[self.at];
        let triple = self.peek(1) == Some(quote) && self.peek(2) == Some(quote);
        self.at += if triple { 3 } else { 1 };
        loop {
            match self.peek(0) {
                None => {
                    let place = self.place(start);
                    return Err(Problem::syntax(place, "the string is not closed"));
                }
                Some('\n') if !triple => {
                    let place = self.place(start);
                    return Err(Problem::syntax(
                        place,
                        "the string is not closed on its line",
                    ));
                }
                Some('\\') if !raw || self.peek(1) == Some(quote) => self.at += 2,
                Some(char) if char == quote => {
                    let whole =
                        !triple || self.peek(1) == Some(quote) && self.peek(2) == Some(quote);
                    self.at += if triple && whole { 3 } else { 1 };
                    if whole {
                        break;
                    }
                }
                Some(_) => self.at += 1,
            }
        }
        self.at = self.at.min(self.chars.len());
        self.push(Kind::Text, start)
    }

    fn sign(&mut self) -> Result<(), Problem> {
        const LONG: [&str; 15] = [
            "//=", "<<=", ">>=", "**", "//", "==", "!=", "<=", ">=", "+=", "-=", "*=", "%=", "<<",
            ">>",
        ];
        let start = self.at;
        let long = LONG.iter().find(|long| {
            long.chars()
                .enumerate()
                .all(|(index, char)| self.peek(index) == Some(char))
        });
        self.at += long.map_or(1, |long| long.len());
        let place = self.place(start);
        match self.chars[start] {
            open @ ('(' | '[' | '{') => {
                if self.open.len() >= MAX_BRACKETS {
                    return Err(Problem::limit(place, "brackets are nested too deep"));
                }
                self.open.push((open, place));
            }
            close @ (')' | ']' | '}') => {
                let open = self.open.pop().map(|(open, _)| open);
                if !matches!(
                    (open, close),
                    (Some('('), ')') | (Some('['), ']') | (Some('{'), '}')
                ) {
                    let message = format!("`{close}` closes nothing");
                    return Err(Problem::syntax(place, message));
                }
            }
            '&' if self.peek(0) == Some('&') => {
                return Err(Problem::syntax(place, "`&&` is written `and`"));
            }
            '|' if self.peek(0) == Some('|') => {
                return Err(Problem::syntax(place, "`||` is written `or`"));
            }
            _ => {}
        }
        self.push(Kind::Sign, start)
    }

    fn push(&mut self, kind: Kind, start: usize) -> Result<(), Problem> {
        let token = Token {
            kind,
            text: self.chars[start..self.at].iter().collect(),
            place: self.place(start),
            spaced: std::mem::take(&mut self.spaced),
        };
        if self.current.tokens.len() >= MAX_TOKENS {
            return Err(Problem::limit(token.place, "the statement is too long"));
        }
        self.current.tokens.push(token);
        Ok(())
    }

    fn end_line(&mut self) {
        let logical = std::mem::take(&mut self.current);
        if !logical.tokens.is_empty() || logical.comment.is_some() {
            self.done.push(logical);
        }
    }
}

fn clamp(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
