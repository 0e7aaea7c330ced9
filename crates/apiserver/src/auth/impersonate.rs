//! Asking as somebody else: whoever may `impersonate` a user, their groups, uid and extra values is
//! served as them.
//!
//! Upstream's constrained ways (`ConstrainedImpersonation`), which allow to be somebody for some
//! requests alone, are left out.

use super::rbac::Rules;
use super::user::{
    ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED, service_account_groups, service_account_of,
};
use super::{Attributes, ResourceAttributes, User};
use crate::request::percent_decoded;
use crate::status::Status;

const USER: &str = "impersonate-user";
const UID: &str = "impersonate-uid";
const GROUP: &str = "impersonate-group";
const EXTRA: &str = "impersonate-extra-";

/// Whom the headers of a request ask to be, exactly as they say; nothing if there are none.
///
/// Names of headers may be in any case. What they say is text in UTF-8.
///
/// # Errors
///
/// 400 for groups, a uid or extra values without a user, and for what is no text: to overlook it would be to
/// serve the request as somebody with more rights.
pub(crate) fn impersonation_wanted<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<Option<User>, Status> {
    let mut wanted = User::default();
    // Of several names and uids the first counts, even if it is empty.
    let (mut user, mut uid) = (None, None);
    for (name, value) in headers {
        let is = |header: &str| name.eq_ignore_ascii_case(header);
        let extra = name
            .split_at_checked(EXTRA.len())
            .filter(|(prefix, _)| prefix.eq_ignore_ascii_case(EXTRA))
            .map(|(_, key)| key);
        if !(is(USER) || is(UID) || is(GROUP) || extra.is_some()) {
            continue;
        }
        let value = std::str::from_utf8(value)
            .map_err(|_| Status::bad_request(format!("the header {name} is no text in UTF-8")))?;
        if is(USER) {
            user.get_or_insert(value);
        } else if is(UID) {
            uid.get_or_insert(value);
        } else if is(GROUP) {
            wanted.groups.push(value.to_owned());
        } else if let Some(key) = extra {
            let key = key.to_ascii_lowercase();
            let key = percent_decoded(&key).unwrap_or(key);
            wanted.extra.entry(key).or_default().push(value.to_owned());
        }
    }
    user.unwrap_or_default().clone_into(&mut wanted.name);
    uid.unwrap_or_default().clone_into(&mut wanted.uid);
    if !wanted.name.is_empty() {
        return Ok(Some(wanted));
    }
    if wanted == User::default() {
        return Ok(None);
    }
    let why = "requested groups, a uid or extra values without impersonating a user name";
    Err(Status::bad_request(why))
}

/// Lets a user be another for a request, with the groups that belong to that one.
///
/// # Errors
///
/// 403 if no rule allows it.
pub(crate) fn impersonate(rules: &Rules, requestor: &User, wanted: &User) -> Result<User, Status> {
    let check = |resource| {
        let asked = Attributes::resource("impersonate", resource);
        rules.authorize(requestor, &asked)
    };
    let plain = |resource, name| ResourceAttributes {
        resource,
        name,
        ..ResourceAttributes::default()
    };
    let special = |resource, subresource, name| ResourceAttributes {
        group: "authentication.k8s.io",
        subresource,
        ..plain(resource, name)
    };
    let account = service_account_of(&wanted.name);
    check(match account {
        Some((namespace, name)) => ResourceAttributes {
            namespace,
            ..plain("serviceaccounts", name)
        },
        None => plain("users", &wanted.name),
    })?;
    if !wanted.uid.is_empty() {
        check(special("uids", "", &wanted.uid))?;
    }
    for group in &wanted.groups {
        check(plain("groups", group))?;
    }
    for (key, values) in &wanted.extra {
        for value in values {
            check(special("userextras", key, value))?;
        }
    }
    let mut user = wanted.clone();
    if let Some((namespace, _)) = account
        && user.groups.is_empty()
    {
        user.groups = service_account_groups(namespace);
    }
    let group = match &*user.name {
        ANONYMOUS => UNAUTHENTICATED,
        _ if user.is_in(UNAUTHENTICATED) => return Ok(user),
        _ => AUTHENTICATED,
    };
    if !user.is_in(group) {
        user.groups.push(group.to_owned());
    }
    Ok(user)
}
