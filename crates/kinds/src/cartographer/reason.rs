//! The reasons that Cartographer's kinds give in conditions and events: one closed list.
//!
//! They are Cartographer's words, so that what relies on them goes on working. Shipway's own
//! kinds have a list of their own, [`crate::Reason`].

use strum::{EnumIter, EnumString, IntoStaticStr};

/// The variant's name is the condition's or the event's reason.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumIter, EnumString,
)]
pub enum Reason {
    /// The blueprint, the templates or the run template are there and ready.
    Ready,
    /// Nothing is known.
    Unknown,

    /// The Workload carries no label, so that no supply chain can select it.
    WorkloadLabelsMissing,
    /// No supply chain selects the Workload.
    SupplyChainNotFound,
    /// Several supply chains select the Workload equally well.
    MultipleSupplyChainMatches,
    /// The Deliverable carries no label, so that no delivery can select it.
    DeliverableLabelsMissing,
    /// No delivery selects the Deliverable.
    DeliveryNotFound,
    /// Several deliveries select the Deliverable equally well.
    MultipleDeliveryMatches,
    /// Templates that the blueprint names do not exist.
    TemplatesNotFound,
    /// The blueprint breaks a rule that admission checks. Not Cartographer's word: it checks only there.
    InvalidBlueprint,

    /// The ServiceAccount to submit as could not be read.
    ServiceAccountError,
    /// There is no token of the ServiceAccount.
    ServiceAccountTokenError,
    /// A client for the ServiceAccount could not be built, for an owner.
    ResourceRealizerBuilderError,
    /// A client for the ServiceAccount could not be built, for a Runnable.
    ClientBuilderError,

    /// Everything was stamped and submitted.
    ResourceSubmissionComplete,
    /// An input was passed on as the output, or was to be and is missing.
    PassThrough,
    /// The template could not be read.
    TemplateObjectRetrievalFailure,
    /// The template could not be stamped.
    TemplateStampFailure,
    /// The template could not be stamped yet, since inputs have no value. Not Cartographer's word:
    /// it says `TemplateStampFailure` here, too.
    WaitingForInput,
    /// The API server refused the stamped object of an owner.
    TemplateRejectedByAPIServer,
    /// The objects of earlier submissions could not be listed.
    FailedToListCreatedObjects,
    /// The stamped object has no value yet where an output is read.
    MissingValueAtPath,
    /// A deployment is not as its template awaits it yet.
    ConditionNotMet,
    /// A deployment failed in the way that its template names.
    FailedConditionMet,
    /// Not exactly one option of a resource matches the owner.
    TemplateOptionsMatchError,
    /// The options of a resource could not be evaluated.
    ResolveTemplateOptionsError,
    /// Anything else.
    UnknownError,

    /// A resource without a rule is healthy since it has its outputs.
    OutputsAvailable,
    /// A resource without a rule has no outputs yet.
    OutputNotAvailable,
    /// A resource counts as healthy whatever it says.
    AlwaysHealthy,
    /// A resource has no stamped object yet.
    NoStampedObject,
    /// A condition of the stamped object decided.
    MatchedCondition,
    /// A field of the stamped object decided.
    MatchedField,
    /// Neither the healthy nor the unhealthy side of the rule is fulfilled.
    NoMatchesFulfilled,
    /// An owner's health follows that of its resources.
    HealthyConditionRule,

    /// The run template could not be read.
    RunTemplateNotFound,
    /// The API server refused the stamped object of a Runnable.
    StampedObjectRejectedByAPIServer,
    /// The stamped object has no value where a Runnable's output is read.
    OutputPathNotSatisfied,
    /// What the stamped object of a Runnable says in its condition `Succeeded`.
    SucceededCondition,

    /// Event: an object was created or changed.
    StampedObjectApplied,
    /// Event: an object was deleted.
    StampedObjectRemoved,
    /// Event: an output changed.
    ResourceOutputChanged,
    /// Event: a resource's health changed.
    ResourceHealthyStatusChanged,
}

impl Reason {
    /// The word itself.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strum::IntoEnumIterator as _;

    #[test]
    fn a_reason_is_found_by_its_word() {
        for reason in Reason::iter() {
            assert_eq!(reason.as_str().parse(), Ok(reason));
        }
    }
}
