//! How commands read times: as `spec.interval` of a Shipment is written.

use std::time::Duration;

use k8s_openapi::jiff::SignedDuration;

/// Reads a duration such as `5m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let read = text
        .parse::<SignedDuration>()
        .ok()
        .and_then(|read| read.try_into().ok());
    read.ok_or_else(|| "it is no duration such as `30s` or `5m`".to_owned())
}

/// Reads how often something is done again.
pub(crate) fn interval(text: &str) -> Result<Duration, String> {
    let read = duration(text)?;
    if read < Duration::from_secs(1) {
        return Err("less than a second is too often".to_owned());
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, as_duration: Result<u64, &str>, as_interval: Result<u64, &str>) {
        let shown = |read: Result<Duration, String>| match read {
            Ok(read) => read.as_millis().to_string(),
            Err(why) => why,
        };
        let wanted = |wanted: Result<u64, &str>| match wanted {
            Ok(millis) => millis.to_string(),
            Err(why) => why.to_owned(),
        };
        assert_eq!(shown(duration(text)), wanted(as_duration), "{text}");
        assert_eq!(shown(interval(text)), wanted(as_interval), "{text}");
    }

    #[test]
    fn both_read_alike_and_differ_in_what_is_too_often() {
        check("1m30s", Ok(90_000), Ok(90_000));
        check("500ms", Ok(500), Err("less than a second is too often"));
        check("0s", Ok(0), Err("less than a second is too often"));
        for text in ["", "5", "often", "-5m"] {
            let no = Err("it is no duration such as `30s` or `5m`");
            check(text, no, no);
        }
    }
}
