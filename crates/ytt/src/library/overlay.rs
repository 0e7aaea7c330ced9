//! `@ytt:overlay`.

#![expect(
    unsafe_code,
    reason = "a derive of the starlark crate writes `unsafe impl`"
)]

use std::fmt;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::environment::GlobalsBuilder;
use starlark::eval::{Arguments, Evaluator, ParametersSpec, ParametersSpecParam};
use starlark::starlark_module;
use starlark::values::tuple::UnpackTuple;
use starlark::values::{Heap, NoSerialize, StarlarkValue, Trace, Value, starlark_value};

use crate::library::text_of;
use crate::node::failure;
use crate::overlay::apply as merge;
use crate::overlay::compare::{by_key, subset as is_subset};
use crate::run::budget;

#[starlark_module]
pub(super) fn functions(globals: &mut GlobalsBuilder) {
    /// Merges values into the first one, in turn.
    fn apply<'v>(
        #[starlark(args)] args: UnpackTuple<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let Some((left, rights)) = args.items.split_first() else {
            return Err(failure("overlay.apply: expected at least one argument"));
        };
        let mut left = *left;
        for right in rights {
            left = merge(left, *right, eval)?;
        }
        Ok(left)
    }

    /// Matches the item at an index.
    fn index<'v>(
        #[starlark(require = pos)] index: i32,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        budget(eval)?;
        let index = eval.heap().alloc(index);
        Ok(Matcher::alloc(eval.heap(), Rule::Index, vec![index]))
    }

    /// Matches every item.
    fn all<'v>(#[starlark(args)] args: UnpackTuple<Value<'v>>) -> starlark::Result<bool> {
        if args.items.len() == 3 {
            return Ok(true);
        }
        Err(failure("overlay.all: expected exactly 3 arguments"))
    }

    /// Matches items that have the same under a key.
    fn map_key<'v>(
        #[starlark(require = pos)] key: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        text_of("overlay.map_key", key)?;
        Ok(Matcher::alloc(eval.heap(), Rule::MapKey, vec![key]))
    }

    /// Matches items of which a value is a part.
    fn subset<'v>(
        #[starlark(require = pos)] value: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        budget(eval)?;
        Ok(Matcher::alloc(eval.heap(), Rule::Subset, vec![value]))
    }

    /// Matches what all matchers match.
    fn and_op<'v>(
        #[starlark(args)] args: UnpackTuple<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        if args.items.is_empty() {
            return Err(failure("overlay.and_op: expected at least one argument"));
        }
        Ok(Matcher::alloc(eval.heap(), Rule::And, args.items))
    }

    /// Matches what one of the matchers matches.
    fn or_op<'v>(
        #[starlark(args)] args: UnpackTuple<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        if args.items.is_empty() {
            return Err(failure("overlay.or_op: expected at least one argument"));
        }
        Ok(Matcher::alloc(eval.heap(), Rule::Or, args.items))
    }

    /// Matches what a matcher does not.
    fn not_op<'v>(
        #[starlark(require = pos)] matcher: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        budget(eval)?;
        Ok(Matcher::alloc(eval.heap(), Rule::Not, vec![matcher]))
    }
}

#[derive(Clone, Copy, Debug, Trace, Allocative)]
enum Rule {
    Index,
    MapKey,
    Subset,
    And,
    Or,
    Not,
}

/// A function of index or key, left and right.
#[derive(Debug, Trace, ProvidesStaticType, NoSerialize, Allocative)]
struct Matcher<'v> {
    rule: Rule,
    of: Vec<Value<'v>>,
}

impl<'v> Matcher<'v> {
    fn alloc(heap: &'v Heap, rule: Rule, of: Vec<Value<'v>>) -> Value<'v> {
        heap.alloc_complex_no_freeze(Self { rule, of })
    }

    fn matches(
        &self,
        arguments: [Value<'v>; 3],
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<bool> {
        let [index, left, right] = arguments;
        let first = self.of.first().copied().unwrap_or_default();
        let heap = eval.heap();
        let budget = budget(eval)?;
        match self.rule {
            Rule::Index => first.equals(index),
            Rule::MapKey => by_key(text_of("overlay.map_key", first)?, left, right, heap),
            Rule::Subset => Ok(is_subset(left, first, heap, budget)?.is_ok()),
            Rule::Not => Ok(!call(first, arguments, eval)?),
            Rule::And => {
                for matcher in &self.of {
                    if !call(*matcher, arguments, eval)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Rule::Or => {
                for matcher in &self.of {
                    if call(*matcher, arguments, eval)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }
}

fn call<'v>(
    matcher: Value<'v>,
    arguments: [Value<'v>; 3],
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<bool> {
    let verdict = eval.eval_function(matcher, &arguments, &[])?;
    verdict.unpack_bool().ok_or_else(|| {
        let kind = verdict.get_type();
        failure(format!(
            "Expected the matcher to return a bool, but was {kind}"
        ))
    })
}

impl fmt::Display for Matcher<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<function matcher>")
    }
}

#[starlark_value(type = "function")]
impl<'v> StarlarkValue<'v> for Matcher<'v> {
    fn invoke(
        &self,
        _me: Value<'v>,
        args: &Arguments<'v, '_>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let names = ["index or key", "left", "right"];
        let required = names.map(|name| (name, ParametersSpecParam::<Value<'v>>::Required));
        let spec = ParametersSpec::new_parts("matcher", required, [], false, [], false);
        let arguments = spec.parser(args, eval, |parser, _| {
            Ok([parser.next()?, parser.next()?, parser.next()?])
        })?;
        Ok(Value::new_bool(self.matches(arguments, eval)?))
    }
}
