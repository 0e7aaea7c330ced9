//! Dates and times.

use std::sync::LazyLock;

use regex::Regex;

static TIME: LazyLock<Regex> = LazyLock::new(|| {
    super::pattern("^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$")
});

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
