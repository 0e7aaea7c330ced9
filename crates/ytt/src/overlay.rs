//! Overlays.

use starlark::eval::Evaluator;
use starlark::values::Value;

pub(crate) fn between_documents<'v>(
    root: Value<'v>,
    _eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<Value<'v>> {
    Ok(root)
}
