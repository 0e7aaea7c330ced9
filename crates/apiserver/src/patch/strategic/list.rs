//! Lists: merged by a key or as sets, and the order that comes out.
//!
//! The order of the patch holds among what it names, the order of the document among the rest, and
//! the rest is put before what followed it in the document.

use std::slice::Iter;

use serde_json::{Map, Value};

use super::fault::{Fault, go_list, go_type};
use super::places::Places;
use super::{DIRECTIVE, Meta, merge_map, remove_directives};
use crate::schema::Field;

/// An order that is no order.
pub(super) const BAD_ORDER: Fault =
    Fault::BadRequest("invalid patch format of setElementOrder list");

/// Merges two lists of one field.
///
/// With `delete`, the patch names what goes away (`$deleteFromPrimitiveList`).
pub(super) fn merge(
    original: Vec<Value>,
    patch: Vec<Value>,
    field: &Field,
    item: Meta<'_>,
    delete: bool,
) -> Result<Vec<Value>, Fault> {
    if !field.patch.merge && !delete {
        return Ok(patch);
    }
    if original.is_empty() && patch.is_empty() {
        return Ok(original);
    }
    let of_maps = are_maps(&original, &patch)?;
    match (of_maps, field.patch.key.as_deref()) {
        (false, _) if delete => {
            let gone = Places::of(patch.iter());
            let mut kept = original;
            kept.retain(|value| gone.find(value).is_none());
            Ok(kept)
        }
        (false, _) => merge_set(original, patch),
        (true, None) => Err(Fault::Other(format!(
            "cannot merge lists without merge key for {}",
            item.kind()
        ))),
        (true, Some(key)) => merge_keyed(original, patch, key, item),
    }
}

/// Merges a list for which the patch has an order; none where neither has the list.
pub(super) fn merge_ordered(
    original: Option<Vec<Value>>,
    patch: Option<Vec<Value>>,
    order: &[Value],
    field: &Field,
    item: Meta<'_>,
) -> Result<Option<Vec<Value>>, Fault> {
    let key = field.patch.key.as_deref();
    let none = Vec::new();
    check_order(patch.as_ref().unwrap_or(&none), order, key)?;
    if original.is_none() && patch.is_none() {
        return Ok(None);
    }
    let of_maps = {
        let original = original.as_ref().unwrap_or(&none);
        let patch = patch.as_ref().unwrap_or(&none);
        // Upstream asks only after the merge, but fails by the same message there.
        if original.is_empty() && patch.is_empty() {
            let why = "no elements in any of the given slices";
            return Err(Fault::Other(why.to_owned()));
        }
        are_maps(original, patch)?
    };
    let live = match (key, &original, &patch) {
        (Some(key), Some(original), Some(patch)) if of_maps && field.patch.merge => {
            order_after(original, patch, key)
        }
        _ => Places::of_items(original.iter().flatten(), key.filter(|_| of_maps)),
    };
    // Upstream sorts maps by a key without a name here, and fails where there is anything to sort.
    let keyless = of_maps && key.is_none();
    let first = original.iter().flatten().next().filter(|_| keyless);
    let first = first.cloned();
    let merged = match (original, patch) {
        (Some(original), Some(patch)) => merge(original, patch, field, item, false)?,
        (Some(original), None) => original,
        (None, patch) => {
            let mut patch = patch.unwrap_or_default();
            patch.retain_mut(remove_directives);
            patch
        }
    };
    let sorted = first.iter().chain(&merged).chain(order);
    if keyless && let Some(item) = sorted.into_iter().next() {
        let item = item.as_object().ok_or_else(|| Fault::no_map(item))?;
        return Err(Fault::no_merge_key(item, ""));
    }
    let wanted = match key {
        None => Places::of(order.iter()),
        Some(key) => {
            if let (Some(place), false) =
                (order.iter().position(|v| !v.is_object()), merged.is_empty())
            {
                return Err(Fault::Other(format!("value for key {place} is not a map")));
            }
            if let Some(item) = order
                .iter()
                .filter_map(Value::as_object)
                .find(|i| !i.contains_key(key))
            {
                return Err(Fault::no_merge_key(item, key));
            }
            Places::of_items(order.iter(), Some(key))
        }
    };
    ordered(merged, &wanted, &live, key).map(Some)
}

