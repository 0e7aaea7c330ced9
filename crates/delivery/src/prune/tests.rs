//! What may be pruned, what is held, and why.

use super::*;
use crate::inventory::Entry;

/// `Kind/name` or `Kind.group/name`, all in one namespace.
fn id(text: &str) -> ObjectId {
    let (kind, name) = text.split_once('/').expect("a kind and a name");
    let (kind, group) = kind.split_once('.').unwrap_or((kind, ""));
    ObjectId {
        group: group.into(),
        kind: kind.into(),
        namespace: Some("shop".into()),
        name: name.into(),
    }
}

fn ids(text: &str) -> Vec<ObjectId> {
    text.split_whitespace().map(id).collect()
}

/// Objects that were listed ahead, without a uid.
fn listed(text: &str) -> Inventory {
    let entry = |id| Entry::planned(id, "v1");
    ids(text).into_iter().map(entry).collect()
}

/// The digest of these objects.
fn sum(text: &str) -> String {
    digest(&ids(text), &listed(text))
}

/// `n` ConfigMaps named by a letter and a number.
fn many(letter: &str, n: usize) -> String {
    let words: Vec<String> = (0..n)
        .map(|index| format!("ConfigMap/{letter}{index:03} "))
        .collect();
    words.concat()
}

struct Case {
    protection: Protection,
    complete: bool,
    confirmed: Option<String>,
}

fn case() -> Case {
    Case {
        protection: Protection::default(),
        complete: true,
        confirmed: None,
    }
}

impl Case {
    fn judge(&self, inventory: &str, wanted: &str) -> Judgement {
        let inventory = listed(inventory);
        let wanted = ids(wanted).into_iter().collect();
        let transitive = |id: &ObjectId| if id.kind == "Deliverable" { 10 } else { 0 };
        let situation = Situation {
            inventory: &inventory,
            wanted: &wanted,
            complete: self.complete,
            protection: &self.protection,
            confirmed: self.confirmed.as_deref(),
        };
        judge(&situation, &transitive)
    }

