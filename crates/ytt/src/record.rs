//! ytt's `struct`: what the maps of `data.values` are.
#![expect(
    unsafe_code,
    reason = "a derive of the starlark crate writes `unsafe impl`"
)]

use std::fmt;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::collections::SmallMap;
use starlark::values::{
    Heap, NoSerialize, StarlarkValue, Trace, Value, ValueLike as _, starlark_value,
};

use crate::node::failure;
use crate::source::respell::FREED;

/// Named values in order. It is no dict: templates that ask for `.get` are refused by ytt, too.
#[derive(Debug, Trace, ProvidesStaticType, NoSerialize, Allocative)]
pub(crate) struct Record<'v> {
    pub(crate) fields: SmallMap<String, Value<'v>>,
}

impl<'v> Record<'v> {
    pub(crate) fn alloc(heap: &'v Heap, fields: SmallMap<String, Value<'v>>) -> Value<'v> {
        heap.alloc_complex_no_freeze(Self { fields })
    }

    pub(crate) fn of(value: Value<'v>) -> Option<&'v Self> {
        value.downcast_ref::<Self>()
    }
}

impl fmt::Display for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("struct(...)")
    }
}

#[starlark_value(type = "struct")]
impl<'v> StarlarkValue<'v> for Record<'v> {
    fn to_bool(&self) -> bool {
        !self.fields.is_empty()
    }

    fn length(&self) -> starlark::Result<i32> {
        Ok(i32::try_from(self.fields.len()).unwrap_or(i32::MAX))
    }

    fn at(&self, index: Value<'v>, _heap: &'v Heap) -> starlark::Result<Value<'v>> {
        let found = index.unpack_str().and_then(|key| self.fields.get(key));
        found
            .copied()
            .ok_or_else(|| failure(format!("key {} not in struct", index.to_repr())))
    }

    fn is_in(&self, other: Value<'v>) -> starlark::Result<bool> {
        Ok(other
            .unpack_str()
            .is_some_and(|key| self.fields.contains_key(key)))
    }

    fn iterate_collect(&self, heap: &'v Heap) -> starlark::Result<Vec<Value<'v>>> {
        Ok(self
            .fields
            .keys()
            .map(|key| heap.alloc(key.as_str()))
            .collect())
    }

    fn get_attr(&self, attribute: &str, _heap: &'v Heap) -> Option<Value<'v>> {
        let name = attribute.strip_prefix(FREED).unwrap_or(attribute);
        self.fields.get(name).copied()
    }

    fn dir_attr(&self) -> Vec<String> {
        self.fields.keys().cloned().collect()
    }
}