/// The order of the document that the rest of an ordered list is put into.
///
/// Upstream deletes in place: the new items that fit where deleted ones were count as part of the
/// document, and its tests expect that.
fn order_after(original: &[Value], patch: &[Value], key: &str) -> Places {
    let directive = |item: &&Value, word| item.get(DIRECTIVE).is_some_and(|found| found == word);
    let gone = patch.iter().filter(|item| directive(item, "delete"));
    let gone = Places::of_items(gone, Some(key));
    let kept = original.iter().filter(|item| match item.get(key) {
        Some(value) => gone.find(value).is_none(),
        None => true,
    });
    let mut live = Places::of_items(kept, Some(key));
    let mut free = original.len() - live.len();
    if patch.iter().any(|item| directive(&item, "replace")) {
        free = 0;
    }
    let new = patch.iter().filter(|item| item.get(DIRECTIVE).is_none());
    for value in new.filter_map(|item| item.get(key)) {
        if free > 0 && live.add_new(value) {
            free -= 1;
        }
    }
    live
}

/// Checks that the items of the patch stand in the order, one after the other.
fn check_order(patch: &[Value], order: &[Value], key: Option<&str>) -> Result<(), Fault> {
    if patch.is_empty() || order.is_empty() {
        return Ok(());
    }
    let mut rest = order.iter();
    for item in patch {
        let found = match key {
            None => rest.by_ref().any(|wanted| wanted == item),
            Some(key) => {
                let map = item.as_object().ok_or_else(|| Fault::no_map(item))?;
                match map.get(DIRECTIVE) {
                    Some(directive) if directive == "delete" => true,
                    Some(_) => !rest.as_slice().is_empty(),
                    None => pass(map, &mut rest, key)?,
                }
            }
        };
        if found {
            continue;
        }
        let (patch, order) = (go_list(patch), go_list(order));
        return Err(Fault::Other(format!(
            "The order in patch list:\n{patch}\n doesn't match $setElementOrder list:\n{order}\n"
        )));
    }
    Ok(())
}

