//! The names that Shipway puts on other people's objects: labels, annotations, finalizers and
//! field managers. One place, since they are promises that outlive any version.

use sha2::{Digest, Sha256};

/// Group of Shipway's own kinds.
pub const GROUP: &str = "shipway.run";
/// Label on every delivered object: a hash of its owner. It filters watches and is the lock
/// between owners; it never proves ownership alone, since other controllers copy labels.
pub const OWNER_LABEL: &str = "shipway.run/owner";
/// Annotation on every delivered object: its owner as `namespace/name`.
pub const OWNER_ANNOTATION: &str = "shipway.run/owner";
/// Finalizer on a Shipment: what it delivered is pruned or orphaned before it goes.
pub const FINALIZER: &str = "shipway.run/prune";
/// Annotation on a Shipment: the digest of a list of objects that somebody agreed to prune.
pub const CONFIRM_ANNOTATION: &str = "shipway.run/confirm-prune";
/// Annotation on a Shipment: any new value asks for a look-up at once.
pub const SYNC_ANNOTATION: &str = "shipway.run/sync-requested-at";
/// Annotation on a stamped object that is changed in place, and label on one that is made anew for each
/// change: the digest of what was stamped.
pub const STAMP: &str = "shipway.run/stamp";
/// Annotation on a stamped object: the digests of what went into it, as JSON, by `<resource>.<output>`.
pub const INPUTS_ANNOTATION: &str = "shipway.run/inputs";
/// Label on what belongs to the installation itself and is never pruned.
pub const INSTALLATION_LABEL: &str = "shipway.run/installation";
/// The webhook configuration by which a cluster asks about Cartographer's objects.
pub const WEBHOOKS: &str = "shipway";
/// Field manager of the controller's own writes: finalizers, statuses, inventories.
pub const CONTROLLER_MANAGER: &str = "shipway-controller";
/// Field manager of what a person asks for by the command line.
pub const CLI_MANAGER: &str = "shipway-cli";

/// Label of a Workload: what kind of application it is.
pub const WORKLOAD_TYPE_LABEL: &str = "apps.tanzu.vmware.com/workload-type";
/// The same label as Cartographer's own examples have it.
pub const WORKLOAD_TYPE_LABEL_OF_CARTOGRAPHER: &str = "app.tanzu.vmware.com/workload-type";
/// Kubernetes' own label: the application that something is a part of.
pub const PART_OF_LABEL: &str = "app.kubernetes.io/part-of";

/// The longest field manager that the API server takes.
const MANAGER_MAX: usize = 128;

/// The field manager of one owner: `shipway:<kind>:<namespace>/<name>`.
///
/// One per owner, because with a shared manager the second owner's apply silently removes the
/// first one's fields. What would be longer than the API server takes is hashed.
pub fn field_manager(kind: &str, namespace: &str, name: &str) -> String {
    let full = format!("shipway:{kind}:{namespace}/{name}");
    if full.len() <= MANAGER_MAX {
        return full;
    }
    format!("shipway:{kind}:{}", short_hash(&full))
}

/// The value of [`OWNER_LABEL`] for an owner (a label value holds neither `/` nor long names).
pub fn owner_label(kind: &str, namespace: &str, name: &str) -> String {
    short_hash(&format!("{kind}:{namespace}/{name}"))
}

/// The first 32 hexadecimal digits of a SHA-256.
fn short_hash(text: &str) -> String {
    let mut hex = format!("{:x}", Sha256::digest(text.as_bytes()));
    hex.truncate(32);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_manager_names_its_owner() {
        assert_eq!(
            field_manager("shipment", "shop", "web"),
            "shipway:shipment:shop/web"
        );
    }

    #[test]
    fn a_long_owner_is_hashed_to_what_the_api_server_takes() {
        let long = "n".repeat(200);
        let manager = field_manager("shipment", "shop", &long);
        assert!(manager.len() <= MANAGER_MAX, "{manager}");
        assert_ne!(manager, field_manager("shipment", "shop", &"m".repeat(200)));
    }

    #[test]
    fn an_owner_label_is_a_valid_label_value() {
        let label = owner_label("shipment", "shop", "web");
        assert!(
            label.len() <= 63 && label.bytes().all(|b| b.is_ascii_alphanumeric()),
            "{label}"
        );
    }
}
