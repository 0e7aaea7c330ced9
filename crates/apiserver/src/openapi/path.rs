//! Paths and the operations on them.

use serde_json::{Map, Value, json};

use super::component::Components;
use super::{CustomSchema, gvk, location};
use crate::catalogue::{Resource, Subresource};

/// Media types of patches; built-in kinds know the second kind too.
const PATCHES: [&str; 3] = [
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
];
const STRATEGIC: &str = "application/strategic-merge-patch+json";

const LISTING: [(&str, &str); 10] = [
    ("allowWatchBookmarks", "boolean"),
    ("continue", "string"),
    ("fieldSelector", "string"),
    ("labelSelector", "string"),
    ("limit", "integer"),
    ("resourceVersion", "string"),
    ("resourceVersionMatch", "string"),
    ("sendInitialEvents", "boolean"),
    ("timeoutSeconds", "integer"),
    ("watch", "boolean"),
];
const WRITING: [(&str, &str); 3] = [
    ("dryRun", "string"),
    ("fieldManager", "string"),
    ("fieldValidation", "string"),
];
const PATCHING: [(&str, &str); 4] = [
    ("dryRun", "string"),
    ("fieldManager", "string"),
    ("fieldValidation", "string"),
    ("force", "boolean"),
];
const DELETING: [(&str, &str); 4] = [
    ("dryRun", "string"),
    ("gracePeriodSeconds", "integer"),
    ("orphanDependents", "boolean"),
    ("propagationPolicy", "string"),
];

/// Adds the paths of a resource and of what is below its objects.
pub(super) fn insert(
    resource: &Resource,
    custom: &CustomSchema<'_>,
    components: &mut Components,
    paths: &mut Map<String, Value>,
) {
    let Some([object, list]) = types(resource, custom, components) else {
        return;
    };
    let own = Target {
        resource,
        kind: gvk(&resource.group, &resource.version, &resource.kind),
        about: &resource.kind,
        below: "",
        ty: object.clone(),
    };
    let base = location(&resource.group, &resource.version);
    let plural = &resource.plural;
    let collection = if resource.namespaced {
        format!("/{base}/namespaces/{{namespace}}/{plural}")
    } else {
        format!("/{base}/{plural}")
    };
    let has = |verb: &str| resource.allows(verb);

    let mut operations = parameters(&collection);
    if has("list") {
        operations.insert("get".to_owned(), own.operation("list", &LISTING, &list));
    }
    if has("create") {
        operations.insert("post".to_owned(), own.writing("post", &WRITING));
    }
    if has("deletecollection") {
        let operation = own.deleting("deletecollection", &list, components);
        operations.insert("delete".to_owned(), operation);
    }
    paths.insert(collection.clone(), Value::Object(operations));

    if resource.namespaced && has("list") {
        let everywhere = format!("/{base}/{plural}");
        let mut operations = parameters(&everywhere);
        operations.insert("get".to_owned(), own.operation("list", &LISTING, &list));
        paths.insert(everywhere, Value::Object(operations));
    }

    let item = format!("{collection}/{{name}}");
    let operations = own.item(&item, &resource.verbs, components);
    if operations.len() > 1 {
        paths.insert(item.clone(), Value::Object(operations));
    }
    for subresource in &resource.subresources {
        let Some(below) = own.below(subresource, &object, components) else {
            continue;
        };
        let path = format!("{item}/{}", subresource.name);
        let mut operations = below.item(&path, &subresource.verbs, components);
        if subresource.verbs.iter().any(|verb| **verb == *"create") {
            operations.insert("post".to_owned(), below.writing("post", &WRITING));
        }
        paths.insert(path, Value::Object(operations));
    }
}

/// References to the types of objects and of lists.
fn types(
    resource: &Resource,
    custom: &CustomSchema<'_>,
    components: &mut Components,
) -> Option<[Value; 2]> {
    if resource.custom {
        return Some(components.custom(resource, custom(resource)));
    }
    let Resource { group, version, .. } = resource;
    let object = components.builtin(group, version, &resource.kind)?;
    // What is never listed has no type of lists, and then nothing refers to it.
    let list = components.builtin(group, version, &resource.list_kind);
    Some([object.clone(), list.unwrap_or(object)])
}

/// What operations are about.
struct Target<'a> {
    resource: &'a Resource,
    kind: Value,
    about: &'a str,
    /// The subresource.
    below: &'a str,
    ty: Value,
}

impl<'a> Target<'a> {
    /// A subresource; none where it is a stream rather than an object.
    fn below(
        &self,
        subresource: &'a Subresource,
        object: &Value,
        components: &mut Components,
    ) -> Option<Self> {
        let Subresource {
            group,
            version,
            kind,
            name,
            ..
        } = subresource;
        let own = (
            &self.resource.group,
            &self.resource.version,
            &self.resource.kind,
        );
        let ty = if (group, version, kind) == own {
            // Logs are text, whatever discovery says.
            (**name != *"log").then(|| object.clone())?
        } else {
            components.builtin(group, version, kind)?
        };
        Some(Self {
            resource: self.resource,
            kind: gvk(group, version, kind),
            about: kind,
            below: name,
            ty,
        })
    }

