//! What is done with the items that match.

use starlark::eval::Evaluator;
use starlark::values::Value;

use crate::node::{Fragment, Item, Shape, failure};
use crate::overlay::expect::Expect;
use crate::overlay::matching::matching;
use crate::overlay::{merge, via};

const MERGE: &str = "overlay/merge";
const REMOVE: &str = "overlay/remove";
const REPLACE: &str = "overlay/replace";
const INSERT: &str = "overlay/insert";
const APPEND: &str = "overlay/append";
const ASSERT: &str = "overlay/assert";
const DEFAULTS: &str = "overlay/match-child-defaults";

/// Does with an item, which is a copy, what its annotations say.
pub(super) fn carry_out<'v>(
    left: &Fragment<'v>,
    item: Item<'v>,
    defaults: Expect<'v>,
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<()> {
    let operation = operation(&item, left.shape)?;
    if operation == APPEND {
        left.change(|items| items.push(item));
        return Ok(());
    }
    let below = Expect::below(item.annotation(DEFAULTS), defaults)?;
    let Some(found) = matching(left, &item, defaults, eval)? else {
        return Ok(());
    };
    match operation {
        REMOVE => left.change(|items| {
            let mut index = 0;
            items.retain(|_| {
                index += 1;
                !found.contains(&(index - 1))
            });
        }),
        REPLACE => replace(left, &item, &found, eval)?,
        INSERT => insert(left, &item, &found, eval)?,
        ASSERT => {
            let via = named(&item, ASSERT, "via", &["via"])?;
            for index in found {
                let before = value_at(left, index);
                via::assert(via, before, item.value, eval)?;
                merge(before, item.value, below, eval)?;
            }
        }
        _ if found.is_empty() => {
            // Documents that match nothing are not added.
            if left.shape != Shape::Documents {
                left.change(|items| items.push(item));
            }
        }
        _ => {
            for index in found {
                let before = value_at(left, index);
                let replaces = before.is_none() || merge(before, item.value, below, eval)?;
                if replaces {
                    set(left, index, item.value);
                }
            }
        }
    }
    Ok(())
}

fn operation(item: &Item<'_>, shape: Shape) -> starlark::Result<&'static str> {
    let mut found = None;
    for name in [MERGE, REMOVE, REPLACE, INSERT, APPEND, ASSERT] {
        if item.annotation(name).is_some() {
            if found.is_some() {
                return Err(failure("Expected to find only one overlay operation"));
            }
            found = Some(name);
        }
    }
    let operation = found.unwrap_or(MERGE);
    if shape == Shape::Map && matches!(operation, INSERT | APPEND) {
        return Err(failure(format!(
            "Overlay op {operation} is not supported on map item"
        )));
    }
    Ok(operation)
}

fn named<'v>(
    item: &Item<'v>,
    annotation: &str,
    keyword: &str,
    known: &[&str],
) -> starlark::Result<Option<Value<'v>>> {
    match item.annotation(annotation) {
        Some(annotation) => via::keyword(annotation, keyword, known),
        None => Ok(None),
    }
}

fn value_at<'v>(left: &Fragment<'v>, index: usize) -> Value<'v> {
    left.items()
        .get(index)
        .map_or_else(Value::new_none, |item| item.value)
}

fn set<'v>(left: &Fragment<'v>, index: usize, value: Value<'v>) {
    left.change(|items| {
        if let Some(item) = items.get_mut(index) {
            item.value = value;
        }
    });
}

fn replace<'v>(
    left: &Fragment<'v>,
    item: &Item<'v>,
    found: &[usize],
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<()> {
    const KNOWN: [&str; 2] = ["via", "or_add"];
    let via = named(item, REPLACE, "via", &KNOWN)?;
    let or_add = named(item, REPLACE, "or_add", &KNOWN)?;
    for index in found {
        let value = via::value(via, value_at(left, *index), item.value, eval)?;
        let new = Item {
            value,
            ..item.clone()
        };
        left.change(|items| {
            if let Some(slot) = items.get_mut(*index) {
                *slot = new;
            }
        });
    }
    if found.is_empty() && or_add.and_then(Value::unpack_bool) == Some(true) {
        let value = via::value(via, Value::new_none(), item.value, eval)?;
        let new = Item {
            value,
            ..item.clone()
        };
        left.change(|items| items.push(new));
    }
    Ok(())
}

fn insert<'v>(
    left: &Fragment<'v>,
    item: &Item<'v>,
    found: &[usize],
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<()> {
    const KNOWN: [&str; 3] = ["before", "after", "via"];
    let is_set = |keyword| -> starlark::Result<bool> {
        Ok(named(item, INSERT, keyword, &KNOWN)?.and_then(Value::unpack_bool) == Some(true))
    };
    let (before, after) = (is_set("before")?, is_set("after")?);
    if !before && !after {
        return Err(failure(
            "Expected 'overlay/insert' annotation to have at least one keyword argument \
             (before=..., after=...)",
        ));
    }
    let via = named(item, INSERT, "via", &KNOWN)?;
    let old: Vec<Item<'v>> = left.items().clone();
    let mut all = Vec::with_capacity(old.len() + 2 * found.len());
    for (index, old) in old.into_iter().enumerate() {
        let matched = found.contains(&index);
        let existing = old.value;
        if matched && before {
            let value = via::value(via, existing, item.value, eval)?;
            all.push(Item {
                value,
                ..item.clone()
            });
        }
        all.push(old);
        if matched && after {
            let value = via::value(via, existing, item.value, eval)?;
            all.push(Item {
                value,
                ..item.clone()
            });
        }
    }
    left.change(|items| *items = all);
    Ok(())
}
