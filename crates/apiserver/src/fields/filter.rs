//! Which fields a resource or subresource lets nobody own, since it resets them.

use super::element::Element;
use super::set::Set;

/// What remains of a set of fields.
#[derive(Clone, Debug)]
pub enum Filter {
    /// All but these fields and what is below them.
    Exclude(Set),
    /// What one of these patterns is the beginning of.
    Include(Vec<Pattern>),
}

/// The beginning of paths: elements, or none for any element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(pub Vec<Option<Element>>);

impl Filter {
    /// What remains of a set.
    pub fn keep(&self, set: &Set) -> Set {
        match self {
            Self::Exclude(fields) => set.recursive_difference(fields),
            Self::Include(patterns) => {
                let patterns: Vec<&[Option<Element>]> = patterns
                    .iter()
                    .map(|pattern| pattern.0.as_slice())
                    .collect();
                include(&patterns, set)
            }
        }
    }
}

/// Fields that stand above the end of a pattern remain too, as upstream has it.
fn include(patterns: &[&[Option<Element>]], set: &Set) -> Set {
    if patterns.iter().any(|pattern| pattern.is_empty()) {
        return set.clone();
    }
    let below = |element: &Element| -> Vec<&[Option<Element>]> {
        let fits = patterns.iter().filter_map(|pattern| match pattern {
            [None, rest @ ..] => Some(rest),
            [Some(first), rest @ ..] if first == element => Some(rest),
            _ => None,
        });
        fits.collect()
    };
    let members = set
        .members
        .iter()
        .filter(|element| !below(element).is_empty());
    let children = set.children.iter().filter_map(|(element, set)| {
        let patterns = below(element);
        if patterns.is_empty() {
            return None;
        }
        let set = include(&patterns, set);
        (!set.is_empty()).then(|| (element.clone(), set))
    });
    Set {
        members: members.cloned().collect(),
        children: children.collect(),
    }
}
