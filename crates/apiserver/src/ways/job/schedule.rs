//! When a CronJob runs.
//!
//! External rules: `ParseStandard` of github.com/robfig/cron v3, in its words, and `validateTimeZone` of
//! k8s.io/kubernetes, pkg/apis/batch/validation. Whether a time zone exists is not looked up.

use serde_json::Value;

use crate::status::go_quote;
use crate::validate::Path;
use crate::ways::fault::Faults;
use crate::ways::part::Part as _;

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// The five fields: their least and their greatest values, and the names of the first ones.
const FIELDS: [(u64, u64, &[&str]); 5] = [
    (0, 59, &[]),
    (0, 23, &[]),
    (1, 31, &[]),
    (1, 12, &MONTHS),
    (0, 6, &DAYS),
];
const DESCRIPTORS: [&str; 7] = [
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    "@hourly",
];

/// Looks at `schedule`, `startingDeadlineSeconds` and `timeZone`.
pub(super) fn check(spec: &Value, old: &Value, at: &Path<'_>, faults: &mut Faults) {
    let (schedule, schedule_at) = (spec.text("schedule"), at.field("schedule"));
    let names_zone = schedule.contains("TZ");
    if schedule.is_empty() {
        faults.required(&schedule_at, "");
    } else {
        if let Err(why) = parse(schedule) {
            faults.invalid(&schedule_at, schedule, why);
        }
        let may = old.text("schedule").contains("TZ");
        if names_zone && may && spec.has("timeZone") {
            let why = "cannot use both timeZone field and TZ or CRON_TZ in schedule";
            faults.invalid(&schedule_at, schedule, why);
        } else if names_zone && !may {
            let why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
            faults.invalid(&schedule_at, schedule, why);
        }
    }
    faults.none_negative(at, spec, &["startingDeadlineSeconds"]);
    if (old.is_null() || spec["timeZone"] != old["timeZone"])
        && let Some(zone) = spec["timeZone"].as_str()
    {
        time_zone(zone, &at.field("timeZone"), faults);
    }
}

fn time_zone(zone: &str, at: &Path<'_>, faults: &mut Faults) {
    if zone.is_empty() {
        faults.invalid(at, zone, "timeZone must be nil or non-empty string");
        return;
    }
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-_+".contains(&byte);
    let is_part = |part: &str| {
        (1..=14).contains(&part.len())
            && part.bytes().all(known)
            && !part.starts_with('-')
            && !matches!(part, "." | "..")
    };
    if !zone.split('/').all(is_part) {
        faults.invalid(at, zone, format!("unknown time zone {zone}"));
    } else if zone.eq_ignore_ascii_case("local") {
        let why =
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        faults.invalid(at, zone, why);
    }
}

fn parse(schedule: &str) -> Result<(), String> {
    let mut rest = schedule;
    if rest.starts_with("TZ=") || rest.starts_with("CRON_TZ=") {
        let Some((_, behind)) = rest.split_once(' ') else {
            let range = rest.find('=').unwrap_or(0) + 1;
            return Err(format!(
                "invalid schedule format: runtime error: slice bounds out of range [{range}:-1]"
            ));
        };
        rest = behind.trim();
    }
    if rest.starts_with('@') {
        let every = rest.strip_prefix("@every ");
        return if DESCRIPTORS.contains(&rest) || every.is_some_and(|every| !every.is_empty()) {
            Ok(())
        } else {
            Err(format!("unrecognized descriptor: {rest}"))
        };
    }
    let fields: Vec<&str> = rest.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        let (count, shown) = (fields.len(), fields.join(" "));
        return Err(format!(
            "expected exactly 5 fields, found {count}: [{shown}]"
        ));
    }
    for (field, bounds) in fields.iter().zip(FIELDS) {
        for range in field.split(',').filter(|range| !range.is_empty()) {
            check_range(range, bounds)?;
        }
    }
    Ok(())
}

fn check_range(text: &str, (least, most, names): (u64, u64, &[&str])) -> Result<(), String> {
    let mut halves = text.split('/');
    let range = halves.next().unwrap_or_default();
    let (step, more) = (halves.next(), halves.next());
    let mut ends = range.split('-');
    let first = ends.next().unwrap_or_default();
    let second = ends.next();
    let number = |text: &str| {
        let lower = text.to_ascii_lowercase();
        match names.iter().position(|name| *name == lower) {
            Some(at) => Ok(at as u64 + least),
            None => integer(text),
        }
    };
    let (start, mut end) = if matches!(first, "*" | "?") {
        (least, most)
    } else {
        let start = number(first)?;
        match second {
            None => (start, start),
            Some(_) if ends.next().is_some() => return Err(format!("too many hyphens: {text}")),
            Some(second) => (start, number(second)?),
        }
    };
    let step = match (step, more) {
        (_, Some(_)) => return Err(format!("too many slashes: {text}")),
        (None, None) => 1,
        (Some(step), None) => {
            let step = integer(step)?;
            if second.is_none() {
                end = most;
            }
            step
        }
    };
    if start < least {
        Err(format!(
            "beginning of range ({start}) below minimum ({least}): {text}"
        ))
    } else if end > most {
        Err(format!(
            "end of range ({end}) above maximum ({most}): {text}"
        ))
    } else if start > end {
        Err(format!(
            "beginning of range ({start}) beyond end of range ({end}): {text}"
        ))
    } else if step == 0 {
        Err(format!("step of range should be a positive number: {text}"))
    } else {
        Ok(())
    }
}

fn integer(text: &str) -> Result<u64, String> {
    match text.parse::<i64>() {
        Ok(number) => u64::try_from(number)
            .map_err(|_| format!("negative number ({number}) not allowed: {text}")),
        Err(_) => Err(format!(
            "failed to parse int from {text}: strconv.Atoi: parsing {}: invalid syntax",
            go_quote(text)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_read_as_the_genuine_parser_reads_them() {
        for (schedule, wrong) in [
            ("* * * * *", None),
            ("*/5 0-6 1,15 jan-mar MON", None),
            ("@hourly", None),
            ("@every 1h", None),
            ("@never", Some("unrecognized descriptor: @never")),
            ("* * *", Some("expected exactly 5 fields, found 3: [* * *]")),
            (
                "60 * * * *",
                Some("end of range (60) above maximum (59): 60"),
            ),
            (
                "* * 0 * *",
                Some("beginning of range (0) below minimum (1): 0"),
            ),
            (
                "5-1 * * * *",
                Some("beginning of range (5) beyond end of range (1): 5-1"),
            ),
            (
                "*/0 * * * *",
                Some("step of range should be a positive number: */0"),
            ),
            ("1-2-3 * * * *", Some("too many hyphens: 1-2-3")),
            (
                "x * * * *",
                Some("failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax"),
            ),
        ] {
            let found = parse(schedule).err();
            assert_eq!(found.as_deref(), wrong, "{schedule}");
        }
    }
}