    /// The operations on single objects.
    fn item(
        &self,
        path: &str,
        verbs: &[Box<str>],
        components: &mut Components,
    ) -> Map<String, Value> {
        let mut operations = parameters(path);
        for verb in verbs {
            let (method, operation) = match &**verb {
                "get" => ("get", self.operation("get", &[], &self.ty)),
                "update" => ("put", self.writing("put", &WRITING)),
                "patch" => ("patch", self.patching(components)),
                "delete" => {
                    let status = components.builtin("", "v1", "Status");
                    let status = status.unwrap_or_else(|| json!({}));
                    ("delete", self.deleting("delete", &status, components))
                }
                _ => continue,
            };
            operations.insert(method.to_owned(), operation);
        }
        operations
    }

    fn operation(&self, action: &str, queries: &[(&str, &str)], answer: &Value) -> Value {
        let group = camel(&self.resource.group);
        let version = &self.resource.version;
        let queries: Vec<Value> = queries.iter().map(|(name, ty)| query(name, ty)).collect();
        let content = json!({"schema": answer});
        json!({
            "tags": [format!("{group}_{version}")],
            "operationId": self.id(action),
            "parameters": queries,
            "responses": {
                "200": {"description": "OK", "content": {
                    "application/json": content.clone(),
                    "application/yaml": content,
                }},
                "401": {"description": "Unauthorized"},
            },
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": self.kind,
        })
    }

    fn with_body(mut operation: Value, content: &Map<String, Value>, required: bool) -> Value {
        let mut body = json!({"content": content});
        if required {
            body["required"] = json!(true);
        }
        operation["requestBody"] = body;
        operation
    }

    fn writing(&self, action: &str, queries: &[(&str, &str)]) -> Value {
        let mut content = Map::new();
        content.insert("*/*".to_owned(), json!({"schema": self.ty}));
        Self::with_body(self.operation(action, queries, &self.ty), &content, true)
    }

    fn patching(&self, components: &mut Components) -> Value {
        let patch = components.patch();
        let strategic = (!self.resource.custom).then_some(STRATEGIC);
        let content = PATCHES
            .into_iter()
            .chain(strategic)
            .map(|media| (media.to_owned(), json!({"schema": patch})))
            .collect();
        Self::with_body(self.operation("patch", &PATCHING, &self.ty), &content, true)
    }

    fn deleting(&self, action: &str, answer: &Value, components: &mut Components) -> Value {
        let mut content = Map::new();
        if let Some(options) = components.builtin("", "v1", "DeleteOptions") {
            content.insert("*/*".to_owned(), json!({"schema": options}));
        }
        Self::with_body(self.operation(action, &DELETING, answer), &content, false)
    }

    /// `patchAppsV1NamespacedDeploymentScale`.
    fn id(&self, action: &str) -> String {
        let verb = match action {
            "get" => "read",
            "post" => "create",
            "put" => "replace",
            "deletecollection" => "deleteCollection",
            other => other,
        };
        let mut id = verb.to_owned();
        let group = camel(&self.resource.group);
        let place = if self.resource.namespaced {
            "Namespaced"
        } else {
            ""
        };
        let kind = if self.below.is_empty() {
            self.about
        } else {
            &self.resource.kind
        };
        for part in [&*group, &*self.resource.version, place, kind, self.below] {
            capitalized(part, &mut id);
        }
        id
    }
}

/// The operations of a path, which begin with its parameters.
fn parameters(path: &str) -> Map<String, Value> {
    let mut parameters = Vec::new();
    for name in ["name", "namespace"] {
        if path.contains(&format!("{{{name}}}")) {
            let schema = json!({"type": "string", "uniqueItems": true});
            let parameter = json!({"name": name, "in": "path", "required": true, "schema": schema});
            parameters.push(parameter);
        }
    }
    parameters.push(query("pretty", "string"));
    let mut operations = Map::new();
    operations.insert("parameters".to_owned(), Value::Array(parameters));
    operations
}

fn query(name: &str, ty: &str) -> Value {
    json!({"name": name, "in": "query", "schema": {"type": ty, "uniqueItems": true}})
}

/// `rbacAuthorization` for `rbac.authorization.k8s.io`, `core` for the core group.
fn camel(group: &str) -> String {
    if group.is_empty() {
        return "core".to_owned();
    }
    let mut parts = group
        .strip_suffix(".k8s.io")
        .unwrap_or(group)
        .split(['.', '-']);
    let mut camel = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        capitalized(part, &mut camel);
    }
    camel
}

fn capitalized(part: &str, out: &mut String) {
    let mut letters = part.chars();
    out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
    out.push_str(letters.as_str());
}
