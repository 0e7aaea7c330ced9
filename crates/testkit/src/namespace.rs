//! A namespace for one test.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::api::{DeleteParams, ObjectMeta, PostParams};
use kube::{Api, Client};

use crate::eventually;
use crate::real::State;

/// What tells the embedded server how the workloads of a namespace end.
pub(crate) const SIMULATE: &str = "apiserver.shipway.run/simulate";

/// A namespace with a fresh name, deleted when the value is dropped; nobody waits until it is gone.
#[derive(Debug)]
pub struct TempNamespace {
    name: String,
    cluster: String,
    state: State,
}

impl TempNamespace {
    /// Creates a namespace whose name begins with `prefix`, and waits for its ServiceAccount
    /// `default`: before that, no pod can be made in it.
    ///
    /// # Panics
    ///
    /// When the cluster does not let it.
    pub async fn create(state: &State, cluster: &str, prefix: &str) -> Self {
        let client = state
            .client(cluster)
            .await
            .expect("the kubeconfig was written for this cluster");
        let name = create(&client, prefix, state.is_embedded()).await;
        let namespace = Self {
            name,
            cluster: cluster.to_owned(),
            state: state.clone(),
        };
        let accounts = Api::<ServiceAccount>::namespaced(client, &namespace.name);
        // After an outage of its API server a genuine controller-manager takes most of a minute to
        // notice that its connections are dead, and to list again.
        eventually(
            "the ServiceAccount `default`",
            Duration::from_mins(2),
            || accounts.get("default"),
        )
        .await;
        namespace
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

async fn create(client: &Client, prefix: &str, is_embedded: bool) -> String {
    let metadata = ObjectMeta {
        generate_name: Some(format!("{prefix}-")),
        // As on a genuine cluster, where nothing runs until a kubelet is played.
        annotations: is_embedded.then(|| [(SIMULATE.to_owned(), "hang".to_owned())].into()),
        ..Default::default()
    };
    let namespace = Namespace {
        metadata,
        ..Default::default()
    };
    let created = Api::<Namespace>::all(client.clone())
        .create(&PostParams::default(), &namespace)
        .await;
    created
        .expect("a namespace can be created")
        .metadata
        .name
        .expect("what was created has a name")
}

impl Drop for TempNamespace {
    fn drop(&mut self) {
        let (state, cluster, name) = (self.state.clone(), self.cluster.clone(), self.name.clone());
        // The test's runtime is about to end, or blocked in this very function, so the request gets
        // a thread, a runtime and a connection of its own.
        let deleter = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                let client = state
                    .client(&cluster)
                    .await
                    .map_err(std::io::Error::other)?;
                let namespaces = Api::<Namespace>::all(client);
                let deleted = namespaces.delete(&name, &DeleteParams::background()).await;
                deleted.map(drop).map_err(std::io::Error::other)
            })
        });
        // A namespace that stays hurts nobody: its name is never used again.
        let _ = deleter.join();
    }
}
