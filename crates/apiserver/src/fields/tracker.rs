//! The two ways in which objects get owners: they are applied, or written in any other way.

use std::fmt;
use std::sync::LazyLock;

use serde_json::Value;

use super::atom::Ty;
use super::conflict::refuse;
use super::last_applied;
use super::managed::{Entry, Managed, Operation};
use super::owners::{Force, Ownership};
use super::record::{is_reset, managed_fields, set_managed_fields, take_managed_fields};
use super::set::Set;
use super::validate::{Duplicates, validate};
use crate::schema::{Schema, TypeId};
use crate::status::Status;

/// Who owned an object's fields before anybody applied it.
const BEFORE_APPLY: &str = "before-first-apply";

/// What belongs to nobody: it tells objects apart, or the server keeps it.
static NOBODYS: LazyLock<Set> = LazyLock::new(|| {
    Set::of_fields(&[
        "apiVersion",
        "kind",
        "metadata",
        "metadata.name",
        "metadata.namespace",
        "metadata.creationTimestamp",
        "metadata.selfLink",
        "metadata.uid",
        "metadata.clusterName",
        "metadata.generation",
        "metadata.managedFields",
        "metadata.resourceVersion",
    ])
});

/// What is written to: a kind in the version it is served in, or a subresource of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    /// Where its types are.
    pub(crate) schema: &'a Schema,
    /// The type of its objects.
    pub(crate) root: TypeId,
    /// The version (`apps/v1`, `v1`).
    pub(crate) api_version: &'a str,
    /// The kind (`Deployment`).
    pub(crate) kind: &'a str,
    /// The subresource (`status`); empty for the object itself.
    pub(crate) subresource: &'a str,
    /// What it resets, which nobody comes to own by writing here.
    pub(crate) reset: Option<&'a Set>,
    /// An object of this kind in which nothing is set, as the genuine server sees it: for custom resources
    /// apiVersion and kind alone; for built-in kinds also what their Go types always write, as the
    /// `"strategy": {}` of a Deployment. What is in it is not new in an object that is created.
    pub(crate) empty: &'a Value,
}

/// Who writes, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writer<'a> {
    /// The manager's name: the `fieldManager` parameter, or [`manager_of`] the user agent.
    pub(crate) manager: &'a str,
    /// The time: RFC 3339 in UTC with whole seconds (`2026-01-31T12:00:00Z`).
    pub(crate) now: &'a str,
}

/// What an apply makes of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// What it was, with the same owners at the same times: there is nothing to write.
    Same,
    /// Another object, or one with other owners, with its `metadata.managedFields`. It may have lost fields
    /// that have defaults.
    Changed(Value),
}

