//! `@ytt:regexp`.

use regex::{Regex, RegexBuilder};
use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::Value;

use crate::library::text_of;
use crate::limits::Limits;
use crate::node::failure;
use crate::run::budget;

#[starlark_module]
pub(super) fn functions(globals: &mut GlobalsBuilder) {
    /// Whether a pattern is found in a text.
    fn r#match<'v>(
        #[starlark(require = pos)] pattern: Value<'v>,
        #[starlark(require = pos)] text: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<bool> {
        let pattern = compiled("regexp.match", pattern, budget(eval)?.limits)?;
        Ok(pattern.is_match(text_of("regexp.match", text)?))
    }

    /// The text with another in place of each match: one with `$1` in it, or what a function makes
    /// of the match.
    fn replace<'v>(
        #[starlark(require = pos)] pattern: Value<'v>,
        #[starlark(require = pos)] text: Value<'v>,
        #[starlark(require = pos)] replacement: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<String> {
        let limits = budget(eval)?.limits;
        let pattern = compiled("regexp.replace", pattern, limits)?;
        let text = text_of("regexp.replace", text)?;
        let mut out = String::new();
        let mut rest = 0;
        for captures in pattern.captures_iter(text) {
            let Some(whole) = captures.get(0) else {
                continue;
            };
            let before = out.len();
            out.push_str(&text[rest..whole.start()]);
            rest = whole.end();
            if let Some(template) = replacement.unpack_str() {
                captures.expand(template, &mut out);
            } else {
                let found = eval.heap().alloc(whole.as_str());
                let value = eval.eval_function(replacement, &[found], &[])?;
                out.push_str(text_of("regexp.replace", value)?);
            }
            budget(eval)?.text(out.len() - before)?;
        }
        out.push_str(&text[rest..]);
        Ok(out)
    }
}

fn compiled(function: &str, pattern: Value<'_>, limits: &Limits) -> starlark::Result<Regex> {
    let pattern = text_of(function, pattern)?;
    if pattern.len() > limits.pattern {
        return Err(failure(format!("{function}: the pattern is too long")));
    }
    RegexBuilder::new(pattern)
        .size_limit(limits.compiled_pattern)
        .build()
        // What the crate says shows the pattern over several lines.
        .map_err(|_| failure(format!("{function}: the pattern is no regular expression")))
}
