//! A kind as a cluster serves it: its type, its ways, and what owners of fields have to know of it.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::form::Form;

use crate::catalogue::Resource;
use crate::crd::Version;
use crate::fields::{Set, Target};
use crate::schema::builtin::Builtin;
use crate::schema::{Schema, TypeId};
use crate::status::About;
use crate::store::{self, Record};
use crate::ways::{self, Ways};

/// A kind.
#[derive(Debug)]
pub(crate) struct Kind {
    /// What it is called and what it can be asked for.
    pub(crate) resource: Arc<Resource>,
    /// Group and version as objects write them (`apps/v1`, `v1`).
    pub(crate) api_version: String,
    /// Where its objects are stored.
    pub(crate) stored: store::Resource,
    /// What becomes of them where they are stored in the form of another kind.
    form: Option<&'static Form>,
    /// The type of its objects.
    pub(crate) of: TypeId,
    /// How it differs from others.
    pub(crate) ways: &'static Ways,
    /// The version of a definition that it comes from; none for built-in kinds.
    pub(crate) custom: Option<Version>,
    /// An object in which nothing is set.
    empty: Value,
    /// What writes to the object itself and to its status leave alone.
    resets: [Set; 2],
}

impl Kind {
    /// A built-in kind; nothing where its type is unknown.
    pub(crate) fn builtin(resource: &Arc<Resource>) -> Option<Self> {
        let types = Builtin::load();
        let of = types.by_gvk(&resource.group, &resource.version, &resource.kind)?;
        let ways = ways::of(&resource.group, &resource.plural);
        Some(Self::new(resource, of, ways, None))
    }

    /// The kind that a subresource takes, where that is another one.
    pub(crate) fn taken_by(&self, subresource: &str) -> Option<Self> {
        let of = self.resource.subresource(subresource)?;
        if of.group == self.resource.group && of.kind == self.resource.kind {
            return None;
        }
        let resource = Resource {
            group: of.group.clone(),
            version: of.version.clone(),
            kind: of.kind.clone(),
            ..Resource::clone(&self.resource)
        };
        Self::builtin(&Arc::new(resource))
    }

    /// A kind that a version of a definition makes.
    pub(crate) fn custom(resource: &Arc<Resource>, version: Version) -> Self {
        let ways = if version.has_status {
            &ways::CUSTOM_WITH_STATUS
        } else {
            &ways::CUSTOM
        };
        let of = version.root();
        Self::new(resource, of, ways, Some(version))
    }

    fn new(
        resource: &Arc<Resource>,
        of: TypeId,
        ways: &'static Ways,
        custom: Option<Version>,
    ) -> Self {
        let api_version = if resource.group.is_empty() {
            resource.version.to_string()
        } else {
            format!("{}/{}", resource.group, resource.version)
        };
        let form = Form::of(&resource.group, &resource.version, &resource.plural);
        let mut kind = Self {
            resource: resource.clone(),
            stored: match form {
                Some(form) => store::Resource::new(form.group, &resource.plural),
                None => store::Resource::new(&resource.group, &resource.plural),
            },
            form,
            of,
            ways,
            custom,
            empty: json!({}),
            resets: [ways.resets, ways.status_resets].map(Set::of_fields),
            api_version,
        };
        let mut empty = json!({});
        kind.sign(&mut empty);
        if kind.custom.is_none() {
            crate::schema::defaults::settle(kind.schema(), of, &mut empty);
        }
        kind.empty = empty;
        kind
    }

    /// Its types.
    pub(crate) fn schema(&self) -> &Schema {
        match &self.custom {
            Some(version) => version.schema(),
            None => &Builtin::load().schema,
        }
    }

    /// How messages name it.
    pub(crate) fn about(&self) -> About<'_> {
        About {
            group: &self.resource.group,
            resource: &self.resource.plural,
            kind: &self.resource.kind,
        }
    }

    /// Whether it comes from a definition.
    pub(crate) fn is_custom(&self) -> bool {
        self.custom.is_some()
    }

    /// Whether its objects are stored as they are.
    pub(crate) fn is_own_form(&self) -> bool {
        self.form.is_none()
    }

    /// An object as this kind has it.
    pub(crate) fn object(&self, record: &Record) -> Value {
        let mut object = record.value();
        if let Some(form) = self.form {
            form.read(&mut object);
            self.sign(&mut object);
            // The two kinds differ in which empty fields they write.
            crate::schema::defaults::settle(self.schema(), self.of, &mut object);
        }
        object
    }

    /// The same as it is shown.
    pub(crate) fn shown(&self, record: &Record) -> Value {
        let mut object = self.object(record);
        self.conceal(&mut object);
        object
    }

    /// Takes out of an object what is not shown.
    pub(crate) fn conceal(&self, object: &mut Value) {
        if let Some(conceal) = self.ways.conceal {
            conceal(object);
        }
    }

    /// What is shown as JSON.
    pub(crate) fn json(&self, record: &Record) -> Bytes {
        if self.form.is_none() && self.ways.conceal.is_none() {
            return record.json().clone();
        }
        Bytes::from(self.shown(record).to_string())
    }

    /// An object in which nothing is set.
    pub(crate) fn empty(&self) -> &Value {
        &self.empty
    }

    /// An object as it is read, where it is to be stored in another form: upstream stores a custom resource
    /// as an apply or a Scale made it, and prunes it and fills it in whenever it reads it.
    pub(crate) fn formed(&self, object: &Value) -> Option<Value> {
        let version = self.custom.as_ref()?;
        let mut formed = object.clone();
        version.decode(&mut formed).ok()?;
        (formed != *object).then_some(formed)
    }

    /// An object as it is stored.
    pub(crate) fn to_stored<'a>(&self, object: &'a Value) -> Cow<'a, Value> {
        let Some(form) = self.form else {
            return Cow::Borrowed(object);
        };
        let mut object = object.clone();
        form.write(&mut object);
        Cow::Owned(object)
    }

    /// What the owners of fields are recorded for.
    pub(crate) fn target<'a>(&'a self, subresource: &'a str) -> Target<'a> {
        Target {
            schema: self.schema(),
            root: self.of,
            api_version: &self.api_version,
            kind: &self.resource.kind,
            subresource,
            reset: Some(&self.resets[usize::from(subresource == "status")]),
            empty: &self.empty,
        }
    }

    /// Gives an object without a status the one in which nothing is set, if its kind has one.
    pub(crate) fn fill_status(&self, object: &mut Value) {
        if let (Some(status), Some(object)) = (self.empty.get("status"), object.as_object_mut()) {
            object.entry("status").or_insert_with(|| status.clone());
        }
    }

    /// Writes its apiVersion and kind into an object.
    pub(crate) fn sign(&self, object: &mut Value) {
        if let Some(object) = object.as_object_mut() {
            object.insert("apiVersion".to_owned(), json!(self.api_version));
            object.insert("kind".to_owned(), json!(self.resource.kind));
        }
    }
}
