//! Whether a text without quotes would still be read as a text.

/// Whether a YAML reader, of YAML 1.1 or 1.2, takes the bare text for a text.
pub(super) fn reads_as_text(text: &str) -> bool {
    !(is_word(text) || is_old_bool(text) || is_number_or_time(text) || is_base_60(text))
}

fn is_word(text: &str) -> bool {
    matches!(
        text,
        "" | "~"
            | "null"
            | "Null"
            | "NULL"
            | "true"
            | "True"
            | "TRUE"
            | "false"
            | "False"
            | "FALSE"
            | ".nan"
            | ".NaN"
            | ".NAN"
            | ".inf"
            | ".Inf"
            | ".INF"
            | "+.inf"
            | "+.Inf"
            | "+.INF"
            | "-.inf"
            | "-.Inf"
            | "-.INF"
    )
}

/// Booleans of YAML 1.1 that 1.2 has no more.
fn is_old_bool(text: &str) -> bool {
    matches!(
        text,
        "y" | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "off"
            | "Off"
            | "OFF"
    )
}

fn is_number_or_time(text: &str) -> bool {
    match text.as_bytes().first() {
        Some(b'.') => is_dotted_float(text),
        Some(b'+' | b'-' | b'0'..=b'9') => {
            let plain = text.replace('_', "");
            is_timestamp(text) || is_integer(&plain) || is_float(&plain)
        }
        _ => false,
    }
}

/// A float that begins with its point, which may have underscores between its digits.
fn is_dotted_float(text: &str) -> bool {
    let bytes = text.as_bytes();
    let well_separated = (0..bytes.len()).all(|at| {
        bytes[at] != b'_'
            || at > 0
                && bytes[at - 1].is_ascii_digit()
                && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
    });
    well_separated && is_float(&text.replace('_', ""))
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`, and not too large for a float.
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (number, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && is_digits(digits)
    });
    is_digits(whole)
        && is_digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent_fits
        && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Whether Go's `strconv` reads an integer of 64 bits, with the prefixes of any base.
fn is_integer(text: &str) -> bool {
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'+') => ("+", &text[1..]),
        Some(b'-') => ("-", &text[1..]),
        _ => ("", text),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, rest) = match lower.get(..2) {
        Some("0x") => (16, &lower[2..]),
        Some("0b") => (2, &lower[2..]),
        Some("0o") => (8, &lower[2..]),
        _ if lower.len() > 1 && lower.starts_with('0') => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    let in_base = fits(sign, rest, base);
    // 0b and 0o in lower case are tried again, by a reader that takes a sign behind them.
    let again = match (sign, digits.get(..2)) {
        ("" | "-", Some("0b")) => signed_fits(sign, &digits[2..], 2),
        ("" | "-", Some("0o")) => signed_fits(sign, &digits[2..], 8),
        _ => false,
    };
    in_base || again
}

fn fits(sign: &str, digits: &str, base: u32) -> bool {
    let is_digits = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(base));
    let signed = format!("{sign}{digits}");
    is_digits
        && (i64::from_str_radix(&signed, base).is_ok()
            || sign.is_empty() && u64::from_str_radix(digits, base).is_ok())
}

fn signed_fits(sign: &str, digits: &str, base: u32) -> bool {
    match digits.strip_prefix(['+', '-']) {
        Some(rest) if sign.is_empty() => fits(&digits[..1], rest, base),
        Some(_) => false,
        None => fits(sign, digits, base),
    }
}

/// `^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$`: numbers in base 60, as in 12:30.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_tail = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let (number, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut parts = number.split(':');
    let first = parts.next().unwrap_or_default();
    let rest: Vec<_> = parts.collect();
    let is_sixtieth = |part: &&str| match part.as_bytes() {
        [digit] | [b'0'..=b'5', digit] => digit.is_ascii_digit(),
        _ => false,
    };
    first.starts_with(|first: char| first.is_ascii_digit())
        && is_tail(first)
        && !rest.is_empty()
        && rest.iter().all(is_sixtieth)
        && is_tail(fraction)
}

/// A date, or a date and a time, in the forms that go-yaml tries.
fn is_timestamp(text: &str) -> bool {
    let mut reader = Reader(text);
    let Some((year, month, day)) = reader.date() else {
        return false;
    };
    if day < 1 || day > days(year, month) {
        return false;
    }
    match reader.0.chars().next() {
        None => true,
        Some('T' | 't') => {
            reader.skip();
            reader.time().is_some() && reader.zone().is_some() && reader.0.is_empty()
        }
        Some(' ') => {
            reader.skip();
            reader.time().is_some() && reader.0.is_empty()
        }
        Some(_) => false,
    }
}

fn days(year: u32, month: u32) -> u32 {
    let leaps = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leaps => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

struct Reader<'t>(&'t str);

impl Reader<'_> {
    fn skip(&mut self) {
        self.0 = &self.0[1..];
    }

    fn literal(&mut self, char: char) -> Option<()> {
        self.0 = self.0.strip_prefix(char)?;
        Some(())
    }

    /// A number of at least and at most so many digits.
    fn number(&mut self, least: usize, most: usize) -> Option<u32> {
        let length = self
            .0
            .bytes()
            .take(most)
            .take_while(u8::is_ascii_digit)
            .count();
        if length < least {
            return None;
        }
        let (digits, rest) = self.0.split_at(length);
        self.0 = rest;
        digits.parse().ok()
    }

    fn date(&mut self) -> Option<(u32, u32, u32)> {
        let year = self.number(4, 4)?;
        self.literal('-')?;
        let month = self.number(1, 2).filter(|month| (1..=12).contains(month))?;
        self.literal('-')?;
        let day = self.number(1, 2)?;
        Some((year, month, day))
    }

    fn time(&mut self) -> Option<()> {
        self.number(1, 2).filter(|hour| *hour < 24)?;
        self.literal(':')?;
        self.number(1, 2).filter(|minute| *minute < 60)?;
        self.literal(':')?;
        self.number(1, 2).filter(|second| *second < 60)?;
        // A point without digits behind it is no fraction, and then nothing fits it.
        if let Some(rest) = self.0.strip_prefix(['.', ',']) {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if digits > 0 {
                self.0 = &rest[digits..];
            }
        }
        Some(())
    }

    fn zone(&mut self) -> Option<()> {
        if let Some(rest) = self.0.strip_prefix('Z') {
            self.0 = rest;
            return Some(());
        }
        self.0 = self.0.strip_prefix(['+', '-'])?;
        self.number(2, 2).filter(|hour| *hour <= 24)?;
        self.literal(':')?;
        self.number(2, 2).filter(|minute| *minute <= 60)?;
        Some(())
    }
}
