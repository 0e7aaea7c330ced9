//! Carries one object, and sorts what can go wrong with it.

use cluster::apply::{Applied, ApplyError, Intent, apply};
use cluster::caller::Want;
use cluster::{ApiError, Caller, Resource, prune};
use delivery::health;
use delivery::order::Need;
use kinds::{Reason, Shipment};
use kube::core::ApiResource;
use manifest::ObjectId;

use super::is_called_off;
use crate::board::{Key, Wait};
use crate::context::Ctx;
use crate::shipment::check::Checked;
use crate::shipment::plan::{Step, Work};
use crate::shipment::siblings::behind;
use crate::tracker::Expected;

/// What became of one object.
pub(super) enum Carried {
    /// It needed nothing.
    Kept,
    /// It was left as it is for now.
    Rested,
    /// It was not tried: somebody has changed the Shipment.
    CalledOff,
    /// It is applied; `wrote` says whether that changed anything.
    Applied { applied: Box<Applied>, wrote: bool },
    /// It cannot go yet: something else has to move first, and will say so.
    Held {
        reason: Reason,
        message: String,
        wait: Wait,
    },
    /// It was refused, or nobody knows what became of it.
    Failed {
        reason: Reason,
        message: String,
        transient: bool,
        wait: Option<Wait>,
        /// Whether the API server has answered that nothing of it was written.
        unwritten: bool,
    },
}

impl Carried {
    /// Whether nothing of it has come into the cluster by this.
    pub(super) fn is_unwritten(&self) -> bool {
        match self {
            Self::CalledOff | Self::Held { .. } => true,
            Self::Failed { unwritten, .. } => *unwritten,
            Self::Kept | Self::Rested | Self::Applied { .. } => false,
        }
    }
}

pub(super) async fn carry(
    ctx: &Ctx,
    shipment: &Shipment,
    checked: &Checked,
    caller: &Caller,
    step: Step,
    unmet: Option<Need>,
) -> (Step, Carried) {
    match step.work {
        Work::Keep => return (step, Carried::Kept),
        Work::Rest => return (step, Carried::Rested),
        Work::Apply { .. } | Work::Audit => {}
    }
    if is_called_off(ctx, shipment, checked) {
        return (step, Carried::CalledOff);
    }
    if let Some(need) = unmet {
        let carried = held_by(&need);
        return (step, carried);
    }
    let id = &step.object.id;
    // Nothing has changed where its owner still names it: that is known without asking again.
    let still = |other: &Key| matches!(may_take(ctx, id, other.clone()), HandOver::Refused);
    if let Some(other) = step.owned_by.clone().filter(still) {
        return (step, owned_by(&other.to_string()));
    }
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
    let known = step.known || step.in_doubt && is_ours(checked, caller, &api, id).await;
    let intent = Intent {
        object: step.object.manifest.value(),
        api: &api,
        ignore: &step.ignore,
        known,
        want,
        release_from: None,
    };
    let seen = ctx.tracker.look(id, &checked.key).1;
    ctx.tracker.announce(id, &checked.key);
    let carried = match send(ctx, checked, caller, intent, id).await {
        Ok(applied) => {
            let expected = Expected {
                manager: &checked.owner.manager(),
                uid: &applied.uid,
                fields: &applied.fields,
                version: applied.version,
                written: applied.written,
                trace: applied.trace,
            };
            if ctx.tracker.expect(id, &checked.key, &expected) {
                ctx.wake_all([checked.key.clone()]); // somebody was at it again already
            }
            let wrote = applied.version > seen;
            let applied = Box::new(applied);
            Carried::Applied { applied, wrote }
        }
        Err(carried) => {
            ctx.tracker.give_up(id, &checked.key);
            carried
        }
    };
    (step, carried)
}

/// Whether an object that was listed ahead is there and ours: it was created before a crash.
async fn is_ours(checked: &Checked, caller: &Caller, api: &ApiResource, id: &ObjectId) -> bool {
    let place = Resource::object(api, id.namespace.as_deref(), &id.name);
    let live = prune::live(caller, &place).await;
    live.is_ok_and(|live| live.is_some_and(|meta| checked.owner.owns(&meta)))
}

