//! Manifests to objects: scope before identity, then no object twice.

use std::collections::BTreeMap;

use manifest::{Manifest, ObjectId};

use crate::Subject;
use crate::scope::{Scope, Served};

/// A manifest with its identity settled.
#[derive(Clone, Debug)]
pub struct Object {
    /// Which object it is.
    pub id: ObjectId,
    /// What it should be; its namespace is written if and only if the kind has one.
    pub manifest: Manifest,
    /// Whether the definition of its kind is in the same set.
    pub crd_in_set: bool,
}

/// Why a manifest is no object yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, strum::IntoStaticStr)]
pub enum RefusedReason {
    /// The API server does not serve the kind, and no definition in the set adds it: wait for it.
    KindUnknown,
    /// The kind is served, but no longer in this version.
    VersionNotServed,
    /// Another manifest is the same object.
    Duplicate,
}

impl RefusedReason {
    /// The name of the variant, as in conditions and events.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A manifest that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which object it would be.
    pub id: ObjectId,
    /// The class of what is wrong.
    pub reason: RefusedReason,
    /// What is wrong, for a reader.
    pub message: String,
    /// The file of the manifest.
    pub file: String,
    /// The line of the manifest.
    pub line: u32,
}

/// The objects of a specification.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    /// What can be applied, in the order of the manifests.
    pub objects: Vec<Object>,
    /// What cannot.
    pub problems: Vec<Refused>,
}

/// Settles which objects the manifests are. `scopes` is asked with group, version and kind.
///
/// Guarantees: a namespaced object has its namespace written, the Shipment's if the author named
/// none; a cluster-scoped one has none, whatever the author wrote. A definition in the set counts
/// before what the API server says, because it is applied first.
pub fn settle(
    subject: &Subject<'_>,
    manifests: Vec<Manifest>,
    scopes: &dyn Fn(&str, &str, &str) -> Served,
) -> Settled {
    let definitions = Definition::read_all(&manifests);
    let mut settled = Settled::default();
    for mut manifest in manifests {
        let key = (manifest.group().to_owned(), manifest.kind().to_owned());
        let definition = definitions.get(&key);
        let served = match definition {
            Some(definition) => definition.serves(manifest.version()),
            None => scopes(manifest.group(), manifest.version(), manifest.kind()),
        };
        let scope = match served {
            Served::Yes(scope) => scope,
            Served::OtherVersions(versions) => {
                settled.problems.push(version_gone(&manifest, &versions));
                continue;
            }
            Served::Unknown => {
                settled.problems.push(kind_unknown(&manifest));
                continue;
            }
        };
        match scope {
            Scope::Cluster => manifest.set_namespace(None),
            Scope::Namespaced if manifest.namespace().is_none() => {
                manifest.set_namespace(Some(subject.namespace));
            }
            Scope::Namespaced => {}
        }
        settled.objects.push(Object {
            id: manifest.id(None),
            manifest,
            crd_in_set: definition.is_some(),
        });
    }
    drop_duplicates(&mut settled);
    settled
}

/// What a CustomResourceDefinition of the set defines.
struct Definition {
    scope: Scope,
    versions: Vec<String>,
}

impl Definition {
    fn read_all(manifests: &[Manifest]) -> BTreeMap<(String, String), Self> {
        manifests
            .iter()
            .filter(|manifest| is_definition(manifest))
            .filter_map(Self::read)
            .collect()
    }

    fn read(manifest: &Manifest) -> Option<((String, String), Self)> {
        let spec = manifest.value().get("spec")?;
        let group = spec.get("group")?.as_str()?.to_owned();
        let kind = spec.pointer("/names/kind")?.as_str()?.to_owned();
        let scope = match spec.get("scope")?.as_str()? {
            "Cluster" => Scope::Cluster,
            _ => Scope::Namespaced,
        };
        let versions = spec.get("versions")?.as_array()?.iter();
        let served =
            versions.filter(|version| version.get("served").is_none_or(|served| served == true));
        let versions = served
            .filter_map(|version| Some(version.get("name")?.as_str()?.to_owned()))
            .collect();
        Some(((group, kind), Self { scope, versions }))
    }

