//! Formats, by the tables upstream tests them with.

use super::*;

#[track_caller]
fn check(format: &str, good: &[&str], bad: &[&str]) {
    let format = Format::named(format).expect("it is known");
    for text in good {
        assert!(format.holds(text), "{text:?} is {format:?}");
    }
    for text in bad {
        assert!(!format.holds(text), "{text:?} is no {format:?}");
    }
}

/// From the tables of kube-openapi's `strfmt` and of its copy of govalidator.
#[test]
fn formats_are_those_of_upstream() {
    let ids = [
        "a8098c1a-f86e-11da-bd1a-00112444be1e",
        "bcd02e22-68f0-3046-a512-327cca9def8f",
        "025b0d74-00a2-4048-bf57-227c5111bb34",
        "886313e1-3b8a-5372-9b90-0c9aee199e5d",
    ];
    check(
        "ipv4",
        &["192.168.254.1", "010.0.0.1", "::ffff:1.2.3.4"],
        &["", "1.2.3", "1.2.3.256", "::1", "1.2.3.x"],
    );
    check(
        "ipv6",
        &["::1", "::ffff:1.2.3.4"],
        &["127.0.0.1", "1:2", "::1%eth0"],
    );
    check("uuid", &ids, &["not-a-uuid", ""]);
    check(
        "byte",
        &["U3dhZ2dlciByb2Nrcw==", "YWJj"],
        &["", "a", "====", "YWJ", "YW-j"],
    );
    check(
        "date-time",
        &[
            "2014-12-15T19:30:20.000Z",
            "2011-08-18T19:03:37.123000000+01:00",
            "2014-12-15t19:30:20z",
            "2014-12-15T23:59:59Z",
        ],
        &[
            "2014-12-15T19:30:20",
            "2014-12-15 19:30:20Z",
            "2014-12-15T24:00:00Z",
            "2014-12-15T19:60:20Z",
            "x",
            "",
        ],
    );
}

#[test]
fn other_formats_are_not_known() {
    assert!(Format::named("nice").is_none() && Format::named("").is_none());
    assert!(Format::named("datetime").is_some() && Format::named("hex-color").is_some());
}
