//! The grammar of a query's `labelSelector`, with its quirks: a zero byte ends the text, `in` and
//! `notin` may be keys and values, and an empty value stands between two commas.

use std::collections::BTreeSet;

use super::label::{Operator, Requirement};
use super::rule::label_key_faults;
use super::{MAX_REQUIREMENTS, SelectorError};
use crate::status::FieldError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Bad,
    End,
    Close,
    Comma,
    Not,
    DoubleEquals,
    Equals,
    Greater,
    Word,
    In,
    Less,
    NotEquals,
    NotIn,
    Open,
}

fn symbol(text: &str) -> Option<Token> {
    Some(match text {
        ")" => Token::Close,
        "," => Token::Comma,
        "!" => Token::Not,
        "==" => Token::DoubleEquals,
        "=" => Token::Equals,
        ">" => Token::Greater,
        "<" => Token::Less,
        "!=" => Token::NotEquals,
        "(" => Token::Open,
        _ => return None,
    })
}

fn is_special(byte: u8) -> bool {
    b"=!(),><".contains(&byte)
}

fn is_white(byte: u8) -> bool {
    b" \t\r\n".contains(&byte)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> (Token, &'a str) {
        while self.peek().is_some_and(is_white) {
            self.at += 1;
        }
        match self.peek() {
            None => (Token::End, ""),
            // Upstream reads a zero byte as the end of what it reads, and skips it.
            Some(0) => {
                self.at += 1;
                (Token::End, "")
            }
            Some(byte) if is_special(byte) => self.symbol(),
            Some(_) => self.word(),
        }
    }

    /// The longest symbol that starts here.
    fn symbol(&mut self) -> (Token, &'a str) {
        let start = self.at;
        let two = self.text.get(start..start + 2).unwrap_or_default();
        let one = self.text.get(start..=start).unwrap_or_default();
        let text = if symbol(two).is_some() { two } else { one };
        self.at += text.len().max(1);
        (symbol(text).unwrap_or(Token::Bad), text)
    }

    fn word(&mut self) -> (Token, &'a str) {
        let start = self.at;
        while let Some(byte) = self.peek() {
            if byte == 0 || is_special(byte) || is_white(byte) {
                break;
            }
            self.at += 1;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        if self.peek() == Some(0) {
            self.at += 1;
        }
        let token = match text {
            "in" => Token::In,
            "notin" => Token::NotIn,
            _ => Token::Word,
        };
        (token, text)
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    ahead: (Token, &'a str),
}

/// Reads the requirements of a selector.
///
/// # Errors
/// What the genuine server answers with 400.
pub(super) fn requirements(text: &str) -> Result<Vec<Requirement>, SelectorError> {
    let mut lexer = Lexer { text, at: 0 };
    let ahead = lexer.next();
    Parser { lexer, ahead }.all()
}

fn fail<T>(found: &str, expected: &str) -> Result<T, SelectorError> {
    Err(SelectorError::new(format!(
        "found '{found}', expected: {expected}"
    )))
}

impl<'a> Parser<'a> {
    /// The next token where a key or a value stands.
    fn peek(&self) -> (Token, &'a str) {
        match self.ahead {
            (Token::In | Token::NotIn, text) => (Token::Word, text),
            other => other,
        }
    }

    fn take_operator(&mut self) -> (Token, &'a str) {
        let taken = self.ahead;
        // The end stays the end, also where a zero byte made it.
        if taken.0 != Token::End {
            self.ahead = self.lexer.next();
        }
        taken
    }

    fn take(&mut self) -> (Token, &'a str) {
        let taken = self.peek();
        self.take_operator();
        taken
    }

    fn all(mut self) -> Result<Vec<Requirement>, SelectorError> {
        let mut requirements = Vec::new();
        loop {
            match self.peek() {
                (Token::Word | Token::Not, _) => {}
                (Token::End, _) => return Ok(requirements),
                (_, found) => return fail(found, "!, identifier, or 'end of string'"),
            }
            if requirements.len() == MAX_REQUIREMENTS {
                return Err(SelectorError::too_many());
            }
            let requirement = self.requirement().map_err(|SelectorError(why)| {
                SelectorError::new(format!("unable to parse requirement: {why}"))
            })?;
            requirements.push(requirement);
            match self.take() {
                (Token::End, _) => return Ok(requirements),
                (Token::Comma, _) => {}
                (_, found) => return fail(found, "',' or 'end of string'"),
            }
            match self.peek() {
                (Token::Word | Token::Not, _) => {}
                (_, found) => return fail(found, "identifier after ','"),
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, SelectorError> {
        let mut taken = self.take();
        let negated = taken.0 == Token::Not;
        if negated {
            taken = self.take();
        }
        let (Token::Word, key) = taken else {
            return fail(taken.1, "identifier");
        };
        let faults = label_key_faults(key);
        if !faults.is_empty() {
            let fault = FieldError::invalid("<nil>", key.into(), faults.join("; "));
            return Err(SelectorError::new(fault.to_string()));
        }
        if negated {
            return Requirement::new(key, Operator::DoesNotExist, Vec::new());
        }
        if matches!(self.peek().0, Token::End | Token::Comma) {
            return Requirement::new(key, Operator::Exists, Vec::new());
        }
        let operator = match self.take_operator() {
            (Token::In, _) => return self.set(key, Operator::In),
            (Token::NotIn, _) => return self.set(key, Operator::NotIn),
            (Token::Equals | Token::DoubleEquals, _) => Operator::In,
            (Token::NotEquals, _) => Operator::NotIn,
            (Token::Greater, _) => Operator::GreaterThan,
            (Token::Less, _) => Operator::LessThan,
            (_, found) => return fail(found, "in, notin, =, ==, !=, gt, lt"),
        };
        let value = match self.peek() {
            (Token::End | Token::Comma, _) => "",
            (Token::Word, _) => self.take().1,
            (_, found) => return fail(found, "identifier"),
        };
        Requirement::new(key, operator, vec![value.to_owned()])
    }

    fn set(&mut self, key: &str, operator: Operator) -> Result<Requirement, SelectorError> {
        let (token, found) = self.take();
        if token != Token::Open {
            let message = format!("found '{found}' expected: '('");
            return Err(SelectorError::new(message));
        }
        let values = match self.peek() {
            (Token::Word | Token::Comma, _) => self.values()?,
            (Token::Close, _) => BTreeSet::from([""]),
            (_, found) => return fail(found, "',', ')' or identifier"),
        };
        self.take();
        let values = values.into_iter().map(str::to_owned).collect();
        Requirement::new(key, operator, values)
    }

    /// The values up to the closing parenthesis, which stays.
    fn values(&mut self) -> Result<BTreeSet<&'a str>, SelectorError> {
        let mut values = BTreeSet::new();
        loop {
            match self.take() {
                (Token::Word, value) => {
                    values.insert(value);
                    match self.peek() {
                        (Token::Comma, _) => {}
                        (Token::Close, _) => return Ok(values),
                        (_, found) => return fail(found, "',' or ')'"),
                    }
                }
                (Token::Comma, _) => {
                    let next = self.peek().0;
                    if values.is_empty() || matches!(next, Token::Close | Token::Comma) {
                        values.insert("");
                    }
                    if next == Token::Close {
                        return Ok(values);
                    }
                }
                (_, found) => return fail(found, "',', or identifier"),
            }
        }
    }
}
