//! From YAML text to a flat tree of nodes with lines, and the comments beside it.

use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle};

use crate::error::{Place, Problem};
use crate::limits::Limits;
use crate::plain::Plain;
use crate::yaml::dash::Lines;
use crate::yaml::resolve;

/// What stands in a file: its nodes in the order of the text, parents before their children.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    pub(crate) nodes: Vec<Node>,
    pub(crate) comments: Vec<Comment>,
}

/// A node; its parent is the index of another one.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) parent: Option<usize>,
    /// Where a document, a map item or an array item begins; a document without `---` does not.
    pub(crate) place: Option<Place>,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(crate) enum NodeKind {
    /// A document. Its child is its value.
    Document,
    /// A map. Its children are items.
    Map,
    /// An item of a map; its child is its value.
    MapItem(Plain),
    /// An array. Its children are items.
    Array,
    /// An item of an array; its child is its value.
    ArrayItem,
    /// A scalar.
    Scalar(Plain),
}

/// A comment, without its `#`.
#[derive(Clone, Debug)]
pub(crate) struct Comment {
    pub(crate) text: String,
    pub(crate) place: Place,
}

/// Reads a text.
///
/// # Errors
///
/// The text is no YAML, or it is too deep or grows too much by its aliases.
pub(crate) fn parse(text: &str, limits: &Limits) -> Result<Stream, Problem> {
    let depth = limits.depth;
    let options = granit_parser::options! {
        flow_nesting_limit: depth,
        block_nesting_limit: depth,
        max_buffered_comment_events: usize::MAX,
        block_scalar_eof_without_line_feed: true,
    };
    let mut reader = Reader {
        lines: Lines::of(text),
        stream: Stream::default(),
        open: Vec::new(),
        anchors: BTreeMap::new(),
        keys: BTreeMap::new(),
        last: 0,
        room: text.len().saturating_mul(limits.expansion).max(1000),
        depth,
        flow: false,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| {
            let place = place(error.marker().line(), error.marker().col());
            Problem::syntax(place, format!("not YAML: {}", error.info()))
        })?;
        reader.read(event, span)?;
    }
    Ok(reader.stream)
}

fn place(line: usize, column: usize) -> Place {
    Place {
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column + 1).unwrap_or(u32::MAX),
    }
}

/// A collection or a document that is being read.
struct Open {
    /// The node whose children come.
    node: usize,
    at: At,
    anchor: usize,
    /// Whether it ends with a bracket.
    flow: bool,
}

#[derive(Clone, Copy)]
enum At {
    Document,
    /// A map whose next scalar is a key.
    Key,
    /// A map whose next node is the value of this item.
    Value(usize),
    /// A map whose last key was `<<`.
    Merge,
    /// The list behind `<<`.
    Merges,
    /// A block sequence: the column of its dashes, the line of the first and of the last one.
    Dashes {
        column: usize,
        first: usize,
        line: Option<usize>,
    },
    /// A flow sequence.
    Flow,
}

struct Reader<'a> {
    lines: Lines<'a>,
    stream: Stream,
    open: Vec<Open>,
    /// The first and the one after the last node of what has an anchor.
    anchors: BTreeMap<usize, (usize, usize)>,
    /// What has an anchor and is a key.
    keys: BTreeMap<usize, Plain>,
    /// The last line that a quoted scalar or a flow collection reached into.
    last: usize,
    /// How many nodes aliases may still add.
    room: usize,
    depth: usize,
    /// Whether the collection that begins is written in brackets.
    flow: bool,
}

