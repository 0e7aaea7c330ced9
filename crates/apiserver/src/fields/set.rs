//! Sets of fields: tries of path elements, each level sorted.
//!
//! A field is in a set or not; that a field below it is in the set says nothing about itself.

use std::cmp::Ordering;
use std::fmt;

use super::element::Element;

/// A set of fields.
///
/// # Guarantees
/// Both lists are sorted and hold no element twice; no child is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set {
    pub(super) members: Vec<Element>,
    pub(super) children: Vec<(Element, Set)>,
}

impl Set {
    /// A set of these paths.
    pub(crate) fn of<'a>(paths: impl IntoIterator<Item = &'a [Element]>) -> Self {
        let mut set = Self::default();
        for path in paths {
            set.insert(path);
        }
        set
    }

    /// A set of these paths, each the names of fields with dots between them.
    pub(crate) fn of_fields(paths: &[&str]) -> Self {
        let mut set = Self::default();
        for path in paths {
            let path: Vec<Element> = path.split('.').map(Element::field).collect();
            set.insert(&path);
        }
        set
    }

    /// Adds a field, without the fields that it stands in. The empty path is nobody's.
    pub(crate) fn insert(&mut self, path: &[Element]) {
        match path {
            [] => {}
            [last] => self.insert_member(last.clone()),
            [first, rest @ ..] => self.child_mut(first).insert(rest),
        }
    }

    pub(super) fn insert_member(&mut self, element: Element) {
        match self.members.last() {
            Some(last) if *last >= element => {
                if let Err(at) = self.members.binary_search(&element) {
                    self.members.insert(at, element);
                }
            }
            _ => self.members.push(element),
        }
    }

    fn child_mut(&mut self, element: &Element) -> &mut Self {
        let at = self
            .children
            .binary_search_by(|(child, _)| child.cmp(element));
        let at = match at {
            Ok(at) => at,
            Err(at) => {
                self.children.insert(at, (element.clone(), Self::default()));
                at
            }
        };
        &mut self.children[at].1
    }

    /// Sorts what was pushed in any order, and joins what is there twice.
    pub(super) fn settle(&mut self) {
        if !self.members.is_sorted_by(|left, right| left < right) {
            self.members.sort();
            self.members.dedup();
        }
        if !self
            .children
            .is_sorted_by(|(left, _), (right, _)| left < right)
        {
            self.children
                .sort_by(|(left, _), (right, _)| left.cmp(right));
            let mut joined: Vec<(Element, Self)> = Vec::with_capacity(self.children.len());
            for (element, set) in self.children.drain(..) {
                match joined.last_mut() {
                    Some((last, before)) if *last == element => before.extend(&set),
                    _ => joined.push((element, set)),
                }
            }
            self.children = joined;
        }
    }

    /// Whether no field is in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.children.is_empty()
    }

    /// Whether a field is in it.
    pub(crate) fn has(&self, path: &[Element]) -> bool {
        match path {
            [] => false,
            [last] => self.has_member(last),
            [first, rest @ ..] => self.child(first).is_some_and(|set| set.has(rest)),
        }
    }

    pub(super) fn has_member(&self, element: &Element) -> bool {
        self.members.binary_search(element).is_ok()
    }

    pub(super) fn child(&self, element: &Element) -> Option<&Self> {
        let at = self
            .children
            .binary_search_by(|(child, _)| child.cmp(element));
        at.ok().map(|at| &self.children[at].1)
    }

    /// What is in either.
    #[must_use]
    pub(crate) fn union(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.extend(other);
        both
    }

    /// Adds all of another set.
    pub(crate) fn extend(&mut self, other: &Self) {
        if self.is_empty() {
            self.clone_from(other);
            return;
        }
        if !other.members.is_empty() {
            let mine = std::mem::take(&mut self.members);
            self.members = merge_members(mine, &other.members);
        }
        if !other.children.is_empty() {
            let mine = std::mem::take(&mut self.children);
            self.children = merge_children(mine, &other.children);
        }
    }

    /// What is in both.
    #[must_use]
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        let mut both = Self::default();
        let mut rights = other.members.iter().peekable();
        for left in &self.members {
            if catch_up(&mut rights, |right| right.cmp(left)).is_some() {
                both.members.push(left.clone());
            }
        }
        let mut rights = other.children.iter().peekable();
        for (left, set) in &self.children {
            if let Some((_, right)) = catch_up(&mut rights, |(right, _)| right.cmp(left)) {
                let set = set.intersection(right);
                if !set.is_empty() {
                    both.children.push((left.clone(), set));
                }
            }
        }
        both
    }

    /// What is in this set and not in the other. Fields below a field of the other set stay.
    #[must_use]
    pub(crate) fn difference(&self, other: &Self) -> Self {
        let mut rest = Self {
            members: self.members_without(other),
            children: Vec::new(),
        };
        let mut rights = other.children.iter().peekable();
        for (left, set) in &self.children {
            match catch_up(&mut rights, |(right, _)| right.cmp(left)) {
                None => rest.children.push((left.clone(), set.clone())),
                Some((_, right)) => {
                    let set = set.difference(right);
                    if !set.is_empty() {
                        rest.children.push((left.clone(), set));
                    }
                }
            }
        }
        rest
    }

    /// What is in this set and neither in the other nor below a field of the other.
    #[must_use]
    pub(crate) fn recursive_difference(&self, other: &Self) -> Self {
        let mut rest = Self {
            members: self.members_without(other),
            children: Vec::new(),
        };
        let mut rights = other.children.iter().peekable();
        for (left, set) in &self.children {
            let right = catch_up(&mut rights, |(right, _)| right.cmp(left));
            if other.has_member(left) {
                continue;
            }
            match right {
                None => rest.children.push((left.clone(), set.clone())),
                Some((_, right)) => {
                    let set = set.recursive_difference(right);
                    if !set.is_empty() {
                        rest.children.push((left.clone(), set));
                    }
                }
            }
        }
        rest
    }

    fn members_without(&self, other: &Self) -> Vec<Element> {
        let mut rights = other.members.iter().peekable();
        let keep = |left: &&Element| catch_up(&mut rights, |right| right.cmp(left)).is_none();
        self.members.iter().filter(keep).cloned().collect()
    }

    /// Whether all fields of this set are in the other.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        let mut rights = other.members.iter().peekable();
        let mut members = self.members.iter();
        if !members.all(|left| catch_up(&mut rights, |right| right.cmp(left)).is_some()) {
            return false;
        }
        let mut rights = other.children.iter().peekable();
        self.children.iter().all(|(left, set)| {
            catch_up(&mut rights, |(right, _)| right.cmp(left))
                .is_some_and(|(_, right)| set.is_within(right))
        })
    }

    /// Calls for each field: those of a level before those below them.
    pub(crate) fn each(&self, mut visit: impl FnMut(&[Element])) {
        self.each_below(&mut Vec::new(), &mut visit);
    }

    fn each_below(&self, path: &mut Vec<Element>, visit: &mut impl FnMut(&[Element])) {
        for member in &self.members {
            path.push(member.clone());
            visit(path);
            path.pop();
        }
        for (element, set) in &self.children {
            path.push(element.clone());
            set.each_below(path, visit);
            path.pop();
        }
    }
}

