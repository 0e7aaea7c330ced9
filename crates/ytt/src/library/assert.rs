//! `@ytt:assert`.

#![expect(
    unsafe_code,
    reason = "a derive of the starlark crate writes `unsafe impl`"
)]

use std::cmp::Ordering;
use std::fmt;

use allocative::Allocative;
use starlark::ErrorKind;
use starlark::any::ProvidesStaticType;
use starlark::environment::GlobalsBuilder;
use starlark::eval::{Arguments, Evaluator};
use starlark::starlark_module;
use starlark::values::none::NoneType;
use starlark::values::tuple::UnpackTuple;
use starlark::values::{Heap, NoSerialize, StarlarkValue, Trace, Value, starlark_value};

use crate::library::yaml;
use crate::node::{Fragment, failure};
use crate::report::{is_limit, message};
use crate::run::{budget, run};
use crate::show;
use crate::value;

#[starlark_module]
pub(super) fn functions(globals: &mut GlobalsBuilder) {
    /// Fails.
    fn fail<'v>(
        #[starlark(require = pos)] message: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let message = show::text(message, budget(eval)?)?;
        Err(failure(format!("assert.fail: fail: {message}")))
    }

    /// Fails unless two values have the same YAML.
    fn equals<'v>(
        #[starlark(require = pos)] expected: Value<'v>,
        #[starlark(require = pos)] actual: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        if yaml::text(expected, eval)? == yaml::text(actual, eval)? {
            return Ok(NoneType);
        }
        Err(failure("assert.equals: the two values differ"))
    }

    /// The result of a function and nothing, or nothing and why it failed.
    fn try_to<'v>(
        #[starlark(require = pos)] function: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        budget(eval)?;
        let depth = run(eval)?.contexts.borrow().len();
        match eval.eval_function(function, &[], &[]) {
            Ok(value) => Ok(eval.heap().alloc((value, NoneType))),
            Err(error) if is_limit(&error) || matches!(error.kind(), ErrorKind::Internal(_)) => {
                Err(error)
            }
            Err(error) => {
                // What the function had begun to build is lost with it.
                run(eval)?.contexts.borrow_mut().truncate(depth);
                Ok(eval.heap().alloc((NoneType, message(&error))))
            }
        }
    }

    /// Asserts a least value.
    fn min<'v>(
        #[starlark(require = pos)] limit: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        budget(eval)?;
        Ok(Assertion::alloc(eval.heap(), Rule::Min, vec![limit]))
    }

    /// Asserts a greatest value.
    fn max<'v>(
        #[starlark(require = pos)] limit: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        budget(eval)?;
        Ok(Assertion::alloc(eval.heap(), Rule::Max, vec![limit]))
    }

    /// Asserts a least length.
    fn min_len<'v>(
        #[starlark(require = pos)] limit: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        budget(eval)?;
        Ok(Assertion::alloc(eval.heap(), Rule::MinLength, vec![limit]))
    }

    /// Asserts a greatest length.
    fn max_len<'v>(
        #[starlark(require = pos)] limit: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        budget(eval)?;
        Ok(Assertion::alloc(eval.heap(), Rule::MaxLength, vec![limit]))
    }

    /// Asserts that a value is there; at once if it is given.
    fn not_null<'v>(
        #[starlark(args)] args: UnpackTuple<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        match args.items.as_slice() {
            [] => Ok(Assertion::alloc(eval.heap(), Rule::NotNull, Vec::new())),
            [value] => {
                Rule::NotNull.check(&[], *value, eval)?;
                Ok(Value::new_bool(true))
            }
            _ => Err(failure("assert.not_null: got more than one argument")),
        }
    }

    /// Asserts that exactly one of some values, or of all, is there.
    fn one_not_null<'v>(
        #[starlark(args)] args: UnpackTuple<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let heap = eval.heap();
        let keys = match args.items.as_slice() {
            [] => Vec::new(),
            [all] if all.unpack_bool() == Some(true) => Vec::new(),
            [keys] if value::sequence(*keys, heap)?.is_some() => args.items,
            [other] => {
                let kind = other.get_type();
                return Err(failure(format!(
                    "assert.one_not_null: expected a sequence of keys, but was a '{kind}'"
                )));
            }
            _ => return Err(failure("assert.one_not_null: got more than one argument")),
        };
        Ok(Assertion::alloc(heap, Rule::OneNotNull, keys))
    }

    /// Asserts that a value is among others.
    fn one_of<'v>(
        #[starlark(args)] args: UnpackTuple<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let heap = eval.heap();
        let values = match args.items.as_slice() {
            [] => return Err(failure("assert.one_of: expected at least one argument")),
            [one] => value::sequence(*one, heap)?.ok_or_else(|| {
                let kind = one.get_type();
                failure(format!(
                    "assert.one_of: expected a sequence, but was a '{kind}'"
                ))
            })?,
            _ => args.items,
        };
        Ok(Assertion::alloc(heap, Rule::OneOf, values))
    }
}

