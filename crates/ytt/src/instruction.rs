//! What a compiled template calls to build its nodes, and the built-ins that ytt has otherwise.

use starlark::collections::SmallMap;
use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::Value;
use starlark::values::dict::{AllocDict, DictRef};
use starlark::values::none::NoneType;

use crate::build::Context;
use crate::node::{Annotation, Fragment, Shape, failure};
use crate::run::{budget, budget_at, run};
use crate::show;
use crate::value;

fn tag_of(tag: i32) -> starlark::Result<usize> {
    usize::try_from(tag).map_err(|_| failure("no such node"))
}

#[starlark_module]
pub(crate) fn instructions(globals: &mut GlobalsBuilder) {
    /// Starts a node.
    fn __ytt_start<'v>(
        #[starlark(require = pos)] tag: i32,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let run = run(eval)?;
        let tag = tag_of(tag)?;
        let place = run.nodes.get(tag).and_then(|node| node.place);
        budget_at(place.map_or(0, |place| place.line), eval)?.nodes(1)?;
        run.with(|context| context.start(&run.nodes, tag, eval.heap()))?;
        Ok(NoneType)
    }

    /// Gives the node its value: that of the template, unless there is another.
    fn __ytt_set<'v>(
        #[starlark(require = pos)] tag: i32,
        #[starlark(require = pos)] value: Option<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let budget = budget(eval)?;
        let run = run(eval)?;
        let tag = tag_of(tag)?;
        let value = match (value, run.nodes.get(tag)) {
            (Some(value), _) => value,
            (None, Some(node)) => value::from_plain(&node.value, eval.heap())?,
            (None, None) => return Err(failure("no such node")),
        };
        run.with(|context| context.set(tag, value, eval.heap(), budget))?;
        Ok(NoneType)
    }

    /// Gives an item, before it starts, another key.
    fn __ytt_key<'v>(
        #[starlark(require = pos)] tag: i32,
        #[starlark(require = pos)] key: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let tag = tag_of(tag)?;
        run(eval)?.with(|context| {
            context.key(tag, key);
            Ok(NoneType)
        })
    }

    /// Annotates a node before it starts.
    fn __ytt_note<'v>(
        #[starlark(require = pos)] tag: i32,
        #[starlark(require = pos)] name: &str,
        #[starlark(args)] args: starlark::values::tuple::UnpackTuple<Value<'v>>,
        #[starlark(kwargs)] kwargs: SmallMap<String, Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        budget(eval)?;
        // No annotation that we know takes positional arguments.
        drop(args);
        let annotation = Annotation {
            name: name.to_owned(),
            keywords: kwargs.into_iter().collect(),
        };
        let tag = tag_of(tag)?;
        run(eval)?.with(|context| {
            context.annotate(tag, annotation);
            Ok(NoneType)
        })
    }

    /// Begins a tree, or a text.
    fn __ytt_open<'v>(
        #[starlark(require = pos)] kind: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        budget(eval)?;
        let context = match kind {
            "text" => Context::text(),
            _ => Context::default(),
        };
        run(eval)?.contexts.borrow_mut().push(context);
        Ok(NoneType)
    }

    /// Ends what was begun last, and returns it, or what is given instead.
    fn __ytt_close<'v>(
        #[starlark(require = pos)] value: Option<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let mut contexts = run(eval)?.contexts.borrow_mut();
        // The first is that of the template itself.
        if contexts.len() < 2 {
            return Err(failure("no node is being built"));
        }
        let context = contexts.pop().unwrap_or_default();
        if let Some(value) = value {
            return Ok(value);
        }
        let heap = eval.heap();
        if let Some(text) = &context.text {
            return Ok(heap.alloc(text.as_str()));
        }
        Ok(context
            .root()
            .unwrap_or_else(|| Fragment::alloc(heap, Shape::Null, Vec::new())))
    }

    /// Adds a text of the template.
    fn __ytt_text<'v>(
        #[starlark(require = pos)] index: i32,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let run = run(eval)?;
        let text = run.texts.get(tag_of(index)?);
        let text = text.ok_or_else(|| failure("no such text"))?;
        print(text, eval)
    }

    /// Adds a text that was computed.
    fn __ytt_print<'v>(
        #[starlark(require = pos)] value: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let Some(text) = value.unpack_str() else {
            return Err(failure(format!(
                "expected a string, but was {} (hint: consider using str(...))",
                value.get_type()
            )));
        };
        print(text, eval)
    }

    /// Stands first in every function and loop, and before every statement.
    fn __ytt_tick<'v>(
        #[starlark(require = pos)] line: i32,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        budget_at(u32::try_from(line).unwrap_or_default(), eval)?.ticks(1)?;
        Ok(NoneType)
    }

    /// Stands around what a comprehension goes through.
    fn __ytt_each<'v>(
        #[starlark(require = pos)] value: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let turns = value.length().unwrap_or_default();
        budget(eval)?.ticks(u64::try_from(turns).unwrap_or_default())?;
        Ok(value)
    }

    /// Stands around the body of every lambda.
    fn __ytt_watch<'v>(
        #[starlark(require = pos)] value: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        budget(eval)?.ticks(1)?;
        Ok(value)
    }

    /// A dict of whatever ytt takes as a mapping; other things stay what they are.
    fn __ytt_pairs<'v>(
        #[starlark(args)] args: starlark::values::tuple::UnpackTuple<Value<'v>>,
        #[starlark(kwargs)] kwargs: SmallMap<String, Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        budget(eval)?;
        let heap = eval.heap();
        match (args.items.as_slice(), kwargs.is_empty()) {
            ([], _) => Ok(heap.alloc(AllocDict(kwargs))),
            ([value], true) if DictRef::from_value(*value).is_some() => Ok(*value),
            ([value], true) => match value::entries(*value, heap) {
                Some(entries) => Ok(heap.alloc(AllocDict(entries))),
                None => Ok(*value),
            },
            ([value], false) => {
                let mut pairs = pairs(*value, eval)?;
                pairs.extend(
                    kwargs
                        .into_iter()
                        .map(|(key, value)| (heap.alloc(key), value)),
                );
                Ok(dict_of(pairs, eval)?)
            }
            _ => Err(failure("update: got more than one positional argument")),
        }
    }

    /// As Starlark's, and of structs and fragments, too.
    fn dict<'v>(
        #[starlark(args)] args: starlark::values::tuple::UnpackTuple<Value<'v>>,
        #[starlark(kwargs)] kwargs: SmallMap<String, Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        budget(eval)?;
        let mut all = match args.items.as_slice() {
            [] => Vec::new(),
            [value] => pairs(*value, eval)?,
            _ => return Err(failure("dict: got more than one positional argument")),
        };
        let heap = eval.heap();
        all.extend(
            kwargs
                .into_iter()
                .map(|(key, value)| (heap.alloc(key), value)),
        );
        dict_of(all, eval)
    }

    /// As Starlark's, with floats as Go writes them.
    fn str<'v>(
        #[starlark(require = pos)] value: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<String> {
        let text = show::text(value, budget(eval)?)?;
        Ok(text)
    }

    /// As Starlark's, with floats as Go writes them.
    fn repr<'v>(
        #[starlark(require = pos)] value: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<String> {
        let text = show::repr(value, budget(eval)?)?;
        Ok(text)
    }
}

