//! Quantities in the canonical form that Go writes: `1000m` is `1`, `1024Mi` is `1Gi`.

use serde_json::Value;

/// Billionths, the finest that a quantity knows.
const NANO: i128 = 1_000_000_000;

/// The canonical text of a quantity; what is none is returned as it is.
pub(super) fn canonical(value: &Value) -> Value {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return value.clone(),
    };
    parse(&text).map_or_else(|| value.clone(), |quantity| Value::from(quantity.text()))
}

#[derive(Clone, Copy)]
enum Format {
    Binary,
    Decimal,
    Exponent,
}

struct Quantity {
    nanos: i128,
    format: Format,
}

fn parse(text: &str) -> Option<Quantity> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let end = unsigned
        .find(|char: char| !char.is_ascii_digit() && char != '.')
        .unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let (factor, tens, format) = unit(suffix)?;
    let digits: i128 = format!("0{whole}{fraction}").parse().ok()?;
    let tens = tens + 9 - i32::try_from(fraction.len()).ok()?;
    let scaled = digits.checked_mul(factor)?;
    let nanos = if tens >= 0 {
        scaled.checked_mul(10_i128.checked_pow(tens.unsigned_abs())?)?
    } else {
        let divisor = 10_i128.checked_pow(tens.unsigned_abs())?;
        // What is finer than a billionth is rounded away from zero.
        scaled / divisor + i128::from(scaled % divisor != 0)
    };
    Some(Quantity {
        nanos: if negative { -nanos } else { nanos },
        format,
    })
}

/// What a suffix multiplies with: a factor, and a power of ten.
fn unit(suffix: &str) -> Option<(i128, i32, Format)> {
    if let Some(power) = BINARY.iter().position(|known| *known == suffix) {
        let power = u32::try_from(power + 1).ok()?;
        return Some((1024_i128.pow(power), 0, Format::Binary));
    }
    if let Some(step) = DECIMAL.iter().position(|known| *known == suffix) {
        let tens = i32::try_from(step).ok()? * 3 - 9;
        return Some((1, tens, Format::Decimal));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    let tens: i32 = exponent.parse().ok()?;
    (-30..=30)
        .contains(&tens)
        .then_some((1, tens, Format::Exponent))
}

const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];

impl Quantity {
    fn text(&self) -> String {
        if self.nanos == 0 {
            return "0".to_owned();
        }
        match self.format {
            Format::Binary if self.nanos % NANO == 0 && self.nanos.abs() >= 1024 * NANO => {
                self.binary()
            }
            Format::Binary | Format::Decimal => {
                let (number, tens) = self.thousands(18);
                let step = usize::try_from((tens + 9) / 3).unwrap_or_default();
                format!("{number}{}", DECIMAL[step])
            }
            Format::Exponent => match self.thousands(36) {
                (number, 0) => number.to_string(),
                (number, tens) => format!("{number}e{tens}"),
            },
        }
    }

    fn binary(&self) -> String {
        let mut number = self.nanos / NANO;
        let mut suffix = "";
        for next in BINARY {
            if number % 1024 != 0 {
                break;
            }
            number /= 1024;
            suffix = next;
        }
        format!("{number}{suffix}")
    }

    /// The number without its thousands, and the power of ten that they are.
    fn thousands(&self, most: i32) -> (i128, i32) {
        let (mut number, mut tens) = (self.nanos, -9);
        while number % 1000 == 0 && tens < most {
            number /= 1000;
            tens += 3;
        }
        (number, tens)
    }
}
