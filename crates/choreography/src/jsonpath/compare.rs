//! The comparisons of filters, as Go's `text/template` has them.

use std::cmp::Ordering;

use serde_json::Value;

use super::item::{Item, number};

const BAD_TYPE: &str = "invalid type for comparison";
const BAD_PAIR: &str = "incompatible types for comparison";

/// Whether the comparison holds.
pub(super) fn holds(left: &Item<'_>, operator: &str, right: &Item<'_>) -> Result<bool, String> {
    match operator {
        "==" => equal(left, right),
        "!=" => Ok(!equal(left, right)?),
        "<" => less(left, right),
        ">=" => Ok(!less(left, right)?),
        "<=" => Ok(less(left, right)? || equal(left, right)?),
        ">" => Ok(!(less(left, right)? || equal(left, right)?)),
        _ => Err(format!("unrecognized filter operator {operator}")),
    }
}

fn equal(left: &Item<'_>, right: &Item<'_>) -> Result<bool, String> {
    match scalars(left, right)? {
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (left, right) => Ok(order(left, right)? == Some(Ordering::Equal)),
    }
}

fn less(left: &Item<'_>, right: &Item<'_>) -> Result<bool, String> {
    match scalars(left, right)? {
        (Value::Bool(_), Value::Bool(_)) => Err(BAD_TYPE.to_owned()),
        (left, right) => Ok(order(left, right)? == Some(Ordering::Less)),
    }
}

fn scalars<'i>(left: &'i Item<'_>, right: &'i Item<'_>) -> Result<(&'i Value, &'i Value), String> {
    match (left.scalar(), right.scalar()) {
        (Some(left), Some(right)) => Ok((left, right)),
        _ => Err(BAD_TYPE.to_owned()),
    }
}

fn order(left: &Value, right: &Value) -> Result<Option<Ordering>, String> {
    if let (Value::String(left), Value::String(right)) = (left, right) {
        return Ok(Some(left.cmp(right)));
    }
    // Integers beyond 2^53 differ where their floats do not.
    if let (Some(left), Some(right)) = (left.as_i64(), right.as_i64()) {
        return Ok(Some(left.cmp(&right)));
    }
    match (number(left), number(right)) {
        (Some(left), Some(right)) => Ok(left.partial_cmp(&right)),
        _ => Err(BAD_PAIR.to_owned()),
    }
}
