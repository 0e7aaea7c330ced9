//! Looks up references and fetches single commits of a server, through gix.
//!
//! Must not decide what to fetch when, and must not read trees.

use std::cell::Cell;
use std::num::NonZeroU32;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use gix::bstr::{BStr, BString};
use gix::protocol::handshake::Ref;
use gix::protocol::transport::Protocol;
use gix::protocol::transport::client::blocking_io::http::Transport;
use gix::refs::transaction::PreviousValue;
use gix::remote::{Direction, fetch, ref_map};
use sha2::{Digest, Sha256};

use crate::error::printable;
use crate::http::{self, Client, Exchange, Watch};
use crate::{CommitId, GitError, credentials};

/// The longest list of references that is read; servers before protocol 2 always send all.
const REFERENCES_BYTES: u64 = 32 << 20;
/// A name no server uses: asking for what is below it keeps the list of references empty.
const NOTHING: &str = "+refs/shipway-asks-for-nothing/*:refs/shipway-asks-for-nothing/*";

/// A reference of the server: its full name and the object it stands for in the end.
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) object: gix::ObjectId,
}

/// What one fetch is to bring.
pub(crate) struct Want<'a> {
    /// A full reference name, or the hexadecimal id of a commit.
    pub(crate) source: &'a str,
    /// The commit that is expected there.
    pub(crate) commit: CommitId,
    /// What it is kept as, for the next fetch to build on.
    pub(crate) kept_as: &'a str,
    /// How much history comes along.
    pub(crate) depth: NonZeroU32,
}

/// How a fetch that did not fail ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fetched {
    /// The server sent what was asked for.
    Done,
    /// The server has no such reference.
    NoReference,
    /// The reference has moved: it stands for another commit now.
    Moved,
    /// The server does not hand out that commit by its id.
    NotServed,
}

/// One operation of a caller, which may take several requests but has one deadline.
pub(crate) struct Session<'a> {
    pub(crate) repo: &'a gix::Repository,
    pub(crate) client: &'a Client,
    pub(crate) stop: &'a AtomicBool,
    deadline: Instant,
}

impl<'a> Session<'a> {
    /// Starts the clock.
    pub(crate) fn start(
        repo: &'a gix::Repository,
        client: &'a Client,
        stop: &'a AtomicBool,
    ) -> Session<'a> {
        Session {
            repo,
            client,
            stop,
            deadline: http::now() + client.limits.timeout,
        }
    }

    /// Asks once for all of the full names.
    pub(crate) fn look_up(&self, names: &[String]) -> Result<Vec<Found>, GitError> {
        let watch = Watch::start(self, "the list of references", REFERENCES_BYTES);
        let refs = remote(self, names)
            .and_then(|remote| {
                remote
                    .to_connection_with_transport(transport(self.client, &watch)?)
                    .with_credentials(|_| Ok(None))
                    .ref_map(gix::progress::Discard, options())
            })
            .map_err(|error| explain(&watch, &error))?
            .0
            .remote_refs;
        Ok(refs.into_iter().filter_map(found).collect())
    }

    /// The moment at which all of it has to be over.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Fetches one commit.
    pub(crate) fn fetch(&self, want: &Want<'_>) -> Result<Fetched, GitError> {
        let watch = Watch::start(self, "the pack", self.client.limits.pack_bytes);
        let old_server = Cell::new(false);
        let result = receive(self, want, &watch, &old_server);
        tracing::debug!(
            git.bytes = watch.received(),
            "asked `{}` for `{}`",
            watch.url(),
            want.source
        );
        match result {
            Ok(Fetched::Done) => Ok(keep(self.repo, want)),
            Ok(other) => Ok(other),
            Err(error) => match explain(&watch, &error) {
                // An old server's refusal is sometimes taken for a broken side band by gix.
                GitError::Garbage { .. }
                    if want.by_id() && (old_server.get() || says_not_ours(&error)) =>
                {
                    Ok(Fetched::NotServed)
                }
                explained => Err(explained),
            },
        }
    }
}

impl Want<'_> {
    fn by_id(&self) -> bool {
        self.source == self.commit.to_string()
    }
}

