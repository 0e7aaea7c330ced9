//! Copies trees, and takes the annotations off them.

use starlark::values::{Heap, Value};

use crate::node::Fragment;
use crate::run::Budget;

/// A tree of its own with the same items.
pub(super) fn copy<'v>(
    value: Value<'v>,
    heap: &'v Heap,
    budget: &Budget<'_>,
    depth: usize,
) -> starlark::Result<Value<'v>> {
    budget.nodes(1)?;
    budget.depth(depth)?;
    let Some(fragment) = Fragment::of(value) else {
        return Ok(value);
    };
    let mut items = fragment.items().clone();
    for item in &mut items {
        item.value = copy(item.value, heap, budget, depth + 1)?;
    }
    Ok(Fragment::alloc(heap, fragment.shape, items))
}

/// Takes all annotations of overlays off a tree.
pub(super) fn strip(value: Value<'_>, budget: &Budget<'_>, depth: usize) -> starlark::Result<()> {
    budget.nodes(1)?;
    budget.depth(depth)?;
    let Some(fragment) = Fragment::of(value) else {
        return Ok(());
    };
    let values = fragment.change(|items| {
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            item.annotations
                .retain(|annotation| !annotation.name.starts_with("overlay/"));
            values.push(item.value);
        }
        values
    });
    for value in values {
        strip(value, budget, depth + 1)?;
    }
    Ok(())
}
