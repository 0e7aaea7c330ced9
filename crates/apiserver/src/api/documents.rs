//! What is served beside objects: discovery, OpenAPI, health and the version.

use http::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::{Api, Call, not_served, unknown_in};
use crate::answer;
use crate::discovery;
use crate::openapi;
use crate::serve::Body;

/// The release of Kubernetes whose behaviour this is.
const VERSION: &str = "v1.36.3";

impl Api {
    pub(super) fn document(&self, call: &Call<'_>, method: &Method, path: &str) -> Response<Body> {
        if method != Method::GET && method != Method::HEAD {
            return not_served();
        }
        let served = call.cluster.served();
        let json = |value: &Value| {
            answer::json(
                StatusCode::OK,
                serde_json::to_vec(value).unwrap_or_default(),
            )
        };
        let catalogue = &served.catalogue;
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match parts.as_slice() {
            ["version"] => answer::json(
                StatusCode::OK,
                serde_json::to_vec_pretty(&version()).unwrap_or_default(),
            ),
            ["healthz" | "livez" | "readyz"] => answer::text(StatusCode::OK, "ok"),
            ["api"] if call.wants_aggregated() => call.tagged(
                discovery::AGGREGATED,
                &discovery::aggregated_core(catalogue),
            ),
            ["apis"] if call.wants_aggregated() => call.tagged(
                discovery::AGGREGATED,
                &discovery::aggregated_groups(catalogue),
            ),
            ["api"] => json(&discovery::core_versions(&self.address)),
            ["apis"] => json(&discovery::groups(catalogue)),
            ["apis", group] => {
                discovery::group(catalogue, group).map_or_else(not_served, |found| json(&found))
            }
            ["api", version] => discovery::resources(catalogue, "", version)
                .map_or_else(|| unknown_in(""), |found| json(&found)),
            ["apis", group, version] => discovery::resources(catalogue, group, version)
                .map_or_else(|| unknown_in(group), |found| json(&found)),
            ["openapi", "v2"] => call.swagger(served.swagger()),
            ["openapi", "v3"] => json(&openapi::index(&call.prefix, &served.locations())),
            ["openapi", "v3", "api", version] => openapi_of(call, "", version),
            ["openapi", "v3", "apis", group, version] => openapi_of(call, group, version),
            _ => not_served(),
        }
    }
}

fn openapi_of(call: &Call<'_>, group: &str, version: &str) -> Response<Body> {
    let served = call.cluster.served();
    let Some(document) = served.openapi(group, version) else {
        return not_served();
    };
    // Its place names its content, so that it may be kept for as long as one likes.
    let tag = format!("\"{}\"", document.hash);
    let known = call.known_tag.as_deref();
    answer::tagged("application/json", &tag, known, document.body.clone())
}

impl Call<'_> {
    /// Whether discovery is to come in one document.
    fn wants_aggregated(&self) -> bool {
        let accept = self.accept.as_deref().unwrap_or_default();
        accept.split(',').any(|range| {
            let has = |part: &str| range.split(';').any(|own| own.trim() == part);
            has("application/json")
                && has("g=apidiscovery.k8s.io")
                && has("v=v2")
                && has("as=APIGroupDiscoveryList")
        })
    }

    /// All types in one document, in the form that clients in Go ask for or as JSON.
    fn swagger(&self, swagger: &openapi::Swagger) -> Response<Body> {
        const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2";
        let accept = self.accept.as_deref().unwrap_or_default();
        let (kind, body) = if accept.contains(PROTOBUF) {
            (format!("{PROTOBUF}.v1.0+protobuf"), &swagger.protobuf)
        } else {
            ("application/json".to_owned(), &swagger.json)
        };
        let tag = format!("\"{}\"", swagger.hash);
        answer::tagged(&kind, &tag, self.known_tag.as_deref(), body.clone().into())
    }

    fn tagged(&self, kind: &str, document: &Value) -> Response<Body> {
        let bytes = serde_json::to_vec(document).unwrap_or_default();
        let tag = discovery::etag(&bytes);
        answer::tagged(kind, &tag, self.known_tag.as_deref(), bytes.into())
    }
}

/// What `/version` answers.
fn version() -> Value {
    json!({
        "major": "1", "minor": "36", "gitVersion": format!("{VERSION}+shipway"), "gitCommit": "",
        "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "none (rustc)",
        "compiler": "rustc", "platform": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
    })
}
