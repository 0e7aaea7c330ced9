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

/// The id of a user or a group.
pub(super) fn id(number: i64) -> Option<String> {
    range(number, 0, i64::from(i32::MAX))
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

/// The name of a header of HTTP.
pub(super) fn header(name: &str) -> Option<String> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let fault = || {
        "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')".to_owned()
    };
    (name.is_empty() || !name.bytes().all(known)).then(fault)
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

/// What is wrong with an IP address that traffic is to be sent to.
pub(super) fn endpoint_faults(text: &str) -> Vec<String> {
    let Some(address) = ip(text) else {
        return vec!["must be a valid IP address".to_owned()];
    };
    let mut faults = Vec::new();
    if address.is_unspecified() {
        faults.push(format!("may not be unspecified ({text})"));
    }
    if address.is_loopback() {
        faults.push("may not be in the loopback range (127.0.0.0/8, ::1/128)".to_owned());
    }
    let (link_local, multicast) = match address {
        IpAddr::V4(address) => (
            address.is_link_local(),
            address.octets().starts_with(&[224, 0, 0]),
        ),
        IpAddr::V6(address) => (
            address.is_unicast_link_local(),
            address.segments()[0] & 0xff0f == 0xff02,
        ),
    };
    if link_local {
        faults.push("may not be in the link-local range (169.254.0.0/16, fe80::/10)".to_owned());
    }
    if multicast {
        faults.push(
            "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)".to_owned(),
        );
    }
    faults
}

/// A network: its first address as a number of 128 bits, and how many of them are its own.
#[derive(Clone, Copy)]
pub(super) struct Network {
    first: u128,
    bits: u32,
    is_v4: bool,
}

impl Network {
    /// Reads `10.0.0.0/8`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        if bits.is_empty() || bits.len() > 3 || !bits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let bits: u32 = bits.parse().ok()?;
        let address = ip(address)?;
        let (first, offset, most) = match address {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 96, 32),
            IpAddr::V6(address) => (u128::from(address), 0, 128),
        };
        (bits <= most).then_some(Self {
            first,
            bits: bits + offset,
            is_v4: address.is_ipv4(),
        })
    }

    /// Whether another network is a part of this one, and not all of it.
    pub(super) fn is_around(self, other: Self) -> bool {
        let cut = |address: u128| address.checked_shr(128 - self.bits).unwrap_or(0);
        self.is_v4 == other.is_v4 && self.bits < other.bits && cut(self.first) == cut(other.first)
    }

    fn has_spare_bits(self) -> bool {
        let spare = 128 - self.bits;
        let mask = 1_u128.checked_shl(spare).map_or(u128::MAX, |bit| bit - 1);
        self.first & mask != 0
    }
}

/// What is wrong with a network of an old field.
pub(super) fn network_faults(text: &str) -> Vec<String> {
    let Some(network) = Network::read(text) else {
        return vec!["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)".to_owned()];
    };
    let (address, bits) = text.split_once('/').unwrap_or_default();
    let mut faults = Vec::new();
    let zeros = (bits.len() > 1 && bits.starts_with('0')) || address.parse::<IpAddr>().is_err();
    if zeros {
        faults.push("must not have leading 0s in IP or prefix length".to_owned());
    } else if let Ok(IpAddr::V6(address)) = address.parse::<IpAddr>()
        && address.to_ipv4_mapped().is_some()
    {
        faults.push("must not have an IPv4-mapped IPv6 address".to_owned());
    } else if network.has_spare_bits() {
        faults.push("must not have bits set beyond the prefix length".to_owned());
    }
    faults
}

/// A DNS name whose first part is `*`.
pub(super) fn wildcard(name: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if name.len() > 253 {
        faults.push("must be no more than 253 characters".to_owned());
    }
    let rest = name.strip_prefix("*.").unwrap_or_default();
    let is_name = !crate::validate::dns1123_subdomain(rest)
        .iter()
        .any(|fault| fault.starts_with('a'));
    if !is_name {
        faults.push("a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')".to_owned());
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks_are_read_as_go_reads_them() {
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
        for (text, faults) in [
            ("10.0.0.0/8", 0),
            ("10.0.0.1/8", 1),
            ("10.0.0.0/33", 1),
            ("::/0", 0),
            ("0.0.0.0/0", 0),
            ("fe80::/64", 0),
            ("10.0.0.0", 1),
        ] {
            assert_eq!(network_faults(text).len(), faults, "{text}");
        }
        let network = |text: &str| Network::read(text).expect("a network");
        assert!(network("10.0.0.0/8").is_around(network("10.1.0.0/16")));
        assert!(!network("10.0.0.0/8").is_around(network("11.0.0.0/16")));
        assert!(!network("10.0.0.0/8").is_around(network("10.0.0.0/8")));
        assert!(network("0.0.0.0/0").is_around(network("10.0.0.0/8")));
        assert!(network("::/0").is_around(network("fe80::/64")));
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
