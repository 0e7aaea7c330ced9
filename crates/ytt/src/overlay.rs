//! Overlays: a tree merged into another, as the annotations of its items say.
//!
//! The left tree is changed in place, the items of the right one are copied.

use starlark::eval::Evaluator;
use starlark::values::Value;

use crate::node::{Fragment, Item, Shape, failure, kind_of};
use crate::run::{Said, budget, budget_at};
use crate::value;

pub(crate) mod compare;
mod copy;
mod expect;
mod matching;
mod operation;
mod via;

use copy::{copy, strip};
use expect::Expect;

const MATCH: &str = "overlay/match";

/// Merges a value into another and returns it.
pub(crate) fn apply<'v>(
    left: Value<'v>,
    right: Value<'v>,
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<Value<'v>> {
    let budget = budget(eval)?;
    let heap = eval.heap();
    let tree = |value: Value<'v>| match Fragment::of(value) {
        Some(_) => Ok(value),
        None => value::to_node(value, heap, budget),
    };
    let (left, right) = (tree(left)?, tree(right)?);
    let replaced = merge(left, right, Expect::default(), eval)?;
    let result = if replaced { right } else { left };
    strip(result, budget, 0)?;
    Ok(result)
}

/// Applies documents that say what they match to the others, which are left.
pub(crate) fn between_documents<'v>(
    root: Value<'v>,
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<Value<'v>> {
    let Some(documents) = Fragment::of(root).filter(|root| root.shape == Shape::Documents) else {
        return Ok(root);
    };
    let is_overlay = |item: &Item<'v>| item.annotation(MATCH).is_some();
    if !documents.items().iter().any(is_overlay) {
        return Ok(root);
    }
    let (overlays, others): (Vec<_>, Vec<_>) =
        documents.items().iter().cloned().partition(is_overlay);
    let others = others
        .into_iter()
        .filter(|item| !is_empty(item.value))
        .collect();
    let heap = eval.heap();
    let left = Fragment::alloc(heap, Shape::Documents, others);
    let right = Fragment::alloc(heap, Shape::Documents, overlays);
    merge(left, right, Expect::default(), eval)?;
    Ok(left)
}

fn is_empty(value: Value<'_>) -> bool {
    value.is_none() || Fragment::of(value).is_some_and(|fragment| fragment.items().is_empty())
}

/// Merges a tree into another. Returns whether the right one stands in place of the left one,
/// because it is a scalar.
fn merge<'v>(
    left: Value<'v>,
    right: Value<'v>,
    defaults: Expect<'v>,
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<bool> {
    let Some(right) = Fragment::of(right).filter(|right| right.shape != Shape::Null) else {
        return Ok(true);
    };
    let same = Fragment::of(left).filter(|left| left.shape == right.shape);
    let Some(same) = same else {
        let was = kind_of(left);
        let expected = right.shape.word();
        return Err(failure(format!("Expected {expected}, but was {was}")));
    };
    let items: Vec<Item<'v>> = right.items().clone();
    for item in items {
        let budget = budget(eval)?;
        let item = Item {
            value: copy(item.value, eval.heap(), budget, 0)?,
            ..item
        };
        let (line, key) = (item.line, item.key);
        if right.shape == Shape::Documents {
            budget_at(line, eval)?;
        }
        operation::carry_out(same, item, defaults, eval).map_err(|error| {
            let at = match line {
                0 => String::new(),
                line => format!(" on line {line}"),
            };
            let what = match right.shape {
                Shape::Map => format!("Map item (key {}){at}", value::key_text(key)),
                Shape::Documents => format!("Document{at}"),
                Shape::Array | Shape::Null => format!("Array item{at}"),
            };
            within(error, &what)
        })?;
    }
    Ok(false)
}

/// Says in which item an error of ours occurred; others tell of a line themselves.
fn within(error: starlark::Error, what: &str) -> starlark::Error {
    use starlark::ErrorKind::{Native, Other};
    let said = match error.kind() {
        Other(inner) | Native(inner) => inner.downcast_ref::<Said>().map(|said| said.0.clone()),
        _ => None,
    };
    match said {
        Some(said) if error.span().is_none() => failure(format!("{what}: {said}")),
        _ => error,
    }
}
