//! The rules for requirements on fields: which operators take values, and which paths there are.

use kinds::cartographer::selector::FieldRequirement;

use super::Invalid;
use crate::jsonpath;

/// The fields that owners of one kind may be selected by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paths {
    /// The fields below `spec` beside its source.
    exact: &'static [&'static str],
    /// How paths with anything behind may begin.
    prefixes: &'static [&'static str],
}

const SOURCE: [&str; 9] = [
    "spec.source",
    "spec.source.git",
    "spec.source.git.url",
    "spec.source.git.ref",
    "spec.source.git.ref.branch",
    "spec.source.git.ref.tag",
    "spec.source.git.ref.commit",
    "spec.source.image",
    "spec.source.subPath",
];

/// The fields of a Workload.
pub(super) const WORKLOAD: Paths = Paths {
    exact: &["spec.build", "spec.image", "spec.serviceAccountName"],
    prefixes: &[
        "spec.params",
        "spec.build.env",
        "spec.env",
        "spec.resources",
        "spec.serviceClaims",
        "metadata",
    ],
};

/// The fields of a Deliverable.
pub(super) const DELIVERABLE: Paths = Paths {
    exact: &["spec.serviceAccountName"],
    prefixes: &["spec.params", "metadata"],
};

impl Paths {
    fn allow(self, key: &str) -> bool {
        SOURCE.contains(&key)
            || self.exact.contains(&key)
            || self.prefixes.iter().any(|prefix| key.starts_with(prefix))
    }
}

pub(super) fn requirements(fields: &[FieldRequirement], paths: Paths) -> Result<(), Invalid> {
    fields
        .iter()
        .try_for_each(|field| requirement(field, paths))
}

fn requirement(field: &FieldRequirement, paths: Paths) -> Result<(), Invalid> {
    let FieldRequirement {
        key,
        operator,
        values,
    } = field;
    match operator.as_str() {
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            return Err(Invalid(format!(
                "cannot specify values with operator [{operator}]"
            )));
        }
        "In" | "NotIn" if values.is_empty() => {
            return Err(Invalid(format!(
                "must specify values with operator [{operator}]"
            )));
        }
        "Exists" | "DoesNotExist" | "In" | "NotIn" => {}
        _ => return Err(Invalid(format!("operator [{operator}] is invalid"))),
    }
    if !paths.allow(key) {
        return Err(Invalid(format!(
            "requirement key [{key}] is not a valid path"
        )));
    }
    // The key is read as text with expressions in braces, so that one without braces always passes.
    jsonpath::check_text(key)
        .map_err(|why| Invalid(format!("invalid jsonpath for key [{key}]: {why}")))
}
