//! `Event`, of both groups.

use serde_json::Value;

use super::part::Part as _;
use super::{PLAIN, Ways};
use crate::validate::NameRule;

/// Events as the core group has them: the oldest kind, whose names are hardly checked.
pub(super) static CORE_EVENT: Ways = Ways {
    create_on_update: true,
    name: NameRule::PathSegment,
    selectable: &[
        ("involvedObject.apiVersion", |event| {
            of(event, "involvedObject", "apiVersion")
        }),
        ("involvedObject.kind", |event| {
            of(event, "involvedObject", "kind")
        }),
        ("involvedObject.name", |event| {
            of(event, "involvedObject", "name")
        }),
        ("involvedObject.namespace", |event| {
            of(event, "involvedObject", "namespace")
        }),
        ("involvedObject.uid", |event| {
            of(event, "involvedObject", "uid")
        }),
        ("reason", |event| event.text("reason").to_owned()),
        ("type", |event| event.text("type").to_owned()),
    ],
    ..PLAIN
};

pub(super) static EVENT: Ways = Ways {
    create_on_update: true,
    selectable: &[
        ("regarding.kind", |event| of(event, "regarding", "kind")),
        ("regarding.name", |event| of(event, "regarding", "name")),
        ("regarding.namespace", |event| {
            of(event, "regarding", "namespace")
        }),
        ("regarding.uid", |event| of(event, "regarding", "uid")),
        ("reason", |event| event.text("reason").to_owned()),
        ("type", |event| event.text("type").to_owned()),
    ],
    ..PLAIN
};

fn of(event: &Value, part: &str, name: &str) -> String {
    event[part].text(name).to_owned()
}
