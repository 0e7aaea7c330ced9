//! The functions that annotations of overlays name by `via`.

use starlark::eval::Evaluator;
use starlark::values::Value;
use starlark::values::tuple::TupleRef;

use crate::node::{Annotation, failure};
use crate::overlay::compare::subset;
use crate::overlay::copy::copy;
use crate::run::budget;
use crate::value;

/// The keywords of an annotation, of which only some are known.
pub(super) fn keyword<'v>(
    annotation: &Annotation<'v>,
    wanted: &str,
    known: &[&str],
) -> starlark::Result<Option<Value<'v>>> {
    let mut found = None;
    for (name, value) in &annotation.keywords {
        if !known.contains(&name.as_str()) {
            return Err(failure(format!(
                "Unknown '{}' annotation keyword argument '{name}'",
                annotation.name
            )));
        }
        if name == wanted {
            found = Some(*value);
        }
    }
    Ok(found)
}

/// What stands in the end: the right value, or what a function makes of both.
pub(super) fn value<'v>(
    via: Option<Value<'v>>,
    left: Value<'v>,
    right: Value<'v>,
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<Value<'v>> {
    let heap = eval.heap();
    let right = copy(right, heap, budget(eval)?, 0)?;
    let Some(via) = via else {
        return Ok(right);
    };
    let left = copy(left, heap, budget(eval)?, 0)?;
    let result = eval.eval_function(via, &[left, right], &[])?;
    value::to_node(result, heap, budget(eval)?)
}

/// Checks an assertion.
pub(super) fn assert<'v>(
    via: Option<Value<'v>>,
    left: Value<'v>,
    right: Value<'v>,
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<()> {
    let heap = eval.heap();
    let Some(via) = via else {
        let compared = subset(left, right, heap, budget(eval)?)?;
        return compared
            .map_err(|why| failure(format!("Expected objects to equal, but did not: {why}")));
    };
    let left = copy(left, heap, budget(eval)?, 0)?;
    let right = copy(right, heap, budget(eval)?, 0)?;
    let result = eval.eval_function(via, &[left, right], &[])?;
    let (holds, message) = match TupleRef::from_value(result).map(TupleRef::content) {
        Some([holds, message]) => (holds.unpack_bool(), message.unpack_str()),
        _ if result.is_none() => (Some(true), None),
        _ => (result.unpack_bool(), None),
    };
    match (holds, message) {
        (Some(true), _) => Ok(()),
        (Some(false), None) => Err(failure(
            "Expected via invocation to return true, but was false",
        )),
        (Some(false), Some(message)) => Err(failure(format!(
            "Expected via invocation to return true, but was false with message: {message}"
        ))),
        (None, _) => Err(failure(
            "Expected via invocation to return NoneType, Bool or Tuple(Bool,String), \
             but returned neither of those",
        )),
    }
}