/// Applies the object, taking it over from another Shipment where that has let go of it.
async fn send(
    ctx: &Ctx,
    checked: &Checked,
    caller: &Caller,
    intent: Intent<'_>,
    id: &ObjectId,
) -> Result<Applied, Carried> {
    let why = match apply(caller, &checked.owner, intent).await {
        Ok(applied) => return Ok(applied),
        Err(why) => why,
    };
    let ApplyError::OwnedBy { manager, owner } = &why else {
        return Err(explain(checked, id, &why));
    };
    match hand_over(ctx, id, manager, owner) {
        HandOver::Take => {
            let taking = Intent {
                release_from: Some(manager),
                ..intent
            };
            let taken = apply(caller, &checked.owner, taking).await;
            taken.map_err(|why| explain(checked, id, &why))
        }
        HandOver::After(other) => Err(Carried::Held {
            reason: Reason::HandOverPending,
            message: format!(
                "it moves here from Shipment `{other}`, which has not got to this revision yet"
            ),
            wait: Wait::Shipment(other),
        }),
        HandOver::Refused => Err(explain(checked, id, &why)),
    }
}

fn held_by(need: &Need) -> Carried {
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
        Need::Backend(id) => (
            Reason::DependencyNotReady,
            format!("waits for its backend `{id}`"),
            Wait::Healthy(id.clone()),
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

fn hand_over(ctx: &Ctx, id: &ObjectId, manager: &str, owner: &str) -> HandOver {
    // A Deliverable does not let go of the Shipment that it stamps.
    let of_shipment = manager.starts_with("shipway:shipment:");
    match Key::parse(owner).filter(|_| of_shipment) {
        Some(other) => may_take(ctx, id, other),
        None => HandOver::Refused,
    }
}

fn may_take(ctx: &Ctx, id: &ObjectId, other: Key) -> HandOver {
    let Some(shipment) = ctx.shipments.get(&other) else {
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

fn owned_by(owner: &str) -> Carried {
    Carried::Failed {
        reason: Reason::OwnedByOther,
        message: format!("it belongs to `{owner}`: take it out of one of the two"),
        transient: false,
        wait: Key::parse(owner).map(Wait::Shipment),
        unwritten: true,
    }
}

/// Sorts an error into a reason and a sentence that names what to do.
pub(super) fn explain(checked: &Checked, id: &ObjectId, error: &ApplyError) -> Carried {
    let (error, unwritten) = match error {
        ApplyError::OwnedBy { owner, .. } => {
            return owned_by(owner);
        }
        ApplyError::Api(error) => (error, error.is_refusal()),
        ApplyError::Half(error) => (error, false),
    };
    let failed = |reason: Reason, message: String| Carried::Failed {
        reason,
        message,
        transient: false,
        wait: None,
        unwritten,
    };
    let text = told(id, error);
    // Told apart from missing rights by its words alone: both are 403.
    if error.is_forbidden() && text.contains("because it is being terminated") {
        return Carried::Failed {
            reason: Reason::NamespaceMissing,
            message: text,
            transient: true,
            wait: id.namespace.clone().map(Wait::Namespace),
            unwritten,
        };
    }
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
            // What has no namespace misses none: its kind has gone since it was looked up.
            reason: match id.namespace {
                Some(_) => Reason::NamespaceMissing,
                None => Reason::KindUnknown,
            },
            message: text,
            transient: true,
            wait: Some(Wait::Kinds),
            unwritten,
        };
    }
    Carried::Failed {
        reason: Reason::ClusterUnreachable,
        message: text,
        transient: true,
        wait: None,
        unwritten,
    }
}

/// The API server's words, but never about a Secret: they may quote its values.
pub fn told(id: &ObjectId, error: &ApiError) -> String {
    let secret = id.group.is_empty() && id.kind.eq_ignore_ascii_case("Secret");
    match error.refusal() {
        Some(refusal) if secret => {
            let fields: Vec<&str> = refusal
                .details
                .causes
                .iter()
                .map(|cause| cause.field.as_str())
                .filter(|field| !field.is_empty())
                .collect();
            let of = if fields.is_empty() {
                "for a reason that may quote its values and is not shown".to_owned()
            } else {
                format!("because of {}", fields.join(", "))
            };
            format!(
                "the API server refused it ({}) {of}: `kubectl apply --server-side --dry-run=server` tells more",
                refusal.code
            )
        }
        _ => error.to_string(),
    }
}
