//! Creates and replaces objects, and stores what becomes of them.

use std::sync::Arc;

use serde_json::Value;

use super::decode::Incoming;
use super::draft::{self, Author};
use super::kind::Kind;
use super::meta;
use super::options::WriteOptions;
use super::origin::Origin;
use super::taken::Taken;
use crate::auth::User;
use crate::cluster::{Cluster, WriteError};
use crate::status::{About, FieldError, Status};
use crate::store::{Expect, Key, Record};

/// How often a name is generated anew that somebody has already, as upstream has it.
const NAMES: usize = 8;
/// How often a change is made anew that was overtaken by another.
pub(super) const ATTEMPTS: usize = 100;

/// A write, apart from the object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Write<'a> {
    /// Who asks; none for the server itself.
    pub(crate) user: Option<&'a User>,
    /// What is written to.
    pub(crate) kind: &'a Kind,
    /// The namespace; empty for kinds without.
    pub(crate) namespace: &'a str,
    /// The object's name; empty where it is created.
    pub(crate) name: &'a str,
    /// `status`, or empty for the object itself.
    pub(crate) subresource: &'a str,
    /// The caller's options.
    pub(crate) options: &'a WriteOptions,
    /// Who writes, and when.
    pub(crate) author: Author<'a>,
}

/// What a write made.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// The object as it is answered.
    pub(crate) object: Answer,
    /// Whether it is new.
    pub(crate) is_new: bool,
    /// What the caller should know.
    pub(crate) warnings: Vec<String>,
}

/// An object that is answered.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// It is stored.
    Stored(Arc<Record>),
    /// It is not, or not like this.
    Shown(Value),
}

impl Written {
    fn stored(record: Arc<Record>, is_new: bool, warnings: Vec<String>) -> Self {
        Self {
            object: Answer::Stored(record),
            is_new,
            warnings,
        }
    }

    fn shown(object: Value, is_new: bool, warnings: Vec<String>) -> Self {
        Self {
            object: Answer::Shown(object),
            is_new,
            warnings,
        }
    }
}

