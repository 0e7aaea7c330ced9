//! The OpenAPI v3 documents: an index, and one document per group and version with the paths and types
//! that kubectl and other clients read before they write.
//!
//! They hold operations with their kinds, parameters and media types, and types with what apply and patches
//! have to know and what `kubectl explain` shows. External rules: kubectl (`pkg/cmd/apply`,
//! `pkg/cmd/explain`) and cli-runtime (`pkg/resource`) read them. The older form of the types, which some
//! clients ask for still, is in `swagger`.

mod component;
mod gnostic;
mod path;
mod swagger;
mod words;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha512};

use crate::catalogue::{Catalogue, Resource};
use component::Components;

pub(crate) use swagger::{Swagger, swagger};

/// The version of Kubernetes that the documents are of.
const VERSION: &str = "1.36";

/// A document as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    /// The JSON.
    pub(crate) body: Vec<u8>,
    /// What its URL says about its content, so that clients may keep it for ever. It is also its ETag,
    /// between quotes.
    pub(crate) hash: String,
}

/// The `openAPIV3Schema` of a custom resource in its version; none where it is not known.
pub(crate) type CustomSchema<'a> = dyn Fn(&Resource) -> Option<&'a Value> + 'a;

/// The document of a group and version (`/openapi/v3/apis/apps/v1`); none where that is not served.
pub(crate) fn document(
    catalogue: &Catalogue,
    custom: &CustomSchema<'_>,
    group: &str,
    version: &str,
) -> Option<Document> {
    let served = catalogue.version(group, version)?;
    let mut components = Components::default();
    let mut paths = Map::new();
    for resource in served.resources() {
        path::insert(resource, custom, &mut components, &mut paths);
    }
    let document = json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": VERSION},
        "paths": paths,
        "components": {"schemas": components.finish()},
    });
    let body = document.to_string().into_bytes();
    let hash = format!("{:X}", Sha512::digest(&body));
    Some(Document { body, hash })
}

/// The path of a group and version within the index (`api/v1`, `apis/apps/v1`).
pub(crate) fn location(group: &str, version: &str) -> String {
    if group.is_empty() {
        format!("api/{version}")
    } else {
        format!("apis/{group}/{version}")
    }
}

/// The index at `/openapi/v3`, from the hashes of all documents by their [`location`].
///
/// `prefix` is what stands before all paths of a cluster (`/clusters/main`), or nothing.
pub(crate) fn index(prefix: &str, hashes: &BTreeMap<String, String>) -> Value {
    let mut paths = Map::new();
    for (location, hash) in hashes {
        let url = format!("{prefix}/openapi/v3/{location}?hash={hash}");
        paths.insert(location.clone(), json!({"serverRelativeURL": url}));
    }
    json!({"paths": paths})
}

/// Group, version and kind as the documents write them.
fn gvk(group: &str, version: &str, kind: &str) -> Value {
    json!({"group": group, "version": version, "kind": kind})
}

#[cfg(test)]
mod tests;
