//! `Environment`: which one covers a Shipment, and how its overlay stands.

mod reconcile;

use std::sync::Arc;

use delivery::prune::{Budget, Protection};
use kinds::{Environment, Reason, Shipment};
use kube::ResourceExt as _;
use manifest::GroupKind;

use crate::board::Key;
use crate::halt::Halt;

pub(crate) use reconcile::{follower, reconcile};

/// The one Environment that covers a Shipment most specifically, if any does. One that names
/// the namespace is more specific than one that does not; then more labels are.
///
/// # Errors
/// [`Halt::Stalled`] that names both when two are equally specific.
pub fn choose(
    environments: &[Arc<Environment>],
    shipment: &Shipment,
) -> Result<Option<Arc<Environment>>, Halt> {
    let mut covering: Vec<_> = environments
        .iter()
        .filter(|environment| covers(environment, shipment))
        .map(|e| (rank(e), e))
        .collect();
    covering.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.name_any().cmp(&y.name_any())));
    match covering.as_slice() {
        [(first, a), (second, b), ..] if first == second => Err(Halt::Stalled {
            reason: Reason::EnvironmentAmbiguous,
            why: format!(
                "the Environments `{}` and `{}` cover it equally well: add a label or a namespace to one of them",
                a.name_any(),
                b.name_any()
            ),
        }),
        [(_, only), ..] => Ok(Some(Arc::clone(only))),
        [] => Ok(None),
    }
}

fn covers(environment: &Environment, shipment: &Shipment) -> bool {
    let namespaces = &environment.spec.namespaces;
    let here = shipment.namespace().unwrap_or_default();
    let labels = shipment.labels();
    (namespaces.is_empty() || namespaces.contains(&here))
        && environment
            .spec
            .selector
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value))
}

fn rank(environment: &Environment) -> (bool, usize) {
    (
        !environment.spec.namespaces.is_empty(),
        environment.spec.selector.len(),
    )
}

/// The folders of an Environment's overlay that concern a Shipment: that for all, and its own.
pub fn overlay_folders(environment: &Environment, key: &Key) -> [String; 2] {
    ["all".to_owned(), format!("{}/{}", key.namespace, key.name)]
        .map(|folder| below_overlay(environment, &folder))
}

/// Where an Environment's overlay says which of its files do not count.
pub fn overlay_ignore(environment: &Environment) -> String {
    below_overlay(environment, delivery::IGNORE_FILE)
}

fn below_overlay(environment: &Environment, path: &str) -> String {
    let overlay = environment.spec.overlay.as_ref();
    let root = overlay
        .and_then(|overlay| overlay.path.as_deref())
        .unwrap_or_default();
    let path = format!("{}/{path}", root.trim_matches('/'));
    path.trim_start_matches('/').to_owned()
}

/// What an Environment protects.
///
/// # Errors
/// [`Halt::Stalled`] when a field of it cannot be read.
pub fn protection(environment: Option<&Environment>) -> Result<Protection, Halt> {
    let mut protection = Protection::default();
    let Some(spec) = environment.and_then(|environment| environment.spec.protection.as_ref())
    else {
        return Ok(protection);
    };
    if let Some(budget) = &spec.deletion_budget {
        protection.budget = parse_budget(budget).ok_or_else(|| Halt::Stalled {
            reason: Reason::SpecInvalid,
            why: format!("the Environment's `protection.deletionBudget` `{budget}` is neither a number nor a share such as `25%`"),
        })?;
    }
    protection
        .confirm_kinds
        .extend(
            spec.confirm_kinds
                .iter()
                .map(|text| match text.split_once('.') {
                    Some((kind, group)) => GroupKind::new(group, kind),
                    None => GroupKind::new("", text.as_str()),
                }),
        );
    Ok(protection)
}

fn parse_budget(text: &str) -> Option<Budget> {
    match text.strip_suffix('%') {
        Some(share) => share
            .parse()
            .ok()
            .filter(|share| *share <= 100)
            .map(Budget::Percent),
        None => text.parse().ok().map(Budget::Count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinds::{EnvironmentSpec, ShipmentSpec};

    fn environment(name: &str, labels: &[(&str, &str)], namespaces: &[&str]) -> Arc<Environment> {
        let selector = labels
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let namespaces = namespaces.iter().map(|ns| (*ns).to_owned()).collect();
        Arc::new(Environment::new(
            name,
            EnvironmentSpec {
                selector,
                namespaces,
                ..EnvironmentSpec::default()
            },
        ))
    }

    #[track_caller]
    fn check(environments: &[Arc<Environment>], chosen: &str) {
        let mut shipment = Shipment::new("web", ShipmentSpec::default());
        shipment.metadata.namespace = Some("shop".to_owned());
        shipment.metadata.labels = Some([("tier".to_owned(), "front".to_owned())].into());
        let text = match choose(environments, &shipment) {
            Ok(found) => found.map_or_else(|| "-".to_owned(), |environment| environment.name_any()),
            Err(halt) => halt.to_string(),
        };
        assert!(text.contains(chosen), "{text} instead of {chosen}");
    }

    #[test]
    fn the_most_specific_environment_covers_a_shipment() {
        check(&[], "-");
        check(&[environment("all", &[], &[])], "all");
        check(
            &[
                environment("all", &[], &[]),
                environment("front", &[("tier", "front")], &[]),
            ],
            "front",
        );
        check(
            &[
                environment("front", &[("tier", "front")], &[]),
                environment("shop", &[], &["shop"]),
            ],
            "shop",
        );
        check(&[environment("other", &[], &["else"])], "-");
    }

    #[test]
    fn two_equally_specific_environments_are_both_named() {
        check(
            &[environment("b", &[], &[]), environment("a", &[], &[])],
            "`a` and `b`",
        );
    }
}
