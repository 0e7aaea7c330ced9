//! The Lease that lets one controller of a cluster work while the others wait.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::core::ApiResource;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::caller::{Caller, Payload, Want};
use crate::contact::Contact;
use crate::error::ApiError;
use crate::resource::Resource;
use crate::term::{Moment, Term};

/// How long a holder that does not renew keeps the Lease.
const TERM: Duration = Duration::from_secs(15);
/// How often the holder renews, and how often the others look.
const STEP: Duration = Duration::from_secs(3);
/// How soon the holder tries again after a renewal that failed: until then it may not write.
const SOON: Duration = Duration::from_secs(1);

/// The Lease that a process wants, and as whom.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The namespace of the Lease.
    pub namespace: &'a str,
    /// The name of the Lease.
    pub name: &'a str,
    /// The name under which it is held.
    pub holder: &'a str,
}

/// A Lease held by this process.
pub struct Held {
    caller: Caller,
    contact: Arc<Contact>,
    place: Resource,
    holder: String,
    version: String,
    term: Arc<Term>,
}

/// Waits until the Lease is ours. `waiting` is told once who has it, and `contact` whether the API
/// server answers, from now on until the Lease is given back.
///
/// # Errors
/// [`ApiError`] when the Lease may not be read or written; an unreachable server is waited for.
pub async fn acquire(
    caller: &Caller,
    contact: &Arc<Contact>,
    claim: Claim<'_>,
    waiting: impl Fn(&str),
) -> Result<Held, ApiError> {
    let Claim {
        namespace,
        name,
        holder,
    } = claim;
    let api = ApiResource::erase::<Lease>(&());
    let place = Resource::object(&api, Some(namespace), name);
    // Another clock is not trusted: a holder is dead when its Lease has not moved for a term
    // by this process's own clock.
    let mut seen: Option<(String, Instant)> = None;
    let mut told = false;
    loop {
        let lease = match caller.get(&place, Want::Whole).await {
            Ok(answer) => Some(answer.decode::<Lease>()?),
            Err(error) if error.is_not_found() => None,
            Err(error) if error.is_transient() => {
                contact.lost(&error);
                sleep(STEP).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        contact.made();
        let version = lease
            .as_ref()
            .and_then(|lease| lease.metadata.resource_version.clone())
            .unwrap_or_default();
        if seen.as_ref().is_none_or(|(known, _)| *known != version) {
            seen = Some((version.clone(), Instant::now()));
        }
        let current = lease
            .as_ref()
            .and_then(|lease| lease.spec.as_ref()?.holder_identity.clone())
            .filter(|h| !h.is_empty());
        let expired = seen
            .as_ref()
            .is_some_and(|(_, since)| since.elapsed() > TERM);
        let is_anothers = current.as_deref().is_some_and(|current| current != holder);
        let free = current.as_deref().is_none_or(|current| current == holder) || expired;
        if free {
            let body = record(
                namespace,
                name,
                holder,
                Some(&version).filter(|v| !v.is_empty()),
            );
            let begun = Moment::now();
            let written = if lease.is_some() {
                caller
                    .patch(
                        &place,
                        "fieldManager=shipway-controller",
                        Want::Metadata,
                        &Payload::Merge(Bytes::from(body.to_string())),
                    )
                    .await
            } else {
                caller
                    .create(&Resource::collection(&api, Some(namespace)), &body)
                    .await
            };
            match written {
                Ok(answer) => {
                    let term = Arc::new(Term::new(TERM, is_anothers));
                    term.begin(begun);
                    return Ok(Held {
                        caller: caller.clone(),
                        contact: contact.clone(),
                        place,
                        holder: holder.to_owned(),
                        version: version_of(&answer.decode::<Value>()?),
                        term,
                    });
                }
                Err(error) if error.is_conflict() || error.is_transient() => {}
                Err(error) => return Err(error),
            }
        } else if !told {
            waiting(current.as_deref().unwrap_or_default());
            told = true;
        }
        sleep(STEP).await;
    }
}

impl Held {
    /// How long writes may be made, renewed for as long as the Lease is kept.
    pub fn term(&self) -> Arc<Term> {
        self.term.clone()
    }

    /// Renews the Lease until `done`, then gives it back. Returns early when it is lost: then
    /// this process must stop working at once, and its term has ended.
    pub async fn keep(mut self, done: CancellationToken) -> Kept {
        let mut pause = STEP;
        let kept = loop {
            tokio::select! {
                () = done.cancelled() => break Kept::GivenBack,
                () = sleep(pause) => {}
            }
            let renewed = self.renew().await;
            match &renewed {
                Err(error) if !error.is_conflict() && !error.is_not_found() => {
                    self.contact.lost(error);
                }
                _ => self.contact.made(),
            }
            pause = match renewed {
                Ok(()) => STEP,
                Err(error) if error.is_conflict() || error.is_not_found() => {
                    match self.reread().await {
                        // A renewal that was not answered may have been made, and people write too.
                        Ok(Now::Lost(to)) => break Kept::Lost(to),
                        Ok(Now::Ours) | Err(_) => SOON,
                    }
                }
                // While the API server is away nobody else can take the Lease either.
                Err(_) => SOON,
            };
        };
        self.term.end();
        if kept == Kept::GivenBack {
            self.give_back().await;
        }
        kept
    }

    async fn renew(&mut self) -> Result<(), ApiError> {
        let begun = Moment::now();
        let spec = json!({"renewTime": micro_now(), "holderIdentity": self.holder});
        self.write(&spec).await?;
        self.term.begin(begun);
        Ok(())
    }

    /// Looks whose Lease it is now.
    async fn reread(&mut self) -> Result<Now, ApiError> {
        let lease: Value = match self.caller.get(&self.place, Want::Whole).await {
            Ok(answer) => answer.decode()?,
            Err(error) if error.is_not_found() => return Ok(Now::Lost(None)),
            Err(error) => return Err(error),
        };
        self.version = version_of(&lease);
        let holder = lease["spec"]["holderIdentity"].as_str().unwrap_or_default();
        if holder == self.holder {
            return Ok(Now::Ours);
        }
        let taken = !holder.is_empty();
        Ok(Now::Lost(taken.then(|| holder.to_owned())))
    }

    async fn give_back(&mut self) {
        // If this fails the next holder waits for the term instead.
        let _ = self.write(&json!({"holderIdentity": ""})).await;
    }

    async fn write(&mut self, spec: &Value) -> Result<(), ApiError> {
        let body = json!({"metadata": {"resourceVersion": self.version}, "spec": spec});
        let payload = Payload::Merge(Bytes::from(body.to_string()));
        let answer = self
            .caller
            .patch(
                &self.place,
                "fieldManager=shipway-controller",
                Want::Metadata,
                &payload,
            )
            .await?;
        self.version = version_of(&answer.decode::<Value>()?);
        Ok(())
    }
}

/// Whose a Lease is that somebody wrote.
enum Now {
    Ours,
    Lost(Option<String>),
}

/// How holding a Lease ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It was given back because we were asked to stop.
    GivenBack,
    /// This one has it, or nobody.
    Lost(Option<String>),
}

fn record(namespace: &str, name: &str, holder: &str, version: Option<&String>) -> Value {
    let mut body = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "holderIdentity": holder,
            "leaseDurationSeconds": TERM.as_secs(),
            "acquireTime": micro_now(),
            "renewTime": micro_now(),
        },
    });
    if let Some(version) = version {
        body["metadata"]["resourceVersion"] = json!(version);
    }
    body
}

fn version_of(object: &Value) -> String {
    object["metadata"]["resourceVersion"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn micro_now() -> String {
    let now = Timestamp::now();
    debug_assert!(now.duration_since(Timestamp::UNIX_EPOCH) > SignedDuration::ZERO);
    now.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}
