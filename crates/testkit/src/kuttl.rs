//! Runs cases in the directory format of kuttl, as far as suites of Kubernetes controllers use it: numbered
//! steps of YAML, in which a file is what to apply, what must be there (`assert`) or what must not (`errors`).
//!
//! A case is a folder. All files with one number form a step; steps run in order of their numbers. A file is
//! `<number>-<role>….yaml`, where the role is the first word behind the number. What is applied is created, or
//! sent as a JSON merge patch where it is there. A step is over as soon as everything it expects holds at once.
//! Commands and kuttl's own kinds (`TestStep`, `TestAssert`) are not read.

mod step;
mod subset;

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use kube::Client;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::discovery::{Scope, pinned_kind};
use serde_json::Value;

use crate::poll;
use step::{Role, Step};
use subset::mismatch;

/// One case, read from its folder.
#[derive(Clone, Debug)]
pub struct Case {
    /// The folder's name.
    pub name: String,
    steps: Vec<Step>,
}

impl Case {
    /// Reads the case in a folder.
    ///
    /// # Errors
    /// What cannot be read, with the file's name.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let name = folder.file_name().unwrap_or_default();
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            steps: step::read(folder)?,
        })
    }

    /// The cases in a folder: one for each folder in it, in order of their names.
    ///
    /// # Errors
    /// As [`Case::read`].
    pub fn read_all(folder: &Path) -> Result<Vec<Self>, String> {
        let entries = std::fs::read_dir(folder);
        let entries = entries.map_err(|why| format!("{}: {why}", folder.display()))?;
        let mut folders: Vec<_> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.is_dir())
            .collect();
        folders.sort();
        folders.iter().map(|path| Self::read(path)).collect()
    }

    /// Whether it waits for an object of a kind.
    pub fn awaits(&self, kind: &str) -> bool {
        let mut awaited = self.steps.iter().flat_map(|step| step.of(Role::Assert));
        awaited.any(|object| object["kind"] == kind)
    }

    /// Runs the steps in a namespace, each for as long as `patience` at most.
    ///
    /// # Errors
    /// The first step that does not come true: its number, and for each object what differs.
    pub async fn run(
        &self,
        client: &Client,
        namespace: &str,
        patience: Duration,
    ) -> Result<(), String> {
        let mut run = Run {
            client,
            namespace,
            kinds: HashMap::new(),
        };
        for step in &self.steps {
            let told = |why: String| format!("{}, step {}: {why}", self.name, step.number);
            for object in step.of(Role::Apply) {
                run.apply(object).await.map_err(told)?;
            }
            for (_, object) in &step.objects {
                run.place(object).await.map_err(told)?;
            }
            let run = &run;
            let holds = poll(patience, || run.holds(step));
            holds.await.map_err(told)?;
        }
        Ok(())
    }

    /// Deletes what the steps applied cluster-wide, the last first. What is in the namespace goes with that.
    pub async fn remove(&self, client: &Client) {
        let applied = self.steps.iter().flat_map(|step| step.of(Role::Apply));
        let mut objects: Vec<&Value> = applied.collect();
        objects.reverse();
        for object in objects {
            // What cannot be found or deleted any more is gone: the kind, or the object.
            let Ok((api, capabilities)) = pinned_kind(client, &kind_of(object)).await else {
                continue;
            };
            if let (Scope::Cluster, Some(name)) =
                (capabilities.scope, object["metadata"]["name"].as_str())
            {
                let all: Api<DynamicObject> = Api::all_with(client.clone(), &api);
                let _ = all.delete(name, &DeleteParams::default()).await;
            }
        }
    }
}

/// Where a case runs.
struct Run<'a> {
    client: &'a Client,
    namespace: &'a str,
    kinds: HashMap<(String, String), (ApiResource, Scope)>,
}

