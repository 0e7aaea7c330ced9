//! `@ytt:data`: the data of the evaluation.
#![expect(
    unsafe_code,
    reason = "a derive of the starlark crate writes `unsafe impl`"
)]

use std::fmt;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::environment::Module;
use starlark::eval::{Arguments, Evaluator};
use starlark::values::{Heap, NoSerialize, StarlarkValue, Trace, Value, starlark_value};

use crate::node::failure;

/// The module; unlike the others it is new in each evaluation.
#[derive(Debug, Trace, ProvidesStaticType, NoSerialize, Allocative)]
struct Data<'v> {
    values: Value<'v>,
}

/// Makes the values known to the template of this evaluation.
pub(crate) fn provide<'v>(module: &'v Module, values: Value<'v>) {
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
    fn get_attr(&self, attribute: &str, heap: &'v Heap) -> Option<Value<'v>> {
        match attribute {
            "values" => Some(self.values),
            "read" => Some(heap.alloc_complex_no_freeze(NoFiles("read"))),
            "list" => Some(heap.alloc_complex_no_freeze(NoFiles("list"))),
            _ => None,
        }
    }

    fn dir_attr(&self) -> Vec<String> {
        vec!["list".to_owned(), "read".to_owned(), "values".to_owned()]
    }
}

/// What reads files of the template's folder in genuine ytt.
#[derive(Debug, Trace, ProvidesStaticType, NoSerialize, Allocative)]
struct NoFiles(&'static str);

impl fmt::Display for NoFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<function {}>", self.0)
    }
}

#[starlark_value(type = "function")]
impl<'v> StarlarkValue<'v> for NoFiles {
    fn invoke(
        &self,
        _me: Value<'v>,
        _args: &Arguments<'v, '_>,
        _eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let text = format!("data.{}: no files besides the template", self.0);
        Err(failure(text))
    }
}
