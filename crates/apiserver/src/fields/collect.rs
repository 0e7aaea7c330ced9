//! The set of what a value holds: its leaves, atomic parts and items.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::atom::{self, Atom, Fields, List, Ty};
use super::element::Element;
use super::set::Set;
use crate::schema::{ListKind, Schema};

/// The set of a valid value's fields. Items that cannot be told apart are passed over.
pub(super) fn fields(schema: &Schema, ty: Ty, value: &Value) -> Set {
    let mut set = Set::default();
    collect(schema, ty, value, &mut set);
    set
}

/// Collects what is below a value, and says whether the value itself is a leaf.
fn collect(schema: &Schema, ty: Ty, value: &Value, set: &mut Set) -> bool {
    match atom::resolve(schema, ty, Some(value)) {
        Atom::Scalar(_) => true,
        Atom::List(list) => {
            if *list.kind == ListKind::Atomic {
                return true;
            }
            if let Value::Array(items) = value {
                collect_items(schema, list, items, set);
            }
            false
        }
        Atom::Map(fields) => {
            if fields.atomic {
                return true;
            }
            if let Value::Object(map) = value {
                collect_entries(schema, fields, map, set);
            }
            false
        }
    }
}

fn collect_entries(schema: &Schema, fields: Fields<'_>, map: &Map<String, Value>, set: &mut Set) {
    for (key, value) in map {
        let (ty, named) = fields.field(key).unwrap_or((Ty::Deduced, false));
        let mut below = Set::default();
        let leaf = collect(schema, ty, value, &mut below);
        let bare = match value {
            Value::Null => true,
            Value::Object(map) => map.is_empty(),
            _ => false,
        };
        let member = leaf || bare || !named;
        if !member && below.is_empty() {
            continue;
        }
        // Maps are sorted as sets are, so that pushing keeps the order.
        let element = Element::field(key);
        if !below.is_empty() {
            set.children.push((element.clone(), below));
        }
        if member {
            set.members.push(element);
        }
    }
}

/// An item that is there several times is owned as a whole, with all its twins.
fn collect_items(schema: &Schema, list: List<'_>, items: &[Value], set: &mut Set) {
    let mut found: Vec<(Element, &Value)> = Vec::with_capacity(items.len());
    for item in items {
        if let Ok(element) = atom::identify(schema, list, item) {
            found.push((element, item));
        }
    }
    found.sort_by(|(left, _), (right, _)| left.cmp(right));
    let twice: BTreeSet<usize> = (1..found.len())
        .filter(|at| found[at - 1].0 == found[*at].0)
        .flat_map(|at| [at - 1, at])
        .collect();
    for (at, (element, item)) in found.into_iter().enumerate() {
        if twice.contains(&at) {
            if set.members.last() != Some(&element) {
                set.members.push(element);
            }
            continue;
        }
        let mut below = Set::default();
        collect(schema, list.item, item, &mut below);
        if !below.is_empty() {
            set.children.push((element.clone(), below));
        }
        set.members.push(element);
    }
}

/// A set with the named fields in it that its fields stand in: not items, nor keys of maps.
pub(super) fn with_named(schema: &Schema, ty: Ty, set: &Set) -> Set {
    let fields = match atom::resolve(schema, ty, None) {
        Atom::Map(fields) => Some(fields),
        _ => None,
    };
    let mut all = Set {
        members: set.members.clone(),
        children: Vec::with_capacity(set.children.len()),
    };
    for (element, below) in &set.children {
        let ty = match (element, &fields) {
            (Element::Field(name), Some(fields)) => {
                let field = fields.field(name);
                if field.is_some_and(|(_, named)| named) {
                    all.members.push(element.clone());
                }
                field.map(|(ty, _)| ty)
            }
            (Element::Key(_), _) => item_of(schema, ty),
            _ => None,
        };
        let below = match ty {
            Some(ty) => with_named(schema, ty, below),
            None => below.clone(),
        };
        all.children.push((element.clone(), below));
    }
    all.settle();
    all
}

/// Whether each item and each key of a map below which the set has fields is in the set itself.
pub(super) fn owns_its_items(schema: &Schema, ty: Ty, set: &Set) -> bool {
    let fields = match atom::resolve(schema, ty, None) {
        Atom::Map(fields) => Some(fields),
        _ => None,
    };
    set.children.iter().all(|(element, below)| {
        let (ty, named) = match (element, &fields) {
            (Element::Field(name), Some(fields)) => match fields.field(name) {
                Some((ty, named)) => (Some(ty), named),
                None => (None, false),
            },
            (Element::Key(_), _) => (item_of(schema, ty), false),
            _ => (None, false),
        };
        (named || set.has_member(element))
            && match ty {
                Some(ty) => owns_its_items(schema, ty, below),
                None => below.children.is_empty(),
            }
    })
}

/// The type of a list's items; where the value decides, items are not told apart.
pub(super) fn item_of(schema: &Schema, ty: Ty) -> Option<Ty> {
    match atom::resolve(schema, ty, None) {
        Atom::List(list) => Some(list.item),
        _ => None,
    }
}
