//! Carries out the steps of a path.

use super::compare::holds;
use super::item::Item;
use super::parse::{Bound, Filter, Slice, Step};
use crate::notation::display;

/// How many places a step may reach. A path with several `..` multiplies them.
const MAX_RESULTS: usize = 100_000;

/// What the steps of a block reach.
pub(super) fn block<'v>(steps: &[Step], root: &Item<'v>) -> Result<Vec<Item<'v>>, String> {
    let mut budget = MAX_RESULTS;
    steps_from(steps, vec![root.clone()], &mut budget)
}

fn steps_from<'v>(
    steps: &[Step],
    mut places: Vec<Item<'v>>,
    budget: &mut usize,
) -> Result<Vec<Item<'v>>, String> {
    for step in steps {
        places = one_step(step, &places, budget)?;
        *budget = budget
            .checked_sub(places.len())
            .ok_or("the path reaches too many places")?;
    }
    Ok(places)
}

fn one_step<'v>(
    step: &Step,
    places: &[Item<'v>],
    budget: &mut usize,
) -> Result<Vec<Item<'v>>, String> {
    match step {
        Step::Text(value) => Ok(vec![Item::Literal(value.as_str().into())]),
        Step::Literal(value) => Ok(places
            .iter()
            .map(|_| Item::Literal(value.clone()))
            .collect()),
        Step::Field(name) => Ok(places
            .iter()
            .filter_map(|place| place.field(name))
            .collect()),
        Step::Wildcard => Ok(places.iter().flat_map(Item::children).collect()),
        Step::Recursive => {
            let mut found = Vec::new();
            descend(places.to_vec(), &mut found, *budget)?;
            Ok(found)
        }
        Step::Slice(slice) => sliced(slice, places),
        Step::Union(branches) => {
            let mut found = Vec::new();
            for branch in branches {
                found.extend(steps_from(branch, places.to_vec(), budget)?);
            }
            Ok(found)
        }
        Step::Filter(filter) => filtered(filter, places, budget),
        Step::Identifier(name) => Err(format!("unrecognized identifier {name}")),
    }
}

/// Every place that has something below it, before what is below.
fn descend<'v>(
    places: Vec<Item<'v>>,
    found: &mut Vec<Item<'v>>,
    most: usize,
) -> Result<(), String> {
    for place in places {
        let children = place.children();
        if children.is_empty() {
            continue;
        }
        if found.len() >= most {
            return Err("the path reaches too many places".to_owned());
        }
        found.push(place);
        descend(children, found, most)?;
    }
    Ok(())
}

fn sliced<'v>(slice: &Slice, places: &[Item<'v>]) -> Result<Vec<Item<'v>>, String> {
    let mut found = Vec::new();
    for place in places.iter().filter(|place| !place.is_nil()) {
        let Some(items) = place.list() else {
            return Err(format!("{} is not array or slice", place.go_type()));
        };
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let start = match slice.start {
            Some(start) if start < 0 => start.saturating_add(length),
            start => start.unwrap_or(0),
        };
        let end = match slice.end {
            Bound::Last => length,
            // The end of an index before the end of the list: [-1] is the slice from -1 to 0.
            Bound::Derived(end) if end <= 0 => end.saturating_add(length),
            Bound::Given(end) if end < 0 => end.saturating_add(length),
            Bound::Derived(end) | Bound::Given(end) => end,
        };
        if start == end {
            return Ok(found);
        }
        if start >= length || start < 0 {
            return Err(out_of_bounds(start, length));
        }
        if end > length || end < 0 {
            return Err(out_of_bounds(end - 1, length));
        }
        if start > end {
            return Err(format!(
                "starting index {start} is greater than ending index {end}"
            ));
        }
        let step = match slice.step {
            Some(step) if step <= 0 => return Err("step must be > 0".to_owned()),
            step => usize::try_from(step.unwrap_or(1)).unwrap_or(usize::MAX),
        };
        // Both were checked against the length.
        let start = usize::try_from(start).unwrap_or_default();
        let end = usize::try_from(end).unwrap_or_default();
        found.extend(items.into_iter().take(end).skip(start).step_by(step));
    }
    Ok(found)
}

fn out_of_bounds(index: i64, length: i64) -> String {
    format!("array index out of bounds: index {index}, length {length}")
}

fn filtered<'v>(
    filter: &Filter,
    places: &[Item<'v>],
    budget: &mut usize,
) -> Result<Vec<Item<'v>>, String> {
    let mut found = Vec::new();
    for place in places {
        let Some(items) = place.list() else {
            let shown = display(&place.json());
            return Err(format!(
                "{shown} is not array or slice and cannot be filtered"
            ));
        };
        for item in items {
            let lefts = steps_from(&filter.left, vec![item.clone()], budget);
            let Some((operator, right)) = &filter.comparison else {
                // Whether something exists is never an error.
                if lefts.is_ok_and(|lefts| !lefts.is_empty()) {
                    found.push(item);
                }
                continue;
            };
            let Some(left) = only(lefts?)? else { continue };
            let rights = steps_from(right, vec![item.clone()], budget)?;
            let Some(right) = only(rights)? else { continue };
            if holds(&left, operator, &right)? {
                found.push(item);
            }
        }
    }
    Ok(found)
}

fn only(mut items: Vec<Item<'_>>) -> Result<Option<Item<'_>>, String> {
    match items.len() {
        0 | 1 => Ok(items.pop()),
        _ => Err("can only compare one element at a time".to_owned()),
    }
}
