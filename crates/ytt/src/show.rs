//! `str` and `repr`, with floats as Go writes them.

use starlark::values::dict::DictRef;
use starlark::values::float::StarlarkFloat;
use starlark::values::list::ListRef;
use starlark::values::tuple::TupleRef;
use starlark::values::{Value, ValueLike as _};

use crate::number;
use crate::run::Budget;

/// What `str` says.
pub(crate) fn text(value: Value<'_>, budget: &Budget<'_>) -> starlark::Result<String> {
    match value.unpack_str() {
        Some(text) => Ok(text.to_owned()),
        None => repr(value, budget),
    }
}

/// What `repr` says.
pub(crate) fn repr(value: Value<'_>, budget: &Budget<'_>) -> starlark::Result<String> {
    let mut out = String::new();
    write(value, budget, 0, &mut out)?;
    Ok(out)
}

fn write(
    value: Value<'_>,
    budget: &Budget<'_>,
    depth: usize,
    out: &mut String,
) -> starlark::Result<()> {
    budget.nodes(1)?;
    budget.depth(depth)?;
    let start = out.len();
    if let Some(float) = value.downcast_ref::<StarlarkFloat>() {
        out.push_str(&number::six_digits(float.0));
    } else if let Some(list) = ListRef::from_value(value) {
        out.push('[');
        items(list.iter(), budget, depth, out)?;
        out.push(']');
    } else if let Some(tuple) = TupleRef::from_value(value) {
        out.push('(');
        items(tuple.iter(), budget, depth, out)?;
        out.push_str(if tuple.len() == 1 { ",)" } else { ")" });
    } else if let Some(dict) = DictRef::from_value(value) {
        out.push('{');
        for (index, (key, value)) in dict.iter().enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            write(key, budget, depth + 1, out)?;
            out.push_str(": ");
            write(value, budget, depth + 1, out)?;
        }
        out.push('}');
    } else {
        value.collect_repr(out);
        budget.text(out.len() - start)?;
    }
    Ok(())
}

fn items<'v>(
    items: impl Iterator<Item = Value<'v>>,
    budget: &Budget<'_>,
    depth: usize,
    out: &mut String,
) -> starlark::Result<()> {
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write(item, budget, depth + 1, out)?;
    }
    Ok(())
}
