//! Kill -9 under load: nothing that was acknowledged is lost, nothing that was refused is there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;

use super::{Outcome, Subject};
use crate::chance::Chance;

/// So many write at a time, each its own objects.
const WRITERS: usize = 8;
/// So many objects each has.
const OBJECTS: usize = 20;

/// What a writer knows of one of its objects: the values that it may have. None is an absent one.
type Known = Vec<Option<u64>>;

/// What one writer did.
#[derive(Debug)]
struct Writer {
    number: usize,
    chance: Chance,
    /// The next value; no two writes write the same.
    next: u64,
    known: BTreeMap<usize, Known>,
    /// The last revision that was acknowledged.
    revision: u64,
    acknowledged: usize,
    /// What was answered that should not be.
    refused: Option<String>,
}

/// Kills the server so often while eight clients write, and compares what is there with what they were
/// told each time.
///
/// # Errors
/// What was lost, by object and value.
pub async fn kills(count: usize) -> Outcome {
    let mut subject = Subject::start().await?;
    let mut chance = Chance::new(1);
    let mut writers: Vec<Writer> = (0..WRITERS).map(Writer::new).collect();
    for round in 0..count {
        let stop = Arc::new(AtomicBool::new(false));
        let mut running = Vec::new();
        for mut writer in writers.drain(..) {
            let client = subject.client().await?;
            let stop = stop.clone();
            running.push(tokio::spawn(async move {
                writer.write(&client, &stop).await;
                writer
            }));
        }
        let pause = u64::try_from(20 + chance.below(400)).unwrap_or_default();
        tokio::time::sleep(Duration::from_millis(pause)).await;
        subject.kill().await?;
        stop.store(true, Ordering::Relaxed);
        for writer in running {
            writers.push(writer.await.map_err(|error| error.to_string())?);
        }
        subject.start_again().await?;
        let client = subject.client().await?;
        check(&client, &mut writers)
            .await
            .map_err(|why| format!("after kill {}: {why}", round + 1))?;
    }
    subject.stop().await?;
    let acknowledged: usize = writers.iter().map(|writer| writer.acknowledged).sum();
    if acknowledged < count {
        return Err(format!(
            "{acknowledged} writes in {count} rounds are no load"
        ));
    }
    Ok(format!(
        "{count} kills, {acknowledged} acknowledged writes, none lost"
    ))
}

impl Writer {
    fn new(number: usize) -> Self {
        Self {
            number,
            chance: Chance::new(u64::try_from(number).unwrap_or_default()),
            next: 0,
            known: (0..OBJECTS).map(|object| (object, vec![None])).collect(),
            revision: 0,
            acknowledged: 0,
            refused: None,
        }
    }

    /// Writes until the server is gone.
    async fn write(&mut self, client: &Client, stop: &AtomicBool) {
        let maps = Api::<ConfigMap>::namespaced(client.clone(), "default");
        while !stop.load(Ordering::Relaxed) {
            let object = self.chance.below(OBJECTS);
            let name = name(self.number, object);
            let value = if self.chance.percent(20) {
                None
            } else {
                self.next += 1;
                Some(self.next)
            };
            let answered = match value {
                Some(value) => {
                    let map = json!({
                        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
                        "data": {"value": value.to_string(), "text": "x".repeat(500)},
                    });
                    let params = PatchParams::apply("soak").force();
                    let applied = maps.patch(&name, &params, &Patch::Apply(&map)).await;
                    applied.map(|map| map.resource_version())
                }
                None => match maps.delete(&name, &DeleteParams::default()).await {
                    Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
                    deleted => deleted.map(|_| None),
                },
            };
            let known = self.known.entry(object).or_default();
            match answered {
                Ok(revision) => {
                    *known = vec![value];
                    self.acknowledged += 1;
                    let revision = revision.and_then(|text| text.parse().ok());
                    self.revision = self.revision.max(revision.unwrap_or_default());
                }
                // Alive, it has no reason to refuse anything.
                Err(kube::Error::Api(status)) => {
                    self.refused = Some(format!("`{name}`: {}", status.message));
                    return;
                }
                // It may be stored or not: nobody was told.
                Err(_) => {
                    known.push(value);
                    return;
                }
            }
        }
    }
}

async fn check(client: &Client, writers: &mut [Writer]) -> Outcome<()> {
    let maps = Api::<ConfigMap>::namespaced(client.clone(), "default");
    let list = maps.list(&ListParams::default()).await;
    let list = list.map_err(|error| format!("it does not answer: {error}"))?;
    let revision = list.metadata.resource_version.as_deref();
    let revision: u64 = revision
        .and_then(|text| text.parse().ok())
        .unwrap_or_default();
    let found: BTreeMap<String, u64> = list
        .into_iter()
        .filter_map(|map| {
            let value = map.data.as_ref()?.get("value")?.parse().ok()?;
            Some((map.name_any(), value))
        })
        .collect();
    for writer in writers {
        if let Some(refused) = writer.refused.take() {
            return Err(refused);
        }
        if revision < writer.revision {
            return Err(format!(
                "the revision went back from {} to {revision}",
                writer.revision
            ));
        }
        for (object, known) in &mut writer.known {
            let name = name(writer.number, *object);
            let value = found.get(&name).copied();
            if !known.contains(&value) {
                return Err(format!("`{name}` is {value:?}, acknowledged was {known:?}"));
            }
            *known = vec![value];
        }
    }
    Ok(())
}

fn name(writer: usize, object: usize) -> String {
    format!("map-{writer}-{object}")
}