/// Applies a configuration to an object, or to none, which creates it.
///
/// # Errors
/// * 400 where the configuration is of another kind or version or has `metadata.managedFields`;
/// * 409 with a cause per field where others own what would change, unless it is forced;
/// * 500 without a reason where the configuration is not of its type, as the genuine server answers.
pub(crate) fn apply(
    target: &Target<'_>,
    live: Option<&Value>,
    config: &Value,
    writer: Writer<'_>,
    force: Force,
) -> Result<Outcome, Status> {
    target.check_kind(config)?;
    let live = live.unwrap_or(target.empty);
    let recorded = managed_fields(live);
    let decode = || {
        Managed::decode(recorded)
            .map_err(|why| Status::internal(format!("failed to decode managed fields: {why}")))
    };
    let mut managed = decode()?;
    if managed_fields(config).is_some_and(|fields| !fields.is_null()) {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    let first = managed.entries.is_empty();
    target.check_types(config, live, first)?;
    let ownership = target.ownership();
    let mine = target.entry(writer, Operation::Apply);
    let attempt = |managed: &mut Managed, force| {
        if first {
            let before = Writer {
                manager: BEFORE_APPLY,
                ..writer
            };
            target.record(managed, target.empty, live, before);
        }
        ownership.apply(managed, live, config, &mine, force)
    };
    let object = match attempt(&mut managed, force) {
        Ok(object) => object,
        Err(conflicts) => {
            if let Some(rest) = last_applied::unsettled(target, writer.manager, live, conflicts) {
                return Err(refuse(&rest));
            }
            managed = decode()?;
            attempt(&mut managed, Force::Yes).map_err(|conflicts| refuse(&conflicts))?
        }
    };
    Ok(target.finish(managed, live, config, object, writer))
}

/// Records who owns what of an object that is written, or created where there is none yet, in any other way
/// than by applying it. Returns the object with its `metadata.managedFields`.
///
/// Clients may rewrite the owners, but not through subresources: a list that is empty, or has one empty
/// entry, makes the object one without owners; what cannot be read is ignored. Objects without owners stay
/// so, except when they are created. Where the object is not of its type, it has no owners after that, as
/// with the genuine server.
pub(crate) fn update(
    target: &Target<'_>,
    live: Option<&Value>,
    mut new: Value,
    writer: Writer<'_>,
) -> Value {
    let live = live.unwrap_or(target.empty);
    let given = take_managed_fields(&mut new);
    let recorded = || Managed::decode(managed_fields(live)).unwrap_or_default();
    let mut managed = match given {
        _ if !target.subresource.is_empty() => recorded(),
        Some(given) if is_reset(&given) => Managed::default(),
        given => match Managed::decode(given.as_ref()) {
            Ok(managed) if !managed.entries.is_empty() => managed,
            _ => recorded(),
        },
    };
    let exists = live.pointer("/metadata/uid").is_some_and(|uid| uid != "");
    if managed.entries.is_empty() && exists {
        return new;
    }
    let root = Ty::Of(target.root);
    let fits = |object| validate(target.schema, root, object, Duplicates::Allowed).is_ok();
    if !fits(&new) || !fits(live) {
        return new;
    }
    target.record(&mut managed, live, &new, writer);
    set_managed_fields(&mut new, managed.encode());
    new
}

/// A manager's name from a user agent: what is before the first `/`, without what cannot be printed, at
/// most 128 bytes.
pub(crate) fn manager_of(user_agent: &str) -> String {
    let name = user_agent.split('/').next().unwrap_or_default();
    let mut manager = String::new();
    for c in name.chars().filter(|c| !c.is_control()) {
        if manager.len() + c.len_utf8() > 128 {
            break;
        }
        manager.push(c);
    }
    manager
}

impl<'a> Target<'a> {
    pub(super) fn ownership(&self) -> Ownership<'a> {
        Ownership {
            schema: self.schema,
            root: Ty::Of(self.root),
            reset: self.reset,
            is_owner: Entry::is_owner,
        }
    }

    fn entry(&self, writer: Writer<'_>, operation: Operation) -> Entry {
        let manager = match writer.manager {
            "" => "unknown",
            manager => manager,
        };
        Entry {
            manager: manager.to_owned(),
            operation,
            api_version: self.api_version.to_owned(),
            subresource: self.subresource.to_owned(),
            // What owns replicas by `/scale` has no time upstream.
            time: (self.subresource != "scale").then(|| writer.now.to_owned()),
            fields: Set::default(),
        }
    }

    fn check_kind(&self, config: &Value) -> Result<(), Status> {
        let text = |name| config.get(name).and_then(Value::as_str).unwrap_or_default();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        if (api_version, kind) == (self.api_version, self.kind) {
            return Ok(());
        }
        let given = DottedKind { api_version, kind };
        Err(Status::bad_request(format!("invalid object type: {given}")))
    }

    /// `first` says that nobody has owned anything of the object so far, which is looked at first then.
    fn check_types(&self, config: &Value, live: &Value, first: bool) -> Result<(), Status> {
        let root = Ty::Of(self.root);
        let check = |object: &Value, duplicates, failed: &dyn Fn(String) -> String| {
            let valid = validate(self.schema, root, object, duplicates);
            valid.map_err(|faults| {
                let failed = failed(self.describe(object));
                Status::internal(format!("{failed}: {faults}"))
            })
        };
        if first {
            check(live, Duplicates::Allowed, &|name| {
                format!(
                    "failed to create manager for existing fields: failed to convert new object ({name}) to smd typed"
                )
            })?;
        }
        check(config, Duplicates::Refused, &|name| {
            format!("failed to create typed patch object ({name})")
        })?;
        check(live, Duplicates::Allowed, &|name| {
            format!("failed to create typed live object ({name})")
        })
    }

    fn describe(&self, object: &Value) -> String {
        let text = |path| {
            object
                .pointer(path)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let kind = DottedKind {
            api_version: self.api_version,
            kind: self.kind,
        };
        format!(
            "{}/{}; {kind}",
            text("/metadata/namespace"),
            text("/metadata/name")
        )
    }

    /// Records an update.
    fn record(&self, managed: &mut Managed, old: &Value, new: &Value, writer: Writer<'_>) {
        let mine = self.entry(writer, Operation::Update);
        // What this write changes is found apart from what the manager owned before, since its time changes
        // only when there is something.
        let operation = Entry {
            manager: "current-operation".to_owned(),
            subresource: String::new(),
            ..mine.clone()
        };
        self.ownership().update(managed, old, new, &operation);
        let is_operation = |entry: &Entry| entry.is_owner(&operation);
        if let Some(at) = managed.entries.iter().position(is_operation) {
            let changed = managed.entries.swap_remove(at).fields.difference(&NOBODYS);
            managed.add(changed, mine);
        }
        managed.cap();
    }

    /// Puts owners and object together.
    fn finish(
        &self,
        mut managed: Managed,
        live: &Value,
        config: &Value,
        object: Option<Value>,
        writer: Writer<'_>,
    ) -> Outcome {
        let changed = object.is_some();
        let mine = self.entry(writer, Operation::Apply);
        if let Some(at) = managed
            .entries
            .iter()
            .position(|entry| entry.is_owner(&mine))
        {
            let entry = &mut managed.entries[at];
            let fields = entry.fields.difference(&NOBODYS);
            if fields.is_empty() {
                managed.entries.swap_remove(at);
            } else {
                entry.fields = fields;
                entry.time = mine.time.filter(|_| changed);
            }
        }
        let recorded = managed_fields(live);
        if !changed {
            managed.keep_time_of(&mine.manager, self.subresource, recorded);
        }
        let encoded = managed.encode();
        let refreshed =
            last_applied::refreshed(writer.manager, object.as_ref().unwrap_or(live), config);
        if !changed && refreshed.is_none() && encoded.as_ref() == recorded {
            return Outcome::Same;
        }
        let mut object = object.unwrap_or_else(|| live.clone());
        if let Some(text) = refreshed {
            last_applied::set(&mut object, text);
        }
        set_managed_fields(&mut object, encoded);
        Outcome::Changed(object)
    }
}

impl Managed {
    /// Adds fields to what a manager owns.
    fn add(&mut self, fields: Set, mine: Entry) {
        if fields.is_empty() {
            return;
        }
        match self.entries.iter_mut().find(|entry| entry.is_owner(&mine)) {
            Some(entry) => {
                entry.fields.extend(&fields);
                entry.time = mine.time;
            }
            None => self.entries.push(Entry { fields, ..mine }),
        }
    }

    /// Gives an applier the time back at which it last changed something; none where it never did.
    fn keep_time_of(&mut self, manager: &str, subresource: &str, recorded: Option<&Value>) {
        let is_applier = |entry: &&mut Entry| {
            entry.operation == Operation::Apply
                && entry.manager == manager
                && entry.subresource == subresource
        };
        let Some(entry) = self.entries.iter_mut().find(is_applier) else {
            return;
        };
        let recorded = Self::decode(recorded).unwrap_or_default();
        let former = recorded
            .entries
            .iter()
            .find(|former| former.is_owner(entry));
        entry.time = former.and_then(|former| former.time.clone());
    }
}

/// A kind with its version as Go prints it (`apps/v1, Kind=Deployment`, `/v1, Kind=Pod`).
struct DottedKind<'a> {
    api_version: &'a str,
    kind: &'a str,
}

impl fmt::Display for DottedKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.api_version.contains('/') {
            ""
        } else {
            "/"
        };
        write!(f, "{slash}{}, Kind={}", self.api_version, self.kind)
    }
}