impl Reader<'_> {
    fn read(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let here = place(span.start.line(), span.start.col());
        match event {
            Event::Comment(text, _) => self.stream.comments.push(Comment {
                text: text.into_owned(),
                place: here,
            }),
            Event::DocumentStart(explicit, _) => {
                let place = explicit.then_some(Place { column: 1, ..here });
                let node = self.add(NodeKind::Document, None, place);
                self.anchors.clear();
                self.keys.clear();
                self.push(node, At::Document, 0, here)?;
            }
            Event::DocumentEnd => self.open.clear(),
            Event::Scalar(text, style, anchor, tag) => {
                let value = resolve::scalar(&text, style, tag.as_deref())
                    .map_err(|message| Problem::syntax(here, message))?;
                let merges = style == ScalarStyle::Plain && tag.is_none() && text == "<<";
                self.scalar(value, merges, anchor, here)?;
                // Only now: its own dash stands above it.
                if matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted) {
                    self.last = span.end.line();
                }
                // A block begins at its first line with text.
                let blank = text.bytes().take_while(|byte| *byte == b'\n').count();
                if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded)
                    && let Some(node) = self.stream.nodes.last_mut()
                    && matches!(node.kind, NodeKind::Scalar(_))
                {
                    node.place = Some(place(span.start.line().saturating_sub(blank), 0));
                }
            }
            Event::SequenceStart(style, anchor, _) => {
                self.flow = style == StructureStyle::Flow;
                if let Some((node, At::Merge)) = self.top() {
                    self.turn(At::Key);
                    return self.push(node, At::Merges, 0, here);
                }
                let dash = self.first_dash(&span);
                let parent = self.slot(here)?;
                let node = self.add(NodeKind::Array, Some(parent), None);
                let at = match style {
                    StructureStyle::Flow => At::Flow,
                    StructureStyle::Block => At::Dashes {
                        column: dash.1,
                        first: dash.0,
                        line: None,
                    },
                };
                self.push(node, at, anchor, here)?;
            }
            Event::MappingStart(style, anchor, _) => {
                self.flow = style == StructureStyle::Flow;
                if let Some((node, at @ (At::Merge | At::Merges))) = self.top() {
                    if matches!(at, At::Merge) {
                        self.turn(At::Key);
                    }
                    return self.push(node, At::Key, 0, here);
                }
                let parent = self.slot(here)?;
                let node = self.add(NodeKind::Map, Some(parent), None);
                self.push(node, At::Key, anchor, here)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    if open.flow {
                        self.last = self.last.max(span.start.line());
                    }
                    let end = self.stream.nodes.len();
                    if open.anchor != 0 {
                        self.anchors.insert(open.anchor, (open.node, end));
                    }
                }
            }
            Event::Alias(anchor) => self.alias(anchor, here)?,
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, kind: NodeKind, parent: Option<usize>, place: Option<Place>) -> usize {
        self.stream.nodes.push(Node {
            kind,
            parent,
            place,
        });
        self.stream.nodes.len() - 1
    }

    fn push(&mut self, node: usize, at: At, anchor: usize, here: Place) -> Result<(), Problem> {
        // The document itself does not count.
        if self.open.len() > self.depth {
            return Err(Problem::limit(here, "YAML is nested too deep"));
        }
        let flow = self.flow;
        self.open.push(Open {
            node,
            at,
            anchor,
            flow,
        });
        Ok(())
    }

    fn top(&self) -> Option<(usize, At)> {
        self.open.last().map(|open| (open.node, open.at))
    }

    fn turn(&mut self, at: At) {
        if let Some(open) = self.open.last_mut() {
            open.at = at;
        }
    }

    /// The node that becomes the parent of a value that begins here.
    fn slot(&mut self, here: Place) -> Result<usize, Problem> {
        let Some((node, at)) = self.top() else {
            return Err(Problem::syntax(
                here,
                "not YAML: a value outside of a document",
            ));
        };
        Ok(match at {
            At::Document => node,
            At::Value(item) => {
                self.turn(At::Key);
                item
            }
            At::Key => return Err(Problem::syntax(here, "a key is no scalar")),
            At::Merge | At::Merges => {
                return Err(Problem::syntax(here, "`<<` needs a map, or a list of maps"));
            }
            At::Flow => self.add(NodeKind::ArrayItem, Some(node), Some(here)),
            At::Dashes {
                column,
                first,
                line,
            } => {
                let line = match line {
                    None => first,
                    Some(line) => {
                        let next = self.lines.next(line.max(self.last), column);
                        next.unwrap_or(line + 1)
                    }
                };
                self.turn(At::Dashes {
                    column,
                    first,
                    line: Some(line),
                });
                let place = place(line, column);
                self.add(NodeKind::ArrayItem, Some(node), Some(place))
            }
        })
    }

    /// Where the first dash of a block sequence is, whose event is here: at its first value, if it is
    /// indented no deeper than the key that it belongs to.
    fn first_dash(&self, here: &Span) -> (usize, usize) {
        let found = (here.start.line(), here.start.col());
        let Some((_, At::Value(item))) = self.top() else {
            return found;
        };
        let key = self.stream.nodes[item].place.unwrap_or_default().line;
        let key = usize::try_from(key).unwrap_or(usize::MAX);
        self.lines.below(key, found.0).unwrap_or(found)
    }

    fn scalar(
        &mut self,
        value: Plain,
        merges: bool,
        anchor: usize,
        here: Place,
    ) -> Result<(), Problem> {
        if let Some((node, At::Key)) = self.top() {
            if merges {
                self.turn(At::Merge);
                return Ok(());
            }
            if anchor != 0 {
                self.keys.insert(anchor, value.clone());
            }
            let item = self.add(NodeKind::MapItem(value), Some(node), Some(here));
            self.turn(At::Value(item));
            return Ok(());
        }
        let parent = self.slot(here)?;
        let node = self.add(NodeKind::Scalar(value), Some(parent), None);
        if anchor != 0 {
            self.anchors.insert(anchor, (node, node + 1));
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, here: Place) -> Result<(), Problem> {
        if let Some(value) = self.keys.get(&anchor).cloned() {
            return self.scalar(value, false, 0, here);
        }
        let Some((first, end)) = self.anchors.get(&anchor).copied() else {
            return Err(Problem::syntax(
                here,
                "an alias stands within what it names",
            ));
        };
        match (self.top(), &self.stream.nodes[first].kind) {
            (Some((_, At::Key)), NodeKind::Scalar(value)) => {
                let value = value.clone();
                self.scalar(value, false, 0, here)
            }
            (Some((map, at @ (At::Merge | At::Merges))), NodeKind::Map) => {
                if matches!(at, At::Merge) {
                    self.turn(At::Key);
                }
                self.copy(first + 1, end, (first, map), here)
            }
            _ => {
                let parent = self.slot(here)?;
                let old = self.stream.nodes[first].parent.unwrap_or_default();
                self.copy(first, end, (old, parent), here)
            }
        }
    }

    /// Copies nodes to the end; those below `moved.0` come below `moved.1`.
    fn copy(
        &mut self,
        first: usize,
        end: usize,
        moved: (usize, usize),
        here: Place,
    ) -> Result<(), Problem> {
        let Some(room) = self.room.checked_sub(end - first) else {
            return Err(Problem::limit(here, "aliases make the template too large"));
        };
        self.room = room;
        let base = self.stream.nodes.len();
        for index in first..end {
            let mut node = self.stream.nodes[index].clone();
            node.parent = node.parent.map(|parent| {
                if parent == moved.0 {
                    moved.1
                } else {
                    parent - first + base
                }
            });
            self.stream.nodes.push(node);
        }
        Ok(())
    }
}