/// Goes on in an order behind the item with the same key; false where there is none.
fn pass(item: &Map<String, Value>, rest: &mut Iter<'_, Value>, key: &str) -> Result<bool, Fault> {
    for wanted in rest {
        let wanted = wanted.as_object().ok_or_else(|| Fault::no_map(wanted))?;
        let value = item
            .get(key)
            .ok_or_else(|| Fault::no_merge_key(item, key))?;
        let other = wanted.get(key);
        if value == other.ok_or_else(|| Fault::no_merge_key(wanted, key))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether both lists hold maps; they have to hold one type, and no lists.
fn are_maps(original: &[Value], patch: &[Value]) -> Result<bool, Fault> {
    let mut all = original.iter().chain(patch);
    let Some(first) = all.next() else {
        return Ok(false);
    };
    if first.is_array() {
        return Err(Fault::ListOfLists);
    }
    // Upstream falls over a `null` here, which is a 500, too.
    let ty = go_type(first);
    if first.is_null() || all.any(|item| go_type(item) != ty) {
        return Err(Fault::Other(format!(
            "list element types are not identical: [{} {}]",
            go_list(original),
            go_list(patch)
        )));
    }
    Ok(first.is_object())
}

/// Merges two sets of single values.
fn merge_set(original: Vec<Value>, patch: Vec<Value>) -> Result<Vec<Value>, Fault> {
    let wanted = Places::of(patch.iter());
    let live = Places::of(original.iter());
    let mut seen = Places::default();
    let mut all = original;
    all.extend(patch);
    all.retain(|value| seen.add_new(value));
    ordered(all, &wanted, &live, None)
}

/// Merges two lists of maps by a field of theirs.
fn merge_keyed(
    mut original: Vec<Value>,
    patch: Vec<Value>,
    key: &str,
    item: Meta<'_>,
) -> Result<Vec<Value>, Fault> {
    let mut changes = Vec::with_capacity(patch.len());
    let mut gone = Vec::new();
    let mut replace = false;
    for change in patch {
        let Value::Object(map) = change else {
            return Err(Fault::no_map(&change));
        };
        match map.get(DIRECTIVE) {
            None => changes.push(map),
            Some(Value::String(directive)) if directive == "delete" => match map.get(key) {
                Some(value) => gone.push(value.clone()),
                None => return Err(Fault::no_merge_key(&map, key)),
            },
            Some(Value::String(directive)) if directive == "replace" => replace = true,
            Some(Value::String(directive)) if directive == "merge" => {
                let why = "merging lists cannot yet be specified in the patch";
                return Err(Fault::Other(why.to_owned()));
            }
            Some(directive) => return Err(Fault::bad_patch_type(directive, &map)),
        }
    }
    if replace {
        if let Some(item) = changes.iter().find(|item| !item.contains_key(key)) {
            return Err(Fault::no_merge_key(item, key));
        }
        return Ok(changes.into_iter().map(Value::Object).collect());
    }
    if !gone.is_empty() {
        let gone = Places::of(gone.iter());
        original.retain(|item| item.get(key).is_none_or(|value| gone.find(value).is_none()));
    }
    let mut live = Places::of_items(original.iter(), Some(key));
    let known = live.clone();
    let mut wanted = Places::default();
    for change in changes {
        let Some(value) = change.get(key) else {
            return Err(Fault::no_merge_key(&change, key));
        };
        wanted.add(value);
        if let Some(place) = live.find(value) {
            if let Some(Value::Object(current)) = original.get_mut(place) {
                merge_map(current, change, item)?;
            }
        } else {
            live.add(value);
            original.push(Value::Object(change));
        }
    }
    ordered(original, &wanted, &known, Some(key))
}

/// Puts items into the order that is wanted, and the rest into that of the document.
fn ordered(
    items: Vec<Value>,
    wanted: &Places,
    live: &Places,
    key: Option<&str>,
) -> Result<Vec<Value>, Fault> {
    let (mut patched, mut rest) = (Vec::new(), Vec::new());
    for item in items {
        let value = match key {
            None => Some(&item),
            Some(key) => {
                let map = item.as_object().ok_or_else(|| Fault::no_map(&item))?;
                let value = map.get(key);
                Some(value.ok_or_else(|| Fault::no_merge_key(map, key))?)
            }
        };
        let place = value.and_then(|value| live.find(value));
        match value.and_then(|value| wanted.find(value)) {
            Some(order) => patched.push((order, (item, place))),
            None => rest.push((item, place)),
        }
    }
    patched.sort_by_key(|(order, _)| *order);
    sort_by_place(&mut rest);
    let patched = patched.into_iter().map(|(_, item)| item).collect();
    Ok(interleave(rest, patched))
}

/// Sorts by the place in the document. What is not there moves to the front past all that was
/// before it, which is what upstream's comparison does in a short list.
fn sort_by_place(items: &mut [(Value, Option<usize>)]) {
    const SHORT: usize = 20;
    if items.len() > SHORT || items.iter().all(|(_, place)| place.is_some()) {
        items.sort_by_key(|(_, place)| *place);
        return;
    }
    for end in 1..items.len() {
        for place in (1..=end).rev() {
            let before = match (items[place].1, items[place - 1].1) {
                (Some(left), Some(right)) => left < right,
                _ => true,
            };
            if !before {
                break;
            }
            items.swap(place, place - 1);
        }
    }
}

/// Puts the rest before those patched items that it preceded in the document.
fn interleave(
    rest: Vec<(Value, Option<usize>)>,
    patched: Vec<(Value, Option<usize>)>,
) -> Vec<Value> {
    let mut merged = Vec::with_capacity(rest.len() + patched.len());
    let mut rest = rest.into_iter().peekable();
    for (item, place) in patched {
        while let Some((first, _)) = rest.next_if(
            |(_, left)| matches!((*left, place), (Some(left), Some(right)) if left < right),
        ) {
            merged.push(first);
        }
        merged.push(item);
    }
    merged.extend(rest.map(|(item, _)| item));
    merged
}
