//! Credentials from Secrets. They are read when a source needs them and again when it refused
//! them, since Secrets cannot be watched without the right to read all of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex as SyncMutex};
use std::time::Duration;

use cluster::caller::Want;
use cluster::{Caller, Resource};
use git::Credentials;
use k8s_openapi::api::core::v1::Secret;
use kinds::Reason;
use kube::core::ApiResource;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::halt::Halt;

/// How long credentials are used before the Secret is read again.
const KEEP: Duration = Duration::from_mins(10);
/// How long they are used where the source refuses them or is not trusted by them, and how long a
/// Secret that was of no use is not read again.
const KEEP_REFUSED: Duration = Duration::from_secs(4);

/// What is known against the credentials that were read last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Welcome {
    /// Nothing.
    Open,
    /// The source refused them, or is not trusted by the CA in them: they may have been renewed in
    /// their Secret since.
    Refused,
    /// Somebody asks for a look at everything, now.
    Asked,
}

/// The credentials that were read.
#[derive(Default)]
pub struct Secrets(SyncMutex<HashMap<(String, String), Slot>>);

/// What was read, and when. Whoever reads holds it.
type Slot = Arc<Mutex<Option<(Instant, Result<Credentials, Halt>)>>>;

impl Secrets {
    /// The credentials of a Secret. Any number of callers at a time cost one request.
    ///
    /// # Errors
    /// A [`Halt`] that names the Secret when it is missing, unreadable or of the wrong shape.
    pub async fn credentials(
        &self,
        caller: &Caller,
        namespace: &str,
        name: &str,
        welcome: Welcome,
    ) -> Result<Credentials, Halt> {
        let asked = Instant::now();
        let slot = self
            .0
            .lock()
            .expect("nothing panics while holding it")
            .entry((namespace.to_owned(), name.to_owned()))
            .or_default()
            .clone();
        let mut kept = slot.lock().await;
        if let Some((at, found)) = &*kept {
            let keep = match (welcome, found) {
                (Welcome::Asked, _) => Duration::ZERO,
                (Welcome::Open, Ok(_)) => KEEP,
                (Welcome::Refused, _) | (_, Err(_)) => KEEP_REFUSED,
            };
            if *at >= asked || at.elapsed() < keep {
                return found.clone();
            }
        }
        let found = read(caller, namespace, name).await;
        *kept = Some((Instant::now(), found.clone()));
        found
    }
}

async fn read(caller: &Caller, namespace: &str, name: &str) -> Result<Credentials, Halt> {
    let api = ApiResource::erase::<Secret>(&());
    let answer = caller
        .get(&Resource::object(&api, Some(namespace), name), Want::Whole)
        .await;
    let secret: Secret = match answer.and_then(|answer| answer.decode()) {
        Ok(secret) => secret,
        Err(error) if error.is_not_found() => {
            return Err(Halt::Failed {
                reason: Reason::SourceUnauthorized,
                attempt: format!("read the credentials: there is no Secret `{namespace}/{name}`"),
            });
        }
        Err(error) if error.is_forbidden() => {
            return Err(Halt::Failed {
                reason: Reason::SourceUnauthorized,
                attempt: format!(
                    "read the credentials: the controller may not read Secret `{namespace}/{name}`"
                ),
            });
        }
        // The answer of a failed decode could quote the Secret, so its text is not shown.
        Err(_) => {
            return Err(Halt::Failed {
                reason: Reason::ClusterUnreachable,
                attempt: format!("read Secret `{namespace}/{name}`"),
            });
        }
    };
    let data: BTreeMap<String, Vec<u8>> = secret
        .data
        .unwrap_or_default()
        .into_iter()
        .map(|(key, value)| (key, value.0))
        .collect();
    Credentials::from_secret(secret.type_.as_deref(), &data).map_err(|error| Halt::Failed {
        reason: Reason::SourceUnauthorized,
        attempt: format!("use Secret `{namespace}/{name}`: {error}"),
    })
}
