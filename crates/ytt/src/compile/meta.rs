//! What the comments of a node mean.

use crate::error::{Place, Problem};
use crate::source::Piece;
use crate::yaml::Comment;

/// Makes strings below a node text templates.
pub(super) const TEXT: &str = "yaml/text-templated-strings";

/// An annotation, or a value.
pub(super) struct Meta {
    pub(super) name: String,
    pub(super) piece: Piece,
}

/// What the comments of a node mean, in their order.
#[derive(Default)]
pub(super) struct Metas {
    pub(super) code: Vec<Piece>,
    pub(super) values: Vec<Meta>,
    pub(super) annotations: Vec<Meta>,
    /// Whether the node sugar was used.
    pub(super) needs_end: bool,
}

/// Whether a comment makes its file a template.
pub(super) fn is_template(comment: &Comment) -> bool {
    let annotation = comment.text.strip_prefix('@');
    annotation.is_some_and(|text| text.split(' ').next() != Some("comment"))
}

/// Whether a comment is ytt's: code, an annotation, or a remark.
pub(super) fn is_ours(comment: &Comment) -> bool {
    comment.text.starts_with(['@', '!'])
}

impl Metas {
    /// Reads the comments of the node at a place.
    pub(super) fn read(comments: Vec<Comment>, node: Option<Place>) -> Result<Self, Problem> {
        let mut metas = Self::default();
        for comment in comments {
            metas.add(&comment, node)?;
        }
        Ok(metas)
    }

    pub(super) fn annotates(&self, name: &str) -> bool {
        self.annotations.iter().any(|meta| meta.name == name)
    }

    fn add(&mut self, comment: &Comment, node: Option<Place>) -> Result<(), Problem> {
        let place = comment.place;
        let Some(text) = comment.text.strip_prefix('@') else {
            if comment.text.starts_with('!') {
                return Ok(());
            }
            let message = "a plain comment in a template: use `#@` for code or `#!` for a remark";
            return Err(Problem::syntax(place, message));
        };
        let (name, content) = text.split_once(' ').unwrap_or((text, ""));
        // The `#`, the `@`, the name, the space.
        let shift = u32::try_from(name.chars().count() + 3).unwrap_or(0);
        let piece = Piece {
            text: content.to_owned(),
            place: Place {
                line: place.line,
                column: place.column.saturating_add(shift),
            },
        };
        let own_line = node.is_some_and(|node| node.line == place.line);
        match name {
            "comment" => {}
            "" if own_line => self.value(piece),
            "template/value" => self.value(piece),
            "" | "template/code" => self.code(piece)?,
            name => {
                refuse(name, place)?;
                self.annotations.push(Meta {
                    name: name.to_owned(),
                    piece,
                });
            }
        }
        Ok(())
    }

    fn value(&mut self, piece: Piece) {
        self.values.push(Meta {
            name: String::new(),
            piece,
        });
    }

    fn code(&mut self, mut piece: Piece) -> Result<(), Problem> {
        const SUGAR: [&str; 5] = ["if/end", "elif/end", "else/end", "for/end", "def/end"];
        if self.needs_end {
            return Err(Problem::syntax(
                piece.place,
                "unexpected code after use of '*/end', expected YAML node",
            ));
        }
        let start = piece.text.trim_start();
        if let Some(word) = SUGAR.iter().find(|word| start.starts_with(**word)) {
            self.needs_end = true;
            // As many characters as before, so that columns stay right.
            let bare = word.replace("/end", "");
            piece.text = if *word == "else/end" {
                piece.text.replacen(word, &bare, 1)
            } else {
                piece.text.replacen(word, &format!("{bare}    "), 1)
            };
        }
        self.code.push(piece);
        Ok(())
    }
}

fn refuse(name: &str, place: Place) -> Result<(), Problem> {
    let refused = name.starts_with("schema/")
        || name.starts_with("data/")
        || name.starts_with("library/")
        || name == "assert/validate";
    if refused {
        let message = format!("the annotation `@{name}` is not supported");
        return Err(Problem::unsupported(place, message));
    }
    Ok(())
}