#[derive(Clone, Copy, Debug, Trace, Allocative)]
enum Rule {
    Min,
    Max,
    MinLength,
    MaxLength,
    NotNull,
    OneNotNull,
    OneOf,
}

impl Rule {
    fn check<'v>(
        self,
        arguments: &[Value<'v>],
        value: Value<'v>,
        eval: &Evaluator<'v, '_, '_>,
    ) -> starlark::Result<()> {
        let heap = eval.heap();
        let limit = arguments.first().copied().unwrap_or_default();
        let length = |value: Value<'v>| value.length().map(|length| heap.alloc(length));
        let (holds, message) = match self {
            Self::Min => (
                order(value, limit, eval)? != Ordering::Less,
                "the value is too small",
            ),
            Self::Max => (
                order(value, limit, eval)? != Ordering::Greater,
                "the value is too large",
            ),
            Self::MinLength => (
                length(value)?.compare(limit)? != Ordering::Less,
                "the length is too small",
            ),
            Self::MaxLength => (
                length(value)?.compare(limit)? != Ordering::Greater,
                "the length is too large",
            ),
            Self::NotNull => (!value.is_none(), "the value is null"),
            Self::OneNotNull => {
                let wanted = match arguments.first() {
                    Some(keys) => value::sequence(*keys, heap)?,
                    None => None,
                };
                let entries = value::entries(value, heap)
                    .ok_or_else(|| failure("check: expected a map, but was something else"))?;
                let mut found = 0;
                for (key, value) in entries {
                    let asked = wanted.as_ref().is_none_or(|keys| contains(keys, key));
                    found += usize::from(asked && !value.is_none());
                }
                (found == 1, "not exactly one of the values is there")
            }
            Self::OneOf => (
                contains(arguments, value),
                "the value is not one of those allowed",
            ),
        };
        if holds {
            return Ok(());
        }
        Err(failure(format!("check: {message}")))
    }
}

/// How two values are ordered; a fragment is as a list of the same items.
fn order<'v>(
    value: Value<'v>,
    limit: Value<'v>,
    eval: &Evaluator<'v, '_, '_>,
) -> starlark::Result<Ordering> {
    let (heap, budget) = (eval.heap(), budget(eval)?);
    let plain = |value: Value<'v>| match Fragment::of(value) {
        Some(_) => value::from_plain(&value::to_plain(value, heap, budget)?, heap),
        None => Ok(value),
    };
    plain(value)?.compare(plain(limit)?)
}

fn contains<'v>(values: &[Value<'v>], value: Value<'v>) -> bool {
    values
        .iter()
        .any(|other| other.equals(value).unwrap_or(false))
}

/// What `assert.min(3)` returns.
#[derive(Clone, Debug, Trace, ProvidesStaticType, NoSerialize, Allocative)]
struct Assertion<'v> {
    rule: Rule,
    arguments: Vec<Value<'v>>,
}

impl<'v> Assertion<'v> {
    fn alloc(heap: &'v Heap, rule: Rule, arguments: Vec<Value<'v>>) -> Value<'v> {
        heap.alloc_complex_no_freeze(Self { rule, arguments })
    }
}

impl fmt::Display for Assertion<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("assertion")
    }
}

#[starlark_value(type = "assertion")]
impl<'v> StarlarkValue<'v> for Assertion<'v> {
    /// The check is the assertion itself, called.
    fn get_attr(&self, attribute: &str, heap: &'v Heap) -> Option<Value<'v>> {
        (attribute == "check").then(|| heap.alloc_complex_no_freeze(self.clone()))
    }

    fn dir_attr(&self) -> Vec<String> {
        vec!["check".to_owned()]
    }

    fn invoke(
        &self,
        _me: Value<'v>,
        args: &Arguments<'v, '_>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        budget(eval)?;
        args.no_named_args()?;
        let value = args.positional1(eval.heap())?;
        self.rule.check(&self.arguments, value, eval)?;
        Ok(Value::new_bool(true))
    }
}
