//! Events, in both groups that serve them.

use serde_json::Value;

use super::cell::{Row, text};

/// What the fields of an event are called.
struct Fields {
    object: &'static str,
    message: &'static str,
    first: &'static str,
    last: &'static str,
    count: &'static str,
    source: &'static str,
    controller: &'static str,
}

/// An event of the core group.
pub(super) fn core(row: Row<'_>) -> Vec<Value> {
    let fields = Fields {
        object: "involvedObject",
        message: "message",
        first: "firstTimestamp",
        last: "lastTimestamp",
        count: "count",
        source: "source",
        controller: "reportingComponent",
    };
    cells(row, &fields)
}

/// An event of `events.k8s.io`.
pub(super) fn regarding(row: Row<'_>) -> Vec<Value> {
    let fields = Fields {
        object: "regarding",
        message: "note",
        first: "deprecatedFirstTimestamp",
        last: "deprecatedLastTimestamp",
        count: "deprecatedCount",
        source: "deprecatedSource",
        controller: "reportingController",
    };
    cells(row, &fields)
}

fn cells(row: Row<'_>, fields: &Fields) -> Vec<Value> {
    let first = if row.at(fields.first).is_null() {
        row.ago("eventTime")
    } else {
        row.ago(fields.first)
    };
    let is_series = !row.at("series").is_null();
    let last = match () {
        () if is_series => row.ago("series.lastObservedTime"),
        () if row.at(fields.last).is_null() => first.clone(),
        () => row.ago(fields.last),
    };
    let count = match row.whole(fields.count) {
        _ if is_series => row.whole("series.count"),
        // What happened once has no count in the newer group.
        0 => 1,
        count => count,
    };
    let object = row.at(fields.object);
    let mut target = text(object, "kind").to_lowercase();
    if !text(object, "name").is_empty() {
        target = format!("{target}/{}", text(object, "name"));
    }
    vec![
        last.into(),
        row.text("type").into(),
        row.text("reason").into(),
        target.into(),
        text(object, "fieldPath").into(),
        source(row, fields).into(),
        row.text(fields.message).trim().into(),
        first.into(),
        count.into(),
        row.name(),
    ]
}

/// Who reported it, and where that runs.
fn source<'a>(row: Row<'a>, fields: &Fields) -> String {
    let source = row.at(fields.source);
    let or = |first: &'a str, second| if first.is_empty() { second } else { first };
    let component = or(text(source, "component"), row.text(fields.controller));
    match or(text(source, "host"), row.text("reportingInstance")) {
        "" => component.to_owned(),
        instance => format!("{component}, {instance}"),
    }
}
