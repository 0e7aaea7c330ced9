//! Writes on their way: what becomes of an object between the caller's words and the store. Pure, but
//! for new uids.

use serde_json::{Map, Value, json};

use super::decode::Incoming;
use super::kind::Kind;
use super::meta;
use super::options::{FieldValidation, WriteOptions};
use super::origin::{self, Origin};
use crate::crd;
use crate::fields::{self, Force, Outcome, Target, Writer};
use crate::schema::{Empty, Shape, defaults, strict};
use crate::status::{About, FieldError, Status};
use crate::validate;

/// Who writes, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Author<'a> {
    /// The name that fields are owned under.
    pub(crate) manager: &'a str,
    /// The time: RFC 3339 in UTC with whole seconds.
    pub(crate) now: &'a str,
}

impl<'a> Author<'a> {
    /// The same, for the owners of fields.
    pub(super) fn writer(self) -> Writer<'a> {
        Writer {
            manager: self.manager,
            now: self.now,
        }
    }
}

/// Checks that an object is of the kind, and drops what the kind does not know.
///
/// # Errors
/// 400, or 422 where a patch made it, if it is of another kind, or has fields that nobody knows and the
/// caller is strict.
pub(crate) fn admit(
    kind: &Kind,
    incoming: Incoming,
    origin: Origin<'_>,
    options: &WriteOptions,
    warnings: &mut Vec<String>,
) -> Result<Value, Status> {
    let Incoming {
        mut object,
        mut faults,
        is_checked,
    } = incoming;
    if !object.is_object() {
        return Err(Status::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): expected an object",
            kind.resource.kind
        )));
    }
    origin.check(kind, &object)?;
    // Of a custom resource that says that it is of another kind or version, only the metadata is looked at.
    let named = |field: &str| object[field].as_str().unwrap_or_default();
    let version = named("apiVersion").to_owned();
    let is_other = kind.is_custom() && version != kind.api_version;
    let signs =
        !kind.is_custom() || !is_other && ["", &kind.resource.kind].contains(&named("kind"));
    if signs && !matches!(origin, Origin::Merged(_)) {
        kind.sign(&mut object);
    }
    match &kind.custom {
        Some(version) => {
            let unknown = if signs {
                version.decode(&mut object)
            } else {
                version.decode_metadata(&mut object)
            };
            faults.extend(unknown.map_err(|why| origin.refuse(kind, &object, &why))?);
        }
        None if is_checked => {}
        None => {
            let (schema, of) = (kind.schema(), kind.of);
            if let Origin::Merged(_) = origin
                && let Some(why) = strict::refusal(schema, of, &object)
            {
                return Err(origin.refuse(kind, &object, &why));
            }
            let read = strict::decode_value(schema, Some(of), object)
                .map_err(|why| origin.refuse(kind, &Value::Null, &why))?;
            object = read.value;
            faults.extend(read.faults.iter().map(ToString::to_string));
        }
    }
    if signs {
        kind.sign(&mut object);
    }
    if !faults.is_empty() {
        match options.field_validation {
            FieldValidation::Strict => {
                let why = format!("strict decoding error: {}", faults.join(", "));
                return Err(origin.refuse(kind, &object, &why));
            }
            FieldValidation::Warn => warnings.append(&mut faults),
            FieldValidation::Ignore => {}
        }
    }
    if is_other {
        return Err(origin::other_version(kind, &version).warned(warnings.clone()));
    }
    Ok(object)
}

/// A new object, ready to be stored.
///
/// # Errors
/// 422 for what breaks a rule.
pub(crate) fn create(kind: &Kind, mut object: Value, author: Author<'_>) -> Result<Value, Status> {
    meta::dedup_owners(&mut object);
    object = kind.tracked(&kind.target(""), None, object, author);
    settle_new(kind, object, "", author)
}

/// What a configuration makes of an object, or of none; nothing where it changes nothing.
///
/// # Errors
/// As [`fields::apply`].
pub(crate) fn apply(
    target: &Target<'_>,
    live: Option<&Value>,
    config: &Value,
    author: Author<'_>,
    force: Force,
) -> Result<Option<Value>, Status> {
    match fields::apply(target, live, config, author.writer(), force)? {
        Outcome::Changed(object) => Ok(Some(object)),
        Outcome::Same => Ok(live.is_none().then(|| config.clone())),
    }
}

/// A new object that is applied, ready to be stored.
///
/// # Errors
/// 422 for what breaks a rule.
pub(crate) fn create_applied(
    kind: &Kind,
    mut object: Value,
    subresource: &str,
    author: Author<'_>,
) -> Result<Value, Status> {
    kind.fill(&mut object);
    settle_new(kind, object, subresource, author)
}

