//! `shipway tree`: the objects of a Shipment, what belongs to them, and how they are.

mod show;
mod walk;

use std::process::ExitCode;

use clap::Args;
use cluster::catalog::Catalog;
use delivery::health::{self, Health, Status};
use delivery::tree::{Leaf, Tree};
use futures::StreamExt as _;
use kinds::inventory::{Inventory, InventoryEntry};
use kube::api::{Api, ListParams};
use manifest::ObjectId;
use serde_json::Value;

use super::at_work;
use super::get::unlisted;
use super::target::{AT_ONCE, Target, unable};
use crate::config::ClusterArgs;
use crate::error::CliError;
use crate::output::{Format, OutputArgs, note, print_text, print_whole};
use crate::progress::Progress;
use walk::Found;

/// Show the objects of a Shipment with what belongs to them, and how they are
///
/// What could not be applied, and files that could not be read, are shown as well.
#[derive(Debug, Args)]
pub(crate) struct TreeArgs {
    /// The Shipment
    #[arg(value_parser = super::target::name)]
    name: String,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) async fn cmd_tree(cluster: &ClusterArgs, args: &TreeArgs) -> Result<ExitCode, CliError> {
    let target = Target::connect(cluster).await?;
    let shipment = target.shipment(&args.name).await?;
    let progress = Progress::start("reading the inventory");
    let entries = inventory(&target, &target.namespace, &args.name).await?;
    let catalog = Catalog::new(target.client.clone());
    catalog
        .refresh(std::time::Duration::ZERO)
        .await
        .map_err(|error| unable(&error))?;
    progress.say("reading the objects");
    let mut found: Vec<Found> = futures::stream::iter(&entries)
        .map(|entry| read(&target, &catalog, entry))
        .buffered(AT_ONCE)
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .collect::<Result<_, _>>()?;
    progress.say("reading what belongs to them");
    let unread = walk::children(&target, &catalog, &mut found).await?;
    drop(progress);
    let status = shipment.status.clone().unwrap_or_default();
    let absent = walk::blame(&mut found, &status.failures);
    let tree = Tree::of(walk::leaves(&found));
    let shown = show::Shown {
        shipment: &shipment,
        tree: &tree,
        found: &found,
        absent: &absent,
        unread: &unread,
    };
    match args.output.output {
        Format::Json | Format::Yaml => print_whole(args.output.output, &shown.whole())?,
        Format::Name => print_text(&shown.names()),
        Format::Table => print_text(&shown.table()),
        Format::Wide => print_text(&shown.wide()),
    }
    if entries.is_empty() && absent.is_empty() {
        note(format!("nothing is delivered by Shipment `{}`", args.name));
    }
    for line in unread.iter().chain(&unlisted(&status)) {
        note(line);
    }
    if args.output.output.is_for_people() {
        at_work::tell(&target).await;
    }
    Ok(ExitCode::SUCCESS)
}

/// What a Shipment has delivered.
pub(crate) async fn inventory(
    target: &Target,
    namespace: &str,
    name: &str,
) -> Result<Vec<InventoryEntry>, CliError> {
    let api: Api<Inventory> = Api::namespaced(target.client.clone(), namespace);
    let mut params = ListParams::default().limit(100);
    let mut entries = Vec::new();
    loop {
        let page = api.list(&params).await.map_err(|error| {
            target
                .refused(&error)
                .hint("this reads the `inventories.shipway.run` of the Shipment's namespace")
        })?;
        let next = page
            .metadata
            .continue_
            .clone()
            .filter(|token| !token.is_empty());
        let own = page
            .items
            .into_iter()
            .filter(|part| part.spec.shipment == name);
        entries.extend(own.flat_map(|part| part.spec.entries));
        match next {
            Some(token) => params.continue_token = Some(token),
            None => return Ok(entries),
        }
    }
}

/// The identity of what an inventory lists.
pub(crate) fn id_of(entry: &InventoryEntry) -> ObjectId {
    ObjectId {
        group: entry.group.clone(),
        kind: entry.kind.clone(),
        namespace: entry.namespace.clone(),
        name: entry.name.clone(),
    }
}

async fn read(
    target: &Target,
    catalog: &Catalog,
    entry: &InventoryEntry,
) -> Result<Found, CliError> {
    use cluster::Resource;
    use cluster::caller::Want;
    let id = id_of(entry);
    let api = catalog
        .api(&id.group, &entry.version, &id.kind)
        .or_else(|| {
            catalog
                .preferred_api(&id.group, &id.kind)
                .map(|(api, _)| api)
        });
    let Some(api) = api else {
        let message = "the cluster does not serve the kind";
        return Ok(Found::without(id, Status::Unknown, "KindUnknown", message));
    };
    let place = Resource::object(&api, id.namespace.as_deref(), &id.name);
    match target.caller.get(&place, Want::Whole).await {
        Ok(answer) => answer
            .decode()
            .map(|object| Found::live(id, object))
            .map_err(|error| unable(&error)),
        Err(error) if error.is_not_found() => {
            let health = health::health(&Value::Null, None);
            Ok(Found {
                id,
                health,
                object: None,
            })
        }
        Err(error) if error.is_forbidden() => Ok(Found::without(
            id,
            Status::Unknown,
            "Forbidden",
            "you may not read it",
        )),
        Err(error) => Err(unable(&error)),
    }
}

impl Found {
    fn without(id: ObjectId, status: Status, reason: &str, message: &str) -> Self {
        let health = Health {
            status,
            reason: reason.to_owned(),
            message: message.to_owned(),
        };
        Self {
            id,
            health,
            object: None,
        }
    }

    fn leaf(&self, owner: Option<ObjectId>) -> Leaf {
        Leaf {
            id: self.id.clone(),
            owner,
            health: self.health.clone(),
        }
    }
}
