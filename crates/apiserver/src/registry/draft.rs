//! Writes on their way: what becomes of an object between the caller's words and the store. Pure, but
//! for new uids.

use serde_json::{Value, json};

use super::decode::Incoming;
use super::kind::Kind;
use super::meta;
use super::options::{FieldValidation, WriteOptions};
use crate::fields::{self, Force, Outcome, Writer};
use crate::schema::{defaults, strict};
use crate::status::{FieldError, Status};
use crate::validate::{self, Scope};
use crate::ways;

/// Who writes, and when.
#[derive(Clone, Copy, Debug)]
pub struct Author<'a> {
    /// The name that fields are owned under.
    pub manager: &'a str,
    /// The time: RFC 3339 in UTC with whole seconds.
    pub now: &'a str,
}

impl<'a> Author<'a> {
    fn writer(self) -> Writer<'a> {
        Writer {
            manager: self.manager,
            now: self.now,
        }
    }
}

/// Checks that what was sent is of the kind, and drops what the kind does not know.
///
/// # Errors
/// 400 where it is of another kind, or has fields that nobody knows and the caller is strict.
pub fn admit(
    kind: &Kind,
    incoming: Incoming,
    options: &WriteOptions,
    warnings: &mut Vec<String>,
) -> Result<Value, Status> {
    let Incoming {
        mut object,
        mut faults,
        is_checked,
    } = incoming;
    let resource = &kind.resource;
    let Some(fields) = object.as_object() else {
        return Err(Status::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): expected an object",
            resource.kind
        )));
    };
    let written = |field: &str| {
        fields
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let (version, name) = (written("apiVersion"), written("kind"));
    if !version.is_empty() && version != kind.api_version {
        return Err(Status::bad_request(format!(
            "the API version in the data ({version}) does not match the expected API version ({})",
            kind.api_version
        )));
    }
    if !name.is_empty() && name != &*resource.kind {
        let why = format!(
            "converting ({name}) to ({}): unknown conversion",
            resource.kind
        );
        return Err(strict::cannot_be_handled(&resource.version, name, &why));
    }
    kind.sign(&mut object);
    match &kind.custom {
        Some(version) => faults.extend(version.decode(&mut object)?),
        None if is_checked => {}
        None => {
            let read =
                strict::decode_value(kind.schema(), Some(kind.of), object).map_err(|why| {
                    strict::cannot_be_handled(&resource.version, &resource.kind, &why)
                })?;
            object = read.value;
            faults.extend(read.faults.iter().map(ToString::to_string));
        }
    }
    if !faults.is_empty() {
        match options.field_validation {
            FieldValidation::Strict => {
                let why = format!("strict decoding error: {}", faults.join(", "));
                return Err(strict::cannot_be_handled(
                    &resource.version,
                    &resource.kind,
                    &why,
                ));
            }
            FieldValidation::Warn => warnings.append(&mut faults),
            FieldValidation::Ignore => {}
        }
    }
    Ok(object)
}

/// A new object, ready to be stored.
///
/// # Errors
/// 422 for what breaks a rule.
pub fn create(kind: &Kind, mut object: Value, author: Author<'_>) -> Result<Value, Status> {
    kind.fill_builtin(&mut object);
    object = fields::update(&kind.target(""), None, object, author.writer());
    settle_new(kind, object, author)
}

/// A new object that is applied.
///
/// # Errors
/// As [`fields::apply`], and 422 for what breaks a rule.
pub fn create_applied(
    kind: &Kind,
    config: &Value,
    author: Author<'_>,
    force: Force,
) -> Result<Value, Status> {
    let applied = fields::apply(&kind.target(""), None, config, author.writer(), force)?;
    let mut object = match applied {
        Outcome::Changed(object) => object,
        Outcome::Same => config.clone(),
    };
    object = kind.converted(object)?;
    kind.fill(&mut object);
    settle_new(kind, object, author)
}

fn settle_new(kind: &Kind, mut object: Value, author: Author<'_>) -> Result<Value, Status> {
    meta::settle_new(&mut object, author.now, kind.ways.generation);
    kind.prepare_create(&mut object);
    refuse(kind, &object, &kind.faults(&object))?;
    Ok(object)
}

/// A changed object, ready to be stored; nothing where nothing has changed. `subresource` is empty
/// or `status`.
///
/// # Errors
/// 422 for what breaks a rule.
pub fn change(
    kind: &Kind,
    live: &Value,
    mut object: Value,
    subresource: &str,
    author: Author<'_>,
) -> Result<Option<Value>, Status> {
    kind.fill_builtin(&mut object);
    object = fields::update(
        &kind.target(subresource),
        Some(live),
        object,
        author.writer(),
    );
    settle_changed(kind, live, object, subresource)
}

/// A changed object that is applied.
///
/// # Errors
/// As [`fields::apply`], and 422 for what breaks a rule.
pub fn change_applied(
    kind: &Kind,
    live: &Value,
    config: &Value,
    subresource: &str,
    author: Author<'_>,
    force: Force,
) -> Result<Option<Value>, Status> {
    let target = kind.target(subresource);
    let applied = fields::apply(&target, Some(live), config, author.writer(), force)?;
    let Outcome::Changed(mut object) = applied else {
        return Ok(None);
    };
    object = kind.converted(object)?;
    kind.fill(&mut object);
    settle_changed(kind, live, object, subresource)
}

