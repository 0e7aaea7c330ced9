//! Changes objects by patches and by configurations that are applied.

use std::sync::Arc;

use serde_json::Value;

use super::draft;
use super::kind::Kind;
use super::meta;
use super::origin::Origin;
use super::write::{ATTEMPTS, Write, Written};
use crate::cluster::{Cluster, WriteError};
use crate::fields::Force;
use crate::media::PatchType;
use crate::schema::strict;
use crate::status::Status;
use crate::store::Record;

impl Write<'_> {
    /// Changes an object by a patch.
    ///
    /// # Errors
    /// In upstream's words.
    pub(crate) async fn patch(
        &self,
        cluster: &Cluster,
        how: PatchType,
        patch: &Value,
    ) -> Result<Written, Status> {
        let key = self.key(self.name)?;
        for _ in 0..ATTEMPTS {
            let Some(live) = cluster.store.get(&key) else {
                return Err(self.not_found());
            };
            let mut warnings = Vec::new();
            let tried = self.try_patch(cluster, &live, how, patch, &mut warnings);
            match tried.await {
                Err(WriteError::Stale) => {}
                Err(WriteError::Failed(status)) => return Err(status.warned(warnings)),
                Ok(written) => return Ok(written),
            }
        }
        Err(Status::modified(self.kind.about(), self.name))
    }

    async fn try_patch(
        &self,
        cluster: &Cluster,
        live: &Arc<Record>,
        how: PatchType,
        patch: &Value,
        warnings: &mut Vec<String>,
    ) -> Result<Written, WriteError> {
        let value = self.kind.object(live);
        let mut object = self.patched(how, &value, patch, warnings)?;
        meta::settle_place(&mut object, self.namespace, self.name)?;
        self.pin(&mut object, live)?;
        let changed = draft::change(self.kind, &value, object, self.subresource, self.author)?;
        self.store_changed(cluster, live, &value, changed, warnings.clone())
            .await
    }

    /// What a patch makes of an object, admitted.
    pub(super) fn patched(
        &self,
        how: PatchType,
        live: &Value,
        patch: &Value,
        warnings: &mut Vec<String>,
    ) -> Result<Value, Status> {
        let patched = match how {
            PatchType::Json => crate::patch::json_patch(live, patch),
            PatchType::Merge => crate::patch::merge_patch(live, patch),
            PatchType::Strategic => {
                crate::patch::strategic(live, patch, self.kind.schema(), self.kind.of)
            }
            PatchType::Apply => Err(Status::internal("an apply is no patch")),
        }?;
        let origin = match how {
            PatchType::Strategic => Origin::Merged(patch),
            _ => Origin::Patched(&patched),
        };
        self.admit(patched.clone().into(), origin, warnings)
    }

    /// Applies a configuration, which creates the object where there is none.
    ///
    /// # Errors
    /// In upstream's words.
    pub(crate) async fn apply(&self, cluster: &Cluster, config: &Value) -> Result<Written, Status> {
        let force = self.force();
        let target = self.kind.target(self.subresource);
        let key = self.key(self.name)?;
        for _ in 0..ATTEMPTS {
            let live = cluster.store.get(&key);
            let done = match &live {
                Some(live) => {
                    let value = self.kind.object(live);
                    let applied = draft::apply(&target, Some(&value), config, self.author, force)?;
                    let changed = match applied {
                        None => None,
                        Some(mut object) => {
                            check_applied(self.kind, config)?;
                            meta::settle_place(&mut object, self.namespace, self.name)?;
                            self.pin(&mut object, live)?;
                            draft::change_applied(self.kind, &value, object, self.subresource)?
                        }
                    };
                    self.store_changed(cluster, live, &value, changed, Vec::new())
                        .await
                }
                None => self.create_applied(cluster, config, force).await,
            };
            match done {
                Err(WriteError::Stale) => {}
                Err(WriteError::Failed(status)) => return Err(status),
                Ok(written) => return Ok(written),
            }
        }
        Err(Status::modified(self.kind.about(), self.name))
    }

    async fn create_applied(
        &self,
        cluster: &Cluster,
        config: &Value,
        force: Force,
    ) -> Result<Written, WriteError> {
        if !self.subresource.is_empty() && !self.kind.ways.create_on_update {
            return Err(self.not_found().into());
        }
        let target = self.kind.target(self.subresource);
        let applied = draft::apply(&target, None, config, self.author, force)?;
        let mut object = applied.unwrap_or_default();
        check_applied(self.kind, config)?;
        let uid = meta::text(&object, "uid");
        if !uid.is_empty() {
            let why = format!(
                "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            );
            return Err(Status::conflict(self.kind.about(), self.name, &why).into());
        }
        meta::settle_place(&mut object, self.namespace, self.name)?;
        self.check_defined(self.name)?;
        self.check_namespace(cluster, self.name)?;
        let draft = draft::create_applied(self.kind, object, self.subresource, self.author)?;
        self.store_new(cluster, draft, Vec::new()).await
    }

    /// Whether an apply takes fields from their owners.
    pub(super) fn force(&self) -> Force {
        if self.options.force == Some(true) {
            Force::Yes
        } else {
            Force::No
        }
    }
}

/// Whether the values of a configuration can be read, which upstream finds out once it is applied.
///
/// # Errors
/// 500 in upstream's words.
fn check_applied(kind: &Kind, config: &Value) -> Result<(), Status> {
    if kind.is_custom() {
        return Ok(());
    }
    let Some(why) = strict::refusal(kind.schema(), kind.of, config) else {
        return Ok(());
    };
    let (place, name) = (meta::text(config, "namespace"), meta::text(config, "name"));
    let slash = if kind.resource.group.is_empty() {
        "/"
    } else {
        ""
    };
    let named = format!("{slash}{}, Kind={}", kind.api_version, kind.resource.kind);
    Err(Status::internal(format!(
        "failed to convert new object ({place}/{name}; {named}) to proper version: unable to convert unstructured object to {named}: {why}"
    )))
}
