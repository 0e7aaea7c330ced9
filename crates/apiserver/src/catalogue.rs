//! Which resources are served: the built-in ones from generated data, and those of the
//! `CustomResourceDefinition`s that are established.
//!
//! A catalogue never changes. Who reads keeps a snapshot, who adds a definition makes the next one,
//! which shares with the former all groups but one.

mod custom;
mod version;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use version::Rank;

/// All resources that are served.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalogue {
    groups: BTreeMap<Box<str>, Arc<Group>>,
}

/// The versions of an API group.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// The name; empty for the core group.
    pub(crate) name: Box<str>,
    /// Where it stands among the groups: built-in ones have their place, the others follow by name.
    place: usize,
    /// The versions, the preferred one first.
    pub(crate) versions: Vec<Version>,
}

/// One version of an API group.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    /// The name (`v1`).
    pub(crate) name: Box<str>,
    rank: Rank,
    by_plural: BTreeMap<Box<str>, Arc<Resource>>,
}

/// A resource in one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    /// The API group; empty for the core group.
    pub(crate) group: Box<str>,
    /// The version.
    pub(crate) version: Box<str>,
    /// The name in paths (`deployments`).
    pub(crate) plural: Box<str>,
    /// The name of one (`deployment`).
    pub(crate) singular: Box<str>,
    /// The kind of its objects (`Deployment`).
    pub(crate) kind: Box<str>,
    /// The kind of its lists (`DeploymentList`).
    pub(crate) list_kind: Box<str>,
    /// Whether its objects are in namespaces.
    pub(crate) namespaced: bool,
    /// What it can be asked for, in the order in which discovery lists it.
    pub(crate) verbs: Vec<Box<str>>,
    /// What kubectl calls it for short.
    pub(crate) short_names: Vec<Box<str>>,
    /// The sets of resources it belongs to (`all`).
    pub(crate) categories: Vec<Box<str>>,
    /// What is below its objects, in the order in which discovery lists it.
    pub(crate) subresources: Vec<Subresource>,
    /// The hash of the version in which it is stored; none where nothing is stored.
    pub(crate) storage_hash: Option<Box<str>>,
    /// Whether a definition made it.
    pub(crate) custom: bool,
}

/// What is below the objects of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subresource {
    /// The name in paths (`status`).
    pub(crate) name: Box<str>,
    /// The group of its kind.
    pub(crate) group: Box<str>,
    /// The version of its kind.
    pub(crate) version: Box<str>,
    /// The kind it reads and writes (`Scale`).
    pub(crate) kind: Box<str>,
    /// What it can be asked for.
    pub(crate) verbs: Vec<Box<str>>,
}

impl Resource {
    /// Whether it can be asked for this (`watch`).
    pub(crate) fn allows(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| **known == *verb)
    }

    /// The subresource of this name.
    pub(crate) fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|known| *known.name == *name)
    }
}

impl Version {
    /// The resources by their plural names.
    pub(crate) fn resources(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.by_plural.values()
    }
}

impl Catalogue {
    /// The resources that are always there. They are read at the first call; a copy costs little.
    pub(crate) fn builtin() -> Self {
        static LOADED: OnceLock<Catalogue> = OnceLock::new();
        LOADED
            .get_or_init(|| {
                read(include_str!("../data/resources.json"))
                    .expect("the generated data is whole, which a test checks")
            })
            .clone()
    }

    /// The groups in the order in which they are preferred: the core group first, then the built-in
    /// ones as the genuine server ranks them, then the others by name.
    pub(crate) fn groups(&self) -> Vec<&Group> {
        let mut groups: Vec<&Group> = self.groups.values().map(|group| &**group).collect();
        // Stable, and the map is in order of names.
        groups.sort_by_key(|group| group.place);
        groups
    }

    /// The group of this name.
    pub(crate) fn group(&self, group: &str) -> Option<&Group> {
        self.groups.get(group).map(|group| &**group)
    }

    /// A version of a group.
    pub(crate) fn version(&self, group: &str, version: &str) -> Option<&Version> {
        let versions = &self.groups.get(group)?.versions;
        versions.iter().find(|known| *known.name == *version)
    }

    /// The resource of this name (`deployments`).
    pub(crate) fn resource(
        &self,
        group: &str,
        version: &str,
        plural: &str,
    ) -> Option<&Arc<Resource>> {
        self.version(group, version)?.by_plural.get(plural)
    }

    /// The resource whose objects are of this kind.
    pub(crate) fn kind(&self, group: &str, version: &str, kind: &str) -> Option<&Arc<Resource>> {
        let mut resources = self.version(group, version)?.resources();
        resources.find(|resource| *resource.kind == *kind)
    }

