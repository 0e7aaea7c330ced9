//! A function with its first arguments.

#![expect(
    unsafe_code,
    reason = "a derive of the starlark crate writes `unsafe impl`"
)]

use std::fmt;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::eval::{Arguments, Evaluator, ParametersSpec, ParametersSpecParam};
use starlark::values::dict::UnpackDictEntries;
use starlark::values::tuple::UnpackTuple;
use starlark::values::{Heap, NoSerialize, StarlarkValue, Trace, Value, starlark_value};

use crate::run::budget;

/// A function that is called with arguments before those of the caller.
#[derive(Debug, Trace, ProvidesStaticType, NoSerialize, Allocative)]
pub(super) struct Bound<'v> {
    function: Value<'v>,
    first: Vec<Value<'v>>,
}

impl<'v> Bound<'v> {
    pub(super) fn alloc(heap: &'v Heap, function: Value<'v>, first: Vec<Value<'v>>) -> Value<'v> {
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
        // Any arguments, and any names.
        let none: [(&str, ParametersSpecParam<Value<'v>>); 0] = [];
        let spec = ParametersSpec::new_parts("bound", none, none, true, none, true);
        let (others, names) = spec.parser(args, eval, |parser, _| {
            let others = parser.next::<UnpackTuple<Value<'v>>>()?;
            let names = parser.next::<UnpackDictEntries<&'v str, Value<'v>>>()?;
            Ok((others.items, names.entries))
        })?;
        let mut all = self.first.clone();
        all.extend(others);
        eval.eval_function(self.function, &all, &names)
    }
}
