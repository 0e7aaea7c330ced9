//! Numbers as Go writes them.

/// An integer as a float, to the nearest.
#[expect(
    clippy::cast_precision_loss,
    reason = "what Go's float64 loses is lost here, too"
)]
pub(crate) fn approximate(value: i128) -> f64 {
    value as f64
}

/// The integer that a float is, if it is one that Go prints without exponent.
#[expect(clippy::cast_possible_truncation, reason = "whole and below 1e21")]
pub(crate) fn whole(value: f64) -> Option<i128> {
    (value.is_finite() && value.fract() == 0.0 && value.abs() < 1e21).then_some(value as i128)
}

/// `strconv.FormatFloat(f, 'g', -1, 64)`, with YAML's words for what is not finite.
pub(crate) fn shortest(value: f64) -> String {
    if let Some(word) = word(value) {
        return word.to_owned();
    }
    let (digits, exponent) = parts(&format!("{:e}", value.abs()));
    sign(value) + &layout(&digits, exponent, -4..6)
}

/// C's and Go's `%g` with six digits, as `str` of a float writes it.
pub(crate) fn six_digits(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+inf" } else { "-inf" }.to_owned();
    }
    let (digits, exponent) = parts(&format!("{:.5e}", value.abs()));
    sign(value) + &layout(digits.trim_end_matches('0'), exponent, -4..6)
}

/// A float as Go's `encoding/json` writes it.
pub(crate) fn json(value: f64) -> String {
    let (digits, exponent) = parts(&format!("{:e}", value.abs()));
    let plain = value == 0.0 || (1e-6..1e21).contains(&value.abs());
    let range = if plain { i32::MIN..i32::MAX } else { 0..0 };
    let text = layout(&digits, exponent, range);
    // Only here a negative exponent loses its leading zero.
    sign(value) + &text.replace("e-0", "e-")
}

fn word(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        return Some(".nan");
    }
    value
        .is_infinite()
        .then_some(if value > 0.0 { ".inf" } else { "-.inf" })
}

fn sign(value: f64) -> String {
    if value.is_sign_negative() { "-" } else { "" }.to_owned()
}

/// Digits without point, and the exponent of the first one, of Rust's scientific notation.
fn parts(scientific: &str) -> (String, i32) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    (mantissa.replace('.', ""), exponent.parse().unwrap_or(0))
}

/// Digits with a point where the exponent is in the range, with an exponent elsewhere.
fn layout(digits: &str, exponent: i32, plain: std::ops::Range<i32>) -> String {
    let digits = if digits.is_empty() { "0" } else { digits };
    if !plain.contains(&exponent) {
        let (first, rest) = digits.split_at(1);
        let rest = rest.trim_end_matches('0');
        let point = if rest.is_empty() { "" } else { "." };
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{first}{point}{rest}e{sign}{:02}", exponent.abs());
    }
    let Ok(before) = usize::try_from(exponent) else {
        let zeros = "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0));
        return format!("0.{zeros}{digits}");
    };
    if digits.len() <= before + 1 {
        return format!("{digits}{}", "0".repeat(before + 1 - digits.len()));
    }
    let (whole, fraction) = digits.split_at(before + 1);
    format!("{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_go_writes_them() {
        let table = [
            (2.0, "2", "2", "2"),
            (1e6, "1e+06", "1e+06", "1000000"),
            (100_000.0, "100000", "100000", "100000"),
            (123_456_789.0, "1.23456789e+08", "1.23457e+08", "123456789"),
            (-0.0, "-0", "-0", "-0"),
            (0.1, "0.1", "0.1", "0.1"),
            (123.123, "123.123", "123.123", "123.123"),
            (0.000_012_5, "1.25e-05", "1.25e-05", "0.0000125"),
            (1.5e-7, "1.5e-07", "1.5e-07", "1.5e-7"),
            (1e21, "1e+21", "1e+21", "1e+21"),
            (0.000_1, "0.0001", "0.0001", "0.0001"),
        ];
        for (value, yaml, text, encoded) in table {
            assert_eq!(shortest(value), yaml);
            assert_eq!(six_digits(value), text);
            assert_eq!(json(value), encoded);
        }
        assert_eq!(shortest(f64::INFINITY), ".inf");
    }
}
