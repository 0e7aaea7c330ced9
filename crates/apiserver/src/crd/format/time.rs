//! Dates, times and durations.

use std::sync::LazyLock;

use regex::Regex;

static TIME: LazyLock<Regex> = LazyLock::new(|| {
    super::pattern("^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$")
});
static SPOKEN: LazyLock<Regex> =
    LazyLock::new(|| super::pattern("([0-9]+)[\\t\\n\\x0C\\r ]*([A-Za-zµ]+)"));

/// Whether this is a day, as in `2006-01-02`.
pub(super) fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(index, byte)| match index {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let number = |part: &str| part.parse::<i8>().ok();
    shaped
        && text[..4].parse().is_ok_and(|year| {
            let (month, day) = (number(&text[5..7]), number(&text[8..]));
            month
                .zip(day)
                .is_some_and(|(month, day)| jiff::civil::Date::new(year, month, day).is_ok())
        })
}

/// Whether this is a point in time of RFC 3339, or nearly so: upstream looks no closer.
pub(super) fn is_date_time(text: &str) -> bool {
    let text = text.to_lowercase();
    let mut parts = text.split('t');
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else {
        return false;
    };
    is_date(date)
        && TIME
            .captures(time)
            .is_some_and(|parts| &parts[1] <= "23" && &parts[2] <= "59" && &parts[3] <= "59")
}

/// Whether this is a span of time: `1h30m` as Go writes it, or `2 days`.
pub(super) fn is_duration(text: &str) -> bool {
    if is_go_duration(text) {
        return true;
    }
    let mut found = false;
    for part in SPOKEN.captures_iter(text) {
        if part[1].parse::<i64>().is_err() {
            return false;
        }
        found |= is_spoken_unit(&part[2].to_lowercase());
    }
    found
}

fn is_spoken_unit(unit: &str) -> bool {
    const EXACT: [&str; 11] = ["ns", "us", "µs", "ms", "s", "m", "h", "hr", "d", "w", "wk"];
    const START: [&str; 8] = [
        "nano", "micro", "milli", "sec", "min", "hour", "day", "week",
    ];
    EXACT.contains(&unit) || START.iter().any(|start| unit.starts_with(start))
}

fn is_go_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    let mut seconds = 0.0;
    let mut parts = 0;
    while !rest.is_empty() {
        let number = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (value, after) = rest.split_at(number);
        let length = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(length);
        let factor = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return false,
        };
        let digits = value.bytes().any(|byte| byte.is_ascii_digit());
        let Ok(value) = format!("0{value}0").parse::<f64>() else {
            return false;
        };
        if !digits {
            return false;
        }
        // A dot at the end of the number was filled up with a zero; without one, the zero made it
        // ten times as large.
        let scale = if rest[..number].contains('.') {
            1.0
        } else {
            0.1
        };
        seconds += value * scale * factor;
        parts += 1;
        rest = after;
    }
    // Go counts nanoseconds in 63 bits.
    parts > 0 && seconds <= 9_223_372_036.0
}
