//! Reads the files of the specification and of the overlay, and turns them into manifests.

use delivery::{FileContent, Overlay, Rendering, Subject, TreeFile};
use git::{Content, File, TreeId};
use kinds::Reason;

use super::check::Checked;
use super::gather;
use crate::context::Ctx;
use crate::halt::Halt;
use crate::source::{Follower, Trouble};

pub(super) async fn render(ctx: &Ctx, checked: &Checked) -> Result<Rendering, Halt> {
    ctx.board.attempts(&checked.key, checked.at.tree);
    let files = read(ctx, &gather::follower(&checked.key), checked.at.tree, "").await?;
    let overlay = match &checked.overlay {
        None => None,
        Some(at) => {
            let mut files = Vec::new();
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
        attempt: format!("read the manifests: {panic}"),
    })
}

async fn read(
    ctx: &Ctx,
    follower: &Follower,
    tree: TreeId,
    prefix: &str,
) -> Result<Vec<TreeFile>, Halt> {
    let files = ctx
        .sources
        .read(follower, tree)
        .await
        .map_err(|why| refused(&why))?;
    Ok(files
        .into_iter()
        .map(|file| tree_file(file, prefix))
        .collect())
}

fn tree_file(file: File, prefix: &str) -> TreeFile {
    let content = match file.content {
        Content::Bytes(bytes) => FileContent::Bytes(bytes),
        Content::Link(target) => FileContent::Link(target),
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
