//! Reads the headers by which somebody asks to be somebody else.

use std::fmt::Write;

use super::super::User;
use super::super::quote::{GoList, Quoted};
use crate::status::Status;

const USER: &str = "impersonate-user";
const UID: &str = "impersonate-uid";
const GROUP: &str = "impersonate-group";
const EXTRA: &str = "impersonate-extra-";

/// Whom the headers of a request ask to be, exactly as they say; nothing if there are none.
///
/// Names of headers may be in any case. A server that found somebody removes the headers.
///
/// # Errors
///
/// 400 for groups, a uid or extra values without a user.
pub fn impersonation_wanted<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Option<User>, Status> {
    let mut wanted = User::default();
    let mut found = false;
    // Of several names and uids the first counts, even if it is empty.
    let (mut user, mut uid) = (None, None);
    for (name, value) in headers {
        let is = |header: &str| name.eq_ignore_ascii_case(header);
        if is(USER) {
            user.get_or_insert(value);
        } else if is(UID) {
            uid.get_or_insert(value);
        } else if is(GROUP) {
            found = true;
            wanted.groups.push(value.to_owned());
        } else if let Some((prefix, key)) = name.split_at_checked(EXTRA.len())
            && prefix.eq_ignore_ascii_case(EXTRA)
        {
            found = true;
            let key = unescaped(&key.to_ascii_lowercase());
            wanted.extra.entry(key).or_default().push(value.to_owned());
        }
    }
    user.unwrap_or_default().clone_into(&mut wanted.name);
    uid.unwrap_or_default().clone_into(&mut wanted.uid);
    if !wanted.name.is_empty() {
        return Ok(Some(wanted));
    }
    if found || !wanted.uid.is_empty() {
        let shown = go_user(&wanted);
        let why = format!("requested {shown} without impersonating a user name");
        return Err(Status::bad_request(why));
    }
    Ok(None)
}

/// A key with its `%2f` and the like resolved; the key itself if one of them is wrong.
fn unescaped(key: &str) -> String {
    let mut bytes = Vec::with_capacity(key.len());
    let mut rest = key.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digit = |at: usize| {
            let digit = char::from(*tail.get(at)?).to_digit(16)?;
            u8::try_from(digit).ok()
        };
        let Some((high, low)) = digit(0).zip(digit(1)) else {
            return key.to_owned();
        };
        bytes.push(high << 4 | low);
        rest = &tail[2..];
    }
    String::from_utf8(bytes).unwrap_or_else(|_| key.to_owned())
}

/// A user in Go's syntax.
fn go_user(user: &User) -> String {
    let mut extra = String::from("map[string][]string");
    if user.extra.is_empty() {
        extra.push_str("(nil)");
    } else {
        let pairs: Vec<String> = user
            .extra
            .iter()
            .map(|(key, values)| format!("{}:{}", Quoted(key), GoList(values)))
            .collect();
        // Writing to a text does not fail.
        let _ = write!(extra, "{{{}}}", pairs.join(", "));
    }
    format!(
        "&user.DefaultInfo{{Name:{}, UID:{}, Groups:{}, Extra:{extra}}}",
        Quoted(&user.name),
        Quoted(&user.uid),
        GoList(&user.groups)
    )
}
