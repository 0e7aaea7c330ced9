//! Plain scalars, by table.

use super::*;

#[test]
fn plain_scalars_mean_what_go_yaml_reads() {
    for text in "y Y yes Yes YES on On ON true True TRUE".split(' ') {
        assert_eq!(plain(text), Plain::Bool(true), "{text}");
    }
    for text in "n N no No NO off Off OFF false False FALSE".split(' ') {
        assert_eq!(plain(text), Plain::Bool(false), "{text}");
    }
    for text in ["", "~", "null", "Null", "NULL"] {
        assert_eq!(plain(text), Plain::Null, "{text}");
    }
    let ints = [
        ("0x1F", 31),
        ("012", 10),
        ("0o14", 12),
        ("0b1", 1),
        ("-0b11", -3),
        ("1_000", 1000),
        ("-5", -5),
        ("+1", 1),
        ("0", 0),
        ("18446744073709551615", 18_446_744_073_709_551_615),
        ("-9223372036854775808", -9_223_372_036_854_775_808),
    ];
    for (text, value) in ints {
        assert_eq!(plain(text), Plain::Int(value), "{text}");
    }
    let floats = [
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("08", 8.0),
        ("09", 9.0),
        ("1.", 1.0),
        ("18446744073709551616", 18_446_744_073_709_551_616.0),
        (".inf", f64::INFINITY),
        ("-.inf", f64::NEG_INFINITY),
    ];
    for (text, value) in floats {
        assert_eq!(plain(text), Plain::Float(value), "{text}");
    }
    for text in [
        "2001-01-01",
        "2001-12-14t21:59:43.10-05:00",
        "12:30:45",
        "1e400",
        "tRue",
        "yEs",
        "nULL",
        "0x",
        "-",
        "+",
        "1-2",
        "1.2.3",
        ".",
        "..",
        "e5",
        "0b2",
        "a1",
        "+-1",
        "_1",
    ] {
        assert_eq!(plain(text), Plain::Text(text.to_owned()), "{text}");
    }
}

#[test]
fn tags_decide() {
    assert_eq!(tagged("str", "1"), Ok(Plain::Text("1".to_owned())));
    assert_eq!(tagged("int", "3"), Ok(Plain::Int(3)));
    assert_eq!(tagged("float", "3"), Ok(Plain::Float(3.0)));
    assert_eq!(tagged("binary", "aGk="), Ok(Plain::Text("hi".to_owned())));
    assert!(tagged("int", "x").is_err());
}

#[test]
fn dates_and_base_sixty_are_told_apart() {
    for text in [
        "2001-01-01",
        "2001-1-2",
        "2001-12-14t21:59:43.10-05:00",
        "2001-12-14 1:2:3",
    ] {
        assert!(is_timestamp(text), "{text}");
    }
    for text in ["2001-13-01", "2001", "2001-01-01x", "éé01-01-01", "20é1-"] {
        assert!(!is_timestamp(text), "{text}");
    }
    assert!(is_base_sixty("1:30") && is_base_sixty("-190:20:30.15"));
    assert!(!is_base_sixty("1:60") && !is_base_sixty("a:30") && !is_base_sixty("80"));
}