    /// All resources in all versions, as [`Catalogue::groups`] orders them.
    pub(crate) fn resources(&self) -> impl Iterator<Item = &Arc<Resource>> {
        let versions = self.groups().into_iter().flat_map(|group| &group.versions);
        versions.flat_map(Version::resources)
    }

    /// What is served once a `CustomResourceDefinition` is as given, in `apiextensions.k8s.io/v1`.
    ///
    /// One that is not established, or serves no version, is not served.
    #[must_use]
    pub(crate) fn with(&self, definition: &Value) -> Self {
        let mut next = self.without(definition);
        for resource in custom::resources(definition) {
            next.add(resource, usize::MAX, Rank::custom);
        }
        next
    }

    /// What is served once a `CustomResourceDefinition` is gone. Built-in resources stay.
    #[must_use]
    pub(crate) fn without(&self, definition: &Value) -> Self {
        let mut next = self.clone();
        let (group, plural) = custom::name(definition);
        let Some(group) = next.groups.get_mut(group) else {
            return next;
        };
        let is_custom = |version: &Version| {
            let resource = version.by_plural.get(plural);
            resource.is_some_and(|resource| resource.custom)
        };
        if !group.versions.iter().any(is_custom) {
            return next;
        }
        let changed = Arc::make_mut(group);
        for version in changed
            .versions
            .iter_mut()
            .filter(|version| is_custom(version))
        {
            version.by_plural.remove(plural);
        }
        changed
            .versions
            .retain(|version| !version.by_plural.is_empty());
        if changed.versions.is_empty() {
            let name = changed.name.clone();
            next.groups.remove(&name);
        }
        next
    }

    /// Adds a resource. One that is there already, by its plural name or its kind, stays: a definition
    /// cannot hide a built-in resource.
    fn add(&mut self, resource: Resource, place: usize, rank: impl FnOnce(&str) -> Rank) {
        let group = self
            .groups
            .entry(resource.group.clone())
            .or_insert_with(|| {
                Arc::new(Group {
                    name: resource.group.clone(),
                    place,
                    versions: Vec::new(),
                })
            });
        let versions = &mut Arc::make_mut(group).versions;
        let at = versions
            .iter()
            .position(|version| version.name == resource.version);
        let at = at.unwrap_or_else(|| {
            let rank = rank(&resource.version);
            let at = versions.partition_point(|version| version.rank < rank);
            let version = Version {
                name: resource.version.clone(),
                rank,
                by_plural: BTreeMap::new(),
            };
            versions.insert(at, version);
            at
        });
        let version = &mut versions[at];
        let resources = version.by_plural.values();
        if resources
            .into_iter()
            .any(|known| known.plural == resource.plural || known.kind == resource.kind)
        {
            return;
        }
        let plural = resource.plural.clone();
        version.by_plural.insert(plural, Arc::new(resource));
    }
}

/// Reads the generated data, one resource per line, in the order of preference.
fn read(text: &str) -> Result<Catalogue, String> {
    let lines: Vec<Value> = serde_json::from_str(text).map_err(|why| why.to_string())?;
    let mut catalogue = Catalogue::default();
    for (place, line) in lines.iter().enumerate() {
        let resource = builtin(line).ok_or_else(|| format!("{line} is no resource"))?;
        catalogue.add(resource, place, |_| Rank::builtin(place));
    }
    Ok(catalogue)
}

fn builtin(line: &Value) -> Option<Resource> {
    let text = |key: &str| line[key].as_str().map(Box::<str>::from);
    let (group, version) = (text("g")?, text("v")?);
    let mut subresources = Vec::new();
    for (name, of) in line["sub"].as_object().into_iter().flatten() {
        let kind = &of["k"];
        let elsewhere = |at: usize| kind[at].as_str().map(Box::<str>::from);
        subresources.push(Subresource {
            name: name.as_str().into(),
            group: elsewhere(0).unwrap_or_else(|| group.clone()),
            version: elsewhere(1).unwrap_or_else(|| version.clone()),
            kind: kind.as_str().map(Into::into).or_else(|| elsewhere(2))?,
            verbs: texts(&of["verbs"]),
        });
    }
    let kind = text("k")?;
    Some(Resource {
        plural: text("n")?,
        singular: text("s")?,
        list_kind: format!("{kind}List").into(),
        namespaced: line.get("ns").is_some(),
        verbs: texts(&line["verbs"]),
        short_names: texts(&line["short"]),
        categories: texts(&line["cat"]),
        storage_hash: text("h"),
        custom: false,
        group,
        version,
        kind,
        subresources,
    })
}

fn texts(list: &Value) -> Vec<Box<str>> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(Into::into).collect()
}

#[cfg(test)]
mod tests;
