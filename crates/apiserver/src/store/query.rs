//! What `resourceVersion`, `resourceVersionMatch`, `limit`, `continue` and `sendInitialEvents` of a
//! request ask for, and what the genuine server answers to those that make no sense.
//!
//! Sources: `ValidateListOptions` of `apimachinery/pkg/apis/meta/internalversion/validation` and of
//! `apiserver/pkg/storage`, `storage/continue.go`, and answers recorded from kube-apiserver v1.36.3.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use crate::status::{About, FieldError, Status};

const FORMAT: &str = "meta.k8s.io/v1";

// Go's `RawURLEncoding`: no padding, and what is left over in the last letter does not matter.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// The parameters of a list or a watch, empty where absent.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListQuery<'a> {
    /// `resourceVersion`.
    pub resource_version: &'a str,
    /// `resourceVersionMatch`.
    pub version_match: &'a str,
    /// `continue`.
    pub continues: &'a str,
    /// `limit`.
    pub limit: i64,
    /// `sendInitialEvents`.
    pub send_initial_events: Option<bool>,
    /// `allowWatchBookmarks`.
    pub bookmarks: bool,
}

/// Of which revision a list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revision {
    /// The latest, once that is this one or later; 0 for whichever.
    AtLeast(u64),
    /// This one.
    Exactly(u64),
}

/// What a list asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPlan {
    /// Of which revision.
    pub revision: Revision,
    /// From which path within the scope on.
    pub start: String,
    /// How many objects at most; 0 for all.
    pub limit: usize,
    resumed: bool,
}

impl ListPlan {
    /// What to answer where the history does not reach back to the revision: 410, and for a page
    /// with a token that continues with the latest state instead.
    pub fn expired(&self) -> Status {
        if !self.resumed {
            return Status::expired("The resourceVersion for the provided list is too old.");
        }
        let message = "The provided continue parameter is too old to display a consistent list result. \
            You can start a new list without the continue parameter, or use the continue token in this \
            response to retrieve the remainder of the results. Continuing with the provided token results \
            in an inconsistent list - objects that were created, modified, or deleted between the time the \
            first chunk was returned and now may show up in the list.";
        Status {
            continues: token(-1, &self.start),
            ..Status::expired(message)
        }
    }
}

/// Reads what a list asks for.
///
/// # Errors
/// The genuine server's 422 for parameters that exclude each other, and 400 for those that cannot
/// be read.
pub fn plan_list(query: &ListQuery<'_>) -> Result<ListPlan, Status> {
    check_list(query)?;
    let wanted = query.resource_version;
    // Upstream's cache does not page a list that any revision is good enough for.
    let limit = if wanted == "0" { 0 } else { query.limit };
    let plan = ListPlan {
        revision: Revision::AtLeast(0),
        start: String::new(),
        limit: usize::try_from(limit).unwrap_or_default(),
        resumed: false,
    };
    if !query.continues.is_empty() {
        let (start, revision) = read_token(query.continues).ok_or_else(|| {
            Status::bad_request("invalid continue token: continue key is not valid")
        })?;
        if !matches!(wanted, "" | "0") {
            let message = "specifying resource version is not allowed when using continue";
            return Err(Status::bad_request(message));
        }
        // A negative revision continues with the latest state.
        let revision = u64::try_from(revision).map_or(Revision::AtLeast(0), Revision::Exactly);
        return Ok(ListPlan {
            revision,
            start,
            resumed: true,
            ..plan
        });
    }
    let number = number(wanted)
        .map_err(|fault| Status::bad_request(format!("invalid resource version: {fault}")))?;
    let exact = match query.version_match {
        "Exact" => true,
        "NotOlderThan" => false,
        _ => query.limit > 0,
    };
    let revision = if exact && number > 0 {
        Revision::Exactly(number)
    } else {
        Revision::AtLeast(number)
    };
    Ok(ListPlan { revision, ..plan })
}

/// Where a watch starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchStart {
    /// With the current state, once that is this revision or later.
    State(u64),
    /// With the next change.
    Now,
    /// With the first change after this revision, which may be still to come.
    After(u64),
}

/// What a watch asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchPlan {
    /// Where it starts.
    pub start: WatchStart,
    /// Whether a bookmark with `k8s.io/initial-events-end` follows on the initial state.
    pub end_bookmark: bool,
}

/// Reads what a watch asks for.
///
/// # Errors
/// The genuine server's 422 for parameters that exclude each other; a version that is no number
/// gets its 500 without a reason.
pub fn plan_watch(query: &ListQuery<'_>) -> Result<WatchPlan, Status> {
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
pub fn revision_of(text: &str) -> Result<u64, Status> {
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

const WITH_CONTINUE: &str = "resourceVersionMatch is forbidden when continue is provided";

fn check_list(query: &ListQuery<'_>) -> Result<(), Status> {
    let mut faults = Vec::new();
    let by = query.version_match;
    if !by.is_empty() {
        if query.resource_version.is_empty() {
            faults.push(forbidden(
                "resourceVersionMatch is forbidden unless resourceVersion is provided",
            ));
        }
        if !query.continues.is_empty() {
            faults.push(forbidden(WITH_CONTINUE));
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
        if !query.continues.is_empty() {
            faults.push(forbidden(WITH_CONTINUE));
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

/// Writes a token that continues at a path within the scope.
pub(super) fn token(revision: i64, start: &str) -> String {
    let start = Value::from(start);
    BASE64.encode(format!(
        "{{\"v\":\"{FORMAT}\",\"rv\":{revision},\"start\":{start}}}"
    ))
}

/// Where a list goes on, and at which revision: a negative one stands for the latest.
fn read_token(token: &str) -> Option<(String, i64)> {
    let json: Value = serde_json::from_slice(&BASE64.decode(token).ok()?).ok()?;
    let revision = json["rv"].as_i64().filter(|revision| *revision != 0)?;
    let start = json["start"].as_str().filter(|_| json["v"] == FORMAT)?;
    // A path that climbs would leave what the caller may list.
    let path = start.strip_prefix('/').unwrap_or(start);
    let wrong = |segment: &str| matches!(segment, "" | "." | "..");
    let is_whole = !start.is_empty() && (path.is_empty() || !path.split('/').any(wrong));
    is_whole.then(|| (path.to_owned(), revision))
}
