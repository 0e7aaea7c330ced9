//! Rules for numbers. Go tells whole numbers of 64 bits from others, and so do its sentences.

use serde_json::{Number, Value, json};

use super::{Outcome, Rules, Walk};
use crate::status::{FieldError, go_float};
use crate::validate::Path;

/// Bounds of a number.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Numbers {
    pub(in super::super) maximum: Option<f64>,
    pub(in super::super) exclusive_maximum: bool,
    pub(in super::super) minimum: Option<f64>,
    pub(in super::super) exclusive_minimum: bool,
    pub(in super::super) multiple_of: Option<f64>,
}

#[derive(Clone, Copy)]
enum Known {
    Whole(i64),
    Other(f64),
}

impl Known {
    fn of(number: &Number) -> Self {
        number.as_i64().map_or_else(
            || Self::Other(number.as_f64().unwrap_or_default()),
            Self::Whole,
        )
    }

    #[expect(clippy::cast_precision_loss, reason = "as upstream's float64(value)")]
    fn as_float(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Other(number) => number,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "as upstream's int64(value)"
)]
fn as_whole(number: f64) -> i64 {
    number as i64
}

/// Whether a number has no fraction, give or take what calculating may leave (go-openapi's
/// `IsFloat64AJSONInteger`).
pub(super) fn is_whole(number: f64) -> bool {
    const LARGEST: f64 = 9_007_199_254_740_991.0;
    const TINY: f64 = 1e-9;
    if !number.is_finite() || number.abs() > LARGEST {
        return false;
    }
    let rounded = number.trunc();
    let difference = (number - rounded).abs();
    // Upstream rounds by way of an unsigned number, so that it is strict below zero.
    difference == 0.0 || (number > 0.0 && rounded > 0.0 && difference / (number + rounded) < TINY)
}

/// Whether a value is one of the options, by Go's conversions between numbers.
#[expect(clippy::float_cmp, reason = "equality is what is asked for")]
pub(super) fn same(value: &Value, option: &Value) -> bool {
    match (value, option) {
        // A missing type in Go: `null` is never an option.
        (_, Value::Null) => false,
        (Value::Number(value), Value::Number(option)) => {
            match (Known::of(value), Known::of(option)) {
                (Known::Whole(value), Known::Whole(option)) => value == option,
                (Known::Other(value), Known::Whole(option)) => as_whole(value) == option,
                (value, Known::Other(option)) => value.as_float() == option,
            }
        }
        _ => value == option,
    }
}

impl Walk<'_> {
    pub(super) fn number(&self, rules: &Rules, number: &Number, at: &Path<'_>, out: &mut Outcome) {
        let value = Known::of(number);
        let numbers = &rules.numbers;
        self.range(rules, value, "Checked", at, out);
        if let Some(factor) = numbers.multiple_of {
            let fits = self.range(rules, Known::Other(factor), "MultipleOf", at, out);
            self.multiple(value, factor, fits, at, out);
        }
        if let Some(least) = numbers.minimum {
            let fits = self.range(rules, Known::Other(least), "Minimum boundary", at, out);
            let exclusive = numbers.exclusive_minimum;
            let bound = match value {
                Known::Whole(value) if fits => {
                    let least = as_whole(least);
                    (value < least || (exclusive && value == least)).then(|| least.to_string())
                }
                _ => {
                    let value = value.as_float();
                    (value < least || (exclusive && value <= least)).then(|| go_float(least))
                }
            };
            if let Some(bound) = bound {
                let or_equal = if exclusive { "" } else { "or equal to " };
                let why = || format!("should be greater than {or_equal}{bound}");
                self.invalid(out, at, || json!(number), why);
            }
        }
        if let Some(most) = numbers.maximum {
            let fits = self.range(rules, Known::Other(most), "Maximum boundary", at, out);
            let exclusive = numbers.exclusive_maximum;
            let bound = match value {
                Known::Whole(value) if fits => {
                    let most = as_whole(most);
                    (value > most || (exclusive && value == most)).then(|| most.to_string())
                }
                _ => {
                    let value = value.as_float();
                    (value > most || (exclusive && value >= most)).then(|| go_float(most))
                }
            };
            if let Some(bound) = bound {
                let or_equal = if exclusive { "" } else { "or equal to " };
                let why = || format!("should be less than {or_equal}{bound}");
                self.invalid(out, at, || json!(number), why);
            }
        }
    }

    /// Whether a number, of the object or of the schema, fits the type.
    fn range(
        &self,
        rules: &Rules,
        number: Known,
        what: &str,
        at: &Path<'_>,
        out: &mut Outcome,
    ) -> bool {
        let format = &*rules.format_name;
        let whole = |least: i64, most: i64| match number {
            Known::Whole(number) => (least..=most).contains(&number),
            Known::Other(number) => {
                number.fract() == 0.0
                    && number.abs() < 9_223_372_036_854_775_808.0
                    && (least..=most).contains(&as_whole(number))
            }
        };
        let (kind, fits) = match rules.kinds {
            ["integer"] if format == "int32" => {
                ("integer", whole(i32::MIN.into(), i32::MAX.into()))
            }
            ["integer"] => ("integer", whole(i64::MIN, i64::MAX)),
            ["number"] if format == "float" => {
                ("number", number.as_float().abs() <= f64::from(f32::MAX))
            }
            _ => return true,
        };
        if !fits {
            self.unplaced(out, || {
                let form = if format.is_empty() {
                    "(default format)".to_owned()
                } else {
                    format!("with format {format}")
                };
                format!("{what} value must be of type {kind} {form} in {at}")
            });
        }
        fits
    }

    fn multiple(&self, value: Known, factor: f64, fits: bool, at: &Path<'_>, out: &mut Outcome) {
        let (factor, positive, divides, shown) = match value {
            Known::Whole(value) if fits => {
                let factor = as_whole(factor);
                let divides = factor > 0 && value % factor == 0;
                (json!(factor), factor > 0, divides, json!(value))
            }
            _ => {
                let value = value.as_float();
                let times = if factor < 1.0 {
                    1.0 / factor * value
                } else {
                    value / factor
                };
                (json!(factor), factor > 0.0, is_whole(times), json!(value))
            }
        };
        let factor_text = || {
            factor.as_i64().map_or_else(
                || go_float(factor.as_f64().unwrap_or_default()),
                |factor| factor.to_string(),
            )
        };
        if !positive {
            self.fault(out, || {
                let why = format!(
                    "factor MultipleOf declared for {at} must be positive: {}",
                    factor_text()
                );
                FieldError::invalid(self.place(at), factor.clone(), why)
            });
        } else if !divides {
            let why = || format!("should be a multiple of {}", factor_text());
            self.invalid(out, at, || shown, why);
        }
    }
}
