//! What a cluster serves at one moment. It never changes; a definition that comes or goes makes the next
//! one.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use serde_json::Value;

use crate::catalogue::{self, Catalogue};
use crate::crd::{self, Definition};
use crate::openapi;
use crate::registry::kind::Kind;
use crate::store::{Record, Resource, Scope, Store};

/// An OpenAPI document.
#[derive(Debug)]
pub(crate) struct Document {
    /// The text.
    pub(crate) body: Bytes,
    /// What tells it from others.
    pub(crate) hash: String,
}

/// Documents by group and version.
type Documents = HashMap<(String, String), Arc<Document>>;

/// Group, version and plural.
type Place = (Box<str>, Box<str>, Box<str>);

/// What is served.
#[derive(Clone, Debug, Default)]
pub(crate) struct Served {
    /// All resources.
    pub(crate) catalogue: Catalogue,
    kinds: HashMap<Place, Arc<Kind>>,
    /// The OpenAPI documents of group versions, made when they are asked for.
    documents: Arc<Mutex<Documents>>,
    /// All types in one document, made when it is asked for.
    swagger: Arc<OnceLock<openapi::Swagger>>,
    /// Those that are established, by name, with what they make.
    definitions: HashMap<Box<str>, (Arc<Value>, Vec<Place>)>,
}

impl Served {
    /// The built-in kinds, and those of the definitions that are stored.
    pub(crate) fn new(store: &Store) -> Self {
        let catalogue = Catalogue::builtin();
        let mut kinds = HashMap::new();
        for resource in catalogue.resources() {
            if let Some(kind) = Kind::builtin(resource) {
                kinds.insert(place(resource), Arc::new(kind));
            }
        }
        let mut served = Self {
            catalogue,
            kinds,
            documents: Arc::default(),
            swagger: Arc::default(),
            definitions: HashMap::new(),
        };
        let snapshot = store.snapshot(&Resource::new(
            "apiextensions.k8s.io",
            "customresourcedefinitions",
        ));
        for record in snapshot.iter(&Scope::all()) {
            served = served.after(Some(record), record.key().name());
        }
        served
    }

    /// What is served after a definition came, changed or went.
    #[must_use]
    pub(crate) fn after(&self, definition: Option<&Record>, name: &str) -> Self {
        let mut next = self.clone();
        let group = name.split_once('.').map_or("", |(_, group)| group);
        let mut documents = self.documents().clone();
        documents.retain(|(known, _), _| known != group);
        next.documents = Arc::new(Mutex::new(documents));
        next.swagger = Arc::default();
        if let Some((known, places)) = next.definitions.remove(name) {
            next.catalogue = next.catalogue.without(&known);
            for place in places {
                next.kinds.remove(&place);
            }
        }
        let Some(object) = definition.map(Record::value).filter(crd::is_established) else {
            return next;
        };
        let Ok(definition) = Definition::load(&object) else {
            return next;
        };
        next.catalogue = next.catalogue.with(&object);
        let mut places = Vec::new();
        for version in definition
            .versions
            .into_iter()
            .filter(|version| version.served)
        {
            let (group, plural) = (&*definition.group, &*definition.plural);
            let resource = next
                .catalogue
                .resource(group, &version.name, plural)
                .cloned();
            if let Some(resource) = resource {
                let kind = Kind::custom(&resource, version);
                next.kinds.insert(place(&resource), Arc::new(kind));
                places.push(place(&resource));
            }
        }
        next.definitions
            .insert(name.into(), (Arc::new(object), places));
        next
    }

    /// The kind of a resource.
    pub(crate) fn kind(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Kind>> {
        self.kinds
            .get(&(group.into(), version.into(), plural.into()))
    }

    fn documents(&self) -> MutexGuard<'_, Documents> {
        self.documents
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The OpenAPI document of a group version; nothing where that is not served.
    pub(crate) fn openapi(&self, group: &str, version: &str) -> Option<Arc<Document>> {
        let place = (group.to_owned(), version.to_owned());
        if let Some(known) = self.documents().get(&place) {
            return Some(known.clone());
        }
        let made = openapi::document(
            &self.catalogue,
            &|resource| self.schema(resource),
            group,
            version,
        )?;
        let document = Arc::new(Document {
            body: made.body.into(),
            hash: made.hash,
        });
        self.documents().insert(place, document.clone());
        Some(document)
    }

    /// The schema of a custom resource.
    fn schema(&self, resource: &catalogue::Resource) -> Option<&Value> {
        let kind = self.kind(&resource.group, &resource.version, &resource.plural)?;
        Some(&kind.custom.as_ref()?.source)
    }

    /// All types, as OpenAPI 2.0 has them.
    pub(crate) fn swagger(&self) -> &openapi::Swagger {
        self.swagger
            .get_or_init(|| openapi::swagger(&self.catalogue, &|resource| self.schema(resource)))
    }

    /// Where the OpenAPI documents are: by group version (`api/v1`, `apis/apps/v1`).
    pub(crate) fn locations(&self) -> BTreeMap<String, String> {
        let mut locations = BTreeMap::new();
        for group in self.catalogue.groups() {
            for version in &group.versions {
                if let Some(document) = self.openapi(&group.name, &version.name) {
                    let place = openapi::location(&group.name, &version.name);
                    locations.insert(place, document.hash.clone());
                }
            }
        }
        locations
    }

    /// The kind whose objects are stored as this.
    pub(crate) fn stored(&self, resource: &Resource) -> Option<&Arc<Kind>> {
        let mut kinds = self.kinds.values();
        kinds.find(|kind| kind.stored == *resource && kind.is_own_form())
    }
}

fn place(resource: &crate::catalogue::Resource) -> Place {
    (
        resource.group.clone(),
        resource.version.clone(),
        resource.plural.clone(),
    )
}