fn print(text: &str, eval: &mut Evaluator<'_, '_, '_>) -> starlark::Result<NoneType> {
    budget(eval)?.text(text.len())?;
    run(eval)?.with(|context| {
        let whole = context.text.as_mut();
        whole
            .ok_or_else(|| failure("no text is being built"))?
            .push_str(text);
        Ok(NoneType)
    })
}

type Pairs<'v> = Vec<(Value<'v>, Value<'v>)>;

/// The pairs of a mapping, or of a sequence of pairs.
fn pairs<'v>(value: Value<'v>, eval: &Evaluator<'v, '_, '_>) -> starlark::Result<Pairs<'v>> {
    let heap = eval.heap();
    if let Some(entries) = value::entries(value, heap) {
        return Ok(entries);
    }
    let mut pairs = Vec::new();
    for pair in value.iterate(heap)? {
        match value::sequence(pair, heap)?.as_deref() {
            Some([key, value]) => pairs.push((*key, *value)),
            _ => return Err(failure("expected a sequence of pairs")),
        }
    }
    Ok(pairs)
}

/// A dict in which the last of equal keys wins, at the place of the first.
fn dict_of<'v>(pairs: Pairs<'v>, eval: &Evaluator<'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let mut map = SmallMap::with_capacity(pairs.len());
    for (key, value) in pairs {
        map.insert_hashed(key.get_hashed()?, value);
    }
    Ok(eval.heap().alloc(starlark::values::dict::Dict::new(map)))
}