fn settle_new(
    kind: &Kind,
    mut object: Value,
    subresource: &str,
    author: Author<'_>,
) -> Result<Value, Status> {
    meta::settle_new(&mut object, author.now, kind.ways.generation);
    if subresource.is_empty() {
        let errors = (kind.ways.begin)(&mut object, None);
        refuse(kind, &object, &errors)?;
    }
    kind.prepare_create(&mut object);
    refuse(kind, &object, &kind.faults(&object))?;
    Ok(object)
}

/// A changed object, ready to be stored; nothing where nothing has changed. `subresource` is empty
/// or `status`.
///
/// # Errors
/// 422 for what breaks a rule.
pub(crate) fn change(
    kind: &Kind,
    live: &Value,
    mut object: Value,
    subresource: &str,
    author: Author<'_>,
) -> Result<Option<Value>, Status> {
    meta::dedup_owners(&mut object);
    let hollow = hollow(&object);
    object = kind.tracked(&kind.target(subresource), Some(live), object, author);
    settle_hollow(kind, live, object, subresource, &hollow)
}

/// A changed object that is applied, ready to be stored; nothing where nothing has changed.
///
/// # Errors
/// 422 for what breaks a rule.
pub(crate) fn change_applied(
    kind: &Kind,
    live: &Value,
    mut object: Value,
    subresource: &str,
) -> Result<Option<Value>, Status> {
    let hollow = hollow(&object);
    kind.fill(&mut object);
    settle_hollow(kind, live, object, subresource, &hollow)
}

/// The maps of an object that are there and empty: rules may tell them from none, which is what is stored.
fn hollow(object: &Value) -> Vec<String> {
    let fields = object.as_object().into_iter().flatten();
    let hollow = fields.filter(|(_, value)| value.as_object().is_some_and(Map::is_empty));
    hollow.map(|(name, _)| name.clone()).collect()
}

/// A changed object with its owners, ready to be stored; nothing where nothing has changed.
///
/// # Errors
/// 422 for what breaks a rule.
pub(crate) fn settle_changed(
    kind: &Kind,
    live: &Value,
    object: Value,
    subresource: &str,
) -> Result<Option<Value>, Status> {
    settle_hollow(kind, live, object, subresource, &[])
}

fn settle_hollow(
    kind: &Kind,
    live: &Value,
    mut object: Value,
    subresource: &str,
    hollow: &[String],
) -> Result<Option<Value>, Status> {
    if subresource != "status" {
        let errors = (kind.ways.begin)(&mut object, Some(live));
        refuse(kind, &object, &errors)?;
    }
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
    let lacking = hollow.iter().filter(|name| object.get(name).is_none());
    let lacking: Vec<&String> = lacking.collect();
    for name in &lacking {
        object[name.as_str()] = json!({});
    }
    let errors = kind.faults_of_change(&object, live, subresource);
    refuse(kind, &object, &errors)?;
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|name, _| !lacking.contains(&name));
    }
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
    let about = About {
        kind: object["kind"].as_str().unwrap_or(&kind.resource.kind),
        ..kind.about()
    };
    Err(Status::invalid(about, name, errors))
}

pub(super) fn metadata_of(object: &Value) -> &Value {
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
    /// Fills in defaults. What else a custom resource is [formed](Kind::formed) by comes after its checks.
    fn fill(&self, object: &mut Value) {
        if let Some(version) = &self.custom {
            version.fill(object);
        }
        self.fill_builtin(object);
    }

    /// The same, of what was [admitted](admit): custom resources are filled in there.
    pub(super) fn fill_builtin(&self, object: &mut Value) {
        if self.custom.is_none() {
            (self.ways.default)(object);
            defaults::settle(self.schema(), self.of, object);
        }
    }

    /// Fills in what was [admitted](admit), and records who owns it.
    fn tracked(
        &self,
        target: &Target<'_>,
        live: Option<&Value>,
        mut object: Value,
        author: Author<'_>,
    ) -> Value {
        // To owners a list that is empty is another than none; what is stored does not tell them apart.
        let emptied: Vec<String> = match &self.schema().get(self.of).shape {
            Shape::Struct(shape) if self.custom.is_none() => {
                let fields = shape.fields.iter().filter(|(name, field)| {
                    field.empty == Empty::Written(Value::Null) && object[&***name] == json!([])
                });
                fields.map(|(name, _)| name.to_string()).collect()
            }
            _ => Vec::new(),
        };
        self.fill_builtin(&mut object);
        for name in &emptied {
            object[name] = json!([]);
        }
        object = fields::update(target, live, object, author.writer());
        for name in &emptied {
            object[name] = Value::Null;
        }
        object
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
            (Some(_), "status") => crd::Version::prepare_status_update(object, live),
            (Some(version), _) => version.prepare_update(object, live),
            (None, "status") => (self.ways.prepare_status_update)(object, live),
            (None, "finalize") => (self.ways.prepare_finalize)(object, live),
            (None, _) => (self.ways.prepare_update)(object, live),
        }
    }
}
