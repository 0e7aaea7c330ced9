//! Carries one object, and sorts what can go wrong with it.

use cluster::ApiError;
use cluster::Caller;
use cluster::apply::{Applied, ApplyError, Intent, apply};
use cluster::caller::Want;
use delivery::health;
use delivery::order::Need;
use git::TreeId;
use kinds::Reason;
use kube::runtime::reflector::ObjectRef;
use manifest::ObjectId;

use crate::board::{Key, Wait};
use crate::context::Ctx;
use crate::shipment::check::Checked;
use crate::shipment::gather;
use crate::shipment::plan::{Step, Work};

/// What became of one object.
pub(super) enum Carried {
    /// It needed nothing.
    Kept,
    /// It is applied.
    Applied(Box<Applied>),
    /// It cannot go yet: something else has to move first, and will say so.
    Held {
        reason: Reason,
        message: String,
        wait: Wait,
    },
    /// It was refused.
    Failed {
        reason: Reason,
        message: String,
        transient: bool,
        wait: Option<Wait>,
    },
}

pub(super) async fn carry(
    ctx: &Ctx,
    checked: &Checked,
    caller: &Caller,
    step: Step,
    unmet: Option<Need>,
) -> (Step, Carried) {
    if step.work == Work::Keep {
        return (step, Carried::Kept);
    }
    if let Some(need) = unmet {
        let carried = held_by(&need, checked);
        return (step, carried);
    }
    let id = &step.object.id;
    let Some(api) = ctx
        .catalog
        .api(&id.group, step.object.manifest.version(), &id.kind)
    else {
        let message = format!(
            "the cluster does not serve `{}` {} yet",
            id.group_kind(),
            step.object.manifest.version()
        );
        return (
            step,
            Carried::Held {
                reason: Reason::KindUnknown,
                message,
                wait: Wait::Kinds,
            },
        );
    };
    let want = if health::needs_status(&id.group, &id.kind) {
        Want::Whole
    } else {
        Want::Metadata
    };
    let intent = Intent {
        object: step.object.manifest.value(),
        api: &api,
        ignore: &step.ignore,
        known: step.known,
        want,
        release_from: None,
    };
    let mut result = apply(caller, &checked.owner, intent).await;
    if let Err(ApplyError::OwnedBy { manager, owner }) = &result {
        match hand_over(ctx, id, owner) {
            HandOver::Take => {
                let manager = manager.clone();
                result = apply(
                    caller,
                    &checked.owner,
                    Intent {
                        release_from: Some(&manager),
                        ..intent
                    },
                )
                .await;
            }
            HandOver::After(other) => {
                let message = format!(
                    "it moves here from Shipment `{other}`, which has not got to this revision yet"
                );
                return (
                    step,
                    Carried::Held {
                        reason: Reason::HandOverPending,
                        message,
                        wait: Wait::Shipment(other),
                    },
                );
            }
            HandOver::Refused => {}
        }
    }
    let carried = match result {
        Ok(applied) => Carried::Applied(Box::new(applied)),
        Err(error) => explain(checked, id, &error),
    };
    (step, carried)
}

fn held_by(need: &Need, checked: &Checked) -> Carried {
    let (reason, message, wait) = match need {
        Need::Crd(name) => (
            Reason::KindUnknown,
            format!("waits for the definition `{name}` to be established"),
            Wait::Kinds,
        ),
        Need::Namespace(name) => (
            Reason::NamespaceMissing,
            format!("waits for the namespace `{name}`"),
            Wait::Namespace(name.clone()),
        ),
        // The backend's own health wakes this Shipment.
        Need::Backend(id) => (
            Reason::DependencyNotReady,
            format!("waits for its backend `{id}`"),
            Wait::Shipment(checked.key.clone()),
        ),
    };
    Carried::Held {
        reason,
        message,
        wait,
    }
}

/// Whether an object of another Shipment may be taken over.
enum HandOver {
    /// The other one has let go of it.
    Take,
    /// The other one has to render its latest revision first.
    After(Key),
    /// The other one wants it.
    Refused,
}

fn hand_over(ctx: &Ctx, id: &ObjectId, owner: &str) -> HandOver {
    let Some(other) = Key::parse(owner) else {
        return HandOver::Refused;
    };
    let Some(shipment) = ctx
        .shipments
        .get(&ObjectRef::new(&other.name).within(&other.namespace))
    else {
        // Its Shipment is gone: nobody else will ever let go of it.
        return HandOver::Take;
    };
    if shipment.metadata.deletion_timestamp.is_some() {
        return HandOver::After(other);
    }
    if shipment.spec.suspend == Some(true) {
        return HandOver::Refused;
    }
    if behind(ctx, &other).is_some() {
        return HandOver::After(other);
    }
    if ctx.board.names(&other, id) {
        HandOver::Refused
    } else {
        HandOver::Take
    }
}

/// The tree that a Shipment has been told of but has not dealt with yet.
pub(super) fn behind(ctx: &Ctx, other: &Key) -> Option<TreeId> {
    let at = ctx.sources.known(&gather::follower(other)).at?;
    (ctx.board.attempted(other) != Some(at.tree)).then_some(at.tree)
}

/// Sorts an error into a reason and a sentence that names what to do.
pub(super) fn explain(checked: &Checked, id: &ObjectId, error: &ApplyError) -> Carried {
    let failed = |reason: Reason, message: String| Carried::Failed {
        reason,
        message,
        transient: false,
        wait: None,
    };
    let error = match error {
        ApplyError::OwnedBy { owner, .. } => {
            return Carried::Failed {
                reason: Reason::OwnedByOther,
                message: format!("it belongs to `{owner}`: take it out of one of the two"),
                transient: false,
                wait: Key::parse(owner).map(Wait::Shipment),
            };
        }
        ApplyError::Api(error) => error,
    };
    let text = told(id, error);
    if error.is_admission() {
        return failed(Reason::AdmissionRefused, text);
    }
    if error.is_forbidden() {
        let account = format!("{}/{}", checked.key.namespace, checked.spec.account);
        return failed(
            Reason::Forbidden,
            format!("the ServiceAccount `{account}` may not write it: {text}"),
        );
    }
    if error.is_invalid() {
        return failed(Reason::Invalid, text);
    }
    if error.is_not_found() {
        return Carried::Failed {
            reason: Reason::NamespaceMissing,
            message: text,
            transient: true,
            wait: Some(Wait::Kinds),
        };
    }
    Carried::Failed {
        reason: Reason::ClusterUnreachable,
        message: text,
        transient: true,
        wait: None,
    }
}

/// The API server's words, but never about a Secret: they may quote its values.
fn told(id: &ObjectId, error: &ApiError) -> String {
    let secret = id.group.is_empty() && id.kind == "Secret";
    match error.refusal() {
        Some(refusal) if secret => {
            let fields: Vec<&str> = refusal
                .details
                .causes
                .iter()
                .map(|cause| cause.field.as_str())
                .collect();
            format!(
                "the API server refused it ({} {}{})",
                refusal.code,
                refusal.reason,
                fields.join(", ")
            )
        }
        _ => error.to_string(),
    }
}
