//! What of a Shipment is not where it should be: its objects and files, each with its reason.

use kinds::ShipmentStatus;

use crate::output::table;

/// A table of what failed; empty where nothing did.
pub(super) fn failures(status: &ShipmentStatus) -> String {
    if status.failures.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = status
        .failures
        .iter()
        .map(|failure| {
            vec![
                failure.reason.clone(),
                failure.object.clone().unwrap_or_default(),
                failure.at.clone().unwrap_or_default(),
                failure.message.clone(),
            ]
        })
        .collect();
    format!(
        "\n{}",
        table(&["REASON", "OBJECT", "FILE", "MESSAGE"], &rows)
    )
}

/// What is said where the status lists not all that failed.
pub(crate) fn unlisted(status: &ShipmentStatus) -> Option<String> {
    let (listed, all) = (status.failures.len(), status.failed.unwrap_or_default());
    let all = usize::try_from(all).unwrap_or_default();
    (listed < all).then(|| {
        format!(
            "Only {listed} of {all} failures are listed: the others show when these are mended."
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinds::Reason;
    use kinds::shipment::Failure;

    fn status(failed: i64) -> ShipmentStatus {
        let mut object = Failure::new(Reason::Forbidden, "it may not".to_owned());
        object.object = Some("Role/shop/reader".to_owned());
        object.at = Some("role.yaml:1".to_owned());
        let mut file = Failure::new(Reason::ManifestInvalid, "no YAML".to_owned());
        file.at = Some("broken.yaml:3".to_owned());
        ShipmentStatus {
            failed: Some(failed),
            failures: vec![object, file],
            ..ShipmentStatus::default()
        }
    }

    #[test]
    fn every_failed_object_and_file_has_a_line() {
        assert_eq!(
            failures(&status(2)),
            "\nREASON            OBJECT             FILE            MESSAGE\n\
             Forbidden         Role/shop/reader   role.yaml:1     it may not\n\
             ManifestInvalid                      broken.yaml:3   no YAML\n"
        );
        assert_eq!(failures(&ShipmentStatus::default()), "");
    }

    #[test]
    fn what_is_not_listed_is_said() {
        assert_eq!(unlisted(&status(2)), None);
        assert_eq!(
            unlisted(&status(70)).as_deref(),
            Some("Only 2 of 70 failures are listed: the others show when these are mended.")
        );
    }
}