impl Run<'_> {
    async fn apply(&mut self, object: &Value) -> Result<(), String> {
        let name = &object["metadata"]["name"];
        let named = format!("{} {}", text(&object["kind"]), text(name));
        let api = self.place(object).await?;
        let refused = |why: kube::Error| format!("{named} cannot be applied: {why}");
        let there = match name.as_str() {
            Some(name) => api.get_opt(name).await.map_err(refused)?,
            None => None,
        };
        if there.is_some() {
            let patch = Patch::Merge(object);
            let params = PatchParams::default();
            api.patch(text(name), &params, &patch)
                .await
                .map_err(refused)?;
        } else {
            let object: DynamicObject =
                serde_json::from_value(object.clone()).map_err(|why| format!("{named}: {why}"))?;
            api.create(&PostParams::default(), &object)
                .await
                .map_err(refused)?;
        }
        Ok(())
    }

    /// Where objects of this one's kind are; asked once for each kind.
    async fn place(&mut self, object: &Value) -> Result<Api<DynamicObject>, String> {
        let (version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
        let key = (version.to_owned(), kind.to_owned());
        if !self.kinds.contains_key(&key) {
            let gvk = kind_of(object);
            let found = poll(Duration::from_secs(10), || pinned_kind(self.client, &gvk)).await;
            let (api, capabilities) = found.map_err(|why| format!("{version} {kind}: {why}"))?;
            self.kinds.insert(key, (api, capabilities.scope));
        }
        Ok(self.known(object))
    }

    /// As [`Run::place`], of a kind that was asked for.
    fn known(&self, object: &Value) -> Api<DynamicObject> {
        let (version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
        let (api, scope) = &self.kinds[&(version.to_owned(), kind.to_owned())];
        match scope {
            Scope::Cluster => Api::all_with(self.client.clone(), api),
            Scope::Namespaced => {
                let namespace = object["metadata"]["namespace"].as_str();
                Api::namespaced_with(
                    self.client.clone(),
                    namespace.unwrap_or(self.namespace),
                    api,
                )
            }
        }
    }

    /// Whether everything a step expects holds now.
    async fn holds(&self, step: &Step) -> Result<(), String> {
        let mut missing = Vec::new();
        for object in step.of(Role::Assert) {
            if let Err(why) = self.is_there(object).await {
                missing.push(why);
            }
        }
        for object in step.of(Role::Errors) {
            if self.is_there(object).await.is_ok() {
                let name = text(&object["metadata"]["name"]);
                missing.push(format!("{} {name} is there", text(&object["kind"])));
            }
        }
        if missing.is_empty() {
            Ok(())
        } else {
            Err(missing.join("; "))
        }
    }

    /// Whether an object like this is there; otherwise the first difference.
    async fn is_there(&self, expected: &Value) -> Result<(), String> {
        let api = self.known(expected);
        let kind = text(&expected["kind"]);
        if let Some(name) = expected["metadata"]["name"].as_str() {
            let found = api
                .get(name)
                .await
                .map_err(|why| format!("{kind} {name}: {why}"))?;
            let found = serde_json::to_value(found).map_err(|why| why.to_string())?;
            return match mismatch(expected, &found) {
                None => Ok(()),
                Some(why) => Err(format!("{kind} {name}: {why}")),
            };
        }
        let mut params = ListParams::default();
        if let Some(labels) = expected["metadata"]["labels"].as_object() {
            let labels: Vec<_> = labels
                .iter()
                .map(|(key, value)| format!("{key}={}", text(value)))
                .collect();
            params = params.labels(&labels.join(","));
        }
        let found = api
            .list(&params)
            .await
            .map_err(|why| format!("{kind}: {why}"))?;
        let mut last = format!("there is no {kind}");
        for object in found {
            let mut object = serde_json::to_value(object).map_err(|why| why.to_string())?;
            for key in ["apiVersion", "kind"] {
                object[key] = expected[key].clone(); // the items of a list do not say it
            }
            match mismatch(expected, &object) {
                None => return Ok(()),
                Some(why) => last = format!("no {kind} matches, such as: {why}"),
            }
        }
        Err(last)
    }
}

fn kind_of(object: &Value) -> GroupVersionKind {
    let version = text(&object["apiVersion"]);
    let (group, number) = version.split_once('/').unwrap_or(("", version));
    GroupVersionKind::gvk(group, number, text(&object["kind"]))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