    fn serves(&self, version: &str) -> Served {
        if self.versions.iter().any(|served| served == version) {
            Served::Yes(self.scope)
        } else {
            Served::OtherVersions(self.versions.clone())
        }
    }
}

fn is_definition(manifest: &Manifest) -> bool {
    manifest.group() == "apiextensions.k8s.io" && manifest.kind() == "CustomResourceDefinition"
}

fn refuse(manifest: &Manifest, reason: RefusedReason, message: String) -> Refused {
    Refused {
        id: manifest.id(None),
        reason,
        message,
        file: manifest.file.to_string(),
        line: manifest.line,
    }
}

fn version_gone(manifest: &Manifest, versions: &[String]) -> Refused {
    let (version, kind) = (manifest.api_version(), manifest.kind());
    let message = match versions {
        [] => format!("`{kind}` is not served in any version"),
        _ => format!(
            "`{kind}` is not served as `{version}`, but in {}",
            versions.join(", ")
        ),
    };
    refuse(manifest, RefusedReason::VersionNotServed, message)
}

fn kind_unknown(manifest: &Manifest) -> Refused {
    let (kind, version) = (manifest.kind(), manifest.api_version());
    let message = match moved(manifest.group(), kind) {
        Some(now) => format!("`{kind}` is not served as `{version}`, but as `{now}`"),
        None => format!("the cluster does not know `{kind}` of `{version}` yet"),
    };
    refuse(manifest, RefusedReason::KindUnknown, message)
}

/// Where a kind went that Kubernetes has taken out of a group.
fn moved(group: &str, kind: &str) -> Option<&'static str> {
    match (group, kind) {
        ("extensions", "Ingress" | "NetworkPolicy") => Some("networking.k8s.io/v1"),
        ("extensions", "Deployment" | "DaemonSet" | "ReplicaSet") => Some("apps/v1"),
        _ => None,
    }
}

