//! Whether a tree is a part of another.

use starlark::values::{Heap, Value};

use crate::node::{Fragment, Shape, failure, kind_of};
use crate::run::Budget;
use crate::value;

/// Compares trees: a map by the keys that the right one has, an array by its first items. The text
/// says what differs.
pub(crate) fn subset<'v>(
    left: Value<'v>,
    right: Value<'v>,
    heap: &'v Heap,
    budget: &Budget<'_>,
) -> starlark::Result<Result<(), &'static str>> {
    let tree = |value: Value<'v>| match Fragment::of(value) {
        Some(_) => Ok(value),
        None => value::to_node(value, heap, budget),
    };
    compare(tree(left)?, tree(right)?, budget, 0)
}

fn compare<'v>(
    left: Value<'v>,
    right: Value<'v>,
    budget: &Budget<'_>,
    depth: usize,
) -> starlark::Result<Result<(), &'static str>> {
    budget.nodes(1)?;
    budget.depth(depth)?;
    let Some(right) = Fragment::of(right) else {
        if Fragment::of(left).is_some() || !left.equals(right)? {
            return Ok(Err("Expected leaf values to match"));
        }
        return Ok(Ok(()));
    };
    let Some(left) = Fragment::of(left).filter(|left| left.shape == right.shape) else {
        return Ok(Err(match right.shape {
            Shape::Map => "Expected map, but was something else",
            _ => "Expected array, but was something else",
        }));
    };
    for (index, wanted) in right.items().iter().enumerate() {
        let items = left.items();
        let found = match right.shape {
            Shape::Map => {
                let mut found = None;
                for item in items.iter() {
                    if item.key.equals(wanted.key)? {
                        found = Some(item.value);
                        break;
                    }
                }
                found
            }
            _ => items.get(index).map(|item| item.value),
        };
        let Some(found) = found else {
            return Ok(Err(match right.shape {
                Shape::Map => "Expected at least one map item to match by key",
                _ => "Expected to have matching number of array items",
            }));
        };
        if let Err(why) = compare(found, wanted.value, budget, depth + 1)? {
            return Ok(Err(why));
        }
    }
    Ok(Ok(()))
}

/// Compares what two maps have under a key.
pub(crate) fn by_key<'v>(
    key: &str,
    left: Value<'v>,
    right: Value<'v>,
    heap: &'v Heap,
) -> starlark::Result<bool> {
    let (left, right) = (under(key, left, heap)?, under(key, right, heap)?);
    if Fragment::of(left).is_some() || Fragment::of(right).is_some() {
        return Ok(false);
    }
    left.equals(right)
}

fn under<'v>(key: &str, value: Value<'v>, heap: &'v Heap) -> starlark::Result<Value<'v>> {
    let Some(entries) = value::entries(value, heap) else {
        let kind = kind_of(value);
        return Err(failure(format!("Expected value to be map, but was {kind}")));
    };
    let found = entries
        .into_iter()
        .find(|(name, _)| name.unpack_str() == Some(key));
    found.map(|(_, value)| value).ok_or_else(|| {
        failure(format!(
            "Expected to find mapitem with key '{key}', but did not"
        ))
    })
}
