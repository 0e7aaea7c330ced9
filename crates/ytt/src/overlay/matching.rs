//! Which items of the left side an overlay's item is about.

use starlark::eval::Evaluator;
use starlark::values::Value;

use crate::node::{Fragment, Item, Shape, failure};
use crate::overlay::MATCH;
use crate::overlay::compare::by_key;
use crate::overlay::expect::{Expect, Verdict};

/// The indexes of the items that match; none at all where the item is to be passed over.
pub(super) fn matching<'v>(
    left: &Fragment<'v>,
    item: &Item<'v>,
    defaults: Expect<'v>,
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<Option<Vec<usize>>> {
    let annotation = item.annotation(MATCH);
    let mut by = None;
    let mut own = Expect::default();
    for (name, value) in annotation
        .into_iter()
        .flat_map(|annotation| &annotation.keywords)
    {
        if name == "by" {
            by = Some(*value);
        } else if !own.take(name, *value) {
            return Err(failure(format!(
                "Unknown 'overlay/match' annotation keyword argument '{name}'"
            )));
        }
    }
    if left.shape == Shape::Array && annotation.is_none() {
        return Ok(Some(Vec::new()));
    }
    let items: Vec<Item<'v>> = left.items().clone();
    let mut found = Vec::new();
    let mut lines = Vec::new();
    for (index, candidate) in items.iter().enumerate() {
        if matches(left.shape, by, (index, candidate), item, eval)? {
            found.push(index);
            lines.push(candidate.line);
        }
    }
    if by.is_none() && left.shape != Shape::Map {
        return Err(failure(
            "Expected 'overlay/match' annotation keyword argument 'by' to be specified",
        ));
    }
    match own.or(defaults).check(&lines, eval)? {
        Verdict::Right => Ok(Some(found)),
        Verdict::Skip => Ok(None),
        Verdict::Wrong(message) => Err(failure(message)),
    }
}

fn matches<'v>(
    shape: Shape,
    by: Option<Value<'v>>,
    (index, candidate): (usize, &Item<'v>),
    item: &Item<'v>,
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<bool> {
    let Some(by) = by else {
        return if shape == Shape::Map {
            candidate.key.equals(item.key)
        } else {
            Ok(false)
        };
    };
    let heap = eval.heap();
    if let Some(key) = by.unpack_str() {
        if shape == Shape::Documents {
            return Err(failure(
                "Expected 'overlay/match' annotation keyword argument 'by' of a document \
                 to be function, but was string",
            ));
        }
        return by_key(key, candidate.value, item.value, heap);
    }
    let position = match shape {
        Shape::Map => candidate.key,
        _ => heap.alloc(i32::try_from(index).unwrap_or(i32::MAX)),
    };
    let arguments = [position, candidate.value, item.value];
    let verdict = eval.eval_function(by, &arguments, &[])?;
    verdict.unpack_bool().ok_or_else(|| {
        let kind = verdict.get_type();
        failure(format!(
            "Expected the matcher to return a bool, but was {kind}"
        ))
    })
}
