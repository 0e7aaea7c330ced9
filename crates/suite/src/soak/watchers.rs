//! A thousand watchers that do not read, and some that read too slowly: the server's memory stays bounded, and
//! others notice nothing.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams, WatchEvent, WatchParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Outcome, Subject};

/// So many connections, each with as many watches.
const CONNECTIONS: usize = 20;
/// So many objects are changed again and again.
const OBJECTS: usize = 100;
/// The bytes of each.
const SIZE: usize = 4_096;
/// So many changes are under way at a time.
const AT_A_TIME: usize = 16;
/// How much more memory the watchers may cost, in MiB: it is less than a tenth of what they do not read.
const MOST: u64 = 400;
/// So many watchers read, and wait in between.
const SLOW: usize = 20;
/// How long each of them waits after an event: it needs minutes for what others read in seconds.
const PAUSE: Duration = Duration::from_millis(20);
/// How long somebody who reads may wait for a change.
const PATIENCE: Duration = Duration::from_secs(30);

/// Opens so many watches, reads none of them, and changes objects so often.
///
/// # Errors
/// Where memory grows beyond its bound, or where somebody who reads does not see every change.
pub async fn watchers(count: usize, changes: usize) -> Outcome {
    let subject = Subject::start().await?;
    let writer = maps(subject.client().await?);
    for object in 0..OBJECTS {
        change(&writer, object, 0).await?;
    }
    let list = writer.list(&kube::api::ListParams::default()).await;
    let list = list.map_err(|error| error.to_string())?;
    let from = list.metadata.resource_version.unwrap_or_default();
    let [before, _] = subject.memory()?;

    // Held and never polled: what the server sends stays in its buffers and in the kernel's.
    let mut silent = Vec::with_capacity(count);
    for connection in 0..CONNECTIONS {
        let maps = maps(subject.client().await?);
        for _ in (connection..count).step_by(CONNECTIONS) {
            let watch = maps.watch(&WatchParams::default(), &from).await;
            silent.push(
                watch
                    .map_err(|error| format!("a watch does not begin: {error}"))?
                    .boxed(),
            );
        }
    }
    let mut slow = JoinSet::new();
    for _ in 0..SLOW {
        slow.spawn(dawdle(subject.client().await?, from.clone()));
    }
    let reading = tokio::spawn(read(subject.client().await?, from, changes));
    let numbers = futures::stream::iter(0..changes).map(|number| {
        let writer = &writer;
        // Values begin at 1: all are changes.
        async move { change(writer, number % OBJECTS, number / OBJECTS + 1).await }
    });
    numbers
        .buffer_unordered(AT_A_TIME)
        .try_collect::<Vec<()>>()
        .await?;
    let seen = reading.await.map_err(|error| error.to_string())??;
    let [_, peak] = subject.memory()?;
    let grown = peak.saturating_sub(before);
    if grown > MOST {
        return Err(format!(
            "{count} watchers that do not read cost {grown} MiB, more than {MOST}"
        ));
    }
    // A new watcher is served at once all the same.
    let late = maps(subject.client().await?);
    let listed = timeout(PATIENCE, late.list(&kube::api::ListParams::default())).await;
    listed
        .map_err(|_| "a list takes too long".to_owned())?
        .map_err(|error| error.to_string())?;
    drop(silent);
    // What the slow ones were told was in order so far, or they were told that they are too late.
    let mut late = 0;
    while let Some(ended) = slow.try_join_next() {
        ended.map_err(|error| error.to_string())??;
        late += 1;
    }
    slow.abort_all();
    subject.stop().await?;
    Ok(format!(
        "{count} watchers that do not read and {SLOW} that are slow ({late} of them too slow), {changes} changes of \
         {SIZE} bytes: {seen} seen by one that reads, memory {before} MiB before, {peak} MiB at its peak"
    ))
}

fn maps(client: Client) -> Api<ConfigMap> {
    Api::namespaced(client, "default")
}

async fn change(maps: &Api<ConfigMap>, object: usize, value: usize) -> Outcome<()> {
    let name = format!("map-{object}");
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
        "data": {"value": value.to_string(), "text": "x".repeat(SIZE)},
    });
    let params = PatchParams::apply("soak").force();
    let applied = maps.patch(&name, &params, &Patch::Apply(&map)).await;
    applied
        .map(drop)
        .map_err(|error| format!("`{name}`: {error}"))
}

/// Reads a watch slowly, until it is told that it is too late: what it sees is in order.
async fn dawdle(client: Client, mut from: String) -> Outcome<()> {
    let maps = maps(client);
    let mut last: u64 = 0;
    loop {
        let watch = maps.watch(&WatchParams::default(), &from).await;
        let mut watch = watch.map_err(|error| error.to_string())?.boxed();
        while let Some(event) = watch.next().await {
            match event {
                Ok(WatchEvent::Modified(map) | WatchEvent::Added(map)) => {
                    from = map.resource_version().unwrap_or_default();
                    let revision = from.parse().unwrap_or_default();
                    if revision <= last {
                        return Err(format!("{revision} is told after {last}"));
                    }
                    last = revision;
                    tokio::time::sleep(PAUSE).await;
                }
                Ok(WatchEvent::Error(status)) if status.code == 410 => return Ok(()),
                Ok(WatchEvent::Error(status)) => return Err(status.message.clone()),
                Ok(_) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}

/// Reads a watch until it has told so many changes; where it has ended, a new one goes on where it was.
async fn read(client: Client, mut from: String, changes: usize) -> Outcome<usize> {
    let maps = maps(client);
    let mut seen = 0;
    while seen < changes {
        let params = WatchParams::default();
        let watch = maps.watch(&params, &from).await;
        let mut watch = watch.map_err(|error| error.to_string())?.boxed();
        loop {
            let event = timeout(PATIENCE, watch.next()).await;
            let event = event.map_err(|_| format!("nothing comes after {seen} of {changes}"))?;
            match event {
                Some(Ok(WatchEvent::Modified(map) | WatchEvent::Added(map))) => {
                    seen += 1;
                    from = map.resource_version().unwrap_or_default();
                }
                Some(Ok(WatchEvent::Error(status))) => return Err(status.message.clone()),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.to_string()),
                None => break,
            }
            if seen >= changes {
                break;
            }
        }
    }
    Ok(seen)
}
