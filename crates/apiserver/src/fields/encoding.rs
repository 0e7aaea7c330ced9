//! Sets as `fieldsV1` writes them: an object per level whose keys are elements; `.` marks an element that
//! is in the set and has others below it.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::element::{Element, Malformed};
use super::set::Set;

/// How deep a set may be. Objects are never that deep.
const MAX_DEPTH: usize = 200;

impl Set {
    /// Reads a set. Kinds of elements that are not known are passed over.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub(crate) fn from_value(value: &Value) -> Result<Self, String> {
        Ok(read(value, MAX_DEPTH)?.0)
    }

    /// The set as JSON. `serde_json` sorts keys by their text, so the order of items is not upstream's.
    pub(crate) fn to_value(&self) -> Value {
        Value::Object(self.level(false))
    }

    fn level(&self, own: bool) -> Map<String, Value> {
        let mut map = Map::new();
        if own {
            map.insert(".".to_owned(), Value::Object(Map::new()));
        }
        self.each_key(|element, member, set| {
            let mut key = String::new();
            element.write(&mut key);
            let below = set.map(|set| set.level(member)).unwrap_or_default();
            map.insert(key, Value::Object(below));
        });
        map
    }

    /// Calls for each element of this level, in order: whether it is a member, and what is below it.
    fn each_key(&self, mut visit: impl FnMut(&Element, bool, Option<&Self>)) {
        let mut members = self.members.iter().peekable();
        let mut children = self.children.iter().peekable();
        loop {
            let order = match (members.peek(), children.peek()) {
                (None, None) => return,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(member), Some((child, _))) => (*member).cmp(child),
            };
            let member = members.next_if(|_| order != Ordering::Greater);
            let child = children.next_if(|_| order != Ordering::Less);
            if let Some(element) = member.or_else(|| child.map(|(element, _)| element)) {
                visit(element, member.is_some(), child.map(|(_, set)| set));
            }
        }
    }
}

/// What is below, and whether the element itself is in the set.
fn read(value: &Value, depth: usize) -> Result<(Set, bool), String> {
    let empty = Map::new();
    let map = match value {
        Value::Object(map) => map,
        Value::Null => &empty,
        other => return Err(format!("expect {{ or n, but found {other}")),
    };
    let Some(depth) = depth.checked_sub(1) else {
        return Err("exceeded max depth".to_owned());
    };
    let mut set = Set::default();
    let mut own = false;
    for (key, value) in map {
        if key == "." {
            own = true;
            continue;
        }
        let element = match Element::parse(key) {
            Ok(element) => element,
            Err(Malformed::Unknown) => continue,
            Err(Malformed::Broken(why)) => {
                return Err(format!("parsing key as path element: {why}"));
            }
        };
        let (below, member) = read(value, depth)?;
        if !below.is_empty() {
            set.children.push((element.clone(), below));
        }
        if member {
            set.members.push(element);
        }
    }
    set.settle();
    let own = own || set.is_empty();
    Ok((set, own))
}
