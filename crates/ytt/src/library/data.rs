//! `@ytt:data`: the data of the evaluation.
#![expect(
    unsafe_code,
    reason = "a derive of the starlark crate writes `unsafe impl`"
)]

use std::fmt;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::environment::Module;
use starlark::values::{Heap, NoSerialize, StarlarkValue, Trace, Value, starlark_value};

/// The module; unlike the others it is new in each evaluation.
#[derive(Debug, Trace, ProvidesStaticType, NoSerialize, Allocative)]
struct Data<'v> {
    values: Value<'v>,
}

/// Makes the values known to the template of this evaluation.
pub(crate) fn provide<'v>(module: &Module<'v>, values: Value<'v>) {
    let data = module.heap().alloc_complex_no_freeze(Data { values });
    module.set("__ytt_lib_data", data);
}

impl fmt::Display for Data<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("data")
    }
}

#[starlark_value(type = "data")]
impl<'v> StarlarkValue<'v> for Data<'v> {
    fn get_attr(&self, attribute: &str, _heap: Heap<'v>) -> Option<Value<'v>> {
        (attribute == "values").then_some(self.values)
    }

    fn dir_attr(&self) -> Vec<String> {
        vec!["values".to_owned()]
    }
}
