//! Counts requests by the API server's own audit log, so that a test can say "nothing was written
//! here" without trusting the program that is tested.

mod entry;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kube::Client;

use crate::eventually;

/// One request that an API server has answered, or a watch that it has begun.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// As the client names itself.
    pub user_agent: String,
    /// Who acts: the impersonated user if there is one.
    pub user: String,
    /// Who is connected, when that is someone else.
    pub impersonated_by: Option<String>,
    /// The groups of who acts, in order.
    pub groups: Vec<String>,
    /// As in RBAC: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, …
    pub verb: String,
    /// `group/resource/subresource`, such as `apps/deployments` or `pods/status`; the path of a
    /// request that is for no resource.
    pub resource: String,
    /// Empty for a cluster-wide request.
    pub namespace: String,
    /// Empty for a collection.
    pub name: String,
    /// The selector of labels of a list or watch, and that of fields; empty where it asked for all.
    pub selectors: (String, String),
    /// Whether it only asked what would happen.
    pub dry_run: bool,
    /// Whether it asked for another page of a list that had begun.
    pub further_page: bool,
    /// The HTTP status.
    pub code: u16,
}

impl Request {
    /// Whether the request was meant to change something that is stored.
    #[must_use]
    pub fn is_write(&self) -> bool {
        let changes =
            ["create", "update", "patch", "delete", "deletecollection"].contains(&&*self.verb);
        // Reviews are questions in the form of a create.
        changes && !self.dry_run && !self.resource.ends_with("reviews")
    }
}

/// Reads what is appended to an audit log.
#[derive(Debug)]
pub struct Reader {
    log: PathBuf,
    offset: u64,
}

impl Reader {
    /// Reads from the present end of the log on.
    ///
    /// # Errors
    ///
    /// When there is no such file.
    pub fn at_end(log: &Path) -> io::Result<Self> {
        let offset = std::fs::metadata(log)?.len();
        Ok(Self {
            log: log.to_owned(),
            offset,
        })
    }

    /// Reads from the beginning of the log.
    #[must_use]
    pub fn at_start(log: &Path) -> Self {
        Self {
            log: log.to_owned(),
            offset: 0,
        }
    }

    /// The requests that were logged since the last call.
    ///
    /// # Errors
    ///
    /// When the log cannot be read or holds something else.
    pub fn requests(&mut self) -> io::Result<Vec<Request>> {
        let mut file = File::open(&self.log)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        // The last line may still be being written.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        self.offset += whole as u64;
        let parsed = text[..whole].lines().map(entry::parse);
        parsed.filter_map(Result::transpose).collect()
    }
}

/// The requests to one API server between two moments.
///
/// A moment is a request of our own with a number in it, since the log trails the answers a little:
/// what is logged before our number was answered before we asked.
pub struct Window {
    client: Client,
    reader: Reader,
}

impl Window {
    /// Opens a window that begins now.
    ///
    /// # Panics
    ///
    /// When the API server does not answer or does not log.
    pub async fn open(client: Client, log: PathBuf) -> Self {
        let reader =
            Reader::at_end(&log).expect("an API server with an audit log writes it from the start");
        let mut window = Self { client, reader };
        window.requests().await;
        window
    }

    /// The requests since the window was opened or last asked, without our own markers.
    ///
    /// # Panics
    ///
    /// As [`Self::open`].
    pub async fn requests(&mut self) -> Requests {
        static MOMENT: AtomicU64 = AtomicU64::new(0);
        let number = MOMENT.fetch_add(1, Ordering::Relaxed);
        let marker = format!("/version/testkit-{}-{number}", std::process::id());
        let request = http::Request::get(&marker)
            .body(Vec::new())
            .expect("the path is valid");
        // The path leads nowhere, and the 404 is in the log like any answer.
        let _ = self.client.request_text(request).await;

        let mut seen = Vec::new();
        eventually(
            "our marker in the audit log",
            Duration::from_secs(30),
            || {
                let read = self.reader.requests().map(|new| seen.extend(new));
                let is_there = seen.iter().any(|request| request.resource == marker);
                std::future::ready(match read {
                    Ok(()) if is_there => Ok(()),
                    Ok(()) => Err("it is not there".to_owned()),
                    Err(err) => Err(err.to_string()),
                })
            },
        )
        .await;
        seen.retain(|request| !request.resource.starts_with("/version/testkit-"));
        Requests(seen)
    }
}

/// Some requests, in the order of the log. Printed, they are counts by client and target.
#[derive(Clone, Debug, Default)]
pub struct Requests(pub Vec<Request>);

impl Requests {
    /// Those that `wanted` picks.
    #[must_use]
    pub fn only(mut self, wanted: impl Fn(&Request) -> bool) -> Self {
        self.0.retain(wanted);
        self
    }

    /// Those of the client with this user agent, up to the first `/`.
    #[must_use]
    pub fn by(self, client: &str) -> Self {
        self.only(|request| request.user_agent.split('/').next() == Some(client))
    }

    /// Those within a namespace.
    #[must_use]
    pub fn within(self, namespace: &str) -> Self {
        self.only(|request| request.namespace == namespace)
    }

    /// Those that were meant to change something.
    #[must_use]
    pub fn writes(self) -> Self {
        self.only(Request::is_write)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Requests {
    /// One line per kind of request, such as `3 patch apps/deployments in shop by shipway (alice): 200`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts = BTreeMap::<_, usize>::new();
        for request in &self.0 {
            let agent = request.user_agent.split('/').next().unwrap_or_default();
            let key = (
                &request.verb,
                &request.resource,
                &request.namespace,
                agent,
                &request.user,
                request.code,
            );
            *counts.entry(key).or_default() += 1;
        }
        for ((verb, resource, namespace, agent, user, code), count) in counts {
            let within = if namespace.is_empty() {
                String::new()
            } else {
                format!(" in {namespace}")
            };
            writeln!(
                f,
                "{count} {verb} {resource}{within} by {agent} ({user}): {code}"
            )?;
        }
        Ok(())
    }
}
