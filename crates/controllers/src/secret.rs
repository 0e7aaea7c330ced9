//! Credentials from Secrets. They are read when a source needs them and again when it refused
//! them, since Secrets cannot be watched without the right to read all of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::time::Duration;

use cluster::caller::Want;
use cluster::{Caller, Resource};
use git::Credentials;
use k8s_openapi::api::core::v1::Secret;
use kinds::Reason;
use kube::core::ApiResource;
use tokio::time::Instant;

use crate::halt::Halt;

/// How long credentials are used before the Secret is read again.
const KEEP: Duration = Duration::from_mins(10);
/// How long they are used where the source refuses them.
const KEEP_REFUSED: Duration = Duration::from_secs(5);

/// What the source has made of the credentials that were read last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Welcome {
    /// Nothing is known against them.
    Open,
    /// It refused them: they may have been renewed in their Secret since.
    Refused,
}

/// The credentials that were read.
#[derive(Default)]
pub struct Secrets(Mutex<HashMap<(String, String), Kept>>);

/// What was read, and when.
type Kept = (Instant, Credentials);

impl Secrets {
    /// The credentials of a Secret.
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
        let place = (namespace.to_owned(), name.to_owned());
        let keep = match welcome {
            Welcome::Open => KEEP,
            Welcome::Refused => KEEP_REFUSED,
        };
        let known = self
            .0
            .lock()
            .expect("nothing panics while holding it")
            .get(&place)
            .cloned();
        if let Some((at, credentials)) = known
            && at.elapsed() < keep
        {
            return Ok(credentials);
        }
        let credentials = read(caller, namespace, name).await?;
        self.0
            .lock()
            .expect("nothing panics while holding it")
            .insert(place, (Instant::now(), credentials.clone()));
        Ok(credentials)
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