fn settle_changed(
    kind: &Kind,
    live: &Value,
    mut object: Value,
    subresource: &str,
) -> Result<Option<Value>, Status> {
    if let Some(metadata) = object.get_mut("metadata") {
        validate::carry_over(metadata, metadata_of(live));
    }
    kind.prepare_update(&mut object, live, subresource);
    let ways = kind.ways;
    if ways.generation
        && matches!(subresource, "" | "scale")
        && !kind.is_custom()
        && (ways.counts)(&object, live)
    {
        meta::bump_generation(&mut object);
    }
    let errors = kind.faults_of_change(&object, live, subresource);
    refuse(kind, &object, &errors)?;
    fields::keep_times(live, &mut object);
    Ok((!is_same(&object, live)).then_some(object))
}

fn refuse(kind: &Kind, object: &Value, errors: &[FieldError]) -> Result<(), Status> {
    if errors.is_empty() {
        return Ok(());
    }
    let name = match meta::text(object, "name") {
        "" => meta::text(object, "generateName"),
        name => name,
    };
    Err(Status::invalid(kind.about(), name, errors))
}

fn metadata_of(object: &Value) -> &Value {
    object.get("metadata").unwrap_or(&Value::Null)
}

/// Whether two objects are the same but for the resourceVersion.
fn is_same(a: &Value, b: &Value) -> bool {
    let (Some(a), Some(b)) = (a.as_object(), b.as_object()) else {
        return false;
    };
    a.len() == b.len()
        && a.iter().zip(b).all(|((key, a), (other, b))| {
            key == other
                && match (key.as_str(), a, b) {
                    ("metadata", Value::Object(a), Value::Object(b)) => {
                        let counts = |(key, _): &(&String, &Value)| *key != "resourceVersion";
                        a.iter().filter(counts).eq(b.iter().filter(counts))
                    }
                    _ => a == b,
                }
        })
}

impl Kind {
    /// What was applied, read as its type: only then it shows whether text is a quantity or base64.
    fn converted(&self, object: Value) -> Result<Value, Status> {
        if self.is_custom() {
            return Ok(object);
        }
        let group_version = match &*self.resource.group {
            "" => format!("/{}", self.resource.version),
            group => format!("{group}/{}", self.resource.version),
        };
        let what = format!("{group_version}, Kind={}", self.resource.kind);
        let place = match meta::text(&object, "namespace") {
            "" => format!("/{}", meta::text(&object, "name")),
            namespace => format!("{namespace}/{}", meta::text(&object, "name")),
        };
        let read = strict::decode_value(self.schema(), Some(self.of), object);
        let read = read.map_err(|why| {
            let why = strict::of_value(&why);
            Status::internal(format!(
                "failed to convert new object ({place}; {what}) to proper version: unable to convert unstructured object to {what}: {why}"
            ))
        })?;
        Ok(read.value)
    }

    /// Fills in defaults, and writes the object as the genuine server does.
    fn fill(&self, object: &mut Value) {
        if let Some(version) = &self.custom {
            // What it does not know an apply has refused.
            drop(version.decode(object));
        }
        self.fill_builtin(object);
    }

    /// The same, of what was [admitted](admit): custom resources are filled in there.
    fn fill_builtin(&self, object: &mut Value) {
        if self.custom.is_none() {
            (self.ways.default)(object);
            defaults::settle(self.schema(), self.of, object);
        }
    }

    fn prepare_create(&self, object: &mut Value) {
        if let Some(version) = &self.custom {
            version.prepare_create(object);
        } else {
            (self.ways.prepare_create)(object);
            self.fill_status(object);
        }
    }

    fn prepare_update(&self, object: &mut Value, live: &Value, subresource: &str) {
        match (&self.custom, subresource) {
            (Some(version), "status") => version.prepare_status_update(object, live),
            (Some(version), _) => version.prepare_update(object, live),
            (None, "status") => (self.ways.prepare_status_update)(object, live),
            (None, _) => (self.ways.prepare_update)(object, live),
        }
    }

    /// What is wrong with a new object.
    fn faults(&self, object: &Value) -> Vec<FieldError> {
        if let Some(version) = &self.custom {
            return version.check_create(object);
        }
        let mut errors = validate::create(metadata_of(object), self.scope(), self.ways.name);
        errors.extend(ways::finalizer_faults(object));
        errors.extend((self.ways.validate)(object, None));
        errors
    }

    /// What is wrong with a changed object.
    fn faults_of_change(&self, object: &Value, live: &Value, subresource: &str) -> Vec<FieldError> {
        match (&self.custom, subresource) {
            (Some(version), "status") => version.check_status_update(object, live),
            (Some(version), _) => version.check_update(object, live),
            (None, subresource) => {
                let (new, old) = (metadata_of(object), metadata_of(live));
                let mut errors = validate::update(new, old, self.scope());
                errors.extend(ways::finalizer_faults(object));
                if subresource != "status" {
                    errors.extend((self.ways.validate)(object, Some(live)));
                }
                errors
            }
        }
    }

    fn scope(&self) -> Scope {
        if self.resource.namespaced {
            Scope::Namespaced
        } else {
            Scope::Cluster
        }
    }
}

/// The object of a resource, signed, as the answer of a dry run of a creation shows it: without a
/// resourceVersion.
pub fn unstored(mut object: Value) -> Value {
    if let Some(metadata) = meta::metadata_mut(&mut object) {
        metadata.remove("resourceVersion");
    }
    object
}

/// What a deletion answers where nothing of the object stays.
pub fn deleted(kind: &Kind, object: &Value) -> Value {
    let mut details = json!({
        "name": meta::text(object, "name"),
        "kind": &*kind.resource.plural,
        "uid": meta::text(object, "uid"),
    });
    if !kind.resource.group.is_empty() {
        details["group"] = json!(&*kind.resource.group);
    }
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details,
    })
}
