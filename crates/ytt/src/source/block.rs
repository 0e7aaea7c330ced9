//! Puts statements into the blocks that `if`, `for` and `def` open and `end` closes.

use crate::error::{Place, Problem};
use crate::source::lex::{Kind, Logical, Token};

/// How deep blocks may nest; the parser behind us is recursive.
const MAX_BLOCKS: usize = 100;
/// How many `elif` one `if` may have, for the same reason.
const MAX_BRANCHES: usize = 500;

/// What a template compiles to, in order.
#[derive(Clone, Debug)]
pub(crate) enum Line {
    /// Code of the template, and whether it stands in a text template.
    Code(Logical, Within),
    /// A call of ours that builds a node.
    Node(Vec<Token>),
}

/// Where code stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Within {
    /// In the comments of YAML.
    Yaml,
    /// In the text of a string.
    Text,
}

/// A statement in its block.
#[derive(Debug)]
pub(crate) enum Statement {
    /// On a line of its own.
    Simple(Vec<Token>),
    /// A call of ours that builds a node.
    Node(Vec<Token>),
    /// The head, up to and with its colon, and what stands in it.
    Block(Block),
}

/// A head and its body.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) word: Word,
    pub(crate) head: Vec<Token>,
    pub(crate) body: Vec<Statement>,
    pub(crate) within: Within,
}

impl Block {
    /// Whether nodes are built in it, other than in functions that it defines.
    pub(crate) fn builds(&self) -> bool {
        self.body.iter().any(|statement| match statement {
            Statement::Simple(_) => false,
            Statement::Node(_) => true,
            Statement::Block(block) => block.word != Word::Def && block.builds(),
        })
    }
}

/// What opens a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// A condition.
    If,
    /// Another one, if those before did not hold.
    Elif,
    /// If none held.
    Else,
    /// A loop.
    For,
    /// A function.
    Def,
}

impl Word {
    pub(crate) fn of(tokens: &[Token]) -> Option<Self> {
        let first = tokens.first().filter(|token| token.kind == Kind::Name)?;
        Some(match first.text.as_str() {
            "if" => Self::If,
            "elif" => Self::Elif,
            "else" => Self::Else,
            "for" => Self::For,
            "def" => Self::Def,
            _ => return None,
        })
    }
}

const MISMATCH: &str = "mismatched set of block openings (if/else/elif/for/def) and closing (end)";

/// The statements of a template, in blocks.
///
/// # Errors
///
/// A block is not closed, an `end` closes nothing, `pass` or `while` are used.
pub(crate) fn blocks(lines: Vec<Line>) -> Result<Vec<Statement>, Problem> {
    let mut builder = Builder {
        open: Vec::new(),
        top: Vec::new(),
        branches: 0,
    };
    for line in lines {
        match line {
            Line::Node(tokens) => builder.add(Statement::Node(tokens)),
            Line::Code(logical, within) => builder.code(logical.tokens, within)?,
        }
    }
    match builder.open.last().and_then(|block| block.head.first()) {
        Some(head) => Err(Problem::syntax(head.place, MISMATCH)),
        None => Ok(builder.top),
    }
}

struct Builder {
    open: Vec<Block>,
    top: Vec<Statement>,
    /// How many `elif` there were since the last `if`.
    branches: usize,
}

impl Builder {
    fn add(&mut self, statement: Statement) {
        let body = match self.open.last_mut() {
            Some(block) => &mut block.body,
            None => &mut self.top,
        };
        body.push(statement);
    }

    fn code(&mut self, tokens: Vec<Token>, within: Within) -> Result<(), Problem> {
        let Some(first) = tokens.first() else {
            return Ok(());
        };
        let place = first.place;
        if first.is("end") && tokens.len() == 1 {
            return self.close(place, "unexpected end");
        }
        if first.is("pass") {
            return Err(Problem::syntax(
                place,
                "`pass` is not used in ytt: a block may be empty",
            ));
        }
        if first.is("while") {
            return Err(Problem::unsupported(place, "`while` is not supported"));
        }
        let Some(word) = Word::of(&tokens) else {
            self.add(Statement::Simple(tokens));
            return Ok(());
        };
        let colon = suite(&tokens).ok_or_else(|| {
            Problem::syntax(place, format!("a `{}` needs a `:` at its end", first.text))
        })?;
        if matches!(word, Word::Elif | Word::Else) {
            let inline = colon + 1 < tokens.len();
            let before = self.open.last().map(|block| block.word);
            match before {
                Some(Word::If | Word::Elif) if !inline => self.close(place, MISMATCH)?,
                // The one before stands on one line, or the node sugar has closed it.
                _ if self.follows_if() => {}
                _ => return Err(Problem::syntax(place, MISMATCH)),
            }
        }
        self.branches = if word == Word::Elif {
            self.branches + 1
        } else {
            0
        };
        if self.open.len() >= MAX_BLOCKS || self.branches > MAX_BRANCHES {
            return Err(Problem::limit(place, "blocks are nested too deep"));
        }
        let mut head = tokens;
        let rest = head.split_off(colon + 1);
        let mut block = Block {
            word,
            head,
            body: Vec::new(),
            within,
        };
        if rest.is_empty() {
            self.open.push(block);
        } else {
            block.body.push(Statement::Simple(rest));
            self.add(Statement::Block(block));
        }
        Ok(())
    }

    fn close(&mut self, place: Place, message: &str) -> Result<(), Problem> {
        let Some(block) = self.open.pop() else {
            return Err(Problem::syntax(place, message));
        };
        self.add(Statement::Block(block));
        Ok(())
    }

    fn follows_if(&self) -> bool {
        let body = self.open.last().map_or(&self.top, |block| &block.body);
        matches!(
            body.last(),
            Some(Statement::Block(block)) if matches!(block.word, Word::If | Word::Elif)
        )
    }
}

/// The colon that ends the head of a compound statement: not one of a lambda, a slice or a dict.
fn suite(tokens: &[Token]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut lambdas = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        if token.opens() {
            depth += 1;
        } else if token.closes() {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && token.is("lambda") {
            lambdas += 1;
        } else if depth == 0 && token.is(":") {
            if lambdas == 0 {
                return Some(index);
            }
            lambdas -= 1;
        }
    }
    None
}