/// Drops every copy of an object that turned out to be one only now that its scope is known.
fn drop_duplicates(settled: &mut Settled) {
    let mut copies: BTreeMap<ObjectId, Vec<usize>> = BTreeMap::new();
    for (position, object) in settled.objects.iter().enumerate() {
        copies.entry(object.id.clone()).or_default().push(position);
    }
    copies.retain(|_, positions| positions.len() > 1);
    let mut dropped = vec![false; settled.objects.len()];
    for positions in copies.values() {
        for position in positions {
            dropped[*position] = true;
            let object = &settled.objects[*position];
            let other = positions
                .iter()
                .find(|other| *other != position)
                .unwrap_or(position);
            let other = &settled.objects[*other].manifest;
            let message = format!("`{}` is also in {}:{}", object.id, other.file, other.line);
            let mut refused = refuse(&object.manifest, RefusedReason::Duplicate, message);
            refused.id = object.id.clone();
            settled.problems.push(refused);
        }
    }
    let mut position = 0;
    settled.objects.retain(|_| {
        position += 1;
        !dropped[position - 1]
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFINITION: &str = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: widgets.x.io}, spec: {group: x.io, scope: SCOPE, names: {kind: Widget}, versions: [{name: v1, served: true}, {name: v1alpha1, served: false}]}}";

    /// Settles documents for `shop/web`; each is `apiVersion kind [namespace/]name`, or a
    /// definition of a Widget as `definition Scope`.
    #[track_caller]
    fn check(documents: &str, seen: &str) {
        let mut text = String::new();
        for document in documents.lines() {
            let words: Vec<&str> = document.split_whitespace().collect();
            let document = match words[..] {
                [_, scope] => DEFINITION.replace("SCOPE", scope),
                [version, kind, name] => {
                    let (namespace, name) = name.split_once('/').unwrap_or(("''", name));
                    format!(
                        "{{apiVersion: {version}, kind: {kind}, metadata: {{name: {name}, namespace: {namespace}}}}}"
                    )
                }
                _ => String::new(),
            };
            text = format!("{text}--- {document}\n");
        }
        let manifests = manifest::parse_file("a.yaml", text.as_bytes()).expect(&text);
        let settled = settle(
            &Subject {
                namespace: "shop",
                name: "web",
            },
            manifests,
            &serves,
        );
        let mut lines = Vec::new();
        for object in &settled.objects {
            assert_eq!(object.manifest.namespace(), object.id.namespace.as_deref());
            lines.push(format!(
                "{}{}",
                object.id,
                if object.crd_in_set { " crd" } else { "" }
            ));
        }
        for refused in &settled.problems {
            lines.push(format!(
                "{} {}: {}:{}: {}",
                refused.id,
                refused.reason.as_str(),
                refused.file,
                refused.line,
                refused.message
            ));
        }
        assert_eq!(lines.join("\n"), seen);
    }

    fn serves(group: &str, version: &str, kind: &str) -> Served {
        match (group, kind) {
            ("apps", "Deployment") if version == "v1" => Served::Yes(Scope::Namespaced),
            ("apps", "Deployment") => Served::OtherVersions(vec!["v1".to_owned()]),
            ("", "ConfigMap") => Served::Yes(Scope::Namespaced),
            ("", "Namespace") | ("apiextensions.k8s.io" | "rbac.authorization.k8s.io", _) => {
                Served::Yes(Scope::Cluster)
            }
            _ => Served::Unknown,
        }
    }

    #[test]
    fn an_object_without_namespace_gets_the_shipments() {
        check(
            "v1 ConfigMap a\nv1 ConfigMap other/a",
            "ConfigMap/shop/a\nConfigMap/other/a",
        );
    }

    #[test]
    fn a_cluster_scoped_object_loses_its_namespace() {
        check(
            "rbac.authorization.k8s.io/v1 ClusterRole shop/a",
            "ClusterRole/a",
        );
    }

    #[test]
    fn the_scope_comes_from_a_definition_in_the_same_specification() {
        check(
            "x.io/v1 Widget a\ndefinition Namespaced",
            "Widget.x.io/shop/a crd\nCustomResourceDefinition/widgets.x.io",
        );
        check(
            "x.io/v1 Widget a\ndefinition Cluster",
            "Widget.x.io/a crd\nCustomResourceDefinition/widgets.x.io",
        );
    }

    #[test]
    fn a_version_no_longer_served_names_the_served_ones() {
        check(
            "apps/v1beta1 Deployment a",
            "Deployment/a VersionNotServed: a.yaml:1: `Deployment` is not served as `apps/v1beta1`, but in v1",
        );
        check(
            "x.io/v1alpha1 Widget a\ndefinition Cluster",
            "CustomResourceDefinition/widgets.x.io\nWidget.x.io/a VersionNotServed: a.yaml:1: `Widget` is not served as `x.io/v1alpha1`, but in v1",
        );
    }

    #[test]
    fn an_unknown_kind_is_waited_for() {
        check(
            "v1 ConfigMap a\nx.io/v1 Widget b",
            "ConfigMap/shop/a\nWidget.x.io/b KindUnknown: a.yaml:2: the cluster does not know `Widget` of `x.io/v1` yet",
        );
    }

    #[test]
    fn a_kind_that_left_its_group_is_named_with_where_it_went() {
        check(
            "extensions/v1beta1 Ingress web",
            "Ingress/web KindUnknown: a.yaml:1: `Ingress` is not served as `extensions/v1beta1`, but as `networking.k8s.io/v1`",
        );
    }

    #[test]
    fn what_is_one_object_after_scoping_costs_both_copies() {
        check(
            "rbac.authorization.k8s.io/v1 ClusterRole a\nrbac.authorization.k8s.io/v1 ClusterRole other/a\nv1 ConfigMap b",
            "ConfigMap/shop/b\nClusterRole/a Duplicate: a.yaml:1: `ClusterRole/a` is also in a.yaml:2\nClusterRole/a Duplicate: a.yaml:2: `ClusterRole/a` is also in a.yaml:1",
        );
    }
}
