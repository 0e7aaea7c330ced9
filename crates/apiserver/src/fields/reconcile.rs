//! Sets that were written when the type was another one: what has become atomic since is owned as a whole.

use super::atom::{self, Atom, Ty};
use super::element::Element;
use super::set::Set;
use crate::schema::{ListKind, Schema};

/// A set as the type of today would have it; none where nothing has to change. What was atomic and is not
/// any more needs no change: its owner keeps the field itself.
pub(super) fn reconcile(schema: &Schema, ty: Ty, set: &Set) -> Option<Set> {
    let mut walk = Walk {
        schema,
        path: Vec::new(),
        whole: Set::default(),
    };
    walk.visit(ty, Some(set), false);
    if walk.whole.is_empty() {
        return None;
    }
    let mut reconciled = set.recursive_difference(&walk.whole);
    reconciled.extend(&walk.whole);
    Some(reconciled)
}

struct Walk<'s> {
    schema: &'s Schema,
    path: Vec<Element>,
    /// The fields that are owned as a whole from now on.
    whole: Set,
}

impl Walk<'_> {
    /// `leaf` says that the field is owned and nothing below it.
    fn visit(&mut self, ty: Ty, set: Option<&Set>, leaf: bool) {
        match atom::resolve(self.schema, ty, None) {
            Atom::Scalar(_) => {}
            Atom::List(list) => {
                if *list.kind == ListKind::Atomic {
                    if !leaf {
                        self.whole.insert(&self.path);
                    }
                } else if let Some(set) = set {
                    self.below(set, |_| Some(list.item));
                }
            }
            Atom::Map(fields) if fields.is_deduced() => {}
            Atom::Map(fields) => {
                if fields.atomic {
                    if !leaf && set.is_some_and(|set| !set.is_empty()) {
                        self.whole.insert(&self.path);
                    }
                } else if let Some(set) = set {
                    self.below(set, |element| match element {
                        Element::Field(name) => fields.field(name).map(|(ty, _)| ty),
                        _ => None,
                    });
                }
            }
        }
    }

    fn below(&mut self, set: &Set, type_of: impl Fn(&Element) -> Option<Ty>) {
        let nodes = set.children.iter();
        let nodes = nodes.map(|(element, below)| (element, Some(below)));
        let alone = set
            .members
            .iter()
            .filter(|member| set.child(member).is_none());
        for (element, below) in nodes.chain(alone.map(|member| (member, None))) {
            if let Some(ty) = type_of(element) {
                self.path.push(element.clone());
                self.visit(ty, below, below.is_none());
                self.path.pop();
            }
        }
    }
}