    /// Compares what is pruned and why what else is held.
    #[track_caller]
    fn check(&self, inventory: &str, wanted: &str, seen: &str) {
        let judgement = self.judge(inventory, wanted);
        let show = |ids: &[ObjectId]| {
            ids.iter()
                .map(|id| format!("{}/{}", id.kind, id.name))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let mut text = format!("prune {}", show(&judgement.prune));
        if let Some(held) = judgement.held {
            assert_eq!(held.digest, digest(&held.list, &listed(inventory)));
            let (list, reason) = (show(&held.list), &held.reason);
            text = format!("{text}\nheld {list} {}: {reason}", reason.as_str());
        }
        assert_eq!(text.replace("prune \n", ""), seen);
    }
}

#[test]
fn prunes_what_left_the_source() {
    case().check(
        "ConfigMap/a ConfigMap/b",
        "ConfigMap/a",
        "prune ConfigMap/b",
    );
    case().check("ConfigMap/a", "ConfigMap/a ConfigMap/new", "prune ");
}

#[test]
fn prunes_nothing_after_a_partial_render() {
    let partial = Case {
        complete: false,
        ..case()
    };
    partial.check(
        "ConfigMap/a ConfigMap/b",
        "ConfigMap/a",
        "held ConfigMap/b IncompleteRender: the specification was not rendered completely",
    );
    let confirmed = Case {
        confirmed: Some(sum("ConfigMap/b")),
        ..partial
    };
    assert_eq!(
        confirmed
            .judge("ConfigMap/a ConfigMap/b", "ConfigMap/a")
            .prune,
        []
    );
}

#[test]
fn prunes_nothing_after_an_empty_render() {
    case().check(
        "ConfigMap/a",
        "",
        "held ConfigMap/a EmptyRender: the specification is empty",
    );
    let confirmed = Case {
        confirmed: Some(sum("ConfigMap/a")),
        ..case()
    };
    assert_eq!(confirmed.judge("ConfigMap/a", "").prune, []);
}

#[test]
fn the_default_budget_is_half_or_five() {
    for (count, budget) in [(0, 5), (9, 5), (10, 5), (11, 5), (12, 6), (100, 50)] {
        assert_eq!(Budget::Default.of(count), budget, "{count}");
    }
    assert_eq!(Budget::Count(3).of(100), 3);
    assert_eq!(Budget::Percent(10).of(55), 5);
    assert_eq!(Budget::Percent(0).of(55), 0);
}

#[test]
fn prunes_nothing_beyond_the_budget() {
    let inventory = format!("{}{}", many("a", 6), many("b", 6));
    let judgement = case().judge(&inventory, &many("a", 6));
    assert_eq!((judgement.prune.len(), judgement.held), (6, None));
    let judgement = case().judge(&inventory, &many("a", 5));
    assert_eq!(judgement.prune, []);
    let held = judgement.held.expect("held");
    assert_eq!(
        held.reason,
        PruneRefusal::OverBudget {
            count: 7,
            of: 12,
            budget: 6
        }
    );
    assert_eq!(held.list.len(), 7);
    let strict = Case {
        protection: Protection {
            budget: Budget::Count(0),
            ..Protection::default()
        },
        ..case()
    };
    strict.check(
        "ConfigMap/a ConfigMap/b",
        "ConfigMap/a",
        "held ConfigMap/b OverBudget: 1 of 2 objects would be deleted, more than the budget of 0",
    );
}

#[test]
fn counts_through_deliverables() {
    let loose = Protection {
        confirm_kinds: Vec::new(),
        ..Protection::default()
    };
    let case = Case {
        protection: loose,
        ..case()
    };
    case.check(
        "ConfigMap/a Deliverable.carto.run/b",
        "ConfigMap/a",
        "held Deliverable/b OverBudget: 11 of 12 objects would be deleted, more than the budget of 6",
    );
}

#[test]
fn a_confirmation_holds_for_exactly_the_list_shown() {
    let inventory = format!("{}{}", many("a", 1), many("b", 7));
    let held = case().judge(&inventory, &many("a", 1)).held.expect("held");
    let confirmed = Case {
        confirmed: Some(held.digest),
        ..case()
    };
    assert_eq!(confirmed.judge(&inventory, &many("a", 1)).prune, held.list);
    let one_more = format!("{inventory} ConfigMap/c");
    assert_eq!(confirmed.judge(&one_more, &many("a", 1)).prune, []);
}

#[test]
fn holds_the_kinds_that_need_confirmation_and_prunes_the_rest() {
    for kind in [
        "Namespace",
        "CustomResourceDefinition.apiextensions.k8s.io",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "Shipment.shipway.run",
        "Environment.shipway.run",
    ] {
        let short = kind.split('.').next().expect("a kind");
        case().check(
            &format!("ConfigMap/a ConfigMap/b {kind}/x"),
            "ConfigMap/a",
            &format!("prune ConfigMap/b\nheld {short}/x NeedsConfirmation: 1 objects are of a kind that needs confirmation"),
        );
    }
    let inventory = format!("{} Deliverable.carto.run/x", many("a", 20));
    assert_eq!(
        case()
            .judge(&inventory, &many("a", 20))
            .held
            .expect("held")
            .reason
            .as_str(),
        "NeedsConfirmation"
    );
    case().check(
        "ConfigMap/a Namespace.x.io/b",
        "ConfigMap/a",
        "prune Namespace/b",
    );
}

#[test]
fn a_confirmed_list_goes_with_what_needs_none() {
    let confirmed = Case {
        confirmed: Some(sum("Namespace/x")),
        ..case()
    };
    confirmed.check(
        "ConfigMap/a ConfigMap/b Namespace/x",
        "ConfigMap/a",
        "prune ConfigMap/b Namespace/x",
    );
    confirmed.check(
        "ConfigMap/a Namespace/x",
        "ConfigMap/a",
        "prune Namespace/x",
    );
    confirmed.check("ConfigMap/a Namespace/x Namespace/y", "ConfigMap/a", "held Namespace/x Namespace/y NeedsConfirmation: 2 objects are of a kind that needs confirmation");
}

#[test]
fn never_prunes_its_own_installation() {
    let own = Protection {
        untouchable: ids("ConfigMap/own").into_iter().collect(),
        ..Protection::default()
    };
    let confirmed = Some(sum("ConfigMap/own"));
    Case {
        protection: own,
        confirmed,
        ..case()
    }
    .check("ConfigMap/a ConfigMap/own", "ConfigMap/a", "prune ");
}

#[test]
fn the_digest_is_of_the_sorted_objects() {
    assert_eq!(sum("ConfigMap/a Secret/b"), sum("Secret/b ConfigMap/a"));
    assert_ne!(sum("Widget/a"), sum("Widget.apps/a"));
    assert_eq!(sum("ConfigMap/a").len(), 16);
}

#[test]
fn a_confirmation_holds_for_no_other_object_of_that_name() {
    #[track_caller]
    fn check(confirmed: &str, live: &str, pruned: &[ObjectId]) {
        let inventory = |uid: &str| {
            let mut inventory = listed("ConfigMap/a PersistentVolumeClaim/data");
            for entry in inventory.0.values_mut() {
                entry.uid = Some(uid.to_owned());
            }
            inventory
        };
        let data = ids("PersistentVolumeClaim/data");
        let situation = Situation {
            inventory: &inventory(live),
            wanted: &ids("ConfigMap/a").into_iter().collect(),
            complete: true,
            protection: &Protection::default(),
            confirmed: Some(&digest(&data, &inventory(confirmed))),
        };
        assert_eq!(judge(&situation, &|_| 0).prune, pruned);
    }
    check("u1", "u1", &ids("PersistentVolumeClaim/data"));
    check("u1", "u2", &[]);
}

#[test]
fn a_digest_tells_the_list_that_it_stands_for_and_no_other() {
    #[track_caller]
    fn check(inventory: &str, wanted: &str, of: &str, found: Option<&str>) {
        let inventory = listed(inventory);
        let protection = Protection {
            untouchable: ids("Root/a").into_iter().collect(),
            ..Protection::default()
        };
        let situation = Situation {
            inventory: &inventory,
            wanted: &ids(wanted).into_iter().collect(),
            complete: true,
            protection: &protection,
            confirmed: None,
        };
        assert_eq!(list_of(&sum(of), &situation), found.map(ids));
    }
    let there = "ConfigMap/a ConfigMap/b PersistentVolumeClaim/c Root/a";
    let whole = "ConfigMap/b PersistentVolumeClaim/c";
    check(there, "ConfigMap/a", whole, Some(whole));
    check(
        there,
        "ConfigMap/a",
        "PersistentVolumeClaim/c",
        Some("PersistentVolumeClaim/c"),
    );
    check(there, "ConfigMap/a", "ConfigMap/b", None);
    check(there, "ConfigMap/a ConfigMap/b", whole, None);
}
