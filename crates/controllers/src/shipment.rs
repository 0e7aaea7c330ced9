//! `Shipment`: drives it from its source to the cluster. Each step lives in the module of its name.

mod apply;
mod audit;
mod check;
mod circle;
mod gather;
mod heal;
mod observe;
mod plan;
mod render;
mod report;
mod siblings;
pub mod spec;
mod sync;
mod teardown;

use std::sync::Arc;

use kinds::Shipment;
use kube::ResourceExt as _;
use kube::runtime::controller::Action;

use crate::board::Key;
use crate::context::Ctx;
use crate::halt::Halt;
use crate::ledger::Ledger;
use crate::secret::Welcome;
pub use apply::told;
use heal::Due;
pub use plan::{ignored, own};
pub use render::tree_file;
use report::Outcome;

/// One pass over one Shipment. It never waits for objects: what it waits for wakes it again,
/// and so does a new revision, which therefore always pre-empts a hopeless wait.
pub(crate) async fn reconcile(shipment: Arc<Shipment>, ctx: Arc<Ctx>) -> Action {
    let key = Key::new(
        shipment.namespace().unwrap_or_default(),
        shipment.name_any(),
    );
    ctx.metrics.pass_begins();
    let ledger = ctx.ledgers.of(&key);
    let mut ledger = ledger.lock().await;
    ctx.board.begins(&key);
    let result = if shipment.metadata.deletion_timestamp.is_some() {
        teardown::teardown(&ctx, &shipment, &key, &mut ledger).await
    } else {
        pass(&ctx, &shipment, &key, &mut ledger).await
    };
    if result.is_err() {
        render::announce(&ctx, &key).await; // others may wait to know what it names
    }
    let reason = result.as_ref().map_or_else(Halt::reason, Outcome::reason);
    let action = report::report(&ctx, &shipment, &key, &mut ledger, result).await;
    ctx.metrics.pass_ends(reason);
    action
}

async fn pass(
    ctx: &Ctx,
    shipment: &Shipment,
    key: &Key,
    ledger: &mut Ledger,
) -> Result<Outcome, Halt> {
    let spec = spec::parse(shipment)?; // pure: from here on no Option, no bare names
    if spec.suspended {
        ctx.sources.unfollow(&gather::follower(key));
        return Ok(Outcome::Suspended);
    }
    sync::answer(ctx, key, ledger); // before the gathering, which then is what that look brought
    let asked = sync::asked(shipment, ledger);
    let welcome = asked.as_ref().map_or(Welcome::Open, |_| Welcome::Asked);
    let gathered = gather::gather(ctx, shipment, key, &spec, welcome).await?; // reads what is wanted, decides nothing
    if let Some(asked) = asked {
        sync::ask(ctx, key, ledger, asked);
    }
    let checked = check::check(key, spec, gathered)?; // pure
    let stood = report::stood(shipment, &checked.at.tree.to_string());
    ledger.recall(stood, checked.spec.timeout, &plan::own(key));
    let audit = audit::is_due(ctx, shipment, key, ledger);
    let due = match heal::heal(ctx, &checked, ledger).await {
        // reads the health that is awaited
        _ if audit => Due::Audit,
        Due::Nothing => return Ok(report::unchanged(&checked, ledger)),
        due => due,
    };
    let rendered = render::render(ctx, &checked).await?; // reads the files of one tree
    let observed = observe::observe(ctx, &checked, rendered, ledger).await?; // reads scopes and doubtful objects
    let resting = heal::resting(ctx, &checked, ledger, due); // what waits for its own time
    let draft = plan::draft(&checked, observed, ledger, due, resting); // pure: inert data
    apply::apply(ctx, shipment, &checked, draft, ledger).await?; // the only step that writes objects
    if audit {
        audit::done(ctx, ledger);
    }
    Ok(report::outcome(&checked, ledger)) // pure: status comes from what was applied
}