/// Moves on to the item that equals what is looked for, over those that are smaller.
fn catch_up<'a, T>(
    items: &mut std::iter::Peekable<std::slice::Iter<'a, T>>,
    compare: impl Fn(&T) -> Ordering,
) -> Option<&'a T> {
    while let Some(item) = items.peek() {
        match compare(item) {
            Ordering::Less => {
                items.next();
            }
            Ordering::Equal => return items.next(),
            Ordering::Greater => return None,
        }
    }
    None
}

fn merge_members(left: Vec<Element>, right: &[Element]) -> Vec<Element> {
    let mut both = Vec::with_capacity(left.len() + right.len());
    let mut rights = right.iter().peekable();
    for left in left {
        while let Some(right) = rights.next_if(|right| **right < left) {
            both.push(right.clone());
        }
        rights.next_if(|right| **right == left);
        both.push(left);
    }
    both.extend(rights.cloned());
    both
}

fn merge_children(left: Vec<(Element, Set)>, right: &[(Element, Set)]) -> Vec<(Element, Set)> {
    let mut both = Vec::with_capacity(left.len() + right.len());
    let mut rights = right.iter().peekable();
    for (element, mut set) in left {
        while let Some(right) = rights.next_if(|(right, _)| *right < element) {
            both.push(right.clone());
        }
        if let Some((_, right)) = rights.next_if(|(right, _)| *right == element) {
            set.extend(right);
        }
        both.push((element, set));
    }
    both.extend(rights.cloned());
    both
}

/// A path as messages write it (`.spec.containers[name="web"].image`).
pub(crate) struct PathText<'a>(pub(crate) &'a [Element]);

impl fmt::Display for PathText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|element| element.fmt(f))
    }
}

/// One path a line.
impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        self.each(|path| lines.push(PathText(path).to_string()));
        f.write_str(&lines.join("\n"))
    }
}
