//! Shipments that wait for each other in a circle: none of them would ever begin. Pure.

use std::collections::{BTreeMap, VecDeque};

use crate::board::Key;

/// The shortest way along the dependencies from a Shipment back to itself, with it at both ends.
pub(super) fn circle(key: &Key, needs: &dyn Fn(&Key) -> Vec<Key>) -> Option<Vec<Key>> {
    let mut came_from: BTreeMap<Key, Key> = BTreeMap::new();
    let mut next = VecDeque::from([key.clone()]);
    while let Some(at) = next.pop_front() {
        for needed in needs(&at) {
            if needed == *key {
                return Some(way(key, &at, &came_from));
            }
            if !came_from.contains_key(&needed) {
                came_from.insert(needed.clone(), at.clone());
                next.push_back(needed);
            }
        }
    }
    None
}

/// The way to the last one before the circle closes, and the first one again.
fn way(key: &Key, last: &Key, came_from: &BTreeMap<Key, Key>) -> Vec<Key> {
    let mut way = vec![key.clone()];
    let mut at = Some(last);
    while let Some(here) = at.filter(|here| *here != key) {
        way.push(here.clone());
        at = came_from.get(here);
    }
    way.push(key.clone());
    way.reverse();
    way
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `needs` is `from: to to, …`; tells the way from `a`.
    #[track_caller]
    fn check(needs: &str, expected: &str) {
        let needs: BTreeMap<Key, Vec<Key>> = needs
            .split(", ")
            .filter_map(|one| one.split_once(": "))
            .map(|(from, to)| {
                let to = to.split(' ').map(|to| Key::new("shop", to));
                (Key::new("shop", from), to.collect())
            })
            .collect();
        let of = |key: &Key| needs.get(key).cloned().unwrap_or_default();
        let way = circle(&Key::new("shop", "a"), &of).unwrap_or_default();
        let names: Vec<String> = way.into_iter().map(|key| key.name).collect();
        assert_eq!(names.join(" "), expected);
    }

    #[test]
    fn a_circle_is_found_however_long_it_is() {
        check("a: a", "a a");
        check("a: b, b: a", "a b a");
        check("a: x b, b: c, c: d a, d: a", "a b c a");
    }

    #[test]
    fn what_only_leads_to_a_circle_is_in_none() {
        check("a: b, b: c", "");
        check("a: b, b: c, c: b", "");
    }
}
