//! Trees of YAML on the Starlark heap: what templates build, and see as `yamlfragment`.
//!
//! A collection is shared by whoever holds it: a function's result that is placed twice is one tree,
//! and `overlay.apply` changes its first argument. Scalars are Starlark's own values.
#![expect(
    unsafe_code,
    reason = "a derive of the starlark crate writes `unsafe impl`"
)]

use std::cell::{Ref, RefCell};
use std::fmt;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::values::{
    Heap, NoSerialize, StarlarkValue, Trace, Value, ValueLike as _, starlark_value,
};

/// What a collection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Trace, Allocative)]
pub(crate) enum Shape {
    /// The result of a function whose nodes were all skipped.
    Null,
    /// Items with keys.
    Map,
    /// Items without.
    Array,
    /// Documents.
    Documents,
}

impl Shape {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Map => "map",
            Self::Array => "array",
            Self::Documents => "document set",
        }
    }
}

/// What a `#@name ARGS` said about an item.
#[derive(Clone, Debug, Trace, Allocative)]
pub(crate) struct Annotation<'v> {
    pub(crate) name: String,
    pub(crate) keywords: Vec<(String, Value<'v>)>,
}

/// An item of a map or an array, or a document.
#[derive(Clone, Debug, Trace, Allocative)]
pub(crate) struct Item<'v> {
    /// None but in maps.
    pub(crate) key: Value<'v>,
    pub(crate) value: Value<'v>,
    /// The line of the template; 0 for what has none.
    pub(crate) line: u32,
    pub(crate) annotations: Vec<Annotation<'v>>,
}

impl<'v> Item<'v> {
    pub(crate) fn new(key: Value<'v>, value: Value<'v>) -> Self {
        Self {
            key,
            value,
            line: 0,
            annotations: Vec::new(),
        }
    }

    pub(crate) fn annotation(&self, name: &str) -> Option<&Annotation<'v>> {
        self.annotations
            .iter()
            .find(|annotation| annotation.name == name)
    }
}

/// A map, an array or a document set.
#[derive(Debug, Trace, ProvidesStaticType, NoSerialize, Allocative)]
pub(crate) struct Fragment<'v> {
    pub(crate) shape: Shape,
    items: RefCell<Vec<Item<'v>>>,
}

impl<'v> Fragment<'v> {
    pub(crate) fn alloc(heap: &'v Heap, shape: Shape, items: Vec<Item<'v>>) -> Value<'v> {
        heap.alloc_complex_no_freeze(Self {
            shape,
            items: RefCell::new(items),
        })
    }

    pub(crate) fn of(value: Value<'v>) -> Option<&'v Self> {
        value.downcast_ref::<Self>()
    }

    pub(crate) fn items(&self) -> Ref<'_, Vec<Item<'v>>> {
        self.items.borrow()
    }

    /// Changes the items. Nothing that `change` does may run code of a template: it could look at
    /// this very collection.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Vec<Item<'v>>) -> T) -> T {
        change(&mut self.items.borrow_mut())
    }

    fn find(&self, key: Value<'v>) -> starlark::Result<Option<Value<'v>>> {
        let items = self.items();
        if self.shape == Shape::Map {
            for item in items.iter() {
                if item.key.equals(key)? {
                    return Ok(Some(item.value));
                }
            }
            return Ok(None);
        }
        if self.shape == Shape::Null {
            return Ok(None);
        }
        let Some(index) = key.unpack_i32() else {
            let message = format!(
                "yamlfragment.Get: expected an int, but was {}",
                key.get_type()
            );
            return Err(failure(message));
        };
        let index = usize::try_from(index).ok();
        Ok(index
            .and_then(|index| items.get(index))
            .map(|item| item.value))
    }
}

/// What a value is, for messages.
pub(crate) fn kind_of(value: Value<'_>) -> &'static str {
    match Fragment::of(value) {
        Some(fragment) => fragment.shape.word(),
        None => value.get_type(),
    }
}

/// An error of ours.
pub(crate) fn failure(message: impl Into<String>) -> starlark::Error {
    starlark::Error::new_other(crate::run::Said(message.into()))
}

impl fmt::Display for Fragment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "yamlfragment({})", self.shape.word())
    }
}

#[starlark_value(type = "yamlfragment")]
impl<'v> StarlarkValue<'v> for Fragment<'v> {
    fn to_bool(&self) -> bool {
        !self.items().is_empty()
    }

    fn length(&self) -> starlark::Result<i32> {
        Ok(i32::try_from(self.items().len()).unwrap_or(i32::MAX))
    }

    fn at(&self, index: Value<'v>, _heap: &'v Heap) -> starlark::Result<Value<'v>> {
        self.find(index)?
            .ok_or_else(|| failure(format!("key {} not in yamlfragment", index.to_repr())))
    }

    fn is_in(&self, other: Value<'v>) -> starlark::Result<bool> {
        Ok(self.find(other)?.is_some())
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        if Fragment::of(other).is_some() {
            return Err(failure("yamlfragments cannot be compared"));
        }
        Ok(false)
    }

    fn iterate_collect(&self, _heap: &'v Heap) -> starlark::Result<Vec<Value<'v>>> {
        let map = self.shape == Shape::Map;
        let items = self.items();
        Ok(items
            .iter()
            .map(|item| if map { item.key } else { item.value })
            .collect())
    }
}
