//! Priority and fairness of requests.

use std::cmp::Ordering;

use serde_json::Value;

use super::cell::{Row, at, condition, text, whole};

pub(super) fn schema(row: Row<'_>) -> Vec<Value> {
    let dangling = condition(row.items("status.conditions"), "Dangling");
    vec![
        row.name(),
        row.text("spec.priorityLevelConfiguration.name").into(),
        row.whole("spec.matchingPrecedence").into(),
        row.text_or("spec.distinguisherMethod.type", "<none>")
            .into(),
        row.age(),
        dangling.map_or("?", |one| text(one, "status")).into(),
    ]
}

/// Flow schemas are listed in the order in which they are tried.
pub(super) fn order(one: &Value, other: &Value) -> Ordering {
    let place = |object| {
        let precedence = whole(object, "spec.matchingPrecedence");
        (precedence, text(object, "metadata.name"))
    };
    place(one).cmp(&place(other))
}

pub(super) fn level(row: Row<'_>) -> Vec<Value> {
    let limited = row.at("spec.limited");
    let queuing = at(limited, "limitResponse.queuing");
    let number = |of: &Value, field: &str| match of {
        Value::Null => "<none>".into(),
        of => whole(of, field).into(),
    };
    vec![
        row.name(),
        row.text("spec.type").into(),
        number(limited, "nominalConcurrencyShares"),
        number(queuing, "queues"),
        number(queuing, "handSize"),
        number(queuing, "queueLengthLimit"),
        row.age(),
    ]
}
