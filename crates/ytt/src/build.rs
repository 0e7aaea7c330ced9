//! Builds trees from the calls that a compiled template makes.
//!
//! A tree is built in a context: that of the template, or that of a function that builds nodes. A
//! context is a stack of open nodes. Nobody says that a node ends: a loop may be left in the middle
//! of one. Instead, a node that starts closes all that are not above it in the template.

use allocative::Allocative;
use starlark::values::{Heap, Trace, Value};

use crate::error::Place;
use crate::node::{Annotation, Fragment, Item, Shape, failure};
use crate::replace::Replacement;
use crate::run::Budget;
use crate::template::{Kind, Static};
use crate::value;

/// What a map item says to stand in place of an earlier one with its key.
pub(crate) const OVERRIDE: &str = "yaml/map-key-override";

/// A tree that is being built.
#[derive(Debug, Default, Trace, Allocative)]
pub(crate) struct Context<'v> {
    /// Set where text is built instead.
    pub(crate) text: Option<String>,
    root: Option<Value<'v>>,
    open: Vec<Open<'v>>,
    /// Annotations whose node has not started.
    pending: Vec<(usize, Annotation<'v>)>,
    /// A key whose item has not started.
    key: Option<(usize, Value<'v>)>,
}

#[derive(Debug, Trace, Allocative)]
struct Open<'v> {
    tag: usize,
    /// The collection itself, or the one of the item.
    collection: Value<'v>,
    /// Which item of the collection is open, if it is one.
    item: Option<usize>,
}

impl<'v> Context<'v> {
    pub(crate) fn text() -> Self {
        Self {
            text: Some(String::new()),
            ..Self::default()
        }
    }

    /// What was built; nothing where no node was started.
    pub(crate) fn root(&self) -> Option<Value<'v>> {
        self.root
    }

    pub(crate) fn annotate(&mut self, tag: usize, annotation: Annotation<'v>) {
        self.pending.push((tag, annotation));
    }

    pub(crate) fn key(&mut self, tag: usize, key: Value<'v>) {
        self.key = Some((tag, key));
    }

    /// Starts a node of the template.
    pub(crate) fn start(
        &mut self,
        nodes: &[Static],
        tag: usize,
        heap: &'v Heap,
    ) -> starlark::Result<()> {
        let Some(node) = nodes.get(tag) else {
            return Err(failure("no such node"));
        };
        if self.root.is_none() {
            match (&node.kind, node.parent) {
                (Kind::Item(_), Some(parent)) => self.start(nodes, parent, heap)?,
                (Kind::Item(_), None) => return Err(failure("no such node")),
                (Kind::Collection(shape), _) => {
                    let root = Fragment::alloc(heap, *shape, Vec::new());
                    self.root = Some(root);
                    self.push(tag, root, None);
                    return Ok(());
                }
            }
        }
        while let Some(open) = self.open.last() {
            if Some(open.tag) == node.parent {
                break;
            }
            self.open.pop();
        }
        let Some(parent) = self.open.last() else {
            return Err(failure(
                "the node stands outside of what its function began with",
            ));
        };
        let collection = Fragment::of(parent.collection).ok_or_else(|| failure("no such node"))?;
        match (&node.kind, parent.item) {
            (Kind::Collection(shape), Some(index)) => {
                let child = Fragment::alloc(heap, *shape, Vec::new());
                collection.change(|items| {
                    if let Some(item) = items.get_mut(index) {
                        item.value = child;
                    }
                });
                self.push(tag, child, None);
            }
            (Kind::Item(key), None) => {
                let item = self.item(node, tag, key.as_ref(), heap)?;
                let whole = parent_of(&self.open)?;
                add(collection, item)?;
                let index = collection.items().len() - 1;
                self.push(tag, whole, Some(index));
            }
            _ => return Err(failure("no such node")),
        }
        Ok(())
    }

    fn push(&mut self, tag: usize, collection: Value<'v>, item: Option<usize>) {
        self.open.push(Open {
            tag,
            collection,
            item,
        });
    }

    fn item(
        &mut self,
        node: &Static,
        tag: usize,
        key: Option<&crate::plain::Plain>,
        heap: &'v Heap,
    ) -> starlark::Result<Item<'v>> {
        let computed = self.key.take_if(|(of, _)| *of == tag);
        let key = match (computed, key) {
            (Some((_, key)), _) => key,
            (None, Some(key)) => value::from_plain(key, heap)?,
            (None, None) => Value::new_none(),
        };
        let mut item = Item::new(key, Value::new_none());
        item.line = node.place.map_or(0, |place: Place| place.line);
        let mut pending = Vec::new();
        for (of, annotation) in std::mem::take(&mut self.pending) {
            if of == tag {
                item.annotations.push(annotation);
            } else {
                pending.push((of, annotation));
            }
        }
        self.pending = pending;
        Ok(item)
    }

    /// Gives the open item its value.
    pub(crate) fn set(
        &mut self,
        tag: usize,
        value: Value<'v>,
        heap: &'v Heap,
        budget: &Budget<'_>,
    ) -> starlark::Result<()> {
        let open = self.open.last().filter(|open| open.tag == tag);
        let Some((collection, index)) =
            open.and_then(|open| Some((Fragment::of(open.collection)?, open.item?)))
        else {
            return Err(failure("no such node"));
        };
        if let Some(replacement) = Replacement::of(value) {
            // The item goes, so it cannot stay open.
            self.open.pop();
            return replacement.put(collection, index, heap, budget);
        }
        let value = value::to_node(value, heap, budget)?;
        collection.change(|items| {
            if let Some(item) = items.get_mut(index) {
                item.value = value;
            }
        });
        Ok(())
    }
}

fn parent_of<'v>(open: &[Open<'v>]) -> starlark::Result<Value<'v>> {
    let last = open.last().map(|open| open.collection);
    last.ok_or_else(|| failure("no such node"))
}

/// Adds an item; in a map, unless one has its key.
pub(crate) fn add<'v>(collection: &Fragment<'v>, item: Item<'v>) -> starlark::Result<()> {
    if collection.shape == Shape::Map {
        let same = same_key(collection, item.key)?;
        match same {
            Some(index) if item.annotation(OVERRIDE).is_some() => {
                collection.change(|items| items.remove(index));
            }
            Some(index) => {
                let before = collection.items().get(index).map_or(0, |item| item.line);
                let first = match before {
                    0 => String::new(),
                    line => format!("; it is on line {line}"),
                };
                return Err(failure(format!(
                    "expected key {} to not be specified again \
                     (unless 'yaml/map-key-override' annotation is added){first}",
                    value::key_text(item.key),
                )));
            }
            None => {}
        }
    }
    collection.change(|items| items.push(item));
    Ok(())
}

/// The item with a key.
pub(crate) fn same_key<'v>(
    collection: &Fragment<'v>,
    key: Value<'v>,
) -> starlark::Result<Option<usize>> {
    for (index, item) in collection.items().iter().enumerate() {
        if item.key.equals(key)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}
