//! What a new Pod gets of the ServiceAccount that it acts as: the account has to be there, and a volume holds
//! its token.
//!
//! External rule: `plugin/pkg/admission/serviceaccount` of k8s.io/kubernetes.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::meta;
use super::write::Write;
use crate::cluster::Cluster;
use crate::status::Status;
use crate::store::{Key, Record, Resource};
use crate::ways::Special;

/// Where programs look for their token.
const PLACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const VOLUME: &str = "kube-api-access-";
/// The account that every namespace gets by itself, for which a new namespace is given some time.
const DEFAULT: &str = "default";
const ATTEMPTS: usize = 10;
const PAUSE: Duration = Duration::from_millis(100);

impl Write<'_> {
    /// Mounts the token of its account into a new object that acts as one.
    pub(super) async fn mount_account(
        &self,
        cluster: &Cluster,
        object: &mut Value,
    ) -> Result<(), Status> {
        if self.kind.ways.special != Special::ActsAsAccount || !self.subresource.is_empty() {
            return Ok(());
        }
        let name = object["spec"]["serviceAccountName"].as_str();
        let name = name.unwrap_or(DEFAULT).to_owned();
        let Some(account) = self.account(cluster, &name).await else {
            let namespace = self.namespace;
            let why = format!(
                "error looking up service account {namespace}/{name}: serviceaccount {name:?} not found"
            );
            let pod = meta::text(object, "name");
            return Err(Status::forbidden(self.kind.about(), pod, &why));
        };
        mount(&account.value(), &mut object["spec"]);
        Ok(())
    }

    async fn account(&self, cluster: &Cluster, name: &str) -> Option<Arc<Record>> {
        let accounts = Resource::new("", "serviceaccounts");
        let key = Key::new(&accounts, self.namespace, name).ok()?;
        let attempts = if name == DEFAULT { ATTEMPTS } else { 1 };
        for attempt in 0..attempts {
            if attempt > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            if let Some(account) = cluster.store.get(&key) {
                return Some(account);
            }
        }
        None
    }
}

/// Gives the spec of a Pod what its account brings along.
fn mount(account: &Value, spec: &mut Value) {
    let pulls = &account["imagePullSecrets"];
    if spec["imagePullSecrets"].is_null() && pulls.is_array() {
        spec["imagePullSecrets"] = pulls.clone();
    }
    let wanted = [
        &spec["automountServiceAccountToken"],
        &account["automountServiceAccountToken"],
    ];
    let said = wanted.into_iter().find_map(Value::as_bool);
    if said == Some(false) {
        return;
    }
    let name = meta::generated_name(VOLUME);
    let mount = json!({"name": name, "readOnly": true, "mountPath": PLACE});
    let mut is_mounted = false;
    for list in ["initContainers", "containers"] {
        // Not by index, which would leave a null where there is no list.
        let containers = spec.get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            let mounts = &mut container["volumeMounts"];
            if mounts.is_null() {
                *mounts = json!([]);
            }
            let Some(mounts) = mounts.as_array_mut() else {
                continue;
            };
            if !mounts.iter().any(|mount| mount["mountPath"] == PLACE) {
                mounts.push(mount.clone());
                is_mounted = true;
            }
        }
    }
    if !is_mounted {
        return;
    }
    if spec["volumes"].is_null() {
        spec["volumes"] = json!([]);
    }
    if let Some(volumes) = spec["volumes"].as_array_mut() {
        volumes.push(volume(&name));
    }
}

fn volume(name: &str) -> Value {
    let namespace = json!({"apiVersion": "v1", "fieldPath": "metadata.namespace"});
    json!({"name": name, "projected": {"defaultMode": 420, "sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {
            "name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}],
        }},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": namespace}]}},
    ]}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_find_the_token_unless_pod_or_account_forbid_it() {
        for (account, pod, wanted) in [
            (Value::Null, Value::Null, 1),
            (json!(false), Value::Null, 0),
            (json!(false), json!(true), 1),
            (json!(true), json!(false), 0),
        ] {
            let account = json!({"automountServiceAccountToken": account});
            let own = json!({"name": "own", "mountPath": PLACE});
            let mut spec = json!({
                "automountServiceAccountToken": pod,
                "containers": [{"name": "a"}, {"name": "b", "volumeMounts": [own]}],
            });
            mount(&account, &mut spec);
            let count = |value: &Value| value.as_array().map_or(0, Vec::len);
            assert_eq!(count(&spec["volumes"]), wanted);
            assert_eq!(spec.get("initContainers"), None);
            assert_eq!(count(&spec["containers"][0]["volumeMounts"]), wanted);
            assert_eq!(count(&spec["containers"][1]["volumeMounts"]), 1);
        }
    }
}
