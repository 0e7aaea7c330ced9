//! Reads the files of the specification and of the overlay, and turns them into manifests.

use std::collections::BTreeSet;
use std::sync::Arc;

use delivery::{FileContent, Overlay, Rendering, Subject, TreeFile};
use git::{Content, File, TreeId};
use kinds::Reason;
use manifest::ObjectId;

use super::check::Checked;
use super::gather;
use crate::board::Key;
use crate::context::Ctx;
use crate::halt::Halt;
use crate::source::{Follower, Trouble};

pub(super) async fn render(ctx: &Ctx, checked: &Checked) -> Result<Rendering, Halt> {
    let files = read(ctx, &gather::follower(&checked.key), checked.at.tree, "").await?;
    let overlay = match &checked.overlay {
        None => None,
        Some(at) => {
            let mut files = Vec::new();
            if let Some(content) = at.ignore.clone() {
                let path = delivery::IGNORE_FILE.to_owned();
                files.push(tree_file(File { path, content }, ""));
            }
            if let Some(tree) = at.all {
                files.extend(read(ctx, &at.follower, tree, "all/").await?);
            }
            if let Some(tree) = at.own {
                let prefix = format!("{}/{}/", checked.key.namespace, checked.key.name);
                files.extend(read(ctx, &at.follower, tree, &prefix).await?);
            }
            Some(Overlay { files })
        }
    };
    ctx.metrics.rendered();
    let key = checked.key.clone();
    // Parsing a large specification takes longer than the runtime's threads may be held up.
    let rendering = tokio::task::spawn_blocking(move || {
        let subject = Subject {
            namespace: &key.namespace,
            name: &key.name,
        };
        delivery::render(&subject, files, overlay.as_ref())
    });
    rendering.await.map_err(|panic| Halt::Failed {
        reason: Reason::ManifestInvalid,
        // What a panic says may quote a file, so it is not shown.
        attempt: format!(
            "read the manifests, by a fault of Shipway ({})",
            if panic.is_panic() {
                "it broke off"
            } else {
                "it was stopped"
            }
        ),
    })
}

/// Says which objects a revision names that the Shipment itself cannot go on with: others hold
/// their prunes and hand-overs until they know. What an overlay adds is left out.
pub(super) async fn announce(ctx: &Ctx, key: &Key) {
    let follower = gather::follower(key);
    let Some(at) = ctx.sources.known(&follower).at else {
        return;
    };
    if ctx.board.attempted(key) == Some(at.tree) {
        return;
    }
    let subject = key.clone();
    match read(ctx, &follower, at.tree, "").await {
        Err(Halt::Failed { .. }) => return, // it may be there the next time
        Err(_) => {}
        Ok(files) => {
            let rendering = tokio::task::spawn_blocking(move || {
                let subject = Subject {
                    namespace: &subject.namespace,
                    name: &subject.name,
                };
                delivery::render(&subject, files, None)
            });
            let rendering = rendering
                .await
                .ok()
                .filter(|rendering| rendering.refused.is_none());
            if let Some(rendering) = rendering {
                ctx.board.wants(key, Arc::new(named(ctx, key, rendering)));
            }
        }
    }
    ctx.board.attempts(key, at.tree);
}

fn named(ctx: &Ctx, key: &Key, rendering: Rendering) -> BTreeSet<ObjectId> {
    let subject = Subject {
        namespace: &key.namespace,
        name: &key.name,
    };
    let served = |group: &str, version: &str, kind: &str| ctx.catalog.served(group, version, kind);
    let settled = delivery::settle(&subject, rendering.manifests, &served);
    let placed = settled.objects.into_iter().map(|object| object.id);
    placed
        .chain(settled.problems.into_iter().map(|refused| refused.id))
        .collect()
}

async fn read(
    ctx: &Ctx,
    follower: &Follower,
    tree: TreeId,
    prefix: &str,
) -> Result<Vec<TreeFile>, Halt> {
    let files = ctx
        .sources
        .read(follower, tree, delivery::is_read)
        .await
        .map_err(|why| refused(&why))?;
    Ok(files
        .into_iter()
        .map(|file| tree_file(file, prefix))
        .collect())
}

/// A file from Git as a file of a tree, below a folder that ends in `/` if there is one.
pub fn tree_file(file: File, prefix: &str) -> TreeFile {
    let content = match file.content {
        Content::Bytes(bytes) => FileContent::Bytes(bytes),
        Content::Link(target) => FileContent::Link(target),
        Content::Large(_) => FileContent::Large,
        // Only that it is there matters.
        Content::Left => FileContent::Bytes(Vec::new()),
    };
    TreeFile {
        path: format!("{prefix}{}", file.path),
        content,
    }
}

fn refused(why: &Trouble) -> Halt {
    if why.transient {
        return Halt::Failed {
            reason: why.reason,
            attempt: format!("read the files: {}", why.message),
        };
    }
    Halt::Stalled {
        reason: why.reason,
        why: why.message.clone(),
    }
}
