//! What an applier is told when fields are others'.

use super::managed::{Entry, Operation};
use super::owners::Conflicts;
use super::set::PathText;
use super::wording::quoted;
use crate::status::{Cause, Status};

/// The failure that names each field and whose it is, managers in upstream's order.
pub(super) fn refuse(conflicts: &Conflicts) -> Status {
    let mut entries: Vec<(String, &Entry)> = conflicts
        .0
        .iter()
        .map(|entry| (entry.identity(), entry))
        .collect();
    entries.sort_by(|(left, _), (right, _)| left.cmp(right));
    let mut causes = Vec::new();
    let mut lines = Vec::new();
    for (_, entry) in entries {
        let name = name_of(entry);
        lines.push(format!("conflicts with {name}:"));
        entry.fields.each(|path| {
            let field = PathText(path).to_string();
            lines.push(format!("- {field}"));
            causes.push(Cause {
                reason: "FieldManagerConflict".to_owned(),
                message: format!("conflict with {name}"),
                field,
            });
        });
    }
    let message = match causes.as_slice() {
        [only] => format!(
            "Apply failed with 1 conflict: {}: {}",
            only.message, only.field
        ),
        causes => format!(
            "Apply failed with {} conflicts: {}",
            causes.len(),
            lines.join("\n")
        ),
    };
    Status::apply_conflict(message, causes)
}

fn name_of(entry: &Entry) -> String {
    let mut name = quoted(&entry.manager);
    if !entry.subresource.is_empty() {
        name.push_str(" with subresource ");
        name.push_str(&quoted(&entry.subresource));
    }
    if entry.operation == Operation::Update {
        name.push_str(" using ");
        name.push_str(&entry.api_version);
    }
    name
}
