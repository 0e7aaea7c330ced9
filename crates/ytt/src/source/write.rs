//! Writes statements as text for the crate, with a table that leads back to the template.

use crate::error::{Place, Problem};
use crate::source::block::{Block, Statement, Within, Word};
use crate::source::lex::Token;
use crate::source::respell;

/// The text for the crate, and where it comes from.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) text: String,
    /// Line and column in the text, both from 0, and the place in the template; in order.
    marks: Vec<(usize, usize, Place)>,
}

impl Program {
    /// The place in the template of a line and column of the text, both from 0.
    pub(crate) fn place(&self, line: usize, column: usize) -> Place {
        let after = self
            .marks
            .partition_point(|(at, start, _)| (*at, *start) <= (line, column));
        let mark = after.checked_sub(1).and_then(|index| self.marks.get(index));
        mark.map_or_else(Place::default, |(_, _, place)| *place)
    }
}

/// Writes a template's statements.
///
/// # Errors
///
/// A statement uses what is not supported, such as a file to load.
pub(crate) fn write(statements: Vec<Statement>) -> Result<Program, Problem> {
    let mut writer = Writer {
        program: Program::default(),
        line: 0,
        column: 0,
    };
    writer.body(statements, 0, false)?;
    Ok(writer.program)
}

struct Writer {
    program: Program,
    line: usize,
    column: usize,
}

impl Writer {
    fn body(
        &mut self,
        statements: Vec<Statement>,
        depth: usize,
        closes: bool,
    ) -> Result<(), Problem> {
        for statement in statements {
            match statement {
                Statement::Node(tokens) => self.line(&tokens, depth),
                Statement::Simple(tokens) => {
                    let place = tokens.first().map(|token| token.place);
                    self.tick(place.unwrap_or_default(), depth);
                    let tokens = respell::statement(tokens, closes)?;
                    self.line(&tokens, depth);
                }
                Statement::Block(block) => self.block(block, depth, closes)?,
            }
        }
        Ok(())
    }

    fn block(&mut self, block: Block, depth: usize, closes: bool) -> Result<(), Problem> {
        let place = block
            .head
            .first()
            .map(|token| token.place)
            .unwrap_or_default();
        let builds = block.word == Word::Def && block.builds();
        let closes = match block.word {
            Word::Def => builds,
            _ => closes,
        };
        let is_empty = block.body.is_empty();
        self.line(&respell::expression(block.head), depth);
        let depth = depth + 1;
        match block.word {
            Word::For | Word::Def => self.tick(place, depth),
            _ if is_empty => self.line(&[Token::ours("pass", place)], depth),
            _ => {}
        }
        if builds {
            let open = match block.within {
                Within::Yaml => "__ytt_open(\"yaml\")",
                Within::Text => "__ytt_open(\"text\")",
            };
            self.line(&[Token::ours(open, place)], depth);
        }
        self.body(block.body, depth, closes)?;
        if builds {
            self.line(&[Token::ours("return __ytt_close()", place)], depth);
        }
        Ok(())
    }

    /// Time and memory are looked at here.
    fn tick(&mut self, place: Place, depth: usize) {
        let tick = format!("__ytt_tick({})", place.line);
        self.line(&[Token::ours(tick, place)], depth);
    }

    fn line(&mut self, tokens: &[Token], depth: usize) {
        self.push(&" ".repeat(4 * depth));
        for (index, token) in tokens.iter().enumerate() {
            if token.spaced && index > 0 {
                self.push(" ");
            }
            if token.place.line > 0 {
                let mark = (self.line, self.column, token.place);
                self.program.marks.push(mark);
            }
            self.push(&token.text);
        }
        self.push("\n");
    }

    fn push(&mut self, text: &str) {
        self.program.text.push_str(text);
        match text.rsplit_once('\n') {
            Some((before, last)) => {
                self.line += 1 + before.matches('\n').count();
                self.column = last.chars().count();
            }
            None => self.column += text.chars().count(),
        }
    }
}