fn receive(
    session: &Session<'_>,
    want: &Want<'_>,
    watch: &Watch<'_>,
    old_server: &Cell<bool>,
) -> gix::Result<Fetched> {
    let remote = remote(session, &[want.source.to_owned()])?;
    let mut options = options();
    if want.by_id() {
        let spec = gix::refspec::parse(NOTHING.into(), gix::refspec::parse::Operation::Fetch)?;
        options.extra_refspecs.push(spec.to_owned());
    }
    let prepared = remote
        .to_connection_with_transport(transport(session.client, watch)?)
        .with_credentials(|_| Ok(None))
        .prepare_fetch(gix::progress::Discard, options)?;
    // A list that nobody asked for is the greeting of protocol 0 and 1.
    old_server.set(want.by_id() && !prepared.ref_map().remote_refs.is_empty());
    if !want.by_id() {
        match target(&prepared.ref_map().remote_refs, want.source) {
            None => return Ok(Fetched::NoReference),
            Some(object) if object != want.commit.oid() => return Ok(Fetched::Moved),
            Some(_) => {}
        }
    }
    let outcome = prepared
        .with_shallow(fetch::Shallow::DepthAtRemote(want.depth))
        .receive(gix::progress::Discard, session.stop)?;
    if let fetch::Status::Change {
        write_pack_bundle, ..
    } = outcome.status
        && let Some(keep) = write_pack_bundle.keep_path
    {
        // It guards against `git gc`, which nobody runs here.
        let _ = std::fs::remove_file(keep);
    }
    Ok(Fetched::Done)
}

/// Remembers the commit under a name of ours, so that the next fetch brings only what is new.
///
/// The name is a hash, so that `a` and `a/b`, one after the other, are no file and folder of one
/// name. Not left to gix: it would ask whether the old commit is an ancestor, which a copy without
/// history cannot answer.
fn keep(repo: &gix::Repository, want: &Want<'_>) -> Fetched {
    if !repo.has_object(want.commit.oid()) {
        return Fetched::NotServed;
    }
    let name = format!(
        "refs/shipway/{}",
        credentials::hex(&Sha256::digest(want.kept_as))
    );
    if let Err(error) = repo.reference(name, want.commit.oid(), PreviousValue::Any, "fetched") {
        tracing::warn!(error = %error, "the next fetch of `{}` brings more than it has to", want.kept_as);
    }
    Fetched::Done
}

fn remote<'r>(session: &Session<'r>, sources: &[String]) -> gix::Result<gix::Remote<'r>> {
    let mut remote = session
        .repo
        .remote_at(session.client.home.as_str())?
        .with_fetch_tags(fetch::Tags::None);
    remote.replace_refspecs(
        sources.iter().map(|source| BString::from(source.as_str())),
        Direction::Fetch,
    )?;
    Ok(remote)
}

fn transport<'a>(client: &'a Client, watch: &'a Watch<'a>) -> gix::Result<Transport<Exchange<'a>>> {
    let url = gix::url::parse(BStr::new(client.home.as_str()))?;
    Ok(Transport::new_http(
        Exchange::new(client, watch),
        url,
        Protocol::V2,
        false,
    ))
}

fn options() -> ref_map::Options {
    ref_map::Options {
        prefix_from_spec_as_filter_on_remote: true,
        ..Default::default()
    }
}

fn found(reference: Ref) -> Option<Found> {
    let (name, object) = match reference {
        Ref::Peeled {
            full_ref_name,
            object,
            ..
        }
        | Ref::Direct {
            full_ref_name,
            object,
        }
        | Ref::Symbolic {
            full_ref_name,
            object,
            ..
        } => (full_ref_name, object),
        Ref::Unborn { .. } => return None,
    };
    Some(Found {
        name: String::from_utf8(name.into()).ok()?,
        object,
    })
}

fn target(refs: &[Ref], name: &str) -> Option<gix::ObjectId> {
    refs.iter()
        .filter_map(|reference| found(reference.clone()))
        .find(|found| found.name == name)
        .map(|found| found.object)
}

/// What happened, from the watch if it saw it, else from what gix says.
fn explain(watch: &Watch<'_>, error: &gix::Error) -> GitError {
    if let Some(failure) = watch.take_failure() {
        return failure;
    }
    if error.is_cancelled() {
        return GitError::Stopped;
    }
    if error.is_resource_exhausted() {
        let what = format!("an unpacked object of `{}`", watch.url());
        return GitError::TooLarge {
            what,
            limit: watch.bytes(),
        };
    }
    let disk = error
        .iter_errors()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    if let Some(cause) = disk
        .into_iter()
        .find(|cause| cause.raw_os_error().is_some())
    {
        return GitError::local(cause);
    }
    GitError::Garbage {
        url: watch.url().clone(),
        why: printable(&error.probable_cause().to_string()),
    }
}

fn says_not_ours(error: &gix::Error) -> bool {
    error.iter_errors().any(|cause| {
        let text = cause.to_string();
        text.contains("not our ref") || text.contains("unadvertised object")
    })
}
