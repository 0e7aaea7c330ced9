//! Watches: lines that tell of changes as long as somebody reads them.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Api;
use super::objects::Requested;
use crate::answer;
use crate::media::Form;
use crate::registry::kind::Kind;
use crate::registry::read::{self, BATCH, Selection, Watch};
use crate::serve::Body;
use crate::status::Status;
use crate::store::{Event, Record, Watcher};
use crate::table::object::Include;

/// How long a watch runs that does not say, as upstream's shortest.
const USUAL: Duration = Duration::from_mins(30);
/// How long a watch runs at most.
const LONGEST: Duration = Duration::from_hours(24 * 365);
/// How often a bookmark is sent to who asks for bookmarks.
const BOOKMARK: Duration = Duration::from_mins(1);
/// How long before a watch ends the last one is sent, so that the next watch begins there.
const BEFORE_END: Duration = Duration::from_secs(2);

impl Api {
    pub(super) async fn watch(
        self: &Arc<Self>,
        request: &Requested<'_>,
    ) -> Result<Response<Body>, Status> {
        let query = &request.call.query;
        let cluster = request.call.cluster;
        let selection = Selection::read(
            request.kind,
            request.namespace(),
            &request.target.name,
            query,
        )?;
        let begun = read::watch(cluster, request.kind, &selection, query).await?;
        let seconds = query.number("timeoutSeconds")?;
        let lines = Lines {
            kind: request.kind.clone(),
            form: request.accepted.form,
            include: request.include,
            had_columns: false,
        };
        let kind = "application/json;stream=watch";
        let Watch {
            initial,
            end_of_initial,
            changes,
        } = match begun {
            Ok(watch) => watch,
            Err(expired) => {
                let line = error(&expired.into());
                return Ok(answer::with_type(StatusCode::OK, kind, answer::whole(line)));
            }
        };
        let now = Instant::now();
        let deadline = now + lasting(seconds);
        let mut state = State {
            lines,
            selection,
            changes,
            ready: Vec::new(),
            deadline,
            bookmarks: query.is_true("allowWatchBookmarks"),
            next_bookmark: next_bookmark(now, deadline),
            told: 0,
            stop: self.stop.clone(),
            is_over: false,
        };
        for record in initial {
            let line = state.lines.line("ADDED", &record);
            state.ready.push(line);
        }
        if let Some(revision) = end_of_initial.filter(|_| state.bookmarks) {
            let line = state.lines.bookmark(revision, true);
            state.ready.push(line);
        }
        let stream = futures::stream::unfold(state, |mut state| async move {
            let bytes = state.next().await?;
            Some((Ok::<_, Infallible>(Frame::data(bytes)), state))
        });
        Ok(answer::with_type(
            StatusCode::OK,
            kind,
            StreamBody::new(SyncStream(Box::pin(stream))).boxed(),
        ))
    }
}

/// How long a watch runs: as long as it says, within reason.
fn lasting(seconds: Option<i64>) -> Duration {
    match seconds {
        None | Some(0) => USUAL,
        Some(seconds) => {
            Duration::from_secs(u64::try_from(seconds).unwrap_or_default()).min(LONGEST)
        }
    }
}

/// What makes a stream one that may be shared: nobody shares it.
struct SyncStream<S>(S);

impl<S: futures::Stream + Unpin> futures::Stream for SyncStream<S> {
    type Item = S::Item;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<S::Item>> {
        std::pin::Pin::new(&mut self.0).poll_next(context)
    }
}

/// When the next bookmark is due, as upstream has it.
fn next_bookmark(now: Instant, deadline: Instant) -> Instant {
    let usual = now + BOOKMARK;
    match deadline.checked_sub(BEFORE_END) {
        Some(last) if last > now => usual.min(last),
        _ => usual,
    }
}

struct State {
    lines: Lines,
    selection: Selection,
    changes: Watcher,
    ready: Vec<Bytes>,
    deadline: Instant,
    bookmarks: bool,
    next_bookmark: Instant,
    /// The revision that the reader knows of.
    told: u64,
    stop: CancellationToken,
    is_over: bool,
}

impl State {
    /// The next bytes; nothing at the end.
    async fn next(&mut self) -> Option<Bytes> {
        let mut events: Vec<Arc<Event>> = Vec::new();
        loop {
            if !self.ready.is_empty() {
                return Some(joined(std::mem::take(&mut self.ready)));
            }
            if self.is_over {
                return None;
            }
            events.clear();
            tokio::select! {
                more = self.changes.next(BATCH, &mut events) => {
                    if let Err(expired) = more {
                        self.ready.push(error(&expired.into()));
                        self.is_over = true;
                    }
                }
                () = tokio::time::sleep_until(self.next_bookmark), if self.bookmarks => {
                    self.next_bookmark = next_bookmark(Instant::now(), self.deadline);
                    let revision = self.changes.revision();
                    if revision > self.told {
                        self.told = revision;
                        self.ready.push(self.lines.bookmark(revision, false));
                    }
                }
                () = tokio::time::sleep_until(self.deadline) => self.is_over = true,
                () = self.stop.cancelled() => self.is_over = true,
            }
            for event in &events {
                if let Some(seen) = self.selection.sees(event) {
                    let line = self.lines.line(read::event_type(seen), &event.record);
                    self.ready.push(line);
                    self.told = event.record.modified();
                }
            }
        }
    }
}

/// How events are written.
struct Lines {
    kind: Arc<Kind>,
    form: Form,
    include: Include,
    had_columns: bool,
}

impl Lines {
    fn line(&mut self, kind: &str, record: &Record) -> Bytes {
        let object = match self.form {
            Form::Whole => self.kind.json(record),
            Form::Metadata => Bytes::from(read::partial(record)),
            Form::Table(version) => {
                let table = self.table(version, self.kind.shown(record));
                Bytes::from(table.to_string())
            }
        };
        written(kind, &object)
    }

    fn bookmark(&mut self, revision: u64, ends_initial: bool) -> Bytes {
        let mut metadata = json!({"resourceVersion": revision.to_string()});
        if ends_initial {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let (kind, version) = match self.form {
            Form::Metadata => ("PartialObjectMetadata", "meta.k8s.io/v1"),
            _ => (&*self.kind.resource.kind, &*self.kind.api_version),
        };
        let object = json!({"kind": kind, "apiVersion": version, "metadata": metadata});
        let object = match self.form {
            // As upstream, with a row for the object that is none.
            Form::Table(version) => self.table(version, object),
            _ => object,
        };
        written("BOOKMARK", object.to_string().as_bytes())
    }

    /// The table of one object. The first one has the columns.
    fn table(&mut self, version: &str, object: Value) -> Value {
        let columns = !std::mem::replace(&mut self.had_columns, true);
        let now = jiff::Timestamp::now();
        self.kind
            .table(version, &[object], None, columns, self.include, now)
    }
}

fn error(status: &Status) -> Bytes {
    written("ERROR", status.to_json().to_string().as_bytes())
}

fn written(kind: &str, object: &[u8]) -> Bytes {
    let mut line = Vec::with_capacity(object.len() + 40);
    line.extend_from_slice(b"{\"type\":\"");
    line.extend_from_slice(kind.as_bytes());
    line.extend_from_slice(b"\",\"object\":");
    line.extend_from_slice(object);
    line.extend_from_slice(b"}\n");
    Bytes::from(line)
}

fn joined(lines: Vec<Bytes>) -> Bytes {
    match <[Bytes; 1]>::try_from(lines) {
        Ok([only]) => only,
        Err(lines) => Bytes::from(lines.concat()),
    }
}
