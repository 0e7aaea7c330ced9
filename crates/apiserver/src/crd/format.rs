//! The formats of text that a schema may ask for (`format`), as kube-openapi's `strfmt` knows them: those
//! that definitions use. Other formats say nothing.

mod time;

use std::sync::LazyLock;

use regex::Regex;

/// A format that is checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format(Check);

/// Whether a text has a format.
type Check = fn(&str) -> bool;

/// The formats, by their names without dashes, which do not count.
static KNOWN: [(&str, Check); 6] = [
    ("ipv4", is_ipv4),
    ("ipv6", is_ipv6),
    ("uuid", |text| UUID.is_match(text)),
    ("byte", is_base64),
    ("date", time::is_date),
    ("datetime", time::is_date_time),
];

/// Formats that the genuine server checks and this one does not.
const UNCHECKED: [&str; 20] = [
    "hostname",
    "cidr",
    "uri",
    "duration",
    "bsonobjectid",
    "email",
    "mac",
    "uuid3",
    "uuid4",
    "uuid5",
    "isbn",
    "isbn10",
    "isbn13",
    "creditcard",
    "ssn",
    "hexcolor",
    "rgbcolor",
    "password",
    "k8sshortname",
    "k8slongname",
];

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("patterns of this file are valid, a test compiles all")
}

static UUID: LazyLock<Regex> = LazyLock::new(|| {
    pattern("(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$")
});

/// Whether this is standard base64 with padding; the bits that padding leaves over do not count.
fn is_base64(text: &str) -> bool {
    let bare = text.trim_end_matches('=');
    let body = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    !bare.is_empty()
        && text.len().is_multiple_of(4)
        && text.len() - bare.len() <= 2
        && bare.bytes().all(body)
}

/// Whether this is an address of IPv4. Leading zeros are tolerated, as is one within IPv6.
fn is_ipv4(text: &str) -> bool {
    let part = |part: &str| {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits && part.parse().is_ok_and(|number: u32| number <= 255)
    };
    let is_dotted = text.split('.').count() == 4 && text.split('.').all(part);
    is_dotted || (text.contains('.') && is_ipv6(text))
}

/// Whether this is an address of IPv6.
fn is_ipv6(text: &str) -> bool {
    text.contains(':') && text.parse::<std::net::Ipv6Addr>().is_ok()
}

impl Format {
    /// The format of a name; none when nothing is known of it.
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = name.replace('-', "");
        let known = KNOWN.iter().find(|(known, _)| *known == name);
        let unchecked = || UNCHECKED.contains(&&*name).then_some(Self(|_| true));
        known.map(|(_, is)| Self(*is)).or_else(unchecked)
    }

    /// Whether a text has it.
    pub(super) fn holds(self, text: &str) -> bool {
        (self.0)(text)
    }
}

#[cfg(test)]
mod tests;
