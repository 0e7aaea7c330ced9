//! From the text of a template to a program that builds its documents.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use starlark::syntax::{AstModule, Dialect};

use crate::error::{Place, Problem};
use crate::limits::Limits;
use crate::node::Shape;
use crate::plain::Plain;
use crate::report;
use crate::request::Comments;
use crate::source::block::Within;
use crate::source::lex::{Logical, lex};
use crate::source::{Line, Piece, Token, blocks, respell, write};
use crate::template::{Body, Code, Kind, Static};
use crate::text::{self, Part};
use crate::yaml::attach::attach;
use crate::yaml::{Comment, Node, NodeKind, Stream, parse};

mod meta;
pub(crate) mod plain;

use meta::{Meta, Metas};

/// The name of the program in the crate's errors.
pub(crate) const FILE: &str = "template";

/// What a text turned out to be.
pub(crate) struct Compiled {
    pub(crate) body: Body,
}

pub(crate) fn compile_text(
    text: &str,
    comments: Comments,
    limits: &Limits,
) -> Result<Compiled, Problem> {
    let mut stream = read(text, limits)?;
    if comments == Comments::Ignored {
        stream.comments.retain(meta::is_ours);
    }
    if !stream.comments.iter().any(meta::is_template) {
        let documents = plain::documents(&stream);
        return Ok(Compiled {
            body: Body::Plain(documents),
        });
    }
    let mut compiler = Compiler::new(stream);
    compiler.all()?;
    let Compiler {
        lines,
        nodes,
        texts,
        ..
    } = compiler;
    let program = write(blocks(lines)?)?;
    let dialect = Dialect {
        enable_top_level_stmt: true,
        enable_keyword_only_arguments: true,
        ..Dialect::Standard
    };
    let ast = AstModule::parse(FILE, program.text.clone(), &dialect)
        .map_err(|error| report::problem(&error, &program))?;
    Ok(Compiled {
        body: Body::Code(Box::new(Code {
            ast,
            program,
            nodes: Arc::from(nodes),
            texts: Arc::from(texts),
        })),
    })
}

/// The YAML of a text.
pub(crate) fn read(text: &str, limits: &Limits) -> Result<Stream, Problem> {
    if text.len() > limits.template {
        return Err(Problem::limit(Place::default(), "the template is too long"));
    }
    parse(&text.replace("\r\n", "\n"), limits)
}

struct Compiler {
    stream: Vec<Node>,
    children: Vec<Vec<usize>>,
    comments: BTreeMap<usize, Vec<Comment>>,
    left: Vec<Comment>,
    lines: Vec<Line>,
    /// The first is that of all documents; a node of YAML has its index and one.
    nodes: Vec<Static>,
    texts: Vec<String>,
}

impl Compiler {
    fn new(stream: Stream) -> Self {
        let Stream { nodes, comments } = stream;
        let attached = attach(&nodes, comments);
        let mut children = vec![Vec::new(); nodes.len()];
        for (index, node) in nodes.iter().enumerate() {
            if let Some(parent) = node.parent {
                children[parent].push(index);
            }
        }
        let mut statics = vec![Static {
            kind: Kind::Collection(Shape::Documents),
            parent: None,
            place: None,
            value: Plain::Null,
        }];
        for (index, node) in nodes.iter().enumerate() {
            let value = match children[index].first().map(|child| &nodes[*child].kind) {
                Some(NodeKind::Scalar(value)) => value.clone(),
                _ => Plain::Null,
            };
            let kind = match &node.kind {
                NodeKind::Map => Kind::Collection(Shape::Map),
                NodeKind::Array => Kind::Collection(Shape::Array),
                NodeKind::MapItem(key) => Kind::Item(Some(key.clone())),
                NodeKind::Document | NodeKind::ArrayItem | NodeKind::Scalar(_) => Kind::Item(None),
            };
            statics.push(Static {
                kind,
                parent: Some(node.parent.map_or(0, |parent| parent + 1)),
                place: node.place,
                value,
            });
        }
        Self {
            stream: nodes,
            children,
            comments: attached.of,
            left: attached.left,
            lines: Vec::new(),
            nodes: statics,
            texts: Vec::new(),
        }
    }

    fn all(&mut self) -> Result<(), Problem> {
        self.call("__ytt_start(0)".to_owned(), Place::default());
        for index in 0..self.stream.len() {
            if matches!(self.stream[index].kind, NodeKind::Document) {
                self.item(index, false)?;
            }
        }
        // Comments behind the last node: their code runs, and belongs to nothing.
        let left = std::mem::take(&mut self.left);
        let metas = Metas::read(left, None)?;
        self.code(&metas.code, Within::Yaml)
    }

    fn call(&mut self, text: String, place: Place) {
        self.lines.push(Line::Node(vec![Token::ours(text, place)]));
    }

