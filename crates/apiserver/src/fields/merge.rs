//! What an object becomes when a configuration is put upon it: nothing is removed.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::atom::{self, Atom, Fields, List, Ty};
use super::element::Element;
use crate::schema::{ListKind, Schema};

/// What comes of a merge.
#[derive(Debug)]
pub(super) enum Merged {
    /// The left value as it is: nothing had to be copied.
    Left,
    /// Another value.
    New(Value),
}

/// Merges a valid configuration into a value of its type. Where a list's items are in both, the order is
/// that of the configuration; other items stay where they are relative to them.
pub(super) fn merge(schema: &Schema, ty: Ty, left: &Value, right: &Value) -> Merged {
    match atom::resolve(schema, ty, Some(right)) {
        Atom::Scalar(_) => leaf(left, right),
        Atom::List(list) => {
            let lefts = atom::list_of(Some(left)).unwrap_or_default();
            let rights = atom::list_of(Some(right)).unwrap_or_default();
            match (lefts, rights) {
                _ if *list.kind == ListKind::Atomic => leaf(left, right),
                (_, []) if !lefts.is_empty() => Merged::Left,
                ([], _) => leaf(left, right),
                _ => items(schema, list, lefts, rights),
            }
        }
        Atom::Map(fields) => {
            let empty = Map::new();
            let lefts = atom::map_of(Some(left)).unwrap_or(&empty);
            let rights = atom::map_of(Some(right)).unwrap_or(&empty);
            if fields.atomic || lefts.is_empty() {
                leaf(left, right)
            } else {
                entries(schema, fields, lefts, rights)
            }
        }
    }
}

fn leaf(left: &Value, right: &Value) -> Merged {
    if left == right {
        Merged::Left
    } else {
        Merged::New(right.clone())
    }
}

fn entries(
    schema: &Schema,
    fields: Fields<'_>,
    lefts: &Map<String, Value>,
    rights: &Map<String, Value>,
) -> Merged {
    let mut changes: BTreeMap<&String, Value> = BTreeMap::new();
    for (key, right) in rights {
        let change = match lefts.get(key) {
            None => Merged::New(right.clone()),
            Some(left) => {
                let ty = fields.field(key).map_or(Ty::Deduced, |(ty, _)| ty);
                merge(schema, ty, left, right)
            }
        };
        if let Merged::New(value) = change {
            changes.insert(key, value);
        }
    }
    if changes.is_empty() {
        return Merged::Left;
    }
    let mut map: Map<String, Value> = lefts
        .iter()
        .filter(|(key, _)| !changes.contains_key(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    map.extend(changes.into_iter().map(|(key, value)| (key.clone(), value)));
    Merged::New(Value::Object(map))
}

/// An item of the list that comes out.
enum Item {
    /// The left item at this position, as it is.
    Left(usize),
    New(Value),
}

/// Where an item of the right list is in the left one.
#[derive(Clone, Copy)]
enum Twin {
    Once(usize),
    /// Several times: such items are replaced rather than merged.
    Twice,
}

/// The two lists side by side, each item with its position in the other list.
struct Lists<'v, 's> {
    schema: &'s Schema,
    item: Ty,
    lefts: Vec<(&'v Value, usize, Option<usize>)>,
    rights: Vec<(&'v Value, Option<Twin>)>,
}

fn items(schema: &Schema, list: List<'_>, lefts: &[Value], rights: &[Value]) -> Merged {
    if lefts == rights {
        return Merged::Left;
    }
    let out = Lists::pair(schema, list, lefts, rights).interleave();
    let unchanged = out.len() == lefts.len()
        && out
            .iter()
            .enumerate()
            .all(|(at, item)| matches!(item, Item::Left(left) if *left == at));
    if unchanged {
        return Merged::Left;
    }
    let out = out.into_iter().map(|item| match item {
        Item::Left(at) => lefts[at].clone(),
        Item::New(value) => value,
    });
    Merged::New(Value::Array(out.collect()))
}

impl<'v, 's> Lists<'v, 's> {
    /// Pairs the items. Those that cannot be told apart, which validation refuses, are left out.
    fn pair(schema: &'s Schema, list: List<'_>, lefts: &'v [Value], rights: &'v [Value]) -> Self {
        let identified = |items: &'v [Value]| -> Vec<(Element, &'v Value, usize)> {
            let each = items.iter().enumerate().filter_map(|(at, item)| {
                let element = atom::identify(schema, list, item).ok()?;
                Some((element, item, at))
            });
            each.collect()
        };
        let (lefts, rights) = (identified(lefts), identified(rights));
        let mut in_left: BTreeMap<&Element, Twin> = BTreeMap::new();
        for (place, (element, ..)) in lefts.iter().enumerate() {
            in_left
                .entry(element)
                .and_modify(|twin| *twin = Twin::Twice)
                .or_insert(Twin::Once(place));
        }
        let in_right: BTreeMap<&Element, usize> = rights
            .iter()
            .enumerate()
            .map(|(at, (element, ..))| (element, at))
            .collect();
        Self {
            schema,
            item: list.item,
            lefts: lefts
                .iter()
                .map(|(element, item, at)| (*item, *at, in_right.get(element).copied()))
                .collect(),
            rights: rights
                .iter()
                .map(|(element, item, _)| (*item, in_left.get(element).copied()))
                .collect(),
        }
    }

    /// Walks both lists at once, as upstream does, since clients see the order.
    fn interleave(&self) -> Vec<Item> {
        let (lefts, rights) = (&self.lefts, &self.rights);
        let mut out = Vec::with_capacity(lefts.len().max(rights.len()));
        // The items that are in both, in the order of the right list: which of them comes next.
        let mut shared = rights
            .iter()
            .enumerate()
            .filter(|(_, (_, twin))| twin.is_some())
            .map(|(at, _)| at);
        let mut next_shared = shared.next();
        let mut done = vec![false; rights.len()];
        let (mut l, mut r) = (0, 0);
        while l < lefts.len() || r < rights.len() {
            if let (Some((_, _, twin)), true) = (lefts.get(l), r < rights.len()) {
                if *twin == Some(r) {
                    done[r] = true;
                    out.push(self.merged(r));
                    l += 1;
                    r += 1;
                    next_shared = shared.next();
                    continue;
                }
                if twin.is_some() && next_shared.is_some() && next_shared != *twin {
                    l += 1;
                    continue;
                }
            }
            if let Some((_, at, twin)) = lefts.get(l) {
                match twin {
                    None => {
                        out.push(Item::Left(*at));
                        l += 1;
                        continue;
                    }
                    Some(twin) if done.get(*twin).copied().unwrap_or(true) => l += 1,
                    Some(_) => {}
                }
            }
            if r < rights.len() {
                done[r] = true;
                out.push(self.merged(r));
                if next_shared == Some(r) {
                    next_shared = shared.next();
                }
                r += 1;
            }
        }
        out
    }

    fn merged(&self, right: usize) -> Item {
        let (value, twin) = self.rights[right];
        let Some(Twin::Once(place)) = twin else {
            return Item::New(value.clone());
        };
        let (left, at, _) = self.lefts[place];
        match merge(self.schema, self.item, left, value) {
            Merged::Left => Item::Left(at),
            Merged::New(value) => Item::New(value),
        }
    }
}
