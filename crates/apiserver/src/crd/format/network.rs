//! Addresses and names of machines.

use std::net::Ipv6Addr;
use std::sync::LazyLock;

use regex::Regex;

/// Whether Go's `url.ParseRequestURI` takes this: an absolute path, or a scheme and more.
pub(super) fn is_uri(text: &str) -> bool {
    if text.is_empty() || text.bytes().any(|byte| byte.is_ascii_control()) {
        return false;
    }
    if text == "*" {
        return true;
    }
    let Some((scheme, rest)) = split_scheme(text) else {
        return false;
    };
    let rest = rest.split_once('?').map_or(rest, |(path, _)| path);
    if !rest.starts_with('/') {
        return scheme;
    }
    let path = match rest.strip_prefix("//") {
        Some(rest) if scheme => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            if !is_authority(authority) {
                return false;
            }
            path
        }
        _ => rest,
    };
    is_escaped(path)
}

/// Whether there is a scheme, and what follows it; none when the scheme is broken.
fn split_scheme(text: &str) -> Option<(bool, &str)> {
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if index > 0 => {}
            b':' if index == 0 => return None,
            b':' => return Some((true, &text[index + 1..])),
            _ => return Some((false, text)),
        }
    }
    Some((false, text))
}

fn is_escaped(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let hex = after.as_bytes().get(..2);
        hex.is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    })
}

fn is_authority(text: &str) -> bool {
    let (user, host) = text.rsplit_once('@').unwrap_or(("", text));
    let user_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
    if !user.bytes().all(user_byte) || !is_escaped(user) {
        return false;
    }
    let port = if host.starts_with('[') {
        match host.rsplit_once(']') {
            Some((_, port)) => port,
            None => return false,
        }
    } else {
        host.rfind(':').map_or("", |at| &host[at..])
    };
    let port = port.strip_prefix(':').unwrap_or(port);
    let host_byte = |byte: u8| {
        !byte.is_ascii()
            || byte.is_ascii_alphanumeric()
            || b"-_.~!$&'()*+,;=:[]<>\"%".contains(&byte)
    };
    port.bytes().all(|byte| byte.is_ascii_digit())
        && host.bytes().all(host_byte)
        && is_escaped(host)
}

static HOST_PART: LazyLock<Regex> = LazyLock::new(|| super::pattern("^[a-zA-Z0-9\\p{S}\\p{L}-]+$"));
static HOST_TOP: LazyLock<Regex> = LazyLock::new(|| super::pattern("^[a-zA-Z\\p{L}]+$"));

/// Whether this is the name of a machine; letters and symbols of any script will do.
pub(super) fn is_hostname(text: &str) -> bool {
    let part = |part: &str, most: usize| {
        !part.starts_with('-')
            && !part.ends_with('-')
            && part.chars().count() <= most
            && HOST_PART.is_match(part)
    };
    if text.len() > 255 || text.split('.').any(|part| part.len() > 63) {
        return false;
    }
    let Some((parts, top)) = text.rsplit_once('.') else {
        // Alone, a name may have a dash after its first letter, and nowhere else.
        let after_first = text.char_indices().nth(1).map_or("", |(at, _)| &text[at..]);
        let tail = after_first.strip_prefix('-').unwrap_or(after_first);
        let head = &text[..text.len() - after_first.len()];
        let plain = |text: &str| !text.contains('-') && HOST_PART.is_match(text);
        return plain(head) && (tail.is_empty() || plain(tail));
    };
    parts.split('.').all(|it| part(it, 63))
        && (2..=63).contains(&top.chars().count())
        && HOST_TOP.is_match(top)
}

/// Whether this is an address of IPv4. Leading zeros are tolerated, as is one within IPv6.
pub(super) fn is_ipv4(text: &str) -> bool {
    is_dotted(text) || (text.contains('.') && is_ipv6(text))
}

fn is_dotted(text: &str) -> bool {
    let mut count = 0;
    for part in text.split('.') {
        count += 1;
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || !part.parse().is_ok_and(|number: u32| number <= 255) {
            return false;
        }
    }
    count == 4
}

/// Whether this is an address of IPv6.
pub(super) fn is_ipv6(text: &str) -> bool {
    text.contains(':') && text.parse::<Ipv6Addr>().is_ok()
}

/// Whether this is an address and the length of its network's prefix.
pub(super) fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else {
        return false;
    };
    let most = if is_dotted(address) {
        32
    } else if is_ipv6(address) {
        128
    } else {
        return false;
    };
    let digits = length.bytes().all(|byte| byte.is_ascii_digit());
    digits && length.parse().is_ok_and(|length: u32| length <= most)
}
