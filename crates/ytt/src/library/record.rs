//! `@ytt:struct`.

use starlark::collections::SmallMap;
use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::dict::{AllocDict, DictRef};
use starlark::values::list::{AllocList, ListRef};
use starlark::values::tuple::UnpackTuple;
use starlark::values::{Heap, Value};

use crate::library::bound::Bound;
use crate::node::{Fragment, failure};
use crate::record::Record;
use crate::run::{Budget, budget};
use crate::source::respell::FREED;

#[starlark_module]
pub(super) fn functions(globals: &mut GlobalsBuilder) {
    /// Structs in place of dicts, all the way down.
    fn encode<'v>(
        #[starlark(require = pos)] value: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        deep(value, Way::Encode, eval.heap(), budget(eval)?, 0)
    }

    /// Dicts in place of structs, all the way down.
    fn decode<'v>(
        #[starlark(require = pos)] value: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        deep(value, Way::Decode, eval.heap(), budget(eval)?, 0)
    }

    /// A struct of values as they are.
    fn make<'v>(
        #[starlark(kwargs)] kwargs: SmallMap<String, Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        budget(eval)?;
        Ok(Record::alloc(eval.heap(), fields(kwargs)))
    }

    /// A struct whose functions get a value as their first argument.
    fn make_and_bind<'v>(
        #[starlark(require = pos)] this: Value<'v>,
        #[starlark(kwargs)] kwargs: SmallMap<String, Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        budget(eval)?;
        let heap = eval.heap();
        let mut all = SmallMap::new();
        for (name, value) in fields(kwargs) {
            let value = if value.get_type() == "function" {
                Bound::alloc(heap, value, vec![this])
            } else {
                value
            };
            all.insert(name, value);
        }
        Ok(Record::alloc(heap, all))
    }

    /// A function with its first arguments.
    fn bind<'v>(
        #[starlark(require = pos)] function: Value<'v>,
        #[starlark(args)] args: UnpackTuple<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        budget(eval)?;
        Ok(Bound::alloc(eval.heap(), function, args.items))
    }
}

/// Arguments under the names that the template gave them.
fn fields(kwargs: SmallMap<String, Value<'_>>) -> SmallMap<String, Value<'_>> {
    let name = |name: String| match name.strip_prefix(FREED) {
        Some(name) => name.to_owned(),
        None => name,
    };
    kwargs
        .into_iter()
        .map(|(key, value)| (name(key), value))
        .collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Encode,
    Decode,
}

fn deep<'v>(
    value: Value<'v>,
    way: Way,
    heap: &'v Heap,
    budget: &Budget<'_>,
    depth: usize,
) -> starlark::Result<Value<'v>> {
    budget.nodes(1)?;
    budget.depth(depth)?;
    if way == Way::Encode && Fragment::of(value).is_some() {
        return Err(failure(
            "struct.encode: expected a dict, but was yamlfragment",
        ));
    }
    if let Some(list) = ListRef::from_value(value) {
        let mut items = Vec::with_capacity(list.len());
        for item in list.iter() {
            items.push(deep(item, way, heap, budget, depth + 1)?);
        }
        return Ok(heap.alloc(AllocList(items)));
    }
    if way == Way::Encode
        && let Some(dict) = DictRef::from_value(value)
    {
        let mut fields = SmallMap::new();
        for (key, value) in dict.iter() {
            let Some(key) = key.unpack_str() else {
                let message = format!(
                    "struct.encode: expected string keys, but was {}",
                    key.get_type()
                );
                return Err(failure(message));
            };
            fields.insert(key.to_owned(), deep(value, way, heap, budget, depth + 1)?);
        }
        return Ok(Record::alloc(heap, fields));
    }
    if way == Way::Decode
        && let Some(record) = Record::of(value)
    {
        let mut pairs = Vec::new();
        for (key, value) in &record.fields {
            pairs.push((key.as_str(), deep(*value, way, heap, budget, depth + 1)?));
        }
        return Ok(heap.alloc(AllocDict(pairs)));
    }
    Ok(value)
}
