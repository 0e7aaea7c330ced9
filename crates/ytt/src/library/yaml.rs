//! `@ytt:yaml`.

use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::Value;

use crate::compile::plain::documents;
use crate::library::text_of;
use crate::node::{Fragment, failure};
use crate::plain::Plain;
use crate::run::budget;
use crate::value;
use crate::yaml::emit::emit;
use crate::yaml::parse;

#[starlark_module]
pub(super) fn functions(globals: &mut GlobalsBuilder) {
    /// The YAML of a value.
    fn encode<'v>(
        #[starlark(require = pos)] value: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<String> {
        let text = text(value, eval)?;
        budget(eval)?.text(text.len())?;
        Ok(text)
    }

    /// The value of YAML with one document.
    fn decode<'v>(
        #[starlark(require = pos)] text: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let text = text_of("yaml.decode", text)?;
        let budget = budget(eval)?;
        budget.text(text.len())?;
        let stream = parse(text, budget.limits).map_err(|problem| {
            let line = problem.place.line;
            failure(format!(
                "yaml.decode: line {line} of the text: {}",
                problem.message
            ))
        })?;
        budget.nodes(stream.nodes.len())?;
        let mut documents = documents(&stream);
        let document = documents.pop().unwrap_or(Plain::Null);
        if !documents.is_empty() {
            return Err(failure("yaml.decode: expected exactly one document"));
        }
        value::from_plain(&document, eval.heap())
    }
}

/// The YAML of a value. Of an empty fragment it is nothing, as that of an empty document.
pub(super) fn text<'v>(value: Value<'v>, eval: &Evaluator<'v, '_, '_>) -> starlark::Result<String> {
    let budget = budget(eval)?;
    if Fragment::of(value).is_some_and(|fragment| fragment.items().is_empty()) {
        return Ok(String::new());
    }
    Ok(emit(&value::to_plain(value, eval.heap(), budget)?))
}