    /// A document, a map item or an array item.
    fn item(&mut self, index: usize, mut templated: bool) -> Result<(), Problem> {
        let tag = index + 1;
        let place = self.stream[index].place.unwrap_or_default();
        let comments = self.comments.remove(&index).unwrap_or_default();
        let metas = Metas::read(comments, self.stream[index].place)?;
        templated |= metas.annotates(meta::TEXT);
        self.code(&metas.code, Within::Yaml)?;
        for meta in &metas.annotations {
            self.annotation(tag, meta)?;
        }
        if let NodeKind::MapItem(Plain::Text(key)) = &self.stream[index].kind
            && templated
        {
            let key = key.clone();
            self.text(&key, place, &format!("__ytt_key({tag}, "))?;
        }
        self.call(format!("__ytt_start({tag})"), place);
        let child = self.children[index].first().copied();
        if metas.values.is_empty() {
            if let Some(child) = child {
                self.value(child, tag, templated, place)?;
            }
        } else {
            self.computed(index, &metas.values)?;
        }
        if metas.needs_end {
            let end = Logical {
                tokens: lex(&[Piece {
                    text: "end".to_owned(),
                    place,
                }])?
                .into_iter()
                .flat_map(|logical| logical.tokens)
                .collect(),
                comment: None,
            };
            self.lines.push(Line::Code(end, Within::Yaml));
        }
        Ok(())
    }

    fn value(
        &mut self,
        child: usize,
        tag: usize,
        templated: bool,
        place: Place,
    ) -> Result<(), Problem> {
        match &self.stream[child].kind {
            NodeKind::Scalar(Plain::Text(text)) if templated => {
                let text = text.clone();
                let place = self.stream[child].place.unwrap_or(place);
                self.text(&text, place, &format!("__ytt_set({tag}, "))
            }
            NodeKind::Map | NodeKind::Array => {
                self.call(format!("__ytt_start({})", child + 1), place);
                for item in self.children[child].clone() {
                    self.item(item, templated)?;
                }
                Ok(())
            }
            _ => {
                self.call(format!("__ytt_set({tag})"), place);
                Ok(())
            }
        }
    }

    fn computed(&mut self, index: usize, values: &[Meta]) -> Result<(), Problem> {
        let child = self.children[index]
            .first()
            .map(|child| &self.stream[*child].kind);
        for meta in values {
            if !matches!(child, None | Some(NodeKind::Scalar(Plain::Null))) {
                return Err(Problem::syntax(
                    meta.piece.place,
                    "expected YAML node to have either computed or YAML value, but found both",
                ));
            }
            let call = format!("__ytt_set({}, (", index + 1);
            let tokens = arguments(&meta.piece, call, "))")?;
            self.lines.push(Line::Node(tokens));
        }
        Ok(())
    }

    fn annotation(&mut self, tag: usize, meta: &Meta) -> Result<(), Problem> {
        let name = Plain::Text(meta.name.clone());
        let name = match &name {
            Plain::Text(name) => serde_json::Value::from(name.as_str()).to_string(),
            _ => String::new(),
        };
        let separator = if meta.piece.text.trim().is_empty() {
            ""
        } else {
            ", "
        };
        let call = format!("__ytt_note({tag}, {name}{separator}");
        let tokens = arguments(&meta.piece, call, ")")?;
        self.lines.push(Line::Node(tokens));
        Ok(())
    }

    fn code(&mut self, pieces: &[Piece], within: Within) -> Result<(), Problem> {
        for logical in lex(pieces)? {
            self.lines.push(Line::Code(logical, within));
        }
        Ok(())
    }

    /// A text template, whose text is the last argument of a call.
    fn text(&mut self, text: &str, place: Place, call: &str) -> Result<(), Problem> {
        self.call("__ytt_open(\"text\")".to_owned(), place);
        for part in text::split(text, place)? {
            match part {
                Part::Text(text) if text.is_empty() => {}
                Part::Text(text) => {
                    self.texts.push(text);
                    let call = format!("__ytt_text({})", self.texts.len() - 1);
                    self.call(call, place);
                }
                Part::Print(code, before) => {
                    let piece = Piece {
                        text: code,
                        place: Place::line(place.line + before),
                    };
                    let tokens = arguments(&piece, "__ytt_print((".to_owned(), "))")?;
                    self.lines.push(Line::Node(tokens));
                }
                Part::Code(code, before) => {
                    let piece = Piece {
                        text: code,
                        place: Place::line(place.line + before),
                    };
                    self.code(&[piece], Within::Text)?;
                }
            }
        }
        self.call(format!("{call}__ytt_close())"), place);
        Ok(())
    }
}

/// A call whose last arguments are code of the template.
fn arguments(piece: &Piece, call: String, end: &str) -> Result<Vec<Token>, Problem> {
    let mut tokens = vec![Token::ours(call, piece.place)];
    // A text template may spread a value over lines; in brackets they are one.
    let mut logicals: VecDeque<Logical> = lex(std::slice::from_ref(piece))?.into();
    while let Some(logical) = logicals.pop_front() {
        if let Some(place) = logical.comment {
            return Err(Problem::syntax(
                place,
                "a value cannot have a comment behind it",
            ));
        }
        tokens.extend(respell::expression(logical.tokens));
    }
    tokens.push(Token::ours(end, piece.place));
    Ok(tokens)
}
