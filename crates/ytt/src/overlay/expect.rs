//! How many items an overlay's item has to match.

use starlark::eval::Evaluator;
use starlark::values::Value;
use starlark::values::list::ListRef;

use crate::node::{Annotation, failure};

/// What an annotation says of the number of matches. At most one of the three may be there.
#[derive(Clone, Copy, Default)]
pub(super) struct Expect<'v> {
    pub(super) expects: Option<Value<'v>>,
    pub(super) missing_ok: Option<Value<'v>>,
    pub(super) when: Option<Value<'v>>,
}

/// Whether the number of matches is right.
pub(super) enum Verdict {
    Right,
    /// It is not, and the item asks to be passed over then.
    Skip,
    Wrong(String),
}

impl<'v> Expect<'v> {
    /// Takes a keyword, and returns whether it is one of ours.
    pub(super) fn take(&mut self, name: &str, value: Value<'v>) -> bool {
        match name {
            "expects" => self.expects = Some(value),
            "missing_ok" => self.missing_ok = Some(value),
            "when" => self.when = Some(value),
            _ => return false,
        }
        true
    }

    /// What `overlay/match-child-defaults` says, or else those above.
    pub(super) fn below(
        annotation: Option<&Annotation<'v>>,
        above: Self,
    ) -> starlark::Result<Self> {
        let mut own = Self::default();
        for (name, value) in annotation
            .into_iter()
            .flat_map(|annotation| &annotation.keywords)
        {
            if !own.take(name, *value) {
                return Err(failure(format!(
                    "Unknown 'overlay/match-child-defaults' annotation keyword argument '{name}'"
                )));
            }
        }
        Ok(own.or(above))
    }

    pub(super) fn or(self, above: Self) -> Self {
        Self {
            expects: self.expects.or(above.expects),
            missing_ok: self.missing_ok.or(above.missing_ok),
            when: self.when.or(above.when),
        }
    }

    /// Looks at a number of matches, on these lines.
    pub(super) fn check(
        self,
        lines: &[u32],
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Verdict> {
        let both = |one: &str, other: &str| {
            failure(format!(
                "Expected only one of keyword arguments ('{one}', '{other}') specified"
            ))
        };
        let one = eval.heap().alloc(1);
        let wrong = match (self.missing_ok, self.expects, self.when) {
            (Some(_), Some(_), _) => return Err(both("missing_ok", "expects")),
            (Some(_), _, Some(_)) => return Err(both("missing_ok", "when")),
            (_, Some(_), Some(_)) => return Err(both("when", "expects")),
            (Some(value), None, None) => match value.unpack_bool() {
                Some(true) if lines.is_empty() => None,
                Some(_) => number(one, "missing_ok", lines, eval)?,
                None => {
                    return Err(failure(
                        "Expected keyword argument 'missing_ok' to be a boolean",
                    ));
                }
            },
            (None, Some(value), None) => number(value, "expects", lines, eval)?,
            (None, None, None) => number(one, "expects", lines, eval)?,
            (None, None, Some(value)) => {
                return Ok(match number(value, "when", lines, eval)? {
                    None => Verdict::Right,
                    Some(_) => Verdict::Skip,
                });
            }
        };
        Ok(wrong.map_or(Verdict::Right, Verdict::Wrong))
    }
}

/// What is wrong with a number of matches.
fn number<'v>(
    wanted: Value<'v>,
    keyword: &str,
    lines: &[u32],
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<Option<String>> {
    let count = lines.len();
    if wanted.get_type() == "int" {
        let fits = wanted
            .unpack_i32()
            .and_then(|wanted| usize::try_from(wanted).ok());
        return Ok((fits != Some(count)).then(|| {
            let wanted = wanted.to_str();
            format!(
                "Expected number of matched nodes to be {wanted}, but was {count}{}",
                places(lines)
            )
        }));
    }
    if let Some(text) = wanted.unpack_str() {
        let Some(least) = text.strip_suffix('+').and_then(|text| text.parse().ok()) else {
            return Err(failure(format!(
                "Expected '{text}' to be in format 'i+' where i is an integer"
            )));
        };
        return Ok((count < least).then(|| {
            format!(
                "Expected number of matched nodes to be >= {least}, but was {count}{}",
                places(lines)
            )
        }));
    }
    if let Some(list) = ListRef::from_value(wanted) {
        let mut last = None;
        for wanted in list.iter().collect::<Vec<_>>() {
            // A list within itself would never end.
            if ListRef::from_value(wanted).is_some() {
                return Err(failure(format!(
                    "Expected '{keyword}' to hold no lists in its list"
                )));
            }
            last = number(wanted, keyword, lines, eval)?;
            if last.is_none() {
                return Ok(None);
            }
        }
        return Ok(last);
    }
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    let count = eval.heap().alloc(count);
    match eval.eval_function(wanted, &[count], &[])?.unpack_bool() {
        Some(true) => Ok(None),
        Some(false) => Ok(Some(
            "Expectation of number of matched nodes failed".to_owned(),
        )),
        None => Err(failure(format!(
            "Expected keyword argument '{keyword}' to have a function that returns a boolean"
        ))),
    }
}

fn places(lines: &[u32]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let lines: Vec<_> = lines.iter().map(u32::to_string).collect();
    format!(" (lines: {})", lines.join(", "))
}