impl Write<'_> {
    pub(super) fn key(&self, name: &str) -> Result<Key, Status> {
        Key::new(&self.kind.stored, self.namespace, name)
            .map_err(|error| Status::bad_request(error.to_string()))
    }

    pub(super) fn not_found(&self) -> Status {
        Status::not_found(self.kind.about(), self.name)
    }

    /// Creates an object.
    ///
    /// # Errors
    /// In upstream's words.
    pub(crate) async fn create(
        &self,
        cluster: &Cluster,
        incoming: Incoming,
    ) -> Result<Written, Status> {
        let mut warnings = Vec::new();
        let object = self.admit(incoming, Origin::Body, &mut warnings)?;
        if !meta::text(&object, "resourceVersion").is_empty() {
            let why = "resourceVersion should not be set on objects to be created";
            return Err(Status::internal(why).warned(warnings));
        }
        self.create_admitted(cluster, object, warnings).await
    }

    pub(super) fn admit(
        &self,
        incoming: Incoming,
        origin: Origin<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Value, Status> {
        draft::admit(self.kind, incoming, origin, self.options, warnings)
    }

    async fn create_admitted(
        &self,
        cluster: &Cluster,
        object: Value,
        warnings: Vec<String>,
    ) -> Result<Written, Status> {
        let created = self.try_create(cluster, object, &warnings).await;
        created.map_err(|status| status.warned(warnings))
    }

    async fn try_create(
        &self,
        cluster: &Cluster,
        mut object: Value,
        warnings: &[String],
    ) -> Result<Written, Status> {
        meta::settle_place(&mut object, self.namespace, self.name)?;
        self.check_defined(meta::text(&object, "name"))?;
        self.check_namespace(cluster, meta::text(&object, "name"))?;
        let base = match meta::text(&object, "name") {
            "" => {
                Some(meta::text(&object, "generateName").to_owned()).filter(|base| !base.is_empty())
            }
            _ => None,
        };
        let attempts = if base.is_some() { NAMES } else { 1 };
        for _ in 0..attempts {
            let mut draft = object.clone();
            if let Some(base) = &base {
                let name = meta::generated_name(base);
                if let Some(metadata) = meta::metadata_mut(&mut draft) {
                    metadata.insert("name".to_owned(), Value::String(name));
                }
            }
            let draft = draft::create(self.kind, draft, self.author)?;
            match self.store_new(cluster, draft, warnings.to_vec()).await {
                Err(WriteError::Stale) => {}
                Err(WriteError::Failed(status)) => return Err(status),
                Ok(written) => return Ok(written),
            }
        }
        let name = match &base {
            Some(base) => base.as_str(),
            None => meta::text(&object, "name"),
        };
        Err(self.exists_already(cluster, name))
    }

    fn exists_already(&self, cluster: &Cluster, name: &str) -> Status {
        let live = self.key(name).ok().and_then(|key| cluster.store.get(&key));
        let mut status = Status::already_exists(self.kind.about(), name);
        if live.is_some_and(|live| live.meta().deletion_timestamp.is_some()) {
            status.message = format!("object is being deleted: {}", status.message);
        }
        status
    }

    pub(super) async fn store_new(
        &self,
        cluster: &Cluster,
        mut draft: Value,
        mut warnings: Vec<String>,
    ) -> Result<Written, WriteError> {
        self.check_done()?;
        self.check_rights(cluster, &draft, None)?;
        self.mount_account(cluster, &mut draft).await?;
        warnings.extend(self.advice(&draft, None));
        if self.options.dry_run {
            let key = self.key(meta::text(&draft, "name"))?;
            if cluster.store.get(&key).is_some() {
                return Err(WriteError::Stale);
            }
        }
        // What comes to be by its status is given nothing.
        let taken = if self.subresource.is_empty() {
            self.kind.take(cluster, &mut draft, None)?
        } else {
            Taken::default()
        };
        if self.options.dry_run {
            taken.give_back(cluster, &draft, None);
            let formed = self.kind.formed(&draft).unwrap_or(draft);
            return Ok(Written::shown(formed, true, warnings));
        }
        match cluster.put(self.kind, Expect::Absent, &draft).await {
            Ok(record) => Ok(Written::stored(record, true, warnings)),
            Err(error) => {
                taken.give_back(cluster, &draft, None);
                Err(error)
            }
        }
    }

    /// Replaces an object.
    ///
    /// # Errors
    /// In upstream's words.
    pub(crate) async fn replace(
        &self,
        cluster: &Cluster,
        incoming: Incoming,
    ) -> Result<Written, Status> {
        let mut warnings = Vec::new();
        let object = self.admit(incoming, Origin::Body, &mut warnings)?;
        let replaced = self.try_replace(cluster, object, &warnings).await;
        replaced.map_err(|status| status.warned(warnings))
    }

    async fn try_replace(
        &self,
        cluster: &Cluster,
        mut object: Value,
        warnings: &[String],
    ) -> Result<Written, Status> {
        meta::settle_place(&mut object, self.namespace, self.name)?;
        let key = self.key(self.name)?;
        for _ in 0..ATTEMPTS {
            let found = cluster.store.get(&key);
            self.check_uid(&object, found.as_deref())?;
            let Some(live) = found else {
                if self.kind.ways.create_on_update {
                    let creating = self.create_admitted(cluster, object, warnings.to_vec());
                    return Box::pin(creating).await;
                }
                return Err(self.not_found());
            };
            let mut object = object.clone();
            self.pin(&mut object, &live)?;
            let value = self.kind.object(&live);
            let changed = draft::change(self.kind, &value, object, self.subresource, self.author)?;
            match self
                .store_changed(cluster, &live, &value, changed, warnings.to_vec())
                .await
            {
                Err(WriteError::Stale) => {}
                Err(WriteError::Failed(status)) => return Err(status),
                Ok(written) => return Ok(written),
            }
        }
        Err(Status::modified(self.kind.about(), self.name))
    }

    /// Holds the caller to the object that it names.
    fn check_uid(&self, object: &Value, live: Option<&Record>) -> Result<(), Status> {
        let wanted = meta::text(object, "uid");
        let live = live.map(Record::value).unwrap_or_default();
        let uid = meta::text(&live, "uid");
        let exists = !uid.is_empty() || self.kind.ways.create_on_update;
        if wanted.is_empty() || wanted == uid || !exists {
            return Ok(());
        }
        let why = format!(
            "Precondition failed: UID in precondition: {wanted}, UID in object meta: {uid}"
        );
        Err(Status::conflict(self.kind.about(), self.name, &why))
    }

    /// Holds the caller to the revision that it names, and lets one that names none write over
    /// whatever there is, if the kind takes that.
    pub(super) fn pin(&self, object: &mut Value, live: &Record) -> Result<(), Status> {
        let current = live.modified().to_string();
        let named = meta::text(object, "resourceVersion").to_owned();
        if ["", "0"].contains(&&*named) {
            if !self.kind.ways.unconditional_update {
                // Upstream names the resource here where it means the kind.
                let about = About {
                    kind: &self.kind.resource.plural,
                    ..self.kind.about()
                };
                let why = "must be specified for an update";
                let error = FieldError::invalid("metadata.resourceVersion", Value::from(0), why);
                return Err(Status::invalid(about, self.name, &[error]));
            }
            if let Some(metadata) = meta::metadata_mut(object) {
                metadata.insert("resourceVersion".to_owned(), Value::String(current));
            }
            return Ok(());
        }
        if named == current {
            return Ok(());
        }
        if named.parse::<u64>().is_err() {
            let is_number = named.bytes().all(|byte| byte.is_ascii_digit());
            let why = if is_number {
                "value out of range"
            } else {
                "invalid syntax"
            };
            return Err(Status::internal(format!(
                "strconv.ParseUint: parsing {named:?}: {why}"
            )));
        }
        Err(Status::modified(self.kind.about(), self.name))
    }

    pub(super) async fn store_changed(
        &self,
        cluster: &Cluster,
        live: &Arc<Record>,
        value: &Value,
        changed: Option<Value>,
        mut warnings: Vec<String>,
    ) -> Result<Written, WriteError> {
        let pending = || live.is_unsettled().then(|| value.clone());
        let Some(mut draft) = changed.or_else(pending) else {
            // A mark that was left with nothing to wait for is acted upon at the next write.
            return Ok(Written::stored(live.clone(), false, warnings));
        };
        self.check_rights(cluster, &draft, Some(value))?;
        warnings.extend(self.advice(&draft, Some(value)));
        let ends = meta::is_deleting(&draft) && super::delete::may_go(self.kind, &draft);
        let taken = self.kind.take(cluster, &mut draft, Some(value))?;
        let expect = Expect::Revision(live.modified());
        if ends || self.options.dry_run {
            taken.give_back(cluster, &draft, Some(value));
        }
        if ends {
            if !self.options.dry_run {
                let key = live.key().clone();
                cluster.remove(self.kind, expect, key).await?;
                self.kind.released(cluster, value);
            }
            return Ok(Written::shown(draft, false, warnings));
        }
        if self.options.dry_run {
            let formed = self.kind.formed(&draft).unwrap_or(draft);
            return Ok(Written::shown(formed, false, warnings));
        }
        match cluster.put(self.kind, expect, &draft).await {
            Ok(record) => {
                self.kind.changed(cluster, value, &draft);
                Ok(Written::stored(record, false, warnings))
            }
            Err(error) => {
                taken.give_back(cluster, &draft, Some(value));
                Err(error)
            }
        }
    }
}
