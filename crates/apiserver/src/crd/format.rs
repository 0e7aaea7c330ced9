//! The formats of text that a schema may ask for (`format`), as kube-openapi's `strfmt` knows them.
//! Other formats say nothing.

mod network;
mod number;
mod time;

use std::sync::LazyLock;

use regex::Regex;

/// A format that is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Format(&'static Known);

struct Known {
    /// Without dashes, which do not count.
    name: &'static str,
    is: fn(&str) -> bool,
}

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Known {}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const fn known(name: &'static str, is: fn(&str) -> bool) -> Known {
    Known { name, is }
}

static KNOWN: [Known; 26] = [
    known("bsonobjectid", |text| {
        text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    }),
    known("uri", network::is_uri),
    known("email", network::is_email),
    known("hostname", network::is_hostname),
    known("ipv4", network::is_ipv4),
    known("ipv6", network::is_ipv6),
    known("cidr", network::is_cidr),
    known("mac", network::is_mac),
    known("uuid", |text| UUID.is_match(text)),
    known("uuid3", |text| UUID3.is_match(text)),
    known("uuid4", |text| UUID4.is_match(text)),
    known("uuid5", |text| UUID5.is_match(text)),
    known("isbn", |text| {
        number::is_isbn10(text) || number::is_isbn13(text)
    }),
    known("isbn10", number::is_isbn10),
    known("isbn13", number::is_isbn13),
    known("creditcard", number::is_credit_card),
    known("ssn", |text| text.len() == 11 && SSN.is_match(text)),
    known("hexcolor", |text| HEX_COLOR.is_match(text)),
    known("rgbcolor", |text| RGB_COLOR.is_match(text)),
    known("byte", is_base64),
    known("password", |_| true),
    known("date", time::is_date),
    known("duration", time::is_duration),
    known("datetime", time::is_date_time),
    known("k8sshortname", |text| {
        text.len() <= 63 && SHORT_NAME.is_match(text)
    }),
    known("k8slongname", |text| {
        text.len() <= 253 && text.split('.').all(|part| SHORT_NAME.is_match(part))
    }),
];

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("patterns of this file are valid, a test compiles all")
}

static UUID: LazyLock<Regex> = LazyLock::new(|| uuid("[0-9a-f]{4}", "[0-9a-f]{4}"));
static UUID3: LazyLock<Regex> = LazyLock::new(|| uuid("3[0-9a-f]{3}", "[0-9a-f]{4}"));
static UUID4: LazyLock<Regex> = LazyLock::new(|| uuid("4[0-9a-f]{3}", "[89ab][0-9a-f]{3}"));
static UUID5: LazyLock<Regex> = LazyLock::new(|| uuid("5[0-9a-f]{3}", "[89ab][0-9a-f]{3}"));
static SSN: LazyLock<Regex> = LazyLock::new(|| pattern("^[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}$"));
static HEX_COLOR: LazyLock<Regex> =
    LazyLock::new(|| pattern("^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"));
static RGB_COLOR: LazyLock<Regex> = LazyLock::new(|| {
    let part = "(0|[1-9][0-9]?|1[0-9][0-9]?|2[0-4][0-9]|25[0-5])";
    let space = "[\\t\\n\\x0C\\r ]*";
    pattern(&format!(
        "^rgb\\({space}{part}{space},{space}{part}{space},{space}{part}{space}\\)$"
    ))
});
static SHORT_NAME: LazyLock<Regex> = LazyLock::new(|| pattern("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"));

fn uuid(third: &str, fourth: &str) -> Regex {
    pattern(&format!(
        "(?i)^[0-9a-f]{{8}}-?[0-9a-f]{{4}}-?{third}-?{fourth}-?[0-9a-f]{{12}}$"
    ))
}

/// Whether this is standard base64 with padding; the bits that padding leaves over do not count.
fn is_base64(text: &str) -> bool {
    let bare = text.trim_end_matches('=');
    let body = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    !bare.is_empty()
        && text.len().is_multiple_of(4)
        && text.len() - bare.len() <= 2
        && bare.bytes().all(body)
}

impl Format {
    /// The format of a name; none when nothing is known of it.
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = name.replace('-', "");
        KNOWN.iter().find(|known| known.name == name).map(Self)
    }

    /// Whether a text has it.
    pub(super) fn holds(self, text: &str) -> bool {
        (self.0.is)(text)
    }
}

#[cfg(test)]
mod tests;
