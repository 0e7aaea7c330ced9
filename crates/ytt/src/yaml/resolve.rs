//! What a plain scalar means: YAML 1.1 as go-yaml v2 reads it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use granit_parser::{ScalarStyle, Tag};

use crate::plain::Plain;

/// The value of a scalar as it was written.
///
/// # Errors
///
/// It is not what its tag says.
pub(crate) fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Plain, String> {
    let own = tag.and_then(|tag| tag.suffix_in_namespace("tag:yaml.org,2002:"));
    match (tag, own) {
        (Some(_), Some(own)) => tagged(&own, text),
        (None, _) if style == ScalarStyle::Plain => Ok(plain(text)),
        // Tags of others say nothing to us.
        _ => Ok(Plain::Text(text.to_owned())),
    }
}

/// The value of a plain scalar without a tag.
pub(crate) fn plain(text: &str) -> Plain {
    if let Some(word) = word(text) {
        return word;
    }
    match text.bytes().next() {
        Some(b'.') => float(text),
        Some(b'+' | b'-' | b'0'..=b'9') => number(text),
        _ => None,
    }
    .unwrap_or_else(|| Plain::Text(text.to_owned()))
}

/// The value of a scalar with a tag of YAML's own, such as `str`.
///
/// # Errors
///
/// The text is nothing of that type.
pub(crate) fn tagged(tag: &str, text: &str) -> Result<Plain, String> {
    let value = match tag {
        "str" | "timestamp" => Plain::Text(text.to_owned()),
        "binary" => {
            let text: String = text.split_whitespace().collect();
            let bytes = STANDARD.decode(text).map_err(|_| "not base64".to_owned())?;
            Plain::Text(String::from_utf8_lossy(&bytes).into_owned())
        }
        _ => plain(text),
    };
    let fits = match (tag, &value) {
        ("bool", value) => matches!(value, Plain::Bool(_)),
        ("int", value) => matches!(value, Plain::Int(_)),
        ("null", value) => matches!(value, Plain::Null),
        ("float", Plain::Int(whole)) => {
            return Ok(Plain::Float(crate::number::approximate(*whole)));
        }
        ("float", value) => matches!(value, Plain::Float(_)),
        _ => true,
    };
    if fits {
        Ok(value)
    } else {
        Err(format!("a scalar tagged !!{tag} is {}", value.kind()))
    }
}

fn word(text: &str) -> Option<Plain> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Plain::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Plain::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Plain::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" => Plain::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Plain::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Plain::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

fn number(text: &str) -> Option<Plain> {
    let text = text.replace('_', "");
    int(&text).map(Plain::Int).or_else(|| float(&text))
}

/// Go's `ParseInt(text, 0, 64)`, then `ParseUint`.
fn int(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.get(..2) {
        Some("0x" | "0X") => (16, &digits[2..]),
        Some("0o" | "0O") => (8, &digits[2..]),
        Some("0b" | "0B") => (2, &digits[2..]),
        Some(start) if start.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    // Rust would take a second sign.
    if !digits.chars().all(|char| char.is_digit(radix)) {
        return None;
    }
    let value = i128::from_str_radix(digits, radix).ok()?;
    let value = if negative { -value } else { value };
    (i128::from(i64::MIN)..=i128::from(u64::MAX))
        .contains(&value)
        .then_some(value)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, unless it is too large.
fn float(text: &str) -> Option<Plain> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    if let Some(exponent) = exponent {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if exponent.is_empty() || !digits(exponent) {
            return None;
        }
    }
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let shaped = digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    let value: f64 = text.parse().ok().filter(|_| shaped)?;
    value.is_finite().then_some(Plain::Float(value))
}

/// Whether go-yaml reads the text as a date, which it then writes in quotes.
pub(crate) fn is_timestamp(text: &str) -> bool {
    let mut rest = text;
    let number = |rest: &mut &str, most: usize, high: u32| -> Option<()> {
        let length = rest
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count()
            .min(most);
        let value: u32 = rest.get(..length)?.parse().ok()?;
        *rest = &rest[length..];
        (value <= high).then_some(())
    };
    let mut date = || {
        let year = rest.get(..5)?;
        if !year[..4].bytes().all(|byte| byte.is_ascii_digit()) || !year.ends_with('-') {
            return None;
        }
        rest = &rest[5..];
        number(&mut rest, 2, 12)?;
        rest = rest.strip_prefix('-')?;
        number(&mut rest, 2, 31)?;
        if rest.is_empty() {
            return Some(());
        }
        let zoned = rest.starts_with(['T', 't']);
        rest = rest.strip_prefix(['T', 't', ' '])?;
        number(&mut rest, 2, 23)?;
        rest = rest.strip_prefix(':')?;
        number(&mut rest, 2, 59)?;
        rest = rest.strip_prefix(':')?;
        number(&mut rest, 2, 59)?;
        if let Some(fraction) = rest.strip_prefix('.') {
            rest = fraction.trim_start_matches(|char: char| char.is_ascii_digit());
        }
        if !zoned {
            return rest.is_empty().then_some(());
        }
        if rest == "Z" {
            return Some(());
        }
        rest = rest.strip_prefix(['+', '-'])?;
        number(&mut rest, 2, 24)?;
        rest = rest.strip_prefix(':')?;
        number(&mut rest, 2, 59)?;
        rest.is_empty().then_some(())
    };
    date().is_some()
}

/// Whether YAML 1.1 has a number in base 60 in it, such as `1:30`.
pub(crate) fn is_base_sixty(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut groups = whole.split(':');
    let first = groups.next().unwrap_or_default();
    let rest: Vec<_> = groups.collect();
    let group = |text: &&str| matches!(text.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    first.starts_with(|char: char| char.is_ascii_digit())
        && first
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
        && !rest.is_empty()
        && rest.iter().all(group)
        && fraction
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests;
