//! `template.replace`: a node that is replaced by the children of a value.
#![expect(
    unsafe_code,
    reason = "a derive of the starlark crate writes `unsafe impl`"
)]

use std::fmt;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::values::{
    Heap, NoSerialize, StarlarkValue, Trace, Value, ValueLike as _, starlark_value,
};

use crate::build::{self, OVERRIDE};
use crate::node::{Annotation, Fragment, Item, Shape, failure, kind_of};
use crate::run::Budget;
use crate::value;

/// What `template.replace` returns, until the node that it stands on takes it.
#[derive(Debug, Trace, ProvidesStaticType, NoSerialize, Allocative)]
pub(crate) struct Replacement<'v> {
    value: Value<'v>,
}

impl<'v> Replacement<'v> {
    pub(crate) fn alloc(heap: &'v Heap, value: Value<'v>) -> Value<'v> {
        heap.alloc_complex_no_freeze(Self { value })
    }

    pub(crate) fn of(value: Value<'v>) -> Option<&'v Self> {
        value.downcast_ref::<Self>()
    }

    /// Puts the children in place of the item at the index, which is the last one.
    pub(crate) fn put(
        &self,
        collection: &Fragment<'v>,
        index: usize,
        heap: &'v Heap,
        budget: &Budget<'_>,
    ) -> starlark::Result<()> {
        let written = Fragment::of(self.value).is_some();
        let value = match Fragment::of(self.value) {
            Some(_) => self.value,
            None => value::to_node(self.value, heap, budget)?,
        };
        let children = Fragment::of(value);
        let fits = match (collection.shape, children.map(|children| children.shape)) {
            (shape, Some(other)) if shape == other => true,
            (Shape::Documents, Some(Shape::Array)) => !written,
            _ => false,
        };
        let Some(children) = children.filter(|_| fits) else {
            let was = kind_of(value);
            let expected = collection.shape.word();
            return Err(failure(format!(
                "template.replace: expected value to be {expected}, but was {was}"
            )));
        };
        let children: Vec<Item<'v>> = children.items().clone();
        budget.nodes(children.len())?;
        collection.change(|items| items.truncate(index));
        for mut child in children {
            // What comes from a dict cannot say that it overrides.
            if !written {
                child.annotations.push(Annotation {
                    name: OVERRIDE.to_owned(),
                    keywords: Vec::new(),
                });
            }
            build::add(collection, child)?;
        }
        Ok(())
    }
}

impl fmt::Display for Replacement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("template.replace(...)")
    }
}

#[starlark_value(type = "replacement")]
impl<'v> StarlarkValue<'v> for Replacement<'v> {}
