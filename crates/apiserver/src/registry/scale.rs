//! Scaling: one number of an object, as `autoscaling/v1` Scale shows it.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use super::decode;
use super::draft;
use super::kind::Kind;
use super::meta;
use super::origin::Origin;
use super::write::{ATTEMPTS, Answer, Write, Written};
use crate::catalogue::Resource;
use crate::cluster::{Cluster, WriteError};
use crate::fields::{self, Element, Replicas};
use crate::media::{Encoding, PatchType};
use crate::status::{About, FieldError, Status};
use crate::store::Record;
use crate::ways;

impl Kind {
    /// The Scale of an object.
    ///
    /// # Errors
    /// Where the object has no number to show.
    pub(crate) fn scale_of(&self, object: &Value) -> Result<Value, Status> {
        if let Some(scale) = self
            .custom
            .as_ref()
            .and_then(|version| version.scale.as_ref())
        {
            return Ok(scale.of(object)?);
        }
        let mut metadata = json!({});
        for field in [
            "name",
            "namespace",
            "uid",
            "resourceVersion",
            "creationTimestamp",
        ] {
            let text = meta::text(object, field);
            if !text.is_empty() {
                metadata[field] = json!(text);
            }
        }
        let mut status = json!({"replicas": object["status"]["replicas"].as_i64().unwrap_or(0)});
        let selector = ways::selector_text(&object["spec"]["selector"]);
        if !selector.is_empty() {
            status["selector"] = json!(selector);
        }
        let mut spec = json!({});
        let replicas = object["spec"]["replicas"].as_i64().unwrap_or(0);
        if replicas != 0 {
            spec["replicas"] = json!(replicas);
        }
        Ok(json!({
            "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status,
        }))
    }

    /// Where the number stands in an object.
    fn replicas_path(&self) -> &str {
        let scale = self
            .custom
            .as_ref()
            .and_then(|custom| custom.scale.as_ref());
        scale.map_or(".spec.replicas", |scale| &scale.spec_replicas)
    }

    /// Gives an object another number.
    fn set_replicas(&self, object: &mut Value, replicas: i64) -> Result<(), Status> {
        let custom = self.custom.as_ref();
        if let Some(scale) = custom.and_then(|custom| custom.scale.as_ref()) {
            return Ok(scale.set(object, replicas)?);
        }
        object["spec"]["replicas"] = json!(replicas);
        Ok(())
    }
}

/// The kind of Scales.
static SCALE: LazyLock<Option<Kind>> = LazyLock::new(|| {
    Kind::builtin(&Arc::new(Resource {
        group: "autoscaling".into(),
        version: "v1".into(),
        plural: "scales".into(),
        singular: "scale".into(),
        kind: "Scale".into(),
        list_kind: "ScaleList".into(),
        namespaced: true,
        verbs: Vec::new(),
        short_names: Vec::new(),
        categories: Vec::new(),
        subresources: Vec::new(),
        storage_hash: None,
        custom: false,
    }))
});

/// What stands for the number of an object that has none, as upstream has it.
const UNSET: i64 = i32::MIN as i64;

/// What is to become of a Scale.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    /// This, of which the caller should know something.
    Whole(Value, Vec<String>),
    /// What a patch makes of it.
    Patched(PatchType, Value),
}

impl Wanted {
    fn warnings(&self) -> Vec<String> {
        match self {
            Self::Whole(_, warnings) => warnings.clone(),
            Self::Patched(..) => Vec::new(),
        }
    }
}

