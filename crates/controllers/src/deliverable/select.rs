//! Which delivery a Deliverable is for. Pure.

use kinds::{Deliverable, names};
use kube::ResourceExt as _;

/// The one delivery there is.
pub(super) const DELIVERY: &str = "delivery-basic";
/// The type of Deliverables that it takes.
const TYPE: &str = "web";

/// Why no delivery was selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotSelected {
    /// The Deliverable has no labels at all.
    LabelsMissing,
    /// No delivery selects its labels.
    NotFound,
}

pub(super) fn select(deliverable: &Deliverable) -> Result<(), NotSelected> {
    let labels = deliverable.labels();
    if labels.is_empty() {
        return Err(NotSelected::LabelsMissing);
    }
    match labels.get(names::DELIVERABLE_TYPE_LABEL) {
        Some(kind) if kind == TYPE => Ok(()),
        _ => Err(NotSelected::NotFound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinds::DeliverableSpec;

    #[track_caller]
    fn check(labels: &[(&str, &str)], selected: Result<(), NotSelected>) {
        let mut deliverable = Deliverable::new("web", DeliverableSpec::default());
        deliverable.metadata.labels = Some(
            labels
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        );
        assert_eq!(select(&deliverable), selected);
    }

    #[test]
    fn the_type_label_selects_the_delivery() {
        check(&[("app.tanzu.vmware.com/deliverable-type", "web")], Ok(()));
        check(
            &[("app.tanzu.vmware.com/deliverable-type", "other")],
            Err(NotSelected::NotFound),
        );
        check(&[("app", "web")], Err(NotSelected::NotFound));
        check(&[], Err(NotSelected::LabelsMissing));
    }
}
