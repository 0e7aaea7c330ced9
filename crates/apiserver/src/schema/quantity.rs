//! Quantities such as `500m` and `1Gi` in the form in which the genuine server writes them.
//!
//! External rule: `Quantity` of k8s.io/apimachinery, pkg/api/resource.

/// A billionth: nothing smaller is told apart.
const NANO: i128 = 1_000_000_000;
/// Larger amounts are cut off upstream.
const MAX: i128 = i64::MAX as i128;

const DECIMAL: [(&str, i32); 10] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// How an amount is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Decimal,
    Binary,
    Exponent,
}

/// The canonical form: no fraction, the largest suffix that leaves none. None where the text is no
/// quantity or an amount that is out of range.
pub(crate) fn canonical(text: &str) -> Option<String> {
    let (nanos, format) = parse(text.trim())?;
    if nanos == 0 {
        return Some("0".to_owned());
    }
    if format == Format::Binary && nanos.abs() >= 1024 * NANO && nanos % NANO == 0 {
        let mut amount = nanos / NANO;
        let mut power = 0;
        while amount % 1024 == 0 && power + 1 < BINARY.len() {
            amount /= 1024;
            power += 1;
        }
        return Some(format!("{amount}{}", BINARY[power]));
    }
    let mut amount = nanos;
    let mut exponent = -9;
    while amount % 1000 == 0 && exponent < 18 {
        amount /= 1000;
        exponent += 3;
    }
    if format == Format::Exponent {
        return Some(match exponent {
            0 => amount.to_string(),
            exponent => format!("{amount}e{exponent}"),
        });
    }
    let suffix = DECIMAL.iter().find(|(_, known)| *known == exponent)?.0;
    Some(format!("{amount}{suffix}"))
}

/// An amount in billionths, rounded up; none where the text is no quantity or out of range.
pub(crate) fn billionths(text: &str) -> Option<i128> {
    parse(text.trim()).map(|(amount, _)| amount)
}

/// The amount in billionths, rounded up.
fn parse(text: &str) -> Option<(i128, Format)> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, suffix) = rest.split_at(end.unwrap_or(rest.len()));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = whole.len() + fraction.len();
    // More digits than fit are left alone, as are texts that hold none.
    if digits == 0 || digits > 27 || fraction.contains('.') {
        return None;
    }
    let mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = i32::try_from(fraction.len()).ok()?;
    let (format, factor, exponent) = factor(suffix)?;
    // mantissa * factor * 10^(exponent - scale), in billionths.
    let power = exponent - scale + 9;
    let amount = mantissa.checked_mul(factor)?;
    let nanos = if power >= 0 {
        amount.checked_mul(ten(power)?)?
    } else {
        let divisor = ten(-power)?;
        // Away from zero.
        (amount + divisor - 1) / divisor
    };
    if nanos / NANO > MAX {
        return None;
    }
    Some((if negative { -nanos } else { nanos }, format))
}

fn factor(suffix: &str) -> Option<(Format, i128, i32)> {
    if let Some((_, exponent)) = DECIMAL.iter().find(|(known, _)| *known == suffix) {
        return Some((Format::Decimal, 1, *exponent));
    }
    if let Some(power) = BINARY.iter().position(|known| *known == suffix) {
        return Some((Format::Binary, 1_i128 << (10 * power), 0));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    Some((Format::Exponent, 1, exponent.parse().ok()?))
}

fn ten(power: i32) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(power).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_without_fractions_and_with_the_largest_suffix() {
        for (text, wanted) in [
            ("0", Some("0")),
            ("0Mi", Some("0")),
            ("1", Some("1")),
            ("0.5", Some("500m")),
            ("1500m", Some("1500m")),
            ("1000m", Some("1")),
            ("100", Some("100")),
            ("1000", Some("1k")),
            ("2.50Gi", Some("2560Mi")),
            ("1024Mi", Some("1Gi")),
            ("0.1Gi", Some("107374182400m")),
            ("512", Some("512")),
            ("0.5Ki", Some("512")),
            ("1e3", Some("1e3")),
            ("1e2", Some("100")),
            ("7E", Some("7E")),
            ("-1.5", Some("-1500m")),
            ("0.1n", Some("1n")),
            (".5", Some("500m")),
            ("5.", Some("5")),
            ("1x", None),
            ("", None),
            ("1e99999999999", None),
            ("9223372036854775808", None),
        ] {
            assert_eq!(canonical(text).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn the_canonical_form_is_its_own() {
        for text in ["1500m", "2560Mi", "1k", "1e3", "107374182400m", "7Ei"] {
            assert_eq!(canonical(text).as_deref(), Some(text));
        }
    }
}
