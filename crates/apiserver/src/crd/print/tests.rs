//! Durations, by the table upstream tests them with.

use super::*;

#[test]
fn durations_are_written_as_kubectl_writes_them() {
    // The table of upstream's `util/duration`.
    for (seconds, text) in [
        (-2, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (1, "1s"),
        (70, "70s"),
        (70 * 60, "70m"),
        (119, "119s"),
        (120, "2m"),
        (121, "2m1s"),
        (47 * 3600, "47h"),
        (49 * 3600, "2d1h"),
        (70 * 3600, "2d22h"),
        (10 * 60, "10m"),
        (9 * 60 + 59, "9m59s"),
        (3 * 3600, "3h"),
        (7 * 3600 + 60, "7h1m"),
        (8 * 3600 + 60, "8h"),
        (48 * 3600, "2d"),
        (7 * 86400 + 3600, "7d1h"),
        (8 * 86400 + 3600, "8d"),
        (70 * 86400, "70d"),
        (365 * 86400 * 2 - 1, "729d"),
        (365 * 86400 * 2, "2y"),
        (365 * 86400 * 7 + 70 * 86400, "7y70d"),
        (365 * 86400 * 8 + 86400, "8y"),
    ] {
        assert_eq!(human_duration(seconds), text, "{seconds}");
    }
}
