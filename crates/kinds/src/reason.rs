//! Why an object is not where its spec wants it to be: one closed list.

use strum::{EnumIter, EnumString, IntoStaticStr};

/// The variant's name is the condition's reason, the event's reason and the metric's label.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumIter, EnumString,
)]
pub enum Reason {
    /// Everything is applied and healthy.
    Ready,
    /// `spec.suspend` is set.
    Suspended,
    /// The first look-up of the source has not come back yet.
    SourcePending,
    /// The repository could not be reached or did not answer in time.
    SourceUnreachable,
    /// Repository, branch, tag, commit or path does not exist.
    SourceMissing,
    /// The server's certificate is not trusted.
    SourceUntrusted,
    /// The credentials are missing, incomplete or were refused.
    SourceUnauthorized,
    /// The source is of a kind, size or shape that is not accepted.
    SourceRejected,
    /// A field of the spec is wrong in itself.
    SpecInvalid,
    /// More than one Environment covers the Shipment equally well.
    EnvironmentAmbiguous,
    /// The Environment's overlay could not be read.
    OverlayUnavailable,
    /// Files could not be read as manifests; the rest is applied, nothing is pruned.
    ManifestInvalid,
    /// The whole tree was refused.
    TreeRefused,
    /// There is nothing to deliver below the path.
    NothingToDeliver,
    /// The ServiceAccount to act as does not exist.
    ServiceAccountMissing,
    /// A namespace does not exist or is going away.
    NamespaceMissing,
    /// A kind is not known to the cluster (yet).
    KindUnknown,
    /// The version of a kind is no longer served.
    VersionNotServed,
    /// Another Shipment owns an object.
    OwnedByOther,
    /// The ServiceAccount may not write an object.
    Forbidden,
    /// The API server refused an object as invalid.
    Invalid,
    /// An admission webhook or policy refused an object, or did not answer.
    AdmissionRefused,
    /// The API server could not be reached or failed.
    ClusterUnreachable,
    /// Something that this depends on is not ready.
    DependencyNotReady,
    /// It depends on itself, maybe by way of others.
    DependencyCycle,
    /// Objects are applied and on their way to health.
    Progressing,
    /// Objects did not become healthy in time.
    HealthTimeout,
    /// An object reports a failure of its own.
    Unhealthy,
    /// A prune is held because it would delete more than the budget.
    DeletionBudget,
    /// A prune is held because kinds in it need somebody's confirmation.
    ConfirmationNeeded,
    /// A prune is held because the render is incomplete or empty.
    RenderIncomplete,
    /// An object moves here from another Shipment that has not rendered the revision yet.
    HandOverPending,
    /// A field is left to the writer that owns it.
    FieldLeftOut,
    /// An object was changed behind Git's back and has been put right.
    DriftRepaired,
    /// A repair does not hold: another writer undoes it each time.
    RepairUndone,
    /// Objects were created or changed.
    Applied,
    /// Objects that left the source were deleted.
    Pruned,
    /// Objects were let go of, not deleted.
    Orphaned,
    /// An object that existed before is now this Shipment's.
    Adopted,
}

impl Reason {
    /// Whether what stands in a source's Secret may be to blame, so that it is read again.
    pub fn blames_secret(self) -> bool {
        matches!(self, Self::SourceUnauthorized | Self::SourceUntrusted)
    }

    /// The word itself.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strum::IntoEnumIterator as _;

    const CONTRACT: &str = include_str!("../../../docs/spec/shipment.md");

    /// The words that the contract lists as reasons, of conditions and failures and of events.
    fn documented() -> Vec<&'static str> {
        let (_, rest) = CONTRACT.split_once("### Reasons").expect("the section");
        let (tables, _) = rest.split_once("## Health").expect("the next section");
        let words = tables.lines().filter_map(|line| line.strip_prefix("| `"));
        words
            .filter_map(|line| Some(line.split_once('`')?.0))
            .collect()
    }

    #[test]
    fn the_contract_lists_every_reason_and_no_other_word() {
        let mut wanted: Vec<&str> = Reason::iter().map(Reason::as_str).collect();
        let mut listed = documented();
        wanted.sort_unstable();
        listed.sort_unstable();
        listed.dedup();
        assert_eq!(listed, wanted);
    }

    #[test]
    fn a_reason_is_found_by_its_word() {
        for reason in Reason::iter() {
            assert_eq!(reason.as_str().parse(), Ok(reason));
        }
    }
}
