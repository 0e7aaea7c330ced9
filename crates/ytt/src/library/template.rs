//! `@ytt:template`.

use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::Value;

use crate::replace::Replacement;
use crate::run::budget;

#[starlark_module]
pub(super) fn functions(globals: &mut GlobalsBuilder) {
    /// Replaces the node on which it stands by the children of a value.
    fn replace<'v>(
        #[starlark(require = pos)] value: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        budget(eval)?;
        Ok(Replacement::alloc(eval.heap(), value))
    }
}
