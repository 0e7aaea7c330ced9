//! Rules for single values, in the words of upstream's `apimachinery/pkg/util/validation`.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::Value;

/// A number that is out of its range.
pub(super) fn range(number: i64, low: i64, high: i64) -> Option<String> {
    let fault = || format!("must be between {low} and {high}, inclusive");
    (!(low..=high).contains(&number)).then(fault)
}

/// A port's number.
pub(super) fn port(number: i64) -> Option<String> {
    range(number, 1, 65_535)
}

/// A port's name.
pub(super) fn port_name(name: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if name.len() > 15 {
        faults.push("must be no more than 15 characters".to_owned());
    }
    let letter = |byte: u8| byte.is_ascii_lowercase();
    let known = |byte: u8| letter(byte) || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || !name.bytes().all(known) {
        faults.push(
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned(),
        );
    }
    if !name.bytes().any(letter) {
        faults.push("must contain at least one letter (a-z)".to_owned());
    }
    if name.contains("--") {
        faults.push("must not contain consecutive hyphens".to_owned());
    }
    if name.starts_with('-') || name.ends_with('-') {
        faults.push("must not begin or end with a hyphen".to_owned());
    }
    faults
}

/// A key of a ConfigMap or a Secret.
pub(super) fn config_key(key: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if key.len() > 253 {
        faults.push("must be no more than 253 characters".to_owned());
    }
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if key.is_empty() || !key.bytes().all(known) {
        faults.push("a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')".to_owned());
    }
    faults.extend(match key {
        "." => Some("must not be '.'".to_owned()),
        ".." => Some("must not be '..'".to_owned()),
        key if key.starts_with("..") => Some("must not start with '..'".to_owned()),
        _ => None,
    });
    faults
}

/// The name of an environment variable.
pub(super) fn variable(name: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if name.is_empty() {
        faults.push("environment variable name must be non-empty".to_owned());
    }
    let known = |c: char| matches!(c, ' '..='~') && c != '=';
    if !name.chars().all(known) {
        faults.push("a valid environment variable name must consist only of printable ASCII characters other than '='".to_owned());
    }
    faults
}

/// A share such as `25%`.
pub(super) fn percent(text: &str) -> Option<String> {
    let fault = || {
        "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')".to_owned()
    };
    percentage(text).is_none().then(fault)
}

/// The number in a share.
pub(super) fn percentage(text: &str) -> Option<i64> {
    let digits = text.strip_suffix('%')?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // What does not fit is a large number all the same.
    Some(digits.parse().unwrap_or(i64::MAX))
}

/// The number in a share or the number itself; 0 for other texts.
pub(super) fn share(value: &Value) -> i64 {
    match value {
        Value::String(text) => percentage(text).unwrap_or_else(|| text.parse().unwrap_or(0)),
        other => other.as_i64().unwrap_or(0),
    }
}

/// An IP address as Go reads it: with leading zeros, if they have to be.
pub(super) fn ip(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        return text.parse().ok();
    }
    let mut bytes = [0; 4];
    let mut parts = text.split('.');
    for byte in &mut bytes {
        let part = parts.next()?;
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *byte = part.parse().ok()?;
    }
    parts.next().is_none().then(|| Ipv4Addr::from(bytes).into())
}

/// What is wrong with an IP address of an old field, which need not be in its canonical form.
pub(super) fn ip_faults(text: &str) -> Vec<String> {
    let Some(address) = ip(text) else {
        return vec!["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)".to_owned()];
    };
    let mut faults = Vec::new();
    if address.is_ipv4() && text.parse::<Ipv4Addr>().is_err() {
        faults.push("must not have leading 0s".to_owned());
    }
    if let IpAddr::V6(address) = address
        && address.to_ipv4_mapped().is_some()
    {
        faults.push("must not be an IPv4-mapped IPv6 address".to_owned());
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_go_reads_them() {
        for (text, faults) in [
            ("10.0.0.1", 0),
            ("010.0.0.1", 1),
            ("::ffff:10.0.0.1", 1),
            ("fe80::1", 0),
            ("10.0.0", 1),
            ("10.0.0.1.1", 1),
            ("", 1),
        ] {
            assert_eq!(ip_faults(text).len(), faults, "{text}");
        }
    }

    #[test]
    fn shares_are_numbers_or_percentages() {
        for (value, number) in [("25%", 25), ("x", 0), ("5", 5), ("%", 0)] {
            assert_eq!(share(&Value::from(value)), number, "{value}");
        }
        assert_eq!(share(&Value::from(3)), 3);
        assert!(percent("10").is_some() && percent("10%").is_none());
    }
}
