//! What `resourceVersion`, `resourceVersionMatch` and `sendInitialEvents` of a request ask for, and what the
//! genuine server answers to those that make no sense. Lists are given whole, whatever the `limit`, as the
//! API allows; so nothing is ever continued.
//!
//! Sources: `ValidateListOptions` of `apimachinery/pkg/apis/meta/internalversion/validation` and of
//! `apiserver/pkg/storage`, and answers recorded from kube-apiserver v1.36.3.

use crate::status::{About, FieldError, Status};

/// The parameters of a list or a watch, empty where absent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ListQuery<'a> {
    /// `resourceVersion`.
    pub(crate) resource_version: &'a str,
    /// `resourceVersionMatch`.
    pub(crate) version_match: &'a str,
    /// `continue`.
    pub(crate) continues: &'a str,
    /// `limit`, which says no more than whether an older state is asked for.
    pub(crate) limit: i64,
    /// `sendInitialEvents`.
    pub(crate) send_initial_events: Option<bool>,
    /// `allowWatchBookmarks`.
    pub(crate) bookmarks: bool,
}

/// Of which revision a list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Revision {
    /// The latest, once that is this one or later; 0 for whichever.
    AtLeast(u64),
    /// This one.
    Exactly(u64),
}

/// Reads of which revision a list is to be.
///
/// # Errors
/// The genuine server's 422 for parameters that exclude each other, 400 for those that cannot be read, and
/// 410 for what is to go on: clients then ask for the whole list.
pub(crate) fn plan_list(query: &ListQuery<'_>) -> Result<Revision, Status> {
    check_list(query)?;
    if !query.continues.is_empty() {
        return Err(Status::expired(
            "this server gives lists whole: start a new one without the continue parameter",
        ));
    }
    let number = number(query.resource_version)
        .map_err(|fault| Status::bad_request(format!("invalid resource version: {fault}")))?;
    let exact = match query.version_match {
        "Exact" => true,
        "NotOlderThan" => false,
        _ => query.limit > 0,
    };
    Ok(if exact && number > 0 {
        Revision::Exactly(number)
    } else {
        Revision::AtLeast(number)
    })
}

/// Where a watch starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WatchStart {
    /// With the current state, once that is this revision or later.
    State(u64),
    /// With the next change.
    Now,
    /// With the first change after this revision, which may be still to come.
    After(u64),
}

/// What a watch asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WatchPlan {
    /// Where it starts.
    pub(crate) start: WatchStart,
    /// Whether a bookmark with `k8s.io/initial-events-end` follows on the initial state.
    pub(crate) end_bookmark: bool,
}

/// Reads what a watch asks for.
///
/// # Errors
/// The genuine server's 422 for parameters that exclude each other; a version that is no number
/// gets its 500 without a reason.
pub(crate) fn plan_watch(query: &ListQuery<'_>) -> Result<WatchPlan, Status> {
    let mut query = *query;
    let untold = query.send_initial_events.is_none() && query.version_match.is_empty();
    if untold && matches!(query.resource_version, "" | "0") {
        query.send_initial_events = Some(true);
        query.version_match = "NotOlderThan";
    }
    check_watch(&query)?;
    let number = revision_of(query.resource_version)?;
    let asked = query.send_initial_events == Some(true);
    let start = match (query.send_initial_events, number) {
        (Some(true), at_least) => WatchStart::State(at_least),
        (None, 0) => WatchStart::State(0),
        (Some(false), 0) => WatchStart::Now,
        (_, after) => WatchStart::After(after),
    };
    Ok(WatchPlan {
        start,
        end_bookmark: asked && query.bookmarks,
    })
}

/// The revision that a watch or the read of one object names; nothing is 0.
///
/// # Errors
/// The genuine server's 500 without a reason.
pub(crate) fn revision_of(text: &str) -> Result<u64, Status> {
    number(text).map_err(|fault| Status::internal(fault.to_string()))
}

fn refuse(faults: &[FieldError]) -> Result<(), Status> {
    if faults.is_empty() {
        return Ok(());
    }
    let about = About {
        group: "meta.k8s.io",
        resource: "",
        kind: "ListOptions",
    };
    Err(Status::invalid(about, "", faults))
}

fn forbidden(why: &str) -> FieldError {
    FieldError::forbidden("resourceVersionMatch", why)
}

fn unsupported(query: &ListQuery<'_>, known: &[&str]) -> FieldError {
    FieldError::not_supported("resourceVersionMatch", query.version_match.into(), known)
}

fn check_list(query: &ListQuery<'_>) -> Result<(), Status> {
    let mut faults = Vec::new();
    let by = query.version_match;
    if !by.is_empty() {
        if query.resource_version.is_empty() {
            faults.push(forbidden(
                "resourceVersionMatch is forbidden unless resourceVersion is provided",
            ));
        }
        if !matches!(by, "Exact" | "NotOlderThan") {
            faults.push(unsupported(query, &["Exact", "NotOlderThan", ""]));
        }
        if by == "Exact" && query.resource_version == "0" {
            faults.push(forbidden(
                "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
            ));
        }
    }
    if query.send_initial_events.is_some() {
        let why = "sendInitialEvents is forbidden for list";
        faults.push(FieldError::forbidden("sendInitialEvents", why));
    }
    refuse(&faults)
}

fn check_watch(query: &ListQuery<'_>) -> Result<(), Status> {
    let mut faults = Vec::new();
    let by = query.version_match;
    let told = query.send_initial_events.is_some();
    if told && by != "NotOlderThan" {
        faults.push(forbidden(
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ));
    }
    if !by.is_empty() {
        if !told {
            faults.push(forbidden(
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
            ));
        }
        if by != "NotOlderThan" {
            faults.push(unsupported(query, &["NotOlderThan"]));
        }
    }
    refuse(&faults)
}

/// Go's `strconv.ParseUint`; nothing is 0.
fn number(text: &str) -> Result<u64, FieldError> {
    if text.is_empty() {
        return Ok(0);
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let why = match text.parse() {
        Ok(number) if digits => return Ok(number),
        _ if digits => "value out of range",
        _ => "invalid syntax",
    };
    let detail = format!("strconv.ParseUint: parsing {text:?}: {why}");
    Err(FieldError::invalid("resourceVersion", text.into(), detail))
}
