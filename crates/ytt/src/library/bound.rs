//! A function with its first arguments.

#![expect(
    unsafe_code,
    reason = "a derive of the starlark crate writes `unsafe impl`"
)]

use std::fmt;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::eval::{Arguments, Evaluator};
use starlark::values::{Heap, NoSerialize, StarlarkValue, Trace, Value, starlark_value};

use crate::run::budget;

/// A function that is called with arguments before those of the caller.
#[derive(Debug, Trace, ProvidesStaticType, NoSerialize, Allocative)]
pub(super) struct Bound<'v> {
    function: Value<'v>,
    first: Vec<Value<'v>>,
}

impl<'v> Bound<'v> {
    pub(super) fn alloc(heap: Heap<'v>, function: Value<'v>, first: Vec<Value<'v>>) -> Value<'v> {
        heap.alloc_complex_no_freeze(Self { function, first })
    }
}

impl fmt::Display for Bound<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<function bound>")
    }
}

#[starlark_value(type = "function")]
impl<'v> StarlarkValue<'v> for Bound<'v> {
    fn invoke(
        &self,
        _me: Value<'v>,
        args: &Arguments<'v, '_>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        budget(eval)?;
        let mut all = self.first.clone();
        all.extend(args.positions(eval.heap())?);
        let names = args.names_map()?;
        let names: Vec<_> = names
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
            .collect();
        eval.eval_function(self.function, &all, &names)
    }
}
