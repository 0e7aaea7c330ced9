//! Which objects of an earlier pass nobody wants any more.
//!
//! An object that is to be deleted stays in the owner's status until it is: [`suspects`] are looked
//! up, [`fate`] judges each, and [`remember`] keeps those whose deletion did not succeed.

use kinds::cartographer::owner::{CoreReference, ResourceStatus};
use kinds::cartographer::template::Lifecycle;

/// What of a suspect is there now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looked<'a> {
    /// The lifecycle of its template; none if the template is gone.
    pub template: Option<Lifecycle>,
    /// The object.
    pub object: Live<'a>,
}

/// Whether an object is there, and the lifecycle that its label tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live<'a> {
    /// It is not.
    Gone,
    /// It is; the label's value, if it has the label.
    There(Option<&'a str>),
}

/// What becomes of an object of an earlier pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is deleted.
    Delete,
    /// It is no more, and need not be remembered.
    Forget,
    /// It stays: it is an earlier run of a resource that is still there, and retention's business.
    Keep,
}

/// The previous entries whose object is not stamped any more, or not by that name.
pub fn suspects<'s>(
    previous: &'s [ResourceStatus],
    current: &[ResourceStatus],
) -> Vec<&'s ResourceStatus> {
    let is_stamped = |object: &CoreReference| {
        let mut stamped = current
            .iter()
            .filter_map(|entry| entry.stamped_ref.as_ref());
        stamped.any(|stamped| is_same_object(stamped, object))
    };
    previous
        .iter()
        .filter(|entry| {
            entry
                .stamped_ref
                .as_ref()
                .is_some_and(|object| !is_stamped(object))
        })
        .collect()
}

/// What becomes of a suspect.
pub fn fate(suspect: &ResourceStatus, current: &[ResourceStatus], looked: Looked<'_>) -> Fate {
    let label = match looked.object {
        Live::Gone => return Fate::Forget,
        Live::There(label) => label,
    };
    let was_mutable = matches!(label, None | Some("" | "mutable"));
    let is_mutable = matches!(looked.template, None | Some(Lifecycle::Mutable));
    let still_there = current
        .iter()
        .any(|entry| entry.name == suspect.name && is_same_template(entry, suspect));
    if still_there && !is_mutable && !was_mutable {
        Fate::Keep
    } else {
        Fate::Delete
    }
}

/// The entries of a status, and behind them those of orphans that could not be deleted yet.
pub fn remember(
    current: Vec<ResourceStatus>,
    orphans: impl IntoIterator<Item = ResourceStatus>,
) -> Vec<ResourceStatus> {
    current.into_iter().chain(orphans).collect()
}

fn is_same_object(a: &CoreReference, b: &CoreReference) -> bool {
    (&a.api_version, &a.kind, &a.namespace, &a.name)
        == (&b.api_version, &b.kind, &b.namespace, &b.name)
}

fn is_same_template(a: &ResourceStatus, b: &ResourceStatus) -> bool {
    match (&a.template_ref, &b.template_ref) {
        (Some(a), Some(b)) => (&a.kind, &a.name) == (&b.kind, &b.name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `resource/template/object`, one a word; `-` for none.
    fn entries(text: &str) -> Vec<ResourceStatus> {
        text.split_whitespace()
            .map(|word| {
                let mut parts = word.split('/');
                let name = parts.next().unwrap_or_default().to_owned();
                let mut reference = || {
                    let name = parts.next().filter(|name| *name != "-")?;
                    Some(CoreReference {
                        kind: Some("Kind".to_owned()),
                        name: Some(name.to_owned()),
                        ..CoreReference::default()
                    })
                };
                let (template_ref, stamped_ref) = (reference(), reference());
                ResourceStatus {
                    name,
                    stamped_ref,
                    template_ref,
                    ..ResourceStatus::default()
                }
            })
            .collect()
    }

    fn names(entries: &[&ResourceStatus]) -> String {
        let names: Vec<_> = entries.iter().map(|entry| entry.name.as_str()).collect();
        names.join(" ")
    }

    #[test]
    fn what_is_still_stamped_is_no_suspect_whoever_stamps_it() {
        let before = entries("a/t/x b/t/y c/t/z d/-/-");
        let after = entries("a/t/x moved/t/y c/t/other");
        assert_eq!(names(&suspects(&before, &after)), "c");
    }

    #[test]
    fn a_resource_that_is_passed_through_now_leaves_its_object() {
        let before = entries("a/t/x");
        assert_eq!(names(&suspects(&before, &entries("a/-/-"))), "a");
    }

    #[track_caller]
    fn check(current: &str, template: Option<Lifecycle>, object: Live<'_>, expected: Fate) {
        let before = entries("a/t/x");
        let looked = Looked { template, object };
        assert_eq!(fate(&before[0], &entries(current), looked), expected);
    }

    const RUN: Live<'_> = Live::There(Some("immutable"));
    const MUTABLE: Live<'_> = Live::There(Some("mutable"));

    #[test]
    fn a_mutable_object_that_is_not_stamped_any_more_goes() {
        check("a/t/y", Some(Lifecycle::Mutable), MUTABLE, Fate::Delete);
        check(
            "",
            Some(Lifecycle::Mutable),
            Live::There(None),
            Fate::Delete,
        );
    }

    #[test]
    fn an_earlier_run_stays_while_its_resource_does() {
        check("a/t/y", Some(Lifecycle::Immutable), RUN, Fate::Keep);
        check(
            "a/t/y",
            Some(Lifecycle::Tekton),
            Live::There(Some("tekton")),
            Fate::Keep,
        );
        check("a/other/y", Some(Lifecycle::Immutable), RUN, Fate::Delete);
        check("b/t/y", Some(Lifecycle::Immutable), RUN, Fate::Delete);
    }

    #[test]
    fn what_was_mutable_goes_when_its_template_is_not_any_more() {
        check("a/t/y", Some(Lifecycle::Immutable), MUTABLE, Fate::Delete);
        check(
            "a/t/y",
            Some(Lifecycle::Immutable),
            Live::There(None),
            Fate::Delete,
        );
    }

    #[test]
    fn a_template_that_is_gone_does_not_save_its_object() {
        check("a/t/y", None, RUN, Fate::Delete);
        check("a/t/y", None, Live::Gone, Fate::Forget);
    }

    #[test]
    fn what_could_not_be_deleted_is_remembered_behind_the_rest() {
        let all = remember(entries("a/t/y"), entries("old/t/x"));
        assert_eq!(names(&all.iter().collect::<Vec<_>>()), "a old");
        assert_eq!(names(&suspects(&all, &entries("a/t/y"))), "old");
    }
}
