//! Which fields differ between two values.

use std::collections::BTreeMap;
use std::ops::BitOrAssign;

use serde_json::{Map, Value};

use super::atom::{self, Atom, Fields, List, Ty};
use super::element::Element;
use super::order::same;
use super::set::Set;
use crate::schema::{ListKind, Schema};

/// What is different in the second of two values. No field is in more than one set, except below a value
/// whose kind has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) added: Set,
    pub(super) removed: Set,
    pub(super) modified: Set,
}

/// In which sets a value itself is.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    added: bool,
    removed: bool,
    modified: bool,
}

impl BitOrAssign for Marks {
    fn bitor_assign(&mut self, other: Self) {
        self.added |= other.added;
        self.removed |= other.removed;
        self.modified |= other.modified;
    }
}

/// Compares two values of a type, of which one may be absent.
pub(super) fn compare(
    schema: &Schema,
    ty: Ty,
    left: Option<&Value>,
    right: Option<&Value>,
) -> Comparison {
    let mut all = Comparison::default();
    visit(schema, ty, left, right, &mut all);
    all
}

impl Comparison {
    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.modified.is_empty()
    }

    fn settle(&mut self) {
        self.added.settle();
        self.removed.settle();
        self.modified.settle();
    }

    /// Puts what was found at and below an element where it belongs.
    fn attach(&mut self, element: impl FnOnce() -> Element, marks: Marks, below: Self) {
        let found = marks.added || marks.removed || marks.modified;
        if !found && below.is_empty() {
            return;
        }
        let element = element();
        for (set, marked, below) in [
            (&mut self.added, marks.added, below.added),
            (&mut self.removed, marks.removed, below.removed),
            (&mut self.modified, marks.modified, below.modified),
        ] {
            if marked {
                set.members.push(element.clone());
            }
            if !below.is_empty() {
                set.children.push((element.clone(), below));
            }
        }
    }
}

fn visit(
    schema: &Schema,
    ty: Ty,
    left: Option<&Value>,
    right: Option<&Value>,
    out: &mut Comparison,
) -> Marks {
    let mut marks = Marks::default();
    if let (Some(left_value), Some(right_value)) = (left, right)
        && atom::differ(schema, ty, left_value, right_value)
    {
        // The kind has changed: what the old one had is gone and what the new one has is there.
        let atom = atom::resolve(schema, ty, left);
        marks |= handle(schema, atom, left, right, out).unwrap_or_default();
    }
    let atom = atom::resolve(schema, ty, right.or(left));
    if let Some(leaf) = handle(schema, atom, left, right, out) {
        marks |= leaf;
    } else {
        marks.added |= left.is_none();
        marks.removed |= right.is_none();
    }
    marks
}

/// The marks of a leaf; none for what is no leaf.
fn handle(
    schema: &Schema,
    atom: Atom<'_>,
    left: Option<&Value>,
    right: Option<&Value>,
    out: &mut Comparison,
) -> Option<Marks> {
    match atom {
        Atom::Scalar(_) => Some(leaf(left, right)),
        Atom::List(list) => {
            let (lefts, rights) = (atom::list_of(left), atom::list_of(right));
            let empty = |items: Option<&[Value]>| items.is_none_or(<[Value]>::is_empty);
            // Empty and null are told apart by being leaves.
            if *list.kind == ListKind::Atomic || (empty(lefts) && empty(rights)) {
                return Some(leaf(left, right));
            }
            if lefts != rights {
                items(
                    schema,
                    list,
                    lefts.unwrap_or_default(),
                    rights.unwrap_or_default(),
                    out,
                );
            }
            None
        }
        Atom::Map(fields) => {
            let (lefts, rights) = (atom::map_of(left), atom::map_of(right));
            let empty = |map: Option<&Map<String, Value>>| map.is_none_or(Map::is_empty);
            if fields.atomic || (empty(lefts) && empty(rights)) {
                return Some(leaf(left, right));
            }
            entries(schema, fields, lefts, rights, out);
            None
        }
    }
}

fn leaf(left: Option<&Value>, right: Option<&Value>) -> Marks {
    let mut marks = Marks::default();
    match (left, right) {
        (None, _) => marks.added = true,
        (_, None) => marks.removed = true,
        (Some(left), Some(right)) => marks.modified = !same(left, right),
    }
    marks
}

fn entries(
    schema: &Schema,
    fields: Fields<'_>,
    lefts: Option<&Map<String, Value>>,
    rights: Option<&Map<String, Value>>,
    out: &mut Comparison,
) {
    let mut lefts = lefts.into_iter().flatten().peekable();
    let mut rights = rights.into_iter().flatten().peekable();
    loop {
        let (key, left, right) = match (lefts.peek(), rights.peek()) {
            (None, None) => break,
            (Some((left_key, _)), Some((right_key, _))) if left_key == right_key => {
                let left = lefts.next();
                let right = rights.next();
                (left.or(right), left, right)
            }
            (Some((left_key, _)), right)
                if right.is_none_or(|(right_key, _)| left_key < right_key) =>
            {
                let left = lefts.next();
                (left, left, None)
            }
            _ => {
                let right = rights.next();
                (right, None, right)
            }
        };
        let Some((key, _)) = key else { break };
        let ty = fields.field(key).map_or(Ty::Deduced, |(ty, _)| ty);
        let mut below = Comparison::default();
        let value = |entry: Option<(_, _)>| entry.map(|(_, value)| value);
        let marks = visit(schema, ty, value(left), value(right), &mut below);
        out.attach(|| Element::field(key), marks, below);
    }
    out.settle();
}

#[derive(Default)]
struct Twins<'v> {
    lefts: Vec<&'v Value>,
    rights: Vec<&'v Value>,
}

fn items(schema: &Schema, list: List<'_>, lefts: &[Value], rights: &[Value], out: &mut Comparison) {
    let mut all: BTreeMap<Element, Twins<'_>> = BTreeMap::new();
    for item in lefts {
        if let Ok(element) = atom::identify(schema, list, item) {
            all.entry(element).or_default().lefts.push(item);
        }
    }
    for item in rights {
        if let Ok(element) = atom::identify(schema, list, item) {
            all.entry(element).or_default().rights.push(item);
        }
    }
    for (element, Twins { lefts, rights }) in all {
        let mut below = Comparison::default();
        let mut marks = Marks::default();
        match (lefts.as_slice(), rights.as_slice()) {
            (&([] | [_]), &([] | [_])) => {
                let (left, right) = (lefts.first().copied(), rights.first().copied());
                marks = visit(schema, list.item, left, right, &mut below);
            }
            // Items that are there several times are compared as a whole, by their mark alone.
            ([_, _, ..], [_, _, ..]) => {
                let equal = lefts.len() == rights.len();
                let equal = equal
                    && lefts
                        .iter()
                        .zip(&rights)
                        .all(|(left, right)| same(left, right));
                marks.modified = !equal;
            }
            ([_, _, ..], _) => {
                if let Some(right) = rights.first() {
                    marks = visit(schema, list.item, None, Some(right), &mut below);
                }
                marks.removed = true;
            }
            (_, _) => {
                if let Some(left) = lefts.first() {
                    marks = visit(schema, list.item, Some(left), None, &mut below);
                }
                marks.added = true;
            }
        }
        out.attach(|| element, marks, below);
    }
    out.settle();
}