impl Write<'_> {
    /// Writes the number of an object through its Scale, and returns that.
    ///
    /// # Errors
    /// In upstream's words.
    pub(crate) async fn scale(
        &self,
        cluster: &Cluster,
        wanted: &Wanted,
    ) -> Result<Written, Status> {
        let Some(kind) = SCALE.as_ref() else {
            return Err(Status::internal("there are no Scales"));
        };
        let through = Write { kind, ..*self };
        if let Wanted::Whole(scale, warnings) = wanted {
            let placed = meta::settle_place(&mut scale.clone(), self.namespace, self.name);
            placed.map_err(|status| status.warned(warnings.clone()))?;
        }
        let key = self.key(self.name)?;
        for _ in 0..ATTEMPTS {
            let Some(live) = cluster.store.get(&key) else {
                let warnings = wanted.warnings();
                return Err(self.not_found().warned(warnings));
            };
            let mut warnings = wanted.warnings();
            let tried = self.try_scale(cluster, &through, &live, wanted, &mut warnings);
            match tried.await {
                Err(WriteError::Stale) => {}
                Err(WriteError::Failed(status)) => return Err(status.warned(warnings)),
                Ok(written) => return Ok(written),
            }
        }
        Err(Status::modified(self.kind.about(), self.name))
    }

    async fn try_scale(
        &self,
        cluster: &Cluster,
        through: &Write<'_>,
        live: &Arc<Record>,
        wanted: &Wanted,
        warnings: &mut Vec<String>,
    ) -> Result<Written, WriteError> {
        let value = self.kind.object(live);
        let mut object = self.scaled(through, &value, wanted, warnings)?;
        self.pin(&mut object, live)?;
        let changed = draft::settle_changed(self.kind, &value, object, "")?;
        let done = self.store_changed(cluster, live, &value, changed, warnings.clone());
        let written = done.await?;
        let scale = self.kind.scale_of(&match written.object {
            Answer::Stored(record) => record.value(),
            Answer::Shown(object) => object,
        })?;
        Ok(Written {
            object: Answer::Shown(scale),
            ..written
        })
    }

    /// The object that a written Scale makes of one.
    fn scaled(
        &self,
        through: &Write<'_>,
        value: &Value,
        wanted: &Wanted,
        warnings: &mut Vec<String>,
    ) -> Result<Value, Status> {
        let internal = |why: String| Status::internal(why);
        let path = self.kind.replicas_path();
        let path: Vec<Element> = path
            .trim_start_matches('.')
            .split('.')
            .map(Element::field)
            .collect();
        let owners = Replicas {
            api_version: &self.kind.api_version,
            path: &path,
        };
        let mut before = self.scale_before(value)?;
        if let Some(fields) = owners.to_scale(managed_fields(value)).map_err(internal)? {
            before["metadata"]["managedFields"] = fields;
        }
        let scale = self.changed_scale(through, &before, wanted, warnings)?;
        let replicas = scale["spec"]["replicas"].as_i64().unwrap_or(0);
        let version = meta::text(&scale, "resourceVersion");
        if self.kind.is_custom() {
            if replicas == UNSET {
                let path = self.kind.replicas_path();
                let why = format!("the spec replicas field {path:?} cannot be empty");
                return Err(Status::bad_request(why));
            }
        } else {
            self.check_scale(&scale, value)?;
        }
        let mut object = value.clone();
        self.kind.set_replicas(&mut object, replicas)?;
        let fields = owners.to_parent(managed_fields(value), managed_fields(&scale));
        let fields = fields.map_err(internal)?;
        if let Some(metadata) = meta::metadata_mut(&mut object) {
            if !(self.kind.is_custom() && version.is_empty()) {
                metadata.insert("resourceVersion".to_owned(), json!(version));
            }
            match fields {
                Some(fields) => metadata.insert("managedFields".to_owned(), fields),
                None => metadata.remove("managedFields"),
            };
        }
        Ok(object)
    }

    /// The Scale of an object that is about to be written.
    fn scale_before(&self, value: &Value) -> Result<Value, Status> {
        let mut object = value.clone();
        if self.kind.is_custom() {
            let path = self.kind.replicas_path().replace('.', "/");
            if object.pointer(&path).is_none() {
                self.kind.set_replicas(&mut object, UNSET)?;
            }
        }
        self.kind.scale_of(&object)
    }

    /// What becomes of a Scale, with its owners.
    fn changed_scale(
        &self,
        through: &Write<'_>,
        before: &Value,
        wanted: &Wanted,
        warnings: &mut Vec<String>,
    ) -> Result<Value, Status> {
        let target = through.kind.target("scale");
        let mut scale = match wanted {
            Wanted::Patched(PatchType::Apply, config) if self.kind.is_custom() => {
                // Upstream cannot convert what it applies here, which it tells after conflicts.
                draft::apply(&target, Some(before), config, self.author, self.force())?;
                let name = meta::text(config, "name");
                let place = meta::text(config, "namespace");
                return Err(Status::internal(format!(
                    "failed to convert new object ({place}/{name}; autoscaling/v1, Kind=Scale) to proper version: request to convert CR to an invalid group/version: autoscaling/v1"
                )));
            }
            Wanted::Patched(PatchType::Apply, config) => {
                let force = self.force();
                let applied = draft::apply(&target, Some(before), config, self.author, force)?;
                applied.unwrap_or_else(|| before.clone())
            }
            Wanted::Patched(how, patch) => {
                let mut scale = through.patched(*how, before, patch, warnings)?;
                drop_zero(&mut scale);
                fields::update(&target, Some(before), scale, self.author.writer())
            }
            Wanted::Whole(scale, _) => {
                let mut scale = scale.clone();
                through.kind.fill_builtin(&mut scale);
                drop_zero(&mut scale);
                fields::update(&target, Some(before), scale, self.author.writer())
            }
        };
        meta::settle_place(&mut scale, self.namespace, self.name)?;
        Ok(scale)
    }

    fn check_scale(&self, scale: &Value, value: &Value) -> Result<(), Status> {
        let replicas = &scale["spec"]["replicas"];
        if replicas.as_i64().is_some_and(|replicas| replicas < 0) {
            let why = "must be greater than or equal to 0";
            let error = FieldError::invalid("spec.replicas", replicas.clone(), why);
            let about = About {
                group: "autoscaling",
                resource: "scales",
                kind: "Scale",
            };
            return Err(Status::invalid(about, self.name, &[error]));
        }
        let (wanted, uid) = (meta::text(scale, "uid"), meta::text(value, "uid"));
        if !wanted.is_empty() && wanted != uid {
            let resource = format!("{}/scale", self.kind.resource.plural);
            let about = About {
                resource: &resource,
                ..self.kind.about()
            };
            let why = format!(
                "Precondition failed: UID in precondition: {wanted}, UID in object meta: {uid}"
            );
            return Err(Status::conflict(about, self.name, &why));
        }
        Ok(())
    }

    /// Admits a Scale that was sent.
    ///
    /// # Errors
    /// In upstream's words, which knows no Scales where it serves custom resources.
    pub(crate) fn admit_scale(&self, encoding: Encoding, body: &[u8]) -> Result<Wanted, Status> {
        let Some(kind) = SCALE.as_ref() else {
            return Err(Status::internal("there are no Scales"));
        };
        let mut warnings = Vec::new();
        let admitted = decode::object(encoding, body, kind, self.options.field_validation);
        let admitted = admitted.and_then(|incoming| {
            draft::admit(kind, incoming, Origin::Body, self.options, &mut warnings)
        });
        match admitted {
            Ok(scale) => Ok(Wanted::Whole(scale, warnings)),
            Err(_) if self.kind.is_custom() => Err(Status::bad_request(
                "no kind is registered for the type v1.Scale in scheme \"pkg/runtime/scheme.go:111\"",
            )),
            Err(status) => Err(status),
        }
    }
}

/// No replicas are written as no field, which nobody owns.
fn drop_zero(scale: &mut Value) {
    if scale["spec"]["replicas"] == 0
        && let Some(spec) = scale["spec"].as_object_mut()
    {
        spec.remove("replicas");
    }
}

fn managed_fields(object: &Value) -> Option<&Value> {
    meta::metadata(object).get("managedFields")
}
