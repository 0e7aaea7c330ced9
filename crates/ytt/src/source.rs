//! From ytt's dialect of Starlark to the one that the crate reads.
//!
//! ytt closes blocks by `end` and does not look at indentation; the crate looks at nothing else. So
//! code is split into tokens ([`lex`]), statements are put into blocks ([`block`]), what the crate
//! spells otherwise is respelled ([`respell`]), and the whole is written out with a table that
//! leads back to the template ([`write`]).

pub(crate) mod block;
pub(crate) mod lex;
pub(crate) mod respell;
pub(crate) mod write;

pub(crate) use block::{Line, blocks};
pub(crate) use lex::{Piece, Token};
pub(crate) use write::{Program, write};
